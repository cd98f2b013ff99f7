/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include "xenvif_request.h"

/* Copy the extra info slots that follow the first request. */
static const char *
take_extras(const struct xenvif_slots *s, struct xenvif_request *r)
{
	struct netif_extra_info extra;
	uint32_t idx = s->cons + 1;

	do {
		if (idx == s->prod)
			return "extra info past req_prod";
		if (r->nb_extras == XENVIF_EXTRAS_MAX)
			return "more extra info than there are types";
		extra = xen_ring_extra(&s->sring->ring[idx & XEN_NETIF_RING_MASK]);
		idx++;
		r->nb_extras++;
		switch (extra.type) {
		case XEN_NETIF_EXTRA_TYPE_GSO:
			if (!xen_extra_gso_known(&extra))
				return "GSO of size 0 or of unknown type";
			break;
		case XEN_NETIF_EXTRA_TYPE_MCAST_ADD:
		case XEN_NETIF_EXTRA_TYPE_MCAST_DEL:
		case XEN_NETIF_EXTRA_TYPE_HASH:
			break;
		default:
			return "extra info of unknown type";
		}
		r->extras |= RTE_BIT32(extra.type);
		r->extra[extra.type] = extra;
	} while ((extra.flags & XEN_NETIF_EXTRA_FLAG_MORE) != 0);
	return NULL;
}

/* Copy the requests that continue the first one; each of its own bounds is checked here. */
static const char *
take_fragments(const struct xenvif_slots *s, struct xenvif_request *r)
{
	uint32_t idx = s->cons + 1 + r->nb_extras;
	struct netif_tx_request req = r->slot[0];

	while ((req.flags & NETTXF_more_data) != 0) {
		if (idx == s->prod)
			return "fragments past req_prod";
		if (r->nb_slots == XENVIF_SLOTS_FATAL)
			return "more than 20 slots in a packet";
		req = xen_ring_tx_request(s->sring, idx++);
		if ((uint32_t)req.offset + req.size > XEN_PAGE_BYTES)
			return "offset + size past the end of the page";
		r->slot[r->nb_slots++] = req;
	}
	return NULL;
}

/* The first request's size is the whole packet's: make it that of its own piece. */
static const char *
settle_sizes(struct xenvif_request *r)
{
	uint32_t first = r->slot[0].size;
	unsigned int i;

	r->len = first;
	if (r->nb_slots > XEN_NETIF_SLOTS_MIN || first < XENVIF_PKT_MIN)
		r->malformed = true;
	for (i = 1; i < r->nb_slots; i++) {
		/* More than is left: an old guest's overflow, not an attack. */
		if (r->slot[i].size > first) {
			r->malformed = true;
			return NULL;
		}
		first -= r->slot[i].size;
	}
	if (r->slot[0].offset + first > XEN_PAGE_BYTES)
		return "offset + size past the end of the page";
	r->slot[0].size = first;
	return NULL;
}

const char *
xenvif_request_take(const struct xenvif_slots *s, const struct netif_tx_request *first,
		struct xenvif_request *r)
{
	const char *broken = NULL;

	r->slot[0] = *first;
	r->nb_slots = 1;
	r->nb_extras = 0;
	r->extras = 0;
	r->malformed = false;
	r->len = 0;
	if ((first->flags & NETTXF_extra_info) != 0)
		broken = take_extras(s, r);
	/* Whatever else it says: nobody else looks at it either. */
	if ((r->extras & XENVIF_EXTRAS_MCAST) != 0)
		return broken;
	if (broken == NULL)
		broken = take_fragments(s, r);
	return broken != NULL ? broken : settle_sizes(r);
}
