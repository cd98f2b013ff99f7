/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include "xen_netif_args.h"
#include "xenfront.h"
#include "xenfront_pool.h"

#define PAGES_PER_MIB (1024 * 1024 / XEN_PAGE_BYTES)

RTE_LOG_REGISTER_DEFAULT(xenfront_logtype, NOTICE);

/* clang-format off */
#define XENFRONT_ARGS(ROW) \
	XEN_NETIF_ARGS(ROW) \
	ROW("granted", granted, NUMBER, 0, 4096, 0, false)
/* clang-format on */

static const struct xen_netif_arg xenfront_args[] = XEN_NETIF_ARG_TABLE(XENFRONT_ARGS);

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

/* Mempools of granted pages are the best, where there can be any. */
static int
pool_ops_supported(struct rte_eth_dev *dev, const char *ops)
{
	const struct xen_netif *nif = dev->data->dev_private;

	return nif->args.granted != 0 && strcmp(ops, XENFRONT_POOL_OPS) == 0 ? 0 : 1;
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
	xenfront_ops.tx_done_cleanup = xenfront_tx_done_cleanup;
	xenfront_ops.pool_ops_supported = pool_ops_supported;
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
	xenfront_allowance_del(&front->allowance);
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

/* The control thread has seen the vif, if there is one. */
static int
allow_grants(struct xenfront *front)
{
	int ret;

	if (front->nif.args.granted == 0)
		return 0;
	ret = xenfront_pool_register();
	if (ret < 0) {
		XENFRONT_LOG(ERR, front,
				"granted=%u: cannot register the mempool operations %s: %s",
				front->nif.args.granted, XENFRONT_POOL_OPS, strerror(-ret));
		return ret;
	}
	front->allowance.pages = front->nif.args.granted * PAGES_PER_MIB;
	xenfront_allowance_add(&front->allowance);
	return 0;
}

static int
xenfront_probe(struct rte_vdev_device *vdev)
{
	int ret = xen_netif_probe(vdev, &xenfront_driver);
	const struct rte_eth_dev *dev;

	if (ret < 0 || rte_eal_process_type() != RTE_PROC_PRIMARY)
		return ret;
	dev = rte_eth_dev_allocated(rte_vdev_device_name(vdev));
	ret = allow_grants(dev->data->dev_private);
	if (ret < 0)
		xen_netif_remove(vdev);
	return ret;
}

static struct rte_vdev_driver xenfront_vdev_driver = {
	.probe = xenfront_probe,
	.remove = xen_netif_remove,
};

RTE_PMD_REGISTER_VDEV(net_xenfront, xenfront_vdev_driver);
RTE_PMD_REGISTER_PARAM_STRING(net_xenfront, XEN_NETIF_ARG_STRING(XENFRONT_ARGS));
