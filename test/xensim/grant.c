/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Grant references: giving and taking back. Section "Reference to a grant entry" of
 * xen/grant_table.h; the limits and the deferral of a reference still in use are those of
 * Linux' gntalloc.
 */

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "sim.h"

static bool
copies_idle(struct sim_machine *m, uint32_t parity)
{
	struct sim_slot *slot;
	uint32_t i, j;

	for (i = 0; i < m->h->handle_high; i++) {
		slot = &m->h->slot[i];
		if (slot->used != SIM_KIND_GNTTAB)
			continue;
		for (j = 0; j < SIM_STRIPES; j++)
			if (sim_load_acquire(&slot->stripe[j].active[parity]) != 0)
				return false;
	}
	return true;
}

static void
copies_forget_dead(struct sim_machine *m)
{
	uint32_t i, j;

	for (i = 0; i < m->h->handle_high; i++)
		if (m->h->slot[i].used == SIM_KIND_GNTTAB && !sim_slot_alive(m, i))
			for (j = 0; j < SIM_STRIPES; j++) {
				sim_store(&m->h->slot[i].stripe[j].active[0], 0);
				sim_store(&m->h->slot[i].stripe[j].active[1], 0);
			}
}

/* Wait until every copy that may still use an entry cleared before has ended. Twice, because a
 * copy may have read the parity before the change and counts itself after it.
 */
void
sim_copies_wait(struct sim_machine *m)
{
	uint32_t parity, round, spins;

	for (round = 0; round < 2; round++) {
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		parity = __atomic_fetch_add(&m->h->epoch, 1, __ATOMIC_SEQ_CST) & 1;
		for (spins = 1; !copies_idle(m, parity); spins++) {
			sched_yield();
			if (spins % 1024 == 0)
				copies_forget_dead(m);
		}
	}
}

static void
notify_release(struct sim_machine *m, struct sim_dom *sender, uint32_t frame, uint32_t *offset,
		uint32_t *port)
{
	if (*offset != SIM_NONE)
		m->frames[(size_t)frame * SIM_PAGE + *offset] = 0;
	if (*port != SIM_NONE)
		sim_port_send(m, sender, *port);
	*offset = *port = SIM_NONE;
}

/* An entry that nobody maps becomes unused; one still mapped stays as it is until then. */
void
sim_grants_end(struct sim_machine *m, struct sim_dom *dom, const uint32_t *grefs, uint32_t n)
{
	struct sim_grant_info *info;
	uint32_t *frames, i, freed = 0;

	frames = calloc(n + 1, sizeof(*frames));
	if (frames == NULL)
		return;
	for (i = 0; i < n; i++) {
		info = &dom->info[grefs[i]];
		if (dom->grant[grefs[i]] == 0)
			continue;
		if (info->handle != SIM_NONE && dom->state == SIM_DOM_LIVE)
			notify_release(m, dom, info->frame, &info->notify_offset,
					&info->notify_port);
		info->handle = SIM_NONE;
		if (info->maps != 0)
			continue;
		__atomic_store_n(&dom->grant[grefs[i]], 0, __ATOMIC_SEQ_CST);
		frames[freed++] = info->frame;
		if (grefs[i] < dom->gref_hint)
			dom->gref_hint = grefs[i];
	}
	dom->pages_shared -= freed;
	if (freed > 0) {
		sim_copies_wait(m);
		sim_frames_free(m, frames, freed);
	}
	if (dom->state == SIM_DOM_DYING && dom->pages_shared == 0)
		dom->state = SIM_DOM_FREE;
	free(frames);
}

void
sim_grants_end_handle(struct sim_machine *m, struct sim_dom *dom, uint32_t handle)
{
	uint32_t *grefs, gref, n = 0;

	grefs = calloc(dom->nr_entries + 1, sizeof(*grefs));
	if (grefs == NULL)
		return;
	for (gref = 0; gref < dom->nr_entries; gref++)
		if (dom->grant[gref] != 0 &&
				(handle == SIM_NONE || dom->info[gref].handle == handle))
			grefs[n++] = gref;
	sim_grants_end(m, dom, grefs, n);
	free(grefs);
}

void
sim_grant_unmap_one(struct sim_machine *m, uint32_t track)
{
	struct sim_track *t = &m->h->track[track];
	struct sim_dom *dom = &m->h->dom[t->dom];
	struct sim_grant_info *info = &dom->info[t->gref];
	struct sim_slot *slot = &m->h->slot[t->handle - 1];

	if (!slot->dead)
		notify_release(m, &m->h->dom[slot->dom], info->frame, &t->notify_offset,
				&t->notify_port);
	t->handle = 0;
	if (track < m->h->track_hint)
		m->h->track_hint = track;
	info->maps--;
	if (info->maps == 0 && info->handle == SIM_NONE)
		sim_grants_end(m, dom, &t->gref, 1);
}
