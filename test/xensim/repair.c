/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Make the machine consistent again after the owner of its lock was killed. */

#include <string.h>

#include "sim.h"

/* What maps say is the truth about the pin counts. */
static void
repair_pins(struct sim_header *h)
{
	struct sim_track *t;
	uint32_t d, i;

	for (d = 0; d < XENSIM_MAX_DOMAINS; d++)
		for (i = 0; i < h->dom[d].nr_entries; i++)
			h->dom[d].info[i].maps = 0;
	for (i = 0; i < SIM_MAX_MAPS; i++) {
		t = &h->track[i];
		if (t->handle == 0)
			continue;
		if (h->slot[t->handle - 1].used != SIM_KIND_GNTTAB)
			t->handle = 0;
		else
			h->dom[t->dom].info[t->gref].maps++;
		h->track_high = i + 1;
	}
	h->track_hint = 0;
}

/* What grant entries say is the truth about the frames. */
static void
repair_frames(struct sim_machine *m)
{
	static const uint32_t reserved = SIM_RESERVED_GRANTS;
	struct sim_header *h = m->h;
	struct sim_dom *dom;
	uint32_t d, i, frame;

	memset(h->frame_map, 0, sizeof(h->frame_map));
	h->frames_used = 0;
	for (d = 0; d < XENSIM_MAX_DOMAINS; d++) {
		dom = &h->dom[d];
		dom->pages_shared = 0;
		dom->gref_hint = reserved;
		for (i = 0; i < dom->nr_entries; i++) {
			if (dom->grant[i] == 0)
				continue;
			frame = sim_grant_frame(dom->grant[i]);
			h->frame_map[frame / 64] |= 1ULL << (frame % 64);
			h->frames_used++;
			dom->pages_shared++;
		}
	}
}

/* An interdomain channel has two ends that name each other. */
static void
repair_ports(struct sim_header *h)
{
	struct sim_port *port, *remote;
	uint32_t d, i;

	for (d = 0; d < XENSIM_MAX_DOMAINS; d++)
		for (i = 1; i < h->dom[d].port_high; i++) {
			port = &h->dom[d].port[i];
			if (sim_link_state(port->link) != SIM_PORT_INTERDOMAIN)
				continue;
			remote = &h->dom[sim_link_slot(port->link)].port[sim_link_port(port->link)];
			if (remote->link != sim_link(SIM_PORT_INTERDOMAIN, d, i))
				sim_store_release(&port->link, sim_link(SIM_PORT_UNBOUND, 0, 0));
		}
}

/* Frames that were freed half way hold old data: they read as zeroes when they are used again. */
static void
repair_free_memory(struct sim_machine *m)
{
	uint32_t i, n = 0, frames[64];

	for (i = 0; i < SIM_MAX_FRAMES; i++) {
		if (m->h->frame_map[i / 64] & (1ULL << (i % 64)))
			continue;
		frames[n++] = i;
		if (n == 64 || i == SIM_MAX_FRAMES - 1) {
			m->h->frames_used += n;
			sim_frames_free(m, frames, n);
			n = 0;
		}
	}
}

/* References whose last user was just going: the user finished, the reference did not. */
static void
repair_deferred(struct sim_machine *m)
{
	struct sim_dom *dom;
	uint32_t d, i;

	for (d = 0; d < XENSIM_MAX_DOMAINS; d++) {
		dom = &m->h->dom[d];
		for (i = 0; i < dom->nr_entries; i++)
			if (dom->grant[i] != 0 && dom->info[i].maps == 0 &&
					dom->info[i].handle == SIM_NONE)
				sim_grants_end(m, dom, &i, 1);
		if (dom->state == SIM_DOM_DYING)
			sim_grants_end(m, dom, &i, 0);
	}
}

void
sim_repair(struct sim_machine *m)
{
	repair_pins(m->h);
	repair_frames(m);
	repair_ports(m->h);
	repair_free_memory(m);
	repair_deferred(m);
}
