/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XEN_NOTIFY_H
#define XEN_NOTIFY_H

/**
 * @file
 * When the other end of a ring is told of what was published. What is published can be seen at
 * once; the event that makes the other end look may be held back, until so many entries wait for
 * it or the oldest has waited so long. Nothing here knows a ring or a clock: an lcore gives what it
 * has read, with the ring's lock held. doc/guides/design.rst says why the numbers are what they
 * are.
 */

#include <stdbool.h>
#include <stdint.h>

/** How the notifications of a port are held back, as the devarg notify= has it. */
struct xen_notify_config {
	/** By each ring's rate, or else by what follows. */
	bool adaptive;
	/** Entries that may wait: 1 is none, and sends at once. */
	uint32_t count;
	/** How long they may, in cycles of the TSC. */
	uint64_t cycles;
	/** Cycles of a microsecond. */
	uint64_t usec;
};

/** What the entries of a ring are to the other end. */
enum xen_notify_kind {
	/** Packets in a frontend's buffers. */
	XEN_NOTIFY_PACKETS,
	/** A frontend's requests that are done with. */
	XEN_NOTIFY_DONE,
	/** Requests of a frontend. */
	XEN_NOTIFY_REQUESTS,
	/** Buffers of a frontend: a backend that asks for them waits. Never held back. */
	XEN_NOTIFY_BUFFERS,
};

/** What is known of a ring. */
struct xen_notify {
	/** A notification is held back. Written with the ring's lock held, read by anybody. */
	bool held;
	uint8_t kind;
	/** How many entries may wait for it, and until when; that is read by anybody, too. */
	uint16_t count;
	uint64_t until;
	/** While it is held: all up to here has been told; what the other end asked for. */
	uint32_t base;
	uint32_t event;
	/** The index at the last look. */
	uint32_t seen;
	/** Adaptive: cycles from entry to entry, and when that was last looked at. */
	uint32_t gap;
	uint64_t seen_at;
	/** Adaptive: the next so many go at once; and so many more when it was in vain again. */
	uint16_t skip;
	uint16_t backoff;
};

/** What to do about an event that the other end has asked for. */
enum xen_notify_verdict {
	/** Hold it back. */
	XEN_NOTIFY_HOLD,
	/** Send it: it is not to be held back, enough entries wait for it, or for long enough. */
	XEN_NOTIFY_NOW,
	XEN_NOTIFY_FULL,
	XEN_NOTIFY_LATE,
};

/** Begin anew: nothing is held, nothing known of the rate. */
void
xen_notify_init(struct xen_notify *n, enum xen_notify_kind kind);

/**
 * Entries were published, and the other end wants an event for some of them.
 *
 * @param published
 *   The index that was published.
 * @param old
 *   The index before that, or n->base while a notification is held.
 * @param event
 *   What the other end asks for: an index in (old, published].
 * @param urgent
 *   It is about to be without room or buffers.
 * @param now
 *   TSC.
 * @return
 *   Except for XEN_NOTIFY_HOLD nothing is held any more.
 */
enum xen_notify_verdict
xen_notify_ask(struct xen_notify *n, const struct xen_notify_config *cfg, uint32_t published,
		uint32_t old, uint32_t event, bool urgent, uint64_t now);

/** Has what is held to go by now? */
static inline bool
xen_notify_due(const struct xen_notify *n, uint64_t now)
{
	return (int64_t)(now - __atomic_load_n(&n->until, __ATOMIC_RELAXED)) >= 0;
}

/**
 * What was held back goes, as it has waited long enough.
 *
 * @param published
 *   The index that is published.
 */
void
xen_notify_late(struct xen_notify *n, const struct xen_notify_config *cfg, uint32_t published);

/** The other end has seen by itself what was held back, or the ring goes. */
static inline void
xen_notify_drop(struct xen_notify *n)
{
	__atomic_store_n(&n->held, false, __ATOMIC_RELAXED);
}

#endif /* XEN_NOTIFY_H */
