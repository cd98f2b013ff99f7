/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XENFRONT_MCAST_H
#define XENFRONT_MCAST_H

/**
 * @file
 * The backend's list of multicast addresses (netif.h, XEN_NETIF_EXTRA_TYPE_MCAST_ADD and _DEL),
 * which is changed by requests in a TX ring, among those of packets.
 */

#include <stdbool.h>

#include "xen_netif_queue.h"

/** What is known of the backend's list. The control thread's; all zero: the list is empty. */
struct xenfront_mcast {
	/** What the backend has been asked to have in its list. */
	struct xen_mcast asked;
	/** It has refused one of them. */
	bool refused;
};

/** What has become of a change of the list. */
enum xenfront_mcast_result {
	/* The backend has got and answered all of it. */
	XENFRONT_MCAST_DONE,
	/* Not yet. */
	XENFRONT_MCAST_WAITS,
	/* It has broken the protocol. */
	XENFRONT_MCAST_BROKEN,
};

/**
 * Ask the backend for what its list lacks and has too much, as far as the ring has room, and take
 * the answers that there are. Takes the ring's lock, as a burst does. Control thread.
 *
 * @param ring
 *   A TX ring of a connection, attached or not.
 * @param wanted
 *   What the list shall be.
 */
enum xenfront_mcast_result
xenfront_mcast_sync(struct xen_netif_rings *rings, struct xen_netif_ring *ring,
		struct xenfront_mcast *mcast, const struct xen_mcast *wanted);

#endif /* XENFRONT_MCAST_H */
