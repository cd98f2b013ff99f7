/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef FAIR_H
#define FAIR_H

/**
 * @file
 * Turns: how much a port may bring in when it is polled.
 *
 * Byte-deficit round robin, with a bound on packets beside it: in each round a port has so many
 * bytes and one burst. Small packets cost by the packet, large ones by their bytes: neither kind
 * lets a guest have more of the lcore than another.
 */

#include <stdint.h>

#include <rte_common.h>

/** Bytes a round: one packet of the greatest length. */
#define FAIR_QUANTUM 65536
/** Packets a round. */
#define FAIR_PACKETS 32

/** The account of an Rx queue. All zero: as good as any. */
struct fair {
	/** Bytes that it may still bring in; negative: that it has had too many. */
	int32_t credit;
	/** Bytes of a packet, on average. */
	uint32_t length;
};

/**
 * A queue is to be polled, as it is once a round.
 *
 * @param queues
 *   Queues of its port that the lcore polls: each has a part of what the port has. 1 or more.
 * @return
 *   Packets that it may bring in, up to FAIR_PACKETS; 0: it is not polled.
 */
static inline uint16_t
fair_turn(struct fair *fair, unsigned int queues)
{
	uint32_t most = FAIR_PACKETS, quantum = FAIR_QUANTUM;

	/* Divisions take as long as packets: there are none where there is no need. */
	if (queues > 1) {
		most = RTE_MAX(FAIR_PACKETS / queues, 1u);
		quantum = FAIR_QUANTUM / queues;
	}
	fair->credit = RTE_MIN(fair->credit + (int32_t)quantum, FAIR_QUANTUM);
	if (fair->credit <= 0)
		return 0;
	if ((uint32_t)fair->credit >= most * fair->length)
		return most;
	return RTE_MAX(fair->credit / fair->length, 1u);
}

/** It has brought in so much: n packets, 1 or more. */
static inline void
fair_charge(struct fair *fair, uint16_t n, uint32_t bytes)
{
	uint32_t length = n == FAIR_PACKETS ? bytes / FAIR_PACKETS : bytes / n;

	fair->credit -= bytes;
	fair->length = (fair->length + length) / 2;
}

#endif /* FAIR_H */
