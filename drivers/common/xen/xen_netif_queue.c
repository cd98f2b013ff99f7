/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* An application's queues: their setup, what they are told at the start, and what they tell. */

#include <errno.h>

#include <rte_ethdev.h>
#include <rte_malloc.h>

#include "xen_extbuf.h"
#include "xen_log.h"
#include "xen_netif_ops.h"

#define RX_L4_OFFLOADS (RTE_ETH_RX_OFFLOAD_UDP_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM)
#define TX_L4_OFFLOADS (RTE_ETH_TX_OFFLOAD_UDP_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM)

static bool
rx_offload(const struct rte_eth_dev *dev, uint64_t offload)
{
	return (dev->data->dev_conf.rxmode.offloads & offload) != 0;
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

/*
 * Up to which length does the application take packets to be segmented whole? Where it gives no
 * length ethdev puts the longest frame in its place, which would be none.
 */
static uint16_t
whole_max(const struct rte_eth_dev *dev)
{
	const struct rte_eth_rxmode *conf = &dev->data->dev_conf.rxmode;
	const struct xen_netif *nif = dev->data->dev_private;

	if (nif->args.legacy_ol_flags)
		return XEN_NETIF_PKT_MAX;
	if (!rx_offload(dev, RTE_ETH_RX_OFFLOAD_TCP_LRO))
		return 0;
	if (conf->max_lro_pkt_size <= (uint32_t)dev->data->mtu + XEN_NETIF_FRAME_OVERHEAD)
		return XEN_NETIF_PKT_MAX;
	return RTE_MIN(conf->max_lro_pkt_size, XEN_NETIF_PKT_MAX);
}

/*
 * Must it have such packets in one segment? It looks at the flags of packets to be sent, and at no
 * second segment, whatever its offloads say: net_vhost has external buffers for it, too. Mbufs that
 * have such a buffer already can have no other.
 */
static bool
wants_extbufs(const struct xen_netif *nif, const struct rte_mempool *pool)
{
	return nif->args.gso && nif->args.legacy_ol_flags &&
			(rte_pktmbuf_priv_flags((struct rte_mempool *)(uintptr_t)pool) &
					RTE_PKTMBUF_POOL_F_PINNED_EXT_BUF) == 0;
}

/*
 * Does a queue give packets several mbufs? Where the application asks for that, and where its MTU
 * needs it: many programs set a large one and know nothing of SCATTER, which most NICs bear with.
 */
static bool
scatters(const struct rte_eth_dev *dev, const struct xen_netif_queue *q)
{
	return rx_offload(dev, RTE_ETH_RX_OFFLOAD_SCATTER) ||
			dev->data->mtu + XEN_NETIF_FRAME_OVERHEAD > q->room;
}

/* Ethdev starts a port also while some of its queues have never been set up. */
static int
check_queues(const struct rte_eth_dev *dev, void *const *queues, uint16_t nb_queues,
		const char *dir)
{
	uint16_t i;

	for (i = 0; i < nb_queues && queues[i] != NULL; i++)
		;
	if (i == nb_queues)
		return 0;
	XEN_LOG(ERR, "%s: %s queue %u of %u is not set up", dev->device->name, dir, i, nb_queues);
	return -EINVAL;
}

/* While the port is stopped its queues may yet be set up anew, and begin to give several mbufs. */
int
xen_netif_mtu_set(struct rte_eth_dev *dev, uint16_t mtu)
{
	const struct xen_netif_queue *q;
	unsigned int i;

	for (i = 0; dev->data->dev_started && i < dev->data->nb_rx_queues; i++) {
		q = dev->data->rx_queues[i];
		if (q->scatter || mtu + XEN_NETIF_FRAME_OVERHEAD <= q->room)
			continue;
		XEN_LOG(ERR,
				"%s: mtu %u: a frame of %u bytes does not fit into one mbuf of %u "
				"bytes; the port has to be stopped for it to take several",
				dev->device->name, mtu, mtu + XEN_NETIF_FRAME_OVERHEAD, q->room);
		return -EBUSY;
	}
	return 0;
}

static struct xen_netif_queue *
queue_create(struct rte_eth_dev *dev, const char *type, size_t size, uint16_t id, uint16_t nb_desc,
		unsigned int socket)
{
	struct xen_netif *nif = dev->data->dev_private;
	struct xen_netif_queue *q;

	if ((int)socket == SOCKET_ID_ANY)
		socket = xen_netif_domain_socket(nif);
	q = rte_zmalloc_socket(type, size, RTE_CACHE_LINE_SIZE, socket);
	if (q == NULL)
		return NULL;
	q->rings = &nif->rings;
	q->port_id = dev->data->port_id;
	q->id = id;
	q->nb_desc = nb_desc;
	return q;
}

int
xen_netif_rxq_setup(struct rte_eth_dev *dev, uint16_t id, uint16_t nb_desc, unsigned int socket,
		const struct rte_eth_rxconf *conf, struct rte_mempool *pool)
{
	uint16_t room = rte_pktmbuf_data_room_size(pool) - RTE_PKTMBUF_HEADROOM;
	const struct xen_netif_driver *drv = netif_driver(dev);
	struct xen_netif_queue *q;
	int ret;

	q = queue_create(dev, "xen_rxq", drv->rxq_size, id, nb_desc, socket);
	if (q == NULL)
		return -ENOMEM;
	ret = drv->rxq_init != NULL ? drv->rxq_init(q) : 0;
	if (ret < 0)
		goto fail_init;
	if (wants_extbufs(dev->data->dev_private, pool)) {
		q->extbufs = xen_extbufs_create(socket);
		ret = -ENOMEM;
		if (q->extbufs == NULL)
			goto fail_extbufs;
	}
	q->pool = pool;
	q->room = room;
	q->deferred_start = conf->rx_deferred_start != 0;
	dev->data->rx_queues[id] = q;
	return 0;

fail_extbufs:
	if (drv->rxq_fini != NULL)
		drv->rxq_fini(q);
fail_init:
	rte_free(q);
	return ret;
}

int
xen_netif_txq_setup(struct rte_eth_dev *dev, uint16_t id, uint16_t nb_desc, unsigned int socket,
		const struct rte_eth_txconf *conf)
{
	const struct xen_netif_driver *drv = netif_driver(dev);
	struct xen_netif_queue *q;
	int ret;

	q = queue_create(dev, "xen_txq", drv->txq_size, id, nb_desc, socket);
	if (q == NULL)
		return -ENOMEM;
	ret = drv->txq_init != NULL ? drv->txq_init(q, socket) : 0;
	if (ret < 0) {
		rte_free(q);
		return ret;
	}
	q->deferred_start = conf->tx_deferred_start != 0;
	dev->data->tx_queues[id] = q;
	return 0;
}

/* Telemetry's thread may be adding up what the queues have counted. */
static void
queue_release(struct xen_netif *nif, void **queues, uint16_t id,
		struct xen_netif_queue_counters *base)
{
	struct xen_netif_queue *q = queues[id];

	if (q == NULL)
		return;
	pthread_mutex_lock(&nif->lock);
	xen_netif_stats_carry(q, base);
	queues[id] = NULL;
	pthread_mutex_unlock(&nif->lock);
	rte_free(q);
}

void
xen_netif_rxq_release(struct rte_eth_dev *dev, uint16_t id)
{
	struct xen_netif_queue *q = dev->data->rx_queues[id];
	struct xen_netif *nif = dev->data->dev_private;

	if (q != NULL && netif_driver(dev)->rxq_fini != NULL)
		netif_driver(dev)->rxq_fini(q);
	if (q != NULL)
		xen_extbufs_release(q->extbufs);
	queue_release(nif, dev->data->rx_queues, id, &nif->base.rxq[id]);
}

void
xen_netif_txq_release(struct rte_eth_dev *dev, uint16_t id)
{
	struct xen_netif *nif = dev->data->dev_private;

	if (dev->data->tx_queues[id] != NULL && netif_driver(dev)->txq_fini != NULL)
		netif_driver(dev)->txq_fini(dev->data->tx_queues[id]);
	queue_release(nif, dev->data->tx_queues, id, &nif->base.txq[id]);
}

/* A queue that is stopped gives and takes no packets, and its rings are not served. */
static void
queue_run(struct xen_netif_queue *q, bool run, uint8_t *state)
{
	__atomic_store_n(&q->running, run, __ATOMIC_RELEASE);
	*state = run ? RTE_ETH_QUEUE_STATE_STARTED : RTE_ETH_QUEUE_STATE_STOPPED;
}

int
xen_netif_rxq_start(struct rte_eth_dev *dev, uint16_t id)
{
	struct xen_netif_queue *q = dev->data->rx_queues[id];

	/* What a burst under which the queue was stopped has left. */
	netif_driver(dev)->rxq_stop(q);
	queue_run(q, true, &dev->data->rx_queue_state[id]);
	/* Who sleeps on it may have asked for nothing while it was stopped. */
	if (q->rings->interrupts)
		xen_netif_queue_wake(q->rings, id);
	return 0;
}

int
xen_netif_rxq_stop(struct rte_eth_dev *dev, uint16_t id)
{
	queue_run(dev->data->rx_queues[id], false, &dev->data->rx_queue_state[id]);
	netif_driver(dev)->rxq_stop(dev->data->rx_queues[id]);
	return 0;
}

int
xen_netif_txq_start(struct rte_eth_dev *dev, uint16_t id)
{
	queue_run(dev->data->tx_queues[id], true, &dev->data->tx_queue_state[id]);
	return 0;
}

int
xen_netif_txq_stop(struct rte_eth_dev *dev, uint16_t id)
{
	queue_run(dev->data->tx_queues[id], false, &dev->data->tx_queue_state[id]);
	if (netif_driver(dev)->txq_stop != NULL)
		netif_driver(dev)->txq_stop(dev->data->tx_queues[id]);
	return 0;
}

int
xen_netif_queues_start(struct rte_eth_dev *dev)
{
	const struct xen_netif *nif = dev->data->dev_private;
	struct rte_eth_dev_data *data = dev->data;
	struct xen_netif_queue *q;
	unsigned int i;

	if (check_queues(dev, data->rx_queues, data->nb_rx_queues, "rx") < 0 ||
			check_queues(dev, data->tx_queues, data->nb_tx_queues, "tx") < 0)
		return -EINVAL;
	data->scattered_rx = 0;
	for (i = 0; i < data->nb_rx_queues; i++) {
		q = data->rx_queues[i];
		q->nb_queues = data->nb_rx_queues;
		q->scatter = scatters(dev, q);
		data->scattered_rx |= q->scatter;
		q->csum_offload = takes_blank(&data->dev_conf);
		q->legacy_ol_flags = nif->args.legacy_ol_flags != 0;
		q->whole_max = whole_max(dev);
		q->rss_hash = rx_offload(dev, RTE_ETH_RX_OFFLOAD_RSS_HASH);
		queue_run(q, !q->deferred_start, &data->rx_queue_state[i]);
	}
	for (i = 0; i < data->nb_tx_queues; i++) {
		q = data->tx_queues[i];
		q->nb_queues = data->nb_tx_queues;
		queue_run(q, !q->deferred_start, &data->tx_queue_state[i]);
	}
	xen_netif_classify_update(dev);
	return 0;
}

void
xen_netif_queues_stop(struct rte_eth_dev *dev)
{
	unsigned int i;

	for (i = 0; i < dev->data->nb_rx_queues; i++)
		xen_netif_rxq_stop(dev, i);
	for (i = 0; i < dev->data->nb_tx_queues; i++)
		xen_netif_txq_stop(dev, i);
}

void
xen_netif_rxq_info_get(struct rte_eth_dev *dev, uint16_t id, struct rte_eth_rxq_info *info)
{
	const struct xen_netif_queue *q = dev->data->rx_queues[id];

	info->mp = q->pool;
	info->conf.offloads = dev->data->dev_conf.rxmode.offloads;
	info->conf.rx_deferred_start = q->deferred_start;
	info->scattered_rx = dev->data->dev_started ? q->scatter : scatters(dev, q);
	info->nb_desc = q->nb_desc;
	info->rx_buf_size = q->room;
}

void
xen_netif_txq_info_get(struct rte_eth_dev *dev, uint16_t id, struct rte_eth_txq_info *info)
{
	const struct xen_netif_queue *q = dev->data->tx_queues[id];

	info->conf.offloads = dev->data->dev_conf.txmode.offloads;
	info->conf.tx_deferred_start = q->deferred_start;
	info->nb_desc = q->nb_desc;
}

static const struct xen_netif_driver *
driver_of(const struct xen_netif_queue *q)
{
	return netif_driver(&rte_eth_devices[q->port_id]);
}

/* A ring that somebody else has just now is at work: it counts at the next look. */
XEN_QUEUE_COUNT
xen_netif_rx_queue_count(void *queue)
{
	const struct xen_netif_queue *q = queue;
	uint16_t i, active = __atomic_load_n(&q->rings->active_queues, __ATOMIC_ACQUIRE);
	struct xen_netif_ring *ring;
	uint32_t nb = 0;

	for (i = q->id; i < active; i += q->nb_queues) {
		ring = &q->rings->rx[i];
		if (!rte_spinlock_trylock(&ring->lock))
			continue;
		/* What the other end says of itself may be anything. */
		if (ring->attached)
			nb += RTE_MIN(xen_ring_load(driver_of(q)->rx_prod(ring)) - ring->cons,
					(uint32_t)XEN_NETIF_RING_SIZE);
		rte_spinlock_unlock(&ring->lock);
	}
	return nb;
}

int
xen_netif_rx_descriptor_status(void *queue, uint16_t offset)
{
	const struct xen_netif_queue *q = queue;

	if (offset >= q->nb_desc)
		return -EINVAL;
	return offset < (uint32_t)xen_netif_rx_queue_count(queue) ? RTE_ETH_RX_DESC_DONE :
								    RTE_ETH_RX_DESC_AVAIL;
}

/* The first that are looked at are those that are used next: the free ones. */
int
xen_netif_tx_descriptor_status(void *queue, uint16_t offset)
{
	struct xen_netif_queue *q = queue;

	if (offset >= q->nb_desc)
		return -EINVAL;
	return offset < driver_of(q)->tx_free(q) ? RTE_ETH_TX_DESC_DONE : RTE_ETH_TX_DESC_FULL;
}

/* More than free_cnt may go: a packet that can be sent is not made to wait for that. */
int
xen_netif_tx_done_cleanup(void *queue, uint32_t free_cnt __rte_unused)
{
	const struct xen_netif_driver *drv;
	struct xen_netif_queue *q = queue;
	uint32_t before;

	/* Not set up, or the port has been reset: ethdev does not look. */
	if (q == NULL)
		return 0;
	drv = driver_of(q);
	if (drv->tx_cleanup == NULL)
		return 0;
	before = drv->tx_free(q);
	drv->tx_cleanup(q);
	return RTE_MAX((int)(drv->tx_free(q) - before), 0);
}
