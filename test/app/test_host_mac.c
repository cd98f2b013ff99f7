/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Addresses of this domain's own interfaces. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <systemd/sd-id128.h>

#include "host_mac.h"

#define NAMES 1000

int
__wrap_sd_id128_get_machine_app_specific(sd_id128_t app, sd_id128_t *id);

/* What systemd says of the machine's id. */
static int id_ret;

int
__wrap_sd_id128_get_machine_app_specific(sd_id128_t app, sd_id128_t *id)
{
	*id = app;
	return id_ret;
}

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

/* Without a machine-id it is of the name alone, and that is told. */
static void
test_no_machine_id(void **state __rte_unused)
{
	struct rte_ether_addr with, without, again, other;

	id_ret = 0;
	assert_int_equal(host_mac("host0", &with), 0);
	id_ret = -ENOENT;
	assert_int_equal(host_mac("host0", &without), -ENOENT);
	assert_int_equal(host_mac("host0", &again), -ENOENT);
	assert_int_equal(host_mac("host1", &other), -ENOENT);
	assert_false(rte_is_same_ether_addr(&with, &without));
	assert_true(rte_is_same_ether_addr(&without, &again));
	assert_false(rte_is_same_ether_addr(&without, &other));
	assert_true(rte_is_valid_assigned_ether_addr(&without));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_no_machine_id),
	};

	return cmocka_run_group_tests_name("vsw_host_mac", tests, NULL, NULL);
}
