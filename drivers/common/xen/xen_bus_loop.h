/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XEN_BUS_LOOP_H
#define XEN_BUS_LOOP_H

/**
 * @file
 * What the control thread (xen_bus_loop.c) and those who wait for it (xen_bus.c) have in common,
 * and nobody else.
 */

#include <pthread.h>

#include "xen_bus.h"
#include "xen_compat.h"

/*
 * A control thread. There is one as long as there are devices, xen_bus.thread. If it does not come
 * back from outside while somebody needs its device, it is left to itself: another one takes its
 * place, and it ends as soon as it is back, without a look at any device.
 */
struct xen_bus_thread {
	/* Guarded by the lock. */
	/* To end; until it is ending, that may be taken back. */
	bool quit;
	bool ending;
	/* It has a connection; it has tried to get one. */
	bool connected;
	bool asked;
	/* Calls that it is in, one within the other, which may take any time; the outermost one. */
	unsigned int outside;
	uint64_t outside_ms;
	const char *where;
	/* The device that it works on. */
	struct xen_bus_device *current;

	/* Its own. */
	uint64_t ping_ms;
	uint64_t tick_ms;
	uint64_t connect_ms;
	bool complained;
	/* Of its connection. */
	bool release_watched;
};

/* A path that is no longer to be watched. */
struct xen_bus_path {
	STAILQ_ENTRY(xen_bus_path) next;
	char path[];
};

struct xen_bus_state {
	/* Guards what follows; never held across xenstore. */
	pthread_mutex_t lock;
	/* The thread has done something that somebody may wait for. */
	pthread_cond_t turn;
	TAILQ_HEAD(, xen_bus_device) devs;
	STAILQ_HEAD(, xen_bus_path) stale;
	struct xen_bus_thread *thread;
	/* How long is waited for it, whoever does, and when that was looked at last. */
	uint64_t waited_ms;
	uint64_t looked_ms;
	/* -1 without devices. */
	int wake_fd;
	int domid;
	/* Of the event channels that devices listen to; NULL while there is none. */
	xenevtchn_handle *evtchn;
	unsigned int evtchn_refs;
};

extern struct xen_bus_state xen_bus;

/** This thread, if it is a control thread. */
extern __thread struct xen_bus_thread *xen_bus_self;

/** A control thread's function, for xen_thread_create(): its argument is its own structure. */
XEN_THREAD_RESULT
xen_bus_loop(void *arg);

static inline void
xen_bus_mark_dirty(struct xen_bus_device *dev)
{
	__atomic_store_n(&dev->dirty, true, __ATOMIC_RELEASE);
}

/** The last that a control thread does. */
void
xen_bus_thread_end(void);

#endif /* XEN_BUS_LOOP_H */
