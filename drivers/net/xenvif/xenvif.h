/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XENVIF_H
#define XENVIF_H

/**
 * @file
 * The backend of a Xen network interface (xen/io/netif.h) as a port: how it comes and goes. Its
 * data path is in xenvif_rxtx.h.
 */

#include "xen_netif.h"
#include "xen_netif_keys.h"
#include "xenvif_mcast.h"
#include "xenvif_rate.h"
#include "xenvif_recover.h"
#include "xenvif_wait.h"

/** What the frontend wrote into its directory, checked: what was asked for, not what is mapped. */
struct xenvif_peer_config {
	struct xen_netif_features features;
	/* The longest payload of a frame that it is to be sent; 0: any. */
	uint32_t mtu;
	struct xen_netif_queue_keys queue[XEN_NETIF_QUEUES_MAX];
	/* If features has ctrl_ring. */
	struct xen_netif_ctrl_keys ctrl;
};

/** A backend port. */
struct xenvif {
	struct xen_netif nif;
	/* What waits for each tx ring that is attached: the ring's priv, guarded by its lock. */
	struct xenvif_wait wait[XEN_NETIF_QUEUES_MAX];
	/* What the guest may transmit: rings.priv of the data path. */
	struct xenvif_rate rate;
	/* The multicast that the guest wants: the priv of rings that it transmits by. */
	struct xenvif_mcast mcast;
	/* Why it does not connect yet has been said. This and the rest is the control thread's. */
	bool trying;
	/* It was this process that offered the vif to its frontend. */
	bool offered;
	/* When event channels that cannot be bound stop being tried; 0: they are not. */
	uint64_t busy_ms;
	/* How far the rings were when that was set. */
	uint32_t busy_at;
	/* The toolstack's keys made no sense at the last look. */
	bool misfit_logged;
	/* What was wrong with the key of the rate at the last look; empty: nothing. */
	struct xen_reason rate_misfit;
	/* A backend before this connection had the guest's list of multicast addresses. */
	bool mcast_lost;
	/* Until when a guest that reconfigures may write what it wants; 0: it does not. */
	uint64_t reconfigure_ms;
	/* What the requests of a round on the control ring have taken so far, in requests. */
	uint32_t ctrl_work;
	/* When a detach by the toolstack no longer waits for the guest. */
	uint64_t closing_ms;
};

/** See struct xen_bus_device: the backend's state machine. */
void
xenvif_evaluate(struct xen_bus_device *xbdev);

/**
 * Write what is offered to the frontend, in one transaction. Control thread.
 *
 * @return
 *   0 or -errno.
 */
int
xenvif_write_offer(struct xenvif *vif);

/**
 * Have the guest see a carrier or none (netif.h, "carrier"). The key is written whenever it does
 * not say so: the vif may be new, or an earlier process may have set the link down. Control thread.
 */
void
xenvif_set_carrier(const struct xenvif *vif, bool up);

/**
 * Read and check the toolstack's keys that name the frontend. Control thread.
 *
 * @param path
 *   Receives the frontend's directory.
 * @param why
 *   Receives the key, its value and what is allowed when something is wrong.
 * @return
 *   0, -EINVAL, or -ENOTCONN when xenstore does not answer.
 */
int
xenvif_read_frontend(const struct xenvif *vif, char path[XEN_STORE_VALUE_MAX],
		struct xen_reason *why);

/** Is the hotplug script through with the vif, or is there none? Control thread. */
bool
xenvif_hotplug_done(const struct xenvif *vif);

/**
 * Read and check the rate that the guest may transmit at (libxl, "rate" of a vif). Control thread.
 *
 * @param limit
 *   Receives it; zeros when there is none.
 * @param why
 *   Receives the key, its value and what is allowed when something is wrong.
 * @return
 *   0, -EINVAL, or -ENOTCONN when xenstore does not answer.
 */
int
xenvif_read_rate(const struct xenvif *vif, struct xenvif_rate_limit *limit, struct xen_reason *why);

/**
 * Does the guest want to choose its multicast? It may change its mind at any time (netif.h,
 * "feature-dynamic-multicast-control"). Control thread.
 *
 * @param wanted
 *   Receives it; untouched when xenstore does not answer.
 */
void
xenvif_read_mcast(const struct xenvif *vif, bool *wanted);

/**
 * Read the headroom that the guest wants its packets to have (Linux, "xdp-headroom"). Control
 * thread.
 *
 * @param headroom
 *   Receives it.
 * @param why
 *   Receives the key, its value and what is allowed when something is wrong.
 * @return
 *   0, -EINVAL, or -ENOTCONN when xenstore does not answer.
 */
int
xenvif_read_headroom(const struct xenvif *vif, uint16_t *headroom, struct xen_reason *why);

/** Does the toolstack want the vif to be offered again once it is closed? Control thread. */
bool
xenvif_online(const struct xenvif *vif);

/**
 * Read and check all that a frontend writes before it goes to state Connected. Control thread.
 *
 * @param cfg
 *   Receives the configuration.
 * @param why
 *   Receives the key, its value and what is allowed when something is wrong.
 * @return
 *   0, -EINVAL, or -ENOTCONN when xenstore does not answer.
 */
int
xenvif_read_peer(const struct xenvif *vif, struct xenvif_peer_config *cfg, struct xen_reason *why);

/**
 * Map the rings and bind the event channels of every queue, and hand them to the data path. The
 * rings are entered where their responses end, so that the guest of a backend that died goes on
 * undisturbed. With the device's lock held.
 *
 * @param recovered
 *   Receives what a backend that died has left in the rings, and was seen to (xenvif_recover.h).
 * @param why
 *   Receives what failed.
 * @return
 *   0; -EAGAIN when it is this end that has run out of something; -EBUSY when an event channel is
 *   not there to be bound, which may be so because another backend has it, or one that is dying; or
 *   -EINVAL. On error nothing is mapped or bound.
 */
int
xenvif_connect(struct xenvif *vif, const struct xenvif_peer_config *cfg,
		struct xenvif_recovered *recovered, struct xen_reason *why);

/**
 * Have the packets for the guest begin at an offset of their first pages from now on. Control
 * thread.
 *
 * @return
 *   It was another one before.
 */
bool
xenvif_set_headroom(struct xen_netif_rings *rings, uint16_t headroom);

/** Take the rings from the data path, unmap and unbind. With the device's lock held. */
void
xenvif_disconnect(struct xenvif *vif);

/** See struct xen_netif_driver. */
void
xenvif_detach(struct xen_netif *nif);
void
xenvif_stop(struct xen_netif *nif);
void
xenvif_close(struct xen_netif *nif);

#endif /* XENVIF_H */
