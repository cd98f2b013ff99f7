/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* The switch's configuration: what may be written, and its manual page. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "config.h"
#include "tagged.h"

#define FILE_LIMIT (1024u * 1024)

static struct config config;

static void
assert_parsed(const char *text)
{
	struct config_error error;

	memset(&config, 0xA5, sizeof(config));
	if (config_parse(text, &config, &error) != 0)
		fail_msg("line %u: %s", error.line, error.text);
	assert_int_equal(error.line, 0);
	assert_string_equal(error.text, "");
}

static void
test_defaults(void **state __rte_unused)
{
	const struct config_bridge *bridge = config.bridges;
	const struct config_port *port = config.ports;

	assert_parsed("");
	assert_string_equal(config.lcores, sysconf(_SC_NPROCESSORS_ONLN) > 1 ? "1" : "0");
	assert_string_equal(config.eal, "");
	assert_int_equal(config.mbufs, 32768);
	assert_int_equal(config.macs, 16384);
	assert_string_equal(config.control, "/run/dpdk-xenvswitch/control.sock");
	assert_int_equal(config.queues, 1);
	assert_string_equal(config.metrics, "");
	assert_int_equal(config.nb_bridges, 0);
	assert_int_equal(config.nb_ports, 0);
	assert_parsed("[bridge b]\n[port p]\nbridge=b\ndevargs=net_null0\n"
		      "[port t]\nbridge=b\nkind=tap\n"
		      "[port v]\nbridge=b\nkind=tap\nvhost=yes");
	assert_int_equal(config.nb_bridges, 1);
	assert_string_equal(bridge->name, "b");
	assert_int_equal(bridge->line, 1);
	assert_int_equal(bridge->lock, GUARD_MAC);
	assert_false(bridge->isolated);
	assert_int_equal(bridge->age, 300);
	assert_int_equal(bridge->storm, 0);
	assert_int_equal(config.nb_ports, 3);
	assert_false(port[1].vhost);
	assert_true(port[2].vhost);
	assert_string_equal(port->name, "p");
	assert_int_equal(port->line, 2);
	assert_int_equal(port->kind, CONFIG_UPLINK);
	assert_string_equal(port->bridge, "b");
	assert_string_equal(port->devargs, "net_null0");
	assert_int_equal(port->vlan.native, 0);
	assert_int_equal(count_tagged(&port->vlan), 4094);
	assert_false(port->isolated);
	assert_int_equal(port->queues, 1);
	assert_int_equal(port->mtu, 1500);
	assert_int_equal(port->macs, 0);
	assert_int_equal(port[1].kind, CONFIG_HOST);
	assert_string_equal(port[1].devargs, "");
	assert_int_equal(port[1].vlan.native, 0);
	assert_int_equal(count_tagged(&port[1].vlan), 0);
}

static void
test_all_keys(void **state __rte_unused)
{
	const struct config_bridge *bridge = config.bridges;
	const struct config_port *port = config.ports;

	assert_parsed("[port up]\nkind = uplink\nbridge = xenbr0\n"
		      "devargs = 0000:03:00.0,a=b\nvlan = 10\ntrunks = 20, 30-32\n"
		      "isolated = yes\nqueues = 4\nmtu = 9000\nmacs = 65536\n"
		      "[switch]\nlcores = 1, 3-4\neal = --log-level=8 -n 4\nmbufs = 1024\n"
		      "macs = 256\ncontrol = /run/s=#;\nqueues = 32\n"
		      "metrics = 127.0.0.1:9475\n[bridge xenbr0]\nlock = ip\nisolated = yes\n"
		      "age = 5 min\nstorm = 1000 pps\n");
	assert_string_equal(config.lcores, "1,3-4");
	assert_string_equal(config.eal, "--log-level=8 -n 4");
	assert_int_equal(config.mbufs, 1024);
	assert_int_equal(config.macs, 256);
	assert_string_equal(config.control, "/run/s=#;");
	assert_int_equal(config.queues, 32);
	assert_string_equal(config.metrics, "127.0.0.1:9475");
	assert_int_equal(bridge->line, 19);
	assert_int_equal(bridge->lock, GUARD_IP);
	assert_true(bridge->isolated);
	assert_int_equal(bridge->age, 300);
	assert_int_equal(bridge->storm, 1000);
	assert_string_equal(port->devargs, "0000:03:00.0,a=b");
	assert_int_equal(port->vlan.native, 10);
	assert_int_equal(count_tagged(&port->vlan), 4);
	assert_true(vlan_is_tagged(&port->vlan, 31));
	assert_true(port->isolated);
	assert_int_equal(port->queues, 4);
	assert_int_equal(port->mtu, 9000);
	assert_int_equal(port->macs, 65536);
	assert_ptr_equal(config_bridge_find(&config, "xenbr0"), bridge);
	assert_null(config_bridge_find(&config, "xenbr"));
}

static void
test_form(void **state __rte_unused)
{
	assert_parsed("# a \xc3\xa4\x01 comment = [x\r\n; and another\n\n \t\r\n"
		      "\t[ switch ]\r\n  queues=2 \t\r\n\t# macs = 1\n\tmacs\t=\t512\t\r\n"
		      "[bridge\t b ]\nlock=off");
	assert_int_equal(config.queues, 2);
	assert_int_equal(config.macs, 512);
	assert_string_equal(config.bridges[0].name, "b");
	assert_int_equal(config.bridges[0].line, 9);
	assert_int_equal(config.bridges[0].lock, GUARD_OFF);
}

static void
test_ages(void **state __rte_unused)
{
	static const struct {
		const char *text;
		uint32_t age;
	} cases[] = {
		{ "[bridge b]\nage=10 s", 10 },
		{ "[bridge b]\nage=86400s", 86400 },
		{ "[bridge b]\nage=1min", 60 },
		{ "[bridge b]\nage=1440\tmin", 86400 },
		{ "[bridge b]\nage=1 h", 3600 },
		{ "[bridge b]\nage=24 h", 86400 },
	};
	unsigned int i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		assert_parsed(cases[i].text);
		assert_int_equal(config.bridges[0].age, cases[i].age);
	}
	assert_parsed("[bridge b]\nstorm = off");
	assert_int_equal(config.bridges[0].storm, 0);
	assert_parsed("[bridge b]\nstorm = 10000000pps\nisolated = no\nlock = mac");
	assert_int_equal(config.bridges[0].storm, 10000000);
}

static void
test_addresses(void **state __rte_unused)
{
	static const struct {
		const char *text;
		int family;
	} cases[] = {
		{ "0.0.0.0:1", AF_INET },
		{ "255.255.255.255:65535", AF_INET },
		{ "[::]:9475", AF_INET6 },
		{ "[fe80:1111:2222:3333:4444:5555:255.255.255.255]:65535", AF_INET6 },
	};
	struct sockaddr_storage address;
	char text[128];
	unsigned int i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		snprintf(text, sizeof(text), "[switch]\nmetrics = %s", cases[i].text);
		assert_parsed(text);
		assert_string_equal(config.metrics, cases[i].text);
		assert_int_equal(address_parse(config.metrics, &address),
				cases[i].family == AF_INET ? sizeof(struct sockaddr_in) :
							     sizeof(struct sockaddr_in6));
		assert_int_equal(address.ss_family, cases[i].family);
	}
	assert_false(config.hotplug);
	assert_parsed("[switch]\nhotplug = switch");
	assert_true(config.hotplug);
	assert_parsed("[switch]\nhotplug = script");
	assert_false(config.hotplug);
	assert_parsed("[switch]\nmetrics = off");
	assert_string_equal(config.metrics, "");
}

/* No VLAN is tagged and untagged at once. */
static void
test_vlans(void **state __rte_unused)
{
	static const struct {
		const char *keys;
		uint16_t native;
		unsigned int tagged;
	} cases[] = {
		{ "devargs=x\nvlan=10", 10, 4093 },
		{ "devargs=x\ntrunks=all\nvlan=4094", 4094, 4093 },
		{ "devargs=x\nvlan=none", VLAN_NONE, 4094 },
		{ "devargs=x\nvlan=0\ntrunks=none", 0, 0 },
		{ "devargs=x\nvlan=none\ntrunks=5", VLAN_NONE, 1 },
		{ "kind=tap\nvlan=10", 10, 0 },
		{ "kind=tap\ntrunks=all", 0, 4094 },
		{ "kind=tap\nvlan=none\ntrunks=5,6", VLAN_NONE, 2 },
	};
	char text[128];
	unsigned int i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		snprintf(text, sizeof(text), "[bridge b]\n[port p]\nbridge=b\n%s", cases[i].keys);
		assert_parsed(text);
		assert_int_equal(config.ports[0].vlan.native, cases[i].native);
		assert_int_equal(count_tagged(&config.ports[0].vlan), cases[i].tagged);
		assert_false(cases[i].native <= VLAN_MAX &&
				vlan_is_tagged(&config.ports[0].vlan, cases[i].native));
	}
}

/* --- The file --- */

/* In memory: nothing stays, whatever happens. */
static char path[32];
static int file_fd;

static int
make_file(void **state __rte_unused)
{
	file_fd = memfd_create("test_config", 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file_fd);
	return file_fd < 0 ? -1 : 0;
}

static int
remove_file(void **state __rte_unused)
{
	return close(file_fd);
}

static void
write_file(const char *content, size_t size)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(content, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static void
assert_unread(const char *name, int ret, unsigned int line, const char *message)
{
	struct config_error error;
	struct config before;

	memset(&config, 0xA5, sizeof(config));
	memset(&before, 0xA5, sizeof(before));
	assert_int_equal(config_read(name, &config, &error), ret);
	assert_int_equal(error.line, line);
	assert_string_equal(error.text, message);
	assert_memory_equal(&config, &before, sizeof(config));
}

static void
test_file(void **state __rte_unused)
{
	static const char good[] = "[switch]\nqueues = 2\n", nul[] = "# x\n[switch]\n#\0\nx\n";
	struct config_error error;
	char *big;

	write_file(good, sizeof(good) - 1);
	assert_int_equal(config_read(path, &config, &error), 0);
	assert_int_equal(config.queues, 2);
	write_file("x", 1);
	assert_unread(path, -EINVAL, 1,
			"'x': has to be KEY = VALUE, a section in brackets, or a comment "
			"after '#'");
	write_file(nul, sizeof(nul) - 1);
	assert_unread(path, -EINVAL, 3,
			"byte 0x00: only printable ASCII is allowed, but in comments");
	big = malloc(FILE_LIMIT + 1);
	assert_non_null(big);
	memset(big, '#', FILE_LIMIT + 1);
	write_file(big, FILE_LIMIT);
	assert_int_equal(config_read(path, &config, &error), 0);
	write_file(big, FILE_LIMIT + 1);
	free(big);
	assert_unread(path, -EINVAL, 0, "the file has more than a MiB, and may have that at most");
	assert_unread("/nowhere/at/all", -ENOENT, 0,
			"the file cannot be read: No such file or directory");
	assert_unread("/", -EISDIR, 0, "the file cannot be read: Is a directory");
}

/* --- The manual page --- */

static char *page;

static int
load_page(void **state __rte_unused)
{
	FILE *file = fopen(MAN_PAGE, "r");

	page = calloc(1, FILE_LIMIT);
	if (file == NULL || page == NULL || fread(page, 1, FILE_LIMIT - 1, file) == 0)
		return -1;
	return fclose(file);
}

static int
free_page(void **state __rte_unused)
{
	free(page);
	return 0;
}

/* The text from a line on, up to one that begins as that. */
static char *
part(const char *from, const char *to)
{
	char *start = strstr(page, from), *end;

	if (start == NULL)
		fail_msg("the manual page has no '%s'", from);
	start += strlen(from);
	end = strstr(start, to);
	assert_non_null(end);
	return strndup(start, end - start);
}

/* The keys that a part has as the words of its list are those of the text, in any order. */
static void
assert_keys(const char *heading, const char *keys)
{
	char *text = part(heading, "\n.S"), *list = strdup(keys), *key, *at;
	unsigned int wanted = 0, described = 0;
	char entry[64];

	for (key = strtok(list, ", "); key != NULL; key = strtok(NULL, ", "), wanted++) {
		snprintf(entry, sizeof(entry), "\n.TP\n.B %s\n", key);
		if (strstr(text, entry) == NULL)
			fail_msg("the manual page lacks %s under %s", key, heading);
	}
	for (at = text; (at = strstr(at, "\n.TP\n")) != NULL; at++)
		described++;
	assert_int_equal(described, wanted);
	free(list);
	free(text);
}

/* What is said of an unknown key tells which there are. */
static void
test_page_keys(void **state __rte_unused)
{
	static const char *const sections[] = { "[switch]", "[bridge NAME]", "[port NAME]" };
	struct config_error error;
	char text[64];
	unsigned int i;

	for (i = 0; i < RTE_DIM(sections); i++) {
		snprintf(text, sizeof(text), "%s\nno-key = 1\n", sections[i]);
		assert_int_equal(config_parse(text, &config, &error), -EINVAL);
		assert_non_null(strstr(error.text, " has "));
		snprintf(text, sizeof(text), "\n.SS %s\n", sections[i]);
		assert_keys(text, strstr(error.text, " has ") + strlen(" has "));
	}
	assert_keys("\n.SH WHAT A VIF SAYS\n", "script, bridge, vlan, mac, ip, mtu, vifname");
}

static void
test_page_example(void **state __rte_unused)
{
	char *text = part("\n.SH EXAMPLES\n", "\n.S"), *example, *at;

	example = strstr(text, "\n.EX\n");
	assert_non_null(example);
	example += strlen("\n.EX\n");
	at = strstr(example, "\n.EE\n");
	assert_non_null(at);
	at[1] = '\0';
	assert_null(strchr(example, '\\'));
	assert_parsed(example);
	assert_true(config.nb_bridges > 0 && config.nb_ports > 1);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_all_keys),
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_ages),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_vlans),
		cmocka_unit_test_setup_teardown(test_file, make_file, remove_file),
		cmocka_unit_test_setup_teardown(test_page_keys, load_page, free_page),
		cmocka_unit_test_setup_teardown(test_page_example, load_page, free_page),
	};

	return cmocka_run_group_tests_name("vsw_config", tests, NULL, NULL);
}
