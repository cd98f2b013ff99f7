/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <rte_ether.h>

#include "xen_csum.h"
#include "xenvif_batch.h"

/* What ends the walk over the ring, beside a packet taken. */
enum rx_result {
	RX_TAKEN,
	/* The batch or the mbufs are used up; the packet stays on the ring. */
	RX_STOP,
	/* The guest has broken the protocol. */
	RX_BROKEN,
};

/* A burst's state while the ring is walked. */
struct rx_walk {
	struct xenvif_rxq *rxq;
	struct xen_netif_ring *ring;
	uint32_t cons;
	uint32_t prod;
	unsigned int nb_mbufs;
	unsigned int next_mbuf;
};

/* A packet's requests, as they were copied out of the ring. */
struct rx_requests {
	struct netif_tx_request req[XENVIF_SLOTS_FATAL];
	unsigned int nb;
	unsigned int nb_extras;
	/* A packet that is consumed and answered with an error. */
	bool drop;
};

static inline void
stage_piece(struct xenvif_batch *b, struct xen_netif_ring *ring, grant_ref_t gref, uint16_t offset,
		void *dest, uint16_t len)
{
	xengnttab_grant_copy_segment_t *seg = &b->segs[b->nb_segs++];

	seg->source.foreign.ref = gref;
	seg->source.foreign.offset = offset;
	seg->source.foreign.domid = ring->domid;
	seg->dest.virt = dest;
	seg->len = len;
	seg->flags = GNTCOPY_source_gref;
	xen_count_add(&ring->count.copy_ops, xenvif_copy_ops(dest, len));
}

static enum rx_result
walk_broken(struct rx_walk *w, const char *why)
{
	xen_netif_ring_broken(w->rxq->q.nif, w->ring, why);
	return RX_BROKEN;
}

static inline struct rte_mbuf *
walk_mbuf(struct rx_walk *w)
{
	if (likely(w->next_mbuf < w->nb_mbufs))
		return w->rxq->mbufs[w->next_mbuf++];
	return rte_pktmbuf_alloc(w->rxq->q.pool);
}

static bool
gso_known(const struct netif_extra_info *extra)
{
	return extra->u.gso.size != 0 &&
			(extra->u.gso.type == XEN_NETIF_GSO_TYPE_TCPV4 ||
					extra->u.gso.type == XEN_NETIF_GSO_TYPE_TCPV6);
}

/*
 * Copy the extra info slots that follow the first request. None of what they ask for was offered:
 * a GSO packet cannot be taken and a multicast request is refused.
 */
static enum rx_result
take_extras(struct rx_walk *w, struct rx_requests *r)
{
	struct netif_extra_info extra;
	uint32_t idx = w->cons + 1;

	do {
		if (idx == w->prod)
			return walk_broken(w, "extra info past req_prod");
		if (r->nb_extras == XENVIF_EXTRAS_MAX)
			return walk_broken(w, "more extra info than there are types");
		extra = xen_ring_extra(&w->ring->sring.tx->ring[idx & XEN_NETIF_RING_MASK]);
		idx++;
		r->nb_extras++;
		switch (extra.type) {
		case XEN_NETIF_EXTRA_TYPE_GSO:
			if (!gso_known(&extra))
				return walk_broken(w, "GSO of size 0 or of unknown type");
			r->drop = true;
			break;
		case XEN_NETIF_EXTRA_TYPE_MCAST_ADD:
		case XEN_NETIF_EXTRA_TYPE_MCAST_DEL:
			r->drop = true;
			break;
		case XEN_NETIF_EXTRA_TYPE_HASH:
			break;
		default:
			return walk_broken(w, "extra info of unknown type");
		}
	} while ((extra.flags & XEN_NETIF_EXTRA_FLAG_MORE) != 0);
	return RX_TAKEN;
}

/* Copy the requests that continue the first one; each of its own bounds is checked here. */
static enum rx_result
take_fragments(struct rx_walk *w, struct rx_requests *r)
{
	uint32_t idx = w->cons + 1 + r->nb_extras;
	struct netif_tx_request req = r->req[0];

	while ((req.flags & NETTXF_more_data) != 0) {
		if (idx == w->prod)
			return walk_broken(w, "fragments past req_prod");
		if (r->nb == XENVIF_SLOTS_FATAL)
			return walk_broken(w, "more than 20 slots in a packet");
		req = xen_ring_tx_request(w->ring->sring.tx, idx++);
		if ((uint32_t)req.offset + req.size > XEN_PAGE_BYTES)
			return walk_broken(w, "offset + size past the end of the page");
		r->req[r->nb++] = req;
	}
	return RX_TAKEN;
}

/* The first request's size is the whole packet's: make it that of its own piece. */
static enum rx_result
settle_sizes(struct rx_walk *w, struct rx_requests *r, uint32_t *total)
{
	uint32_t first = r->req[0].size;
	unsigned int i;

	*total = first;
	if (r->nb > XEN_NETIF_SLOTS_MIN || first < RTE_ETHER_HDR_LEN)
		r->drop = true;
	for (i = 1; i < r->nb; i++) {
		/* More than is left: an old guest's overflow, not an attack. */
		if (r->req[i].size > first) {
			r->drop = true;
			return RX_TAKEN;
		}
		first -= r->req[i].size;
	}
	if (r->req[0].offset + first > XEN_PAGE_BYTES)
		return walk_broken(w, "offset + size past the end of the page");
	r->req[0].size = first;
	return RX_TAKEN;
}

/* Stage the copies of a packet of any number of slots into a chain of as many mbufs as it needs. */
static enum rx_result
stage_chain(struct rx_walk *w, const struct rx_requests *r, uint32_t total, struct rte_mbuf **head)
{
	struct xen_netif_queue *q = &w->rxq->q;
	struct xenvif_batch *b = &w->rxq->batch;
	struct rte_mbuf *m = NULL, *last = NULL;
	uint16_t offset, left, len, segs = b->nb_segs;
	uint64_t ops = w->ring->count.copy_ops;
	uint32_t rest = total;
	unsigned int i;

	*head = NULL;
	if (segs + r->nb + total / q->room + 1 > XENVIF_BATCH_SEGS)
		return RX_STOP;
	for (i = 0; i < r->nb; i++) {
		offset = r->req[i].offset;
		for (left = r->req[i].size; left != 0; left -= len, offset += len) {
			if (m == NULL || m->data_len == q->room) {
				m = walk_mbuf(w);
				if (m == NULL)
					goto no_mbuf;
				xen_netif_place(m, q->room, rest);
				m->port = q->port_id;
				m->data_len = 0;
				if (*head == NULL) {
					*head = m;
				} else {
					last->next = m;
					(*head)->nb_segs++;
				}
				last = m;
			}
			len = RTE_MIN(left, (uint16_t)(q->room - m->data_len));
			stage_piece(b, w->ring, r->req[i].gref, offset,
					rte_pktmbuf_mtod_offset(m, void *, m->data_len), len);
			m->data_len += len;
			rest -= len;
		}
	}
	(*head)->pkt_len = total;
	return RX_TAKEN;

no_mbuf:
	b->nb_segs = segs;
	w->ring->count.copy_ops = ops;
	rte_pktmbuf_free(*head);
	xen_count_add(&q->nombuf, 1);
	return RX_STOP;
}

/* Record a packet and the responses to its slots, in the order of the ring. */
static void
record_packet(struct rx_walk *w, const struct rx_requests *r, struct rte_mbuf *m,
		uint16_t first_seg)
{
	struct xenvif_batch *b = &w->rxq->batch;
	struct xenvif_packet *p = &b->packets[b->nb_packets++];
	int16_t status = m != NULL ? NETIF_RSP_OKAY : NETIF_RSP_ERROR;
	unsigned int i, slot = b->nb_slots;

	p->mbuf = m;
	p->first_seg = first_seg;
	p->nb_segs = b->nb_segs - first_seg;
	p->first_slot = slot;
	p->nb_slots = r->nb + r->nb_extras;
	p->flags = r->req[0].flags;
	b->nb_slots += p->nb_slots;

	b->rsp.tx[slot].id = r->req[0].id;
	b->rsp.tx[slot++].status = status;
	/* Slots of extra info have no id (netif.h, NETIF_RSP_NULL). */
	for (i = 0; i < r->nb_extras; i++) {
		b->rsp.tx[slot].id = 0;
		b->rsp.tx[slot++].status = NETIF_RSP_NULL;
	}
	for (i = 1; i < r->nb; i++) {
		b->rsp.tx[slot].id = r->req[i].id;
		b->rsp.tx[slot++].status = status;
	}
	w->cons += p->nb_slots;
}

/* A packet that is not simply one good slot. */
static __rte_noinline enum rx_result
take_complex(struct rx_walk *w, const struct netif_tx_request *first)
{
	struct rx_requests r = { .req[0] = *first, .nb = 1 };
	struct xen_netif_queue *q = &w->rxq->q;
	uint16_t first_seg = w->rxq->batch.nb_segs;
	enum rx_result res = RX_TAKEN;
	struct rte_mbuf *m = NULL;
	uint32_t total;

	if ((first->flags & NETTXF_extra_info) != 0)
		res = take_extras(w, &r);
	if (res == RX_TAKEN)
		res = take_fragments(w, &r);
	if (res == RX_TAKEN)
		res = settle_sizes(w, &r, &total);
	if (res != RX_TAKEN)
		return res;
	if (r.drop) {
		xen_count_add(&w->ring->count.bad_packets, 1);
	} else if (total > q->room && !q->scatter) {
		xen_count_add(&w->ring->count.oversize, 1);
	} else {
		res = stage_chain(w, &r, total, &m);
		if (res != RX_TAKEN)
			return res;
	}
	record_packet(w, &r, m, first_seg);
	return RX_TAKEN;
}

/* The common packet: one slot, no extra info, fits into one mbuf. */
static inline void
take_simple(struct rx_walk *w, const struct netif_tx_request *req)
{
	struct xenvif_batch *b = &w->rxq->batch;
	struct xenvif_packet *p = &b->packets[b->nb_packets++];
	struct rte_mbuf *m = w->rxq->mbufs[w->next_mbuf++];

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
	b->rsp.tx[b->nb_slots].id = req->id;
	b->rsp.tx[b->nb_slots++].status = NETIF_RSP_OKAY;
	stage_piece(b, w->ring, req->gref, req->offset, rte_pktmbuf_mtod(m, void *), req->size);
	w->cons++;
}

static inline void
walk_ring(struct rx_walk *w, uint16_t nb_pkts)
{
	struct xen_netif_queue *q = &w->rxq->q;
	struct xenvif_batch *b = &w->rxq->batch;
	struct netif_tx_request req;

	while (b->nb_packets < nb_pkts && w->cons != w->prod) {
		req = xen_ring_tx_request(w->ring->sring.tx, w->cons);
		if (likely((req.flags & (NETTXF_more_data | NETTXF_extra_info)) == 0 &&
				    req.size >= RTE_ETHER_HDR_LEN && req.size <= q->room &&
				    (uint32_t)req.offset + req.size <= XEN_PAGE_BYTES &&
				    w->next_mbuf < w->nb_mbufs && b->nb_segs < XENVIF_BATCH_SEGS)) {
			take_simple(w, &req);
			continue;
		}
		if (take_complex(w, &req) != RX_TAKEN)
			break;
	}
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
}

/* Hand the packets whose copies succeeded to the application. */
static inline uint16_t
finish_packets(struct rx_walk *w, bool all_copied, struct rte_mbuf **pkts)
{
	struct xenvif_batch *b = &w->rxq->batch;
	const struct xenvif_packet *p;
	uint64_t bytes = 0;
	uint16_t n = 0;
	unsigned int i;

	for (i = 0; i < b->nb_packets; i++) {
		p = &b->packets[i];
		if (unlikely(p->mbuf == NULL))
			continue;
		if (unlikely(!all_copied && xenvif_packet_failed(b, p, w->ring))) {
			reject_packet(w, p);
			continue;
		}
		if ((p->flags & (NETTXF_csum_blank | NETTXF_data_validated)) != 0 &&
				!xen_csum_receive(&w->rxq->q, w->ring, p->mbuf,
						(p->flags & NETTXF_csum_blank) != 0)) {
			reject_packet(w, p);
			continue;
		}
		bytes += p->mbuf->pkt_len;
		pkts[n++] = p->mbuf;
	}
	xen_count_add(&w->rxq->q.packets, n);
	xen_count_add(&w->rxq->q.bytes, bytes);
	xen_count_add(&w->rxq->q.errors, b->nb_packets - n);
	return n;
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
	ring->cons = w->cons;
	xen_count_add(&ring->count.slots, b->nb_slots);
	xen_ring_store(&sring->rsp_prod, w->cons);
	xen_netif_notify(ring, &sring->rsp_event, w->cons, old);
}

static unsigned int
take_mbufs(struct xenvif_rxq *rxq, unsigned int n)
{
	if (likely(rte_pktmbuf_alloc_bulk(rxq->q.pool, rxq->mbufs, n) == 0))
		return n;
	/* What is left in the pool is taken one by one. */
	return 0;
}

static uint16_t
rx_ring(struct xenvif_rxq *rxq, struct xen_netif_ring *ring, struct rte_mbuf **pkts,
		uint16_t nb_pkts)
{
	struct rx_walk w = { .rxq = rxq, .ring = ring, .cons = ring->cons };
	uint16_t n = 0;
	bool copied;

	w.prod = xen_ring_load(&ring->sring.tx->req_prod);
	if (w.prod == w.cons)
		return 0;
	if (unlikely(w.prod - w.cons > XEN_NETIF_RING_SIZE)) {
		xen_netif_ring_broken(rxq->q.nif, ring,
				"req_prod more than a ring ahead of rsp_prod");
		return 0;
	}
	nb_pkts = RTE_MIN(nb_pkts, (uint16_t)XENVIF_BATCH_PKTS);
	xenvif_batch_reset(&rxq->batch);
	w.nb_mbufs = take_mbufs(rxq, RTE_MIN(w.prod - w.cons, (uint32_t)nb_pkts));
	walk_ring(&w, nb_pkts);
	if (rxq->batch.nb_packets != 0) {
		copied = xenvif_batch_copy(&rxq->batch, rxq->q.nif->gnttab);
		n = finish_packets(&w, copied, pkts);
		publish_responses(&w);
	}
	if (unlikely(w.next_mbuf < w.nb_mbufs))
		rte_pktmbuf_free_bulk(&rxq->mbufs[w.next_mbuf], w.nb_mbufs - w.next_mbuf);
	return n;
}

uint16_t
xenvif_rx_burst(void *queue, struct rte_mbuf **pkts, uint16_t nb_pkts)
{
	struct xenvif_rxq *rxq = queue;
	struct xen_netif *nif = rxq->q.nif;
	uint16_t active = __atomic_load_n(&nif->active_queues, __ATOMIC_RELAXED);
	uint16_t n = 0, tried, i = rxq->next_ring, step = rxq->q.nb_queues;
	struct xen_netif_ring *ring;

	/* Every ring of this queue once; the next burst begins with the one after the last. */
	for (tried = rxq->q.id; tried < active && n < nb_pkts; tried += step) {
		if (i >= active || i < rxq->q.id)
			i = rxq->q.id;
		ring = &nif->rx[i];
		i += step;
		if (!rte_spinlock_trylock(&ring->lock))
			continue;
		if (likely(ring->attached))
			n += rx_ring(rxq, ring, pkts + n, nb_pkts - n);
		rte_spinlock_unlock(&ring->lock);
	}
	rxq->next_ring = i;
	return n;
}
