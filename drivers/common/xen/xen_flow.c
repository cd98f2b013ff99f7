/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <string.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_jhash.h>
#include <rte_net.h>

#include "xen_compat.h"
#include "xen_flow.h"

/* Source and destination port of TCP, UDP and SCTP: the first word of each. */
#define PORTS_BYTES 4u

/* Bytes that are looked at of a packet in several segments: more headers than flows have. */
#define HEADERS_MAX 256u

/*
 * The packet's headers in one segment: its own, or a copy out of several. The lengths of the chain
 * are taken from the segments, for nobody has checked those of the packet.
 */
static struct rte_mbuf
headers_of(const struct rte_mbuf *m, uint8_t copy[HEADERS_MAX])
{
	struct rte_mbuf headers = {
		.buf_addr = rte_pktmbuf_mtod(m, void *),
		.data_len = rte_pktmbuf_data_len(m),
		.nb_segs = 1,
	};
	uint16_t len;

	if (m->nb_segs > 1 && headers.data_len < HEADERS_MAX) {
		headers.buf_addr = copy;
		headers.data_len = 0;
		for (; m != NULL && headers.data_len < HEADERS_MAX; m = m->next) {
			len = RTE_MIN(rte_pktmbuf_data_len(m), HEADERS_MAX - headers.data_len);
			memcpy(copy + headers.data_len, rte_pktmbuf_mtod(m, const void *), len);
			headers.data_len += len;
		}
	}
	headers.pkt_len = headers.data_len;
	return headers;
}

/* Copy len bytes of addresses, if the packet has them. */
static bool
take_addrs(const struct rte_mbuf *headers, uint32_t off, uint32_t len, struct xen_flow *flow)
{
	if (off + len > headers->data_len)
		return false;
	memcpy(flow->addrs, rte_pktmbuf_mtod_offset(headers, const void *, off), len);
	flow->nb_addrs = len / sizeof(flow->addrs[0]);
	return true;
}

/* The addresses of the IP packet at off; false when it is none. */
static bool
take_ip(const struct rte_mbuf *headers, uint32_t off, struct xen_flow *flow)
{
	if (RTE_ETH_IS_IPV4_HDR(flow->ptype))
		return take_addrs(headers, off + offsetof(struct rte_ipv4_hdr, src_addr),
				2 * sizeof(rte_be32_t), flow);
	if (RTE_ETH_IS_IPV6_HDR(flow->ptype))
		return take_addrs(headers, off + offsetof(struct rte_ipv6_hdr, src_addr),
				2 * sizeof(((struct rte_ipv6_hdr *)0)->src_addr), flow);
	return false;
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

void
xen_flow_read(const struct rte_mbuf *m, struct xen_flow *flow)
{
	struct rte_net_hdr_lens lens = { 0 };
	uint8_t copy[HEADERS_MAX];
	struct rte_mbuf headers;
	uint32_t l4;

	memset(flow, 0, sizeof(*flow));
	headers = headers_of(m, copy);
	flow->ptype = rte_net_get_ptype(&headers, &lens,
			RTE_PTYPE_L2_MASK | RTE_PTYPE_L3_MASK | RTE_PTYPE_L4_MASK);
	l4 = lens.l2_len + lens.l3_len;
	if (!take_ip(&headers, lens.l2_len, flow)) {
		flow->ptype = RTE_PTYPE_UNKNOWN;
		take_addrs(&headers, 0, 2 * RTE_ETHER_ADDR_LEN, flow);
	} else if (has_ports(flow->ptype) && l4 + PORTS_BYTES <= headers.data_len) {
		memcpy(&flow->ports, rte_pktmbuf_mtod_offset(&headers, const void *, l4),
				sizeof(flow->ports));
	} else {
		flow->ptype &= ~RTE_PTYPE_L4_MASK;
	}
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_flow_hash)
uint32_t
xen_flow_hash(const struct rte_mbuf *m)
{
	struct xen_flow flow;

	/* Spread over all bits, for the queue comes from the upper ones. */
	if ((m->ol_flags & RTE_MBUF_F_RX_RSS_HASH) != 0)
		return rte_jhash_1word(m->hash.rss, 0);
	xen_flow_read(m, &flow);
	return rte_jhash_32b(flow.addrs, flow.nb_addrs, flow.ports);
}
