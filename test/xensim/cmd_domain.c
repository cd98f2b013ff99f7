/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Commands for domains. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

/* Keys of a new domain that a network frontend or backend looks at, owned as by libxl: the home
 * belongs to the toolstack and is readable by the domain, which may write where it is said to.
 */
static bool
home_write(struct xs_handle *xs, xs_transaction_t t, unsigned int domid, const char *name)
{
	static const char *const own[] = {
		"data",
		"drivers",
		"feature",
		"attr",
		"error",
		"hvmloader",
		"backend",
	};
	static const char *const readable[] = { "control", "device", "memory", "cpu" };
	struct xs_permissions ro[2] = {
		{ .id = 0, .perms = XS_PERM_NONE },
		{ .id = domid, .perms = XS_PERM_READ },
	};
	struct xs_permissions rw[1] = { { .id = domid, .perms = XS_PERM_NONE } };
	char path[PATH_MAX], home[64], value[16];
	size_t i;
	bool ok;

	snprintf(home, sizeof(home), "/local/domain/%u", domid);
	snprintf(value, sizeof(value), "%u", domid);
	xs_rm(xs, t, home);
	ok = store_dir(xs, t, ro, 2, home);
	for (i = 0; ok && i < sizeof(readable) / sizeof(readable[0]); i++)
		ok = store_dir(xs, t, ro, 2,
				path_of(path, sizeof(path), "%s/%s", home, readable[i]));
	for (i = 0; ok && i < sizeof(own) / sizeof(own[0]); i++)
		ok = store_dir(xs, t, rw, 1, path_of(path, sizeof(path), "%s/%s", home, own[i]));
	ok = ok && store_dir(xs, t, ro, 2, path_of(path, sizeof(path), "%s/device/vif", home)) &&
			store_dir(xs, t, ro, 2, path_of(path, sizeof(path), "/libxl/%u", domid));
	return ok && store_write(xs, t, name, "%s/name", home) &&
			store_write(xs, t, value, "%s/domid", home);
}

static int
home_create(struct xs_handle *xs, unsigned int domid, const char *name)
{
	xs_transaction_t t;

	do {
		t = xs_transaction_start(xs);
		if (t == XBT_NULL)
			return -errno;
		if (!home_write(xs, t, domid, name)) {
			xs_transaction_end(xs, t, true);
			return -EIO;
		}
		if (xs_transaction_end(xs, t, false))
			return 0;
	} while (errno == EAGAIN);
	return -errno;
}

static int
attach(unsigned int domid)
{
	char request[32], reply[256];
	int ret;

	snprintf(request, sizeof(request), "attach %u", domid);
	ret = control_call(tool_dir(), request, reply, sizeof(reply));
	if (ret != 0 || strcmp(reply, "ok") != 0)
		return fail("domain %u: %s", domid, ret != 0 ? strerror(-ret) : reply);
	return 0;
}

static int
cmd_create(int argc, char **argv)
{
	struct xs_handle *xs;
	unsigned int domid;
	char name[32];
	int ret;

	if (argc < 1 || argc > 2)
		return usage_error("expected a domain id");
	if (parse_domid(argv[0], &domid) != 0)
		return 2;
	if (argc == 2 && (strlen(argv[1]) > 31 || *argv[1] == '\0'))
		return usage_error("name=%s: expected 1..31 characters", argv[1]);
	snprintf(name, sizeof(name), "dom%u", domid);
	xs = store_open();
	if (xs == NULL)
		return 1;
	ret = xensim_domain_create(domid, argc == 2 ? argv[1] : name);
	if (ret != 0) {
		xs_close(xs);
		return fail("domain %u: %s", domid,
				ret == -EEXIST ? "exists already" : strerror(-ret));
	}
	ret = home_create(xs, domid, argc == 2 ? argv[1] : name);
	if (ret != 0)
		ret = fail("domain %u: cannot write its xenstore keys: %s", domid, strerror(-ret));
	else
		ret = attach(domid);
	if (ret != 0)
		xensim_domain_destroy(domid);
	xs_close(xs);
	return ret;
}

/* Backends' directories stay, as after a crash, where no toolstack cleans up; xl's daemon does,
 * so do we once @releaseDomain has fired.
 */
static int
cmd_destroy(int argc, char **argv)
{
	char request[32], reply[256], path[64];
	struct xs_handle *xs;
	unsigned int domid;
	int ret;

	if (argc != 1)
		return usage_error("expected a domain id");
	if (parse_domid(argv[0], &domid) != 0)
		return 2;
	if (domid == 0)
		return usage_error("DOMID=0: expected 1..%d", XENSIM_MAX_DOMID);
	xs = store_open();
	if (xs == NULL)
		return 1;
	snprintf(request, sizeof(request), "detach %u", domid);
	control_call(tool_dir(), request, reply, sizeof(reply));
	ret = xensim_domain_destroy(domid);
	if (ret == 0) {
		xs_rm(xs, XBT_NULL, path_of(path, sizeof(path), "/local/domain/%u", domid));
		xs_rm(xs, XBT_NULL, path_of(path, sizeof(path), "/libxl/%u", domid));
		xs_rm(xs, XBT_NULL,
				path_of(path, sizeof(path), "/local/domain/0/backend/vif/%u",
						domid));
	}
	xs_close(xs);
	if (ret != 0)
		return fail("domain %u: %s", domid,
				ret == -ENOENT ? "does not exist" : strerror(-ret));
	return 0;
}

const struct tool_command tool_domain_commands[] = {
	{ "domain-create", "DOMID [NAME]",
			"create a domain, its xenstore home and its connection to xenstore",
			cmd_create },
	{ "domain-destroy", "DOMID",
			"destroy a domain; @releaseDomain fires. Programs in it stay, without Xen",
			cmd_destroy },
	{ NULL, NULL, NULL, NULL },
};
