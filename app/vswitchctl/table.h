/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef TABLE_H
#define TABLE_H

/**
 * @file
 * Tables for people, of lists of JSON objects. All of it may be called by any thread.
 */

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

/** A column; the last of a table has no title. */
struct column {
	const char *title;
	/** The member of the objects. */
	const char *key;
	/** To the right. */
	bool number;
	/** What stands for true and false; NULL: `yes` and `no`. */
	const char *yes;
	const char *no;
};

/**
 * Print a table: a line of titles, and one for each object. What is null or not there is a hyphen.
 *
 * @return
 *   0 or -ENOMEM.
 */
int
table_print(FILE *to, const json_t *rows, const struct column *columns);

#endif /* TABLE_H */
