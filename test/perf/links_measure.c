/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* What is measured on links, by one lcore and in cycles of the TSC. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>

#include "links.h"

/* Polls of all links between two looks at the clock. */
#define POLLS 1024
/* Passes, over all links, that make one sample. */
#define PASSES 64
#define SAMPLES_MAX 65536u
/* So many times as long it may take until there are samples without a preemption. */
#define PATIENCE 4
#define RTTS_MAX (1u << 20)
#define NAMES 4
#define CLOCK_PAIRS 4096

/* The time that samples are taken for; those that count. */
struct span {
	uint64_t begin;
	uint64_t cycles;
	unsigned int nb;
	long preemptions;
};

/* Cycles between pairs of looks at the clock, and how many pairs those were. */
struct tally {
	uint64_t cycles;
	uint64_t pairs;
};

static volatile bool echo_ended;
/* What a pair costs by itself: the clock's steps may be wider, and even out. */
static double clock_cycles;

/* Neither what comes before nor what comes behind is on the wrong side of it. */
static inline uint64_t
now(void)
{
	uint64_t cycles;

	rte_rmb();
	cycles = rte_rdtsc();
	rte_rmb();
	return cycles;
}

static int
compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/*
 * They are sorted then. Where the clock's steps are wide many samples are equal, and stand for all
 * that is nearer to them than to their neighbours.
 */
static double
percentile(double *samples, unsigned int n, unsigned int percent)
{
	unsigned int rank, low, high;
	double value, left, right;

	qsort(samples, n, sizeof(samples[0]), compare);
	rank = low = high = (uint64_t)(n - 1) * percent / 100;
	value = samples[rank];
	while (low > 0 && samples[low - 1] == value)
		low--;
	while (high < n && samples[high] == value)
		high++;
	left = low > 0 ? (samples[low - 1] + value) / 2 : value;
	right = high < n ? (value + samples[high]) / 2 : value;
	return left + (right - left) * (rank - low + 0.5) / (high - low);
}

/* The mean, without what was interrupted. */
static void
weigh_clock(void)
{
	static double samples[CLOCK_PAIRS];
	double sum = 0;
	uint64_t begin;
	unsigned int i;

	for (i = 0; i < CLOCK_PAIRS; i++) {
		begin = now();
		samples[i] = now() - begin;
	}
	qsort(samples, CLOCK_PAIRS, sizeof(samples[0]), compare);
	for (i = 0; i < CLOCK_PAIRS * 9 / 10; i++)
		sum += samples[i];
	clock_cycles = sum / i;
}

static inline void
add_since(struct tally *t, uint64_t begin)
{
	t->cycles += now() - begin;
	t->pairs++;
}

/* Send, or receive, all of a batch; how many bursts that takes is the driver's affair. */
static int
burst_all(uint16_t port, bool send, struct rte_mbuf **pkts, uint16_t batch, struct tally *t)
{
	uint64_t begin, lost = rte_rdtsc() + LINKS_LOST_S * rte_get_tsc_hz();
	uint16_t n = 0;

	while (n < batch) {
		begin = now();
		if (send)
			n += rte_eth_tx_burst(port, 0, pkts + n, batch - n);
		else
			n += rte_eth_rx_burst(port, 0, pkts + n, batch - n);
		add_since(t, begin);
		if (n < batch && begin > lost)
			return -ETIMEDOUT;
	}
	return 0;
}

static void
guest_send(struct leanfront *guest, uint16_t batch, struct tally *t)
{
	uint64_t begin = now();

	leanfront_transmit(guest, batch);
	add_since(t, begin);
}

static int
guest_receive(struct leanfront *guest, uint16_t batch, struct tally *t)
{
	uint64_t begin, lost = rte_rdtsc() + LINKS_LOST_S * rte_get_tsc_hz();
	uint32_t n = 0;

	while (n < batch) {
		begin = now();
		n += leanfront_receive(guest);
		add_since(t, begin);
		if (begin > lost)
			return -ETIMEDOUT;
	}
	return 0;
}

/* One batch to the backend of a link, and back: the frontend's tx, the backend's rx and tx, ... */
static int
pass(struct link *link, uint16_t batch, struct tally t[NAMES])
{
	struct rte_mbuf *pkts[LINKS_BURST_MAX];
	int ret = 0;

	if (link->guest != NULL)
		guest_send(link->guest, batch, &t[0]);
	else
		ret = burst_all(link->front, true, link->pkts, batch, &t[0]);
	if (ret == 0)
		ret = burst_all(link->back, false, pkts, batch, &t[1]);
	if (ret == 0)
		ret = burst_all(link->back, true, pkts, batch, &t[2]);
	if (ret != 0)
		return ret;
	return link->guest != NULL ? guest_receive(link->guest, batch, &t[3]) :
				     burst_all(link->front, false, link->pkts, batch, &t[3]);
}

/* How often this thread has lost its core. */
static long
preemptions(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nivcsw;
}

static void
span_begin(struct span *s, const struct links *l)
{
	weigh_clock();
	s->begin = rte_rdtsc();
	s->cycles = l->ms * rte_get_tsc_hz() / 1000;
	s->nb = 0;
}

static void
sample_begin(struct span *s)
{
	s->preemptions = preemptions();
}

/* A sample is there, and to be kept unless it was interrupted. Is there time for more? */
static bool
sample_end(struct span *s)
{
	uint64_t spent = rte_rdtsc() - s->begin;
	bool late = spent > s->cycles * PATIENCE;

	if (preemptions() == s->preemptions || (late && s->nb == 0))
		s->nb++;
	return s->nb < SAMPLES_MAX && (spent < s->cycles || (s->nb == 0 && !late));
}

/* Packets of a length for every front port that needs them. */
static int
packets_make(struct links *l, unsigned int length, unsigned int batch)
{
	static const struct rte_ether_hdr eth = {
		.dst_addr.addr_bytes = { 2, 0, 0, 0, 0, 1 },
		.src_addr.addr_bytes = { 2, 0, 0, 0, 0, 2 },
		.ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4),
	};
	unsigned int i, j;
	char *data;

	for (i = 0; i < l->nb; i++) {
		if (l->link[i].guest != NULL)
			continue;
		if (rte_pktmbuf_alloc_bulk(l->pool, l->link[i].pkts, batch) != 0)
			return -ENOMEM;
		for (j = 0; j < batch; j++) {
			data = rte_pktmbuf_append(l->link[i].pkts[j], length);
			if (data == NULL)
				return -E2BIG;
			memset(data, 0, length);
			memcpy(data, &eth, sizeof(eth));
		}
	}
	return 0;
}

static void
packets_free(struct links *l, unsigned int batch)
{
	unsigned int i;

	for (i = 0; i < l->nb; i++) {
		if (l->link[i].guest == NULL)
			rte_pktmbuf_free_bulk(l->link[i].pkts, batch);
	}
}

/* A packet on every link, there and back: what has never had one may be quicker. */
static int
pass_one(struct links *l)
{
	struct tally t[NAMES] = { 0 };
	unsigned int i;
	int ret = packets_make(l, l->lengths[0], 1);

	for (i = 0; i < l->nb && ret == 0; i++)
		ret = pass(&l->link[i], 1, t);
	if (ret == 0)
		packets_free(l, 1);
	return ret;
}

int
links_idle(struct links *l)
{
	static double rx[SAMPLES_MAX], tx[SAMPLES_MAX];
	struct rte_mbuf *pkts[LINKS_BURST_MAX];
	uint64_t begin, between;
	unsigned int i, j;
	struct span s;
	int ret = pass_one(l);

	if (ret != 0)
		return ret;
	span_begin(&s, l);
	do {
		sample_begin(&s);
		begin = now();
		for (i = 0; i < POLLS; i++) {
			for (j = 0; j < l->nb; j++) {
				if (rte_eth_rx_burst(l->link[j].back, 0, pkts, 32) != 0)
					return -EPROTO;
			}
		}
		between = now();
		for (i = 0; i < POLLS; i++) {
			for (j = 0; j < l->nb; j++)
				rte_eth_tx_burst(l->link[j].back, 0, pkts, 0);
		}
		tx[s.nb] = (double)(now() - between) / POLLS / l->nb;
		rx[s.nb] = (double)(between - begin) / POLLS / l->nb;
	} while (sample_end(&s));
	printf("idle.rx 0 0 %.2f\n", percentile(rx, s.nb, 50));
	printf("idle.tx 0 0 %.2f\n", percentile(tx, s.nb, 50));
	return 0;
}

static int
bursts_of(struct links *l, unsigned int length, unsigned int batch)
{
	static const char *const names[NAMES] = { "frontend.tx", "backend.rx", "backend.tx",
		"frontend.rx" };
	static double samples[NAMES][SAMPLES_MAX];
	struct tally t[NAMES];
	unsigned int rounds = RTE_MAX(1u, PASSES / l->nb), i, round;
	struct span s;
	int ret = 0;

	span_begin(&s, l);
	do {
		sample_begin(&s);
		memset(t, 0, sizeof(t));
		for (round = 0; round < rounds; round++) {
			for (i = 0; i < l->nb && ret == 0; i++)
				ret = pass(&l->link[i], batch, t);
		}
		if (ret != 0)
			return ret;
		for (i = 0; i < NAMES; i++)
			samples[i][s.nb] = (t[i].cycles - t[i].pairs * clock_cycles) / rounds /
					l->nb / batch;
	} while (sample_end(&s));
	for (i = 0; i < NAMES; i++)
		printf("%s %u %u %.2f\n", names[i], length, batch,
				percentile(samples[i], s.nb, 50));
	return 0;
}

int
links_bursts(struct links *l)
{
	unsigned int i, j;
	int ret = 0;

	for (i = 0; i < l->nb_lengths && ret == 0; i++) {
		for (j = 0; j < l->nb_batches && ret == 0; j++) {
			ret = packets_make(l, l->lengths[i], l->batches[j]);
			if (ret == 0)
				ret = bursts_of(l, l->lengths[i], l->batches[j]);
			if (ret == 0)
				packets_free(l, l->batches[j]);
		}
	}
	return ret;
}

static inline uint16_t
echo(uint16_t port)
{
	struct rte_mbuf *pkts[LINKS_BURST_MAX];
	uint16_t n = rte_eth_rx_burst(port, 0, pkts, 32), sent = 0;

	while (sent < n && !echo_ended)
		sent += rte_eth_tx_burst(port, 0, pkts + sent, n - sent);
	return n;
}

void
links_echo(struct links *l)
{
	while (!echo_ended)
		echo(l->link[0].back);
}

void
links_echo_end(void)
{
	echo_ended = true;
}

/* The backend's part is done in between, or by another lcore. */
static int
trip(struct link *link, bool both)
{
	uint64_t lost = rte_rdtsc() + LINKS_LOST_S * rte_get_tsc_hz();

	while (rte_eth_tx_burst(link->front, 0, link->pkts, 1) == 0) {
		if (rte_rdtsc() > lost)
			return -ETIMEDOUT;
	}
	do {
		if (both)
			echo(link->back);
		if (rte_eth_rx_burst(link->front, 0, link->pkts, 1) == 1)
			return 0;
	} while (rte_rdtsc() < lost);
	return -ETIMEDOUT;
}

static int
rtts(struct links *l, const char *name, bool both)
{
	static double samples[RTTS_MAX];
	unsigned int length = l->lengths[0], n;
	uint64_t begin = 0, end;
	int ret;

	ret = packets_make(l, length, 1);
	weigh_clock();
	end = rte_rdtsc() + l->ms * rte_get_tsc_hz() / 1000;
	for (n = 0; ret == 0 && n < RTTS_MAX && (n == 0 || begin < end); n++) {
		begin = now();
		ret = trip(&l->link[0], both);
		samples[n] = (now() - begin - clock_cycles) * 1e9 / rte_get_tsc_hz();
	}
	if (ret != 0)
		return ret;
	printf("%s.p50 %u 1 %.1f\n", name, length, percentile(samples, n, 50));
	printf("%s.p99 %u 1 %.1f\n", name, length, percentile(samples, n, 99));
	packets_free(l, 1);
	return 0;
}

int
links_rtt(struct links *l)
{
	return rtts(l, "rtt", true);
}

int
links_rtt_cores(struct links *l)
{
	return rtts(l, "rtt.cores", false);
}
