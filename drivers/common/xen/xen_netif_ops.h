/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XEN_NETIF_OPS_H
#define XEN_NETIF_OPS_H

/**
 * @file
 * The ethdev operations of either driver, between the files that they are spread over.
 */

#include "xen_netif.h"

extern const struct eth_dev_ops xen_netif_ops;

/** The driver of a port, as this process has it. */
static inline const struct xen_netif_driver *
netif_driver(const struct rte_eth_dev *dev)
{
	return dev->process_private;
}

/* Statistics, in xen_netif_stats.c; see the operations of the same names in struct eth_dev_ops. */
int
xen_netif_stats_get(struct rte_eth_dev *dev, struct rte_eth_stats *stats);
int
xen_netif_stats_reset(struct rte_eth_dev *dev);
int
xen_netif_xstats_get(struct rte_eth_dev *dev, struct rte_eth_xstat *xstats, unsigned int n);
int
xen_netif_xstats_get_names(struct rte_eth_dev *dev, struct rte_eth_xstat_name *names,
		unsigned int n);

/**
 * A queue is released: its statistics go on with the next one in its place, which counts from zero.
 */
void
xen_netif_stats_carry(const struct xen_netif_queue *q, struct xen_netif_queue_counters *base);

#endif /* XEN_NETIF_OPS_H */
