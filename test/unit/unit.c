/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <rte_eal.h>

#include "lcores.h"
#include "unit.h"
#include "unit_log.h"
#include "unit_pool.h"

struct xs_handle *unit_store;
struct rte_mempool *unit_pool;
void (*unit_idle_hook)(void);

uint64_t
unit_now_ms(void)
{
	return rawfront_now_ms();
}

static uint64_t skipped_ms, stopped_ms;

/* The linker puts this function around the drivers'. */
uint64_t
__real_xen_bus_now_ms(void);
uint64_t
__wrap_xen_bus_now_ms(void);

uint64_t
__wrap_xen_bus_now_ms(void)
{
	uint64_t stopped = __atomic_load_n(&stopped_ms, __ATOMIC_RELAXED);

	if (stopped != 0)
		return stopped;
	return __real_xen_bus_now_ms() + __atomic_load_n(&skipped_ms, __ATOMIC_RELAXED);
}

void
unit_clock_stop(bool stop)
{
	__atomic_store_n(&stopped_ms, 0, __ATOMIC_RELAXED);
	if (stop)
		__atomic_store_n(&stopped_ms, __wrap_xen_bus_now_ms(), __ATOMIC_RELAXED);
}

void
unit_clock_skip(uint64_t ms)
{
	__atomic_fetch_add(&skipped_ms, ms, __ATOMIC_RELAXED);
}

void
unit_idle(void)
{
	const struct timespec nap = { .tv_nsec = 500000 };

	if (unit_idle_hook != NULL)
		unit_idle_hook();
	nanosleep(&nap, NULL);
}

static int
eal_start(void)
{
	static char text[16][CPU_LIST_MAX] = {
		"unit",
		"--no-shconf",
		"--no-huge",
		"-m",
		"64",
		"--no-pci",
		"--no-telemetry",
		"--log-level",
		"pmd.common.xen:debug",
		"--log-level",
		"pmd.net.xenvif:debug",
		"--log-level",
		"pmd.net.xenfront:debug",
		"--lcores",
	};
	char *argv[RTE_DIM(text)];
	int argc;

	for (argc = 0; text[argc][0] != '\0'; argc++)
		argv[argc] = text[argc];
	lcore_option(text[argc]);
	argv[argc] = text[argc];
	return rte_eal_init(argc + 1, argv);
}

static int
make_domain(unsigned int domid)
{
	char value[16];
	int ret = xensim_domain_create(domid, NULL);

	if (ret < 0 && ret != -EEXIST) {
		fprintf(stderr, "cannot make domain %u: %s\n", domid, strerror(-ret));
		return ret;
	}
	snprintf(value, sizeof(value), "%u", domid);
	unit_write(value, "/local/domain/%u/domid", domid);
	return 0;
}

int
unit_setup(void **state __rte_unused)
{
	unsigned int i;

	if (getenv("XENSIM_DIR") == NULL) {
		fprintf(stderr, "XENSIM_DIR is not set: run this by test/unit/with-xensim.sh\n");
		return -1;
	}
	if (unit_log_start() < 0 || eal_start() < 0)
		return -1;
	unit_store = xs_open(0);
	if (unit_store == NULL) {
		fprintf(stderr, "cannot connect to xenstore: %s\n", strerror(errno));
		return -1;
	}
	unit_write("0", "/local/domain/0/domid");
	for (i = 1; i <= 2; i++) {
		if (make_domain(i) < 0)
			return -1;
	}
	unit_count_from_here();
	unit_pool = rte_pktmbuf_pool_create_by_ops("unit", UNIT_MBUFS, 0, 0,
			UNIT_ROOM + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY, unit_pool_ops);
	return unit_pool != NULL ? 0 : -1;
}

int
unit_teardown(void **state __rte_unused)
{
	rte_mempool_free(unit_pool);
	xs_close(unit_store);
	rte_eal_cleanup();
	unit_log_stop();
	return 0;
}

const char *
unit_read(const char *fmt, ...)
{
	static char value[UNIT_VALUE_MAX];
	char path[256];
	unsigned int len;
	va_list ap;
	char *data;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	data = xs_read(unit_store, XBT_NULL, path, &len);
	snprintf(value, sizeof(value), "%s", data != NULL ? data : "");
	free(data);
	return value;
}

void
unit_write(const char *value, const char *fmt, ...)
{
	char path[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	if (!xs_write(unit_store, XBT_NULL, path, value, strlen(value)))
		fail_msg("cannot write %s: %s", path, strerror(errno));
}

void
unit_remove(const char *fmt, ...)
{
	char path[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	if (!xs_rm(unit_store, XBT_NULL, path) && errno != ENOENT)
		fail_msg("cannot remove %s: %s", path, strerror(errno));
}
