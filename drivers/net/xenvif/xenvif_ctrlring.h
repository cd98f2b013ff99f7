/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XENVIF_CTRLRING_H
#define XENVIF_CTRLRING_H

/**
 * @file
 * The control ring, by which a guest asks for more than xenstore has room for (netif.h, "Control
 * ring"): the control thread answers its requests. xenvif_ring.c maps it.
 */

#include "xenvif.h"

/** Requests that are answered at most before other vifs have their turn (XSA-332). */
#define XENVIF_CTRL_ROUND 32u

/** Of these, what a request about pages counts for, and each mapping that it has made anew. */
#define XENVIF_CTRL_GRANTS_WORK (XENVIF_CTRL_ROUND / 4)

/**
 * Answer what the guest has requested; if there is a control ring and it is not broken. What is
 * left over makes for another evaluation; the event channel is unmasked when nothing is. Control
 * thread.
 */
void
xenvif_ctrlring_serve(struct xenvif *vif);

#endif /* XENVIF_CTRLRING_H */
