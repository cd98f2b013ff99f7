/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Both drivers against each other in one process and one domain, as in a PV dom0. */

#include <stdlib.h>

#include "pair.h"

#define FRAMES 2000
#define BURST 32
#define QUEUES_MAX 4

/* Seeds of frames under way, by queue, and how many went in and came out. */
struct lane {
	uint32_t len[FRAMES];
	unsigned int sent;
	unsigned int got;
};

static uint32_t
seed_of(unsigned int queue, unsigned int n)
{
	return queue * 1000003 + n * 7919;
}

static void
send_some(struct lane *lane, uint16_t port, uint16_t queue, bool chained)
{
	struct rte_mbuf *pkts[BURST];
	unsigned int n, taken;
	uint16_t seg;

	/* What waits for the other end holds mbufs that this needs to receive. */
	for (n = 0; n < BURST && lane->sent + n < FRAMES &&
			rte_mempool_avail_count(unit_pool) > UNIT_MBUFS / 2;
			n++) {
		/* Every third one is chained; a burst has to leave mbufs for the other end. */
		seg = UNIT_ROOM;
		if (chained && (lane->sent + n) % 3 == 0)
			seg = 150 + rand() % 1500;
		lane->len[lane->sent + n] = 60 + rand() % (9000 - 60 + 1);
		pkts[n] = unit_packet(lane->len[lane->sent + n], seg,
				seed_of(queue, lane->sent + n));
	}
	taken = rte_eth_tx_burst(port, queue, pkts, n);
	rte_pktmbuf_free_bulk(pkts + taken, n - taken);
	lane->sent += taken;
}

static void
take_some(struct lane *lane, uint16_t port, uint16_t queue)
{
	struct rte_mbuf *pkts[BURST];
	unsigned int i, n;

	n = rte_eth_rx_burst(port, queue, pkts, BURST);
	for (i = 0; i < n; i++, lane->got++) {
		assert_true(lane->got < lane->sent);
		unit_check_packet(pkts[i], lane->len[lane->got], seed_of(queue, lane->got));
		rte_pktmbuf_free(pkts[i]);
	}
}

/* Every frame arrives as it was sent, in the order of its queue. */
static void
run_frames(uint16_t from, uint16_t to, unsigned int queues, bool chained)
{
	static struct lane lanes[QUEUES_MAX];
	uint64_t end = unit_now_ms() + UNIT_LIMIT_MS;
	unsigned int q, done = 0;

	memset(lanes, 0, sizeof(lanes));
	while (done < queues) {
		assert_true(unit_now_ms() < end);
		for (q = 0, done = 0; q < queues; q++) {
			send_some(&lanes[q], from, q, chained);
			take_some(&lanes[q], to, q);
			done += lanes[q].got == FRAMES;
		}
	}
	for (q = 0; q < queues; q++)
		assert_int_equal(lanes[q].sent, FRAMES);
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
	assert_int_equal(stats.ipackets, 2 * FRAMES * queues);
	assert_int_equal(stats.opackets, 2 * FRAMES * queues);
	assert_int_equal(stats.ierrors + stats.oerrors, 0);
	assert_int_equal(rte_eth_stats_get(pair.front, &stats), 0);
	assert_int_equal(stats.ipackets, 2 * FRAMES * queues);
	assert_int_equal(stats.opackets, 2 * FRAMES * queues);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_queue),
		cmocka_unit_test(test_four_queues),
		cmocka_unit_test(test_restarts),
		cmocka_unit_test(test_detach),
	};

	return cmocka_run_group_tests_name("pair", tests, unit_setup, unit_teardown);
}
