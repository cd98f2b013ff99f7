/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include "bystander.h"
#include "vif.h"

#define ROUND 16

static struct vif vif;
static unsigned long packets;

static void
run_rx(void)
{
	struct rte_mbuf *pkts[ROUND];
	unsigned int i;

	for (i = 0; i < ROUND; i++)
		vif_put(&vif, i, i, 60 + i, 0, packets + i);
	assert_int_equal(vif_burst(&vif, pkts, ROUND), ROUND);
	for (i = 0; i < ROUND; i++) {
		unit_check_packet(pkts[i], 60 + i, vif_seed(i) + i);
		vif_expect_rsp(&vif, packets + i, NETIF_RSP_OKAY);
	}
	rte_pktmbuf_free_bulk(pkts, ROUND);
}

static void
run_tx(void)
{
	struct netif_rx_response rsp;
	struct rte_mbuf *pkts[ROUND];
	unsigned int i, j;

	rawfront_rx_post(&vif.f, 0, 100, ROUND);
	for (i = 0; i < ROUND; i++)
		pkts[i] = unit_packet(100, UNIT_ROOM, packets + i);
	assert_int_equal(rte_eth_tx_burst(vif.port, 0, pkts, ROUND), ROUND);
	for (i = 0; i < ROUND; i++) {
		assert_true(rawfront_rx_rsp(&vif.f, 0, &rsp));
		assert_int_equal(rsp.id, 100 + i);
		assert_int_equal(rsp.status, 100);
		for (j = 0; j < 100; j++)
			assert_int_equal(rawfront_page(&vif.f, 100 + i)[j],
					unit_byte(packets + i, j));
	}
}

void
bystander_run(void)
{
	run_rx();
	run_tx();
	packets += ROUND;
}

void
bystander_start(void)
{
	const struct vif_options options = { .domid = 2 };

	packets = 0;
	vif_open(&vif, &options);
	vif_connect(&vif);
	unit_idle_hook = bystander_run;
}

void
bystander_stop(void)
{
	struct rte_eth_stats stats;

	unit_idle_hook = NULL;
	bystander_run();
	assert_true(unit_link(vif.port));
	assert_int_equal(rawfront_back_state(&vif.f), XenbusStateConnected);
	assert_int_equal(rte_eth_stats_get(vif.port, &stats), 0);
	assert_int_equal(stats.ipackets, packets);
	assert_int_equal(stats.opackets, packets);
	assert_int_equal(stats.ierrors, 0);
	assert_int_equal(stats.oerrors, 0);
	assert_int_equal(unit_xstat(vif.port, "connects"), 1);
	assert_int_equal(unit_xstat(vif.port, "disconnects"), 0);
	vif_close(&vif);
}

unsigned long
bystander_packets(void)
{
	return packets;
}
