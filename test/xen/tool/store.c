/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 *
 * A guest's xenstore over /dev/xen/xenbus: the wire protocol of xen/io/xs_wire.h, one request at
 * a time.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xen/io/xs_wire.h>

#include "store.h"

static int bus = -1;

static int
read_whole(void *to, size_t size)
{
	size_t done = 0;
	ssize_t n;

	while (done < size) {
		n = read(bus, (char *)to + done, size - done);
		if (n <= 0)
			return -EIO;
		done += (size_t)n;
	}
	return 0;
}

/* Sends a request, puts the answer as a string into @p value. */
static int
ask(uint32_t type, const char *payload, size_t length, char *value, size_t room)
{
	struct xsd_sockmsg msg = { .type = type, .len = (uint32_t)length };
	char request[sizeof(msg) + 512], answer[XENSTORE_PAYLOAD_MAX + 1];

	if (bus < 0) {
		bus = open("/dev/xen/xenbus", O_RDWR | O_CLOEXEC);
		if (bus < 0)
			return -errno;
	}
	if (length > sizeof(request) - sizeof(msg))
		return -E2BIG;
	memcpy(request, &msg, sizeof(msg));
	memcpy(request + sizeof(msg), payload, length);
	if (write(bus, request, sizeof(msg) + length) != (ssize_t)(sizeof(msg) + length))
		return -EIO;
	if (read_whole(&msg, sizeof(msg)) != 0 || msg.len > XENSTORE_PAYLOAD_MAX ||
			read_whole(answer, msg.len) != 0)
		return -EIO;
	answer[msg.len] = '\0';
	if (msg.type == XS_ERROR)
		return strcmp(answer, "ENOENT") == 0 ? -ENOENT : -EINVAL;
	if (value != NULL)
		snprintf(value, room, "%s", answer);
	return 0;
}

int
store_read(const char *dir, const char *key, char *value, size_t room)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, key);
	return ask(XS_READ, path, strlen(path) + 1, value, room);
}

int
store_write(const char *dir, const char *key, uint32_t number)
{
	char request[300];
	int path, value;

	path = snprintf(request, sizeof(request), "%s/%s", dir, key) + 1;
	value = snprintf(request + path, sizeof(request) - (size_t)path, "%u", number);
	return ask(XS_WRITE, request, (size_t)(path + value), NULL, 0);
}
