/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <stddef.h>
#include <stdio.h>

#include <rte_common.h>

#include "xen_netif_ops.h"

#define BACK_RX XEN_NETIF_STATS_BACK_RX
#define BACK_TX XEN_NETIF_STATS_BACK_TX
#define FRONT_RX XEN_NETIF_STATS_FRONT_RX
#define FRONT_TX XEN_NETIF_STATS_FRONT_TX
#define ALL (BACK_RX | BACK_TX | FRONT_RX | FRONT_TX)

/* A counter of a ring, and whose rings have it. */
struct ring_xstat {
	const char *name;
	size_t offset;
	unsigned int where;
};

#define RING_XSTAT(name, field, where) \
	{ \
		name, offsetof(struct xen_netif_counters, field), where \
	}

/*
 * Lost packets are in statistics whose names end in "_errors", or in "_dropped" when nothing was
 * wrong with them: these are what Open vSwitch shows of a port.
 */
/* clang-format off */
static const struct ring_xstat ring_xstats[] = {
	RING_XSTAT("slots", slots, ALL),
	RING_XSTAT("copy_ops", copy_ops, BACK_RX | BACK_TX),
	RING_XSTAT("static_copies", static_copies, BACK_RX | BACK_TX),
	RING_XSTAT("by_reference", by_reference, FRONT_RX | FRONT_TX),
	RING_XSTAT("registered_pages", registered, FRONT_RX),
	RING_XSTAT("csum_completed", csum_completed, ALL),
	RING_XSTAT("gso_whole", gso_whole, ALL),
	RING_XSTAT("gso_cut", gso_cut, ALL),
	RING_XSTAT("notify_sent", notify_sent, ALL),
	RING_XSTAT("notify_suppressed", notify_suppressed, ALL),
	RING_XSTAT("notify_full", notify_full, ALL),
	RING_XSTAT("notify_late", notify_late, ALL),
	RING_XSTAT("notify_cancelled", notify_cancelled, ALL),
	RING_XSTAT("ring_full", ring_full, BACK_TX | FRONT_TX),
	RING_XSTAT("filtered", filtered, BACK_RX | BACK_TX | FRONT_RX),
	RING_XSTAT("rate_stops", rate_stops, BACK_RX),
	RING_XSTAT("bad_packet_errors", bad_packets, ALL),
	RING_XSTAT("oversize_errors", oversize, ALL),
	RING_XSTAT("csum_unparsed_errors", csum_unparsed, BACK_RX | FRONT_RX),
	RING_XSTAT("copy_errors", copy_errors, BACK_RX | BACK_TX),
	RING_XSTAT("refused_errors", refused, FRONT_TX),
	RING_XSTAT("nombuf_dropped", nombuf, BACK_RX | FRONT_RX),
	RING_XSTAT("wait_expired_dropped", wait_expired, BACK_TX),
	RING_XSTAT("wait_stalled_dropped", wait_stalled, BACK_TX),
	RING_XSTAT("wait_flushed_dropped", wait_flushed, BACK_RX | BACK_TX | FRONT_RX),
	RING_XSTAT("wait_blocked_dropped", wait_blocked, BACK_TX),
};
/* clang-format on */

static const struct {
	const char *name;
	size_t offset;
} vif_xstats[] = {
	{ "connects", offsetof(struct xen_netif_vif_counters, connects) },
	{ "disconnects", offsetof(struct xen_netif_vif_counters, disconnects) },
	{ "protocol_errors", offsetof(struct xen_netif_vif_counters, protocol_errors) },
};

/*
 * What was counted since the last reset. The base is read first: a reset in between must not make
 * it larger than the counter.
 */
static uint64_t
since(const uint64_t *counter, const uint64_t *base)
{
	uint64_t from = __atomic_load_n(base, __ATOMIC_ACQUIRE);

	return xen_count_read(counter) - from;
}

/* Begin anew, without a write to what somebody else counts in. */
static void
rebase(uint64_t *base, const uint64_t *counter)
{
	__atomic_store_n(base, xen_count_read(counter), __ATOMIC_RELEASE);
}

/* What the queue's own lcore has counted, and what others have for it; NULL: there is no queue. */
static struct xen_netif_queue_counters
queue_read(const struct xen_netif_queue *q)
{
	if (q == NULL)
		return (struct xen_netif_queue_counters){ 0 };
	return (struct xen_netif_queue_counters){
		.packets = xen_count_read(&q->packets) + xen_count_read(&q->late.packets),
		.bytes = xen_count_read(&q->bytes) + xen_count_read(&q->late.bytes),
		.errors = xen_count_read(&q->errors) + xen_count_read(&q->late.errors),
		.nombuf = xen_count_read(&q->nombuf),
	};
}

static struct xen_netif_queue_counters
base_read(const struct xen_netif_queue_counters *base)
{
	return (struct xen_netif_queue_counters){
		.packets = __atomic_load_n(&base->packets, __ATOMIC_ACQUIRE),
		.bytes = __atomic_load_n(&base->bytes, __ATOMIC_ACQUIRE),
		.errors = __atomic_load_n(&base->errors, __ATOMIC_ACQUIRE),
		.nombuf = __atomic_load_n(&base->nombuf, __ATOMIC_ACQUIRE),
	};
}

static void
base_write(struct xen_netif_queue_counters *base, const struct xen_netif_queue_counters *c)
{
	__atomic_store_n(&base->packets, c->packets, __ATOMIC_RELEASE);
	__atomic_store_n(&base->bytes, c->bytes, __ATOMIC_RELEASE);
	__atomic_store_n(&base->errors, c->errors, __ATOMIC_RELEASE);
	__atomic_store_n(&base->nombuf, c->nombuf, __ATOMIC_RELEASE);
}

static struct xen_netif_queue_counters
difference(const struct xen_netif_queue_counters *a, const struct xen_netif_queue_counters *b)
{
	return (struct xen_netif_queue_counters){
		.packets = a->packets - b->packets,
		.bytes = a->bytes - b->bytes,
		.errors = a->errors - b->errors,
		.nombuf = a->nombuf - b->nombuf,
	};
}

/* As since(), for all counters of a queue. */
static struct xen_netif_queue_counters
queue_since(const struct xen_netif_queue *q, const struct xen_netif_queue_counters *base)
{
	struct xen_netif_queue_counters from = base_read(base), now = queue_read(q);

	return difference(&now, &from);
}

/* A queue that the port has; or NULL: one that it had may have left what it counted. */
static const struct xen_netif_queue *
queue_at(void **queues, uint16_t nb_queues, unsigned int id)
{
	return id < nb_queues ? queues[id] : NULL;
}

static const struct xen_netif_queue *
rxq_at(const struct rte_eth_dev *dev, unsigned int id)
{
	return queue_at(dev->data->rx_queues, dev->data->nb_rx_queues, id);
}

static const struct xen_netif_queue *
txq_at(const struct rte_eth_dev *dev, unsigned int id)
{
	return queue_at(dev->data->tx_queues, dev->data->nb_tx_queues, id);
}

int
xen_netif_stats_get(struct rte_eth_dev *dev, struct rte_eth_stats *stats XEN_QSTATS_PARAM)
{
	const struct xen_netif *nif = dev->data->dev_private;
	struct xen_netif_queue_counters rx, tx;
	unsigned int i;

	/* The primary process may have closed the port. */
	if (nif == NULL)
		return -ENODEV;
	for (i = 0; i < XEN_NETIF_QUEUES_MAX; i++) {
		rx = queue_since(rxq_at(dev, i), &nif->base.rxq[i]);
		tx = queue_since(txq_at(dev, i), &nif->base.txq[i]);
		stats->ipackets += rx.packets;
		stats->ibytes += rx.bytes;
		stats->ierrors += rx.errors;
		stats->rx_nombuf += rx.nombuf;
		stats->opackets += tx.packets;
		stats->obytes += tx.bytes;
		stats->oerrors += tx.errors;
		if (i >= RTE_ETHDEV_QUEUE_STAT_CNTRS || XEN_QSTATS(stats) == NULL)
			continue;
		XEN_QSTATS(stats)->q_ipackets[i] = rx.packets;
		XEN_QSTATS(stats)->q_ibytes[i] = rx.bytes;
		XEN_QSTATS(stats)->q_errors[i] = rx.errors;
		XEN_QSTATS(stats)->q_opackets[i] = tx.packets;
		XEN_QSTATS(stats)->q_obytes[i] = tx.bytes;
	}
	return 0;
}

static void
queue_reset(const struct xen_netif_queue *q, struct xen_netif_queue_counters *base)
{
	struct xen_netif_queue_counters now = queue_read(q);

	base_write(base, &now);
}

void
xen_netif_stats_carry(const struct xen_netif_queue *q, struct xen_netif_queue_counters *base)
{
	struct xen_netif_queue_counters now = queue_read(q);

	now = difference(base, &now);
	base_write(base, &now);
}

static void
ring_reset(const struct xen_netif_ring *ring, struct xen_netif_counters *base)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(ring_xstats); i++)
		rebase(RTE_PTR_ADD(base, ring_xstats[i].offset),
				RTE_PTR_ADD(&ring->count, ring_xstats[i].offset));
}

int
xen_netif_stats_reset(struct rte_eth_dev *dev)
{
	struct xen_netif *nif = dev->data->dev_private;
	unsigned int i;

	if (nif == NULL)
		return -ENODEV;
	for (i = 0; i < XEN_NETIF_QUEUES_MAX; i++) {
		queue_reset(rxq_at(dev, i), &nif->base.rxq[i]);
		queue_reset(txq_at(dev, i), &nif->base.txq[i]);
		ring_reset(&nif->rings.rx[i], &nif->base.rx[i]);
		ring_reset(&nif->rings.tx[i], &nif->base.tx[i]);
	}
	for (i = 0; i < RTE_DIM(vif_xstats); i++)
		rebase(RTE_PTR_ADD(&nif->base.vif, vif_xstats[i].offset),
				RTE_PTR_ADD(&nif->count, vif_xstats[i].offset));
	return 0;
}

/* What is asked for: values, names, or both; and how many of them there are already. */
struct fill {
	struct rte_eth_xstat *xstats;
	struct rte_eth_xstat_name *names;
	unsigned int size;
	unsigned int n;
};

static void
fill_one(struct fill *f, const char *prefix, const char *name, uint64_t value)
{
	if (f->xstats != NULL && f->n < f->size) {
		f->xstats[f->n].id = f->n;
		f->xstats[f->n].value = value;
	}
	if (f->names != NULL && f->n < f->size)
		snprintf(f->names[f->n].name, sizeof(f->names[f->n].name), "%s%s", prefix, name);
	f->n++;
}

static void
fill_ring(struct fill *f, const struct xen_netif_ring *ring, const struct xen_netif_counters *base,
		const char *dir, unsigned int set)
{
	char prefix[RTE_ETH_XSTATS_NAME_SIZE];
	unsigned int i;

	snprintf(prefix, sizeof(prefix), "%s_q%u_", dir, ring->id);
	for (i = 0; i < RTE_DIM(ring_xstats); i++) {
		if ((ring_xstats[i].where & set) != 0)
			fill_one(f, prefix, ring_xstats[i].name,
					since(RTE_PTR_ADD(&ring->count, ring_xstats[i].offset),
							RTE_PTR_ADD(base, ring_xstats[i].offset)));
	}
}

/* All statistics of the port; how many there are. */
static int
fill_port(const struct rte_eth_dev *dev, struct fill *f)
{
	const struct xen_netif_driver *drv = netif_driver(dev);
	const struct xen_netif *nif = dev->data->dev_private;
	uint32_t i, most;

	if (nif == NULL)
		return -ENODEV;
	most = __atomic_load_n(&nif->most_queues, __ATOMIC_RELAXED);
	for (i = 0; i < RTE_DIM(vif_xstats); i++)
		fill_one(f, "", vif_xstats[i].name,
				since(RTE_PTR_ADD(&nif->count, vif_xstats[i].offset),
						RTE_PTR_ADD(&nif->base.vif, vif_xstats[i].offset)));
	/* A level, which no reset changes. */
	if (drv->by_domid)
		fill_one(f, "", "static_pages",
				__atomic_load_n(&nif->rings.static_pages, __ATOMIC_RELAXED));
	/* A guest may have been offered more than this process would. */
	for (i = 0; i < RTE_MAX(nif->args.queues, most); i++) {
		fill_ring(f, &nif->rings.rx[i], &nif->base.rx[i], "rx", drv->rx_stats);
		fill_ring(f, &nif->rings.tx[i], &nif->base.tx[i], "tx", drv->tx_stats);
	}
	return f->n;
}

int
xen_netif_xstats_get(struct rte_eth_dev *dev, struct rte_eth_xstat *xstats, unsigned int n)
{
	struct fill f = { .xstats = xstats, .size = n };

	return fill_port(dev, &f);
}

int
xen_netif_xstats_get_names(struct rte_eth_dev *dev, struct rte_eth_xstat_name *names,
		unsigned int n)
{
	struct fill f = { .names = names, .size = n };

	return fill_port(dev, &f);
}
