/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_malloc.h>

#include "xen_log.h"
#include "xen_netif_ops.h"

/* Ethernet header and two VLAN tags: what a frame has beside its MTU. */
#define FRAME_OVERHEAD (RTE_ETHER_HDR_LEN + 2 * RTE_VLAN_HLEN)
#define MTU_MAX (XEN_NETIF_PKT_MAX - FRAME_OVERHEAD)

#define RX_OFFLOADS \
	(RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM | \
			RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_SCATTER)
#define TX_OFFLOADS \
	(RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM | \
			RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_MULTI_SEGS)
#define RX_L4_OFFLOADS (RTE_ETH_RX_OFFLOAD_UDP_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM)
#define TX_L4_OFFLOADS (RTE_ETH_TX_OFFLOAD_UDP_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM)

/* 0 when the link's status has changed. */
static int
link_write(struct rte_eth_dev *dev, bool up)
{
	const struct xen_netif *nif = dev->data->dev_private;
	struct rte_eth_link link = {
		.link_speed = nif->args.speed,
		.link_duplex = RTE_ETH_LINK_FULL_DUPLEX,
		.link_autoneg = RTE_ETH_LINK_FIXED,
		.link_status = up ? RTE_ETH_LINK_UP : RTE_ETH_LINK_DOWN,
	};

	return rte_eth_linkstatus_set(dev, &link);
}

void
xen_netif_set_link(struct xen_netif *nif, bool up)
{
	struct rte_eth_dev *dev = &rte_eth_devices[nif->port_id];

	if (link_write(dev, up) == 0)
		rte_eth_dev_callback_process(dev, RTE_ETH_EVENT_INTR_LSC, NULL);
}

void
xen_netif_ring_broken(struct xen_netif_rings *rings, struct xen_netif_ring *ring, const char *why)
{
	struct xen_netif *nif = container_of(rings, struct xen_netif, rings);

	ring->attached = false;
	__atomic_store_n(&ring->broken, why, __ATOMIC_RELEASE);
	__atomic_fetch_add(&nif->count.protocol_errors, 1, __ATOMIC_RELAXED);
	xen_bus_kick(&nif->xbdev);
}

static int
dev_configure(struct rte_eth_dev *dev __rte_unused)
{
	return 0;
}

static int
dev_infos_get(struct rte_eth_dev *dev, struct rte_eth_dev_info *info)
{
	struct xen_netif *nif = dev->data->dev_private;

	info->max_mac_addrs = 1;
	info->max_rx_pktlen = XEN_NETIF_PKT_MAX;
	info->min_rx_bufsize = XEN_NETIF_ROOM_MIN;
	info->min_mtu = RTE_ETHER_MIN_MTU;
	info->max_mtu = MTU_MAX;
	info->max_rx_queues = XEN_NETIF_QUEUES_MAX;
	info->max_tx_queues = XEN_NETIF_QUEUES_MAX;
	info->speed_capa = rte_eth_speed_bitflag(nif->args.speed, RTE_ETH_LINK_FULL_DUPLEX);
	info->rx_offload_capa = RX_OFFLOADS;
	info->tx_offload_capa = TX_OFFLOADS;
	/* The rings are as large as the protocol has them; any number of descriptors is taken. */
	info->default_rxportconf.ring_size = XEN_NETIF_RING_SIZE;
	info->default_txportconf.ring_size = XEN_NETIF_RING_SIZE;
	info->default_rxportconf.burst_size = 32;
	info->default_txportconf.burst_size = 32;
	return 0;
}

static void
queue_states_set(struct rte_eth_dev *dev, uint8_t state)
{
	unsigned int i;

	for (i = 0; i < dev->data->nb_rx_queues; i++)
		dev->data->rx_queue_state[i] = state;
	for (i = 0; i < dev->data->nb_tx_queues; i++)
		dev->data->tx_queue_state[i] = state;
}

/*
 * Has the application asked for blank checksums? Many enable the offloads of reception just to be
 * spared the verification, and send on as it is what they receive (Open vSwitch, l3fwd). Only one
 * that also has its ports compute checksums knows what to do with a blank one.
 */
static bool
takes_blank(const struct rte_eth_conf *conf)
{
	return (conf->rxmode.offloads & RX_L4_OFFLOADS) == RX_L4_OFFLOADS &&
			(conf->txmode.offloads & TX_L4_OFFLOADS) == TX_L4_OFFLOADS;
}

static int
dev_start(struct rte_eth_dev *dev)
{
	struct xen_netif *nif = dev->data->dev_private;
	struct xen_netif_queue *q;
	unsigned int i;

	for (i = 0; i < dev->data->nb_rx_queues; i++) {
		q = dev->data->rx_queues[i];
		q->nb_queues = dev->data->nb_rx_queues;
		q->scatter = (dev->data->dev_conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_SCATTER) !=
				0;
		q->csum_offload = takes_blank(&dev->data->dev_conf);
	}
	for (i = 0; i < dev->data->nb_tx_queues; i++) {
		q = dev->data->tx_queues[i];
		q->nb_queues = dev->data->nb_tx_queues;
	}
	pthread_mutex_lock(&nif->lock);
	nif->started = true;
	pthread_mutex_unlock(&nif->lock);
	queue_states_set(dev, RTE_ETH_QUEUE_STATE_STARTED);
	xen_bus_kick(&nif->xbdev);
	return 0;
}

static int
dev_stop(struct rte_eth_dev *dev)
{
	struct xen_netif *nif = dev->data->dev_private;

	pthread_mutex_lock(&nif->lock);
	nif->started = false;
	netif_driver(dev)->stop(nif);
	pthread_mutex_unlock(&nif->lock);
	link_write(dev, false);
	queue_states_set(dev, RTE_ETH_QUEUE_STATE_STOPPED);
	xen_bus_kick(&nif->xbdev);
	return 0;
}

static void
queue_release(void **queues, uint16_t id, struct xen_netif_queue_counters *base)
{
	if (queues[id] != NULL)
		xen_netif_stats_carry(queues[id], base);
	rte_free(queues[id]);
	queues[id] = NULL;
}

static void
rx_queue_release(struct rte_eth_dev *dev, uint16_t id)
{
	struct xen_netif *nif = dev->data->dev_private;

	queue_release(dev->data->rx_queues, id, &nif->base.rxq[id]);
}

static void
tx_queue_release(struct rte_eth_dev *dev, uint16_t id)
{
	struct xen_netif *nif = dev->data->dev_private;

	if (dev->data->tx_queues[id] != NULL && netif_driver(dev)->txq_fini != NULL)
		netif_driver(dev)->txq_fini(dev->data->tx_queues[id]);
	queue_release(dev->data->tx_queues, id, &nif->base.txq[id]);
}

static int
dev_close(struct rte_eth_dev *dev)
{
	struct xen_netif *nif = dev->data->dev_private;
	unsigned int i;

	if (rte_eal_process_type() != RTE_PROC_PRIMARY)
		return 0;
	if (netif_driver(dev)->leave != NULL)
		netif_driver(dev)->leave(nif);
	xen_bus_del(&nif->xbdev);
	netif_driver(dev)->close(nif);
	xen_gnttab_put();
	for (i = 0; i < dev->data->nb_rx_queues; i++)
		rx_queue_release(dev, i);
	for (i = 0; i < dev->data->nb_tx_queues; i++)
		tx_queue_release(dev, i);
	pthread_mutex_destroy(&nif->lock);
	/* Part of the private data, which ethdev frees by itself. */
	dev->data->mac_addrs = NULL;
	return 0;
}

static struct xen_netif_queue *
queue_create(struct rte_eth_dev *dev, const char *type, size_t size, uint16_t id,
		unsigned int socket)
{
	struct xen_netif *nif = dev->data->dev_private;
	struct xen_netif_queue *q;

	q = rte_zmalloc_socket(type, size, RTE_CACHE_LINE_SIZE, socket);
	if (q == NULL)
		return NULL;
	q->rings = &nif->rings;
	q->port_id = dev->data->port_id;
	q->id = id;
	return q;
}

static int
rx_queue_setup(struct rte_eth_dev *dev, uint16_t id, uint16_t nb_desc __rte_unused,
		unsigned int socket, const struct rte_eth_rxconf *conf __rte_unused,
		struct rte_mempool *pool)
{
	struct xen_netif_queue *q;

	q = queue_create(dev, "xen_rxq", netif_driver(dev)->rxq_size, id, socket);
	if (q == NULL)
		return -ENOMEM;
	q->pool = pool;
	q->room = rte_pktmbuf_data_room_size(pool) - RTE_PKTMBUF_HEADROOM;
	dev->data->rx_queues[id] = q;
	return 0;
}

static int
tx_queue_setup(struct rte_eth_dev *dev, uint16_t id, uint16_t nb_desc, unsigned int socket,
		const struct rte_eth_txconf *conf __rte_unused)
{
	struct xen_netif_queue *q;
	int ret;

	q = queue_create(dev, "xen_txq", netif_driver(dev)->txq_size, id, socket);
	if (q == NULL)
		return -ENOMEM;
	ret = netif_driver(dev)->txq_init != NULL ?
			netif_driver(dev)->txq_init(q, nb_desc, socket) : 0;
	if (ret < 0) {
		rte_free(q);
		return ret;
	}
	dev->data->tx_queues[id] = q;
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

/* The longest frame depends on the mbufs and on the guest alone; ethdev has checked the range. */
static int
mtu_set(struct rte_eth_dev *dev, uint16_t mtu)
{
	const struct xen_netif_queue *q = NULL;

	if (dev->data->nb_rx_queues != 0)
		q = dev->data->rx_queues[0];
	if (q == NULL || (dev->data->dev_conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_SCATTER) != 0 ||
			mtu + RTE_ETHER_HDR_LEN <= q->room)
		return 0;
	XEN_LOG(ERR,
			"%s: mtu %u: a frame does not fit into one mbuf of %u bytes and the "
			"offload SCATTER is off",
			dev->device->name, mtu, q->room);
	return -EINVAL;
}

static int
mac_set(struct rte_eth_dev *dev, struct rte_ether_addr *mac)
{
	struct xen_netif *nif = dev->data->dev_private;

	rte_ether_addr_copy(mac, &nif->mac);
	return 0;
}

/* A vif hands over all that the other end sends: every mode of reception is on. */
static int
accept_all(struct rte_eth_dev *dev __rte_unused)
{
	return 0;
}

static int
burst_mode_get(struct rte_eth_dev *dev __rte_unused, uint16_t queue __rte_unused,
		struct rte_eth_burst_mode *mode)
{
	snprintf(mode->info, sizeof(mode->info), "Copy");
	return 0;
}

const struct eth_dev_ops xen_netif_ops = {
	.dev_configure = dev_configure,
	.dev_infos_get = dev_infos_get,
	.dev_start = dev_start,
	.dev_stop = dev_stop,
	.dev_close = dev_close,
	.rx_queue_setup = rx_queue_setup,
	.tx_queue_setup = tx_queue_setup,
	.rx_queue_release = rx_queue_release,
	.tx_queue_release = tx_queue_release,
	.rx_burst_mode_get = burst_mode_get,
	.tx_burst_mode_get = burst_mode_get,
	.link_update = link_update,
	.dev_set_link_up = link_up,
	.dev_set_link_down = link_down,
	.mtu_set = mtu_set,
	.mac_addr_set = mac_set,
	.promiscuous_enable = accept_all,
	.promiscuous_disable = accept_all,
	.allmulticast_enable = accept_all,
	.allmulticast_disable = accept_all,
	.stats_get = xen_netif_stats_get,
	.stats_reset = xen_netif_stats_reset,
	.xstats_get = xen_netif_xstats_get,
	.xstats_get_names = xen_netif_xstats_get_names,
	.xstats_reset = xen_netif_stats_reset,
};
