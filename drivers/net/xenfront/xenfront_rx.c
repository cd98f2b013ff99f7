/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>

#include <rte_prefetch.h>

#include "xen_csum.h"
#include "xen_extbuf.h"
#include "xen_mbuf.h"
#include "xen_trace.h"
#include "xenfront_swap.h"

/* How far ahead the pages are fetched. */
#define RX_PREFETCH 4

/* Bytes in the first mbuf of a packet that has more of them. */
#define RX_FIRST_MIN 256u

/* Packets of one burst: no more than a ring has slots. */
#define RX_BATCH XEN_NETIF_RING_SIZE

/* Post the buffers of the slots that were taken again: each slot its own. */
static inline void
repost(struct xenfront_rx_walk *w)
{
	struct xen_netif_ring *ring = w->ring;
	struct netif_rx_sring *sring = w->slots.sring;
	uint32_t i, old = ring->prod, taken = w->slots.cons - ring->cons;

	if (taken == 0)
		return;
	for (i = w->posted; i != w->slots.cons; i++)
		xen_ring_rx_post(sring, i, &w->rx->reqs[i & XEN_NETIF_RING_MASK]);
	xen_count_add(&ring->count.slots, taken);
	ring->prod += taken;
	ring->cons = w->slots.cons;
	xen_ring_store(&sring->req_prod, ring->prod);
	xen_netif_notify(ring, &sring->req_event, ring->prod, old);
}

/* The page of a slot. */
static inline uint8_t *
slot_page(const struct xenfront_rx_walk *w, uint16_t slot)
{
	if (w->rx->region != NULL)
		return w->rx->mbufs[slot]->buf_addr;
	return w->rx->pages + slot * XEN_PAGE_BYTES;
}

/* Copy a packet out of its pages into a chain of as many mbufs as it needs, of so much room. */
static void
fill_chain(const struct xenfront_rx_walk *w, const struct xenfront_response *r,
		struct rte_mbuf **segs, uint16_t nb_segs, uint16_t room)
{
	uint32_t i, seg = 0, in_seg = 0, in_frag, piece;
	const uint8_t *data;

	for (i = 0; i < r->nb_frags; i++) {
		data = slot_page(w, r->frags[i].slot) + r->frags[i].offset;
		for (in_frag = 0; in_frag < r->frags[i].len; in_frag += piece) {
			if (in_seg == room) {
				segs[seg]->data_len = in_seg;
				seg++;
				in_seg = 0;
			}
			piece = RTE_MIN(r->frags[i].len - in_frag, room - in_seg);
			memcpy(rte_pktmbuf_mtod_offset(segs[seg], void *, in_seg), data + in_frag,
					piece);
			in_seg += piece;
		}
	}
	segs[seg]->data_len = in_seg;
	xenfront_link_segs(w, r->len, segs, nb_segs);
}

/* Can it be had in the mbufs of its slots? Applications look for headers in the first one. */
static bool
is_swappable(const struct xenfront_rx_walk *w, const struct xenfront_response *r)
{
	return w->swaps && xenfront_is_aligned(r->frags[0].offset) &&
			(r->nb_frags == 1 || w->q->scatter) &&
			r->frags[0].len >= RTE_MIN(r->len, RX_FIRST_MIN);
}

static inline bool
is_gso(const struct xenfront_response *r)
{
	return (r->extras & RTE_BIT32(XEN_NETIF_EXTRA_TYPE_GSO)) != 0;
}

/* Is the packet to be cut here? */
static bool
to_be_cut(const struct xen_netif_queue *q, const struct xenfront_response *r)
{
	return is_gso(r) && xen_gso_to_cut(q, r->len);
}

/* May the packet be handed over? Counts it when not. */
static bool
packet_acceptable(const struct xenfront_rx_walk *w, const struct xenfront_response *r)
{
	if (r->bad || (is_gso(r) && !w->q->rings->gso) || r->len < XENFRONT_PKT_MIN) {
		xen_count_add(&w->ring->count.bad_packets, 1);
		return false;
	}
	if (r->len > (w->q->scatter || to_be_cut(w->q, r) ? XEN_NETIF_PKT_MAX : w->q->room)) {
		xen_count_add(&w->ring->count.oversize, 1);
		return false;
	}
	return true;
}

/*
 * Get the mbufs of a packet: the burst's next one, and more from its end before any from the pool,
 * which may have no others.
 */
static int
get_segs(struct xenfront_rx_walk *w, struct rte_mbuf **segs, uint16_t nb_segs)
{
	uint16_t i;

	segs[0] = w->pkts[w->nb];
	for (i = 1; i < nb_segs; i++) {
		if (w->nb_mbufs > w->nb + 1)
			segs[i] = w->pkts[--w->nb_mbufs];
		else
			segs[i] = rte_pktmbuf_alloc(w->q->pool);
		if (segs[i] == NULL) {
			rte_pktmbuf_free_bulk(&segs[1], i - 1);
			return -ENOMEM;
		}
	}
	return 0;
}

/* Note the packet's hash in an mbuf of it, if it has come with one that is wanted. */
static void
take_hash(const struct xenfront_rx_walk *w, const struct xenfront_response *r, struct rte_mbuf *m)
{
	if (w->q->rss_hash && (r->extras & RTE_BIT32(XEN_NETIF_EXTRA_TYPE_HASH)) != 0)
		xen_hash_from_extra(&r->extra[XEN_NETIF_EXTRA_TYPE_HASH], m);
}

/* Cut a packet out of its pages; how many frames it makes, 0 when it is lost. */
static uint16_t
cut_packet(const struct xenfront_rx_walk *w, const struct xenfront_response *r,
		struct rte_mbuf **frames)
{
	const struct netif_extra_info *gso = &r->extra[XEN_NETIF_EXTRA_TYPE_GSO];
	struct rte_mbuf frags[XEN_NETIF_SLOTS_MIN];
	unsigned int i;

	/* Its pages as the segments of a packet, which is only read. */
	for (i = 0; i < r->nb_frags; i++)
		frags[i] = (struct rte_mbuf){
			.buf_addr = slot_page(w, r->frags[i].slot),
			.data_off = r->frags[i].offset,
			.data_len = r->frags[i].len,
			.next = i + 1 < r->nb_frags ? &frags[i + 1] : NULL,
		};
	frags[0].nb_segs = r->nb_frags;
	frags[0].pkt_len = r->len;
	take_hash(w, r, &frags[0]);
	return xen_gso_receive_cut(w->q, w->ring, frags, gso->u.gso.type, gso->u.gso.size, frames);
}

/*
 * Take a packet to be cut, with which the burst ends: what of its frames does not fit waits. False
 * when there are frames that wait already.
 */
static bool
take_cut(struct xenfront_rx_walk *w, const struct xenfront_response *r)
{
	struct xen_gso_held *held = &container_of(w->q, struct xenfront_rxq, q)->held;
	struct rte_mbuf *frames[XEN_GSO_SEGS_MAX];
	uint16_t i, n;

	if (xen_gso_held_any(held))
		return false;
	rte_pktmbuf_free_bulk(&w->pkts[w->nb], w->nb_mbufs - w->nb);
	w->slots.cons += r->nb_slots;
	n = cut_packet(w, r, frames);
	if (n == 0)
		xen_count_add(&w->q->errors, 1);
	for (i = 0; i < n && w->nb < w->nb_pkts; i++) {
		w->bytes += rte_pktmbuf_pkt_len(frames[i]);
		w->pkts[w->nb++] = frames[i];
	}
	w->nb_mbufs = w->nb;
	xen_gso_held_rest(held, w->q, w->ring, frames + i, n - i);
	return true;
}

/* Have the packet in one segment. False when there is no external buffer for it. */
static bool
attach_extbuf(const struct xenfront_rx_walk *w, const struct xenfront_response *r)
{
	return r->len <= XEN_EXTBUF_ROOM && xen_extbufs_attach(w->q->extbufs, w->pkts[w->nb], 0);
}

/* What a packet that was copied needs beside that. False when it has to be dropped. */
static bool
finish_packet(struct xenfront_rx_walk *w, const struct xenfront_response *r, struct rte_mbuf *m)
{
	const struct netif_extra_info *gso = &r->extra[XEN_NETIF_EXTRA_TYPE_GSO];

	if (is_gso(r))
		return xen_gso_receive_whole(w->q, w->ring, m, gso->u.gso.type, gso->u.gso.size);
	return (r->flags & (NETRXF_csum_blank | NETRXF_data_validated)) == 0 ||
			xen_csum_receive(w->q, w->ring, m, (r->flags & NETRXF_csum_blank) != 0);
}

/* Take a packet of whatever kind into mbufs; false when it stays on the ring or breaks it. */
static __rte_noinline bool
take_complex(struct xenfront_rx_walk *w, const struct netif_rx_response *first)
{
	struct rte_mbuf *segs[XEN_NETIF_PKT_MAX / XEN_NETIF_ROOM_MIN + 1];
	struct xenfront_response r;
	uint16_t nb_segs, room = w->q->room;
	const char *broken;
	bool swap;

	broken = xenfront_response_take(&w->slots, first, &r);
	if (broken != NULL) {
		xen_netif_ring_broken(w->q->rings, w->ring, broken);
		return false;
	}
	if (!packet_acceptable(w, &r))
		goto drop;
	if (to_be_cut(w->q, &r)) {
		if (!attach_extbuf(w, &r))
			return take_cut(w, &r);
		room = XEN_EXTBUF_ROOM;
	}
	swap = is_swappable(w, &r);
	nb_segs = swap ? r.nb_frags : (r.len + room - 1) / room;
	if (get_segs(w, segs, nb_segs) < 0) {
		xen_count_add(&w->q->nombuf, 1);
		/* The burst's earlier packets hold mbufs that may come back. */
		if (w->nb != 0 || !xen_netif_starved(w->q, w->ring, nb_segs))
			return false;
		xen_count_add(&w->ring->count.nombuf, 1);
		goto drop;
	}
	if (swap)
		xenfront_swap_chain(w, &r, segs);
	else
		fill_chain(w, &r, segs, nb_segs, room);
	if (!finish_packet(w, &r, segs[0])) {
		rte_pktmbuf_free(segs[0]->next);
		if (RTE_MBUF_HAS_EXTBUF(segs[0]))
			rte_pktmbuf_detach(segs[0]);
		rte_pktmbuf_reset(segs[0]);
		goto drop;
	}
	take_hash(w, &r, segs[0]);
	w->slots.cons += r.nb_slots;
	w->bytes += r.len;
	w->nb++;
	return true;

drop:
	w->slots.cons += r.nb_slots;
	xen_count_add(&w->q->errors, 1);
	return true;
}

static inline void
take_simple(struct xenfront_rx_walk *w, const struct netif_rx_response *rsp)
{
	struct rte_mbuf *m = w->pkts[w->nb++];

	xen_netif_place(m, w->q->room, rsp->status);
	memcpy(rte_pktmbuf_mtod(m, void *), w->rx->pages + rsp->id * XEN_PAGE_BYTES + rsp->offset,
			rsp->status);
	m->data_len = rsp->status;
	m->pkt_len = rsp->status;
	m->port = w->q->port_id;
	if ((rsp->flags & NETRXF_data_validated) != 0)
		m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	w->bytes += rsp->status;
	w->slots.cons++;
}

/* As take_packets(), of a ring whose pages are mbufs'. */
static __rte_noinline void
take_mbufs(struct xenfront_rx_walk *w)
{
	struct netif_rx_response rsp;
	bool reset = false;
	uint16_t i;

	while (w->nb < w->nb_mbufs && w->slots.cons != w->slots.prod) {
		if (!w->swaps)
			rsp = xen_ring_rx_response(w->slots.sring, w->slots.cons);
		else if (!xenfront_swap_run(w, &rsp))
			break;
		/* They are as they were in the mempool; once is enough for all that are left. */
		for (i = w->nb; !reset && i < w->nb_mbufs; i++)
			rte_pktmbuf_reset(w->pkts[i]);
		reset = true;
		if (!take_complex(w, &rsp))
			break;
	}
}

/* Take packets while there are mbufs for them. */
static inline void
take_packets(struct xenfront_rx_walk *w)
{
	struct netif_rx_response rsp;

	while (w->nb < w->nb_mbufs && w->slots.cons != w->slots.prod) {
		rte_prefetch0(w->rx->pages +
				((w->slots.cons + RX_PREFETCH) & XEN_NETIF_RING_MASK) *
						XEN_PAGE_BYTES);
		rsp = xen_ring_rx_response(w->slots.sring, w->slots.cons);
		if (likely(xenfront_response_is_simple(rsp, w->slots.cons, w->q->room)))
			take_simple(w, &rsp);
		else if (!take_complex(w, &rsp))
			break;
	}
}

/* So many mbufs as they are in the mempool, or fewer; how many. */
static inline uint16_t
get_mbufs(struct xen_netif_queue *q, struct rte_mbuf **mbufs, uint16_t n)
{
	/* The last mbufs of a pool are better than none. */
	while (n != 0 && unlikely(rte_mempool_get_bulk(q->pool, (void **)mbufs, n) != 0)) {
		n /= 2;
		if (n == 0)
			xen_count_add(&q->nombuf, 1);
	}
	return n;
}

static inline uint16_t
rx_ring(struct xen_netif_queue *q, struct xen_netif_ring *ring, struct rte_mbuf **pkts,
		uint16_t nb_pkts)
{
	struct xenfront_rx_walk w = {
		.q = q,
		.ring = ring,
		.rx = ring->priv,
		.slots = { .sring = ring->sring.rx, .cons = ring->cons },
		.posted = ring->cons,
		.pkts = pkts,
		.nb_pkts = nb_pkts,
	};
	uint16_t i;

	/* The ring's mbufs have gone with their mempool: another connection has others. */
	if (unlikely(w.rx->region != NULL &&
			    __atomic_load_n(&w.rx->region->pool, __ATOMIC_RELAXED) == NULL))
		return 0;
	w.slots.prod = xen_ring_load(&w.slots.sring->rsp_prod);
	if (unlikely(w.slots.prod - w.slots.cons > ring->prod - w.slots.cons)) {
		xen_netif_ring_broken(q->rings, ring, "rsp_prod ahead of the requests");
		return 0;
	}
	w.nb_mbufs = get_mbufs(q, pkts,
			RTE_MIN(w.slots.prod - w.slots.cons, RTE_MIN(nb_pkts, RX_BATCH)));
	if (w.nb_mbufs == 0)
		return 0;
	if (likely(w.rx->region == NULL)) {
		for (i = 0; i < w.nb_mbufs; i++)
			rte_pktmbuf_reset(pkts[i]);
		take_packets(&w);
	} else {
		/* The control thread sees to it that they are the same, if it can. */
		w.swaps = w.rx->region->pool == q->pool;
		take_mbufs(&w);
	}
	if (unlikely(w.nb < w.nb_mbufs))
		rte_pktmbuf_free_bulk(&pkts[w.nb], w.nb_mbufs - w.nb);
	if (unlikely(__atomic_load_n(&q->classify, __ATOMIC_RELAXED) != 0))
		w.nb = xen_netif_rx_classify(q, ring, pkts, w.nb, &w.bytes);
	/* A ring that is broken is no longer written to. */
	if (likely(ring->attached))
		repost(&w);
	xen_count_add(&q->packets, w.nb);
	xen_count_add(&q->bytes, w.bytes);
	rte_xen_trace_rx_burst(q->port_id, ring->id, w.nb, ring->cons);
	return w.nb;
}

uint16_t
xenfront_rx_burst(void *queue, struct rte_mbuf **pkts, uint16_t nb_pkts)
{
	struct xenfront_rxq *rxq = queue;
	struct xen_netif_queue *q = &rxq->q;
	uint16_t active = __atomic_load_n(&q->rings->active_queues, __ATOMIC_ACQUIRE);
	uint32_t nth = rxq->next_ring, id = q->id + nth * q->nb_queues, first;
	struct xen_netif_ring *ring;
	uint16_t n = 0;

	if (unlikely(__atomic_load_n(&q->rings->held, __ATOMIC_RELAXED) != 0))
		xen_netif_notify_poll(q->rings);
	xen_netif_monitor_end(q);
	if (unlikely(!__atomic_load_n(&q->running, __ATOMIC_ACQUIRE)))
		return 0;
	if (unlikely(xen_gso_held_any(&rxq->held)))
		n = xen_gso_held_take(&rxq->held, q, pkts, nb_pkts);
	if (unlikely(q->id >= active))
		return n;
	if (id >= active) {
		nth = 0;
		id = q->id;
	}
	first = nth;
	do {
		ring = &q->rings->rx[id];
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

int
xenfront_rxq_init(struct xen_netif_queue *q)
{
	struct xenfront_rxq *rxq = container_of(q, struct xenfront_rxq, q);

	rxq->rearm = xen_mbuf_rearm(q->port_id, 0);
	rte_spinlock_init(&rxq->held.lock);
	return 0;
}

void
xenfront_rxq_stop(struct xen_netif_queue *q)
{
	xen_gso_held_drop(&container_of(q, struct xenfront_rxq, q)->held, q);
}

bool
xenfront_rxq_arm(struct xen_netif_queue *q)
{
	uint16_t i, active = __atomic_load_n(&q->rings->active_queues, __ATOMIC_SEQ_CST);
	bool ready = false, running = __atomic_load_n(&q->running, __ATOMIC_SEQ_CST);
	struct xen_netif_ring *ring;

	for (i = q->id; i < active; i += q->nb_queues) {
		ring = &q->rings->rx[i];
		rte_spinlock_lock(&ring->lock);
		if (ring->attached && running)
			ready |= xen_ring_arm(&ring->sring.rx->rsp_event, &ring->sring.rx->rsp_prod,
					ring->cons);
		rte_spinlock_unlock(&ring->lock);
	}
	return ready;
}

bool
xenfront_rxq_holds(const struct xen_netif_queue *q)
{
	return xen_gso_held_any(&container_of(q, const struct xenfront_rxq, q)->held);
}

const uint32_t *
xenfront_rx_prod(const struct xen_netif_ring *ring)
{
	return &ring->sring.rx->rsp_prod;
}
