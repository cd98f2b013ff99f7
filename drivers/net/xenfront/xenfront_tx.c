/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <rte_ether.h>
#include <rte_prefetch.h>

#include "xen_csum.h"
#include "xen_flow.h"
#include "xen_gso.h"
#include "xen_trace.h"
#include "xen_vlan.h"
#include "xenfront_rxtx.h"

static_assert(XEN_CSUM_PATCH_MAX <= XEN_PAGE_BYTES, "what is changed has to lie in the first page");

#define TX_WISHES \
	(RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG | \
			RTE_MBUF_F_TX_VLAN)

/* How far ahead the data of packets is fetched. */
#define TX_PREFETCH 4

/* Mbufs that go back to their pool with one call. */
#define TX_FREE_BATCH 64

/*
 * A short packet starts somewhere else in each page: at the same offset in all of them, packets
 * would compete for the few ways of one set of the cache.
 */
#define TX_SHORT_MAX 2048u
#define TX_COLOURS 32u
static_assert(TX_COLOURS * RTE_CACHE_LINE_MIN_SIZE + TX_SHORT_MAX <= XEN_PAGE_BYTES,
		"a short packet has to end within its page");

/* A burst's state while requests are written. */
struct tx_walk {
	struct xenfront_tx_pages *tx;
	struct xen_netif_ring *ring;
	struct xen_netif_queue *q;
	/* Next request to write. */
	uint32_t prod;
	/* Sent, that is, not dropped. */
	uint16_t packets;
	/* Mbufs of one pool that wait to be put back. */
	uint16_t nb_done;
	uint64_t bytes;
	struct rte_mbuf *done[TX_FREE_BATCH];
};

/* Take back the pages of all answered requests. -1: the backend has broken the protocol. */
static inline int
reclaim(struct tx_walk *w)
{
	struct xen_netif_ring *ring = w->ring;
	const char *broken;

	broken = xenfront_response_reclaim(ring->sring.tx, ring->prod, &ring->cons, &w->tx->ids);
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

static inline void
put_request(struct tx_walk *w, uint16_t id, uint16_t offset, uint16_t flags, uint16_t size)
{
	struct netif_tx_request *req =
			&w->ring->sring.tx->ring[w->prod++ & XEN_NETIF_RING_MASK].req;

	req->gref = w->tx->grefs[id];
	req->offset = offset;
	req->flags = flags;
	req->id = id;
	req->size = size;
}

static inline void
put_back(struct tx_walk *w)
{
	if (w->nb_done != 0)
		rte_mempool_put_bulk(w->done[0]->pool, (void *const *)w->done, w->nb_done);
	w->nb_done = 0;
}

/* Free an mbuf together with others of its pool. */
static inline void
free_simple(struct tx_walk *w, struct rte_mbuf *m)
{
	/* Of one segment, it says. */
	if (unlikely(m->next != NULL)) {
		rte_pktmbuf_free(m);
		return;
	}
	m = rte_pktmbuf_prefree_seg(m);
	if (unlikely(m == NULL))
		return;
	if (unlikely(w->nb_done == TX_FREE_BATCH ||
			    (w->nb_done != 0 && m->pool != w->done[0]->pool)))
		put_back(w);
	w->done[w->nb_done++] = m;
}

static inline void
put_simple(struct tx_walk *w, struct rte_mbuf *m)
{
	uint16_t id = xenfront_tx_ids_take(&w->tx->ids, XENFRONT_TX_FIRST),
		 len = rte_pktmbuf_data_len(m), offset = 0;

	if (len <= TX_SHORT_MAX)
		offset = id % TX_COLOURS * RTE_CACHE_LINE_MIN_SIZE;
	memcpy(w->tx->pages + id * XEN_PAGE_BYTES + offset, rte_pktmbuf_mtod(m, const void *), len);
	put_request(w, id, offset, 0, len);
	w->packets++;
	w->bytes += len;
	free_simple(w, m);
}

/* Fill a page from a chain, whose place is moved on. */
static void
fill_page(uint8_t *page, uint32_t len, const struct rte_mbuf **seg, uint32_t *in_seg)
{
	uint32_t piece;

	for (; len != 0; len -= piece, page += piece, *in_seg += piece) {
		*seg = xen_mbuf_seek(*seg, in_seg);
		piece = RTE_MIN(len, rte_pktmbuf_data_len(*seg) - *in_seg);
		memcpy(page, rte_pktmbuf_mtod_offset(*seg, const void *, *in_seg), piece);
	}
}

/* What is sent as one packet: a head, and len bytes of an mbuf from off on. */
struct frame {
	const struct rte_mbuf *m;
	uint32_t off;
	uint32_t len;
	const uint8_t *head;
	uint32_t head_len;
	/* Of the first slot. */
	uint16_t flags;
	/* Extra info, or NULL. */
	const struct netif_extra_info *extra;
};

static void
put_extra(struct tx_walk *w, const struct netif_extra_info *extra)
{
	w->tx->ids.nb_extras++;
	memcpy(&w->ring->sring.tx->ring[w->prod++ & XEN_NETIF_RING_MASK], extra, sizeof(*extra));
}

/*
 * Write a frame densely into as many slots as it needs. The first one's size is the whole frame's,
 * those of the others are their own (netif.h, "Guest transmit"). The first page.
 */
static uint8_t *
put_frame(struct tx_walk *w, const struct frame *f)
{
	uint32_t total = f->head_len + f->len, left, len, in_seg = f->off, in_page = f->head_len;
	const struct rte_mbuf *seg = f->m;
	uint8_t *first = NULL, *page;
	uint16_t id, flags = f->flags;

	for (left = total; left != 0; left -= len) {
		len = RTE_MIN(left, XEN_PAGE_BYTES);
		id = xenfront_tx_ids_take(&w->tx->ids,
				left == total ? XENFRONT_TX_FIRST : XENFRONT_TX_MORE);
		page = w->tx->pages + id * XEN_PAGE_BYTES;
		if (in_page != 0)
			memcpy(page, f->head, in_page);
		fill_page(page + in_page, len - in_page, &seg, &in_seg);
		put_request(w, id, 0, flags | (left > len ? NETTXF_more_data : 0),
				left == total ? total : len);
		if (left == total) {
			first = page;
			if (f->extra != NULL)
				put_extra(w, f->extra);
		}
		/* What is said of the packet stands in the first slot alone. */
		flags = 0;
		in_page = 0;
	}
	return first;
}

/* Free slots of the ring: there are as many free ids, or more, for extra info has none. */
static inline uint32_t
tx_room(const struct tx_walk *w)
{
	return XEN_NETIF_RING_SIZE - (w->prod - w->ring->cons);
}

/* May the packet be sent at all? Counts it when not. */
static bool
packet_sendable(struct tx_walk *w, const struct rte_mbuf *m)
{
	uint32_t len = rte_pktmbuf_pkt_len(m), tag = xen_vlan_len(m), sum = 0;
	uint32_t max = XEN_NETIF_PKT_MAX - tag;
	const struct rte_mbuf *seg;

	/* One that is cut need not fit as a whole. */
	if (!w->q->rings->peer.sg && (m->ol_flags & RTE_MBUF_F_TX_TCP_SEG) == 0)
		max = XEN_PAGE_BYTES - tag;
	if (len > max) {
		xen_count_add(&w->ring->count.oversize, 1);
		return false;
	}
	for (seg = m; seg != NULL; seg = seg->next)
		sum += rte_pktmbuf_data_len(seg);
	if (len < RTE_ETHER_HDR_LEN || sum != len || !xen_vlan_countable(m)) {
		xen_count_add(&w->ring->count.bad_packets, 1);
		return false;
	}
	return true;
}

/* Send a packet whole, with what is said of its segments in extra info. */
static void
put_whole(struct tx_walk *w, const struct rte_mbuf *m, const struct xen_gso *g)
{
	struct netif_extra_info extra = { .type = XEN_NETIF_EXTRA_TYPE_GSO };
	uint8_t head[XEN_GSO_HEADERS_MAX];
	const struct frame f = {
		.m = m,
		.off = g->payload,
		.len = g->end - g->payload,
		.head = head,
		.head_len = g->payload,
		.flags = NETTXF_csum_blank | NETTXF_data_validated | NETTXF_extra_info,
		.extra = &extra,
	};

	extra.u.gso.size = g->mss;
	extra.u.gso.type = g->ipv6 ? XEN_NETIF_GSO_TYPE_TCPV6 : XEN_NETIF_GSO_TYPE_TCPV4;
	xen_gso_whole_headers(g, head);
	put_frame(w, &f);
	xen_count_add(&w->ring->count.gso_whole, 1);
}

/* Send the segments of a packet. */
static void
put_segments(struct tx_walk *w, const struct rte_mbuf *m, const struct xen_gso *g)
{
	bool blank = xen_gso_taken_blank(g, &w->q->rings->peer);
	uint8_t head[XEN_GSO_HEADERS_MAX];
	struct frame f = {
		.m = m,
		.off = g->payload,
		.head = head,
		.head_len = g->payload,
		.flags = blank ? NETTXF_csum_blank | NETTXF_data_validated : 0,
	};
	uint32_t i;

	for (i = 0; i < g->nb_segs; i++, f.off += f.len) {
		f.len = xen_gso_seg_len(g, i) - g->payload;
		f.m = xen_mbuf_seek(f.m, &f.off);
		xen_gso_headers(g, i, head);
		if (!blank)
			xen_gso_complete(g, f.m, f.off, f.len, head);
		put_frame(w, &f);
	}
	xen_count_add(&w->ring->count.gso_cut, 1);
}

static inline uint32_t
slots_of(uint32_t len)
{
	return (len + XEN_PAGE_BYTES - 1) / XEN_PAGE_BYTES;
}

enum put_result {
	PUT_DONE,
	PUT_BAD,
	/* Too few slots are free. */
	PUT_FULL,
};

/* A packet to be segmented. */
static enum put_result
put_gso(struct tx_walk *w, const struct rte_mbuf *m)
{
	uint32_t seg_len;
	struct xen_gso g;

	if (xen_gso_wanted(&g, m) < 0) {
		xen_count_add(&w->ring->count.bad_packets, 1);
		return PUT_BAD;
	}
	if (xen_gso_taken_whole(&g, &w->q->rings->peer)) {
		if (slots_of(g.end) + 1 > tx_room(w))
			return PUT_FULL;
		put_whole(w, m, &g);
		return PUT_DONE;
	}
	seg_len = xen_gso_seg_len(&g, 0);
	if (seg_len > XEN_PAGE_BYTES && !w->q->rings->peer.sg) {
		xen_count_add(&w->ring->count.oversize, 1);
		return PUT_BAD;
	}
	if (g.nb_segs * slots_of(seg_len) > tx_room(w))
		return PUT_FULL;
	put_segments(w, m, &g);
	return PUT_DONE;
}

/* A packet in several pages or with a wish for its checksums. */
static enum put_result
put_chain(struct tx_walk *w, const struct rte_mbuf *m)
{
	struct frame f = { .m = m, .len = rte_pktmbuf_pkt_len(m) };
	struct xen_csum_patch patch = { .nb = 0 };

	if (slots_of(f.len) > tx_room(w))
		return PUT_FULL;
	if ((m->ol_flags & TX_WISHES) != 0 &&
			!xen_csum_send(&w->q->rings->peer, w->ring, m, &f.flags,
					NETTXF_csum_blank | NETTXF_data_validated, &patch))
		return PUT_BAD;
	/* The mbuf may be shared: what it lacks is changed in the page. */
	xen_csum_apply(&patch, put_frame(w, &f));
	return PUT_DONE;
}

/*
 * Send a packet that is not simply one page without wishes, or drop it. False when too few slots
 * are free: it stays the caller's, untouched.
 */
static __rte_noinline bool
put_complex(struct tx_walk *w, struct rte_mbuf *m)
{
	enum put_result result = PUT_BAD;
	const struct rte_mbuf *pkt = m;
	struct xen_vlan vlan;

	if (packet_sendable(w, m)) {
		if (xen_vlan_len(m) != 0)
			pkt = xen_vlan_tagged(&vlan, m);
		result = (m->ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0 ? put_gso(w, pkt) :
								      put_chain(w, pkt);
	}
	if (result == PUT_FULL)
		return false;
	if (result == PUT_DONE) {
		w->packets++;
		w->bytes += rte_pktmbuf_pkt_len(m);
	} else {
		xen_count_add(&w->q->errors, 1);
	}
	rte_pktmbuf_free(m);
	return true;
}

/* Write requests for as many packets as there are slots for; how many were taken and freed. */
static inline uint16_t
put_packets(struct tx_walk *w, struct rte_mbuf **pkts, uint16_t nb_pkts)
{
	struct rte_mbuf *m;
	uint16_t i;

	for (i = 0; i < nb_pkts; i++) {
		m = pkts[i];
		if (i + TX_PREFETCH < nb_pkts)
			rte_prefetch0(rte_pktmbuf_mtod(pkts[i + TX_PREFETCH], void *));
		if (likely(m->nb_segs == 1 && (m->ol_flags & TX_WISHES) == 0 &&
				    m->data_len >= RTE_ETHER_HDR_LEN &&
				    m->data_len <= XEN_PAGE_BYTES && m->data_len == m->pkt_len &&
				    tx_room(w) != 0)) {
			put_simple(w, m);
			continue;
		}
		if (!put_complex(w, m)) {
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
	struct tx_walk w;
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
