/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Mbufs that are too few for what a guest transmits: for now, or for ever. */

#include "vif.h"

#define PKTS 32

/* How long mbufs may be missing for a packet that the pool could hold. */
#define STARVED_MS 1000
#define SLACK_MS 500

#define BIG 65535u

/* No mbufs: the packets stay on the ring, and none is lost or out of order. */
static void
test_no_mbufs(void **state)
{
	static const unsigned int left[] = { 0, 1, 2, 7 };
	struct rte_mbuf *pkts[PKTS], *rest[PKTS];
	struct vif *v = *state;
	unsigned int i, j, want;

	for (i = 0; i < RTE_DIM(left); i++) {
		for (j = 0; j < 10; j++)
			vif_put(v, j, 0, 100 + j, 0, j);
		unit_take_mbufs(left[i]);
		want = left[i];
		assert_int_equal(vif_burst(v, pkts, PKTS), want);
		assert_int_equal(rte_eth_rx_burst(v->port, 0, rest, PKTS), 0);
		unit_give_mbufs_back();
		for (j = 0; j < want; j++)
			vif_expect_rsp(v, j, NETIF_RSP_OKAY);
		vif_expect_no_rsp(v);
		assert_int_equal(rte_eth_rx_burst(v->port, 0, pkts + want, PKTS - want), 10 - want);
		for (j = 0; j < 10; j++)
			unit_check_packet(pkts[j], 100 + j, vif_seed(j));
		rte_pktmbuf_free_bulk(pkts, 10);
		for (j = want; j < 10; j++)
			vif_expect_rsp(v, j, NETIF_RSP_OKAY);
		vif_expect_no_rsp(v);
		unit_check_pool();
	}
}

/* A chain that would need one mbuf more than there is waits whole. */
static void
test_no_mbufs_chain(void **state)
{
	struct vif *v = *state;
	struct rte_eth_stats stats;
	struct rte_mbuf *m;

	vif_put(v, 0, 0, 6000, NETTXF_more_data, 0);
	vif_put(v, 1, 0, 3000, 0, 1);
	unit_take_mbufs(2);
	assert_int_equal(vif_burst(v, &m, 1), 0);
	assert_int_equal(rte_mempool_avail_count(unit_pool), 2);
	unit_give_mbufs_back();
	vif_expect_no_rsp(v);
	assert_int_equal(rte_eth_rx_burst(v->port, 0, &m, 1), 1);
	assert_int_equal(m->pkt_len, 6000);
	assert_int_equal(m->nb_segs, 3);
	rte_pktmbuf_free(m);
	vif_expect_rsp(v, 0, NETIF_RSP_OKAY);
	vif_expect_rsp(v, 1, NETIF_RSP_OKAY);
	assert_int_equal(rte_eth_stats_get(v->port, &stats), 0);
	assert_true(stats.rx_nombuf > 0);
}

/* Put a packet of any length that begins in a page of the guest; how many slots it is. */
static unsigned int
put_long(struct vif *v, unsigned int page, uint32_t len, uint16_t id)
{
	uint32_t left, n, size = len;
	unsigned int slots = 0;

	for (left = len; left != 0; left -= n, size = left, slots++) {
		n = RTE_MIN(left, XEN_PAGE_BYTES);
		vif_put(v, page + slots, 0, slots == 0 ? size : n, left > n ? NETTXF_more_data : 0,
				id + slots);
	}
	return slots;
}

static void
expect_rsps(struct vif *v, uint16_t id, unsigned int slots, int16_t status)
{
	unsigned int i;

	for (i = 0; i < slots; i++)
		vif_expect_rsp(v, id + i, status);
}

/* The next burst has this packet alone, and it is answered. */
static void
expect_one(struct vif *v, unsigned int page, uint32_t len, uint16_t id)
{
	struct rte_mbuf *m;

	assert_int_equal(rte_eth_rx_burst(v->port, 0, &m, 1), 1);
	unit_check_packet(m, len, vif_seed(page));
	rte_pktmbuf_free(m);
	expect_rsps(v, id, (len + XEN_PAGE_BYTES - 1) / XEN_PAGE_BYTES, NETIF_RSP_OKAY);
	vif_expect_no_rsp(v);
}

static void
expect_lost(const struct vif *v, uint64_t n)
{
	struct rte_eth_stats stats;

	assert_int_equal(rte_eth_stats_get(v->port, &stats), 0);
	assert_int_equal(stats.ierrors, n);
	assert_int_equal(unit_xstat(v->port, "rx_q0_nombuf_dropped"), n);
}

static void
nothing_comes(const struct vif *v)
{
	struct rte_mbuf *none;

	assert_int_equal(rte_eth_rx_burst(v->port, 0, &none, 1), 0);
}

/* Packets that the pool could never hold, each between some that it can. */
static void
test_pool_too_small(void **state __rte_unused)
{
	struct vif_options options = { .offloads = RTE_ETH_RX_OFFLOAD_SCATTER };
	unsigned int i, slots, polls, got = 0;
	struct rte_mbuf *pkts[PKTS];
	uint16_t n, j;
	struct vif v;

	options.pool = rte_pktmbuf_pool_create("tiny", 24, 0, 0, 2048 + RTE_PKTMBUF_HEADROOM,
			SOCKET_ID_ANY);
	assert_non_null(options.pool);
	vif_open(&v, &options);
	vif_connect(&v);
	for (i = 0; i < 10; i++) {
		vif_put(&v, i, 0, 60 + i, 0, 1000 + i);
		/* The least that is too much, and the most that there is. */
		slots = put_long(&v, 20, i % 2 == 0 ? 24 * 2048 + 1 : BIG, i * 20);
		assert_in_range(slots, 13, 16);
	}
	vif_put(&v, i, 0, 60 + i, 0, 1000 + i);
	rawfront_tx_push(&v.f, 0);
	for (polls = 0; got < 11; polls++) {
		/* Each packet that is lost may cost a burst: the mbufs before it are not back. */
		assert_in_range(polls, 0, 30);
		n = rte_eth_rx_burst(v.port, 0, pkts, PKTS);
		for (j = 0; j < n; j++, got++) {
			unit_check_packet(pkts[j], 60 + got, vif_seed(got));
			rte_pktmbuf_free(pkts[j]);
		}
	}
	expect_lost(&v, 10);
	for (i = 0; i < 10; i++) {
		vif_expect_rsp(&v, 1000 + i, NETIF_RSP_OKAY);
		expect_rsps(&v, i * 20, i % 2 == 0 ? 13 : 16, NETIF_RSP_ERROR);
	}
	vif_expect_rsp(&v, 1010, NETIF_RSP_OKAY);
	vif_expect_no_rsp(&v);
	/* What fits exactly is received. */
	put_long(&v, 20, 24 * 2048, 7);
	rawfront_tx_push(&v.f, 0);
	expect_one(&v, 20, 24 * 2048, 7);
	assert_int_equal(rte_mempool_avail_count(options.pool), 24);
	vif_close(&v);
	rte_mempool_free(options.pool);
}

/* Others have the mbufs for as long as they like: a packet that needs several is lost at last. */
static void
test_mbufs_kept(void **state)
{
	struct vif *v = *state;
	uint64_t begun;
	bool due;

	put_long(v, 0, 6000, 0);
	put_long(v, 10, 9000, 10);
	put_long(v, 20, 4000, 20);
	rawfront_tx_push(&v->f, 0);
	unit_take_mbufs(2);
	begun = unit_now_ms();
	for (;;) {
		due = unit_age_ms(begun) > 2 * STARVED_MS + 2 * SLACK_MS;
		nothing_comes(v);
		if (unit_xstat(v->port, "rx_q0_nombuf_dropped") == 2)
			break;
		assert_false(due);
		unit_idle();
	}
	/* Each of them has had its second. */
	assert_true(unit_age_ms(begun) >= 2 * STARVED_MS - SLACK_MS);
	expect_rsps(v, 0, 2, NETIF_RSP_ERROR);
	expect_rsps(v, 10, 3, NETIF_RSP_ERROR);
	expect_one(v, 20, 4000, 20);
	expect_lost(v, 2);
	unit_give_mbufs_back();
}

/* They are given back in time, if the machine is not too slow to tell. */
static void
test_mbufs_come_back(void **state)
{
	struct vif *v = *state;
	uint64_t begun;

	put_long(v, 0, 6000, 0);
	rawfront_tx_push(&v->f, 0);
	unit_take_mbufs(2);
	begun = unit_now_ms();
	while (unit_age_ms(begun) < STARVED_MS / 4) {
		nothing_comes(v);
		unit_idle();
	}
	unit_give_mbufs_back();
	if (unit_age_ms(begun) > STARVED_MS - SLACK_MS / 2)
		return;
	expect_one(v, 0, 6000, 0);
	expect_lost(v, 0);
}

/* A packet of one mbuf makes way for nothing, and so is not lost. */
static void
test_no_mbuf_at_all(void **state)
{
	struct vif *v = *state;
	uint64_t begun = unit_now_ms();

	put_long(v, 0, 60, 0);
	rawfront_tx_push(&v->f, 0);
	unit_take_mbufs(0);
	while (unit_age_ms(begun) < STARVED_MS + SLACK_MS) {
		nothing_comes(v);
		unit_idle();
	}
	vif_expect_no_rsp(v);
	unit_give_mbufs_back();
	expect_one(v, 0, 60, 0);
	expect_lost(v, 0);
}

/* A new guest's packet has a second of its own, also in the slot where the old one's was. */
static void
test_second_guest(void **state)
{
	struct vif *v = *state;
	uint64_t begun;

	unit_take_mbufs(2);
	put_long(v, 0, 6000, 0);
	rawfront_tx_push(&v->f, 0);
	begun = unit_now_ms();
	nothing_comes(v);
	rawfront_reset(&v->f);
	rawfront_init_rings(&v->f, 0);
	vif_connect(v);
	while (unit_age_ms(begun) < STARVED_MS + SLACK_MS)
		unit_idle();
	put_long(v, 0, 6000, 0);
	rawfront_tx_push(&v->f, 0);
	nothing_comes(v);
	vif_expect_no_rsp(v);
	unit_give_mbufs_back();
	expect_one(v, 0, 6000, 0);
	expect_lost(v, 0);
}

#define FEW_PACKETS 2000
#define FEW_PAGES 400

static bool
room_for_one(const struct vif *v)
{
	return v->f.q[0].tx_prod - v->f.q[0].tx_cons <= XEN_NETIF_RING_SIZE - 16;
}

/* The number of the next packet from n on that a pool of so many mbufs can hold. */
static unsigned int
next_held(unsigned int n, unsigned int mbufs)
{
	while (n < FEW_PACKETS && unit_any_len(n) > mbufs * 2048)
		n++;
	return n;
}

/*
 * Packets of all lengths through few mbufs, of which the application may keep a burst's until the
 * next has come: bursts without any are few, and all packets arrive that the pool can hold.
 */
static void
check_few(unsigned int mbufs, uint16_t burst, bool keeps)
{
	struct vif_options options = { .offloads = RTE_ETH_RX_OFFLOAD_SCATTER };
	unsigned int put = 0, next, idle = 0, got = 0;
	struct rte_mbuf *pkts[PKTS], *kept[PKTS];
	struct netif_tx_response rsp;
	uint16_t n, i, nb_kept = 0;
	struct vif v;

	options.pool = rte_pktmbuf_pool_create("few", mbufs, 0, 0, 2048 + RTE_PKTMBUF_HEADROOM,
			SOCKET_ID_ANY);
	assert_non_null(options.pool);
	vif_open(&v, &options);
	vif_connect(&v);
	next = next_held(0, mbufs);
	while (next < FEW_PACKETS) {
		for (; put < FEW_PACKETS && room_for_one(&v); put++)
			put_long(&v, put % FEW_PAGES, unit_any_len(put), 0);
		rawfront_tx_push(&v.f, 0);
		n = rte_eth_rx_burst(v.port, 0, pkts, burst);
		rte_pktmbuf_free_bulk(kept, nb_kept);
		for (i = 0, nb_kept = 0; i < n; i++, got++) {
			unit_check_packet(pkts[i], unit_any_len(next), vif_seed(next % FEW_PAGES));
			next = next_held(next + 1, mbufs);
			if (keeps)
				kept[nb_kept++] = pkts[i];
			else
				rte_pktmbuf_free(pkts[i]);
		}
		while (rawfront_tx_rsp(&v.f, 0, &rsp))
			;
		idle = n == 0 ? idle + 1 : 0;
		assert_in_range(idle, 0, 10);
	}
	rte_pktmbuf_free_bulk(kept, nb_kept);
	for (i = 0; i < 10; i++)
		nothing_comes(&v);
	expect_lost(&v, FEW_PACKETS - got);
	assert_int_equal(rte_mempool_avail_count(options.pool), mbufs);
	vif_close(&v);
	rte_mempool_free(options.pool);
}

static void
test_few_mbufs(void **state __rte_unused)
{
	check_few(24, PKTS, false);
	check_few(24, PKTS, true);
	check_few(32, PKTS, true);
	check_few(40, PKTS, false);
	check_few(40, 4, true);
	check_few(40, 1, false);
	check_few(100, PKTS, true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		vif_test(test_no_mbufs),
		vif_test_scatter(test_no_mbufs_chain),
		cmocka_unit_test(test_pool_too_small),
		vif_test_scatter(test_mbufs_kept),
		vif_test_scatter(test_mbufs_come_back),
		vif_test_scatter(test_no_mbuf_at_all),
		vif_test_scatter(test_second_guest),
		cmocka_unit_test(test_few_mbufs),
	};

	return cmocka_run_group_tests_name("rx_pool", tests, unit_setup, unit_teardown);
}
