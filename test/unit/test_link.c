/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * The link as the application sets it: no packet passes while it is down, the other end stays
 * connected, and a guest sees it in the key "carrier" (netif.h), whoever has written that before.
 * What net_xenfront reads there of its backend is its own link too.
 */

#include <stdio.h>

#include "pair.h"
#include "rawback.h"
#include "vif.h"

#define PKTS 8

/* Pages from this one on are posted for what the guest receives. */
#define RX_PAGE 256

static bool
carrier_is(const struct vif *v, const char *value)
{
	return strcmp(unit_read("%s/carrier", v->f.back), value) == 0;
}

static void
set_down(uint16_t port)
{
	assert_int_equal(rte_eth_dev_set_link_down(port), 0);
}

static void
set_up(uint16_t port)
{
	assert_int_equal(rte_eth_dev_set_link_up(port), 0);
	unit_wait(unit_link(port));
}

/* Nothing passes, in either direction, although both ends have something to send. */
static void
expect_silent(struct vif *v, unsigned int page)
{
	struct rte_mbuf *pkts[PKTS], *m;

	vif_put(v, page, 0, 60, 0, page);
	rawfront_tx_push(&v->f, 0);
	rawfront_rx_post(&v->f, 0, RX_PAGE + page, 1);
	assert_int_equal(rte_eth_rx_burst(v->port, 0, pkts, PKTS), 0);
	m = unit_packet(60, UNIT_ROOM, 0);
	assert_int_equal(rte_eth_tx_burst(v->port, 0, &m, 1), 0);
	unit_check_packet(m, 60, 0);
	rte_pktmbuf_free(m);
	vif_expect_no_rsp(v);
}

/* What the guest has sent and posted meanwhile is there. */
static void
expect_traffic(struct vif *v, unsigned int page)
{
	struct netif_rx_response rsp;
	struct rte_mbuf *m;

	assert_int_equal(rte_eth_rx_burst(v->port, 0, &m, 1), 1);
	unit_check_packet(m, 60, vif_seed(page));
	rte_pktmbuf_free(m);
	vif_expect_rsp(v, page, NETIF_RSP_OKAY);
	m = unit_packet(60, UNIT_ROOM, 0);
	assert_int_equal(rte_eth_tx_burst(v->port, 0, &m, 1), 1);
	assert_true(rawfront_rx_rsp(&v->f, 0, &rsp));
	assert_int_equal(rsp.status, 60);
}

static void
test_down_up(void **state)
{
	struct vif *v = *state;
	unsigned int i;

	unit_wait(carrier_is(v, "1"));
	for (i = 0; i < 20; i++) {
		/* At once, whatever the control thread is at. */
		set_down(v->port);
		expect_silent(v, i);
		unit_wait(!unit_link(v->port) && carrier_is(v, "0"));
		assert_int_equal(rawfront_back_state(&v->f), XenbusStateConnected);
		assert_int_equal(unit_maps(), 2);
		set_up(v->port);
		expect_traffic(v, i);
		unit_wait(carrier_is(v, "1"));
	}
	assert_int_equal(unit_xstat(v->port, "disconnects"), 0);
}

/* What waits for buffers of the guest is not kept for it. */
static void
test_waiting(void **state)
{
	struct rte_mbuf *pkts[PKTS];
	struct vif *v = *state;
	unsigned int i;

	for (i = 0; i < PKTS; i++)
		pkts[i] = unit_packet(60, UNIT_ROOM, i);
	assert_int_equal(rte_eth_tx_burst(v->port, 0, pkts, PKTS), PKTS);
	set_down(v->port);
	unit_check_pool();
	set_up(v->port);
	vif_send_good(v);
}

/* A vif that is made anew is offered with the carrier that it has. */
static void
test_remade(void **state)
{
	struct vif *v = *state;
	unsigned int i;

	for (i = 0; i < 6; i++) {
		if (i % 2 == 0)
			set_down(v->port);
		rawfront_toolstack_remove(&v->f);
		/* Seen to be gone, or not. */
		if (i < 4)
			unit_wait(!unit_link(v->port));
		rawfront_init_rings(&v->f, 0);
		rawfront_toolstack(&v->f);
		rawfront_wait(&v->f, XenbusStateInitWait);
		assert_true(carrier_is(v, i % 2 == 0 ? "0" : "1"));
		rawfront_connect(&v->f);
		if (i % 2 == 0) {
			expect_silent(v, 1);
			assert_true(carrier_is(v, "0"));
			set_up(v->port);
			expect_traffic(v, 1);
			unit_wait(carrier_is(v, "1"));
		} else {
			unit_wait(unit_link(v->port));
			vif_send_good(v);
			assert_true(carrier_is(v, "1"));
		}
	}
	/* A guest that comes back. */
	set_down(v->port);
	unit_wait(carrier_is(v, "0"));
	unit_remove("%s/carrier", v->f.back);
	rawfront_reset(&v->f);
	assert_true(carrier_is(v, "0"));
	assert_int_equal(rte_eth_dev_set_link_up(v->port), 0);
	rawfront_init_rings(&v->f, 0);
	vif_connect(v);
	unit_wait(carrier_is(v, "1"));
}

/* The port is stopped and started again: the link is as it was set, also meanwhile. */
static void
test_restarted(void **state)
{
	struct vif *v = *state;

	set_down(v->port);
	unit_wait(carrier_is(v, "0"));
	assert_int_equal(rte_eth_dev_stop(v->port), 0);
	unit_write("1", "%s/carrier", v->f.back);
	assert_int_equal(rte_eth_dev_start(v->port), 0);
	unit_wait(carrier_is(v, "0"));
	expect_silent(v, 3);
	set_up(v->port);
	expect_traffic(v, 3);
	unit_wait(carrier_is(v, "1"));

	assert_int_equal(rte_eth_dev_stop(v->port), 0);
	set_down(v->port);
	assert_int_equal(rte_eth_dev_start(v->port), 0);
	unit_wait(carrier_is(v, "0"));
	expect_silent(v, 4);
	assert_int_equal(rte_eth_dev_stop(v->port), 0);
	assert_int_equal(rte_eth_dev_set_link_up(v->port), 0);
	assert_int_equal(rte_eth_dev_start(v->port), 0);
	unit_wait(unit_link(v->port));
	expect_traffic(v, 4);
	unit_wait(carrier_is(v, "1"));
}

/* The process ends with the link down: the next one knows nothing of that, and serves the guest. */
static void
test_new_process(void **state)
{
	struct vif *v = *state;

	set_down(v->port);
	unit_wait(carrier_is(v, "0"));
	vif_remove_port(v);
	assert_true(carrier_is(v, "0"));
	assert_int_equal(rawfront_back_state(&v->f), XenbusStateConnected);
	vif_add_port(v, &(struct vif_options){ .app_queues = 1 });
	unit_wait(unit_link(v->port));
	unit_wait(carrier_is(v, "1"));
	vif_send_good(v);
}

static void
test_front(void **state __rte_unused)
{
	struct rte_mbuf *pkts[PKTS], *m;
	uint8_t data[60];
	unsigned int i;

	for (i = 0; i < sizeof(data); i++)
		data[i] = unit_byte(7, i);
	for (i = 0; i < 20; i++) {
		set_down(rawback.port);
		rawback_fill_rx(rawback.rx_prod, 0, data, sizeof(data));
		rawback_put_rx(-1, 0, NETRXF_data_validated, sizeof(data));
		rawback_push_rx();
		assert_int_equal(rte_eth_rx_burst(rawback.port, 0, pkts, PKTS), 0);
		m = unit_packet(60, UNIT_ROOM, 0);
		assert_int_equal(rte_eth_tx_burst(rawback.port, 0, &m, 1), 0);
		unit_wait(!unit_link(rawback.port));
		assert_true(rawback_front_is(XenbusStateConnected));
		assert_true(unit_grants() != 0);
		set_up(rawback.port);
		assert_int_equal(rte_eth_rx_burst(rawback.port, 0, pkts, PKTS), 1);
		unit_check_packet(pkts[0], 60, 7);
		rte_pktmbuf_free(pkts[0]);
		assert_int_equal(rte_eth_tx_burst(rawback.port, 0, &m, 1), 1);
	}
	assert_int_equal(unit_xstat(rawback.port, "disconnects"), 0);
	/* Stopped and started, it is as it was set. */
	set_down(rawback.port);
	assert_int_equal(rte_eth_dev_stop(rawback.port), 0);
	assert_int_equal(rte_eth_dev_start(rawback.port), 0);
	m = unit_packet(60, UNIT_ROOM, 0);
	assert_int_equal(rte_eth_tx_burst(rawback.port, 0, &m, 1), 0);
	set_up(rawback.port);
	assert_int_equal(rte_eth_tx_burst(rawback.port, 0, &m, 1), 1);
}

/* A packet of each direction passes, with what has waited, or none does. */
static void
front_passes(bool passes)
{
	struct rte_mbuf *pkts[PKTS], *m = unit_packet(60, UNIT_ROOM, 0);
	static unsigned int waiting;
	unsigned int i;

	rawback_put_rx(-1, 0, NETRXF_data_validated, 60);
	rawback_push_rx();
	waiting++;
	assert_int_equal(rte_eth_tx_burst(rawback.port, 0, &m, 1), passes);
	if (!passes)
		rte_pktmbuf_free(m);
	assert_int_equal(rte_eth_rx_burst(rawback.port, 0, pkts, PKTS), passes ? waiting : 0);
	for (i = 0; passes && waiting != 0; waiting--)
		rte_pktmbuf_free(pkts[i++]);
}

/* The backend's link is the frontend's: nothing passes without it, and the application is told. */
static void
test_front_carrier(void **state __rte_unused)
{
	static const char *const ups[] = { "1", NULL, "", "2", "00000000001", "no", "-0" };
	static const char *const downs[] = { "0", "00" };
	unsigned int i;

	unit_lsc_begin(rawback.port);
	for (i = 0; i < RTE_DIM(ups); i++) {
		unit_write(downs[i % RTE_DIM(downs)], "%s/carrier", rawback.back);
		unit_wait(unit_lsc_are(i, i + 1));
		assert_false(unit_link(rawback.port));
		front_passes(false);
		assert_true(rawback_front_is(XenbusStateConnected));
		if (ups[i] != NULL)
			unit_write(ups[i], "%s/carrier", rawback.back);
		else
			unit_remove("%s/carrier", rawback.back);
		unit_wait(unit_lsc_are(i + 1, i + 1));
		assert_true(unit_link(rawback.port));
		front_passes(true);
	}
	assert_int_equal(unit_xstat(rawback.port, "disconnects"), 0);
	assert_true(unit_lsc_are(RTE_DIM(ups), RTE_DIM(ups)));
	unit_lsc_end(rawback.port);
}

/* Neither the backend's link nor the application's makes up for the other. */
static void
test_front_both(void **state __rte_unused)
{
	set_down(rawback.port);
	unit_write("0", "%s/carrier", rawback.back);
	/* Looked at, together with a state that changes nothing. */
	assert_int_equal(rte_eth_dev_set_link_up(rawback.port), 0);
	rawback_settle();
	assert_false(unit_link(rawback.port));
	front_passes(false);
	set_down(rawback.port);
	unit_write("1", "%s/carrier", rawback.back);
	rawback_settle();
	assert_false(unit_link(rawback.port));
	front_passes(false);
	set_up(rawback.port);
	front_passes(true);
	/* Stopped and started, and with a new connection, it is what the key says. */
	unit_write("0", "%s/carrier", rawback.back);
	unit_wait(!unit_link(rawback.port));
	assert_int_equal(rte_eth_dev_stop(rawback.port), 0);
	assert_int_equal(rte_eth_dev_start(rawback.port), 0);
	rawback_settle();
	front_passes(false);
	unit_write("1", "%s/carrier", rawback.back);
	unit_wait(unit_link(rawback.port));
	front_passes(true);
}

/* net_xenvif's link is net_xenfront's. */
static void
test_pair(void **state __rte_unused)
{
	unsigned int i;

	pair_open(1, 0);
	for (i = 0; i < 5; i++) {
		set_down(pair.back);
		unit_wait(!unit_link(pair.front));
		set_up(pair.back);
		unit_wait(unit_link(pair.front));
	}
	assert_int_equal(unit_xstat(pair.front, "disconnects"), 0);
	pair_close();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		vif_test(test_down_up),
		vif_test(test_waiting),
		vif_test(test_remade),
		vif_test(test_restarted),
		vif_test(test_new_process),
		cmocka_unit_test_setup_teardown(test_front, rawback_setup, rawback_teardown),
		cmocka_unit_test_setup_teardown(test_front_carrier, rawback_setup,
				rawback_teardown),
		cmocka_unit_test_setup_teardown(test_front_both, rawback_setup, rawback_teardown),
		cmocka_unit_test(test_pair),
	};

	return cmocka_run_group_tests_name("link", tests, unit_setup, unit_teardown);
}
