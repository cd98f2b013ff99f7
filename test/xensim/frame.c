/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Page frames of the machine. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "sim.h"

static bool
frame_take(struct sim_header *h, uint32_t frame)
{
	uint64_t bit = 1ULL << (frame % 64);

	if (h->frame_map[frame / 64] & bit)
		return false;
	h->frame_map[frame / 64] |= bit;
	return true;
}

/* Next fit: a frame is used again as late as possible, so that a stale user shows. */
int
sim_frames_alloc(struct sim_machine *m, uint32_t n, uint32_t *frames)
{
	struct sim_header *h = m->h;
	uint32_t got = 0, frame = h->frame_hint;

	if (n > SIM_MAX_FRAMES - h->frames_used)
		return -ENOSPC;
	while (got < n) {
		frame = frame + 1 >= SIM_MAX_FRAMES ? 0 : frame + 1;
		if (frame_take(h, frame))
			frames[got++] = frame;
	}
	h->frame_hint = frame;
	h->frames_used += n;
	return 0;
}

/* Length of the run of consecutive frames at the beginning of the list. */
static uint32_t
frames_run(const uint32_t *frames, uint32_t n)
{
	uint32_t run = 1;

	while (run < n && frames[run] == frames[run - 1] + 1)
		run++;
	return run;
}

static off_t
frame_offset(const struct sim_machine *m, uint32_t frame)
{
	return (off_t)((size_t)(m->frames - (uint8_t *)m->h) + (size_t)frame * SIM_PAGE);
}

/* The memory goes back to the system, and so reads as zeroes at the next use. */
void
sim_frames_free(struct sim_machine *m, const uint32_t *frames, uint32_t n)
{
	uint32_t i, run;

	for (i = 0; i < n; i++)
		m->h->frame_map[frames[i] / 64] &= ~(1ULL << (frames[i] % 64));
	m->h->frames_used -= n;
	for (; n > 0; frames += run, n -= run) {
		run = frames_run(frames, n);
		if (fallocate(m->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				    frame_offset(m, frames[0]), (off_t)run * SIM_PAGE) != 0)
			memset(m->frames + (size_t)frames[0] * SIM_PAGE, 0, (size_t)run * SIM_PAGE);
	}
}

void *
sim_frames_mmap(struct sim_machine *m, const uint32_t *frames, uint32_t n, int prot)
{
	size_t size = (size_t)n * SIM_PAGE;
	uint8_t *base, *addr;
	uint32_t run;

	base = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED)
		return NULL;
	for (addr = base; n > 0; frames += run, n -= run) {
		run = frames_run(frames, n);
		if (mmap(addr, (size_t)run * SIM_PAGE, prot, MAP_SHARED | MAP_FIXED, m->fd,
				    frame_offset(m, frames[0])) == MAP_FAILED) {
			munmap(base, size);
			return NULL;
		}
		addr += (size_t)run * SIM_PAGE;
	}
	return base;
}

void *
xensim_frame_map(unsigned int domid, uint64_t frame, int prot)
{
	struct sim_machine *m = sim_machine_get();
	struct sim_dom *dom;
	uint32_t gref, f;
	void *addr = NULL;

	if (m == NULL)
		return NULL;
	errno = EINVAL;
	sim_lock(m);
	dom = sim_dom_find(m, domid);
	for (gref = 0; dom != NULL && gref < dom->nr_entries; gref++) {
		if (dom->grant[gref] == 0 || sim_grant_frame(dom->grant[gref]) != frame)
			continue;
		f = (uint32_t)frame;
		addr = sim_frames_mmap(m, &f, 1, prot);
		break;
	}
	sim_unlock(m);
	sim_machine_put(m);
	return addr;
}

int64_t
xensim_grant_frame(unsigned int domid, uint32_t gref)
{
	struct sim_machine *m = sim_machine_get();
	struct sim_dom *dom;
	int64_t ret = -ENOENT;

	if (m == NULL)
		return -errno;
	sim_lock(m);
	dom = sim_dom_find(m, domid);
	if (dom != NULL && gref < dom->nr_entries && dom->grant[gref] != 0)
		ret = sim_grant_frame(dom->grant[gref]);
	sim_unlock(m);
	sim_machine_put(m);
	return ret;
}
