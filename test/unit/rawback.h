/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef RAWBACK_H
#define RAWBACK_H

/**
 * @file
 * A backend played by hand, in domain 1, and a net_xenfront port in domain 0 to bear with it. There
 * is one of them, with one queue.
 */

#include <stdbool.h>
#include <stdint.h>

#include <xenevtchn.h>
#include <xengnttab.h>

#include <rte_mempool.h>

#include "xen_ring.h"

struct rawback {
	/* Directories of both ends. */
	char back[64];
	char front[64];
	/* The port under test. */
	uint16_t port;
	xengnttab_handle *gnttab;
	xenevtchn_handle *evtchn;
	/* The frontend's rings, NULL while they are not mapped. */
	struct netif_tx_sring *tx;
	struct netif_rx_sring *rx;
	/* Requests taken and responses written so far. */
	uint32_t tx_cons;
	uint32_t rx_prod;
	/* Its control ring, if it has one, which is one if that is offered. */
	struct xen_netif_ctrl_sring *ctrl;
	uint32_t ctrl_cons;
	int ctrl_port;
	/* A mempool that is granted to it, which is freed after the port, and its pages. */
	struct rte_mempool *pool;
	uint64_t pool_grants;
};

extern struct rawback rawback;

/* For cmocka: both ends, connected. */
int
rawback_setup(void **state);
/* For cmocka: the same, by a backend with a control ring. */
int
rawback_setup_ctrl(void **state);

/**
 * The same with more arguments for the port, from their comma on.
 *
 * @param ctrl
 *   The backend has a control ring.
 * @param make_pool
 *   Makes the port's mempool, which becomes rawback.pool.
 */
void
rawback_setup_pool(bool ctrl, const char *args, struct rte_mempool *(*make_pool)(void));

/* Checks that the frontend has left nothing. */
int
rawback_teardown(void **state);

/** Write the backend's state. */
void
rawback_state(enum xenbus_state state);

/** Is this the frontend's state? */
bool
rawback_front_is(enum xenbus_state state);

/** Wait until the frontend has closed: it may be about to begin anew already. */
void
rawback_wait_closed(void);

/** Wait until the frontend has looked at all that was written so far. */
void
rawback_settle(void);

/** Wait for the frontend, enter its rings, and be connected. */
void
rawback_connect(void);

/** Close, offer the vif again, and be connected. */
void
rawback_reconnect(void);

/** Put a response into the TX ring, and publish it. */
void
rawback_tx_answer(uint16_t id, int16_t status);

/** Let go of the frontend's rings. */
void
rawback_release(void);

/** Take the next control request, which has to come. */
struct xen_netif_ctrl_request
rawback_ctrl_request(void);

/** Put a response into the control ring, publish and notify it. */
void
rawback_ctrl_answer(uint16_t id, uint16_t type, uint32_t status);

/** The same, with data. */
void
rawback_ctrl_answer_data(uint16_t id, uint16_t type, uint32_t status, uint32_t data);

/** Read a part of a page of the frontend. */
void
rawback_read_at(uint32_t gref, uint16_t offset, void *to, uint16_t len);

/** Read what a page of the frontend begins with. */
void
rawback_read(uint32_t gref, void *to, uint16_t len);

/** Put a response into the RX ring: with the id of the slot's own request if id is negative. */
void
rawback_put_rx(int id, uint16_t offset, uint16_t flags, int16_t status);

/** Put data into the buffer of a slot that has no response yet. */
void
rawback_fill_rx(uint32_t slot, uint16_t offset, const void *data, uint16_t len);

/** Publish the RX responses. */
void
rawback_push_rx(void);

#endif /* RAWBACK_H */
