/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef VSWITCH_H
#define VSWITCH_H

/**
 * @file
 * The switch as a whole. Only the control thread has it; lcores have their struct worker and the
 * dataplane.
 */

#include <stdbool.h>
#include <stdint.h>

#include "balance.h"
#include "config.h"
#include "dataplane.h"
#include "fdb.h"
#include "mirror.h"
#include "port.h"
#include "stats.h"
#include "worker.h"

/** Why a port of the configuration is not there. */
struct port_error {
	char name[NAME_SIZE];
	char text[PORT_ERROR_SIZE];
};

struct vswitch {
	const char *config_path;
	/** What the file says, and commands since it was read. */
	struct config config;
	struct rte_mempool *pool;
	struct rte_rcu_qsbr *rcu;
	struct fdb *fdb;
	struct rte_ring *news;
	/** What lcores read; never NULL. */
	struct dataplane *dataplane;
	unsigned int nb_workers;
	struct worker *workers[WORKERS_MAX];
	struct balance balance;
	/** By the number of ethdev; NULL: there is no such port. */
	struct port *ports[RTE_MAX_ETHPORTS];
	/** Counters of each port before it was reset or another had its number. */
	struct port_stats base[RTE_MAX_ETHPORTS];
	/** Counters of each port when it was made: of those that had its number before. */
	struct port_stats made[RTE_MAX_ETHPORTS];
	/** NULL: there is none; and the packets that those lost which are over. */
	struct capture *captures[CAPTURES_MAX];
	uint64_t capture_lost;
	/** By the number of the port that is mirrored. */
	struct mirror mirrors[RTE_MAX_ETHPORTS];
	/** Of ports that the configuration has; each port once. */
	unsigned int nb_errors;
	struct port_error errors[CONFIG_PORTS_MAX];
	/** What xenstore has, as it was seen last. */
	struct xs_vifs *vifs;
	/** Seconds of a clock that nobody sets, at start and now. */
	uint32_t started;
	uint32_t now;
	/** When everything was applied last, and whether something of it failed. */
	uint32_t applied;
	bool failed;
	bool stop;
	bool reload;
};

/** A port by its name, or NULL. */
struct port *
vswitch_port(const struct vswitch *sw, const char *name);

/** The sum of a port's counters over all lcores since it was made or reset. */
void
vswitch_stats(const struct vswitch *sw, uint16_t port, struct port_stats *sum);

/** The same since it was made, whatever was reset: these never go back. */
void
vswitch_stats_total(const struct vswitch *sw, uint16_t port, struct port_stats *sum);

/** Let a port's counters begin at 0. */
void
vswitch_stats_reset(struct vswitch *sw, uint16_t port);

/** A port has been made: its counters begin at 0, those that never go back too. */
void
vswitch_stats_begin(struct vswitch *sw, uint16_t port);

/**
 * Learn what lcores have seen, and forget what they have not: to be called every second at least.
 *
 * @return
 *   Addresses that lcores have told of: if there were some there may be more.
 */
unsigned int
vswitch_housekeeping(struct vswitch *sw);

#endif /* VSWITCH_H */
