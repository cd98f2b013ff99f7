/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include "xen_csum.h"
#include "xen_mbuf.h"
#include "xen_trace.h"
#include "xenvif_rate.h"
#include "xenvif_run.h"

/* Take the packet that is next on the ring, if there is one. False when it stays there. */
static inline bool
take_next(struct xenvif_rx_walk *w)
{
	struct xen_netif_queue *q = &w->rxq->q;
	struct netif_tx_request req;

	if (w->slots.cons == w->slots.prod)
		return false;
	if (w->ended)
		req = w->end;
	else
		req = xen_ring_tx_request(w->slots.sring, w->slots.cons);
	w->ended = false;
	if (unlikely(!xenvif_request_is_simple(&req) || req.size > q->room ||
			    w->next_mbuf == w->nb_mbufs ||
			    w->rxq->batch.nb_segs == XENVIF_BATCH_SEGS))
		return xenvif_take_complex(w, &req);
	xenvif_take_simple(w, &req);
	return true;
}

static inline void
walk_ring(struct xenvif_rx_walk *w)
{
	while (w->rxq->batch.nb_packets < w->max && take_next(w))
		;
}

/* The same, as long as there is credit for another packet. */
static __rte_noinline void
walk_limited(struct xenvif_rx_walk *w, struct xenvif_rate *rate)
{
	const struct xenvif_batch *b = &w->rxq->batch;
	uint32_t bytes, seg;

	do {
		seg = b->nb_segs;
		if (b->nb_packets >= w->max || !take_next(w))
			break;
		for (bytes = 0; seg < b->nb_segs; seg++)
			bytes += b->segs[seg].len;
	} while (xenvif_rate_charge(rate, bytes));
}

/* Drop a packet after its copies: its data slots are answered with an error. */
static void
reject_packet(struct xenvif_rx_walk *w, const struct xenvif_packet *p)
{
	struct netif_tx_response *rsp = &w->rxq->batch.rsp.tx[p->first_slot];
	unsigned int i;

	for (i = 0; i < p->nb_slots; i++) {
		if (rsp[i].status != NETIF_RSP_NULL)
			rsp[i].status = NETIF_RSP_ERROR;
	}
	if (!p->staged)
		rte_pktmbuf_free(p->mbuf);
	w->lost++;
}

/* Cut a packet that is in the stage; how many frames it makes, 0 when it is lost. */
static uint16_t
cut_packet(struct xenvif_rx_walk *w, const struct xenvif_packet *p, struct rte_mbuf **frames)
{
	const xengnttab_grant_copy_segment_t *seg = &w->rxq->batch.segs[p->first_seg];
	struct rte_mbuf slots[XENVIF_SLOTS_FATAL];
	unsigned int i;

	/* Its slots as the segments of a packet, which is only read. */
	for (i = 0; i < p->nb_segs; i++)
		slots[i] = (struct rte_mbuf){
			.buf_addr = seg[i].dest.virt,
			.data_len = seg[i].len,
			.next = i + 1 < p->nb_segs ? &slots[i + 1] : NULL,
		};
	slots[0].nb_segs = p->nb_segs;
	for (i = 0; i < p->nb_segs; i++)
		slots[0].pkt_len += seg[i].len;
	if (p->hashed && w->rxq->q.rss_hash)
		xen_hash_from_extra(&p->hash, &slots[0]);
	return xen_gso_receive_cut(&w->rxq->q, w->ring, slots, p->gso_type, p->gso_size, frames);
}

/* Hand over the frames of a packet that is cut; those beyond the burst wait. */
static __rte_noinline void
finish_cut(struct xenvif_rx_walk *w, const struct xenvif_packet *p, struct rte_mbuf **pkts)
{
	struct rte_mbuf *frames[XEN_GSO_SEGS_MAX];
	uint16_t i, n;

	n = cut_packet(w, p, frames);
	if (n == 0)
		reject_packet(w, p);
	for (i = 0; i < n && w->nb < w->nb_pkts; i++) {
		w->bytes += rte_pktmbuf_pkt_len(frames[i]);
		pkts[w->nb++] = frames[i];
	}
	xen_gso_held_rest(&w->rxq->held, &w->rxq->q, w->ring, frames + i, n - i);
}

/* Do for a copied packet what its checksum's flags ask for. False when it has to be dropped. */
static inline bool
is_finished(struct xenvif_rx_walk *w, struct rte_mbuf *m, uint16_t flags)
{
	return (flags & XENVIF_CSUM_FLAGS) == 0 ||
			xen_csum_receive(&w->rxq->q, w->ring, m, (flags & NETTXF_csum_blank) != 0);
}

/* What a packet that was copied needs beside that. False when it has to be dropped. */
static inline bool
finish_packet(struct xenvif_rx_walk *w, const struct xenvif_packet *p)
{
	if (unlikely(p->gso_size != 0))
		return xen_gso_receive_whole(&w->rxq->q, w->ring, p->mbuf, p->gso_type,
				p->gso_size);
	return is_finished(w, p->mbuf, p->flags);
}

/* Hand the packets whose copies succeeded to the application. */
static inline void
finish_packets(struct xenvif_rx_walk *w, bool all_copied, struct rte_mbuf **pkts)
{
	struct xenvif_batch *b = &w->rxq->batch;
	const struct xenvif_packet *p;
	unsigned int i;

	for (i = 0; i < b->nb_packets; i++) {
		p = &b->packets[i];
		if (unlikely(p->mbuf == NULL && !p->staged)) {
			w->lost++;
			continue;
		}
		if (unlikely(!all_copied && xenvif_packet_failed(b, p, w->ring))) {
			reject_packet(w, p);
			continue;
		}
		if (unlikely(p->staged)) {
			finish_cut(w, p, pkts);
			continue;
		}
		if (unlikely(!finish_packet(w, p))) {
			reject_packet(w, p);
			continue;
		}
		w->bytes += p->mbuf->pkt_len;
		pkts[w->nb++] = p->mbuf;
	}
}

/* Look at all that goes to the application, and count. */
static inline void
hand_over(struct xenvif_rx_walk *w, struct rte_mbuf **pkts)
{
	if (unlikely(__atomic_load_n(&w->rxq->q.classify, __ATOMIC_RELAXED) != 0))
		w->nb = xen_netif_rx_classify(&w->rxq->q, w->ring, pkts, w->nb, &w->bytes);
	xen_count_add(&w->rxq->q.errors, w->lost);
	xen_count_add(&w->rxq->q.packets, w->nb);
	xen_count_add(&w->rxq->q.bytes, w->bytes);
}

/* Those of a run that is not all as it should be, or not all done with. */
static __rte_noinline void
finish_run(struct xenvif_rx_walk *w, bool all_copied, struct rte_mbuf **pkts)
{
	struct netif_tx_sring *sring = w->slots.sring;
	struct xenvif_batch *b = &w->rxq->batch;
	uint32_t cons = w->ring->cons;
	struct rte_mbuf *m;
	unsigned int i;
	uint16_t flags;

	w->bytes = 0;
	for (i = 0; i < w->run; i++) {
		m = pkts[i];
		flags = m->vlan_tci;
		m->vlan_tci = 0;
		if (likely((all_copied || !xenvif_seg_failed(b, i, w->ring)) &&
				    is_finished(w, m, flags))) {
			w->bytes += m->pkt_len;
			pkts[w->nb++] = m;
			continue;
		}
		sring->ring[(cons + i) & XEN_NETIF_RING_MASK].rsp.status = NETIF_RSP_ERROR;
		rte_pktmbuf_free(m);
		w->lost++;
	}
}

/*
 * Answer every slot taken, in ring order: some guests complete by position, not by id. Published
 * after the copies, for then the guest may take its pages back.
 */
static inline void
publish_responses(struct xenvif_rx_walk *w)
{
	struct xen_netif_ring *ring = w->ring;
	struct netif_tx_sring *sring = ring->sring.tx;
	const struct xenvif_batch *b = &w->rxq->batch;
	uint32_t old = ring->cons;
	unsigned int i;

	/* Those of the run are there. */
	for (i = 0; i < b->nb_slots; i++) {
		if (unlikely(b->rsp.tx[i].status == NETIF_RSP_NULL))
			xen_ring_tx_respond_null(sring, old + w->run + i);
		else
			sring->ring[(old + w->run + i) & XEN_NETIF_RING_MASK].rsp = b->rsp.tx[i];
	}
	ring->cons = w->slots.cons;
	xen_count_add(&ring->count.slots, w->run + b->nb_slots);
	xen_ring_store(&sring->rsp_prod, ring->cons);
	xen_netif_notify(ring, &sring->rsp_event, ring->cons, old);
}

/* They are as they came from the pool: whoever takes one resets it. */
static unsigned int
take_mbufs(struct xenvif_rxq *rxq, unsigned int n)
{
	if (likely(rte_mempool_get_bulk(rxq->q.pool, (void **)rxq->batch.mbufs, n) == 0))
		return n;
	/* What is left in the pool is taken one by one. */
	return 0;
}

/* rate is NULL while there is no limit. */
static uint16_t
rx_ring(struct xenvif_rxq *rxq, struct xen_netif_ring *ring, struct xenvif_rate *rate,
		struct rte_mbuf **pkts, uint16_t nb_pkts)
{
	struct xenvif_rx_walk w = {
		.rxq = rxq,
		.ring = ring,
		.slots = { .sring = ring->sring.tx, .cons = ring->cons },
	};
	bool copied, run_copied, csum = false;

	w.slots.prod = xen_ring_load(&w.slots.sring->req_prod);
	if (w.slots.prod == w.slots.cons)
		return 0;
	if (unlikely(xenvif_slots_overrun(w.slots.prod, w.slots.cons))) {
		xen_netif_ring_broken(rxq->q.rings, ring,
				"req_prod more than a ring ahead of rsp_prod");
		return 0;
	}
	if (unlikely(rate != NULL) && !xenvif_rate_allows(rate, ring->id, rte_get_tsc_cycles())) {
		xen_count_add(&ring->count.rate_stops, 1);
		return 0;
	}
	nb_pkts = RTE_MIN(nb_pkts, (uint16_t)XENVIF_BATCH_PKTS);
	w.nb_pkts = nb_pkts;
	w.max = nb_pkts;
	xenvif_batch_reset(&rxq->batch);
	w.nb_mbufs = take_mbufs(rxq, RTE_MIN(w.slots.prod - w.slots.cons, (uint32_t)nb_pkts));
	if (likely(rate == NULL)) {
		w.run = xenvif_run_take(&w, pkts, &csum);
		if (w.slots.cons != w.slots.prod)
			walk_ring(&w);
	} else {
		walk_limited(&w, rate);
	}
	/* Packets that are cut need them. */
	if (unlikely(w.next_mbuf < w.nb_mbufs))
		rte_mempool_put_bulk(rxq->q.pool, (void **)&rxq->batch.mbufs[w.next_mbuf],
				w.nb_mbufs - w.next_mbuf);
	if (w.slots.cons != ring->cons) {
		copied = xenvif_batch_copy(&rxq->batch, ring, rxq->q.rings->gnttab);
		/* Copies that are made here do not fail. */
		run_copied = copied || ring->has_grants;
		if (likely(run_copied && !csum))
			w.nb = w.run;
		else
			finish_run(&w, run_copied, pkts);
		finish_packets(&w, copied, pkts);
		hand_over(&w, pkts);
		publish_responses(&w);
	}
	if (unlikely(w.stage != NULL))
		xenvif_stage_put(w.stage);
	rte_xen_trace_rx_burst(rxq->q.port_id, ring->id, w.nb, ring->cons);
	return w.nb;
}

uint16_t
xenvif_rx_burst(void *queue, struct rte_mbuf **pkts, uint16_t nb_pkts)
{
	struct xenvif_rxq *rxq = queue;
	struct xen_netif_rings *rings = rxq->q.rings;
	uint16_t active = __atomic_load_n(&rings->active_queues, __ATOMIC_RELAXED);
	uint16_t n = 0, tried, i = rxq->next_ring, step = rxq->q.nb_queues;
	struct xenvif_rate *rate = __atomic_load_n(&rings->priv, __ATOMIC_RELAXED);
	struct xen_netif_ring *ring;

	if (unlikely(__atomic_load_n(&rings->waiting_rings, __ATOMIC_RELAXED) != 0))
		xenvif_tx_flush(rings, &rxq->batch);
	if (unlikely(__atomic_load_n(&rings->held, __ATOMIC_RELAXED) != 0))
		xen_netif_notify_poll(rings);
	xen_netif_monitor_end(&rxq->q);
	if (unlikely(!__atomic_load_n(&rxq->q.running, __ATOMIC_ACQUIRE)))
		return 0;
	if (unlikely(xen_gso_held_any(&rxq->held)))
		n = xen_gso_held_take(&rxq->held, &rxq->q, pkts, nb_pkts);
	if (likely(rate == NULL || !xenvif_rate_limited(rate)))
		rate = NULL;
	/* Every ring of this queue once; the next burst begins with the one after the last. */
	for (tried = rxq->q.id; tried < active && n < nb_pkts; tried += step) {
		if (i >= active || i < rxq->q.id)
			i = rxq->q.id;
		ring = &rings->rx[i];
		i += step;
		if (xen_netif_ring_idle(rings, ring, offsetof(struct netif_tx_sring, req_prod)) ||
				!rte_spinlock_trylock(&ring->lock))
			continue;
		if (likely(ring->attached))
			n += rx_ring(rxq, ring, rate, pkts + n, nb_pkts - n);
		rte_spinlock_unlock(&ring->lock);
	}
	rxq->next_ring = i;
	return n;
}

int
xenvif_rxq_init(struct xen_netif_queue *q)
{
	struct xenvif_rxq *rxq = container_of(q, struct xenvif_rxq, q);

	rxq->rearm = xen_mbuf_rearm(q->port_id, RTE_PKTMBUF_HEADROOM);
	rte_spinlock_init(&rxq->held.lock);
	return q->rings->gso ? xenvif_stage_reserve() : 0;
}

void
xenvif_rxq_fini(struct xen_netif_queue *q)
{
	xenvif_rxq_stop(q);
	if (q->rings->gso)
		xenvif_stage_release();
}

void
xenvif_rxq_stop(struct xen_netif_queue *q)
{
	xen_gso_held_drop(&container_of(q, struct xenvif_rxq, q)->held, q);
}

bool
xenvif_rxq_arm(struct xen_netif_queue *q)
{
	uint16_t i, active = __atomic_load_n(&q->rings->active_queues, __ATOMIC_SEQ_CST);
	bool ready = false, running = __atomic_load_n(&q->running, __ATOMIC_SEQ_CST);
	struct xen_netif_ring *ring;

	for (i = q->id; i < active; i += q->nb_queues) {
		ring = &q->rings->rx[i];
		rte_spinlock_lock(&ring->lock);
		if (ring->attached && running)
			ready |= xen_ring_arm(&ring->sring.tx->req_event, &ring->sring.tx->req_prod,
					ring->cons);
		rte_spinlock_unlock(&ring->lock);
		ready |= xenvif_wait_arm(q->rings, &q->rings->tx[i]);
	}
	return ready;
}

bool
xenvif_rxq_holds(const struct xen_netif_queue *q)
{
	return xen_gso_held_any(&container_of(q, const struct xenvif_rxq, q)->held);
}

const uint32_t *
xenvif_rx_prod(const struct xen_netif_ring *ring)
{
	return &ring->sring.tx->req_prod;
}
