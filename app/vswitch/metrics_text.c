/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_common.h>
#include <rte_version.h>

#include "metrics.h"
#include "port.h"
#include "stats.h"

/* Ports and lcores have their values at an offset in their part of the snapshot. */
struct metric {
	const char *name;
	/* counter or gauge. */
	const char *type;
	const char *help;
	void (*print)(FILE *file, const struct metric *metric, const struct snapshot *snapshot);
	size_t at;
};

/* The rules of the format: a backslash, a quote and a newline are escaped. */
static void
print_label(FILE *file, const char *name, const char *value)
{
	fprintf(file, "%s=\"", name);
	for (; *value != '\0'; value++) {
		if (*value == '\n')
			fputs("\\n", file);
		else if (*value == '\\' || *value == '"')
			fprintf(file, "\\%c", *value);
		else
			fputc(*value, file);
	}
	fputc('"', file);
}

static void
print_port(FILE *file, const struct metric *metric, const struct snapshot_port *port)
{
	fprintf(file, "%s{", metric->name);
	print_label(file, "port", port->name);
	print_label(file, ",bridge", port->bridge);
	print_label(file, ",kind", port_kind_name(port->kind));
}

static const void *
field(const void *part, const struct metric *metric)
{
	return (const char *)part + metric->at;
}

static void
print_info(FILE *file, const struct metric *metric, const struct snapshot *snapshot __rte_unused)
{
	fprintf(file, "%s{", metric->name);
	print_label(file, "version", XENVIF_VERSION);
	print_label(file, ",dpdk", rte_version());
	fputs("} 1\n", file);
}

static void
print_u32(FILE *file, const struct metric *metric, const struct snapshot *snapshot)
{
	fprintf(file, "%s %" PRIu32 "\n", metric->name, *(const uint32_t *)field(snapshot, metric));
}

static void
print_u64(FILE *file, const struct metric *metric, const struct snapshot *snapshot)
{
	fprintf(file, "%s %" PRIu64 "\n", metric->name, *(const uint64_t *)field(snapshot, metric));
}

static void
print_port_u64(FILE *file, const struct metric *metric, const struct snapshot *snapshot)
{
	const struct snapshot_port *port;
	unsigned int i;

	for (i = 0; i < snapshot->nb_ports; i++) {
		port = &snapshot->ports[i];
		print_port(file, metric, port);
		fprintf(file, "} %" PRIu64 "\n", *(const uint64_t *)field(port, metric));
	}
}

static void
print_port_drops(FILE *file, const struct metric *metric, const struct snapshot *snapshot)
{
	const struct snapshot_port *port;
	unsigned int i, reason;

	for (i = 0; i < snapshot->nb_ports; i++) {
		port = &snapshot->ports[i];
		for (reason = 0; reason < DROP_MAX; reason++) {
			print_port(file, metric, port);
			print_label(file, ",reason", stats_drop_name(reason));
			fprintf(file, "} %" PRIu64 "\n", port->stats.drops[reason]);
		}
	}
}

static void
print_port_link(FILE *file, const struct metric *metric, const struct snapshot *snapshot)
{
	unsigned int i;

	for (i = 0; i < snapshot->nb_ports; i++) {
		print_port(file, metric, &snapshot->ports[i]);
		fprintf(file, "} %d\n", snapshot->ports[i].link);
	}
}

static void
print_port_macs(FILE *file, const struct metric *metric, const struct snapshot *snapshot)
{
	unsigned int i;

	for (i = 0; i < snapshot->nb_ports; i++) {
		print_port(file, metric, &snapshot->ports[i]);
		fprintf(file, "} %" PRIu32 "\n", snapshot->ports[i].macs);
	}
}

static void
print_lcore(FILE *file, const struct metric *metric, const struct snapshot_lcore *lcore)
{
	fprintf(file, "%s{lcore=\"%u\"} ", metric->name, lcore->lcore);
}

static void
print_lcore_u64(FILE *file, const struct metric *metric, const struct snapshot *snapshot)
{
	const struct snapshot_lcore *lcore;
	unsigned int i;

	for (i = 0; i < snapshot->nb_lcores; i++) {
		lcore = &snapshot->lcores[i];
		print_lcore(file, metric, lcore);
		fprintf(file, "%" PRIu64 "\n", *(const uint64_t *)field(lcore, metric));
	}
}

static void
print_lcore_slept(FILE *file, const struct metric *metric, const struct snapshot *snapshot)
{
	unsigned int i;
	uint64_t us;

	for (i = 0; i < snapshot->nb_lcores; i++) {
		us = snapshot->lcores[i].slept_us;
		print_lcore(file, metric, &snapshot->lcores[i]);
		fprintf(file, "%" PRIu64 ".%06" PRIu64 "\n", us / 1000000, us % 1000000);
	}
}

static void
print_lcore_queues(FILE *file, const struct metric *metric, const struct snapshot *snapshot)
{
	unsigned int i;

	for (i = 0; i < snapshot->nb_lcores; i++) {
		print_lcore(file, metric, &snapshot->lcores[i]);
		fprintf(file, "%u\n", snapshot->lcores[i].queues);
	}
}

/* The manual has the same texts: a test compares them. */
#define COUNTER(name, reader, help, ...) \
	{ \
		"xenvswitch_" name "_total", "counter", help, print_##reader, __VA_ARGS__ \
	}
#define GAUGE(name, reader, help, ...) \
	{ \
		"xenvswitch_" name, "gauge", help, print_##reader, __VA_ARGS__ \
	}
#define OF(member) offsetof(struct snapshot, member)
#define OF_PORT(member) offsetof(struct snapshot_port, stats.member)
#define OF_LCORE(member) offsetof(struct snapshot_lcore, member)

static const struct metric metrics[] = {
	GAUGE("info", info, "1, with the versions of the switch and of DPDK.", 0),
	GAUGE("uptime_seconds", u32, "Time since the switch has started.", OF(uptime)),
	GAUGE("mbufs", u32, "Packets that there is memory for.", OF(mbufs)),
	GAUGE("mbufs_available", u32, "Packets that there is memory left for.",
			OF(mbufs_available)),
	GAUGE("macs", u32, "Addresses that are learned.", OF(macs)),
	GAUGE("macs_limit", u32, "Addresses that can be learned.", OF(macs_limit)),
	GAUGE("vifs_refused", u32,
			"Vifs that cannot have what they ask for: see xenvswitchctl show errors.",
			OF(vifs_refused)),
	GAUGE("captures", u32, "Captures of packets into files.", OF(captures)),
	COUNTER("capture_lost", u64, "Packets that captures have lost.", OF(capture_lost)),
	GAUGE("mirrors", u32, "Ports that are mirrored.", OF(mirrors)),
	GAUGE("port_link_up", port_link, "1: the port's link is up; 0: it is not.", 0),
	GAUGE("port_macs", port_macs, "Addresses that are learned of the port.", 0),
	COUNTER("port_rx_packets", port_u64, "Packets that came in by the port.",
			OF_PORT(rx_packets)),
	COUNTER("port_rx_bytes", port_u64, "Bytes that came in by the port.", OF_PORT(rx_bytes)),
	COUNTER("port_rx_flooded", port_u64,
			"Packets that came in for all, or for nobody that is known.",
			OF_PORT(rx_flooded)),
	COUNTER("port_tx_packets", port_u64, "Packets that went out by the port.",
			OF_PORT(tx_packets)),
	COUNTER("port_tx_bytes", port_u64, "Bytes that went out by the port.", OF_PORT(tx_bytes)),
	COUNTER("port_drops", port_drops, "Packets that were lost, by reason.", 0),
	GAUGE("lcore_queues", lcore_queues, "Queues that the lcore polls.", 0),
	COUNTER("lcore_rounds", lcore_u64, "Rounds of polling.", OF_LCORE(rounds)),
	COUNTER("lcore_busy_rounds", lcore_u64, "Rounds in which there were packets.",
			OF_LCORE(busy_rounds)),
	COUNTER("lcore_slept_seconds", lcore_slept, "Time asleep.", 0),
};

char *
metrics_text(const struct snapshot *snapshot, size_t *len)
{
	const struct metric *metric;
	char *text = NULL;
	unsigned int i;
	FILE *file;

	file = open_memstream(&text, len);
	if (file == NULL)
		return NULL;
	for (i = 0; i < RTE_DIM(metrics); i++) {
		metric = &metrics[i];
		fprintf(file, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help,
				metric->name, metric->type);
		metric->print(file, metric, snapshot);
	}
	if (ferror(file) | fclose(file)) {
		free(text);
		return NULL;
	}
	return text;
}
