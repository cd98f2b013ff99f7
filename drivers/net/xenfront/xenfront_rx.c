/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <rte_ether.h>
#include <rte_memcpy.h>
#include <rte_prefetch.h>

#include "xen_csum.h"
#include "xenfront.h"

/* How far ahead the pages are fetched. */
#define RX_PREFETCH 4

/* Packets of one burst: no more than a ring has slots. */
#define RX_BATCH XEN_NETIF_RING_SIZE

/* A response or a request of the RX ring as the one word that it is. */
typedef uint64_t __attribute__((may_alias)) rx_slot_word;

union rx_response {
	uint64_t word;
	struct netif_rx_response rsp;
};
static_assert(sizeof(union rx_response) == sizeof(uint64_t), "a slot is a word");
static_assert(sizeof(struct netif_rx_request) == sizeof(uint64_t), "a slot is a word");

/* What becomes of a packet. */
enum rx_verdict {
	RX_TAKEN,
	RX_DROPPED,
	/* No mbufs: it stays on the ring. */
	RX_LATER,
	RX_BROKEN,
};

/* A burst's state while responses are taken. */
struct rx_walk {
	struct xen_netif_queue *q;
	struct xen_netif_ring *ring;
	const struct xenfront_rx_pages *rx;
	/* Next response to take, and where they end. */
	uint32_t cons;
	uint32_t prod;
	uint64_t bytes;
};

/* A packet that may have several slots. */
struct rx_packet {
	uint32_t len;
	/* Of the first response. */
	uint16_t flags;
	uint16_t nb_frags;
	uint16_t nb_slots;
	/* Not to be handed over, whatever else is right. */
	bool bad;
	struct {
		const uint8_t *data;
		uint16_t len;
	} frags[XEN_NETIF_SLOTS_MIN];
};

/* Read a response once: a backend that is hostile may rewrite it at any time. */
static inline struct netif_rx_response
read_response(const struct rx_walk *w, uint32_t idx)
{
	union rx_response r;

	r.word = *(const volatile rx_slot_word *)&w->ring->sring.rx
				  ->ring[idx & XEN_NETIF_RING_MASK];
	return r.rsp;
}

/* Post the buffers of the slots that were taken again: each slot its own. */
static inline void
repost(struct rx_walk *w)
{
	struct xen_netif_ring *ring = w->ring;
	struct netif_rx_sring *sring = ring->sring.rx;
	uint32_t i, old = ring->prod;

	if (w->cons == ring->cons)
		return;
	for (i = ring->cons; i != w->cons; i++)
		*(rx_slot_word *)&sring->ring[i & XEN_NETIF_RING_MASK] =
				*(const rx_slot_word *)&w->rx->reqs[i & XEN_NETIF_RING_MASK];
	xen_count_add(&ring->count.slots, w->cons - ring->cons);
	ring->prod += w->cons - ring->cons;
	ring->cons = w->cons;
	xen_ring_store(&sring->req_prod, ring->prod);
	xen_netif_notify(ring, &sring->req_event, ring->prod, old);
}

/*
 * Skip the extra info after the first response of a packet (netif.h, "Extra Info"): it carries
 * nothing that was negotiated. Returns false when the chain runs past the published responses.
 */
static bool
skip_extras(const struct rx_walk *w, struct rx_packet *p)
{
	struct netif_extra_info extra;

	do {
		if (p->nb_slots == w->prod - w->cons)
			return false;
		extra = xen_ring_extra(&w->ring->sring.rx->ring[(w->cons + p->nb_slots++) &
				XEN_NETIF_RING_MASK]);
		/* A packet larger than the wire's would need segmentation that was not offered. */
		if (extra.type == XEN_NETIF_EXTRA_TYPE_NONE ||
				extra.type == XEN_NETIF_EXTRA_TYPE_GSO ||
				extra.type >= XEN_NETIF_EXTRA_TYPE_MAX)
			p->bad = true;
	} while ((extra.flags & XEN_NETIF_EXTRA_FLAG_MORE) != 0);
	return true;
}

/* Note the data of a response; NULL, or how it breaks the protocol. */
static const char *
add_frag(const struct rx_walk *w, struct rx_packet *p, uint32_t slot,
		const struct netif_rx_response *rsp)
{
	if (rsp->id != slot)
		return "response with the id of another slot";
	if (rsp->status < 0) {
		p->bad = true;
		return NULL;
	}
	if (rsp->offset + (uint32_t)rsp->status > XEN_PAGE_BYTES)
		return "response past the end of its page";
	if (rsp->status == 0)
		return NULL;
	p->len += rsp->status;
	if (p->nb_frags == RTE_DIM(p->frags)) {
		p->bad = true;
		return NULL;
	}
	p->frags[p->nb_frags].data = w->rx->pages + slot * XEN_PAGE_BYTES + rsp->offset;
	p->frags[p->nb_frags].len = rsp->status;
	p->nb_frags++;
	return NULL;
}

/* Walk the slots of one packet; NULL, or how they break the protocol. */
static const char *
walk_slots(const struct rx_walk *w, struct rx_packet *p)
{
	struct netif_rx_response rsp;
	const char *broken;
	uint32_t idx;

	p->len = 0;
	p->nb_frags = 0;
	p->nb_slots = 0;
	p->bad = false;
	do {
		if (p->nb_slots == w->prod - w->cons)
			return "packet past the end of the responses";
		idx = w->cons + p->nb_slots;
		rsp = read_response(w, idx);
		broken = add_frag(w, p, idx & XEN_NETIF_RING_MASK, &rsp);
		if (broken != NULL)
			return broken;
		if (p->nb_slots++ != 0)
			continue;
		p->flags = rsp.flags;
		if ((rsp.flags & NETRXF_extra_info) != 0 && !skip_extras(w, p))
			return "extra info past the end of the responses";
	} while ((rsp.flags & NETRXF_more_data) != 0);
	return NULL;
}

/* Copy a packet out of its pages into a chain of mbufs, as many as it needs. */
static void
fill_chain(const struct rx_walk *w, const struct rx_packet *p, struct rte_mbuf **segs,
		uint16_t nb_segs)
{
	uint32_t i, seg = 0, in_seg = 0, in_frag, piece;

	for (i = 0; i < p->nb_frags; i++) {
		for (in_frag = 0; in_frag < p->frags[i].len; in_frag += piece) {
			if (in_seg == w->q->room) {
				segs[seg]->data_len = in_seg;
				seg++;
				in_seg = 0;
			}
			piece = RTE_MIN(p->frags[i].len - in_frag, w->q->room - in_seg);
			rte_memcpy(rte_pktmbuf_mtod_offset(segs[seg], void *, in_seg),
					p->frags[i].data + in_frag, piece);
			in_seg += piece;
		}
	}
	segs[seg]->data_len = in_seg;
	for (i = 0; i < nb_segs; i++) {
		segs[i]->port = w->q->port_id;
		segs[i]->next = i + 1 < nb_segs ? segs[i + 1] : NULL;
	}
	segs[0]->nb_segs = nb_segs;
	segs[0]->pkt_len = p->len;
}

/* May the packet be handed over? Counts it when not. */
static bool
packet_acceptable(const struct rx_walk *w, const struct rx_packet *p)
{
	if (p->bad || p->len < RTE_ETHER_HDR_LEN) {
		xen_count_add(&w->ring->count.bad_packets, 1);
		return false;
	}
	if (p->len > (w->q->scatter ? XEN_NETIF_PKT_MAX : w->q->room)) {
		xen_count_add(&w->ring->count.oversize, 1);
		return false;
	}
	return true;
}

/* Take any packet; m is an mbuf that it may use and, when it is taken, has used. */
static __rte_noinline enum rx_verdict
take_complex(struct rx_walk *w, struct rte_mbuf *m)
{
	struct rte_mbuf *segs[XEN_NETIF_PKT_MAX / XEN_NETIF_ROOM_MIN + 1];
	const char *broken;
	struct rx_packet p;
	uint16_t nb_segs;

	broken = walk_slots(w, &p);
	if (broken != NULL) {
		xen_netif_ring_broken(w->q->nif, w->ring, broken);
		return RX_BROKEN;
	}
	if (!packet_acceptable(w, &p))
		goto drop;
	nb_segs = (p.len + w->q->room - 1) / w->q->room;
	segs[0] = m;
	if (nb_segs > 1 && rte_pktmbuf_alloc_bulk(w->q->pool, &segs[1], nb_segs - 1) != 0) {
		xen_count_add(&w->q->nombuf, 1);
		return RX_LATER;
	}
	fill_chain(w, &p, segs, nb_segs);
	if ((p.flags & (NETRXF_csum_blank | NETRXF_data_validated)) != 0 &&
			!xen_csum_receive(w->q, w->ring, m, (p.flags & NETRXF_csum_blank) != 0)) {
		rte_pktmbuf_free(m->next);
		rte_pktmbuf_reset(m);
		goto drop;
	}
	w->cons += p.nb_slots;
	w->bytes += p.len;
	return RX_TAKEN;

drop:
	w->cons += p.nb_slots;
	xen_count_add(&w->q->errors, 1);
	return RX_DROPPED;
}

/* Take a packet of one slot with no wishes into one mbuf; false: it is not such a one. */
static inline bool
take_simple(struct rx_walk *w, struct rte_mbuf *m)
{
	struct netif_rx_response rsp = read_response(w, w->cons);
	uint32_t slot = w->cons & XEN_NETIF_RING_MASK;

	if (unlikely((rsp.flags & ~NETRXF_data_validated) != 0 || rsp.id != slot ||
			    rsp.status < RTE_ETHER_HDR_LEN || rsp.status > w->q->room ||
			    rsp.offset + (uint32_t)rsp.status > XEN_PAGE_BYTES))
		return false;
	xen_netif_place(m, w->q->room, rsp.status);
	rte_memcpy(rte_pktmbuf_mtod(m, void *), w->rx->pages + slot * XEN_PAGE_BYTES + rsp.offset,
			rsp.status);
	m->data_len = rsp.status;
	m->pkt_len = rsp.status;
	m->port = w->q->port_id;
	if ((rsp.flags & NETRXF_data_validated) != 0)
		m->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	w->bytes += rsp.status;
	w->cons++;
	return true;
}

/* Take packets into mbufs, at most n; how many, and whether the ring is still sane. */
static inline uint16_t
take_packets(struct rx_walk *w, struct rte_mbuf **pkts, uint16_t n)
{
	enum rx_verdict verdict;
	uint16_t nb = 0;

	while (nb < n && w->cons != w->prod) {
		rte_prefetch0(w->rx->pages +
				((w->cons + RX_PREFETCH) & XEN_NETIF_RING_MASK) * XEN_PAGE_BYTES);
		if (likely(take_simple(w, pkts[nb]))) {
			nb++;
			continue;
		}
		verdict = take_complex(w, pkts[nb]);
		if (verdict == RX_TAKEN)
			nb++;
		else if (verdict != RX_DROPPED)
			break;
	}
	return nb;
}

static inline uint16_t
rx_ring(struct xen_netif_queue *q, struct xen_netif_ring *ring, struct rte_mbuf **pkts,
		uint16_t nb_pkts)
{
	struct xenfront *front = (struct xenfront *)q->nif;
	struct rx_walk w = {
		.q = q,
		.ring = ring,
		.rx = &front->pairs[ring->id]->rx,
		.cons = ring->cons,
	};
	uint16_t n, nb;

	w.prod = xen_ring_load(&ring->sring.rx->rsp_prod);
	if (unlikely(w.prod - w.cons > ring->prod - w.cons)) {
		xen_netif_ring_broken(q->nif, ring, "rsp_prod ahead of the requests");
		return 0;
	}
	n = RTE_MIN(w.prod - w.cons, RTE_MIN(nb_pkts, RX_BATCH));
	/* The last mbufs of a pool are better than none. */
	while (n != 0 && unlikely(rte_pktmbuf_alloc_bulk(q->pool, pkts, n) != 0)) {
		n /= 2;
		if (n == 0)
			xen_count_add(&q->nombuf, 1);
	}
	if (n == 0)
		return 0;
	nb = take_packets(&w, pkts, n);
	if (unlikely(nb < n))
		rte_pktmbuf_free_bulk(&pkts[nb], n - nb);
	/* A ring that is broken is no longer written to. */
	if (likely(ring->attached))
		repost(&w);
	xen_count_add(&q->packets, nb);
	xen_count_add(&q->bytes, w.bytes);
	return nb;
}

uint16_t
xenfront_rx_burst(void *queue, struct rte_mbuf **pkts, uint16_t nb_pkts)
{
	struct xenfront_rxq *rxq = queue;
	struct xen_netif_queue *q = &rxq->q;
	uint16_t active = __atomic_load_n(&q->nif->active_queues, __ATOMIC_ACQUIRE);
	uint32_t nth = rxq->next_ring, id = q->id + nth * q->nb_queues, first;
	struct xen_netif_ring *ring;
	uint16_t n = 0;

	if (q->id >= active)
		return 0;
	if (id >= active) {
		nth = 0;
		id = q->id;
	}
	first = nth;
	do {
		ring = &q->nif->rx[id];
		if (likely(rte_spinlock_trylock(&ring->lock))) {
			if (likely(ring->attached))
				n += rx_ring(q, ring, &pkts[n], nb_pkts - n);
			rte_spinlock_unlock(&ring->lock);
		}
		nth++;
		id += q->nb_queues;
		if (id >= active) {
			nth = 0;
			id = q->id;
		}
	} while (nth != first && n < nb_pkts);
	rxq->next_ring = nth;
	return n;
}
