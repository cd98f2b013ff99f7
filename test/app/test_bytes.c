/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Bytes of bursts that come in, of what is gathered for a port, and of what it takes. */

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "bed.h"
#include "forward.h"
#include "packet.h"
#include "pairs.h"

#define LENGTH 60
#define VLAN 20
#define TAG_LENGTH 4

static struct rte_mbuf *pkts[WORKER_BURST];

/* An uplink that is known to be where its packets come from, and members of a VLAN. */
static void
make_switch(void)
{
	unsigned int port;

	make_pairs();
	bed_learn(MAC(100), UPLINK, 0);
	bed_learn(MAC(100), UPLINK, VLAN);
	for (port = UPLINK; port <= GUEST2; port++)
		vlan_tag(&bed_dp.ports[port].vlan, VLAN);
	assert_int_equal(fdb_pin(bed_worker.fdb, fdb_key(MAC(GUEST), 1, VLAN), GUEST), 0);
}

/* Put packets into the burst, from place `first` on. */
static void
fill(unsigned int first, uint64_t to, uint32_t length)
{
	struct packet p;
	unsigned int i;

	put_eth_type(&p, to, MAC(100), RTE_ETHER_TYPE_IPV4);
	put_fill(&p, 0x5A, length - p.len);
	for (i = first; i < WORKER_BURST; i++) {
		rte_pktmbuf_free(pkts[i]);
		pkts[i] = packet_mbuf(&p, 0);
	}
}

/* Send the burst to the guest; what it has as it comes in is what the switch says. */
static void
send_burst(void)
{
	struct worker_out *out = &bed_worker.out[GUEST];
	uint32_t bytes = worker_sum_bytes(pkts, WORKER_BURST);

	assert_int_equal(forward_burst(&bed_worker, &bed_dp, UPLINK, pkts, WORKER_BURST), bytes);
	memset(pkts, 0, sizeof(pkts));
	assert_int_equal(out->bytes, worker_sum_bytes(out->pkts, out->n));
}

static void
expect(unsigned int n, uint32_t bytes)
{
	assert_int_equal(bed_worker.out[GUEST].bytes, bytes);
	bed_expect(GUEST, n);
	assert_int_equal(bed_worker.out[GUEST].bytes, 0);
}

/* A whole run, no packet behind one, and a run of packets of several lengths. */
static void
test_run(void **state __rte_unused)
{
	unsigned int i;

	make_switch();
	for (i = 0; i < 3; i++) {
		fill(0, MAC(GUEST), LENGTH);
		send_burst();
		expect(WORKER_BURST, WORKER_BURST * LENGTH);
		assert_int_equal(forward_burst(&bed_worker, &bed_dp, UPLINK, pkts, 0), 0);
	}
	fill(0, MAC(GUEST), LENGTH);
	fill(20, MAC(GUEST), 1500);
	send_burst();
	expect(WORKER_BURST, 20 * LENGTH + (WORKER_BURST - 20) * 1500);
	assert_int_equal(bed_drops(), 0);
}

/* A run, and others behind it: with a tag that the driver has taken off, or the switch does. */
static void
test_rest(void **state __rte_unused)
{
	const unsigned int rest = WORKER_BURST - 20;
	unsigned int i, j;

	make_switch();
	for (i = 0; i < 3; i++) {
		fill(0, MAC(GUEST), LENGTH);
		for (j = 20; j < WORKER_BURST; j++) {
			pkts[j]->ol_flags = RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
			pkts[j]->vlan_tci = VLAN;
		}
		send_burst();
		expect(WORKER_BURST, WORKER_BURST * LENGTH);
		fill(0, MAC(GUEST), LENGTH);
		for (j = 20; j < WORKER_BURST; j++) {
			pkts[j]->vlan_tci = VLAN;
			assert_int_equal(rte_vlan_insert(&pkts[j]), 0);
			pkts[j]->ol_flags = 0;
		}
		assert_int_equal(worker_sum_bytes(pkts, WORKER_BURST),
				WORKER_BURST * LENGTH + rest * TAG_LENGTH);
		send_burst();
		expect(WORKER_BURST, WORKER_BURST * LENGTH);
	}
	assert_int_equal(bed_drops(), 0);
}

/* A run of which some may not go where they are for: each is looked at once more. */
static void
test_isolated(void **state __rte_unused)
{
	unsigned int i;

	make_switch();
	bed_dp.bridges[1].isolated = RTE_BIT32(UPLINK) | RTE_BIT32(GUEST2);
	for (i = 1; i <= 3; i++) {
		fill(0, MAC(GUEST), LENGTH);
		fill(20, MAC(GUEST2), 100);
		send_burst();
		expect(20, 20 * LENGTH);
		assert_int_equal(bed_worker.stats[UPLINK].drops[DROP_ISOLATED],
				i * (WORKER_BURST - 20));
	}
	bed_expect_nothing();
}

/* What the guest's driver has taken; it takes no more once there is no room. */
static struct {
	unsigned int n;
	uint64_t bytes;
	unsigned int room;
	/* It makes what it refuses so much longer. */
	uint16_t longer;
} taken;

static uint16_t
fake_tx(void *queue __rte_unused, struct rte_mbuf **out, uint16_t n)
{
	uint16_t sent, i;

	for (sent = 0; sent < n && taken.room > 0; sent++, taken.room--) {
		taken.n++;
		taken.bytes += out[sent]->pkt_len;
		rte_pktmbuf_free(out[sent]);
	}
	for (i = sent; i < n; i++)
		assert_non_null(rte_pktmbuf_append(out[i], taken.longer));
	return sent;
}

static void
make_driver(void)
{
	static void *queues[1], *callbacks[1];

	memset(&taken, 0, sizeof(taken));
	taken.room = UINT32_MAX;
	bed_dp.ports[GUEST].plain = true;
	rte_eth_fp_ops[GUEST].tx_pkt_burst = fake_tx;
	rte_eth_fp_ops[GUEST].txq.data = queues;
	rte_eth_fp_ops[GUEST].txq.clbk = callbacks;
}

/* Runs that the list has no room for: it is sent in between, and the others begin the next one. */
static void
test_overflow(void **state __rte_unused)
{
	struct worker_out *out = &bed_worker.out[GUEST];
	struct port_stats *stats = &bed_worker.stats[GUEST];
	unsigned int burst, sent = 0;
	uint64_t bytes = 0;

	make_switch();
	make_driver();
	for (burst = 0; burst < 50; burst++) {
		uint16_t n = 1 + burst * 7 % WORKER_BURST;
		uint32_t part;

		fill(WORKER_BURST - n, MAC(GUEST), LENGTH + burst);
		fill(WORKER_BURST - n / 2, MAC(GUEST), LENGTH + 10 * burst);
		part = worker_sum_bytes(&pkts[WORKER_BURST - n], n);
		assert_int_equal(forward_burst(&bed_worker, &bed_dp, UPLINK,
						 &pkts[WORKER_BURST - n], n),
				part);
		memset(pkts, 0, sizeof(pkts));
		sent += n;
		bytes += part;
		assert_int_equal(out->n, sent % WORKER_OUT);
		assert_int_equal(out->bytes, worker_sum_bytes(out->pkts, out->n));
		assert_int_equal(stats->tx_packets, sent - out->n);
		assert_int_equal(stats->tx_bytes, bytes - out->bytes);
		assert_int_equal(stats->tx_bytes, taken.bytes);
	}
	/* The last list is refused but for a part. */
	taken.room = 3;
	assert_true(out->n > taken.room);
	worker_send(&bed_worker, &bed_dp, GUEST);
	assert_int_equal(stats->tx_bytes, taken.bytes);
	assert_int_equal(stats->tx_packets, taken.n);
	assert_int_equal(stats->tx_packets + stats->drops[DROP_TX_FULL], sent);
	assert_int_equal(out->bytes, 0);
	assert_int_equal(bed_mbufs_out(), 0);
}

/* A driver may have made a packet longer before it refuses it: nothing was sent for all that. */
static void
test_refused_longer(void **state __rte_unused)
{
	struct port_stats *stats = &bed_worker.stats[GUEST];

	make_switch();
	make_driver();
	fill(0, MAC(GUEST), LENGTH);
	send_burst();
	worker_send(&bed_worker, &bed_dp, GUEST);
	assert_int_equal(stats->tx_bytes, WORKER_BURST * LENGTH);
	taken.room = 0;
	taken.longer = TAG_LENGTH;
	fill(0, MAC(GUEST), LENGTH);
	send_burst();
	worker_send(&bed_worker, &bed_dp, GUEST);
	assert_int_equal(stats->tx_packets, WORKER_BURST);
	assert_int_equal(stats->drops[DROP_TX_FULL], WORKER_BURST);
	/* What is left is taken off what it was given: it is wrong by no more than was added. */
	assert_in_range(stats->tx_bytes, WORKER_BURST * (LENGTH - TAG_LENGTH),
			WORKER_BURST * LENGTH);
}

#define case_of(name) cmocka_unit_test_setup_teardown(name, bed_begin, bed_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		case_of(test_run),
		case_of(test_rest),
		case_of(test_isolated),
		case_of(test_overflow),
		case_of(test_refused_longer),
	};

	return cmocka_run_group_tests_name("vsw_bytes", tests, bed_setup, bed_teardown);
}
