/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* What may not be written in the switch's configuration, and what is said of it: all of it. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "config.h"

#define NUMBER(least, most) "has to be a number from " #least " to " #most
#define YES_NO "has to be yes or no"
#define PATH_RULE "has to be an absolute path of at most 107 characters"
#define TEXT_RULE "has to be 1 to 511 characters"
#define EAL_RULE TEXT_RULE ", in at most 60 words, none of them -h or --help"
#define LCORES_RULE \
	"has to be a list of at most 32 processors, such as 1,3-4, each from 0 to 1023 and there " \
	"once"
#define MTU_RULE NUMBER(68, 65517) ", and up to 1500 for a tap"
#define AGE_RULE "has to be a number with a unit, s, min or h, from 10 s to 24 h"
#define STORM_RULE "has to be a number with the unit pps, from 100 pps to 10000000 pps, or off"
#define METRICS_RULE \
	"has to be ADDRESS:PORT, such as 127.0.0.1:9475 or [::1]:9475, the port from 1 to 65535, " \
	"or off"
#define TRUNKS_RULE "has to be a list of VLANs from 1 to 4094, such as 10,20-30, or all or none"
#define LINE_RULE "has to be KEY = VALUE, a section in brackets, or a comment after '#'"
#define BYTE_RULE "only printable ASCII is allowed, but in comments"
#define BRIDGE "[bridge b]\n"
#define UPLINK "[port u]\nbridge=b\ndevargs=0000:03:00.0\n"
#define TAP "[port t]\nbridge=b\nkind=tap\n"

static void
assert_refused(const char *text, unsigned int line, const char *message)
{
	static struct config config, before;
	struct config_error error;

	memset(&config, 0xA5, sizeof(config));
	memset(&before, 0xA5, sizeof(before));
	if (config_parse(text, &config, &error) != -EINVAL)
		fail_msg("not refused: %s", text);
	assert_string_equal(error.text, message);
	if (error.line != line)
		fail_msg("line %u, not %u: %s", error.line, line, error.text);
	assert_memory_equal(&config, &before, sizeof(config));
}

struct refusal {
	const char *text;
	unsigned int line;
	const char *message;
};

static void
assert_all_refused(const struct refusal *cases, unsigned int nb)
{
	unsigned int i;

	for (i = 0; i < nb; i++)
		assert_refused(cases[i].text, cases[i].line, cases[i].message);
}

static void
test_form(void **state __rte_unused)
{
	static const struct refusal cases[] = {
		{ "\n\nqueues\n", 3, "'queues': " LINE_RULE },
		{ "[switch]\n= 1", 2, "'= 1': " LINE_RULE },
		{ "[switch", 1, "'[switch': a section has to end in ']'" },
		{ "[switch] # x\n", 1, "'[switch] # x': a section has to end in ']'" },
		{ "[", 1, "'[': a section has to end in ']'" },
		{ "[switch]\r\neal = \x1b[0m\n", 2, "byte 0x1b: " BYTE_RULE },
		{ "#\xff\n\xff", 2, "byte 0xff: " BYTE_RULE },
		{ "[switch]\r\r\n", 1, "byte 0x0d: " BYTE_RULE },
		{ "queues = 1\n[switch]", 1,
				"key 'queues': is in no section; it has to follow one" },
		{ "[]", 1,
				"section '': is unknown; there are [switch], [bridge NAME] and "
				"[port NAME]" },
		{ "# x\n[Switch]", 2,
				"section 'Switch': is unknown; there are [switch], [bridge NAME] "
				"and [port NAME]" },
		{ "[switch]\nqueues =\n", 2, "queues='': " NUMBER(1, 32) },
		{ "[switch]\nqueues = 1 # x\n", 2, "queues='1 # x': " NUMBER(1, 32) },
		{ "[switch]\nqueues = 1\t2'\\\n", 2, "queues='1\\x092\\x27\\x5c': " NUMBER(1, 32) },
		{ "[switch]\nqueues = aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff"
		  "gggg",
				2,
				"queues='aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffff"
				"ffgg'...: " NUMBER(1, 32) },
	};

	assert_all_refused(cases, RTE_DIM(cases));
}

static void
test_sections(void **state __rte_unused)
{
	static const struct refusal cases[] = {
		{ "[switch x]", 1, "[switch]: has no name, and not 'x'" },
		{ "[switch]\n\n[switch]", 3, "[switch]: is in line 1 already" },
		{ "[bridge]", 1, "[bridge '']: the name has to be " NAME_RULE },
		{ "[bridge a b]", 1, "[bridge 'a b']: the name has to be " NAME_RULE },
		{ "[bridge abcdefghijklmnop]", 1,
				"[bridge 'abcdefghijklmnop']: the name has to be " NAME_RULE },
		{ "[bridge .b]", 1, "[bridge '.b']: the name has to be " NAME_RULE },
		{ "[port -p]", 1, "[port '-p']: the name has to be " NAME_RULE },
		{ "[port \"p\"]", 1, "[port '\"p\"']: the name has to be " NAME_RULE },
		{ BRIDGE "[bridge c]\n" BRIDGE, 3, "[bridge b]: is in line 1 already" },
		{ BRIDGE TAP TAP, 5, "[port t]: is in line 2 already" },
	};

	assert_all_refused(cases, RTE_DIM(cases));
}

static void
test_keys(void **state __rte_unused)
{
	static const struct refusal cases[] = {
		{ "[switch]\nqueue = 1", 2,
				"key 'queue': is unknown; [switch] has lcores, eal, mbufs, macs, "
				"control, queues, hotplug, metrics" },
		{ "[bridge b]\nbridge = 1", 2,
				"key 'bridge': is unknown; [bridge] has lock, isolated, age, "
				"storm" },
		{ "[port p]\nlock = mac", 2,
				"key 'lock': is unknown; [port] has kind, bridge, devargs, vhost, "
				"vlan, trunks, isolated, queues, mtu, macs" },
		{ "[switch]\nQueues = 1", 2,
				"key 'Queues': is unknown; [switch] has lcores, eal, mbufs, macs, "
				"control, queues, hotplug, metrics" },
		{ "[switch]\nqueues = 1\nmacs = 512\nqueues = 2", 4,
				"queues='2': is in line 2 already" },
		{ BRIDGE "age = 20 s\nage = 20 s", 3, "age='20 s': is in line 2 already" },
		{ BRIDGE "age = 20 s\nage = 5 s", 3,
				"age='5 s': is in line 2 already, and has to be a number with a "
				"unit, s, min or h, from 10 s to 24 h" },
	};

	assert_all_refused(cases, RTE_DIM(cases));
}

static void
test_switch(void **state __rte_unused)
{
	static const struct refusal cases[] = {
		{ "[switch]\nlcores = ", 2, "lcores='': " LCORES_RULE },
		{ "[switch]\nlcores = 1024", 2, "lcores='1024': " LCORES_RULE },
		{ "[switch]\nlcores = 1,", 2, "lcores='1,': " LCORES_RULE },
		{ "[switch]\nlcores = 1 2", 2, "lcores='1 2': " LCORES_RULE },
		{ "[switch]\nlcores = 4-3", 2, "lcores='4-3': " LCORES_RULE },
		{ "[switch]\nlcores = 1,3-4,3", 2, "lcores='1,3-4,3': " LCORES_RULE },
		{ "[switch]\nlcores = 1@2", 2, "lcores='1@2': " LCORES_RULE },
		{ "[switch]\nlcores = -1", 2, "lcores='-1': " LCORES_RULE },
		{ "[switch]\nlcores = 0-32", 2, "lcores='0-32': " LCORES_RULE },
		{ "[switch]\neal =", 2, "eal='': " EAL_RULE },
		{ "[switch]\neal = --no-pci --help", 2, "eal='--no-pci --help': " EAL_RULE },
		{ "[switch]\neal = -h", 2, "eal='-h': " EAL_RULE },
		{ "[switch]\nmbufs = 1023", 2, "mbufs='1023': " NUMBER(1024, 4194304) },
		{ "[switch]\nmbufs = 4194305", 2, "mbufs='4194305': " NUMBER(1024, 4194304) },
		{ "[switch]\nmbufs = 4k", 2, "mbufs='4k': " NUMBER(1024, 4194304) },
		{ "[switch]\nmacs = 255", 2, "macs='255': " NUMBER(256, 65536) },
		{ "[switch]\nmacs = 65537", 2, "macs='65537': " NUMBER(256, 65536) },
		{ "[switch]\ncontrol = run/x", 2, "control='run/x': " PATH_RULE },
		{ "[switch]\ncontrol =", 2, "control='': " PATH_RULE },
		{ "[switch]\nhotplug = no", 2, "hotplug='no': has to be script or switch" },
		{ "[switch]\nhotplug =", 2, "hotplug='': has to be script or switch" },
		{ "[switch]\nqueues = 0", 2, "queues='0': " NUMBER(1, 32) },
		{ "[switch]\nqueues = 33", 2, "queues='33': " NUMBER(1, 32) },
		{ "[switch]\nqueues = -1", 2, "queues='-1': " NUMBER(1, 32) },
		{ "[switch]\nqueues = 4294967297", 2, "queues='4294967297': " NUMBER(1, 32) },
		{ "[switch]\nqueues = 18446744073709551617", 2,
				"queues='18446744073709551617': " NUMBER(1, 32) },
	};

	assert_all_refused(cases, RTE_DIM(cases));
}

static void
test_metrics(void **state __rte_unused)
{
	static const char *const values[] = { "", "on", "Off", "9475", ":9475", "127.0.0.1",
		"127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:+1", "127.0.0.1 :9475",
		"127.1:9475", "256.0.0.1:9475", "localhost:9475", "[127.0.0.1]:9475", "::1:9475",
		"[::1]", "[::1:9475", "::1]:9475", "[]:9475", "[:9475", "[::g]:9475",
		"[fe80::1%lo]:9475", "unix:/run/x",
		"[fe80:1111:2222:3333:4444:5555:255.255.255.255]:000065535" };
	char text[128], message[256];
	unsigned int i;

	for (i = 0; i < RTE_DIM(values); i++) {
		snprintf(text, sizeof(text), "[switch]\nmetrics = %s", values[i]);
		snprintf(message, sizeof(message), "metrics='%s': " METRICS_RULE, values[i]);
		assert_refused(text, 2, message);
	}
}

static void
test_bridge(void **state __rte_unused)
{
	static const struct refusal cases[] = {
		{ BRIDGE "lock = on", 2, "lock='on': has to be mac, ip or off" },
		{ BRIDGE "lock =", 2, "lock='': has to be mac, ip or off" },
		{ BRIDGE "isolated = true", 2, "isolated='true': " YES_NO },
		{ BRIDGE "isolated = Yes", 2, "isolated='Yes': " YES_NO },
		{ BRIDGE "age = 300", 2, "age='300': " AGE_RULE },
		{ BRIDGE "age = s", 2, "age='s': " AGE_RULE },
		{ BRIDGE "age = 9 s", 2, "age='9 s': " AGE_RULE },
		{ BRIDGE "age = 86401 s", 2, "age='86401 s': " AGE_RULE },
		{ BRIDGE "age = 25 h", 2, "age='25 h': " AGE_RULE },
		{ BRIDGE "age = 1193047 h", 2, "age='1193047 h': " AGE_RULE },
		{ BRIDGE "age = 5 m", 2, "age='5 m': " AGE_RULE },
		{ BRIDGE "age = 5 min 1 s", 2, "age='5 min 1 s': " AGE_RULE },
		{ BRIDGE "age = -5 min", 2, "age='-5 min': " AGE_RULE },
		{ BRIDGE "age = 1000000000000000000 s", 2,
				"age='1000000000000000000 s': " AGE_RULE },
		{ BRIDGE "storm = 1000", 2, "storm='1000': " STORM_RULE },
		{ BRIDGE "storm = 99 pps", 2, "storm='99 pps': " STORM_RULE },
		{ BRIDGE "storm = 0 pps", 2, "storm='0 pps': " STORM_RULE },
		{ BRIDGE "storm = 10000001 pps", 2, "storm='10000001 pps': " STORM_RULE },
		{ BRIDGE "storm = 1000 bps", 2, "storm='1000 bps': " STORM_RULE },
		{ BRIDGE "storm =", 2, "storm='': " STORM_RULE },
	};

	assert_all_refused(cases, RTE_DIM(cases));
}

static void
test_port(void **state __rte_unused)
{
	static const struct refusal cases[] = {
		{ BRIDGE UPLINK "kind = nic", 5, "kind='nic': has to be uplink or tap" },
		{ BRIDGE "[port p]\nbridge = -b", 3,
				"bridge='-b': has to be the name of a bridge: " NAME_RULE },
		{ BRIDGE "[port p]\nbridge =", 3,
				"bridge='': has to be the name of a bridge: " NAME_RULE },
		{ BRIDGE "[port p]\ndevargs =", 3, "devargs='': " TEXT_RULE },
		{ BRIDGE TAP "vlan = 4095", 5,
				"vlan='4095': has to be a VLAN from 0 to 4094, or none" },
		{ BRIDGE TAP "vlan = 1,2", 5,
				"vlan='1,2': has to be a VLAN from 0 to 4094, or none" },
		{ BRIDGE TAP "trunks = 0", 5, "trunks='0': " TRUNKS_RULE },
		{ BRIDGE TAP "trunks = 10-4095", 5, "trunks='10-4095': " TRUNKS_RULE },
		{ BRIDGE TAP "trunks = 30-20", 5, "trunks='30-20': " TRUNKS_RULE },
		{ BRIDGE TAP "trunks = 1:2", 5, "trunks='1:2': " TRUNKS_RULE },
		{ BRIDGE TAP "trunks =", 5, "trunks='': " TRUNKS_RULE },
		{ BRIDGE TAP "isolated = 1", 5, "isolated='1': " YES_NO },
		{ BRIDGE TAP "queues = 0", 5, "queues='0': " NUMBER(1, 32) },
		{ BRIDGE TAP "queues = 33", 5, "queues='33': " NUMBER(1, 32) },
		{ BRIDGE TAP "mtu = 67", 5, "mtu='67': " MTU_RULE },
		{ BRIDGE TAP "mtu = 65518", 5, "mtu='65518': " MTU_RULE },
		{ BRIDGE TAP "macs = 0", 5, "macs='0': " NUMBER(1, 65536) },
		{ BRIDGE TAP "macs = 65537", 5, "macs='65537': " NUMBER(1, 65536) },
	};

	assert_all_refused(cases, RTE_DIM(cases));
}

/* What is wrong only with what else there is. */
static void
test_together(void **state __rte_unused)
{
	static const struct refusal cases[] = {
		{ BRIDGE "[port p]\ndevargs=x\n" TAP, 2, "[port p]: has to have the key bridge" },
		{ "\n[port p]\nbridge=b\n" BRIDGE, 2,
				"[port p]: has to have the key devargs, as it is an uplink" },
		{ BRIDGE "[port p]\ndevargs=x\nbridge=b\nkind=tap", 3,
				"devargs='x': a tap has no such key" },
		{ BRIDGE TAP "mtu=1501", 5,
				"mtu=1501: has to be up to 1500, as that is all that a tap takes" },
		{ BRIDGE UPLINK "vhost=yes", 5,
				"vhost=yes: is for a tap, and [port u] is an uplink" },
		{ "[port p]\ndevargs=x\nbridge=c\n" BRIDGE, 3,
				"bridge='c': has to be a bridge of this file, by a section "
				"[bridge c]" },
		{ BRIDGE UPLINK "[port v]\nbridge=b\ndevargs=x", 6,
				"bridge='b': has the uplink u in line 2 already, and may have one; "
				"bond them: use net_bonding" },
		{ BRIDGE "[bridge c]\n" UPLINK "[port v]\nbridge=c\ndevargs=0000:03:00.0,x=1", 8,
				"devargs='0000:03:00.0,x=1': is the device of port u in line 3 "
				"already" },
		{ BRIDGE TAP UPLINK "[port v]\nbridge=b\ndevargs=x", 9,
				"bridge='b': has the uplink u in line 5 already, and may have one; "
				"bond them: use net_bonding" },
		{ BRIDGE TAP "vlan = none", 5,
				"vlan='none': port t has to have trunks, or it would be in no "
				"VLAN" },
		{ BRIDGE UPLINK "trunks = none\nvlan = none\n" TAP, 6,
				"vlan='none': port u has to have trunks, or it would be in no "
				"VLAN" },
		{ BRIDGE UPLINK "trunks = 5-15\nvlan = 10\n", 5,
				"trunks: has VLAN 10, which has to be either there or in vlan" },
	};

	assert_all_refused(cases, RTE_DIM(cases));
}

/* EAL is told to leave PCI devices alone, and a port is one: in whatever order and form. */
static void
test_no_pci(void **state __rte_unused)
{
	static const char *const pci[] = { "0000:03:00.0", "03:00.0,x=1", "pci:0000:03:00.0",
		"10000:Af:1f.7" };
	static const char *const others[] = { "net_tap0", "03:00", "0000:03:00.8", "03:00.0x",
		"0:0:03:00.0", "net_pcap0,iface=03:00.0" };
	static struct config config;
	struct config_error error;
	char text[256], message[256];
	unsigned int i;

	for (i = 0; i < RTE_DIM(pci); i++) {
		snprintf(text, sizeof(text),
				BRIDGE
				"[port u]\nbridge=b\ndevargs=%s\n[switch]\neal=-m 64\t--no-pci",
				pci[i]);
		snprintf(message, sizeof(message),
				"devargs='%s': is a PCI device, which --no-pci in eal of [switch] "
				"keeps away; remove one of them",
				pci[i]);
		assert_refused(text, 4, message);
	}
	for (i = 0; i < RTE_DIM(others); i++) {
		snprintf(text, sizeof(text),
				BRIDGE "[port u]\nbridge=b\ndevargs=%s\n[switch]\neal = --no-pci\n",
				others[i]);
		assert_int_equal(config_parse(text, &config, &error), 0);
	}
	assert_int_equal(config_port_remove(&config, "u"), 0);
	assert_int_equal(config_port_add(&config, "v",
					 (const char *const[]){ "bridge=b", "devargs=03:00.0" }, 2,
					 &error),
			-EINVAL);
	assert_non_null(strstr(error.text, "--no-pci"));
	assert_int_equal(config_parse("[switch]\neal = --no-pcix -no-pci\n" BRIDGE UPLINK, &config,
					 &error),
			0);
}

/* As many lcores and words for EAL as may be, and a word more. */
static void
test_words(void **state __rte_unused)
{
	struct config_error error;
	static struct config config;
	char text[256] = "[switch]\nlcores = 0-31\neal =";
	size_t len = strlen(text);
	unsigned int i;

	for (i = 0; i < CONFIG_EAL_WORDS_MAX; i++)
		len += snprintf(text + len, sizeof(text) - len, "%s%u", i % 2 == 0 ? "\t " : " ",
				i % 10);
	assert_int_equal(config_parse(text, &config, &error), 0);
	snprintf(text + len, sizeof(text) - len, " x");
	assert_int_equal(config_parse(text, &config, &error), -EINVAL);
	assert_int_equal(error.line, 3);
	assert_non_null(strstr(error.text, EAL_RULE));
}

/* What is as long as may be, and a character longer. */
static void
test_lengths(void **state __rte_unused)
{
	static const char *const keys[] = { "eal = ", "control = /", "[port p]\ndevargs = " };
	static const unsigned int room[] = { 511, 106, 511 };
	struct config_error error;
	static struct config config;
	char text[4096], letters[1100];
	unsigned int i;

	memset(letters, 'x', sizeof(letters));
	for (i = 0; i < RTE_DIM(keys); i++) {
		snprintf(text, sizeof(text), "%s[switch]\n%s%.*s%s", BRIDGE, keys[i], room[i],
				letters, i == 2 ? "\nbridge = b" : "");
		if (config_parse(text, &config, &error) != 0)
			fail_msg("line %u: %s", error.line, error.text);
		snprintf(text, sizeof(text), "[switch]\n%s%.*s", keys[i], room[i] + 1, letters);
		assert_int_equal(config_parse(text, &config, &error), -EINVAL);
		assert_int_equal(error.line, i == 2 ? 3 : 2);
		assert_non_null(strstr(error.text, "xxx'...: "));
		assert_non_null(strstr(error.text, i == 1 ? PATH_RULE : TEXT_RULE));
	}
	snprintf(text, sizeof(text), "#%.1100s\n %.1023s  \n", letters, letters);
	assert_int_equal(config_parse(text, &config, &error), -EINVAL);
	assert_non_null(strstr(error.text, LINE_RULE));
	snprintf(text, sizeof(text), "#%.1100s\n %.1024s  \n", letters, letters);
	assert_refused(text, 2, "line of 1024 characters: at most 1023 are allowed");
	/* A list as text, though all that it holds is allowed. */
	snprintf(text, sizeof(text), "[switch]\nlcores = %0512u\n", 1);
	assert_int_equal(config_parse(text, &config, &error), -EINVAL);
	assert_non_null(strstr(error.text, LCORES_RULE));
}

static void
test_too_many(void **state __rte_unused)
{
	static struct config config;
	struct config_error error;
	char text[4096];
	size_t len = 0;
	unsigned int i;

	for (i = 0; i < CONFIG_BRIDGES_MAX; i++)
		len += snprintf(text + len, sizeof(text) - len, "[bridge b%u]\n", i);
	snprintf(text + len, sizeof(text) - len, "[bridge b]\n");
	assert_refused(text, CONFIG_BRIDGES_MAX + 1, "[bridge b]: more than 16 bridges");
	for (i = 0; i < CONFIG_PORTS_MAX; i++)
		len += snprintf(text + len, sizeof(text) - len, "[port p%u]\nkind=tap\nbridge=b0\n",
				i);
	text[len] = '\0';
	assert_int_equal(config_parse(text, &config, &error), 0);
	assert_int_equal(config.nb_bridges, CONFIG_BRIDGES_MAX);
	assert_int_equal(config.nb_ports, CONFIG_PORTS_MAX);
	assert_string_equal(config.ports[CONFIG_PORTS_MAX - 1].name, "p31");
	snprintf(text + len, sizeof(text) - len, "[port p]\n");
	assert_refused(text, CONFIG_BRIDGES_MAX + 3 * CONFIG_PORTS_MAX + 1,
			"[port p]: more than 32 ports");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_sections),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_switch),
		cmocka_unit_test(test_metrics),
		cmocka_unit_test(test_bridge),
		cmocka_unit_test(test_port),
		cmocka_unit_test(test_together),
		cmocka_unit_test(test_no_pci),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests_name("vsw_config_errors", tests, NULL, NULL);
}
