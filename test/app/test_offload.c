/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Checksums and segments that a guest has left to its backend. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <rte_ip.h>
#include <rte_tcp.h>

#include "bed.h"
#include "frame.h"
#include "offload.h"
#include "packet.h"

#define PARTS_MAX OFFLOAD_SEGMENTS_MAX
#define RX_FLAGS (RTE_MBUF_F_RX_LRO | RTE_MBUF_F_RX_L4_CKSUM_MASK)

/* A frame as a guest's packet: its headers are not told. */
static struct rte_mbuf *
received(struct frame *f, uint64_t flags)
{
	struct rte_mbuf *m = frame_mbuf(f);

	m->ol_flags = flags;
	m->l2_len = m->l3_len = m->l4_len = 0;
	return m;
}

static uint64_t
wanted_flags(const struct frame *f)
{
	return (f->ipv6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4) |
			(f->udp ? RTE_MBUF_F_TX_UDP_CKSUM : RTE_MBUF_F_TX_TCP_CKSUM);
}

/* DPDK reads two tags, the usual ones, and four extension headers at most: so does the switch. */
static bool
is_known(const struct frame *f)
{
	unsigned int i;

	for (i = 0; i < f->vlans; i++) {
		if (f->tpid[i] != 0)
			return false;
	}
	return f->vlans <= 2 &&
			(f->ext == NULL || (strlen(f->ext) < 5 && strpbrk(f->ext, "afh") == NULL));
}

static void
test_good(void **state __rte_unused)
{
	struct rte_mbuf *m;
	unsigned int i, n = 0;
	struct frame f;
	int ret;

	for (i = 0; i < frame_nb_good; i++) {
		f = frame_good[i];
		frame_make(&f);
		m = received(&f, RTE_MBUF_F_RX_L4_CKSUM_NONE);
		ret = offload_receive(m);
		if (ret == 0) {
			assert_int_equal(m->ol_flags, wanted_flags(&f));
			assert_int_equal(m->l2_len, f.l3);
			assert_int_equal(m->l3_len, f.l4 - f.l3);
			ret = offload_complete(m);
		}
		if (ret == 0) {
			assert_int_equal(m->ol_flags & OFFLOAD_TX, 0);
			frame_check_finished(&f, m);
			n++;
		} else {
			assert_int_equal(ret, -EINVAL);
			if (is_known(&f) && !f.split && f.options < 6)
				fail_msg("frame %u is refused", i);
		}
		rte_pktmbuf_free(m);
	}
	assert_true(n > 20);
}

/* Not what pads it. */
static void
test_padding(void **state __rte_unused)
{
	struct frame f;
	struct rte_mbuf *m;
	unsigned int kind, padding;

	for (kind = 0; kind < 4; kind++) {
		for (padding = 0; padding < 20; padding++) {
			f = (struct frame){ .ipv6 = kind % 2 != 0,
				.udp = kind / 2 != 0,
				.payload = padding % 3,
				.padding = padding };
			frame_make(&f);
			m = received(&f, RTE_MBUF_F_RX_L4_CKSUM_NONE);
			assert_int_equal(offload_receive(m), 0);
			assert_int_equal(offload_complete(m), 0);
			frame_check_finished(&f, m);
			rte_pktmbuf_free(m);
		}
	}
}

/* A sum of zero is sent as ones in UDP, where zero means that there is none. */
static void
test_zero_sum(void **state __rte_unused)
{
	struct frame f = { .udp = true, .payload = 2 };
	struct rte_mbuf *m;
	uint16_t sum;

	frame_make(&f);
	frame_set16(&f.data[f.l4 + 8], 0);
	sum = frame_sum(&f);
	/* With this word behind it, it is 0xFFFF, whose complement is zero. */
	frame_set16(&f.data[f.l4 + 8], 0xFFFF - sum);
	m = received(&f, RTE_MBUF_F_RX_L4_CKSUM_NONE);
	assert_int_equal(offload_receive(m), 0);
	assert_int_equal(offload_complete(m), 0);
	frame_check_finished(&f, m);
	rte_pktmbuf_free(m);
}

static void
assert_receive_fails(const struct packet *p, uint64_t flags)
{
	struct rte_mbuf *m = packet_mbuf(p, 0);

	m->ol_flags = flags;
	m->tso_segsz = 100;
	if (offload_receive(m) == 0 &&
			((m->ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0 || offload_complete(m) == 0))
		fail_msg("%u bytes pass", p->len);
	rte_pktmbuf_free(m);
}

static void
frame_packet(const struct frame *f, struct packet *p)
{
	p->len = 0;
	put(p, f->data, f->len);
}

/* Cut at any place. */
static void
test_truncated(void **state __rte_unused)
{
	struct packet p;
	struct frame f;
	unsigned int kind;

	for (kind = 0; kind < 8; kind++) {
		f = (struct frame){ .ipv6 = kind % 2 != 0,
			.udp = kind / 2 % 2 != 0,
			.payload = 5,
			.options = kind / 4 * 3 };
		frame_make(&f);
		frame_packet(&f, &p);
		while (p.len-- > 0)
			assert_receive_fails(&p, RTE_MBUF_F_RX_L4_CKSUM_NONE);
	}
}

/* The length that IP tells: less than the headers, and more than there is. */
static void
test_lengths(void **state __rte_unused)
{
	struct frame f;
	struct packet p;
	unsigned int kind, len, least, header;

	for (kind = 0; kind < 4; kind++) {
		f = (struct frame){
			.ipv6 = kind % 2 != 0, .udp = kind / 2 != 0, .payload = 5, .padding = 30
		};
		header = f.udp ? 8 : 20;
		frame_make(&f);
		least = f.ipv6 ? 0 : 20;
		for (len = 0; len < 200; len++) {
			if (len >= least + header && len <= least + header + 35)
				continue;
			frame_packet(&f, &p);
			frame_set16(&p.data[f.l3 + (f.ipv6 ? 4 : 2)], len);
			assert_receive_fails(&p, RTE_MBUF_F_RX_L4_CKSUM_NONE);
		}
		frame_set16(&p.data[f.l3 + (f.ipv6 ? 4 : 2)], 0xFFFF);
		assert_receive_fails(&p, RTE_MBUF_F_RX_L4_CKSUM_NONE);
	}
}

/* Nothing that there is a checksum in, or nothing that can be segmented. */
static void
test_wrong_kind(void **state __rte_unused)
{
	struct frame f = { .payload = 100 };
	struct packet p;

	frame_make(&f);
	frame_packet(&f, &p);
	p.data[f.l3 + 9] = 1;
	assert_receive_fails(&p, RTE_MBUF_F_RX_L4_CKSUM_NONE);
	p.data[f.l3 + 9] = 132;
	assert_receive_fails(&p, RTE_MBUF_F_RX_L4_CKSUM_NONE);
	/* Fragments. */
	p.data[f.l3 + 9] = 6;
	p.data[f.l3 + 6] = 0x20;
	assert_receive_fails(&p, RTE_MBUF_F_RX_L4_CKSUM_NONE);
	p.data[f.l3 + 6] = 0;
	p.data[f.l3 + 7] = 1;
	assert_receive_fails(&p, RTE_MBUF_F_RX_L4_CKSUM_NONE);
	/* Another EtherType. */
	put_any(&p, 1, 2, 60);
	assert_receive_fails(&p, RTE_MBUF_F_RX_L4_CKSUM_NONE);
	/* UDP, as a whole. */
	f.udp = true;
	frame_make(&f);
	frame_packet(&f, &p);
	assert_receive_fails(&p, RX_FLAGS);
	f = (struct frame){ .ipv6 = true, .ext = "o", .payload = 10 };
	frame_make(&f);
	frame_packet(&f, &p);
	assert_receive_fails(&p, RTE_MBUF_F_RX_L4_CKSUM_NONE);
}

/* Extension headers of more bytes than the mbuf can say. */
static void
test_long_extensions(void **state __rte_unused)
{
	struct packet p;
	unsigned int words;

	for (words = 57; words < 200; words++) {
		put_eth_type(&p, 2, 4, RTE_ETHER_TYPE_IPV6);
		put_ip6(&p, ip6_ula(1), 60, 8 * words + 8 + 20 + 100);
		put8(&p, 6);
		put8(&p, words);
		put_fill(&p, 0, 6 + 8 * words);
		put_fill(&p, 0x55, 120);
		if (40 + 8 + 8 * words > 511)
			assert_receive_fails(&p, RTE_MBUF_F_RX_L4_CKSUM_NONE);
	}
}

/* What asks a NIC for segments has to make sense before it does: none of them looks. */
static void
test_lro_refused(void **state __rte_unused)
{
	struct frame f = { .payload = 500 };
	struct rte_mbuf *m;
	struct packet p;
	unsigned int i;

	frame_make(&f);
	for (i = 0; i < 5; i++) {
		frame_packet(&f, &p);
		p.data[f.l4 + 12] = i << 4;
		assert_receive_fails(&p, RTE_MBUF_F_RX_LRO);
	}
	m = received(&f, RTE_MBUF_F_RX_LRO);
	m->tso_segsz = 0;
	assert_int_equal(offload_receive(m), -EINVAL);
	rte_pktmbuf_free(m);
	/* Headers alone, and not even these. */
	for (i = 0; i <= 20; i++) {
		frame_packet(&f, &p);
		p.len = f.l4 + i;
		assert_receive_fails(&p, RTE_MBUF_F_RX_LRO);
	}
}

static struct rte_mbuf *
whole(struct frame *f, uint16_t mss)
{
	struct rte_mbuf *m = received(f, RTE_MBUF_F_RX_LRO | RTE_MBUF_F_RX_L4_CKSUM_NONE);

	m->tso_segsz = mss;
	assert_int_equal(offload_receive(m), 0);
	assert_int_equal(m->ol_flags, wanted_flags(f) | RTE_MBUF_F_TX_TCP_SEG);
	assert_int_equal(m->l4_len, 20);
	assert_int_equal(m->tso_segsz, mss);
	m->vlan_tci = 0x6123;
	return m;
}

/* One part: headers, sums, and its piece of the payload. */
static void
check_part(const struct frame *f, struct rte_mbuf *part, unsigned int i, uint32_t offset,
		uint32_t len, bool last)
{
	uint32_t payload = f->l4 + 20;
	uint8_t flat[FRAME_MAX], *ip = &flat[f->l3], flags = 0xFF;
	const uint8_t *data = rte_pktmbuf_read(part, 0, part->pkt_len, flat);
	struct rte_tcp_hdr tcp;
	uint16_t ip_len;

	assert_int_equal(part->pkt_len, payload + len);
	assert_int_equal(part->ol_flags & (OFFLOAD_TX | RX_FLAGS), 0);
	assert_int_equal(part->vlan_tci, 0x6123);
	if (data != flat)
		memcpy(flat, data, part->pkt_len);
	assert_memory_equal(flat, f->data, f->l3);
	assert_memory_equal(&flat[payload], &f->data[payload + offset], len);
	memcpy(&tcp, &flat[f->l4], sizeof(tcp));
	assert_int_equal(rte_be_to_cpu_32(tcp.sent_seq), 0xFFFFFF00u + offset);
	if (!last)
		flags &= ~(RTE_TCP_FIN_FLAG | RTE_TCP_PSH_FLAG);
	if (i != 0)
		flags &= ~RTE_TCP_CWR_FLAG;
	assert_int_equal(tcp.tcp_flags, flags);
	assert_memory_equal(&flat[f->l4 + 8], &f->data[f->l4 + 8], 5);
	ip_len = ip[f->ipv6 ? 4 : 2] << 8 | ip[f->ipv6 ? 5 : 3];
	assert_int_equal(ip_len, part->pkt_len - f->l3 - (f->ipv6 ? 40 : 0));
	if (f->ipv6) {
		assert_memory_equal(&ip[6], &f->data[f->l3 + 6], f->l4 - f->l3 - 6);
	} else {
		assert_int_equal((uint16_t)(ip[4] << 8 | ip[5]), (uint16_t)(0xFFFE + i));
		assert_int_equal(rte_raw_cksum(ip, f->l4 - f->l3), 0xFFFF);
		assert_memory_equal(&ip[6], &f->data[f->l3 + 6], 4);
	}
	/* The sum of all, as the frame's own arithmetic has it. */
	struct frame copy = *f;

	memcpy(copy.data, flat, part->pkt_len);
	copy.l4_len = 20 + len;
	assert_int_equal(frame_sum(&copy), 0xFFFF);
}

static void
make_whole(struct frame *f)
{
	frame_make(f);
	memset(&f->data[f->l4 + 4], 0xFF, 4);
	f->data[f->l4 + 7] = 0;
	f->data[f->l4 + 13] = 0xFF;
	if (!f->ipv6)
		frame_set16(&f->data[f->l3 + 4], 0xFFFE);
}

static void
check_segments(struct frame *f, uint16_t mss)
{
	struct rte_mbuf *parts[PARTS_MAX], *m;
	uint32_t offset, len;
	int n, i;

	make_whole(f);
	m = whole(f, mss);
	n = offload_segment(m, unit_pool, parts, PARTS_MAX);
	assert_int_equal(n, (f->payload + mss - 1) / mss);
	for (i = 0, offset = 0; i < n; i++, offset += len) {
		len = RTE_MIN(mss, f->payload - offset);
		check_part(f, parts[i], i, offset, len, i == n - 1);
	}
	rte_pktmbuf_free_bulk(parts, n);
	assert_int_equal(bed_mbufs_out(), 0);
}

static void
test_segments(void **state __rte_unused)
{
	static const uint16_t sizes[] = { 7, 8, 100, 255, 500, 536, 1000, 1448, 1799, 1800, 65535 };
	static const struct frame frames[] = {
		{ .payload = 1800 },
		{ .payload = 1800, .ipv6 = true },
		{ .payload = 1000, .seg = 1, .options = 3 },
		{ .payload = 1800, .seg = 13 },
		{ .payload = 1800, .seg = 200, .ipv6 = true },
		{ .payload = 1800, .seg = 100, .vlans = 1 },
		{ .payload = 1500, .seg = 333, .ipv6 = true, .options = 2 },
		{ .payload = 1 },
	};
	unsigned int i, j;

	for (i = 0; i < RTE_DIM(frames); i++) {
		for (j = 0; j < RTE_DIM(sizes); j++) {
			struct frame f = frames[i];

			if (f.payload / sizes[j] < PARTS_MAX)
				check_segments(&f, sizes[j]);
		}
	}
}

/* The data of a packet that is flooded is not written to. */
static void
test_segments_shared(void **state __rte_unused)
{
	struct frame f = { .payload = 1500 };
	struct rte_mbuf *parts[PARTS_MAX], *m;
	int n;

	make_whole(&f);
	m = whole(&f, 500);
	rte_pktmbuf_refcnt_update(m, 1);
	n = offload_segment(m, unit_pool, parts, PARTS_MAX);
	assert_int_equal(n, 3);
	rte_pktmbuf_free_bulk(parts, n);
	assert_int_equal(rte_mbuf_refcnt_read(m), 1);
	assert_int_equal(m->pkt_len, f.len);
	assert_memory_equal(rte_pktmbuf_mtod(m, void *), f.data, f.len);
	assert_int_equal(m->ol_flags, wanted_flags(&f) | RTE_MBUF_F_TX_TCP_SEG);
	rte_pktmbuf_free(m);
}

static void
assert_segment_fails(struct rte_mbuf *m, unsigned int max, int error)
{
	struct rte_mbuf *parts[PARTS_MAX];
	unsigned int out = bed_mbufs_out();

	assert_int_equal(offload_segment(m, unit_pool, parts, max), error);
	assert_int_equal(bed_mbufs_out(), out);
}

static void
test_segments_refused(void **state __rte_unused)
{
	struct frame f = { .payload = 1500 };
	struct rte_mbuf *m;

	make_whole(&f);
	m = whole(&f, 5);
	assert_segment_fails(m, PARTS_MAX, -EINVAL);
	m->tso_segsz = 500;
	assert_segment_fails(m, 2, -EINVAL);
	assert_segment_fails(m, 0, -EINVAL);
	m->tso_segsz = 0;
	assert_segment_fails(m, PARTS_MAX, -EINVAL);
	m->tso_segsz = 500;
	m->l4_len = 19;
	assert_segment_fails(m, PARTS_MAX, -EINVAL);
	m->l4_len = 20;
	m->l3_len = 19;
	assert_segment_fails(m, PARTS_MAX, -EINVAL);
	m->l3_len = 500;
	assert_segment_fails(m, PARTS_MAX, -EINVAL);
	m->l3_len = 20;
	assert_int_equal(rte_pktmbuf_trim(m, 1500), 0);
	assert_segment_fails(m, PARTS_MAX, -EINVAL);
	assert_int_equal(rte_pktmbuf_trim(m, 1), 0);
	assert_segment_fails(m, PARTS_MAX, -EINVAL);
	rte_pktmbuf_free(m);
}

/* The pool is empty in the middle: what there was is there again. */
static void
test_pool_empty(void **state __rte_unused)
{
	static struct rte_mbuf *taken[BED_MBUFS];
	struct rte_mbuf *parts[PARTS_MAX], *m;
	struct frame f = { .payload = 1600, .seg = 700 };
	unsigned int left, n;

	make_whole(&f);
	m = whole(&f, 100);
	for (left = 0; left < 16; left++) {
		n = rte_mempool_avail_count(unit_pool) - left;
		assert_int_equal(rte_pktmbuf_alloc_bulk(unit_pool, taken, n), 0);
		assert_segment_fails(m, PARTS_MAX, -ENOMEM);
		rte_pktmbuf_free_bulk(taken, n);
	}
	n = rte_mempool_avail_count(unit_pool) - left;
	assert_int_equal(rte_pktmbuf_alloc_bulk(unit_pool, taken, n), 0);
	assert_int_equal(offload_segment(m, unit_pool, parts, PARTS_MAX), 16);
	rte_pktmbuf_free_bulk(parts, 16);
	rte_pktmbuf_free_bulk(taken, n);
}

static void
test_missing(void **state __rte_unused)
{
	static const struct {
		uint64_t asks;
		uint64_t needs;
	} cases[] = {
		{ RTE_MBUF_F_TX_TCP_CKSUM, RTE_ETH_TX_OFFLOAD_TCP_CKSUM },
		{ RTE_MBUF_F_TX_UDP_CKSUM, RTE_ETH_TX_OFFLOAD_UDP_CKSUM },
		{ RTE_MBUF_F_TX_IP_CKSUM, RTE_ETH_TX_OFFLOAD_IPV4_CKSUM },
		{ RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_TCP_CKSUM,
				RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_TCP_CKSUM },
	};
	struct rte_mbuf m = { .ol_flags = 0 };
	uint64_t left;
	unsigned int i;

	assert_false(offload_missing(&m, 0));
	for (i = 0; i < RTE_DIM(cases); i++) {
		m.ol_flags = cases[i].asks | RTE_MBUF_F_TX_IPV4;
		assert_false(offload_missing(&m, cases[i].needs));
		for (left = cases[i].needs; left != 0; left &= left - 1)
			assert_true(offload_missing(&m, ~(left & -left)));
	}
}

#define case_of(name) cmocka_unit_test_setup_teardown(name, bed_begin, bed_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		case_of(test_good),
		case_of(test_padding),
		case_of(test_zero_sum),
		case_of(test_truncated),
		case_of(test_lengths),
		case_of(test_wrong_kind),
		case_of(test_long_extensions),
		case_of(test_lro_refused),
		case_of(test_segments),
		case_of(test_segments_shared),
		case_of(test_segments_refused),
		case_of(test_pool_empty),
		case_of(test_missing),
	};

	return cmocka_run_group_tests_name("vsw_offload", tests, bed_setup, bed_teardown);
}
