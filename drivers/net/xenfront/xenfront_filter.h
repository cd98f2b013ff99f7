/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XENFRONT_FILTER_H
#define XENFRONT_FILTER_H

/**
 * @file
 * Multicast that the application does not want need not be sent by the backend (netif.h,
 * "request-multicast-control"). The port's own filters work in any case: this spares both ends the
 * packets that these would drop.
 */

#include <ethdev_driver.h>

#include "xenfront_mcast.h"

struct xenfront;

/** How far the backend's filter is what the port's filters are. */
struct xenfront_filter {
	/** Changes with each list of the application's. Atomically. */
	uint32_t lists;

	/* The rest is the control thread's. */
	uint32_t seen_lists;
	struct xenfront_mcast mcast;
	/* The backend filters, as far as is known. */
	bool requested;
	/* It has not answered for too long; when that is. */
	bool late;
	uint64_t until_ms;
};

/** A connection is to be made: with the backend's filter from the beginning? Control thread. */
void
xenfront_filter_prepare(struct xenfront *front);

/** Bring what has changed to the backend of a connection. Control thread. */
void
xenfront_filter_step(struct xenfront *front);

/**
 * Is more multicast wanted than a backend sends that reads what is wanted only when it connects?
 * Control thread.
 */
bool
xenfront_filter_misfit(const struct xenfront *front);

/* See set_mc_addr_list in struct eth_dev_ops. */
int
xenfront_filter_mc_list_set(struct rte_eth_dev *dev, struct rte_ether_addr *list, uint32_t nb);

#endif /* XENFRONT_FILTER_H */
