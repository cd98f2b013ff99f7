/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Event channels: binding and closing. Xen's rules of xen/event_channel.h. */

#include <errno.h>
#include <string.h>

#include "sim.h"

static int
port_take(struct sim_handle *h, struct sim_port **port)
{
	struct sim_dom *dom = h->dom;
	uint32_t i;

	for (i = 1; i < XENSIM_MAX_PORTS; i++)
		if (sim_link_state(dom->port[i].link) == SIM_PORT_FREE)
			break;
	if (i == XENSIM_MAX_PORTS)
		return -ENOSPC;
	if (i >= dom->port_high)
		dom->port_high = i + 1;
	*port = &dom->port[i];
	sim_store(&(*port)->ev, 0);
	(*port)->handle = h->idx;
	return (int)i;
}

/* Common beginning of all binds; the lock stays held when it succeeds. */
static int
bind_begin(struct sim_handle *h)
{
	int ret = 0;

	sim_lock(h->m);
	sim_reap(h->m);
	if (h->slot->dead)
		ret = -ENODEV;
	else if (sim_fault_hit(h->m, XENSIM_FAULT_BIND, h->domid))
		ret = -ENOSPC;
	if (ret != 0)
		sim_unlock(h->m);
	return ret;
}

static int
bind_end(struct sim_handle *h, int ret)
{
	if (ret > 0)
		h->dom->past.hypercalls++;
	sim_unlock(h->m);
	return ret;
}

int
sim_port_bind_unbound(struct sim_handle *h, unsigned int domid)
{
	struct sim_port *port;
	int ret;

	ret = bind_begin(h);
	if (ret != 0)
		return ret;
	ret = port_take(h, &port);
	if (ret > 0) {
		port->rdomid = (uint16_t)(domid == DOMID_SELF ? h->domid : domid);
		sim_store_release(&port->link, sim_link(SIM_PORT_UNBOUND, 0, 0));
	}
	return bind_end(h, ret);
}

static int
interdomain_locked(struct sim_handle *h, unsigned int domid, uint32_t rport)
{
	struct sim_dom *rdom;
	struct sim_port *port, *remote;
	int ret;

	rdom = sim_dom_find(h->m, domid == DOMID_SELF ? h->domid : domid);
	if (rdom == NULL)
		return -ESRCH;
	if (rport == 0 || rport >= XENSIM_MAX_PORTS)
		return -EINVAL;
	remote = &rdom->port[rport];
	if (sim_link_state(remote->link) != SIM_PORT_UNBOUND || remote->rdomid != h->domid)
		return -EINVAL;
	ret = port_take(h, &port);
	if (ret < 0)
		return ret;
	port->rdomid = (uint16_t)rdom->domid;
	sim_store_release(&port->link,
			sim_link(SIM_PORT_INTERDOMAIN, sim_dom_index(h->m, rdom), rport));
	sim_store_release(&remote->link,
			sim_link(SIM_PORT_INTERDOMAIN, sim_dom_index(h->m, h->dom), (uint32_t)ret));
	/* What the peer sent while it was unbound was lost, so Xen raises one event here. */
	sim_port_raise(h->m, h->dom, (uint32_t)ret);
	return ret;
}

int
sim_port_bind_interdomain(struct sim_handle *h, unsigned int domid, uint32_t rport)
{
	int ret;

	ret = bind_begin(h);
	if (ret != 0)
		return ret;
	return bind_end(h, interdomain_locked(h, domid, rport));
}

static struct sim_port *
virq_find(struct sim_dom *dom, unsigned int virq, uint32_t *port)
{
	uint32_t i;

	for (i = 1; i < dom->port_high; i++)
		if (sim_link_state(dom->port[i].link) == SIM_PORT_VIRQ &&
				dom->port[i].virq == virq) {
			*port = i;
			return &dom->port[i];
		}
	return NULL;
}

int
sim_port_bind_virq(struct sim_handle *h, unsigned int virq)
{
	struct sim_port *port;
	uint32_t other;
	int ret;

	ret = bind_begin(h);
	if (ret != 0)
		return ret;
	if (virq >= NR_VIRQS)
		return bind_end(h, -EINVAL);
	if (virq_find(h->dom, virq, &other) != NULL)
		return bind_end(h, -EEXIST);
	ret = port_take(h, &port);
	if (ret > 0) {
		port->virq = virq;
		sim_store_release(&port->link, sim_link(SIM_PORT_VIRQ, 0, 0));
	}
	return bind_end(h, ret);
}

int
xensim_virq_raise(unsigned int domid, unsigned int virq)
{
	struct sim_machine *m = sim_machine_get();
	struct sim_dom *dom;
	uint32_t port;
	int ret = 0;

	if (m == NULL)
		return -errno;
	sim_lock(m);
	dom = sim_dom_find(m, domid);
	if (dom == NULL)
		ret = -ENOENT;
	else if (virq_find(dom, virq, &port) != NULL)
		sim_port_raise(m, dom, port);
	sim_unlock(m);
	sim_machine_put(m);
	return ret;
}

/* The peer of an interdomain channel becomes unbound and reserved for the same domain again. */
void
sim_port_free(struct sim_machine *m, struct sim_dom *dom, uint32_t n)
{
	struct sim_port *port = &dom->port[n], *remote;
	uint64_t link = port->link;

	if (sim_link_state(link) == SIM_PORT_INTERDOMAIN) {
		remote = &m->h->dom[sim_link_slot(link)].port[sim_link_port(link)];
		remote->rdomid = (uint16_t)dom->domid;
		sim_store_release(&remote->link, sim_link(SIM_PORT_UNBOUND, 0, 0));
	}
	dom->past.notifies += port->notifies;
	dom->past.hypercalls += port->notifies;
	dom->past.notifies_delivered += port->delivered;
	dom->past.notifies_spurious += port->spurious;
	sim_store_release(&port->link, sim_link(SIM_PORT_FREE, 0, 0));
	port->notifies = port->delivered = port->spurious = 0;
	port->handle = SIM_NONE;
	sim_store(&port->ev, 0);
}

void
sim_ports_free_handle(struct sim_machine *m, struct sim_dom *dom, uint32_t handle)
{
	uint32_t i;

	for (i = 1; i < dom->port_high; i++)
		if (sim_link_state(dom->port[i].link) != SIM_PORT_FREE &&
				(handle == SIM_NONE || dom->port[i].handle == handle))
			sim_port_free(m, dom, i);
}
