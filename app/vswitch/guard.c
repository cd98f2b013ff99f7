/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <rte_arp.h>
#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_icmp.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "dataplane.h"
#include "fdb.h"
#include "guard.h"
#include "stats.h"
#include "vif_keys.h"

/* Ports of DHCP and DHCPv6. */
#define DHCP_SERVER 67
#define DHCP_CLIENT 68
#define DHCP6_SERVER 547
/* ICMPv6: RFC 4861, 4. */
#define ROUTER_SOLICITATION 133
#define ROUTER_ADVERTISEMENT 134
#define NEIGHBOR_SOLICITATION 135
#define NEIGHBOR_ADVERTISEMENT 136
#define REDIRECT 137
#define OPTION_SOURCE 1
#define OPTION_TARGET 2
/* Options that are looked through; whoever sends more of them has something to hide. */
#define OPTIONS_MAX 16

static const uint8_t zeros[16];

/* A message of ND, up to its options. */
struct nd {
	uint8_t type;
	uint8_t code;
	uint16_t checksum;
	uint32_t flags;
	uint8_t target[16];
} __attribute__((packed));

static bool
own_mac(const struct dp_port *p, const void *mac)
{
	return fdb_mac(mac) == p->mac;
}

static bool
own_ip(const struct dp_port *p, uint8_t version, const void *address)
{
	unsigned int i;

	for (i = 0; i < p->nb_ips; i++) {
		if (p->ips[i].version == version &&
				memcmp(p->ips[i].bytes, address, version == 4 ? 4 : 16) == 0)
			return true;
	}
	return false;
}

/* The link-local address that the MAC address makes: RFC 4291, appendix A. */
static bool
own_link_local(const struct dp_port *p, const void *address)
{
	uint64_t number = rte_cpu_to_le_64(p->mac);
	uint8_t mac[sizeof(number)], wanted[16] = { 0xFE, 0x80 };

	memcpy(mac, &number, sizeof(mac));
	memcpy(&wanted[8], mac, 3);
	wanted[8] ^= 2;
	wanted[11] = 0xFF;
	wanted[12] = 0xFE;
	memcpy(&wanted[13], &mac[3], 3);
	return memcmp(address, wanted, sizeof(wanted)) == 0;
}

static bool
own_ip6(const struct dp_port *p, const void *address)
{
	return own_ip(p, 6, address) || own_link_local(p, address);
}

static int
check_arp(const struct dp_port *p, const struct rte_mbuf *m)
{
	struct rte_arp_hdr copy;
	const struct rte_arp_hdr *arp;

	arp = rte_pktmbuf_read(m, RTE_ETHER_HDR_LEN, sizeof(copy), &copy);
	if (arp == NULL || arp->arp_hlen != RTE_ETHER_ADDR_LEN || arp->arp_plen != 4 ||
			!own_mac(p, &arp->arp_data.arp_sha))
		return DROP_SOURCE_ARP;
	/* A probe has no address yet: RFC 5227, 2.1. */
	if (p->lock == GUARD_IP && arp->arp_data.arp_sip != 0 &&
			!own_ip(p, 4, &arp->arp_data.arp_sip))
		return DROP_SOURCE_ARP;
	return GUARD_PASSES;
}

/* The link-layer addresses in the options are its own. */
static bool
check_options(const struct dp_port *p, const struct rte_mbuf *m, uint32_t at, uint32_t end,
		uint8_t wanted)
{
	uint8_t copy[8];
	const uint8_t *option;
	unsigned int i;

	for (i = 0; i < OPTIONS_MAX && at + sizeof(copy) <= end; i++) {
		option = rte_pktmbuf_read(m, at, sizeof(copy), copy);
		if (option == NULL || option[1] == 0)
			return false;
		if (option[0] == wanted && !own_mac(p, &option[2]))
			return false;
		at += option[1] * 8;
	}
	return at >= end;
}

static int
check_nd(const struct dp_port *p, const struct rte_mbuf *m, uint32_t at, uint32_t end,
		bool fragment)
{
	struct nd copy;
	const struct nd *nd = rte_pktmbuf_read(m, at, 1, &copy);
	uint32_t options = at + sizeof(copy);

	if (nd == NULL || end < at + 1)
		return DROP_SOURCE_ND;
	/* Its rest could say something else: RFC 6980. */
	if (fragment && nd->type >= ROUTER_SOLICITATION && nd->type <= REDIRECT)
		return DROP_SOURCE_ND;
	switch (nd->type) {
	case ROUTER_SOLICITATION:
		return check_options(p, m, at + 8, end, OPTION_SOURCE) ? GUARD_PASSES :
									 DROP_SOURCE_ND;
	case ROUTER_ADVERTISEMENT:
		if (p->lock == GUARD_IP)
			return DROP_SOURCE_ROLE;
		return check_options(p, m, at + 16, end, OPTION_SOURCE) ? GUARD_PASSES :
									  DROP_SOURCE_ND;
	case NEIGHBOR_SOLICITATION:
		return check_options(p, m, options, end, OPTION_SOURCE) ? GUARD_PASSES :
									  DROP_SOURCE_ND;
	case NEIGHBOR_ADVERTISEMENT:
		nd = rte_pktmbuf_read(m, at, sizeof(copy), &copy);
		if (nd == NULL || (p->lock == GUARD_IP && !own_ip6(p, nd->target)))
			return DROP_SOURCE_ND;
		return check_options(p, m, options, end, OPTION_TARGET) ? GUARD_PASSES :
									  DROP_SOURCE_ND;
	case REDIRECT:
		return p->lock == GUARD_IP ? DROP_SOURCE_ROLE : GUARD_PASSES;
	default:
		return GUARD_PASSES;
	}
}

/* No header of an upper layer: it is in the first fragment. */
#define NO_UPPER UINT32_MAX

/* Where the header of the upper layer begins, and which it is: RFC 8200, 4. 0: that is not told. */
static uint32_t
skip_extensions(const struct rte_mbuf *m, uint32_t at, uint8_t *next, bool *fragment)
{
	uint8_t copy[4];
	const uint8_t *header;
	unsigned int i;

	for (i = 0; i < OPTIONS_MAX; i++) {
		switch (*next) {
		case IPPROTO_HOPOPTS:
		case IPPROTO_ROUTING:
		case IPPROTO_DSTOPTS:
		case IPPROTO_FRAGMENT:
			break;
		default:
			return at;
		}
		header = rte_pktmbuf_read(m, at, sizeof(copy), copy);
		if (header == NULL)
			return 0;
		*fragment |= *next == IPPROTO_FRAGMENT;
		if (*next == IPPROTO_FRAGMENT && (header[2] != 0 || (header[3] & 0xF8) != 0))
			return NO_UPPER;
		at += *next == IPPROTO_FRAGMENT ? 8 : 8 + header[1] * 8;
		*next = header[0];
	}
	return 0;
}

static int
check_ip6(const struct dp_port *p, const struct rte_mbuf *m)
{
	uint32_t at = RTE_ETHER_HDR_LEN, end;
	bool unspecified, fragment = false;
	struct rte_ipv6_hdr copy;
	const struct rte_ipv6_hdr *ip = rte_pktmbuf_read(m, at, sizeof(copy), &copy);
	struct rte_udp_hdr udp_copy;
	const struct rte_udp_hdr *udp;
	uint8_t next;

	if (ip == NULL)
		return DROP_SOURCE_IP;
	unspecified = memcmp(&ip->src_addr, zeros, sizeof(zeros)) == 0;
	if (p->lock == GUARD_IP && !unspecified && !own_ip6(p, &ip->src_addr))
		return DROP_SOURCE_IP;
	next = ip->proto;
	end = at + sizeof(copy) + rte_be_to_cpu_16(ip->payload_len);
	at = skip_extensions(m, at + sizeof(copy), &next, &fragment);
	if (at == 0)
		return DROP_SOURCE_ND;
	/* Before it has an address it may ask whether somebody else has: RFC 4862, 5.4. */
	if (p->lock == GUARD_IP && unspecified && (at == NO_UPPER || next != IPPROTO_ICMPV6))
		return DROP_SOURCE_IP;
	if (at == NO_UPPER)
		return GUARD_PASSES;
	if (next == IPPROTO_ICMPV6)
		return check_nd(p, m, at, end, fragment);
	if (p->lock == GUARD_IP && next == IPPROTO_UDP) {
		udp = rte_pktmbuf_read(m, at, sizeof(udp_copy), &udp_copy);
		if (udp == NULL || at + sizeof(*udp) > end ||
				udp->src_port == RTE_BE16(DHCP6_SERVER))
			return DROP_SOURCE_ROLE;
	}
	return GUARD_PASSES;
}

static int
check_ip4(const struct dp_port *p, const struct rte_mbuf *m)
{
	uint32_t at = RTE_ETHER_HDR_LEN;
	struct rte_ipv4_hdr copy;
	const struct rte_ipv4_hdr *ip = rte_pktmbuf_read(m, at, sizeof(copy), &copy);
	struct rte_udp_hdr udp_copy;
	const struct rte_udp_hdr *udp;

	if (ip == NULL || rte_ipv4_hdr_len(ip) < sizeof(*ip))
		return DROP_SOURCE_IP;
	if (ip->src_addr != 0 && !own_ip(p, 4, &ip->src_addr))
		return DROP_SOURCE_IP;
	if (ip->next_proto_id != IPPROTO_UDP ||
			(ip->fragment_offset & RTE_BE16(RTE_IPV4_HDR_OFFSET_MASK)) != 0)
		return ip->src_addr != 0 ? GUARD_PASSES : DROP_SOURCE_IP;
	udp = rte_pktmbuf_read(m, at + rte_ipv4_hdr_len(ip), sizeof(udp_copy), &udp_copy);
	if (udp == NULL || udp->src_port == RTE_BE16(DHCP_SERVER))
		return DROP_SOURCE_ROLE;
	/* It has no address yet, and asks for one: RFC 2131, 4.1. */
	if (ip->src_addr == 0 &&
			(udp->src_port != RTE_BE16(DHCP_CLIENT) ||
					udp->dst_port != RTE_BE16(DHCP_SERVER)))
		return DROP_SOURCE_IP;
	return GUARD_PASSES;
}

int
guard_check(const struct dp_port *port, const struct rte_mbuf *m, uint16_t type)
{
	if (type == RTE_BE16(RTE_ETHER_TYPE_ARP))
		return check_arp(port, m);
	if (type == RTE_BE16(RTE_ETHER_TYPE_IPV6))
		return check_ip6(port, m);
	if (port->lock != GUARD_IP)
		return GUARD_PASSES;
	if (type == RTE_BE16(RTE_ETHER_TYPE_IPV4))
		return check_ip4(port, m);
	return DROP_SOURCE_IP;
}
