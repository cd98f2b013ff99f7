/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <assert.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_string_fns.h>

#include "xen_netif_look.h"

static_assert(offsetof(struct netif_tx_sring, req_prod) ==
						offsetof(struct netif_rx_sring, req_prod) &&
				offsetof(struct netif_tx_sring, rsp_event) ==
						offsetof(struct netif_rx_sring, rsp_event),
		"both rings begin with the same indices");

static const char *const states[] = {
	[XenbusStateUnknown] = "none",
	[XenbusStateInitialising] = "Initialising",
	[XenbusStateInitWait] = "InitWait",
	[XenbusStateInitialised] = "Initialised",
	[XenbusStateConnected] = "Connected",
	[XenbusStateClosing] = "Closing",
	[XenbusStateClosed] = "Closed",
	[XenbusStateReconfiguring] = "Reconfiguring",
	[XenbusStateReconfigured] = "Reconfigured",
};

const char *
xen_netif_state_name(const uint8_t *state)
{
	uint8_t s = __atomic_load_n(state, __ATOMIC_RELAXED);

	return s < RTE_DIM(states) ? states[s] : "?";
}

void
xen_netif_look_at_vif(struct xen_netif *nif, struct xen_netif_vif_look *v)
{
	bool primary = rte_eal_process_type() == RTE_PROC_PRIMARY;

	if (primary)
		pthread_mutex_lock(&nif->lock);
	v->started = nif->started;
	v->admin_down = nif->admin_down;
	v->no_carrier = nif->no_carrier;
	v->mapped = RTE_MIN(nif->nb_queues, XEN_NETIF_QUEUES_MAX);
	v->active = __atomic_load_n(&nif->rings.active_queues, __ATOMIC_ACQUIRE);
	v->node = __atomic_load_n(&nif->node, __ATOMIC_RELAXED);
	rte_strscpy(v->domain, nif->domain, sizeof(v->domain));
	memset(&v->peer, 0, sizeof(v->peer));
	if (v->active != 0)
		v->peer = nif->rings.peer;
	v->static_pages = __atomic_load_n(&nif->rings.static_pages, __ATOMIC_RELAXED);
	v->interrupts = nif->intr.nb_queues;
	memcpy(v->reason, nif->reason, sizeof(v->reason));
	/* Its writer has this lock too. */
	v->hash = nif->rings.hash.cfg;
	if (primary)
		pthread_mutex_unlock(&nif->lock);
}

/* The page is mapped for the primary process, and as long as the ring is attached. */
static void
look_at_page(const struct netif_tx_sring *sring, struct xen_netif_ring_look *r)
{
	r->req_prod = xen_ring_load(&sring->req_prod);
	r->rsp_prod = xen_ring_load(&sring->rsp_prod);
	r->req_event = xen_ring_load(&sring->req_event);
	r->rsp_event = xen_ring_load(&sring->rsp_event);
}

/* What any process has of it. */
static void
look_at_own(const struct xen_netif_ring *ring, struct xen_netif_ring_look *r)
{
	r->attached = ring->attached;
	r->port = ring->port;
	r->cons = ring->cons;
	r->prod = ring->prod;
}

void
xen_netif_look_at_ring(struct xen_netif_ring *ring,
		uint32_t (*waiting)(const struct xen_netif_ring *), struct xen_netif_ring_look *r)
{
	memset(r, 0, sizeof(*r));
	if (rte_eal_process_type() != RTE_PROC_PRIMARY) {
		look_at_own(ring, r);
		return;
	}
	rte_spinlock_lock(&ring->lock);
	look_at_own(ring, r);
	if (r->attached) {
		look_at_page(ring->sring.tx, r);
		if (waiting != NULL)
			r->waiting = waiting(ring);
	}
	r->broken = xen_netif_ring_broken_why(ring);
	rte_spinlock_unlock(&ring->lock);
}
