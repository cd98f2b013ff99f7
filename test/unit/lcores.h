/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef LCORES_H
#define LCORES_H

/** @file EAL's option for a test. */

#include <sched.h>
#include <stdio.h>

#define CPU_LIST_MAX 1024

/* One lcore that may run wherever the process may: tests share the machine with each other. */
static inline void
lcore_option(char option[CPU_LIST_MAX])
{
	size_t len = snprintf(option, CPU_LIST_MAX, "0@(");
	cpu_set_t cpus;
	int i;

	CPU_ZERO(&cpus);
	sched_getaffinity(0, sizeof(cpus), &cpus);
	for (i = 0; i < CPU_SETSIZE && len < CPU_LIST_MAX - 8; i++) {
		if (CPU_ISSET(i, &cpus))
			len += snprintf(option + len, CPU_LIST_MAX - len, "%d,", i);
	}
	option[len - 1] = ')';
}

#endif /* LCORES_H */
