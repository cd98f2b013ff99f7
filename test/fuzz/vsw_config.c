/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * The switch's configuration: what is accepted is within its limits, what is not is explained.
 *
 * Input: the file; and besides, as a command that adds a port, its name and a key each line.
 */

#include <errno.h>
#include <stdlib.h>

#include "config.h"
#include "fuzz.h"

#define KEYS_MAX 32

static void
check_bridge(const struct config *config, const struct config_bridge *bridge)
{
	fuzz_check(name_valid(bridge->name) && bridge->line > 0);
	fuzz_check(config_bridge_find(config, bridge->name) == bridge);
	fuzz_check(bridge->lock <= GUARD_IP);
	fuzz_check(bridge->age >= 10 && bridge->age <= 86400);
	fuzz_check(bridge->storm == 0 || (bridge->storm >= 100 && bridge->storm <= 10000000));
}

static void
check_vlans(const struct vlan_set *set)
{
	unsigned int vlan, members = 0;

	fuzz_check(set->native <= VLAN_MAX || set->native == VLAN_NONE);
	fuzz_check(!vlan_is_tagged(set, 0) && !vlan_is_tagged(set, VLAN_ID_MASK));
	for (vlan = 0; vlan <= VLAN_MAX; vlan++)
		members += vlan_has(set, vlan);
	fuzz_check(members > 0);
	fuzz_check(set->native == VLAN_NONE || !vlan_is_tagged(set, set->native));
}

static void
check_port(const struct config *config, const struct config_port *port)
{
	const struct config_port *other;

	fuzz_check(name_valid(port->name) && port->line > 0);
	fuzz_check(config_bridge_find(config, port->bridge) != NULL);
	fuzz_check((port->kind == CONFIG_UPLINK) == (port->devargs[0] != '\0'));
	fuzz_check(strnlen(port->devargs, sizeof(port->devargs)) < sizeof(port->devargs));
	fuzz_check(port->queues >= 1 && port->queues <= 32);
	fuzz_check(port->mtu >= 68 && port->mtu <= 65517);
	fuzz_check(port->macs <= 65536);
	check_vlans(&port->vlan);
	for (other = config->ports; other < port; other++) {
		fuzz_check(strcmp(other->name, port->name) != 0);
		fuzz_check(other->kind == CONFIG_HOST || port->kind == CONFIG_HOST ||
				(strcmp(other->bridge, port->bridge) != 0 &&
						strcmp(other->devargs, port->devargs) != 0));
	}
}

static void
check_config(const struct config *config)
{
	unsigned int i;

	fuzz_check(strspn(config->lcores, "0123456789,-") == strlen(config->lcores));
	fuzz_check(config->lcores[0] != '\0');
	fuzz_check(strnlen(config->eal, sizeof(config->eal)) < sizeof(config->eal));
	fuzz_check(config->mbufs >= 1024 && config->mbufs <= 4194304);
	fuzz_check(config->macs >= 256 && config->macs <= 65536);
	fuzz_check(config->control[0] == '/');
	fuzz_check(strnlen(config->control, sizeof(config->control)) < sizeof(config->control));
	fuzz_check(config->queues >= 1 && config->queues <= 32);
	fuzz_check(config->nb_bridges <= CONFIG_BRIDGES_MAX);
	fuzz_check(config->nb_ports <= CONFIG_PORTS_MAX);
	for (i = 0; i < config->nb_bridges; i++)
		check_bridge(config, &config->bridges[i]);
	for (i = 0; i < config->nb_ports; i++)
		check_port(config, &config->ports[i]);
}

/* What is wrong, in one of so many lines. */
static void
check_error(const struct config_error *error, unsigned int lines)
{
	const char *c;

	fuzz_check(lines == 0 ? error->line == 0 : error->line >= 1 && error->line <= lines);
	fuzz_check(error->text[0] != '\0');
	/* Nothing is so long that it would be cut. */
	fuzz_check(strnlen(error->text, sizeof(error->text)) < sizeof(error->text) - 1);
	for (c = error->text; *c != '\0'; c++)
		fuzz_check(*c >= ' ' && *c <= '~');
}

static unsigned int
count_lines(const char *text)
{
	unsigned int lines = 1;

	for (; *text != '\0'; text++)
		lines += *text == '\n';
	return lines;
}

static void
add_port(char *text)
{
	static const char file[] = "[bridge b]\n[bridge xenbr0]\n[port u]\nbridge=b\ndevargs=x\n";
	const char *keys[KEYS_MAX], *name = strsep(&text, "\n");
	static struct config config, before;
	struct config_error error;
	unsigned int nb = 0;

	fuzz_check(config_parse(file, &config, &error) == 0);
	before = config;
	while (text != NULL && nb < KEYS_MAX)
		keys[nb++] = strsep(&text, "\n");
	if (config_port_add(&config, name, keys, nb, &error) == 0) {
		fuzz_check(config.nb_ports == 2);
		check_config(&config);
		fuzz_check(config_port_remove(&config, name) == 0);
		fuzz_check(config.nb_ports == 1);
	} else {
		fuzz_check(memcmp(&config, &before, sizeof(config)) == 0);
		check_error(&error, 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config config;
	struct config_error error;
	/* Of its own size: a byte past the end is found. */
	char *text = strndup((const char *)data, size);
	int ret;

	fuzz_check(text != NULL);
	memset(&config, 0xFF, sizeof(config));
	ret = config_parse(text, &config, &error);
	if (ret == 0) {
		fuzz_check(error.line == 0 && error.text[0] == '\0');
		check_config(&config);
	} else {
		fuzz_check(ret == -EINVAL && config.nb_ports == UINT32_MAX);
		check_error(&error, count_lines(text));
	}
	add_port(text);
	free(text);
	return 0;
}
