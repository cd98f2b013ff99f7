/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "xenvif.h"

/* A toolstack that has removed the vif must not find anything of it again. */
static int
check_there(const struct xenvif *vif)
{
	int state = xen_store_read_state(vif->nif.xbdev.path);

	return state == XenbusStateUnknown ? -ENOENT : RTE_MIN(state, 0);
}

static int
write_offer(void *arg)
{
	const struct xenvif *vif = arg;
	const char *dir = vif->nif.xbdev.path;
	const struct xen_netif_features offer = {
		.queues = vif->nif.args.queues,
		.rx_copy = true,
		.sg = true,
		.csum_ipv4 = true,
		.csum_ipv6 = true,
		.split_evtchn = true,
		.gso_tcpv4 = vif->nif.rings.gso,
		.gso_tcpv6 = vif->nif.rings.gso,
		.mcast = true,
		.mcast_dynamic = true,
		.xdp = true,
		.ctrl_ring = true,
	};
	int ret;

	ret = check_there(vif);
	if (ret == 0)
		ret = xen_netif_features_write(XEN_NETIF_BACKEND, dir, &offer);
	return ret == 0 ? xen_store_write(dir, "feature-rx-flip", "0") : ret;
}

int
xenvif_write_offer(struct xenvif *vif)
{
	return xen_store_transaction(write_offer, vif);
}

struct carrier {
	const struct xenvif *vif;
	bool up;
};

static int
write_carrier(void *arg)
{
	const struct carrier *c = arg;
	int ret = check_there(c->vif);

	return ret == 0 ? xen_store_write(c->vif->nif.xbdev.path, "carrier", "%d", c->up) : ret;
}

void
xenvif_set_carrier(const struct xenvif *vif, bool up)
{
	struct carrier c = { .vif = vif, .up = up };
	uint32_t now = UINT32_MAX;

	if (xen_store_read_uint(vif->nif.xbdev.path, "carrier", 1, &now) != -ENOTCONN && now != up)
		xen_store_transaction(write_carrier, &c);
}

int
xenvif_read_frontend(const struct xenvif *vif, char path[XEN_STORE_VALUE_MAX],
		struct xen_reason *why)
{
	const char *dir = vif->nif.xbdev.path;
	char home[sizeof("/local/domain/65535/")];
	struct xen_quote quote;
	uint32_t domid = 0;
	int ret;

	ret = xen_store_read(dir, "frontend", path);
	if (ret > 0)
		ret = xen_store_read_uint(dir, "frontend-id", UINT16_MAX, &domid);
	if (ret == -ENOTCONN)
		return ret;
	snprintf(home, sizeof(home), "/local/domain/%u/", vif->nif.args.domid);
	if (ret == 0 && domid == vif->nif.args.domid && strncmp(path, home, strlen(home)) == 0 &&
			xen_store_path_good(path))
		return 0;
	return xen_reason_set(why, EINVAL,
			"frontend='%s' and frontend-id have to name domain %u and a directory",
			xen_quote(&quote, path), vif->nif.args.domid);
}

bool
xenvif_hotplug_done(const struct xenvif *vif)
{
	char status[XEN_STORE_VALUE_MAX];
	int ret = xen_store_read(vif->nif.xbdev.path, "hotplug-status", status);

	return ret == -ENOENT || strcmp(status, "connected") == 0;
}

/* "BYTES,MICROSECONDS"; neither may be 0: that is no rate. */
static bool
parse_rate(const char *value, struct xenvif_rate_limit *limit)
{
	char bytes[XEN_STORE_VALUE_MAX];
	const char *comma = strchr(value, ',');

	if (comma == NULL)
		return false;
	snprintf(bytes, sizeof(bytes), "%.*s", (int)(comma - value), value);
	return xen_store_parse_uint(bytes, UINT32_MAX, &limit->bytes) == 0 && limit->bytes != 0 &&
			xen_store_parse_uint(comma + 1, UINT32_MAX, &limit->usec) == 0 &&
			limit->usec != 0;
}

int
xenvif_read_rate(const struct xenvif *vif, struct xenvif_rate_limit *limit, struct xen_reason *why)
{
	char value[XEN_STORE_VALUE_MAX];
	struct xen_quote quote;
	int ret;

	memset(limit, 0, sizeof(*limit));
	ret = xen_store_read(vif->nif.xbdev.path, "rate", value);
	if (ret == -ENOTCONN)
		return ret;
	if (ret == -ENOENT || (ret > 0 && parse_rate(value, limit)))
		return 0;
	return xen_reason_set(why, EINVAL,
			"rate='%s'%s has to be BYTES,MICROSECONDS, each a number from 1 to %u; "
			"the limit stays as it is",
			xen_quote(&quote, value), ret == -ERANGE ? " (too long)" : "", UINT32_MAX);
}

void
xenvif_read_mcast(const struct xenvif *vif, bool *wanted)
{
	uint32_t n = 0;

	if (xen_store_read_uint(vif->nif.xbdev.peer, XEN_NETIF_KEY_REQUEST_MCAST, 1, &n) !=
			-ENOTCONN)
		*wanted = n != 0;
}

int
xenvif_read_headroom(const struct xenvif *vif, uint16_t *headroom, struct xen_reason *why)
{
	uint32_t n = 0;
	int ret = xen_netif_key_read_or(vif->nif.xbdev.peer, XEN_NETIF_KEY_HEADROOM, 0, 0,
			XEN_NETIF_HEADROOM_MAX, &n, why);

	if (ret == 0)
		*headroom = n;
	return ret;
}

bool
xenvif_online(const struct xenvif *vif)
{
	uint32_t online = 0;

	xen_store_read_uint(vif->nif.xbdev.path, "online", 1, &online);
	return online != 0;
}

/*
 * The most queues that the guest may have: what stands offered, perhaps by a backend before us, is
 * what it has gone by. Where no number stands this backend's own.
 */
static int
read_offered_queues(const struct xenvif *vif, uint16_t *queues)
{
	uint32_t n = 0;

	if (xen_store_read_uint(vif->nif.xbdev.path, XEN_NETIF_KEY_MAX_QUEUES, UINT32_MAX, &n) ==
			-ENOTCONN)
		return -ENOTCONN;
	*queues = RTE_MIN(n != 0 ? n : vif->nif.args.queues, (uint32_t)XEN_NETIF_QUEUES_MAX);
	return 0;
}

int
xenvif_read_peer(const struct xenvif *vif, struct xenvif_peer_config *cfg, struct xen_reason *why)
{
	const char *dir = vif->nif.xbdev.peer;
	bool split = false;
	uint16_t i, offered;
	int ret;

	ret = read_offered_queues(vif, &offered);
	if (ret == 0)
		ret = xen_netif_features_read(XEN_NETIF_FRONTEND, dir, offered, &cfg->features,
				why);
	if (ret < 0)
		return ret;
	/* The toolstack's, in a directory of the guest's. */
	ret = xen_netif_key_read_or(dir, "mtu", 0, RTE_ETHER_MIN_MTU, UINT16_MAX, &cfg->mtu, why);
	if (ret < 0)
		return ret;
	/* A guest without wants its pages flipped, which user space cannot do. */
	if (!cfg->features.rx_copy)
		return xen_reason_set(why, EINVAL, "%s/request-rx-copy has to be 1", dir);
	for (i = 0; i < cfg->features.queues; i++) {
		ret = xen_netif_queue_read(dir, cfg->features.queues, i, &cfg->queue[i], &split,
				why);
		if (ret < 0)
			return ret;
		if (i == 0)
			cfg->features.split_evtchn = split;
		if (split != cfg->features.split_evtchn)
			return xen_reason_set(why, EINVAL,
					"%s: event channels are split for some queues only", dir);
	}
	return xen_netif_ctrl_read(dir, &cfg->ctrl, &cfg->features.ctrl_ring, why);
}
