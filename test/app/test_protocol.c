/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* The commands of the control socket, without it; and that the manual has all of them. */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ask.h"
#include "control_command.h"
#include "fake_vswitch.h"
#include "protocol.h"
#include "rate.h"

#define PAGE_LIMIT (1024 * 1024)

static const char all_ports[] =
		"{'ports': [{'name': 'uplink', 'number': 0, 'kind': 'uplink', 'bridge': 'lan',"
		" 'device': 'dev_uplink', 'link': true, 'vlan': 0, 'trunks': 'all', 'lock': 'off',"
		" 'isolated': false, 'mac': null, 'domid': null, 'devid': null, 'queues': 2,"
		" 'lcores': [1, 3], 'mtu': 1500, 'pinned': false, 'macs': 0},"
		" {'name': 'vif3.0', 'number': 2, 'kind': 'guest', 'bridge': 'lan',"
		" 'device': 'dev_vif3.0', 'link': true, 'vlan': null, 'trunks': '5,10-11,4094',"
		" 'lock': 'ip', 'isolated': false, 'mac': '00:16:3e:01:02:03', 'domid': 3,"
		" 'devid': 0, 'queues': 1, 'lcores': [3], 'mtu': 1500, 'pinned': true, 'macs': 2},"
		" {'name': 'tap0', 'number': 5, 'kind': 'tap', 'bridge': 'wan',"
		" 'device': 'dev_tap0', 'link': false, 'vlan': 0, 'trunks': 'none', 'lock': 'off',"
		" 'isolated': true, 'mac': null, 'domid': null, 'devid': null, 'queues': 1,"
		" 'lcores': [1], 'mtu': 1500, 'pinned': false, 'macs': 5}]}";

static void
test_ports(void **state __rte_unused)
{
	assert_result("show ports", "{}", all_ports);
}

/* Every other VLAN is the longest list. */
static void
test_trunks(void **state __rte_unused)
{
	struct vlan_set *set = &fake.sw.ports[FAKE_TAP]->spec.vlan;
	json_t *result, *port;
	unsigned int vlan;
	const char *text;

	for (vlan = 2; vlan <= VLAN_MAX; vlan += 2)
		vlan_tag(set, vlan);
	result = ask("show ports", "{}");
	port = json_array_get(json_object_get(result, "ports"), 2);
	text = json_string_value(json_object_get(port, "trunks"));
	assert_string_equal(text + strlen(text) - 10, ",4092,4094");
	assert_memory_equal(text, "2,4,6,8,10,", 11);
	json_decref(result);
}

#define MAC_0 \
	"{'mac': '02:00:00:00:00:00', 'bridge': 'lan', 'vlan': 0, 'port': 'uplink'," \
	" 'pinned': false, 'idle': 0}"
#define MAC_1 \
	"{'mac': '02:00:00:00:00:01', 'bridge': 'lan', 'vlan': 1, 'port': 'vif3.0'," \
	" 'pinned': true, 'idle': 1}"
#define MAC_2 \
	"{'mac': '02:00:00:00:00:02', 'bridge': 'wan', 'vlan': 2, 'port': 'tap0'," \
	" 'pinned': false, 'idle': 2}"
#define MAC_2_LEFT \
	"{'mac': '02:00:00:00:00:02', 'bridge': 'wan', 'vlan': 2, 'port': ''," \
	" 'pinned': false, 'idle': 2}"

static void
test_macs(void **state __rte_unused)
{
	fake.nb_macs = 3;
	assert_result("show macs", "{}", "{'macs': [" MAC_0 "," MAC_1 "," MAC_2 "]}");
	assert_result("show macs", "{'port': 'tap0'}", "{'macs': [" MAC_2 "]}");
	assert_result("show macs", "{'bridge': 'lan', 'next': 1}", "{'macs': [" MAC_1 "]}");
	assert_result("show macs", "{'bridge': 'lan', 'port': 'tap0'}", "{'macs': []}");
	assert_result("show macs", "{'next': 4294967295}", "{'macs': []}");
	fake.sw.ports[FAKE_TAP] = NULL;
	assert_result("show macs", "{'next': 2}", "{'macs': [" MAC_2_LEFT "]}");
}

/* Each address is looked at once, however many parts there are. */
static void
test_many_macs(void **state __rte_unused)
{
	size_t total = 0, parts = 0;
	json_int_t next = 0;
	json_t *result;
	char args[64];

	fake.nb_macs = 80000;
	do {
		snprintf(args, sizeof(args), "{'next': %d}", (int)next);
		result = ask("show macs", args);
		total += json_array_size(json_object_get(result, "macs"));
		next = json_integer_value(json_object_get(result, "next"));
		assert_true(json_dumpb(result, NULL, 0, 0) < PROTOCOL_ANSWER_MAX / 2);
		json_decref(result);
		parts++;
	} while (next != 0);
	assert_int_equal(total, fake.nb_macs);
	assert_int_equal(parts, fake.nb_macs / PROTOCOL_MACS_MAX + 1);
	assert_int_equal(fake.steps, fake.nb_macs + 1);
}

static const char all_bridges[] =
		"{'bridges': [{'name': 'lan', 'ports': ['uplink', 'vif3.0'], 'macs': 2,"
		" 'lock': 'mac', 'isolated': false, 'age': 300, 'storm': 0}, {'name': 'wan',"
		" 'ports': ['tap0'], 'macs': 5, 'lock': 'off', 'isolated': true,"
		" 'age': 10, 'storm': 1000}]}";

static void
test_bridges(void **state __rte_unused)
{
	assert_result("show bridges", "{}", all_bridges);
}

static const char all_lcores[] =
		"{'lcores': [{'lcore': 1, 'rounds': 0, 'busy_rounds': 0, 'busy_us': 0,"
		" 'slept_ms': 0, 'load': 0, 'queues': ['uplink.0', 'tap0.0']},"
		" {'lcore': 3, 'rounds': 1000,"
		" 'busy_rounds': 10, 'busy_us': 500000, 'slept_ms': 5000, 'load': 25,"
		" 'queues': ['uplink.1', 'vif3.0.0']}]}";

static void
test_lcores(void **state __rte_unused)
{
	assert_result("show lcores", "{}", all_lcores);
}

static const char all_stats[] =
		"{'stats': [{'name': 'uplink', 'number': 0, 'rx_packets': 0, 'rx_bytes': 0,"
		" 'tx_packets': 0, 'tx_bytes': 0, 'rx_flooded': 0, 'drops': 0},"
		" {'name': 'vif3.0', 'number': 2, 'rx_packets': 1, 'rx_bytes': 2, 'tx_packets': 3,"
		" 'tx_bytes': 1099511627776, 'rx_flooded': 5, 'drops': 15},"
		" {'name': 'tap0', 'number': 5, 'rx_packets': 0, 'rx_bytes': 0, 'tx_packets': 0,"
		" 'tx_bytes': 0, 'rx_flooded': 0, 'drops': 9}]}";

static void
test_stats(void **state __rte_unused)
{
	assert_result("show stats", "{}", all_stats);
}

#define SOURCE_IP \
	"{'port': 'vif3.0', 'reason': 'source_ip', 'packets': 7," \
	" 'help': 'In: from another IP address than the port\\u0027s own.'}"
#define TX_FULL \
	"{'port': 'vif3.0', 'reason': 'tx_full', 'packets': 8," \
	" 'help': 'Out: the port took no more, its other end is too slow.'}"
#define STORM \
	"{'port': 'tap0', 'reason': 'storm', 'packets': 9," \
	" 'help': 'In: more broadcasts and the like than the limit \\u0027storm\\u0027 allows.'}"

static void
test_drops(void **state __rte_unused)
{
	json_t *result;

	assert_result("show drops", "{}", "{'drops': [" SOURCE_IP "," TX_FULL "," STORM "]}");
	assert_result("show drops", "{'all': false, 'port': 'vif3.0'}",
			"{'drops': [" SOURCE_IP "," TX_FULL "]}");
	result = ask("show drops", "{'all': true}");
	assert_int_equal(json_array_size(json_object_get(result, "drops")), 3 * DROP_MAX);
	json_decref(result);
}

static void
test_version(void **state __rte_unused)
{
	json_t *result = ask("version", "{}");

	assert_int_equal(json_integer_value(json_object_get(result, "protocol")), PROTOCOL_VERSION);
	assert_int_equal(json_integer_value(json_object_get(result, "uptime")), 60);
	assert_string_equal(json_string_value(json_object_get(result, "version")), XENVIF_VERSION);
	assert_string_equal(json_string_value(json_object_get(result, "dpdk")), "DPDK 1.2.3");
	json_decref(result);
}

static void
test_reset(void **state __rte_unused)
{
	assert_result("reset", "{}", "{}");
	assert_result("show drops", "{}", "{'drops': []}");
}

static void
test_reload(void **state __rte_unused)
{
	assert_result("reload", "{}", "{}");
	fake.reload_ret = -EINVAL;
	fake.reload_error = (struct config_error){ 12, "age 'x'; allowed: 10 to 86400" };
	assert_refused("{'command': 'reload'}", "/etc/x.conf:12: age 'x'; allowed: 10 to 86400");
	fake.reload_error.line = 0;
	assert_refused("{'command': 'reload'}", "/etc/x.conf: age 'x'; allowed: 10 to 86400");
	fake.reload_error.text[0] = '\0';
	fake.reload_ret = -ENOENT;
	assert_refused("{'command': 'reload'}", "/etc/x.conf: No such file or directory");
	assert_int_equal(fake.reloads, 4);
}

#define VIF_ERROR \
	"{'port': null, 'domid': 7, 'devid': 1, 'error': 'bridge \\u0027nosuch\\u0027: there is" \
	" none'}"

static void
test_errors(void **state __rte_unused)
{
	assert_result("show errors", "{}", "{'errors': [" VIF_ERROR "]}");
	fake.nb_left = 1;
	fake.sw.nb_errors = 1;
	fake.sw.errors[0] = (struct port_error){ "nic1", "no device 'x': No such device" };
	assert_result("show errors", "{}",
			"{'errors': [{'port': 'nic1', 'domid': null, 'devid': null,"
			" 'error': 'no device \\u0027x\\u0027: No such device'},"
			" {'port': 'vif2.0', 'domid': null, 'devid': null, 'error':"
			" 'its device cannot be removed: Device or resource busy'}, " VIF_ERROR
			"]}");
}

#define PORT_CHANGE(command, args) "{'command': '" command " port', 'args': " args "}"
#define KEYS_RULE "a list of at most 32 texts KEY=VALUE"

static void
test_add_remove(void **state __rte_unused)
{
	assert_result("add port", "{'name': 'nic1', 'keys': ['bridge=lan', 'mtu = 9000']}", "{}");
	assert_string_equal(fake.change, "[port nic1]|bridge=lan|mtu = 9000");
	assert_result("remove port", "{'name': 'nic1'}", "{}");
	assert_string_equal(fake.change, "-nic1");
	fake.change_ret = -EINVAL;
	snprintf(fake.reload_error.text, sizeof(fake.reload_error.text), "mtu='1': has to be 2");
	assert_refused(PORT_CHANGE("add", "{'name': 'x', 'keys': ['mtu=1']}"),
			"mtu='1': has to be 2");
	assert_refused(PORT_CHANGE("add", "{'keys': []}"), "no argument 'name'; allowed: a name");
	assert_refused(PORT_CHANGE("remove", "{'name': 1}"),
			"argument 'name' is '1'; allowed: a name");
	assert_refused(PORT_CHANGE("remove", "{'name': 'x', 'keys': []}"),
			"unknown argument 'keys'; allowed: name");
	assert_refused(PORT_CHANGE("add", "{'name': 'x', 'keys': 'mtu=1'}"),
			"argument 'keys' is '\"mtu=1\"'; allowed: " KEYS_RULE);
	assert_refused(PORT_CHANGE("add", "{'name': 'x', 'keys': ['mtu=1', 2]}"),
			"argument 'keys' is '[\"mtu=1\",2]'; allowed: " KEYS_RULE);
}

static void
test_move(void **state __rte_unused)
{
	assert_result("move", "{'port': 'uplink', 'queue': 1, 'lcore': 1}", "{}");
	assert_int_equal(fake.moved_port, FAKE_UPLINK);
	assert_int_equal(fake.moved_queue, 1);
	assert_int_equal(fake.moved_to, 0);
	assert_result("move", "{'lcore': 3, 'queue': 0, 'port': 'vif3.0'}", "{}");
	assert_int_equal(fake.moved_to, 1);
	assert_refused("{'command': 'move', 'args': {'port': 'uplink', 'queue': 2, 'lcore': 1}}",
			"port 'uplink' has no queue 2; allowed: 0 to 1");
	fake.change_ret = -ENOMEM;
	assert_refused("{'command': 'move', 'args': {'port': 'tap0', 'queue': 0, 'lcore': 3}}",
			"Cannot allocate memory");
}

#define MOVES \
	"{'moves': [{'port': 'uplink', 'queue': 1, 'from': 3, 'to': 1, 'load': 39}]," \
	" 'spread': 90, 'expected': 10, 'done': "

static void
test_rebalance(void **state __rte_unused)
{
	assert_result("rebalance", "{'dry_run': true}", MOVES "false}");
	assert_true(fake.dry_run);
	assert_result("rebalance", "{'dry_run': false}", MOVES "true}");
	assert_false(fake.dry_run);
	assert_result("rebalance", "{}", MOVES "true}");
	fake.change_ret = -ENOMEM;
	assert_refused("{'command': 'rebalance'}", "Cannot allocate memory");
}

#define SET_RATE(port, rate) \
	"{'command': 'set rate', 'args': {'port': '" port "', 'rate': '" rate "'}}"

static void
test_set_rate(void **state __rte_unused)
{
	assert_result("set rate", "{'port': 'vif3.0', 'rate': '10Mb/s'}",
			"{'rate': '62500,50000'}");
	assert_string_equal(fake.rate, "3/0 62500,50000");
	assert_result("set rate", "{'port': 'vif3.0', 'rate': 'off'}", "{'rate': null}");
	assert_string_equal(fake.rate, "3/0 -");
	assert_refused(SET_RATE("uplink", "off"), "port 'uplink' is no guest's: it has no rate");
	assert_refused(SET_RATE("tap0", "1B/s"), "port 'tap0' is no guest's: it has no rate");
	assert_refused(SET_RATE("vif3.0", "fast"), "rate 'fast'; allowed: off, or " RATE_RULE);
	assert_refused(SET_RATE("vif3.0", ""), "rate ''; allowed: off, or " RATE_RULE);
	assert_string_equal(fake.rate, "3/0 -");
	fake.change_ret = -ENOENT;
	assert_refused(SET_RATE("vif3.0", "off"), "No such file or directory");
}

#define REQUEST "a request is {\"command\": NAME, \"args\": {...}}"
#define COMMANDS \
	"version, show ports, show macs, show bridges, show lcores, show stats, show drops, " \
	"show errors, reload, reset, move, rebalance, set rate, add port, remove port, " \
	"capture, capture wait, show captures, mirror, show mirrors"
#define BAD_PORT(value) "argument 'port' is '" value "'; allowed: the name of a port"
#define BAD_BRIDGE(value) "argument 'bridge' is '" value "'; allowed: the name of a bridge"
#define BAD_QUEUE(value) \
	"argument 'queue' is '" value "'; allowed: the number of a queue of the port"
#define NUMBER_OF_LCORE "the number of an lcore of 'show lcores'"
#define BAD_LCORE(value) "argument 'lcore' is '" value "'; allowed: " NUMBER_OF_LCORE
#define BAD_NEXT(value) "argument 'next' is '" value "'; allowed: the last result's"

static const struct {
	const char *request;
	const char *error;
} refused[] = {
	{ "", "no JSON from byte 0 on; " REQUEST },
	{ "\xff\x01\x80", "no JSON from byte 0 on; " REQUEST },
	{ "{'command': 'version'} x", "no JSON from byte 24 on; " REQUEST },
	{ "{'command': 1, 'command': 2}", "no JSON from byte 24 on; " REQUEST },
	{ "[]", "no object of JSON; " REQUEST },
	{ "'version'", "no object of JSON; " REQUEST },
	{ "{}", "no member 'command'; allowed: " COMMANDS },
	{ "{'command': null}", "'command' is 'null'; allowed: " COMMANDS },
	{ "{'command': 5}", "'command' is '5'; allowed: " COMMANDS },
	{ "{'command': 'show'}", "'command' is '\"show\"'; allowed: " COMMANDS },
	{ "{'command': '\\n\\u00e4'}", "'command' is '\"\\x5cn\\xc3\\xa4\"'; allowed: " COMMANDS },
	{ "{'command': 'reset', 'x': 0}", "unknown member 'x'; allowed: command, args" },
	{ "{'command': 'reset', 'args': []}", "'args' is '[]'; allowed: {ARGUMENT: VALUE, ...}" },
	{ "{'command': 'reset', 'args': {'port': 'tap0'}}",
			"unknown argument 'port'; allowed: none" },
	{ "{'command': 'show macs', 'args': {'all': true}}",
			"unknown argument 'all'; allowed: port, bridge, next" },
	{ "{'command': 'show macs', 'args': {'port': 'tap1'}}", BAD_PORT("\"tap1\"") },
	{ "{'command': 'show macs', 'args': {'port': 5}}", BAD_PORT("5") },
	{ "{'command': 'show macs', 'args': {'bridge': {}}}", BAD_BRIDGE("{}") },
	{ "{'command': 'show macs', 'args': {'bridge': 'lan2'}}", BAD_BRIDGE("\"lan2\"") },
	{ "{'command': 'show macs', 'args': {'next': -1}}", BAD_NEXT("-1") },
	{ "{'command': 'show macs', 'args': {'next': 4294967296}}", BAD_NEXT("4294967296") },
	{ "{'command': 'show macs', 'args': {'next': 1.5}}", BAD_NEXT("1.5") },
	{ "{'command': 'show drops', 'args': {'all': 1}}",
			"argument 'all' is '1'; allowed: true or false" },
	{ "{'command': 'move'}", "no argument 'port'; allowed: the name of a port" },
	{ "{'command': 'move', 'args': {'port': 'tap0', 'queue': 0}}",
			"no argument 'lcore'; allowed: " NUMBER_OF_LCORE },
	{ "{'command': 'move', 'args': {'port': 'tap1'}}", BAD_PORT("\"tap1\"") },
	{ "{'command': 'move', 'args': {'queue': -1}}", BAD_QUEUE("-1") },
	{ "{'command': 'move', 'args': {'queue': 32}}", BAD_QUEUE("32") },
	{ "{'command': 'move', 'args': {'queue': '0'}}", BAD_QUEUE("\"0\"") },
	{ "{'command': 'move', 'args': {'lcore': 2}}", BAD_LCORE("2") },
	{ "{'command': 'move', 'args': {'lcore': -1}}", BAD_LCORE("-1") },
	{ "{'command': 'move', 'args': {'lcore': '1'}}", BAD_LCORE("\"1\"") },
	{ "{'command': 'rebalance', 'args': {'dry_run': 1}}",
			"argument 'dry_run' is '1'; allowed: true or false" },
	{ "{'command': 'rebalance', 'args': {'port': 'tap0'}}",
			"unknown argument 'port'; allowed: dry_run" },
	{ "{'command': 'set rate', 'args': {'port': 'vif3.0'}}",
			"no argument 'rate'; allowed: off, or " RATE_RULE },
	{ "{'command': 'set rate', 'args': {'rate': 5}}",
			"argument 'rate' is '5'; allowed: off, or " RATE_RULE },
};

static void
test_refused(void **state __rte_unused)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(refused); i++)
		assert_refused(refused[i].request, refused[i].error);
}

static void
assert_cut(const char *around, const char *wanted)
{
	char request[PROTOCOL_REQUEST_MAX], value[3000];
	json_t *answer;

	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	snprintf(request, sizeof(request), "%s%s%s", around, value, strchr(around, '\0') + 1);
	answer = ask_raw(request);
	assert_non_null(strstr(json_string_value(json_object_get(answer, "error")), wanted));
	json_decref(answer);
}

/* What is quoted is cut: the error has room for all of it. */
static void
test_long_values(void **state __rte_unused)
{
	assert_cut("{'command': 'show macs', 'args': {'\0': 1}}",
			"vvv'...; allowed: port, bridge, next");
	assert_cut("{'command': '\0'}", "vvv'...; allowed: " COMMANDS);
}

/* The manual page, without the backslashes that troff wants. */
static char *
read_page(void)
{
	char *page = calloc(1, PAGE_LIMIT), *from, *to;
	FILE *file = fopen(CTL_PAGE, "r");

	assert_non_null(file);
	assert_non_null(page);
	assert_true(fread(page, 1, PAGE_LIMIT - 1, file) > 0);
	fclose(file);
	for (from = page, to = page; *from != '\0'; from++) {
		if (*from != '\\')
			*to++ = *from;
	}
	*to = '\0';
	return page;
}

/* One of the two ways in which the page may have it. */
static void
assert_page(const char *page, const char *first, const char *second)
{
	if (strstr(page, first) == NULL && strstr(page, second) == NULL)
		fail_msg("the manual page has no '%s'", first);
}

static void
assert_keys(const char *page, json_t *result)
{
	char first[64], second[64];
	const char *key;
	json_t *value;

	json_object_foreach(result, key, value)
	{
		snprintf(first, sizeof(first), "\n.B %s\n", key);
		snprintf(second, sizeof(second), "\n.BR %s ", key);
		assert_page(page, first, second);
		assert_keys(page, json_array_get(value, 0));
	}
}

/* What a command needs. */
static const char *
args_of(const char *command)
{
	if (strcmp(command, "move") == 0)
		return "{'port': 'tap0', 'queue': 0, 'lcore': 1}";
	if (strcmp(command, "mirror") == 0)
		return "{'port': 'tap0', 'to': 'uplink'}";
	if (strstr(command, " port") != NULL && strncmp(command, "show", 4) != 0)
		return "{'name': 'nic1'}";
	return strcmp(command, "set rate") == 0 ? "{'port': 'vif3.0', 'rate': 'off'}" : "{}";
}

static void
test_manual_results(void **state __rte_unused)
{
	char *page = read_page();
	unsigned int i;
	json_t *result;

	ask_session.file = open("/dev/null", O_WRONLY);
	for (i = 0; control_command_name(i) != NULL; i++) {
		result = ask(control_command_name(i), args_of(control_command_name(i)));
		assert_keys(page, result);
		json_decref(result);
	}
	result = control_capture_result(ask_session.capture);
	assert_keys(page, json_object_get(result, "result"));
	json_decref(result);
	free(page);
}

static void
test_manual_commands(void **state __rte_unused)
{
	char *page = read_page();
	char first[64], second[64];
	unsigned int i;

	for (i = 0; control_command_name(i) != NULL; i++) {
		snprintf(first, sizeof(first), "\n.TP\n.B \"%s\"\n", control_command_name(i));
		snprintf(second, sizeof(second), "\n.TP\n.BR \"%s\" ", control_command_name(i));
		assert_page(page, first, second);
	}
	assert_int_equal(i, 20);
	free(page);
}

static void
test_manual_drops(void **state __rte_unused)
{
	char *page = read_page();
	char text[256];
	unsigned int i;

	for (i = 0; i < DROP_MAX; i++) {
		snprintf(text, sizeof(text), "\n.TP\n.B %s\n%s\n.", stats_drop_name(i),
				stats_drop_help(i));
		assert_page(page, text, text);
	}
	free(page);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_ports, ask_setup),
		cmocka_unit_test_setup(test_trunks, ask_setup),
		cmocka_unit_test_setup(test_macs, ask_setup),
		cmocka_unit_test_setup(test_many_macs, ask_setup),
		cmocka_unit_test_setup(test_bridges, ask_setup),
		cmocka_unit_test_setup(test_lcores, ask_setup),
		cmocka_unit_test_setup(test_stats, ask_setup),
		cmocka_unit_test_setup(test_drops, ask_setup),
		cmocka_unit_test_setup(test_version, ask_setup),
		cmocka_unit_test_setup(test_reset, ask_setup),
		cmocka_unit_test_setup(test_reload, ask_setup),
		cmocka_unit_test_setup(test_errors, ask_setup),
		cmocka_unit_test_setup(test_move, ask_setup),
		cmocka_unit_test_setup(test_rebalance, ask_setup),
		cmocka_unit_test_setup(test_set_rate, ask_setup),
		cmocka_unit_test_setup(test_add_remove, ask_setup),
		cmocka_unit_test_setup(test_refused, ask_setup),
		cmocka_unit_test_setup(test_long_values, ask_setup),
		cmocka_unit_test_setup(test_manual_commands, ask_setup),
		cmocka_unit_test_setup(test_manual_results, ask_setup),
		cmocka_unit_test_setup(test_manual_drops, ask_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
