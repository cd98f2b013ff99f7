/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef VIF_DIR_H
#define VIF_DIR_H

/**
 * @file
 * The backend directories of vifs in xenstore: what is in them, and changes of one, that the
 * toolstack may change or remove at the same time: each is made as a whole, and none makes the
 * directory anew. All functions are for the control thread, and their thread is connected; when one
 * returns -ETIMEDOUT, that has been left, as by xs_thread_talk().
 */

#include <stdbool.h>

#include "vif_keys.h"
#include "xs_thread.h"

/** What is in a vif's directory; NULL: there is no such key. */
struct vif_dir {
	unsigned int domid;
	unsigned int devid;
	struct vif_texts keys;
	const char *online;
	const char *state;
	const char *hotplug_status;
	const char *hotplug_error;
};

struct vif_dirs {
	unsigned int count;
	unsigned int room;
	struct vif_dir *list;
};

/**
 * Read those that are the switch's: vif_keys_ours().
 *
 * @param[out] dirs
 *   To be freed by vif_dirs_free(), unless this failed.
 * @return
 *   0, also if there are none; or a negative errno.
 */
int
vif_dirs_read(struct xs_thread *thread, struct vif_dirs *dirs);

void
vif_dirs_free(struct vif_dirs *dirs);

/** Does a change of that key ask for them to be read again? */
bool
vif_dir_matters(const char *key);

/**
 * Write a key.
 *
 * @param dir
 *   Path of the directory.
 * @param value
 *   NULL removes the key; one that is not there is none to xenstore, too.
 * @return
 *   0; -ENOENT: the vif has gone; or another negative errno.
 */
int
vif_dir_write(struct xs_thread *thread, const char *dir, const char *key, const char *value);

/**
 * Remove the directory, unless its vif is online (again); the guest's own goes with its last vif.
 *
 * @return
 *   As vif_dir_write(); also 0 if the vif is online.
 */
int
vif_dir_remove(struct xs_thread *thread, const char *dir);

#endif /* VIF_DIR_H */
