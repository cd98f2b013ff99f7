/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <xenstore.h>

#include "log.h"
#include "xs_vifs.h"

#define PATH_SIZE 128
#define SAID_MAX 256
#define PREFIX "dpdk-xenvswitch: "
#define DOMID_MAX 32751
#define DEVID_MAX 65535

/* What was said of a vif. */
struct said {
	unsigned int domid;
	unsigned int devid;
	char error[VIF_ERROR_SIZE];
};

struct xs_vifs {
	bool (*is_bridge)(const char *name, const void *arg);
	const void *arg;
	struct xs_handle *xs;
	char root[PATH_SIZE];
	bool again;
	bool away;
	unsigned int count;
	unsigned int room;
	struct xs_vif *list;
	unsigned int nb_said;
	struct said said[SAID_MAX];
};

/* The keys that make a difference, and where their values go. */
static const struct {
	const char *name;
	size_t at;
} keys[] = {
	{ "script", offsetof(struct vif_texts, script) },
	{ "bridge", offsetof(struct vif_texts, bridge) },
	{ "vlan", offsetof(struct vif_texts, vlan) },
	{ "mac", offsetof(struct vif_texts, mac) },
	{ "ip", offsetof(struct vif_texts, ip) },
	{ "mtu", offsetof(struct vif_texts, mtu) },
	{ "vifname", offsetof(struct vif_texts, vifname) },
	{ "type", offsetof(struct vif_texts, type) },
	{ "online", offsetof(struct vif_texts, online) },
};

struct xs_vifs *
xs_vifs_open(bool (*is_bridge)(const char *name, const void *arg), const void *arg)
{
	struct xs_vifs *vifs = calloc(1, sizeof(*vifs));

	if (vifs == NULL)
		return NULL;
	vifs->is_bridge = is_bridge;
	vifs->arg = arg;
	return vifs;
}

static void
disconnect(struct xs_vifs *vifs)
{
	if (vifs->xs != NULL)
		xs_close(vifs->xs);
	vifs->xs = NULL;
}

void
xs_vifs_close(struct xs_vifs *vifs)
{
	if (vifs == NULL)
		return;
	disconnect(vifs);
	free(vifs->list);
	free(vifs);
}

/* What is said once, and once more when it is over. */
static void
set_away(struct xs_vifs *vifs, bool away)
{
	if (away && !vifs->away)
		LOG(WARNING, "xenstore does not answer; trying again");
	else if (!away && vifs->away)
		LOG(NOTICE, "xenstore answers again");
	vifs->away = away;
}

static bool
connect_store(struct xs_vifs *vifs)
{
	char *domid = NULL;

	vifs->xs = xs_open(0);
	if (vifs->xs != NULL)
		domid = xs_read(vifs->xs, XBT_NULL, "domid", NULL);
	if (domid != NULL)
		snprintf(vifs->root, sizeof(vifs->root), "/local/domain/%s/backend/vif", domid);
	free(domid);
	/* The watch's first event asks for everything. */
	if (domid == NULL || !xs_watch(vifs->xs, vifs->root, "vifs")) {
		disconnect(vifs);
		set_away(vifs, true);
		return false;
	}
	set_away(vifs, false);
	return true;
}

int
xs_vifs_fd(const struct xs_vifs *vifs)
{
	return vifs->xs == NULL ? -1 : xs_fileno(vifs->xs);
}

/* A directory's names. 0; -ENOENT: there is none; other: xenstore does not answer. */
static int
list(struct xs_vifs *vifs, const char *path, char ***names, unsigned int *n)
{
	*names = xs_directory(vifs->xs, XBT_NULL, path, n);
	return *names != NULL ? 0 : -errno;
}

static bool
parse_number(const char *text, unsigned int max, unsigned int *number)
{
	char *end;
	unsigned long n;

	if (strspn(text, "0123456789") != strlen(text) || text[0] == '\0' || strlen(text) > 5)
		return false;
	n = strtoul(text, &end, 10);
	*number = n;
	return n <= max;
}

static struct xs_vif *
append(struct xs_vifs *vifs)
{
	unsigned int room = vifs->room == 0 ? 16 : 2 * vifs->room;
	struct xs_vif *list = vifs->list;

	if (vifs->count == vifs->room) {
		list = realloc(list, room * sizeof(*list));
		if (list == NULL)
			return NULL;
		vifs->list = list;
		vifs->room = room;
	}
	memset(&list[vifs->count], 0, sizeof(*list));
	return &list[vifs->count++];
}

/* Read the keys of a vif, and have it in the list if it is the switch's. */
static int
read_vif(struct xs_vifs *vifs, unsigned int domid, unsigned int devid)
{
	char *values[RTE_DIM(keys)] = { NULL };
	struct vif_texts texts = { 0 };
	struct xs_vif *vif;
	char path[2 * PATH_SIZE];
	int ret = 0;
	size_t i;

	for (i = 0; i < RTE_DIM(keys); i++) {
		snprintf(path, sizeof(path), "%s/%u/%u/%s", vifs->root, domid, devid, keys[i].name);
		values[i] = xs_read(vifs->xs, XBT_NULL, path, NULL);
		if (values[i] == NULL && errno != ENOENT && errno != EACCES) {
			ret = -errno;
			goto out;
		}
		memcpy((char *)&texts + keys[i].at, &values[i], sizeof(values[i]));
	}
	if (!vif_keys_ours(&texts))
		goto out;
	vif = append(vifs);
	if (vif == NULL) {
		ret = -ENOMEM;
		goto out;
	}
	vif->domid = domid;
	vif->devid = devid;
	vif_keys_parse(&texts, domid, devid, vifs->is_bridge, vifs->arg, &vif->keys, vif->error);

out:
	for (i = 0; i < RTE_DIM(keys); i++)
		free(values[i]);
	return ret;
}

static int
read_domain(struct xs_vifs *vifs, const char *name)
{
	char path[2 * PATH_SIZE], **names;
	unsigned int domid, devid, n, i;
	int ret;

	if (!parse_number(name, DOMID_MAX, &domid))
		return 0;
	snprintf(path, sizeof(path), "%s/%u", vifs->root, domid);
	ret = list(vifs, path, &names, &n);
	if (ret != 0)
		return ret == -ENOENT ? 0 : ret;
	for (i = 0; ret == 0 && i < n; i++) {
		if (parse_number(names[i], DEVID_MAX, &devid))
			ret = read_vif(vifs, domid, devid);
	}
	free(names);
	return ret;
}

/* What has no vif any more has nothing said of it. */
static void
forget_said(struct xs_vifs *vifs)
{
	unsigned int i, j, kept = 0;

	for (i = 0; i < vifs->nb_said; i++) {
		for (j = 0; j < vifs->count; j++) {
			if (vifs->list[j].domid == vifs->said[i].domid &&
					vifs->list[j].devid == vifs->said[i].devid)
				break;
		}
		if (j < vifs->count)
			vifs->said[kept++] = vifs->said[i];
	}
	vifs->nb_said = kept;
}

/* Read all vifs. When xenstore fails meanwhile, the list is as it was. */
static bool
read_all(struct xs_vifs *vifs)
{
	struct xs_vif *old = vifs->list;
	unsigned int count = vifs->count, room = vifs->room, n, i;
	char **names;
	int ret;

	vifs->list = NULL;
	vifs->count = 0;
	vifs->room = 0;
	ret = list(vifs, vifs->root, &names, &n);
	if (ret == 0) {
		for (i = 0; ret == 0 && i < n; i++)
			ret = read_domain(vifs, names[i]);
		free(names);
	} else if (ret == -ENOENT) {
		ret = 0;
	}
	if (ret == 0) {
		free(old);
		forget_said(vifs);
		return true;
	}
	free(vifs->list);
	vifs->list = old;
	vifs->count = count;
	vifs->room = room;
	disconnect(vifs);
	set_away(vifs, true);
	return false;
}

/* Does an event matter? Drivers write to these directories all the time. */
static bool
matters(const struct xs_vifs *vifs, const char *path)
{
	size_t len = strlen(vifs->root), i;
	const char *rest, *key;

	if (strncmp(path, vifs->root, len) != 0)
		return false;
	rest = path + len;
	key = strrchr(rest, '/');
	/* A directory: it has come, or it has gone. */
	if (key == NULL || strspn(key + 1, "0123456789") == strlen(key + 1))
		return true;
	for (i = 0; i < RTE_DIM(keys); i++) {
		if (strcmp(key + 1, keys[i].name) == 0)
			return true;
	}
	return false;
}

bool
xs_vifs_update(struct xs_vifs *vifs)
{
	char **event;

	if (vifs->xs == NULL && !connect_store(vifs))
		return false;
	while ((event = xs_check_watch(vifs->xs)) != NULL) {
		if (matters(vifs, event[XS_WATCH_PATH]))
			vifs->again = true;
		free(event);
	}
	if (errno != EAGAIN) {
		disconnect(vifs);
		set_away(vifs, true);
		return false;
	}
	if (!vifs->again)
		return false;
	vifs->again = false;
	return read_all(vifs);
}

void
xs_vifs_again(struct xs_vifs *vifs)
{
	vifs->again = true;
}

unsigned int
xs_vifs_count(const struct xs_vifs *vifs)
{
	return vifs->count;
}

const struct xs_vif *
xs_vifs_get(const struct xs_vifs *vifs, unsigned int i)
{
	return &vifs->list[i];
}

/* What was said of the vif; made, if it is to be and there is room. */
static struct said *
find_said(struct xs_vifs *vifs, unsigned int domid, unsigned int devid, bool make)
{
	struct said *said;
	unsigned int i;

	for (i = 0; i < vifs->nb_said; i++) {
		if (vifs->said[i].domid == domid && vifs->said[i].devid == devid)
			return &vifs->said[i];
	}
	if (!make || vifs->nb_said == SAID_MAX)
		return NULL;
	said = &vifs->said[vifs->nb_said++];
	*said = (struct said){ .domid = domid, .devid = devid };
	return said;
}

/* NULL removes the key; one that is not there is none to xenstore, too. */
static int
write_key(struct xs_vifs *vifs, unsigned int domid, unsigned int devid, const char *key,
		const char *value)
{
	char path[2 * PATH_SIZE], *online;
	bool done;

	if (vifs->xs == NULL)
		return -ENOTCONN;
	/* A directory that has gone must not come back by that. */
	snprintf(path, sizeof(path), "%s/%u/%u/online", vifs->root, domid, devid);
	online = xs_read(vifs->xs, XBT_NULL, path, NULL);
	if (online == NULL)
		return -errno;
	free(online);
	snprintf(path, sizeof(path), "%s/%u/%u/%s", vifs->root, domid, devid, key);
	if (value != NULL)
		done = xs_write(vifs->xs, XBT_NULL, path, value, strlen(value));
	else
		done = xs_rm(vifs->xs, XBT_NULL, path) || errno == ENOENT;
	return done ? 0 : -errno;
}

/* What an earlier process has said of the vif, and what is over now. */
static void
clear_error(struct xs_vifs *vifs, unsigned int domid, unsigned int devid)
{
	char path[2 * PATH_SIZE], *error;

	if (vifs->xs == NULL)
		return;
	snprintf(path, sizeof(path), "%s/%u/%u/hotplug-error", vifs->root, domid, devid);
	error = xs_read(vifs->xs, XBT_NULL, path, NULL);
	if (error != NULL && strncmp(error, PREFIX, strlen(PREFIX)) == 0)
		write_key(vifs, domid, devid, "hotplug-error", "");
	free(error);
}

void
xs_vifs_say(struct xs_vifs *vifs, unsigned int domid, unsigned int devid, const char *error)
{
	struct said *said = find_said(vifs, domid, devid, error != NULL);
	char text[sizeof(PREFIX) + VIF_ERROR_SIZE];

	if (error == NULL) {
		clear_error(vifs, domid, devid);
		if (said == NULL)
			return;
		LOG(NOTICE, "vif %u/%u: has its port now", domid, devid);
		*said = vifs->said[--vifs->nb_said];
		return;
	}
	if (said == NULL || strcmp(said->error, error) == 0)
		return;
	snprintf(said->error, sizeof(said->error), "%s", error);
	LOG(ERR, "vif %u/%u: %s", domid, devid, error);
	snprintf(text, sizeof(text), PREFIX "%s", error);
	write_key(vifs, domid, devid, "hotplug-error", text);
}

const char *
xs_vifs_error(const struct xs_vifs *vifs, unsigned int i, unsigned int *domid, unsigned int *devid)
{
	if (i >= vifs->nb_said)
		return NULL;
	*domid = vifs->said[i].domid;
	*devid = vifs->said[i].devid;
	return vifs->said[i].error;
}

int
xs_vifs_set_rate(struct xs_vifs *vifs, unsigned int domid, unsigned int devid, const char *rate)
{
	return write_key(vifs, domid, devid, "rate", rate);
}
