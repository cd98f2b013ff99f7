/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rawfront.h"

#define PATH_MAX_LEN 192

const struct rawfront_kind rawfront_linux = {
	.name = "linux",
	.keys = rawfront_linux_keys,
};

void
rawfront_put(xs_transaction_t t, const char *dir, const char *key, const char *fmt, ...)
{
	char path[PATH_MAX_LEN], value[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	snprintf(path, sizeof(path), "%s/%s", dir, key);
	if (!xs_write(rawfront_store(), t, path, value, strlen(value)))
		rawfront_fail("cannot write %s: %s", path, strerror(errno));
}

void
rawfront_transact(const struct rawfront *f,
		void (*fn)(const struct rawfront *f, xs_transaction_t t))
{
	xs_transaction_t t;
	bool done;

	do {
		t = xs_transaction_start(rawfront_store());
		if (t == XBT_NULL)
			rawfront_fail("cannot begin a transaction: %s", strerror(errno));
		fn(f, t);
		done = xs_transaction_end(rawfront_store(), t, false);
		if (!done && errno != EAGAIN)
			rawfront_fail("cannot end a transaction: %s", strerror(errno));
	} while (!done);
}

static void
put_queue(const struct rawfront *f, xs_transaction_t t, const char *dir, unsigned int i)
{
	const struct rawfront_queue *q = &f->q[i];

	rawfront_put(t, dir, "tx-ring-ref", "%u", q->tx_ref);
	rawfront_put(t, dir, "rx-ring-ref", "%u", q->rx_ref);
	if (f->split) {
		rawfront_put(t, dir, "event-channel-tx", "%d", q->port_tx);
		rawfront_put(t, dir, "event-channel-rx", "%d", q->port_rx);
	} else {
		rawfront_put(t, dir, "event-channel", "%d", q->port_tx);
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
		rawfront_put(t, f->front, "multi-queue-num-queues", "%u", f->nb_queues);
		for (i = 0; i < f->nb_queues; i++) {
			snprintf(dir, sizeof(dir), "%s/queue-%u", f->front, i);
			put_queue(f, t, dir, i);
		}
	}
	if (f->ctrl) {
		rawfront_put(t, f->front, "ctrl-ring-ref", "%u", f->ctrl_ref);
		rawfront_put(t, f->front, "event-channel-ctrl", "%d", f->port_ctrl);
	}
	for (i = 0; f->kind->keys[i].name != NULL; i++)
		rawfront_put(t, f->front, f->kind->keys[i].name, "%s", f->kind->keys[i].value);
}

void
rawfront_publish(const struct rawfront *f)
{
	if (f->kind->no_transaction)
		publish(f, XBT_NULL);
	else
		rawfront_transact(f, publish);
}

void
rawfront_unpublish(const struct rawfront *f)
{
	static const char *const keys[] = { "tx-ring-ref", "rx-ring-ref", "event-channel",
		"event-channel-tx", "event-channel-rx", "multi-queue-num-queues",
		"feature-no-csum-offload", "request-multicast-control", "xdp-headroom",
		"ctrl-ring-ref", "event-channel-ctrl" };
	char dir[sizeof("queue-4294967295")];
	unsigned int i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		rawfront_unset(f, keys[i]);
	for (i = 0; i < f->queues_made; i++) {
		snprintf(dir, sizeof(dir), "queue-%u", i);
		rawfront_unset(f, dir);
	}
	for (i = 0; f->kind->keys[i].name != NULL; i++)
		rawfront_unset(f, f->kind->keys[i].name);
}

void
rawfront_set_bytes(const struct rawfront *f, const char *key, const char *value, size_t len)
{
	char path[PATH_MAX_LEN];

	snprintf(path, sizeof(path), "%s/%s", f->front, key);
	if (!xs_write(rawfront_store(), XBT_NULL, path, value, len))
		rawfront_fail("cannot write %s: %s", path, strerror(errno));
}

void
rawfront_set(const struct rawfront *f, const char *key, const char *fmt, ...)
{
	char value[64];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	rawfront_set_bytes(f, key, value, strlen(value));
}

void
rawfront_unset(const struct rawfront *f, const char *key)
{
	char path[PATH_MAX_LEN];

	snprintf(path, sizeof(path), "%s/%s", f->front, key);
	if (!xs_rm(rawfront_store(), XBT_NULL, path) && errno != ENOENT)
		rawfront_fail("cannot remove %s: %s", path, strerror(errno));
}

void
rawfront_state(const struct rawfront *f, enum xenbus_state state)
{
	rawfront_set(f, "state", "%d", state);
}

void
rawfront_get(const char *dir, const char *key, char *value, size_t room)
{
	char path[PATH_MAX_LEN];
	unsigned int len;
	char *text;

	snprintf(path, sizeof(path), "%s/%s", dir, key);
	text = xs_read(rawfront_store(), XBT_NULL, path, &len);
	snprintf(value, room, "%s", text != NULL ? text : "");
	free(text);
}

static unsigned int
state_in(const char *dir)
{
	char value[16];

	rawfront_get(dir, "state", value, sizeof(value));
	return strtoul(value, NULL, 10);
}

unsigned int
rawfront_back_state(const struct rawfront *f)
{
	return state_in(f->back);
}

uint64_t
rawfront_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void
rawfront_error_dir(const struct rawfront *f, char *dir, size_t room)
{
	const char *vif = strstr(f->back, "/backend/");

	snprintf(dir, room, "/local/domain/%u/error%s", f->backend_id, vif != NULL ? vif : "");
}

void
rawfront_error(const struct rawfront *f, char *text, size_t room)
{
	char dir[PATH_MAX_LEN];

	rawfront_error_dir(f, dir, sizeof(dir));
	rawfront_get(dir, "error", text, room);
}

/* Wait for one of two states of the backend. */
static void
wait_either(const struct rawfront *f, unsigned int state, unsigned int other)
{
	uint64_t end = rawfront_now_ms() + RAWFRONT_LIMIT_MS;
	unsigned int seen;
	char error[256];

	for (;;) {
		seen = rawfront_back_state(f);
		if (seen == state || seen == other)
			return;
		if (rawfront_now_ms() > end) {
			rawfront_error(f, error, sizeof(error));
			rawfront_fail("%s: state %u for %u ms, not %u; error: %s", f->back, seen,
					RAWFRONT_LIMIT_MS, state, error);
		}
		rawfront_idle();
	}
}

void
rawfront_wait(const struct rawfront *f, enum xenbus_state state)
{
	wait_either(f, state, state);
}

void
rawfront_find(struct rawfront *f, unsigned int devid)
{
	char text[16];

	f->devid = devid;
	snprintf(f->front, sizeof(f->front), "device/vif/%u", devid);
	rawfront_get(f->front, "backend", f->back, sizeof(f->back));
	rawfront_get(f->front, "backend-id", text, sizeof(text));
	if (f->back[0] == '\0' || text[0] == '\0')
		rawfront_fail("there is no vif %u", devid);
	f->backend_id = strtoul(text, NULL, 10);
}

void
rawfront_connect(struct rawfront *f)
{
	if (!f->kind->hasty)
		rawfront_wait(f, XenbusStateInitWait);
	rawfront_publish(f);
	rawfront_state(f, XenbusStateConnected);
	rawfront_wait(f, XenbusStateConnected);
}

void
rawfront_reset(struct rawfront *f)
{
	if (state_in(f->front) != XenbusStateInitialising) {
		if (!f->kind->closes_at_once) {
			rawfront_state(f, XenbusStateClosing);
			wait_either(f, XenbusStateClosing, XenbusStateClosed);
		}
		rawfront_state(f, XenbusStateClosed);
		rawfront_wait(f, XenbusStateClosed);
		rawfront_state(f, XenbusStateInitialising);
	}
	rawfront_wait(f, XenbusStateInitWait);
}
