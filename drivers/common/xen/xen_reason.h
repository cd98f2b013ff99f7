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

/** A text between quotes that somebody else wrote, made fit to be shown. */
struct xen_quote {
	char text[72];
};

/**
 * Make a text of the other end or of the toolstack fit for a line of a log, a terminal and a key of
 * xenstore: what is not a printable character of ASCII becomes \xNN, a quote or a backslash gets a
 * backslash before it, and what does not fit becomes \... at the end. Any thread.
 *
 * @param q
 *   Room for it.
 * @param text
 *   The text.
 * @return
 *   What q holds, to be put between quotes.
 */
__rte_internal
const char *
xen_quote(struct xen_quote *q, const char *text);

#endif /* XEN_REASON_H */
