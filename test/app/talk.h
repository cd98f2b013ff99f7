/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef TALK_H
#define TALK_H

/** @file Clients of the control socket of the fake switch; the test serves them itself. */

#include <stddef.h>

#include "control.h"

#define RESET "{\"command\":\"reset\"}\n"
/** The answer to it. */
#define DONE "{\"ok\":true,\"result\":{}}\n"

#define TALK_ANSWER_SIZE (4u * 1024 * 1024)

extern char talk_folder[];
/** Of the socket. */
extern char talk_path[64];
extern struct control *talk_control;
/** What hear() has heard. */
extern char talk_answer[TALK_ANSWER_SIZE];

/** A folder for the socket: a group's setup. */
int
talk_begin(void **state);

int
talk_end(void **state);

/** A switch and its socket: a test's setup. */
int
talk_setup(void **state);

int
talk_teardown(void **state);

/** Serve once; 0: there was nothing to do. */
int
serve_once(void);

/** Serve until there is nothing to do: nobody lets the switch spin. */
void
serve(void);

int
join_at(const char *at);

/** Connect, and be accepted. */
int
join(void);

void
say_bytes(int fd, const void *bytes, size_t len);

void
say(int fd, const char *text);

/** All that there is for the client, while the switch serves it. */
const char *
hear(int fd);

/** Fail unless the switch has closed the connection, and nothing is left to be read. */
void
assert_closed(int fd);

/** Fail unless it answers; close the connection. */
void
assert_open(int fd);

#endif /* TALK_H */
