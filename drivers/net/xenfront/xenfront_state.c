/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "xenfront.h"

/* How long the backend may take to let go of the rings before they are taken from it. */
#define CLOSING_LIMIT_MS 2000
/* How often a connection is tried for which something has run out here. */
#define SHORTAGE_RETRY_MS 500
/* A directory that is missing for a moment is xenstored coming back, not a vif that has gone. */
#define GONE_LIMIT_MS 1000

/* What an evaluation knows. */
struct view {
	/* States of both ends, XenbusStateUnknown when there is none. */
	unsigned int own;
	unsigned int backend;
	uint64_t now;
	/* The application wants the port connected. */
	bool wanted;
	bool leaving;
	/* Queue pairs that the application asks for, and rx queues that it asks interrupts for. */
	uint16_t queues;
	uint16_t intr_queues;
};

static void
switch_state(struct xenfront *front, enum xenbus_state state)
{
	xen_store_switch_state(front->nif.xbdev.path, state);
}

static void
set_phase(struct xenfront *front, enum xenfront_phase phase)
{
	pthread_mutex_lock(&front->nif.lock);
	front->phase = phase;
	pthread_mutex_unlock(&front->nif.lock);
	if (phase == XENFRONT_IDLE)
		xen_bus_linger(&front->nif.xbdev, false);
}

static void
set_blocked(struct xenfront *front, bool blocked)
{
	pthread_mutex_lock(&front->nif.lock);
	front->blocked = blocked;
	pthread_mutex_unlock(&front->nif.lock);
	front->backend_left = false;
}

/* Have the control thread come by again, when nothing in xenstore will cause it to. */
static void
again(struct xenfront *front)
{
	xen_bus_kick(&front->nif.xbdev);
}

/* The vif cannot be served: it stays closed until its backend or the port starts anew. */
static void
fail(struct xenfront *front, const struct xen_reason *why)
{
	xen_netif_fail(&front->nif, why);
	set_blocked(front, true);
}

/* Adopt the MAC address of xenstore, when it is a new one and the user has given none. */
static void
adopt_mac(struct xenfront *front)
{
	struct rte_ether_addr mac;

	if (!rte_is_zero_ether_addr(&front->nif.args.mac) || !xenfront_read_mac(front, &mac) ||
			rte_is_same_ether_addr(&mac, &front->store_mac))
		return;
	rte_ether_addr_copy(&mac, &front->store_mac);
	xen_netif_set_mac(&front->nif, &mac);
}

/* For the mempools that are to be granted to it. */
static void
note_backend_id(struct xenfront *front)
{
	int domid;

	if (front->nif.args.granted == 0)
		return;
	domid = xenfront_read_backend_id(front);
	__atomic_store_n(&front->allowance.domid_and_1, RTE_MAX(domid + 1, 0), __ATOMIC_RELAXED);
}

/* Read both ends' states. Below 0 when xenstore does not answer: nothing is known then. */
static int
look(struct xenfront *front, struct view *v)
{
	struct xen_netif *nif = &front->nif;
	const struct rte_eth_dev_data *data = rte_eth_devices[nif->port_id].data;
	char peer[XEN_STORE_VALUE_MAX];
	struct xen_reason why;
	int ret;

	ret = xen_store_read_state(nif->xbdev.path);
	if (ret < 0)
		return ret;
	v->own = ret;
	v->backend = XenbusStateUnknown;
	ret = xenfront_read_backend(front, peer, &why);
	if (ret == -ENOTCONN)
		return ret;
	if (ret < 0)
		xen_netif_fail(&front->nif, &why);
	if (peer[0] != '\0') {
		ret = xen_bus_set_peer(&nif->xbdev, peer);
		if (ret == 0)
			ret = xen_store_read_state(peer);
		if (ret < 0)
			return ret;
		v->backend = ret;
		adopt_mac(front);
	}
	note_backend_id(front);
	xen_netif_note_states(nif, v->own, v->backend);
	v->now = xen_bus_now_ms();
	pthread_mutex_lock(&nif->lock);
	v->leaving = xen_bus_leaving(&nif->xbdev);
	v->wanted = nif->started && !v->leaving;
	v->queues = RTE_MIN(nif->args.queues,
			(uint32_t)RTE_MAX(data->nb_rx_queues, data->nb_tx_queues));
	v->intr_queues = nif->intr.nb_queues;
	pthread_mutex_unlock(&nif->lock);
	return 0;
}

/* Take the vif from the application. */
static void
take_away(struct xenfront *front, const char *why)
{
	xenfront_rss_end(front, xen_netif_ring_broken_why(&front->nif.ctrl) != NULL ? -EPROTO : 0);
	pthread_mutex_lock(&front->nif.lock);
	xen_netif_detach(&front->nif);
	front->phase = XENFRONT_CLOSING;
	pthread_mutex_unlock(&front->nif.lock);
	if (front->connected) {
		xen_count_add(&front->nif.count.disconnects, 1);
		xen_netif_log(&front->nif, XEN_NETIF_DISCONNECTED, "disconnected: %s", why);
	}
	front->connected = false;
	front->gone_ms = 0;
}

/* Take it; step_closing() follows. */
static void
begin_close(struct xenfront *front, const struct view *v, const char *why)
{
	take_away(front, why);
	front->closing_ms = v->now + CLOSING_LIMIT_MS;
}

/*
 * Ask the backend to let go of the rings. When it has, or had its time, end the grants before
 * saying Closed.
 */
static void
step_closing(struct xenfront *front, const struct view *v)
{
	if (v->own != XenbusStateClosing && v->own != XenbusStateClosed)
		switch_state(front, XenbusStateClosing);
	if (v->backend == XenbusStateConnected && v->now < front->closing_ms) {
		xen_bus_set_timer(&front->nif.xbdev, front->closing_ms - v->now);
		return;
	}
	front->closing_ms = 0;
	xenfront_rings_destroy(front);
	if (v->own != XenbusStateClosed)
		switch_state(front, XenbusStateClosed);
	set_phase(front, XENFRONT_IDLE);
	again(front);
}

/* How the backend has broken the protocol, if it has. */
static bool
find_broken(struct xenfront *front, struct xen_reason *why)
{
	const char *broken;
	unsigned int i;

	for (i = 0; i < 2u * front->nif.nb_queues; i++) {
		broken = xen_netif_ring_broken_why(i % 2 == 0 ? &front->nif.rings.tx[i / 2] :
								&front->nif.rings.rx[i / 2]);
		if (broken == NULL)
			continue;
		xen_reason_set(why, EPROTO, "queue %u: backend's end of the %s ring: %s", i / 2,
				i % 2 == 0 ? "TX" : "RX", broken);
		return true;
	}
	broken = xen_netif_ring_broken_why(&front->nif.ctrl);
	if (broken != NULL)
		xen_reason_set(why, EPROTO, "backend's end of the control ring: %s", broken);
	return broken != NULL;
}

static bool
handle_broken(struct xenfront *front, const struct view *v)
{
	struct xen_reason why;

	if (!find_broken(front, &why))
		return false;
	fail(front, &why);
	begin_close(front, v, "it cannot be served");
	return true;
}

/* Is something missing that a xenstored which was restarted may yet bring back? */
static bool
wait_for_store(struct xenfront *front, const struct view *v)
{
	if (v->own != XenbusStateUnknown && v->backend != XenbusStateUnknown) {
		front->gone_ms = 0;
		return false;
	}
	if (front->gone_ms == 0)
		front->gone_ms = v->now + GONE_LIMIT_MS;
	if (v->now >= front->gone_ms)
		return false;
	xen_bus_set_timer(&front->nif.xbdev, front->gone_ms - v->now);
	return true;
}

static void
connected(struct xenfront *front)
{
	if (front->connected)
		return;
	front->connected = true;
	front->trying = false;
	xenfront_rss_begin(front);
	xenfront_register_begin(front);
	xen_count_add(&front->nif.count.connects, 1);
	xen_netif_log(&front->nif, XEN_NETIF_CONNECTED, "connected, %u queues",
			front->nif.nb_queues);
	/* For a backend that looks at its rings only when it is told to. */
	xenfront_kick(front);
}

static void
step_published(struct xenfront *front, const struct view *v)
{
	bool misfit = v->wanted &&
			(RTE_MIN(v->queues, front->peer.features.queues) != front->nif.nb_queues ||
					v->intr_queues != front->intr_queues);

	if (handle_broken(front, v))
		return;
	if (v->leaving || misfit) {
		begin_close(front, v,
				v->leaving ? "the port is closed" : "other queues are wanted");
		return;
	}
	if (v->wanted && xenfront_rings_misfit(front)) {
		begin_close(front, v, "other mempools are wanted");
		return;
	}
	if (xenfront_filter_misfit(front)) {
		begin_close(front, v, "all multicast is wanted");
		return;
	}
	if (wait_for_store(front, v))
		return;
	if (v->own != XenbusStateConnected)
		begin_close(front, v, "somebody else has reset the vif");
	else if (v->backend == XenbusStateClosing || v->backend == XenbusStateClosed ||
			v->backend == XenbusStateInitialising || v->backend == XenbusStateUnknown)
		begin_close(front, v, "the backend has closed its end");
	else if (v->backend == XenbusStateConnected)
		connected(front);
}

/* The application's MTU may be larger than what the administrator has set for this vif. */
static void
check_mtu(struct xenfront *front)
{
	uint16_t own = rte_eth_devices[front->nif.port_id].data->mtu;
	uint32_t mtu;

	if (xenfront_read_mtu(front, &mtu) && own > mtu)
		xen_netif_log(&front->nif, XEN_NETIF_NOTED,
				"the port's MTU is %u, the vif's is %u: the backend may drop "
				"longer packets",
				own, mtu);
}

/* Grant and publish rings for a backend that waits for them. */
static void
try_connect(struct xenfront *front, const struct view *v)
{
	struct xen_reason why;
	bool wanted;
	int ret;

	ret = xenfront_read_peer(front, &front->peer, &why);
	if (ret == -ENOTCONN)
		return;
	if (ret < 0) {
		fail(front, &why);
		switch_state(front, XenbusStateClosing);
		return;
	}
	/* From here on the port's close has something to wait for. */
	pthread_mutex_lock(&front->nif.lock);
	wanted = front->nif.started && xen_bus_linger(&front->nif.xbdev, true);
	if (wanted)
		front->phase = XENFRONT_PUBLISHED;
	pthread_mutex_unlock(&front->nif.lock);
	if (!wanted)
		return;
	xenfront_filter_prepare(front);
	ret = xenfront_rings_create(front, RTE_MIN(v->queues, front->peer.features.queues), &why);
	if (ret < 0)
		goto try_again;
	ret = xenfront_publish(front);
	if (ret == 0) {
		check_mtu(front);
		switch_state(front, XenbusStateConnected);
		return;
	}
	xen_reason_set(&why, -ret, "cannot publish the rings in xenstore: %s", strerror(-ret));
	xenfront_rings_destroy(front);
	/* The directory has changed under our hands: look again. */
	if (ret == -ECANCELED) {
		set_phase(front, XENFRONT_IDLE);
		again(front);
		return;
	}
try_again:
	/* Something of this domain has run out: the backend can do nothing about it. */
	if (!front->trying)
		xen_netif_log(&front->nif, XEN_NETIF_FAILED, "%s; trying on", why.text);
	front->trying = true;
	set_phase(front, XENFRONT_IDLE);
	xen_bus_set_timer(&front->nif.xbdev, SHORTAGE_RETRY_MS);
}

/* An end that is not of this connection: go through Closing and Closed, and begin anew. */
static void
step_leftover(struct xenfront *front, const struct view *v)
{
	if (front->closing_ms == 0)
		front->closing_ms = v->now + CLOSING_LIMIT_MS;
	if (v->own != XenbusStateClosing)
		switch_state(front, XenbusStateClosing);
	if (v->backend == XenbusStateConnected && v->now < front->closing_ms) {
		xen_bus_set_timer(&front->nif.xbdev, front->closing_ms - v->now);
		return;
	}
	front->closing_ms = 0;
	switch_state(front, XenbusStateClosed);
}

/* Closed: the backend has to follow before a new connection can begin. */
static void
step_closed(struct xenfront *front, const struct view *v)
{
	if (v->backend == XenbusStateInitWait || v->backend == XenbusStateInitialising ||
			(v->backend == XenbusStateClosed && xenfront_backend_online(front)))
		switch_state(front, XenbusStateInitialising);
}

/* After a failure: only a backend that has been away and is back is worth another attempt. */
static bool
still_blocked(struct xenfront *front, const struct view *v)
{
	if (!front->blocked)
		return false;
	if (v->backend == XenbusStateInitWait && front->backend_left)
		set_blocked(front, false);
	return front->blocked;
}

static void
step_idle(struct xenfront *front, const struct view *v)
{
	bool blocked = still_blocked(front, v);

	if (!v->wanted && !blocked)
		return;
	switch (v->own) {
	case XenbusStateUnknown:
		xen_netif_log_end(&front->nif);
		break;
	case XenbusStateInitialising:
		if (!blocked && v->backend == XenbusStateInitWait)
			try_connect(front, v);
		break;
	case XenbusStateClosed:
		if (!blocked)
			step_closed(front, v);
		break;
	default:
		step_leftover(front, v);
		break;
	}
}

/* Without an answer from xenstore all stays as it is: its daemon is being restarted. */
static void
evaluate(struct xenfront *front)
{
	struct view v;

	if (look(front, &v) < 0)
		return;
	/* In whatever phase: a quick backend may be back before the next look. */
	if (v.backend != XenbusStateInitWait)
		front->backend_left = true;
	switch (front->phase) {
	case XENFRONT_IDLE:
		step_idle(front, &v);
		break;
	case XENFRONT_PUBLISHED:
		step_published(front, &v);
		break;
	case XENFRONT_CLOSING:
		break;
	}
	/* Also right after the step that began it: often there is nothing to wait for. */
	if (front->phase == XENFRONT_CLOSING)
		step_closing(front, &v);
}

/* Connected just now, or there is a link again, or none any more. */
static void
follow_link(struct xenfront *front)
{
	struct xen_netif *nif = &front->nif;
	bool carrier = xenfront_read_carrier(front, !nif->no_carrier);

	pthread_mutex_lock(&nif->lock);
	nif->no_carrier = !carrier;
	if (carrier)
		xen_netif_attach(nif);
	else
		xen_netif_detach(nif);
	pthread_mutex_unlock(&nif->lock);
}

/* One request at a time is under way on the control ring. */
static void
control_step(struct xenfront *front)
{
	if (front->reg.waiting)
		xenfront_register_take(front);
	if (xen_netif_ring_broken_why(&front->nif.ctrl) != NULL)
		return;
	if (!front->reg.waiting)
		xenfront_rss_step(front);
	if (!front->reg.waiting && !front->rss.running)
		xenfront_register_next(front);
}

void
xenfront_evaluate(struct xen_bus_device *xbdev)
{
	struct xenfront *front = container_of(xbdev, struct xenfront, nif.xbdev);

	evaluate(front);
	if (front->connected) {
		follow_link(front);
		control_step(front);
		xenfront_filter_step(front);
	}
	xen_netif_log_held(&front->nif);
	xen_netif_tell_link(&front->nif);
}

void
xenfront_leave(struct xen_netif *nif)
{
	struct xenfront *front = container_of(nif, struct xenfront, nif);

	if (front->phase == XENFRONT_IDLE)
		return;
	take_away(front, "the port is closed");
	switch_state(front, XenbusStateClosing);
	xenfront_rings_destroy(front);
	switch_state(front, XenbusStateClosed);
	set_phase(front, XENFRONT_IDLE);
}
