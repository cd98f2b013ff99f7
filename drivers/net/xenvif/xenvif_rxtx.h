/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XENVIF_RXTX_H
#define XENVIF_RXTX_H

/**
 * @file
 * The backend's data path. "rx" is the application's view: rx_burst takes what the guest put into
 * its TX ring.
 */

#include <rte_mbuf.h>

#include "xen_gso.h"
#include "xen_netif_queue.h"
#include "xenvif_hash.h"
#include "xenvif_request.h"
#include "xenvif_wait.h"

/**
 * Copy segments staged for one call of xengnttab_grant_copy(). The longest packet in the smallest
 * mbufs always fits into an empty batch.
 */
#define XENVIF_BATCH_SEGS 344u
static_assert(XEN_NETIF_PKT_MAX / XEN_NETIF_ROOM_MIN + XENVIF_SLOTS_FATAL <= XENVIF_BATCH_SEGS,
		"a batch has to hold any packet");

/** Packets of one batch: no more than a ring has slots. */
#define XENVIF_BATCH_PKTS XEN_NETIF_RING_SIZE

/**
 * Segments of a packet to send: with those that a page's end splits they fit into a batch, and so
 * they do when a headroom makes it a page more.
 */
#define XENVIF_TX_SEGS_MAX (XENVIF_BATCH_SEGS - XEN_NETIF_PKT_MAX / XEN_PAGE_BYTES - 3)

/**
 * Bytes of private copies in a batch, for what a packet's mbuf must not be changed to; and up to
 * which length all of a packet is copied, so that it stays one copy operation.
 */
#define XENVIF_SCRATCH_BYTES 3072u
#define XENVIF_SCRATCH_WHOLE 256u

/** A packet of the batch: which of the batch's copy segments and slots are its own. */
struct xenvif_packet {
	union {
		/* rx: NULL for a packet that is dropped. tx: not used. */
		struct rte_mbuf *mbuf;
		/* Of one that is staged and hashed. */
		struct netif_extra_info hash;
	};
	uint16_t first_seg;
	uint16_t nb_segs;
	uint16_t first_slot;
	uint16_t nb_slots;
	/* rx: flags of the first request. */
	uint16_t flags;
	/* rx: what its extra info says of its segments; size 0: nothing. */
	uint16_t gso_size;
	uint8_t gso_type;
	/* rx: it is in pages of the stage, to be cut. */
	bool staged;
	/* rx: it came with a hash. */
	bool hashed;
};

/** Scratch space of a burst, in the application's queue. */
struct xenvif_batch {
	uint16_t nb_packets;
	uint16_t nb_segs;
	uint16_t nb_slots;
	/* Operations that the segments are, see xenvif_copy_ops(). */
	uint32_t nb_ops;
	/* Responses, as they will stand in the ring. */
	union {
		struct netif_tx_response tx[XEN_NETIF_RING_SIZE];
		struct netif_rx_response rx[XEN_NETIF_RING_SIZE];
	} rsp;
	struct xenvif_packet packets[XENVIF_BATCH_PKTS];
	xengnttab_grant_copy_segment_t segs[XENVIF_BATCH_SEGS];
	/* tx: of the scratch. */
	uint32_t scratch_used;
	union __rte_cache_aligned {
		/* tx: the first bytes of packets, as far as they differ from the mbuf's. */
		uint8_t scratch[XENVIF_SCRATCH_BYTES];
		/* rx: for the packets of the burst. tx: once they are copied, those to free. */
		struct rte_mbuf *mbufs[XENVIF_BATCH_PKTS];
	};
};

/** An application's rx queue. */
struct xenvif_rxq {
	struct xen_netif_queue q;
	struct xen_gso_held held;
	/* What the word rearm_data of a received mbuf is, whose data is in its usual place. */
	uint64_t rearm;
	/* Where the next burst begins among the rings of this queue. */
	uint16_t next_ring;
	struct xenvif_batch batch;
};

/** An application's tx queue. */
struct xenvif_txq {
	struct xen_netif_queue q;
	/* How the guest wants its packets hashed. */
	struct xenvif_hash_copy hash;
	struct xenvif_txds descs;
	struct xenvif_batch batch;
};

/** See the functions of struct xen_netif_driver of the same names. */
int
xenvif_rxq_init(struct xen_netif_queue *q);
void
xenvif_rxq_fini(struct xen_netif_queue *q);
void
xenvif_rxq_stop(struct xen_netif_queue *q);
bool
xenvif_rxq_arm(struct xen_netif_queue *q);
bool
xenvif_rxq_holds(const struct xen_netif_queue *q);
const uint32_t *
xenvif_rx_prod(const struct xen_netif_ring *ring);

/**
 * Take packets that the guest has put into its TX rings (netif.h, "Guest transmit").
 *
 * @see rte_eth_rx_burst()
 */
uint16_t
xenvif_rx_burst(void *rxq, struct rte_mbuf **pkts, uint16_t nb_pkts);

/**
 * Put packets into buffers that the guest has posted in an RX ring (netif.h, "Guest receive"). When
 * too few are posted, packets wait in the queue's descriptors; only when these are used up, fewer
 * are taken. Where the guest has more queues than the application, each flow keeps to one of them;
 * where it has asked for hashes, it decides by these which one.
 *
 * @see rte_eth_tx_burst()
 */
uint16_t
xenvif_tx_burst(void *txq, struct rte_mbuf **pkts, uint16_t nb_pkts);

/** See tx_cleanup of struct xen_netif_driver. */
void
xenvif_txq_cleanup(struct xen_netif_queue *q);

/**
 * Send what waits for rings of the vif and has found buffers by now. By an lcore, without locks.
 *
 * @param b
 *   Scratch space.
 */
void
xenvif_tx_flush(struct xen_netif_rings *rings, struct xenvif_batch *b);

#endif /* XENVIF_RXTX_H */
