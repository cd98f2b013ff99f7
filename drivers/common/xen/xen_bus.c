/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <rte_common.h>

#include "xen_bus_loop.h"
#include "xen_compat.h"
#include "xen_ctl.h"
#include "xen_log.h"

/* How long anybody waits for a thread that does not come back: libxenstore has no time-outs. */
#define BUS_HANG_MS 2000
/* How long anybody waits for what a driver has to say to the other end. */
#define BUS_LINGER_MS 4000
/*
 * So much at most of the time between two looks at what is waited for counts: a process that did
 * not run has had no answer from anybody.
 */
#define BUS_NAP_MS 50

struct xen_bus_state xen_bus = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.devs = TAILQ_HEAD_INITIALIZER(xen_bus.devs),
	.stale = STAILQ_HEAD_INITIALIZER(xen_bus.stale),
	.wake_fd = -1,
	.domid = -1,
};

__thread struct xen_bus_thread *xen_bus_self;

RTE_INIT(bus_init)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&xen_bus.turn, &attr);
	pthread_condattr_destroy(&attr);
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_bus_now_ms)
uint64_t
xen_bus_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void
close_wake_fd(void)
{
	if (xen_bus.wake_fd >= 0)
		close(xen_bus.wake_fd);
	xen_bus.wake_fd = -1;
}

static void
bus_wake(void)
{
	uint64_t one = 1;

	if (write(xen_bus.wake_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		XEN_LOG(ERR, "cannot wake the control thread: %s", strerror(errno));
}

/* The clock of those who wait. With the lock. */
static uint64_t
bus_waited_ms(void)
{
	uint64_t now = xen_bus_now_ms();

	xen_bus.waited_ms += RTE_MIN(now - xen_bus.looked_ms, (uint64_t)BUS_NAP_MS);
	xen_bus.looked_ms = now;
	return xen_bus.waited_ms;
}

/*
 * Sleep until the thread has done something, till a time of that clock or till it wants to be
 * looked at. With the lock.
 */
static void
bus_sleep(uint64_t until)
{
	uint64_t end = xen_bus_now_ms() + RTE_MIN(until - bus_waited_ms(), (uint64_t)BUS_NAP_MS);
	struct timespec ts = { .tv_sec = end / 1000, .tv_nsec = end % 1000 * 1000000 };

	if (until == UINT64_MAX)
		pthread_cond_wait(&xen_bus.turn, &xen_bus.lock);
	else
		pthread_cond_timedwait(&xen_bus.turn, &xen_bus.lock, &ts);
}

/* When the thread is no longer waited for, if it does not come back before. With the lock. */
static uint64_t
bus_hangs_at(void)
{
	return xen_bus.thread->outside != 0 ? xen_bus.thread->outside_ms + BUS_HANG_MS : UINT64_MAX;
}

/* Leave the thread to itself; where it is. With the lock held. */
static const char *
bus_abandon(void)
{
	const char *where = xen_bus.thread->where;

	xen_bus.thread->quit = true;
	xen_bus.thread = NULL;
	pthread_cond_broadcast(&xen_bus.turn);
	return where;
}

void
xen_bus_thread_end(void)
{
	xen_store_close();
	xen_ctl_close();
	pthread_mutex_lock(&xen_bus.lock);
	if (xen_bus.thread == xen_bus_self) {
		xen_bus.thread = NULL;
		if (TAILQ_EMPTY(&xen_bus.devs))
			close_wake_fd();
	}
	pthread_cond_broadcast(&xen_bus.turn);
	pthread_mutex_unlock(&xen_bus.lock);
	free(xen_bus_self);
	xen_bus_self = NULL;
}

bool
xen_bus_evaluates(const struct xen_bus_device *dev)
{
	return xen_bus_self != NULL && xen_bus_self->current == dev;
}

void
xen_bus_outside_begin(const char *where)
{
	if (xen_bus_self == NULL)
		return;
	pthread_mutex_lock(&xen_bus.lock);
	if (xen_bus_self->outside++ == 0) {
		xen_bus_self->outside_ms = bus_waited_ms();
		xen_bus_self->where = where;
	}
	/* Whoever waits knows now until when. */
	pthread_cond_broadcast(&xen_bus.turn);
	pthread_mutex_unlock(&xen_bus.lock);
}

void
xen_bus_outside_end(void *reply)
{
	bool abandoned;
	int err = errno;

	if (xen_bus_self == NULL)
		return;
	pthread_mutex_lock(&xen_bus.lock);
	abandoned = --xen_bus_self->outside == 0 && xen_bus.thread != xen_bus_self;
	pthread_cond_broadcast(&xen_bus.turn);
	pthread_mutex_unlock(&xen_bus.lock);
	if (abandoned) {
		free(reply);
		xen_bus_thread_end();
		pthread_exit(NULL);
	}
	errno = err;
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_bus_kick)
void
xen_bus_kick(struct xen_bus_device *dev)
{
	xen_bus_mark_dirty(dev);
	bus_wake();
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_bus_evtchn_get)
int
xen_bus_evtchn_get(xenevtchn_handle **evtchn, struct xen_reason *why)
{
	int ret, flags;

	pthread_mutex_lock(&xen_bus.lock);
	ret = xen_evtchn_open(&xen_bus.evtchn, why);
	if (ret == 0 && xen_bus.evtchn_refs++ == 0) {
		/* What made it readable may be gone when it is read. */
		flags = fcntl(xenevtchn_fd(xen_bus.evtchn), F_GETFL);
		fcntl(xenevtchn_fd(xen_bus.evtchn), F_SETFL, flags | O_NONBLOCK);
	}
	*evtchn = xen_bus.evtchn;
	pthread_mutex_unlock(&xen_bus.lock);
	return ret;
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_bus_evtchn_put)
void
xen_bus_evtchn_put(void)
{
	pthread_mutex_lock(&xen_bus.lock);
	if (--xen_bus.evtchn_refs == 0)
		xen_evtchn_close(&xen_bus.evtchn);
	pthread_mutex_unlock(&xen_bus.lock);
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_bus_listen)
void
xen_bus_listen(struct xen_bus_device *dev, evtchn_port_t port)
{
	pthread_mutex_lock(&xen_bus.lock);
	dev->port = port;
	pthread_mutex_unlock(&xen_bus.lock);
	/* What came in before has been taken for nobody's; and the thread does not poll it yet. */
	if (port != 0)
		xen_bus_kick(dev);
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_bus_in_thread)
bool
xen_bus_in_thread(void)
{
	return xen_bus_self != NULL;
}

/* Is this the control thread, and not one that was left to itself? With the lock held. */
static bool
bus_in_charge(void)
{
	return xen_bus_self != NULL && xen_bus_self == xen_bus.thread;
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_bus_linger)
bool
xen_bus_linger(struct xen_bus_device *dev, bool on)
{
	bool done;

	pthread_mutex_lock(&xen_bus.lock);
	done = !on || !dev->leaving;
	if (done)
		dev->lingering = on;
	pthread_cond_broadcast(&xen_bus.turn);
	pthread_mutex_unlock(&xen_bus.lock);
	return done;
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_bus_leaving)
bool
xen_bus_leaving(const struct xen_bus_device *dev)
{
	bool leaving;

	pthread_mutex_lock(&xen_bus.lock);
	leaving = dev->leaving;
	pthread_mutex_unlock(&xen_bus.lock);
	return leaving;
}

int
xen_bus_own_domid(void)
{
	return __atomic_load_n(&xen_bus.domid, __ATOMIC_RELAXED);
}

/* With the lock held. */
static int
thread_start(void)
{
	pthread_t id;
	int ret;

	if (xen_bus.wake_fd < 0)
		xen_bus.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (xen_bus.wake_fd < 0)
		return -errno;
	xen_bus.thread = calloc(1, sizeof(*xen_bus.thread));
	ret = xen_bus.thread != NULL ?
			xen_thread_create(&id, "xen-control", xen_bus_loop, xen_bus.thread) :
			-ENOMEM;
	if (ret == 0) {
		xen_thread_detach(id);
		return 0;
	}
	free(xen_bus.thread);
	xen_bus.thread = NULL;
	if (TAILQ_EMPTY(&xen_bus.devs))
		close_wake_fd();
	return ret;
}

/*
 * Have the thread end, and wait for it unless it is this one. NULL, or from where it does not come
 * back. With the lock held.
 */
static const char *
thread_stop(void)
{
	struct xen_bus_thread *thread = xen_bus.thread;
	const char *where = NULL;

	if (thread == NULL) {
		close_wake_fd();
		return NULL;
	}
	thread->quit = true;
	bus_wake();
	while (xen_bus_self != thread && xen_bus.thread == thread && thread->quit) {
		if (bus_waited_ms() < bus_hangs_at()) {
			bus_sleep(bus_hangs_at());
			continue;
		}
		where = bus_abandon();
		close_wake_fd();
	}
	return where;
}

static bool
bus_has(const char *path)
{
	struct xen_bus_device *dev;

	TAILQ_FOREACH(dev, &xen_bus.devs, next) {
		if (strcmp(dev->path, path) == 0)
			return true;
	}
	return false;
}

/* Wait until the thread has asked for this domain's id, if it is not known. With the lock held. */
static bool
wait_for_domid(void)
{
	uint64_t until = bus_waited_ms() + BUS_HANG_MS;

	while (xen_bus_own_domid() < 0 && xen_bus.thread != NULL && !xen_bus.thread->asked) {
		if (bus_waited_ms() >= until)
			return false;
		bus_sleep(until);
	}
	return true;
}

int
xen_bus_add(struct xen_bus_device *dev)
{
	bool answered = true;
	int ret = 0;

	pthread_mutex_lock(&xen_bus.lock);
	while (xen_bus.thread != NULL && xen_bus.thread->ending)
		bus_sleep(UINT64_MAX);
	if (bus_has(dev->path))
		ret = -EEXIST;
	else if (xen_bus.thread == NULL)
		ret = thread_start();
	else
		xen_bus.thread->quit = false;
	if (ret == 0) {
		TAILQ_INSERT_TAIL(&xen_bus.devs, dev, next);
		xen_bus_kick(dev);
		if (!bus_in_charge())
			answered = wait_for_domid();
	}
	pthread_mutex_unlock(&xen_bus.lock);
	if (!answered)
		XEN_LOG(WARNING, "%s: xenstore does not answer; trying on", dev->path);
	return ret;
}

/* Has the device to be evaluated yet, by a thread that can do so? With the lock held. */
static bool
bus_unsettled(const struct xen_bus_device *dev)
{
	const struct xen_bus_thread *thread = xen_bus.thread;

	return thread != NULL && !bus_in_charge() && (thread->connected || !thread->asked) &&
			(thread->current == dev || __atomic_load_n(&dev->dirty, __ATOMIC_ACQUIRE));
}

void
xen_bus_settle(struct xen_bus_device *dev)
{
	uint64_t end, until;

	xen_bus_kick(dev);
	pthread_mutex_lock(&xen_bus.lock);
	end = bus_waited_ms() + BUS_HANG_MS;
	while (bus_unsettled(dev)) {
		until = RTE_MIN(end, bus_hangs_at());
		if (bus_waited_ms() >= until)
			break;
		bus_sleep(until);
	}
	pthread_mutex_unlock(&xen_bus.lock);
}

/* Wait for what the driver has to say to the other end. With the lock held. */
static bool
wait_for_farewell(struct xen_bus_device *dev)
{
	uint64_t now = bus_waited_ms(), begin = now, until;

	if (dev->lingering)
		xen_bus_kick(dev);
	while (dev->lingering && xen_bus.thread != NULL) {
		until = RTE_MIN(begin + BUS_LINGER_MS, bus_hangs_at());
		if (!xen_bus.thread->connected)
			until = RTE_MIN(until, begin + BUS_HANG_MS);
		if (now >= until)
			return false;
		bus_sleep(until);
		now = bus_waited_ms();
	}
	return !dev->lingering;
}

/*
 * Wait until the thread has done with the device. NULL, or from where it does not come back. With
 * the lock held.
 */
static const char *
wait_for_current(struct xen_bus_device *dev)
{
	while (xen_bus.thread != NULL && xen_bus.thread->current == dev) {
		if (bus_waited_ms() >= bus_hangs_at())
			return bus_abandon();
		bus_sleep(bus_hangs_at());
	}
	return NULL;
}

/* Remove the device from the list. Its watch is left to the thread. With the lock held. */
static void
bus_remove(struct xen_bus_device *dev)
{
	struct xen_bus_path *path;
	size_t size = strlen(dev->peer) + 1;

	TAILQ_REMOVE(&xen_bus.devs, dev, next);
	if (bus_in_charge() && xen_bus_self->current == dev)
		xen_bus_self->current = NULL;
	path = size > 1 ? malloc(sizeof(*path) + size) : NULL;
	if (path == NULL)
		return;
	memcpy(path->path, dev->peer, size);
	STAILQ_INSERT_TAIL(&xen_bus.stale, path, next);
}

void
xen_bus_del(struct xen_bus_device *dev)
{
	const char *where = NULL, *stuck = NULL;
	bool said = true;
	int ret = 0;

	pthread_mutex_lock(&xen_bus.lock);
	dev->leaving = true;
	if (!bus_in_charge()) {
		said = wait_for_farewell(dev);
		where = wait_for_current(dev);
	}
	bus_remove(dev);
	if (TAILQ_EMPTY(&xen_bus.devs))
		stuck = thread_stop();
	else if (xen_bus.thread == NULL)
		ret = thread_start();
	pthread_mutex_unlock(&xen_bus.lock);
	if (where == NULL)
		where = stuck;
	if (where != NULL)
		XEN_LOG(WARNING, "%s: no return from %s for %u s: detached without it", dev->path,
				where, BUS_HANG_MS / 1000);
	else if (!said)
		XEN_LOG(WARNING, "%s: closed without a word from the other end", dev->path);
	if (ret < 0)
		XEN_LOG(ERR, "cannot start another control thread: %s", strerror(-ret));
}
