/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef BYSTANDER_H
#define BYSTANDER_H

/**
 * @file
 * A vif of another guest (domain 2) in the same process, whose traffic goes on while a test does
 * something to its own vif: not a packet of it may be lost, and its link may not go down.
 */

/** Make the bystander; its traffic runs whenever the test waits (unit_idle_hook). */
void
bystander_start(void);

/** One round of packets both ways, each of which has to arrive as it was sent. */
void
bystander_run(void);

/** Check that nothing happened to it, and remove it. */
void
bystander_stop(void);

/** Packets so far, each way. */
unsigned long
bystander_packets(void);

#endif /* BYSTANDER_H */
