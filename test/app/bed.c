/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <rte_eal.h>
#include <rte_malloc.h>
#include <rte_rcu_qsbr.h>

#include "bed.h"
#include "eal.h"
#include "fdb_cache.h"
#include "forward.h"
#include "packet.h"

#define NEWS_MAX 64

struct rte_mempool *unit_pool;
struct worker bed_worker;
struct dataplane bed_dp;
static uint32_t random_state;

int
bed_setup(void **state __rte_unused)
{
	return eal_start();
}

int
bed_teardown(void **state __rte_unused)
{
	return rte_eal_cleanup();
}

int
bed_begin(void **state __rte_unused)
{
	struct worker *w = &bed_worker;

	memset(w, 0, sizeof(*w));
	memset(&bed_dp, 0, sizeof(bed_dp));
	random_state = 1;
	unit_pool = rte_pktmbuf_pool_create("bed", BED_MBUFS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
			SOCKET_ID_ANY);
	assert_non_null(unit_pool);
	w->rcu = rte_zmalloc("rcu", rte_rcu_qsbr_get_memsize(1), RTE_CACHE_LINE_SIZE);
	assert_non_null(w->rcu);
	rte_rcu_qsbr_init(w->rcu, 1);
	w->fdb = fdb_create(BED_LEARNED, w->rcu);
	w->news = rte_ring_create_elem("news", sizeof(struct worker_news), NEWS_MAX, SOCKET_ID_ANY,
			0);
	assert_non_null(w->fdb);
	w->fdb_cache = fdb_cache_create(BED_LEARNED, SOCKET_ID_ANY);
	assert_non_null(w->fdb_cache);
	assert_non_null(w->news);
	w->pool = unit_pool;
	w->tsc = 1;
	w->now = 100;
	return 0;
}

int
bed_end(void **state __rte_unused)
{
	struct worker *w = &bed_worker;
	unsigned int i, lost;

	for (i = 0; i < RTE_MAX_ETHPORTS; i++)
		rte_pktmbuf_free_bulk(w->out[i].pkts, w->out[i].n);
	lost = bed_mbufs_out();
	rte_mempool_free(unit_pool);
	rte_free(w->fdb_cache);
	fdb_free(w->fdb);
	rte_ring_free(w->news);
	rte_free(w->rcu);
	if (lost == 0)
		return 0;
	print_error("%u mbufs are not back\n", lost);
	return -1;
}

struct dp_port *
bed_port(uint16_t port, uint16_t bridge)
{
	struct dp_port *p = &bed_dp.ports[port];

	p->bridge = bridge;
	p->learns = true;
	p->nb_txqs = 1;
	p->mtu = RTE_ETHER_MAX_JUMBO_FRAME_LEN;
	bed_dp.bridges[bridge].members |= RTE_BIT32(port);
	bed_dp.bridges[bridge].learning |= RTE_BIT32(port);
	return p;
}

struct dp_port *
bed_guest(uint16_t port, uint16_t bridge, uint64_t mac, enum guard_lock lock, uint16_t native)
{
	struct dp_port *p = bed_port(port, bridge);

	p->mac = mac;
	p->guest = true;
	p->undone = true;
	p->lock = lock;
	p->learns = lock == GUARD_OFF;
	bed_native(port, native);
	if (lock != GUARD_OFF)
		bed_dp.bridges[bridge].learning &= ~RTE_BIT32(port);
	if (native != VLAN_NONE)
		assert_int_equal(fdb_pin(bed_worker.fdb, fdb_key(mac, bridge, native), port), 0);
	return p;
}

void
bed_native(uint16_t port, uint16_t native)
{
	bed_dp.ports[port].native = native;
	bed_dp.ports[port].vlan.native = native;
}

void
bed_learn(uint64_t mac, uint16_t port, uint16_t vlan)
{
	assert_int_equal(fdb_learn(bed_worker.fdb, fdb_key(mac, bed_dp.ports[port].bridge, vlan),
					 port, 0, bed_worker.now),
			0);
}

void
bed_forward(uint16_t in, struct rte_mbuf *m)
{
	forward_burst(&bed_worker, &bed_dp, in, &m, 1);
}

void
bed_send(uint16_t in, uint64_t to, uint64_t from)
{
	struct packet p;

	put_any(&p, to, from, 60);
	bed_forward(in, packet_mbuf(&p, 0));
}

struct rte_mbuf *
bed_take(uint16_t port)
{
	struct worker_out *out = &bed_worker.out[port];
	struct rte_mbuf *m = out->pkts[0];

	if (out->n == 0)
		return NULL;
	out->n--;
	out->bytes -= m->pkt_len;
	memmove(&out->pkts[0], &out->pkts[1], out->n * sizeof(out->pkts[0]));
	return m;
}

void
bed_expect(uint16_t port, unsigned int n)
{
	struct worker_out *out = &bed_worker.out[port];

	if (out->n != n)
		fail_msg("port %u: %u packets instead of %u", port, out->n, n);
	if (n != 0)
		assert_int_equal(bed_worker.pending >> port & 1, 1);
	rte_pktmbuf_free_bulk(out->pkts, n);
	out->n = 0;
	out->bytes = 0;
}

void
bed_expect_nothing(void)
{
	unsigned int i;

	for (i = 0; i < RTE_MAX_ETHPORTS; i++)
		bed_expect(i, 0);
}

uint64_t
bed_drops(void)
{
	unsigned int i, j;
	uint64_t sum = 0;

	for (i = 0; i < RTE_MAX_ETHPORTS; i++) {
		for (j = 0; j < DROP_MAX; j++)
			sum += bed_worker.stats[i].drops[j];
	}
	return sum;
}

void
bed_expect_drop(uint16_t port, enum drop reason)
{
	unsigned int i, j;

	if (bed_worker.stats[port].drops[reason] != 1 || bed_drops() != 1) {
		for (i = 0; i < RTE_MAX_ETHPORTS; i++) {
			for (j = 0; j < DROP_MAX; j++) {
				if (bed_worker.stats[i].drops[j] != 0)
					print_error("port %u lost %u for %s\n", i,
							(unsigned int)bed_worker.stats[i].drops[j],
							stats_drop_name(j));
			}
		}
		fail_msg("port %u: not one for %s", port, stats_drop_name(reason));
	}
	bed_worker.stats[port].drops[reason] = 0;
}

bool
bed_news(struct worker_news *news)
{
	return rte_ring_dequeue_elem(bed_worker.news, news, sizeof(*news)) == 0;
}

uint32_t
bed_random(void)
{
	random_state = random_state * 1664525u + 1013904223u;
	return random_state >> 8;
}
