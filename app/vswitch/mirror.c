/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>

#include "bridge.h"
#include "mirror.h"
#include "vswitch.h"

static void
sum_up(const struct mirror *mirror, uint64_t *packets, uint64_t *lost)
{
	unsigned int i;

	*packets = 0;
	*lost = 0;
	for (i = 0; i < WORKERS_MAX; i++) {
		*packets += __atomic_load_n(&mirror->counts.lcores[i].packets, __ATOMIC_RELAXED);
		*lost += __atomic_load_n(&mirror->counts.lcores[i].lost, __ATOMIC_RELAXED);
	}
}

void
mirror_read(const struct mirror *mirror, uint64_t *packets, uint64_t *lost)
{
	sum_up(mirror, packets, lost);
	*packets -= mirror->packets;
	*lost -= mirror->lost;
}

int
mirror_set(struct vswitch *sw, const struct port *port, const struct port *to,
		enum direction direction)
{
	struct mirror *mirror = &sw->mirrors[port->id];
	uint64_t packets, lost;
	bool on = mirror->on;
	uint16_t old_to = mirror->to;
	enum direction old_direction = mirror->direction;
	int ret;

	sum_up(mirror, &packets, &lost);
	mirror->on = true;
	mirror->to = to->id;
	mirror->direction = direction;
	ret = bridge_publish(sw);
	if (ret != 0) {
		mirror->on = on;
		mirror->to = old_to;
		mirror->direction = old_direction;
	} else if (!on || old_to != to->id) {
		mirror->packets = packets;
		mirror->lost = lost;
	}
	return ret;
}

int
mirror_off(struct vswitch *sw, const struct port *port)
{
	struct mirror *mirror = &sw->mirrors[port->id];
	int ret;

	if (!mirror->on)
		return -ENOENT;
	mirror->on = false;
	ret = bridge_publish(sw);
	mirror->on = ret != 0;
	return ret;
}

void
mirror_forget_port(struct vswitch *sw, const struct port *port)
{
	unsigned int i;

	sw->mirrors[port->id].on = false;
	for (i = 0; i < RTE_MAX_ETHPORTS; i++) {
		if (sw->mirrors[i].to == port->id)
			sw->mirrors[i].on = false;
	}
}

/* As mirrors send by the port: VLAN 0 has no tag, others have theirs, and captures go on. */
static void
fill_to(struct dataplane *dp, uint16_t to)
{
	struct dp_port *p = &dp->mirror_ports[to];

	*p = dp->ports[to];
	p->native = 0;
	p->plain = false;
	if (p->tx_copies == NULL)
		return;
	dp->mirror_copies[to] = *p->tx_copies;
	p->tx_copies = &dp->mirror_copies[to];
}

static void
fill_from(struct dataplane *dp, struct mirror *mirror, unsigned int from, struct dp_copies *copies)
{
	copies->mirror = &mirror->counts;
	copies->to = mirror->to;
	copies->to_port = &dp->mirror_ports[mirror->to];
	copies->undone = dp->ports[from].undone;
}

/* Is it on, with both its ports there? One that is going is not any more. */
static bool
is_whole(const struct vswitch *sw, unsigned int from)
{
	const struct mirror *mirror = &sw->mirrors[from];

	return mirror->on && sw->ports[from] != NULL && sw->ports[mirror->to] != NULL;
}

void
mirror_fill(struct vswitch *sw, struct dataplane *dp)
{
	struct mirror *mirror;
	unsigned int i;

	/* All of these first: what is sent by them knows of no mirror. */
	for (i = 0; i < RTE_MAX_ETHPORTS; i++) {
		if (is_whole(sw, i))
			fill_to(dp, sw->mirrors[i].to);
	}
	for (i = 0; i < RTE_MAX_ETHPORTS; i++) {
		mirror = &sw->mirrors[i];
		if (!is_whole(sw, i))
			continue;
		if ((mirror->direction & DIRECTION_RX) != 0) {
			fill_from(dp, mirror, i, &dp->rx_copies[i]);
			dp->ports[i].rx_copies = &dp->rx_copies[i];
		}
		if ((mirror->direction & DIRECTION_TX) != 0) {
			fill_from(dp, mirror, i, &dp->tx_copies[i]);
			dp->ports[i].tx_copies = &dp->tx_copies[i];
		}
	}
}
