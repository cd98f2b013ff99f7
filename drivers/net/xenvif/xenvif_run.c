/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Loops of their own, so that what each needs is in the processor's registers. */

#include "xenvif_run.h"

/*
 * Its length; packet type, VLAN and hash are none. What there is to do for its checksum stands in
 * the place of the VLAN until it is done, which is for few packets or for none.
 */
static __rte_always_inline void
describe(struct rte_mbuf *m, uint16_t len, uint16_t csum)
{
	const uint64_t words[2] = { (uint64_t)len << 32, len | (uint32_t)csum << 16 };

	static_assert(offsetof(struct rte_mbuf, data_len) -
							offsetof(struct rte_mbuf,
									rx_descriptor_fields1) ==
					8,
			"the second word begins with the length");
	static_assert(offsetof(struct rte_mbuf, vlan_tci) - offsetof(struct rte_mbuf, data_len) ==
					2,
			"behind that is the VLAN");
	memcpy(m->rx_descriptor_fields1, words, sizeof(words));
}

uint16_t
xenvif_run_take(struct xenvif_rx_walk *w, struct rte_mbuf **pkts, bool *csum)
{
	struct xenvif_batch *b = &w->rxq->batch;
	struct netif_tx_sring *sring = w->slots.sring;
	const uint64_t rearm = w->rxq->rearm;
	const uint16_t room = w->rxq->q.room;
	const uint32_t cons = w->slots.cons, nb = RTE_MIN(w->nb_mbufs, w->slots.prod - cons);
	const domid_t domid = w->ring->domid;
	uint32_t crossings = 0, all = 0, n;
	uint64_t bytes = 0;

	for (n = 0; n < nb; n++) {
		const struct netif_tx_request req = xen_ring_tx_request(sring, cons + n);
		xengnttab_grant_copy_segment_t *seg = &b->segs[n];
		struct rte_mbuf *m = b->mbufs[n];
		uintptr_t data, to_page;

		if (unlikely(!xenvif_request_is_simple(&req) || req.size > room)) {
			w->ended = true;
			w->end = req;
			break;
		}
		xen_ring_tx_respond(sring, cons + n, req.id, NETIF_RSP_OKAY);
		memcpy(&m->rearm_data, &rearm, sizeof(rearm));
		/* Where the pool has external buffers that stays so. */
		m->ol_flags &= RTE_MBUF_F_EXTERNAL;
		m->tx_offload = 0;
		describe(m, req.size, req.flags & XENVIF_CSUM_FLAGS);
		data = (uintptr_t)m->buf_addr + RTE_PKTMBUF_HEADROOM;
		to_page = -data & (XEN_PAGE_BYTES - 1);
		if (unlikely(to_page < req.size)) {
			xen_netif_place(m, room, req.size);
			data = rte_pktmbuf_mtod(m, uintptr_t);
			crossings += xenvif_copy_ops((void *)data, req.size) - 1;
		}
		seg->source.foreign.ref = req.gref;
		seg->source.foreign.offset = req.offset;
		seg->source.foreign.domid = domid;
		seg->dest.virt = (void *)data;
		seg->len = req.size;
		seg->flags = GNTCOPY_source_gref;
		all |= req.flags;
		bytes += req.size;
		pkts[n] = m;
	}
	w->slots.cons = cons + n;
	w->next_mbuf = n;
	w->max -= n;
	w->bytes = bytes;
	b->nb_segs = n;
	b->nb_ops = n + crossings;
	*csum = (all & XENVIF_CSUM_FLAGS) != 0;
	return n;
}

uint16_t
xenvif_run_put(struct xenvif_tx_walk *w, struct rte_mbuf **pkts, uint16_t nb_pkts, uint16_t max)
{
	struct xenvif_batch *b = w->b;
	struct netif_rx_sring *sring = w->ring->sring.rx;
	const uint32_t nb = RTE_MIN((uint32_t)nb_pkts, w->prod - w->cons), cons = w->cons;
	const domid_t domid = w->ring->domid;
	uint32_t crossings = 0, n;
	uint64_t bytes = 0;

	for (n = 0; n < nb; n++) {
		xengnttab_grant_copy_segment_t *seg = &b->segs[n];
		struct rte_mbuf *m = pkts[n];
		struct netif_rx_request req;
		uintptr_t data;
		uint16_t len;

		if (unlikely(!xenvif_put_is_simple(m, max)))
			break;
		len = m->data_len;
		req = xen_ring_rx_request(sring, cons + n);
		xen_ring_rx_respond(sring, cons + n, req.id, len);
		data = rte_pktmbuf_mtod(m, uintptr_t);
		if (unlikely((-data & (XEN_PAGE_BYTES - 1)) < len))
			crossings += xenvif_copy_ops((void *)data, len) - 1;
		seg->source.virt = (void *)data;
		seg->dest.foreign.ref = req.gref;
		seg->dest.foreign.offset = 0;
		seg->dest.foreign.domid = domid;
		seg->len = len;
		seg->flags = GNTCOPY_dest_gref;
		bytes += len;
	}
	w->cons = cons + n;
	w->bytes += bytes;
	b->nb_segs = n;
	b->nb_ops = n + crossings;
	return n;
}

void
xenvif_run_free(struct xenvif_batch *b, struct rte_mbuf **pkts, uint16_t nb_pkts)
{
	struct rte_mempool *pool = NULL;
	struct rte_mbuf *m;
	uint16_t i, n = 0;

	for (i = 0; i < nb_pkts; i++) {
		m = pkts[i];
		if (unlikely(m->next != NULL)) {
			rte_pktmbuf_free(m);
			continue;
		}
		/* Shared, or with an external buffer, perhaps for good. */
		if (rte_mbuf_refcnt_read(m) != 1 || !RTE_MBUF_DIRECT(m)) {
			m = rte_pktmbuf_prefree_seg(m);
			if (m == NULL)
				continue;
		}
		if (unlikely(m->pool != pool)) {
			if (n != 0)
				rte_mempool_put_bulk(pool, (void **)b->mbufs, n);
			pool = m->pool;
			n = 0;
		}
		b->mbufs[n++] = m;
	}
	if (n != 0)
		rte_mempool_put_bulk(pool, (void **)b->mbufs, n);
}
