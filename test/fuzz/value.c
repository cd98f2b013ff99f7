/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * One value of xenstore: read as a number, and quoted for a log, a terminal and the error key.
 *
 * Input: the largest number that is allowed (4 bytes), and the text.
 */

#include <errno.h>
#include <stdlib.h>

#include "fuzz.h"
#include "xen_reason.h"
#include "xen_store.h"

#define UNTOUCHED 0xDEADBEEFu

/* Is the text a number up to max, by the C library's lights? */
static bool
is_number(const char *text, uint32_t max, uint32_t *number)
{
	unsigned long long n;

	if (text[0] == '\0' || strspn(text, "0123456789") != strlen(text))
		return false;
	errno = 0;
	n = strtoull(text, NULL, 10);
	*number = n;
	return errno == 0 && n <= max;
}

static void
check_number(const char *text, uint32_t max)
{
	uint32_t number = UNTOUCHED, wanted = 0;
	int ret = xen_store_parse_uint(text, max, &number);

	if (is_number(text, max, &wanted))
		fuzz_check(ret == 0 && number == wanted);
	else
		fuzz_check((ret == -EINVAL || ret == -ERANGE) && number == UNTOUCHED);
}

/* Take a character out of a quoted text; -1: it was cut here. */
static int
unquote(const char **at)
{
	const char *q = *at;
	char hex[3];

	fuzz_check(*q >= ' ' && *q <= '~' && *q != '\'');
	if (*q != '\\') {
		*at = q + 1;
		return *q;
	}
	if (strcmp(q, "\\...") == 0)
		return -1;
	if (q[1] != 'x') {
		fuzz_check(q[1] == '\\' || q[1] == '\'');
		*at = q + 2;
		return q[1];
	}
	memcpy(hex, q + 2, 2);
	hex[2] = '\0';
	fuzz_check(strspn(hex, "0123456789abcdef") == 2);
	*at = q + 4;
	return strtoul(hex, NULL, 16);
}

static void
check_quote(const char *text)
{
	const char *at, *c = text;
	struct xen_quote quote;
	int unquoted;

	at = xen_quote(&quote, text);
	fuzz_check(at == quote.text && strnlen(at, sizeof(quote.text)) < sizeof(quote.text));
	while (*at != '\0') {
		unquoted = unquote(&at);
		if (unquoted < 0)
			break;
		fuzz_check(unquoted == (uint8_t)*c);
		c++;
	}
	/* All of it, or more than there is room for. */
	fuzz_check(*c == '\0' || (*at != '\0' && strlen(text) > sizeof(quote.text) / 4 - 3));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { .data = data, .left = size };
	uint32_t max;
	char *text;

	fuzz_bytes(&in, &max, sizeof(max));
	/* Of its own size: a byte past the end is found. */
	text = strndup((const char *)in.data, in.left);
	fuzz_check(text != NULL);
	check_number(text, max);
	check_quote(text);
	free(text);
	return 0;
}
