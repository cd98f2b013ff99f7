/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * The switch's lcores and its control thread at work at once, UNIT_SECONDS: packets of all kinds,
 * and dataplanes, addresses, queues and ports that change meanwhile. What is tested is what the
 * thread sanitizer says of it, that packets go on after each change, and that nothing is left.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_malloc.h>
#include <rte_rcu_qsbr.h>

#include "../unit/lcores.h"
#include "../unit/unit_pool.h"
#include "balance.h"
#include "bridge.h"
#include "fdb_cache.h"
#include "packet.h"
#include "vswitch.h"

#define WORKERS 2
#define MBUFS 2047
#define MBUF_CACHE 32
#define DESCRIPTORS 128
#define NEWS 256
#define LIMIT_S 300
/* Rounds of each lcore, with packets, that show that they go on. */
#define GOING_ON 20

/* Guests 0 to 2, the last of them without lock, an uplink, and a tap with one queue for all. */
enum {
	GUESTS = 3,
	UPLINK = GUESTS,
	HOST,
	PORTS
};

static struct vswitch sw;
static struct port *ports[PORTS];
static unsigned int seed = 1;
/* Guarded as the queue that it is of: the sanitizer sees whether that is so. */
static uint64_t received[PORTS][RXQS_MAX], sent[PORTS][WORKERS];

/* Each thread's own numbers. */
static unsigned int
any(unsigned int below)
{
	static __thread unsigned int state;

	if (state == 0)
		state = (uintptr_t)&state / 64 + 1;
	return rand_r(&state) % below;
}

static uint64_t
any_mac(void)
{
	switch (any(8)) {
	case 0:
		return MAC_BROADCAST;
	case 1:
		/* Behind nobody. */
		return MAC(255);
	case 2:
		/* Behind the uplink. */
		return MAC(64 + any(64));
	default:
		return MAC(any(PORTS));
	}
}

/* A packet as it comes in by a port: most of them from its own address. */
static void
fill(struct rte_mbuf *m, unsigned int port)
{
	uint64_t from = port < UPLINK && any(16) != 0 ? MAC(port) : MAC(64 + any(64));
	struct packet p;

	put_eth(&p, any_mac(), from);
	if (any(8) == 0) {
		put16(&p, RTE_ETHER_TYPE_VLAN);
		put16(&p, 20 + any(2));
	}
	put16(&p, 0x88B5);
	put_fill(&p, 0, any(100));
	memcpy(rte_pktmbuf_append(m, p.len), p.data, p.len);
}

/* The number of a queue as its address: port and queue. */
static void *
queue_of(unsigned int port, unsigned int queue)
{
	return (void *)(uintptr_t)(port << 8 | queue);
}

static uint16_t
port_rx(void *rxq, struct rte_mbuf **pkts, uint16_t n)
{
	unsigned int port = (uintptr_t)rxq >> 8, queue = (uintptr_t)rxq & 0xFF;
	uint16_t i;

	n = any(n + 1u);
	for (i = 0; i < n; i++) {
		pkts[i] = rte_pktmbuf_alloc(sw.pool);
		if (pkts[i] == NULL)
			break;
		fill(pkts[i], port);
	}
	received[port][queue] += i;
	return i;
}

static uint16_t
port_tx(void *txq, struct rte_mbuf **pkts, uint16_t n)
{
	unsigned int port = (uintptr_t)txq >> 8, queue = (uintptr_t)txq & 0xFF;

	if (any(16) == 0)
		n = any(n + 1u);
	rte_pktmbuf_free_bulk(pkts, n);
	sent[port][queue] += n;
	return n;
}

static int
port_tx_status(void *txq __rte_unused, uint16_t offset __rte_unused)
{
	return any(2) == 0 ? RTE_ETH_TX_DESC_DONE : RTE_ETH_TX_DESC_FULL;
}

static uint16_t
port_tx_prepare(void *txq __rte_unused, struct rte_mbuf **pkts __rte_unused, uint16_t n)
{
	return n;
}

static void
make_device(unsigned int id)
{
	static void *queues[PORTS][RTE_MAX_QUEUES_PER_PORT], *callbacks[RTE_MAX_QUEUES_PER_PORT];
	struct rte_eth_fp_ops *ops = &rte_eth_fp_ops[id];
	unsigned int i;

	for (i = 0; i < RTE_DIM(queues[id]); i++)
		queues[id][i] = queue_of(id, i);
	ops->rx_pkt_burst = port_rx;
	ops->tx_pkt_burst = port_tx;
	ops->tx_pkt_prepare = port_tx_prepare;
	ops->tx_descriptor_status = port_tx_status;
	ops->rxq.data = ops->txq.data = queues[id];
	ops->rxq.clbk = ops->txq.clbk = callbacks;
}

static void
make_port(unsigned int id)
{
	struct port *port = rte_zmalloc("port", sizeof(*port), 0);
	unsigned int i;

	assert_non_null(port);
	port->id = id;
	port->spec.kind = id < GUESTS ? PORT_GUEST : id == UPLINK ? PORT_UPLINK : PORT_HOST;
	port->spec.lock = id < GUESTS - 1 ? GUARD_MAC : GUARD_OFF;
	port->spec.mac.addr_bytes[0] = 0x00;
	port->spec.mac.addr_bytes[1] = 0x16;
	port->spec.mac.addr_bytes[2] = 0x3E;
	port->spec.mac.addr_bytes[5] = id;
	port->spec.mtu = RTE_ETHER_MTU;
	port->spec.age = 1;
	vlan_tag(&port->spec.vlan, 20);
	port->nb_rxqs = id == HOST ? 1 : 2;
	port->nb_txqs = id == HOST ? 1 : WORKERS;
	port->nb_txd = DESCRIPTORS;
	for (i = 0; i < RTE_DIM(port->tx_locks); i++)
		rte_spinlock_init(&port->tx_locks[i]);
	make_device(id);
	balance_assign(&sw, port);
	ports[id] = sw.ports[id] = port;
	vswitch_stats_begin(&sw, id);
	if (id < GUESTS)
		assert_int_equal(bridge_pin(&sw, port), 0);
}

static void
make_worker(unsigned int index)
{
	struct worker *w = rte_zmalloc("worker", sizeof(*w), RTE_CACHE_LINE_SIZE);

	assert_non_null(w);
	*w = (struct worker){
		.index = index,
		.lcore = index + 1,
		.fdb = sw.fdb,
		/* Fewer sets than there are addresses. */
		.fdb_cache = fdb_cache_create(8, SOCKET_ID_ANY),
		.rcu = sw.rcu,
		.dataplane = &sw.dataplane,
		.news = sw.news,
		.pool = sw.pool,
	};
	assert_non_null(w->fdb_cache);
	sw.workers[index] = w;
}

static void
make_switch(void)
{
	unsigned int i;

	sw.nb_workers = WORKERS;
	sw.pool = rte_pktmbuf_pool_create_by_ops("mbufs", MBUFS, MBUF_CACHE, 0,
			RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY, unit_pool_ops);
	assert_non_null(sw.pool);
	sw.rcu = rte_zmalloc("rcu", rte_rcu_qsbr_get_memsize(WORKERS), RTE_CACHE_LINE_SIZE);
	assert_non_null(sw.rcu);
	assert_int_equal(rte_rcu_qsbr_init(sw.rcu, WORKERS), 0);
	/* Fewer than there are addresses, so that some are evicted. */
	sw.fdb = fdb_create(48, sw.rcu);
	assert_non_null(sw.fdb);
	sw.news = rte_ring_create_elem("news", sizeof(struct worker_news), NEWS, SOCKET_ID_ANY,
			RING_F_SC_DEQ);
	assert_non_null(sw.news);
	sw.dataplane = rte_zmalloc("dataplane", sizeof(*sw.dataplane), RTE_CACHE_LINE_SIZE);
	assert_non_null(sw.dataplane);
	for (i = 0; i < WORKERS; i++)
		make_worker(i);
	for (i = 0; i < PORTS; i++)
		make_port(i);
	assert_int_equal(bridge_publish(&sw), 0);
}

static uint64_t
now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static uint64_t
busy_rounds(unsigned int worker)
{
	return __atomic_load_n(&sw.workers[worker]->busy_rounds, __ATOMIC_RELAXED);
}

static bool
has_queues(unsigned int worker)
{
	unsigned int i, q;

	for (i = 0; i < PORTS; i++) {
		for (q = 0; sw.ports[i] != NULL && q < sw.ports[i]->nb_rxqs; q++) {
			if (sw.ports[i]->worker[q] == worker)
				return true;
		}
	}
	return false;
}

/* What the control thread does again and again. */
static void
look(void)
{
	struct port_stats sum;
	struct fdb_entry entry;
	uint32_t next = 0;
	unsigned int i;

	sw.now = rte_get_tsc_cycles() / rte_get_tsc_hz();
	vswitch_housekeeping(&sw);
	balance_sample(&sw, rte_get_tsc_cycles());
	for (i = 0; i < PORTS; i++) {
		vswitch_stats(&sw, i, &sum);
		vswitch_stats_total(&sw, i, &sum);
	}
	while (fdb_next(sw.fdb, &next, sw.now, &entry))
		;
	assert_true(rte_mempool_avail_count(sw.pool) <= MBUFS);
}

static void
wait_for_packets(void)
{
	uint64_t before[WORKERS], end = now_s() + LIMIT_S;
	unsigned int i;

	for (i = 0; i < WORKERS; i++)
		before[i] = busy_rounds(i);
	for (i = 0; i < WORKERS; i++) {
		while (has_queues(i) && busy_rounds(i) < before[i] + GOING_ON) {
			look();
			assert_true(now_s() < end);
		}
	}
}

static void
change_vlan(struct port *port)
{
	vlan_tag(&port->spec.vlan, 21 + rand_r(&seed) % 8);
	port->spec.storm = rand_r(&seed) % 2 * 1000;
	port->spec.isolated = rand_r(&seed) % 4 == 0;
	fdb_forget(sw.fdb, port->id);
	if (port->spec.kind == PORT_GUEST)
		assert_int_equal(bridge_pin(&sw, port), 0);
	assert_int_equal(bridge_publish(&sw), 0);
}

/* As a reload removes a port: what belongs to it is nobody's any more. */
static void
replug(struct port *port)
{
	unsigned int id = port->id;

	fdb_forget(sw.fdb, id);
	sw.ports[id] = NULL;
	assert_int_equal(bridge_publish(&sw), 0);
	wait_for_packets();
	memset(received[id], 0, sizeof(received[id]));
	memset(sent[id], 0, sizeof(sent[id]));
	memset(port, 0, sizeof(*port));
	rte_free(port);
	make_port(id);
	assert_int_equal(bridge_publish(&sw), 0);
}

static void
turn(unsigned int number)
{
	struct port *port = ports[rand_r(&seed) % PORTS];
	static struct balance_plan plan;

	switch (number % 6) {
	case 0:
		assert_int_equal(balance_move(&sw, port, rand_r(&seed) % port->nb_rxqs,
						 rand_r(&seed) % WORKERS),
				0);
		break;
	case 1:
		change_vlan(port);
		break;
	case 2:
		replug(port);
		break;
	case 3:
		assert_int_equal(balance_rebalance(&sw, false, &plan), 0);
		break;
	case 4:
		vswitch_stats_reset(&sw, port->id);
		fdb_forget(sw.fdb, UPLINK);
		break;
	case 5:
		assert_int_equal(bridge_publish(&sw), 0);
		break;
	}
	wait_for_packets();
}

/* When an lcore has ended DPDK knows by what the sanitizer does not see. */
static bool ended[WORKERS];

static int
run(void *worker)
{
	struct worker *w = worker;
	int ret = worker_run(w);

	__atomic_store_n(&ended[w->index], true, __ATOMIC_RELEASE);
	return ret;
}

static void
launch(void)
{
	unsigned int i;

	for (i = 0; i < WORKERS; i++) {
		assert_int_equal(rte_eal_remote_launch(run, sw.workers[i], sw.workers[i]->lcore),
				0);
		while (!__atomic_load_n(&sw.workers[i]->running, __ATOMIC_ACQUIRE))
			rte_delay_us_sleep(100);
	}
}

static void
stop_workers(void)
{
	unsigned int i;

	for (i = 0; i < WORKERS; i++)
		__atomic_store_n(&sw.workers[i]->stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < WORKERS; i++) {
		while (!__atomic_load_n(&ended[i], __ATOMIC_ACQUIRE))
			rte_delay_us_sleep(100);
	}
	rte_eal_mp_wait_lcore();
}

static void
free_switch(void)
{
	unsigned int i;

	for (i = 0; i < PORTS; i++)
		rte_free(ports[i]);
	for (i = 0; i < WORKERS; i++) {
		rte_free(sw.workers[i]->fdb_cache);
		rte_free(sw.workers[i]);
	}
	rte_free(sw.dataplane);
	rte_ring_free(sw.news);
	fdb_free(sw.fdb);
	rte_free(sw.rcu);
	assert_int_equal(rte_mempool_avail_count(sw.pool), MBUFS);
	rte_mempool_free(sw.pool);
}

/* Each packet that came in is at the other end, or counted. */
static void
test_threads(void **state __rte_unused)
{
	const char *seconds = getenv("UNIT_SECONDS");
	uint64_t end = now_s() + (seconds != NULL ? strtoul(seconds, NULL, 10) : 1);
	unsigned int number = 0;

	make_switch();
	launch();
	do {
		turn(number++);
	} while (number < 12 || now_s() < end);
	stop_workers();
	print_message("%u changes\n", number);
	free_switch();
}

static int
setup(void **state __rte_unused)
{
	static char text[][CPU_LIST_MAX] = { "threads", "--no-shconf", "--no-huge", "-m", "64",
		"--no-pci", "--no-telemetry", "--lcores", "" };
	char one[CPU_LIST_MAX], *argv[RTE_DIM(text)];
	unsigned int i;

	/* All of them may run wherever one may. */
	lcore_option(one);
	snprintf(text[RTE_DIM(text) - 1], CPU_LIST_MAX, "(0-%u)%.900s", WORKERS, strchr(one, '@'));
	for (i = 0; i < RTE_DIM(text); i++)
		argv[i] = text[i];
	return rte_eal_init(RTE_DIM(text), argv) < 0 ? -1 : 0;
}

static int
teardown(void **state __rte_unused)
{
	return rte_eal_cleanup();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests_name("vsw_threads", tests, setup, teardown);
}
