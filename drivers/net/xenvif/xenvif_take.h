/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XENVIF_TAKE_H
#define XENVIF_TAKE_H

/**
 * @file
 * How a packet is taken off a guest's TX ring: its copies are staged, and the responses to its
 * slots written (netif.h, "Guest transmit"). An lcore, with the ring's lock held.
 */

#include "xenvif_batch.h"
#include "xenvif_stage.h"

/** A burst's state while the ring is walked. */
struct xenvif_rx_walk {
	struct xenvif_rxq *rxq;
	struct xen_netif_ring *ring;
	struct xenvif_slots slots;
	unsigned int nb_mbufs;
	unsigned int next_mbuf;
	/* Packets of the run, whose responses are in the ring. */
	uint16_t run;
	/* The request that ended it, if one did: it is copied out of the ring once. */
	bool ended;
	struct netif_tx_request end;
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
xenvif_stage_in(struct xenvif_batch *b, const struct xen_netif_ring *ring, grant_ref_t gref,
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

/** Take the common packet: one slot, no extra info, fits into one mbuf. */
static inline void
xenvif_take_simple(struct xenvif_rx_walk *w, const struct netif_tx_request *req)
{
	struct xenvif_batch *b = &w->rxq->batch;
	struct xenvif_packet *p = &b->packets[b->nb_packets++];
	struct rte_mbuf *m = w->rxq->batch.mbufs[w->next_mbuf++];

	rte_pktmbuf_reset(m);
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
	xenvif_stage_in(b, w->ring, req->gref, req->offset, rte_pktmbuf_mtod(m, void *), req->size);
	w->slots.cons++;
}

/**
 * Take a packet that is not simply one good slot.
 *
 * @return
 *   False when it stays on the ring, for the batch or the mbufs are used up, or when the guest has
 *   broken the protocol.
 */
bool
xenvif_take_complex(struct xenvif_rx_walk *w, const struct netif_tx_request *first);

#endif /* XENVIF_TAKE_H */
