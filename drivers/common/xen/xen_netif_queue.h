/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XEN_NETIF_QUEUE_H
#define XEN_NETIF_QUEUE_H

/**
 * @file
 * What the data path of both drivers knows of a vif: the application's queues, the rings and their
 * counters. Nothing of xenstore and of the control thread.
 *
 * "rx" and "tx" are the application's: a backend's rx is the guest's TX ring.
 */

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_compat.h>
#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <rte_spinlock.h>

#include <xenevtchn.h>
#include <xengnttab.h>

#include "xen_hash.h"
#include "xen_mcast.h"
#include "xen_notify.h"
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
	union {
		/* Backend. */
		uint64_t copy_ops;
		/* Frontend: slots whose page is an mbuf's. */
		uint64_t by_reference;
	};
	uint64_t csum_completed;
	/* Packets to be segmented: that passed whole, and that were cut here. */
	uint64_t gso_whole;
	uint64_t gso_cut;
	uint64_t notify_sent;
	uint64_t notify_suppressed;
	/* Notifications that were held back, and why they went or did not. */
	uint64_t notify_full;
	uint64_t notify_late;
	uint64_t notify_cancelled;
	/* tx: bursts that the ring could not take whole; no packet is lost by that. */
	uint64_t ring_full;
	/* Packets that the application's filters did not let pass; tx: multicast, the guest's. */
	uint64_t filtered;
	union {
		/* Backend, rx: bursts that left packets on the ring, for the rate was used up. */
		uint64_t rate_stops;
		/* Frontend, rx: pages that the backend has taken to keep mapped. */
		uint64_t registered;
	};

	/* Packets lost, each in the one that says why. */
	uint64_t bad_packets;
	uint64_t oversize;
	uint64_t csum_unparsed;
	uint64_t copy_errors;
	/* rx: the mempool is empty, or can never hold the packet. */
	uint64_t nombuf;
	union {
		/* Frontend, tx: refused by the other end after they were sent. */
		uint64_t refused;
		/* Backend: not packets, but pieces that were copied without the hypervisor. */
		uint64_t static_copies;
	};
	/* tx, waiting for the other end: for too long, while it posted nothing at all, ... */
	uint64_t wait_expired;
	uint64_t wait_stalled;
	/* ... when vif, port or queue went away (rx too), and for more slots than it ever posts. */
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
struct __rte_cache_aligned xen_netif_ring {
	rte_spinlock_t lock;
	/* The data path may use the ring. Written with the lock held. */
	bool attached;
	/* Backend: pages are registered for it, see rings->grants. Written as attached is. */
	bool has_grants;
	domid_t domid;
	/* Backend: next request. Frontend: next response. */
	uint32_t cons;
	/* Frontend: next request to publish. A backend answers all it has taken, in order. */
	uint32_t prod;
	union {
		struct netif_tx_sring *tx;
		struct netif_rx_sring *rx;
		struct xen_netif_ctrl_sring *ctrl;
		void *page;
	} sring;
	/* Where a notification of the other end goes: the vif's handle, and a port of it. */
	xenevtchn_handle *evtchn;
	evtchn_port_t port;
	/* The port is this ring's own: it does not share the other direction's. */
	bool bound;
	/* rx: its lcore is in xen_netif_ring_idle(). */
	bool peeked;
	uint16_t id;
	/* How the other end has broken the protocol: see xen_netif_ring_broken_why(). */
	const char *broken;
	/* The driver's own part of the ring. */
	void *priv;
	/* rx: since when the packet at starved_cons has been without enough mbufs: TSC. */
	uint64_t starved_since;
	uint32_t starved_cons;
	/* Notifications that are held back; where the other end has said what it asks for. */
	struct xen_notify notify;
	const uint32_t *event;
	struct xen_netif_rings *rings;
	struct xen_netif_counters count;
};

/** The ends of a vif. */
enum xen_netif_role {
	XEN_NETIF_BACKEND,
	XEN_NETIF_FRONTEND,
};

/** What one end of a vif offers to the other or asks of it (netif.h, "feature-*"). */
struct xen_netif_features {
	/** Queue pairs: the most that are offered, or those that there are. */
	uint16_t queues;
	/** Pages are copied, not flipped. */
	bool rx_copy;
	/** Packets of more than one slot are taken. */
	bool sg;
	/** Blank checksums are finished. */
	bool csum_ipv4;
	bool csum_ipv6;
	/** Each direction of a queue has an event channel. */
	bool split_evtchn;
	/** TCP packets to be segmented are taken whole, by IP version. */
	bool gso_tcpv4;
	bool gso_tcpv6;
	/** A frontend may choose the multicast that it is sent, and has; also while connected. */
	bool mcast;
	bool mcast_dynamic;
	/** There is a control ring. */
	bool ctrl_ring;
	/** The frontend notifies when it posts buffers. */
	bool rx_notify;
	/** A frontend may have its packets begin at an offset, for XDP; the bytes before them. */
	bool xdp;
	uint16_t headroom;
};

/**
 * How the other end wants its packets hashed, on the way from the control thread to the lcores:
 * each of these works with a copy, and looks for a newer one once a burst.
 */
struct xen_netif_hash {
	/** Something is to be hashed. */
	bool on;
	/** Guards the rest while it is written or copied. */
	rte_spinlock_t lock;
	/** Changes with every change; 0: all zero. */
	uint32_t generation;
	struct xen_hash_config cfg;
};

/** A vif as the data path sees it. */
struct xen_netif_rings {
	xengnttab_handle *gnttab;
	/** Queue pairs that are in use; 0 while there is no other end. */
	uint16_t active_queues;
	/** xen_netif_ring_idle() may look at rings; it may become false. */
	bool peeks;
	/** Backend: rings that packets wait for. */
	uint16_t waiting_rings;
	/** Rings whose notification is held back: rx, and from bit XEN_NETIF_QUEUES_MAX on tx. */
	uint64_t held;
	/** Applications may sleep: what they are to look at has to wake them. Set while stopped. */
	bool interrupts;
	/** How they are held back; constant. */
	struct xen_notify_config notify;
	/** What the other end takes. Written with no ring attached. */
	struct xen_netif_features peer;
	/** Packets to be segmented are taken from it whole. */
	bool gso;
	/**
	 * Backend: bytes of the longest frame that may be sent, by the guest's MTU and features.
	 * Written with no ring attached.
	 */
	uint32_t frame_max;
	/**
	 * Backend: bytes before the data in a packet's first page, in place of peer.headroom; and
	 * of the longest frame that is simply copied into a page. Atomically: they may change.
	 */
	uint16_t headroom;
	uint16_t simple_max;
	/**
	 * Backend: what the guest has asked for by its control ring. Frontend: of the configuration
	 * alone, what the application wants; guarded by the device's lock.
	 */
	struct xen_netif_hash hash;
	/** The port's MAC address as one word, for filters. */
	uint64_t own_mac;
	/** The multicast that the application wants when it does not want all of it. */
	struct xen_mcast mcast;
	/** Backend: pages that the guest has registered and that stay mapped: how many, ... */
	uint32_t static_pages;
	/** ... and which, by queue; NULL: there never was one. The rings' locks guard each. */
	void *grants;
	/** The driver's own part of the vif; NULL until it is connected for the first time. */
	void *priv;
	/** Layers whose types the application wants to know: RTE_PTYPE_L*_MASK. */
	uint32_t ptypes;
	/** By rx queue: the page of a ring that its lcore may be looking at without the lock. */
	alignas(RTE_CACHE_LINE_SIZE) const void *monitored[XEN_NETIF_QUEUES_MAX];
	/** What stands in for such a page that went all the same; the control thread's. */
	void *filled[XEN_NETIF_QUEUES_MAX];
	struct xen_netif_ring rx[XEN_NETIF_QUEUES_MAX];
	struct xen_netif_ring tx[XEN_NETIF_QUEUES_MAX];
};

/** What received packets are looked at for. */
#define XEN_NETIF_CLASSIFY_FILTER 0x1 /* Not promiscuous: for this port, or more than one. */
#define XEN_NETIF_CLASSIFY_MULTICAST 0x2 /* Nor multicast but broadcasts and what is listed. */
#define XEN_NETIF_CLASSIFY_PTYPE 0x4 /* mbuf's packet_type */
#define XEN_NETIF_CLASSIFY_IPV4 0x8 /* The checksum of the IPv4 header. */
#define XEN_NETIF_CLASSIFY_VLAN 0x10 /* A tag, which is taken off. */

/** The part of an application's queue that both drivers and both directions have. */
struct xen_netif_queue {
	struct xen_netif_rings *rings;
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
	/* rx: a packet to be segmented, or a blank one, is described as one to be sent. */
	bool legacy_ol_flags;
	/* rx: it takes a packet to be segmented whole up to this length. */
	uint16_t whole_max;
	/* rx: for such packets, if they may not take several mbufs. NULL: there are none. */
	struct xen_extbufs *extbufs;
	/* rx: the application wants to know the hash that the other end has computed. */
	bool rss_hash;
	/* The queue is started, as well as its port. */
	bool running;
	/* It is not started with the port. */
	bool deferred_start;
	/* As the application has it; rx: a ring has its own number. */
	uint16_t nb_desc;
	/* rx: XEN_NETIF_CLASSIFY_*. */
	uint32_t classify;
	/* As in struct xen_netif_queue_counters; written by xen_count_add(), by an lcore alone. */
	uint64_t packets;
	uint64_t bytes;
	uint64_t errors;
	uint64_t nombuf;
	/* Of packets that have waited, by whichever thread sent or dropped them: atomically. */
	struct xen_netif_queue_counters late;
};

/**
 * A ring's other end has broken the protocol: take the ring from the data path and let the control
 * thread disconnect the vif. Called by the data path with the ring's lock held.
 *
 * @param why
 *   How: a constant text.
 */
__rte_internal
void
xen_netif_ring_broken(struct xen_netif_rings *rings, struct xen_netif_ring *ring, const char *why);

/**
 * Is there nothing for a receive burst to take? Asked without the lock, whose locked operation is
 * most of what it costs to poll an idle ring. By the lcore of the ring's rx queue.
 *
 * Whoever detaches the ring waits until its lcore has passed: either that sees "peeked", or the
 * lcore sees that the ring is not attached. The barrier between these two is needed on both sides,
 * and the one here is made by the other side, when it is needed: membarrier(2).
 *
 * @param prod
 *   Where the other end's index is in the ring's page.
 */
static __rte_always_inline bool
xen_netif_ring_idle(const struct xen_netif_rings *rings, struct xen_netif_ring *ring, size_t prod)
{
	bool idle = true;

	if (!__atomic_load_n(&rings->peeks, __ATOMIC_RELAXED))
		return false;
	__atomic_store_n(&ring->peeked, true, __ATOMIC_RELAXED);
	rte_compiler_barrier();
	if (__atomic_load_n(&ring->attached, __ATOMIC_ACQUIRE))
		idle = xen_ring_load(RTE_PTR_ADD(ring->sring.page, prod)) == ring->cons;
	__atomic_store_n(&ring->peeked, false, __ATOMIC_RELEASE);
	return idle;
}

/** How the ring's other end has broken the protocol; NULL: it has not. Any thread. */
static inline const char *
xen_netif_ring_broken_why(const struct xen_netif_ring *ring)
{
	return __atomic_load_n(&ring->broken, __ATOMIC_ACQUIRE);
}

/**
 * Look at received packets for what the application has asked for: filters, VLAN tags, packet
 * types, the checksum of an IPv4 header. What is not for this port is dropped and counted; that is
 * nobody's fault. By an lcore, with the ring's lock held, and only if q->classify is not 0.
 *
 * @param pkts
 *   The packets of a burst; those that stay are moved to the front.
 * @param bytes
 *   Their bytes, less those of packets that are dropped and of tags.
 * @return
 *   How many packets stay.
 */
__rte_internal
uint16_t
xen_netif_rx_classify(const struct xen_netif_queue *q, struct xen_netif_ring *ring,
		struct rte_mbuf **pkts, uint16_t nb_pkts, uint64_t *bytes);

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
 * second: the packet has to be dropped, or nothing behind it would ever be received. One that needs
 * no more than any other has nothing to make way for. Called by the data path with the ring's lock
 * held.
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
	if (nb_mbufs == 1)
		return false;
	now = rte_get_tsc_cycles();
	if (ring->starved_since == 0 || ring->starved_cons != ring->cons) {
		ring->starved_since = now;
		ring->starved_cons = ring->cons;
	}
	return now - ring->starved_since > rte_get_tsc_hz();
}

/**
 * The other end may have asked for an event for the entries (old, published], or for earlier ones
 * that it has not been told of: notify it, or hold that back, and count what was done. As
 * xen_netif_notify().
 */
__rte_internal
void
xen_netif_notify_wanted(struct xen_netif_ring *ring, const uint32_t *event, uint32_t published,
		uint32_t old);

/** Nothing is held back any more, nothing known of the rate. With the ring's lock held. */
void
xen_netif_notify_init(struct xen_netif_ring *ring);

/**
 * Notify the other end of what was held back, if it still asks for that. With the ring's lock
 * held; any thread.
 */
__rte_internal
void
xen_netif_notify_flush(struct xen_netif_ring *ring);

/**
 * Notify the other end of what was held back for long enough, on all rings of the vif. Without
 * locks; any thread. To be called by each burst while rings->held is not 0, and now and then by
 * somebody else, for there need not be another burst.
 */
__rte_internal
void
xen_netif_notify_poll(struct xen_netif_rings *rings);

/**
 * The lcore of an rx queue is back from where xen_netif_monitor_addr() sent it. Called by each of
 * its bursts.
 */
static inline void
xen_netif_monitor_end(const struct xen_netif_queue *q)
{
	if (unlikely(__atomic_load_n(&q->rings->monitored[q->id], __ATOMIC_RELAXED) != NULL))
		__atomic_store_n(&q->rings->monitored[q->id], NULL, __ATOMIC_RELEASE);
}

/**
 * Wake up whoever sleeps on the rx queue that a ring pair belongs to. Only if rings->interrupts;
 * any thread.
 */
__rte_internal
void
xen_netif_queue_wake(struct xen_netif_rings *rings, uint16_t ring);

/** Notify the other end of all that was held back on the vif. Takes locks of rings; any thread. */
void
xen_netif_notify_flush_all(struct xen_netif_rings *rings);

/**
 * The entries (old, published] were published: notify the other end if it asked for an event for
 * one of them, at once or when it is time. Called by the data path with the ring's lock held.
 *
 * @param event
 *   The other end's event index in the shared page.
 */
static inline void
xen_netif_notify(struct xen_netif_ring *ring, const uint32_t *event, uint32_t published,
		uint32_t old)
{
	if (likely(!ring->notify.held && !xen_ring_wants_event(event, published, old)))
		xen_count_add(&ring->count.notify_suppressed, 1);
	else
		xen_netif_notify_wanted(ring, event, published, old);
}

#endif /* XEN_NETIF_QUEUE_H */
