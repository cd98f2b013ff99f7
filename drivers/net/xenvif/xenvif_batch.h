/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XENVIF_BATCH_H
#define XENVIF_BATCH_H

/**
 * @file
 * What both directions do with a batch: run its copies with one call, and tell which packets they
 * failed for.
 */

#include "xenvif_rxtx.h"

static inline void
xenvif_batch_reset(struct xenvif_batch *b)
{
	b->nb_packets = 0;
	b->nb_segs = 0;
	b->nb_slots = 0;
	b->nb_ops = 0;
	b->scratch_used = 0;
}

/** Local buffers are pinned by the page: a piece that crosses one is an operation more. */
static inline unsigned int
xenvif_copy_ops(const void *local, uint16_t len)
{
	return 1 + ((((uintptr_t)local & (XEN_PAGE_BYTES - 1)) + len - 1) / XEN_PAGE_BYTES);
}

/**
 * As xenvif_batch_copy() for a batch that is not empty, while the guest has registered pages: what
 * is in these is copied without the hypervisor. Without a call where all is.
 */
bool
xenvif_batch_copy_static(struct xenvif_batch *b, struct xen_netif_ring *ring,
		xengnttab_handle *gnttab);

/**
 * Run the staged copies with one call, and count their operations.
 *
 * @return
 *   True when each of them succeeded; else each segment's status tells.
 */
static inline bool
xenvif_batch_copy(struct xenvif_batch *b, struct xen_netif_ring *ring, xengnttab_handle *gnttab)
{
	int16_t status = GNTST_okay;
	unsigned int i;

	if (b->nb_segs == 0)
		return true;
	if (unlikely(ring->has_grants))
		return xenvif_batch_copy_static(b, ring, gnttab);
	xen_count_add(&ring->count.copy_ops, b->nb_ops);
	if (unlikely(xengnttab_grant_copy(gnttab, b->nb_segs, b->segs) < 0)) {
		for (i = 0; i < b->nb_segs; i++)
			b->segs[i].status = GNTST_general_error;
		return false;
	}
	for (i = 0; i < b->nb_segs; i++)
		status |= b->segs[i].status;
	return likely(status == GNTST_okay);
}

/** Did the one copy of a packet fail? Counts the packet then. */
static inline bool
xenvif_seg_failed(const struct xenvif_batch *b, unsigned int seg, struct xen_netif_ring *ring)
{
	if (likely(b->segs[seg].status == GNTST_okay))
		return false;
	xen_count_add(&ring->count.copy_errors, 1);
	return true;
}

/** Did a copy of the packet fail? Counts the packet then. */
static inline bool
xenvif_packet_failed(const struct xenvif_batch *b, const struct xenvif_packet *p,
		struct xen_netif_ring *ring)
{
	unsigned int i;

	for (i = p->first_seg; i < p->first_seg + p->nb_segs; i++) {
		if (xenvif_seg_failed(b, i, ring))
			return true;
	}
	return false;
}

#endif /* XENVIF_BATCH_H */
