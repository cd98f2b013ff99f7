/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XEN_STORE_H
#define XEN_STORE_H

/**
 * @file
 * The process's connection to xenstore. It belongs to the control thread of xen_bus.c: unless said
 * otherwise a function may be called from there alone, that is, from a device's evaluate callback.
 * Paths without a leading slash are relative to this domain's home, as everywhere in xenstore.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_compat.h>

#include <xenstore.h>
#include <xenstore_lib.h>

#include "xen_reason.h"

/** Longest path of a device directory that the drivers handle, with the terminating NUL. */
#define XEN_STORE_PATH_MAX 256

/** Longest value that the drivers read, with the terminating NUL. */
#define XEN_STORE_VALUE_MAX 256

/**
 * Can there be such a directory? What other domains write as one may be anything; a path that is
 * good has only letters, digits and -/_@, and needs no quoting where it is shown. Any thread.
 */
__rte_internal
bool
xen_store_path_good(const char *path);

/**
 * How to call xs_open(). Where xenstored has a socket it is in this domain. Without the flag,
 * libxenstore goes on to the kernel's device if nobody answers there, which waits for as long as
 * that is so. Any thread.
 */
static inline unsigned long
xen_store_open_flags(void)
{
	return access(xs_daemon_socket(), F_OK) == 0 ? XS_OPEN_SOCKETONLY : 0;
}

/** Connect. 0, or -errno. */
int
xen_store_open(void);

/** Disconnect; every watch and a transaction under way are gone. */
void
xen_store_close(void);

/** The file descriptor that polls readable when a watch has fired, -1 when not connected. */
int
xen_store_fd(void);

/** Does the daemon still answer? 0, or the -errno that says why not. */
int
xen_store_ping(void);

/**
 * Has a function failed since the last call of this one, for another reason than that something is
 * not there, or not ours? Then it is worth trying again. 0, or the errno of the last that has.
 */
int
xen_store_failed(void);

/** Set a watch. 0, also when it is set already, or -errno. */
int
xen_store_watch(const char *path);

/** Remove a watch. */
void
xen_store_unwatch(const char *path);

/**
 * Take the next fired watch.
 *
 * @param path
 *   Receives the path that changed, cut to XEN_STORE_PATH_MAX.
 * @return
 *   0, -EAGAIN when none is waiting, or another -errno when the connection is lost.
 */
int
xen_store_next_event(char path[XEN_STORE_PATH_MAX]);

/**
 * Read a key as a string.
 *
 * @param dir
 *   The directory.
 * @param key
 *   The key below it.
 * @param value
 *   Receives the value, always terminated; empty on error.
 * @return
 *   The value's length, -ENOENT without such a key, -EACCES when it may not be read, -ERANGE when
 *   it is longer than XEN_STORE_VALUE_MAX - 1 or has a NUL within, -ENAMETOOLONG, or -ENOTCONN
 *   when xenstore does not answer: then nothing is known about the key.
 */
__rte_internal
int
xen_store_read(const char *dir, const char *key, char value[XEN_STORE_VALUE_MAX]);

/**
 * Parse an unsigned decimal number: digits and nothing else. Any thread.
 *
 * @return
 *   0, -EINVAL when it is not a number, or -ERANGE when it is larger than max: then number is
 *   untouched.
 */
__rte_internal
int
xen_store_parse_uint(const char *text, uint32_t max, uint32_t *number);

/**
 * Read a key as an unsigned decimal number.
 *
 * @param dir
 *   The directory.
 * @param key
 *   The key below it.
 * @param max
 *   The largest number allowed.
 * @param number
 *   Receives the number; untouched on error.
 * @return
 *   0, -EINVAL when the value is not a number, -ERANGE when it is larger than max, or what
 *   xen_store_read() returns.
 */
__rte_internal
int
xen_store_read_uint(const char *dir, const char *key, uint32_t max, uint32_t *number);

/**
 * Write a key.
 *
 * @return
 *   0 or -errno.
 */
__rte_internal
int
xen_store_write(const char *dir, const char *key, const char *fmt, ...) __rte_format_printf(3, 4);

/** Remove a key or directory below dir. 0, also when there is none, or -errno. */
__rte_internal
int
xen_store_remove(const char *dir, const char *key);

/**
 * Run a function within a transaction, again when another writer got in between. Its reads and
 * writes through this file belong to the transaction.
 *
 * @param fn
 *   Returns 0 to commit, or the -errno to abort with.
 * @param arg
 *   Handed to fn.
 * @return
 *   0 or -errno.
 */
__rte_internal
int
xen_store_transaction(int (*fn)(void *arg), void *arg);

/**
 * Read the state of a device's end (xen/io/xenbus.h).
 *
 * @return
 *   A value of enum xenbus_state; XenbusStateUnknown when the key is missing or not a state;
 *   -ENOTCONN when xenstore does not answer.
 */
__rte_internal
int
xen_store_read_state(const char *dir);

/**
 * Write a device's own state, unless its directory is gone: a toolstack that has removed it must
 * not find it again.
 *
 * @return
 *   0, -ENOENT when there is no state key any more, or another -errno.
 */
__rte_internal
int
xen_store_switch_state(const char *dir, unsigned int state);

/**
 * Leave why a device cannot be served in the key error/DIR/error, the place where the kernel's
 * drivers leave theirs. A key that says so already is not written again.
 *
 * @param dir
 *   The device's own directory.
 */
void
xen_store_write_error(const char *dir, const struct xen_reason *why);

#endif /* XEN_STORE_H */
