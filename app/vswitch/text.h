/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef TEXT_H
#define TEXT_H

/**
 * @file
 * What the readers of text share: numbers, lists of numbers, and values as they are shown in
 * messages. All of it may be called by any thread.
 */

#include <stddef.h>
#include <stdint.h>

#include <rte_common.h>

/** What may separate words. */
#define TEXT_BLANKS " \t"
/** Room for a value as a message shows it. */
#define TEXT_QUOTE_SIZE 72
/** Numbers that a list may hold are less than this, and its words of 64 bits. */
#define TEXT_LIST_MAX 4096
#define TEXT_LIST_WORDS (TEXT_LIST_MAX / 64)

/** A value as a message shows it. */
struct text_quote {
	char text[TEXT_QUOTE_SIZE];
};

/**
 * Quote a value for a message: between apostrophes, bytes that are not printable as \\xNN, and cut
 * if it is long, which dots behind it tell.
 *
 * @return
 *   The text in \p quote.
 */
const char *
text_quote(struct text_quote *quote, const char *value);

/**
 * Say what is wrong; what does not fit is cut.
 *
 * @return
 *   -EINVAL.
 */
int
text_error(char *error, size_t size, const char *format, ...) __rte_format_printf(3, 4);

/**
 * Read a number in decimal digits alone.
 *
 * @return
 *   0; -EINVAL: it is none, or not from \p min to \p max. Then \p number is as it was.
 */
int
text_number(const char *text, uint32_t min, uint32_t max, uint32_t *number);

/**
 * Read a list of numbers and ranges of them, such as 1,3-4.
 *
 * @param separator
 *   The character between two. Blanks around a comma are ignored.
 * @param min
 *   Least number that is allowed.
 * @param max
 *   Greatest one: less than TEXT_LIST_MAX.
 * @param[in,out] bits
 *   TEXT_LIST_WORDS words, in which the bit of each number is set; on failure some may be.
 * @return
 *   How many numbers there are, those counted twice that are there twice; -EINVAL: it is no such
 *   list, has a number that is not allowed, or a range that goes down.
 */
int
text_list(const char *text, char separator, uint32_t min, uint32_t max, uint64_t *bits);

#endif /* TEXT_H */
