/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <rte_bitops.h>
#include <rte_common.h>

#include "xenfront_response.h"

/* Copy the extra info after the first response; false when it runs past the published ones. */
static bool
take_extras(const struct xenfront_slots *s, struct xenfront_response *r)
{
	struct netif_extra_info extra;

	do {
		if (r->nb_slots == s->prod - s->cons)
			return false;
		extra = xen_ring_extra(&s->sring->ring[(s->cons + r->nb_slots++) &
				XEN_NETIF_RING_MASK]);
		if (extra.type == XEN_NETIF_EXTRA_TYPE_NONE ||
				extra.type >= XEN_NETIF_EXTRA_TYPE_MAX) {
			r->bad = true;
			continue;
		}
		if (extra.type == XEN_NETIF_EXTRA_TYPE_GSO && !xen_extra_gso_known(&extra))
			r->bad = true;
		r->extras |= RTE_BIT32(extra.type);
		r->extra[extra.type] = extra;
	} while ((extra.flags & XEN_NETIF_EXTRA_FLAG_MORE) != 0);
	return true;
}

/* Note the data of a response; NULL, or how it breaks the protocol. */
static const char *
add_frag(struct xenfront_response *r, uint16_t slot, const struct netif_rx_response *rsp)
{
	if (rsp->id != slot)
		return "response with the id of another slot";
	if (rsp->status < 0) {
		r->bad = true;
		return NULL;
	}
	if (rsp->offset + (uint32_t)rsp->status > XEN_PAGE_BYTES)
		return "response past the end of its page";
	if (rsp->status == 0)
		return NULL;
	if (r->nb_frags == RTE_DIM(r->frags)) {
		r->bad = true;
		return NULL;
	}
	r->len += rsp->status;
	r->frags[r->nb_frags].slot = slot;
	r->frags[r->nb_frags].offset = rsp->offset;
	r->frags[r->nb_frags].len = rsp->status;
	r->nb_frags++;
	return NULL;
}

const char *
xenfront_response_take(const struct xenfront_slots *s, const struct netif_rx_response *first,
		struct xenfront_response *r)
{
	struct netif_rx_response rsp = *first;
	const char *broken;
	uint32_t idx;

	r->len = 0;
	r->flags = rsp.flags;
	r->nb_slots = 0;
	r->extras = 0;
	r->bad = false;
	r->nb_frags = 0;
	for (;;) {
		idx = s->cons + r->nb_slots++;
		broken = add_frag(r, idx & XEN_NETIF_RING_MASK, &rsp);
		if (broken != NULL)
			return broken;
		if (r->nb_slots == 1 && (rsp.flags & NETRXF_extra_info) != 0 && !take_extras(s, r))
			return "extra info past the end of the responses";
		if ((rsp.flags & NETRXF_more_data) == 0)
			return NULL;
		if (r->nb_slots == s->prod - s->cons)
			return "packet past the end of the responses";
		rsp = xen_ring_rx_response(s->sring, s->cons + r->nb_slots);
	}
}
