/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <stdio.h>
#include <string.h>

#include <rte_common.h>
#include <rte_cycles.h>
#include <rte_ether.h>

#include "control_command.h"
#include "protocol.h"
#include "vswitch.h"
#include "xs_vifs.h"

/* Every other VLAN, each of four digits and a comma. */
#define VLANS_SIZE (VLAN_MAX / 2 * 5 + 1)

/* The port of that number or behind it; NULL: there are no more. */
static const struct port *
next_port(const struct vswitch *sw, unsigned int *i)
{
	while (*i < RTE_DIM(sw->ports) && sw->ports[*i] == NULL)
		(*i)++;
	return *i < RTE_DIM(sw->ports) ? sw->ports[(*i)++] : NULL;
}

/* A list of what is added to it; NULL when something could not be made, and so on to the end. */
static json_t *
append(json_t *list, json_t *item)
{
	if (json_array_append_new(list, item) == 0)
		return list;
	json_decref(list);
	return NULL;
}

/* A result of one list. */
static json_t *
result_of(const char *name, json_t *list)
{
	return list == NULL ? NULL : json_pack("{s:o}", name, list);
}

static const char *
bridge_name(const struct vswitch *sw, unsigned int bridge)
{
	return bridge < sw->config.nb_bridges ? sw->config.bridges[bridge].name : "";
}

static const char *
lock_name(enum guard_lock lock)
{
	static const char *const names[] = {
		[GUARD_OFF] = "off",
		[GUARD_MAC] = "mac",
		[GUARD_IP] = "ip",
	};

	return names[lock];
}

/* The tagged VLANs as the configuration has them. */
static json_t *
trunks_text(const struct vlan_set *set)
{
	unsigned int first, last = 0;
	char text[VLANS_SIZE];
	size_t len = 0;

	for (first = 1; first <= VLAN_MAX; first = last + 1) {
		last = first;
		if (!vlan_is_tagged(set, first))
			continue;
		while (last < VLAN_MAX && vlan_is_tagged(set, last + 1))
			last++;
		if (first == 1 && last == VLAN_MAX)
			return json_string("all");
		len += snprintf(text + len, sizeof(text) - len, "%s%u", len == 0 ? "" : ",", first);
		if (last != first)
			len += snprintf(text + len, sizeof(text) - len, "-%u", last);
	}
	return json_string(len == 0 ? "none" : text);
}

/* The lcores of a port's Rx queues, in the queues' order. */
static json_t *
port_lcores(const struct vswitch *sw, const struct port *port)
{
	json_t *list = json_array();
	unsigned int q;

	for (q = 0; q < port->nb_rxqs && port->worker[q] < sw->nb_workers; q++)
		list = append(list, json_integer(sw->workers[port->worker[q]]->lcore));
	return list;
}

static json_t *
mac_text(const struct rte_ether_addr *mac)
{
	const uint8_t *b = mac->addr_bytes;

	return json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5]);
}

/* What the port was asked to be. */
static json_t *
spec_members(const struct vswitch *sw, const struct port_spec *spec)
{
	json_t *native;

	native = spec->vlan.native == VLAN_NONE ? json_null() : json_integer(spec->vlan.native);
	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:s, s:b, s:i}", "name", spec->name, "kind",
			port_kind_name(spec->kind), "bridge", bridge_name(sw, spec->bridge), "vlan",
			native, "trunks", trunks_text(&spec->vlan), "lock", lock_name(spec->lock),
			"isolated", spec->isolated, "mtu", spec->mtu);
}

/* What only guests' ports have: null for the others. */
static json_t *
guest_members(const struct port_spec *spec)
{
	if (spec->kind != PORT_GUEST)
		return json_pack("{s:n, s:n, s:n}", "domid", "devid", "mac");
	return json_pack("{s:i, s:i, s:o}", "domid", spec->domid, "devid", spec->devid, "mac",
			mac_text(&spec->mac));
}

/* What the port is. */
static json_t *
state_members(const struct vswitch *sw, const struct port *port)
{
	return json_pack("{s:i, s:s, s:b, s:i, s:o, s:b, s:I}", "number", port->id, "device",
			port->device, "link", port_link_up(port), "queues", port->nb_rxqs, "lcores",
			port_lcores(sw, port), "pinned", port->pinned, "macs",
			(json_int_t)fdb_count(sw->fdb, port->id));
}

/* One object of both, which are taken. */
static json_t *
merge(json_t *object, json_t *more)
{
	if (object != NULL && json_object_update(object, more) != 0) {
		json_decref(object);
		object = NULL;
	}
	json_decref(more);
	return object;
}

static json_t *
show_port(const struct vswitch *sw, const struct port *port)
{
	json_t *members = spec_members(sw, &port->spec);

	members = merge(members, guest_members(&port->spec));
	return merge(members, state_members(sw, port));
}

json_t *
control_show_ports(const struct vswitch *sw, const struct control_args *args)
{
	json_t *list = json_array();
	const struct port *port;
	unsigned int i = 0;

	RTE_SET_USED(args);
	while ((port = next_port(sw, &i)) != NULL)
		list = append(list, show_port(sw, port));
	return result_of("ports", list);
}

static json_t *
show_bridge(const struct vswitch *sw, unsigned int bridge)
{
	const struct config_bridge *config = &sw->config.bridges[bridge];
	json_t *list = json_array();
	const struct port *port;
	json_int_t macs = 0;
	unsigned int i = 0;

	while ((port = next_port(sw, &i)) != NULL) {
		if (port->spec.bridge != bridge)
			continue;
		list = append(list, json_string(port->spec.name));
		macs += fdb_count(sw->fdb, port->id);
	}
	return json_pack("{s:s, s:o, s:I, s:s, s:b, s:I, s:I}", "name", config->name, "ports", list,
			"macs", macs, "lock", lock_name(config->lock), "isolated", config->isolated,
			"age", (json_int_t)config->age, "storm", (json_int_t)config->storm);
}

json_t *
control_show_bridges(const struct vswitch *sw, const struct control_args *args)
{
	json_t *list = json_array();
	unsigned int i;

	RTE_SET_USED(args);
	for (i = 0; i < sw->config.nb_bridges; i++)
		list = append(list, show_bridge(sw, i));
	return result_of("bridges", list);
}

/* The queues that a worker polls, as NAME.Q. */
static json_t *
worker_queues(const struct vswitch *sw, unsigned int worker)
{
	json_t *list = json_array();
	const struct port *port;
	unsigned int i = 0, q;

	while ((port = next_port(sw, &i)) != NULL) {
		for (q = 0; q < port->nb_rxqs; q++) {
			if (port->worker[q] == worker)
				list = append(list, json_sprintf("%s.%u", port->spec.name, q));
		}
	}
	return list;
}

static uint64_t
load(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

json_t *
control_show_lcores(const struct vswitch *sw, const struct control_args *args)
{
	uint64_t ticks = RTE_MAX(rte_get_tsc_hz() / 1000, UINT64_C(1));
	json_t *list = json_array();
	const struct worker *w;
	uint64_t busy;
	unsigned int i;

	RTE_SET_USED(args);
	for (i = 0; i < sw->nb_workers; i++) {
		w = sw->workers[i];
		busy = load(&w->busy);
		list = append(list,
				json_pack("{s:i, s:I, s:I, s:I, s:I, s:I, s:o}", "lcore", w->lcore,
						"rounds", (json_int_t)load(&w->rounds),
						"busy_rounds", (json_int_t)load(&w->busy_rounds),
						"busy_us",
						(json_int_t)(busy / ticks * 1000 +
								busy % ticks * 1000 / ticks),
						"slept_ms", (json_int_t)(load(&w->slept) / ticks),
						"load",
						(json_int_t)balance_load(sw, i) * 100 /
								BALANCE_FULL,
						"queues", worker_queues(sw, i)));
	}
	return result_of("lcores", list);
}

static json_t *
show_mac(const struct vswitch *sw, const struct fdb_entry *entry)
{
	const struct port *port = NULL;

	if (entry->port < RTE_DIM(sw->ports))
		port = sw->ports[entry->port];
	return json_pack("{s:o, s:s, s:i, s:s, s:b, s:I}", "mac", mac_text(&entry->mac), "bridge",
			bridge_name(sw, entry->bridge), "vlan", entry->vlan, "port",
			port == NULL ? "" : port->spec.name, "pinned", entry->pinned, "idle",
			(json_int_t)entry->idle);
}

static bool
wanted(const struct control_args *args, const struct fdb_entry *entry)
{
	return (args->port == NULL || args->port->id == entry->port) &&
			(args->bridge < 0 || args->bridge == entry->bridge);
}

json_t *
control_show_macs(const struct vswitch *sw, const struct control_args *args)
{
	json_t *list = json_array(), *result;
	uint32_t next = args->next;
	struct fdb_entry entry;
	bool more = true;

	while (json_array_size(list) < PROTOCOL_MACS_MAX &&
			(more = fdb_next(sw->fdb, &next, sw->now, &entry))) {
		if (!wanted(args, &entry))
			continue;
		list = append(list, show_mac(sw, &entry));
		if (list == NULL)
			return NULL;
	}
	result = result_of("macs", list);
	if (more && json_object_set_new(result, PROTOCOL_ARG_NEXT, json_integer(next)) != 0) {
		json_decref(result);
		return NULL;
	}
	return result;
}

static json_t *
show_stats(const struct port *port, const struct port_stats *stats)
{
	json_int_t drops = 0;
	unsigned int i;

	for (i = 0; i < DROP_MAX; i++)
		drops += stats->drops[i];
	return json_pack("{s:s, s:i, s:I, s:I, s:I, s:I, s:I, s:I}", "name", port->spec.name,
			"number", port->id, "rx_packets", (json_int_t)stats->rx_packets, "rx_bytes",
			(json_int_t)stats->rx_bytes, "tx_packets", (json_int_t)stats->tx_packets,
			"tx_bytes", (json_int_t)stats->tx_bytes, "rx_flooded",
			(json_int_t)stats->rx_flooded, "drops", drops);
}

json_t *
control_show_stats(const struct vswitch *sw, const struct control_args *args)
{
	json_t *list = json_array();
	const struct port *port;
	struct port_stats sum;
	unsigned int i = 0;

	RTE_SET_USED(args);
	while ((port = next_port(sw, &i)) != NULL) {
		vswitch_stats(sw, port->id, &sum);
		list = append(list, show_stats(port, &sum));
	}
	return result_of("stats", list);
}

json_t *
control_show_drops(const struct vswitch *sw, const struct control_args *args)
{
	json_t *list = json_array();
	const struct port *port;
	struct port_stats sum;
	unsigned int i = 0, r;

	while ((port = next_port(sw, &i)) != NULL) {
		if (args->port != NULL && args->port != port)
			continue;
		vswitch_stats(sw, port->id, &sum);
		for (r = 0; r < DROP_MAX; r++) {
			if (sum.drops[r] == 0 && !args->all)
				continue;
			list = append(list,
					json_pack("{s:s, s:s, s:I, s:s}", "port", port->spec.name,
							"reason", stats_drop_name(r), "packets",
							(json_int_t)sum.drops[r], "help",
							stats_drop_help(r)));
		}
	}
	return result_of("drops", list);
}

/* Of a port that is no guest's. */
static json_t *
port_error(const char *name, const char *what, const char *error)
{
	return json_pack("{s:s, s:n, s:n, s:o}", "port", name, "domid", "devid", "error",
			json_sprintf("%s%s", what, error));
}

json_t *
control_show_errors(const struct vswitch *sw, const struct control_args *args)
{
	json_t *list = json_array();
	unsigned int domid, devid, i;
	const char *text;
	int error;

	RTE_SET_USED(args);
	for (i = 0; i < sw->nb_errors; i++)
		list = append(list, port_error(sw->errors[i].name, "", sw->errors[i].text));
	for (i = 0; (text = port_left(i, &error)) != NULL; i++)
		list = append(list,
				port_error(text, "its device cannot be removed: ",
						strerror(-error)));
	for (i = 0; (text = xs_vifs_error(sw->vifs, i, &domid, &devid)) != NULL; i++) {
		if (text[0] != '\0')
			list = append(list,
					json_pack("{s:n, s:i, s:i, s:s}", "port", "domid", domid,
							"devid", devid, "error", text));
	}
	return result_of("errors", list);
}
