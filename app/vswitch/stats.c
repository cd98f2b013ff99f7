/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <stdint.h>

#include "stats.h"

/* The manual has the same texts: a test compares them. */
static const struct {
	const char *name;
	const char *help;
} reasons[DROP_MAX] = {
	[DROP_SHORT] = { "short", "In: shorter than an Ethernet header." },
	[DROP_SOURCE_MAC] = { "source_mac", "In: from another MAC address than the port's own." },
	[DROP_SOURCE_ARP] = { "source_arp", "In: an ARP packet whose sender is another." },
	[DROP_SOURCE_ND] = { "source_nd",
			"In: an IPv6 neighbor discovery packet whose sender is another." },
	[DROP_SOURCE_IP] = { "source_ip", "In: from another IP address than the port's own." },
	[DROP_SOURCE_ROLE] = { "source_role", "In: what only a router or a DHCP server sends." },
	[DROP_SOURCE_OTHER] = { "source_other",
			"In: from a guest's address, by another port than the guest's." },
	[DROP_VLAN] = { "vlan", "In: of a VLAN that the port is no member of." },
	[DROP_RESERVED] = { "reserved", "In: for one of the link-local groups of bridges." },
	[DROP_SAME_PORT] = { "same_port", "In: for an address behind the port itself." },
	[DROP_ISOLATED] = { "isolated", "In: from an isolated port to another one." },
	[DROP_NO_MEMBER] = { "no_member", "In: nobody else is there to be sent it." },
	[DROP_STORM] = { "storm",
			"In: more broadcasts and the like than the limit 'storm' allows." },
	[DROP_TX_FULL] = { "tx_full", "Out: the port took no more, its other end is too slow." },
	[DROP_OFFLOAD] = { "offload",
			"Out: a checksum or a segmentation that neither port nor switch can do." },
	[DROP_TOO_LONG] = { "too_long", "Out: longer than the port's MTU." },
	[DROP_NO_MBUF] = { "no_mbuf", "Out: no memory for a copy with another VLAN tag." },
	[DROP_MIRROR] = { "mirror", "Out: a mirror's copy: no memory for it, or no sense in it." },
};

const char *
stats_drop_name(enum drop reason)
{
	return reasons[reason].name;
}

const char *
stats_drop_help(enum drop reason)
{
	return reasons[reason].help;
}

static void
add(uint64_t *sum, const uint64_t *counter)
{
	*sum += __atomic_load_n(counter, __ATOMIC_RELAXED);
}

void
stats_add(struct port_stats *sum, const struct port_stats *stats)
{
	unsigned int i;

	add(&sum->rx_packets, &stats->rx_packets);
	add(&sum->rx_bytes, &stats->rx_bytes);
	add(&sum->tx_packets, &stats->tx_packets);
	add(&sum->tx_bytes, &stats->tx_bytes);
	add(&sum->rx_flooded, &stats->rx_flooded);
	for (i = 0; i < DROP_MAX; i++)
		add(&sum->drops[i], &stats->drops[i]);
}
