/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <rte_bus_vdev.h>

#include "unit.h"
#include "xen_netif.h"

#define XSTATS_MAX 2048

bool unit_rx_interrupts;

int
unit_probe(const char *name, const char *args)
{
	return rte_vdev_init(name, args);
}

uint16_t
unit_port(const char *name)
{
	uint16_t port;

	assert_int_equal(rte_eth_dev_get_port_by_name(name, &port), 0);
	return port;
}

void
unit_start_queues(uint16_t port, uint16_t nb_rxq, uint16_t nb_txq, uint64_t offloads,
		struct rte_mempool *pool)
{
	struct rte_eth_conf conf = {
		.rxmode.offloads = offloads,
		/* Ethdev wants it with the hashes. */
		.rxmode.mq_mode = (offloads & RTE_ETH_RX_OFFLOAD_RSS_HASH) != 0 ?
				RTE_ETH_MQ_RX_RSS :
				RTE_ETH_MQ_RX_NONE,
		.txmode.offloads = RTE_ETH_TX_OFFLOAD_MULTI_SEGS | RTE_ETH_TX_OFFLOAD_TCP_CKSUM |
				RTE_ETH_TX_OFFLOAD_UDP_CKSUM,
		.intr_conf.lsc = 1,
		.intr_conf.rxq = unit_rx_interrupts,
	};
	uint16_t i;

	assert_int_equal(rte_eth_dev_configure(port, nb_rxq, nb_txq, &conf), 0);
	for (i = 0; i < nb_rxq; i++)
		assert_int_equal(rte_eth_rx_queue_setup(port, i, 256, SOCKET_ID_ANY, NULL, pool),
				0);
	for (i = 0; i < nb_txq; i++)
		assert_int_equal(rte_eth_tx_queue_setup(port, i, 256, SOCKET_ID_ANY, NULL), 0);
	assert_int_equal(rte_eth_dev_start(port), 0);
}

void
unit_start(uint16_t port, uint16_t queues, uint64_t offloads, struct rte_mempool *pool)
{
	unit_start_queues(port, queues, queues, offloads, pool);
}

bool
unit_link(uint16_t port)
{
	struct rte_eth_link link;

	assert_int_equal(rte_eth_link_get_nowait(port, &link), 0);
	return link.link_status == RTE_ETH_LINK_UP;
}

static struct {
	unsigned int up;
	unsigned int down;
} lsc;

static int
count_lsc(uint16_t port, enum rte_eth_event_type type, void *arg, void *ret)
{
	RTE_SET_USED(type);
	RTE_SET_USED(arg);
	RTE_SET_USED(ret);
	__atomic_fetch_add(unit_link(port) ? &lsc.up : &lsc.down, 1, __ATOMIC_RELAXED);
	return 0;
}

void
unit_lsc_begin(uint16_t port)
{
	struct xen_netif *nif = rte_eth_devices[port].data->dev_private;

	/* What has been told so far may be on its way still. */
	xen_bus_settle(&nif->xbdev);
	__atomic_store_n(&lsc.up, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&lsc.down, 0, __ATOMIC_RELAXED);
	assert_int_equal(rte_eth_dev_callback_register(port, RTE_ETH_EVENT_INTR_LSC, count_lsc,
					 NULL),
			0);
}

void
unit_lsc_end(uint16_t port)
{
	assert_int_equal(rte_eth_dev_callback_unregister(port, RTE_ETH_EVENT_INTR_LSC, count_lsc,
					 NULL),
			0);
}

bool
unit_lsc_are(unsigned int up, unsigned int down)
{
	return __atomic_load_n(&lsc.up, __ATOMIC_RELAXED) == up &&
			__atomic_load_n(&lsc.down, __ATOMIC_RELAXED) == down;
}

uint64_t
unit_xstat(uint16_t port, const char *name)
{
	uint64_t id, value;

	if (rte_eth_xstats_get_id_by_name(port, name, &id) < 0)
		fail_msg("no statistic %s", name);
	assert_int_equal(rte_eth_xstats_get_by_id(port, &id, &value, 1), 1);
	return value;
}

uint64_t
unit_queue_xstat(uint16_t port, const char *dir, unsigned int queue, const char *what)
{
	char name[RTE_ETH_XSTATS_NAME_SIZE];

	snprintf(name, sizeof(name), "%s_q%u_%s", dir, queue, what);
	return unit_xstat(port, name);
}

/* The cause that a ring's statistic of that direction stands for; NULL: it counts no loss. */
static const char *
loss_cause(const char *name, const char *dir)
{
	unsigned int queue;
	int len = 0;
	char way[3];
	size_t end;

	if (sscanf(name, "%2[rtx]_q%u_%n", way, &queue, &len) != 2 || len == 0 ||
			strcmp(way, dir) != 0)
		return NULL;
	name += len;
	/* That of the application's queue, from ethdev itself. */
	if (strcmp(name, "errors") == 0)
		return NULL;
	end = strlen(name);
	if (end > 7 && strcmp(name + end - 7, "_errors") == 0)
		return name;
	return end > 8 && strcmp(name + end - 8, "_dropped") == 0 ? name : NULL;
}

static uint64_t
losses(uint16_t port, const char *dir)
{
	struct rte_eth_xstat_name names[XSTATS_MAX];
	struct rte_eth_xstat xstats[XSTATS_MAX];
	uint64_t sum = 0;
	int i, n;

	n = rte_eth_xstats_get_names(port, names, XSTATS_MAX);
	assert_in_range(n, 1, XSTATS_MAX);
	assert_int_equal(rte_eth_xstats_get(port, xstats, XSTATS_MAX), n);
	for (i = 0; i < n; i++) {
		if (loss_cause(names[i].name, dir) != NULL)
			sum += xstats[i].value;
	}
	return sum;
}

void
unit_check_losses(uint16_t port)
{
	struct rte_eth_stats stats;

	assert_int_equal(rte_eth_stats_get(port, &stats), 0);
	assert_int_equal(losses(port, "rx"), stats.ierrors);
	assert_int_equal(losses(port, "tx"), stats.oerrors);
}

void
unit_remove_port(const char *name)
{
	uint16_t port = unit_port(name);

	rte_eth_dev_stop(port);
	unit_check_losses(port);
	assert_int_equal(rte_eth_dev_close(port), 0);
	assert_int_equal(rte_vdev_uninit(name), 0);
}

/* What xenstored holds, before any test. */
static uint64_t maps_before;
static uint64_t ports_before;
static uint64_t grants_before;

static struct xensim_counters
counters(void)
{
	struct xensim_counters c;

	assert_int_equal(xensim_counters_get(0, &c), 0);
	return c;
}

void
unit_count_from_here(void)
{
	maps_before = counters().maps_live;
	ports_before = counters().ports_live;
	grants_before = counters().grants_live;
}

uint64_t
unit_maps(void)
{
	return counters().maps_live - maps_before;
}

uint64_t
unit_ports(void)
{
	return counters().ports_live - ports_before;
}

uint64_t
unit_grants(void)
{
	return counters().grants_live - grants_before;
}

uint64_t
unit_notifies(void)
{
	return counters().notifies;
}

unsigned int
unit_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	/* ".", ".." and the directory itself. */
	return n - 3;
}

uint64_t
unit_rss(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long long size, rss = 0;

	assert_non_null(f);
	if (fscanf(f, "%llu %llu", &size, &rss) != 2)
		rss = 0;
	fclose(f);
	return rss * sysconf(_SC_PAGESIZE);
}

struct rte_mbuf *
unit_packet(uint32_t len, uint16_t seg, uint32_t seed)
{
	return unit_packet_of(unit_pool, len, seg, seed);
}

struct rte_mbuf *
unit_packet_of(struct rte_mempool *pool, uint32_t len, uint16_t seg, uint32_t seed)
{
	struct rte_mbuf *head = NULL, *m;
	uint32_t done = 0;
	uint16_t n, i;
	uint8_t *data;

	do {
		m = rte_pktmbuf_alloc(pool);
		assert_non_null(m);
		n = RTE_MIN(len - done, RTE_MIN((uint32_t)seg, UNIT_ROOM));
		data = (uint8_t *)rte_pktmbuf_append(m, n);
		for (i = 0; i < n; i++)
			data[i] = unit_byte(seed, done + i);
		done += n;
		if (head == NULL)
			head = m;
		else
			assert_int_equal(rte_pktmbuf_chain(head, m), 0);
	} while (done < len);
	return head;
}

void
unit_check_packet(const struct rte_mbuf *m, uint32_t len, uint32_t seed)
{
	uint32_t done = 0, segs = 0;
	const struct rte_mbuf *seg;
	const uint8_t *data;
	const char *why;
	uint16_t i;

	assert_int_equal(rte_pktmbuf_pkt_len(m), len);
	for (seg = m; seg != NULL; seg = seg->next, segs++) {
		data = rte_pktmbuf_mtod(seg, const uint8_t *);
		for (i = 0; i < seg->data_len; i++) {
			if (data[i] != unit_byte(seed, done + i))
				fail_msg("byte %u of %u differs", done + i, len);
		}
		done += seg->data_len;
	}
	assert_int_equal(done, len);
	assert_int_equal(segs, m->nb_segs);
	if (rte_mbuf_check(m, 1, &why) < 0)
		fail_msg("mbuf: %s", why);
}

static struct rte_mbuf *taken[UNIT_MBUFS];
static unsigned int nb_taken;

void
unit_take_mbufs(unsigned int left)
{
	nb_taken = UNIT_MBUFS - left;
	assert_int_equal(rte_pktmbuf_alloc_bulk(unit_pool, taken, nb_taken), 0);
}

void
unit_give_mbufs_back(void)
{
	rte_pktmbuf_free_bulk(taken, nb_taken);
	nb_taken = 0;
}

void
unit_check_pool(void)
{
	assert_int_equal(rte_mempool_avail_count(unit_pool), UNIT_MBUFS);
}
