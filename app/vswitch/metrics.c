/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include <microhttpd.h>
#include <rte_common.h>

#include "address.h"
#include "metrics.h"
#include "vswitch.h"

/* Of a connection: its request and the head of the answer, but not the text. */
#define CONNECTION_MEMORY 8192
#define BACKLOG 16
#define CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* A connection; its place is free without one. */
struct place {
	struct MHD_Connection *connection;
	uint32_t since;
	bool late;
};

struct metrics {
	const struct vswitch *sw;
	struct MHD_Daemon *daemon;
	struct place places[METRICS_CLIENTS_MAX];
};

static enum MHD_Result
answer(struct MHD_Connection *connection, unsigned int status, struct MHD_Response *response)
{
	enum MHD_Result ret;

	if (response == NULL)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	ret = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return ret;
}

static enum MHD_Result
answer_metrics(const struct metrics *metrics, struct MHD_Connection *connection)
{
	struct MHD_Response *response;
	struct snapshot snapshot;
	size_t len = 0;
	char *text;

	snapshot_take(metrics->sw, &snapshot);
	text = metrics_text(&snapshot, &len);
	if (text == NULL)
		return MHD_NO;
	response = MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE);
	if (response == NULL) {
		free(text);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, CONTENT_TYPE);
	return answer(connection, MHD_HTTP_OK, response);
}

static enum MHD_Result
answer_wrong(struct MHD_Connection *connection, unsigned int status)
{
	static char nothing[1];
	struct MHD_Response *response;

	response = MHD_create_response_from_buffer(0, nothing, MHD_RESPMEM_PERSISTENT);
	if (response != NULL && status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	return answer(connection, status, response);
}

/* A request whose head is there; a body is not waited for. */
static enum MHD_Result
handle(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
		const char *version __rte_unused, const char *body __rte_unused,
		size_t *size __rte_unused, void **context __rte_unused)
{
	if (strcmp(url, "/metrics") != 0)
		return answer_wrong(connection, MHD_HTTP_NOT_FOUND);
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return answer_wrong(connection, MHD_HTTP_METHOD_NOT_ALLOWED);
	return answer_metrics(arg, connection);
}

/* A connection has come or gone. */
static void
note(void *arg, struct MHD_Connection *connection, void **context __rte_unused,
		enum MHD_ConnectionNotificationCode what)
{
	struct MHD_Connection *old = what == MHD_CONNECTION_NOTIFY_STARTED ? NULL : connection;
	struct metrics *metrics = arg;
	struct place *place;
	unsigned int i;

	for (i = 0; i < METRICS_CLIENTS_MAX; i++) {
		place = &metrics->places[i];
		if (place->connection != old)
			continue;
		*place = (struct place){ .since = metrics->sw->now };
		place->connection = old == NULL ? connection : NULL;
		return;
	}
}

/* MHD's own timeout begins anew with each byte; one that is shut down it closes. */
static void
end_late(struct metrics *metrics)
{
	const union MHD_ConnectionInfo *info;
	struct place *place;
	unsigned int i;

	for (i = 0; i < METRICS_CLIENTS_MAX; i++) {
		place = &metrics->places[i];
		if (place->connection == NULL || place->late ||
				metrics->sw->now - place->since < METRICS_TIMEOUT_S)
			continue;
		info = MHD_get_connection_info(place->connection,
				MHD_CONNECTION_INFO_CONNECTION_FD);
		if (info != NULL)
			shutdown(info->connect_fd, SHUT_RDWR);
		place->late = true;
	}
}

static int
start_listening(const char *text)
{
	struct sockaddr_storage address;
	int len = address_parse(text, &address), one = 1, fd, ret;

	if (len < 0)
		return len;
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* After a restart connections of the last switch may linger. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (address.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, (const struct sockaddr *)&address, len) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

struct metrics *
metrics_open(const struct vswitch *sw, const char *address)
{
	struct metrics *metrics = calloc(1, sizeof(*metrics));
	int fd;

	if (metrics == NULL)
		return NULL;
	metrics->sw = sw;
	fd = start_listening(address);
	if (fd < 0) {
		free(metrics);
		errno = -fd;
		return NULL;
	}
	/* Without a thread of its own. */
	metrics->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, handle, metrics,
			MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
			(unsigned int)METRICS_CLIENTS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
			(unsigned int)METRICS_TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
			(size_t)CONNECTION_MEMORY, MHD_OPTION_NOTIFY_CONNECTION, note, metrics,
			MHD_OPTION_END);
	if (metrics->daemon == NULL) {
		close(fd);
		free(metrics);
		errno = ENOMEM;
		return NULL;
	}
	return metrics;
}

void
metrics_close(struct metrics *metrics)
{
	if (metrics == NULL)
		return;
	MHD_stop_daemon(metrics->daemon);
	free(metrics);
}

void
metrics_serve(struct metrics *metrics)
{
	if (metrics == NULL)
		return;
	end_late(metrics);
	MHD_run(metrics->daemon);
}
