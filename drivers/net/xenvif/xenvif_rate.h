/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XENVIF_RATE_H
#define XENVIF_RATE_H

/**
 * @file
 * The rate that a guest may transmit at (libxl, "rate" of a vif): one token bucket for all queues
 * of the vif. While it is empty the guest's rings are left alone; no packet is dropped.
 *
 * A packet is taken whole as soon as there is any credit, and its bytes may leave the bucket in
 * debt: what is owed is paid before the next packet, so that the sum is exact whatever the lengths
 * are, and a packet that is longer than the bucket passes. Each lcore adds one packet to the debt
 * at most.
 */

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_common.h>

/** The bucket holds the bytes of the limit, and this many at least, as xen-netback's. */
#define XENVIF_RATE_BURST_MIN 131072

/** Bytes that may be taken in so many microseconds; zeros: any number. */
struct xenvif_rate_limit {
	uint32_t bytes;
	uint32_t usec;
};

/** The bucket of a vif. All zero: there is no limit. */
struct xenvif_rate {
	/* struct xenvif_rate_limit in one word, to be changed at any moment. */
	uint64_t limit;
	/* Bytes that may be taken; negative: that are owed. */
	alignas(RTE_CACHE_LINE_SIZE) int64_t credit;
	/* Up to when credit was given: TSC. */
	uint64_t filled;
	/* The guest's queues that have packets and found no credit. */
	uint32_t waiting;
	/* The one that has had some last. */
	uint32_t last;
};

/** Change the limit. Any thread, while lcores use the bucket. */
void
xenvif_rate_set(struct xenvif_rate *rate, const struct xenvif_rate_limit *limit);

/** The limit as it is. Any thread. */
struct xenvif_rate_limit
xenvif_rate_get(const struct xenvif_rate *rate);

/**
 * Fill the bucket for the time that has passed, and tell whether a packet may be taken from one of
 * the guest's queues that has some. Queues that wait are let through in turn, however unevenly they
 * are polled. Any thread.
 *
 * @param queue
 *   The guest's queue: 0 to 31.
 * @param now
 *   The time: TSC.
 */
bool
xenvif_rate_allows(struct xenvif_rate *rate, unsigned int queue, uint64_t now);

/** Is there a limit? Any thread. */
static inline bool
xenvif_rate_limited(const struct xenvif_rate *rate)
{
	return __atomic_load_n(&rate->limit, __ATOMIC_RELAXED) != 0;
}

/**
 * A packet has been taken. Any thread.
 *
 * @return
 *   Whether there is credit for another one.
 */
static inline bool
xenvif_rate_charge(struct xenvif_rate *rate, uint32_t bytes)
{
	return __atomic_sub_fetch(&rate->credit, (int64_t)bytes, __ATOMIC_RELAXED) > 0;
}

#endif /* XENVIF_RATE_H */
