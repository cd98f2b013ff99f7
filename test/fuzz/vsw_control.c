/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * A request at the switch's control socket: it is answered, with a result or with one line that
 * says what is wrong.
 *
 * Input: the request, without its newline.
 */

#include <stdlib.h>

#include "control_command.h"
#include "fake_vswitch.h"
#include "fuzz.h"
#include "protocol.h"

static void
check_error(const json_t *answer)
{
	const char *error = json_string_value(json_object_get(answer, "error"));

	fuzz_check(error != NULL && *error != '\0');
	for (; *error != '\0'; error++)
		fuzz_check(*error >= ' ' && *error <= '~');
}

static void
check_answer(const json_t *answer)
{
	size_t len = json_dumpb(answer, NULL, 0, JSON_COMPACT);

	fuzz_check(len > 0 && len < PROTOCOL_ANSWER_MAX);
	fuzz_check(json_object_size(answer) == 2);
	if (json_is_true(json_object_get(answer, "ok")))
		fuzz_check(json_is_object(json_object_get(answer, "result")));
	else
		check_error(answer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *request = malloc(size == 0 ? 1 : size);
	struct control_session session = { .file = -1 };
	json_t *answer;

	/* Of its own size: a byte past the end is found. */
	fuzz_check(request != NULL);
	memcpy(request, data, size);
	fake_reset();
	answer = control_answer(&fake.sw, &session, request, size);
	fuzz_check(answer != NULL);
	check_answer(answer);
	json_decref(answer);
	free(request);
	return 0;
}
