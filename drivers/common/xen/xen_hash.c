/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <rte_byteorder.h>
#include <rte_thash.h>

#include "xen_compat.h"
#include "xen_flow.h"
#include "xen_hash.h"

RTE_EXPORT_INTERNAL_SYMBOL(xen_hash_set_key)
void
xen_hash_set_key(struct xen_hash_config *cfg, const uint8_t *key, uint32_t len)
{
	uint32_t i;

	memset(cfg->key, 0, sizeof(cfg->key));
	for (i = 0; i < len; i++)
		cfg->key[i / 4] |= (uint32_t)key[i] << (24 - i % 4 * 8);
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_hash_get_key)
void
xen_hash_get_key(const struct xen_hash_config *cfg, uint8_t key[XEN_HASH_KEY_MAX])
{
	uint32_t i;

	for (i = 0; i < XEN_HASH_KEY_MAX; i++)
		key[i] = cfg->key[i / 4] >> (24 - i % 4 * 8);
}

/* The type of hash that takes in most of what the packet has; -1: none. */
static int
choose_type(const struct xen_hash_config *cfg, const struct xen_flow *flow)
{
	bool tcp = (flow->ptype & RTE_PTYPE_L4_MASK) == RTE_PTYPE_L4_TCP;

	if (RTE_ETH_IS_IPV4_HDR(flow->ptype)) {
		if (tcp && (cfg->types & XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP) != 0)
			return _XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP;
		if ((cfg->types & XEN_NETIF_CTRL_HASH_TYPE_IPV4) != 0)
			return _XEN_NETIF_CTRL_HASH_TYPE_IPV4;
	} else if (RTE_ETH_IS_IPV6_HDR(flow->ptype)) {
		if (tcp && (cfg->types & XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP) != 0)
			return _XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP;
		if ((cfg->types & XEN_NETIF_CTRL_HASH_TYPE_IPV6) != 0)
			return _XEN_NETIF_CTRL_HASH_TYPE_IPV6;
	}
	return -1;
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_hash_packet)
int
xen_hash_packet(const struct xen_hash_config *cfg, const struct rte_mbuf *m, uint32_t *hash)
{
	struct xen_flow flow;
	/* The addresses and the ports. */
	uint32_t words[RTE_DIM(flow.addrs) + 1], n, i;
	int type;

	xen_flow_read(m, &flow);
	type = choose_type(cfg, &flow);
	if (type < 0)
		return type;
	n = flow.nb_addrs;
	for (i = 0; i < n; i++)
		words[i] = rte_be_to_cpu_32(flow.addrs[i]);
	if (type == _XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP ||
			type == _XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP)
		words[n++] = rte_be_to_cpu_32(flow.ports);
	*hash = rte_softrss_be(words, n, (const uint8_t *)cfg->key);
	return type;
}
