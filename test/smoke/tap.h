/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef TAP_H
#define TAP_H

/**
 * @file
 * A tap device of the kernel: a guest's network stack for tests. Each frame has a virtio_net_hdr
 * before it, by which both sides leave checksums to each other.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_ether.h>
#include <rte_mbuf.h>

#define TAP_QUEUES_MAX 8

/** What a tap device is to be. */
struct tap_config {
	const char *name;
	struct rte_ether_addr mac;
	uint16_t mtu;
	uint16_t queues;
	/* TCP packets to be segmented pass whole, both ways. */
	bool gso;
};

/**
 * Make a tap device in this thread's network namespace and set it up; it lives as long as its
 * queues are open.
 *
 * @param cfg
 *   Its name, address, MTU in bytes and number of queues (1..TAP_QUEUES_MAX).
 * @param fds
 *   The queues' file descriptors, non-blocking.
 * @return
 *   0, or a negative errno after a line on standard error.
 */
int
tap_open(const struct tap_config *cfg, int *fds);

/**
 * Read one frame that the kernel sends. A checksum that it has left blank becomes a wish of the
 * mbuf (RTE_MBUF_F_TX_{TCP,UDP}_CKSUM), or is completed here for other protocols; so does its
 * segmentation (RTE_MBUF_F_TX_TCP_SEG).
 *
 * @param m
 *   An empty mbuf with room for the longest frame.
 * @return
 *   1; 0 when there is none; or a negative errno.
 */
int
tap_read(int fd, struct rte_mbuf *m);

/**
 * Hand a frame of one segment to the kernel, with what the port has found out about its checksum
 * (RTE_MBUF_F_RX_L4_CKSUM_*) and segmentation (RTE_MBUF_F_RX_LRO). The mbuf stays the caller's.
 *
 * @return
 *   0, or a negative errno.
 */
int
tap_write(int fd, struct rte_mbuf *m);

#endif /* TAP_H */
