/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef PCAPNG_H
#define PCAPNG_H

/**
 * @file
 * Blocks of a pcapng file (draft-ietf-opsawg-pcapng), with times in nanoseconds. Each function
 * writes one block and returns its length in bytes. Any thread.
 *
 * rte_pcapng of DPDK 22.11 names interfaces by their numbers and only at the start, converts times
 * by variables that all threads share, and takes a short write for a whole one.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Room that a block takes without the data of a packet, if texts are of PCAPNG_TEXT_MAX. */
#define PCAPNG_BLOCK_MAX 384
/** Bytes of a text at most; what is behind them is left out. */
#define PCAPNG_TEXT_MAX 128

/** A packet that was captured. */
struct pcapng_packet {
	/** Number of its interface, from 0 on in the order of their blocks. */
	uint32_t interface;
	/** Since 1970. */
	uint64_t ns;
	/** Bytes that are in the file, and that it had. */
	uint32_t captured;
	uint32_t length;
	/** It was sent. */
	bool out;
	uint32_t queue;
};

/** The block that a file begins with. */
size_t
pcapng_section(uint8_t *block, const char *application);

/**
 * An interface.
 *
 * @param snaplen
 *   Bytes that there are of a packet at most.
 */
size_t
pcapng_interface(uint8_t *block, const char *name, const char *description, uint32_t snaplen);

/** Where a packet's data begins in its block. */
uint8_t *
pcapng_packet_data(uint8_t *block);

/** A packet whose data is there. */
size_t
pcapng_packet(uint8_t *block, const struct pcapng_packet *packet);

/** What there was of an interface: packets that are in the file, and that were lost. */
size_t
pcapng_statistics(uint8_t *block, uint32_t interface, uint64_t ns, uint64_t received,
		uint64_t lost);

#endif /* PCAPNG_H */
