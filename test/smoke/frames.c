/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * Sends seeded random frames on all queues of two ports, which something else connects with each
 * other, and compares what arrives at the other port byte by byte and in the order of each queue.
 * Both ends draw the same random numbers, so that nothing has to be remembered.
 */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>

#define NB_PORTS 2
#define QUEUES_MAX 8
#define BURST 8
/* Frames on the way in a queue: the longest of them fit into a ring, so that none may be lost. */
#define WINDOW 32
#define SEGS_MAX 6
#define FRAME_MAX 9000
#define ROOM_LARGE (FRAME_MAX + 216)
#define NB_MBUFS 4096
/* No progress for so long: generous, for a loaded machine. */
#define STALL_LIMIT_S 60

struct options {
	uint32_t queues;
	uint32_t frames;
	uint32_t min;
	uint32_t max;
	uint32_t seed;
	bool chain;
};

/* The frames from one port's queue to the same queue of the other port. */
struct flow {
	uint16_t from;
	uint16_t queue;
	uint32_t total;
	uint32_t sent;
	uint32_t received;
	uint64_t send_rng;
	uint64_t check_rng;
	uint64_t cut_rng;
	struct rte_mbuf *pending;
};

struct frames {
	struct options opt;
	struct rte_mempool *tx_pool;
	struct rte_mempool *rx_pool;
	struct flow flows[NB_PORTS][QUEUES_MAX];
	uint8_t expected[FRAME_MAX];
	uint8_t arrived[FRAME_MAX];
};

static volatile sig_atomic_t stopped;

static void
stop(int signum __rte_unused)
{
	stopped = 1;
}

/* The generator splitmix64: any seed is a good one. */
static uint64_t
draw(uint64_t *rng)
{
	uint64_t z = *rng += UINT64_C(0x9E3779B97F4A7C15);

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

/* Fill in the next frame of a flow; its length. */
static uint32_t
draw_frame(const struct options *opt, uint64_t *rng, uint8_t *frame)
{
	uint32_t len = opt->min + draw(rng) % (opt->max - opt->min + 1), i;
	uint64_t word;

	for (i = 0; i < len; i += sizeof(word)) {
		word = draw(rng);
		memcpy(frame + i, &word, RTE_MIN((uint32_t)sizeof(word), len - i));
	}
	return len;
}

/* Cut a frame into a chain of mbufs, of any lengths and at any offsets. */
static struct rte_mbuf *
make_chain(struct frames *f, struct flow *flow, const uint8_t *frame, uint32_t len)
{
	uint32_t segs = 2 + draw(&flow->cut_rng) % (SEGS_MAX - 1), done = 0, piece;
	struct rte_mbuf *head = NULL, *last = NULL, *m;

	for (; segs > 0 && done < len; segs--, done += piece) {
		m = rte_pktmbuf_alloc(f->tx_pool);
		if (m == NULL) {
			rte_pktmbuf_free(head);
			return NULL;
		}
		m->data_off = draw(&flow->cut_rng) % RTE_PKTMBUF_HEADROOM;
		piece = segs == 1 ? len - done : 1 + draw(&flow->cut_rng) % (len - done);
		memcpy(rte_pktmbuf_mtod(m, void *), frame + done, piece);
		m->data_len = piece;
		if (head == NULL) {
			head = m;
			head->pkt_len = len;
		} else {
			last->next = m;
			head->nb_segs++;
		}
		last = m;
	}
	return head;
}

static struct rte_mbuf *
make_frame(struct frames *f, struct flow *flow)
{
	uint64_t rng = flow->send_rng;
	struct rte_mbuf *m;
	uint32_t len;

	len = draw_frame(&f->opt, &rng, f->expected);
	if (f->opt.chain && flow->sent % 3 == 2) {
		m = make_chain(f, flow, f->expected, len);
	} else {
		m = rte_pktmbuf_alloc(f->tx_pool);
		if (m != NULL)
			memcpy(rte_pktmbuf_append(m, len), f->expected, len);
	}
	if (m != NULL)
		flow->send_rng = rng;
	return m;
}

static bool
send_some(struct frames *f, struct flow *flow)
{
	bool any = false;
	int i;

	for (i = 0; i < BURST; i++) {
		if (flow->pending == NULL && flow->sent < flow->total &&
				flow->sent - flow->received < WINDOW)
			flow->pending = make_frame(f, flow);
		if (flow->pending == NULL ||
				rte_eth_tx_burst(flow->from, flow->queue, &flow->pending, 1) == 0)
			break;
		flow->pending = NULL;
		flow->sent++;
		any = true;
	}
	return any;
}

/* Compare an arrived frame with the one that has to come now. */
static int
check_frame(struct frames *f, struct flow *flow, struct rte_mbuf *m)
{
	uint32_t len = rte_pktmbuf_pkt_len(m), expected, i;
	const uint8_t *data;

	expected = draw_frame(&f->opt, &flow->check_rng, f->expected);
	if (flow->received == flow->total || len != expected) {
		printf("port %u queue %u frame %u of %u: %u bytes arrived, not %u\n", flow->from,
				flow->queue, flow->received, flow->total, len, expected);
		return -EBADMSG;
	}
	data = rte_pktmbuf_read(m, 0, len, f->arrived);
	for (i = 0; data != NULL && i < len && data[i] == f->expected[i]; i++)
		;
	if (i < len) {
		printf("port %u queue %u frame %u of %u: byte %u of %u differs\n", flow->from,
				flow->queue, flow->received, flow->total, i, len);
		return -EBADMSG;
	}
	flow->received++;
	return 0;
}

/* Frames received, or -EBADMSG when one is not what was sent. */
static int
receive_some(struct frames *f, struct flow *flow)
{
	struct rte_mbuf *pkts[BURST];
	uint16_t n, i;
	int ret = 0;

	n = rte_eth_rx_burst(NB_PORTS - 1 - flow->from, flow->queue, pkts, BURST);
	for (i = 0; i < n && ret == 0; i++)
		ret = check_frame(f, flow, pkts[i]);
	rte_pktmbuf_free_bulk(pkts, n);
	return ret < 0 ? ret : n;
}

static bool
finished(const struct frames *f)
{
	unsigned int i;

	for (i = 0; i < NB_PORTS * f->opt.queues; i++) {
		if (f->flows[i % NB_PORTS][i / NB_PORTS].received <
				f->flows[i % NB_PORTS][i / NB_PORTS].total)
			return false;
	}
	return true;
}

static void
report_stall(const struct frames *f)
{
	const struct flow *flow;
	unsigned int i;

	for (i = 0; i < NB_PORTS * f->opt.queues; i++) {
		flow = &f->flows[i % NB_PORTS][i / NB_PORTS];
		if (flow->received < flow->total)
			printf("port %u queue %u: %u frames sent, %u arrived of %u\n", flow->from,
					flow->queue, flow->sent, flow->received, flow->total);
	}
}

/* Exchange all frames; 0 when each has arrived as it was. */
static int
exchange(struct frames *f)
{
	uint64_t limit = rte_get_timer_cycles() + STALL_LIMIT_S * rte_get_timer_hz();
	struct flow *flow;
	unsigned int i;
	bool work;
	int ret;

	while (!finished(f)) {
		work = false;
		for (i = 0; i < NB_PORTS * f->opt.queues; i++) {
			flow = &f->flows[i % NB_PORTS][i / NB_PORTS];
			work |= send_some(f, flow);
			ret = receive_some(f, flow);
			if (ret < 0)
				return ret;
			work |= ret > 0;
		}
		if (work)
			limit = rte_get_timer_cycles() + STALL_LIMIT_S * rte_get_timer_hz();
		else
			usleep(10);
		if (stopped || rte_get_timer_cycles() > limit) {
			report_stall(f);
			return stopped ? -EINTR : -ETIMEDOUT;
		}
	}
	return 0;
}

static void
flows_init(struct frames *f)
{
	struct flow *flow;
	unsigned int i;

	for (i = 0; i < NB_PORTS * f->opt.queues; i++) {
		flow = &f->flows[i % NB_PORTS][i / NB_PORTS];
		flow->from = i % NB_PORTS;
		flow->queue = i / NB_PORTS;
		flow->total = f->opt.frames / f->opt.queues +
				(flow->queue < f->opt.frames % f->opt.queues);
		flow->send_rng = ((uint64_t)f->opt.seed << 8) + i;
		flow->check_rng = flow->send_rng;
		flow->cut_rng = ~flow->send_rng;
	}
}

static int
port_start(const struct frames *f, uint16_t port)
{
	const struct rte_eth_conf conf = {
		.rxmode.mtu = FRAME_MAX,
		.rxmode.offloads = RTE_ETH_RX_OFFLOAD_SCATTER,
		.txmode.offloads = RTE_ETH_TX_OFFLOAD_MULTI_SEGS,
	};
	uint16_t i, n = f->opt.queues;
	int ret;

	ret = rte_eth_dev_configure(port, n, n, &conf);
	for (i = 0; ret == 0 && i < n; i++)
		ret = rte_eth_rx_queue_setup(port, i, 256, SOCKET_ID_ANY, NULL, f->rx_pool);
	for (i = 0; ret == 0 && i < n; i++)
		ret = rte_eth_tx_queue_setup(port, i, 256, SOCKET_ID_ANY, NULL);
	if (ret == 0)
		ret = rte_eth_dev_start(port);
	if (ret < 0)
		printf("port %u does not start: %s\n", port, rte_strerror(-ret));
	return ret;
}

static int
ports_start(struct frames *f)
{
	uint64_t limit = rte_get_timer_cycles() + STALL_LIMIT_S * rte_get_timer_hz();
	struct rte_eth_link link = { 0 };
	uint16_t port;
	int ret;

	f->tx_pool = rte_pktmbuf_pool_create("tx", NB_MBUFS, 64, 0,
			RTE_PKTMBUF_HEADROOM + ROOM_LARGE, SOCKET_ID_ANY);
	f->rx_pool = rte_pktmbuf_pool_create("rx", NB_MBUFS, 64, 0,
			RTE_PKTMBUF_HEADROOM +
					(f->opt.chain ? RTE_MBUF_DEFAULT_DATAROOM : ROOM_LARGE),
			SOCKET_ID_ANY);
	if (f->tx_pool == NULL || f->rx_pool == NULL || rte_eth_dev_count_avail() != NB_PORTS) {
		printf("not %u ports, or no memory for mbufs\n", NB_PORTS);
		return -ENODEV;
	}
	for (port = 0; port < NB_PORTS; port++) {
		ret = port_start(f, port);
		if (ret < 0)
			return ret;
	}
	for (port = 0; port < NB_PORTS && !stopped;) {
		if (rte_eth_link_get_nowait(port, &link) == 0 &&
				link.link_status == RTE_ETH_LINK_UP) {
			port++;
		} else if (rte_get_timer_cycles() > limit) {
			printf("port %u has no link\n", port);
			return -ETIMEDOUT;
		} else {
			usleep(1000);
		}
	}
	return stopped ? -EINTR : 0;
}

static int
parse_args(struct options *opt, int argc, char **argv)
{
	uint32_t *const numbers[] = { &opt->queues, &opt->frames, &opt->seed, &opt->min,
		&opt->max };
	static const struct option options[] = {
		{ "queues", required_argument, NULL, 0 },
		{ "frames", required_argument, NULL, 1 },
		{ "seed", required_argument, NULL, 2 },
		{ "min", required_argument, NULL, 3 },
		{ "max", required_argument, NULL, 4 },
		{ "chain", no_argument, NULL, 5 },
		{ NULL, 0, NULL, 0 },
	};
	int o;

	*opt = (struct options){ .queues = 1, .frames = 2000, .min = 60, .max = FRAME_MAX };
	optind = 1;
	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == 5)
			opt->chain = true;
		else if (o > 5 || sscanf(optarg, "%" SCNu32, numbers[o]) != 1)
			return -EINVAL;
	}
	if (optind < argc || opt->queues < 1 || opt->queues > QUEUES_MAX ||
			opt->min < RTE_ETHER_HDR_LEN || opt->max > FRAME_MAX || opt->min > opt->max)
		return -EINVAL;
	return 0;
}

static void
usage(void)
{
	fprintf(stderr,
			"usage: xenframes EAL-OPTIONS --vdev A --vdev B -- [OPTIONS]\n"
			"  --queues N   queues of each port, 1..%u (1)\n"
			"  --frames N   frames to send from each port (2000)\n"
			"  --min BYTES, --max BYTES   their lengths, 14..%u (60 to %u)\n"
			"  --chain      every third frame is a chain of mbufs\n"
			"  --seed N     which random frames (0)\n",
			QUEUES_MAX, FRAME_MAX, FRAME_MAX);
}

int
main(int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = stop };
	static struct frames f;
	uint16_t port;
	int ret;

	ret = rte_eal_init(argc, argv);
	if (ret < 0 || parse_args(&f.opt, argc - ret, argv + ret) < 0) {
		usage();
		return EXIT_FAILURE;
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	flows_init(&f);
	ret = ports_start(&f);
	if (ret == 0)
		ret = exchange(&f);
	if (ret == 0)
		printf("%u frames each way, %u queues%s: identical and in order\n", f.opt.frames,
				f.opt.queues, f.opt.chain ? ", every third chained" : "");
	RTE_ETH_FOREACH_DEV(port) {
		rte_eth_dev_stop(port);
		rte_eth_dev_close(port);
	}
	rte_eal_cleanup();
	return ret < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
