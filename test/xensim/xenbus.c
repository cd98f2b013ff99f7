/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* A domain's connection to xenstore: the ring of xen/io/xs_wire.h. */

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tool.h"
#include "xenbus.h"

static int
bus_listen(const char *dir, unsigned int domid)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%.*s/dom%u", TOOL_DIR_MAX, dir, domid);
	if (mkdir(addr.sun_path, 0700) != 0 && errno != EEXIST)
		return -errno;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%.*s/dom%u/xenstored", TOOL_DIR_MAX, dir,
			domid);
	unlink(addr.sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0 || listen(fd, 64) != 0) {
		close(fd);
		return -errno;
	}
	return fd;
}

/* Ring page and port as the toolstack makes them for a new domain. */
struct bus *
bus_open(const char *dir, unsigned int domid)
{
	struct bus *bus = calloc(1, sizeof(*bus));

	if (bus == NULL)
		return NULL;
	bus->domid = domid;
	bus->listen_fd = -1;
	xensim_set_domid((int)domid);
	bus->shr = xengntshr_open(NULL, 0);
	bus->xce = xenevtchn_open(NULL, 0);
	xensim_set_domid(0);
	if (bus->shr == NULL || bus->xce == NULL)
		goto fail;
	bus->ring = xengntshr_share_pages(bus->shr, 0, 1, &bus->gref, 1);
	bus->port = xenevtchn_bind_unbound_port(bus->xce, 0);
	if (bus->ring == NULL || bus->port < 0)
		goto fail;
	if (domid != 0) {
		bus->listen_fd = bus_listen(dir, domid);
		if (bus->listen_fd < 0)
			goto fail;
	}
	return bus;
fail:
	bus_close(bus, dir);
	return NULL;
}

void
bus_close(struct bus *bus, const char *dir)
{
	struct bus_client *client;
	char path[PATH_MAX];

	for (client = bus->clients; client != NULL; client = client->next)
		client->gone = true;
	clients_sweep(bus);
	while (bus->requests != NULL) {
		struct bus_request *request = bus->requests;

		bus->requests = request->next;
		free(request);
	}
	if (bus->listen_fd >= 0) {
		close(bus->listen_fd);
		unlink(path_of(path, sizeof(path), "%s/dom%u/xenstored", dir, bus->domid));
		rmdir(path_of(path, sizeof(path), "%s/dom%u", dir, bus->domid));
	}
	if (bus->xce != NULL)
		xenevtchn_close(bus->xce);
	if (bus->shr != NULL)
		xengntshr_close(bus->shr);
	bytes_free(&bus->in);
	bytes_free(&bus->out);
	free(bus);
}

/* Move what fits into the ring's request half. */
static bool
ring_send(struct bus *bus)
{
	struct xenstore_domain_interface *ring = bus->ring;
	uint32_t cons, prod, room, i, n = 0;

	cons = __atomic_load_n(&ring->req_cons, __ATOMIC_ACQUIRE);
	prod = ring->req_prod;
	room = XENSTORE_RING_SIZE - (prod - cons);
	if (room > XENSTORE_RING_SIZE)
		return false;
	n = bytes_left(&bus->out) < room ? (uint32_t)bytes_left(&bus->out) : room;
	for (i = 0; i < n; i++)
		ring->req[MASK_XENSTORE_IDX(prod + i)] = bus->out.data[bus->out.off + i];
	__atomic_store_n(&ring->req_prod, prod + n, __ATOMIC_RELEASE);
	bytes_drop(&bus->out, n);
	return n > 0;
}

static bool
ring_receive(struct bus *bus)
{
	struct xenstore_domain_interface *ring = bus->ring;
	char buf[XENSTORE_RING_SIZE];
	uint32_t cons, prod, i;

	prod = __atomic_load_n(&ring->rsp_prod, __ATOMIC_ACQUIRE);
	cons = ring->rsp_cons;
	if (prod == cons || prod - cons > XENSTORE_RING_SIZE)
		return false;
	for (i = 0; i < prod - cons; i++)
		buf[i] = ring->rsp[MASK_XENSTORE_IDX(cons + i)];
	if (bytes_add(&bus->in, buf, prod - cons) != 0)
		return false;
	__atomic_store_n(&ring->rsp_cons, prod, __ATOMIC_RELEASE);
	return true;
}

static void
messages_dispatch(struct bus *bus)
{
	struct xsd_sockmsg msg;

	while (bytes_left(&bus->in) >= sizeof(msg)) {
		memcpy(&msg, bus->in.data + bus->in.off, sizeof(msg));
		if (bytes_left(&bus->in) < sizeof(msg) + msg.len)
			break;
		client_reply(bus, &msg, bus->in.data + bus->in.off + sizeof(msg));
		bytes_drop(&bus->in, sizeof(msg) + msg.len);
	}
}

/* Both directions until neither moves; the daemon is told of each change. */
void
bus_flush(struct bus *bus)
{
	bool moved;

	do {
		moved = ring_send(bus);
		moved |= ring_receive(bus);
		if (moved)
			xenevtchn_notify(bus->xce, (evtchn_port_t)bus->port);
		messages_dispatch(bus);
	} while (moved);
}

void
bus_event(struct bus *bus)
{
	struct pollfd pfd = { .fd = xenevtchn_fd(bus->xce), .events = POLLIN };
	int port;

	while (poll(&pfd, 1, 0) == 1) {
		port = xenevtchn_pending(bus->xce);
		if (port < 0)
			break;
		xenevtchn_unmask(bus->xce, (evtchn_port_t)port);
	}
	bus_flush(bus);
}
