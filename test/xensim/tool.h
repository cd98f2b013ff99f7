/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef TOOL_H
#define TOOL_H

/**
 * @file
 * What the parts of the tool `xensim` share.
 */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xenstore.h>

#include "xensim.h"

/* Longest folder name: a socket below it must fit into sockaddr_un. */
#define TOOL_DIR_MAX 70
/* Generous: on a loaded machine everything may take long. */
#define TOOL_WAIT_S 60

/** A subcommand. */
struct tool_command {
	const char *name;
	const char *args; /* as shown by the usage line */
	const char *help; /* lines below it */
	int (*run)(int argc, char **argv);
};

extern const struct tool_command tool_machine_commands[];
extern const struct tool_command tool_domain_commands[];
extern const struct tool_command tool_vif_commands[];
extern const struct tool_command tool_meter_commands[];

/* tool.c */
int
fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int
usage_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int
parse_number(const char *key, const char *text, unsigned long min, unsigned long max,
		unsigned long *value);
int
parse_domid(const char *text, unsigned int *domid);
const char *
tool_dir(void);
void
tool_dir_set(const char *dir);
const char *
tool_lib_dir(void);
char *
path_of(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
double
monotonic_s(void);

/* control.c */
int
control_call(const char *dir, const char *request, char *reply, size_t size);

/* xenstore.c */
struct xs_handle *
store_open(void);
bool
store_write(struct xs_handle *xs, xs_transaction_t t, const char *value, const char *fmt, ...)
		__attribute__((format(printf, 4, 5)));
char *
store_read(struct xs_handle *xs, xs_transaction_t t, const char *fmt, ...)
		__attribute__((format(printf, 3, 4)));
bool
store_dir(struct xs_handle *xs, xs_transaction_t t, const struct xs_permissions *perms,
		unsigned int n, const char *path);
int
store_read_int(struct xs_handle *xs, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* daemon.c and its parts */
int
daemon_main(const char *dir);

#endif /* TOOL_H */
