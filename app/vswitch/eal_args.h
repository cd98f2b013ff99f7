/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef EAL_ARGS_H
#define EAL_ARGS_H

/** @file From the configuration to the command line of DPDK's EAL. */

#include "config.h"

/** The program, the lcores in two words, and the configuration's. */
#define EAL_ARGS_MAX (3 + CONFIG_EAL_WORDS_MAX)

/** A command line; `text` holds what `argv` points to. */
struct eal_args {
	int argc;
	char *argv[EAL_ARGS_MAX + 1];
	char text[4096];
	/** Lcores that forward; they have the numbers 1 to nb_workers, and the main lcore has 0. */
	unsigned int nb_workers;
};

/**
 * Make it. The main lcore, which is the control thread, may run on all processors that the process
 * may; each other one has a processor of `lcores`.
 *
 * @return
 *   0; -E2BIG: they are too long together with the processors that the process may run on.
 */
int
eal_args_make(struct eal_args *args, const struct config *config, const char *program);

#endif /* EAL_ARGS_H */
