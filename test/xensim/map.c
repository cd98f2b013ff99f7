/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Mapping the grants of others, as Linux' gntdev does. */

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "sim.h"

/* The rules of GNTTABOP_map_grant_ref; the status says which one is broken. */
static int
map_check(struct sim_handle *h, unsigned int domid, uint32_t gref, bool write,
		struct sim_dom **granter)
{
	struct sim_dom *dom;
	uint64_t entry;

	dom = sim_dom_find(h->m, domid == DOMID_SELF ? h->domid : domid);
	if (dom == NULL)
		return GNTST_bad_domain;
	if (gref >= dom->nr_entries)
		return GNTST_bad_gntref;
	entry = dom->grant[gref];
	if ((entry & (GTF_type_mask | (uint64_t)0xffff << 16)) !=
			sim_grant(GTF_permit_access, h->domid, 0))
		return GNTST_general_error;
	if (write && (entry & GTF_readonly))
		return GNTST_general_error;
	*granter = dom;
	return GNTST_okay;
}

static int
track_take(struct sim_machine *m, uint32_t *track)
{
	uint32_t i = m->h->track_hint;

	while (i < SIM_MAX_MAPS && m->h->track[i].handle != 0)
		i++;
	if (i == SIM_MAX_MAPS)
		return GNTST_no_device_space;
	if (i >= m->h->track_high)
		m->h->track_high = i + 1;
	m->h->track_hint = i + 1;
	*track = i;
	return GNTST_okay;
}

static int
map_one(struct sim_handle *h, unsigned int domid, uint32_t gref, bool write, uint32_t *track,
		uint32_t *frame)
{
	struct sim_dom *dom = NULL;
	struct sim_track *t;
	int status;

	status = map_check(h, domid, gref, write, &dom);
	if (status == GNTST_okay)
		status = track_take(h->m, track);
	if (status != GNTST_okay)
		return status;
	t = &h->m->h->track[*track];
	t->dom = sim_dom_index(h->m, dom);
	t->gref = gref;
	t->notify_offset = t->notify_port = SIM_NONE;
	dom->info[gref].maps++;
	t->handle = h->idx + 1;
	*frame = dom->info[gref].frame;
	return GNTST_okay;
}

/* Tracks are gone already when the domain was destroyed meanwhile. */
static void
unmap_tracks(struct sim_handle *h, const uint32_t *tracks, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (h->m->h->track[tracks[i]].handle == h->idx + 1)
			sim_grant_unmap_one(h->m, tracks[i]);
}

/* All or nothing, like the library over gntdev, which turns every status into EINVAL. */
static int
map_locked(struct sim_handle *h, struct sim_range *range, const uint32_t *domids,
		uint32_t domid_step, const uint32_t *grefs, int prot, uint32_t *frames)
{
	uint32_t i;

	if (h->slot->dead)
		return -ENODEV;
	if (sim_fault_hit(h->m, XENSIM_FAULT_MAP, h->domid))
		return -EINVAL;
	for (i = 0; i < range->count; i++)
		if (map_one(h, domids[i * domid_step], grefs[i], prot & PROT_WRITE, &range->id[i],
				    &frames[i]) != GNTST_okay) {
			unmap_tracks(h, range->id, i);
			return -EINVAL;
		}
	range->addr = sim_frames_mmap(h->m, frames, range->count, prot);
	if (range->addr == NULL) {
		unmap_tracks(h, range->id, range->count);
		return -ENOMEM;
	}
	h->dom->past.hypercalls++;
	h->dom->past.maps_total += range->count;
	return 0;
}

void *
sim_map(struct sim_handle *h, uint32_t n, const uint32_t *domids, uint32_t domid_step,
		const uint32_t *grefs, int prot, uint32_t notify_offset, uint32_t notify_port)
{
	struct sim_range *range;
	uint32_t *frames;
	int ret = -EINVAL;

	range = calloc(1, sizeof(*range) + (size_t)n * sizeof(range->id[0]));
	frames = calloc((size_t)n + 1, sizeof(*frames));
	if (range == NULL || frames == NULL) {
		ret = -ENOMEM;
		goto fail;
	}
	if (n == 0 || (notify_offset != SIM_NONE && notify_offset >= SIM_PAGE))
		goto fail;
	range->count = n;
	sim_lock(h->m);
	ret = map_locked(h, range, domids, domid_step, grefs, prot, frames);
	if (ret == 0) {
		h->m->h->track[range->id[0]].notify_offset = notify_offset;
		h->m->h->track[range->id[0]].notify_port = notify_port;
	}
	sim_unlock(h->m);
	if (ret != 0)
		goto fail;
	sim_spin(h->m, (uint64_t)h->m->h->charges.map_ns * n);
	pthread_mutex_lock(&h->lock);
	range->next = h->ranges;
	h->ranges = range;
	pthread_mutex_unlock(&h->lock);
	free(frames);
	return range->addr;
fail:
	free(frames);
	free(range);
	errno = -ret;
	return NULL;
}

static void
unmap_range(struct sim_handle *h, struct sim_range *range)
{
	uint32_t n = range->count;

	munmap(range->addr, (size_t)n * SIM_PAGE);
	sim_lock(h->m);
	unmap_tracks(h, range->id, n);
	h->dom->past.hypercalls++;
	sim_unlock(h->m);
	sim_spin(h->m, (uint64_t)h->m->h->charges.unmap_ns * n);
	free(range);
}

int
sim_unmap(struct sim_handle *h, void *addr, uint32_t n)
{
	struct sim_range **prev, *range = NULL;

	pthread_mutex_lock(&h->lock);
	for (prev = &h->ranges; *prev != NULL; prev = &(*prev)->next)
		if ((*prev)->addr == addr && (*prev)->count == n) {
			range = *prev;
			*prev = range->next;
			break;
		}
	pthread_mutex_unlock(&h->lock);
	if (range == NULL) {
		errno = EINVAL;
		return -1;
	}
	unmap_range(h, range);
	return 0;
}

/* At close. A child after fork drops its copies of the mappings and nothing else. */
void
sim_unmap_all(struct sim_handle *h)
{
	struct sim_range *range;

	while (h->ranges != NULL) {
		range = h->ranges;
		h->ranges = range->next;
		munmap(range->addr, (size_t)range->count * SIM_PAGE);
		free(range);
	}
}
