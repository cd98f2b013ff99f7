/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Packets to a guest in many segments, or in others than they say. */

#include "vif.h"
#include "xenvif_rxtx.h"

/* A packet of nb_segs segments that says it had others; len 0: as long as it is. */
static struct rte_mbuf *
claim(unsigned int nb_segs, uint16_t claimed, uint32_t len)
{
	struct rte_mbuf *m = unit_packet(20 * nb_segs, 20, nb_segs);

	m->nb_segs = claimed;
	if (len != 0)
		m->pkt_len = len;
	return m;
}

/*
 * The number of segments is counted, and not believed: two such packets amid good ones, of which
 * nothing is staged.
 */
static void
test_claimed_segments(void **state)
{
	static const struct {
		unsigned int nb_segs;
		uint16_t claimed;
		uint32_t len;
	} cases[] = {
		{ 480, 2, 0 },
		{ 480, 1, 0 },
		{ 480, 479, 0 },
		{ 480, 480, 0 },
		{ 480, 65535, 0 },
		{ 1000, 300, 0 },
		{ 2, 300, 0 },
		{ 2, 480, 0 },
		{ 2, 1, 0 },
		{ 2, 0, 0 },
		{ 2, 65535, 0 },
		{ 1, 0, 0 },
		{ 1, 2, 0 },
		{ 1, 65535, 0 },
		{ 2, 2, 60 },
		{ 2, 1, 60 },
		{ 480, 2, 40 },
		{ 2, 2, 20 },
	};
	struct vif *v = *state;
	struct rte_mbuf *pkts[4];
	unsigned int i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		vif_post(v, 0, 4);
		pkts[0] = unit_packet(100, 10, 2 * i);
		pkts[1] = claim(cases[i].nb_segs, cases[i].claimed, cases[i].len);
		pkts[2] = claim(cases[i].nb_segs, cases[i].claimed, cases[i].len);
		pkts[3] = unit_packet(60, UNIT_ROOM, 2 * i + 1);
		assert_int_equal(rte_eth_tx_burst(v->port, 0, pkts, 4), 4);
		vif_expect_packet(v, 0, -1, 100, 2 * i, 0);
		vif_expect_packet(v, 0, -1, 60, 2 * i + 1, 0);
		vif_expect_no_packet(v, 0);
		assert_int_equal(vif_posted(v, 0), 2 * (i + 1));
		assert_int_equal(unit_xstat(v->port, "tx_q0_bad_packet_errors"), 2 * (i + 1));
		unit_check_pool();
	}
}

/* As many segments as a packet may have, of any size, and one more. */
static void
test_most_segments(void **state)
{
	/* To as many bytes as a packet can have, nearly as many, and few. */
	static const uint16_t sizes[] = { 178, 177, 11, 1 };
	const unsigned int max = XENVIF_TX_SEGS_MAX;
	struct vif *v = *state;
	struct rte_mbuf *m;
	unsigned int i;

	for (i = 0; i < RTE_DIM(sizes); i++) {
		vif_post(v, 0, 17);
		m = unit_packet(max * sizes[i], sizes[i], i);
		assert_int_equal(m->nb_segs, max);
		assert_int_equal(rte_eth_tx_burst(v->port, 0, &m, 1), 1);
		vif_expect_packet(v, 0, -1, max * sizes[i], i, 0);
		assert_int_equal(unit_xstat(v->port, "tx_q0_bad_packet_errors"), i);
		if (sizes[i] * (max + 1) > XEN_NETIF_PKT_MAX)
			m = unit_packet(max * sizes[i] + 1, sizes[i], i);
		else
			m = unit_packet((max + 1) * sizes[i], sizes[i], i);
		assert_int_equal(m->nb_segs, max + 1);
		assert_int_equal(rte_eth_tx_burst(v->port, 0, &m, 1), 1);
		vif_expect_no_packet(v, 0);
		assert_int_equal(unit_xstat(v->port, "tx_q0_bad_packet_errors"), i + 1);
		unit_check_pool();
	}
}

/* Packets of a burst that are more segments than a batch holds: all go, whoever fills it up. */
static void
test_many_segments(void **state)
{
	static const unsigned int nb_segs[][8] = {
		{ 100, 100, 100, 100, 100, 100, 100, 100 },
		{ 1, 368, 1, 368, 1, 200, 200, 1 },
		{ 1, 1, 367, 16, 1, 352, 1, 1 },
		{ 368, 2, 368, 2, 368, 2, 1, 1 },
		{ 380, 4, 380, 4, 380, 1, 100, 300 },
	};
	struct rte_mbuf *pkts[2 * XEN_NETIF_RING_SIZE];
	struct vif *v = *state;
	unsigned int i, j, n, waits;

	for (i = 0; i < 2 * RTE_DIM(nb_segs); i++) {
		waits = i % 2;
		for (n = 0; n < 200; n++)
			pkts[n] = unit_packet(60, UNIT_ROOM, n);
		for (j = 0; j < 8; j++)
			pkts[n++] = unit_packet(17 * nb_segs[i / 2][j], 17, j);
		if (waits != 0)
			assert_int_equal(rte_eth_tx_burst(v->port, 0, pkts, n), n);
		vif_post(v, 0, XEN_NETIF_RING_SIZE);
		assert_int_equal(rte_eth_tx_burst(v->port, 0, pkts, waits ? 0 : n), waits ? 0 : n);
		for (j = 0; j < 200; j++)
			vif_expect_packet(v, 0, -1, 60, j, 0);
		for (j = 0; j < 8; j++) {
			if (nb_segs[i / 2][j] <= XENVIF_TX_SEGS_MAX)
				vif_expect_packet(v, 0, -1, 17 * nb_segs[i / 2][j], j, 0);
		}
		vif_expect_no_packet(v, 0);
		unit_check_pool();
		rawfront_reset(&v->f);
		rawfront_init_rings(&v->f, 0);
		vif_connect(v);
	}
	assert_int_equal(unit_xstat(v->port, "tx_q0_ring_full"), RTE_DIM(nb_segs));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		vif_test(test_claimed_segments),
		vif_test(test_most_segments),
		vif_test(test_many_segments),
	};

	return cmocka_run_group_tests_name("tx_segs", tests, unit_setup, unit_teardown);
}
