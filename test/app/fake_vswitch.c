/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_mempool.h>
#include <rte_version.h>

#include "fake_vswitch.h"
#include "reload.h"
#include "xs_vifs.h"

#define FAKE_HZ 2000000

struct fake fake;

static struct port uplink, guest, tap;
static struct worker workers[2];

static void
fake_port(struct port *port, const char *name, unsigned int number, enum port_kind kind)
{
	memset(port, 0, sizeof(*port));
	snprintf(port->spec.name, sizeof(port->spec.name), "%s", name);
	snprintf(port->device, sizeof(port->device), "dev_%s", name);
	port->spec.kind = kind;
	port->spec.mtu = 1500;
	port->id = number;
	port->nb_rxqs = 1;
	fake.sw.ports[number] = port;
}

static void
fake_ports(void)
{
	unsigned int vlan;

	fake_port(&uplink, "uplink", FAKE_UPLINK, PORT_UPLINK);
	uplink.nb_rxqs = 2;
	uplink.worker[1] = 1;
	for (vlan = 1; vlan <= VLAN_MAX; vlan++)
		vlan_tag(&uplink.spec.vlan, vlan);
	fake_port(&guest, "vif3.0", FAKE_GUEST, PORT_GUEST);
	guest.spec.domid = 3;
	guest.spec.lock = GUARD_IP;
	guest.spec.mac = (struct rte_ether_addr){ { 0x00, 0x16, 0x3E, 0x01, 0x02, 0x03 } };
	guest.spec.vlan.native = VLAN_NONE;
	vlan_tag(&guest.spec.vlan, 5);
	vlan_tag(&guest.spec.vlan, 10);
	vlan_tag(&guest.spec.vlan, 11);
	vlan_tag(&guest.spec.vlan, VLAN_MAX);
	guest.worker[0] = 1;
	guest.pinned = true;
	fake_port(&tap, "tap0", FAKE_TAP, PORT_HOST);
	tap.spec.bridge = 1;
	tap.spec.isolated = true;
}

static void
fake_bridges(void)
{
	fake.sw.config.nb_bridges = 2;
	fake.sw.config.bridges[0] = (struct config_bridge){ "lan", .lock = GUARD_MAC, .age = 300 };
	fake.sw.config.bridges[1] = (struct config_bridge){ "wan", .isolated = true, .age = 10,
		.storm = 1000 };
}

void
fake_reset(void)
{
	memset(&fake, 0, sizeof(fake));
	fake.sw.config_path = "/etc/x.conf";
	fake.sw.started = 100;
	fake.sw.now = 160;
	fake.sw.nb_workers = 2;
	fake.sw.workers[0] = &workers[0];
	fake.sw.workers[1] = &workers[1];
	workers[0].lcore = 1;
	workers[1].lcore = 3;
	workers[1].rounds = 1000;
	workers[1].busy_rounds = 10;
	workers[1].busy = FAKE_HZ / 2;
	workers[1].slept = 5 * FAKE_HZ;
	fake_bridges();
	fake_ports();
	fake.nb_macs = 6;
	fake.nb_errors = 2;
	fake.sw.config.mbufs = 4096;
	fake.sw.config.macs = 512;
	fake.stats[FAKE_GUEST] = (struct port_stats){ .rx_packets = 1,
		.rx_bytes = 2,
		.tx_packets = 3,
		.tx_bytes = UINT64_C(1) << 40,
		.rx_flooded = 5 };
	fake.stats[FAKE_GUEST].drops[DROP_SOURCE_IP] = 7;
	fake.stats[FAKE_GUEST].drops[DROP_TX_FULL] = 8;
	fake.stats[FAKE_TAP].drops[DROP_STORM] = 9;
}

struct port *
vswitch_port(const struct vswitch *sw, const char *name)
{
	unsigned int i;

	for (i = 0; i < RTE_MAX_ETHPORTS; i++) {
		if (sw->ports[i] != NULL && strcmp(sw->ports[i]->spec.name, name) == 0)
			return sw->ports[i];
	}
	return NULL;
}

void
vswitch_stats(const struct vswitch *sw __rte_unused, uint16_t port, struct port_stats *sum)
{
	memset(sum, 0, sizeof(*sum));
	stats_add(sum, &fake.stats[port]);
}

void
vswitch_stats_total(const struct vswitch *sw, uint16_t port, struct port_stats *sum)
{
	vswitch_stats(sw, port, sum);
}

void
vswitch_stats_reset(struct vswitch *sw __rte_unused, uint16_t port)
{
	memset(&fake.stats[port], 0, sizeof(fake.stats[port]));
}

uint64_t
rte_get_tsc_hz(void)
{
	return FAKE_HZ;
}

const char *
rte_version(void)
{
	return "DPDK 1.2.3";
}

unsigned int
rte_mempool_avail_count(const struct rte_mempool *pool __rte_unused)
{
	return 4000;
}

const char *
port_kind_name(enum port_kind kind)
{
	return kind == PORT_GUEST ? "guest" : kind == PORT_UPLINK ? "uplink" : "tap";
}

bool
port_link_up(const struct port *port)
{
	return port->spec.kind != PORT_HOST;
}

uint32_t
fdb_count(const struct fdb *fdb __rte_unused, uint16_t port)
{
	return port;
}

bool
fdb_next(const struct fdb *fdb __rte_unused, uint32_t *next, uint32_t now __rte_unused,
		struct fdb_entry *entry)
{
	static const uint16_t ports[] = { FAKE_UPLINK, FAKE_GUEST, FAKE_TAP };
	uint32_t i = *next;

	fake.steps++;
	if (i >= fake.nb_macs)
		return false;
	*next = i + 1;
	entry->mac = (struct rte_ether_addr){ { 2, 0, i >> 24, i >> 16, i >> 8, i } };
	entry->port = ports[i % RTE_DIM(ports)];
	entry->bridge = entry->port == FAKE_TAP;
	entry->vlan = i % (VLAN_MAX + 1);
	entry->pinned = entry->port == FAKE_GUEST;
	entry->idle = i;
	return true;
}

int
reload_config(struct vswitch *sw __rte_unused, struct config_error *error)
{
	fake.reloads++;
	*error = fake.reload_error;
	return fake.reload_ret;
}

/* As it would be in a file. */
int
reload_add(struct vswitch *sw __rte_unused, const char *name, const char *const *keys,
		unsigned int nb, struct config_error *error)
{
	size_t len = snprintf(fake.change, sizeof(fake.change), "[port %s]", name);
	unsigned int i;

	for (i = 0; i < nb && len < sizeof(fake.change); i++)
		len += snprintf(fake.change + len, sizeof(fake.change) - len, "|%s", keys[i]);
	*error = fake.reload_error;
	return fake.change_ret;
}

int
reload_remove(struct vswitch *sw __rte_unused, const char *name, struct config_error *error)
{
	snprintf(fake.change, sizeof(fake.change), "-%s", name);
	*error = fake.reload_error;
	return fake.change_ret;
}

const char *
port_left(unsigned int i, int *error)
{
	*error = -EBUSY;
	return i < fake.nb_left ? "vif2.0" : NULL;
}

int
balance_move(struct vswitch *sw __rte_unused, struct port *port, uint16_t queue,
		unsigned int worker)
{
	fake.moved_port = port->id;
	fake.moved_queue = queue;
	fake.moved_to = worker;
	return fake.change_ret;
}

int
balance_rebalance(struct vswitch *sw __rte_unused, bool dry_run, struct balance_plan *plan)
{
	fake.dry_run = dry_run;
	plan->before = 900000;
	plan->after = 109999;
	plan->nb = 1;
	plan->steps[0] = (struct balance_step){ FAKE_UPLINK, 1, 1, 0, 399999 };
	return fake.change_ret;
}

uint32_t
balance_load(const struct vswitch *sw __rte_unused, unsigned int worker)
{
	return worker * 250000;
}

const char *
xs_vifs_error(const struct xs_vifs *vifs __rte_unused, unsigned int i, unsigned int *domid,
		unsigned int *devid)
{
	static const char *const errors[] = { "", "bridge 'nosuch': there is none" };

	*domid = 6 + i;
	*devid = 1;
	return i < fake.nb_errors ? errors[i] : NULL;
}

int
xs_vifs_set_rate(struct xs_vifs *vifs __rte_unused, unsigned int domid, unsigned int devid,
		const char *rate)
{
	snprintf(fake.rate, sizeof(fake.rate), "%u/%u %s", domid, devid, rate == NULL ? "-" : rate);
	return fake.change_ret;
}

int
capture_begin(struct vswitch *sw, const struct capture_spec *spec, int fd, struct capture **capture)
{
	if (fake.copies_ret != 0)
		return fake.copies_ret;
	fake.capture = (struct capture){ .spec = *spec };
	sw->captures[0] = *capture = &fake.capture;
	close(fd);
	return 0;
}

void
capture_stop(struct capture *capture, enum capture_end end)
{
	if (capture->end == CAPTURE_RUNS)
		capture->end = end;
}

bool
capture_ended(const struct capture *capture __rte_unused)
{
	return fake.capture_ended;
}

void
capture_result(const struct capture *capture, struct capture_result *result)
{
	*result = (struct capture_result){ capture->end, 12, 3,
		capture->end == CAPTURE_END_FILE ? -ENOSPC : 0 };
}

void
capture_leave(struct capture *capture)
{
	capture_stop(capture, CAPTURE_END_CLIENT);
	fake.capture_left = true;
	fake.sw.captures[0] = NULL;
}

const char *
capture_end_name(enum capture_end end)
{
	static const char *const names[] = { "runs", "count", "seconds", "client", "port", "file" };

	return names[end];
}

uint64_t
capture_lost(const struct vswitch *sw __rte_unused)
{
	return 4;
}

int
mirror_set(struct vswitch *sw, const struct port *port, const struct port *to,
		enum direction direction)
{
	if (fake.copies_ret == 0)
		sw->mirrors[port->id] = (struct mirror){ true, to->id, direction };
	return fake.copies_ret;
}

int
mirror_off(struct vswitch *sw, const struct port *port)
{
	if (!sw->mirrors[port->id].on)
		return -ENOENT;
	if (fake.copies_ret == 0)
		sw->mirrors[port->id].on = false;
	return fake.copies_ret;
}

void
mirror_read(const struct mirror *mirror, uint64_t *packets, uint64_t *lost)
{
	*packets = 100 + mirror->to;
	*lost = 1;
}
