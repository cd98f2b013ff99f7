/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_net.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "offload.h"

/* Of 9 bits. */
#define L3_LEN_MAX 511
/* What is in front of a copy's data, less what a tag takes. */
#define HEADERS_MAX (RTE_PKTMBUF_HEADROOM - sizeof(struct rte_vlan_hdr))

/* Where a packet's headers are. */
struct headers {
	uint32_t l3;
	uint32_t l4;
	uint32_t payload;
	bool ipv6;
	bool udp;
};

int
offload_receive(struct rte_mbuf *m)
{
	bool whole = (m->ol_flags & RTE_MBUF_F_RX_LRO) != 0;
	struct rte_net_hdr_lens lens = { 0 };
	uint32_t type = rte_net_get_ptype(m, &lens, RTE_PTYPE_ALL_MASK), headers;
	uint64_t flags;

	if (RTE_ETH_IS_IPV4_HDR(type))
		flags = RTE_MBUF_F_TX_IPV4;
	else if (RTE_ETH_IS_IPV6_HDR(type))
		flags = RTE_MBUF_F_TX_IPV6;
	else
		return -EINVAL;
	switch (type & RTE_PTYPE_L4_MASK) {
	case RTE_PTYPE_L4_TCP:
		flags |= RTE_MBUF_F_TX_TCP_CKSUM;
		break;
	case RTE_PTYPE_L4_UDP:
		flags |= RTE_MBUF_F_TX_UDP_CKSUM;
		if (!whole)
			break;
		/* fall through */
	default:
		return -EINVAL;
	}
	headers = lens.l2_len + lens.l3_len + lens.l4_len;
	/* More than a field of the mbuf holds, or what would confuse a NIC. */
	if (lens.l3_len > L3_LEN_MAX || headers > rte_pktmbuf_data_len(m))
		return -EINVAL;
	if (whole) {
		if (lens.l4_len < sizeof(struct rte_tcp_hdr) || m->tso_segsz == 0 ||
				headers == rte_pktmbuf_pkt_len(m))
			return -EINVAL;
		flags |= RTE_MBUF_F_TX_TCP_SEG;
	}
	m->l2_len = lens.l2_len;
	m->l3_len = lens.l3_len;
	m->l4_len = lens.l4_len;
	m->ol_flags &= ~(RTE_MBUF_F_RX_LRO | RTE_MBUF_F_RX_L4_CKSUM_MASK);
	m->ol_flags |= flags;
	return 0;
}

/* By the lengths in the mbuf; they fit into its first segment. */
static int
find_headers(const struct rte_mbuf *m, struct headers *h)
{
	h->ipv6 = (m->ol_flags & RTE_MBUF_F_TX_IPV6) != 0;
	h->udp = (m->ol_flags & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_UDP_CKSUM;
	h->l3 = m->l2_len;
	h->l4 = h->l3 + m->l3_len;
	h->payload = h->l4 + (h->udp ? sizeof(struct rte_udp_hdr) : sizeof(struct rte_tcp_hdr));
	if (m->l3_len < (h->ipv6 ? sizeof(struct rte_ipv6_hdr) : sizeof(struct rte_ipv4_hdr)) ||
			h->payload > m->data_len)
		return -EINVAL;
	return 0;
}

/* The sum of the pseudo-header, and the bytes of L4 as the IP header says. */
static uint16_t
pseudo_sum(const struct rte_mbuf *m, const struct headers *h, uint32_t *len)
{
	const void *ip = rte_pktmbuf_mtod_offset(m, const void *, h->l3);
	struct rte_ipv4_hdr ip4;
	struct rte_ipv6_hdr ip6;

	if (!h->ipv6) {
		memcpy(&ip4, ip, sizeof(ip4));
		*len = rte_be_to_cpu_16(ip4.total_length) - (h->l4 - h->l3);
		return rte_ipv4_phdr_cksum(&ip4, 0);
	}
	/* Extension headers belong to neither. */
	memcpy(&ip6, ip, sizeof(ip6));
	*len = rte_be_to_cpu_16(ip6.payload_len) - (h->l4 - h->l3 - sizeof(ip6));
	ip6.payload_len = rte_cpu_to_be_16(*len);
	ip6.proto = h->udp ? IPPROTO_UDP : IPPROTO_TCP;
	return rte_ipv6_phdr_cksum(&ip6, 0);
}

/*
 * The sum of so many bytes that the packet has. rte_raw_cksum_mbuf() of DPDK 22.11 loses a carry
 * where a segment begins at an odd byte.
 */
static uint32_t
sum_data(const struct rte_mbuf *m, uint32_t at, uint32_t len)
{
	uint32_t sum = 0, done = 0, n;
	uint16_t part;

	for (; at >= m->data_len && m->next != NULL; m = m->next)
		at -= m->data_len;
	for (; done < len; m = m->next, at = 0) {
		n = RTE_MIN(len - done, m->data_len - at);
		part = rte_raw_cksum(rte_pktmbuf_mtod_offset(m, const void *, at), n);
		sum += (done & 1) != 0 ? rte_bswap16(part) : part;
		done += n;
	}
	return sum;
}

static int
complete_l4(struct rte_mbuf *m, const struct headers *h)
{
	uint32_t at = h->l4 +
			(h->udp ? offsetof(struct rte_udp_hdr, dgram_cksum) :
				  offsetof(struct rte_tcp_hdr, cksum));
	uint8_t *field = rte_pktmbuf_mtod_offset(m, uint8_t *, at);
	uint32_t len, total;
	uint16_t sum = 0;

	memcpy(field, &sum, sizeof(sum));
	total = pseudo_sum(m, h, &len);
	/* Not that what pads a short frame. */
	if (len < h->payload - h->l4 || len > rte_pktmbuf_pkt_len(m) - h->l4)
		return -EINVAL;
	total += sum_data(m, h->l4, len);
	total = (total & 0xFFFF) + (total >> 16);
	sum = ~((total & 0xFFFF) + (total >> 16));
	if (sum == 0 && h->udp)
		sum = UINT16_MAX;
	memcpy(field, &sum, sizeof(sum));
	return 0;
}

static void
complete_ip(struct rte_mbuf *m, const struct headers *h)
{
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, h->l3);

	ip->hdr_checksum = 0;
	ip->hdr_checksum = ~rte_raw_cksum(ip, h->l4 - h->l3);
}

int
offload_complete(struct rte_mbuf *m)
{
	uint64_t l4 = m->ol_flags & RTE_MBUF_F_TX_L4_MASK;
	struct headers h;

	if (find_headers(m, &h) < 0 || l4 == RTE_MBUF_F_TX_SCTP_CKSUM)
		return -EINVAL;
	if ((m->ol_flags & RTE_MBUF_F_TX_IP_CKSUM) != 0 && !h.ipv6)
		complete_ip(m, &h);
	if (l4 != 0 && complete_l4(m, &h) < 0)
		return -EINVAL;
	m->ol_flags &= ~OFFLOAD_TX;
	return 0;
}

/* The headers of the part that begins at so many bytes of payload: RFC 9293, 3.10.7.4, and as any
 * NIC has it: the id of IPv4 counts, PSH and FIN are the last one's, CWR is the first one's.
 */
static void
write_headers(struct rte_mbuf *part, const struct headers *h, unsigned int i, uint32_t offset,
		bool last)
{
	uint32_t len = rte_pktmbuf_pkt_len(part);
	struct rte_tcp_hdr *tcp = rte_pktmbuf_mtod_offset(part, struct rte_tcp_hdr *, h->l4);
	struct rte_ipv4_hdr *ip4 = rte_pktmbuf_mtod_offset(part, struct rte_ipv4_hdr *, h->l3);
	struct rte_ipv6_hdr *ip6 = rte_pktmbuf_mtod_offset(part, struct rte_ipv6_hdr *, h->l3);

	tcp->sent_seq = rte_cpu_to_be_32(rte_be_to_cpu_32(tcp->sent_seq) + offset);
	if (i != 0)
		tcp->tcp_flags &= ~RTE_TCP_CWR_FLAG;
	if (!last)
		tcp->tcp_flags &= ~(RTE_TCP_PSH_FLAG | RTE_TCP_FIN_FLAG);
	if (h->ipv6) {
		ip6->payload_len = rte_cpu_to_be_16(len - h->l3 - sizeof(*ip6));
		return;
	}
	ip4->total_length = rte_cpu_to_be_16(len - h->l3);
	ip4->packet_id = rte_cpu_to_be_16(rte_be_to_cpu_16(ip4->packet_id) + i);
}

/* A copy of so many bytes of payload, with the headers in front of them. */
static struct rte_mbuf *
make_part(const struct rte_mbuf *m, struct rte_mempool *pool, const struct headers *h,
		uint32_t offset, uint32_t len)
{
	struct rte_mbuf *part = rte_pktmbuf_copy(m, pool, h->payload + offset, len);
	char *to;

	if (part == NULL)
		return NULL;
	to = rte_pktmbuf_prepend(part, h->payload);
	if (to == NULL) {
		rte_pktmbuf_free(part);
		return NULL;
	}
	memcpy(to, rte_pktmbuf_mtod(m, const void *), h->payload);
	part->ol_flags &= ~(RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_L4_MASK);
	part->ol_flags |= RTE_MBUF_F_TX_TCP_CKSUM;
	if (!h->ipv6)
		part->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
	return part;
}

int
offload_segment(struct rte_mbuf *m, struct rte_mempool *pool, struct rte_mbuf **parts,
		unsigned int max)
{
	struct headers h;
	uint32_t left, offset = 0, len;
	unsigned int n = 0;
	int ret = -EINVAL;

	if (find_headers(m, &h) < 0 || m->l4_len < sizeof(struct rte_tcp_hdr) || m->tso_segsz == 0)
		return -EINVAL;
	h.payload = h.l4 + m->l4_len;
	if (h.payload > HEADERS_MAX || h.payload > m->data_len ||
			h.payload >= rte_pktmbuf_pkt_len(m))
		return -EINVAL;
	for (left = rte_pktmbuf_pkt_len(m) - h.payload; left > 0; left -= len) {
		len = RTE_MIN(left, (uint32_t)m->tso_segsz);
		if (n == max) {
			ret = -EINVAL;
			goto fail;
		}
		parts[n] = make_part(m, pool, &h, offset, len);
		if (parts[n] == NULL) {
			ret = -ENOMEM;
			goto fail;
		}
		write_headers(parts[n], &h, n, offset, left == len);
		ret = offload_complete(parts[n++]);
		if (ret < 0)
			goto fail;
		offset += len;
	}
	rte_pktmbuf_free(m);
	return n;

fail:
	rte_pktmbuf_free_bulk(parts, n);
	return ret;
}
