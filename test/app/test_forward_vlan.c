/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* VLANs: who may send what, with which tag, and who is sent it. */

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "bed.h"
#include "forward.h"
#include "packet.h"

/* Ports of bridge 3: access to 10, access to 20, trunk of both, trunk of both with 10 untagged,
 * and one that knows of no VLANs.
 */
#define ACCESS10 0
#define ACCESS20 1
#define TRUNK 2
#define HYBRID 3
#define PLAIN 4
#define PORTS 5

/* How a packet carries its VLAN. */
enum carry {
	UNTAGGED,
	/* In the frame. */
	TAGGED,
	/* In the mbuf: the device has taken it off. */
	STRIPPED,
};

static void
make_switch(void)
{
	static const uint16_t native[PORTS] = { 10, 20, VLAN_NONE, 10, 0 };
	uint16_t i;

	for (i = 0; i < PORTS; i++) {
		bed_port(i, 3);
		bed_native(i, native[i]);
	}
	vlan_tag(&bed_dp.ports[TRUNK].vlan, 10);
	vlan_tag(&bed_dp.ports[TRUNK].vlan, 20);
	vlan_tag(&bed_dp.ports[HYBRID].vlan, 20);
}

static struct rte_mbuf *
make(uint64_t to, uint64_t from, enum carry carry, uint16_t tci)
{
	struct rte_mbuf *m;
	struct packet p;

	put_eth(&p, to, from);
	if (carry == TAGGED) {
		put16(&p, RTE_ETHER_TYPE_VLAN);
		put16(&p, tci);
	}
	put16(&p, 0x88B5);
	put_fill(&p, 0x5A, 46);
	m = packet_mbuf(&p, 0);
	if (carry == STRIPPED) {
		m->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
		m->vlan_tci = tci;
	} else {
		/* Left behind by somebody. */
		m->vlan_tci = 0x123;
	}
	return m;
}

/* Fail unless these ports are sent it, without a tag in the frame; the mbuf tells the VLAN. */
static void
assert_sent(uint32_t to, uint16_t vlan, uint16_t priority)
{
	const struct rte_mbuf *m;
	uint16_t i;

	for (i = 0; i < PORTS; i++) {
		struct worker_out *out = &bed_worker.out[i];

		if (out->n != (to >> i & 1))
			fail_msg("port %u: %u packets of VLAN %u", i, out->n, vlan);
		if (out->n == 0)
			continue;
		m = out->pkts[0];
		assert_int_equal(m->vlan_tci, priority << 13 | vlan);
		assert_int_equal(m->pkt_len, 60);
		assert_int_equal(*rte_pktmbuf_mtod_offset(m, uint8_t *, 12), 0x88);
		assert_int_equal(m->ol_flags & (RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED),
				0);
	}
	for (i = 0; i < PORTS; i++)
		bed_expect(i, to >> i & 1);
	if (to != 0)
		assert_int_equal(bed_drops(), 0);
	assert_int_equal(bed_mbufs_out(), 0);
}

struct vlan_case {
	uint16_t in;
	enum carry carry;
	/* Of the tag; -1: no tag. */
	int tag;
	/* Where it belongs: -1: nowhere. */
	int vlan;
};

/* By 10: 0, 2, 3; by 20: 1, 2, 3; by 0: 4. */
static const struct vlan_case cases[] = {
	{ ACCESS10, UNTAGGED, -1, 10 },
	{ ACCESS10, TAGGED, 0, 10 },
	{ ACCESS10, TAGGED, 10, -1 },
	{ ACCESS10, TAGGED, 20, -1 },
	{ ACCESS10, TAGGED, 4095, -1 },
	{ ACCESS20, UNTAGGED, -1, 20 },
	{ ACCESS20, TAGGED, 0, 20 },
	{ ACCESS20, TAGGED, 10, -1 },
	{ TRUNK, UNTAGGED, -1, -1 },
	{ TRUNK, TAGGED, 0, -1 },
	{ TRUNK, TAGGED, 10, 10 },
	{ TRUNK, TAGGED, 20, 20 },
	{ TRUNK, TAGGED, 30, -1 },
	{ TRUNK, TAGGED, 4095, -1 },
	{ HYBRID, UNTAGGED, -1, 10 },
	{ HYBRID, TAGGED, 0, 10 },
	{ HYBRID, TAGGED, 20, 20 },
	{ HYBRID, TAGGED, 30, -1 },
	{ PLAIN, UNTAGGED, -1, 0 },
	{ PLAIN, TAGGED, 0, 0 },
	{ PLAIN, TAGGED, 10, -1 },
	{ PLAIN, TAGGED, 1, -1 },
};

static uint32_t
members_of(int vlan, uint16_t in)
{
	uint32_t to = vlan == 10   ? RTE_BIT32(ACCESS10) | RTE_BIT32(TRUNK) | RTE_BIT32(HYBRID) :
			vlan == 20 ? RTE_BIT32(ACCESS20) | RTE_BIT32(TRUNK) | RTE_BIT32(HYBRID) :
				     RTE_BIT32(PLAIN);

	return to & ~RTE_BIT32(in);
}

static void
run_case(const struct vlan_case *c, enum carry carry, uint64_t to, uint16_t priority)
{
	uint16_t tag = c->tag < 0 ? 0 : c->tag | priority << 13;
	uint32_t ports = members_of(c->vlan, c->in);

	bed_forward(c->in, make(to, MAC(100), carry, tag));
	if (c->vlan < 0) {
		bed_expect_drop(c->in, DROP_VLAN);
		bed_expect_nothing();
	} else if (ports == 0) {
		bed_expect_drop(c->in, DROP_NO_MEMBER);
		bed_expect_nothing();
	} else {
		assert_sent(ports, c->vlan, priority);
	}
}

static void
test_flood(void **state __rte_unused)
{
	unsigned int i, priority;

	make_switch();
	for (i = 0; i < RTE_DIM(cases); i++) {
		for (priority = 0; priority < (cases[i].tag < 0 ? 1 : 8); priority += 7) {
			run_case(&cases[i], cases[i].carry, MAC_BROADCAST, priority);
			run_case(&cases[i], cases[i].carry, MAC(101), priority);
			if (cases[i].carry != TAGGED)
				continue;
			run_case(&cases[i], STRIPPED, MAC_BROADCAST, priority);
			run_case(&cases[i], STRIPPED, MAC(101), priority);
		}
	}
}

/* The same address in two VLANs is behind two ports. */
static void
test_unicast(void **state __rte_unused)
{
	unsigned int i;

	make_switch();
	bed_learn(MAC(100), HYBRID, 10);
	bed_learn(MAC(100), ACCESS20, 20);
	bed_learn(MAC(100), PLAIN, 0);
	for (i = 0; i < 3; i++) {
		bed_forward(ACCESS10, make(MAC(100), MAC(101), UNTAGGED, 0));
		assert_sent(RTE_BIT32(HYBRID), 10, 0);
		bed_forward(TRUNK, make(MAC(100), MAC(101), TAGGED, 0xA00A));
		assert_sent(RTE_BIT32(HYBRID), 10, 5);
		bed_forward(TRUNK, make(MAC(100), MAC(101), STRIPPED, 20));
		assert_sent(RTE_BIT32(ACCESS20), 20, 0);
		bed_forward(TRUNK, make(MAC(100), MAC(101), TAGGED, 10));
		assert_sent(RTE_BIT32(HYBRID), 10, 0);
	}
	bed_forward(PLAIN, make(MAC(100), MAC(101), UNTAGGED, 0));
	bed_expect_drop(PLAIN, DROP_SAME_PORT);
	bed_forward(HYBRID, make(MAC(100), MAC(101), TAGGED, 20));
	assert_sent(RTE_BIT32(ACCESS20), 20, 0);
}

static void
test_learn(void **state __rte_unused)
{
	struct worker_news news;

	make_switch();
	bed_forward(TRUNK, make(MAC(100), MAC(101), TAGGED, 0xE014));
	assert_true(bed_news(&news));
	assert_int_equal(news.key, fdb_key(MAC(101), 3, 20));
	bed_forward(ACCESS10, make(MAC(100), MAC(101), TAGGED, 0xE000));
	assert_true(bed_news(&news));
	assert_int_equal(news.key, fdb_key(MAC(101), 3, 10));
	assert_int_equal(news.port, ACCESS10);
	/* What may not come in tells nothing. */
	bed_forward(ACCESS10, make(MAC(100), MAC(101), TAGGED, 20));
	assert_false(bed_news(&news));
}

/* A guest's address is its own in its own VLANs. */
static void
test_pinned(void **state __rte_unused)
{
	make_switch();
	bed_guest(5, 3, MAC(5), GUARD_MAC, 10);
	bed_forward(TRUNK, make(MAC(100), MAC(5), TAGGED, 10));
	bed_expect_drop(TRUNK, DROP_SOURCE_OTHER);
	bed_forward(TRUNK, make(MAC(100), MAC(5), TAGGED, 20));
	assert_sent(RTE_BIT32(ACCESS20) | RTE_BIT32(HYBRID), 20, 0);
	bed_forward(TRUNK, make(MAC(5), MAC(100), TAGGED, 10));
	bed_expect(5, 1);
	bed_forward(TRUNK, make(MAC(5), MAC(100), TAGGED, 20));
	assert_sent(RTE_BIT32(ACCESS20) | RTE_BIT32(HYBRID), 20, 0);
	bed_expect(5, 0);
}

/* The source of a tagged packet is looked at as any other. */
static void
test_locked(void **state __rte_unused)
{
	make_switch();
	bed_guest(5, 3, MAC(5), GUARD_MAC, 10);
	vlan_tag(&bed_dp.ports[5].vlan, 20);
	bed_forward(5, make(MAC_BROADCAST, MAC(5), TAGGED, 20));
	assert_sent(members_of(20, 5), 20, 0);
	bed_forward(5, make(MAC_BROADCAST, MAC(6), TAGGED, 20));
	bed_expect_drop(5, DROP_SOURCE_MAC);
	bed_forward(5, make(MAC_BROADCAST, MAC(6), TAGGED, 0));
	bed_expect_drop(5, DROP_SOURCE_MAC);
	bed_forward(5, make(MAC_BROADCAST, MAC(6), STRIPPED, 20));
	bed_expect_drop(5, DROP_SOURCE_MAC);
	bed_expect_nothing();
}

static void
make_double(struct packet *p, uint16_t outer, uint16_t outer_tci, uint16_t inner, uint16_t tci)
{
	put_eth_type(p, MAC_BROADCAST, MAC(5), outer);
	put16(p, outer_tci);
	put16(p, inner);
	put16(p, tci);
	put16(p, 0x88B5);
	put_fill(p, 0, 46);
}

/* A tag below the first one would be the first one where that is taken off. */
static void
test_double_tags(void **state __rte_unused)
{
	static const uint16_t inner[] = { RTE_ETHER_TYPE_VLAN, RTE_ETHER_TYPE_QINQ };
	struct rte_mbuf *m;
	struct packet p;
	unsigned int i;

	make_switch();
	bed_guest(5, 3, MAC(5), GUARD_MAC, 10);
	for (i = 0; i < RTE_DIM(inner); i++) {
		make_double(&p, RTE_ETHER_TYPE_VLAN, 0, inner[i], 20);
		bed_forward(5, packet_mbuf(&p, 0));
		bed_expect_drop(5, DROP_VLAN);
		vlan_tag(&bed_dp.ports[5].vlan, 20);
		make_double(&p, RTE_ETHER_TYPE_VLAN, 20, inner[i], 10);
		bed_forward(5, packet_mbuf(&p, 0));
		bed_expect_drop(5, DROP_VLAN);
		put_eth_type(&p, MAC_BROADCAST, MAC(5), inner[i]);
		put16(&p, 10);
		put_fill(&p, 0, 46);
		m = packet_mbuf(&p, 0);
		m->ol_flags = RTE_MBUF_F_RX_VLAN_STRIPPED;
		m->vlan_tci = 20;
		bed_forward(5, m);
		bed_expect_drop(5, DROP_VLAN);
		memset(&bed_dp.ports[5].vlan.tagged, 0, sizeof(bed_dp.ports[5].vlan.tagged));
	}
	make_double(&p, RTE_ETHER_TYPE_QINQ, 10, RTE_ETHER_TYPE_VLAN, 20);
	bed_forward(5, packet_mbuf(&p, 0));
	bed_expect_drop(5, DROP_VLAN);
	bed_expect_nothing();
	/* An uplink may. */
	make_double(&p, RTE_ETHER_TYPE_VLAN, 20, RTE_ETHER_TYPE_VLAN, 10);
	p.data[11] = 7;
	bed_forward(TRUNK, packet_mbuf(&p, 0));
	assert_int_equal(bed_worker.out[ACCESS20].pkts[0]->pkt_len, 64);
	bed_expect(ACCESS20, 1);
	bed_expect(HYBRID, 1);
	bed_expect_nothing();
}

/* A tag that is not all there. */
static void
test_short_tag(void **state __rte_unused)
{
	struct packet p;
	uint32_t cuts[1];

	make_switch();
	make_double(&p, RTE_ETHER_TYPE_VLAN, 20, 0x88B5, 0);
	p.data[11] = 7;
	for (p.len = 14; p.len < 18; p.len++) {
		bed_forward(TRUNK, packet_mbuf_exact(&p, NULL, 0));
		bed_expect_drop(TRUNK, DROP_SHORT);
	}
	p.len = 64;
	for (cuts[0] = 14; cuts[0] < 18; cuts[0]++) {
		bed_forward(TRUNK, packet_mbuf_exact(&p, cuts, 1));
		bed_expect_drop(TRUNK, DROP_SHORT);
	}
	bed_forward(TRUNK, packet_mbuf_exact(&p, cuts, 1));
	assert_sent(RTE_BIT32(ACCESS20) | RTE_BIT32(HYBRID), 20, 0);
	p.len = 18;
	bed_forward(TRUNK, packet_mbuf_exact(&p, NULL, 0));
	bed_expect(ACCESS20, 1);
	bed_expect(HYBRID, 1);
}

/* Those with the tag and those without are sent two packets, which have the same data. */
static void
test_variants(void **state __rte_unused)
{
	struct worker_out *out = bed_worker.out;
	struct rte_mbuf *untagged, *tagged;

	make_switch();
	bed_port(5, 3);
	bed_native(5, 10);
	bed_port(6, 3);
	bed_native(6, VLAN_NONE);
	vlan_tag(&bed_dp.ports[6].vlan, 10);
	bed_forward(ACCESS10, make(MAC_BROADCAST, MAC(100), UNTAGGED, 0));
	untagged = out[HYBRID].pkts[0];
	tagged = out[TRUNK].pkts[0];
	assert_ptr_not_equal(untagged, tagged);
	assert_ptr_equal(out[5].pkts[0], untagged);
	assert_ptr_equal(out[6].pkts[0], tagged);
	assert_ptr_equal(rte_pktmbuf_mtod(tagged, void *), rte_pktmbuf_mtod(untagged, void *));
	assert_int_equal(bed_mbufs_out(), 2);
	/* Whoever puts a tag into the frame sees that he is not alone. */
	assert_true(!RTE_MBUF_DIRECT(tagged) || rte_mbuf_refcnt_read(tagged) > 1);
	assert_int_equal(tagged->vlan_tci, 10);
	assert_int_equal(untagged->vlan_tci, 10);
	bed_expect(6, 1);
	bed_expect(TRUNK, 1);
	assert_int_equal(rte_mbuf_refcnt_read(untagged), 2);
	bed_expect(5, 1);
	assert_int_equal(rte_mbuf_refcnt_read(untagged), 1);
	bed_expect(HYBRID, 1);
	assert_int_equal(bed_mbufs_out(), 0);
	/* In the other order. */
	bed_forward(ACCESS10, make(MAC_BROADCAST, MAC(100), UNTAGGED, 0));
	bed_expect(5, 1);
	bed_expect(HYBRID, 1);
	assert_int_equal(bed_mbufs_out(), 2);
	bed_expect(TRUNK, 1);
	bed_expect(6, 1);
	assert_int_equal(bed_mbufs_out(), 0);
	assert_int_equal(bed_worker.stats[ACCESS10].rx_flooded, 2);
}

/* No mbuf for the variant: those who need none are sent the packet. */
static void
test_no_mbuf(void **state __rte_unused)
{
	static struct rte_mbuf *taken[BED_MBUFS];
	unsigned int n;
	struct rte_mbuf *m;

	make_switch();
	m = make(MAC_BROADCAST, MAC(100), UNTAGGED, 0);
	for (n = 0; n < RTE_DIM(taken); n++) {
		taken[n] = rte_pktmbuf_alloc(unit_pool);
		if (taken[n] == NULL)
			break;
	}
	bed_forward(ACCESS10, m);
	bed_expect(HYBRID, 1);
	bed_expect(TRUNK, 0);
	bed_expect_drop(ACCESS10, DROP_NO_MBUF);
	/* When all have it tagged there is no variant. */
	m = make(MAC_BROADCAST, MAC(100), TAGGED, 20);
	assert_non_null(m);
	bed_native(ACCESS20, VLAN_NONE);
	vlan_tag(&bed_dp.ports[ACCESS20].vlan, 20);
	bed_forward(TRUNK, m);
	bed_expect(ACCESS20, 1);
	bed_expect(HYBRID, 1);
	rte_pktmbuf_free_bulk(taken, n);
}

static void
test_isolated(void **state __rte_unused)
{
	make_switch();
	bed_dp.bridges[3].isolated = RTE_BIT32(ACCESS10) | RTE_BIT32(HYBRID);
	bed_forward(ACCESS10, make(MAC_BROADCAST, MAC(100), UNTAGGED, 0));
	assert_sent(RTE_BIT32(TRUNK), 10, 0);
	bed_dp.bridges[3].isolated |= RTE_BIT32(TRUNK);
	bed_forward(ACCESS10, make(MAC_BROADCAST, MAC(100), UNTAGGED, 0));
	bed_expect_drop(ACCESS10, DROP_NO_MEMBER);
	bed_expect_nothing();
}

#define case_of(name) cmocka_unit_test_setup_teardown(name, bed_begin, bed_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		case_of(test_flood),
		case_of(test_unicast),
		case_of(test_learn),
		case_of(test_pinned),
		case_of(test_locked),
		case_of(test_double_tags),
		case_of(test_short_tag),
		case_of(test_variants),
		case_of(test_no_mbuf),
		case_of(test_isolated),
	};

	return cmocka_run_group_tests_name("vsw_forward_vlan", tests, bed_setup, bed_teardown);
}
