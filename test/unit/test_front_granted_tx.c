/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* What net_xenfront sends in the pages of a mempool that is granted, and what it copies. */

#include "frame.h"
#include "granted.h"
#include "rawback.h"
#include "unit.h"

#define PKTS 32

/* Sent packets, as the backend sees them. */
struct sent {
	uint32_t len;
	unsigned int nb_slots;
	unsigned int nb_extras;
	uint16_t flags;
	uint16_t ids[XEN_NETIF_SLOTS_MIN];
	uint32_t grefs[XEN_NETIF_SLOTS_MIN];
	uint16_t offsets[XEN_NETIF_SLOTS_MIN];
	uint16_t lens[XEN_NETIF_SLOTS_MIN];
	uint8_t data[UINT16_MAX + 1];
};

/* Take the slots of the next packet; its bytes are read page by page. */
static void
take_sent(struct sent *s)
{
	struct netif_tx_request req;
	uint32_t rest = 0, at = 0;
	unsigned int i;

	memset(s, 0, sizeof(*s));
	do {
		assert_true(rawback.tx_cons != rawback.tx->req_prod);
		assert_in_range(s->nb_slots, 0, XEN_NETIF_SLOTS_MIN - 1);
		req = rawback.tx->ring[rawback.tx_cons++ & XEN_NETIF_RING_MASK].req;
		i = s->nb_slots++;
		s->ids[i] = req.id;
		s->grefs[i] = req.gref;
		s->offsets[i] = req.offset;
		s->lens[i] = req.size;
		rest += i != 0 ? req.size : 0;
		if (i == 0) {
			s->flags = req.flags;
			s->len = req.size;
			s->nb_extras = (req.flags & NETTXF_extra_info) != 0;
			rawback.tx_cons += s->nb_extras;
		}
	} while ((req.flags & NETTXF_more_data) != 0);
	s->lens[0] -= rest;
	for (i = 0; i < s->nb_slots; i++) {
		assert_true(s->offsets[i] + s->lens[i] <= XEN_PAGE_BYTES);
		rawback_read_at(s->grefs[i], s->offsets[i], s->data + at, s->lens[i]);
		at += s->lens[i];
	}
	assert_int_equal(at, s->len);
}

/* Answer its slots, the last one first. */
static void
answer(const struct sent *s)
{
	unsigned int i;

	for (i = s->nb_slots; i-- != 0;)
		rawback_tx_answer(s->ids[i], NETIF_RSP_OKAY);
	for (i = 0; i < s->nb_extras; i++)
		rawback_tx_answer(0, NETIF_RSP_NULL);
}

static void
check_bytes(const struct sent *s, uint32_t from, uint32_t seed)
{
	uint32_t i;

	for (i = from; i < s->len; i++) {
		if (s->data[i] != unit_byte(seed, i))
			fail_msg("byte %u of %u differs", i, s->len);
	}
}

static void
send_one(struct rte_mbuf *m)
{
	assert_int_equal(rte_eth_tx_burst(rawback.port, 0, &m, 1), 1);
}

static int
cleanup(void)
{
	return rte_eth_tx_done_cleanup(rawback.port, 0, 0);
}

static uint64_t
tx_references(void)
{
	return unit_xstat(rawback.port, "tx_q0_by_reference");
}

/* An mbuf goes out in its own page, and comes back with the response. */
static void
test_tx(void **state __rte_unused)
{
	static struct sent s;
	struct rte_mbuf *m;
	unsigned int i;

	for (i = 0; i < 3 * XEN_NETIF_RING_SIZE; i++) {
		m = unit_packet_of(rawback.pool, 60 + i, GRANTED_ROOM, i);
		rte_pktmbuf_prepend(m, 4);
		rte_pktmbuf_adj(m, 4);
		send_one(m);
		granted_expect(1);
		take_sent(&s);
		assert_int_equal(s.nb_slots, 1);
		assert_int_equal(s.offsets[0], RTE_PKTMBUF_HEADROOM);
		assert_int_equal(s.flags, 0);
		check_bytes(&s, 0, i);
		/* The page is the mbuf's, not a copy. */
		*rte_pktmbuf_mtod(m, uint8_t *) ^= 0xFF;
		rawback_read_at(s.grefs[0], s.offsets[0], s.data, 1);
		assert_int_equal(s.data[0], (uint8_t)~unit_byte(i, 0));
		assert_int_equal(cleanup(), 0);
		granted_expect(1);
		answer(&s);
		assert_int_equal(cleanup(), 1);
		granted_expect(0);
	}
	assert_int_equal(tx_references(), i);
	assert_int_equal(unit_xstat(rawback.port, "tx_q0_slots"), i);
}

/* The next burst finds the responses, too, also those that say that packets were lost. */
static void
test_tx_full(void **state __rte_unused)
{
	static struct rte_mbuf *pkts[XEN_NETIF_RING_SIZE + 1];
	struct rte_eth_stats stats;
	static struct sent s;
	unsigned int i;

	for (i = 0; i <= XEN_NETIF_RING_SIZE; i++)
		pkts[i] = unit_packet_of(rawback.pool, 60, GRANTED_ROOM, i);
	assert_int_equal(rte_eth_tx_burst(rawback.port, 0, pkts, XEN_NETIF_RING_SIZE + 1),
			XEN_NETIF_RING_SIZE);
	granted_expect(XEN_NETIF_RING_SIZE + 1);
	for (i = 0; i < XEN_NETIF_RING_SIZE; i++) {
		take_sent(&s);
		check_bytes(&s, 0, i);
		rawback_tx_answer(s.ids[0], i % 2 == 0 ? NETIF_RSP_OKAY : NETIF_RSP_ERROR);
	}
	send_one(pkts[XEN_NETIF_RING_SIZE]);
	granted_expect(1);
	assert_int_equal(rte_eth_stats_get(rawback.port, &stats), 0);
	assert_int_equal(stats.oerrors, XEN_NETIF_RING_SIZE / 2);
	take_sent(&s);
	answer(&s);
	assert_int_equal(cleanup(), 1);
	granted_expect(0);
}

/* Mbufs of other mempools are copied, in the same burst, and are free at once. */
static void
test_tx_mixed(void **state __rte_unused)
{
	uint64_t before = tx_references();
	struct rte_mbuf *pkts[PKTS];
	static struct sent s;
	unsigned int i;

	for (i = 0; i < PKTS; i++)
		pkts[i] = unit_packet_of(i % 2 == 0 ? rawback.pool : unit_pool, 100 + i,
				GRANTED_ROOM, i);
	assert_int_equal(rte_eth_tx_burst(rawback.port, 0, pkts, PKTS), PKTS);
	unit_check_pool();
	granted_expect(PKTS / 2);
	for (i = 0; i < PKTS; i++) {
		take_sent(&s);
		assert_int_equal(s.nb_slots, 1);
		check_bytes(&s, 0, i);
		answer(&s);
	}
	assert_int_equal(cleanup(), PKTS / 2);
	granted_expect(0);
	assert_int_equal(tx_references(), before + PKTS / 2);
}

/* A chain of such segments and of others: seg i has lens[i] bytes, of the granted ones if bit i. */
static struct rte_mbuf *
chain(const uint16_t *lens, unsigned int n, uint32_t granted, uint32_t seed)
{
	struct rte_mbuf *head = NULL, *m;
	uint32_t at = 0;
	unsigned int i;

	for (i = 0; i < n; i++, at += lens[i - 1]) {
		m = unit_packet_of((granted >> i & 1) != 0 ? rawback.pool : unit_pool, lens[i],
				GRANTED_ROOM, seed + at);
		if (head == NULL)
			head = m;
		else
			assert_int_equal(rte_pktmbuf_chain(head, m), 0);
	}
	return head;
}

static void
test_tx_chains(void **state __rte_unused)
{
	static const struct {
		uint16_t lens[20];
		unsigned int n;
		uint32_t granted;
		/* Slots, of which so many are by reference. */
		unsigned int slots;
		unsigned int references;
	} cases[] = {
		{ { 2000, 2000, 2000 }, 3, 7, 3, 3 },
		{ { 60, 1400 }, 2, 3, 2, 2 },
		{ { 60, 1400 }, 2, 2, 2, 1 },
		{ { 60, 1400 }, 2, 1, 2, 1 },
		{ { 60, 1400 }, 2, 0, 1, 0 },
		/* What is copied in between is dense. */
		{ { 2000, 1500, 2000, 2000, 2000 }, 5, 17, 4, 2 },
		{ { 2000, 0, 2000 }, 3, 7, 2, 2 },
		{ { 0, 2000 }, 2, 3, 1, 1 },
		{ { 13, 1, 2000 }, 3, 7, 3, 3 },
		/* Too many of them, for so few bytes or for a packet. */
		{ { 100, 100, 100, 100 }, 4, 15, 1, 0 },
		{ { 2048, 2048, 2048, 2048, 2048, 2048, 2048, 2048, 2048, 2048, 2048, 2048, 2048,
				  2048, 2048, 2048, 2048, 2048 },
				18, 0x3FFFF, 18, 18 },
		{ { 2048, 2048, 2048, 2048, 2048, 2048, 2048, 2048, 2048, 2048, 2048, 2048, 2048,
				  2048, 2048, 2048, 2048, 2048, 2048 },
				19, 0x7FFFF, 10, 0 },
	};
	uint64_t references = 0;
	static struct sent s;
	unsigned int i, round;

	for (round = 0; round < 20; round++) {
		for (i = 0; i < RTE_DIM(cases); i++) {
			send_one(chain(cases[i].lens, cases[i].n, cases[i].granted, i));
			unit_check_pool();
			granted_expect(cases[i].references);
			take_sent(&s);
			assert_int_equal(s.nb_slots, cases[i].slots);
			check_bytes(&s, 0, i);
			references += cases[i].references;
			assert_int_equal(tx_references(), references);
			answer(&s);
			assert_int_equal(cleanup(), cases[i].references);
			granted_expect(0);
		}
	}
}

/* Who shares an mbuf has it as it was. */
static void
test_tx_shared(void **state __rte_unused)
{
	static const uint16_t lens[] = { 1000, 1000 };
	struct rte_mbuf *m, *clone;
	static struct sent s;

	m = unit_packet_of(rawback.pool, 1000, GRANTED_ROOM, 1);
	rte_pktmbuf_refcnt_update(m, 1);
	send_one(m);
	take_sent(&s);
	assert_int_equal(tx_references(), 1);
	unit_check_packet(m, 1000, 1);
	answer(&s);
	assert_int_equal(cleanup(), 1);
	granted_expect(1);
	rte_pktmbuf_free(m);
	granted_expect(0);

	m = chain(lens, 2, 3, 1);
	rte_pktmbuf_refcnt_update(m, 1);
	send_one(m);
	take_sent(&s);
	check_bytes(&s, 0, 1);
	assert_int_equal(tx_references(), 1);
	unit_check_packet(m, 2000, 1);
	rte_pktmbuf_free(m);
	granted_expect(0);
	answer(&s);

	/* A clone is of another mempool: what it shares is copied. */
	m = unit_packet_of(rawback.pool, 1000, GRANTED_ROOM, 2);
	clone = rte_pktmbuf_clone(m, unit_pool);
	assert_non_null(clone);
	send_one(clone);
	take_sent(&s);
	check_bytes(&s, 0, 2);
	assert_int_equal(tx_references(), 1);
	answer(&s);
	unit_check_pool();
	granted_expect(1);
	/* The original goes out as it is, and the last of both gives the page back. */
	clone = rte_pktmbuf_clone(m, unit_pool);
	assert_non_null(clone);
	send_one(m);
	take_sent(&s);
	answer(&s);
	assert_int_equal(cleanup(), 1);
	assert_int_equal(tx_references(), 2);
	granted_expect(1);
	rte_pktmbuf_free(clone);
	granted_expect(0);
	unit_check_pool();
}

/* Of what was sent and is not answered, all comes back when the connection ends. */
static void
test_tx_breach(void **state __rte_unused)
{
	static const uint16_t lens[] = { 2000, 2000, 2000 };
	static struct sent s;
	unsigned int i;

	for (i = 0; i < 50; i++)
		send_one(chain(lens, 3, 7, i));
	granted_expect(150);
	take_sent(&s);
	rawback_tx_answer(s.ids[1], NETIF_RSP_OKAY);
	rawback_tx_answer(s.ids[1], NETIF_RSP_OKAY);
	assert_int_equal(cleanup(), 1);
	granted_expect_broken("response to a request that is not outstanding");
	test_tx_mixed(NULL);
}

/* A frame's headers, and so much payload behind them in mbufs of their own. */
static struct rte_mbuf *
headers_and(struct frame *f, const uint16_t *lens, unsigned int n, uint32_t seed)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(rawback.pool);

	frame_make(f);
	assert_non_null(m);
	memcpy(rte_pktmbuf_append(m, f->len), f->data, f->len);
	m->l2_len = f->l3;
	m->l3_len = f->l4 - f->l3;
	m->l4_len = f->len - f->l4;
	assert_int_equal(rte_pktmbuf_chain(m, chain(lens, n, UINT32_MAX, seed + f->len)), 0);
	return m;
}

/* Headers that are not sent as they are go ahead in a page of the ring's. */
static void
test_tx_headers(void **state __rte_unused)
{
	static const uint16_t lens[] = { 2000, 2000, 1000 };
	static struct frame tcp;
	static struct sent s;
	struct rte_mbuf *m;

	m = headers_and(&tcp, lens, 3, 1);
	m->tso_segsz = 1400;
	m->ol_flags |= frame_tx_flags(&tcp) | RTE_MBUF_F_TX_TCP_SEG;
	send_one(m);
	granted_expect(3);
	take_sent(&s);
	assert_int_equal(s.nb_slots, 4);
	assert_int_equal(s.nb_extras, 1);
	assert_int_equal(s.lens[0], tcp.len);
	assert_int_equal(s.data[tcp.l3 + 2] << 8 | s.data[tcp.l3 + 3], s.len - tcp.l3);
	check_bytes(&s, tcp.len, 1);
	answer(&s);
	assert_int_equal(cleanup(), 3);

	m = headers_and(&tcp, lens, 3, 2);
	frame_set16(rte_pktmbuf_mtod_offset(m, uint8_t *, tcp.l3 + 10), 0xABCD);
	m->ol_flags |= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
	send_one(m);
	granted_expect(4);
	take_sent(&s);
	assert_int_equal(s.nb_slots, 5);
	assert_int_equal(frame_fold(frame_sum_bytes(s.data + tcp.l3, tcp.l4 - tcp.l3, 0)), 0xFFFF);
	check_bytes(&s, tcp.len, 2);
	answer(&s);
	assert_int_equal(cleanup(), 4);

	/* One slot is less than two. */
	m = headers_and(&tcp, lens, 1, 3);
	frame_set16(rte_pktmbuf_mtod_offset(m, uint8_t *, tcp.l3 + 10), 0xABCD);
	m->ol_flags |= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
	send_one(m);
	granted_expect(0);
	take_sent(&s);
	assert_int_equal(s.nb_slots, 1);
	check_bytes(&s, tcp.len, 3);
	answer(&s);

	m = chain(lens, 2, 3, 4);
	m->vlan_tci = 7;
	m->ol_flags |= RTE_MBUF_F_TX_VLAN;
	send_one(m);
	granted_expect(1);
	take_sent(&s);
	assert_int_equal(s.nb_slots, 2);
	assert_int_equal(s.data[12] << 8 | s.data[13], RTE_ETHER_TYPE_VLAN);
	assert_int_equal(s.data[14] << 8 | s.data[15], 7);
	check_bytes(&s, 16, 4 - RTE_VLAN_HLEN);
	answer(&s);
	assert_int_equal(cleanup(), 1);
	granted_expect(0);
}

#define fixture(fn) cmocka_unit_test_setup_teardown(fn, granted_setup, rawback_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		fixture(test_tx),
		fixture(test_tx_full),
		fixture(test_tx_mixed),
		fixture(test_tx_chains),
		fixture(test_tx_shared),
		fixture(test_tx_headers),
		fixture(test_tx_breach),
	};

	return cmocka_run_group_tests_name("front_granted_tx", tests, unit_setup, unit_teardown);
}
