/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * What a guest may write into its directory. Whatever is wrong with it: the backend goes to Closing
 * and Closed, says which key and value it was, holds nothing, and serves the same guest again when
 * that starts over. A bystander's traffic goes on all the while.
 */

#include <stdio.h>

#include "attack.h"
#include "bystander.h"
#include "vif.h"

/* Grants and event channels that a bystander of one queue with two channels holds. */
#define BYSTANDER_MAPS 2
#define BYSTANDER_PORTS 2

static void
setup(struct vif *v, unsigned int queues, bool single)
{
	const struct vif_options options = {
		.queues = queues,
		.single_evtchn = single,
		.ctrl = true,
	};

	unit_log_clear();
	bystander_start();
	vif_open(v, &options);
	rawfront_wait(&v->f, XenbusStateInitWait);
}

static void
teardown(struct vif *v)
{
	vif_close(v);
	bystander_stop();
	assert_int_equal(unit_maps(), 0);
	assert_int_equal(unit_ports(), 0);
	unit_check_pool();
}

/* The guest says that it is ready: it must not be believed. Then it starts over. */
static void
expect_refused(struct vif *v, const char *key, const char *why)
{
	char path[160];

	rawfront_state(&v->f, XenbusStateConnected);
	vif_expect_failed(v, why);
	if (key != NULL) {
		snprintf(path, sizeof(path), "%s/%s", v->f.front, key);
		if (strstr(vif_error(v), path) == NULL)
			fail_msg("the error '%s' does not name %s", vif_error(v), path);
	}
	assert_int_equal(unit_maps(), BYSTANDER_MAPS);
	assert_int_equal(unit_ports(), BYSTANDER_PORTS);
	/* The log says it once, in one line. */
	assert_int_equal(unit_log_count(why), 1);
	rawfront_state(&v->f, XenbusStateInitialising);
	rawfront_wait(&v->f, XenbusStateInitWait);
	unit_remove("/local/domain/0/error/backend/vif/%u/%u", v->f.domid, v->f.devid);
	unit_log_clear();
}

static void
play(struct vif *v, const struct attack *a)
{
	print_message("%s: %s\n", a->name, a->key);
	v->f.nb_queues = a->queues != 0 ? a->queues : 1;
	v->f.split = !a->single;
	rawfront_init_rings(&v->f, 0);
	rawfront_publish(&v->f);
	attack_play(&v->f, a);
	expect_refused(v, a->named ? a->key : NULL, a->why);
	rawfront_unpublish(&v->f);
}

/* All that can be wrong with the value of a number, done to another key. */
static void
check_key(struct vif *v, const char *key, bool required)
{
	const struct attack *a;
	struct attack other;

	for (a = attack_keys; a < attack_keys + attack_keys_nb; a++) {
		if (strcmp(a->key, "tx-ring-ref") != 0 || !a->named ||
				(a->value == ATTACK_MISSING && !required))
			continue;
		other = *a;
		other.key = key;
		other.single = strcmp(key, "event-channel") == 0;
		play(v, &other);
	}
}

static void
test_numbers(void **state __rte_unused)
{
	static const char *const required[] = { "tx-ring-ref", "rx-ring-ref", "event-channel",
		"event-channel-rx", "ctrl-ring-ref", "event-channel-ctrl" };
	static const char *const optional[] = { "request-rx-copy", "multi-queue-num-queues",
		"feature-sg", "feature-no-csum-offload", "feature-ipv6-csum-offload",
		"feature-gso-tcpv4", "feature-gso-tcpv6", "feature-rx-notify",
		"request-multicast-control", "xdp-headroom", "event-channel-tx" };
	struct vif v;
	unsigned int i;

	setup(&v, 1, false);
	for (i = 0; i < RTE_DIM(required); i++)
		check_key(&v, required[i], true);
	for (i = 0; i < RTE_DIM(optional); i++)
		check_key(&v, optional[i], false);
	v.f.split = true;
	vif_reconnect(&v);
	vif_send_good(&v);
	teardown(&v);
}

/* The whole table, but the states. */
static void
test_table(void **state __rte_unused)
{
	const struct attack *a;
	unsigned int n = 0;
	struct vif v;

	setup(&v, 4, false);
	for (a = attack_keys; a < attack_keys + attack_keys_nb; a++) {
		if (strcmp(a->key, "state") == 0)
			continue;
		play(&v, a);
		n++;
	}
	assert_true(n > 0);
	v.f.nb_queues = 4;
	v.f.split = true;
	vif_reconnect(&v);
	vif_send_good(&v);
	teardown(&v);
}

/* References and ports that exist, and are another guest's. */
static void
test_not_ours(void **state __rte_unused)
{
	struct rawfront other;
	uint32_t foreign;
	int port, taken;
	struct vif v;

	setup(&v, 1, false);
	rawfront_open(&other, 2, 999, 1, false);
	/* A reference that only another guest has. */
	rawfront_publish(&v.f);
	rawfront_share(&other, 0, true, &foreign);
	rawfront_set(&v.f, "tx-ring-ref", "%u", foreign + 20000);
	expect_refused(&v, NULL, "tx-ring-ref");
	/* Unbound, but for another domain; then bound to that. */
	port = rawfront_bind_port(&v.f, 2);
	rawfront_publish(&v.f);
	rawfront_set(&v.f, "event-channel-tx", "%d", port);
	expect_refused(&v, NULL, "cannot be bound");
	taken = xenevtchn_bind_interdomain(other.evtchn, 1, port);
	assert_true(taken > 0);
	rawfront_publish(&v.f);
	rawfront_set(&v.f, "event-channel-tx", "%d", port);
	expect_refused(&v, NULL, "cannot be bound");
	vif_reconnect(&v);
	vif_send_good(&v);
	rawfront_close(&other);
	teardown(&v);
}

/* Maps that fail for reasons of their own. */
static void
test_faults(void **state __rte_unused)
{
	unsigned int nth;
	struct vif v;

	setup(&v, 2, false);
	/* Two queues, and the control ring. */
	for (nth = 1; nth <= 5; nth++) {
		rawfront_publish(&v.f);
		assert_int_equal(xensim_fault_set(XENSIM_FAULT_MAP, 0, nth, 0, -1), 0);
		expect_refused(&v, NULL, "cannot be mapped");
	}
	xensim_fault_clear();
	vif_reconnect(&v);
	vif_send_good(&v);
	teardown(&v);
}

/* A state that is none. */
static void
test_front_state(void **state __rte_unused)
{
	const struct attack *a;
	struct vif v;

	setup(&v, 1, false);
	for (a = attack_keys; a < attack_keys + attack_keys_nb; a++) {
		if (strcmp(a->key, "state") != 0)
			continue;
		print_message("%s\n", a->name);
		rawfront_publish(&v.f);
		attack_play(&v.f, a);
		rawfront_wait(&v.f, XenbusStateClosed);
		assert_int_equal(unit_maps(), BYSTANDER_MAPS);
		rawfront_state(&v.f, XenbusStateInitialising);
		rawfront_wait(&v.f, XenbusStateInitWait);
	}
	vif_reconnect(&v);
	vif_send_good(&v);
	teardown(&v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_not_ours),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_front_state),
	};

	return cmocka_run_group_tests_name("store", tests, unit_setup, unit_teardown);
}
