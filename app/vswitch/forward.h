/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef FORWARD_H
#define FORWARD_H

/**
 * @file
 * Where packets go. All functions are for the worker's lcore.
 */

#include <stdint.h>

#include "worker.h"

/**
 * Send each packet of a burst that has come in by a port where it belongs, or drop it.
 *
 * @return
 *   The bytes that they had when they came in.
 */
uint32_t
forward_burst(struct worker *w, const struct dataplane *dp, uint16_t in, struct rte_mbuf **pkts,
		uint16_t n);

/**
 * Send a packet to all of the ports.
 *
 * @param to
 *   Ports, bit by bit, of the packet's bridge.
 * @param vlan
 *   Its VLAN; only members of it are sent the packet.
 */
void
flood(struct worker *w, const struct dataplane *dp, uint16_t in, struct rte_mbuf *m, uint32_t to,
		uint16_t vlan);

#endif /* FORWARD_H */
