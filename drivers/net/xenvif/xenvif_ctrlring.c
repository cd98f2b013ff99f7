/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <string.h>

#include "xenvif_ctrlring.h"
#include "xenvif_grants.h"
#include "xenvif_hash.h"

/* How soon an event channel that cannot be unmasked is tried again. */
#define UNMASK_RETRY_MS 100

/* Copy what a page of the guest begins with; false: its reference is none for us. */
static bool
copy(struct xenvif *vif, xengnttab_grant_copy_segment_t *seg)
{
	return seg->len == 0 ||
			(xengnttab_grant_copy(vif->nif.rings.gnttab, 1, seg) == 0 &&
					seg->status == GNTST_okay);
}

static bool
copy_in(struct xenvif *vif, grant_ref_t gref, void *to, uint32_t len)
{
	xengnttab_grant_copy_segment_t seg = {
		.source.foreign = { .ref = gref, .domid = vif->nif.ctrl.domid },
		.dest.virt = to,
		.len = len,
		.flags = GNTCOPY_source_gref,
	};

	return copy(vif, &seg);
}

static bool
copy_out(struct xenvif *vif, grant_ref_t gref, void *from, uint32_t len)
{
	xengnttab_grant_copy_segment_t seg = {
		.source.virt = from,
		.dest.foreign = { .ref = gref, .domid = vif->nif.ctrl.domid },
		.len = len,
		.flags = GNTCOPY_dest_gref,
	};

	return copy(vif, &seg);
}

static uint32_t
set_key(struct xenvif *vif, grant_ref_t gref, uint32_t len)
{
	uint8_t key[XEN_HASH_KEY_MAX];

	if (len > sizeof(key))
		return XEN_NETIF_CTRL_STATUS_BUFFER_OVERFLOW;
	if (!copy_in(vif, gref, key, len))
		return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
	return xenvif_hash_set_key(&vif->nif.rings.hash, key, len);
}

static uint32_t
set_mapping(struct xenvif *vif, grant_ref_t gref, uint32_t nb, uint32_t offset)
{
	struct xen_netif_hash *hash = &vif->nif.rings.hash;
	uint32_t entries[XEN_HASH_MAPPING_MAX], status;

	status = xenvif_hash_check_mapping(hash, nb, offset);
	if (status != XEN_NETIF_CTRL_STATUS_SUCCESS)
		return status;
	if (!copy_in(vif, gref, entries, nb * sizeof(entries[0])))
		return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
	return xenvif_hash_set_mapping(hash, entries, nb, offset, vif->nif.nb_queues);
}

/* Pages that a queue may have registered: its part of the vif's. */
static uint32_t
grants_max(const struct xenvif *vif)
{
	return vif->nif.args.static_pages / vif->nif.nb_queues;
}

static uint32_t
get_grants_max(const struct xenvif *vif, uint32_t queue, uint32_t *data)
{
	if (queue >= vif->nif.nb_queues)
		return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
	*data = grants_max(vif);
	return XEN_NETIF_CTRL_STATUS_SUCCESS;
}

static uint32_t
add_grants(struct xenvif *vif, uint32_t queue, grant_ref_t gref, uint32_t nb)
{
	struct xen_netif_gref list[XENVIF_GREF_LIST_MAX];

	if (queue >= vif->nif.nb_queues || nb > RTE_DIM(list) ||
			!copy_in(vif, gref, list, nb * sizeof(list[0])) ||
			!xenvif_grants_add(&vif->nif.rings, queue, grants_max(vif), list, nb))
		return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
	return XEN_NETIF_CTRL_STATUS_SUCCESS;
}

/* Nothing is removed unless the guest can be told what. */
static uint32_t
remove_grants(struct xenvif *vif, uint32_t queue, grant_ref_t gref, uint32_t nb, uint32_t *data)
{
	struct xen_netif_gref list[XENVIF_GREF_LIST_MAX];
	uint32_t found;

	if (queue >= vif->nif.nb_queues || nb > RTE_DIM(list) ||
			!copy_in(vif, gref, list, nb * sizeof(list[0])))
		return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
	found = xenvif_grants_find(&vif->nif.rings, queue, list, nb);
	if (!copy_out(vif, gref, list, nb * sizeof(list[0])))
		return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
	vif->ctrl_work += xenvif_grants_remove(&vif->nif.rings, queue, list, nb) *
			XENVIF_CTRL_GRANTS_WORK;
	*data = found;
	return XEN_NETIF_CTRL_STATUS_SUCCESS;
}

/* What is about static grants, if these are offered. */
static uint32_t
answer_grants(struct xenvif *vif, const struct xen_netif_ctrl_request *req, uint32_t *data)
{
	if (vif->nif.args.static_pages == 0)
		return XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED;
	switch (req->type) {
	case XEN_NETIF_CTRL_TYPE_GET_GREF_MAPPING_SIZE:
		return get_grants_max(vif, req->data[0], data);
	case XEN_NETIF_CTRL_TYPE_ADD_GREF_MAPPING:
		return add_grants(vif, req->data[0], req->data[1], req->data[2]);
	default:
		return remove_grants(vif, req->data[0], req->data[1], req->data[2], data);
	}
}

/* What is no message is not supported. */
static uint32_t
answer(struct xenvif *vif, const struct xen_netif_ctrl_request *req, uint32_t *data)
{
	struct xen_netif_hash *hash = &vif->nif.rings.hash;

	switch (req->type) {
	case XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM:
		return xenvif_hash_set_algorithm(hash, req->data[0]);
	case XEN_NETIF_CTRL_TYPE_GET_HASH_FLAGS:
		return xenvif_hash_get_types(hash, data);
	case XEN_NETIF_CTRL_TYPE_SET_HASH_FLAGS:
		return xenvif_hash_set_types(hash, req->data[0]);
	case XEN_NETIF_CTRL_TYPE_SET_HASH_KEY:
		return set_key(vif, req->data[0], req->data[1]);
	case XEN_NETIF_CTRL_TYPE_GET_HASH_MAPPING_SIZE:
		*data = XEN_HASH_MAPPING_MAX;
		return XEN_NETIF_CTRL_STATUS_SUCCESS;
	case XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE:
		return xenvif_hash_set_mapping_size(hash, req->data[0]);
	case XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING:
		return set_mapping(vif, req->data[0], req->data[1], req->data[2]);
	case XEN_NETIF_CTRL_TYPE_GET_GREF_MAPPING_SIZE:
	case XEN_NETIF_CTRL_TYPE_ADD_GREF_MAPPING:
	case XEN_NETIF_CTRL_TYPE_DEL_GREF_MAPPING:
		return answer_grants(vif, req, data);
	default:
		return XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED;
	}
}

/* How many requests one is as good as: hundreds of pages may have to be mapped. */
static uint32_t
work_of(uint16_t type)
{
	return type == XEN_NETIF_CTRL_TYPE_ADD_GREF_MAPPING ||
					type == XEN_NETIF_CTRL_TYPE_DEL_GREF_MAPPING ?
			XENVIF_CTRL_GRANTS_WORK :
			1;
}

/* Answer a round of requests; true when there are more, else the guest's next one is an event. */
static bool
serve_round(struct xenvif *vif)
{
	struct xen_netif_ring *ctrl = &vif->nif.ctrl;
	struct xen_netif_ctrl_sring *sring = ctrl->sring.ctrl;
	uint32_t prod = xen_ring_load(&sring->req_prod), old = ctrl->cons, i;
	struct xen_netif_ctrl_request req;
	struct xen_netif_ctrl_response rsp;

	if (prod - old > XEN_NETIF_CTRL_RING_SIZE) {
		xen_netif_ring_broken(&vif->nif.rings, ctrl,
				"req_prod more than a ring ahead of rsp_prod");
		return false;
	}
	vif->ctrl_work = 0;
	for (i = old; i != prod && vif->ctrl_work < XENVIF_CTRL_ROUND; i++) {
		req = xen_ring_ctrl_request(sring, i);
		rsp = (struct xen_netif_ctrl_response){ .id = req.id, .type = req.type };
		rsp.status = answer(vif, &req, &rsp.data);
		sring->ring[i & XEN_NETIF_CTRL_RING_MASK].rsp = rsp;
		/* It is no request any more, should this process die with the next one. */
		xen_ring_store(&sring->rsp_prod, i + 1);
		vif->ctrl_work += work_of(req.type);
	}
	prod = i;
	if (prod != old) {
		ctrl->cons = prod;
		if (xen_ring_wants_event(&sring->rsp_event, prod, old))
			xenevtchn_notify(ctrl->evtchn, ctrl->port);
	}
	xen_ring_store(&sring->req_event, prod + 1);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return xen_ring_load(&sring->req_prod) != prod;
}

void
xenvif_ctrlring_serve(struct xenvif *vif)
{
	struct xen_netif_ring *ctrl = &vif->nif.ctrl;
	bool more = false;

	pthread_mutex_lock(&vif->nif.lock);
	if (ctrl->attached) {
		more = serve_round(vif);
		/* While it is masked no request of the guest is an event. */
		if (!more && ctrl->attached && xenevtchn_unmask(ctrl->evtchn, ctrl->port) < 0)
			xen_bus_set_timer(&vif->nif.xbdev, UNMASK_RETRY_MS);
	}
	pthread_mutex_unlock(&vif->nif.lock);
	if (more)
		xen_bus_kick(&vif->nif.xbdev);
}
