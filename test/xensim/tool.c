/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* xensim: the tool that starts, stops and controls a simulated machine. */

#include <errno.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tool.h"

static const struct tool_command *const groups[] = {
	tool_machine_commands,
	tool_domain_commands,
	tool_vif_commands,
	tool_meter_commands,
};

static const struct tool_command *current;

int
fail(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "xensim: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return 1;
}

int
usage_error(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "xensim %s: ", current->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\nusage: xensim %s %s\n", current->name, current->args);
	return 2;
}

int
parse_number(const char *key, const char *text, unsigned long min, unsigned long max,
		unsigned long *value)
{
	char *end;

	errno = 0;
	*value = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || *value < min ||
			*value > max)
		return usage_error("%s=%s: expected a number %lu..%lu", key, text, min, max);
	return 0;
}

int
parse_domid(const char *text, unsigned int *domid)
{
	unsigned long value;
	int ret;

	ret = parse_number("DOMID", text, 0, XENSIM_MAX_DOMID, &value);
	*domid = (unsigned int)value;
	return ret;
}

const char *
tool_dir(void)
{
	return getenv("XENSIM_DIR");
}

/* Absolute, so that it holds wherever a process goes. */
void
tool_dir_set(const char *dir)
{
	char *real = realpath(dir, NULL);

	setenv("XENSIM_DIR", real != NULL ? real : dir, 1);
	free(real);
}

/* The libraries lie beside the tool. */
const char *
tool_lib_dir(void)
{
	static char buf[PATH_MAX];
	ssize_t len;

	len = readlink("/proc/self/exe", buf, sizeof(buf) - 1);
	if (len < 0)
		return ".";
	buf[len] = '\0';
	return dirname(buf);
}

char *
path_of(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	if (len < 0 || (size_t)len >= size)
		exit(fail("path too long: %s", buf));
	return buf;
}

double
monotonic_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
indented(FILE *out, char c, const char *newline)
{
	if (c == '\n')
		fputs(newline, out);
	else
		fputc(c, out);
}

/* Usage and description, indented. */
static void
describe(FILE *out, const struct tool_command *c, const char *prefix)
{
	const char *p;

	fprintf(out, "%s%s ", prefix, c->name);
	for (p = c->args; *p != '\0'; p++)
		indented(out, *p, "\n          ");
	fputs("\n      ", out);
	for (p = c->help; *p != '\0'; p++)
		indented(out, *p, "\n      ");
	fputc('\n', out);
}

static void
help(FILE *out)
{
	const struct tool_command *c;
	size_t g;

	fprintf(out,
			"NAME\n"
			"  xensim - run programs on a simulated Xen machine\n\n"
			"SYNOPSIS\n"
			"  xensim [--dir DIR] COMMAND ARGS...\n"
			"  xensim COMMAND --help\n\n"
			"DESCRIPTION\n"
			"  A machine is a folder, best on a tmpfs. `start` makes it and runs\n"
			"  the real oxenstored on it. The other commands find it by --dir or by\n"
			"  XENSIM_DIR.\n"
			"  Programs run on it by `exec`, or in an environment printed by `env`.\n\n"
			"COMMANDS\n");
	for (g = 0; g < sizeof(groups) / sizeof(groups[0]); g++)
		for (c = groups[g]; c->name != NULL; c++)
			describe(out, c, "  ");
	fprintf(out,
			"\nEXIT STATUS\n"
			"  0 done, 1 it failed (one line on stderr says why), 2 wrong usage\n");
}

static const struct tool_command *
find(const char *name)
{
	const struct tool_command *c;
	size_t g;

	for (g = 0; g < sizeof(groups) / sizeof(groups[0]); g++)
		for (c = groups[g]; c->name != NULL; c++)
			if (strcmp(c->name, name) == 0)
				return c;
	return NULL;
}

int
main(int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[1], "--dir") == 0) {
		tool_dir_set(argv[2]);
		argc -= 2;
		argv += 2;
	}
	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		help(argc < 2 ? stderr : stdout);
		return argc < 2 ? 2 : 0;
	}
	current = find(argv[1]);
	if (current == NULL)
		return fail("%s: no such command; see xensim --help", argv[1]) + 1;
	if (argc > 2 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0)) {
		describe(stdout, current, "usage: xensim [--dir DIR] ");
		return 0;
	}
	if (argc > 3 && strcmp(argv[2], "--dir") == 0) {
		tool_dir_set(argv[3]);
		argc -= 2;
		argv += 2;
	}
	return current->run(argc - 2, argv + 2);
}
