/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XENFRONT_GRANTS_H
#define XENFRONT_GRANTS_H

/**
 * @file
 * Memory that is granted to a backend's domain once, for the buffers of a mempool: a page each. It
 * stays until the mempool is freed, and for as long afterwards as a ring has a buffer of it.
 *
 * A buffer is a pinned external one: its mbuf lies elsewhere, for the backend can write to all of
 * the page.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <xengnttab.h>

#include "xen_reason.h"
#include "xen_ring.h"

/** Mempools of that kind in a process, at most: rings have a bit for each. */
#define XENFRONT_REGIONS_MAX 64u

/** The pages of a mempool. */
struct xenfront_region {
	domid_t domid;
	uint8_t id;
	/** The mempool, and each ring or connection that has to do with it. Atomically. */
	uint32_t refs;
	uint32_t nb_pages;
	uint8_t *pages;
	grant_ref_t *grefs;
	xengntshr_handle *gntshr;
	/** NULL: the application has freed it, and its mbufs with it. */
	struct rte_mempool *pool;
};

/** What an mbuf of such a mempool has behind itself and its private area. */
struct xenfront_buf {
	struct rte_mbuf_ext_shared_info shinfo;
	struct xenfront_region *region;
	struct rte_mbuf *mbuf;
	grant_ref_t gref;
};

/** What a port adds to the pages that may be granted to its backend's domain. */
struct xenfront_allowance {
	struct xenfront_allowance *next;
	uint32_t pages;
	/** The backend's domain, and 1: none is known of a port that has just begun. Atomically. */
	int32_t domid_and_1;
};

/** The last of the mbufs that share a buffer has gone: see rte_mbuf_extbuf_free_callback_t. */
void
xenfront_buf_back(void *addr, void *opaque);

/** The granted page of an mbuf as it comes from a mempool that has a region. */
static inline const struct xenfront_buf *
xenfront_buf_own(const struct rte_mbuf *m)
{
	return container_of(m->shinfo, const struct xenfront_buf, shinfo);
}

/** The granted page of an mbuf, which is not another's that it shares; NULL: it has none. */
static inline const struct xenfront_buf *
xenfront_buf_of(const struct rte_mbuf *m)
{
	const struct xenfront_buf *buf;

	if (!RTE_MBUF_HAS_EXTBUF(m) || m->shinfo->free_cb != xenfront_buf_back)
		return NULL;
	buf = xenfront_buf_own(m);
	return buf->mbuf == m ? buf : NULL;
}

/** A port comes and goes. Any thread. */
void
xenfront_allowance_add(struct xenfront_allowance *a);
void
xenfront_allowance_del(struct xenfront_allowance *a);

/**
 * Grant pages for the buffers of a mempool, to the domain of a port's backend that has as many
 * left. Any thread.
 *
 * @param why
 *   Receives what is wrong on error.
 * @return
 *   NULL on error.
 */
struct xenfront_region *
xenfront_region_create(struct rte_mempool *pool, uint32_t nb_pages, struct xen_reason *why);

/** The mempool is about to be freed: its mbufs are not touched any more. Any thread. */
void
xenfront_region_forget(struct xenfront_region *region);

/** Take a reference on a region whose mempool is there. Any thread. */
static inline void
xenfront_region_get(struct xenfront_region *region)
{
	__atomic_fetch_add(&region->refs, 1, __ATOMIC_RELAXED);
}

/** Give a reference back; the last one ends the grants. Any thread. */
void
xenfront_region_put(struct xenfront_region *region);

/** The region with that id, on which the caller has a reference. Any thread. */
struct xenfront_region *
xenfront_region_peek(unsigned int id);

/** Give references back: a bit for each region. Any thread. */
void
xenfront_regions_put(uint64_t ids);

/** Take a reference on the region of a mempool, if that is granted to a domain; or NULL. */
struct xenfront_region *
xenfront_region_find(const struct rte_mempool *pool, domid_t domid);

/** Take a reference on the region with that id, if it is granted to a domain; or NULL. */
struct xenfront_region *
xenfront_region_at(unsigned int id, domid_t domid);

/** Take so many mbufs, if the mempool is there and has them; false: none. Any thread. */
bool
xenfront_region_take(struct xenfront_region *region, struct rte_mbuf **mbufs, unsigned int n);

/** Free mbufs, if their mempool is there still. Any thread. */
void
xenfront_region_give(struct xenfront_region *region, struct rte_mbuf **mbufs, unsigned int n);

#endif /* XENFRONT_GRANTS_H */
