/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* The machine's daemon: runs oxenstored, is every guest kernel's xenbus driver, takes requests of
 * the tool.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool.h"
#include "xenbus.h"

/* `start` listens here for us to be ready. */
#define READY_FD 3

struct daemon {
	const char *dir;
	int control_fd;
	int signal_fd;
	int asker; /* to be told when all is removed */
	pid_t xenstored;
	bool stop;
	struct bus *buses;
	struct pollfd *pfds;
	unsigned int n_pfds;
};

static int
control_listen(const char *dir)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%.*s/control", TOOL_DIR_MAX, dir);
	unlink(addr.sun_path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0 || listen(fd, 64) != 0)
		return -errno;
	return fd;
}

static struct bus *
bus_find(struct daemon *d, unsigned int domid)
{
	struct bus *bus;

	for (bus = d->buses; bus != NULL && bus->domid != domid; bus = bus->next)
		;
	return bus;
}

/* Domain 0 has a ring too, as a real one; oxenstored finds it by two files. */
static int
dom0_create(struct daemon *d)
{
	char path[PATH_MAX];
	struct bus *bus;
	FILE *f;

	bus = bus_open(d->dir, 0);
	if (bus == NULL)
		return -errno;
	d->buses = bus;
	f = fopen(path_of(path, sizeof(path), "%s/run/xsd_port", d->dir), "w");
	if (f == NULL)
		return -errno;
	fprintf(f, "%d", bus->port);
	fclose(f);
	f = fopen(path_of(path, sizeof(path), "%s/run/xsd_kva", d->dir), "w");
	if (f == NULL || ftruncate(fileno(f), 4096) != 0)
		return -errno;
	fclose(f);
	return 0;
}

/* What xen-init-dom0 writes, and the roots that libxl expects. */
static int
dom0_keys(void)
{
	struct xs_handle *xs = store_open();
	bool ok;

	if (xs == NULL)
		return -EIO;
	ok = store_write(xs, XBT_NULL, "0", "/local/domain/0/domid") &&
			store_write(xs, XBT_NULL, "Domain-0", "/local/domain/0/name") &&
			xs_mkdir(xs, XBT_NULL, "/local/domain/0/backend/vif") &&
			xs_mkdir(xs, XBT_NULL, "/libxl") && xs_mkdir(xs, XBT_NULL, "/vm");
	xs_close(xs);
	return ok ? 0 : -EIO;
}

static const char *
attach(struct daemon *d, unsigned int domid)
{
	struct xs_handle *xs;
	struct bus *bus;
	bool ok;

	if (bus_find(d, domid) != NULL)
		return "it is attached to xenstore already";
	bus = bus_open(d->dir, domid);
	if (bus == NULL)
		return "cannot make its xenstore ring";
	xs = xs_open(0);
	ok = xs != NULL &&
			xs_introduce_domain(xs, domid,
					(unsigned long)xensim_grant_frame(domid, bus->gref),
					(unsigned int)bus->port);
	if (xs != NULL)
		xs_close(xs);
	if (!ok) {
		bus_close(bus, d->dir);
		return "oxenstored refuses it";
	}
	bus->next = d->buses;
	d->buses = bus;
	return "ok";
}

static const char *
detach(struct daemon *d, unsigned int domid)
{
	struct bus **prev, *bus;

	for (prev = &d->buses; *prev != NULL && (*prev)->domid != domid; prev = &(*prev)->next)
		;
	bus = *prev;
	if (bus == NULL || domid == 0)
		return "it is not attached to xenstore";
	*prev = bus->next;
	bus_close(bus, d->dir);
	return "ok";
}

static const char *
restart(struct daemon *d)
{
	oxenstored_stop(d->xenstored);
	if (oxenstored_trim_dump(d->dir) != 0)
		return "oxenstored left no database";
	d->xenstored = oxenstored_start(d->dir, true);
	if (d->xenstored < 0 || oxenstored_wait(d->dir, d->xenstored) != 0)
		return "oxenstored did not start again; see the machine's log";
	return "ok";
}

static void
control_accept(struct daemon *d)
{
	char request[64];
	const char *reply;
	unsigned int domid;
	ssize_t len;
	int fd;

	fd = accept4(d->control_fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return;
	len = recv(fd, request, sizeof(request) - 1, 0);
	request[len > 0 ? len : 0] = '\0';
	if (strcmp(request, "stop") == 0) {
		d->stop = true;
		d->asker = fd;
		return;
	}
	if (strcmp(request, "restart") == 0)
		reply = restart(d);
	else if (sscanf(request, "attach %u", &domid) == 1)
		reply = attach(d, domid);
	else if (sscanf(request, "detach %u", &domid) == 1)
		reply = detach(d, domid);
	else
		reply = "unknown request";
	send(fd, reply, strlen(reply), MSG_NOSIGNAL);
	close(fd);
}

static void
poll_add(struct daemon *d, int fd, short events)
{
	struct pollfd *pfds;

	if (d->n_pfds % 64 == 0) {
		pfds = realloc(d->pfds, (d->n_pfds + 64) * sizeof(*pfds));
		if (pfds == NULL)
			abort();
		d->pfds = pfds;
	}
	d->pfds[d->n_pfds++] = (struct pollfd){ .fd = fd, .events = events };
}

static void
poll_fill(struct daemon *d)
{
	struct bus_client *client;
	struct bus *bus;

	d->n_pfds = 0;
	poll_add(d, d->control_fd, POLLIN);
	poll_add(d, d->signal_fd, POLLIN);
	for (bus = d->buses; bus != NULL; bus = bus->next) {
		poll_add(d, xenevtchn_fd(bus->xce), POLLIN);
		poll_add(d, bus->listen_fd, POLLIN);
		for (client = bus->clients; client != NULL; client = client->next)
			poll_add(d, client->fd,
					(short)(POLLIN |
							(bytes_left(&client->out) > 0 ? POLLOUT :
											0)));
	}
}

/* In the order of poll_fill(); a client accepted now is served in the next round. */
static void
bus_serve(struct bus *bus, const struct pollfd **pfd)
{
	bool event = (*pfd)++->revents != 0, new = (*pfd)++->revents != 0;
	struct bus_client *client;

	for (client = bus->clients; client != NULL; client = client->next)
		if ((*pfd)++->revents & (POLLIN | POLLHUP | POLLERR))
			client_read(bus, client);
	if (event)
		bus_event(bus);
	clients_sweep(bus);
	bus_flush(bus);
	for (client = bus->clients; client != NULL; client = client->next)
		client_write(client);
	if (new)
		client_accept(bus);
}

static void
signals_read(struct daemon *d)
{
	struct signalfd_siginfo info;

	if (read(d->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo != SIGCHLD) {
		d->stop = true;
	} else if (waitpid(d->xenstored, NULL, WNOHANG) == d->xenstored) {
		fprintf(stderr, "xensim: oxenstored ended unexpectedly\n");
		d->xenstored = -1;
	}
}

static void
serve(struct daemon *d)
{
	const struct pollfd *pfd;
	struct bus *bus;

	while (!d->stop) {
		poll_fill(d);
		if (poll(d->pfds, d->n_pfds, -1) < 0)
			continue;
		pfd = &d->pfds[2];
		for (bus = d->buses; bus != NULL; bus = bus->next)
			bus_serve(bus, &pfd);
		if (d->pfds[1].revents != 0)
			signals_read(d);
		if (d->pfds[0].revents != 0 && !d->stop)
			control_accept(d);
	}
}

static int
setup(struct daemon *d)
{
	char path[PATH_MAX];
	sigset_t set;
	int ret;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	d->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (d->signal_fd < 0)
		return -errno;
	if (mkdir(path_of(path, sizeof(path), "%s/run", d->dir), 0700) != 0 && errno != EEXIST)
		return -errno;
	d->control_fd = control_listen(d->dir);
	if (d->control_fd < 0)
		return d->control_fd;
	ret = dom0_create(d);
	if (ret != 0)
		return ret;
	d->xenstored = oxenstored_start(d->dir, false);
	if (d->xenstored < 0)
		return -errno;
	ret = oxenstored_wait(d->dir, d->xenstored);
	if (ret == -ECHILD)
		d->xenstored = -1;
	return ret != 0 ? ret : dom0_keys();
}

static void
teardown(struct daemon *d)
{
	struct bus *bus;

	if (d->xenstored > 0)
		oxenstored_stop(d->xenstored);
	while (d->buses != NULL) {
		bus = d->buses;
		d->buses = bus->next;
		bus_close(bus, d->dir);
	}
	free(d->pfds);
}

int
daemon_main(const char *dir)
{
	struct daemon d = {
		.dir = dir,
		.control_fd = -1,
		.signal_fd = -1,
		.asker = -1,
		.xenstored = -1,
	};
	int ret;

	tool_dir_set(dir);
	xensim_set_domid(0);
	ret = setup(&d);
	if (ret == 0) {
		if (fcntl(READY_FD, F_GETFD) >= 0) {
			ret = write(READY_FD, "ok", 2) == 2 ? 0 : -EPIPE;
			close(READY_FD);
		}
		serve(&d);
	} else {
		fprintf(stderr, "xensim: cannot start: %s\n", strerror(-ret));
	}
	teardown(&d);
	if (ret != 0)
		return 1;
	clean_machine(dir);
	if (d.asker >= 0)
		send(d.asker, "ok", 2, MSG_NOSIGNAL);
	return 0;
}
