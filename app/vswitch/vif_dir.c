/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vif_dir.h"

#define PATH_SIZE 256
/* How often what others change meanwhile is tried to be changed. */
#define TRIES_MAX 16

struct change {
	int (*make)(struct xs_handle *xs, xs_transaction_t t, const struct change *change,
			const char *online);
	const char *dir;
	const char *key;
	const char *value;
};

static int
make_key(struct xs_handle *xs, xs_transaction_t t, const struct change *change, const char *online)
{
	char path[PATH_SIZE];
	bool done;

	(void)online;
	snprintf(path, sizeof(path), "%s/%s", change->dir, change->key);
	if (change->value != NULL)
		done = xs_write(xs, t, path, change->value, strlen(change->value));
	else
		done = xs_rm(xs, t, path) || errno == ENOENT;
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

	if (xs == NULL)
		return -ENOTCONN;
	snprintf(path, sizeof(path), "%s/online", change->dir);
	for (tries = 0; tries < TRIES_MAX; tries++) {
		t = xs_transaction_start(xs);
		if (t == XBT_NULL)
			return -errno;
		online = xs_read(xs, t, path, NULL);
		ret = online == NULL ? -errno : change->make(xs, t, change, online);
		free(online);
		if (!xs_transaction_end(xs, t, ret != 0) && ret == 0)
			ret = -errno;
		if (ret != -EAGAIN)
			return ret;
	}
	return -EAGAIN;
}

int
vif_dir_write(struct xs_handle *xs, const char *dir, const char *key, const char *value)
{
	struct change change = { make_key, dir, key, value };

	return make_change(xs, &change);
}

int
vif_dir_remove(struct xs_handle *xs, const char *dir)
{
	struct change change = { .make = make_removed, .dir = dir };

	return make_change(xs, &change);
}
