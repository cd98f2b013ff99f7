/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include "xen_netif_args.h"
#include "xenfront.h"

RTE_LOG_REGISTER_DEFAULT(xenfront_logtype, NOTICE);

static const struct xen_netif_arg xenfront_args[] = XEN_NETIF_ARG_TABLE(XEN_NETIF_ARGS);

/* What the drivers share, and what this one has beside that. */
static struct eth_dev_ops xenfront_ops, xenfront_secondary_ops;

static int
dev_infos_get(struct rte_eth_dev *dev, struct rte_eth_dev_info *info)
{
	int ret = xen_netif_ops.dev_infos_get(dev, info);

	if (ret == 0)
		xenfront_rss_infos(info);
	return ret;
}

RTE_INIT(xenfront_ops_init)
{
	xenfront_ops = xen_netif_ops;
	xenfront_ops.dev_configure = xenfront_rss_configure;
	xenfront_ops.dev_infos_get = dev_infos_get;
	xenfront_ops.rss_hash_update = xenfront_rss_hash_update;
	xenfront_ops.rss_hash_conf_get = xenfront_rss_hash_conf_get;
	xenfront_ops.reta_update = xenfront_rss_reta_update;
	xenfront_ops.reta_query = xenfront_rss_reta_query;
	xenfront_ops.set_mc_addr_list = xenfront_filter_mc_list_set;

	xenfront_secondary_ops = xen_netif_secondary_ops;
	xenfront_secondary_ops.dev_infos_get = dev_infos_get;
	xenfront_secondary_ops.rss_hash_conf_get = xenfront_rss_hash_conf_get;
	xenfront_secondary_ops.reta_query = xenfront_rss_reta_query;
}

static void
xenfront_stop(struct xen_netif *nif)
{
	struct xenfront *front = container_of(nif, struct xenfront, nif);

	xen_netif_detach(nif);
	front->blocked = false;
}

static void
xenfront_close(struct xen_netif *nif)
{
	struct xenfront *front = container_of(nif, struct xenfront, nif);

	pthread_mutex_lock(&nif->lock);
	xen_netif_detach(nif);
	pthread_mutex_unlock(&nif->lock);
	xenfront_rings_destroy(front);
	xen_evtchn_close(&nif->evtchn);
}

static const struct xen_netif_driver xenfront_driver = {
	.root = "device/vif",
	.size = sizeof(struct xenfront),
	.rxq_size = sizeof(struct xenfront_rxq),
	.txq_size = sizeof(struct xenfront_txq),
	.args = xenfront_args,
	.ops = &xenfront_ops,
	.secondary_ops = &xenfront_secondary_ops,
	.rx_notify = XEN_NOTIFY_BUFFERS,
	.tx_notify = XEN_NOTIFY_REQUESTS,
	.rx_stats = XEN_NETIF_STATS_FRONT_RX,
	.tx_stats = XEN_NETIF_STATS_FRONT_TX,
	.rxq_init = xenfront_rxq_init,
	.rxq_fini = xenfront_rxq_stop,
	.rxq_stop = xenfront_rxq_stop,
	.rxq_arm = xenfront_rxq_arm,
	.rxq_holds = xenfront_rxq_holds,
	.rx_burst = xenfront_rx_burst,
	.tx_burst = xenfront_tx_burst,
	.rx_prod = xenfront_rx_prod,
	.tx_free = xenfront_txq_free,
	.evaluate = xenfront_evaluate,
	.stop = xenfront_stop,
	.detach = xen_netif_detach,
	.leave = xenfront_leave,
	.close = xenfront_close,
};

static int
xenfront_probe(struct rte_vdev_device *vdev)
{
	return xen_netif_probe(vdev, &xenfront_driver);
}

static struct rte_vdev_driver xenfront_vdev_driver = {
	.probe = xenfront_probe,
	.remove = xen_netif_remove,
};

RTE_PMD_REGISTER_VDEV(net_xenfront, xenfront_vdev_driver);
RTE_PMD_REGISTER_PARAM_STRING(net_xenfront, XEN_NETIF_ARG_STRING(XEN_NETIF_ARGS));
