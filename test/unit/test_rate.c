/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * The rate that a guest may transmit at: the key, and rings that are left alone meanwhile. That is
 * in real time, of which is only asserted that no more comes than may, and that all of it does.
 */

#include <pthread.h>
#include <stdio.h>

#include "rate.h"
#include "vif.h"
#include "xenvif.h"

#define BURST 32
#define QUEUES_MAX 4

/* A value of the key that makes some bytes a second. */
#define TWO_MB_S "100000,50000"
#define HALF_MB_S "25000,50000"

static struct xenvif_rate_limit
rate_of(const struct vif *v)
{
	const struct xenvif *vif = rte_eth_devices[v->port].data->dev_private;

	return xenvif_rate_get(&vif->rate);
}

static bool
rate_is(const struct vif *v, uint32_t bytes, uint32_t usec)
{
	struct xenvif_rate_limit limit = rate_of(v);

	return limit.bytes == bytes && limit.usec == usec;
}

static void
set_rate(const struct vif *v, const char *value)
{
	unit_write(value, "%s/rate", v->f.back);
}

/* The backend has looked at all keys: it writes this one then. */
static void
wait_for_look(const struct vif *v)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		unit_remove("%s/carrier", v->f.back);
		unit_wait(strcmp(unit_read("%s/carrier", v->f.back), "1") == 0);
	}
}

static const char *const no_rates[] = {
	"",
	"abc",
	"0,0",
	"62500",
	"62500,",
	",50000",
	"0,50000",
	"62500,0",
	"4294967296,50000",
	"62500,4294967296",
	"99999999999999999999999999,50000",
	"62500,50000,1",
	"62500, 50000",
	" 62500,50000",
	"-62500,50000",
	"+62500,50000",
	"0xf424,50000",
	"62500;50000",
	"62500,50000\n",
};

/* What is no rate is said once, and changes nothing. */
static void
test_no_rates(void **state)
{
	struct vif *v = *state;
	struct xen_quote quote;
	char text[128];
	unsigned int i, with;

	for (with = 0; with < 2; with++) {
		if (with != 0) {
			unit_log_clear();
			set_rate(v, TWO_MB_S);
			unit_wait(unit_log_has("at most 100000 bytes"));
		}
		for (i = 0; i < RTE_DIM(no_rates); i++) {
			unit_wait(rate_is(v, with * 100000, with * 50000));
			unit_log_clear();
			set_rate(v, no_rates[i]);
			snprintf(text, sizeof(text), "rate='%s' has to be BYTES,MICROSECONDS",
					xen_quote(&quote, no_rates[i]));
			unit_wait(unit_log_has(text));
			unit_assert_log("each a number from 1 to 4294967295; the limit stays");
			wait_for_look(v);
			assert_int_equal(unit_log_count("rate="), 1);
			assert_true(rate_is(v, with * 100000, with * 50000));
		}
	}
	vif_send_good(v);
}

static void
test_rate_too_long(void **state)
{
	char value[XEN_STORE_VALUE_MAX + 40];
	struct vif *v = *state;

	memset(value, '1', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	unit_log_clear();
	set_rate(v, value);
	unit_wait(unit_log_has("rate='' (too long) has to be BYTES,MICROSECONDS"));
	assert_true(rate_is(v, 0, 0));
}

/* Each change is said, and what the key is when the vif connects. */
static void
test_key(void **state)
{
	struct vif *v = *state;

	unit_log_clear();
	set_rate(v, TWO_MB_S);
	unit_wait(unit_log_has("rate='100000,50000': the guest sends at most 100000 bytes in"));
	assert_true(rate_is(v, 100000, 50000));
	wait_for_look(v);
	assert_int_equal(unit_log_count("rate="), 1);
	unit_log_clear();
	set_rate(v, "4294967295,4294967295");
	unit_wait(unit_log_has("rate='4294967295,4294967295': the guest sends at most"));
	unit_log_clear();
	vif_reconnect(v);
	assert_true(rate_is(v, UINT32_MAX, UINT32_MAX));
	assert_int_equal(unit_log_count("rate="), 0);
	vif_send_good(v);
	unit_remove("%s/rate", v->f.back);
	unit_wait(unit_log_has("no rate any more"));
	assert_true(rate_is(v, 0, 0));
	/* Another vif in its place is not limited because this one was. */
	set_rate(v, TWO_MB_S);
	unit_wait(rate_is(v, 100000, 50000));
	rawfront_toolstack_remove(&v->f);
	unit_wait(rate_is(v, 0, 0));
	rawfront_init_rings(&v->f, 0);
	rawfront_toolstack(&v->f);
	vif_connect(v);
	assert_true(rate_is(v, 0, 0));
	vif_send_good(v);
}

/* A guest that has packets in all of its queues at any time. */
struct load {
	struct vif v;
	unsigned int queues;
	/* Each of the guest's queues is one of the application's, or all are of its only one. */
	unsigned int app_queues;
	uint32_t sent[QUEUES_MAX];
	uint32_t answered[QUEUES_MAX];
	/* Per application's queue, and their bytes. */
	uint32_t got[QUEUES_MAX];
	uint64_t bytes;
};

static uint32_t
load_len(uint32_t n)
{
	return 60 + n * 37 % 1455;
}

static unsigned int
load_page(const struct load *l, unsigned int queue, uint32_t n)
{
	unsigned int pages = RAWFRONT_PAGES / l->queues;

	return queue * pages + n % pages;
}

static void
load_open(struct load *l, unsigned int queues, unsigned int app_queues, const char *rate)
{
	const struct vif_options options = { .queues = queues, .app_queues = app_queues };

	memset(l, 0, sizeof(*l));
	l->queues = queues;
	l->app_queues = app_queues;
	unit_log_clear();
	vif_open(&l->v, &options);
	set_rate(&l->v, rate);
	vif_connect(&l->v);
	unit_assert_log("rate=");
}

static void
load_fill(struct load *l)
{
	struct netif_tx_request req = { 0 };
	unsigned int i;

	for (i = 0; i < l->queues; i++) {
		while (l->sent[i] - l->answered[i] < XEN_NETIF_RING_SIZE) {
			req.gref = l->v.f.gref[load_page(l, i, l->sent[i])];
			req.id = l->sent[i];
			req.size = load_len(l->sent[i]++);
			rawfront_tx_put(&l->v.f, i, &req);
		}
		rawfront_tx_push(&l->v.f, i);
	}
}

/* All are answered in order, and none that has not come. */
static void
load_answers(struct load *l)
{
	struct netif_tx_response rsp;
	unsigned int i;

	for (i = 0; i < l->queues; i++) {
		while (rawfront_tx_rsp(&l->v.f, i, &rsp)) {
			assert_int_equal(rsp.id, (uint16_t)l->answered[i]++);
			assert_int_equal(rsp.status, NETIF_RSP_OKAY);
		}
	}
}

/* One burst of each of the application's queues; how many packets came. */
static unsigned int
load_take(struct load *l)
{
	struct rte_mbuf *pkts[BURST];
	unsigned int i, j, n, sum = 0;

	for (i = 0; i < l->app_queues; i++) {
		n = rte_eth_rx_burst(l->v.port, i, pkts, BURST);
		for (j = 0; j < n; j++, l->got[i]++) {
			l->bytes += pkts[j]->pkt_len;
			if (l->app_queues == l->queues)
				unit_check_packet(pkts[j], load_len(l->got[i]),
						vif_seed(load_page(l, i, l->got[i])));
		}
		rte_pktmbuf_free_bulk(pkts, n);
		sum += n;
	}
	load_answers(l);
	return sum;
}

/*
 * Until so many bytes more have come: no more than the rate allows for the time that it took, and
 * one packet, for all is done by one thread.
 */
static void
load_run(struct load *l, uint64_t bytes)
{
	struct xenvif_rate_limit limit = rate_of(&l->v);
	uint64_t from = l->bytes, start = rte_get_tsc_cycles();
	double most;

	while (l->bytes - from < bytes) {
		load_fill(l);
		if (load_take(l) == 0)
			unit_idle();
	}
	most = rate_burst(&limit) +
			rate_bytes_per_sec(&limit) * rate_seconds(rte_get_tsc_cycles() - start) +
			1514;
	if (l->bytes - from > most)
		fail_msg("%.0f bytes, at most %.0f", (double)(l->bytes - from), most);
}

static uint64_t
load_stops(const struct load *l, unsigned int queue)
{
	char name[32];

	snprintf(name, sizeof(name), "rx_q%u_rate_stops", queue);
	return unit_xstat(l->v.port, name);
}

static void
check_sum(unsigned int queues, unsigned int app_queues)
{
	struct load l;
	uint32_t most = 0, least = UINT32_MAX, sum = 0, got = 0;
	unsigned int i;

	load_open(&l, queues, app_queues, TWO_MB_S);
	load_run(&l, 1000000);
	for (i = 0; i < queues; i++) {
		assert_true(load_stops(&l, i) != 0);
		most = RTE_MAX(most, l.answered[i]);
		least = RTE_MIN(least, l.answered[i]);
		sum += l.answered[i];
		got += l.got[i];
	}
	assert_int_equal(sum, got);
	/* No queue has the credit of the others. */
	if (least < most / 2)
		fail_msg("packets of the queues: %u to %u", least, most);
	vif_close(&l.v);
	unit_check_pool();
}

static void
test_one_queue(void **state __rte_unused)
{
	check_sum(1, 1);
}

static void
test_four_queues(void **state __rte_unused)
{
	check_sum(4, 4);
	check_sum(4, 1);
}

/* Slower, faster, off and on again, while it runs: nothing is lost or out of order. */
static void
test_change(void **state __rte_unused)
{
	struct load l;

	load_open(&l, 4, 4, TWO_MB_S);
	load_run(&l, 400000);
	set_rate(&l.v, HALF_MB_S);
	unit_wait(rate_is(&l.v, 25000, 50000));
	load_run(&l, 300000);
	set_rate(&l.v, "nothing");
	wait_for_look(&l.v);
	load_run(&l, 200000);
	unit_remove("%s/rate", l.v.f.back);
	unit_wait(rate_is(&l.v, 0, 0));
	/* Nothing holds anything back: whatever stands in the rings is there at once. */
	load_fill(&l);
	while (l.answered[0] != l.sent[0] || l.answered[3] != l.sent[3])
		assert_int_equal(load_take(&l), 4 * BURST);
	set_rate(&l.v, TWO_MB_S);
	unit_wait(rate_is(&l.v, 100000, 50000));
	load_run(&l, 400000);
	vif_close(&l.v);
	unit_check_pool();
}

/* Packets that are longer than what a bucket gets in a second; rejected ones cost nothing. */
static void
test_jumbo(void **state)
{
	const unsigned int slots = 16, last = 65535 - 15 * 4096;
	struct vif *v = *state;
	struct rte_mbuf *m = NULL;
	unsigned int i, n;

	set_rate(v, "30000,1000000");
	unit_wait(rate_is(v, 30000, 1000000));
	for (n = 0; n < 4; n++) {
		vif_put(v, 0, 0, 65535, NETTXF_more_data, 0);
		for (i = 1; i < slots; i++)
			vif_put(v, i, 0, i < slots - 1 ? 4096 : last,
					i < slots - 1 ? NETTXF_more_data : 0, i);
		unit_wait(vif_burst(v, &m, 1) == 1);
		assert_int_equal(m->pkt_len, 65535);
		rte_pktmbuf_free(m);
		for (i = 0; i < slots; i++)
			vif_expect_rsp(v, i, NETIF_RSP_OKAY);
	}
	/* Nothing is left: also what makes no sense stays where it is, and is answered later. */
	vif_put(v, 0, 0, 13, 0, 1);
	vif_put(v, 0, 0, 60, 0, 2);
	unit_wait(vif_burst(v, &m, 1) == 1);
	unit_check_packet(m, 60, vif_seed(0));
	rte_pktmbuf_free(m);
	vif_expect_rsp(v, 1, NETIF_RSP_ERROR);
	vif_expect_rsp(v, 2, NETIF_RSP_OKAY);
	assert_true(unit_xstat(v->port, "rx_q0_rate_stops") != 0);
	assert_int_equal(unit_xstat(v->port, "rx_q0_bad_packet_errors"), 1);
}

/* An lcore for each queue, at once. */
struct taker {
	struct load *l;
	uint16_t id;
	bool *quit;
	uint64_t bytes;
};

static void *
take(void *arg)
{
	struct rte_mbuf *pkts[BURST];
	struct taker *t = arg;
	uint16_t i, n;

	while (!__atomic_load_n(t->quit, __ATOMIC_RELAXED)) {
		n = rte_eth_rx_burst(t->l->v.port, t->id, pkts, BURST);
		for (i = 0; i < n; i++)
			__atomic_fetch_add(&t->bytes, pkts[i]->pkt_len, __ATOMIC_RELAXED);
		rte_pktmbuf_free_bulk(pkts, n);
		if (n == 0)
			rte_delay_us_sleep(100);
	}
	return NULL;
}

static uint64_t
taken(const struct taker *t)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < QUEUES_MAX; i++)
		sum += __atomic_load_n(&t[i].bytes, __ATOMIC_RELAXED);
	return sum;
}

static void
test_lcores(void **state __rte_unused)
{
	const struct xenvif_rate_limit limit = { .bytes = 100000, .usec = 50000 };
	struct taker t[QUEUES_MAX];
	pthread_t ids[QUEUES_MAX];
	bool quit = false;
	uint64_t start;
	unsigned int i;
	struct load l;

	load_open(&l, QUEUES_MAX, QUEUES_MAX, TWO_MB_S);
	start = rte_get_tsc_cycles();
	for (i = 0; i < QUEUES_MAX; i++) {
		t[i] = (struct taker){ .l = &l, .id = i, .quit = &quit };
		assert_int_equal(pthread_create(&ids[i], NULL, take, &t[i]), 0);
	}
	while (taken(t) < 1000000) {
		load_fill(&l);
		unit_idle();
		load_answers(&l);
	}
	quit = true;
	for (i = 0; i < QUEUES_MAX; i++)
		pthread_join(ids[i], NULL);
	load_answers(&l);
	assert_true(taken(t) <= rate_burst(&limit) +
					rate_bytes_per_sec(&limit) *
							rate_seconds(rte_get_tsc_cycles() - start) +
					QUEUES_MAX * 1514);
	vif_close(&l.v);
	unit_check_pool();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		vif_test(test_no_rates),
		vif_test(test_rate_too_long),
		vif_test(test_key),
		cmocka_unit_test(test_one_queue),
		cmocka_unit_test(test_four_queues),
		cmocka_unit_test(test_change),
		vif_test_scatter(test_jumbo),
		cmocka_unit_test(test_lcores),
	};

	return cmocka_run_group_tests(tests, unit_setup, unit_teardown);
}
