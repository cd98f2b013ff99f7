/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* The backend's states (xen/io/xenbus.h): what follows from the frontend's and the toolstack's. */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_cycles.h>

#include "bystander.h"
#include "vif.h"
#include "xen_bus.h"

/* Held by a test that does something before the control thread looks again. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

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
	pthread_mutex_unlock(&gate);
}

/* Both ends' states as a test wants them to be, whatever they were. */
static void
settle(struct vif *v, unsigned int own)
{
	/* Removed and made again, everything is as on the first day. */
	rawfront_toolstack_remove(&v->f);
	unit_wait(!unit_link(v->port));
	rawfront_init_rings(&v->f, 0);
	rawfront_toolstack(&v->f);
	rawfront_wait(&v->f, XenbusStateInitWait);
	if (own == XenbusStateInitWait)
		return;
	vif_connect(v);
	if (own == XenbusStateConnected)
		return;
	if (own == XenbusStateReconfigured) {
		rawfront_state(&v->f, XenbusStateReconfiguring);
		rawfront_wait(&v->f, XenbusStateReconfigured);
		return;
	}
	/* Closing lasts while the guest is closing too. */
	rawfront_state(&v->f, XenbusStateClosing);
	rawfront_wait(&v->f, XenbusStateClosing);
	if (own == XenbusStateClosing)
		return;
	rawfront_state(&v->f, XenbusStateClosed);
	rawfront_wait(&v->f, XenbusStateClosed);
}

/* Wait until the backend has had every chance to do something, and see that it has not. */
static void
expect_stays(struct vif *v, unsigned int own)
{
	rte_delay_us_sleep(50000);
	assert_int_equal(rawfront_back_state(&v->f), own);
}

/* Rows of the state table: own state, what the frontend's becomes, and what follows. */
static void
test_table(void **state)
{
	static const struct {
		enum xenbus_state own;
		int front; /* -1: the key is removed */
		enum xenbus_state then;
		bool link;
	} rows[] = {
		{ XenbusStateInitWait, XenbusStateInitialising, XenbusStateInitWait, false },
		{ XenbusStateInitWait, XenbusStateInitWait, XenbusStateInitWait, false },
		{ XenbusStateInitWait, XenbusStateInitialised, XenbusStateConnected, true },
		{ XenbusStateInitWait, XenbusStateConnected, XenbusStateConnected, true },
		{ XenbusStateInitWait, XenbusStateClosing, XenbusStateClosing, false },
		{ XenbusStateInitWait, XenbusStateClosed, XenbusStateClosed, false },
		{ XenbusStateInitWait, -1, XenbusStateClosed, false },
		{ XenbusStateConnected, XenbusStateConnected, XenbusStateConnected, true },
		{ XenbusStateConnected, XenbusStateReconfiguring, XenbusStateReconfigured, true },
		{ XenbusStateConnected, XenbusStateInitialising, XenbusStateInitWait, false },
		{ XenbusStateConnected, XenbusStateClosing, XenbusStateClosing, false },
		{ XenbusStateConnected, XenbusStateClosed, XenbusStateClosed, false },
		{ XenbusStateConnected, -1, XenbusStateClosed, false },
		{ XenbusStateInitWait, XenbusStateReconfiguring, XenbusStateInitWait, false },
		{ XenbusStateReconfigured, XenbusStateReconfiguring, XenbusStateReconfigured,
				true },
		{ XenbusStateReconfigured, XenbusStateConnected, XenbusStateConnected, true },
		{ XenbusStateReconfigured, XenbusStateInitialising, XenbusStateInitWait, false },
		{ XenbusStateReconfigured, XenbusStateClosing, XenbusStateClosing, false },
		{ XenbusStateReconfigured, XenbusStateClosed, XenbusStateClosed, false },
		{ XenbusStateReconfigured, -1, XenbusStateClosed, false },
		{ XenbusStateClosed, XenbusStateReconfiguring, XenbusStateClosed, false },
		{ XenbusStateClosing, XenbusStateInitialising, XenbusStateInitWait, false },
		{ XenbusStateClosing, XenbusStateClosed, XenbusStateClosed, false },
		{ XenbusStateClosing, -1, XenbusStateClosed, false },
		{ XenbusStateClosed, XenbusStateInitialising, XenbusStateInitWait, false },
		{ XenbusStateClosed, XenbusStateClosing, XenbusStateClosed, false },
		{ XenbusStateClosed, XenbusStateConnected, XenbusStateClosed, false },
		{ XenbusStateClosed, -1, XenbusStateClosed, false },
	};
	struct vif *v = *state;
	unsigned int i;

	for (i = 0; i < RTE_DIM(rows); i++) {
		settle(v, rows[i].own);
		rawfront_publish(&v->f);
		if (rows[i].front < 0)
			rawfront_unset(&v->f, "state");
		else
			rawfront_state(&v->f, rows[i].front);
		rawfront_wait(&v->f, rows[i].then);
		unit_wait(unit_link(v->port) == rows[i].link);
		if (rows[i].own == rows[i].then)
			expect_stays(v, rows[i].then);
		assert_int_equal(unit_maps(), rows[i].link ? 2 : 0);
		assert_int_equal(unit_ports(), rows[i].link ? 2 : 0);
		if (rows[i].link)
			vif_send_good(v);
	}
}

/* online=0: nobody is offered the vif again. */
static void
test_offline(void **state)
{
	struct vif *v = *state;

	settle(v, XenbusStateClosed);
	unit_write("0", "%s/online", v->f.back);
	rawfront_state(&v->f, XenbusStateInitialising);
	expect_stays(v, XenbusStateClosed);
	unit_write("1", "%s/online", v->f.back);
	rawfront_wait(&v->f, XenbusStateInitWait);
	vif_reconnect(v);
	vif_send_good(v);
}

/* What iPXE, kexec and Windows do: any number of times. */
static void
test_reset_100(void **state)
{
	struct vif *v = *state;
	unsigned int i;

	for (i = 0; i < 100; i++) {
		rawfront_reset(&v->f);
		assert_int_equal(unit_maps(), 0);
		assert_int_equal(unit_ports(), 0);
		rawfront_init_rings(&v->f, 0);
		vif_connect(v);
		vif_send_good(v);
	}
	assert_int_equal(unit_xstat(v->port, "connects"), 101);
	assert_int_equal(unit_xstat(v->port, "disconnects"), 100);
	/* And without a word of goodbye. */
	for (i = 0; i < 20; i++) {
		rawfront_state(&v->f, XenbusStateInitialising);
		rawfront_wait(&v->f, XenbusStateInitWait);
		rawfront_init_rings(&v->f, 0);
		vif_connect(v);
		vif_send_good(v);
	}
}

/* The guest's domain dies: its grants and event channels go first, then its keys. */
static void
test_guest_dies(void **state)
{
	struct rte_mbuf *pkts[4], *m;
	struct vif *v = *state;
	unsigned int i;

	vif_put(v, 0, 0, 60, 0, 0);
	rawfront_rx_post(&v->f, 0, 0, 4);
	rawfront_tx_push(&v->f, 0);
	rawfront_die(&v->f);
	/* The ring can still be read, what it names is gone. */
	assert_int_equal(rte_eth_rx_burst(v->port, 0, pkts, 4), 0);
	m = unit_packet(60, UNIT_ROOM, 0);
	assert_int_equal(rte_eth_tx_burst(v->port, 0, &m, 1), 1);
	for (i = 0; i < 100; i++)
		assert_int_equal(rte_eth_rx_burst(v->port, 0, pkts, 4), 0);
	rawfront_toolstack_remove(&v->f);
	unit_wait(!unit_link(v->port));
	assert_int_equal(unit_maps(), 0);
	assert_int_equal(unit_ports(), 0);
	/* What a toolstack has removed must not appear again. */
	assert_string_equal(unit_read("%s/state", v->f.back), "");
}

/* libxl's detach of a guest that closes its end, and of one that is dead. */
static void
test_detach(void **state)
{
	struct vif *v = *state;
	uint64_t start;

	rawfront_detach(&v->f);
	unit_wait(!unit_link(v->port));
	assert_int_equal(unit_maps(), 0);
	rawfront_state(&v->f, XenbusStateClosed);
	rawfront_wait(&v->f, XenbusStateClosed);
	rawfront_toolstack_remove(&v->f);

	rawfront_init_rings(&v->f, 0);
	rawfront_toolstack(&v->f);
	vif_connect(v);
	vif_send_good(v);
	start = unit_now_ms();
	rawfront_detach(&v->f);
	rawfront_wait(&v->f, XenbusStateClosed);
	/* libxl waits ten seconds; nothing but a stopped machine may make it as long. */
	print_message("closed without the guest after %u ms\n",
			(unsigned int)(unit_now_ms() - start));
	assert_int_equal(unit_maps(), 0);
	rawfront_state(&v->f, XenbusStateInitialising);
	expect_stays(v, XenbusStateClosed);
}

/* The port is there first, and the vif comes, goes and comes again. */
static void
test_vif_comes_later(void **state)
{
	struct vif *v = *state;
	unsigned int i;

	for (i = 0; i < 10; i++) {
		rawfront_toolstack_remove(&v->f);
		unit_wait(!unit_link(v->port));
		assert_string_equal(unit_read("%s/state", v->f.back), "");
		rawfront_init_rings(&v->f, 0);
		rawfront_toolstack(&v->f);
		vif_connect(v);
		vif_send_good(v);
	}
	/* Removed and made again at once, in one breath. */
	rawfront_toolstack_remove(&v->f);
	rawfront_init_rings(&v->f, 0);
	rawfront_toolstack(&v->f);
	rawfront_wait(&v->f, XenbusStateInitWait);
	vif_connect(v);
	vif_send_good(v);
}

/* hotplug-status: the script's word is waited for; without the key there is no script. */
static void
test_hotplug(void **state)
{
	static const char *const not_yet[] = { "", "error", "Connected", "connected2" };
	struct vif *v = *state;
	unsigned int i;

	for (i = 0; i < RTE_DIM(not_yet); i++) {
		settle(v, XenbusStateInitWait);
		unit_write(not_yet[i], "%s/hotplug-status", v->f.back);
		rawfront_publish(&v->f);
		rawfront_state(&v->f, XenbusStateConnected);
		expect_stays(v, XenbusStateInitWait);
		assert_int_equal(unit_maps(), 0);
		assert_false(unit_link(v->port));
		if (i % 2 == 0)
			unit_write("connected", "%s/hotplug-status", v->f.back);
		else
			unit_remove("%s/hotplug-status", v->f.back);
		rawfront_wait(&v->f, XenbusStateConnected);
		unit_wait(unit_link(v->port));
		vif_send_good(v);
	}
}

/* Keys of the toolstack that name another guest: said once, not connected, until they are right. */
static void
test_wrong_frontend(void **state)
{
	static const struct {
		const char *key;
		const char *value;
	} cases[] = {
		{ "frontend", "/local/domain/2/device/vif/0" },
		{ "frontend", "/local/domain/11/device/vif/0" },
		{ "frontend", "device/vif/0" },
		{ "frontend", "" },
		{ "frontend-id", "2" },
		{ "frontend-id", "" },
		{ "frontend-id", "one" },
		{ "frontend-id", "65537" },
	};
	struct vif *v = *state;
	unsigned int i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		rawfront_toolstack_remove(&v->f);
		unit_wait(!unit_link(v->port));
		rawfront_init_rings(&v->f, 0);
		unit_log_clear();
		/* The wrong key is there before the state is. */
		unit_write(cases[i].value, "%s/%s", v->f.back, cases[i].key);
		unit_write(strcmp(cases[i].key, "frontend") == 0 ? "1" : v->f.front, "%s/%s",
				v->f.back,
				strcmp(cases[i].key, "frontend") == 0 ? "frontend-id" : "frontend");
		unit_write("1", "%s/state", v->f.back);
		unit_wait(strstr(vif_error(v), "have to name domain 1") != NULL);
		expect_stays(v, XenbusStateInitialising);
		unit_write("x", "%s/bridge", v->f.back);
		expect_stays(v, XenbusStateInitialising);
		assert_int_equal(unit_log_count("have to name domain 1"), 1);
		rawfront_toolstack(&v->f);
		vif_connect(v);
		vif_send_good(v);
	}
}

/* What xen-netback had offered before is taken back: a guest would use it. */
static void
test_offer(void **state)
{
	static const char *const foreign[] = { "feature-no-csum-offload" };
	static const char *const offered[] = { "feature-rx-copy", "feature-sg",
		"feature-ipv6-csum-offload", "feature-split-event-channels", "feature-gso-tcpv4",
		"feature-gso-tcpv6", "feature-multicast-control",
		"feature-dynamic-multicast-control", "feature-xdp-headroom", "feature-ctrl-ring" };
	struct vif *v = *state;
	unsigned int i;

	for (i = 0; i < RTE_DIM(foreign); i++)
		unit_write("1", "%s/%s", v->f.back, foreign[i]);
	for (i = 0; i < RTE_DIM(offered); i++)
		unit_write("0", "%s/%s", v->f.back, offered[i]);
	rawfront_reset(&v->f);
	for (i = 0; i < RTE_DIM(foreign); i++)
		assert_string_equal(unit_read("%s/%s", v->f.back, foreign[i]), "");
	for (i = 0; i < RTE_DIM(offered); i++)
		assert_string_equal(unit_read("%s/%s", v->f.back, offered[i]), "1");
	assert_string_equal(unit_read("%s/multi-queue-max-queues", v->f.back), "4");
	assert_string_equal(unit_read("%s/feature-rx-flip", v->f.back), "0");
	rawfront_init_rings(&v->f, 0);
	vif_connect(v);
	vif_send_good(v);
}

static void
reset_stats(struct vif *v)
{
	assert_int_equal(rte_eth_stats_reset(v->port), 0);
}

static void
reset_xstats(struct vif *v)
{
	assert_int_equal(rte_eth_xstats_reset(v->port), 0);
}

static void
stop_start(struct vif *v)
{
	assert_int_equal(rte_eth_dev_stop(v->port), 0);
	assert_int_equal(rte_eth_dev_start(v->port), 0);
}

static void
link_down_up(struct vif *v)
{
	assert_int_equal(rte_eth_dev_set_link_down(v->port), 0);
	assert_int_equal(rte_eth_dev_set_link_up(v->port), 0);
}

static void
nothing(struct vif *v __rte_unused)
{
}

/* What an application may do at any time, between a breach and its evaluation too. */
static void (*const app_calls[])(struct vif *v) = { nothing, reset_stats, reset_xstats, stop_start,
	link_down_up };

static void
breach(struct vif *v)
{
	struct rte_mbuf *m;

	vif_put(v, 0, XEN_PAGE_BYTES - 10, 100, 0, 1);
	assert_int_equal(vif_burst(v, &m, 1), 0);
}

/* A breach ends that connection, whatever the application does in between, and no other one. */
static void
test_breach(void **state)
{
	struct vif *v = *state;
	unsigned int i, j;

	for (i = 0; i < RTE_DIM(app_calls); i++) {
		pthread_mutex_lock(&gate);
		breach(v);
		app_calls[i](v);
		pthread_mutex_unlock(&gate);
		vif_expect_failed(v, "past the end of the page");
		assert_int_equal(unit_maps(), 0);
		vif_reconnect(v);
		for (j = 0; j < RTE_DIM(app_calls); j++) {
			app_calls[j](v);
			unit_wait(unit_link(v->port));
			rawfront_set(&v->f, "anything", "%u", j);
			unit_write("x", "%s/anything", v->f.back);
			expect_stays(v, XenbusStateConnected);
			vif_send_good(v);
		}
		assert_string_equal(vif_error(v), "");
	}
}

/* The vif is made anew before the breach is seen: that was another one's. */
static void
test_breach_remade(void **state)
{
	struct vif *v = *state;

	pthread_mutex_lock(&gate);
	breach(v);
	rawfront_toolstack_remove(&v->f);
	rawfront_init_rings(&v->f, 0);
	rawfront_toolstack(&v->f);
	pthread_mutex_unlock(&gate);
	vif_connect(v);
	vif_send_good(v);
	assert_string_equal(vif_error(v), "");
	assert_false(unit_log_has("past the end of the page"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		vif_test(test_table),
		vif_test(test_offline),
		vif_test(test_reset_100),
		vif_test(test_guest_dies),
		vif_test(test_detach),
		vif_test(test_vif_comes_later),
		vif_test(test_hotplug),
		vif_test(test_wrong_frontend),
		vif_test(test_offer),
		vif_test(test_breach),
		vif_test(test_breach_remade),
	};

	return cmocka_run_group_tests_name("state", tests, unit_setup, unit_teardown);
}
