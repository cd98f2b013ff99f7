/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Which lcore polls which queue: what lcores count goes in, and moves come out. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "balance.h"
#include "bridge.h"
#include "vswitch.h"

/* TSC cycles a second. */
#define HZ 1000000
#define PORTS 6
/* Seconds until a load is as good as the last one. */
#define LONG 120

static struct vswitch sw;
static struct worker workers[4];
static struct port ports[PORTS];
static struct balance_plan plan;
/* When bridge_publish() fails, counted down from; and what it was called for. */
static int fails_in;
static unsigned int published;
static uint8_t seen[8][PORTS];

int
bridge_publish(struct vswitch *s)
{
	unsigned int i;

	assert_ptr_equal(s, &sw);
	if (fails_in > 0 && --fails_in == 0)
		return -ENOMEM;
	for (i = 0; i < PORTS; i++)
		seen[published % RTE_DIM(seen)][i] = ports[i].worker[0];
	published++;
	return 0;
}

static int
setup(void **state __rte_unused)
{
	unsigned int i;

	memset(&sw, 0, sizeof(sw));
	memset(workers, 0, sizeof(workers));
	memset(ports, 0, sizeof(ports));
	memset(&plan, 0xFF, sizeof(plan));
	fails_in = 0;
	published = 0;
	sw.nb_workers = 2;
	for (i = 0; i < RTE_DIM(workers); i++)
		sw.workers[i] = &workers[i];
	for (i = 0; i < PORTS; i++)
		ports[i].id = i;
	return 0;
}

/* Port i with one queue, polled by that worker. */
static void
add_port(unsigned int i, unsigned int worker)
{
	ports[i].nb_rxqs = 1;
	ports[i].worker[0] = worker;
	sw.ports[i] = &ports[i];
}

/* A second in which each worker is busy for so many percent, and queue 0 of each port brings so
 * many packets.
 */
static void
second(const unsigned int *busy, const unsigned int *packets)
{
	unsigned int i;

	for (i = 0; i < sw.nb_workers; i++)
		workers[i].busy += busy[i] * (HZ / 100);
	for (i = 0; i < PORTS; i++) {
		if (sw.ports[i] != NULL)
			workers[ports[i].worker[0]].polled[i][0] += packets[i];
	}
	sw.now++;
	balance_sample(&sw, (uint64_t)(sw.now + 1) * HZ);
}

static void
seconds(unsigned int n, const unsigned int *busy, const unsigned int *packets)
{
	while (n-- > 0)
		second(busy, packets);
}

static uint32_t
load(unsigned int port)
{
	return sw.balance.queues[port][0].load / (BALANCE_FULL / 100);
}

static void
assert_near(uint32_t value, uint32_t wanted)
{
	assert_in_range(value, wanted - 1, wanted);
}

static void
test_sample(void **state __rte_unused)
{
	static const unsigned int busy[] = { 80, 20 }, packets[PORTS] = { 300, 100, 0, 50 };
	static const unsigned int idle[] = { 0, 0 }, none[PORTS] = { 0 };
	unsigned int i;

	for (i = 0; i < 4; i++)
		add_port(i, i == 3);
	/* The first one has nothing before it. */
	second(busy, packets);
	assert_int_equal(load(0), 0);
	/* Within a second there is one. */
	workers[0].polled[1][0] += 1000;
	balance_sample(&sw, 0);
	assert_int_equal(load(1), 0);
	workers[0].polled[1][0] -= 1000;
	second(busy, packets);
	assert_in_range(load(0), 7, 8);
	seconds(LONG, busy, packets);
	assert_near(load(0), 60);
	assert_near(load(1), 20);
	assert_int_equal(load(2), 0);
	assert_near(load(3), 20);
	assert_near(balance_load(&sw, 0) / (BALANCE_FULL / 100), 80);
	seconds(LONG, idle, none);
	assert_int_equal(load(0), 0);
}

/* More busy than there was time: counters are read one after the other. */
static void
test_sample_full(void **state __rte_unused)
{
	static const unsigned int busy[] = { 130, 0 }, packets[PORTS] = { 1 };

	add_port(0, 0);
	seconds(LONG, busy, packets);
	assert_near(load(0), 100);
}

static void
test_assign(void **state __rte_unused)
{
	static const unsigned int busy[] = { 80, 20 }, packets[PORTS] = { 1, 1, 1, 1 };
	unsigned int i;

	for (i = 0; i < 4; i++)
		add_port(i, i % 2);
	seconds(LONG, busy, packets);
	/* As many queues: the one with the least load, then the one with fewer queues. */
	ports[4].nb_rxqs = 3;
	sw.balance.queues[4][1].load = 5;
	balance_assign(&sw, &ports[4]);
	assert_int_equal(ports[4].worker[0], 1);
	assert_int_equal(ports[4].worker[1], 0);
	assert_int_equal(ports[4].worker[2], 1);
	assert_int_equal(sw.balance.queues[4][1].load, 0);
	/* Packets of whoever had its number before are not its own. */
	workers[1].polled[4][0] = 1000000;
	sw.ports[4] = &ports[4];
	second(busy, packets);
	second(busy, (const unsigned int[PORTS]){ 1, 1, 1, 1, 0 });
	assert_int_equal(load(4), 0);
}

static void
test_move(void **state __rte_unused)
{
	add_port(0, 0);
	add_port(1, 1);
	assert_int_equal(balance_move(&sw, &ports[0], 0, 1), 0);
	/* Nobody has the queue before another one does. */
	assert_int_equal(published, 2);
	assert_int_equal(seen[0][0], UINT8_MAX);
	assert_int_equal(seen[1][0], 1);
	assert_int_equal(seen[0][1], 1);
	assert_int_equal(balance_move(&sw, &ports[0], 0, 1), 0);
	assert_int_equal(published, 2);
	fails_in = 1;
	assert_int_equal(balance_move(&sw, &ports[0], 0, 0), -ENOMEM);
	assert_int_equal(ports[0].worker[0], 1);
	fails_in = 2;
	assert_int_equal(balance_move(&sw, &ports[0], 0, 0), -ENOMEM);
	assert_int_equal(ports[0].worker[0], 0);
}

static void
test_moved_load(void **state __rte_unused)
{
	static const unsigned int busy[] = { 80, 40 }, packets[PORTS] = { 100, 100, 100 };

	add_port(0, 0);
	add_port(1, 0);
	add_port(2, 1);
	seconds(LONG, busy, packets);
	assert_int_equal(balance_move(&sw, &ports[0], 0, 1), 0);
	/* It keeps its load, and the second of the move counts for nobody. */
	workers[1].polled[0][0] += 12345;
	second((const unsigned int[]){ 40, 80 }, packets);
	assert_near(load(0), 40);
	seconds(LONG, (const unsigned int[]){ 40, 80 }, packets);
	assert_near(load(0), 40);
	assert_near(load(2), 40);
}

static void
test_rebalance(void **state __rte_unused)
{
	static const unsigned int busy[] = { 90, 0 }, packets[PORTS] = { 40, 30, 20, 0 };
	unsigned int i;

	for (i = 0; i < 4; i++)
		add_port(i, 0);
	seconds(LONG, busy, packets);
	assert_int_equal(balance_rebalance(&sw, true, &plan), 0);
	assert_int_equal(plan.nb, 1);
	assert_near(plan.before / 10000, 90);
	assert_in_range(plan.after / 10000, 9, 10);
	assert_int_equal(plan.steps[0].port, 0);
	assert_int_equal(plan.steps[0].queue, 0);
	assert_int_equal(plan.steps[0].from, 0);
	assert_int_equal(plan.steps[0].to, 1);
	assert_near(plan.steps[0].load / 10000, 40);
	assert_int_equal(published, 0);
	assert_int_equal(ports[0].worker[0], 0);
	assert_int_equal(balance_rebalance(&sw, false, &plan), 0);
	assert_int_equal(published, 2);
	assert_int_equal(ports[0].worker[0], 1);
	assert_int_equal(ports[1].worker[0], 0);
	/* What is spread well stays. */
	assert_int_equal(balance_rebalance(&sw, false, &plan), 0);
	assert_int_equal(plan.nb, 0);
	assert_int_equal(plan.after, plan.before);
	assert_int_equal(published, 2);
}

static void
test_several(void **state __rte_unused)
{
	static const unsigned int busy[] = { 60, 0, 0, 30 }, packets[PORTS] = { 1, 1, 1, 1, 1, 1 };
	unsigned int i, loads[4] = { 0 };

	sw.nb_workers = 4;
	for (i = 0; i < PORTS; i++)
		add_port(i, i < 4 ? 0 : 3);
	seconds(LONG, busy, packets);
	assert_int_equal(balance_rebalance(&sw, false, &plan), 0);
	/* Both steps at once. */
	assert_int_equal(published, 2);
	assert_int_equal(plan.nb, 2);
	for (i = 0; i < PORTS; i++)
		loads[ports[i].worker[0]]++;
	for (i = 0; i < 4; i++)
		assert_in_range(loads[i], 1, 2);
	assert_near(plan.after / 10000, 15);
}

/* One queue is all that an lcore has to do; or the gain is small; or there is hardly any load. */
static void
test_not_worth_it(void **state __rte_unused)
{
	static const unsigned int one[] = { 90, 10 }, packets[PORTS] = { 1, 1 };
	static const unsigned int little[] = { 1, 0 }, two[PORTS] = { 10, 10 };

	add_port(0, 0);
	add_port(1, 1);
	seconds(LONG, one, packets);
	assert_int_equal(balance_rebalance(&sw, false, &plan), 0);
	assert_int_equal(plan.nb, 0);
	assert_near(plan.before / 10000, 80);
	assert_int_equal(plan.after, plan.before);
	/* What could be moved would leave 66 of 80. */
	setup(NULL);
	add_port(0, 0);
	add_port(1, 1);
	add_port(2, 0);
	seconds(LONG, one, (const unsigned int[PORTS]){ 90, 1, 8 });
	assert_int_equal(balance_rebalance(&sw, false, &plan), 0);
	assert_int_equal(plan.nb, 0);
	setup(NULL);
	add_port(0, 0);
	add_port(1, 0);
	seconds(LONG, little, two);
	assert_int_equal(balance_rebalance(&sw, false, &plan), 0);
	assert_int_equal(plan.nb, 0);
	assert_int_equal(published, 0);
}

/* Neither ports nor a second lcore. */
static void
test_nothing(void **state __rte_unused)
{
	assert_int_equal(balance_rebalance(&sw, false, &plan), 0);
	assert_int_equal(plan.nb, 0);
	assert_int_equal(plan.before, 0);
	sw.nb_workers = 1;
	add_port(0, 0);
	seconds(3, (const unsigned int[]){ 50 }, (const unsigned int[PORTS]){ 7 });
	assert_int_equal(balance_rebalance(&sw, false, &plan), 0);
	assert_int_equal(plan.nb, 0);
	assert_int_equal(plan.before, 0);
}

static void
test_no_memory(void **state __rte_unused)
{
	static const unsigned int busy[] = { 80, 0 }, packets[PORTS] = { 1, 1 };

	add_port(0, 0);
	add_port(1, 0);
	seconds(LONG, busy, packets);
	fails_in = 1;
	assert_int_equal(balance_rebalance(&sw, false, &plan), -ENOMEM);
	assert_int_equal(ports[0].worker[0], 0);
	assert_int_equal(ports[1].worker[0], 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_sample, setup),
		cmocka_unit_test_setup(test_sample_full, setup),
		cmocka_unit_test_setup(test_assign, setup),
		cmocka_unit_test_setup(test_move, setup),
		cmocka_unit_test_setup(test_moved_load, setup),
		cmocka_unit_test_setup(test_rebalance, setup),
		cmocka_unit_test_setup(test_several, setup),
		cmocka_unit_test_setup(test_not_worth_it, setup),
		cmocka_unit_test_setup(test_nothing, setup),
		cmocka_unit_test_setup(test_no_memory, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
