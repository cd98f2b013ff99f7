/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Mirrors: copies of what comes in by a port and goes out, by another port. */

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <rte_ip.h>

#include "bed.h"
#include "capture_writer.h"
#include "copied.h"
#include "frame.h"
#include "offload.h"
#include "packet.h"

/* The port that is mirrored, and where. */
#define FROM 3
#define TO 5

static struct mirror_counts counts;

static int
begin(void **state)
{
	memset(&copied_rx, 0, sizeof(copied_rx));
	memset(&copied_tx, 0, sizeof(copied_tx));
	memset(&counts, 0, sizeof(counts));
	return bed_begin(state);
}

/* Mirror what goes either way at FROM by TO, as the control thread makes it. */
static struct dp_port *
make_mirror(void)
{
	struct dp_port *to = copied_port(TO), *view = &bed_dp.mirror_ports[TO];

	bed_native(TO, 77);
	*view = *to;
	view->native = 0;
	copied_rx.mirror = &counts;
	copied_rx.to = TO;
	copied_rx.to_port = view;
	copied_tx = copied_rx;
	return view;
}

static void
send_mirrored(void)
{
	if (bed_worker.mirror_pending != 0) {
		assert_int_equal(bed_worker.mirror_pending, RTE_BIT32(TO));
		worker_send_mirrored(&bed_worker, &bed_dp, TO);
	}
	bed_worker.mirror_pending = 0;
}

static void
assert_mirrored(unsigned int i, uint32_t len, const char *type)
{
	assert_int_equal(copied_sent[TO].pkts[i]->pkt_len, len);
	assert_memory_equal(rte_pktmbuf_mtod_offset(copied_sent[TO].pkts[i], void *, 12), type, 6);
}

/* Tagged as they came in, and otherwise not, whatever the VLANs of the other port are. */
static void
test_rx(void **state __rte_unused)
{
	struct rte_mbuf *m;
	struct packet p;

	make_mirror();
	copied_receive(copied_make(60));
	m = copied_make(60);
	m->ol_flags = RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
	m->vlan_tci = 0x2014;
	copied_receive(m);
	put_eth_type(&p, MAC(1), MAC(2), RTE_ETHER_TYPE_VLAN);
	put16(&p, 0x4015);
	put16(&p, 0x88B5);
	put_fill(&p, 0, 60);
	m = packet_mbuf(&p, 0);
	copies_receive(&bed_worker, &copied_rx, 0, &m, 1);
	/* It is a copy. */
	memset(rte_pktmbuf_mtod(m, void *), 0xFF, m->data_len);
	rte_pktmbuf_free(m);
	send_mirrored();
	assert_int_equal(copied_sent[TO].n, 3);
	assert_mirrored(0, 60, "\x88\xB5\x5A\x5A\x5A\x5A");
	assert_mirrored(1, 64, "\x81\x00\x20\x14\x88\xB5");
	assert_mirrored(2, p.len, "\x81\x00\x40\x15\x88\xB5");
	copied_expect(TO, 3);
	assert_int_equal(counts.lcores[0].packets, 3);
	assert_int_equal(bed_worker.stats[TO].tx_packets, 3);
}

static bool
is_complete(const struct rte_mbuf *m, uint16_t l3)
{
	return rte_ipv4_udptcp_cksum_mbuf_verify(m,
			       rte_pktmbuf_mtod_offset(m, const struct rte_ipv4_hdr *, l3),
			       l3 + 20) == 0;
}

/* What a guest has left undone is done, if the other port does not. */
static void
test_offload(void **state __rte_unused)
{
	struct frame f = { .payload = 1500 };
	struct rte_mbuf *m;
	unsigned int i;

	make_mirror();
	copied_rx.undone = true;
	frame_make(&f);
	for (i = 0; i < 2; i++) {
		m = frame_mbuf(&f);
		m->ol_flags = i == 0 ? RTE_MBUF_F_RX_L4_CKSUM_NONE : RTE_MBUF_F_RX_LRO;
		m->tso_segsz = 500;
		m->l2_len = 0;
		copied_receive(m);
	}
	send_mirrored();
	assert_int_equal(copied_sent[TO].n, 1 + 3);
	for (i = 0; i < copied_sent[TO].n; i++)
		assert_true(is_complete(copied_sent[TO].pkts[i], 14));
	copied_expect(TO, 4);
}

/* What goes out, with the tag that it has at that port; and as far as that takes it. */
static void
test_tx(void **state __rte_unused)
{
	struct dp_port *from = copied_port(FROM);
	struct frame f = { .payload = 300 };
	struct rte_mbuf *m;

	make_mirror();
	bed_native(FROM, 10);
	vlan_tag(&from->vlan, 20);
	from->tx_copies = &copied_tx;
	from->tx_offloads = RTE_ETH_TX_OFFLOAD_TCP_CKSUM;
	copied_sent[FROM].room = 3;
	m = copied_make(60);
	m->vlan_tci = 10;
	worker_out(&bed_worker, &bed_dp, FROM, m);
	m = copied_make(60);
	m->vlan_tci = 20;
	worker_out(&bed_worker, &bed_dp, FROM, m);
	/* With a checksum that FROM does, behind a tag that it does not. */
	frame_make(&f);
	m = frame_mbuf(&f);
	m->l2_len = 0;
	m->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_NONE;
	assert_int_equal(offload_receive(m), 0);
	m->vlan_tci = 20;
	worker_out(&bed_worker, &bed_dp, FROM, m);
	worker_out(&bed_worker, &bed_dp, FROM, copied_make(60));
	worker_send(&bed_worker, &bed_dp, FROM);
	copied_expect(FROM, 3);
	send_mirrored();
	assert_int_equal(copied_sent[TO].n, 3);
	assert_mirrored(0, 60, "\x88\xB5\x5A\x5A\x5A\x5A");
	assert_mirrored(1, 64, "\x81\x00\x00\x14\x88\xB5");
	assert_mirrored(2, f.len + 4, "\x81\x00\x00\x14\x08\x00");
	assert_true(is_complete(copied_sent[TO].pkts[2], 18));
	copied_expect(TO, 3);
	assert_int_equal(counts.lcores[0].packets, 3);
	assert_int_equal(counts.lcores[0].lost, 0);
}

/* Both ports are mirrored at each other: each packet once, and captures have the copies. */
static void
test_loop(void **state __rte_unused)
{
	struct capture_writer *writer = capture_writer_create(0, 64);
	struct dp_port *view, *to = &bed_dp.ports[TO];
	struct dp_copies captures = { .nb_captures = 1 };
	unsigned int i;

	assert_non_null(writer);
	copied_port(FROM);
	view = make_mirror();
	captures.captures[0].sink = &writer->sink;
	view->tx_copies = &captures;
	to->tx_copies = &copied_tx;
	for (i = 0; i < 3 * WORKER_OUT; i++)
		copied_receive(copied_make(60));
	send_mirrored();
	copied_expect(TO, 3 * WORKER_OUT);
	assert_int_equal(bed_worker.mirror_pending, 0);
	assert_int_equal(rte_ring_count(writer->sink.ring), 3 * WORKER_OUT);
	capture_writer_free(writer);
	assert_int_equal(counts.lcores[0].packets, 3 * WORKER_OUT);
}

static void
test_lost(void **state __rte_unused)
{
	static struct rte_mbuf *taken[BED_MBUFS];
	struct rte_mbuf *m = copied_make(60);
	unsigned int n;

	make_mirror();
	/* Others need the last ones more. */
	n = rte_mempool_avail_count(unit_pool);
	assert_int_equal(rte_pktmbuf_alloc_bulk(unit_pool, taken, n - BED_MBUFS / 8), 0);
	copied_receive(copied_make(60));
	bed_expect_drop(TO, DROP_MIRROR);
	assert_int_equal(rte_pktmbuf_alloc_bulk(unit_pool, &taken[n - BED_MBUFS / 8],
					 BED_MBUFS / 8),
			0);
	copied_receive(m);
	bed_expect_drop(TO, DROP_MIRROR);
	rte_pktmbuf_free_bulk(taken, n);
	/* No Ethernet. */
	m = copied_make(60);
	rte_pktmbuf_trim(m, 47);
	copied_receive(m);
	bed_expect_drop(TO, DROP_MIRROR);
	/* Headers that do not say what the flags do. */
	copied_rx.undone = true;
	m = copied_make(60);
	m->ol_flags = RTE_MBUF_F_RX_LRO;
	copied_receive(m);
	bed_expect_drop(TO, DROP_MIRROR);
	/* What the other port does not take is its own drop. */
	copied_sent[TO].room = 0;
	copied_receive(copied_make(60));
	send_mirrored();
	bed_expect_drop(TO, DROP_TX_FULL);
	assert_int_equal(counts.lcores[0].packets, 1);
	assert_int_equal(counts.lcores[0].lost, 4);
}

#define case_of(name) cmocka_unit_test_setup_teardown(name, begin, bed_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		case_of(test_rx),
		case_of(test_offload),
		case_of(test_tx),
		case_of(test_loop),
		case_of(test_lost),
	};

	return cmocka_run_group_tests_name("vsw_mirror", tests, bed_setup, bed_teardown);
}
