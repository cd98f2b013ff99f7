/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef FUZZ_POOL_H
#define FUZZ_POOL_H

/**
 * @file
 * A mempool of malloc(): every mbuf that is taken from it is new, with a buffer of its own, so that
 * AddressSanitizer finds what is used past its end or after it was put back. All that a mempool
 * does not promise of an mbuf is stale in it. Needs no EAL; and the
 * calls of DPDK and Xen that the bursts make beside that.
 */

#include <rte_mbuf.h>

#include "fuzz.h"
#include "xen_if.h"

struct xen_netif_queue;
struct xenfront_region;

/** Mbufs of this pool are what packets of the bursts are made of. */
extern struct rte_mempool *const fuzz_pool;

/** How many mbufs can be taken until the pool is empty. */
extern uint32_t fuzz_pool_left;

/** What each page holds that the other end has granted. */
extern uint8_t fuzz_granted[XEN_PAGE_BYTES];

/** The number of the port. */
#define FUZZ_PORT 7

/** The MAC address of the port, as the filter has it: 00:16:3e:01:02:03. */
#define FUZZ_OWN_MAC 0x1600013E0302ull

/** Every so manyth segment of a grant copy fails; 0: none. */
extern uint8_t fuzz_copy_fails;

/** All time-outs have passed, or none ever will. */
extern bool fuzz_late;

/**
 * The pages of the mbufs that are taken from the pool are granted, as those of packets to be sent
 * are that are not longer than a page: they are external buffers of this region. NULL: none are.
 */
extern struct xenfront_region *fuzz_region;

/** Begin with an empty pool, no mbuf of which is out. */
void
fuzz_pool_reset(uint16_t room);

/** Fail unless all mbufs are back. */
void
fuzz_pool_check(void);

/**
 * Make a packet to be sent, right or wrong in every way.
 *
 * @param in
 *   The first mbuf's flags and lengths, how many segments there are, their lengths, what the mbuf
 *   claims, and the first bytes of the data.
 */
struct rte_mbuf *
fuzz_packet(struct fuzz_input *in);

/** Fail unless it is a packet that an application may be given by an rx queue; free it. */
void
fuzz_packet_received(struct rte_mbuf *m, const struct xen_netif_queue *q);

#endif /* FUZZ_POOL_H */
