/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <rte_ip.h>
#include <rte_net.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "tap.h"

#define TAP_DEVICE "/dev/net/tun"

static int
tap_error(const char *name, const char *what)
{
	int ret = errno != 0 ? -errno : -EIO;

	fprintf(stderr, "tap %s: %s: %s\n", name, what, strerror(-ret));
	return ret;
}

static int
queue_open(const struct tap_config *cfg)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int fd, ret;

	if (cfg->queues > 1)
		ifr.ifr_flags |= IFF_MULTI_QUEUE;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", cfg->name);
	fd = open(TAP_DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return tap_error(cfg->name, "open " TAP_DEVICE);
	if (ioctl(fd, TUNSETIFF, &ifr) < 0) {
		ret = tap_error(cfg->name, "TUNSETIFF");
		goto fail;
	}
	if (ioctl(fd, TUNSETOFFLOAD, cfg->gso ? TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 : TUN_F_CSUM) <
			0) {
		ret = tap_error(cfg->name, "TUNSETOFFLOAD");
		goto fail;
	}
	return fd;

fail:
	close(fd);
	return ret;
}

static int
device_configure(const struct tap_config *cfg)
{
	struct ifreq ifr = { 0 };
	int sock, ret = 0;

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", cfg->name);
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return tap_error(cfg->name, "socket");
	ifr.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(ifr.ifr_hwaddr.sa_data, cfg->mac.addr_bytes, RTE_ETHER_ADDR_LEN);
	if (ioctl(sock, SIOCSIFHWADDR, &ifr) < 0) {
		ret = tap_error(cfg->name, "set the MAC address");
		goto out;
	}
	ifr.ifr_mtu = cfg->mtu;
	if (ioctl(sock, SIOCSIFMTU, &ifr) < 0) {
		ret = tap_error(cfg->name, "set the MTU");
		goto out;
	}
	ifr.ifr_flags = IFF_UP;
	if (ioctl(sock, SIOCSIFFLAGS, &ifr) < 0)
		ret = tap_error(cfg->name, "set up");
out:
	close(sock);
	return ret;
}

int
tap_open(const struct tap_config *cfg, int *fds)
{
	uint16_t i;
	int ret;

	for (i = 0; i < cfg->queues; i++) {
		fds[i] = queue_open(cfg);
		if (fds[i] < 0) {
			ret = fds[i];
			goto fail;
		}
	}
	ret = device_configure(cfg);
	if (ret == 0)
		return 0;
fail:
	while (i-- > 0)
		close(fds[i]);
	return ret;
}

/* A checksum that no flag of an mbuf stands for: sum it up here. */
static int
csum_complete(struct rte_mbuf *m, uint32_t start, uint32_t offset)
{
	uint16_t sum;

	if (start + offset + sizeof(sum) > rte_pktmbuf_data_len(m))
		return -EINVAL;
	sum = ~rte_raw_cksum(rte_pktmbuf_mtod_offset(m, void *, start),
			rte_pktmbuf_data_len(m) - start);
	memcpy(rte_pktmbuf_mtod_offset(m, void *, start + offset), &sum, sizeof(sum));
	return 0;
}

static int
wish_csum(struct rte_mbuf *m, const struct virtio_net_hdr *hdr)
{
	struct rte_net_hdr_lens lens;
	uint32_t ptype;

	ptype = rte_net_get_ptype(m, &lens, RTE_PTYPE_L2_MASK | RTE_PTYPE_L3_MASK);
	if (hdr->csum_start <= lens.l2_len)
		return -EINVAL;
	if (hdr->csum_offset == offsetof(struct rte_tcp_hdr, cksum))
		m->ol_flags |= RTE_MBUF_F_TX_TCP_CKSUM;
	else if (hdr->csum_offset == offsetof(struct rte_udp_hdr, dgram_cksum))
		m->ol_flags |= RTE_MBUF_F_TX_UDP_CKSUM;
	else
		return csum_complete(m, hdr->csum_start, hdr->csum_offset);
	m->ol_flags |= RTE_ETH_IS_IPV6_HDR(ptype) ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4;
	m->l2_len = lens.l2_len;
	m->l3_len = hdr->csum_start - lens.l2_len;
	return 0;
}

/* The kernel leaves the segmentation to us, and with it the checksum: wish_csum() has been here. */
static int
wish_segments(struct rte_mbuf *m, const struct virtio_net_hdr *hdr)
{
	const struct rte_tcp_hdr *tcp;
	uint32_t l4 = m->l2_len + m->l3_len;

	if ((m->ol_flags & RTE_MBUF_F_TX_TCP_CKSUM) == 0 ||
			l4 + sizeof(*tcp) > rte_pktmbuf_data_len(m))
		return -EINVAL;
	tcp = rte_pktmbuf_mtod_offset(m, const struct rte_tcp_hdr *, l4);
	m->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
	if ((m->ol_flags & RTE_MBUF_F_TX_IPV4) != 0)
		m->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
	m->l4_len = (tcp->data_off >> 4) * 4;
	m->tso_segsz = hdr->gso_size;
	return 0;
}

int
tap_read(int fd, struct rte_mbuf *m)
{
	struct virtio_net_hdr hdr;
	struct iovec iov[] = {
		{ .iov_base = &hdr, .iov_len = sizeof(hdr) },
		{ .iov_base = rte_pktmbuf_mtod(m, void *), .iov_len = rte_pktmbuf_tailroom(m) },
	};
	ssize_t n;

	n = readv(fd, iov, RTE_DIM(iov));
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (n <= (ssize_t)sizeof(hdr))
		return -EIO;
	m->data_len = n - sizeof(hdr);
	m->pkt_len = m->data_len;
	if ((hdr.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0 && wish_csum(m, &hdr) < 0)
		return -EIO;
	if (hdr.gso_type != VIRTIO_NET_HDR_GSO_NONE && wish_segments(m, &hdr) < 0)
		return -EIO;
	return 1;
}

/* The port has handed over a blank checksum: let the kernel finish it, or pass it on. */
static void
mark_blank(const struct rte_mbuf *m, struct virtio_net_hdr *hdr)
{
	struct rte_net_hdr_lens lens;
	uint32_t l4;

	l4 = rte_net_get_ptype(m, &lens,
			     RTE_PTYPE_L2_MASK | RTE_PTYPE_L3_MASK | RTE_PTYPE_L4_MASK) &
			RTE_PTYPE_L4_MASK;
	if (l4 != RTE_PTYPE_L4_TCP && l4 != RTE_PTYPE_L4_UDP)
		return;
	hdr->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	hdr->csum_start = lens.l2_len + lens.l3_len;
	hdr->csum_offset = l4 == RTE_PTYPE_L4_TCP ? offsetof(struct rte_tcp_hdr, cksum) :
						    offsetof(struct rte_udp_hdr, dgram_cksum);
}

int
tap_write(int fd, struct rte_mbuf *m)
{
	struct virtio_net_hdr hdr = { 0 };
	struct iovec iov[] = {
		{ .iov_base = &hdr, .iov_len = sizeof(hdr) },
		{ .iov_base = rte_pktmbuf_mtod(m, void *), .iov_len = rte_pktmbuf_data_len(m) },
	};
	uint64_t csum = m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;

	if (csum == RTE_MBUF_F_RX_L4_CKSUM_NONE)
		mark_blank(m, &hdr);
	else if (csum == RTE_MBUF_F_RX_L4_CKSUM_GOOD)
		hdr.flags = VIRTIO_NET_HDR_F_DATA_VALID;
	if ((m->ol_flags & RTE_MBUF_F_RX_LRO) != 0) {
		hdr.gso_type = RTE_ETH_IS_IPV6_HDR(m->packet_type) ? VIRTIO_NET_HDR_GSO_TCPV6 :
								     VIRTIO_NET_HDR_GSO_TCPV4;
		hdr.gso_size = m->tso_segsz;
		hdr.hdr_len = m->l2_len + m->l3_len + m->l4_len;
	}
	return writev(fd, iov, RTE_DIM(iov)) < 0 ? -errno : 0;
}
