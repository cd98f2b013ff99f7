/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef COPIED_H
#define COPIED_H

/** @file Ports on the test bed whose packets are copied, and what they are given to send. */

#include <stdint.h>

#include <rte_mbuf.h>

#include "copies.h"
#include "dataplane.h"

#define COPIED_SENT_MAX 1024
/** The queue that packets come in by. */
#define COPIED_QUEUE 7

/** What a port has taken, and how many it takes. */
struct copied_sent {
	struct rte_mbuf *pkts[COPIED_SENT_MAX];
	unsigned int n;
	unsigned int room;
};

extern struct copied_sent copied_sent[RTE_MAX_ETHPORTS];
/** Who gets copies of what comes in, and of what goes out by the port that a test makes so. */
extern struct dp_copies copied_rx, copied_tx;

/** Add a port. */
struct dp_port *
copied_port(uint16_t port);

/** Free what a port was given to send; fail unless so many were. */
void
copied_expect(uint16_t port, unsigned int n);

/** A packet of so many bytes. */
struct rte_mbuf *
copied_make(uint32_t len);

/** A packet comes in, and is forgotten. */
void
copied_receive(struct rte_mbuf *m);

#endif /* COPIED_H */
