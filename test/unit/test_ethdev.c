/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* What ethdev promises for a port, whichever end of a vif it is: MTU, queues, and what it tells. */

#include <errno.h>
#include <stdio.h>

#include <ethdev_driver.h>

#include "pair.h"

#define ROOM_SMALL 1024u
#define ROOM_JUST 1518u

/* One rule for an MTU, whichever call it is given to: what fits into one mbuf, or takes several. */
static const struct mtu_case {
	uint16_t mtu;
	uint16_t room;
	bool scatter;
	bool fits;
} mtu_cases[] = {
	{ 1500, UNIT_ROOM, false, true },
	{ 1500, ROOM_JUST, false, true },
	{ 1501, ROOM_JUST, false, false },
	{ 1501, ROOM_JUST, true, true },
	{ 1500, ROOM_SMALL, false, false },
	{ 1500, ROOM_SMALL, true, true },
	{ 1006, ROOM_SMALL, false, true },
	{ 2030, UNIT_ROOM, false, true },
	{ 2031, UNIT_ROOM, false, false },
	{ 9000, UNIT_ROOM, false, false },
	{ 9000, UNIT_ROOM, true, true },
	{ 65517, UNIT_ROOM, true, true },
	{ 68, ROOM_SMALL, false, true },
};

static int
setup_queues(uint16_t port, uint16_t mtu, bool scatter, struct rte_mempool *pool)
{
	struct rte_eth_conf conf = {
		.rxmode.mtu = mtu,
		.rxmode.offloads = scatter ? RTE_ETH_RX_OFFLOAD_SCATTER : 0,
	};

	assert_int_equal(rte_eth_dev_configure(port, 1, 1, &conf), 0);
	assert_int_equal(rte_eth_tx_queue_setup(port, 0, 256, SOCKET_ID_ANY, NULL), 0);
	return rte_eth_rx_queue_setup(port, 0, 256, SOCKET_ID_ANY, NULL, pool);
}

/* Started with that MTU, the port gives as many mbufs as it has to. */
static void
check_started(uint16_t port, const struct mtu_case *c)
{
	bool several = c->scatter || !c->fits;
	struct rte_eth_rxq_info rxq;

	assert_int_equal(rte_eth_dev_start(port), 0);
	assert_int_equal(rte_eth_devices[port].data->scattered_rx, several);
	assert_int_equal(rte_eth_rx_queue_info_get(port, 0, &rxq), 0);
	assert_int_equal(rxq.scattered_rx, several);
	/* That holds while it runs. */
	assert_int_equal(rte_eth_dev_set_mtu(port, RTE_ETHER_MIN_MTU), 0);
	assert_int_equal(rte_eth_rx_queue_info_get(port, 0, &rxq), 0);
	assert_int_equal(rxq.scattered_rx, several);
	assert_int_equal(rte_eth_dev_stop(port), 0);
}

static void
check_mtu(uint16_t port, const struct mtu_case *c, struct rte_mempool *pool)
{
	char text[64];
	uint16_t mtu;
	int ret;

	unit_log_clear();
	/* By configure. */
	assert_int_equal(setup_queues(port, c->mtu, c->scatter, pool), 0);
	check_started(port, c);
	/* By set_mtu, when the port is stopped. */
	assert_int_equal(setup_queues(port, RTE_ETHER_MIN_MTU, c->scatter, pool), 0);
	assert_int_equal(rte_eth_dev_set_mtu(port, c->mtu), 0);
	check_started(port, c);
	assert_int_equal(unit_log_count("does not fit"), 0);
	/* By set_mtu, when the port runs. */
	assert_int_equal(setup_queues(port, RTE_ETHER_MIN_MTU, c->scatter, pool), 0);
	assert_int_equal(rte_eth_dev_start(port), 0);
	ret = rte_eth_dev_set_mtu(port, c->mtu);
	assert_int_equal(ret, c->fits ? 0 : -EBUSY);
	if (!c->fits) {
		snprintf(text, sizeof(text), "mtu %u: a frame of %u bytes does not fit", c->mtu,
				c->mtu + 18);
		unit_assert_log(text);
	}
	assert_int_equal(rte_eth_dev_get_mtu(port, &mtu), 0);
	assert_int_equal(mtu, c->fits ? c->mtu : RTE_ETHER_MIN_MTU);
	assert_int_equal(rte_eth_dev_stop(port), 0);
}

static struct rte_mempool *
make_pool(const char *name, uint16_t room)
{
	struct rte_mempool *pool;

	pool = rte_pktmbuf_pool_create(name, 64, 0, 0, room + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY);
	assert_non_null(pool);
	return pool;
}

static void
test_mtu(void **state __rte_unused)
{
	struct rte_mempool *small = make_pool("mtu_small", ROOM_SMALL), *pool;
	struct rte_mempool *just = make_pool("mtu_just", ROOM_JUST);
	struct rte_eth_dev_info info;
	unsigned int i;

	pair_probe(1);
	for (i = 0; i < RTE_DIM(mtu_cases); i++) {
		pool = mtu_cases[i].room == ROOM_SMALL	       ? small :
				mtu_cases[i].room == ROOM_JUST ? just :
								 unit_pool;
		check_mtu(pair.back, &mtu_cases[i], pool);
		check_mtu(pair.front, &mtu_cases[i], pool);
	}
	/* What an application computes the overhead from. */
	assert_int_equal(rte_eth_dev_info_get(pair.back, &info), 0);
	assert_int_equal(info.max_rx_pktlen - info.max_mtu, 18);
	assert_int_not_equal(rte_eth_dev_set_mtu(pair.back, info.max_mtu + 1), 0);
	assert_int_not_equal(rte_eth_dev_set_mtu(pair.back, info.min_mtu - 1), 0);
	pair_close();
	rte_mempool_free(small);
	rte_mempool_free(just);
}

/* An application that knows nothing of SCATTER has an MTU of 9,000: it gets packets of that. */
static void
check_jumbo(uint16_t from, uint16_t to)
{
	struct rte_mbuf *m = unit_packet(9014, UNIT_ROOM, 9);

	assert_int_equal(rte_eth_tx_burst(from, 0, &m, 1), 1);
	unit_wait(rte_eth_rx_burst(to, 0, &m, 1) == 1);
	unit_check_packet(m, 9014, 9);
	rte_pktmbuf_free(m);
}

static void
test_jumbo(void **state __rte_unused)
{
	pair_probe(1);
	assert_int_equal(setup_queues(pair.back, 9000, false, unit_pool), 0);
	assert_int_equal(setup_queues(pair.front, 9000, false, unit_pool), 0);
	assert_int_equal(rte_eth_dev_start(pair.back), 0);
	assert_int_equal(rte_eth_dev_start(pair.front), 0);
	pair_wait();
	check_jumbo(pair.back, pair.front);
	check_jumbo(pair.front, pair.back);
	pair_close();
}

/* What is said of a queue is what was asked for. */
static void
check_infos(uint16_t port)
{
	struct rte_eth_conf conf = { .rxmode.offloads = RTE_ETH_RX_OFFLOAD_SCATTER };
	const struct rte_eth_rxconf rxconf = { .rx_deferred_start = 1 };
	struct rte_eth_rxq_info rxq;
	struct rte_eth_txq_info txq;

	assert_int_equal(rte_eth_dev_configure(port, 2, 2, &conf), 0);
	assert_int_equal(rte_eth_rx_queue_setup(port, 0, 100, SOCKET_ID_ANY, NULL, unit_pool), 0);
	assert_int_equal(rte_eth_rx_queue_setup(port, 1, 4096, SOCKET_ID_ANY, &rxconf, unit_pool),
			0);
	assert_int_equal(rte_eth_tx_queue_setup(port, 0, 300, SOCKET_ID_ANY, NULL), 0);
	assert_int_equal(rte_eth_tx_queue_setup(port, 1, 2048, SOCKET_ID_ANY, NULL), 0);
	assert_int_equal(rte_eth_dev_start(port), 0);
	assert_int_equal(rte_eth_rx_queue_info_get(port, 0, &rxq), 0);
	assert_ptr_equal(rxq.mp, unit_pool);
	assert_int_equal(rxq.nb_desc, 100);
	assert_int_equal(rxq.rx_buf_size, UNIT_ROOM);
	assert_int_equal(rxq.scattered_rx, 1);
	assert_int_equal(rxq.queue_state, RTE_ETH_QUEUE_STATE_STARTED);
	assert_int_equal(rxq.conf.rx_deferred_start, 0);
	assert_int_equal(rte_eth_rx_queue_info_get(port, 1, &rxq), 0);
	assert_int_equal(rxq.nb_desc, 4096);
	assert_int_equal(rxq.queue_state, RTE_ETH_QUEUE_STATE_STOPPED);
	assert_int_equal(rxq.conf.rx_deferred_start, 1);
	assert_int_equal(rte_eth_tx_queue_info_get(port, 1, &txq), 0);
	assert_int_equal(txq.nb_desc, 2048);
	assert_int_equal(txq.queue_state, RTE_ETH_QUEUE_STATE_STARTED);
	assert_int_equal(rte_eth_devices[port].data->scattered_rx, 1);
	assert_int_equal(rte_eth_dev_stop(port), 0);
	conf.rxmode.offloads = 0;
	assert_int_equal(rte_eth_dev_configure(port, 2, 2, &conf), 0);
	assert_int_equal(rte_eth_dev_start(port), 0);
	assert_int_equal(rte_eth_devices[port].data->scattered_rx, 0);
	assert_int_equal(rte_eth_dev_stop(port), 0);
}

static void
test_infos(void **state __rte_unused)
{
	pair_probe(2);
	check_infos(pair.back);
	check_infos(pair.front);
	pair_close();
}

/* As many segments as a port says that it takes, and one more. */
static void
run_segs(uint16_t from, uint16_t to, bool limited)
{
	struct rte_eth_dev_info info;
	struct rte_mbuf *m;
	unsigned int i, max;

	assert_int_equal(rte_eth_dev_info_get(from, &info), 0);
	assert_int_equal(info.tx_desc_lim.nb_mtu_seg_max, info.tx_desc_lim.nb_seg_max);
	max = limited ? info.tx_desc_lim.nb_seg_max : 1000;
	assert_in_range(max, 17, limited ? 1000 : info.tx_desc_lim.nb_seg_max);
	for (i = 0; i < 2; i++) {
		m = unit_packet((max + i) * 40, 40, i);
		assert_int_equal(m->nb_segs, max + i);
		assert_int_equal(rte_eth_tx_burst(from, 0, &m, 1), 1);
		if (i == 1 && limited) {
			assert_int_equal(rte_eth_rx_burst(to, 0, &m, 1), 0);
			assert_int_equal(unit_xstat(from, "tx_q0_bad_packet_errors"), 1);
			continue;
		}
		assert_int_equal(rte_eth_rx_burst(to, 0, &m, 1), 1);
		unit_check_packet(m, (max + i) * 40, i);
		rte_pktmbuf_free(m);
	}
}

static void
test_segs(void **state __rte_unused)
{
	pair_open(1, RTE_ETH_RX_OFFLOAD_SCATTER);
	run_segs(pair.back, pair.front, true);
	run_segs(pair.front, pair.back, false);
	pair_close();
}

/* Only queue 1 of each port has its start deferred. */
static void
start_deferred(uint16_t port)
{
	const struct rte_eth_rxconf rxconf = { .rx_deferred_start = 1 };
	const struct rte_eth_txconf txconf = { .tx_deferred_start = 1 };
	struct rte_eth_conf conf = { 0 };
	uint16_t i;

	assert_int_equal(rte_eth_dev_configure(port, 2, 2, &conf), 0);
	for (i = 0; i < 2; i++) {
		assert_int_equal(rte_eth_rx_queue_setup(port, i, 256, SOCKET_ID_ANY,
						 i == 1 ? &rxconf : NULL, unit_pool),
				0);
		assert_int_equal(rte_eth_tx_queue_setup(port, i, 256, SOCKET_ID_ANY,
						 i == 1 ? &txconf : NULL),
				0);
	}
	assert_int_equal(rte_eth_dev_start(port), 0);
}

static bool
sends(uint16_t port, uint16_t queue)
{
	struct rte_mbuf *m = unit_packet(60, UNIT_ROOM, queue);

	if (rte_eth_tx_burst(port, queue, &m, 1) == 1)
		return true;
	rte_pktmbuf_free(m);
	return false;
}

static unsigned int
receives(uint16_t port, uint16_t queue)
{
	struct rte_mbuf *pkts[8];
	unsigned int n = rte_eth_rx_burst(port, queue, pkts, 8);

	rte_pktmbuf_free_bulk(pkts, n);
	return n;
}

/* A queue that is not started takes nothing; what waits for it is there when it is. */
static void
run_queue_states(uint16_t from, uint16_t to)
{
	assert_true(sends(from, 0));
	assert_int_equal(receives(to, 0), 1);
	assert_false(sends(from, 1));
	assert_int_equal(rte_eth_dev_tx_queue_start(from, 1), 0);
	assert_true(sends(from, 1));
	assert_int_equal(receives(to, 1), 0);
	assert_int_equal(rte_eth_dev_rx_queue_start(to, 1), 0);
	assert_int_equal(receives(to, 1), 1);
	assert_int_equal(rte_eth_dev_rx_queue_stop(to, 0), 0);
	assert_true(sends(from, 0));
	assert_int_equal(receives(to, 0), 0);
	assert_int_equal(rte_eth_dev_rx_queue_start(to, 0), 0);
	assert_int_equal(receives(to, 0), 1);
	assert_int_equal(rte_eth_dev_tx_queue_stop(from, 0), 0);
	assert_false(sends(from, 0));
	assert_int_equal(rte_eth_dev_tx_queue_start(from, 0), 0);
	/* The link does not depend on queues. */
	assert_true(unit_link(from));
	assert_true(unit_link(to));
	/* A stop and a start of the port defer again. */
	assert_int_equal(rte_eth_dev_stop(to), 0);
	assert_int_not_equal(rte_eth_dev_rx_queue_start(to, 1), 0);
	assert_int_equal(rte_eth_dev_start(to), 0);
	pair_wait();
	assert_true(sends(from, 1));
	assert_int_equal(receives(to, 1), 0);
	assert_int_equal(rte_eth_dev_rx_queue_start(to, 1), 0);
	assert_int_equal(receives(to, 1), 1);
}

static void
test_queue_states(void **state __rte_unused)
{
	pair_probe(2);
	start_deferred(pair.back);
	start_deferred(pair.front);
	pair_wait();
	run_queue_states(pair.front, pair.back);
	pair_close();
	pair_probe(2);
	start_deferred(pair.back);
	start_deferred(pair.front);
	pair_wait();
	run_queue_states(pair.back, pair.front);
	pair_close();
}

/* What the port tells of itself. */
static void
dump(uint16_t port, char *text, size_t size)
{
	FILE *f = fmemopen(text, size, "w");

	assert_non_null(f);
	assert_int_equal(rte_eth_dev_priv_dump(port, f), 0);
	assert_int_equal(fclose(f), 0);
}

static bool
says(uint16_t port, const char *wanted)
{
	char text[4096];

	dump(port, text, sizeof(text));
	return strstr(text, wanted) != NULL;
}

static void
assert_says(const char *text, const char *wanted)
{
	if (strstr(text, wanted) == NULL)
		fail_msg("'%s' is not in:\n%s", wanted, text);
}

static void
test_dump(void **state __rte_unused)
{
	char text[4096];

	pair_probe(2);
	dump(pair.back, text, sizeof(text));
	assert_says(text, "vif backend/vif/0/2\n");
	assert_says(text, "port: stopped, link down, queue pairs 0 of 2\n");
	assert_null(strstr(text, "ring"));
	pair_close();
	pair_open(2, 0);
	/* The control thread sees its own last step when it looks the next time. */
	unit_wait(says(pair.back, "states: Connected, other end Connected\n"));
	unit_wait(says(pair.front, "states: Connected, other end Connected\n"));
	dump(pair.back, text, sizeof(text));
	assert_says(text, "port: started, link up, queue pairs 2 of 2\n");
	assert_says(text,
			"queues 2, rx-copy, sg, csum-ipv4, csum-ipv6, split-event-channels, "
			"ctrl-ring\n");
	assert_says(text, "rx ring 1: attached, port ");
	assert_says(text, "tx ring 1: attached, port ");
	assert_says(text, ", req_prod 256, rsp_prod 0, ");
	assert_says(text, ", waiting 0\n");
	dump(pair.front, text, sizeof(text));
	assert_says(text, "vif device/vif/2\n");
	assert_says(text, "rx ring 0: attached, port ");
	assert_says(text, "cons 0, prod 256, req_prod 256, ");
	assert_int_equal(rte_eth_dev_set_link_down(pair.back), 0);
	dump(pair.back, text, sizeof(text));
	assert_says(text, "port: started, set down, link down, queue pairs 0 of 2\n");
	assert_says(text, "tx ring 1: detached, port ");
	pair_close();
}

/* Ethdev leaves it to the driver to look whether each queue that was configured is there. */
static void
check_missing(uint16_t port, uint16_t nb_rxq, uint16_t nb_txq, const char *why)
{
	const struct rte_eth_conf conf = { 0 };
	uint16_t i;

	unit_log_clear();
	/* Those of an earlier setup are gone. */
	assert_int_equal(rte_eth_dev_configure(port, 1, 1, &conf), 0);
	assert_int_equal(rte_eth_dev_configure(port, 3, 3, &conf), 0);
	for (i = 0; i < nb_rxq; i++)
		assert_int_equal(rte_eth_rx_queue_setup(port, i, 0, SOCKET_ID_ANY, NULL, unit_pool),
				0);
	for (i = 0; i < nb_txq; i++)
		assert_int_equal(rte_eth_tx_queue_setup(port, i, 0, SOCKET_ID_ANY, NULL), 0);
	assert_int_equal(rte_eth_dev_start(port), -EINVAL);
	unit_assert_log(why);
}

static void
test_missing_queues(void **state __rte_unused)
{
	uint16_t port, i;

	pair_probe(1);
	for (i = 0; i < 2; i++) {
		port = i == 0 ? pair.back : pair.front;
		check_missing(port, 0, 0, "rx queue 0 of 3 is not set up");
		check_missing(port, 2, 3, "rx queue 2 of 3 is not set up");
		check_missing(port, 3, 1, "tx queue 1 of 3 is not set up");
		unit_start(port, 3, 0, unit_pool);
	}
	pair_wait();
	pair_close();
}

/* n packets of one slot, which the other end has not looked at yet. */
static void
check_descriptors(uint16_t from, uint16_t to, unsigned int n)
{
	struct rte_mbuf *pkts[8];
	unsigned int i;

	assert_int_equal(rte_eth_rx_queue_count(to, 0), 0);
	assert_int_equal(rte_eth_rx_descriptor_status(to, 0, 0), RTE_ETH_RX_DESC_AVAIL);
	for (i = 0; i < n; i++)
		pkts[i] = unit_packet(60, UNIT_ROOM, i);
	assert_int_equal(rte_eth_tx_burst(from, 0, pkts, n), n);
	assert_int_equal(rte_eth_rx_queue_count(to, 0), n);
	assert_int_equal(rte_eth_rx_descriptor_status(to, 0, n - 1), RTE_ETH_RX_DESC_DONE);
	assert_int_equal(rte_eth_rx_descriptor_status(to, 0, n), RTE_ETH_RX_DESC_AVAIL);
	assert_int_equal(rte_eth_rx_descriptor_status(to, 0, 256), -EINVAL);
	assert_int_equal(rte_eth_tx_descriptor_status(from, 0, 256), -EINVAL);
}

static void
check_received(uint16_t port, unsigned int n)
{
	struct rte_mbuf *pkts[8];

	assert_int_equal(rte_eth_rx_burst(port, 0, pkts, 8), n);
	rte_pktmbuf_free_bulk(pkts, n);
	assert_int_equal(rte_eth_rx_queue_count(port, 0), 0);
}

/* What of the rings is in use, from the application's side of each end. */
static void
test_descriptors(void **state __rte_unused)
{
	pair_probe(1);
	unit_start(pair.front, 1, 0, unit_pool);
	assert_int_equal(rte_eth_rx_queue_count(pair.front, 0), 0);
	assert_int_equal(rte_eth_tx_descriptor_status(pair.front, 0, 255), RTE_ETH_TX_DESC_DONE);
	unit_start(pair.back, 1, 0, unit_pool);
	pair_wait();
	check_descriptors(pair.front, pair.back, 3);
	assert_int_equal(rte_eth_tx_descriptor_status(pair.front, 0, 252), RTE_ETH_TX_DESC_DONE);
	assert_int_equal(rte_eth_tx_descriptor_status(pair.front, 0, 253), RTE_ETH_TX_DESC_FULL);
	check_received(pair.back, 3);
	assert_int_equal(rte_eth_tx_descriptor_status(pair.front, 0, 255), RTE_ETH_TX_DESC_DONE);
	/* A backend's packets are the guest's at once. */
	check_descriptors(pair.back, pair.front, 5);
	assert_int_equal(rte_eth_tx_descriptor_status(pair.back, 0, 255), RTE_ETH_TX_DESC_DONE);
	check_received(pair.front, 5);
	pair_close();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mtu),
		cmocka_unit_test(test_jumbo),
		cmocka_unit_test(test_infos),
		cmocka_unit_test(test_segs),
		cmocka_unit_test(test_queue_states),
		cmocka_unit_test(test_missing_queues),
		cmocka_unit_test(test_dump),
		cmocka_unit_test(test_descriptors),
	};

	return cmocka_run_group_tests_name("ethdev", tests, unit_setup, unit_teardown);
}
