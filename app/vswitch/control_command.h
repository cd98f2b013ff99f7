/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef CONTROL_COMMAND_H
#define CONTROL_COMMAND_H

/**
 * @file
 * The commands of the control socket, without the socket: a request in, an answer out. All
 * functions are for the control thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#define CONTROL_ERROR_SIZE 640

struct port;
struct vswitch;

/** What a request asks a command to do. */
struct control_args {
	/** NULL: all. */
	const struct port *port;
	/** Index of a bridge; negative: all. */
	int bridge;
	bool all;
	uint32_t next;
	uint16_t queue;
	/** Index of workers. */
	unsigned int worker;
	bool dry_run;
	const char *rate;
};

/**
 * Answer a request: any bytes, without a newline at their end.
 *
 * @return
 *   The object that protocol.h describes, for the caller to free; NULL: there is no memory.
 */
json_t *
control_answer(struct vswitch *sw, const char *request, size_t len);

/** An answer that says what is wrong: one line of ASCII. NULL: there is no memory. */
json_t *
control_refusal(const char *error);

/** The name of a command, from 0 on; NULL: there are no more. */
const char *
control_command_name(unsigned int i);

/*
 * The commands that show something: each returns its result, or NULL when there is no memory.
 */

/** Each port, as it was asked for and as it is. */
json_t *
control_show_ports(const struct vswitch *sw, const struct control_args *args);

/** Each bridge, with its ports. */
json_t *
control_show_bridges(const struct vswitch *sw, const struct control_args *args);

/** Each lcore that forwards, with the queues that it polls. */
json_t *
control_show_lcores(const struct vswitch *sw, const struct control_args *args);

/** Addresses, PROTOCOL_MACS_MAX of them at most: of `port`, of `bridge`, from `next` on. */
json_t *
control_show_macs(const struct vswitch *sw, const struct control_args *args);

/** What each port has received, sent and lost. */
json_t *
control_show_stats(const struct vswitch *sw, const struct control_args *args);

/** What was lost, by ports and reasons: of `port`; with `all` also what was not. */
json_t *
control_show_drops(const struct vswitch *sw, const struct control_args *args);

/** What was said of vifs that have no port. */
json_t *
control_show_errors(const struct vswitch *sw, const struct control_args *args);

/*
 * Those that change something: the same, but with CONTROL_ERROR_SIZE bytes in `why`, empty before,
 * for what was wrong.
 */

/** Have the queue polled by another lcore. */
json_t *
control_move(struct vswitch *sw, const struct control_args *args, char *why);

/** Spread the load over the lcores. */
json_t *
control_rebalance(struct vswitch *sw, const struct control_args *args, char *why);

/** Limit what a guest sends. */
json_t *
control_set_rate(struct vswitch *sw, const struct control_args *args, char *why);

#endif /* CONTROL_COMMAND_H */
