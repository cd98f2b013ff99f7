/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XEN_BUS_H
#define XEN_BUS_H

/**
 * @file
 * The control thread: one for all the devices of the process. It owns the connection to xenstore,
 * watches the devices' own directories and their other ends, and has each device evaluated anew
 * when something about it has changed. Events are coalesced: a guest that floods the watches costs
 * one evaluation every few milliseconds (XSA-349). Event channels of control rings are listened to
 * in the same way.
 *
 * The thread may be kept for any time by xenstored, which may be stopped, or by a callback of the
 * application. Nobody waits for a call longer than two seconds: then its device is taken from the
 * thread, which ends when the call has come back, and another one takes its place.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <rte_compat.h>

#include "xen_hyp.h"
#include "xen_store.h"

/** A device on xenbus, embedded in the driver's own structure. */
struct xen_bus_device {
	/** The directory watched once for all devices below it: "backend/vif" or "device/vif". */
	const char *root;
	/** The device's own directory, below root. */
	char path[XEN_STORE_PATH_MAX];
	/** The other end's directory, empty while unknown: see xen_bus_set_peer(). */
	char peer[XEN_STORE_PATH_MAX];
	/**
	 * Bring the device from what it is to what the store says it should be. Called by the
	 * control thread, without a lock, after any change and after xen_bus_set_timer(). It does
	 * not hold a lock across xenstore and keeps nothing in memory of its own that somebody
	 * else has to free: a call of xenstore need not come back.
	 */
	void (*evaluate)(struct xen_bus_device *dev);
	/**
	 * Called ten times a second by the control thread, with its lock held: nothing of the bus,
	 * and no xenstore. May be NULL.
	 */
	void (*tick)(struct xen_bus_device *dev);

	/* The rest is the control thread's. */
	TAILQ_ENTRY(xen_bus_device) next;
	bool dirty;
	bool watched;
	/* Being deleted; its driver has not yet said all to the other end. */
	bool leaving;
	bool lingering;
	/* The event channel that it listens to; 0: none. */
	evtchn_port_t port;
	uint64_t not_before_ms;
	uint64_t timer_ms;
	/* After how long it was evaluated again because xenstore had failed; 0: it had not. */
	uint32_t retry_ms;
};

/**
 * Hand a device to the control thread, which is started with the first one. Succeeds whether or
 * not xenstore can be reached or knows the device; the first call waits for this domain's id, for
 * two seconds at most. Any thread.
 *
 * @param dev
 *   The device: root, path and evaluate set, the rest zero.
 * @return
 *   0, -EEXIST when a device with that path is there already, or another -errno.
 */
int
xen_bus_add(struct xen_bus_device *dev);

/**
 * Take a device back. When this returns, the control thread is not working on it and never will
 * again; with the last device it ends. Any thread. It waits for what the driver has to say to the
 * other end, see xen_bus_linger(), for four seconds at most, and for the control thread, if that is
 * kept with the device, for two. In a callback of the application, by the control thread itself, it
 * waits for nothing, and nothing of the device may be used after the callback.
 */
void
xen_bus_del(struct xen_bus_device *dev);

/** Is this a control thread, in a callback of the application? Any thread. */
__rte_internal
bool
xen_bus_in_thread(void);

/** Is the device being evaluated by the calling thread? No longer, once it has been removed. */
bool
xen_bus_evaluates(const struct xen_bus_device *dev);

/**
 * The control thread begins a call that may take any time: of xenstore's library, or of the
 * application's callback. Such calls nest. Does nothing in other threads.
 *
 * @param where
 *   What it calls, for the log: a constant text.
 */
void
xen_bus_outside_begin(const char *where);

/**
 * The call has come back. If it was not waited for any longer, this does not return: the thread
 * ends.
 *
 * @param reply
 *   To be freed in that case; may be NULL.
 */
void
xen_bus_outside_end(void *reply);

/**
 * Say whether the driver has something to say to the other end before the device may go: then
 * xen_bus_del() waits for it, and has the device evaluated meanwhile. Any thread.
 *
 * @return
 *   False when it is too late to begin with that.
 */
__rte_internal
bool
xen_bus_linger(struct xen_bus_device *dev, bool on);

/** Is the device being deleted? Any thread. */
__rte_internal
bool
xen_bus_leaving(const struct xen_bus_device *dev);

/** Have a device evaluated soon. Any thread, also an lcore: it costs one system call. */
__rte_internal
void
xen_bus_kick(struct xen_bus_device *dev);

/**
 * Have a device evaluated, and wait until it is: for two seconds at most, and not at all while
 * xenstore is away or in a callback of the application, by the control thread itself. Any thread.
 */
void
xen_bus_settle(struct xen_bus_device *dev);

/**
 * Have the device evaluated in some milliseconds at the latest; of several calls the earliest
 * counts. Control thread.
 */
__rte_internal
void
xen_bus_set_timer(struct xen_bus_device *dev, uint32_t ms);

/** Milliseconds of a monotonic clock. Any thread. */
__rte_internal
uint64_t
xen_bus_now_ms(void);

/**
 * Take a reference on the control thread's event channel handle, opening it first when nobody holds
 * one: one file for all devices. Ports bound through it may be listened to. Any thread.
 *
 * @param evtchn
 *   Receives the handle.
 * @param why
 *   Receives what is wrong on error.
 * @return
 *   0, or the negative errno of opening the device.
 */
__rte_internal
int
xen_bus_evtchn_get(xenevtchn_handle **evtchn, struct xen_reason *why);

/** Give a reference back; the last one closes the handle. Any thread. */
__rte_internal
void
xen_bus_evtchn_put(void);

/**
 * Have the device evaluated when an event comes in on a port, as for any other change: so however
 * often its domain sends one, it costs an evaluation every few milliseconds. The port is masked
 * then: it is the device's to unmask it when it has done what the event was for (XSA-332). Any
 * thread.
 *
 * @param port
 *   A port of xen_bus_evtchn_get()'s handle; 0: none any more.
 */
__rte_internal
void
xen_bus_listen(struct xen_bus_device *dev, evtchn_port_t port);

/**
 * Set the other end's directory and watch it, with all that is in it: an end may change more than
 * its state at any time. Control thread.
 *
 * @param path
 *   The directory; empty: none any more.
 * @return
 *   0 or -errno.
 */
__rte_internal
int
xen_bus_set_peer(struct xen_bus_device *dev, const char *path);

/**
 * This domain's id. Any thread.
 *
 * @return
 *   The domid, or -1 while xenstore has not told it.
 */
int
xen_bus_own_domid(void);

#endif /* XEN_BUS_H */
