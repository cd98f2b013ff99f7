/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "xenvif.h"

/* How long a guest may take to close when the toolstack detaches its vif; libxl waits 10 s. */
#define CLOSING_LIMIT_MS 3000
/* How often a ring is tried whose event channel a dying backend still holds. */
#define BUSY_RETRY_MS 100

static void
switch_state(struct xenvif *vif, enum xenbus_state state)
{
	xen_store_switch_state(vif->nif.xbdev.path, state);
}

static void
disconnect(struct xenvif *vif)
{
	if (vif->connected)
		XENVIF_LOG(INFO, vif, "disconnected");
	pthread_mutex_lock(&vif->nif.lock);
	xenvif_disconnect(vif);
	pthread_mutex_unlock(&vif->nif.lock);
}

/* Closing is passed through, as frontends expect it. */
static void
close_vif(struct xenvif *vif, unsigned int own)
{
	disconnect(vif);
	if (own != XenbusStateClosing)
		switch_state(vif, XenbusStateClosing);
	switch_state(vif, XenbusStateClosed);
}

/* The vif cannot be served, or no longer: it stays closed until its frontend starts anew. */
static void
fail_vif(struct xenvif *vif, const struct xen_reason *why)
{
	disconnect(vif);
	xen_store_report(vif->nif.xbdev.path, why);
	close_vif(vif, XenbusStateUnknown);
}

static int
write_features(void *arg)
{
	const struct xenvif *vif = arg;
	const char *dir = vif->nif.xbdev.path;
	static const struct {
		const char *key;
		unsigned int value;
	} features[] = {
		{ "feature-rx-copy", 1 },
		{ "feature-rx-flip", 0 },
		{ "feature-sg", 1 },
		{ "feature-ipv6-csum-offload", 1 },
		{ "feature-split-event-channels", 1 },
	};
	unsigned int i;
	int ret;

	for (i = 0; i < RTE_DIM(features); i++) {
		ret = xen_store_write(dir, features[i].key, "%u", features[i].value);
		if (ret < 0)
			return ret;
	}
	return xen_store_write(dir, "multi-queue-max-queues", "%u", vif->nif.args.queues);
}

/* Offer the vif to its frontend. */
static void
offer(struct xenvif *vif)
{
	int ret = xen_store_transaction(write_features, vif);

	if (ret < 0) {
		XENVIF_LOG(ERR, vif, "cannot write the features to xenstore: %s", strerror(-ret));
		return;
	}
	switch_state(vif, XenbusStateInitWait);
}

/* The hotplug script is through with the vif, or there is none. */
static bool
hotplug_done(struct xenvif *vif)
{
	char status[XEN_STORE_VALUE_MAX];
	int ret = xen_store_read(vif->nif.xbdev.path, "hotplug-status", status);

	return ret == -ENOENT || strcmp(status, "connected") == 0;
}

/*
 * Connect to what the frontend has published. own is Connected already when the backend before us
 * died: its frontend has noticed nothing, and need not.
 */
static void
try_connect(struct xenvif *vif, unsigned int own)
{
	struct xenvif_peer_config cfg = { .domid = vif->nif.args.domid };
	struct xen_reason why;
	int ret;

	if (!vif->nif.started || vif->connected || !hotplug_done(vif))
		return;
	ret = xenvif_read_peer(vif->nif.xbdev.peer, vif->nif.args.queues, &cfg, &why);
	if (ret == 0) {
		pthread_mutex_lock(&vif->nif.lock);
		ret = vif->nif.started ? xenvif_connect(vif, &cfg, &why) : -EAGAIN;
		pthread_mutex_unlock(&vif->nif.lock);
	}
	if (ret == -EAGAIN || ret == -ENOTCONN)
		return;
	if (ret == -EBUSY && own == XenbusStateConnected) {
		if (!vif->busy_logged)
			XENVIF_LOG(WARNING, vif,
					"%s; does another backend serve this vif? trying on",
					why.text);
		vif->busy_logged = true;
		xen_bus_set_timer(&vif->nif.xbdev, BUSY_RETRY_MS);
		return;
	}
	if (ret < 0) {
		fail_vif(vif, &why);
		return;
	}
	vif->busy_logged = false;
	XENVIF_LOG(INFO, vif, "connected, %u queues%s", cfg.queues,
			own == XenbusStateConnected ? ", to a running frontend" : "");
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
	char path[XEN_STORE_VALUE_MAX], home[32];
	struct xen_reason why;
	uint32_t domid;
	int ret;

	if (own != XenbusStateInitialising && xbdev->peer[0] != '\0')
		return true;
	ret = xen_store_read(xbdev->path, "frontend", path);
	if (ret > 0)
		ret = xen_store_read_uint(xbdev->path, "frontend-id", UINT16_MAX, &domid);
	snprintf(home, sizeof(home), "/local/domain/%u/", vif->nif.args.domid);
	if (ret == 0 && domid == vif->nif.args.domid && strncmp(path, home, strlen(home)) == 0) {
		vif->misfit_logged = false;
		return xen_bus_set_peer(xbdev, path) == 0;
	}
	if (ret == -ENOTCONN)
		return false;
	disconnect(vif);
	xen_bus_set_peer(xbdev, "");
	xen_reason_set(&why, EINVAL, "frontend='%.64s' and frontend-id have to name domain %u",
			path, vif->nif.args.domid);
	if (!vif->misfit_logged)
		xen_store_report(xbdev->path, &why);
	vif->misfit_logged = true;
	return false;
}

/* Closing: by the toolstack (libxl writes online=0 and state 5 here) or by the frontend. */
static void
step_closing(struct xenvif *vif, unsigned int front)
{
	uint64_t now = xen_bus_now_ms();

	disconnect(vif);
	if (vif->closing_ms == 0)
		vif->closing_ms = now + CLOSING_LIMIT_MS;
	if (front == XenbusStateClosed || front == XenbusStateUnknown ||
			front == XenbusStateInitialising || now >= vif->closing_ms) {
		switch_state(vif, XenbusStateClosed);
		return;
	}
	xen_bus_set_timer(&vif->nif.xbdev, vif->closing_ms - now);
}

static void
step_connected(struct xenvif *vif, unsigned int front, unsigned int own)
{
	switch (front) {
	case XenbusStateInitialised:
	case XenbusStateConnected:
		try_connect(vif, own);
		break;
	case XenbusStateClosing:
		disconnect(vif);
		switch_state(vif, XenbusStateClosing);
		break;
	case XenbusStateInitialising:
		/* Waiting for us, or started over without a word: a guest's reboot or kexec. */
		if (own != XenbusStateConnected)
			break;
		/* fall through */
	case XenbusStateClosed:
	case XenbusStateUnknown:
		close_vif(vif, own);
		break;
	default:
		break;
	}
}

static void
step_closed(struct xenvif *vif, unsigned int front)
{
	uint32_t online = 0;

	disconnect(vif);
	xen_store_read_uint(vif->nif.xbdev.path, "online", 1, &online);
	if (front == XenbusStateInitialising && online == 1)
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
		disconnect(vif);
		offer(vif);
		break;
	case XenbusStateInitWait:
	case XenbusStateConnected:
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

/* The data path has found the guest breaking the protocol. */
static bool
handle_broken(struct xenvif *vif)
{
	struct xen_reason why;
	const char *broken;
	unsigned int i;

	for (i = 0; i < 2u * vif->nif.rings.active_queues; i++) {
		broken = xen_netif_ring_broken_why(i % 2 == 0 ? &vif->nif.rings.rx[i / 2] :
								&vif->nif.rings.tx[i / 2]);
		if (broken == NULL)
			continue;
		xen_reason_set(&why, EPROTO, "queue %u: guest's %s ring: %s", i / 2,
				i % 2 == 0 ? "TX" : "RX", broken);
		fail_vif(vif, &why);
		return true;
	}
	return false;
}

/* The guest sees the administrator's wish in the key "carrier" (netif.h). */
static void
update_carrier(struct xenvif *vif)
{
	bool down = vif->nif.admin_down;

	if (down == vif->carrier_down)
		return;
	if (xen_store_write(vif->nif.xbdev.path, "carrier", "%d", down ? 0 : 1) == 0)
		vif->carrier_down = down;
}

static void
forget(struct xenvif *vif)
{
	disconnect(vif);
	xen_bus_set_peer(&vif->nif.xbdev, "");
	vif->misfit_logged = false;
	vif->carrier_down = false;
	vif->closing_ms = 0;
}

/* Without an answer from xenstore all stays as it is: its daemon is being restarted. */
static void
evaluate(struct xenvif *vif)
{
	int own = xen_store_read_state(vif->nif.xbdev.path), front;

	if (own == XenbusStateUnknown)
		forget(vif);
	if (own <= XenbusStateUnknown || !find_peer(vif, own) || handle_broken(vif))
		return;
	update_carrier(vif);
	front = xen_store_read_state(vif->nif.xbdev.peer);
	if (front >= 0)
		step(vif, front, own);
}

void
xenvif_evaluate(struct xen_bus_device *xbdev)
{
	struct xenvif *vif = container_of(xbdev, struct xenvif, nif.xbdev);

	evaluate(vif);
	xen_netif_set_link(&vif->nif, vif->connected && !vif->nif.admin_down);
}
