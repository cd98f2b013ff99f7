/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* What received packets are looked at for: filters, packet types, the IPv4 header's checksum. */

#include <errno.h>

#include "frame.h"
#include "pair.h"

/* Send a packet through one port; what the other one receives of it, NULL if that is nothing. */
static struct rte_mbuf *
cross(uint16_t from, uint16_t to, struct rte_mbuf *m)
{
	struct rte_mbuf *got;

	assert_int_equal(rte_eth_tx_burst(from, 0, &m, 1), 1);
	return rte_eth_rx_burst(to, 0, &got, 1) == 1 ? got : NULL;
}

static struct rte_mbuf *
packet_to(const struct rte_ether_addr *dst)
{
	struct rte_mbuf *m = unit_packet(300, 100, 7);

	rte_ether_addr_copy(dst, &rte_pktmbuf_mtod(m, struct rte_ether_hdr *)->dst_addr);
	return m;
}

/* Where a packet goes to. */
enum {
	OWN,
	OTHER,
	GROUP,
	LISTED,
	ALL,
	DESTS
};

static const struct rte_ether_addr listed = { { 0x33, 0x33, 0, 0, 0, 0xfb } };

/*
 * Packets that a port's filters have not let pass, or the backend for a frontend that has asked it
 * for that.
 */
static uint64_t
filtered_between(uint16_t from, uint16_t to)
{
	return unit_xstat(to, "rx_q0_filtered") +
			(from == pair.back ? unit_xstat(from, "tx_q0_filtered") : 0);
}

static void
check_filter(uint16_t from, uint16_t to, const bool pass[DESTS])
{
	struct rte_ether_addr dst[DESTS] = {
		[OTHER] = { { 0x02, 0, 0, 0, 0, 0x77 } },
		[GROUP] = { { 0x01, 0, 0x5e, 0, 0, 1 } },
		[LISTED] = listed,
		[ALL] = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
	};
	uint64_t filtered = filtered_between(from, to);
	struct rte_eth_stats before, after;
	struct rte_mbuf *m;
	unsigned int i;

	assert_int_equal(rte_eth_macaddr_get(to, &dst[OWN]), 0);
	assert_int_equal(rte_eth_stats_get(to, &before), 0);
	for (i = 0; i < DESTS; i++) {
		m = cross(from, to, packet_to(&dst[i]));
		if ((m != NULL) != pass[i])
			fail_msg("port %u: destination %u", to, i);
		filtered += !pass[i];
		before.ipackets += pass[i];
		before.ibytes += pass[i] ? 300 : 0;
		rte_pktmbuf_free(m);
	}
	assert_int_equal(rte_eth_stats_get(to, &after), 0);
	assert_int_equal(filtered_between(from, to), filtered);
	assert_int_equal(after.ipackets, before.ipackets);
	assert_int_equal(after.ibytes, before.ibytes);
	assert_int_equal(after.ierrors, 0);
}

/* A frontend's wish for more reaches its backend soon; its own filters are changed at once. */
static void
wait_listed(uint16_t from, uint16_t to)
{
	struct rte_mbuf *m;

	unit_wait((m = cross(from, to, packet_to(&listed))) != NULL);
	rte_pktmbuf_free(m);
}

static void
run_filters(uint16_t from, uint16_t to)
{
	static const bool all[DESTS] = { true, true, true, true, true };
	static const bool own[DESTS] = { [OWN] = true, [ALL] = true };
	static const bool list[DESTS] = { [OWN] = true, [LISTED] = true, [ALL] = true };
	static const bool groups[DESTS] = { true, false, true, true, true };
	struct rte_ether_addr mac = { { 0x02, 0, 0, 0, 0, 0x42 } }, mc = listed;

	/* A vif shows all there is, until told otherwise. */
	assert_int_equal(rte_eth_promiscuous_get(to), 1);
	check_filter(from, to, all);
	assert_int_equal(rte_eth_promiscuous_disable(to), 0);
	check_filter(from, to, groups);
	assert_int_equal(rte_eth_allmulticast_disable(to), 0);
	check_filter(from, to, own);
	assert_int_equal(rte_eth_dev_default_mac_addr_set(to, &mac), 0);
	check_filter(from, to, own);
	/* The modes outlive a stop. */
	assert_int_equal(rte_eth_dev_stop(to), 0);
	assert_int_equal(rte_eth_dev_start(to), 0);
	pair_wait();
	check_filter(from, to, own);
	assert_int_equal(rte_eth_dev_set_mc_addr_list(to, &mc, 1), 0);
	wait_listed(from, to);
	check_filter(from, to, list);
	assert_int_equal(rte_eth_dev_set_mc_addr_list(to, NULL, 0), 0);
	check_filter(from, to, own);
	assert_int_equal(rte_eth_allmulticast_enable(to), 0);
	wait_listed(from, to);
	check_filter(from, to, groups);
	assert_int_equal(rte_eth_promiscuous_enable(to), 0);
	check_filter(from, to, all);
}

/* Promiscuous off means off, and a packet that is not for the port is nobody's error. */
static void
test_filters(void **state __rte_unused)
{
	pair_open(1, RTE_ETH_RX_OFFLOAD_SCATTER);
	run_filters(pair.front, pair.back);
	run_filters(pair.back, pair.front);
	assert_int_equal(unit_xstat(pair.front, "tx_q0_refused_errors"), 0);
	pair_close();
}

/* What is no list is refused, and changes nothing. */
static void
test_bad_lists(void **state __rte_unused)
{
	struct rte_ether_addr list[65];
	unsigned int i;

	pair_open(1, RTE_ETH_RX_OFFLOAD_SCATTER);
	assert_int_equal(rte_eth_promiscuous_disable(pair.back), 0);
	assert_int_equal(rte_eth_allmulticast_disable(pair.back), 0);
	for (i = 0; i < RTE_DIM(list); i++) {
		list[i] = listed;
		list[i].addr_bytes[4] = i;
	}
	assert_int_equal(rte_eth_dev_set_mc_addr_list(pair.back, list, 64), 0);
	wait_listed(pair.front, pair.back);
	assert_int_equal(rte_eth_dev_set_mc_addr_list(pair.back, list, 65), -ENOSPC);
	unit_assert_log("65 multicast addresses: at most 64 can be listed");
	list[1].addr_bytes[0] = 0x02;
	assert_int_equal(rte_eth_dev_set_mc_addr_list(pair.back, list + 1, 64), -EINVAL);
	unit_assert_log("02:33:00:00:01:FB is no multicast address");
	wait_listed(pair.front, pair.back);
	pair_close();
}

/* Frames, and what is known of them. */
static const struct {
	struct frame frame;
	uint32_t ptype;
} frames[] = {
	{ { .payload = 10 }, RTE_PTYPE_L2_ETHER | RTE_PTYPE_L3_IPV4 | RTE_PTYPE_L4_TCP },
	{ { .udp = true, .payload = 900 },
			RTE_PTYPE_L2_ETHER | RTE_PTYPE_L3_IPV4 | RTE_PTYPE_L4_UDP },
	{ { .options = 10, .udp = true, .payload = 3 },
			RTE_PTYPE_L2_ETHER | RTE_PTYPE_L3_IPV4_EXT | RTE_PTYPE_L4_UDP },
	{ { .vlans = 1, .payload = 1200, .seg = 64 },
			RTE_PTYPE_L2_ETHER_VLAN | RTE_PTYPE_L3_IPV4 | RTE_PTYPE_L4_TCP },
	{ { .vlans = 2, .udp = true, .payload = 100 },
			RTE_PTYPE_L2_ETHER_QINQ | RTE_PTYPE_L3_IPV4 | RTE_PTYPE_L4_UDP },
	{ { .ipv6 = true, .payload = 100 },
			RTE_PTYPE_L2_ETHER | RTE_PTYPE_L3_IPV6 | RTE_PTYPE_L4_TCP },
	{ { .ipv6 = true, .options = 2, .udp = true, .payload = 100 },
			RTE_PTYPE_L2_ETHER | RTE_PTYPE_L3_IPV6_EXT | RTE_PTYPE_L4_UDP },
};

static void
check_ptypes(uint16_t from, uint16_t to, uint32_t mask)
{
	struct rte_mbuf *m;
	struct frame f;
	unsigned int i;

	for (i = 0; i < RTE_DIM(frames); i++) {
		f = frames[i].frame;
		frame_make(&f);
		m = cross(from, to, frame_mbuf(&f));
		assert_non_null(m);
		assert_int_equal(m->packet_type, frames[i].ptype & mask);
		assert_int_equal(m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK, 0);
		rte_pktmbuf_free(m);
	}
}

static void
run_ptypes(uint16_t from, uint16_t to)
{
	const uint32_t layers = RTE_PTYPE_L2_MASK | RTE_PTYPE_L3_MASK | RTE_PTYPE_L4_MASK;
	uint32_t list[32];

	/* Also for who has not asked (ip_reassembly). */
	check_ptypes(from, to, layers);
	assert_int_equal(rte_eth_dev_get_supported_ptypes(to, RTE_PTYPE_L3_MASK, list, 32), 4);
	assert_int_equal(list[0], RTE_PTYPE_L3_IPV4);
	check_ptypes(from, to, layers);
	assert_int_equal(rte_eth_dev_set_ptypes(to, RTE_PTYPE_L3_MASK, list, 32), 0);
	check_ptypes(from, to, RTE_PTYPE_L3_MASK);
	assert_int_equal(rte_eth_dev_set_ptypes(to, RTE_PTYPE_ALL_MASK, NULL, 0), 0);
	check_ptypes(from, to, layers);
	/* Who has said that it wants none may look at the list (testpmd). */
	assert_int_equal(rte_eth_dev_set_ptypes(to, RTE_PTYPE_UNKNOWN, NULL, 0), 0);
	assert_int_equal(rte_eth_dev_get_supported_ptypes(to, RTE_PTYPE_ALL_MASK, list, 32), 11);
	check_ptypes(from, to, 0);
}

static void
test_ptypes(void **state __rte_unused)
{
	pair_open(1, RTE_ETH_RX_OFFLOAD_SCATTER);
	run_ptypes(pair.front, pair.back);
	run_ptypes(pair.back, pair.front);
	pair_close();
}

/* The checksum of an IPv4 header is verified, where the application has asked for that. */
static void
run_ipv4(uint16_t from, uint16_t to, bool wanted)
{
	uint64_t flags, want;
	struct rte_mbuf *m;
	unsigned int i, bad;
	struct frame f;

	for (i = 0; i < RTE_DIM(frames); i++) {
		for (bad = 0; bad < 2; bad++) {
			f = frames[i].frame;
			frame_make(&f);
			f.data[f.l3 + 8] ^= bad;
			m = cross(from, to, frame_mbuf(&f));
			assert_non_null(m);
			flags = m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;
			want = bad != 0 ? RTE_MBUF_F_RX_IP_CKSUM_BAD : RTE_MBUF_F_RX_IP_CKSUM_GOOD;
			assert_int_equal(flags, wanted && !f.ipv6 ? want : 0);
			rte_pktmbuf_free(m);
		}
	}
}

static void
test_ipv4_csum(void **state __rte_unused)
{
	unsigned int wanted;

	for (wanted = 0; wanted < 2; wanted++) {
		pair_open(1, wanted != 0 ? RTE_ETH_RX_OFFLOAD_IPV4_CKSUM : 0);
		run_ipv4(pair.front, pair.back, wanted != 0);
		run_ipv4(pair.back, pair.front, wanted != 0);
		pair_close();
	}
}

/* Headers that end early, lie about their length or are not there: no word is said about them. */
static void
test_ipv4_odd(void **state __rte_unused)
{
	struct frame f = { .udp = true, .payload = 100 };
	struct rte_mbuf *m;
	unsigned int i;

	pair_open(1, RTE_ETH_RX_OFFLOAD_IPV4_CKSUM);
	frame_make(&f);
	for (i = RTE_ETHER_HDR_LEN; i < f.l4; i++) {
		m = frame_mbuf(&f);
		rte_pktmbuf_trim(m, f.len - i);
		m = cross(pair.front, pair.back, m);
		assert_non_null(m);
		assert_int_equal(m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK, 0);
		rte_pktmbuf_free(m);
	}
	for (i = 0; i < 16; i++) {
		f.data[f.l3] = 0x40 | i;
		m = cross(pair.front, pair.back, frame_mbuf(&f));
		assert_non_null(m);
		if (i < 5)
			assert_int_equal(m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK, 0);
		rte_pktmbuf_free(m);
	}
	pair_close();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_bad_lists),
		cmocka_unit_test(test_ptypes),
		cmocka_unit_test(test_ipv4_csum),
		cmocka_unit_test(test_ipv4_odd),
	};

	return cmocka_run_group_tests_name("classify", tests, unit_setup, unit_teardown);
}
