/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <rte_bitops.h>
#include <rte_branch_prediction.h>

#include "forward.h"
#include "offload.h"

/* Those of the ports that are members of the VLAN, and whether some of them have it tagged. */
static uint32_t
members(const struct dataplane *dp, uint32_t to, uint16_t vlan, uint32_t *tagged)
{
	uint32_t left, members = 0;
	unsigned int port;

	*tagged = 0;
	for (left = to; left != 0; left &= left - 1) {
		port = rte_bsf32(left);
		if (dp->ports[port].native == vlan)
			members |= RTE_BIT32(port);
		else if (vlan_is_tagged(&dp->ports[port].vlan, vlan))
			*tagged |= RTE_BIT32(port);
	}
	return members;
}

/* Give the same packet to each of the ports. */
static void
share(struct worker *w, const struct dataplane *dp, struct rte_mbuf *m, uint32_t to)
{
	if (!rte_is_power_of_2(to))
		rte_pktmbuf_refcnt_update(m, __builtin_popcount(to) - 1);
	for (; to != 0; to &= to - 1)
		worker_out(w, dp, rte_bsf32(to), m);
}

void
flood(struct worker *w, const struct dataplane *dp, uint16_t in, struct rte_mbuf *m, uint32_t to,
		uint16_t vlan)
{
	const struct dp_bridge *bridge = &dp->bridges[dp->ports[in].bridge];
	uint32_t untagged, tagged;
	struct rte_mbuf *variant;

	to &= ~RTE_BIT32(in);
	if ((bridge->isolated >> in & 1) != 0)
		to &= ~bridge->isolated;
	untagged = members(dp, to, vlan, &tagged);
	if (untagged == 0 && tagged == 0) {
		worker_drop(w, in, DROP_NO_MEMBER, m);
		return;
	}
	/* Once, and not by each port: none of them may write to what others have too. */
	if ((m->ol_flags & OFFLOAD_TX) != 0 && (m->ol_flags & RTE_MBUF_F_TX_TCP_SEG) == 0 &&
			unlikely(offload_complete(m) != 0)) {
		worker_drop(w, in, DROP_OFFLOAD, m);
		return;
	}
	stats_count(&w->stats[in].rx_flooded, 1);
	if (tagged == 0) {
		share(w, dp, m, untagged);
		return;
	}
	variant = m;
	if (untagged != 0) {
		variant = rte_pktmbuf_clone(m, w->pool);
		if (variant == NULL)
			stats_count(&w->stats[in].drops[DROP_NO_MBUF], 1);
		else
			variant->vlan_tci = m->vlan_tci;
		share(w, dp, m, untagged);
	}
	if (variant != NULL)
		share(w, dp, variant, tagged);
}
