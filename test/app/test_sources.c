/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* What is learned of bursts whose packets come from many addresses. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "bed.h"
#include "forward.h"
#include "packet.h"
#include "pairs.h"

/* A burst of the uplink to the guest, from so many addresses. */
static void
send_burst(const uint64_t *from, uint16_t n)
{
	struct rte_mbuf *pkts[WORKER_BURST];
	struct packet p;
	uint16_t i;

	assert_in_range(n, 1, WORKER_BURST);
	for (i = 0; i < n; i++) {
		put_any(&p, MAC(GUEST), from[i], 60 + i);
		pkts[i] = packet_mbuf(&p, 0);
	}
	forward_burst(&bed_worker, &bed_dp, UPLINK, pkts, n);
}

/* The guest is sent what was sent, in order, but for number `but`. */
static void
expect_but(unsigned int n, unsigned int but)
{
	struct rte_mbuf *m;
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (i == but)
			continue;
		m = bed_take(GUEST);
		assert_non_null(m);
		assert_int_equal(m->pkt_len, 60 + i);
		rte_pktmbuf_free(m);
	}
	bed_expect_nothing();
}

static void
expect_news(const uint64_t *from, unsigned int n)
{
	struct worker_news news;
	unsigned int i;

	for (i = 0; i < n; i++) {
		assert_true(bed_news(&news));
		assert_int_equal(news.key, fdb_key(from[i], 1, 0));
		assert_int_equal(news.port, UPLINK);
	}
	assert_false(bed_news(&news));
}

static void
test_mixed(void **state __rte_unused)
{
	const uint64_t from[] = { MAC(100), MAC(100), MAC(101), MAC(GUEST2), MAC(100), MAC(102) | 1,
		0, MAC(103), MAC(101) };
	const uint64_t news[] = { MAC(101), MAC(103), MAC(101) };

	make_pairs();
	bed_learn(MAC(100), UPLINK, 0);
	bed_learn(MAC(103), UPLINK2, 0);
	send_burst(from, RTE_DIM(from));
	bed_expect_drop(UPLINK, DROP_SOURCE_OTHER);
	expect_but(RTE_DIM(from), 3);
	expect_news(news, RTE_DIM(news));
}

/* What the last packet of a burst has told of its source is remembered for the next burst. */
static void
test_between_bursts(void **state __rte_unused)
{
	const uint64_t forged[] = { MAC(100), MAC(GUEST2) };
	const uint64_t unknown[] = { MAC(100), MAC(101) };

	make_pairs();
	bed_learn(MAC(100), UPLINK, 0);
	send_burst(unknown, 2);
	expect_but(2, 2);
	expect_news(&unknown[1], 1);
	bed_learn(MAC(101), UPLINK, 0);
	send_burst(&unknown[1], 1);
	expect_but(1, 1);
	expect_news(NULL, 0);

	send_burst(forged, 2);
	bed_expect_drop(UPLINK, DROP_SOURCE_OTHER);
	expect_but(2, 1);
	send_burst(&forged[1], 1);
	bed_expect_drop(UPLINK, DROP_SOURCE_OTHER);
	bed_expect_nothing();
}

static void
test_full_burst(void **state __rte_unused)
{
	uint64_t from[WORKER_BURST];
	unsigned int i;

	make_pairs();
	for (i = 0; i < WORKER_BURST; i++) {
		from[i] = MAC(100 + i);
		if (i % 2 == 0)
			bed_learn(from[i], UPLINK, 0);
	}
	send_burst(from, WORKER_BURST);
	expect_but(WORKER_BURST, WORKER_BURST);
	for (i = 0; i < WORKER_BURST / 2; i++)
		from[i] = from[2 * i + 1];
	expect_news(from, WORKER_BURST / 2);
}

#define case_of(test) cmocka_unit_test_setup_teardown(test, bed_begin, bed_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		case_of(test_mixed),
		case_of(test_between_bursts),
		case_of(test_full_burst),
	};

	return cmocka_run_group_tests_name("vsw_sources", tests, bed_setup, bed_teardown);
}
