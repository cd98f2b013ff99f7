/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* The commands that have packets copied: captures and mirrors. */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ask.h"
#include "fake_vswitch.h"

static void
test_capture(void **state __rte_unused)
{
	json_t *answer;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	ask_session.file = fds[0];
	assert_refused("{'command': 'capture'}", "the file is not open for writing");
	ask_session.file = fds[1];
	fake.copies_ret = -ENOSPC;
	assert_refused("{'command': 'capture'}", "there are too many captures; allowed: 4");
	fake.copies_ret = -ENOMEM;
	assert_refused("{'command': 'capture'}", "Cannot allocate memory");
	assert_int_equal(ask_session.file, fds[1]);
	fake.copies_ret = 0;
	assert_result("capture",
			"{'port': 'vif3.0', 'direction': 'tx', 'count': 5, 'seconds': 7,"
			" 'snaplen': 64}",
			"{}");
	assert_int_equal(ask_session.file, -1);
	assert_result("show captures", "{}",
			"{'captures': [{'port': 'vif3.0', 'direction': 'tx', 'count': 5,"
			" 'seconds': 7, 'snaplen': 64, 'packets': 12, 'lost': 3}]}");
	assert_refused("{'command': 'capture'}", "this connection has a capture already");
	assert_false(ask_session.waits);
	assert_result("capture wait", "{}", "{}");
	assert_true(ask_session.waits);
	ask_session.capture->end = CAPTURE_END_FILE;
	answer = control_capture_result(ask_session.capture);
	assert_string_equal(json_string_value(json_object_get(json_object_get(answer, "result"),
					    "error")),
			"No space left on device");
	json_decref(answer);
	close(fds[0]);
}

static void
test_capture_all(void **state __rte_unused)
{
	ask_session.file = open("/dev/null", O_RDWR);
	assert_result("capture", "{}", "{}");
	assert_result("show captures", "{}",
			"{'captures': [{'port': null, 'direction': 'both', 'count': null,"
			" 'seconds': null, 'snaplen': 262144, 'packets': 12, 'lost': 3}]}");
}

/* Its writer would hang in a terminal that nobody reads, and keep one of few captures. */
static void
test_capture_devices(void **state __rte_unused)
{
	static const char *const refused[] = { "/dev/zero", "/dev/ptmx" };
	static const char *const taken[] = { "/dev/null", "/dev/full" };
	unsigned int i;

	for (i = 0; i < RTE_DIM(refused); i++) {
		ask_session.file = open(refused[i], O_WRONLY | O_NOCTTY);
		assert_true(ask_session.file >= 0);
		assert_refused("{'command': 'capture'}",
				"the file is a device, which may not take it; allowed: a file, a "
				"pipe, /dev/null or /dev/full");
		close(ask_session.file);
	}
	for (i = 0; i < RTE_DIM(taken); i++) {
		ask_session.file = open(taken[i], O_WRONLY);
		ask_session.capture = NULL;
		assert_result("capture", "{}", "{}");
	}
}

static void
test_mirror(void **state __rte_unused)
{
	assert_result("mirror", "{'port': 'vif3.0', 'to': 'tap0', 'direction': 'rx'}", "{}");
	assert_result("mirror", "{'port': 'uplink', 'to': 'tap0'}", "{}");
	assert_result("show mirrors", "{}",
			"{'mirrors': [{'port': 'uplink', 'to': 'tap0', 'direction': 'both',"
			" 'packets': 105, 'lost': 1}, {'port': 'vif3.0', 'to': 'tap0',"
			" 'direction': 'rx', 'packets': 105, 'lost': 1}]}");
	fake.copies_ret = -ENOMEM;
	assert_refused("{'command': 'mirror', 'args': {'port': 'uplink', 'off': true}}",
			"Cannot allocate memory");
	fake.copies_ret = 0;
	assert_result("mirror", "{'port': 'uplink', 'off': true}", "{}");
	assert_result("mirror", "{'port': 'vif3.0', 'off': true}", "{}");
	assert_result("show mirrors", "{}", "{'mirrors': []}");
}

static const struct {
	const char *request;
	const char *error;
} refused[] = {
	{ "{'command': 'capture', 'args': {'port': 'tap1'}}",
			"argument 'port' is '\"tap1\"'; allowed: the name of a port" },
	{ "{'command': 'capture', 'args': {'direction': 'in'}}",
			"argument 'direction' is '\"in\"'; allowed: rx, tx or both" },
	{ "{'command': 'capture', 'args': {'direction': 1}}",
			"argument 'direction' is '1'; allowed: rx, tx or both" },
	{ "{'command': 'capture', 'args': {'count': 0}}",
			"argument 'count' is '0'; allowed: 1 to 1000000000" },
	{ "{'command': 'capture', 'args': {'count': 1000000001}}",
			"argument 'count' is '1000000001'; allowed: 1 to 1000000000" },
	{ "{'command': 'capture', 'args': {'seconds': 86401}}",
			"argument 'seconds' is '86401'; allowed: 1 to 86400" },
	{ "{'command': 'capture', 'args': {'snaplen': 13}}",
			"argument 'snaplen' is '13'; allowed: 14 to 262144" },
	{ "{'command': 'capture', 'args': {'snaplen': '64'}}",
			"argument 'snaplen' is '\"64\"'; allowed: 14 to 262144" },
	{ "{'command': 'capture'}", "no file has come with the request" },
	{ "{'command': 'capture wait'}", "this connection has no capture" },
	{ "{'command': 'mirror'}", "no argument 'port'; allowed: the name of a port" },
	{ "{'command': 'mirror', 'args': {'port': 'tap0'}}",
			"no argument 'to'; allowed: the name of a port, or 'off'" },
	{ "{'command': 'mirror', 'args': {'port': 'tap0', 'to': 'tap1'}}",
			"argument 'to' is '\"tap1\"'; allowed: the name of a port" },
	{ "{'command': 'mirror', 'args': {'port': 'tap0', 'to': 'tap0'}}",
			"'to' is 'tap0'; allowed: another port than it" },
	{ "{'command': 'mirror', 'args': {'port': 'tap0', 'to': 'uplink', 'off': true}}",
			"'off' and 'to'; allowed: one of them" },
	{ "{'command': 'mirror', 'args': {'port': 'tap0', 'off': 1}}",
			"argument 'off' is '1'; allowed: true or false" },
	{ "{'command': 'mirror', 'args': {'port': 'tap0', 'off': true}}",
			"port 'tap0' is not mirrored" },
};

static void
test_refused(void **state __rte_unused)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(refused); i++)
		assert_refused(refused[i].request, refused[i].error);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_capture, ask_setup),
		cmocka_unit_test_setup(test_capture_all, ask_setup),
		cmocka_unit_test_setup(test_capture_devices, ask_setup),
		cmocka_unit_test_setup(test_mirror, ask_setup),
		cmocka_unit_test_setup(test_refused, ask_setup),
	};

	return cmocka_run_group_tests_name("vsw_protocol_copies", tests, NULL, NULL);
}
