/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef NAME_H
#define NAME_H

/**
 * @file
 * Names of ports and bridges: those that Linux takes for interfaces, as xl writes them, and that
 * need no quotes anywhere.
 */

#include <stdbool.h>
#include <string.h>

/** Size of a name, its terminator counted in. */
#define NAME_SIZE 16
/** For messages: what is allowed. */
#define NAME_RULE "1 to 15 letters, digits, '_', '.' and '-', the first of them no '.' or '-'"

/** Is the text a name? Any thread. */
static inline bool
name_valid(const char *text)
{
	static const char set[] =
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
	size_t len = strlen(text);

	return len > 0 && len < NAME_SIZE && strspn(text, set) == len && text[0] != '.' &&
			text[0] != '-';
}

#endif /* NAME_H */
