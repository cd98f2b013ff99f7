/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_mbuf_ptype.h>
#include <rte_tcp.h>

#include "xen_compat.h"
#include "xen_csum.h"
#include "xen_gso.h"

#define TCP_UNIT 4
#define TCP_CKSUM offsetof(struct rte_tcp_hdr, cksum)

static uint32_t
tcp_len(const uint8_t *tcp)
{
	return (tcp[offsetof(struct rte_tcp_hdr, data_off)] >> 4) * TCP_UNIT;
}

/* Copy the headers, whose end TCP tells, and count the segments. */
static int
settle(struct xen_gso *g, const struct rte_mbuf *m, uint32_t end)
{
	uint32_t len = g->l4 + sizeof(struct rte_tcp_hdr), nb_segs;

	if (g->mss == 0 || !xen_mbuf_read(m, 0, g->headers, len))
		return -EINVAL;
	g->payload = g->l4 + tcp_len(g->headers + g->l4);
	if (g->payload < len || g->payload > end ||
			!xen_mbuf_read(m, len, g->headers + len, g->payload - len))
		return -EINVAL;
	g->end = end;
	nb_segs = (end - g->payload + g->mss - 1) / g->mss;
	if (nb_segs > XEN_GSO_SEGS_MAX)
		return -EINVAL;
	/* Also one without payload is a frame. */
	g->nb_segs = RTE_MAX(nb_segs, 1u);
	return 0;
}

int
xen_gso_find(struct xen_gso *g, const struct rte_mbuf *m, uint8_t type, uint16_t mss)
{
	struct xen_l4 l4;
	int ret;

	ret = xen_headers_l4(m, &l4);
	if (ret < 0)
		return ret;
	if (l4.udp || l4.ipv6 != (type == XEN_NETIF_GSO_TYPE_TCPV6))
		return -ENOTSUP;
	g->l3 = l4.l3;
	g->l4 = l4.off;
	g->mss = mss;
	g->ipv6 = l4.ipv6;
	return settle(g, m, l4.off + l4.len);
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_gso_wanted)
int
xen_gso_wanted(struct xen_gso *g, const struct rte_mbuf *m)
{
	int ret;

	g->ipv6 = (m->ol_flags & RTE_MBUF_F_TX_IPV6) != 0;
	g->l3 = m->l2_len;
	g->l4 = m->l2_len + m->l3_len;
	g->mss = m->tso_segsz;
	if (g->l3 < RTE_ETHER_HDR_LEN || g->l4 + XEN_GSO_TCP_MAX > XEN_GSO_HEADERS_MAX ||
			m->l3_len < (g->ipv6 ? sizeof(struct rte_ipv6_hdr) :
					       sizeof(struct rte_ipv4_hdr)))
		return -EINVAL;
	ret = settle(g, m, rte_pktmbuf_pkt_len(m));
	return ret == 0 && m->l4_len != g->payload - g->l4 ? -EINVAL : ret;
}

/* The sum of the pseudo-header of so many bytes of TCP. */
static uint16_t
pseudo_sum(const struct xen_gso *g, uint32_t len, uint64_t ol_flags)
{
	struct rte_ipv6_hdr ipv6;
	struct rte_ipv4_hdr ipv4;

	if (g->ipv6) {
		memcpy(&ipv6, g->headers + g->l3, sizeof(ipv6));
		ipv6.proto = IPPROTO_TCP;
		ipv6.payload_len = rte_cpu_to_be_16(len);
		return rte_ipv6_phdr_cksum(&ipv6, ol_flags);
	}
	memcpy(&ipv4, g->headers + g->l3, sizeof(ipv4));
	ipv4.total_length = rte_cpu_to_be_16(rte_ipv4_hdr_len(&ipv4) + len);
	return rte_ipv4_phdr_cksum(&ipv4, ol_flags);
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_gso_taken_blank)
bool
xen_gso_taken_blank(const struct xen_gso *g, const struct xen_netif_features *peer)
{
	return (g->ipv6 ? peer->csum_ipv6 : peer->csum_ipv4) &&
			xen_csum_peer_parses(g->l3, g->l4 - g->l3);
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_gso_taken_whole)
bool
xen_gso_taken_whole(const struct xen_gso *g, const struct xen_netif_features *peer)
{
	return (g->ipv6 ? peer->gso_tcpv6 : peer->gso_tcpv4) && peer->sg && g->nb_segs > 1 &&
			xen_gso_taken_blank(g, peer);
}

/* The IP header of a packet of so many bytes, and the blank checksum of its TCP. */
static void
finish_headers(const struct xen_gso *g, uint32_t len, uint8_t *to)
{
	const uint32_t in_ipv6 = g->l3 + offsetof(struct rte_ipv6_hdr, payload_len);
	uint16_t sum = pseudo_sum(g, len - g->l4, 0);
	const uint32_t ip_len = len - g->l3;
	struct rte_ipv4_hdr ip;
	rte_be16_t ipv6_len;

	memcpy(to + g->l4 + TCP_CKSUM, &sum, sizeof(sum));
	if (g->ipv6) {
		ipv6_len = rte_cpu_to_be_16(ip_len - sizeof(struct rte_ipv6_hdr));
		memcpy(to + in_ipv6, &ipv6_len, sizeof(ipv6_len));
		return;
	}
	memcpy(&ip, to + g->l3, sizeof(ip));
	ip.total_length = rte_cpu_to_be_16(ip_len);
	ip.hdr_checksum = 0;
	memcpy(to + g->l3, &ip, sizeof(ip));
	ip.hdr_checksum = ~rte_raw_cksum(to + g->l3, g->l4 - g->l3);
	memcpy(to + g->l3, &ip, sizeof(ip));
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_gso_whole_headers)
void
xen_gso_whole_headers(const struct xen_gso *g, uint8_t *to)
{
	memcpy(to, g->headers, g->payload);
	finish_headers(g, g->end, to);
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_gso_headers)
void
xen_gso_headers(const struct xen_gso *g, uint32_t seg, uint8_t *to)
{
	const uint32_t in_ip = g->l3 + offsetof(struct rte_ipv4_hdr, packet_id);
	struct rte_tcp_hdr tcp;
	rte_be16_t id;

	memcpy(to, g->headers, g->payload);
	memcpy(&tcp, to + g->l4, sizeof(tcp));
	tcp.sent_seq = rte_cpu_to_be_32(rte_be_to_cpu_32(tcp.sent_seq) + seg * g->mss);
	if (seg != 0)
		tcp.tcp_flags &= ~RTE_TCP_CWR_FLAG;
	if (seg + 1 != g->nb_segs)
		tcp.tcp_flags &= ~(RTE_TCP_PSH_FLAG | RTE_TCP_FIN_FLAG);
	memcpy(to + g->l4, &tcp, sizeof(tcp));
	if (!g->ipv6) {
		memcpy(&id, to + in_ip, sizeof(id));
		id = rte_cpu_to_be_16(rte_be_to_cpu_16(id) + seg);
		memcpy(to + in_ip, &id, sizeof(id));
	}
	finish_headers(g, xen_gso_seg_len(g, seg), to);
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_gso_complete)
void
xen_gso_complete(const struct xen_gso *g, const struct rte_mbuf *m, uint32_t off, uint32_t len,
		uint8_t *headers)
{
	uint16_t sum = rte_raw_cksum(headers + g->l4, g->payload - g->l4);

	xen_mbuf_sum(m, off, len, &sum);
	sum = ~sum;
	memcpy(headers + g->l4 + TCP_CKSUM, &sum, sizeof(sum));
}

static void
set_lengths(const struct xen_gso *g, struct rte_mbuf *m)
{
	m->l2_len = g->l3;
	m->l3_len = g->l4 - g->l3;
	m->l4_len = g->payload - g->l4;
	m->tso_segsz = g->mss;
}

static uint32_t
packet_type(const struct xen_gso *g)
{
	uint32_t l3_len = g->l4 - g->l3, type = RTE_PTYPE_L4_TCP;

	if (g->l3 == RTE_ETHER_HDR_LEN)
		type |= RTE_PTYPE_L2_ETHER;
	else if (g->l3 == RTE_ETHER_HDR_LEN + sizeof(struct rte_vlan_hdr))
		type |= RTE_PTYPE_L2_ETHER_VLAN;
	else
		type |= RTE_PTYPE_L2_ETHER_QINQ;
	if (g->ipv6)
		return type |
				(l3_len == sizeof(struct rte_ipv6_hdr) ? RTE_PTYPE_L3_IPV6 :
									 RTE_PTYPE_L3_IPV6_EXT);
	return type |
			(l3_len == sizeof(struct rte_ipv4_hdr) ? RTE_PTYPE_L3_IPV4 :
								 RTE_PTYPE_L3_IPV4_EXT);
}

void
xen_gso_describe(const struct xen_gso *g, const struct xen_netif_queue *q, struct rte_mbuf *m)
{
	rte_be16_t sum = pseudo_sum(g, g->end - g->l4, 0);

	set_lengths(g, m);
	if (q->legacy_ol_flags) {
		sum = pseudo_sum(g, 0, RTE_MBUF_F_TX_TCP_SEG);
		m->ol_flags |= RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_TCP_CKSUM;
		m->ol_flags |= g->ipv6 ? RTE_MBUF_F_TX_IPV6 :
					 RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
	} else {
		m->ol_flags |= RTE_MBUF_F_RX_LRO;
		m->packet_type = packet_type(g);
	}
	xen_mbuf_write(m, g->l4 + TCP_CKSUM, &sum, sizeof(sum));
}

/* A frame that grows. */
struct frame {
	const struct xen_netif_queue *q;
	struct rte_mbuf *head;
	struct rte_mbuf *last;
};

/* Append to a frame, in as many mbufs as it takes. */
static int
append(struct frame *f, const uint8_t *data, uint32_t len)
{
	struct rte_mbuf *m;
	uint32_t n;

	for (; len != 0; len -= n, data += n) {
		if (rte_pktmbuf_tailroom(f->last) == 0) {
			m = rte_pktmbuf_alloc(f->q->pool);
			if (m == NULL)
				return -ENOMEM;
			f->last->next = m;
			f->last = m;
			f->head->nb_segs++;
		}
		n = RTE_MIN(len, (uint32_t)rte_pktmbuf_tailroom(f->last));
		memcpy(rte_pktmbuf_mtod_offset(f->last, void *, f->last->data_len), data, n);
		f->last->data_len += n;
		f->head->pkt_len += n;
	}
	return 0;
}

/* Append the next bytes of a packet, whose place is moved on. */
static int
append_payload(struct frame *f, const struct rte_mbuf **m, uint32_t *off, uint32_t len)
{
	uint32_t n;
	int ret;

	for (; len != 0; len -= n, *off += n) {
		*m = xen_mbuf_seek(*m, off);
		n = RTE_MIN(len, rte_pktmbuf_data_len(*m) - *off);
		ret = append(f, rte_pktmbuf_mtod_offset(*m, const uint8_t *, *off), n);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* Fill an empty mbuf, and more as it takes, with a segment; its payload's place is moved on. */
static int
fill_frame(const struct xen_gso *g, const struct xen_netif_queue *q, uint32_t seg,
		const struct rte_mbuf **m, uint32_t *off, struct rte_mbuf *head)
{
	uint32_t len = xen_gso_seg_len(g, seg);
	struct frame f = { .q = q, .head = head, .last = head };
	uint8_t headers[XEN_GSO_HEADERS_MAX];
	uint16_t sum = 0;
	int ret;

	xen_netif_place(head, q->room, len);
	head->port = q->port_id;
	xen_gso_headers(g, seg, headers);
	ret = append(&f, headers, g->payload);
	if (ret == 0)
		ret = append_payload(&f, m, off, len - g->payload);
	if (ret < 0)
		return ret;
	xen_mbuf_sum(head, g->l4, len - g->l4, &sum);
	sum = ~sum;
	xen_mbuf_write(head, g->l4 + TCP_CKSUM, &sum, sizeof(sum));
	head->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	return 0;
}

int
xen_gso_cut(const struct xen_gso *g, const struct xen_netif_queue *q, const struct rte_mbuf *m,
		struct rte_mbuf **frames)
{
	uint32_t off = g->payload, i;

	if (xen_gso_seg_len(g, 0) > q->room && !q->scatter)
		return -EMSGSIZE;
	if (rte_pktmbuf_alloc_bulk(q->pool, frames, g->nb_segs) < 0)
		return -ENOMEM;
	for (i = 0; i < g->nb_segs; i++) {
		if (fill_frame(g, q, i, &m, &off, frames[i]) < 0) {
			rte_pktmbuf_free_bulk(frames, g->nb_segs);
			return -ENOMEM;
		}
	}
	return 0;
}

/* Find the headers of a packet to be segmented; counts it when there are none. */
static bool
find_counted(struct xen_gso *g, struct xen_netif_ring *ring, const struct rte_mbuf *m, uint8_t type,
		uint16_t mss)
{
	if (xen_gso_find(g, m, type, mss) == 0)
		return true;
	xen_count_add(&ring->count.bad_packets, 1);
	return false;
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_gso_receive_cut)
uint16_t
xen_gso_receive_cut(struct xen_netif_queue *q, struct xen_netif_ring *ring,
		const struct rte_mbuf *m, uint8_t type, uint16_t mss, struct rte_mbuf **frames)
{
	struct xen_gso g;
	uint16_t i;

	if (!find_counted(&g, ring, m, type, mss))
		return 0;
	switch (xen_gso_cut(&g, q, m, frames)) {
	case 0:
		for (i = 0; i < g.nb_segs && (m->ol_flags & RTE_MBUF_F_RX_RSS_HASH) != 0; i++) {
			frames[i]->ol_flags |= RTE_MBUF_F_RX_RSS_HASH;
			frames[i]->hash.rss = m->hash.rss;
		}
		xen_count_add(&ring->count.gso_cut, 1);
		return g.nb_segs;
	case -EMSGSIZE:
		xen_count_add(&ring->count.oversize, 1);
		return 0;
	default:
		xen_count_add(&q->nombuf, 1);
		xen_count_add(&ring->count.nombuf, 1);
		return 0;
	}
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_gso_receive_whole)
bool
xen_gso_receive_whole(const struct xen_netif_queue *q, struct xen_netif_ring *ring,
		struct rte_mbuf *m, uint8_t type, uint16_t mss)
{
	struct xen_gso g;

	if (!find_counted(&g, ring, m, type, mss))
		return false;
	xen_count_add(&ring->count.gso_whole, 1);
	xen_gso_describe(&g, q, m);
	return q->legacy_ol_flags || xen_csum_receive(q, ring, m, true);
}

static void
held_put(struct xen_gso_held *h, struct xen_netif_ring *ring, struct rte_mbuf **frames, uint16_t nb)
{
	if (nb == 0)
		return;
	rte_spinlock_lock(&h->lock);
	h->ring = ring;
	if (h->first != 0) {
		memmove(h->frames, h->frames + h->first, h->nb * sizeof(h->frames[0]));
		h->first = 0;
	}
	memcpy(h->frames + h->nb, frames, nb * sizeof(h->frames[0]));
	__atomic_store_n(&h->nb, h->nb + nb, __ATOMIC_RELAXED);
	rte_spinlock_unlock(&h->lock);
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_gso_held_rest)
void
xen_gso_held_rest(struct xen_gso_held *h, const struct xen_netif_queue *q,
		struct xen_netif_ring *ring, struct rte_mbuf **frames, uint16_t nb)
{
	uint64_t bytes = 0;

	if (nb != 0 && __atomic_load_n(&q->classify, __ATOMIC_RELAXED) != 0)
		nb = xen_netif_rx_classify(q, ring, frames, nb, &bytes);
	held_put(h, ring, frames, nb);
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_gso_held_take)
uint16_t
xen_gso_held_take(struct xen_gso_held *h, struct xen_netif_queue *q, struct rte_mbuf **pkts,
		uint16_t nb_pkts)
{
	uint64_t bytes = 0;
	uint16_t i, n;

	rte_spinlock_lock(&h->lock);
	n = RTE_MIN(h->nb, nb_pkts);
	for (i = 0; i < n; i++) {
		pkts[i] = h->frames[h->first + i];
		bytes += rte_pktmbuf_pkt_len(pkts[i]);
	}
	h->first += n;
	__atomic_store_n(&h->nb, h->nb - n, __ATOMIC_RELAXED);
	rte_spinlock_unlock(&h->lock);
	xen_count_add(&q->packets, n);
	xen_count_add(&q->bytes, bytes);
	return n;
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_gso_held_drop)
void
xen_gso_held_drop(struct xen_gso_held *h, struct xen_netif_queue *q)
{
	struct xen_netif_ring *ring;
	uint16_t nb;

	rte_spinlock_lock(&h->lock);
	ring = h->ring;
	nb = h->nb;
	rte_pktmbuf_free_bulk(h->frames + h->first, nb);
	h->first = 0;
	__atomic_store_n(&h->nb, 0, __ATOMIC_RELAXED);
	rte_spinlock_unlock(&h->lock);
	if (nb == 0)
		return;
	__atomic_fetch_add(&q->late.errors, nb, __ATOMIC_RELAXED);
	/* A burst takes these locks the other way round. */
	rte_spinlock_lock(&ring->lock);
	xen_count_add(&ring->count.wait_flushed, nb);
	rte_spinlock_unlock(&ring->lock);
}
