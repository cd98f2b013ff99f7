/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef RAWFRONT_H
#define RAWFRONT_H

/**
 * @file
 * A guest's end of a vif played by hand: nothing is done for the test, and nothing is forbidden to
 * it. What xen/io/netif.h asks of a frontend is only what the default values do.
 *
 * It needs Xen's libraries and interfaces, and nothing else: on the stand-in hypervisor it plays in
 * a unit test's process or in a simulated domain, on Xen in the user space of a real guest. What
 * goes wrong with itself ends in rawfront_fail(), so that no call has to be checked.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenstore.h>

#include "xen_if.h"

#define RAWFRONT_QUEUES_MAX 32
/** Most data pages of a guest: a page for each slot of both rings of a queue. */
#define RAWFRONT_PAGES 512u
/** A domain that is neither end of any vif, and need not exist. */
#define RAWFRONT_OTHER_DOMID 31000
/** How long anything may take that is waited for. Generous: nothing depends on it being short. */
#define RAWFRONT_LIMIT_MS 60000u

/*
 * What the program that plays the guest has to provide.
 */

/** The connection to xenstore to be used now: of a domain that may write the guest's directory. */
struct xs_handle *
rawfront_store(void);

/** Say why, and end the test or the program: does not return. */
void
rawfront_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/** A nap between two looks at something that is waited for. */
void
rawfront_idle(void);

/** Milliseconds of a monotonic clock. */
uint64_t
rawfront_now_ms(void);

struct rawfront;

/** When a guest that has taken all responses wants the next event. */
enum rawfront_arm {
	/** With the next response. */
	RAWFRONT_ARM_NEXT,
	/** When half of what is outstanding has been answered. */
	RAWFRONT_ARM_HALF,
	/** It polls: with the first response of the ring's life, and never again. */
	RAWFRONT_ARM_FIRST,
};

struct rawfront_key {
	const char *name;
	const char *value;
};

/** What one kind of guest does in its own way, all zero where it does as others: a table each. */
struct rawfront_kind {
	const char *name;
	/** Keys that are written beside those of the rings; a name of NULL ends them. */
	const struct rawfront_key *keys;
	/** It can have several queues; each direction an event channel. */
	bool multi_queue;
	bool split;
	/** Packets of several slots, both ways. */
	bool sg;
	/** It says that it is connected without a look at the backend's state. */
	bool hasty;
	/** Its keys are written one by one. */
	bool no_transaction;
	/** It has no state Closing. */
	bool closes_at_once;
	/** It posts buffers when the backend is connected, and not before. */
	bool posts_late;
	/** Its ids are from the first to the last, in turn; last 0: to 255. */
	uint16_t first_id;
	uint16_t last_id;
	/** Slots that it uses of each ring; 0: all. */
	unsigned int tx_slots;
	unsigned int rx_slots;
	enum rawfront_arm arm;
	/**
	 * What it would not survive, or take for good, in the response to its slot idx of a ring:
	 * ends in rawfront_fail(). NULL: nothing but what all mind.
	 */
	void (*mind_tx)(const struct rawfront *f, unsigned int queue, uint32_t idx,
			const struct netif_tx_response *rsp);
	void (*mind_rx)(const struct rawfront *f, unsigned int queue, uint32_t idx,
			const struct netif_rx_response *rsp);
	/** Events without a response are held against the backend. */
	bool minds_spurious;
};

extern const struct rawfront_key rawfront_linux_keys[];

/** The keys of Linux' netfront, and otherwise whatever a test wants to do. */
extern const struct rawfront_kind rawfront_linux;

/** Guests as they are: a table each. */
extern const struct rawfront_kind rawfront_guests[];
extern const unsigned int rawfront_nb_guests;

/** What a reference in a request may stand for. */
enum rawfront_grant {
	/** A data page, granted to the backend for writing. */
	RAWFRONT_GRANT_PAGE,
	/** Beyond every grant table of a guest this small: by a little, by far, and the last. */
	RAWFRONT_GRANT_NONE,
	RAWFRONT_GRANT_NONE_FAR,
	RAWFRONT_GRANT_NONE_LAST,
	/** Granted once, no longer. */
	RAWFRONT_GRANT_ENDED,
	/** Granted to another domain. */
	RAWFRONT_GRANT_FOREIGN,
	/** Granted for reading alone. */
	RAWFRONT_GRANT_READ_ONLY,
	RAWFRONT_GRANTS,
};

/** What was put into a slot of the TX ring. */
struct rawfront_slot {
	/* Extra info, not a request. */
	bool extra;
	struct netif_tx_request req;
};

/** Rings of one queue. */
struct rawfront_queue {
	struct netif_tx_sring *tx;
	struct netif_rx_sring *rx;
	uint32_t tx_ref;
	uint32_t rx_ref;
	/* A port for each ring; that of the TX ring is the queue's where they are not split. */
	int port_tx;
	int port_rx;
	/* Requests written so far; published by the push calls. */
	uint32_t tx_prod;
	uint32_t rx_prod;
	/* Responses read so far. */
	uint32_t tx_cons;
	uint32_t rx_cons;
	/* The slots of both rings as they were put. */
	struct rawfront_slot sent[XEN_NETIF_RING_SIZE];
	struct netif_rx_request posted[XEN_NETIF_RING_SIZE];
	/* The id of the next TX request, where the kind chooses. */
	uint16_t next_id;
};

struct rawfront {
	unsigned int domid;
	unsigned int devid;
	/* What the next publication says: any number of the queues made, split or not. */
	unsigned int nb_queues;
	bool split;
	/* There is a control ring. */
	bool ctrl;
	const struct rawfront_kind *kind;
	/* Events that came without a response; and events at all. */
	unsigned int spurious;
	unsigned int events;
	unsigned int backend_id;
	/* Directories of both ends in xenstore. */
	char back[128];
	char front[64];
	xengntshr_handle *gntshr;
	xenevtchn_handle *evtchn;
	unsigned int queues_made;
	struct rawfront_queue q[RAWFRONT_QUEUES_MAX];
	/* The control ring, made in any case: requests written, responses read. */
	struct xen_netif_ctrl_sring *ctrl_ring;
	uint32_t ctrl_ref;
	int port_ctrl;
	uint32_t ctrl_prod;
	uint32_t ctrl_cons;
	/* Pages granted to the backend, writable, and their references. */
	unsigned int nb_pages;
	uint8_t *pages;
	uint32_t gref[RAWFRONT_PAGES];
	/* An event channel that waits for another domain. */
	int port_foreign;
	/* References of every kind, and the page that is granted for reading alone. */
	uint32_t grants[RAWFRONT_GRANTS];
	uint8_t *read_only;
};

/** Find the directories and the backend's domain of a vif of the calling thread's domain. */
void
rawfront_find(struct rawfront *f, unsigned int devid);

/**
 * Make rings, data pages and event channels of a guest whose directories and backend_id are set, in
 * the domain of the calling thread. Nothing is published.
 *
 * @param queues
 *   1 to RAWFRONT_QUEUES_MAX.
 * @param pages
 *   Data pages, 1 to RAWFRONT_PAGES.
 */
void
rawfront_boot(struct rawfront *f, unsigned int queues, bool split, unsigned int pages);

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

/** Make an event channel for a domain to bind. */
int
rawfront_bind_port(struct rawfront *f, unsigned int domid);

/** Set the rings to empty, with all indices at a number. */
void
rawfront_init_rings(struct rawfront *f, uint32_t start);

/** Write all keys of the guest but its state, as its kind does. */
void
rawfront_publish(const struct rawfront *f);

/** Remove them all, whatever frontend has written them. */
void
rawfront_unpublish(const struct rawfront *f);

/** Run a function in transactions until one of them ends without another's write in between. */
void
rawfront_transact(const struct rawfront *f,
		void (*fn)(const struct rawfront *f, xs_transaction_t t));

/** Write a key of any directory in a transaction. */
void
rawfront_put(xs_transaction_t t, const char *dir, const char *key, const char *fmt, ...)
		__attribute__((format(printf, 4, 5)));

/** Read a key of any directory: empty when there is none, or none that this domain may read. */
void
rawfront_get(const char *dir, const char *key, char *value, size_t room);

/** Write or remove a key of the guest's directory. */
void
rawfront_set(const struct rawfront *f, const char *key, const char *fmt, ...)
		__attribute__((format(printf, 3, 4)));
void
rawfront_unset(const struct rawfront *f, const char *key);

/** Write any bytes as a key of the guest's directory. */
void
rawfront_set_bytes(const struct rawfront *f, const char *key, const char *value, size_t len);

/** Write the guest's state. */
void
rawfront_state(const struct rawfront *f, enum xenbus_state state);

/** What the backend has said in xenstore: empty when it has not, or this domain may not read it. */
void
rawfront_error(const struct rawfront *f, char *text, size_t room);

/** The directory of that key. */
void
rawfront_error_dir(const struct rawfront *f, char *dir, size_t room);

/** The backend's state. */
unsigned int
rawfront_back_state(const struct rawfront *f);

/** Wait for the backend's state. */
void
rawfront_wait(const struct rawfront *f, enum xenbus_state state);

/** Publish, and wait until both ends are in state 4, as the kind does. */
void
rawfront_connect(struct rawfront *f);

/** From any state: close as the kind does, to state 1 and a backend that waits to connect. */
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

/**
 * Take the responses of the next slots of the TX ring, which have to be there: to requests in the
 * order of the ring, with their ids and a status; to extra info NETIF_RSP_NULL.
 */
void
rawfront_tx_expect(struct rawfront *f, unsigned int queue, unsigned int slots, int16_t status);

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

/** Put a request into the control ring; its id is its number. */
void
rawfront_ctrl_put(struct rawfront *f, uint16_t type, uint32_t data0, uint32_t data1,
		uint32_t data2);

/** Publish the control requests, and notify the backend. */
void
rawfront_ctrl_push(struct rawfront *f);

/** Take the next response of the control ring; false when there is none. */
bool
rawfront_ctrl_rsp(struct rawfront *f, struct xen_netif_ctrl_response *rsp);

/**
 * Send a control request, and wait for its response.
 *
 * @param data
 *   Receives the response's data; may be NULL.
 * @return
 *   Its status: XEN_NETIF_CTRL_STATUS_*.
 */
uint32_t
rawfront_ctrl_call(struct rawfront *f, uint16_t type, uint32_t data0, uint32_t data1,
		uint32_t data2, uint32_t *data);

/** Notify the backend of what was published in a ring of a queue. */
void
rawfront_notify_tx(struct rawfront *f, unsigned int queue);
void
rawfront_notify_rx(struct rawfront *f, unsigned int queue);

/** Has an event come in on any port since the last call? Takes and unmasks it. */
bool
rawfront_event(struct rawfront *f);

/** The id of a TX request, as the kind chooses it. */
uint16_t
rawfront_next_id(struct rawfront *f, unsigned int queue);

/** All responses have been taken: ask for the next event as the kind does. */
void
rawfront_arm(struct rawfront *f, unsigned int queue);

#endif /* RAWFRONT_H */
