/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_version.h>

#include "control_command.h"
#include "protocol.h"
#include "rate.h"
#include "reload.h"
#include "text.h"
#include "vswitch.h"

/* Arguments, as bits of what a command takes. */
#define ARG_PORT RTE_BIT32(0)
#define ARG_BRIDGE RTE_BIT32(1)
#define ARG_ALL RTE_BIT32(2)
#define ARG_NEXT RTE_BIT32(3)
#define ARG_QUEUE RTE_BIT32(4)
#define ARG_LCORE RTE_BIT32(5)
#define ARG_DRY_RUN RTE_BIT32(6)
#define ARG_RATE RTE_BIT32(7)
#define ARG_NAME RTE_BIT32(8)
#define ARG_KEYS RTE_BIT32(9)
#define ARG_TO RTE_BIT32(10)
#define ARG_OFF RTE_BIT32(11)
#define ARG_DIRECTION RTE_BIT32(12)
#define ARG_COUNT RTE_BIT32(13)
#define ARG_SECONDS RTE_BIT32(14)
#define ARG_SNAPLEN RTE_BIT32(15)

/* Room for the names of all commands. */
#define NAMES_SIZE 384

#define KEYS_RULE "a list of at most " RTE_STR(PROTOCOL_KEYS_MAX) " texts KEY=VALUE"

/* A value as a message shows it. */
static const char *
quote_value(struct text_quote *quote, const json_t *value)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

	text_quote(quote, text == NULL ? "" : text);
	free(text);
	return quote->text;
}

static int
set_port(const struct vswitch *sw, const json_t *value, struct control_args *args)
{
	args->port = json_is_string(value) ? vswitch_port(sw, json_string_value(value)) : NULL;
	return args->port == NULL ? -EINVAL : 0;
}

static int
set_bridge(const struct vswitch *sw, const json_t *value, struct control_args *args)
{
	unsigned int i;

	if (!json_is_string(value))
		return -EINVAL;
	for (i = 0; i < sw->config.nb_bridges; i++) {
		if (strcmp(sw->config.bridges[i].name, json_string_value(value)) == 0) {
			args->bridge = i;
			return 0;
		}
	}
	return -EINVAL;
}

static int
set_all(const struct vswitch *sw, const json_t *value, struct control_args *args)
{
	RTE_SET_USED(sw);
	args->all = json_is_true(value);
	return json_is_boolean(value) ? 0 : -EINVAL;
}

static int
set_next(const struct vswitch *sw, const json_t *value, struct control_args *args)
{
	RTE_SET_USED(sw);
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
			json_integer_value(value) > UINT32_MAX)
		return -EINVAL;
	args->next = json_integer_value(value);
	return 0;
}

static int
set_queue(const struct vswitch *sw, const json_t *value, struct control_args *args)
{
	RTE_SET_USED(sw);
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
			json_integer_value(value) >= RXQS_MAX)
		return -EINVAL;
	args->queue = json_integer_value(value);
	return 0;
}

static int
set_lcore(const struct vswitch *sw, const json_t *value, struct control_args *args)
{
	unsigned int i;

	for (i = 0; json_is_integer(value) && i < sw->nb_workers; i++) {
		if (json_integer_value(value) == (json_int_t)sw->workers[i]->lcore) {
			args->worker = i;
			return 0;
		}
	}
	return -EINVAL;
}

static int
set_dry_run(const struct vswitch *sw, const json_t *value, struct control_args *args)
{
	RTE_SET_USED(sw);
	args->dry_run = json_is_true(value);
	return json_is_boolean(value) ? 0 : -EINVAL;
}

static int
set_rate(const struct vswitch *sw, const json_t *value, struct control_args *args)
{
	RTE_SET_USED(sw);
	args->rate = json_string_value(value);
	return args->rate == NULL ? -EINVAL : 0;
}

static int
set_name(const struct vswitch *sw, const json_t *value, struct control_args *args)
{
	RTE_SET_USED(sw);
	args->name = json_string_value(value);
	return args->name == NULL ? -EINVAL : 0;
}

static int
set_keys(const struct vswitch *sw, const json_t *value, struct control_args *args)
{
	const json_t *key;
	size_t i;

	RTE_SET_USED(sw);
	if (!json_is_array(value) || json_array_size(value) > RTE_DIM(args->keys))
		return -EINVAL;
	json_array_foreach(value, i, key)
	{
		if (!json_is_string(key))
			return -EINVAL;
		args->keys[args->nb_keys++] = json_string_value(key);
	}
	return 0;
}

static const struct arg {
	const char *name;
	uint32_t bit;
	const char *allowed;
	int (*set)(const struct vswitch *sw, const json_t *value, struct control_args *args);
} known_args[] = {
	{ PROTOCOL_ARG_PORT, ARG_PORT, "the name of a port", set_port },
	{ PROTOCOL_ARG_BRIDGE, ARG_BRIDGE, "the name of a bridge", set_bridge },
	{ PROTOCOL_ARG_ALL, ARG_ALL, "true or false", set_all },
	{ PROTOCOL_ARG_NEXT, ARG_NEXT, "the last result's", set_next },
	{ PROTOCOL_ARG_QUEUE, ARG_QUEUE, "the number of a queue of the port", set_queue },
	{ PROTOCOL_ARG_LCORE, ARG_LCORE, "the number of an lcore of '" PROTOCOL_SHOW_LCORES "'",
			set_lcore },
	{ PROTOCOL_ARG_DRY_RUN, ARG_DRY_RUN, "true or false", set_dry_run },
	{ PROTOCOL_ARG_RATE, ARG_RATE, PROTOCOL_RATE_OFF ", or " RATE_RULE, set_rate },
	{ PROTOCOL_ARG_TO, ARG_TO, "the name of a port", control_set_to },
	{ PROTOCOL_ARG_OFF, ARG_OFF, "true or false", control_set_off },
	{ PROTOCOL_ARG_DIRECTION, ARG_DIRECTION,
			PROTOCOL_DIRECTION_RX ", " PROTOCOL_DIRECTION_TX
					      " or " PROTOCOL_DIRECTION_BOTH,
			control_set_direction },
	{ PROTOCOL_ARG_COUNT, ARG_COUNT, "1 to " RTE_STR(PROTOCOL_COUNT_MAX), control_set_count },
	{ PROTOCOL_ARG_SECONDS, ARG_SECONDS, "1 to " RTE_STR(PROTOCOL_SECONDS_MAX),
			control_set_seconds },
	{ PROTOCOL_ARG_SNAPLEN, ARG_SNAPLEN,
			RTE_STR(PROTOCOL_SNAPLEN_MIN) " to " RTE_STR(PROTOCOL_SNAPLEN_MAX),
			control_set_snaplen },
	{ PROTOCOL_ARG_NAME, ARG_NAME, "a name", set_name },
	{ PROTOCOL_ARG_KEYS, ARG_KEYS, KEYS_RULE, set_keys },
};

static json_t *
run_version(struct vswitch *sw)
{
	return json_pack("{s:s, s:i, s:s, s:I}", "version", XENVIF_VERSION, "protocol",
			PROTOCOL_VERSION, "dpdk", rte_version(), "uptime",
			(json_int_t)(sw->now - sw->started));
}

static json_t *
run_reload(struct vswitch *sw, const struct control_args *args, char *why)
{
	struct config_error error = { 0 };
	int ret;

	RTE_SET_USED(args);
	ret = reload_config(sw, &error);
	if (ret == 0)
		return json_object();
	if (error.line != 0)
		snprintf(why, CONTROL_ERROR_SIZE, "%s:%u: %s", sw->config_path, error.line,
				error.text);
	else
		snprintf(why, CONTROL_ERROR_SIZE, "%s: %s", sw->config_path,
				error.text[0] != '\0' ? error.text : strerror(-ret));
	return NULL;
}

static json_t *
run_reset(struct vswitch *sw)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(sw->ports); i++) {
		if (sw->ports[i] != NULL)
			vswitch_stats_reset(sw, i);
	}
	return json_object();
}

/* Exactly one of the functions is there; `change` may say why it did not, and returns NULL then. */
static const struct command {
	const char *name;
	uint32_t args;
	json_t *(*show)(const struct vswitch *sw, const struct control_args *args);
	json_t *(*run)(struct vswitch *sw);
	json_t *(*change)(struct vswitch *sw, const struct control_args *args, char *why);
	/* Of `args`, those that it needs. */
	uint32_t needs;
} commands[] = {
	{ PROTOCOL_COMMAND_VERSION, .run = run_version },
	{ PROTOCOL_SHOW_PORTS, .show = control_show_ports },
	{ PROTOCOL_SHOW_MACS, ARG_PORT | ARG_BRIDGE | ARG_NEXT, .show = control_show_macs },
	{ PROTOCOL_SHOW_BRIDGES, .show = control_show_bridges },
	{ PROTOCOL_SHOW_LCORES, .show = control_show_lcores },
	{ PROTOCOL_SHOW_STATS, .show = control_show_stats },
	{ PROTOCOL_SHOW_DROPS, ARG_PORT | ARG_ALL, .show = control_show_drops },
	{ PROTOCOL_SHOW_ERRORS, .show = control_show_errors },
	{ PROTOCOL_RELOAD, .change = run_reload },
	{ PROTOCOL_RESET, .run = run_reset },
	{ PROTOCOL_MOVE, ARG_PORT | ARG_QUEUE | ARG_LCORE, .change = control_move,
			.needs = ARG_PORT | ARG_QUEUE | ARG_LCORE },
	{ PROTOCOL_REBALANCE, ARG_DRY_RUN, .change = control_rebalance },
	{ PROTOCOL_SET_RATE, ARG_PORT | ARG_RATE, .change = control_set_rate,
			.needs = ARG_PORT | ARG_RATE },
	{ PROTOCOL_ADD_PORT, ARG_NAME | ARG_KEYS, .change = control_add_port, .needs = ARG_NAME },
	{ PROTOCOL_REMOVE_PORT, ARG_NAME, .change = control_remove_port, .needs = ARG_NAME },
	{ PROTOCOL_CAPTURE, ARG_PORT | ARG_DIRECTION | ARG_COUNT | ARG_SECONDS | ARG_SNAPLEN,
			.change = control_capture },
	{ PROTOCOL_CAPTURE_WAIT, .change = control_capture_wait },
	{ PROTOCOL_SHOW_CAPTURES, .show = control_show_captures },
	{ PROTOCOL_MIRROR, ARG_PORT | ARG_TO | ARG_OFF | ARG_DIRECTION, .change = control_mirror,
			.needs = ARG_PORT },
	{ PROTOCOL_SHOW_MIRRORS, .show = control_show_mirrors },
};

const char *
control_command_name(unsigned int i)
{
	return i < RTE_DIM(commands) ? commands[i].name : NULL;
}

/* Add a name to a list of them. */
static void
add_name(char *list, const char *name)
{
	size_t len = strlen(list);

	snprintf(list + len, NAMES_SIZE - len, "%s%s", len == 0 ? "" : ", ", name);
}

/* The arguments that a command takes, for a message. */
static const char *
list_args(const struct command *command, char *list)
{
	unsigned int i;

	list[0] = '\0';
	for (i = 0; i < RTE_DIM(known_args); i++) {
		if ((command->args & known_args[i].bit) != 0)
			add_name(list, known_args[i].name);
	}
	return list[0] == '\0' ? "none" : list;
}

static int
read_arg(const struct vswitch *sw, const struct command *command, const char *key,
		const json_t *value, struct control_args *args, char *why)
{
	struct text_quote quote;
	char list[NAMES_SIZE];
	const struct arg *arg;
	unsigned int i;

	for (i = 0; i < RTE_DIM(known_args); i++) {
		arg = &known_args[i];
		if ((command->args & arg->bit) == 0 || strcmp(arg->name, key) != 0)
			continue;
		if (arg->set(sw, value, args) == 0)
			return 0;
		return text_error(why, CONTROL_ERROR_SIZE, "argument '%s' is %s; allowed: %s", key,
				quote_value(&quote, value), arg->allowed);
	}
	return text_error(why, CONTROL_ERROR_SIZE, "unknown argument %s; allowed: %s",
			text_quote(&quote, key), list_args(command, list));
}

/* Refuse a request without something that the command needs. */
static int
check_needs(const struct command *command, const json_t *members, char *why)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(known_args); i++) {
		if ((command->needs & known_args[i].bit) == 0 ||
				json_object_get(members, known_args[i].name) != NULL)
			continue;
		return text_error(why, CONTROL_ERROR_SIZE, "no argument '%s'; allowed: %s",
				known_args[i].name, known_args[i].allowed);
	}
	return 0;
}

static int
read_args(const struct vswitch *sw, const struct command *command, json_t *members,
		struct control_args *args, char *why)
{
	struct text_quote quote;
	const char *key;
	json_t *value;
	int ret;

	if (members == NULL)
		return check_needs(command, NULL, why);
	if (!json_is_object(members))
		return text_error(why, CONTROL_ERROR_SIZE,
				"'args' is %s; allowed: {ARGUMENT: VALUE, ...}",
				quote_value(&quote, members));
	json_object_foreach(members, key, value)
	{
		ret = read_arg(sw, command, key, value, args, why);
		if (ret != 0)
			return ret;
	}
	return check_needs(command, members, why);
}

static const struct command *
find_command(const json_t *name, char *why)
{
	char list[NAMES_SIZE] = "";
	struct text_quote quote;
	unsigned int i;

	for (i = 0; i < RTE_DIM(commands); i++) {
		if (json_is_string(name) && strcmp(commands[i].name, json_string_value(name)) == 0)
			return &commands[i];
		add_name(list, commands[i].name);
	}
	if (name == NULL)
		text_error(why, CONTROL_ERROR_SIZE, "no member 'command'; allowed: %s", list);
	else
		text_error(why, CONTROL_ERROR_SIZE, "'command' is %s; allowed: %s",
				quote_value(&quote, name), list);
	return NULL;
}

static int
check_members(json_t *request, char *why)
{
	struct text_quote quote;
	const char *key;
	json_t *value;

	json_object_foreach(request, key, value)
	{
		if (strcmp(key, "command") != 0 && strcmp(key, "args") != 0)
			return text_error(why, CONTROL_ERROR_SIZE,
					"unknown member %s; allowed: command, args",
					text_quote(&quote, key));
	}
	return 0;
}

/* NULL without a reason in `why`: there was no memory. */
static json_t *
run_request(struct vswitch *sw, struct control_session *session, json_t *request, char *why)
{
	struct control_args args = {
		.bridge = -1,
		.direction = DIRECTION_BOTH,
		.snaplen = PROTOCOL_SNAPLEN_MAX,
		.session = session,
	};
	const struct command *command;

	if (check_members(request, why) != 0)
		return NULL;
	command = find_command(json_object_get(request, "command"), why);
	if (command == NULL ||
			read_args(sw, command, json_object_get(request, "args"), &args, why) != 0)
		return NULL;
	if (command->show != NULL)
		return command->show(sw, &args);
	return command->run != NULL ? command->run(sw) : command->change(sw, &args, why);
}

json_t *
control_refusal(const char *error)
{
	return json_pack("{s:b, s:s}", "ok", 0, "error", error);
}

json_t *
control_answer(struct vswitch *sw, struct control_session *session, const char *request, size_t len)
{
	char why[CONTROL_ERROR_SIZE] = "";
	json_t *root, *result = NULL;
	json_error_t error;

	root = json_loadb(request, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (root == NULL)
		text_error(why, sizeof(why),
				"no JSON from byte %d on; a request is "
				"{\"command\": NAME, \"args\": {...}}",
				error.position);
	else if (!json_is_object(root))
		text_error(why, sizeof(why),
				"no object of JSON; a request is "
				"{\"command\": NAME, \"args\": {...}}");
	else
		result = run_request(sw, session, root, why);
	json_decref(root);
	if (result != NULL)
		return json_pack("{s:b, s:o}", "ok", 1, "result", result);
	return why[0] == '\0' ? NULL : control_refusal(why);
}
