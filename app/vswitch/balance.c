/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <stdlib.h>

#include "balance.h"
#include "bridge.h"

/* A load follows by this part a second. */
#define SMOOTH 8
/* What a move has to better at least: a hundredth of an lcore. */
#define MOVE_MIN (BALANCE_FULL / 100)
/* In quarters of the spread: what may be left of it. */
#define LEFT_MAX 3
/* The worker of a queue that nobody polls. */
#define NOBODY UINT8_MAX

struct at {
	uint16_t port;
	uint16_t queue;
};

/* Where the queues would be, and the loads of the workers then. */
struct draft {
	uint8_t worker[RTE_MAX_ETHPORTS][RXQS_MAX];
	uint32_t loads[WORKERS_MAX];
	unsigned int most, least;
};

/* Is there a queue, there or behind it? */
static bool
settle(const struct vswitch *sw, struct at *at)
{
	for (; at->port < RTE_MAX_ETHPORTS; at->port++, at->queue = 0) {
		if (sw->ports[at->port] != NULL && at->queue < sw->ports[at->port]->nb_rxqs)
			return true;
	}
	return false;
}

#define FOREACH_QUEUE(sw, at) for (at = (struct at){ 0 }; settle(sw, &at); at.queue++)

static uint8_t
worker_of(const struct vswitch *sw, struct at at)
{
	return sw->ports[at.port]->worker[at.queue];
}

static uint32_t
load_of(const struct vswitch *sw, struct at at)
{
	return sw->balance.queues[at.port][at.queue].load;
}

static uint64_t
read_counter(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

/* Packets of the queue since the last sample. */
static uint64_t
packets_since(const struct vswitch *sw, struct at at)
{
	return read_counter(&sw->workers[worker_of(sw, at)]->polled[at.port][at.queue]) -
			sw->balance.queues[at.port][at.queue].packets;
}

/* Begin to count. */
static void
begin(struct vswitch *sw, uint64_t tsc)
{
	struct balance *b = &sw->balance;
	unsigned int i;
	struct at at;

	b->sampled = sw->now;
	b->tsc = tsc;
	for (i = 0; i < sw->nb_workers; i++)
		b->busy[i] = read_counter(&sw->workers[i]->busy);
	FOREACH_QUEUE(sw, at)
	b->queues[at.port][at.queue].packets += packets_since(sw, at);
}

/* The part of an lcore that so many packets of all were. Lcores count on meanwhile. */
static int32_t
part_of(const struct vswitch *sw, unsigned int worker, uint64_t part, uint64_t all,
		uint64_t elapsed)
{
	uint64_t busy = read_counter(&sw->workers[worker]->busy) - sw->balance.busy[worker];

	if (all == 0)
		return 0;
	return (double)RTE_MIN(busy, elapsed) / elapsed * RTE_MIN(part, all) / all * BALANCE_FULL;
}

void
balance_sample(struct vswitch *sw, uint64_t tsc)
{
	uint64_t packets[WORKERS_MAX] = { 0 };
	struct balance *b = &sw->balance;
	uint8_t worker;
	int32_t load;
	struct at at;

	if (b->tsc != 0 && b->sampled == sw->now)
		return;
	FOREACH_QUEUE(sw, at)
	packets[worker_of(sw, at)] += packets_since(sw, at);
	FOREACH_QUEUE(sw, at)
	{
		if (b->tsc == 0)
			break;
		worker = worker_of(sw, at);
		load = part_of(sw, worker, packets_since(sw, at), packets[worker], tsc - b->tsc);
		b->queues[at.port][at.queue].load += (load - (int32_t)load_of(sw, at)) / SMOOTH;
	}
	begin(sw, tsc);
}

uint32_t
balance_load(const struct vswitch *sw, unsigned int worker)
{
	uint32_t load = 0;
	struct at at;

	FOREACH_QUEUE(sw, at)
	load += worker_of(sw, at) == worker ? load_of(sw, at) : 0;
	return load;
}

void
balance_assign(struct vswitch *sw, struct port *port)
{
	unsigned int queues[WORKERS_MAX] = { 0 }, i, q, least;
	struct at at;

	FOREACH_QUEUE(sw, at)
	queues[worker_of(sw, at)]++;
	for (q = 0; q < port->nb_rxqs; q++) {
		least = 0;
		for (i = 1; i < sw->nb_workers; i++) {
			if (queues[i] < queues[least] ||
					(queues[i] == queues[least] &&
							balance_load(sw, i) <
									balance_load(sw, least)))
				least = i;
		}
		port->worker[q] = least;
		queues[least]++;
		sw->balance.queues[port->id][q].load = 0;
	}
	sw->balance.tsc = 0;
}

/* Lcores let go of the queues before others take them. */
static int
carry_out(struct vswitch *sw, const struct balance_step *steps, unsigned int n)
{
	unsigned int i;
	int ret;

	if (n == 0)
		return 0;
	for (i = 0; i < n; i++)
		sw->ports[steps[i].port]->worker[steps[i].queue] = NOBODY;
	ret = bridge_publish(sw);
	for (i = 0; i < n; i++)
		sw->ports[steps[i].port]->worker[steps[i].queue] = ret == 0 ? steps[i].to :
									      steps[i].from;
	sw->balance.tsc = 0;
	return ret == 0 ? bridge_publish(sw) : ret;
}

int
balance_move(struct vswitch *sw, struct port *port, uint16_t queue, unsigned int worker)
{
	struct balance_step step = { port->id, queue, port->worker[queue], worker, 0 };

	return carry_out(sw, &step, step.from != step.to);
}

static uint32_t
spread(struct draft *d, unsigned int nb_workers)
{
	unsigned int i;

	d->most = 0;
	d->least = 0;
	for (i = 1; i < nb_workers; i++) {
		if (d->loads[i] > d->loads[d->most])
			d->most = i;
		if (d->loads[i] < d->loads[d->least])
			d->least = i;
	}
	return d->loads[d->most] - d->loads[d->least];
}

/* Move the queue that brings the two lcores closest to each other, if that is worth it. */
static bool
improve(const struct vswitch *sw, struct draft *d)
{
	uint32_t gap = spread(d, sw->nb_workers), left, best_left = UINT32_MAX, load = 0;
	struct at at, best = { 0 };

	FOREACH_QUEUE(sw, at)
	{
		if (d->worker[at.port][at.queue] != d->most)
			continue;
		left = abs((int)gap - 2 * (int)load_of(sw, at));
		if (left >= best_left)
			continue;
		best_left = left;
		best = at;
		load = load_of(sw, at);
	}
	if (best_left > gap || gap - best_left < MOVE_MIN)
		return false;
	d->worker[best.port][best.queue] = d->least;
	d->loads[d->most] -= load;
	d->loads[d->least] += load;
	return true;
}

/* What differs in the end, however often a queue was moved. */
static void
write_steps(const struct vswitch *sw, const struct draft *d, struct balance_plan *plan)
{
	struct at at;

	FOREACH_QUEUE(sw, at)
	{
		if (d->worker[at.port][at.queue] != worker_of(sw, at))
			plan->steps[plan->nb++] = (struct balance_step){ at.port, at.queue,
				worker_of(sw, at), d->worker[at.port][at.queue], load_of(sw, at) };
	}
}

int
balance_rebalance(struct vswitch *sw, bool dry_run, struct balance_plan *plan)
{
	static struct draft d;
	unsigned int i;
	struct at at;

	FOREACH_QUEUE(sw, at)
	d.worker[at.port][at.queue] = worker_of(sw, at);
	for (i = 0; i < sw->nb_workers; i++)
		d.loads[i] = balance_load(sw, i);
	plan->nb = 0;
	plan->before = spread(&d, sw->nb_workers);
	while (improve(sw, &d))
		;
	plan->after = spread(&d, sw->nb_workers);
	if (plan->after > plan->before / 4 * LEFT_MAX)
		plan->after = plan->before;
	else
		write_steps(sw, &d, plan);
	return dry_run ? 0 : carry_out(sw, plan->steps, plan->nb);
}
