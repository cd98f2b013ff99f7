/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XENFRONT_H
#define XENFRONT_H

/**
 * @file
 * The frontend of a Xen network interface (xen/io/netif.h) as a port, which is what a guest runs:
 * how it comes and goes. Its data path is in xenfront_rxtx.h.
 */

#include <rte_log.h>

#include "xen_netif.h"
#include "xen_netif_keys.h"
#include "xenfront_ctrlring.h"
#include "xenfront_filter.h"
#include "xenfront_register.h"
#include "xenfront_rss.h"
#include "xenfront_rxtx.h"

/** What a queue pair has beside its two struct xen_netif_ring. */
struct xenfront_pair {
	struct xenfront_tx_pages tx;
	struct xenfront_rx_pages rx;
	struct xen_netif_queue_keys keys;
};

/** How far the frontend is with its backend. */
enum xenfront_phase {
	/* Nothing is granted. */
	XENFRONT_IDLE,
	/* Rings are granted and our state is Connected, or about to be. */
	XENFRONT_PUBLISHED,
	/* Our state is Closing; the rings stay until the backend has let go of them. */
	XENFRONT_CLOSING,
};

/** What the backend wrote into its directory, checked. */
struct xenfront_peer_config {
	domid_t domid;
	struct xen_netif_features features;
};

/** A frontend port. */
struct xenfront {
	struct xen_netif nif;
	/* What the backend takes. Written with no ring attached. */
	struct xenfront_peer_config peer;
	struct xenfront_pair *pairs[XEN_NETIF_QUEUES_MAX];
	struct xenfront_ctrl ctrl;
	struct xenfront_rss rss;
	struct xenfront_filter filter;
	struct xenfront_register reg;
	struct xenfront_allowance allowance;

	/* With nif.lock: written by the control thread, left alone while not idle by all others. */
	enum xenfront_phase phase;
	/* Not to be connected before the backend or the port starts anew. */
	bool blocked;

	/* The rest is the control thread's. */
	xengntshr_handle *gntshr;
	/* What nif.intr.nb_queues was when the rings were bound. */
	uint16_t intr_queues;
	/* The backend's state was Connected since the rings were published. */
	bool connected;
	/* Why it does not connect yet has been said. */
	bool trying;
	/* While blocked: the backend was seen in a state other than InitWait. */
	bool backend_left;
	/* When Closing stops waiting for the backend; 0: not waiting. */
	uint64_t closing_ms;
	/* When a directory that is missing counts as removed; 0: none is missing. */
	uint64_t gone_ms;
	/* The MAC address as last read from xenstore. */
	struct rte_ether_addr store_mac;
};

/** See struct xen_bus_device: the frontend's state machine. */
void
xenfront_evaluate(struct xen_bus_device *xbdev);

/** Close the vif without waiting for the backend's part in it. Control thread. */
void
xenfront_leave(struct xen_netif *nif);

/**
 * Read the backend's directory. Control thread.
 *
 * @param path
 *   Receives it; empty when there is none.
 * @param why
 *   Receives the value when it cannot be a directory.
 * @return
 *   0, -EINVAL, or -ENOTCONN when xenstore does not answer.
 */
int
xenfront_read_backend(const struct xenfront *front, char path[XEN_STORE_VALUE_MAX],
		struct xen_reason *why);

/** Read the number of the backend's domain; negative when there is none. Control thread. */
int32_t
xenfront_read_backend_id(const struct xenfront *front);

/** Read the MAC address that the vif has been given. False when there is none. Control thread. */
bool
xenfront_read_mac(const struct xenfront *front, struct rte_ether_addr *mac);

/** Read the MTU that the vif has been given. False when there is none. Control thread. */
bool
xenfront_read_mtu(const struct xenfront *front, uint32_t *mtu);

/** Does the toolstack want the vif to be connected again once it is closed? Control thread. */
bool
xenfront_backend_online(const struct xenfront *front);

/**
 * Does the backend have a link to the network behind it (netif.h, "Link state")? It has, unless it
 * says that it has none.
 *
 * @param before
 *   The answer before, which stands when xenstore does not give one. Control thread.
 */
bool
xenfront_read_carrier(const struct xenfront *front, bool before);

/**
 * Read and check what a backend offers.
 *
 * @param why
 *   Receives the key, its value and what is allowed when something is wrong.
 * @return
 *   0, -EINVAL, or -ENOTCONN when xenstore does not answer. Control thread.
 */
int
xenfront_read_peer(const struct xenfront *front, struct xenfront_peer_config *cfg,
		struct xen_reason *why);

/**
 * Write all that the backend needs to connect, in one transaction, and remove what an earlier
 * connection or another driver has left. Control thread.
 *
 * @return
 *   0 or -errno; -ECANCELED when the directory is gone or its state no longer Initialising.
 */
int
xenfront_publish(struct xenfront *front);

/**
 * Tell a backend that reads it while it is connected whether it is to filter multicast. Control
 * thread.
 *
 * @return
 *   0 or -errno; -ECANCELED when the directory is gone or its state no longer Connected.
 */
int
xenfront_write_mcast(const struct xenfront *front, bool on);

/**
 * Allocate, grant and bind all that the queue pairs need, with every receive buffer posted, and the
 * control ring if the backend offers one. The data path does not see it before
 * xen_netif_attach(). Control thread.
 *
 * @param nb_pairs
 *   1 to XEN_NETIF_QUEUES_MAX.
 * @param why
 *   Receives what failed.
 * @return
 *   0 or -errno, with nothing left granted.
 */
int
xenfront_rings_create(struct xenfront *front, uint16_t nb_pairs, struct xen_reason *why);

/** Do the rings receive into other mempools than those of the queues? Control thread. */
bool
xenfront_rings_misfit(struct xenfront *front);

/**
 * End all grants, unbind all ports and free what belongs to them. No ring may be attached, and the
 * device's lock is not held.
 */
void
xenfront_rings_destroy(struct xenfront *front);

/** Notify the backend on each port, whatever it asked for. Control thread. */
void
xenfront_kick(struct xenfront *front);

extern int xenfront_logtype;

#define XENFRONT_LOG(level, front, fmt, ...) \
	rte_log(RTE_LOG_##level, xenfront_logtype, "XENFRONT: %s: " fmt "\n", \
			(front)->nif.xbdev.path, ##__VA_ARGS__)

#endif /* XENFRONT_H */
