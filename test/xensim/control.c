/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Asking the machine's daemon. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tool.h"

/* Send one request and read the one reply; "ok" is success. 0, or a negative errno. */
int
control_call(const char *dir, const char *request, char *reply, size_t size)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	ssize_t len;
	int fd, ret = 0;

	if (strlen(dir) > TOOL_DIR_MAX)
		return -ENAMETOOLONG;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%.*s/control", TOOL_DIR_MAX, dir);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0 ||
			send(fd, request, strlen(request), MSG_NOSIGNAL) < 0) {
		ret = -errno;
		close(fd);
		return ret;
	}
	len = recv(fd, reply, size - 1, 0);
	if (len <= 0) {
		ret = len < 0 ? -errno : -ECONNRESET;
		len = 0;
	}
	reply[len] = '\0';
	close(fd);
	return ret;
}
