/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XENFRONT_RESPONSE_H
#define XENFRONT_RESPONSE_H

/**
 * @file
 * What a backend answers in both rings, taken apart and checked (netif.h, "Guest transmit" and
 * "Guest receive"). Every slot is copied out of the ring once, and only the copies are looked at.
 * Nothing is done about packets here: this file knows rings and no more.
 */

#include <rte_branch_prediction.h>

#include "xen_ring.h"

/** Bytes of an Ethernet header: a packet is not shorter. */
#define XENFRONT_PKT_MIN 14u

/** What is known of a TX request's id. */
enum xenfront_tx_id {
	XENFRONT_TX_FREE,
	/* The first slot of a packet, waiting for its response. */
	XENFRONT_TX_FIRST,
	/* One of its further slots. */
	XENFRONT_TX_MORE,
	/* A change of the backend's multicast list. */
	XENFRONT_TX_MCAST,
};

/** The ids of a TX ring's requests: which are free, and what the others stand for. */
struct xenfront_tx_ids {
	uint16_t nb_free;
	/** A stack: the id that was used last is the one whose page is still in the cache. */
	uint16_t free_ids[XEN_NETIF_RING_SIZE];
	/** An enum xenfront_tx_id each. */
	uint8_t ids[XEN_NETIF_RING_SIZE];
	/** Slots of extra info that are not answered yet: they have no id. */
	uint16_t nb_extras;
	/** Changes of the multicast list that are not answered yet. */
	uint16_t nb_mcast;
	/** Those of them that were refused, and packets that were; reset by who counts them. */
	uint16_t nb_mcast_refused;
	uint32_t nb_refused;
};

/** Make all ids free; they are handed out from 0 on. */
static inline void
xenfront_tx_ids_init(struct xenfront_tx_ids *t)
{
	uint16_t i;

	for (i = 0; i < XEN_NETIF_RING_SIZE; i++) {
		t->ids[i] = XENFRONT_TX_FREE;
		t->free_ids[i] = XEN_NETIF_RING_MASK - i;
	}
	t->nb_free = XEN_NETIF_RING_SIZE;
	t->nb_extras = 0;
	t->nb_mcast = 0;
	t->nb_mcast_refused = 0;
	t->nb_refused = 0;
}

/** Take a free id; there has to be one. */
static inline uint16_t
xenfront_tx_ids_take(struct xenfront_tx_ids *t, enum xenfront_tx_id what)
{
	uint16_t id = t->free_ids[--t->nb_free];

	t->ids[id] = what;
	return id;
}

/** The free ids in the order in which they are taken, downwards: nb_free of them. */
static inline const uint16_t *
xenfront_tx_ids_top(const struct xenfront_tx_ids *t)
{
	return &t->free_ids[t->nb_free - 1];
}

/** So many of these were taken, and what they stand for is noted. */
static inline void
xenfront_tx_ids_took(struct xenfront_tx_ids *t, uint16_t n)
{
	t->nb_free -= n;
}

/**
 * Take the TX responses (cons, rsp_prod] and make their ids free again.
 *
 * @param sring
 *   The ring.
 * @param prod
 *   The next request to be written: there are no responses from it on.
 * @param cons
 *   The next response to take; moved on unless the backend has broken the protocol.
 * @return
 *   NULL, or how the backend has broken the protocol: a constant text.
 */
static inline const char *
xenfront_response_reclaim(struct netif_tx_sring *sring, uint32_t prod, uint32_t *cons,
		struct xenfront_tx_ids *t)
{
	uint32_t rsp_prod = xen_ring_load(&sring->rsp_prod), idx;
	/* Not in the structure meanwhile, each time. */
	uint16_t nb_free = t->nb_free;
	const char *broken = NULL;
	struct netif_tx_response rsp;

	if (unlikely(rsp_prod - *cons > prod - *cons))
		return "rsp_prod ahead of the requests";
	for (idx = *cons; idx != rsp_prod; idx++) {
		rsp = xen_ring_tx_response(sring, idx);
		/* Of extra info, behind its packet's first one: packets come in any order. */
		if (unlikely(rsp.status == NETIF_RSP_NULL)) {
			if (t->nb_extras == 0) {
				broken = "response to extra info that is not outstanding";
				goto end;
			}
			t->nb_extras--;
			continue;
		}
		if (unlikely(rsp.id >= XEN_NETIF_RING_SIZE || t->ids[rsp.id] == XENFRONT_TX_FREE)) {
			broken = "response to a request that is not outstanding";
			goto end;
		}
		/* A packet is refused once, however many slots it has. */
		if (unlikely(rsp.status < 0) && t->ids[rsp.id] == XENFRONT_TX_FIRST)
			t->nb_refused++;
		if (unlikely(t->ids[rsp.id] == XENFRONT_TX_MCAST)) {
			t->nb_mcast--;
			t->nb_mcast_refused += rsp.status != NETIF_RSP_OKAY;
		}
		t->ids[rsp.id] = XENFRONT_TX_FREE;
		t->free_ids[nb_free++] = rsp.id;
	}
	*cons = idx;
end:
	t->nb_free = nb_free;
	return broken;
}

/** The part of an RX ring that the backend has answered and nobody has taken. */
struct xenfront_slots {
	struct netif_rx_sring *sring;
	/** The next response, and where they end: at most XEN_NETIF_RING_SIZE after it. */
	uint32_t cons;
	uint32_t prod;
};

/** A packet's responses, as they were copied out of the ring. */
struct xenfront_response {
	/** Bytes of the packet. */
	uint32_t len;
	/** Of the first response. */
	uint16_t flags;
	/** All slots, also those of extra info. */
	uint16_t nb_slots;
	/** A bit for each type of extra info that there is (XEN_NETIF_EXTRA_TYPE_*). */
	uint32_t extras;
	/** The last of each such type. */
	struct netif_extra_info extra[XEN_NETIF_EXTRA_TYPE_MAX];
	/** The backend could not fill it, or it is longer than a packet may be: not to be used. */
	bool bad;
	/** Where the data is: the slot's page, and which part of it. */
	uint16_t nb_frags;
	struct {
		uint16_t slot;
		uint16_t offset;
		uint16_t len;
	} frags[XEN_NETIF_SLOTS_MIN];
};

/**
 * Take the slots of the next packet. Any thread that has the ring to itself.
 *
 * @param s
 *   Where the packet stands; not moved on. There is at least one response.
 * @param first
 *   The response at s->cons, as the caller has copied it.
 * @param r
 *   Receives the packet: nb_slots slots from s->cons on.
 * @return
 *   NULL, or how the backend has broken the protocol: a constant text.
 */
const char *
xenfront_response_take(const struct xenfront_slots *s, const struct netif_rx_response *first,
		struct xenfront_response *r);

#endif /* XENFRONT_RESPONSE_H */
