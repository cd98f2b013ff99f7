/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Blank checksums: the drivers' arithmetic against one of the test's own. */

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include <rte_ether.h>

#include "frame.h"
#include "unit.h"
#include "xen_csum.h"
#include "xen_headers.h"

/* As many bytes of IPv6 headers as are parsed: 40 and 59 times 8. */
#define EXT_59 FRAME_EXT_10 FRAME_EXT_10 FRAME_EXT_10 FRAME_EXT_10 FRAME_EXT_10 "ddddddddd"
static_assert(40 + 8 * (sizeof(EXT_59) - 1) == XEN_HEADERS_IPV6_MAX, "the most that are parsed");

/* As frame_good[]; the lengths of their headers are more than an mbuf has room for. */
static const struct frame long_headers[] = {
	{ .ipv6 = true, .ext = EXT_59, .payload = 100 },
	{ .ipv6 = true, .ext = EXT_59, .udp = true, .vlans = 4, .seg = 50, .split = true },
};

static void
check_receive(const struct frame *frame)
{
	struct frame f = *frame;
	struct rte_mbuf *m;

	frame_make(&f);
	m = frame_mbuf(&f);
	assert_int_equal(xen_csum_complete_rx(m), 0);
	frame_check_finished(&f, m);
	assert_int_equal(m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK, RTE_MBUF_F_RX_L4_CKSUM_GOOD);
	rte_pktmbuf_free(m);
}

static void
test_receive(void **state __rte_unused)
{
	unsigned int i;

	for (i = 0; i < frame_nb_good; i++)
		check_receive(&frame_good[i]);
	for (i = 0; i < RTE_DIM(long_headers); i++)
		check_receive(&long_headers[i]);
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
expect_unfinished(const struct frame *f, int why)
{
	struct rte_mbuf *m = frame_mbuf(f);
	uint64_t flags = m->ol_flags;
	uint8_t flat[FRAME_MAX];

	assert_int_equal(xen_csum_complete_rx(m), why);
	assert_memory_equal(rte_pktmbuf_read(m, 0, m->pkt_len, flat), f->data, f->len);
	assert_int_equal(m->ol_flags, flags);
	rte_pktmbuf_free(m);
}

/* A frame with two bytes that are made to lie. */
struct lie {
	struct frame frame;
	int at; /* behind the start of L3 */
	uint16_t value;
};

static void
check_lies(const struct lie *lies, unsigned int n, int why)
{
	struct frame f;
	unsigned int i;

	for (i = 0; i < n; i++) {
		f = lies[i].frame;
		frame_make(&f);
		frame_set16(f.data + f.l3 + lies[i].at, lies[i].value);
		expect_unfinished(&f, why);
		f.split = true;
		f.seg = 9;
		expect_unfinished(&f, why);
	}
}

/* Lengths that cannot be. */
static void
test_receive_bad(void **state __rte_unused)
{
	static const struct lie lies[] = {
		{ { .payload = 20 }, 0, 0x4400 }, /* a header of 16 bytes */
		{ { .payload = 20 }, 0, 0x4000 },
		{ { .payload = 20 }, 0, 0x4F00 }, /* and of 60: then L4 does not fit */
		{ { .payload = 20 }, 0, 0x6500 }, /* of another IP than Ethernet says */
		{ { .payload = 20, .ipv6 = true }, 0, 0x4500 },
		{ { .payload = 20 }, 2, 61 }, /* longer than the frame */
		{ { .payload = 20 }, 2, 0xFFFF },
		{ { .payload = 20 }, 2, 39 }, /* too short for TCP */
		{ { .payload = 20 }, 2, 19 },
		{ { .payload = 20 }, 2, 0 },
		{ { .payload = 20, .udp = true }, 2, 27 },
		{ { .payload = 20, .ipv6 = true }, 4, 41 },
		{ { .payload = 20, .ipv6 = true }, 4, 0xFFFF },
		{ { .payload = 20, .ipv6 = true }, 4, 19 },
		{ { .payload = 20, .ipv6 = true, .options = 1 }, 40, 0x06FF },
		{ { .payload = 20, .ipv6 = true, .options = 1 }, 4, 27 },
		{ { .payload = 20, .ipv6 = true, .options = 1 }, 4, 7 },
		{ { .payload = 20, .ipv6 = true, .ext = "a" }, 40, 0x06FF },
		{ { .payload = 20, .ipv6 = true, .ext = "hr" }, 4, 15 },
	};
	struct frame f;
	unsigned int i;

	check_lies(lies, RTE_DIM(lies), -EINVAL);
	/* Cut short after every byte but the last. */
	for (i = 0; i < frame_nb_good; i++) {
		f = frame_good[i];
		if (f.seg != 0)
			continue;
		frame_make(&f);
		for (f.len -= f.padding + 1; f.len >= RTE_ETHER_HDR_LEN; f.len -= 1 + f.len / 16)
			expect_unfinished(&f, -EINVAL);
	}
}

/* Packets as they may be, yet without a TCP or UDP that could be finished. */
static void
test_receive_unparsed(void **state __rte_unused)
{
	static const struct lie lies[] = {
		{ { .payload = 20 }, -2, RTE_ETHER_TYPE_ARP },
		{ { .payload = 20 }, -2, RTE_ETHER_TYPE_MPLS },
		{ { .payload = 20 }, -2, 0x1234 },
		{ { .payload = 20 }, -2, 60 }, /* IEEE 802.3: a length */
		{ { .payload = 20, .vlans = 1 }, -2, RTE_ETHER_TYPE_ARP },
		{ { .payload = 20 }, 8, 0x4000 | IPPROTO_ICMP },
		{ { .payload = 20 }, 8, 0x4000 | IPPROTO_SCTP },
		{ { .payload = 20 }, 8, 0x4000 | IPPROTO_UDPLITE },
		{ { .payload = 20 }, 8, 0x4000 | IPPROTO_IPIP },
		{ { .payload = 20 }, 8, 0x4000 | IPPROTO_GRE },
		{ { .payload = 20 }, 6, 0x2000 }, /* the first of several fragments */
		{ { .payload = 20 }, 6, 0x0001 }, /* another one */
		{ { .payload = 20, .ipv6 = true }, 4, 0 }, /* a jumbogram */
		{ { .payload = 20, .ipv6 = true, .ext = "h" }, 4, 0 },
		{ { .payload = 20, .ipv6 = true }, 6, IPPROTO_FRAGMENT << 8 },
		{ { .payload = 20, .ipv6 = true }, 6, IPPROTO_NONE << 8 },
		{ { .payload = 20, .ipv6 = true }, 6, IPPROTO_ICMPV6 << 8 },
		{ { .payload = 20, .ipv6 = true }, 6, 0xFF00 },
	};
	static const struct frame frames[] = {
		{ .vlans = XEN_HEADERS_VLANS_MAX + 1, .payload = 20 },
		{ .vlans = FRAME_VLANS_MAX, .ipv6 = true, .payload = 20 },
		{ .ipv6 = true, .ext = "m", .payload = 20 },
		{ .ipv6 = true, .ext = "o", .payload = 20 },
		{ .ipv6 = true, .ext = "hdrm", .udp = true, .payload = 20 },
		{ .ipv6 = true, .ext = "fm", .payload = 20 },
		{ .ipv6 = true, .ext = "de", .payload = 20 },
		{ .ipv6 = true, .ext = EXT_59 "d", .payload = 20 },
		{ .ipv6 = true, .ext = EXT_59 EXT_59, .payload = 20, .seg = 60, .split = true },
	};
	struct frame f;
	unsigned int i;

	check_lies(lies, RTE_DIM(lies), -ENOTSUP);
	for (i = 0; i < RTE_DIM(frames); i++) {
		f = frames[i];
		frame_make(&f);
		expect_unfinished(&f, -ENOTSUP);
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
		f = frame_good[i % frame_nb_good];
		f.exact = true;
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

/* The packet as it is sent: a copy, changed as the driver says; NULL: it says no. */
static struct rte_mbuf *
transmit(struct rte_mbuf *m, bool peer_finishes, bool *blank)
{
	struct rte_mbuf *copy = rte_pktmbuf_copy(m, unit_pool, 0, UINT32_MAX);
	uint8_t before[FRAME_MAX], flat[FRAME_MAX];
	uint64_t flags = m->ol_flags;
	struct xen_csum_patch patch;
	int ret;

	assert_non_null(copy);
	assert_int_equal(copy->nb_segs, 1);
	memcpy(before, rte_pktmbuf_mtod(copy, void *), m->pkt_len);
	ret = xen_csum_prepare_tx(m, peer_finishes, blank, &patch);
	/* Nothing of the packet itself is changed. */
	assert_int_equal(m->ol_flags, flags);
	assert_memory_equal(rte_pktmbuf_read(m, 0, m->pkt_len, flat), before, m->pkt_len);
	if (ret < 0) {
		assert_int_equal(ret, -EINVAL);
		rte_pktmbuf_free(copy);
		return NULL;
	}
	assert_in_range(patch.len, 0, RTE_MIN((uint32_t)XEN_CSUM_PATCH_MAX, m->pkt_len));
	assert_int_equal(patch.len == 0, patch.nb == 0);
	xen_csum_apply(&patch, rte_pktmbuf_mtod(copy, uint8_t *));
	return copy;
}

static void
check_transmit(const struct frame *frame)
{
	struct rte_mbuf *m, *sent;
	struct frame f = *frame;
	uint8_t *ip_csum, right[2];
	bool blank;

	frame_make(&f);
	ip_csum = f.data + f.l3 + 10;
	m = frame_mbuf(&f);
	m->ol_flags |= frame_tx_flags(&f);
	sent = transmit(m, true, &blank);
	assert_non_null(sent);
	assert_int_equal(blank, frame_may_be_blank(&f));
	if (blank)
		assert_memory_equal(rte_pktmbuf_mtod(sent, void *), f.data, f.len);
	else
		frame_check_finished(&f, sent);
	rte_pktmbuf_free_bulk((struct rte_mbuf *[]){ m, sent }, 2);

	/* The IPv4 header's is to be computed, whatever stands there. */
	memcpy(right, ip_csum, sizeof(right));
	if (!f.ipv6)
		memset(ip_csum, 0x77, sizeof(right));
	m = frame_mbuf(&f);
	memcpy(ip_csum, right, sizeof(right));
	m->ol_flags |= frame_tx_flags(&f);
	sent = transmit(m, false, &blank);
	assert_non_null(sent);
	assert_false(blank);
	frame_check_finished(&f, sent);
	rte_pktmbuf_free_bulk((struct rte_mbuf *[]){ m, sent }, 2);
}

/* What an application sends is finished here, or left blank where the guest finishes it. */
static void
test_transmit(void **state __rte_unused)
{
	struct frame f;
	unsigned int i;

	for (i = 0; i < frame_nb_good; i++) {
		f = frame_good[i];
		check_transmit(&f);
		/* Whatever L2 is, and at odd places. */
		f.l2_extra = 1;
		check_transmit(&f);
		f.l2_extra = 127 - 14 - 4 * f.vlans;
		check_transmit(&f);
	}
}

/* One of the two checksums alone, or none. */
static void
test_transmit_parts(void **state __rte_unused)
{
	struct frame f = { .payload = 20 };
	struct xen_csum_patch patch;
	struct rte_mbuf *m;
	rte_be16_t value;
	bool blank;

	frame_make(&f);
	memcpy(&value, f.data + f.l3 + 10, 2);
	m = frame_mbuf(&f);
	m->ol_flags |= RTE_MBUF_F_TX_IPV4;
	assert_int_equal(xen_csum_prepare_tx(m, false, &blank, &patch), 0);
	assert_false(blank);
	assert_int_equal(patch.len, 0);
	/* It is right already. */
	m->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
	assert_int_equal(xen_csum_prepare_tx(m, false, &blank, &patch), 0);
	assert_int_equal(patch.len, 0);
	memset(rte_pktmbuf_mtod_offset(m, void *, f.l3 + 10), 0, 2);
	assert_int_equal(xen_csum_prepare_tx(m, false, &blank, &patch), 0);
	assert_false(blank);
	assert_int_equal(patch.nb, 1);
	assert_int_equal(patch.len, f.l3 + 12);
	assert_int_equal(patch.at[0].off, f.l3 + 10);
	assert_int_equal(patch.at[0].value, value);
	m->ol_flags |= RTE_MBUF_F_TX_TCP_CKSUM;
	assert_int_equal(xen_csum_prepare_tx(m, true, &blank, &patch), 0);
	assert_true(blank);
	assert_int_equal(patch.nb, 1);
	m->ol_flags &= ~RTE_MBUF_F_TX_IP_CKSUM;
	assert_int_equal(xen_csum_prepare_tx(m, false, &blank, &patch), 0);
	assert_int_equal(patch.nb, 1);
	assert_int_equal(patch.at[0].off, f.l4 + 16);
	assert_int_equal(patch.len, f.l4 + 18);
	/* IPv6 has no checksum in its header. */
	m->ol_flags = RTE_MBUF_F_TX_IPV6 | RTE_MBUF_F_TX_IP_CKSUM;
	assert_int_equal(xen_csum_prepare_tx(m, false, &blank, &patch), 0);
	assert_int_equal(patch.len, 0);
	rte_pktmbuf_free(m);
}

/* Whatever an application asks for, of whatever: nothing outside of the packet is read. */
static void
test_transmit_random(void **state __rte_unused)
{
	struct rte_mbuf *m, *sent;
	struct frame f;
	unsigned int i;
	bool blank;

	srand(2);
	for (i = 0; i < 20000; i++) {
		f = frame_good[i % frame_nb_good];
		f.exact = true;
		frame_make(&f);
		f.data[f.l3 + rand() % 8] = rand();
		m = frame_mbuf(&f);
		m->ol_flags |= (uint64_t)rand() << 40 & FRAME_TX_FLAGS;
		if (rand() % 2 == 0)
			m->l2_len = rand();
		if (rand() % 2 == 0)
			m->l3_len = rand();
		sent = transmit(m, rand() % 2 == 0, &blank);
		rte_pktmbuf_free(sent);
		rte_pktmbuf_free(m);
	}
	unit_check_pool();
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
		if (transmit(m, false, &blank) != NULL)
			fail_msg("case %u was accepted", i);
		rte_pktmbuf_free(m);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_receive),
		cmocka_unit_test(test_udp_zero),
		cmocka_unit_test(test_receive_bad),
		cmocka_unit_test(test_receive_unparsed),
		cmocka_unit_test(test_receive_random),
		cmocka_unit_test(test_transmit),
		cmocka_unit_test(test_transmit_parts),
		cmocka_unit_test(test_transmit_bad),
		cmocka_unit_test(test_transmit_random),
	};

	return cmocka_run_group_tests_name("csum", tests, unit_setup, unit_teardown);
}
