/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Blank checksums: the drivers' arithmetic against one of the test's own. */

#include <errno.h>
#include <stdlib.h>

#include <rte_errno.h>
#include <rte_ether.h>

#include "frame.h"
#include "vif.h"
#include "xen_csum.h"

static const struct frame good[] = {
	{ .payload = 0 },
	{ .payload = 1 },
	{ .payload = 1446 },
	{ .payload = 1447 },
	{ .udp = true },
	{ .udp = true, .payload = 1 },
	{ .udp = true, .payload = 999 },
	{ .padding = 6 },
	{ .payload = 1, .padding = 5 },
	{ .udp = true, .padding = 18 },
	{ .options = 1, .payload = 9 },
	{ .options = 10, .payload = 100, .udp = true },
	{ .vlans = 1, .payload = 33 },
	{ .vlans = 2, .payload = 34, .udp = true },
	{ .ipv6 = true },
	{ .ipv6 = true, .payload = 77 },
	{ .ipv6 = true, .udp = true },
	{ .ipv6 = true, .udp = true, .payload = 1201, .padding = 3 },
	{ .ipv6 = true, .options = 1, .payload = 5 },
	{ .ipv6 = true, .options = 3, .udp = true, .payload = 500 },
	{ .ipv6 = true, .vlans = 1, .options = 2, .payload = 8 },
	{ .payload = 200, .seg = 1 },
	{ .payload = 1001, .seg = 7, .udp = true },
	{ .payload = 1400, .seg = 333, .ipv6 = true },
	{ .payload = 50, .padding = 9, .seg = 5 },
};

static void
test_receive(void **state __rte_unused)
{
	struct rte_mbuf *m;
	struct frame f;
	unsigned int i;

	for (i = 0; i < RTE_DIM(good); i++) {
		f = good[i];
		frame_make(&f);
		m = frame_mbuf(&f);
		assert_int_equal(xen_csum_complete_rx(m), 0);
		frame_check_finished(&f, m);
		assert_int_equal(m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK,
				RTE_MBUF_F_RX_L4_CKSUM_GOOD);
		rte_pktmbuf_free(m);
	}
}

/* A sum of zero says in UDP that there is none: it is written as its other zero. */
static void
test_udp_zero(void **state __rte_unused)
{
	struct frame f = { .udp = true, .payload = 2 };
	struct rte_mbuf *m;
	uint8_t blank[2];

	frame_make(&f);
	memcpy(blank, frame_csum(&f), sizeof(blank));
	frame_set16(frame_csum(&f), 0);
	frame_set16(f.data + f.l4 + 8, 0);
	frame_set16(f.data + f.l4 + 8, ~frame_sum(&f));
	memcpy(frame_csum(&f), blank, sizeof(blank));
	m = frame_mbuf(&f);
	assert_int_equal(xen_csum_complete_rx(m), 0);
	frame_check_finished(&f, m);
	assert_int_equal(*rte_pktmbuf_mtod_offset(m, uint16_t *, f.l4 + 6), 0xFFFF);
	rte_pktmbuf_free(m);
}

static void
expect_unfinished(const struct frame *f)
{
	struct rte_mbuf *m = frame_mbuf(f);
	uint8_t flat[FRAME_MAX];

	assert_int_equal(xen_csum_complete_rx(m), -EINVAL);
	assert_memory_equal(rte_pktmbuf_read(m, 0, m->pkt_len, flat), f->data, f->len);
	rte_pktmbuf_free(m);
}

/* Bytes of a frame that are made to lie. */
static void
test_receive_bad(void **state __rte_unused)
{
	static const struct {
		struct frame frame;
		int at; /* behind the start of L3 */
		uint16_t value;
	} cases[] = {
		{ { .payload = 20 }, -2, RTE_ETHER_TYPE_ARP },
		{ { .payload = 20 }, -2, 0x1234 },
		{ { .payload = 20 }, 8, 0x4001 }, /* ICMP */
		{ { .payload = 20 }, 0, 0x4400 }, /* a header of 16 bytes */
		{ { .payload = 20 }, 0, 0x4000 },
		{ { .payload = 20 }, 0, 0x4F00 }, /* and of 60: then L4 does not fit */
		{ { .payload = 20 }, 2, 61 }, /* longer than the frame */
		{ { .payload = 20 }, 2, 0xFFFF },
		{ { .payload = 20 }, 2, 39 }, /* too short for TCP */
		{ { .payload = 20 }, 2, 19 },
		{ { .payload = 20 }, 2, 0 },
		{ { .payload = 20, .udp = true }, 2, 27 },
		{ { .payload = 20 }, 6, 0x2000 }, /* the first of several fragments */
		{ { .payload = 20 }, 6, 0x0001 }, /* another one */
		{ { .payload = 20, .ipv6 = true }, 4, 41 },
		{ { .payload = 20, .ipv6 = true }, 4, 0xFFFF },
		{ { .payload = 20, .ipv6 = true }, 4, 19 },
		{ { .payload = 20, .ipv6 = true }, 4, 0 },
		{ { .payload = 20, .ipv6 = true }, 6, IPPROTO_FRAGMENT << 8 },
		{ { .payload = 20, .ipv6 = true }, 6, IPPROTO_NONE << 8 },
		{ { .payload = 20, .ipv6 = true }, 6, IPPROTO_ICMPV6 << 8 },
		{ { .payload = 20, .ipv6 = true, .options = 1 }, 40, 0x06FF },
		{ { .payload = 20, .ipv6 = true, .options = 1 }, 4, 27 },
	};
	struct frame f;
	unsigned int i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		f = cases[i].frame;
		frame_make(&f);
		frame_set16(f.data + f.l3 + cases[i].at, cases[i].value);
		expect_unfinished(&f);
	}
	/* Cut short after every byte but the last. */
	for (i = 0; i < RTE_DIM(good); i++) {
		f = good[i];
		if (f.seg != 0)
			continue;
		frame_make(&f);
		for (f.len -= f.padding + 1; f.len >= RTE_ETHER_HDR_LEN; f.len -= 1 + f.len / 16)
			expect_unfinished(&f);
	}
}

/* Whatever a guest sends: nothing outside of the packet is read or written. */
static void
test_receive_random(void **state __rte_unused)
{
	unsigned int i, n, changes;
	struct rte_mbuf *m;
	struct frame f;

	srand(1);
	for (i = 0; i < 20000; i++) {
		f = good[i % RTE_DIM(good)];
		frame_make(&f);
		changes = 1 + rand() % 4;
		for (n = 0; n < changes; n++)
			f.data[12 + rand() % RTE_MIN(60u, f.len - 12)] = rand();
		f.len -= rand() % 8 == 0 ? rand() % (f.len - 14) : 0;
		m = frame_mbuf(&f);
		xen_csum_complete_rx(m);
		assert_int_equal(m->pkt_len, f.len);
		rte_pktmbuf_free(m);
	}
	unit_check_pool();
}

/* What an application sends is finished here, or left blank where the guest finishes it. */
static void
test_transmit(void **state __rte_unused)
{
	struct rte_mbuf *m;
	struct frame f;
	unsigned int i;
	bool blank;

	for (i = 0; i < RTE_DIM(good); i++) {
		f = good[i];
		frame_make(&f);
		m = frame_mbuf(&f);
		m->ol_flags |= frame_tx_flags(&f);
		if (!f.ipv6)
			memset(rte_pktmbuf_mtod_offset(m, void *, f.l3 + 10), 0x77, 2);
		assert_int_equal(xen_csum_prepare_tx(m, false, &blank), 0);
		assert_false(blank);
		frame_check_finished(&f, m);
		rte_pktmbuf_free(m);

		m = frame_mbuf(&f);
		m->ol_flags |= frame_tx_flags(&f);
		assert_int_equal(xen_csum_prepare_tx(m, true, &blank), 0);
		assert_true(blank);
		assert_memory_equal(rte_pktmbuf_mtod(m, void *), f.data, m->data_len);
		rte_pktmbuf_free(m);
	}
}

static void
test_transmit_bad(void **state __rte_unused)
{
	static const struct {
		uint64_t flags;
		uint16_t l2;
		uint16_t l3;
	} cases[] = {
		{ RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IPV4, 14, 500 },
		{ RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IPV4, 127, 20 },
		{ RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IPV4, 60, 0 },
		{ RTE_MBUF_F_TX_UDP_CKSUM | RTE_MBUF_F_TX_IPV4, 14, 55 },
		{ RTE_MBUF_F_TX_UDP_CKSUM | RTE_MBUF_F_TX_IPV6, 14, 40 },
		{ RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_IPV4, 14, 19 },
		{ RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_IPV4, 14, 0 },
		{ RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_IPV4, 14, 61 },
	};
	struct frame f = { .payload = 20 };
	struct rte_mbuf *m;
	unsigned int i;
	bool blank;

	frame_make(&f);
	for (i = 0; i < RTE_DIM(cases); i++) {
		m = frame_mbuf(&f);
		m->ol_flags |= cases[i].flags;
		m->l2_len = cases[i].l2;
		m->l3_len = cases[i].l3;
		if (xen_csum_prepare_tx(m, false, &blank) != -EINVAL)
			fail_msg("case %u was accepted", i);
		rte_pktmbuf_free(m);
	}
}

/* Put a frame into the guest's TX ring and take it from the port; NULL when it was dropped. */
static struct rte_mbuf *
through_rx(struct vif *v, const struct frame *f, uint16_t flags)
{
	struct rte_mbuf *m = NULL;
	uint16_t n;

	/* The last page: nobody else's. */
	memcpy(rawfront_page(&v->f, RAWFRONT_PAGES - 1), f->data, f->len);
	vif_put(v, RAWFRONT_PAGES - 1, 0, f->len, flags, 1);
	n = vif_burst(v, &m, 1);
	vif_expect_rsp(v, 1, n == 1 ? NETIF_RSP_OKAY : NETIF_RSP_ERROR);
	return n == 1 ? m : NULL;
}

static void
expect_untouched(struct vif *v, const struct frame *f, uint16_t flags, uint64_t ol_flags)
{
	struct rte_mbuf *m = through_rx(v, f, flags);

	assert_non_null(m);
	assert_memory_equal(rte_pktmbuf_mtod(m, void *), f->data, f->len);
	assert_int_equal(m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK, ol_flags);
	rte_pktmbuf_free(m);
}

/* NETTXF_csum_blank and NETTXF_data_validated, with the application's offloads off and on. */
static void
test_ring_receive(void **state)
{
	const uint16_t blank = NETTXF_csum_blank | NETTXF_data_validated;
	const struct vif_options offload = {
		.offloads = RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM,
	};
	struct vif *v = *state, finishing;
	struct frame f = { .payload = 100, .ipv6 = true };
	struct rte_mbuf *m;

	frame_make(&f);
	expect_untouched(v, &f, 0, RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN);
	expect_untouched(v, &f, NETTXF_data_validated, RTE_MBUF_F_RX_L4_CKSUM_GOOD);
	m = through_rx(v, &f, blank);
	assert_non_null(m);
	frame_check_finished(&f, m);
	assert_int_equal(m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK, RTE_MBUF_F_RX_L4_CKSUM_GOOD);
	rte_pktmbuf_free(m);
	m = through_rx(v, &f, NETTXF_csum_blank);
	assert_non_null(m);
	frame_check_finished(&f, m);
	rte_pktmbuf_free(m);
	assert_int_equal(unit_xstat(v->port, "rx_q0_csum_completed"), 2);
	/* Nothing to finish: the packet alone is lost. */
	frame_set16(f.data + f.l3 + 4, 0xFFFF);
	assert_null(through_rx(v, &f, blank));
	assert_int_equal(unit_xstat(v->port, "rx_q0_bad_packets"), 1);
	vif_send_good(v);

	vif_open(&finishing, &offload);
	vif_connect(&finishing);
	expect_untouched(&finishing, &f, blank, RTE_MBUF_F_RX_L4_CKSUM_NONE);
	vif_close(&finishing);
}

/*
 * An application that asks for the offloads of reception alone sends on what it receives as it is:
 * it is not handed a blank checksum.
 */
static void
test_ring_receive_only(void **state)
{
	const struct rte_eth_conf conf = {
		.rxmode.offloads = RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM,
	};
	struct frame f = { .payload = 100 };
	struct vif *v = *state;
	struct rte_mbuf *m;

	assert_int_equal(rte_eth_dev_stop(v->port), 0);
	assert_int_equal(rte_eth_dev_configure(v->port, 1, 1, &conf), 0);
	assert_int_equal(rte_eth_rx_queue_setup(v->port, 0, 256, SOCKET_ID_ANY, NULL, unit_pool),
			0);
	assert_int_equal(rte_eth_tx_queue_setup(v->port, 0, 256, SOCKET_ID_ANY, NULL), 0);
	assert_int_equal(rte_eth_dev_start(v->port), 0);
	unit_wait(unit_link(v->port));
	frame_make(&f);
	m = through_rx(v, &f, NETTXF_csum_blank | NETTXF_data_validated);
	assert_non_null(m);
	frame_check_finished(&f, m);
	rte_pktmbuf_free(m);
}

/* Send a frame as an application that wants its checksum done; the response's flags. */
static uint16_t
through_tx(struct vif *v, struct frame *f, struct rte_mbuf **copy)
{
	struct netif_rx_response rsp;
	struct rte_mbuf *m = frame_mbuf(f);

	m->ol_flags |= frame_tx_flags(f);
	frame_set16(rte_pktmbuf_mtod_offset(m, uint8_t *, frame_csum(f) - f->data), 0);
	assert_int_equal(rte_eth_tx_prepare(v->port, 0, &m, 1), 1);
	rawfront_rx_post(&v->f, 0, 0, 1);
	assert_int_equal(rte_eth_tx_burst(v->port, 0, &m, 1), 1);
	assert_true(rawfront_rx_rsp(&v->f, 0, &rsp));
	assert_int_equal(rsp.status, f->len);
	*copy = rte_pktmbuf_alloc(unit_pool);
	assert_non_null(*copy);
	memcpy(rte_pktmbuf_append(*copy, f->len), rawfront_page(&v->f, 0), f->len);
	return rsp.flags;
}

static void
check_transmit(struct vif *v, bool blank)
{
	const uint16_t flags = NETRXF_csum_blank | NETRXF_data_validated;
	struct rte_mbuf *m;
	struct frame f;
	unsigned int i;

	for (i = 0; i < RTE_DIM(good); i++) {
		f = good[i];
		/* rte_eth_tx_prepare() knows no extension headers. */
		if (f.ipv6 && f.options != 0)
			continue;
		frame_make(&f);
		assert_int_equal(through_tx(v, &f, &m), blank ? flags : 0);
		/* The guest finishes a blank one as we finish the guest's. */
		if (blank) {
			assert_memory_equal(rte_pktmbuf_mtod(m, void *), f.data, f.len);
			assert_int_equal(xen_csum_complete_rx(m), 0);
		}
		frame_check_finished(&f, m);
		rte_pktmbuf_free(m);
	}
}

/* NETRXF_csum_blank, as far as the guest takes it. */
static void
test_ring_transmit(void **state)
{
	struct vif *v = *state;

	check_transmit(v, true);
	rawfront_reset(&v->f);
	rawfront_init_rings(&v->f, 0);
	rawfront_set(&v->f, "feature-no-csum-offload", "1");
	rawfront_publish(&v->f);
	rawfront_set(&v->f, "feature-ipv6-csum-offload", "0");
	rawfront_state(&v->f, XenbusStateConnected);
	unit_wait(unit_link(v->port));
	check_transmit(v, false);
	assert_true(unit_xstat(v->port, "tx_q0_csum_completed") > 0);
}

/* Segmentation is not offered, and so not prepared. */
static void
test_prepare_refuses(void **state)
{
	struct frame f = { .payload = 100 };
	struct vif *v = *state;
	struct rte_mbuf *pkts[2];

	frame_make(&f);
	pkts[0] = frame_mbuf(&f);
	pkts[1] = frame_mbuf(&f);
	pkts[1]->ol_flags |= RTE_MBUF_F_TX_TCP_SEG | frame_tx_flags(&f);
	assert_int_equal(rte_eth_tx_prepare(v->port, 0, pkts, 2), 1);
	assert_int_equal(rte_errno, ENOTSUP);
	pkts[1]->ol_flags = RTE_MBUF_F_TX_SCTP_CKSUM | RTE_MBUF_F_TX_IPV4;
	assert_int_equal(rte_eth_tx_prepare(v->port, 0, pkts, 2), 1);
	assert_int_equal(rte_errno, ENOTSUP);
	rte_pktmbuf_free_bulk(pkts, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_receive),
		cmocka_unit_test(test_udp_zero),
		cmocka_unit_test(test_receive_bad),
		cmocka_unit_test(test_receive_random),
		cmocka_unit_test(test_transmit),
		cmocka_unit_test(test_transmit_bad),
		vif_test(test_ring_receive),
		vif_test(test_ring_receive_only),
		vif_test(test_ring_transmit),
		vif_test(test_prepare_refuses),
	};

	return cmocka_run_group_tests_name("csum", tests, unit_setup, unit_teardown);
}
