/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef PAIRS_H
#define PAIRS_H

/** @file A bridge of the test bed, with the number 1: two uplinks and two guests. */

#include "bed.h"
#include "packet.h"

#define UPLINK 0
#define UPLINK2 1
#define GUEST 2
#define GUEST2 3

/** Add its ports. */
static inline void
make_pairs(void)
{
	bed_port(UPLINK, 1);
	bed_port(UPLINK2, 1);
	bed_guest(GUEST, 1, MAC(GUEST), GUARD_MAC, 0);
	bed_guest(GUEST2, 1, MAC(GUEST2), GUARD_MAC, 0);
}

#endif /* PAIRS_H */
