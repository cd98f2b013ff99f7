/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_kvargs.h>

#include "xen_log.h"
#include "xen_netif_args.h"

#define DEVID_MAX UINT16_MAX
#define SPEED_MAX 400000u

#define QUEUES_DEFAULT 4
#define SPEED_DEFAULT 10000u

/* What the handler of one argument needs to know. */
struct parse {
	const char *name;
	const struct xen_netif_driver *drv;
	struct xen_netif_args *args;
	unsigned int seen;
};

static const struct number_arg {
	const char *key;
	size_t offset;
	uint32_t min;
	uint32_t max;
} number_args[] = {
	{ "domid", offsetof(struct xen_netif_args, domid), 0, XEN_DOMID_MAX },
	{ "devid", offsetof(struct xen_netif_args, devid), 0, DEVID_MAX },
	{ "queues", offsetof(struct xen_netif_args, queues), 1, XEN_NETIF_QUEUES_MAX },
	{ "speed", offsetof(struct xen_netif_args, speed), 1, SPEED_MAX },
};

static int
parse_number(const struct parse *p, const struct number_arg *arg, const char *value)
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
parse_mac(const struct parse *p, const char *value)
{
	if (rte_ether_unformat_addr(value, &p->args->mac) < 0 ||
			!rte_is_valid_assigned_ether_addr(&p->args->mac)) {
		XEN_LOG(ERR, "%s: mac=%s: not a unicast MAC address such as 02:00:00:00:00:01",
				p->name, value);
		return -EINVAL;
	}
	p->args->has_mac = true;
	return 0;
}

static void
complain_unknown(const struct parse *p, const char *key)
{
	char allowed[64] = "";
	unsigned int i;
	size_t len = 0;

	for (i = 0; p->drv->args[i] != NULL && len < sizeof(allowed); i++)
		len += snprintf(allowed + len, sizeof(allowed) - len, "%s%s", i != 0 ? ", " : "",
				p->drv->args[i]);
	XEN_LOG(ERR, "%s: unknown argument %s (allowed: %s)", p->name, key, allowed);
}

static int
parse_arg(const char *key, const char *value, void *opaque)
{
	struct parse *p = opaque;
	unsigned int i, n;

	for (i = 0; p->drv->args[i] != NULL && strcmp(p->drv->args[i], key) != 0; i++)
		;
	if (p->drv->args[i] == NULL) {
		complain_unknown(p, key);
		return -EINVAL;
	}
	if (value == NULL || value[0] == '\0') {
		XEN_LOG(ERR, "%s: %s: needs a value", p->name, key);
		return -EINVAL;
	}
	if ((p->seen & RTE_BIT32(i)) != 0) {
		XEN_LOG(ERR, "%s: %s=%s: given twice", p->name, key, value);
		return -EINVAL;
	}
	p->seen |= RTE_BIT32(i);
	for (n = 0; n < RTE_DIM(number_args); n++) {
		if (strcmp(key, number_args[n].key) == 0)
			return parse_number(p, &number_args[n], value);
	}
	return parse_mac(p, value);
}

/* The arguments without which there is no vif stand first in the driver's list. */
static int
check_required(const struct parse *p)
{
	unsigned int i, required = p->drv->role == XEN_NETIF_BACKEND ? 2 : 1;

	for (i = 0; i < required; i++) {
		if ((p->seen & RTE_BIT32(i)) == 0) {
			XEN_LOG(ERR, "%s: the argument %s is missing", p->name, p->drv->args[i]);
			return -EINVAL;
		}
	}
	return 0;
}

int
xen_netif_args_parse(const char *name, const char *params, const struct xen_netif_driver *drv,
		struct xen_netif_args *args)
{
	struct parse p = { .name = name, .drv = drv, .args = args };
	struct rte_kvargs *kvlist;
	int ret;

	*args = (struct xen_netif_args){ .queues = QUEUES_DEFAULT, .speed = SPEED_DEFAULT };
	kvlist = rte_kvargs_parse(params != NULL ? params : "", NULL);
	if (kvlist == NULL) {
		XEN_LOG(ERR, "%s: %s: not a list of key=value", name, params);
		return -EINVAL;
	}
	ret = rte_kvargs_process(kvlist, NULL, parse_arg, &p);
	if (ret == 0)
		ret = check_required(&p);
	rte_kvargs_free(kvlist);
	return ret < 0 ? -EINVAL : 0;
}
