/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef SHOW_H
#define SHOW_H

/**
 * @file
 * What is shown of the switch, once or again and again.
 */

#include <stdbool.h>

#include "client.h"
#include "table.h"

/** What can be shown, and how. */
struct view {
	/** The switch's command. */
	const char *command;
	/** The member of its result that has the rows. */
	const char *list;
	const struct column *columns;
};

/** The view of a command, or NULL. */
const struct view *
show_view(const char *command);

/**
 * Print a result of the switch: its rows as a table, or all of it as JSON.
 */
enum client_status
show_result(const struct view *view, const json_t *result, bool json);

/** Print a result as JSON, indented. */
enum client_status
show_json(const json_t *result);

/**
 * Print the rates of each port, again and again.
 *
 * @param interval
 *   Seconds.
 * @param count
 *   How often; 0: without end.
 */
enum client_status
show_top(struct client *client, unsigned int interval, unsigned int count, bool json);

#endif /* SHOW_H */
