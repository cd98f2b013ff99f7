/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <stddef.h>

#include <rte_byteorder.h>
#include <rte_errno.h>
#include <rte_ip.h>
#include <rte_net.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "xen_csum.h"

/*
 * Sum len bytes from off on; the packet has that many. rte_raw_cksum_mbuf() will not do: it loses
 * the carry of a segment that begins at an odd byte.
 */
static uint16_t
sum_mbuf(const struct rte_mbuf *m, uint32_t off, uint32_t len)
{
	uint32_t sum = 0, done, n;
	uint16_t part;

	while (off >= rte_pktmbuf_data_len(m)) {
		off -= rte_pktmbuf_data_len(m);
		m = m->next;
	}
	for (done = 0; done < len; done += n, off = 0, m = m->next) {
		n = RTE_MIN(rte_pktmbuf_data_len(m) - off, len - done);
		part = rte_raw_cksum(rte_pktmbuf_mtod_offset(m, const void *, off), n);
		sum += (done & 1) != 0 ? rte_bswap16(part) : part;
		sum = (sum & 0xFFFF) + (sum >> 16);
	}
	return sum;
}

/*
 * Sum l4_len bytes from l4_off on into the checksum field, which already holds the sum of the
 * pseudo-header. The field has to lie in the first segment.
 */
static int
csum_fold_l4(struct rte_mbuf *m, uint32_t l4_off, uint32_t l4_len, bool udp)
{
	uint32_t hdr_len = udp ? sizeof(struct rte_udp_hdr) : sizeof(struct rte_tcp_hdr);
	rte_be16_t *field;
	uint16_t sum;

	if (l4_len < hdr_len || l4_off + l4_len > rte_pktmbuf_pkt_len(m) ||
			l4_off + hdr_len > rte_pktmbuf_data_len(m))
		return -EINVAL;
	sum = ~sum_mbuf(m, l4_off, l4_len);
	if (udp) {
		/* In UDP zero says that there is no checksum. */
		if (sum == 0)
			sum = 0xFFFF;
		field = rte_pktmbuf_mtod_offset(m, rte_be16_t *,
				l4_off + offsetof(struct rte_udp_hdr, dgram_cksum));
	} else {
		field = rte_pktmbuf_mtod_offset(m, rte_be16_t *,
				l4_off + offsetof(struct rte_tcp_hdr, cksum));
	}
	*field = sum;
	return 0;
}

/* Bytes of the IP packet that starts at l3_off, by its own header; 0 when that is not there. */
static uint32_t
ip_total_len(const struct rte_mbuf *m, uint32_t l3_off, bool ipv4)
{
	const struct rte_ipv6_hdr *ip6;
	const struct rte_ipv4_hdr *ip4;

	if (l3_off + (ipv4 ? sizeof(*ip4) : sizeof(*ip6)) > rte_pktmbuf_data_len(m))
		return 0;
	if (ipv4) {
		ip4 = rte_pktmbuf_mtod_offset(m, const struct rte_ipv4_hdr *, l3_off);
		return rte_be_to_cpu_16(ip4->total_length);
	}
	ip6 = rte_pktmbuf_mtod_offset(m, const struct rte_ipv6_hdr *, l3_off);
	return sizeof(*ip6) + rte_be_to_cpu_16(ip6->payload_len);
}

int
xen_csum_complete_rx(struct rte_mbuf *m)
{
	struct rte_net_hdr_lens lens = { 0 };
	uint32_t ptype, l4, total;

	ptype = rte_net_get_ptype(m, &lens,
			RTE_PTYPE_L2_MASK | RTE_PTYPE_L3_MASK | RTE_PTYPE_L4_MASK);
	l4 = ptype & RTE_PTYPE_L4_MASK;
	/* An IPv4 header of a length that cannot be leaves the L3 type empty. */
	if ((l4 != RTE_PTYPE_L4_TCP && l4 != RTE_PTYPE_L4_UDP) || (ptype & RTE_PTYPE_L3_MASK) == 0)
		return -EINVAL;
	total = ip_total_len(m, lens.l2_len, RTE_ETH_IS_IPV4_HDR(ptype));
	if (total < lens.l3_len)
		return -EINVAL;
	if (csum_fold_l4(m, lens.l2_len + lens.l3_len, total - lens.l3_len,
			    l4 == RTE_PTYPE_L4_UDP) < 0)
		return -EINVAL;
	m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	return 0;
}

int
xen_csum_prepare_tx(struct rte_mbuf *m, bool peer_finishes, bool *blank)
{
	uint64_t l4 = m->ol_flags & RTE_MBUF_F_TX_L4_MASK;
	uint32_t l4_off = m->l2_len + m->l3_len, total;
	struct rte_ipv4_hdr *ip;

	*blank = false;
	if (l4_off > rte_pktmbuf_data_len(m))
		return -EINVAL;
	if ((m->ol_flags & RTE_MBUF_F_TX_IP_CKSUM) != 0) {
		if (m->l3_len < sizeof(*ip))
			return -EINVAL;
		ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, m->l2_len);
		ip->hdr_checksum = 0;
		ip->hdr_checksum = ~rte_raw_cksum(ip, m->l3_len);
	}
	if (l4 != RTE_MBUF_F_TX_TCP_CKSUM && l4 != RTE_MBUF_F_TX_UDP_CKSUM)
		return 0;
	if (peer_finishes) {
		*blank = true;
		return 0;
	}
	/* A short frame's padding is not part of it. */
	total = ip_total_len(m, m->l2_len, (m->ol_flags & RTE_MBUF_F_TX_IPV6) == 0);
	if (total < m->l3_len)
		return -EINVAL;
	if (csum_fold_l4(m, l4_off, total - m->l3_len, l4 == RTE_MBUF_F_TX_UDP_CKSUM) < 0)
		return -EINVAL;
	/* Whole now, for whoever else sends this mbuf. */
	m->ol_flags &= ~RTE_MBUF_F_TX_L4_MASK;
	return 0;
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
	if (xen_csum_complete_rx(m) < 0) {
		xen_count_add(&ring->count.bad_packets, 1);
		return false;
	}
	xen_count_add(&ring->count.csum_completed, 1);
	return true;
}

bool
xen_csum_send(const struct xen_netif_features *peer, struct xen_netif_ring *ring,
		struct rte_mbuf *m, uint16_t *flags, uint16_t blank_flags)
{
	bool wanted = (m->ol_flags & RTE_MBUF_F_TX_L4_MASK) != 0, ipv6, blank;

	ipv6 = (m->ol_flags & RTE_MBUF_F_TX_IPV6) != 0;
	if (xen_csum_prepare_tx(m, ipv6 ? peer->csum_ipv6 : peer->csum_ipv4, &blank) < 0) {
		xen_count_add(&ring->count.bad_packets, 1);
		return false;
	}
	if (blank)
		*flags = blank_flags;
	else if (wanted)
		xen_count_add(&ring->count.csum_completed, 1);
	return true;
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
		if (ret < 0) {
			rte_errno = -ret;
			break;
		}
	}
	return i;
}
