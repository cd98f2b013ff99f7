/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XENVIF_PUT_H
#define XENVIF_PUT_H

/**
 * @file
 * How a packet is put into buffers of a guest's RX ring: its copies are staged and its responses
 * written (netif.h, "Guest receive"). An lcore, with the ring's lock held.
 */

#include <rte_ether.h>

#include "xenvif_batch.h"

/** Wishes of a packet that is not simply copied. */
#define XENVIF_TX_WISHES \
	(RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG | \
			RTE_MBUF_F_TX_VLAN)

/** A burst's state while buffers are taken from the ring. */
struct xenvif_tx_walk {
	struct xen_netif_rings *rings;
	struct xenvif_batch *b;
	struct xen_netif_ring *ring;
	/* How the guest wants its packets hashed. */
	struct xenvif_hash_copy *hash;
	uint32_t cons;
	uint32_t prod;
	/* Packets of the run, whose responses are in the ring. */
	uint16_t run;
	/* The request that ended it, if one did: it is copied out of the ring once. */
	bool ended;
	struct netif_rx_request end;
	/* Too few buffers are posted for the next packet. */
	bool full;
	/* Segments of a packet that is cut may go while there are not buffers for all of them. */
	bool in_parts;
	/* How many segments of the next packet have gone; whether more of it are in the batch. */
	uint16_t cut;
	bool part;
	/* Bytes before the data of the packet that is being put. */
	uint16_t headroom;
	/* What has been delivered, and lost. */
	uint32_t packets;
	uint32_t errors;
	uint64_t bytes;
	/* Of the batch: what the guest does not want, and is not an error. */
	uint32_t filtered;
};

static inline void
xenvif_stage_out(struct xenvif_batch *b, const struct xen_netif_ring *ring, void *source,
		grant_ref_t gref, uint16_t offset, uint16_t len)
{
	xengnttab_grant_copy_segment_t *seg = &b->segs[b->nb_segs++];

	seg->source.virt = source;
	seg->dest.foreign.ref = gref;
	seg->dest.foreign.offset = offset;
	seg->dest.foreign.domid = ring->domid;
	seg->len = len;
	seg->flags = GNTCOPY_dest_gref;
	b->nb_ops += xenvif_copy_ops(source, len);
}

/** Take the next posted buffer; its response will say that len bytes are in it. */
static inline grant_ref_t
xenvif_take_buffer(struct xenvif_tx_walk *w, uint16_t flags, uint16_t len)
{
	struct netif_rx_request req = w->ended ? w->end :
						 xen_ring_rx_request(w->ring->sring.rx, w->cons);
	struct netif_rx_response *rsp = &w->b->rsp.rx[w->b->nb_slots++];

	w->ended = false;
	w->cons++;
	rsp->id = req.id;
	rsp->offset = 0;
	rsp->flags = flags;
	rsp->status = len;
	return req.gref;
}

/** Is the packet one segment without wishes, of so many bytes at most? */
static __rte_always_inline bool
xenvif_put_is_simple(const struct rte_mbuf *m, uint16_t max)
{
	return m->nb_segs == 1 && (m->ol_flags & XENVIF_TX_WISHES) == 0 &&
			m->data_len >= RTE_ETHER_HDR_LEN && m->data_len <= max &&
			m->data_len == m->pkt_len;
}

/** Put a packet of one segment without wishes that fits into a page; there is a buffer for it. */
static inline void
xenvif_put_simple(struct xenvif_tx_walk *w, struct xenvif_batch *b, struct rte_mbuf *m)
{
	struct xenvif_packet *p = &b->packets[b->nb_packets++];
	uint16_t len = rte_pktmbuf_data_len(m);

	p->first_seg = b->nb_segs;
	p->nb_segs = 1;
	p->first_slot = b->nb_slots;
	p->nb_slots = 1;
	xenvif_stage_out(b, w->ring, rte_pktmbuf_mtod(m, void *), xenvif_take_buffer(w, 0, len), 0,
			len);
}

/**
 * Put any packet, or drop it. One that is to be segmented goes whole to a guest that takes it so;
 * else its segments go.
 *
 * @return
 *   False when it does not fit into the ring (w->full) or the batch; w->part is set when some of
 *   its segments are in the batch.
 */
bool
xenvif_put_complex(struct xenvif_tx_walk *w, const struct rte_mbuf *m);

#endif /* XENVIF_PUT_H */
