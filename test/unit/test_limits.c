/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * What a process and a domain have only so much of: files, event channels, grants, memory. A vif
 * takes a fixed number of files, and one that finds something used up waits until it is there
 * again: that is nobody else's fault, and no reason to close.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "rawback.h"
#include "vif.h"
#include "xen_bus.h"

#define VIFS 16
#define FILES_MAX 1024

/* Attempts that are waited for where nothing must happen. */
#define ATTEMPTS 3

/* Evaluations so far; the linker puts these functions around the drivers'. */
static unsigned int evaluations;

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
	__real_xenvif_evaluate(xbdev);
	__atomic_fetch_add(&evaluations, 1, __ATOMIC_RELEASE);
}

void
__wrap_xenfront_evaluate(struct xen_bus_device *xbdev)
{
	__real_xenfront_evaluate(xbdev);
	__atomic_fetch_add(&evaluations, 1, __ATOMIC_RELEASE);
}

/* The errno that the next maps of domain 0 fail with; 0: they do not. */
static int map_errno;

void *
__real_xengnttab_map_grant_ref(xengnttab_handle *xgt, uint32_t domid, uint32_t ref, int prot);
void *
__wrap_xengnttab_map_grant_ref(xengnttab_handle *xgt, uint32_t domid, uint32_t ref, int prot);

void *
__wrap_xengnttab_map_grant_ref(xengnttab_handle *xgt, uint32_t domid, uint32_t ref, int prot)
{
	int err = __atomic_load_n(&map_errno, __ATOMIC_RELAXED);

	if (err == 0)
		return __real_xengnttab_map_grant_ref(xgt, domid, ref, prot);
	errno = err;
	return NULL;
}

/* The end of keys that the drivers cannot write; NULL: they can. */
static const char *no_room_for;

bool
__real_xs_write(struct xs_handle *h, xs_transaction_t t, const char *path, const void *data,
		unsigned int len);
bool
__wrap_xs_write(struct xs_handle *h, xs_transaction_t t, const char *path, const void *data,
		unsigned int len);

bool
__wrap_xs_write(struct xs_handle *h, xs_transaction_t t, const char *path, const void *data,
		unsigned int len)
{
	const char *key = __atomic_load_n(&no_room_for, __ATOMIC_ACQUIRE);

	/* The toolstack's paths are absolute. */
	if (key == NULL || path[0] == '/' || strstr(path, key) == NULL)
		return __real_xs_write(h, t, path, data, len);
	errno = ENOSPC;
	return false;
}

/* It is looked at again and again, and nothing comes of it. */
static void
wait_attempts(void)
{
	unsigned int now = __atomic_load_n(&evaluations, __ATOMIC_ACQUIRE);

	unit_wait(__atomic_load_n(&evaluations, __ATOMIC_ACQUIRE) >= now + ATTEMPTS);
}

/* Files that are opened until no more can be. */
static struct {
	struct rlimit limit;
	unsigned int nb;
	int fds[FILES_MAX];
} files;

static void
use_up_files(void)
{
	struct rlimit low;
	int fd;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files.limit), 0);
	low = files.limit;
	low.rlim_cur = RTE_MIN(low.rlim_cur, (rlim_t)FILES_MAX);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	for (files.nb = 0; (fd = open("/dev/null", O_RDONLY)) >= 0; files.nb++)
		files.fds[files.nb] = fd;
	assert_int_equal(errno, EMFILE);
}

static void
give_back_files(void)
{
	while (files.nb != 0)
		close(files.fds[--files.nb]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files.limit), 0);
}

/* A guest with as many queues, connected to a port. */
static void
open_vif(struct vif *v, unsigned int devid, unsigned int queues)
{
	const struct vif_options options = { .args = ",queues=32" };

	memset(v, 0, sizeof(*v));
	rawfront_open(&v->f, 1, devid, queues, true);
	snprintf(v->name, sizeof(v->name), "net_xenvif_%u", devid);
	vif_add_port(v, &options);
}

/* Files of the process that are not the guest's. */
static unsigned int
files_of_vif(struct vif *v, unsigned int devid, unsigned int queues)
{
	unsigned int before = unit_fds();

	open_vif(v, devid, queues);
	vif_connect(v);
	return unit_fds() - before;
}

static void
test_files(void **state __rte_unused)
{
	static struct vif v[VIFS], first;
	unsigned int i, files_of_one, before;

	/* The first one opens what all share. */
	open_vif(&first, 5000, 1);
	vif_connect(&first);
	before = unit_fds();
	files_of_one = files_of_vif(&v[0], 5001, 1);
	vif_close(&v[0]);
	assert_int_equal(unit_fds(), before);
	for (i = 0; i < VIFS; i++)
		assert_int_equal(files_of_vif(&v[i], 5001 + i, 32), files_of_one);
	assert_int_equal(unit_maps(), 2 + VIFS * 64);
	assert_int_equal(unit_ports(), 2 + VIFS * 64);
	/* Reconnected, they take no more. */
	for (i = 0; i < VIFS; i++) {
		rawfront_reset(&v[i].f);
		rawfront_init_rings(&v[i].f, 0);
		vif_connect(&v[i]);
	}
	assert_int_equal(unit_fds(), before + VIFS * files_of_one);
	for (i = 0; i < VIFS; i++)
		vif_close(&v[i]);
	assert_int_equal(unit_fds(), before);
	vif_close(&first);
	assert_int_equal(unit_maps(), 0);
	assert_int_equal(unit_ports(), 0);
}

/* The guest is ready, and this end is not: it says so, once, and closes nothing. */
static void
expect_waiting(struct vif *v, const char *why)
{
	char line[128];

	snprintf(line, sizeof(line), "%s; trying on", why);
	unit_wait(unit_log_has(line));
	wait_attempts();
	assert_int_equal(rawfront_back_state(&v->f), XenbusStateInitWait);
	assert_string_equal(vif_error(v), "");
	assert_int_equal(unit_log_count("trying on"), 1);
	assert_false(unit_link(v->port));
	assert_int_equal(unit_maps(), 0);
	assert_int_equal(unit_ports(), 0);
}

static void
expect_connected(struct vif *v)
{
	rawfront_wait(&v->f, XenbusStateConnected);
	unit_wait(unit_link(v->port));
	vif_send_good(v);
	assert_string_equal(vif_error(v), "");
	assert_false(unit_log_has("state 6: written"));
}

/* Ready to be connected, with nothing said so far. */
static void
make_ready(struct vif *v)
{
	const struct vif_options options = { 0 };

	vif_open(v, &options);
	rawfront_wait(&v->f, XenbusStateInitWait);
	rawfront_publish(&v->f);
	unit_log_clear();
}

static void
test_no_files(void **state __rte_unused)
{
	struct vif v;

	make_ready(&v);
	use_up_files();
	rawfront_state(&v.f, XenbusStateConnected);
	expect_waiting(&v, "cannot open /dev/xen/evtchn: Too many open files");
	give_back_files();
	expect_connected(&v);
	/* What it has it keeps: another connection needs none. */
	use_up_files();
	rawfront_reset(&v.f);
	rawfront_init_rings(&v.f, 0);
	vif_connect(&v);
	vif_send_good(&v);
	give_back_files();
	vif_close(&v);
}

static void
test_no_event_channels(void **state __rte_unused)
{
	unsigned int nth;
	struct vif v;

	for (nth = 1; nth <= 2; nth++) {
		make_ready(&v);
		assert_int_equal(xensim_fault_set(XENSIM_FAULT_BIND, 0, nth, 1, -1), 0);
		rawfront_state(&v.f, XenbusStateConnected);
		expect_waiting(&v, "cannot be bound: No space left on device");
		xensim_fault_clear();
		expect_connected(&v);
		vif_close(&v);
	}
}

static void
test_no_memory(void **state __rte_unused)
{
	struct vif v;

	make_ready(&v);
	__atomic_store_n(&map_errno, ENOMEM, __ATOMIC_RELAXED);
	rawfront_state(&v.f, XenbusStateConnected);
	expect_waiting(&v, "cannot be mapped: Cannot allocate memory");
	__atomic_store_n(&map_errno, 0, __ATOMIC_RELAXED);
	expect_connected(&v);
	vif_close(&v);
}

/* The same under a guest that runs, whose backend has died. */
static void
test_attach(void **state __rte_unused)
{
	struct vif v;

	make_ready(&v);
	rawfront_state(&v.f, XenbusStateConnected);
	expect_connected(&v);
	assert_int_equal(rte_eth_dev_stop(v.port), 0);
	unit_log_clear();
	__atomic_store_n(&map_errno, ENOMEM, __ATOMIC_RELAXED);
	assert_int_equal(rte_eth_dev_start(v.port), 0);
	unit_wait(unit_log_has("; trying on"));
	wait_attempts();
	assert_int_equal(rawfront_back_state(&v.f), XenbusStateConnected);
	assert_int_equal(unit_log_count("trying on"), 1);
	__atomic_store_n(&map_errno, 0, __ATOMIC_RELAXED);
	expect_connected(&v);
	vif_close(&v);
}

/* The frontend has let go of all it had, and stays where it was before. */
static void
expect_front_waiting(const char *why)
{
	unit_wait(unit_log_has(why));
	wait_attempts();
	assert_int_equal(unit_log_count("; trying on"), 1);
	assert_true(rawback_front_is(XenbusStateInitialising));
	assert_string_equal(unit_read("/local/domain/0/error/device/vif/0/error"), "");
	assert_int_equal(unit_grants(), 0);
	assert_int_equal(unit_ports(), 0);
}

/* The backend has gone, and offers the vif again. */
static void
offer_again(void)
{
	rawback_state(XenbusStateClosing);
	rawback_release();
	rawback_state(XenbusStateClosed);
	unit_wait(rawback_front_is(XenbusStateInitialising));
	rawback_state(XenbusStateInitialising);
	unit_log_clear();
}

static void
test_front(void **state __rte_unused)
{
	offer_again();
	assert_int_equal(xensim_grant_limit_set(300), 0);
	rawback_state(XenbusStateInitWait);
	expect_front_waiting("parameter xen_gntalloc.limit allows");
	assert_int_equal(xensim_grant_limit_set(XENSIM_MAX_GRANTS), 0);
	rawback_connect();

	offer_again();
	assert_int_equal(xensim_fault_set(XENSIM_FAULT_BIND, 0, 2, 1, -1), 0);
	rawback_state(XenbusStateInitWait);
	expect_front_waiting("cannot allocate an event channel to domain 1");
	xensim_fault_clear();
	rawback_connect();

	offer_again();
	use_up_files();
	rawback_state(XenbusStateInitWait);
	expect_front_waiting("Too many open files");
	give_back_files();
	rawback_connect();
}

/* The domain has all the keys that its quota allows: the vif is offered when it may have more. */
static void
test_no_keys(void **state __rte_unused)
{
	static const char *const keys[] = { "/feature-sg", "/state" };
	const struct vif_options options = { 0 };
	unsigned int i;
	struct vif v;

	for (i = 0; i < RTE_DIM(keys); i++) {
		unit_log_clear();
		__atomic_store_n(&no_room_for, keys[i], __ATOMIC_RELEASE);
		vif_open(&v, &options);
		wait_attempts();
		assert_int_equal(rawfront_back_state(&v.f), XenbusStateInitialising);
		__atomic_store_n(&no_room_for, NULL, __ATOMIC_RELEASE);
		rawfront_wait(&v.f, XenbusStateInitWait);
		vif_connect(&v);
		vif_send_good(&v);
		vif_close(&v);
		assert_int_equal(unit_log_count("No space left on device; trying on"), i == 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_no_files),
		cmocka_unit_test(test_no_event_channels),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_no_keys),
		cmocka_unit_test(test_attach),
		cmocka_unit_test_setup_teardown(test_front, rawback_setup, rawback_teardown),
	};

	return cmocka_run_group_tests_name("limits", tests, unit_setup, unit_teardown);
}
