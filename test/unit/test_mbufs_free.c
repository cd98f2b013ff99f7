/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * xen_mbufs_free() by itself: whatever an application has made of its mbufs, each comes back to its
 * own mempool, once, and as whoever takes it next has to find it.
 */

#include <stdlib.h>

#include <rte_malloc.h>

#include "unit.h"
#include "xen_mbuf.h"

#define MBUFS 63u
#define PKTS 16u
#define ROOM 512u
#define BUF_LEN (RTE_PKTMBUF_HEADROOM + ROOM)

/* Two like any other, and one whose mbufs have external buffers for good. */
static struct rte_mempool *first, *second, *pinned;

/* The pointers that are freed go through room of their own, or through the array itself. */
static bool apart;

/* External buffers that have been given back. */
static unsigned int given_back;

static struct rte_mbuf *
take(struct rte_mempool *pool)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

	assert_non_null(m);
	assert_non_null(rte_pktmbuf_append(m, 100));
	m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	return m;
}

static void
free_all(struct rte_mbuf **pkts, unsigned int n)
{
	struct rte_mbuf *room[PKTS], *old[PKTS];

	assert_in_range(n, 1, PKTS);
	memcpy(old, pkts, n * sizeof(*pkts));
	xen_mbufs_free(pkts, n, apart ? room : pkts);
	if (apart)
		assert_memory_equal(pkts, old, n * sizeof(*pkts));
}

/* All mbufs of a mempool but some, as they are there. */
static void
check_pool(struct rte_mempool *pool, unsigned int out)
{
	static struct rte_mbuf *all[MBUFS];
	const unsigned int n = MBUFS - out;
	const char *why = "";
	unsigned int i, j;

	assert_int_equal(rte_mempool_avail_count(pool), n);
	assert_int_equal(rte_mempool_get_bulk(pool, (void **)all, n), 0);
	for (i = 0; i < n; i++) {
		for (j = 0; j < i; j++)
			assert_ptr_not_equal(all[i], all[j]);
		if (rte_mbuf_check(all[i], 0, &why) < 0)
			fail_msg("mbuf %u of %s: %s", i, pool->name, why);
		assert_ptr_equal(all[i]->pool, pool);
		assert_int_equal(rte_mbuf_refcnt_read(all[i]), 1);
		assert_null(all[i]->next);
		assert_int_equal(all[i]->nb_segs, 1);
		assert_int_equal(all[i]->buf_len, BUF_LEN);
		if (pool == pinned) {
			assert_int_equal(all[i]->ol_flags &
							(RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT),
					RTE_MBUF_F_EXTERNAL);
			assert_int_equal(rte_mbuf_ext_refcnt_read(all[i]->shinfo), 1);
		} else {
			assert_ptr_equal(all[i]->buf_addr, all[i] + 1);
			assert_true(RTE_MBUF_DIRECT(all[i]));
		}
		rte_pktmbuf_reset(all[i]);
		if (rte_mbuf_check(all[i], 1, &why) < 0)
			fail_msg("mbuf %u of %s: %s", i, pool->name, why);
	}
	rte_mempool_put_bulk(pool, (void **)all, n);
}

static void
check_pools(void)
{
	check_pool(first, 0);
	check_pool(second, 0);
	check_pool(pinned, 0);
}

/* Mempools in turn, and in stretches of each length. */
static void
test_pools(void **state __rte_unused)
{
	struct rte_mbuf *pkts[PKTS];
	unsigned int stretch, n, i;

	for (stretch = 1; stretch <= PKTS; stretch++) {
		for (n = 1; n <= PKTS; n++) {
			for (i = 0; i < n; i++)
				pkts[i] = take(i / stretch % 2 == 0 ? first : second);
			free_all(pkts, n);
			check_pools();
		}
	}
	xen_mbufs_free(pkts, 0, pkts);
	check_pools();
}

static struct rte_mbuf *
take_clone(struct rte_mbuf *m, struct rte_mempool *pool)
{
	struct rte_mbuf *c = rte_pktmbuf_clone(m, pool);

	assert_non_null(c);
	return c;
}

/* The buffer is the mbuf's again when nobody else has it. */
static void
test_pinned(void **state __rte_unused)
{
	struct rte_mbuf *pkts[PKTS], *c;
	unsigned int i;

	for (i = 0; i < PKTS; i++)
		pkts[i] = take(i % 3 == 1 ? first : pinned);
	free_all(pkts, PKTS);
	check_pools();

	for (i = 0; i < PKTS; i++)
		pkts[i] = take(i % 3 == 1 ? first : pinned);
	c = take_clone(pkts[PKTS / 2], second);
	assert_ptr_equal(pkts[PKTS / 2]->pool, pinned);
	free_all(pkts, PKTS);
	check_pool(first, 0);
	check_pool(second, 1);
	check_pool(pinned, 1);
	free_all(&c, 1);
	check_pools();

	/* The clone goes before, and in the same array before or behind. */
	pkts[0] = take(pinned);
	c = take_clone(pkts[0], second);
	free_all(&c, 1);
	check_pool(second, 0);
	check_pool(pinned, 1);
	free_all(pkts, 1);
	check_pools();
	for (i = 0; i < 2; i++) {
		pkts[i] = take(pinned);
		pkts[1 - i] = take_clone(pkts[i], second);
		free_all(pkts, 2);
		check_pools();
	}
}

/* One packet several times, for each of which there is a reference. */
static void
test_twice(void **state __rte_unused)
{
	struct rte_mempool *const pools[] = { first, pinned };
	struct rte_mbuf *pkts[PKTS], *m;
	unsigned int i, j, at, behind;

	for (i = 0; i < RTE_DIM(pools); i++) {
		for (at = 0; at < 3; at++) {
			for (behind = at + 1; behind < 4; behind++) {
				m = take(pools[i]);
				rte_mbuf_refcnt_update(m, 1);
				for (j = 0; j < 4; j++)
					pkts[j] = j == at || j == behind ? m : take(pools[i]);
				free_all(pkts, 4);
				check_pools();
			}
		}
		/* Somebody keeps it. */
		pkts[0] = m = take(pools[i]);
		rte_mbuf_refcnt_update(m, 1);
		free_all(pkts, 1);
		check_pool(pools[i], 1);
		assert_int_equal(rte_mbuf_refcnt_read(m), 1);
		pkts[0] = m;
		free_all(pkts, 1);
		check_pools();
	}
}

/* An mbuf with another's data. */
static void
test_indirect(void **state __rte_unused)
{
	struct rte_mbuf *pkts[PKTS], *m;
	unsigned int i;

	m = take(first);
	pkts[0] = take(second);
	pkts[1] = take_clone(m, second);
	pkts[2] = take(second);
	free_all(pkts, 3);
	check_pool(first, 1);
	check_pool(second, 0);
	assert_int_equal(rte_mbuf_refcnt_read(m), 1);
	free_all(&m, 1);
	check_pools();
	for (i = 0; i < 2; i++) {
		pkts[i] = take(first);
		pkts[1 - i] = take_clone(pkts[i], i == 0 ? first : second);
		pkts[2] = take(first);
		free_all(pkts, 3);
		check_pools();
	}
}

static void
give_back(void *addr, void *opaque __rte_unused)
{
	given_back++;
	free(addr);
}

/* An mbuf with a buffer of the application's. */
static struct rte_mbuf *
take_extbuf(struct rte_mempool *pool)
{
	uint16_t len = ROOM;
	uint8_t *data = malloc(len);
	struct rte_mbuf_ext_shared_info *shinfo;
	struct rte_mbuf *m = take(pool);

	assert_non_null(data);
	shinfo = rte_pktmbuf_ext_shinfo_init_helper(data, &len, give_back, NULL);
	assert_non_null(shinfo);
	rte_pktmbuf_attach_extbuf(m, data, RTE_BAD_IOVA, len, shinfo);
	m->data_off = 0;
	return m;
}

static void
test_extbuf(void **state __rte_unused)
{
	struct rte_mbuf *pkts[PKTS], *c;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		pkts[0] = take(first);
		pkts[1] = take(pinned);
		pkts[2] = take(first);
		rte_pktmbuf_free(pkts[i]);
		pkts[i] = take_extbuf(first);
		given_back = 0;
		free_all(pkts, 3);
		assert_int_equal(given_back, 1);
		check_pools();
	}
	pkts[0] = take_extbuf(first);
	c = take_clone(pkts[0], second);
	given_back = 0;
	free_all(pkts, 1);
	assert_int_equal(given_back, 0);
	check_pool(first, 0);
	check_pool(second, 1);
	free_all(&c, 1);
	assert_int_equal(given_back, 1);
	check_pools();
}

/* More mbufs than the first one says. */
static void
test_chain(void **state __rte_unused)
{
	struct rte_mempool *const pools[] = { first, second, pinned };
	struct rte_mbuf *pkts[PKTS];
	unsigned int i, j, at, n;

	for (i = 0; i < RTE_DIM(pools); i++) {
		for (n = 1; n <= 3; n++) {
			for (at = 0; at < n; at++) {
				for (j = 0; j < n; j++)
					pkts[j] = take(first);
				pkts[at]->next = take(pools[i]);
				pkts[at]->next->next = take(first);
				free_all(pkts, n);
				check_pools();
			}
		}
	}
}

static struct rte_mbuf *
take_any(unsigned int *buffers)
{
	struct rte_mempool *const pools[] = { first, second, pinned };
	struct rte_mempool *pool = pools[rand() % RTE_DIM(pools)];
	struct rte_mbuf *m = take(pool);

	switch (rand() % 6) {
	case 0:
		m->next = take(pools[rand() % RTE_DIM(pools)]);
		break;
	case 1:
		rte_pktmbuf_free(m);
		m = take_extbuf(rand() % 2 == 0 ? first : second);
		++*buffers;
		break;
	default:
		break;
	}
	return m;
}

/* Of everything, in any order, and of each a clone or a reference more now and then. */
static void
test_any(void **state __rte_unused)
{
	struct rte_mbuf *pkts[PKTS], *swap;
	unsigned int round, i, j, buffers;

	srand(11);
	for (round = 0; round < 2000; round++) {
		buffers = 0;
		given_back = 0;
		for (i = 0; i < PKTS; i += 2) {
			pkts[i] = take_any(&buffers);
			if (rand() % 3 == 0) {
				pkts[i + 1] = take_any(&buffers);
			} else if (rand() % 2 == 0) {
				pkts[i + 1] = pkts[i];
				if (pkts[i]->next != NULL)
					rte_mbuf_refcnt_update(pkts[i]->next, 1);
				rte_mbuf_refcnt_update(pkts[i], 1);
			} else {
				swap = pkts[i]->next;
				pkts[i]->next = NULL;
				rte_pktmbuf_free(swap);
				pkts[i + 1] = take_clone(pkts[i], rand() % 2 == 0 ? first : second);
			}
		}
		for (i = PKTS - 1; i > 0; i--) {
			j = rand() % (i + 1);
			swap = pkts[i];
			pkts[i] = pkts[j];
			pkts[j] = swap;
		}
		free_all(pkts, PKTS);
		assert_int_equal(given_back, buffers);
		check_pools();
	}
}

static struct rte_mempool *
make_pool(const char *name)
{
	struct rte_mempool *pool = rte_pktmbuf_pool_create(name, MBUFS, 0, 0, BUF_LEN,
			SOCKET_ID_ANY);

	assert_non_null(pool);
	return pool;
}

static struct rte_pktmbuf_extmem memory;

static int
start(void **state)
{
	if (unit_setup(state) != 0)
		return -1;
	first = make_pool("first");
	second = make_pool("second");
	memory.elt_size = BUF_LEN;
	memory.buf_len = MBUFS * BUF_LEN;
	memory.buf_iova = RTE_BAD_IOVA;
	memory.buf_ptr = rte_malloc(NULL, memory.buf_len, RTE_CACHE_LINE_SIZE);
	assert_non_null(memory.buf_ptr);
	pinned = rte_pktmbuf_pool_create_extbuf("pinned", MBUFS, 0, 0, BUF_LEN, SOCKET_ID_ANY,
			&memory, 1);
	assert_non_null(pinned);
	return 0;
}

static int
end(void **state)
{
	rte_mempool_free(first);
	rte_mempool_free(second);
	rte_mempool_free(pinned);
	rte_free(memory.buf_ptr);
	return unit_teardown(state);
}

static int
in_array(void **state __rte_unused)
{
	apart = false;
	return 0;
}

static int
in_room(void **state __rte_unused)
{
	apart = true;
	return 0;
}

#define both(fn) cmocka_unit_test_setup(fn, in_array), cmocka_unit_test_setup(fn, in_room)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		both(test_pools),
		both(test_pinned),
		both(test_twice),
		both(test_indirect),
		both(test_extbuf),
		both(test_chain),
		both(test_any),
	};

	return cmocka_run_group_tests_name("mbufs_free", tests, start, end);
}
