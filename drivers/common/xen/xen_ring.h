/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XEN_RING_H
#define XEN_RING_H

/**
 * @file
 * Access to the shared rings of xen/io/ring.h. The layout comes from Xen's header; the accessors
 * are functions, so that each shared word is read or written exactly once and with the ordering
 * that the protocol asks for.
 *
 * That is more than x86's own order. Indices are loaded with acquire and stored with release, so
 * that a request has been read before the other end can learn that its slot may be used anew. Where
 * something is stored, and then read what the other end has stored, there is a full fence: without
 * it both might miss each other's news. Fences among the processors of a machine are enough for
 * all domains: Xen has guests share their memory so (on arm64, inner shareable), and Linux'
 * virt_mb() is no more.
 */

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_atomic.h>
#include <rte_byteorder.h>

#include "xen_if.h"

/** Read an index that the other end writes; what it published before is visible afterwards. */
static inline uint32_t
xen_ring_load(const uint32_t *index)
{
	return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

/** Publish an index; every slot written before becomes visible first. */
static inline void
xen_ring_store(uint32_t *index, uint32_t value)
{
	__atomic_store_n(index, value, __ATOMIC_RELEASE);
}

/**
 * The notification rule of xen/io/ring.h: does the other end want an event for the entries
 * (old, published]? To be asked after publishing; orders that store before the read.
 *
 * @param event
 *   The other end's req_event or rsp_event.
 * @param published
 *   The index that was just published.
 * @param old
 *   The index at the last decision.
 * @param asked
 *   Receives the index that the other end asks for an event at.
 */
static inline bool
xen_ring_asked(const uint32_t *event, uint32_t published, uint32_t old, uint32_t *asked)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	*asked = __atomic_load_n(event, __ATOMIC_RELAXED);
	return (uint32_t)(published - *asked) < (uint32_t)(published - old);
}

/** The same, where it does not matter which of them it asks for. */
static inline bool
xen_ring_wants_event(const uint32_t *event, uint32_t published, uint32_t old)
{
	uint32_t asked;

	return xen_ring_asked(event, published, old, &asked);
}

/** Copy a TX request out of the ring, once: the guest may rewrite it at any time (XSA-155). */
static inline struct netif_tx_request
xen_ring_tx_request(struct netif_tx_sring *sring, uint32_t idx)
{
	volatile struct netif_tx_request *src = &sring->ring[idx & XEN_NETIF_RING_MASK].req;
	struct netif_tx_request req;

	req.gref = src->gref;
	req.offset = src->offset;
	req.flags = src->flags;
	req.id = src->id;
	req.size = src->size;
	return req;
}

/**
 * Ask the other end for an event for what it publishes next (ring.h, "RING_FINAL_CHECK_FOR_*").
 *
 * @param event
 *   This end's req_event or rsp_event.
 * @param prod
 *   The other end's index.
 * @param cons
 *   How far this end is.
 * @return
 *   Something has been published already: there may be no event for it.
 */
static inline bool
xen_ring_arm(uint32_t *event, const uint32_t *prod, uint32_t cons)
{
	__atomic_store_n(event, cons + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return xen_ring_load(prod) != cons;
}

/** Answer a TX request in its slot, with one store: Xen's machines have the lowest byte first. */
static inline void
xen_ring_tx_respond(struct netif_tx_sring *sring, uint32_t idx, uint16_t id, int16_t status)
{
	const uint32_t word = rte_cpu_to_le_32((uint32_t)(uint16_t)status << 16 | id);

	static_assert(sizeof(struct netif_tx_response) == sizeof(word), "a response is a word");
	memcpy(&sring->ring[idx & XEN_NETIF_RING_MASK].rsp, &word, sizeof(word));
}

/** Answer extra info in its slot of a TX ring: what it says of a next one stays (netif.h). */
static inline void
xen_ring_tx_respond_null(struct netif_tx_sring *sring, uint32_t idx)
{
	sring->ring[idx & XEN_NETIF_RING_MASK].rsp.status = NETIF_RSP_NULL;
}

/** Answer an RX request in its slot: a packet of so many bytes, from the page's start on. */
static inline void
xen_ring_rx_respond(struct netif_rx_sring *sring, uint32_t idx, uint16_t id, uint16_t len)
{
	const uint64_t word = rte_cpu_to_le_64((uint64_t)len << 48 | id);

	static_assert(sizeof(struct netif_rx_response) == sizeof(word), "a response is a word");
	memcpy(&sring->ring[idx & XEN_NETIF_RING_MASK].rsp, &word, sizeof(word));
}

/** Copy the extra info that stands in a slot of either ring out of it, once. */
static inline struct netif_extra_info
xen_ring_extra(const volatile void *slot)
{
	const volatile struct netif_extra_info *src = slot;
	struct netif_extra_info extra;

	extra.type = src->type;
	extra.flags = src->flags;
	extra.u.pad[0] = src->u.pad[0];
	extra.u.pad[1] = src->u.pad[1];
	extra.u.pad[2] = src->u.pad[2];
	return extra;
}

/** Does the extra info say how a packet is to be segmented, in a way that netif.h knows? */
static inline bool
xen_extra_gso_known(const struct netif_extra_info *extra)
{
	return extra->u.gso.size != 0 &&
			(extra->u.gso.type == XEN_NETIF_GSO_TYPE_TCPV4 ||
					extra->u.gso.type == XEN_NETIF_GSO_TYPE_TCPV6);
}

/** Copy an RX request out of the ring, once. */
static inline struct netif_rx_request
xen_ring_rx_request(struct netif_rx_sring *sring, uint32_t idx)
{
	volatile struct netif_rx_request *src = &sring->ring[idx & XEN_NETIF_RING_MASK].req;
	struct netif_rx_request req;

	req.id = src->id;
	req.pad = 0;
	req.gref = src->gref;
	return req;
}

/** Copy a TX response out of the ring, once. */
static inline struct netif_tx_response
xen_ring_tx_response(struct netif_tx_sring *sring, uint32_t idx)
{
	volatile struct netif_tx_response *src = &sring->ring[idx & XEN_NETIF_RING_MASK].rsp;
	struct netif_tx_response rsp;

	rsp.id = src->id;
	rsp.status = src->status;
	return rsp;
}

/** Copy a control request out of its ring, once. */
static inline struct xen_netif_ctrl_request
xen_ring_ctrl_request(struct xen_netif_ctrl_sring *sring, uint32_t idx)
{
	volatile struct xen_netif_ctrl_request *src =
			&sring->ring[idx & XEN_NETIF_CTRL_RING_MASK].req;
	struct xen_netif_ctrl_request req;

	req.id = src->id;
	req.type = src->type;
	req.data[0] = src->data[0];
	req.data[1] = src->data[1];
	req.data[2] = src->data[2];
	return req;
}

/** Copy a control response out of its ring, once. */
static inline struct xen_netif_ctrl_response
xen_ring_ctrl_response(struct xen_netif_ctrl_sring *sring, uint32_t idx)
{
	volatile struct xen_netif_ctrl_response *src =
			&sring->ring[idx & XEN_NETIF_CTRL_RING_MASK].rsp;
	struct xen_netif_ctrl_response rsp;

	rsp.id = src->id;
	rsp.type = src->type;
	rsp.status = src->status;
	rsp.data = src->data;
	return rsp;
}

/** A slot of the RX ring as the one word that it is. */
typedef uint64_t __rte_may_alias xen_ring_rx_word;
static_assert(sizeof(struct netif_rx_request) == sizeof(xen_ring_rx_word), "a slot is a word");
static_assert(sizeof(struct netif_rx_response) == sizeof(xen_ring_rx_word), "a slot is a word");

/** Copy an RX response out of the ring, once and with one load. */
static inline struct netif_rx_response
xen_ring_rx_response(struct netif_rx_sring *sring, uint32_t idx)
{
	union {
		uint64_t word;
		struct netif_rx_response rsp;
	} slot;

	slot.word = *(const volatile xen_ring_rx_word *)&sring->ring[idx & XEN_NETIF_RING_MASK];
	return slot.rsp;
}

/** Write an RX request into its slot, with one store. */
static inline void
xen_ring_rx_post(struct netif_rx_sring *sring, uint32_t idx, const struct netif_rx_request *req)
{
	union {
		uint64_t word;
		struct netif_rx_request req;
	} slot = { .req = *req };

	*(xen_ring_rx_word *)&sring->ring[idx & XEN_NETIF_RING_MASK] = slot.word;
}

#endif /* XEN_RING_H */
