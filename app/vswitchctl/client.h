/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef CLIENT_H
#define CLIENT_H

/**
 * @file
 * The connection to the switch. What goes wrong is said on standard error; there is one thread.
 */

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

/** Seconds that a request may take: a reload may open and start devices. */
#define CLIENT_TIMEOUT_S 60

/** How the program ends. */
enum client_status {
	CLIENT_OK,
	/** The switch has refused a request, or what it said could not be written. */
	CLIENT_REFUSED,
	CLIENT_USAGE,
	/** There is no switch to talk to, or it does not answer as one does. */
	CLIENT_NO_SWITCH,
};

struct client {
	const char *path;
	int fd;
	/** What the switch sends. */
	FILE *in;
	/** What goes with the next request; -1: nothing. It is the caller's to close. */
	int file;
	/** Of the last request: anything but CLIENT_OK if it failed. */
	enum client_status status;
};

/** Say that something is wrong, as one line that begins with the program's name. */
void
client_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** From now on errors are written there, without the program's name; NULL: on standard error. */
void
client_errors_to(char *text, size_t size);

/**
 * Connect, and ask for the protocol's version.
 *
 * @param path
 *   The socket's; has to be there as long as \p client.
 * @return
 *   What the switch says of its version, for the caller to free; NULL: the client's status says
 *   why, and there is nothing to close.
 */
json_t *
client_open(struct client *client, const char *path);

void
client_close(struct client *client);

/**
 * Have a command done.
 *
 * @param args
 *   Its arguments, which are taken; NULL: it has none.
 * @return
 *   Its result, for the caller to free; NULL: the client's status says why.
 */
json_t *
client_request(struct client *client, const char *command, json_t *args);

/**
 * Its two halves: the first one returns 0, or -1 where client_request() returns NULL. What it sends
 * is answered in order.
 */
int
client_send(struct client *client, const char *command, json_t *args);

json_t *
client_receive(struct client *client, const char *command);

/** Wait for answers without an end, or no longer than for others. */
void
client_patient(struct client *client, bool patient);

/**
 * The same, for a result that comes in parts.
 *
 * @param list
 *   The member of the result that has the entries: those of all parts.
 */
json_t *
client_request_list(struct client *client, const char *command, json_t *args, const char *list);

#endif /* CLIENT_H */
