/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 *
 * An answer of ARP that claims another's address, in a frame that comes from who sends it.
 */

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rigtool.h"

struct arp_frame {
	struct ether_header eth;
	struct ether_arp arp;
} __attribute__((packed));

int
arp_forge(int argc __attribute__((unused)), char **argv)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_halen = ETH_ALEN };
	struct ifreq req = { 0 };
	struct arp_frame frame = { 0 };
	struct ether_addr mac;
	struct in_addr address;
	int fd, n = number("count", argv[3], 1, 1000);

	if (ether_aton_r(argv[1], &mac) == NULL || inet_aton(argv[2], &address) == 0) {
		fprintf(stderr, "rigtool: '%s %s' must be a MAC and an IPv4 address\n", argv[1],
				argv[2]);
		return 2;
	}
	fd = socket(AF_PACKET, SOCK_RAW, 0);
	if (fd < 0)
		return failed("socket");
	strncpy(req.ifr_name, argv[0], sizeof(req.ifr_name) - 1);
	if (ioctl(fd, SIOCGIFHWADDR, &req) < 0)
		return failed(argv[0]);
	to.sll_ifindex = if_nametoindex(argv[0]);
	memset(frame.eth.ether_dhost, 0xff, ETH_ALEN);
	memcpy(frame.eth.ether_shost, req.ifr_hwaddr.sa_data, ETH_ALEN);
	frame.eth.ether_type = htons(ETHERTYPE_ARP);
	frame.arp.arp_hrd = htons(ARPHRD_ETHER);
	frame.arp.arp_pro = htons(ETHERTYPE_IP);
	frame.arp.arp_hln = ETH_ALEN;
	frame.arp.arp_pln = sizeof(address);
	frame.arp.arp_op = htons(ARPOP_REPLY);
	memcpy(frame.arp.arp_sha, &mac, ETH_ALEN);
	memcpy(frame.arp.arp_spa, &address, sizeof(address));
	memcpy(frame.arp.arp_tpa, &address, sizeof(address));
	while (n-- > 0) {
		if (sendto(fd, &frame, sizeof(frame), 0, (struct sockaddr *)&to, sizeof(to)) < 0)
			return failed("sendto");
	}
	close(fd);
	return 0;
}
