/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_kvargs.h>

#include "xen_compat.h"
#include "xen_log.h"
#include "xen_netif_args.h"

/* Half a ring, and a second. */
#define NOTIFY_COUNT_MAX (XEN_NETIF_RING_SIZE / 2)
#define NOTIFY_USEC_MAX 1000000u

/* What the handler of one argument needs to know. */
struct parse {
	const char *name;
	const struct xen_netif_arg *table;
	struct xen_netif_args *args;
	/* A bit for each row of the table. */
	uint32_t seen;
};

static int
parse_number(const struct parse *p, const struct xen_netif_arg *arg, const char *value)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(value, &end, 10);
	if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno != 0 || n < arg->min ||
			n > arg->max) {
		XEN_LOG(ERR, "%s: %s=%s: not a number from %u to %u", p->name, arg->key, value,
				arg->min, arg->max);
		return -EINVAL;
	}
	*(uint32_t *)RTE_PTR_ADD(p->args, arg->offset) = n;
	return 0;
}

static int
parse_switch(const struct parse *p, const struct xen_netif_arg *arg, const char *value)
{
	bool on = strcmp(value, "on") == 0;

	if (!on && strcmp(value, "off") != 0) {
		XEN_LOG(ERR, "%s: %s=%s: not on or off", p->name, arg->key, value);
		return -EINVAL;
	}
	*(uint32_t *)RTE_PTR_ADD(p->args, arg->offset) = on;
	return 0;
}

static int
parse_mac(const struct parse *p, const struct xen_netif_arg *arg, const char *value)
{
	struct rte_ether_addr *mac = RTE_PTR_ADD(p->args, arg->offset);

	if (rte_ether_unformat_addr(value, mac) == 0 && rte_is_valid_assigned_ether_addr(mac))
		return 0;
	XEN_LOG(ERR, "%s: %s=%s: not a unicast MAC address such as 02:00:00:00:00:01", p->name,
			arg->key, value);
	return -EINVAL;
}

/* Brackets, for a comma alone begins another argument. */
static int
parse_notify(const struct parse *p, const struct xen_netif_arg *arg, const char *value)
{
	uint32_t *notify = RTE_PTR_ADD(p->args, arg->offset);
	unsigned int count, usec;
	int end = 0;

	if (strcmp(value, "adaptive") == 0) {
		notify[0] = 0;
		return 0;
	}
	if (strcmp(value, "immediate") == 0) {
		notify[0] = 1;
		return 0;
	}
	if (strspn(value, "[],0123456789") == strlen(value) &&
			sscanf(value, "[%4u,%7u]%n", &count, &usec, &end) == 2 && end != 0 &&
			value[end] == '\0' && count >= 2 && count <= NOTIFY_COUNT_MAX &&
			usec >= 1 && usec <= NOTIFY_USEC_MAX) {
		notify[0] = count;
		notify[1] = usec;
		return 0;
	}
	XEN_LOG(ERR,
			"%s: %s=%s: not adaptive, immediate, or [COUNT,USEC] with numbers from 2 "
			"to %u and from 1 to %u",
			p->name, arg->key, value, NOTIFY_COUNT_MAX, NOTIFY_USEC_MAX);
	return -EINVAL;
}

static int (*const parsers[])(const struct parse *p, const struct xen_netif_arg *arg,
		const char *value) = {
	[XEN_NETIF_ARG_NUMBER] = parse_number,
	[XEN_NETIF_ARG_SWITCH] = parse_switch,
	[XEN_NETIF_ARG_MAC] = parse_mac,
	[XEN_NETIF_ARG_NOTIFY] = parse_notify,
};

static void
complain_unknown(const struct parse *p, const char *key)
{
	const struct xen_netif_arg *arg;
	char allowed[128] = "";
	size_t len = 0;

	for (arg = p->table; arg->key != NULL && len < sizeof(allowed); arg++)
		len += snprintf(allowed + len, sizeof(allowed) - len, "%s%s",
				arg != p->table ? ", " : "", arg->key);
	XEN_LOG(ERR, "%s: unknown argument %s (allowed: %s)", p->name, key, allowed);
}

static int
parse_arg(const char *key, const char *value, void *opaque)
{
	struct parse *p = opaque;
	const struct xen_netif_arg *arg;
	uint32_t bit = 1;

	for (arg = p->table; arg->key != NULL && strcmp(arg->key, key) != 0; arg++)
		bit <<= 1;
	if (arg->key == NULL) {
		complain_unknown(p, key);
		return -EINVAL;
	}
	if (value == NULL || value[0] == '\0') {
		XEN_LOG(ERR, "%s: %s: needs a value", p->name, key);
		return -EINVAL;
	}
	if ((p->seen & bit) != 0) {
		XEN_LOG(ERR, "%s: %s=%s: given twice", p->name, key, value);
		return -EINVAL;
	}
	p->seen |= bit;
	return parsers[arg->kind](p, arg, value);
}

static void
set_defaults(const struct parse *p)
{
	const struct xen_netif_arg *arg;

	memset(p->args, 0, sizeof(*p->args));
	for (arg = p->table; arg->key != NULL; arg++) {
		if (arg->kind != XEN_NETIF_ARG_MAC)
			*(uint32_t *)RTE_PTR_ADD(p->args, arg->offset) = arg->def;
	}
}

static int
check_required(const struct parse *p)
{
	const struct xen_netif_arg *arg;
	uint32_t bit = 1;

	for (arg = p->table; arg->key != NULL; arg++, bit <<= 1) {
		if (arg->required && (p->seen & bit) == 0) {
			XEN_LOG(ERR, "%s: the argument %s is missing", p->name, arg->key);
			return -EINVAL;
		}
	}
	return 0;
}

int
xen_netif_args_parse(const char *name, const char *params, const struct xen_netif_arg *table,
		struct xen_netif_args *args)
{
	struct parse p = { .name = name, .table = table, .args = args };
	struct rte_kvargs *kvlist;
	int ret;

	set_defaults(&p);
	kvlist = rte_kvargs_parse(params != NULL ? params : "", NULL);
	if (kvlist == NULL) {
		XEN_LOG(ERR, "%s: %s: not a list of key=value", name, params);
		return -EINVAL;
	}
	ret = xen_kvargs_process(kvlist, NULL, parse_arg, &p);
	if (ret == 0)
		ret = check_required(&p);
	rte_kvargs_free(kvlist);
	return ret < 0 ? -EINVAL : 0;
}
