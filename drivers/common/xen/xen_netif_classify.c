/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* What received packets are looked at for, as far as the application has asked for it. */

#include <errno.h>

#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_net.h>

#include "xen_compat.h"
#include "xen_log.h"
#include "xen_netif_ops.h"
#include "xen_vlan.h"

/* A MAC address as one word, which is read and written as a whole. */
static uint64_t
mac_word(const struct rte_ether_addr *mac)
{
	const rte_be16_t *part = (const rte_be16_t *)mac->addr_bytes;

	return (uint64_t)part[0] << 32 | (uint32_t)part[1] << 16 | part[2];
}

/* Is the packet for this port? */
static bool
pass_filter(const struct xen_netif_queue *q, const struct rte_mbuf *m, uint32_t wishes)
{
	const struct rte_ether_addr *dst;

	dst = &rte_pktmbuf_mtod(m, const struct rte_ether_hdr *)->dst_addr;
	if (!rte_is_multicast_ether_addr(dst))
		return mac_word(dst) == __atomic_load_n(&q->rings->own_mac, __ATOMIC_RELAXED);
	return (wishes & XEN_NETIF_CLASSIFY_MULTICAST) == 0 || rte_is_broadcast_ether_addr(dst) ||
			xen_mcast_has(&q->rings->mcast, xen_mcast_word(dst));
}

/* Verify the checksum of an IPv4 header that lies within the packet's first segment. */
static uint64_t
ipv4_flags(const struct rte_mbuf *m, const struct rte_net_hdr_lens *lens)
{
	if (lens->l2_len + lens->l3_len > rte_pktmbuf_data_len(m))
		return RTE_MBUF_F_RX_IP_CKSUM_UNKNOWN;
	return rte_raw_cksum(rte_pktmbuf_mtod_offset(m, const void *, lens->l2_len),
			       lens->l3_len) == 0xFFFF ?
			RTE_MBUF_F_RX_IP_CKSUM_GOOD :
			RTE_MBUF_F_RX_IP_CKSUM_BAD;
}

static void
classify(const struct xen_netif_queue *q, struct rte_mbuf *m, uint32_t wishes)
{
	struct rte_net_hdr_lens lens;
	uint32_t ptype;

	ptype = rte_net_get_ptype(m, &lens, XEN_NETIF_PTYPE_LAYERS);
	if ((wishes & XEN_NETIF_CLASSIFY_PTYPE) != 0)
		m->packet_type = ptype & __atomic_load_n(&q->rings->ptypes, __ATOMIC_RELAXED);
	if ((wishes & XEN_NETIF_CLASSIFY_IPV4) != 0 && RTE_ETH_IS_IPV4_HDR(ptype))
		m->ol_flags |= ipv4_flags(m, &lens);
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_netif_rx_classify)
uint16_t
xen_netif_rx_classify(const struct xen_netif_queue *q, struct xen_netif_ring *ring,
		struct rte_mbuf **pkts, uint16_t nb_pkts, uint64_t *bytes)
{
	uint32_t wishes = __atomic_load_n(&q->classify, __ATOMIC_RELAXED);
	uint16_t i, n = 0;

	for (i = 0; i < nb_pkts; i++) {
		if ((wishes & XEN_NETIF_CLASSIFY_FILTER) != 0 && !pass_filter(q, pkts[i], wishes)) {
			*bytes -= rte_pktmbuf_pkt_len(pkts[i]);
			rte_pktmbuf_free(pkts[i]);
			continue;
		}
		if ((wishes & XEN_NETIF_CLASSIFY_VLAN) != 0)
			*bytes -= xen_vlan_strip(pkts[i]);
		if ((wishes & (XEN_NETIF_CLASSIFY_PTYPE | XEN_NETIF_CLASSIFY_IPV4)) != 0)
			classify(q, pkts[i], wishes);
		pkts[n++] = pkts[i];
	}
	if (n < nb_pkts)
		xen_count_add(&ring->count.filtered, nb_pkts - n);
	return n;
}

void
xen_netif_classify_update(struct rte_eth_dev *dev)
{
	uint64_t offloads = dev->data->dev_conf.rxmode.offloads;
	struct xen_netif *nif = dev->data->dev_private;
	struct xen_netif_queue *q;
	uint32_t wishes = 0;
	unsigned int i;

	if (!nif->promiscuous)
		wishes |= XEN_NETIF_CLASSIFY_FILTER;
	if (!nif->promiscuous && !nif->allmulticast)
		wishes |= XEN_NETIF_CLASSIFY_MULTICAST;
	if (nif->rings.ptypes != 0)
		wishes |= XEN_NETIF_CLASSIFY_PTYPE;
	if ((offloads & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM) != 0)
		wishes |= XEN_NETIF_CLASSIFY_IPV4;
	if ((offloads & RTE_ETH_RX_OFFLOAD_VLAN_STRIP) != 0)
		wishes |= XEN_NETIF_CLASSIFY_VLAN;
	for (i = 0; i < dev->data->nb_rx_queues; i++) {
		q = dev->data->rx_queues[i];
		if (q != NULL)
			__atomic_store_n(&q->classify, wishes, __ATOMIC_RELAXED);
	}
}

/* Ethdev has noted what is wanted now, and offered nothing but the stripping. */
int
xen_netif_vlan_offload_set(struct rte_eth_dev *dev, int mask __rte_unused)
{
	xen_netif_classify_update(dev);
	return 0;
}

static int
set_mode(struct rte_eth_dev *dev, bool *mode, bool on)
{
	struct xen_netif *nif = dev->data->dev_private;

	/* Others than this thread look at it. */
	__atomic_store_n(mode, on, __ATOMIC_RELAXED);
	xen_netif_classify_update(dev);
	/* Its backend may be able to keep back what is not wanted. */
	xen_bus_kick(&nif->xbdev);
	return 0;
}

int
xen_netif_promiscuous_enable(struct rte_eth_dev *dev)
{
	struct xen_netif *nif = dev->data->dev_private;

	return set_mode(dev, &nif->promiscuous, true);
}

int
xen_netif_promiscuous_disable(struct rte_eth_dev *dev)
{
	struct xen_netif *nif = dev->data->dev_private;

	return set_mode(dev, &nif->promiscuous, false);
}

int
xen_netif_allmulticast_enable(struct rte_eth_dev *dev)
{
	struct xen_netif *nif = dev->data->dev_private;

	return set_mode(dev, &nif->allmulticast, true);
}

int
xen_netif_allmulticast_disable(struct rte_eth_dev *dev)
{
	struct xen_netif *nif = dev->data->dev_private;

	return set_mode(dev, &nif->allmulticast, false);
}

/* May it become the list? Says why not. */
static int
check_mc_list(const struct rte_eth_dev *dev, const struct rte_ether_addr *list, uint32_t nb)
{
	char text[RTE_ETHER_ADDR_FMT_SIZE];
	uint32_t i;

	if (nb > XEN_MCAST_MAX) {
		XEN_LOG(ERR, "%s: %u multicast addresses: at most %u can be listed",
				dev->device->name, nb, XEN_MCAST_MAX);
		return -ENOSPC;
	}
	for (i = 0; i < nb; i++) {
		if (rte_is_multicast_ether_addr(&list[i]))
			continue;
		rte_ether_format_addr(text, sizeof(text), &list[i]);
		XEN_LOG(ERR, "%s: %s is no multicast address", dev->device->name, text);
		return -EINVAL;
	}
	return 0;
}

/* What is in the old list and the new one is in the list all the while. */
int
xen_netif_mc_list_set(struct rte_eth_dev *dev, struct rte_ether_addr *list, uint32_t nb)
{
	struct xen_netif *nif = dev->data->dev_private;
	struct xen_mcast next = { .used = 0 };
	uint32_t i;
	uint64_t word;
	int ret;

	ret = check_mc_list(dev, list, nb);
	if (ret < 0)
		return ret;
	for (i = 0; i < nb; i++)
		xen_mcast_add(&next, xen_mcast_word(&list[i]));
	for (i = 0; (word = xen_mcast_next_beyond(&nif->rings.mcast, &next, &i)) != 0;)
		xen_mcast_del(&nif->rings.mcast, word);
	for (i = 0; (word = xen_mcast_next_beyond(&next, &nif->rings.mcast, &i)) != 0;)
		xen_mcast_add(&nif->rings.mcast, word);
	return 0;
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_netif_set_mac)
void
xen_netif_set_mac(struct xen_netif *nif, const struct rte_ether_addr *mac)
{
	pthread_mutex_lock(&nif->lock);
	rte_ether_addr_copy(mac, &nif->mac);
	__atomic_store_n(&nif->rings.own_mac, mac_word(mac), __ATOMIC_RELAXED);
	pthread_mutex_unlock(&nif->lock);
}

int
xen_netif_mac_set(struct rte_eth_dev *dev, struct rte_ether_addr *mac)
{
	xen_netif_set_mac(dev->data->dev_private, mac);
	return 0;
}

static const uint32_t ptypes[] = {
	RTE_PTYPE_L2_ETHER,
	RTE_PTYPE_L2_ETHER_VLAN,
	RTE_PTYPE_L2_ETHER_QINQ,
	RTE_PTYPE_L3_IPV4,
	RTE_PTYPE_L3_IPV4_EXT,
	RTE_PTYPE_L3_IPV6,
	RTE_PTYPE_L3_IPV6_EXT,
	RTE_PTYPE_L4_TCP,
	RTE_PTYPE_L4_UDP,
	RTE_PTYPE_L4_SCTP,
	RTE_PTYPE_L4_FRAG,
	RTE_PTYPE_UNKNOWN,
};

const uint32_t *
xen_netif_ptypes_get(struct rte_eth_dev *dev __rte_unused XEN_PTYPES_COUNT)
{
	XEN_PTYPES_SET_COUNT(RTE_DIM(ptypes) - 1);
	return ptypes;
}

int
xen_netif_ptypes_set(struct rte_eth_dev *dev, uint32_t mask)
{
	struct xen_netif *nif = dev->data->dev_private;

	__atomic_store_n(&nif->rings.ptypes, mask & XEN_NETIF_PTYPE_LAYERS, __ATOMIC_RELAXED);
	xen_netif_classify_update(dev);
	return 0;
}
