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
 * Open an event channel handle (/dev/xen/evtchn). Its file descriptor polls readable when one of
 * the ports bound through it is pending. Any thread.
 *
 * @param evtchn
 *   Receives the handle.
 * @return
 *   0, or the negative errno of opening the device, which is also logged.
 */
__rte_internal
int
xen_evtchn_open(xenevtchn_handle **evtchn);

#endif /* XEN_HYP_H */
