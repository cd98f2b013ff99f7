/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * A guest's network stack for tests: bridges a tap device of the kernel, in the network namespace
 * where it runs, with a net_xenfront port in the domain where it runs. One thread serves all
 * queues; it sleeps while there is nothing to do.
 */

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/prctl.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include "tap.h"

#define BURST 32
#define MBUFS_PER_QUEUE 1024
/* With room for 64 KiB each. */
#define LARGE_MBUFS_PER_QUEUE 128
#define PORT 0
#define MTU_DEFAULT 1500
/* Turns of the loop without work before the sleep gets longer, and both lengths. */
#define IDLE_TURNS 64
#define SLEEP_SHORT_NS 20000
#define SLEEP_LONG_NS 500000

struct guest_queue {
	/* Read from the tap, not yet taken by the port. */
	struct rte_mbuf *pending[BURST];
	uint16_t nb_pending;
};

struct guest {
	struct tap_config tap;
	struct rte_mempool *pool;
	int fds[TAP_QUEUES_MAX];
	struct guest_queue queues[TAP_QUEUES_MAX];
};

static volatile sig_atomic_t stopped;

static void
stop(int signum __rte_unused)
{
	stopped = 1;
}

static void
usage(FILE *f)
{
	fputs("usage: xenguest EAL-OPTIONS --vdev net_xenfront0,devid=N -- [OPTIONS]\n"
	      "Bridges a tap device, made here, with the first port.\n"
	      "  --tap NAME     the tap device (eth0)\n"
	      "  --mtu BYTES    its MTU, 68..65000 (1500)\n"
	      "  --queues N     queue pairs of both, 1..8 (1)\n"
	      "  --gso          TCP packets to be segmented pass whole, both ways\n"
	      "Ends by SIGTERM or SIGINT, after closing the port.\n",
			f);
}

static int
parse_number(const char *key, const char *text, long min, long max, uint16_t *value)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || n < min || n > max) {
		fprintf(stderr, "xenguest: --%s %s: not a number from %ld to %ld\n", key, text, min,
				max);
		return -EINVAL;
	}
	*value = n;
	return 0;
}

static int
parse_args(struct guest *g, int argc, char **argv)
{
	static const struct option options[] = {
		{ "tap", required_argument, NULL, 't' },
		{ "mtu", required_argument, NULL, 'm' },
		{ "queues", required_argument, NULL, 'q' },
		{ "gso", no_argument, NULL, 'g' },
		{ NULL, 0, NULL, 0 },
	};
	int opt, ret = 0;

	g->tap.name = "eth0";
	g->tap.mtu = MTU_DEFAULT;
	g->tap.queues = 1;
	optind = 1;
	while (ret == 0 && (opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 't':
			g->tap.name = optarg;
			break;
		case 'm':
			ret = parse_number("mtu", optarg, 68, 65000, &g->tap.mtu);
			break;
		case 'q':
			ret = parse_number("queues", optarg, 1, TAP_QUEUES_MAX, &g->tap.queues);
			break;
		case 'g':
			g->tap.gso = true;
			break;
		default:
			ret = -EINVAL;
		}
	}
	return ret == 0 && optind < argc ? -EINVAL : ret;
}

static int
port_setup(struct guest *g)
{
	struct rte_eth_conf conf = {
		.rxmode.mtu = g->tap.mtu,
		.rxmode.offloads = RTE_ETH_RX_OFFLOAD_UDP_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM,
		.txmode.offloads = RTE_ETH_TX_OFFLOAD_UDP_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM,
	};
	uint16_t i, n = g->tap.queues, mbufs = MBUFS_PER_QUEUE;
	uint32_t room = g->tap.mtu + RTE_ETHER_HDR_LEN + 2 * RTE_VLAN_HLEN;
	int ret;

	room = RTE_MAX(RTE_ALIGN(room, RTE_CACHE_LINE_SIZE), (uint32_t)RTE_MBUF_DEFAULT_DATAROOM);
	room += RTE_PKTMBUF_HEADROOM;
	if (g->tap.gso) {
		conf.rxmode.offloads |= RTE_ETH_RX_OFFLOAD_TCP_LRO;
		conf.txmode.offloads |= RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_IPV4_CKSUM;
		room = UINT16_MAX;
		mbufs = LARGE_MBUFS_PER_QUEUE;
	}
	if (!rte_eth_dev_is_valid_port(PORT) || room > UINT16_MAX) {
		fprintf(stderr, "xenguest: no port, or the MTU is too large\n");
		return -ENODEV;
	}
	g->pool = rte_pktmbuf_pool_create("guest", n * mbufs, 64, 0, room, SOCKET_ID_ANY);
	if (g->pool == NULL) {
		fprintf(stderr, "xenguest: no memory for mbufs: %s\n", rte_strerror(rte_errno));
		return -rte_errno;
	}
	ret = rte_eth_dev_configure(PORT, n, n, &conf);
	for (i = 0; ret == 0 && i < n; i++)
		ret = rte_eth_rx_queue_setup(PORT, i, 256, SOCKET_ID_ANY, NULL, g->pool);
	for (i = 0; ret == 0 && i < n; i++)
		ret = rte_eth_tx_queue_setup(PORT, i, 256, SOCKET_ID_ANY, NULL);
	if (ret == 0)
		ret = rte_eth_dev_start(PORT);
	if (ret < 0)
		fprintf(stderr, "xenguest: cannot start the port: %s\n", rte_strerror(-ret));
	return ret;
}

/* The vif's address is known once it is connected. */
static void
wait_for_link(void)
{
	const struct timespec ts = { .tv_nsec = 2 * SLEEP_LONG_NS };
	struct rte_eth_link link = { 0 };

	while (!stopped) {
		if (rte_eth_link_get_nowait(PORT, &link) == 0 &&
				link.link_status == RTE_ETH_LINK_UP)
			return;
		nanosleep(&ts, NULL);
	}
}

static uint16_t
tap_to_port(struct guest *g, uint16_t i)
{
	struct guest_queue *q = &g->queues[i];
	struct rte_mbuf *m;
	uint16_t sent;

	/* What the port has not taken comes first: the tap's own queue holds the rest back. */
	while (q->nb_pending < BURST) {
		m = rte_pktmbuf_alloc(g->pool);
		if (m == NULL)
			break;
		if (tap_read(g->fds[i], m) <= 0) {
			rte_pktmbuf_free(m);
			break;
		}
		q->pending[q->nb_pending++] = m;
	}
	if (q->nb_pending == 0)
		return 0;
	sent = rte_eth_tx_burst(PORT, i, q->pending, q->nb_pending);
	q->nb_pending -= sent;
	memmove(q->pending, q->pending + sent, q->nb_pending * sizeof(q->pending[0]));
	return sent;
}

static uint16_t
port_to_tap(struct guest *g, uint16_t i)
{
	struct rte_mbuf *pkts[BURST];
	uint16_t n, j;

	n = rte_eth_rx_burst(PORT, i, pkts, BURST);
	/* What the kernel does not take is lost, as on any device whose queue is full. */
	for (j = 0; j < n; j++)
		tap_write(g->fds[i], pkts[j]);
	rte_pktmbuf_free_bulk(pkts, n);
	return n;
}

static void
sleep_a_little(const struct guest *g, unsigned int idle)
{
	const struct timespec ts = {
		.tv_nsec = idle < IDLE_TURNS ? SLEEP_SHORT_NS : SLEEP_LONG_NS,
	};
	struct pollfd fds[TAP_QUEUES_MAX];
	uint16_t i;

	for (i = 0; i < g->tap.queues; i++) {
		fds[i].fd = g->fds[i];
		fds[i].events = g->queues[i].nb_pending == 0 ? POLLIN : 0;
	}
	ppoll(fds, g->tap.queues, &ts, NULL);
}

static void
run(struct guest *g)
{
	unsigned int idle = 0, work;
	uint16_t i;

	while (!stopped) {
		work = 0;
		for (i = 0; i < g->tap.queues; i++) {
			work += port_to_tap(g, i);
			work += tap_to_port(g, i);
		}
		idle = work != 0 ? 0 : idle + 1;
		if (work == 0)
			sleep_a_little(g, idle);
	}
}

/* Bridge until told to stop; 0 or -errno. */
static int
guest_main(struct guest *g)
{
	char mac[RTE_ETHER_ADDR_FMT_SIZE];
	int ret;

	ret = port_setup(g);
	if (ret < 0)
		return ret;
	wait_for_link();
	if (stopped)
		return 0;
	rte_eth_macaddr_get(PORT, &g->tap.mac);
	ret = tap_open(&g->tap, g->fds);
	if (ret < 0)
		return ret;
	rte_ether_format_addr(mac, sizeof(mac), &g->tap.mac);
	printf("xenguest: %s is up: %s, mtu %u, queues %u\n", g->tap.name, mac, g->tap.mtu,
			g->tap.queues);
	fflush(stdout);
	run(g);
	return 0;
}

int
main(int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = stop };
	static struct guest g;
	int ret;

	ret = rte_eal_init(argc, argv);
	if (ret < 0) {
		usage(stderr);
		return EXIT_FAILURE;
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	/* Else each short sleep is 50 us longer. */
	prctl(PR_SET_TIMERSLACK, 1000);
	if (parse_args(&g, argc - ret, argv + ret) < 0) {
		usage(stderr);
		ret = -EINVAL;
	} else {
		ret = guest_main(&g);
	}
	if (rte_eth_dev_is_valid_port(PORT)) {
		rte_eth_dev_stop(PORT);
		rte_eth_dev_close(PORT);
	}
	rte_eal_cleanup();
	return ret < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
