/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * The multicast that net_xenfront asks its backend for (netif.h, "request-multicast-control"): by
 * a backend that is played by hand, and by net_xenvif.
 */

#include <errno.h>

#include "pair.h"
#include "rawback.h"
#include "xen_mcast.h"

#define ADD XEN_NETIF_EXTRA_TYPE_MCAST_ADD
#define DEL XEN_NETIF_EXTRA_TYPE_MCAST_DEL

static struct rte_ether_addr
group(unsigned int i)
{
	return (struct rte_ether_addr){ { 0x33, 0x33, 0, 0, i >> 8, i } };
}

/* Have the application want n groups, from a number on. */
static void
want(uint16_t port, unsigned int first, unsigned int n)
{
	struct rte_ether_addr list[XEN_MCAST_MAX];
	unsigned int i;

	for (i = 0; i < n; i++)
		list[i] = group(first + i);
	assert_int_equal(rte_eth_dev_set_mc_addr_list(port, list, n), 0);
}

/* ... and nothing else, or everything. */
static void
filter(uint16_t port, bool on)
{
	assert_int_equal(on ? rte_eth_promiscuous_disable(port) : rte_eth_promiscuous_enable(port),
			0);
	assert_int_equal(on ? rte_eth_allmulticast_disable(port) :
			      rte_eth_allmulticast_enable(port),
			0);
}

static bool
key_is(const char *value)
{
	return strcmp(unit_read("%s/request-multicast-control", rawback.front), value) == 0;
}

/* A backend with these features. */
static void
offer(bool is_static, bool dynamic)
{
	unit_write(is_static ? "1" : "0", "%s/feature-multicast-control", rawback.back);
	unit_write(dynamic ? "1" : "0", "%s/feature-dynamic-multicast-control", rawback.back);
	rawback_reconnect();
}

/* The next requests in the ring change the list so; the id of the first of them. */
static uint16_t
expect_change(uint8_t type, unsigned int i)
{
	const struct rte_ether_addr addr = group(i);
	struct netif_extra_info extra;
	struct netif_tx_request req;

	unit_wait(xen_ring_load(&rawback.tx->req_prod) - rawback.tx_cons >= 2);
	req = xen_ring_tx_request(rawback.tx, rawback.tx_cons++);
	assert_int_equal(req.flags, NETTXF_extra_info);
	assert_true(req.id < XEN_NETIF_RING_SIZE);
	memcpy(&extra, &rawback.tx->ring[rawback.tx_cons++ & XEN_NETIF_RING_MASK], sizeof(extra));
	assert_int_equal(extra.type, type);
	assert_int_equal(extra.flags, 0);
	assert_memory_equal(extra.u.mcast.addr, &addr, sizeof(addr));
	return req.id;
}

static void
answer(uint16_t id, int16_t status)
{
	rawback_tx_answer(id, status);
	/* Whatever id that of extra info has. */
	rawback_tx_answer(0xFFFF, NETIF_RSP_NULL);
}

static void
take_change(uint8_t type, unsigned int i)
{
	answer(expect_change(type, i), NETIF_RSP_OKAY);
}

static void
expect_no_change(void)
{
	rawback_settle();
	assert_int_equal(rawback.tx->req_prod, rawback.tx_cons);
}

/* A port that was told nothing asks for nothing, and nobody asks a backend without the feature. */
static void
test_default(void **state __rte_unused)
{
	offer(true, true);
	expect_no_change();
	assert_true(key_is(""));
	offer(false, false);
	filter(rawback.port, true);
	want(rawback.port, 1, 2);
	expect_no_change();
	assert_true(key_is(""));
	rawback_reconnect();
	expect_no_change();
	assert_true(key_is(""));
}

/* The list comes first, then the wish; and each connection begins with both. */
static void
test_dynamic(void **state __rte_unused)
{
	uint16_t first, second;

	offer(true, true);
	want(rawback.port, 1, 2);
	take_change(ADD, 1);
	take_change(ADD, 2);
	expect_no_change();
	assert_true(key_is(""));
	filter(rawback.port, true);
	unit_wait(key_is("1"));
	/* What is new is added, what is no longer there is deleted, in any order of answers. */
	want(rawback.port, 2, 2);
	first = expect_change(DEL, 1);
	second = expect_change(ADD, 3);
	answer(second, NETIF_RSP_OKAY);
	answer(first, NETIF_RSP_OKAY);
	want(rawback.port, 2, 2);
	expect_no_change();
	assert_true(key_is("1"));
	filter(rawback.port, false);
	unit_wait(key_is("0"));
	filter(rawback.port, true);
	unit_wait(key_is("1"));
	rawback_reconnect();
	assert_true(key_is(""));
	take_change(ADD, 3);
	rawback_settle();
	assert_true(key_is(""));
	take_change(ADD, 2);
	unit_wait(key_is("1"));
	/* One of the modes is enough to want all. */
	assert_int_equal(rte_eth_allmulticast_enable(rawback.port), 0);
	unit_wait(key_is("0"));
	assert_int_equal(unit_xstat(rawback.port, "protocol_errors"), 0);
}

/* The largest list; packets are sent meanwhile. */
static void
test_many(void **state __rte_unused)
{
	unsigned int i;
	struct rte_mbuf *m;

	offer(true, true);
	filter(rawback.port, true);
	unit_wait(key_is("1"));
	want(rawback.port, 0, XEN_MCAST_MAX);
	for (i = 0; i < XEN_MCAST_MAX; i++)
		take_change(ADD, i);
	m = unit_packet(60, UNIT_ROOM, 0);
	assert_int_equal(rte_eth_tx_burst(rawback.port, 0, &m, 1), 1);
	rawback_tx_answer(rawback.tx->ring[rawback.tx_cons++ & XEN_NETIF_RING_MASK].req.id,
			NETIF_RSP_ERROR);
	/* What the control thread takes of the answers is counted all the same. */
	want(rawback.port, 1, XEN_MCAST_MAX);
	take_change(DEL, 0);
	take_change(ADD, 64);
	expect_no_change();
	m = unit_packet(60, UNIT_ROOM, 0);
	assert_int_equal(rte_eth_tx_burst(rawback.port, 0, &m, 1), 1);
	assert_int_equal(unit_xstat(rawback.port, "tx_q0_refused_errors"), 1);
	assert_true(key_is("1"));
}

/* What has no room in the ring waits until there is some. */
static void
test_full(void **state __rte_unused)
{
	struct rte_mbuf *m;
	unsigned int i;

	offer(true, true);
	for (i = 0; i < XEN_NETIF_RING_SIZE - 3; i++) {
		m = unit_packet(60, UNIT_ROOM, 0);
		assert_int_equal(rte_eth_tx_burst(rawback.port, 0, &m, 1), 1);
	}
	want(rawback.port, 1, 3);
	filter(rawback.port, true);
	rawback_settle();
	assert_int_equal(rawback.tx->req_prod - rawback.tx_cons, XEN_NETIF_RING_SIZE - 1);
	for (i = 0; i < XEN_NETIF_RING_SIZE - 3; i++)
		rawback_tx_answer(rawback.tx->ring[rawback.tx_cons++ & XEN_NETIF_RING_MASK].req.id,
				NETIF_RSP_OKAY);
	for (i = 1; i <= 3; i++) {
		assert_true(key_is(""));
		take_change(ADD, i);
	}
	unit_wait(key_is("1"));
}

/* A list that is refused is none to filter by; another one may be. */
static void
test_refused(void **state __rte_unused)
{
	static const int16_t statuses[] = { NETIF_RSP_ERROR, NETIF_RSP_DROPPED, -77, 77 };
	unsigned int i;

	offer(true, true);
	filter(rawback.port, true);
	unit_wait(key_is("1"));
	for (i = 0; i < RTE_DIM(statuses); i++) {
		unit_log_clear();
		want(rawback.port, 1 + i, 1);
		if (i > 0)
			take_change(DEL, i);
		answer(expect_change(ADD, 1 + i), statuses[i]);
		unit_wait(key_is("0"));
		unit_assert_log("the backend refuses a multicast address");
		assert_true(unit_link(rawback.port));
		/* Others are taken, or the same by another backend. */
		if (i % 2 == 0) {
			want(rawback.port, 1 + i, 2);
			take_change(ADD, 2 + i);
			unit_wait(key_is("1"));
			want(rawback.port, 1 + i, 1);
			take_change(DEL, 2 + i);
		} else {
			rawback_reconnect();
			take_change(ADD, 1 + i);
			unit_wait(key_is("1"));
		}
	}
}

/* A backend that does not answer sends everything until it does. */
static void
test_silence(void **state __rte_unused)
{
	uint16_t id;

	offer(true, true);
	filter(rawback.port, true);
	unit_wait(key_is("1"));
	want(rawback.port, 1, 1);
	id = expect_change(ADD, 1);
	rawback_settle();
	assert_true(key_is("1"));
	unit_clock_skip(10000);
	unit_wait(key_is("0"));
	unit_assert_log("does not answer for its list of multicast addresses");
	answer(id, NETIF_RSP_OKAY);
	unit_wait(key_is("1"));
	/* Gone with a request under way. */
	want(rawback.port, 5, 1);
	expect_change(DEL, 1);
	rawback_reconnect();
	take_change(ADD, 5);
	unit_wait(key_is("1"));
}

/* One that reads the wish when it connects is connected to anew, if it would keep too much back. */
static void
test_static(void **state __rte_unused)
{
	unsigned int i;

	want(rawback.port, 1, 1);
	filter(rawback.port, true);
	offer(true, false);
	take_change(ADD, 1);
	assert_true(key_is("1"));
	want(rawback.port, 2, 1);
	take_change(DEL, 1);
	take_change(ADD, 2);
	expect_no_change();
	assert_int_equal(rte_eth_allmulticast_enable(rawback.port), 0);
	unit_wait(!unit_link(rawback.port));
	rawback_reconnect();
	assert_true(key_is(""));
	take_change(ADD, 2);
	/* It sends all, of which the port's filter takes what is wanted. */
	assert_int_equal(rte_eth_allmulticast_disable(rawback.port), 0);
	expect_no_change();
	assert_true(key_is("") && unit_link(rawback.port));
	/* A list that it refuses is not tried again and again. */
	rawback_reconnect();
	assert_true(key_is("1"));
	answer(expect_change(ADD, 2), NETIF_RSP_ERROR);
	unit_wait(!unit_link(rawback.port));
	for (i = 0; i < 3; i++) {
		rawback_reconnect();
		assert_true(key_is(""));
		answer(expect_change(ADD, 2), NETIF_RSP_ERROR);
		expect_no_change();
		assert_true(unit_link(rawback.port));
	}
	want(rawback.port, 3, 1);
	take_change(DEL, 2);
	take_change(ADD, 3);
	rawback_reconnect();
	assert_true(key_is("1"));
	take_change(ADD, 3);
}

/* A packet of net_xenvif to a group: does it reach the frontend? */
static bool
arrives(unsigned int i)
{
	const struct rte_ether_addr dst = group(i);
	struct rte_mbuf *m = unit_packet(100, UNIT_ROOM, 0);

	rte_ether_addr_copy(&dst, &rte_pktmbuf_mtod(m, struct rte_ether_hdr *)->dst_addr);
	assert_int_equal(rte_eth_tx_burst(pair.back, 0, &m, 1), 1);
	if (rte_eth_rx_burst(pair.front, 0, &m, 1) == 0)
		return false;
	rte_pktmbuf_free(m);
	return true;
}

static uint64_t
kept_back(void)
{
	return unit_xstat(pair.back, "tx_q0_filtered");
}

/* net_xenvif takes the list from a burst of its application. */
static bool
is_kept_back(unsigned int i)
{
	uint64_t before = kept_back();
	struct rte_mbuf *none;

	assert_int_equal(rte_eth_rx_burst(pair.back, 0, &none, 1), 0);
	return !arrives(i) && kept_back() == before + 1;
}

static void
test_pair(void **state __rte_unused)
{
	unsigned int i;

	pair_open(1, 0);
	assert_true(arrives(1) && arrives(2));
	want(pair.front, 1, 1);
	filter(pair.front, true);
	unit_wait(is_kept_back(2));
	assert_true(arrives(1));
	for (i = 0; i < 4; i++) {
		if (i % 2 == 0) {
			assert_int_equal(rte_eth_dev_stop(pair.front), 0);
			assert_int_equal(rte_eth_dev_start(pair.front), 0);
		} else {
			rawfront_toolstack_remove(&pair.names);
			unit_wait(!unit_link(pair.front) && !unit_link(pair.back));
			rawfront_toolstack(&pair.names);
		}
		pair_wait();
		unit_wait(is_kept_back(2));
		assert_true(arrives(1));
	}
	filter(pair.front, false);
	unit_wait(arrives(2));
	assert_true(arrives(1));
	pair_close();
}

#define raw_test(fn) cmocka_unit_test_setup_teardown(fn, rawback_setup, rawback_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		raw_test(test_default),
		raw_test(test_dynamic),
		raw_test(test_many),
		raw_test(test_full),
		raw_test(test_refused),
		raw_test(test_silence),
		raw_test(test_static),
		cmocka_unit_test(test_pair),
	};

	return cmocka_run_group_tests_name("front_mcast", tests, unit_setup, unit_teardown);
}
