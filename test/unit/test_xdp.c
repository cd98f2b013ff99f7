/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * The headroom that Linux wants its packets to have for an XDP program: the states Reconfiguring
 * and Reconfigured, and what the packets are like then.
 */

#include <stdio.h>

#include "frame.h"
#include "vif.h"
#include "xenvif_rxtx.h"

#define LINUX_HEADROOM 256

static void
send_one(struct vif *v, struct rte_mbuf *m)
{
	assert_int_equal(rte_eth_tx_burst(v->port, 0, &m, 1), 1);
}

/* As Linux does: first the state, then the key; and the answer means that it has been read. */
static void
reconfigure(struct vif *v, const char *headroom)
{
	rawfront_state(&v->f, XenbusStateReconfiguring);
	rawfront_set(&v->f, "xdp-headroom", "%s", headroom);
	rawfront_wait(&v->f, XenbusStateReconfigured);
	rawfront_state(&v->f, XenbusStateConnected);
	rawfront_wait(&v->f, XenbusStateConnected);
}

/* The extra info behind the first slot says at which offset the packet begins. */
static void
expect_extra(struct vif *v, uint16_t headroom, bool more)
{
	uint32_t idx = v->f.q[0].rx_cons;
	struct netif_rx_response rsp;
	struct netif_extra_info extra;
	uint16_t offset;

	assert_true(rawfront_rx_rsp(&v->f, 0, &rsp));
	memcpy(&extra, &v->f.q[0].rx->ring[idx & XEN_NETIF_RING_MASK], sizeof(extra));
	assert_int_equal(extra.type, XEN_NETIF_EXTRA_TYPE_XDP);
	assert_int_equal(extra.flags, more ? XEN_NETIF_EXTRA_FLAG_MORE : 0);
	memcpy(&offset, &extra.u, sizeof(offset));
	assert_int_equal(offset, headroom);
}

/* The packet of unit_packet(len, ..., seed), and before it nothing but what was there. */
static void
expect_packet(struct vif *v, uint32_t len, uint32_t seed, uint16_t headroom)
{
	uint32_t done = 0, i, slot, offset = headroom;
	struct netif_rx_response rsp;
	const uint8_t *page;

	do {
		slot = v->f.q[0].rx_cons;
		assert_true(rawfront_rx_rsp(&v->f, 0, &rsp));
		assert_int_equal(rsp.id, v->f.q[0].posted[slot & XEN_NETIF_RING_MASK].id);
		assert_int_equal(rsp.offset, offset);
		assert_int_equal(rsp.status, RTE_MIN(len - done, XEN_PAGE_BYTES - offset));
		page = rawfront_page(&v->f, rsp.id);
		for (i = 0; i < offset; i++)
			assert_int_equal(page[i], 0xA5);
		for (i = 0; i < (uint32_t)rsp.status; i++)
			assert_int_equal(page[offset + i], unit_byte(seed, done + i));
		assert_int_equal((rsp.flags & NETRXF_extra_info) != 0, done == 0 && headroom != 0);
		if (done == 0 && headroom != 0)
			expect_extra(v, headroom, false);
		done += rsp.status;
		offset = 0;
		assert_int_equal((rsp.flags & NETRXF_more_data) != 0, done < len);
	} while (done < len);
}

static void
check_packets(struct vif *v, uint16_t headroom)
{
	static const uint32_t lens[] = { 14, 60, 1514, 3839, 3840, 3841, 4096, 7936, 7937, 9000,
		65535 };
	unsigned int i;

	for (i = 0; i < RTE_DIM(lens); i++) {
		vif_post(v, 0, 20 - vif_posted(v, 0));
		send_one(v, unit_packet(lens[i], i % 2 == 0 ? UNIT_ROOM : 777, i));
		expect_packet(v, lens[i], i, headroom);
		vif_expect_no_packet(v, 0);
	}
	unit_check_pool();
}

static void
test_packets(void **state)
{
	static const uint16_t rooms[] = { LINUX_HEADROOM, 1, 4082, 0, 2048, LINUX_HEADROOM, 0 };
	struct vif *v = *state;
	char value[16];
	unsigned int i;

	assert_string_equal(unit_read("%s/feature-xdp-headroom", v->f.back), "1");
	check_packets(v, 0);
	for (i = 0; i < RTE_DIM(rooms); i++) {
		snprintf(value, sizeof(value), "%u", rooms[i]);
		reconfigure(v, value);
		check_packets(v, rooms[i]);
	}
	assert_int_equal(unit_xstat(v->port, "connects"), 1);
}

/* The guest starts over with a headroom, and one key of its features taken away or added. */
static void
restart(struct vif *v, const char *headroom, const char *unset, const char *set)
{
	rawfront_reset(&v->f);
	rawfront_init_rings(&v->f, 0);
	rawfront_unpublish(&v->f);
	rawfront_publish(&v->f);
	if (unset != NULL)
		rawfront_unset(&v->f, unset);
	if (set != NULL)
		rawfront_set(&v->f, set, "1");
	rawfront_set(&v->f, "xdp-headroom", "%s", headroom);
	rawfront_state(&v->f, XenbusStateConnected);
	unit_wait(unit_link(v->port));
}

/* A packet to be segmented, of two segments. */
static struct rte_mbuf *
gso_packet(const struct frame *frame)
{
	struct rte_mbuf *m = frame_mbuf(frame);

	m->ol_flags |= frame_tx_flags(frame) | RTE_MBUF_F_TX_TCP_SEG;
	m->l4_len = 20;
	m->tso_segsz = 600;
	return m;
}

/* Packets whose first bytes are not taken from their mbufs, and those to be segmented. */
static void
test_wishes(void **state)
{
	struct frame frame = { .payload = 1000 };
	struct netif_rx_response rsp;
	struct vif *v = *state;
	struct rte_mbuf *m;
	uint32_t slot;

	restart(v, "4000", NULL, "feature-no-csum-offload");
	vif_post(v, 0, 10);
	frame_make(&frame);
	m = frame_mbuf(&frame);
	m->ol_flags |= frame_tx_flags(&frame);
	slot = v->f.q[0].rx_cons;
	send_one(v, m);
	assert_true(rawfront_rx_rsp(&v->f, 0, &rsp));
	assert_int_equal(rsp.offset, 4000);
	assert_int_equal(rsp.status, 96);
	assert_int_equal(rsp.flags, NETRXF_more_data | NETRXF_extra_info);
	memcpy(frame.data, rawfront_page(&v->f, rsp.id) + 4000, 96);
	expect_extra(v, 4000, false);
	assert_true(rawfront_rx_rsp(&v->f, 0, &rsp));
	memcpy(frame.data + 96, rawfront_page(&v->f, rsp.id), frame.len - 96);
	assert_int_equal(frame_sum(&frame), 0xFFFF);
	assert_int_equal(v->f.q[0].rx_cons - slot, 3);
	/* A blank checksum is said beside it. */
	restart(v, "256", NULL, NULL);
	vif_post(v, 0, 10);
	frame_make(&frame);
	m = frame_mbuf(&frame);
	m->ol_flags |= frame_tx_flags(&frame);
	send_one(v, m);
	assert_true(rawfront_rx_rsp(&v->f, 0, &rsp));
	assert_int_equal(rsp.flags, NETRXF_csum_blank | NETRXF_data_validated | NETRXF_extra_info);
	expect_extra(v, 256, false);
	vif_expect_no_packet(v, 0);
	/* Both kinds of extra info, in the order of their types. */
	restart(v, "4000", NULL, NULL);
	vif_post(v, 0, 10);
	frame_make(&frame);
	send_one(v, gso_packet(&frame));
	assert_true(rawfront_rx_rsp(&v->f, 0, &rsp));
	assert_int_equal(rsp.offset, 4000);
	assert_int_not_equal(rsp.flags & NETRXF_extra_info, 0);
	slot = v->f.q[0].rx_cons;
	assert_true(rawfront_rx_rsp(&v->f, 0, &rsp));
	assert_int_equal(((const uint8_t *)&v->f.q[0].rx->ring[slot & XEN_NETIF_RING_MASK])[0],
			XEN_NETIF_EXTRA_TYPE_GSO);
	assert_int_equal(((const uint8_t *)&v->f.q[0].rx->ring[slot & XEN_NETIF_RING_MASK])[1],
			XEN_NETIF_EXTRA_FLAG_MORE);
	expect_extra(v, 4000, false);
	assert_true(rawfront_rx_rsp(&v->f, 0, &rsp));
	assert_int_equal(rsp.offset, 0);
	vif_expect_no_packet(v, 0);
	/* Cut, each of the frames has its own headroom. */
	restart(v, "256", "feature-gso-tcpv4", NULL);
	vif_post(v, 0, 10);
	send_one(v, gso_packet(&frame));
	for (slot = 0; slot < 2; slot++) {
		assert_true(rawfront_rx_rsp(&v->f, 0, &rsp));
		assert_int_equal(rsp.offset, 256);
		expect_extra(v, 256, false);
	}
	vif_expect_no_packet(v, 0);
	vif_expect_sent(v, 4, 0);
}

/* The extra info of a packet whose copies fail is not touched, cut or whole. */
static void
test_lost(void **state)
{
	struct frame frame = { .payload = 1000 };
	struct netif_extra_info extra = {
		.type = XEN_NETIF_EXTRA_TYPE_XDP,
		.u.hash.type = LINUX_HEADROOM % 256,
		.u.hash.algorithm = LINUX_HEADROOM / 256,
	};
	struct netif_rx_response rsp;
	struct vif *v = *state;
	unsigned int i, cut;

	frame_make(&frame);
	for (cut = 0; cut < 2; cut++) {
		restart(v, "256", "feature-gso-tcpv4", NULL);
		vif_post(v, 0, 10);
		assert_int_equal(xensim_fault_set(XENSIM_FAULT_COPY, 0, 1, 1, GNTST_general_error),
				0);
		send_one(v, cut ? gso_packet(&frame) : unit_packet(5000, UNIT_ROOM, 1));
		xensim_fault_clear();
		for (i = 0; i < 2; i++) {
			assert_true(rawfront_rx_rsp(&v->f, 0, &rsp));
			assert_int_equal(rsp.status, NETIF_RSP_ERROR);
			assert_int_equal((rsp.flags & NETRXF_extra_info) != 0, cut || i == 0);
			if (!cut && i == 1)
				continue;
			assert_true(rawfront_rx_rsp(&v->f, 0, &rsp));
			assert_memory_equal(&rsp, &extra, sizeof(extra));
		}
		vif_expect_no_packet(v, 0);
	}
	vif_expect_sent(v, 0, 2);
}

/* The longest packet of the most segments, whose headroom makes it a page more: it still fits. */
static void
test_most_segments(void **state)
{
	struct vif *v = *state;
	struct rte_mbuf *m;

	reconfigure(v, "4082");
	vif_post(v, 0, 30);
	m = unit_packet(XENVIF_TX_SEGS_MAX * 195, 195, 3);
	assert_int_equal(m->nb_segs, XENVIF_TX_SEGS_MAX);
	send_one(v, m);
	expect_packet(v, XENVIF_TX_SEGS_MAX * 195, 3, 4082);
	unit_check_pool();
}

/* Too few buffers for the extra info as well: the packet waits. */
static void
test_waiting(void **state)
{
	struct vif *v = *state;

	reconfigure(v, "256");
	vif_post(v, 0, 1);
	send_one(v, unit_packet(60, UNIT_ROOM, 1));
	vif_expect_no_packet(v, 0);
	vif_post(v, 0, 1);
	vif_flush_by_rx(v, 0);
	expect_packet(v, 60, 1, 256);
}

/* A headroom that leaves no room, and a guest without scatter-gather. */
static void
test_too_large(void **state)
{
	struct vif *v = *state;

	vif_post(v, 0, 20);
	reconfigure(v, "4083");
	send_one(v, unit_packet(14, UNIT_ROOM, 1));
	reconfigure(v, "32767");
	send_one(v, unit_packet(60, UNIT_ROOM, 1));
	send_one(v, unit_packet(9000, UNIT_ROOM, 1));
	vif_expect_no_packet(v, 0);
	vif_expect_sent(v, 0, 3);
	assert_int_equal(vif_tx_stat(v, 0, "oversize_errors"), 3);
	restart(v, "256", "feature-sg", NULL);
	vif_post(v, 0, 20);
	send_one(v, unit_packet(3841, UNIT_ROOM, 1));
	vif_expect_no_packet(v, 0);
	send_one(v, unit_packet(3840, UNIT_ROOM, 1));
	expect_packet(v, 3840, 1, 256);
	assert_int_equal(vif_tx_stat(v, 0, "oversize_errors"), 4);
}

/* The key may be written first, or not at all, or be the same: the answer always comes. */
static void
test_handshake(void **state)
{
	struct vif *v = *state;
	unsigned int i;

	rawfront_set(&v->f, "xdp-headroom", "256");
	rawfront_state(&v->f, XenbusStateReconfiguring);
	rawfront_wait(&v->f, XenbusStateReconfigured);
	/* Known from here on, before the guest says that it goes on. */
	vif_post(v, 0, 2);
	send_one(v, unit_packet(60, UNIT_ROOM, 1));
	expect_packet(v, 60, 1, 256);
	rawfront_state(&v->f, XenbusStateConnected);
	rawfront_wait(&v->f, XenbusStateConnected);
	for (i = 0; i < 3; i++)
		reconfigure(v, "256");
	check_packets(v, 256);
	rawfront_state(&v->f, XenbusStateReconfiguring);
	rawfront_wait(&v->f, XenbusStateReconfigured);
	/* A key that comes late counts when the guest goes on. */
	rawfront_unset(&v->f, "xdp-headroom");
	rawfront_state(&v->f, XenbusStateConnected);
	rawfront_wait(&v->f, XenbusStateConnected);
	check_packets(v, 0);
	/* Without the state it counts for nothing. */
	rawfront_set(&v->f, "xdp-headroom", "100");
	rawfront_set(&v->f, "request-multicast-control", "0");
	check_packets(v, 0);
	assert_int_equal(rawfront_back_state(&v->f), XenbusStateConnected);
	assert_int_equal(unit_xstat(v->port, "disconnects"), 0);
}

static void
test_wrong(void **state)
{
	static const char *const wrong[] = { "", "abc", "32768", "-1", "256 ", "4294967297" };
	struct vif *v = *state;
	unsigned int i;

	for (i = 0; i < RTE_DIM(wrong); i++) {
		unit_log_clear();
		rawfront_set(&v->f, "xdp-headroom", "%s", wrong[i]);
		rawfront_state(&v->f, XenbusStateReconfiguring);
		vif_expect_failed(v, "/xdp-headroom='");
		unit_assert_log("is not a number from 0 to 32767");
		assert_int_equal(unit_maps(), 0);
		rawfront_unset(&v->f, "xdp-headroom");
		vif_reconnect(v);
		check_packets(v, 0);
	}
}

/* Backends are replaced in every state of it; the next frontend begins without. */
static void
test_replaced(void **state)
{
	const struct vif_options options = { 0 };
	struct vif *v = *state;

	reconfigure(v, "256");
	vif_remove_port(v);
	vif_add_port(v, &options);
	unit_wait(unit_link(v->port));
	check_packets(v, 256);
	/* While the guest waits for an answer. */
	vif_remove_port(v);
	rawfront_state(&v->f, XenbusStateReconfiguring);
	rawfront_set(&v->f, "xdp-headroom", "128");
	vif_add_port(v, &options);
	rawfront_wait(&v->f, XenbusStateReconfigured);
	/* And when it has had it. */
	vif_remove_port(v);
	rawfront_state(&v->f, XenbusStateConnected);
	vif_add_port(v, &options);
	rawfront_wait(&v->f, XenbusStateConnected);
	unit_wait(unit_link(v->port));
	check_packets(v, 128);
	rawfront_reset(&v->f);
	rawfront_init_rings(&v->f, 0);
	rawfront_unset(&v->f, "xdp-headroom");
	vif_connect(v);
	check_packets(v, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		vif_test(test_packets),
		vif_test(test_wishes),
		vif_test(test_lost),
		vif_test(test_most_segments),
		vif_test(test_waiting),
		vif_test(test_too_large),
		vif_test(test_handshake),
		vif_test(test_wrong),
		vif_test(test_replaced),
	};

	return cmocka_run_group_tests_name("xdp", tests, unit_setup, unit_teardown);
}
