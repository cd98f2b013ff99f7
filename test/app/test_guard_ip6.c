/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* What a locked port may say it is, in IPv6 and its Neighbor Discovery. */

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <rte_ether.h>

#include "guarded.h"

#define RS 133
#define RA 134
#define NS 135
#define NA 136
#define REDIRECT 137
#define SLLA 1
#define TLLA 2

/* Where the payload length is, and the first header behind IPv6's. */
#define LENGTH_AT 18
#define UPPER_AT 54

static struct packet p;

/* The IPv6 header tells how much there is. */
static void
end_ip6(void)
{
	uint16_t len = p.len - UPPER_AT;

	p.data[LENGTH_AT] = len >> 8;
	p.data[LENGTH_AT + 1] = len;
}

static void
begin_ip6(struct ip6 from, uint8_t next)
{
	put_eth_type(&p, MAC(OTHER), MAC(OWN), RTE_ETHER_TYPE_IPV6);
	put_ip6(&p, from, next, 0);
}

/* An extension header of 8 bytes and more words of 8. */
static void
put_extension(uint8_t next, uint8_t words)
{
	put8(&p, next);
	put8(&p, words);
	put_fill(&p, 0, 6 + 8 * words);
}

static void
put_fragment(uint8_t next, uint16_t offset, bool more)
{
	put16(&p, next << 8);
	put16(&p, offset << 3 | more);
	put32(&p, 77);
}

/* A message of ND up to its options; the target is one's own, where it has one. */
static void
put_nd(uint8_t type)
{
	static const uint8_t len[] = {
		[RS - RS] = 8, [RA - RS] = 16, [NS - RS] = 24, [NA - RS] = 24, [REDIRECT - RS] = 40
	};
	struct ip6 target = ip6_ula(OWN);
	uint32_t start = p.len;

	put8(&p, type);
	put_fill(&p, 0, 7);
	if (type == NS || type == NA)
		put(&p, &target, sizeof(target));
	put_fill(&p, 0, len[type - RS] - (p.len - start));
}

static void
put_lla(uint8_t option, uint64_t mac)
{
	put8(&p, option);
	put8(&p, 1);
	put_mac(&p, mac);
}

static void
make_nd(struct ip6 from, uint8_t type)
{
	begin_ip6(from, IPPROTO_ICMPV6);
	put_nd(type);
	end_ip6();
}

static void
make_nd_lla(struct ip6 from, uint8_t type, uint8_t option, uint64_t mac)
{
	make_nd(from, type);
	put_lla(option, mac);
	end_ip6();
}

static void
make_udp6(struct ip6 from, uint16_t port)
{
	begin_ip6(from, IPPROTO_UDP);
	put_udp(&p, port, 546, 10);
	put_fill(&p, 0, 10);
	end_ip6();
}

static void
test_source(void **state __rte_unused)
{
	struct ip6 others[] = { ip6_ula(OTHER), ip6_link_local(OTHER), { .bytes = { 0xFF, 2 } },
		{ .bytes = { [10] = 0xFF, 0xFF, 10, 0, 0, 1 } }, { .bytes = { 10, 0, 0, 1 } },
		{ .bytes = { [15] = 1 } } };
	unsigned int i;

	for (i = 0; i < RTE_DIM(others); i++) {
		guarded_lock(GUARD_IP);
		make_udp6(others[i], 1000);
		assert_refused(&p, DROP_SOURCE_IP);
		guarded_never_passes(&p, RTE_ETHER_HDR_LEN);
		make_nd(others[i], NS);
		assert_refused(&p, DROP_SOURCE_IP);
		guarded_lock(GUARD_MAC);
		assert_passes(&p);
	}
	guarded_lock(GUARD_IP);
	make_udp6(ip6_ula(OWN), 1000);
	assert_passes(&p);
	guarded_survives(&p);
	make_udp6(ip6_link_local(OWN), 1000);
	assert_passes(&p);
	/* It is made of the MAC address; it need not be in the list. */
	guarded.nb_ips = 0;
	assert_passes(&p);
	make_udp6(ip6_ula(OWN), 1000);
	assert_refused(&p, DROP_SOURCE_IP);
}

/* Who has no address yet asks whether it is free, for routers, and joins groups. */
static void
test_unspecified(void **state __rte_unused)
{
	guarded_lock(GUARD_IP);
	make_nd(ip6_any, NS);
	assert_passes(&p);
	make_nd(ip6_any, RS);
	assert_passes(&p);
	begin_ip6(ip6_any, IPPROTO_HOPOPTS);
	put_extension(IPPROTO_ICMPV6, 0);
	put8(&p, 143);
	put_fill(&p, 0, 27);
	end_ip6();
	assert_passes(&p);
	make_udp6(ip6_any, 1000);
	assert_refused(&p, DROP_SOURCE_IP);
	guarded_never_passes(&p, RTE_ETHER_HDR_LEN);
}

/* And says nothing else, in whatever it is wrapped. */
static void
test_unspecified_else(void **state __rte_unused)
{
	guarded_lock(GUARD_IP);
	begin_ip6(ip6_any, IPPROTO_TCP);
	put_fill(&p, 0x50, 20);
	end_ip6();
	assert_refused(&p, DROP_SOURCE_IP);
	begin_ip6(ip6_any, IPPROTO_DSTOPTS);
	put_extension(IPPROTO_UDP, 0);
	put_udp(&p, 1000, 1000, 0);
	end_ip6();
	assert_refused(&p, DROP_SOURCE_IP);
	begin_ip6(ip6_any, IPPROTO_FRAGMENT);
	put_fragment(IPPROTO_UDP, 1, false);
	put_fill(&p, 0, 16);
	end_ip6();
	assert_refused(&p, DROP_SOURCE_IP);
}

static void
test_nd(void **state __rte_unused)
{
	static const struct {
		uint8_t type;
		uint8_t option;
	} cases[] = { { RS, SLLA }, { NS, SLLA }, { NA, TLLA } };
	enum guard_lock lock;
	unsigned int i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		for (lock = GUARD_MAC; lock <= GUARD_IP; lock++) {
			guarded_lock(lock);
			make_nd(ip6_ula(OWN), cases[i].type);
			assert_passes(&p);
			guarded_survives(&p);
			make_nd_lla(ip6_ula(OWN), cases[i].type, cases[i].option, MAC(OWN));
			assert_passes(&p);
			make_nd_lla(ip6_ula(OWN), cases[i].type, cases[i].option, MAC(OTHER));
			assert_refused(&p, DROP_SOURCE_ND);
			guarded_never_passes(&p, UPPER_AT);
			/* One's own first does not help. */
			make_nd_lla(ip6_ula(OWN), cases[i].type, cases[i].option, MAC(OWN));
			put_lla(14, 0);
			put_lla(cases[i].option, MAC(OTHER));
			end_ip6();
			assert_refused(&p, DROP_SOURCE_ND);
			guarded_never_passes(&p, UPPER_AT);
		}
	}
}

static void
test_nd_options(void **state __rte_unused)
{
	unsigned int i;

	guarded_lock(GUARD_MAC);
	/* Of another length. */
	make_nd(ip6_ula(OWN), NS);
	put8(&p, 14);
	put8(&p, 3);
	put_fill(&p, SLLA, 22);
	put_lla(SLLA, MAC(OWN));
	end_ip6();
	assert_passes(&p);
	p.data[p.len - 1] = OTHER;
	assert_refused(&p, DROP_SOURCE_ND);
	guarded_never_passes(&p, UPPER_AT);
	/* Of no length, which goes on for ever. */
	make_nd(ip6_ula(OWN), NS);
	put16(&p, 14 << 8);
	put_fill(&p, 0, 6);
	end_ip6();
	assert_refused(&p, DROP_SOURCE_ND);
	/* Less than an option. */
	for (i = 1; i < 8; i++) {
		make_nd_lla(ip6_ula(OWN), NS, SLLA, MAC(OWN));
		put_fill(&p, 1, i);
		end_ip6();
		assert_refused(&p, DROP_SOURCE_ND);
	}
	/* What stands behind the packet is padding. */
	make_nd(ip6_ula(OWN), NS);
	put_lla(SLLA, MAC(OTHER));
	assert_passes(&p);
	/* So many. */
	make_nd(ip6_ula(OWN), NS);
	for (i = 0; i < 100; i++)
		put_lla(14, 0);
	put_lla(SLLA, MAC(OTHER));
	end_ip6();
	assert_refused(&p, DROP_SOURCE_ND);
}

/* Longer in the header than on the wire. */
static void
test_nd_length(void **state __rte_unused)
{
	guarded_lock(GUARD_MAC);
	make_nd(ip6_ula(OWN), NS);
	p.data[LENGTH_AT + 1] += 8;
	assert_refused(&p, DROP_SOURCE_ND);
	p.data[LENGTH_AT] = 0xFF;
	assert_refused(&p, DROP_SOURCE_ND);
	/* And nothing at all, though there is something. */
	make_nd_lla(ip6_ula(OWN), NS, SLLA, MAC(OTHER));
	p.data[LENGTH_AT + 1] = 0;
	assert_refused(&p, DROP_SOURCE_ND);
}

static void
test_target(void **state __rte_unused)
{
	struct ip6 targets[] = { ip6_ula(OTHER), ip6_link_local(OTHER), ip6_any };
	unsigned int i;

	for (i = 0; i < RTE_DIM(targets); i++) {
		make_nd_lla(ip6_ula(OWN), NA, TLLA, MAC(OWN));
		memcpy(&p.data[UPPER_AT + 8], &targets[i], sizeof(targets[i]));
		guarded_lock(GUARD_MAC);
		assert_passes(&p);
		guarded_lock(GUARD_IP);
		assert_refused(&p, DROP_SOURCE_ND);
		guarded_never_passes(&p, UPPER_AT);
		/* One may ask for anybody. */
		p.data[UPPER_AT] = NS;
		p.data[UPPER_AT + 24] = SLLA;
		assert_passes(&p);
	}
	targets[0] = ip6_link_local(OWN);
	make_nd_lla(ip6_link_local(OWN), NA, TLLA, MAC(OWN));
	memcpy(&p.data[UPPER_AT + 8], &targets[0], sizeof(targets[0]));
	assert_passes(&p);
}

static void
test_router(void **state __rte_unused)
{
	make_nd_lla(ip6_link_local(OWN), RA, SLLA, MAC(OWN));
	guarded_lock(GUARD_IP);
	assert_refused(&p, DROP_SOURCE_ROLE);
	guarded_never_passes(&p, UPPER_AT);
	guarded_lock(GUARD_MAC);
	assert_passes(&p);
	p.data[p.len - 1] = OTHER;
	assert_refused(&p, DROP_SOURCE_ND);
	make_nd(ip6_link_local(OWN), REDIRECT);
	assert_passes(&p);
	guarded_lock(GUARD_IP);
	assert_refused(&p, DROP_SOURCE_ROLE);
	guarded_never_passes(&p, UPPER_AT);
	make_udp6(ip6_link_local(OWN), 547);
	assert_refused(&p, DROP_SOURCE_ROLE);
	guarded_never_passes(&p, UPPER_AT);
	make_udp6(ip6_link_local(OWN), 546);
	assert_passes(&p);
	guarded_lock(GUARD_MAC);
	make_udp6(ip6_link_local(OWN), 547);
	assert_passes(&p);
}

/* Behind extension headers ND is what it is. */
static void
test_extensions(void **state __rte_unused)
{
	static const uint8_t types[] = { IPPROTO_HOPOPTS, IPPROTO_ROUTING, IPPROTO_DSTOPTS };
	unsigned int i, n, words;

	guarded_lock(GUARD_IP);
	for (n = 1; n <= 20; n++) {
		for (words = 0; words < 4; words += 3) {
			begin_ip6(ip6_ula(OWN), types[0]);
			for (i = 1; i <= n; i++)
				put_extension(i < n ? types[i % 3] : IPPROTO_ICMPV6, words);
			put_nd(NS);
			put_lla(SLLA, MAC(OWN));
			end_ip6();
			if (n < 16)
				assert_passes(&p);
			else
				assert_refused(&p, DROP_SOURCE_ND);
			p.data[p.len - 1] = OTHER;
			assert_refused(&p, DROP_SOURCE_ND);
			guarded_never_passes(&p, UPPER_AT);
		}
	}
	begin_ip6(ip6_ula(OWN), IPPROTO_DSTOPTS);
	put_extension(IPPROTO_UDP, 255 / 8);
	put_udp(&p, 547, 546, 0);
	end_ip6();
	assert_refused(&p, DROP_SOURCE_ROLE);
	/* Longer than the packet. */
	begin_ip6(ip6_ula(OWN), IPPROTO_DSTOPTS);
	put_extension(IPPROTO_ICMPV6, 0);
	put_nd(NS);
	end_ip6();
	p.data[UPPER_AT + 1] = 255;
	assert_refused(&p, DROP_SOURCE_ND);
}

static void
test_fragments(void **state __rte_unused)
{
	guarded_lock(GUARD_IP);
	/* An atomic one: the packet is whole. */
	begin_ip6(ip6_ula(OWN), IPPROTO_FRAGMENT);
	put_fragment(IPPROTO_ICMPV6, 0, false);
	put_nd(NS);
	put_lla(SLLA, MAC(OTHER));
	end_ip6();
	assert_refused(&p, DROP_SOURCE_ND);
	guarded_never_passes(&p, UPPER_AT);
	/* A later one has no header of the upper layer; whom it is from is told all the same. */
	begin_ip6(ip6_ula(OWN), IPPROTO_FRAGMENT);
	put_fragment(IPPROTO_UDP, 1, true);
	put_udp(&p, 547, 546, 0);
	end_ip6();
	assert_passes(&p);
	p.data[UPPER_AT + 2] = 0xFF;
	p.data[UPPER_AT + 3] = 0;
	assert_passes(&p);
	p.data[UPPER_AT + 3] = 7;
	assert_passes(&p);
	p.data[UPPER_AT + 2] = 0;
	assert_refused(&p, DROP_SOURCE_ROLE);
	begin_ip6(ip6_ula(OTHER), IPPROTO_FRAGMENT);
	put_fragment(IPPROTO_TCP, 1, true);
	put_fill(&p, 0, 16);
	end_ip6();
	assert_refused(&p, DROP_SOURCE_IP);
}

/* ND in pieces: what is forged is in the second one. RFC 6980: no ND is sent so. */
static void
test_nd_in_fragments(void **state __rte_unused)
{
	static const uint8_t types[] = { RS, NS, NA };
	unsigned int i;

	guarded_lock(GUARD_MAC);
	for (i = 0; i < RTE_DIM(types); i++) {
		begin_ip6(ip6_ula(OWN), IPPROTO_FRAGMENT);
		put_fragment(IPPROTO_ICMPV6, 0, true);
		put_nd(types[i]);
		end_ip6();
		assert_refused(&p, DROP_SOURCE_ND);
	}
}

/* The first fragment ends in front of the UDP header: RFC 7112 wants it there. */
static void
test_upper_in_second_fragment(void **state __rte_unused)
{
	guarded_lock(GUARD_IP);
	begin_ip6(ip6_ula(OWN), IPPROTO_FRAGMENT);
	put_fragment(IPPROTO_DSTOPTS, 0, true);
	put_extension(IPPROTO_UDP, 0);
	end_ip6();
	assert_int_not_equal(guarded_verdict(&p), GUARD_PASSES);
	/* Padding that looks like one. */
	put_udp(&p, 1000, 546, 0);
	assert_int_not_equal(guarded_verdict(&p), GUARD_PASSES);
}

#define case_of(name) cmocka_unit_test_setup_teardown(name, bed_begin, bed_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		case_of(test_source),
		case_of(test_unspecified),
		case_of(test_unspecified_else),
		case_of(test_nd),
		case_of(test_nd_options),
		case_of(test_nd_length),
		case_of(test_target),
		case_of(test_router),
		case_of(test_extensions),
		case_of(test_fragments),
		case_of(test_nd_in_fragments),
		case_of(test_upper_in_second_fragment),
	};

	return cmocka_run_group_tests_name("vsw_guard_ip6", tests, bed_setup, bed_teardown);
}
