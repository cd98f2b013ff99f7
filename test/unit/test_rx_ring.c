/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* The guest's TX ring: what is in its slots. Every breach ends this vif, and is survived by it. */

#include "vif.h"

#define MORE NETTXF_more_data
#define EXTRA NETTXF_extra_info
#define PKTS 8

/* A chain of slots; the first one's size is the packet's. */
static void
put_chain(struct vif *v, unsigned int slots, uint16_t each)
{
	unsigned int i;

	vif_put(v, 0, 0, slots * each, slots > 1 ? MORE : 0, 0);
	for (i = 1; i < slots; i++)
		vif_put(v, i, 0, each, i + 1 < slots ? MORE : 0, i);
}

static void
past_page_first(struct vif *v)
{
	vif_put(v, 0, 4000, 97, 0, 1);
}

static void
past_page_offset(struct vif *v)
{
	vif_put(v, 0, 65535, 60, 0, 1);
}

static void
past_page_size(struct vif *v)
{
	vif_put(v, 0, 0, 4097, 0, 1);
}

static void
past_page_largest(struct vif *v)
{
	vif_put(v, 0, 65535, 65535, 0, 1);
}

static void
past_page_first_of_two(struct vif *v)
{
	vif_put(v, 0, 0, 5000, MORE, 1);
	vif_put(v, 1, 0, 60, 0, 2);
}

static void
past_page_later(struct vif *v)
{
	vif_put(v, 0, 0, 200, MORE, 1);
	vif_put(v, 1, 4000, 97, 0, 2);
}

static void
chain_past_req_prod(struct vif *v)
{
	vif_put(v, 0, 0, 200, MORE, 1);
	vif_put(v, 1, 0, 100, MORE, 2);
}

static void
slots_21(struct vif *v)
{
	put_chain(v, 21, 100);
}

static void
slots_100(struct vif *v)
{
	put_chain(v, 100, 10);
}

static void
extra_type_0(struct vif *v)
{
	vif_put(v, 0, 0, 60, EXTRA, 1);
	vif_put_extra(v, 0, false);
}

static void
extra_type_5(struct vif *v)
{
	vif_put(v, 0, 0, 60, EXTRA, 1);
	vif_put_extra(v, 5, false);
}

static void
extra_type_99(struct vif *v)
{
	vif_put(v, 0, 0, 60, EXTRA, 1);
	vif_put_extra(v, XEN_NETIF_EXTRA_TYPE_HASH, true);
	vif_put_extra(v, 99, false);
}

static void
extra_past_req_prod(struct vif *v)
{
	vif_put(v, 0, 0, 60, EXTRA, 1);
}

static void
extra_chain_past_req_prod(struct vif *v)
{
	vif_put(v, 0, 0, 60, EXTRA, 1);
	vif_put_extra(v, XEN_NETIF_EXTRA_TYPE_HASH, true);
}

static void
extra_endless(struct vif *v)
{
	unsigned int i;

	vif_put(v, 0, 0, 60, EXTRA, 1);
	for (i = 0; i < 100; i++)
		vif_put_extra(v, XEN_NETIF_EXTRA_TYPE_HASH, true);
}

static void
extra_then_chain_past_req_prod(struct vif *v)
{
	vif_put(v, 0, 0, 200, EXTRA | MORE, 1);
	vif_put_extra(v, XEN_NETIF_EXTRA_TYPE_HASH, false);
}

static void
gso_size_0(struct vif *v)
{
	vif_put(v, 0, 0, 200, EXTRA, 1);
	vif_put_gso(v, XEN_NETIF_GSO_TYPE_TCPV4, 0);
}

static void
gso_type_0(struct vif *v)
{
	vif_put(v, 0, 0, 200, EXTRA, 1);
	vif_put_gso(v, XEN_NETIF_GSO_TYPE_NONE, 1448);
}

static void
gso_type_9(struct vif *v)
{
	vif_put(v, 0, 0, 200, EXTRA, 1);
	vif_put_gso(v, 9, 1448);
}

/* A good packet before the breach is still delivered; nothing behind it is answered. */
static void
test_breaches(void **state)
{
	static const struct {
		void (*put)(struct vif *v);
		const char *why;
	} cases[] = {
		{ past_page_first, "offset + size past the end of the page" },
		{ past_page_offset, "offset + size past the end of the page" },
		{ past_page_size, "offset + size past the end of the page" },
		{ past_page_largest, "offset + size past the end of the page" },
		{ past_page_first_of_two, "offset + size past the end of the page" },
		{ past_page_later, "offset + size past the end of the page" },
		{ chain_past_req_prod, "fragments past req_prod" },
		{ slots_21, "more than 20 slots" },
		{ slots_100, "more than 20 slots" },
		{ extra_type_0, "extra info of unknown type" },
		{ extra_type_5, "extra info of unknown type" },
		{ extra_type_99, "extra info of unknown type" },
		{ extra_past_req_prod, "extra info past req_prod" },
		{ extra_chain_past_req_prod, "extra info past req_prod" },
		{ extra_endless, "more extra info than there are types" },
		{ extra_then_chain_past_req_prod, "fragments past req_prod" },
		{ gso_size_0, "GSO of size 0 or of unknown type" },
		{ gso_type_0, "GSO of size 0 or of unknown type" },
		{ gso_type_9, "GSO of size 0 or of unknown type" },
	};
	struct rte_mbuf *pkts[PKTS];
	struct vif *v = *state;
	unsigned int i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		vif_put(v, 3, 0, 100, 0, 0x55);
		cases[i].put(v);
		assert_int_equal(vif_burst(v, pkts, PKTS), 1);
		unit_check_packet(pkts[0], 100, vif_seed(3));
		rte_pktmbuf_free(pkts[0]);
		vif_expect_rsp(v, 0x55, NETIF_RSP_OKAY);
		vif_expect_no_rsp(v);
		assert_int_equal(rte_eth_rx_burst(v->port, 0, pkts, PKTS), 0);
		vif_expect_failed(v, cases[i].why);
		unit_assert_log("queue 0: guest's TX ring");
		assert_int_equal(unit_maps(), 0);
		assert_int_equal(unit_ports(), 0);
		assert_int_equal(unit_xstat(v->port, "protocol_errors"), i + 1);
		vif_expect_no_rsp(v);
		vif_reconnect(v);
		vif_send_good(v);
	}
}

/* Indices that no frontend may write. */
static void
test_indices(void **state)
{
	static const uint32_t ahead[] = { 257, 1000, 0x80000000, 0xFFFFFFFF, 0xFFFFFF00 };
	struct rte_mbuf *pkts[PKTS];
	struct vif *v = *state;
	unsigned int i;

	for (i = 0; i < RTE_DIM(ahead); i++) {
		vif_send_good(v);
		v->f.q[0].tx_prod += ahead[i];
		assert_int_equal(vif_burst(v, pkts, PKTS), 0);
		vif_expect_failed(v, "req_prod more than a ring ahead of rsp_prod");
		assert_int_equal(unit_maps(), 0);
		vif_reconnect(v);
	}
	vif_send_good(v);
}

static void
drop_13_bytes(struct vif *v)
{
	vif_put(v, 0, 0, 13, 0, 0xFFFF);
}

static void
drop_0_bytes(struct vif *v)
{
	vif_put(v, 0, 0, 0, 0, 0xFFFF);
}

static void
drop_19_slots(struct vif *v)
{
	put_chain(v, 19, 100);
}

static void
drop_20_slots(struct vif *v)
{
	put_chain(v, 20, 100);
}

static void
drop_fragment_too_large(struct vif *v)
{
	vif_put(v, 0, 0, 100, MORE, 0);
	vif_put(v, 1, 0, 60, MORE, 1);
	vif_put(v, 2, 0, 60, 0, 2);
}

static void
drop_oversize(struct vif *v)
{
	vif_put(v, 0, 0, UNIT_ROOM + 1, 0, 0);
}

static void
drop_oversize_chain(struct vif *v)
{
	put_chain(v, 2, 2000);
}

static void
drop_gso(struct vif *v)
{
	vif_put(v, 0, 0, 200, EXTRA | MORE, 0);
	vif_put_gso(v, XEN_NETIF_GSO_TYPE_TCPV6, 1440);
	vif_put(v, 1, 0, 100, 0, 2);
}

static void
drop_mcast(struct vif *v)
{
	vif_put(v, 0, 0, 0, EXTRA, 7);
	vif_put_extra(v, XEN_NETIF_EXTRA_TYPE_MCAST_ADD, false);
}

static void
drop_mcast_del(struct vif *v)
{
	vif_put(v, 0, 0, 0, EXTRA, 8);
	vif_put_extra(v, XEN_NETIF_EXTRA_TYPE_MCAST_DEL, false);
}

/* Packets that are answered with an error, slot by slot, between two that arrive. */
static void
test_dropped(void **state)
{
	static const struct {
		void (*put)(struct vif *v);
		unsigned int slots;
		int first_id; /* -1: the slot's number */
		unsigned int extras;
	} cases[] = {
		{ drop_13_bytes, 1, 0xFFFF, 0 },
		{ drop_0_bytes, 1, 0xFFFF, 0 },
		{ drop_19_slots, 19, -1, 0 },
		{ drop_20_slots, 20, -1, 0 },
		{ drop_fragment_too_large, 3, -1, 0 },
		{ drop_oversize, 1, -1, 0 },
		{ drop_oversize_chain, 2, -1, 0 },
		{ drop_gso, 3, -1, 1 },
		{ drop_mcast, 2, 7, 1 },
		{ drop_mcast_del, 2, 8, 1 },
	};
	struct rte_mbuf *pkts[PKTS];
	struct vif *v = *state;
	struct rte_eth_stats stats;
	unsigned int i, slot;

	for (i = 0; i < RTE_DIM(cases); i++) {
		vif_put(v, 3, 0, 100, 0, 0x1111);
		cases[i].put(v);
		vif_put(v, 4, 96, 200, 0, 0x2222);
		assert_int_equal(vif_burst(v, pkts, PKTS), 2);
		unit_check_packet(pkts[0], 100, vif_seed(3));
		unit_check_packet(pkts[1], 200, vif_seed(4) + 96);
		rte_pktmbuf_free_bulk(pkts, 2);
		vif_expect_rsp(v, 0x1111, NETIF_RSP_OKAY);
		for (slot = 0; slot < cases[i].slots; slot++)
			vif_expect_rsp(v,
					slot == 0 && cases[i].first_id >= 0 ? cases[i].first_id :
									      (int)slot,
					slot >= 1 && slot <= cases[i].extras ? NETIF_RSP_NULL :
									       NETIF_RSP_ERROR);
		vif_expect_rsp(v, 0x2222, NETIF_RSP_OKAY);
		vif_expect_no_rsp(v);
	}
	assert_int_equal(rte_eth_stats_get(v->port, &stats), 0);
	assert_int_equal(stats.ierrors, RTE_DIM(cases));
	assert_int_equal(stats.ipackets, 2 * RTE_DIM(cases));
	assert_int_equal(unit_xstat(v->port, "rx_q0_oversize"), 2);
	assert_int_equal(unit_xstat(v->port, "rx_q0_bad_packets"), RTE_DIM(cases) - 2);
	assert_int_equal(unit_xstat(v->port, "protocol_errors"), 0);
	assert_true(unit_link(v->port));
}

/* Check a packet made of pieces, each of a page of its own. */
static void
check_pieces(struct rte_mbuf *m, unsigned int n, const uint16_t *page, const uint16_t *offset,
		const uint16_t *size)
{
	static uint8_t buf[XEN_NETIF_PKT_MAX];
	const uint8_t *data;
	uint32_t at = 0;
	unsigned int i, j;

	data = rte_pktmbuf_read(m, 0, m->pkt_len, buf);
	for (i = 0; i < n; i++) {
		for (j = 0; j < size[i]; j++, at++)
			assert_int_equal(data[at], unit_byte(vif_seed(page[i]), offset[i] + j));
	}
	assert_int_equal(at, m->pkt_len);
	rte_pktmbuf_free(m);
}

/* Packets of several slots that are as they should be, if odd. */
static void
test_accepted(void **state)
{
	static const struct {
		unsigned int n;
		uint16_t offset[20];
		uint16_t size[20];
		unsigned int extras;
	} cases[] = {
		{ 1, { 0 }, { 14 }, 0 },
		{ 1, { 4082 }, { 14 }, 0 },
		{ 1, { 0 }, { 4096 }, 0 },
		{ 1, { 0 }, { 60 }, 1 },
		{ 1, { 0 }, { 60 }, 4 },
		{ 2, { 100, 4095 }, { 13, 1 }, 0 },
		{ 2, { 0, 0 }, { 0, 60 }, 0 },
		{ 2, { 0, 4096 }, { 60, 0 }, 0 },
		{ 4, { 0, 1, 2, 3 }, { 1, 0, 0, 4000 }, 2 },
		{ 3, { 4096, 0, 0 }, { 0, 0, 14 }, 0 },
		{ 18, { 0 }, { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 }, 0 },
		{ 18, { 0 },
				{ 4096, 9, 4000, 4096, 0, 4096, 1, 4096, 4096, 4096, 4096, 4096,
						4096, 4096, 4096, 4096, 4096, 1 },
				1 },
		{ 17, { 0 },
				{ 4096, 4096, 4096, 4096, 4096, 4096, 4096, 4096, 4096, 4096, 4096,
						4096, 4096, 4096, 4096, 4095 },
				0 },
	};
	static const uint16_t pages[20] = { 40, 9, 8, 7, 6, 5, 4, 3, 2, 1, 10, 11, 12, 13, 14, 15,
		16, 17, 18, 19 };
	struct vif *v = *state;
	unsigned int i, j;
	struct rte_mbuf *m;
	uint32_t total;

	for (i = 0; i < RTE_DIM(cases); i++) {
		for (j = 0, total = 0; j < cases[i].n; j++)
			total += cases[i].size[j];
		vif_put(v, pages[0], cases[i].offset[0], total,
				(cases[i].n > 1 ? MORE : 0) | (cases[i].extras != 0 ? EXTRA : 0),
				1000);
		for (j = 1; j <= cases[i].extras; j++)
			vif_put_extra(v, XEN_NETIF_EXTRA_TYPE_HASH, j != cases[i].extras);
		for (j = 1; j < cases[i].n; j++)
			vif_put(v, pages[j], cases[i].offset[j], cases[i].size[j],
					j + 1 < cases[i].n ? MORE : 0, 1000 + j);
		assert_int_equal(vif_burst(v, &m, 1), 1);
		assert_int_equal(m->pkt_len, total);
		assert_int_equal(m->port, v->port);
		check_pieces(m, cases[i].n, pages, cases[i].offset, cases[i].size);
		vif_expect_rsp(v, 1000, NETIF_RSP_OKAY);
		for (j = 0; j < cases[i].extras; j++)
			vif_expect_rsp(v, 0, NETIF_RSP_NULL);
		for (j = 1; j < cases[i].n; j++)
			vif_expect_rsp(v, 1000 + j, NETIF_RSP_OKAY);
		vif_expect_no_rsp(v);
	}
	assert_int_equal(unit_xstat(v->port, "rx_q0_bad_packets"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		vif_test(test_breaches),
		vif_test(test_indices),
		vif_test(test_dropped),
		vif_test_scatter(test_accepted),
	};

	return cmocka_run_group_tests_name("rx_ring", tests, unit_setup, unit_teardown);
}
