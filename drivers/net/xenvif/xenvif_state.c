/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "xenvif_ctrlring.h"
#include "xenvif_hash.h"

/* How long a guest may take to close when the toolstack detaches its vif; libxl waits 10 s. */
#define CLOSING_LIMIT_MS 3000
/* How often an event channel is tried that a dying backend may still hold, and for how long. */
#define BUSY_RETRY_MS 100
#define BUSY_LIMIT_MS 10000
/* How long a guest that says that it reconfigures may need to write what it wants. */
#define RECONFIGURE_LIMIT_MS 200
/* How often a connection is tried for which something has run out here. */
#define SHORTAGE_RETRY_MS 500

static void
switch_state(struct xenvif *vif, enum xenbus_state state)
{
	int ret = xen_store_switch_state(vif->nif.xbdev.path, state);

	/* No event will say when it can be written. */
	if (ret < 0 && ret != -ENOENT)
		xen_bus_set_timer(&vif->nif.xbdev, SHORTAGE_RETRY_MS);
}

/* What the application's calls may change at any moment. */
struct view {
	/* The port is started; its rings are mapped and bound; the link is set down. */
	bool started;
	bool connected;
	bool admin_down;
};

static struct view
look(struct xenvif *vif)
{
	struct view v;

	pthread_mutex_lock(&vif->nif.lock);
	v.started = vif->nif.started;
	v.connected = vif->nif.nb_queues != 0;
	v.admin_down = vif->nif.admin_down;
	pthread_mutex_unlock(&vif->nif.lock);
	return v;
}

/* Was a connection made with this own state, if perhaps by a backend before us? */
static bool
is_running(unsigned int own)
{
	return own == XenbusStateConnected || own == XenbusStateReconfigured;
}

/* What the guest did before is over, also a breach. */
static void
disconnect(struct xenvif *vif, const char *why)
{
	unsigned int i;

	if (look(vif).connected)
		xen_netif_log(&vif->nif, XEN_NETIF_DISCONNECTED, "disconnected: %s (%s)", why,
				vif->nif.domain);
	pthread_mutex_lock(&vif->nif.lock);
	xenvif_disconnect(vif);
	for (i = 0; i < XEN_NETIF_QUEUES_MAX; i++) {
		vif->nif.rings.rx[i].broken = NULL;
		vif->nif.rings.tx[i].broken = NULL;
	}
	vif->nif.ctrl.broken = NULL;
	pthread_mutex_unlock(&vif->nif.lock);
}

/* Closing is passed through, as frontends expect it. */
static void
close_vif(struct xenvif *vif, unsigned int own, const char *why)
{
	disconnect(vif, why);
	if (own != XenbusStateClosing)
		switch_state(vif, XenbusStateClosing);
	switch_state(vif, XenbusStateClosed);
}

/* The vif cannot be served, or no longer: it stays closed until its frontend starts anew. */
static void
fail_vif(struct xenvif *vif, const struct xen_reason *why)
{
	vif->trying = false;
	vif->busy_ms = 0;
	xen_netif_fail(&vif->nif, why);
	close_vif(vif, XenbusStateUnknown, "it cannot be served");
}

/* Not yet, for a reason that will pass: said once, until it has. */
static void
try_again(struct xenvif *vif, const struct xen_reason *why, uint32_t ms)
{
	if (!vif->trying)
		xen_netif_log(&vif->nif, XEN_NETIF_FAILED, "%s; trying on", why->text);
	vif->trying = true;
	xen_bus_set_timer(&vif->nif.xbdev, ms);
}

/* Offer the vif to its frontend, for which nothing is set yet. */
static void
offer(struct xenvif *vif)
{
	int ret = xenvif_write_offer(vif);
	struct xen_reason why;

	xenvif_hash_reset(&vif->nif.rings.hash);

	if (ret == -ENOENT || ret == -ENOTCONN)
		return;
	if (ret < 0) {
		xen_reason_set(&why, -ret, "cannot write the features to xenstore: %s",
				strerror(-ret));
		try_again(vif, &why, SHORTAGE_RETRY_MS);
		return;
	}
	vif->trying = false;
	vif->offered = true;
	switch_state(vif, XenbusStateInitWait);
}

/* May a backend before us have been attached? It may have died before it said so. */
static bool
is_inherited(const struct xenvif *vif, unsigned int own)
{
	return is_running(own) || !vif->offered;
}

/* Changes while somebody answers the guest. */
static uint32_t
progress(const struct xen_netif_rings *rings)
{
	uint32_t i, sum = 0;

	for (i = 0; i < XEN_NETIF_QUEUES_MAX; i++)
		sum += rings->rx[i].cons + rings->tx[i].cons;
	return sum;
}

/*
 * The event channel of a guest that was connected cannot be bound. The backend before us may be
 * dying, which takes as long as its kernel needs to free its memory, or it lives: then responses
 * come from it. If neither is true for long enough there is no such event channel.
 */
static void
busy(struct xenvif *vif, const struct xen_reason *why)
{
	uint32_t now_at = progress(&vif->nif.rings);
	uint64_t now = xen_bus_now_ms();
	struct xen_reason at_last;

	if (vif->busy_ms == 0 || vif->busy_at != now_at) {
		vif->busy_at = now_at;
		vif->busy_ms = now + BUSY_LIMIT_MS;
	}
	if (now < vif->busy_ms) {
		try_again(vif, why, BUSY_RETRY_MS);
		return;
	}
	xen_reason_set(&at_last, why->err, "%s, for %u seconds", why->text, BUSY_LIMIT_MS / 1000);
	fail_vif(vif, &at_last);
}

/*
 * The guest may change its mind about multicast while it is connected. What it had asked a backend
 * before us for is not known here, and everything is what it includes.
 */
static void
follow_mcast(struct xenvif *vif)
{
	bool on = xenvif_mcast_is_on(&vif->mcast);

	xenvif_read_mcast(vif, &on);
	xenvif_mcast_set(&vif->mcast, on && !vif->mcast_lost);
}

/*
 * Have packets begin where the guest wants them to from now on. False when that cannot be, or is
 * not known; the vif is closed in the first case.
 */
static bool
follow_headroom(struct xenvif *vif, bool *changed)
{
	struct xen_reason why;
	uint16_t headroom;
	int ret;

	ret = xenvif_read_headroom(vif, &headroom, &why);
	if (ret == -EINVAL)
		fail_vif(vif, &why);
	if (ret < 0)
		return false;
	*changed = xenvif_set_headroom(&vif->nif.rings, headroom);
	return true;
}

/*
 * Connect to what the frontend has published. own says so already when the backend before us died:
 * its frontend has noticed nothing, and need not.
 */
static void
try_connect(struct xenvif *vif, unsigned int own)
{
	struct xenvif_recovered recovered = { 0 };
	struct xenvif_peer_config cfg = { 0 };
	struct view v = look(vif);
	struct xen_reason why;
	bool changed;
	int ret;

	if (v.connected) {
		follow_mcast(vif);
		if (own == XenbusStateReconfigured && !follow_headroom(vif, &changed))
			return;
		/* The write before may have been lost with xenstored. */
		if (own != XenbusStateConnected)
			switch_state(vif, XenbusStateConnected);
		return;
	}
	if (!v.started || !xenvif_hotplug_done(vif)) {
		vif->busy_ms = 0;
		return;
	}
	xen_netif_domain_note(&vif->nif, vif->nif.args.domid);
	ret = xenvif_read_peer(vif, &cfg, &why);
	if (ret == 0) {
		pthread_mutex_lock(&vif->nif.lock);
		ret = vif->nif.started ? xenvif_connect(vif, &cfg, &recovered, &why) : -ENOTCONN;
		pthread_mutex_unlock(&vif->nif.lock);
	}
	if (ret == -ENOTCONN)
		return;
	if (ret == -EAGAIN) {
		try_again(vif, &why, SHORTAGE_RETRY_MS);
		return;
	}
	if (ret == -EBUSY && is_inherited(vif, own)) {
		busy(vif, &why);
		return;
	}
	if (ret < 0) {
		fail_vif(vif, &why);
		return;
	}
	vif->trying = false;
	vif->busy_ms = 0;
	vif->mcast_lost = is_running(own);
	follow_mcast(vif);
	xen_netif_log(&vif->nif, XEN_NETIF_CONNECTED, "connected, %u queues%s (%s)",
			cfg.features.queues, is_running(own) ? ", to a running frontend" : "",
			vif->nif.domain);
	if (recovered.requests + recovered.buffers != 0)
		xen_netif_log(&vif->nif, XEN_NETIF_NOTED,
				"a backend was killed amid a burst: %u requests and %u buffers "
				"of the guest are answered as errors",
				recovered.requests, recovered.buffers);
	if (own != XenbusStateConnected)
		switch_state(vif, XenbusStateConnected);
}

/*
 * The frontend's directory; false while the toolstack's keys do not make sense. In state
 * Initialising the vif is new, and may have been made anew since the last look.
 */
static bool
find_peer(struct xenvif *vif, unsigned int own)
{
	struct xen_bus_device *xbdev = &vif->nif.xbdev;
	char path[XEN_STORE_VALUE_MAX];
	struct xen_reason why;
	int ret;

	if (own != XenbusStateInitialising && xbdev->peer[0] != '\0')
		return true;
	ret = xenvif_read_frontend(vif, path, &why);
	if (ret == 0) {
		vif->misfit_logged = false;
		return xen_bus_set_peer(xbdev, path) == 0;
	}
	if (ret == -ENOTCONN)
		return false;
	disconnect(vif, "the toolstack's keys name no frontend");
	xen_bus_set_peer(xbdev, "");
	if (!vif->misfit_logged)
		xen_netif_fail(&vif->nif, &why);
	vif->misfit_logged = true;
	return false;
}

/* Closing: by the toolstack (libxl writes online=0 and state 5 here) or by the frontend. */
static void
step_closing(struct xenvif *vif, unsigned int front)
{
	uint64_t now = xen_bus_now_ms();

	disconnect(vif, "the toolstack detaches the vif");
	if (vif->closing_ms == 0)
		vif->closing_ms = now + CLOSING_LIMIT_MS;
	if (front == XenbusStateClosed || front == XenbusStateUnknown ||
			front == XenbusStateInitialising || now >= vif->closing_ms) {
		switch_state(vif, XenbusStateClosed);
		return;
	}
	xen_bus_set_timer(&vif->nif.xbdev, vif->closing_ms - now);
}

/*
 * The guest changes its headroom, while its packets flow. Linux says so before it writes the key,
 * and takes our answer for having read it: so an old value may be one that is about to change.
 */
static void
step_reconfiguring(struct xenvif *vif, unsigned int own)
{
	uint64_t now = xen_bus_now_ms();
	bool changed;

	if (!look(vif).connected)
		try_connect(vif, own);
	if (!look(vif).connected || !follow_headroom(vif, &changed) ||
			own == XenbusStateReconfigured)
		return;
	if (vif->reconfigure_ms == 0)
		vif->reconfigure_ms = now + RECONFIGURE_LIMIT_MS;
	if (changed || now >= vif->reconfigure_ms)
		switch_state(vif, XenbusStateReconfigured);
	else
		xen_bus_set_timer(&vif->nif.xbdev, vif->reconfigure_ms - now);
}

static void
step_connected(struct xenvif *vif, unsigned int front, unsigned int own)
{
	if (front != XenbusStateReconfiguring)
		vif->reconfigure_ms = 0;
	switch (front) {
	case XenbusStateReconfiguring:
		if (is_running(own))
			step_reconfiguring(vif, own);
		break;
	case XenbusStateInitialised:
	case XenbusStateConnected:
		try_connect(vif, own);
		break;
	case XenbusStateClosing:
		disconnect(vif, "the guest is closing its end");
		switch_state(vif, XenbusStateClosing);
		break;
	case XenbusStateInitialising:
		vif->busy_ms = 0;
		/* Waiting for us, or started over without a word: a guest's reboot or kexec. */
		if (is_running(own))
			close_vif(vif, own, "the guest has started over");
		break;
	case XenbusStateClosed:
	case XenbusStateUnknown:
		close_vif(vif, own, "the guest has closed its end");
		break;
	default:
		break;
	}
}

static void
step_closed(struct xenvif *vif, unsigned int front)
{
	disconnect(vif, "the vif is closed");
	if (front == XenbusStateInitialising && xenvif_online(vif))
		offer(vif);
}

/*
 * One step towards what both ends' states ask for. Each write of ours fires the watch on our own
 * directory, which brings the next step.
 */
static void
step(struct xenvif *vif, unsigned int front, unsigned int own)
{
	if (own != XenbusStateClosing)
		vif->closing_ms = 0;
	switch (own) {
	case XenbusStateInitialising:
		disconnect(vif, "the vif is made anew");
		offer(vif);
		break;
	case XenbusStateInitWait:
	case XenbusStateConnected:
	case XenbusStateReconfigured:
		step_connected(vif, front, own);
		break;
	case XenbusStateClosing:
		step_closing(vif, front);
		break;
	case XenbusStateClosed:
		step_closed(vif, front);
		break;
	default:
		break;
	}
}

/*
 * The data path has found the guest breaking the protocol. What it has found stays on the ring,
 * whatever the application does meanwhile: it may have stopped the port.
 */
static bool
handle_broken(struct xenvif *vif)
{
	struct xen_reason why;
	const char *broken;
	unsigned int i;

	for (i = 0; i < 2u * XEN_NETIF_QUEUES_MAX; i++) {
		broken = xen_netif_ring_broken_why(i % 2 == 0 ? &vif->nif.rings.rx[i / 2] :
								&vif->nif.rings.tx[i / 2]);
		if (broken == NULL)
			continue;
		xen_reason_set(&why, EPROTO, "queue %u: guest's %s ring: %s", i / 2,
				i % 2 == 0 ? "TX" : "RX", broken);
		fail_vif(vif, &why);
		return true;
	}
	broken = xen_netif_ring_broken_why(&vif->nif.ctrl);
	if (broken == NULL)
		return false;
	xen_reason_set(&why, EPROTO, "guest's control ring: %s", broken);
	fail_vif(vif, &why);
	return true;
}

/* The toolstack may change the rate at any time; each change is said, also one that is refused. */
static void
update_rate(struct xenvif *vif)
{
	struct xenvif_rate_limit limit, old = xenvif_rate_get(&vif->rate);
	struct xen_reason why = { .text = "" };
	int ret = xenvif_read_rate(vif, &limit, &why);

	if (ret == -ENOTCONN)
		return;
	if (ret < 0 && strcmp(why.text, vif->rate_misfit.text) != 0)
		xen_netif_log(&vif->nif, XEN_NETIF_NOTED, "%s", why.text);
	vif->rate_misfit = why;
	if (ret < 0 || (limit.bytes == old.bytes && limit.usec == old.usec))
		return;
	xenvif_rate_set(&vif->rate, &limit);
	if (limit.bytes != 0)
		xen_netif_log(&vif->nif, XEN_NETIF_NOTED,
				"rate='%u,%u': the guest sends at most %u bytes in %u us",
				limit.bytes, limit.usec, limit.bytes, limit.usec);
	else
		xen_netif_log(&vif->nif, XEN_NETIF_NOTED,
				"no rate any more: what the guest sends is not limited");
}

static void
forget(struct xenvif *vif)
{
	const struct xenvif_rate_limit none = { 0 };

	disconnect(vif, "the vif is gone");
	xen_bus_set_peer(&vif->nif.xbdev, "");
	xen_netif_domain_forget(&vif->nif);
	xen_netif_log_end(&vif->nif);
	xenvif_rate_set(&vif->rate, &none);
	vif->rate_misfit.text[0] = '\0';
	vif->misfit_logged = false;
	vif->closing_ms = 0;
	vif->busy_ms = 0;
	vif->trying = false;
	vif->offered = false;
}

/* Without an answer from xenstore all stays as it is: its daemon is being restarted. */
static void
evaluate(struct xenvif *vif)
{
	int own = xen_store_read_state(vif->nif.xbdev.path), front;

	if (own == XenbusStateUnknown) {
		xen_netif_note_states(&vif->nif, own, XenbusStateUnknown);
		forget(vif);
	}
	if (own <= XenbusStateUnknown || !find_peer(vif, own))
		return;
	/* A vif that is new has not broken anything. */
	if (own != XenbusStateInitialising && handle_broken(vif))
		return;
	xenvif_set_carrier(vif, !look(vif).admin_down);
	/* A vif that was made anew between two looks is told what is wrong with its own rate. */
	if (own == XenbusStateInitialising && vif->nif.own_state != XenbusStateInitialising)
		vif->rate_misfit.text[0] = '\0';
	update_rate(vif);
	front = xen_store_read_state(vif->nif.xbdev.peer);
	if (front < 0)
		return;
	/* Nothing will be said for it any more, and as long as its pages are mapped it is kept. */
	if (xen_netif_domain_dead(&vif->nif, vif->nif.args.domid)) {
		disconnect(vif, "its domain is dead");
		front = XenbusStateUnknown;
	}
	xen_netif_note_states(&vif->nif, own, front);
	step(vif, front, own);
}

void
xenvif_evaluate(struct xen_bus_device *xbdev)
{
	struct xenvif *vif = container_of(xbdev, struct xenvif, nif.xbdev);

	evaluate(vif);
	xenvif_ctrlring_serve(vif);
	/* The link may have been set up again. */
	pthread_mutex_lock(&vif->nif.lock);
	xen_netif_attach(&vif->nif);
	pthread_mutex_unlock(&vif->nif.lock);
	xen_netif_log_held(&vif->nif);
	xen_netif_tell_link(&vif->nif);
}
