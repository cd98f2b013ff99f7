/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef SNAPSHOT_H
#define SNAPSHOT_H

/** @file The switch in numbers at one moment, for those who only tell of it. */

#include <stdbool.h>
#include <stdint.h>

#include "dataplane.h"
#include "name.h"
#include "port.h"
#include "stats.h"

struct vswitch;

struct snapshot_port {
	/** Of ethdev. */
	uint16_t number;
	char name[NAME_SIZE];
	char bridge[NAME_SIZE];
	enum port_kind kind;
	bool link;
	/** Addresses that are learned of it. */
	uint32_t macs;
	/** Since the port was made: they only grow. */
	struct port_stats stats;
};

struct snapshot_lcore {
	unsigned int lcore;
	/** Rx queues that it polls. */
	unsigned int queues;
	uint64_t rounds;
	uint64_t busy_rounds;
	uint64_t slept_us;
};

struct snapshot {
	/** Seconds. */
	uint32_t uptime;
	uint32_t mbufs;
	uint32_t mbufs_available;
	/** Addresses that are learned of all ports, and how many can be. */
	uint32_t macs;
	uint32_t macs_limit;
	/** Vifs that xs_vifs_error() has an error of. */
	uint32_t vifs_refused;
	/** Those that there are, and the packets that captures have lost since the start. */
	uint32_t captures;
	uint64_t capture_lost;
	uint32_t mirrors;
	unsigned int nb_ports;
	struct snapshot_port ports[RTE_MAX_ETHPORTS];
	unsigned int nb_lcores;
	struct snapshot_lcore lcores[WORKERS_MAX];
};

/** Take one. Control thread. */
void
snapshot_take(const struct vswitch *sw, struct snapshot *snapshot);

#endif /* SNAPSHOT_H */
