/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XEN_GSO_H
#define XEN_GSO_H

/**
 * @file
 * TCP packets that are longer than a frame of the wire, with the headers of the first segment
 * (netif.h, "XEN_NETIF_EXTRA_TYPE_GSO"): handed over whole where the receiver takes them so, and
 * cut into segments where not. Both directions of both drivers. An lcore; a packet is the caller's
 * to read, and nothing is believed that its sender says of its lengths.
 *
 * A blank checksum holds the sum of the pseudo-header. Netif's has the length of the whole packet
 * in it and DPDK's, for RTE_MBUF_F_TX_TCP_SEG, none: it is computed anew on every way.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_compat.h>
#include <rte_ether.h>
#include <rte_mbuf.h>
#include <rte_spinlock.h>

#include "xen_headers.h"
#include "xen_netif_queue.h"

/** A packet that would make more segments is a bad one. */
#define XEN_GSO_SEGS_MAX 256u

/** Bytes of a TCP header, at most. */
#define XEN_GSO_TCP_MAX 60u

/** Bytes of all headers of a segment, at most. */
#define XEN_GSO_HEADERS_MAX \
	(RTE_ETHER_HDR_LEN + 4 * XEN_HEADERS_VLANS_MAX + XEN_HEADERS_IPV6_MAX + XEN_GSO_TCP_MAX)

/** A packet to be segmented, its headers copied out of it. */
struct xen_gso {
	/* Where IP, TCP and the payload begin, and where that ends. */
	uint16_t l3;
	uint16_t l4;
	uint16_t payload;
	uint16_t mss;
	uint32_t end;
	uint16_t nb_segs;
	bool ipv6;
	uint8_t headers[XEN_GSO_HEADERS_MAX];
};

/** Bytes of a segment with its headers. */
static inline uint32_t
xen_gso_seg_len(const struct xen_gso *g, uint32_t seg)
{
	uint32_t from = g->payload + seg * g->mss;

	return g->payload + RTE_MIN(g->end - from, g->mss);
}

/**
 * Does a queue take a packet of len bytes that is to be segmented only cut? One with external
 * buffers takes it in one of these, too, while there are any.
 */
static inline bool
xen_gso_to_cut(const struct xen_netif_queue *q, uint32_t len)
{
	return len > q->whole_max || (len > q->room && (!q->scatter || q->extbufs != NULL));
}

/**
 * Find the headers of a packet that the other end has sent.
 *
 * @param type
 *   XEN_NETIF_GSO_TYPE_TCPV4 or XEN_NETIF_GSO_TYPE_TCPV6.
 * @param mss
 *   Bytes of payload in a segment: the extra info's size.
 * @return
 *   0; -ENOTSUP when xen_headers_l4() finds no TCP of that type; -EINVAL when the packet's lengths
 *   cannot be, or it would make more than XEN_GSO_SEGS_MAX segments.
 */
int
xen_gso_find(struct xen_gso *g, const struct rte_mbuf *m, uint8_t type, uint16_t mss);

/**
 * Find the headers of a packet that an application wants segmented (RTE_MBUF_F_TX_TCP_SEG), by the
 * lengths in its mbuf.
 *
 * @return
 *   0; or -EINVAL when they do not fit the packet, or it would make more than XEN_GSO_SEGS_MAX
 *   segments.
 */
__rte_internal
int
xen_gso_wanted(struct xen_gso *g, const struct rte_mbuf *m);

/** Does the other end take the packet whole? */
__rte_internal
bool
xen_gso_taken_whole(const struct xen_gso *g, const struct xen_netif_features *peer);

/** Does the other end finish a blank checksum of the packet's segments? */
__rte_internal
bool
xen_gso_taken_blank(const struct xen_gso *g, const struct xen_netif_features *peer);

/**
 * Make the headers of the whole packet, with netif's blank checksum.
 *
 * @param to
 *   Receives g->payload bytes, at any alignment.
 */
__rte_internal
void
xen_gso_whole_headers(const struct xen_gso *g, uint8_t *to);

/**
 * Make the headers of a segment, with a blank checksum. IPv4's id counts; CWR is the first
 * segment's, and PSH and FIN are the last one's.
 *
 * @param to
 *   Receives g->payload bytes, at any alignment.
 */
__rte_internal
void
xen_gso_headers(const struct xen_gso *g, uint32_t seg, uint8_t *to);

/**
 * Complete the checksum of a segment.
 *
 * @param m
 *   The packet, or a part of it, in which the segment has len bytes of payload from off on.
 * @param headers
 *   What xen_gso_headers() made.
 */
__rte_internal
void
xen_gso_complete(const struct xen_gso *g, const struct rte_mbuf *m, uint32_t off, uint32_t len,
		uint8_t *headers);

/**
 * Describe a received packet to the application that takes it whole: as RTE_MBUF_F_RX_LRO, or for
 * one that asked for it by the flags of a packet to be sent (q->legacy_ol_flags).
 *
 * @param m
 *   The packet, private to the caller. Its checksum is still blank, as netif has it, or for the
 *   flags of a packet to be sent as DPDK has it.
 */
void
xen_gso_describe(const struct xen_gso *g, const struct xen_netif_queue *q, struct rte_mbuf *m);

/**
 * Cut a received packet into frames, their checksums complete.
 *
 * @param m
 *   The packet, of which the frames are copies.
 * @param frames
 *   Receives g->nb_segs of them.
 * @return
 *   0; -EMSGSIZE when a frame does not fit into an mbuf of a queue that takes no more for it; or
 *   -ENOMEM when mbufs are short. There are no frames then.
 */
int
xen_gso_cut(const struct xen_gso *g, const struct xen_netif_queue *q, const struct rte_mbuf *m,
		struct rte_mbuf **frames);

/**
 * Cut a received packet into frames. What it is lost by is counted. With the ring's lock held.
 *
 * @param m
 *   The packet. Each frame has its hash, if it has any.
 * @param type, mss
 *   As for xen_gso_find().
 * @param frames
 *   Receives at most XEN_GSO_SEGS_MAX of them.
 * @return
 *   How many; 0 when the packet is lost.
 */
__rte_internal
uint16_t
xen_gso_receive_cut(struct xen_netif_queue *q, struct xen_netif_ring *ring,
		const struct rte_mbuf *m, uint8_t type, uint16_t mss, struct rte_mbuf **frames);

/**
 * Have the application take a received packet whole. With the ring's lock held.
 *
 * @param type, mss
 *   As for xen_gso_find().
 * @return
 *   False when it has to be dropped. Counted in either case.
 */
__rte_internal
bool
xen_gso_receive_whole(const struct xen_netif_queue *q, struct xen_netif_ring *ring,
		struct rte_mbuf *m, uint8_t type, uint16_t mss);

/** Frames of a packet that was cut which did not fit into the burst, in an rx queue. */
struct xen_gso_held {
	/* For a queue may be stopped under a burst. */
	rte_spinlock_t lock;
	uint16_t first;
	uint16_t nb;
	/* Where their packet comes from. */
	struct xen_netif_ring *ring;
	struct rte_mbuf *frames[XEN_GSO_SEGS_MAX];
};

/** Does anything wait? By the queue's own lcore. */
static inline bool
xen_gso_held_any(const struct xen_gso_held *h)
{
	return __atomic_load_n(&h->nb, __ATOMIC_RELAXED) != 0;
}

/**
 * Have frames wait for the next burst, which nobody has looked at yet for what the application has
 * asked for. By the queue's own lcore, with the ring's lock held.
 *
 * @param ring
 *   Where their packet comes from: all that waits comes from one.
 * @param nb
 *   No more than there is room for.
 */
__rte_internal
void
xen_gso_held_rest(struct xen_gso_held *h, const struct xen_netif_queue *q,
		struct xen_netif_ring *ring, struct rte_mbuf **frames, uint16_t nb);

/** Take frames that wait, and count them as received. By the queue's own lcore. */
__rte_internal
uint16_t
xen_gso_held_take(struct xen_gso_held *h, struct xen_netif_queue *q, struct rte_mbuf **pkts,
		uint16_t nb_pkts);

/** Drop what waits, and count it as lost: the queue is stopped. Any thread, without locks. */
__rte_internal
void
xen_gso_held_drop(struct xen_gso_held *h, struct xen_netif_queue *q);

#endif /* XEN_GSO_H */
