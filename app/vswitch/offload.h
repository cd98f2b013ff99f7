/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef OFFLOAD_H
#define OFFLOAD_H

/**
 * @file
 * Checksums and segmentation that a guest has left to its backend: they travel with the packet,
 * as far as the port that it goes out by can do them, and are done here otherwise.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

/** Flags of what is to be done when it is sent. */
#define OFFLOAD_TX (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_IP_CKSUM)

/** Offloads of Tx that the switch makes use of. */
#define OFFLOAD_TX_PORT \
	(RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM | \
			RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_TSO | \
			RTE_ETH_TX_OFFLOAD_MULTI_SEGS | RTE_ETH_TX_OFFLOAD_VLAN_INSERT)

/** Packets that one is cut into at most. */
#define OFFLOAD_SEGMENTS_MAX 256

/** Has the sender of a received packet left something undone? */
static inline bool
offload_undone(const struct rte_mbuf *m)
{
	return (m->ol_flags & RTE_MBUF_F_RX_LRO) != 0 ||
			(m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_NONE;
}

/**
 * Turn what a guest has left undone into what is to be done: flags of Rx into those of Tx. Its tag
 * has been taken off already. Any thread.
 *
 * @return
 *   0; -EINVAL: its headers do not say what the flags say. Then it is not to be sent.
 */
int
offload_receive(struct rte_mbuf *m);

/**
 * Complete the checksums of a packet that is not to be segmented; then it asks for nothing. It has
 * to be the only one that holds its data. Any thread.
 *
 * @return
 *   0; -EINVAL: its headers do not say what the flags say.
 */
int
offload_complete(struct rte_mbuf *m);

/**
 * Cut a packet that is to be segmented, of IPv4 or IPv6; rte_gso of DPDK 22.11 does the former
 * alone, and no checksums. The packet may be shared: its data is copied. Any thread.
 *
 * @param pool
 *   Where the parts come from.
 * @param[out] parts
 *   The parts, complete with their checksums.
 * @param max
 *   Most of them.
 * @return
 *   How many there are; the packet itself is freed then. -EINVAL: it makes no sense or would be
 *   more than max; -ENOMEM: the pool is empty. Then it is as it was.
 */
int
offload_segment(struct rte_mbuf *m, struct rte_mempool *pool, struct rte_mbuf **parts,
		unsigned int max);

/** Does the packet ask for more than the port does? */
static inline bool
offload_missing(const struct rte_mbuf *m, uint64_t tx_offloads)
{
	return ((m->ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0 &&
			       (tx_offloads & RTE_ETH_TX_OFFLOAD_TCP_TSO) == 0) ||
			((m->ol_flags & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_TCP_CKSUM &&
					(tx_offloads & RTE_ETH_TX_OFFLOAD_TCP_CKSUM) == 0) ||
			((m->ol_flags & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_UDP_CKSUM &&
					(tx_offloads & RTE_ETH_TX_OFFLOAD_UDP_CKSUM) == 0) ||
			((m->ol_flags & RTE_MBUF_F_TX_IP_CKSUM) != 0 &&
					(tx_offloads & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM) == 0);
}

#endif /* OFFLOAD_H */
