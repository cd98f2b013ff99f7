/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* The machine's xenstore, as the toolstack in domain 0 uses it. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

struct xs_handle *
store_open(void)
{
	char path[PATH_MAX];
	struct xs_handle *xs;

	if (tool_dir() == NULL) {
		fail("no machine: set XENSIM_DIR or give --dir DIR");
		return NULL;
	}
	setenv("XENSTORED_PATH", path_of(path, sizeof(path), "%s/run/socket", tool_dir()), 1);
	xs = xs_open(0);
	if (xs == NULL)
		fail("%s: xenstore does not answer: %s", path, strerror(errno));
	return xs;
}

bool
store_write(struct xs_handle *xs, xs_transaction_t t, const char *value, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	return xs_write(xs, t, path, value, (unsigned int)strlen(value));
}

char *
store_read(struct xs_handle *xs, xs_transaction_t t, const char *fmt, ...)
{
	char path[PATH_MAX];
	unsigned int len;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	return xs_read(xs, t, path, &len);
}

bool
store_dir(struct xs_handle *xs, xs_transaction_t t, const struct xs_permissions *perms,
		unsigned int n, const char *path)
{
	struct xs_permissions copy[4];

	memcpy(copy, perms, n * sizeof(copy[0]));
	return xs_mkdir(xs, t, path) && xs_set_permissions(xs, t, path, copy, n);
}

/* -1 when the key is missing or no number. */
int
store_read_int(struct xs_handle *xs, const char *fmt, ...)
{
	char path[PATH_MAX];
	unsigned int len;
	va_list ap;
	char *text, *end;
	long value = -1;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	text = xs_read(xs, XBT_NULL, path, &len);
	if (text == NULL)
		return -1;
	value = strtol(text, &end, 10);
	if (end == text || *end != '\0')
		value = -1;
	free(text);
	return (int)value;
}
