/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <string.h>

#include "xenfront.h"

/* Entries of a list, which is a page. */
#define LIST_MAX (XEN_PAGE_BYTES / sizeof(struct xen_netif_gref))

void
xenfront_register_begin(struct xenfront *front)
{
	struct xenfront_register *r = &front->reg;
	unsigned int i;

	xenfront_register_end(front);
	if (front->nif.args.granted == 0 || front->ctrl.page == NULL)
		return;
	for (i = 0; i < XENFRONT_REGIONS_MAX; i++) {
		if (xenfront_region_at(i, front->peer.domid) != NULL)
			r->regions |= RTE_BIT64(i);
	}
	r->on = r->regions != 0;
}

void
xenfront_register_end(struct xenfront *front)
{
	xenfront_regions_put(front->reg.regions);
	memset(&front->reg, 0, sizeof(front->reg));
}

/* Fill the list with the queue's next pages; how many. */
static uint32_t
fill_list(struct xenfront *front)
{
	struct xenfront_register *r = &front->reg;
	const struct xenfront_region *region;
	struct xen_netif_gref entry = { .flags = 0 };
	uint32_t n = 0;

	while (n < RTE_MIN(r->left, LIST_MAX) && r->region < XENFRONT_REGIONS_MAX) {
		region = (r->regions & RTE_BIT64(r->region)) != 0 ?
				xenfront_region_peek(r->region) :
				NULL;
		if (region == NULL || r->page == region->nb_pages) {
			r->region++;
			r->page = 0;
			continue;
		}
		entry.ref = region->grefs[r->page++];
		memcpy(front->ctrl.page + n * sizeof(entry), &entry, sizeof(entry));
		n++;
	}
	return n;
}

static void
next_queue(struct xenfront *front)
{
	struct xenfront_register *r = &front->reg;

	r->queue++;
	r->asked = false;
	r->region = 0;
	r->page = 0;
	r->on = r->queue < front->nif.nb_queues;
}

static void
send_request(struct xenfront *front, uint16_t type, const uint32_t data[3])
{
	xenfront_ctrlring_send(front, type, data);
	front->reg.waiting = true;
	front->reg.until_ms = xenfront_ctrlring_limit(front);
}

void
xenfront_register_next(struct xenfront *front)
{
	struct xenfront_register *r = &front->reg;

	while (r->on && !r->waiting && !front->rss.dead) {
		if (!r->asked) {
			send_request(front, XEN_NETIF_CTRL_TYPE_GET_GREF_MAPPING_SIZE,
					(const uint32_t[3]){ r->queue });
			return;
		}
		r->nb_listed = fill_list(front);
		if (r->nb_listed != 0)
			send_request(front, XEN_NETIF_CTRL_TYPE_ADD_GREF_MAPPING,
					(const uint32_t[3]){ r->queue, front->ctrl.page_ref,
							r->nb_listed });
		else
			next_queue(front);
	}
}

/* How many pages the backend keeps, which may be any number. */
static void
take_size(struct xenfront *front, const struct xen_netif_ctrl_response *rsp)
{
	struct xenfront_register *r = &front->reg;

	r->asked = true;
	r->left = rsp->status == XEN_NETIF_CTRL_STATUS_SUCCESS ? rsp->data : 0;
	if (r->left != 0)
		return;
	xen_netif_log(&front->nif, XEN_NETIF_NOTED,
			"static grants: the backend keeps none (status %u of its control ring)",
			rsp->status);
	r->on = false;
}

static void
take_added(struct xenfront *front, const struct xen_netif_ctrl_response *rsp)
{
	struct xenfront_register *r = &front->reg;
	struct xen_netif_ring *ring = &front->nif.rings.rx[r->queue];

	if (rsp->status == XEN_NETIF_CTRL_STATUS_SUCCESS) {
		r->left -= r->nb_listed;
		rte_spinlock_lock(&ring->lock);
		xen_count_add(&ring->count.registered, r->nb_listed);
		rte_spinlock_unlock(&ring->lock);
		return;
	}
	xen_netif_log(&front->nif, XEN_NETIF_NOTED,
			"static grants: the backend refuses %u pages of queue %u (status %u of its "
			"control ring): it gets no more",
			r->nb_listed, r->queue, rsp->status);
	r->on = false;
}

void
xenfront_register_take(struct xenfront *front)
{
	struct xenfront_register *r = &front->reg;
	struct xen_netif_ctrl_response rsp;
	int ret;

	ret = xenfront_ctrlring_take(front, &rsp);
	if (ret == -EAGAIN && xenfront_ctrlring_wait(front, r->until_ms, "static grants"))
		return;
	r->waiting = false;
	if (ret < 0) {
		r->on = false;
		if (ret == -EAGAIN)
			xenfront_rss_dead(front);
		return;
	}
	if (rsp.type == XEN_NETIF_CTRL_TYPE_GET_GREF_MAPPING_SIZE)
		take_size(front, &rsp);
	else
		take_added(front, &rsp);
}
