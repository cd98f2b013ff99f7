/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * Packets that wake up a router which sleeps: one after the other into the first port, each after a
 * pause; how long they take until they come out of the second one. This side never sleeps.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_udp.h>

#define BURST 32
#define NB_DESC 256
#define NB_MBUFS 2048
/* Later than this a packet is lost. */
#define LOST_S 2
/* The router has 1.1.1.0/24 and 2.1.1.0/24. */
#define FROM RTE_IPV4(1, 1, 1, 2)
#define TO RTE_IPV4(2, 1, 1, 2)

struct packet {
	struct rte_ether_hdr eth;
	struct rte_ipv4_hdr ip;
	struct rte_udp_hdr udp;
	/* Which one it is. */
	uint32_t number;
	char data[60];
} __attribute__((packed));

static int
port_start(uint16_t port, struct rte_mempool *pool)
{
	const struct rte_eth_conf conf = { 0 };
	int ret = rte_eth_dev_configure(port, 1, 1, &conf);

	if (ret == 0)
		ret = rte_eth_rx_queue_setup(port, 0, NB_DESC, SOCKET_ID_ANY, NULL, pool);
	if (ret == 0)
		ret = rte_eth_tx_queue_setup(port, 0, NB_DESC, SOCKET_ID_ANY, NULL);
	if (ret == 0)
		ret = rte_eth_dev_start(port);
	if (ret == 0 && rte_eth_promiscuous_enable(port) != 0)
		printf("port %u is not promiscuous\n", port);
	return ret;
}

static uint32_t number;

static void
send_packet(struct rte_mempool *pool)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	struct packet *p;

	if (m == NULL)
		return;
	p = rte_pktmbuf_mtod(m, struct packet *);
	m->data_len = m->pkt_len = sizeof(*p);
	memset(p, 0, sizeof(*p));
	p->eth.dst_addr.addr_bytes[0] = p->eth.src_addr.addr_bytes[0] = 2;
	p->eth.src_addr.addr_bytes[5] = 1;
	p->eth.ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
	p->ip.version_ihl = RTE_IPV4_VHL_DEF;
	p->ip.total_length = rte_cpu_to_be_16(sizeof(*p) - sizeof(p->eth));
	p->ip.time_to_live = 64;
	p->ip.next_proto_id = IPPROTO_UDP;
	p->ip.src_addr = rte_cpu_to_be_32(FROM);
	p->ip.dst_addr = rte_cpu_to_be_32(TO);
	p->ip.hdr_checksum = rte_ipv4_cksum(&p->ip);
	p->udp.dgram_len = rte_cpu_to_be_16(sizeof(p->udp) + sizeof(p->number) + sizeof(p->data));
	p->number = ++number;
	if (rte_eth_tx_burst(0, 0, &m, 1) != 1)
		rte_pktmbuf_free(m);
}

/* Has the last one come? Those that were given up may come, too. */
static unsigned int
receive(uint16_t port)
{
	struct rte_mbuf *m[BURST];
	const struct packet *p;
	uint16_t n = rte_eth_rx_burst(port, 0, m, BURST);
	unsigned int i, ours = 0;

	for (i = 0; i < n; i++) {
		p = rte_pktmbuf_mtod(m[i], const struct packet *);
		ours += rte_pktmbuf_data_len(m[i]) >= sizeof(*p) &&
				p->ip.dst_addr == rte_cpu_to_be_32(TO) && p->number == number;
		rte_pktmbuf_free(m[i]);
	}
	return ours;
}

/* Both ports are polled: a router may say something of its own. */
static unsigned int
poll_until(uint64_t end, bool one)
{
	unsigned int n = 0;

	while (!(one && n > 0) && rte_get_tsc_cycles() < end) {
		receive(0);
		n += receive(1);
	}
	return n;
}

static void
exchange(struct rte_mempool *pool, unsigned int packets, unsigned int usec)
{
	uint64_t hz = rte_get_tsc_hz(), begin, pause = hz / 1000000 * usec;
	unsigned int i;

	for (i = 0; i < packets; i++) {
		poll_until(rte_get_tsc_cycles() + pause, false);
		begin = rte_get_tsc_cycles();
		send_packet(pool);
		if (poll_until(begin + LOST_S * hz, true) == 0)
			printf("lost\n");
		else
			printf("%.2f\n", (rte_get_tsc_cycles() - begin) * 1e6 / hz);
	}
}

/* The router may be there, and not yet have seen this side. */
static int
first_packet(struct rte_mempool *pool)
{
	unsigned int i;

	for (i = 0; i < 60; i++) {
		send_packet(pool);
		if (poll_until(rte_get_tsc_cycles() + rte_get_tsc_hz(), true) != 0)
			return 0;
	}
	return -ETIMEDOUT;
}

static void
usage(void)
{
	fprintf(stderr,
			"usage: xenwake EAL-OPTIONS --vdev A --vdev B -- PACKETS USEC\n"
			"Prints for each packet how many microseconds it took, or 'lost'.\n");
}

int
main(int argc, char **argv)
{
	struct rte_mempool *pool;
	unsigned int packets, usec;
	int used, ret;

	used = rte_eal_init(argc, argv);
	if (used < 0 || argc - used != 3 || sscanf(argv[used + 1], "%u", &packets) != 1 ||
			sscanf(argv[used + 2], "%u", &usec) != 1) {
		usage();
		return EXIT_FAILURE;
	}
	pool = rte_pktmbuf_pool_create("wake", NB_MBUFS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
			SOCKET_ID_ANY);
	ret = pool == NULL ? -ENOMEM : port_start(0, pool);
	if (ret == 0)
		ret = port_start(1, pool);
	if (ret == 0)
		ret = first_packet(pool);
	if (ret == 0)
		exchange(pool, packets, usec);
	else
		fprintf(stderr, "xenwake: %s\n", strerror(-ret));
	rte_eth_dev_stop(0);
	rte_eth_dev_stop(1);
	rte_eal_cleanup();
	return ret == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
