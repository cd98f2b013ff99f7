/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>

#include "xen_compat.h"
#include "xen_netif_keys.h"
#include "xen_store.h"

/* Queues of an earlier connection whose directories are removed, at most. */
#define STALE_QUEUES_MAX 256

#define QUEUE_DIR_MAX (XEN_STORE_PATH_MAX + sizeof("/queue-65535"))

enum key_kind {
	/* 0 or 1. */
	KEY_SWITCH,
	/* 1 says that the feature is missing. */
	KEY_INVERTED,
	/* A number of queues. */
	KEY_QUEUES,
	/* A number of bytes. */
	KEY_HEADROOM,
};

static const struct feature_key {
	/* By the end that writes it; NULL: that has no such key. */
	const char *name[2];
	enum key_kind kind;
	/* What the missing key says. */
	uint16_t absent;
	/* Into struct xen_netif_features. */
	size_t offset;
} feature_keys[] = {
#define FIELD(name) offsetof(struct xen_netif_features, name)
	{ { XEN_NETIF_KEY_MAX_QUEUES, "multi-queue-num-queues" }, KEY_QUEUES, 1, FIELD(queues) },
	{ { "feature-rx-copy", "request-rx-copy" }, KEY_SWITCH, 0, FIELD(rx_copy) },
	{ { "feature-sg", "feature-sg" }, KEY_SWITCH, 0, FIELD(sg) },
	{ { "feature-no-csum-offload", "feature-no-csum-offload" }, KEY_INVERTED, 0,
			FIELD(csum_ipv4) },
	{ { "feature-ipv6-csum-offload", "feature-ipv6-csum-offload" }, KEY_SWITCH, 0,
			FIELD(csum_ipv6) },
	{ { "feature-split-event-channels", NULL }, KEY_SWITCH, 0, FIELD(split_evtchn) },
	{ { "feature-gso-tcpv4", "feature-gso-tcpv4" }, KEY_SWITCH, 0, FIELD(gso_tcpv4) },
	{ { "feature-gso-tcpv6", "feature-gso-tcpv6" }, KEY_SWITCH, 0, FIELD(gso_tcpv6) },
	{ { "feature-multicast-control", XEN_NETIF_KEY_REQUEST_MCAST }, KEY_SWITCH, 0,
			FIELD(mcast) },
	{ { "feature-dynamic-multicast-control", NULL }, KEY_SWITCH, 0, FIELD(mcast_dynamic) },
	{ { "feature-ctrl-ring", NULL }, KEY_SWITCH, 0, FIELD(ctrl_ring) },
	{ { NULL, "feature-rx-notify" }, KEY_SWITCH, 0, FIELD(rx_notify) },
	{ { "feature-xdp-headroom", NULL }, KEY_SWITCH, 0, FIELD(xdp) },
	{ { NULL, XEN_NETIF_KEY_HEADROOM }, KEY_HEADROOM, 0, FIELD(headroom) },
#undef FIELD
};

/* Keys of rings, and of features that have no row above. */
static const char *const frontend_leftovers[] = {
	XEN_NETIF_KEY_CTRL_RING,
	"event-channel",
	"event-channel-ctrl",
	"event-channel-rx",
	"event-channel-tx",
	"feature-gso-tcpv4-prefix",
	"feature-gso-tcpv6-prefix",
	XEN_NETIF_KEY_RX_RING,
	XEN_NETIF_KEY_TX_RING,
};

/* Read a number once; where its key may be missing, absent says what that means. */
static int
read_number(const char *dir, const char *key, uint32_t min, uint32_t max, const uint16_t *absent,
		uint32_t *number, struct xen_reason *why)
{
	char value[XEN_STORE_VALUE_MAX];
	struct xen_quote quote;
	uint32_t n;
	int ret;

	ret = xen_store_read(dir, key, value);
	if (ret == -ENOENT && absent != NULL) {
		*number = *absent;
		return 0;
	}
	switch (ret) {
	case -ENOTCONN:
		return ret;
	case -ENOENT:
		return xen_reason_set(why, EINVAL, "%s/%s is missing", dir, key);
	case -ERANGE:
		return xen_reason_set(why, EINVAL, "%s/%s is too long to be a number from %u to %u",
				dir, key, min, max);
	}
	if (ret < 0)
		return xen_reason_set(why, EINVAL, "%s/%s cannot be read: %s", dir, key,
				strerror(-ret));
	if (xen_store_parse_uint(value, max, &n) < 0 || n < min)
		return xen_reason_set(why, EINVAL, "%s/%s='%s' is not a number from %u to %u", dir,
				key, xen_quote(&quote, value), min, max);
	*number = n;
	return 0;
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_netif_key_read_or)
int
xen_netif_key_read_or(const char *dir, const char *key, uint16_t absent, uint32_t min, uint32_t max,
		uint32_t *number, struct xen_reason *why)
{
	return read_number(dir, key, min, max, &absent, number, why);
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_netif_key_read)
int
xen_netif_key_read(const char *dir, const char *key, uint32_t min, uint32_t max, uint32_t *number,
		struct xen_reason *why)
{
	return read_number(dir, key, min, max, NULL, number, why);
}

static bool
is_number(const struct feature_key *k)
{
	return k->kind == KEY_QUEUES || k->kind == KEY_HEADROOM;
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_netif_features_read)
int
xen_netif_features_read(enum xen_netif_role writer, const char *dir, uint16_t max_queues,
		struct xen_netif_features *features, struct xen_reason *why)
{
	const uint32_t max[] = {
		[KEY_SWITCH] = 1,
		[KEY_INVERTED] = 1,
		[KEY_QUEUES] = max_queues,
		[KEY_HEADROOM] = XEN_NETIF_HEADROOM_MAX,
	};
	const struct feature_key *k;
	unsigned int i;
	uint32_t n;
	void *field;
	int ret;

	for (i = 0; i < RTE_DIM(feature_keys); i++) {
		k = &feature_keys[i];
		if (k->name[writer] == NULL)
			continue;
		ret = read_number(dir, k->name[writer], k->kind == KEY_QUEUES ? 1 : 0, max[k->kind],
				&k->absent, &n, why);
		if (ret < 0)
			return ret;
		field = RTE_PTR_ADD(features, k->offset);
		if (is_number(k))
			*(uint16_t *)field = n;
		else
			*(bool *)field = (n != 0) != (k->kind == KEY_INVERTED);
	}
	return 0;
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_netif_features_write)
int
xen_netif_features_write(enum xen_netif_role writer, const char *dir,
		const struct xen_netif_features *features)
{
	const struct feature_key *k;
	const void *field;
	unsigned int i, n;
	int ret = 0;

	for (i = 0; i < RTE_DIM(feature_keys) && ret == 0; i++) {
		k = &feature_keys[i];
		if (k->name[writer] == NULL)
			continue;
		field = RTE_PTR_ADD(features, k->offset);
		if (is_number(k))
			n = *(const uint16_t *)field;
		else
			n = *(const bool *)field != (k->kind == KEY_INVERTED);
		if (n == k->absent)
			ret = xen_store_remove(dir, k->name[writer]);
		else
			ret = xen_store_write(dir, k->name[writer], "%u", n);
	}
	return ret;
}

/* The directory of a queue's keys (netif.h, "Multiple transmit and receive queues"). */
static const char *
queue_dir(char path[QUEUE_DIR_MAX], const char *dir, uint16_t queues, uint16_t queue)
{
	if (queues == 1)
		return dir;
	snprintf(path, QUEUE_DIR_MAX, "%s/queue-%u", dir, queue);
	return path;
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_netif_queue_read)
int
xen_netif_queue_read(const char *dir, uint16_t queues, uint16_t queue,
		struct xen_netif_queue_keys *keys, bool *split, struct xen_reason *why)
{
	static const uint16_t none;
	char path[QUEUE_DIR_MAX];
	int ret;

	dir = queue_dir(path, dir, queues, queue);
	ret = xen_netif_key_read(dir, XEN_NETIF_KEY_TX_RING, 0, UINT32_MAX, &keys->tx_ring_ref,
			why);
	if (ret == 0)
		ret = xen_netif_key_read(dir, XEN_NETIF_KEY_RX_RING, 0, UINT32_MAX,
				&keys->rx_ring_ref, why);
	if (ret == 0)
		ret = read_number(dir, "event-channel-tx", 1, XEN_EVTCHN_PORT_MAX, &none,
				&keys->evtchn_tx, why);
	if (ret < 0)
		return ret;
	*split = keys->evtchn_tx != none;
	if (!*split) {
		ret = xen_netif_key_read(dir, "event-channel", 1, XEN_EVTCHN_PORT_MAX,
				&keys->evtchn_tx, why);
		keys->evtchn_rx = keys->evtchn_tx;
		return ret;
	}
	return xen_netif_key_read(dir, "event-channel-rx", 1, XEN_EVTCHN_PORT_MAX, &keys->evtchn_rx,
			why);
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_netif_queue_write)
int
xen_netif_queue_write(const char *dir, uint16_t queues, uint16_t queue,
		const struct xen_netif_queue_keys *keys, bool split)
{
	char path[QUEUE_DIR_MAX];
	int ret;

	dir = queue_dir(path, dir, queues, queue);
	ret = xen_store_write(dir, XEN_NETIF_KEY_TX_RING, "%u", keys->tx_ring_ref);
	if (ret == 0)
		ret = xen_store_write(dir, XEN_NETIF_KEY_RX_RING, "%u", keys->rx_ring_ref);
	if (ret == 0 && !split)
		return xen_store_write(dir, "event-channel", "%u", keys->evtchn_tx);
	if (ret == 0)
		ret = xen_store_write(dir, "event-channel-tx", "%u", keys->evtchn_tx);
	if (ret == 0)
		ret = xen_store_write(dir, "event-channel-rx", "%u", keys->evtchn_rx);
	return ret;
}

/* Is a key there, whatever its value? */
static int
key_there(const char *dir, const char *key, bool *there)
{
	char value[XEN_STORE_VALUE_MAX];
	int ret = xen_store_read(dir, key, value);

	*there = ret != -ENOENT;
	return ret == -ENOTCONN ? ret : 0;
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_netif_ctrl_read)
int
xen_netif_ctrl_read(const char *dir, struct xen_netif_ctrl_keys *keys, bool *present,
		struct xen_reason *why)
{
	bool ring, evtchn;
	int ret;

	ret = key_there(dir, XEN_NETIF_KEY_CTRL_RING, &ring);
	if (ret == 0)
		ret = key_there(dir, "event-channel-ctrl", &evtchn);
	if (ret < 0)
		return ret;
	*present = ring || evtchn;
	if (!*present)
		return 0;
	ret = xen_netif_key_read(dir, XEN_NETIF_KEY_CTRL_RING, 0, UINT32_MAX, &keys->ring_ref, why);
	if (ret < 0)
		return ret;
	return xen_netif_key_read(dir, "event-channel-ctrl", 1, XEN_EVTCHN_PORT_MAX, &keys->evtchn,
			why);
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_netif_ctrl_write)
int
xen_netif_ctrl_write(const char *dir, const struct xen_netif_ctrl_keys *keys)
{
	int ret = xen_store_write(dir, XEN_NETIF_KEY_CTRL_RING, "%u", keys->ring_ref);

	return ret == 0 ? xen_store_write(dir, "event-channel-ctrl", "%u", keys->evtchn) : ret;
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_netif_keys_clear)
int
xen_netif_keys_clear(const char *dir)
{
	char queue[sizeof("queue-4294967295")];
	uint32_t i, queues = 0;
	int ret;

	ret = xen_store_read_uint(dir, "multi-queue-num-queues", STALE_QUEUES_MAX, &queues);
	if (ret != -ENOTCONN)
		ret = 0;
	for (i = 0; i < queues && ret == 0; i++) {
		snprintf(queue, sizeof(queue), "queue-%u", i);
		ret = xen_store_remove(dir, queue);
	}
	for (i = 0; i < RTE_DIM(frontend_leftovers) && ret == 0; i++)
		ret = xen_store_remove(dir, frontend_leftovers[i]);
	return ret;
}
