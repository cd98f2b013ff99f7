/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Mempools whose pages are granted, and what net_xenfront receives into them. */

#include <errno.h>

#include <rte_errno.h>

#include "frame.h"
#include "granted.h"
#include "rawback.h"
#include "unit.h"

#define PKTS 32

/* Fewer than a ring has slots. */
static struct rte_mempool *
make_small_pool(void)
{
	struct rte_mempool *pool = granted_pool("granted", 100, GRANTED_ROOM);

	assert_non_null(pool);
	return pool;
}

static int
setup_small(void **state __rte_unused)
{
	rawback_setup_pool(false, GRANTED_ARGS, make_small_pool);
	return 0;
}

static int
setup_plain(void **state __rte_unused)
{
	rawback_setup_pool(false, GRANTED_ARGS, NULL);
	return 0;
}

static uint64_t
rx_references(void)
{
	return unit_xstat(rawback.port, "rx_q0_by_reference");
}

/* An mbuf's page is its own, and the mbuf is elsewhere. */
static void
test_pool(void **state __rte_unused)
{
	static struct rte_mbuf *all[GRANTED_MBUFS];
	unsigned int i, n = granted_available();
	const char *why;

	assert_int_equal(rte_eth_dev_pool_ops_supported(rawback.port, GRANTED_OPS), 0);
	assert_int_equal(rte_eth_dev_pool_ops_supported(rawback.port, "ring_mp_mc"), 1);
	assert_int_equal(rte_pktmbuf_alloc_bulk(rawback.pool, all, n), 0);
	for (i = 0; i < n; i++) {
		assert_int_equal((uintptr_t)all[i]->buf_addr % XEN_PAGE_BYTES, 0);
		assert_int_equal(all[i]->buf_len, XEN_PAGE_BYTES);
		assert_int_equal(all[i]->data_off, RTE_PKTMBUF_HEADROOM);
		assert_true((uintptr_t)all[i] - (uintptr_t)all[i]->buf_addr >= XEN_PAGE_BYTES);
		assert_true((uintptr_t)all[i]->shinfo - (uintptr_t)all[i]->buf_addr >=
				XEN_PAGE_BYTES);
		assert_int_equal(rte_mbuf_check(all[i], 1, &why), 0);
		memset(all[i]->buf_addr, i, XEN_PAGE_BYTES);
	}
	for (i = 0; i < n; i++)
		assert_int_equal(((uint8_t *)all[i]->buf_addr)[XEN_PAGE_BYTES - 1], (uint8_t)i);
	rte_pktmbuf_free_bulk(all, n);
	granted_expect(0);
}

static void
expect_refused(struct rte_mempool *pool, int err, const char *line)
{
	assert_null(pool);
	assert_int_equal(rte_errno, err);
	unit_assert_log(line);
}

/* What cannot be had is said in a line, and leaves nothing. */
static void
test_refused(void **state __rte_unused)
{
	uint64_t grants = unit_grants();

	expect_refused(granted_pool("large", 1025, GRANTED_ROOM), ENOSPC,
			"mempool large: 1025 pages are more than the argument granted of the ports "
			"has left: 1024");
	expect_refused(granted_pool("wide", 10, XEN_PAGE_BYTES + 1), EINVAL,
			"mempool wide: a data room of 4097 bytes is more than a page: at most "
			"4096");
	expect_refused(granted_pool("narrow", 10, 0), EINVAL,
			"mempool narrow: xenfront_granted is for mbufs with data");
	assert_int_equal(unit_grants(), grants);
	rawback.pool = granted_pool("most", 1024, GRANTED_ROOM);
	assert_non_null(rawback.pool);
	expect_refused(granted_pool("more", 1, GRANTED_ROOM), ENOSPC, "has left: 0");
	assert_int_equal(unit_grants(), grants + 1024);
}

/* Buffers that the frontend has posted and that nobody has filled. */
static uint32_t
buffers(void)
{
	return xen_ring_load(&rawback.rx->req_prod) - rawback.rx_prod;
}

static void
put_one(uint16_t len, uint16_t offset, uint32_t seed)
{
	granted_put(&len, &offset, 1, seed);
}

static uint16_t
burst(struct rte_mbuf **pkts)
{
	rawback_push_rx();
	return rte_eth_rx_burst(rawback.port, 0, pkts, PKTS);
}

/* Packets come in the page that they were put into, at the response's offset. */
static void
test_rx(void **state __rte_unused)
{
	struct rte_mbuf *pkts[PKTS];
	uint32_t gref, slot;
	unsigned int i, j, n;

	for (i = 0; i < 3 * XEN_NETIF_RING_SIZE; i += n) {
		n = 1 + i % PKTS;
		slot = rawback.rx_prod & XEN_NETIF_RING_MASK;
		gref = rawback.rx->ring[slot].req.gref;
		for (j = 0; j < n; j++)
			put_one(60 + i + j, (i + j) % 100 * 2, i + j);
		assert_int_equal(burst(pkts), n);
		for (j = 0; j < n; j++) {
			unit_check_packet(pkts[j], 60 + i + j, i + j);
			assert_int_equal(pkts[j]->data_off, (i + j) % 100 * 2);
			assert_ptr_equal(pkts[j]->pool, rawback.pool);
		}
		/* What the backend writes there later is seen: nothing was copied. */
		pkts[0]->data_off = 0;
		rawback_read(gref, &j, 1);
		*(uint8_t *)pkts[0]->buf_addr ^= 0xFF;
		rawback_read(gref, (uint8_t *)&j + 1, 1);
		assert_int_equal((j & 0xFF) ^ (j >> 8 & 0xFF), 0xFF);
		granted_expect(n);
		assert_int_equal(buffers(), XEN_NETIF_RING_SIZE);
		rte_pktmbuf_free_bulk(pkts, n);
		granted_expect(0);
	}
	assert_int_equal(rx_references(), i);
}

static void
expect_packet(uint32_t len, uint32_t seed, unsigned int segs)
{
	struct rte_mbuf *pkts[PKTS];

	assert_int_equal(burst(pkts), 1);
	unit_check_packet(pkts[0], len, seed);
	assert_int_equal(pkts[0]->nb_segs, segs);
	rte_pktmbuf_free(pkts[0]);
	granted_expect(0);
	assert_int_equal(buffers(), XEN_NETIF_RING_SIZE);
}

static void
test_rx_chains(void **state __rte_unused)
{
	static const uint16_t lens[] = { 4096, 4096, 100 }, offsets[] = { 0, 0, 3996 };
	static const uint16_t few[] = { 100, 1500 }, empty[] = { 1000, 0, 1000 };
	static const uint16_t nowhere[] = { 0, 0, 0 };

	granted_put(lens, offsets, 3, 1);
	expect_packet(8292, 1, 3);
	assert_int_equal(rx_references(), 3);
	granted_put(empty, nowhere, 3, 2);
	expect_packet(2000, 2, 2);
	assert_int_equal(rx_references(), 5);
	/* Headers are looked for in the first mbuf: it has enough of them. */
	granted_put(few, nowhere, 2, 3);
	expect_packet(1600, 3, 1);
	assert_int_equal(rx_references(), 5);
	/* More than the mbufs of a mempool are said to have. */
	put_one(4096, 0, 4);
	expect_packet(4096, 4, 1);
	assert_int_equal(rx_references(), 6);
	put_one(2050, 2046, 5);
	expect_packet(2050, 5, 1);
	assert_int_equal(rx_references(), 7);
	/* Headers are at even addresses, as applications read them. */
	put_one(100, 1, 6);
	expect_packet(100, 6, 1);
	put_one(2049, 2047, 7);
	expect_packet(2049, 7, 2);
	assert_int_equal(rx_references(), 7);
}

/* A blank checksum is finished in the backend's page, or the mbuf is there for the next packet. */
static void
test_rx_blank(void **state __rte_unused)
{
	static struct frame f = { .payload = 1000 };
	struct rte_mbuf *pkts[PKTS];
	unsigned int i;

	frame_make(&f);
	for (i = 0; i < 2 * XEN_NETIF_RING_SIZE; i++) {
		rawback_fill_rx(rawback.rx_prod, 2 * (i % 50), f.data, f.len);
		rawback_put_rx(-1, 2 * (i % 50), NETRXF_csum_blank | NETRXF_data_validated, f.len);
		put_one(100, 0, i);
		/* No TCP. */
		rawback.rx->ring[(rawback.rx_prod - 1) & XEN_NETIF_RING_MASK].rsp.flags =
				NETRXF_csum_blank;
		put_one(100, 0, i);
		assert_int_equal(burst(pkts), 2);
		assert_true((pkts[0]->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_GOOD) != 0);
		assert_int_equal(pkts[0]->data_off, 2 * (i % 50));
		frame_check_finished(&f, pkts[0]);
		unit_check_packet(pkts[1], 100, i);
		rte_pktmbuf_free_bulk(pkts, 2);
		granted_expect(0);
	}
	assert_int_equal(unit_xstat(rawback.port, "rx_q0_csum_unparsed_errors"), i);
	assert_int_equal(rx_references(), 3 * i);
	assert_int_equal(buffers(), XEN_NETIF_RING_SIZE);
}

/* Nobody but the application has the mbufs: packets wait for them, and none is lost. */
static void
test_rx_nombuf(void **state __rte_unused)
{
	static const uint16_t lens[] = { 3000, 3000 }, offsets[] = { 0, 0 };
	static struct rte_mbuf *all[GRANTED_MBUFS];
	unsigned int n = granted_available();
	struct rte_mbuf *pkts[PKTS];
	struct rte_eth_stats stats;

	assert_int_equal(rte_pktmbuf_alloc_bulk(rawback.pool, all, n), 0);
	put_one(60, 0, 1);
	granted_put(lens, offsets, 2, 2);
	assert_int_equal(burst(pkts), 0);
	assert_int_equal(rte_eth_stats_get(rawback.port, &stats), 0);
	assert_true(stats.rx_nombuf > 0);
	rte_pktmbuf_free(all[--n]);
	assert_int_equal(burst(pkts), 1);
	unit_check_packet(pkts[0], 60, 1);
	rte_pktmbuf_free(pkts[0]);
	/* The next one needs two. */
	assert_int_equal(burst(pkts), 0);
	rte_pktmbuf_free(all[--n]);
	assert_int_equal(burst(pkts), 1);
	unit_check_packet(pkts[0], 6000, 2);
	assert_int_equal(pkts[0]->nb_segs, 2);
	rte_pktmbuf_free(pkts[0]);
	rte_pktmbuf_free_bulk(all, n);
	granted_expect(0);
	assert_int_equal(rte_eth_stats_get(rawback.port, &stats), 0);
	assert_int_equal(stats.ierrors, 0);
}

/* What the backend says of a buffer leads to no byte outside it. */
static void
test_rx_breaches(void **state __rte_unused)
{
	static const struct {
		int id;
		uint16_t offset;
		uint16_t flags;
		int16_t status;
		const char *why;
	} cases[] = {
		{ 5, 0, 0, 60, "response with the id of another slot" },
		{ 0xFFFF, 0, 0, 60, "response with the id of another slot" },
		{ -1, 4000, 0, 97, "response past the end of its page" },
		{ -1, 0xFFFF, 0, 60, "response past the end of its page" },
		{ -1, 0, 0, 0x7FFF, "response past the end of its page" },
		{ -1, 0, NETRXF_more_data, 4096, "packet past the end of the responses" },
	};
	struct rte_mbuf *pkts[PKTS];
	unsigned int i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		put_one(100, 0, i);
		rawback_put_rx(cases[i].id, cases[i].offset, cases[i].flags, cases[i].status);
		assert_int_equal(burst(pkts), 1);
		unit_check_packet(pkts[0], 100, i);
		assert_int_equal(burst(pkts + 1), 0);
		rte_pktmbuf_free(pkts[0]);
		granted_expect_broken(cases[i].why);
	}
	put_one(100, 0, i);
	expect_packet(100, i, 1);
}

/* A ring that would take more mbufs than there are has pages of its own. */
static void
test_few_mbufs(void **state __rte_unused)
{
	struct rte_mbuf *pkts[PKTS];
	struct netif_tx_request req;

	unit_assert_log("queue 0: its mempool has not the 256 mbufs that the ring takes: packets "
			"are copied into it");
	assert_int_equal(granted_available(), 100);
	put_one(100, 0, 1);
	assert_int_equal(burst(pkts), 1);
	unit_check_packet(pkts[0], 100, 1);
	assert_int_equal(rx_references(), 0);
	/* It can be sent without a copy all the same. */
	assert_int_equal(rte_eth_tx_burst(rawback.port, 0, pkts, 1), 1);
	assert_int_equal(unit_xstat(rawback.port, "tx_q0_by_reference"), 1);
	req = rawback.tx->ring[rawback.tx_cons++ & XEN_NETIF_RING_MASK].req;
	rawback_tx_answer(req.id, NETIF_RSP_OKAY);
	assert_int_equal(rte_eth_tx_done_cleanup(rawback.port, 0, 0), 1);
	assert_int_equal(granted_available(), 100);
}

#define fixture(fn) cmocka_unit_test_setup_teardown(fn, granted_setup, rawback_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		fixture(test_pool),
		cmocka_unit_test_setup_teardown(test_refused, setup_plain, rawback_teardown),
		fixture(test_rx),
		fixture(test_rx_chains),
		fixture(test_rx_blank),
		fixture(test_rx_nombuf),
		fixture(test_rx_breaches),
		cmocka_unit_test_setup_teardown(test_few_mbufs, setup_small, rawback_teardown),
	};

	return cmocka_run_group_tests_name("front_granted", tests, unit_setup, unit_teardown);
}
