/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Several threads send what waits for the same rings, and a guest takes it meanwhile. */

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "lane.h"
#include "xen_flow.h"

#define DESCS 256
#define BURST 32
#define SENDERS_MAX 2

/* All packets of all senders. */
#define PACKETS 100000

/* What a packet begins with; it is as long as stamp_len() says. */
struct stamp {
	uint32_t sender;
	uint32_t number;
};

/* An lcore with a tx queue of its own. */
struct sender {
	struct load *load;
	uint16_t id;
	uint32_t sent;
	uint64_t bytes;
	/* Of these, what the guest has seen. */
	uint32_t got;
	/* Bursts that were not taken whole. */
	unsigned int refused;
};

struct load {
	struct vif v;
	unsigned int nb_senders;
	/* Most packets of a sender that are under way: there are descriptors for all of them. */
	unsigned int under_way;
	struct sender senders[SENDERS_MAX];
	bool quit;
	/* What the guest found wrong. */
	unsigned long wrong;
};

static uint16_t
stamp_len(uint32_t number)
{
	return 60 + number * 37 % 1455;
}

static struct rte_mbuf *
stamp_packet(const struct sender *s, uint32_t number)
{
	const struct stamp stamp = { .sender = s->id, .number = number };
	unsigned int queues = s->load->v.f.nb_queues;
	struct rte_mbuf *m;

	do
		m = rte_pktmbuf_alloc(unit_pool);
	while (m == NULL);
	memcpy(rte_pktmbuf_append(m, stamp_len(number)), &stamp, sizeof(stamp));
	m->ol_flags |= RTE_MBUF_F_RX_RSS_HASH;
	for (m->hash.rss = 0; xen_flow_queue(m, queues) != number % queues;)
		m->hash.rss++;
	return m;
}

static void *
run_sender(void *arg)
{
	struct sender *s = arg;
	uint32_t total = PACKETS / s->load->nb_senders;
	struct rte_mbuf *pkts[BURST];
	uint16_t n, i, taken, size = 1;

	while (s->sent < total) {
		n = RTE_MIN(size, total - s->sent);
		size = size % BURST + 1;
		while (s->sent - __atomic_load_n(&s->got, __ATOMIC_ACQUIRE) + n >
				s->load->under_way)
			sched_yield();
		for (i = 0; i < n; i++)
			pkts[i] = stamp_packet(s, s->sent + i);
		taken = rte_eth_tx_burst(s->load->v.port, s->id, pkts, n);
		if (taken != n)
			s->refused++;
		rte_pktmbuf_free_bulk(pkts + taken, n - taken);
		for (i = 0; i < taken; i++)
			s->bytes += stamp_len(s->sent + i);
		s->sent += taken;
	}
	return NULL;
}

/* An lcore that receives, and by that sends what waits. */
static void *
run_receiver(void *arg)
{
	struct load *load = arg;
	struct rte_mbuf *none;
	uint16_t i;

	while (!__atomic_load_n(&load->quit, __ATOMIC_RELAXED)) {
		for (i = 0; i < load->nb_senders; i++)
			rte_eth_rx_burst(load->v.port, i, &none, 1);
		sched_yield();
	}
	return NULL;
}

/* Take a queue's responses: the packets of each sender in order, with the queue's numbers alone. */
static unsigned int
take_queue(struct load *load, unsigned int queue, uint32_t next[SENDERS_MAX])
{
	struct netif_rx_response rsp;
	struct stamp stamp;
	unsigned int n = 0;

	while (rawfront_rx_rsp(&load->v.f, queue, &rsp)) {
		n++;
		if (rsp.id >= RAWFRONT_PAGES || rsp.status < (int)sizeof(stamp)) {
			load->wrong++;
			continue;
		}
		memcpy(&stamp, rawfront_page(&load->v.f, rsp.id), sizeof(stamp));
		if (stamp.sender >= load->nb_senders || stamp.number != next[stamp.sender] ||
				rsp.status != stamp_len(stamp.number) || rsp.flags != 0) {
			load->wrong++;
			continue;
		}
		next[stamp.sender] += load->v.f.nb_queues;
		__atomic_fetch_add(&load->senders[stamp.sender].got, 1, __ATOMIC_RELEASE);
	}
	return n;
}

/* The guest: takes what comes, and posts as many buffers as it likes. */
static void *
run_guest(void *arg)
{
	struct load *load = arg;
	unsigned int queue, n, left, i, seed = 1, queues = load->v.f.nb_queues;
	uint32_t next[RAWFRONT_QUEUES_MAX][SENDERS_MAX];

	for (queue = 0; queue < queues; queue++) {
		for (i = 0; i < SENDERS_MAX; i++)
			next[queue][i] = queue;
	}
	while (!__atomic_load_n(&load->quit, __ATOMIC_RELAXED)) {
		queue = rand_r(&seed) % queues;
		n = rand_r(&seed) % 100;
		if (take_queue(load, queue, next[queue]) == 0)
			sched_yield();
		/* A slot is free again when its response has been taken. */
		left = RTE_MIN(XEN_NETIF_RING_SIZE, RAWFRONT_PAGES / queues) -
				(load->v.f.q[queue].rx_prod - load->v.f.q[queue].rx_cons);
		if (vif_posted(&load->v, queue) == 0 || n < 10)
			vif_post(&load->v, queue, RTE_MIN(n, left));
	}
	return NULL;
}

static uint32_t
arrived(const struct load *load)
{
	uint32_t n = 0;
	unsigned int i;

	for (i = 0; i < load->nb_senders; i++)
		n += __atomic_load_n(&load->senders[i].got, __ATOMIC_ACQUIRE);
	return n;
}

static void
check_load(unsigned int queues, unsigned int senders, unsigned int under_way)
{
	const struct vif_options options = { .queues = queues, .app_queues = senders };
	struct load load = { .nb_senders = senders, .under_way = under_way };
	pthread_t threads[SENDERS_MAX], receiver, guest;
	struct rte_eth_stats stats;
	unsigned int i;
	uint32_t seen;

	vif_open(&load.v, &options);
	vif_connect(&load.v);
	assert_int_equal(pthread_create(&guest, NULL, run_guest, &load), 0);
	assert_int_equal(pthread_create(&receiver, NULL, run_receiver, &load), 0);
	for (i = 0; i < senders; i++) {
		load.senders[i].load = &load;
		load.senders[i].id = i;
		assert_int_equal(pthread_create(&threads[i], NULL, run_sender, &load.senders[i]),
				0);
	}
	for (seen = 0; seen < PACKETS; seen = arrived(&load))
		unit_wait(arrived(&load) != seen);
	__atomic_store_n(&load.quit, true, __ATOMIC_RELAXED);
	pthread_join(guest, NULL);
	pthread_join(receiver, NULL);
	for (i = 0; i < senders; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(load.wrong, 0);
	assert_int_equal(rte_eth_stats_get(load.v.port, &stats), 0);
	for (i = 0; i < senders; i++) {
		assert_int_equal(load.senders[i].refused, 0);
		assert_int_equal(unit_queue_xstat(load.v.port, "tx", i, "packets"),
				PACKETS / senders);
		assert_int_equal(unit_queue_xstat(load.v.port, "tx", i, "bytes"),
				load.senders[i].bytes);
	}
	assert_int_equal(stats.opackets, PACKETS);
	assert_int_equal(stats.oerrors, 0);
	vif_close(&load.v);
	unit_check_pool();
}

static void
test_one_sender(void **state __rte_unused)
{
	check_load(1, 1, DESCS);
}

/* The senders' queues share a ring, and what waits in it is now one's and now the other's. */
static void
test_shared_ring(void **state __rte_unused)
{
	check_load(1, 2, DESCS);
}

/* The rings share the queue's descriptors; a batch of one ring's may be on its way. */
static void
test_shared_descriptors(void **state __rte_unused)
{
	check_load(4, 1, DESCS - 2 * BURST);
}

static void
test_spread_by_two(void **state __rte_unused)
{
	check_load(3, 2, DESCS - 2 * BURST);
}

struct flusher {
	const struct vif *v;
	uint16_t queue;
};

static void *
run_flusher(void *arg)
{
	const struct flusher *f = arg;
	struct rte_mbuf *none;

	rte_eth_rx_burst(f->v->port, f->queue, &none, 1);
	return NULL;
}

/* Flush in a thread of its own, to its end. */
static void
flush_elsewhere(const struct vif *v, uint16_t queue)
{
	struct flusher f = { .v = v, .queue = queue };
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, run_flusher, &f), 0);
	pthread_join(thread, NULL);
}

/* Packets of two queues wait in one ring: each gets its descriptors and statistics back. */
static void
test_two_queues(void **state __rte_unused)
{
	const struct vif_options options = { .app_queues = 2 };
	struct rte_mbuf *first[DESCS + 1], *second[DESCS + 1];
	unsigned int round, i;
	struct rte_eth_stats stats;
	struct vif v;

	vif_open(&v, &options);
	vif_connect(&v);
	for (round = 1; round <= 3; round++) {
		for (i = 0; i <= DESCS; i++) {
			first[i] = unit_packet(100, UNIT_ROOM, i);
			second[i] = unit_packet(200, UNIT_ROOM, i);
			/* One by one, so that each is followed by one of the other's. */
			assert_int_equal(rte_eth_tx_burst(v.port, 0, first + i, 1), i < DESCS);
			assert_int_equal(rte_eth_tx_burst(v.port, 1, second + i, 1), i < DESCS);
		}
		rte_pktmbuf_free(first[DESCS]);
		rte_pktmbuf_free(second[DESCS]);
		for (i = 0; i < 2 * DESCS; i++) {
			if (vif_posted(&v, 0) == 0 && !vif_has_packet(&v, 0)) {
				vif_post(&v, 0, 64);
				flush_elsewhere(&v, i / 64 % 2);
			}
			vif_expect_packet(&v, 0, -1, 100 * (1 + i % 2), i / 2, 0);
		}
		assert_int_equal(rte_eth_stats_get(v.port, &stats), 0);
		for (i = 0; i < 2; i++) {
			assert_int_equal(unit_queue_xstat(v.port, "tx", i, "packets"),
					round * DESCS);
			assert_int_equal(unit_queue_xstat(v.port, "tx", i, "bytes"),
					round * DESCS * 100 * (1 + i));
		}
		assert_int_equal(stats.opackets, 2 * round * DESCS);
		assert_int_equal(stats.oerrors, 0);
	}
	vif_close(&v);
	unit_check_pool();
}

/* The guest resets again and again while packets wait, are sent, and are flushed by another. */
static void
test_resets(void **state)
{
	struct load load = { .nb_senders = 1 };
	struct lane lane = { .v = &load.v, .small = true };
	struct vif *v = *state;
	uint64_t lost = 0;
	pthread_t receiver;
	unsigned int round;

	load.v = *v;
	assert_int_equal(pthread_create(&receiver, NULL, run_receiver, &load), 0);
	for (round = 0; round < 40; round++) {
		assert_int_equal(lane_send(&lane, 0, 100), 100);
		vif_post(&load.v, 0, 50);
		if (round % 2 == 0)
			unit_wait(vif_posted(&load.v, 0) == 0);
		rawfront_reset(&load.v.f);
		lane_take(&lane);
		lost += lane.made - lane.got;
		lane.got = lane.made;
		rawfront_init_rings(&load.v.f, 0);
		vif_connect(&load.v);
	}
	__atomic_store_n(&load.quit, true, __ATOMIC_RELAXED);
	pthread_join(receiver, NULL);
	assert_int_equal(vif_tx_stat(v, 0, "wait_flushed_dropped"), lost);
	vif_expect_sent(v, 40 * 100 - lost, lost);
	*v = load.v;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_sender),
		cmocka_unit_test(test_shared_ring),
		cmocka_unit_test(test_shared_descriptors),
		cmocka_unit_test(test_spread_by_two),
		cmocka_unit_test(test_two_queues),
		vif_test(test_resets),
	};

	return cmocka_run_group_tests_name("tx_threads", tests, unit_setup, unit_teardown);
}
