/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef GUARDED_H
#define GUARDED_H

/**
 * @file
 * A locked port, and verdicts on its packets: the same one however a packet is cut into segments.
 */

#include "bed.h"
#include "guard.h"
#include "packet.h"

/** MAC(OWN) is the port's, and so are 10.0.0.1, 10.0.0.2, fd00::1 and fe80::...:1. */
#define OWN 1
#define OTHER 2
#define OWN_IP IP4(10, 0, 0, 1)
#define OTHER_IP IP4(10, 0, 0, 3)

extern struct dp_port guarded;

/** Lock the port. */
void
guarded_lock(enum guard_lock lock);

/** The verdict on a packet: fails when it depends on how the packet is cut. */
int
guarded_verdict(const struct packet *p);

#define assert_passes(p) assert_int_equal(guarded_verdict(p), GUARD_PASSES)
#define assert_refused(p, reason) assert_int_equal(guarded_verdict(p), reason)

/** A packet that is refused is so too when its end is missing, from so many bytes on. */
void
guarded_never_passes(const struct packet *p, uint32_t from);

/** Cut at the end nothing bad happens, whatever the verdict. */
void
guarded_survives(const struct packet *p);

#endif /* GUARDED_H */
