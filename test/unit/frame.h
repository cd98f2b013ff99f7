/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef FRAME_H
#define FRAME_H

/**
 * @file
 * Frames of TCP and UDP with a blank checksum, and the test's own arithmetic of it.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#define FRAME_MAX 2000
#define FRAME_VLANS_MAX 6

/** A frame to be made, and where its parts came to be. */
struct frame {
	unsigned int vlans;
	uint16_t tpid[FRAME_VLANS_MAX]; /* of the tags; 0: VLAN for the last one, QINQ for others */
	unsigned int l2_extra; /* bytes that no parser knows, behind the addresses */
	bool ipv6;
	unsigned int options; /* IPv4: words; IPv6: extension headers of 8 bytes */
	/*
	 * IPv6: instead of options, a letter an extension header. h: hop-by-hop options, r:
	 * routing, d: destination options, D: such of 24 bytes, a: authentication, f: fragment,
	 * atomic, m: fragment with more to follow, o: fragment with an offset, e: encryption.
	 */
	const char *ext;
	bool udp;
	unsigned int payload;
	unsigned int padding;
	uint16_t seg; /* bytes a segment; 0: one segment */
	bool exact; /* each segment is memory of its very size, so that ASan knows its bounds */
	bool split; /* the headers too, and the data begins at odd places */

	/* Set by frame_make(). */
	uint8_t data[FRAME_MAX];
	uint32_t len;
	uint32_t l3;
	uint32_t l4;
	uint32_t l4_len;
};

/** All that an application may ask for in ol_flags. */
#define FRAME_TX_FLAGS \
	(RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IPV6 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK)

/** Ten extension headers. */
#define FRAME_EXT_10 "dddddddddd"

/** Frames of every kind that can be finished. */
extern const struct frame frame_good[];
extern const unsigned int frame_nb_good;

/** Make the frame that the first members ask for. The checksum holds the pseudo-header's sum. */
void
frame_make(struct frame *f);

/** The frame as a packet, with the lengths of its headers. Unless split, they are one segment. */
struct rte_mbuf *
frame_mbuf(const struct frame *f);

/** What an application sets in ol_flags to have the frame's checksums done. */
uint64_t
frame_tx_flags(const struct frame *f);

/**
 * Is its checksum left to an end that takes blank ones? Linux drops a blank packet with a VLAN tag,
 * or with L4 not within 256 bytes of IPv6.
 */
bool
frame_may_be_blank(const struct frame *f);

/** Where the L4 checksum stands. */
uint8_t *
frame_csum(struct frame *f);

/** Sum of the pseudo-header and all of L4 (RFC 9293, RFC 8200): 0xFFFF when it is right. */
uint16_t
frame_sum(const struct frame *f);

/** Add bytes as words in network order, the first at an even place. */
uint32_t
frame_sum_bytes(const uint8_t *data, uint32_t len, uint32_t sum);

/** The 16 bits of such a sum. */
uint16_t
frame_fold(uint32_t sum);

/** Write two bytes in network order. */
void
frame_set16(uint8_t *at, uint16_t value);

/** Fail unless the packet is the frame with a finished checksum and no other byte changed. */
void
frame_check_finished(struct frame *f, struct rte_mbuf *m);

#endif /* FRAME_H */
