/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XENVIF_RUN_H
#define XENVIF_RUN_H

/**
 * @file
 * A run: the packets at the start of a burst that are one good slot, one mbuf and nothing else. Of
 * these the batch has a copy segment each and no more; or nothing, of a guest that has registered
 * pages, whose packets are copied here as long as they are in these. Their responses stand in the
 * ring at once, for it is not the guest's before they are published; only a copy that fails changes
 * them.
 */

#include "xenvif_put.h"
#include "xenvif_take.h"

/** A request's flags that ask for something to be done about the checksum. */
#define XENVIF_CSUM_FLAGS (NETTXF_csum_blank | NETTXF_data_validated)

/**
 * Take the run off a guest's TX ring. By rx_ring() alone, first of all.
 *
 * @param pkts
 *   Receives their mbufs.
 * @param[out] csum
 *   Whether any of them has XENVIF_CSUM_FLAGS.
 * @return
 *   How many.
 */
uint16_t
xenvif_run_take(struct xenvif_rx_walk *w, struct rte_mbuf **pkts, bool *csum);

/**
 * Put the run into buffers that the guest has posted. By send_packets() alone, first of all.
 *
 * @param max
 *   Bytes of a packet that needs nothing but a copy.
 * @return
 *   How many.
 */
uint16_t
xenvif_run_put(struct xenvif_tx_walk *w, struct rte_mbuf **pkts, uint16_t nb_pkts, uint16_t max);

#endif /* XENVIF_RUN_H */
