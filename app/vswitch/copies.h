/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef COPIES_H
#define COPIES_H

/**
 * @file
 * Copies of a port's bursts, for captures and for a mirror: what lcores do. Who gets them is in the
 * dataplane. What comes in is copied before anything of it is changed, what goes out as the port's
 * driver is given it; of that, only what the driver takes counts.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_common.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include "dataplane.h"

struct worker;

/** Packets that are copied at a time at most. */
#define COPIES_BURST 32
/** Ports that a capture can have, one after another, those that are gone counted in. */
#define CAPTURE_INTERFACES_MAX 256
/** The number of all others: their packets are counted as lost, and in no file. */
#define CAPTURE_INTERFACE_NONE CAPTURE_INTERFACES_MAX

/** What a capture's copy tells besides its data: the private area of its mbuf. */
struct capture_record {
	uint64_t tsc;
	/** Bytes of the packet, without a tag that is none of its data. */
	uint32_t length;
	uint16_t interface;
	uint16_t queue;
	/** The tag that is none of its data, if there is one. */
	uint16_t tci;
	bool tagged;
	/** It was sent. */
	bool out;
};

/** Where lcores put a capture's copies. There is room in the ring for all mbufs of the pool. */
struct capture_sink {
	struct rte_ring *ring;
	struct rte_mempool *pool;
	/** Bytes that are copied of a packet at most. */
	uint32_t snaplen;
	/** Packets that each lcore has lost, of each interface: the pool was empty, or it is none.
	 */
	struct {
		uint64_t packets[CAPTURE_INTERFACES_MAX + 1];
	} __rte_cache_aligned lost[WORKERS_MAX];
};

/** What each lcore has done for a mirror. */
struct mirror_counts {
	struct {
		/** Copies, and those that could not be had. */
		uint64_t packets;
		uint64_t lost;
	} __rte_cache_aligned lcores[WORKERS_MAX];
};

/** Copies that are made, and not yet given to anyone. NULL among them: it could not be had. */
struct copies {
	const struct dp_copies *set;
	bool out;
	uint16_t n;
	struct rte_mbuf *captured[CAPTURES_MAX][COPIES_BURST];
	struct rte_mbuf *mirrored[COPIES_BURST];
};

/**
 * Copy a burst, of up to COPIES_BURST packets. The worker's lcore.
 *
 * @param out
 *   They are to be sent.
 */
void
copies_take(struct copies *copies, struct worker *w, const struct dp_copies *set, uint16_t queue,
		bool out, struct rte_mbuf *const *pkts, uint16_t n);

/** Hand the first \p n of the copies to whom they are for, and free the others. */
void
copies_give(struct copies *copies, struct worker *w, uint16_t n);

/** Both, for a burst that has come in. */
void
copies_receive(struct worker *w, const struct dp_copies *set, uint16_t queue,
		struct rte_mbuf *const *pkts, uint16_t n);

#endif /* COPIES_H */
