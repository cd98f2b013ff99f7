/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <string.h>

#include <rte_bitops.h>
#include <rte_malloc.h>

#include "bridge.h"
#include "offload.h"

static bool
is_tagged_somewhere(const struct vlan_set *set)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(set->tagged); i++) {
		if (set->tagged[i] != 0)
			return true;
	}
	return false;
}

/* Queues of the port that the lcore polls. */
static unsigned int
count_queues(const struct port *port, unsigned int worker)
{
	unsigned int q, n = 0;

	for (q = 0; q < port->nb_rxqs; q++)
		n += port->worker[q] == worker;
	return n;
}

/* Lcores that poll the port. */
static unsigned int
count_pollers(const struct port *port, unsigned int nb_workers)
{
	unsigned int w, n = 0;

	for (w = 0; w < nb_workers; w++)
		n += count_queues(port, w) != 0;
	return n;
}

static void
fill_port(struct dp_port *p, struct port *port, unsigned int nb_workers)
{
	const struct port_spec *spec = &port->spec;

	p->bridge = spec->bridge;
	p->vlan = spec->vlan;
	p->native = spec->vlan.native;
	p->lock = spec->lock;
	p->mac = fdb_mac(&spec->mac);
	p->learns = spec->lock == GUARD_OFF;
	p->guest = spec->kind == PORT_GUEST;
	p->undone = port_undone(spec);
	p->nb_txqs = port->nb_txqs;
	p->tx_locks = port->nb_txqs < nb_workers ? port->tx_locks : NULL;
	p->tx_offloads = port->tx_offloads;
	/* Each lcore has a part of it, for its own meter; none may, while queues move. */
	p->storm = spec->storm / RTE_MAX(count_pollers(port, nb_workers), 1u);
	p->nb_ips = spec->nb_ips;
	memcpy(p->ips, spec->ips, sizeof(p->ips));
	p->nic = spec->kind == PORT_UPLINK || spec->vhost;
	p->mtu = spec->mtu;
	p->nb_txd = port->nb_txd;
	p->plain = p->guest && (port->tx_offloads & OFFLOAD_TX_PORT) == OFFLOAD_TX_PORT &&
			!is_tagged_somewhere(&spec->vlan);
}

/* A guest whose address is another's is not heard, and hears nothing. */
static bool
takes_part(const struct port *port)
{
	return port->spec.kind != PORT_GUEST || port->pinned;
}

static void
fill_bridge(struct dp_bridge *bridge, const struct port *port)
{
	uint32_t bit = RTE_BIT32(port->id);

	RTE_BUILD_BUG_ON(RTE_MAX_ETHPORTS > 32);
	if (!takes_part(port))
		return;

	bridge->members |= bit;
	if (port->spec.lock == GUARD_OFF)
		bridge->learning |= bit;
	if (port->spec.isolated)
		bridge->isolated |= bit;
}

static void
fill_rxqs(struct dataplane *dp, const struct vswitch *sw)
{
	unsigned int w, i, n = 0;
	const struct port *port;
	uint16_t q;

	for (w = 0; w < sw->nb_workers; w++) {
		dp->first_rxq[w] = n;
		for (i = 0; i < RTE_MAX_ETHPORTS; i++) {
			port = sw->ports[i];
			for (q = 0; port != NULL && takes_part(port) && q < port->nb_rxqs; q++) {
				if (port->worker[q] != w)
					continue;
				dp->rxqs[n].port = i;
				dp->rxqs[n].queue = q;
				dp->rxqs[n].wakes = port->wakes;
				if (port->spec.kind == PORT_GUEST)
					dp->rxqs[n].sharing = count_queues(port, w);
				n++;
			}
		}
	}
	dp->first_rxq[sw->nb_workers] = n;
}

int
bridge_publish(struct vswitch *sw)
{
	struct dataplane *dp = rte_zmalloc("dataplane", sizeof(*dp), RTE_CACHE_LINE_SIZE), *old;
	unsigned int i;

	if (dp == NULL)
		return -ENOMEM;
	for (i = 0; i < RTE_MAX_ETHPORTS; i++) {
		if (sw->ports[i] == NULL)
			continue;
		fill_port(&dp->ports[i], sw->ports[i], sw->nb_workers);
		fill_bridge(&dp->bridges[sw->ports[i]->spec.bridge], sw->ports[i]);
	}
	fill_rxqs(dp, sw);
	capture_fill(sw, dp);
	mirror_fill(sw, dp);
	old = sw->dataplane;
	__atomic_store_n(&sw->dataplane, dp, __ATOMIC_RELEASE);
	for (i = 0; i < sw->nb_workers; i++)
		worker_wait(sw->workers[i], dp);
	rte_free(old);
	return 0;
}

static int
pin_in(struct vswitch *sw, const struct port *port, unsigned int vlan)
{
	return fdb_pin(sw->fdb, fdb_key(fdb_mac(&port->spec.mac), port->spec.bridge, vlan),
			port->id);
}

int
bridge_pin(struct vswitch *sw, struct port *port)
{
	unsigned int vlan;
	int ret = 0;

	if (port->spec.vlan.native != VLAN_NONE)
		ret = pin_in(sw, port, port->spec.vlan.native);
	for (vlan = 1; ret == 0 && vlan <= VLAN_MAX; vlan++) {
		if (vlan_is_tagged(&port->spec.vlan, vlan))
			ret = pin_in(sw, port, vlan);
	}
	if (ret != 0)
		fdb_forget(sw->fdb, port->id);
	port->pinned = ret == 0;
	return ret;
}
