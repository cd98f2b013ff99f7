/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* What an lcore watches that waits for a write: it changes with all there is to do, and stays. */

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>

#include <rte_power_intrinsics.h>

#include "pair.h"
#include "rawback.h"
#include "vif.h"
#include "xen_netif.h"

#define RECONNECTS 50

/* What there is at the address now. */
static uint64_t
value_at(const struct rte_power_monitor_cond *c)
{
	if (c->size == sizeof(uint16_t))
		return __atomic_load_n((const volatile uint16_t *)c->addr, __ATOMIC_ACQUIRE);
	assert_int_equal(c->size, sizeof(uint32_t));
	return __atomic_load_n((const volatile uint32_t *)c->addr, __ATOMIC_ACQUIRE);
}

/* Would the lcore sleep, or be woken up? */
static bool
would_sleep(const struct rte_power_monitor_cond *c)
{
	return c->fn(value_at(c), c->opaque) == 0;
}

static struct rte_power_monitor_cond
monitor(uint16_t port, uint16_t queue)
{
	struct rte_power_monitor_cond c;

	assert_int_equal(rte_eth_get_monitor_addr(port, queue, &c), 0);
	return c;
}

/* May an lcore be looking at the queue's ring? */
static bool
is_marked(uint16_t port, uint16_t queue)
{
	const struct xen_netif *nif = rte_eth_devices[port].data->dev_private;

	return __atomic_load_n(&nif->rings.monitored[queue], __ATOMIC_ACQUIRE) != NULL;
}

/* Lcores are waited for as long as it takes them; is one being waited for? */
static bool patient, waits;

/* The linker puts this function around the drivers'. */
void
__real_xen_netif_monitors_wait(struct xen_netif *nif);
void
__wrap_xen_netif_monitors_wait(struct xen_netif *nif);

void
__wrap_xen_netif_monitors_wait(struct xen_netif *nif)
{
	unit_clock_stop(__atomic_load_n(&patient, __ATOMIC_ACQUIRE));
	__atomic_store_n(&waits, true, __ATOMIC_RELEASE);
	__real_xen_netif_monitors_wait(nif);
	__atomic_store_n(&waits, false, __ATOMIC_RELEASE);
	unit_clock_stop(false);
}

static void
set_patient(bool on)
{
	__atomic_store_n(&patient, on, __ATOMIC_RELEASE);
}

/* It waits for an lcore, which sees nothing of that. */
static void
see_waiting(const struct rte_power_monitor_cond *c)
{
	unsigned int i;

	unit_wait(__atomic_load_n(&waits, __ATOMIC_ACQUIRE));
	for (i = 0; i < 50; i++) {
		assert_true(would_sleep(c));
		unit_idle();
	}
	assert_true(__atomic_load_n(&waits, __ATOMIC_ACQUIRE));
}

/* A burst, with which the lcore is back. */
static void
poll(uint16_t port, uint16_t queue, uint16_t expected)
{
	struct rte_mbuf *pkts[8];

	assert_int_equal(rte_eth_rx_burst(port, queue, pkts, RTE_DIM(pkts)), expected);
	rte_pktmbuf_free_bulk(pkts, expected);
	assert_false(is_marked(port, queue));
}

static void
send_one(struct vif *v, unsigned int queue)
{
	struct netif_tx_request req = { .size = 60, .gref = v->f.gref[queue], .id = queue };

	rawfront_tx_put(&v->f, queue, &req);
	rawfront_tx_push(&v->f, queue);
}

/* It sleeps until a packet comes, and nobody is asked for a notification. */
static void
test_packet(void **state)
{
	struct rte_power_monitor_cond c;
	struct vif *v = *state;
	unsigned int i;

	poll(v->port, 0, 0);
	for (i = 0; i < 3; i++) {
		c = monitor(v->port, 0);
		assert_true(would_sleep(&c));
		/* As a new ring has it. */
		assert_int_equal(v->f.q[0].tx->req_event, 1);
		send_one(v, 0);
		assert_false(would_sleep(&c));
		c = monitor(v->port, 0);
		assert_false(would_sleep(&c));
		poll(v->port, 0, 1);
	}
}

/* Each queue sleeps for its own ring. */
static void
test_queues(void **state __rte_unused)
{
	const struct vif_options options = { .queues = 2, .app_queues = 2 };
	struct rte_power_monitor_cond c[2];
	struct vif v;

	vif_open(&v, &options);
	vif_connect(&v);
	c[0] = monitor(v.port, 0);
	c[1] = monitor(v.port, 1);
	send_one(&v, 1);
	assert_true(would_sleep(&c[0]));
	assert_false(would_sleep(&c[1]));
	poll(v.port, 1, 1);
	/* Each is back by itself. */
	assert_true(is_marked(v.port, 0));
	poll(v.port, 0, 0);
	vif_close(&v);
}

/* There is no address for two rings; a queue that has none or one is not concerned. */
static void
test_more_rings(void **state __rte_unused)
{
	const struct vif_options options = { .queues = 3, .app_queues = 2 };
	struct rte_power_monitor_cond c;
	struct vif v;

	vif_open(&v, &options);
	c = monitor(v.port, 0);
	vif_connect(&v);
	assert_false(would_sleep(&c));
	assert_int_equal(rte_eth_get_monitor_addr(v.port, 0, &c), -ENOTSUP);
	c = monitor(v.port, 1);
	assert_true(would_sleep(&c));
	poll(v.port, 1, 0);
	vif_close(&v);
}

/* Without a guest it sleeps until there is one. */
static void
test_unconnected(void **state __rte_unused)
{
	const struct vif_options options = { .queues = 1, .app_queues = 2 };
	struct rte_power_monitor_cond c;
	struct vif v;

	vif_open(&v, &options);
	c = monitor(v.port, 0);
	assert_true(would_sleep(&c));
	vif_connect(&v);
	assert_false(would_sleep(&c));
	/* Nor has its second queue anything to do. */
	c = monitor(v.port, 1);
	assert_true(would_sleep(&c));
	assert_int_equal(rte_eth_dev_set_link_down(v.port), 0);
	assert_false(would_sleep(&c));
	c = monitor(v.port, 0);
	assert_true(would_sleep(&c));
	assert_int_equal(rte_eth_dev_set_link_up(v.port), 0);
	unit_wait(!would_sleep(&c));
	/* A queue that is stopped has nothing to do, whatever comes. */
	assert_int_equal(rte_eth_dev_rx_queue_stop(v.port, 0), 0);
	send_one(&v, 0);
	c = monitor(v.port, 0);
	assert_true(would_sleep(&c));
	assert_false(is_marked(v.port, 0));
	assert_int_equal(rte_eth_dev_rx_queue_start(v.port, 0), 0);
	c = monitor(v.port, 0);
	assert_false(would_sleep(&c));
	poll(v.port, 0, 1);
	vif_close(&v);
}

/* What waits in the port is a reason not to sleep. */
static void
test_busy(void **state)
{
	struct rte_power_monitor_cond c;
	struct vif *v = *state;
	struct rte_mbuf *m;

	m = unit_packet(60, UNIT_ROOM, 1);
	assert_int_equal(rte_eth_tx_burst(v->port, 0, &m, 1), 1);
	assert_int_equal(rte_eth_get_monitor_addr(v->port, 0, &c), -EBUSY);
	vif_post(v, 0, 4);
	vif_flush_by_rx(v, 0);
	assert_true(vif_has_packet(v, 0));
	monitor(v->port, 0);
	poll(v->port, 0, 0);
}

/* Is there something at the address? */
static bool
is_mapped(const volatile void *addr)
{
	uintptr_t page = RTE_ALIGN_FLOOR((uintptr_t)addr, XEN_PAGE_BYTES);
	unsigned char there;

	return mincore((void *)page, XEN_PAGE_BYTES, &there) == 0;
}

/* A ring stays where it is until the lcore that looks at it is back. */
static void
test_stays(void **state)
{
	struct rte_power_monitor_cond c;
	struct vif *v = *state;

	set_patient(true);
	c = monitor(v->port, 0);
	rawfront_state(&v->f, XenbusStateClosed);
	see_waiting(&c);
	assert_int_not_equal(rawfront_back_state(&v->f), XenbusStateClosed);
	poll(v->port, 0, 0);
	rawfront_wait(&v->f, XenbusStateClosed);
	set_patient(false);
	vif_reconnect(v);
	vif_send_good(v);
}

/* One that does not come back is not waited for for ever, nor finds nothing there. */
static void
test_gone(void **state)
{
	const volatile void *last = NULL;
	struct rte_power_monitor_cond c;
	struct vif *v = *state;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		vif_send_good(v);
		c = monitor(v->port, 0);
		assert_int_not_equal(value_at(&c), 0);
		rawfront_reset(&v->f);
		assert_true(is_marked(v->port, 0));
		assert_int_equal(value_at(&c), 0);
		/* It is the only one. */
		assert_true(last == NULL || !is_mapped(last));
		last = c.addr;
		vif_reconnect(v);
	}
	vif_send_good(v);
	/* Nor is one whose port stops. */
	monitor(v->port, 0);
	set_patient(true);
	assert_int_equal(rte_eth_dev_stop(v->port), 0);
	set_patient(false);
	vif_remove_port(v);
	assert_false(is_mapped(last));
}

/* A backend that closes, and starts anew. */
static void
restart_backend(void)
{
	rawback_release();
	rawback_state(XenbusStateClosed);
	rawback_wait_closed();
	unit_write("1", "%s/state", rawback.back);
	rawback_connect();
}

/* The frontend's pages stay for as long. */
static void
test_front(void **state __rte_unused)
{
	struct rte_power_monitor_cond c = monitor(rawback.port, 0);

	set_patient(true);
	rawback_state(XenbusStateClosing);
	see_waiting(&c);
	poll(rawback.port, 0, 0);
	restart_backend();
	set_patient(false);
	c = monitor(rawback.port, 0);
	rawback_state(XenbusStateClosing);
	restart_backend();
	assert_true(is_marked(rawback.port, 0));
	assert_true(is_mapped(c.addr));
	poll(rawback.port, 0, 0);
}

struct watcher {
	uint16_t port;
	bool stop;
	unsigned int sleeps;
};

/* As rte_power has it: nothing came, so look up the address, and wait there for a while. */
static void *
watch(void *arg)
{
	struct rte_power_monitor_cond c;
	struct watcher *w = arg;
	struct rte_mbuf *pkts[8];
	unsigned int i;
	uint16_t n;

	while (!__atomic_load_n(&w->stop, __ATOMIC_ACQUIRE)) {
		n = rte_eth_rx_burst(w->port, 0, pkts, RTE_DIM(pkts));
		rte_pktmbuf_free_bulk(pkts, n);
		if (n != 0 || rte_eth_get_monitor_addr(w->port, 0, &c) != 0)
			continue;
		for (i = 0; i < 500 && would_sleep(&c); i++)
			;
		w->sleeps++;
	}
	return NULL;
}

static void
test_reconnects(void **state)
{
	struct vif *v = *state;
	struct watcher w = { .port = v->port };
	struct netif_tx_response rsp;
	pthread_t thread;
	unsigned int i;

	/* However rarely its thread runs here, no page goes under it. */
	set_patient(true);
	assert_int_equal(pthread_create(&thread, NULL, watch, &w), 0);
	for (i = 0; i < RECONNECTS; i++) {
		send_one(v, 0);
		unit_wait(rawfront_tx_rsp(&v->f, 0, &rsp));
		rawfront_reset(&v->f);
		vif_reconnect(v);
	}
	__atomic_store_n(&w.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	set_patient(false);
	assert_true(w.sleeps > 0);
}

/* Both ends asleep, until one of them is sent a packet. */
static void
test_pair(void **state __rte_unused)
{
	struct rte_power_monitor_cond c;
	struct rte_mbuf *m;
	uint16_t to[2], i;

	pair_open(1, 0);
	to[0] = pair.front;
	to[1] = pair.back;
	for (i = 0; i < RTE_DIM(to); i++) {
		c = monitor(to[i], 0);
		assert_true(would_sleep(&c));
		m = unit_packet(60, UNIT_ROOM, i);
		assert_int_equal(rte_eth_tx_burst(to[1 - i], 0, &m, 1), 1);
		assert_false(would_sleep(&c));
		poll(to[i], 0, 1);
	}
	monitor(pair.front, 0);
	poll(pair.front, 0, 0);
	pair_close();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		vif_test(test_packet),
		cmocka_unit_test(test_queues),
		cmocka_unit_test(test_more_rings),
		cmocka_unit_test(test_unconnected),
		vif_test(test_busy),
		vif_test(test_stays),
		vif_test(test_gone),
		cmocka_unit_test_setup_teardown(test_front, rawback_setup, rawback_teardown),
		vif_test(test_reconnects),
		cmocka_unit_test(test_pair),
	};

	return cmocka_run_group_tests_name("monitor", tests, unit_setup, unit_teardown);
}
