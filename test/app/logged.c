/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_log.h>

#include "logged.h"

static FILE *file;
static char *text;
static size_t len;

int
logged_begin(void)
{
	file = open_memstream(&text, &len);
	return file == NULL || rte_openlog_stream(file) != 0 ? -1 : 0;
}

unsigned int
logged_count(const char *what)
{
	unsigned int n = 0;
	const char *at;

	fflush(file);
	for (at = text; (at = strstr(at, what)) != NULL; at += strlen(what))
		n++;
	return n;
}

void
logged_end(void)
{
	rte_openlog_stream(NULL);
	fclose(file);
	free(text);
}
