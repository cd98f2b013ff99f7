/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* The switch in DPDK's telemetry, which is as much of it here as takes what commands answer. */

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <rte_telemetry.h>

#include "fake_vswitch.h"
#include "telemetry.h"
#include "xen_compat.h"

/* Of DPDK, for an answer. */
#define OUTPUT_MAX (16 * 1024)
#define COMMANDS 3

/* An answer: its text without those that are in it, and these. */
struct rte_tel_data {
	bool dict;
	unsigned int entries;
	size_t len;
	char text[2 * OUTPUT_MAX];
	unsigned int nb_items;
	struct rte_tel_data *items[RTE_MAX_ETHPORTS];
	char names[RTE_MAX_ETHPORTS][16];
};

static struct {
	const char *name;
	telemetry_cb handle;
} commands[COMMANDS];
static unsigned int nb_commands;
/* Answers that there is memory for. */
static unsigned int memory;

int
rte_telemetry_register_cmd(const char *command, telemetry_cb handle, const char *help)
{
	assert_true(nb_commands < COMMANDS);
	assert_true(strlen(help) > 0);
	commands[nb_commands].name = command;
	commands[nb_commands++].handle = handle;
	return 0;
}

struct rte_tel_data *
rte_tel_data_alloc(void)
{
	return memory-- > 0 ? calloc(1, sizeof(struct rte_tel_data)) : NULL;
}

void
rte_tel_data_free(struct rte_tel_data *d)
{
	free(d);
}

/* DPDK's rules. */
static void
assert_entry(struct rte_tel_data *d, const char *name)
{
	assert_true(d->dict);
	assert_true(d->entries++ < RTE_TEL_MAX_DICT_ENTRIES);
	for (; *name != '\0'; name++)
		assert_true(isalnum(*name) || *name == '_' || *name == '/');
}

static void __rte_format_printf(3, 4)
		add(struct rte_tel_data *d, const char *name, const char *format, ...)
{
	size_t room = sizeof(d->text);
	va_list args;

	d->len += snprintf(d->text + d->len, room - d->len, "%s%s:", d->entries > 0 ? "," : "",
			name);
	assert_entry(d, name);
	va_start(args, format);
	d->len += vsnprintf(d->text + d->len, room - d->len, format, args);
	va_end(args);
	assert_true(d->len < room);
}

int
rte_tel_data_start_dict(struct rte_tel_data *d)
{
	d->dict = true;
	return 0;
}

int
rte_tel_data_add_dict_container(struct rte_tel_data *d, const char *name, struct rte_tel_data *item,
		int keep)
{
	assert_int_equal(keep, 0);
	assert_true(item->dict);
	assert_entry(d, name);
	assert_true(d->nb_items < RTE_MAX_ETHPORTS);
	snprintf(d->names[d->nb_items], sizeof(d->names[0]), "%s", name);
	d->items[d->nb_items++] = item;
	return 0;
}

int
rte_tel_data_add_dict_string(struct rte_tel_data *d, const char *name, const char *value)
{
	add(d, name, "%s", value);
	return 0;
}

int
rte_tel_data_add_dict_int(struct rte_tel_data *d, const char *name, XEN_TEL_INT value)
{
	add(d, name, "%" PRId64, (int64_t)value);
	return 0;
}

int
xen_tel_dict_u64(struct rte_tel_data *d, const char *name, uint64_t value)
{
	add(d, name, "%" PRIu64, value);
	return 0;
}

/* The items' text, one a line; they are freed. */
static void
join_items(struct rte_tel_data *d)
{
	unsigned int i;

	for (i = 0; i < d->nb_items; i++) {
		d->len += snprintf(d->text + d->len, sizeof(d->text) - d->len, "%s:{%s}\n",
				d->names[i], d->items[i]->text);
		assert_true(d->len < sizeof(d->text));
		free(d->items[i]);
	}
}

static int
ask(const char *command, const char *params, struct rte_tel_data *d)
{
	unsigned int i;
	int ret;

	memset(d, 0, sizeof(*d));
	for (i = 0; i < nb_commands && strcmp(commands[i].name, command) != 0;)
		i++;
	assert_true(i < nb_commands);
	ret = commands[i].handle(command, params, d);
	join_items(d);
	return ret;
}

static int
setup(void **state __rte_unused)
{
	fake_reset();
	nb_commands = 0;
	memory = RTE_MAX_ETHPORTS;
	return telemetry_open(&fake.sw);
}

#define UPLINK \
	"name:uplink,kind:uplink,bridge:lan,link:1,macs:0,rx_packets:0,rx_bytes:0,rx_flooded:0," \
	"tx_packets:0,tx_bytes:0,drops:0"
#define GUEST \
	"name:vif3.0,kind:guest,bridge:lan,link:1,macs:2,rx_packets:1,rx_bytes:2,rx_flooded:5," \
	"tx_packets:3,tx_bytes:1099511627776,drops:15"
#define TAP \
	"name:tap0,kind:tap,bridge:wan,link:0,macs:5,rx_packets:0,rx_bytes:0,rx_flooded:0," \
	"tx_packets:0,tx_bytes:0,drops:9"

#define OF(number, text) #number ":{" text "}\n"
#define ALL OF(0, UPLINK) OF(2, GUEST) OF(5, TAP)

static void
test_ports(void **state __rte_unused)
{
	static struct rte_tel_data d;

	assert_int_equal(ask("/xenvswitch/ports", NULL, &d), 0);
	assert_string_equal(d.text, ALL);
}

static void
test_port(void **state __rte_unused)
{
	static struct rte_tel_data d;
	char drop[64];
	unsigned int i;

	assert_int_equal(ask("/xenvswitch/port", "vif3.0", &d), 0);
	assert_memory_equal(d.text, GUEST ",drop_", strlen(GUEST ",drop_"));
	for (i = 0; i < DROP_MAX; i++) {
		snprintf(drop, sizeof(drop), ",drop_%s:%u", stats_drop_name(i),
				(unsigned int)fake.stats[FAKE_GUEST].drops[i]);
		assert_non_null(strstr(d.text, drop));
	}
	assert_true(d.len < OUTPUT_MAX / 2);
	assert_int_equal(ask("/xenvswitch/port", "vif3", &d), -ENOENT);
	assert_int_equal(ask("/xenvswitch/port", "", &d), -ENOENT);
	assert_int_equal(ask("/xenvswitch/port", NULL, &d), -ENOENT);
}

static void
test_lcores(void **state __rte_unused)
{
	static struct rte_tel_data d;

	assert_int_equal(ask("/xenvswitch/lcores", NULL, &d), 0);
	assert_string_equal(d.text,
			OF(1, "queues:2,rounds:0,busy_rounds:0,slept_ms:0")
					OF(3, "queues:2,rounds:1000,busy_rounds:10,slept_ms:5000"));
}

/* What is told changes once a second. */
static void
test_update(void **state __rte_unused)
{
	static struct rte_tel_data d;

	fake.sw.ports[FAKE_UPLINK] = NULL;
	telemetry_update(&fake.sw);
	assert_int_equal(ask("/xenvswitch/ports", NULL, &d), 0);
	assert_string_equal(d.text, ALL);
	fake.sw.now++;
	telemetry_update(&fake.sw);
	assert_int_equal(ask("/xenvswitch/ports", NULL, &d), 0);
	assert_string_equal(d.text, OF(2, GUEST) OF(5, TAP));
}

/* All ports that there may be, with the longest names and numbers, and JSON's quotes. */
static void
test_size(void **state __rte_unused)
{
	static struct port ports[RTE_MAX_ETHPORTS];
	static struct rte_tel_data d;
	struct config_bridge *bridge = &fake.sw.config.bridges[0];
	unsigned int i;

	memset(bridge->name, 'b', sizeof(bridge->name) - 1);
	for (i = 0; i < RTE_MAX_ETHPORTS; i++) {
		memset(&fake.stats[i], 0xFF, sizeof(fake.stats[i]));
		memset(ports[i].spec.name, 'p', sizeof(ports[i].spec.name) - 1);
		ports[i].spec.kind = PORT_UPLINK;
		ports[i].id = i;
		fake.sw.ports[i] = &ports[i];
	}
	fake.sw.now++;
	telemetry_update(&fake.sw);
	assert_int_equal(ask("/xenvswitch/ports", NULL, &d), 0);
	assert_int_equal(d.entries, RTE_MAX_ETHPORTS);
	/* Quotes of eleven names, three texts, and the number. */
	assert_true(d.len + d.entries * 2 * (11 + 3 + 1) < OUTPUT_MAX);
}

/* The answer ends where there is no memory, and nothing leaks. */
static void
test_memory(void **state __rte_unused)
{
	static struct rte_tel_data d;

	memory = 1;
	assert_int_equal(ask("/xenvswitch/ports", NULL, &d), 0);
	assert_string_equal(d.text, OF(0, UPLINK));
	memory = 0;
	assert_int_equal(ask("/xenvswitch/lcores", NULL, &d), 0);
	assert_string_equal(d.text, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_ports, setup),
		cmocka_unit_test_setup(test_port, setup),
		cmocka_unit_test_setup(test_lcores, setup),
		cmocka_unit_test_setup(test_update, setup),
		cmocka_unit_test_setup(test_size, setup),
		cmocka_unit_test_setup(test_memory, setup),
	};

	return cmocka_run_group_tests_name("vsw_telemetry", tests, NULL, NULL);
}
