/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef STATS_H
#define STATS_H

/**
 * @file
 * What is counted of each port. A packet that is lost has one reason, whose name the control
 * socket, the metrics and the manual share.
 */

#include <stdint.h>

#include <rte_common.h>

/** Why a packet that came in by a port went nowhere, or did not go out by one. */
enum drop {
	/** In: shorter than an Ethernet header. */
	DROP_SHORT,
	/** In: from another MAC address than the port's own. */
	DROP_SOURCE_MAC,
	/** In: an ARP packet whose sender is another. */
	DROP_SOURCE_ARP,
	/** In: an ND packet whose sender is another. */
	DROP_SOURCE_ND,
	/** In: from another IP address than the port's own. */
	DROP_SOURCE_IP,
	/** In: what only a router or a DHCP server sends. */
	DROP_SOURCE_ROLE,
	/** In: from a guest's address, by another port than the guest's. */
	DROP_SOURCE_OTHER,
	/** In: of a VLAN that the port is no member of. */
	DROP_VLAN,
	/** In: for a link-local group of bridges, 01:80:c2:00:00:00 to 0f. */
	DROP_RESERVED,
	/** In: for an address behind the port itself. */
	DROP_SAME_PORT,
	/** In: from an isolated port to another one. */
	DROP_ISOLATED,
	/** In: nobody else is there to be sent it. */
	DROP_NO_MEMBER,
	/** In: more broadcasts and the like than `storm` allows. */
	DROP_STORM,
	/** Out: the port took no more: its other end is too slow. */
	DROP_TX_FULL,
	/** Out: a checksum or a segmentation that neither port nor switch can do. */
	DROP_OFFLOAD,
	/** Out: longer than the port's MTU. */
	DROP_TOO_LONG,
	/** Out: no mbuf for another VLAN's variant. */
	DROP_NO_MBUF,
	/** Out: no mbuf for a mirror's copy, or no packet that could be sent. */
	DROP_MIRROR,
	DROP_MAX,
};

/** The counters of a port, as one lcore has them. */
struct port_stats {
	uint64_t rx_packets;
	uint64_t rx_bytes;
	uint64_t tx_packets;
	uint64_t tx_bytes;
	/** Received packets that were for all, or for nobody that is known. */
	uint64_t rx_flooded;
	uint64_t drops[DROP_MAX];
} __rte_cache_aligned;

/** Count so many more. The one lcore that does so for this counter; others may read it. */
static inline void
stats_count(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

/** The name of a reason, such as `source_mac`. Any thread. */
const char *
stats_drop_name(enum drop reason);

/** What the reason means, in a line. Any thread. */
const char *
stats_drop_help(enum drop reason);

/** Add the counters of one lcore to a sum, while it counts on. Any thread. */
void
stats_add(struct port_stats *sum, const struct port_stats *stats);

#endif /* STATS_H */
