/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef CAPTURE_H
#define CAPTURE_H

/**
 * @file
 * Captures: what comes in by ports and goes out is written to a file that a client of the control
 * socket has opened. All functions are for the control thread, and never wait for the file.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane.h"
#include "name.h"

struct capture_writer;
struct port;
struct vswitch;

/** Which way packets go, as bits. */
enum direction {
	DIRECTION_RX = 1,
	DIRECTION_TX = 2,
	DIRECTION_BOTH = 3,
};

/** Why a capture has ended. */
enum capture_end {
	/** It has not. */
	CAPTURE_RUNS,
	CAPTURE_END_COUNT,
	CAPTURE_END_SECONDS,
	/** Its client wants no more, or is gone. */
	CAPTURE_END_CLIENT,
	/** Its port is gone. */
	CAPTURE_END_PORT,
	/** The file takes no more. */
	CAPTURE_END_FILE,
};

/** What is wanted of a capture. */
struct capture_spec {
	/** Of the port; empty: all ports, also those that are made later. */
	char port[NAME_SIZE];
	enum direction direction;
	/** 0: no limit. */
	uint32_t count;
	uint32_t seconds;
	uint32_t snaplen;
};

struct capture {
	struct capture_spec spec;
	struct capture_writer *writer;
	pthread_t thread;
	/** TSC at which its seconds are over. */
	uint64_t deadline;
	enum capture_end end;
	/** No lcore has it. */
	bool released;
	/** Nobody wants to know what became of it. */
	bool left;
};

/** What became of a capture, or has become of it so far. */
struct capture_result {
	enum capture_end end;
	/** Packets in the file, and those that are not for want of room. */
	uint64_t packets;
	uint64_t lost;
	/** Negative errno, if `end` is CAPTURE_END_FILE. */
	int error;
};

/**
 * Begin one.
 *
 * @param fd
 *   The file, open for writing; it is the capture's if that begins.
 * @param[out] capture
 *   It, until capture_leave().
 * @return
 *   0; -ENOSPC: there are CAPTURES_MAX already; -ENOMEM; another negative errno.
 */
int
capture_begin(struct vswitch *sw, const struct capture_spec *spec, int fd,
		struct capture **capture);

/** End it, unless it has ended; capture_ended() says when that is so. */
void
capture_stop(struct capture *capture, enum capture_end end);

/** Has it ended, with a file that is complete and closed? */
bool
capture_ended(const struct capture *capture);

void
capture_result(const struct capture *capture, struct capture_result *result);

/** End it, and forget it as soon as that is so. */
void
capture_leave(struct capture *capture);

/** The name of an end, for the control socket. */
const char *
capture_end_name(enum capture_end end);

/** See to the captures that are to end: to be called some times a second. */
void
capture_serve(struct vswitch *sw);

/** A port is gone: captures of it end. */
void
capture_forget_port(struct vswitch *sw, const struct port *port);

/** Let lcores have the captures that there are: ports are in the dataplane already. */
void
capture_fill(const struct vswitch *sw, struct dataplane *dp);

/** Packets that all captures have lost since the start: it never goes back. */
uint64_t
capture_lost(const struct vswitch *sw);

/** End them all, when there are no lcores any more. A writer that hangs is left alone. */
void
capture_close(struct vswitch *sw);

#endif /* CAPTURE_H */
