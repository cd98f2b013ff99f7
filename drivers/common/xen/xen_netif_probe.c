/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_ethdev.h>

#include "xen_compat.h"
#include "xen_csum.h"
#include "xen_log.h"
#include "xen_netif_args.h"
#include "xen_netif_ops.h"

/* Statistics of a port that the primary process runs; packets are the primary's alone. */
static int
probe_secondary(struct rte_vdev_device *vdev, const struct xen_netif_driver *drv)
{
	struct rte_eth_dev *dev;

	dev = rte_eth_dev_attach_secondary(rte_vdev_device_name(vdev));
	if (dev == NULL) {
		XEN_LOG(ERR, "%s: the primary process has no such port",
				rte_vdev_device_name(vdev));
		return -ENODEV;
	}
	dev->dev_ops = drv->secondary_ops;
	dev->process_private = (void *)(uintptr_t)drv;
	dev->device = &vdev->device;
	dev->rx_pkt_burst = rte_eth_pkt_burst_dummy;
	dev->tx_pkt_burst = rte_eth_pkt_burst_dummy;
	rte_eth_dev_probing_finish(dev);
	return 0;
}

/* Is the vif this domain's own, where that cannot be? Says so. */
static bool
own_domain_refused(const struct xen_netif *nif, struct xen_reason *why)
{
	if ((int)nif->args.domid != xen_bus_own_domid() || xen_may_map_own_grants())
		return false;
	xen_reason_set(why, EINVAL,
			"domid=%u: this domain itself; both ends of a vif in one domain work in "
			"a PV domain only",
			nif->args.domid);
	return true;
}

/* See struct xen_bus_device. This domain's id may have become known after the probe. */
static void
evaluate(struct xen_bus_device *xbdev)
{
	struct xen_netif *nif = container_of(xbdev, struct xen_netif, xbdev);
	const struct xen_netif_driver *drv = netif_driver(&rte_eth_devices[nif->port_id]);
	struct xen_reason why;

	if (!__atomic_load_n(&nif->ready, __ATOMIC_ACQUIRE))
		return;
	if (!drv->by_domid || !own_domain_refused(nif, &why)) {
		drv->evaluate(xbdev);
		return;
	}
	if (!nif->refused)
		xen_netif_fail(nif, &why);
	nif->refused = true;
}

/* Bursts look at what is held back, but there may be none for a while. */
static void
tick(struct xen_bus_device *xbdev)
{
	struct xen_netif *nif = container_of(xbdev, struct xen_netif, xbdev);

	if (__atomic_load_n(&nif->rings.held, __ATOMIC_RELAXED) != 0)
		xen_netif_notify_poll(&nif->rings);
}

static void
ring_init(struct xen_netif_rings *rings, struct xen_netif_ring *ring, unsigned int id,
		enum xen_notify_kind kind)
{
	ring->id = id;
	ring->rings = rings;
	xen_notify_init(&ring->notify, kind);
}

static void
notify_init(struct xen_netif *nif)
{
	uint64_t usec = rte_get_tsc_hz() / US_PER_S;

	nif->rings.notify = (struct xen_notify_config){
		.adaptive = nif->args.notify.count == 0,
		.count = nif->args.notify.count,
		.cycles = nif->args.notify.usec * usec,
		.usec = usec,
	};
	if (nif->args.notify.count != 1)
		nif->xbdev.tick = tick;
}

static void
netif_init(struct xen_netif *nif, struct rte_eth_dev *dev, const struct xen_netif_driver *drv,
		const struct xen_netif_args *args)
{
	struct xen_bus_device *xbdev = &nif->xbdev;
	struct rte_ether_addr mac = args->mac;
	unsigned int i;

	nif->args = *args;
	nif->port_id = dev->data->port_id;
	pthread_mutex_init(&nif->lock, NULL);
	if (rte_is_zero_ether_addr(&mac))
		rte_eth_random_addr(mac.addr_bytes);
	xen_netif_set_mac(nif, &mac);
	nif->node = SOCKET_ID_ANY;
	nif->promiscuous = true;
	nif->allmulticast = true;
	/* Many programs rely on them and never ask; who does without says so (testpmd). */
	nif->rings.ptypes = XEN_NETIF_PTYPE_LAYERS;
	nif->rings.peeks = xen_netif_peeks();
	for (i = 0; i < XEN_NETIF_QUEUES_MAX; i++) {
		ring_init(&nif->rings, &nif->rings.rx[i], i, drv->rx_notify);
		ring_init(&nif->rings, &nif->rings.tx[i], i, drv->tx_notify);
		nif->intr.q[i].epoll = -1;
		nif->intr.q[i].wake = -1;
	}
	notify_init(nif);

	xbdev->root = drv->root;
	xbdev->evaluate = evaluate;
	if (drv->by_domid)
		snprintf(xbdev->path, sizeof(xbdev->path), "%s/%u/%u", drv->root, args->domid,
				args->devid);
	else
		snprintf(xbdev->path, sizeof(xbdev->path), "%s/%u", drv->root, args->devid);

	dev->data->mac_addrs = &nif->mac;
	dev->data->dev_flags = RTE_ETH_DEV_INTR_LSC | RTE_ETH_DEV_AUTOFILL_QUEUE_XSTATS;
	dev->data->promiscuous = 1;
	dev->data->all_multicast = 1;
	dev->data->dev_link = (struct rte_eth_link){
		.link_speed = args->speed,
		.link_duplex = RTE_ETH_LINK_FULL_DUPLEX,
		.link_autoneg = RTE_ETH_LINK_FIXED,
		.link_status = RTE_ETH_LINK_DOWN,
	};
	dev->dev_ops = drv->ops;
	dev->process_private = (void *)(uintptr_t)drv;
	dev->rx_pkt_burst = drv->rx_burst;
	dev->tx_pkt_burst = drv->tx_burst;
	dev->tx_pkt_prepare = xen_csum_tx_prepare;
	dev->rx_queue_count = xen_netif_rx_queue_count;
	dev->rx_descriptor_status = xen_netif_rx_descriptor_status;
	dev->tx_descriptor_status = xen_netif_tx_descriptor_status;
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_netif_probe)
int
xen_netif_probe(struct rte_vdev_device *vdev, const struct xen_netif_driver *drv)
{
	const char *name = rte_vdev_device_name(vdev);
	xengnttab_handle *gnttab;
	struct xen_netif_args args;
	struct rte_eth_dev *dev;
	struct xen_reason why;
	struct xen_netif *nif;
	int ret;

	if (rte_eal_process_type() != RTE_PROC_PRIMARY)
		return probe_secondary(vdev, drv);
	ret = xen_netif_args_parse(name, rte_vdev_device_args(vdev), drv->args, &args);
	if (ret < 0)
		return ret;
	ret = xen_gnttab_get(&gnttab);
	if (ret < 0)
		return ret;
	dev = rte_eth_vdev_allocate(vdev, drv->size);
	if (dev == NULL) {
		XEN_LOG(ERR, "%s: cannot allocate a port", name);
		ret = -ENOMEM;
		goto put_gnttab;
	}
	nif = dev->data->dev_private;
	netif_init(nif, dev, drv, &args);
	nif->rings.gnttab = gnttab;
	nif->rings.gso = args.gso != 0;
	ret = xen_bus_add(&nif->xbdev);
	if (ret == -EEXIST)
		XEN_LOG(ERR, "%s: %s has a port in this process already", name, nif->xbdev.path);
	else if (ret < 0)
		XEN_LOG(ERR, "%s: cannot start the control thread: %s", name, strerror(-ret));
	if (ret < 0)
		goto release_port;
	if (drv->by_domid && own_domain_refused(nif, &why)) {
		XEN_LOG(ERR, "%s: %s", name, why.text);
		ret = -EINVAL;
		goto del_bus;
	}
	__atomic_store_n(&nif->ready, true, __ATOMIC_RELEASE);
	/* Applications read a port's MAC address first of all, and never again. */
	if (!drv->by_domid)
		xen_bus_settle(&nif->xbdev);
	else
		xen_bus_kick(&nif->xbdev);
	xen_netif_telemetry_add(nif);
	rte_eth_dev_probing_finish(dev);
	return 0;

del_bus:
	xen_bus_del(&nif->xbdev);
	drv->close(nif);
release_port:
	pthread_mutex_destroy(&nif->lock);
	dev->data->mac_addrs = NULL;
	rte_eth_dev_release_port(dev);
put_gnttab:
	xen_gnttab_put();
	return ret;
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_netif_remove)
int
xen_netif_remove(struct rte_vdev_device *vdev)
{
	struct rte_eth_dev *dev;

	dev = rte_eth_dev_allocated(rte_vdev_device_name(vdev));
	if (dev == NULL)
		return 0;
	if (rte_eal_process_type() != RTE_PROC_PRIMARY)
		return rte_eth_dev_release_port(dev);
	if (dev->data->dev_started)
		rte_eth_dev_stop(dev->data->port_id);
	return rte_eth_dev_close(dev->data->port_id);
}
