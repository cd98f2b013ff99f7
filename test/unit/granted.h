/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef GRANTED_H
#define GRANTED_H

/**
 * @file
 * A net_xenfront port with a mempool whose pages are granted to the backend of rawback.h.
 */

#include <rte_mbuf.h>

/** Mbufs of the port's mempool, bytes of theirs, the operations' name, and the port's argument. */
#define GRANTED_MBUFS 600u
#define GRANTED_ROOM (2048 + RTE_PKTMBUF_HEADROOM)
#define GRANTED_OPS "xenfront_granted"
#define GRANTED_ARGS ",granted=4"

/** Create such a mempool; NULL when it cannot be had. */
struct rte_mempool *
granted_pool(const char *name, unsigned int n, uint16_t room);

/** For cmocka: both ends, connected, with rawback.pool. */
int
granted_setup(void **state);

/** Mbufs that are in the mempool. */
unsigned int
granted_available(void);

/** Fail unless all are, but for those of the RX ring and so many. */
void
granted_expect(unsigned int less);

/** The frontend closes, says why, and has all mbufs back; then it takes a new backend. */
void
granted_expect_broken(const char *why);

/** Fill the next n buffers with a packet of the pattern: lens[i] bytes at offsets[i]. */
void
granted_put(const uint16_t *lens, const uint16_t *offsets, unsigned int n, uint32_t seed);

#endif /* GRANTED_H */
