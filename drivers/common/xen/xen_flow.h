/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XEN_FLOW_H
#define XEN_FLOW_H

/**
 * @file
 * Which of a vif's queues a packet is sent through, where the vif has more of them than the
 * application: the sender chooses, and the packets of a flow keep to one queue (netif.h, "Multiple
 * transmit and receive queues").
 */

#include <stdint.h>

#include <rte_compat.h>
#include <rte_mbuf.h>

/** What tells the flow of a packet, as it stands in the packet: in network order. */
struct xen_flow {
	/** Source and destination address: of IP, or of Ethernet where it is none. */
	uint32_t addrs[8];
	/** Words of them: 2 of IPv4, 8 of IPv6, 3 of Ethernet, 0 when the packet has none. */
	uint32_t nb_addrs;
	/** Source and destination port of TCP, UDP or SCTP; 0: it has none, or is a fragment. */
	uint32_t ports;
	/** RTE_PTYPE_*; that of TCP, UDP or SCTP only with the ports. */
	uint32_t ptype;
};

/**
 * Read what tells the flow of a packet. An lcore.
 *
 * @param m
 *   The packet, with any content; it is read only.
 * @param flow
 *   Receives it.
 */
void
xen_flow_read(const struct rte_mbuf *m, struct xen_flow *flow);

/**
 * A number that the packets of a flow have in common: the hash that a NIC or a guest has computed,
 * else one of the addresses and ports, for what is not IP of the Ethernet addresses. The packets of
 * a fragmented datagram have no ports in common, so that their addresses alone count. An lcore.
 *
 * @param m
 *   The packet, with any content; it is read only.
 */
__rte_internal
uint32_t
xen_flow_hash(const struct rte_mbuf *m);

/** One of n queues for a packet, 1 to 65535 of them. An lcore. */
static inline uint16_t
xen_flow_queue(const struct rte_mbuf *m, uint16_t n)
{
	return ((uint64_t)xen_flow_hash(m) * n) >> 32;
}

#endif /* XEN_FLOW_H */
