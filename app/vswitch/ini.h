/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef INI_H
#define INI_H

/**
 * @file
 * Text of lines `[SECTION]`, `[SECTION NAME]` and `KEY = VALUE`, taken apart; what they mean is
 * somebody else's.
 *
 * Blanks at both ends of a line, of a key and of a value are ignored, as are empty lines and those
 * that begin with '#' or ';'. A value is all that follows the first '='. Lines end in LF or CR LF.
 */

#include <stdbool.h>
#include <stddef.h>

/** Room for a line without the blanks around it. */
#define INI_LINE_SIZE 1024

/** Where reading is. */
struct ini {
	/** What is to be read. */
	const char *at;
	/** Number of the line that was read; 0 at the beginning. */
	unsigned int line;
};

/** A section's line, or a key's. */
struct ini_item {
	bool section;
	/** Name of the section, or the key. */
	char *name;
	/** Behind that: the section's NAME, or the value. It may be empty. */
	char *value;
	/** What both point into. */
	char text[INI_LINE_SIZE];
};

/**
 * Read up to the next line that says something. Any thread.
 *
 * @param[in,out] ini
 *   After a failure it is at the line that is wrong.
 * @param[out] item
 *   The line.
 * @param[out] error
 *   On failure: what is wrong, in a line.
 * @param size
 *   Room for that.
 * @return
 *   1; 0: there is no more; -EINVAL: it is no such line, is too long, or has bytes that are neither
 *   printable ASCII nor blanks.
 */
int
ini_next(struct ini *ini, struct ini_item *item, char *error, size_t size);

#endif /* INI_H */
