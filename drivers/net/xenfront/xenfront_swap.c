/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include "xen_mbuf.h"
#include "xenfront_swap.h"

/* How far ahead mbufs are fetched. */
#define SWAP_PREFETCH 4

/* A loop of its own, so that what it needs is in the processor's registers. */
bool
xenfront_swap_run(struct xenfront_rx_walk *w, struct netif_rx_response *end)
{
	struct netif_rx_sring *sring = w->slots.sring;
	struct xenfront_rx_pages *rx = w->rx;
	const uint32_t cons = w->slots.cons;
	const uint32_t nb = RTE_MIN(w->slots.prod - cons, (uint32_t)(w->nb_mbufs - w->nb));
	struct rte_mbuf **pkts = &w->pkts[w->nb];
	const uint16_t room = w->q->room;
	const uint64_t rearm = container_of(w->q, const struct xenfront_rxq, q)->rearm;
	uint64_t bytes = 0;
	bool ended = false;
	uint32_t n;

	for (n = 0; n < nb; n++) {
		const struct netif_rx_response rsp = xen_ring_rx_response(sring, cons + n);
		const uint16_t slot = (cons + n) & XEN_NETIF_RING_MASK;
		struct netif_rx_request req;
		struct rte_mbuf *m;

		rte_prefetch0(rx->mbufs[(slot + SWAP_PREFETCH) & XEN_NETIF_RING_MASK]);
		if (unlikely(!xenfront_response_is_simple(rsp, slot, room) ||
				    !xenfront_is_aligned(rsp.offset))) {
			*end = rsp;
			ended = true;
			break;
		}
		m = xenfront_swap_mbuf(rx, slot, pkts[n], &req);
		xen_ring_rx_post(sring, slot, &req);
		xen_mbuf_set_rearm(m, rearm | rsp.offset);
		m->ol_flags = RTE_MBUF_F_EXTERNAL;
		if ((rsp.flags & NETRXF_data_validated) != 0)
			m->ol_flags = RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
		xen_mbuf_describe(m, rsp.status, 0);
		pkts[n] = m;
		bytes += rsp.status;
	}
	if (w->posted == cons)
		w->posted += n;
	w->slots.cons += n;
	w->nb += n;
	w->bytes += bytes;
	xen_count_add(&w->ring->count.by_reference, n);
	return ended;
}

void
xenfront_swap_chain(struct xenfront_rx_walk *w, const struct xenfront_response *r,
		struct rte_mbuf **segs)
{
	struct netif_rx_request req;
	uint16_t i;

	for (i = 0; i < r->nb_frags; i++) {
		segs[i] = xenfront_swap_mbuf(w->rx, r->frags[i].slot, segs[i], &req);
		rte_pktmbuf_reset(segs[i]);
		segs[i]->data_off = r->frags[i].offset;
		segs[i]->data_len = r->frags[i].len;
	}
	xenfront_link_segs(w, r->len, segs, r->nb_frags);
	w->pkts[w->nb] = segs[0];
	xen_count_add(&w->ring->count.by_reference, r->nb_frags);
}

void
xenfront_link_segs(const struct xenfront_rx_walk *w, uint32_t len, struct rte_mbuf **segs,
		uint16_t nb_segs)
{
	uint16_t i;

	for (i = 0; i < nb_segs; i++) {
		segs[i]->port = w->q->port_id;
		segs[i]->next = i + 1 < nb_segs ? segs[i + 1] : NULL;
	}
	segs[0]->nb_segs = nb_segs;
	segs[0]->pkt_len = len;
}
