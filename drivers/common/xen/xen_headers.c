/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Headers and bytes of packets whose segments may divide them in any way. */

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>

#include "xen_compat.h"
#include "xen_headers.h"

#define VERSION_IPV6 6
#define IPV6_EXT_UNIT 8
#define IPV6_AUTH_UNIT 4

RTE_EXPORT_INTERNAL_SYMBOL(xen_mbuf_read)
bool
xen_mbuf_read(const struct rte_mbuf *m, uint32_t off, void *to, uint32_t len)
{
	uint32_t done, n;

	for (done = 0; done < len; done += n, off += n) {
		m = xen_mbuf_seek(m, &off);
		if (m == NULL)
			return false;
		n = RTE_MIN(rte_pktmbuf_data_len(m) - off, len - done);
		memcpy((uint8_t *)to + done, rte_pktmbuf_mtod_offset(m, const void *, off), n);
	}
	return true;
}

void
xen_mbuf_write(struct rte_mbuf *m, uint32_t off, const void *from, uint32_t len)
{
	const struct rte_mbuf *seg = m;
	uint32_t done, n;

	for (done = 0; done < len; done += n, off += n) {
		seg = xen_mbuf_seek(seg, &off);
		if (seg == NULL)
			return;
		n = RTE_MIN(rte_pktmbuf_data_len(seg) - off, len - done);
		memcpy(rte_pktmbuf_mtod_offset(seg, void *, off), (const uint8_t *)from + done, n);
	}
}

bool
xen_mbuf_sum(const struct rte_mbuf *m, uint32_t off, uint32_t len, uint16_t *sum)
{
	uint32_t total = *sum, done, n;
	uint16_t part;

	for (done = 0; done < len; done += n, off += n) {
		m = xen_mbuf_seek(m, &off);
		if (m == NULL)
			return false;
		n = RTE_MIN(rte_pktmbuf_data_len(m) - off, len - done);
		part = rte_raw_cksum(rte_pktmbuf_mtod_offset(m, const void *, off), n);
		total += (done & 1) != 0 ? rte_bswap16(part) : part;
		total = (total & 0xFFFF) + (total >> 16);
	}
	*sum = total;
	return true;
}

static inline bool
is_vlan(rte_be16_t type)
{
	return type == RTE_BE16(RTE_ETHER_TYPE_VLAN) || type == RTE_BE16(RTE_ETHER_TYPE_QINQ) ||
			type == RTE_BE16(RTE_ETHER_TYPE_QINQ1) ||
			type == RTE_BE16(RTE_ETHER_TYPE_QINQ2) ||
			type == RTE_BE16(RTE_ETHER_TYPE_QINQ3);
}

/* Find the payload of Ethernet, behind the VLAN tags. */
static int
parse_ether(const struct rte_mbuf *m, uint32_t *l3, rte_be16_t *type)
{
	unsigned int tags;

	*l3 = RTE_ETHER_HDR_LEN;
	for (tags = 0; tags <= XEN_HEADERS_VLANS_MAX; tags++, *l3 += sizeof(struct rte_vlan_hdr)) {
		/* The type is the last of either header. */
		if (!xen_mbuf_read(m, *l3 - sizeof(*type), type, sizeof(*type)))
			return -EINVAL;
		if (!is_vlan(*type))
			return 0;
	}
	return -ENOTSUP;
}

/* What follows IP: only TCP and UDP can be finished. */
static int
set_l4(struct xen_l4 *l4, uint8_t proto, uint32_t off, uint32_t len)
{
	l4->off = off;
	l4->len = len;
	l4->udp = proto == IPPROTO_UDP;
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP ? 0 : -ENOTSUP;
}

static int
parse_ipv4(const struct rte_mbuf *m, uint32_t l3, struct xen_l4 *l4)
{
	struct rte_ipv4_hdr ip;
	uint32_t len, total;

	if (!xen_mbuf_read(m, l3, &ip, sizeof(ip)))
		return -EINVAL;
	len = rte_ipv4_hdr_len(&ip);
	total = rte_be_to_cpu_16(ip.total_length);
	if (ip.version_ihl >> 4 != IPVERSION || len < sizeof(ip) || total < len ||
			l3 + total > rte_pktmbuf_pkt_len(m))
		return -EINVAL;
	if ((ip.fragment_offset & RTE_BE16(RTE_IPV4_HDR_OFFSET_MASK | RTE_IPV4_HDR_MF_FLAG)) != 0)
		return -ENOTSUP;
	return set_l4(l4, ip.next_proto_id, l3 + len, total - len);
}

/*
 * Step over an extension header: its length, and the next header's type. 0: it is none that L4 may
 * follow; -ENOTSUP: the packet is a fragment.
 */
static int
ipv6_ext(const struct rte_mbuf *m, uint32_t off, uint8_t *proto)
{
	struct {
		uint8_t next;
		uint8_t len;
		rte_be16_t frag;
	} ext;
	uint8_t type = *proto;

	if (type != IPPROTO_HOPOPTS && type != IPPROTO_ROUTING && type != IPPROTO_DSTOPTS &&
			type != IPPROTO_AH && type != IPPROTO_FRAGMENT)
		return 0;
	if (!xen_mbuf_read(m, off, &ext, sizeof(ext)))
		return -EINVAL;
	*proto = ext.next;
	if (type == IPPROTO_AH)
		return (ext.len + 2) * IPV6_AUTH_UNIT;
	if (type != IPPROTO_FRAGMENT)
		return (ext.len + 1) * IPV6_EXT_UNIT;
	/* All of a packet may be its first and last fragment (RFC 6946). */
	if ((ext.frag & RTE_BE16((uint16_t)RTE_IPV6_FRAG_USED_MASK)) != 0)
		return -ENOTSUP;
	return RTE_IPV6_FRAG_HDR_SIZE;
}

static int
parse_ipv6(const struct rte_mbuf *m, uint32_t l3, struct xen_l4 *l4)
{
	uint32_t off = sizeof(struct rte_ipv6_hdr), total;
	struct rte_ipv6_hdr ip;
	uint8_t proto;
	int len;

	if (!xen_mbuf_read(m, l3, &ip, sizeof(ip)))
		return -EINVAL;
	total = sizeof(ip) + rte_be_to_cpu_16(ip.payload_len);
	if (rte_be_to_cpu_32(ip.vtc_flow) >> 28 != VERSION_IPV6 ||
			l3 + total > rte_pktmbuf_pkt_len(m))
		return -EINVAL;
	/* The length of a jumbogram stands in an option. */
	if (ip.payload_len == 0)
		return -ENOTSUP;
	proto = ip.proto;
	while ((len = ipv6_ext(m, l3 + off, &proto)) > 0) {
		off += len;
		if (off > total)
			return -EINVAL;
		if (off > XEN_HEADERS_IPV6_MAX)
			return -ENOTSUP;
	}
	return len < 0 ? len : set_l4(l4, proto, l3 + off, total - off);
}

int
xen_headers_l4(const struct rte_mbuf *m, struct xen_l4 *l4)
{
	rte_be16_t type;
	uint32_t l3;
	int ret;

	ret = parse_ether(m, &l3, &type);
	if (ret < 0)
		return ret;
	l4->l3 = l3;
	l4->ipv6 = type == RTE_BE16(RTE_ETHER_TYPE_IPV6);
	if (type == RTE_BE16(RTE_ETHER_TYPE_IPV4))
		return parse_ipv4(m, l3, l4);
	return l4->ipv6 ? parse_ipv6(m, l3, l4) : -ENOTSUP;
}
