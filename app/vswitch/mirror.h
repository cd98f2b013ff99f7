/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef MIRROR_H
#define MIRROR_H

/**
 * @file
 * Mirrors: what comes in by a port and goes out goes out by another port as well. All functions are
 * for the control thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "capture.h"
#include "copies.h"
#include "dataplane.h"

struct port;
struct vswitch;

/** The mirror of a port. */
struct mirror {
	bool on;
	/** Of ethdev: where its copies go. */
	uint16_t to;
	enum direction direction;
	/** What lcores have counted, and had before it was set. */
	struct mirror_counts counts;
	uint64_t packets;
	uint64_t lost;
};

/**
 * Have a port mirrored, instead of as it was before if it was.
 *
 * @return
 *   0; -ENOMEM: then all is as before.
 */
int
mirror_set(struct vswitch *sw, const struct port *port, const struct port *to,
		enum direction direction);

/**
 * Have it mirrored no more.
 *
 * @return
 *   0; -ENOENT: it is not; -ENOMEM: then all is as before.
 */
int
mirror_off(struct vswitch *sw, const struct port *port);

/** A port is gone: its mirror ends, and those that send by it. */
void
mirror_forget_port(struct vswitch *sw, const struct port *port);

/** Copies that the mirror of a port has sent, and those that could not be had. */
void
mirror_read(const struct mirror *mirror, uint64_t *packets, uint64_t *lost);

/**
 * Let lcores have the mirrors whose ports are both there. Ports and captures are in the dataplane
 * already.
 */
void
mirror_fill(struct vswitch *sw, struct dataplane *dp);

#endif /* MIRROR_H */
