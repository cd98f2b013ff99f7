/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XEN_REASON_H
#define XEN_REASON_H

/**
 * @file
 * Why something failed, on its way from where it is found out to where it is said.
 */

#include <rte_common.h>
#include <rte_compat.h>

/** Longest text of a reason, with the terminating NUL. */
#define XEN_REASON_MAX 224

/** Why something failed: a positive errno, and a line that names what it was. */
struct xen_reason {
	int err;
	char text[XEN_REASON_MAX];
};

/**
 * Set a reason. Any thread.
 *
 * @param err
 *   A positive errno.
 * @return
 *   -err, so that a function that fails may return it.
 */
__rte_internal
int
xen_reason_set(struct xen_reason *why, int err, const char *fmt, ...) __rte_format_printf(3, 4);

#endif /* XEN_REASON_H */
