/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XS_VIFS_H
#define XS_VIFS_H

/**
 * @file
 * The vifs that ask for the switch, as xenstore has them: a watch on the backend directory of this
 * domain. All functions are for the control thread.
 */

#include <stdbool.h>

#include "vif_keys.h"

/** A vif in xenstore. */
struct xs_vif {
	unsigned int domid;
	unsigned int devid;
	/** Its keys make no sense if this is not empty. */
	char error[VIF_ERROR_SIZE];
	struct vif_keys keys;
};

struct xs_vifs;

/**
 * Begin to look.
 *
 * @param is_bridge
 *   See vif_keys_parse().
 * @return
 *   It; or NULL: there is no memory. That xenstore does not answer is no error: it is tried again.
 */
struct xs_vifs *
xs_vifs_open(bool (*is_bridge)(const char *name, const void *arg), const void *arg);

void
xs_vifs_close(struct xs_vifs *vifs);

/** At the start: wait for xenstore's first answer, some seconds at most. */
void
xs_vifs_wait(struct xs_vifs *vifs);

/** A descriptor that is readable when there is something new; -1: xenstore is away. */
int
xs_vifs_fd(const struct xs_vifs *vifs);

/**
 * Look at what is new; without a connection, try to have one.
 *
 * @return
 *   Whether anything may have changed in the list.
 */
bool
xs_vifs_update(struct xs_vifs *vifs);

/** Read all of them again: what bridges there are has changed. */
void
xs_vifs_again(struct xs_vifs *vifs);

/** How many there are, and the i-th of them. Good until the next xs_vifs_update(). */
unsigned int
xs_vifs_count(const struct xs_vifs *vifs);

const struct xs_vif *
xs_vifs_get(const struct xs_vifs *vifs, unsigned int i);

/**
 * Whether to do the part of hotplug scripts, in a domain where nobody runs them: see
 * xs_vifs_answer(). At first it is not.
 */
void
xs_vifs_hotplug(struct xs_vifs *vifs, bool hotplug);

/**
 * Say why the vif has no port, or, with NULL, that this is over. It is logged, unless that was said
 * already; xs_vifs_answer() writes it.
 */
void
xs_vifs_say(struct xs_vifs *vifs, unsigned int domid, unsigned int devid, const char *error);

/**
 * Have in the directory of the i-th vif what is to be there: in `hotplug-error` what was said of
 * it. With xs_vifs_hotplug() besides, `hotplug-status` is connected if the vif has a port, else
 * error if it was said why; and the directory is removed if the toolstack has detached the vif, and
 * the port is closed or there is none. What is so already is not written.
 *
 * @return
 *   0, also if the vif has gone; -ENOTCONN: xenstore is away; -ETIMEDOUT: it does not answer; or
 *   another negative errno. Then it is to be called again.
 */
int
xs_vifs_answer(struct xs_vifs *vifs, unsigned int i, bool has_port);

/**
 * What was said of a vif.
 *
 * @param i
 *   From 0 on.
 * @return
 *   The text: empty if it is over. NULL: there are no more.
 */
const char *
xs_vifs_error(const struct xs_vifs *vifs, unsigned int i, unsigned int *domid, unsigned int *devid);

/**
 * Write the vif's key `rate`, which its driver heeds at once.
 *
 * @param rate
 *   As xl writes it; NULL: remove the key.
 * @return
 *   0; -ENOTCONN: xenstore is away; -ETIMEDOUT: it does not answer, and may yet do it; -ENOENT: the
 *   vif has gone; or another negative errno.
 */
int
xs_vifs_set_rate(struct xs_vifs *vifs, unsigned int domid, unsigned int devid, const char *rate);

#endif /* XS_VIFS_H */
