/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../vswitch/protocol.h"
#include "capture_client.h"
#include "client.h"
#include "doctor.h"
#include "show.h"

#define COMMAND_TOP "top"
#define COMMAND_DOCTOR "doctor"
#define COMMAND_SIZE 64
#define INTERVAL_MAX 3600
#define NUMBER_MAX 1000000000

#define DIM(array) (sizeof(array) / sizeof((array)[0]))

struct options {
	const char *socket;
	bool json;
	const char *port;
	const char *bridge;
	bool all;
	bool dry_run;
	unsigned int interval;
	unsigned int count;
	const char *config;
	const char *direction;
	unsigned int seconds;
	unsigned int snaplen;
	const char *to;
	bool off;
	/* What is behind the command's name. */
	char *const *words;
	int nb_words;
	/* Of the command to move a queue: its first word up to the dot, and the numbers. */
	size_t port_len;
	unsigned int queue;
	unsigned int lcore;
};

/* Options that only some commands take have capital letters. */
static const struct option long_options[] = {
	{ "socket", required_argument, NULL, 's' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'v' },
	{ "port", required_argument, NULL, 'P' },
	{ "bridge", required_argument, NULL, 'B' },
	{ "all", no_argument, NULL, 'A' },
	{ "interval", required_argument, NULL, 'I' },
	{ "count", required_argument, NULL, 'C' },
	{ "dry-run", no_argument, NULL, 'D' },
	{ "config", required_argument, NULL, 'F' },
	{ "direction", required_argument, NULL, 'R' },
	{ "seconds", required_argument, NULL, 'S' },
	{ "snaplen", required_argument, NULL, 'L' },
	{ "to", required_argument, NULL, 'T' },
	{ "off", no_argument, NULL, 'O' },
	{ NULL },
};

static void
usage(void)
{
	puts("Usage: xenvswitchctl [OPTION]... COMMAND\n"
	     "\n"
	     "Asks a running dpdk-xenvswitch, and has it do things.\n"
	     "\n"
	     "  show ports       the ports\n"
	     "  show macs        the addresses, and the ports that they are behind;\n"
	     "                   --port NAME, --bridge NAME: of these alone\n"
	     "  show bridges     the bridges, and their ports\n"
	     "  show lcores      the lcores, and the queues that they poll\n"
	     "  show stats       what each port has received, sent and lost\n"
	     "  show drops       why packets were lost; --port NAME: of that port;\n"
	     "                   --all: also the reasons for which none was\n"
	     "  top              packets, bytes and drops a second;\n"
	     "                   --interval SECONDS (default 1), --count TIMES (default: no end)\n"
	     "  show errors      vifs and ports that are not there, and why\n"
	     "  add port NAME KEY=VALUE...\n"
	     "                   add a port, by keys of [port NAME] of dpdk-xenvswitch.conf(5),\n"
	     "                   until the configuration is read again\n"
	     "  remove port NAME\n"
	     "                   remove an uplink or a tap; if the configuration has it then it\n"
	     "                   comes back when that is read again\n"
	     "  move PORT.QUEUE LCORE\n"
	     "                   have that lcore poll the queue\n"
	     "  rebalance        spread the load over the lcores; --dry-run: say how\n"
	     "  set rate PORT RATE|off\n"
	     "                   limit what a guest sends, such as 10Mb/s or 1GB/s@20ms\n"
	     "  capture FILE|-   write what comes in and goes out into a pcapng file, or a pipe;\n"
	     "                   --port NAME: of that port; --direction rx|tx|both (default);\n"
	     "                   --count PACKETS, --seconds SECONDS: end then;\n"
	     "                   --snaplen BYTES: of each packet (default: all)\n"
	     "  show captures    the captures, and how many packets they have and have lost\n"
	     "  mirror PORT --to PORT\n"
	     "                   have what comes in by a port and goes out go out by another one\n"
	     "                   as well; --direction rx|tx|both (default)\n"
	     "  mirror PORT --off\n"
	     "                   no more\n"
	     "  show mirrors     the ports that are mirrored\n"
	     "  doctor           look for what the switch lacks on this machine, and say how to\n"
	     "                   mend it; --config FILE (default: " DOCTOR_CONFIG ")\n"
	     "  reload           read the configuration again\n"
	     "  reset            set the counters to 0\n"
	     "  version          the versions of the switch\n"
	     "\n"
	     "  --socket PATH    of the switch (default: the variable XENVSWITCH_SOCKET, else\n"
	     "                   " PROTOCOL_SOCKET ")\n"
	     "  --json           print the result as JSON\n"
	     "  -h, --help       this text\n"
	     "  --version        the version of this program\n"
	     "\n"
	     "Exit status: 0; 1: the switch refuses it; 2: wrong use; 3: no switch to talk to.");
}

static void __attribute__((noreturn))
wrong_use(const char *what, const char *value, const char *allowed)
{
	client_error("%s '%s'; allowed: %s", what, value, allowed);
	exit(CLIENT_USAGE);
}

static unsigned int
read_number(const char *what, const char *text, unsigned int min, unsigned int max)
{
	unsigned long n;
	char allowed[48];
	char *end;

	n = strtoul(text, &end, 10);
	if (*text >= '0' && *text <= '9' && *end == '\0' && n >= min && n <= max)
		return n;
	snprintf(allowed, sizeof(allowed), "a number from %u to %u", min, max);
	wrong_use(what, text, allowed);
}

/* JSON has no other texts: what is none would be left out of a request. */
static const char *
read_text(const char *what, const char *text)
{
	json_t *string = json_string(text);

	if (string == NULL)
		wrong_use(what, text, "printable ASCII");
	json_decref(string);
	return text;
}

/* --- What can be said of a command's words and options without the switch --- */

static void
check_words(struct options *options)
{
	int i;

	for (i = 0; i < options->nb_words; i++)
		read_text("word", options->words[i]);
}

/* The name of a port may have dots, too. */
static void
check_move(struct options *options)
{
	const char *place = options->words[0], *dot = strrchr(place, '.');

	check_words(options);
	if (dot == NULL)
		wrong_use("PORT.QUEUE", place, "a port, a dot and the number of a queue");
	options->port_len = dot - place;
	options->queue = read_number("QUEUE", dot + 1, 0, NUMBER_MAX);
	options->lcore = read_number("LCORE", options->words[1], 0, NUMBER_MAX);
}

static void
check_mirror(struct options *options)
{
	check_words(options);
	if (options->off != (options->to != NULL) && !(options->off && options->direction != NULL))
		return;
	client_error("'" PROTOCOL_MIRROR "' takes either --to, maybe with --direction, or --off; "
		     "see --help");
	exit(CLIENT_USAGE);
}

static void
check_capture(struct options *options)
{
	if (!capture_allowed(options->words[0], options->json))
		exit(CLIENT_USAGE);
}

/* --- Commands --- */

static enum client_status
run_show(struct client *client, const char *command, const struct options *options)
{
	const struct view *view = show_view(command);
	enum client_status status;
	json_t *args, *result;

	args = json_pack("{s:s*, s:s*}", PROTOCOL_ARG_PORT, options->port, PROTOCOL_ARG_BRIDGE,
			options->bridge);
	if (options->all)
		json_object_set_new(args, PROTOCOL_ARG_ALL, json_true());
	result = client_request_list(client, command, args, view->list);
	if (result == NULL)
		return client->status;
	status = show_result(view, result, options->json);
	json_decref(result);
	return status;
}

static enum client_status
run_top(struct client *client, const char *command, const struct options *options)
{
	(void)command;
	return show_top(client, options->interval, options->count, options->json);
}

/* What is done, or refused. The arguments are taken. */
static enum client_status
run_with(struct client *client, const char *command, json_t *args, const struct options *options)
{
	json_t *result = client_request(client, command, args);
	enum client_status status = client->status;

	if (result != NULL && options->json)
		status = show_json(result);
	json_decref(result);
	return status;
}

static enum client_status
run_plain(struct client *client, const char *command, const struct options *options)
{
	return run_with(client, command, NULL, options);
}

static enum client_status
run_set_rate(struct client *client, const char *command, const struct options *options)
{
	return run_with(client, command,
			json_pack("{s:s, s:s}", PROTOCOL_ARG_PORT, options->words[0],
					PROTOCOL_ARG_RATE, options->words[1]),
			options);
}

/* What was moved, or would be, and how far the loads of the lcores are apart. */
static enum client_status
show_plan(const json_t *result)
{
	const char *what = json_is_true(json_object_get(result, "done")) ? "moved" : "to be moved";
	enum client_status status = CLIENT_OK;

	if (json_array_size(json_object_get(result, "moves")) == 0)
		what = "nothing to move";
	else
		status = show_result(show_view(PROTOCOL_REBALANCE), result, false);
	printf("%s: the loads of lcores are %d %% apart, and %d %% are expected\n", what,
			(int)json_integer_value(json_object_get(result, "spread")),
			(int)json_integer_value(json_object_get(result, "expected")));
	return status;
}

static enum client_status
run_rebalance(struct client *client, const char *command, const struct options *options)
{
	json_t *result = client_request(client, command,
			json_pack("{s:b}", PROTOCOL_ARG_DRY_RUN, options->dry_run));
	enum client_status status = client->status;

	if (result != NULL)
		status = options->json ? show_json(result) : show_plan(result);
	json_decref(result);
	return status;
}

static enum client_status
run_version(struct client *client, const char *command, const struct options *options)
{
	json_t *result = client_request(client, command, NULL);
	enum client_status status = client->status;
	const char *version, *dpdk;

	if (result != NULL && options->json) {
		status = show_json(result);
	} else if (result != NULL) {
		version = json_string_value(json_object_get(result, "version"));
		dpdk = json_string_value(json_object_get(result, "dpdk"));
		printf("dpdk-xenvswitch %s, with %s\n", version == NULL ? "?" : version,
				dpdk == NULL ? "?" : dpdk);
	}
	json_decref(result);
	return status;
}

static enum client_status
run_add_port(struct client *client, const char *command, const struct options *options)
{
	json_t *keys = json_array();
	int i;

	for (i = 1; i < options->nb_words; i++)
		json_array_append_new(keys, json_string(options->words[i]));
	return run_with(client, command,
			json_pack("{s:s, s:o}", PROTOCOL_ARG_NAME, options->words[0],
					PROTOCOL_ARG_KEYS, keys),
			options);
}

static enum client_status
run_remove_port(struct client *client, const char *command, const struct options *options)
{
	return run_with(client, command, json_pack("{s:s}", PROTOCOL_ARG_NAME, options->words[0]),
			options);
}

static enum client_status
run_move(struct client *client, const char *command, const struct options *options)
{
	return run_with(client, command,
			json_pack("{s:s%, s:i, s:i}", PROTOCOL_ARG_PORT, options->words[0],
					options->port_len, PROTOCOL_ARG_QUEUE, options->queue,
					PROTOCOL_ARG_LCORE, options->lcore),
			options);
}

/* An argument that is left out where it is 0. */
static void
set_limit(json_t *args, const char *name, unsigned int limit)
{
	if (limit != 0)
		json_object_set_new(args, name, json_integer(limit));
}

static enum client_status
run_capture(struct client *client, const char *command, const struct options *options)
{
	json_t *args = json_pack("{s:s*, s:s*}", PROTOCOL_ARG_PORT, options->port,
			PROTOCOL_ARG_DIRECTION, options->direction);

	(void)command;
	set_limit(args, PROTOCOL_ARG_COUNT, options->count);
	set_limit(args, PROTOCOL_ARG_SECONDS, options->seconds);
	set_limit(args, PROTOCOL_ARG_SNAPLEN, options->snaplen);
	return capture(client, options->words[0], args, options->json);
}

static enum client_status
run_mirror(struct client *client, const char *command, const struct options *options)
{
	return run_with(client, command,
			options->off ? json_pack("{s:s, s:b}", PROTOCOL_ARG_PORT, options->words[0],
						       PROTOCOL_ARG_OFF, 1) :
				       json_pack("{s:s, s:s, s:s*}", PROTOCOL_ARG_PORT,
						       options->words[0], PROTOCOL_ARG_TO,
						       options->to, PROTOCOL_ARG_DIRECTION,
						       options->direction),
			options);
}

static const struct command {
	const char *name;
	/* Letters of its options. */
	const char *takes;
	/* NULL: it is no command of the switch. */
	enum client_status (*run)(struct client *client, const char *command,
			const struct options *options);
	/* What has to be behind its name, how many words that are, and whether more may be. */
	const char *words;
	int nb_words;
	bool more;
	/* Ends the program if they are wrong; NULL: no more can be wrong. */
	void (*check)(struct options *options);
} commands[] = {
	{ PROTOCOL_SHOW_PORTS, "", run_show },
	{ PROTOCOL_SHOW_MACS, "PB", run_show },
	{ PROTOCOL_SHOW_BRIDGES, "", run_show },
	{ PROTOCOL_SHOW_LCORES, "", run_show },
	{ PROTOCOL_SHOW_STATS, "", run_show },
	{ PROTOCOL_SHOW_DROPS, "PA", run_show },
	{ PROTOCOL_SHOW_ERRORS, "", run_show },
	{ COMMAND_TOP, "IC", run_top },
	{ PROTOCOL_MOVE, "", run_move, "PORT.QUEUE LCORE", 2, .check = check_move },
	{ PROTOCOL_REBALANCE, "D", run_rebalance },
	{ PROTOCOL_SET_RATE, "", run_set_rate, "PORT RATE|off", 2, .check = check_words },
	{ PROTOCOL_CAPTURE, "PRCSL", run_capture, "FILE|-", 1, .check = check_capture },
	{ PROTOCOL_SHOW_CAPTURES, "", run_show },
	{ PROTOCOL_MIRROR, "TRO", run_mirror, "PORT", 1, .check = check_mirror },
	{ PROTOCOL_SHOW_MIRRORS, "", run_show },
	{ PROTOCOL_ADD_PORT, "", run_add_port, "NAME KEY=VALUE...", 2, true, check_words },
	{ PROTOCOL_REMOVE_PORT, "", run_remove_port, "NAME", 1, .check = check_words },
	{ COMMAND_DOCTOR, "F", NULL },
	{ PROTOCOL_RELOAD, "", run_plain },
	{ PROTOCOL_RESET, "", run_plain },
	{ PROTOCOL_COMMAND_VERSION, "", run_version },
};

static void
take_option(struct options *options, int letter)
{
	switch (letter) {
	case 's':
		options->socket = optarg;
		break;
	case 'j':
		options->json = true;
		break;
	case 'P':
		options->port = read_text("--port", optarg);
		break;
	case 'B':
		options->bridge = read_text("--bridge", optarg);
		break;
	case 'A':
		options->all = true;
		break;
	case 'I':
		options->interval = read_number("--interval", optarg, 1, INTERVAL_MAX);
		break;
	case 'C':
		options->count = read_number("--count", optarg, 1, NUMBER_MAX);
		break;
	case 'D':
		options->dry_run = true;
		break;
	case 'F':
		options->config = optarg;
		break;
	case 'R':
		options->direction = read_text("--direction", optarg);
		break;
	case 'S':
		options->seconds = read_number("--seconds", optarg, 1, PROTOCOL_SECONDS_MAX);
		break;
	case 'L':
		options->snaplen = read_number("--snaplen", optarg, PROTOCOL_SNAPLEN_MIN,
				PROTOCOL_SNAPLEN_MAX);
		break;
	case 'T':
		options->to = read_text("--to", optarg);
		break;
	case 'O':
		options->off = true;
		break;
	case 'h':
		usage();
		exit(CLIENT_OK);
	case 'v':
		puts("xenvswitchctl " XENVIF_VERSION);
		exit(CLIENT_OK);
	}
}

/* How many words of the line the name is; 0: it is another one. */
static int
match_name(const char *name, char *const *words, int n)
{
	size_t len;
	int w;

	for (w = 0; w < n; w++) {
		len = strlen(words[w]);
		if (strncmp(name, words[w], len) != 0 || (name[len] != ' ' && name[len] != '\0'))
			return 0;
		if (name[len] == '\0')
			return w + 1;
		name += len + 1;
	}
	return 0;
}

static void __attribute__((noreturn)) unknown_command(char *const *words, int n)
{
	char name[COMMAND_SIZE] = "", all[512] = "";
	size_t i, len = 0;
	int w;

	for (w = 0; w < n && len < sizeof(name); w++)
		len += snprintf(name + len, sizeof(name) - len, "%s%s", w == 0 ? "" : " ",
				words[w]);
	for (i = 0, len = 0; i < DIM(commands); i++)
		len += snprintf(all + len, sizeof(all) - len, "%s%s", i == 0 ? "" : ", ",
				commands[i].name);
	wrong_use("command", name, all);
}

static const struct command *
find_command(char *const *words, int n, struct options *options)
{
	const struct command *command;
	int matched = 0;
	size_t i;

	for (i = 0; i < DIM(commands) && matched == 0; i++)
		matched = match_name(commands[i].name, words, n);
	if (matched == 0)
		unknown_command(words, n);
	command = &commands[i - 1];
	options->words = words + matched;
	options->nb_words = n - matched;
	if (n - matched == command->nb_words || (command->more && n - matched > command->nb_words))
		return command;
	n -= matched;
	client_error("'%s' has %d word%s behind it; allowed: %s", command->name, n,
			n == 1 ? "" : "s", command->words == NULL ? "none" : command->words);
	exit(CLIENT_USAGE);
}

/* Refuse options that the command does not take, of the letters that were given. */
static void
check_options(const struct command *command, const char *given)
{
	const struct option *option;

	for (option = long_options; option->name != NULL; option++) {
		if (option->val >= 'a' || strchr(given, option->val) == NULL ||
				strchr(command->takes, option->val) != NULL)
			continue;
		client_error("'%s' takes no --%s; see --help", command->name, option->name);
		exit(CLIENT_USAGE);
	}
}

static const struct command *
parse(int argc, char **argv, struct options *options)
{
	const struct command *command;
	char given[DIM(long_options) + 1] = "";
	const char *word;
	size_t n = 0;
	int letter;

	while ((letter = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
		if (letter == ':' || letter == '?') {
			word = argv[optind - 1];
			client_error("'%s': %s; see --help", word,
					letter == ':' ? "a value has to follow" :
							optopt != 0 && strchr(word, '=') != NULL ?
							"takes no value" :
							"is no option");
			exit(CLIENT_USAGE);
		}
		take_option(options, letter);
		if (strchr(given, letter) == NULL)
			given[n++] = letter;
	}
	command = find_command(argv + optind, argc - optind, options);
	check_options(command, given);
	if (command->check != NULL)
		command->check(options);
	return command;
}

static enum client_status
run_command(const struct command *command, const struct options *options)
{
	enum client_status status;
	struct client client;
	json_t *version;

	version = client_open(&client, options->socket != NULL ? options->socket : PROTOCOL_SOCKET);
	if (version == NULL)
		return client.status;
	json_decref(version);
	status = command->run(&client, command->name, options);
	client_close(&client);
	return status;
}

int
main(int argc, char **argv)
{
	const char *socket = getenv("XENVSWITCH_SOCKET");
	struct options options = { .interval = 1, .config = DOCTOR_CONFIG };
	const struct command *command;
	enum client_status status;

	options.socket = socket != NULL && *socket != '\0' ? socket : NULL;
	command = parse(argc, argv, &options);
	if (command->run == NULL)
		status = doctor(options.socket, options.config, options.json);
	else
		status = run_command(command, &options);
	if (fflush(stdout) != 0 || ferror(stdout) != 0) {
		client_error("standard output cannot be written");
		return status == CLIENT_OK ? CLIENT_REFUSED : status;
	}
	return status;
}
