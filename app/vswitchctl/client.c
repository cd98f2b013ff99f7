/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "../vswitch/protocol.h"
#include "client.h"

/* Where errors go instead. */
static char *error_text;
static size_t error_size;

void
client_errors_to(char *text, size_t size)
{
	error_text = text;
	error_size = size;
}

void
client_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (error_text != NULL) {
		vsnprintf(error_text, error_size, format, args);
	} else {
		fputs("xenvswitchctl: ", stderr);
		vfprintf(stderr, format, args);
		fputc('\n', stderr);
	}
	va_end(args);
}

static json_t *
fail(struct client *client, enum client_status status, const char *what, const char *why)
{
	client_error("%s: %s", what, why);
	client->status = status;
	return NULL;
}

static int
connect_to(const char *path)
{
	const struct timeval timeout = { .tv_sec = CLIENT_TIMEOUT_S };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, ret;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) != 0 ||
			setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) != 0 ||
			connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

static json_t *
check_version(struct client *client)
{
	json_t *version;

	version = client_request(client, PROTOCOL_COMMAND_VERSION, NULL);
	if (version == NULL)
		return NULL;
	if (json_integer_value(json_object_get(version, "protocol")) == PROTOCOL_VERSION)
		return version;
	json_decref(version);
	return fail(client, CLIENT_NO_SWITCH, client->path,
			"the switch is of another version and has another protocol");
}

json_t *
client_open(struct client *client, const char *path)
{
	json_t *version;

	client->path = path;
	client->file = -1;
	client->fd = connect_to(path);
	if (client->fd < 0) {
		client_error("%s: %s; is dpdk-xenvswitch running?", path, strerror(-client->fd));
		client->status = CLIENT_NO_SWITCH;
		return NULL;
	}
	client->in = fdopen(client->fd, "r");
	if (client->in == NULL) {
		close(client->fd);
		return fail(client, CLIENT_NO_SWITCH, path, strerror(errno));
	}
	version = check_version(client);
	if (version == NULL)
		client_close(client);
	return version;
}

void
client_close(struct client *client)
{
	fclose(client->in);
}

/* Send a part of a line; the file goes with the first one. */
static ssize_t
send_part(struct client *client, const char *part, size_t len)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} files = { .header = { .cmsg_len = CMSG_LEN(sizeof(int)),
				    .cmsg_level = SOL_SOCKET,
				    .cmsg_type = SCM_RIGHTS } };
	struct iovec data = { .iov_base = (void *)(uintptr_t)part, .iov_len = len };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };
	ssize_t n;

	if (client->file >= 0) {
		message.msg_control = &files;
		message.msg_controllen = sizeof(files.room);
		memcpy(CMSG_DATA(&files.header), &client->file, sizeof(client->file));
	}
	n = sendmsg(client->fd, &message, MSG_NOSIGNAL);
	if (n >= 0)
		client->file = -1;
	return n;
}

/* A switch that has closed the connection may have said why before. */
static int
send_line(struct client *client, const char *line)
{
	size_t len = strlen(line), sent = 0;
	ssize_t n;

	while (sent < len) {
		n = send_part(client, line + sent, len - sent);
		if (n < 0 && errno != EPIPE && errno != ECONNRESET)
			return -errno;
		if (n < 0)
			return 0;
		sent += n;
	}
	return 0;
}

static int
send_request(struct client *client, const char *command, json_t *args)
{
	json_t *request;
	char *text, *line;
	int ret = -ENOMEM;

	request = json_pack("{s:s, s:o*}", "command", command, "args", args);
	text = json_dumps(request, JSON_COMPACT);
	json_decref(request);
	if (text == NULL)
		return -ENOMEM;
	if (asprintf(&line, "%s\n", text) >= 0) {
		ret = send_line(client, line);
		free(line);
	}
	free(text);
	return ret;
}

/* Read an answer. NULL: it is said why. */
static json_t *
read_answer(struct client *client)
{
	char *line = NULL;
	json_t *answer;
	size_t size = 0;

	errno = 0;
	if (getline(&line, &size, client->in) < 0) {
		free(line);
		return fail(client, CLIENT_NO_SWITCH, client->path,
				errno == EAGAIN ? "the switch does not answer" :
						errno == 0 || errno == ECONNRESET ?
						  "the switch has closed the connection" :
						  strerror(errno));
	}
	answer = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	free(line);
	if (answer == NULL)
		fail(client, CLIENT_NO_SWITCH, client->path, "the answer is no JSON");
	return answer;
}

int
client_send(struct client *client, const char *command, json_t *args)
{
	int ret;

	client->status = CLIENT_OK;
	ret = send_request(client, command, args);
	if (ret == 0)
		return 0;
	fail(client, CLIENT_NO_SWITCH, client->path, strerror(-ret));
	return -1;
}

json_t *
client_receive(struct client *client, const char *command)
{
	json_t *answer, *result;
	const char *error;

	answer = read_answer(client);
	if (answer == NULL)
		return NULL;
	error = json_string_value(json_object_get(answer, "error"));
	result = json_incref(json_object_get(answer, "result"));
	if (error != NULL)
		fail(client, CLIENT_REFUSED, command, error);
	else if (result == NULL)
		fail(client, CLIENT_NO_SWITCH, client->path, "the answer has no result");
	json_decref(answer);
	return result;
}

json_t *
client_request(struct client *client, const char *command, json_t *args)
{
	return client_send(client, command, args) == 0 ? client_receive(client, command) : NULL;
}

void
client_patient(struct client *client, bool patient)
{
	const struct timeval timeout = { .tv_sec = patient ? 0 : CLIENT_TIMEOUT_S };

	setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
}

json_t *
client_request_list(struct client *client, const char *command, json_t *args, const char *list)
{
	json_t *first = NULL, *part, *next;

	if (args == NULL)
		args = json_object();
	do {
		part = client_request(client, command, json_deep_copy(args));
		if (part == NULL)
			break;
		next = json_incref(json_object_get(part, "next"));
		if (next != NULL) {
			json_object_set_new(args, PROTOCOL_ARG_NEXT, next);
			json_object_del(part, "next");
		}
		if (first == NULL) {
			first = part;
			continue;
		}
		json_array_extend(json_object_get(first, list), json_object_get(part, list));
		json_decref(part);
	} while (next != NULL);
	json_decref(args);
	if (part == NULL) {
		json_decref(first);
		return NULL;
	}
	return first;
}
