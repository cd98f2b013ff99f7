/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* The vif goes away while packets wait for it: none is kept, and none comes to the next guest. */

#include "lane.h"

/* Packets of each queue that wait, and of these: those that somebody else holds too. */
#define WAITING 40
#define SHARED 10

static void
guest_resets(struct vif *v)
{
	rawfront_reset(&v->f);
}

/* A reboot or kexec: no word of the old kernel, the new one begins. */
static void
guest_starts_over(struct vif *v)
{
	rawfront_state(&v->f, XenbusStateInitialising);
	rawfront_wait(&v->f, XenbusStateInitWait);
}

static void
guest_closes(struct vif *v)
{
	rawfront_state(&v->f, XenbusStateClosed);
	rawfront_wait(&v->f, XenbusStateClosed);
}

static void
guest_dies(struct vif *v)
{
	rawfront_die(&v->f);
	rawfront_toolstack_remove(&v->f);
}

static void
guest_breaks_rx(struct vif *v)
{
	v->f.q[1].rx_prod += 1000;
	rawfront_rx_push(&v->f, 1);
	vif_flush_by_rx(v, 0);
	vif_expect_failed(v, "queue 1: guest's RX ring: req_prod more than a ring ahead");
}

static void
guest_breaks_tx(struct vif *v)
{
	v->f.q[0].tx_prod += 1000;
	rawfront_tx_push(&v->f, 0);
	vif_flush_by_rx(v, 0);
	vif_expect_failed(v, "queue 0: guest's TX ring: req_prod more than a ring ahead");
}

static void
toolstack_detaches(struct vif *v)
{
	rawfront_detach(&v->f);
}

static void
directories_go(struct vif *v)
{
	rawfront_toolstack_remove(&v->f);
}

static void
port_stops(struct vif *v)
{
	assert_int_equal(rte_eth_dev_stop(v->port), 0);
}

static void
port_closes(struct vif *v)
{
	vif_remove_port(v);
}

/* The guest is there again, with empty rings. */
static void
connect_anew(struct vif *v)
{
	rawfront_init_rings(&v->f, 0);
	vif_connect(v);
}

static void
start_again(struct vif *v)
{
	assert_int_equal(rte_eth_dev_start(v->port), 0);
	unit_wait(unit_link(v->port));
}

static const struct {
	void (*go)(struct vif *v);
	void (*come)(struct vif *v);
} ways[] = {
	{ guest_resets, connect_anew },
	{ guest_starts_over, connect_anew },
	{ guest_closes, vif_reconnect },
	{ guest_dies, NULL },
	{ guest_breaks_rx, vif_reconnect },
	{ guest_breaks_tx, vif_reconnect },
	{ toolstack_detaches, NULL },
	{ directories_go, NULL },
	{ port_stops, start_again },
	{ port_closes, NULL },
};

static void
lose(struct lane *lane, struct rte_mbuf **shared)
{
	unsigned int i;

	assert_int_equal(lane_send(lane, 0, WAITING - SHARED), WAITING - SHARED);
	for (i = 0; i < SHARED; i++) {
		shared[i] = lane_next(lane);
		rte_pktmbuf_refcnt_update(shared[i], 1);
	}
	assert_int_equal(rte_eth_tx_burst(lane->v->port, 0, shared, SHARED), SHARED);
}

/* Nothing is left with the port; what others hold as well is theirs alone now. */
static void
expect_given_back(struct rte_mbuf **shared, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		unit_wait(rte_mbuf_refcnt_read(shared[i]) == 1);
		rte_pktmbuf_free(shared[i]);
	}
	unit_wait(rte_mempool_avail_count(unit_pool) == UNIT_MBUFS);
}

static void
check_way(unsigned int way)
{
	const struct vif_options options = { .queues = 2 };
	struct rte_mbuf *shared[2 * SHARED], *m;
	struct lane lanes[2];
	unsigned int i;
	struct vif v;

	unit_log_clear();
	vif_open(&v, &options);
	vif_connect(&v);
	memset(lanes, 0, sizeof(lanes));
	for (i = 0; i < 2; i++) {
		lanes[i].v = &v;
		lanes[i].queue = i;
		lose(&lanes[i], shared + i * SHARED);
	}
	ways[way].go(&v);
	expect_given_back(shared, 2 * SHARED);
	if (v.has_port) {
		unit_wait(!unit_link(v.port));
		vif_expect_sent(&v, 0, 2 * WAITING);
		assert_int_equal(vif_tx_stat(&v, 0, "wait_flushed_dropped"), WAITING);
		assert_int_equal(vif_tx_stat(&v, 1, "wait_flushed_dropped"), WAITING);
		m = unit_packet(60, UNIT_ROOM, 0);
		assert_int_equal(rte_eth_tx_burst(v.port, 0, &m, 1), 0);
		rte_pktmbuf_free(m);
	}
	if (ways[way].come != NULL) {
		ways[way].come(&v);
		for (i = 0; i < 2; i++) {
			lanes[i].got = lanes[i].made;
			vif_post(&v, i, 100);
			vif_flush_by_rx(&v, 0);
			vif_expect_no_packet(&v, i);
			assert_int_equal(lane_send(&lanes[i], 0, 10), 10);
			assert_int_equal(lane_take(&lanes[i]), 10);
		}
		vif_expect_sent(&v, 20, 2 * WAITING);
	}
	vif_close(&v);
	assert_int_equal(unit_maps(), 0);
	assert_int_equal(unit_ports(), 0);
	unit_check_pool();
}

static void
test_gone(void **state __rte_unused)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(ways); i++) {
		print_message("way %u\n", i);
		check_way(i);
	}
}

/* A ring breaks in a burst for several: what cannot be taken back is lost, and counted. */
static void
test_breach_in_burst(void **state __rte_unused)
{
	const struct vif_options options = { .queues = 4 };
	struct lane lanes[4];
	struct rte_mbuf *pkts[40];
	unsigned int i;
	struct vif v;

	unit_log_clear();
	vif_open(&v, &options);
	vif_connect(&v);
	memset(lanes, 0, sizeof(lanes));
	for (i = 0; i < 4; i++) {
		lanes[i].v = &v;
		lanes[i].queue = i;
		lanes[i].small = true;
		vif_post(&v, i, 20);
	}
	for (i = 0; i < RTE_DIM(pkts); i++)
		pkts[i] = lane_next(&lanes[i % 4]);
	v.f.q[1].rx_prod += 1000;
	rawfront_rx_push(&v.f, 1);
	assert_int_equal(rte_eth_tx_burst(v.port, 0, pkts, RTE_DIM(pkts)), RTE_DIM(pkts));
	for (i = 0; i < 4; i++)
		assert_int_equal(lane_take(&lanes[i]), i == 1 ? 0 : 10);
	vif_expect_failed(&v, "queue 1: guest's RX ring: req_prod more than a ring ahead");
	vif_expect_sent(&v, 30, 10);
	assert_int_equal(vif_tx_stat(&v, 1, "wait_flushed_dropped"), 10);
	vif_close(&v);
	unit_check_pool();
}

/* A tx queue is stopped: what it has waiting is dropped, and what another has is not. */
static void
test_queue_stops(void **state __rte_unused)
{
	const struct vif_options options = { .queues = 1, .app_queues = 2 };
	struct rte_mbuf *stopped[10], *kept[10];
	struct lane lane = { 0 };
	unsigned int i;
	struct vif v;

	vif_open(&v, &options);
	vif_connect(&v);
	lane.v = &v;
	for (i = 0; i < RTE_DIM(stopped); i++) {
		stopped[i] = unit_packet(60, UNIT_ROOM, 0);
		assert_int_equal(rte_eth_tx_burst(v.port, 0, &stopped[i], 1), 1);
		kept[i] = lane_next(&lane);
		assert_int_equal(rte_eth_tx_burst(v.port, 1, &kept[i], 1), 1);
	}
	assert_int_equal(rte_eth_dev_tx_queue_stop(v.port, 0), 0);
	assert_int_equal(vif_tx_stat(&v, 0, "wait_flushed_dropped"), RTE_DIM(stopped));
	assert_int_equal(rte_eth_dev_tx_queue_start(v.port, 0), 0);
	lane_drain(&lane, 0);
	vif_expect_sent(&v, RTE_DIM(kept), RTE_DIM(stopped));
	vif_close(&v);
	unit_check_pool();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_breach_in_burst),
		cmocka_unit_test(test_queue_stops),
	};

	return cmocka_run_group_tests_name("tx_gone", tests, unit_setup, unit_teardown);
}
