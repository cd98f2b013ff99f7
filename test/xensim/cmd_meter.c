/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Commands that measure and disturb. */

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xengnttab.h>

#include "tool.h"

struct field {
	const char *name;
	size_t offset;
};

#define COUNTER(f) .name = #f, .offset = offsetof(struct xensim_counters, f)
static const struct field counters[] = {
	{ COUNTER(hypercalls) },
	{ COUNTER(copy_hypercalls) },
	{ COUNTER(copy_calls) },
	{ COUNTER(copy_ops) },
	{ COUNTER(copy_segments) },
	{ COUNTER(copy_bytes) },
	{ COUNTER(copy_errors) },
	{ COUNTER(maps_live) },
	{ COUNTER(maps_total) },
	{ COUNTER(grants_live) },
	{ COUNTER(ports_live) },
	{ COUNTER(notifies) },
	{ COUNTER(notifies_delivered) },
	{ COUNTER(notifies_spurious) },
	{ COUNTER(handles_live) },
};

#define CHARGE(f) .name = #f, .offset = offsetof(struct xensim_charges, f)
static const struct field charges[] = {
	{ CHARGE(hc_ns) },
	{ CHARGE(op_ns) },
	{ CHARGE(map_ns) },
	{ CHARGE(unmap_ns) },
	{ CHARGE(evtchn_ns) },
	{ CHARGE(hc_batch) },
};

#define N(a) (sizeof(a) / sizeof((a)[0]))

static void
print_counters(const struct xensim_counters *c, bool json)
{
	uint64_t value;
	size_t i;

	for (i = 0; i < N(counters); i++) {
		memcpy(&value, (const char *)c + counters[i].offset, sizeof(value));
		if (json)
			printf("%s\"%s\": %llu", i == 0 ? "{" : ", ", counters[i].name,
					(unsigned long long)value);
		else
			printf("%-20s %llu\n", counters[i].name, (unsigned long long)value);
	}
	if (json)
		printf("}\n");
}

static int
cmd_counters(int argc, char **argv)
{
	struct xensim_counters c;
	bool json = false, reset = false;
	unsigned int domid;
	int i, ret, which = XENSIM_ALL;

	for (i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0) {
			json = true;
		} else if (strcmp(argv[i], "--reset") == 0) {
			reset = true;
		} else {
			if (parse_domid(argv[i], &domid) != 0)
				return 2;
			which = (int)domid;
		}
	}
	ret = xensim_counters_get(which, &c);
	if (ret == 0 && reset)
		ret = xensim_counters_reset(which);
	if (ret != 0)
		return fail("%s", ret == -ENOENT ? "no such domain" : strerror(-ret));
	print_counters(&c, json);
	return 0;
}

static int
cmd_charge(int argc, char **argv)
{
	struct xensim_charges c;
	unsigned long value;
	uint32_t v;
	size_t f, len;
	int i, ret;

	ret = xensim_charges_get(&c);
	if (ret != 0)
		return fail("%s", strerror(-ret));
	for (i = 0; i < argc; i++) {
		for (f = 0; f < N(charges); f++) {
			len = strlen(charges[f].name);
			if (strncmp(argv[i], charges[f].name, len) == 0 && argv[i][len] == '=')
				break;
		}
		if (f == N(charges))
			return usage_error("%s: no such charge", argv[i]);
		if (parse_number(charges[f].name, argv[i] + len + 1, 0, 1000000000, &value) != 0)
			return 2;
		v = (uint32_t)value;
		memcpy((char *)&c + charges[f].offset, &v, sizeof(v));
	}
	ret = xensim_charges_set(&c);
	if (ret != 0)
		return fail("%s", strerror(-ret));
	for (f = 0; argc == 0 && f < N(charges); f++) {
		memcpy(&v, (const char *)&c + charges[f].offset, sizeof(v));
		printf("%s=%u\n", charges[f].name, v);
	}
	return 0;
}

/* NAME=N[:STATUS] */
static int
parse_fault(char *arg, enum xensim_fault *fault, unsigned long *nth, long *status)
{
	static const char *const names[] = { "copy", "map", "bind" };
	size_t len;
	char *colon, *end;
	int f;

	for (f = 0; f < XENSIM_FAULT_MAX; f++) {
		len = strlen(names[f]);
		if (strncmp(arg, names[f], len) == 0 && arg[len] == '=')
			break;
	}
	if (f == XENSIM_FAULT_MAX)
		return usage_error("%s: expected copy=N[:STATUS], map=N, bind=N or clear", arg);
	*fault = (enum xensim_fault)f;
	*status = GNTST_general_error;
	arg = strchr(arg, '=') + 1;
	colon = strchr(arg, ':');
	if (colon != NULL) {
		*colon++ = '\0';
		*status = strtol(colon, &end, 10);
		if (*end != '\0' || f != XENSIM_FAULT_COPY || *status >= 0 || *status < -14)
			return usage_error("status=%s: expected -1..-14, for copy only", colon);
	}
	return parse_number(names[f], arg, 1, UINT32_MAX, nth);
}

static int
cmd_fail(int argc, char **argv)
{
	enum xensim_fault fault = XENSIM_FAULT_COPY;
	unsigned long nth = 0;
	unsigned int domid;
	int i, ret, every = 0, which = XENSIM_ALL;
	long status = GNTST_general_error;

	if (argc == 1 && strcmp(argv[0], "clear") == 0) {
		ret = xensim_fault_clear();
		return ret != 0 ? fail("%s", strerror(-ret)) : 0;
	}
	if (argc == 0)
		return usage_error("expected a fault or clear");
	for (i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--every") == 0) {
			every = 1;
			continue;
		}
		if (strncmp(argv[i], "--by=", 5) == 0) {
			if (parse_domid(argv[i] + 5, &domid) != 0)
				return 2;
			which = (int)domid;
			continue;
		}
		if (parse_fault(argv[i], &fault, &nth, &status) != 0)
			return 2;
		ret = xensim_fault_set(fault, which, (uint32_t)nth, every, (int16_t)status);
		if (ret != 0)
			return fail("%s", strerror(-ret));
	}
	return 0;
}

static int
cmd_limit(int argc, char **argv)
{
	unsigned long pages;
	int ret;

	if (argc != 1 || strncmp(argv[0], "grants=", 7) != 0)
		return usage_error("expected grants=N");
	if (parse_number("grants", argv[0] + 7, 0, XENSIM_MAX_GRANTS, &pages) != 0)
		return 2;
	ret = xensim_grant_limit_set((uint32_t)pages);
	return ret != 0 ? fail("%s", strerror(-ret)) : 0;
}

const struct tool_command tool_meter_commands[] = {
	{ "counters", "[--json] [--reset] [DOMID]",
			"print what a domain (or all) did and holds; --reset starts anew",
			cmd_counters },
	{ "charge", "[hc_ns=N] [op_ns=N] [map_ns=N] [unmap_ns=N] [evtchn_ns=N] [hc_batch=N]",
			"set the cost of operations in ns; without arguments print it",
			cmd_charge },
	{ "fail", "[--every] [--by=DOMID] [copy=N[:STATUS]] [map=N] [bind=N] | clear",
			"make the Nth operation from now fail (by DOMID only; every Nth);\n"
			"options come before the faults they are for",
			cmd_fail },
	{ "limit", "grants=N", "pages that a domain may have granted at a time", cmd_limit },
	{ NULL, NULL, NULL, NULL },
};
