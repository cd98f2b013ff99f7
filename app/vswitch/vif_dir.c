/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "vif_dir.h"

#define PATH_SIZE 256
#define KEY_SIZE 32
#define VALUE_SIZE 512
/* How often what others change meanwhile is tried to be changed. */
#define TRIES_MAX 16
#define DOMID_MAX 32751
#define DEVID_MAX 65535

struct reading {
	struct xs_talk talk;
	char root[XS_ROOT_SIZE];
	struct vif_dirs dirs;
	int ret;
};

struct change {
	struct xs_talk talk;
	int (*make)(struct xs_handle *xs, xs_transaction_t t, const struct change *change,
			const char *online);
	char dir[PATH_SIZE - KEY_SIZE];
	char key[KEY_SIZE];
	bool removes;
	char value[VALUE_SIZE];
	int ret;
};

/* The keys that are read, where their values go, and whether a change makes a difference. */
static const struct {
	const char *name;
	size_t at;
	bool matters;
} keys[] = {
	{ "script", offsetof(struct vif_dir, keys.script), true },
	{ "bridge", offsetof(struct vif_dir, keys.bridge), true },
	{ "vlan", offsetof(struct vif_dir, keys.vlan), true },
	{ "mac", offsetof(struct vif_dir, keys.mac), true },
	{ "ip", offsetof(struct vif_dir, keys.ip), true },
	{ "mtu", offsetof(struct vif_dir, keys.mtu), true },
	{ "vifname", offsetof(struct vif_dir, keys.vifname), true },
	{ "online", offsetof(struct vif_dir, online), true },
	{ "state", offsetof(struct vif_dir, state), false },
	{ "hotplug-status", offsetof(struct vif_dir, hotplug_status), false },
	{ "hotplug-error", offsetof(struct vif_dir, hotplug_error), false },
};

bool
vif_dir_matters(const char *key)
{
	size_t i;

	for (i = 0; i < RTE_DIM(keys); i++) {
		if (strcmp(key, keys[i].name) == 0)
			return keys[i].matters;
	}
	return false;
}

static void
free_values(struct vif_dir *dir)
{
	char *value;
	size_t i;

	for (i = 0; i < RTE_DIM(keys); i++) {
		memcpy(&value, (char *)dir + keys[i].at, sizeof(value));
		free(value);
	}
}

void
vif_dirs_free(struct vif_dirs *dirs)
{
	unsigned int i;

	for (i = 0; i < dirs->count; i++)
		free_values(&dirs->list[i]);
	free(dirs->list);
	memset(dirs, 0, sizeof(*dirs));
}

/* A directory's names. 0; -ENOENT: there is none; other: xenstore does not answer. */
static int
list(struct xs_handle *xs, const char *path, char ***names, unsigned int *n)
{
	*names = xs_directory(xs, XBT_NULL, path, n);
	return *names != NULL ? 0 : -errno;
}

static bool
parse_number(const char *text, unsigned int max, unsigned int *number)
{
	if (strspn(text, "0123456789") != strlen(text) || text[0] == '\0' || strlen(text) > 5)
		return false;
	*number = strtoul(text, NULL, 10);
	return *number <= max;
}

static int
append(struct vif_dirs *dirs, const struct vif_dir *dir)
{
	unsigned int room = dirs->room == 0 ? 16 : 2 * dirs->room;
	struct vif_dir *bigger;

	if (dirs->count == dirs->room) {
		bigger = realloc(dirs->list, room * sizeof(*bigger));
		if (bigger == NULL)
			return -ENOMEM;
		dirs->list = bigger;
		dirs->room = room;
	}
	dirs->list[dirs->count++] = *dir;
	return 0;
}

/* Read the keys of a vif, and have it in the list if it is the switch's. */
static int
read_vif(struct reading *reading, struct xs_handle *xs, unsigned int domid, unsigned int devid)
{
	struct vif_dir dir = { .domid = domid, .devid = devid };
	char path[PATH_SIZE], *value;
	int ret = 0;
	size_t i;

	for (i = 0; i < RTE_DIM(keys); i++) {
		snprintf(path, sizeof(path), "%s/%u/%u/%s", reading->root, domid, devid,
				keys[i].name);
		if (!xs_talk_goes_on(&reading->talk)) {
			ret = -ETIMEDOUT;
			goto fail;
		}
		value = xs_read(xs, XBT_NULL, path, NULL);
		if (value == NULL && errno != ENOENT && errno != EACCES) {
			ret = -errno;
			goto fail;
		}
		memcpy((char *)&dir + keys[i].at, &value, sizeof(value));
	}
	if (!vif_keys_ours(&dir.keys))
		goto fail;
	ret = append(&reading->dirs, &dir);
	if (ret != 0)
		goto fail;
	return 0;

fail:
	free_values(&dir);
	return ret;
}

static int
read_domain(struct reading *reading, struct xs_handle *xs, const char *name)
{
	char path[PATH_SIZE], **names;
	unsigned int domid, devid, n, i;
	int ret;

	if (!parse_number(name, DOMID_MAX, &domid))
		return 0;
	snprintf(path, sizeof(path), "%s/%u", reading->root, domid);
	ret = list(xs, path, &names, &n);
	if (ret != 0)
		return ret == -ENOENT ? 0 : ret;
	for (i = 0; ret == 0 && i < n; i++) {
		if (parse_number(names[i], DEVID_MAX, &devid))
			ret = read_vif(reading, xs, domid, devid);
	}
	free(names);
	return ret;
}

static void
run_reading(struct xs_talk *talk, struct xs_handle *xs)
{
	struct reading *reading = container_of(talk, struct reading, talk);
	unsigned int n, i;
	char **names;

	reading->ret = list(xs, reading->root, &names, &n);
	if (reading->ret == -ENOENT)
		reading->ret = 0;
	else if (reading->ret == 0) {
		for (i = 0; reading->ret == 0 && i < n; i++)
			reading->ret = read_domain(reading, xs, names[i]);
		free(names);
	}
}

static void
free_reading(struct xs_talk *talk)
{
	struct reading *reading = container_of(talk, struct reading, talk);

	vif_dirs_free(&reading->dirs);
	free(reading);
}

int
vif_dirs_read(struct xs_thread *thread, struct vif_dirs *dirs)
{
	struct reading *reading = calloc(1, sizeof(*reading));
	int ret;

	if (reading == NULL)
		return -ENOMEM;
	reading->talk = (struct xs_talk){ .run = run_reading, .free = free_reading };
	snprintf(reading->root, sizeof(reading->root), "%s", xs_thread_root(thread));
	ret = xs_thread_talk(thread, &reading->talk);
	if (ret != 0)
		return ret;
	ret = reading->ret;
	if (ret == 0) {
		*dirs = reading->dirs;
		memset(&reading->dirs, 0, sizeof(reading->dirs));
	}
	free_reading(&reading->talk);
	return ret;
}

static int
make_key(struct xs_handle *xs, xs_transaction_t t, const struct change *change, const char *online)
{
	char path[PATH_SIZE];
	bool done;

	(void)online;
	snprintf(path, sizeof(path), "%s/%s", change->dir, change->key);
	if (change->removes)
		done = xs_rm(xs, t, path) || errno == ENOENT;
	else
		done = xs_write(xs, t, path, change->value, strlen(change->value));
	return done ? 0 : -errno;
}

static int
make_removed(struct xs_handle *xs, xs_transaction_t t, const struct change *change,
		const char *online)
{
	char path[PATH_SIZE], **names;
	unsigned int n = 0;

	if (strcmp(online, "0") != 0)
		return 0;
	if (!xs_rm(xs, t, change->dir))
		return -errno;
	/* That of the guest is not always this domain's to remove. */
	snprintf(path, sizeof(path), "%s", change->dir);
	*strrchr(path, '/') = '\0';
	names = xs_directory(xs, t, path, &n);
	if (names != NULL && n == 0)
		xs_rm(xs, t, path);
	free(names);
	return 0;
}

/* In a transaction, again as long as others get between. */
static int
make_change(struct xs_handle *xs, const struct change *change)
{
	char path[PATH_SIZE], *online;
	unsigned int tries;
	xs_transaction_t t;
	int ret;

	snprintf(path, sizeof(path), "%s/online", change->dir);
	for (tries = 0; tries < TRIES_MAX; tries++) {
		if (!xs_talk_goes_on(&change->talk))
			return -ETIMEDOUT;
		t = xs_transaction_start(xs);
		if (t == XBT_NULL)
			return -errno;
		online = xs_read(xs, t, path, NULL);
		ret = online == NULL ? -errno : change->make(xs, t, change, online);
		free(online);
		/* Whoever asked for it was told that it was not done. */
		if (ret == 0 && !xs_talk_goes_on(&change->talk))
			ret = -ETIMEDOUT;
		if (!xs_transaction_end(xs, t, ret != 0) && ret == 0)
			ret = -errno;
		if (ret != -EAGAIN)
			return ret;
	}
	return -EAGAIN;
}

static void
run_change(struct xs_talk *talk, struct xs_handle *xs)
{
	struct change *change = container_of(talk, struct change, talk);

	change->ret = make_change(xs, change);
}

static void
free_change(struct xs_talk *talk)
{
	free(container_of(talk, struct change, talk));
}

static struct change *
create_change(const char *dir)
{
	struct change *change = calloc(1, sizeof(*change));

	if (change == NULL)
		return NULL;
	change->talk = (struct xs_talk){ .run = run_change, .free = free_change };
	snprintf(change->dir, sizeof(change->dir), "%s", dir);
	return change;
}

/* Have the thread make it, and free it. */
static int
ask_change(struct xs_thread *thread, struct change *change)
{
	int ret = xs_thread_talk(thread, &change->talk);

	if (ret != 0)
		return ret;
	ret = change->ret;
	free(change);
	return ret;
}

int
vif_dir_write(struct xs_thread *thread, const char *dir, const char *key, const char *value)
{
	struct change *change = create_change(dir);

	if (change == NULL)
		return -ENOMEM;
	change->make = make_key;
	change->removes = value == NULL;
	snprintf(change->key, sizeof(change->key), "%s", key);
	snprintf(change->value, sizeof(change->value), "%s", value != NULL ? value : "");
	return ask_change(thread, change);
}

int
vif_dir_remove(struct xs_thread *thread, const char *dir)
{
	struct change *change = create_change(dir);

	if (change == NULL)
		return -ENOMEM;
	change->make = make_removed;
	return ask_change(thread, change);
}
