/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Both drivers against each other, with a frontend whose mempool is granted to the backend. */

#include <stdlib.h>

#include "pair.h"

#define QUEUES_MAX 4
#define MBUFS 4096u
#define ARGS ",granted=32"

static struct rte_mempool *granted;

static struct rte_mempool *
make_pool(void)
{
	return rte_pktmbuf_pool_create_by_ops("granted", MBUFS, 0, 0,
			UNIT_ROOM + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY, "xenfront_granted");
}

static void
open_pair(unsigned int queues, const char *back, uint64_t offloads)
{
	pair_probe_args(queues, back, ARGS);
	/* The control thread has to see the vif first. */
	unit_wait((granted = make_pool()) != NULL);
	unit_start(pair.back, queues, offloads, unit_pool);
	unit_start(pair.front, queues, offloads, granted);
	pair_wait();
}

/* The mempool goes after the port, or before. */
static void
close_pair(bool pool_first)
{
	if (pool_first) {
		assert_int_equal(rte_eth_dev_stop(pair.front), 0);
		rte_mempool_free(granted);
		pair_close();
		return;
	}
	unit_remove_port(PAIR_FRONT);
	assert_int_equal(rte_mempool_avail_count(granted), MBUFS);
	assert_int_equal(unit_grants(), MBUFS);
	rte_mempool_free(granted);
	assert_int_equal(unit_grants(), 0);
	unit_remove_port(PAIR_BACK);
	rawfront_toolstack_remove(&pair.names);
	assert_int_equal(unit_maps(), 0);
	assert_int_equal(unit_ports(), 0);
	unit_check_pool();
}

/* A packet with mbufs of either mempool, or of both. */
static struct rte_mbuf *
any_packet(uint32_t len, uint16_t seg, uint32_t seed, bool front)
{
	uint32_t half = len / 2;
	struct rte_mbuf *m;

	if (!front || seed % 4 == 0)
		return unit_packet(len, seg, seed);
	if (seed % 4 != 1)
		return unit_packet_of(granted, len, seg, seed);
	m = unit_packet_of(granted, half, seg, seed);
	assert_int_equal(rte_pktmbuf_chain(m, unit_packet(len - half, seg, seed + half)), 0);
	return m;
}

static bool
have_mbufs(void)
{
	return rte_mempool_avail_count(unit_pool) > UNIT_MBUFS / 2 &&
			rte_mempool_avail_count(granted) > MBUFS / 4;
}

static void
send_some(struct pair_lane *lane, uint16_t port, uint16_t queue)
{
	struct rte_mbuf *pkts[PAIR_BURST];
	unsigned int n, at;
	uint16_t seg;

	for (n = 0; n < PAIR_BURST && lane->sent + n < PAIR_FRAMES && have_mbufs(); n++) {
		at = lane->sent + n;
		seg = at % 3 == 0 ? 150u + rand() % 1500 : UNIT_ROOM;
		lane->len[at] = at % 2 == 0 ? 60u + rand() % 9000 : 60u + rand() % 100;
		pkts[n] = any_packet(lane->len[at], seg, pair_seed(queue, at), port == pair.front);
	}
	pair_send(lane, port, queue, pkts, n);
	/* Nobody else would, when there are no mbufs to send. */
	rte_eth_tx_done_cleanup(port, queue, 0);
}

/* The frontend sends what it has received, in the same mbufs. */
static void
turn_round(uint16_t queue)
{
	static struct rte_mbuf *kept[QUEUES_MAX][PAIR_BURST];
	static uint16_t nb_kept[QUEUES_MAX];
	uint16_t n;

	if (nb_kept[queue] == 0)
		nb_kept[queue] = rte_eth_rx_burst(pair.front, queue, kept[queue], PAIR_BURST);
	n = rte_eth_tx_burst(pair.front, queue, kept[queue], nb_kept[queue]);
	nb_kept[queue] -= n;
	memmove(kept[queue], kept[queue] + n, nb_kept[queue] * sizeof(kept[queue][0]));
	rte_eth_tx_done_cleanup(pair.front, queue, 0);
}

/* Every frame arrives as it was sent, in the order of its queue. */
static void
run_frames(uint16_t from, uint16_t to, unsigned int queues)
{
	static struct pair_lane lanes[QUEUES_MAX];
	uint64_t end = unit_now_ms() + UNIT_LIMIT_MS;
	unsigned int q, done = 0;

	memset(lanes, 0, sizeof(lanes));
	while (done < queues) {
		assert_true(unit_now_ms() < end);
		for (q = 0, done = 0; q < queues; q++) {
			send_some(&lanes[q], from, q);
			if (from == to)
				turn_round(q);
			pair_take(&lanes[q], to, q);
			done += lanes[q].got == PAIR_FRAMES;
		}
	}
}

static void
run_all(unsigned int queues)
{
	run_frames(pair.front, pair.back, queues);
	run_frames(pair.back, pair.front, queues);
	run_frames(pair.back, pair.back, queues);
}

static void
run_pair(unsigned int queues, const char *back)
{
	struct rte_eth_stats stats;

	srand(queues);
	open_pair(queues, back, RTE_ETH_RX_OFFLOAD_SCATTER);
	run_all(queues);
	assert_int_equal(rte_eth_stats_get(pair.front, &stats), 0);
	assert_int_equal(stats.ipackets, 2 * PAIR_FRAMES * queues);
	assert_int_equal(stats.opackets, 2 * PAIR_FRAMES * queues);
	assert_int_equal(stats.ierrors + stats.oerrors, 0);
	assert_true(unit_xstat(pair.front, "rx_q0_by_reference") > PAIR_FRAMES);
	assert_true(unit_xstat(pair.front, "tx_q0_by_reference") > PAIR_FRAMES);
	assert_true(unit_xstat(pair.front, "tx_q0_slots") >
			unit_xstat(pair.front, "tx_q0_by_reference"));
	close_pair(false);
}

static void
test_one_queue(void **state __rte_unused)
{
	run_pair(1, "");
}

static void
test_four_queues(void **state __rte_unused)
{
	run_pair(4, "");
}

/* A port that gives a packet one mbuf has those of several slots copied. */
static void
test_no_scatter(void **state __rte_unused)
{
	struct rte_mbuf *m;
	unsigned int i;

	open_pair(1, "", 0);
	for (i = 0; i < 2000; i++) {
		m = unit_packet(60 + i % 1900, UNIT_ROOM, i);
		assert_int_equal(rte_eth_tx_burst(pair.back, 0, &m, 1), 1);
		unit_wait(rte_eth_rx_burst(pair.front, 0, &m, 1) == 1);
		unit_check_packet(m, 60 + i % 1900, i);
		assert_int_equal(m->nb_segs, 1);
		rte_pktmbuf_free(m);
	}
	close_pair(true);
}

/* Once its pages are registered, what is in them crosses without a grant copy. */
static void
test_static(void **state __rte_unused)
{
	struct rte_mbuf *m;
	unsigned int i;

	open_pair(1, "", RTE_ETH_RX_OFFLOAD_SCATTER);
	unit_wait(unit_xstat(pair.front, "rx_q0_registered_pages") == MBUFS);
	for (i = 0; i < 2000; i++) {
		m = unit_packet_of(granted, 60 + i % 9000, 60 + i % 2000, i);
		assert_int_equal(rte_eth_tx_burst(pair.front, 0, &m, 1), 1);
		unit_wait(rte_eth_rx_burst(pair.back, 0, &m, 1) == 1);
		unit_check_packet(m, 60 + i % 9000, i);
		assert_int_equal(rte_eth_tx_burst(pair.back, 0, &m, 1), 1);
		unit_wait(rte_eth_rx_burst(pair.front, 0, &m, 1) == 1);
		unit_check_packet(m, 60 + i % 9000, i);
		rte_pktmbuf_free(m);
		rte_eth_tx_done_cleanup(pair.front, 0, 0);
	}
	assert_true(unit_xstat(pair.back, "rx_q0_static_copies") >= 2000);
	assert_true(unit_xstat(pair.back, "tx_q0_static_copies") >= 2000);
	assert_int_equal(unit_xstat(pair.back, "rx_q0_copy_ops"), 0);
	assert_int_equal(unit_xstat(pair.back, "tx_q0_copy_ops"), 0);
	close_pair(false);
}

/* Either port goes and comes back, and the frames go on. */
static void
test_restarts(void **state __rte_unused)
{
	unsigned int i;

	open_pair(2, "", RTE_ETH_RX_OFFLOAD_SCATTER);
	for (i = 0; i < 6; i++) {
		assert_int_equal(rte_eth_dev_stop(i % 2 == 0 ? pair.front : pair.back), 0);
		assert_int_equal(rte_eth_dev_start(i % 2 == 0 ? pair.front : pair.back), 0);
		pair_wait();
		run_frames(pair.front, pair.back, 1);
		run_frames(pair.back, pair.back, 1);
	}
	for (i = 0; i < 3; i++) {
		unit_remove_port(PAIR_BACK);
		assert_int_equal(unit_probe(PAIR_BACK, "domid=0,devid=2,queues=2"), 0);
		pair.back = unit_port(PAIR_BACK);
		unit_start(pair.back, 2, RTE_ETH_RX_OFFLOAD_SCATTER, unit_pool);
		pair_wait();
		run_frames(pair.back, pair.back, 2);
	}
	for (i = 0; i < 3; i++) {
		unit_remove_port(PAIR_FRONT);
		assert_int_equal(rte_mempool_avail_count(granted), MBUFS);
		assert_int_equal(unit_grants(), MBUFS);
		assert_int_equal(unit_probe(PAIR_FRONT, "devid=2,queues=2" ARGS), 0);
		pair.front = unit_port(PAIR_FRONT);
		unit_start(pair.front, 2, RTE_ETH_RX_OFFLOAD_SCATTER, granted);
		pair_wait();
		run_frames(pair.back, pair.back, 2);
	}
	close_pair(false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_queue),
		cmocka_unit_test(test_four_queues),
		cmocka_unit_test(test_no_scatter),
		cmocka_unit_test(test_static),
		cmocka_unit_test(test_restarts),
	};

	return cmocka_run_group_tests_name("pair_granted", tests, unit_setup, unit_teardown);
}
