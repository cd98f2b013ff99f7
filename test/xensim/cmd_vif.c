/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Commands for vifs: the toolstack's part of a network device, key for key. */

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xen/io/xenbus.h>

#include "tool.h"

/* What the toolstack waits for a backend, at most; a loaded machine gets more than libxl's 10 s. */
#define DEFAULT_TIMEOUT_S 60
/* No directory of the backend, in the place of a state. */
#define GONE (-1)
#define MTU_DEFAULT 1500

struct vif {
	unsigned int domid;
	unsigned int devid;
	unsigned int backend;
	char fe[80];
	char be[80];
	char lx[80];
	unsigned int timeout;
	bool wait;
	bool force;
	const char *mac;
	const char *rate;
	const char *bridge;
	const char *vifname;
	const char *ip;
	const char *vlan;
	const char *script;
	const char *hotplug;
	unsigned int mtu;
	unsigned int trusted;
	char rate_buf[48];
	char mac_buf[32];
};

static void
vif_paths(struct vif *v)
{
	snprintf(v->fe, sizeof(v->fe), "/local/domain/%u/device/vif/%u", v->domid, v->devid);
	snprintf(v->be, sizeof(v->be), "/local/domain/%u/backend/vif/%u/%u", v->backend, v->domid,
			v->devid);
	snprintf(v->lx, sizeof(v->lx), "/libxl/%u/device/vif/%u", v->domid, v->devid);
}

/* As xl's: a number of bits or bytes a second, in windows of 50 ms; or the key's own form. */
static int
parse_rate(struct vif *v, const char *text)
{
	unsigned long long n, usec, unit = 1;
	char prefix, what;
	int used = 0;

	v->rate = v->rate_buf;
	if (sscanf(text, "%llu,%llu%n", &n, &usec, &used) == 2 && text[used] == '\0') {
		snprintf(v->rate_buf, sizeof(v->rate_buf), "%s", text);
		return 0;
	}
	if (sscanf(text, "%llu%c%c/s%n", &n, &prefix, &what, &used) < 3 || text[used] != '\0' ||
			used == 0 || strchr("KMG", prefix) == NULL || strchr("bB", what) == NULL)
		return usage_error("rate=%s: expected a number with Kb/s, Mb/s, Gb/s, KB/s, MB/s "
				   "or GB/s, or BYTES,USEC",
				text);
	unit = prefix == 'K' ? 1000 : prefix == 'M' ? 1000000 : 1000000000;
	n = n * unit / (what == 'b' ? 8 : 1);
	snprintf(v->rate_buf, sizeof(v->rate_buf), "%llu,50000", n / 20);
	return 0;
}

static int
parse_mac(const char *text)
{
	unsigned int m[6], i;
	int used = 0;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5],
			    &used) != 6 ||
			text[used] != '\0' || used != 17)
		return usage_error("mac=%s: expected xx:xx:xx:xx:xx:xx", text);
	for (i = 0; i < 17; i++)
		if ((i % 3 == 2) != (text[i] == ':'))
			return usage_error("mac=%s: expected xx:xx:xx:xx:xx:xx", text);
	return 0;
}

static int
parse_hotplug(struct vif *v, const char *text)
{
	static const char *const allowed[] = { "connected", "none", "error", "wait" };
	size_t i;

	for (i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		if (strcmp(text, allowed[i]) == 0) {
			v->hotplug = allowed[i];
			return 0;
		}
	return usage_error("hotplug=%s: expected connected, none, error or wait", text);
}

static int
parse_option(struct vif *v, const char *arg)
{
	const char *value = strchr(arg, '=');
	unsigned long n = 0;
	int ret = 0;

	value = value != NULL ? value + 1 : "";
	if (strncmp(arg, "mac=", 4) == 0) {
		v->mac = value;
		return parse_mac(value);
	} else if (strncmp(arg, "rate=", 5) == 0) {
		return parse_rate(v, value);
	} else if (strncmp(arg, "bridge=", 7) == 0) {
		v->bridge = value;
	} else if (strncmp(arg, "vifname=", 8) == 0) {
		v->vifname = value;
	} else if (strncmp(arg, "ip=", 3) == 0) {
		v->ip = value;
	} else if (strncmp(arg, "vlan=", 5) == 0) {
		v->vlan = value;
	} else if (strncmp(arg, "script=", 7) == 0) {
		v->script = value;
	} else if (strncmp(arg, "hotplug=", 8) == 0) {
		return parse_hotplug(v, value);
	} else if (strncmp(arg, "mtu=", 4) == 0) {
		ret = parse_number("mtu", value, 68, 65535, &n);
		v->mtu = (unsigned int)n;
	} else if (strncmp(arg, "trusted=", 8) == 0) {
		ret = parse_number("trusted", value, 0, 1, &n);
		v->trusted = (unsigned int)n;
	} else if (strncmp(arg, "backend=", 8) == 0) {
		ret = parse_number("backend", value, 0, XENSIM_MAX_DOMID, &n);
		v->backend = (unsigned int)n;
	} else {
		ret = usage_error("%s: no such option", arg);
	}
	return ret;
}

/* DOMID DEVID, then what the subcommand takes. */
static int
parse_vif(struct vif *v, int argc, char **argv, bool options)
{
	unsigned long n;
	int i;

	memset(v, 0, sizeof(*v));
	v->timeout = DEFAULT_TIMEOUT_S;
	v->wait = true;
	v->bridge = "xenbr0";
	v->script = "/etc/xen/scripts/vif-xenvif";
	v->hotplug = "connected";
	v->mtu = MTU_DEFAULT;
	v->trusted = 1;
	if (argc < 2)
		return usage_error("expected a domain and a device");
	if (parse_domid(argv[0], &v->domid) != 0 ||
			parse_number("DEVID", argv[1], 0, 65535, &n) != 0)
		return 2;
	v->devid = (unsigned int)n;
	for (i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--timeout") == 0 && i + 1 < argc) {
			if (parse_number("--timeout", argv[++i], 1, 3600, &n) != 0)
				return 2;
			v->timeout = (unsigned int)n;
		} else if (strcmp(argv[i], "--no-wait") == 0 && options) {
			v->wait = false;
		} else if (strcmp(argv[i], "--force") == 0 && !options) {
			v->force = true;
		} else if (!options || parse_option(v, argv[i]) != 0) {
			return options ? 2 : usage_error("%s: no such option", argv[i]);
		}
	}
	if (v->mac == NULL) {
		snprintf(v->mac_buf, sizeof(v->mac_buf), "00:16:3e:%02x:%02x:%02x",
				v->domid >> 8 & 0x7f, v->domid & 0xff, v->devid & 0xff);
		v->mac = v->mac_buf;
	}
	vif_paths(v);
	return 0;
}

/* The backend may be in another domain than 0: the toolstack noted where. */
static int
find_backend(struct xs_handle *xs, struct vif *v)
{
	char *path = store_read(xs, XBT_NULL, "%s/backend", v->lx);
	int ret = 0;

	if (path == NULL || sscanf(path, "/local/domain/%u/", &v->backend) != 1)
		ret = fail("vif %u of domain %u does not exist", v->devid, v->domid);
	free(path);
	vif_paths(v);
	return ret;
}

/* The toolstack's keys of the backend; the same are kept below /libxl. */
static bool
backend_keys(struct xs_handle *xs, xs_transaction_t t, const struct vif *v, const char *dir)
{
	char domid[16], devid[16], mtu[16];

	snprintf(domid, sizeof(domid), "%u", v->domid);
	snprintf(devid, sizeof(devid), "%u", v->devid);
	snprintf(mtu, sizeof(mtu), "%u", v->mtu);
	return store_write(xs, t, domid, "%s/frontend-id", dir) &&
			store_write(xs, t, "1", "%s/online", dir) &&
			store_write(xs, t, "1", "%s/state", dir) &&
			store_write(xs, t, v->script, "%s/script", dir) &&
			store_write(xs, t, v->mac, "%s/mac", dir) &&
			(v->rate == NULL || store_write(xs, t, v->rate, "%s/rate", dir)) &&
			(v->mtu == MTU_DEFAULT || store_write(xs, t, mtu, "%s/mtu", dir)) &&
			store_write(xs, t, v->bridge, "%s/bridge", dir) &&
			(v->vifname == NULL || store_write(xs, t, v->vifname, "%s/vifname", dir)) &&
			(v->ip == NULL || store_write(xs, t, v->ip, "%s/ip", dir)) &&
			(v->vlan == NULL || store_write(xs, t, v->vlan, "%s/vlan", dir)) &&
			store_write(xs, t, devid, "%s/handle", dir) &&
			store_write(xs, t, "vif", "%s/type", dir) &&
			store_write(xs, t, "", "%s/hotplug-status", dir);
}

static bool
key_with_perms(struct xs_handle *xs, xs_transaction_t t, const char *dir, const char *key,
		const char *value, struct xs_permissions *perms)
{
	char path[PATH_MAX];

	path_of(path, sizeof(path), "%s/%s", dir, key);
	return store_write(xs, t, value, "%s", path) && xs_set_permissions(xs, t, path, perms, 2);
}

static bool
frontend_keys(struct xs_handle *xs, xs_transaction_t t, const struct vif *v,
		struct xs_permissions *own, struct xs_permissions *read_only)
{
	char backend[16], devid[16], mtu[16];

	snprintf(backend, sizeof(backend), "%u", v->backend);
	snprintf(devid, sizeof(devid), "%u", v->devid);
	snprintf(mtu, sizeof(mtu), "%u", v->mtu);
	return store_write(xs, t, v->be, "%s/backend", v->fe) &&
			key_with_perms(xs, t, v->fe, "backend-id", backend, own) &&
			key_with_perms(xs, t, v->fe, "state", "1", own) &&
			key_with_perms(xs, t, v->fe, "handle", devid, own) &&
			key_with_perms(xs, t, v->fe, "mac", v->mac, own) &&
			key_with_perms(xs, t, v->fe, "trusted", v->trusted ? "1" : "0", own) &&
			key_with_perms(xs, t, v->fe, "mtu", mtu, read_only);
}

static bool
create_in(struct xs_handle *xs, xs_transaction_t t, const struct vif *v)
{
	struct xs_permissions fe[2] = {
		{ .id = v->domid, .perms = XS_PERM_NONE },
		{ .id = v->backend, .perms = XS_PERM_READ },
	};
	struct xs_permissions be[2] = {
		{ .id = v->backend, .perms = XS_PERM_NONE },
		{ .id = v->domid, .perms = XS_PERM_READ },
	};

	xs_rm(xs, t, v->lx);
	if (!store_write(xs, t, v->fe, "%s/frontend", v->lx) ||
			!store_write(xs, t, v->be, "%s/backend", v->lx))
		return false;
	xs_rm(xs, t, v->fe);
	if (!store_dir(xs, t, fe, 2, v->fe) || !frontend_keys(xs, t, v, fe, be))
		return false;
	xs_rm(xs, t, v->be);
	return store_dir(xs, t, be, 2, v->be) && store_write(xs, t, v->fe, "%s/frontend", v->be) &&
			backend_keys(xs, t, v, v->be) && backend_keys(xs, t, v, v->lx);
}

/* One transaction, again as long as others get between. */
static int
transact(struct xs_handle *xs, const struct vif *v,
		bool (*body)(struct xs_handle *xs, xs_transaction_t t, const struct vif *v))
{
	xs_transaction_t t;
	int err;

	do {
		t = xs_transaction_start(xs);
		if (t == XBT_NULL)
			return fail("cannot start a transaction: %s", strerror(errno));
		if (!body(xs, t, v)) {
			err = errno;
			xs_transaction_end(xs, t, true);
			return fail("vif %u of domain %u: xenstore: %s", v->devid, v->domid,
					strerror(err));
		}
		if (xs_transaction_end(xs, t, false))
			return 0;
	} while (errno == EAGAIN);
	return fail("cannot end a transaction: %s", strerror(errno));
}

static bool
state_gone_or(int state, int wanted)
{
	return state < 0 ? wanted == GONE || wanted == XenbusStateClosed : state == wanted;
}

/* Wait for a state of the backend, or GONE; a missing key counts as closed. */
static bool
wait_state(struct xs_handle *xs, const struct vif *v, int wanted)
{
	struct pollfd pfd = { .fd = xs_fileno(xs), .events = POLLIN };
	double end = monotonic_s() + v->timeout, left;
	char path[PATH_MAX];
	unsigned int n;
	bool reached;

	path_of(path, sizeof(path), "%s/state", v->be);
	xs_watch(xs, path, "state");
	for (;;) {
		reached = state_gone_or(store_read_int(xs, "%s", path), wanted);
		left = end - monotonic_s();
		if (reached || left <= 0)
			break;
		if (poll(&pfd, 1, (int)(left * 1000) + 1) == 1)
			free(xs_read_watch(xs, &n));
	}
	xs_unwatch(xs, path, "state");
	return reached;
}

static int
run_hotplug(struct xs_handle *xs, const struct vif *v)
{
	if (strcmp(v->hotplug, "none") == 0)
		return 0;
	if (v->wait && !wait_state(xs, v, XenbusStateInitWait))
		return fail("vif %u of domain %u: no backend in state 2 within %u s", v->devid,
				v->domid, v->timeout);
	if (strcmp(v->hotplug, "wait") == 0)
		return 0;
	if (strcmp(v->hotplug, "error") == 0 &&
			!store_write(xs, XBT_NULL, "script failed", "%s/hotplug-error", v->be))
		return fail("cannot write hotplug-error: %s", strerror(errno));
	if (!store_write(xs, XBT_NULL, v->hotplug, "%s/hotplug-status", v->be))
		return fail("cannot write hotplug-status: %s", strerror(errno));
	return 0;
}

static int
cmd_create(int argc, char **argv)
{
	struct xs_handle *xs;
	struct vif v;
	int ret;

	ret = parse_vif(&v, argc, argv, true);
	if (ret != 0)
		return ret;
	xs = store_open();
	if (xs == NULL)
		return 1;
	if (xensim_domain_info(v.domid, NULL) != 1 || xensim_domain_info(v.backend, NULL) != 1)
		ret = fail("domain %u or its backend's domain %u does not exist", v.domid,
				v.backend);
	else
		ret = transact(xs, &v, create_in);
	if (ret == 0)
		ret = run_hotplug(xs, &v);
	xs_close(xs);
	return ret;
}

static bool
detach_in(struct xs_handle *xs, xs_transaction_t t, const struct vif *v)
{
	char *state = store_read(xs, t, "%s/state", v->be);
	bool ok = true;

	if (state != NULL && atoi(state) != XenbusStateClosed)
		ok = store_write(xs, t, "0", "%s/online", v->be) &&
				store_write(xs, t, "5", "%s/state", v->be);
	free(state);
	if (ok && v->force)
		xs_rm(xs, t, v->fe);
	return ok;
}

/* The domain's folder goes with its last device. */
static void
backend_rm(struct xs_handle *xs, xs_transaction_t t, const struct vif *v)
{
	char parent[80], **entries;
	unsigned int n = 0;

	xs_rm(xs, t, v->be);
	snprintf(parent, sizeof(parent), "/local/domain/%u/backend/vif/%u", v->backend, v->domid);
	entries = xs_directory(xs, t, parent, &n);
	if (entries != NULL && n == 0)
		xs_rm(xs, t, parent);
	free(entries);
}

static bool
remove_in(struct xs_handle *xs, xs_transaction_t t, const struct vif *v)
{
	xs_rm(xs, t, v->fe);
	backend_rm(xs, t, v);
	xs_rm(xs, t, v->lx);
	return true;
}

/* Run a command on the vif that the arguments name. */
static int
with_vif(int argc, char **argv, int (*run)(struct xs_handle *xs, const struct vif *v))
{
	struct xs_handle *xs;
	struct vif v;
	int ret;

	ret = parse_vif(&v, argc, argv, false);
	if (ret != 0)
		return ret;
	xs = store_open();
	if (xs == NULL)
		return 1;
	ret = find_backend(xs, &v);
	if (ret == 0)
		ret = run(xs, &v);
	xs_close(xs);
	return ret;
}

static int
detach(struct xs_handle *xs, const struct vif *v)
{
	int ret = transact(xs, v, detach_in);

	if (ret == 0 && !wait_state(xs, v, XenbusStateClosed) && !v->force)
		ret = fail("vif %u of domain %u: backend not in state 6 within %u s", v->devid,
				v->domid, v->timeout);
	/* A driver domain is in charge of its own. */
	if (ret == 0 && v->backend != 0 && !v->force && !wait_state(xs, v, GONE))
		ret = fail("vif %u of domain %u: backend's directory is there after %u s", v->devid,
				v->domid, v->timeout);
	return ret == 0 ? transact(xs, v, remove_in) : ret;
}

static int
cmd_detach(int argc, char **argv)
{
	return with_vif(argc, argv, detach);
}

static int
destroy(struct xs_handle *xs, const struct vif *v)
{
	return transact(xs, v, remove_in);
}

static int
cmd_destroy(int argc, char **argv)
{
	return with_vif(argc, argv, destroy);
}

/* What a guest wrote is not printed as it is. */
static void
print_value(const char *value)
{
	for (; *value != '\0'; value++)
		if (isprint((unsigned char)*value))
			putchar(*value);
		else
			printf("\\x%02x", (unsigned char)*value);
}

static void
show_keys(struct xs_handle *xs, const char *title, const char *dir)
{
	char **keys, *value;
	unsigned int n, i;

	printf("%s %s\n", title, dir);
	keys = xs_directory(xs, XBT_NULL, dir, &n);
	for (i = 0; keys != NULL && i < n; i++) {
		value = store_read(xs, XBT_NULL, "%s/%s", dir, keys[i]);
		printf("  %s = ", keys[i]);
		print_value(value != NULL ? value : "?");
		putchar('\n');
		free(value);
	}
	free(keys);
}

static int
show(struct xs_handle *xs, const struct vif *v)
{
	printf("vif%u.%u: backend state %d, frontend state %d\n", v->domid, v->devid,
			store_read_int(xs, "%s/state", v->be),
			store_read_int(xs, "%s/state", v->fe));
	show_keys(xs, "backend", v->be);
	show_keys(xs, "frontend", v->fe);
	return 0;
}

static int
cmd_show(int argc, char **argv)
{
	return with_vif(argc, argv, show);
}

const struct tool_command tool_vif_commands[] = {
	{ "vif-create",
			"DOMID DEVID [mac=MAC] [rate=RATE] [mtu=N] [bridge=NAME]\n"
			"[vifname=NAME] [ip=ADDRESSES] [vlan=VLANS] [backend=DOMID]\n"
			"[script=PATH] [trusted=0|1]\n"
			"[hotplug=connected|none|error|wait] [--no-wait] [--timeout S]",
			"write a vif's keys as libxl does, wait for the backend's state 2\n"
			"and write hotplug-status as the script would (--no-wait: at once).\n"
			"hotplug=none: neither; wait: only wait",
			cmd_create },
	{ "vif-detach", "DOMID DEVID [--timeout S] [--force]",
			"online=0 and state=5, wait for state 6, remove the vif; with --force\n"
			"remove the frontend first and the rest even without an answer. One\n"
			"with backend=DOMID has its backend's directory removed there",
			cmd_detach },
	{ "vif-destroy", "DOMID DEVID", "remove a vif's keys at once", cmd_destroy },
	{ "vif-show", "DOMID DEVID", "print the states and keys of a vif", cmd_show },
	{ NULL, NULL, NULL, NULL },
};
