/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Library handles, and what becomes of those whose process is gone. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim.h"

/* Threads beyond the last stripe share it, with locked instructions (copy.c). */
uint32_t
sim_thread_stripe(void)
{
	static uint32_t next;
	static __thread uint32_t mine;

	if (sim_unlikely(mine == 0))
		mine = __atomic_add_fetch(&next, 1, __ATOMIC_RELAXED);
	return mine <= SIM_STRIPES ? mine - 1 : SIM_STRIPES - 1;
}

/* A handle lives as long as the open file description that locks its byte of the lock file:
 * over fork as /dev/xen/gntdev would, and no longer than the last process that has it.
 */
static int
slot_lock(int fd, int cmd, uint32_t idx, short *type)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = idx, .l_len = 1 };

	if (fcntl(fd, cmd, &lock) != 0)
		return -errno;
	if (type != NULL)
		*type = lock.l_type;
	return 0;
}

bool
sim_slot_alive(struct sim_machine *m, uint32_t idx)
{
	short type = F_WRLCK;

	return slot_lock(m->lock_fd, F_OFD_GETLK, idx, &type) != 0 || type != F_UNLCK;
}

static void
stripes_fold(struct sim_slot *slot, struct sim_dom *dom)
{
	struct xensim_counters *c = &dom->past;
	struct sim_stripe *s;
	uint32_t i;

	for (i = 0; i < SIM_STRIPES; i++) {
		s = &slot->stripe[i];
		c->copy_calls += s->calls;
		c->copy_hypercalls += s->hypercalls;
		c->hypercalls += s->hypercalls;
		c->copy_ops += s->ops;
		c->copy_segments += s->segments;
		c->copy_bytes += s->bytes;
		c->copy_errors += s->errors;
	}
	memset(slot->stripe, 0, sizeof(slot->stripe));
}

/* What the kernel does when the last file descriptor of a handle goes. */
void
sim_slot_release(struct sim_machine *m, uint32_t idx)
{
	struct sim_slot *slot = &m->h->slot[idx];
	struct sim_dom *dom = &m->h->dom[slot->dom];
	char path[PATH_MAX];
	uint32_t i;

	stripes_fold(slot, dom);
	switch (slot->used) {
	case SIM_KIND_GNTTAB:
		for (i = 0; i < m->h->track_high; i++)
			if (m->h->track[i].handle == idx + 1)
				sim_grant_unmap_one(m, i);
		break;
	case SIM_KIND_GNTSHR:
		if (!slot->dead)
			sim_grants_end_handle(m, dom, idx);
		break;
	case SIM_KIND_EVTCHN:
		if (!slot->dead)
			sim_ports_free_handle(m, dom, idx);
		sim_fifo_path(m, idx, path, sizeof(path));
		unlink(path);
		break;
	}
	slot->used = 0;
}

void
sim_reap(struct sim_machine *m)
{
	uint32_t i;

	for (i = 0; i < m->h->handle_high; i++)
		if (m->h->slot[i].used != 0 && !sim_slot_alive(m, i))
			sim_slot_release(m, i);
}

static int
slot_take(struct sim_handle *h, bool cloexec)
{
	struct sim_machine *m = h->m;
	struct sim_slot *slot;
	uint32_t i;
	int ret;

	for (i = 0; i < SIM_MAX_HANDLES && m->h->slot[i].used != 0; i++)
		;
	if (i == SIM_MAX_HANDLES)
		return -EMFILE;
	ret = slot_lock(h->lock_fd, F_OFD_SETLK, i, NULL);
	if (ret != 0)
		return ret;
	if (h->kind == SIM_KIND_EVTCHN) {
		h->fd = sim_fifo_create(m, i, cloexec);
		if (h->fd < 0)
			return h->fd;
	}
	slot = &m->h->slot[i];
	slot->gen++;
	slot->dom = sim_dom_index(m, h->dom);
	slot->dead = 0;
	slot->pid = getpid();
	slot->lock_fd = h->lock_fd;
	memset(slot->stripe, 0, sizeof(slot->stripe));
	slot->used = h->kind;
	if (i >= m->h->handle_high)
		m->h->handle_high = i + 1;
	h->slot = slot;
	h->idx = i;
	return 0;
}

static void
handle_free(struct sim_handle *h)
{
	if (h->kind == SIM_KIND_EVTCHN && h->fd >= 0)
		close(h->fd);
	if (h->lock_fd >= 0)
		close(h->lock_fd);
	pthread_mutex_destroy(&h->lock);
	sim_machine_put(h->m);
	free(h);
}

static int
handle_setup(struct sim_handle *h, bool cloexec)
{
	struct sim_machine *m = h->m;
	char path[PATH_MAX];
	int ret;

	snprintf(path, sizeof(path), "%s/lock", m->dir);
	h->lock_fd = open(path, O_RDWR | (cloexec ? O_CLOEXEC : 0));
	if (h->lock_fd < 0)
		return -errno;
	if (h->kind != SIM_KIND_EVTCHN)
		h->fd = h->lock_fd;
	sim_lock(m);
	sim_reap(m);
	h->dom = sim_dom_find(m, h->domid);
	if (h->dom == NULL) {
		sim_complain("domain %u does not exist in %s: create it first", h->domid, m->dir);
		ret = -ENODEV;
	} else {
		ret = slot_take(h, cloexec);
	}
	sim_unlock(m);
	return ret;
}

struct sim_handle *
sim_handle_open(enum sim_kind kind, bool cloexec)
{
	struct sim_handle *h;
	int domid, ret;

	domid = sim_domid();
	if (domid < 0) {
		errno = -domid;
		return NULL;
	}
	h = calloc(1, sizeof(*h));
	if (h == NULL)
		return NULL;
	h->m = sim_machine_get();
	if (h->m == NULL) {
		free(h);
		return NULL;
	}
	h->fd = h->lock_fd = -1;
	h->kind = kind;
	h->domid = (uint16_t)domid;
	pthread_mutex_init(&h->lock, NULL);
	ret = handle_setup(h, cloexec);
	if (ret != 0) {
		handle_free(h);
		errno = -ret;
		return NULL;
	}
	return h;
}

/* An event channel handle that this process opened before it called exec. */
struct sim_handle *
sim_handle_adopt(int fd)
{
	char link[64], path[PATH_MAX];
	struct sim_handle *h;
	const char *base;
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	if (len < 0)
		return NULL;
	path[len] = '\0';
	base = strrchr(path, '/');
	h = calloc(1, sizeof(*h));
	if (h == NULL || base == NULL)
		goto fail;
	h->m = sim_machine_get();
	if (h->m == NULL)
		goto fail;
	h->idx = (uint32_t)strtoul(base + 1, NULL, 10);
	if (h->idx >= SIM_MAX_HANDLES || h->m->h->slot[h->idx].used != SIM_KIND_EVTCHN) {
		sim_machine_put(h->m);
		goto fail;
	}
	h->kind = SIM_KIND_EVTCHN;
	h->slot = &h->m->h->slot[h->idx];
	h->dom = &h->m->h->dom[h->slot->dom];
	h->domid = (uint16_t)h->dom->domid;
	h->fd = fd;
	h->lock_fd = h->slot->lock_fd;
	pthread_mutex_init(&h->lock, NULL);
	return h;
fail:
	free(h);
	errno = EINVAL;
	return NULL;
}

/* In a child after fork only the copies go: the parent still has the open file description. */
void
sim_handle_close(struct sim_handle *h)
{
	sim_unmap_all(h);
	if (h->slot->pid == getpid()) {
		sim_lock(h->m);
		sim_slot_release(h->m, h->idx);
		sim_unlock(h->m);
	}
	sim_fifo_sweep(h->m);
	handle_free(h);
}
