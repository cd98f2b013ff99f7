/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef FUZZ_CHAIN_H
#define FUZZ_CHAIN_H

/**
 * @file
 * Mbufs of malloc(), each with a buffer of its own that ends where its data ends: a byte that is
 * read or written past it is found by AddressSanitizer, a chain that is lost by LeakSanitizer.
 */

#include <rte_mbuf.h>

#include "fuzz.h"

/**
 * Make a packet of segments of any length, also empty ones, at any alignment.
 *
 * @param in
 *   How many segments there are beside the last one (1 byte, modulo 8), for each of them its
 *   length (1) and for all the alignment (1, two bits a segment); the last has the rest.
 */
struct rte_mbuf *
fuzz_chain(struct fuzz_input *in);

/** The same packet, with the flags and lengths of its first mbuf, in one segment. */
struct rte_mbuf *
fuzz_chain_linear(const struct rte_mbuf *m);

/** Copy the packet's bytes out of its segments; there have to be pkt_len. */
void
fuzz_chain_read(const struct rte_mbuf *m, uint8_t *to);

/** Fail unless both packets have the same bytes. */
void
fuzz_chain_compare(const struct rte_mbuf *a, const struct rte_mbuf *b);

/** Free a packet of the functions above. */
void
fuzz_chain_free(struct rte_mbuf *m);

#endif /* FUZZ_CHAIN_H */
