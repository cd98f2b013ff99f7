/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Turns: what ports bring in that are polled one after the other and always have more. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fair.h"

#define ROUNDS 2000u
#define QUEUES_MAX 32

/* A port with a full queue, or several, of packets of two lengths in turn. */
struct source {
	uint32_t lengths[2];
	unsigned int queues;
	struct fair fair[QUEUES_MAX];
	uint64_t sent;
	uint64_t packets;
	uint64_t bytes;
	uint64_t of_queue[QUEUES_MAX];
	/* Rounds in a row in which it had no turn, and most of them. */
	uint32_t waits;
	uint32_t most_waits;
};

static void
poll_queue(struct source *s, unsigned int queue)
{
	struct fair *fair = &s->fair[queue];
	uint16_t n = fair_turn(fair, s->queues), i;
	uint32_t bytes = 0;

	assert_true(n <= FAIR_PACKETS);
	assert_true(fair->credit <= FAIR_QUANTUM);
	if (n == 0)
		return;
	for (i = 0; i < n; i++)
		bytes += s->lengths[s->sent++ % 2];
	fair_charge(fair, n, bytes);
	s->packets += n;
	s->bytes += bytes;
	s->of_queue[queue] += bytes;
}

static void
run(struct source *s, unsigned int rounds)
{
	uint64_t before;
	unsigned int queue;

	for (; rounds > 0; rounds--) {
		before = s->packets;
		for (queue = 0; queue < s->queues; queue++)
			poll_queue(s, queue);
		s->waits = s->packets == before ? s->waits + 1 : 0;
		s->most_waits = RTE_MAX(s->most_waits, s->waits);
	}
}

/* Nobody has more than a burst or a quantum a round, whatever it sends. */
static void
assert_bounded(const struct source *s, unsigned int rounds)
{
	assert_true(s->packets <= (uint64_t)FAIR_PACKETS * rounds);
	assert_true(s->bytes <= (uint64_t)FAIR_QUANTUM * (rounds + FAIR_PACKETS * s->queues));
}

static void
test_packets(void **state __rte_unused)
{
	static const uint32_t lengths[] = { 14, 60, 64, 256, 1514, 2047, 2048 };
	unsigned int i;

	for (i = 0; i < RTE_DIM(lengths); i++) {
		struct source s = { .lengths = { lengths[i], lengths[i] }, .queues = 1 };

		run(&s, ROUNDS);
		assert_int_equal(s.packets, FAIR_PACKETS * ROUNDS);
	}
}

/* Of large ones as many as make up the bytes: all such ports have the same, in bytes. */
static void
test_bytes(void **state __rte_unused)
{
	static const uint32_t lengths[][2] = { { 2500, 2500 }, { 4096, 4096 }, { 9000, 9000 },
		{ 9018, 60 }, { 30000, 30000 }, { 65535, 65535 }, { 65549, 65549 }, { 65535, 14 },
		{ 14, 65535 }, { 40000, 1514 } };
	uint64_t wanted = (uint64_t)FAIR_QUANTUM * ROUNDS;
	unsigned int i;

	for (i = 0; i < RTE_DIM(lengths); i++) {
		struct source s = { .lengths = { lengths[i][0], lengths[i][1] }, .queues = 1 };

		run(&s, ROUNDS);
		assert_bounded(&s, ROUNDS);
		/* But for the first burst, before its packets are known. */
		assert_true(s.most_waits <= FAIR_PACKETS);
		s.most_waits = 0;
		run(&s, ROUNDS);
		if (s.bytes < 2 * wanted / 10)
			fail_msg("%u and %u bytes: %u of a hundred", lengths[i][0], lengths[i][1],
					(unsigned int)(s.bytes * 50 / wanted));
		assert_true(s.most_waits <= 4);
	}
}

/* Queues of a port share what it has, and have the same, also of packets larger than that is. */
static void
test_queues(void **state __rte_unused)
{
	static const uint32_t lengths[] = { 60, 1514, 4096, 9000, 65535 };
	unsigned int i, queues, queue;

	for (i = 0; i < RTE_DIM(lengths); i++) {
		for (queues = 1; queues <= QUEUES_MAX; queues *= 2) {
			struct source s = { .lengths = { lengths[i], lengths[i] },
				.queues = queues };

			run(&s, ROUNDS);
			assert_bounded(&s, ROUNDS);
			if (lengths[i] * FAIR_PACKETS <= FAIR_QUANTUM)
				assert_int_equal(s.packets, FAIR_PACKETS * ROUNDS);
			else
				assert_true(s.bytes >= (uint64_t)FAIR_QUANTUM * ROUNDS / 20 * 19);
			for (queue = 0; queue < queues; queue++) {
				if (s.of_queue[queue] < s.bytes / queues / 2)
					fail_msg("%u bytes: queue %u of %u has %u of %u",
							lengths[i], queue, queues,
							(unsigned int)s.of_queue[queue],
							(unsigned int)s.bytes);
			}
		}
	}
}

/* More queues than packets in a burst: each has its turn. */
static void
test_many_queues(void **state __rte_unused)
{
	struct fair fair = { 0 };
	unsigned int i;

	for (i = 0; i < 1000; i++) {
		assert_int_equal(fair_turn(&fair, 100), 1);
		fair_charge(&fair, 1, 60);
	}
}

/* Small ones first, so that much is thought to fit, and then a burst of the greatest. */
static void
test_burst(void **state __rte_unused)
{
	struct source s = { .lengths = { 14, 14 }, .queues = 1 };
	unsigned int rounds = 0;

	run(&s, 100);
	s.packets = s.bytes = 0;
	s.lengths[0] = s.lengths[1] = 65549;
	run(&s, 1);
	assert_int_equal(s.packets, FAIR_PACKETS);
	/* It pays it all back. */
	for (; s.packets == FAIR_PACKETS; rounds++)
		run(&s, 1);
	assert_in_range(rounds, FAIR_PACKETS - 1, FAIR_PACKETS + 1);
	run(&s, ROUNDS);
	assert_bounded(&s, ROUNDS + rounds + 1);
}

/* One that was silent has saved up no more than a quantum. */
static void
test_idle(void **state __rte_unused)
{
	struct fair fair = { 0 };
	unsigned int i;

	for (i = 0; i < 100000; i++)
		assert_int_equal(fair_turn(&fair, 1), FAIR_PACKETS);
	assert_int_equal(fair.credit, FAIR_QUANTUM);
	fair_charge(&fair, 1, 65535);
	assert_int_equal(fair.credit, 1);
	assert_int_equal(fair_turn(&fair, 1), 2);
}

/* Any lengths: nothing overflows (UBSan looks), and the port is not left out for long. */
static void
test_hostile(void **state __rte_unused)
{
	struct fair fair = { 0 };
	uint32_t seed = 1, waits = 0, i, bytes, j;
	uint64_t sum = 0;
	uint16_t n;

	for (i = 0; i < 200000; i++) {
		n = fair_turn(&fair, 1);
		assert_true(n <= FAIR_PACKETS);
		waits = n == 0 ? waits + 1 : 0;
		assert_true(waits <= FAIR_PACKETS);
		if (n == 0)
			continue;
		for (j = 0, bytes = 0; j < n; j++) {
			seed = seed * 1664525u + 1013904223u;
			bytes += (seed >> 31) != 0 ? 14 : 14 + (seed >> 8) % 65536;
		}
		fair_charge(&fair, n, bytes);
		sum += bytes;
		assert_true(fair.credit >= -(int32_t)(FAIR_PACKETS * 65550));
	}
	assert_true(sum <= (uint64_t)FAIR_QUANTUM * (i + FAIR_PACKETS));
	if (sum < (uint64_t)FAIR_QUANTUM * i / 4 * 3)
		fail_msg("%u of a hundred", (unsigned int)(sum * 100 / FAIR_QUANTUM / i));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packets),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_queues),
		cmocka_unit_test(test_many_queues),
		cmocka_unit_test(test_burst),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests_name("vsw_fair", tests, NULL, NULL);
}
