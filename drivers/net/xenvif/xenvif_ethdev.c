/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include "xen_netif_args.h"
#include "xenvif.h"
#include "xenvif_rxtx.h"

static const struct xen_netif_arg xenvif_args[] = XEN_NETIF_ARG_TABLE(XEN_NETIF_ARGS_BY_DOMID);

static const struct xen_netif_driver xenvif_driver = {
	.root = "backend/vif",
	.by_domid = true,
	.size = sizeof(struct xenvif),
	.rxq_size = sizeof(struct xenvif_rxq),
	.txq_size = sizeof(struct xenvif_txq),
	.tx_segs_max = XENVIF_TX_SEGS_MAX,
	.args = xenvif_args,
	.ops = &xen_netif_ops,
	.secondary_ops = &xen_netif_secondary_ops,
	.rx_notify = XEN_NOTIFY_DONE,
	.tx_notify = XEN_NOTIFY_PACKETS,
	.rx_stats = XEN_NETIF_STATS_BACK_RX,
	.tx_stats = XEN_NETIF_STATS_BACK_TX,
	.rxq_init = xenvif_rxq_init,
	.rxq_fini = xenvif_rxq_fini,
	.rxq_stop = xenvif_rxq_stop,
	.rxq_arm = xenvif_rxq_arm,
	.rxq_holds = xenvif_rxq_holds,
	.txq_init = xenvif_wait_txq_init,
	.txq_fini = xenvif_wait_txq_fini,
	.txq_stop = xenvif_wait_txq_stop,
	.rx_burst = xenvif_rx_burst,
	.tx_burst = xenvif_tx_burst,
	.rx_prod = xenvif_rx_prod,
	.tx_free = xenvif_wait_txq_free,
	.tx_cleanup = xenvif_txq_cleanup,
	.waiting = xenvif_wait_count,
	.evaluate = xenvif_evaluate,
	.stop = xenvif_stop,
	.detach = xenvif_detach,
	.close = xenvif_close,
};

static int
xenvif_probe(struct rte_vdev_device *vdev)
{
	return xen_netif_probe(vdev, &xenvif_driver);
}

static struct rte_vdev_driver xenvif_vdev_driver = {
	.probe = xenvif_probe,
	.remove = xen_netif_remove,
};

RTE_PMD_REGISTER_VDEV(net_xenvif, xenvif_vdev_driver);
RTE_PMD_REGISTER_PARAM_STRING(net_xenvif, XEN_NETIF_ARG_STRING(XEN_NETIF_ARGS_BY_DOMID));
