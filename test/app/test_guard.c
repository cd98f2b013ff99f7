/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* What a locked port may say it is, in ARP and in IPv4. */

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <rte_ether.h>

#include "guarded.h"

static struct packet p;

/* As UBSan knows: 14 bytes are a packet too. */
static void
test_ethernet_alone(void **state __rte_unused)
{
	static const uint16_t types[] = { RTE_ETHER_TYPE_ARP, RTE_ETHER_TYPE_IPV4,
		RTE_ETHER_TYPE_IPV6 };
	unsigned int i;

	guarded_lock(GUARD_IP);
	for (i = 0; i < RTE_DIM(types); i++) {
		put_eth_type(&p, MAC_BROADCAST, MAC(OWN), types[i]);
		assert_int_not_equal(guarded_verdict(&p), GUARD_PASSES);
	}
}

static void
make_arp(uint64_t sha, uint32_t sip)
{
	put_eth_type(&p, MAC_BROADCAST, MAC(OWN), RTE_ETHER_TYPE_ARP);
	put_arp(&p, sha, sip);
}

static void
test_arp(void **state __rte_unused)
{
	enum guard_lock lock;

	for (lock = GUARD_MAC; lock <= GUARD_IP; lock++) {
		guarded_lock(lock);
		make_arp(MAC(OWN), OWN_IP);
		assert_passes(&p);
		/* Padded as on a wire. */
		put_fill(&p, 0, 18);
		assert_passes(&p);
		make_arp(MAC(OWN), IP4(10, 0, 0, 2));
		assert_passes(&p);
		/* A probe. */
		make_arp(MAC(OWN), 0);
		assert_passes(&p);
		guarded_survives(&p);
		make_arp(MAC(OTHER), OWN_IP);
		assert_refused(&p, DROP_SOURCE_ARP);
		guarded_never_passes(&p, RTE_ETHER_HDR_LEN);
		make_arp(0, 0);
		assert_refused(&p, DROP_SOURCE_ARP);
		make_arp(MAC_BROADCAST, OWN_IP);
		assert_refused(&p, DROP_SOURCE_ARP);
	}
}

static void
test_arp_ip(void **state __rte_unused)
{
	guarded_lock(GUARD_MAC);
	make_arp(MAC(OWN), OTHER_IP);
	assert_passes(&p);
	guarded_lock(GUARD_IP);
	assert_refused(&p, DROP_SOURCE_ARP);
	guarded_never_passes(&p, RTE_ETHER_HDR_LEN);
	/* The port has IPv6 alone: nothing of that is an IPv4 address. */
	guarded.nb_ips = 1;
	guarded.ips[0].version = 6;
	make_arp(MAC(OWN), OWN_IP);
	assert_refused(&p, DROP_SOURCE_ARP);
	guarded.nb_ips = 0;
	assert_refused(&p, DROP_SOURCE_ARP);
	make_arp(MAC(OWN), 0);
	assert_passes(&p);
}

/* Lengths by which the addresses would stand elsewhere. */
static void
test_arp_lengths(void **state __rte_unused)
{
	guarded_lock(GUARD_MAC);
	make_arp(MAC(OWN), OWN_IP);
	p.data[18] = 5;
	assert_refused(&p, DROP_SOURCE_ARP);
	p.data[18] = 8;
	assert_refused(&p, DROP_SOURCE_ARP);
	p.data[18] = 6;
	p.data[19] = 16;
	assert_refused(&p, DROP_SOURCE_ARP);
	p.data[19] = 4;
	assert_passes(&p);
}

static void
make_ip4(uint32_t from, uint8_t proto, uint32_t payload)
{
	put_eth_type(&p, MAC(OTHER), MAC(OWN), RTE_ETHER_TYPE_IPV4);
	put_ip4(&p, from, proto, payload);
	put_fill(&p, 0x11, payload);
}

static void
test_ip4(void **state __rte_unused)
{
	static const uint32_t others[] = { OTHER_IP, 0, 1, IP4(127, 0, 0, 1), UINT32_MAX,
		IP4(224, 0, 0, 1), IP4(1, 0, 0, 10) };
	unsigned int i;

	guarded_lock(GUARD_IP);
	make_ip4(OWN_IP, IPPROTO_TCP, 20);
	assert_passes(&p);
	guarded_survives(&p);
	make_ip4(IP4(10, 0, 0, 2), IPPROTO_UDP, 100);
	assert_passes(&p);
	make_ip4(OWN_IP, IPPROTO_IGMP, 0);
	assert_passes(&p);
	for (i = 0; i < RTE_DIM(others); i++) {
		make_ip4(others[i], IPPROTO_TCP, 20);
		assert_refused(&p, DROP_SOURCE_IP);
		guarded_never_passes(&p, RTE_ETHER_HDR_LEN);
		make_ip4(others[i], IPPROTO_UDP, 20);
		assert_refused(&p, DROP_SOURCE_IP);
		guarded_never_passes(&p, RTE_ETHER_HDR_LEN);
	}
	guarded_lock(GUARD_MAC);
	make_ip4(OTHER_IP, IPPROTO_TCP, 20);
	assert_passes(&p);
}

static void
make_udp4(uint32_t from, uint16_t port, uint16_t to, unsigned int option_words)
{
	put_eth_type(&p, MAC(OTHER), MAC(OWN), RTE_ETHER_TYPE_IPV4);
	put_ip4(&p, from, IPPROTO_UDP, 4 * option_words + 8 + 40);
	p.data[14] += option_words;
	put_fill(&p, 1, 4 * option_words);
	put_udp(&p, port, to, 40);
	put_fill(&p, 0, 40);
}

static void
test_dhcp(void **state __rte_unused)
{
	unsigned int words;

	guarded_lock(GUARD_IP);
	for (words = 0; words <= 10; words += 5) {
		make_udp4(0, 68, 67, words);
		assert_passes(&p);
		guarded_survives(&p);
		make_udp4(OWN_IP, 68, 67, words);
		assert_passes(&p);
		make_udp4(OTHER_IP, 68, 67, words);
		assert_refused(&p, DROP_SOURCE_IP);
		make_udp4(0, 67, 68, words);
		assert_refused(&p, DROP_SOURCE_ROLE);
		make_udp4(0, 68, 53, words);
		assert_refused(&p, DROP_SOURCE_IP);
		guarded_never_passes(&p, RTE_ETHER_HDR_LEN);
		make_udp4(0, 1068, 67, words);
		assert_refused(&p, DROP_SOURCE_IP);
		make_udp4(OWN_IP, 67, 68, words);
		assert_refused(&p, DROP_SOURCE_ROLE);
		guarded_never_passes(&p, RTE_ETHER_HDR_LEN);
		make_udp4(OWN_IP, 67, 67, words);
		assert_refused(&p, DROP_SOURCE_ROLE);
		make_udp4(OTHER_IP, 67, 68, words);
		assert_refused(&p, DROP_SOURCE_IP);
	}
	guarded_lock(GUARD_MAC);
	make_udp4(OTHER_IP, 67, 68, 0);
	assert_passes(&p);
}

/* A header of less than its least length, in which no port could be found. */
static void
test_ip4_header(void **state __rte_unused)
{
	unsigned int words;

	guarded_lock(GUARD_IP);
	for (words = 0; words < 5; words++) {
		make_udp4(OWN_IP, 67, 68, 0);
		p.data[14] = 0x40 | words;
		assert_refused(&p, DROP_SOURCE_IP);
	}
}

/* A later fragment has no ports; what stands in their place is data. */
static void
test_ip4_fragments(void **state __rte_unused)
{
	guarded_lock(GUARD_IP);
	make_udp4(OWN_IP, 67, 68, 0);
	/* The first one has them. */
	p.data[20] = 0x20;
	assert_refused(&p, DROP_SOURCE_ROLE);
	p.data[20] = 0x40;
	assert_refused(&p, DROP_SOURCE_ROLE);
	p.data[20] = 0;
	p.data[21] = 1;
	assert_passes(&p);
	p.data[20] = 0x1F;
	p.data[21] = 0;
	assert_passes(&p);
	make_udp4(0, 68, 67, 0);
	p.data[21] = 1;
	assert_refused(&p, DROP_SOURCE_IP);
	make_udp4(OTHER_IP, 1, 2, 0);
	p.data[21] = 1;
	assert_refused(&p, DROP_SOURCE_IP);
}

/* A port that may have certain addresses says nothing that no address is in. */
static void
test_other_types(void **state __rte_unused)
{
	static const uint16_t types[] = { 0, 38, 0x5FF, 0x0800 ^ 1, RTE_ETHER_TYPE_RARP,
		RTE_ETHER_TYPE_MPLS, RTE_ETHER_TYPE_PPPOE_SESSION, RTE_ETHER_TYPE_LLDP, 0x88B5,
		0xFFFF };
	unsigned int i;

	for (i = 0; i < RTE_DIM(types); i++) {
		put_eth_type(&p, MAC(OTHER), MAC(OWN), types[i]);
		put_fill(&p, 0x45, 46);
		guarded_lock(GUARD_IP);
		assert_refused(&p, DROP_SOURCE_IP);
		guarded_lock(GUARD_MAC);
		assert_passes(&p);
	}
}

/* Bytes of any kind. */
static void
test_random(void **state __rte_unused)
{
	static const uint16_t types[] = { RTE_ETHER_TYPE_ARP, RTE_ETHER_TYPE_IPV4,
		RTE_ETHER_TYPE_IPV6 };
	unsigned int i, j, len;

	for (i = 0; i < 300; i++) {
		guarded_lock(i % 2 != 0 ? GUARD_MAC : GUARD_IP);
		put_eth_type(&p, MAC(OTHER), MAC(OWN), types[i % 3]);
		len = bed_random() % 80;
		for (j = 0; j < len; j++)
			put8(&p, bed_random());
		if (guarded_verdict(&p) == GUARD_PASSES && i % 2 == 0)
			fail_msg("packet %u of random bytes passes", i);
	}
}

#define case_of(name) cmocka_unit_test_setup_teardown(name, bed_begin, bed_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		case_of(test_ethernet_alone),
		case_of(test_arp),
		case_of(test_arp_ip),
		case_of(test_arp_lengths),
		case_of(test_ip4),
		case_of(test_dhcp),
		case_of(test_ip4_header),
		case_of(test_ip4_fragments),
		case_of(test_other_types),
		case_of(test_random),
	};

	return cmocka_run_group_tests_name("vsw_guard", tests, bed_setup, bed_teardown);
}
