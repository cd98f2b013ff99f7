/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "xenvif.h"
#include "xenvif_grants.h"

/* Let go of what a ring holds; it is not attached, or never was. */
static void
ring_release(struct xen_netif *nif, struct xen_netif_ring *ring)
{
	if (ring->bound)
		xenevtchn_unbind(ring->evtchn, ring->port);
	ring->bound = false;
	if (ring->sring.page != NULL) {
		xengnttab_unmap(nif->rings.gnttab, ring->sring.page, 1);
		xen_netif_monitor_unmapped(&nif->rings, ring);
	}
	ring->sring.page = NULL;
}

static int
ring_map(struct xen_netif *nif, struct xen_netif_ring *ring, domid_t domid, grant_ref_t gref,
		const char *name, struct xen_reason *why)
{
	int err;

	errno = 0;
	ring->sring.page = xengnttab_map_grant_ref(nif->rings.gnttab, domid, gref,
			PROT_READ | PROT_WRITE);
	if (ring->sring.page != NULL) {
		ring->domid = domid;
		return 0;
	}
	err = errno != 0 ? errno : EINVAL;
	xen_reason_set(why, err, "%s %u cannot be mapped: %s", name, gref, strerror(err));
	return xen_is_shortage(err) ? -EAGAIN : -EINVAL;
}

/*
 * A ring is entered where its responses end: requests that a dead backend took but never answered
 * are taken again. More requests than slots means that the page is not a ring in use (XSA-39).
 */
static int
ring_enter(struct xen_netif_ring *ring, uint32_t size, const char *name, struct xen_reason *why)
{
	/* All rings begin with the same indices. */
	const struct netif_tx_sring *sring = ring->sring.tx;
	uint32_t prod;

	ring->cons = xen_ring_load(&sring->rsp_prod);
	prod = xen_ring_load(&sring->req_prod);
	if (prod - ring->cons <= size)
		return 0;
	return xen_reason_set(why, EINVAL, "%s: req_prod %u is more than %u ahead of rsp_prod %u",
			name, prod, size, ring->cons);
}

/* Bind the event channel through the handle by which the ring notifies. */
static int
ring_bind(struct xen_netif_ring *ring, evtchn_port_t remote, struct xen_reason *why)
{
	xenevtchn_port_or_error_t port;
	int err;

	errno = 0;
	port = xenevtchn_bind_interdomain(ring->evtchn, ring->domid, remote);
	if (port >= 0) {
		ring->port = port;
		ring->bound = true;
		return 0;
	}
	err = errno != 0 ? errno : EINVAL;
	xen_reason_set(why, err, "event channel %u cannot be bound: %s", remote, strerror(err));
	if (xen_is_shortage(err))
		return -EAGAIN;
	/* Xen says the same of a channel that is bound already and of one that is none. */
	return err == EINVAL ? -EBUSY : -EINVAL;
}

static int
queue_enter(struct xen_netif_ring *rx, struct xen_netif_ring *tx, struct xen_reason *why)
{
	int ret = ring_enter(rx, XEN_NETIF_RING_SIZE, XEN_NETIF_KEY_TX_RING, why);

	return ret < 0 ? ret : ring_enter(tx, XEN_NETIF_RING_SIZE, XEN_NETIF_KEY_RX_RING, why);
}

static int
queue_map(struct xenvif *vif, const struct xenvif_peer_config *cfg, unsigned int i,
		struct xen_reason *why)
{
	struct xen_netif_ring *rx = &vif->nif.rings.rx[i], *tx = &vif->nif.rings.tx[i];
	int ret;

	/* Buffers that the guest posts are a reason to wake up, too. */
	rx->evtchn = xen_netif_intr_evtchn(&vif->nif, vif->nif.intr.nb_queues, i);
	tx->evtchn = rx->evtchn;
	ret = ring_map(&vif->nif, rx, vif->nif.args.domid, cfg->queue[i].tx_ring_ref,
			XEN_NETIF_KEY_TX_RING, why);
	if (ret == 0)
		ret = ring_map(&vif->nif, tx, vif->nif.args.domid, cfg->queue[i].rx_ring_ref,
				XEN_NETIF_KEY_RX_RING, why);
	/* Whether another backend gets on with them is seen by that, too. */
	if (ret == 0)
		ret = queue_enter(rx, tx, why);
	if (ret == 0)
		ret = ring_bind(rx, cfg->queue[i].evtchn_tx, why);
	tx->port = rx->port;
	if (ret == 0 && cfg->features.split_evtchn)
		ret = ring_bind(tx, cfg->queue[i].evtchn_rx, why);
	/* Another backend that lives has its event channels, and may have answered until now. */
	return ret < 0 ? ret : queue_enter(rx, tx, why);
}

bool
xenvif_set_headroom(struct xen_netif_rings *rings, uint16_t headroom)
{
	uint16_t simple_max = headroom != 0 ? 0 : RTE_MIN(rings->frame_max, XEN_PAGE_BYTES);

	__atomic_store_n(&rings->simple_max, simple_max, __ATOMIC_RELAXED);
	return __atomic_exchange_n(&rings->headroom, headroom, __ATOMIC_RELAXED) != headroom;
}

/*
 * The MTU is a guest's promise to nobody, but what the administrator wants it to be sent: a bridge
 * holds it against longer frames, a VLAN tag not counted.
 */
static void
set_limits(struct xen_netif_rings *rings, const struct xenvif_peer_config *cfg)
{
	uint32_t max = cfg->features.sg ? XEN_NETIF_PKT_MAX : XEN_PAGE_BYTES;

	if (cfg->mtu != 0)
		max = RTE_MIN(max, cfg->mtu + RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN);
	rings->frame_max = max;
	xenvif_set_headroom(rings, cfg->features.headroom);
}

static int
queue_connect(struct xenvif *vif, const struct xenvif_peer_config *cfg, unsigned int i,
		struct xen_reason *why)
{
	int ret = queue_map(vif, cfg, i, why);
	struct xen_reason of_ring;

	if (ret < 0) {
		of_ring = *why;
		xen_reason_set(why, of_ring.err, "queue %u: %s", i, of_ring.text);
	}
	return ret;
}

/* The control thread listens to its event channel, and serves it by xenvif_ctrlring_serve(). */
static int
ctrl_connect(struct xenvif *vif, const struct xenvif_peer_config *cfg, struct xen_reason *why)
{
	struct xen_netif_ring *ctrl = &vif->nif.ctrl;
	int ret;

	if (!cfg->features.ctrl_ring)
		return 0;
	/* As with the vif's own. */
	if (xen_bus_evtchn_get(&ctrl->evtchn, why) < 0)
		return -EAGAIN;
	ret = ring_map(&vif->nif, ctrl, vif->nif.args.domid, cfg->ctrl.ring_ref,
			XEN_NETIF_KEY_CTRL_RING, why);
	if (ret == 0)
		ret = ring_bind(ctrl, cfg->ctrl.evtchn, why);
	if (ret == 0)
		ret = ring_enter(ctrl, XEN_NETIF_CTRL_RING_SIZE, XEN_NETIF_KEY_CTRL_RING, why);
	if (ret < 0)
		return ret;
	ctrl->attached = true;
	xen_bus_listen(&vif->nif.xbdev, ctrl->port);
	return 0;
}

static void
ctrl_disconnect(struct xenvif *vif)
{
	struct xen_netif_ring *ctrl = &vif->nif.ctrl;

	if (ctrl->evtchn == NULL)
		return;
	xen_bus_listen(&vif->nif.xbdev, 0);
	ctrl->attached = false;
	ring_release(&vif->nif, ctrl);
	ctrl->evtchn = NULL;
	xen_bus_evtchn_put();
}

static void
recover_rings(struct xen_netif *nif, struct xenvif_recovered *recovered)
{
	unsigned int i;

	for (i = 0; i < nif->nb_queues; i++) {
		recovered->requests += xenvif_recover_rx(&nif->rings.rx[i]);
		recovered->buffers += xenvif_recover_tx(&nif->rings.tx[i], nif->rings.gnttab);
	}
}

int
xenvif_connect(struct xenvif *vif, const struct xenvif_peer_config *cfg,
		struct xenvif_recovered *recovered, struct xen_reason *why)
{
	struct xen_netif *nif = &vif->nif;
	unsigned int i;
	int ret;

	/* Whatever the cause, it is no guest's fault. */
	if (xen_evtchn_open(&nif->evtchn, why) < 0)
		return -EAGAIN;
	for (i = 0; i < cfg->features.queues; i++) {
		ret = queue_connect(vif, cfg, i, why);
		if (ret < 0)
			goto release;
	}
	ret = ctrl_connect(vif, cfg, why);
	if (ret < 0)
		goto release;
	nif->rings.peer = cfg->features;
	nif->rings.peer.gso_tcpv4 &= nif->rings.gso;
	nif->rings.peer.gso_tcpv6 &= nif->rings.gso;
	__atomic_store_n(&nif->rings.priv, &vif->rate, __ATOMIC_RELAXED);
	set_limits(&nif->rings, cfg);
	nif->nb_queues = cfg->features.queues;
	for (i = 0; i < nif->nb_queues; i++) {
		STAILQ_INIT(&vif->wait[i].list);
		vif->wait[i].mcast = &vif->mcast;
		nif->rings.tx[i].priv = &vif->wait[i];
		nif->rings.rx[i].priv = &vif->mcast;
	}
	recover_rings(nif, recovered);
	xen_netif_attach(nif);
	/*
	 * The guest may have filled the rings before anybody listened, and a backend that died have
	 * published answers that it told nobody of.
	 */
	for (i = 0; i < nif->nb_queues; i++) {
		xenevtchn_notify(nif->rings.rx[i].evtchn, nif->rings.rx[i].port);
		if (nif->rings.tx[i].bound)
			xenevtchn_notify(nif->rings.tx[i].evtchn, nif->rings.tx[i].port);
	}
	if (nif->ctrl.attached)
		xenevtchn_notify(nif->ctrl.evtchn, nif->ctrl.port);
	xen_count_add(&nif->count.connects, 1);
	return 0;

release:
	ctrl_disconnect(vif);
	for (i = 0; i < cfg->features.queues; i++) {
		ring_release(nif, &nif->rings.tx[i]);
		ring_release(nif, &nif->rings.rx[i]);
	}
	return ret;
}

void
xenvif_detach(struct xen_netif *nif)
{
	struct xen_netif_ring *tx;
	unsigned int i;

	xen_netif_detach(nif);
	/* Nobody has packets wait for a ring that is not attached. */
	for (i = 0; i < nif->nb_queues; i++) {
		tx = &nif->rings.tx[i];
		rte_spinlock_lock(&tx->lock);
		xenvif_wait_flush(&nif->rings, tx);
		rte_spinlock_unlock(&tx->lock);
	}
}

void
xenvif_disconnect(struct xenvif *vif)
{
	struct xen_netif *nif = &vif->nif;
	unsigned int i;

	if (nif->nb_queues == 0)
		return;
	xenvif_detach(nif);
	xen_netif_monitors_wait(nif);
	ctrl_disconnect(vif);
	xenvif_grants_clear(&nif->rings);
	for (i = 0; i < nif->nb_queues; i++) {
		ring_release(nif, &nif->rings.tx[i]);
		ring_release(nif, &nif->rings.rx[i]);
	}
	xen_netif_intr_unbound(nif);
	nif->nb_queues = 0;
	xenvif_mcast_clear(&vif->mcast);
	xen_count_add(&nif->count.disconnects, 1);
}

void
xenvif_stop(struct xen_netif *nif)
{
	xenvif_disconnect(container_of(nif, struct xenvif, nif));
}

void
xenvif_close(struct xen_netif *nif)
{
	xenvif_stop(nif);
	xen_evtchn_close(&nif->evtchn);
}
