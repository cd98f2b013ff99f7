/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>
#include <rte_telemetry.h>

#include "snapshot.h"
#include "telemetry.h"
#include "vswitch.h"
#include "xen_compat.h"

/* Telemetry has threads of its own, and its callbacks no argument. */
static struct {
	pthread_mutex_t lock;
	struct snapshot snapshot;
	/* Of the control thread alone. */
	uint32_t taken;
} shared = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void
copy_snapshot(struct snapshot *to)
{
	pthread_mutex_lock(&shared.lock);
	*to = shared.snapshot;
	pthread_mutex_unlock(&shared.lock);
}

static uint64_t
sum_drops(const struct port_stats *stats)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < DROP_MAX; i++)
		sum += stats->drops[i];
	return sum;
}

static void
add_port(struct rte_tel_data *d, const struct snapshot_port *port)
{
	rte_tel_data_add_dict_string(d, "name", port->name);
	rte_tel_data_add_dict_string(d, "kind", port_kind_name(port->kind));
	rte_tel_data_add_dict_string(d, "bridge", port->bridge);
	rte_tel_data_add_dict_int(d, "link", port->link);
	xen_tel_dict_u64(d, "macs", port->macs);
	xen_tel_dict_u64(d, "rx_packets", port->stats.rx_packets);
	xen_tel_dict_u64(d, "rx_bytes", port->stats.rx_bytes);
	xen_tel_dict_u64(d, "rx_flooded", port->stats.rx_flooded);
	xen_tel_dict_u64(d, "tx_packets", port->stats.tx_packets);
	xen_tel_dict_u64(d, "tx_bytes", port->stats.tx_bytes);
	xen_tel_dict_u64(d, "drops", sum_drops(&port->stats));
}

static void
add_lcore(struct rte_tel_data *d, const struct snapshot_lcore *lcore)
{
	xen_tel_dict_u64(d, "queues", lcore->queues);
	xen_tel_dict_u64(d, "rounds", lcore->rounds);
	xen_tel_dict_u64(d, "busy_rounds", lcore->busy_rounds);
	xen_tel_dict_u64(d, "slept_ms", lcore->slept_us / 1000);
}

/* Another dictionary in the answer, by its number: in DPDK 22.11 lists have no dictionaries, and
 * names no dot. NULL: there is no memory. Then the answer ends here: to fail would leak what is in
 * it.
 */
static struct rte_tel_data *
add_item(struct rte_tel_data *d, unsigned int number)
{
	struct rte_tel_data *item = rte_tel_data_alloc();
	char name[16];

	if (item == NULL)
		return NULL;
	rte_tel_data_start_dict(item);
	snprintf(name, sizeof(name), "%u", number);
	if (rte_tel_data_add_dict_container(d, name, item, 0) != 0) {
		rte_tel_data_free(item);
		return NULL;
	}
	return item;
}

static int
handle_ports(const char *command __rte_unused, const char *params __rte_unused,
		struct rte_tel_data *d)
{
	struct snapshot snapshot;
	struct rte_tel_data *item;
	unsigned int i;

	copy_snapshot(&snapshot);
	rte_tel_data_start_dict(d);
	for (i = 0; i < snapshot.nb_ports; i++) {
		item = add_item(d, snapshot.ports[i].number);
		if (item == NULL)
			break;
		add_port(item, &snapshot.ports[i]);
	}
	return 0;
}

static int
handle_lcores(const char *command __rte_unused, const char *params __rte_unused,
		struct rte_tel_data *d)
{
	struct snapshot snapshot;
	struct rte_tel_data *item;
	unsigned int i;

	copy_snapshot(&snapshot);
	rte_tel_data_start_dict(d);
	for (i = 0; i < snapshot.nb_lcores; i++) {
		item = add_item(d, snapshot.lcores[i].lcore);
		if (item == NULL)
			break;
		add_lcore(item, &snapshot.lcores[i]);
	}
	return 0;
}

static int
handle_port(const char *command __rte_unused, const char *params, struct rte_tel_data *d)
{
	const struct snapshot_port *port;
	struct snapshot snapshot;
	char name[64];
	unsigned int i;

	copy_snapshot(&snapshot);
	for (i = 0; params != NULL && i < snapshot.nb_ports; i++) {
		port = &snapshot.ports[i];
		if (strcmp(port->name, params) != 0)
			continue;
		rte_tel_data_start_dict(d);
		add_port(d, port);
		for (i = 0; i < DROP_MAX; i++) {
			snprintf(name, sizeof(name), "drop_%s", stats_drop_name(i));
			xen_tel_dict_u64(d, name, port->stats.drops[i]);
		}
		return 0;
	}
	return -ENOENT;
}

static void
take(const struct vswitch *sw)
{
	struct snapshot snapshot;

	snapshot_take(sw, &snapshot);
	pthread_mutex_lock(&shared.lock);
	shared.snapshot = snapshot;
	pthread_mutex_unlock(&shared.lock);
	shared.taken = sw->now;
}

int
telemetry_open(const struct vswitch *sw)
{
	static const struct {
		const char *name;
		telemetry_cb handle;
		const char *help;
	} commands[] = {
		{ "/xenvswitch/ports", handle_ports,
				"What each port of the switch has received, sent and lost. "
				"No parameters" },
		{ "/xenvswitch/port", handle_port,
				"The same of one port, with the reasons of its losses. "
				"Parameters: the port's name" },
		{ "/xenvswitch/lcores", handle_lcores,
				"What each forwarding lcore has done. No parameters" },
	};
	unsigned int i;
	int ret = 0;

	take(sw);
	for (i = 0; ret == 0 && i < RTE_DIM(commands); i++)
		ret = rte_telemetry_register_cmd(commands[i].name, commands[i].handle,
				commands[i].help);
	return ret;
}

void
telemetry_update(const struct vswitch *sw)
{
	if (shared.taken != sw->now)
		take(sw);
}
