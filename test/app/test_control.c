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

#include "control.h"
#include "control_command.h"
#include "fake_vswitch.h"
#include "protocol.h"

#define RESET "{\"command\":\"reset\"}\n"
#define DONE "{\"ok\":true,\"result\":{}}\n"
#define MACS "{\"command\":\"show macs\"}\n"
#define NO_JSON \
	"{\"ok\":false,\"error\":\"no JSON from byte 0 on; a request is {\\\"command\\\": NAME," \
	" \\\"args\\\": {...}}\"}\n"
#define TOO_LONG "{\"ok\":false,\"error\":\"the request is too long; allowed: 4096 bytes\"}\n"
#define TOO_MANY "{\"ok\":false,\"error\":\"there are too many clients; allowed: 16\"}\n"

#define ANSWER_SIZE (4u * 1024 * 1024)
/* More than any of the tests takes. */
#define ROUNDS_MAX 100000

static char folder[] = "/tmp/vsw_control.XXXXXX";
static char path[64];
static struct control *control;
static char answer[ANSWER_SIZE];

static int
setup(void **state __rte_unused)
{
	fake_reset();
	control = control_open(&fake.sw, path);
	return control == NULL ? -1 : 0;
}

static int
teardown(void **state __rte_unused)
{
	if (control != NULL)
		control_close(control);
	control = NULL;
	return access(path, F_OK) == 0 ? -1 : 0;
}

/* Serve once; 0: there was nothing to do. */
static int
serve_once(void)
{
	struct pollfd fds[CONTROL_FDS_MAX];
	unsigned int n;
	int ready;

	n = control_poll(control, fds);
	assert_true(n <= CONTROL_FDS_MAX);
	ready = poll(fds, n, 0);
	assert_true(ready >= 0);
	control_serve(control, fds, n);
	return ready;
}

/* Serve until there is nothing to do: nobody lets the switch spin. */
static void
serve(void)
{
	unsigned int i = 0;

	while (serve_once() != 0)
		assert_true(i++ < ROUNDS_MAX);
}

static int
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

static int
join(void)
{
	int fd = join_at(path);

	serve();
	return fd;
}

static void
say_bytes(int fd, const void *bytes, size_t len)
{
	assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), len);
}

static void
say(int fd, const char *text)
{
	say_bytes(fd, text, strlen(text));
}

/* All that there is for the client, while the switch serves it. */
static const char *
hear(int fd)
{
	size_t len = 0;
	ssize_t n;

	for (;;) {
		serve();
		n = recv(fd, answer + len, sizeof(answer) - 1 - len, 0);
		if (n <= 0)
			break;
		len += n;
	}
	answer[len] = '\0';
	return answer;
}

/* The switch has closed the connection, and nothing is left to be read. */
static void
assert_closed(int fd)
{
	char c;

	serve();
	assert_true(recv(fd, &c, 1, 0) == 0 || errno == ECONNRESET);
	close(fd);
}

static void
assert_open(int fd)
{
	say(fd, RESET);
	assert_string_equal(hear(fd), DONE);
	close(fd);
	serve();
}

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
	assert_int_equal(recv(first, answer, sizeof(answer), 0), strlen(DONE));
	assert_int_equal(recv(second, answer, sizeof(answer), 0), strlen(DONE));
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
	assert_memory_equal(answer, DONE, strlen(DONE));
	assert_string_equal(answer + strlen(answer) - strlen(DONE), DONE);
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
	while (recv(fd, answer, sizeof(answer), 0) > 0)
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
	for (line = strtok(answer, "\n"); line != NULL; line = strtok(NULL, "\n")) {
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

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFSOCK | 0660);
	assert_null(control_open(&fake.sw, path));
	assert_int_equal(errno, EADDRINUSE);
	serve();
	assert_null(control_open(&fake.sw, folder));
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

	control_close(control);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	control = control_open(&fake.sw, path);
	assert_non_null(control);
	assert_open(join());
}

/* Without a descriptor for a new client the switch does not spin; it tries again in a second. */
static void
test_no_descriptors(void **state __rte_unused)
{
	int fd = join_at(path), last, spare[64];
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

static int
make_folder(void **state __rte_unused)
{
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/control.sock", folder);
	return 0;
}

static int
remove_folder(void **state __rte_unused)
{
	return rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_requests, setup, teardown),
		cmocka_unit_test_setup_teardown(test_byte_by_byte, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_requests, setup, teardown),
		cmocka_unit_test_setup_teardown(test_garbage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_turns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_half_closed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_never_reads, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reads_late, setup, teardown),
		cmocka_unit_test_setup_teardown(test_socket, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stale, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_descriptors, setup, teardown),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
