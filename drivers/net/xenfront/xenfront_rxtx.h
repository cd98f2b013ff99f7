/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XENFRONT_RXTX_H
#define XENFRONT_RXTX_H

/**
 * @file
 * The frontend's data path. Packets are copied through pages that are granted to the backend once,
 * for the life of a connection; or they are in pages of a mempool that are granted for longer, see
 * xenfront_grants.h, and are not copied.
 */

#include <rte_mbuf.h>

#include "xen_gso.h"
#include "xen_netif_queue.h"
#include "xenfront_grants.h"
#include "xenfront_response.h"

/** An mbuf that was sent as it is. */
struct xenfront_held {
	struct rte_mbuf *m;
	struct xenfront_region *region;
};

/** TX requests and their pages: page i belongs to id i. Guarded by the ring's lock. */
struct xenfront_tx_pages {
	uint8_t *pages;
	/** Regions of that domain are sent as they are; DOMID_INVALID: none is. */
	domid_t domid;
	/** Ids whose page is an mbuf's. */
	uint16_t nb_held;
	/** A bit for each region that there is a reference on, and the one last sent of. */
	uint64_t regions;
	struct xenfront_region *last;
	struct xenfront_tx_ids ids;
	grant_ref_t grefs[XEN_NETIF_RING_SIZE];
	struct xenfront_held held[XEN_NETIF_RING_SIZE];
};

/**
 * RX requests and their pages. All buffers are always posted, so that slot, id and page of a buffer
 * are the same number. The pages are the ring's own, and the request of a slot is the same at all
 * times; or they are mbufs', and another takes the place of one that is received.
 */
struct xenfront_rx_pages {
	/** The ring's own; NULL: they are mbufs'. */
	uint8_t *pages;
	/** Of the mempool that the mbufs are of. */
	struct xenfront_region *region;
	/** The same, also where it had too few mbufs for that when the vif was connected. */
	struct xenfront_region *wanted;
	struct netif_rx_request reqs[XEN_NETIF_RING_SIZE];
	struct rte_mbuf *mbufs[XEN_NETIF_RING_SIZE];
};

/** An application's rx queue. */
struct xenfront_rxq {
	struct xen_netif_queue q;
	struct xen_gso_held held;
	/* What the word rearm_data of a received mbuf is, but for where its data begins. */
	uint64_t rearm;
	/* With which of its rings the next burst begins: the nth is id + n * nb_queues. */
	uint16_t next_ring;
};

/** An application's tx queue. */
struct xenfront_txq {
	struct xen_netif_queue q;
};

/** See the functions of struct xen_netif_driver of the same names. */
int
xenfront_rxq_init(struct xen_netif_queue *q);
void
xenfront_rxq_stop(struct xen_netif_queue *q);
bool
xenfront_rxq_arm(struct xen_netif_queue *q);
bool
xenfront_rxq_holds(const struct xen_netif_queue *q);
const uint32_t *
xenfront_rx_prod(const struct xen_netif_ring *ring);
uint32_t
xenfront_txq_free(struct xen_netif_queue *q);

/**
 * Ids have become free: free the mbufs that they stood for. With the ring's lock held.
 *
 * @param first
 *   How many were free before.
 */
void
xenfront_tx_let_go(struct xenfront_tx_pages *tx, uint16_t first);

/** Free the mbufs of requests that are answered. See rte_eth_tx_done_cleanup(). */
int
xenfront_tx_done_cleanup(void *txq, uint32_t free_cnt);

/**
 * Take packets out of the buffers that the backend has filled (netif.h, "Guest receive").
 *
 * @see rte_eth_rx_burst()
 */
uint16_t
xenfront_rx_burst(void *rxq, struct rte_mbuf **pkts, uint16_t nb_pkts);

/**
 * Put packets into granted pages and request their transmission (netif.h, "Guest transmit"). Takes
 * fewer when slots are short.
 *
 * @see rte_eth_tx_burst()
 */
uint16_t
xenfront_tx_burst(void *txq, struct rte_mbuf **pkts, uint16_t nb_pkts);

#endif /* XENFRONT_RXTX_H */
