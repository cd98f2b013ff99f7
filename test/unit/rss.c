/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include "rss.h"
#include "unit.h"

uint8_t rss_key[XEN_HASH_KEY_MAX] = "forty octets, and none of them repeats.";

void
rss_start(uint16_t port, uint16_t queues, uint64_t flows, uint8_t *key)
{
	const struct rte_eth_conf conf = {
		.rxmode = {
			.mq_mode = RTE_ETH_MQ_RX_RSS,
			.offloads = RTE_ETH_RX_OFFLOAD_SCATTER | RTE_ETH_RX_OFFLOAD_RSS_HASH,
		},
		.rx_adv_conf.rss_conf = {
			.rss_key = key,
			.rss_key_len = key != NULL ? sizeof(rss_key) : 0,
			.rss_hf = flows,
		},
		.intr_conf.lsc = 1,
	};
	unsigned int i;

	assert_int_equal(rte_eth_dev_configure(port, queues, queues, &conf), 0);
	for (i = 0; i < queues; i++) {
		assert_int_equal(rte_eth_rx_queue_setup(port, i, 256, SOCKET_ID_ANY, NULL,
						 unit_pool),
				0);
		assert_int_equal(rte_eth_tx_queue_setup(port, i, 256, SOCKET_ID_ANY, NULL), 0);
	}
	assert_int_equal(rte_eth_dev_start(port), 0);
}

int
rss_update_hash(uint16_t port, uint64_t flows, uint8_t *key)
{
	struct rte_eth_rss_conf conf = {
		.rss_key = key,
		.rss_key_len = sizeof(rss_key),
		.rss_hf = flows,
	};

	return rte_eth_dev_rss_hash_update(port, &conf);
}

int
rss_update_reta(uint16_t port, uint16_t queue, unsigned int from)
{
	struct rte_eth_rss_reta_entry64 reta[RSS_RETA_SIZE / RTE_ETH_RETA_GROUP_SIZE];
	unsigned int i;

	memset(reta, 0, sizeof(reta));
	for (i = from; i < RSS_RETA_SIZE; i++) {
		reta[i / RTE_ETH_RETA_GROUP_SIZE].mask |= RTE_BIT64(i % RTE_ETH_RETA_GROUP_SIZE);
		reta[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE] = queue;
	}
	return rte_eth_dev_rss_reta_update(port, reta, RSS_RETA_SIZE);
}
