/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* When the other end is notified, on a clock of the test's. */

#include <string.h>

#include "unit.h"
#include "xen_notify.h"

/* Cycles of a microsecond. */
#define USEC UINT64_C(3000)
#define SEC (1000000 * USEC)

static const struct xen_notify_config adaptive = { .adaptive = true, .usec = USEC };

/* A ring, and a guest that asks for an event for the next entry once it has been told. */
struct model {
	struct xen_notify n;
	const struct xen_notify_config *cfg;
	uint64_t now;
	uint32_t published;
	uint32_t event;
	/* Events, and the longest that an entry has waited for one. */
	unsigned int events;
	uint64_t first_untold;
	uint64_t longest;
	/* Events that told of nothing new. */
	unsigned int spurious;
};

static void
model_init(struct model *m, enum xen_notify_kind kind, const struct xen_notify_config *cfg)
{
	memset(m, 0, sizeof(*m));
	xen_notify_init(&m->n, kind);
	m->cfg = cfg;
	m->now = 7 * SEC;
	/* Indices wrap. */
	m->published = m->event = UINT32_MAX - 100;
	m->event++;
}

static void
tell(struct model *m)
{
	m->events++;
	m->spurious += m->event == m->published + 1;
	m->longest = RTE_MAX(m->longest, m->now - m->first_untold);
	m->event = m->published + 1;
}

/* What a burst that has nothing to do with the ring would do. */
static void
poll_until(struct model *m, uint64_t until)
{
	if (m->n.held && xen_notify_due(&m->n, until)) {
		m->now = RTE_MAX(m->n.until, m->now);
		xen_notify_late(&m->n, m->cfg, m->published);
		assert_false(m->n.held);
		tell(m);
	}
	m->now = until;
}

/* Some entries are published after a while. */
static void
publish(struct model *m, uint64_t gap, unsigned int n)
{
	uint32_t old;

	poll_until(m, m->now + gap);
	old = m->n.held ? m->n.base : m->published;
	if (m->event == m->published + 1)
		m->first_untold = m->now;
	m->published += n;
	if ((uint32_t)(m->published - m->event) >= (uint32_t)(m->published - old))
		return;
	if (xen_notify_ask(&m->n, m->cfg, m->published, old, m->event, false, m->now) ==
			XEN_NOTIFY_HOLD)
		assert_true(m->n.held);
	else
		tell(m);
}

/* Entries at a steady rate: how many of them make one event, after it was learned. */
static double
per_event(struct model *m, uint64_t gap, unsigned int burst)
{
	unsigned int i, begin;

	for (i = 0; i < 2000; i++)
		publish(m, gap * burst, burst);
	begin = m->events;
	for (i = 0; i < 20000; i++)
		publish(m, gap * burst, burst);
	return 20000.0 * burst / (m->events - begin);
}

static void
test_rates(void **state __rte_unused)
{
	static const struct {
		enum xen_notify_kind kind;
		/* Packets a second, and of each burst. */
		unsigned int rate;
		unsigned int burst;
		double least;
		double most;
	} cases[] = {
		{ XEN_NOTIFY_PACKETS, 100, 1, 1, 1 },
		{ XEN_NOTIFY_PACKETS, 1000, 1, 1, 1 },
		{ XEN_NOTIFY_PACKETS, 10000, 1, 1, 1 },
		{ XEN_NOTIFY_PACKETS, 100000, 1, 12, 20 },
		{ XEN_NOTIFY_PACKETS, 1000000, 1, 96, 130 },
		{ XEN_NOTIFY_PACKETS, 1000000, 32, 96, 130 },
		{ XEN_NOTIFY_PACKETS, 10000000, 32, 128, 160 },
		{ XEN_NOTIFY_REQUESTS, 100000, 1, 12, 20 },
		{ XEN_NOTIFY_REQUESTS, 10000000, 32, 128, 160 },
		{ XEN_NOTIFY_DONE, 100, 1, 1, 1 },
		{ XEN_NOTIFY_DONE, 10000, 1, 8, 10 },
		{ XEN_NOTIFY_DONE, 100000, 1, 12, 20 },
		{ XEN_NOTIFY_DONE, 10000000, 32, 128, 160 },
		{ XEN_NOTIFY_BUFFERS, 100000, 1, 1, 1 },
		{ XEN_NOTIFY_BUFFERS, 10000000, 32, 32, 32 },
	};
	struct model m;
	unsigned int i;
	double got;

	for (i = 0; i < RTE_DIM(cases); i++) {
		model_init(&m, cases[i].kind, &adaptive);
		got = per_event(&m, SEC / cases[i].rate, cases[i].burst);
		if (got < cases[i].least || got > cases[i].most)
			fail_msg("case %u: %.1f entries an event", i, got);
		assert_int_equal(m.spurious, 0);
		assert_true(m.longest <= 2000 * USEC);
		if (cases[i].kind != XEN_NOTIFY_DONE)
			assert_true(m.longest <= 200 * USEC);
	}
}

/*
 * One packet under way, and answered: the next comes when it has been told of. Whatever the rate,
 * next to none of them may be held.
 */
static void
test_one_in_flight(void **state __rte_unused)
{
	static const unsigned int usecs[] = { 1, 5, 20, 50, 100, 1000 };
	unsigned int i, j, late;
	uint64_t before;
	struct model m;

	for (i = 0; i < RTE_DIM(usecs); i++) {
		model_init(&m, XEN_NOTIFY_PACKETS, &adaptive);
		for (j = 0, late = 0; j < 100000; j++) {
			before = m.now + usecs[i] * USEC;
			publish(&m, usecs[i] * USEC, 1);
			while (m.n.held)
				poll_until(&m, m.now + USEC);
			late += m.now != before;
		}
		/* Far from what a 99th percentile sees. */
		if (late > 100)
			fail_msg("%u us: %u of 100000 late", usecs[i], late);
		assert_int_equal(m.events, 100000);
	}
}

/* A guest that sends finds by itself what is done: as long as it does, it needs no event. */
static void
test_done_is_found(void **state __rte_unused)
{
	struct model m;
	unsigned int i, begin = 0;

	model_init(&m, XEN_NOTIFY_DONE, &adaptive);
	for (i = 0; i < 1000; i++) {
		if (i == 100)
			begin = m.events;
		/* The next packet looks. */
		m.event = m.published + 1;
		publish(&m, 1000 * USEC, 1);
	}
	assert_int_equal(m.events, begin);
	/* And of the last it is told. */
	assert_true(m.n.held);
	poll_until(&m, m.now + 2000 * USEC);
	assert_int_equal(m.events, begin + 1);
	assert_int_equal(m.spurious, 0);
}

/*
 * Pings, each of them answered by a guest as Linux is: it is told of the ping, and finds what is
 * done when it sends the next answer. That is one event for both packets.
 */
static void
test_pings(void **state __rte_unused)
{
	static const unsigned int rates[] = { 1000, 3000, 10000 };
	struct model packets, done;
	unsigned int i, j, events;

	for (i = 0; i < RTE_DIM(rates); i++) {
		model_init(&packets, XEN_NOTIFY_PACKETS, &adaptive);
		model_init(&done, XEN_NOTIFY_DONE, &adaptive);
		for (j = 0; j < 10000; j++) {
			publish(&packets, SEC / rates[i], 1);
			assert_false(packets.n.held);
			done.event = done.published + 1;
			publish(&done, SEC / rates[i], 1);
		}
		events = packets.events + done.events;
		if (events > 10100)
			fail_msg("%u a second: %u events for 10000 pings", rates[i], events);
		assert_int_equal(done.spurious, 0);
	}
}

/* The rate falls: a lone packet is late once at most, and not after a pause. */
static void
test_rate_falls(void **state __rte_unused)
{
	unsigned int i, events;
	struct model m;

	model_init(&m, XEN_NOTIFY_PACKETS, &adaptive);
	per_event(&m, USEC, 1);
	poll_until(&m, m.now + SEC);
	m.longest = 0;
	for (i = 0; i < 100; i++) {
		events = m.events;
		publish(&m, 1000 * USEC, 1);
		assert_int_equal(m.events, events + 1);
	}
	assert_int_equal(m.longest, 0);
}

static void
test_urgent(void **state __rte_unused)
{
	struct model m;
	uint32_t old;

	model_init(&m, XEN_NOTIFY_PACKETS, &adaptive);
	per_event(&m, USEC, 1);
	while (!m.n.held)
		publish(&m, USEC, 1);
	old = m.n.base;
	assert_int_equal(xen_notify_ask(&m.n, m.cfg, ++m.published, old, m.event, true, m.now),
			XEN_NOTIFY_FULL);
	assert_false(m.n.held);
	assert_int_equal(xen_notify_ask(&m.n, m.cfg, m.published + 1, m.published, m.published + 1,
					 true, m.now),
			XEN_NOTIFY_NOW);
	assert_false(m.n.held);
}

static void
test_fixed(void **state __rte_unused)
{
	static const struct xen_notify_config fixed = { .count = 8, .cycles = 100 * USEC };
	static const struct xen_notify_config immediate = { .count = 1 };
	struct model m;
	unsigned int i;

	model_init(&m, XEN_NOTIFY_PACKETS, &fixed);
	assert_true(per_event(&m, USEC, 1) == 8);
	assert_true(m.longest <= 7 * USEC);
	/* As long as it may be: nothing is learned. */
	for (i = 0; i < 100; i++)
		publish(&m, 1000 * USEC, 1);
	assert_true(m.n.held);
	assert_true(m.longest == 100 * USEC);
	/* A backend that asks for buffers waits for them. */
	model_init(&m, XEN_NOTIFY_BUFFERS, &fixed);
	assert_true(per_event(&m, USEC, 1) == 1);
	model_init(&m, XEN_NOTIFY_DONE, &immediate);
	assert_true(per_event(&m, USEC, 1) == 1);
	assert_true(per_event(&m, USEC, 32) == 32);
	assert_true(m.longest == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_one_in_flight),
		cmocka_unit_test(test_done_is_found),
		cmocka_unit_test(test_pings),
		cmocka_unit_test(test_rate_falls),
		cmocka_unit_test(test_urgent),
		cmocka_unit_test(test_fixed),
	};

	return cmocka_run_group_tests_name("notify", tests, NULL, NULL);
}
