/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * Packets that have waited too long. Each case has a vif of its own, and all of them wait at the
 * same time, whichever test is being run: the driver's times are those of its users. It looks when
 * the test does, and of a time without a look only the beginning counts.
 */

#include <rte_cycles.h>

#include "lane.h"
#include "xenvif_wait.h"

/* By how much clocks may differ, and how late the driver may be, which is looked at more often. */
#define SLACK_MS 500
#define LIMIT_MS 240000u

/* Slots of the longest packet. */
#define BIG 65535u
#define BIG_SLOTS 16

struct late {
	void (*step)(struct late *c);
	unsigned int queues;
	struct vif v;
	struct lane lane;
	/* What the case does next, and since when it waits for that. */
	unsigned int phase;
	uint64_t since;
	uint64_t counted;
	/* Of the case's own use. */
	uint64_t other;
	uint32_t lost;
	bool done;
};

/* What counts of the time, in milliseconds. */
static uint64_t
counted_ms(void)
{
	static uint64_t clock, looked;
	uint64_t now = rte_get_tsc_cycles(), hz = rte_get_tsc_hz();

	clock += RTE_MIN(now - looked, hz / 1000 * XENVIF_WAIT_STEP_MS);
	looked = now;
	return clock * 1000 / hz;
}

static void
next_phase(struct late *c)
{
	c->phase++;
	c->since = unit_now_ms();
	c->counted = counted_ms();
}

/* Is it this long since the phase began, beyond doubt? */
static bool
is_due(const struct late *c, uint64_t ms)
{
	return counted_ms() - c->counted > ms + SLACK_MS;
}

/*
 * Look at the vif, and find out whether something has happened to packets that have waited since
 * the phase began: not before the time, and at the first look after it.
 */
static bool
look_for(struct late *c, const char *what, uint64_t ms)
{
	bool due = is_due(c, ms);
	uint64_t n;

	vif_flush_by_rx(&c->v, 0);
	n = vif_tx_stat(&c->v, 0, what);
	if (n != 0)
		assert_true(unit_age_ms(c->since) >= ms - SLACK_MS);
	else
		assert_false(due);
	return n != 0;
}

/* The next n packets of the lane have not come, and will not. */
static void
write_off(struct late *c, uint32_t n)
{
	c->lane.got += n;
	c->lost += n;
}

/* Packets of different ages: only the old ones go. */
static void
step_expired(struct late *c)
{
	switch (c->phase) {
	case 0:
		assert_int_equal(lane_send(&c->lane, 0, 2), 2);
		assert_int_equal(lane_send(&c->lane, 0, 3), 3);
		next_phase(c);
		break;
	case 1:
		vif_flush_by_rx(&c->v, 0);
		if (unit_age_ms(c->since) < XENVIF_WAIT_MS / 2)
			break;
		c->other = unit_now_ms();
		assert_int_equal(lane_send(&c->lane, 0, 4), 4);
		c->phase++;
		break;
	case 2:
		/* They came one after the other, and may be found so. */
		if (!look_for(c, "wait_expired_dropped", XENVIF_WAIT_MS) ||
				vif_tx_stat(&c->v, 0, "wait_expired_dropped") < 5)
			break;
		write_off(c, 5);
		/* Unless this was too slow to find out. */
		if (unit_age_ms(c->other) < XENVIF_WAIT_MS - SLACK_MS) {
			assert_int_equal(vif_tx_stat(&c->v, 0, "wait_expired_dropped"), 5);
			vif_expect_no_packet(&c->v, 0);
			vif_post(&c->v, 0, 10);
			vif_flush_by_rx(&c->v, 0);
			assert_int_equal(lane_take(&c->lane), 4);
			vif_expect_sent(&c->v, 4, 5);
		}
		c->done = true;
		break;
	}
}

/* The guest posts nothing, and then goes on as if nothing had been. */
static void
step_stalled(struct late *c)
{
	unsigned int free;

	switch (c->phase) {
	case 0:
		assert_int_equal(lane_send(&c->lane, 0, 1), 1);
		next_phase(c);
		c->other = c->since;
		break;
	case 1:
		if (unit_age_ms(c->other) >= 1000) {
			c->other = unit_now_ms();
			assert_int_equal(lane_send(&c->lane, 0, 1), 1);
		}
		if (look_for(c, "wait_stalled_dropped", XENVIF_STALL_MS))
			c->phase++;
		break;
	case 2:
		/* All are lost, those to come at once. */
		assert_int_equal(vif_tx_stat(&c->v, 0, "wait_stalled_dropped") +
						vif_tx_stat(&c->v, 0, "wait_expired_dropped"),
				c->lane.made);
		free = rte_mempool_avail_count(unit_pool);
		assert_int_equal(lane_send(&c->lane, 0, 7), 7);
		assert_int_equal(rte_mempool_avail_count(unit_pool), free);
		vif_expect_no_packet(&c->v, 0);
		write_off(c, c->lane.made);
		vif_expect_sent(&c->v, 0, c->lost);
		/* With the first buffers it goes on; what they do not suffice for waits. */
		vif_post(&c->v, 0, 2);
		assert_int_equal(lane_send(&c->lane, 0, 6), 6);
		assert_int_equal(lane_take(&c->lane), 2);
		vif_post(&c->v, 0, 2);
		assert_int_equal(lane_send(&c->lane, 0, 1), 1);
		assert_int_equal(lane_take(&c->lane), 2);
		lane_drain(&c->lane, 0);
		vif_expect_sent(&c->v, 7, c->lost);
		c->done = true;
		break;
	}
}

static uint16_t
send_big(struct late *c)
{
	struct rte_mbuf *m = unit_packet(BIG, UNIT_ROOM, 1);

	return rte_eth_tx_burst(c->v.port, 0, &m, 1);
}

/*
 * The guest has posted eight buffers and will post no more before they are used. Packets that need
 * more of them are lost; what is behind them is not, however long that goes on.
 */
static void
step_blocked(struct late *c)
{
	switch (c->phase) {
	case 0:
		vif_post(&c->v, 0, 8);
		assert_int_equal(send_big(c), 1);
		assert_int_equal(lane_send(&c->lane, 0, 1), 1);
		assert_int_equal(send_big(c), 1);
		assert_int_equal(lane_send(&c->lane, 0, 2), 2);
		vif_expect_no_packet(&c->v, 0);
		next_phase(c);
		break;
	case 1:
		if (!look_for(c, "wait_blocked_dropped", XENVIF_BLOCKED_MS) ||
				vif_tx_stat(&c->v, 0, "wait_blocked_dropped") < 2)
			break;
		assert_int_equal(vif_tx_stat(&c->v, 0, "wait_blocked_dropped"), 2);
		assert_int_equal(lane_take(&c->lane), 3);
		vif_expect_sent(&c->v, 3, 2);
		next_phase(c);
		break;
	case 2:
		if (unit_age_ms(c->since) < XENVIF_STALL_MS + SLACK_MS)
			break;
		assert_int_equal(vif_posted(&c->v, 0), 5);
		assert_int_equal(send_big(c), 1);
		assert_int_equal(lane_send(&c->lane, 0, 2), 2);
		next_phase(c);
		break;
	case 3:
		/* The guest was last seen posting long ago, but it had nothing to post. */
		vif_flush_by_rx(&c->v, 0);
		lane_take(&c->lane);
		if (c->lane.got < c->lane.made) {
			assert_false(is_due(c, XENVIF_WAIT_MS));
			break;
		}
		assert_int_equal(vif_tx_stat(&c->v, 0, "wait_blocked_dropped"), 3);
		/* It has had buffers until now. */
		assert_int_equal(lane_send(&c->lane, 0, 10), 10);
		assert_int_equal(lane_take(&c->lane), 3);
		lane_drain(&c->lane, 0);
		vif_expect_sent(&c->v, 15, 3);
		assert_int_equal(vif_tx_stat(&c->v, 0, "wait_stalled_dropped"), 0);
		c->done = true;
		break;
	}
}

/* The guest posts one buffer after the other: a packet that needs many gets them. */
static void
step_dripping(struct late *c)
{
	switch (c->phase) {
	case 0:
		assert_int_equal(send_big(c), 1);
		next_phase(c);
		c->other = c->since;
		break;
	case 1:
		if (unit_age_ms(c->other) < 400)
			break;
		c->other = unit_now_ms();
		vif_post(&c->v, 0, 1);
		vif_flush_by_rx(&c->v, 0);
		/* Unless this was too slow. */
		if (unit_age_ms(c->since) >= XENVIF_WAIT_MS - SLACK_MS)
			c->done = true;
		else if (c->v.f.q[0].rx_prod < BIG_SLOTS)
			break;
		if (!c->done) {
			vif_expect_packet(&c->v, 0, -1, BIG, 1, 0);
			vif_expect_sent(&c->v, 1, 0);
		}
		c->done = true;
		break;
	}
}

/*
 * The guest neglects one of four queues, whose packets take all descriptors of the application's
 * only one: after a second they are lost, so that the other queues get theirs.
 */
static void
step_neglected(struct late *c)
{
	struct lane good = { .v = &c->v, .queue = 1, .small = true };
	bool due = is_due(c, XENVIF_NEGLECTED_MS + SLACK_MS);

	switch (c->phase) {
	case 0:
		assert_int_equal(lane_send(&c->lane, 0, 250), 250);
		assert_int_equal(lane_send(&c->lane, 0, 20), 6);
		next_phase(c);
		break;
	case 1:
		vif_flush_by_rx(&c->v, 0);
		if (lane_send(&c->lane, 0, 1) == 0) {
			assert_false(due);
			break;
		}
		assert_true(unit_age_ms(c->since) >= XENVIF_NEGLECTED_MS - SLACK_MS);
		next_phase(c);
		break;
	case 2:
		vif_post(&c->v, 1, 100);
		assert_int_equal(lane_send(&c->lane, 0, 50), 50);
		assert_int_equal(lane_send(&good, 0, 50), 50);
		assert_int_equal(lane_send(&c->lane, 0, 50), 50);
		assert_int_equal(lane_send(&good, 0, 50), 50);
		assert_int_equal(lane_take(&good), 100);
		vif_flush_by_rx(&c->v, 0);
		assert_int_equal(vif_tx_stat(&c->v, 0, "wait_stalled_dropped"), c->lane.made);
		vif_expect_sent(&c->v, 100, c->lane.made);
		write_off(c, c->lane.made);
		vif_post(&c->v, 0, 10);
		assert_int_equal(lane_send(&c->lane, 0, 20), 20);
		assert_int_equal(lane_take(&c->lane), 10);
		lane_drain(&c->lane, 0);
		vif_expect_sent(&c->v, 120, c->lost);
		c->done = true;
		break;
	}
}

static struct late expired = { .step = step_expired }, stalled = { .step = step_stalled },
		   blocked = { .step = step_blocked }, dripping = { .step = step_dripping },
		   neglected = { .step = step_neglected, .queues = 4 };

static struct late *const cases[] = { &expired, &stalled, &blocked, &dripping, &neglected };

static void
finish(struct late *c)
{
	uint64_t begun = unit_now_ms();
	unsigned int i;

	while (!c->done) {
		for (i = 0; i < RTE_DIM(cases); i++) {
			if (!cases[i]->done)
				cases[i]->step(cases[i]);
		}
		assert_true(unit_age_ms(begun) < LIMIT_MS);
		unit_idle();
	}
	vif_close(&c->v);
}

static void
test_expired(void **state __rte_unused)
{
	finish(&expired);
}

static void
test_blocked(void **state __rte_unused)
{
	finish(&blocked);
}

static void
test_dripping(void **state __rte_unused)
{
	finish(&dripping);
}

static void
test_neglected(void **state __rte_unused)
{
	finish(&neglected);
}

static void
test_stalled(void **state __rte_unused)
{
	finish(&stalled);
	unit_check_pool();
}

static int
setup(void **state)
{
	struct vif_options options = { 0 };
	unsigned int i;

	if (unit_setup(state) < 0)
		return -1;
	for (i = 0; i < RTE_DIM(cases); i++) {
		options.queues = cases[i]->queues;
		vif_open(&cases[i]->v, &options);
		vif_connect(&cases[i]->v);
		cases[i]->lane.v = &cases[i]->v;
		cases[i]->lane.small = true;
	}
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_neglected),
		cmocka_unit_test(test_dripping),
		cmocka_unit_test(test_expired),
		cmocka_unit_test(test_blocked),
		cmocka_unit_test(test_stalled),
	};

	return cmocka_run_group_tests_name("tx_late", tests, setup, unit_teardown);
}
