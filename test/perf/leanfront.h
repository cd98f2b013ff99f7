/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef LEANFRONT_H
#define LEANFRONT_H

/**
 * @file
 * A guest's end of a vif that costs little beside what it is to measure: its frames are made before
 * and lie in pages that are granted for good, and what comes is counted and not looked at.
 */

#include "rawfront.h"

/** Where a frame begins in its page, and what it may have at most. */
#define LEANFRONT_ROOM 64
#define LEANFRONT_FRAMES_PAGE (XEN_PAGE_BYTES / LEANFRONT_ROOM)

/** Connect to xenstore, for rawfront.h; the program ends without it, saying so. */
void
leanfront_open(void);
void
leanfront_close(void);

struct leanfront {
	struct rawfront raw;
	/* Frames to be sent, which go round; behind their pages are those of buffers. */
	uint32_t nb_frames;
	uint16_t frame_bytes;
};

/**
 * Make the guest's end of a vif of the calling thread's domain, with a page for each slot of the RX
 * ring. Nothing is published.
 *
 * @param split
 *   An event channel for each ring.
 * @param tx_pages
 *   Pages of frames, 1 to RAWFRONT_PAGES - XEN_NETIF_RING_SIZE.
 * @param frame_bytes
 *   What each frame has, up to LEANFRONT_ROOM.
 */
void
leanfront_boot(struct leanfront *f, unsigned int devid, bool split, unsigned int tx_pages,
		uint16_t frame_bytes);

/** Have the vif as new, whatever frontend it has had. Its backend has to be there. */
void
leanfront_leave(struct leanfront *f);

/** Register all its pages with the backend, which is connected and knows of the control ring. */
void
leanfront_register(struct leanfront *f);

/** Address of a frame. */
static inline uint8_t *
leanfront_frame(const struct leanfront *f, uint32_t frame)
{
	return rawfront_page(&f->raw, frame / LEANFRONT_FRAMES_PAGE) +
			frame % LEANFRONT_FRAMES_PAGE * LEANFRONT_ROOM;
}

/** Slots of the TX ring that are free. */
uint32_t
leanfront_room(const struct leanfront *f);

/** Send n frames, which there is room for; the backend is notified if it asks for it. */
void
leanfront_transmit(struct leanfront *f, uint32_t n);

/** Post buffers for all slots that are free; what was in them has come: how many that were. */
uint32_t
leanfront_receive(struct leanfront *f);

#endif /* LEANFRONT_H */
