/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

/* The longest piece of a quote, and what may follow the last one. */
#define PIECE_SIZE sizeof("\\xNN")
#define TAIL_SIZE sizeof("'...")

const char *
text_quote(struct text_quote *quote, const char *value)
{
	char *at = quote->text, *end = quote->text + sizeof(quote->text);

	*at++ = '\'';
	for (; *value != '\0' && at + PIECE_SIZE + TAIL_SIZE <= end; value++) {
		if (*value >= ' ' && *value <= '~' && *value != '\'' && *value != '\\')
			*at++ = *value;
		else
			at += snprintf(at, PIECE_SIZE, "\\x%02x", (uint8_t)*value);
	}
	snprintf(at, end - at, "'%s", *value == '\0' ? "" : "...");
	return quote->text;
}

int
text_error(char *error, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, size, format, args);
	va_end(args);
	return -EINVAL;
}

/* Read digits, with the greatest number in the place of greater ones. NULL: there are none. */
static const char *
read_digits(const char *at, uint32_t *number)
{
	uint64_t n = 0;

	if (*at < '0' || *at > '9')
		return NULL;
	for (; *at >= '0' && *at <= '9'; at++)
		n = RTE_MIN(n * 10 + (*at - '0'), (uint64_t)UINT32_MAX);
	*number = n;
	return at;
}

int
text_number(const char *text, uint32_t min, uint32_t max, uint32_t *number)
{
	const char *end;
	uint32_t n;

	end = read_digits(text, &n);
	if (end == NULL || *end != '\0' || n < min || n > max)
		return -EINVAL;
	*number = n;
	return 0;
}

/* Read NUMBER or FIRST-LAST. NULL: it is neither. */
static const char *
read_range(const char *at, uint32_t *first, uint32_t *last)
{
	at = read_digits(at, first);
	*last = *first;
	if (at != NULL && *at == '-')
		at = read_digits(at + 1, last);
	return at;
}

int
text_list(const char *text, char separator, uint32_t min, uint32_t max, uint64_t *bits)
{
	const char *blanks = separator == ',' ? TEXT_BLANKS : "";
	uint32_t first = 0, last = 0, n;
	const char *at = text;
	int count = 0;

	for (;;) {
		at = read_range(at, &first, &last);
		if (at == NULL || first < min || last > max || first > last)
			return -EINVAL;
		for (n = first; n <= last; n++)
			bits[n / 64] |= UINT64_C(1) << (n % 64);
		count += last - first + 1;
		if (*at == '\0')
			return count;
		at += strspn(at, blanks);
		if (*at != separator)
			return -EINVAL;
		at++;
		at += strspn(at, blanks);
	}
}
