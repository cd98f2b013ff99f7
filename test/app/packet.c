/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <rte_ether.h>

#include "../unit/exact.h"
#include "bed.h"
#include "packet.h"

const struct ip6 ip6_any;

struct ip6
ip6_ula(uint8_t n)
{
	return (struct ip6){ .bytes = { [0] = 0xFD, [15] = n } };
}

struct ip6
ip6_link_local(uint8_t n)
{
	return (struct ip6){ .bytes = { 0xFE, 0x80, [8] = 0x02, 0x16, 0x3E, 0xFF, 0xFE, 0, 0, n } };
}

void
put(struct packet *p, const void *data, uint32_t len)
{
	assert_true(len <= sizeof(p->data) - p->len);
	memcpy(&p->data[p->len], data, len);
	p->len += len;
}

void
put_fill(struct packet *p, uint8_t value, uint32_t len)
{
	assert_true(len <= sizeof(p->data) - p->len);
	memset(&p->data[p->len], value, len);
	p->len += len;
}

void
put8(struct packet *p, uint8_t value)
{
	put_fill(p, value, 1);
}

void
put16(struct packet *p, uint16_t value)
{
	put8(p, value >> 8);
	put8(p, value);
}

void
put32(struct packet *p, uint32_t value)
{
	put16(p, value >> 16);
	put16(p, value);
}

void
put_mac(struct packet *p, uint64_t mac)
{
	unsigned int i;

	for (i = 0; i < RTE_ETHER_ADDR_LEN; i++)
		put8(p, mac >> (8 * i));
}

void
put_eth(struct packet *p, uint64_t to, uint64_t from)
{
	p->len = 0;
	put_mac(p, to);
	put_mac(p, from);
}

void
put_eth_type(struct packet *p, uint64_t to, uint64_t from, uint16_t type)
{
	put_eth(p, to, from);
	put16(p, type);
}

void
put_arp(struct packet *p, uint64_t sha, uint32_t sip)
{
	put16(p, 1);
	put16(p, RTE_ETHER_TYPE_IPV4);
	put8(p, RTE_ETHER_ADDR_LEN);
	put8(p, 4);
	put16(p, 1);
	put_mac(p, sha);
	put32(p, sip);
	put_mac(p, 0);
	put32(p, IP4(10, 0, 0, 99));
}

void
put_ip4(struct packet *p, uint32_t from, uint8_t proto, uint16_t len)
{
	put16(p, 0x4500);
	put16(p, 20 + len);
	put32(p, 0);
	put8(p, 64);
	put8(p, proto);
	put16(p, 0);
	put32(p, from);
	put32(p, IP4(10, 0, 0, 99));
}

void
put_ip6(struct packet *p, struct ip6 from, uint8_t next, uint16_t len)
{
	struct ip6 to = ip6_ula(99);

	put32(p, 0x60000000);
	put16(p, len);
	put8(p, next);
	put8(p, 255);
	put(p, &from, sizeof(from));
	put(p, &to, sizeof(to));
}

void
put_udp(struct packet *p, uint16_t from, uint16_t to, uint16_t len)
{
	put16(p, from);
	put16(p, to);
	put16(p, 8 + len);
	put16(p, 0);
}

void
put_any(struct packet *p, uint64_t to, uint64_t from, uint32_t len)
{
	put_eth_type(p, to, from, 0x88B5);
	put_fill(p, 0x5A, len - RTE_ETHER_HDR_LEN);
}

static struct rte_mbuf *
make(const struct packet *p, const uint32_t *cuts, unsigned int nb_cuts, bool exact)
{
	struct rte_mbuf *head = NULL, *m;
	uint32_t done = 0, n;
	unsigned int i;

	for (i = 0; i <= nb_cuts; i++) {
		n = i < nb_cuts ? RTE_MIN(cuts[i], p->len - done) : p->len - done;
		m = rte_pktmbuf_alloc(unit_pool);
		assert_non_null(m);
		if (exact && n > 0)
			exact_attach(m, n);
		memcpy(rte_pktmbuf_append(m, n), &p->data[done], n);
		done += n;
		if (head == NULL)
			head = m;
		else
			assert_int_equal(rte_pktmbuf_chain(head, m), 0);
	}
	return head;
}

struct rte_mbuf *
packet_mbuf_cut(const struct packet *p, const uint32_t *cuts, unsigned int nb_cuts)
{
	return make(p, cuts, nb_cuts, false);
}

struct rte_mbuf *
packet_mbuf_exact(const struct packet *p, const uint32_t *cuts, unsigned int nb_cuts)
{
	return make(p, cuts, nb_cuts, true);
}

struct rte_mbuf *
packet_mbuf(const struct packet *p, uint32_t seg)
{
	uint32_t cuts[PACKET_MAX];
	unsigned int i, n = seg != 0 ? (p->len - 1) / seg : 0;

	for (i = 0; i < n; i++)
		cuts[i] = seg;
	return make(p, cuts, n, false);
}
