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

#include "capture.h"
#include "protocol.h"

#define CONTROL_ERROR_SIZE 640

struct port;
struct vswitch;

/** What commands know of the connection that they came by. */
struct control_session {
	/** A file that came with the requests; a command that takes it leaves -1. */
	int file;
	/** NULL: none was begun by it. */
	struct capture *capture;
	/** Its request is to be answered as soon as its capture has ended. */
	bool waits;
};

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
	/** NULL: none. */
	const struct port *to;
	bool off;
	enum direction direction;
	/** Of a capture; 0: no limit. */
	uint32_t count;
	uint32_t seconds;
	uint32_t snaplen;
	struct control_session *session;
	const char *name;
	unsigned int nb_keys;
	const char *keys[PROTOCOL_KEYS_MAX];
};

/**
 * Answer a request: any bytes, without a newline at their end.
 *
 * @param session
 *   If it waits afterwards then this is not the answer, but control_capture_result() will be.
 * @return
 *   The object that protocol.h describes, for the caller to free; NULL: there is no memory.
 */
json_t *
control_answer(struct vswitch *sw, struct control_session *session, const char *request,
		size_t len);

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

/** Why vifs and ports of the configuration are not there, and devices of closed ports are. */
json_t *
control_show_errors(const struct vswitch *sw, const struct control_args *args);

/** The captures that there are. */
json_t *
control_show_captures(const struct vswitch *sw, const struct control_args *args);

/** The ports that are mirrored. */
json_t *
control_show_mirrors(const struct vswitch *sw, const struct control_args *args);

/** The answer to a client whose capture has ended: with what became of it. */
json_t *
control_capture_result(const struct capture *capture);

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

/** Add a port to the configuration. */
json_t *
control_add_port(struct vswitch *sw, const struct control_args *args, char *why);

/** Take a port out of the configuration. */
json_t *
control_remove_port(struct vswitch *sw, const struct control_args *args, char *why);

/** Begin a capture, into the file of the session. */
json_t *
control_capture(struct vswitch *sw, const struct control_args *args, char *why);

/** Wait for its end: the session does then. */
json_t *
control_capture_wait(struct vswitch *sw, const struct control_args *args, char *why);

/** Have a port mirrored, or no more. */
json_t *
control_mirror(struct vswitch *sw, const struct control_args *args, char *why);

/*
 * What reads the arguments of these: 0, or -EINVAL.
 */

int
control_set_to(const struct vswitch *sw, const json_t *value, struct control_args *args);

int
control_set_off(const struct vswitch *sw, const json_t *value, struct control_args *args);

int
control_set_direction(const struct vswitch *sw, const json_t *value, struct control_args *args);

int
control_set_count(const struct vswitch *sw, const json_t *value, struct control_args *args);

int
control_set_seconds(const struct vswitch *sw, const json_t *value, struct control_args *args);

int
control_set_snaplen(const struct vswitch *sw, const json_t *value, struct control_args *args);

#endif /* CONTROL_COMMAND_H */
