/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "rawfront.h"
#include "unit.h"

static void
put(xs_transaction_t t, const char *dir, const char *key, const char *fmt, ...)
		__rte_format_printf(4, 5);

static void
put(xs_transaction_t t, const char *dir, const char *key, const char *fmt, ...)
{
	char path[160], value[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	snprintf(path, sizeof(path), "%s/%s", dir, key);
	if (!xs_write(unit_store, t, path, value, strlen(value)))
		fail_msg("cannot write %s: %s", path, strerror(errno));
}

/* Run a function in a transaction until nobody else got in between. */
static void
transact(const struct rawfront *f, void (*fn)(const struct rawfront *f, xs_transaction_t t))
{
	xs_transaction_t t;
	bool done;

	do {
		t = xs_transaction_start(unit_store);
		assert_int_not_equal(t, XBT_NULL);
		fn(f, t);
		done = xs_transaction_end(unit_store, t, false);
		if (!done && errno != EAGAIN)
			fail_msg("cannot end a transaction: %s", strerror(errno));
	} while (!done);
}

static void
make_vif(const struct rawfront *f, xs_transaction_t t)
{
	put(t, f->back, "frontend", "%s", f->front);
	put(t, f->back, "frontend-id", "%u", f->domid);
	put(t, f->back, "online", "1");
	put(t, f->back, "state", "1");
	put(t, f->back, "script", "/etc/xen/scripts/vif-xenvif");
	put(t, f->back, "mac", "00:16:3e:00:%02x:%02x", f->domid & 0xFF, f->devid & 0xFF);
	put(t, f->back, "bridge", "none");
	put(t, f->back, "handle", "%u", f->devid);
	put(t, f->back, "type", "vif");
	put(t, f->back, "hotplug-status", "connected");
	put(t, f->front, "backend", "%s", f->back);
	put(t, f->front, "backend-id", "0");
	put(t, f->front, "state", "1");
	put(t, f->front, "handle", "%u", f->devid);
	put(t, f->front, "mac", "00:16:3e:00:%02x:%02x", f->domid & 0xFF, f->devid & 0xFF);
	put(t, f->front, "trusted", "1");
	put(t, f->front, "mtu", "1500");
}

void
rawfront_toolstack(const struct rawfront *f)
{
	transact(f, make_vif);
}

static void
detach_vif(const struct rawfront *f, xs_transaction_t t)
{
	put(t, f->back, "online", "0");
	put(t, f->back, "state", "5");
}

void
rawfront_detach(const struct rawfront *f)
{
	transact(f, detach_vif);
}

void
rawfront_toolstack_remove(const struct rawfront *f)
{
	unit_remove("%s", f->back);
	unit_remove("%s", f->front);
	unit_remove("/local/domain/0/error/backend/vif/%u/%u", f->domid, f->devid);
}

static void
put_queue(const struct rawfront *f, xs_transaction_t t, const char *dir, unsigned int i)
{
	const struct rawfront_queue *q = &f->q[i];

	put(t, dir, "tx-ring-ref", "%u", q->tx_ref);
	put(t, dir, "rx-ring-ref", "%u", q->rx_ref);
	if (f->split) {
		put(t, dir, "event-channel-tx", "%d", q->port_tx);
		put(t, dir, "event-channel-rx", "%d", q->port_rx);
	} else {
		put(t, dir, "event-channel", "%d", q->port_tx);
	}
}

static void
publish(const struct rawfront *f, xs_transaction_t t)
{
	char dir[96];
	unsigned int i;

	if (f->nb_queues == 1) {
		put_queue(f, t, f->front, 0);
	} else {
		put(t, f->front, "multi-queue-num-queues", "%u", f->nb_queues);
		for (i = 0; i < f->nb_queues; i++) {
			snprintf(dir, sizeof(dir), "%s/queue-%u", f->front, i);
			put_queue(f, t, dir, i);
		}
	}
	put(t, f->front, "request-rx-copy", "1");
	put(t, f->front, "feature-rx-notify", "1");
	put(t, f->front, "feature-sg", "1");
	put(t, f->front, "feature-gso-tcpv4", "1");
	put(t, f->front, "feature-gso-tcpv6", "1");
	put(t, f->front, "feature-ipv6-csum-offload", "1");
}

void
rawfront_publish(const struct rawfront *f)
{
	transact(f, publish);
}

void
rawfront_set(const struct rawfront *f, const char *key, const char *fmt, ...)
{
	char value[64];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	unit_write(value, "%s/%s", f->front, key);
}

void
rawfront_unset(const struct rawfront *f, const char *key)
{
	unit_remove("%s/%s", f->front, key);
}

void
rawfront_state(const struct rawfront *f, enum xenbus_state state)
{
	rawfront_set(f, "state", "%d", state);
}

unsigned int
rawfront_back_state(const struct rawfront *f)
{
	return atoi(unit_read("%s/state", f->back));
}

void
rawfront_wait(const struct rawfront *f, enum xenbus_state state)
{
	uint64_t end = unit_now_ms() + UNIT_LIMIT_MS;

	while (rawfront_back_state(f) != state) {
		if (unit_now_ms() > end)
			fail_msg("%s: state %s for %u ms, not %d; error: %s", f->back,
					unit_read("%s/state", f->back), UNIT_LIMIT_MS, state,
					unit_read("/local/domain/0/error/backend/vif/%u/%u/error",
							f->domid, f->devid));
		unit_idle();
	}
}

void
rawfront_connect(struct rawfront *f)
{
	rawfront_wait(f, XenbusStateInitWait);
	rawfront_publish(f);
	rawfront_state(f, XenbusStateConnected);
	rawfront_wait(f, XenbusStateConnected);
}

void
rawfront_reset(struct rawfront *f)
{
	rawfront_state(f, XenbusStateClosing);
	unit_wait(rawfront_back_state(f) == XenbusStateClosing ||
			rawfront_back_state(f) == XenbusStateClosed);
	rawfront_state(f, XenbusStateClosed);
	rawfront_wait(f, XenbusStateClosed);
	rawfront_state(f, XenbusStateInitialising);
	rawfront_wait(f, XenbusStateInitWait);
}
