/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* What the toolstack says of a vif: how it is read, and what is said when it makes no sense. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "vif_keys.h"

#define MAC "00:16:3e:01:02:03"
#define BRIDGE_RULE \
	"has to be NAME, NAME.VLAN, NAME:TRUNK:TRUNK... or NAME.VLAN:TRUNK:TRUNK..., with a VLAN " \
	"from 0 to 4094 and others from 1 to 4094"
#define VLAN_RULE \
	"has to be VLANs from 1 to 4094 with '/' between them, each VLAN, VLANp, FIRST-LAST or " \
	"FIRST+OFFSETxCOUNT"
#define EITHER "has to be one with each VLAN either untagged or tagged"
#define MAC_RULE "has to be a MAC address such as 00:16:3e:01:02:03, not multicast and not zero"
#define IP_RULE \
	"has to be IPv4 and IPv6 addresses of hosts, without /LENGTH, with blanks between them"
#define MTU_RULE "has to be a number from 68 to 65517"

/* The bridge whose name looks as if it had a VLAN. */
static bool
is_bridge(const char *name, const void *arg)
{
	assert_ptr_equal(arg, &is_bridge);
	assert_true(name_valid(name));
	return strcmp(name, "br0.7") == 0 || strcmp(name, "br0") == 0;
}

static int
parse(const struct vif_texts *texts, struct vif_keys *keys, char *error)
{
	return vif_keys_parse(texts, 3, 1, is_bridge, &is_bridge, keys, error);
}

static void
assert_parsed(const struct vif_texts *texts, struct vif_keys *keys)
{
	char error[VIF_ERROR_SIZE];

	memset(keys, 0xA5, sizeof(*keys));
	if (parse(texts, keys, error) != 0)
		fail_msg("%s", error);
}

static void
assert_refused(const struct vif_texts *texts, const char *message)
{
	struct vif_keys keys, before;
	char error[VIF_ERROR_SIZE] = "";

	memset(&keys, 0xA5, sizeof(keys));
	memset(&before, 0xA5, sizeof(before));
	assert_int_equal(parse(texts, &keys, error), -EINVAL);
	assert_string_equal(error, message);
	assert_memory_equal(&keys, &before, sizeof(keys));
}

static void
test_ours(void **state __rte_unused)
{
	static const struct {
		const char *script;
		bool ours;
	} cases[] = {
		{ NULL, false },
		{ "", false },
		{ "vif-xenvif", true },
		{ "/etc/xen/scripts/vif-xenvif", true },
		{ "/usr/local/etc/xen/scripts/vif-xenvif", true },
		{ "/etc/xen/scripts/vif-bridge", false },
		{ "/etc/xen/scripts/my-vif-xenvif", false },
		{ "/etc/xen/scripts/vif-xenvif.old", false },
		{ "/etc/xen/scripts/vif-xenvif/", false },
	};
	struct vif_texts texts = { 0 };
	unsigned int i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		texts.script = cases[i].script;
		assert_int_equal(vif_keys_ours(&texts), cases[i].ours);
	}
}

static void
test_defaults(void **state __rte_unused)
{
	struct vif_texts texts = { .bridge = "xenbr0", .mac = MAC };
	char error[VIF_ERROR_SIZE];
	struct vif_keys keys;
	unsigned int i;

	assert_parsed(&texts, &keys);
	assert_string_equal(keys.name, "vif3.1");
	assert_string_equal(keys.bridge, "xenbr0");
	assert_int_equal(keys.vlan.native, 0);
	for (i = 0; i < VLAN_WORDS; i++)
		assert_int_equal(keys.vlan.tagged[i], 0);
	assert_memory_equal(keys.mac.addr_bytes, "\x00\x16\x3e\x01\x02\x03", 6);
	assert_int_equal(keys.mtu, 1500);
	assert_int_equal(keys.nb_ips, 0);
	/* What is empty is not there. */
	texts.vifname = texts.vlan = texts.ip = texts.mtu = "";
	assert_int_equal(vif_keys_parse(&texts, 32751, 65535, is_bridge, &is_bridge, &keys, error),
			0);
	assert_string_equal(keys.name, "vif32751.65535");
	assert_int_equal(keys.mtu, 1500);
}

static void
test_all(void **state __rte_unused)
{
	const struct vif_texts texts = { .bridge = "xenbr0",
		.vlan = "10p/20",
		.mac = "FE:Ff:aB:00:00:0f",
		.ip = "192.0.2.1",
		.mtu = "9000",
		.vifname = "web-0" };
	struct vif_keys keys;

	assert_parsed(&texts, &keys);
	assert_string_equal(keys.name, "web-0");
	assert_string_equal(keys.bridge, "xenbr0");
	assert_int_equal(keys.vlan.native, 10);
	assert_true(vlan_is_tagged(&keys.vlan, 20));
	assert_memory_equal(keys.mac.addr_bytes, "\xfe\xff\xab\x00\x00\x0f", 6);
	assert_int_equal(keys.mtu, 9000);
	assert_int_equal(keys.nb_ips, 1);
}

/* The text, the untagged VLAN, and those tagged; a list ends with 0. */
struct vlan_case {
	const char *text;
	const char *bridge;
	uint16_t native;
	unsigned int tagged[8];
};

static void
assert_vlans(const struct vlan_case *wanted, const struct vif_keys *keys)
{
	struct vlan_set set = { 0 };
	unsigned int i;

	for (i = 0; wanted->tagged[i] != 0; i++)
		vlan_tag(&set, wanted->tagged[i]);
	if (keys->vlan.native != wanted->native ||
			memcmp(keys->vlan.tagged, set.tagged, sizeof(set.tagged)) != 0)
		fail_msg("'%s': other VLANs, or %u untagged", wanted->text, keys->vlan.native);
	assert_string_equal(keys->bridge, wanted->bridge);
}

static void
test_bridge(void **state __rte_unused)
{
	static const struct vlan_case cases[] = {
		{ "a", "a", 0, { 0 } },
		{ "br0", "br0", 0, { 0 } },
		{ "abcdefghijklmno", "abcdefghijklmno", 0, { 0 } },
		{ "xenbr0.0", "xenbr0", 0, { 0 } },
		{ "xenbr0.10", "xenbr0", 10, { 0 } },
		{ "abcdefghijklmno.4094", "abcdefghijklmno", 4094, { 0 } },
		{ "xenbr0:20", "xenbr0", VLAN_NONE, { 20 } },
		{ "xenbr0:1:4094:64", "xenbr0", VLAN_NONE, { 1, 64, 4094 } },
		{ "xenbr0.10:20:30", "xenbr0", 10, { 20, 30 } },
		{ "br0.7", "br0.7", 0, { 0 } },
		{ "br0.7:20", "br0.7", VLAN_NONE, { 20 } },
		{ "br0.7.8", "br0.7", 8, { 0 } },
		{ "br0.8", "br0", 8, { 0 } },
		{ "br0.x", "br0.x", 0, { 0 } },
		{ "br0.", "br0.", 0, { 0 } },
		{ "br0.1x", "br0.1x", 0, { 0 } },
	};
	struct vif_texts texts = { .mac = MAC };
	struct vif_keys keys;
	unsigned int i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		texts.bridge = cases[i].text;
		assert_parsed(&texts, &keys);
		assert_vlans(&cases[i], &keys);
	}
}

static void
test_vlan(void **state __rte_unused)
{
	static const struct vlan_case cases[] = {
		{ "10", "br0", 10, { 0 } },
		{ "10p", "br0", 10, { 0 } },
		{ "10-10", "br0", 10, { 0 } },
		{ "10+5x0", "br0", 10, { 0 } },
		{ "10/10", "br0", 10, { 0 } },
		{ "10p/20", "br0", 10, { 20 } },
		{ "20/10p/4094", "br0", 10, { 20, 4094 } },
		{ "10p/20-23", "br0", 10, { 20, 21, 22, 23 } },
		{ "10p/100+10x4", "br0", 10, { 100, 110, 120, 130, 140 } },
		{ "1p/4000+94x1/5", "br0", 1, { 5, 4000, 4094 } },
	};
	struct vif_texts texts = { .bridge = "br0", .mac = MAC };
	struct vif_keys keys;
	unsigned int i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		texts.vlan = cases[i].text;
		assert_parsed(&texts, &keys);
		assert_vlans(&cases[i], &keys);
	}
	/* The bridge's own dot is no VLAN. */
	texts.bridge = "br0.7";
	texts.vlan = "9";
	assert_parsed(&texts, &keys);
	assert_string_equal(keys.bridge, "br0.7");
	assert_int_equal(keys.vlan.native, 9);
}

static void
test_ips(void **state __rte_unused)
{
	struct vif_texts texts = { .bridge = "br0", .mac = MAC };
	struct vif_keys keys;

	texts.ip = " 192.0.2.1 \t2001:db8::1  223.255.255.255 ";
	assert_parsed(&texts, &keys);
	assert_int_equal(keys.nb_ips, 3);
	assert_int_equal(keys.ips[0].version, 4);
	assert_memory_equal(keys.ips[0].bytes, "\xc0\x00\x02\x01", 4);
	assert_int_equal(keys.ips[1].version, 6);
	assert_memory_equal(keys.ips[1].bytes,
			"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01", 16);
	assert_int_equal(keys.ips[2].version, 4);
	texts.ip = "1.0.0.1 1.0.0.2 1.0.0.3 1.0.0.4 1.0.0.5 1.0.0.6 1.0.0.7 1.0.0.8 "
		   "1.0.0.9 1.0.0.10 1.0.0.11 1.0.0.12 1.0.0.13 1.0.0.14 1.0.0.15 1.0.0.16";
	assert_parsed(&texts, &keys);
	assert_int_equal(keys.nb_ips, VIF_IPS_MAX);
	assert_int_equal(keys.ips[15].bytes[3], 16);
	texts.ip = " ";
	assert_parsed(&texts, &keys);
	assert_int_equal(keys.nb_ips, 0);
}

static void
test_mtu(void **state __rte_unused)
{
	struct vif_texts texts = { .bridge = "br0", .mac = MAC };
	struct vif_keys keys;

	texts.mtu = "68";
	assert_parsed(&texts, &keys);
	assert_int_equal(keys.mtu, 68);
	texts.mtu = "65517";
	assert_parsed(&texts, &keys);
	assert_int_equal(keys.mtu, 65517);
}

/* A key, its values that are refused, and what is said behind the value. */
struct refusal {
	const char *value;
	const char *shown;
	const char *rule;
};

static void
assert_all_refused(struct vif_texts *texts, const char **field, const char *key,
		const struct refusal *cases, unsigned int nb)
{
	char message[VIF_ERROR_SIZE];
	unsigned int i;

	for (i = 0; i < nb; i++) {
		*field = cases[i].value;
		snprintf(message, sizeof(message), "%s=%s: %s", key, cases[i].shown, cases[i].rule);
		assert_refused(texts, message);
	}
}

static void
test_missing(void **state __rte_unused)
{
	struct vif_texts texts = { .mac = MAC };

	assert_refused(&texts, "bridge: is missing, and " BRIDGE_RULE);
	texts.bridge = "";
	assert_refused(&texts, "bridge: is missing, and " BRIDGE_RULE);
	texts.bridge = "br0";
	texts.mac = NULL;
	assert_refused(&texts, "mac: is missing, and " MAC_RULE);
	texts.mac = "";
	assert_refused(&texts, "mac: is missing, and " MAC_RULE);
}

static void
test_bridge_refused(void **state __rte_unused)
{
	static const struct refusal cases[] = {
		{ "-br0", "'-br0'", BRIDGE_RULE },
		{ "br 0", "'br 0'", BRIDGE_RULE },
		{ ".10", "'.10'", BRIDGE_RULE },
		{ "abcdefghijklmnop", "'abcdefghijklmnop'", BRIDGE_RULE },
		{ "abcdefghijklmnop.1", "'abcdefghijklmnop.1'", BRIDGE_RULE },
		{ "br0.4095", "'br0.4095'", BRIDGE_RULE },
		{ "br0.4294967306", "'br0.4294967306'", BRIDGE_RULE },
		{ "br0:", "'br0:'", BRIDGE_RULE },
		{ ":10", "':10'", BRIDGE_RULE },
		{ "br0:0", "'br0:0'", BRIDGE_RULE },
		{ "br0:4095", "'br0:4095'", BRIDGE_RULE },
		{ "br0:10:", "'br0:10:'", BRIDGE_RULE },
		{ "br0:10-20", "'br0:10-20'", BRIDGE_RULE },
		{ "br0:10,20", "'br0:10,20'", BRIDGE_RULE },
		{ "br0.5:6:5", "'br0.5:6:5'", EITHER },
		{ "br\x01\n'\\\xff", "'br\\x01\\x0a\\x27\\x5c\\xff'", BRIDGE_RULE },
		{ "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggg",
				"'aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee"
				"ffffffffffgg'...",
				BRIDGE_RULE },
	};
	struct vif_texts texts = { .mac = MAC };

	assert_all_refused(&texts, &texts.bridge, "bridge", cases, RTE_DIM(cases));
}

static void
test_vlan_refused(void **state __rte_unused)
{
	static const struct refusal cases[] = {
		{ "/", "'/'", VLAN_RULE },
		{ "10p/", "'10p/'", VLAN_RULE },
		{ "10p//20", "'10p//20'", VLAN_RULE },
		{ "0", "'0'", VLAN_RULE },
		{ "0p", "'0p'", VLAN_RULE },
		{ "4095", "'4095'", VLAN_RULE },
		{ "p", "'p'", VLAN_RULE },
		{ "10pp", "'10pp'", VLAN_RULE },
		{ "10p/20,30", "'10p/20,30'", VLAN_RULE },
		{ "10p/20 /30", "'10p/20 /30'", VLAN_RULE },
		{ "10-20p", "'10-20p'", VLAN_RULE },
		{ "10p/30-20", "'10p/30-20'", VLAN_RULE },
		{ "1p/100+10", "'1p/100+10'", VLAN_RULE },
		{ "1p/100+x4", "'1p/100+x4'", VLAN_RULE },
		{ "1p/+10x4", "'1p/+10x4'", VLAN_RULE },
		{ "1p/100+10x", "'1p/100+10x'", VLAN_RULE },
		{ "1p/100+0x4", "'1p/100+0x4'", VLAN_RULE },
		{ "1p/100+10x4x4", "'1p/100+10x4x4'", VLAN_RULE },
		{ "1p/100x10+4", "'1p/100x10+4'", VLAN_RULE },
		{ "1p/4000+95x1", "'1p/4000+95x1'", VLAN_RULE },
		{ "1p/4094+4094x4094", "'1p/4094+4094x4094'", VLAN_RULE },
		{ "1p/00000000000000000000000000000010", "'1p/00000000000000000000000000000010'",
				VLAN_RULE },
		{ "10u", "'10u'", "has to be without 'u': untagged is the VLAN with 'p' alone" },
		{ "10p/20-30u", "'10p/20-30u'",
				"has to be without 'u': untagged is the VLAN with 'p' alone" },
		{ "10p/20p", "'10p/20p'", "has to be with one 'p'" },
		{ "10/20", "'10/20'",
				"has to be with a 'p' behind one of several VLANs, which is "
				"untagged" },
		{ "10p/5-15", "'10p/5-15'", EITHER },
	};
	static const struct refusal both[] = {
		{ "10", "'10'", "has to be left out where bridge has VLANs" },
	};
	struct vif_texts texts = { .bridge = "br0", .mac = MAC };

	assert_all_refused(&texts, &texts.vlan, "vlan", cases, RTE_DIM(cases));
	texts.bridge = "br0.0";
	assert_all_refused(&texts, &texts.vlan, "vlan", both, RTE_DIM(both));
	texts.bridge = "br0:20";
	assert_all_refused(&texts, &texts.vlan, "vlan", both, RTE_DIM(both));
}

static void
test_addresses_refused(void **state __rte_unused)
{
	static const struct refusal macs[] = {
		{ "00:00:00:00:00:00", "'00:00:00:00:00:00'", MAC_RULE },
		{ "01:16:3e:01:02:03", "'01:16:3e:01:02:03'", MAC_RULE },
		{ "ff:ff:ff:ff:ff:ff", "'ff:ff:ff:ff:ff:ff'", MAC_RULE },
		{ "00:16:3e:01:02", "'00:16:3e:01:02'", MAC_RULE },
		{ "00:16:3e:01:02:0g", "'00:16:3e:01:02:0g'", MAC_RULE },
		{ "00-16-3e-01-02-03", "'00-16-3e-01-02-03'", MAC_RULE },
		{ "00:16:3e:01:02:03 ", "'00:16:3e:01:02:03 '", MAC_RULE },
		{ "0:016:3e:01:02:03", "'0:016:3e:01:02:03'", MAC_RULE },
	};
	static const struct refusal ips[] = {
		{ "192.0.2.0/24", "'192.0.2.0/24'", IP_RULE },
		{ "192.0.2.1/32", "'192.0.2.1/32'", IP_RULE },
		{ "192.0.2", "'192.0.2'", IP_RULE },
		{ "192.0.2.256", "'192.0.2.256'", IP_RULE },
		{ "192.0.2.1,192.0.2.2", "'192.0.2.1,192.0.2.2'", IP_RULE },
		{ "192.0.2.1 example.org", "'192.0.2.1 example.org'", IP_RULE },
		{ "0.0.0.0", "'0.0.0.0'", IP_RULE },
		{ "224.0.0.1", "'224.0.0.1'", IP_RULE },
		{ "255.255.255.255", "'255.255.255.255'", IP_RULE },
		{ "::", "'::'", IP_RULE },
		{ "ff02::1", "'ff02::1'", IP_RULE },
		{ "fe80::1%eth0", "'fe80::1%eth0'", IP_RULE },
		{ "2001:db8::1::2", "'2001:db8::1::2'", IP_RULE },
		{ "2001:0db8:0000:0000:0000:0000:0000:0000:0000:0001",
				"'2001:0db8:0000:0000:0000:0000:0000:0000:0000:0001'", IP_RULE },
		{ "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17",
				"'1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17'", IP_RULE },
		{ "1.0.0.1 1.0.0.1 1.0.0.1 1.0.0.1 1.0.0.1 1.0.0.1 1.0.0.1 1.0.0.1 1.0.0.1 "
		  "1.0.0.1 1.0.0.1 1.0.0.1 1.0.0.1 1.0.0.1 1.0.0.1 1.0.0.1 1.0.0.1",
				"'1.0.0.1 1.0.0.1 1.0.0.1 1.0.0.1 1.0.0.1 1.0.0.1 1.0.0.1 1.0.0.'"
				"...",
				"has to be at most 16 addresses" },
	};
	struct vif_texts texts = { .bridge = "br0", .mac = MAC };

	assert_all_refused(&texts, &texts.ip, "ip", ips, RTE_DIM(ips));
	assert_all_refused(&texts, &texts.mac, "mac", macs, RTE_DIM(macs));
}

static void
test_others_refused(void **state __rte_unused)
{
	static const struct refusal names[] = {
		{ "-x", "'-x'", "has to be " NAME_RULE },
		{ ".x", "'.x'", "has to be " NAME_RULE },
		{ "a b", "'a b'", "has to be " NAME_RULE },
		{ "abcdefghijklmnop", "'abcdefghijklmnop'", "has to be " NAME_RULE },
	};
	static const struct refusal mtus[] = {
		{ "67", "'67'", MTU_RULE },
		{ "65518", "'65518'", MTU_RULE },
		{ "1500 ", "'1500 '", MTU_RULE },
		{ "-1", "'-1'", MTU_RULE },
		{ "jumbo", "'jumbo'", MTU_RULE },
	};
	struct vif_texts texts = { .bridge = "br0", .mac = MAC };

	assert_all_refused(&texts, &texts.mtu, "mtu", mtus, RTE_DIM(mtus));
	assert_all_refused(&texts, &texts.vifname, "vifname", names, RTE_DIM(names));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ours),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_bridge),
		cmocka_unit_test(test_vlan),
		cmocka_unit_test(test_ips),
		cmocka_unit_test(test_mtu),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_bridge_refused),
		cmocka_unit_test(test_vlan_refused),
		cmocka_unit_test(test_addresses_refused),
		cmocka_unit_test(test_others_refused),
	};

	return cmocka_run_group_tests_name("vsw_vif_keys", tests, NULL, NULL);
}
