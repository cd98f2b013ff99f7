/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * How net_xenfront has a backend map its granted pages, and how mempools of such pages outlive
 * ports: against a backend played by hand.
 */

#include <errno.h>
#include <sys/mman.h>

#include "ctrl.h"
#include "rawback.h"
#include "unit.h"

#define GET XEN_NETIF_CTRL_TYPE_GET_GREF_MAPPING_SIZE
#define ADD XEN_NETIF_CTRL_TYPE_ADD_GREF_MAPPING
#define MBUFS 1200u
#define LIST_MAX 512u
#define ARGS ",granted=16"
#define LIMIT_MS 5000

static struct rte_mempool *
pool_create(const char *name)
{
	struct rte_mempool *pool;

	pool = rte_pktmbuf_pool_create_by_ops(name, MBUFS, 0, 0, 2048 + RTE_PKTMBUF_HEADROOM,
			SOCKET_ID_ANY, "xenfront_granted");
	assert_non_null(pool);
	return pool;
}

static struct rte_mempool *
make_pool(void)
{
	return pool_create("granted");
}

/* The next request of that type. */
static struct xen_netif_ctrl_request
request(uint16_t type)
{
	struct xen_netif_ctrl_request req = rawback_ctrl_request();

	assert_int_equal(req.type, type);
	return req;
}

/* What each connection begins with, of a port that was told nothing. */
static void
grant_hash(void)
{
	struct xen_netif_ctrl_request req = request(SET_ALGORITHM);

	rawback_ctrl_answer(req.id, req.type, OKAY);
}

static int
setup(void **state __rte_unused)
{
	rawback_setup_pool(true, ARGS, make_pool);
	grant_hash();
	return 0;
}

static void
answer_size(uint32_t status, uint32_t size)
{
	struct xen_netif_ctrl_request req = request(GET);

	assert_int_equal(req.data[0], 0);
	assert_int_equal(req.data[1], 0);
	assert_int_equal(req.data[2], 0);
	rawback_ctrl_answer_data(req.id, req.type, status, size);
}

/* A request to add so many pages; they become seen ones. */
static struct xen_netif_ctrl_request
expect_add(uint32_t n, uint8_t *seen)
{
	struct xen_netif_ctrl_request req = request(ADD);
	struct xen_netif_gref list[LIST_MAX], *map;
	unsigned int i;

	assert_int_equal(req.data[0], 0);
	assert_int_equal(req.data[2], n);
	/* The backend may write to it. */
	map = xengnttab_map_grant_ref(rawback.gnttab, 0, req.data[1], PROT_READ | PROT_WRITE);
	assert_non_null(map);
	memcpy(list, map, n * sizeof(list[0]));
	assert_int_equal(xengnttab_unmap(rawback.gnttab, map, 1), 0);
	for (i = 0; i < n; i++) {
		assert_int_equal(list[i].flags, 0);
		assert_in_range(list[i].ref, 0, XENSIM_MAX_GRANTS - 1);
		assert_int_equal(seen[list[i].ref]++, 0);
	}
	return req;
}

static void
grant_add(uint32_t n, uint8_t *seen)
{
	struct xen_netif_ctrl_request req = expect_add(n, seen);

	rawback_ctrl_answer(req.id, req.type, OKAY);
}

static void
expect_idle(void)
{
	rawback_settle();
	rawback_settle();
	assert_int_equal(rawback.ctrl->req_prod, rawback.ctrl_cons);
}

static uint64_t
registered(void)
{
	return unit_xstat(rawback.port, "rx_q0_registered_pages");
}

/* The frames pass, in pages of the mempool. */
static void
expect_traffic(uint32_t seed)
{
	struct netif_tx_request req;
	struct rte_mbuf *m;
	uint8_t data[100];
	unsigned int i;

	for (i = 0; i < sizeof(data); i++)
		data[i] = unit_byte(seed, i);
	rawback_fill_rx(rawback.rx_prod, 0, data, sizeof(data));
	rawback_put_rx(-1, 0, 0, sizeof(data));
	rawback_push_rx();
	assert_int_equal(rte_eth_rx_burst(rawback.port, 0, &m, 1), 1);
	unit_check_packet(m, sizeof(data), seed);
	assert_int_equal(rte_eth_tx_burst(rawback.port, 0, &m, 1), 1);
	req = rawback.tx->ring[rawback.tx_cons++ & XEN_NETIF_RING_MASK].req;
	rawback_read_at(req.gref, req.offset, data, sizeof(data));
	for (i = 0; i < sizeof(data); i++)
		assert_int_equal(data[i], unit_byte(seed, i));
	rawback_tx_answer(req.id, NETIF_RSP_OKAY);
	rte_eth_tx_done_cleanup(rawback.port, 0, 0);
}

/* All pages, each once, in lists of a page; and again by each connection. */
static void
test_all(void **state __rte_unused)
{
	static uint8_t seen[XENSIM_MAX_GRANTS];
	unsigned int i, n;

	for (n = 0; n < 3; n++) {
		memset(seen, 0, sizeof(seen));
		answer_size(OKAY, n == 0 ? 4096 : UINT32_MAX);
		grant_add(LIST_MAX, seen);
		expect_traffic(n);
		grant_add(LIST_MAX, seen);
		grant_add(MBUFS - 2 * LIST_MAX, seen);
		expect_idle();
		/* What is posted is among them. */
		for (i = 0; i < XEN_NETIF_RING_SIZE; i++)
			assert_int_equal(seen[rawback.rx->ring[i].req.gref], 1);
		assert_int_equal(registered(), (n + 1) * MBUFS);
		expect_traffic(n);
		rawback_reconnect();
		grant_hash();
	}
	answer_size(UNSUPPORTED, 0);
}

/* No more than the backend keeps. */
static void
test_limit(void **state __rte_unused)
{
	static const uint32_t limits[] = { 1, 511, 512, 513, 1199 };
	static uint8_t seen[XENSIM_MAX_GRANTS];
	uint32_t left;
	unsigned int i;

	for (i = 0; i < RTE_DIM(limits); i++) {
		memset(seen, 0, sizeof(seen));
		answer_size(OKAY, limits[i]);
		for (left = limits[i]; left > LIST_MAX; left -= LIST_MAX)
			grant_add(LIST_MAX, seen);
		grant_add(left, seen);
		expect_idle();
		expect_traffic(i);
		rawback_reconnect();
		grant_hash();
	}
	answer_size(OKAY, 0);
	expect_idle();
	unit_assert_log("static grants: the backend keeps none (status 0 of its control ring)");
	expect_traffic(i);
}

/* It has none, or says what makes no sense, or refuses a list: pages are used all the same. */
static void
test_refusals(void **state __rte_unused)
{
	static const uint32_t statuses[] = { UNSUPPORTED, INVALID, OVERFLOW, 77 };
	static uint8_t seen[XENSIM_MAX_GRANTS];
	struct xen_netif_ctrl_request req;
	unsigned int i;

	for (i = 0; i < RTE_DIM(statuses); i++) {
		/* The number says nothing then. */
		answer_size(statuses[i], 4096);
		expect_idle();
		expect_traffic(i);
		rawback_reconnect();
		grant_hash();
		answer_size(OKAY, 4096);
		memset(seen, 0, sizeof(seen));
		grant_add(LIST_MAX, seen);
		req = expect_add(LIST_MAX, seen);
		rawback_ctrl_answer(req.id, req.type, statuses[i]);
		expect_idle();
		assert_int_equal(registered(), (i + 1) * LIST_MAX);
		expect_traffic(i);
		rawback_reconnect();
		grant_hash();
	}
	answer_size(UNSUPPORTED, 0);
}

/* It never answers: that costs it nothing but the control ring, until the next connection. */
static void
test_silence(void **state __rte_unused)
{
	request(GET);
	expect_traffic(1);
	unit_clock_skip(LIMIT_MS + 1);
	rawback_settle();
	unit_wait(unit_log_has("static grants: the backend has not answered its control ring for 5 "
			       "seconds"));
	expect_traffic(2);
	expect_idle();
	rawback_reconnect();
	grant_hash();
	answer_size(UNSUPPORTED, 0);
	expect_idle();
}

/* An answer to what was not asked ends the connection. */
static void
test_garbage(void **state __rte_unused)
{
	static const struct {
		uint16_t id;
		uint16_t type;
	} cases[] = { { 1, 0 }, { 0, ADD - GET } };
	struct xen_netif_ctrl_request req;
	unsigned int i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		req = request(GET);
		rawback_ctrl_answer(req.id + cases[i].id, req.type + cases[i].type, OKAY);
		unit_wait(!unit_link(rawback.port));
		unit_wait(strstr(unit_read("/local/domain/0/error/device/vif/0/error"),
					  "response to a request that is not outstanding") != NULL);
		rawback_reconnect();
		unit_remove("/local/domain/0/error/device/vif/0");
		grant_hash();
	}
	answer_size(UNSUPPORTED, 0);
	expect_idle();
	expect_traffic(1);
}

/* The application's wishes have their turn between lists. */
static void
test_beside_rss(void **state __rte_unused)
{
	static uint8_t seen[XENSIM_MAX_GRANTS];
	struct xen_netif_ctrl_request req;

	req = request(GET);
	assert_int_equal(rte_eth_dev_stop(rawback.port), 0);
	rawback_ctrl_answer_data(req.id, req.type, OKAY, 600);
	grant_add(LIST_MAX, seen);
	grant_add(600 - LIST_MAX, seen);
	assert_int_equal(rte_eth_dev_start(rawback.port), 0);
	unit_wait(unit_link(rawback.port));
	expect_idle();
	assert_int_equal(registered(), 600);
	expect_traffic(1);
}

static void
use_pool(struct rte_mempool *pool)
{
	assert_int_equal(rte_eth_rx_queue_setup(rawback.port, 0, 256, SOCKET_ID_ANY, NULL, pool),
			0);
	assert_int_equal(rte_eth_dev_start(rawback.port), 0);
}

static void
send_some(struct rte_mempool *pool, unsigned int n)
{
	struct rte_mbuf *m;

	while (n-- != 0) {
		m = unit_packet_of(pool, 3000, 1500, n);
		assert_int_equal(rte_eth_tx_burst(rawback.port, 0, &m, 1), 1);
	}
}

/* A port that is stopped needs its mempool no more; the pages stay until the backend is told. */
static void
test_pool_first(void **state __rte_unused)
{
	answer_size(OKAY, 600);
	send_some(rawback.pool, 50);
	assert_int_equal(rte_eth_dev_stop(rawback.port), 0);
	rte_mempool_free(rawback.pool);
	rawback.pool = NULL;
	assert_true(unit_grants() >= MBUFS);
	/* The backend is at work still. */
	rawback_fill_rx(rawback.rx_prod, 0, "x", 1);
	rawback_read_at(rawback.tx->ring[0].req.gref, 0, &(uint8_t){ 0 }, 1);
}

/* A port starts with another mempool: the vif is connected anew, for its buffers are others. */
static void
test_other_pool(void **state __rte_unused)
{
	struct rte_mempool *old = rawback.pool;
	unsigned int i;

	answer_size(UNSUPPORTED, 0);
	for (i = 0; i < 4; i++) {
		send_some(old, 20);
		assert_int_equal(rte_eth_dev_stop(rawback.port), 0);
		if (i % 2 == 0)
			rte_mempool_free(old);
		rawback.pool = i == 2 ? unit_pool : pool_create(i % 2 == 0 ? "other" : "third");
		use_pool(rawback.pool);
		unit_wait(!rawback_front_is(XenbusStateConnected));
		rawback.pool_grants = MBUFS * (i % 2 + (i != 2));
		rawback_reconnect();
		grant_hash();
		if (i != 2)
			answer_size(UNSUPPORTED, 0);
		if (i % 2 != 0) {
			assert_int_equal(rte_mempool_avail_count(old), MBUFS);
			rte_mempool_free(old);
		}
		expect_idle();
		if (i == 2)
			break;
		expect_traffic(i);
		old = rawback.pool;
	}
	rawback.pool = NULL;
}

/* The last page of a connection cannot be granted: the mbufs are back until it can. */
static void
test_shortage(void **state __rte_unused)
{
	struct xensim_counters c;

	answer_size(UNSUPPORTED, 0);
	send_some(rawback.pool, 20);
	rawback_release();
	rawback_state(XenbusStateClosing);
	rawback_state(XenbusStateClosed);
	rawback_wait_closed();
	assert_int_equal(rte_mempool_avail_count(rawback.pool), MBUFS);
	assert_int_equal(xensim_counters_get(0, &c), 0);
	/* Both rings and what is sent from; but none of the control ring. */
	assert_int_equal(xensim_grant_limit_set(c.grants_live + XEN_NETIF_RING_SIZE + 2), 0);
	unit_write("1", "%s/state", rawback.back);
	rawback_state(XenbusStateInitWait);
	unit_wait(unit_log_has("cannot grant 1 more pages"));
	rawback_settle();
	assert_int_equal(rte_mempool_avail_count(rawback.pool), MBUFS);
	assert_int_equal(unit_grants(), MBUFS);
	assert_int_equal(xensim_grant_limit_set(XENSIM_MAX_GRANTS), 0);
	rawback_connect();
	grant_hash();
	answer_size(UNSUPPORTED, 0);
	expect_traffic(1);
}

#define fixture(fn) cmocka_unit_test_setup_teardown(fn, setup, rawback_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		fixture(test_all),
		fixture(test_limit),
		fixture(test_refusals),
		fixture(test_silence),
		fixture(test_garbage),
		fixture(test_beside_rss),
		fixture(test_pool_first),
		fixture(test_other_pool),
		fixture(test_shortage),
	};

	return cmocka_run_group_tests_name("front_register", tests, unit_setup, unit_teardown);
}
