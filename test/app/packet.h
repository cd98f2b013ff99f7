/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef PACKET_H
#define PACKET_H

/**
 * @file
 * Packets byte by byte: headers are put one behind the other, right or wrong.
 */

#include <stdint.h>

#include <rte_mbuf.h>

#define PACKET_MAX 2048

struct packet {
	uint8_t data[PACKET_MAX];
	uint32_t len;
};

/** The MAC address 00:16:3e:00:00:n as fdb_mac() has it. */
#define MAC(n) (UINT64_C(0x3E1600) | (uint64_t)(n) << 40)
#define MAC_BROADCAST UINT64_C(0xFFFFFFFFFFFF)
#define IP4(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

/** An IPv6 address. */
struct ip6 {
	uint8_t bytes[16];
};

extern const struct ip6 ip6_any;

/** fd00::n */
struct ip6
ip6_ula(uint8_t n);

/** The link-local address of MAC(n): fe80::216:3eff:fe00:n. */
struct ip6
ip6_link_local(uint8_t n);

void
put(struct packet *p, const void *data, uint32_t len);

/** As many bytes with that value. */
void
put_fill(struct packet *p, uint8_t value, uint32_t len);

void
put8(struct packet *p, uint8_t value);

/** In network order, as all numbers. */
void
put16(struct packet *p, uint16_t value);

void
put32(struct packet *p, uint32_t value);

/** The first of the address's bytes is the number's lowest. */
void
put_mac(struct packet *p, uint64_t mac);

/** Begin a packet with an Ethernet header, but for its EtherType. */
void
put_eth(struct packet *p, uint64_t to, uint64_t from);

/** Begin one with the EtherType. */
void
put_eth_type(struct packet *p, uint64_t to, uint64_t from, uint16_t type);

void
put_arp(struct packet *p, uint64_t sha, uint32_t sip);

/** IPv4 without options, with so many bytes to follow, no checksum. */
void
put_ip4(struct packet *p, uint32_t from, uint8_t proto, uint16_t len);

void
put_ip6(struct packet *p, struct ip6 from, uint8_t next, uint16_t len);

void
put_udp(struct packet *p, uint16_t from, uint16_t to, uint16_t len);

/** A whole packet of some protocol that nobody looks into, of so many bytes: 14 or more. */
void
put_any(struct packet *p, uint64_t to, uint64_t from, uint32_t len);

/** As an mbuf with segments of so many bytes; 0: one segment. */
struct rte_mbuf *
packet_mbuf(const struct packet *p, uint32_t seg);

/** As an mbuf with the first segments of these lengths, the last one has the rest. */
struct rte_mbuf *
packet_mbuf_cut(const struct packet *p, const uint32_t *cuts, unsigned int nb_cuts);

/** The same; each segment is memory of its very size, so that ASan knows its bounds. */
struct rte_mbuf *
packet_mbuf_exact(const struct packet *p, const uint32_t *cuts, unsigned int nb_cuts);

#endif /* PACKET_H */
