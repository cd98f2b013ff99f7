/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* The guest's TX ring: copies that fail, indices, and notifications. */

#include <pthread.h>

#include "vif.h"

#define PKTS 512

/* Each copy of a burst fails in turn, with each status that there is. */
static void
test_copy_faults(void **state)
{
	struct rte_mbuf *pkts[PKTS];
	struct vif *v = *state;
	unsigned int nth, i, got;
	int16_t status;

	for (status = GNTST_general_error; status >= GNTST_no_space; status--) {
		for (nth = 1; nth <= 8; nth++) {
			for (i = 0; i < 8; i++)
				vif_put(v, i, 0, 100 + i, 0, i);
			assert_int_equal(xensim_fault_set(XENSIM_FAULT_COPY, 0, nth, 0, status), 0);
			got = vif_burst(v, pkts, PKTS);
			xensim_fault_clear();
			assert_int_equal(got, 7);
			for (i = 0; i < 8; i++)
				vif_expect_rsp(v, i,
						i == nth - 1 ? NETIF_RSP_ERROR : NETIF_RSP_OKAY);
			for (i = 0; i < got; i++)
				unit_check_packet(pkts[i], 100 + i + (i >= nth - 1),
						vif_seed(i + (i >= nth - 1)));
			rte_pktmbuf_free_bulk(pkts, got);
			unit_check_pool();
		}
	}
}

/* Every copy fails: nothing arrives, all is answered, and the vif lives. */
static void
test_all_copies_fail(void **state)
{
	struct rte_mbuf *pkts[PKTS];
	struct vif *v = *state;
	unsigned int i;

	for (i = 0; i < 64; i++)
		vif_put(v, i, 0, 100, 0, i);
	assert_int_equal(xensim_fault_set(XENSIM_FAULT_COPY, 0, 1, 1, GNTST_general_error), 0);
	assert_int_equal(vif_burst(v, pkts, PKTS), 0);
	xensim_fault_clear();
	for (i = 0; i < 64; i++)
		vif_expect_rsp(v, i, NETIF_RSP_ERROR);
	unit_check_pool();
	vif_send_good(v);
}

/* Fill the ring and take it in bursts of one size; ids and order are the guest's. */
static void
run_bursts(struct vif *v, unsigned int burst, unsigned int total)
{
	struct rte_mbuf *pkts[PKTS];
	unsigned int sent, got, n, i;

	for (sent = 0; sent < total; sent += got) {
		for (i = 0; i < XEN_NETIF_RING_SIZE; i++)
			vif_put(v, (sent + i) % RAWFRONT_PAGES, 0, 60, 0, 0xFFFF - i);
		for (got = 0; got < XEN_NETIF_RING_SIZE; got += n) {
			n = vif_burst(v, pkts, burst);
			assert_int_equal(n, RTE_MIN(burst, XEN_NETIF_RING_SIZE - got));
			for (i = 0; i < n; i++) {
				unit_check_packet(pkts[i], 60,
						vif_seed((sent + got + i) % RAWFRONT_PAGES));
				vif_expect_rsp(v, 0xFFFF - got - i, NETIF_RSP_OKAY);
			}
			rte_pktmbuf_free_bulk(pkts, n);
			vif_expect_no_rsp(v);
		}
	}
}

static void
test_bursts(void **state)
{
	static const unsigned int bursts[] = { 1, 31, 32, 255, 256, 512 };
	struct vif *v = *state;
	unsigned int i;

	for (i = 0; i < RTE_DIM(bursts); i++)
		run_bursts(v, bursts[i], 1024);
	/* A backend that polls never asks to be notified. */
	assert_int_equal(v->f.q[0].tx->req_event, 1);
}

/* Indices are 32 bits and run on past the largest. */
static void
test_wrap(void **state)
{
	struct vif *v = *state;

	rawfront_reset(&v->f);
	rawfront_init_rings(&v->f, 0xFFFFFF00);
	vif_connect(v);
	run_bursts(v, 32, 2048);
	assert_int_equal(v->f.q[0].tx_prod, (uint32_t)(0xFFFFFF00 + 2048));
	vif_send_good(v);
}

/* Packets of the largest number of small pieces do not fit into one batch all at once. */
static void
test_many_pieces(void **state)
{
	struct rte_mbuf *pkts[PKTS];
	struct vif *v = *state;
	unsigned int i, j, n, got = 0;

	for (i = 0; i < 14; i++) {
		for (j = 0; j < 18; j++)
			vif_put(v, j, 0, j == 0 ? 18 * 3600 : 3600, j < 17 ? NETTXF_more_data : 0,
					i * 18 + j);
	}
	rawfront_tx_push(&v->f, 0);
	while (got < 14) {
		n = rte_eth_rx_burst(v->port, 0, pkts + got, PKTS - got);
		assert_true(n > 0);
		got += n;
	}
	for (i = 0; i < 14; i++)
		assert_int_equal(pkts[i]->pkt_len, 18 * 3600);
	rte_pktmbuf_free_bulk(pkts, 14);
	for (i = 0; i < 14 * 18; i++)
		vif_expect_rsp(v, i, NETIF_RSP_OKAY);
	vif_expect_no_rsp(v);
}

/* The guest is notified when it asked for it, and never otherwise. */
static void
test_notify(void **state)
{
	/* Where rsp_event stands before n responses, counted from those already there. */
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
		{ 0, 200, false },
		{ -5, 1, false },
		{ 2, 1, false },
		{ 100, 200, true },
		{ 200, 200, true },
		{ 201, 200, false },
		{ 1000, 1, false },
		{ -1000, 1, false },
		{ 2, 2, true },
	};
	struct rte_mbuf *pkts[PKTS];
	struct vif *v = *state;
	uint64_t sent, held, real;
	unsigned int i, j;

	rawfront_event(&v->f);
	for (i = 0; i < RTE_DIM(cases); i++) {
		sent = unit_xstat(v->port, "rx_q0_notify_sent");
		held = unit_xstat(v->port, "rx_q0_notify_suppressed");
		real = unit_notifies();
		v->f.q[0].tx->rsp_event = v->f.q[0].tx_cons + cases[i].event;
		for (j = 0; j < cases[i].n; j++)
			vif_put(v, j, 0, 60, 0, j);
		assert_int_equal(vif_burst(v, pkts, PKTS), cases[i].n);
		rte_pktmbuf_free_bulk(pkts, cases[i].n);
		for (j = 0; j < cases[i].n; j++)
			vif_expect_rsp(v, j, NETIF_RSP_OKAY);
		assert_int_equal(unit_xstat(v->port, "rx_q0_notify_sent"), sent + cases[i].wanted);
		assert_int_equal(unit_xstat(v->port, "rx_q0_notify_suppressed"),
				held + !cases[i].wanted);
		assert_int_equal(unit_notifies(), real + cases[i].wanted);
		assert_int_equal(rawfront_event(&v->f), cases[i].wanted);
		/* An empty ring is no reason to notify anybody. */
		assert_int_equal(rte_eth_rx_burst(v->port, 0, pkts, PKTS), 0);
		assert_false(rawfront_event(&v->f));
	}
}

/* A guest that rewrites its requests while they are looked at (XSA-155). */
struct rewriter {
	struct netif_tx_sring *ring;
	bool quit;
};

static void *
rewrite(void *arg)
{
	static const uint16_t sizes[] = { 2000, 60, 13, 1500, 0, 2048 };
	struct rewriter *r = arg;
	unsigned int i, n;

	for (n = 0; !__atomic_load_n(&r->quit, __ATOMIC_RELAXED); n++) {
		for (i = 0; i < XEN_NETIF_RING_SIZE; i++)
			__atomic_store_n(&r->ring->ring[i].req.size, sizes[n % RTE_DIM(sizes)],
					__ATOMIC_RELAXED);
	}
	return NULL;
}

/* Whatever size was seen is the packet's, its copy's and its buffer's. */
static void
test_rewritten(void **state)
{
	struct vif *v = *state;
	struct rewriter r = { .ring = v->f.q[0].tx };
	struct netif_tx_response rsp;
	struct rte_mbuf *pkts[PKTS];
	unsigned int round, i, n;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, rewrite, &r), 0);
	for (round = 0; round < 500; round++) {
		for (i = 0; i < 64; i++)
			vif_put(v, i, 0, 60, 0, i);
		n = vif_burst(v, pkts, 64);
		for (i = 0; i < n; i++) {
			assert_in_range(pkts[i]->pkt_len, 14, 2048);
			assert_int_equal(pkts[i]->pkt_len, pkts[i]->data_len);
		}
		rte_pktmbuf_free_bulk(pkts, n);
		for (i = 0; i < 64; i++)
			assert_true(rawfront_tx_rsp(&v->f, 0, &rsp));
	}
	__atomic_store_n(&r.quit, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	vif_send_good(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		vif_test(test_copy_faults),
		vif_test(test_all_copies_fail),
		vif_test(test_bursts),
		vif_test(test_wrap),
		vif_test_scatter(test_many_pieces),
		vif_test(test_notify),
		vif_test(test_rewritten),
	};

	return cmocka_run_group_tests_name("rx_copy", tests, unit_setup, unit_teardown);
}
