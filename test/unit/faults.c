/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <ctype.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <rte_common.h>

#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenstore.h>

#include "faults.h"

#define CALLS_MAX 4096
#define KEY_MAX 128
#define OWN_MAX 16
/* Calls between two that fail in one step: what the first has done is over by then, or nearly. */
#define REST 20

/* A call that has failed. */
struct call {
	const char *step;
	const char *function;
	const void *place;
	char key[KEY_MAX];
};

static struct {
	pthread_mutex_t lock;
	const char *step;
	/* Calls that have failed in this step, and calls since the last one that has. */
	unsigned int struck;
	unsigned int since;
	unsigned int nb;
	struct call calls[CALLS_MAX];
	const void *own[OWN_MAX];
	unsigned int nb_own;
} faults = { .lock = PTHREAD_MUTEX_INITIALIZER };

static __thread bool opens_own;

void
faults_own_begin(void)
{
	opens_own = true;
}

void
faults_own_end(void)
{
	opens_own = false;
}

static bool
is_own(const void *handle)
{
	unsigned int i;

	for (i = 0; i < faults.nb_own && faults.own[i] != handle; i++)
		;
	return i < faults.nb_own;
}

void
faults_own(const void *handle)
{
	pthread_mutex_lock(&faults.lock);
	if (!is_own(handle) && faults.nb_own < OWN_MAX)
		faults.own[faults.nb_own++] = handle;
	pthread_mutex_unlock(&faults.lock);
}

/* An address may be another's handle by and by. */
static void
disown(const void *handle)
{
	unsigned int i;

	pthread_mutex_lock(&faults.lock);
	for (i = 0; i < faults.nb_own; i++) {
		if (faults.own[i] == handle)
			faults.own[i--] = faults.own[--faults.nb_own];
	}
	pthread_mutex_unlock(&faults.lock);
}

/* A path without its numbers, and what is written to it when that is a state. */
static void
make_key(char key[KEY_MAX], const char *path, const char *value)
{
	size_t n = 0;

	for (; path != NULL && *path != '\0' && n + 1 < KEY_MAX; path++) {
		if (!isdigit((unsigned char)*path))
			key[n++] = *path;
	}
	key[n] = '\0';
	if (value != NULL && n >= 6 && strcmp(key + n - 6, "/state") == 0)
		snprintf(key + n, KEY_MAX - n, "=%.1s", value);
}

static bool
is_new(const struct call *call)
{
	const struct call *c;
	unsigned int i;

	for (i = 0; i < faults.nb; i++) {
		c = &faults.calls[i];
		if (strcmp(c->step, call->step) == 0 && c->place == call->place &&
				strcmp(c->function, call->function) == 0 &&
				strcmp(c->key, call->key) == 0)
			return false;
	}
	return faults.nb < CALLS_MAX;
}

/* Does this call fail? Sets errno then. */
static bool
strikes(const char *function, const void *place, const void *handle, const char *path,
		const char *value, int err)
{
	struct call call = { .function = function, .place = place };
	bool fails;

	make_key(call.key, path, value);
	pthread_mutex_lock(&faults.lock);
	call.step = faults.step;
	fails = call.step != NULL && !opens_own && !is_own(handle) &&
			faults.struck < FAULTS_A_STEP &&
			(faults.struck == 0 || ++faults.since > REST) && is_new(&call);
	if (fails) {
		faults.calls[faults.nb++] = call;
		faults.struck++;
		faults.since = 0;
	}
	pthread_mutex_unlock(&faults.lock);
	if (fails)
		errno = err;
	return fails;
}

void
faults_step(const char *name)
{
	pthread_mutex_lock(&faults.lock);
	faults.step = name;
	faults.struck = 0;
	pthread_mutex_unlock(&faults.lock);
}

unsigned int
faults_struck(void)
{
	unsigned int struck;

	pthread_mutex_lock(&faults.lock);
	struck = faults.struck;
	pthread_mutex_unlock(&faults.lock);
	return struck;
}

void
faults_print_last(void)
{
	const struct call *last = &faults.calls[faults.nb - 1];

	if (faults.nb != 0)
		print_message("in step %s: %s failed %s\n", last->step, last->function, last->key);
}

/* The place of the call in the drivers, for the functions that the linker puts around others. */
#define PLACE __builtin_return_address(0)

/* One that takes no handle makes one: whoever calls it is known by his thread. */
#define OPENS(type, name, params, args, err) \
	type *__real_##name params; \
	type *__wrap_##name params; \
	type *__wrap_##name params \
	{ \
		type *handle; \
\
		if (strikes(#name, PLACE, NULL, NULL, NULL, err)) \
			return NULL; \
		handle = __real_##name args; \
		if (opens_own) \
			faults_own(handle); \
		return handle; \
	}

/* One that does nothing when it fails. */
#define FAILS(type, name, params, args, handle, path, value, bad, err) \
	type __real_##name params; \
	type __wrap_##name params; \
	type __wrap_##name params \
	{ \
		if (strikes(#name, PLACE, handle, path, value, err)) \
			return bad; \
		return __real_##name args; \
	}

/* One that lets something go: no caller can do more about a failure than to bear it. */
#define ENDS(type, name, params, args, handle, path, bad, err) \
	type __real_##name params; \
	type __wrap_##name params; \
	type __wrap_##name params \
	{ \
		bool fails = strikes(#name, PLACE, handle, path, NULL, err); \
		type ret; \
\
		ret = __real_##name args; \
		if (fails) \
			errno = err; \
		return fails ? bad : ret; \
	}

#define CLOSES(name, type) \
	int __real_##name(type *handle); \
	int __wrap_##name(type *handle); \
	int __wrap_##name(type *handle) \
	{ \
		bool fails = strikes(#name, PLACE, handle, NULL, NULL, EIO); \
		int ret; \
\
		disown(handle); \
		ret = __real_##name(handle); \
		return fails ? -1 : ret; \
	}

OPENS(xengnttab_handle, xengnttab_open, (struct xentoollog_logger * logger, unsigned int flags),
		(logger, flags), ENOENT)
CLOSES(xengnttab_close, xengnttab_handle)
FAILS(void *, xengnttab_map_grant_ref,
		(xengnttab_handle * xgt, uint32_t domid, uint32_t ref, int prot),
		(xgt, domid, ref, prot), xgt, NULL, NULL, NULL, ENOMEM)
FAILS(void *, xengnttab_map_domain_grant_refs,
		(xengnttab_handle * xgt, uint32_t count, uint32_t domid, uint32_t *refs, int prot),
		(xgt, count, domid, refs, prot), xgt, NULL, NULL, NULL, ENOMEM)
ENDS(int, xengnttab_unmap, (xengnttab_handle * xgt, void *start, uint32_t count),
		(xgt, start, count), xgt, NULL, -1, EINVAL)
FAILS(int, xengnttab_grant_copy,
		(xengnttab_handle * xgt, uint32_t count, xengnttab_grant_copy_segment_t *segs),
		(xgt, count, segs), xgt, NULL, NULL, -1, ENOMEM)

OPENS(xengntshr_handle, xengntshr_open, (struct xentoollog_logger * logger, unsigned int flags),
		(logger, flags), EMFILE)
CLOSES(xengntshr_close, xengntshr_handle)
FAILS(void *, xengntshr_share_pages,
		(xengntshr_handle * xgs, uint32_t domid, int count, uint32_t *refs, int writable),
		(xgs, domid, count, refs, writable), xgs, NULL, NULL, NULL, ENOSPC)
ENDS(int, xengntshr_unshare, (xengntshr_handle * xgs, void *start, uint32_t count),
		(xgs, start, count), xgs, NULL, -1, EINVAL)

OPENS(xenevtchn_handle, xenevtchn_open, (struct xentoollog_logger * logger, unsigned int flags),
		(logger, flags), EMFILE)
CLOSES(xenevtchn_close, xenevtchn_handle)
FAILS(xenevtchn_port_or_error_t, xenevtchn_bind_interdomain,
		(xenevtchn_handle * xce, uint32_t domid, evtchn_port_t remote),
		(xce, domid, remote), xce, NULL, NULL, -1, ENOSPC)
FAILS(xenevtchn_port_or_error_t, xenevtchn_bind_unbound_port,
		(xenevtchn_handle * xce, uint32_t domid), (xce, domid), xce, NULL, NULL, -1, ENOSPC)
ENDS(int, xenevtchn_unbind, (xenevtchn_handle * xce, evtchn_port_t port), (xce, port), xce, NULL,
		-1, EINVAL)
FAILS(int, xenevtchn_notify, (xenevtchn_handle * xce, evtchn_port_t port), (xce, port), xce, NULL,
		NULL, -1, ENOTCONN)
FAILS(xenevtchn_port_or_error_t, xenevtchn_pending, (xenevtchn_handle * xce), (xce), xce, NULL,
		NULL, -1, EIO)
FAILS(int, xenevtchn_unmask, (xenevtchn_handle * xce, evtchn_port_t port), (xce, port), xce, NULL,
		NULL, -1, EIO)

OPENS(struct xs_handle, xs_open, (unsigned long flags), (flags), ECONNREFUSED)
FAILS(char **, xs_directory,
		(struct xs_handle * h, xs_transaction_t t, const char *path, unsigned int *num),
		(h, t, path, num), h, path, NULL, NULL, EIO)
FAILS(void *, xs_read,
		(struct xs_handle * h, xs_transaction_t t, const char *path, unsigned int *len),
		(h, t, path, len), h, path, NULL, NULL, EIO)
FAILS(bool, xs_write,
		(struct xs_handle * h, xs_transaction_t t, const char *path, const void *data,
				unsigned int len),
		(h, t, path, data, len), h, path, data, false, ENOSPC)
FAILS(bool, xs_rm, (struct xs_handle * h, xs_transaction_t t, const char *path), (h, t, path), h,
		path, NULL, false, EIO)
FAILS(bool, xs_watch, (struct xs_handle * h, const char *path, const char *token), (h, path, token),
		h, path, NULL, false, E2BIG)
ENDS(bool, xs_unwatch, (struct xs_handle * h, const char *path, const char *token),
		(h, path, token), h, path, false, ENOENT)
FAILS(char **, xs_check_watch, (struct xs_handle * h), (h), h, NULL, NULL, NULL, EIO)
FAILS(xs_transaction_t, xs_transaction_start, (struct xs_handle * h), (h), h, NULL, NULL, XBT_NULL,
		ENOSPC)

/* Of a transaction that cannot be ended nothing is left. */
bool
__real_xs_transaction_end(struct xs_handle *h, xs_transaction_t t, bool abort);
bool
__wrap_xs_transaction_end(struct xs_handle *h, xs_transaction_t t, bool abort);
bool
__wrap_xs_transaction_end(struct xs_handle *h, xs_transaction_t t, bool abort)
{
	if (!strikes("xs_transaction_end", PLACE, h, abort ? "abort" : NULL, NULL, EIO))
		return __real_xs_transaction_end(h, t, abort);
	__real_xs_transaction_end(h, t, true);
	errno = EIO;
	return false;
}

/* Those that always do what they are for, or cannot say that they have not. */
static const char *const never_failing[] = {
	"xenevtchn_fd",
	"xs_close",
	"xs_daemon_socket",
	"xs_fileno",
};

bool
faults_tried(const char *function)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(never_failing); i++) {
		if (strcmp(never_failing[i], function) == 0)
			return true;
	}
	for (i = 0; i < faults.nb; i++) {
		if (strcmp(faults.calls[i].function, function) == 0)
			return true;
	}
	return false;
}

/* Has no call before this one come from the same place? */
static bool
is_new_place(unsigned int nth)
{
	unsigned int i;

	for (i = 0; i < nth && faults.calls[i].place != faults.calls[nth].place; i++)
		;
	return i == nth;
}

void
faults_print(void)
{
	unsigned int i, places = 0;

	for (i = 0; i < faults.nb; i++)
		places += is_new_place(i);
	print_message("%u calls have failed, from %u places in the drivers\n", faults.nb, places);
}
