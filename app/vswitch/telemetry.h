/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef TELEMETRY_H
#define TELEMETRY_H

/**
 * @file
 * The switch in DPDK's telemetry: /xenvswitch/ports, /xenvswitch/port,NAME and /xenvswitch/lcores,
 * all of them as they were up to a second ago.
 */

struct vswitch;

/**
 * Add the commands. Control thread, once.
 *
 * @return
 *   0, or a negative errno.
 */
int
telemetry_open(const struct vswitch *sw);

/** Let the commands answer what there is now, if a second has passed. Control thread. */
void
telemetry_update(const struct vswitch *sw);

#endif /* TELEMETRY_H */
