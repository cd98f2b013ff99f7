/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XEN_HYP_H
#define XEN_HYP_H

/**
 * @file
 * What the drivers ask of the hypervisor beside the plain calls of libxengnttab and libxenevtchn.
 */

#include <stdbool.h>

#include <rte_compat.h>

#include <xenevtchn.h>
#include <xengnttab.h>

#include "xen_reason.h"

/**
 * Take a reference on the process's grant table handle (/dev/xen/gntdev), opening it first when
 * nobody holds one. Grant copies and maps of all vifs go through this one handle. Any thread.
 *
 * @param gnttab
 *   Receives the handle.
 * @return
 *   0, or the negative errno of opening the device, which is also logged.
 */
int
xen_gnttab_get(xengnttab_handle **gnttab);

/** Give a reference of xen_gnttab_get() back; the last one closes the handle. Any thread. */
void
xen_gnttab_put(void);

/**
 * May this domain map grants of its own pages? In a translated domain (PVH, HVM) doing so
 * corrupts the kernel's view of the page, so both ends of a vif in one domain are for PV only.
 * Any thread.
 */
bool
xen_may_map_own_grants(void);

/**
 * The version of the Xen that runs here. Any thread.
 *
 * @return
 *   False when the kernel does not tell, or it is not Xen.
 */
bool
xen_version(unsigned int *major, unsigned int *minor);

/**
 * Open an event channel handle (/dev/xen/evtchn). One is enough for all that a vif sends: each is a
 * file descriptor, of which a process has only so many. Any thread.
 *
 * @param evtchn
 *   Receives the handle; left alone when there is one already.
 * @param why
 *   Receives what is wrong on error.
 * @return
 *   0, or the negative errno of opening the device.
 */
__rte_internal
int
xen_evtchn_open(xenevtchn_handle **evtchn, struct xen_reason *why);

/** Close an event channel handle and unbind the ports that are bound through it. Any thread. */
__rte_internal
void
xen_evtchn_close(xenevtchn_handle **evtchn);

/**
 * Does an errno say that this process or this domain has run out of something? Then it is worth
 * trying again later, and no other domain's fault. Any thread.
 *
 * @param err
 *   A positive errno.
 */
__rte_internal
bool
xen_is_shortage(int err);

#endif /* XEN_HYP_H */
