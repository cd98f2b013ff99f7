/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef LANE_H
#define LANE_H

/**
 * @file
 * Numbered packets through one of a guest's RX rings: each of its own length, segments and content,
 * so that none can be lost, doubled, reordered or damaged without notice.
 */

#include "vif.h"

struct lane {
	struct vif *v;
	/* The guest's queue. */
	unsigned int queue;
	/* Not to be longer than one page. */
	bool small;
	/* Packets that were made and that have arrived. */
	uint32_t made;
	uint32_t got;
};

/** Length of a lane's packet number n. */
uint32_t
lane_len(const struct lane *lane, uint32_t n);

/** Where the content of a lane's packet number n begins, for unit_byte(). */
uint32_t
lane_seed(const struct lane *lane, uint32_t n);

/** Make the next packet, with a hash by which it comes to the lane's queue. */
struct rte_mbuf *
lane_next(struct lane *lane);

/** Give the last n packets that were made back: they have not been taken. */
void
lane_unmake(struct lane *lane, struct rte_mbuf **pkts, uint16_t n);

/** Make n packets and send them through the application's queue; how many were taken. */
uint16_t
lane_send(struct lane *lane, uint16_t txq, uint16_t n);

/** Take what has arrived, each packet as it was sent and in order; how many there were. */
unsigned int
lane_take(struct lane *lane);

/** Post buffers until all that was sent has arrived, by bursts of the application's rx queue. */
void
lane_drain(struct lane *lane, uint16_t rxq);

#endif /* LANE_H */
