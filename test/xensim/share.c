/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Giving pages to another domain, as Linux' gntalloc does. */

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "sim.h"

/* Lowest free reference; the table grows by a frame of entries when it is full. */
static int
gref_take(struct sim_dom *dom, uint32_t *gref)
{
	uint32_t i = dom->gref_hint;

	while (i < dom->nr_entries && dom->grant[i] != 0)
		i++;
	if (i >= dom->nr_entries) {
		if (dom->nr_entries >= XENSIM_MAX_GRANTS)
			return -ENOSPC;
		sim_store_release(&dom->nr_entries, dom->nr_entries + SIM_GRANTS_PER_FRAME);
	}
	dom->gref_hint = i + 1;
	*gref = i;
	return 0;
}

static int
entries_make(struct sim_handle *h, struct sim_range *range, const uint32_t *frames, uint64_t entry)
{
	struct sim_dom *dom = h->dom;
	struct sim_grant_info *info;
	uint32_t i, gref;

	for (i = 0; i < range->count; i++) {
		if (gref_take(dom, &gref) != 0)
			break;
		info = &dom->info[gref];
		info->frame = frames[i];
		info->maps = 0;
		info->handle = h->idx;
		info->notify_offset = info->notify_port = SIM_NONE;
		dom->pages_shared++;
		range->id[i] = gref;
		sim_store_release(&dom->grant[gref], entry | (uint64_t)frames[i] << 32);
	}
	if (i == range->count)
		return 0;
	sim_frames_free(h->m, &frames[i], range->count - i);
	sim_grants_end(h->m, dom, range->id, i);
	return -ENOSPC;
}

static int
share_locked(struct sim_handle *h, struct sim_range *range, uint32_t *frames, uint64_t entry)
{
	struct sim_dom *dom = h->dom;
	int ret;

	if (h->slot->dead)
		return -ENODEV;
	if (range->count > h->m->h->grant_limit ||
			dom->pages_shared > h->m->h->grant_limit - range->count)
		return -ENOSPC;
	ret = sim_frames_alloc(h->m, range->count, frames);
	if (ret != 0)
		return ret;
	range->addr = sim_frames_mmap(h->m, frames, range->count, PROT_READ | PROT_WRITE);
	if (range->addr == NULL) {
		sim_frames_free(h->m, frames, range->count);
		return -ENOMEM;
	}
	ret = entries_make(h, range, frames, entry);
	if (ret != 0)
		munmap(range->addr, (size_t)range->count * SIM_PAGE);
	return ret;
}

static void
range_add(struct sim_handle *h, struct sim_range *range)
{
	pthread_mutex_lock(&h->lock);
	range->next = h->ranges;
	h->ranges = range;
	pthread_mutex_unlock(&h->lock);
}

/* Allocate pages and give them to a domain, which need not exist yet. */
void *
sim_share(struct sim_handle *h, unsigned int domid, uint32_t n, uint32_t *grefs, bool writable,
		uint32_t notify_offset, uint32_t notify_port)
{
	uint16_t flags = writable ? GTF_permit_access : GTF_permit_access | GTF_readonly;
	struct sim_range *range;
	uint32_t *frames, i;
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
	sim_reap(h->m);
	ret = share_locked(h, range, frames, sim_grant(flags, (uint16_t)domid, 0));
	if (ret == 0) {
		h->dom->info[range->id[0]].notify_offset = notify_offset;
		h->dom->info[range->id[0]].notify_port = notify_port;
	}
	sim_unlock(h->m);
	if (ret != 0)
		goto fail;
	for (i = 0; i < n; i++)
		grefs[i] = range->id[i];
	range_add(h, range);
	free(frames);
	return range->addr;
fail:
	free(frames);
	free(range);
	errno = -ret;
	return NULL;
}

static struct sim_range *
range_remove(struct sim_handle *h, const void *addr, uint32_t n)
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
	return range;
}

int
sim_unshare(struct sim_handle *h, void *addr, uint32_t n)
{
	struct sim_range *range = range_remove(h, addr, n);

	if (range == NULL) {
		errno = EINVAL;
		return -1;
	}
	munmap(addr, (size_t)n * SIM_PAGE);
	sim_lock(h->m);
	if (!h->slot->dead)
		sim_grants_end(h->m, h->dom, range->id, n);
	sim_unlock(h->m);
	free(range);
	return 0;
}
