/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>

#include "xen_csum.h"
#include "xenvif_batch.h"
#include "xenvif_mcast.h"
#include "xenvif_rate.h"
#include "xenvif_stage.h"

#define EXTRA_GSO RTE_BIT32(XEN_NETIF_EXTRA_TYPE_GSO)

/* A burst's state while the ring is walked. */
struct rx_walk {
	struct xenvif_rxq *rxq;
	struct xen_netif_ring *ring;
	struct xenvif_slots slots;
	unsigned int nb_mbufs;
	unsigned int next_mbuf;
	/* What the burst can take, and what the walk may: less by the frames that packets make. */
	uint16_t nb_pkts;
	uint16_t max;
	/* For packets to be cut, once there is one. */
	struct xenvif_stage *stage;
	uint16_t stage_used;
	/* What the application has got, and what was lost; requests are neither. */
	uint16_t nb;
	int16_t lost;
	uint64_t bytes;
};

static inline void
stage_piece(struct xenvif_batch *b, const struct xen_netif_ring *ring, grant_ref_t gref,
		uint16_t offset, void *dest, uint16_t len)
{
	xengnttab_grant_copy_segment_t *seg = &b->segs[b->nb_segs++];

	seg->source.foreign.ref = gref;
	seg->source.foreign.offset = offset;
	seg->source.foreign.domid = ring->domid;
	seg->dest.virt = dest;
	seg->len = len;
	seg->flags = GNTCOPY_source_gref;
	b->nb_ops += xenvif_copy_ops(dest, len);
}

static inline struct rte_mbuf *
walk_mbuf(struct rx_walk *w)
{
	if (likely(w->next_mbuf < w->nb_mbufs))
		return w->rxq->batch.mbufs[w->next_mbuf++];
	return rte_pktmbuf_alloc(w->rxq->q.pool);
}

/* Take back what was staged of a packet that cannot be had whole. */
static void
unstage(struct xenvif_batch *b, struct rte_mbuf *head, uint16_t nb_segs, uint32_t nb_ops)
{
	b->nb_segs = nb_segs;
	b->nb_ops = nb_ops;
	rte_pktmbuf_free(head);
}

/*
 * Stage the copies of a packet of any number of slots into a chain of as many mbufs as it needs;
 * NULL when there are too few.
 */
static struct rte_mbuf *
stage_chain(struct rx_walk *w, const struct xenvif_request *r)
{
	struct xen_netif_queue *q = &w->rxq->q;
	struct xenvif_batch *b = &w->rxq->batch;
	struct rte_mbuf *head = NULL, *last = NULL, *m = NULL;
	uint16_t offset, left, len, segs = b->nb_segs;
	uint32_t rest = r->len, ops = b->nb_ops;
	unsigned int i;

	for (i = 0; i < r->nb_slots; i++) {
		offset = r->slot[i].offset;
		for (left = r->slot[i].size; left != 0; left -= len, offset += len) {
			if (m == NULL || m->data_len == q->room) {
				m = walk_mbuf(w);
				if (m == NULL) {
					unstage(b, head, segs, ops);
					return NULL;
				}
				xen_netif_place(m, q->room, rest);
				m->port = q->port_id;
				m->data_len = 0;
				if (head == NULL) {
					head = m;
				} else {
					last->next = m;
					head->nb_segs++;
				}
				last = m;
			}
			len = RTE_MIN(left, (uint16_t)(q->room - m->data_len));
			stage_piece(b, w->ring, r->slot[i].gref, offset,
					rte_pktmbuf_mtod_offset(m, void *, m->data_len), len);
			m->data_len += len;
			rest -= len;
		}
	}
	head->pkt_len = r->len;
	return head;
}

/* Is the packet to be cut here? */
static bool
to_be_cut(const struct xen_netif_queue *q, const struct xenvif_request *r)
{
	return (r->extras & EXTRA_GSO) != 0 &&
			(r->len > q->whole_max || (r->len > q->room && !q->scatter));
}

/*
 * Stage the copies of a packet to be cut, each slot into a page of its own. False when it has to
 * wait for another burst: what does not fit into this one's waits in the queue, and that is no more
 * than one packet makes.
 */
static bool
stage_to_cut(struct rx_walk *w, const struct xenvif_request *r)
{
	uint32_t frames = r->len / r->extra[XEN_NETIF_EXTRA_TYPE_GSO].u.gso.size;
	unsigned int i;
	uint8_t *page;

	if (xen_gso_held_any(&w->rxq->held))
		return false;
	if (w->stage == NULL)
		w->stage = xenvif_stage_get();
	if (w->stage == NULL || w->stage_used + r->nb_slots > XENVIF_STAGE_PAGES)
		return false;
	for (i = 0; i < r->nb_slots; i++) {
		if (r->slot[i].size == 0)
			continue;
		page = w->stage->pages + w->stage_used++ * XEN_PAGE_BYTES;
		stage_piece(&w->rxq->batch, w->ring, r->slot[i].gref, r->slot[i].offset,
				page + r->slot[i].offset, r->slot[i].size);
	}
	w->max -= RTE_MIN(frames, w->max);
	return true;
}

/* Record a packet and the responses to its slots, in the order of the ring. */
static void
record_packet(struct rx_walk *w, const struct xenvif_request *r, struct rte_mbuf *m, bool staged,
		uint16_t first_seg)
{
	struct xenvif_batch *b = &w->rxq->batch;
	struct xenvif_packet *p = &b->packets[b->nb_packets++];
	int16_t status = m != NULL || staged ? NETIF_RSP_OKAY : NETIF_RSP_ERROR;
	const struct netif_extra_info *gso = &r->extra[XEN_NETIF_EXTRA_TYPE_GSO];
	unsigned int i, slot = b->nb_slots;

	p->mbuf = m;
	p->staged = staged;
	p->gso_size = 0;
	if ((r->extras & EXTRA_GSO) != 0) {
		p->gso_size = gso->u.gso.size;
		p->gso_type = gso->u.gso.type;
	}
	p->first_seg = first_seg;
	p->nb_segs = b->nb_segs - first_seg;
	p->first_slot = slot;
	p->nb_slots = r->nb_slots + r->nb_extras;
	p->flags = r->slot[0].flags;
	b->nb_slots += p->nb_slots;

	b->rsp.tx[slot].id = r->slot[0].id;
	b->rsp.tx[slot++].status = status;
	/* Slots of extra info have no id (netif.h, NETIF_RSP_NULL). */
	for (i = 0; i < r->nb_extras; i++) {
		b->rsp.tx[slot].id = 0;
		b->rsp.tx[slot++].status = NETIF_RSP_NULL;
	}
	for (i = 1; i < r->nb_slots; i++) {
		b->rsp.tx[slot].id = r->slot[i].id;
		b->rsp.tx[slot++].status = status;
	}
	w->slots.cons += p->nb_slots;
}

/* May the packet be handed over? Counts it when not. */
static bool
packet_acceptable(struct rx_walk *w, const struct xenvif_request *r)
{
	const struct xen_netif_queue *q = &w->rxq->q;

	if (r->malformed || ((r->extras & EXTRA_GSO) != 0 && !q->rings->gso)) {
		xen_count_add(&w->ring->count.bad_packets, 1);
		return false;
	}
	if (r->len > q->room && !q->scatter && !to_be_cut(q, r)) {
		xen_count_add(&w->ring->count.oversize, 1);
		return false;
	}
	return true;
}

/* A request that is no packet: it is done at once, and answered in its turn. */
static void
take_mcast(struct rx_walk *w, const struct xenvif_request *r)
{
	uint16_t slot = w->rxq->batch.nb_slots;

	record_packet(w, r, NULL, false, w->rxq->batch.nb_segs);
	if (xenvif_mcast_change(w->ring->priv, r))
		w->rxq->batch.rsp.tx[slot].status = NETIF_RSP_OKAY;
	w->lost--;
}

/*
 * A packet that is not simply one good slot. False when it stays on the ring, for the batch or the
 * mbufs are used up, or when the guest has broken the protocol.
 */
static __rte_noinline bool
take_complex(struct rx_walk *w, const struct netif_tx_request *first)
{
	struct xen_netif_queue *q = &w->rxq->q;
	struct xenvif_batch *b = &w->rxq->batch;
	uint16_t first_seg = b->nb_segs;
	struct rte_mbuf *m = NULL;
	struct xenvif_request r;
	const char *broken;
	bool staged = false;

	broken = xenvif_request_take(&w->slots, first, &r);
	if (broken != NULL) {
		xen_netif_ring_broken(q->rings, w->ring, broken);
		return false;
	}
	if ((r.extras & XENVIF_EXTRAS_MCAST) != 0) {
		take_mcast(w, &r);
		return true;
	}
	if (packet_acceptable(w, &r)) {
		if (b->nb_segs + r.nb_slots + r.len / q->room + 1 > XENVIF_BATCH_SEGS)
			return false;
		staged = to_be_cut(q, &r);
		if (staged && !stage_to_cut(w, &r))
			return false;
		m = staged ? NULL : stage_chain(w, &r);
		if (m == NULL && !staged) {
			xen_count_add(&q->nombuf, 1);
			/* The batch's earlier packets hold mbufs that may come back. */
			if (b->nb_packets != 0 ||
					!xen_netif_starved(q, w->ring,
							(r.len + q->room - 1) / q->room))
				return false;
			xen_count_add(&w->ring->count.nombuf, 1);
		}
	}
	if (m != NULL && q->rss_hash && (r.extras & RTE_BIT32(XEN_NETIF_EXTRA_TYPE_HASH)) != 0)
		xen_hash_from_extra(&r.extra[XEN_NETIF_EXTRA_TYPE_HASH], m);
	record_packet(w, &r, m, staged, first_seg);
	return true;
}

/* The common packet: one slot, no extra info, fits into one mbuf. */
static inline void
take_simple(struct rx_walk *w, const struct netif_tx_request *req)
{
	struct xenvif_batch *b = &w->rxq->batch;
	struct xenvif_packet *p = &b->packets[b->nb_packets++];
	struct rte_mbuf *m = w->rxq->batch.mbufs[w->next_mbuf++];

	xen_netif_place(m, w->rxq->q.room, req->size);
	m->port = w->rxq->q.port_id;
	m->data_len = req->size;
	m->pkt_len = req->size;
	p->mbuf = m;
	p->first_seg = b->nb_segs;
	p->nb_segs = 1;
	p->first_slot = b->nb_slots;
	p->nb_slots = 1;
	p->flags = req->flags;
	p->gso_size = 0;
	p->staged = false;
	b->rsp.tx[b->nb_slots].id = req->id;
	b->rsp.tx[b->nb_slots++].status = NETIF_RSP_OKAY;
	stage_piece(b, w->ring, req->gref, req->offset, rte_pktmbuf_mtod(m, void *), req->size);
	w->slots.cons++;
}

/* Take the packet that is next on the ring, if there is one. False when it stays there. */
static inline bool
take_next(struct rx_walk *w)
{
	struct xen_netif_queue *q = &w->rxq->q;
	struct netif_tx_request req;

	if (w->slots.cons == w->slots.prod)
		return false;
	req = xen_ring_tx_request(w->slots.sring, w->slots.cons);
	if (unlikely(!xenvif_request_is_simple(&req) || req.size > q->room ||
			    w->next_mbuf == w->nb_mbufs ||
			    w->rxq->batch.nb_segs == XENVIF_BATCH_SEGS))
		return take_complex(w, &req);
	take_simple(w, &req);
	return true;
}

static inline void
walk_ring(struct rx_walk *w)
{
	while (w->rxq->batch.nb_packets < w->max && take_next(w))
		;
}

/* The same, as long as there is credit for another packet. */
static __rte_noinline void
walk_limited(struct rx_walk *w, struct xenvif_rate *rate)
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
reject_packet(struct rx_walk *w, const struct xenvif_packet *p)
{
	struct netif_tx_response *rsp = &w->rxq->batch.rsp.tx[p->first_slot];
	unsigned int i;

	for (i = 0; i < p->nb_slots; i++) {
		if (rsp[i].status != NETIF_RSP_NULL)
			rsp[i].status = NETIF_RSP_ERROR;
	}
	rte_pktmbuf_free(p->mbuf);
	w->lost++;
}

/* Find the headers of a packet to be segmented; counts it when there are none. */
static bool
find_gso(struct rx_walk *w, const struct xenvif_packet *p, const struct rte_mbuf *m,
		struct xen_gso *g)
{
	if (xen_gso_find(g, m, p->gso_type, p->gso_size) == 0)
		return true;
	xen_count_add(&w->ring->count.bad_packets, 1);
	return false;
}

/* Cut a packet that is in the stage; how many frames it makes, 0 when it is lost. */
static uint16_t
cut_packet(struct rx_walk *w, const struct xenvif_packet *p, struct rte_mbuf **frames)
{
	const xengnttab_grant_copy_segment_t *seg = &w->rxq->batch.segs[p->first_seg];
	struct rte_mbuf slots[XENVIF_SLOTS_FATAL];
	struct xen_gso g;
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
	if (!find_gso(w, p, slots, &g))
		return 0;
	switch (xen_gso_cut(&g, &w->rxq->q, slots, frames)) {
	case 0:
		xen_count_add(&w->ring->count.gso_cut, 1);
		return g.nb_segs;
	case -EMSGSIZE:
		xen_count_add(&w->ring->count.oversize, 1);
		return 0;
	default:
		xen_count_add(&w->rxq->q.nombuf, 1);
		xen_count_add(&w->ring->count.nombuf, 1);
		return 0;
	}
}

/* Hand over the frames of a packet that is cut; those beyond the burst wait. */
static __rte_noinline void
finish_cut(struct rx_walk *w, const struct xenvif_packet *p, struct rte_mbuf **pkts)
{
	struct rte_mbuf *frames[XEN_GSO_SEGS_MAX];
	uint16_t i, n, rest;
	uint64_t bytes = 0;

	n = cut_packet(w, p, frames);
	if (n == 0)
		reject_packet(w, p);
	for (i = 0; i < n && w->nb < w->nb_pkts; i++) {
		w->bytes += rte_pktmbuf_pkt_len(frames[i]);
		pkts[w->nb++] = frames[i];
	}
	rest = n - i;
	if (rest != 0 && __atomic_load_n(&w->rxq->q.classify, __ATOMIC_RELAXED) != 0)
		rest = xen_netif_rx_classify(&w->rxq->q, w->ring, frames + i, rest, &bytes);
	xen_gso_held_put(&w->rxq->held, frames + i, rest);
}

/* A packet to be segmented that the application gets whole. False when it has to be dropped. */
static __rte_noinline bool
finish_whole(struct rx_walk *w, const struct xenvif_packet *p)
{
	struct xen_gso g;

	if (!find_gso(w, p, p->mbuf, &g))
		return false;
	xen_count_add(&w->ring->count.gso_whole, 1);
	xen_gso_describe(&g, &w->rxq->q, p->mbuf);
	return w->rxq->q.legacy_ol_flags || xen_csum_receive(&w->rxq->q, w->ring, p->mbuf, true);
}

/* What a packet that was copied needs beside that. False when it has to be dropped. */
static inline bool
finish_packet(struct rx_walk *w, const struct xenvif_packet *p)
{
	if (unlikely(p->gso_size != 0))
		return finish_whole(w, p);
	return (p->flags & (NETTXF_csum_blank | NETTXF_data_validated)) == 0 ||
			xen_csum_receive(&w->rxq->q, w->ring, p->mbuf,
					(p->flags & NETTXF_csum_blank) != 0);
}

/* Hand the packets whose copies succeeded to the application. */
static inline void
finish_packets(struct rx_walk *w, bool all_copied, struct rte_mbuf **pkts)
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
	if (unlikely(__atomic_load_n(&w->rxq->q.classify, __ATOMIC_RELAXED) != 0))
		w->nb = xen_netif_rx_classify(&w->rxq->q, w->ring, pkts, w->nb, &w->bytes);
	xen_count_add(&w->rxq->q.errors, w->lost);
	xen_count_add(&w->rxq->q.packets, w->nb);
	xen_count_add(&w->rxq->q.bytes, w->bytes);
}

/*
 * Answer every slot taken, in ring order: some guests complete by position, not by id. Published
 * after the copies, for then the guest may take its pages back.
 */
static inline void
publish_responses(struct rx_walk *w)
{
	struct xen_netif_ring *ring = w->ring;
	struct netif_tx_sring *sring = ring->sring.tx;
	const struct xenvif_batch *b = &w->rxq->batch;
	uint32_t old = ring->cons;
	unsigned int i;

	for (i = 0; i < b->nb_slots; i++)
		sring->ring[(old + i) & XEN_NETIF_RING_MASK].rsp = b->rsp.tx[i];
	ring->cons = w->slots.cons;
	xen_count_add(&ring->count.slots, b->nb_slots);
	xen_ring_store(&sring->rsp_prod, ring->cons);
	xen_netif_notify(ring, &sring->rsp_event, ring->cons, old);
}

static unsigned int
take_mbufs(struct xenvif_rxq *rxq, unsigned int n)
{
	if (likely(rte_pktmbuf_alloc_bulk(rxq->q.pool, rxq->batch.mbufs, n) == 0))
		return n;
	/* What is left in the pool is taken one by one. */
	return 0;
}

/* rate is NULL while there is no limit. */
static uint16_t
rx_ring(struct xenvif_rxq *rxq, struct xen_netif_ring *ring, struct xenvif_rate *rate,
		struct rte_mbuf **pkts, uint16_t nb_pkts)
{
	struct rx_walk w = {
		.rxq = rxq,
		.ring = ring,
		.slots = { .sring = ring->sring.tx, .cons = ring->cons },
	};
	bool copied;

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
	if (likely(rate == NULL))
		walk_ring(&w);
	else
		walk_limited(&w, rate);
	if (rxq->batch.nb_packets != 0) {
		copied = xenvif_batch_copy(&rxq->batch, ring, rxq->q.rings->gnttab);
		finish_packets(&w, copied, pkts);
		publish_responses(&w);
	}
	if (unlikely(w.next_mbuf < w.nb_mbufs))
		rte_pktmbuf_free_bulk(&rxq->batch.mbufs[w.next_mbuf], w.nb_mbufs - w.next_mbuf);
	if (unlikely(w.stage != NULL))
		xenvif_stage_put(w.stage);
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
		if (!rte_spinlock_trylock(&ring->lock))
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
	xen_gso_held_drop(&container_of(q, struct xenvif_rxq, q)->held);
}
