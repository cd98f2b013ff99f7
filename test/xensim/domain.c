/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Domains, and the counters of what they do. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sim.h"

#define VIRQ_OF_DEATH VIRQ_DOM_EXC

static int
create_locked(struct sim_machine *m, unsigned int domid, const char *name)
{
	struct sim_dom *dom;
	unsigned int i;

	if (sim_dom_find(m, domid) != NULL)
		return -EEXIST;
	for (i = 0; i < XENSIM_MAX_DOMAINS && m->h->dom[i].state != SIM_DOM_FREE; i++)
		;
	if (i == XENSIM_MAX_DOMAINS)
		return -ENOSPC;
	dom = &m->h->dom[i];
	dom->domid = domid;
	if (name != NULL)
		snprintf(dom->name, sizeof(dom->name), "%s", name);
	else
		snprintf(dom->name, sizeof(dom->name), "dom%u", domid);
	dom->nr_entries = SIM_GRANTS_PER_FRAME;
	dom->gref_hint = SIM_RESERVED_GRANTS;
	dom->pages_shared = 0;
	dom->port_high = 1;
	memset(&dom->past, 0, sizeof(dom->past));
	memset(&dom->base, 0, sizeof(dom->base));
	dom->state = SIM_DOM_LIVE;
	sim_store_release(&m->h->dom_slot[domid], (uint8_t)i);
	return 0;
}

int
xensim_domain_create(unsigned int domid, const char *name)
{
	struct sim_machine *m;
	int ret;

	if (domid > XENSIM_MAX_DOMID || (name != NULL && strlen(name) > 31))
		return -EINVAL;
	m = sim_machine_get();
	if (m == NULL)
		return -errno;
	sim_lock(m);
	sim_reap(m);
	ret = create_locked(m, domid, name);
	sim_unlock(m);
	sim_machine_put(m);
	return ret;
}

/* Its handles stay open but do nothing any more; what it maps is let go. */
static void
destroy_locked(struct sim_machine *m, struct sim_dom *dom)
{
	unsigned int slot = sim_dom_index(m, dom);
	uint32_t i, j;

	sim_store_release(&m->h->dom_slot[dom->domid], SIM_NO_SLOT);
	for (i = 0; i < m->h->handle_high; i++) {
		if (m->h->slot[i].used == 0 || m->h->slot[i].dom != slot)
			continue;
		sim_store_release(&m->h->slot[i].dead, 1);
	}
	sim_copies_wait(m);
	for (j = 0; j < m->h->track_high; j++)
		if (m->h->track[j].handle != 0 && m->h->slot[m->h->track[j].handle - 1].dom == slot)
			sim_grant_unmap_one(m, j);
	sim_ports_free_handle(m, dom, SIM_NONE);
	dom->state = SIM_DOM_DYING;
	sim_grants_end_handle(m, dom, SIM_NONE);
}

int
xensim_domain_destroy(unsigned int domid)
{
	struct sim_machine *m;
	struct sim_dom *dom;

	if (domid == 0)
		return -EINVAL;
	m = sim_machine_get();
	if (m == NULL)
		return -errno;
	sim_lock(m);
	sim_reap(m);
	dom = sim_dom_find(m, domid);
	if (dom != NULL)
		destroy_locked(m, dom);
	sim_unlock(m);
	sim_machine_put(m);
	return dom == NULL ? -ENOENT : xensim_virq_raise(0, VIRQ_OF_DEATH);
}

int
xensim_domain_info(unsigned int domid, char *name)
{
	struct sim_machine *m = sim_machine_get();
	struct sim_dom *dom;

	if (m == NULL)
		return -errno;
	sim_lock(m);
	dom = sim_dom_find(m, domid);
	if (dom != NULL && name != NULL)
		memcpy(name, dom->name, sizeof(dom->name));
	sim_unlock(m);
	sim_machine_put(m);
	return dom != NULL;
}

int
xensim_domain_list(unsigned int *domids, unsigned int n)
{
	struct sim_machine *m = sim_machine_get();
	unsigned int domid, got = 0;

	if (m == NULL)
		return -errno;
	sim_lock(m);
	for (domid = 0; domid <= XENSIM_MAX_DOMID && got < n; domid++)
		if (m->h->dom_slot[domid] != SIM_NO_SLOT)
			domids[got++] = domid;
	sim_unlock(m);
	sim_machine_put(m);
	return (int)got;
}

static void
add(struct xensim_counters *sum, const struct xensim_counters *c, int sign)
{
	uint64_t *s = (uint64_t *)sum;
	const uint64_t *v = (const uint64_t *)c;
	size_t i;

	for (i = 0; i < sizeof(*sum) / sizeof(*s); i++)
		s[i] += sign < 0 ? 0 - v[i] : v[i];
}

static void
add_handles(struct sim_machine *m, unsigned int dom, struct xensim_counters *c)
{
	struct sim_slot *slot;
	struct sim_stripe *s;
	uint32_t i, j;

	for (i = 0; i < m->h->handle_high; i++) {
		slot = &m->h->slot[i];
		if (slot->used == 0 || slot->dom != dom)
			continue;
		c->handles_live++;
		for (j = 0; j < SIM_STRIPES; j++) {
			s = &slot->stripe[j];
			c->copy_calls += sim_load(&s->calls);
			c->copy_hypercalls += sim_load(&s->hypercalls);
			c->hypercalls += sim_load(&s->hypercalls);
			c->copy_ops += sim_load(&s->ops);
			c->copy_segments += sim_load(&s->segments);
			c->copy_bytes += sim_load(&s->bytes);
			c->copy_errors += sim_load(&s->errors);
		}
	}
	for (i = 0; i < m->h->track_high; i++)
		if (m->h->track[i].handle != 0 && m->h->slot[m->h->track[i].handle - 1].dom == dom)
			c->maps_live++;
}

static void
add_ports(struct sim_dom *dom, struct xensim_counters *c)
{
	struct sim_port *port;
	uint32_t i;

	for (i = 1; i < dom->port_high; i++) {
		port = &dom->port[i];
		if (sim_link_state(port->link) == SIM_PORT_FREE)
			continue;
		c->ports_live++;
		c->hypercalls += sim_load(&port->notifies);
		c->notifies += sim_load(&port->notifies);
		c->notifies_delivered += sim_load(&port->delivered);
		c->notifies_spurious += sim_load(&port->spurious);
	}
}

static void
collect(struct sim_machine *m, struct sim_dom *dom, struct xensim_counters *c)
{
	memset(c, 0, sizeof(*c));
	add(c, &dom->past, 1);
	add_handles(m, sim_dom_index(m, dom), c);
	add_ports(dom, c);
	c->grants_live = dom->pages_shared;
}

/* Every domain, also the dying, or the one asked for. */
static int
for_domains(int domid, void (*fct)(struct sim_machine *m, struct sim_dom *dom, void *arg),
		void *arg)
{
	struct sim_machine *m = sim_machine_get();
	bool found = domid == XENSIM_ALL;
	unsigned int i;

	if (m == NULL)
		return -errno;
	sim_lock(m);
	sim_reap(m);
	for (i = 0; i < XENSIM_MAX_DOMAINS; i++) {
		if (m->h->dom[i].state == SIM_DOM_FREE)
			continue;
		if (domid != XENSIM_ALL && &m->h->dom[i] != sim_dom_find(m, (unsigned int)domid))
			continue;
		found = true;
		fct(m, &m->h->dom[i], arg);
	}
	sim_unlock(m);
	sim_machine_put(m);
	return found ? 0 : -ENOENT;
}

static void
get_one(struct sim_machine *m, struct sim_dom *dom, void *arg)
{
	struct xensim_counters c;

	collect(m, dom, &c);
	add(&c, &dom->base, -1);
	add(arg, &c, 1);
}

int
xensim_counters_get(int domid, struct xensim_counters *counters)
{
	memset(counters, 0, sizeof(*counters));
	return for_domains(domid, get_one, counters);
}

static void
reset_one(struct sim_machine *m, struct sim_dom *dom, void *arg)
{
	(void)arg;
	collect(m, dom, &dom->base);
	dom->base.maps_live = dom->base.grants_live = 0;
	dom->base.ports_live = dom->base.handles_live = 0;
}

int
xensim_counters_reset(int domid)
{
	return for_domains(domid, reset_one, NULL);
}

int
xensim_evtchn_spurious(uint32_t port)
{
	struct sim_machine *m;
	struct sim_dom *dom;
	int domid = sim_domid();

	if (domid < 0 || port == 0 || port >= XENSIM_MAX_PORTS)
		return -EINVAL;
	m = sim_machine_get();
	if (m == NULL)
		return -errno;
	dom = sim_dom_find(m, (unsigned int)domid);
	if (dom != NULL)
		__atomic_fetch_add(&dom->port[port].spurious, 1, __ATOMIC_RELAXED);
	sim_machine_put(m);
	return dom == NULL ? -ENODEV : 0;
}
