/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * The guest's TX ring: the table of what may be in its slots. Every breach ends this vif, and is
 * survived by it.
 */

#include <stdio.h>

#include "attack.h"
#include "vif.h"

#define PKTS 512

static bool
is_breach(const struct attack *a)
{
	return a->outcome == ATTACK_CLOSED && a->ahead == 0;
}

/* A good packet before the breach is still delivered; nothing behind it is answered. */
static void
test_breaches(void **state)
{
	struct rte_mbuf *pkts[PKTS];
	struct vif *v = *state;
	const struct attack *a;
	unsigned int n = 0;

	for (a = attack_tx; a < attack_tx + attack_tx_nb; a++) {
		if (!is_breach(a))
			continue;
		print_message("%s\n", a->name);
		vif_put(v, 3, 0, 100, 0, 0x55);
		attack_play(&v->f, a);
		assert_int_equal(vif_burst(v, pkts, PKTS), 1);
		unit_check_packet(pkts[0], 100, vif_seed(3));
		rte_pktmbuf_free(pkts[0]);
		vif_expect_rsp(v, 0x55, NETIF_RSP_OKAY);
		vif_expect_no_rsp(v);
		assert_int_equal(rte_eth_rx_burst(v->port, 0, pkts, PKTS), 0);
		vif_expect_failed(v, a->why);
		unit_assert_log("queue 0: guest's TX ring");
		assert_int_equal(unit_maps(), 0);
		assert_int_equal(unit_ports(), 0);
		assert_int_equal(unit_xstat(v->port, "protocol_errors"), ++n);
		vif_expect_no_rsp(v);
		vif_reconnect(v);
		vif_send_good(v);
	}
	assert_true(n > 0);
}

/* Indices that no frontend may write. */
static void
test_indices(void **state)
{
	struct rte_mbuf *pkts[PKTS];
	struct vif *v = *state;
	const struct attack *a;

	for (a = attack_tx; a < attack_tx + attack_tx_nb; a++) {
		if (a->ahead == 0)
			continue;
		print_message("%s\n", a->name);
		vif_send_good(v);
		attack_play(&v->f, a);
		assert_int_equal(vif_burst(v, pkts, PKTS), 0);
		vif_expect_failed(v, a->why);
		assert_int_equal(unit_maps(), 0);
		vif_reconnect(v);
	}
	vif_send_good(v);
}

/* The packets of a port without SCATTER that are lost are counted, each by its own statistic. */
static uint64_t
lost(struct vif *v, const char *counter)
{
	char name[64];

	snprintf(name, sizeof(name), "rx_q0_%s", counter);
	return unit_xstat(v->port, name);
}

static bool
is_dropped(const struct attack *a)
{
	return attack_outcome(a, false) == ATTACK_DROPPED;
}

/* Packets that are answered with an error, slot by slot, between two that arrive. */
static void
test_dropped(void **state)
{
	struct rte_mbuf *pkts[PKTS];
	struct vif *v = *state;
	struct rte_eth_stats stats;
	const struct attack *a;
	unsigned int slots, n = 0;
	uint64_t before;

	for (a = attack_tx; a < attack_tx + attack_tx_nb; a++) {
		if (!is_dropped(a))
			continue;
		print_message("%s\n", a->name);
		before = lost(v, a->counter);
		vif_put(v, 3, 0, 100, 0, 0x1111);
		slots = attack_play(&v->f, a);
		vif_put(v, 4, 96, 200, 0, 0x2222);
		assert_int_equal(vif_burst(v, pkts, PKTS), 2);
		unit_check_packet(pkts[0], 100, vif_seed(3));
		unit_check_packet(pkts[1], 200, vif_seed(4) + 96);
		rte_pktmbuf_free_bulk(pkts, 2);
		vif_expect_rsp(v, 0x1111, NETIF_RSP_OKAY);
		rawfront_tx_expect(&v->f, 0, slots, NETIF_RSP_ERROR);
		vif_expect_rsp(v, 0x2222, NETIF_RSP_OKAY);
		vif_expect_no_rsp(v);
		assert_int_equal(lost(v, a->counter), before + 1);
		n++;
	}
	assert_int_equal(rte_eth_stats_get(v->port, &stats), 0);
	assert_int_equal(stats.ierrors, n);
	assert_int_equal(stats.ipackets, 2 * n);
	assert_int_equal(unit_xstat(v->port, "protocol_errors"), 0);
	assert_true(unit_link(v->port));
}

/* All of them at once, each behind a packet that arrives. */
static void
test_dropped_together(void **state)
{
	struct rte_mbuf *pkts[PKTS];
	unsigned int i, n, got, good = 0, slots[XEN_NETIF_RING_SIZE];
	struct vif *v = *state;
	const struct attack *a;

	for (a = attack_tx; a < attack_tx + attack_tx_nb; a++) {
		if (!is_dropped(a))
			continue;
		vif_put(v, good, 0, 60 + good, 0, good);
		slots[good++] = attack_play(&v->f, a);
	}
	assert_in_range(v->f.q[0].tx_prod, good, XEN_NETIF_RING_SIZE);
	rawfront_tx_push(&v->f, 0);
	for (got = 0; (n = rte_eth_rx_burst(v->port, 0, pkts + got, PKTS - got)) != 0; got += n)
		;
	assert_int_equal(got, good);
	for (i = 0; i < good; i++)
		unit_check_packet(pkts[i], 60 + i, vif_seed(i));
	rte_pktmbuf_free_bulk(pkts, good);
	for (i = 0; i < good; i++) {
		vif_expect_rsp(v, i, NETIF_RSP_OKAY);
		rawfront_tx_expect(&v->f, 0, slots[i], NETIF_RSP_ERROR);
	}
	vif_expect_no_rsp(v);
	vif_send_good(v);
}

/* Requests that are no packets, whether done or refused: nothing arrives, and nothing is lost. */
static void
test_requests(void **state)
{
	struct rte_eth_stats stats;
	struct vif *v = *state;
	const struct attack *a;
	unsigned int slots, n = 0;
	struct rte_mbuf *m;

	for (a = attack_tx; a < attack_tx + attack_tx_nb; a++) {
		if (a->outcome != ATTACK_DONE && a->outcome != ATTACK_REFUSED)
			continue;
		print_message("%s\n", a->name);
		slots = attack_play(&v->f, a);
		assert_int_equal(vif_burst(v, &m, 1), 0);
		rawfront_tx_expect(&v->f, 0, slots,
				attack_answered_okay(a->outcome) ? NETIF_RSP_OKAY :
								   NETIF_RSP_ERROR);
		vif_expect_no_rsp(v);
		vif_send_good(v);
		n++;
	}
	assert_true(n > 0);
	assert_int_equal(rte_eth_stats_get(v->port, &stats), 0);
	assert_int_equal(stats.ierrors, 0);
	assert_int_equal(stats.ipackets, n);
}

static const uint8_t *
page_of(const struct vif *v, uint32_t gref)
{
	unsigned int i;

	for (i = 0; i < v->f.nb_pages; i++) {
		if (v->f.gref[i] == gref)
			return rawfront_page(&v->f, i);
	}
	assert_int_equal(gref, v->f.grants[RAWFRONT_GRANT_READ_ONLY]);
	return v->f.read_only;
}

/* A packet has to be what its requests name: the first one has what the others leave. */
static void
check_pieces(struct vif *v, struct rte_mbuf *m, uint32_t first, unsigned int slots)
{
	static uint8_t buf[XEN_NETIF_PKT_MAX];
	const struct rawfront_slot *slot;
	const uint8_t *data;
	uint32_t at = 0, len, rest = 0;
	unsigned int i;

	data = rte_pktmbuf_read(m, 0, m->pkt_len, buf);
	assert_non_null(data);
	for (i = 1; i < slots; i++) {
		slot = &v->f.q[0].sent[(first + i) & XEN_NETIF_RING_MASK];
		rest += slot->extra ? 0 : slot->req.size;
	}
	for (i = 0; i < slots; i++) {
		slot = &v->f.q[0].sent[(first + i) & XEN_NETIF_RING_MASK];
		if (slot->extra)
			continue;
		len = slot->req.size - (i == 0 ? rest : 0);
		assert_memory_equal(data + at, page_of(v, slot->req.gref) + slot->req.offset, len);
		at += len;
	}
	assert_int_equal(at, m->pkt_len);
}

static void
check_accepted(struct vif *v, bool scatter)
{
	const struct attack *a;
	unsigned int slots;
	struct rte_mbuf *m;
	uint32_t first;

	for (a = attack_tx; a < attack_tx + attack_tx_nb; a++) {
		if (attack_outcome(a, scatter) != ATTACK_ACCEPTED)
			continue;
		print_message("%s\n", a->name);
		first = v->f.q[0].tx_prod;
		slots = attack_play(&v->f, a);
		assert_int_equal(vif_burst(v, &m, 1), 1);
		assert_int_equal(m->pkt_len, attack_bytes(a));
		assert_int_equal(m->port, v->port);
		check_pieces(v, m, first, slots);
		rte_pktmbuf_free(m);
		rawfront_tx_expect(&v->f, 0, slots, NETIF_RSP_OKAY);
		vif_expect_no_rsp(v);
	}
	assert_int_equal(unit_xstat(v->port, "rx_q0_bad_packet_errors"), 0);
	assert_int_equal(unit_xstat(v->port, "rx_q0_oversize_errors"), 0);
}

/* Packets that are as they should be, if odd. */
static void
test_accepted(void **state)
{
	check_accepted(*state, false);
}

static void
test_accepted_scattered(void **state)
{
	check_accepted(*state, true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		vif_test(test_breaches),
		vif_test(test_indices),
		vif_test(test_dropped),
		vif_test(test_dropped_together),
		vif_test(test_requests),
		vif_test(test_accepted),
		vif_test_scatter(test_accepted_scattered),
	};

	return cmocka_run_group_tests_name("rx_ring", tests, unit_setup, unit_teardown);
}
