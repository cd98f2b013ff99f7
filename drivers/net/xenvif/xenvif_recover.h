/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XENVIF_RECOVER_H
#define XENVIF_RECOVER_H

/**
 * @file
 * What a backend leaves in the rings when it is killed amid a burst. A response takes its request's
 * place, grant reference first, and counts once rsp_prod says so: slots behind rsp_prod may hold
 * what is no request any more. They are the first ones, as a burst answers in ring order.
 *
 * Answering them as errors gives the guest its pages back. Taken for requests, each would cost
 * another packet, or name a page that the guest has granted for something else.
 *
 * For a ring that is mapped and not attached yet. Control thread.
 */

#include "xen_netif_queue.h"

/** Slots of a vif that were answered, of the guest's TX rings and of its RX rings. */
struct xenvif_recovered {
	uint32_t requests;
	uint32_t buffers;
};

/**
 * Answer the packets at the begin of a guest's TX ring that were answered already and not told of:
 * the application that had them is dead. A guest whose ids are its references loses all that wait.
 *
 * @return
 *   Slots that were answered; 0 to XEN_NETIF_RING_SIZE.
 */
uint32_t
xenvif_recover_rx(struct xen_netif_ring *ring);

/**
 * Hand back the buffers at the begin of a guest's RX ring that the hypervisor does not let anybody
 * copy from.
 *
 * @return
 *   Slots that were answered; 0 to XEN_NETIF_RING_SIZE.
 */
uint32_t
xenvif_recover_tx(struct xen_netif_ring *ring, xengnttab_handle *gnttab);

#endif /* XENVIF_RECOVER_H */
