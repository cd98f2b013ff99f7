/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* net_xenfront against a backend played by hand, which does what it likes. */

#include <pthread.h>

#include "frame.h"
#include "rawback.h"
#include "unit.h"
#include "xen_bus.h"

#define PKTS 64

/* Held by a test that does something before the control thread looks again. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

/* The linker puts this function around the driver's. */
void
__real_xenfront_evaluate(struct xen_bus_device *xbdev);
void
__wrap_xenfront_evaluate(struct xen_bus_device *xbdev);

void
__wrap_xenfront_evaluate(struct xen_bus_device *xbdev)
{
	pthread_mutex_lock(&gate);
	__real_xenfront_evaluate(xbdev);
	pthread_mutex_unlock(&gate);
}

static uint16_t
burst_rx(struct rte_mbuf **pkts)
{
	rawback_push_rx();
	return rte_eth_rx_burst(rawback.port, 0, pkts, PKTS);
}

static void
put_good(uint32_t seed)
{
	uint8_t data[100];
	unsigned int i;

	for (i = 0; i < sizeof(data); i++)
		data[i] = unit_byte(seed, i);
	rawback_fill_rx(rawback.rx_prod, 64, data, sizeof(data));
	rawback_put_rx(-1, 64, NETRXF_data_validated, sizeof(data));
}

/* The frontend closes, says why, and takes a backend that starts anew. */
static void
expect_broken(const char *why)
{
	unit_wait(!unit_link(rawback.port));
	unit_wait(strstr(unit_read("/local/domain/0/error/device/vif/0/error"), why) != NULL);
	unit_assert_log(why);
	/* The rings are ours until we say that we have let go of them. */
	rawback_release();
	rawback_state(XenbusStateClosing);
	rawback_state(XenbusStateClosed);
	rawback_wait_closed();
	assert_int_equal(unit_grants(), 0);
	unit_remove("/local/domain/0/error/device/vif/0");
	unit_log_clear();
	unit_write("1", "%s/state", rawback.back);
	rawback_connect();
}

static void
extra_rx(uint8_t type, bool more)
{
	const struct netif_extra_info extra = {
		.type = type,
		.flags = more ? XEN_NETIF_EXTRA_FLAG_MORE : 0,
	};

	memcpy(&rawback.rx->ring[rawback.rx_prod++ & XEN_NETIF_RING_MASK], &extra, sizeof(extra));
}

static void
rx_other_id(void)
{
	rawback_put_rx((rawback.rx_prod + 1) & XEN_NETIF_RING_MASK, 0, 0, 60);
}

static void
rx_large_id(void)
{
	rawback_put_rx(0xFFFF, 0, 0, 60);
}

static void
rx_past_page(void)
{
	rawback_put_rx(-1, 4000, 0, 97);
}

static void
rx_past_page_size(void)
{
	rawback_put_rx(-1, 0, 0, 0x7FFF);
}

static void
rx_past_page_later(void)
{
	rawback_put_rx(-1, 0, NETRXF_more_data, 4096);
	rawback_put_rx(-1, 0xFFFF, 0, 1);
}

static void
rx_chain_past_prod(void)
{
	rawback_put_rx(-1, 0, NETRXF_more_data, 100);
}

static void
rx_extra_past_prod(void)
{
	rawback_put_rx(-1, 0, NETRXF_extra_info, 100);
}

static void
rx_extras_past_prod(void)
{
	rawback_put_rx(-1, 0, NETRXF_extra_info, 100);
	extra_rx(XEN_NETIF_EXTRA_TYPE_HASH, true);
}

static void
rx_ahead(void)
{
	rawback.rx_prod += 300;
}

static void
rx_backwards(void)
{
	rawback.rx_prod -= 2;
}

static void
test_rx_breaches(void **state __rte_unused)
{
	static const struct {
		void (*put)(void);
		const char *why;
		bool index;
	} cases[] = {
		{ rx_other_id, "response with the id of another slot", false },
		{ rx_large_id, "response with the id of another slot", false },
		{ rx_past_page, "response past the end of its page", false },
		{ rx_past_page_size, "response past the end of its page", false },
		{ rx_past_page_later, "response past the end of its page", false },
		{ rx_chain_past_prod, "packet past the end of the responses", false },
		{ rx_extra_past_prod, "extra info past the end of the responses", false },
		{ rx_extras_past_prod, "extra info past the end of the responses", false },
		{ rx_ahead, "rsp_prod ahead of the requests", true },
		{ rx_backwards, "rsp_prod ahead of the requests", true },
	};
	struct rte_mbuf *pkts[PKTS];
	unsigned int i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		put_good(i);
		if (cases[i].index) {
			assert_int_equal(burst_rx(pkts), 1);
			rte_pktmbuf_free(pkts[0]);
		}
		cases[i].put();
		assert_int_equal(burst_rx(pkts), cases[i].index ? 0 : 1);
		if (!cases[i].index) {
			unit_check_packet(pkts[0], 100, i);
			rte_pktmbuf_free(pkts[0]);
		}
		assert_int_equal(rte_eth_rx_burst(rawback.port, 0, pkts, PKTS), 0);
		expect_broken(cases[i].why);
	}
}

static void
rx_error(void)
{
	rawback_put_rx(-1, 0, 0, NETIF_RSP_ERROR);
}

static void
rx_error_later(void)
{
	rawback_put_rx(-1, 0, NETRXF_more_data, 100);
	rawback_put_rx(-1, 0, NETRXF_more_data, NETIF_RSP_DROPPED);
	rawback_put_rx(-1, 0, 0, 100);
}

static void
rx_13_bytes(void)
{
	rawback_put_rx(-1, 0, 0, 13);
}

static void
rx_empty(void)
{
	rawback_put_rx(-1, 0, 0, 0);
}

static void
rx_19_slots(void)
{
	unsigned int i;

	for (i = 0; i < 19; i++)
		rawback_put_rx(-1, 0, i < 18 ? NETRXF_more_data : 0, 100);
}

static void
rx_too_long(void)
{
	unsigned int i;

	for (i = 0; i < 17; i++)
		rawback_put_rx(-1, 0, i < 16 ? NETRXF_more_data : 0, 4096);
}

static void
rx_gso(void)
{
	rawback_put_rx(-1, 0, NETRXF_extra_info, 100);
	extra_rx(XEN_NETIF_EXTRA_TYPE_GSO, false);
}

static void
rx_extra_unknown(void)
{
	rawback_put_rx(-1, 0, NETRXF_extra_info, 100);
	extra_rx(99, false);
}

static void
rx_blank_nonsense(void)
{
	rawback_put_rx(-1, 0, NETRXF_csum_blank | NETRXF_data_validated, 60);
}

/* Packets that are dropped, each between two that arrive. */
static void
test_rx_dropped(void **state __rte_unused)
{
	static void (*const cases[])(void) = {
		rx_error,
		rx_error_later,
		rx_13_bytes,
		rx_empty,
		rx_19_slots,
		rx_too_long,
		rx_gso,
		rx_extra_unknown,
		rx_blank_nonsense,
	};
	struct rte_mbuf *pkts[PKTS];
	struct rte_eth_stats stats;
	unsigned int i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		put_good(2 * i);
		cases[i]();
		put_good(2 * i + 1);
		assert_int_equal(burst_rx(pkts), 2);
		unit_check_packet(pkts[0], 100, 2 * i);
		unit_check_packet(pkts[1], 100, 2 * i + 1);
		rte_pktmbuf_free_bulk(pkts, 2);
		/* All buffers are posted again. */
		assert_int_equal(rawback.rx->req_prod - rawback.rx_prod, XEN_NETIF_RING_SIZE);
	}
	assert_int_equal(rte_eth_stats_get(rawback.port, &stats), 0);
	assert_int_equal(stats.ierrors, RTE_DIM(cases));
	assert_int_equal(stats.ipackets, 2 * RTE_DIM(cases));
	assert_true(unit_link(rawback.port));
	assert_int_equal(unit_xstat(rawback.port, "protocol_errors"), 0);
}

/* Send n packets; the requests as the backend sees them. */
static void
send_packets(unsigned int n, struct netif_tx_request *reqs)
{
	struct rte_mbuf *m;
	unsigned int i;

	for (i = 0; i < n; i++) {
		m = unit_packet(100, UNIT_ROOM, i);
		assert_int_equal(rte_eth_tx_burst(rawback.port, 0, &m, 1), 1);
		assert_int_equal(rawback.tx->req_prod, rawback.tx_cons + 1);
		reqs[i] = rawback.tx->ring[rawback.tx_cons++ & XEN_NETIF_RING_MASK].req;
		assert_int_equal(reqs[i].size, 100);
	}
}

/* The frontend looks at responses when it transmits. */
static void
transmit_into_broken(const char *why)
{
	struct rte_mbuf *m = unit_packet(60, UNIT_ROOM, 0);

	assert_int_equal(rte_eth_tx_burst(rawback.port, 0, &m, 1), 0);
	unit_check_packet(m, 60, 0);
	rte_pktmbuf_free(m);
	expect_broken(why);
}

static void
test_tx_breaches(void **state __rte_unused)
{
	const char *const why = "response to a request that is not outstanding";
	struct netif_tx_request reqs[4];

	send_packets(2, reqs);
	rawback_tx_answer(256, NETIF_RSP_OKAY);
	transmit_into_broken(why);
	send_packets(2, reqs);
	rawback_tx_answer(0xFFFF, NETIF_RSP_OKAY);
	transmit_into_broken(why);
	/* Never asked. */
	send_packets(2, reqs);
	rawback_tx_answer((reqs[0].id + 128) % 256, NETIF_RSP_OKAY);
	transmit_into_broken(why);
	/* The same twice. */
	send_packets(2, reqs);
	rawback_tx_answer(reqs[1].id, NETIF_RSP_OKAY);
	rawback_tx_answer(reqs[1].id, NETIF_RSP_OKAY);
	transmit_into_broken(why);
	/* More answers than requests. */
	send_packets(2, reqs);
	__atomic_store_n(&rawback.tx->rsp_prod, rawback.tx->rsp_prod + 3, __ATOMIC_RELEASE);
	transmit_into_broken("rsp_prod ahead of the requests");
	send_packets(2, reqs);
	__atomic_store_n(&rawback.tx->rsp_prod, rawback.tx->rsp_prod - 1, __ATOMIC_RELEASE);
	transmit_into_broken("rsp_prod ahead of the requests");
}

/* Packets are answered in any order, and extra info by NULL with anything for an id. */
static void
test_tx_extra(void **state __rte_unused)
{
	struct frame frame = { .payload = 1000 };
	struct netif_tx_request reqs[4];
	struct rte_mbuf *pkts[2];
	unsigned int round;
	uint32_t idx;

	frame_make(&frame);
	for (round = 0; round < 200; round++) {
		pkts[0] = frame_mbuf(&frame);
		pkts[0]->ol_flags |= frame_tx_flags(&frame) | RTE_MBUF_F_TX_TCP_SEG;
		pkts[0]->l4_len = 20;
		pkts[0]->tso_segsz = 600;
		pkts[1] = unit_packet(60, UNIT_ROOM, 0);
		idx = rawback.tx->req_prod;
		assert_int_equal(rte_eth_tx_burst(rawback.port, 0, pkts, 2), 2);
		assert_int_equal(rawback.tx->req_prod, idx + 3);
		reqs[0] = rawback.tx->ring[idx & XEN_NETIF_RING_MASK].req;
		reqs[1] = rawback.tx->ring[(idx + 2) & XEN_NETIF_RING_MASK].req;
		assert_int_not_equal(reqs[0].flags & NETTXF_extra_info, 0);
		rawback_tx_answer(reqs[1].id, NETIF_RSP_OKAY);
		rawback_tx_answer(reqs[0].id, NETIF_RSP_OKAY);
		rawback_tx_answer(reqs[1].id, NETIF_RSP_NULL);
	}
	assert_int_equal(unit_xstat(rawback.port, "tx_q0_gso_whole"), 200);
	rawback.tx_cons = rawback.tx->req_prod;
	send_packets(2, reqs);
	rawback_tx_answer(reqs[0].id, NETIF_RSP_NULL);
	transmit_into_broken("response to extra info that is not outstanding");
}

/* Answers in any order are within the protocol, and so are errors. */
static void
test_tx_answers(void **state __rte_unused)
{
	struct netif_tx_request reqs[4];
	struct rte_eth_stats stats;
	unsigned int round;

	for (round = 0; round < 300; round++) {
		send_packets(4, reqs);
		rawback_tx_answer(reqs[2].id, NETIF_RSP_OKAY);
		rawback_tx_answer(reqs[0].id, NETIF_RSP_ERROR);
		rawback_tx_answer(reqs[3].id, NETIF_RSP_OKAY);
		rawback_tx_answer(reqs[1].id, NETIF_RSP_DROPPED);
	}
	send_packets(1, reqs);
	assert_int_equal(rte_eth_stats_get(rawback.port, &stats), 0);
	assert_int_equal(stats.opackets, 1201);
	assert_int_equal(stats.oerrors, 600);
	assert_true(unit_link(rawback.port));
}

/* The backend answers nothing: the ring fills, and what does not fit stays the caller's. */
static void
test_tx_full(void **state __rte_unused)
{
	struct netif_tx_request reqs[XEN_NETIF_RING_SIZE];
	struct rte_mbuf *m;
	unsigned int i;

	send_packets(XEN_NETIF_RING_SIZE, reqs);
	m = unit_packet(9000, 500, 3);
	assert_int_equal(rte_eth_tx_burst(rawback.port, 0, &m, 1), 0);
	unit_check_packet(m, 9000, 3);
	for (i = 0; i < 3; i++) {
		assert_int_equal(rte_eth_tx_burst(rawback.port, 0, &m, 1), 0);
		rawback_tx_answer(reqs[i].id, NETIF_RSP_OKAY);
	}
	assert_int_equal(rte_eth_tx_burst(rawback.port, 0, &m, 1), 1);
	assert_int_equal(rawback.tx->req_prod - rawback.tx_cons, 3);
	assert_int_equal(unit_xstat(rawback.port, "tx_q0_ring_full"), 4);
}

static void
reset_stats(void)
{
	assert_int_equal(rte_eth_stats_reset(rawback.port), 0);
	assert_int_equal(rte_eth_xstats_reset(rawback.port), 0);
}

static void
stop_start(void)
{
	assert_int_equal(rte_eth_dev_stop(rawback.port), 0);
	assert_int_equal(rte_eth_dev_start(rawback.port), 0);
}

static void
link_down_up(void)
{
	assert_int_equal(rte_eth_dev_set_link_down(rawback.port), 0);
	assert_int_equal(rte_eth_dev_set_link_up(rawback.port), 0);
}

/* A breach ends that connection, whatever the application does in between, and no other one. */
static void
test_breach(void **state __rte_unused)
{
	static void (*const app_calls[])(void) = { reset_stats, stop_start, link_down_up };
	struct rte_mbuf *pkts[PKTS];
	unsigned int i, j;

	for (i = 0; i < RTE_DIM(app_calls); i++) {
		pthread_mutex_lock(&gate);
		rx_other_id();
		assert_int_equal(burst_rx(pkts), 0);
		app_calls[i]();
		pthread_mutex_unlock(&gate);
		expect_broken("response with the id of another slot");
		for (j = 0; j < RTE_DIM(app_calls); j++) {
			app_calls[j]();
			unit_wait(unit_link(rawback.port));
			rawback_state(XenbusStateConnected);
			put_good(j);
			unit_wait(burst_rx(pkts) == 1);
			unit_check_packet(pkts[0], 100, j);
			rte_pktmbuf_free(pkts[0]);
			assert_true(rawback_front_is(XenbusStateConnected));
		}
		assert_string_equal(unit_read("/local/domain/0/error/device/vif/0/error"), "");
	}
}

#define fixture(fn) cmocka_unit_test_setup_teardown(fn, rawback_setup, rawback_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		fixture(test_rx_breaches),
		fixture(test_rx_dropped),
		fixture(test_tx_breaches),
		fixture(test_tx_extra),
		fixture(test_tx_answers),
		fixture(test_tx_full),
		fixture(test_breach),
	};

	return cmocka_run_group_tests_name("front", tests, unit_setup, unit_teardown);
}
