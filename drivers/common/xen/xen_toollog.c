/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <stdio.h>

#include "xen_log.h"
#include "xen_toollog.h"

void
xen_toollog_message(struct xen_toollog *log, int level __rte_unused, int err __rte_unused,
		const char *context __rte_unused, const char *fmt, va_list ap)
{
	char text[128];

	vsnprintf(text, sizeof(text), fmt, ap);
	XEN_LOG(DEBUG, "%s: %s", log->library, text);
}

void
xen_toollog_progress(struct xen_toollog *log __rte_unused, const char *context __rte_unused,
		const char *what __rte_unused, int percent __rte_unused,
		unsigned long done __rte_unused, unsigned long total __rte_unused)
{
}

void
xen_toollog_destroy(struct xen_toollog *log __rte_unused)
{
}
