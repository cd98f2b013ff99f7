/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* The multicast that a guest asks for (netif.h, "request-multicast-control"). */

#include <pthread.h>
#include <sched.h>

#include "vif.h"
#include "xen_mcast.h"

#define ADD XEN_NETIF_EXTRA_TYPE_MCAST_ADD
#define DEL XEN_NETIF_EXTRA_TYPE_MCAST_DEL
#define PKTS 64

static const struct rte_ether_addr unicast = { { 0x00, 0x16, 0x3e, 0, 0, 1 } };
static const struct rte_ether_addr broadcast = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };
static const struct rte_ether_addr mdns = { { 0x01, 0x00, 0x5e, 0, 0, 0xfb } };

static struct rte_ether_addr
group(unsigned int i)
{
	return (struct rte_ether_addr){ { 0x33, 0x33, 0, 0, i >> 8, i } };
}

/* A packet to an address, its first segments of seg bytes. */
static struct rte_mbuf *
packet_to(const struct rte_ether_addr *dst, uint16_t seg)
{
	struct rte_mbuf *m = unit_packet(100, seg, 0), *s;
	unsigned int i, at = 0;

	for (i = 0, s = m; i < RTE_ETHER_ADDR_LEN; i++, at++) {
		for (; at == rte_pktmbuf_data_len(s); s = s->next)
			at = 0;
		rte_pktmbuf_mtod(s, uint8_t *)[at] = dst->addr_bytes[i];
	}
	return m;
}

/* Is a packet delivered by a queue? There are buffers enough. */
static bool
delivered_by(struct vif *v, unsigned int queue, struct rte_mbuf *m)
{
	struct netif_rx_response rsp;

	if (vif_posted(v, queue) == 0)
		vif_post(v, queue, 1);
	assert_int_equal(rte_eth_tx_burst(v->port, queue, &m, 1), 1);
	if (!rawfront_rx_rsp(&v->f, queue, &rsp))
		return false;
	assert_int_equal(rsp.status, 100);
	return true;
}

static bool
delivered(struct vif *v, struct rte_mbuf *m)
{
	return delivered_by(v, 0, m);
}

static bool
reaches(struct vif *v, const struct rte_ether_addr *dst)
{
	return delivered(v, packet_to(dst, UNIT_ROOM));
}

/* Change the list, and see the answer. */
static void
change(struct vif *v, uint8_t type, const struct rte_ether_addr *addr, int16_t status)
{
	static uint16_t id;
	struct rte_mbuf *none;

	vif_put_mcast(v, 0, type, addr, ++id);
	assert_int_equal(vif_burst(v, &none, 1), 0);
	rawfront_tx_expect(&v->f, 0, 2, status);
	vif_expect_no_rsp(v);
}

/* Have the guest ask for its multicast alone, or for all of it, while it is connected. */
static void
ask(struct vif *v, const char *value)
{
	bool on = strcmp(value, "1") == 0;

	rawfront_set(&v->f, "request-multicast-control", "%s", value);
	unit_wait(reaches(v, &mdns) == !on);
}

static void
expect_counts(struct vif *v, uint64_t opackets, uint64_t filtered)
{
	vif_expect_sent(v, opackets, 0);
	assert_int_equal(vif_tx_stat(v, 0, "filtered"), filtered);
}

/* Requests among packets: each is answered in its turn, and none is a packet. */
static void
test_requests(void **state)
{
	const struct rte_ether_addr a = group(1), b = group(2);
	struct rte_eth_stats stats;
	struct rte_mbuf *pkts[PKTS];
	struct vif *v = *state;
	unsigned int i, n;

	for (i = 0; i < 20; i++) {
		vif_put(v, i, 0, 60, 0, 10 * i);
		vif_put_mcast(v, 0, ADD, &a, 10 * i + 1);
		vif_put_mcast(v, 0, ADD, &a, 10 * i + 2);
		vif_put_mcast(v, 0, DEL, &b, 10 * i + 3);
		/* A guest's own address is none that it need ask for. */
		vif_put_mcast(v, 0, ADD, &unicast, 10 * i + 4);
		vif_put_mcast(v, 0, DEL, &unicast, 10 * i + 5);
		vif_put(v, i, 0, 61, 0, 10 * i + 6);
	}
	rawfront_tx_push(&v->f, 0);
	for (n = 0; n < 40; n += i) {
		i = rte_eth_rx_burst(v->port, 0, pkts, PKTS);
		assert_int_not_equal(i, 0);
		rte_pktmbuf_free_bulk(pkts, i);
	}
	for (i = 0; i < 20; i++) {
		rawfront_tx_expect(&v->f, 0, 1 + 3 * 2, NETIF_RSP_OKAY);
		rawfront_tx_expect(&v->f, 0, 2, NETIF_RSP_ERROR);
		rawfront_tx_expect(&v->f, 0, 2 + 1, NETIF_RSP_OKAY);
	}
	vif_expect_no_rsp(v);
	assert_int_equal(rte_eth_stats_get(v->port, &stats), 0);
	assert_int_equal(stats.ipackets, 40);
	assert_int_equal(stats.ierrors, 0);
	/* Bursts of one: requests take their turn there too. */
	vif_put_mcast(v, 0, ADD, &a, 1);
	vif_put(v, 3, 0, 60, 0, 2);
	assert_int_equal(vif_burst(v, pkts, 1) + rte_eth_rx_burst(v->port, 0, pkts, 1), 1);
	rte_pktmbuf_free(pkts[0]);
	rawfront_tx_expect(&v->f, 0, 3, NETIF_RSP_OKAY);
	vif_send_good(v);
}

/* What a request says beside its extra info is not looked at; of two wishes the first counts. */
static void
test_odd_requests(void **state)
{
	static const struct netif_tx_request odd[] = {
		{ .size = 60 },
		{ .size = 13 },
		{ .size = 65535, .offset = 65535, .gref = 0xFFFFFFFF },
		{ .size = 4097, .flags = NETTXF_csum_blank | NETTXF_data_validated },
		{ .size = 1, .flags = NETTXF_more_data },
	};
	struct netif_extra_info extra = { .flags = XEN_NETIF_EXTRA_FLAG_MORE };
	struct netif_tx_request req;
	struct vif *v = *state;
	struct rte_ether_addr a;
	struct rte_mbuf *m;
	unsigned int i;

	ask(v, "1");
	for (i = 0; i < RTE_DIM(odd); i++) {
		req = odd[i];
		req.flags |= NETTXF_extra_info;
		req.id = i;
		rawfront_tx_put(&v->f, 0, &req);
		a = group(i);
		memcpy(extra.u.mcast.addr, &a, sizeof(a));
		extra.type = ADD;
		rawfront_tx_extra(&v->f, 0, &extra);
		extra.type = DEL;
		rawfront_tx_extra(&v->f, 0, &extra);
		vif_put_extra(v, XEN_NETIF_EXTRA_TYPE_HASH, false);
		vif_put(v, 500, 0, 60, 0, 100);
		assert_int_equal(vif_burst(v, &m, 1) + rte_eth_rx_burst(v->port, 0, &m, 1), 1);
		unit_check_packet(m, 60, vif_seed(500));
		rte_pktmbuf_free(m);
		rawfront_tx_expect(&v->f, 0, 5, NETIF_RSP_OKAY);
		vif_expect_no_rsp(v);
		assert_true(reaches(v, &a));
	}
	assert_int_equal(unit_xstat(v->port, "rx_q0_bad_packet_errors"), 0);
}

static void
test_full(void **state)
{
	struct vif *v = *state;
	struct rte_ether_addr a;
	unsigned int i;

	ask(v, "1");
	for (i = 0; i < XEN_MCAST_MAX; i++) {
		a = group(i);
		assert_false(reaches(v, &a));
		change(v, ADD, &a, NETIF_RSP_OKAY);
		assert_true(reaches(v, &a));
	}
	change(v, ADD, &mdns, NETIF_RSP_ERROR);
	assert_false(reaches(v, &mdns));
	/* What is there already is there. */
	a = group(7);
	change(v, ADD, &a, NETIF_RSP_OKAY);
	change(v, DEL, &a, NETIF_RSP_OKAY);
	assert_false(reaches(v, &a));
	change(v, DEL, &a, NETIF_RSP_OKAY);
	change(v, ADD, &mdns, NETIF_RSP_OKAY);
	assert_true(reaches(v, &mdns));
	change(v, ADD, &a, NETIF_RSP_ERROR);
	for (i = 0; i < XEN_MCAST_MAX; i++) {
		a = group(i);
		assert_int_equal(reaches(v, &a), i != 7);
		change(v, DEL, &a, NETIF_RSP_OKAY);
		assert_false(reaches(v, &a));
	}
	assert_true(reaches(v, &mdns));
}

/* What is filtered is neither sent nor an error. */
static void
test_filter(void **state)
{
	struct rte_ether_addr a = group(1), b = group(0x101);
	struct netif_rx_response rsp;
	struct rte_mbuf *pkts[PKTS];
	struct vif *v = *state;
	unsigned int i, seg, n;

	/* The list may be made before it is looked into. */
	change(v, ADD, &a, NETIF_RSP_OKAY);
	assert_true(reaches(v, &a) && reaches(v, &b) && reaches(v, &mdns));
	assert_int_equal(vif_tx_stat(v, 0, "filtered"), 0);
	ask(v, "1");
	assert_int_equal(rte_eth_stats_reset(v->port), 0);
	assert_true(reaches(v, &unicast) && reaches(v, &broadcast) && reaches(v, &a));
	assert_false(reaches(v, &b) || reaches(v, &mdns));
	expect_counts(v, 3, 2);
	/* Wherever the segments end. */
	for (seg = 1; seg <= 8; seg++) {
		assert_true(delivered(v, packet_to(&a, seg)));
		assert_false(delivered(v, packet_to(&b, seg)));
	}
	expect_counts(v, 3 + 8, 2 + 8);
	/* Too short to have an address: that is an error of its own. */
	pkts[0] = unit_packet(5, UNIT_ROOM, 0);
	assert_int_equal(rte_eth_tx_burst(v->port, 0, pkts, 1), 1);
	assert_int_equal(vif_tx_stat(v, 0, "bad_packet_errors"), 1);
	/* A burst of both: what passes is in order, and takes no more buffers than it needs. */
	assert_int_equal(rte_eth_stats_reset(v->port), 0);
	vif_post(v, 0, PKTS / 2 - vif_posted(v, 0));
	for (i = 0; i < PKTS; i++)
		pkts[i] = packet_to(i % 2 == 0 ? &b : &a, UNIT_ROOM);
	for (i = 1; i < PKTS; i += 2)
		rte_pktmbuf_trim(pkts[i], i / 2);
	assert_int_equal(rte_eth_tx_burst(v->port, 0, pkts, PKTS), PKTS);
	for (n = 0; rawfront_rx_rsp(&v->f, 0, &rsp); n++)
		assert_int_equal(rsp.status, 100 - n);
	assert_int_equal(n, PKTS / 2);
	expect_counts(v, PKTS / 2, PKTS / 2);
	unit_check_pool();
}

/* What waits is looked at when it is delivered. */
static void
test_waiting(void **state)
{
	struct rte_ether_addr a = group(1), b = group(2);
	struct netif_rx_response rsp;
	struct rte_mbuf *pkts[2];
	struct vif *v = *state;

	ask(v, "1");
	while (vif_posted(v, 0) != 0)
		assert_true(reaches(v, &unicast));
	assert_int_equal(rte_eth_stats_reset(v->port), 0);
	change(v, ADD, &a, NETIF_RSP_OKAY);
	change(v, ADD, &b, NETIF_RSP_OKAY);
	pkts[0] = packet_to(&a, UNIT_ROOM);
	pkts[1] = packet_to(&b, 7);
	assert_int_equal(rte_eth_tx_burst(v->port, 0, pkts, 2), 2);
	change(v, DEL, &a, NETIF_RSP_OKAY);
	vif_post(v, 0, 1);
	vif_flush_by_tx(v, 0);
	assert_true(rawfront_rx_rsp(&v->f, 0, &rsp));
	vif_expect_no_packet(v, 0);
	expect_counts(v, 1, 1);
	unit_check_pool();
}

/* The guest changes its mind while it is connected; what it asks for is 1 or not. */
static void
test_dynamic(void **state)
{
	static const char *const off[] = { "0", "2", "", "yes", "11", "-1", "1 " };
	struct vif *v = *state;
	unsigned int i;

	assert_string_equal(unit_read("%s/feature-multicast-control", v->f.back), "1");
	assert_string_equal(unit_read("%s/feature-dynamic-multicast-control", v->f.back), "1");
	for (i = 0; i < RTE_DIM(off); i++) {
		ask(v, "1");
		ask(v, off[i]);
	}
	ask(v, "1");
	rawfront_unset(&v->f, "request-multicast-control");
	unit_wait(reaches(v, &mdns));
	assert_true(unit_link(v->port));
	assert_string_equal(vif_error(v), "");
}

static void
restart(struct vif *v, const char *request)
{
	rawfront_reset(&v->f);
	rawfront_init_rings(&v->f, 0);
	if (request != NULL)
		rawfront_set(&v->f, "request-multicast-control", "%s", request);
	else
		rawfront_unset(&v->f, "request-multicast-control");
	vif_connect(v);
}

/* Nothing of one frontend is left for the next, in whatever way it goes. */
static void
test_forgotten(void **state)
{
	struct vif *v = *state;

	ask(v, "1");
	change(v, ADD, &mdns, NETIF_RSP_OKAY);
	/* The link is no end of the connection. */
	assert_int_equal(rte_eth_dev_set_link_down(v->port), 0);
	assert_int_equal(rte_eth_dev_set_link_up(v->port), 0);
	unit_wait(unit_link(v->port));
	assert_true(reaches(v, &mdns));
	restart(v, "1");
	assert_false(reaches(v, &mdns));
	change(v, ADD, &mdns, NETIF_RSP_OKAY);
	assert_true(reaches(v, &mdns));
	restart(v, NULL);
	assert_true(reaches(v, &mdns));
	change(v, ADD, &mdns, NETIF_RSP_OKAY);
	/* Without a word, as kexec does, and with a vif that is made anew. */
	rawfront_set(&v->f, "request-multicast-control", "1");
	unit_log_clear();
	vif_reconnect(v);
	assert_false(reaches(v, &mdns));
	change(v, ADD, &mdns, NETIF_RSP_OKAY);
	rawfront_toolstack_remove(&v->f);
	unit_wait(!unit_link(v->port));
	rawfront_init_rings(&v->f, 0);
	rawfront_toolstack(&v->f);
	vif_connect(v);
	assert_true(reaches(v, &mdns));
}

/* A backend that takes over a running guest does not know its list: nothing is kept from it. */
static void
test_backend_replaced(void **state)
{
	const struct vif_options options = { 0 };
	struct vif *v = *state;

	ask(v, "1");
	change(v, ADD, &mdns, NETIF_RSP_OKAY);
	vif_remove_port(v);
	vif_add_port(v, &options);
	unit_wait(unit_link(v->port));
	assert_true(reaches(v, &mdns) && reaches(v, &broadcast));
	assert_int_equal(rte_eth_dev_stop(v->port), 0);
	assert_int_equal(rte_eth_dev_start(v->port), 0);
	unit_wait(unit_link(v->port));
	assert_true(reaches(v, &mdns));
	restart(v, "1");
	assert_false(reaches(v, &mdns));
}

/* One list for all queues. */
static void
test_queues(void **state __rte_unused)
{
	const struct vif_options options = { .queues = 4, .app_queues = 4 };
	struct rte_ether_addr a = group(1);
	struct rte_mbuf *none;
	unsigned int i;
	struct vif v;

	vif_open(&v, &options);
	rawfront_set(&v.f, "request-multicast-control", "1");
	vif_connect(&v);
	vif_put_mcast(&v, 3, ADD, &mdns, 9);
	rawfront_tx_push(&v.f, 3);
	assert_int_equal(rte_eth_rx_burst(v.port, 3, &none, 1), 0);
	rawfront_tx_expect(&v.f, 3, 2, NETIF_RSP_OKAY);
	for (i = 0; i < 4; i++) {
		assert_true(delivered_by(&v, i, packet_to(&mdns, UNIT_ROOM)));
		assert_false(delivered_by(&v, i, packet_to(&a, UNIT_ROOM)));
		assert_int_equal(vif_tx_stat(&v, i, "filtered"), 1);
	}
	vif_close(&v);
	unit_check_pool();
}

/* A thread that takes what the guest transmits, which joins and leaves groups all the time. */
struct joiner {
	struct vif *v;
	bool quit;
	bool failed;
};

static void *
join_and_leave(void *arg)
{
	struct joiner *j = arg;
	struct netif_tx_response rsp;
	struct rte_ether_addr a;
	struct rte_mbuf *none;
	unsigned int i;

	for (i = 0; !__atomic_load_n(&j->quit, __ATOMIC_RELAXED); i++) {
		a = group(1 + i % 80);
		vif_put_mcast(j->v, 0, i / 80 % 2 == 0 ? ADD : DEL, &a, i);
		j->failed |= vif_burst(j->v, &none, 1) != 0;
		while (rawfront_tx_rsp(&j->v->f, 0, &rsp))
			;
		sched_yield();
	}
	return NULL;
}

/* A group that the guest is in all the while never misses a packet. */
static void
test_threads(void **state)
{
	struct rte_ether_addr a = group(0), b = group(1000);
	struct joiner j = { .v = *state };
	struct vif *v = *state;
	pthread_t thread;
	unsigned int i;

	ask(v, "1");
	change(v, ADD, &a, NETIF_RSP_OKAY);
	assert_int_equal(pthread_create(&thread, NULL, join_and_leave, &j), 0);
	for (i = 0; i < 5000; i++) {
		assert_true(reaches(v, &a));
		assert_false(reaches(v, &b));
	}
	__atomic_store_n(&j.quit, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	assert_false(j.failed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		vif_test(test_requests),
		vif_test(test_odd_requests),
		vif_test(test_full),
		vif_test(test_filter),
		vif_test(test_waiting),
		vif_test(test_dynamic),
		vif_test(test_forgotten),
		vif_test(test_backend_replaced),
		cmocka_unit_test(test_queues),
		vif_test(test_threads),
	};

	return cmocka_run_group_tests_name("mcast", tests, unit_setup, unit_teardown);
}
