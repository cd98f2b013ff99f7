/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef RELOAD_H
#define RELOAD_H

/**
 * @file
 * The only place that changes anything: what the configuration and xenstore ask for, compared with
 * what there is, and the difference applied. All functions are for the control thread.
 */

#include "vswitch.h"

/**
 * Have the ports that the configuration and the vifs ask for, as they ask for them. Those that are
 * as they should be lose no packet. What fails is said in the log and, of a vif, in its
 * hotplug-error; the rest is applied.
 *
 * @return
 *   0; or the negative errno of the first failure.
 */
int
reload_apply(struct vswitch *sw);

/**
 * Read the configuration file again, and apply it. One that is wrong changes nothing.
 *
 * @return
 *   0; -EINVAL: it is wrong, or changes a key of `[switch]` that takes a restart; or the negative
 *   errno with which it could not be read. \p error tells. Or what reload_apply() says: then the
 *   rest of it holds.
 */
int
reload_config(struct vswitch *sw, struct config_error *error);

/**
 * Add a port to the configuration, until it is read again, and apply that. A port that cannot be
 * made is not added.
 *
 * @param keys
 *   Each KEY=VALUE, as config_port_add() takes them.
 * @param[out] error
 *   On failure: why, without a line.
 * @return
 *   0; or a negative errno: nothing has changed.
 */
int
reload_add(struct vswitch *sw, const char *name, const char *const *keys, unsigned int nb,
		struct config_error *error);

/**
 * Take a port out of the configuration, until it is read again, and apply that. A guest's port is
 * no part of it.
 *
 * @return
 *   As reload_add().
 */
int
reload_remove(struct vswitch *sw, const char *name, struct config_error *error);

#endif /* RELOAD_H */
