/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Packets wait in the tx descriptors while the guest has posted too few buffers. */

#include <stdlib.h>

#include "lane.h"

#define DESCS 256

/*
 * Posts and bursts of any size in any order: what waits goes first, and a burst is not taken whole
 * when the descriptors are used up and at no other time.
 */
static void
test_order(void **state)
{
	struct vif *v = *state;
	struct lane lane = { .v = v };
	unsigned int step, what;
	uint16_t n, taken;

	srand(1);
	for (step = 0; step < 20000; step++) {
		what = rand() % 8;
		/* Or what waits for more than is posted is dropped when the machine is slow. */
		if (what < 2 || vif_posted(v, 0) != 0)
			vif_post(v, 0,
					RTE_MIN(1u + rand() % 30,
							XEN_NETIF_RING_SIZE - vif_posted(v, 0)));
		if (what < 5) {
			n = rand() % 32;
			taken = lane_send(&lane, 0, n);
			lane_take(&lane);
			if (taken < n)
				assert_int_equal(lane.made - lane.got, DESCS);
		} else if (what == 5) {
			vif_flush_by_tx(v, 0);
		} else {
			vif_flush_by_rx(v, 0);
		}
		lane_take(&lane);
		assert_in_range(lane.made - lane.got, 0, DESCS);
	}
	lane_drain(&lane, 0);
	assert_true(lane.got > 10000);
	vif_expect_sent(v, lane.got, 0);
}

/* Packets wait in each of the guest's queues; any burst of any queue sends them all. */
static void
check_flush(unsigned int guest, unsigned int app)
{
	const struct vif_options options = { .queues = guest, .app_queues = app };
	struct lane lanes[RAWFRONT_QUEUES_MAX];
	unsigned int i, how;
	struct vif v;

	vif_open(&v, &options);
	vif_connect(&v);
	memset(lanes, 0, sizeof(lanes));
	for (how = 0; how < 2 * app; how++) {
		for (i = 0; i < guest; i++) {
			lanes[i].v = &v;
			lanes[i].queue = i;
			assert_int_equal(lane_send(&lanes[i], i % app, 10), 10);
			vif_expect_no_packet(&v, i);
			vif_post(&v, i, 60);
		}
		if (how < app)
			vif_flush_by_rx(&v, how);
		else
			vif_flush_by_tx(&v, how - app);
		for (i = 0; i < guest; i++) {
			assert_int_equal(lane_take(&lanes[i]), 10);
			vif_expect_no_packet(&v, i);
		}
		/* Begin with nothing posted again. */
		rawfront_reset(&v.f);
		rawfront_init_rings(&v.f, 0);
		vif_connect(&v);
	}
	vif_expect_sent(&v, 10 * guest * 2 * app, 0);
	vif_close(&v);
	unit_check_pool();
}

static void
test_flush(void **state __rte_unused)
{
	check_flush(1, 1);
	check_flush(1, 3);
	check_flush(4, 4);
	check_flush(4, 2);
	check_flush(4, 1);
}

/* A burst for one ring sends what waits for another: there may be no burst of the other kind. */
static void
test_flush_by_others(void **state __rte_unused)
{
	const struct vif_options options = { .queues = 4 };
	struct lane waits = { .queue = 3, .small = true }, other = { .queue = 1, .small = true };
	struct vif v;

	vif_open(&v, &options);
	vif_connect(&v);
	waits.v = other.v = &v;
	assert_int_equal(lane_send(&waits, 0, 5), 5);
	vif_post(&v, 3, 5);
	vif_post(&v, 1, 1);
	assert_int_equal(lane_send(&other, 0, 1), 1);
	assert_int_equal(lane_take(&other), 1);
	assert_int_equal(lane_take(&waits), 5);
	vif_close(&v);
	unit_check_pool();
}

/* As many packets wait as there are descriptors: one mbuf as often as it is wanted. */
static void
check_descriptors(uint16_t nb_desc, unsigned int want)
{
	const struct vif_options options = { 0 };
	unsigned int sent = 0, arrived, n;
	struct rte_mbuf *pkts[512], *m;
	struct vif v;

	vif_open(&v, &options);
	vif_set_tx_descs(&v, 0, nb_desc);
	vif_connect(&v);
	m = unit_packet(100, UNIT_ROOM, nb_desc);
	rte_mbuf_refcnt_update(m, want + 1000);
	for (n = 0; n < RTE_DIM(pkts); n++)
		pkts[n] = m;
	while ((n = rte_eth_tx_burst(v.port, 0, pkts, RTE_DIM(pkts))) != 0)
		sent += n;
	assert_int_equal(sent, want);
	assert_int_equal(rte_eth_tx_burst(v.port, 0, pkts, 1), 0);
	/* A buffer makes room for a packet. */
	vif_post(&v, 0, 1);
	assert_int_equal(rte_eth_tx_burst(v.port, 0, pkts, 2), 1);
	sent++;
	for (arrived = 0; arrived < sent; arrived++) {
		if (vif_posted(&v, 0) == 0 && !vif_has_packet(&v, 0)) {
			vif_post(&v, 0, 100);
			vif_flush_by_rx(&v, 0);
		}
		vif_expect_packet(&v, 0, -1, 100, nb_desc, 0);
	}
	vif_expect_no_packet(&v, 0);
	vif_expect_sent(&v, sent, 0);
	assert_int_equal(rte_mbuf_refcnt_read(m), 1000);
	rte_mbuf_refcnt_set(m, 1);
	rte_pktmbuf_free(m);
	vif_close(&v);
	unit_check_pool();
}

static void
test_descriptors(void **state __rte_unused)
{
	check_descriptors(1, 1);
	check_descriptors(64, 64);
	check_descriptors(256, 256);
	check_descriptors(2048, 2048);
	/* What ethdev takes when it is not said. */
	check_descriptors(0, 256);
}

/* Who needs mbufs back has sent what can be. */
static void
test_cleanup(void **state)
{
	struct vif *v = *state;
	struct rte_mbuf *pkts[3];
	unsigned int i;

	for (i = 0; i < 3; i++)
		pkts[i] = unit_packet(100, UNIT_ROOM, i);
	assert_int_equal(rte_eth_tx_done_cleanup(v->port, 0, 0), 0);
	assert_int_equal(rte_eth_tx_burst(v->port, 0, pkts, 3), 3);
	assert_int_equal(rte_eth_tx_done_cleanup(v->port, 0, 0), 0);
	vif_post(v, 0, 2);
	assert_int_equal(rte_eth_tx_done_cleanup(v->port, 0, 0), 2);
	vif_post(v, 0, 2);
	assert_int_equal(rte_eth_tx_done_cleanup(v->port, 0, 8), 1);
	for (i = 0; i < 3; i++)
		vif_expect_packet(v, 0, -1, 100, i, 0);
	vif_expect_no_packet(v, 0);
	vif_expect_sent(v, 3, 0);
}

/* The guest neglects one of its queues: the others get theirs, and in order. */
static void
test_neglected_queue(void **state __rte_unused)
{
	const struct vif_options options = { .queues = 4 };
	unsigned int neglected, i, round;
	struct lane lanes[4];
	struct vif v;

	vif_open(&v, &options);
	vif_connect(&v);
	memset(lanes, 0, sizeof(lanes));
	for (neglected = 0; neglected < 4; neglected++) {
		for (round = 0; round < 60; round++) {
			for (i = 0; i < 4; i++) {
				lanes[i].v = &v;
				lanes[i].queue = i;
				if (i != neglected && vif_posted(&v, i) < 64)
					vif_post(&v, i, 64);
				assert_int_equal(lane_send(&lanes[i], 0, 4), 4);
			}
			for (i = 0; i < 4; i++) {
				if (i != neglected)
					assert_int_equal(lane_take(&lanes[i]), 4);
			}
		}
		for (i = 0; i < 4; i++)
			lane_drain(&lanes[i], 0);
	}
	vif_expect_sent(&v, 4 * 60 * 4 * 4, 0);
	vif_close(&v);
	unit_check_pool();
}

/* Packets that cannot be sent wait for their turn like any other, and are counted once. */
static void
test_bad_ones_wait(void **state)
{
	struct vif *v = *state;
	struct lane lane = { .v = v, .small = true };
	struct rte_mbuf *m;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		assert_int_equal(lane_send(&lane, 0, 5), 5);
		m = unit_packet(13, UNIT_ROOM, 0);
		assert_int_equal(rte_eth_tx_burst(v->port, 0, &m, 1), 1);
	}
	vif_flush_by_rx(v, 0);
	assert_int_equal(vif_tx_stat(v, 0, "bad_packet_errors"), 0);
	lane_drain(&lane, 0);
	vif_flush_by_rx(v, 0);
	assert_int_equal(vif_tx_stat(v, 0, "bad_packet_errors"), 3);
	vif_expect_sent(v, 15, 3);
}

/* Buffers that cannot be written, found when packets have waited for them. */
static void
test_copy_errors(void **state)
{
	struct netif_rx_response rsp;
	struct vif *v = *state;
	struct lane lane = { .v = v, .small = true };
	unsigned int i;

	assert_int_equal(lane_send(&lane, 0, 40), 40);
	vif_blank_pages(v);
	for (i = 0; i < 40; i++)
		rawfront_rx_put(&v->f, 0, i, i % 4 == 1 ? 60000 : v->f.gref[i]);
	rawfront_rx_push(&v->f, 0);
	vif_flush_by_rx(v, 0);
	for (i = 0; i < 40; i++) {
		if (i % 4 == 1) {
			assert_true(rawfront_rx_rsp(&v->f, 0, &rsp));
			assert_int_equal(rsp.id, i);
			assert_int_equal(rsp.status, NETIF_RSP_ERROR);
		} else {
			vif_expect_packet(v, 0, i, lane_len(&lane, i), lane_seed(&lane, i), 0);
		}
	}
	vif_expect_no_packet(v, 0);
	assert_int_equal(vif_tx_stat(v, 0, "copy_errors"), 10);
	vif_expect_sent(v, 30, 10);
	unit_check_pool();
}

/* The statistics begin anew while packets wait: these are counted when they go. */
static void
test_reset_of_statistics(void **state)
{
	struct vif *v = *state;
	struct lane lane = { .v = v };

	vif_post(v, 0, 100);
	assert_int_equal(lane_send(&lane, 0, 100), 100);
	lane_take(&lane);
	assert_int_equal(rte_eth_stats_reset(v->port), 0);
	vif_expect_sent(v, 0, 0);
	lane_drain(&lane, 0);
	assert_true(lane.got == 100);
	assert_int_equal(rte_eth_stats_reset(v->port), 0);
	assert_int_equal(lane_send(&lane, 0, 100), 100);
	lane_drain(&lane, 0);
	vif_expect_sent(v, 100, 0);
}

/* One mbuf waits for two guests at once, and each gets it when it likes. */
static void
test_shared(void **state)
{
	const struct vif_options options = { .domid = 2 };
	struct rte_mbuf *pkts[20];
	struct vif *v = *state, w;
	unsigned int i;

	vif_open(&w, &options);
	vif_connect(&w);
	for (i = 0; i < 20; i++) {
		pkts[i] = unit_packet(100 + 500 * i, 1000, i);
		rte_pktmbuf_refcnt_update(pkts[i], 1);
	}
	assert_int_equal(rte_eth_tx_burst(v->port, 0, pkts, 20), 20);
	assert_int_equal(rte_eth_tx_burst(w.port, 0, pkts, 20), 20);
	vif_post(&w, 0, 60);
	vif_flush_by_rx(&w, 0);
	for (i = 0; i < 20; i++) {
		vif_expect_packet(&w, 0, -1, 100 + 500 * i, i, 0);
		unit_check_packet(pkts[i], 100 + 500 * i, i);
		assert_int_equal(rte_mbuf_refcnt_read(pkts[i]), 1);
	}
	vif_close(&w);
	vif_post(v, 0, 60);
	vif_flush_by_tx(v, 0);
	for (i = 0; i < 20; i++)
		vif_expect_packet(v, 0, -1, 100 + 500 * i, i, 0);
	vif_expect_no_packet(v, 0);
	unit_check_pool();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		vif_test(test_order),
		cmocka_unit_test(test_flush),
		cmocka_unit_test(test_flush_by_others),
		cmocka_unit_test(test_descriptors),
		vif_test(test_cleanup),
		cmocka_unit_test(test_neglected_queue),
		vif_test(test_bad_ones_wait),
		vif_test(test_copy_errors),
		vif_test(test_reset_of_statistics),
		vif_test(test_shared),
	};

	return cmocka_run_group_tests_name("tx_wait", tests, unit_setup, unit_teardown);
}
