/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef BALANCE_H
#define BALANCE_H

/**
 * @file
 * Which lcore polls which Rx queue. All functions are for the control thread.
 *
 * The load of a queue is its part of the packets of its lcore, of the time that the lcore is busy:
 * what a packet costs is taken for the same in all queues of an lcore, for to measure that would
 * cost each packet something.
 */

#include <stdbool.h>
#include <stdint.h>

#include "dataplane.h"

/** The load of an lcore that is busy all the time. */
#define BALANCE_FULL 1000000

struct port;
struct vswitch;

/** What queues and lcores have had to do. All zero: nothing is known yet. */
struct balance {
	/** The second of the last sample, and its TSC; 0: it says nothing of what there is now. */
	uint32_t sampled;
	uint64_t tsc;
	/** The lcores' counters then. */
	uint64_t busy[WORKERS_MAX];
	struct {
		/** The counter of the queue's lcore then. */
		uint64_t packets;
		/** Over the last seconds. */
		uint32_t load;
	} queues[RTE_MAX_ETHPORTS][RXQS_MAX];
};

/** A queue that goes from one worker to another one. */
struct balance_step {
	uint16_t port;
	uint16_t queue;
	uint8_t from, to;
	uint32_t load;
};

struct balance_plan {
	/** Between the most and the least loaded lcore, and what is expected after the steps. */
	uint32_t before, after;
	unsigned int nb;
	struct balance_step steps[RTE_MAX_ETHPORTS * RXQS_MAX];
};

/** Look at what has been done: to be called often; it takes a sample a second. */
void
balance_sample(struct vswitch *sw, uint64_t tsc);

/** Give each queue of a port that is new, and not in \p sw yet, to the worker with the fewest. */
void
balance_assign(struct vswitch *sw, struct port *port);

/**
 * Give a queue to another worker. Nobody polls it meanwhile: no two lcores may at a time.
 *
 * @return
 *   0; -ENOMEM: all is as before, or the queue rests until bridge_publish() succeeds.
 */
int
balance_move(struct vswitch *sw, struct port *port, uint16_t queue, unsigned int worker);

/**
 * Spread the load, by few moves; by none, unless the spread becomes less by a quarter at least.
 *
 * @param dry_run
 *   Only say what would be moved.
 * @return
 *   0, -ENOMEM.
 */
int
balance_rebalance(struct vswitch *sw, bool dry_run, struct balance_plan *plan);

/** The load of a worker over the last seconds: the sum of its queues'. */
uint32_t
balance_load(const struct vswitch *sw, unsigned int worker);

#endif /* BALANCE_H */
