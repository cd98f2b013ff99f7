/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Loops of their own, so that what each needs is in the processor's registers. */

#include <rte_prefetch.h>

#include "xen_mbuf.h"
#include "xenvif_grants.h"
#include "xenvif_run.h"

/*
 * The mbuf that a request's packet comes into, but for its data. What there is to do for its
 * checksum stands in the place of the VLAN until it is done, which is for few packets or for none.
 */
static __rte_always_inline void
prepare(struct rte_mbuf *m, uint64_t rearm, const struct netif_tx_request *req)
{
	xen_mbuf_set_rearm(m, rearm);
	/* Where the pool has external buffers that stays so. */
	m->ol_flags &= RTE_MBUF_F_EXTERNAL;
	xen_mbuf_describe(m, req->size, req->flags & XENVIF_CSUM_FLAGS);
}

/* The request is not one of the run's. */
static __rte_always_inline void
end_take(struct xenvif_rx_walk *w, const struct netif_tx_request *req)
{
	w->ended = true;
	w->end = *req;
}

static __rte_always_inline void
taken(struct xenvif_rx_walk *w, uint32_t n, uint64_t bytes)
{
	w->slots.cons += n;
	w->next_mbuf = n;
	w->max -= n;
	w->bytes = bytes;
}

static __rte_noinline uint16_t
take_copied(struct xenvif_rx_walk *w, struct rte_mbuf **pkts, bool *csum)
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
			end_take(w, &req);
			break;
		}
		xen_ring_tx_respond(sring, cons + n, req.id, NETIF_RSP_OKAY);
		prepare(m, rearm, &req);
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
	taken(w, n, bytes);
	b->nb_segs = n;
	b->nb_ops = n + crossings;
	*csum = (all & XENVIF_CSUM_FLAGS) != 0;
	return n;
}

/* To the usual place in mbufs. */
static __rte_noinline void
copy_in(struct rte_mbuf *const *pkts, const uint8_t *const *from, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		xenvif_grants_copy((uint8_t *)pkts[i]->buf_addr + RTE_PKTMBUF_HEADROOM, from[i],
				pkts[i]->data_len);
}

static __rte_noinline void
copy_out(uint8_t *const *to, struct rte_mbuf *const *pkts, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		xenvif_grants_copy(to[i], rte_pktmbuf_mtod(pkts[i], const uint8_t *),
				pkts[i]->data_len);
}

/* All are looked up first: their pages come into the cache meanwhile. */
static __rte_noinline uint16_t
take_static(struct xenvif_rx_walk *w, struct rte_mbuf **pkts, bool *csum)
{
	struct rte_mbuf *const *mbufs = w->rxq->batch.mbufs;
	const uintptr_t *grants = xenvif_grants_pages(w->ring);
	struct netif_tx_sring *sring = w->slots.sring;
	const uint64_t rearm = w->rxq->rearm;
	const uint16_t room = w->rxq->q.room;
	const uint32_t cons = w->slots.cons, nb = RTE_MIN(w->nb_mbufs, w->slots.prod - cons);
	const uint8_t *from[XENVIF_BATCH_PKTS];
	uint32_t all = 0, n;
	uint64_t bytes = 0;

	for (n = 0; n < nb; n++) {
		const struct netif_tx_request req = xen_ring_tx_request(sring, cons + n);
		struct rte_mbuf *m = mbufs[n];

		from[n] = xenvif_grants_at(grants, req.gref, req.offset, false);
		if (unlikely(!xenvif_request_is_simple(&req) || req.size > room ||
				    from[n] == NULL)) {
			end_take(w, &req);
			break;
		}
		rte_prefetch0(from[n]);
		xen_ring_tx_respond(sring, cons + n, req.id, NETIF_RSP_OKAY);
		prepare(m, rearm, &req);
		all |= req.flags;
		bytes += req.size;
		pkts[n] = m;
	}
	copy_in(pkts, from, n);
	taken(w, n, bytes);
	xen_count_add(&w->ring->count.static_copies, n);
	*csum = (all & XENVIF_CSUM_FLAGS) != 0;
	return n;
}

uint16_t
xenvif_run_take(struct xenvif_rx_walk *w, struct rte_mbuf **pkts, bool *csum)
{
	return unlikely(w->ring->has_grants) ? take_static(w, pkts, csum) :
					       take_copied(w, pkts, csum);
}

static __rte_noinline uint16_t
put_copied(struct xenvif_tx_walk *w, struct rte_mbuf **pkts, uint16_t nb_pkts, uint16_t max)
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

/* As take_static(). */
static __rte_noinline uint16_t
put_static(struct xenvif_tx_walk *w, struct rte_mbuf **pkts, uint16_t nb_pkts, uint16_t max)
{
	struct netif_rx_sring *sring = w->ring->sring.rx;
	const uint32_t nb = RTE_MIN((uint32_t)nb_pkts, w->prod - w->cons), cons = w->cons;
	const uintptr_t *grants = xenvif_grants_pages(w->ring);
	uint8_t *to[XENVIF_BATCH_PKTS];
	uint64_t bytes = 0;
	uint32_t n;

	for (n = 0; n < nb; n++) {
		struct rte_mbuf *m = pkts[n];
		struct netif_rx_request req;

		if (unlikely(!xenvif_put_is_simple(m, max)))
			break;
		req = xen_ring_rx_request(sring, cons + n);
		to[n] = xenvif_grants_at(grants, req.gref, 0, true);
		if (unlikely(to[n] == NULL)) {
			w->ended = true;
			w->end = req;
			break;
		}
		rte_prefetch0_write(to[n]);
		xen_ring_rx_respond(sring, cons + n, req.id, m->data_len);
		bytes += m->data_len;
	}
	copy_out(to, pkts, n);
	w->cons = cons + n;
	w->bytes += bytes;
	xen_count_add(&w->ring->count.static_copies, n);
	return n;
}

uint16_t
xenvif_run_put(struct xenvif_tx_walk *w, struct rte_mbuf **pkts, uint16_t nb_pkts, uint16_t max)
{
	return unlikely(w->ring->has_grants) ? put_static(w, pkts, nb_pkts, max) :
					       put_copied(w, pkts, nb_pkts, max);
}
