/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef LINKS_H
#define LINKS_H

/**
 * @file
 * Links with both ends in this process: what a backend's, and a frontend's, burst functions cost.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "leanfront.h"

#define LINKS_MAX 30
#define LINKS_BURST_MAX 64
/** Lengths, or batches, of one run. */
#define LINKS_LIST_MAX 8
/** Packets that are under way for so long are lost. Generous: nothing depends on it. */
#define LINKS_LOST_S 60

struct link {
	/* Ports; front is none's when a guest is there. */
	uint16_t back;
	uint16_t front;
	struct leanfront *guest;
	/* What the front port has got back, to be sent again. */
	struct rte_mbuf *pkts[LINKS_BURST_MAX];
};

struct links {
	struct link link[LINKS_MAX];
	unsigned int nb;
	struct rte_mempool *pool;
	/* What is to be measured. */
	unsigned int lengths[LINKS_LIST_MAX];
	unsigned int batches[LINKS_LIST_MAX];
	unsigned int nb_lengths;
	unsigned int nb_batches;
	unsigned int ms;
};

/**
 * A measurement: prints lines of a name, a packet's length, a batch, and a number.
 *
 * @return
 *   0, or -errno: then packets were lost.
 */
typedef int (*links_measure)(struct links *l);

/** Cycles of a poll that finds nothing, and of a burst of no packets; mean over all links. */
int
links_idle(struct links *l);

/** Cycles a packet of each burst function of both ends. */
int
links_bursts(struct links *l);

/** A packet's way there and back on the first link, nanoseconds: both ends on this lcore. */
int
links_rtt(struct links *l);

/** The same, with the backend on the main lcore. */
int
links_rtt_cores(struct links *l);

/** For the main lcore: give back what comes to the first link's backend, until the end. */
void
links_echo(struct links *l);

/** No more echo. */
void
links_echo_end(void);

#endif /* LINKS_H */
