/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "xen_compat.h"
#include "xen_reason.h"

RTE_EXPORT_INTERNAL_SYMBOL(xen_reason_set)
int
xen_reason_set(struct xen_reason *why, int err, const char *fmt, ...)
{
	va_list ap;

	why->err = err;
	va_start(ap, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, ap);
	va_end(ap);
	return -err;
}

static int
quote_char(char piece[sizeof("\\xNN")], char c)
{
	if (c == '\'' || c == '\\')
		return snprintf(piece, sizeof("\\xNN"), "\\%c", c);
	if (c >= ' ' && c <= '~')
		return snprintf(piece, sizeof("\\xNN"), "%c", c);
	return snprintf(piece, sizeof("\\xNN"), "\\x%02x", (unsigned char)c);
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_quote)
const char *
xen_quote(struct xen_quote *q, const char *text)
{
	static const char cut[] = "\\...";
	char piece[sizeof("\\xNN")];
	size_t used = 0, len;
	const char *c;

	for (c = text; *c != '\0'; c++, used += len) {
		len = quote_char(piece, *c);
		if (used + len > sizeof(q->text) - sizeof(cut)) {
			memcpy(q->text + used, cut, sizeof(cut));
			return q->text;
		}
		memcpy(q->text + used, piece, len);
	}
	q->text[used] = '\0';
	return q->text;
}
