/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "fake_vswitch.h"
#include "talk.h"

/* More than any of the tests takes. */
#define ROUNDS_MAX 100000

char talk_folder[] = "/tmp/vsw_control.XXXXXX";
char talk_path[64];
struct control *talk_control;
char talk_answer[TALK_ANSWER_SIZE];

int
talk_setup(void **state __rte_unused)
{
	fake_reset();
	talk_control = control_open(&fake.sw, talk_path);
	return talk_control == NULL ? -1 : 0;
}

int
talk_teardown(void **state __rte_unused)
{
	if (talk_control != NULL)
		control_close(talk_control);
	talk_control = NULL;
	return access(talk_path, F_OK) == 0 ? -1 : 0;
}

/* Serve once; 0: there was nothing to do. */
int
serve_once(void)
{
	struct pollfd fds[CONTROL_FDS_MAX];
	unsigned int n;
	int ready;

	n = control_poll(talk_control, fds);
	assert_true(n <= CONTROL_FDS_MAX);
	ready = poll(fds, n, 0);
	assert_true(ready >= 0);
	control_serve(talk_control, fds, n);
	return ready;
}

/* Serve until there is nothing to do: nobody lets the switch spin. */
void
serve(void)
{
	unsigned int i = 0;

	while (serve_once() != 0)
		assert_true(i++ < ROUNDS_MAX);
}

int
join_at(const char *at)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", at);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

int
join(void)
{
	int fd = join_at(talk_path);

	serve();
	return fd;
}

void
say_bytes(int fd, const void *bytes, size_t len)
{
	assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), len);
}

void
say(int fd, const char *text)
{
	say_bytes(fd, text, strlen(text));
}

/* All that there is for the client, while the switch serves it. */
const char *
hear(int fd)
{
	size_t len = 0;
	ssize_t n;

	for (;;) {
		serve();
		n = recv(fd, talk_answer + len, sizeof(talk_answer) - 1 - len, 0);
		if (n <= 0)
			break;
		len += n;
	}
	talk_answer[len] = '\0';
	return talk_answer;
}

/* The switch has closed the connection, and nothing is left to be read. */
void
assert_closed(int fd)
{
	char c;

	serve();
	assert_true(recv(fd, &c, 1, 0) == 0 || errno == ECONNRESET);
	close(fd);
}

void
assert_open(int fd)
{
	say(fd, RESET);
	assert_string_equal(hear(fd), DONE);
	close(fd);
	serve();
}

int
talk_begin(void **state __rte_unused)
{
	if (mkdtemp(talk_folder) == NULL)
		return -1;
	snprintf(talk_path, sizeof(talk_path), "%s/control.sock", talk_folder);
	return 0;
}

int
talk_end(void **state __rte_unused)
{
	return rmdir(talk_folder);
}
