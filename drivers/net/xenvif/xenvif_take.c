/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include "xen_extbuf.h"
#include "xenvif_mcast.h"
#include "xenvif_take.h"

#define EXTRA_GSO RTE_BIT32(XEN_NETIF_EXTRA_TYPE_GSO)

static inline struct rte_mbuf *
walk_mbuf(struct xenvif_rx_walk *w)
{
	struct rte_mbuf *m;

	if (likely(w->next_mbuf < w->nb_mbufs)) {
		m = w->rxq->batch.mbufs[w->next_mbuf++];
		rte_pktmbuf_reset(m);
		return m;
	}
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
stage_chain(struct xenvif_rx_walk *w, const struct xenvif_request *r)
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
			xenvif_stage_in(b, w->ring, r->slot[i].gref, offset,
					rte_pktmbuf_mtod_offset(m, void *, m->data_len), len);
			m->data_len += len;
			rest -= len;
		}
	}
	head->pkt_len = r->len;
	return head;
}

/*
 * Stage the copies of a packet into one mbuf with an external buffer, the second slot from the
 * start of a page on; NULL when there is none.
 */
static struct rte_mbuf *
stage_extbuf(struct xenvif_rx_walk *w, const struct xenvif_request *r)
{
	struct xen_netif_queue *q = &w->rxq->q;
	struct rte_mbuf *m;
	unsigned int i;

	if (q->extbufs == NULL || r->len > XEN_EXTBUF_ROOM)
		return NULL;
	m = walk_mbuf(w);
	if (m == NULL)
		return NULL;
	if (!xen_extbufs_attach(q->extbufs, m, r->slot[0].size)) {
		rte_pktmbuf_free(m);
		return NULL;
	}
	m->port = q->port_id;
	for (i = 0; i < r->nb_slots; i++) {
		if (r->slot[i].size == 0)
			continue;
		xenvif_stage_in(&w->rxq->batch, w->ring, r->slot[i].gref, r->slot[i].offset,
				rte_pktmbuf_mtod_offset(m, void *, m->data_len), r->slot[i].size);
		m->data_len += r->slot[i].size;
	}
	m->pkt_len = r->len;
	return m;
}

/* Is the packet to be cut here? */
static bool
to_be_cut(const struct xen_netif_queue *q, const struct xenvif_request *r)
{
	return (r->extras & EXTRA_GSO) != 0 && xen_gso_to_cut(q, r->len);
}

/*
 * Stage the copies of a packet to be cut, each slot into a page of its own. False when it has to
 * wait for another burst: what does not fit into this one's waits in the queue, and that is no more
 * than one packet makes.
 */
static bool
stage_to_cut(struct xenvif_rx_walk *w, const struct xenvif_request *r)
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
		xenvif_stage_in(&w->rxq->batch, w->ring, r->slot[i].gref, r->slot[i].offset,
				page + r->slot[i].offset, r->slot[i].size);
	}
	w->max -= RTE_MIN(frames, w->max);
	return true;
}

/* Record a packet and the responses to its slots, in the order of the ring. */
static void
record_packet(struct xenvif_rx_walk *w, const struct xenvif_request *r, struct rte_mbuf *m,
		bool staged, uint16_t first_seg)
{
	struct xenvif_batch *b = &w->rxq->batch;
	struct xenvif_packet *p = &b->packets[b->nb_packets++];
	int16_t status = m != NULL || staged ? NETIF_RSP_OKAY : NETIF_RSP_ERROR;
	const struct netif_extra_info *gso = &r->extra[XEN_NETIF_EXTRA_TYPE_GSO];
	unsigned int i, slot = b->nb_slots;

	p->staged = staged;
	if (staged)
		p->hash = r->extra[XEN_NETIF_EXTRA_TYPE_HASH];
	else
		p->mbuf = m;
	p->hashed = (r->extras & RTE_BIT32(XEN_NETIF_EXTRA_TYPE_HASH)) != 0;
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
	for (i = 0; i < r->nb_extras; i++)
		b->rsp.tx[slot++].status = NETIF_RSP_NULL;
	for (i = 1; i < r->nb_slots; i++) {
		b->rsp.tx[slot].id = r->slot[i].id;
		b->rsp.tx[slot++].status = status;
	}
	w->slots.cons += p->nb_slots;
}

/* May the packet be handed over? Counts it when not. */
static bool
packet_acceptable(struct xenvif_rx_walk *w, const struct xenvif_request *r)
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
take_mcast(struct xenvif_rx_walk *w, const struct xenvif_request *r)
{
	uint16_t slot = w->rxq->batch.nb_slots;

	record_packet(w, r, NULL, false, w->rxq->batch.nb_segs);
	if (xenvif_mcast_change(w->ring->priv, r))
		w->rxq->batch.rsp.tx[slot].status = NETIF_RSP_OKAY;
	w->lost--;
}

bool
xenvif_take_complex(struct xenvif_rx_walk *w, const struct netif_tx_request *first)
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
		if (!to_be_cut(q, &r)) {
			m = stage_chain(w, &r);
		} else {
			m = stage_extbuf(w, &r);
			staged = m == NULL;
		}
		if (staged && !stage_to_cut(w, &r))
			return false;
		if (m == NULL && !staged) {
			xen_count_add(&q->nombuf, 1);
			/* The batch's earlier packets hold mbufs that may come back. */
			if (b->nb_packets != 0 || w->run != 0 ||
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
