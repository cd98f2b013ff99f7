/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef PAIR_H
#define PAIR_H

/**
 * @file
 * Both drivers against each other in one process and one domain, as in a PV dom0.
 */

#include "toolstack.h"
#include "unit.h"

#define PAIR_BACK "net_xenvif_pair"
#define PAIR_FRONT "net_xenfront_pair"

extern struct pair {
	struct rawfront names; /* of the directories alone */
	uint16_t back;
	uint16_t front;
} pair;

/** Frames of a lane, and packets of a burst. */
#define PAIR_FRAMES 2000
#define PAIR_BURST 32

/** Frames under way by a queue: their lengths, and how many went in and came out. */
struct pair_lane {
	uint32_t len[PAIR_FRAMES];
	unsigned int sent;
	unsigned int got;
};

/** The seed of a queue's n-th frame: see unit_packet(). */
uint32_t
pair_seed(unsigned int queue, unsigned int n);

/** Send packets, the lane's next ones; those that are not taken are freed, to be made anew. */
void
pair_send(struct pair_lane *lane, uint16_t port, uint16_t queue, struct rte_mbuf **pkts,
		uint16_t n);

/** Receive a burst: it is the lane's next frames, as they were sent. */
void
pair_take(struct pair_lane *lane, uint16_t port, uint16_t queue);

/** Probe both ports and make their vif, which has their number of queues as its number. */
void
pair_probe(unsigned int queues);

/** The same with more arguments for either port, each from its comma on. */
void
pair_probe_args(unsigned int queues, const char *back, const char *front);

/** pair_probe(), started and connected. */
void
pair_open(unsigned int queues, uint64_t offloads);

/** Wait until both links are up. */
void
pair_wait(void);

/** Remove ports and vif, and check that nothing of them is left. */
void
pair_close(void);

#endif /* PAIR_H */
