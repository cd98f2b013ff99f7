/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_string_fns.h>

#include "xen_bus_loop.h"
#include "xen_compat.h"
#include "xen_if.h"
#include "xen_log.h"

/* What xenstored fires when a domain has died; a driver domain may not watch it. */
#define BUS_RELEASE "@releaseDomain"
/* A device is evaluated at most this often, whatever its guest does to the watches. */
#define BUS_INTERVAL_MS 5
/* How often the daemon is asked whether it still lives: libxenstore tells nobody when it dies. */
#define BUS_PING_MS 500
#define BUS_RECONNECT_MS 200
#define BUS_TICK_MS 100
/* How soon a device is evaluated again for which xenstore has failed: at first, and at last. */
#define BUS_RETRY_MIN_MS 10u
#define BUS_RETRY_MAX_MS 500u
/* Watch events taken in one turn, so that a flood cannot keep the thread from the devices. */
#define BUS_EVENTS_MAX 256

RTE_EXPORT_INTERNAL_SYMBOL(xen_bus_set_timer)
void
xen_bus_set_timer(struct xen_bus_device *dev, uint32_t ms)
{
	uint64_t at = xen_bus_now_ms() + ms;

	if (dev->timer_ms == 0 || at < dev->timer_ms)
		dev->timer_ms = at;
}

static void
unwatch_peer(const char *peer)
{
	if (peer[0] != '\0')
		xen_store_unwatch(peer);
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_bus_set_peer)
int
xen_bus_set_peer(struct xen_bus_device *dev, const char *path)
{
	int ret;

	if (strcmp(dev->peer, path) == 0)
		return 0;
	unwatch_peer(dev->peer);
	rte_strscpy(dev->peer, path, sizeof(dev->peer));
	ret = path[0] != '\0' ? xen_store_watch(dev->peer) : 0;
	/* The next evaluation tries again. */
	if (ret < 0)
		dev->peer[0] = '\0';
	return ret;
}

/* Is path dir itself or below it? */
static bool
path_within(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return len != 0 && strncmp(path, dir, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

static void
dispatch_event(const char *path)
{
	struct xen_bus_device *dev;

	pthread_mutex_lock(&xen_bus.lock);
	TAILQ_FOREACH(dev, &xen_bus.devs, next) {
		if (path_within(path, dev->path) || path_within(path, dev->peer) ||
				strcmp(path, dev->root) == 0 || strcmp(path, BUS_RELEASE) == 0)
			xen_bus_mark_dirty(dev);
	}
	pthread_mutex_unlock(&xen_bus.lock);
}

/* 0, also when it is not told; -ENOTCONN when xenstore does not answer. */
static int
read_own_domid(void)
{
	uint32_t domid;
	int ret = xen_store_read_uint("", "domid", XEN_DOMID_MAX, &domid);

	if (ret == 0)
		__atomic_store_n(&xen_bus.domid, (int)domid, __ATOMIC_RELAXED);
	return ret == -ENOTCONN ? ret : 0;
}

/* A driver domain that may not watch it is told so every time, at the price of a message. */
static void
watch_release(void)
{
	if (!xen_bus_self->release_watched)
		xen_bus_self->release_watched = xen_store_watch(BUS_RELEASE) == 0;
}

/* The new connection has none of the old one's watches. */
static void
bus_reset_watches(void)
{
	struct xen_bus_device *dev;
	struct xen_bus_path *path;

	pthread_mutex_lock(&xen_bus.lock);
	while ((path = STAILQ_FIRST(&xen_bus.stale)) != NULL) {
		STAILQ_REMOVE_HEAD(&xen_bus.stale, next);
		free(path);
	}
	TAILQ_FOREACH(dev, &xen_bus.devs, next) {
		/* Watched as if new: evaluation finds the other end again. */
		dev->peer[0] = '\0';
		dev->watched = false;
		xen_bus_mark_dirty(dev);
	}
	pthread_mutex_unlock(&xen_bus.lock);
}

/* Say whether there is a connection, or that it was tried to get one. */
static void
bus_set_connected(bool connected)
{
	pthread_mutex_lock(&xen_bus.lock);
	xen_bus_self->connected = connected;
	xen_bus_self->asked = true;
	pthread_cond_broadcast(&xen_bus.turn);
	pthread_mutex_unlock(&xen_bus.lock);
}

static void
bus_connect(void)
{
	int ret;

	ret = xen_store_open();
	if (ret == 0)
		ret = read_own_domid();
	if (ret == 0) {
		if (xen_bus_self->complained)
			XEN_LOG(NOTICE, "connected to xenstore");
		xen_bus_self->complained = false;
		xen_bus_self->release_watched = false;
		watch_release();
		bus_reset_watches();
	} else if (!xen_bus_self->complained) {
		XEN_LOG(WARNING, "cannot connect to xenstore: %s; trying on", strerror(-ret));
		xen_bus_self->complained = true;
	}
	if (ret < 0)
		xen_store_close();
	bus_set_connected(ret == 0);
}

static void
bus_disconnected(int err)
{
	XEN_LOG(WARNING, "lost the connection to xenstore: %s; trying on", strerror(err));
	xen_bus_self->complained = true;
	xen_store_close();
	bus_set_connected(false);
}

static void
bus_check_connection(uint64_t now)
{
	int ret;

	if (xen_store_fd() < 0) {
		if (now < xen_bus_self->connect_ms)
			return;
		xen_bus_self->connect_ms = now + BUS_RECONNECT_MS;
		bus_connect();
	} else if (now >= xen_bus_self->ping_ms) {
		xen_bus_self->ping_ms = now + BUS_PING_MS;
		ret = xen_store_ping();
		if (ret < 0)
			bus_disconnected(-ret);
		else
			watch_release();
	}
}

static void
bus_take_events(void)
{
	char path[XEN_STORE_PATH_MAX];
	unsigned int n;
	int ret = 0;

	for (n = 0; n < BUS_EVENTS_MAX && xen_store_fd() >= 0; n++) {
		ret = xen_store_next_event(path);
		if (ret < 0)
			break;
		dispatch_event(path);
	}
	if (ret < 0 && ret != -EAGAIN)
		bus_disconnected(-ret);
}

/* Somebody is to look at what the event was about. */
static void
dispatch_port(evtchn_port_t port)
{
	struct xen_bus_device *dev;

	TAILQ_FOREACH(dev, &xen_bus.devs, next) {
		if (dev->port == port)
			xen_bus_mark_dirty(dev);
	}
}

/* A port that has been taken is masked until its device has been evaluated. */
static void
bus_take_ports(void)
{
	xenevtchn_port_or_error_t port;
	unsigned int n;

	pthread_mutex_lock(&xen_bus.lock);
	for (n = 0; n < BUS_EVENTS_MAX && xen_bus.evtchn != NULL; n++) {
		port = xenevtchn_pending(xen_bus.evtchn);
		if (port < 0)
			break;
		dispatch_port(port);
	}
	pthread_mutex_unlock(&xen_bus.lock);
}

/* The next path that no device watches any more; NULL: there is none. */
static struct xen_bus_path *
bus_take_stale(void)
{
	struct xen_bus_device *dev;
	struct xen_bus_path *path;

	pthread_mutex_lock(&xen_bus.lock);
	while ((path = STAILQ_FIRST(&xen_bus.stale)) != NULL) {
		STAILQ_REMOVE_HEAD(&xen_bus.stale, next);
		TAILQ_FOREACH(dev, &xen_bus.devs, next) {
			if (strcmp(dev->peer, path->path) == 0)
				break;
		}
		if (dev == NULL)
			break;
		free(path);
	}
	pthread_mutex_unlock(&xen_bus.lock);
	return path;
}

static void
bus_unwatch_stale(void)
{
	char dir[XEN_STORE_PATH_MAX];
	struct xen_bus_path *path;

	while (xen_store_fd() >= 0 && (path = bus_take_stale()) != NULL) {
		rte_strscpy(dir, path->path, sizeof(dir));
		free(path);
		unwatch_peer(dir);
	}
}

static struct xen_bus_device *
bus_take_due(uint64_t now)
{
	struct xen_bus_device *dev;

	pthread_mutex_lock(&xen_bus.lock);
	TAILQ_FOREACH(dev, &xen_bus.devs, next) {
		if (dev->timer_ms != 0 && now >= dev->timer_ms) {
			dev->timer_ms = 0;
			xen_bus_mark_dirty(dev);
		}
		if (now < dev->not_before_ms || (dev->leaving && !dev->lingering))
			continue;
		if (__atomic_exchange_n(&dev->dirty, false, __ATOMIC_ACQ_REL))
			break;
	}
	if (dev != NULL)
		dev->not_before_ms = now + BUS_INTERVAL_MS;
	xen_bus_self->current = dev;
	pthread_mutex_unlock(&xen_bus.lock);
	return dev;
}

/* No event says when what has failed would not fail any more. With the lock held. */
static void
bus_retry(struct xen_bus_device *dev, int err)
{
	uint32_t before = dev->retry_ms;

	dev->retry_ms = 0;
	if (err == 0)
		return;
	dev->retry_ms = RTE_MIN(RTE_MAX(2 * before, BUS_RETRY_MIN_MS), BUS_RETRY_MAX_MS);
	xen_bus_set_timer(dev, dev->retry_ms);
	if (dev->retry_ms == BUS_RETRY_MAX_MS && before != BUS_RETRY_MAX_MS)
		XEN_LOG(WARNING, "%s: xenstore refuses what is asked of it: %s", dev->path,
				strerror(err));
}

/* The application's callback may have closed the device. */
static void
bus_done(void)
{
	int err = xen_store_failed();

	pthread_mutex_lock(&xen_bus.lock);
	if (xen_bus_self->current != NULL)
		bus_retry(xen_bus_self->current, err);
	xen_bus_self->current = NULL;
	pthread_cond_broadcast(&xen_bus.turn);
	pthread_mutex_unlock(&xen_bus.lock);
}

static void
bus_evaluate(uint64_t now)
{
	struct xen_bus_device *dev;

	xen_store_failed();
	while (xen_store_fd() >= 0 && (dev = bus_take_due(now)) != NULL) {
		if (!dev->watched)
			dev->watched = xen_store_watch(dev->root) == 0;
		dev->evaluate(dev);
		bus_done();
	}
}

static void
bus_tick(uint64_t now)
{
	struct xen_bus_device *dev;

	if (now < xen_bus_self->tick_ms)
		return;
	xen_bus_self->tick_ms = now + BUS_TICK_MS;
	pthread_mutex_lock(&xen_bus.lock);
	TAILQ_FOREACH(dev, &xen_bus.devs, next) {
		if (dev->tick != NULL)
			dev->tick(dev);
	}
	pthread_mutex_unlock(&xen_bus.lock);
}

static int
bus_timeout(uint64_t now)
{
	uint64_t next = xen_store_fd() < 0 ? xen_bus_self->connect_ms : xen_bus_self->ping_ms;
	struct xen_bus_device *dev;

	pthread_mutex_lock(&xen_bus.lock);
	TAILQ_FOREACH(dev, &xen_bus.devs, next) {
		if (dev->tick != NULL)
			next = RTE_MIN(next, xen_bus_self->tick_ms);
		if (xen_store_fd() < 0)
			continue;
		if (__atomic_load_n(&dev->dirty, __ATOMIC_ACQUIRE))
			next = RTE_MIN(next, dev->not_before_ms);
		else if (dev->timer_ms != 0)
			next = RTE_MIN(next, dev->timer_ms);
	}
	pthread_mutex_unlock(&xen_bus.lock);
	return next > now ? (int)(next - now) : 0;
}

/* It may be closed at any time: then the poll is woken, or ends by itself. */
static int
bus_evtchn_fd(void)
{
	int fd;

	pthread_mutex_lock(&xen_bus.lock);
	fd = xen_bus.evtchn != NULL ? xenevtchn_fd(xen_bus.evtchn) : -1;
	pthread_mutex_unlock(&xen_bus.lock);
	return fd;
}

static void
bus_poll(void)
{
	struct pollfd fds[] = {
		{ .fd = xen_bus.wake_fd, .events = POLLIN },
		{ .fd = xen_store_fd(), .events = POLLIN },
		{ .fd = bus_evtchn_fd(), .events = POLLIN },
	};
	uint64_t count;

	if (poll(fds, RTE_DIM(fds), bus_timeout(xen_bus_now_ms())) > 0 &&
			(fds[0].revents & POLLIN) != 0 &&
			read(fds[0].fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		XEN_LOG(ERR, "cannot read the control thread's eventfd: %s", strerror(errno));
}

/* To end now, beyond recall? */
static bool
thread_ending(void)
{
	bool ending;

	pthread_mutex_lock(&xen_bus.lock);
	ending = xen_bus_self->ending = xen_bus_self->quit;
	pthread_mutex_unlock(&xen_bus.lock);
	return ending;
}

XEN_THREAD_RESULT
xen_bus_loop(void *arg)
{
	xen_bus_self = arg;
	while (!thread_ending()) {
		bus_check_connection(xen_bus_now_ms());
		bus_take_events();
		bus_take_ports();
		bus_unwatch_stale();
		bus_evaluate(xen_bus_now_ms());
		bus_tick(xen_bus_now_ms());
		bus_poll();
	}
	xen_bus_thread_end();
	return 0;
}
