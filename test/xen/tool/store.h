/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef STORE_H
#define STORE_H

#include <stddef.h>
#include <stdint.h>

/**
 * Read a key of the guest's xenstore.
 *
 * @return
 *   0, -ENOENT when it is missing, another negative errno.
 */
int
store_read(const char *dir, const char *key, char *value, size_t room);

/** Write a number to a key; the value is as of store_read(). */
int
store_write(const char *dir, const char *key, uint32_t number);

#endif /* STORE_H */
