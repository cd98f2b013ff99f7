/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef HOST_MAC_H
#define HOST_MAC_H

/**
 * @file
 * The MAC address of an interface of this domain, which lives as long as the switch does: guests
 * and hosts that talk to it are to find it again behind the next one.
 */

#include <rte_ether.h>

/**
 * The address of the interface with that name: always the same on this machine, and another one on
 * others. It is made from systemd's machine-id(5), and from the name alone where there is none.
 *
 * @return
 *   0; or the negative errno for which there is no machine-id: others have that address, too.
 */
int
host_mac(const char *name, struct rte_ether_addr *mac);

#endif /* HOST_MAC_H */
