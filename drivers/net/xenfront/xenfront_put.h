/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XENFRONT_PUT_H
#define XENFRONT_PUT_H

/**
 * @file
 * How packets of a transmit burst become requests (netif.h, "Guest transmit"). By an lcore, with
 * the ring's lock held.
 */

#include <rte_ether.h>
#include <rte_mbuf.h>

#include "xen_mbuf.h"
#include "xenfront_rxtx.h"

/** What an application may ask for that makes a packet more than its bytes. */
#define TX_WISHES \
	(RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG | \
			RTE_MBUF_F_TX_VLAN)

/** Mbufs that are freed with one call. */
#define TX_FREE_BATCH 64

/**
 * A short packet starts somewhere else in each page: at the same offset in all of them, packets
 * would compete for the few ways of one set of the cache.
 */
#define TX_SHORT_MAX 2048u
#define TX_COLOURS 32u
static_assert(TX_COLOURS * RTE_CACHE_LINE_MIN_SIZE + TX_SHORT_MAX <= XEN_PAGE_BYTES,
		"a short packet has to end within its page");

/** A burst's state while requests are written. */
struct xenfront_tx_walk {
	struct xenfront_tx_pages *tx;
	struct xen_netif_ring *ring;
	struct xen_netif_queue *q;
	/* Next request to write. */
	uint32_t prod;
	/* Sent, that is, not dropped. */
	uint16_t packets;
	/* Mbufs that are sent and wait to be freed. */
	uint16_t nb_done;
	uint64_t bytes;
	struct rte_mbuf *done[TX_FREE_BATCH];
};

/** Is it a packet of one page with none of these flags? */
static __rte_always_inline bool
xenfront_put_is_simple(const struct rte_mbuf *m, uint64_t flags)
{
	return m->nb_segs == 1 && (m->ol_flags & flags) == 0 && m->data_len >= RTE_ETHER_HDR_LEN &&
			m->data_len <= XEN_PAGE_BYTES && m->data_len == m->pkt_len;
}

/** Free slots of the ring: there are as many free ids, or more, for extra info has none. */
static inline uint32_t
tx_room(const struct xenfront_tx_walk *w)
{
	return XEN_NETIF_RING_SIZE - (w->prod - w->ring->cons);
}

/** Write a request into the next slot, of which there has to be one. */
static inline void
put_request(struct xenfront_tx_walk *w, uint16_t id, grant_ref_t gref, uint16_t offset,
		uint16_t flags, uint16_t size)
{
	struct netif_tx_request *req =
			&w->ring->sring.tx->ring[w->prod++ & XEN_NETIF_RING_MASK].req;

	req->gref = gref;
	req->offset = offset;
	req->flags = flags;
	req->id = id;
	req->size = size;
}

/** Free the mbufs that wait for it. */
static inline void
put_back(struct xenfront_tx_walk *w)
{
	if (w->nb_done != 0)
		xen_mbufs_free(w->done, w->nb_done, w->done);
	w->nb_done = 0;
}

/** Free an mbuf of one segment together with others. */
static inline void
free_simple(struct xenfront_tx_walk *w, struct rte_mbuf *m)
{
	if (unlikely(w->nb_done == TX_FREE_BATCH))
		put_back(w);
	w->done[w->nb_done++] = m;
}

/** Copy a packet of one segment without wishes into a page. */
static inline void
put_simple(struct xenfront_tx_walk *w, struct rte_mbuf *m)
{
	uint16_t id = xenfront_tx_ids_take(&w->tx->ids, XENFRONT_TX_FIRST),
		 len = rte_pktmbuf_data_len(m), offset = 0;

	if (len <= TX_SHORT_MAX)
		offset = id % TX_COLOURS * RTE_CACHE_LINE_MIN_SIZE;
	memcpy(w->tx->pages + id * XEN_PAGE_BYTES + offset, rte_pktmbuf_mtod(m, const void *), len);
	put_request(w, id, w->tx->grefs[id], offset, 0, len);
	w->packets++;
	w->bytes += len;
	free_simple(w, m);
}

/**
 * Send packets that are an mbuf of granted pages each and without wishes, up to the first one that
 * is something else or finds no slot; how many.
 */
uint16_t
xenfront_put_granted(struct xenfront_tx_walk *w, struct rte_mbuf **pkts, uint16_t nb_pkts);

/**
 * Send a packet that is not simply one page without wishes, or drop it.
 *
 * @return
 *   False when too few slots are free: it stays the caller's, untouched.
 */
bool
xenfront_put_complex(struct xenfront_tx_walk *w, struct rte_mbuf *m);

#endif /* XENFRONT_PUT_H */
