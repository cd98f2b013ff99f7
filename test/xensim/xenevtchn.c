/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* libxenevtchn.so.1 over the stand-in hypervisor: the interface of xenevtchn.h. */

#include <errno.h>
#include <stdlib.h>

#include <xenevtchn.h>

#include "sim.h"

struct xenevtchn_handle {
	struct sim_handle sim;
};

static struct sim_handle *
sim(xenevtchn_handle *xce)
{
	return &xce->sim;
}

static int
result(int ret)
{
	if (ret >= 0)
		return ret;
	errno = -ret;
	return -1;
}

xenevtchn_handle *
xenevtchn_open(struct xentoollog_logger *logger, unsigned int flags)
{
	(void)logger;
	if (flags & ~(unsigned int)XENEVTCHN_NO_CLOEXEC) {
		errno = EINVAL;
		return NULL;
	}
	return (xenevtchn_handle *)sim_handle_open(SIM_KIND_EVTCHN,
			!(flags & XENEVTCHN_NO_CLOEXEC));
}

xenevtchn_handle *
xenevtchn_fdopen(struct xentoollog_logger *logger, int fd, unsigned int open_flags)
{
	(void)logger;
	if (open_flags != 0) {
		errno = EINVAL;
		return NULL;
	}
	return (xenevtchn_handle *)sim_handle_adopt(fd);
}

int
xenevtchn_close(xenevtchn_handle *xce)
{
	if (xce != NULL)
		sim_handle_close(sim(xce));
	return 0;
}

int
xenevtchn_fd(xenevtchn_handle *xce)
{
	return sim(xce)->fd;
}

int
xenevtchn_notify(xenevtchn_handle *xce, evtchn_port_t port)
{
	return result(sim_port_notify(sim(xce), port));
}

xenevtchn_port_or_error_t
xenevtchn_bind_unbound_port(xenevtchn_handle *xce, uint32_t domid)
{
	return result(sim_port_bind_unbound(sim(xce), domid));
}

xenevtchn_port_or_error_t
xenevtchn_bind_interdomain(xenevtchn_handle *xce, uint32_t domid, evtchn_port_t remote_port)
{
	return result(sim_port_bind_interdomain(sim(xce), domid, remote_port));
}

xenevtchn_port_or_error_t
xenevtchn_bind_virq(xenevtchn_handle *xce, unsigned int virq)
{
	return result(sim_port_bind_virq(sim(xce), virq));
}

int
xenevtchn_unbind(xenevtchn_handle *xce, evtchn_port_t port)
{
	return result(sim_port_unbind(sim(xce), port));
}

xenevtchn_port_or_error_t
xenevtchn_pending(xenevtchn_handle *xce)
{
	return result(sim_port_pending(sim(xce)));
}

int
xenevtchn_unmask(xenevtchn_handle *xce, evtchn_port_t port)
{
	return result(sim_port_unmask(sim(xce), port));
}

/* The device allows this for the domain that it is for, and there is no other here. */
int
xenevtchn_restrict(xenevtchn_handle *xce, domid_t domid)
{
	(void)xce;
	(void)domid;
	errno = EOPNOTSUPP;
	return -1;
}
