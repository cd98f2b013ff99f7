/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Where packets of a bridge go that knows of no VLANs, and what is learned of them. */

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <rte_cycles.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "bed.h"
#include "forward.h"
#include "packet.h"
#include "pairs.h"

/* An uplink on another bridge than the pairs. */
#define FOREIGN 4

static void
make_switch(void)
{
	make_pairs();
	bed_port(FOREIGN, 2);
}

static void
assert_news(uint64_t mac, uint16_t port)
{
	struct worker_news news;

	assert_true(bed_news(&news));
	assert_int_equal(news.key, fdb_key(mac, 1, 0));
	assert_int_equal(news.port, port);
}

static void
assert_no_news(void)
{
	struct worker_news news;

	assert_false(bed_news(&news));
}

static void
test_unicast(void **state __rte_unused)
{
	make_switch();
	bed_learn(MAC(100), UPLINK, 0);
	bed_send(GUEST, MAC(GUEST2), MAC(GUEST));
	bed_expect(GUEST2, 1);
	bed_send(GUEST, MAC(100), MAC(GUEST));
	bed_expect(UPLINK, 1);
	bed_send(UPLINK, MAC(GUEST), MAC(100));
	bed_expect(GUEST, 1);
	/* The second one goes where the first one went. */
	bed_send(UPLINK, MAC(GUEST), MAC(100));
	bed_expect(GUEST, 1);
	bed_expect_nothing();
	assert_int_equal(bed_drops(), 0);
	assert_no_news();
}

static void
test_unknown(void **state __rte_unused)
{
	make_switch();
	bed_send(GUEST, MAC(100), MAC(GUEST));
	bed_expect(UPLINK, 1);
	bed_expect(UPLINK2, 1);
	bed_expect_nothing();
	bed_send(UPLINK, MAC(100), MAC(101));
	bed_expect(UPLINK2, 1);
	bed_expect_nothing();
	/* A guest whose addresses are learned may be meant. */
	bed_dp.bridges[1].learning |= RTE_BIT32(GUEST2);
	bed_send(UPLINK, MAC(100), MAC(101));
	bed_expect(UPLINK2, 1);
	bed_expect(GUEST2, 1);
	bed_expect_nothing();
	assert_int_equal(bed_worker.stats[GUEST].rx_flooded, 1);
	assert_int_equal(bed_worker.stats[UPLINK].rx_flooded, 2);
	assert_int_equal(bed_drops(), 0);
	/* Nobody else is on that bridge. */
	bed_send(FOREIGN, MAC(100), MAC(102));
	bed_expect_drop(FOREIGN, DROP_NO_MEMBER);
	bed_send(FOREIGN, MAC(GUEST), MAC(102));
	bed_expect_drop(FOREIGN, DROP_NO_MEMBER);
}

static void
test_groups(void **state __rte_unused)
{
	static const uint64_t groups[] = { MAC_BROADCAST, UINT64_C(0x0100005E0001),
		UINT64_C(0x010000003333), UINT64_C(0x1000C28001 | 1), 1 };
	struct worker_out *out = bed_worker.out;
	unsigned int i;

	make_switch();
	for (i = 0; i < RTE_DIM(groups); i++) {
		bed_send(GUEST, groups[i] | 1, MAC(GUEST));
		assert_int_equal(out[UPLINK].n, 1);
		assert_ptr_equal(out[UPLINK].pkts[0], out[UPLINK2].pkts[0]);
		assert_ptr_equal(out[UPLINK].pkts[0], out[GUEST2].pkts[0]);
		assert_int_equal(rte_mbuf_refcnt_read(out[UPLINK].pkts[0]), 3);
		assert_int_equal(bed_mbufs_out(), 1);
		bed_expect(UPLINK, 1);
		bed_expect(UPLINK2, 1);
		bed_expect(GUEST2, 1);
		bed_expect_nothing();
		assert_int_equal(bed_mbufs_out(), 0);
	}
	assert_int_equal(bed_worker.stats[GUEST].rx_flooded, i);
	bed_send(FOREIGN, MAC_BROADCAST, MAC(102));
	bed_expect_drop(FOREIGN, DROP_NO_MEMBER);
}

/* Groups that bridges keep to themselves: 01:80:c2:00:00:00 to 0f. */
static void
test_reserved(void **state __rte_unused)
{
	uint64_t i;

	make_switch();
	for (i = 0; i < 16; i++) {
		bed_send(UPLINK, UINT64_C(0xC28001) | i << 40, MAC(100));
		bed_expect_drop(UPLINK, DROP_RESERVED);
	}
	bed_expect_nothing();
	bed_send(UPLINK, UINT64_C(0xC28001) | i << 40, MAC(100));
	bed_expect(UPLINK2, 1);
	bed_send(UPLINK, UINT64_C(0xC28001) | UINT64_C(1) << 32, MAC(100));
	bed_expect(UPLINK2, 1);
	assert_int_equal(bed_drops(), 0);
	bed_expect(GUEST, 2);
	bed_expect(GUEST2, 2);
}

static void
test_same_port(void **state __rte_unused)
{
	make_switch();
	bed_learn(MAC(100), UPLINK, 0);
	bed_learn(MAC(101), UPLINK, 0);
	bed_send(UPLINK, MAC(100), MAC(101));
	bed_expect_drop(UPLINK, DROP_SAME_PORT);
	bed_send(GUEST, MAC(GUEST), MAC(GUEST));
	bed_expect_drop(GUEST, DROP_SAME_PORT);
	bed_expect_nothing();
}

static void
test_isolated(void **state __rte_unused)
{
	make_switch();
	bed_dp.bridges[1].isolated = RTE_BIT32(GUEST) | RTE_BIT32(GUEST2);
	bed_send(GUEST, MAC(GUEST2), MAC(GUEST));
	bed_expect_drop(GUEST, DROP_ISOLATED);
	bed_expect_nothing();
	bed_send(GUEST, MAC_BROADCAST, MAC(GUEST));
	bed_expect(UPLINK, 1);
	bed_expect(UPLINK2, 1);
	bed_expect_nothing();
	bed_send(UPLINK, MAC_BROADCAST, MAC(100));
	bed_expect(GUEST, 1);
	bed_expect(GUEST2, 1);
	bed_expect(UPLINK2, 1);
	bed_send(UPLINK, MAC(GUEST), MAC(100));
	bed_expect(GUEST, 1);
	bed_learn(MAC(100), UPLINK, 0);
	bed_send(GUEST, MAC(100), MAC(GUEST));
	bed_expect(UPLINK, 1);
	assert_int_equal(bed_drops(), 0);
}

/* What the database still knows of a port that has gone. */
static void
test_gone(void **state __rte_unused)
{
	make_switch();
	bed_dp.bridges[1].members &= ~RTE_BIT32(GUEST2);
	bed_send(UPLINK, MAC(GUEST2), MAC(100));
	bed_expect_drop(UPLINK, DROP_NO_MEMBER);
	bed_expect_nothing();
}

static void
test_forged(void **state __rte_unused)
{
	static const uint64_t macs[] = { MAC(GUEST2), MAC(100), 0, MAC_BROADCAST, MAC(GUEST) | 1,
		MAC(GUEST) ^ UINT64_C(1) << 47 };
	unsigned int i;

	make_switch();
	for (i = 0; i < RTE_DIM(macs); i++) {
		bed_send(GUEST, MAC(GUEST2), macs[i]);
		bed_expect_drop(GUEST, DROP_SOURCE_MAC);
		bed_send(GUEST, MAC_BROADCAST, macs[i]);
		bed_expect_drop(GUEST, DROP_SOURCE_MAC);
	}
	bed_expect_nothing();
	assert_no_news();
	/* A guest without a lock is as free as an uplink. */
	bed_guest(5, 1, MAC(5), GUARD_OFF, 0);
	bed_send(5, MAC(GUEST), MAC(100));
	bed_expect(GUEST, 1);
	assert_news(MAC(100), 5);
	/* But for the addresses of others. */
	bed_send(5, MAC(GUEST), MAC(GUEST2));
	bed_expect_drop(5, DROP_SOURCE_OTHER);
	bed_send(5, MAC(GUEST), MAC(5));
	bed_expect(GUEST, 1);
	assert_no_news();
}

static void
test_guarded(void **state __rte_unused)
{
	struct packet p;

	make_switch();
	put_eth_type(&p, MAC_BROADCAST, MAC(GUEST), RTE_ETHER_TYPE_ARP);
	put_arp(&p, MAC(GUEST2), IP4(10, 0, 0, 1));
	bed_forward(GUEST, packet_mbuf(&p, 0));
	bed_expect_drop(GUEST, DROP_SOURCE_ARP);
	put_eth_type(&p, MAC_BROADCAST, MAC(GUEST), RTE_ETHER_TYPE_IPV4);
	put_ip4(&p, IP4(10, 0, 0, 1), IPPROTO_TCP, 0);
	bed_dp.ports[GUEST].lock = GUARD_IP;
	bed_forward(GUEST, packet_mbuf(&p, 0));
	bed_expect_drop(GUEST, DROP_SOURCE_IP);
	bed_expect_nothing();
	bed_dp.ports[GUEST].lock = GUARD_MAC;
	bed_forward(GUEST, packet_mbuf(&p, 0));
	bed_expect(GUEST2, 1);
}

static void
test_learn(void **state __rte_unused)
{
	make_switch();
	bed_send(UPLINK, MAC(GUEST), MAC(100));
	assert_news(MAC(100), UPLINK);
	/* Until the control thread has learned it. */
	bed_send(UPLINK, MAC(GUEST), MAC(100));
	assert_news(MAC(100), UPLINK);
	bed_learn(MAC(100), UPLINK, 0);
	bed_send(UPLINK, MAC(GUEST), MAC(100));
	bed_send(UPLINK, MAC(GUEST), MAC(100));
	assert_no_news();
	/* It has moved. */
	bed_send(UPLINK2, MAC(GUEST), MAC(100));
	assert_news(MAC(100), UPLINK2);
	bed_learn(MAC(100), UPLINK2, 0);
	bed_send(UPLINK2, MAC(GUEST), MAC(100));
	assert_no_news();
	bed_send(UPLINK, MAC(GUEST), MAC(100));
	assert_news(MAC(100), UPLINK);
	/* Of a guest that is locked nothing is learned. */
	bed_send(GUEST, MAC(GUEST2), MAC(GUEST));
	assert_no_news();
	bed_expect(GUEST, 7);
	bed_expect(GUEST2, 1);
	assert_int_equal(bed_drops(), 0);
}

/* An address that sends stays. */
static void
test_seen(void **state __rte_unused)
{
	struct worker *w = &bed_worker;

	make_switch();
	bed_learn(MAC(100), UPLINK, 0);
	for (; w->now < 1000; w->now += 9) {
		bed_send(UPLINK, MAC(GUEST), MAC(100));
		bed_expect(GUEST, 1);
		fdb_age(w->fdb, UPLINK, 10, w->now + 9);
		assert_int_equal(fdb_count(w->fdb, UPLINK), 1);
	}
	assert_no_news();
}

static void
test_news_full(void **state __rte_unused)
{
	unsigned int i;

	make_switch();
	for (i = 0; i < 200; i++) {
		bed_send(UPLINK, MAC(GUEST), MAC(100 + i % 2));
		bed_expect(GUEST, 1);
	}
	assert_int_equal(bed_drops(), 0);
	assert_news(MAC(100), UPLINK);
	assert_news(MAC(101), UPLINK);
}

/* A guest's address is a guest's, by whatever way it comes. */
static void
test_pinned_elsewhere(void **state __rte_unused)
{
	unsigned int i;

	make_switch();
	for (i = 0; i < 3; i++) {
		bed_send(UPLINK, MAC(GUEST2), MAC(GUEST));
		bed_expect_drop(UPLINK, DROP_SOURCE_OTHER);
		bed_send(UPLINK, MAC_BROADCAST, MAC(GUEST));
		bed_expect_drop(UPLINK, DROP_SOURCE_OTHER);
	}
	bed_expect_nothing();
	assert_no_news();
	/* On another bridge it is a stranger's. */
	bed_port(5, 2);
	bed_send(FOREIGN, MAC_BROADCAST, MAC(GUEST));
	bed_expect(5, 1);
}

/* Nobody is behind such addresses: nothing is learned. */
static void
test_odd_sources(void **state __rte_unused)
{
	static const uint64_t macs[] = { 0, MAC_BROADCAST, MAC(100) | 1 };
	unsigned int i;

	make_switch();
	for (i = 0; i < RTE_DIM(macs); i++) {
		bed_send(UPLINK, MAC(GUEST), macs[i]);
		assert_int_equal(bed_worker.out[GUEST].n + bed_drops(), 1);
		bed_expect(GUEST, bed_worker.out[GUEST].n);
		memset(bed_worker.stats, 0, sizeof(bed_worker.stats));
		assert_no_news();
	}
	/* Nor when one comes behind another. */
	bed_learn(MAC(100), UPLINK, 0);
	bed_send(UPLINK, MAC(GUEST), MAC(100));
	bed_send(UPLINK, MAC(GUEST), 0);
	assert_no_news();
	bed_expect(GUEST, bed_worker.out[GUEST].n);
}

/* What was found last is forgotten when something has changed. */
static void
test_cache(void **state __rte_unused)
{
	make_switch();
	bed_learn(MAC(100), UPLINK, 0);
	bed_send(GUEST, MAC(100), MAC(GUEST));
	bed_send(GUEST, MAC(100), MAC(GUEST));
	bed_expect(UPLINK, 2);
	bed_learn(MAC(100), UPLINK2, 0);
	bed_send(GUEST, MAC(100), MAC(GUEST));
	bed_expect(UPLINK2, 1);
	bed_expect_nothing();
	fdb_forget(bed_worker.fdb, UPLINK2);
	bed_send(GUEST, MAC(100), MAC(GUEST));
	bed_expect(UPLINK, 1);
	bed_expect(UPLINK2, 1);
	/* What is not known is looked for each time. */
	bed_learn(MAC(100), UPLINK, 0);
	bed_send(GUEST, MAC(100), MAC(GUEST));
	bed_expect(UPLINK, 1);
	bed_expect_nothing();
	/* The same address in another port's network. */
	bed_dp.ports[GUEST].bridge = 2;
	bed_send(GUEST, MAC(100), MAC(GUEST));
	assert_int_equal(bed_worker.out[UPLINK].n, 0);
	bed_expect(FOREIGN, 1);
}

/* And so is where the source was. */
static void
test_source_cache(void **state __rte_unused)
{
	make_switch();
	bed_learn(MAC(100), UPLINK, 0);
	bed_send(UPLINK, MAC(GUEST), MAC(100));
	assert_no_news();
	fdb_forget(bed_worker.fdb, UPLINK);
	bed_send(UPLINK, MAC(GUEST), MAC(100));
	assert_news(MAC(100), UPLINK);
	bed_learn(MAC(100), UPLINK, 0);
	bed_send(UPLINK, MAC(GUEST), MAC(100));
	assert_int_equal(fdb_pin(bed_worker.fdb, fdb_key(MAC(100), 1, 0), GUEST2), 0);
	bed_send(UPLINK, MAC(GUEST), MAC(100));
	bed_expect_drop(UPLINK, DROP_SOURCE_OTHER);
	bed_expect(GUEST, 3);
}

/* Bursts of packets for all kinds of destinations: those for one are in the order they came in. */
static void
test_order(void **state __rte_unused)
{
	static const uint64_t to[] = { MAC(GUEST), MAC(GUEST2), MAC(100), MAC(101) };
	struct rte_mbuf *pkts[WORKER_BURST], *m;
	uint32_t last[RTE_DIM(to)] = { 0 };
	unsigned int burst, i, kind, port, n = 0;
	struct packet p;

	make_switch();
	bed_learn(MAC(100), UPLINK2, 0);
	bed_learn(MAC(101), UPLINK2, 0);
	for (burst = 0; burst < 300; burst++) {
		for (i = 0; i < WORKER_BURST; i++) {
			kind = bed_random() % 3 != 0 ? burst / 7 % 4 : bed_random() % 4;
			put_any(&p, to[kind], MAC(102), 60);
			pkts[i] = packet_mbuf(&p, 0);
			pkts[i]->hash.rss = ++n;
			pkts[i]->timesync = kind;
		}
		forward_burst(&bed_worker, &bed_dp, UPLINK, pkts, i);
		for (port = 0; port < 5; port++) {
			while ((m = bed_take(port)) != NULL) {
				kind = m->timesync;
				assert_true(m->hash.rss > last[kind]);
				last[kind] = m->hash.rss;
				assert_int_equal(port, kind < 2 ? GUEST + kind : UPLINK2);
				rte_pktmbuf_free(m);
				i--;
			}
		}
		assert_int_equal(i, 0);
	}
}

static void
test_storm(void **state __rte_unused)
{
	struct worker *w = &bed_worker;
	struct rte_mbuf *pkts[WORKER_BURST];
	struct packet p;
	unsigned int i, round;

	make_switch();
	bed_dp.ports[GUEST].storm = 100;
	w->tsc = rte_rdtsc();
	for (round = 0; round < 5; round++) {
		for (i = 0; i < WORKER_BURST; i++) {
			put_any(&p, i % 2 != 0 ? MAC_BROADCAST : MAC(100), MAC(GUEST), 1000);
			pkts[i] = packet_mbuf(&p, 0);
		}
		forward_burst(w, &bed_dp, GUEST, pkts, WORKER_BURST);
		/* A tenth of a second's at once. */
		bed_expect(UPLINK, 10);
		bed_expect(UPLINK2, 10);
		assert_int_equal(w->stats[GUEST].drops[DROP_STORM], (round + 1) * 22);
		w->tsc += rte_get_tsc_hz() / 10 + 1000;
	}
	assert_int_equal(bed_drops(), 5 * 22);
	/* Neither what is known nor others are limited. */
	for (i = 0; i < WORKER_BURST; i++) {
		put_any(&p, MAC(GUEST2), MAC(GUEST), 1000);
		pkts[i] = packet_mbuf(&p, 0);
	}
	bed_expect(GUEST2, w->out[GUEST2].n);
	forward_burst(w, &bed_dp, GUEST, pkts, WORKER_BURST);
	bed_expect(GUEST2, WORKER_BURST);
	for (i = 0; i < 40; i++)
		bed_send(GUEST2, MAC(100), MAC(GUEST2));
	bed_expect(UPLINK, 40);
	/* Another limit begins anew. */
	bed_dp.ports[GUEST].storm = 200;
	w->tsc = rte_rdtsc();
	for (i = 0; i < 40; i++)
		bed_send(GUEST, MAC(100), MAC(GUEST));
	bed_expect(UPLINK, 20);
	bed_dp.ports[GUEST].storm = 0;
	for (i = 0; i < 40; i++)
		bed_send(GUEST, MAC(100), MAC(GUEST));
	bed_expect(UPLINK, 40);
}

static void
test_short(void **state __rte_unused)
{
	struct packet p;
	uint32_t cuts[1];
	uint16_t port;

	make_switch();
	for (port = UPLINK; port <= GUEST; port += GUEST) {
		for (p.len = 0; p.len < 14;) {
			bed_forward(port, packet_mbuf_exact(&p, NULL, 0));
			bed_expect_drop(port, DROP_SHORT);
			put8(&p, 0xFF);
		}
		/* Nor is an Ethernet header looked for in several segments. */
		put_any(&p, MAC(GUEST2), port == GUEST ? MAC(GUEST) : MAC(100), 60);
		for (cuts[0] = 1; cuts[0] < 14; cuts[0]++) {
			bed_forward(port, packet_mbuf_exact(&p, cuts, 1));
			bed_expect_drop(port, DROP_SHORT);
		}
		bed_forward(port, packet_mbuf_exact(&p, cuts, 1));
		bed_expect(GUEST2, 1);
		put_any(&p, MAC(GUEST2), port == GUEST ? MAC(GUEST) : MAC(100), 14);
		bed_forward(port, packet_mbuf_exact(&p, NULL, 0));
		bed_expect(GUEST2, 1);
	}
	bed_expect_nothing();
}

/* A guest's packet without a checksum: it is completed once before others share it. */
static void
test_flood_checksum(void **state __rte_unused)
{
	struct rte_mbuf *m;
	struct packet p;
	unsigned int i;

	make_switch();
	put_eth_type(&p, MAC_BROADCAST, MAC(GUEST), RTE_ETHER_TYPE_IPV4);
	put_ip4(&p, IP4(10, 0, 0, 1), IPPROTO_UDP, 8 + 101);
	put_udp(&p, 1000, 2000, 101);
	put_fill(&p, 0x77, 101);
	m = packet_mbuf(&p, 0);
	m->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_NONE;
	bed_forward(GUEST, m);
	assert_int_equal(bed_worker.out[UPLINK].n, 1);
	m = bed_worker.out[UPLINK].pkts[0];
	assert_int_equal(m->ol_flags & RTE_MBUF_F_TX_L4_MASK, 0);
	assert_int_equal(rte_ipv4_udptcp_cksum_verify(rte_pktmbuf_mtod_offset(m,
								      struct rte_ipv4_hdr *, 14),
					 rte_pktmbuf_mtod_offset(m, void *, 34)),
			0);
	/* To one alone it goes as it is. */
	memset(bed_worker.out, 0, sizeof(bed_worker.out));
	rte_pktmbuf_refcnt_update(m, -2);
	rte_pktmbuf_free(m);
	p.len = 0;
	put_mac(&p, MAC(GUEST2));
	p.len = 14 + 28 + 101;
	m = packet_mbuf(&p, 0);
	m->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_NONE;
	bed_forward(GUEST, m);
	m = bed_worker.out[GUEST2].pkts[0];
	assert_int_equal(m->ol_flags & RTE_MBUF_F_TX_L4_MASK, RTE_MBUF_F_TX_UDP_CKSUM);
	bed_expect(GUEST2, 1);
	/* A NIC says that of what it has not looked at, and vhost-net that it is left undone. */
	for (i = 0; i < 2; i++) {
		bed_dp.ports[UPLINK].undone = i == 1;
		m = packet_mbuf(&p, 0);
		memset(rte_pktmbuf_mtod_offset(m, void *, 6), 2, 6);
		m->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_NONE;
		bed_forward(UPLINK, m);
		m = bed_worker.out[GUEST2].pkts[0];
		assert_int_equal(m->ol_flags & RTE_MBUF_F_TX_L4_MASK,
				i == 1 ? RTE_MBUF_F_TX_UDP_CKSUM : 0);
		bed_expect(GUEST2, 1);
	}
	/* Where there is no checksum, none is missing. */
	put_any(&p, MAC_BROADCAST, MAC(GUEST), 60);
	m = packet_mbuf(&p, 0);
	m->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_NONE;
	bed_forward(GUEST, m);
	bed_expect_drop(GUEST, DROP_OFFLOAD);
	bed_expect_nothing();
}

#define case_of(name) cmocka_unit_test_setup_teardown(name, bed_begin, bed_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		case_of(test_unicast),
		case_of(test_unknown),
		case_of(test_groups),
		case_of(test_reserved),
		case_of(test_same_port),
		case_of(test_isolated),
		case_of(test_gone),
		case_of(test_forged),
		case_of(test_guarded),
		case_of(test_learn),
		case_of(test_seen),
		case_of(test_news_full),
		case_of(test_pinned_elsewhere),
		case_of(test_odd_sources),
		case_of(test_cache),
		case_of(test_source_cache),
		case_of(test_order),
		case_of(test_storm),
		case_of(test_short),
		case_of(test_flood_checksum),
	};

	return cmocka_run_group_tests_name("vsw_forward", tests, bed_setup, bed_teardown);
}
