/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Makes links with both ends in this process, and has them measured. */

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>

#include "links.h"

#define DESCRIPTORS_MAX 4096
#define MBUFS_LINK 1024
#define MBUFS 7168
/* Room for twice the longest packet: the drivers can always place a packet within one page. */
#define ROOM (3200 - RTE_PKTMBUF_HEADROOM)
#define LENGTH_MAX 1518
/* The frames of a guest are as many as its ring has slots. */
#define GUEST_PAGES (XEN_NETIF_RING_SIZE / LEANFRONT_FRAMES_PAGE)
#define LINK_MS 10

static const struct {
	const char *name;
	links_measure measure;
} measures[] = {
	{ "idle", links_idle },
	{ "bursts", links_bursts },
	{ "rtt", links_rtt },
	{ "rtt-cores", links_rtt_cores },
};

struct options {
	links_measure measure;
	const char *fronts[LINKS_MAX];
	unsigned int nb_fronts;
	unsigned int descriptors;
	bool guests;
	bool registered;
};

static struct options opt = { .descriptors = 256 };
static struct links links = {
	.lengths = { 64 },
	.batches = { 32 },
	.nb_lengths = 1,
	.nb_batches = 1,
	.ms = 1000,
};
static struct leanfront guests[LINKS_MAX];

static int __rte_format_printf(2, 3) fail(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vwarnx(fmt, ap);
	va_end(ap);
	return err;
}

static int
usage(void)
{
	fputs("usage: xenlinks EAL-OPTIONS -- [OPTIONS] MEASURE\n"
	      "Measures links that have both ends in this process: the first half of the ports\n"
	      "are backends and the others their frontends, in the same order.\n"
	      "MEASURE: idle (a poll of a backend that has nothing), bursts (each end's burst\n"
	      "functions) or rtt (one packet under way; rtt-cores: the ends on two lcores).\n"
	      "  --front DEVARGS    a frontend that is attached when the backends have started;\n"
	      "                     for each backend, which all ports are then\n"
	      "  --guests           instead guests of this domain: vifs 0, 1, ...\n"
	      "  --register         they register their pages\n"
	      "  --descriptors N    of each queue (256)\n"
	      "  --lengths N[,N...] of packets (64)\n"
	      "  --batches N[,N...] of packets (32)\n"
	      "  --ms N             how long each measurement takes (1000)\n"
	      "Prints lines of a name, a length, a batch, and cycles (rtt: nanoseconds).\n",
			stderr);
	return -EINVAL;
}

static int
parse_list(const char *text, unsigned int max, unsigned int *list, unsigned int *nb)
{
	char *end;

	for (*nb = 0; *nb < LINKS_LIST_MAX; text = end + 1) {
		list[*nb] = strtoul(text, &end, 10);
		if (end == text || list[*nb] < 1 || list[*nb] > max)
			return -EINVAL;
		(*nb)++;
		if (*end != ',')
			return *end == '\0' ? 0 : -EINVAL;
	}
	return -E2BIG;
}

static int
parse_number(const char *text, unsigned int max, unsigned int *value)
{
	unsigned int list[LINKS_LIST_MAX], nb;

	if (parse_list(text, max, list, &nb) != 0 || nb != 1)
		return -EINVAL;
	*value = list[0];
	return 0;
}

static int
parse_option(int option)
{
	switch (option) {
	case 'f':
		if (opt.nb_fronts == LINKS_MAX)
			return -E2BIG;
		opt.fronts[opt.nb_fronts++] = optarg;
		return 0;
	case 'g':
		opt.guests = true;
		return 0;
	case 'r':
		opt.registered = true;
		return 0;
	case 'd':
		return parse_number(optarg, DESCRIPTORS_MAX, &opt.descriptors);
	case 'l':
		return parse_list(optarg, LENGTH_MAX, links.lengths, &links.nb_lengths);
	case 'b':
		return parse_list(optarg, LINKS_BURST_MAX, links.batches, &links.nb_batches);
	case 'm':
		return parse_number(optarg, 3600000, &links.ms);
	}
	return -EINVAL;
}

static int
parse_args(int argc, char **argv)
{
	static const struct option options[] = {
		{ "front", required_argument, NULL, 'f' },
		{ "guests", no_argument, NULL, 'g' },
		{ "register", no_argument, NULL, 'r' },
		{ "descriptors", required_argument, NULL, 'd' },
		{ "lengths", required_argument, NULL, 'l' },
		{ "batches", required_argument, NULL, 'b' },
		{ "ms", required_argument, NULL, 'm' },
		{ NULL, 0, NULL, 0 },
	};
	unsigned int i;
	int option;

	optind = 1;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (parse_option(option) != 0)
			return usage();
	}
	for (i = 0; optind == argc - 1 && i < RTE_DIM(measures); i++) {
		if (strcmp(argv[optind], measures[i].name) == 0)
			opt.measure = measures[i].measure;
	}
	if (opt.measure == NULL || (opt.guests && opt.nb_fronts != 0) ||
			(opt.registered && !opt.guests))
		return usage();
	return 0;
}

static int
port_start(uint16_t port)
{
	const struct rte_eth_conf conf = { 0 };
	int ret = rte_eth_dev_configure(port, 1, 1, &conf);

	if (ret == 0)
		ret = rte_eth_rx_queue_setup(port, 0, opt.descriptors, SOCKET_ID_ANY, NULL,
				links.pool);
	if (ret == 0)
		ret = rte_eth_tx_queue_setup(port, 0, opt.descriptors, SOCKET_ID_ANY, NULL);
	if (ret == 0)
		ret = rte_eth_dev_start(port);
	/* What is not promiscuous by itself, and cannot be, takes all packets anyway. */
	if (ret == 0)
		rte_eth_promiscuous_enable(port);
	return ret == 0 ? 0 : fail(ret, "cannot start port %u: %s", port, rte_strerror(-ret));
}

static int
wait_up(uint16_t port)
{
	uint64_t end = rte_get_timer_cycles() + LINKS_LOST_S * rte_get_timer_hz();
	struct rte_eth_link link = { 0 };

	while (rte_get_timer_cycles() < end) {
		if (rte_eth_link_get_nowait(port, &link) == 0 &&
				link.link_status == RTE_ETH_LINK_UP)
			return 0;
		rte_delay_ms(LINK_MS);
	}
	return fail(-ETIMEDOUT, "port %u has no link", port);
}

/* What is in a guest's frames; the backend has no look at it. */
static void
guest_start(struct leanfront *guest, unsigned int devid)
{
	uint32_t i;

	leanfront_boot(guest, devid, false, GUEST_PAGES, LEANFRONT_ROOM);
	for (i = 0; i < guest->nb_frames; i++)
		memset(leanfront_frame(guest, i), 2, LEANFRONT_ROOM);
	guest->raw.ctrl = opt.registered;
	/* Another run's frontend, of another kind, was there before. */
	leanfront_leave(guest);
	rawfront_connect(&guest->raw);
	if (opt.registered)
		leanfront_register(guest);
	leanfront_receive(guest);
}

static int
front_attach(struct link *link, const char *devargs)
{
	struct rte_dev_iterator it;
	int ret = rte_dev_probe(devargs);

	if (ret != 0)
		return fail(ret, "cannot attach %s", devargs);
	link->front = RTE_MAX_ETHPORTS;
	RTE_ETH_FOREACH_MATCHING_DEV(link->front, devargs, &it) {
		rte_eth_iterator_cleanup(&it);
		break;
	}
	return link->front == RTE_MAX_ETHPORTS ? fail(-ENODEV, "%s has no port", devargs) :
						 port_start(link->front);
}

static int
link_start(unsigned int i)
{
	struct link *link = &links.link[i];
	int ret = 0;

	link->front = RTE_MAX_ETHPORTS;
	if (opt.guests) {
		link->guest = &guests[i];
		guest_start(link->guest, i);
	} else if (opt.nb_fronts != 0) {
		ret = front_attach(link, opt.fronts[i]);
	} else {
		link->front = links.nb + i;
		ret = port_start(link->front);
	}
	return ret;
}

static int
link_wait(const struct link *link)
{
	struct rte_mbuf *pkts[LINKS_BURST_MAX];
	int ret = wait_up(link->back);

	if (ret != 0 || link->guest != NULL)
		return ret;
	ret = wait_up(link->front);
	/* Some drivers post no buffers before they are polled. */
	if (ret == 0)
		rte_pktmbuf_free_bulk(pkts, rte_eth_rx_burst(link->front, 0, pkts, 32));
	return ret;
}

static int
links_start(void)
{
	unsigned int ports = rte_eth_dev_count_avail(), i;
	int ret = 0;

	links.nb = opt.guests || opt.nb_fronts != 0 ? ports : ports / 2;
	if (links.nb == 0 || links.nb > LINKS_MAX ||
			(opt.nb_fronts != 0 && opt.nb_fronts != links.nb))
		return fail(-EINVAL, "ports or frontends are missing");
	if (opt.guests)
		leanfront_open();
	links.pool = rte_pktmbuf_pool_create("links", MBUFS + links.nb * MBUFS_LINK, 256, 0,
			ROOM + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY);
	if (links.pool == NULL)
		return fail(-rte_errno, "no mbufs: %s", rte_strerror(rte_errno));
	for (i = 0; i < links.nb && ret == 0; i++) {
		links.link[i].back = i;
		ret = port_start(i);
	}
	for (i = 0; i < links.nb && ret == 0; i++) {
		ret = link_start(i);
		if (ret == 0)
			ret = link_wait(&links.link[i]);
	}
	return ret;
}

/* Frontends first, as guests go. */
static void
links_end(void)
{
	unsigned int ports = rte_eth_dev_count_avail(), i;

	for (i = 0; i < links.nb; i++) {
		if (guests[i].raw.evtchn != NULL)
			leanfront_leave(&guests[i]);
	}
	for (i = ports; i-- > 0;) {
		rte_eth_dev_stop(i);
		rte_eth_dev_close(i);
	}
	for (i = 0; i < LINKS_MAX; i++)
		rawfront_die(&guests[i].raw);
	leanfront_close();
}

static int
measure(void *arg)
{
	int ret;

	RTE_SET_USED(arg);
	ret = opt.measure(&links);
	links_echo_end();
	return ret;
}

/* By a lcore of its own: the drivers' threads are with the main one. */
static int
run(void)
{
	unsigned int lcore = rte_get_next_lcore(-1, 1, 0);
	int ret;

	if (lcore == RTE_MAX_LCORE)
		return fail(-EINVAL, "two lcores are needed");
	ret = rte_eal_remote_launch(measure, NULL, lcore);
	if (ret == 0 && opt.measure == links_rtt_cores)
		links_echo(&links);
	if (ret == 0)
		ret = rte_eal_wait_lcore(lcore);
	return ret == 0 ? 0 : fail(ret, "packets are lost: %s", rte_strerror(-ret));
}

int
main(int argc, char **argv)
{
	int used = rte_eal_init(argc, argv), ret;

	if (used < 0) {
		usage();
		return EXIT_FAILURE;
	}
	ret = parse_args(argc - used, argv + used);
	if (ret == 0) {
		ret = links_start();
		if (ret == 0)
			ret = run();
		links_end();
	}
	rte_eal_cleanup();
	return ret == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
