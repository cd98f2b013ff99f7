/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef CTRL_H
#define CTRL_H

/**
 * @file
 * A vif whose guest has a control ring, and what it sets by it.
 */

#include "vif.h"
#include "xen_hash.h"

/* Messages and statuses by short names. */
#define GET_FLAGS XEN_NETIF_CTRL_TYPE_GET_HASH_FLAGS
#define SET_FLAGS XEN_NETIF_CTRL_TYPE_SET_HASH_FLAGS
#define SET_KEY XEN_NETIF_CTRL_TYPE_SET_HASH_KEY
#define GET_SIZE XEN_NETIF_CTRL_TYPE_GET_HASH_MAPPING_SIZE
#define SET_SIZE XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE
#define SET_MAPPING XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING
#define SET_ALGORITHM XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM
#define NONE XEN_NETIF_CTRL_HASH_ALGORITHM_NONE
#define TOEPLITZ XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ
#define OKAY XEN_NETIF_CTRL_STATUS_SUCCESS
#define UNSUPPORTED XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED
#define INVALID XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER
#define OVERFLOW XEN_NETIF_CTRL_STATUS_BUFFER_OVERFLOW

/* Data pages that hold the key and entries of a mapping. */
#define CTRL_PAGE_KEY 500
#define CTRL_PAGE_MAPPING 501

/** Queues of the guest. */
#define CTRL_QUEUES 4

/** A key of zeros, as a dump shows it; and what that says before any message. */
#define NO_KEY \
	"0000000000000000000000000000000000000000000000000000000000000000000000000000" \
	"0000"
#define HASH_NONE "hash: none, types, key " NO_KEY ", mapping of 0:"

/** For cmocka: *state is a connected vif, with as many queues of the application. */
int
ctrl_setup(void **state);

#define ctrl_test(fn) cmocka_unit_test_setup_teardown(fn, ctrl_setup, vif_teardown)

/** What a dump says of the hash: empty when there is no control ring. Not for several threads. */
const char *
ctrl_hash(const struct vif *v);

/** The same of any port. */
const char *
ctrl_port_hash(uint16_t port);

/** The page of the entries of a mapping. */
uint32_t *
ctrl_entries(struct vif *v);

/** Send a request, and wait for its status. */
uint32_t
ctrl_call(struct vif *v, uint16_t type, uint32_t data0, uint32_t data1, uint32_t data2);

/** Set all that there is, with a key and a mapping of 8 entries. */
void
ctrl_set_all(struct vif *v);

#endif /* CTRL_H */
