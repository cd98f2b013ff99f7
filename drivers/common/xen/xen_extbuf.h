/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XEN_EXTBUF_H
#define XEN_EXTBUF_H

/**
 * @file
 * External buffers for mbufs of an rx queue: a packet to be segmented in one segment, for an
 * application that looks at no others (Open vSwitch). Such a buffer comes back when the last mbuf
 * that refers to it is freed, also after its queue has gone.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_compat.h>
#include <rte_mbuf.h>

#include "xen_if.h"

/** Buffers of a queue: a ring has slots for 14 of the longest packets; others wait elsewhere. */
#define XEN_EXTBUF_COUNT 64u

/** Bytes of the longest packet that fits: 16 bits tell a buffer's length, its headroom included. */
#define XEN_EXTBUF_ROOM (UINT16_MAX - RTE_PKTMBUF_HEADROOM)

/** The buffers of a queue. */
struct xen_extbufs;

/**
 * Make a queue's buffers.
 *
 * @return
 *   NULL when there is no memory.
 */
struct xen_extbufs *
xen_extbufs_create(unsigned int socket);

/** Let go of them, each as soon as it is back. Any thread; NULL is none. */
void
xen_extbufs_release(struct xen_extbufs *e);

/**
 * Attach a buffer to an mbuf. Any thread.
 *
 * @param e
 *   NULL: there are none.
 * @param m
 *   An empty mbuf. It has room for XEN_EXTBUF_ROOM bytes afterwards, behind the usual headroom.
 * @param first
 *   So many bytes from where the data begins a page begins.
 * @return
 *   False when all buffers are in use.
 */
__rte_internal
bool
xen_extbufs_attach(struct xen_extbufs *e, struct rte_mbuf *m, uint16_t first);

#endif /* XEN_EXTBUF_H */
