/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * Bursts of packets through a switch: each goes out or is counted as lost, no mbuf is, a locked
 * port sends in its own name, and nobody is sent what another VLAN's is. Bytes are counted right.
 *
 * Input: of each of 5 ports what it is (1 byte), its VLANs (1), its offloads (1) and how much is
 * allowed of it (1); how many mbufs there are (1), then bursts: the port (1), packets (1) and how
 * much others take (1); of each packet its flags (1), destination and source (1), length (2),
 * bytes of its first segments (1 each, three of them), mss (1), bytes of data that follow (1) and
 * these.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_cycles.h>
#include <rte_log.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "copies.h"
#include "fdb_cache.h"
#include "forward.h"
#include "fuzz.h"
#include "offload.h"

#define PORTS 5u
#define ROOM 256u
#define PKT_MAX 2000u
#define MAC(n) (UINT64_C(0x3E1600) | (uint64_t)(n) << 40)

static struct {
	struct rte_mempool pool;
	struct rte_pktmbuf_pool_private priv;
} mempool __rte_cache_aligned;
static int32_t mbufs_out;
static uint32_t mbufs_left;
static struct worker worker;
static struct fdb_cache *fdb_cache;
static struct dataplane dp;
static struct rte_ring *news;
static uint32_t generation;
/* Of the burst: where it came in, and which packets have gone on. */
static uint16_t burst_in;
static uint32_t burst_seen;
static uint32_t tx_room;
static uint32_t tx_packets;
static uint64_t tx_bytes[PORTS];
/* Ports that mirrors send by, with any tag, and those that are mirrored. */
static uint32_t mirrored_to;
static uint32_t mirrored;
static struct mirror_counts mirror_counts[PORTS];

/* Mbufs with their buffer behind them, as clones want it; each is memory of its own. */

static int
pool_put(struct rte_mempool *mp __rte_unused, void *const *objs, unsigned int n)
{
	struct rte_mbuf *m;
	unsigned int i;

	for (i = 0; i < n; i++) {
		m = objs[i];
		fuzz_check(m->refcnt == 1 && m->next == NULL && m->nb_segs == 1);
		free((uint8_t *)m - RTE_CACHE_LINE_SIZE);
		mbufs_out--;
	}
	return 0;
}

static int
pool_get(struct rte_mempool *mp, void **objs, unsigned int n)
{
	void *memory;
	unsigned int i;

	if (n > mbufs_left)
		return -ENOBUFS;
	for (i = 0; i < n; i++) {
		fuzz_check(posix_memalign(&memory, RTE_CACHE_LINE_SIZE,
					   RTE_CACHE_LINE_SIZE + mp->elt_size) == 0);
		/* In front of it is a header of the mempool's. */
		memset(memory, 0, RTE_CACHE_LINE_SIZE + sizeof(struct rte_mbuf));
		objs[i] = (uint8_t *)memory + RTE_CACHE_LINE_SIZE;
		rte_pktmbuf_init(mp, NULL, objs[i], 0);
	}
	mbufs_left -= n;
	mbufs_out += n;
	return 0;
}

static int
pool_alloc(struct rte_mempool *mp __rte_unused)
{
	return 0;
}

static unsigned int
pool_count(const struct rte_mempool *mp __rte_unused)
{
	return mbufs_left;
}

static const struct rte_mempool_ops pool_ops = {
	.name = "vsw_frame",
	.alloc = pool_alloc,
	.enqueue = pool_put,
	.dequeue = pool_get,
	.get_count = pool_count,
};

/* What the switch knows: MAC(n) is behind port n, in all of its VLANs. */

void
fdb_lookup(const struct fdb *fdb __rte_unused, const uint64_t *keys, unsigned int n,
		uint64_t *found)
{
	unsigned int i;
	uint16_t port;

	fuzz_check(n > 0 && n <= FDB_BULK_MAX);
	for (i = 0; i < n; i++) {
		port = keys[i] >> 56;
		found[i] = FDB_NONE;
		if (port < PORTS && keys[i] >> 16 == MAC(port) &&
				(keys[i] >> 12 & 0xF) == dp.ports[port].bridge &&
				vlan_has(&dp.ports[port].vlan, keys[i] & VLAN_ID_MASK))
			found[i] = (dp.ports[port].learns ? 0 : FDB_PINNED) | port;
	}
}

uint32_t
fdb_generation(const struct fdb *fdb __rte_unused)
{
	return generation;
}

void
fdb_seen(struct fdb *fdb __rte_unused, uint64_t found, uint32_t now __rte_unused)
{
	fuzz_check(found != FDB_NONE && (found & FDB_PINNED) == 0);
}

uint64_t
rte_get_tsc_hz(void)
{
	return 1000000000;
}

static void
check_chain(const struct rte_mbuf *m)
{
	const struct rte_mbuf *seg;
	uint32_t len = 0, segs = 0;

	for (seg = m; seg != NULL; seg = seg->next, segs++) {
		fuzz_check((uint32_t)seg->data_off + seg->data_len <= seg->buf_len);
		len += seg->data_len;
	}
	fuzz_check(m->pkt_len == len && m->nb_segs == segs);
}

/* The EtherType at a place in the headers, which are in one segment. */
static uint16_t
type_at(const struct rte_mbuf *m, uint32_t at)
{
	const uint8_t *data = rte_pktmbuf_mtod_offset(m, const uint8_t *, at);

	fuzz_check(m->data_len >= at + 2);
	return data[0] << 8 | data[1];
}

/* A packet that is on its way to a port. */
static void
check_out(uint16_t port, const struct rte_mbuf *m)
{
	const struct dp_port *in = &dp.ports[burst_in], *p = &dp.ports[port];
	const struct dp_bridge *bridge = &dp.bridges[in->bridge];
	uint16_t vlan = m->vlan_tci & VLAN_ID_MASK;
	uint64_t source = 0;

	check_chain(m);
	fuzz_check(port < PORTS && port != burst_in && p->bridge == in->bridge);
	fuzz_check((bridge->isolated >> port & bridge->isolated >> burst_in & 1) == 0);
	fuzz_check(vlan_has(&p->vlan, vlan) && vlan_has(&in->vlan, vlan));
	fuzz_check((m->ol_flags & (RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED)) == 0);
	burst_seen |= UINT32_C(1) << m->hash.rss;
	fuzz_check(!in->guest ||
			(type_at(m, 12) != RTE_ETHER_TYPE_VLAN &&
					type_at(m, 12) != RTE_ETHER_TYPE_QINQ));
	if (in->lock == GUARD_OFF)
		return;
	memcpy(&source, rte_pktmbuf_mtod_offset(m, const uint8_t *, 6), 6);
	fuzz_check(source == in->mac);
}

static uint16_t
fake_tx(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t port = (uintptr_t)queue, i, vlan;
	const struct dp_port *p = &dp.ports[port];

	for (i = 0; i < n && tx_room > 0; i++, tx_room--) {
		struct rte_mbuf *m = pkts[i];

		check_chain(m);
		fuzz_check(!offload_missing(m, p->tx_offloads));
		tx_bytes[port] += m->pkt_len;
		vlan = m->vlan_tci & VLAN_ID_MASK;
		if ((mirrored_to >> port & 1) != 0) {
			rte_pktmbuf_free(m);
			tx_packets++;
			continue;
		}
		fuzz_check(vlan_has(&p->vlan, vlan));
		/* Others that have the packet may have it tagged by their device. */
		if (p->native != vlan && (p->tx_offloads & RTE_ETH_TX_OFFLOAD_VLAN_INSERT) == 0) {
			fuzz_check(type_at(m, 12) == RTE_ETHER_TYPE_VLAN);
			fuzz_check(type_at(m, 14) == m->vlan_tci);
			fuzz_check((m->ol_flags & RTE_MBUF_F_TX_VLAN) == 0);
		} else {
			fuzz_check(((m->ol_flags & RTE_MBUF_F_TX_VLAN) != 0) ==
					(p->native != vlan));
		}
		rte_pktmbuf_free(m);
		tx_packets++;
	}
	return i;
}

static uint16_t
fake_prepare(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	/* Others have nothing that is to be changed. */
	fuzz_check(n == 1 &&
			((pkts[0]->ol_flags & OFFLOAD_TX) == 0 ||
					(RTE_MBUF_DIRECT(pkts[0]) && pkts[0]->refcnt == 1)));
	return (uintptr_t)queue != 4;
}

int
LLVMFuzzerInitialize(int *argc __rte_unused, char ***argv __rte_unused)
{
	static void *queues[PORTS], *callbacks[PORTS];
	size_t size = rte_ring_get_memsize_elem(sizeof(struct worker_news), 16);
	int ops = rte_mempool_register_ops(&pool_ops);
	void *memory;
	uintptr_t i;

	fuzz_check(ops >= 0 && posix_memalign(&memory, RTE_CACHE_LINE_SIZE, size) == 0);
	news = memory;
	/* Two sets, so that ports have to share them. */
	size = sizeof(*fdb_cache) + 2 * sizeof(fdb_cache->sets[0]);
	fuzz_check(posix_memalign(&memory, sizeof(fdb_cache->sets[0]), size) == 0);
	memset(memory, 0xFF, size);
	fdb_cache = memory;
	fdb_cache->shift = 63;
	fuzz_check(rte_ring_init(news, "news", 16, 0) == 0);
	mempool.pool.ops_index = ops;
	mempool.pool.private_data_size = sizeof(mempool.priv);
	mempool.pool.elt_size = sizeof(struct rte_mbuf) + RTE_PKTMBUF_HEADROOM + ROOM;
	mempool.priv.mbuf_data_room_size = RTE_PKTMBUF_HEADROOM + ROOM;
	for (i = 0; i < PORTS; i++) {
		queues[i] = (void *)i;
		rte_eth_fp_ops[i].tx_pkt_burst = fake_tx;
		rte_eth_fp_ops[i].tx_pkt_prepare = fake_prepare;
		rte_eth_fp_ops[i].txq.data = &queues[i];
		rte_eth_fp_ops[i].txq.clbk = &callbacks[i];
	}
	rte_log_set_global_level(RTE_LOG_EMERG);
	return 0;
}

static void
make_port(unsigned int i, struct fuzz_input *in)
{
	static const uint16_t natives[] = { 0, 10, 20, VLAN_NONE };
	static const uint64_t offloads[] = { RTE_ETH_TX_OFFLOAD_IPV4_CKSUM,
		RTE_ETH_TX_OFFLOAD_UDP_CKSUM, RTE_ETH_TX_OFFLOAD_TCP_CKSUM,
		RTE_ETH_TX_OFFLOAD_TCP_TSO, RTE_ETH_TX_OFFLOAD_VLAN_INSERT };
	uint8_t what = fuzz_u8(in), vlans = fuzz_u8(in), tx = fuzz_u8(in), storm = fuzz_u8(in);
	struct dp_port *p = &dp.ports[i];
	unsigned int bit;

	p->mac = MAC(i);
	/* No other port is locked. */
	p->guest = (what & 0x40) != 0;
	p->undone = p->guest || (tx & 0x40) != 0;
	p->lock = p->guest ? what % 3 : GUARD_OFF;
	p->bridge = (what & 0x80) != 0;
	p->learns = p->lock == GUARD_OFF;
	p->nb_txqs = 1;
	p->mtu = PKT_MAX;
	p->vlan.native = p->native = natives[vlans % 4];
	for (bit = 0; bit < 3; bit++) {
		/* No VLAN is both. */
		if ((vlans >> (2 + bit) & 1) != 0 && (bit + 1) * 10 != p->native)
			vlan_tag(&p->vlan, (bit + 1) * 10);
	}
	for (bit = 0; bit < RTE_DIM(offloads); bit++)
		p->tx_offloads |= (tx >> bit & 1) != 0 ? offloads[bit] : 0;
	p->nic = !p->guest && (tx & 0x20) != 0;
	p->plain = (tx & 0x3F) == 0x1F && (vlans & 0x1C) == 0;
	p->storm = storm == 0 ? 0 : 100 + storm;
	p->nb_ips = 1;
	p->ips[0] = (struct vif_ip){ .version = 4, .bytes = { 10, 0, 0, 1 } };
	dp.bridges[p->bridge].members |= UINT32_C(1) << i;
	if (p->learns)
		dp.bridges[p->bridge].learning |= UINT32_C(1) << i;
	if ((what & 0x20) != 0)
		dp.bridges[p->bridge].isolated |= UINT32_C(1) << i;
	if ((what & 0x10) != 0)
		mirrored |= UINT32_C(1) << i;
}

/* Have a port mirrored by the next one, as mirror_fill() does. */
static void
make_mirror(unsigned int from)
{
	unsigned int to = (from + 1) % PORTS;

	dp.mirror_ports[to] = dp.ports[to];
	dp.mirror_ports[to].native = 0;
	dp.mirror_ports[to].plain = false;
	dp.mirror_ports[to].rx_copies = dp.mirror_ports[to].tx_copies = NULL;
	dp.rx_copies[from] = (struct dp_copies){
		.mirror = &mirror_counts[from],
		.to = to,
		.to_port = &dp.mirror_ports[to],
		.undone = dp.ports[from].undone,
	};
	dp.ports[from].rx_copies = &dp.rx_copies[from];
	dp.ports[from].tx_copies = &dp.rx_copies[from];
	mirrored_to |= UINT32_C(1) << to;
}

/* Data at the end of the buffer: what is read behind it ASan finds. It begins at an even place, as
 * DPDK's headers want it.
 */
static struct rte_mbuf *
make_segment(uint16_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(&mempool.pool);

	if (m == NULL)
		return NULL;
	m->data_off = (m->buf_len - len) & ~1;
	m->data_len = m->pkt_len = len;
	memset(rte_pktmbuf_mtod(m, void *), 0x11, len);
	return m;
}

static void
fill(struct rte_mbuf *m, uint8_t addresses, struct fuzz_input *in)
{
	uint8_t data[256] = { 0 }, bytes = fuzz_u8(in);
	uint64_t mac;
	uint32_t n, at = 0;

	fuzz_bytes(in, data, bytes);
	/* Addresses that somebody has, unless they are the input's. */
	mac = MAC(addresses & 7);
	if ((addresses & 7) < 7)
		memcpy(data, &mac, 6);
	mac = MAC(addresses >> 4 & 7);
	if ((addresses >> 4 & 7) < 7)
		memcpy(&data[6], &mac, 6);
	for (; m != NULL && at < sizeof(data); m = m->next, at += n) {
		n = RTE_MIN(m->data_len, sizeof(data) - at);
		memcpy(rte_pktmbuf_mtod(m, void *), &data[at], n);
	}
}

static struct rte_mbuf *
make_packet(unsigned int i, struct fuzz_input *in)
{
	static const uint64_t rx[] = { 0, RTE_MBUF_F_RX_L4_CKSUM_NONE, RTE_MBUF_F_RX_LRO,
		RTE_MBUF_F_RX_L4_CKSUM_GOOD };
	uint8_t flags = fuzz_u8(in), addresses = fuzz_u8(in), first[3];
	uint16_t len = fuzz_u16(in) % PKT_MAX, n;
	struct rte_mbuf *head = NULL, *m;
	unsigned int segs;

	fuzz_bytes(in, first, sizeof(first));
	for (segs = 0; segs == 0 || len > 0; segs++, len -= n) {
		n = RTE_MIN(len, segs < RTE_DIM(first) ? first[segs] : (uint16_t)ROOM);
		m = make_segment(n);
		if (m == NULL) {
			rte_pktmbuf_free(head);
			return NULL;
		}
		if (head == NULL)
			head = m;
		else
			fuzz_check(rte_pktmbuf_chain(head, m) == 0);
	}
	head->ol_flags = rx[flags % 4];
	if ((flags & 4) != 0) {
		head->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
		head->vlan_tci = (flags >> 3) * 5;
	}
	head->tso_segsz = fuzz_u8(in);
	head->hash.rss = i;
	fill(head, addresses, in);
	return head;
}

/* All that were lost, but the variants of those that were sent as they are. */
static uint64_t
lost(void)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < DROP_MAX; i++) {
		if (i != DROP_NO_MBUF)
			sum += worker.stats[burst_in].drops[i];
	}
	return sum;
}

static void
run_burst(struct fuzz_input *in)
{
	struct rte_mbuf *pkts[WORKER_BURST];
	uint8_t count;
	uint64_t before;
	uint32_t bytes;
	unsigned int i, j, n = 0;

	burst_in = fuzz_u8(in) % PORTS;
	count = fuzz_u8(in) % (WORKER_BURST + 1);
	tx_room = fuzz_u8(in) == 0xFF ? 3 : UINT32_MAX;
	for (i = 0; i < count; i++) {
		pkts[n] = make_packet(n, in);
		n += pkts[n] != NULL;
	}
	burst_seen = 0;
	before = lost();
	worker.tsc += 1000000;
	if (dp.ports[burst_in].rx_copies != NULL)
		copies_receive(&worker, dp.ports[burst_in].rx_copies, 0, pkts, n);
	bytes = worker_sum_bytes(pkts, n);
	fuzz_check(forward_burst(&worker, &dp, burst_in, pkts, n) == bytes);
	for (i = 0; i < PORTS; i++) {
		for (j = 0; j < worker.out[i].n; j++)
			check_out(i, worker.out[i].pkts[j]);
		fuzz_check(worker.out[i].n == 0 || (worker.pending >> i & 1) != 0);
	}
	fuzz_check(lost() - before + __builtin_popcount(burst_seen) == n);
	for (i = 0; i < PORTS; i++)
		worker_send(&worker, &dp, i);
	worker.pending = 0;
	for (i = 0; i < PORTS; i++) {
		fuzz_check(worker.mirrored[i].n == 0 || (worker.mirror_pending >> i & 1) != 0);
		for (j = 0; j < worker.mirrored[i].n; j++)
			check_chain(worker.mirrored[i].pkts[j]);
		worker_send_mirrored(&worker, &dp, i);
	}
	worker.mirror_pending = 0;
	fuzz_check(mbufs_out == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { .data = data, .left = size };
	uint64_t counted = 0;
	unsigned int i;

	memset(&worker, 0, sizeof(worker));
	memset(&dp, 0, sizeof(dp));
	rte_ring_reset(news);
	worker.news = news;
	worker.fdb_cache = fdb_cache;
	worker.pool = &mempool.pool;
	worker.tsc = rte_rdtsc();
	generation++;
	mbufs_out = 0;
	tx_packets = 0;
	memset(tx_bytes, 0, sizeof(tx_bytes));
	mirrored_to = mirrored = 0;
	for (i = 0; i < PORTS; i++)
		make_port(i, &in);
	for (i = 0; i < PORTS; i++) {
		if ((mirrored >> i & 1) != 0)
			make_mirror(i);
	}
	mbufs_left = 2000 + fuzz_u8(&in);
	if (mbufs_left % 4 == 0)
		mbufs_left /= 40;
	while (in.left > 0)
		run_burst(&in);
	for (i = 0; i < PORTS; i++) {
		counted += worker.stats[i].tx_packets;
		fuzz_check(worker.stats[i].tx_bytes == tx_bytes[i]);
	}
	fuzz_check(counted == tx_packets);
	return 0;
}
