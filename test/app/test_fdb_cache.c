/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* What an lcore remembers of the forwarding database is what the database has. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <rte_malloc.h>

#include "bed.h"
#include "fdb_cache.h"
#include "packet.h"

#define db (bed_worker.fdb)
#define cache (bed_worker.fdb_cache)

static uint64_t
key_of(uint32_t n)
{
	return fdb_key(MAC(0) | (uint64_t)n << 24, 3, 7);
}

static void
renew(uint32_t now)
{
	fdb_cache_renew(cache, fdb_generation(db), now);
}

static uint64_t
look_up(uint64_t key)
{
	uint64_t found;

	fdb_cache_lookup(cache, db, &key, 1, &found);
	return found;
}

static uint64_t
look_up_seen_at(uint64_t key, uint16_t port)
{
	uint64_t found;

	fdb_cache_lookup_seen(cache, db, port, &key, 1, &found);
	return found;
}

static uint64_t
look_up_seen(uint64_t key)
{
	return look_up_seen_at(key, 2);
}

static bool
is_known(uint64_t key)
{
	uint64_t found;

	return fdb_cache_find(cache, key, &found);
}

static bool
is_seen(uint64_t key)
{
	uint64_t found;

	return fdb_cache_find_seen(cache, key, &found);
}

static void
test_found(void **state __rte_unused)
{
	uint64_t key = key_of(1), found;

	renew(5);
	assert_false(is_known(key));
	assert_true(look_up(key) == FDB_NONE);
	/* What is not there is not remembered, for it may be soon. */
	assert_false(is_known(key));
	assert_int_equal(fdb_learn(db, key, 2, 0, 5), 0);
	assert_int_equal(fdb_port(look_up(key)), 2);
	assert_true(fdb_cache_find(cache, key, &found));
	assert_int_equal(fdb_port(found), 2);
	assert_int_equal(fdb_pin(db, key_of(2), 4), 0);
	renew(5);
	assert_true((look_up(key_of(2)) & FDB_PINNED) != 0);
	assert_int_equal(fdb_port(look_up(key_of(2))), 4);
}

/* Port 0 and the key of nothing are as good as any. */
static void
test_zero(void **state __rte_unused)
{
	renew(0);
	assert_false(is_known(0));
	assert_true(look_up(0) == FDB_NONE);
	assert_int_equal(fdb_learn(db, 0, 0, 0, 0), 0);
	assert_true(look_up(0) != FDB_NONE);
	assert_true(is_known(0));
}

static void
test_changes(void **state __rte_unused)
{
	uint64_t key = key_of(1);

	assert_int_equal(fdb_learn(db, key, 2, 0, 5), 0);
	renew(5);
	look_up_seen(key);
	assert_true(is_known(key));
	assert_true(is_seen(key));
	/* It moves. */
	assert_int_equal(fdb_learn(db, key, 3, 0, 5), 0);
	renew(5);
	assert_false(is_known(key));
	assert_false(is_seen(key));
	assert_int_equal(fdb_port(look_up_seen_at(key, 3)), 3);
	/* It is forgotten. */
	fdb_forget(db, 3);
	renew(5);
	assert_false(is_known(key));
	assert_true(look_up(key) == FDB_NONE);
}

/* In each second the database is told once that an address is not silent. */
static void
test_seconds(void **state __rte_unused)
{
	uint64_t key = key_of(1);
	uint32_t now;

	assert_int_equal(fdb_learn(db, key, 2, 0, 5), 0);
	renew(5);
	/* Sent to it was something, but nothing came from there. */
	assert_true(look_up(key) != FDB_NONE);
	assert_true(is_known(key));
	assert_false(is_seen(key));
	renew(6);
	assert_false(is_seen(key));
	/* At another port it was not seen where it is. */
	assert_true(look_up_seen_at(key, 3) != FDB_NONE);
	assert_false(is_seen(key));
	assert_true(look_up_seen(key) != FDB_NONE);
	assert_true(is_seen(key));
	for (now = 7; now < 7 + 300; now++) {
		renew(now);
		assert_true(is_known(key));
		/* 256 seconds later it looks as if it were of this one, and is not for long. */
		assert_true(!is_seen(key) || now == 6 + 256);
	}
}

/* Generations whose kept bits are the same are not confused. */
static void
test_generations(void **state __rte_unused)
{
	uint64_t key = key_of(1);
	uint32_t generation = fdb_generation(db);

	assert_int_equal(fdb_learn(db, key, 2, 0, 5), 0);
	fdb_cache_renew(cache, generation, 5);
	look_up_seen(key);
	fdb_cache_renew(cache, generation + (1u << FDB_CACHE_GENERATION_BITS), 5);
	assert_false(is_known(key));
	look_up_seen(key);
	assert_true(is_known(key));
	fdb_cache_renew(cache, generation, 5);
	assert_false(is_known(key));
	fdb_cache_renew(cache, UINT32_MAX, 5);
	look_up_seen(key);
	fdb_cache_renew(cache, 0, 5);
	assert_false(is_known(key));
}

/* More addresses than there is room for: all are found, and what is remembered is right. */
static void
test_full(void **state __rte_unused)
{
	struct fdb_cache *all = cache, *small = fdb_cache_create(8, SOCKET_ID_ANY);
	uint64_t keys[FDB_BULK_MAX], found[FDB_BULK_MAX];
	unsigned int i, round, known = 0;

	assert_non_null(small);
	cache = small;
	for (i = 0; i < BED_LEARNED; i++)
		assert_int_equal(fdb_learn(db, key_of(i), i % 16, 0, 5), 0);
	renew(5);
	for (round = 0; round < 1000; round++) {
		for (i = 0; i < FDB_BULK_MAX; i++)
			keys[i] = key_of(rand() % (2 * BED_LEARNED));
		if (round % 2 == 0)
			fdb_cache_lookup(cache, db, keys, FDB_BULK_MAX, found);
		else
			fdb_cache_lookup_seen(cache, db, round % 16, keys, FDB_BULK_MAX, found);
		for (i = 0; i < FDB_BULK_MAX; i++) {
			uint64_t right;

			fdb_lookup(db, &keys[i], 1, &right);
			assert_true(found[i] == right);
		}
	}
	for (i = 0; i < BED_LEARNED; i++)
		known += is_known(key_of(i));
	assert_in_range(known, 1, 8 * FDB_CACHE_WAYS);
	rte_free(small);
	cache = all;
}

/* One that has room for all remembers nearly all. */
static void
test_room(void **state __rte_unused)
{
	unsigned int i, known = 0;

	for (i = 0; i < BED_LEARNED; i++)
		assert_int_equal(fdb_learn(db, key_of(i), 1, 0, 5), 0);
	renew(5);
	for (i = 0; i < BED_LEARNED; i++)
		look_up(key_of(i));
	for (i = 0; i < BED_LEARNED; i++)
		known += is_known(key_of(i));
	assert_in_range(known, BED_LEARNED * 9 / 10, BED_LEARNED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_found, bed_begin, bed_end),
		cmocka_unit_test_setup_teardown(test_zero, bed_begin, bed_end),
		cmocka_unit_test_setup_teardown(test_changes, bed_begin, bed_end),
		cmocka_unit_test_setup_teardown(test_seconds, bed_begin, bed_end),
		cmocka_unit_test_setup_teardown(test_generations, bed_begin, bed_end),
		cmocka_unit_test_setup_teardown(test_full, bed_begin, bed_end),
		cmocka_unit_test_setup_teardown(test_room, bed_begin, bed_end),
	};

	return cmocka_run_group_tests_name("vsw_fdb_cache", tests, bed_setup, bed_teardown);
}
