/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef FAKE_VSWITCH_H
#define FAKE_VSWITCH_H

/**
 * @file
 * A switch without DPDK, for those who look at it: three ports, two bridges, two lcores, and the
 * functions that tell of them.
 */

#include "vswitch.h"

/** The numbers of its ports. */
#define FAKE_UPLINK 0
#define FAKE_GUEST 2
#define FAKE_TAP 5

/** What the fakes do. */
struct fake {
	struct vswitch sw;
	/** Addresses in the forwarding database: of the ports in turn, the guest's pinned. */
	uint32_t nb_macs;
	/** How often a next one was asked for. */
	unsigned int steps;
	/** What reload_config() returns, and says. */
	int reload_ret;
	struct config_error reload_error;
	unsigned int reloads;
	/** What balance_move() and xs_vifs_set_rate() return, and what they were asked for. */
	int change_ret;
	uint16_t moved_port, moved_queue;
	unsigned int moved_to;
	bool dry_run;
	char rate[32];
	/** The last capture that was begun, and what capture_begin() and mirrors return. */
	struct capture capture;
	int copies_ret;
	bool capture_ended, capture_left;
	/** What reload_add() and reload_remove() were asked for; they return what the others do. */
	char change[128];
	/** Devices that are left of closed ports. */
	unsigned int nb_left;
	/** Vifs that something was said of, the first of which is over. */
	unsigned int nb_errors;
	/** Counters of the ports. */
	struct port_stats stats[RTE_MAX_ETHPORTS];
};

/** It; there is one. */
extern struct fake fake;

/** Make it anew. */
void
fake_reset(void);

#endif /* FAKE_VSWITCH_H */
