/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <string.h>

#include <rte_ring.h>

#include "vswitch.h"

/* Addresses that are learned at a time: more would keep others waiting. */
#define NEWS_AT_ONCE 1024

struct port *
vswitch_port(const struct vswitch *sw, const char *name)
{
	unsigned int i;

	for (i = 0; i < RTE_MAX_ETHPORTS; i++) {
		if (sw->ports[i] != NULL && strcmp(sw->ports[i]->spec.name, name) == 0)
			return sw->ports[i];
	}
	return NULL;
}

static void
sum_up(const struct vswitch *sw, uint16_t port, struct port_stats *sum)
{
	unsigned int i;

	memset(sum, 0, sizeof(*sum));
	for (i = 0; i < sw->nb_workers; i++)
		stats_add(sum, &sw->workers[i]->stats[port]);
}

static void
sum_since(const struct vswitch *sw, uint16_t port, const struct port_stats *base,
		struct port_stats *sum)
{
	unsigned int i;

	sum_up(sw, port, sum);
	sum->rx_packets -= base->rx_packets;
	sum->rx_bytes -= base->rx_bytes;
	sum->tx_packets -= base->tx_packets;
	sum->tx_bytes -= base->tx_bytes;
	sum->rx_flooded -= base->rx_flooded;
	for (i = 0; i < DROP_MAX; i++)
		sum->drops[i] -= base->drops[i];
}

void
vswitch_stats(const struct vswitch *sw, uint16_t port, struct port_stats *sum)
{
	sum_since(sw, port, &sw->base[port], sum);
}

void
vswitch_stats_total(const struct vswitch *sw, uint16_t port, struct port_stats *sum)
{
	sum_since(sw, port, &sw->made[port], sum);
}

void
vswitch_stats_reset(struct vswitch *sw, uint16_t port)
{
	sum_up(sw, port, &sw->base[port]);
}

void
vswitch_stats_begin(struct vswitch *sw, uint16_t port)
{
	vswitch_stats_reset(sw, port);
	sw->made[port] = sw->base[port];
}

/* A port may have gone, or have moved to another bridge, since the lcore saw the address there. */
static bool
is_current(const struct vswitch *sw, const struct worker_news *news)
{
	const struct port *port = sw->ports[news->port];
	unsigned int vlan = news->key & VLAN_ID_MASK;

	return port != NULL && port->spec.lock == GUARD_OFF &&
			port->spec.bridge == (news->key >> 12 & 0xF) &&
			vlan_has(&port->spec.vlan, vlan);
}

unsigned int
vswitch_housekeeping(struct vswitch *sw)
{
	struct worker_news news;
	unsigned int n, i;

	for (n = 0; n < NEWS_AT_ONCE; n++) {
		if (rte_ring_dequeue_elem(sw->news, &news, sizeof(news)) != 0)
			break;
		if (is_current(sw, &news))
			fdb_learn(sw->fdb, news.key, news.port, sw->ports[news.port]->spec.macs,
					sw->now);
	}
	for (i = 0; i < RTE_MAX_ETHPORTS; i++) {
		if (sw->ports[i] != NULL)
			fdb_age(sw->fdb, i, sw->ports[i]->spec.age, sw->now);
	}
	return n;
}
