/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ask.h"
#include "fake_vswitch.h"
#include "protocol.h"

struct control_session ask_session;

int
ask_setup(void **state __rte_unused)
{
	fake_reset();
	ask_session = (struct control_session){ .file = -1 };
	return 0;
}

/* JSON is written with apostrophes for quotes. */
static char *
quoted(const char *text)
{
	char *copy = strdup(text), *c;

	assert_non_null(copy);
	for (c = copy; *c != '\0'; c++)
		*c = *c == '\'' ? '"' : *c;
	return copy;
}

json_t *
ask_raw(const char *request)
{
	char *text = quoted(request);
	json_t *answer;

	answer = control_answer(&fake.sw, &ask_session, text, strlen(text));
	free(text);
	assert_non_null(answer);
	return answer;
}

/* The result of a command. */
json_t *
ask(const char *command, const char *args)
{
	char request[PROTOCOL_REQUEST_MAX];
	json_t *answer, *result;

	snprintf(request, sizeof(request), "{'command': '%s', 'args': %s}", command, args);
	answer = ask_raw(request);
	assert_true(json_is_true(json_object_get(answer, "ok")));
	result = json_incref(json_object_get(answer, "result"));
	json_decref(answer);
	return result;
}

void
assert_result(const char *command, const char *args, const char *wanted)
{
	json_t *result = ask(command, args), *expected;
	char *text = quoted(wanted);

	expected = json_loads(text, 0, NULL);
	free(text);
	assert_non_null(expected);
	text = json_dumps(result, 0);
	if (!json_equal(result, expected))
		fail_msg("%s %s: %s", command, args, text);
	free(text);
	json_decref(expected);
	json_decref(result);
}

void
assert_refused(const char *request, const char *wanted)
{
	json_t *answer = ask_raw(request);

	assert_true(json_is_false(json_object_get(answer, "ok")));
	assert_string_equal(json_string_value(json_object_get(answer, "error")), wanted);
	json_decref(answer);
}
