/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* The hash of a flow: the same for all of its packets, and defined for whatever is none. */

#include <stdlib.h>

#include "flow.h"
#include "unit.h"
#include "xen_flow.h"

static uint32_t
hash_and_free(struct rte_mbuf *m)
{
	uint32_t hash = xen_flow_hash(m);

	rte_pktmbuf_free(m);
	return hash;
}

/* All packets of a flow, and the flows of each kind, of which few may have a hash in common. */
static void
test_packets(void **state __rte_unused)
{
	uint32_t hashes[FLOW_MAX];
	unsigned int flow, n, other, same = 0;
	static struct flows f;

	flow_init(&f);
	for (flow = 0; flow < FLOW_MAX; flow++) {
		hashes[flow] = hash_and_free(flow_next(&f, flow));
		for (n = 1; n < 50; n++)
			assert_int_equal(hash_and_free(flow_next(&f, flow)), hashes[flow]);
		for (other = 0; other < flow; other++)
			same += hashes[other] == hashes[flow];
	}
	assert_int_equal(same, 0);
	unit_check_pool();
}

/* One of any number of queues, and each is chosen. */
static void
test_queues(void **state __rte_unused)
{
	unsigned int queues, flow, i, used[32];
	static struct flows f;
	struct rte_mbuf *m;
	uint16_t queue;

	flow_init(&f);
	for (queues = 1; queues <= 32; queues++) {
		memset(used, 0, sizeof(used));
		for (flow = 0; flow < FLOW_MAX; flow++) {
			m = flow_next(&f, flow);
			queue = xen_flow_queue(m, queues);
			rte_pktmbuf_free(m);
			assert_in_range(queue, 0, queues - 1);
			used[queue]++;
		}
		for (i = 0; i < queues; i++)
			assert_true(used[i] != 0);
	}
}

/* A hash that is small, or counts up, as those of NICs need not, spreads as well as any. */
static void
test_given_hash(void **state __rte_unused)
{
	struct rte_mbuf *m = unit_packet(60, UNIT_ROOM, 0);
	unsigned int i, step, used[4];

	m->ol_flags = RTE_MBUF_F_RX_RSS_HASH;
	for (step = 1; step != 0; step <<= 1) {
		memset(used, 0, sizeof(used));
		for (i = 0; i < 400; i++) {
			m->hash.rss = i * step;
			used[xen_flow_queue(m, 4)]++;
		}
		/* Fewer than 16 different ones are too few to tell. */
		for (i = 0; i < 4 && step < 1u << 28; i++)
			assert_in_range(used[i], 1, 300);
	}
	rte_pktmbuf_free(m);
}

/* Memory of exactly the packet's size: a byte beyond it is not to be read. */
struct exact {
	struct rte_mbuf_ext_shared_info info;
	uint8_t *data;
};

static void
exact_free(void *addr __rte_unused, void *opaque)
{
	struct exact *e = opaque;

	free(e->data);
	free(e);
}

/* Such a packet, or part of one, that begins at any place of a word. */
static struct rte_mbuf *
exact_packet(const uint8_t *data, uint16_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(unit_pool);
	struct exact *e = calloc(1, sizeof(*e));
	uint16_t odd = rand() % 8;

	assert_non_null(m);
	assert_non_null(e);
	e->data = malloc(odd + len);
	assert_non_null(e->data);
	e->info.free_cb = exact_free;
	e->info.fcb_opaque = e;
	rte_mbuf_ext_refcnt_set(&e->info, 1);
	rte_pktmbuf_attach_extbuf(m, e->data, RTE_BAD_IOVA, odd + len, &e->info);
	m->data_off = odd;
	m->data_len = len;
	m->pkt_len = len;
	memcpy(e->data + odd, data, len);
	return m;
}

/* The same bytes in segments of any size. */
static struct rte_mbuf *
exact_chain(const uint8_t *data, uint16_t len)
{
	struct rte_mbuf *head = NULL, *m;
	uint16_t done, n;

	for (done = 0; done < len || head == NULL; done += n) {
		n = RTE_MIN(len - done, rand() % 40);
		m = exact_packet(data + done, n);
		if (head == NULL)
			head = m;
		else
			assert_int_equal(rte_pktmbuf_chain(head, m), 0);
	}
	return head;
}

/* However the bytes are laid out, and whatever the packet says about its length. */
static void
check_bytes(const uint8_t *data, uint16_t len)
{
	uint32_t hash = hash_and_free(exact_packet(data, len));
	struct rte_mbuf *m;

	assert_int_equal(hash_and_free(exact_chain(data, len)), hash);
	m = exact_packet(data, len);
	m->pkt_len = len + 1 + rand() % 2000;
	assert_int_equal(hash_and_free(m), hash);
	m = exact_chain(data, len);
	m->pkt_len = rand() % 0x10000;
	assert_int_equal(hash_and_free(m), hash);
	m = exact_chain(data, len);
	if (m->nb_segs > 1)
		m->nb_segs = 2 + rand() % 0xFFFE;
	assert_int_equal(hash_and_free(m), hash);
}

/* Frames of every kind that end after each of their bytes. */
static void
test_truncated(void **state __rte_unused)
{
	struct frame frame;
	unsigned int flow;
	uint32_t len;

	srand(2);
	for (flow = 0; flow < 84; flow++) {
		flow_frame(&frame, flow, flow);
		for (len = 0; len <= RTE_MIN(frame.len, 160u); len++)
			check_bytes(frame.data, len);
	}
	unit_check_pool();
}

/* The same with some bytes of the headers changed, or all of them. */
static void
test_garbage(void **state __rte_unused)
{
	static const uint16_t types[] = { 0x0800, 0x86DD, 0x8100, 0x88A8, 0x8847, 0x9100, 0x6558 };
	unsigned int round, i, n;
	struct frame frame;

	srand(3);
	for (round = 0; round < 20000; round++) {
		flow_frame(&frame, rand() % FLOW_MAX, rand());
		n = rand() % 4 == 0 ? 100 : rand() % 6;
		for (i = 0; i < n; i++)
			frame.data[12 + rand() % 100] = rand() % 3 == 0 ? rand() % 64 : rand();
		if (rand() % 2 == 0)
			frame_set16(frame.data + 12 + 4 * (rand() % 4),
					types[rand() % RTE_DIM(types)]);
		check_bytes(frame.data, rand() % 250);
	}
	unit_check_pool();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packets),
		cmocka_unit_test(test_queues),
		cmocka_unit_test(test_given_hash),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests_name("flow", tests, unit_setup, unit_teardown);
}
