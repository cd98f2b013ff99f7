/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <stdio.h>

#include "xenfront.h"

/* Queues of an earlier connection whose directories are removed, at most. */
#define STALE_QUEUES_MAX 256

static int
complain(const char *dir, const char *key, uint32_t min, uint32_t max, struct xen_reason *why)
{
	char value[XEN_STORE_VALUE_MAX];
	int ret;

	ret = xen_store_read(dir, key, value);
	if (ret == -ENOENT)
		return xen_reason_set(why, EINVAL, "%s/%s is missing", dir, key);
	return xen_reason_set(why, EINVAL, "%s/%s='%.32s' is not a number from %u to %u", dir, key,
			value, min, max);
}

/* A switch that is off when its key is missing. */
static int
read_switch(const char *dir, const char *key, bool *on, struct xen_reason *why)
{
	uint32_t number = 0;
	int ret;

	ret = xen_store_read_uint(dir, key, 1, &number);
	if (ret < 0 && ret != -ENOENT)
		return complain(dir, key, 0, 1, why);
	*on = number != 0;
	return 0;
}

int
xenfront_read_peer(const struct xenfront *front, struct xenfront_peer_config *cfg,
		struct xen_reason *why)
{
	const struct xen_bus_device *xbdev = &front->nif.xbdev;
	bool rx_copy = false, no_csum = false;
	uint32_t domid, queues = 1;
	int ret;

	if (xen_store_read_uint(xbdev->path, "backend-id", XEN_DOMID_MAX, &domid) < 0)
		return complain(xbdev->path, "backend-id", 0, XEN_DOMID_MAX, why);
	cfg->domid = domid;
	ret = xen_store_read_uint(xbdev->peer, "multi-queue-max-queues", UINT16_MAX, &queues);
	if ((ret < 0 && ret != -ENOENT) || queues == 0)
		return complain(xbdev->peer, "multi-queue-max-queues", 1, UINT16_MAX, why);
	cfg->max_queues = queues;
	ret = read_switch(xbdev->peer, "feature-rx-copy", &rx_copy, why);
	if (ret == 0)
		ret = read_switch(xbdev->peer, "feature-sg", &cfg->features.sg, why);
	if (ret == 0)
		ret = read_switch(xbdev->peer, "feature-split-event-channels", &cfg->split_evtchn,
				why);
	if (ret == 0)
		ret = read_switch(xbdev->peer, "feature-no-csum-offload", &no_csum, why);
	if (ret == 0)
		ret = read_switch(xbdev->peer, "feature-ipv6-csum-offload",
				&cfg->features.csum_ipv6, why);
	if (ret < 0)
		return ret;
	cfg->features.csum_ipv4 = !no_csum;
	/* A backend without flips pages, which no DPDK application could bear. */
	if (!rx_copy)
		return xen_reason_set(why, EINVAL, "%s/feature-rx-copy has to be 1", xbdev->peer);
	return 0;
}

/*
 * Whoever drove the vif before may have left keys that mean something to the backend: another
 * operating system, a boot loader, or this driver with more queues.
 */
static int
remove_stale(const char *dir)
{
	static const char *const stale[] = {
		"ctrl-ring-ref",
		"event-channel",
		"event-channel-ctrl",
		"event-channel-rx",
		"event-channel-tx",
		"feature-gso-tcpv4",
		"feature-gso-tcpv4-prefix",
		"feature-gso-tcpv6",
		"feature-gso-tcpv6-prefix",
		"feature-no-csum-offload",
		"multi-queue-num-queues",
		"request-multicast-control",
		"rx-ring-ref",
		"tx-ring-ref",
		"xdp-headroom",
	};
	uint32_t i, queues = 0;
	char queue[sizeof("queue-4294967295")];
	int ret = 0;

	xen_store_read_uint(dir, "multi-queue-num-queues", STALE_QUEUES_MAX, &queues);
	for (i = 0; i < queues && ret == 0; i++) {
		snprintf(queue, sizeof(queue), "queue-%u", i);
		ret = xen_store_remove(dir, queue);
	}
	for (i = 0; i < RTE_DIM(stale) && ret == 0; i++)
		ret = xen_store_remove(dir, stale[i]);
	return ret;
}

static int
write_features(const char *dir)
{
	static const char *const features[] = {
		"request-rx-copy",
		"feature-rx-notify",
		"feature-sg",
		"feature-ipv6-csum-offload",
	};
	unsigned int i;
	int ret = 0;

	for (i = 0; i < RTE_DIM(features) && ret == 0; i++)
		ret = xen_store_write(dir, features[i], "1");
	return ret;
}

static int
write_queue(const struct xenfront *front, const char *dir, unsigned int i)
{
	const struct xenfront_pair *pair = front->pairs[i];
	int ret;

	ret = xen_store_write(dir, "tx-ring-ref", "%u", pair->tx_ring_ref);
	if (ret == 0)
		ret = xen_store_write(dir, "rx-ring-ref", "%u", pair->rx_ring_ref);
	if (ret == 0 && !front->peer.split_evtchn)
		return xen_store_write(dir, "event-channel", "%u", front->nif.rings.tx[i].port);
	if (ret == 0)
		ret = xen_store_write(dir, "event-channel-tx", "%u", front->nif.rings.tx[i].port);
	if (ret == 0)
		ret = xen_store_write(dir, "event-channel-rx", "%u", front->nif.rings.rx[i].port);
	return ret;
}

/* See netif.h, "Multiple transmit and receive queues": one queue has no directory of its own. */
static int
write_all(void *arg)
{
	const struct xenfront *front = arg;
	const char *dir = front->nif.xbdev.path;
	char queue[XEN_STORE_PATH_MAX + sizeof("/queue-4294967295")];
	unsigned int i;
	int ret;

	if (xen_store_read_state(dir) != XenbusStateInitialising)
		return -ECANCELED;
	ret = remove_stale(dir);
	if (ret == 0)
		ret = write_features(dir);
	if (ret == 0 && front->nb_pairs == 1)
		return write_queue(front, dir, 0);
	if (ret == 0)
		ret = xen_store_write(dir, "multi-queue-num-queues", "%u", front->nb_pairs);
	for (i = 0; i < front->nb_pairs && ret == 0; i++) {
		snprintf(queue, sizeof(queue), "%s/queue-%u", dir, i);
		ret = write_queue(front, queue, i);
	}
	return ret;
}

int
xenfront_publish(struct xenfront *front)
{
	return xen_store_transaction(write_all, front);
}
