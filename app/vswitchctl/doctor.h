/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef DOCTOR_H
#define DOCTOR_H

/**
 * @file
 * What the switch needs of this machine: what is there, and how to mend what is not.
 *
 * All paths are below the folder that the variable XENVSWITCH_ROOT names, for tests.
 */

#include <stdbool.h>

#include "client.h"

#define DOCTOR_CONFIG "/etc/dpdk-xenvswitch.conf"
#define DOCTOR_TEXT_SIZE 512
/** Devices of uplinks at most: more than the switch takes. */
#define DOCTOR_DEVICES_MAX 64

/** What the configuration says, as far as it matters here. Defaults are the switch's. */
struct doctor_config {
	char eal[DOCTOR_TEXT_SIZE];
	char control[DOCTOR_TEXT_SIZE];
	unsigned long mbufs;
	/** There is a port of kind tap. */
	bool taps;
	/** One has `vhost`. */
	bool vhost;
	/** `devargs` of ports. */
	unsigned int nb_devices;
	char devices[DOCTOR_DEVICES_MAX][DOCTOR_TEXT_SIZE];
};

struct doctor {
	/** NULL: the configuration's, else the default. */
	const char *socket;
	/** The configuration's path, with the root in it. */
	char path[DOCTOR_TEXT_SIZE];
	bool json;
	bool bad;
	/** With `json`: what was found. */
	json_t *checks;
	struct doctor_config config;
};

/**
 * Look at everything, and print what was found.
 *
 * @param socket
 *   The switch's; NULL: as the configuration says.
 * @param config
 *   The configuration's path.
 * @return
 *   CLIENT_OK; CLIENT_REFUSED: something is bad.
 */
enum client_status
doctor(const char *socket, const char *config, bool json);

/** Report something that is as it should be; no `why`, or that it is not: `why`, how to mend it. */
void
doctor_say(struct doctor *d, const char *what, const char *why, ...)
		__attribute__((format(printf, 3, 4)));

/** A path below the root, in a buffer of DOCTOR_TEXT_SIZE bytes, which it returns. */
char *
doctor_path(char *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** The first line of a file, without its newline; false: it cannot be read. */
bool
doctor_read(const char *path, char *line, size_t size);

/** Read the configuration, and have the switch check it. */
void
doctor_check_config(struct doctor *d);

/** Huge pages and memory. */
void
doctor_check_memory(struct doctor *d);

/** Does the switch answer, and what has it to complain about? */
void
doctor_check_switch(struct doctor *d);

#endif /* DOCTOR_H */
