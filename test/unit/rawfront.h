/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef RAWFRONT_H
#define RAWFRONT_H

/**
 * @file
 * A guest's end of a vif played by hand: nothing is done for the test, and nothing is forbidden to
 * it. What xen/io/netif.h asks of a frontend is only what the default values do.
 */

#include <stdbool.h>
#include <stdint.h>

#include <xenevtchn.h>
#include <xengnttab.h>

#include "xen_ring.h"

#define RAWFRONT_QUEUES_MAX 4
/** Data pages of a guest: a page for each slot of both rings of a queue. */
#define RAWFRONT_PAGES 512u

/** Rings of one queue. */
struct rawfront_queue {
	struct netif_tx_sring *tx;
	struct netif_rx_sring *rx;
	uint32_t tx_ref;
	uint32_t rx_ref;
	/* The same twice unless the vif was made with split event channels. */
	int port_tx;
	int port_rx;
	/* Requests written so far; published by the push calls. */
	uint32_t tx_prod;
	uint32_t rx_prod;
	/* Responses read so far. */
	uint32_t tx_cons;
	uint32_t rx_cons;
};

struct rawfront {
	unsigned int domid;
	unsigned int devid;
	unsigned int nb_queues;
	bool split;
	/* Directories of both ends in xenstore. */
	char back[64];
	char front[64];
	xengntshr_handle *gntshr;
	xenevtchn_handle *evtchn;
	struct rawfront_queue q[RAWFRONT_QUEUES_MAX];
	/* Pages granted to domain 0, writable, and their references. */
	uint8_t *pages;
	uint32_t gref[RAWFRONT_PAGES];
};

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

/** End the guest's grants and event channels as the death of its domain does. */
void
rawfront_die(struct rawfront *f);

/**
 * Grant one more page, to a domain of the test's choice. It is given back with the guest.
 *
 * @return
 *   The page; its reference is written to gref.
 */
void *
rawfront_share(struct rawfront *f, unsigned int domid, bool writable, uint32_t *gref);

/** End the grant of a page of rawfront_share(). */
void
rawfront_unshare(struct rawfront *f, void *page);

/** Set the rings to empty, with all indices at a number. */
void
rawfront_init_rings(struct rawfront *f, uint32_t start);

/** Write all keys of the guest but its state, as Linux' netfront does. */
void
rawfront_publish(const struct rawfront *f);

/** Write or remove a key of the guest's directory. */
void
rawfront_set(const struct rawfront *f, const char *key, const char *fmt, ...)
		__rte_format_printf(3, 4);
void
rawfront_unset(const struct rawfront *f, const char *key);

/** Write the guest's state. */
void
rawfront_state(const struct rawfront *f, enum xenbus_state state);

/** The backend's state. */
unsigned int
rawfront_back_state(const struct rawfront *f);

/** Wait for the backend's state. */
void
rawfront_wait(const struct rawfront *f, enum xenbus_state state);

/** From any state to connected: publish, and wait until both ends are in state 4. */
void
rawfront_connect(struct rawfront *f);

/** Close (5, 6), and be at state 1 with a backend that waits for a connection. */
void
rawfront_reset(struct rawfront *f);

/** Address of a data page. */
static inline uint8_t *
rawfront_page(const struct rawfront *f, unsigned int page)
{
	return f->pages + page * XEN_PAGE_BYTES;
}

/** Put a request into the TX ring. It is published by rawfront_tx_push(). */
void
rawfront_tx_put(struct rawfront *f, unsigned int queue, const struct netif_tx_request *req);

/** Put extra info into the TX ring. */
void
rawfront_tx_extra(struct rawfront *f, unsigned int queue, const struct netif_extra_info *extra);

/** Publish the TX requests. */
void
rawfront_tx_push(struct rawfront *f, unsigned int queue);

/** Take the next response of the TX ring; false when there is none. */
bool
rawfront_tx_rsp(struct rawfront *f, unsigned int queue, struct netif_tx_response *rsp);

/** Put a request into the RX ring. */
void
rawfront_rx_put(struct rawfront *f, unsigned int queue, uint16_t id, uint32_t gref);

/** Publish the RX requests. */
void
rawfront_rx_push(struct rawfront *f, unsigned int queue);

/** Post n buffers: data pages from page on, with the page's number as id. */
void
rawfront_rx_post(struct rawfront *f, unsigned int queue, unsigned int page, unsigned int n);

/** Take the next response of the RX ring; false when there is none. */
bool
rawfront_rx_rsp(struct rawfront *f, unsigned int queue, struct netif_rx_response *rsp);

/** Has an event come in on any port since the last call? Takes and unmasks it. */
bool
rawfront_event(struct rawfront *f);

#endif /* RAWFRONT_H */
