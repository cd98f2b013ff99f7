/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <rte_malloc.h>

#include "xenfront_grants.h"

/* Guards what follows, and what is done with the mempool of a region. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct xenfront_region *regions[XENFRONT_REGIONS_MAX];
static struct xenfront_allowance *allowances;

void
xenfront_allowance_add(struct xenfront_allowance *a)
{
	pthread_mutex_lock(&lock);
	a->next = allowances;
	allowances = a;
	pthread_mutex_unlock(&lock);
}

void
xenfront_allowance_del(struct xenfront_allowance *a)
{
	struct xenfront_allowance **at;

	pthread_mutex_lock(&lock);
	for (at = &allowances; *at != NULL && *at != a; at = &(*at)->next)
		;
	if (*at != NULL)
		*at = a->next;
	pthread_mutex_unlock(&lock);
}

static int32_t
domid_of(const struct xenfront_allowance *a)
{
	return __atomic_load_n(&a->domid_and_1, __ATOMIC_RELAXED) - 1;
}

/* Pages that may yet be granted to a domain: all of its ports', less those that are. */
static uint32_t
pages_left(int32_t domid)
{
	const struct xenfront_allowance *a;
	uint64_t allowed = 0, used = 0;
	unsigned int i;

	for (a = allowances; a != NULL; a = a->next)
		allowed += domid_of(a) == domid ? a->pages : 0;
	for (i = 0; i < XENFRONT_REGIONS_MAX; i++)
		used += regions[i] != NULL && regions[i]->domid == domid ? regions[i]->nb_pages : 0;
	return allowed > used ? allowed - used : 0;
}

/* Which domain are the pages for? */
static int
choose_domid(uint32_t nb_pages, struct xen_reason *why)
{
	const struct xenfront_allowance *a;
	uint32_t left, most = 0;
	bool known = false;

	for (a = allowances; a != NULL; a = a->next) {
		if (domid_of(a) < 0)
			continue;
		known = true;
		left = pages_left(domid_of(a));
		if (left >= nb_pages)
			return domid_of(a);
		most = RTE_MAX(most, left);
	}
	if (allowances == NULL)
		return xen_reason_set(why, ENODEV, "no port has the argument granted");
	if (!known)
		return xen_reason_set(why, ENODEV,
				"no port with the argument granted has a vif with a backend yet");
	return xen_reason_set(why, ENOSPC,
			"%u pages are more than the argument granted of the ports has left: %u",
			nb_pages, most);
}

static int
region_share(struct xenfront_region *region, struct xen_reason *why)
{
	int err;

	errno = 0;
	region->gntshr = xengntshr_open(NULL, 0);
	if (region->gntshr == NULL)
		return xen_reason_set(why, errno != 0 ? errno : ENODEV,
				"cannot open /dev/xen/gntalloc: %s", strerror(errno));
	errno = 0;
	region->pages = xengntshr_share_pages(region->gntshr, region->domid, region->nb_pages,
			region->grefs, true);
	if (region->pages != NULL)
		return 0;
	err = errno != 0 ? errno : EIO;
	xengntshr_close(region->gntshr);
	return xen_reason_set(why, err, "cannot grant %u pages: %s (see xen_gntalloc.limit)",
			region->nb_pages, strerror(err));
}

/* With the lock held. */
static struct xenfront_region *
region_make(struct rte_mempool *pool, uint32_t nb_pages, struct xen_reason *why)
{
	struct xenfront_region *region;
	unsigned int id;
	int domid;

	for (id = 0; id < XENFRONT_REGIONS_MAX && regions[id] != NULL; id++)
		;
	if (id == XENFRONT_REGIONS_MAX) {
		xen_reason_set(why, ENOSPC, "there are %u such mempools already", id);
		return NULL;
	}
	domid = choose_domid(nb_pages, why);
	if (domid < 0)
		return NULL;
	region = rte_zmalloc_socket("xenfront_region",
			sizeof(*region) + nb_pages * sizeof(region->grefs[0]), RTE_CACHE_LINE_SIZE,
			pool->socket_id);
	if (region == NULL) {
		xen_reason_set(why, ENOMEM, "no memory for %u grants", nb_pages);
		return NULL;
	}
	region->domid = domid;
	region->id = id;
	region->refs = 1;
	region->nb_pages = nb_pages;
	region->grefs = (grant_ref_t *)(region + 1);
	region->pool = pool;
	if (region_share(region, why) < 0) {
		rte_free(region);
		return NULL;
	}
	regions[id] = region;
	return region;
}

struct xenfront_region *
xenfront_region_create(struct rte_mempool *pool, uint32_t nb_pages, struct xen_reason *why)
{
	struct xenfront_region *region;

	pthread_mutex_lock(&lock);
	region = region_make(pool, nb_pages, why);
	pthread_mutex_unlock(&lock);
	return region;
}

void
xenfront_region_put(struct xenfront_region *region)
{
	bool last;

	pthread_mutex_lock(&lock);
	last = __atomic_sub_fetch(&region->refs, 1, __ATOMIC_ACQ_REL) == 0;
	if (last)
		regions[region->id] = NULL;
	pthread_mutex_unlock(&lock);
	if (!last)
		return;
	xengntshr_unshare(region->gntshr, region->pages, region->nb_pages);
	xengntshr_close(region->gntshr);
	rte_free(region);
}

struct xenfront_region *
xenfront_region_peek(unsigned int id)
{
	struct xenfront_region *region;

	pthread_mutex_lock(&lock);
	region = regions[id];
	pthread_mutex_unlock(&lock);
	return region;
}

void
xenfront_regions_put(uint64_t ids)
{
	unsigned int i;

	for (i = 0; i < XENFRONT_REGIONS_MAX; i++) {
		if ((ids & RTE_BIT64(i)) != 0)
			xenfront_region_put(xenfront_region_peek(i));
	}
}

void
xenfront_region_forget(struct xenfront_region *region)
{
	pthread_mutex_lock(&lock);
	__atomic_store_n(&region->pool, NULL, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&lock);
}

/* With the lock held. */
static struct xenfront_region *
region_get(unsigned int id, domid_t domid)
{
	struct xenfront_region *region = regions[id];

	if (region == NULL || region->domid != domid || region->pool == NULL)
		return NULL;
	xenfront_region_get(region);
	return region;
}

struct xenfront_region *
xenfront_region_at(unsigned int id, domid_t domid)
{
	struct xenfront_region *region;

	pthread_mutex_lock(&lock);
	region = region_get(id, domid);
	pthread_mutex_unlock(&lock);
	return region;
}

struct xenfront_region *
xenfront_region_find(const struct rte_mempool *pool, domid_t domid)
{
	struct xenfront_region *region = NULL;
	unsigned int i;

	pthread_mutex_lock(&lock);
	for (i = 0; i < XENFRONT_REGIONS_MAX && region == NULL; i++) {
		if (regions[i] != NULL && regions[i]->pool == pool)
			region = region_get(i, domid);
	}
	pthread_mutex_unlock(&lock);
	return region;
}

bool
xenfront_region_take(struct xenfront_region *region, struct rte_mbuf **mbufs, unsigned int n)
{
	bool taken;

	pthread_mutex_lock(&lock);
	taken = region->pool != NULL && rte_pktmbuf_alloc_bulk(region->pool, mbufs, n) == 0;
	pthread_mutex_unlock(&lock);
	return taken;
}

void
xenfront_region_give(struct xenfront_region *region, struct rte_mbuf **mbufs, unsigned int n)
{
	pthread_mutex_lock(&lock);
	if (region->pool != NULL)
		rte_pktmbuf_free_bulk(mbufs, n);
	pthread_mutex_unlock(&lock);
}
