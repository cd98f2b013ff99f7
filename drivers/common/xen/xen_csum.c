/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_errno.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_net.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "xen_csum.h"

#define IPV6_VERSION 6
#define IPV6_EXT_UNIT 8
#define IPV6_AUTH_UNIT 4

/* Linux looks for the L4 of a blank IPv6 packet in so many bytes. */
#define PEER_IPV6_HDRS_MAX 256

/* A packet's TCP or UDP, and how much of it there is by the IP header. */
struct l4_place {
	uint32_t off;
	uint32_t len;
	bool udp;
};

/* The segment with the byte at off, which becomes the place in it; NULL: the packet ends before. */
static inline const struct rte_mbuf *
seek(const struct rte_mbuf *m, uint32_t *off)
{
	while (m != NULL && *off >= rte_pktmbuf_data_len(m)) {
		*off -= rte_pktmbuf_data_len(m);
		m = m->next;
	}
	return m;
}

/* Copy bytes out of the segments, so that no alignment is assumed; false: there are fewer. */
static bool
copy_out(const struct rte_mbuf *m, uint32_t off, void *to, uint32_t len)
{
	uint32_t done, n;

	for (done = 0; done < len; done += n, off += n) {
		m = seek(m, &off);
		if (m == NULL)
			return false;
		n = RTE_MIN(rte_pktmbuf_data_len(m) - off, len - done);
		memcpy((uint8_t *)to + done, rte_pktmbuf_mtod_offset(m, const void *, off), n);
	}
	return true;
}

/*
 * Add up len bytes from off on; false: there are fewer. rte_raw_cksum_mbuf() will not do: it loses
 * the carry of a segment that begins at an odd byte.
 */
static bool
sum_chain(const struct rte_mbuf *m, uint32_t off, uint32_t len, uint16_t *sum)
{
	uint32_t total = *sum, done, n;
	uint16_t part;

	for (done = 0; done < len; done += n, off += n) {
		m = seek(m, &off);
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

/* Finish a checksum that already holds the sum of the pseudo-header. */
static int
l4_csum(const struct rte_mbuf *m, const struct l4_place *l4, rte_be16_t *csum)
{
	uint16_t sum = 0;

	if (l4->len < (l4->udp ? sizeof(struct rte_udp_hdr) : sizeof(struct rte_tcp_hdr)) ||
			l4->off + l4->len > rte_pktmbuf_pkt_len(m) ||
			!sum_chain(m, l4->off, l4->len, &sum))
		return -EINVAL;
	*csum = ~sum;
	/* In UDP zero says that there is no checksum. */
	if (l4->udp && *csum == 0)
		*csum = 0xFFFF;
	return 0;
}

static inline uint32_t
l4_csum_off(const struct l4_place *l4)
{
	return l4->off +
			(l4->udp ? offsetof(struct rte_udp_hdr, dgram_cksum) :
				   offsetof(struct rte_tcp_hdr, cksum));
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
	for (tags = 0; tags <= XEN_CSUM_VLANS_MAX; tags++, *l3 += sizeof(struct rte_vlan_hdr)) {
		/* The type is the last of either header. */
		if (!copy_out(m, *l3 - sizeof(*type), type, sizeof(*type)))
			return -EINVAL;
		if (!is_vlan(*type))
			return 0;
	}
	return -ENOTSUP;
}

/* What follows IP: only TCP and UDP can be finished. */
static int
set_l4(struct l4_place *l4, uint8_t proto, uint32_t off, uint32_t len)
{
	l4->off = off;
	l4->len = len;
	l4->udp = proto == IPPROTO_UDP;
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP ? 0 : -ENOTSUP;
}

static int
parse_ipv4(const struct rte_mbuf *m, uint32_t l3, struct l4_place *l4)
{
	struct rte_ipv4_hdr ip;
	uint32_t len, total;

	if (!copy_out(m, l3, &ip, sizeof(ip)))
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
	if (!copy_out(m, off, &ext, sizeof(ext)))
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
parse_ipv6(const struct rte_mbuf *m, uint32_t l3, struct l4_place *l4)
{
	uint32_t off = sizeof(struct rte_ipv6_hdr), total;
	struct rte_ipv6_hdr ip;
	uint8_t proto;
	int len;

	if (!copy_out(m, l3, &ip, sizeof(ip)))
		return -EINVAL;
	total = sizeof(ip) + rte_be_to_cpu_16(ip.payload_len);
	if (rte_be_to_cpu_32(ip.vtc_flow) >> 28 != IPV6_VERSION ||
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
		if (off > XEN_CSUM_IPV6_HDRS_MAX)
			return -ENOTSUP;
	}
	return len < 0 ? len : set_l4(l4, proto, l3 + off, total - off);
}

/* Find the L4 of a packet of which nothing is known. */
static int
parse(const struct rte_mbuf *m, struct l4_place *l4)
{
	rte_be16_t type;
	uint32_t l3;
	int ret;

	ret = parse_ether(m, &l3, &type);
	if (ret < 0)
		return ret;
	if (type == RTE_BE16(RTE_ETHER_TYPE_IPV4))
		return parse_ipv4(m, l3, l4);
	if (type == RTE_BE16(RTE_ETHER_TYPE_IPV6))
		return parse_ipv6(m, l3, l4);
	return -ENOTSUP;
}

int
xen_csum_complete_rx(struct rte_mbuf *m)
{
	const struct rte_mbuf *seg;
	struct l4_place l4;
	uint8_t csum[2];
	uint32_t i, at;
	rte_be16_t sum;
	int ret;

	ret = parse(m, &l4);
	if (ret == 0)
		ret = l4_csum(m, &l4, &sum);
	if (ret < 0)
		return ret;
	memcpy(csum, &sum, sizeof(csum));
	for (i = 0; i < sizeof(csum); i++) {
		at = l4_csum_off(&l4) + i;
		seg = seek(m, &at);
		*rte_pktmbuf_mtod_offset(seg, uint8_t *, at) = csum[i];
	}
	m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	return 0;
}

static inline bool
wants_l4(const struct rte_mbuf *m)
{
	uint64_t l4 = m->ol_flags & RTE_MBUF_F_TX_L4_MASK;

	return l4 == RTE_MBUF_F_TX_TCP_CKSUM || l4 == RTE_MBUF_F_TX_UDP_CKSUM;
}

/* Either end of Linux drops a blank packet with a VLAN tag, as it does with too long headers. */
static inline bool
peer_parses(const struct rte_mbuf *m)
{
	return m->l2_len == RTE_ETHER_HDR_LEN &&
			m->l3_len <= PEER_IPV6_HDRS_MAX - sizeof(struct rte_tcp_hdr);
}

/* Note what a packet, which has these bytes, should hold there. */
static void
patch_add(struct xen_csum_patch *patch, const struct rte_mbuf *m, uint32_t off, rte_be16_t value)
{
	rte_be16_t old;

	if (copy_out(m, off, &old, sizeof(old)) && old == value)
		return;
	patch->at[patch->nb].off = off;
	patch->at[patch->nb++].value = value;
	patch->len = off + sizeof(value);
}

/* The checksum of an IPv4 header, whatever stands in its field. */
static int
patch_ipv4(struct xen_csum_patch *patch, const struct rte_mbuf *m)
{
	const uint32_t field = offsetof(struct rte_ipv4_hdr, hdr_checksum);
	const uint32_t behind = field + sizeof(rte_be16_t);
	uint16_t sum = 0;

	if (m->l3_len < sizeof(struct rte_ipv4_hdr) || !sum_chain(m, m->l2_len, field, &sum) ||
			!sum_chain(m, m->l2_len + behind, m->l3_len - behind, &sum))
		return -EINVAL;
	patch_add(patch, m, m->l2_len + field, ~sum);
	return 0;
}

/* A short frame's padding is not part of its L4: the IP header tells how long that is. */
static int
patch_l4(struct xen_csum_patch *patch, const struct rte_mbuf *m)
{
	bool ipv6 = (m->ol_flags & RTE_MBUF_F_TX_IPV6) != 0;
	uint32_t field = ipv6 ? offsetof(struct rte_ipv6_hdr, payload_len) :
				offsetof(struct rte_ipv4_hdr, total_length);
	struct l4_place l4;
	rte_be16_t len, csum;
	uint32_t total;

	if (!copy_out(m, m->l2_len + field, &len, sizeof(len)))
		return -EINVAL;
	total = rte_be_to_cpu_16(len) + (ipv6 ? sizeof(struct rte_ipv6_hdr) : 0);
	if (total < m->l3_len)
		return -EINVAL;
	l4.off = m->l2_len + m->l3_len;
	l4.len = total - m->l3_len;
	l4.udp = (m->ol_flags & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_UDP_CKSUM;
	if (l4_csum(m, &l4, &csum) < 0)
		return -EINVAL;
	patch_add(patch, m, l4_csum_off(&l4), csum);
	return 0;
}

int
xen_csum_prepare_tx(const struct rte_mbuf *m, bool peer_finishes, bool *blank,
		struct xen_csum_patch *patch)
{
	*blank = false;
	patch->len = 0;
	patch->nb = 0;
	if ((uint32_t)m->l2_len + m->l3_len > rte_pktmbuf_pkt_len(m))
		return -EINVAL;
	/* IPv6 has no such checksum, whatever the flags say. */
	if ((m->ol_flags & (RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_IPV6)) ==
					RTE_MBUF_F_TX_IP_CKSUM &&
			patch_ipv4(patch, m) < 0)
		return -EINVAL;
	if (!wants_l4(m))
		return 0;
	*blank = peer_finishes && peer_parses(m);
	return *blank ? 0 : patch_l4(patch, m);
}

bool
xen_csum_receive(const struct xen_netif_queue *q, struct xen_netif_ring *ring, struct rte_mbuf *m,
		bool blank)
{
	if (!blank) {
		m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
		return true;
	}
	if (q->csum_offload) {
		m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_NONE;
		return true;
	}
	switch (xen_csum_complete_rx(m)) {
	case 0:
		xen_count_add(&ring->count.csum_completed, 1);
		return true;
	case -ENOTSUP:
		xen_count_add(&ring->count.csum_unparsed, 1);
		return false;
	default:
		xen_count_add(&ring->count.bad_packets, 1);
		return false;
	}
}

bool
xen_csum_send(const struct xen_netif_features *peer, struct xen_netif_ring *ring,
		const struct rte_mbuf *m, uint16_t *flags, uint16_t blank_flags,
		struct xen_csum_patch *patch)
{
	bool ipv6 = (m->ol_flags & RTE_MBUF_F_TX_IPV6) != 0, blank;

	if (xen_csum_prepare_tx(m, ipv6 ? peer->csum_ipv6 : peer->csum_ipv4, &blank, patch) < 0) {
		xen_count_add(&ring->count.bad_packets, 1);
		return false;
	}
	if (blank)
		*flags = blank_flags;
	else if (wants_l4(m))
		xen_count_add(&ring->count.csum_completed, 1);
	return true;
}

/*
 * The sum of the pseudo-header behind extension headers: rte_net_intel_cksum_prepare() takes the
 * first of them for L4, and them all for its data.
 */
static int
prepare_ipv6_ext(struct rte_mbuf *m)
{
	struct l4_place l4 = {
		.off = m->l2_len + m->l3_len,
		.udp = (m->ol_flags & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_UDP_CKSUM,
	};
	uint32_t ext = m->l3_len - sizeof(struct rte_ipv6_hdr), len;
	struct rte_ipv6_hdr ip;
	uint16_t sum;

	if (!copy_out(m, m->l2_len, &ip, sizeof(ip)) ||
			l4_csum_off(&l4) + sizeof(sum) > rte_pktmbuf_data_len(m))
		return -EINVAL;
	len = rte_be_to_cpu_16(ip.payload_len);
	if (len < ext)
		return -EINVAL;
	ip.payload_len = rte_cpu_to_be_16(len - ext);
	ip.proto = l4.udp ? IPPROTO_UDP : IPPROTO_TCP;
	sum = rte_ipv6_phdr_cksum(&ip, m->ol_flags);
	memcpy(rte_pktmbuf_mtod_offset(m, void *, l4_csum_off(&l4)), &sum, sizeof(sum));
	return 0;
}

uint16_t
xen_csum_tx_prepare(void *queue __rte_unused, struct rte_mbuf **pkts, uint16_t nb_pkts)
{
	uint64_t l4;
	uint16_t i;
	int ret;

	for (i = 0; i < nb_pkts; i++) {
		l4 = pkts[i]->ol_flags & RTE_MBUF_F_TX_L4_MASK;
		if ((pkts[i]->ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0 ||
				l4 == RTE_MBUF_F_TX_SCTP_CKSUM) {
			rte_errno = ENOTSUP;
			break;
		}
		ret = rte_net_intel_cksum_prepare(pkts[i]);
		if (ret == 0 && wants_l4(pkts[i]) &&
				(pkts[i]->ol_flags & RTE_MBUF_F_TX_IPV6) != 0 &&
				pkts[i]->l3_len > sizeof(struct rte_ipv6_hdr))
			ret = prepare_ipv6_ext(pkts[i]);
		if (ret < 0) {
			rte_errno = -ret;
			break;
		}
	}
	return i;
}
