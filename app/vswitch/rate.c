/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "rate.h"

#define INTERVAL_DEFAULT 50000
#define USEC_PER_S 1000000

/* What may follow a number, and what it multiplies that by. */
struct unit {
	const char *name;
	uint32_t factor;
	uint32_t divisor;
};

static const struct unit rates[] = {
	{ "B/s", 1, 1 },
	{ "KB/s", 1000, 1 },
	{ "MB/s", 1000 * 1000, 1 },
	{ "GB/s", 1000 * 1000 * 1000, 1 },
	{ "b/s", 1, 8 },
	{ "Kb/s", 1000, 8 },
	{ "Mb/s", 1000 * 1000, 8 },
	{ "Gb/s", 1000 * 1000 * 1000, 8 },
};

static const struct unit intervals[] = {
	{ "", USEC_PER_S, 1 },
	{ "s", USEC_PER_S, 1 },
	{ "m", 1000, 1 },
	{ "ms", 1000, 1 },
	{ "u", 1, 1 },
	{ "us", 1, 1 },
};

/* Read a number, which xl takes up to 32 bits, and the unit behind it: `len` characters in all. */
static int
parse_part(const char *text, size_t len, const struct unit *units, unsigned int n, uint64_t *value)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long long number;
	unsigned int i;

	if (digits == 0 || digits > len)
		return -EINVAL;
	number = strtoull(text, NULL, 10);
	if (number > UINT32_MAX)
		return -EINVAL;
	for (i = 0; i < n; i++) {
		if (strlen(units[i].name) != len - digits ||
				memcmp(units[i].name, text + digits, len - digits) != 0)
			continue;
		*value = (uint64_t)number * units[i].factor / units[i].divisor;
		return 0;
	}
	return -EINVAL;
}

int
rate_parse(const char *text, struct rate *rate)
{
	uint64_t speed, usec = INTERVAL_DEFAULT;
	size_t len = strcspn(text, "@");
	const char *interval = text + len + 1;

	if (parse_part(text, len, rates, RTE_DIM(rates), &speed) != 0)
		return -EINVAL;
	if (text[len] != '\0' &&
			parse_part(interval, strlen(interval), intervals, RTE_DIM(intervals),
					&usec) != 0)
		return -EINVAL;
	if (usec == 0 || usec > UINT32_MAX || speed > UINT64_MAX / usec ||
			speed * usec / USEC_PER_S == 0 || speed * usec / USEC_PER_S > UINT32_MAX)
		return -EINVAL;
	rate->bytes = speed * usec / USEC_PER_S;
	rate->usec = usec;
	return 0;
}
