/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef TOOLSTACK_H
#define TOOLSTACK_H

/**
 * @file
 * The toolstack's part in the life of a guest that is played by hand in a unit test: the domain
 * that it is in, and its vif's directories.
 */

#include "rawfront.h"

/**
 * A guest with its rings, data pages and event channels, and the vif's directories in xenstore.
 * Nothing is published.
 */
void
rawfront_open(struct rawfront *f, unsigned int domid, unsigned int devid, unsigned int queues,
		bool split);

/** Give back everything, also the directories. */
void
rawfront_close(struct rawfront *f);

/**
 * Make both directories of a vif as libxl does, in one transaction, with hotplug-status connected.
 * There is nothing of the guest yet.
 */
void
rawfront_toolstack(const struct rawfront *f);

/** The toolstack's detach: one transaction that writes online=0 and state 5 to the backend. */
void
rawfront_detach(const struct rawfront *f);

/** Remove both directories. */
void
rawfront_toolstack_remove(const struct rawfront *f);

#endif /* TOOLSTACK_H */
