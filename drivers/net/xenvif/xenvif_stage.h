/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XENVIF_STAGE_H
#define XENVIF_STAGE_H

/**
 * @file
 * Pages for packets that are cut once they are copied: each slot is copied to the same place in a
 * page of its own, and is one copy operation. The process has as many stages as lcores use at once.
 */

#include <stdint.h>

#include "xen_if.h"

/** Pages of a stage: the longest packet several times, and a whole number of hypercalls. */
#define XENVIF_STAGE_PAGES 64u

/** A stage, while a burst uses it. */
struct xenvif_stage {
	struct xenvif_stage *next;
	uint8_t *pages;
};

/** Have a stage for one more rx queue. 0 or -ENOMEM. Any thread. */
int
xenvif_stage_reserve(void);

/** Undo xenvif_stage_reserve(). Any thread. */
void
xenvif_stage_release(void);

/** Take a stage; NULL when all are in use. Any thread. */
struct xenvif_stage *
xenvif_stage_get(void);

/** Give it back. Any thread. */
void
xenvif_stage_put(struct xenvif_stage *stage);

#endif /* XENVIF_STAGE_H */
