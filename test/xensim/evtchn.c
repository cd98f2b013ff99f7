/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Event channels: sending and receiving. The descriptor behaves as that of /dev/xen/evtchn: a
 * port is delivered once and then stays masked until it is written back (unmasked).
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim.h"

void
sim_fifo_path(const struct sim_machine *m, uint32_t idx, char *path, size_t size)
{
	snprintf(path, size, "%s/evtchn/%u", m->dir, idx);
}

/* Open for writing too, so that it never reads as ended. */
int
sim_fifo_create(struct sim_machine *m, uint32_t idx, bool cloexec)
{
	char path[PATH_MAX];
	int fd;

	sim_fifo_path(m, idx, path, sizeof(path));
	unlink(path);
	if (mkfifo(path, 0600) != 0)
		return -errno;
	fd = open(path, O_RDWR | (cloexec ? O_CLOEXEC : 0));
	return fd < 0 ? -errno : fd;
}

/* Close what leads to handles that are gone. */
void
sim_fifo_sweep(struct sim_machine *m)
{
	uint32_t i;

	pthread_mutex_lock(&m->fifo_lock);
	for (i = 0; i < m->h->handle_high; i++)
		if (m->fifo[i].fd > 0 &&
				(m->h->slot[i].used != SIM_KIND_EVTCHN ||
						m->h->slot[i].gen != m->fifo[i].gen)) {
			close(m->fifo[i].fd);
			m->fifo[i].fd = 0;
		}
	pthread_mutex_unlock(&m->fifo_lock);
}

static void
fifo_write(struct sim_machine *m, uint32_t idx, uint32_t port)
{
	struct sim_fifo *fifo;
	char path[PATH_MAX];
	uint32_t gen;
	ssize_t ret;

	if (idx >= SIM_MAX_HANDLES)
		return;
	fifo = &m->fifo[idx];
	pthread_mutex_lock(&m->fifo_lock);
	gen = sim_load(&m->h->slot[idx].gen);
	if (fifo->fd > 0 && fifo->gen != gen) {
		close(fifo->fd);
		fifo->fd = 0;
	}
	if (fifo->fd <= 0) {
		sim_fifo_path(m, idx, path, sizeof(path));
		fifo->fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
		fifo->gen = gen;
	}
	if (fifo->fd > 0) {
		/* It can hold many times more than a handle's ports. */
		ret = write(fifo->fd, &port, sizeof(port));
		(void)ret;
	}
	pthread_mutex_unlock(&m->fifo_lock);
}

static void
deliver(struct sim_machine *m, struct sim_port *port, uint32_t n)
{
	__atomic_fetch_add(&port->delivered, 1, __ATOMIC_RELAXED);
	fifo_write(m, sim_load(&port->handle), n);
}

void
sim_port_raise(struct sim_machine *m, struct sim_dom *dom, uint32_t n)
{
	struct sim_port *port = &dom->port[n];
	uint32_t old, new;

	/* The data that the event is about is visible before the port's state is looked at. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	old = sim_load(&port->ev);
	do {
		if (old & SIM_EV_PENDING)
			return;
		new = old &SIM_EV_MASKED ? old | SIM_EV_PENDING : SIM_EV_MASKED | SIM_EV_DELIVERED;
	} while (!__atomic_compare_exchange_n(&port->ev, &old, new, false, __ATOMIC_SEQ_CST,
			__ATOMIC_RELAXED));
	if (!(old & SIM_EV_MASKED))
		deliver(m, port, n);
}

/* A port whose peer closed swallows what is sent, as Xen does. */
void
sim_port_send(struct sim_machine *m, struct sim_dom *dom, uint32_t n)
{
	uint64_t link;

	if (n >= XENSIM_MAX_PORTS)
		return;
	link = sim_load_acquire(&dom->port[n].link);
	if (sim_link_state(link) == SIM_PORT_INTERDOMAIN)
		sim_port_raise(m, &m->h->dom[sim_link_slot(link)], sim_link_port(link));
}

static struct sim_port *
own_port(struct sim_handle *h, uint32_t n)
{
	struct sim_port *port;

	if (n == 0 || n >= XENSIM_MAX_PORTS || sim_load(&h->slot->dead))
		return NULL;
	port = &h->dom->port[n];
	if (sim_link_state(sim_load_acquire(&port->link)) == SIM_PORT_FREE ||
			sim_load(&port->handle) != h->idx)
		return NULL;
	return port;
}

int
sim_port_notify(struct sim_handle *h, uint32_t n)
{
	struct sim_port *port = own_port(h, n);

	if (port == NULL)
		return -ENOTCONN;
	__atomic_fetch_add(&port->notifies, 1, __ATOMIC_RELAXED);
	sim_port_send(h->m, h->dom, n);
	if (sim_unlikely(h->m->h->charges.evtchn_ns != 0))
		sim_spin(h->m, h->m->h->charges.evtchn_ns);
	return 0;
}

/* Entries of ports that were closed or delivered to a former owner are skipped. */
int
sim_port_pending(struct sim_handle *h)
{
	struct sim_port *port;
	uint32_t n;
	ssize_t ret;

	for (;;) {
		ret = read(h->fd, &n, sizeof(n));
		if (ret < 0)
			return -errno;
		if (ret != sizeof(n))
			return -EIO;
		port = own_port(h, n);
		if (port != NULL &&
				(__atomic_fetch_and(&port->ev, ~SIM_EV_DELIVERED,
						 __ATOMIC_SEQ_CST) &
						SIM_EV_DELIVERED))
			return (int)n;
	}
}

int
sim_port_unmask(struct sim_handle *h, uint32_t n)
{
	struct sim_port *port = own_port(h, n);
	uint32_t old, new;

	if (port == NULL)
		return -ENOTCONN;
	old = sim_load(&port->ev);
	do {
		if (!(old & SIM_EV_MASKED))
			return 0;
		new = old &SIM_EV_PENDING ? SIM_EV_MASKED | SIM_EV_DELIVERED : old & ~SIM_EV_MASKED;
	} while (!__atomic_compare_exchange_n(&port->ev, &old, new, false, __ATOMIC_SEQ_CST,
			__ATOMIC_RELAXED));
	if (old & SIM_EV_PENDING)
		deliver(h->m, port, n);
	return 0;
}

/* Take a port's undelivered entry out of the fifo, so that the descriptor stops polling. */
static void
fifo_drop(struct sim_handle *h, uint32_t n)
{
	uint32_t other[XENSIM_MAX_PORTS], port, kept = 0;
	char path[PATH_MAX];
	ssize_t ret = 0;
	int fd;

	sim_fifo_path(h->m, h->idx, path, sizeof(path));
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return;
	while (kept < XENSIM_MAX_PORTS && read(fd, &port, sizeof(port)) == sizeof(port))
		if (port != n)
			other[kept++] = port;
	if (kept > 0)
		ret = write(fd, other, kept * sizeof(other[0]));
	(void)ret;
	close(fd);
}

int
sim_port_unbind(struct sim_handle *h, uint32_t n)
{
	struct sim_port *port;
	bool queued;

	sim_lock(h->m);
	port = own_port(h, n);
	if (port == NULL) {
		sim_unlock(h->m);
		return -ENOTCONN;
	}
	queued = sim_load(&port->ev) & SIM_EV_DELIVERED;
	sim_port_free(h->m, h->dom, n);
	if (queued)
		fifo_drop(h, n);
	h->dom->past.hypercalls++;
	sim_unlock(h->m);
	sim_fifo_sweep(h->m);
	return 0;
}
