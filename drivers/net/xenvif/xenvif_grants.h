/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XENVIF_GRANTS_H
#define XENVIF_GRANTS_H

/**
 * @file
 * Static grants: pages that a guest has registered for a queue (netif.h,
 * XEN_NETIF_CTRL_TYPE_ADD_GREF_MAPPING), and that stay mapped. The data path copies from and to
 * them without the hypervisor, see xenvif_batch.c. xenvif_ctrlring.c answers the messages.
 *
 * All calls but one are the control thread's, or of a port that stops: with the device's lock held.
 */

#include <string.h>
#include <sys/queue.h>

#include <rte_branch_prediction.h>
#include <rte_memcpy.h>

#include "xen_netif_queue.h"

/**
 * References that can be registered are below this: twice what a guest has without another limit
 * than Xen's own (gnttab_max_frames=64 of version 1). The table has an entry for each.
 */
#define XENVIF_GREFS_MAX 65536u

/** Entries of the list that is a page of a message. */
#define XENVIF_GREF_LIST_MAX (XEN_PAGE_BYTES / sizeof(struct xen_netif_gref))

/**
 * Map calls whose pages a queue has at once: each is a mapping of the process, of which there are
 * only so many for all vifs (vm.max_map_count).
 */
#define XENVIF_GRANT_MAPS_MAX 64u

/**
 * An entry of the table: the page's address with these, or without an address when it could not
 * stay mapped; 0: not registered.
 */
#define XENVIF_GRANT_REGISTERED 0x1
#define XENVIF_GRANT_READ_ONLY 0x2
#define XENVIF_GRANT_ADDRESS (~(uintptr_t)(XEN_PAGE_BYTES - 1))

struct xenvif_grant;
struct xenvif_grant_map;

/** The registered pages of a queue. */
struct xenvif_grants {
	/* By reference, for the data path: both rings' locks guard it. NULL: none yet. */
	uintptr_t *pages;
	/* By reference, for the control thread. */
	struct xenvif_grant *of;
	LIST_HEAD(, xenvif_grant_map) maps;
	uint32_t nb_maps;
	/* References that are registered. */
	uint32_t nb;
	uint16_t queue;
	struct xen_netif_rings *rings;
};

/** The table of a ring that has_grants. By an lcore, with the ring's lock held. */
static inline const uintptr_t *
xenvif_grants_pages(const struct xen_netif_ring *ring)
{
	const struct xenvif_grants *queues = ring->rings->grants;

	return queues[ring->id].pages;
}

/** What the table has of a reference, which may be any number; 0: nothing. */
static inline uintptr_t
xenvif_grants_entry(const uintptr_t *grants, grant_ref_t gref)
{
	return likely(gref < XENVIF_GREFS_MAX) ? grants[gref] : 0;
}

/** Where a place in a granted page is; NULL: nowhere, or not to be written to. */
static inline uint8_t *
xenvif_grants_at(const uintptr_t *grants, grant_ref_t gref, uint16_t offset, bool write)
{
	uintptr_t entry = xenvif_grants_entry(grants, gref), page = entry & XENVIF_GRANT_ADDRESS;

	if (unlikely(page == 0 || (write && (entry & XENVIF_GRANT_READ_ONLY) != 0)))
		return NULL;
	return (uint8_t *)page + offset;
}

/**
 * Copy from a registered page or to one: the guest may change it meanwhile. The shortest frames are
 * copied inline; for all others the C library knows more of the processor.
 */
static __rte_always_inline void
xenvif_grants_copy(uint8_t *to, const uint8_t *from, uint16_t len)
{
	if (likely(len >= 32 && len <= 64)) {
		rte_mov32(to, from);
		rte_mov32(to + len - 32, from + len - 32);
	} else {
		memcpy(to, from, len);
	}
}

/**
 * Map and register pages: all or none of them. An entry for reading only is mapped so, and no
 * packet is put there.
 *
 * @param max
 *   Pages that the queue may have.
 * @param list
 *   What the guest wants, private: XENVIF_GREF_LIST_MAX entries at most.
 * @return
 *   False when an entry is registered already or twice in the list, has a flag that is none or a
 *   reference beyond XENVIF_GREFS_MAX, or cannot be mapped; when there are too many; or when
 *   memory runs out.
 */
bool
xenvif_grants_add(struct xen_netif_rings *rings, uint16_t queue, uint32_t max,
		const struct xen_netif_gref *list, uint32_t nb);

/**
 * Find out which entries can be removed.
 *
 * @param list
 *   The status of each is set: XEN_NETIF_CTRL_STATUS_SUCCESS for those that are registered, the
 *   first of each; XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER for others.
 * @return
 *   How many can.
 */
uint32_t
xenvif_grants_find(struct xen_netif_rings *rings, uint16_t queue, struct xen_netif_gref *list,
		uint32_t nb);

/**
 * Remove the entries that xenvif_grants_find() has found, and unmap their pages: afterwards nobody
 * looks there. Pages that were mapped with some of them are mapped anew. What cannot be, since the
 * guest has ended its grants, stays registered, and is copied by the hypervisor.
 *
 * @return
 *   How many mappings were made anew or ended.
 */
uint32_t
xenvif_grants_remove(struct xen_netif_rings *rings, uint16_t queue,
		const struct xen_netif_gref *list, uint32_t nb);

/** Unmap and forget the pages of all queues. */
void
xenvif_grants_clear(struct xen_netif_rings *rings);

#endif /* XENVIF_GRANTS_H */
