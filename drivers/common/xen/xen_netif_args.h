/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XEN_NETIF_ARGS_H
#define XEN_NETIF_ARGS_H

/**
 * @file
 * Devargs. Each is one row of a list, from which a driver makes its table and its parameter string:
 * ROW(key, field of struct xen_netif_args, kind, least, largest, default, required), where numbers
 * are literal, for they are in the string.
 */

#include <assert.h>
#include <stddef.h>

#include "xen_netif.h"

/** How a devarg's value is read. */
enum xen_netif_arg_kind {
	XEN_NETIF_ARG_NUMBER,
	/** "on" or "off": 1 or 0. */
	XEN_NETIF_ARG_SWITCH,
	XEN_NETIF_ARG_MAC,
	/** "adaptive" or "immediate": 0 or 1; or "[COUNT,USEC]", two numbers. */
	XEN_NETIF_ARG_NOTIFY,
};

/** A devarg. */
struct xen_netif_arg {
	const char *key;
	enum xen_netif_arg_kind kind;
	/** Of its field in struct xen_netif_args. */
	size_t offset;
	uint32_t min;
	uint32_t max;
	uint32_t def;
	bool required;
};

/* clang-format off */

/** The devargs of both drivers. */
#define XEN_NETIF_ARGS(ROW) \
	ROW("devid", devid, NUMBER, 0, 65535, 0, true) \
	ROW("queues", queues, NUMBER, 1, 32, 4, false) \
	ROW("speed", speed, NUMBER, 1, 400000, 10000, false) \
	ROW("mac", mac, MAC, 0, 0, 0, false) \
	ROW("gso", gso, SWITCH, 0, 1, 1, false) \
	ROW("legacy-ol-flags", legacy_ol_flags, NUMBER, 0, 1, 0, false) \
	ROW("notify", notify, NOTIFY, 0, 0, 0, false)

/** The devargs of a driver whose devices are another domain's. */
#define XEN_NETIF_ARGS_BY_DOMID(ROW) \
	ROW("domid", domid, NUMBER, 0, 32751, 0, true) \
	XEN_NETIF_ARGS(ROW) \
	ROW("static", static_pages, NUMBER, 0, 65536, 4096, false)

static_assert(XEN_DOMID_MAX == 32751, "the row of domid has its range");
static_assert(XEN_NETIF_QUEUES_MAX == 32, "the row of queues has its range");

/** The table that a list of rows makes: struct xen_netif_arg[], whose last element has no key. */
#define XEN_NETIF_ARG_TABLE(rows) { rows(XEN_NETIF_ARG_ELEMENT) { .key = NULL } }
#define XEN_NETIF_ARG_ELEMENT(key, field, kind, min, max, def, required) \
	{ key, XEN_NETIF_ARG_##kind, offsetof(struct xen_netif_args, field), min, max, def, \
		required },

/** The string that a list of rows makes, for RTE_PMD_REGISTER_PARAM_STRING(). */
#define XEN_NETIF_ARG_STRING(rows) rows(XEN_NETIF_ARG_HELP)
#define XEN_NETIF_ARG_HELP(key, field, kind, min, max, def, required) \
	key "=" XEN_NETIF_ARG_HELP_##kind(min, max) " "
#define XEN_NETIF_ARG_HELP_NUMBER(min, max) "<" #min "-" #max ">"
#define XEN_NETIF_ARG_HELP_SWITCH(min, max) "<on|off>"
#define XEN_NETIF_ARG_HELP_MAC(min, max) "<unicast MAC>"
#define XEN_NETIF_ARG_HELP_NOTIFY(min, max) "<adaptive|immediate|[COUNT,USEC]>"

/* clang-format on */

/**
 * Parse the arguments of a vdev. What is wrong with them is logged in one line: the key, the value
 * and what is allowed. Any thread.
 *
 * @param name
 *   The vdev's name, for the log.
 * @param params
 *   "key=value,..."; may be NULL.
 * @param table
 *   The devargs that there are; a row without a key ends them.
 * @param args
 *   Receives the values or their defaults.
 * @return
 *   0 or -EINVAL.
 */
int
xen_netif_args_parse(const char *name, const char *params, const struct xen_netif_arg *table,
		struct xen_netif_args *args);

#endif /* XEN_NETIF_ARGS_H */
