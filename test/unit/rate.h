/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef RATE_H
#define RATE_H

/**
 * @file
 * What a limit of a guest's rate comes to.
 */

#include <rte_cycles.h>

#include "xenvif_rate.h"

/** Seconds that a number of TSC cycles takes. */
static inline double
rate_seconds(uint64_t cycles)
{
	return (double)cycles / rte_get_tsc_hz();
}

/** Bytes a second. */
static inline double
rate_bytes_per_sec(const struct xenvif_rate_limit *limit)
{
	return limit->bytes * 1e6 / limit->usec;
}

/** Bytes that a full bucket holds. */
static inline double
rate_burst(const struct xenvif_rate_limit *limit)
{
	return RTE_MAX(limit->bytes, (uint32_t)XENVIF_RATE_BURST_MIN);
}

#endif /* RATE_H */
