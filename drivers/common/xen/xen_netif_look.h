/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XEN_NETIF_LOOK_H
#define XEN_NETIF_LOOK_H

/**
 * @file
 * Copies of what a port knows at one moment, for those who tell it: dump and telemetry. Another
 * process than the one that runs the port takes no lock, and sees no shared page.
 */

#include "xen_netif.h"

/** A vif, at one moment. */
struct xen_netif_vif_look {
	bool started;
	bool admin_down;
	bool no_carrier;
	uint16_t mapped;
	uint16_t active;
	struct xen_netif_features peer;
	int node;
	char domain[RTE_SIZEOF_FIELD(struct xen_netif, domain)];
	struct xen_hash_config hash;
	/* That the guest has registered. */
	uint32_t static_pages;
	/* Rx queues that have them. */
	uint16_t interrupts;
	/* The last that was to be said of either kind; empty: nothing yet. */
	char reason[XEN_NETIF_LINES][XEN_REASON_MAX];
};

/** A ring, at one moment. */
struct xen_netif_ring_look {
	bool attached;
	evtchn_port_t port;
	uint32_t cons;
	uint32_t prod;
	uint32_t waiting;
	/* The shared page's, while attached. */
	uint32_t req_prod;
	uint32_t rsp_prod;
	uint32_t req_event;
	uint32_t rsp_event;
	/* A constant text, of the process that runs the port. */
	const char *broken;
};

/** The name of a xenbus state that the control thread has seen. Any thread and process. */
const char *
xen_netif_state_name(const uint8_t *state);

/** Look at a vif: takes its lock in the process that runs it. Any thread. */
void
xen_netif_look_at_vif(struct xen_netif *nif, struct xen_netif_vif_look *v);

/**
 * Look at a ring: takes its lock in the process that runs the port. Any thread.
 *
 * @param waiting
 *   How many packets wait for it (struct xen_netif_driver), or NULL.
 */
void
xen_netif_look_at_ring(struct xen_netif_ring *ring,
		uint32_t (*waiting)(const struct xen_netif_ring *), struct xen_netif_ring_look *r);

#endif /* XEN_NETIF_LOOK_H */
