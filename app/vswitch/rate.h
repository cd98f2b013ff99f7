/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef RATE_H
#define RATE_H

/**
 * @file
 * The rate of a vif, as xl-network-configuration(5) writes it. Any thread.
 */

#include <stdint.h>

/** What rate_parse() takes, to follow "allowed:". */
#define RATE_RULE \
	"RATE or RATE@INTERVAL, with RATE a number and B/s, KB/s, MB/s, GB/s, b/s, Kb/s, Mb/s or " \
	"Gb/s, and INTERVAL a number and s, ms or us; 1 to 4294967295 bytes an interval"

/** So many bytes in so much time: as xl writes them, none of them 0. */
struct rate {
	uint32_t bytes;
	uint32_t usec;
};

/**
 * Read a rate, such as `10Mb/s` or `1GB/s@20ms`. The interval is 50 ms if there is none; its `s`
 * may be left out, and K, M and G are powers of 1000, both as for xl.
 *
 * @param[out] rate
 *   Written on success alone.
 * @return
 *   0 or -EINVAL.
 */
int
rate_parse(const char *text, struct rate *rate);

#endif /* RATE_H */
