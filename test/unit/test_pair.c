/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Both drivers against each other in one process and one domain, as in a PV dom0. */

#include <stdlib.h>

#include "flow.h"
#include "pair.h"

#define QUEUES_MAX 4

/* One of the ends may have fewer tx queues than rx queues. */
static void
open_queues(unsigned int queues, unsigned int txqs)
{
	const uint64_t offloads = RTE_ETH_RX_OFFLOAD_SCATTER;

	pair_probe(queues);
	unit_start_queues(pair.back, queues, txqs, offloads, unit_pool);
	unit_start_queues(pair.front, queues, txqs, offloads, unit_pool);
	pair_wait();
}

static void
send_some(struct pair_lane *lane, uint16_t port, uint16_t queue, bool chained)
{
	struct rte_mbuf *pkts[PAIR_BURST];
	unsigned int n;
	uint16_t seg;

	/* What waits for the other end holds mbufs that this needs to receive. */
	for (n = 0; n < PAIR_BURST && lane->sent + n < PAIR_FRAMES &&
			rte_mempool_avail_count(unit_pool) > UNIT_MBUFS / 2;
			n++) {
		/* Every third one is chained; a burst has to leave mbufs for the other end. */
		seg = UNIT_ROOM;
		if (chained && (lane->sent + n) % 3 == 0)
			seg = 150 + rand() % 1500;
		lane->len[lane->sent + n] = 60 + rand() % (9000 - 60 + 1);
		pkts[n] = unit_packet(lane->len[lane->sent + n], seg,
				pair_seed(queue, lane->sent + n));
	}
	pair_send(lane, port, queue, pkts, n);
}

/* Every frame arrives as it was sent, in the order of its queue. */
static void
run_frames(uint16_t from, uint16_t to, unsigned int queues, bool chained)
{
	static struct pair_lane lanes[QUEUES_MAX];
	uint64_t end = unit_now_ms() + UNIT_LIMIT_MS;
	unsigned int q, done = 0;

	memset(lanes, 0, sizeof(lanes));
	while (done < queues) {
		assert_true(unit_now_ms() < end);
		for (q = 0, done = 0; q < queues; q++) {
			send_some(&lanes[q], from, q, chained);
			pair_take(&lanes[q], to, q);
			done += lanes[q].got == PAIR_FRAMES;
		}
	}
	for (q = 0; q < queues; q++)
		assert_int_equal(lanes[q].sent, PAIR_FRAMES);
}

static void
run_pair(unsigned int queues)
{
	struct rte_eth_stats stats;

	srand(queues);
	pair_open(queues, RTE_ETH_RX_OFFLOAD_SCATTER);
	run_frames(pair.front, pair.back, queues, false);
	run_frames(pair.back, pair.front, queues, false);
	run_frames(pair.front, pair.back, queues, true);
	run_frames(pair.back, pair.front, queues, true);
	assert_int_equal(rte_eth_stats_get(pair.back, &stats), 0);
	assert_int_equal(stats.ipackets, 2 * PAIR_FRAMES * queues);
	assert_int_equal(stats.opackets, 2 * PAIR_FRAMES * queues);
	assert_int_equal(stats.ierrors + stats.oerrors, 0);
	assert_int_equal(rte_eth_stats_get(pair.front, &stats), 0);
	assert_int_equal(stats.ipackets, 2 * PAIR_FRAMES * queues);
	assert_int_equal(stats.opackets, 2 * PAIR_FRAMES * queues);
	assert_int_equal(stats.ierrors + stats.oerrors, 0);
	pair_close();
}

static void
test_one_queue(void **state __rte_unused)
{
	run_pair(1);
}

static void
test_four_queues(void **state __rte_unused)
{
	run_pair(4);
}

/* Either port goes and comes back, and the frames go on. */
static void
test_restarts(void **state __rte_unused)
{
	unsigned int i;

	pair_open(2, RTE_ETH_RX_OFFLOAD_SCATTER);
	for (i = 0; i < 10; i++) {
		assert_int_equal(rte_eth_dev_stop(i % 2 == 0 ? pair.front : pair.back), 0);
		assert_int_equal(rte_eth_dev_start(i % 2 == 0 ? pair.front : pair.back), 0);
		pair_wait();
		run_frames(pair.front, pair.back, 1, true);
	}
	for (i = 0; i < 5; i++) {
		unit_remove_port(PAIR_FRONT);
		unit_wait(!unit_link(pair.back));
		assert_int_equal(unit_grants(), 0);
		assert_int_equal(unit_probe(PAIR_FRONT, "devid=2,queues=2"), 0);
		pair.front = unit_port(PAIR_FRONT);
		unit_start(pair.front, 2, RTE_ETH_RX_OFFLOAD_SCATTER, unit_pool);
		pair_wait();
		run_frames(pair.back, pair.front, 2, false);
	}
	pair_close();
}

/* libxl's detach, with a guest that plays its part. */
static void
test_detach(void **state __rte_unused)
{
	pair_open(1, RTE_ETH_RX_OFFLOAD_SCATTER);
	rawfront_detach(&pair.names);
	rawfront_wait(&pair.names, XenbusStateClosed);
	unit_wait(!unit_link(pair.front));
	unit_wait(atoi(unit_read("%s/state", pair.names.front)) == XenbusStateClosed);
	assert_int_equal(unit_maps(), 0);
	assert_int_equal(unit_grants(), 0);
	rawfront_toolstack_remove(&pair.names);
	rawfront_toolstack(&pair.names);
	pair_wait();
	run_frames(pair.front, pair.back, 1, false);
	pair_close();
}

/* Two segments that claim to be one go as that one, and both mbufs come back. */
static void
test_claimed_segment(void **state __rte_unused)
{
	struct rte_mbuf *m;
	unsigned int i;

	pair_open(1, RTE_ETH_RX_OFFLOAD_SCATTER);
	for (i = 0; i < 2; i++) {
		m = unit_packet(100, 50, i);
		assert_int_equal(m->nb_segs, 2);
		m->nb_segs = 1;
		m->pkt_len = m->data_len;
		assert_int_equal(rte_eth_tx_burst(i == 0 ? pair.front : pair.back, 0, &m, 1), 1);
		unit_wait(rte_eth_rx_burst(i == 0 ? pair.back : pair.front, 0, &m, 1) == 1);
		assert_int_equal(m->pkt_len, 50);
		rte_pktmbuf_free(m);
		unit_check_pool();
	}
	pair_close();
}

static void
take_flows(struct flows *f, uint16_t port)
{
	uint8_t flat[FRAME_MAX];
	struct rte_mbuf *pkts[PAIR_BURST];
	unsigned int queue, i, n;

	for (queue = 0; queue < 4; queue++) {
		n = rte_eth_rx_burst(port, queue, pkts, PAIR_BURST);
		for (i = 0; i < n; i++)
			flow_see(f, rte_pktmbuf_read(pkts[i], 0, pkts[i]->pkt_len, flat),
					pkts[i]->pkt_len, queue);
		rte_pktmbuf_free_bulk(pkts, n);
	}
}

/*
 * Many flows by few tx queues through four rings, which are taken from in their turn: what a burst
 * does not take is what was last, and goes in the next one.
 */
static void
run_flows(uint16_t from, uint16_t to, unsigned int txqs)
{
	struct rte_mbuf *pkts[2][4 * PAIR_BURST];
	unsigned int round, flow, q, refused = 0;
	uint16_t nb[2] = { 0 }, taken;
	static struct flows f;

	flow_init(&f);
	for (round = 0; round < 600; round++) {
		for (q = 0; q < txqs; q++) {
			/* The last rounds send and take what is left. */
			while (round < 500 && nb[q] < RTE_DIM(pkts[q]) &&
					rte_mempool_avail_count(unit_pool) > UNIT_MBUFS / 4) {
				flow = rand() % (FLOW_MAX / txqs) * txqs + q;
				pkts[q][nb[q]++] = flow_next(&f, flow);
			}
			taken = rte_eth_tx_burst(from, q, pkts[q], nb[q]);
			nb[q] -= taken;
			refused += nb[q];
			memmove(pkts[q], pkts[q] + taken, nb[q] * sizeof(pkts[q][0]));
		}
		if (round % 3 == 0 || round >= 500)
			take_flows(&f, to);
	}
	flow_check(&f, 4);
	assert_true(refused > 0);
}

static void
test_flows(void **state __rte_unused)
{
	unsigned int txqs;

	srand(6);
	for (txqs = 1; txqs <= 2; txqs++) {
		open_queues(4, txqs);
		run_flows(pair.front, pair.back, txqs);
		run_flows(pair.back, pair.front, txqs);
		pair_close();
	}
}

/* Who probes a frontend may read at once which MAC address the toolstack has given it. */
static void
test_mac_at_once(void **state __rte_unused)
{
	const struct rte_ether_addr wanted = { { 0x00, 0x16, 0x3E, 0x0A, 0x0B, 0x0C } };
	struct rte_ether_addr mac;
	unsigned int i;

	pair_probe(1);
	unit_write("00:16:3e:0a:0b:0c", "%s/mac", pair.names.front);
	for (i = 0; i < 20; i++) {
		unit_remove_port(PAIR_FRONT);
		assert_int_equal(unit_probe(PAIR_FRONT, "devid=1"), 0);
		assert_int_equal(rte_eth_macaddr_get(unit_port(PAIR_FRONT), &mac), 0);
		assert_true(rte_is_same_ether_addr(&mac, &wanted));
	}
	pair_close();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_queue),
		cmocka_unit_test(test_four_queues),
		cmocka_unit_test(test_restarts),
		cmocka_unit_test(test_detach),
		cmocka_unit_test(test_claimed_segment),
		cmocka_unit_test(test_flows),
		cmocka_unit_test(test_mac_at_once),
	};

	return cmocka_run_group_tests_name("pair", tests, unit_setup, unit_teardown);
}
