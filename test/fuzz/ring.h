/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef FUZZ_RING_H
#define FUZZ_RING_H

/**
 * @file
 * A shared page with a ring, whose slots outside of what is published can be hidden.
 */

#include <sanitizer/asan_interface.h>

#include "xen_notify.h"
#include "xen_ring.h"

/** A ring's page. */
union fuzz_page {
	struct netif_tx_sring tx;
	struct netif_rx_sring rx;
	uint8_t bytes[XEN_PAGE_BYTES];
} __attribute__((aligned(XEN_PAGE_BYTES)));

/** Notifications that are held back for the time of some bursts. */
static inline struct xen_notify_config
fuzz_notify(bool adaptive)
{
	return (struct xen_notify_config){
		.adaptive = adaptive,
		.count = 4,
		.cycles = 10000,
		.usec = 100,
	};
}

/**
 * Make AddressSanitizer's of all slots but [cons, prod): who reads them has gone too far.
 *
 * @param first
 *   Where the slots begin in the page.
 * @param size
 *   Bytes of a slot.
 */
static inline void
fuzz_hide(const union fuzz_page *page, size_t first, size_t size, uint32_t cons, uint32_t prod)
{
	uint32_t i;

	for (i = prod; i != cons + XEN_NETIF_RING_SIZE; i++)
		ASAN_POISON_MEMORY_REGION(page->bytes + first + (i & XEN_NETIF_RING_MASK) * size,
				size);
	for (i = cons; i != prod; i++)
		ASAN_UNPOISON_MEMORY_REGION(page->bytes + first + (i & XEN_NETIF_RING_MASK) * size,
				size);
}

/** Show all of the page again. */
static inline void
fuzz_show(const union fuzz_page *page)
{
	ASAN_UNPOISON_MEMORY_REGION(page, sizeof(*page));
}

#endif /* FUZZ_RING_H */
