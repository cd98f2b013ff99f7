/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XEN_NETIF_KEYS_H
#define XEN_NETIF_KEYS_H

/**
 * @file
 * The keys by which both ends of a vif find each other's rings and agree on features (netif.h,
 * from "feature-*" on). What one end writes is what the other reads: by one table, with one
 * reader. Control thread.
 */

#include "xen_if.h"
#include "xen_netif_queue.h"
#include "xen_reason.h"

/** How many queue pairs a backend offers. */
#define XEN_NETIF_KEY_MAX_QUEUES "multi-queue-max-queues"

/** Keys of a frontend's ring pages, for texts about them. */
#define XEN_NETIF_KEY_TX_RING "tx-ring-ref"
#define XEN_NETIF_KEY_RX_RING "rx-ring-ref"

/** Whether a frontend wants to choose the multicast that it is sent. */
#define XEN_NETIF_KEY_REQUEST_MCAST "request-multicast-control"

/** Bytes that a frontend wants to be free before the data of a packet. */
#define XEN_NETIF_KEY_HEADROOM "xdp-headroom"

/** Keys of a frontend's control ring, for texts about them. */
#define XEN_NETIF_KEY_CTRL_RING "ctrl-ring-ref"

/** What the other end of a control ring needs of it. */
struct xen_netif_ctrl_keys {
	grant_ref_t ring_ref;
	evtchn_port_t evtchn;
};

/** What the other end of a queue pair needs of it. */
struct xen_netif_queue_keys {
	grant_ref_t tx_ring_ref;
	grant_ref_t rx_ring_ref;
	/** The same twice unless the event channels are split. */
	evtchn_port_t evtchn_tx;
	evtchn_port_t evtchn_rx;
};

/**
 * Read a key that has to be there and a number.
 *
 * @param dir
 *   The directory.
 * @param number
 *   Receives the number; untouched on error.
 * @param why
 *   Receives the key, its value and what is allowed when it is not.
 * @return
 *   0, -EINVAL, or -ENOTCONN when xenstore does not answer: then why is untouched.
 */
__rte_internal
int
xen_netif_key_read(const char *dir, const char *key, uint32_t min, uint32_t max, uint32_t *number,
		struct xen_reason *why);

/** The same for a key that need not be there: absent is what that says. */
__rte_internal
int
xen_netif_key_read_or(const char *dir, const char *key, uint16_t absent, uint32_t min, uint32_t max,
		uint32_t *number, struct xen_reason *why);

/**
 * Read what an end offers or asks for.
 *
 * @param writer
 *   The end that wrote it.
 * @param dir
 *   That end's directory.
 * @param max_queues
 *   The largest number of queues that is allowed.
 * @param features
 *   Receives it; what that end has no key for is left alone.
 * @param why
 *   Receives the key, its value and what is allowed when something is wrong.
 * @return
 *   0, -EINVAL, or -ENOTCONN when xenstore does not answer: then why is untouched.
 */
__rte_internal
int
xen_netif_features_read(enum xen_netif_role writer, const char *dir, uint16_t max_queues,
		struct xen_netif_features *features, struct xen_reason *why);

/**
 * Write what an end offers or asks for. Keys that would say what their absence says are removed.
 *
 * @return
 *   0 or -errno.
 */
__rte_internal
int
xen_netif_features_write(enum xen_netif_role writer, const char *dir,
		const struct xen_netif_features *features);

/**
 * Read the keys of a frontend's queue pair.
 *
 * @param dir
 *   The frontend's directory.
 * @param queues
 *   How many queue pairs it has: one has no directory of its own.
 * @param queue
 *   Which of them.
 * @param keys
 *   Receives them.
 * @param split
 *   Receives whether each direction has an event channel of its own.
 * @param why
 *   Receives the key, its value and what is allowed when something is wrong.
 * @return
 *   0, -EINVAL, or -ENOTCONN when xenstore does not answer: then why is untouched.
 */
__rte_internal
int
xen_netif_queue_read(const char *dir, uint16_t queues, uint16_t queue,
		struct xen_netif_queue_keys *keys, bool *split, struct xen_reason *why);

/**
 * Write the keys of a frontend's queue pair.
 *
 * @return
 *   0 or -errno.
 */
__rte_internal
int
xen_netif_queue_write(const char *dir, uint16_t queues, uint16_t queue,
		const struct xen_netif_queue_keys *keys, bool split);

/**
 * Read the keys of a frontend's control ring, if it has one (netif.h, "Control ring").
 *
 * @param keys
 *   Receives them.
 * @param present
 *   Receives whether there is one; both keys have to be there, or neither.
 * @param why
 *   Receives the key, its value and what is allowed when something is wrong.
 * @return
 *   0, -EINVAL, or -ENOTCONN when xenstore does not answer: then why is untouched.
 */
__rte_internal
int
xen_netif_ctrl_read(const char *dir, struct xen_netif_ctrl_keys *keys, bool *present,
		struct xen_reason *why);

/**
 * Write the keys of a frontend's control ring.
 *
 * @return
 *   0 or -errno.
 */
__rte_internal
int
xen_netif_ctrl_write(const char *dir, const struct xen_netif_ctrl_keys *keys);

/**
 * Remove what another frontend has left in its directory and means something to a backend: rings,
 * and keys of features that are not spoken here.
 *
 * @return
 *   0 or -errno.
 */
__rte_internal
int
xen_netif_keys_clear(const char *dir);

#endif /* XEN_NETIF_KEYS_H */
