/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef CONTROL_H
#define CONTROL_H

/**
 * @file
 * The control socket: requests and answers are lines of JSON, as protocol.h says. Runs in the
 * control thread, and never blocks it.
 */

#include <poll.h>

struct control;
struct vswitch;

/** Descriptors that control_poll() may give at most. */
#define CONTROL_FDS_MAX 17

/**
 * Listen at the path, for the user of this process and its group alone. A socket that is there and
 * that nobody listens at is replaced.
 *
 * @return
 *   It; or NULL, with errno: EADDRINUSE where somebody listens.
 */
struct control *
control_open(struct vswitch *sw, const char *path);

/** Close all connections, and remove the socket. */
void
control_close(struct control *control);

/**
 * What to wait for.
 *
 * @param[out] fds
 *   CONTROL_FDS_MAX of them.
 * @return
 *   How many were written.
 */
unsigned int
control_poll(const struct control *control, struct pollfd *fds);

/** Serve what poll() has found: those that control_poll() gave, in their order. */
void
control_serve(struct control *control, const struct pollfd *fds, unsigned int n);

#endif /* CONTROL_H */
