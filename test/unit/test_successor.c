/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* A backend after another one: what that may hold yet, and what is wrong meanwhile. */

#include <pthread.h>

#include "bystander.h"
#include "vif.h"
#include "xen_bus.h"

/* How long event channels are tried that a dying backend may still hold. */
#define BUSY_LIMIT_MS 10000

/* Held by a test that does something before the control thread looks again. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static unsigned int evaluations;

/* The linker puts this function around the driver's. */
void
__real_xenvif_evaluate(struct xen_bus_device *xbdev);
void
__wrap_xenvif_evaluate(struct xen_bus_device *xbdev);

void
__wrap_xenvif_evaluate(struct xen_bus_device *xbdev)
{
	pthread_mutex_lock(&gate);
	__real_xenvif_evaluate(xbdev);
	__atomic_fetch_add(&evaluations, 1, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&gate);
}

static unsigned int
looks(void)
{
	return __atomic_load_n(&evaluations, __ATOMIC_ACQUIRE);
}

/* Wait until the vif has been looked at some times more. */
static void
wait_looks(unsigned int n)
{
	unsigned int until = looks() + n;

	unit_wait((int)(looks() - until) >= 0);
}

/* The look that the stop asks for is the only one that is sure to come after it. */
static void
stop_and_wait_look(uint16_t port)
{
	unsigned int before;

	pthread_mutex_lock(&gate);
	before = looks();
	assert_int_equal(rte_eth_dev_stop(port), 0);
	pthread_mutex_unlock(&gate);
	unit_wait(looks() != before);
}

/* The backend is gone, and the next one finds what the guest has made of its keys since. */
static void
leave(struct vif *v)
{
	vif_remove_port(v);
	unit_log_clear();
}

/* A channel that is none, or is gone: tried for a while, for it may be a dying backend's. */
static void
test_bogus_channel(void **state)
{
	static const char *const keys[] = { "event-channel-tx", "event-channel-rx" };
	struct vif *v = *state;
	unsigned int i;

	for (i = 0; i < RTE_DIM(keys); i++) {
		leave(v);
		rawfront_set(&v->f, keys[i], "4000");
		vif_add_port(v, &(struct vif_options){ .app_queues = 1 });
		unit_wait(unit_log_has("event channel 4000 cannot be bound: Invalid argument; "
				       "trying on"));
		unit_clock_skip(BUSY_LIMIT_MS / 2);
		wait_looks(2);
		assert_int_equal(rawfront_back_state(&v->f), XenbusStateConnected);
		assert_string_equal(vif_error(v), "");
		assert_int_equal(unit_log_count("trying on"), 1);
		/* Stopped meanwhile: it is another attempt that begins with the start. */
		stop_and_wait_look(v->port);
		unit_clock_skip(BUSY_LIMIT_MS);
		assert_int_equal(rte_eth_dev_start(v->port), 0);
		wait_looks(2);
		assert_int_equal(rawfront_back_state(&v->f), XenbusStateConnected);
		unit_log_clear();
		unit_clock_skip(BUSY_LIMIT_MS);
		vif_expect_failed(v,
				"event channel 4000 cannot be bound: Invalid argument, for 10 "
				"seconds");
		assert_int_equal(unit_maps(), 0);
		assert_int_equal(unit_ports(), 0);
		vif_reconnect(v);
		vif_send_good(v);
	}
}

/* What cannot come by waiting is said at once. */
static void
test_bogus_ring(void **state)
{
	static const struct {
		const char *key;
		const char *value;
		const char *why;
	} cases[] = {
		{ "tx-ring-ref", "60000", "tx-ring-ref 60000 cannot be mapped" },
		{ "rx-ring-ref", "60000", "rx-ring-ref 60000 cannot be mapped" },
		{ "rx-ring-ref", "x", "rx-ring-ref='x' is not a number" },
		{ "event-channel-rx", "0", "event-channel-rx='0' is not a number" },
	};
	struct vif *v = *state;
	unsigned int i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		leave(v);
		rawfront_set(&v->f, cases[i].key, "%s", cases[i].value);
		vif_add_port(v, &(struct vif_options){ .app_queues = 1 });
		vif_expect_failed(v, cases[i].why);
		vif_reconnect(v);
		vif_send_good(v);
	}
}

/* It has died between attaching and saying so, and its channels are not free yet. */
static void
test_dead_unannounced(void **state)
{
	xenevtchn_handle *other;
	struct vif *v = *state;

	leave(v);
	unit_write("2", "%s/state", v->f.back);
	other = xenevtchn_open(NULL, 0);
	assert_non_null(other);
	assert_true(xenevtchn_bind_interdomain(other, 1, v->f.q[0].port_tx) > 0);
	vif_add_port(v, &(struct vif_options){ .app_queues = 1 });
	unit_wait(unit_log_has("trying on"));
	unit_clock_skip(BUSY_LIMIT_MS / 2);
	wait_looks(2);
	assert_int_equal(rawfront_back_state(&v->f), XenbusStateInitWait);
	xenevtchn_close(other);
	unit_wait(rawfront_back_state(&v->f) == XenbusStateConnected);
	vif_send_good(v);
	assert_string_equal(vif_error(v), "");
}

/* Another backend has the channel. As long as it answers the guest it is left alone. */
static void
test_other_backend(void **state)
{
	struct rawfront_queue *q;
	xenevtchn_handle *other;
	struct vif *v = *state;
	unsigned int i;

	leave(v);
	q = &v->f.q[0];
	for (i = 0; i < 8; i++)
		vif_put(v, i, 0, 60, 0, i);
	rawfront_tx_push(&v->f, 0);
	other = xenevtchn_open(NULL, 0);
	assert_non_null(other);
	assert_true(xenevtchn_bind_interdomain(other, 1, q->port_tx) > 0);
	vif_add_port(v, &(struct vif_options){ .app_queues = 1 });
	unit_wait(unit_log_has("trying on"));
	for (i = 0; i < 8; i++) {
		xen_ring_store(&q->tx->rsp_prod, q->tx->rsp_prod + 1);
		q->tx_cons++;
		wait_looks(2);
		unit_clock_skip(BUSY_LIMIT_MS / 4);
		wait_looks(2);
		assert_int_equal(rawfront_back_state(&v->f), XenbusStateConnected);
	}
	assert_int_equal(unit_log_count("trying on"), 1);
	xenevtchn_close(other);
	unit_wait(unit_link(v->port));
	vif_send_good(v);
	assert_string_equal(vif_error(v), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		vif_test(test_bogus_channel),
		vif_test(test_bogus_ring),
		vif_test(test_dead_unannounced),
		vif_test(test_other_backend),
	};

	return cmocka_run_group_tests_name("successor", tests, unit_setup, unit_teardown);
}
