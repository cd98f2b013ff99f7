/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Notifications of a guest that are held back, and how each of them comes to its end. */

#include "vif.h"

/* So long that only what is to end it does. */
#define LONG "[4,1000000]"
#define SHORT "[4,1]"

static void
open_vif(struct vif *v, const char *args)
{
	const struct vif_options options = { .args = args };

	vif_open(v, &options);
	vif_connect(v);
	rawfront_rx_post(&v->f, 0, 0, 200);
	rawfront_event(&v->f);
}

static void
send_some(struct vif *v, unsigned int n)
{
	struct rte_mbuf *pkts[32];
	unsigned int i;

	for (i = 0; i < n; i++)
		pkts[i] = unit_packet(60, UNIT_ROOM, i);
	assert_int_equal(rte_eth_tx_burst(v->port, 0, pkts, n), n);
}

/* The guest takes what there is, and asks for an event for what comes next. */
static void
take(struct vif *v)
{
	struct netif_rx_response rsp;

	while (rawfront_rx_rsp(&v->f, 0, &rsp))
		;
	__atomic_store_n(&v->f.q[0].rx->rsp_event, v->f.q[0].rx_cons + 1, __ATOMIC_SEQ_CST);
}

static uint64_t
stat_of(struct vif *v, const char *name)
{
	return vif_tx_stat(v, 0, name);
}

static void
poll_rx(struct vif *v)
{
	struct rte_mbuf *m;

	assert_int_equal(rte_eth_rx_burst(v->port, 0, &m, 1), 0);
}

static void
test_count(void **state __rte_unused)
{
	struct vif v;

	open_vif(&v, ",notify=" LONG);
	send_some(&v, 1);
	send_some(&v, 2);
	poll_rx(&v);
	assert_false(rawfront_event(&v.f));
	send_some(&v, 1);
	assert_true(rawfront_event(&v.f));
	assert_int_equal(stat_of(&v, "notify_full"), 1);
	/* Not asked for anew. */
	send_some(&v, 10);
	assert_false(rawfront_event(&v.f));
	take(&v);
	send_some(&v, 5);
	assert_true(rawfront_event(&v.f));
	assert_int_equal(stat_of(&v, "notify_sent"), 2);
	vif_close(&v);
}

/* By a burst of either direction, and by nobody's. */
static void
test_time(void **state __rte_unused)
{
	struct vif v;

	open_vif(&v, ",notify=" SHORT);
	send_some(&v, 1);
	unit_wait((poll_rx(&v), rawfront_event(&v.f)));
	take(&v);
	send_some(&v, 1);
	unit_wait((send_some(&v, 0), rawfront_event(&v.f)));
	take(&v);
	send_some(&v, 1);
	unit_wait(rawfront_event(&v.f));
	take(&v);
	assert_int_equal(stat_of(&v, "notify_late"), 3);
	assert_int_equal(stat_of(&v, "notify_sent"), 3);
	vif_close(&v);
}

/* The guest has seen by itself what it would have been told. */
static void
test_cancelled(void **state __rte_unused)
{
	struct vif v;
	unsigned int i;

	/* Unless the test is kept from running for longer than the notification. */
	open_vif(&v, ",notify=[4,5000]");
	for (i = 1; i <= 10; i++) {
		send_some(&v, 1);
		take(&v);
		unit_wait((poll_rx(&v),
				stat_of(&v, "notify_cancelled") + stat_of(&v, "notify_sent") == i));
	}
	assert_in_range(stat_of(&v, "notify_cancelled"), 1, 10);
	assert_true(rawfront_event(&v.f) == (stat_of(&v, "notify_sent") != 0));
	vif_close(&v);
	/* And what comes then has its own time. */
	open_vif(&v, ",notify=" LONG);
	send_some(&v, 3);
	take(&v);
	send_some(&v, 3);
	assert_false(rawfront_event(&v.f));
	send_some(&v, 1);
	assert_true(rawfront_event(&v.f));
	vif_close(&v);
}

static void
test_few_buffers(void **state __rte_unused)
{
	struct vif v;

	open_vif(&v, ",notify=" LONG);
	send_some(&v, 32);
	take(&v);
	rawfront_event(&v.f);
	send_some(&v, 32);
	send_some(&v, 32);
	send_some(&v, 32);
	take(&v);
	rawfront_event(&v.f);
	/* 72 buffers are left; from 63 on it is told at once. */
	send_some(&v, 3);
	assert_false(rawfront_event(&v.f));
	take(&v);
	send_some(&v, 3);
	assert_false(rawfront_event(&v.f));
	take(&v);
	send_some(&v, 3);
	assert_true(rawfront_event(&v.f));
	vif_close(&v);
}

/* The port stops, its link is set down, the guest goes: nothing that was sent is kept back. */
static void
test_ends(void **state __rte_unused)
{
	struct vif v;

	open_vif(&v, ",notify=" LONG);
	send_some(&v, 1);
	assert_int_equal(rte_eth_dev_set_link_down(v.port), 0);
	assert_true(rawfront_event(&v.f));
	assert_int_equal(rte_eth_dev_set_link_up(v.port), 0);
	unit_wait(unit_link(v.port));
	take(&v);
	send_some(&v, 1);
	vif_reconnect(&v);
	rawfront_rx_post(&v.f, 0, 0, 200);
	rawfront_event(&v.f);
	/* Nothing of before the reconnection comes late. */
	poll_rx(&v);
	assert_false(rawfront_event(&v.f));
	send_some(&v, 4);
	assert_true(rawfront_event(&v.f));
	take(&v);
	send_some(&v, 1);
	assert_false(rawfront_event(&v.f));
	assert_int_equal(rte_eth_dev_stop(v.port), 0);
	assert_true(rawfront_event(&v.f));
	vif_close(&v);
}

/* A guest that breaks the protocol while something is held back. */
static void
test_broken(void **state __rte_unused)
{
	struct rte_mbuf *m = unit_packet(60, UNIT_ROOM, 0);
	struct vif v;

	open_vif(&v, ",notify=" LONG);
	send_some(&v, 1);
	v.f.q[0].rx->req_prod += 1000;
	assert_int_equal(rte_eth_tx_burst(v.port, 0, &m, 1), 0);
	rte_pktmbuf_free(m);
	poll_rx(&v);
	vif_expect_failed(&v, "req_prod");
	vif_reconnect(&v);
	rawfront_rx_post(&v.f, 0, 0, 200);
	rawfront_event(&v.f);
	send_some(&v, 4);
	assert_true(rawfront_event(&v.f));
	vif_close(&v);
}

/* What is done with the guest's requests, too. */
static void
test_done(void **state __rte_unused)
{
	struct rte_mbuf *pkts[8];
	struct vif v;
	unsigned int i;

	open_vif(&v, ",notify=" LONG);
	for (i = 0; i < 4; i++) {
		assert_false(rawfront_event(&v.f));
		vif_put(&v, i, 0, 60, 0, i);
		assert_int_equal(vif_burst(&v, pkts, 8), 1);
		rte_pktmbuf_free(pkts[0]);
		/* Published at once. */
		vif_expect_rsp(&v, i, NETIF_RSP_OKAY);
	}
	assert_true(rawfront_event(&v.f));
	assert_int_equal(unit_xstat(v.port, "rx_q0_notify_full"), 1);
	vif_close(&v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_cancelled),
		cmocka_unit_test(test_few_buffers),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_done),
	};

	return cmocka_run_group_tests_name("notify_ring", tests, unit_setup, unit_teardown);
}
