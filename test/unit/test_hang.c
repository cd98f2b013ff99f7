/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * An xenstored that is stopped, and callbacks of the application that close, stop and remove ports:
 * nothing waits for ever, and all goes on afterwards.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_bus_vdev.h>
#include <rte_eal.h>

#include "bystander.h"
#include "pair.h"
#include "vif.h"
#include "xen_bus.h"

/* Two seconds, and what a loaded machine may add; without a limit it would be for ever. */
#define BOUND_MS 20000u

static pid_t xenstored;

static void
stop_xenstored(void)
{
	assert_int_equal(kill(xenstored, SIGSTOP), 0);
}

static void
continue_xenstored(void)
{
	assert_int_equal(kill(xenstored, SIGCONT), 0);
}

/* Set by the linker for this program: where the domain may not map its own grants. */
static bool translated;

bool
__real_xen_may_map_own_grants(void);
bool
__wrap_xen_may_map_own_grants(void);

bool
__wrap_xen_may_map_own_grants(void)
{
	return !translated && __real_xen_may_map_own_grants();
}

/* The device whose evaluation finds the daemon stopped; taken by it. */
static const char *stopped_for;

static void
before_evaluate(const struct xen_bus_device *xbdev)
{
	const char *path = __atomic_load_n(&stopped_for, __ATOMIC_ACQUIRE);

	if (path == NULL || strcmp(path, xbdev->path) != 0)
		return;
	stop_xenstored();
	__atomic_store_n(&stopped_for, NULL, __ATOMIC_RELEASE);
}

/* The linker puts these functions around the drivers'. */
void
__real_xenvif_evaluate(struct xen_bus_device *xbdev);
void
__wrap_xenvif_evaluate(struct xen_bus_device *xbdev);
void
__real_xenfront_evaluate(struct xen_bus_device *xbdev);
void
__wrap_xenfront_evaluate(struct xen_bus_device *xbdev);

void
__wrap_xenvif_evaluate(struct xen_bus_device *xbdev)
{
	before_evaluate(xbdev);
	__real_xenvif_evaluate(xbdev);
}

void
__wrap_xenfront_evaluate(struct xen_bus_device *xbdev)
{
	before_evaluate(xbdev);
	__real_xenfront_evaluate(xbdev);
}

/* Stop the daemon, with the control thread in a call for this port's device. */
static void
stop_xenstored_for(uint16_t port, const char *path)
{
	__atomic_store_n(&stopped_for, path, __ATOMIC_RELEASE);
	assert_int_equal(rte_eth_dev_set_link_up(port), 0);
	unit_wait(__atomic_load_n(&stopped_for, __ATOMIC_ACQUIRE) == NULL);
}

static int
setup(void **state)
{
	char path[256], text[32] = "";
	FILE *f;

	if (unit_setup(state) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/run/xenstored.pid", getenv("XENSIM_DIR"));
	f = fopen(path, "r");
	if (f == NULL)
		return -1;
	if (fgets(text, sizeof(text), f) == NULL)
		text[0] = '\0';
	fclose(f);
	xenstored = atoi(text);
	return xenstored > 1 ? 0 : -1;
}

/* The process ends while the daemon hangs, with a port that nobody has closed. */
static int
teardown(void **state __rte_unused)
{
	uint64_t start;
	int ret;

	assert_int_equal(unit_probe("net_xenvif_last", "domid=1,devid=90"), 0);
	rte_mempool_free(unit_pool);
	xs_close(unit_store);
	stop_xenstored();
	start = unit_now_ms();
	ret = rte_eal_cleanup();
	print_message("rte_eal_cleanup: %u ms\n", (unsigned int)(unit_now_ms() - start));
	if (unit_now_ms() - start > BOUND_MS)
		ret = -1;
	continue_xenstored();
	return ret;
}

static void
assert_bounded(uint64_t start)
{
	print_message("%u ms\n", (unsigned int)(unit_now_ms() - start));
	assert_true(unit_now_ms() - start < BOUND_MS);
}

/* A port of the backend: its vif is let go of at once, and can be served again. */
static void
test_close_backend(void **state)
{
	struct vif *v = *state;
	unsigned int fds = unit_fds();
	char path[64];
	uint64_t start;

	bystander_start();
	unit_log_clear();
	snprintf(path, sizeof(path), "backend/vif/1/%u", v->f.devid);
	stop_xenstored_for(v->port, path);
	start = unit_now_ms();
	assert_int_equal(rte_eth_dev_stop(v->port), 0);
	assert_int_equal(rte_eth_dev_close(v->port), 0);
	assert_int_equal(rte_vdev_uninit(v->name), 0);
	assert_bounded(start);
	unit_assert_log("no return from xenstore for 2 s: detached without it");
	v->has_port = false;
	/* Only the bystander's are left, and its packets flow. */
	assert_int_equal(unit_maps(), 2);
	bystander_run();
	/* The same vif again, while all hangs. */
	start = unit_now_ms();
	vif_add_port(v, &(struct vif_options){ .app_queues = 1 });
	assert_bounded(start);
	bystander_run();
	continue_xenstored();
	unit_wait(unit_link(v->port));
	vif_send_good(v);
	bystander_stop();
	/* The thread that hung is gone with its connection. */
	unit_wait(unit_fds() <= fds);
}

/* Many ports do not take many times as long. */
static void
test_close_many(void **state __rte_unused)
{
	char name[32], args[32];
	unsigned int i;
	uint64_t start;

	for (i = 0; i < 16; i++) {
		snprintf(name, sizeof(name), "net_xenvif_m%u", i);
		snprintf(args, sizeof(args), "domid=1,devid=%u", 100 + i);
		assert_int_equal(unit_probe(name, args), 0);
	}
	stop_xenstored_for(unit_port("net_xenvif_m3"), "backend/vif/1/103");
	start = unit_now_ms();
	for (i = 0; i < 16; i++) {
		snprintf(name, sizeof(name), "net_xenvif_m%u", i);
		assert_int_equal(rte_vdev_uninit(name), 0);
	}
	assert_bounded(start);
	continue_xenstored();
}

/* A port of the frontend, which has something to say before it goes. */
static void
test_close_frontend(void **state __rte_unused)
{
	uint64_t start;

	pair_open(1, 0);
	stop_xenstored_for(pair.front, "device/vif/1");
	start = unit_now_ms();
	assert_int_equal(rte_eth_dev_stop(pair.front), 0);
	assert_int_equal(rte_eth_dev_close(pair.front), 0);
	assert_int_equal(rte_vdev_uninit(PAIR_FRONT), 0);
	assert_bounded(start);
	continue_xenstored();
	/* What it has left behind is taken over. */
	assert_int_equal(unit_probe(PAIR_FRONT, "devid=1,queues=1"), 0);
	pair.front = unit_port(PAIR_FRONT);
	unit_start(pair.front, 1, 0, unit_pool);
	unit_wait(unit_link(pair.front));
	pair_wait();
	pair_close();
}

/* The first probe of the process asks for this domain's id, and does not wait for ever. */
static void
test_first_probe(void **state __rte_unused)
{
	uint64_t start;

	unit_log_clear();
	stop_xenstored();
	start = unit_now_ms();
	assert_int_equal(unit_probe("net_xenvif_first", "domid=1,devid=93"), 0);
	assert_bounded(start);
	unit_assert_log("backend/vif/1/93: xenstore does not answer; trying on");
	start = unit_now_ms();
	unit_remove_port("net_xenvif_first");
	assert_bounded(start);
	continue_xenstored();
}

/* A port that is probed while the daemon hangs finds its vif later. */
static void
test_probe(void **state)
{
	struct vif *v = *state;
	uint64_t start;

	vif_remove_port(v);
	stop_xenstored();
	start = unit_now_ms();
	vif_add_port(v, &(struct vif_options){ .app_queues = 1 });
	assert_bounded(start);
	continue_xenstored();
	unit_wait(unit_link(v->port));
	vif_send_good(v);
}

/*
 * The domain's own vif, where that cannot be: refused by the probe, and also when it turns out
 * after the probe that it is one.
 */
static void
test_own_domain(void **state __rte_unused)
{
	translated = true;
	unit_log_clear();
	assert_int_not_equal(unit_probe("net_xenvif_own", "domid=0,devid=91"), 0);
	unit_assert_log("net_xenvif_own: domid=0: this domain itself");
	assert_int_equal(unit_log_count("this domain itself"), 1);
	translated = false;
	/* As if the id had not been known then. */
	pair_probe(1);
	unit_log_clear();
	translated = true;
	unit_start(pair.back, 1, 0, unit_pool);
	unit_start(pair.front, 1, 0, unit_pool);
	unit_wait(unit_log_has("backend/vif/0/1: domid=0: this domain itself"));
	assert_int_equal(rte_eth_dev_set_link_up(pair.back), 0);
	assert_int_equal(rte_eth_dev_set_link_up(pair.back), 0);
	assert_false(unit_link(pair.back));
	assert_int_equal(unit_log_count("this domain itself"), 1);
	assert_int_equal(unit_maps(), 0);
	translated = false;
	pair_wait();
	pair_close();
}

/* What the callback of an event does to a port, once. */
static struct {
	int (*action)(uint16_t port);
	uint16_t port;
	bool done;
	int ret;
} deed;

static int
on_event(uint16_t port, enum rte_eth_event_type type, void *arg, void *ret)
{
	RTE_SET_USED(type);
	RTE_SET_USED(arg);
	RTE_SET_USED(ret);
	if (deed.action != NULL && port == deed.port) {
		deed.ret = deed.action(port);
		deed.action = NULL;
		__atomic_store_n(&deed.done, true, __ATOMIC_RELEASE);
	}
	return 0;
}

static int
stop_port(uint16_t port)
{
	return rte_eth_dev_stop(port);
}

static int
close_port(uint16_t port)
{
	int ret = rte_eth_dev_stop(port);

	return ret == 0 ? rte_eth_dev_close(port) : ret;
}

static int
remove_port(uint16_t port)
{
	char name[RTE_ETH_NAME_MAX_LEN];
	int ret = rte_eth_dev_get_name_by_port(port, name);

	return ret == 0 ? rte_vdev_uninit(name) : ret;
}

static int
restart_port(uint16_t port)
{
	int ret = rte_eth_dev_stop(port);

	return ret == 0 ? rte_eth_dev_start(port) : ret;
}

static int
set_link(uint16_t port)
{
	int ret = rte_eth_dev_set_link_down(port);

	return ret == 0 ? rte_eth_dev_set_link_up(port) : ret;
}

static int
probe_other(uint16_t port __rte_unused)
{
	int ret = rte_vdev_init("net_xenvif_other", "domid=1,devid=92");

	return ret == 0 ? rte_vdev_uninit("net_xenvif_other") : ret;
}

static int
close_both(uint16_t port)
{
	int ret = close_port(port == pair.back ? pair.front : pair.back);

	return ret == 0 ? close_port(port) : ret;
}

static const struct {
	const char *name;
	int (*action)(uint16_t port);
	/* The port, or both, are closed by it. */
	bool closes;
	bool closes_other;
} deeds[] = {
	{ "stop", stop_port, false, false },
	{ "restart", restart_port, false, false },
	{ "set_link", set_link, false, false },
	{ "probe", probe_other, false, false },
	{ "close", close_port, true, false },
	{ "remove", remove_port, true, false },
	{ "close both", close_both, true, true },
};

static void
do_deed(uint16_t port, unsigned int i, enum rte_eth_event_type event)
{
	memset(&deed, 0, sizeof(deed));
	deed.port = port;
	assert_int_equal(rte_eth_dev_callback_register(port, event, on_event, NULL), 0);
	__atomic_store_n(&deed.action, deeds[i].action, __ATOMIC_RELEASE);
	/* The link and the queues go, which is told. */
	assert_int_equal(rte_eth_dev_set_link_down(port), 0);
	unit_wait(__atomic_load_n(&deed.done, __ATOMIC_ACQUIRE));
	if (deed.ret != 0)
		fail_msg("%s: %d", deeds[i].name, deed.ret);
}

static void
end_port(uint16_t port, const char *name, bool closed, enum rte_eth_event_type event)
{
	if (!closed) {
		/* The event may still be told. */
		unit_wait(rte_eth_dev_callback_unregister(port, event, on_event, NULL) != -EAGAIN);
		unit_remove_port(name);
	} else {
		assert_false(rte_eth_dev_is_valid_port(port));
		rte_vdev_uninit(name);
	}
}

static void
run_deed(unsigned int i, bool front, enum rte_eth_event_type event)
{
	bool other = deeds[i].closes_other;

	pair_open(1, 0);
	do_deed(front ? pair.front : pair.back, i, event);
	bystander_run();
	end_port(pair.front, PAIR_FRONT, other || (deeds[i].closes && front), event);
	end_port(pair.back, PAIR_BACK, other || (deeds[i].closes && !front), event);
	rawfront_toolstack_remove(&pair.names);
	unit_wait(unit_maps() == 2);
	assert_int_equal(unit_grants(), 0);
}

/* In a callback of either driver's port: done, and the control thread lives on. */
static void
test_callback(void **state __rte_unused)
{
	unsigned int i, front;

	bystander_start();
	for (i = 0; i < RTE_DIM(deeds); i++) {
		for (front = 0; front < 2; front++) {
			run_deed(i, front, RTE_ETH_EVENT_INTR_LSC);
			run_deed(i, front, RTE_ETH_EVENT_QUEUE_STATE);
		}
	}
	bystander_stop();
	unit_check_pool();
}

/* The last port of the process, with which the control thread ends that it is closed by. */
static void
test_callback_last(void **state)
{
	unsigned int fds = unit_fds(), i;
	struct vif *v = *state;

	for (i = 0; i < 3; i++) {
		unit_log_clear();
		memset(&deed, 0, sizeof(deed));
		deed.port = v->port;
		assert_int_equal(rte_eth_dev_callback_register(v->port, RTE_ETH_EVENT_INTR_LSC,
						 on_event, NULL),
				0);
		__atomic_store_n(&deed.action, close_port, __ATOMIC_RELEASE);
		assert_int_equal(rte_eth_dev_set_link_down(v->port), 0);
		unit_wait(__atomic_load_n(&deed.done, __ATOMIC_ACQUIRE));
		assert_int_equal(deed.ret, 0);
		assert_int_equal(rte_vdev_uninit(v->name), 0);
		/* The thread has gone, too. */
		unit_wait(unit_fds() < fds);
		vif_add_port(v, &(struct vif_options){ .app_queues = 1 });
		unit_wait(unit_link(v->port));
		vif_send_good(v);
	}
}

/* A callback that takes long: who closes the port meanwhile waits for it, and not for ever. */
static bool callback_held;
static bool callback_over;

/* In a thread that is no longer the control thread when it closes the other port. */
static int
hold(uint16_t port __rte_unused)
{
	int ret;

	__atomic_store_n(&deed.done, true, __ATOMIC_RELEASE);
	while (__atomic_load_n(&callback_held, __ATOMIC_ACQUIRE))
		usleep(1000);
	ret = close_port(pair.front);
	__atomic_store_n(&callback_over, true, __ATOMIC_RELEASE);
	return ret;
}

static void
test_callback_hangs(void **state __rte_unused)
{
	uint64_t start;

	bystander_start();
	pair_open(1, 0);
	unit_log_clear();
	callback_held = true;
	callback_over = false;
	memset(&deed, 0, sizeof(deed));
	deed.port = pair.back;
	assert_int_equal(rte_eth_dev_callback_register(pair.back, RTE_ETH_EVENT_INTR_LSC, on_event,
					 NULL),
			0);
	__atomic_store_n(&deed.action, hold, __ATOMIC_RELEASE);
	assert_int_equal(rte_eth_dev_set_link_down(pair.back), 0);
	unit_wait(__atomic_load_n(&deed.done, __ATOMIC_ACQUIRE));
	start = unit_now_ms();
	unit_remove_port(PAIR_BACK);
	assert_bounded(start);
	unit_assert_log("no return from the application's callback for 2 s: detached without it");
	bystander_run();
	__atomic_store_n(&callback_held, false, __ATOMIC_RELEASE);
	unit_wait(__atomic_load_n(&callback_over, __ATOMIC_ACQUIRE));
	assert_false(rte_eth_dev_is_valid_port(pair.front));
	/* It was closed as by anybody else. */
	assert_string_equal(unit_read("%s/state", pair.names.front), "6");
	rte_vdev_uninit(PAIR_FRONT);
	rawfront_toolstack_remove(&pair.names);
	assert_int_equal(unit_grants(), 0);
	bystander_stop();
	unit_check_pool();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_probe),
		vif_test(test_probe),
		vif_test(test_close_backend),
		cmocka_unit_test(test_close_many),
		cmocka_unit_test(test_close_frontend),
		cmocka_unit_test(test_own_domain),
		cmocka_unit_test(test_callback),
		vif_test(test_callback_last),
		cmocka_unit_test(test_callback_hangs),
	};

	return cmocka_run_group_tests_name("hang", tests, setup, teardown);
}
