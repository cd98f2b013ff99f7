/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XEN_NETIF_H
#define XEN_NETIF_H

/**
 * @file
 * What the backend and the frontend of xen/io/netif.h have in common: devargs, the ethdev
 * operations that do not depend on the side, queues, rings and their counters.
 *
 * "rx" and "tx" are the application's: a backend's rx is the guest's TX ring.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <ethdev_driver.h>
#include <ethdev_vdev.h>
#include <rte_cycles.h>
#include <rte_ether.h>
#include <rte_mbuf.h>
#include <rte_spinlock.h>

#include "xen_bus.h"
#include "xen_hyp.h"
#include "xen_ring.h"

/** Queue pairs that one vif can have, and queues of an application. */
#define XEN_NETIF_QUEUES_MAX 32

/** Smallest data room of an mbuf, so that the longest packet is a bounded number of pieces. */
#define XEN_NETIF_ROOM_MIN 256

/**
 * What a ring counts; each is an extended statistic of the port. Written by xen_count_add() with
 * the ring's lock held, and by nothing else: a reset leaves them alone.
 */
struct xen_netif_counters {
	uint64_t slots;
	uint64_t copy_ops;
	uint64_t csum_completed;
	uint64_t notify_sent;
	uint64_t notify_suppressed;
	/* tx: bursts that the ring could not take whole; no packet is lost by that. */
	uint64_t ring_full;
	/* rx: packets that the application's filters did not let pass. */
	uint64_t filtered;

	/* Packets lost, each in the one that says why. */
	uint64_t bad_packets;
	uint64_t oversize;
	uint64_t csum_unparsed;
	uint64_t copy_errors;
	/* rx: the mempool is empty, or can never hold the packet. */
	uint64_t nombuf;
	/* tx: refused by the other end after they were sent. */
	uint64_t refused;
	/* tx, waiting for the other end: for too long, while it posted nothing at all, ... */
	uint64_t wait_expired;
	uint64_t wait_stalled;
	/* ... when the vif or the port went away, and for more slots than it ever posts. */
	uint64_t wait_flushed;
	uint64_t wait_blocked;
};

/** What an application's queue counts. */
struct xen_netif_queue_counters {
	uint64_t packets;
	uint64_t bytes;
	uint64_t errors;
	uint64_t nombuf;
};

/** What a vif counts. */
struct xen_netif_vif_counters {
	uint64_t connects;
	uint64_t disconnects;
	/* By whichever thread finds the breach: atomically. */
	uint64_t protocol_errors;
};

/**
 * Count. A counter has one writer at a time, and readers of any thread and process: relaxed
 * accesses make no difference to the code, and none of what is read is torn.
 */
static inline void
xen_count_add(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
}

/** Read a counter that somebody else may be counting in. Any thread. */
static inline uint64_t
xen_count_read(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

/**
 * One end of one shared ring. The lock is what control and data path share: the control thread
 * takes it to attach and detach. A receive burst tries it and goes on to the next ring; a transmit
 * burst waits for it, as packets that it does not take are lost.
 */
struct xen_netif_ring {
	rte_spinlock_t lock;
	/* The data path may use the ring. Written with the lock held. */
	bool attached;
	domid_t domid;
	/* Backend: next request. Frontend: next response. */
	uint32_t cons;
	/* Frontend: next request to publish. A backend answers all it has taken, in order. */
	uint32_t prod;
	union {
		struct netif_tx_sring *tx;
		struct netif_rx_sring *rx;
		void *page;
	} sring;
	/* What this ring's port is bound through; NULL when both directions share one. */
	xenevtchn_handle *evtchn;
	/* Where a notification of the other end goes. */
	xenevtchn_handle *notify;
	evtchn_port_t port;
	uint16_t id;
	/* How the other end has broken the protocol: see xen_netif_ring_broken_why(). */
	const char *broken;
	/* rx: since when the packet at starved_cons has been without enough mbufs: TSC. */
	uint64_t starved_since;
	uint32_t starved_cons;
	struct xen_netif_counters count;
} __rte_cache_aligned;

/** Which end of the vif, and which direction of it, has a statistic. */
enum xen_netif_role {
	XEN_NETIF_BACKEND,
	XEN_NETIF_FRONTEND,
};

struct xen_netif;
struct xen_netif_queue;

/** What differs between the two drivers, for the operations that they share. */
struct xen_netif_driver {
	enum xen_netif_role role;
	/** Directory of the devices below this domain's home. */
	const char *root;
	/** Bytes of the driver's own structure, which starts with struct xen_netif. */
	size_t size;
	/** Bytes of the driver's queues, which start with struct xen_netif_queue. */
	size_t rxq_size;
	size_t txq_size;
	/** Devargs that the driver knows, NULL at the end. */
	const char *const *args;
	/** Prepare a tx queue of nb_desc descriptors, and its undoing; both NULL: nothing to do. */
	int (*txq_init)(struct xen_netif_queue *q, uint16_t nb_desc, unsigned int socket);
	void (*txq_fini)(struct xen_netif_queue *q);
	eth_rx_burst_t rx_burst;
	eth_tx_burst_t tx_burst;
	/** See struct xen_bus_device. */
	void (*evaluate)(struct xen_bus_device *dev);
	/** Take the rings from the data path: the port stops. With the device's lock held. */
	void (*stop)(struct xen_netif *nif);
	/** Say goodbye to the other end, with the control thread's help: the port closes. */
	void (*leave)(struct xen_netif *nif);
	/** Let go of all that belongs to the vif; the control thread has forgotten it. */
	void (*close)(struct xen_netif *nif);
};

/** Devargs, as the user gave them or their defaults. */
struct xen_netif_args {
	uint32_t domid;
	uint32_t devid;
	uint32_t queues;
	uint32_t speed;
	struct rte_ether_addr mac;
	bool has_mac;
};

/** What the counters were at the last reset: a statistic is what was counted since then. */
struct xen_netif_base {
	struct xen_netif_vif_counters vif;
	struct xen_netif_queue_counters rxq[XEN_NETIF_QUEUES_MAX];
	struct xen_netif_queue_counters txq[XEN_NETIF_QUEUES_MAX];
	struct xen_netif_counters rx[XEN_NETIF_QUEUES_MAX];
	struct xen_netif_counters tx[XEN_NETIF_QUEUES_MAX];
};

/** A port: private data of the ethdev, shared with secondary processes. */
struct xen_netif {
	struct xen_bus_device xbdev;
	/* The driver's description; meaningful in the primary process only. */
	const struct xen_netif_driver *drv;
	enum xen_netif_role role;
	uint16_t port_id;
	struct rte_ether_addr mac;
	struct xen_netif_args args;
	xengnttab_handle *gnttab;

	/* Orders the control thread and the application's calls; never held across xenstore. */
	pthread_mutex_t lock;
	/* The application has started the port. */
	bool started;
	/* The application has set the link down. */
	bool admin_down;
	/* The other end finishes blank checksums. Written with no ring attached. */
	bool peer_csum_ipv4;
	bool peer_csum_ipv6;
	/* Rings of the vif that are in use; 0 while there is no other end. */
	uint16_t active_queues;
	/* Backend: rings that packets wait for. */
	uint16_t waiting_rings;

	struct xen_netif_vif_counters count;
	struct xen_netif_base base;
	struct xen_netif_ring rx[XEN_NETIF_QUEUES_MAX];
	struct xen_netif_ring tx[XEN_NETIF_QUEUES_MAX];
};

/** The part of an application's queue that both drivers and both directions have. */
struct xen_netif_queue {
	struct xen_netif *nif;
	struct rte_mempool *pool;
	uint16_t port_id;
	uint16_t id;
	/* How many queues of this direction the application has: queue i serves i, i + n, ... */
	uint16_t nb_queues;
	/* rx: bytes that fit into one mbuf. */
	uint16_t room;
	/* rx: a packet may take several mbufs. */
	bool scatter;
	/* rx: the application completes blank checksums itself. */
	bool csum_offload;
	/* As in struct xen_netif_queue_counters; written by xen_count_add(), by an lcore alone. */
	uint64_t packets;
	uint64_t bytes;
	uint64_t errors;
	uint64_t nombuf;
	/* Of packets that have waited, by whichever thread sent or dropped them: atomically. */
	struct xen_netif_queue_counters late;
};

/**
 * Probe a vdev for either driver.
 *
 * @param vdev
 *   The device with its arguments.
 * @param drv
 *   The driver; must outlive the device.
 * @return
 *   0; -EINVAL for wrong arguments and -EEXIST for a vif that the process serves already, both
 *   logged with what is allowed; or another negative errno.
 */
__rte_internal
int
xen_netif_probe(struct rte_vdev_device *vdev, const struct xen_netif_driver *drv);

/** Remove a vdev, also when its port is closed already. 0 or -errno. */
__rte_internal
int
xen_netif_remove(struct rte_vdev_device *vdev);

/**
 * Tell the application whether the vif is connected. Called by the control thread, without locks:
 * the application's callback for RTE_ETH_EVENT_INTR_LSC runs within.
 */
__rte_internal
void
xen_netif_set_link(struct xen_netif *nif, bool up);

/**
 * A ring's other end has broken the protocol: take the ring from the data path and let the control
 * thread disconnect the vif. Called by the data path with the ring's lock held.
 *
 * @param why
 *   How: a constant text.
 */
__rte_internal
void
xen_netif_ring_broken(struct xen_netif *nif, struct xen_netif_ring *ring, const char *why);

/** How the ring's other end has broken the protocol; NULL: it has not. Any thread. */
static inline const char *
xen_netif_ring_broken_why(const struct xen_netif_ring *ring)
{
	return __atomic_load_n(&ring->broken, __ATOMIC_ACQUIRE);
}

/**
 * Move the data of an empty mbuf to the next page, if len bytes would cross one where it is and
 * there is room for it. Grant copies pin local memory by the page: what crosses one costs two
 * operations, here or in the next backend that the packet is handed to. Called by the data path.
 *
 * @param room
 *   Bytes from the data's place to the end of the mbuf.
 */
static inline void
xen_netif_place(struct rte_mbuf *m, uint16_t room, uint32_t len)
{
	uint16_t to_page = -rte_pktmbuf_mtod(m, uintptr_t) & (XEN_PAGE_BYTES - 1);

	if (to_page < len && to_page + len <= room)
		m->data_off += to_page;
}

/**
 * The mbufs of a received packet are not to be had, and this burst holds none of them. Will they
 * ever be? Not when the pool is smaller than the packet, and not when others have kept them for a
 * second: the packet has to be dropped, or nothing behind it would ever be received. Called by the
 * data path with the ring's lock held.
 *
 * @param nb_mbufs
 *   Mbufs that the packet needs.
 */
static inline bool
xen_netif_starved(const struct xen_netif_queue *q, struct xen_netif_ring *ring, uint32_t nb_mbufs)
{
	uint64_t now;

	if (nb_mbufs > q->pool->size)
		return true;
	now = rte_get_tsc_cycles();
	if (ring->starved_since == 0 || ring->starved_cons != ring->cons) {
		ring->starved_since = now;
		ring->starved_cons = ring->cons;
	}
	return now - ring->starved_since > rte_get_tsc_hz();
}

/**
 * Notify the other end if it asked for an event for the entries (old, published], and count what
 * was done. Called by the data path with the ring's lock held.
 *
 * @param event
 *   The other end's event index in the shared page.
 */
static inline void
xen_netif_notify(struct xen_netif_ring *ring, const uint32_t *event, uint32_t published,
		uint32_t old)
{
	if (xen_ring_wants_event(event, published, old)) {
		xen_count_add(&ring->count.notify_sent, 1);
		xenevtchn_notify(ring->notify, ring->port);
	} else {
		xen_count_add(&ring->count.notify_suppressed, 1);
	}
}

/* Statistics, in xen_netif_stats.c; see the operations of the same names in struct eth_dev_ops. */
int
xen_netif_stats_get(struct rte_eth_dev *dev, struct rte_eth_stats *stats);
int
xen_netif_stats_reset(struct rte_eth_dev *dev);
int
xen_netif_xstats_get(struct rte_eth_dev *dev, struct rte_eth_xstat *xstats, unsigned int n);
int
xen_netif_xstats_get_names(struct rte_eth_dev *dev, struct rte_eth_xstat_name *names,
		unsigned int n);

#endif /* XEN_NETIF_H */
