/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * Batches of a guest that has registered pages: what is in them is copied here, and the rest by the
 * hypervisor.
 */

#include <rte_memcpy.h>
#include <rte_prefetch.h>

#include "xenvif_batch.h"
#include "xenvif_grants.h"

/* Where a segment's other end is mapped; NULL: nowhere. */
static inline uint8_t *
look_up(const uintptr_t *grants, grant_ref_t gref, uint16_t offset, bool write, int16_t *status)
{
	uintptr_t page = gref < XENVIF_GREFS_MAX ? grants[gref] : 0;

	*status = GNTST_okay;
	if (write && unlikely((page & XENVIF_GRANT_READ_ONLY) != 0))
		*status = GNTST_general_error;
	page &= XENVIF_GRANT_ADDRESS;
	return page != 0 ? (uint8_t *)page + offset : NULL;
}

/* Copy by the hypervisor what is not mapped: with one call, as all of a batch. */
static __rte_noinline int16_t
copy_others(struct xenvif_batch *b, uint8_t *const *mapped, struct xen_netif_ring *ring,
		xengnttab_handle *gnttab, bool in)
{
	xengnttab_grant_copy_segment_t ops[XENVIF_BATCH_SEGS];
	uint32_t i, n = 0, nb_ops = 0;
	int16_t status = GNTST_okay;
	bool done;

	for (i = 0; i < b->nb_segs; i++) {
		if (mapped[i] != NULL || b->segs[i].status != GNTST_okay)
			continue;
		nb_ops += xenvif_copy_ops(in ? b->segs[i].dest.virt : b->segs[i].source.virt,
				b->segs[i].len);
		ops[n++] = b->segs[i];
	}
	xen_count_add(&ring->count.copy_ops, nb_ops);
	done = n == 0 || xengnttab_grant_copy(gnttab, n, ops) == 0;
	for (i = 0, n = 0; i < b->nb_segs; i++) {
		if (mapped[i] == NULL && b->segs[i].status == GNTST_okay)
			b->segs[i].status = done ? ops[n++].status : GNTST_general_error;
		status |= b->segs[i].status;
	}
	return status;
}

/* All are looked up first: their pages come into the cache meanwhile. */
static __rte_always_inline bool
copy_static(struct xenvif_batch *b, struct xen_netif_ring *ring, xengnttab_handle *gnttab,
		const bool in)
{
	const uintptr_t *grants = xenvif_grants_pages(ring);
	uint8_t *mapped[XENVIF_BATCH_SEGS];
	xengnttab_grant_copy_segment_t *seg;
	int16_t status = GNTST_okay;
	uint32_t i, n = 0;

	for (i = 0; i < b->nb_segs; i++) {
		seg = &b->segs[i];
		mapped[i] = in ? look_up(grants, seg->source.foreign.ref,
						 seg->source.foreign.offset, false, &seg->status) :
				 look_up(grants, seg->dest.foreign.ref, seg->dest.foreign.offset,
						 true, &seg->status);
		if (likely(mapped[i] != NULL)) {
			if (in)
				rte_prefetch0(mapped[i]);
			else
				rte_prefetch0_write(mapped[i]);
		}
		status |= seg->status;
	}
	for (i = 0; i < b->nb_segs; i++) {
		seg = &b->segs[i];
		if (unlikely(mapped[i] == NULL || seg->status != GNTST_okay))
			continue;
		if (in)
			rte_memcpy(seg->dest.virt, mapped[i], seg->len);
		else
			rte_memcpy(mapped[i], seg->source.virt, seg->len);
		n++;
	}
	xen_count_add(&ring->count.static_copies, n);
	if (likely(n == b->nb_segs))
		return true;
	return (status | copy_others(b, mapped, ring, gnttab, in)) == GNTST_okay;
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
