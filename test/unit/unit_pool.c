/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <string.h>

#include <rte_mempool.h>

#include "unit_pool.h"

#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define TSAN
#endif
#endif

#ifndef TSAN

const char *const unit_pool_ops;

#else

#include <sanitizer/tsan_interface.h>

const char *const unit_pool_ops = "unit";

/* The mempool as it is without this. */
static const struct rte_mempool_ops *
ring_ops(void)
{
	unsigned int i;

	for (i = 0; i < rte_mempool_ops_table.num_ops; i++) {
		if (strcmp(rte_mempool_ops_table.ops[i].name, "ring_mp_mc") == 0)
			return &rte_mempool_ops_table.ops[i];
	}
	return NULL;
}

static int
pool_alloc(struct rte_mempool *mp)
{
	return ring_ops() != NULL ? ring_ops()->alloc(mp) : -ENOENT;
}

static void
pool_free(struct rte_mempool *mp)
{
	ring_ops()->free(mp);
}

static int
pool_put(struct rte_mempool *mp, void *const *objs, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		__tsan_release(objs[i]);
	return ring_ops()->enqueue(mp, objs, n);
}

static int
pool_get(struct rte_mempool *mp, void **objs, unsigned int n)
{
	int ret = ring_ops()->dequeue(mp, objs, n);
	unsigned int i;

	for (i = 0; ret == 0 && i < n; i++)
		__tsan_acquire(objs[i]);
	return ret;
}

static unsigned int
pool_count(const struct rte_mempool *mp)
{
	return ring_ops()->get_count(mp);
}

static const struct rte_mempool_ops pool_ops = {
	.name = "unit",
	.alloc = pool_alloc,
	.free = pool_free,
	.enqueue = pool_put,
	.dequeue = pool_get,
	.get_count = pool_count,
};

RTE_MEMPOOL_REGISTER_OPS(pool_ops);

#endif
