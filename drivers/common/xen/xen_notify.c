/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <rte_common.h>
#include <rte_cycles.h>

#include "xen_compat.h"
#include "xen_netif_queue.h"
#include "xen_notify.h"

/* How long entries may wait, and the most that may: half a ring. */
#define WAIT_USEC 200u
#define COUNT_MAX (XEN_NETIF_RING_SIZE / 2)
/*
 * What is done may wait for longer where little is: the next packet of the other end finds it. But
 * a sender that has two packets under way waits for it, so it is never many gaps.
 */
#define DONE_USEC 2000u
#define DONE_GAPS 10u
#define DONE_COUNT 8u
/* How many go at once after a hold that was in vain: at first, and at last. */
#define BACKOFF_MIN 8u
#define BACKOFF_MAX 4096u
/* Looks that a gap is averaged over, more or less. */
#define GAP_WEIGHT 8
/* Cycles; a part of a second. */
#define GAP_MAX (UINT64_C(1) << 30)
/* Buffers that the other end may still have, or room, when it has to be told. */
#define URGENT_BELOW (XEN_NETIF_RING_SIZE / 4)

void
xen_notify_init(struct xen_notify *n, enum xen_notify_kind kind)
{
	*n = (struct xen_notify){ .kind = kind, .backoff = BACKOFF_MIN };
}

/* Cycles from entry to entry, on average: one long pause outweighs many short ones. */
static void
learn(struct xen_notify *n, uint32_t published, uint32_t old, uint64_t now)
{
	uint32_t entries = published - (n->seen_at != 0 ? n->seen : old);
	int64_t gap = RTE_MIN((now - n->seen_at) / RTE_MAX(entries, 1u), GAP_MAX);

	n->seen_at = now;
	n->gap += (gap - (int64_t)n->gap) / GAP_WEIGHT;
}

/* How many entries come in so long; four fifths of them are sure to. */
static uint32_t
entries_in(const struct xen_notify *n, uint64_t cycles)
{
	return RTE_MIN(cycles * 4 / 5 / RTE_MAX(n->gap, 1u), COUNT_MAX);
}

static void
set_until(struct xen_notify *n, uint64_t until)
{
	__atomic_store_n(&n->until, until, __ATOMIC_RELAXED);
}

/* Hold the next one back? Not when nothing comes that could go with it. */
static bool
may_hold(struct xen_notify *n, const struct xen_notify_config *cfg, uint64_t now)
{
	uint64_t cycles = WAIT_USEC * cfg->usec;

	if (n->kind == XEN_NOTIFY_BUFFERS)
		return false;
	if (!cfg->adaptive) {
		n->count = cfg->count;
		set_until(n, now + cfg->cycles);
		return n->count > 1;
	}
	if (n->skip != 0) {
		n->skip--;
		return false;
	}
	n->count = entries_in(n, cycles);
	if (n->kind == XEN_NOTIFY_DONE && n->count < DONE_COUNT) {
		cycles = RTE_MIN((uint64_t)DONE_GAPS * n->gap, DONE_USEC * cfg->usec);
		n->count = cycles > n->gap ? DONE_COUNT : 0;
	}
	set_until(n, now + cycles);
	return n->count > 1;
}

/* What was held goes. If less has come than was expected, the other end may have waited for it. */
static void
judge(struct xen_notify *n, const struct xen_notify_config *cfg, bool full)
{
	xen_notify_drop(n);
	if (!cfg->adaptive)
		return;
	if (full) {
		n->backoff = RTE_MAX(n->backoff / 2u, BACKOFF_MIN);
	} else {
		n->skip = n->backoff;
		n->backoff = RTE_MIN(n->backoff * 2u, BACKOFF_MAX);
	}
}

enum xen_notify_verdict
xen_notify_ask(struct xen_notify *n, const struct xen_notify_config *cfg, uint32_t published,
		uint32_t old, uint32_t event, bool urgent, uint64_t now)
{
	uint32_t waiting = published - event + 1;

	if (cfg->adaptive)
		learn(n, published, old, now);
	n->seen = published;
	/* It has looked meanwhile, and asks for what came after. */
	if (n->held && n->event != event)
		xen_notify_drop(n);
	if (!n->held) {
		if (!may_hold(n, cfg, now) || waiting >= n->count || urgent)
			return XEN_NOTIFY_NOW;
		n->base = old;
		n->event = event;
		__atomic_store_n(&n->held, true, __ATOMIC_RELAXED);
		return XEN_NOTIFY_HOLD;
	}
	if (waiting >= n->count || urgent) {
		judge(n, cfg, true);
		return XEN_NOTIFY_FULL;
	}
	if (!xen_notify_due(n, now))
		return XEN_NOTIFY_HOLD;
	xen_notify_late(n, cfg, published);
	return XEN_NOTIFY_LATE;
}

void
xen_notify_late(struct xen_notify *n, const struct xen_notify_config *cfg, uint32_t published)
{
	uint32_t waiting = published - n->event + 1;

	judge(n, cfg, waiting * 2 > n->count);
}

/* Is a frontend about to be without buffers, or without room for requests? */
static bool
is_urgent(const struct xen_netif_ring *ring, uint32_t published, uint32_t event)
{
	/* All rings begin with the same indices. */
	uint32_t prod = __atomic_load_n(&ring->sring.tx->req_prod, __ATOMIC_RELAXED);

	switch (ring->notify.kind) {
	case XEN_NOTIFY_PACKETS:
		return prod - published < URGENT_BELOW;
	case XEN_NOTIFY_DONE:
		return prod - event >= XEN_NETIF_RING_SIZE - URGENT_BELOW;
	default:
		return false;
	}
}

/* Have the ring looked at by bursts, or no longer. */
static void
mark_held(struct xen_netif_ring *ring)
{
	struct xen_netif_rings *rings = ring->rings;
	uint64_t bit = RTE_BIT64(ring->id + (ring >= rings->tx ? XEN_NETIF_QUEUES_MAX : 0));

	if (ring->notify.held)
		__atomic_fetch_or(&rings->held, bit, __ATOMIC_RELAXED);
	else
		__atomic_fetch_and(&rings->held, ~bit, __ATOMIC_RELAXED);
}

static void
carry_out(struct xen_netif_ring *ring, enum xen_notify_verdict verdict)
{
	switch (verdict) {
	case XEN_NOTIFY_HOLD:
		return;
	case XEN_NOTIFY_FULL:
		xen_count_add(&ring->count.notify_full, 1);
		break;
	case XEN_NOTIFY_LATE:
		xen_count_add(&ring->count.notify_late, 1);
		break;
	case XEN_NOTIFY_NOW:
		break;
	}
	xen_count_add(&ring->count.notify_sent, 1);
	xenevtchn_notify(ring->evtchn, ring->port);
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_netif_notify_wanted)
void
xen_netif_notify_wanted(struct xen_netif_ring *ring, const uint32_t *event, uint32_t published,
		uint32_t old)
{
	struct xen_notify *n = &ring->notify;
	uint32_t from = n->held ? n->base : old, asked;
	bool held = n->held;

	ring->event = event;
	if (!xen_ring_asked(event, published, from, &asked)) {
		xen_count_add(&ring->count.notify_suppressed, 1);
		xen_count_add(&ring->count.notify_cancelled, held);
		xen_notify_drop(n);
	} else {
		/* It has looked meanwhile, and asks for what came after. */
		xen_count_add(&ring->count.notify_cancelled, held && n->event != asked);
		carry_out(ring,
				xen_notify_ask(n, &ring->rings->notify, published, from, asked,
						is_urgent(ring, published, asked),
						rte_get_tsc_cycles()));
	}
	if (held != n->held)
		mark_held(ring);
}

/*
 * What was held goes, if it is still asked for: as it is late, or for a reason of our own, which
 * says nothing about what the other end waits for. With the ring's lock held.
 */
static void
release(struct xen_netif_ring *ring, bool late)
{
	struct xen_notify *n = &ring->notify;
	uint32_t asked;

	if (xen_ring_asked(ring->event, n->seen, n->base, &asked)) {
		if (late)
			xen_notify_late(n, &ring->rings->notify, n->seen);
		else
			xen_notify_drop(n);
		carry_out(ring, XEN_NOTIFY_LATE);
	} else {
		xen_count_add(&ring->count.notify_cancelled, 1);
		xen_notify_drop(n);
	}
	mark_held(ring);
}

void
xen_netif_notify_init(struct xen_netif_ring *ring)
{
	xen_notify_init(&ring->notify, ring->notify.kind);
	mark_held(ring);
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_netif_notify_flush)
void
xen_netif_notify_flush(struct xen_netif_ring *ring)
{
	if (ring->notify.held)
		release(ring, false);
}

/* By its bit in what is held. */
static struct xen_netif_ring *
held_ring(struct xen_netif_rings *rings, unsigned int bit)
{
	return bit < XEN_NETIF_QUEUES_MAX ? &rings->rx[bit] :
					    &rings->tx[bit - XEN_NETIF_QUEUES_MAX];
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_netif_notify_poll)
void
xen_netif_notify_poll(struct xen_netif_rings *rings)
{
	uint64_t held = __atomic_load_n(&rings->held, __ATOMIC_RELAXED);
	uint64_t now = rte_get_tsc_cycles();
	struct xen_netif_ring *ring;

	for (; held != 0; held &= held - 1) {
		ring = held_ring(rings, rte_bsf64(held));
		/* Whoever has it is at work with it. */
		if (!xen_notify_due(&ring->notify, now) || !rte_spinlock_trylock(&ring->lock))
			continue;
		if (ring->notify.held && xen_notify_due(&ring->notify, now))
			release(ring, true);
		rte_spinlock_unlock(&ring->lock);
	}
}

void
xen_netif_notify_flush_all(struct xen_netif_rings *rings)
{
	uint64_t held = __atomic_load_n(&rings->held, __ATOMIC_RELAXED);
	struct xen_netif_ring *ring;

	for (; held != 0; held &= held - 1) {
		ring = held_ring(rings, rte_bsf64(held));
		rte_spinlock_lock(&ring->lock);
		xen_netif_notify_flush(ring);
		rte_spinlock_unlock(&ring->lock);
	}
}
