/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Statistics: their names, and that none of them is ever wrong. */

#include <errno.h>
#include <pthread.h>

#include "vif.h"
#include "xen_netif_ops.h"

/* Statistics of a queue pair of either driver; %s: the direction. */
static const char *const both_names[] = { "rx_q0_slots", "tx_q0_slots", "rx_q0_csum_completed",
	"tx_q0_csum_completed", "rx_q0_notify_sent", "tx_q0_notify_sent", "rx_q0_notify_suppressed",
	"tx_q0_notify_suppressed", "rx_q0_filtered", "tx_q0_ring_full", "rx_q0_bad_packet_errors",
	"tx_q0_bad_packet_errors", "rx_q0_oversize_errors", "tx_q0_oversize_errors",
	"rx_q0_csum_unparsed_errors", "rx_q0_nombuf_dropped", "connects", "disconnects",
	"protocol_errors" };
static const char *const back_names[] = { "rx_q0_copy_ops", "tx_q0_copy_ops", "rx_q0_copy_errors",
	"tx_q0_copy_errors", "tx_q0_wait_expired_dropped", "tx_q0_wait_stalled_dropped",
	"tx_q0_wait_flushed_dropped", "tx_q0_wait_blocked_dropped" };
static const char *const front_names[] = { "tx_q0_refused_errors" };

static bool
has_xstat(uint16_t port, const char *name)
{
	uint64_t id;

	return rte_eth_xstats_get_id_by_name(port, name, &id) == 0;
}

static void
check_names(const char *vdev, const char *args, const char *const *own, unsigned int nb_own,
		const char *const *foreign, unsigned int nb_foreign)
{
	unsigned int i;
	uint16_t port;

	assert_int_equal(unit_probe(vdev, args), 0);
	port = unit_port(vdev);
	for (i = 0; i < RTE_DIM(both_names); i++)
		assert_int_equal(unit_xstat(port, both_names[i]), 0);
	for (i = 0; i < nb_own; i++)
		assert_int_equal(unit_xstat(port, own[i]), 0);
	for (i = 0; i < nb_foreign; i++)
		assert_false(has_xstat(port, foreign[i]));
	/* As many queue pairs as the vif can have. */
	assert_true(has_xstat(port, "rx_q1_slots"));
	assert_false(has_xstat(port, "rx_q2_slots"));
	unit_remove_port(vdev);
}

static void
test_stat_names(void **state __rte_unused)
{
	check_names("net_xenvif7", "domid=1,devid=70,queues=2", back_names, RTE_DIM(back_names),
			front_names, RTE_DIM(front_names));
	check_names("net_xenfront7", "devid=70,queues=2", front_names, RTE_DIM(front_names),
			back_names, RTE_DIM(back_names));
}

/* Resets and reads statistics without a pause, until told to end. */
struct resetter {
	pthread_t thread;
	uint16_t port;
	bool quit;
	/* More packets than there ever were. */
	bool nonsense;
	unsigned int resets;
};

#define RESET_PACKETS 20000u

static void *
reset_loop(void *arg)
{
	struct resetter *r = arg;
	struct rte_eth_stats stats;

	while (!__atomic_load_n(&r->quit, __ATOMIC_ACQUIRE)) {
		if (rte_eth_stats_reset(r->port) != 0 || rte_eth_stats_get(r->port, &stats) != 0 ||
				stats.ipackets > RESET_PACKETS || stats.ibytes > 64 * RESET_PACKETS)
			r->nonsense = true;
		__atomic_fetch_add(&r->resets, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* A reset takes nothing from the lcore that counts, and what it forgot never comes back. */
static void
test_reset_race(void **state)
{
	struct resetter r = { .quit = false };
	struct vif *v = *state;
	struct rte_eth_stats stats;
	struct rte_mbuf *pkts[32];
	unsigned int i, j, n;

	r.port = v->port;
	assert_int_equal(pthread_create(&r.thread, NULL, reset_loop, &r), 0);
	for (i = 0; i < RESET_PACKETS; i += 32) {
		for (j = 0; j < 32; j++)
			vif_put(v, j, 0, 60, 0, j);
		n = vif_burst(v, pkts, 32);
		assert_int_equal(n, 32);
		rte_pktmbuf_free_bulk(pkts, n);
		for (j = 0; j < 32; j++)
			vif_expect_rsp(v, j, NETIF_RSP_OKAY);
	}
	unit_wait(__atomic_load_n(&r.resets, __ATOMIC_ACQUIRE) > 100);
	__atomic_store_n(&r.quit, true, __ATOMIC_RELEASE);
	assert_int_equal(pthread_join(r.thread, NULL), 0);
	assert_false(r.nonsense);
	assert_int_equal(rte_eth_stats_reset(v->port), 0);
	assert_int_equal(rte_eth_xstats_reset(v->port), 0);
	assert_int_equal(rte_eth_stats_get(v->port, &stats), 0);
	assert_int_equal(stats.ipackets, 0);
	assert_int_equal(unit_xstat(v->port, "rx_q0_slots"), 0);
	assert_int_equal(unit_xstat(v->port, "connects"), 0);
	vif_send_good(v);
	assert_int_equal(rte_eth_stats_get(v->port, &stats), 0);
	assert_int_equal(stats.ipackets, 1);
	assert_int_equal(unit_queue_xstat(v->port, "rx", 0, "packets"), 1);
	assert_int_equal(unit_xstat(v->port, "rx_q0_slots"), 1);
}

/* A port that is set up anew goes on counting where it was. */
static void
test_stats_survive(void **state)
{
	struct vif *v = *state;
	struct rte_eth_stats stats;
	unsigned int i;

	for (i = 1; i <= 3; i++) {
		vif_send_good(v);
		assert_int_equal(rte_eth_dev_stop(v->port), 0);
		unit_start(v->port, 1 + i % 2, 0, unit_pool);
		unit_wait(unit_link(v->port));
		assert_int_equal(rte_eth_stats_get(v->port, &stats), 0);
		assert_int_equal(stats.ipackets, i);
		assert_int_equal(unit_queue_xstat(v->port, "rx", 0, "packets"), i);
		assert_int_equal(unit_xstat(v->port, "rx_q0_slots"), i);
	}
	assert_int_equal(rte_eth_stats_reset(v->port), 0);
	vif_send_good(v);
	assert_int_equal(rte_eth_stats_get(v->port, &stats), 0);
	assert_int_equal(stats.ipackets, 1);
}

/* One packet each way, and one that is lost, by one of two queues. */
static void
count_in_queue(struct vif *v, uint16_t queue)
{
	struct netif_tx_request req = { .gref = v->f.gref[0], .size = 60 };
	struct rte_mbuf *pkts[2];

	rawfront_tx_put(&v->f, queue, &req);
	rawfront_tx_push(&v->f, queue);
	assert_int_equal(rte_eth_rx_burst(v->port, queue, pkts, 1), 1);
	rte_pktmbuf_free(pkts[0]);
	vif_post(v, queue, 1);
	pkts[0] = unit_packet(60, UNIT_ROOM, 0);
	pkts[1] = unit_packet(13, UNIT_ROOM, 0);
	assert_int_equal(rte_eth_tx_burst(v->port, queue, pkts, 2), 2);
}

/* Nor does anything that was counted go away with a queue, or come back after a reset. */
static void
test_fewer_queues(void **state __rte_unused)
{
	const struct vif_options options = { .queues = 2, .app_queues = 2 };
	struct rte_eth_stats stats;
	struct vif v;

	vif_open(&v, &options);
	vif_connect(&v);
	count_in_queue(&v, 1);
	assert_int_equal(rte_eth_dev_stop(v.port), 0);
	unit_start(v.port, 1, 0, unit_pool);
	assert_int_equal(rte_eth_stats_get(v.port, &stats), 0);
	assert_int_equal(stats.ipackets, 1);
	assert_int_equal(stats.ibytes, 60);
	assert_int_equal(stats.opackets, 1);
	assert_int_equal(stats.oerrors, 1);
	unit_check_losses(v.port);
	assert_int_equal(rte_eth_stats_reset(v.port), 0);
	assert_int_equal(rte_eth_dev_stop(v.port), 0);
	unit_start(v.port, 2, 0, unit_pool);
	assert_int_equal(rte_eth_stats_get(v.port, &stats), 0);
	assert_int_equal(stats.ipackets, 0);
	assert_int_equal(stats.opackets, 0);
	assert_int_equal(stats.oerrors, 0);
	vif_close(&v);
}

/* What another process sees of a port that the one which ran it has closed. */
static void
test_closed_by_primary(void **state __rte_unused)
{
	const struct eth_dev_ops *ops = &xen_netif_secondary_ops;
	struct rte_eth_dev_data data = { .nb_rx_queues = 0 };
	struct rte_eth_dev dev = { .data = &data };
	struct rte_eth_dev_info info;
	struct rte_eth_stats stats;

	assert_int_equal(ops->dev_infos_get(&dev, &info), -ENODEV);
	assert_int_equal(ops->stats_get(&dev, &stats XEN_QSTATS_NONE), -ENODEV);
	assert_int_equal(ops->stats_reset(&dev), -ENODEV);
	assert_int_equal(ops->xstats_get(&dev, NULL, 0), -ENODEV);
	assert_int_equal(ops->xstats_get_names(&dev, NULL, 0), -ENODEV);
	assert_int_equal(ops->xstats_reset(&dev), -ENODEV);
	assert_int_equal(ops->eth_dev_priv_dump(&dev, stderr), -ENODEV);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stat_names),
		vif_test(test_reset_race),
		vif_test(test_stats_survive),
		cmocka_unit_test(test_fewer_queues),
		cmocka_unit_test(test_closed_by_primary),
	};

	return cmocka_run_group_tests_name("stats", tests, unit_setup, unit_teardown);
}
