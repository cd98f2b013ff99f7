/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef VIF_DIR_H
#define VIF_DIR_H

/**
 * @file
 * Changes of a vif's backend directory in xenstore, that the toolstack may change or remove at the
 * same time: each is made as a whole, and none makes the directory anew. All functions are for the
 * control thread.
 */

#include <xenstore.h>

/**
 * Write a key.
 *
 * @param xs
 *   NULL: xenstore is away.
 * @param dir
 *   Path of the directory.
 * @param value
 *   NULL removes the key; one that is not there is none to xenstore, too.
 * @return
 *   0; -ENOTCONN; -ENOENT: the vif has gone; or another negative errno.
 */
int
vif_dir_write(struct xs_handle *xs, const char *dir, const char *key, const char *value);

/**
 * Remove the directory, unless its vif is online (again); the guest's own goes with its last vif.
 *
 * @return
 *   As vif_dir_write(); also 0 if the vif is online.
 */
int
vif_dir_remove(struct xs_handle *xs, const char *dir);

#endif /* VIF_DIR_H */
