/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include "xen_csum.h"
#include "xen_gso.h"
#include "xen_vlan.h"
#include "xenfront_put.h"

static_assert(XEN_CSUM_PATCH_MAX <= XEN_PAGE_BYTES, "what is changed has to lie in the first page");

void
xenfront_tx_let_go(struct xenfront_tx_pages *tx, uint16_t first)
{
	struct rte_mbuf *mbufs[XEN_NETIF_RING_SIZE];
	uint16_t i, n = 0, gone = 0;
	struct xenfront_held *held;

	for (i = first; i < tx->ids.nb_free; i++) {
		held = &tx->held[tx->ids.free_ids[i]];
		if (held->m == NULL)
			continue;
		/* While the port was stopped its application may have freed the mempool. */
		if (likely(held->region->pool != NULL))
			mbufs[n++] = held->m;
		else
			gone++;
		held->m = NULL;
	}
	tx->nb_held -= n + gone;
	xen_mbufs_free(mbufs, n, mbufs);
}

/* The page of an mbuf that the backend can read; NULL: there is none. */
static inline const struct xenfront_buf *
readable(const struct xenfront_tx_walk *w, const struct rte_mbuf *m)
{
	const struct xenfront_buf *buf = xenfront_buf_of(m);

	if (buf == NULL || buf->region->domid != w->tx->domid ||
			(uint32_t)m->data_off + m->data_len > XEN_PAGE_BYTES)
		return NULL;
	return buf;
}

/* Pages of a region are sent: the ring has a reference on it from the first one on. */
static inline void
refer(struct xenfront_tx_pages *tx, struct xenfront_region *region)
{
	if (unlikely((tx->regions & RTE_BIT64(region->id)) == 0)) {
		xenfront_region_get(region);
		tx->regions |= RTE_BIT64(region->id);
	}
	tx->last = region;
}

/* The page of the request with that id is an mbuf's, which is kept until the response. */
static inline void
hold(struct xenfront_tx_walk *w, uint16_t id, struct rte_mbuf *m, struct xenfront_region *region)
{
	struct xenfront_tx_pages *tx = w->tx;

	refer(tx, region);
	tx->held[id].m = m;
	tx->held[id].region = region;
	tx->nb_held++;
	xen_count_add(&w->ring->count.by_reference, 1);
}

/* A loop of its own, so that what it needs is in the processor's registers. */
uint16_t
xenfront_put_granted(struct xenfront_tx_walk *w, struct rte_mbuf **pkts, uint16_t nb_pkts)
{
	struct netif_tx_sring *sring = w->ring->sring.tx;
	const uint32_t prod = w->prod, nb = RTE_MIN((uint32_t)nb_pkts, tx_room(w));
	struct xenfront_tx_pages *tx = w->tx;
	struct xenfront_region *region = tx->last;
	const uint16_t *free_ids = xenfront_tx_ids_top(&tx->ids);
	uint64_t bytes = 0;
	uint32_t n;

	for (n = 0; n < nb; n++) {
		struct netif_tx_request *req = &sring->ring[(prod + n) & XEN_NETIF_RING_MASK].req;
		struct rte_mbuf *m = pkts[n];
		const struct xenfront_buf *buf = xenfront_buf_of(m);
		uint16_t id, len = m->data_len;

		if (buf == NULL || m->next != NULL ||
				(uint32_t)m->data_off + len > XEN_PAGE_BYTES ||
				!xenfront_put_is_simple(m, TX_WISHES))
			break;
		if (unlikely(buf->region != region)) {
			if (buf->region->domid != tx->domid)
				break;
			region = buf->region;
			refer(tx, region);
		}
		id = *free_ids--;
		tx->ids.ids[id] = XENFRONT_TX_FIRST;
		req->gref = buf->gref;
		req->offset = m->data_off;
		req->flags = 0;
		req->id = id;
		req->size = len;
		tx->held[id].m = m;
		tx->held[id].region = region;
		bytes += len;
	}
	xenfront_tx_ids_took(&tx->ids, n);
	w->prod += n;
	w->packets += n;
	w->bytes += bytes;
	tx->nb_held += n;
	xen_count_add(&w->ring->count.by_reference, n);
	return n;
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
put_extra(struct xenfront_tx_walk *w, const struct netif_extra_info *extra)
{
	w->tx->ids.nb_extras++;
	memcpy(&w->ring->sring.tx->ring[w->prod++ & XEN_NETIF_RING_MASK], extra, sizeof(*extra));
}

/*
 * Write a frame densely into as many slots as it needs. The first one's size is the whole frame's,
 * those of the others are their own (netif.h, "Guest transmit"). The first page.
 */
static uint8_t *
put_frame(struct xenfront_tx_walk *w, const struct frame *f)
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
		put_request(w, id, w->tx->grefs[id], 0, flags | (left > len ? NETTXF_more_data : 0),
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

static inline uint32_t
slots_of(uint32_t len)
{
	return (len + XEN_PAGE_BYTES - 1) / XEN_PAGE_BYTES;
}

/* Does nobody else have an mbuf of the packet? Then they may be taken apart. */
static bool
is_own(const struct rte_mbuf *m)
{
	while (m != NULL && rte_mbuf_refcnt_read(m) == 1)
		m = m->next;
	return m == NULL;
}

/*
 * Slots that a frame takes when its mbufs' pages are sent as they are; 0: it has none, or too many
 * to be worth it, and is to be copied.
 */
static uint32_t
count_parts(const struct xenfront_tx_walk *w, const struct frame *f)
{
	uint32_t in_seg = f->off, left, piece, dense = slots_of(f->head_len + f->len);
	uint32_t slots = 0, copied = f->head_len;
	const struct rte_mbuf *seg = f->m;

	for (left = f->len; left != 0; left -= piece, in_seg += piece) {
		seg = xen_mbuf_seek(seg, &in_seg);
		piece = RTE_MIN(left, rte_pktmbuf_data_len(seg) - in_seg);
		if (readable(w, seg) != NULL) {
			slots += slots_of(copied) + 1;
			copied = 0;
		} else {
			copied += piece;
		}
	}
	if (slots == 0)
		return 0;
	slots += slots_of(copied);
	if (slots > RTE_MIN(2 * dense + 1, XEN_NETIF_SLOTS_MIN) ||
			(slots != 1 && (!w->q->rings->peer.sg || (f->head_len != 0 && dense == 1))))
		return 0;
	return slots;
}

static inline uint32_t
slots_by_reference(const struct xenfront_tx_walk *w, const struct frame *f,
		const struct rte_mbuf *m)
{
	if (likely(w->tx->domid == DOMID_INVALID))
		return 0;
	return is_own(m) ? count_parts(w, f) : 0;
}

/* A frame on its way into slots. */
struct parts {
	struct xenfront_tx_walk *w;
	const struct frame *f;
	uint32_t done;
	/* A page that is being filled: its id, and how many bytes are in it. */
	uint16_t id;
	uint32_t filled;
	/* Mbufs that are kept. */
	uint16_t nb_held;
	struct rte_mbuf *held[XEN_NETIF_SLOTS_MIN];
};

static uint16_t
part_id(const struct parts *p)
{
	return xenfront_tx_ids_take(&p->w->tx->ids,
			p->done == 0 ? XENFRONT_TX_FIRST : XENFRONT_TX_MORE);
}

static void
put_part(struct parts *p, uint16_t id, grant_ref_t gref, uint16_t offset, uint32_t len)
{
	uint32_t total = p->f->head_len + p->f->len;
	uint16_t more = p->done + len < total ? NETTXF_more_data : 0;

	put_request(p->w, id, gref, offset, more | (p->done == 0 ? p->f->flags : 0),
			p->done == 0 ? total : len);
	if (p->done == 0 && p->f->extra != NULL)
		put_extra(p->w, p->f->extra);
	p->done += len;
}

/* Send the page that is being filled, if there is one. */
static void
put_filled(struct parts *p)
{
	if (p->filled != 0)
		put_part(p, p->id, p->w->tx->grefs[p->id], 0, p->filled);
	p->filled = 0;
}

/* Copy bytes into pages, behind what is in the last one. */
static void
copy_part(struct parts *p, const uint8_t *data, uint32_t len)
{
	uint32_t n;

	for (; len != 0; len -= n, data += n) {
		if (p->filled == XEN_PAGE_BYTES)
			put_filled(p);
		if (p->filled == 0)
			p->id = part_id(p);
		n = RTE_MIN(len, XEN_PAGE_BYTES - p->filled);
		memcpy(p->w->tx->pages + p->id * XEN_PAGE_BYTES + p->filled, data, n);
		p->filled += n;
	}
}

/* Keep the mbufs whose pages were sent, each by itself, and free the packet's others. */
static void
take_apart(const struct parts *p, struct rte_mbuf *m)
{
	struct rte_mbuf *next;
	uint16_t i = 0;

	for (; m != NULL; m = next) {
		next = m->next;
		if (i < p->nb_held && m == p->held[i]) {
			m->next = NULL;
			m->nb_segs = 1;
			i++;
		} else {
			rte_pktmbuf_free_seg(m);
		}
	}
}

/*
 * Write a frame into as many slots as slots_by_reference() has said. The packet that it is of is no
 * longer the caller's.
 */
static void
put_by_reference(struct xenfront_tx_walk *w, const struct frame *f, struct rte_mbuf *m)
{
	uint32_t left, piece, in_seg = f->off;
	struct parts p = { .w = w, .f = f };
	const struct xenfront_buf *buf;
	const struct rte_mbuf *seg = f->m;
	uint16_t id;

	copy_part(&p, f->head, f->head_len);
	for (left = f->len; left != 0; left -= piece, in_seg += piece) {
		seg = xen_mbuf_seek(seg, &in_seg);
		piece = RTE_MIN(left, rte_pktmbuf_data_len(seg) - in_seg);
		buf = readable(w, seg);
		if (buf == NULL) {
			copy_part(&p, rte_pktmbuf_mtod_offset(seg, const uint8_t *, in_seg), piece);
			continue;
		}
		put_filled(&p);
		id = part_id(&p);
		put_part(&p, id, buf->gref, seg->data_off + in_seg, piece);
		hold(w, id, buf->mbuf, buf->region);
		p.held[p.nb_held++] = buf->mbuf;
	}
	put_filled(&p);
	take_apart(&p, m);
}

/* May the packet be sent at all? Counts it when not. */
static bool
packet_sendable(struct xenfront_tx_walk *w, const struct rte_mbuf *m)
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

enum put_result {
	PUT_DONE,
	/* ... and its mbufs are freed or kept. */
	PUT_KEPT,
	PUT_BAD,
	/* Too few slots are free. */
	PUT_FULL,
};

/* Send a packet whole, with what is said of its segments in extra info. */
static enum put_result
put_whole(struct xenfront_tx_walk *w, struct rte_mbuf *m, const struct xen_gso *g)
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
	uint32_t nb_slots = slots_by_reference(w, &f, m);

	extra.u.gso.size = g->mss;
	extra.u.gso.type = g->ipv6 ? XEN_NETIF_GSO_TYPE_TCPV6 : XEN_NETIF_GSO_TYPE_TCPV4;
	if (RTE_MAX(slots_of(g->end), nb_slots) + 1 > tx_room(w))
		return PUT_FULL;
	xen_gso_whole_headers(g, head);
	xen_count_add(&w->ring->count.gso_whole, 1);
	if (nb_slots != 0) {
		put_by_reference(w, &f, m);
		return PUT_KEPT;
	}
	put_frame(w, &f);
	return PUT_DONE;
}

/* Send the segments of a packet. */
static void
put_segments(struct xenfront_tx_walk *w, const struct rte_mbuf *m, const struct xen_gso *g)
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

/* A packet to be segmented, or what it is with its tag. */
static enum put_result
put_gso(struct xenfront_tx_walk *w, const struct rte_mbuf *m, struct rte_mbuf *orig)
{
	uint32_t seg_len;
	struct xen_gso g;

	if (xen_gso_wanted(&g, m) < 0) {
		xen_count_add(&w->ring->count.bad_packets, 1);
		return PUT_BAD;
	}
	/* Not behind a tag: the packet is the application's own. */
	if (xen_gso_taken_whole(&g, &w->q->rings->peer))
		return put_whole(w, orig, &g);
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

/* A packet of several pages or with a wish for its checksums, or what it is with its tag. */
static enum put_result
put_chain(struct xenfront_tx_walk *w, const struct rte_mbuf *m, struct rte_mbuf *orig)
{
	struct frame f = { .m = m, .len = rte_pktmbuf_pkt_len(m) };
	uint32_t nb_slots = slots_by_reference(w, &f, orig);
	struct xen_csum_patch patch = { .nb = 0 };
	uint8_t head[XEN_CSUM_PATCH_MAX], *page;

	/* One more, for what is changed in it. */
	if (RTE_MAX(slots_of(f.len), nb_slots != 0 ? nb_slots + 1 : 0) > tx_room(w))
		return PUT_FULL;
	if ((m->ol_flags & TX_WISHES) != 0 &&
			!xen_csum_send(&w->q->rings->peer, w->ring, m, &f.flags,
					NETTXF_csum_blank | NETTXF_data_validated, &patch))
		return PUT_BAD;
	/* The mbuf may be shared: what it lacks is changed in the page. */
	if (nb_slots != 0 && patch.nb != 0) {
		xen_mbuf_read(m, 0, head, patch.len);
		f.head = head;
		f.head_len = patch.len;
		f.off = patch.len;
		f.len -= patch.len;
		xen_csum_apply(&patch, head);
		patch.nb = 0;
		nb_slots = count_parts(w, &f);
	}
	if (nb_slots != 0) {
		put_by_reference(w, &f, orig);
		return PUT_KEPT;
	}
	page = put_frame(w, &f);
	xen_csum_apply(&patch, page);
	return PUT_DONE;
}

bool
xenfront_put_complex(struct xenfront_tx_walk *w, struct rte_mbuf *m)
{
	uint32_t len = rte_pktmbuf_pkt_len(m);
	enum put_result result = PUT_BAD;
	const struct rte_mbuf *pkt = m;
	struct xen_vlan vlan;

	if (packet_sendable(w, m)) {
		if (xen_vlan_len(m) != 0)
			pkt = xen_vlan_tagged(&vlan, m);
		result = (m->ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0 ? put_gso(w, pkt, m) :
								      put_chain(w, pkt, m);
	}
	if (result == PUT_FULL)
		return false;
	if (result == PUT_BAD) {
		xen_count_add(&w->q->errors, 1);
	} else {
		w->packets++;
		w->bytes += len;
	}
	if (result != PUT_KEPT)
		rte_pktmbuf_free(m);
	return true;
}
