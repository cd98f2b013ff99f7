/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * For LD_PRELOAD into a DPDK application: what UMONITOR and UMWAIT do, on a processor without them.
 * An lcore sleeps until an address changes as it wants, or for as long as Linux lets it.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <rte_cpuflags.h>
#include <rte_cycles.h>
#include <rte_power_intrinsics.h>

/* Cycles of the TSC, and naps of as many nanoseconds. Linux' limit (umwait_control) is shorter. */
#define SLEEP_MAX 3000000
#define NAP 50000
/* It says once that lcores sleep to the end, and that they are woken up. */
#define SLEEPS_TOLD 1000
#define WAKES_TOLD 100

void
rte_cpu_get_intrinsics_support(struct rte_cpu_intrinsics *intrinsics)
{
	*intrinsics = (struct rte_cpu_intrinsics){
		.power_monitor = 1,
		.power_pause = 1,
		.power_monitor_multi = 1,
	};
}

static bool
changed(const struct rte_power_monitor_cond *c)
{
	uint64_t value;

	switch (c->size) {
	case 2:
		value = *(volatile uint16_t *)c->addr;
		break;
	case 4:
		value = *(volatile uint32_t *)c->addr;
		break;
	default:
		return true;
	}
	return c->fn(value, c->opaque) != 0;
}

static bool
any_changed(const struct rte_power_monitor_cond *conds, uint32_t num)
{
	bool any = false;
	uint32_t i;

	/* Each is looked at: none may be gone. */
	for (i = 0; i < num; i++)
		any |= changed(&conds[i]);
	return any;
}

static void
count(uint32_t *counter, uint32_t told, const char *what)
{
	if (__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED) == told)
		fprintf(stderr, "umwait: %u %s\n", told, what);
}

int
rte_power_monitor_multi(const struct rte_power_monitor_cond conds[], const uint32_t num,
		const uint64_t tsc_timestamp)
{
	uint64_t end = RTE_MIN(tsc_timestamp, rte_get_tsc_cycles() + SLEEP_MAX);
	const struct timespec nap = { .tv_nsec = NAP };
	static uint32_t sleeps, wakes;

	if (any_changed(conds, num))
		return 0;
	do {
		nanosleep(&nap, NULL);
		if (any_changed(conds, num)) {
			count(&wakes, WAKES_TOLD, "wake-ups");
			return 0;
		}
	} while (rte_get_tsc_cycles() < end);
	count(&sleeps, SLEEPS_TOLD, "sleeps");
	return 0;
}

int
rte_power_monitor(const struct rte_power_monitor_cond *cond, const uint64_t tsc_timestamp)
{
	return rte_power_monitor_multi(cond, 1, tsc_timestamp);
}
