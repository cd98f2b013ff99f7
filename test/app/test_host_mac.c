/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Addresses of this domain's own interfaces. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "host_mac.h"

#define NAMES 1000

static void
test_names(void **state __rte_unused)
{
	static struct rte_ether_addr mac[NAMES];
	struct rte_ether_addr again;
	unsigned int i, j;
	char name[16];

	for (i = 0; i < NAMES; i++) {
		snprintf(name, sizeof(name), "host%u", i);
		host_mac(name, &mac[i]);
		assert_true(rte_is_valid_assigned_ether_addr(&mac[i]));
		assert_true(rte_is_local_admin_ether_addr(&mac[i]));
		for (j = 0; j < i; j++)
			assert_false(rte_is_same_ether_addr(&mac[i], &mac[j]));
		host_mac(name, &again);
		assert_true(rte_is_same_ether_addr(&mac[i], &again));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("vsw_host_mac", tests, NULL, NULL);
}
