/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <stdio.h>
#include <string.h>

#include "../vswitch/protocol.h"
#include "show.h"

static const struct column port_columns[] = {
	{ "PORT", "name" },
	{ "NO", "number", .number = true },
	{ "KIND", "kind" },
	{ "BRIDGE", "bridge" },
	{ "LINK", "link", .yes = "up", .no = "down" },
	{ "VLAN", "vlan", .number = true },
	{ "TRUNKS", "trunks" },
	{ "LOCK", "lock" },
	{ "ISOLATED", "isolated" },
	{ "MAC", "mac" },
	{ "PINNED", "pinned" },
	{ "DOMID", "domid", .number = true },
	{ "DEVID", "devid", .number = true },
	{ "QUEUES", "queues", .number = true },
	{ "LCORES", "lcores" },
	{ "MTU", "mtu", .number = true },
	{ "MACS", "macs", .number = true },
	{ "DEVICE", "device" },
	{ NULL },
};

static const struct column mac_columns[] = {
	{ "MAC", "mac" },
	{ "BRIDGE", "bridge" },
	{ "VLAN", "vlan", .number = true },
	{ "PORT", "port" },
	{ "KIND", "pinned", .yes = "pinned", .no = "learned" },
	{ "IDLE", "idle", .number = true },
	{ NULL },
};

static const struct column bridge_columns[] = {
	{ "BRIDGE", "name" },
	{ "LOCK", "lock" },
	{ "ISOLATED", "isolated" },
	{ "AGE", "age", .number = true },
	{ "STORM", "storm", .number = true },
	{ "MACS", "macs", .number = true },
	{ "PORTS", "ports" },
	{ NULL },
};

static const struct column lcore_columns[] = {
	{ "LCORE", "lcore", .number = true },
	{ "ROUNDS", "rounds", .number = true },
	{ "BUSY", "busy_rounds", .number = true },
	{ "SLEPT-MS", "slept_ms", .number = true },
	{ "LOAD", "load", .number = true },
	{ "QUEUES", "queues" },
	{ NULL },
};

static const struct column stats_columns[] = {
	{ "PORT", "name" },
	{ "RX-PACKETS", "rx_packets", .number = true },
	{ "RX-BYTES", "rx_bytes", .number = true },
	{ "TX-PACKETS", "tx_packets", .number = true },
	{ "TX-BYTES", "tx_bytes", .number = true },
	{ "FLOODED", "rx_flooded", .number = true },
	{ "DROPS", "drops", .number = true },
	{ NULL },
};

static const struct column drop_columns[] = {
	{ "PORT", "port" },
	{ "REASON", "reason" },
	{ "PACKETS", "packets", .number = true },
	{ "MEANING", "help" },
	{ NULL },
};

static const struct column error_columns[] = {
	{ "PORT", "port" },
	{ "DOMID", "domid", .number = true },
	{ "DEVID", "devid", .number = true },
	{ "ERROR", "error" },
	{ NULL },
};

static const struct column move_columns[] = {
	{ "PORT", "port" },
	{ "QUEUE", "queue", .number = true },
	{ "FROM", "from", .number = true },
	{ "TO", "to", .number = true },
	{ "LOAD", "load", .number = true },
	{ NULL },
};

static const struct column capture_columns[] = {
	{ "PORT", "port" },
	{ "DIRECTION", "direction" },
	{ "COUNT", "count", .number = true },
	{ "SECONDS", "seconds", .number = true },
	{ "SNAPLEN", "snaplen", .number = true },
	{ "PACKETS", "packets", .number = true },
	{ "LOST", "lost", .number = true },
	{ NULL },
};

static const struct column mirror_columns[] = {
	{ "PORT", "port" },
	{ "TO", "to" },
	{ "DIRECTION", "direction" },
	{ "PACKETS", "packets", .number = true },
	{ "LOST", "lost", .number = true },
	{ NULL },
};

static const struct view views[] = {
	{ PROTOCOL_SHOW_PORTS, "ports", port_columns },
	{ PROTOCOL_SHOW_MACS, "macs", mac_columns },
	{ PROTOCOL_SHOW_BRIDGES, "bridges", bridge_columns },
	{ PROTOCOL_SHOW_LCORES, "lcores", lcore_columns },
	{ PROTOCOL_SHOW_STATS, "stats", stats_columns },
	{ PROTOCOL_SHOW_DROPS, "drops", drop_columns },
	{ PROTOCOL_SHOW_ERRORS, "errors", error_columns },
	{ PROTOCOL_REBALANCE, "moves", move_columns },
	{ PROTOCOL_SHOW_CAPTURES, "captures", capture_columns },
	{ PROTOCOL_SHOW_MIRRORS, "mirrors", mirror_columns },
};

const struct view *
show_view(const char *command)
{
	unsigned int i;

	for (i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
		if (strcmp(views[i].command, command) == 0)
			return &views[i];
	}
	return NULL;
}

enum client_status
show_json(const json_t *result)
{
	if (json_dumpf(result, stdout, JSON_INDENT(2)) == 0 && putchar('\n') != EOF)
		return CLIENT_OK;
	client_error("the result cannot be written");
	return CLIENT_REFUSED;
}

enum client_status
show_result(const struct view *view, const json_t *result, bool json)
{
	if (json)
		return show_json(result);
	if (table_print(stdout, json_object_get(result, view->list), view->columns) == 0)
		return CLIENT_OK;
	client_error("no memory");
	return CLIENT_REFUSED;
}
