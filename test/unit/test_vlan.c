/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* VLAN tags that ports insert and strip: both drivers against each other. */

#include <rte_ip.h>
#include <rte_tcp.h>

#include "frame.h"
#include "pair.h"
#include "vif.h"
#include "xen_headers.h"

#define TCI 0x6123 /* of priority 3 */
#define ADDRESSES (2 * RTE_ETHER_ADDR_LEN)
#define STRIP RTE_ETH_RX_OFFLOAD_VLAN_STRIP

static void
open_pair(uint64_t offloads)
{
	pair_open(1, offloads | RTE_ETH_RX_OFFLOAD_SCATTER);
}

/* Send a packet through one port; what the other one receives first of it. */
static struct rte_mbuf *
cross(uint16_t from, uint16_t to, struct rte_mbuf *m)
{
	struct rte_mbuf *got = NULL;

	assert_int_equal(rte_eth_tx_burst(from, 0, &m, 1), 1);
	unit_wait(rte_eth_rx_burst(to, 0, &got, 1) == 1);
	return got;
}

static void
add_tag(struct rte_mbuf *m)
{
	m->ol_flags |= RTE_MBUF_F_TX_VLAN;
	m->vlan_tci = TCI;
}

/* The tag has been taken off by the port. */
static void
check_stripped(const struct rte_mbuf *m)
{
	const uint64_t flags = RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;

	assert_int_equal(m->ol_flags & flags, flags);
	assert_int_equal(m->vlan_tci, TCI);
}

/* The tag is in the data: take it off. */
static void
take_tag(struct rte_mbuf *m)
{
	static const uint8_t tag[] = { 0x81, 0x00, TCI >> 8, TCI & 0xFF };
	uint8_t *data = rte_pktmbuf_mtod(m, uint8_t *);

	assert_int_equal(m->ol_flags & (RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED), 0);
	assert_memory_equal(data + ADDRESSES, tag, sizeof(tag));
	memmove(data + sizeof(tag), data, ADDRESSES);
	assert_non_null(rte_pktmbuf_adj(m, sizeof(tag)));
}

/* Two hold a packet: the port that sends it may not write to it. */
static void
check_shared(uint16_t from, uint16_t to, struct frame *f, bool strip)
{
	struct rte_mbuf *m = frame_mbuf(f), *got;
	uint8_t before[FRAME_MAX], after[FRAME_MAX];
	uint64_t flags;

	m->ol_flags = frame_tx_flags(f);
	add_tag(m);
	flags = m->ol_flags;
	assert_true(xen_mbuf_read(m, 0, before, f->len));
	rte_pktmbuf_refcnt_update(m, 1);
	got = cross(from, to, m);
	assert_int_equal(m->ol_flags, flags);
	assert_int_equal(m->vlan_tci, TCI);
	assert_true(xen_mbuf_read(m, 0, after, f->len));
	assert_memory_equal(after, before, f->len);
	rte_pktmbuf_free(m);
	if (strip)
		check_stripped(got);
	else
		take_tag(got);
	frame_check_finished(f, got);
	rte_pktmbuf_free(got);
}

/* Every kind of frame, with the checksum that it asks for, in one segment and in many. */
static void
run_frames(uint16_t from, uint16_t to, bool strip)
{
	static const uint16_t segs[] = { 0, 7, 100 };
	struct frame f;
	unsigned int i, j;

	for (i = 0; i < frame_nb_good; i++) {
		for (j = 0; j < RTE_DIM(segs); j++) {
			f = frame_good[i];
			f.seg = segs[j];
			f.split = f.seg == 7;
			frame_make(&f);
			check_shared(from, to, &f, strip);
		}
	}
}

static void
test_insert(void **state __rte_unused)
{
	open_pair(0);
	run_frames(pair.front, pair.back, false);
	run_frames(pair.back, pair.front, false);
	pair_close();
	open_pair(STRIP);
	run_frames(pair.front, pair.back, true);
	run_frames(pair.back, pair.front, true);
	pair_close();
}

/* Packets without wishes, of lengths around those of pages and of what is copied whole. */
static void
run_lengths(uint16_t from, uint16_t to)
{
	static const uint32_t lens[] = { 14, 15, 60, 251, 252, 253, 256, 1514, 2047, 4091, 4092,
		4093, 4096, 9000, 65530, 65531 };
	struct rte_eth_stats before, after;
	struct rte_mbuf *m;
	unsigned int i;

	for (i = 0; i < RTE_DIM(lens); i++) {
		assert_int_equal(rte_eth_stats_get(to, &before), 0);
		m = unit_packet(lens[i], i % 2 == 0 ? UNIT_ROOM : 333, i);
		add_tag(m);
		m = cross(from, to, m);
		check_stripped(m);
		unit_check_packet(m, lens[i], i);
		rte_pktmbuf_free(m);
		assert_int_equal(rte_eth_stats_get(to, &after), 0);
		assert_int_equal(after.ibytes - before.ibytes, lens[i]);
	}
	/* With the tag it is longer than a packet can be. */
	m = unit_packet(65532, UNIT_ROOM, 1);
	add_tag(m);
	assert_int_equal(rte_eth_tx_burst(from, 0, &m, 1), 1);
	assert_int_equal(unit_xstat(from, "tx_q0_oversize_errors"), 1);
}

/* With the tag, the length of its header does not fit into the mbuf. */
static void
check_uncountable(uint16_t from, uint16_t to)
{
	uint64_t bad = unit_xstat(from, "tx_q0_bad_packet_errors");
	struct rte_mbuf *m = unit_packet(200, UNIT_ROOM, 1);

	m->l2_len = 123;
	add_tag(m);
	m = cross(from, to, m);
	unit_check_packet(m, 200, 1);
	rte_pktmbuf_free(m);
	m = unit_packet(200, UNIT_ROOM, 1);
	m->l2_len = 124;
	m->l3_len = sizeof(struct rte_ipv4_hdr);
	m->ol_flags |= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
	add_tag(m);
	assert_int_equal(rte_eth_tx_burst(from, 0, &m, 1), 1);
	assert_int_equal(unit_xstat(from, "tx_q0_bad_packet_errors"), bad + 1);
}

static void
test_lengths(void **state __rte_unused)
{
	open_pair(STRIP);
	run_lengths(pair.front, pair.back);
	run_lengths(pair.back, pair.front);
	check_uncountable(pair.front, pair.back);
	check_uncountable(pair.back, pair.front);
	pair_close();
}

/* A packet to be segmented: each of its segments has the tag and a right checksum. */
static void
run_segments(uint16_t from, uint16_t to, bool ipv6)
{
	struct frame f = { .ipv6 = ipv6, .payload = 1000, .seg = 300 };
	const uint16_t mss = 150;
	uint32_t headers, got = 0;
	struct rte_mbuf *m;
	const uint8_t *ip;

	frame_make(&f);
	m = frame_mbuf(&f);
	headers = f.l4 + sizeof(struct rte_tcp_hdr);
	m->l4_len = sizeof(struct rte_tcp_hdr);
	m->tso_segsz = mss;
	m->ol_flags = RTE_MBUF_F_TX_TCP_SEG;
	m->ol_flags |= ipv6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
	add_tag(m);
	m = cross(from, to, m);
	while (got < f.payload) {
		check_stripped(m);
		assert_int_equal(rte_pktmbuf_pkt_len(m) - headers, RTE_MIN(mss, f.payload - got));
		ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, f.l3);
		assert_int_equal(ipv6 ? rte_ipv6_udptcp_cksum_verify((const void *)ip,
							rte_pktmbuf_mtod_offset(m, const void *,
									f.l4)) :
					rte_ipv4_udptcp_cksum_verify((const void *)ip,
							rte_pktmbuf_mtod_offset(m, const void *,
									f.l4)),
				0);
		assert_memory_equal(rte_pktmbuf_mtod_offset(m, void *, headers),
				f.data + headers + got, rte_pktmbuf_pkt_len(m) - headers);
		got += rte_pktmbuf_pkt_len(m) - headers;
		rte_pktmbuf_free(m);
		if (got < f.payload)
			unit_wait(rte_eth_rx_burst(to, 0, &m, 1) == 1);
	}
}

static void
test_segments(void **state __rte_unused)
{
	unsigned int ipv6;

	open_pair(STRIP);
	for (ipv6 = 0; ipv6 < 2; ipv6++) {
		run_segments(pair.front, pair.back, ipv6);
		run_segments(pair.back, pair.front, ipv6);
	}
	pair_close();
}

/* While the port runs it is told to strip, and no longer. */
static void
run_switch(uint16_t from, uint16_t to)
{
	struct rte_mbuf *m;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		assert_int_equal(rte_eth_dev_set_vlan_offload(to,
						 i % 2 != 0 ? RTE_ETH_VLAN_STRIP_OFFLOAD : 0),
				0);
		m = unit_packet(100, UNIT_ROOM, i);
		add_tag(m);
		m = cross(from, to, m);
		if (i % 2 != 0)
			check_stripped(m);
		else
			take_tag(m);
		unit_check_packet(m, 100, i);
		rte_pktmbuf_free(m);
	}
	/* Nothing else is offered. */
	assert_int_not_equal(rte_eth_dev_set_vlan_offload(to, RTE_ETH_VLAN_FILTER_OFFLOAD), 0);
}

static void
test_switch(void **state __rte_unused)
{
	open_pair(0);
	run_switch(pair.front, pair.back);
	run_switch(pair.back, pair.front);
	pair_close();
}

/* A guest's frames that are no more than a tag, or less, and those with others than 802.1Q's. */
static void
test_odd_frames(void **state)
{
	static const struct {
		uint16_t type;
		uint16_t len;
		bool stripped;
	} odd[] = {
		{ RTE_ETHER_TYPE_VLAN, 14, false },
		{ RTE_ETHER_TYPE_VLAN, 17, false },
		{ RTE_ETHER_TYPE_VLAN, 18, true },
		{ RTE_ETHER_TYPE_QINQ, 100, false },
		{ RTE_ETHER_TYPE_IPV4, 100, false },
	};
	struct vif *v = *state;
	struct rte_mbuf *m;
	uint8_t *page;
	unsigned int i;

	assert_int_equal(rte_eth_dev_set_vlan_offload(v->port, RTE_ETH_VLAN_STRIP_OFFLOAD), 0);
	page = rawfront_page(&v->f, RAWFRONT_PAGES - 1);
	for (i = 0; i < RTE_DIM(odd); i++) {
		frame_set16(page + ADDRESSES, odd[i].type);
		frame_set16(page + ADDRESSES + 2, TCI);
		vif_put(v, RAWFRONT_PAGES - 1, 0, odd[i].len, 0, i);
		assert_int_equal(vif_burst(v, &m, 1), 1);
		vif_expect_rsp(v, i, NETIF_RSP_OKAY);
		assert_int_equal(rte_pktmbuf_pkt_len(m),
				odd[i].len - (odd[i].stripped ? RTE_VLAN_HLEN : 0));
		assert_int_equal((m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0, odd[i].stripped);
		rte_pktmbuf_free(m);
	}
	vif_send_good(v);
}

/* A packet that waits for buffers gets its tag when it goes, once. */
static void
test_waits(void **state)
{
	struct rte_mbuf *m = unit_packet(200, UNIT_ROOM, 5), *got;
	struct vif *v = *state;

	rte_pktmbuf_refcnt_update(m, 1);
	add_tag(m);
	vif_blank_pages(v);
	assert_int_equal(rte_eth_tx_burst(v->port, 0, &m, 1), 1);
	vif_expect_no_packet(v, 0);
	vif_flush_by_tx(v, 0);
	vif_expect_no_packet(v, 0);
	vif_post(v, 0, 1);
	vif_flush_by_tx(v, 0);
	assert_true(vif_has_packet(v, 0));
	assert_int_equal(rte_pktmbuf_pkt_len(m), 200);
	rte_pktmbuf_free(m);
	got = unit_packet(204, UNIT_ROOM, 0);
	memcpy(rte_pktmbuf_mtod(got, void *), rawfront_page(&v->f, 0), 204);
	take_tag(got);
	unit_check_packet(got, 200, 5);
	rte_pktmbuf_free(got);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_insert),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_segments),
		cmocka_unit_test(test_switch),
		vif_test(test_odd_frames),
		vif_test(test_waits),
	};

	return cmocka_run_group_tests_name("vlan", tests, unit_setup, unit_teardown);
}
