/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>

#include "../vswitch/protocol.h"
#include "capture_client.h"
#include "show.h"

#define STDOUT "-"
#define FILE_MODE 0666

struct target {
	int fd;
	/* It was not there before. */
	bool made;
};

static void
ignore(int signal)
{
	(void)signal;
}

static enum client_status
fail(const char *path, const char *why)
{
	client_error(PROTOCOL_CAPTURE ": %s: %s", path, why);
	return CLIENT_REFUSED;
}

bool
capture_allowed(const char *path, bool json)
{
	if (strcmp(path, STDOUT) != 0)
		return true;
	if (isatty(STDOUT_FILENO)) {
		client_error("FILE '" STDOUT "' is a terminal; allowed: a file or a pipe");
		return false;
	}
	if (json)
		client_error("FILE '" STDOUT "' with --json; allowed: one of them");
	return !json;
}

/* The switch empties it, once it allows the capture. */
static enum client_status
open_target(const char *path, struct target *target)
{
	target->made = false;
	if (strcmp(path, STDOUT) != 0) {
		target->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
		target->made = target->fd >= 0;
		if (target->fd < 0 && errno == EEXIST)
			target->fd = open(path, O_WRONLY | O_CLOEXEC);
		return target->fd >= 0 ? CLIENT_OK : fail(path, strerror(errno));
	}
	target->fd = dup(STDOUT_FILENO);
	return target->fd >= 0 ? CLIENT_OK : fail(path, strerror(errno));
}

/* Wait for the answer. A first signal has the switch end the capture, a second one this program. */
static json_t *
wait_for_end(struct client *client)
{
	struct sigaction action = { .sa_handler = ignore, .sa_flags = SA_RESETHAND };
	struct pollfd fds = { .fd = client->fd, .events = POLLIN };
	sigset_t set, before;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &before);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (client_send(client, PROTOCOL_CAPTURE_WAIT, NULL) != 0)
		return NULL;
	fputs("capturing; end with Ctrl-C\n", stderr);
	client_patient(client, true);
	while (ppoll(&fds, 1, NULL, &before) < 0 && errno == EINTR) {
		client_patient(client, false);
		shutdown(client->fd, SHUT_WR);
		sigprocmask(SIG_SETMASK, &before, NULL);
	}
	return client_receive(client, PROTOCOL_CAPTURE_WAIT);
}

static enum client_status
show_end(const char *path, const json_t *result, bool json)
{
	const char *end = json_string_value(json_object_get(result, "end"));
	const char *error = json_string_value(json_object_get(result, "error"));

	fprintf(stderr,
			"%" JSON_INTEGER_FORMAT " packets captured, %" JSON_INTEGER_FORMAT
			" lost\n",
			json_integer_value(json_object_get(result, "packets")),
			json_integer_value(json_object_get(result, "lost")));
	if (json && show_json(result) != CLIENT_OK)
		return CLIENT_REFUSED;
	if (end != NULL && strcmp(end, PROTOCOL_END_PORT) == 0)
		fputs("the port is gone\n", stderr);
	if (end != NULL && strcmp(end, PROTOCOL_END_FILE) == 0)
		return fail(path, error != NULL ? error : "it cannot be written");
	return CLIENT_OK;
}

enum client_status
capture(struct client *client, const char *path, json_t *args, bool json)
{
	struct target target;
	enum client_status status = open_target(path, &target);
	json_t *result;

	if (status != CLIENT_OK) {
		json_decref(args);
		return status;
	}
	client->file = target.fd;
	result = client_request(client, PROTOCOL_CAPTURE, args);
	/* A reader of the pipe is to see its end. */
	close(target.fd);
	if (result == NULL) {
		if (target.made)
			unlink(path);
		return client->status;
	}
	json_decref(result);
	if (strcmp(path, STDOUT) == 0)
		close(STDOUT_FILENO);
	result = wait_for_end(client);
	if (result == NULL)
		return client->status;
	status = show_end(path, result, json);
	json_decref(result);
	return status;
}
