/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef BRIDGE_H
#define BRIDGE_H

/**
 * @file
 * From ports to what lcores read of them.
 */

#include <stdbool.h>

#include "vswitch.h"

/**
 * Let lcores have the ports that there are now, as they are now; and wait until none of them has
 * what was before. Control thread.
 *
 * @return
 *   0, or -ENOMEM: all is as before.
 */
int
bridge_publish(struct vswitch *sw);

/**
 * Pin a guest's address, in each VLAN that it is a member of. Control thread.
 *
 * @return
 *   0; -EEXIST: another port has it; -ENOSPC: there is no room. Then none is pinned.
 */
int
bridge_pin(struct vswitch *sw, struct port *port);

#endif /* BRIDGE_H */
