/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <rte_common.h>

#include "control.h"
#include "control_command.h"
#include "protocol.h"
#include "vswitch.h"

/* Where the listening socket is among what is polled: behind the clients. */
#define LISTENER PROTOCOL_CLIENTS_MAX
#define SOCKET_MODE 0660
/* It says no more, whatever is left of what it has said. */
#define HANGS_UP (POLLRDHUP | POLLHUP | POLLERR)

#define TOO_LONG "the request is too long; allowed: " RTE_STR(PROTOCOL_REQUEST_MAX) " bytes"
#define TOO_MANY "there are too many clients; allowed: " RTE_STR(PROTOCOL_CLIENTS_MAX)
#define NO_MEMORY "{\"ok\":false,\"error\":\"the switch has no memory for the answer\"}"

/* A connection. While it has not taken its answer it is neither read from nor answered again. */
struct client {
	/* Negative: there is none. */
	int fd;
	/* It sends no more. */
	bool eof;
	/* What comes before the next newline belongs to a request that was too long. */
	bool skip;
	/* When it last sent or took something. */
	uint32_t active;
	size_t in_len;
	char in[PROTOCOL_REQUEST_MAX];
	/* NULL: it has taken all. */
	char *out;
	size_t out_len;
	size_t out_sent;
	struct control_session session;
	/* It says no more: known before all is read that it has said. */
	bool hung_up;
};

struct control {
	struct vswitch *sw;
	struct sockaddr_un address;
	int fd;
	/* There was no descriptor for another connection, in that second. */
	bool tired;
	uint32_t tired_at;
	struct client clients[PROTOCOL_CLIENTS_MAX];
};

static void
client_close(struct client *client)
{
	close(client->fd);
	client->fd = -1;
	free(client->out);
	client->out = NULL;
	if (client->session.file >= 0)
		close(client->session.file);
	if (client->session.capture != NULL)
		capture_leave(client->session.capture);
}

/* One that has a capture says nothing for long, and need not. */
static bool
client_stalled(const struct client *client, uint32_t now)
{
	if (client->session.capture != NULL && client->out == NULL)
		return false;
	return now - client->active >= PROTOCOL_STALLED_S;
}

static const char *
client_newline(const struct client *client)
{
	return memchr(client->in, '\n', client->in_len);
}

/* Send as much as it takes. */
static int
client_send(struct client *client, uint32_t now)
{
	ssize_t n;

	n = send(client->fd, client->out + client->out_sent, client->out_len - client->out_sent,
			MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	client->active = now;
	client->out_sent += n;
	if (client->out_sent == client->out_len) {
		free(client->out);
		client->out = NULL;
	}
	return 0;
}

/* Keep a file that has come: the last one. */
static void
client_take_file(struct client *client, struct msghdr *message)
{
	struct cmsghdr *part = CMSG_FIRSTHDR(message);

	if (part == NULL || part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
		return;
	if (client->session.file >= 0)
		close(client->session.file);
	memcpy(&client->session.file, CMSG_DATA(part), sizeof(client->session.file));
}

static int
client_receive(struct client *client, uint32_t now)
{
	union {
		struct cmsghdr align;
		/* One of them: more are closed by the kernel. */
		char room[CMSG_SPACE(sizeof(int))];
	} files;
	struct iovec data = {
		.iov_base = client->in + client->in_len,
		.iov_len = sizeof(client->in) - client->in_len,
	};
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &files,
		.msg_controllen = CMSG_LEN(sizeof(int)),
	};
	ssize_t n;

	n = recvmsg(client->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	client_take_file(client, &message);
	if (n == 0)
		client->eof = true;
	else
		client->active = now;
	client->in_len += n;
	return 0;
}

/* Make a line of an answer, which is freed. NULL: there is no memory even for saying so. */
static char *
answer_line(json_t *answer)
{
	char *text = NULL, *line;
	size_t len;

	if (answer != NULL)
		text = json_dumps(answer, JSON_COMPACT);
	json_decref(answer);
	if (text == NULL)
		text = strdup(NO_MEMORY);
	if (text == NULL)
		return NULL;
	len = strlen(text);
	line = realloc(text, len + sizeof("\n"));
	if (line == NULL)
		free(text);
	else
		memcpy(line + len, "\n", sizeof("\n"));
	return line;
}

static int
client_answer(struct client *client, json_t *answer)
{
	client->out = answer_line(answer);
	if (client->out == NULL)
		return -ENOMEM;
	client->out_len = strlen(client->out);
	client->out_sent = 0;
	return 0;
}

/* Drop what was received, up to the end. */
static void
client_consume(struct client *client, const char *end)
{
	client->in_len -= end - client->in;
	memmove(client->in, end, client->in_len);
}

/* Drop what belongs to a request that was too long. */
static void
client_skip(struct client *client)
{
	const char *newline = client_newline(client);

	client->skip = newline == NULL;
	client_consume(client, newline == NULL ? client->in + client->in_len : newline + 1);
}

/* Answer a request, if there is one. */
static int
client_request(struct vswitch *sw, struct client *client)
{
	const char *newline;
	json_t *answer;

	if (client->skip)
		client_skip(client);
	newline = client_newline(client);
	if (newline != NULL) {
		answer = control_answer(sw, &client->session, client->in, newline - client->in);
		client_consume(client, newline + 1);
		if (!client->session.waits)
			return client_answer(client, answer);
		json_decref(answer);
		return 0;
	}
	if (client->in_len < sizeof(client->in))
		return 0;
	client_skip(client);
	return client_answer(client, control_refusal(TOO_LONG));
}

/* Serve a client that may have something to say; one request at most, for others wait too. */
static int
client_serve(struct vswitch *sw, struct client *client, bool readable)
{
	int ret = 0;

	if (client->out != NULL)
		ret = client_send(client, sw->now);
	if (ret != 0 || client->out != NULL)
		return ret;
	if (readable && !client->eof && client->in_len < sizeof(client->in))
		ret = client_receive(client, sw->now);
	if (ret == 0 && !client->session.waits)
		ret = client_request(sw, client);
	if (ret == 0 && client->out != NULL)
		ret = client_send(client, sw->now);
	return ret;
}

/* See to a client's capture: it ends when the client says no more, and is told of then. */
static int
client_capture(struct client *client, bool hangs_up, uint32_t now)
{
	struct control_session *session = &client->session;
	int ret;

	client->hung_up |= hangs_up || client->eof;
	if (client->hung_up)
		capture_stop(session->capture, CAPTURE_END_CLIENT);
	if (!session->waits || client->out != NULL || !capture_ended(session->capture))
		return 0;
	ret = client_answer(client, control_capture_result(session->capture));
	session->waits = false;
	capture_leave(session->capture);
	session->capture = NULL;
	client->active = now;
	return ret == 0 ? client_send(client, now) : ret;
}

/* Is there something to be done for it, as soon as it takes what was sent? */
static bool
client_waits(const struct client *client)
{
	return client->out != NULL || client->session.waits || client_newline(client) != NULL;
}

/* It has been answered all, or does not take it. */
static bool
client_done(const struct client *client, uint32_t now)
{
	return client_waits(client) ? client_stalled(client, now) : client->eof;
}

static short
client_events(const struct client *client)
{
	if (client->out != NULL)
		return POLLOUT;
	/* What it says is not looked at before, only whether it goes on to do so. */
	if (client->session.waits)
		return POLLRDHUP;
	/* A request that waits needs nothing but its turn. */
	return client_newline(client) != NULL ? POLLIN | POLLOUT : POLLIN;
}

/* A place for another client: if there is no other, that of the one that is stalled longest. */
static struct client *
take_place(struct control *control)
{
	struct client *client, *silent = NULL;
	uint32_t now = control->sw->now;
	unsigned int i;

	for (i = 0; i < RTE_DIM(control->clients); i++) {
		client = &control->clients[i];
		if (client->fd < 0)
			return client;
		if (!client_stalled(client, now))
			continue;
		if (silent == NULL || now - client->active > now - silent->active)
			silent = client;
	}
	if (silent != NULL)
		client_close(silent);
	return silent;
}

static void
refuse(struct control *control, int fd)
{
	struct client client = { .fd = fd, .session.file = -1 };

	if (client_answer(&client, control_refusal(TOO_MANY)) == 0)
		client_send(&client, control->sw->now);
	client_close(&client);
}

static void
accept_client(struct control *control)
{
	struct client *client;
	int fd;

	fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) {
		control->tired = errno != EAGAIN && errno != EINTR && errno != ECONNABORTED;
		control->tired_at = control->sw->now;
		return;
	}
	client = take_place(control);
	if (client == NULL) {
		refuse(control, fd);
		return;
	}
	*client = (struct client){
		.fd = fd,
		.active = control->sw->now,
		.session.file = -1,
	};
}

unsigned int
control_poll(const struct control *control, struct pollfd *fds)
{
	const struct client *client;
	unsigned int i;

	/* poll() passes over what is negative. */
	for (i = 0; i < LISTENER; i++) {
		client = &control->clients[i];
		fds[i] = (struct pollfd){ .fd = client->fd };
		if (client->session.waits && client->hung_up && client->out == NULL)
			fds[i].fd = -1;
		if (client->fd >= 0)
			fds[i].events = client_events(client);
	}
	fds[LISTENER] = (struct pollfd){ .fd = control->fd, .events = POLLIN };
	if (control->tired && control->tired_at == control->sw->now)
		fds[LISTENER].fd = -1;
	return CONTROL_FDS_MAX;
}

void
control_serve(struct control *control, const struct pollfd *fds, unsigned int n)
{
	uint32_t now = control->sw->now;
	struct client *client;
	unsigned int i;
	int ret;

	for (i = 0; i < LISTENER && i < n; i++) {
		client = &control->clients[i];
		if (client->fd < 0)
			continue;
		ret = 0;
		if (fds[i].revents != 0)
			ret = client_serve(control->sw, client, (fds[i].revents & ~POLLOUT) != 0);
		if (ret == 0 && client->session.capture != NULL)
			ret = client_capture(client, (fds[i].revents & HANGS_UP) != 0, now);
		if (ret != 0 || client_done(client, now))
			client_close(client);
	}
	if (n > LISTENER && fds[LISTENER].revents != 0)
		accept_client(control);
}

/* Remove the socket of a process that is gone. */
static int
remove_stale(const struct sockaddr_un *address, int fd)
{
	struct stat st;

	if (lstat(address->sun_path, &st) != 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN)
		return -EADDRINUSE;
	if (errno != ECONNREFUSED && errno != ENOENT)
		return -errno;
	return unlink(address->sun_path) == 0 || errno == ENOENT ? 0 : -errno;
}

static int
open_socket(void)
{
	int fd;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return fd < 0 ? -errno : fd;
}

static int
probe(const struct sockaddr_un *address)
{
	int fd, ret;

	fd = open_socket();
	if (fd < 0)
		return fd;
	ret = remove_stale(address, fd);
	close(fd);
	return ret;
}

/* Its mode is never wider than it is to be. */
static int
start_listening(const struct sockaddr_un *address)
{
	int fd, ret;

	fd = open_socket();
	if (fd < 0)
		return fd;
	if (fchmod(fd, SOCKET_MODE) != 0 ||
			bind(fd, (const struct sockaddr *)address, sizeof(*address)) != 0) {
		ret = -errno;
		goto fail_close;
	}
	if (chmod(address->sun_path, SOCKET_MODE) != 0 || listen(fd, PROTOCOL_CLIENTS_MAX) != 0) {
		ret = -errno;
		goto fail_unlink;
	}
	return fd;

fail_unlink:
	unlink(address->sun_path);
fail_close:
	close(fd);
	return ret;
}

struct control *
control_open(struct vswitch *sw, const char *path)
{
	struct control *control;
	unsigned int i;
	int ret;

	RTE_BUILD_BUG_ON(CONTROL_FDS_MAX != LISTENER + 1);
	control = calloc(1, sizeof(*control));
	if (control == NULL)
		return NULL;
	control->sw = sw;
	control->address.sun_family = AF_UNIX;
	for (i = 0; i < RTE_DIM(control->clients); i++)
		control->clients[i].fd = -1;
	ret = -ENAMETOOLONG;
	if (strlen(path) >= sizeof(control->address.sun_path))
		goto fail;
	strcpy(control->address.sun_path, path);
	ret = probe(&control->address);
	if (ret != 0)
		goto fail;
	ret = start_listening(&control->address);
	if (ret < 0)
		goto fail;
	control->fd = ret;
	return control;

fail:
	free(control);
	errno = -ret;
	return NULL;
}

void
control_close(struct control *control)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(control->clients); i++) {
		if (control->clients[i].fd >= 0)
			client_close(&control->clients[i]);
	}
	close(control->fd);
	unlink(control->address.sun_path);
	free(control);
}
