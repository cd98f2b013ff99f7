/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XENFRONT_SWAP_H
#define XENFRONT_SWAP_H

/**
 * @file
 * Receiving without a copy: the mbufs whose pages the backend has filled are handed over as they
 * are, and others take their place in the ring. By an lcore, with the ring's lock held.
 */

#include <stdalign.h>

#include <rte_ether.h>
#include <rte_mbuf.h>

#include "xenfront_rxtx.h"

/** A burst's state while responses are taken. */
struct xenfront_rx_walk {
	struct xen_netif_queue *q;
	struct xen_netif_ring *ring;
	struct xenfront_rx_pages *rx;
	/* The mbufs of its slots are handed over, and others take their place. */
	bool swaps;
	struct xenfront_slots slots;
	/* Slots before this one have been posted again already. */
	uint32_t posted;
	/* Mbufs of the burst: nb are packets already, those up to nb_mbufs are empty. */
	struct rte_mbuf **pkts;
	uint16_t nb;
	uint16_t nb_mbufs;
	/* Packets that the burst can take. */
	uint16_t nb_pkts;
	uint64_t bytes;
};

/** A packet of one slot with no wishes that fits into one mbuf? */
static __rte_always_inline bool
xenfront_response_is_simple(struct netif_rx_response rsp, uint32_t slot, uint16_t room)
{
	return (rsp.flags & ~NETRXF_data_validated) == 0 &&
			rsp.id == (slot & XEN_NETIF_RING_MASK) &&
			rsp.status >= (int)XENFRONT_PKT_MIN && rsp.status <= room &&
			rsp.offset + (uint32_t)rsp.status <= XEN_PAGE_BYTES;
}

/** Are headers there as DPDK and applications read them? Where they are is the backend's choice. */
static inline bool
xenfront_is_aligned(uint16_t offset)
{
	return offset % alignof(struct rte_ether_hdr) == 0;
}

/**
 * Hand over the mbuf of a slot as it is, with another in its place: all its fields are to be set.
 *
 * @param[out] req
 *   The slot's request from now on, for who posts it: what was just written in parts is not read
 *   back as a whole.
 */
static __rte_always_inline struct rte_mbuf *
xenfront_swap_mbuf(struct xenfront_rx_pages *rx, uint16_t slot, struct rte_mbuf *fresh,
		struct netif_rx_request *req)
{
	struct rte_mbuf *m = rx->mbufs[slot];

	*req = (struct netif_rx_request){ .id = slot, .gref = xenfront_buf_own(fresh)->gref };
	rx->mbufs[slot] = fresh;
	rx->reqs[slot] = *req;
	return m;
}

/**
 * Take packets of one slot each, up to the first one that is something else.
 *
 * @param[out] end
 *   That one's response: it is copied out of the ring once.
 * @return
 *   Whether there is one.
 */
bool
xenfront_swap_run(struct xenfront_rx_walk *w, struct netif_rx_response *end);

/** Have a packet in the mbufs of its slots, as many as are given to take their place. */
void
xenfront_swap_chain(struct xenfront_rx_walk *w, const struct xenfront_response *r,
		struct rte_mbuf **segs);

/** Segments are those of a packet of so many bytes. */
void
xenfront_link_segs(const struct xenfront_rx_walk *w, uint32_t len, struct rte_mbuf **segs,
		uint16_t nb_segs);

#endif /* XENFRONT_SWAP_H */
