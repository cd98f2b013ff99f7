/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>

#include "xenfront.h"

/* How soon an event channel that cannot be unmasked is tried again. */
#define UNMASK_RETRY_MS 100

/* How long the backend may take for a message, and how often it is reminded meanwhile. */
#define ANSWER_LIMIT_MS 5000
#define ANSWER_LOOK_MS 500u

void
xenfront_ctrlring_send(struct xenfront *front, uint16_t type, const uint32_t data[3])
{
	struct xen_netif_ring *ring = &front->nif.ctrl;
	struct xen_netif_ctrl_sring *sring = ring->sring.ctrl;
	uint32_t old = ring->prod;

	front->ctrl.id++;
	front->ctrl.type = type;
	sring->ring[old & XEN_NETIF_CTRL_RING_MASK].req = (struct xen_netif_ctrl_request){
		.id = front->ctrl.id,
		.type = type,
		.data = { data[0], data[1], data[2] },
	};
	ring->prod = old + 1;
	/* Its response is the next event. */
	xen_ring_store(&sring->rsp_event, ring->cons + 1);
	xen_ring_store(&sring->req_prod, ring->prod);
	if (xen_ring_wants_event(&sring->req_event, ring->prod, old))
		xenevtchn_notify(ring->evtchn, ring->port);
}

uint64_t
xenfront_ctrlring_limit(struct xenfront *front)
{
	xen_bus_set_timer(&front->nif.xbdev, ANSWER_LOOK_MS);
	return xen_bus_now_ms() + ANSWER_LIMIT_MS;
}

bool
xenfront_ctrlring_wait(struct xenfront *front, uint64_t until_ms, const char *what)
{
	uint64_t now = xen_bus_now_ms();

	if (now < until_ms) {
		/* The notification may have failed. */
		xenevtchn_notify(front->nif.ctrl.evtchn, front->nif.ctrl.port);
		xen_bus_set_timer(&front->nif.xbdev, RTE_MIN(until_ms - now, ANSWER_LOOK_MS));
		return true;
	}
	xen_netif_log(&front->nif, XEN_NETIF_NOTED,
			"%s: the backend has not answered its control ring for %u seconds: it is "
			"left alone until the next connection",
			what, ANSWER_LIMIT_MS / 1000);
	return false;
}

static int
broken(struct xenfront *front, const char *why)
{
	xen_netif_ring_broken(&front->nif.rings, &front->nif.ctrl, why);
	return -EPROTO;
}

int
xenfront_ctrlring_take(struct xenfront *front, struct xen_netif_ctrl_response *rsp)
{
	struct xen_netif_ring *ring = &front->nif.ctrl;
	uint32_t rsp_prod = xen_ring_load(&ring->sring.ctrl->rsp_prod);

	if (xenevtchn_unmask(ring->evtchn, ring->port) < 0)
		xen_bus_set_timer(&front->nif.xbdev, UNMASK_RETRY_MS);
	if (rsp_prod - ring->cons > ring->prod - ring->cons)
		return broken(front, "rsp_prod ahead of the requests");
	if (rsp_prod == ring->cons)
		return -EAGAIN;
	*rsp = xen_ring_ctrl_response(ring->sring.ctrl, ring->cons++);
	if (rsp->id != front->ctrl.id || rsp->type != front->ctrl.type)
		return broken(front, "response to a request that is not outstanding");
	return 0;
}
