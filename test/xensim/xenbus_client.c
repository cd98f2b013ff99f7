/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* The programs of a domain: they speak the wire protocol of xen/io/xs_wire.h on a Unix socket;
 * their request ids, watch tokens and transactions are kept apart on the domain's connection.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "xenbus.h"

static void
send_to_client(struct bus_client *client, uint32_t type, uint32_t id, uint32_t tx, const void *body,
		size_t len)
{
	struct xsd_sockmsg msg = { .type = type, .req_id = id, .tx_id = tx, .len = (uint32_t)len };

	if (client->gone)
		return;
	if (bytes_left(&client->out) + len > BUS_BACKLOG_MAX ||
			bytes_add(&client->out, &msg, sizeof(msg)) != 0 ||
			bytes_add(&client->out, body, len) != 0)
		client->gone = true;
}

static void
send_error(struct bus_client *client, const struct xsd_sockmsg *msg, const char *error)
{
	send_to_client(client, XS_ERROR, msg->req_id, msg->tx_id, error, strlen(error) + 1);
}

/* Put a request on the domain's connection, under an id of its own. */
static struct bus_request *
forward(struct bus *bus, struct bus_client *client, const struct xsd_sockmsg *from,
		const void *body, size_t len)
{
	struct xsd_sockmsg msg = *from;
	struct bus_request *request = calloc(1, sizeof(*request));

	if (request == NULL)
		return NULL;
	request->id = ++bus->next_id;
	request->client = client;
	request->client_id = from->req_id;
	request->type = from->type;
	request->tx = from->tx_id;
	msg.req_id = request->id;
	msg.len = (uint32_t)len;
	if (bytes_add(&bus->out, &msg, sizeof(msg)) != 0 || bytes_add(&bus->out, body, len) != 0) {
		free(request);
		return NULL;
	}
	request->next = bus->requests;
	bus->requests = request;
	return request;
}

static int
tx_find(const struct bus_client *client, uint32_t tx)
{
	unsigned int i;

	for (i = 0; i < client->n_txs; i++)
		if (client->txs[i] == tx)
			return (int)i;
	return -1;
}

static void
tx_add(struct bus_client *client, uint32_t tx)
{
	uint32_t *txs = realloc(client->txs, (client->n_txs + 1) * sizeof(*txs));

	if (txs == NULL) {
		client->gone = true;
		return;
	}
	client->txs = txs;
	client->txs[client->n_txs++] = tx;
}

static void
tx_remove(struct bus_client *client, uint32_t tx)
{
	int i = tx_find(client, tx);

	if (i >= 0)
		client->txs[i] = client->txs[--client->n_txs];
}

/* Two strings, each with its end, and nothing behind. */
static bool
two_strings(const char *body, size_t len, const char **second)
{
	const char *end = memchr(body, '\0', len);

	if (end == NULL || end + 1 == body + len || body[len - 1] != '\0')
		return false;
	*second = end + 1;
	return strlen(*second) + 1 == (size_t)(body + len - *second);
}

static void
watch_forward(struct bus *bus, struct bus_client *client, const struct xsd_sockmsg *msg,
		const struct bus_watch *watch)
{
	char body[XENSTORE_PAYLOAD_MAX + 16];
	struct bus_request *request;
	int len;

	len = snprintf(body, sizeof(body), "%s%c%u", watch->path, '\0', watch->id);
	request = forward(bus, client, msg, body, (size_t)len + 1);
	if (request != NULL && msg->type == XS_WATCH)
		request->watch = watch->id;
}

static void
watch_free(struct bus *bus, uint32_t id)
{
	struct bus_watch **prev, *watch;

	for (prev = &bus->watches; *prev != NULL; prev = &(*prev)->next) {
		watch = *prev;
		if (watch->id != id)
			continue;
		*prev = watch->next;
		free(watch->path);
		free(watch->token);
		free(watch);
		return;
	}
}

static struct bus_watch *
watch_find(struct bus *bus, const struct bus_client *client, const char *path, const char *token)
{
	struct bus_watch *watch;

	for (watch = bus->watches; watch != NULL; watch = watch->next)
		if (watch->client == client && strcmp(watch->path, path) == 0 &&
				strcmp(watch->token, token) == 0)
			break;
	return watch;
}

static void
handle_watch(struct bus *bus, struct bus_client *client, const struct xsd_sockmsg *msg,
		const char *path)
{
	struct bus_watch *watch;
	const char *token;

	if (!two_strings(path, msg->len, &token)) {
		send_error(client, msg, "EINVAL");
		return;
	}
	if (watch_find(bus, client, path, token) != NULL) {
		send_error(client, msg, "EEXIST");
		return;
	}
	watch = calloc(1, sizeof(*watch));
	if (watch == NULL) {
		send_error(client, msg, "ENOMEM");
		return;
	}
	watch->client = client;
	watch->id = ++bus->next_id;
	watch->path = strdup(path);
	watch->token = strdup(token);
	watch->next = bus->watches;
	bus->watches = watch;
	watch_forward(bus, client, msg, watch);
}

static void
handle_unwatch(struct bus *bus, struct bus_client *client, const struct xsd_sockmsg *msg,
		const char *path)
{
	struct bus_watch *watch;
	const char *token;

	if (!two_strings(path, msg->len, &token)) {
		send_error(client, msg, "EINVAL");
		return;
	}
	watch = watch_find(bus, client, path, token);
	if (watch == NULL) {
		send_error(client, msg, "ENOENT");
		return;
	}
	watch_forward(bus, client, msg, watch);
	watch_free(bus, watch->id);
}

static void
watches_drop(struct bus *bus, struct bus_client *client)
{
	const struct xsd_sockmsg unwatch = { .type = XS_UNWATCH };
	struct bus_watch *watch, *next;

	for (watch = bus->watches; watch != NULL; watch = next) {
		next = watch->next;
		if (watch->client != client)
			continue;
		watch_forward(bus, NULL, &unwatch, watch);
		watch_free(bus, watch->id);
	}
}

static void
handle_request(struct bus *bus, struct bus_client *client, const struct xsd_sockmsg *msg,
		const char *body)
{
	switch (msg->type) {
	case XS_WATCH:
		handle_watch(bus, client, msg, body);
		return;
	case XS_UNWATCH:
		handle_unwatch(bus, client, msg, body);
		return;
	case XS_RESET_WATCHES:
		/* The connection is not this program's alone: only its own watches go. */
		watches_drop(bus, client);
		send_to_client(client, msg->type, msg->req_id, 0, "OK", 3);
		return;
	case XS_TRANSACTION_START:
		break;
	default:
		if (msg->tx_id != 0 && tx_find(client, msg->tx_id) < 0) {
			send_error(client, msg, "ENOENT");
			return;
		}
	}
	if (forward(bus, client, msg, body, msg->len) == NULL)
		send_error(client, msg, "ENOMEM");
}

void
client_read(struct bus *bus, struct bus_client *client)
{
	struct xsd_sockmsg msg;
	char buf[BUS_MESSAGE_MAX];
	ssize_t len;

	len = recv(client->fd, buf, sizeof(buf), MSG_DONTWAIT);
	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (len <= 0 || bytes_add(&client->in, buf, (size_t)len) != 0) {
		client->gone = true;
		return;
	}
	while (!client->gone && bytes_left(&client->in) >= sizeof(msg)) {
		memcpy(&msg, client->in.data + client->in.off, sizeof(msg));
		if (msg.len > XENSTORE_PAYLOAD_MAX) {
			client->gone = true;
			return;
		}
		if (bytes_left(&client->in) < sizeof(msg) + msg.len)
			return;
		handle_request(bus, client, &msg, client->in.data + client->in.off + sizeof(msg));
		bytes_drop(&client->in, sizeof(msg) + msg.len);
	}
}

void
client_write(struct bus_client *client)
{
	ssize_t len;

	while (!client->gone && bytes_left(&client->out) > 0) {
		len = send(client->fd, client->out.data + client->out.off, bytes_left(&client->out),
				MSG_DONTWAIT | MSG_NOSIGNAL);
		if (len < 0 && errno == EAGAIN)
			return;
		if (len < 0 && errno != EINTR)
			client->gone = true;
		else if (len > 0)
			bytes_drop(&client->out, (size_t)len);
	}
}

void
client_accept(struct bus *bus)
{
	struct bus_client *client;
	int fd;

	fd = accept4(bus->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return;
	client = calloc(1, sizeof(*client));
	if (client == NULL) {
		close(fd);
		return;
	}
	client->fd = fd;
	client->next = bus->clients;
	bus->clients = client;
}

/* What a program leaves behind when it goes: as the kernel does at close of /dev/xen/xenbus. */
static void
client_forget(struct bus *bus, struct bus_client *client)
{
	struct bus_request *request;
	unsigned int i;

	watches_drop(bus, client);
	for (i = 0; i < client->n_txs; i++) {
		const struct xsd_sockmsg end = {
			.type = XS_TRANSACTION_END,
			.tx_id = client->txs[i],
		};

		forward(bus, NULL, &end, "F", 2);
	}
	for (request = bus->requests; request != NULL; request = request->next)
		if (request->client == client)
			request->client = NULL;
	close(client->fd);
	bytes_free(&client->in);
	bytes_free(&client->out);
	free(client->txs);
	free(client);
}

void
clients_sweep(struct bus *bus)
{
	struct bus_client **prev = &bus->clients, *client;

	while (*prev != NULL) {
		client = *prev;
		if (!client->gone) {
			prev = &client->next;
			continue;
		}
		*prev = client->next;
		client_forget(bus, client);
	}
}

static void
watch_event(struct bus *bus, const struct xsd_sockmsg *msg, const char *path)
{
	char body[XENSTORE_PAYLOAD_MAX * 2];
	struct bus_watch *watch;
	const char *token;
	uint32_t id;
	int len;

	if (!two_strings(path, msg->len, &token))
		return;
	id = (uint32_t)strtoul(token, NULL, 10);
	for (watch = bus->watches; watch != NULL && watch->id != id; watch = watch->next)
		;
	if (watch == NULL)
		return;
	len = snprintf(body, sizeof(body), "%s%c%s", path, '\0', watch->token);
	send_to_client(watch->client, XS_WATCH_EVENT, 0, 0, body, (size_t)len + 1);
}

static void
reply_transactions(struct bus *bus, const struct bus_request *request,
		const struct xsd_sockmsg *msg, const char *body)
{
	struct xsd_sockmsg end = { .type = XS_TRANSACTION_END };
	char text[16] = "";

	if (request->type == XS_TRANSACTION_END && request->client != NULL)
		tx_remove(request->client, request->tx);
	if (request->type != XS_TRANSACTION_START || msg->type == XS_ERROR)
		return;
	memcpy(text, body, msg->len < sizeof(text) ? msg->len : sizeof(text) - 1);
	end.tx_id = (uint32_t)strtoul(text, NULL, 10);
	if (request->client != NULL)
		tx_add(request->client, end.tx_id);
	else
		forward(bus, NULL, &end, "F", 2);
}

/* A message of the daemon's: an event, or the reply to a request made before. */
void
client_reply(struct bus *bus, const struct xsd_sockmsg *msg, const char *body)
{
	struct bus_request **prev, *request;

	if (msg->type == XS_WATCH_EVENT) {
		watch_event(bus, msg, body);
		return;
	}
	for (prev = &bus->requests; *prev != NULL; prev = &(*prev)->next)
		if ((*prev)->id == msg->req_id)
			break;
	request = *prev;
	if (request == NULL)
		return;
	*prev = request->next;
	reply_transactions(bus, request, msg, body);
	if (request->watch != 0 && msg->type == XS_ERROR)
		watch_free(bus, request->watch);
	if (request->client != NULL)
		send_to_client(request->client, msg->type, request->client_id, msg->tx_id, body,
				msg->len);
	free(request);
}
