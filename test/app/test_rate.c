/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Rates: what xl would write for them, and what is none. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <rte_common.h>

#include "rate.h"

static const struct {
	const char *text;
	uint32_t bytes;
	uint32_t usec;
} good[] = {
	{ "10Mb/s", 62500, 50000 },
	{ "10Mb/s@50ms", 62500, 50000 },
	{ "10Mb/s@50m", 62500, 50000 },
	{ "10Mb/s@50000us", 62500, 50000 },
	{ "10Mb/s@50000u", 62500, 50000 },
	{ "1MB/s@20ms", 20000, 20000 },
	{ "1GB/s", 50000000, 50000 },
	{ "1Gb/s@1s", 125000000, 1000000 },
	{ "250KB/s@1", 250000, 1000000 },
	{ "100Kb/s", 625, 50000 },
	{ "20B/s", 1, 50000 },
	{ "167b/s", 1, 50000 },
	{ "0010B/s@0001s", 10, 1000000 },
	{ "4294967295B/s@1s", UINT32_MAX, 1000000 },
	{ "1B/s@4294s", 4294, 4294000000 },
	{ "1B/s@4294967295us", 4294, UINT32_MAX },
};

static const char *const bad[] = {
	"",
	"@",
	"10",
	"10M",
	"10Mb",
	"10mb/s",
	"10MB/S",
	"10TB/s",
	"Mb/s",
	" 10Mb/s",
	"10 Mb/s",
	"10Mb/s ",
	"+10Mb/s",
	"-1Mb/s",
	"0x10B/s",
	"1.5Mb/s",
	"10Mb/s@",
	"10Mb/s@ms",
	"10Mb/s@50ns",
	"10Mb/s@50ms@",
	"10Mb/s@ 50ms",
	"10Mb/s@0ms",
	"0Mb/s",
	"19B/s",
	"7b/s@1s",
	"4294967296b/s",
	"18446744073709551617B/s",
	"1B/s@4295s",
	"1B/s@4294967296us",
	"4294967295B/s@2s",
	"4294967295GB/s@4294s",
	"off",
};

static void
test_good(void **state __rte_unused)
{
	struct rate rate;
	unsigned int i;

	for (i = 0; i < RTE_DIM(good); i++) {
		if (rate_parse(good[i].text, &rate) != 0)
			fail_msg("%s: is refused", good[i].text);
		if (rate.bytes != good[i].bytes || rate.usec != good[i].usec)
			fail_msg("%s: %u,%u", good[i].text, rate.bytes, rate.usec);
	}
}

static void
test_bad(void **state __rte_unused)
{
	struct rate rate = { 1, 2 };
	unsigned int i;

	for (i = 0; i < RTE_DIM(bad); i++) {
		if (rate_parse(bad[i], &rate) != -EINVAL)
			fail_msg("%s: is taken", bad[i]);
		assert_int_equal(rate.bytes, 1);
		assert_int_equal(rate.usec, 2);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
