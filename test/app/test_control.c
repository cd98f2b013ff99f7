/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* The control socket: clients that are slow, many, silent, gone, or send what is no request. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cmocka.h>

#include "control_command.h"
#include "fake_vswitch.h"
#include "protocol.h"
#include "talk.h"

#define MACS "{\"command\":\"show macs\"}\n"
#define NO_JSON \
	"{\"ok\":false,\"error\":\"no JSON from byte 0 on; a request is {\\\"command\\\": NAME," \
	" \\\"args\\\": {...}}\"}\n"
#define TOO_LONG "{\"ok\":false,\"error\":\"the request is too long; allowed: 4096 bytes\"}\n"
#define TOO_MANY "{\"ok\":false,\"error\":\"there are too many clients; allowed: 16\"}\n"

static void
test_requests(void **state __rte_unused)
{
	int fd = join();

	say(fd, RESET RESET "\n" RESET);
	assert_string_equal(hear(fd), DONE DONE NO_JSON DONE);
	say(fd, "{\"comm");
	assert_string_equal(hear(fd), "");
	say(fd, "and\":\"reset\"}");
	assert_string_equal(hear(fd), "");
	say(fd, " \r\n{\"command\":");
	assert_string_equal(hear(fd), DONE);
	say(fd, "\"reset\"}\n");
	assert_string_equal(hear(fd), DONE);
	assert_open(fd);
}

static void
test_byte_by_byte(void **state __rte_unused)
{
	const char *c;
	int fd = join();

	for (c = RESET; *c != '\0'; c++) {
		say_bytes(fd, c, 1);
		serve();
	}
	assert_string_equal(hear(fd), DONE);
	assert_open(fd);
}

/* A request of so many bytes, its newline counted in. */
static void
say_long(int fd, size_t len)
{
	char text[3 * PROTOCOL_REQUEST_MAX];

	assert_true(len <= sizeof(text));
	memset(text, ' ', len);
	memcpy(text, RESET, sizeof(RESET) - 2);
	text[len - 1] = '\n';
	say_bytes(fd, text, len);
}

static void
test_long_requests(void **state __rte_unused)
{
	int fd = join();

	say_long(fd, PROTOCOL_REQUEST_MAX);
	assert_string_equal(hear(fd), DONE);
	say_long(fd, PROTOCOL_REQUEST_MAX + 1);
	assert_string_equal(hear(fd), TOO_LONG);
	say_long(fd, 3 * PROTOCOL_REQUEST_MAX);
	say(fd, RESET);
	assert_string_equal(hear(fd), TOO_LONG DONE);
	assert_open(fd);
}

static void
test_garbage(void **state __rte_unused)
{
	uint8_t bytes[2048];
	unsigned int i;
	int fd = join();

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = i % 256 == '\n' ? 0 : 255 - i;
	bytes[sizeof(bytes) - 1] = '\n';
	say_bytes(fd, bytes, sizeof(bytes));
	assert_memory_equal(hear(fd), "{\"ok\":false,", 12);
	assert_open(fd);
}

/* Each client has one request answered before any has another. */
static void
test_turns(void **state __rte_unused)
{
	int first = join(), second = join();
	unsigned int i;

	for (i = 0; i < 10; i++)
		say(first, RESET);
	say(second, RESET);
	serve_once();
	assert_int_equal(recv(first, talk_answer, sizeof(talk_answer), 0), strlen(DONE));
	assert_int_equal(recv(second, talk_answer, sizeof(talk_answer), 0), strlen(DONE));
	assert_int_equal(strlen(hear(first)), 9 * strlen(DONE));
	close(first);
	close(second);
}

/* One that says it is done is answered nevertheless. */
static void
test_half_closed(void **state __rte_unused)
{
	int fd = join();

	say(fd, RESET MACS RESET "{\"command");
	shutdown(fd, SHUT_WR);
	hear(fd);
	assert_memory_equal(talk_answer, DONE, strlen(DONE));
	assert_string_equal(talk_answer + strlen(talk_answer) - strlen(DONE), DONE);
	assert_closed(fd);
}

static void
test_gone(void **state __rte_unused)
{
	unsigned int i;
	int fd;

	fake.nb_macs = 80000;
	for (i = 0; i < 4 * PROTOCOL_CLIENTS_MAX; i++) {
		fd = join();
		say(fd, i % 2 == 0 ? MACS MACS MACS MACS MACS MACS MACS : "{");
		if (i % 4 < 2)
			serve();
		close(fd);
		serve();
	}
	assert_open(join());
}

static void
test_too_many(void **state __rte_unused)
{
	int fds[PROTOCOL_CLIENTS_MAX], late;
	unsigned int i;

	for (i = 0; i < PROTOCOL_CLIENTS_MAX; i++)
		fds[i] = join();
	late = join();
	assert_string_equal(hear(late), TOO_MANY);
	assert_closed(late);
	fake.sw.now += PROTOCOL_STALLED_S;
	for (i = 0; i < PROTOCOL_CLIENTS_MAX; i++) {
		if (i == 3)
			continue;
		say(fds[i], RESET);
		assert_string_equal(hear(fds[i]), DONE);
	}
	late = join();
	assert_closed(fds[3]);
	fds[3] = late;
	late = join();
	assert_string_equal(hear(late), TOO_MANY);
	assert_closed(late);
	for (i = 0; i < PROTOCOL_CLIENTS_MAX; i++)
		assert_open(fds[i]);
}

/* It is asked nothing more while it does not read, and at last dropped; others are served. */
static void
test_never_reads(void **state __rte_unused)
{
	int fd = join(), other = join();
	unsigned int i, steps;

	fake.nb_macs = 80000;
	for (i = 0; i < 100; i++)
		say(fd, MACS);
	serve();
	steps = fake.steps;
	fake.sw.now += PROTOCOL_STALLED_S - 1;
	serve();
	assert_int_equal(fake.steps, steps);
	assert_true(steps < 20 * PROTOCOL_MACS_MAX);
	say(other, RESET);
	assert_string_equal(hear(other), DONE);
	fake.sw.now++;
	serve();
	while (recv(fd, talk_answer, sizeof(talk_answer), 0) > 0)
		continue;
	assert_closed(fd);
	assert_open(other);
}

/* One that reads late has its answers whole, and in order. */
static void
test_reads_late(void **state __rte_unused)
{
	unsigned int i, lines = 0;
	int fd = join();
	char *line;
	json_t *json;

	fake.nb_macs = 80000;
	for (i = 0; i < 20; i++)
		say(fd, MACS);
	serve();
	fake.sw.now += PROTOCOL_STALLED_S - 1;
	hear(fd);
	for (line = strtok(talk_answer, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		json = json_loads(line, 0, NULL);
		assert_non_null(json);
		json_decref(json);
		lines++;
	}
	assert_int_equal(lines, 20);
	assert_open(fd);
}

static void
test_socket(void **state __rte_unused)
{
	struct stat st;
	char *longer;

	assert_int_equal(stat(talk_path, &st), 0);
	assert_int_equal(st.st_mode, S_IFSOCK | 0660);
	assert_null(control_open(&fake.sw, talk_path));
	assert_int_equal(errno, EADDRINUSE);
	serve();
	assert_null(control_open(&fake.sw, talk_folder));
	assert_int_equal(errno, EEXIST);
	assert_null(control_open(&fake.sw, "/nonexistent/control.sock"));
	assert_int_equal(errno, ENOENT);
	longer = calloc(1, 200);
	memset(longer, 'x', 150);
	assert_null(control_open(&fake.sw, longer));
	assert_int_equal(errno, ENAMETOOLONG);
	free(longer);
	assert_open(join());
}

/* The socket of a process that is gone. */
static void
test_stale(void **state __rte_unused)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	control_close(talk_control);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", talk_path);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	talk_control = control_open(&fake.sw, talk_path);
	assert_non_null(talk_control);
	assert_open(join());
}

/* Without a descriptor for a new client the switch does not spin; it tries again in a second. */
static void
test_no_descriptors(void **state __rte_unused)
{
	int fd = join_at(talk_path), last, spare[64];
	struct rlimit limit, few;
	unsigned int n = 0;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	few = limit;
	few.rlim_cur = RTE_DIM(spare);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	while ((last = dup(fd)) >= 0)
		spare[n++] = last;
	serve();
	while (n > 0)
		close(spare[--n]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	say(fd, RESET);
	assert_string_equal(hear(fd), "");
	fake.sw.now++;
	assert_string_equal(hear(fd), DONE);
	assert_open(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_requests, talk_setup, talk_teardown),
		cmocka_unit_test_setup_teardown(test_byte_by_byte, talk_setup, talk_teardown),
		cmocka_unit_test_setup_teardown(test_long_requests, talk_setup, talk_teardown),
		cmocka_unit_test_setup_teardown(test_garbage, talk_setup, talk_teardown),
		cmocka_unit_test_setup_teardown(test_turns, talk_setup, talk_teardown),
		cmocka_unit_test_setup_teardown(test_half_closed, talk_setup, talk_teardown),
		cmocka_unit_test_setup_teardown(test_gone, talk_setup, talk_teardown),
		cmocka_unit_test_setup_teardown(test_too_many, talk_setup, talk_teardown),
		cmocka_unit_test_setup_teardown(test_never_reads, talk_setup, talk_teardown),
		cmocka_unit_test_setup_teardown(test_reads_late, talk_setup, talk_teardown),
		cmocka_unit_test_setup_teardown(test_socket, talk_setup, talk_teardown),
		cmocka_unit_test_setup_teardown(test_stale, talk_setup, talk_teardown),
		cmocka_unit_test_setup_teardown(test_no_descriptors, talk_setup, talk_teardown),
	};

	return cmocka_run_group_tests(tests, talk_begin, talk_end);
}
