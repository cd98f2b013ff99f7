/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <stdio.h>

#include "xenvif.h"

static int
complain(struct xen_reason *why, const char *dir, const char *key, uint32_t min, uint32_t max)
{
	char value[XEN_STORE_VALUE_MAX];
	int ret;

	ret = xen_store_read(dir, key, value);
	if (ret == -ENOTCONN)
		return ret;
	if (ret == -ENOENT)
		return xen_reason_set(why, EINVAL, "%s/%s is missing", dir, key);
	if (ret == -ERANGE)
		return xen_reason_set(why, EINVAL, "%s/%s is too long to be a number from %u to %u",
				dir, key, min, max);
	return xen_reason_set(why, EINVAL, "%s/%s='%.32s' is not a number from %u to %u", dir, key,
			value, min, max);
}

static int
read_required(const char *dir, const char *key, uint32_t min, uint32_t max, uint32_t *number,
		struct xen_reason *why)
{
	if (xen_store_read_uint(dir, key, max, number) < 0 || *number < min)
		return complain(why, dir, key, min, max);
	return 0;
}

/* A switch that is off when its key is missing. */
static int
read_switch(const char *dir, const char *key, bool *on, struct xen_reason *why)
{
	uint32_t number = 0;
	int ret;

	ret = xen_store_read_uint(dir, key, 1, &number);
	if (ret < 0 && ret != -ENOENT)
		return complain(why, dir, key, 0, 1);
	*on = number != 0;
	return 0;
}

static int
read_features(const char *dir, struct xenvif_peer_config *cfg, struct xen_reason *why)
{
	bool rx_copy = false, no_csum = false;
	int ret;

	ret = read_switch(dir, "request-rx-copy", &rx_copy, why);
	if (ret == 0)
		ret = read_switch(dir, "feature-sg", &cfg->features.sg, why);
	if (ret == 0)
		ret = read_switch(dir, "feature-no-csum-offload", &no_csum, why);
	if (ret == 0)
		ret = read_switch(dir, "feature-ipv6-csum-offload", &cfg->features.csum_ipv6, why);
	if (ret < 0)
		return ret;
	cfg->features.csum_ipv4 = !no_csum;
	/* A guest without wants its pages flipped, which user space cannot do. */
	if (!rx_copy)
		return xen_reason_set(why, EINVAL, "%s/request-rx-copy has to be 1", dir);
	return 0;
}

static int
read_queue(const char *dir, unsigned int i, struct xenvif_peer_config *cfg, struct xen_reason *why)
{
	char value[XEN_STORE_VALUE_MAX];
	bool split;
	int ret;

	ret = read_required(dir, "tx-ring-ref", 0, UINT32_MAX, &cfg->queue[i].tx_ring_ref, why);
	if (ret == 0)
		ret = read_required(dir, "rx-ring-ref", 0, UINT32_MAX, &cfg->queue[i].rx_ring_ref,
				why);
	if (ret < 0)
		return ret;
	split = xen_store_read(dir, "event-channel-tx", value) != -ENOENT;
	if (i == 0)
		cfg->split_evtchn = split;
	if (split != cfg->split_evtchn)
		return xen_reason_set(why, EINVAL,
				"%s: event channels are split for some queues only", dir);
	if (!split) {
		ret = read_required(dir, "event-channel", 1, XEN_EVTCHN_PORT_MAX,
				&cfg->queue[i].evtchn_tx, why);
		cfg->queue[i].evtchn_rx = cfg->queue[i].evtchn_tx;
		return ret;
	}
	ret = read_required(dir, "event-channel-tx", 1, XEN_EVTCHN_PORT_MAX,
			&cfg->queue[i].evtchn_tx, why);
	if (ret == 0)
		ret = read_required(dir, "event-channel-rx", 1, XEN_EVTCHN_PORT_MAX,
				&cfg->queue[i].evtchn_rx, why);
	return ret;
}

int
xenvif_read_peer(const char *dir, uint16_t max_queues, struct xenvif_peer_config *cfg,
		struct xen_reason *why)
{
	char queue[XEN_STORE_PATH_MAX];
	uint32_t queues = 1;
	unsigned int i;
	int ret;

	ret = xen_store_read_uint(dir, "multi-queue-num-queues", max_queues, &queues);
	if ((ret < 0 && ret != -ENOENT) || queues == 0)
		return complain(why, dir, "multi-queue-num-queues", 1, max_queues);
	cfg->queues = queues;
	ret = read_features(dir, cfg, why);
	if (ret < 0)
		return ret;
	/* One queue: its keys stand in the directory itself (netif.h, "multi-queue"). */
	if (queues == 1)
		return read_queue(dir, 0, cfg, why);
	for (i = 0; i < queues; i++) {
		if (snprintf(queue, sizeof(queue), "%s/queue-%u", dir, i) >= (int)sizeof(queue))
			return -EINVAL;
		ret = read_queue(queue, i, cfg, why);
		if (ret < 0)
			return ret;
	}
	return 0;
}
