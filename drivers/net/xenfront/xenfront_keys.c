/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>

#include "xenfront.h"

int
xenfront_read_backend(const struct xenfront *front, char path[XEN_STORE_VALUE_MAX],
		struct xen_reason *why)
{
	int ret = xen_store_read(front->nif.xbdev.path, "backend", path);
	struct xen_quote quote;

	if (ret == -ENOTCONN)
		return ret;
	if (ret <= 0 || xen_store_path_good(path))
		return 0;
	xen_reason_set(why, EINVAL, "backend='%s' is no directory", xen_quote(&quote, path));
	path[0] = '\0';
	return -EINVAL;
}

int32_t
xenfront_read_backend_id(const struct xenfront *front)
{
	uint32_t domid;

	if (xen_store_read_uint(front->nif.xbdev.path, "backend-id", XEN_DOMID_MAX, &domid) < 0)
		return -1;
	return domid;
}

bool
xenfront_read_mac(const struct xenfront *front, struct rte_ether_addr *mac)
{
	char value[XEN_STORE_VALUE_MAX];

	return xen_store_read(front->nif.xbdev.path, "mac", value) > 0 &&
			rte_ether_unformat_addr(value, mac) == 0 &&
			rte_is_valid_assigned_ether_addr(mac);
}

bool
xenfront_read_mtu(const struct xenfront *front, uint32_t *mtu)
{
	return xen_store_read_uint(front->nif.xbdev.path, "mtu", UINT16_MAX, mtu) == 0;
}

bool
xenfront_backend_online(const struct xenfront *front)
{
	uint32_t online = 1;
	int ret = xen_store_read_uint(front->nif.xbdev.peer, "online", 1, &online);

	return ret != -ENOTCONN && online != 0;
}

bool
xenfront_read_carrier(const struct xenfront *front, bool before)
{
	uint32_t carrier = 1;

	/* It cannot be asked. */
	if (front->nif.xbdev.peer[0] == '\0' || front->gone_ms != 0)
		return before;
	if (xen_store_read_uint(front->nif.xbdev.peer, "carrier", 1, &carrier) == -ENOTCONN)
		return before;
	return carrier != 0;
}

int
xenfront_read_peer(const struct xenfront *front, struct xenfront_peer_config *cfg,
		struct xen_reason *why)
{
	const struct xen_bus_device *xbdev = &front->nif.xbdev;
	uint32_t domid;
	int ret;

	ret = xen_netif_key_read(xbdev->path, "backend-id", 0, XEN_DOMID_MAX, &domid, why);
	if (ret < 0)
		return ret;
	cfg->domid = domid;
	ret = xen_netif_features_read(XEN_NETIF_BACKEND, xbdev->peer, UINT16_MAX, &cfg->features,
			why);
	/* A backend without flips pages, which no DPDK application could bear. */
	if (ret == 0 && !cfg->features.rx_copy)
		return xen_reason_set(why, EINVAL, "%s/feature-rx-copy has to be 1", xbdev->peer);
	return ret;
}

static int
write_all(void *arg)
{
	const struct xenfront *front = arg;
	const char *dir = front->nif.xbdev.path;
	const struct xen_netif_features features = {
		.queues = front->nif.nb_queues,
		.rx_copy = true,
		.sg = true,
		.csum_ipv4 = true,
		.csum_ipv6 = true,
		.mcast = front->filter.requested,
		.rx_notify = true,
		.gso_tcpv4 = front->nif.rings.gso,
		.gso_tcpv6 = front->nif.rings.gso,
	};
	unsigned int i;
	int ret;

	if (xen_store_read_state(dir) != XenbusStateInitialising)
		return -ECANCELED;
	ret = xen_netif_keys_clear(dir);
	if (ret == 0)
		ret = xen_netif_features_write(XEN_NETIF_FRONTEND, dir, &features);
	for (i = 0; i < front->nif.nb_queues && ret == 0; i++)
		ret = xen_netif_queue_write(dir, front->nif.nb_queues, i, &front->pairs[i]->keys,
				front->peer.features.split_evtchn);
	if (ret == 0 && front->peer.features.ctrl_ring)
		ret = xen_netif_ctrl_write(dir, &front->ctrl.keys);
	return ret;
}

struct mcast_wish {
	const struct xenfront *front;
	bool on;
};

static int
write_mcast(void *arg)
{
	const struct mcast_wish *wish = arg;
	const char *dir = wish->front->nif.xbdev.path;

	if (xen_store_read_state(dir) != XenbusStateConnected)
		return -ECANCELED;
	return xen_store_write(dir, XEN_NETIF_KEY_REQUEST_MCAST, "%d", wish->on);
}

int
xenfront_write_mcast(const struct xenfront *front, bool on)
{
	struct mcast_wish wish = { .front = front, .on = on };

	return xen_store_transaction(write_mcast, &wish);
}

int
xenfront_publish(struct xenfront *front)
{
	return xen_store_transaction(write_all, front);
}
