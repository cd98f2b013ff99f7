/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <rte_ether.h>
#include <rte_memcpy.h>

#include "xen_csum.h"
#include "xen_gso.h"
#include "xen_vlan.h"
#include "xenvif_put.h"

/* Most extra info that goes with one packet: of its segments, its headroom and its hash. */
#define EXTRAS_MAX 3

/* What of a packet is not taken from its mbuf as it is. */
struct head {
	/* A private copy of its first bytes, where some of them differ; len 0: none. */
	uint8_t *data;
	uint32_t len;
	/* Of its first slot. */
	uint16_t flags;
	/* Extra info, each in a slot behind the first one. */
	uint16_t nb_extras;
	struct netif_extra_info extra[EXTRAS_MAX];
};
static_assert(sizeof(struct netif_extra_info) == sizeof(struct netif_rx_response),
		"extra info takes the place of a response");

#define HEAD_MAX XEN_CSUM_PATCH_MAX
static_assert(XENVIF_SCRATCH_WHOLE <= HEAD_MAX && XEN_GSO_HEADERS_MAX <= HEAD_MAX &&
				2 * HEAD_MAX <= XENVIF_SCRATCH_BYTES,
		"an empty scratch has to hold any head, a page's end within it or not");

/* Pages of a frame, whose data begins behind the headroom. */
static inline uint32_t
pages_of(const struct xenvif_tx_walk *w, uint32_t len)
{
	return (w->headroom + len + XEN_PAGE_BYTES - 1) / XEN_PAGE_BYTES;
}

/* Slots of a frame. */
static inline uint32_t
slots_of(const struct xenvif_tx_walk *w, uint32_t len, const struct head *head)
{
	return pages_of(w, len) + head->nb_extras;
}

static void
add_extra(struct head *head, const struct netif_extra_info *extra)
{
	if (head->nb_extras != 0)
		head->extra[head->nb_extras - 1].flags |= XEN_NETIF_EXTRA_FLAG_MORE;
	head->extra[head->nb_extras++] = *extra;
	head->flags |= NETRXF_extra_info;
}

/* Say where the data begins, if not where it always does. */
static void
add_headroom(const struct xenvif_tx_walk *w, struct head *head)
{
	struct netif_extra_info extra = { .type = XEN_NETIF_EXTRA_TYPE_XDP };

	if (likely(w->headroom == 0))
		return;
	memcpy(&extra.u, &w->headroom, sizeof(w->headroom));
	add_extra(head, &extra);
}

/* The packet's hash, if the guest has asked for one of this kind. Its mbuf's is not trusted. */
static void
add_hash(struct xenvif_tx_walk *w, const struct rte_mbuf *m, struct head *head)
{
	const struct xen_hash_config *cfg = xenvif_hash_wanted(&w->rings->hash, w->hash);
	struct netif_extra_info extra = { .type = XEN_NETIF_EXTRA_TYPE_HASH };
	uint32_t hash;
	int type;

	type = cfg != NULL ? xen_hash_packet(cfg, m, &hash) : -1;
	if (type < 0)
		return;
	xen_hash_to_extra(&extra, type, hash);
	add_extra(head, &extra);
}

/* A place on one page, as a copy operation is, for a head; NULL: none in this batch. */
static uint8_t *
scratch_room(struct xenvif_batch *b, uint32_t len)
{
	uint8_t *at = b->scratch + b->scratch_used;
	uint32_t to_page = -(uintptr_t)at & (XEN_PAGE_BYTES - 1);

	if (to_page < len)
		at += to_page;
	return at + len <= b->scratch + XENVIF_SCRATCH_BYTES ? at : NULL;
}

/* The place is in use. */
static void
scratch_take(struct xenvif_batch *b, const struct head *head)
{
	b->scratch_used = RTE_ALIGN_CEIL((uint32_t)(head->data + head->len - b->scratch),
			sizeof(uint64_t));
}

/* Copy the first bytes of a packet into room of the scratch, and change them there. */
static void
make_head(struct xenvif_batch *b, struct head *head, const struct rte_mbuf *m,
		const struct xen_csum_patch *patch)
{
	uint32_t len = rte_pktmbuf_pkt_len(m);
	const void *data;

	if (len > XENVIF_SCRATCH_WHOLE)
		len = patch->len;
	data = rte_pktmbuf_read(m, 0, len, head->data);
	if (data != head->data)
		rte_memcpy(head->data, data, len);
	xen_csum_apply(patch, head->data);
	head->len = len;
	scratch_take(b, head);
}

/*
 * Make a head of what a packet's first bytes are to be: with the checksums that it asks for, and
 * with a tag that its mbuf has not. The mbuf may be shared with others: nothing is written to it.
 * False when the packet has to be dropped.
 */
static bool
finish_head(struct xenvif_tx_walk *w, const struct rte_mbuf *m, bool tagged, struct head *head)
{
	struct xen_csum_patch patch = { .len = 0 };

	if ((m->ol_flags & XENVIF_TX_WISHES) != 0 &&
			!xen_csum_send(&w->rings->peer, w->ring, m, &head->flags,
					NETRXF_csum_blank | NETRXF_data_validated, &patch))
		return false;
	if (tagged)
		patch.len = RTE_MAX(patch.len, rte_pktmbuf_data_len(m));
	if (patch.len != 0)
		make_head(w->b, head, m, &patch);
	return true;
}

/* Extra info stands behind the first slot, in buffers of which nothing else is used. */
static void
take_extras(struct xenvif_tx_walk *w, const struct head *head)
{
	struct xenvif_batch *b = w->b;
	unsigned int i;

	for (i = 0; i < head->nb_extras; i++, w->cons++)
		memcpy(&b->rsp.rx[b->nb_slots++], &head->extra[i], sizeof(head->extra[i]));
}

/*
 * Stage a head and len bytes of a packet from off on, densely into as many pages as they need: the
 * slots of a packet are full but for the last, and the headroom of the first.
 */
static void
stage_frame(struct xenvif_tx_walk *w, const struct rte_mbuf *m, uint32_t off, uint32_t len,
		const struct head *head)
{
	uint32_t total = head->len + len, done, in_page, room, piece;
	grant_ref_t gref = 0;
	uint16_t flags;
	uint8_t *from;

	for (done = 0; done < total; done += piece) {
		in_page = (w->headroom + done) % XEN_PAGE_BYTES;
		room = XEN_PAGE_BYTES - in_page;
		if (done == 0 || in_page == 0) {
			/* What is said of the packet stands in the first slot alone. */
			flags = done == 0 ? head->flags : 0;
			flags |= total - done > room ? NETRXF_more_data : 0;
			gref = xenvif_take_buffer(w, flags, RTE_MIN(total - done, room));
			w->b->rsp.rx[w->b->nb_slots - 1].offset = in_page;
			if (done == 0)
				take_extras(w, head);
		}
		if (done < head->len) {
			from = head->data + done;
			piece = RTE_MIN(head->len - done, room);
		} else {
			m = xen_mbuf_seek(m, &off);
			from = rte_pktmbuf_mtod_offset(m, uint8_t *, off);
			piece = RTE_MIN(rte_pktmbuf_data_len(m) - off, room);
			piece = RTE_MIN(piece, total - done);
			off += piece;
		}
		xenvif_stage_out(w->b, w->ring, from, gref, in_page, piece);
	}
}

/* Can a frame be given to the guest? It may want a headroom that leaves no room for one. */
static bool
frame_fits(const struct xenvif_tx_walk *w, uint32_t len)
{
	return len <= w->rings->frame_max && w->headroom <= XEN_PAGE_BYTES - RTE_ETHER_HDR_LEN &&
			(w->rings->peer.sg || w->headroom + len <= XEN_PAGE_BYTES);
}

/*
 * May the packet be sent at all? Counts it when not.
 *
 * nb_segs receives the segments that there are: what the mbuf says is not believed.
 */
static bool
packet_sendable(struct xenvif_tx_walk *w, const struct rte_mbuf *m, uint32_t *nb_segs)
{
	bool gso = (m->ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0;
	uint32_t len = rte_pktmbuf_pkt_len(m), sum = 0, n = 0, tagged = len + xen_vlan_len(m);
	const struct rte_mbuf *seg;

	/* One that is to be segmented need not fit as a whole. */
	if (tagged < len || tagged > XEN_NETIF_PKT_MAX ||
			!frame_fits(w, gso ? RTE_ETHER_HDR_LEN : tagged)) {
		xen_count_add(&w->ring->count.oversize, 1);
		return false;
	}
	for (seg = m; seg != NULL && n <= XENVIF_TX_SEGS_MAX; seg = seg->next, n++)
		sum += rte_pktmbuf_data_len(seg);
	*nb_segs = n;
	if (len < RTE_ETHER_HDR_LEN || sum != len || n != m->nb_segs || n > XENVIF_TX_SEGS_MAX ||
			!xen_vlan_countable(m)) {
		xen_count_add(&w->ring->count.bad_packets, 1);
		return false;
	}
	return true;
}

/* The packet that the batch ends with has these copies and slots so far. */
static void
record(struct xenvif_batch *b, struct xenvif_packet *p)
{
	p->nb_segs = b->nb_segs - p->first_seg;
	p->nb_slots = b->nb_slots - p->first_slot;
}

/* Is there room for a frame, a piece a segment, and one more for a head and each end of a page? */
static bool
batch_has_room(const struct xenvif_tx_walk *w, uint32_t nb_segs, uint32_t len)
{
	return w->b->nb_segs + nb_segs + pages_of(w, len) + 1 <= XENVIF_BATCH_SEGS;
}

static bool
buffers_for(struct xenvif_tx_walk *w, uint32_t slots)
{
	if (w->prod - w->cons >= slots)
		return true;
	w->full = true;
	return false;
}

/* Stage a packet whole, with what is said of its segments in extra info. */
static bool
put_whole(struct xenvif_tx_walk *w, const struct rte_mbuf *m, uint32_t nb_segs,
		const struct xen_gso *g)
{
	struct head head = {
		.flags = NETRXF_csum_blank | NETRXF_data_validated,
		.len = g->payload,
	};
	struct netif_extra_info extra = { .type = XEN_NETIF_EXTRA_TYPE_GSO };
	struct xenvif_packet *p = &w->b->packets[w->b->nb_packets];

	extra.u.gso.size = g->mss;
	extra.u.gso.type = g->ipv6 ? XEN_NETIF_GSO_TYPE_TCPV6 : XEN_NETIF_GSO_TYPE_TCPV4;
	add_extra(&head, &extra);
	add_headroom(w, &head);
	add_hash(w, m, &head);
	if (!buffers_for(w, slots_of(w, g->end, &head)) || !batch_has_room(w, nb_segs, g->end))
		return false;
	head.data = scratch_room(w->b, head.len);
	if (head.data == NULL)
		return false;
	xen_gso_whole_headers(g, head.data);
	scratch_take(w->b, &head);
	stage_frame(w, m, g->payload, g->end - g->payload, &head);
	record(w->b, p);
	w->b->nb_packets++;
	xen_count_add(&w->ring->count.gso_whole, 1);
	return true;
}

/*
 * Stage the segments of a packet from w->cut on, as many as there is room for. The extra info of
 * the head goes with each of them.
 */
static bool
put_segments(struct xenvif_tx_walk *w, const struct rte_mbuf *m, const struct xen_gso *g,
		struct head *head)
{
	struct xenvif_packet *p = &w->b->packets[w->b->nb_packets];
	uint32_t off = g->payload + w->cut * g->mss, len, nb_segs, rest;
	bool blank = xen_gso_taken_blank(g, &w->rings->peer);
	const struct rte_mbuf *seg;

	head->len = g->payload;
	if (blank)
		head->flags |= NETRXF_csum_blank | NETRXF_data_validated;
	for (; w->cut < g->nb_segs; w->cut++, off += len) {
		len = xen_gso_seg_len(g, w->cut) - g->payload;
		m = xen_mbuf_seek(m, &off);
		nb_segs = 0;
		for (seg = m, rest = off + len; seg != NULL && rest != 0;
				seg = seg->next, nb_segs++)
			rest -= RTE_MIN(rest, rte_pktmbuf_data_len(seg));
		head->data = scratch_room(w->b, head->len);
		if (!buffers_for(w, slots_of(w, head->len + len, head)) ||
				!batch_has_room(w, nb_segs, head->len + len) || head->data == NULL)
			break;
		xen_gso_headers(g, w->cut, head->data);
		if (!blank)
			xen_gso_complete(g, m, off, len, head->data);
		scratch_take(w->b, head);
		stage_frame(w, m, off, len, head);
	}
	record(w->b, p);
	w->part = w->cut < g->nb_segs && p->nb_slots != 0;
	if (w->cut < g->nb_segs)
		return false;
	w->cut = 0;
	w->b->nb_packets++;
	xen_count_add(&w->ring->count.gso_cut, 1);
	return true;
}

/* A packet to be segmented. Where it does not fit, it is not begun unless it may go in parts. */
static bool
put_gso(struct xenvif_tx_walk *w, const struct rte_mbuf *m, uint32_t nb_segs)
{
	struct xenvif_packet *p = &w->b->packets[w->b->nb_packets];
	struct head head = { .data = NULL };
	uint32_t seg_len;
	struct xen_gso g;

	if (xen_gso_wanted(&g, m) < 0) {
		xen_count_add(&w->ring->count.bad_packets, 1);
		goto drop;
	}
	if (xen_gso_taken_whole(&g, &w->rings->peer))
		return put_whole(w, m, nb_segs, &g);
	seg_len = xen_gso_seg_len(&g, 0);
	if (!frame_fits(w, seg_len)) {
		xen_count_add(&w->ring->count.oversize, 1);
		goto drop;
	}
	add_headroom(w, &head);
	add_hash(w, m, &head);
	if (!w->in_parts && w->cut == 0 && !buffers_for(w, g.nb_segs * slots_of(w, seg_len, &head)))
		return false;
	return put_segments(w, m, &g, &head);

drop:
	w->cut = 0;
	record(w->b, p);
	w->b->nb_packets++;
	return true;
}

bool
xenvif_put_complex(struct xenvif_tx_walk *w, const struct rte_mbuf *m)
{
	bool wishes = (m->ol_flags & XENVIF_TX_WISHES) != 0, tagged = xen_vlan_len(m) != 0;
	struct xenvif_batch *b = w->b;
	struct xenvif_packet *p = &b->packets[b->nb_packets];
	struct head head = { .data = NULL };
	struct xen_vlan vlan;
	uint32_t len, segs;

	w->headroom = __atomic_load_n(&w->rings->headroom, __ATOMIC_RELAXED);
	p->first_seg = b->nb_segs;
	p->first_slot = b->nb_slots;
	if (!packet_sendable(w, m, &segs))
		goto drop;
	if (unlikely(tagged))
		m = xen_vlan_tagged(&vlan, m);
	len = rte_pktmbuf_pkt_len(m);
	if ((m->ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0)
		return put_gso(w, m, segs);
	add_headroom(w, &head);
	add_hash(w, m, &head);
	if (!buffers_for(w, slots_of(w, len, &head)) || !batch_has_room(w, segs, len))
		return false;
	if (wishes) {
		head.data = scratch_room(b, HEAD_MAX);
		if (head.data == NULL)
			return false;
		if (!finish_head(w, m, tagged, &head))
			goto drop;
	}
	stage_frame(w, m, head.len, len - head.len, &head);
drop:
	w->cut = 0;
	record(b, p);
	b->nb_packets++;
	return true;
}
