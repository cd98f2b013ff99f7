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

#include "xen_compat.h"
#include "xen_csum.h"
#include "xen_gso.h"

/* Finish a checksum that already holds the sum of the pseudo-header. */
static int
l4_csum(const struct rte_mbuf *m, const struct xen_l4 *l4, rte_be16_t *csum)
{
	uint16_t sum = 0;

	if (l4->len < (l4->udp ? sizeof(struct rte_udp_hdr) : sizeof(struct rte_tcp_hdr)) ||
			l4->off + l4->len > rte_pktmbuf_pkt_len(m) ||
			!xen_mbuf_sum(m, l4->off, l4->len, &sum))
		return -EINVAL;
	*csum = ~sum;
	/* In UDP zero says that there is no checksum. */
	if (l4->udp && *csum == 0)
		*csum = 0xFFFF;
	return 0;
}

static inline uint32_t
l4_csum_off(const struct xen_l4 *l4)
{
	return l4->off +
			(l4->udp ? offsetof(struct rte_udp_hdr, dgram_cksum) :
				   offsetof(struct rte_tcp_hdr, cksum));
}

int
xen_csum_complete_rx(struct rte_mbuf *m)
{
	rte_be16_t sum = 0;
	struct xen_l4 l4;
	int ret;

	ret = xen_headers_l4(m, &l4);
	if (ret == 0)
		ret = l4_csum(m, &l4, &sum);
	if (ret < 0)
		return ret;
	xen_mbuf_write(m, l4_csum_off(&l4), &sum, sizeof(sum));
	m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	return 0;
}

static inline bool
wants_l4(const struct rte_mbuf *m)
{
	uint64_t l4 = m->ol_flags & RTE_MBUF_F_TX_L4_MASK;

	return l4 == RTE_MBUF_F_TX_TCP_CKSUM || l4 == RTE_MBUF_F_TX_UDP_CKSUM;
}

/* Note what a packet, which has these bytes, should hold there. */
static void
patch_add(struct xen_csum_patch *patch, const struct rte_mbuf *m, uint32_t off, rte_be16_t value)
{
	rte_be16_t old;

	if (xen_mbuf_read(m, off, &old, sizeof(old)) && old == value)
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

	if (m->l3_len < sizeof(struct rte_ipv4_hdr) || !xen_mbuf_sum(m, m->l2_len, field, &sum) ||
			!xen_mbuf_sum(m, m->l2_len + behind, m->l3_len - behind, &sum))
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
	struct xen_l4 l4;
	rte_be16_t len, csum;
	uint32_t total;

	if (!xen_mbuf_read(m, m->l2_len + field, &len, sizeof(len)))
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
	*blank = peer_finishes && xen_csum_peer_parses(m->l2_len, m->l3_len);
	return *blank ? 0 : patch_l4(patch, m);
}

/* The flags of a packet to be sent, for an application that asked for these. */
static int
describe_blank(struct rte_mbuf *m)
{
	struct xen_l4 l4;
	int ret;

	ret = xen_headers_l4(m, &l4);
	if (ret < 0)
		return ret;
	m->l2_len = l4.l3;
	m->l3_len = l4.off - l4.l3;
	m->ol_flags |= l4.ipv6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4;
	m->ol_flags |= l4.udp ? RTE_MBUF_F_TX_UDP_CKSUM : RTE_MBUF_F_TX_TCP_CKSUM;
	return 0;
}

/* Have a blank checksum finished by the application, or do it here. 0 or -errno. */
static int
settle_blank(const struct xen_netif_queue *q, struct xen_netif_ring *ring, struct rte_mbuf *m)
{
	int ret;

	if (q->legacy_ol_flags)
		return describe_blank(m);
	if (q->csum_offload) {
		m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_NONE;
		return 0;
	}
	ret = xen_csum_complete_rx(m);
	if (ret == 0)
		xen_count_add(&ring->count.csum_completed, 1);
	return ret;
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_csum_receive)
bool
xen_csum_receive(const struct xen_netif_queue *q, struct xen_netif_ring *ring, struct rte_mbuf *m,
		bool blank)
{
	if (!blank) {
		m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
		return true;
	}
	switch (settle_blank(q, ring, m)) {
	case 0:
		return true;
	case -ENOTSUP:
		xen_count_add(&ring->count.csum_unparsed, 1);
		return false;
	default:
		xen_count_add(&ring->count.bad_packets, 1);
		return false;
	}
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_csum_send)
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
		*flags |= blank_flags;
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
	struct xen_l4 l4 = {
		.off = m->l2_len + m->l3_len,
		.udp = (m->ol_flags & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_UDP_CKSUM,
	};
	uint32_t ext = m->l3_len - sizeof(struct rte_ipv6_hdr), len;
	struct rte_ipv6_hdr ip;
	uint16_t sum;

	if (!xen_mbuf_read(m, m->l2_len, &ip, sizeof(ip)) ||
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
	struct xen_gso g;
	uint64_t l4;
	uint16_t i;
	bool seg;
	int ret;

	for (i = 0; i < nb_pkts; i++) {
		l4 = pkts[i]->ol_flags & RTE_MBUF_F_TX_L4_MASK;
		if (l4 == RTE_MBUF_F_TX_SCTP_CKSUM ||
				(pkts[i]->ol_flags & RTE_MBUF_F_TX_QINQ) == RTE_MBUF_F_TX_QINQ) {
			rte_errno = ENOTSUP;
			break;
		}
		seg = (pkts[i]->ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0;
		ret = seg ? xen_gso_wanted(&g, pkts[i]) : 0;
		if (ret == 0)
			ret = rte_net_intel_cksum_prepare(pkts[i]);
		if (ret == 0 && (seg || wants_l4(pkts[i])) &&
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
