/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_ethdev.h>

#include "xen_compat.h"
#include "xen_log.h"
#include "xen_netif_ops.h"

#define RX_OFFLOADS \
	(RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM | \
			RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_LRO | \
			RTE_ETH_RX_OFFLOAD_SCATTER | RTE_ETH_RX_OFFLOAD_RSS_HASH | \
			RTE_ETH_RX_OFFLOAD_VLAN_STRIP)
#define TX_OFFLOADS \
	(RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM | \
			RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_TSO | \
			RTE_ETH_TX_OFFLOAD_MULTI_SEGS | RTE_ETH_TX_OFFLOAD_VLAN_INSERT)

static void
link_write(struct rte_eth_dev *dev, bool up)
{
	const struct xen_netif *nif = dev->data->dev_private;
	struct rte_eth_link link = {
		.link_speed = nif->args.speed,
		.link_duplex = RTE_ETH_LINK_FULL_DUPLEX,
		.link_autoneg = RTE_ETH_LINK_FIXED,
		.link_status = up ? RTE_ETH_LINK_UP : RTE_ETH_LINK_DOWN,
	};

	rte_eth_linkstatus_set(dev, &link);
}

/* The application may do anything in there, and close the port. */
static void
tell(struct rte_eth_dev *dev, enum rte_eth_event_type event)
{
	xen_bus_outside_begin("the application's callback");
	rte_eth_dev_callback_process(dev, event, NULL);
	xen_bus_outside_end(NULL);
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_netif_tell_link)
void
xen_netif_tell_link(struct xen_netif *nif)
{
	struct rte_eth_dev *dev = &rte_eth_devices[nif->port_id];
	bool up, news;
	uint16_t queues;

	pthread_mutex_lock(&nif->lock);
	queues = nif->rings.active_queues;
	link_write(dev, queues != 0);
	news = queues != nif->queues_told;
	nif->queues_told = queues;
	pthread_mutex_unlock(&nif->lock);
	if (news) {
		tell(dev, RTE_ETH_EVENT_QUEUE_STATE);
		if (!xen_bus_evaluates(&nif->xbdev))
			return;
	}
	/* It may have stopped the port in there. */
	pthread_mutex_lock(&nif->lock);
	up = nif->rings.active_queues != 0;
	link_write(dev, up);
	news = up != nif->link_told;
	nif->link_told = up;
	pthread_mutex_unlock(&nif->lock);
	if (news)
		tell(dev, RTE_ETH_EVENT_INTR_LSC);
}

static int
dev_configure(struct rte_eth_dev *dev)
{
	xen_netif_intr_configure(dev);
	return 0;
}

static int
dev_infos_get(struct rte_eth_dev *dev, struct rte_eth_dev_info *info)
{
	const struct xen_netif *nif = dev->data->dev_private;

	/* The primary process may have closed the port. */
	if (nif == NULL)
		return -ENODEV;
	info->max_mac_addrs = 1;
	info->max_rx_pktlen = XEN_NETIF_PKT_MAX;
	info->max_lro_pkt_size = XEN_NETIF_PKT_MAX;
	info->min_rx_bufsize = XEN_NETIF_ROOM_MIN;
	info->min_mtu = RTE_ETHER_MIN_MTU;
	info->max_mtu = XEN_NETIF_MTU_MAX;
	info->max_rx_queues = XEN_NETIF_QUEUES_MAX;
	info->max_tx_queues = XEN_NETIF_QUEUES_MAX;
	info->speed_capa = rte_eth_speed_bitflag(nif->args.speed, RTE_ETH_LINK_FULL_DUPLEX);
	info->rx_offload_capa = RX_OFFLOADS;
	info->tx_offload_capa = TX_OFFLOADS;
	if (netif_driver(dev)->tx_segs_max != 0) {
		info->tx_desc_lim.nb_seg_max = netif_driver(dev)->tx_segs_max;
		info->tx_desc_lim.nb_mtu_seg_max = netif_driver(dev)->tx_segs_max;
	}
	/* The rings are as large as the protocol has them; any number of descriptors is taken. */
	info->default_rxportconf.ring_size = XEN_NETIF_RING_SIZE;
	info->default_txportconf.ring_size = XEN_NETIF_RING_SIZE;
	info->default_rxportconf.burst_size = 32;
	info->default_txportconf.burst_size = 32;
	return 0;
}

static int
dev_start(struct rte_eth_dev *dev)
{
	struct xen_netif *nif = dev->data->dev_private;
	int ret;

	ret = xen_netif_queues_start(dev);
	if (ret < 0)
		return ret;
	ret = xen_netif_intr_start(dev);
	if (ret < 0) {
		xen_netif_queues_stop(dev);
		return ret;
	}
	pthread_mutex_lock(&nif->lock);
	nif->started = true;
	pthread_mutex_unlock(&nif->lock);
	xen_bus_kick(&nif->xbdev);
	return 0;
}

static int
dev_stop(struct rte_eth_dev *dev)
{
	struct xen_netif *nif = dev->data->dev_private;

	/* Whoever stops a port has all lcores out of their bursts, and of what these call. */
	xen_netif_monitors_end(&nif->rings);
	pthread_mutex_lock(&nif->lock);
	nif->started = false;
	netif_driver(dev)->stop(nif);
	link_write(dev, false);
	/* Whoever stops a port need not be told. */
	nif->link_told = false;
	nif->queues_told = 0;
	pthread_mutex_unlock(&nif->lock);
	xen_netif_queues_stop(dev);
	xen_bus_kick(&nif->xbdev);
	return 0;
}

static void
release_queues(struct rte_eth_dev *dev)
{
	unsigned int i;

	for (i = 0; i < dev->data->nb_rx_queues; i++)
		xen_netif_rxq_release(dev, i);
	for (i = 0; i < dev->data->nb_tx_queues; i++)
		xen_netif_txq_release(dev, i);
}

/*
 * The port is to be configured anew; ethdev has stopped it, and gives it its address and filters
 * again. The vif stays as it is: a frontend that was disconnected need not come again.
 */
static int
dev_reset(struct rte_eth_dev *dev)
{
	struct xen_netif *nif = dev->data->dev_private;

	release_queues(dev);
	pthread_mutex_lock(&nif->lock);
	nif->admin_down = false;
	pthread_mutex_unlock(&nif->lock);
	return 0;
}

static int
dev_close(struct rte_eth_dev *dev)
{
	struct xen_netif *nif = dev->data->dev_private;

	xen_netif_telemetry_del(nif);
	xen_bus_del(&nif->xbdev);
	/* Nobody else has the device now: also a control thread that hangs in there may go on. */
	if (xen_bus_in_thread() && netif_driver(dev)->leave != NULL)
		netif_driver(dev)->leave(nif);
	netif_driver(dev)->close(nif);
	xen_netif_monitors_release(&nif->rings);
	xen_netif_intr_release(dev);
	xen_gnttab_put();
	release_queues(dev);
	pthread_mutex_destroy(&nif->lock);
	/* Part of the private data, which ethdev frees by itself. */
	dev->data->mac_addrs = NULL;
	return 0;
}

/* The control thread keeps the status: there is nothing to ask. */
static int
link_update(struct rte_eth_dev *dev __rte_unused, int wait __rte_unused)
{
	return 0;
}

static int
link_set(struct rte_eth_dev *dev, bool down)
{
	struct xen_netif *nif = dev->data->dev_private;

	pthread_mutex_lock(&nif->lock);
	nif->admin_down = down;
	if (down) {
		netif_driver(dev)->detach(nif);
		link_write(dev, false);
	}
	pthread_mutex_unlock(&nif->lock);
	xen_bus_kick(&nif->xbdev);
	return 0;
}

static int
link_up(struct rte_eth_dev *dev)
{
	return link_set(dev, false);
}

static int
link_down(struct rte_eth_dev *dev)
{
	return link_set(dev, true);
}

static int
burst_mode_get(struct rte_eth_dev *dev __rte_unused, uint16_t queue __rte_unused,
		struct rte_eth_burst_mode *mode)
{
	snprintf(mode->info, sizeof(mode->info), "Copy");
	return 0;
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_netif_ops)
const struct eth_dev_ops xen_netif_ops = {
	.dev_configure = dev_configure,
	.dev_infos_get = dev_infos_get,
	.dev_start = dev_start,
	.dev_stop = dev_stop,
	.dev_reset = dev_reset,
	.dev_close = dev_close,
	.rx_queue_setup = xen_netif_rxq_setup,
	.tx_queue_setup = xen_netif_txq_setup,
	.rx_queue_release = xen_netif_rxq_release,
	.tx_queue_release = xen_netif_txq_release,
	.rx_queue_start = xen_netif_rxq_start,
	.rx_queue_stop = xen_netif_rxq_stop,
	.tx_queue_start = xen_netif_txq_start,
	.tx_queue_stop = xen_netif_txq_stop,
	.rx_queue_intr_enable = xen_netif_rxq_intr_enable,
	.rx_queue_intr_disable = xen_netif_rxq_intr_disable,
	.get_monitor_addr = xen_netif_monitor_addr,
	.rxq_info_get = xen_netif_rxq_info_get,
	.txq_info_get = xen_netif_txq_info_get,
	.tx_done_cleanup = xen_netif_tx_done_cleanup,
	.rx_burst_mode_get = burst_mode_get,
	.tx_burst_mode_get = burst_mode_get,
	.link_update = link_update,
	.dev_set_link_up = link_up,
	.dev_set_link_down = link_down,
	.mtu_set = xen_netif_mtu_set,
	.vlan_offload_set = xen_netif_vlan_offload_set,
	.mac_addr_set = xen_netif_mac_set,
	.set_mc_addr_list = xen_netif_mc_list_set,
	.promiscuous_enable = xen_netif_promiscuous_enable,
	.promiscuous_disable = xen_netif_promiscuous_disable,
	.allmulticast_enable = xen_netif_allmulticast_enable,
	.allmulticast_disable = xen_netif_allmulticast_disable,
	.dev_supported_ptypes_get = xen_netif_ptypes_get,
	.dev_ptypes_set = xen_netif_ptypes_set,
	.stats_get = xen_netif_stats_get,
	.stats_reset = xen_netif_stats_reset,
	.xstats_get = xen_netif_xstats_get,
	.xstats_get_names = xen_netif_xstats_get_names,
	.xstats_reset = xen_netif_stats_reset,
	.eth_dev_priv_dump = xen_netif_dump,
};

/* Without an answer of the driver's own, ethdev would say that it is done. */
static int
refuse_ptypes(struct rte_eth_dev *dev __rte_unused, uint32_t mask __rte_unused)
{
	return -ENOTSUP;
}

/*
 * What another process than the one that runs the port may do: read what stands in shared memory,
 * and remember the statistics' beginnings there. It takes no lock: it may die at any moment. What
 * is not here answers -ENOTSUP.
 */
RTE_EXPORT_INTERNAL_SYMBOL(xen_netif_secondary_ops)
const struct eth_dev_ops xen_netif_secondary_ops = {
	.dev_infos_get = dev_infos_get,
	.rxq_info_get = xen_netif_rxq_info_get,
	.txq_info_get = xen_netif_txq_info_get,
	.rx_burst_mode_get = burst_mode_get,
	.tx_burst_mode_get = burst_mode_get,
	.link_update = link_update,
	.dev_supported_ptypes_get = xen_netif_ptypes_get,
	.dev_ptypes_set = refuse_ptypes,
	.stats_get = xen_netif_stats_get,
	.stats_reset = xen_netif_stats_reset,
	.xstats_get = xen_netif_xstats_get,
	.xstats_get_names = xen_netif_xstats_get_names,
	.xstats_reset = xen_netif_stats_reset,
	.eth_dev_priv_dump = xen_netif_dump,
};
