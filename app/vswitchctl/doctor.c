/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <ctype.h>
#include <dirent.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"
#include "show.h"

#define DIM(array) (sizeof(array) / sizeof((array)[0]))

#define NETBACK "xen-netback"

void
doctor_say(struct doctor *d, const char *what, const char *why, ...)
{
	char text[2 * DOCTOR_TEXT_SIZE] = "";
	va_list args;

	va_start(args, why);
	if (why != NULL)
		vsnprintf(text, sizeof(text), why, args);
	va_end(args);
	d->bad |= why != NULL;
	if (d->json)
		json_array_append_new(d->checks,
				json_pack("{s:b, s:s, s:s?}", "ok", why == NULL, "what", what,
						"why", why == NULL ? NULL : text));
	else if (why == NULL)
		printf("ok   %s\n", what);
	else
		printf("BAD  %s: %s\n", what, text);
}

char *
doctor_path(char *buffer, const char *format, ...)
{
	const char *root = getenv("XENVSWITCH_ROOT");
	va_list args;
	size_t len;

	len = snprintf(buffer, DOCTOR_TEXT_SIZE, "%s", root == NULL ? "" : root);
	if (len >= DOCTOR_TEXT_SIZE)
		len = DOCTOR_TEXT_SIZE - 1;
	va_start(args, format);
	vsnprintf(buffer + len, DOCTOR_TEXT_SIZE - len, format, args);
	va_end(args);
	return buffer;
}

bool
doctor_read(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "r");
	bool done;

	if (file == NULL)
		return false;
	done = fgets(line, size, file) != NULL;
	fclose(file);
	if (done)
		line[strcspn(line, "\n")] = '\0';
	return done;
}

static bool
is_there(const char *path, int mode)
{
	char buffer[DOCTOR_TEXT_SIZE];

	return access(doctor_path(buffer, "%s", path), mode) == 0;
}

static void
check_xen(struct doctor *d)
{
	char path[DOCTOR_TEXT_SIZE], type[16];

	if (doctor_read(doctor_path(path, "/sys/hypervisor/type"), type, sizeof(type)) &&
			strcmp(type, "xen") == 0)
		doctor_say(d, "domain of Xen", NULL);
	else
		doctor_say(d, "domain of Xen",
				"it is none, or has no /sys/hypervisor; boot it under Xen");
}

static void
check_device(struct doctor *d, const char *device, const char *module)
{
	if (is_there(device, R_OK | W_OK))
		doctor_say(d, device, NULL);
	else if (is_there(device, F_OK))
		doctor_say(d, device, "may not be opened; run this as the user of the switch");
	else
		doctor_say(d, device, "is missing; modprobe %s, and name %s in /etc/modules-load.d",
				module, module);
}

static void
check_xenstore(struct doctor *d)
{
	static const char *const ways[] = {
		"/run/xenstored/socket",
		"/var/run/xenstored/socket",
		"/dev/xen/xenbus",
	};
	size_t i;

	for (i = 0; i < DIM(ways); i++) {
		if (is_there(ways[i], R_OK | W_OK)) {
			doctor_say(d, "xenstore", NULL);
			return;
		}
	}
	doctor_say(d, "xenstore",
			"neither /run/xenstored/socket nor /dev/xen/xenbus can be opened; start "
			"xenstored, or mount xenfs in a driver domain");
}

/* A line that keeps xen-netback away; modprobe takes both characters for the same. */
static bool
blacklists(char *line)
{
	const char *verb, *module;
	char *rest;

	verb = strtok_r(line, " \t\n", &rest);
	module = strtok_r(NULL, " \t\n", &rest);
	if (verb == NULL || module == NULL ||
			(strcmp(verb, "blacklist") != 0 && strcmp(verb, "install") != 0))
		return false;
	return strcmp(module, NETBACK) == 0 || strcmp(module, "xen_netback") == 0;
}

static bool
file_blacklists(const char *path)
{
	char line[DOCTOR_TEXT_SIZE];
	FILE *file = fopen(path, "r");
	bool found = false;

	if (file == NULL)
		return false;
	while (!found && fgets(line, sizeof(line), file) != NULL)
		found = blacklists(line);
	fclose(file);
	return found;
}

/* Where modprobe reads, the first one first: a file in one masks its namesakes in the others. */
static const char *const modprobe_dirs[] = { "/etc/modprobe.d", "/run/modprobe.d",
	"/usr/local/lib/modprobe.d", "/usr/lib/modprobe.d", "/lib/modprobe.d" };

static bool
is_masked(size_t folder, const char *name)
{
	char path[DOCTOR_TEXT_SIZE];
	size_t i;

	for (i = 0; i < folder; i++) {
		if (access(doctor_path(path, "%s/%s", modprobe_dirs[i], name), F_OK) == 0)
			return true;
	}
	return false;
}

static bool
folder_blacklists(size_t folder)
{
	char path[DOCTOR_TEXT_SIZE];
	const struct dirent *entry;
	bool found = false;
	size_t len;
	DIR *dir;

	dir = opendir(doctor_path(path, "%s", modprobe_dirs[folder]));
	if (dir == NULL)
		return false;
	while (!found && (entry = readdir(dir)) != NULL) {
		len = strlen(entry->d_name);
		if (len > 5 && strcmp(entry->d_name + len - 5, ".conf") == 0 &&
				!is_masked(folder, entry->d_name))
			found = file_blacklists(doctor_path(path, "%s/%s", modprobe_dirs[folder],
					entry->d_name));
	}
	closedir(dir);
	return found;
}

static void
check_netback(struct doctor *d)
{
	bool found = false;
	size_t i;

	if (is_there("/sys/module/xen_netback", F_OK))
		doctor_say(d, "no " NETBACK, "it is loaded, and takes vifs; modprobe -r " NETBACK);
	else
		doctor_say(d, "no " NETBACK, NULL);
	for (i = 0; i < DIM(modprobe_dirs); i++)
		found |= folder_blacklists(i);
	if (found)
		doctor_say(d, "blacklist " NETBACK, NULL);
	else
		doctor_say(d, "blacklist " NETBACK,
				"it may be loaded; write 'blacklist " NETBACK
				"' into a file of /etc/modprobe.d");
}

static void
check_script(struct doctor *d)
{
	const char *path = "/etc/xen/scripts/vif-xenvif";

	if (is_there(path, X_OK))
		doctor_say(d, path, NULL);
	else if (is_there(path, F_OK))
		doctor_say(d, path, "is not executable; chmod 755 %s", path);
	else
		doctor_say(d, path, "is missing; install scripts/vif-xenvif of xenvif there");
}

static void
check_driver(struct doctor *d, const char *what, const char *address)
{
	/* Those of Mellanox work beside the kernel's driver. */
	static const char *const good[] = { "vfio-pci", "uio_pci_generic", "igb_uio", "mlx4_core",
		"mlx5_core" };
	/* Xen keeps the IOMMU to itself, as a rule, and vfio-pci wants one. */
	const char *driver = is_there("/sys/kernel/iommu_groups/0", F_OK) ? "vfio-pci" :
									    "uio_pci_generic";
	char path[DOCTOR_TEXT_SIZE], target[PATH_MAX];
	const char *name;
	ssize_t len;
	size_t i;

	len = readlink(doctor_path(path, "/sys/bus/pci/devices/%s/driver", address), target,
			sizeof(target) - 1);
	if (len < 0) {
		doctor_say(d, what, "has no driver; modprobe %s; dpdk-devbind.py --bind=%s %s",
				driver, driver, address);
		return;
	}
	target[len] = '\0';
	name = basename(target);
	for (i = 0; i < DIM(good); i++) {
		if (strcmp(good[i], name) == 0) {
			doctor_say(d, what, NULL);
			return;
		}
	}
	doctor_say(d, what,
			"the kernel's driver %s has it; modprobe %s; dpdk-devbind.py --bind=%s %s",
			name, driver, driver, address);
}

/* 0000:03:00.0 or 03:00.0, up to a comma; the former in `address`. */
static bool
parse_address(const char *devargs, char *address, size_t size)
{
	unsigned int domain = 0, bus, slot, function;
	size_t len = strcspn(devargs, ",");
	int used = 0;

	if (sscanf(devargs, "%4x:%2x:%2x.%1x%n", &domain, &bus, &slot, &function, &used) != 4 ||
			(size_t)used != len) {
		domain = 0;
		used = 0;
		if (sscanf(devargs, "%2x:%2x.%1x%n", &bus, &slot, &function, &used) != 3 ||
				(size_t)used != len)
			return false;
	}
	snprintf(address, size, "%04x:%02x:%02x.%x", domain, bus, slot, function);
	return true;
}

static void
check_devices(struct doctor *d)
{
	char address[32], what[64], path[DOCTOR_TEXT_SIZE];
	unsigned int i;

	for (i = 0; i < d->config.nb_devices; i++) {
		if (!parse_address(d->config.devices[i], address, sizeof(address)))
			continue;
		snprintf(what, sizeof(what), "device %s", address);
		if (access(doctor_path(path, "/sys/bus/pci/devices/%s", address), F_OK) == 0)
			check_driver(d, what, address);
		else
			doctor_say(d, what, "there is none on this machine; see lspci -D");
	}
}

enum client_status
doctor(const char *socket, const char *config, bool json)
{
	struct doctor *d = calloc(1, sizeof(*d));
	enum client_status status = CLIENT_OK;
	json_t *result;

	if (d == NULL) {
		client_error("no memory");
		return CLIENT_REFUSED;
	}
	d->socket = socket;
	d->json = json;
	d->checks = json_array();
	doctor_path(d->path, "%s", config);
	check_xen(d);
	check_device(d, "/dev/xen/gntdev", "xen-gntdev");
	check_device(d, "/dev/xen/evtchn", "xen-evtchn");
	check_xenstore(d);
	check_netback(d);
	check_script(d);
	doctor_check_config(d);
	if (d->config.taps)
		check_device(d, "/dev/net/tun", "tun");
	if (d->config.vhost)
		check_device(d, "/dev/vhost-net", "vhost-net");
	doctor_check_memory(d);
	check_devices(d);
	doctor_check_switch(d);
	result = json_pack("{s:o}", "checks", d->checks);
	if (json)
		status = show_json(result);
	json_decref(result);
	status = d->bad ? CLIENT_REFUSED : status;
	free(d);
	return status;
}
