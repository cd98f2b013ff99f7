/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* What a frontend or the toolstack says about what the guest is to be sent (netif.h). */

#include <stdio.h>

#include "frame.h"
#include "vif.h"

static uint16_t
send_one(struct vif *v, struct rte_mbuf *m)
{
	return rte_eth_tx_burst(v->port, 0, &m, 1);
}

/* The guest starts over, with keys that it or the toolstack has written meanwhile. */
static void
restart(struct vif *v)
{
	rawfront_state(&v->f, XenbusStateConnected);
	unit_wait(unit_link(v->port));
}

static void
leave(struct vif *v)
{
	rawfront_reset(&v->f);
	rawfront_init_rings(&v->f, 0);
	rawfront_publish(&v->f);
}

/* A frame of len bytes arrives, or is dropped as too long. */
static void
check_len(struct vif *v, uint32_t len, uint16_t seg, bool fits)
{
	uint64_t before = vif_tx_stat(v, 0, "oversize_errors");

	vif_post(v, 0, 17 - vif_posted(v, 0));
	assert_int_equal(send_one(v, unit_packet(len, seg, len)), 1);
	if (fits)
		vif_expect_packet(v, 0, -1, len, len, 0);
	vif_expect_no_packet(v, 0);
	assert_int_equal(vif_tx_stat(v, 0, "oversize_errors"), before + !fits);
}

/* Is a TCP packet to be segmented delivered, though it is longer than the MTU allows? */
static void
check_gso(struct vif *v)
{
	struct frame frame = { .payload = 1700 };
	struct netif_rx_response rsp;
	struct rte_mbuf *m;

	frame_make(&frame);
	m = frame_mbuf(&frame);
	m->ol_flags |= frame_tx_flags(&frame) | RTE_MBUF_F_TX_TCP_SEG;
	m->l4_len = 20;
	m->tso_segsz = 1000;
	assert_int_equal(send_one(v, m), 1);
	assert_true(rawfront_rx_rsp(&v->f, 0, &rsp));
	assert_int_equal(rsp.status, frame.len);
	assert_int_not_equal(rsp.flags & NETRXF_extra_info, 0);
	assert_true(rawfront_rx_rsp(&v->f, 0, &rsp));
	vif_expect_no_packet(v, 0);
}

static void
test_mtu(void **state)
{
	static const struct {
		const char *mtu;
		uint32_t max;
		bool no_sg;
	} rows[] = {
		{ "1500", 1518, false },
		{ NULL, 65535, false },
		{ "68", 86, false },
		{ "9000", 9018, false },
		{ "65517", 65535, false },
		{ "65535", 65535, false },
		{ "1500", 1518, true },
		{ "9000", 4096, true },
		{ NULL, 4096, true },
	};
	struct vif *v = *state;
	unsigned int i;

	for (i = 0; i < RTE_DIM(rows); i++) {
		leave(v);
		if (rows[i].mtu != NULL)
			rawfront_set(&v->f, "mtu", "%s", rows[i].mtu);
		else
			rawfront_unset(&v->f, "mtu");
		if (rows[i].no_sg)
			rawfront_unset(&v->f, "feature-sg");
		restart(v);
		check_len(v, 60, UNIT_ROOM, true);
		check_len(v, rows[i].max, UNIT_ROOM, true);
		check_len(v, rows[i].max, 1000, true);
		if (rows[i].max == UINT16_MAX)
			continue;
		check_len(v, rows[i].max + 1, UNIT_ROOM, false);
		check_len(v, rows[i].max + 1, 50, false);
		check_len(v, 65535, UNIT_ROOM, false);
		if (rows[i].max == 1518 && !rows[i].no_sg)
			check_gso(v);
	}
	unit_check_pool();
}

static void
test_wrong_mtu(void **state)
{
	static const char *const wrong[] = { "", "abc", "0", "67", "65536", "-1", "1500 ",
		"99999999999" };
	struct vif *v = *state;
	unsigned int i;

	for (i = 0; i < RTE_DIM(wrong); i++) {
		leave(v);
		unit_log_clear();
		rawfront_set(&v->f, "mtu", "%s", wrong[i]);
		rawfront_state(&v->f, XenbusStateConnected);
		vif_expect_failed(v, "/mtu='");
		unit_assert_log("is not a number from 68 to 65535");
		rawfront_set(&v->f, "mtu", "1500");
		vif_reconnect(v);
		vif_send_good(v);
	}
}

/* A guest that says nothing when it posts buffers: what waits finds them all the same. */
static void
test_no_rx_notify(void **state)
{
	struct vif *v = *state;
	unsigned int i;

	leave(v);
	rawfront_unset(&v->f, "feature-rx-notify");
	restart(v);
	for (i = 0; i < 300; i++) {
		assert_int_equal(send_one(v, unit_packet(100 + i, UNIT_ROOM, i)), 1);
		vif_expect_no_packet(v, 0);
		vif_post(v, 0, 1);
		if (i % 2 == 0)
			vif_flush_by_rx(v, 0);
		else
			vif_flush_by_tx(v, 0);
		vif_expect_packet(v, 0, -1, 100 + i, i, 0);
	}
	/* And nobody asks it for a notification. */
	assert_int_equal(v->f.q[0].rx->req_event, 1);
	vif_expect_sent(v, 300, 0);
}

/* "trusted" is the frontend's affair, whatever it says. */
static void
test_trusted(void **state)
{
	static const char *const values[] = { "0", "1", "", "no" };
	struct vif *v = *state;
	struct rte_mbuf *m;
	unsigned int i;

	for (i = 0; i < RTE_DIM(values); i++) {
		leave(v);
		rawfront_set(&v->f, "trusted", "%s", values[i]);
		restart(v);
		vif_put(v, 500, 0, 60, 0, i);
		assert_int_equal(vif_burst(v, &m, 1), 1);
		unit_check_packet(m, 60, vif_seed(500));
		rte_pktmbuf_free(m);
		vif_expect_rsp(v, i, NETIF_RSP_OKAY);
		check_len(v, 9000, UNIT_ROOM, true);
	}
}

/* Each connection is what its own keys say, and the toolstack's keys are left as they are. */
static void
test_each_anew(void **state)
{
	static const char *const of_toolstack[] = { "mac", "handle", "trusted", "mtu", "backend" };
	static char before[RTE_DIM(of_toolstack)][UNIT_VALUE_MAX];
	struct vif *v = *state;
	unsigned int i, j;

	rawfront_set(&v->f, "mtu", "3000");
	for (i = 0; i < RTE_DIM(of_toolstack); i++)
		snprintf(before[i], sizeof(before[i]), "%s",
				unit_read("%s/%s", v->f.front, of_toolstack[i]));
	for (i = 0; i < 12; i++) {
		/* By a reset, or without a word as a kexec is, or as after a restore. */
		switch (i % 3) {
		case 0:
			rawfront_reset(&v->f);
			break;
		case 1:
			rawfront_state(&v->f, XenbusStateInitialising);
			unit_wait(!unit_link(v->port));
			rawfront_wait(&v->f, XenbusStateInitWait);
			break;
		default:
			rawfront_toolstack_remove(&v->f);
			unit_wait(!unit_link(v->port));
			rawfront_toolstack(&v->f);
			rawfront_set(&v->f, "mtu", "3000");
			rawfront_wait(&v->f, XenbusStateInitWait);
			break;
		}
		rawfront_init_rings(&v->f, 0);
		rawfront_publish(&v->f);
		if (i % 2 == 0)
			rawfront_unset(&v->f, "feature-sg");
		else
			rawfront_unset(&v->f, "feature-rx-notify");
		restart(v);
		check_len(v, 3018, UNIT_ROOM, true);
		check_len(v, 3019, UNIT_ROOM, false);
		for (j = 0; j < RTE_DIM(of_toolstack); j++)
			assert_string_equal(unit_read("%s/%s", v->f.front, of_toolstack[j]),
					before[j]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		vif_test(test_mtu),
		vif_test(test_wrong_mtu),
		vif_test(test_no_rx_notify),
		vif_test(test_trusted),
		vif_test(test_each_anew),
	};

	return cmocka_run_group_tests_name("features", tests, unit_setup, unit_teardown);
}
