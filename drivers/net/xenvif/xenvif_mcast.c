/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <string.h>

#include <rte_ether.h>

#include "xenvif_mcast.h"

bool
xenvif_mcast_change(struct xenvif_mcast *mcast, const struct xenvif_request *r)
{
	bool adds = (r->extras & RTE_BIT32(XEN_NETIF_EXTRA_TYPE_MCAST_ADD)) != 0;
	struct rte_ether_addr addr;

	memcpy(addr.addr_bytes,
			r->extra[adds ? XEN_NETIF_EXTRA_TYPE_MCAST_ADD :
					XEN_NETIF_EXTRA_TYPE_MCAST_DEL]
					.u.mcast.addr,
			RTE_ETHER_ADDR_LEN);
	if (!rte_is_multicast_ether_addr(&addr))
		return !adds;
	if (adds)
		return xen_mcast_add(&mcast->list, xen_mcast_word(&addr));
	/* What is not there need not be removed: xen-netback says so too. */
	xen_mcast_del(&mcast->list, xen_mcast_word(&addr));
	return true;
}

/* The destination, wherever segments end: what a packet says of itself may be wrong. */
static bool
read_destination(const struct rte_mbuf *m, struct rte_ether_addr *dst)
{
	uint32_t done = 0, n;

	for (; m != NULL && done < RTE_ETHER_ADDR_LEN; m = m->next, done += n) {
		n = RTE_MIN(rte_pktmbuf_data_len(m), RTE_ETHER_ADDR_LEN - done);
		memcpy(&dst->addr_bytes[done], rte_pktmbuf_mtod(m, const void *), n);
	}
	return done == RTE_ETHER_ADDR_LEN;
}

bool
xenvif_mcast_passes(const struct xenvif_mcast *mcast, const struct rte_mbuf *m)
{
	struct rte_ether_addr dst;

	if (!read_destination(m, &dst) || !rte_is_multicast_ether_addr(&dst) ||
			rte_is_broadcast_ether_addr(&dst))
		return true;
	return xen_mcast_has(&mcast->list, xen_mcast_word(&dst));
}

void
xenvif_mcast_clear(struct xenvif_mcast *mcast)
{
	xenvif_mcast_set(mcast, false);
	xen_mcast_clear(&mcast->list);
}
