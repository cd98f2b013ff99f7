/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eal_args.h"
#include "text.h"

/* Append to a text; what does not fit is left out, and the position is past the end then. */
static size_t __attribute__((format(printf, 4, 5)))
append(char *text, size_t size, size_t at, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (at < size)
		at += vsnprintf(text + at, size - at, format, ap);
	va_end(ap);
	return at;
}

/* The processors of this process, as EAL writes such lists. */
static size_t
append_allowed(char *text, size_t size, size_t at)
{
	const char *separator = "";
	cpu_set_t set;
	int cpu;

	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return append(text, size, at, "0");
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &set))
			continue;
		at = append(text, size, at, "%s%d", separator, cpu);
		separator = ",";
	}
	return at;
}

/* Lcores 1, 2... on the processors of a list that the configuration's parser has found good. */
static size_t
append_workers(struct eal_args *args, char *text, size_t size, size_t at, const char *list)
{
	const char *s = list;
	unsigned long first, last;
	char *end;

	while (*s != '\0') {
		first = strtoul(s, &end, 10);
		last = *end == '-' ? strtoul(end + 1, &end, 10) : first;
		for (; first <= last; first++) {
			args->nb_workers++;
			at = append(text, size, at, ",%u@%lu", args->nb_workers, first);
		}
		s = end + strspn(end, ", \t");
		if (s == end)
			break;
	}
	return at;
}

int
eal_args_make(struct eal_args *args, const struct config *config, const char *program)
{
	char *at, *token, *rest;
	size_t lcores, used;

	memset(args, 0, sizeof(*args));
	used = append(args->text, sizeof(args->text), 0, "0@(");
	used = append_allowed(args->text, sizeof(args->text), used);
	used = append(args->text, sizeof(args->text), used, ")");
	lcores = append_workers(args, args->text, sizeof(args->text), used, config->lcores) + 1;
	if (lcores + strlen(program) + strlen(config->eal) + 2 > sizeof(args->text))
		return -E2BIG;
	at = args->text + lcores;
	args->argv[args->argc++] = strcpy(at, program);
	args->argv[args->argc++] = (char *)(uintptr_t) "--lcores";
	args->argv[args->argc++] = args->text;
	at = strcpy(at + strlen(program) + 1, config->eal);
	for (token = strtok_r(at, TEXT_BLANKS, &rest); token != NULL && args->argc < EAL_ARGS_MAX;
			token = strtok_r(NULL, TEXT_BLANKS, &rest))
		args->argv[args->argc++] = token;
	return 0;
}
