/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <rte_bitops.h>
#include <rte_branch_prediction.h>
#include <rte_cycles.h>

#include "xenvif_rate.h"

/* More than fills any bucket, whatever is owed. */
#define FILL_MAX (UINT64_C(1) << 33)
/* Credit is given in portions of a microsecond or more: a rounded cycle makes no difference. */
#define FILLS_PER_SEC 1000000

static struct xenvif_rate_limit
unpack(uint64_t word)
{
	return (struct xenvif_rate_limit){ .bytes = word, .usec = word >> 32 };
}

/* Give credit, as far as the bucket holds it. */
static void
give(struct xenvif_rate *rate, int64_t bytes, const struct xenvif_rate_limit *limit)
{
	int64_t most = RTE_MAX(limit->bytes, (uint32_t)XENVIF_RATE_BURST_MIN);
	int64_t old = __atomic_load_n(&rate->credit, __ATOMIC_RELAXED), credit;

	do {
		credit = RTE_MIN(old + bytes, most);
	} while (!__atomic_compare_exchange_n(&rate->credit, &old, credit, true, __ATOMIC_RELAXED,
			__ATOMIC_RELAXED));
}

void
xenvif_rate_set(struct xenvif_rate *rate, const struct xenvif_rate_limit *limit)
{
	__atomic_store_n(&rate->limit, (uint64_t)limit->usec << 32 | limit->bytes,
			__ATOMIC_RELAXED);
	/* What a larger bucket held is not for this one. */
	give(rate, 0, limit);
}

struct xenvif_rate_limit
xenvif_rate_get(const struct xenvif_rate *rate)
{
	return unpack(__atomic_load_n(&rate->limit, __ATOMIC_RELAXED));
}

/* Whoever moves the time on gives what is due for it. The rest of a byte is left to the next. */
static void
fill(struct xenvif_rate *rate, const struct xenvif_rate_limit *limit, uint64_t now)
{
	double cycles_per_byte = (double)rte_get_tsc_hz() * limit->usec / 1e6 / limit->bytes;
	uint64_t filled = __atomic_load_n(&rate->filled, __ATOMIC_RELAXED), to = now;
	int64_t passed = now - filled;
	uint64_t bytes;

	/* Another lcore may have been here at a later time. */
	if (passed < (int64_t)(rte_get_tsc_hz() / FILLS_PER_SEC))
		return;
	bytes = RTE_MIN(passed / cycles_per_byte, (double)FILL_MAX);
	if (bytes == 0)
		return;
	if (bytes < FILL_MAX)
		to = filled + (uint64_t)(bytes * cycles_per_byte);
	if (__atomic_compare_exchange_n(&rate->filled, &filled, to, false, __ATOMIC_RELAXED,
			    __ATOMIC_RELAXED))
		give(rate, bytes, limit);
}

/*
 * Is no other queue's turn before this one's? Those before it have this one chance: nobody need
 * poll a queue that waits.
 */
static bool
in_turn(struct xenvif_rate *rate, unsigned int queue)
{
	uint32_t last = __atomic_load_n(&rate->last, __ATOMIC_RELAXED);
	uint32_t below = RTE_BIT32(queue) - 1, above = ~(RTE_BIT32(last) | (RTE_BIT32(last) - 1));
	uint32_t before = queue > last ? below & above : below | above;

	if ((__atomic_load_n(&rate->waiting, __ATOMIC_RELAXED) & before) == 0)
		return true;
	__atomic_fetch_and(&rate->waiting, ~before, __ATOMIC_RELAXED);
	return false;
}

bool
xenvif_rate_allows(struct xenvif_rate *rate, unsigned int queue, uint64_t now)
{
	struct xenvif_rate_limit limit = xenvif_rate_get(rate);

	if (unlikely(limit.bytes == 0))
		return true;
	fill(rate, &limit, now);
	if (__atomic_load_n(&rate->credit, __ATOMIC_RELAXED) > 0 && in_turn(rate, queue)) {
		__atomic_fetch_and(&rate->waiting, ~RTE_BIT32(queue), __ATOMIC_RELAXED);
		__atomic_store_n(&rate->last, queue, __ATOMIC_RELAXED);
		return true;
	}
	__atomic_fetch_or(&rate->waiting, RTE_BIT32(queue), __ATOMIC_RELAXED);
	return false;
}
