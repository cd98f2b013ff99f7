/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Interrupts of rx queues: who sleeps is woken up for all that there is to do, and for no more. */

#include <errno.h>
#include <pthread.h>

#include "pair.h"
#include "sleeper.h"
#include "vif.h"

#define ROUNDS 10000

static void
watch(uint16_t port, uint16_t queue)
{
	assert_int_equal(sleeper_watch(port, queue), 0);
}

static void
arm(uint16_t port, uint16_t queue)
{
	assert_int_equal(rte_eth_dev_rx_intr_enable(port, queue), 0);
}

/* Nothing is to be done: what woke it up before does not any more. */
static void
settle(uint16_t port, uint16_t queue)
{
	do {
		arm(port, queue);
	} while (sleeper_sleep(20) >= 0);
}

/* Wait for n packets as an application does that looks, arms and sleeps. */
static void
receive(uint16_t port, uint16_t queue, unsigned int n)
{
	struct rte_mbuf *pkts[32];
	unsigned int nb = 0;
	uint16_t got;

	while (nb < n) {
		got = rte_eth_rx_burst(port, queue, pkts, RTE_DIM(pkts));
		rte_pktmbuf_free_bulk(pkts, got);
		nb += got;
		if (got != 0 || nb == n)
			continue;
		arm(port, queue);
		if (sleeper_sleep(UNIT_LIMIT_MS) < 0)
			fail_msg("nobody woke queue %u up", queue);
		assert_int_equal(rte_eth_dev_rx_intr_disable(port, queue), 0);
	}
	assert_int_equal(nb, n);
}

/* Publish as Linux's frontend does; was the backend notified? */
static bool
guest_push(struct rawfront *f, unsigned int queue)
{
	struct netif_tx_sring *tx = f->q[queue].tx;
	uint32_t old = tx->req_prod;

	rawfront_tx_push(f, queue);
	if (!xen_ring_wants_event(&tx->req_event, f->q[queue].tx_prod, old))
		return false;
	rawfront_notify_tx(f, queue);
	return true;
}

static void
guest_put(struct rawfront *f, unsigned int queue)
{
	struct netif_tx_request req = { .size = 60, .gref = f->gref[queue], .id = queue };

	rawfront_tx_put(f, queue, &req);
}

static bool
guest_send(struct rawfront *f, unsigned int queue)
{
	guest_put(f, queue);
	return guest_push(f, queue);
}

static void
open_vif(struct vif *v, const struct vif_options *options)
{
	unit_rx_interrupts = true;
	vif_open(v, options);
	unit_rx_interrupts = false;
}

static void
open_one(struct vif *v, const char *args)
{
	const struct vif_options options = { .args = args };

	open_vif(v, &options);
	vif_connect(v);
	watch(v->port, 0);
	settle(v->port, 0);
}

static void
test_not_asked_for(void **state)
{
	struct vif *v = *state;

	assert_int_equal(rte_eth_dev_rx_intr_enable(v->port, 0), -ENOTSUP);
	assert_int_equal(rte_eth_dev_rx_intr_disable(v->port, 0), -ENOTSUP);
	assert_int_equal(rte_eth_dev_rx_intr_ctl_q(v->port, 0, RTE_EPOLL_PER_THREAD,
					 RTE_INTR_EVENT_ADD, NULL),
			-ENOTSUP);
}

/* The guest notifies for the packet that ends a sleep, and for no other. */
static void
test_wakes(void **state __rte_unused)
{
	struct vif v;
	unsigned int i;

	open_one(&v, NULL);
	for (i = 0; i < 3; i++) {
		arm(v.port, 0);
		assert_int_equal(sleeper_sleep(20), -1);
		assert_true(guest_send(&v.f, 0));
		assert_int_equal(sleeper_sleep(UNIT_LIMIT_MS), 0);
		assert_int_equal(rte_eth_dev_rx_intr_disable(v.port, 0), 0);
		assert_false(guest_send(&v.f, 0));
		receive(v.port, 0, 2);
		assert_false(guest_send(&v.f, 0));
		assert_false(guest_send(&v.f, 0));
		receive(v.port, 0, 2);
	}
	vif_close(&v);
}

/* What is there before the queue is armed came without a notification. */
static void
test_pending(void **state __rte_unused)
{
	struct vif v;

	open_one(&v, NULL);
	assert_true(guest_send(&v.f, 0));
	receive(v.port, 0, 1);
	assert_false(guest_send(&v.f, 0));
	arm(v.port, 0);
	assert_int_equal(sleeper_sleep(UNIT_LIMIT_MS), 0);
	receive(v.port, 0, 1);
	vif_close(&v);
}

struct sender {
	struct vif *v;
	unsigned int received;
};

/* A packet whenever the one before has been received: at any moment of going to sleep. */
static void *
send_rounds(void *arg)
{
	struct sender *s = arg;
	struct netif_tx_response rsp;
	unsigned int i, n = 0;

	for (i = 0; i < ROUNDS; i++) {
		while (__atomic_load_n(&s->received, __ATOMIC_ACQUIRE) < i)
			;
		for (n = i * 7 % 300; n > 0; n--)
			__atomic_signal_fence(__ATOMIC_SEQ_CST);
		guest_send(&s->v->f, 0);
		while (rawfront_tx_rsp(&s->v->f, 0, &rsp))
			;
	}
	return NULL;
}

static void
test_rounds(void **state __rte_unused)
{
	struct vif v;
	struct sender s = { .v = &v };
	pthread_t thread;
	unsigned int i;

	open_one(&v, NULL);
	assert_int_equal(pthread_create(&thread, NULL, send_rounds, &s), 0);
	for (i = 0; i < ROUNDS; i++) {
		receive(v.port, 0, 1);
		__atomic_store_n(&s.received, i + 1, __ATOMIC_RELEASE);
	}
	pthread_join(thread, NULL);
	vif_close(&v);
}

/* Four rings of the guest behind two queues: each wakes its own. */
static void
test_queues(void **state __rte_unused)
{
	const struct vif_options options = { .queues = 4, .app_queues = 2 };
	struct vif v;
	unsigned int i;

	open_vif(&v, &options);
	vif_connect(&v);
	watch(v.port, 0);
	watch(v.port, 1);
	settle(v.port, 0);
	settle(v.port, 1);
	for (i = 0; i < 8; i++) {
		assert_true(guest_send(&v.f, i % 4));
		assert_int_equal(sleeper_sleep(UNIT_LIMIT_MS), i % 2);
		receive(v.port, i % 2, 1);
		settle(v.port, i % 2);
	}
	vif_close(&v);
}

/* Asleep while the guest comes and goes. */
static void
test_reconnects(void **state __rte_unused)
{
	const struct vif_options options = { .single_evtchn = true };
	struct vif v;
	unsigned int i;

	open_vif(&v, &options);
	watch(v.port, 0);
	settle(v.port, 0);
	vif_connect(&v);
	for (i = 0; i < 3; i++) {
		assert_int_equal(sleeper_sleep(UNIT_LIMIT_MS), 0);
		settle(v.port, 0);
		assert_true(guest_send(&v.f, 0));
		receive(v.port, 0, 1);
		settle(v.port, 0);
		vif_reconnect(&v);
		/* Sent before anybody can have asked for it. */
		guest_put(&v.f, 0);
		rawfront_tx_push(&v.f, 0);
		receive(v.port, 0, 1);
		arm(v.port, 0);
		vif_reconnect(&v);
	}
	vif_close(&v);
}

/* A packet waits for buffers, and all are asleep. */
static void
check_waiting(bool single_evtchn)
{
	const struct vif_options options = { .single_evtchn = single_evtchn };
	struct rte_mbuf *m;
	struct netif_rx_sring *rx;
	struct vif v;
	uint32_t old;

	open_vif(&v, &options);
	vif_connect(&v);
	watch(v.port, 0);
	settle(v.port, 0);
	m = unit_packet(60, UNIT_ROOM, 1);
	assert_int_equal(rte_eth_tx_burst(v.port, 0, &m, 1), 1);
	assert_int_equal(rte_eth_tx_descriptor_status(v.port, 0, 254), RTE_ETH_TX_DESC_DONE);
	assert_int_equal(rte_eth_tx_descriptor_status(v.port, 0, 255), RTE_ETH_TX_DESC_FULL);
	settle(v.port, 0);
	rx = v.f.q[0].rx;
	old = rx->req_prod;
	rawfront_rx_post(&v.f, 0, 0, 4);
	assert_true(xen_ring_wants_event(&rx->req_event, v.f.q[0].rx_prod, old));
	rawfront_notify_rx(&v.f, 0);
	assert_int_equal(sleeper_sleep(UNIT_LIMIT_MS), 0);
	assert_int_equal(rte_eth_rx_burst(v.port, 0, &m, 1), 0);
	assert_true(vif_has_packet(&v, 0));
	settle(v.port, 0);
	/* Nobody waits. */
	old = rx->req_prod;
	rawfront_rx_post(&v.f, 0, 4, 4);
	assert_false(xen_ring_wants_event(&rx->req_event, v.f.q[0].rx_prod, old));
	vif_close(&v);
}

static void
test_waiting(void **state __rte_unused)
{
	check_waiting(false);
	check_waiting(true);
}

/* Somebody else has a packet wait, when all that would look at it are asleep. */
static void
test_waits_later(void **state __rte_unused)
{
	struct netif_rx_sring *rx;
	struct rte_mbuf *m;
	struct vif v;
	uint32_t old;

	open_one(&v, NULL);
	/* What a new ring asks for by itself is over. */
	rawfront_rx_post(&v.f, 0, 0, 1);
	rawfront_notify_rx(&v.f, 0);
	m = unit_packet(60, UNIT_ROOM, 1);
	assert_int_equal(rte_eth_tx_burst(v.port, 0, &m, 1), 1);
	assert_true(vif_has_packet(&v, 0));
	settle(v.port, 0);
	m = unit_packet(60, UNIT_ROOM, 2);
	assert_int_equal(rte_eth_tx_burst(v.port, 0, &m, 1), 1);
	rx = v.f.q[0].rx;
	old = rx->req_prod;
	rawfront_rx_post(&v.f, 0, 4, 4);
	assert_true(xen_ring_wants_event(&rx->req_event, v.f.q[0].rx_prod, old));
	rawfront_notify_rx(&v.f, 0);
	assert_int_equal(sleeper_sleep(UNIT_LIMIT_MS), 0);
	assert_int_equal(rte_eth_rx_burst(v.port, 0, &m, 1), 0);
	assert_int_equal(rx->rsp_prod, 2);
	vif_close(&v);
}

/* A guest that does not connect wakes nobody up. */
static void
test_unconnected(void **state __rte_unused)
{
	const struct vif_options options = { 0 };
	struct vif v;
	unsigned int i;

	open_vif(&v, &options);
	watch(v.port, 0);
	settle(v.port, 0);
	for (i = 0; i < 5; i++) {
		rawfront_set(&v.f, "some-key", "%u", i);
		assert_int_equal(sleeper_sleep(20), -1);
	}
	vif_close(&v);
}

/* A stopped queue has nothing to do; and when it is started, what has come meanwhile. */
static void
test_stopped_queue(void **state __rte_unused)
{
	struct vif v;

	open_one(&v, NULL);
	assert_int_equal(rte_eth_dev_rx_queue_stop(v.port, 0), 0);
	guest_send(&v.f, 0);
	settle(v.port, 0);
	assert_int_equal(rte_eth_dev_rx_queue_start(v.port, 0), 0);
	assert_int_equal(sleeper_sleep(UNIT_LIMIT_MS), 0);
	receive(v.port, 0, 1);
	vif_close(&v);
}

/* Another thread sleeps on the queue once the port is configured anew. */
static void *
sleep_elsewhere(void *arg)
{
	struct vif *v = arg;

	watch(v->port, 0);
	settle(v->port, 0);
	guest_send(&v->f, 0);
	receive(v->port, 0, 1);
	return NULL;
}

static void
test_moves(void **state __rte_unused)
{
	pthread_t thread;
	struct vif v;

	open_one(&v, NULL);
	assert_int_equal(rte_eth_dev_stop(v.port), 0);
	unit_rx_interrupts = true;
	unit_start(v.port, 1, 0, unit_pool);
	unit_rx_interrupts = false;
	vif_reconnect(&v);
	assert_int_equal(pthread_create(&thread, NULL, sleep_elsewhere, &v), 0);
	pthread_join(thread, NULL);
	vif_close(&v);
}

/* The guest does not tell when it posts buffers: somebody has to look. */
static void
test_waiting_untold(void **state __rte_unused)
{
	const struct vif_options options = { 0 };
	struct rte_mbuf *m;
	struct vif v;

	open_vif(&v, &options);
	rawfront_publish(&v.f);
	rawfront_unset(&v.f, "feature-rx-notify");
	rawfront_state(&v.f, XenbusStateConnected);
	unit_wait(unit_link(v.port));
	watch(v.port, 0);
	settle(v.port, 0);
	m = unit_packet(60, UNIT_ROOM, 1);
	assert_int_equal(rte_eth_tx_burst(v.port, 0, &m, 1), 1);
	rawfront_rx_post(&v.f, 0, 0, 4);
	assert_int_equal(sleeper_sleep(UNIT_LIMIT_MS), 0);
	assert_int_equal(rte_eth_rx_burst(v.port, 0, &m, 1), 0);
	assert_true(vif_has_packet(&v, 0));
	vif_close(&v);
}

/* A notification that is held back goes before its lcore sleeps. */
static void
test_held(void **state __rte_unused)
{
	struct rte_mbuf *m;
	struct vif v;

	open_one(&v, ",notify=[4,1000000]");
	rawfront_rx_post(&v.f, 0, 0, 200);
	rawfront_event(&v.f);
	m = unit_packet(60, UNIT_ROOM, 1);
	assert_int_equal(rte_eth_tx_burst(v.port, 0, &m, 1), 1);
	assert_false(rawfront_event(&v.f));
	arm(v.port, 0);
	assert_true(rawfront_event(&v.f));
	vif_close(&v);
}

static void *
notify_for_ever(void *arg)
{
	struct sender *s = arg;

	while (!__atomic_load_n(&s->received, __ATOMIC_ACQUIRE))
		rawfront_notify_tx(&s->v->f, 0);
	return NULL;
}

/* As many notifications as a guest can send keep nobody in there. */
static void
test_storm(void **state __rte_unused)
{
	struct vif v;
	struct sender s = { .v = &v };
	pthread_t thread;
	unsigned int i;

	open_one(&v, NULL);
	assert_int_equal(pthread_create(&thread, NULL, notify_for_ever, &s), 0);
	for (i = 0; i < 100; i++) {
		arm(v.port, 0);
		assert_int_equal(sleeper_sleep(UNIT_LIMIT_MS), 0);
		assert_int_equal(rte_eth_dev_rx_intr_disable(v.port, 0), 0);
	}
	__atomic_store_n(&s.received, 1, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	guest_send(&v.f, 0);
	receive(v.port, 0, 1);
	vif_close(&v);
}

/* Stopped and started with interrupts, without, and with others. */
static void
test_restarts(void **state __rte_unused)
{
	struct vif v;

	open_one(&v, NULL);
	assert_int_equal(rte_eth_dev_stop(v.port), 0);
	assert_int_equal(rte_eth_dev_start(v.port), 0);
	vif_reconnect(&v);
	settle(v.port, 0);
	assert_true(guest_send(&v.f, 0));
	receive(v.port, 0, 1);

	assert_int_equal(rte_eth_dev_stop(v.port), 0);
	unit_start(v.port, 1, 0, unit_pool);
	assert_int_equal(rte_eth_dev_rx_intr_enable(v.port, 0), -ENOTSUP);
	vif_reconnect(&v);
	vif_send_good(&v);

	assert_int_equal(rte_eth_dev_stop(v.port), 0);
	unit_rx_interrupts = true;
	unit_start(v.port, 2, 0, unit_pool);
	unit_rx_interrupts = false;
	vif_reconnect(&v);
	watch(v.port, 0);
	watch(v.port, 1);
	settle(v.port, 0);
	settle(v.port, 1);
	assert_true(guest_send(&v.f, 0));
	assert_int_equal(sleeper_sleep(UNIT_LIMIT_MS), 0);
	receive(v.port, 0, 1);
	vif_close(&v);
}

/* Both ends asleep, until one of them is sent a packet. */
static void
pass(uint16_t from, uint16_t to)
{
	struct rte_mbuf *m;
	unsigned int i;

	for (i = 0; i < 100; i++) {
		arm(to, 0);
		m = unit_packet(60, UNIT_ROOM, i);
		assert_int_equal(rte_eth_tx_burst(from, 0, &m, 1), 1);
		receive(to, 0, 1);
	}
}

static void
start_pair(uint16_t back_queues, uint16_t front_queues)
{
	unit_rx_interrupts = true;
	unit_start(pair.back, back_queues, 0, unit_pool);
	unit_start(pair.front, front_queues, 0, unit_pool);
	unit_rx_interrupts = false;
	pair_wait();
}

static void
test_pair(void **state __rte_unused)
{
	pair_probe(2);
	start_pair(1, 1);
	watch(pair.back, 0);
	watch(pair.front, 0);
	pass(pair.back, pair.front);
	pass(pair.front, pair.back);
	pair_close();
}

/* A frontend that is started with other queues has its rings bound anew. */
static void
test_pair_restarts(void **state __rte_unused)
{
	pair_probe(2);
	start_pair(1, 2);
	assert_int_equal(rte_eth_dev_stop(pair.front), 0);
	unit_start(pair.front, 2, 0, unit_pool);
	pair_wait();
	assert_int_equal(rte_eth_dev_rx_intr_enable(pair.front, 0), -ENOTSUP);
	assert_int_equal(rte_eth_dev_stop(pair.front), 0);
	unit_rx_interrupts = true;
	unit_start(pair.front, 1, 0, unit_pool);
	unit_rx_interrupts = false;
	pair_wait();
	watch(pair.back, 0);
	watch(pair.front, 0);
	pass(pair.back, pair.front);
	pass(pair.front, pair.back);
	pair_close();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		vif_test(test_not_asked_for),
		cmocka_unit_test(test_wakes),
		cmocka_unit_test(test_pending),
		cmocka_unit_test(test_rounds),
		cmocka_unit_test(test_queues),
		cmocka_unit_test(test_reconnects),
		cmocka_unit_test(test_waiting),
		cmocka_unit_test(test_waiting_untold),
		cmocka_unit_test(test_waits_later),
		cmocka_unit_test(test_unconnected),
		cmocka_unit_test(test_stopped_queue),
		cmocka_unit_test(test_moves),
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_storm),
		cmocka_unit_test(test_restarts),
		cmocka_unit_test(test_pair),
		cmocka_unit_test(test_pair_restarts),
	};

	return cmocka_run_group_tests(tests, unit_setup, unit_teardown);
}
