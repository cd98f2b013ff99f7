/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

#include <rte_log.h>

#include "unit.h"
#include "unit_log.h"

/* A flood of lines must not end the test: what is too much is cut. */
#define LOG_MAX (4u << 20)

/* For how long the drivers hold a line back. */
#define UNIT_HELD_MS 60000u

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *text;
static size_t text_len;
static FILE *stream;
static bool verbose;

static ssize_t
log_write(void *cookie __rte_unused, const char *data, size_t size)
{
	size_t len = size;

	pthread_mutex_lock(&lock);
	if (len > LOG_MAX - 1 - text_len)
		len = LOG_MAX - 1 - text_len;
	memcpy(text + text_len, data, len);
	text_len += len;
	text[text_len] = '\0';
	pthread_mutex_unlock(&lock);
	if (verbose)
		fwrite(data, 1, size, stderr);
	return size;
}

int
unit_log_start(void)
{
	const cookie_io_functions_t io = { .write = log_write };

	verbose = getenv("UNIT_VERBOSE") != NULL;
	text = calloc(1, LOG_MAX);
	stream = fopencookie(NULL, "w", io);
	if (text == NULL || stream == NULL)
		return -1;
	setvbuf(stream, NULL, _IOLBF, 0);
	return rte_openlog_stream(stream);
}

void
unit_log_stop(void)
{
	rte_openlog_stream(NULL);
	fclose(stream);
	free(text);
	text = NULL;
}

void
unit_log_clear(void)
{
	fflush(stream);
	pthread_mutex_lock(&lock);
	text_len = 0;
	text[0] = '\0';
	pthread_mutex_unlock(&lock);
	unit_clock_skip(UNIT_HELD_MS);
}

long
unit_log_find(const char *wanted)
{
	const char *found;
	long at;

	fflush(stream);
	pthread_mutex_lock(&lock);
	found = strstr(text, wanted);
	at = found != NULL ? found - text : -1;
	pthread_mutex_unlock(&lock);
	return at;
}

bool
unit_log_has(const char *wanted)
{
	return unit_log_find(wanted) >= 0;
}

unsigned int
unit_log_count(const char *wanted)
{
	unsigned int n = 0;
	const char *at;

	fflush(stream);
	pthread_mutex_lock(&lock);
	for (at = text; (at = strstr(at, wanted)) != NULL; at++)
		n++;
	pthread_mutex_unlock(&lock);
	return n;
}

void
unit_assert_log(const char *wanted)
{
	if (unit_log_has(wanted))
		return;
	pthread_mutex_lock(&lock);
	print_error("the log is:\n%s", text);
	pthread_mutex_unlock(&lock);
	fail_msg("not in the log: %s", wanted);
}
