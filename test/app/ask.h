/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef ASK_H
#define ASK_H

/** @file Requests to the fake switch, without a socket. JSON is written with apostrophes. */

#include <jansson.h>

#include "control_command.h"

/** Of the connection that all requests come by. */
extern struct control_session ask_session;

/** A new switch, and a new connection: a test's setup. */
int
ask_setup(void **state);

/** The answer to a request. */
json_t *
ask_raw(const char *request);

/** The result of a command with these arguments. */
json_t *
ask(const char *command, const char *args);

/** Fail unless that is the result. */
void
assert_result(const char *command, const char *args, const char *wanted);

/** Fail unless the request is refused with that error. */
void
assert_refused(const char *request, const char *wanted);

#endif /* ASK_H */
