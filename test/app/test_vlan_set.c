/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Sets of VLANs, and lists of them as people write them. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tagged.h"
#include "vlan.h"

static void
test_members(void **state __rte_unused)
{
	static const unsigned int tagged[] = { 1, 63, 64, 65, 4032, VLAN_MAX };
	struct vlan_set set = { 0 };
	unsigned int i;

	assert_true(vlan_has(&set, 0));
	assert_false(vlan_is_tagged(&set, 0));
	assert_int_equal(count_tagged(&set), 0);
	set.native = 7;
	for (i = 0; i < RTE_DIM(tagged); i++) {
		assert_false(vlan_has(&set, tagged[i]));
		vlan_tag(&set, tagged[i]);
		assert_true(vlan_has(&set, tagged[i]));
		assert_true(vlan_is_tagged(&set, tagged[i]));
	}
	assert_int_equal(count_tagged(&set), RTE_DIM(tagged));
	assert_true(vlan_has(&set, 7));
	assert_false(vlan_is_tagged(&set, 7));
	assert_false(vlan_has(&set, 0));
	set.native = VLAN_NONE;
	assert_false(vlan_has(&set, 7));
	assert_false(vlan_has(&set, VLAN_ID_MASK));
}

static void
test_lists(void **state __rte_unused)
{
	static const struct {
		const char *text;
		char separator;
		unsigned int count;
		unsigned int least;
		unsigned int greatest;
	} cases[] = {
		{ "1", ',', 1, 1, 1 },
		{ "4094", ',', 1, 4094, 4094 },
		{ "0010", ',', 1, 10, 10 },
		{ "10,20-30", ',', 12, 10, 30 },
		{ "10 ,\t20-30", ',', 12, 10, 30 },
		{ "30,10", ',', 2, 10, 30 },
		{ "5-5", ',', 1, 5, 5 },
		{ "10,10,9-11", ',', 3, 9, 11 },
		{ "1-4094", ',', 4094, 1, 4094 },
		{ "10:20:63-64", ':', 4, 10, 64 },
		{ "10/20", '/', 2, 10, 20 },
	};
	unsigned int i, vlan, least, greatest;
	struct vlan_set set;

	for (i = 0; i < RTE_DIM(cases); i++) {
		memset(&set, 0, sizeof(set));
		set.native = 4000;
		if (vlan_parse_list(&set, cases[i].text, cases[i].separator) != 0)
			fail_msg("'%s' is refused", cases[i].text);
		assert_int_equal(count_tagged(&set), cases[i].count);
		for (least = 0; !vlan_is_tagged(&set, least);)
			least++;
		for (vlan = 0, greatest = 0; vlan <= VLAN_MAX; vlan++)
			greatest = vlan_is_tagged(&set, vlan) ? vlan : greatest;
		assert_int_equal(least, cases[i].least);
		assert_int_equal(greatest, cases[i].greatest);
		assert_int_equal(set.native, 4000);
	}
}

/* What was in the set stays there. */
static void
test_lists_add(void **state __rte_unused)
{
	struct vlan_set set = { 0 };

	assert_int_equal(vlan_parse_list(&set, "10,20", ','), 0);
	assert_int_equal(vlan_parse_list(&set, "20-21", ','), 0);
	assert_int_equal(count_tagged(&set), 3);
}

static void
test_lists_refused(void **state __rte_unused)
{
	static const struct {
		const char *text;
		char separator;
	} cases[] = {
		{ "", ',' },
		{ ",", ',' },
		{ "10,", ',' },
		{ ",10", ',' },
		{ "10,,20", ',' },
		{ "10 20", ',' },
		{ " 10", ',' },
		{ "10 ", ',' },
		{ "0", ',' },
		{ "4095", ',' },
		{ "4294967297", ',' },
		{ "18446744073709551626", ',' },
		{ "20-10", ',' },
		{ "0-10", ',' },
		{ "10-4095", ',' },
		{ "10-", ',' },
		{ "-10", ',' },
		{ "10-20-30", ',' },
		{ "10 - 20", ',' },
		{ "+10", ',' },
		{ "0x10", ',' },
		{ "ten", ',' },
		{ "10:20", ',' },
		{ "10,20", ':' },
		{ "10 : 20", ':' },
		{ "10/ 20", '/' },
		{ "10,20,x", ',' },
	};
	struct vlan_set set = { .native = 3 }, before;
	unsigned int i;

	vlan_tag(&set, 5);
	memcpy(&before, &set, sizeof(set));
	for (i = 0; i < RTE_DIM(cases); i++) {
		if (vlan_parse_list(&set, cases[i].text, cases[i].separator) != -EINVAL)
			fail_msg("'%s' is not refused", cases[i].text);
		assert_memory_equal(&set, &before, sizeof(set));
	}
}

static void
test_number(void **state __rte_unused)
{
	static const char *const refused[] = { "", " 1", "1 ", "+1", "-1", "1p", "0x1", "4095",
		"4294967296", "18446744073709551617" };
	unsigned int i;

	assert_int_equal(vlan_parse("0", 0), 0);
	assert_int_equal(vlan_parse("0", 1), -EINVAL);
	assert_int_equal(vlan_parse("1", 1), 1);
	assert_int_equal(vlan_parse("0042", 1), 42);
	assert_int_equal(vlan_parse("4094", 0), 4094);
	for (i = 0; i < RTE_DIM(refused); i++)
		assert_int_equal(vlan_parse(refused[i], 0), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_lists_add),
		cmocka_unit_test(test_lists_refused),
		cmocka_unit_test(test_number),
	};

	return cmocka_run_group_tests_name("vsw_vlan", tests, NULL, NULL);
}
