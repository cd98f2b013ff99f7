/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef GUARD_H
#define GUARD_H

/**
 * @file
 * What a port may say it is: the addresses that its packets may come from.
 */

/** The lock of a port. */
enum guard_lock {
	/** Anything goes. */
	GUARD_OFF,
	/** Its own MAC address: as Ethernet's source, and as the sender in ARP and ND. */
	GUARD_MAC,
	/** That, and its own IP addresses alone; it may ask for one by DHCP. */
	GUARD_IP,
};

struct dp_port;
struct rte_mbuf;

/** guard_check() has nothing against it. */
#define GUARD_PASSES (-1)

/**
 * Is the packet from an address that the port may have? Its Ethernet source has been compared
 * already, its tag is off. For the lcore that has the packet.
 *
 * @param type
 *   Its EtherType, in network order.
 * @return
 *   GUARD_PASSES, or the enum drop that says why not.
 */
int
guard_check(const struct dp_port *port, const struct rte_mbuf *m, uint16_t type);

#endif /* GUARD_H */
