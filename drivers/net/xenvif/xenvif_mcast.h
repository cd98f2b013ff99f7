/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XENVIF_MCAST_H
#define XENVIF_MCAST_H

/**
 * @file
 * The multicast that a guest has asked for (netif.h, "request-multicast-control" and
 * XEN_NETIF_EXTRA_TYPE_MCAST_ADD, _DEL). The list may be changed by any lcore that takes what the
 * guest transmits, and is read by all that send to it.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "xen_mcast.h"
#include "xenvif_request.h"

/** The list of a vif. All zero: empty, and everything is wanted. */
struct xenvif_mcast {
	/** Nothing but what is in the list is wanted. Atomically. */
	bool on;
	struct xen_mcast list;
};

/**
 * Do what a request with extra info of XENVIF_EXTRAS_MCAST asks for. By an lcore.
 *
 * @return
 *   False when the list is full, or the address to be added is no multicast address.
 */
bool
xenvif_mcast_change(struct xenvif_mcast *mcast, const struct xenvif_request *r);

/** Is the list to be looked into at all? Any thread. */
static inline bool
xenvif_mcast_is_on(const struct xenvif_mcast *mcast)
{
	return __atomic_load_n(&mcast->on, __ATOMIC_RELAXED);
}

/** Have the list looked into, or have everything pass. Any thread. */
static inline void
xenvif_mcast_set(struct xenvif_mcast *mcast, bool on)
{
	__atomic_store_n(&mcast->on, on, __ATOMIC_RELAXED);
}

/** Is the packet, of any form, no multicast, a broadcast, or to an address of the list? */
bool
xenvif_mcast_passes(const struct xenvif_mcast *mcast, const struct rte_mbuf *m);

/** The guest has gone: empty the list, and have everything pass. With no ring attached. */
void
xenvif_mcast_clear(struct xenvif_mcast *mcast);

#endif /* XENVIF_MCAST_H */
