/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef FDB_CACHE_H
#define FDB_CACHE_H

/**
 * @file
 * What an lcore has found in the forwarding database of late. It is the lcore's own, and holds the
 * key itself: what is found here is what the database has, as long as its generation is the same.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_common.h>

#include "fdb.h"

/** Keys of a set. A set is one line of the processor's cache. */
#define FDB_CACHE_WAYS 4
/**
 * Beside a key is kept what was found for it, a bit that is always set, the database's generation
 * and the second in which a packet came from there.
 */
#define FDB_CACHE_KEPT (UINT64_C(1) << 39)
#define FDB_CACHE_GENERATION_SHIFT 40
#define FDB_CACHE_GENERATION_BITS 16
#define FDB_CACHE_SECOND_SHIFT 56
#define FDB_CACHE_SECOND_BITS 8

/** Two at once, for compilers that know vectors of any machine. */
typedef uint64_t fdb_cache_pair __attribute__((vector_size(16)));

struct fdb_cache_set {
	union {
		fdb_cache_pair key_pairs[FDB_CACHE_WAYS / 2];
		uint64_t keys[FDB_CACHE_WAYS];
	};
	union {
		fdb_cache_pair kept_pairs[FDB_CACHE_WAYS / 2];
		uint64_t kept[FDB_CACHE_WAYS];
	};
} __rte_aligned(64);

struct fdb_cache {
	/** What is kept beside what was found, of this generation and second. */
	uint64_t stamp;
	uint32_t generation;
	uint32_t now;
	/** 64, less the bits of a set's index. */
	uint32_t shift;
	/** The way of a full set that is used anew next. */
	uint32_t victim;
	struct fdb_cache_set sets[];
};

/**
 * Make an empty cache.
 *
 * @param addresses
 *   How many it has room for at least.
 * @param socket
 *   The NUMA node of the lcore.
 * @return
 *   It, to be freed by rte_free(); or NULL when there is no memory.
 */
struct fdb_cache *
fdb_cache_create(uint32_t addresses, int socket);

/** From now on the database has this generation, and this is the time. The cache's lcore. */
void
fdb_cache_renew(struct fdb_cache *cache, uint32_t generation, uint32_t now);

/** The same as fdb_lookup(), of which only what is not in the cache is asked. The cache's lcore. */
void
fdb_cache_lookup(struct fdb_cache *cache, const struct fdb *fdb, const uint64_t *keys,
		unsigned int n, uint64_t *found);

/**
 * The same of addresses that packets come from, by a port: the caller tells the database that those
 * known there are not silent, and fdb_cache_find_seen() finds them until the next second. The
 * cache's lcore.
 */
void
fdb_cache_lookup_seen(struct fdb_cache *cache, const struct fdb *fdb, uint16_t port,
		const uint64_t *keys, unsigned int n, uint64_t *found);

/* Fibonacci hashing: who knows of keys of one set makes lookups of them slower, no more. */
static __rte_always_inline uint64_t
fdb_cache_index(const struct fdb_cache *cache, uint64_t key)
{
	return key * UINT64_C(0x9E3779B97F4A7C15) >> cache->shift;
}

/* Without a branch, for which way it is cannot be foreseen. */
static __rte_always_inline uint64_t
fdb_cache_take(const struct fdb_cache *cache, uint64_t key)
{
	const struct fdb_cache_set *set = &cache->sets[fdb_cache_index(cache, key)];
	const fdb_cache_pair pair = { key, key };
	fdb_cache_pair kept;

	kept = ((fdb_cache_pair)(set->key_pairs[0] == pair) & set->kept_pairs[0]) |
			((fdb_cache_pair)(set->key_pairs[1] == pair) & set->kept_pairs[1]);
	return (kept[0] | kept[1]) ^ cache->stamp;
}

/** What is known of a key. false: nothing is in the cache. The cache's lcore. */
static __rte_always_inline bool
fdb_cache_find(const struct fdb_cache *cache, uint64_t key, uint64_t *found)
{
	*found = fdb_cache_take(cache, key);
	/* Whichever second it is of. */
	return *found << FDB_CACHE_SECOND_BITS < FDB_CACHE_KEPT << FDB_CACHE_SECOND_BITS;
}

/** The same, of an address that a packet came from in this second already. The cache's lcore. */
static __rte_always_inline bool
fdb_cache_find_seen(const struct fdb_cache *cache, uint64_t key, uint64_t *found)
{
	*found = fdb_cache_take(cache, key);
	return *found < FDB_CACHE_KEPT;
}

#endif /* FDB_CACHE_H */
