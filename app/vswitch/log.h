/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef LOG_H
#define LOG_H

/** @file What the switch says: a line each, on standard error, and as DPDK has it in syslog. */

#include <rte_log.h>

extern int vswitch_logtype;

/** LOG(NOTICE, "port %s: up", name): a level of DPDK, a format and its arguments. */
#define LOG(level, ...) \
	rte_log(RTE_LOG_##level, vswitch_logtype, \
			RTE_FMT("vswitch: " RTE_FMT_HEAD(__VA_ARGS__, ) "\n", \
					RTE_FMT_TAIL(__VA_ARGS__, )))

#endif /* LOG_H */
