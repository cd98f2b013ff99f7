/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XENVIF_REQUEST_H
#define XENVIF_REQUEST_H

/**
 * @file
 * What a guest puts into its TX ring, taken apart into packets (netif.h, "Guest transmit" and
 * "Extra Info"). Every slot is copied out of the ring once, and only the copies are looked at.
 * Nothing is done about the packets here: this file knows rings and no more.
 */

#include <rte_bitops.h>

#include "xen_ring.h"

/** Bytes of an Ethernet header: a packet is longer. */
#define XENVIF_PKT_MIN 14u

/**
 * A packet of more data slots than this is no mistake but an attack, and ends the vif. Up to it
 * and above XEN_NETIF_SLOTS_MIN the packet is dropped: old Linux guests sent such.
 */
#define XENVIF_SLOTS_FATAL 20u

/** Most extra info slots of one packet: each of the types that there are, once. */
#define XENVIF_EXTRAS_MAX (XEN_NETIF_EXTRA_TYPE_MAX - 1)

/** Extra info of a request that changes the guest's list of multicast addresses: it has no data. */
#define XENVIF_EXTRAS_MCAST \
	(RTE_BIT32(XEN_NETIF_EXTRA_TYPE_MCAST_ADD) | RTE_BIT32(XEN_NETIF_EXTRA_TYPE_MCAST_DEL))

/** The part of a TX ring that the guest has published and nobody has taken. */
struct xenvif_slots {
	struct netif_tx_sring *sring;
	/** The next request, and where they end: at most XEN_NETIF_RING_SIZE after it. */
	uint32_t cons;
	uint32_t prod;
};

/** A packet's slots, as they were copied out of the ring. */
struct xenvif_request {
	/**
	 * The data slots. Each one's size is that of its own piece, also the first one's, and
	 * offset + size is within the page.
	 */
	struct netif_tx_request slot[XENVIF_SLOTS_FATAL];
	uint16_t nb_slots;
	/** Extra info slots; they stand after the first data slot. */
	uint16_t nb_extras;
	/** A bit for each type of extra info that there is (XEN_NETIF_EXTRA_TYPE_*). */
	uint32_t extras;
	/** The last of each such type. */
	struct netif_extra_info extra[XEN_NETIF_EXTRA_TYPE_MAX];
	/**
	 * Bytes of the packet: the sum of the pieces unless it is malformed. Of a request without a
	 * packet (XENVIF_EXTRAS_MCAST) they are 0, and its one slot is as the guest wrote it.
	 */
	uint32_t len;
	/** Not a packet that can be taken, but an old guest's mistake and no breach. */
	bool malformed;
};

/**
 * Is more published than the ring has room for? Then it is no ring in use (XSA-39).
 *
 * @param prod
 *   The guest's req_prod.
 * @param cons
 *   The next request to take; every one before has been answered.
 */
static inline bool
xenvif_slots_overrun(uint32_t prod, uint32_t cons)
{
	return prod - cons > XEN_NETIF_RING_SIZE;
}

/** Is the request a whole good packet of its own, without extra info? */
static inline bool
xenvif_request_is_simple(const struct netif_tx_request *req)
{
	return (req->flags & (NETTXF_more_data | NETTXF_extra_info)) == 0 &&
			req->size >= XENVIF_PKT_MIN &&
			(uint32_t)req->offset + req->size <= XEN_PAGE_BYTES;
}

/**
 * Take the slots of the next packet. Any thread that has the ring to itself.
 *
 * @param s
 *   Where the packet stands; not moved on. There is at least one request.
 * @param first
 *   The request at s->cons, as the caller has copied it.
 * @param r
 *   Receives the packet: nb_slots + nb_extras slots from s->cons on.
 * @return
 *   NULL, or how the guest has broken the protocol: a constant text.
 */
const char *
xenvif_request_take(const struct xenvif_slots *s, const struct netif_tx_request *first,
		struct xenvif_request *r);

#endif /* XENVIF_REQUEST_H */
