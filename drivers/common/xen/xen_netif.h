/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XEN_NETIF_H
#define XEN_NETIF_H

/**
 * @file
 * A vif as a port: what the backend and the frontend of xen/io/netif.h have in common beside the
 * data path, which knows xen_netif_queue.h alone.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <ethdev_driver.h>
#include <ethdev_vdev.h>
#include <rte_ether.h>

#include "xen_bus.h"
#include "xen_hyp.h"
#include "xen_netif_queue.h"

struct xen_netif;
struct xen_netif_arg;

/** Sets of the statistics of rings: which of them a ring has. */
#define XEN_NETIF_STATS_BACK_RX 0x1
#define XEN_NETIF_STATS_BACK_TX 0x2
#define XEN_NETIF_STATS_FRONT_RX 0x4
#define XEN_NETIF_STATS_FRONT_TX 0x8

/** The ethdev operations that the drivers share, of a primary and of a secondary process. */
extern const struct eth_dev_ops xen_netif_ops;
extern const struct eth_dev_ops xen_netif_secondary_ops;

/** What differs between the two drivers, for the operations that they share. */
struct xen_netif_driver {
	/** Directory of the devices below this domain's home. */
	const char *root;
	/** The devices are another domain's, by the number that the devarg domid gives. */
	bool by_domid;
	/** Bytes of the driver's own structure, which has a struct xen_netif first. */
	size_t size;
	/** Bytes of the driver's queues, which have a struct xen_netif_queue first. */
	size_t rxq_size;
	size_t txq_size;
	/** Segments that a packet to be sent may have; 0: any number. */
	uint16_t tx_segs_max;
	/** Devargs that the driver knows; a row without a key ends them. */
	const struct xen_netif_arg *args;
	/**
	 * The ethdev operations of a process that runs a port and of any other: those that the
	 * drivers share, or a copy of them with more.
	 */
	const struct eth_dev_ops *ops;
	const struct eth_dev_ops *secondary_ops;
	/** What its rings' entries are to the other end. */
	enum xen_notify_kind rx_notify;
	enum xen_notify_kind tx_notify;
	/** XEN_NETIF_STATS_* of its rings. */
	uint8_t rx_stats;
	uint8_t tx_stats;
	/** Prepare an rx queue, and undo it; both NULL: nothing to do. */
	int (*rxq_init)(struct xen_netif_queue *q);
	void (*rxq_fini)(struct xen_netif_queue *q);
	/** An rx queue is stopped: drop what it has not handed over yet. */
	void (*rxq_stop)(struct xen_netif_queue *q);
	/**
	 * The queue's lcore is about to sleep: ask for an event when there is something to do. True
	 * when there is already, in a ring.
	 */
	bool (*rxq_arm)(struct xen_netif_queue *q);
	/** Has a queue received packets that it has not handed over yet? By its lcore. */
	bool (*rxq_holds)(const struct xen_netif_queue *q);
	/** Prepare a tx queue's descriptors, and undo it; both NULL: nothing to do. */
	int (*txq_init)(struct xen_netif_queue *q, unsigned int socket);
	void (*txq_fini)(struct xen_netif_queue *q);
	/** A tx queue is stopped: drop what it has not sent yet. May be NULL. */
	void (*txq_stop)(struct xen_netif_queue *q);
	eth_rx_burst_t rx_burst;
	eth_tx_burst_t tx_burst;
	/** Where the other end counts what it publishes. With the lock held. */
	const uint32_t *(*rx_prod)(const struct xen_netif_ring *ring);
	/** Descriptors of a tx queue that are free. Any thread. */
	uint32_t (*tx_free)(struct xen_netif_queue *q);
	/** Send what waits in a tx queue and can go. By its lcore; NULL: no mbuf ever waits. */
	void (*tx_cleanup)(struct xen_netif_queue *q);
	/** How many packets wait for a tx ring, with its lock held; NULL: none ever does. */
	uint32_t (*waiting)(const struct xen_netif_ring *ring);
	/** See struct xen_bus_device. */
	void (*evaluate)(struct xen_bus_device *dev);
	/** The port stops: xen_netif_detach(), and more. With the device's lock held. */
	void (*stop)(struct xen_netif *nif);
	/** The link is set down: xen_netif_detach(), and more. With the device's lock held. */
	void (*detach)(struct xen_netif *nif);
	/**
	 * Say goodbye to the other end without waiting for it, by the control thread: the port
	 * closes in a callback of the application. May be NULL. See xen_bus_linger().
	 */
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
	/* Packets to be segmented are taken whole from the other end. */
	uint32_t gso;
	/* ... and described by flags of packets to be sent, as blank checksums are. */
	uint32_t legacy_ol_flags;
	/* Pages that a guest may register, of all queues; 0: it is not offered. */
	uint32_t static_pages;
	/* Frontend: MiB of memory that mempools may have granted to the backend for good. */
	uint32_t granted;
	/* How notifications are held back: count 0 is adaptive, 1 immediate. */
	struct {
		uint32_t count;
		uint32_t usec;
	} notify;
	/* Zero: none was given. */
	struct rte_ether_addr mac;
};

/** What the counters were at the last reset: a statistic is what was counted since then. */
struct xen_netif_base {
	struct xen_netif_vif_counters vif;
	struct xen_netif_queue_counters rxq[XEN_NETIF_QUEUES_MAX];
	struct xen_netif_queue_counters txq[XEN_NETIF_QUEUES_MAX];
	struct xen_netif_counters rx[XEN_NETIF_QUEUES_MAX];
	struct xen_netif_counters tx[XEN_NETIF_QUEUES_MAX];
};

/** What the other end of a vif can cause to be said, any number of times. */
enum xen_netif_line {
	XEN_NETIF_CONNECTED,
	XEN_NETIF_DISCONNECTED,
	/* The vif cannot be served. */
	XEN_NETIF_FAILED,
	/* It can, and something about it is worth knowing. */
	XEN_NETIF_NOTED,
	XEN_NETIF_LINES,
};

/** Lines of a kind that were held back. */
struct xen_netif_held {
	/* None is written before; milliseconds. */
	uint64_t until;
	uint32_t nb;
	char last[XEN_REASON_MAX];
};

/** Interrupts of the application's rx queues. Descriptors: -1 is none. */
struct xen_netif_intr {
	/* Queues that have one; 0: the application has not asked for any. */
	uint16_t nb_queues;
	struct {
		/* What the rings of the queue are bound through; open until the port is closed. */
		xenevtchn_handle *evtchn;
		/* What the application sleeps on: ready when one of the other two is. */
		int epoll;
		int wake;
	} q[XEN_NETIF_QUEUES_MAX];
};

/** A port: private data of the ethdev, shared with secondary processes. */
struct xen_netif {
	struct xen_bus_device xbdev;
	uint16_t port_id;
	struct rte_ether_addr mac;
	struct xen_netif_args args;
	/* What the ports of all rings are bound through, from the first connection on... */
	xenevtchn_handle *evtchn;
	/* ... unless there are interrupts. Guarded by the lock; constant while started. */
	struct xen_netif_intr intr;

	/* Orders the control thread and the application's calls; never held across xenstore. */
	pthread_mutex_t lock;
	/* The application has started the port. */
	bool started;
	/* The application has set the link down. */
	bool admin_down;
	/* The other end says that there is no link. */
	bool no_carrier;
	/* The last that it was told of the link by RTE_ETH_EVENT_INTR_LSC. */
	bool link_told;
	/* ... and of queue pairs in use by RTE_ETH_EVENT_QUEUE_STATE. */
	uint16_t queues_told;
	/* The control ring, with this lock instead of its own; no page: there is none. */
	struct xen_netif_ring ctrl;
	/* Queue pairs that are mapped or granted, and the most that the data path has had. */
	uint16_t nb_queues;
	uint16_t most_queues;
	/* Probed: the control thread may begin. */
	bool ready;
	/* It turned out to be this domain's own vif, which cannot be served. Control thread. */
	bool refused;
	/* The application's wishes about received packets: see xen_netif_rx_classify(). */
	bool promiscuous;
	bool allmulticast;

	/* What the control thread saw last: states of both ends. */
	uint8_t own_state;
	uint8_t peer_state;
	/*
	 * The other end's domain by its name, or else its number; empty until it connects. Written
	 * with the lock held.
	 */
	char domain[sizeof("domain ''") + sizeof(struct xen_quote)];
	/* The NUMA node of its memory as Xen counts them, where that is known: else negative. */
	int node;
	/* It has been seen alive. The control thread's, as what follows. */
	bool domain_seen;
	struct xen_netif_held held[XEN_NETIF_LINES];
	/* The last line of each kind, said or held back. Written with the lock held. */
	char reason[XEN_NETIF_LINES][XEN_REASON_MAX];

	struct xen_netif_vif_counters count;
	struct xen_netif_base base;
	struct xen_netif_rings rings;
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
 * Tell the application whether packets pass. Called by the control thread, without locks: the
 * application's callback for RTE_ETH_EVENT_INTR_LSC runs within.
 */
__rte_internal
void
xen_netif_tell_link(struct xen_netif *nif);

/** Note the states of both ends, for a dump. Control thread. */
static inline void
xen_netif_note_states(struct xen_netif *nif, uint8_t own, uint8_t peer)
{
	__atomic_store_n(&nif->own_state, own, __ATOMIC_RELAXED);
	__atomic_store_n(&nif->peer_state, peer, __ATOMIC_RELAXED);
}

/** Give the port another MAC address. Any thread. */
__rte_internal
void
xen_netif_set_mac(struct xen_netif *nif, const struct rte_ether_addr *mac);

/**
 * Hand the rings to the data path, if the application has started the port and there is a link on
 * either side. Does nothing to rings that it has already. With the device's lock held.
 */
__rte_internal
void
xen_netif_attach(struct xen_netif *nif);

/**
 * The handle that the event channels of a ring pair are to be bound through. Control thread.
 *
 * @param nb_queues
 *   Queues that have interrupts: nif->intr.nb_queues, once for all pairs.
 * @param ring
 *   Number of the pair.
 */
__rte_internal
xenevtchn_handle *
xen_netif_intr_evtchn(const struct xen_netif *nif, uint16_t nb_queues, unsigned int ring);

/**
 * All rings have been unbound: see to it that others can be, any number of times. With the device's
 * lock held.
 */
__rte_internal
void
xen_netif_intr_unbound(const struct xen_netif *nif);

/** Wake up all that sleep, to look at their queues. With the device's lock held. */
void
xen_netif_intr_wake(const struct xen_netif *nif);

/** May lcores look at rings without their locks? Once in a process is enough. Any thread. */
bool
xen_netif_peeks(void);

/** Take the rings from the data path; they stay mapped or granted. With the device's lock held. */
__rte_internal
void
xen_netif_detach(struct xen_netif *nif);

/**
 * The rings are detached and their pages are about to go: wake up the lcores that look at one, and
 * wait until they do not, or for a tenth of a second.
 */
__rte_internal
void
xen_netif_monitors_wait(struct xen_netif *nif);

/**
 * The page of a ring has gone, which ring->sring.page still has the address of. If an lcore may yet
 * look there, let it find something.
 */
__rte_internal
void
xen_netif_monitor_unmapped(struct xen_netif_rings *rings, const struct xen_netif_ring *ring);

/**
 * Say something about a vif in the log. Of each kind one line is written at once, and then no more
 * than one a minute, with the count and the last of those that were held back: how often there is
 * something to say is the other end's to decide. Control thread.
 */
__rte_internal
void
xen_netif_log(struct xen_netif *nif, enum xen_netif_line line, const char *fmt, ...)
		__rte_format_printf(3, 4);

/** Note what the domain at the other end is called, for log and dump. Control thread. */
__rte_internal
void
xen_netif_domain_note(struct xen_netif *nif, uint32_t domid);

/**
 * Has the domain at the other end died? Never, where that cannot be known. Notes the node of its
 * memory when it is seen for the first time. Control thread.
 */
__rte_internal
bool
xen_netif_domain_dead(struct xen_netif *nif, uint32_t domid);

/** The vif is gone: the next one's domain may be another. Control thread. */
__rte_internal
void
xen_netif_domain_forget(struct xen_netif *nif);

/** Say why a vif cannot be served, in the log and in xenstore. Control thread. */
__rte_internal
void
xen_netif_fail(struct xen_netif *nif, const struct xen_reason *why);

/** Write what was held back and is due; to be called at the end of each evaluation. */
__rte_internal
void
xen_netif_log_held(struct xen_netif *nif);

/** The vif is gone: write what was held back, and begin anew for the next one. */
__rte_internal
void
xen_netif_log_end(struct xen_netif *nif);

#endif /* XEN_NETIF_H */
