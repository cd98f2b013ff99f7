/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XENFRONT_CTRLRING_H
#define XENFRONT_CTRLRING_H

/**
 * @file
 * The control ring of a connection (netif.h, "Control ring"), by which the control thread asks the
 * backend for what xenstore has no room for: one request at a time. xenfront_ring.c makes it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "xen_netif_keys.h"

struct xenfront;

/** What a control ring has beside its struct xen_netif_ring. */
struct xenfront_ctrl {
	/** A page that requests refer to, which the backend may read; NULL: there is no ring. */
	uint8_t *page;
	grant_ref_t page_ref;
	struct xen_netif_ctrl_keys keys;
	/** Of the last request. */
	uint16_t id;
	uint16_t type;
};

/**
 * Send a request. There has to be a ring, and no request under way. Control thread.
 *
 * @param type
 *   XEN_NETIF_CTRL_TYPE_*.
 */
void
xenfront_ctrlring_send(struct xenfront *front, uint16_t type, const uint32_t data[3]);

/** A request was sent: until when it has to be answered, in milliseconds. Control thread. */
uint64_t
xenfront_ctrlring_limit(struct xenfront *front);

/**
 * The request is not answered yet: notify the backend once more, and wait on. Control thread.
 *
 * @param until_ms
 *   What xenfront_ctrlring_limit() returned.
 * @param what
 *   What the request is about.
 * @return
 *   False when it had its time, which is logged.
 */
bool
xenfront_ctrlring_wait(struct xenfront *front, uint64_t until_ms, const char *what);

/**
 * Take the response to the request that is under way, if there is one. Control thread.
 *
 * @param rsp
 *   Receives it: its id and type are those of the request, its status may be anything.
 * @return
 *   0; -EAGAIN when there is none yet; -EPROTO when the backend has broken the protocol, and the
 *   ring with that.
 */
int
xenfront_ctrlring_take(struct xenfront *front, struct xen_netif_ctrl_response *rsp);

#endif /* XENFRONT_CTRLRING_H */
