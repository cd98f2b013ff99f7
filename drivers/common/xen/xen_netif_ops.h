/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XEN_NETIF_OPS_H
#define XEN_NETIF_OPS_H

/**
 * @file
 * The ethdev operations of either driver, between the files that they are spread over.
 */

#include <stdio.h>

#include "xen_compat.h"
#include "xen_netif.h"

/** Ethernet header and checksum: what a frame has beside its MTU. One VLAN tag fits too. */
#define XEN_NETIF_FRAME_OVERHEAD (RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN)
#define XEN_NETIF_MTU_MAX (XEN_NETIF_PKT_MAX - XEN_NETIF_FRAME_OVERHEAD)

/** Layers of a received packet that are recognized. */
#define XEN_NETIF_PTYPE_LAYERS (RTE_PTYPE_L2_MASK | RTE_PTYPE_L3_MASK | RTE_PTYPE_L4_MASK)

/** The driver of a port, as this process has it. */
static inline const struct xen_netif_driver *
netif_driver(const struct rte_eth_dev *dev)
{
	return dev->process_private;
}

/**
 * Where queues are best placed: the socket of the other end's memory, if that is known and this
 * kernel has it, and more than one; SOCKET_ID_ANY if not. Any thread.
 */
int
xen_netif_domain_socket(const struct xen_netif *nif);

/* Queues, in xen_netif_queue.c; see the operations of nearly the same names. */
int
xen_netif_rxq_setup(struct rte_eth_dev *dev, uint16_t id, uint16_t nb_desc, unsigned int socket,
		const struct rte_eth_rxconf *conf, struct rte_mempool *pool);
int
xen_netif_txq_setup(struct rte_eth_dev *dev, uint16_t id, uint16_t nb_desc, unsigned int socket,
		const struct rte_eth_txconf *conf);
void
xen_netif_rxq_release(struct rte_eth_dev *dev, uint16_t id);
void
xen_netif_txq_release(struct rte_eth_dev *dev, uint16_t id);
int
xen_netif_rxq_start(struct rte_eth_dev *dev, uint16_t id);
int
xen_netif_rxq_stop(struct rte_eth_dev *dev, uint16_t id);
int
xen_netif_txq_start(struct rte_eth_dev *dev, uint16_t id);
int
xen_netif_txq_stop(struct rte_eth_dev *dev, uint16_t id);
void
xen_netif_rxq_info_get(struct rte_eth_dev *dev, uint16_t id, struct rte_eth_rxq_info *info);
void
xen_netif_txq_info_get(struct rte_eth_dev *dev, uint16_t id, struct rte_eth_txq_info *info);
XEN_QUEUE_COUNT
xen_netif_rx_queue_count(void *queue);
int
xen_netif_rx_descriptor_status(void *queue, uint16_t offset);
int
xen_netif_tx_descriptor_status(void *queue, uint16_t offset);
int
xen_netif_tx_done_cleanup(void *queue, uint32_t free_cnt);
int
xen_netif_mtu_set(struct rte_eth_dev *dev, uint16_t mtu);

/**
 * Start all queues but those whose start is deferred, as the port is configured.
 *
 * @return
 *   0, or -EINVAL when a queue is not set up.
 */
int
xen_netif_queues_start(struct rte_eth_dev *dev);

/** Stop all queues. */
void
xen_netif_queues_stop(struct rte_eth_dev *dev);

/* Rx interrupts, in xen_netif_intr.c; see the operations of nearly the same names. */
int
xen_netif_rxq_intr_enable(struct rte_eth_dev *dev, uint16_t id);
int
xen_netif_rxq_intr_disable(struct rte_eth_dev *dev, uint16_t id);

/** The port is configured anew: whoever slept on its queues may be another from now on. */
void
xen_netif_intr_configure(struct rte_eth_dev *dev);

/** Have interrupts as the port is configured: it starts. 0 or -errno, which is logged. */
int
xen_netif_intr_start(struct rte_eth_dev *dev);

/** Let go of all that interrupts need: the port is closed, no ring is bound any more. */
void
xen_netif_intr_release(struct rte_eth_dev *dev);

/**
 * See rte_eth_get_monitor_addr(): where the lcore of an rx queue may wait for a write, until its
 * next burst. -EBUSY: there is something to do already; -ENOTSUP: the queue has several rings.
 */
int
xen_netif_monitor_addr(void *queue, struct rte_power_monitor_cond *cond);

/** No lcore looks at a ring any more: the port stops. */
void
xen_netif_monitors_end(struct xen_netif_rings *rings);

/** Let go of all that lcores might still have looked at: the port is closed. */
void
xen_netif_monitors_release(struct xen_netif_rings *rings);

/* Filters and packet types, in xen_netif_classify.c; see the operations of the same names. */
int
xen_netif_vlan_offload_set(struct rte_eth_dev *dev, int mask);
int
xen_netif_promiscuous_enable(struct rte_eth_dev *dev);
int
xen_netif_promiscuous_disable(struct rte_eth_dev *dev);
int
xen_netif_allmulticast_enable(struct rte_eth_dev *dev);
int
xen_netif_allmulticast_disable(struct rte_eth_dev *dev);
int
xen_netif_mac_set(struct rte_eth_dev *dev, struct rte_ether_addr *mac);
int
xen_netif_mc_list_set(struct rte_eth_dev *dev, struct rte_ether_addr *list, uint32_t nb);
const uint32_t *
xen_netif_ptypes_get(struct rte_eth_dev *dev XEN_PTYPES_COUNT);
int
xen_netif_ptypes_set(struct rte_eth_dev *dev, uint32_t mask);

/** Tell the rx queues what to look at packets for, after any of that has changed. */
void
xen_netif_classify_update(struct rte_eth_dev *dev);

/* Statistics, in xen_netif_stats.c; see the operations of the same names in struct eth_dev_ops. */
int
xen_netif_stats_get(struct rte_eth_dev *dev, struct rte_eth_stats *stats XEN_QSTATS_PARAM);
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

/** Have telemetry tell of a port, and no longer: it is closed. Primary process. */
void
xen_netif_telemetry_add(struct xen_netif *nif);
void
xen_netif_telemetry_del(struct xen_netif *nif);

/** See the operation eth_dev_priv_dump. */
int
xen_netif_dump(struct rte_eth_dev *dev, FILE *f);

#endif /* XEN_NETIF_OPS_H */
