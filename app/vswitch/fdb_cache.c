/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <string.h>

#include <rte_malloc.h>

#include "fdb_cache.h"

#define FOUND_MASK (FDB_CACHE_KEPT - 1)
#define GENERATION_MASK ((1u << FDB_CACHE_GENERATION_BITS) - 1)
/* Another second than that of the stamp, and not the next one. */
#define OTHER_SECOND (UINT64_C(1) << 63)
#define NO_PORT UINT32_MAX

/* No key, and nothing kept: neither is ever put in. */
static void
clear(struct fdb_cache *cache)
{
	memset(cache->sets, 0xFF, sizeof(cache->sets[0]) << (64 - cache->shift));
}

struct fdb_cache *
fdb_cache_create(uint32_t addresses, int socket)
{
	/* Half full, few sets have more keys than ways. */
	uint32_t sets = rte_align32pow2(RTE_MAX(addresses * 2 / FDB_CACHE_WAYS, 2u));
	struct fdb_cache *cache;

	cache = rte_malloc_socket("fdb_cache", sizeof(*cache) + sets * sizeof(cache->sets[0]),
			sizeof(cache->sets[0]), socket);
	if (cache == NULL)
		return NULL;
	cache->shift = 64 - rte_log2_u32(sets);
	cache->victim = 0;
	cache->generation = 0;
	clear(cache);
	fdb_cache_renew(cache, 0, 0);
	return cache;
}

void
fdb_cache_renew(struct fdb_cache *cache, uint32_t generation, uint32_t now)
{
	/* Bits that are not kept differ: what is kept may look as if it were of this one. */
	if ((cache->generation ^ generation) >> FDB_CACHE_GENERATION_BITS != 0)
		clear(cache);
	cache->generation = generation;
	cache->now = now;
	cache->stamp = (uint64_t)now << FDB_CACHE_SECOND_SHIFT |
			(uint64_t)(generation & GENERATION_MASK) << FDB_CACHE_GENERATION_SHIFT |
			FDB_CACHE_KEPT;
}

static void
put(struct fdb_cache *cache, uint64_t key, uint64_t kept)
{
	struct fdb_cache_set *set = &cache->sets[fdb_cache_index(cache, key)];
	unsigned int way = cache->victim++ % FDB_CACHE_WAYS, i;

	for (i = 0; i < FDB_CACHE_WAYS; i++) {
		/* A key has one way alone. */
		if (set->keys[i] == key) {
			way = i;
			break;
		}
		if (((set->kept[i] ^ cache->stamp) >> FDB_CACHE_GENERATION_SHIFT &
				    GENERATION_MASK) != 0)
			way = i;
	}
	set->keys[way] = key;
	set->kept[way] = kept;
}

/* Ask the database for what is FDB_NONE so far, and keep the answers: as seen at the port. */
static void
look_up_missing(struct fdb_cache *cache, const struct fdb *fdb, unsigned int port,
		const uint64_t *keys, unsigned int n, uint64_t *found)
{
	uint64_t missing[FDB_BULK_MAX], late[FDB_BULK_MAX];
	unsigned int nb = 0, i;

	for (i = 0; i < n; i++) {
		missing[nb] = keys[i];
		nb += found[i] == FDB_NONE;
	}
	if (nb == 0)
		return;
	fdb_lookup(fdb, missing, nb, late);
	for (i = 0; i < nb; i++) {
		if (late[i] != FDB_NONE)
			put(cache, missing[i],
					late[i] ^ cache->stamp ^
							(fdb_port(late[i]) == port ? 0 :
										     OTHER_SECOND));
	}
	for (i = 0, nb = 0; i < n; i++) {
		if (found[i] == FDB_NONE)
			found[i] = late[nb++];
	}
}

void
fdb_cache_lookup(struct fdb_cache *cache, const struct fdb *fdb, const uint64_t *keys,
		unsigned int n, uint64_t *found)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		found[i] = fdb_cache_find(cache, keys[i], &found[i]) ? found[i] & FOUND_MASK :
								       FDB_NONE;
	look_up_missing(cache, fdb, NO_PORT, keys, n, found);
}

void
fdb_cache_lookup_seen(struct fdb_cache *cache, const struct fdb *fdb, uint16_t port,
		const uint64_t *keys, unsigned int n, uint64_t *found)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (!fdb_cache_find_seen(cache, keys[i], &found[i]))
			found[i] = FDB_NONE;
	}
	look_up_missing(cache, fdb, port, keys, n, found);
}
