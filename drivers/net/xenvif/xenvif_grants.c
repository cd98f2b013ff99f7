/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <stdlib.h>
#include <sys/mman.h>

#include "xen_compat.h"
#include "xenvif_grants.h"

/* The pages of one map call, at consecutive addresses. */
struct xenvif_grant_map {
	LIST_ENTRY(xenvif_grant_map) next;
	/* NULL: they could not stay mapped. */
	uint8_t *addr;
	uint32_t nb;
	bool read_only;
	grant_ref_t refs[XENVIF_GREF_LIST_MAX];
};

/* What the control thread knows of a reference. */
struct xenvif_grant {
	/* NULL: not registered. */
	struct xenvif_grant_map *map;
	/* It is in the list that is being looked at. */
	bool listed;
};

static XEN_NO_LOCK_ANALYSIS void
lock_rings(const struct xenvif_grants *g)
{
	rte_spinlock_lock(&g->rings->rx[g->queue].lock);
	rte_spinlock_lock(&g->rings->tx[g->queue].lock);
}

/* The data path looks at the table only while something is registered. */
static XEN_NO_LOCK_ANALYSIS void
unlock_rings(const struct xenvif_grants *g)
{
	g->rings->rx[g->queue].has_grants = g->nb != 0;
	g->rings->tx[g->queue].has_grants = g->nb != 0;
	rte_spinlock_unlock(&g->rings->tx[g->queue].lock);
	rte_spinlock_unlock(&g->rings->rx[g->queue].lock);
}

static void
count(struct xenvif_grants *g, uint32_t nb)
{
	__atomic_fetch_add(&g->rings->static_pages, nb - g->nb, __ATOMIC_RELAXED);
	g->nb = nb;
}

/* NULL: the guest has not registered any page yet. */
static struct xenvif_grants *
of_queue(const struct xen_netif_rings *rings, uint16_t queue)
{
	struct xenvif_grants *queues = rings->grants;

	return queues != NULL ? &queues[queue] : NULL;
}

static bool
make_queues(struct xen_netif_rings *rings)
{
	struct xenvif_grants *queues;
	uint16_t i;

	if (rings->grants != NULL)
		return true;
	queues = calloc(XEN_NETIF_QUEUES_MAX, sizeof(*queues));
	if (queues == NULL)
		return false;
	for (i = 0; i < XEN_NETIF_QUEUES_MAX; i++) {
		queues[i] = (struct xenvif_grants){ .rings = rings, .queue = i };
		LIST_INIT(&queues[i].maps);
	}
	rings->grants = queues;
	return true;
}

/* Memory that is not there before it is used: references of a guest are near to each other. */
static bool
make_tables(struct xenvif_grants *g)
{
	if (g->pages == NULL)
		g->pages = calloc(XENVIF_GREFS_MAX, sizeof(g->pages[0]));
	if (g->of == NULL)
		g->of = calloc(XENVIF_GREFS_MAX, sizeof(g->of[0]));
	return g->pages != NULL && g->of != NULL;
}

static bool
entry_good(const struct xenvif_grants *g, const struct xen_netif_gref *entry)
{
	return entry->ref < XENVIF_GREFS_MAX &&
			(entry->flags & ~XEN_NETIF_CTRLF_GREF_readonly) == 0 &&
			g->of[entry->ref].map == NULL && !g->of[entry->ref].listed;
}

/* Can all entries be added, and is none of them in the list twice? */
static bool
list_good(struct xenvif_grants *g, const struct xen_netif_gref *list, uint32_t nb)
{
	uint32_t i, good;

	for (good = 0; good < nb && entry_good(g, &list[good]); good++)
		g->of[list[good].ref].listed = true;
	for (i = 0; i < good; i++)
		g->of[list[i].ref].listed = false;
	return good == nb;
}

static bool
map_pages(const struct xenvif_grants *g, struct xenvif_grant_map *map)
{
	map->addr = xengnttab_map_domain_grant_refs(g->rings->gnttab, map->nb,
			g->rings->rx[g->queue].domid, map->refs,
			map->read_only ? PROT_READ : PROT_READ | PROT_WRITE);
	return map->addr != NULL;
}

/*
 * Map the entries of the list that are for reading only, or the others. A call maps all of its
 * pages with the same rights.
 *
 * @param made
 *   Receives the mapping; NULL: there is no such entry.
 */
static bool
make_map(const struct xenvif_grants *g, const struct xen_netif_gref *list, uint32_t nb,
		bool read_only, struct xenvif_grant_map **made)
{
	struct xenvif_grant_map *map;
	uint32_t i;

	*made = NULL;
	map = malloc(sizeof(*map));
	if (map == NULL)
		return false;
	map->nb = 0;
	map->read_only = read_only;
	for (i = 0; i < nb; i++) {
		if (((list[i].flags & XEN_NETIF_CTRLF_GREF_readonly) != 0) == read_only)
			map->refs[map->nb++] = list[i].ref;
	}
	if (map->nb != 0 && map_pages(g, map)) {
		*made = map;
		return true;
	}
	i = map->nb;
	free(map);
	return i == 0;
}

static void
drop_map(const struct xenvif_grants *g, struct xenvif_grant_map *map)
{
	if (map->addr != NULL)
		xengnttab_unmap(g->rings->gnttab, map->addr, map->nb);
	free(map);
}

/* Let the data path find the pages where they are now. With the rings' locks held. */
static void
show_map(struct xenvif_grants *g, const struct xenvif_grant_map *map)
{
	uintptr_t page = (uintptr_t)map->addr | XENVIF_GRANT_REGISTERED |
			(map->read_only ? XENVIF_GRANT_READ_ONLY : 0);
	uint32_t i;

	for (i = 0; i < map->nb; i++) {
		g->pages[map->refs[i]] = page;
		page += map->addr != NULL ? XEN_PAGE_BYTES : 0;
	}
}

static void
add_map(struct xenvif_grants *g, struct xenvif_grant_map *map)
{
	uint32_t i;

	if (map == NULL)
		return;
	for (i = 0; i < map->nb; i++)
		g->of[map->refs[i]].map = map;
	LIST_INSERT_HEAD(&g->maps, map, next);
	g->nb_maps++;
	count(g, g->nb + map->nb);
	lock_rings(g);
	show_map(g, map);
	unlock_rings(g);
}

bool
xenvif_grants_add(struct xen_netif_rings *rings, uint16_t queue, uint32_t max,
		const struct xen_netif_gref *list, uint32_t nb)
{
	struct xenvif_grant_map *writable, *read_only;
	struct xenvif_grants *g;

	if (nb == 0)
		return true;
	if (!make_queues(rings))
		return false;
	g = of_queue(rings, queue);
	if (nb > max || g->nb > max - nb || g->nb_maps + 2 > XENVIF_GRANT_MAPS_MAX ||
			!make_tables(g) || !list_good(g, list, nb))
		return false;
	if (!make_map(g, list, nb, false, &writable))
		return false;
	if (!make_map(g, list, nb, true, &read_only)) {
		if (writable != NULL)
			drop_map(g, writable);
		return false;
	}
	add_map(g, writable);
	add_map(g, read_only);
	return true;
}

uint32_t
xenvif_grants_find(struct xen_netif_rings *rings, uint16_t queue, struct xen_netif_gref *list,
		uint32_t nb)
{
	const struct xenvif_grants *g = of_queue(rings, queue);
	uint32_t i, found = 0;
	bool good;

	for (i = 0; i < nb; i++) {
		good = g != NULL && g->nb != 0 && list[i].ref < XENVIF_GREFS_MAX &&
				g->of[list[i].ref].map != NULL && !g->of[list[i].ref].listed;
		list[i].status = good ? XEN_NETIF_CTRL_STATUS_SUCCESS :
					XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
		if (good)
			g->of[list[i].ref].listed = true;
		found += good;
	}
	for (i = 0; i < nb && found != 0; i++) {
		if (list[i].status == XEN_NETIF_CTRL_STATUS_SUCCESS)
			g->of[list[i].ref].listed = false;
	}
	return found;
}

/*
 * Unmap the pages of a mapping that are not registered any more, and others with them: only all of
 * a call's pages can be unmapped. Those that stay are mapped elsewhere before.
 */
static bool
shrink_map(struct xenvif_grants *g, struct xenvif_grant_map *map)
{
	uint32_t i, before = map->nb, kept = 0;
	uint8_t *addr = map->addr;

	for (i = 0; i < before; i++) {
		if (g->of[map->refs[i]].map == map)
			map->refs[kept++] = map->refs[i];
	}
	if (kept == before)
		return false;
	map->nb = kept;
	map->addr = NULL;
	if (kept != 0) {
		map_pages(g, map);
		lock_rings(g);
		show_map(g, map);
		unlock_rings(g);
	}
	if (addr != NULL)
		xengnttab_unmap(g->rings->gnttab, addr, before);
	if (kept == 0) {
		LIST_REMOVE(map, next);
		g->nb_maps--;
		free(map);
	}
	return true;
}

uint32_t
xenvif_grants_remove(struct xen_netif_rings *rings, uint16_t queue,
		const struct xen_netif_gref *list, uint32_t nb)
{
	struct xenvif_grants *g = of_queue(rings, queue);
	struct xenvif_grant_map *map, *next;
	uint32_t i, removed = 0, changed = 0;

	if (g == NULL)
		return 0;
	lock_rings(g);
	for (i = 0; i < nb; i++) {
		if (list[i].status != XEN_NETIF_CTRL_STATUS_SUCCESS)
			continue;
		g->pages[list[i].ref] = 0;
		g->of[list[i].ref].map = NULL;
		removed++;
	}
	count(g, g->nb - removed);
	unlock_rings(g);
	for (map = LIST_FIRST(&g->maps); map != NULL; map = next) {
		next = LIST_NEXT(map, next);
		changed += shrink_map(g, map);
	}
	return changed;
}

static void
clear_queue(struct xenvif_grants *g)
{
	struct xenvif_grant_map *map;

	lock_rings(g);
	count(g, 0);
	unlock_rings(g);
	while ((map = LIST_FIRST(&g->maps)) != NULL) {
		LIST_REMOVE(map, next);
		drop_map(g, map);
	}
	free(g->pages);
	free(g->of);
}

void
xenvif_grants_clear(struct xen_netif_rings *rings)
{
	uint16_t i;

	if (rings->grants == NULL)
		return;
	for (i = 0; i < XEN_NETIF_QUEUES_MAX; i++)
		clear_queue(of_queue(rings, i));
	free(rings->grants);
	rings->grants = NULL;
}
