/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XEN_LOG_H
#define XEN_LOG_H

#include <rte_log.h>

extern int xen_logtype;

/** One line to the log type pmd.common.xen. */
#define XEN_LOG(level, fmt, ...) \
	rte_log(RTE_LOG_##level, xen_logtype, "XEN: " fmt "\n", ##__VA_ARGS__)

#endif /* XEN_LOG_H */
