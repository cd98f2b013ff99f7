/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XEN_MCAST_H
#define XEN_MCAST_H

/**
 * @file
 * A list of multicast addresses, which some thread changes while lcores look into it: an address is
 * one word, written as a whole, which stays in its place. That needs no library for 64 of them.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_compat.h>
#include <rte_ether.h>
#include <rte_spinlock.h>

/** Addresses of a list: as many as xen-netback lets a guest have. */
#define XEN_MCAST_MAX 64u

/** A list. All zero: empty. */
struct xen_mcast {
	/** Orders those who change the list. */
	rte_spinlock_t lock;
	/** Places that have been used. Atomically. */
	uint32_t used;
	/** A word each, see xen_mcast_word(), or 0: the place is free. Atomically. */
	uint64_t addr[XEN_MCAST_MAX];
};

/** A multicast address as a word, which is never 0. Any thread. */
__rte_internal
uint64_t
xen_mcast_word(const struct rte_ether_addr *addr);

/** The address of a word. Any thread. */
__rte_internal
struct rte_ether_addr
xen_mcast_addr(uint64_t word);

/** Is the address in the list? Any thread, also an lcore. */
__rte_internal
bool
xen_mcast_has(const struct xen_mcast *mcast, uint64_t word);

/** Add an address, if it is not there. False when the list is full. Any thread. */
__rte_internal
bool
xen_mcast_add(struct xen_mcast *mcast, uint64_t word);

/** Delete an address, if it is there. Any thread. */
__rte_internal
void
xen_mcast_del(struct xen_mcast *mcast, uint64_t word);

/** Empty the list. Any thread. */
__rte_internal
void
xen_mcast_clear(struct xen_mcast *mcast);

/**
 * Go through those addresses of a list that another one lacks. Any thread; addresses that are
 * added or deleted meanwhile are found or not.
 *
 * @param i
 *   Where to go on; 0: begin. Moved on.
 * @return
 *   The word of one; 0: there is none any more.
 */
__rte_internal
uint64_t
xen_mcast_next_beyond(const struct xen_mcast *mcast, const struct xen_mcast *other, uint32_t *i);

#endif /* XEN_MCAST_H */
