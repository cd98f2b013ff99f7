/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef EAL_H
#define EAL_H

#include <rte_common.h>
#include <rte_eal.h>

#include "../unit/lcores.h"

/** Start DPDK for tests that need one lcore, and no device of the machine's. 0, or -1. */
static inline int
eal_start(void)
{
	static char text[][CPU_LIST_MAX] = { "test", "--no-shconf", "--no-huge", "-m", "64",
		"--no-pci", "--no-telemetry", "--lcores", "" };
	char *argv[RTE_DIM(text)];
	unsigned int i;

	lcore_option(text[RTE_DIM(text) - 1]);
	for (i = 0; i < RTE_DIM(text); i++)
		argv[i] = text[i];
	return rte_eal_init(RTE_DIM(text), argv) < 0 ? -1 : 0;
}

#endif /* EAL_H */
