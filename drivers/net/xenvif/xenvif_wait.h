/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XENVIF_WAIT_H
#define XENVIF_WAIT_H

/**
 * @file
 * Packets that wait because the guest has posted too few buffers. A tx queue's descriptors hold
 * them, as a NIC's do; each ring has a list of its own, so that a queue that the guest neglects
 * holds up no other, and what waits goes first and in order. No packet waits for ever, and none is
 * held for a vif that is gone (XSA-392). All of a list is guarded by its ring's lock.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <rte_mbuf.h>
#include <rte_spinlock.h>

#include "xen_netif_queue.h"

struct xenvif_mcast;
struct xenvif_txq;

/** How long a packet waits for buffers: xen-netback's rx_drain_timeout_msecs. */
#define XENVIF_WAIT_MS 10000u

/** How long a guest may have no buffers before its ring is stalled: its rx_stall_timeout_msecs. */
#define XENVIF_STALL_MS 60000u

/**
 * How long a packet waits for more buffers than the guest has posted, when it posts no others: it
 * has what it wants to have, for it posts again only what was used.
 */
#define XENVIF_BLOCKED_MS 1000u

/**
 * How long a guest may post nothing for a ring while what waits for it has used up descriptors that
 * serve its other rings too: then the ring is stalled.
 */
#define XENVIF_NEGLECTED_MS 1000u

/**
 * So much at most of the time between two looks at a ring counts: the guest cannot have answered
 * while nothing looked, be it that an lcore slept or that the whole process did not run.
 */
#define XENVIF_WAIT_STEP_MS 250u

/** A tx descriptor: a packet that waits, or a free one of its queue. */
struct xenvif_txd {
	STAILQ_ENTRY(xenvif_txd) next;
	struct xenvif_txq *txq;
	struct rte_mbuf *mbuf;
	/* Since when, by the ring's clock. */
	uint64_t since;
};
STAILQ_HEAD(xenvif_txd_list, xenvif_txd);

/** The descriptors of a tx queue. Its own lcore takes them; whichever sends gives them back. */
struct xenvif_txds {
	rte_spinlock_t lock;
	uint16_t nb_free;
	struct xenvif_txd_list free;
	struct xenvif_txd *all;
};

/** What waits for a ring. */
struct xenvif_wait {
	struct xenvif_txd_list list;
	uint32_t nb;
	/* Segments of the first packet that have gone to the guest. */
	uint16_t cut;
	/* When the last look was, TSC, and what counts of the time up to then, in cycles. */
	uint64_t looked;
	uint64_t clock;
	/* The guest's req_prod at the last look, and when by the clock it first was that. */
	uint32_t req_prod;
	uint64_t posted;
	/* Since when by the clock it is seen to have no buffers; 0: it has some. */
	uint64_t empty;
	/* The guest has posted nothing for too long: nothing waits for it any more. */
	bool stalled;
	/* What the vif's guest wants to be sent; set once. */
	const struct xenvif_mcast *mcast;
};

/** See txq_init, txq_fini, txq_stop and tx_free of struct xen_netif_driver. */
int
xenvif_wait_txq_init(struct xen_netif_queue *q, unsigned int socket);
void
xenvif_wait_txq_fini(struct xen_netif_queue *q);
void
xenvif_wait_txq_stop(struct xen_netif_queue *q);
uint32_t
xenvif_wait_txq_free(struct xen_netif_queue *q);

/** How many packets wait for a ring. With its lock held. */
uint32_t
xenvif_wait_count(const struct xen_netif_ring *ring);

/** Descriptors of the queue that are free. By the queue's own lcore: it has at least as many. */
uint16_t
xenvif_wait_free(const struct xenvif_txq *txq);

/**
 * Have packets wait for a ring. Of a stalled ring they are dropped instead.
 *
 * @param req_prod
 *   The guest's, as it was found too small.
 * @return
 *   How many were taken: fewer than nb_pkts when the queue's descriptors are used up.
 */
uint16_t
xenvif_wait_put(struct xenvif_txq *txq, struct xen_netif_ring *ring, uint32_t req_prod,
		struct rte_mbuf **pkts, uint16_t nb_pkts);

/**
 * Look at the packets that have waited longest.
 *
 * @param pkts
 *   Receives at most nb_pkts packets, all of one tx queue.
 * @param txq
 *   Receives that queue.
 * @return
 *   How many; 0 when nothing waits.
 */
uint16_t
xenvif_wait_peek(const struct xen_netif_ring *ring, struct rte_mbuf **pkts, uint16_t nb_pkts,
		struct xenvif_txq **txq);

/** Take the first n packets off the list; what becomes of them is the caller's to decide. */
void
xenvif_wait_pop(struct xen_netif_rings *rings, struct xen_netif_ring *ring, uint16_t n);

/**
 * The first packet has found too few buffers: drop what has waited too long.
 *
 * @param req_prod
 *   The guest's, as it was found too small.
 * @return
 *   Something was dropped: what is first now is worth another attempt.
 */
bool
xenvif_wait_expire(struct xen_netif_rings *rings, struct xen_netif_ring *ring, uint32_t req_prod);

/**
 * Nobody may look at what waits for a while: have the guest tell when it posts buffers. Takes the
 * ring's lock; any thread.
 *
 * @return
 *   Something waits for which it has done so since the last look, or will not tell (netif.h,
 *   "feature-rx-notify").
 */
bool
xenvif_wait_arm(struct xen_netif_rings *rings, struct xen_netif_ring *ring);

/** The vif goes away, or the port stops: drop all that waits for the ring, and forget the rest. */
void
xenvif_wait_flush(struct xen_netif_rings *rings, struct xen_netif_ring *ring);

#endif /* XENVIF_WAIT_H */
