/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* The bucket of a guest's rate, on a clock of the test's: by one thread and by several. */

#include <pthread.h>

#include "rate.h"
#include "unit.h"

#define THREADS 4
#define STEPS 200000

static uint64_t
rnd(void)
{
	static __thread uint64_t seed;

	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return seed >> 33;
}

/* Take packets of up to len_max bytes until there is no credit, or it is another queue's turn. */
static uint64_t
take_all(struct xenvif_rate *rate, unsigned int queue, uint64_t now, uint32_t len_max)
{
	uint64_t bytes = 0;
	uint32_t len;

	while (xenvif_rate_allows(rate, queue, now)) {
		do {
			len = 60 + rnd() % (len_max - 59);
			bytes += len;
		} while (xenvif_rate_charge(rate, len));
	}
	return bytes;
}

/* Within a thousandth, and a packet. */
static void
expect_bytes(double bytes, double expected, uint32_t len_max)
{
	double error = bytes - expected;

	if (error > expected / 1000 + len_max || error < -expected / 1000 - len_max)
		fail_msg("%.0f bytes, not %.0f", bytes, expected);
}

static const struct {
	struct xenvif_rate_limit limit;
	uint32_t len_max;
	/* Seconds of the clock. */
	double time;
} loads[] = {
	{ { 62500, 50000 }, 1514, 100 },
	{ { 62500, 50000 }, 65535, 100 },
	{ { 1250000, 1000000 }, 1514, 100 },
	{ { 6250000, 50000 }, 1514, 1 },
	{ { UINT32_MAX, 1000000 }, 65535, 10 },
	{ { UINT32_MAX, UINT32_MAX }, 65535, 100 },
	/* A byte of them is a long time; or so short that many pass in a step. */
	{ { 3, 7000 }, 1514, 100000 },
	{ { 1, 1000000 }, 60, 1000000 },
	{ { 1, 1 }, 1514, 10 },
};

/* The bucket is full when it is used for the first time. */
static void
test_bucket(void **state __rte_unused)
{
	struct xenvif_rate rate = { 0 };
	uint64_t start = UINT64_C(1) << 50, now, bytes, step;
	unsigned int i, j;

	for (i = 0; i < RTE_DIM(loads); i++) {
		memset(&rate, 0, sizeof(rate));
		xenvif_rate_set(&rate, &loads[i].limit);
		step = loads[i].time * rte_get_tsc_hz() / STEPS;
		bytes = 0;
		for (j = 0, now = start; j < STEPS; j++) {
			bytes += take_all(&rate, 0, now, loads[i].len_max);
			now += rnd() % (2 * step);
		}
		bytes += take_all(&rate, 0, now, loads[i].len_max);
		expect_bytes(bytes,
				rate_burst(&loads[i].limit) +
						rate_bytes_per_sec(&loads[i].limit) *
								rate_seconds(now - start),
				loads[i].len_max);
	}
}

/* Any second of a guest that always has packets, not only their sum. */
static void
test_each_second(void **state __rte_unused)
{
	const struct xenvif_rate_limit limit = { .bytes = 62500, .usec = 50000 };
	uint64_t now = 1, bytes;
	struct xenvif_rate rate = { 0 };
	unsigned int i, j;

	xenvif_rate_set(&rate, &limit);
	take_all(&rate, 0, now, 1514);
	for (i = 0; i < 100; i++) {
		bytes = 0;
		for (j = 0; j < 10000; j++) {
			now += rte_get_tsc_hz() / 10000;
			bytes += take_all(&rate, 0, now, 1514);
		}
		assert_in_range(bytes, 1250000 - 1250000 / 100, 1250000 + 1250000 / 100);
	}
}

/* What is not used is kept up to the bucket's size, however long nobody comes. */
static void
test_idle(void **state __rte_unused)
{
	static const struct xenvif_rate_limit limits[] = { { 62500, 50000 }, { 5000000, 50000 } };
	static const double times[] = { 1, 1e3, 1e6, 1e9 };
	uint64_t now = 1;
	struct xenvif_rate rate = { 0 };
	unsigned int i, j;

	for (i = 0; i < RTE_DIM(limits); i++) {
		xenvif_rate_set(&rate, &limits[i]);
		for (j = 0; j < RTE_DIM(times); j++) {
			now += times[j] * rte_get_tsc_hz();
			expect_bytes(take_all(&rate, 0, now, 1514), rate_burst(&limits[i]), 1514);
			/* An lcore whose clock is a little behind changes nothing. */
			assert_false(xenvif_rate_allows(&rate, 0, now - 1000));
		}
	}
}

/* A change counts from when it is made: there is neither a gift nor a debt of the old rate. */
static void
test_bucket_change(void **state __rte_unused)
{
	const struct xenvif_rate_limit none = { 0 }, slow = { 1000, 1000000 };
	const struct xenvif_rate_limit fast = { 100000000, 1000000 };
	uint64_t now = 1, hz = rte_get_tsc_hz();
	struct xenvif_rate rate = { 0 };

	assert_false(xenvif_rate_limited(&rate));
	assert_true(xenvif_rate_allows(&rate, 0, now));
	xenvif_rate_set(&rate, &fast);
	assert_true(xenvif_rate_limited(&rate));
	now += 10 * hz;
	/* A full bucket of the fast rate is not for the slow one. */
	assert_true(xenvif_rate_allows(&rate, 0, now));
	xenvif_rate_set(&rate, &slow);
	expect_bytes(take_all(&rate, 0, now, 1514), XENVIF_RATE_BURST_MIN, 1514);
	/* What the slow one owes is paid at the fast one's pace. */
	xenvif_rate_charge(&rate, 65535);
	xenvif_rate_set(&rate, &fast);
	now += hz / 100;
	expect_bytes(take_all(&rate, 0, now, 1514), 1000000 - 65535, 3000);
	xenvif_rate_set(&rate, &none);
	assert_false(xenvif_rate_limited(&rate));
	assert_true(xenvif_rate_allows(&rate, 0, now));
	xenvif_rate_set(&rate, &slow);
	assert_int_equal(xenvif_rate_get(&rate).bytes, slow.bytes);
	assert_int_equal(xenvif_rate_get(&rate).usec, slow.usec);
}

struct sharer {
	struct xenvif_rate *rate;
	uint64_t *clock;
	unsigned int queue;
	uint64_t bytes;
};

/* Moves everybody's clock on, and takes what is there. */
static void *
share(void *arg)
{
	struct sharer *s = arg;
	uint64_t now, step = rte_get_tsc_hz() / 20000;
	unsigned int i;

	for (i = 0; i < STEPS / THREADS; i++) {
		now = __atomic_add_fetch(s->clock, rnd() % step, __ATOMIC_RELAXED);
		s->bytes += take_all(s->rate, s->queue, now, 9000);
	}
	return NULL;
}

/* What several threads take is as much as one alone would, within a packet of each. */
static void
test_shared_bucket(void **state __rte_unused)
{
	const struct xenvif_rate_limit limit = { .bytes = 625000, .usec = 50000 };
	uint64_t start = UINT64_C(1) << 50, clock = start, bytes = 0;
	struct xenvif_rate rate = { 0 };
	struct sharer s[THREADS];
	pthread_t ids[THREADS];
	unsigned int i;

	xenvif_rate_set(&rate, &limit);
	for (i = 0; i < THREADS; i++) {
		s[i] = (struct sharer){ .rate = &rate, .clock = &clock, .queue = i };
		assert_int_equal(pthread_create(&ids[i], NULL, share, &s[i]), 0);
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(ids[i], NULL);
		bytes += s[i].bytes;
	}
	/* Whoever waits has had its turn by then. */
	for (i = 0; i < 2 * THREADS; i++)
		bytes += take_all(&rate, i % THREADS, clock, 9000);
	expect_bytes(bytes,
			rate_burst(&limit) +
					rate_bytes_per_sec(&limit) * rate_seconds(clock - start),
			THREADS * 9000);
}

/* Queues that wait have their turn, however unevenly they are polled; a lone one has all. */
static void
test_turns(void **state __rte_unused)
{
	const struct xenvif_rate_limit limit = { .bytes = 62500, .usec = 50000 };
	uint64_t now = UINT64_C(1) << 50;
	struct xenvif_rate rate = { 0 };
	unsigned int i, j, n[32] = { 0 };

	xenvif_rate_set(&rate, &limit);
	take_all(&rate, 0, now, 1514);
	/* Credit comes between the rounds alone: for one packet. */
	for (i = 0; i < 32 * 100; i++) {
		now += rte_get_tsc_hz() / 1000;
		for (j = 0; j < RTE_DIM(n); j++) {
			if (!xenvif_rate_allows(&rate, j, now))
				continue;
			n[j]++;
			xenvif_rate_charge(&rate, 1250);
		}
	}
	for (j = 0; j < RTE_DIM(n); j++)
		assert_in_range(n[j], 99, 101);
	/* The others have stopped: two looks are enough. */
	for (i = 0; i < 100; i++) {
		now += rte_get_tsc_hz() / 1000;
		assert_true(xenvif_rate_allows(&rate, 7, now) || xenvif_rate_allows(&rate, 7, now));
		xenvif_rate_charge(&rate, 1250);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bucket),
		cmocka_unit_test(test_each_second),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_bucket_change),
		cmocka_unit_test(test_shared_bucket),
		cmocka_unit_test(test_turns),
	};

	return cmocka_run_group_tests(tests, unit_setup, unit_teardown);
}
