/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XEN_TOOLLOG_H
#define XEN_TOOLLOG_H

/**
 * @file
 * Where Xen's libraries say what has failed. Given no logger they write to standard error, as often
 * as another domain can make a call fail: here it is a line of the log, for whoever debugs.
 */

#include <stdarg.h>

#include <rte_common.h>

/** A logger of xentoollog.h, whose ABI is stable: a struct xentoollog_logger. */
struct xen_toollog {
	void (*message)(struct xen_toollog *log, int level, int err, const char *context,
			const char *fmt, va_list ap) __rte_format_printf(5, 0);
	void (*progress)(struct xen_toollog *log, const char *context, const char *what,
			int percent, unsigned long done, unsigned long total);
	void (*destroy)(struct xen_toollog *log);
	/* What it is the logger of. */
	const char *library;
};

/** What such a logger begins as. */
#define XEN_TOOLLOG(name) \
	{ \
		.message = xen_toollog_message, .progress = xen_toollog_progress, \
		.destroy = xen_toollog_destroy, .library = (name) \
	}

/** Its functions. Any thread. */
void
xen_toollog_message(struct xen_toollog *log, int level, int err, const char *context,
		const char *fmt, va_list ap) __rte_format_printf(5, 0);
void
xen_toollog_progress(struct xen_toollog *log, const char *context, const char *what, int percent,
		unsigned long done, unsigned long total);
void
xen_toollog_destroy(struct xen_toollog *log);

#endif /* XEN_TOOLLOG_H */
