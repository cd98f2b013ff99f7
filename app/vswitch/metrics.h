/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef METRICS_H
#define METRICS_H

/**
 * @file
 * Metrics for Prometheus by HTTP: `GET /metrics`. Runs in the control thread, and never blocks it.
 *
 * A connection is for one request. There are METRICS_CLIENTS_MAX of them, and others wait until one
 * has ended: after METRICS_TIMEOUT_S at most, whatever its client does.
 */

#include <stddef.h>

#include "snapshot.h"

/** Connections at a time. */
#define METRICS_CLIENTS_MAX 8
/** Seconds from a connection's begin to its end, at most. */
#define METRICS_TIMEOUT_S 10

struct metrics;
struct vswitch;

/**
 * Listen.
 *
 * @param address
 *   What address_parse() takes.
 * @return
 *   It; or NULL, with errno.
 */
struct metrics *
metrics_open(const struct vswitch *sw, const char *address);

/** Close all connections. NULL: nothing is done. */
void
metrics_close(struct metrics *metrics);

/**
 * Serve whoever is there; NULL: nobody. To be called some times a second, which bounds how many
 * requests are answered: there is nothing to wait for.
 */
void
metrics_serve(struct metrics *metrics);

/**
 * The text of all metrics, in the format of Prometheus, version 0.0.4. Any thread.
 *
 * @param[out] len
 *   Its length.
 * @return
 *   The text, for the caller to free(); NULL: there is no memory.
 */
char *
metrics_text(const struct snapshot *snapshot, size_t *len);

#endif /* METRICS_H */
