/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * Every call of Xen's libraries fails once in every step of a vif's life. Nothing crashes or is
 * left behind, and the vif recovers: it is connected again, and packets pass. What is lost for good
 * by such a failure is what the call itself was for: a packet, a notification.
 */

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_bus_vdev.h>

#include "faults.h"
#include "grants.h"
#include "pair.h"

#define QUEUES 2

/* Lives after which there have to be no new calls. */
#define LIVES_MAX 400
/* Lives in which no call fails in a step, after which it has none left: not every life is alike. */
#define IDLE_MAX 2

static const struct rte_ether_addr group = { { 0x33, 0x33, 0, 0, 0, 1 } };

int
__real_poll(struct pollfd *fds, nfds_t nfds, int timeout);
int
__wrap_poll(struct pollfd *fds, nfds_t nfds, int timeout);

/* The drivers' time runs fast while anything is waited for: it is theirs that has to pass. */
int
__wrap_poll(struct pollfd *fds, nfds_t nfds, int timeout)
{
	return __real_poll(fds, nfds, RTE_MIN(timeout, 1));
}

static void
hurry(void)
{
	unit_clock_skip(4);
}

/* A port of a driver; the probe may be what fails. */
static uint16_t
add_port(const char *name, const char *args)
{
	unsigned int tries;

	for (tries = 0; unit_probe(name, args) != 0; tries++)
		assert_true(tries < faults_struck());
	unit_start(unit_port(name), QUEUES, RTE_ETH_RX_OFFLOAD_SCATTER, unit_pool);
	return unit_port(name);
}

/* One packet has to pass; those before it may be lost by what has failed. */
static void
pass(uint16_t from, uint16_t to, uint16_t queue)
{
	unsigned int sent = 0;
	struct rte_mbuf *m;
	uint16_t i, n;

	for (n = 0; n == 0; unit_idle()) {
		if (sent++ % 100 == 0) {
			m = unit_packet(5000, UNIT_ROOM, 7);
			if (rte_eth_tx_burst(from, queue, &m, 1) == 0)
				rte_pktmbuf_free(m);
		}
		for (i = 0; i < QUEUES && n == 0; i++)
			n = rte_eth_rx_burst(to, i, &m, 1);
		assert_true(sent < 100 * 100);
	}
	unit_check_packet(m, 5000, 7);
	rte_pktmbuf_free(m);
}

/* Connected, and packets pass both ways; whatever was on its way before has been received. */
static void
check_pair(void)
{
	uint16_t i, q, ports[] = { pair.back, pair.front };
	struct rte_mbuf *m;

	pair_wait();
	for (q = 0; q < QUEUES; q++) {
		pass(pair.front, pair.back, q);
		pass(pair.back, pair.front, q);
	}
	for (i = 0; i < RTE_DIM(ports); i++) {
		for (q = 0; q < QUEUES; q++) {
			while (rte_eth_rx_burst(ports[i], q, &m, 1) != 0)
				rte_pktmbuf_free(m);
		}
	}
}

#define PAIR_BACK_ARGS "domid=0,devid=3,queues=2"
#define PAIR_FRONT_ARGS "devid=3,queues=2"

static void
probe_pair(void)
{
	pair.back = add_port(PAIR_BACK, PAIR_BACK_ARGS);
	pair.front = add_port(PAIR_FRONT, PAIR_FRONT_ARGS);
	rawfront_toolstack(&pair.names);
}

static void
restart_back(void)
{
	assert_int_equal(rte_eth_dev_stop(pair.back), 0);
	assert_int_equal(rte_eth_dev_start(pair.back), 0);
}

static void
restart_front(void)
{
	assert_int_equal(rte_eth_dev_stop(pair.front), 0);
	assert_int_equal(rte_eth_dev_start(pair.front), 0);
}

static void
replace_back(void)
{
	unit_remove_port(PAIR_BACK);
	pair.back = add_port(PAIR_BACK, PAIR_BACK_ARGS);
}

static void
replace_front(void)
{
	unit_remove_port(PAIR_FRONT);
	pair.front = add_port(PAIR_FRONT, PAIR_FRONT_ARGS);
}

static void
set_link(void)
{
	assert_int_equal(rte_eth_dev_set_link_down(pair.back), 0);
	unit_wait(!unit_link(pair.back));
	assert_int_equal(rte_eth_dev_set_link_up(pair.back), 0);
}

/* The toolstack takes the vif away, and makes another with the same name. */
static void
replace_vif(void)
{
	rawfront_detach(&pair.names);
	rawfront_wait(&pair.names, XenbusStateClosed);
	unit_wait(atoi(unit_read("%s/state", pair.names.front)) == XenbusStateClosed);
	rawfront_toolstack_remove(&pair.names);
	unit_wait(!unit_link(pair.back) && !unit_link(pair.front));
	rawfront_toolstack(&pair.names);
}

static void
close_pair(void)
{
	unit_remove_port(PAIR_FRONT);
	unit_remove_port(PAIR_BACK);
	rawfront_toolstack_remove(&pair.names);
}

struct step {
	const char *name;
	void (*run)(void);
	/* Lives since a call has failed in it. */
	unsigned int idle;
};

/* What both drivers do, in one life. */
static struct step pair_steps[] = {
	{ "probe", probe_pair, 0 },
	{ "traffic", check_pair, 0 },
	{ "stop and start of the backend", restart_back, 0 },
	{ "stop and start of the frontend", restart_front, 0 },
	{ "another backend", replace_back, 0 },
	{ "another frontend", replace_front, 0 },
	{ "link", set_link, 0 },
	{ "another vif", replace_vif, 0 },
	{ "close", close_pair, 0 },
};

/* The first step and the last are in every life, the others as long as new calls fail in them. */
static bool
live(struct step *steps, unsigned int nb, void (*check)(void))
{
	bool again = false;
	unsigned int i;

	for (i = 0; i < nb; i++) {
		if (steps[i].idle >= IDLE_MAX && i != 0 && i + 1 != nb)
			continue;
		faults_step(steps[i].name);
		steps[i].run();
		if (i + 1 != nb)
			check();
		steps[i].idle = faults_struck() != 0 ? 0 : steps[i].idle + 1;
		again |= steps[i].idle < IDLE_MAX;
	}
	faults_step(NULL);
	return again;
}

/* Until there is no call left that has not failed. */
static void
live_all(struct step *steps, unsigned int nb, void (*check)(void))
{
	unsigned int lives, fds = 0;

	unit_idle_hook = hurry;
	for (lives = 1; live(steps, nb, check); lives++) {
		assert_true(lives < LIVES_MAX);
		/* The first life leaves what the stand-in hypervisor keeps. */
		if (lives == 1)
			fds = unit_fds();
		assert_int_equal(unit_fds(), fds);
		assert_int_equal(unit_maps(), 0);
		assert_int_equal(unit_ports(), 0);
		assert_int_equal(unit_grants(), 0);
		unit_check_pool();
	}
	print_message("%u lives\n", lives);
}

static void
test_pair(void **state __rte_unused)
{
	memset(&pair, 0, sizeof(pair));
	snprintf(pair.names.back, sizeof(pair.names.back), "/local/domain/0/backend/vif/0/3");
	snprintf(pair.names.front, sizeof(pair.names.front), "/local/domain/0/device/vif/3");
	pair.names.devid = 3;
	live_all(pair_steps, RTE_DIM(pair_steps), check_pair);
}

/* The vif of a guest that is played by hand: what net_xenfront does not do. */
static struct vif vif;

/* Control messages are sent again: a copy of the key may be what fails. */
static void
call(uint16_t type, uint32_t data0, uint32_t data1, uint32_t data2)
{
	unsigned int tries;

	for (tries = 0; ctrl_call(&vif, type, data0, data1, data2) != OKAY; tries++)
		assert_true(tries < faults_struck());
}

/* The guest sends until the port has a packet. */
static void
guest_sends(void)
{
	struct netif_tx_response rsp;
	struct rte_mbuf *m;
	uint16_t n = 0, i;

	for (i = 0; n == 0; i++) {
		assert_true(i <= faults_struck());
		vif_put(&vif, 1, 0, 60, 0, i);
		n = vif_burst(&vif, &m, 1);
		assert_true(rawfront_tx_rsp(&vif.f, 0, &rsp));
		assert_int_equal(rsp.status, n == 1 ? NETIF_RSP_OKAY : NETIF_RSP_ERROR);
	}
	rte_pktmbuf_free(m);
}

/* Take what has come to a queue; how many packets of a length there were. */
static unsigned int
take(unsigned int queue, int len)
{
	struct netif_rx_response rsp;
	unsigned int n = 0;

	while (rawfront_rx_rsp(&vif.f, queue, &rsp)) {
		n += rsp.status == len;
		if ((rsp.flags & NETRXF_extra_info) != 0)
			assert_true(rawfront_rx_rsp(&vif.f, queue, &rsp));
	}
	return n;
}

/* A queue of the port sends until the guest has a packet, in whatever queue. */
static void
guest_receives(uint16_t txq)
{
	unsigned int n = 0, tries, i;
	struct rte_mbuf *m;

	for (tries = 0; n == 0; tries++) {
		assert_true(tries <= faults_struck());
		for (i = 0; i < QUEUES; i++)
			vif_post(&vif, i, 4 - vif_posted(&vif, i));
		m = unit_packet(100, UNIT_ROOM, 0);
		assert_int_equal(rte_eth_tx_burst(vif.port, txq, &m, 1), 1);
		for (i = 0; i < QUEUES; i++)
			n += take(i, 100);
	}
}

static void
check_guest(void)
{
	uint16_t q;

	rawfront_wait(&vif.f, XenbusStateConnected);
	unit_wait(unit_link(vif.port));
	guest_sends();
	for (q = 0; q < QUEUES; q++)
		guest_receives(q);
}

static void
attach_guest(void)
{
	char args[64];

	snprintf(args, sizeof(args), "domid=1,devid=%u", vif.f.devid);
	vif.port = add_port(vif.name, args);
	vif.has_port = true;
	rawfront_reset(&vif.f);
	rawfront_init_rings(&vif.f, 0);
	rawfront_connect(&vif.f);
}

/* All that a guest can say by its control ring, with copies of what it grants. */
static void
set_hash(void)
{
	uint32_t i;

	for (i = 0; i < 8; i++)
		ctrl_entries(&vif)[i] = i % QUEUES;
	call(SET_ALGORITHM, TOEPLITZ, 0, 0);
	call(SET_FLAGS, XEN_HASH_TYPES, 0, 0);
	call(SET_KEY, vif.f.gref[CTRL_PAGE_KEY], 40, 0);
	call(SET_SIZE, 8, 0, 0);
	call(SET_MAPPING, vif.f.gref[CTRL_PAGE_MAPPING], 8, 0);
}

/*
 * Pages are registered and removed again. A message that has failed has done nothing; what could
 * not stay mapped is registered all the same.
 */
static void
set_grants(void)
{
	struct xen_netif_gref *list = grants_page(&vif);
	uint32_t found, tries;

	grants_list(&vif, 0, 8, 0);
	list[3].flags = READ_ONLY;
	for (tries = 0; grants_add(&vif, 0, 8) != OKAY; tries++)
		assert_true(tries < faults_struck());
	guest_sends();
	for (tries = 0; grants_del(&vif, 0, 4, &found) != OKAY; tries++)
		assert_true(tries < faults_struck());
	assert_int_equal(found, 4);
	assert_int_equal(unit_xstat(vif.port, "static_pages"), 4);
	guest_sends();
	grants_list(&vif, 4, 4, 0);
	for (tries = 0; grants_del(&vif, 0, 4, &found) != OKAY; tries++)
		assert_true(tries < faults_struck());
	assert_int_equal(found, 4);
	assert_int_equal(unit_xstat(vif.port, "static_pages"), 0);
}

/* Is multicast filtered? A packet to a group that nobody has asked for shows it. */
static bool
filtered(void)
{
	uint64_t before = vif_tx_stat(&vif, 0, "filtered") + vif_tx_stat(&vif, 1, "filtered");
	struct rte_mbuf *m = unit_packet(99, UNIT_ROOM, 0);

	rte_memcpy(rte_pktmbuf_mtod(m, void *), &group, sizeof(group));
	vif_post(&vif, 0, 4 - vif_posted(&vif, 0));
	vif_post(&vif, 1, 4 - vif_posted(&vif, 1));
	assert_int_equal(rte_eth_tx_burst(vif.port, 0, &m, 1), 1);
	take(0, 99);
	take(1, 99);
	return vif_tx_stat(&vif, 0, "filtered") + vif_tx_stat(&vif, 1, "filtered") != before;
}

static void
set_multicast(void)
{
	rawfront_set(&vif.f, "request-multicast-control", "1");
	unit_wait(filtered());
	rawfront_set(&vif.f, "request-multicast-control", "0");
	unit_wait(!filtered());
}

static void
set_headroom(void)
{
	rawfront_state(&vif.f, XenbusStateReconfiguring);
	rawfront_set(&vif.f, "xdp-headroom", "256");
	rawfront_wait(&vif.f, XenbusStateReconfigured);
	rawfront_state(&vif.f, XenbusStateConnected);
	rawfront_wait(&vif.f, XenbusStateConnected);
}

static void
reset_guest(void)
{
	rawfront_reset(&vif.f);
	rawfront_init_rings(&vif.f, 0);
	rawfront_connect(&vif.f);
}

static void
detach_guest(void)
{
	rawfront_detach(&vif.f);
	rawfront_state(&vif.f, XenbusStateClosed);
	rawfront_wait(&vif.f, XenbusStateClosed);
	unit_write("1", "%s/online", vif.f.back);
	reset_guest();
}

static void
close_guest(void)
{
	vif_remove_port(&vif);
}

static struct step guest_steps[] = {
	{ "attach", attach_guest, 0 },
	{ "hash", set_hash, 0 },
	{ "static grants", set_grants, 0 },
	{ "multicast", set_multicast, 0 },
	{ "headroom", set_headroom, 0 },
	{ "reset", reset_guest, 0 },
	{ "detach", detach_guest, 0 },
	{ "close of a guest's", close_guest, 0 },
};

static void
test_guest(void **state __rte_unused)
{
	memset(&vif, 0, sizeof(vif));
	snprintf(vif.name, sizeof(vif.name), "net_xenvif_guest");
	faults_own_begin();
	rawfront_open(&vif.f, 1, 0, QUEUES, true);
	faults_own_end();
	vif.f.ctrl = true;
	live_all(guest_steps, RTE_DIM(guest_steps), check_guest);
	rawfront_close(&vif.f);
}

/* What the drivers call, by their symbol tables, has failed. */
static void
test_all_called(void **state __rte_unused)
{
	static const char *const called[] = {
#include "xen_calls.h"
	};
	unsigned int i;

	for (i = 0; i < RTE_DIM(called); i++) {
		if (!faults_tried(called[i]))
			fail_msg("no call of %s has failed", called[i]);
	}
	print_message("%zu functions are called\n", RTE_DIM(called));
	faults_print();
}

static int
setup(void **state)
{
	int ret = unit_setup(state);

	faults_own(unit_store);
	return ret;
}

/* A test that has failed says nothing of what it has stumbled over. */
static int
say_last(void **state __rte_unused)
{
	faults_print_last();
	faults_step(NULL);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_pair, say_last),
		cmocka_unit_test_teardown(test_guest, say_last),
		cmocka_unit_test(test_all_called),
	};

	return cmocka_run_group_tests_name("faults", tests, setup, unit_teardown);
}
