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
#include "vif_dir.h"
#include "xen_store.h"
#include "xs_vifs.h"

#define ROOT_SIZE 128
#define DIR_SIZE (ROOT_SIZE + 32)
#define PATH_SIZE (DIR_SIZE + 32)
#define SAID_MAX 256
#define PREFIX "dpdk-xenvswitch: "
#define DOMID_MAX 32751
#define DEVID_MAX 65535
#define STATUS_SIZE 16
/* XenbusStateClosed. */
#define STATE_CLOSED "6"

/* What was said of a vif. */
struct said {
	unsigned int domid;
	unsigned int devid;
	char error[VIF_ERROR_SIZE];
};

/* A vif, with what is not the switch's but is looked at: as it is in xenstore. */
struct entry {
	struct xs_vif vif;
	char dir[DIR_SIZE];
	/* The toolstack has detached it. */
	bool detached;
	/* A backend is through with it. */
	bool closed;
	char status[STATUS_SIZE];
	/* Longer than any of ours. */
	char error[sizeof(PREFIX) + VIF_ERROR_SIZE + 1];
};

struct xs_vifs {
	bool (*is_bridge)(const char *name, const void *arg);
	const void *arg;
	struct xs_handle *xs;
	char root[ROOT_SIZE];
	bool again;
	bool away;
	bool hotplug;
	unsigned int count;
	unsigned int room;
	struct entry *list;
	unsigned int nb_said;
	struct said said[SAID_MAX];
};

/* What is in a vif's directory. */
struct texts {
	struct vif_texts keys;
	const char *online;
	const char *state;
	const char *status;
	const char *error;
};

/* The keys that are looked at, where their values go, and whether a change makes a difference. */
static const struct {
	const char *name;
	size_t at;
	bool matters;
} keys[] = {
	{ "script", offsetof(struct texts, keys.script), true },
	{ "bridge", offsetof(struct texts, keys.bridge), true },
	{ "vlan", offsetof(struct texts, keys.vlan), true },
	{ "mac", offsetof(struct texts, keys.mac), true },
	{ "ip", offsetof(struct texts, keys.ip), true },
	{ "mtu", offsetof(struct texts, keys.mtu), true },
	{ "vifname", offsetof(struct texts, keys.vifname), true },
	{ "online", offsetof(struct texts, online), true },
	{ "state", offsetof(struct texts, state), false },
	{ "hotplug-status", offsetof(struct texts, status), false },
	{ "hotplug-error", offsetof(struct texts, error), false },
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

	vifs->xs = xs_open(xen_store_open_flags());
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

static struct entry *
append(struct xs_vifs *vifs)
{
	unsigned int room = vifs->room == 0 ? 16 : 2 * vifs->room;
	struct entry *list = vifs->list;

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

static void
fill_entry(struct xs_vifs *vifs, struct entry *entry, const struct texts *texts, unsigned int domid,
		unsigned int devid)
{
	struct xs_vif *vif = &entry->vif;

	vif->domid = domid;
	vif->devid = devid;
	snprintf(entry->dir, sizeof(entry->dir), "%s/%u/%u", vifs->root, domid, devid);
	vif_keys_parse(&texts->keys, domid, devid, vifs->is_bridge, vifs->arg, &vif->keys,
			vif->error);
	entry->detached = texts->online != NULL && strcmp(texts->online, "0") == 0;
	entry->closed = texts->state != NULL && strcmp(texts->state, STATE_CLOSED) == 0;
	snprintf(entry->status, sizeof(entry->status), "%s",
			texts->status != NULL ? texts->status : "");
	snprintf(entry->error, sizeof(entry->error), "%s",
			texts->error != NULL ? texts->error : "");
}

/* Read the keys of a vif, and have it in the list if it is the switch's. */
static int
read_vif(struct xs_vifs *vifs, unsigned int domid, unsigned int devid)
{
	char *values[RTE_DIM(keys)] = { NULL };
	struct texts texts = { 0 };
	char path[PATH_SIZE];
	struct entry *entry;
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
	if (!vif_keys_ours(&texts.keys))
		goto out;
	entry = append(vifs);
	if (entry == NULL)
		ret = -ENOMEM;
	else
		fill_entry(vifs, entry, &texts, domid, devid);

out:
	for (i = 0; i < RTE_DIM(keys); i++)
		free(values[i]);
	return ret;
}

static int
read_domain(struct xs_vifs *vifs, const char *name)
{
	char path[PATH_SIZE], **names;
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
			if (vifs->list[j].vif.domid == vifs->said[i].domid &&
					vifs->list[j].vif.devid == vifs->said[i].devid)
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
	struct entry *old = vifs->list;
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

/* The vif of the event is one that the toolstack has detached: there are few of them. */
static bool
is_detached(const struct xs_vifs *vifs, const char *rest)
{
	unsigned int domid, devid, i;

	if (sscanf(rest, "/%u/%u/", &domid, &devid) != 2)
		return false;
	for (i = 0; i < vifs->count; i++) {
		if (vifs->list[i].vif.domid == domid && vifs->list[i].vif.devid == devid)
			return vifs->list[i].detached;
	}
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
	if (vifs->hotplug && strcmp(key + 1, "state") == 0)
		return is_detached(vifs, rest);
	for (i = 0; i < RTE_DIM(keys); i++) {
		if (strcmp(key + 1, keys[i].name) == 0)
			return keys[i].matters;
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
	return &vifs->list[i].vif;
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

/* What the vif's directory has to say; what an earlier process has said is over by now. */
static int
answer_error(struct xs_vifs *vifs, struct entry *entry, const struct said *said)
{
	char text[sizeof(entry->error)] = "";
	int ret;

	if (said != NULL)
		snprintf(text, sizeof(text), PREFIX "%s", said->error);
	else if (strncmp(entry->error, PREFIX, strlen(PREFIX)) != 0)
		return 0;
	if (strcmp(entry->error, text) == 0)
		return 0;
	ret = vif_dir_write(vifs->xs, entry->dir, "hotplug-error", text);
	if (ret == 0)
		memcpy(entry->error, text, sizeof(text));
	return ret;
}

/* The part of a hotplug script. A vif that was connected stays so, whatever became of its port. */
static int
answer_status(struct xs_vifs *vifs, struct entry *entry, const struct said *said, bool has_port)
{
	const char *status = has_port ? "connected" : "error";
	int ret;

	if (strcmp(entry->status, status) == 0 || strcmp(entry->status, "connected") == 0 ||
			(!has_port && said == NULL))
		return 0;
	ret = vif_dir_write(vifs->xs, entry->dir, "hotplug-status", status);
	if (ret == 0)
		snprintf(entry->status, sizeof(entry->status), "%s", status);
	return ret;
}

int
xs_vifs_answer(struct xs_vifs *vifs, unsigned int i, bool has_port)
{
	struct entry *entry = &vifs->list[i];
	const struct said *said;
	int ret, err = 0;

	if (vifs->hotplug && entry->detached && (entry->closed || !has_port)) {
		ret = vif_dir_remove(vifs->xs, entry->dir);
		return ret == -ENOENT ? 0 : ret;
	}
	said = find_said(vifs, entry->vif.domid, entry->vif.devid, false);
	ret = answer_error(vifs, entry, said);
	if (vifs->hotplug && !entry->detached)
		err = answer_status(vifs, entry, said, has_port);
	ret = ret != 0 ? ret : err;
	return ret == -ENOENT ? 0 : ret;
}

void
xs_vifs_hotplug(struct xs_vifs *vifs, bool hotplug)
{
	vifs->hotplug = hotplug;
}

void
xs_vifs_say(struct xs_vifs *vifs, unsigned int domid, unsigned int devid, const char *error)
{
	struct said *said = find_said(vifs, domid, devid, error != NULL);

	if (said == NULL)
		return;
	if (error == NULL) {
		LOG(NOTICE, "vif %u/%u: has its port now", domid, devid);
		*said = vifs->said[--vifs->nb_said];
		return;
	}
	if (strcmp(said->error, error) == 0)
		return;
	snprintf(said->error, sizeof(said->error), "%s", error);
	LOG(ERR, "vif %u/%u: %s", domid, devid, error);
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
	char dir[DIR_SIZE];

	snprintf(dir, sizeof(dir), "%s/%u/%u", vifs->root, domid, devid);
	return vif_dir_write(vifs->xs, dir, "rate", rate);
}
