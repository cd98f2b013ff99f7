/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * All at once: bursts of several queues, statistics, the application's wishes, and the other end
 * that resets, comes back and breaks the protocol. What is tested is what the thread sanitizer says
 * of it, and that packets go on after everything that happens.
 */

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "pair.h"
#include "rawback.h"
#include "vif.h"

/* Queues of each port. */
#define QUEUES 2
#define BURST 16
#define WORKERS_MAX 10
#define XSTATS_MAX 512

/* How many packets show that a worker's go on. */
#define GOING_ON 50

/* A thread of the application. */
struct worker {
	void (*step)(struct worker *w);
	const uint16_t *port;
	uint16_t queue;
	/* Or looks. */
	unsigned long packets;
	pthread_t thread;
};

static struct worker workers[WORKERS_MAX];
static unsigned int nb_workers;
static bool quit;
/* A worker's call has failed, which none of them may tell cmocka. */
static bool failed;

/*
 * Held for reading by a worker while it is at a port, and for writing by whoever stops the port or
 * takes it away: as ethdev wants it, the bursts have ended before.
 */
static pthread_rwlock_t ports_lock;

static void
receive(struct worker *w)
{
	struct rte_mbuf *pkts[BURST];
	uint16_t n = rte_eth_rx_burst(*w->port, w->queue, pkts, BURST);

	rte_pktmbuf_free_bulk(pkts, n);
	__atomic_fetch_add(&w->packets, n, __ATOMIC_RELAXED);
}

static void
transmit(struct worker *w)
{
	struct rte_mbuf *pkts[BURST];
	uint16_t i, sent;

	if (rte_pktmbuf_alloc_bulk(unit_pool, pkts, BURST) < 0)
		return;
	for (i = 0; i < BURST; i++) {
		/* The flows differ in their addresses. */
		memset(rte_pktmbuf_append(pkts[i], 60), i, 60);
	}
	sent = rte_eth_tx_burst(*w->port, w->queue, pkts, BURST);
	rte_pktmbuf_free_bulk(pkts + sent, BURST - sent);
	__atomic_fetch_add(&w->packets, sent, __ATOMIC_RELAXED);
}

static void
look(struct worker *w)
{
	struct rte_eth_xstat xstats[XSTATS_MAX];
	struct rte_eth_stats stats;
	struct rte_eth_link link;
	unsigned long times;
	int ret = 0, n;

	ret |= rte_eth_stats_get(*w->port, &stats);
	n = rte_eth_xstats_get(*w->port, xstats, XSTATS_MAX);
	ret |= rte_eth_link_get_nowait(*w->port, &link);
	times = __atomic_add_fetch(&w->packets, 1, __ATOMIC_RELAXED);
	if (times % 16 == 0)
		ret |= rte_eth_stats_reset(*w->port);
	if (times % 32 == 0)
		ret |= rte_eth_xstats_reset(*w->port);
	if (ret != 0 || n <= 0 || n > XSTATS_MAX)
		__atomic_store_n(&failed, true, __ATOMIC_RELAXED);
}

static void *
work(void *arg)
{
	struct worker *w = arg;

	while (!__atomic_load_n(&quit, __ATOMIC_RELAXED)) {
		pthread_rwlock_rdlock(&ports_lock);
		w->step(w);
		pthread_rwlock_unlock(&ports_lock);
		sched_yield();
	}
	return NULL;
}

static void
start_worker(void (*step)(struct worker *w), const uint16_t *port, uint16_t queue)
{
	struct worker *w = &workers[nb_workers++];

	assert_true(nb_workers <= WORKERS_MAX);
	*w = (struct worker){ .step = step, .port = port, .queue = queue };
	assert_int_equal(pthread_create(&w->thread, NULL, work, w), 0);
}

/* The threads of an application with one port more. */
static void
start_workers(const uint16_t *port, uint16_t queues)
{
	uint16_t i;

	for (i = 0; i < queues; i++) {
		start_worker(receive, port, i);
		start_worker(transmit, port, i);
	}
	start_worker(look, port, 0);
}

/* What was reset in the midst of counting does not add up. */
static void
settle(uint16_t port)
{
	assert_int_equal(rte_eth_stats_reset(port), 0);
}

static void
stop_workers(void)
{
	__atomic_store_n(&quit, true, __ATOMIC_RELAXED);
	while (nb_workers != 0)
		pthread_join(workers[--nb_workers].thread, NULL);
	__atomic_store_n(&quit, false, __ATOMIC_RELAXED);
}

/* Packets of every queue and direction go on; a queue without a ring receives none. */
static void
expect_packets(unsigned int rings)
{
	unsigned long before[WORKERS_MAX];
	unsigned int i;

	for (i = 0; i < nb_workers; i++)
		before[i] = __atomic_load_n(&workers[i].packets, __ATOMIC_RELAXED);
	for (i = 0; i < nb_workers; i++) {
		if (workers[i].step == transmit ||
				(workers[i].step == receive && workers[i].queue < rings))
			unit_wait(__atomic_load_n(&workers[i].packets, __ATOMIC_RELAXED) >=
					before[i] + GOING_ON);
	}
	assert_false(__atomic_load_n(&failed, __ATOMIC_RELAXED));
}

static void
restart(uint16_t port)
{
	pthread_rwlock_wrlock(&ports_lock);
	assert_int_equal(rte_eth_dev_stop(port), 0);
	assert_int_equal(rte_eth_dev_start(port), 0);
	pthread_rwlock_unlock(&ports_lock);
}

static void
link_down_and_up(uint16_t port)
{
	assert_int_equal(rte_eth_dev_set_link_down(port), 0);
	unit_wait(!unit_link(port));
	assert_int_equal(rte_eth_dev_set_link_up(port), 0);
}

/* What an application may change while packets pass. */
static void
change_modes(uint16_t port)
{
	struct rte_ether_addr mac;

	rte_eth_random_addr(mac.addr_bytes);
	assert_int_equal(rte_eth_dev_default_mac_addr_set(port, &mac), 0);
	assert_int_equal(rte_eth_promiscuous_disable(port), 0);
	assert_int_equal(rte_eth_allmulticast_disable(port), 0);
	assert_int_equal(rte_eth_dev_set_ptypes(port, RTE_PTYPE_L4_MASK, NULL, 0), 0);
	assert_int_equal(rte_eth_dev_set_mtu(port, 1400), 0);
	assert_int_equal(rte_eth_dev_rx_queue_stop(port, QUEUES - 1), 0);
	assert_int_equal(rte_eth_dev_tx_queue_stop(port, QUEUES - 1), 0);
	assert_int_equal(rte_eth_dev_rx_queue_start(port, QUEUES - 1), 0);
	assert_int_equal(rte_eth_dev_tx_queue_start(port, QUEUES - 1), 0);
	assert_int_equal(rte_eth_promiscuous_enable(port), 0);
	assert_int_equal(rte_eth_dev_set_mtu(port, RTE_ETHER_MTU), 0);
}

/* A test's turns go on for so long; the sanitizer's suite has them go on for longer. */
static uint64_t
end_of_test(void)
{
	const char *seconds = getenv("UNIT_SECONDS");

	return unit_now_ms() + 1000 * (seconds != NULL ? strtoul(seconds, NULL, 10) : 1);
}

/* The guest that is played by hand; NULL while its rings are not to be touched. */
static struct vif *live;

/* The guest takes what there is, posts buffers and sends packets. */
static void
guest_turn(void)
{
	struct netif_tx_request req = { .size = 60 };
	struct netif_tx_response tx_rsp;
	struct netif_rx_response rx_rsp;
	struct rawfront_queue *rings;
	unsigned int q, n;

	for (q = 0; live != NULL && q < live->f.nb_queues; q++) {
		rings = &live->f.q[q];
		while (rawfront_tx_rsp(&live->f, q, &tx_rsp))
			;
		while (rings->tx_prod - rings->tx_cons < XEN_NETIF_RING_SIZE / 2) {
			req.id = rings->tx_prod % RAWFRONT_PAGES;
			req.gref = live->f.gref[req.id];
			rawfront_tx_put(&live->f, q, &req);
		}
		rawfront_tx_push(&live->f, q);
		while (rawfront_rx_rsp(&live->f, q, &rx_rsp))
			;
		n = XEN_NETIF_RING_SIZE / 2 - (rings->rx_prod - rings->rx_cons);
		rawfront_rx_post(&live->f, q, 0, n);
	}
}

static void
connect_again(struct vif *v, unsigned int queues)
{
	v->f.nb_queues = queues;
	rawfront_unset(&v->f, "multi-queue-num-queues");
	rawfront_init_rings(&v->f, 0);
	vif_connect(v);
	live = v;
}

/* Indices that no ring can have: the vif is closed, and the guest comes back. */
static void
break_ring(struct vif *v, uint32_t *index)
{
	live = NULL;
	__atomic_fetch_add(index, 2 * XEN_NETIF_RING_SIZE, __ATOMIC_RELEASE);
	rawfront_wait(&v->f, XenbusStateClosed);
	rawfront_state(&v->f, XenbusStateInitialising);
	rawfront_wait(&v->f, XenbusStateInitWait);
}

static void
vif_turn(struct vif *v, unsigned int turn)
{
	unsigned int queue = turn % v->f.nb_queues;

	switch (turn % 7) {
	case 0:
		live = NULL;
		rawfront_reset(&v->f);
		connect_again(v, 1);
		break;
	case 1:
		link_down_and_up(v->port);
		break;
	case 2:
		break_ring(v, &v->f.q[queue].tx->req_prod);
		connect_again(v, 4);
		break;
	case 3:
		restart(v->port);
		break;
	case 4:
		break_ring(v, &v->f.q[queue].rx->req_prod);
		connect_again(v, 2);
		break;
	case 5:
		change_modes(v->port);
		break;
	case 6:
		/* Gone without a word, and back. */
		live = NULL;
		rawfront_state(&v->f, XenbusStateInitialising);
		rawfront_wait(&v->f, XenbusStateInitWait);
		connect_again(v, 3);
		break;
	}
	unit_wait(unit_link(v->port));
	expect_packets(v->f.nb_queues);
}

/* A port whose two queues share the rings of a guest with one, two, three or four. */
static void
test_vif(void **state __rte_unused)
{
	const struct vif_options options = { .queues = 4, .app_queues = QUEUES };
	uint64_t end = end_of_test();
	unsigned int turn = 0;
	struct vif v;

	vif_open(&v, &options);
	vif_connect(&v);
	live = &v;
	unit_idle_hook = guest_turn;
	start_workers(&v.port, QUEUES);
	do {
		vif_turn(&v, turn++);
	} while (turn < 7 || unit_now_ms() < end);
	stop_workers();
	unit_idle_hook = NULL;
	live = NULL;
	settle(v.port);
	vif_close(&v);
	unit_check_pool();
}

/* The frontend's port goes and comes back, while the backend's bursts go on. */
static void
replug_front(void)
{
	pthread_rwlock_wrlock(&ports_lock);
	settle(pair.front);
	unit_remove_port(PAIR_FRONT);
	assert_int_equal(unit_probe(PAIR_FRONT, "devid=2,queues=2"), 0);
	pair.front = unit_port(PAIR_FRONT);
	unit_start(pair.front, QUEUES, RTE_ETH_RX_OFFLOAD_SCATTER, unit_pool);
	pthread_rwlock_unlock(&ports_lock);
}

/* libxl's detach and attach. */
static void
replug_vif(void)
{
	rawfront_detach(&pair.names);
	rawfront_wait(&pair.names, XenbusStateClosed);
	unit_wait(atoi(unit_read("%s/state", pair.names.front)) == XenbusStateClosed);
	rawfront_toolstack_remove(&pair.names);
	rawfront_toolstack(&pair.names);
}

static void
pair_turn(unsigned int turn)
{
	switch (turn % 8) {
	case 0:
		restart(pair.front);
		break;
	case 1:
		restart(pair.back);
		break;
	case 2:
		replug_vif();
		break;
	case 3:
		link_down_and_up(pair.front);
		break;
	case 4:
		link_down_and_up(pair.back);
		break;
	case 5:
		replug_front();
		break;
	case 6:
		change_modes(pair.front);
		break;
	case 7:
		change_modes(pair.back);
		break;
	}
	pair_wait();
	expect_packets(QUEUES);
}

static void
test_pair(void **state __rte_unused)
{
	uint64_t end = end_of_test();
	unsigned int turn = 0;

	pair_open(QUEUES, RTE_ETH_RX_OFFLOAD_SCATTER);
	start_workers(&pair.back, QUEUES);
	start_workers(&pair.front, QUEUES);
	do {
		pair_turn(turn++);
	} while (turn < 8 || unit_now_ms() < end);
	stop_workers();
	settle(pair.back);
	settle(pair.front);
	pair_close();
}

/* A backend that is played by hand answers nothing, and then what nobody asked for. */
static void
front_turn(unsigned int turn)
{
	if (turn % 3 == 0) {
		restart(rawback.port);
		unit_wait(unit_link(rawback.port));
	}
	if (turn % 2 == 0)
		__atomic_fetch_add(&rawback.tx->rsp_prod, XEN_NETIF_RING_SIZE + 1,
				__ATOMIC_RELEASE);
	else
		__atomic_fetch_add(&rawback.rx->rsp_prod, XEN_NETIF_RING_SIZE + 1,
				__ATOMIC_RELEASE);
	unit_wait(!unit_link(rawback.port));
	rawback_release();
	rawback_state(XenbusStateClosing);
	rawback_state(XenbusStateClosed);
	rawback_wait_closed();
	rawback_state(XenbusStateInitialising);
	rawback_connect();
}

static void
test_front(void **state __rte_unused)
{
	uint64_t end = end_of_test();
	unsigned int turn = 0;

	start_workers(&rawback.port, 1);
	do {
		front_turn(turn++);
	} while (turn < 6 || unit_now_ms() < end);
	stop_workers();
	settle(rawback.port);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vif),
		cmocka_unit_test(test_pair),
		cmocka_unit_test_setup_teardown(test_front, rawback_setup, rawback_teardown),
	};
	pthread_rwlockattr_t attr;

	/* There is always a worker that reads. */
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&ports_lock, &attr);
	return cmocka_run_group_tests_name("threads", tests, unit_setup, unit_teardown);
}
