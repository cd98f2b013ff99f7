/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Devices of ports: those that are none, and those that do not go. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>

#include "eal.h"
#include "logged.h"
#include "port.h"

/* Devices of closed ports that are tried again. */
#define LEFT_MAX (2 * RTE_MAX_ETHPORTS)

int vswitch_logtype;

static struct rte_mempool *pool;
static bool remove_fails;
static char error[PORT_ERROR_SIZE];

int
__real_rte_dev_remove(struct rte_device *device);
int
__wrap_rte_dev_remove(struct rte_device *device);

int
__wrap_rte_dev_remove(struct rte_device *device)
{
	return remove_fails ? -EIO : __real_rte_dev_remove(device);
}

static void
test_no_vhost(void **state __rte_unused)
{
	struct port_spec spec = { .name = "t0", .kind = PORT_HOST, .queues = 1, .mtu = 1500 };

	if (access(PORT_VHOST_NET, F_OK) == 0)
		skip();
	snprintf(spec.devargs, sizeof(spec.devargs), "net_null7");
	spec.vhost = true;
	assert_null(port_open(&spec, 1, pool, error));
	assert_int_equal(rte_errno, ENOENT);
	assert_string_equal(error,
			"vhost=yes: /dev/vhost-net: No such file or directory; "
			"modprobe vhost-net");
}

static struct port *
open_port(const char *devargs)
{
	struct port_spec spec = { .name = "n1", .queues = 1, .mtu = 1500 };

	snprintf(spec.devargs, sizeof(spec.devargs), "%s", devargs);
	error[0] = '\0';
	return port_open(&spec, 1, pool, error);
}

static unsigned int
count_devices(void)
{
	struct rte_dev_iterator iterator;
	const struct rte_device *device;
	unsigned int n = 0;

	RTE_DEV_FOREACH(device, "bus=vdev", &iterator)
	n++;
	return n;
}

/* A device that has no port is not left, and one that is left is none of that kind. */
static void
test_no_port(void **state __rte_unused)
{
	unsigned int devices = count_devices();
	struct port *port;
	int ret;

	assert_null(open_port("crypto_null0,socket_id=0"));
	assert_int_equal(rte_errno, ENODEV);
	assert_string_equal(error, "device 'crypto_null0,socket_id=0' has no port");
	assert_int_equal(count_devices(), devices);

	port = open_port("net_null0,size=64");
	assert_non_null(port);
	remove_fails = true;
	port_close(port);
	assert_null(open_port("net_null0"));
	assert_int_equal(rte_errno, EBUSY);
	assert_string_equal(error,
			"device 'net_null0' is left of a closed port, and cannot be removed");
	assert_string_equal(port_left(0, &ret), "n1");
	assert_int_equal(ret, -EIO);
	assert_int_equal(count_devices(), devices + 1);
	remove_fails = false;
	assert_int_equal(port_remove_left(), 0);
	assert_int_equal(count_devices(), devices);
}

/* Of devices beyond those that can be kept in mind it is said that they stay. */
static void
test_too_many_stay(void **state __rte_unused)
{
	struct port *port;
	char devargs[32];
	unsigned int i;

	remove_fails = true;
	assert_int_equal(logged_begin(), 0);
	for (i = 0; i <= LEFT_MAX; i++) {
		assert_int_equal(logged_count("trying again"), i);
		assert_int_equal(logged_count("it stays"), 0);
		snprintf(devargs, sizeof(devargs), "net_null%u", i);
		port = open_port(devargs);
		assert_non_null(port);
		port_close(port);
	}
	assert_int_equal(logged_count("trying again"), LEFT_MAX);
	assert_int_equal(logged_count("port n1: cannot remove its device: Input/output error; it "
				      "stays, as too many others are left"),
			1);
	logged_end();
	remove_fails = false;
	assert_int_equal(port_remove_left(), 0);
	assert_int_equal(count_devices(), 1);
	assert_int_equal(rte_eal_hotplug_remove("vdev", devargs), 0);
}

static int
begin(void **state __rte_unused)
{
	if (eal_start() < 0)
		return -1;
	pool = rte_pktmbuf_pool_create("mbufs", 4096, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
			SOCKET_ID_ANY);
	return pool == NULL ? -1 : 0;
}

static int
end(void **state __rte_unused)
{
	rte_mempool_free(pool);
	return rte_eal_cleanup();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_port),
		cmocka_unit_test(test_no_vhost),
		cmocka_unit_test(test_too_many_stay),
	};

	return cmocka_run_group_tests_name("vsw_port", tests, begin, end);
}
