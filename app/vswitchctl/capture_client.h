/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef CAPTURE_CLIENT_H
#define CAPTURE_CLIENT_H

/** @file Captures: the file is opened here, and the switch writes to it. */

#include <stdbool.h>

#include "client.h"

/** May packets be captured there? If not, it says why. */
bool
capture_allowed(const char *path, bool json);

/**
 * Have packets captured until that ends, by itself or by SIGINT or SIGTERM; then say how many.
 *
 * @param path
 *   The file; -: standard output, if capture_allowed().
 * @param args
 *   Of the switch's command; they are taken.
 * @param json
 *   Print the result as JSON.
 */
enum client_status
capture(struct client *client, const char *path, json_t *args, bool json);

#endif /* CAPTURE_CLIENT_H */
