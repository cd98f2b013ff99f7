/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <rte_branch_prediction.h>
#include <rte_errno.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <rte_malloc.h>
#include <rte_rcu_qsbr.h>

#include "fdb.h"

#define INDEX_SHIFT 16

/* An address that is known. */
struct entry {
	uint64_t key;
	uint16_t port;
	bool pinned;
	/* What its `seen` was when it came to its place in the list. */
	uint32_t listed;
	TAILQ_ENTRY(entry) next;
};

TAILQ_HEAD(entries, entry);

struct fdb {
	struct rte_hash *hash;
	uint32_t generation;
	uint32_t nb_learned;
	uint32_t max_learned;
	uint32_t nb_pinned;
	uint32_t nb_entries;
	struct entry *entries;
	/* Of each entry, the second in which an lcore has seen it last: all that lcores touch. */
	uint32_t *seen;
	struct entries unused;
	/* Those of a port, the ones that are learned in the order of `listed`. */
	struct entries learned[RTE_MAX_ETHPORTS];
	struct entries pinned[RTE_MAX_ETHPORTS];
	uint32_t count[RTE_MAX_ETHPORTS];
};

static uint32_t
hash_key(const void *key, __rte_unused uint32_t len, uint32_t init)
{
	return rte_hash_crc_8byte(*(const uint64_t *)key, init);
}

/* In the place of memcmp(), for there is one length alone. */
static int
compare_keys(const void *a, const void *b, __rte_unused size_t len)
{
	return *(const uint64_t *)a != *(const uint64_t *)b;
}

static int
create_hash(struct fdb *fdb, struct rte_rcu_qsbr *rcu)
{
	struct rte_hash_parameters params = {
		.name = "fdb",
		/* Some more: a bucket is full before the table is. */
		.entries = fdb->nb_entries + fdb->nb_entries / 4,
		.key_len = sizeof(uint64_t),
		.hash_func = hash_key,
		.socket_id = SOCKET_ID_ANY,
		.extra_flag = RTE_HASH_EXTRA_FLAGS_RW_CONCURRENCY_LF,
	};
	/* A slot of a key that was removed is used anew when no lcore can see it any more. */
	struct rte_hash_rcu_config config = { .v = rcu, .mode = RTE_HASH_QSBR_MODE_DQ };

	fdb->hash = rte_hash_create(&params);
	if (fdb->hash == NULL)
		return -rte_errno;
	rte_hash_set_cmp_func(fdb->hash, compare_keys);
	return rte_hash_rcu_qsbr_add(fdb->hash, &config) == 0 ? 0 : -rte_errno;
}

struct fdb *
fdb_create(uint32_t learned, struct rte_rcu_qsbr *rcu)
{
	struct fdb *fdb = rte_zmalloc("fdb", sizeof(*fdb), RTE_CACHE_LINE_SIZE);
	uint32_t i;
	int ret = -ENOMEM;

	if (fdb == NULL)
		goto fail;
	/* Not what is in a worker that has found nothing yet. */
	fdb->generation = 1;
	fdb->max_learned = learned;
	fdb->nb_entries = learned + FDB_PINNED_MAX;
	TAILQ_INIT(&fdb->unused);
	for (i = 0; i < RTE_MAX_ETHPORTS; i++) {
		TAILQ_INIT(&fdb->learned[i]);
		TAILQ_INIT(&fdb->pinned[i]);
	}
	fdb->entries = rte_zmalloc("fdb", fdb->nb_entries * sizeof(*fdb->entries), 0);
	fdb->seen = rte_zmalloc("fdb", fdb->nb_entries * sizeof(*fdb->seen), RTE_CACHE_LINE_SIZE);
	if (fdb->entries == NULL || fdb->seen == NULL)
		goto fail;
	for (i = 0; i < fdb->nb_entries; i++)
		TAILQ_INSERT_TAIL(&fdb->unused, &fdb->entries[i], next);
	ret = create_hash(fdb, rcu);
	if (ret < 0)
		goto fail;
	return fdb;

fail:
	fdb_free(fdb);
	rte_errno = -ret;
	return NULL;
}

void
fdb_free(struct fdb *fdb)
{
	if (fdb == NULL)
		return;
	rte_hash_free(fdb->hash);
	rte_free(fdb->seen);
	rte_free(fdb->entries);
	rte_free(fdb);
}

/* The data of a key: integers, for a pointer that is overwritten would never be freed. */
static void *
data_of(const struct fdb *fdb, const struct entry *entry)
{
	uintptr_t index = entry - fdb->entries;

	return (void *)(index << INDEX_SHIFT | (entry->pinned ? FDB_PINNED : 0) | entry->port);
}

static struct entry *
entry_of(const struct fdb *fdb, uint64_t found)
{
	return &fdb->entries[found >> INDEX_SHIFT];
}

static uint32_t *
seen_of(const struct fdb *fdb, const struct entry *entry)
{
	return &fdb->seen[entry - fdb->entries];
}

static struct entry *
find(const struct fdb *fdb, uint64_t key)
{
	void *data;

	if (rte_hash_lookup_data(fdb->hash, &key, &data) < 0)
		return NULL;
	return entry_of(fdb, (uintptr_t)data);
}

/* Those who have found something else have to look again. */
static void
changed(struct fdb *fdb)
{
	__atomic_fetch_add(&fdb->generation, 1, __ATOMIC_RELEASE);
}

static void
link_entry(struct fdb *fdb, struct entry *entry)
{
	if (entry->pinned) {
		TAILQ_INSERT_TAIL(&fdb->pinned[entry->port], entry, next);
		fdb->nb_pinned++;
	} else {
		TAILQ_INSERT_TAIL(&fdb->learned[entry->port], entry, next);
		fdb->count[entry->port]++;
		fdb->nb_learned++;
	}
}

static void
unlink_entry(struct fdb *fdb, struct entry *entry)
{
	if (entry->pinned) {
		TAILQ_REMOVE(&fdb->pinned[entry->port], entry, next);
		fdb->nb_pinned--;
	} else {
		TAILQ_REMOVE(&fdb->learned[entry->port], entry, next);
		fdb->count[entry->port]--;
		fdb->nb_learned--;
	}
}

static void delete (struct fdb *fdb, struct entry *entry)
{
	rte_hash_del_key(fdb->hash, &entry->key);
	changed(fdb);
	unlink_entry(fdb, entry);
	/* Last in the list: an lcore that has found it may still write to it. */
	TAILQ_INSERT_TAIL(&fdb->unused, entry, next);
}

/* A key that there is no entry for yet. */
static int
insert(struct fdb *fdb, uint64_t key, uint16_t port, bool pinned, uint32_t now)
{
	struct entry *entry = TAILQ_FIRST(&fdb->unused);

	if (entry == NULL)
		return -ENOSPC;
	entry->key = key;
	entry->port = port;
	entry->pinned = pinned;
	entry->listed = now;
	__atomic_store_n(seen_of(fdb, entry), now, __ATOMIC_RELAXED);
	/* Keys that were removed hold their slots until all lcores have passed. */
	if (rte_hash_add_key_data(fdb->hash, &key, data_of(fdb, entry)) < 0)
		return -ENOSPC;
	TAILQ_REMOVE(&fdb->unused, entry, next);
	link_entry(fdb, entry);
	return 0;
}

int
fdb_pin(struct fdb *fdb, uint64_t key, uint16_t port)
{
	struct entry *entry = find(fdb, key);

	if (entry != NULL && entry->pinned)
		return entry->port == port ? 0 : -EEXIST;
	if (fdb->nb_pinned == FDB_PINNED_MAX)
		return -ENOSPC;
	if (entry != NULL)
		delete (fdb, entry);
	return insert(fdb, key, port, true, 0);
}

/* It goes to the end of the list if it was seen since it was listed. */
static bool
was_seen(struct fdb *fdb, struct entry *entry)
{
	uint32_t seen = __atomic_load_n(seen_of(fdb, entry), __ATOMIC_RELAXED);

	if (seen == entry->listed)
		return false;
	entry->listed = seen;
	TAILQ_REMOVE(&fdb->learned[entry->port], entry, next);
	TAILQ_INSERT_TAIL(&fdb->learned[entry->port], entry, next);
	return true;
}

/* The port that has most loses the address that was silent for longest, or nearly. */
static void
evict(struct fdb *fdb)
{
	uint32_t i, most = 0;

	for (i = 1; i < RTE_MAX_ETHPORTS; i++) {
		if (fdb->count[i] > fdb->count[most])
			most = i;
	}
	for (i = 0; i < fdb->count[most]; i++) {
		if (!was_seen(fdb, TAILQ_FIRST(&fdb->learned[most])))
			break;
	}
	delete (fdb, TAILQ_FIRST(&fdb->learned[most]));
}

static int
move(struct fdb *fdb, struct entry *entry, uint16_t port, uint32_t limit, uint32_t now)
{
	if (limit != 0 && fdb->count[port] >= limit)
		return -ENOSPC;
	unlink_entry(fdb, entry);
	entry->port = port;
	entry->listed = now;
	__atomic_store_n(seen_of(fdb, entry), now, __ATOMIC_RELAXED);
	link_entry(fdb, entry);
	rte_hash_add_key_data(fdb->hash, &entry->key, data_of(fdb, entry));
	changed(fdb);
	return 0;
}

int
fdb_learn(struct fdb *fdb, uint64_t key, uint16_t port, uint32_t limit, uint32_t now)
{
	struct entry *entry = find(fdb, key);

	if (entry != NULL && entry->pinned)
		return -EEXIST;
	if (entry != NULL && entry->port != port)
		return move(fdb, entry, port, limit, now);
	if (entry != NULL) {
		__atomic_store_n(seen_of(fdb, entry), now, __ATOMIC_RELAXED);
		return 0;
	}
	if (limit != 0 && fdb->count[port] >= limit)
		return -ENOSPC;
	if (fdb->nb_learned == fdb->max_learned)
		evict(fdb);
	return insert(fdb, key, port, false, now);
}

void
fdb_age(struct fdb *fdb, uint16_t port, uint32_t age, uint32_t now)
{
	struct entry *entry;

	while ((entry = TAILQ_FIRST(&fdb->learned[port])) != NULL) {
		/* An lcore may be ahead by a second. */
		if ((int32_t)(now - entry->listed) < (int32_t)age)
			return;
		if (!was_seen(fdb, entry))
			delete (fdb, entry);
	}
}

void
fdb_forget(struct fdb *fdb, uint16_t port)
{
	struct entry *entry;

	while ((entry = TAILQ_FIRST(&fdb->learned[port])) != NULL)
		delete (fdb, entry);
	while ((entry = TAILQ_FIRST(&fdb->pinned[port])) != NULL)
		delete (fdb, entry);
}

uint32_t
fdb_count(const struct fdb *fdb, uint16_t port)
{
	return fdb->count[port];
}

bool
fdb_next(const struct fdb *fdb, uint32_t *next, uint32_t now, struct fdb_entry *entry)
{
	const void *key;
	void *data;
	const struct entry *e;
	uint64_t mac;
	int32_t idle;

	if (rte_hash_iterate(fdb->hash, &key, &data, next) < 0)
		return false;
	e = entry_of(fdb, (uintptr_t)data);
	mac = rte_cpu_to_le_64(e->key >> 16);
	memcpy(&entry->mac, &mac, sizeof(entry->mac));
	entry->bridge = e->key >> 12 & 0xF;
	entry->vlan = e->key & 0xFFF;
	entry->port = e->port;
	entry->pinned = e->pinned;
	idle = now - __atomic_load_n(seen_of(fdb, e), __ATOMIC_RELAXED);
	entry->idle = e->pinned ? 0 : RTE_MAX(idle, 0);
	return true;
}

uint32_t
fdb_generation(const struct fdb *fdb)
{
	return __atomic_load_n(&fdb->generation, __ATOMIC_ACQUIRE);
}

void
fdb_lookup(const struct fdb *fdb, const uint64_t *keys, unsigned int n, uint64_t *found)
{
	const void *pointers[FDB_BULK_MAX];
	hash_sig_t hashes[FDB_BULK_MAX];
	void *data[FDB_BULK_MAX];
	uint64_t hits = 0;
	unsigned int i;

	for (i = 0; i < n; i++) {
		pointers[i] = &keys[i];
		hashes[i] = hash_key(&keys[i], sizeof(keys[i]), 0);
	}
	rte_hash_lookup_with_hash_bulk_data(fdb->hash, pointers, hashes, n, &hits, data);
	for (i = 0; i < n; i++)
		found[i] = (hits >> i & 1) != 0 ? (uintptr_t)data[i] : FDB_NONE;
}

void
fdb_seen(struct fdb *fdb, uint64_t found, uint32_t now)
{
	uint32_t *seen = &fdb->seen[found >> INDEX_SHIFT];

	/* Written by one lcore, a line of the cache is lost to all others. */
	if (unlikely(__atomic_load_n(seen, __ATOMIC_RELAXED) != now))
		__atomic_store_n(seen, now, __ATOMIC_RELAXED);
}
