/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_ether.h>

#include "config.h"
#include "config_keys.h"
#include "ini.h"
#include "text.h"

#define FILE_MAX (1024u * 1024)
#define LINE_NONE UINT_MAX
#define PLACE_SIZE 24

struct section;

/* A configuration while it is read. What a command says is in no line: in LINE_NONE. */
struct parser {
	struct config config;
	struct config_error *error;
	/* The section that is read: its kind, its line, and the struct for its keys. */
	const struct section *section;
	unsigned int line;
	void *fields;
	/* Lines of its keys, in the order of their table. */
	unsigned int key_lines[CONFIG_KEYS_MAX];
	/* Lines of [switch], and of the ports' keys `bridge` and `devargs`. */
	unsigned int switch_line;
	unsigned int bridge_lines[CONFIG_PORTS_MAX];
	unsigned int devargs_lines[CONFIG_PORTS_MAX];
};

/* A kind of section. */
struct section {
	const char *name;
	const struct config_keys *keys;
	int (*begin)(struct parser *parser, const char *name);
	/* Check it as a whole. */
	int (*end)(struct parser *parser);
};

#define fail(parser, at, ...) \
	((parser)->error->line = (at), \
			text_error((parser)->error->text, sizeof((parser)->error->text), \
					__VA_ARGS__))

/* Where something is that is there already: none is what is said of what no line has. */
static const char *
place(char *text, unsigned int line, const char *none)
{
	if (line == LINE_NONE)
		return none;
	snprintf(text, PLACE_SIZE, " in line %u", line);
	return text;
}

/* --- Sections --- */

static int
begin_switch(struct parser *parser, const char *name)
{
	struct text_quote quote;

	if (name[0] != '\0')
		return fail(parser, parser->line, "[switch]: has no name, and not %s",
				text_quote(&quote, name));
	if (parser->switch_line != 0)
		return fail(parser, parser->line, "[switch]: is in line %u already",
				parser->switch_line);
	parser->switch_line = parser->line;
	parser->fields = &parser->config;
	return 0;
}

static int
check_name(struct parser *parser, const char *name)
{
	struct text_quote quote;

	if (name_valid(name))
		return 0;
	return fail(parser, parser->line, "[%s %s]: the name has to be " NAME_RULE,
			parser->section->name, text_quote(&quote, name));
}

static int
begin_bridge(struct parser *parser, const char *name)
{
	struct config *config = &parser->config;
	const struct config_bridge *other;
	struct config_bridge *bridge;

	if (check_name(parser, name) != 0)
		return -EINVAL;
	other = config_bridge_find(config, name);
	if (other != NULL)
		return fail(parser, parser->line, "[bridge %s]: is in line %u already", name,
				other->line);
	if (config->nb_bridges == CONFIG_BRIDGES_MAX)
		return fail(parser, parser->line, "[bridge %s]: more than %d bridges", name,
				CONFIG_BRIDGES_MAX);
	bridge = &config->bridges[config->nb_bridges++];
	snprintf(bridge->name, sizeof(bridge->name), "%s", name);
	bridge->line = parser->line;
	bridge->lock = GUARD_MAC;
	bridge->age = 300;
	parser->fields = bridge;
	return 0;
}

static int
begin_port(struct parser *parser, const char *name)
{
	struct config *config = &parser->config;
	struct config_port *port = config_port_find(config, name);
	char where[PLACE_SIZE];

	if (check_name(parser, name) != 0)
		return -EINVAL;
	if (port != NULL)
		return fail(parser, parser->line, "[port %s]: is%s already", name,
				place(where, port->line, " there"));
	if (config->nb_ports == CONFIG_PORTS_MAX)
		return fail(parser, parser->line, "[port %s]: more than %d ports", name,
				CONFIG_PORTS_MAX);
	port = &config->ports[config->nb_ports++];
	snprintf(port->name, sizeof(port->name), "%s", name);
	port->line = parser->line;
	port->queues = 1;
	port->mtu = 1500;
	parser->fields = port;
	return 0;
}

static int
end_nothing(struct parser *parser __rte_unused)
{
	return 0;
}

/* Line of a port's key; 0: it is not there. */
static unsigned int
line_of(const struct parser *parser, const char *key)
{
	unsigned int i;

	for (i = 0; strcmp(config_port_keys.keys[i].name, key) != 0;)
		i++;
	return parser->key_lines[i];
}

/* Devices are the same whatever their arguments. */
static bool
same_device(const char *a, const char *b)
{
	size_t len = strcspn(a, ",");

	return strcspn(b, ",") == len && memcmp(a, b, len) == 0;
}

/* Two ways to the same network would be a loop. */
static int
check_uplink(struct parser *parser, const struct config_port *port)
{
	const struct config_port *other;
	struct text_quote quote;
	char where[PLACE_SIZE];

	for (other = parser->config.ports; other < port; other++) {
		if (other->kind != CONFIG_UPLINK)
			continue;
		if (same_device(other->devargs, port->devargs))
			return fail(parser, line_of(parser, "devargs"),
					"devargs=%s: is the device of port %s%s already",
					text_quote(&quote, port->devargs), other->name,
					place(where, other->line, ""));
		if (strcmp(other->bridge, port->bridge) == 0)
			return fail(parser, line_of(parser, "bridge"),
					"bridge='%s': has the uplink %s%s already, and "
					"may have one; bond them: use net_bonding",
					port->bridge, other->name, place(where, other->line, ""));
	}
	return 0;
}

static bool
same_trunks(const struct vlan_set *a, const struct vlan_set *b)
{
	return memcmp(a->tagged, b->tagged, sizeof(a->tagged)) == 0;
}

/* No VLAN is both tagged and untagged at a port. */
static int
check_vlans(struct parser *parser, struct config_port *port)
{
	unsigned int native = port->vlan.native, trunks = line_of(parser, "trunks");
	struct vlan_set all = { 0 }, none = { 0 };

	config_trunks_all(&all);
	if (trunks == 0 && port->kind == CONFIG_UPLINK)
		config_trunks_all(&port->vlan);
	if (native == VLAN_NONE) {
		if (!same_trunks(&port->vlan, &none))
			return 0;
		return fail(parser, line_of(parser, "vlan"),
				"vlan='none': port %s has to have trunks, or it would be in no "
				"VLAN",
				port->name);
	}
	if (!vlan_is_tagged(&port->vlan, native))
		return 0;
	/* All means all others. */
	if (!same_trunks(&port->vlan, &all))
		return fail(parser, trunks,
				"trunks: has VLAN %u, which has to be either there or in vlan",
				native);
	port->vlan.tagged[native / 64] &= ~(UINT64_C(1) << (native % 64));
	return 0;
}

static int
end_port(struct parser *parser)
{
	struct config_port *port = parser->fields;
	unsigned int devargs = line_of(parser, "devargs");
	struct text_quote quote;

	parser->bridge_lines[port - parser->config.ports] = line_of(parser, "bridge");
	parser->devargs_lines[port - parser->config.ports] = devargs;
	if (port->bridge[0] == '\0')
		return fail(parser, parser->line, "[port %s]: has to have the key bridge",
				port->name);
	if (port->kind == CONFIG_UPLINK && devargs == 0)
		return fail(parser, parser->line,
				"[port %s]: has to have the key devargs, as it is an uplink",
				port->name);
	if (port->kind == CONFIG_HOST && devargs != 0)
		return fail(parser, devargs, "devargs=%s: a tap has no such key",
				text_quote(&quote, port->devargs));
	if (port->kind == CONFIG_HOST && port->mtu > RTE_ETHER_MTU)
		return fail(parser, line_of(parser, "mtu"),
				"mtu=%u: has to be up to %d, as that is all that a tap takes",
				port->mtu, RTE_ETHER_MTU);
	if (port->kind == CONFIG_UPLINK && port->vhost)
		return fail(parser, line_of(parser, "vhost"),
				"vhost=yes: is for a tap, and [port %s] is an uplink", port->name);
	if (port->kind == CONFIG_UPLINK && check_uplink(parser, port) != 0)
		return -EINVAL;
	return check_vlans(parser, port);
}

enum {
	SECTION_SWITCH,
	SECTION_BRIDGE,
	SECTION_PORT
};

static const struct section sections[] = {
	[SECTION_SWITCH] = { "switch", &config_switch_keys, begin_switch, end_nothing },
	[SECTION_BRIDGE] = { "bridge", &config_bridge_keys, begin_bridge, end_nothing },
	[SECTION_PORT] = { "port", &config_port_keys, begin_port, end_port },
};

/* --- Lines --- */

static int
end_section(struct parser *parser)
{
	return parser->section != NULL ? parser->section->end(parser) : 0;
}

static int
begin_section(struct parser *parser, const struct ini_item *item, unsigned int line)
{
	struct text_quote quote;
	unsigned int i;

	for (i = 0; i < RTE_DIM(sections); i++) {
		if (strcmp(sections[i].name, item->name) != 0)
			continue;
		parser->section = &sections[i];
		parser->line = line;
		memset(parser->key_lines, 0, sizeof(parser->key_lines));
		return sections[i].begin(parser, item->value);
	}
	return fail(parser, line,
			"section %s: is unknown; there are [switch], [bridge NAME] and [port NAME]",
			text_quote(&quote, item->name));
}

static int
fail_unknown(struct parser *parser, const struct ini_item *item, unsigned int line)
{
	const struct config_keys *keys = parser->section->keys;
	char names[128] = "";
	struct text_quote quote;
	unsigned int i;
	size_t len = 0;

	for (i = 0; i < keys->nb && len < sizeof(names); i++)
		len += snprintf(names + len, sizeof(names) - len, "%s%s", i == 0 ? "" : ", ",
				keys->keys[i].name);
	return fail(parser, line, "key %s: is unknown; [%s] has %s", text_quote(&quote, item->name),
			parser->section->name, names);
}

static int
read_key(struct parser *parser, const struct ini_item *item, unsigned int line)
{
	const struct config_keys *keys;
	const struct config_key *key;
	struct text_quote quote;
	char where[PLACE_SIZE];
	unsigned int i;
	bool wrong;

	if (parser->section == NULL)
		return fail(parser, line, "key %s: is in no section; it has to follow one",
				text_quote(&quote, item->name));
	keys = parser->section->keys;
	for (i = 0; i < keys->nb && strcmp(keys->keys[i].name, item->name) != 0;)
		i++;
	if (i == keys->nb)
		return fail_unknown(parser, item, line);
	key = &keys->keys[i];
	wrong = key->parse(key, item->value, (char *)parser->fields + key->offset) != 0;
	if (parser->key_lines[i] != 0)
		return fail(parser, line, "%s=%s: is%s already%s%s", key->name,
				text_quote(&quote, item->value),
				place(where, parser->key_lines[i], " there"),
				wrong ? ", and has to be " : "", wrong ? key->rule : "");
	parser->key_lines[i] = line;
	if (wrong)
		return fail(parser, line, "%s=%s: has to be %s", key->name,
				text_quote(&quote, item->value), key->rule);
	return 0;
}

/* What stands in [switch] may stand behind the ports. */
static int
check_devices(struct parser *parser)
{
	const struct config *config = &parser->config;
	struct text_quote quote;
	unsigned int i;

	for (i = 0; i < config->nb_ports && config_eal_has(config->eal, "--no-pci"); i++) {
		/* Of a port that was there before a command there is no line. */
		if (parser->devargs_lines[i] != 0 && config_is_pci(config->ports[i].devargs))
			return fail(parser, parser->devargs_lines[i],
					"devargs=%s: is a PCI device, which --no-pci in eal of "
					"[switch] keeps away; remove one of them",
					text_quote(&quote, config->ports[i].devargs));
	}
	return 0;
}

/* A bridge may stand behind its ports. */
static int
check_bridges(struct parser *parser)
{
	const struct config_port *port;
	unsigned int i;

	for (i = 0; i < parser->config.nb_ports; i++) {
		port = &parser->config.ports[i];
		if (config_bridge_find(&parser->config, port->bridge) == NULL)
			return fail(parser, parser->bridge_lines[i],
					"bridge='%s': has to be a bridge of this file, by a "
					"section [bridge %s]",
					port->bridge, port->bridge);
	}
	return 0;
}

static int
read_items(struct parser *parser, const char *text)
{
	struct ini ini = { .at = text };
	char wrong[CONFIG_ERROR_SIZE];
	struct ini_item item;
	int ret;

	while ((ret = ini_next(&ini, &item, wrong, sizeof(wrong))) > 0) {
		if (item.section)
			ret = end_section(parser) != 0 ? -EINVAL :
							 begin_section(parser, &item, ini.line);
		else
			ret = read_key(parser, &item, ini.line);
		if (ret != 0)
			return ret;
	}
	return ret == 0 ? end_section(parser) : fail(parser, ini.line, "%s", wrong);
}

int
config_parse(const char *text, struct config *config, struct config_error *error)
{
	struct parser parser = {
		.config = {
			.mbufs = 32768,
			.macs = 16384,
			.control = "/run/dpdk-xenvswitch/control.sock",
			.queues = 1,
		},
		.error = error,
	};

	error->line = 0;
	error->text[0] = '\0';
	snprintf(parser.config.lcores, sizeof(parser.config.lcores), "%d",
			sysconf(_SC_NPROCESSORS_ONLN) > 1);
	if (read_items(&parser, text) != 0 || check_bridges(&parser) != 0 ||
			check_devices(&parser) != 0)
		return -EINVAL;
	*config = parser.config;
	return 0;
}

/* A key of a command: one line, and nothing else that a file may have. */
static int
read_text(struct parser *parser, const char *text)
{
	struct ini ini = { .at = text };
	char wrong[CONFIG_ERROR_SIZE];
	struct text_quote quote;
	struct ini_item item;

	text += strspn(text, TEXT_BLANKS);
	if (strchr("[#;=", *text) != NULL || strchr(text, '=') == NULL ||
			strchr(text, '\n') != NULL)
		return fail(parser, LINE_NONE, "%s: has to be KEY=VALUE", text_quote(&quote, text));
	if (ini_next(&ini, &item, wrong, sizeof(wrong)) < 0)
		return fail(parser, LINE_NONE, "%s", wrong);
	return read_key(parser, &item, LINE_NONE);
}

static int
read_port(struct parser *parser, const char *name, const char *const *keys, unsigned int nb)
{
	unsigned int i;

	parser->section = &sections[SECTION_PORT];
	parser->line = LINE_NONE;
	if (parser->section->begin(parser, name) != 0)
		return -EINVAL;
	for (i = 0; i < nb; i++) {
		if (read_text(parser, keys[i]) != 0)
			return -EINVAL;
	}
	if (end_section(parser) != 0 || check_bridges(parser) != 0)
		return -EINVAL;
	return check_devices(parser);
}

int
config_port_add(struct config *config, const char *name, const char *const *keys, unsigned int nb,
		struct config_error *error)
{
	struct parser parser = { .config = *config, .error = error };

	error->text[0] = '\0';
	if (read_port(&parser, name, keys, nb) != 0) {
		error->line = 0;
		return -EINVAL;
	}
	*config = parser.config;
	return 0;
}

int
config_port_remove(struct config *config, const char *name)
{
	struct config_port *port = config_port_find(config, name);

	if (port == NULL)
		return -ENOENT;
	config->nb_ports--;
	memmove(port, port + 1,
			(config->ports + config->nb_ports - port) * sizeof(config->ports[0]));
	return 0;
}

struct config_port *
config_port_find(struct config *config, const char *name)
{
	unsigned int i;

	for (i = 0; i < config->nb_ports; i++) {
		if (strcmp(config->ports[i].name, name) == 0)
			return &config->ports[i];
	}
	return NULL;
}

const struct config_bridge *
config_bridge_find(const struct config *config, const char *name)
{
	unsigned int i;

	for (i = 0; i < config->nb_bridges; i++) {
		if (strcmp(config->bridges[i].name, name) == 0)
			return &config->bridges[i];
	}
	return NULL;
}

/* --- The file --- */

static int
fail_file(struct config_error *error, int number)
{
	text_error(error->text, sizeof(error->text), "the file cannot be read: %s",
			strerror(number));
	return -number;
}

static int
parse_file(char *text, size_t len, struct config *config, struct config_error *error)
{
	const char *nul, *at;

	if (len > FILE_MAX)
		return text_error(error->text, sizeof(error->text),
				"the file has more than a MiB, and may have that at most");
	text[len] = '\0';
	nul = text + strlen(text);
	if (nul == text + len)
		return config_parse(text, config, error);
	error->line = 1;
	for (at = text; at < nul; at++)
		error->line += *at == '\n';
	return text_error(error->text, sizeof(error->text),
			"byte 0x00: only printable ASCII is allowed, but in comments");
}

int
config_read(const char *path, struct config *config, struct config_error *error)
{
	FILE *file;
	char *text;
	size_t len;
	int ret;

	error->line = 0;
	error->text[0] = '\0';
	file = fopen(path, "re");
	if (file == NULL)
		return fail_file(error, errno);
	/* A byte more than is allowed, and the terminator. */
	text = malloc(FILE_MAX + 2);
	if (text == NULL) {
		ret = fail_file(error, ENOMEM);
		goto close;
	}
	len = fread(text, 1, FILE_MAX + 1, file);
	ret = ferror(file) ? fail_file(error, errno) : parse_file(text, len, config, error);
	free(text);
close:
	fclose(file);
	return ret;
}
