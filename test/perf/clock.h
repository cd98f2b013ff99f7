/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef CLOCK_H
#define CLOCK_H

/**
 * @file
 * The clock of programs that measure without DPDK.
 */

#include <stdint.h>
#include <time.h>

#define NS_PER_S UINT64_C(1000000000)

/** Nanoseconds of a clock that nobody sets. */
static inline uint64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

#endif /* CLOCK_H */
