/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* What a user may write behind --vdev net_xenvif0, and what is said when it is wrong. */

#include <errno.h>
#include <stdio.h>

#include <rte_bus_vdev.h>

#include "toolstack.h"
#include "unit.h"

#define DOMID_RANGE "not a number from 0 to 32751"
#define DEVID_RANGE "not a number from 0 to 65535"
#define QUEUES_RANGE "not a number from 1 to 32"
#define STATIC_RANGE "not a number from 0 to 65536"
#define SPEED_RANGE "not a number from 1 to 400000"
#define NOTIFY_WANTED \
	"not adaptive, immediate, or [COUNT,USEC] with numbers from 2 to 128 and from 1 to 1000000"
#define MAC_WANTED "not a unicast MAC address"

/* Nothing of a refused vdev may stay. */
static void
assert_refused(const char *vdev, const char *args, const char *key, const char *allowed)
{
	unsigned int ports = rte_eth_dev_count_avail(), fds = unit_fds();
	char name[64];

	unit_log_clear();
	assert_int_not_equal(unit_probe(vdev, args), 0);
	snprintf(name, sizeof(name), "%s: %s", vdev, key);
	if (!unit_log_has(name))
		fail_msg("'%s': the log does not have '%s'", args, name);
	if (!unit_log_has(allowed))
		fail_msg("'%s': the log does not have '%s'", args, allowed);
	assert_int_equal(unit_log_count("XEN: "), 1);
	assert_int_equal(rte_eth_dev_count_avail(), ports);
	assert_int_equal(unit_fds(), fds);
	assert_int_equal(unit_maps(), 0);
}

static void
test_refused(void **state __rte_unused)
{
	static const struct {
		const char *args;
		const char *key;
		const char *allowed;
	} cases[] = {
		{ "", "the argument domid is missing", "domid" },
		{ "devid=0", "the argument domid is missing", "domid" },
		{ "domid=1", "the argument devid is missing", "devid" },
		{ "domid=1,devid=0,color=red", "unknown argument color",
				"domid, devid, queues, speed, mac, gso, legacy-ol-flags, notify, "
				"static)" },
		{ "domid=32752,devid=0", "domid=32752", DOMID_RANGE },
		{ "domid=-1,devid=0", "domid=-1", DOMID_RANGE },
		{ "domid=+1,devid=0", "domid=+1", DOMID_RANGE },
		{ "domid= 1,devid=0", "domid= 1", DOMID_RANGE },
		{ "domid=1x,devid=0", "domid=1x", DOMID_RANGE },
		{ "domid=0x1,devid=0", "domid=0x1", DOMID_RANGE },
		{ "domid=1.5,devid=0", "domid=1.5", DOMID_RANGE },
		{ "domid=abc,devid=0", "domid=abc", DOMID_RANGE },
		{ "domid=,devid=0", "domid: needs a value", "domid" },
		{ "domid,devid=0", "domid: needs a value", "domid" },
		{ "domid=4294967297,devid=0", "domid=4294967297", DOMID_RANGE },
		{ "domid=99999999999999999999999999,devid=0", "domid=9999999999999", DOMID_RANGE },
		{ "domid=1,devid=65536", "devid=65536", DEVID_RANGE },
		{ "domid=1,devid=-1", "devid=-1", DEVID_RANGE },
		{ "domid=1,devid=", "devid: needs a value", "devid" },
		{ "domid=1,devid=0,queues=0", "queues=0", QUEUES_RANGE },
		{ "domid=1,devid=0,queues=33", "queues=33", QUEUES_RANGE },
		{ "domid=1,devid=0,queues=many", "queues=many", QUEUES_RANGE },
		{ "domid=1,devid=0,static=65537", "static=65537", STATIC_RANGE },
		{ "domid=1,devid=0,static=-1", "static=-1", STATIC_RANGE },
		{ "domid=1,devid=0,static=4k", "static=4k", STATIC_RANGE },
		{ "domid=1,devid=0,static=", "static: needs a value", "static" },
		{ "domid=1,devid=0,speed=0", "speed=0", SPEED_RANGE },
		{ "domid=1,devid=0,speed=400001", "speed=400001", SPEED_RANGE },
		{ "domid=1,devid=0,speed=fast", "speed=fast", SPEED_RANGE },
		{ "domid=1,devid=0,mac=01:00:5e:00:00:01", "mac=01:00:5e:00:00:01", MAC_WANTED },
		{ "domid=1,devid=0,mac=ff:ff:ff:ff:ff:ff", "mac=ff:ff:ff:ff:ff:ff", MAC_WANTED },
		{ "domid=1,devid=0,mac=00:00:00:00:00:00", "mac=00:00:00:00:00:00", MAC_WANTED },
		{ "domid=1,devid=0,mac=02:00:00:00:00", "mac=02:00:00:00:00", MAC_WANTED },
		{ "domid=1,devid=0,mac=garbage", "mac=garbage", MAC_WANTED },
		{ "domid=1,devid=0,mac=", "mac: needs a value", "mac" },
		{ "domid=1,devid=0,notify=", "notify: needs a value", "notify" },
		{ "domid=1,devid=0,notify=now", "notify=now", NOTIFY_WANTED },
		{ "domid=1,devid=0,notify=16", "notify=16", NOTIFY_WANTED },
		{ "domid=1,devid=0,notify=[16]", "notify=[16]", NOTIFY_WANTED },
		{ "domid=1,devid=0,notify=[1,100]", "notify=[1,100]", NOTIFY_WANTED },
		{ "domid=1,devid=0,notify=[129,100]", "notify=[129,100]", NOTIFY_WANTED },
		{ "domid=1,devid=0,notify=[16,0]", "notify=[16,0]", NOTIFY_WANTED },
		{ "domid=1,devid=0,notify=[16,1000001]", "notify=[16,1000001]", NOTIFY_WANTED },
		{ "domid=1,devid=0,notify=[99999999999,1]", "notify=[99999999999,1]",
				NOTIFY_WANTED },
		{ "domid=1,devid=0,notify=[-16,100]", "notify=[-16,100]", NOTIFY_WANTED },
		{ "domid=1,devid=0,notify=[ 16,100]", "notify=[ 16,100]", NOTIFY_WANTED },
		{ "domid=1,devid=0,notify=[16,100,1]", "notify=[16,100,1]", NOTIFY_WANTED },
		{ "domid=1,domid=2,devid=0", "domid=2: given twice", "domid" },
		{ "domid=1,devid=0,devid=0", "devid=0: given twice", "devid" },
		{ "domid=1,devid=0,mac=02:00:00:00:00:01,mac=02:00:00:00:00:02",
				"mac=02:00:00:00:00:02: given twice", "mac" },
	};
	unsigned int i;

	for (i = 0; i < RTE_DIM(cases); i++)
		assert_refused("net_xenvif7", cases[i].args, cases[i].key, cases[i].allowed);
}

/* The frontend knows no domid: its own end is all that it can name. */
static void
test_frontend_refused(void **state __rte_unused)
{
	static const struct {
		const char *args;
		const char *key;
		const char *allowed;
	} cases[] = {
		{ "", "the argument devid is missing", "devid" },
		{ "queues=1", "the argument devid is missing", "devid" },
		{ "domid=1,devid=0", "unknown argument domid", "devid, queues, speed, mac" },
		{ "devid=65536", "devid=65536", DEVID_RANGE },
		{ "devid=x", "devid=x", DEVID_RANGE },
		{ "devid=", "devid: needs a value", "devid" },
		{ "devid=0,queues=0", "queues=0", QUEUES_RANGE },
		{ "devid=0,queues=33", "queues=33", QUEUES_RANGE },
		{ "devid=0,speed=0", "speed=0", SPEED_RANGE },
		{ "devid=0,mac=01:00:5e:00:00:01", "mac=01:00:5e:00:00:01", MAC_WANTED },
		{ "devid=0,devid=1", "devid=1: given twice", "devid" },
	};
	unsigned int i;

	for (i = 0; i < RTE_DIM(cases); i++)
		assert_refused("net_xenfront7", cases[i].args, cases[i].key, cases[i].allowed);
	assert_int_equal(unit_probe("net_xenfront7", "devid=9"), 0);
	unit_log_clear();
	assert_int_not_equal(unit_probe("net_xenfront8", "devid=9"), 0);
	unit_assert_log("net_xenfront8: device/vif/9 has a port in this process already");
	assert_int_equal(rte_vdev_uninit("net_xenfront7"), 0);
}

static void
test_accepted(void **state __rte_unused)
{
	static const struct {
		const char *args;
		uint32_t speed;
		const char *mac;
	} cases[] = {
		{ "domid=1,devid=0", 10000, NULL },
		{ "devid=0,domid=32751", 10000, NULL },
		{ "domid=1,devid=65535,queues=32", 10000, NULL },
		{ "domid=1,devid=3,queues=1,speed=400000,mac=02:00:00:00:00:07", 400000,
				"02:00:00:00:00:07" },
		{ "domid=0001,devid=00,speed=1", 1, NULL },
	};
	struct rte_ether_addr mac, wanted;
	struct rte_eth_link link;
	unsigned int i;
	uint16_t port;

	for (i = 0; i < RTE_DIM(cases); i++) {
		assert_int_equal(unit_probe("net_xenvif7", cases[i].args), 0);
		port = unit_port("net_xenvif7");
		assert_int_equal(rte_eth_link_get_nowait(port, &link), 0);
		assert_int_equal(link.link_speed, cases[i].speed);
		assert_int_equal(link.link_status, RTE_ETH_LINK_DOWN);
		assert_int_equal(rte_eth_macaddr_get(port, &mac), 0);
		assert_true(rte_is_valid_assigned_ether_addr(&mac));
		if (cases[i].mac != NULL) {
			assert_int_equal(rte_ether_unformat_addr(cases[i].mac, &wanted), 0);
			assert_true(rte_is_same_ether_addr(&mac, &wanted));
		}
		assert_int_equal(rte_vdev_uninit("net_xenvif7"), 0);
	}
}

/* The second port of a vif is refused, and the first one does not notice. */
static void
test_same_vif_twice(void **state __rte_unused)
{
	struct rawfront f;
	uint16_t port;

	rawfront_open(&f, 1, 5, 1, true);
	assert_int_equal(unit_probe("net_xenvif0", "domid=1,devid=5"), 0);
	port = unit_port("net_xenvif0");
	unit_start(port, 1, 0, unit_pool);
	rawfront_connect(&f);
	unit_wait(unit_link(port));
	unit_log_clear();
	assert_int_not_equal(unit_probe("net_xenvif1", "domid=1,devid=5,queues=2"), 0);
	unit_assert_log("net_xenvif1: backend/vif/1/5 has a port in this process already");
	assert_int_equal(rte_eth_dev_count_avail(), 1);
	assert_true(unit_link(port));
	assert_int_equal(unit_maps(), 2);
	assert_int_equal(unit_xstat(port, "disconnects"), 0);
	rawfront_reset(&f);
	rawfront_connect(&f);
	unit_wait(unit_link(port));
	unit_remove_port("net_xenvif0");
	rawfront_close(&f);
	assert_int_equal(unit_maps(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_frontend_refused),
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_same_vif_twice),
	};

	return cmocka_run_group_tests_name("devargs", tests, unit_setup, unit_teardown);
}
