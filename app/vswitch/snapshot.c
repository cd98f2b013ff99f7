/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <string.h>

#include <rte_common.h>
#include <rte_cycles.h>
#include <rte_mempool.h>

#include "snapshot.h"
#include "vswitch.h"
#include "xs_vifs.h"

static uint64_t
load(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static void
take_port(const struct vswitch *sw, const struct port *port, struct snapshot_port *to)
{
	to->number = port->id;
	memcpy(to->name, port->spec.name, sizeof(to->name));
	if (port->spec.bridge < sw->config.nb_bridges)
		memcpy(to->bridge, sw->config.bridges[port->spec.bridge].name, sizeof(to->bridge));
	to->kind = port->spec.kind;
	to->link = port_link_up(port);
	to->macs = fdb_count(sw->fdb, port->id);
	vswitch_stats_total(sw, port->id, &to->stats);
}

static unsigned int
count_queues(const struct vswitch *sw, unsigned int worker)
{
	unsigned int i, q, count = 0;

	for (i = 0; i < RTE_DIM(sw->ports); i++) {
		for (q = 0; sw->ports[i] != NULL && q < sw->ports[i]->nb_rxqs; q++)
			count += sw->ports[i]->worker[q] == worker;
	}
	return count;
}

static void
take_lcore(const struct vswitch *sw, unsigned int worker, struct snapshot_lcore *to)
{
	const struct worker *w = sw->workers[worker];
	uint64_t hz = RTE_MAX(rte_get_tsc_hz(), UINT64_C(1)), slept = load(&w->slept);

	to->lcore = w->lcore;
	to->queues = count_queues(sw, worker);
	to->rounds = load(&w->rounds);
	to->busy_rounds = load(&w->busy_rounds);
	/* In two parts, for the cycles of weeks times 10^6 are too many. */
	to->slept_us = slept / hz * US_PER_S + slept % hz * US_PER_S / hz;
}

static uint32_t
count_refused(const struct vswitch *sw)
{
	unsigned int domid, devid, i;
	const char *error;
	uint32_t count = 0;

	for (i = 0; (error = xs_vifs_error(sw->vifs, i, &domid, &devid)) != NULL; i++)
		count += error[0] != '\0';
	return count;
}

void
snapshot_take(const struct vswitch *sw, struct snapshot *snapshot)
{
	struct snapshot_port *port;
	unsigned int i;

	memset(snapshot, 0, sizeof(*snapshot));
	for (i = 0; i < RTE_DIM(sw->ports); i++) {
		if (sw->ports[i] == NULL)
			continue;
		port = &snapshot->ports[snapshot->nb_ports++];
		take_port(sw, sw->ports[i], port);
		snapshot->macs += port->macs;
	}
	for (i = 0; i < sw->nb_workers; i++)
		take_lcore(sw, i, &snapshot->lcores[snapshot->nb_lcores++]);
	snapshot->uptime = sw->now - sw->started;
	snapshot->mbufs = sw->config.mbufs;
	snapshot->mbufs_available = rte_mempool_avail_count(sw->pool);
	snapshot->macs_limit = sw->config.macs;
	snapshot->vifs_refused = count_refused(sw);
	for (i = 0; i < RTE_DIM(sw->captures); i++)
		snapshot->captures += sw->captures[i] != NULL;
	snapshot->capture_lost = capture_lost(sw);
	for (i = 0; i < RTE_DIM(sw->mirrors); i++)
		snapshot->mirrors += sw->mirrors[i].on;
}
