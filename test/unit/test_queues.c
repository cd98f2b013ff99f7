/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* The application's queues and the guest's: any number of either, and every one is served. */

#include <pthread.h>
#include <stdlib.h>

#include "flow.h"
#include "vif.h"

#define PKTS 64

/* One packet in each of the guest's rings; each arrives at the application's queue i % n. */
static void
check_rx(struct vif *v, unsigned int guest, unsigned int app)
{
	struct netif_tx_request req = { .size = 60 };
	struct netif_tx_response rsp;
	struct rte_mbuf *pkts[PKTS];
	unsigned int i, n, j, seen;

	for (i = 0; i < guest; i++) {
		req.id = 100 + i;
		req.gref = v->f.gref[i];
		rawfront_tx_put(&v->f, i, &req);
		rawfront_tx_push(&v->f, i);
	}
	for (i = 0; i < app; i++) {
		n = rte_eth_rx_burst(v->port, i, pkts, PKTS);
		for (j = 0, seen = 0; j < guest; j++) {
			if (j % app != i)
				continue;
			assert_true(rawfront_tx_rsp(&v->f, j, &rsp));
			assert_int_equal(rsp.id, 100 + j);
			seen++;
		}
		assert_int_equal(n, seen);
		rte_pktmbuf_free_bulk(pkts, n);
	}
}

/* The guest's queue that a packet has come to, and its response; fails unless there is one. */
static unsigned int
find_rx(struct vif *v, unsigned int guest, struct netif_rx_response *rsp)
{
	unsigned int i;

	for (i = 0; i < guest; i++) {
		if (rawfront_rx_rsp(&v->f, i, rsp))
			return i;
	}
	fail_msg("no response in any queue");
	return 0;
}

/*
 * One packet from each of the application's queues: it comes to the guest's queue i % n, or to that
 * of its flow where the application has fewer.
 */
static void
check_tx(struct vif *v, unsigned int guest, unsigned int app)
{
	struct netif_rx_response rsp;
	unsigned int i, queue, again;
	struct rte_mbuf *m;

	for (i = 0; i < guest; i++)
		rawfront_rx_post(&v->f, i, 32 * i % RAWFRONT_PAGES, 4 * app);
	for (i = 0; i < app; i++) {
		m = unit_packet(60 + i, UNIT_ROOM, i);
		assert_int_equal(rte_eth_tx_burst(v->port, i, &m, 1), 1);
		queue = find_rx(v, guest, &rsp);
		assert_int_equal(rsp.status, 60 + i);
		if (app >= guest)
			assert_int_equal(queue, i % guest);
		m = unit_packet(60 + i, UNIT_ROOM, i);
		assert_int_equal(rte_eth_tx_burst(v->port, i, &m, 1), 1);
		again = find_rx(v, guest, &rsp);
		assert_int_equal(again, queue);
	}
	for (i = 0; i < guest; i++)
		assert_false(rawfront_rx_rsp(&v->f, i, &rsp));
}

static void
check_combination(unsigned int guest, unsigned int app, bool single)
{
	const struct vif_options options = {
		.queues = guest,
		.app_queues = app,
		.single_evtchn = single,
	};
	struct vif v;
	unsigned int i;

	vif_open(&v, &options);
	vif_connect(&v);
	assert_int_equal(unit_maps(), 2 * guest);
	assert_int_equal(unit_ports(), single ? guest : 2 * guest);
	for (i = 0; i < 3; i++) {
		check_rx(&v, guest, app);
		check_tx(&v, guest, app);
	}
	vif_close(&v);
	assert_int_equal(unit_maps(), 0);
	assert_int_equal(unit_ports(), 0);
	unit_check_pool();
}

static void
test_combinations(void **state __rte_unused)
{
	unsigned int guest, app;

	for (guest = 1; guest <= 4; guest++) {
		for (app = 1; app <= 5; app++)
			check_combination(guest, app, (guest + app) % 2 == 0);
	}
}

/* A guest that comes back with another number of queues. */
static void
test_change(void **state __rte_unused)
{
	const struct vif_options options = { .queues = 4, .app_queues = 2 };
	static const unsigned int counts[] = { 4, 2, 1, 3, 1, 4 };
	unsigned int i;
	struct vif v;

	vif_open(&v, &options);
	for (i = 0; i < RTE_DIM(counts); i++) {
		v.f.nb_queues = counts[i];
		rawfront_unset(&v.f, "multi-queue-num-queues");
		vif_connect(&v);
		assert_int_equal(unit_maps(), 2 * counts[i]);
		check_rx(&v, counts[i], 2);
		check_tx(&v, counts[i], 2);
		rawfront_reset(&v.f);
		rawfront_init_rings(&v.f, 0);
	}
	vif_close(&v);
}

static void
expect_served(struct vif *v, unsigned int guest, unsigned int app)
{
	char name[32];

	unit_wait(unit_link(v->port));
	assert_int_equal(unit_maps(), 2 * guest);
	check_rx(v, guest, app);
	check_tx(v, guest, app);
	/* All of its rings have statistics. */
	snprintf(name, sizeof(name), "rx_q%u_slots", guest - 1);
	assert_true(unit_xstat(v->port, name) != 0);
	snprintf(name, sizeof(name), "tx_q%u_slots", guest - 1);
	unit_xstat(v->port, name);
}

/*
 * The port is made anew, for fewer queues than its guest was offered and has: that one is served
 * on, and the next time that it connects it is offered what the port has.
 */
static void
check_fewer(unsigned int guest, unsigned int app, const char *args)
{
	const struct vif_options before = { .queues = guest, .args = ",queues=32" };
	const struct vif_options after = { .app_queues = app, .args = args };
	struct vif v;

	vif_open(&v, &before);
	vif_connect(&v);
	vif_remove_port(&v);
	vif_add_port(&v, &after);
	expect_served(&v, guest, app);
	assert_int_equal(rawfront_back_state(&v.f), XenbusStateConnected);
	assert_int_equal(rte_eth_dev_stop(v.port), 0);
	assert_int_equal(unit_maps(), 0);
	assert_int_equal(rte_eth_dev_start(v.port), 0);
	unit_wait(unit_link(v.port));
	assert_int_equal(unit_maps(), 2 * guest);

	v.f.nb_queues = 1;
	rawfront_reset(&v.f);
	assert_string_equal(unit_read("%s/multi-queue-max-queues", v.f.back),
			strcmp(args, ",queues=1") == 0 ? "" : "2");
	rawfront_unset(&v.f, "multi-queue-num-queues");
	rawfront_init_rings(&v.f, 0);
	vif_connect(&v);
	expect_served(&v, 1, app);
	vif_close(&v);
	unit_check_pool();
}

static void
test_fewer(void **state __rte_unused)
{
	check_fewer(4, 1, ",queues=2");
	check_fewer(4, 3, ",queues=1");
	check_fewer(3, 5, ",queues=1");
	check_fewer(32, 1, ",queues=2");
	check_fewer(32, 4, ",queues=1");
}

/* The guest has read the offer of a backend that is gone, and connects to another one. */
static void
test_fewer_waiting(void **state __rte_unused)
{
	const struct vif_options before = { .queues = 4 };
	const struct vif_options after = { .args = ",queues=2" };
	struct vif v;

	vif_open(&v, &before);
	rawfront_wait(&v.f, XenbusStateInitWait);
	vif_remove_port(&v);
	vif_add_port(&v, &after);
	vif_connect(&v);
	expect_served(&v, 4, 1);
	vif_close(&v);
}

/* The limit is what was offered, whoever has done it. */
static void
test_limit(void **state __rte_unused)
{
	static const struct {
		/* "": no such key. */
		const char *offered;
		unsigned int guest;
		const char *args;
		/* "": it is served. */
		const char *refused;
	} cases[] = {
		{ "2", 3, ",queues=8", "multi-queue-num-queues='3' is not a number from 1 to 2" },
		{ "2", 2, ",queues=8", "" },
		{ "64", 32, ",queues=2", "" },
		{ "64", 33, ",queues=2", "='33' is not a number from 1 to 32" },
		{ "", 1, ",queues=2", "" },
		{ "", 4, ",queues=4", "" },
		{ "", 4, ",queues=2", "='4' is not a number from 1 to 2" },
		{ "0", 4, ",queues=4", "" },
		{ "x", 4, ",queues=3", "='4' is not a number from 1 to 3" },
	};
	const struct vif_options before = { .queues = 32, .args = ",queues=32" };
	struct vif_options after = { .queues = 1 };
	struct vif v;
	unsigned int i;

	vif_open(&v, &before);
	for (i = 0; i < RTE_DIM(cases); i++) {
		v.f.nb_queues = RTE_MIN(cases[i].guest, 32u);
		rawfront_unset(&v.f, "multi-queue-num-queues");
		vif_connect(&v);
		vif_remove_port(&v);
		unit_log_clear();
		unit_write(cases[i].offered, "%s/multi-queue-max-queues", v.f.back);
		if (cases[i].offered[0] == '\0')
			unit_remove("%s/multi-queue-max-queues", v.f.back);
		if (cases[i].guest > 1)
			rawfront_set(&v.f, "multi-queue-num-queues", "%u", cases[i].guest);
		after.args = cases[i].args;
		vif_add_port(&v, &after);
		if (cases[i].refused[0] == '\0')
			expect_served(&v, cases[i].guest, 1);
		else
			vif_expect_failed(&v, cases[i].refused);
		vif_remove_port(&v);
		/* As it was. */
		vif_add_port(&v, &before);
		rawfront_reset(&v.f);
		rawfront_init_rings(&v.f, 0);
		unit_remove("/local/domain/0/error/backend/vif/%u/%u", v.f.domid, v.f.devid);
	}
	vif_close(&v);
}

/* A ring that is always full must not keep a queue from its other rings. */
static void
test_fair(void **state __rte_unused)
{
	const struct vif_options options = { .queues = 4 };
	struct netif_tx_request req = { .size = 60 };
	unsigned int i, j, n, round, quiet = 0;
	struct netif_tx_response rsp;
	struct rte_mbuf *pkts[PKTS];
	struct vif v;

	vif_open(&v, &options);
	vif_connect(&v);
	for (j = 1; j < 4; j++) {
		req.id = j;
		req.gref = v.f.gref[j];
		rawfront_tx_put(&v.f, j, &req);
		rawfront_tx_push(&v.f, j);
	}
	req.gref = v.f.gref[0];
	for (round = 0; round < 8; round++) {
		while (v.f.q[0].tx_prod - v.f.q[0].tx_cons < XEN_NETIF_RING_SIZE)
			rawfront_tx_put(&v.f, 0, &req);
		rawfront_tx_push(&v.f, 0);
		n = rte_eth_rx_burst(v.port, 0, pkts, 32);
		assert_int_equal(n, 32);
		rte_pktmbuf_free_bulk(pkts, n);
		while (rawfront_tx_rsp(&v.f, 0, &rsp))
			;
		for (i = 1; i < 4; i++)
			quiet += rawfront_tx_rsp(&v.f, i, &rsp);
	}
	assert_int_equal(quiet, 3);
	while ((n = rte_eth_rx_burst(v.port, 0, pkts, 32)) != 0)
		rte_pktmbuf_free_bulk(pkts, n);
	vif_close(&v);
	unit_check_pool();
}

/* The packets that have come to any of the guest's queues. */
static void
take_flows(struct vif *v, struct flows *f)
{
	struct netif_rx_response rsp;
	unsigned int i;

	for (i = 0; i < v->f.nb_queues; i++) {
		while (rawfront_rx_rsp(&v->f, i, &rsp)) {
			assert_int_equal(rsp.flags, 0);
			flow_see(f, rawfront_page(&v->f, rsp.id), rsp.status, i);
		}
	}
}

/*
 * Post up to most buffers in each of the guest's queues: one at least, or a queue counts as
 * neglected when the machine is slow.
 */
static void
post_some(struct vif *v, unsigned int most)
{
	unsigned int i, n;

	for (i = 0; i < v->f.nb_queues; i++) {
		n = 1 + rand() % most;
		vif_post(v, i, RTE_MIN(n, 100 - vif_posted(v, i)));
	}
}

/* Packets that an application has and will send, each flow's by one queue. */
struct stock {
	struct rte_mbuf *pkts[2 * PKTS];
	uint16_t nb;
};

/* Send all of the stock, again if need be: what is not taken is what was last. */
static unsigned int
send_stock(struct vif *v, uint16_t queue, struct stock *s)
{
	uint16_t taken = rte_eth_tx_burst(v->port, queue, s->pkts, s->nb);

	assert_in_range(taken, 0, s->nb);
	s->nb -= taken;
	memmove(s->pkts, s->pkts + taken, s->nb * sizeof(s->pkts[0]));
	return s->nb;
}

/*
 * Many flows through few queues of the application to four of the guest's, which has as many
 * buffers as it likes: all its queues carry, and each flow keeps to one and is in order, with
 * nothing lost or sent twice.
 */
static void
check_flows(unsigned int app, uint16_t nb_desc, unsigned int posts)
{
	const struct vif_options options = { .queues = 4, .app_queues = app };
	static struct stock stocks[2];
	unsigned int round, flow, target, i, refused = 0;
	static struct flows f;
	struct vif v;

	flow_init(&f);
	vif_open(&v, &options);
	for (i = 0; i < app; i++)
		vif_set_tx_descs(&v, i, nb_desc);
	vif_connect(&v);
	for (round = 0; round < 500; round++) {
		for (i = 0; i < app; i++) {
			target = rand() % RTE_DIM(stocks[i].pkts);
			while (stocks[i].nb < target) {
				flow = rand() % (FLOW_MAX / app) * app + i;
				stocks[i].pkts[stocks[i].nb++] = flow_next(&f, flow);
			}
		}
		for (i = 0; i < app; i++) {
			post_some(&v, posts / app);
			refused += send_stock(&v, i, &stocks[i]);
			take_flows(&v, &f);
		}
	}
	for (i = 0; i < app; i++) {
		while (send_stock(&v, i, &stocks[i]) != 0) {
			post_some(&v, 50);
			take_flows(&v, &f);
		}
	}
	for (i = 0; i < 20; i++) {
		post_some(&v, 100);
		vif_flush_by_tx(&v, 0);
		take_flows(&v, &f);
	}
	flow_check(&f, 4);
	/* The case was what it is for. */
	assert_int_equal(refused != 0, posts < 50);
	vif_expect_sent(&v, f.all, 0);
	vif_close(&v);
	unit_check_pool();
}

static void
test_flows(void **state __rte_unused)
{
	srand(4);
	check_flows(1, 256, 100);
	check_flows(2, 256, 100);
}

/* Nearly all descriptors are used, so that packets go in the order of the burst. */
static void
test_flows_few_descriptors(void **state __rte_unused)
{
	srand(5);
	check_flows(1, 64, 20);
	check_flows(2, 64, 20);
	check_flows(1, 1, 20);
	check_flows(2, 7, 20);
}

/* Traffic of another thread while the guest resets and the link is set down and up. */
struct lcore {
	uint16_t port;
	bool quit;
	unsigned long packets;
};

static void *
poll_port(void *arg)
{
	struct lcore *l = arg;
	struct rte_mbuf *pkts[PKTS];
	uint16_t n, sent;

	while (!__atomic_load_n(&l->quit, __ATOMIC_RELAXED)) {
		n = rte_eth_rx_burst(l->port, 0, pkts, PKTS);
		sent = rte_eth_tx_burst(l->port, 0, pkts, n);
		rte_pktmbuf_free_bulk(pkts + sent, n - sent);
		__atomic_fetch_add(&l->packets, n, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void
test_reset_under_load(void **state)
{
	struct vif *v = *state;
	struct lcore l = { .port = v->port };
	unsigned int round, i;
	unsigned long before;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, poll_port, &l), 0);
	for (round = 0; round < 60; round++) {
		before = __atomic_load_n(&l.packets, __ATOMIC_RELAXED);
		if (round % 3 == 0)
			assert_int_equal(rte_eth_dev_set_link_down(v->port), 0);
		rawfront_rx_post(&v->f, 0, 0, 200);
		for (i = 0; i < 200; i++)
			vif_put(v, i, 0, 60, 0, i);
		rawfront_tx_push(&v->f, 0);
		if (round % 3 == 0)
			assert_int_equal(rte_eth_dev_set_link_up(v->port), 0);
		/* Every other time in the middle of it. */
		if (round % 2 == 0)
			unit_wait(__atomic_load_n(&l.packets, __ATOMIC_RELAXED) == before + 200);
		rawfront_reset(&v->f);
		assert_int_equal(unit_maps(), 0);
		rawfront_init_rings(&v->f, 0);
		vif_connect(v);
	}
	__atomic_store_n(&l.quit, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_combinations),
		cmocka_unit_test(test_change),
		cmocka_unit_test(test_fewer),
		cmocka_unit_test(test_fewer_waiting),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_fair),
		cmocka_unit_test(test_flows),
		cmocka_unit_test(test_flows_few_descriptors),
		vif_test(test_reset_under_load),
	};

	return cmocka_run_group_tests_name("queues", tests, unit_setup, unit_teardown);
}
