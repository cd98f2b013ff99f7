/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_string_fns.h>

#include "xen_bus.h"
#include "xen_compat.h"
#include "xen_if.h"
#include "xen_log.h"

/* A device is evaluated at most this often, whatever its guest does to the watches. */
#define BUS_INTERVAL_MS 5
/* How often the daemon is asked whether it still lives: libxenstore tells nobody when it dies. */
#define BUS_PING_MS 500
#define BUS_RECONNECT_MS 200
/* Watch events taken in one turn, so that a flood cannot keep the thread from the devices. */
#define BUS_EVENTS_MAX 256

static struct {
	/* One device comes or goes at a time: the thread is started and joined under it. */
	pthread_mutex_t life_lock;
	/* Guards the list and what follows it; never held across xenstore. */
	pthread_mutex_t lock;
	pthread_cond_t gone;
	TAILQ_HEAD(, xen_bus_device) devs;
	pthread_t thread;
	bool running;
	bool quit;
	int wake_fd;
	int domid;
	/* The thread's own. */
	uint64_t ping_ms;
	uint64_t connect_ms;
	bool complained;
} bus = {
	.life_lock = PTHREAD_MUTEX_INITIALIZER,
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.gone = PTHREAD_COND_INITIALIZER,
	.devs = TAILQ_HEAD_INITIALIZER(bus.devs),
	.wake_fd = -1,
	.domid = -1,
};

uint64_t
xen_bus_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void
bus_wake(void)
{
	uint64_t one = 1;

	if (write(bus.wake_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		XEN_LOG(ERR, "cannot wake the control thread: %s", strerror(errno));
}

static void
mark_dirty(struct xen_bus_device *dev)
{
	__atomic_store_n(&dev->dirty, true, __ATOMIC_RELEASE);
}

void
xen_bus_kick(struct xen_bus_device *dev)
{
	mark_dirty(dev);
	bus_wake();
}

void
xen_bus_set_timer(struct xen_bus_device *dev, uint32_t ms)
{
	uint64_t at = xen_bus_now_ms() + ms;

	if (dev->timer_ms == 0 || at < dev->timer_ms)
		dev->timer_ms = at;
}

int
xen_bus_own_domid(void)
{
	return __atomic_load_n(&bus.domid, __ATOMIC_RELAXED);
}

static int
watch_peer(struct xen_bus_device *dev)
{
	char path[XEN_STORE_PATH_MAX + sizeof("/state")];

	snprintf(path, sizeof(path), "%s/state", dev->peer);
	return xen_store_watch(path);
}

static void
unwatch_peer(struct xen_bus_device *dev)
{
	char path[XEN_STORE_PATH_MAX + sizeof("/state")];

	if (dev->peer[0] == '\0')
		return;
	snprintf(path, sizeof(path), "%s/state", dev->peer);
	xen_store_unwatch(path);
}

int
xen_bus_set_peer(struct xen_bus_device *dev, const char *path)
{
	if (strcmp(dev->peer, path) == 0)
		return 0;
	unwatch_peer(dev);
	rte_strscpy(dev->peer, path, sizeof(dev->peer));
	return path[0] != '\0' ? watch_peer(dev) : 0;
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

	pthread_mutex_lock(&bus.lock);
	TAILQ_FOREACH(dev, &bus.devs, next) {
		if (path_within(path, dev->path) || path_within(path, dev->peer) ||
				strcmp(path, dev->root) == 0)
			mark_dirty(dev);
	}
	pthread_mutex_unlock(&bus.lock);
}

static void
read_own_domid(void)
{
	uint32_t domid;

	if (xen_store_read_uint("", "domid", XEN_DOMID_MAX, &domid) == 0)
		__atomic_store_n(&bus.domid, (int)domid, __ATOMIC_RELAXED);
}

static int
bus_connect(void)
{
	struct xen_bus_device *dev;
	int ret;

	ret = xen_store_open();
	if (ret < 0) {
		if (!bus.complained)
			XEN_LOG(WARNING, "cannot connect to xenstore: %s; trying on",
					strerror(-ret));
		bus.complained = true;
		return ret;
	}
	if (bus.complained)
		XEN_LOG(NOTICE, "connected to xenstore");
	bus.complained = false;
	read_own_domid();
	pthread_mutex_lock(&bus.lock);
	TAILQ_FOREACH(dev, &bus.devs, next) {
		/* Watched as if new: evaluation finds the other end again. */
		dev->peer[0] = '\0';
		dev->watched = false;
		mark_dirty(dev);
	}
	pthread_mutex_unlock(&bus.lock);
	return 0;
}

static void
bus_disconnected(int err)
{
	XEN_LOG(WARNING, "lost the connection to xenstore: %s; trying on", strerror(err));
	bus.complained = true;
	xen_store_close();
}

static void
bus_check_connection(uint64_t now)
{
	int ret;

	if (xen_store_fd() < 0) {
		if (now < bus.connect_ms)
			return;
		bus.connect_ms = now + BUS_RECONNECT_MS;
		bus_connect();
	} else if (now >= bus.ping_ms) {
		bus.ping_ms = now + BUS_PING_MS;
		ret = xen_store_ping();
		if (ret < 0)
			bus_disconnected(-ret);
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

/* Let go of the devices that xen_bus_del() waits for. */
static void
bus_release(void)
{
	struct xen_bus_device *dev, *following;

	pthread_mutex_lock(&bus.lock);
	for (dev = TAILQ_FIRST(&bus.devs); dev != NULL; dev = following) {
		following = TAILQ_NEXT(dev, next);
		if (!dev->leaving)
			continue;
		pthread_mutex_unlock(&bus.lock);
		unwatch_peer(dev);
		pthread_mutex_lock(&bus.lock);
		/* Nobody else removes, and what was added meanwhile stands at the tail. */
		following = TAILQ_NEXT(dev, next);
		TAILQ_REMOVE(&bus.devs, dev, next);
		dev->leaving = false;
		pthread_cond_broadcast(&bus.gone);
	}
	pthread_mutex_unlock(&bus.lock);
}

static struct xen_bus_device *
bus_take_due(uint64_t now)
{
	struct xen_bus_device *dev;

	pthread_mutex_lock(&bus.lock);
	TAILQ_FOREACH(dev, &bus.devs, next) {
		if (dev->timer_ms != 0 && now >= dev->timer_ms) {
			dev->timer_ms = 0;
			mark_dirty(dev);
		}
		if (now < dev->not_before_ms || dev->leaving)
			continue;
		if (__atomic_exchange_n(&dev->dirty, false, __ATOMIC_ACQ_REL))
			break;
	}
	pthread_mutex_unlock(&bus.lock);
	return dev;
}

static void
bus_evaluate(uint64_t now)
{
	struct xen_bus_device *dev;

	while (xen_store_fd() >= 0 && (dev = bus_take_due(now)) != NULL) {
		dev->not_before_ms = now + BUS_INTERVAL_MS;
		if (!dev->watched)
			dev->watched = xen_store_watch(dev->root) == 0;
		dev->evaluate(dev);
	}
}

static int
bus_timeout(uint64_t now)
{
	uint64_t next = xen_store_fd() < 0 ? bus.connect_ms : bus.ping_ms;
	struct xen_bus_device *dev;

	pthread_mutex_lock(&bus.lock);
	TAILQ_FOREACH(dev, &bus.devs, next) {
		if (xen_store_fd() < 0)
			break;
		if (__atomic_load_n(&dev->dirty, __ATOMIC_ACQUIRE))
			next = RTE_MIN(next, dev->not_before_ms);
		else if (dev->timer_ms != 0)
			next = RTE_MIN(next, dev->timer_ms);
	}
	pthread_mutex_unlock(&bus.lock);
	return next > now ? (int)(next - now) : 0;
}

static void *
bus_loop(void *arg __rte_unused)
{
	struct pollfd fds[2];
	uint64_t count;

	while (!__atomic_load_n(&bus.quit, __ATOMIC_ACQUIRE)) {
		bus_check_connection(xen_bus_now_ms());
		bus_take_events();
		bus_release();
		bus_evaluate(xen_bus_now_ms());

		fds[0] = (struct pollfd){ .fd = bus.wake_fd, .events = POLLIN };
		fds[1] = (struct pollfd){ .fd = xen_store_fd(), .events = POLLIN };
		if (poll(fds, RTE_DIM(fds), bus_timeout(xen_bus_now_ms())) > 0 &&
				(fds[0].revents & POLLIN) != 0 &&
				read(bus.wake_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
			XEN_LOG(ERR, "cannot read the control thread's eventfd: %s",
					strerror(errno));
	}
	bus_release();
	xen_store_close();
	return NULL;
}

static int
bus_start(void)
{
	int ret;

	bus.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (bus.wake_fd < 0)
		return -errno;
	bus.quit = false;
	bus.complained = false;
	bus.ping_ms = 0;
	bus.connect_ms = 0;
	/* Known before the first device is probed, where the store can be reached. */
	if (xen_store_open() == 0) {
		read_own_domid();
		xen_store_close();
	}
	ret = xen_thread_create(&bus.thread, "xen-control", bus_loop, NULL);
	if (ret < 0) {
		close(bus.wake_fd);
		bus.wake_fd = -1;
		return ret;
	}
	bus.running = true;
	return 0;
}

static void
bus_stop(void)
{
	__atomic_store_n(&bus.quit, true, __ATOMIC_RELEASE);
	bus_wake();
	pthread_join(bus.thread, NULL);
	close(bus.wake_fd);
	bus.wake_fd = -1;
	bus.running = false;
}

static bool
bus_has(const char *path)
{
	struct xen_bus_device *dev;

	pthread_mutex_lock(&bus.lock);
	TAILQ_FOREACH(dev, &bus.devs, next) {
		if (strcmp(dev->path, path) == 0)
			break;
	}
	pthread_mutex_unlock(&bus.lock);
	return dev != NULL;
}

int
xen_bus_add(struct xen_bus_device *dev)
{
	int ret = 0;

	pthread_mutex_lock(&bus.life_lock);
	if (bus_has(dev->path))
		ret = -EEXIST;
	else if (!bus.running)
		ret = bus_start();
	if (ret < 0)
		goto unlock;
	pthread_mutex_lock(&bus.lock);
	TAILQ_INSERT_TAIL(&bus.devs, dev, next);
	pthread_mutex_unlock(&bus.lock);
	xen_bus_kick(dev);
unlock:
	pthread_mutex_unlock(&bus.life_lock);
	return ret;
}

void
xen_bus_del(struct xen_bus_device *dev)
{
	bool last;

	pthread_mutex_lock(&bus.life_lock);
	pthread_mutex_lock(&bus.lock);
	dev->leaving = true;
	bus_wake();
	while (dev->leaving)
		pthread_cond_wait(&bus.gone, &bus.lock);
	last = TAILQ_EMPTY(&bus.devs);
	pthread_mutex_unlock(&bus.lock);
	if (last)
		bus_stop();
	pthread_mutex_unlock(&bus.life_lock);
}
