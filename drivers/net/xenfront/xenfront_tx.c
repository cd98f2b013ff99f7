/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <rte_prefetch.h>

#include "xen_flow.h"
#include "xen_trace.h"
#include "xenfront_put.h"

/* How far ahead the data of packets is fetched. */
#define TX_PREFETCH 4

/* Take back the pages of all answered requests. -1: the backend has broken the protocol. */
static inline int
reclaim(struct xenfront_tx_walk *w)
{
	struct xen_netif_ring *ring = w->ring;
	uint16_t nb_free = w->tx->ids.nb_free;
	const char *broken;

	broken = xenfront_response_reclaim(ring->sring.tx, ring->prod, &ring->cons, &w->tx->ids);
	if (unlikely(w->tx->nb_held != 0))
		xenfront_tx_let_go(w->tx, nb_free);
	if (unlikely(w->tx->ids.nb_refused != 0)) {
		xen_count_add(&ring->count.refused, w->tx->ids.nb_refused);
		xen_count_add(&w->q->errors, w->tx->ids.nb_refused);
		w->tx->ids.nb_refused = 0;
	}
	if (likely(broken == NULL))
		return 0;
	xen_netif_ring_broken(w->q->rings, ring, broken);
	return -1;
}

/* A packet of one page with none of these flags, and a slot for it? */
static inline bool
is_simple(const struct xenfront_tx_walk *w, const struct rte_mbuf *m, uint64_t flags)
{
	return xenfront_put_is_simple(m, flags) && tx_room(w) != 0;
}

/* Write requests for as many packets as there are slots for; how many were taken and freed. */
static inline uint16_t
put_packets(struct xenfront_tx_walk *w, struct rte_mbuf **pkts, uint16_t nb_pkts)
{
	struct rte_mbuf *m;
	uint16_t i, run;

	for (i = 0; i < nb_pkts; i++) {
		m = pkts[i];
		if (i + TX_PREFETCH < nb_pkts)
			rte_prefetch0(rte_pktmbuf_mtod(pkts[i + TX_PREFETCH], void *));
		if (likely(is_simple(w, m, TX_WISHES | RTE_MBUF_F_EXTERNAL))) {
			put_simple(w, m);
			continue;
		}
		if (is_simple(w, m, TX_WISHES)) {
			run = xenfront_put_granted(w, &pkts[i], nb_pkts - i);
			if (run == 0)
				put_simple(w, m);
			else
				i += run - 1;
			continue;
		}
		if (!xenfront_put_complex(w, m)) {
			xen_count_add(&w->ring->count.ring_full, 1);
			break;
		}
	}
	return i;
}

static inline uint16_t
tx_ring(struct xen_netif_queue *q, struct xen_netif_ring *ring, struct rte_mbuf **pkts,
		uint16_t nb_pkts)
{
	uint32_t old = ring->prod;
	struct xenfront_tx_walk w;
	uint16_t n;

	/* Not as a whole: the array in it is large. */
	w.tx = ring->priv;
	w.ring = ring;
	w.q = q;
	w.prod = old;
	w.packets = 0;
	w.nb_done = 0;
	w.bytes = 0;
	if (reclaim(&w) < 0)
		return 0;
	n = put_packets(&w, pkts, nb_pkts);
	if (w.prod != old) {
		ring->prod = w.prod;
		xen_ring_store(&ring->sring.tx->req_prod, w.prod);
		xen_netif_notify(ring, &ring->sring.tx->req_event, w.prod, old);
	}
	xen_count_add(&ring->count.slots, w.prod - old);
	xen_count_add(&q->packets, w.packets);
	xen_count_add(&q->bytes, w.bytes);
	put_back(&w);
	rte_xen_trace_tx_burst(q->port_id, ring->id, n, w.prod);
	return n;
}

static uint16_t
tx_locked(struct xen_netif_queue *q, struct xen_netif_ring *ring, struct rte_mbuf **pkts,
		uint16_t nb_pkts)
{
	uint16_t n = 0;

	rte_spinlock_lock(&ring->lock);
	if (likely(ring->attached))
		n = tx_ring(q, ring, pkts, nb_pkts);
	rte_spinlock_unlock(&ring->lock);
	return n;
}

/*
 * There are more rings than queues: each flow keeps to one of them. In order, for what follows a
 * packet that finds no slot stays with the application.
 */
static __rte_noinline uint16_t
tx_spread(struct xen_netif_queue *q, uint16_t active, struct rte_mbuf **pkts, uint16_t nb_pkts)
{
	uint16_t first, n, taken, ring, next = 0;

	if (nb_pkts != 0)
		next = xen_flow_queue(pkts[0], active);
	for (first = 0; first < nb_pkts; first += n) {
		ring = next;
		for (n = 1; first + n < nb_pkts; n++) {
			next = xen_flow_queue(pkts[first + n], active);
			if (next != ring)
				break;
		}
		taken = tx_locked(q, &q->rings->tx[ring], pkts + first, n);
		if (taken < n)
			return first + taken;
	}
	return nb_pkts;
}

uint16_t
xenfront_tx_burst(void *txq, struct rte_mbuf **pkts, uint16_t nb_pkts)
{
	struct xen_netif_queue *q = txq;
	uint16_t active = __atomic_load_n(&q->rings->active_queues, __ATOMIC_ACQUIRE);

	if (unlikely(active == 0 || !__atomic_load_n(&q->running, __ATOMIC_ACQUIRE)))
		return 0;
	if (unlikely(__atomic_load_n(&q->rings->held, __ATOMIC_RELAXED) != 0))
		xen_netif_notify_poll(q->rings);
	if (unlikely(q->nb_queues < active))
		return tx_spread(q, active, pkts, nb_pkts);
	return tx_locked(q, &q->rings->tx[q->id % active], pkts, nb_pkts);
}

/* Slots of the ring that the queue sends by; of several rings a flow may have another. */
uint32_t
xenfront_txq_free(struct xen_netif_queue *q)
{
	uint16_t active = __atomic_load_n(&q->rings->active_queues, __ATOMIC_ACQUIRE);
	uint32_t used = 0;
	struct xen_netif_ring *ring;

	if (active == 0)
		return XEN_NETIF_RING_SIZE;
	ring = &q->rings->tx[q->id % active];
	rte_spinlock_lock(&ring->lock);
	if (ring->attached)
		used = ring->prod - xen_ring_load(&ring->sring.tx->rsp_prod);
	rte_spinlock_unlock(&ring->lock);
	return used < XEN_NETIF_RING_SIZE ? XEN_NETIF_RING_SIZE - used : 0;
}

/* Free the mbufs of a ring that are not needed any more; how many. */
static uint16_t
cleanup_ring(struct xen_netif_queue *q, struct xen_netif_ring *ring)
{
	struct xenfront_tx_walk w;
	uint16_t held = 0;

	rte_spinlock_lock(&ring->lock);
	if (ring->attached) {
		w.tx = ring->priv;
		w.ring = ring;
		w.q = q;
		held = w.tx->nb_held;
		reclaim(&w);
		held -= w.tx->nb_held;
	}
	rte_spinlock_unlock(&ring->lock);
	return held;
}

/* More than free_cnt may go. */
int
xenfront_tx_done_cleanup(void *txq, uint32_t free_cnt __rte_unused)
{
	struct xen_netif_queue *q = txq;
	uint16_t i, active;
	int n = 0;

	/* Not set up, or the port has been reset: ethdev does not look. */
	if (q == NULL)
		return 0;
	active = __atomic_load_n(&q->rings->active_queues, __ATOMIC_ACQUIRE);
	if (active == 0 || !__atomic_load_n(&q->running, __ATOMIC_ACQUIRE))
		return 0;
	if (q->nb_queues >= active)
		return cleanup_ring(q, &q->rings->tx[q->id % active]);
	for (i = 0; i < active; i++)
		n += cleanup_ring(q, &q->rings->tx[i]);
	return n;
}
