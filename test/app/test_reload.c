/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Ports that come and go by commands, on devices of DPDK's driver net_null: some do not go. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <rte_eal.h>
#include <rte_mbuf.h>

#include <systemd/sd-id128.h>

#include "bridge.h"
#include "capture.h"
#include "eal.h"
#include "logged.h"
#include "mirror.h"
#include "reload.h"
#include "xs_vifs.h"

#define BRIDGES "[bridge a]\n[bridge b]\n[bridge c]\n"
#define GUEST_ID (RTE_MAX_ETHPORTS - 1)
/* What a command adds. */
#define ADD(name, ...) \
	add(name, (const char *const[]){ __VA_ARGS__ }, \
			RTE_DIM(((const char *const[]){ __VA_ARGS__ })))

int vswitch_logtype;

static struct vswitch sw;
static struct config_error error;
static struct port guest;
static struct xs_vif vif;
static unsigned int nb_vifs;
static char vif_error[VIF_ERROR_SIZE];
/* What xs_vifs_answer() returns, and was told last, as xs_vifs_hotplug(). */
static int answer_ret;
static bool has_port, hotplug;
/* The guest's port has come. */
static bool guest_comes;
/* What bridge_publish() returns, and whether devices stay. */
static int publish_ret;
static bool stop_fails, remove_fails;
/* How often captures and mirrors have heard of a port that is gone. */
static unsigned int nb_forgotten;
/* What systemd says of the machine's id. */
static int id_ret;

struct port *
__real_port_open(const struct port_spec *spec, unsigned int nb_workers, struct rte_mempool *pool,
		char *text);
struct port *
__wrap_port_open(const struct port_spec *spec, unsigned int nb_workers, struct rte_mempool *pool,
		char *text);
int
__wrap_sd_id128_get_machine_app_specific(sd_id128_t app, sd_id128_t *id);
int
__real_rte_eth_dev_stop(uint16_t id);
int
__wrap_rte_eth_dev_stop(uint16_t id);
int
__real_rte_dev_remove(struct rte_device *device);
int
__wrap_rte_dev_remove(struct rte_device *device);

int
__wrap_rte_eth_dev_stop(uint16_t id)
{
	return stop_fails ? -EBUSY : __real_rte_eth_dev_stop(id);
}

int
__wrap_rte_dev_remove(struct rte_device *device)
{
	return remove_fails ? -EIO : __real_rte_dev_remove(device);
}

/* A tap is another device, which takes no root. */
struct port *
__wrap_port_open(const struct port_spec *spec, unsigned int nb_workers, struct rte_mempool *pool,
		char *text)
{
	struct port_spec other = *spec;
	struct port *port;

	if (spec->kind != PORT_HOST)
		return __real_port_open(spec, nb_workers, pool, text);
	snprintf(other.devargs, sizeof(other.devargs), "net_null9");
	other.vhost = false;
	port = __real_port_open(&other, nb_workers, pool, text);
	if (port != NULL)
		port->spec = *spec;
	return port;
}

int
__wrap_sd_id128_get_machine_app_specific(sd_id128_t app, sd_id128_t *id)
{
	*id = app;
	return id_ret;
}

struct port *
vswitch_port(const struct vswitch *in, const char *name)
{
	unsigned int i;

	for (i = 0; i < RTE_MAX_ETHPORTS; i++) {
		if (in->ports[i] != NULL && strcmp(in->ports[i]->spec.name, name) == 0)
			return in->ports[i];
	}
	return NULL;
}

void
vswitch_stats_begin(struct vswitch *in __rte_unused, uint16_t port __rte_unused)
{
}

void
balance_assign(struct vswitch *in __rte_unused, struct port *port __rte_unused)
{
}

int
bridge_publish(struct vswitch *in __rte_unused)
{
	return publish_ret;
}

int
bridge_pin(struct vswitch *in __rte_unused, struct port *port)
{
	port->pinned = true;
	return 0;
}

void
fdb_forget(struct fdb *fdb __rte_unused, uint16_t port __rte_unused)
{
}

void
capture_forget_port(struct vswitch *in, const struct port *port)
{
	assert_null(in->ports[port->id]);
	nb_forgotten++;
}

void
mirror_forget_port(struct vswitch *in, const struct port *port)
{
	assert_null(in->ports[port->id]);
	nb_forgotten++;
}

bool
xs_vifs_update(struct xs_vifs *vifs __rte_unused)
{
	return false;
}

void
xs_vifs_again(struct xs_vifs *vifs __rte_unused)
{
}

unsigned int
xs_vifs_count(const struct xs_vifs *vifs __rte_unused)
{
	return nb_vifs;
}

const struct xs_vif *
xs_vifs_get(const struct xs_vifs *vifs __rte_unused, unsigned int i __rte_unused)
{
	return &vif;
}

void
xs_vifs_say(struct xs_vifs *vifs __rte_unused, unsigned int domid __rte_unused,
		unsigned int devid __rte_unused, const char *text)
{
	snprintf(vif_error, sizeof(vif_error), "%s", text == NULL ? "" : text);
}

void
xs_vifs_hotplug(struct xs_vifs *vifs __rte_unused, bool on)
{
	hotplug = on;
}

int
xs_vifs_answer(struct xs_vifs *vifs __rte_unused, unsigned int i, bool is)
{
	assert_int_equal(i, 0);
	has_port = is;
	if (guest_comes)
		sw.ports[GUEST_ID] = &guest;
	return answer_ret;
}

/* The guest 3 has a port, by whatever device. */
static void
guest_begin(void)
{
	vif = (struct xs_vif){ .domid = 3 };
	snprintf(vif.keys.name, sizeof(vif.keys.name), "vif3.0");
	snprintf(vif.keys.bridge, sizeof(vif.keys.bridge), "a");
	vif.keys.mtu = 1500;
	nb_vifs = 1;
	memset(&guest, 0, sizeof(guest));
	guest.id = GUEST_ID;
	guest.spec.kind = PORT_GUEST;
	guest.spec.queues = 1;
	guest.spec.mtu = 1500;
	snprintf(guest.spec.name, sizeof(guest.spec.name), "vif3.0");
	snprintf(guest.spec.devargs, sizeof(guest.spec.devargs),
			"net_xenvif3_0,domid=3,devid=0,queues=1");
	sw.ports[GUEST_ID] = &guest;
}

static int
setup(void **state __rte_unused)
{
	struct rte_mempool *pool = sw.pool;

	memset(&sw, 0, sizeof(sw));
	sw.pool = pool;
	sw.nb_workers = 1;
	vif_error[0] = '\0';
	if (config_parse(BRIDGES "[port n0]\nbridge=a\ndevargs=net_null0\n", &sw.config, &error) !=
			0)
		return -1;
	guest_begin();
	return reload_apply(&sw);
}

/* Nothing is left for the next test. */
static int
teardown(void **state __rte_unused)
{
	publish_ret = 0;
	answer_ret = 0;
	stop_fails = remove_fails = guest_comes = false;
	sw.ports[GUEST_ID] = NULL;
	nb_vifs = 0;
	sw.config.nb_ports = 0;
	return reload_apply(&sw) != 0 || rte_eth_dev_count_avail() != 0 ? -1 : 0;
}

static int
add(const char *name, const char *const *keys, unsigned int nb)
{
	memset(&error, 0xA5, sizeof(error));
	return reload_add(&sw, name, keys, nb, &error);
}

static bool
is_there(const char *name)
{
	bool is = vswitch_port(&sw, name) != NULL;

	assert_int_equal(config_port_find(&sw.config, name) != NULL, is);
	return is;
}

/* It says why, and changes nothing. */
#define assert_not_added(why, name, ...) \
	do { \
		struct config before_ = sw.config; \
\
		assert_true(ADD(name, __VA_ARGS__) < 0); \
		assert_string_equal(error.text, why); \
		assert_int_equal(error.line, 0); \
		assert_memory_equal(&sw.config, &before_, sizeof(before_)); \
		assert_int_equal(sw.nb_errors, 0); \
	} while (0)

static void
test_add(void **state __rte_unused)
{
	const struct port *port;

	assert_int_equal(ADD("n1", "bridge=b", " devargs = net_null1 ", "mtu=1400"), 0);
	assert_true(is_there("n1"));
	port = vswitch_port(&sw, "n1");
	assert_string_equal(port->device, "net_null1");
	assert_int_equal(port->spec.mtu, 1400);
	assert_int_equal(port->spec.bridge, 1);
	nb_forgotten = 0;
	assert_int_equal(reload_remove(&sw, "n1", &error), 0);
	assert_int_equal(nb_forgotten, 2);
	assert_false(is_there("n1"));
	/* One of the file goes as well, and its place is another's. */
	assert_int_equal(reload_remove(&sw, "n0", &error), 0);
	assert_false(is_there("n0"));
	assert_int_equal(ADD("n2", "bridge=a", "devargs=net_null0"), 0);
	assert_true(is_there("n2"));
	assert_ptr_equal(sw.ports[GUEST_ID], &guest);
}

static void
test_wrong_keys(void **state __rte_unused)
{
	assert_not_added("[port n1]: has to have the key bridge", "n1", "devargs=net_null1");
	assert_not_added("[port 'n 1']: the name has to be " NAME_RULE, "n 1", "bridge=b");
	assert_not_added("bridge='d': has to be a bridge of this file, by a section [bridge d]",
			"n1", "bridge=d", "devargs=net_null1");
	assert_not_added("mtu='9': has to be a number from 68 to 65517, and up to 1500 for a tap",
			"n1", "bridge=b", "mtu=9");
	assert_not_added("mtu='1400': is there already", "n1", "mtu=1500", "mtu=1400");
	assert_not_added("queues='0': is there already, and has to be a number from 1 to 32", "n1",
			"queues=1", "queues=0");
	assert_not_added("key 'lock': is unknown; [port] has kind, bridge, devargs, vhost, vlan, "
			 "trunks, isolated, queues, mtu, macs",
			"n1", "lock=mac");
	assert_not_added("'mtu': has to be KEY=VALUE", "n1", "mtu");
	assert_not_added("'=1': has to be KEY=VALUE", "n1", "=1");
	assert_not_added("'': has to be KEY=VALUE", "n1", "");
	assert_not_added("'# x=1': has to be KEY=VALUE", "n1", "\t# x=1");
	assert_not_added("'[bridge e]x=1': has to be KEY=VALUE", "n1", "[bridge e]x=1");
	assert_not_added("'mtu=1500\\x0aqueues=1': has to be KEY=VALUE", "n1",
			"mtu=1500\nqueues=1");
	assert_not_added("byte 0xff: only printable ASCII is allowed, but in comments", "n1",
			"mtu=\xff");
}

/* What is wrong only with what else there is. */
static void
test_together(void **state __rte_unused)
{
	char name[NAME_SIZE];
	unsigned int i;

	assert_not_added("[port n0]: is in line 4 already", "n0", "bridge=b", "devargs=net_null1");
	assert_not_added("[port vif3.0]: is the name of a guest's port already", "vif3.0",
			"bridge=b", "devargs=net_null1");
	assert_not_added("bridge='a': has the uplink n0 in line 4 already, and may have one; bond "
			 "them: use net_bonding",
			"n1", "bridge=a", "devargs=net_null1");
	assert_not_added("devargs='net_null0,x=1': is the device of port n0 in line 4 already",
			"n1", "bridge=b", "devargs=net_null0,x=1");
	assert_int_equal(ADD("n1", "bridge=b", "devargs=net_null1"), 0);
	assert_not_added("[port n1]: is there already", "n1", "bridge=c", "devargs=net_null2");
	assert_not_added("bridge='b': has the uplink n1 already, and may have one; bond them: use "
			 "net_bonding",
			"n2", "bridge=b", "devargs=net_null2");
	assert_not_added("devargs='net_null1': is the device of port n1 already", "n2", "bridge=c",
			"devargs=net_null1");
	/* As many as may be. */
	for (i = sw.config.nb_ports; i < CONFIG_PORTS_MAX; i++) {
		snprintf(name, sizeof(name), "t%u", i);
		snprintf(sw.config.ports[i].name, sizeof(name), "%s", name);
	}
	sw.config.nb_ports = CONFIG_PORTS_MAX;
	assert_not_added("[port n2]: more than 32 ports", "n2", "bridge=c", "devargs=net_null2");
	sw.config.nb_ports = 2;
}

/* The device cannot be made: by commands nothing stays, by the file it is tried again. */
static void
test_no_device(void **state __rte_unused)
{
	struct config_port *port;

	assert_not_added("no device 'net_none1': no driver of DPDK's takes it", "n1", "bridge=b",
			"devargs=net_none1");
	assert_true(sw.failed);
	assert_int_equal(ADD("n1", "bridge=b", "devargs=net_null1"), 0);
	port = config_port_find(&sw.config, "n1");
	snprintf(port->devargs, sizeof(port->devargs), "net_none1");
	assert_true(reload_apply(&sw) < 0);
	assert_int_equal(sw.nb_errors, 1);
	assert_string_equal(sw.errors[0].name, "n1");
	assert_string_equal(sw.errors[0].text,
			"no device 'net_none1': no driver of DPDK's takes it");
	/* That another one fails is nothing to one that comes or goes. */
	assert_int_equal(ADD("n2", "bridge=c", "devargs=net_null2"), 0);
	assert_int_equal(sw.nb_errors, 1);
	assert_int_equal(reload_remove(&sw, "n2", &error), 0);
	assert_int_equal(reload_remove(&sw, "n1", &error), 0);
	assert_int_equal(sw.nb_errors, 0);
	assert_false(sw.failed);
}

static void
test_not_removed(void **state __rte_unused)
{
	assert_int_equal(reload_remove(&sw, "vif3.0", &error), -EINVAL);
	assert_string_equal(error.text, "port 'vif3.0' is a guest's: xl network-detach removes it");
	assert_int_equal(reload_remove(&sw, "n\xff", &error), -EINVAL);
	assert_string_equal(error.text,
			"port 'n\\xff': there is none; allowed: the name of a [port NAME]");
	publish_ret = -ENOMEM;
	nb_forgotten = 0;
	assert_int_equal(reload_remove(&sw, "n0", &error), -ENOMEM);
	assert_string_equal(error.text, "Cannot allocate memory");
	assert_true(is_there("n0"));
	/* Its captures and mirrors go on. */
	assert_int_equal(nb_forgotten, 0);
	assert_true(ADD("n1", "bridge=b", "devargs=net_null1") < 0);
	assert_string_equal(error.text, "Cannot allocate memory");
	assert_false(is_there("n1"));
}

/* A vif of that name gets its port when the other one has gone. */
static void
test_name_of_vif(void **state __rte_unused)
{
	sw.ports[GUEST_ID] = NULL;
	assert_int_equal(ADD("vif3.0", "bridge=b", "devargs=net_null1"), 0);
	assert_string_equal(vif_error, "vifname 'vif3.0': another port has this name");
	assert_int_equal(reload_remove(&sw, "vif3.0", &error), 0);
	assert_non_null(strstr(vif_error, "no device 'net_xenvif3_0,"));
	/* The one that is there then is none that could not be removed. */
	assert_int_equal(ADD("vif3.0", "bridge=b", "devargs=net_null1"), 0);
	guest_comes = true;
	assert_int_equal(reload_remove(&sw, "vif3.0", &error), 0);
	assert_null(config_port_find(&sw.config, "vif3.0"));
}

/* Xenstore is told, again when that has failed; a failure is none of the port's that is added. */
static void
test_answers(void **state __rte_unused)
{
	assert_true(has_port);
	assert_false(hotplug);
	sw.config.hotplug = true;
	answer_ret = -EACCES;
	assert_int_equal(reload_apply(&sw), -EACCES);
	assert_true(hotplug);
	assert_true(sw.failed);
	assert_int_equal(ADD("n1", "bridge=b", "devargs=net_null1"), 0);
	answer_ret = 0;
	sw.ports[GUEST_ID] = NULL;
	assert_true(reload_apply(&sw) < 0);
	assert_false(has_port);
	assert_non_null(strstr(vif_error, "no device 'net_xenvif3_0,"));
}

static void
assert_left(const char *name, int number)
{
	int ret;

	assert_string_equal(port_left(0, &ret), name);
	assert_int_equal(ret, number);
	assert_null(port_left(1, &ret));
}

/* A device that does not stop keeps its number, until it does. */
static void
test_stays(void **state __rte_unused)
{
	int ret;

	stop_fails = true;
	assert_int_equal(reload_remove(&sw, "n0", &error), 0);
	assert_left("n0", -EBUSY);
	assert_int_equal(rte_eth_dev_count_avail(), 1);
	assert_true(sw.failed);
	assert_not_added("device 'net_null0' is left of a closed port, and cannot be removed", "n1",
			"bridge=a", "devargs=net_null0");
	assert_left("n0", -EBUSY);
	stop_fails = false;
	assert_int_equal(ADD("n1", "bridge=a", "devargs=net_null0"), 0);
	assert_null(port_left(0, &ret));
	assert_int_equal(rte_eth_dev_count_avail(), 1);
	assert_false(sw.failed);
}

/* One whose number is free already. */
static void
test_stays_closed(void **state __rte_unused)
{
	int ret;

	remove_fails = true;
	assert_int_equal(reload_remove(&sw, "n0", &error), 0);
	assert_left("n0", -EIO);
	assert_int_equal(rte_eth_dev_count_avail(), 0);
	assert_int_equal(ADD("n1", "bridge=b", "devargs=net_null1"), 0);
	assert_left("n0", -EIO);
	remove_fails = false;
	assert_int_equal(reload_apply(&sw), 0);
	assert_null(port_left(0, &ret));
	assert_true(is_there("n1"));
	assert_int_equal(ADD("n2", "bridge=a", "devargs=net_null0"), 0);
}

static void
test_vhost(void **state __rte_unused)
{
	const struct port_spec *spec;

	assert_int_equal(ADD("t0", "bridge=b", "kind=tap", "vhost=yes", "queues=2"), 0);
	spec = &vswitch_port(&sw, "t0")->spec;
	assert_int_equal(spec->kind, PORT_HOST);
	assert_ptr_equal(strstr(spec->devargs,
					 "net_virtio_user_t0,path=/dev/vhost-net,queue_size=1024,"
					 "queues=2,iface=t0,mac="),
			spec->devargs);
}

/* Once for each tap that is made, however often the configuration is applied. */
static void
test_machine_id(void **state __rte_unused)
{
	static const char warning[] =
			"port t0: its MAC address is made from its name alone, as there is no "
			"machine-id: No such file or directory; systemd-machine-id-setup makes "
			"one, then restart";

	assert_int_equal(logged_begin(), 0);
	assert_int_equal(ADD("t0", "bridge=b", "kind=tap"), 0);
	assert_int_equal(reload_remove(&sw, "t0", &error), 0);
	assert_int_equal(logged_count("machine-id"), 0);
	id_ret = -ENOENT;
	assert_int_equal(ADD("t0", "bridge=b", "kind=tap"), 0);
	assert_int_equal(reload_apply(&sw), 0);
	assert_int_equal(logged_count(warning), 1);
	logged_end();
	id_ret = 0;
}

static int
begin(void **state __rte_unused)
{
	if (eal_start() < 0)
		return -1;
	sw.pool = rte_pktmbuf_pool_create("mbufs", 4096, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
			SOCKET_ID_ANY);
	return sw.pool == NULL ? -1 : 0;
}

static int
end(void **state __rte_unused)
{
	rte_mempool_free(sw.pool);
	return rte_eal_cleanup();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_add, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(test_together, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_device, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_removed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_name_of_vif, setup, teardown),
		cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stays_closed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_vhost, setup, teardown),
		cmocka_unit_test_setup_teardown(test_machine_id, setup, teardown),
	};

	return cmocka_run_group_tests_name("vsw_reload", tests, begin, end);
}
