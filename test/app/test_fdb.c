/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* The forwarding database: who is behind which port, for how long, and who has to make room. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <rte_malloc.h>
#include <rte_rcu_qsbr.h>

#include "bed.h"
#include "packet.h"

#define MACS 10000u
#define STEPS 60000u
#define AGE 50u

#define db (bed_worker.fdb)

static uint64_t
key_of(uint32_t n)
{
	return fdb_key(MAC(0) | (uint64_t)n << 24, 3, 7);
}

static uint64_t
lookup(uint64_t key)
{
	uint64_t found;

	fdb_lookup(db, &key, 1, &found);
	return found;
}

static void
assert_at(uint64_t key, uint16_t port, bool pinned)
{
	uint64_t found = lookup(key);

	assert_true(found != FDB_NONE);
	assert_int_equal(fdb_port(found), port);
	assert_int_equal((found & FDB_PINNED) != 0, pinned);
}

static void
assert_none(uint64_t key)
{
	assert_true(lookup(key) == FDB_NONE);
}

static void
test_pinned(void **state __rte_unused)
{
	uint64_t key = key_of(1);

	assert_none(key);
	assert_int_equal(fdb_pin(db, key, 5), 0);
	assert_at(key, 5, true);
	assert_int_equal(fdb_pin(db, key, 5), 0);
	assert_int_equal(fdb_pin(db, key, 6), -EEXIST);
	assert_int_equal(fdb_learn(db, key, 5, 0, 1), -EEXIST);
	assert_int_equal(fdb_learn(db, key, 6, 0, 1), -EEXIST);
	fdb_age(db, 5, 1, 1000000);
	assert_at(key, 5, true);
	assert_int_equal(fdb_count(db, 5), 0);
	/* The same address in other networks is another one's. */
	assert_int_equal(fdb_pin(db, fdb_key(MAC(1), 4, 7), 6), 0);
	assert_int_equal(fdb_pin(db, fdb_key(MAC(1), 3, 8), 7), 0);
	assert_at(key, 5, true);
	fdb_forget(db, 5);
	assert_none(key);
	assert_int_equal(fdb_pin(db, key, 31), 0);
	assert_at(key, 31, true);
}

static void
test_learned(void **state __rte_unused)
{
	uint64_t key = key_of(1);

	assert_int_equal(fdb_learn(db, key, 0, 0, 100), 0);
	assert_at(key, 0, false);
	assert_int_equal(fdb_count(db, 0), 1);
	assert_int_equal(fdb_learn(db, key, 2, 0, 101), 0);
	assert_at(key, 2, false);
	assert_int_equal(fdb_count(db, 0), 0);
	assert_int_equal(fdb_count(db, 2), 1);
	/* A guest comes and has the address. */
	assert_int_equal(fdb_pin(db, key, 3), 0);
	assert_at(key, 3, true);
	assert_int_equal(fdb_count(db, 2), 0);
	fdb_forget(db, 2);
	assert_at(key, 3, true);
}

static void
test_limit(void **state __rte_unused)
{
	unsigned int i;

	for (i = 0; i < 5; i++)
		assert_int_equal(fdb_learn(db, key_of(i), 1, 5, 100), 0);
	assert_int_equal(fdb_learn(db, key_of(5), 1, 5, 100), -ENOSPC);
	assert_none(key_of(5));
	assert_int_equal(fdb_learn(db, key_of(0), 1, 5, 100), 0);
	/* One that is elsewhere does not come either. */
	assert_int_equal(fdb_learn(db, key_of(6), 2, 5, 100), 0);
	assert_int_equal(fdb_learn(db, key_of(6), 1, 5, 100), -ENOSPC);
	assert_at(key_of(6), 2, false);
	assert_int_equal(fdb_learn(db, key_of(0), 2, 5, 100), 0);
	assert_int_equal(fdb_learn(db, key_of(5), 1, 5, 100), 0);
	assert_int_equal(fdb_count(db, 1), 5);
	assert_int_equal(fdb_count(db, 2), 2);
}

static void
test_age(void **state __rte_unused)
{
	fdb_learn(db, key_of(1), 1, 0, 100);
	fdb_learn(db, key_of(2), 1, 0, 100);
	fdb_learn(db, key_of(3), 1, 0, 105);
	fdb_learn(db, key_of(4), 2, 0, 100);
	fdb_age(db, 1, 10, 109);
	assert_int_equal(fdb_count(db, 1), 3);
	fdb_seen(db, lookup(key_of(2)), 109);
	fdb_age(db, 1, 10, 110);
	assert_none(key_of(1));
	assert_at(key_of(2), 1, false);
	assert_at(key_of(3), 1, false);
	assert_at(key_of(4), 2, false);
	/* An address that is learned once more has been seen, too. */
	assert_int_equal(fdb_learn(db, key_of(3), 1, 0, 112), 0);
	fdb_age(db, 1, 10, 118);
	assert_int_equal(fdb_count(db, 1), 2);
	fdb_age(db, 1, 10, 140);
	assert_int_equal(fdb_count(db, 1), 0);
	assert_none(key_of(2));
	assert_none(key_of(3));
}

/* The control thread has looked at its clock a little earlier than an lcore. */
static void
test_age_clock_behind(void **state __rte_unused)
{
	struct fdb_entry entry;
	uint32_t next = 0;

	fdb_learn(db, key_of(1), 1, 0, 100);
	fdb_seen(db, lookup(key_of(1)), 201);
	fdb_age(db, 1, 10, 200);
	assert_at(key_of(1), 1, false);
	assert_true(fdb_next(db, &next, 200, &entry));
	assert_int_equal(entry.idle, 0);
}

static void
test_forget(void **state __rte_unused)
{
	unsigned int i;

	for (i = 0; i < 30; i++) {
		assert_int_equal(fdb_learn(db, key_of(i), i % 3, 0, 100), 0);
		assert_int_equal(fdb_pin(db, key_of(100 + i), i % 3), 0);
	}
	fdb_forget(db, 1);
	for (i = 0; i < 30; i++) {
		if (i % 3 == 1) {
			assert_none(key_of(i));
			assert_none(key_of(100 + i));
		} else {
			assert_at(key_of(i), i % 3, false);
			assert_at(key_of(100 + i), i % 3, true);
		}
	}
}

/* Port 1 has most: of that the address that is silent for longest has to go. */
static void
test_evict(void **state __rte_unused)
{
	unsigned int i;

	for (i = 0; i < BED_LEARNED; i++)
		assert_int_equal(fdb_learn(db, key_of(i), i < 10 ? 2 : 1, 0, 100 + i), 0);
	fdb_seen(db, lookup(key_of(10)), 500);
	fdb_seen(db, lookup(key_of(12)), 500);
	assert_int_equal(fdb_learn(db, key_of(1000), 2, 0, 501), 0);
	assert_none(key_of(11));
	assert_int_equal(fdb_learn(db, key_of(1001), 3, 0, 501), 0);
	assert_none(key_of(13));
	assert_int_equal(fdb_count(db, 1), BED_LEARNED - 12);
	for (i = 0; i < 10; i++)
		assert_at(key_of(i), 2, false);
	assert_at(key_of(10), 1, false);
	assert_at(key_of(12), 1, false);
	assert_at(key_of(1000), 2, false);
	assert_at(key_of(1001), 3, false);
	/* Whoever has most makes room for itself. */
	for (i = 2000; i < 3000; i++)
		assert_int_equal(fdb_learn(db, key_of(i), 1, 0, 502), 0);
	for (i = 0; i < 10; i++)
		assert_at(key_of(i), 2, false);
	assert_int_equal(fdb_count(db, 1), BED_LEARNED - 12);
}

/* All have been seen: one of them has to go all the same. */
static void
test_evict_all_seen(void **state __rte_unused)
{
	unsigned int i;

	for (i = 0; i < BED_LEARNED; i++) {
		assert_int_equal(fdb_learn(db, key_of(i), 1, 0, 100), 0);
		fdb_seen(db, lookup(key_of(i)), 101);
	}
	assert_int_equal(fdb_learn(db, key_of(1000), 2, 0, 101), 0);
	assert_int_equal(fdb_count(db, 1), BED_LEARNED - 1);
	assert_at(key_of(1000), 2, false);
}

static void
test_full(void **state __rte_unused)
{
	unsigned int i;

	for (i = 0; i < FDB_PINNED_MAX; i++)
		assert_int_equal(fdb_pin(db, key_of(i), i % RTE_MAX_ETHPORTS), 0);
	assert_int_equal(fdb_pin(db, key_of(i), 0), -ENOSPC);
	assert_int_equal(fdb_pin(db, key_of(0), 0), 0);
	/* Room for learned ones is theirs. */
	for (i = 0; i < BED_LEARNED; i++)
		assert_int_equal(fdb_learn(db, key_of(100000 + i), 1, 0, 100), 0);
	/* One that is learned is not lost for a pin that finds no room. */
	assert_int_equal(fdb_pin(db, key_of(100000), 2), -ENOSPC);
	assert_at(key_of(100000), 1, false);
	for (i = 0; i < FDB_PINNED_MAX; i++)
		assert_at(key_of(i), i % RTE_MAX_ETHPORTS, true);
}

static void
test_generation(void **state __rte_unused)
{
	uint32_t before = fdb_generation(db);

#define assert_same() assert_int_equal(fdb_generation(db), before)
#define assert_changed() \
	do { \
		assert_int_not_equal(fdb_generation(db), before); \
		before = fdb_generation(db); \
	} while (0)

	assert_int_not_equal(before, 0);
	fdb_pin(db, key_of(1), 1);
	fdb_learn(db, key_of(2), 2, 0, 100);
	assert_same();
	fdb_pin(db, key_of(1), 1);
	fdb_pin(db, key_of(1), 2);
	fdb_learn(db, key_of(1), 2, 0, 100);
	fdb_learn(db, key_of(2), 2, 0, 101);
	fdb_learn(db, key_of(3), 2, 1, 101);
	fdb_age(db, 2, 10, 105);
	fdb_forget(db, 3);
	fdb_seen(db, lookup(key_of(2)), 105);
	fdb_age(db, 2, 10, 112);
	assert_same();
	fdb_learn(db, key_of(2), 3, 0, 112);
	assert_changed();
	fdb_pin(db, key_of(2), 3);
	assert_changed();
	fdb_learn(db, key_of(4), 4, 0, 112);
	assert_same();
	fdb_age(db, 4, 10, 200);
	assert_changed();
	fdb_forget(db, 1);
	assert_changed();
}

static void
test_bulk(void **state __rte_unused)
{
	uint64_t keys[FDB_BULK_MAX], found[FDB_BULK_MAX];
	unsigned int i, n;

	for (i = 0; i < FDB_BULK_MAX; i++)
		keys[i] = key_of(i * 17 % 50);
	for (i = 0; i < 50; i += 2)
		assert_int_equal(fdb_learn(db, key_of(i), i % RTE_MAX_ETHPORTS, 0, 100), 0);
	for (n = 1; n <= FDB_BULK_MAX; n++) {
		memset(found, 0x5A, sizeof(found));
		fdb_lookup(db, keys, n, found);
		for (i = 0; i < n; i++) {
			if (i * 17 % 50 % 2 == 0)
				assert_int_equal(fdb_port(found[i]),
						i * 17 % 50 % RTE_MAX_ETHPORTS);
			else
				assert_true(found[i] == FDB_NONE);
		}
		for (; i < FDB_BULK_MAX; i++)
			assert_true(found[i] == UINT64_C(0x5A5A5A5A5A5A5A5A));
	}
}

static void
test_next(void **state __rte_unused)
{
	bool shown[40] = { false };
	struct fdb_entry entry;
	uint32_t next = 0;
	unsigned int i, n = 0;

	for (i = 0; i < 40; i++) {
		if (i < 20)
			fdb_pin(db, fdb_key(MAC(i), i % 16, 100 * i), i % 7);
		else
			fdb_learn(db, fdb_key(MAC(i), i % 16, 100 * i), i % 7, 0, 100 + i);
	}
	for (; fdb_next(db, &next, 200, &entry); n++) {
		i = entry.mac.addr_bytes[5];
		assert_true(i < 40 && !shown[i]);
		shown[i] = true;
		assert_true(fdb_mac(&entry.mac) == MAC(i));
		assert_int_equal(entry.bridge, i % 16);
		assert_int_equal(entry.vlan, 100 * i);
		assert_int_equal(entry.port, i % 7);
		assert_int_equal(entry.pinned, i < 20);
		assert_int_equal(entry.idle, i < 20 ? 0 : 100 - i);
	}
	assert_int_equal(n, 40);
}

/* Slots of keys that were removed come back when the lcore has passed, and not before. */
static void
test_grace(void **state __rte_unused)
{
	struct rte_rcu_qsbr *rcu = bed_worker.rcu;
	uint64_t found;
	uint32_t n;

	assert_int_equal(rte_rcu_qsbr_thread_register(rcu, 0), 0);
	rte_rcu_qsbr_thread_online(rcu, 0);
	assert_int_equal(fdb_pin(db, key_of(0), 1), 0);
	for (n = 1; n < 200000; n++) {
		if (fdb_learn(db, key_of(n), 2, 0, 100) != 0)
			break;
		fdb_forget(db, 2);
		assert_none(key_of(n));
	}
	/* All slots were used, each by one key alone. */
	assert_true(n >= BED_LEARNED + FDB_PINNED_MAX && n < 200000);
	assert_int_equal(fdb_learn(db, key_of(n), 2, 0, 100), -ENOSPC);
	assert_int_equal(fdb_pin(db, key_of(n), 2), -ENOSPC);
	assert_at(key_of(0), 1, true);
	rte_rcu_qsbr_quiescent(rcu, 0);
	for (n = 1; n <= BED_LEARNED; n++)
		assert_int_equal(fdb_learn(db, key_of(n), 2, 0, 100), 0);
	/* What an lcore has found may be written to when it is gone. */
	found = lookup(key_of(1));
	fdb_forget(db, 2);
	fdb_seen(db, found, 1000);
	assert_none(key_of(1));
	rte_rcu_qsbr_thread_offline(rcu, 0);
	rte_rcu_qsbr_thread_unregister(rcu, 0);
}

/* What is known of an address: the port, and when it was seen. */
struct known {
	bool is;
	bool pinned;
	uint16_t port;
	uint32_t seen;
};

static struct known model[MACS];

static void
model_age(uint16_t port, uint32_t now)
{
	unsigned int i;

	fdb_age(db, port, AGE, now);
	for (i = 0; i < MACS; i++) {
		struct known *k = &model[i];

		if (!k->is || k->pinned || k->port != port || now - k->seen < AGE)
			continue;
		/* Ages are looked at in an order that is not exact. */
		if (now - k->seen >= 2 * AGE || lookup(key_of(i)) == FDB_NONE) {
			assert_none(key_of(i));
			k->is = false;
		}
	}
}

static void
model_forget(uint16_t port)
{
	unsigned int i;

	fdb_forget(db, port);
	for (i = 0; i < MACS; i++) {
		if (model[i].port == port)
			model[i].is = false;
	}
}

static void
model_learn(unsigned int i, uint16_t port, uint32_t now)
{
	struct known *k = &model[i];

	assert_int_equal(fdb_learn(db, key_of(i), port, 0, now), k->is && k->pinned ? -EEXIST : 0);
	if (!k->is || !k->pinned)
		*k = (struct known){ .is = true, .port = port, .seen = now };
}

static void
model_pin(unsigned int i, uint16_t port)
{
	struct known *k = &model[i];

	assert_int_equal(fdb_pin(db, key_of(i), port),
			k->is && k->pinned && k->port != port ? -EEXIST : 0);
	if (!k->is || !k->pinned)
		*k = (struct known){ .is = true, .pinned = true, .port = port };
}

static void
model_check(unsigned int i)
{
	if (model[i].is)
		assert_at(key_of(i), model[i].port, model[i].pinned);
	else
		assert_none(key_of(i));
}

static void
model_check_all(void)
{
	uint32_t count[RTE_MAX_ETHPORTS] = { 0 }, next = 0;
	struct fdb_entry entry;
	unsigned int i, n = 0;

	for (i = 0; i < MACS; i++) {
		model_check(i);
		n += model[i].is;
		if (model[i].is && !model[i].pinned)
			count[model[i].port]++;
	}
	while (fdb_next(db, &next, 0, &entry))
		n--;
	assert_int_equal(n, 0);
	for (i = 0; i < RTE_MAX_ETHPORTS; i++)
		assert_int_equal(fdb_count(db, i), count[i]);
}

static void
test_random(void **state __rte_unused)
{
	unsigned int step, i;
	uint32_t now = 1000;
	uint16_t port;

	fdb_free(db);
	db = fdb_create(MACS, bed_worker.rcu);
	assert_non_null(db);
	memset(model, 0, sizeof(model));
	for (step = 0; step < STEPS; step++) {
		i = bed_random() % MACS;
		port = bed_random() % 6;
		now += bed_random() % 500 == 0;
		switch (bed_random() % 2000) {
		case 0:
			model_forget(port);
			break;
		case 1 ... 10:
			model_age(port, now);
			break;
		case 11 ... 200:
			model_pin(i, port);
			break;
		case 201 ... 600:
			if (model[i].is && !model[i].pinned) {
				fdb_seen(db, lookup(key_of(i)), now);
				model[i].seen = now;
			}
			break;
		default:
			model_learn(i, port, now);
			break;
		}
		model_check(i);
		model_check(bed_random() % MACS);
	}
	model_check_all();
}

#define case_of(name) cmocka_unit_test_setup_teardown(name, bed_begin, bed_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		case_of(test_pinned),
		case_of(test_learned),
		case_of(test_limit),
		case_of(test_age),
		case_of(test_age_clock_behind),
		case_of(test_forget),
		case_of(test_evict),
		case_of(test_evict_all_seen),
		case_of(test_full),
		case_of(test_generation),
		case_of(test_bulk),
		case_of(test_next),
		case_of(test_grace),
		case_of(test_random),
	};

	return cmocka_run_group_tests_name("vsw_fdb", tests, bed_setup, bed_teardown);
}
