/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 *
 * One TCP connection, one direction of data, ended cleanly.
 */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rigtool.h"

static char buffer[1 << 16];

/* Moves everything up to the end of @p from; 0 or an exit status. */
static int
move_all(int from, int to)
{
	ssize_t got, put, done;

	while ((got = read(from, buffer, sizeof(buffer))) > 0) {
		for (done = 0; done < got; done += put) {
			put = write(to, buffer + done, (size_t)(got - done));
			if (put < 0)
				return failed("write");
		}
	}
	return got < 0 ? failed("read") : 0;
}

/* Waits for the one connection to @p port; -1 when there is none. */
static int
accept_one(const char *port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	int listener, conn = -1, on = 1;

	addr.sin_port = htons((in_port_t)number("port", port, 1, 65535));
	listener = socket(AF_INET, SOCK_STREAM, 0);
	if (listener < 0)
		return -1;
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&addr, sizeof(addr)) == 0 && listen(listener, 1) == 0)
		conn = accept(listener, NULL, NULL);
	close(listener);
	return conn;
}

int
tcp_listen(int argc, char **argv)
{
	int conn = accept_one(argv[0]);

	(void)argc;
	return conn < 0 ? failed("listen") : move_all(conn, STDOUT_FILENO);
}

int
tcp_serve(int argc, char **argv)
{
	int conn = accept_one(argv[0]);

	(void)argc;
	return conn < 0 ? failed("listen") : move_all(STDIN_FILENO, conn);
}

int
tcp_connect(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	int conn, ret;

	(void)argc;
	if (inet_pton(AF_INET, argv[0], &addr.sin_addr) != 1) {
		fprintf(stderr, "rigtool: '%s' must be an IPv4 address\n", argv[0]);
		return 2;
	}
	addr.sin_port = htons((in_port_t)number("port", argv[1], 1, 65535));
	conn = socket(AF_INET, SOCK_STREAM, 0);
	if (conn < 0)
		return failed("socket");
	if (connect(conn, (struct sockaddr *)&addr, sizeof(addr)) != 0)
		return failed("connect");
	ret = move_all(STDIN_FILENO, conn);
	if (ret != 0)
		return ret;
	if (shutdown(conn, SHUT_WR) != 0)
		return failed("shutdown");
	return move_all(conn, STDOUT_FILENO);
}
