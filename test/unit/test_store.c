/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * What a guest may write into its directory. Whatever is wrong with it: the backend goes to Closing
 * and Closed, says which key and value it was, holds nothing, and serves the same guest again when
 * that starts over. A bystander's traffic goes on all the while.
 */

#include <stdio.h>

#include "bystander.h"
#include "vif.h"

/* Grants and event channels that a bystander of one queue with two channels holds. */
#define BYSTANDER_MAPS 2
#define BYSTANDER_PORTS 2

/* The values that no number is, for every key that has to be one. */
static const struct {
	const char *value;
	size_t len;
	const char *why;
} not_numbers[] = {
	{ "", 0, "is not a number" },
	{ "abc", 3, "is not a number" },
	{ "-1", 2, "is not a number" },
	{ "+1", 2, "is not a number" },
	{ " 1", 2, "is not a number" },
	{ "1 ", 2, "is not a number" },
	{ "1.0", 3, "is not a number" },
	{ "0x10", 4, "is not a number" },
	{ "4294967296", 10, "is not a number" },
	{ "18446744073709551617", 20, "is not a number" },
	{ "9999999999999999999999999999999999999999999999999999999999999999999999", 70,
			"is not a number" },
	{ "1\0"
	  "1",
			3, "too long to be a number" },
	{ "\n", 1, "is not a number" },
	{ "%s%n%x", 6, "is not a number" },
};

static void
setup(struct vif *v, unsigned int queues, bool single)
{
	const struct vif_options options = { .queues = queues, .single_evtchn = single };

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

static void
write_value(const struct vif *v, const char *key, const char *value, size_t len)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", v->f.front, key);
	assert_true(xs_write(unit_store, XBT_NULL, path, value, len));
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

/* All that can be wrong with the value of one key. */
static void
check_key(struct vif *v, const char *key, bool required)
{
	static char large[5000];
	unsigned int i;

	if (required) {
		rawfront_publish(&v->f);
		rawfront_unset(&v->f, key);
		expect_refused(v, key, "is missing");
	}
	for (i = 0; i < RTE_DIM(not_numbers); i++) {
		rawfront_publish(&v->f);
		write_value(v, key, not_numbers[i].value, not_numbers[i].len);
		expect_refused(v, key, not_numbers[i].why);
	}
	memset(large, '1', sizeof(large));
	/* xenstored itself takes no more than a page. */
	rawfront_publish(&v->f);
	write_value(v, key, large, 2000);
	expect_refused(v, key, "too long to be a number");
	rawfront_publish(&v->f);
	rawfront_unset(&v->f, key);
}

static void
test_keys(void **state __rte_unused)
{
	static const char *const required[] = { "tx-ring-ref", "rx-ring-ref" };
	static const char *const optional[] = { "request-rx-copy", "multi-queue-num-queues",
		"feature-sg", "feature-no-csum-offload", "feature-ipv6-csum-offload" };
	struct vif v;
	unsigned int i;

	setup(&v, 1, false);
	for (i = 0; i < RTE_DIM(required); i++)
		check_key(&v, required[i], true);
	for (i = 0; i < RTE_DIM(optional); i++)
		check_key(&v, optional[i], false);
	check_key(&v, "event-channel-rx", true);
	check_key(&v, "event-channel-tx", false);
	vif_reconnect(&v);
	vif_send_good(&v);
	teardown(&v);
}

static void
test_single_event_channel(void **state __rte_unused)
{
	struct vif v;

	setup(&v, 1, true);
	check_key(&v, "event-channel", true);
	rawfront_publish(&v.f);
	rawfront_set(&v.f, "event-channel", "0");
	expect_refused(&v, "event-channel", "='0' is not a number from 1 to");
	rawfront_publish(&v.f);
	rawfront_set(&v.f, "event-channel", "131072");
	expect_refused(&v, "event-channel", "='131072' is not a number from 1 to 131071");
	vif_reconnect(&v);
	vif_send_good(&v);
	teardown(&v);
}

/* Values that are numbers, and yet cannot be. */
static void
test_values(void **state __rte_unused)
{
	static const struct {
		const char *key;
		const char *value;
		const char *why;
	} cases[] = {
		{ "request-rx-copy", "0", "request-rx-copy has to be 1" },
		{ "request-rx-copy", "2", "='2' is not a number from 0 to 1" },
		{ "feature-sg", "2", "='2' is not a number from 0 to 1" },
		{ "multi-queue-num-queues", "0", "='0' is not a number from 1 to 4" },
		{ "multi-queue-num-queues", "5", "='5' is not a number from 1 to 4" },
		{ "multi-queue-num-queues", "4000000000", "is not a number from 1 to 4" },
		{ "tx-ring-ref", "60000", "tx-ring-ref 60000 cannot be mapped" },
		{ "tx-ring-ref", "4294967295", "tx-ring-ref 4294967295 cannot be mapped" },
		{ "rx-ring-ref", "60000", "rx-ring-ref 60000 cannot be mapped" },
		{ "event-channel-tx", "4000", "event channel 4000 cannot be bound" },
		{ "event-channel-rx", "131071", "event channel 131071 cannot be bound" },
		{ "event-channel-tx", "0", "='0' is not a number from 1 to" },
	};
	unsigned int i;
	struct vif v;

	setup(&v, 1, false);
	rawfront_publish(&v.f);
	rawfront_unset(&v.f, "request-rx-copy");
	expect_refused(&v, "request-rx-copy", "request-rx-copy has to be 1");
	for (i = 0; i < RTE_DIM(cases); i++) {
		rawfront_publish(&v.f);
		rawfront_set(&v.f, cases[i].key, "%s", cases[i].value);
		expect_refused(&v, NULL, cases[i].why);
		rawfront_unset(&v.f, cases[i].key);
	}
	vif_reconnect(&v);
	vif_send_good(&v);
	teardown(&v);
}

/* References and ports that exist, and are not for this backend. */
static void
test_not_ours(void **state __rte_unused)
{
	struct rawfront other;
	uint32_t foreign, readonly;
	int port, taken;
	struct vif v;

	setup(&v, 1, false);
	rawfront_open(&other, 2, 999, 1, false);
	rawfront_share(&v.f, 2, true, &foreign);
	rawfront_share(&v.f, 0, false, &readonly);

	rawfront_publish(&v.f);
	rawfront_set(&v.f, "tx-ring-ref", "%u", foreign);
	expect_refused(&v, NULL, "tx-ring-ref");
	rawfront_publish(&v.f);
	rawfront_set(&v.f, "rx-ring-ref", "%u", readonly);
	expect_refused(&v, NULL, "rx-ring-ref");
	/* A reference that only another guest has. */
	rawfront_publish(&v.f);
	rawfront_share(&other, 0, true, &foreign);
	rawfront_set(&v.f, "tx-ring-ref", "%u", foreign + 20000);
	expect_refused(&v, NULL, "tx-ring-ref");
	/* A page that is no ring. */
	rawfront_publish(&v.f);
	rawfront_set(&v.f, "tx-ring-ref", "%u", v.f.gref[0]);
	expect_refused(&v, NULL, "tx-ring-ref: req_prod");
	/* Unbound, but for another domain. */
	port = xenevtchn_bind_unbound_port(v.f.evtchn, 2);
	assert_true(port > 0);
	rawfront_publish(&v.f);
	rawfront_set(&v.f, "event-channel-tx", "%d", port);
	expect_refused(&v, NULL, "cannot be bound");
	/* Bound already, twice the same. */
	rawfront_publish(&v.f);
	rawfront_set(&v.f, "event-channel-rx", "%d", v.f.q[0].port_tx);
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

/* Rings whose indices make no sense when the backend enters them. */
static void
test_ring_state(void **state __rte_unused)
{
	struct vif v;

	setup(&v, 1, false);
	rawfront_publish(&v.f);
	v.f.q[0].tx->req_prod = 257;
	expect_refused(&v, NULL, "tx-ring-ref: req_prod 257 is more than 256 ahead of rsp_prod 0");
	rawfront_init_rings(&v.f, 0);
	rawfront_publish(&v.f);
	v.f.q[0].rx->rsp_prod = 1;
	expect_refused(&v, NULL, "rx-ring-ref: req_prod 0 is more than 256 ahead of rsp_prod 1");
	vif_reconnect(&v);
	vif_send_good(&v);
	teardown(&v);
}

static void
test_queues(void **state __rte_unused)
{
	static const char *const keys[] = { "queue-1/tx-ring-ref", "queue-3/rx-ring-ref",
		"queue-0/event-channel-rx", "queue-3" };
	unsigned int i;
	struct vif v;

	setup(&v, 4, false);
	for (i = 0; i < RTE_DIM(keys); i++) {
		rawfront_publish(&v.f);
		rawfront_unset(&v.f, keys[i]);
		expect_refused(&v, keys[i], "is missing");
	}
	/* Split for one queue only. */
	rawfront_publish(&v.f);
	rawfront_unset(&v.f, "queue-2/event-channel-tx");
	rawfront_unset(&v.f, "queue-2/event-channel-rx");
	rawfront_set(&v.f, "queue-2/event-channel", "%d", v.f.q[2].port_tx);
	expect_refused(&v, NULL, "event channels are split for some queues only");
	rawfront_unset(&v.f, "queue-2/event-channel");
	/* The last queue fails when all others stand already. */
	rawfront_publish(&v.f);
	rawfront_set(&v.f, "queue-3/event-channel-rx", "4001");
	expect_refused(&v, NULL, "queue 3: event channel 4001 cannot be bound");
	/* Queues without a number of them: the flat keys are missing. */
	rawfront_publish(&v.f);
	rawfront_unset(&v.f, "multi-queue-num-queues");
	expect_refused(&v, "tx-ring-ref", "is missing");
	/* One, in words: then the flat keys count as well. */
	rawfront_publish(&v.f);
	rawfront_set(&v.f, "multi-queue-num-queues", "1");
	expect_refused(&v, "tx-ring-ref", "is missing");
	vif_reconnect(&v);
	vif_send_good(&v);
	teardown(&v);
}

/* Hypercalls that fail for reasons of their own. */
static void
test_faults(void **state __rte_unused)
{
	unsigned int nth;
	struct vif v;

	setup(&v, 2, false);
	for (nth = 1; nth <= 4; nth++) {
		rawfront_publish(&v.f);
		assert_int_equal(xensim_fault_set(XENSIM_FAULT_MAP, 0, nth, 0, -1), 0);
		expect_refused(&v, NULL, "cannot be mapped");
		rawfront_publish(&v.f);
		assert_int_equal(xensim_fault_set(XENSIM_FAULT_BIND, 0, nth, 0, -1), 0);
		expect_refused(&v, NULL, "cannot be bound");
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
	static const char *const values[] = { "", "9", "-1", "connected", "44", "4 " };
	unsigned int i;
	struct vif v;

	setup(&v, 1, false);
	for (i = 0; i < RTE_DIM(values); i++) {
		rawfront_publish(&v.f);
		rawfront_set(&v.f, "state", "%s", values[i]);
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
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_single_event_channel),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_not_ours),
		cmocka_unit_test(test_ring_state),
		cmocka_unit_test(test_queues),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_front_state),
	};

	return cmocka_run_group_tests_name("store", tests, unit_setup, unit_teardown);
}
