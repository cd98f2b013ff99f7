/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <string.h>

#include <rte_common.h>

#include "config_keys.h"
#include "text.h"

#define LCORE_MAX 1023

/* The members rule, min and max of a number. */
#define NUMBER(least, most) "a number from " #least " to " #most, .min = least, .max = most
#define PATH_RULE "an absolute path of at most 107 characters"
#define TEXT_RULE "1 to 511 characters"
#define EAL_RULE \
	TEXT_RULE ", in at most " RTE_STR(CONFIG_EAL_WORDS_MAX) " words, none of them -h or --help"
#define LCORES_RULE \
	"a list of at most " RTE_STR(CONFIG_LCORES_MAX) " processors, such as 1,3-4, each from 0 " \
							"to 1023 and there once"
#define AGE_RULE "a number with a unit, s, min or h, from 10 s to 24 h"
#define STORM_RULE "a number with the unit pps, from 100 pps to 10000000 pps, or off"
#define MTU_RULE "a number from 68 to 65517, and up to 1500 for a tap"
#define TRUNKS_RULE "a list of VLANs from 1 to 4094, such as 10,20-30, or all or none"

static int
parse_u16(const struct config_key *key, const char *value, void *to)
{
	uint32_t number;

	if (text_number(value, key->min, key->max, &number) != 0)
		return -EINVAL;
	*(uint16_t *)to = number;
	return 0;
}

static int
parse_u32(const struct config_key *key, const char *value, void *to)
{
	return text_number(value, key->min, key->max, to);
}

static int
parse_bool(const struct config_key *key __rte_unused, const char *value, void *to)
{
	if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
		return -EINVAL;
	*(bool *)to = strcmp(value, "yes") == 0;
	return 0;
}

static int
parse_text(const struct config_key *key, const char *value, void *to)
{
	size_t len = strlen(value);

	if (len < key->min || len > key->max)
		return -EINVAL;
	memcpy(to, value, len + 1);
	return 0;
}

static bool
is_word(const char *at, const char *word)
{
	size_t len = strcspn(at, TEXT_BLANKS);

	return len == strlen(word) && memcmp(at, word, len) == 0;
}

static int
parse_eal(const struct config_key *key, const char *value, void *to)
{
	const char *at = value + strspn(value, TEXT_BLANKS);
	unsigned int words = 0;

	for (; *at != '\0'; words++) {
		/* DPDK would end the process, as if all were well. */
		if (is_word(at, "-h") || is_word(at, "--help"))
			return -EINVAL;
		at += strcspn(at, TEXT_BLANKS);
		at += strspn(at, TEXT_BLANKS);
	}
	return words <= CONFIG_EAL_WORDS_MAX ? parse_text(key, value, to) : -EINVAL;
}

static int
parse_path(const struct config_key *key, const char *value, void *to)
{
	return value[0] == '/' ? parse_text(key, value, to) : -EINVAL;
}

static int
parse_name(const struct config_key *key __rte_unused, const char *value, void *to)
{
	if (!name_valid(value))
		return -EINVAL;
	memcpy(to, value, strlen(value) + 1);
	return 0;
}

/* It is handed on as text. */
static int
parse_address(const struct config_key *key __rte_unused, const char *value, void *to)
{
	struct sockaddr_storage address;
	char *text = to;

	if (strcmp(value, "off") == 0)
		text[0] = '\0';
	else if (address_parse(value, &address) < 0)
		return -EINVAL;
	else
		memcpy(text, value, strlen(value) + 1);
	return 0;
}

/* It is handed on as text: without the blanks. */
static int
parse_lcores(const struct config_key *key, const char *value, void *to)
{
	uint64_t bits[TEXT_LIST_WORDS] = { 0 };
	char *lcores = to;
	int different = 0, count;
	unsigned int i;

	count = text_list(value, ',', 0, LCORE_MAX, bits);
	for (i = 0; i < RTE_DIM(bits); i++)
		different += __builtin_popcountll(bits[i]);
	if (count != different || count > CONFIG_LCORES_MAX || strlen(value) > key->max)
		return -EINVAL;
	for (; *value != '\0'; value++) {
		if (strchr(TEXT_BLANKS, *value) == NULL)
			*lcores++ = *value;
	}
	*lcores = '\0';
	return 0;
}

static int
parse_lock(const struct config_key *key __rte_unused, const char *value, void *to)
{
	static const char *const names[] = {
		[GUARD_OFF] = "off",
		[GUARD_MAC] = "mac",
		[GUARD_IP] = "ip",
	};
	unsigned int i;

	for (i = 0; i < RTE_DIM(names); i++) {
		if (strcmp(value, names[i]) == 0) {
			*(enum guard_lock *)to = i;
			return 0;
		}
	}
	return -EINVAL;
}

static int
parse_kind(const struct config_key *key __rte_unused, const char *value, void *to)
{
	if (strcmp(value, "uplink") == 0)
		*(enum config_kind *)to = CONFIG_UPLINK;
	else if (strcmp(value, "tap") == 0)
		*(enum config_kind *)to = CONFIG_HOST;
	else
		return -EINVAL;
	return 0;
}

static int
parse_hotplug(const struct config_key *key __rte_unused, const char *value, void *to)
{
	if (strcmp(value, "switch") != 0 && strcmp(value, "script") != 0)
		return -EINVAL;
	*(bool *)to = strcmp(value, "switch") == 0;
	return 0;
}

/* Take a number and its unit apart. */
static int
split_unit(const char *value, uint32_t max, uint32_t *number, const char **unit)
{
	size_t len = strspn(value, "0123456789");
	char digits[16];

	if (len >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, value, len);
	digits[len] = '\0';
	*unit = value + len + strspn(value + len, TEXT_BLANKS);
	return text_number(digits, 1, max, number);
}

static int
parse_age(const struct config_key *key, const char *value, void *to)
{
	static const struct {
		const char *name;
		uint32_t seconds;
	} units[] = { { "s", 1 }, { "min", 60 }, { "h", 3600 } };
	uint32_t number, age;
	const char *unit;
	unsigned int i;

	if (split_unit(value, key->max, &number, &unit) != 0)
		return -EINVAL;
	for (i = 0; i < RTE_DIM(units); i++) {
		if (strcmp(unit, units[i].name) != 0)
			continue;
		age = number * units[i].seconds;
		if (age < key->min || age > key->max)
			return -EINVAL;
		*(uint32_t *)to = age;
		return 0;
	}
	return -EINVAL;
}

static int
parse_storm(const struct config_key *key, const char *value, void *to)
{
	uint32_t number = 0;
	const char *unit;

	if (strcmp(value, "off") != 0) {
		if (split_unit(value, key->max, &number, &unit) != 0 || number < key->min ||
				strcmp(unit, "pps") != 0)
			return -EINVAL;
	}
	*(uint32_t *)to = number;
	return 0;
}

static int
parse_native(const struct config_key *key __rte_unused, const char *value, void *to)
{
	int vlan = strcmp(value, "none") == 0 ? VLAN_NONE : vlan_parse(value, 0);

	if (vlan < 0)
		return vlan;
	*(uint16_t *)to = vlan;
	return 0;
}

/* Up to so many hexadecimal digits, and what follows them; NULL: it is anything else. */
static const char *
skip_hex(const char *at, size_t max, char end)
{
	size_t len = strspn(at, "0123456789abcdefABCDEF");

	return len != 0 && len <= max && at[len] == end ? at + len + 1 : NULL;
}

bool
config_is_pci(const char *devargs)
{
	const char *at, *bus;
	char address[16];
	size_t len;

	if (strncmp(devargs, "pci:", 4) == 0)
		devargs += 4;
	len = strcspn(devargs, ",");
	if (len >= sizeof(address))
		return false;
	memcpy(address, devargs, len);
	address[len] = '\0';
	at = skip_hex(address, 8, ':');
	bus = at == NULL ? NULL : skip_hex(at, 2, ':');
	at = skip_hex(bus != NULL ? bus : at != NULL ? at : address, 2, '.');
	return at != NULL && *at >= '0' && *at <= '7' && at[1] == '\0';
}

bool
config_eal_has(const char *eal, const char *word)
{
	size_t len;

	for (eal += strspn(eal, TEXT_BLANKS); *eal != '\0'; eal += strspn(eal, TEXT_BLANKS)) {
		len = strcspn(eal, TEXT_BLANKS);
		if (strlen(word) == len && memcmp(eal, word, len) == 0)
			return true;
		eal += len;
	}
	return false;
}

void
config_trunks_all(struct vlan_set *set)
{
	unsigned int vlan;

	for (vlan = 1; vlan <= VLAN_MAX; vlan++)
		vlan_tag(set, vlan);
}

static int
parse_trunks(const struct config_key *key __rte_unused, const char *value, void *to)
{
	struct vlan_set *set = to;

	if (strcmp(value, "none") == 0)
		return 0;
	if (strcmp(value, "all") != 0)
		return vlan_parse_list(set, value, ',');
	config_trunks_all(set);
	return 0;
}

/* A key: the struct's member, the function that reads it, what is allowed. */
#define KEY(type, key, member, reader, ...) \
	{ \
		.name = key, .parse = parse_##reader, .offset = offsetof(struct type, member), \
		.rule = __VA_ARGS__ \
	}

static const struct config_key switch_keys[] = {
	KEY(config, "lcores", lcores, lcores, LCORES_RULE, .max = CONFIG_TEXT_SIZE - 1),
	KEY(config, "eal", eal, eal, EAL_RULE, .min = 1, .max = CONFIG_TEXT_SIZE - 1),
	KEY(config, "mbufs", mbufs, u32, NUMBER(1024, 4194304)),
	KEY(config, "macs", macs, u32, NUMBER(256, 65536)),
	KEY(config, "control", control, path, PATH_RULE, .max = CONFIG_PATH_SIZE - 1),
	KEY(config, "queues", queues, u16, NUMBER(1, 32)),
	KEY(config, "hotplug", hotplug, hotplug, "script or switch"),
	KEY(config, "metrics", metrics, address, ADDRESS_RULE ", or off"),
};

static const struct config_key bridge_keys[] = {
	KEY(config_bridge, "lock", lock, lock, "mac, ip or off"),
	KEY(config_bridge, "isolated", isolated, bool, "yes or no"),
	KEY(config_bridge, "age", age, age, AGE_RULE, .min = 10, .max = 86400),
	KEY(config_bridge, "storm", storm, storm, STORM_RULE, .min = 100, .max = 10000000),
};

static const struct config_key port_keys[] = {
	KEY(config_port, "kind", kind, kind, "uplink or tap"),
	KEY(config_port, "bridge", bridge, name, "the name of a bridge: " NAME_RULE),
	KEY(config_port, "devargs", devargs, text, TEXT_RULE, .min = 1,
			.max = CONFIG_TEXT_SIZE - 1),
	KEY(config_port, "vhost", vhost, bool, "yes or no"),
	KEY(config_port, "vlan", vlan.native, native, "a VLAN from 0 to 4094, or none"),
	KEY(config_port, "trunks", vlan, trunks, TRUNKS_RULE),
	KEY(config_port, "isolated", isolated, bool, "yes or no"),
	KEY(config_port, "queues", queues, u16, NUMBER(1, 32)),
	KEY(config_port, "mtu", mtu, u16, MTU_RULE, .min = 68, .max = 65517),
	KEY(config_port, "macs", macs, u32, NUMBER(1, 65536)),
};

const struct config_keys config_switch_keys = { switch_keys, RTE_DIM(switch_keys) };
const struct config_keys config_bridge_keys = { bridge_keys, RTE_DIM(bridge_keys) };
const struct config_keys config_port_keys = { port_keys, RTE_DIM(port_keys) };
