/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_malloc.h>

#include "xenfront.h"

static void *
share(struct xenfront *front, unsigned int count, grant_ref_t *grefs, bool writable,
		struct xen_reason *why)
{
	void *pages;

	errno = 0;
	pages = xengntshr_share_pages(front->gntshr, front->peer.domid, count, grefs, writable);
	if (pages != NULL)
		return pages;
	if (errno == ENOSPC)
		xen_reason_set(why, ENOSPC,
				"cannot grant %u more pages: more than the module "
				"parameter xen_gntalloc.limit allows (a queue pair takes %u pages)",
				count, 2 * XEN_NETIF_RING_SIZE + 2);
	else
		xen_reason_set(why, errno != 0 ? errno : EIO, "cannot grant %u pages: %s", count,
				strerror(errno != 0 ? errno : EIO));
	return NULL;
}

/* An empty TX ring, and every id free. */
static int
tx_create(struct xenfront *front, struct xen_netif_ring *ring, struct xenfront_pair *pair,
		struct xen_reason *why)
{
	struct xenfront_tx_pages *tx = &pair->tx;

	ring->sring.page = share(front, 1, &pair->keys.tx_ring_ref, true, why);
	if (ring->sring.page == NULL)
		return -why->err;
	SHARED_RING_INIT(ring->sring.tx);
	tx->pages = share(front, XEN_NETIF_RING_SIZE, tx->grefs, false, why);
	if (tx->pages == NULL)
		return -why->err;
	tx->domid = front->nif.args.granted != 0 ? front->peer.domid : DOMID_INVALID;
	xenfront_tx_ids_init(&tx->ids);
	ring->cons = 0;
	ring->prod = 0;
	return 0;
}

/* The region of the mempool that a ring's rx queue has, with a reference; NULL: it has none. */
static struct xenfront_region *
ring_region(struct xenfront *front, unsigned int i)
{
	const struct rte_eth_dev_data *data = rte_eth_devices[front->nif.port_id].data;
	const struct xen_netif_queue *q = NULL;
	const struct rte_mempool *pool = NULL;

	if (front->nif.args.granted == 0)
		return NULL;
	pthread_mutex_lock(&front->nif.lock);
	if (data->nb_rx_queues != 0)
		q = data->rx_queues[i % data->nb_rx_queues];
	if (q != NULL)
		pool = q->pool;
	pthread_mutex_unlock(&front->nif.lock);
	return pool != NULL ? xenfront_region_find(pool, front->peer.domid) : NULL;
}

bool
xenfront_rings_misfit(struct xenfront *front)
{
	struct xenfront_region *region;
	bool misfit = false;
	unsigned int i;

	for (i = 0; front->nif.args.granted != 0 && i < front->nif.nb_queues; i++) {
		region = ring_region(front, i);
		misfit |= region != front->pairs[i]->rx.wanted;
		if (region != NULL)
			xenfront_region_put(region);
	}
	return misfit;
}

/* The grants of the buffers: of mbufs, if the queue has such and the mempool has enough. */
static int
rx_grants(struct xenfront *front, unsigned int i, grant_ref_t grefs[XEN_NETIF_RING_SIZE],
		struct xen_reason *why)
{
	struct xenfront_rx_pages *rx = &front->pairs[i]->rx;
	unsigned int slot;

	rx->wanted = ring_region(front, i);
	if (rx->wanted != NULL &&
			xenfront_region_take(rx->wanted, rx->mbufs, XEN_NETIF_RING_SIZE)) {
		rx->region = rx->wanted;
		for (slot = 0; slot < XEN_NETIF_RING_SIZE; slot++)
			grefs[slot] = xenfront_buf_of(rx->mbufs[slot])->gref;
		return 0;
	}
	if (rx->wanted != NULL)
		xen_netif_log(&front->nif, XEN_NETIF_NOTED,
				"queue %u: its mempool has not the %u mbufs that the ring takes: "
				"packets are copied into it",
				i, XEN_NETIF_RING_SIZE);
	rx->pages = share(front, XEN_NETIF_RING_SIZE, grefs, true, why);
	return rx->pages != NULL ? 0 : -why->err;
}

/* An RX ring with all its buffers posted: nobody has to be told before the backend connects. */
static int
rx_create(struct xenfront *front, struct xen_netif_ring *ring, struct xenfront_pair *pair,
		struct xen_reason *why)
{
	grant_ref_t grefs[XEN_NETIF_RING_SIZE];
	struct xenfront_rx_pages *rx = &pair->rx;
	unsigned int i;
	int ret;

	ring->sring.page = share(front, 1, &pair->keys.rx_ring_ref, true, why);
	if (ring->sring.page == NULL)
		return -why->err;
	SHARED_RING_INIT(ring->sring.rx);
	ret = rx_grants(front, ring->id, grefs, why);
	if (ret < 0)
		return ret;
	for (i = 0; i < XEN_NETIF_RING_SIZE; i++) {
		rx->reqs[i] = (struct netif_rx_request){ .id = i, .gref = grefs[i] };
		ring->sring.rx->ring[i].req = rx->reqs[i];
	}
	ring->cons = 0;
	ring->prod = XEN_NETIF_RING_SIZE;
	xen_ring_store(&ring->sring.rx->req_prod, ring->prod);
	return 0;
}

static int
ring_bind(struct xenfront *front, struct xen_netif_ring *ring, struct xen_reason *why)
{
	xenevtchn_port_or_error_t port;
	int ret;

	errno = 0;
	port = xenevtchn_bind_unbound_port(ring->evtchn, front->peer.domid);
	if (port < 0) {
		ret = errno != 0 ? errno : EIO;
		return xen_reason_set(why, ret, "cannot allocate an event channel to domain %u: %s",
				front->peer.domid, strerror(ret));
	}
	ring->port = port;
	ring->bound = true;
	return 0;
}

static int
pair_create(struct xenfront *front, unsigned int i, struct xen_reason *why)
{
	struct xen_netif_ring *rx = &front->nif.rings.rx[i], *tx = &front->nif.rings.tx[i];
	struct xenfront_pair *pair;
	int ret;

	pair = rte_zmalloc("xenfront_pair", sizeof(*pair), RTE_CACHE_LINE_SIZE);
	if (pair == NULL)
		return xen_reason_set(why, ENOMEM, "no memory for queue %u", i);
	front->pairs[i] = pair;
	rx->priv = &pair->rx;
	tx->priv = &pair->tx;
	rx->broken = NULL;
	tx->broken = NULL;
	rx->evtchn = xen_netif_intr_evtchn(&front->nif, front->intr_queues, i);
	tx->evtchn = rx->evtchn;
	ret = tx_create(front, tx, pair, why);
	if (ret == 0)
		ret = rx_create(front, rx, pair, why);
	if (ret == 0)
		ret = ring_bind(front, tx, why);
	if (ret == 0 && front->peer.features.split_evtchn)
		ret = ring_bind(front, rx, why);
	else
		rx->port = tx->port;
	pair->keys.evtchn_tx = tx->port;
	pair->keys.evtchn_rx = rx->port;
	return ret;
}

static void
ring_destroy(struct xenfront *front, struct xen_netif_ring *ring, void *pages,
		unsigned int nb_pages)
{
	if (ring->bound)
		xenevtchn_unbind(ring->evtchn, ring->port);
	ring->bound = false;
	if (pages != NULL)
		xengntshr_unshare(front->gntshr, pages, nb_pages);
	if (ring->sring.page != NULL) {
		xengntshr_unshare(front->gntshr, ring->sring.page, 1);
		xen_netif_monitor_unmapped(&front->nif.rings, ring);
	}
	ring->sring.page = NULL;
}

/* Let go of the mbufs that the rings of a pair have, and of their pages. */
static void
pair_let_go(struct xenfront_pair *pair)
{
	struct xenfront_tx_pages *tx = &pair->tx;
	struct xenfront_rx_pages *rx = &pair->rx;
	unsigned int i;

	for (i = 0; i < XEN_NETIF_RING_SIZE && tx->nb_held != 0; i++) {
		if (tx->held[i].m == NULL)
			continue;
		xenfront_region_give(tx->held[i].region, &tx->held[i].m, 1);
		tx->nb_held--;
	}
	xenfront_regions_put(tx->regions);
	if (rx->region != NULL)
		xenfront_region_give(rx->region, rx->mbufs, XEN_NETIF_RING_SIZE);
	if (rx->wanted != NULL)
		xenfront_region_put(rx->wanted);
}

/* An empty control ring, whose responses have the vif evaluated. */
static int
ctrl_create(struct xenfront *front, struct xen_reason *why)
{
	struct xen_netif_ring *ring = &front->nif.ctrl;
	struct xenfront_ctrl *ctrl = &front->ctrl;
	int ret;

	if (!front->peer.features.ctrl_ring)
		return 0;
	ret = xen_bus_evtchn_get(&ring->evtchn, why);
	if (ret < 0)
		return ret;
	ring->sring.page = share(front, 1, &ctrl->keys.ring_ref, true, why);
	if (ring->sring.page == NULL)
		return -why->err;
	SHARED_RING_INIT(ring->sring.ctrl);
	/* A list of grants has to be one that the backend may write to (netif.h). */
	ctrl->page = share(front, 1, &ctrl->page_ref, front->nif.args.granted != 0, why);
	if (ctrl->page == NULL)
		return -why->err;
	ring->cons = 0;
	ring->prod = 0;
	ret = ring_bind(front, ring, why);
	if (ret < 0)
		return ret;
	ctrl->keys.evtchn = ring->port;
	xen_bus_listen(&front->nif.xbdev, ring->port);
	return 0;
}

static void
ctrl_destroy(struct xenfront *front)
{
	struct xen_netif_ring *ring = &front->nif.ctrl;

	if (ring->evtchn == NULL)
		return;
	xen_bus_listen(&front->nif.xbdev, 0);
	ring_destroy(front, ring, front->ctrl.page, 1);
	front->ctrl.page = NULL;
	ring->broken = NULL;
	ring->evtchn = NULL;
	xen_bus_evtchn_put();
}

void
xenfront_rings_destroy(struct xenfront *front)
{
	struct xenfront_pair *pair;
	unsigned int i;

	xen_netif_monitors_wait(&front->nif);
	for (i = 0; i < XEN_NETIF_QUEUES_MAX && front->pairs[i] != NULL; i++) {
		pair = front->pairs[i];
		ring_destroy(front, &front->nif.rings.tx[i], pair->tx.pages, XEN_NETIF_RING_SIZE);
		ring_destroy(front, &front->nif.rings.rx[i], pair->rx.pages, XEN_NETIF_RING_SIZE);
		pair_let_go(pair);
		rte_free(pair);
		front->pairs[i] = NULL;
	}
	ctrl_destroy(front);
	xenfront_register_end(front);
	pthread_mutex_lock(&front->nif.lock);
	xen_netif_intr_unbound(&front->nif);
	front->nif.nb_queues = 0;
	pthread_mutex_unlock(&front->nif.lock);
	if (front->gntshr != NULL)
		xengntshr_close(front->gntshr);
	front->gntshr = NULL;
}

int
xenfront_rings_create(struct xenfront *front, uint16_t nb_pairs, struct xen_reason *why)
{
	unsigned int i;
	int ret;

	ret = xen_evtchn_open(&front->nif.evtchn, why);
	if (ret < 0)
		return ret;
	errno = 0;
	front->gntshr = xengntshr_open(NULL, 0);
	if (front->gntshr == NULL) {
		ret = errno != 0 ? errno : ENODEV;
		return xen_reason_set(why, ret,
				"cannot open /dev/xen/gntalloc: %s (is the module xen-gntalloc "
				"loaded?)",
				strerror(ret));
	}
	pthread_mutex_lock(&front->nif.lock);
	front->intr_queues = front->nif.intr.nb_queues;
	pthread_mutex_unlock(&front->nif.lock);
	for (i = 0; i < nb_pairs && ret == 0; i++)
		ret = pair_create(front, i, why);
	if (ret == 0)
		ret = ctrl_create(front, why);
	if (ret < 0) {
		xenfront_rings_destroy(front);
		return ret;
	}
	pthread_mutex_lock(&front->nif.lock);
	front->nif.rings.peer = front->peer.features;
	front->nif.rings.peer.gso_tcpv4 &= front->nif.rings.gso;
	front->nif.rings.peer.gso_tcpv6 &= front->nif.rings.gso;
	front->nif.nb_queues = nb_pairs;
	pthread_mutex_unlock(&front->nif.lock);
	return 0;
}

void
xenfront_kick(struct xenfront *front)
{
	struct xen_netif *nif = &front->nif;
	unsigned int i;

	for (i = 0; i < front->nif.nb_queues; i++) {
		xenevtchn_notify(nif->rings.tx[i].evtchn, nif->rings.tx[i].port);
		if (nif->rings.rx[i].bound)
			xenevtchn_notify(nif->rings.rx[i].evtchn, nif->rings.rx[i].port);
	}
}
