/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <stdlib.h>

#include <rte_log.h>

#include <xenstore.h>

#include "store.h"

static struct fuzz_input answers;

void
fuzz_store_set(const uint8_t *data, size_t size)
{
	answers = (struct fuzz_input){ .data = data, .left = size };
}

void
fuzz_store_check(int ret, const struct xen_reason *why)
{
	const char *c;

	if (ret == -ENOTCONN) {
		fuzz_check(why->err == FUZZ_NO_REASON);
		return;
	}
	fuzz_check(ret == -EINVAL && why->err == EINVAL);
	fuzz_check(strnlen(why->text, sizeof(why->text)) < sizeof(why->text));
	fuzz_check(why->text[0] != '\0');
	for (c = why->text; *c != '\0'; c++)
		fuzz_check(*c >= ' ' && *c <= '~');
}

int
LLVMFuzzerInitialize(int *argc __rte_unused, char ***argv __rte_unused)
{
	/* Whatever a key is wrong about is logged. */
	rte_log_set_global_level(RTE_LOG_EMERG);
	return xen_store_open();
}

/* What a line says, in memory of its own size; its place is moved on. */
static char *
take_line(unsigned int *len)
{
	const uint8_t *end = memchr(answers.data, '\n', answers.left);
	size_t size = end != NULL ? (size_t)(end - answers.data) : answers.left, i;
	char *value = malloc(size + 1);
	uint8_t c;

	fuzz_check(value != NULL);
	*len = 0;
	for (i = 0; i < size; i++) {
		c = answers.data[i];
		if (c == '\\' && i + 1 < size) {
			c = answers.data[++i];
			c = c == 'n' ? '\n' : c == '0' ? '\0' : c;
		}
		value[(*len)++] = c;
	}
	/* libxenstore has a NUL behind every value. */
	value[*len] = '\0';
	size += end != NULL;
	answers.data += size;
	answers.left -= size;
	return value;
}

/* An answer that is an error: which one, else 0. */
static int
line_errno(const char *line, unsigned int len)
{
	if (len != 1)
		return 0;
	switch (line[0]) {
	case '-':
		return ENOENT;
	case '!':
		return EACCES;
	case '?':
		return EINVAL;
	default:
		return 0;
	}
}

struct xs_handle *
xs_open(unsigned long flags __rte_unused)
{
	static char handle;

	return (void *)&handle;
}

void
xs_close(struct xs_handle *h __rte_unused)
{
}

void *
xs_read(struct xs_handle *h __rte_unused, xs_transaction_t t __rte_unused,
		const char *path __rte_unused, unsigned int *len)
{
	char *value;

	if (answers.left == 0) {
		errno = ENOENT;
		return NULL;
	}
	value = take_line(len);
	errno = line_errno(value, *len);
	if (errno == 0)
		return value;
	free(value);
	return NULL;
}

/* What is written is taken, or not, as the next line says. */
static bool
changed(void)
{
	unsigned int len;
	char *line;

	if (answers.left == 0)
		return true;
	line = take_line(&len);
	errno = line_errno(line, len);
	free(line);
	return errno == 0;
}

bool
xs_write(struct xs_handle *h __rte_unused, xs_transaction_t t __rte_unused,
		const char *path __rte_unused, const void *data, unsigned int len)
{
	fuzz_check(memchr(data, '\0', len) == NULL);
	return changed();
}

bool
xs_rm(struct xs_handle *h __rte_unused, xs_transaction_t t __rte_unused,
		const char *path __rte_unused)
{
	return changed();
}

xs_transaction_t
xs_transaction_start(struct xs_handle *h __rte_unused)
{
	return 1;
}

bool
xs_transaction_end(struct xs_handle *h __rte_unused, xs_transaction_t t __rte_unused,
		bool abandon __rte_unused)
{
	return true;
}
