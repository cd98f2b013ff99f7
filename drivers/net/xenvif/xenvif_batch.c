/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * Batches of a guest that has registered pages: what is in them is copied here, and the rest by the
 * hypervisor.
 */

#include <rte_prefetch.h>

#include "xenvif_batch.h"
#include "xenvif_grants.h"

/* Copy by the hypervisor what is not mapped: with one call, as all of a batch. Sets statuses. */
static __rte_noinline bool
copy_others(struct xenvif_batch *b, uint8_t *const *mapped, struct xen_netif_ring *ring,
		xengnttab_handle *gnttab, bool in)
{
	xengnttab_grant_copy_segment_t ops[XENVIF_BATCH_SEGS], *seg;
	const uintptr_t *grants = xenvif_grants_pages(ring);
	uint16_t of[XENVIF_BATCH_SEGS];
	uint32_t i, n = 0, nb_ops = 0;
	int16_t status = GNTST_okay;
	bool done;

	for (i = 0; i < b->nb_segs; i++) {
		seg = &b->segs[i];
		seg->status = GNTST_okay;
		if (mapped[i] != NULL)
			continue;
		if (!in &&
				(xenvif_grants_entry(grants, seg->dest.foreign.ref) &
						XENVIF_GRANT_READ_ONLY) != 0) {
			seg->status = status = GNTST_general_error;
			continue;
		}
		nb_ops += xenvif_copy_ops(in ? seg->dest.virt : seg->source.virt, seg->len);
		of[n] = i;
		ops[n++] = *seg;
	}
	xen_count_add(&ring->count.copy_ops, nb_ops);
	done = n == 0 || xengnttab_grant_copy(gnttab, n, ops) == 0;
	for (i = 0; i < n; i++) {
		b->segs[of[i]].status = done ? ops[i].status : GNTST_general_error;
		status |= b->segs[of[i]].status;
	}
	return status == GNTST_okay;
}

/* All are looked up first: their pages come into the cache meanwhile. */
static __rte_always_inline bool
copy_static(struct xenvif_batch *b, struct xen_netif_ring *ring, xengnttab_handle *gnttab,
		const bool in)
{
	const xengnttab_grant_copy_segment_t *seg = b->segs, *end = seg + b->nb_segs;
	const uintptr_t *grants = xenvif_grants_pages(ring);
	uint8_t *mapped[XENVIF_BATCH_SEGS], **at = mapped;
	uint32_t n = 0;

	for (; seg < end; seg++, at++) {
		*at = in ? xenvif_grants_at(grants, seg->source.foreign.ref,
					   seg->source.foreign.offset, false) :
			   xenvif_grants_at(grants, seg->dest.foreign.ref, seg->dest.foreign.offset,
					   true);
		if (unlikely(*at == NULL))
			continue;
		if (in)
			rte_prefetch0(*at);
		else
			rte_prefetch0_write(*at);
		n++;
	}
	for (seg = b->segs, at = mapped; seg < end; seg++, at++) {
		if (unlikely(*at == NULL))
			continue;
		if (in)
			xenvif_grants_copy(seg->dest.virt, *at, seg->len);
		else
			xenvif_grants_copy(*at, seg->source.virt, seg->len);
	}
	xen_count_add(&ring->count.static_copies, n);
	return likely(n == b->nb_segs) || copy_others(b, mapped, ring, gnttab, in);
}

static __rte_noinline bool
copy_static_in(struct xenvif_batch *b, struct xen_netif_ring *ring, xengnttab_handle *gnttab)
{
	return copy_static(b, ring, gnttab, true);
}

static __rte_noinline bool
copy_static_out(struct xenvif_batch *b, struct xen_netif_ring *ring, xengnttab_handle *gnttab)
{
	return copy_static(b, ring, gnttab, false);
}

bool
xenvif_batch_copy_static(struct xenvif_batch *b, struct xen_netif_ring *ring,
		xengnttab_handle *gnttab)
{
	if (b->segs[0].flags == GNTCOPY_source_gref)
		return copy_static_in(b, ring, gnttab);
	return copy_static_out(b, ring, gnttab);
}
