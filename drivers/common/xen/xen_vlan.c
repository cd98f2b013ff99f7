/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <string.h>

#include <rte_byteorder.h>

#include "xen_compat.h"
#include "xen_headers.h"
#include "xen_vlan.h"

#define ADDRESSES (2 * RTE_ETHER_ADDR_LEN)

RTE_EXPORT_INTERNAL_SYMBOL(xen_vlan_tagged)
const struct rte_mbuf *
xen_vlan_tagged(struct xen_vlan *v, const struct rte_mbuf *m)
{
	const rte_be16_t tag[] = {
		rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN),
		rte_cpu_to_be_16(m->vlan_tci),
	};
	const struct rte_mbuf *seg;
	uint32_t off = ADDRESSES;

	xen_mbuf_read(m, 0, v->bytes, ADDRESSES);
	memcpy(v->bytes + ADDRESSES, tag, sizeof(tag));
	v->first = *m;
	v->first.ol_flags &= ~RTE_MBUF_F_TX_VLAN;
	v->first.buf_addr = v->bytes;
	v->first.data_off = 0;
	v->first.data_len = sizeof(v->bytes);
	v->first.pkt_len += RTE_VLAN_HLEN;
	v->first.l2_len += RTE_VLAN_HLEN;
	v->first.next = &v->rest;
	v->first.nb_segs++;
	for (seg = m; off >= rte_pktmbuf_data_len(seg); seg = seg->next) {
		off -= rte_pktmbuf_data_len(seg);
		v->first.nb_segs--;
	}
	v->rest = *seg;
	v->rest.data_off += off;
	v->rest.data_len -= off;
	return &v->first;
}

uint32_t
xen_vlan_strip(struct rte_mbuf *m)
{
	/* The first segment of a packet holds its headers, as far as an mbuf has room. */
	if (rte_pktmbuf_data_len(m) < RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN || rte_vlan_strip(m) != 0)
		return 0;
	/* The lengths of its headers, where they are told. */
	if (m->l2_len != 0)
		m->l2_len -= RTE_VLAN_HLEN;
	if ((m->packet_type & RTE_PTYPE_L2_MASK) == RTE_PTYPE_L2_ETHER_VLAN)
		m->packet_type = (m->packet_type & ~RTE_PTYPE_L2_MASK) | RTE_PTYPE_L2_ETHER;
	return RTE_VLAN_HLEN;
}
