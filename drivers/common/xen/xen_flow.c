/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <string.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_jhash.h>
#include <rte_net.h>

#include "xen_flow.h"

/* Source and destination port of TCP, UDP and SCTP: the first word of each. */
#define PORTS_BYTES 4u

/* The addresses of the IP packet at off, and how many bytes they are; 0 when it is none. */
static uint32_t
ip_addresses(uint32_t ptype, uint32_t *off)
{
	if (RTE_ETH_IS_IPV4_HDR(ptype)) {
		*off += offsetof(struct rte_ipv4_hdr, src_addr);
		return 2 * sizeof(rte_be32_t);
	}
	if (RTE_ETH_IS_IPV6_HDR(ptype)) {
		*off += offsetof(struct rte_ipv6_hdr, src_addr);
		return 2 * sizeof(((struct rte_ipv6_hdr *)0)->src_addr);
	}
	return 0;
}

static bool
has_ports(uint32_t ptype)
{
	switch (ptype & RTE_PTYPE_L4_MASK) {
	case RTE_PTYPE_L4_TCP:
	case RTE_PTYPE_L4_UDP:
	case RTE_PTYPE_L4_SCTP:
		return true;
	default:
		return false;
	}
}

uint32_t
xen_flow_hash(const struct rte_mbuf *m)
{
	uint32_t ports = 0, len, off, ptype, have = rte_pktmbuf_data_len(m);
	struct rte_net_hdr_lens lens = { 0 };

	/* Spread over all bits, for the queue comes from the upper ones. */
	if ((m->ol_flags & RTE_MBUF_F_RX_RSS_HASH) != 0)
		return rte_jhash_1word(m->hash.rss, 0);
	ptype = rte_net_get_ptype(m, &lens,
			RTE_PTYPE_L2_MASK | RTE_PTYPE_L3_MASK | RTE_PTYPE_L4_MASK);
	off = lens.l2_len;
	len = ip_addresses(ptype, &off);
	if (len == 0 || off + len > have) {
		off = 0;
		len = RTE_MIN(2u * RTE_ETHER_ADDR_LEN, have);
	} else if (has_ports(ptype) && (uint32_t)lens.l2_len + lens.l3_len + PORTS_BYTES <= have) {
		memcpy(&ports, rte_pktmbuf_mtod_offset(m, const void *, lens.l2_len + lens.l3_len),
				sizeof(ports));
	}
	return rte_jhash(rte_pktmbuf_mtod_offset(m, const void *, off), len, ports);
}
