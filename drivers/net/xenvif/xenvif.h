/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XENVIF_H
#define XENVIF_H

/**
 * @file
 * The backend of a Xen network interface (xen/io/netif.h) as a port. "rx" is the application's
 * view: rx_burst takes what the guest put into its TX ring.
 */

#include <rte_mbuf.h>

#include "xen_netif.h"
#include "xenvif_request.h"
#include "xenvif_wait.h"

/**
 * Copy segments staged for one call of xengnttab_grant_copy(). The longest packet in the smallest
 * mbufs always fits into an empty batch.
 */
#define XENVIF_BATCH_SEGS 384u
static_assert(XEN_NETIF_PKT_MAX / XEN_NETIF_ROOM_MIN + XENVIF_SLOTS_FATAL <= XENVIF_BATCH_SEGS,
		"a batch has to hold any packet");

/** Packets of one batch: no more than a ring has slots. */
#define XENVIF_BATCH_PKTS XEN_NETIF_RING_SIZE

/** Segments of a packet to send: with those that a page's end splits, they fit into a batch. */
#define XENVIF_TX_SEGS_MAX (XENVIF_BATCH_SEGS - XEN_NETIF_PKT_MAX / XEN_PAGE_BYTES - 1)

/** A packet of the batch: which of the batch's copy segments and slots are its own. */
struct xenvif_packet {
	/* rx: NULL for a packet that is dropped. tx: not used. */
	struct rte_mbuf *mbuf;
	uint16_t first_seg;
	uint16_t nb_segs;
	uint16_t first_slot;
	uint16_t nb_slots;
	/* Flags of the first request (rx) or response (tx). */
	uint16_t flags;
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
};

/** An application's rx queue. */
struct xenvif_rxq {
	struct xen_netif_queue q;
	/* Where the next burst begins among the rings of this queue. */
	uint16_t next_ring;
	struct xenvif_batch batch;
	struct rte_mbuf *mbufs[XENVIF_BATCH_PKTS];
};

/** An application's tx queue. */
struct xenvif_txq {
	struct xen_netif_queue q;
	struct xenvif_txds descs;
	struct xenvif_batch batch;
};

/** What the frontend wrote into its directory, checked: what was asked for, not what is mapped. */
struct xenvif_peer_config {
	domid_t domid;
	uint16_t queues;
	bool split_evtchn;
	bool sg;
	bool csum_ipv4;
	bool csum_ipv6;
	struct {
		grant_ref_t tx_ring_ref;
		grant_ref_t rx_ring_ref;
		evtchn_port_t evtchn_tx;
		evtchn_port_t evtchn_rx;
	} queue[XEN_NETIF_QUEUES_MAX];
};

/** A backend port. */
struct xenvif {
	struct xen_netif nif;
	/* What the frontend can receive. Written with no ring attached. */
	bool sg;
	/* What waits for each ring that is attached, guarded by the ring's lock. */
	struct xenvif_wait wait[XEN_NETIF_QUEUES_MAX];
	/* The rest is the control thread's. The rings are mapped and bound. */
	bool connected;
	/* The event channel ports were taken already at the last attempt. */
	bool busy_logged;
	/* The toolstack's keys made no sense at the last look. */
	bool misfit_logged;
	/* The guest was told that there is no carrier. */
	bool carrier_down;
	/* When a detach by the toolstack no longer waits for the guest. */
	uint64_t closing_ms;
};

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
 * are taken. Where the guest has more queues than the application, each flow keeps to one of them.
 *
 * @see rte_eth_tx_burst()
 */
uint16_t
xenvif_tx_burst(void *txq, struct rte_mbuf **pkts, uint16_t nb_pkts);

/**
 * Send what waits for rings of the vif and has found buffers by now. By an lcore, without locks.
 *
 * @param b
 *   Scratch space.
 */
void
xenvif_tx_flush(struct xenvif *vif, struct xenvif_batch *b);

/** See struct xen_bus_device: the backend's state machine. */
void
xenvif_evaluate(struct xen_bus_device *xbdev);

/**
 * Read and check all that a frontend writes before it goes to state Connected.
 *
 * @param dir
 *   The frontend's directory.
 * @param max_queues
 *   The number of queues that was offered.
 * @param cfg
 *   Receives the configuration; domid is left alone.
 * @param why
 *   Receives the key, its value and what is allowed when something is wrong.
 * @param size
 *   Bytes of why.
 * @return
 *   0, -EINVAL, or -ENOTCONN when xenstore does not answer. Control thread.
 */
int
xenvif_read_peer(const char *dir, uint16_t max_queues, struct xenvif_peer_config *cfg, char *why,
		size_t size);

/**
 * Map the rings and bind the event channels of every queue, and hand them to the data path. The
 * rings are entered where their responses end, so that the guest of a backend that died goes on
 * undisturbed. With the device's lock held.
 *
 * @param why
 *   Receives what failed.
 * @return
 *   0; -EBUSY when an event channel is bound already, by another backend or one that is dying; or
 *   another -errno. On error nothing is mapped or bound.
 */
int
xenvif_connect(struct xenvif *vif, const struct xenvif_peer_config *cfg, char *why, size_t size);

/** Take the rings from the data path, unmap and unbind. With the device's lock held. */
void
xenvif_disconnect(struct xenvif *vif);

/** xenvif_disconnect() for struct xen_netif_driver. */
void
xenvif_stop(struct xen_netif *nif);

extern int xenvif_logtype;

#define XENVIF_LOG(level, vif, fmt, ...) \
	rte_log(RTE_LOG_##level, xenvif_logtype, "XENVIF: %s: " fmt "\n", (vif)->nif.xbdev.path, \
			##__VA_ARGS__)

#endif /* XENVIF_H */
