/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <stdio.h>

#include "xenvif.h"

/* Where the answer to "what is wrong?" goes. */
struct complaint {
	char *why;
	size_t size;
};

static int
complain(const struct complaint *c, const char *dir, const char *key, uint32_t min, uint32_t max)
{
	char value[XEN_STORE_VALUE_MAX];
	int ret;

	ret = xen_store_read(dir, key, value);
	if (ret == -ENOTCONN)
		return ret;
	if (ret == -ENOENT)
		snprintf(c->why, c->size, "%s/%s is missing", dir, key);
	else if (ret == -ERANGE)
		snprintf(c->why, c->size, "%s/%s is too long to be a number from %u to %u", dir,
				key, min, max);
	else
		snprintf(c->why, c->size, "%s/%s='%.32s' is not a number from %u to %u", dir, key,
				value, min, max);
	return -EINVAL;
}

static int
read_required(const char *dir, const char *key, uint32_t min, uint32_t max, uint32_t *number,
		const struct complaint *c)
{
	if (xen_store_read_uint(dir, key, max, number) < 0 || *number < min)
		return complain(c, dir, key, min, max);
	return 0;
}

/* A switch that is off when its key is missing. */
static int
read_switch(const char *dir, const char *key, bool *on, const struct complaint *c)
{
	uint32_t number = 0;
	int ret;

	ret = xen_store_read_uint(dir, key, 1, &number);
	if (ret < 0 && ret != -ENOENT)
		return complain(c, dir, key, 0, 1);
	*on = number != 0;
	return 0;
}

static int
read_features(const char *dir, struct xenvif_peer_config *cfg, const struct complaint *c)
{
	bool rx_copy = false, no_csum = false;
	int ret;

	ret = read_switch(dir, "request-rx-copy", &rx_copy, c);
	if (ret == 0)
		ret = read_switch(dir, "feature-sg", &cfg->features.sg, c);
	if (ret == 0)
		ret = read_switch(dir, "feature-no-csum-offload", &no_csum, c);
	if (ret == 0)
		ret = read_switch(dir, "feature-ipv6-csum-offload", &cfg->features.csum_ipv6, c);
	if (ret < 0)
		return ret;
	cfg->features.csum_ipv4 = !no_csum;
	if (!rx_copy) {
		/* Such a guest wants its pages flipped, which user space cannot do. */
		snprintf(c->why, c->size, "%s/request-rx-copy has to be 1", dir);
		return -EINVAL;
	}
	return 0;
}

static int
read_queue(const char *dir, unsigned int i, struct xenvif_peer_config *cfg,
		const struct complaint *c)
{
	char value[XEN_STORE_VALUE_MAX];
	bool split;
	int ret;

	ret = read_required(dir, "tx-ring-ref", 0, UINT32_MAX, &cfg->queue[i].tx_ring_ref, c);
	if (ret == 0)
		ret = read_required(dir, "rx-ring-ref", 0, UINT32_MAX, &cfg->queue[i].rx_ring_ref,
				c);
	if (ret < 0)
		return ret;
	split = xen_store_read(dir, "event-channel-tx", value) != -ENOENT;
	if (i == 0)
		cfg->split_evtchn = split;
	if (split != cfg->split_evtchn) {
		snprintf(c->why, c->size, "%s: event channels are split for some queues only", dir);
		return -EINVAL;
	}
	if (!split) {
		ret = read_required(dir, "event-channel", 1, XEN_EVTCHN_PORT_MAX,
				&cfg->queue[i].evtchn_tx, c);
		cfg->queue[i].evtchn_rx = cfg->queue[i].evtchn_tx;
		return ret;
	}
	ret = read_required(dir, "event-channel-tx", 1, XEN_EVTCHN_PORT_MAX,
			&cfg->queue[i].evtchn_tx, c);
	if (ret == 0)
		ret = read_required(dir, "event-channel-rx", 1, XEN_EVTCHN_PORT_MAX,
				&cfg->queue[i].evtchn_rx, c);
	return ret;
}

int
xenvif_read_peer(const char *dir, uint16_t max_queues, struct xenvif_peer_config *cfg, char *why,
		size_t size)
{
	const struct complaint c = { .why = why, .size = size };
	char queue[XEN_STORE_PATH_MAX];
	uint32_t queues = 1;
	unsigned int i;
	int ret;

	ret = xen_store_read_uint(dir, "multi-queue-num-queues", max_queues, &queues);
	if ((ret < 0 && ret != -ENOENT) || queues == 0)
		return complain(&c, dir, "multi-queue-num-queues", 1, max_queues);
	cfg->queues = queues;
	ret = read_features(dir, cfg, &c);
	if (ret < 0)
		return ret;
	/* One queue: its keys stand in the directory itself (netif.h, "multi-queue"). */
	if (queues == 1)
		return read_queue(dir, 0, cfg, &c);
	for (i = 0; i < queues; i++) {
		if (snprintf(queue, sizeof(queue), "%s/queue-%u", dir, i) >= (int)sizeof(queue))
			return -EINVAL;
		ret = read_queue(queue, i, cfg, &c);
		if (ret < 0)
			return ret;
	}
	return 0;
}
