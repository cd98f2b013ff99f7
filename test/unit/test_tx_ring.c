/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* The guest's RX ring: buffers, the shape of what is put into them, and notifications. */

#include <pthread.h>

#include "attack.h"
#include "vif.h"

#define PKTS 512

static uint16_t
send_one(struct vif *v, struct rte_mbuf *m)
{
	return rte_eth_tx_burst(v->port, 0, &m, 1);
}

/* Packets of every kind of length and segmentation, each into buffers of its own. */
static void
test_shapes(void **state)
{
	static const struct {
		uint32_t len;
		uint16_t seg;
	} cases[] = {
		{ 14, UNIT_ROOM },
		{ 60, UNIT_ROOM },
		{ 2048, UNIT_ROOM },
		{ 2049, UNIT_ROOM },
		{ 4095, UNIT_ROOM },
		{ 4096, UNIT_ROOM },
		{ 4097, UNIT_ROOM },
		{ 8192, UNIT_ROOM },
		{ 9000, UNIT_ROOM },
		{ 60, 1 },
		{ 300, 1 },
		{ 1514, 7 },
		{ 4097, 13 },
		{ 5000, 1000 },
		{ 65535, UNIT_ROOM },
		{ 65535, 333 },
		{ 65535, 2047 },
	};
	struct vif *v = *state;
	unsigned int i, slots;
	uint64_t bytes = 0;
	struct rte_eth_stats stats;

	for (i = 0; i < RTE_DIM(cases); i++) {
		vif_blank_pages(v);
		slots = (cases[i].len + XEN_PAGE_BYTES - 1) / XEN_PAGE_BYTES;
		rawfront_rx_post(&v->f, 0, 100, slots);
		assert_int_equal(send_one(v, unit_packet(cases[i].len, cases[i].seg, i)), 1);
		vif_expect_packet(v, 0, 100, cases[i].len, i, 0);
		vif_expect_no_packet(v, 0);
		bytes += cases[i].len;
		unit_check_pool();
	}
	assert_int_equal(rte_eth_stats_get(v->port, &stats), 0);
	assert_int_equal(stats.opackets, RTE_DIM(cases));
	assert_int_equal(stats.obytes, bytes);
	assert_int_equal(stats.oerrors, 0);
}

/* Segments without data, first, in between and last. */
static void
test_empty_segments(void **state)
{
	static const unsigned int empty[][3] = { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 },
		{ 2, 2, 2 } };
	struct rte_mbuf *m, *last;
	struct vif *v = *state;
	unsigned int i, j, n;

	for (i = 0; i < RTE_DIM(empty); i++) {
		vif_blank_pages(v);
		rawfront_rx_post(&v->f, 0, 0, 1);
		m = NULL;
		for (j = 0; j < 3; j++) {
			for (n = 0; n < empty[i][j]; n++) {
				last = rte_pktmbuf_alloc(unit_pool);
				assert_non_null(last);
				if (m == NULL)
					m = last;
				else
					assert_int_equal(rte_pktmbuf_chain(m, last), 0);
			}
			if (j == 2)
				break;
			last = unit_packet(50, 50, 50 * j);
			if (m == NULL)
				m = last;
			else
				assert_int_equal(rte_pktmbuf_chain(m, last), 0);
		}
		assert_int_equal(send_one(v, m), 1);
		vif_expect_packet(v, 0, 0, 100, 0, 0);
		vif_expect_no_packet(v, 0);
		unit_check_pool();
	}
}

/* Packets that no guest can be given: dropped and counted, with no slot used. */
static void
test_dropped(void **state)
{
	struct vif *v = *state;
	struct rte_eth_stats stats;
	struct rte_mbuf *m;

	rawfront_rx_post(&v->f, 0, 0, 100);
	assert_int_equal(send_one(v, unit_packet(13, UNIT_ROOM, 0)), 1);
	assert_int_equal(send_one(v, unit_packet(0, UNIT_ROOM, 0)), 1);
	assert_int_equal(send_one(v, unit_packet(65536, UNIT_ROOM, 0)), 1);
	/* The length of the packet is not that of its segments. */
	m = unit_packet(100, UNIT_ROOM, 0);
	m->pkt_len = 200;
	assert_int_equal(send_one(v, m), 1);
	m = unit_packet(100, 50, 0);
	m->pkt_len = 60;
	assert_int_equal(send_one(v, m), 1);
	vif_expect_no_packet(v, 0);
	unit_check_pool();
	assert_int_equal(rte_eth_stats_get(v->port, &stats), 0);
	assert_int_equal(stats.oerrors, 5);
	assert_int_equal(unit_xstat(v->port, "tx_q0_oversize_errors"), 1);
	assert_int_equal(unit_xstat(v->port, "tx_q0_bad_packet_errors"), 4);
	vif_blank_pages(v);
	assert_int_equal(send_one(v, unit_packet(77, UNIT_ROOM, 5)), 1);
	vif_expect_packet(v, 0, 0, 77, 5, 0);
}

/* A guest without scatter-gather takes one page a packet. */
static void
test_no_sg(void **state)
{
	struct vif *v = *state;

	rawfront_reset(&v->f);
	rawfront_init_rings(&v->f, 0);
	rawfront_publish(&v->f);
	rawfront_unset(&v->f, "feature-sg");
	rawfront_state(&v->f, XenbusStateConnected);
	unit_wait(unit_link(v->port));
	vif_blank_pages(v);
	rawfront_rx_post(&v->f, 0, 0, 10);
	assert_int_equal(send_one(v, unit_packet(4097, UNIT_ROOM, 0)), 1);
	assert_int_equal(send_one(v, unit_packet(9000, UNIT_ROOM, 0)), 1);
	vif_expect_no_packet(v, 0);
	assert_int_equal(unit_xstat(v->port, "tx_q0_oversize_errors"), 2);
	assert_int_equal(send_one(v, unit_packet(4096, 100, 3)), 1);
	vif_expect_packet(v, 0, 0, 4096, 3, 0);
	vif_expect_no_packet(v, 0);
}

/* Too few buffers: what does not fit waits whole, and goes first and in order. */
static void
test_too_few_posted(void **state)
{
	struct rte_mbuf *pkts[3];
	struct vif *v = *state;

	vif_blank_pages(v);
	pkts[0] = unit_packet(100, 33, 10);
	pkts[1] = unit_packet(9000, 1000, 20);
	pkts[2] = unit_packet(4096, UNIT_ROOM, 30);
	assert_int_equal(rte_eth_tx_burst(v->port, 0, pkts, 1), 1);
	vif_expect_no_packet(v, 0);
	rawfront_rx_post(&v->f, 0, 0, 1);
	assert_int_equal(rte_eth_tx_burst(v->port, 0, pkts + 1, 2), 2);
	vif_expect_packet(v, 0, 0, 100, 10, 0);
	vif_expect_no_packet(v, 0);
	rawfront_rx_post(&v->f, 0, 1, 1);
	assert_int_equal(send_one(v, unit_packet(60, UNIT_ROOM, 40)), 1);
	vif_expect_no_packet(v, 0);
	assert_int_equal(rte_mbuf_refcnt_read(pkts[1]), 1);
	unit_check_packet(pkts[1], 9000, 20);
	unit_check_packet(pkts[2], 4096, 30);
	rawfront_rx_post(&v->f, 0, 2, 4);
	assert_int_equal(rte_eth_tx_burst(v->port, 0, pkts, 0), 0);
	vif_expect_packet(v, 0, 1, 9000, 20, 0);
	vif_expect_packet(v, 0, 4, 4096, 30, 0);
	vif_expect_packet(v, 0, 5, 60, 40, 0);
	vif_expect_no_packet(v, 0);
	assert_true(unit_xstat(v->port, "tx_q0_ring_full") >= 3);
	unit_check_pool();
}

/* Bursts larger than what is posted: the rest is taken as far as there are descriptors. */
static void
test_bursts(void **state)
{
	static const unsigned int bursts[] = { 1, 32, 256, 512 };
	struct rte_mbuf *pkts[PKTS], *m;
	struct vif *v = *state;
	unsigned int i, j, sent;

	for (i = 0; i < RTE_DIM(bursts); i++) {
		vif_blank_pages(v);
		rawfront_rx_post(&v->f, 0, 0, XEN_NETIF_RING_SIZE);
		for (j = 0; j < PKTS; j++)
			pkts[j] = unit_packet(60 + j, UNIT_ROOM, j);
		for (sent = 0; sent < PKTS; sent += bursts[i]) {
			assert_int_equal(rte_eth_tx_burst(v->port, 0, pkts + sent, bursts[i]),
					bursts[i]);
		}
		m = unit_packet(60, UNIT_ROOM, 0);
		assert_int_equal(send_one(v, m), 0);
		unit_check_packet(m, 60, 0);
		rte_pktmbuf_free(m);
		for (j = 0; j < XEN_NETIF_RING_SIZE; j++)
			vif_expect_packet(v, 0, j, 60 + j, j, 0);
		vif_expect_no_packet(v, 0);
		vif_blank_pages(v);
		rawfront_rx_post(&v->f, 0, 0, XEN_NETIF_RING_SIZE);
		assert_int_equal(rte_eth_rx_burst(v->port, 0, &m, 1), 0);
		for (j = 0; j < XEN_NETIF_RING_SIZE; j++)
			vif_expect_packet(v, 0, j, 60 + 256 + j, 256 + j, 0);
		vif_expect_no_packet(v, 0);
		unit_check_pool();
	}
	assert_int_equal(v->f.q[0].rx->req_event, 1);
}

static void
test_wrap(void **state)
{
	struct vif *v = *state;
	unsigned int i;

	rawfront_reset(&v->f);
	rawfront_init_rings(&v->f, 0xFFFFFF00);
	vif_connect(v);
	for (i = 0; i < 1000; i++) {
		vif_blank_pages(v);
		rawfront_rx_post(&v->f, 0, i % 250, 3);
		assert_int_equal(send_one(v, unit_packet(8193, 1500, i)), 1);
		vif_expect_packet(v, 0, i % 250, 8193, i, 0);
		if (i % 100 != 0)
			continue;
		vif_expect_no_packet(v, 0);
	}
	assert_int_equal(v->f.q[0].rx_cons, (uint32_t)(0xFFFFFF00 + 3000));
}

static void
test_indices(void **state)
{
	struct vif *v = *state;
	const struct attack *a;
	struct rte_mbuf *m;

	for (a = attack_rx; a < attack_rx + attack_rx_nb; a++) {
		if (a->outcome != ATTACK_CLOSED)
			continue;
		print_message("%s\n", a->name);
		attack_play(&v->f, a);
		rawfront_rx_push(&v->f, 0);
		m = unit_packet(60, UNIT_ROOM, 0);
		assert_int_equal(send_one(v, m), 0);
		unit_check_packet(m, 60, 0);
		rte_pktmbuf_free(m);
		vif_expect_failed(v, a->why);
		assert_int_equal(unit_maps(), 0);
		assert_int_equal(unit_ports(), 0);
		vif_expect_no_packet(v, 0);
		vif_reconnect(v);
	}
	vif_blank_pages(v);
	rawfront_rx_post(&v->f, 0, 0, 1);
	assert_int_equal(send_one(v, unit_packet(60, UNIT_ROOM, 0)), 1);
	vif_expect_packet(v, 0, 0, 60, 0, 0);
}

/* A burst of three, the second of which has a buffer that cannot be written. */
static void
check_bad_buffer(struct vif *v, const struct attack *a, unsigned int at)
{
	uint64_t errors = unit_xstat(v->port, "tx_q0_copy_errors");
	uint16_t id = 0;
	struct netif_rx_response rsp;
	struct rte_mbuf *pkts[3];
	unsigned int i;

	vif_blank_pages(v);
	for (i = 0; i < 5; i++) {
		if (i == 1 + at) {
			id = v->f.q[0].rx_prod;
			attack_play(&v->f, a);
		} else {
			rawfront_rx_put(&v->f, 0, i, v->f.gref[i]);
		}
	}
	rawfront_rx_push(&v->f, 0);
	pkts[0] = unit_packet(60, UNIT_ROOM, 1);
	pkts[1] = unit_packet(9000, UNIT_ROOM, 2);
	pkts[2] = unit_packet(70, UNIT_ROOM, 3);
	assert_int_equal(rte_eth_tx_burst(v->port, 0, pkts, 3), 3);
	vif_expect_packet(v, 0, 0, 60, 1, 0);
	for (i = 1; i < 4; i++) {
		assert_true(rawfront_rx_rsp(&v->f, 0, &rsp));
		assert_int_equal(rsp.id, i == 1 + at ? id : i);
		assert_int_equal(rsp.status, NETIF_RSP_ERROR);
		assert_int_equal(rsp.flags & NETRXF_more_data, i < 3 ? NETRXF_more_data : 0);
	}
	vif_expect_packet(v, 0, 4, 70, 3, 0);
	vif_expect_no_packet(v, 0);
	assert_int_equal(unit_xstat(v->port, "tx_q0_copy_errors"), errors + 1);
	assert_true(unit_link(v->port));
	unit_check_pool();
}

static void
test_bad_buffers(void **state)
{
	struct vif *v = *state;
	struct rte_eth_stats stats;
	const struct attack *a;
	unsigned int at, n = 0;

	for (a = attack_rx; a < attack_rx + attack_rx_nb; a++) {
		if (a->outcome != ATTACK_DROPPED)
			continue;
		print_message("%s\n", a->name);
		for (at = 0; at < 3; at++, n++)
			check_bad_buffer(v, a, at);
	}
	assert_int_equal(rte_eth_stats_get(v->port, &stats), 0);
	assert_int_equal(stats.oerrors, n);
	assert_int_equal(stats.opackets, 2 * n);
	assert_int_equal(unit_xstat(v->port, "protocol_errors"), 0);
}

/* Ids are the guest's own affair: echoed, whatever they are. */
static void
test_ids(void **state)
{
	static const uint16_t ids[] = { 0xFFFF, 0, 0xFFFF, 0x8000, 7, 7 };
	struct netif_rx_response rsp;
	struct vif *v = *state;
	unsigned int i;

	for (i = 0; i < RTE_DIM(ids); i++)
		rawfront_rx_put(&v->f, 0, ids[i], v->f.gref[i]);
	rawfront_rx_push(&v->f, 0);
	assert_int_equal(send_one(v, unit_packet(4096 * 4, UNIT_ROOM, 0)), 1);
	assert_int_equal(send_one(v, unit_packet(4096 * 2, UNIT_ROOM, 0)), 1);
	for (i = 0; i < RTE_DIM(ids); i++) {
		assert_true(rawfront_rx_rsp(&v->f, 0, &rsp));
		assert_int_equal(rsp.id, ids[i]);
	}
}

/* The guest's view while packets come: rsp_prod never stands inside of one. */
struct watcher {
	struct netif_rx_sring *ring;
	pthread_mutex_t lock;
	bool quit;
	unsigned int seen;
	unsigned int torn;
};

static void *
watch_packets(void *arg)
{
	struct watcher *w = arg;
	uint32_t prod;

	while (!__atomic_load_n(&w->quit, __ATOMIC_RELAXED)) {
		pthread_mutex_lock(&w->lock);
		prod = xen_ring_load(&w->ring->rsp_prod);
		if (prod != 0) {
			w->seen++;
			w->torn += (w->ring->ring[(prod - 1) & XEN_NETIF_RING_MASK].rsp.flags &
						   NETRXF_more_data) != 0;
		}
		pthread_mutex_unlock(&w->lock);
	}
	return NULL;
}

static void
test_published_whole(void **state)
{
	struct watcher w = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct netif_rx_response rsp;
	struct vif *v = *state;
	pthread_t thread;
	unsigned int i, j;

	w.ring = v->f.q[0].rx;
	assert_int_equal(pthread_create(&thread, NULL, watch_packets, &w), 0);
	for (i = 0; i < 200; i++) {
		/* 240 requests leave the last response alone, which the watcher looks at. */
		pthread_mutex_lock(&w.lock);
		while (rawfront_rx_rsp(&v->f, 0, &rsp))
			;
		rawfront_rx_post(&v->f, 0, 0, 240);
		pthread_mutex_unlock(&w.lock);
		for (j = 0; j < 48; j++)
			assert_int_equal(send_one(v, unit_packet(20000, UNIT_ROOM, 0)), 1);
	}
	__atomic_store_n(&w.quit, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	assert_true(w.seen > 0);
	assert_int_equal(w.torn, 0);
}

static void
test_notify(void **state)
{
	static const struct {
		int event;
		unsigned int n;
		bool wanted;
	} cases[] = {
		{ 1, 1, true },
		{ 1, 32, true },
		{ 32, 32, true },
		{ 33, 32, false },
		{ 0, 1, false },
		{ -5, 1, false },
		{ 2, 1, false },
		{ 200, 200, true },
		{ 201, 200, false },
		{ 1000, 1, false },
		{ -1000, 1, false },
	};
	struct netif_rx_response rsp;
	struct rte_mbuf *pkts[PKTS];
	struct vif *v = *state;
	uint64_t real, sent;
	unsigned int i, j;

	rawfront_event(&v->f);
	for (i = 0; i < RTE_DIM(cases); i++) {
		rawfront_rx_post(&v->f, 0, 0, cases[i].n);
		v->f.q[0].rx->rsp_event = v->f.q[0].rx_cons + cases[i].event;
		for (j = 0; j < cases[i].n; j++)
			pkts[j] = unit_packet(60, UNIT_ROOM, j);
		real = unit_notifies();
		sent = unit_xstat(v->port, "tx_q0_notify_sent");
		assert_int_equal(rte_eth_tx_burst(v->port, 0, pkts, cases[i].n), cases[i].n);
		assert_int_equal(unit_notifies(), real + cases[i].wanted);
		assert_int_equal(unit_xstat(v->port, "tx_q0_notify_sent"), sent + cases[i].wanted);
		assert_int_equal(rawfront_event(&v->f), cases[i].wanted);
		while (rawfront_rx_rsp(&v->f, 0, &rsp))
			;
		/* Nothing posted, nothing answered: nothing to notify of. */
		v->f.q[0].rx->rsp_event = v->f.q[0].rx_cons + 1;
		assert_int_equal(send_one(v, unit_packet(60, UNIT_ROOM, 0)), 1);
		assert_false(rawfront_event(&v->f));
		/* What waited is notified of like anything else. */
		rawfront_rx_post(&v->f, 0, 0, 1);
		assert_int_equal(rte_eth_tx_burst(v->port, 0, pkts, 0), 0);
		assert_true(rawfront_event(&v->f));
		assert_true(rawfront_rx_rsp(&v->f, 0, &rsp));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		vif_test(test_shapes),
		vif_test(test_empty_segments),
		vif_test(test_dropped),
		vif_test(test_no_sg),
		vif_test(test_too_few_posted),
		vif_test(test_bursts),
		vif_test(test_wrap),
		vif_test(test_indices),
		vif_test(test_bad_buffers),
		vif_test(test_ids),
		vif_test(test_published_whole),
		vif_test(test_notify),
	};

	return cmocka_run_group_tests_name("tx_ring", tests, unit_setup, unit_teardown);
}
