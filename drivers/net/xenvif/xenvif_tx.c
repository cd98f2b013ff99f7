/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <rte_bitops.h>

#include "xen_flow.h"
#include "xen_mbuf.h"
#include "xen_trace.h"
#include "xenvif_mcast.h"
#include "xenvif_run.h"

/* Packets that wait and go with one call: more are hardly cheaper. */
#define WAITING_BATCH 32u

/* Put a packet, or drop it. False when it does not fit into the ring or the batch. */
static __rte_always_inline bool
put_packet(struct xenvif_tx_walk *w, struct xenvif_batch *b, struct rte_mbuf *m, uint16_t max)
{
	if (unlikely(!xenvif_put_is_simple(m, max) || w->cons == w->prod ||
			    b->nb_segs >= XENVIF_BATCH_SEGS))
		return xenvif_put_complex(w, m);
	xenvif_put_simple(w, b, m);
	return true;
}

/* A run, if what is first is not to be gone on with, and then one by one. */
static __rte_always_inline void
walk_packets(struct xenvif_tx_walk *w, struct rte_mbuf **pkts, uint16_t nb_pkts)
{
	uint16_t max = __atomic_load_n(&w->rings->simple_max, __ATOMIC_RELAXED);
	struct xenvif_batch *b = w->b;

	if (likely(w->cut == 0))
		w->run = xenvif_run_put(w, pkts, nb_pkts, max);
	pkts += w->run;
	nb_pkts -= w->run;
	while (b->nb_packets < nb_pkts && put_packet(w, b, pkts[b->nb_packets], max))
		;
}

/*
 * The same for a guest that has chosen its multicast, or asked for hashes, which go with its
 * packets. What has gone in part goes whole.
 */
static __rte_noinline void
walk_chosen(struct xenvif_tx_walk *w, struct rte_mbuf **pkts, uint16_t nb_pkts,
		const struct xenvif_mcast *mcast)
{
	bool hash = __atomic_load_n(&w->rings->hash.on, __ATOMIC_RELAXED);
	uint16_t max = __atomic_load_n(&w->rings->simple_max, __ATOMIC_RELAXED);
	bool filter = xenvif_mcast_is_on(mcast);
	struct xenvif_batch *b = w->b;
	struct rte_mbuf *m;

	while (b->nb_packets < nb_pkts) {
		m = pkts[b->nb_packets];
		if (filter && w->cut == 0 && !xenvif_mcast_passes(mcast, m)) {
			b->packets[b->nb_packets++].nb_slots = 0;
			w->filtered++;
		} else if (!(hash ? xenvif_put_complex(w, m) : put_packet(w, b, m, max))) {
			break;
		}
	}
}

/* Slots of extra info behind a first slot. */
static unsigned int
extras_behind(const struct netif_rx_response *first)
{
	struct netif_extra_info extra = { .flags = XEN_NETIF_EXTRA_FLAG_MORE };
	unsigned int n = 0;

	if ((first->flags & NETRXF_extra_info) == 0)
		return 0;
	while ((extra.flags & XEN_NETIF_EXTRA_FLAG_MORE) != 0)
		memcpy(&extra, &first[++n], sizeof(extra));
	return n;
}

/*
 * Did a copy of the packet fail? Each slot of it, or of its segments, says so in its response, and
 * the guest drops it: the chain of slots stays whole, with the extra info as it is.
 */
static bool
packet_lost(struct xenvif_tx_walk *w, const struct xenvif_packet *p)
{
	struct netif_rx_response *rsp = &w->b->rsp.rx[p->first_slot];
	unsigned int i;

	if (!xenvif_packet_failed(w->b, p, w->ring))
		return false;
	for (i = 0; i < p->nb_slots; i += 1 + extras_behind(&rsp[i]))
		rsp[i].status = NETIF_RSP_ERROR;
	return true;
}

/* The segments at the end of the batch: when some are lost, so is the rest of their packet. */
static __rte_noinline void
finish_part(struct xenvif_tx_walk *w)
{
	if (!packet_lost(w, &w->b->packets[w->b->nb_packets]))
		return;
	w->b->nb_packets++;
	w->errors++;
	w->cut = 0;
}

/* Some copies failed: those of the run are not counted, and the guest drops them. */
static __rte_noinline void
finish_run(struct xenvif_tx_walk *w, struct rte_mbuf **pkts)
{
	struct netif_rx_sring *sring = w->ring->sring.rx;
	uint32_t cons = w->ring->cons;
	uint16_t i;

	for (i = 0; i < w->run; i++) {
		if (!xenvif_seg_failed(w->b, i, w->ring))
			continue;
		sring->ring[(cons + i) & XEN_NETIF_RING_MASK].rsp.status = NETIF_RSP_ERROR;
		w->bytes -= rte_pktmbuf_pkt_len(pkts[i]);
		w->packets--;
		w->errors++;
	}
}

/* Count what was delivered. */
static inline void
finish_packets(struct xenvif_tx_walk *w, bool all_copied, struct rte_mbuf **pkts)
{
	struct xenvif_batch *b = w->b;
	const struct xenvif_packet *p;
	unsigned int i, sent = 0;

	for (i = 0; i < b->nb_packets; i++) {
		p = &b->packets[i];
		if (unlikely(p->nb_slots == 0))
			continue;
		if (unlikely(!all_copied && packet_lost(w, p)))
			continue;
		sent++;
		w->bytes += rte_pktmbuf_pkt_len(pkts[i]);
	}
	w->packets += sent;
	w->errors += b->nb_packets - w->filtered - sent;
	if (unlikely(w->part && !all_copied))
		finish_part(w);
}

/* Answer each buffer in its own slot; published at a packet's end, as Linux and Windows need. */
static inline void
publish_responses(struct xenvif_tx_walk *w)
{
	struct xen_netif_ring *ring = w->ring;
	struct netif_rx_sring *sring = ring->sring.rx;
	const struct xenvif_batch *b = w->b;
	uint32_t old = ring->cons;
	unsigned int i;

	/* Those of the run are there. */
	for (i = 0; i < b->nb_slots; i++)
		sring->ring[(old + w->run + i) & XEN_NETIF_RING_MASK].rsp = b->rsp.rx[i];
	ring->cons = w->cons;
	xen_count_add(&ring->count.slots, w->run + b->nb_slots);
	xen_ring_store(&sring->rsp_prod, w->cons);
	xen_netif_notify(ring, &sring->rsp_event, w->cons, old);
}

/* Deliver packets while buffers are posted; how many were taken and freed. */
static __rte_always_inline uint16_t
send_packets(struct xenvif_tx_walk *w, struct rte_mbuf **pkts, uint16_t nb_pkts)
{
	const struct xenvif_wait *wait = w->ring->priv;
	struct xenvif_batch *b = w->b;
	uint16_t n = 0;
	bool copied;

	do {
		w->prod = xen_ring_load(&w->ring->sring.rx->req_prod);
		if (unlikely(w->prod - w->cons > XEN_NETIF_RING_SIZE)) {
			xen_netif_ring_broken(w->rings, w->ring,
					"req_prod more than a ring ahead of rsp_prod");
			break;
		}
		xenvif_batch_reset(b);
		w->run = 0;
		w->part = false;
		w->filtered = 0;
		if (likely(!xenvif_mcast_is_on(wait->mcast) &&
				    !__atomic_load_n(&w->rings->hash.on, __ATOMIC_RELAXED)))
			walk_packets(w, pkts + n, RTE_MIN(nb_pkts - n, (int)XENVIF_BATCH_PKTS));
		else
			walk_chosen(w, pkts + n, RTE_MIN(nb_pkts - n, (int)XENVIF_BATCH_PKTS),
					wait->mcast);
		if (w->run == 0 && b->nb_packets == 0 && !w->part)
			break;
		copied = xenvif_batch_copy(b, w->ring, w->rings->gnttab);
		w->packets += w->run;
		if (unlikely(!copied && !w->ring->has_grants))
			finish_run(w, pkts + n);
		if (b->nb_packets != 0 || w->part)
			finish_packets(w, copied, pkts + n + w->run);
		if (unlikely(w->filtered != 0))
			xen_count_add(&w->ring->count.filtered, w->filtered);
		if (w->cons != w->ring->cons)
			publish_responses(w);
		xen_mbufs_free(pkts + n, w->run, b->mbufs);
		n += w->run;
		if (unlikely(b->nb_packets != 0))
			rte_pktmbuf_free_bulk(pkts + n, b->nb_packets);
		n += b->nb_packets;
	} while (unlikely(n < nb_pkts && !w->full));
	return n;
}

/* Deliver what waits for a ring; false when some has to wait on. */
static __rte_noinline bool
flush_ring(struct xen_netif_rings *rings, struct xen_netif_ring *ring, struct xenvif_batch *b)
{
	struct rte_mbuf *pkts[WAITING_BATCH];
	struct xenvif_wait *wait = ring->priv;
	/* Not the tx queue's: another lcore may be at work with that. */
	struct xenvif_hash_copy hash = { .generation = 0 };
	struct xenvif_txq *txq = NULL;
	uint16_t n, taken;

	while ((n = xenvif_wait_peek(ring, pkts, WAITING_BATCH, &txq)) != 0) {
		struct xenvif_tx_walk w = {
			.rings = rings,
			.b = b,
			.ring = ring,
			.hash = &hash,
			.cons = ring->cons,
			.in_parts = true,
			.cut = wait->cut,
		};

		taken = send_packets(&w, pkts, n);
		xenvif_wait_pop(rings, ring, taken);
		wait->cut = w.cut;
		__atomic_fetch_add(&txq->q.late.packets, w.packets, __ATOMIC_RELAXED);
		__atomic_fetch_add(&txq->q.late.bytes, w.bytes, __ATOMIC_RELAXED);
		__atomic_fetch_add(&txq->q.late.errors, w.errors, __ATOMIC_RELAXED);
		if (taken < n && (!ring->attached || !xenvif_wait_expire(rings, ring, w.prod)))
			return false;
	}
	return true;
}

void
xenvif_tx_flush(struct xen_netif_rings *rings, struct xenvif_batch *b)
{
	uint16_t i, active = __atomic_load_n(&rings->active_queues, __ATOMIC_RELAXED);
	struct xen_netif_ring *ring;

	for (i = 0; i < active; i++) {
		ring = &rings->tx[i];
		/* Whoever has it sends what waits. */
		if (!rte_spinlock_trylock(&ring->lock))
			continue;
		if (ring->attached)
			flush_ring(rings, ring, b);
		rte_spinlock_unlock(&ring->lock);
	}
}

void
xenvif_txq_cleanup(struct xen_netif_queue *q)
{
	xenvif_tx_flush(q->rings, &container_of(q, struct xenvif_txq, q)->batch);
}

/* Deliver packets to a ring, or have them wait for it; fewer when the descriptors are used up. */
static __rte_always_inline uint16_t
tx_ring(struct xenvif_txq *txq, struct xen_netif_ring *ring, struct rte_mbuf **pkts,
		uint16_t nb_pkts)
{
	struct xenvif_tx_walk w = {
		.rings = txq->q.rings,
		.b = &txq->batch,
		.ring = ring,
		.hash = &txq->hash,
	};
	struct xenvif_wait *wait;
	uint16_t n = 0;

	rte_spinlock_lock(&ring->lock);
	if (unlikely(!ring->attached))
		goto unlock;
	wait = ring->priv;
	if (likely(wait->nb == 0 || flush_ring(w.rings, ring, &txq->batch))) {
		w.cons = ring->cons;
		n = send_packets(&w, pkts, nb_pkts);
	}
	if (unlikely(n < nb_pkts && ring->attached)) {
		xen_count_add(&ring->count.ring_full, 1);
		n += xenvif_wait_put(txq, ring, xen_ring_load(&ring->sring.rx->req_prod), pkts + n,
				nb_pkts - n);
		/* Begun in this burst, before which nothing waited. */
		if (w.cut != 0 && wait->nb != 0)
			wait->cut = w.cut;
	}
	rte_xen_trace_tx_burst(txq->q.port_id, ring->id, n, ring->cons);
unlock:
	rte_spinlock_unlock(&ring->lock);
	xen_count_add(&txq->q.packets, w.packets);
	xen_count_add(&txq->q.bytes, w.bytes);
	xen_count_add(&txq->q.errors, w.errors);
	return n;
}

/* The same out of line, for bursts that go to several rings. */
static __rte_noinline uint16_t
tx_part(struct xenvif_txq *txq, struct xen_netif_ring *ring, struct rte_mbuf **pkts,
		uint16_t nb_pkts)
{
	return tx_ring(txq, ring, pkts, nb_pkts);
}

/* In order, ring by ring: what follows a packet that is not taken stays with the application. */
static uint16_t
tx_runs(struct xenvif_txq *txq, const uint8_t *rings, struct rte_mbuf **pkts, uint16_t nb_pkts)
{
	uint16_t first, n, taken;

	for (first = 0; first < nb_pkts; first += n) {
		for (n = 1; first + n < nb_pkts && rings[first + n] == rings[first]; n++)
			;
		taken = tx_part(txq, &txq->q.rings->tx[rings[first]], pkts + first, n);
		if (taken < n)
			return first + taken;
	}
	return nb_pkts;
}

/* The vif went away under a burst of which some is sent. */
static void
drop_rest(struct xenvif_txq *txq, struct xen_netif_ring *ring, struct rte_mbuf **pkts, uint16_t n)
{
	rte_spinlock_lock(&ring->lock);
	xen_count_add(&ring->count.wait_flushed, n);
	rte_spinlock_unlock(&ring->lock);
	xen_count_add(&txq->q.errors, n);
	rte_pktmbuf_free_bulk(pkts, n);
}

/* All packets of a ring together. Each is taken: there are descriptors for all of them. */
static void
tx_sorted(struct xenvif_txq *txq, const uint8_t *rings, struct rte_mbuf **pkts, uint16_t nb_pkts)
{
	struct rte_mbuf *of_ring[XENVIF_BATCH_PKTS];
	struct xen_netif_ring *ring;
	uint32_t used = 0;
	uint16_t i, n, taken;

	for (i = 0; i < nb_pkts; i++)
		used |= RTE_BIT32(rings[i]);
	for (; used != 0; used &= used - 1) {
		ring = &txq->q.rings->tx[rte_bsf32(used)];
		for (i = 0, n = 0; i < nb_pkts; i++) {
			if (rings[i] == ring->id)
				of_ring[n++] = pkts[i];
		}
		taken = tx_part(txq, ring, of_ring, n);
		if (unlikely(taken < n))
			drop_rest(txq, ring, of_ring + taken, n - taken);
	}
}

/* The guest decides by a packet's hash where it goes, if it has asked for one of this kind. */
static uint16_t
choose_ring(const struct xen_hash_config *hash, const struct rte_mbuf *m, uint16_t active)
{
	uint32_t value;

	if (hash == NULL || xen_hash_packet(hash, m, &value) < 0)
		return xen_flow_queue(m, active);
	return xen_hash_queue(hash, value, active);
}

/*
 * The guest has more queues than the application, or chooses among its queues itself: each flow
 * keeps to one of them.
 */
static __rte_noinline uint16_t
tx_spread(struct xenvif_txq *txq, uint16_t active, struct rte_mbuf **pkts, uint16_t nb_pkts)
{
	const struct xen_hash_config *hash = xenvif_hash_wanted(&txq->q.rings->hash, &txq->hash);
	uint8_t rings[XENVIF_BATCH_PKTS];
	uint16_t done = 0, i, n, taken;

	while (done < nb_pkts) {
		n = RTE_MIN(nb_pkts - done, (int)XENVIF_BATCH_PKTS);
		for (i = 0; i < n; i++)
			rings[i] = choose_ring(hash, pkts[done + i], active);
		if (likely(n <= xenvif_wait_free(txq))) {
			tx_sorted(txq, rings, pkts + done, n);
			taken = n;
		} else {
			taken = tx_runs(txq, rings, pkts + done, n);
		}
		done += taken;
		if (taken < n)
			break;
	}
	return done;
}

uint16_t
xenvif_tx_burst(void *queue, struct rte_mbuf **pkts, uint16_t nb_pkts)
{
	struct xenvif_txq *txq = queue;
	struct xen_netif_rings *rings = txq->q.rings;
	uint16_t active = __atomic_load_n(&rings->active_queues, __ATOMIC_RELAXED);

	if (unlikely(active == 0 || !__atomic_load_n(&txq->q.running, __ATOMIC_ACQUIRE)))
		return 0;
	if (unlikely(__atomic_load_n(&rings->waiting_rings, __ATOMIC_RELAXED) != 0))
		xenvif_tx_flush(rings, &txq->batch);
	if (unlikely(__atomic_load_n(&rings->held, __ATOMIC_RELAXED) != 0))
		xen_netif_notify_poll(rings);
	if (unlikely(txq->q.nb_queues < active ||
			    __atomic_load_n(&rings->hash.on, __ATOMIC_RELAXED)))
		return tx_spread(txq, active, pkts, nb_pkts);
	return tx_ring(txq, &rings->tx[txq->q.id % active], pkts, nb_pkts);
}
