/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <xenstore.h>

#include "log.h"
#include "vif_dir.h"
#include "xs_thread.h"
#include "xs_vifs.h"

#define DIR_SIZE (XS_ROOT_SIZE + 32)
#define SAID_MAX 256
#define PREFIX "dpdk-xenvswitch: "
#define STATUS_SIZE 16
/* A fifth of a second between two tries to connect; and the seconds that one may take. */
#define RETRIES_A_SECOND 5
#define CONNECT_S 30
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
	/* NULL: there is none, and when it was tried last; it may have to connect yet. */
	struct xs_thread *thread;
	uint64_t tried;
	bool connected;
	char root[XS_ROOT_SIZE];
	bool again;
	bool away;
	bool hotplug;
	unsigned int count;
	struct entry *list;
	unsigned int nb_said;
	struct said said[SAID_MAX];
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
	if (vifs->thread != NULL)
		xs_thread_leave(vifs->thread);
	vifs->thread = NULL;
	vifs->connected = false;
}

void
xs_vifs_close(struct xs_vifs *vifs)
{
	if (vifs == NULL)
		return;
	disconnect(vifs);
	xs_thread_wait_all();
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

/* The connection is of no use any more. */
static void
lose(struct xs_vifs *vifs)
{
	disconnect(vifs);
	set_away(vifs, true);
}

/* What came of a talk. The thread that did not answer has been left, and may have ended since. */
static int
talked(struct xs_vifs *vifs, int ret)
{
	if (ret == -ETIMEDOUT) {
		vifs->thread = NULL;
		lose(vifs);
	}
	return ret;
}

static bool
connect_store(struct xs_vifs *vifs)
{
	uint64_t hz = rte_get_tsc_hz(), since = rte_get_tsc_cycles() - vifs->tried;
	int state;

	if (vifs->thread == NULL) {
		if (vifs->away && since < hz / RETRIES_A_SECOND)
			return false;
		vifs->thread = xs_thread_start();
		vifs->tried = rte_get_tsc_cycles();
		since = 0;
	}
	state = vifs->thread != NULL ? xs_thread_state(vifs->thread) : -ENOMEM;
	if (state == -EINPROGRESS && since < CONNECT_S * hz) {
		set_away(vifs, vifs->away || since >= hz);
		return false;
	}
	if (state != 0) {
		lose(vifs);
		return false;
	}
	vifs->connected = true;
	snprintf(vifs->root, sizeof(vifs->root), "%s", xs_thread_root(vifs->thread));
	set_away(vifs, false);
	return true;
}

void
xs_vifs_wait(struct xs_vifs *vifs)
{
	xs_vifs_update(vifs);
	if (vifs->thread != NULL)
		xs_thread_wait(vifs->thread);
}

int
xs_vifs_fd(const struct xs_vifs *vifs)
{
	return vifs->connected ? xs_fileno(xs_thread_handle(vifs->thread)) : -1;
}

static void
fill_entry(const struct xs_vifs *vifs, struct entry *entry, const struct vif_dir *dir)
{
	struct xs_vif *vif = &entry->vif;

	vif->domid = dir->domid;
	vif->devid = dir->devid;
	snprintf(entry->dir, sizeof(entry->dir), "%s/%u/%u", vifs->root, dir->domid, dir->devid);
	vif_keys_parse(&dir->keys, dir->domid, dir->devid, vifs->is_bridge, vifs->arg, &vif->keys,
			vif->error);
	entry->detached = dir->online != NULL && strcmp(dir->online, "0") == 0;
	entry->closed = dir->state != NULL && strcmp(dir->state, STATE_CLOSED) == 0;
	snprintf(entry->status, sizeof(entry->status), "%s",
			dir->hotplug_status != NULL ? dir->hotplug_status : "");
	snprintf(entry->error, sizeof(entry->error), "%s",
			dir->hotplug_error != NULL ? dir->hotplug_error : "");
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
	struct vif_dirs dirs;
	struct entry *list;
	unsigned int i;

	if (talked(vifs, vif_dirs_read(vifs->thread, &dirs)) != 0) {
		lose(vifs);
		return false;
	}
	list = calloc(dirs.count + 1, sizeof(*list));
	if (list == NULL) {
		vif_dirs_free(&dirs);
		lose(vifs);
		return false;
	}
	for (i = 0; i < dirs.count; i++)
		fill_entry(vifs, &list[i], &dirs.list[i]);
	free(vifs->list);
	vifs->list = list;
	vifs->count = dirs.count;
	vif_dirs_free(&dirs);
	forget_said(vifs);
	return true;
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
	size_t len = strlen(vifs->root);
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
	return vif_dir_matters(key + 1);
}

bool
xs_vifs_update(struct xs_vifs *vifs)
{
	struct xs_handle *xs;
	char **event;

	if (!vifs->connected && !connect_store(vifs))
		return false;
	xs = xs_thread_handle(vifs->thread);
	while ((event = xs_check_watch(xs)) != NULL) {
		if (matters(vifs, event[XS_WATCH_PATH]))
			vifs->again = true;
		free(event);
	}
	if (errno != EAGAIN) {
		lose(vifs);
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

static int
write_key(struct xs_vifs *vifs, const char *dir, const char *key, const char *value)
{
	if (!vifs->connected)
		return -ENOTCONN;
	return talked(vifs, vif_dir_write(vifs->thread, dir, key, value));
}

static int
remove_dir(struct xs_vifs *vifs, const char *dir)
{
	if (!vifs->connected)
		return -ENOTCONN;
	return talked(vifs, vif_dir_remove(vifs->thread, dir));
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
	ret = write_key(vifs, entry->dir, "hotplug-error", text);
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
	ret = write_key(vifs, entry->dir, "hotplug-status", status);
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
		ret = remove_dir(vifs, entry->dir);
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
	return write_key(vifs, dir, "rate", rate);
}
