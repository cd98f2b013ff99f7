/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XEN_VLAN_H
#define XEN_VLAN_H

/**
 * @file
 * VLAN tags that ports insert and strip: netif.h has nothing to say them by, so that they are part
 * of the data on the rings.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_bitops.h>
#include <rte_compat.h>
#include <rte_ether.h>
#include <rte_mbuf.h>

/** A packet as if its mbuf had the tag: the first bytes of it, and what follows of a segment. */
struct xen_vlan {
	uint8_t bytes[2 * RTE_ETHER_ADDR_LEN + RTE_VLAN_HLEN];
	struct rte_mbuf first;
	struct rte_mbuf rest;
};

/** Bytes that a packet to be sent is longer by, for the tag that its mbuf asks for. */
static inline uint32_t
xen_vlan_len(const struct rte_mbuf *m)
{
	return (m->ol_flags & RTE_MBUF_F_TX_VLAN) != 0 ? RTE_VLAN_HLEN : 0;
}

/** Is there room in the mbuf for the length of its header with the tag? */
static inline bool
xen_vlan_countable(const struct rte_mbuf *m)
{
	return m->l2_len + xen_vlan_len(m) < RTE_BIT32(RTE_MBUF_L2_LEN_BITS);
}

/**
 * Look at a packet that asks for a tag (RTE_MBUF_F_TX_VLAN) as at one that has it. The mbuf may be
 * shared with others, and may have to wait: nothing is written to it. An lcore.
 *
 * @param v
 *   What is returned, which lives as long.
 * @param m
 *   The packet: its segments hold what pkt_len says, and an Ethernet header; its l2_len is
 *   countable.
 * @return
 *   The packet with the tag, with the wishes and the lengths that go with it, to be read only.
 */
__rte_internal
const struct rte_mbuf *
xen_vlan_tagged(struct xen_vlan *v, const struct rte_mbuf *m);

/**
 * Take the outermost 802.1Q tag off a received packet, if it has one, and note it in the mbuf. An
 * lcore.
 *
 * @return
 *   Bytes that the packet is shorter by.
 */
uint32_t
xen_vlan_strip(struct rte_mbuf *m);

#endif /* XEN_VLAN_H */
