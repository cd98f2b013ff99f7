/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Remove a machine's files, whoever left them. */

#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"
#include "xenbus.h"

static const char *top;

/* Only what a machine consists of: a folder may hold other things of its owner. */
static bool
is_ours(const char *name)
{
	static const char *const ours[] = { "run", "control", "log" };
	size_t i, len = strcspn(name, "/");

	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (strlen(ours[i]) == len && strncmp(name, ours[i], len) == 0)
			return true;
	return len > 3 && strncmp(name, "dom", 3) == 0 && strspn(name + 3, "0123456789") == len - 3;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	if (ftw->level > 0 && is_ours(path + strlen(top) + 1))
		remove(path);
	return 0;
}

void
clean_machine(const char *dir)
{
	top = dir;
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	xensim_machine_destroy(dir);
}
