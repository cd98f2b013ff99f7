/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * A secondary process that tries all that ethdev has to offer on a port which the primary process
 * runs: what it may do has to work, all else has to be refused.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

/* Reads of everything, before what must not be done, and afterwards. */
#define ROUNDS 1000
#define XSTATS_MAX 1024

static uint16_t port;
static int failures;

static void
fail(const char *what, const char *wanted, int ret)
{
	printf("%s: %d, not %s\n", what, ret, wanted);
	failures++;
}

#define REFUSED(call) \
	do { \
		int ret_ = (call); \
		if (ret_ != -ENOTSUP && ret_ != -EPERM) \
			fail(#call, "refused", ret_); \
	} while (0)

#define WORKS(call) \
	do { \
		int ret_ = (call); \
		if (ret_ < 0) \
			fail(#call, "done", ret_); \
	} while (0)

/* All that a secondary process has. */
static void
read_all(void)
{
	static struct rte_eth_xstat_name names[XSTATS_MAX];
	static struct rte_eth_xstat xstats[XSTATS_MAX];
	struct rte_eth_burst_mode mode;
	struct rte_eth_dev_info info;
	struct rte_eth_rxq_info rxq;
	struct rte_eth_txq_info txq;
	struct rte_eth_stats stats;
	struct rte_eth_link link;
	struct rte_ether_addr mac;
	uint32_t ptypes[32];
	uint16_t mtu;

	WORKS(rte_eth_stats_get(port, &stats));
	WORKS(rte_eth_xstats_get_names(port, names, XSTATS_MAX));
	WORKS(rte_eth_xstats_get(port, xstats, XSTATS_MAX));
	WORKS(rte_eth_link_get(port, &link));
	WORKS(rte_eth_link_get_nowait(port, &link));
	WORKS(rte_eth_dev_info_get(port, &info));
	WORKS(rte_eth_macaddr_get(port, &mac));
	WORKS(rte_eth_dev_get_mtu(port, &mtu));
	WORKS(rte_eth_rx_queue_info_get(port, 0, &rxq));
	WORKS(rte_eth_tx_queue_info_get(port, 0, &txq));
	WORKS(rte_eth_rx_burst_mode_get(port, 0, &mode));
	WORKS(rte_eth_dev_get_supported_ptypes(port, RTE_PTYPE_ALL_MASK, ptypes, 32));
	WORKS(rte_eth_dev_priv_dump(port, stdout));
	if (link.link_status != RTE_ETH_LINK_UP || stats.ipackets == 0)
		fail("the port", "up and busy", link.link_status);
}

/* What changes the port: it is started, as only the primary process knows how to do. */
static void
try_changes(struct rte_mempool *pool)
{
	struct rte_ether_addr mac = { { 0x02, 0, 0, 0, 0, 9 } };
	const struct rte_eth_conf conf = { .rxmode.mtu = 1500 };
	struct rte_eth_rss_conf rss = { .rss_key = NULL };
	struct rte_eth_fc_conf fc = { .mode = RTE_ETH_FC_NONE };

	REFUSED(rte_eth_dev_stop(port));
	REFUSED(rte_eth_dev_start(port));
	REFUSED(rte_eth_dev_configure(port, 1, 1, &conf));
	REFUSED(rte_eth_rx_queue_setup(port, 0, 256, SOCKET_ID_ANY, NULL, pool));
	REFUSED(rte_eth_tx_queue_setup(port, 0, 256, SOCKET_ID_ANY, NULL));
	REFUSED(rte_eth_dev_rx_queue_stop(port, 0));
	REFUSED(rte_eth_dev_rx_queue_start(port, 0));
	REFUSED(rte_eth_dev_tx_queue_stop(port, 0));
	REFUSED(rte_eth_dev_tx_queue_start(port, 0));
	REFUSED(rte_eth_dev_set_link_down(port));
	REFUSED(rte_eth_dev_set_link_up(port));
	REFUSED(rte_eth_dev_set_mtu(port, 9000));
	REFUSED(rte_eth_dev_set_vlan_offload(port, RTE_ETH_VLAN_STRIP_OFFLOAD));
	REFUSED(rte_eth_dev_default_mac_addr_set(port, &mac));
	REFUSED(rte_eth_dev_mac_addr_add(port, &mac, 0));
	REFUSED(rte_eth_dev_set_mc_addr_list(port, &mac, 1));
	REFUSED(rte_eth_promiscuous_disable(port));
	REFUSED(rte_eth_allmulticast_disable(port));
	REFUSED(rte_eth_dev_set_ptypes(port, RTE_PTYPE_UNKNOWN, NULL, 0));
	REFUSED(rte_eth_dev_rx_intr_enable(port, 0));
	REFUSED(rte_eth_dev_rx_intr_disable(port, 0));
	REFUSED(rte_eth_dev_rss_hash_update(port, &rss));
	REFUSED(rte_eth_dev_flow_ctrl_set(port, &fc));
	REFUSED(rte_eth_tx_done_cleanup(port, 0, 0));
	REFUSED(rte_eth_dev_reset(port));
	REFUSED(rte_eth_led_on(port));
	REFUSED(rte_eth_dev_close(port));
}

/* Packets are for the primary process alone. */
static void
try_bursts(struct rte_mempool *pool)
{
	struct rte_mbuf *pkts[4];
	uint16_t n;

	n = rte_eth_rx_burst(port, 0, pkts, 4);
	if (n != 0)
		fail("rte_eth_rx_burst", "0", n);
	if (pool == NULL || rte_pktmbuf_alloc_bulk(pool, pkts, 4) < 0)
		return;
	n = rte_eth_tx_burst(port, 0, pkts, 4);
	if (n != 0)
		fail("rte_eth_tx_burst", "0", n);
	rte_pktmbuf_free_bulk(pkts + n, 4 - n);
}

int
main(int argc, char **argv)
{
	struct rte_mempool *pool;
	unsigned int i;
	int used;

	used = rte_eal_init(argc, argv);
	if (used < 0)
		return EXIT_FAILURE;
	if (argc - used < 2 || rte_eth_dev_get_port_by_name(argv[used + 1], &port) != 0) {
		fputs("usage: xensecondary EAL-OPTIONS --proc-type=secondary -- PORT [forever]\n"
		      "Tries all operations on the primary's port of that name; with a second\n"
		      "word, reads its statistics until it is killed.\n",
				stderr);
		return EXIT_FAILURE;
	}
	pool = rte_mempool_lookup("mb_pool_0");
	puts("attached");
	fflush(stdout);
	for (i = 0; i < ROUNDS || argc - used > 2; i++)
		read_all();
	WORKS(rte_eth_stats_reset(port));
	WORKS(rte_eth_xstats_reset(port));
	try_changes(pool);
	try_bursts(pool);
	printf("%s: %d wrong answers\n", argv[used + 1], failures);
	rte_eal_cleanup();
	return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
