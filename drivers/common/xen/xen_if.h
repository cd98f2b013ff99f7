/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XEN_IF_H
#define XEN_IF_H

/**
 * @file
 * Xen's public headers, and the constants of its interfaces that they leave to prose.
 */

#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/io/netif.h>
#include <xen/io/ring.h>
#include <xen/io/xenbus.h>

/** The last id of a domain: those from DOMID_FIRST_RESERVED (xen.h) on have special meanings. */
#define XEN_DOMID_MAX (DOMID_FIRST_RESERVED - 1)

/** Event channel ports end with those of the FIFO ABI (EVTCHN_FIFO_NR_CHANNELS). */
#define XEN_EVTCHN_PORT_MAX ((1u << 17) - 1)

/** Bytes of a Xen page, whatever the page size of this domain. */
#define XEN_PAGE_BYTES 4096u

/** Entries of a TX or an RX ring: one page each, netif.h knows no larger ring. */
#define XEN_NETIF_RING_SIZE 256u
#define XEN_NETIF_RING_MASK (XEN_NETIF_RING_SIZE - 1)

/** Entries of a control ring, which is a page as well. */
#define XEN_NETIF_CTRL_RING_SIZE 128u
#define XEN_NETIF_CTRL_RING_MASK (XEN_NETIF_CTRL_RING_SIZE - 1)

/** Data slots of one packet that every peer has to accept (XEN_NETIF_NR_SLOTS_MIN of netif.h). */
#define XEN_NETIF_SLOTS_MIN 18u

/** Longest packet of the protocol in bytes (XEN_NETIF_MAX_TX_SIZE of netif.h). */
#define XEN_NETIF_PKT_MAX 0xFFFFu

/**
 * Linux alone has XDP in the protocol: the backend's feature-xdp-headroom, the frontend's
 * xdp-headroom of so many bytes at most, and extra info of a type of its own that says at which
 * offset of its page a packet for the guest begins: a uint16_t, the first of the union u.
 */
#define XEN_NETIF_HEADROOM_MAX 0x7FFFu
#define XEN_NETIF_EXTRA_TYPE_XDP 5

#endif /* XEN_IF_H */
