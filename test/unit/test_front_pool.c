/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Mbufs of net_xenfront that are too few for what its backend has sent: for now, or for ever. */

#include "rawback.h"
#include "unit.h"

#define PKTS 32
#define BIG 65535u

/* How long mbufs may be missing for a packet that the pool could hold. */
#define STARVED_MS 1000
#define SLACK_MS 500

/* Fill as many buffers as a packet needs; published by rawback_push_rx(). */
static void
put_packet(uint32_t len, uint32_t seed)
{
	uint8_t data[XEN_PAGE_BYTES];
	uint32_t done, n, i;

	for (done = 0; done < len; done += n) {
		n = RTE_MIN(len - done, XEN_PAGE_BYTES);
		for (i = 0; i < n; i++)
			data[i] = unit_byte(seed, done + i);
		rawback_fill_rx(rawback.rx_prod, 0, data, n);
		rawback_put_rx(-1, 0, done + n < len ? NETRXF_more_data : 0, n);
	}
}

/* Buffers that the frontend has posted and that nobody has filled. */
static uint32_t
buffers(void)
{
	return xen_ring_load(&rawback.rx->req_prod) - rawback.rx_prod;
}

static uint16_t
burst(struct rte_mbuf **pkts)
{
	return rte_eth_rx_burst(rawback.port, 0, pkts, PKTS);
}

static void
expect_one(uint32_t len, uint32_t seed)
{
	struct rte_mbuf *pkts[PKTS];

	assert_int_equal(burst(pkts), 1);
	unit_check_packet(pkts[0], len, seed);
	rte_pktmbuf_free(pkts[0]);
}

static void
nothing_comes(void)
{
	struct rte_mbuf *pkts[PKTS];

	assert_int_equal(burst(pkts), 0);
}

/* Lost for want of mbufs, with their buffers posted again. */
static void
expect_lost(uint64_t n)
{
	struct rte_eth_stats stats;

	assert_int_equal(rte_eth_stats_get(rawback.port, &stats), 0);
	assert_int_equal(stats.ierrors, n);
	assert_int_equal(unit_xstat(rawback.port, "rx_q0_nombuf_dropped"), n);
	assert_true(unit_link(rawback.port));
}

/* Give the port another pool. */
static void
use_pool(struct rte_mempool *pool)
{
	assert_int_equal(rte_eth_dev_stop(rawback.port), 0);
	assert_int_equal(rte_eth_rx_queue_setup(rawback.port, 0, 256, SOCKET_ID_ANY, NULL, pool),
			0);
	assert_int_equal(rte_eth_dev_start(rawback.port), 0);
	unit_wait(unit_link(rawback.port));
}

/* A burst takes mbufs for all packets there may be: a chain gets those if there are no more. */
static void
test_chain_of_most(void **state __rte_unused)
{
	static const unsigned int frees[] = { 32, 33, 40, 63, 64 };
	struct rte_mbuf *pkts[PKTS];
	unsigned int i, j, n, got;

	for (i = 0; i < RTE_DIM(frees); i++) {
		for (j = 0; j < 5; j++)
			put_packet(60, j);
		put_packet(BIG, 5);
		for (j = 6; j < 40; j++)
			put_packet(60, j);
		rawback_push_rx();
		unit_take_mbufs(frees[i]);
		for (got = 0; got < 40; got += n) {
			n = burst(pkts);
			/* None when the chain has to wait for the mbufs of those before it. */
			assert_true(n > 0 || got == 5);
			for (j = 0; j < n; j++)
				unit_check_packet(pkts[j], got + j == 5 ? BIG : 60, got + j);
			rte_pktmbuf_free_bulk(pkts, n);
		}
		unit_give_mbufs_back();
		nothing_comes();
		assert_int_equal(buffers(), XEN_NETIF_RING_SIZE);
	}
	expect_lost(0);
}

/* Packets that the pool could never hold, each between some that it can. */
static void
test_pool_too_small(void **state __rte_unused)
{
	unsigned int i, polls, got = 0;
	struct rte_mbuf *pkts[PKTS];
	struct rte_mempool *pool;
	uint16_t n, j;

	pool = rte_pktmbuf_pool_create("tiny", 24, 0, 0, 2048 + RTE_PKTMBUF_HEADROOM,
			SOCKET_ID_ANY);
	assert_non_null(pool);
	use_pool(pool);
	for (i = 0; i < 10; i++) {
		put_packet(60 + i, i);
		put_packet(i % 2 == 0 ? 24 * 2048 + 1 : BIG, 100 + i);
	}
	put_packet(60 + i, i);
	rawback_push_rx();
	for (polls = 0; got < 11; polls++) {
		assert_in_range(polls, 0, 30);
		n = burst(pkts);
		for (j = 0; j < n; j++, got++) {
			unit_check_packet(pkts[j], 60 + got, got);
			rte_pktmbuf_free(pkts[j]);
		}
	}
	expect_lost(10);
	assert_int_equal(buffers(), XEN_NETIF_RING_SIZE);
	put_packet(24 * 2048, 7);
	rawback_push_rx();
	expect_one(24 * 2048, 7);
	assert_int_equal(rte_mempool_avail_count(pool), 24);
	use_pool(unit_pool);
	rte_mempool_free(pool);
}

/*
 * Others have the mbufs for as long as they like: packets that need several are lost at last, and
 * what is behind them comes.
 */
static void
test_mbufs_kept(void **state __rte_unused)
{
	struct rte_mbuf *pkts[PKTS];
	uint64_t begun;
	bool due;

	put_packet(6000, 1);
	put_packet(9000, 2);
	put_packet(4000, 3);
	rawback_push_rx();
	unit_take_mbufs(2);
	begun = unit_now_ms();
	for (;;) {
		due = unit_age_ms(begun) > 2 * STARVED_MS + 2 * SLACK_MS;
		if (burst(pkts) != 0)
			break;
		assert_false(due);
		unit_idle();
	}
	assert_true(unit_age_ms(begun) >= STARVED_MS - SLACK_MS);
	unit_check_packet(pkts[0], 4000, 3);
	rte_pktmbuf_free(pkts[0]);
	expect_lost(2);
	unit_give_mbufs_back();
	put_packet(BIG, 4);
	rawback_push_rx();
	expect_one(BIG, 4);
}

/* They are given back in time, if the machine is not too slow to tell. */
static void
test_mbufs_come_back(void **state __rte_unused)
{
	uint64_t begun;

	put_packet(6000, 1);
	rawback_push_rx();
	unit_take_mbufs(2);
	begun = unit_now_ms();
	while (unit_age_ms(begun) < STARVED_MS / 4) {
		nothing_comes();
		unit_idle();
	}
	unit_give_mbufs_back();
	if (unit_age_ms(begun) > STARVED_MS - SLACK_MS / 2)
		return;
	expect_one(6000, 1);
	expect_lost(0);
}

/* A packet of one mbuf makes way for nothing, and so is not lost. */
static void
test_no_mbuf_at_all(void **state __rte_unused)
{
	uint64_t begun = unit_now_ms();

	put_packet(60, 1);
	rawback_push_rx();
	unit_take_mbufs(0);
	while (unit_age_ms(begun) < STARVED_MS + SLACK_MS) {
		nothing_comes();
		unit_idle();
	}
	unit_give_mbufs_back();
	expect_one(60, 1);
	expect_lost(0);
}

/*
 * Packets of all lengths through few mbufs, of which the application keeps a burst's until the next
 * has come: bursts without any are few, and all arrive.
 */
static void
test_few_mbufs(void **state __rte_unused)
{
	static const unsigned int frees[] = { 32, 40, 100 };
	struct rte_mbuf *pkts[PKTS], *kept[PKTS];
	unsigned int i, put, got, idle;
	uint16_t n, j, nb_kept;

	for (i = 0; i < RTE_DIM(frees); i++) {
		unit_take_mbufs(frees[i]);
		for (put = 0, got = 0, nb_kept = 0, idle = 0; got < 500;) {
			for (; put < 500 && buffers() >= 16; put++)
				put_packet(unit_any_len(put), put);
			rawback_push_rx();
			n = burst(pkts);
			rte_pktmbuf_free_bulk(kept, nb_kept);
			for (j = 0, nb_kept = 0; j < n; j++, got++) {
				unit_check_packet(pkts[j], unit_any_len(got), got);
				kept[nb_kept++] = pkts[j];
			}
			idle = n == 0 ? idle + 1 : 0;
			assert_in_range(idle, 0, 10);
		}
		rte_pktmbuf_free_bulk(kept, nb_kept);
		nothing_comes();
		unit_give_mbufs_back();
	}
	expect_lost(0);
}

#define fixture(fn) cmocka_unit_test_setup_teardown(fn, rawback_setup, rawback_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		fixture(test_chain_of_most),
		fixture(test_pool_too_small),
		fixture(test_mbufs_kept),
		fixture(test_mbufs_come_back),
		fixture(test_no_mbuf_at_all),
		fixture(test_few_mbufs),
	};

	return cmocka_run_group_tests_name("front_pool", tests, unit_setup, unit_teardown);
}
