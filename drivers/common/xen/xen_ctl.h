/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XEN_CTL_H
#define XEN_CTL_H

/**
 * @file
 * What only the hypervisor knows of a domain, by libxenctrl: where that is installed in the version
 * of the running Xen, and this domain is permitted to ask. Everywhere else nothing is known.
 *
 * The library is the control thread's, as the connection to xenstore is: loaded with the first
 * question, and unloaded when the thread ends.
 */

#include <stdint.h>

/**
 * Does a domain live? Control thread.
 *
 * @return
 *   1; 0 when there is none, or it is dead and somebody holds its memory; -ENOTSUP when that is not
 *   known.
 */
int
xen_ctl_domain_alive(uint32_t domid);

/**
 * The NUMA node that a domain's memory is on, as Xen counts them. Control thread.
 *
 * @return
 *   The node; -ENOTSUP when that is not known, or there are several.
 */
int
xen_ctl_domain_node(uint32_t domid);

/** Unload the library; a later question loads it again. Control thread. */
void
xen_ctl_close(void);

#endif /* XEN_CTL_H */
