/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef FLOW_H
#define FLOW_H

/**
 * @file
 * Flows of all kinds, whose packets are numbered: each flow has to keep to one of a vif's queues,
 * with its packets in order.
 */

#include <stdint.h>

#include "frame.h"

#define FLOW_MAX 256
#define FLOW_QUEUES_MAX 32

struct flows {
	/* By flow: packets made and seen, and the queue that they came through. */
	uint32_t made[FLOW_MAX];
	uint32_t seen[FLOW_MAX];
	int queue[FLOW_MAX];
	/* Packets seen, by queue and in all. */
	uint32_t through[FLOW_QUEUES_MAX];
	uint32_t all;
};

/** Nothing made and nothing seen. */
void
flow_init(struct flows *f);

/** The frame of a flow's packet number n; 0 to 3 are IP, see flow.c for the kinds. */
void
flow_frame(struct frame *frame, unsigned int flow, uint32_t n);

/** Make the next packet of a flow. */
struct rte_mbuf *
flow_next(struct flows *f, unsigned int flow);

/** A packet has come through a queue: fail unless it is the next of its flow, and all of it. */
void
flow_see(struct flows *f, const void *data, uint32_t len, unsigned int queue);

/** Fail unless all that was made has been seen, and each of the queues had its share. */
void
flow_check(const struct flows *f, unsigned int queues);

#endif /* FLOW_H */
