/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Bytes in transit. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xenbus.h"

int
bytes_add(struct bytes *b, const void *data, size_t len)
{
	size_t cap;
	char *p;

	if (b->off > 0) {
		memmove(b->data, b->data + b->off, b->len - b->off);
		b->len -= b->off;
		b->off = 0;
	}
	if (b->len + len > b->cap) {
		cap = (b->len + len) * 2;
		p = realloc(b->data, cap);
		if (p == NULL)
			return -ENOMEM;
		b->data = p;
		b->cap = cap;
	}
	memcpy(b->data + b->len, data, len);
	b->len += len;
	return 0;
}

void
bytes_drop(struct bytes *b, size_t len)
{
	b->off += len;
	if (b->off == b->len)
		b->off = b->len = 0;
}

void
bytes_free(struct bytes *b)
{
	free(b->data);
	memset(b, 0, sizeof(*b));
}
