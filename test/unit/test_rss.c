/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * RSS of net_xenfront: what the application sets reaches the backend by the control ring, also the
 * next one.
 */

#include <errno.h>
#include <stdio.h>

#include "ctrl.h"
#include "flow.h"
#include "pair.h"
#include "rss.h"

#define QUEUES 4
#define BURST 32

static uint16_t
reta_entry(uint16_t port, unsigned int i)
{
	struct rte_eth_rss_reta_entry64 reta[RSS_RETA_SIZE / RTE_ETH_RETA_GROUP_SIZE];

	memset(reta, 0, sizeof(reta));
	reta[i / RTE_ETH_RETA_GROUP_SIZE].mask = RTE_BIT64(i % RTE_ETH_RETA_GROUP_SIZE);
	assert_int_equal(rte_eth_dev_rss_reta_query(port, reta, RSS_RETA_SIZE), 0);
	return reta[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE];
}

static bool
backend_has(const char *what)
{
	return strstr(ctrl_port_hash(pair.back), what) != NULL;
}

/* Both ends of a vif have the same, apart from what the frontend's queues are called. */
static bool
same_hash(void)
{
	char front[1024];

	snprintf(front, sizeof(front), "%s", ctrl_port_hash(pair.front));
	return front[0] != '\0' && strcmp(front, ctrl_port_hash(pair.back)) == 0;
}

static void
open_pair(void)
{
	pair_probe(QUEUES);
	unit_start(pair.back, QUEUES, RTE_ETH_RX_OFFLOAD_SCATTER, unit_pool);
	rss_start(pair.front, QUEUES, RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_NONFRAG_IPV6_TCP, NULL);
	pair_wait();
}

static void
test_infos(void **state __rte_unused)
{
	struct rte_eth_dev_info info;

	pair_open(1, 0);
	assert_int_equal(rte_eth_dev_info_get(pair.front, &info), 0);
	assert_int_equal(info.hash_key_size, 40);
	assert_int_equal(info.reta_size, RSS_RETA_SIZE);
	assert_int_equal(info.flow_type_rss_offloads,
			RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_IPV6 |
					RTE_ETH_RSS_NONFRAG_IPV6_TCP);
	/* Nothing was asked for. */
	assert_true(backend_has("hash: none, types, key 00"));
	assert_int_equal(rss_update_hash(pair.front, RTE_ETH_RSS_IPV4, NULL), -ENOTSUP);
	assert_int_equal(rte_eth_dev_info_get(pair.back, &info), 0);
	assert_int_equal(info.flow_type_rss_offloads, 0);
	pair_close();
}

/* What the configuration and the operations say, and that each new connection begins with it. */
static void
test_set(void **state __rte_unused)
{
	struct rte_eth_rss_conf conf = { 0 };
	uint8_t got[sizeof(rss_key)];
	unsigned int i;

	open_pair();
	unit_wait(same_hash());
	assert_true(backend_has("hash: toeplitz, types ipv4 ipv6-tcp, key 6d5a56da"));
	assert_true(backend_has("mapping of 128: 0 1 2 3 0 1 2 3"));
	/* An operation is done when it returns. */
	assert_int_equal(rss_update_hash(pair.front, RTE_ETH_RSS_IPV6, rss_key), 0);
	assert_true(backend_has("types ipv6, key 666f727479206f"));
	assert_int_equal(rss_update_hash(pair.front, RTE_ETH_RSS_NONFRAG_IPV4_TCP, NULL), 0);
	assert_true(backend_has("types ipv4-tcp, key 666f727479206f"));
	assert_int_equal(rss_update_reta(pair.front, 2, 3), 0);
	assert_true(backend_has("mapping of 128: 0 1 2 2 2 2"));
	assert_int_equal(reta_entry(pair.front, 1), 1);
	assert_int_equal(reta_entry(pair.front, 127), 2);
	conf.rss_key = got;
	conf.rss_key_len = sizeof(got);
	assert_int_equal(rte_eth_dev_rss_hash_conf_get(pair.front, &conf), 0);
	assert_int_equal(conf.rss_hf, RTE_ETH_RSS_NONFRAG_IPV4_TCP);
	assert_int_equal(conf.rss_key_len, sizeof(got));
	assert_memory_equal(got, rss_key, sizeof(got));
	assert_true(same_hash());
	for (i = 0; i < 4; i++) {
		/* A frontend and a backend that reset the vif, and a vif that is made anew. */
		rawfront_toolstack_remove(&pair.names);
		unit_wait(!unit_link(pair.front) && !unit_link(pair.back));
		if (i % 2 == 0)
			assert_int_equal(rss_update_reta(pair.front, i / 2, 100), 0);
		rawfront_toolstack(&pair.names);
		pair_wait();
		unit_wait(same_hash());
		assert_true(backend_has("types ipv4-tcp, key 666f727479206f"));
		assert_int_equal(reta_entry(pair.front, 127), i / 2);
	}
	/* Without hashes the backend has nothing to do, and the rest is kept. */
	assert_int_equal(rss_update_hash(pair.front, 0, NULL), 0);
	assert_true(backend_has("hash: none"));
	assert_int_equal(rss_update_hash(pair.front, RTE_ETH_RSS_IPV4, NULL), 0);
	assert_true(same_hash());
	/* A new configuration begins anew. */
	assert_int_equal(rte_eth_dev_stop(pair.front), 0);
	rss_start(pair.front, 2, RTE_ETH_RSS_IPV4, rss_key);
	pair_wait();
	unit_wait(same_hash());
	assert_true(backend_has("mapping of 128: 0 1 0 1"));
	assert_int_equal(rte_eth_dev_stop(pair.front), 0);
	unit_start(pair.front, 2, RTE_ETH_RX_OFFLOAD_SCATTER, unit_pool);
	pair_wait();
	unit_wait(backend_has("hash: none"));
	pair_close();
}

/* A packet that may come out of any queue; how many have. */
static unsigned int
take_any(struct rte_mbuf **pkts)
{
	unsigned int i, n = 0;

	for (i = 0; n == 0 && i < QUEUES; i++)
		n = rte_eth_rx_burst(pair.front, i, pkts, BURST);
	return n;
}

/* Packets come out of the queue that the table says, with their hashes. */
static void
test_steering(void **state __rte_unused)
{
	struct xen_hash_config cfg = { .algorithm = TOEPLITZ, .types = XEN_HASH_TYPES };
	unsigned int queue, flow, hashed = 0;
	struct rte_mbuf *pkts[BURST];
	static struct flows f;
	uint32_t hash = 0;
	int type;

	open_pair();
	xen_hash_set_key(&cfg, rss_key, sizeof(rss_key));
	assert_int_equal(rss_update_hash(pair.front,
					 RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_IPV6 |
							 RTE_ETH_RSS_NONFRAG_IPV4_TCP |
							 RTE_ETH_RSS_NONFRAG_IPV6_TCP,
					 rss_key),
			0);
	for (queue = 0; queue < QUEUES; queue++) {
		assert_int_equal(rss_update_reta(pair.front, queue, 0), 0);
		flow_init(&f);
		for (flow = 0; flow < FLOW_MAX; flow++) {
			pkts[0] = flow_next(&f, flow);
			type = xen_hash_packet(&cfg, pkts[0], &hash);
			assert_int_equal(rte_eth_tx_burst(pair.back, flow % QUEUES, pkts, 1), 1);
			if (type < 0) {
				assert_int_equal(take_any(pkts), 1);
			} else {
				assert_int_equal(rte_eth_rx_burst(pair.front, queue, pkts, BURST),
						1);
				assert_true((pkts[0]->ol_flags & RTE_MBUF_F_RX_RSS_HASH) != 0);
				assert_int_equal(pkts[0]->hash.rss, hash);
				hashed++;
			}
			rte_pktmbuf_free(pkts[0]);
		}
	}
	assert_true(hashed > QUEUES * FLOW_MAX / 2);
	pair_close();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_infos),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_steering),
	};

	return cmocka_run_group_tests_name("rss", tests, unit_setup, unit_teardown);
}
