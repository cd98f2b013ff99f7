/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* What becomes of a port: the events that it tells of, and its reset. */

#include <errno.h>

#include <ethdev_driver.h>

#include "pair.h"

/* What a port has told of: a letter an event. */
static char told[64];
/* The application stops the port when it hears of queues. */
static bool stop_it;

static int
on_event(uint16_t port, enum rte_eth_event_type type, void *arg, void *ret __rte_unused)
{
	const uint16_t *of = arg;

	if (port != *of)
		return 0;
	strcat(told, type == RTE_ETH_EVENT_QUEUE_STATE ? "q" : "l");
	return stop_it ? rte_eth_dev_stop(port) : 0;
}

static const enum rte_eth_event_type events[] = {
	RTE_ETH_EVENT_QUEUE_STATE,
	RTE_ETH_EVENT_INTR_LSC,
};

/* Other numbers of queues are told of, before the link that goes with them. */
static void
check_events(uint16_t port, uint16_t other)
{
	unsigned int i;

	pair_probe(3);
	told[0] = '\0';
	for (i = 0; i < RTE_DIM(events); i++)
		assert_int_equal(rte_eth_dev_callback_register(port, events[i], on_event, &port),
				0);
	unit_start(port, 3, 0, unit_pool);
	unit_start(other, 3, 0, unit_pool);
	pair_wait();
	unit_wait(strcmp(told, "ql") == 0);
	assert_int_equal(rte_eth_dev_set_link_down(port), 0);
	unit_wait(strcmp(told, "qlql") == 0);
	assert_int_equal(rte_eth_dev_set_link_up(port), 0);
	unit_wait(strcmp(told, "qlqlql") == 0);
	/* Who stops a port knows. */
	assert_int_equal(rte_eth_dev_stop(port), 0);
	assert_int_equal(rte_eth_dev_start(port), 0);
	pair_wait();
	unit_wait(strcmp(told, "qlqlqlql") == 0);
	/* Nor need it be told of a link in the callback of which it has been stopped. */
	assert_int_equal(rte_eth_dev_stop(port), 0);
	told[0] = '\0';
	stop_it = true;
	assert_int_equal(rte_eth_dev_start(port), 0);
	unit_wait(!rte_eth_devices[port].data->dev_started);
	stop_it = false;
	assert_int_equal(rte_eth_dev_start(port), 0);
	pair_wait();
	unit_wait(strcmp(told, "qql") == 0);
	/* The last event is noted before its callback has returned. */
	for (i = 0; i < RTE_DIM(events); i++)
		unit_wait(rte_eth_dev_callback_unregister(port, events[i], on_event, &port) == 0);
	pair_close();
}

static void
test_events(void **state __rte_unused)
{
	/* Both ports have the same numbers each time. */
	pair_probe(3);
	pair_close();
	check_events(pair.back, pair.front);
	check_events(pair.front, pair.back);
}

static void
cross_once(uint16_t from, uint16_t to)
{
	struct rte_mbuf *m = unit_packet(100, UNIT_ROOM, 1);

	assert_int_equal(rte_eth_tx_burst(from, 0, &m, 1), 1);
	unit_wait(rte_eth_rx_burst(to, 0, &m, 1) == 1);
	unit_check_packet(m, 100, 1);
	rte_pktmbuf_free(m);
	/* Neither end has an mbuf that is done. */
	assert_int_equal(rte_eth_tx_done_cleanup(from, 0, 0), 0);
}

static void
check_reset(uint16_t port)
{
	struct rte_eth_stats stats;

	/* Also from that a reset helps. */
	assert_int_equal(rte_eth_dev_set_link_down(port), 0);
	assert_int_equal(rte_eth_dev_reset(port), 0);
	/* Whoever is short of mbufs may ask at any time. */
	assert_int_equal(rte_eth_tx_done_cleanup(port, 0, 0), 0);
	assert_int_equal(rte_eth_stats_get(port, &stats), 0);
	assert_int_equal(stats.ipackets, 1);
	assert_int_equal(rte_eth_dev_start(port), -EINVAL);
	unit_start(port, 1, 0, unit_pool);
	pair_wait();
	cross_once(pair.front, pair.back);
	cross_once(pair.back, pair.front);
	assert_int_equal(rte_eth_stats_get(port, &stats), 0);
	assert_int_equal(stats.ipackets, 2);
	assert_int_equal(rte_eth_stats_reset(port), 0);
}

/* A port that is reset is configured anew, and its vif has not noticed. */
static void
test_reset(void **state __rte_unused)
{
	pair_open(1, 0);
	unit_log_clear();
	cross_once(pair.front, pair.back);
	cross_once(pair.back, pair.front);
	check_reset(pair.back);
	assert_int_equal(rte_eth_stats_reset(pair.front), 0);
	cross_once(pair.back, pair.front);
	check_reset(pair.front);
	assert_int_equal(unit_log_count("disconnected"), 0);
	pair_close();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_reset),
	};

	return cmocka_run_group_tests_name("port", tests, unit_setup, unit_teardown);
}
