/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <stdio.h>

#include "pair.h"

struct pair pair;

void
pair_wait(void)
{
	unit_wait(unit_link(pair.back) && unit_link(pair.front));
}

void
pair_probe_args(unsigned int queues, const char *back, const char *front)
{
	char args[128];

	memset(&pair, 0, sizeof(pair));
	snprintf(pair.names.back, sizeof(pair.names.back), "/local/domain/0/backend/vif/0/%u",
			queues);
	snprintf(pair.names.front, sizeof(pair.names.front), "/local/domain/0/device/vif/%u",
			queues);
	pair.names.devid = queues;
	snprintf(args, sizeof(args), "domid=0,devid=%u,queues=%u%s", queues, queues, back);
	assert_int_equal(unit_probe(PAIR_BACK, args), 0);
	snprintf(args, sizeof(args), "devid=%u,queues=%u%s", queues, queues, front);
	assert_int_equal(unit_probe(PAIR_FRONT, args), 0);
	pair.back = unit_port(PAIR_BACK);
	pair.front = unit_port(PAIR_FRONT);
	rawfront_toolstack(&pair.names);
}

void
pair_probe(unsigned int queues)
{
	pair_probe_args(queues, "", "");
}

void
pair_open(unsigned int queues, uint64_t offloads)
{
	pair_probe(queues);
	unit_start(pair.back, queues, offloads, unit_pool);
	unit_start(pair.front, queues, offloads, unit_pool);
	pair_wait();
}

void
pair_close(void)
{
	unit_remove_port(PAIR_FRONT);
	unit_remove_port(PAIR_BACK);
	rawfront_toolstack_remove(&pair.names);
	assert_int_equal(unit_maps(), 0);
	assert_int_equal(unit_ports(), 0);
	assert_int_equal(unit_grants(), 0);
	unit_check_pool();
}

uint32_t
pair_seed(unsigned int queue, unsigned int n)
{
	return queue * 1000003 + n * 7919;
}

void
pair_send(struct pair_lane *lane, uint16_t port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t taken = rte_eth_tx_burst(port, queue, pkts, n);

	rte_pktmbuf_free_bulk(pkts + taken, n - taken);
	lane->sent += taken;
}

void
pair_take(struct pair_lane *lane, uint16_t port, uint16_t queue)
{
	struct rte_mbuf *pkts[PAIR_BURST];
	unsigned int i, n;

	n = rte_eth_rx_burst(port, queue, pkts, PAIR_BURST);
	for (i = 0; i < n; i++, lane->got++) {
		assert_true(lane->got < lane->sent);
		unit_check_packet(pkts[i], lane->len[lane->got], pair_seed(queue, lane->got));
		rte_pktmbuf_free(pkts[i]);
	}
}
