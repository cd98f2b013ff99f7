/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>

#include "xen_ctl.h"
#include "xen_hyp.h"
#include "xen_log.h"
#include "xen_toollog.h"

/*
 * The library's ABI is that of one version of Xen, so no header of it is used. These four functions
 * have been as they are here in all versions from 4.2 on. What two of them fill in grows from
 * version to version: they get more room than any has used, and only what has always stood at the
 * same place is read. See doc/guides/design.rst.
 */
#define CTL_ROOM 4096

struct ctl_functions {
	void *(*open)(struct xen_toollog *log, struct xen_toollog *build_log, unsigned int flags);
	int (*close)(void *handle);
	int (*getinfolist)(void *handle, uint32_t first, unsigned int max, void *info);
	int (*node_getaffinity)(void *handle, uint32_t domid, uint8_t *nodes);
};

static const struct {
	const char *name;
	size_t offset;
} symbols[] = {
	{ "xc_interface_open", offsetof(struct ctl_functions, open) },
	{ "xc_interface_close", offsetof(struct ctl_functions, close) },
	{ "xc_domain_getinfolist", offsetof(struct ctl_functions, getinfolist) },
	{ "xc_domain_node_getaffinity", offsetof(struct ctl_functions, node_getaffinity) },
};

/* The beginning of a struct xen_domctl_getdomaininfo (xen/domctl.h). */
struct domain_info {
	uint16_t domid;
	uint16_t pad;
	uint32_t flags;
};
#define DOMAIN_DYING 0x1

static __thread struct {
	struct ctl_functions fn;
	void *lib;
	void *handle;
	/* There is no other try. */
	bool tried;
} ctl;

static struct xen_toollog toollog = XEN_TOOLLOG("libxenctrl");

/* Nothing can be asked, or no longer: said once, for whoever wonders. */
static void
give_up(const char *why)
{
	XEN_LOG(DEBUG, "libxenctrl: %s: whether domains live is not known", why);
	xen_ctl_close();
	ctl.tried = true;
}

/*
 * Xen answers the library of its own version alone, so that there is one name to try. Where
 * the kernel tells no version, as on test/xensim, there is none.
 */
static void *
load(void)
{
	char name[sizeof("libxenctrl.so.4294967295.4294967295")];
	unsigned int major, minor;

	if (!xen_version(&major, &minor))
		return NULL;
	snprintf(name, sizeof(name), "libxenctrl.so.%u.%u", major, minor);
	return dlopen(name, RTLD_LAZY | RTLD_LOCAL);
}

static bool
ctl_open(void)
{
	unsigned int i;
	void *symbol;

	if (ctl.tried)
		return ctl.handle != NULL;
	ctl.tried = true;
	ctl.lib = load();
	if (ctl.lib == NULL) {
		give_up("not installed for this Xen");
		return false;
	}
	for (i = 0; i < RTE_DIM(symbols); i++) {
		symbol = dlsym(ctl.lib, symbols[i].name);
		if (symbol == NULL) {
			give_up("it lacks a function");
			return false;
		}
		memcpy(RTE_PTR_ADD(&ctl.fn, symbols[i].offset), &symbol, sizeof(symbol));
	}
	ctl.handle = ctl.fn.open(&toollog, &toollog, 0);
	if (ctl.handle == NULL)
		give_up("it cannot be opened");
	return ctl.handle != NULL;
}

void
xen_ctl_close(void)
{
	if (ctl.handle != NULL)
		ctl.fn.close(ctl.handle);
	if (ctl.lib != NULL)
		dlclose(ctl.lib);
	memset(&ctl, 0, sizeof(ctl));
}

int
xen_ctl_domain_alive(uint32_t domid)
{
	union {
		struct domain_info info;
		uint64_t room[CTL_ROOM / sizeof(uint64_t)];
	} u;
	int ret;

	if (!ctl_open())
		return -ENOTSUP;
	memset(&u, 0, sizeof(u));
	/* The first domain whose id is not lower. */
	ret = ctl.fn.getinfolist(ctl.handle, domid, 1, &u);
	if (ret < 0 || ret > 1 || (ret == 1 && u.info.domid < domid)) {
		give_up(ret < 0 ? "not permitted" : "no sense in its answer");
		return -ENOTSUP;
	}
	return ret == 1 && u.info.domid == domid && (u.info.flags & DOMAIN_DYING) == 0;
}

int
xen_ctl_domain_node(uint32_t domid)
{
	alignas(uint64_t) uint8_t nodes[CTL_ROOM] = { 0 };
	int node = -ENOTSUP;
	unsigned int i;

	if (!ctl_open() || ctl.fn.node_getaffinity(ctl.handle, domid, nodes) < 0)
		return -ENOTSUP;
	for (i = 0; i < CHAR_BIT * sizeof(nodes); i++) {
		if ((nodes[i / CHAR_BIT] & (1 << i % CHAR_BIT)) == 0)
			continue;
		if (node >= 0)
			return -ENOTSUP;
		node = i;
	}
	return node;
}
