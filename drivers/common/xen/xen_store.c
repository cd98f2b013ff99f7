/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_string_fns.h>

#include <xenstore.h>

#include "xen_bus.h"
#include "xen_compat.h"
#include "xen_if.h"
#include "xen_log.h"
#include "xen_store.h"

/* xenstored answers EAGAIN for ever only if somebody writes the same keys without a pause. */
#define XEN_STORE_RETRIES 64

/* The watches need no token of their own: an event is matched by its path. */
#define XEN_STORE_TOKEN "xen"

/* The control thread's: one that was left to itself keeps its own until it is back. */
static __thread struct xs_handle *store;
static __thread xs_transaction_t transaction = XBT_NULL;
/* Why something that was asked for has not been done; 0: it has. */
static __thread int failure;

static int
store_errno(void)
{
	int err = errno != 0 ? errno : EIO;

	/* That something is not there, or not ours, is an answer. */
	if (err != ENOENT && err != EACCES)
		failure = err;
	return -err;
}

int
xen_store_failed(void)
{
	int err = failure;

	failure = 0;
	return err;
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_store_path_good)
bool
xen_store_path_good(const char *path)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789-/_@";
	size_t len = strlen(path);

	return len != 0 && strspn(path, allowed) == len && path[len - 1] != '/' &&
			strstr(path, "//") == NULL;
}

int
xen_store_open(void)
{
	xen_store_close();
	xen_bus_outside_begin("xenstore");
	store = xs_open(xen_store_open_flags());
	xen_bus_outside_end(NULL);
	return store != NULL ? 0 : store_errno();
}

void
xen_store_close(void)
{
	if (store != NULL)
		xs_close(store);
	store = NULL;
	transaction = XBT_NULL;
}

int
xen_store_fd(void)
{
	return store != NULL ? xs_fileno(store) : -1;
}

int
xen_store_ping(void)
{
	unsigned int num;
	char **keys;

	if (store == NULL)
		return -ENOTCONN;
	/* A permission or existence error is an answer too. */
	xen_bus_outside_begin("xenstore");
	keys = xs_directory(store, XBT_NULL, "device", &num);
	xen_bus_outside_end(keys);
	if (keys == NULL && errno != ENOENT && errno != EACCES)
		return store_errno();
	free(keys);
	return 0;
}

int
xen_store_watch(const char *path)
{
	bool done;

	if (store == NULL)
		return -ENOTCONN;
	xen_bus_outside_begin("xenstore");
	done = xs_watch(store, path, XEN_STORE_TOKEN);
	xen_bus_outside_end(NULL);
	return done || errno == EEXIST ? 0 : store_errno();
}

void
xen_store_unwatch(const char *path)
{
	if (store == NULL)
		return;
	xen_bus_outside_begin("xenstore");
	xs_unwatch(store, path, XEN_STORE_TOKEN);
	xen_bus_outside_end(NULL);
}

int
xen_store_next_event(char path[XEN_STORE_PATH_MAX])
{
	char **event;

	if (store == NULL)
		return -ENOTCONN;
	xen_bus_outside_begin("xenstore");
	errno = 0;
	event = xs_check_watch(store);
	xen_bus_outside_end(event);
	if (event == NULL)
		return errno == 0 ? -EAGAIN : -errno;
	rte_strscpy(path, event[XS_WATCH_PATH], XEN_STORE_PATH_MAX);
	free(event);
	return 0;
}

static int
join(char path[XEN_STORE_PATH_MAX], const char *dir, const char *key)
{
	int len = snprintf(path, XEN_STORE_PATH_MAX, "%s%s%s", dir, dir[0] != '\0' ? "/" : "", key);

	return len < XEN_STORE_PATH_MAX ? 0 : -ENAMETOOLONG;
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_store_read)
int
xen_store_read(const char *dir, const char *key, char value[XEN_STORE_VALUE_MAX])
{
	char path[XEN_STORE_PATH_MAX];
	unsigned int len;
	char *data;
	int ret;

	value[0] = '\0';
	if (store == NULL)
		return -ENOTCONN;
	ret = join(path, dir, key);
	if (ret < 0)
		return ret;
	xen_bus_outside_begin("xenstore");
	data = xs_read(store, transaction, path, &len);
	xen_bus_outside_end(data);
	/* A connection that was lost is seen as any of several errors, EINVAL among them. */
	if (data == NULL) {
		ret = store_errno();
		return ret == -ENOENT || ret == -EACCES ? ret : -ENOTCONN;
	}
	if (len >= XEN_STORE_VALUE_MAX || memchr(data, '\0', len) != NULL) {
		ret = -ERANGE;
	} else {
		memcpy(value, data, len);
		value[len] = '\0';
		ret = len;
	}
	free(data);
	return ret;
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_store_parse_uint)
int
xen_store_parse_uint(const char *text, uint32_t max, uint32_t *number)
{
	uint64_t n = 0;
	const char *c;

	if (text[0] == '\0')
		return -EINVAL;
	for (c = text; *c != '\0'; c++) {
		if (*c < '0' || *c > '9')
			return -EINVAL;
		n = n * 10 + (*c - '0');
		if (n > max)
			return -ERANGE;
	}
	*number = n;
	return 0;
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_store_read_uint)
int
xen_store_read_uint(const char *dir, const char *key, uint32_t max, uint32_t *number)
{
	char value[XEN_STORE_VALUE_MAX];
	int ret;

	ret = xen_store_read(dir, key, value);
	return ret < 0 ? ret : xen_store_parse_uint(value, max, number);
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_store_write)
int
xen_store_write(const char *dir, const char *key, const char *fmt, ...)
{
	char path[XEN_STORE_PATH_MAX], value[XEN_STORE_VALUE_MAX];
	va_list ap;
	int len, ret;
	bool done;

	if (store == NULL)
		return -ENOTCONN;
	ret = join(path, dir, key);
	if (ret < 0)
		return ret;
	va_start(ap, fmt);
	len = vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	len = RTE_MIN(len, (int)sizeof(value) - 1);
	xen_bus_outside_begin("xenstore");
	done = xs_write(store, transaction, path, value, len);
	xen_bus_outside_end(NULL);
	return done ? 0 : store_errno();
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_store_remove)
int
xen_store_remove(const char *dir, const char *key)
{
	char path[XEN_STORE_PATH_MAX];
	bool done;
	int ret;

	if (store == NULL)
		return -ENOTCONN;
	ret = join(path, dir, key);
	if (ret < 0)
		return ret;
	xen_bus_outside_begin("xenstore");
	done = xs_rm(store, transaction, path);
	xen_bus_outside_end(NULL);
	return done || errno == ENOENT ? 0 : store_errno();
}

static bool
transaction_start(void)
{
	xen_bus_outside_begin("xenstore");
	transaction = xs_transaction_start(store);
	xen_bus_outside_end(NULL);
	return transaction != XBT_NULL;
}

static bool
transaction_end(bool abort)
{
	bool done;

	xen_bus_outside_begin("xenstore");
	done = xs_transaction_end(store, transaction, abort);
	xen_bus_outside_end(NULL);
	transaction = XBT_NULL;
	return done;
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_store_transaction)
int
xen_store_transaction(int (*fn)(void *arg), void *arg)
{
	unsigned int try;
	int ret;

	for (try = 0; try < XEN_STORE_RETRIES; try++) {
		if (store == NULL)
			return -ENOTCONN;
		if (!transaction_start())
			return store_errno();
		ret = fn(arg);
		if (transaction_end(ret != 0) || ret != 0)
			return ret;
		/* Somebody has written what was read. */
		if (errno != EAGAIN)
			return store_errno();
	}
	return store_errno();
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_store_read_state)
int
xen_store_read_state(const char *dir)
{
	uint32_t state = XenbusStateUnknown;
	int ret;

	ret = xen_store_read_uint(dir, "state", XenbusStateReconfigured, &state);
	return ret == -ENOTCONN ? ret : (int)state;
}

struct state_change {
	const char *dir;
	unsigned int state;
};

static int
change_state(void *arg)
{
	const struct state_change *change = arg;
	char value[XEN_STORE_VALUE_MAX];
	int ret;

	ret = xen_store_read(change->dir, "state", value);
	if (ret < 0)
		return ret;
	return xen_store_write(change->dir, "state", "%u", change->state);
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_store_switch_state)
int
xen_store_switch_state(const char *dir, unsigned int state)
{
	struct state_change change = { .dir = dir, .state = state };
	int ret;

	ret = xen_store_transaction(change_state, &change);
	XEN_LOG(DEBUG, "%s: state %u: %s", dir, state, ret == 0 ? "written" : strerror(-ret));
	return ret;
}

void
xen_store_write_error(const char *dir, const struct xen_reason *why)
{
	char key[XEN_STORE_PATH_MAX], text[XEN_STORE_VALUE_MAX], now[XEN_STORE_VALUE_MAX];

	snprintf(key, sizeof(key), "%s/error", dir);
	snprintf(text, sizeof(text), "%d %s", why->err, why->text);
	if (xen_store_read("error", key, now) < 0 || strcmp(now, text) != 0)
		xen_store_write("error", key, "%s", text);
}
