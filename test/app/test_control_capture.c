/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Captures by the control socket: the file comes with the request, the end when that is so. */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>

#include <cmocka.h>

#include "fake_vswitch.h"
#include "protocol.h"
#include "talk.h"

#define CAPTURE "{\"command\":\"capture\"}\n"
#define WAIT "{\"command\":\"capture wait\"}\n"
#define NO_FILE "{\"ok\":false,\"error\":\"no file has come with the request\"}\n"
#define RESULT(end) "{\"ok\":true,\"result\":{\"end\":\"" end "\",\"packets\":12,\"lost\":3}}\n"

/* Say something, and pass so many files with it. */
static void
say_with(int fd, const char *text, const int *files, unsigned int n)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(4 * sizeof(int))];
	} control_room = { .align.cmsg_len = CMSG_LEN(n * sizeof(int)),
		.align.cmsg_level = SOL_SOCKET,
		.align.cmsg_type = SCM_RIGHTS };
	struct iovec data = { .iov_base = strdup(text), .iov_len = strlen(text) };
	struct msghdr message = { .msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control_room,
		.msg_controllen = CMSG_SPACE(n * sizeof(int)) };

	memcpy(CMSG_DATA(&control_room.align), files, n * sizeof(int));
	assert_int_equal(sendmsg(fd, &message, MSG_NOSIGNAL), strlen(text));
	free(data.iov_base);
}

/* The end of a pipe is at hand once nobody else has its other one. */
static void
assert_hung_up(int fd)
{
	struct pollfd fds = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&fds, 1, 0), 1);
	assert_int_equal(fds.revents & POLLHUP, POLLHUP);
	close(fd);
}

/* It is told of the end when that has come, and asks nothing else before. */
static void
test_capture(void **state __rte_unused)
{
	int fd = join(), pipe_fds[2];

	assert_int_equal(pipe(pipe_fds), 0);
	say(fd, CAPTURE);
	assert_string_equal(hear(fd), NO_FILE);
	say_with(fd, CAPTURE, &pipe_fds[1], 1);
	close(pipe_fds[1]);
	assert_string_equal(hear(fd), DONE);
	assert_hung_up(pipe_fds[0]);
	/* Silent, and not taken for idle. */
	fake.sw.now += 10 * PROTOCOL_STALLED_S;
	say(fd, WAIT RESET);
	assert_string_equal(hear(fd), "");
	fake.sw.now += 10 * PROTOCOL_STALLED_S;
	assert_string_equal(hear(fd), "");
	capture_stop(&fake.capture, CAPTURE_END_COUNT);
	assert_string_equal(hear(fd), "");
	fake.capture_ended = true;
	assert_string_equal(hear(fd), RESULT("count") DONE);
	assert_true(fake.capture_left);
	assert_open(fd);
}

/* A client that says no more has its capture ended, and is told of it nevertheless. */
static void
test_capture_half_closed(void **state __rte_unused)
{
	int fd = join(), file = open("/dev/null", O_WRONLY);

	say_with(fd, CAPTURE, &file, 1);
	close(file);
	say(fd, WAIT);
	assert_string_equal(hear(fd), DONE);
	assert_int_equal(fake.capture.end, CAPTURE_RUNS);
	shutdown(fd, SHUT_WR);
	assert_string_equal(hear(fd), "");
	assert_int_equal(fake.capture.end, CAPTURE_END_CLIENT);
	fake.capture_ended = true;
	serve_once();
	assert_string_equal(hear(fd), RESULT("client"));
	assert_closed(fd);
}

/* One that is gone leaves its capture, whatever it was about to say; the switch does not spin. */
static void
test_capture_gone(void **state __rte_unused)
{
	static const char *const last[] = { "", WAIT, WAIT RESET, WAIT "{\"comm" };
	char blanks[PROTOCOL_REQUEST_MAX];
	unsigned int i, j;
	int fd, file;

	memset(blanks, ' ', sizeof(blanks));
	for (i = 0; i < RTE_DIM(last); i++) {
		fake_reset();
		fd = join();
		file = open("/dev/null", O_WRONLY);
		say_with(fd, CAPTURE, &file, 1);
		close(file);
		assert_string_equal(hear(fd), DONE);
		say(fd, last[i]);
		/* More than the switch keeps of what it may not look at yet. */
		for (j = 0; i == 2 && j < 3; j++)
			say_bytes(fd, blanks, sizeof(blanks));
		serve();
		close(fd);
		serve();
		assert_int_equal(fake.capture.end, CAPTURE_END_CLIENT);
		fake.capture_ended = true;
		serve_once();
		serve();
		assert_true(fake.capture_left);
	}
	assert_open(join());
}

/* Nor is it in the way of others, who have the places of those that are idle. */
static void
test_places(void **state __rte_unused)
{
	int fds[PROTOCOL_CLIENTS_MAX], file = open("/dev/null", O_WRONLY), late;
	unsigned int i;

	fds[0] = join();
	say_with(fds[0], CAPTURE, &file, 1);
	close(file);
	assert_string_equal(hear(fds[0]), DONE);
	fake.sw.now++;
	for (i = 1; i < PROTOCOL_CLIENTS_MAX; i++)
		fds[i] = join();
	fake.sw.now += PROTOCOL_STALLED_S;
	late = join();
	assert_closed(fds[1]);
	assert_open(late);
	assert_false(fake.capture_left);
	assert_open(fds[0]);
}

/* Files that no command takes are closed, all of them. */
static void
test_files(void **state __rte_unused)
{
	int fd = join(), fds[2], files[4];
	unsigned int i;

	assert_int_equal(pipe(fds), 0);
	for (i = 0; i < RTE_DIM(files); i++)
		files[i] = fds[1];
	say_with(fd, RESET, files, RTE_DIM(files));
	assert_string_equal(hear(fd), DONE);
	say_with(fd, RESET, files, 1);
	assert_string_equal(hear(fd), DONE);
	close(fds[1]);
	close(fd);
	serve();
	assert_hung_up(fds[0]);
	assert_open(join());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_capture, talk_setup, talk_teardown),
		cmocka_unit_test_setup_teardown(test_capture_half_closed, talk_setup,
				talk_teardown),
		cmocka_unit_test_setup_teardown(test_capture_gone, talk_setup, talk_teardown),
		cmocka_unit_test_setup_teardown(test_places, talk_setup, talk_teardown),
		cmocka_unit_test_setup_teardown(test_files, talk_setup, talk_teardown),
	};

	return cmocka_run_group_tests_name("vsw_control_capture", tests, talk_begin, talk_end);
}
