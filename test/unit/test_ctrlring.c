/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* The control ring: every message, right and wrong, and what a hostile guest does with the ring. */

#include <stdio.h>
#include <stdlib.h>

#include "attack.h"
#include "bystander.h"
#include "grants.h"
#include "xen_bus.h"
#include "xenvif_ctrlring.h"
#include "xenvif_hash.h"

/* Evaluations of all vifs, and ports unmasked; the linker puts these around the drivers' calls. */
static unsigned int evaluations, unmasked;

void
__real_xenvif_evaluate(struct xen_bus_device *xbdev);
void
__wrap_xenvif_evaluate(struct xen_bus_device *xbdev);
int
__real_xenevtchn_unmask(xenevtchn_handle *xce, evtchn_port_t port);
int
__wrap_xenevtchn_unmask(xenevtchn_handle *xce, evtchn_port_t port);

void
__wrap_xenvif_evaluate(struct xen_bus_device *xbdev)
{
	__real_xenvif_evaluate(xbdev);
	__atomic_fetch_add(&evaluations, 1, __ATOMIC_RELEASE);
}

/* The guest's part of this process has handles too; those in domain 0 are the drivers'. */
int
__wrap_xenevtchn_unmask(xenevtchn_handle *xce, evtchn_port_t port)
{
	if (xen_bus_in_thread())
		__atomic_fetch_add(&unmasked, 1, __ATOMIC_RELAXED);
	return __real_xenevtchn_unmask(xce, port);
}

static unsigned int
evaluated(void)
{
	return __atomic_load_n(&evaluations, __ATOMIC_ACQUIRE);
}

/* A message: what becomes of it depends on those before it. */
static const struct message {
	uint16_t type;
	/* data[0] is the reference of the key or the mapping. */
	bool page;
	uint32_t data[3];
	uint32_t status;
	uint32_t answer;
	/* What the dump says then; NULL: what it said before. */
	const char *hash;
} messages[] = {
	/* Types belong to an algorithm. */
	{ GET_FLAGS, false, { 0 }, UNSUPPORTED, 0, NULL },
	{ SET_FLAGS, false, { 1 }, INVALID, 0, NULL },
	{ SET_FLAGS, false, { 0 }, INVALID, 0, NULL },
	{ SET_ALGORITHM, false, { 2 }, INVALID, 0, NULL },
	{ SET_ALGORITHM, false, { UINT32_MAX }, INVALID, 0, NULL },
	{ SET_ALGORITHM, false, { TOEPLITZ }, OKAY, 0,
			"hash: toeplitz, types, key " NO_KEY ", mapping of 0:" },
	{ GET_FLAGS, false, { 0 }, OKAY, 15, NULL },
	{ SET_FLAGS, false, { 16 }, INVALID, 0, NULL },
	{ SET_FLAGS, false, { 0x8000000F }, INVALID, 0, NULL },
	{ SET_FLAGS, false, { 15 }, OKAY, 0,
			"hash: toeplitz, types ipv4 ipv4-tcp ipv6 ipv6-tcp, key " NO_KEY
			", mapping of 0:" },
	{ SET_FLAGS, false, { 9 }, OKAY, 0,
			"hash: toeplitz, types ipv4 ipv6-tcp, key " NO_KEY ", mapping of 0:" },
	{ SET_FLAGS, false, { 0 }, OKAY, 0,
			"hash: toeplitz, types, key " NO_KEY ", mapping of 0:" },

	/* The page begins with 1, 2, 3, ... A shorter key makes an end of a longer one. */
	{ SET_KEY, true, { 0, 41 }, OVERFLOW, 0, NULL },
	{ SET_KEY, true, { 0, 4096 }, OVERFLOW, 0, NULL },
	{ SET_KEY, true, { 0, UINT32_MAX }, OVERFLOW, 0, NULL },
	{ SET_KEY, true, { 0, 40 }, OKAY, 0,
			"hash: toeplitz, types, key 0102030405060708090a0b0c0d0e0f10"
			"1112131415161718191a1b1c1d1e1f202122232425262728, mapping of 0:" },
	{ SET_KEY, true, { 0, 5 }, OKAY, 0,
			"hash: toeplitz, types, key 0102030405000000000000000000000000000000"
			"0000000000000000000000000000000000000000, mapping of 0:" },
	{ SET_KEY, true, { 0, 41 }, OVERFLOW, 0, NULL },
	/* Without a key there is nothing to be fetched. */
	{ SET_KEY, false, { UINT32_MAX, 0 }, OKAY, 0,
			"hash: toeplitz, types, key " NO_KEY ", mapping of 0:" },

	{ GET_SIZE, false, { 0 }, OKAY, 128, NULL },
	{ SET_MAPPING, true, { 0, 1, 0 }, INVALID, 0, NULL },
	{ SET_MAPPING, true, { 0, 0, 0 }, OKAY, 0, NULL },
	{ SET_SIZE, false, { 129 }, INVALID, 0, NULL },
	{ SET_SIZE, false, { UINT32_MAX }, INVALID, 0, NULL },
	{ SET_SIZE, false, { 6 }, OKAY, 0,
			"hash: toeplitz, types, key " NO_KEY ", mapping of 6: 0 0 0 0 0 0" },
	/* The page has the entries 3, 2, 1, 0, 3, 2, 4, ... */
	{ SET_MAPPING, true, { 0, 2, 1 }, OKAY, 0,
			"hash: toeplitz, types, key " NO_KEY ", mapping of 6: 0 3 2 0 0 0" },
	{ SET_MAPPING, true, { 0, 6, 0 }, OKAY, 0,
			"hash: toeplitz, types, key " NO_KEY ", mapping of 6: 3 2 1 0 3 2" },
	{ SET_MAPPING, true, { 0, 1, 5 }, OKAY, 0,
			"hash: toeplitz, types, key " NO_KEY ", mapping of 6: 3 2 1 0 3 3" },
	/* An offset at the end, past it, and one that wraps (XSA-270). */
	{ SET_MAPPING, true, { 0, 0, 6 }, OKAY, 0, NULL },
	{ SET_MAPPING, true, { 0, 0, 7 }, INVALID, 0, NULL },
	{ SET_MAPPING, true, { 0, 1, 6 }, INVALID, 0, NULL },
	{ SET_MAPPING, true, { 0, 2, 5 }, INVALID, 0, NULL },
	{ SET_MAPPING, true, { 0, 7, 0 }, INVALID, 0, NULL },
	{ SET_MAPPING, true, { 0, 6, UINT32_MAX }, INVALID, 0, NULL },
	{ SET_MAPPING, true, { 0, 2, UINT32_MAX }, INVALID, 0, NULL },
	{ SET_MAPPING, true, { 0, 1, 0x40000000 }, INVALID, 0, NULL },
	{ SET_MAPPING, true, { 0, 129, 0 }, OVERFLOW, 0, NULL },
	{ SET_MAPPING, true, { 0, 0x40000001, 0 }, OVERFLOW, 0, NULL },
	{ SET_MAPPING, true, { 0, UINT32_MAX, 1 }, OVERFLOW, 0, NULL },
	/* One queue too many among the entries: none of them counts. */
	{ SET_SIZE, false, { 7 }, OKAY, 0,
			"hash: toeplitz, types, key " NO_KEY ", mapping of 7: 0 0 0 0 0 0 0" },
	{ SET_MAPPING, true, { 0, 7, 0 }, INVALID, 0, NULL },
	{ SET_MAPPING, true, { 0, 2, 0 }, OKAY, 0,
			"hash: toeplitz, types, key " NO_KEY ", mapping of 7: 3 2 0 0 0 0 0" },
	/* A new size begins with an empty table. */
	{ SET_SIZE, false, { 7 }, OKAY, 0,
			"hash: toeplitz, types, key " NO_KEY ", mapping of 7: 0 0 0 0 0 0 0" },
	{ SET_SIZE, false, { 0 }, OKAY, 0, "hash: toeplitz, types, key " NO_KEY ", mapping of 0:" },
	{ SET_ALGORITHM, false, { NONE }, OKAY, 0, HASH_NONE },
	{ GET_FLAGS, false, { 0 }, UNSUPPORTED, 0, NULL },

	/* Static grants, see test_grants.c. A page's reference is no queue. */
	{ GET_GRANTS, false, { 0 }, OKAY, 1024, NULL },
	{ GET_GRANTS, false, { CTRL_QUEUES }, INVALID, 0, NULL },
	{ ADD_GRANTS, true, { 0, 0, 1 }, INVALID, 0, NULL },
	{ DEL_GRANTS, true, { 0, 0, 1 }, INVALID, 0, NULL },
	/* What is no message. */
	{ XEN_NETIF_CTRL_TYPE_INVALID, false, { 0 }, UNSUPPORTED, 0, NULL },
	{ 11, false, { 1, 2, 3 }, UNSUPPORTED, 0, NULL },
	{ 0xFFFF, true, { 0, UINT32_MAX, UINT32_MAX }, UNSUPPORTED, 0, NULL },
};

static void
fill_pages(struct vif *v)
{
	static const uint32_t entries[] = { 3, 2, 1, 0, 3, 2, 4, 0, 0xFFFFFFFF };
	unsigned int i;

	for (i = 0; i < XEN_PAGE_BYTES; i++)
		rawfront_page(&v->f, CTRL_PAGE_KEY)[i] = i + 1;
	memcpy(ctrl_entries(v), entries, sizeof(entries));
}

static void
test_messages(void **state)
{
	const struct message *m;
	uint32_t status, answer, gref;
	struct vif *v = *state;
	char before[1024];

	fill_pages(v);
	assert_string_equal(ctrl_hash(v), HASH_NONE);
	for (m = messages; m < messages + RTE_DIM(messages); m++) {
		gref = v->f.gref[m->type == SET_KEY ? CTRL_PAGE_KEY : CTRL_PAGE_MAPPING];
		snprintf(before, sizeof(before), "%s", ctrl_hash(v));
		status = rawfront_ctrl_call(&v->f, m->type, m->page ? gref : m->data[0], m->data[1],
				m->data[2], &answer);
		if (status != m->status || answer != m->answer ||
				strcmp(ctrl_hash(v), m->hash != NULL ? m->hash : before) != 0)
			fail_msg("message %u, type %u: status %u, data %u, then %s",
					(unsigned int)(m - messages), m->type, status, answer,
					ctrl_hash(v));
	}
	vif_send_good(v);
}

/* References that cannot be copied from; the configuration stays as it is. */
static void
test_grants(void **state)
{
	struct vif *v = *state;
	char before[1024];
	unsigned int i;
	bool good;

	ctrl_set_all(v);
	snprintf(before, sizeof(before), "%s", ctrl_hash(v));
	for (i = RAWFRONT_GRANT_NONE; i < RAWFRONT_GRANTS; i++) {
		/* To be read it need not be for writing. */
		good = i == RAWFRONT_GRANT_READ_ONLY;
		if (good)
			memset(v->f.read_only, 1, 8);
		assert_int_equal(ctrl_call(v, SET_KEY, v->f.grants[i], 4, 0),
				good ? OKAY : INVALID);
		if (good)
			memset(v->f.read_only, 0, 32);
		else
			assert_string_equal(ctrl_hash(v), before);
		assert_int_equal(ctrl_call(v, SET_MAPPING, v->f.grants[i], 8, 0),
				good ? OKAY : INVALID);
		if (!good)
			assert_string_equal(ctrl_hash(v), before);
	}
	assert_non_null(strstr(ctrl_hash(v), "key 010101010000"));
	assert_non_null(strstr(ctrl_hash(v), "mapping of 8: 0 0 0 0 0 0 0 0"));
	assert_int_equal(xensim_fault_set(XENSIM_FAULT_COPY, 0, 1, 1, GNTST_general_error), 0);
	assert_int_equal(ctrl_call(v, SET_KEY, v->f.gref[CTRL_PAGE_KEY], 40, 0), INVALID);
	xensim_fault_clear();
	assert_non_null(strstr(ctrl_hash(v), "key 010101010000"));
	vif_send_good(v);
}

static uint32_t
any_number(void)
{
	uint32_t n = rand();

	return n % 2 == 0 ? n % 200 : n << 1;
}

/* As many requests as there is room for, of any kind; each is answered in its slot. */
static void
test_garbage(void **state)
{
	uint16_t types[XEN_NETIF_CTRL_RING_SIZE], first;
	struct xen_netif_ctrl_response rsp;
	struct vif *v = *state;
	unsigned int round, i;

	srand(8);
	/* The indices wrap. */
	rawfront_reset(&v->f);
	rawfront_init_rings(&v->f, UINT32_MAX - 300);
	vif_connect(v);
	for (round = 0; round < 8; round++) {
		first = v->f.ctrl_prod;
		for (i = 0; i < XEN_NETIF_CTRL_RING_SIZE; i++) {
			types[i] = rand() % 4 == 0 ? rand() : rand() % 12;
			rawfront_ctrl_put(&v->f, types[i],
					rand() % 2 == 0 ? v->f.gref[i] : (uint32_t)rand() << 1,
					any_number(), any_number());
		}
		rawfront_ctrl_push(&v->f);
		for (i = 0; i < XEN_NETIF_CTRL_RING_SIZE; i++) {
			unit_wait(rawfront_ctrl_rsp(&v->f, &rsp));
			assert_int_equal(rsp.id, (uint16_t)(first + i));
			assert_int_equal(rsp.type, types[i]);
			assert_in_range(rsp.status, OKAY, OVERFLOW);
			if (types[i] == 0 || types[i] > DEL_GRANTS)
				assert_int_equal(rsp.status, UNSUPPORTED);
			if (rsp.status != OKAY ||
					(types[i] != GET_FLAGS && types[i] != GET_SIZE &&
							types[i] != GET_GRANTS))
				assert_int_equal(rsp.data, 0);
		}
		assert_false(rawfront_ctrl_rsp(&v->f, &rsp));
	}
	vif_send_good(v);
}

/* The whole table: requests that are refused, and indices that end the vif. */
static void
test_attacks(void **state)
{
	struct xen_netif_ctrl_response rsp;
	const struct attack *a;
	struct vif *v = *state;
	uint64_t errors;

	for (a = attack_ctrl; a < attack_ctrl + attack_ctrl_nb; a++) {
		print_message("%s\n", a->name);
		errors = unit_xstat(v->port, "protocol_errors");
		attack_play(&v->f, a);
		rawfront_ctrl_push(&v->f);
		if (a->outcome == ATTACK_CLOSED) {
			vif_expect_failed(v, a->why);
			assert_int_equal(unit_xstat(v->port, "protocol_errors"), errors + 1);
			assert_int_equal(unit_maps(), 0);
			assert_int_equal(unit_ports(), 0);
			vif_reconnect(v);
		} else {
			unit_wait(rawfront_ctrl_rsp(&v->f, &rsp));
			assert_int_equal(rsp.status, a->ctrl.status);
			assert_int_equal(rsp.status == OKAY, a->outcome == ATTACK_ACCEPTED);
		}
		vif_send_good(v);
		assert_int_equal(ctrl_call(v, GET_SIZE, 0, 0, 0), OKAY);
	}
}

/*
 * A guest that never stops requesting: an evaluation answers a bounded number, others have their
 * turn, and the guest's events cost nothing, for its port stays masked meanwhile.
 */
static void
test_flood(void **state)
{
	unsigned int first, rounds, unmasked_at, answered = 0, looks = 0;
	struct xen_netif_ctrl_response rsp;
	struct vif *v = *state;
	uint64_t since;

	bystander_start();
	ctrl_call(v, GET_SIZE, 0, 0, 0);
	since = unit_now_ms();
	first = evaluated();
	unmasked_at = __atomic_load_n(&unmasked, __ATOMIC_RELAXED);
	while (answered < 4000) {
		while (v->f.ctrl_prod - v->f.ctrl_cons < XEN_NETIF_CTRL_RING_SIZE)
			rawfront_ctrl_put(&v->f, SET_SIZE, 128, 0, 0);
		rawfront_ctrl_push(&v->f);
		while (rawfront_ctrl_rsp(&v->f, &rsp)) {
			assert_int_equal(rsp.status, OKAY);
			answered++;
		}
		if (looks++ % 16 == 0)
			unit_idle();
	}
	rounds = evaluated() - first;
	assert_true(rounds >= answered / XENVIF_CTRL_ROUND -
					XEN_NETIF_CTRL_RING_SIZE / XENVIF_CTRL_ROUND);
	/* One every 5 ms at most, and some of the bystander's. */
	assert_true(rounds <= 2 * (unit_age_ms(since) / 5 + 8));
	/* The ring is never found empty but when the guest is kept from running. */
	assert_true(__atomic_load_n(&unmasked, __ATOMIC_RELAXED) - unmasked_at <= rounds);
	vif_send_good(v);
	bystander_stop();
}

/* A response is notified when the guest has asked for it, and not else. */
static void
test_notify(void **state)
{
	struct xen_netif_ctrl_response rsp;
	struct vif *v = *state;
	unsigned int i;

	ctrl_call(v, GET_SIZE, 0, 0, 0);
	while (rawfront_event(&v->f))
		;
	for (i = 0; i < 10; i++) {
		/* For the second response from here. */
		v->f.ctrl_ring->rsp_event = v->f.ctrl_cons + 2;
		ctrl_call(v, GET_SIZE, 0, 0, 0);
		assert_false(rawfront_event(&v->f));
		rawfront_ctrl_put(&v->f, GET_SIZE, 0, 0, 0);
		rawfront_ctrl_push(&v->f);
		unit_wait(rawfront_event(&v->f));
		assert_true(rawfront_ctrl_rsp(&v->f, &rsp));
	}
}

/* However many control rings there are, they take one file. */
static void
test_files(void **state)
{
	const struct vif_options plain = { .domid = 2 }, ctrl = { .domid = 2, .ctrl = true };
	static struct vif v[8];
	unsigned int i, before, of_one;

	RTE_SET_USED(state);
	before = unit_fds();
	vif_open(&v[0], &plain);
	vif_connect(&v[0]);
	of_one = unit_fds() - before;
	for (i = 1; i < RTE_DIM(v); i++) {
		vif_open(&v[i], &ctrl);
		vif_connect(&v[i]);
		assert_int_equal(unit_fds(), before + (i + 1) * of_one);
	}
	for (i = 0; i < RTE_DIM(v); i++)
		vif_close(&v[i]);
	assert_int_equal(unit_fds(), before);
}

/* What runs out at connecting is waited for; what is no ring is refused: see test_store.c. */
static void
test_shortage(void **state)
{
	struct vif *v = *state;
	unsigned int nth;

	for (nth = 2 * CTRL_QUEUES + 1; nth >= 2 * CTRL_QUEUES; nth--) {
		rawfront_reset(&v->f);
		rawfront_init_rings(&v->f, 0);
		unit_log_clear();
		assert_int_equal(xensim_fault_set(XENSIM_FAULT_BIND, 0, nth, 1, -1), 0);
		rawfront_publish(&v->f);
		rawfront_state(&v->f, XenbusStateConnected);
		unit_wait(unit_log_has("; trying on"));
		assert_int_equal(unit_maps(), 0);
		xensim_fault_clear();
		rawfront_wait(&v->f, XenbusStateConnected);
		unit_wait(unit_link(v->port));
		assert_int_equal(unit_maps(), 2 * CTRL_QUEUES + 1);
		assert_int_equal(ctrl_call(v, GET_SIZE, 0, 0, 0), OKAY);
	}
}

/* Not even for a caller that has checked nothing is anything beyond the table. */
static void
test_mapping_end(void **state __rte_unused)
{
	const uint32_t entries[2] = { 0, 0 };
	struct xen_netif_hash hash = { .cfg = { .mapping_size = XEN_HASH_MAPPING_MAX } };

	assert_int_equal(xenvif_hash_set_mapping(&hash, entries, 2, XEN_HASH_MAPPING_MAX - 1, 1),
			INVALID);
	assert_int_equal(hash.generation, 0);
	assert_int_equal(xenvif_hash_set_mapping(&hash, entries, 2, XEN_HASH_MAPPING_MAX - 2, 1),
			OKAY);
	assert_int_equal(hash.generation, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ctrl_test(test_messages),
		ctrl_test(test_grants),
		ctrl_test(test_garbage),
		ctrl_test(test_attacks),
		ctrl_test(test_flood),
		ctrl_test(test_notify),
		ctrl_test(test_files),
		ctrl_test(test_shortage),
		cmocka_unit_test(test_mapping_end),
	};

	return cmocka_run_group_tests_name("ctrlring", tests, unit_setup, unit_teardown);
}
