/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XEN_CSUM_H
#define XEN_CSUM_H

/**
 * @file
 * Blank checksums: the L4 checksum field of such a packet holds the sum of the pseudo-header alone,
 * and whoever takes the packet off the rings has to finish it (NETTXF_csum_blank and
 * NETRXF_csum_blank of netif.h).
 */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_compat.h>
#include <rte_ether.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>

#include "xen_netif_queue.h"

/** What has to be changed in a copy of a packet's first bytes. */
struct xen_csum_patch {
	/* Bytes from the packet's start that hold all changed ones; 0: nothing changes. */
	uint16_t len;
	/* How many of the changes there are. */
	uint16_t nb;
	/* The IPv4 header's checksum, the L4 checksum. */
	struct {
		uint16_t off;
		rte_be16_t value;
	} at[2];
};

/** No patch is longer: l2_len and l3_len of an mbuf at their most, and what of TCP is needed. */
#define XEN_CSUM_PATCH_MAX (127 + 511 + 18)

/**
 * Is a blank checksum behind headers of these lengths found by any other end? Either end of Linux
 * drops a blank packet with a VLAN tag, and one with more than 256 bytes of IPv6 headers.
 */
static inline bool
xen_csum_peer_parses(uint32_t l2_len, uint32_t l3_len)
{
	return l2_len == RTE_ETHER_HDR_LEN && l3_len <= 256 - sizeof(struct rte_tcp_hdr);
}

/**
 * Finish the blank TCP or UDP checksum of a received packet in place. Headers and lengths are
 * bounded by the packet's own data, and may be spread over its segments in any way; nothing that
 * its sender says is believed. An lcore.
 *
 * @param m
 *   The packet, private to the caller; ol_flags gets RTE_MBUF_F_RX_L4_CKSUM_GOOD.
 * @return
 *   0, or what xen_headers_l4() says of a packet with nothing to finish. It is unchanged then, and
 *   has to be dropped.
 */
int
xen_csum_complete_rx(struct rte_mbuf *m);

/**
 * Compute the checksums that an application asked for with RTE_MBUF_F_TX_{IP,TCP,UDP}_CKSUM. The
 * IPv4 header's is always computed here. The L4 checksum is left blank for the other end where
 * that takes blank ones, and where any other end finds it: without VLAN tags, and in the first 256
 * bytes of IPv6. Else it is computed here. The packet may be shared: neither its data nor
 * its flags are written. An lcore.
 *
 * @param m
 *   The packet to send, with l2_len and l3_len set and the pseudo-header's sum in the L4 checksum,
 *   as rte_eth_tx_prepare() leaves it. Its headers may be spread over its segments in any way.
 * @param peer_finishes
 *   The other end takes blank checksums for this packet's IP version.
 * @param blank
 *   Set when the packet is to be sent with its checksum marked as blank.
 * @param patch
 *   Receives what the packet that is sent has to differ in, see xen_csum_apply().
 * @return
 *   0, or -EINVAL when the lengths in the mbuf do not fit the packet.
 */
int
xen_csum_prepare_tx(const struct rte_mbuf *m, bool peer_finishes, bool *blank,
		struct xen_csum_patch *patch);

/**
 * Make the changes of a patch. Any thread.
 *
 * @param data
 *   A private copy of the packet's first bytes, patch->len or more; at any alignment.
 */
static inline void
xen_csum_apply(const struct xen_csum_patch *patch, uint8_t *data)
{
	unsigned int i;

	for (i = 0; i < patch->nb; i++)
		memcpy(data + patch->at[i].off, &patch->at[i].value, sizeof(patch->at[i].value));
}

/**
 * Set the offload flags of a received packet whose sender has marked it as blank or as validated,
 * and finish it unless the application does so itself. By an lcore, with the ring's lock held.
 *
 * @param blank
 *   The packet has a blank checksum.
 * @return
 *   False when it cannot be finished: it has to be dropped. Counted in either case.
 */
__rte_internal
bool
xen_csum_receive(const struct xen_netif_queue *q, struct xen_netif_ring *ring, struct rte_mbuf *m,
		bool blank);

/**
 * Do the checksum work that a packet to send asks for. By an lcore, with the ring's lock held, and
 * once it is certain that the packet is taken.
 *
 * @param peer
 *   Says for which packets the other end takes blank checksums.
 * @param flags
 *   Gets blank_flags, beside what it has, when the other end is to finish the checksum.
 * @param blank_flags
 *   The ring's flags of a blank checksum.
 * @param patch
 *   Receives what the packet that is sent has to differ in, see xen_csum_apply().
 * @return
 *   False when the lengths in the mbuf do not fit the packet: it has to be dropped. Counted in
 *   either case.
 */
__rte_internal
bool
xen_csum_send(const struct xen_netif_features *peer, struct xen_netif_ring *ring,
		const struct rte_mbuf *m, uint16_t *flags, uint16_t blank_flags,
		struct xen_csum_patch *patch);

/**
 * Put the sum of the pseudo-header into the L4 checksum of each packet that asks for an offload, as
 * xen_csum_prepare_tx() and the other end expect to find it. An lcore.
 *
 * @see rte_eth_tx_prepare()
 */
uint16_t
xen_csum_tx_prepare(void *queue, struct rte_mbuf **pkts, uint16_t nb_pkts);

#endif /* XEN_CSUM_H */
