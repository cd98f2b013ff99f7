/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * Both drivers for a while, UNIT_SECONDS: a client that sends bursts, and now polls for what
 * comes back, now sleeps; a server that does the same; links that go and come meanwhile, and ports
 * that are stopped and started. Nothing is lost, and nobody sleeps for ever.
 */

#include <pthread.h>
#include <stdlib.h>

#include "pair.h"
#include "sleeper.h"

#define SECONDS 4
#define BURST 32
#define ROUND_MAX 100
#define POLLS_MAX 50
/* Rounds between disturbances, on average. */
#define CALM 20

struct server {
	uint16_t port;
	unsigned int seed;
	bool stop;
	/* What went wrong: a constant text. */
	const char *fault;
	uint64_t slept;
};

/* Send all of a burst; false when the other end takes none of it for too long. */
static bool
send_all(uint16_t port, struct rte_mbuf **pkts, unsigned int n)
{
	uint64_t end = unit_now_ms() + UNIT_LIMIT_MS;
	unsigned int sent = 0;

	while (sent < n && unit_now_ms() < end)
		sent += rte_eth_tx_burst(port, 0, pkts + sent, n - sent);
	rte_pktmbuf_free_bulk(pkts + sent, n - sent);
	return sent == n;
}

/* Polls without a packet before this end goes to sleep. */
static unsigned int
patience(unsigned int *seed)
{
	return rand_r(seed) % 2 == 0 ? 0 : rand_r(seed) % POLLS_MAX;
}

/* Sleep until there is something; what is wrong, or NULL. */
static const char *
take_a_nap(uint16_t port)
{
	if (rte_eth_dev_rx_intr_enable(port, 0) != 0)
		return "interrupts cannot be enabled";
	if (sleeper_sleep(UNIT_LIMIT_MS) < 0)
		return "nobody woke it up";
	return rte_eth_dev_rx_intr_disable(port, 0) == 0 ? NULL : "they cannot be disabled";
}

static void *
serve(void *arg)
{
	struct server *s = arg;
	struct rte_mbuf *pkts[BURST];
	const char *fault = NULL;
	unsigned int polls = 0;
	uint16_t n;

	if (sleeper_watch(s->port, 0) != 0)
		fault = "it cannot watch its queue";
	while (fault == NULL && !__atomic_load_n(&s->stop, __ATOMIC_ACQUIRE)) {
		n = rte_eth_rx_burst(s->port, 0, pkts, BURST);
		if (n != 0) {
			if (!send_all(s->port, pkts, n))
				fault = "it cannot send";
			polls = patience(&s->seed);
		} else if (polls != 0) {
			polls--;
		} else {
			fault = take_a_nap(s->port);
			s->slept++;
		}
	}
	__atomic_store_n(&s->fault, fault, __ATOMIC_RELEASE);
	return NULL;
}

/* So many packets there, and back in their order. */
static void
run_round(const struct server *s, uint16_t port, unsigned int *seed, uint64_t *seq)
{
	unsigned int n = 1 + rand_r(seed) % ROUND_MAX, i, len, got = 0, polls = patience(seed);
	struct rte_mbuf *pkts[ROUND_MAX], *back[BURST];
	uint16_t nb;

	for (i = 0; i < n; i++) {
		len = 60 + (*seq + i) % 1400;
		pkts[i] = unit_packet(len, UNIT_ROOM, *seq + i);
	}
	assert_true(send_all(port, pkts, n));
	while (got < n) {
		if (__atomic_load_n(&s->fault, __ATOMIC_ACQUIRE) != NULL)
			fail_msg("the server: %s", s->fault);
		nb = rte_eth_rx_burst(port, 0, back, BURST);
		for (i = 0; i < nb; i++, got++) {
			assert_true(got < n);
			unit_check_packet(back[i], 60 + (*seq + got) % 1400, *seq + got);
			rte_pktmbuf_free(back[i]);
		}
		if (nb != 0 || got == n)
			continue;
		if (polls != 0) {
			polls--;
			continue;
		}
		if (take_a_nap(port) != NULL)
			fail_msg("the client: %u of %u packets came back", got, n);
	}
	*seq += n;
}

/* While nothing is under way, and the server polls or sleeps. */
static void
disturb(uint16_t port, uint16_t other, unsigned int *seed)
{
	unsigned int which = rand_r(seed) % 5;
	uint16_t victim = which % 2 == 0 ? port : other;

	switch (which) {
	case 0:
	case 1:
		assert_int_equal(rte_eth_dev_set_link_down(victim), 0);
		assert_int_equal(rte_eth_dev_set_link_up(victim), 0);
		break;
	case 2:
		assert_int_equal(rte_eth_dev_stop(port), 0);
		assert_int_equal(rte_eth_dev_start(port), 0);
		break;
	case 3:
		assert_int_equal(rte_eth_dev_rx_queue_stop(port, 0), 0);
		assert_int_equal(rte_eth_dev_rx_queue_start(port, 0), 0);
		break;
	case 4:
		rte_delay_us_sleep(rand_r(seed) % 30000);
		break;
	}
	pair_wait();
}

static void
run(bool front_is_client)
{
	const char *seconds = getenv("UNIT_SECONDS");
	uint64_t end = unit_now_ms() + (seconds != NULL ? atoi(seconds) : SECONDS) * 500;
	uint16_t port = front_is_client ? pair.front : pair.back;
	struct server s = { .port = front_is_client ? pair.back : pair.front, .seed = 7 };
	unsigned int seed = 11, disturbed = 0, rounds = 0;
	struct rte_mbuf *m;
	pthread_t thread;
	uint64_t seq = 0;

	assert_int_equal(sleeper_watch(port, 0), 0);
	assert_int_equal(pthread_create(&thread, NULL, serve, &s), 0);
	for (; unit_now_ms() < end || rounds < CALM; rounds++) {
		run_round(&s, port, &seed, &seq);
		if (rand_r(&seed) % CALM == 0) {
			disturb(port, s.port, &seed);
			disturbed++;
		}
	}
	__atomic_store_n(&s.stop, true, __ATOMIC_RELEASE);
	/* It may be asleep. */
	m = unit_packet(60, UNIT_ROOM, 0);
	assert_true(send_all(port, &m, 1));
	pthread_join(thread, NULL);
	if (s.fault != NULL)
		fail_msg("the server: %s", s.fault);
	print_message("%u rounds, %" PRIu64 " packets, %" PRIu64 " naps of the server, "
		      "%u disturbances\n",
			rounds, seq, s.slept, disturbed);
}

static void
soak(bool front_is_client)
{
	pair_probe(1);
	unit_rx_interrupts = true;
	unit_start(pair.back, 1, 0, unit_pool);
	unit_start(pair.front, 1, 0, unit_pool);
	unit_rx_interrupts = false;
	pair_wait();
	run(front_is_client);
	pair_close();
}

static void
test_from_front(void **state __rte_unused)
{
	soak(true);
}

static void
test_from_back(void **state __rte_unused)
{
	soak(false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_front),
		cmocka_unit_test(test_from_back),
	};

	return cmocka_run_group_tests_name("soak", tests, unit_setup, unit_teardown);
}
