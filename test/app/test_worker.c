/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* What goes out by a port: tags, offloads that it lacks, and what it does not take. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <rte_ip.h>
#include <rte_tcp.h>

#include "bed.h"
#include "forward.h"
#include "frame.h"
#include "offload.h"
#include "packet.h"

#define PORT 3
#define SENT_MAX 1024

/* What a port has taken, and how many more it will. */
static struct {
	struct rte_mbuf *pkts[SENT_MAX];
	unsigned int n;
	unsigned int room;
	unsigned int bursts;
	unsigned int prepared;
	/* Queue of the last burst. */
	uintptr_t queue;
	bool refuses;
	bool locked;
} sent;

static uint16_t
fake_tx(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t i;

	sent.bursts++;
	sent.queue = (uintptr_t)queue;
	if (bed_dp.ports[PORT].tx_locks != NULL)
		sent.locked = rte_spinlock_is_locked(&bed_dp.ports[PORT].tx_locks[sent.queue]);
	for (i = 0; i < n && sent.n < sent.room; i++)
		sent.pkts[sent.n++] = pkts[i];
	return i;
}

static uint16_t
fake_prepare(void *queue __rte_unused, struct rte_mbuf **pkts __rte_unused, uint16_t n)
{
	assert_int_equal(n, 1);
	sent.prepared++;
	/* It writes to the headers. */
	assert_true(RTE_MBUF_DIRECT(pkts[0]) && rte_mbuf_refcnt_read(pkts[0]) == 1);
	return sent.refuses ? 0 : 1;
}

static struct dp_port *
make_port(uint64_t tx_offloads)
{
	static void *queues[RTE_MAX_QUEUES_PER_PORT], *callbacks[RTE_MAX_QUEUES_PER_PORT];
	struct dp_port *p = bed_port(PORT, 0);
	uintptr_t i;

	for (i = 0; i < RTE_DIM(queues); i++)
		queues[i] = (void *)i;
	memset(&sent, 0, sizeof(sent));
	sent.room = SENT_MAX;
	rte_eth_fp_ops[PORT].tx_pkt_burst = fake_tx;
	rte_eth_fp_ops[PORT].tx_pkt_prepare = fake_prepare;
	rte_eth_fp_ops[PORT].txq.data = queues;
	rte_eth_fp_ops[PORT].txq.clbk = callbacks;
	p->tx_offloads = tx_offloads;
	return p;
}

static void
send_mbuf(struct rte_mbuf *m)
{
	worker_out(&bed_worker, &bed_dp, PORT, m);
	worker_send(&bed_worker, &bed_dp, PORT);
	assert_int_equal(bed_worker.out[PORT].n, 0);
}

/* Free what was sent; fail unless so many were. */
static void
expect_sent(unsigned int n)
{
	assert_int_equal(sent.n, n);
	rte_pktmbuf_free_bulk(sent.pkts, n);
	sent.n = 0;
}

static struct rte_mbuf *
make(uint32_t len, uint16_t tci)
{
	struct rte_mbuf *m;
	struct packet p;

	put_any(&p, MAC(1), MAC(2), len);
	m = packet_mbuf(&p, 0);
	m->vlan_tci = tci;
	return m;
}

static void
test_plain(void **state __rte_unused)
{
	struct port_stats *stats = &bed_worker.stats[PORT];
	unsigned int i;

	make_port(OFFLOAD_TX_PORT)->plain = true;
	for (i = 0; i < 2 * WORKER_OUT + 5; i++)
		worker_out(&bed_worker, &bed_dp, PORT, make(60 + i, 0));
	/* A full list goes at once. */
	assert_int_equal(sent.n, 2 * WORKER_OUT);
	assert_int_equal(bed_worker.pending, RTE_BIT32(PORT));
	worker_send(&bed_worker, &bed_dp, PORT);
	for (i = 0; i < sent.n; i++)
		assert_int_equal(sent.pkts[i]->pkt_len, 60 + i);
	assert_int_equal(stats->tx_packets, i);
	assert_int_equal(stats->tx_bytes, 60 * i + i * (i - 1) / 2);
	assert_int_equal(sent.prepared, 0);
	expect_sent(i);
	assert_int_equal(bed_drops(), 0);
}

/* What the port does not take is lost, and counted. */
static void
test_full(void **state __rte_unused)
{
	struct port_stats *stats = &bed_worker.stats[PORT];
	unsigned int plain, i;

	for (plain = 0; plain < 2; plain++) {
		memset(stats, 0, sizeof(*stats));
		make_port(OFFLOAD_TX_PORT)->plain = plain != 0;
		sent.room = 7;
		for (i = 0; i < 20; i++)
			worker_out(&bed_worker, &bed_dp, PORT, make(100 + i, 0));
		worker_send(&bed_worker, &bed_dp, PORT);
		assert_int_equal(stats->tx_packets, 7);
		assert_int_equal(stats->tx_bytes, 7 * 100 + 21);
		assert_int_equal(stats->drops[DROP_TX_FULL], 13);
		expect_sent(7);
		assert_int_equal(bed_mbufs_out(), 0);
	}
	assert_int_equal(bed_drops(), 13);
}

/* Queues are the lcore's, or shared under locks. */
static void
test_queues(void **state __rte_unused)
{
	rte_spinlock_t locks[3] = { RTE_SPINLOCK_INITIALIZER };
	struct dp_port *p = make_port(OFFLOAD_TX_PORT);

	p->plain = true;
	p->nb_txqs = 3;
	bed_worker.index = 7;
	send_mbuf(make(60, 0));
	assert_int_equal(sent.queue, 1);
	p->tx_locks = locks;
	send_mbuf(make(60, 0));
	assert_true(sent.locked);
	assert_false(rte_spinlock_is_locked(&locks[1]));
	expect_sent(2);
}

static void
assert_tag(const struct rte_mbuf *m, uint16_t tci)
{
	const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);

	assert_int_equal(m->pkt_len, 64);
	assert_int_equal(data[12] << 8 | data[13], RTE_ETHER_TYPE_VLAN);
	assert_int_equal(data[14] << 8 | data[15], tci);
	assert_int_equal(data[16] << 8 | data[17], 0x88B5);
	assert_int_equal(data[6], 0x00);
	assert_int_equal(data[5], 1);
	assert_int_equal(m->ol_flags & RTE_MBUF_F_TX_VLAN, 0);
}

static void
test_tags(void **state __rte_unused)
{
	struct dp_port *p = make_port(0);
	struct rte_mbuf *m;

	bed_native(PORT, 10);
	vlan_tag(&p->vlan, 20);
	send_mbuf(make(60, 0xE00A));
	assert_int_equal(sent.pkts[0]->pkt_len, 60);
	expect_sent(1);
	send_mbuf(make(60, 0xE014));
	assert_tag(sent.pkts[0], 0xE014);
	expect_sent(1);
	/* By the device. */
	p->tx_offloads = RTE_ETH_TX_OFFLOAD_VLAN_INSERT;
	send_mbuf(make(60, 0xE014));
	assert_int_equal(sent.pkts[0]->pkt_len, 60);
	assert_int_equal(sent.pkts[0]->ol_flags, RTE_MBUF_F_TX_VLAN);
	assert_int_equal(sent.pkts[0]->vlan_tci, 0xE014);
	expect_sent(1);
	/* What others have too is not written to. */
	p->tx_offloads = 0;
	m = make(60, 20);
	rte_pktmbuf_refcnt_update(m, 1);
	send_mbuf(m);
	assert_ptr_not_equal(sent.pkts[0], m);
	assert_tag(sent.pkts[0], 20);
	assert_int_equal(m->pkt_len, 60);
	assert_int_equal(rte_mbuf_refcnt_read(m), 1);
	expect_sent(1);
	/* Nor what is in another's buffer. */
	send_mbuf(rte_pktmbuf_clone(m, unit_pool));
	assert_int_equal(sent.pkts[0]->pkt_len, 64);
	assert_int_equal(m->pkt_len, 60);
	rte_pktmbuf_free(m);
	expect_sent(1);
}

/* Flooded to a port with the tag and one without: both are right, whoever is first. */
static void
test_flooded_tags(void **state __rte_unused)
{
	struct dp_port *p = make_port(0);
	struct rte_mbuf *m;

	bed_native(PORT, VLAN_NONE);
	vlan_tag(&p->vlan, 10);
	bed_port(1, 0);
	bed_native(1, 10);
	bed_port(2, 0);
	bed_native(2, 10);
	flood(&bed_worker, &bed_dp, 1, make(60, 10), bed_dp.bridges[0].members, 10);
	worker_send(&bed_worker, &bed_dp, PORT);
	assert_tag(sent.pkts[0], 10);
	m = bed_take(2);
	assert_int_equal(m->pkt_len, 60);
	assert_int_equal(*rte_pktmbuf_mtod_offset(m, uint8_t *, 12), 0x88);
	rte_pktmbuf_free(m);
	expect_sent(1);
	assert_int_equal(bed_mbufs_out(), 0);
}

/* An uplink whose mbufs are gone. */
static void
test_no_mbuf(void **state __rte_unused)
{
	static struct rte_mbuf *taken[BED_MBUFS];
	struct dp_port *p = make_port(0);
	struct rte_mbuf *m = make(60, 20);
	unsigned int n;

	vlan_tag(&p->vlan, 20);
	rte_pktmbuf_refcnt_update(m, 1);
	n = rte_mempool_avail_count(unit_pool);
	assert_int_equal(rte_pktmbuf_alloc_bulk(unit_pool, taken, n), 0);
	send_mbuf(m);
	expect_sent(0);
	bed_expect_drop(PORT, DROP_NO_MBUF);
	assert_int_equal(rte_mbuf_refcnt_read(m), 1);
	rte_pktmbuf_free(m);
	rte_pktmbuf_free_bulk(taken, n);
}

/* A tag that there is no room for. */
static void
test_no_headroom(void **state __rte_unused)
{
	struct dp_port *p = make_port(0);
	struct rte_mbuf *m = make(60, 20);

	vlan_tag(&p->vlan, 20);
	assert_non_null(rte_pktmbuf_prepend(m, rte_pktmbuf_headroom(m) - 3));
	send_mbuf(m);
	assert_int_equal(sent.n + bed_drops(), 1);
	expect_sent(sent.n);
	assert_int_equal(bed_mbufs_out(), 0);
}

static struct rte_mbuf *
make_whole(struct frame *f, uint16_t mss)
{
	struct rte_mbuf *m;

	frame_make(f);
	m = frame_mbuf(f);
	m->l2_len = 0;
	m->ol_flags = mss != 0 ? RTE_MBUF_F_RX_LRO : RTE_MBUF_F_RX_L4_CKSUM_NONE;
	m->tso_segsz = mss;
	assert_int_equal(offload_receive(m), 0);
	return m;
}

static bool
is_complete(const struct rte_mbuf *m)
{
	return rte_ipv4_udptcp_cksum_mbuf_verify(m,
			       rte_pktmbuf_mtod_offset(m, const struct rte_ipv4_hdr *, 14),
			       34) == 0;
}

/* A checksum is completed where the port cannot, and left to it where it can. */
static void
test_checksum(void **state __rte_unused)
{
	struct frame f = { .payload = 300 };
	struct dp_port *p = make_port(0);

	send_mbuf(make_whole(&f, 0));
	assert_true(is_complete(sent.pkts[0]));
	assert_int_equal(sent.pkts[0]->ol_flags & OFFLOAD_TX, 0);
	expect_sent(1);
	p->tx_offloads = RTE_ETH_TX_OFFLOAD_TCP_CKSUM;
	p->nic = true;
	send_mbuf(make_whole(&f, 0));
	assert_int_equal(sent.pkts[0]->ol_flags & OFFLOAD_TX, RTE_MBUF_F_TX_TCP_CKSUM);
	assert_int_equal(sent.prepared, 1);
	expect_sent(1);
	/* What asks for nothing may be wrong for the device in another way. */
	send_mbuf(make(60, 0));
	assert_int_equal(sent.prepared, 2);
	expect_sent(1);
	sent.refuses = true;
	send_mbuf(make_whole(&f, 0));
	expect_sent(0);
	bed_expect_drop(PORT, DROP_OFFLOAD);
	sent.refuses = false;
	/* UDP it does not know. */
	f.udp = true;
	send_mbuf(make_whole(&f, 0));
	assert_true(is_complete(sent.pkts[0]));
	expect_sent(1);
}

/* A device may sum the padding, too: what is padded has nothing left to sum. */
static void
test_short_checksum(void **state __rte_unused)
{
	struct dp_port *p = make_port(RTE_ETH_TX_OFFLOAD_TCP_CKSUM);
	struct frame f = { .payload = 0 };

	p->nic = true;
	send_mbuf(make_whole(&f, 0));
	assert_int_equal(sent.pkts[0]->pkt_len, 60);
	assert_int_equal(sent.pkts[0]->ol_flags & OFFLOAD_TX, 0);
	assert_true(is_complete(sent.pkts[0]));
	expect_sent(1);
	f.payload = 6;
	send_mbuf(make_whole(&f, 0));
	assert_int_equal(sent.pkts[0]->pkt_len, 60);
	assert_int_equal(sent.pkts[0]->ol_flags & OFFLOAD_TX, RTE_MBUF_F_TX_TCP_CKSUM);
	expect_sent(1);
	/* A guest's frames are as long as they are. */
	p->guest = true;
	f.payload = 0;
	send_mbuf(make_whole(&f, 0));
	assert_int_equal(sent.pkts[0]->pkt_len, 54);
	assert_int_equal(sent.pkts[0]->ol_flags & OFFLOAD_TX, RTE_MBUF_F_TX_TCP_CKSUM);
	expect_sent(1);
}

/* Neither longer than the MTU nor shorter than Ethernet has it, whatever a guest sends. */
static void
test_lengths(void **state __rte_unused)
{
	struct dp_port *p = make_port(RTE_ETH_TX_OFFLOAD_MULTI_SEGS);

	p->mtu = 200;
	send_mbuf(make(214, 0));
	expect_sent(1);
	send_mbuf(make(215, 0));
	expect_sent(0);
	bed_expect_drop(PORT, DROP_TOO_LONG);
	send_mbuf(make(14, 0));
	assert_int_equal(sent.pkts[0]->pkt_len, 60);
	expect_sent(1);
	/* A guest's driver knows its MTU. */
	p->guest = true;
	send_mbuf(make(215, 0));
	expect_sent(1);
	send_mbuf(make(14, 0));
	assert_int_equal(sent.pkts[0]->pkt_len, 14);
	expect_sent(1);
}

static void
test_segments(void **state __rte_unused)
{
	struct frame f = { .payload = 1500, .seg = 400 };
	struct dp_port *p = make_port(RTE_ETH_TX_OFFLOAD_MULTI_SEGS);
	struct rte_mbuf *m;
	unsigned int i;

	bed_native(PORT, VLAN_NONE);
	vlan_tag(&p->vlan, 20);
	m = make_whole(&f, 100);
	m->vlan_tci = 20;
	send_mbuf(m);
	for (i = 0; i < sent.n; i++) {
		assert_int_equal(sent.pkts[i]->pkt_len, 54 + 100 + 4);
		assert_int_equal(*rte_pktmbuf_mtod_offset(sent.pkts[i], uint8_t *, 12), 0x81);
		assert_int_equal(*rte_pktmbuf_mtod_offset(sent.pkts[i], uint8_t *, 15), 20);
	}
	assert_int_equal(bed_worker.stats[PORT].tx_packets, 15);
	expect_sent(15);
	/* A port that does it all. */
	p->tx_offloads = OFFLOAD_TX_PORT;
	p->nic = true;
	m = make_whole(&f, 100);
	m->vlan_tci = 20;
	rte_pktmbuf_refcnt_update(m, 1);
	send_mbuf(m);
	assert_int_equal(sent.prepared, 1);
	assert_int_equal(sent.pkts[0]->ol_flags,
			RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IPV4 |
					RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_VLAN);
	assert_int_equal(sent.pkts[0]->tso_segsz, 100);
	assert_int_equal(m->ol_flags & (RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_VLAN), 0);
	rte_pktmbuf_free(m);
	expect_sent(1);
}

/* More parts than there can be: the packet is lost, and not its mbuf. */
static void
test_too_many_segments(void **state __rte_unused)
{
	struct frame f = { .payload = 1500 };

	make_port(0);
	send_mbuf(make_whole(&f, 5));
	expect_sent(0);
	bed_expect_drop(PORT, DROP_OFFLOAD);
	assert_int_equal(bed_mbufs_out(), 0);
	/* As many as there can be. */
	f.payload = OFFLOAD_SEGMENTS_MAX * 5;
	send_mbuf(make_whole(&f, 5));
	expect_sent(OFFLOAD_SEGMENTS_MAX);
}

/* Packets of all kinds in a full list, each cut into as many as fit. */
static void
test_many_segments(void **state __rte_unused)
{
	struct frame f = { .payload = 1280 };
	unsigned int i, whole = 0;

	make_port(0);
	for (i = 0; i < 62; i++) {
		if (i % 31 != 30) {
			worker_out(&bed_worker, &bed_dp, PORT, make(60, 0));
			continue;
		}
		worker_out(&bed_worker, &bed_dp, PORT, make_whole(&f, 5));
		whole++;
	}
	worker_send(&bed_worker, &bed_dp, PORT);
	expect_sent(60 + whole * 256);
	assert_int_equal(bed_drops(), 0);
}

/* What is to be segmented may be flooded: each port sends parts of its own. */
static void
test_flooded_segments(void **state __rte_unused)
{
	struct frame f = { .payload = 1500 };
	struct rte_mbuf *m;

	make_port(0);
	bed_guest(1, 0, MAC(1), GUARD_OFF, 0);
	bed_port(2, 0);
	flood(&bed_worker, &bed_dp, 1, make_whole(&f, 500), bed_dp.bridges[0].members, 0);
	assert_int_equal(rte_mbuf_refcnt_read(bed_worker.out[2].pkts[0]), 2);
	worker_send(&bed_worker, &bed_dp, PORT);
	assert_true(is_complete(sent.pkts[0]) && is_complete(sent.pkts[2]));
	expect_sent(3);
	m = bed_take(2);
	assert_int_equal(m->ol_flags & OFFLOAD_TX, RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_TCP_CKSUM);
	assert_memory_equal(rte_pktmbuf_mtod(m, void *), f.data, f.len);
	rte_pktmbuf_free(m);
	assert_int_equal(bed_mbufs_out(), 0);
}

#define case_of(name) cmocka_unit_test_setup_teardown(name, bed_begin, bed_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		case_of(test_plain),
		case_of(test_full),
		case_of(test_queues),
		case_of(test_tags),
		case_of(test_flooded_tags),
		case_of(test_no_mbuf),
		case_of(test_no_headroom),
		case_of(test_checksum),
		case_of(test_short_checksum),
		case_of(test_lengths),
		case_of(test_segments),
		case_of(test_too_many_segments),
		case_of(test_many_segments),
		case_of(test_flooded_segments),
	};

	return cmocka_run_group_tests_name("vsw_worker", tests, bed_setup, bed_teardown);
}
