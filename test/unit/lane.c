/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include "lane.h"
#include "xen_flow.h"

#define BURST_MAX 512

uint32_t
lane_seed(const struct lane *lane, uint32_t n)
{
	return lane->queue * 1000003 + n * 7919;
}

uint32_t
lane_len(const struct lane *lane, uint32_t n)
{
	if (lane->small || n % 5 != 0)
		return 60 + n * 31 % 1455;
	return n % 45 == 0 ? 20000 + n % 50 : 4000 + n * 13 % 5000;
}

/* Set a hash that the queue follows from. */
static void
choose_queue(struct rte_mbuf *m, const struct lane *lane)
{
	m->ol_flags |= RTE_MBUF_F_RX_RSS_HASH;
	m->hash.rss = 0;
	while (xen_flow_queue(m, lane->v->f.nb_queues) != lane->queue)
		m->hash.rss++;
}

struct rte_mbuf *
lane_next(struct lane *lane)
{
	uint32_t n = lane->made++;
	struct rte_mbuf *m;

	m = unit_packet(lane_len(lane, n), n % 7 == 3 ? 333 : UNIT_ROOM, lane_seed(lane, n));
	choose_queue(m, lane);
	return m;
}

void
lane_unmake(struct lane *lane, struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t i;

	lane->made -= n;
	for (i = 0; i < n; i++)
		unit_check_packet(pkts[i], lane_len(lane, lane->made + i),
				lane_seed(lane, lane->made + i));
	rte_pktmbuf_free_bulk(pkts, n);
}

uint16_t
lane_send(struct lane *lane, uint16_t txq, uint16_t n)
{
	struct rte_mbuf *pkts[BURST_MAX];
	uint16_t i, taken;

	assert_in_range(n, 0, BURST_MAX);
	for (i = 0; i < n; i++)
		pkts[i] = lane_next(lane);
	taken = rte_eth_tx_burst(lane->v->port, txq, pkts, n);
	lane_unmake(lane, pkts + taken, n - taken);
	return taken;
}

unsigned int
lane_take(struct lane *lane)
{
	unsigned int n = 0;

	while (vif_has_packet(lane->v, lane->queue)) {
		assert_true(lane->got < lane->made);
		vif_expect_packet(lane->v, lane->queue, -1, lane_len(lane, lane->got),
				lane_seed(lane, lane->got), 0);
		lane->got++;
		n++;
	}
	return n;
}

void
lane_drain(struct lane *lane, uint16_t rxq)
{
	struct rte_mbuf *none;

	while (lane->got < lane->made) {
		if (vif_posted(lane->v, lane->queue) < 20)
			vif_post(lane->v, lane->queue, 20);
		assert_int_equal(rte_eth_rx_burst(lane->v->port, rxq, &none, 1), 0);
		assert_true(lane_take(lane) > 0);
	}
}
