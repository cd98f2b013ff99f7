/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XEN_HEADERS_H
#define XEN_HEADERS_H

/**
 * @file
 * Headers and bytes of packets whose segments may divide them in any way. Nothing is believed that
 * the packet says of itself. An lcore, with a packet that is its own to read.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_compat.h>
#include <rte_mbuf.h>

/** VLAN tags, of any kind, behind which IP is found. */
#define XEN_HEADERS_VLANS_MAX 4

/** Bytes of IPv6 headers, extensions included, behind which L4 is found; xen-netback: 256. */
#define XEN_HEADERS_IPV6_MAX 512

/** A packet's TCP or UDP, and how much of it there is by the IP header. */
struct xen_l4 {
	/* Where IP begins. */
	uint32_t l3;
	uint32_t off;
	uint32_t len;
	bool ipv6;
	bool udp;
};

/** The segment with the byte at off, which becomes the place in it; NULL: there are fewer. */
static inline const struct rte_mbuf *
xen_mbuf_seek(const struct rte_mbuf *m, uint32_t *off)
{
	while (m != NULL && *off >= rte_pktmbuf_data_len(m)) {
		*off -= rte_pktmbuf_data_len(m);
		m = m->next;
	}
	return m;
}

/** Copy bytes out of the segments, so that no alignment is assumed; false: there are fewer. */
__rte_internal
bool
xen_mbuf_read(const struct rte_mbuf *m, uint32_t off, void *to, uint32_t len);

/** Overwrite bytes of the segments, which are the caller's own; the packet has them. */
void
xen_mbuf_write(struct rte_mbuf *m, uint32_t off, const void *from, uint32_t len);

/**
 * Add up len bytes from off on; false: there are fewer. rte_raw_cksum_mbuf() will not do: it loses
 * the carry of a segment that begins at an odd byte.
 *
 * @param sum
 *   Added to, as rte_raw_cksum() has it.
 */
bool
xen_mbuf_sum(const struct rte_mbuf *m, uint32_t off, uint32_t len, uint16_t *sum);

/**
 * Find the TCP or UDP of a packet of which nothing is known.
 *
 * @return
 *   0; -EINVAL when the packet's lengths cannot be: it is cut short or makes no sense; or -ENOTSUP
 *   when there is no whole TCP or UDP: another protocol, a fragment, a jumbogram, or more headers
 *   than XEN_HEADERS_VLANS_MAX and XEN_HEADERS_IPV6_MAX allow.
 */
int
xen_headers_l4(const struct rte_mbuf *m, struct xen_l4 *l4);

#endif /* XEN_HEADERS_H */
