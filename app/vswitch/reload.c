/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_errno.h>

#include "balance.h"
#include "bridge.h"
#include "host_mac.h"
#include "log.h"
#include "reload.h"
#include "text.h"
#include "xs_vifs.h"

/* Descriptors of a queue of vhost-net, at most. */
#define VHOST_QUEUE_SIZE 1024

/* What is wanted: the configuration's ports, and then the vifs'. */
#define WANTED_MAX (CONFIG_PORTS_MAX + 2 * RTE_MAX_ETHPORTS)

struct wanted {
	unsigned int n;
	struct {
		struct port_spec spec;
		/* The port that serves it already. */
		struct port *port;
	} list[WANTED_MAX];
};

static struct port_error *
find_error(struct vswitch *sw, const char *name)
{
	unsigned int i;

	for (i = 0; i < sw->nb_errors; i++) {
		if (strcmp(sw->errors[i].name, name) == 0)
			return &sw->errors[i];
	}
	return NULL;
}

/* What was said of ports that nobody wants any more. */
static void
forget_errors(struct vswitch *sw)
{
	unsigned int i, kept = 0;

	for (i = 0; i < sw->nb_errors; i++) {
		if (config_port_find(&sw->config, sw->errors[i].name) != NULL)
			sw->errors[kept++] = sw->errors[i];
	}
	sw->nb_errors = kept;
}

/*
 * What went wrong with a port, or NULL: for the log, or for a vif's hotplug-error too. What is
 * tried again and again is said once.
 */
static void
complain(struct vswitch *sw, const struct port_spec *spec, const char *error)
{
	struct port_error *said;

	if (spec->kind == PORT_GUEST) {
		xs_vifs_say(sw->vifs, spec->domid, spec->devid, error);
		return;
	}
	said = find_error(sw, spec->name);
	if (error == NULL) {
		if (said != NULL)
			*said = sw->errors[--sw->nb_errors];
		return;
	}
	if (said != NULL && strcmp(said->text, error) == 0)
		return;
	LOG(ERR, "port %s: %s", spec->name, error);
	if (said == NULL)
		said = &sw->errors[sw->nb_errors++];
	memcpy(said->name, spec->name, sizeof(said->name));
	snprintf(said->text, sizeof(said->text), "%s", error);
}

static unsigned int
bridge_index(const struct vswitch *sw, const char *name)
{
	return config_bridge_find(&sw->config, name) - sw->config.bridges;
}

static void
from_config(const struct vswitch *sw, const struct config_port *c, struct port_spec *spec)
{
	unsigned int bridge = bridge_index(sw, c->bridge);
	struct rte_ether_addr mac;
	int len;

	*spec = (struct port_spec){
		.kind = c->kind == CONFIG_HOST ? PORT_HOST : PORT_UPLINK,
		.vhost = c->vhost,
		.queues = c->queues,
		.mtu = c->mtu,
		.bridge = bridge,
		.vlan = c->vlan,
		.lock = GUARD_OFF,
		.isolated = c->isolated,
		.macs = c->macs,
		.storm = sw->config.bridges[bridge].storm,
		.age = sw->config.bridges[bridge].age,
	};
	memcpy(spec->name, c->name, sizeof(spec->name));
	if (c->kind == CONFIG_UPLINK) {
		memcpy(spec->devargs, c->devargs, sizeof(c->devargs));
		return;
	}
	host_mac(c->name, &mac);
	if (c->vhost)
		len = snprintf(spec->devargs, sizeof(spec->devargs),
				"net_virtio_user_%s,path=" PORT_VHOST_NET
				",queue_size=%u,queues=%u,",
				c->name, VHOST_QUEUE_SIZE, c->queues);
	else
		len = snprintf(spec->devargs, sizeof(spec->devargs), "net_tap_%s,", c->name);
	snprintf(spec->devargs + len, sizeof(spec->devargs) - len,
			"iface=%s,mac=" RTE_ETHER_ADDR_PRT_FMT, c->name,
			RTE_ETHER_ADDR_BYTES(&mac));
}

static void
from_vif(const struct vswitch *sw, const struct xs_vif *vif, struct port_spec *spec)
{
	unsigned int bridge = bridge_index(sw, vif->keys.bridge);
	const struct config_bridge *c = &sw->config.bridges[bridge];

	*spec = (struct port_spec){
		.kind = PORT_GUEST,
		.queues = sw->config.queues,
		.mtu = vif->keys.mtu,
		.bridge = bridge,
		.vlan = vif->keys.vlan,
		.lock = c->lock,
		.isolated = c->isolated,
		.storm = c->storm,
		.age = c->age,
		.domid = vif->domid,
		.devid = vif->devid,
		.mac = vif->keys.mac,
		.nb_ips = vif->keys.nb_ips,
	};
	memcpy(spec->name, vif->keys.name, sizeof(spec->name));
	memcpy(spec->ips, vif->keys.ips, sizeof(spec->ips));
	snprintf(spec->devargs, sizeof(spec->devargs),
			"net_xenvif%u_%u,domid=%u,devid=%u,queues=%u", vif->domid, vif->devid,
			vif->domid, vif->devid, sw->config.queues);
}

static bool
is_wanted(const struct wanted *w, const char *name)
{
	unsigned int i;

	for (i = 0; i < w->n; i++) {
		if (strcmp(w->list[i].spec.name, name) == 0)
			return true;
	}
	return false;
}

/* The vif's place in the list, or why it has none. */
static void
want_vif(struct vswitch *sw, struct wanted *w, const struct xs_vif *vif)
{
	char error[VIF_ERROR_SIZE];

	error[0] = '\0';
	if (vif->error[0] != '\0')
		memcpy(error, vif->error, sizeof(error));
	else if (config_bridge_find(&sw->config, vif->keys.bridge) == NULL)
		snprintf(error, sizeof(error), "bridge '%s': there is none in the configuration",
				vif->keys.bridge);
	else if (is_wanted(w, vif->keys.name))
		snprintf(error, sizeof(error), "vifname '%s': another port has this name",
				vif->keys.name);
	else if (w->n == WANTED_MAX)
		snprintf(error, sizeof(error), "there are more than %u ports", WANTED_MAX);
	if (error[0] != '\0')
		xs_vifs_say(sw->vifs, vif->domid, vif->devid, error);
	else
		from_vif(sw, vif, &w->list[w->n++].spec);
}

static void
want(struct vswitch *sw, struct wanted *w)
{
	unsigned int i;

	memset(w, 0, sizeof(*w));
	for (i = 0; i < sw->config.nb_ports; i++)
		from_config(sw, &sw->config.ports[i], &w->list[w->n++].spec);
	for (i = 0; i < xs_vifs_count(sw->vifs); i++)
		want_vif(sw, w, xs_vifs_get(sw->vifs, i));
}

/* A change of what the forwarding database was made by. */
static bool
same_place(const struct port_spec *a, const struct port_spec *b)
{
	return a->bridge == b->bridge && a->lock == b->lock &&
			memcmp(&a->vlan, &b->vlan, sizeof(a->vlan)) == 0 &&
			memcmp(&a->mac, &b->mac, sizeof(a->mac)) == 0;
}

/* Find the ports that are wanted, and change what can be changed while they run. */
static void
match(struct vswitch *sw, struct wanted *w)
{
	struct port_spec *spec;
	struct port *port;
	unsigned int i;

	for (i = 0; i < w->n; i++) {
		spec = &w->list[i].spec;
		port = vswitch_port(sw, spec->name);
		if (port == NULL || !port_same_device(&port->spec, spec))
			continue;
		w->list[i].port = port;
		if (!same_place(&port->spec, spec)) {
			fdb_forget(sw->fdb, port->id);
			port->pinned = false;
		}
		port->spec = *spec;
	}
}

static int
pin(struct vswitch *sw, struct port *port)
{
	char error[PORT_ERROR_SIZE];
	int ret;

	if (port->pinned || port->spec.kind != PORT_GUEST)
		return 0;
	ret = bridge_pin(sw, port);
	if (ret != 0)
		snprintf(error, sizeof(error), "mac " RTE_ETHER_ADDR_PRT_FMT ": %s",
				RTE_ETHER_ADDR_BYTES(&port->spec.mac),
				ret == -EEXIST ? "another guest of the bridge has it" :
						 "there are too many addresses of guests");
	complain(sw, &port->spec, ret != 0 ? error : NULL);
	return ret;
}

/* Pin the addresses of all guests that have not been: those that failed before, too. */
static int
pin_all(struct vswitch *sw)
{
	unsigned int i;
	int ret = 0, err;

	for (i = 0; i < RTE_MAX_ETHPORTS; i++) {
		err = sw->ports[i] != NULL ? pin(sw, sw->ports[i]) : 0;
		ret = ret != 0 ? ret : err;
	}
	return ret;
}

/*
 * Close the ports that nobody wants. Lcores let go of them first, and find those that stay in their
 * new places: another port may take its time to start.
 */
static int
remove_ports(struct vswitch *sw, const struct wanted *w)
{
	struct port *gone[RTE_MAX_ETHPORTS];
	unsigned int i, j, n = 0;
	int ret;

	for (i = 0; i < RTE_MAX_ETHPORTS; i++) {
		for (j = 0; j < w->n && w->list[j].port != sw->ports[i]; j++)
			;
		if (sw->ports[i] == NULL || j < w->n)
			continue;
		fdb_forget(sw->fdb, i);
		gone[n++] = sw->ports[i];
		sw->ports[i] = NULL;
	}
	pin_all(sw);
	ret = bridge_publish(sw);
	for (i = 0; i < n; i++) {
		if (ret != 0) {
			sw->ports[gone[i]->id] = gone[i];
			gone[i]->pinned = false;
			continue;
		}
		capture_forget_port(sw, gone[i]);
		mirror_forget_port(sw, gone[i]);
		LOG(NOTICE, "port %s: removed", gone[i]->spec.name);
		port_close(gone[i]);
	}
	return ret;
}

/* Another machine may have the same address on the same network. */
static void
warn_of_mac(const struct port_spec *spec)
{
	struct rte_ether_addr mac;
	int ret = host_mac(spec->name, &mac);

	if (ret != 0)
		LOG(WARNING,
				"port %s: its MAC address is made from its name alone, as there "
				"is no machine-id: %s; systemd-machine-id-setup makes one, then "
				"restart",
				spec->name, strerror(-ret));
}

static int
add_port(struct vswitch *sw, const struct port_spec *spec)
{
	char error[PORT_ERROR_SIZE];
	struct port *port = port_open(spec, sw->nb_workers, sw->pool, error);

	if (port == NULL) {
		complain(sw, spec, error);
		return -rte_errno;
	}
	if (spec->kind != PORT_GUEST)
		complain(sw, spec, NULL);
	if (spec->kind == PORT_HOST)
		warn_of_mac(spec);
	balance_assign(sw, port);
	sw->ports[port->id] = port;
	vswitch_stats_begin(sw, port->id);
	LOG(NOTICE, "port %s: %s on bridge %s, by %s", spec->name, port_kind_name(spec->kind),
			sw->config.bridges[spec->bridge].name, spec->devargs);
	return 0;
}

static bool
has_port(const struct vswitch *sw, const struct xs_vif *vif)
{
	const struct port_spec *spec;
	unsigned int i;

	for (i = 0; i < RTE_MAX_ETHPORTS; i++) {
		spec = sw->ports[i] != NULL ? &sw->ports[i]->spec : NULL;
		if (spec != NULL && spec->kind == PORT_GUEST && spec->domid == vif->domid &&
				spec->devid == vif->devid)
			return true;
	}
	return false;
}

/* Tell the toolstack what came of the vifs; what could not be written is again, later. */
static int
answer_vifs(struct vswitch *sw)
{
	const struct xs_vif *vif;
	static bool told;
	unsigned int i;
	int ret = 0, err;

	for (i = 0; i < xs_vifs_count(sw->vifs); i++) {
		vif = xs_vifs_get(sw->vifs, i);
		err = xs_vifs_answer(sw->vifs, i, has_port(sw, vif));
		/* Each time it would be too much; that xenstore is away is said by itself. */
		if (err != 0 && err != -ENOTCONN && err != -ETIMEDOUT && !told) {
			LOG(WARNING, "vif %u/%u: cannot write to xenstore: %s; trying again",
					vif->domid, vif->devid, strerror(-err));
			told = true;
		}
		ret = ret != 0 ? ret : err;
	}
	told &= ret != 0;
	return ret;
}

int
reload_apply(struct vswitch *sw)
{
	static struct wanted wanted;
	unsigned int i;
	int ret, err;

	forget_errors(sw);
	xs_vifs_hotplug(sw->vifs, sw->config.hotplug);
	want(sw, &wanted);
	match(sw, &wanted);
	ret = remove_ports(sw, &wanted);
	if (ret != 0)
		goto out;
	ret = port_remove_left();
	for (i = 0; i < wanted.n; i++) {
		if (wanted.list[i].port != NULL)
			continue;
		err = add_port(sw, &wanted.list[i].spec);
		ret = ret != 0 ? ret : err;
	}
	err = pin_all(sw);
	ret = ret != 0 ? ret : err;
	err = bridge_publish(sw);
	ret = ret != 0 ? ret : err;

out:
	err = answer_vifs(sw);
	ret = ret != 0 ? ret : err;
	sw->applied = rte_get_tsc_cycles() / rte_get_tsc_hz();
	sw->failed = ret != 0;
	return ret;
}

/* What lcores, memory and socket were made by at the start. */
static int
check_restart(const struct config *old, const struct config *new, struct config_error *error)
{
	const char *key = NULL;

	if (strcmp(old->lcores, new->lcores) != 0)
		key = "lcores";
	else if (strcmp(old->eal, new->eal) != 0)
		key = "eal";
	else if (old->mbufs != new->mbufs)
		key = "mbufs";
	else if (old->macs != new->macs)
		key = "macs";
	else if (strcmp(old->control, new->control) != 0)
		key = "control";
	else if (strcmp(old->metrics, new->metrics) != 0)
		key = "metrics";
	if (key == NULL)
		return 0;
	error->line = 0;
	snprintf(error->text, sizeof(error->text),
			"[switch] %s: has changed, which takes a restart", key);
	return -EINVAL;
}

int
reload_config(struct vswitch *sw, struct config_error *error)
{
	static struct config config;
	int ret = config_read(sw->config_path, &config, error);
	size_t len;

	if (ret == 0)
		ret = check_restart(&sw->config, &config, error);
	if (ret != 0) {
		len = strnlen(error->text, sizeof(error->text));
		snprintf(error->text + len, sizeof(error->text) - len, "; nothing is changed");
		return ret;
	}
	sw->config = config;
	xs_vifs_again(sw->vifs);
	xs_vifs_update(sw->vifs);
	ret = reload_apply(sw);
	if (ret != 0) {
		error->line = 0;
		snprintf(error->text, sizeof(error->text),
				"it holds now, but for what the log says of ports");
	}
	return ret;
}

/* Why the port that was to be added is not there. */
static void
tell_failure(struct vswitch *sw, const char *name, int number, struct config_error *error)
{
	const struct port_error *said = find_error(sw, name);

	snprintf(error->text, sizeof(error->text), "%s",
			said != NULL ? said->text : strerror(number));
}

int
reload_add(struct vswitch *sw, const char *name, const char *const *keys, unsigned int nb,
		struct config_error *error)
{
	static struct config before;
	const struct port *port = vswitch_port(sw, name);
	int ret;

	error->line = 0;
	if (port != NULL && port->spec.kind == PORT_GUEST)
		return text_error(error->text, sizeof(error->text),
				"[port %s]: is the name of a guest's port already", name);
	before = sw->config;
	if (config_port_add(&sw->config, name, keys, nb, error) != 0)
		return -EINVAL;
	ret = reload_apply(sw);
	/* Others may have failed, as they did before. */
	if (vswitch_port(sw, name) != NULL)
		return 0;
	tell_failure(sw, name, -ret, error);
	sw->config = before;
	forget_errors(sw);
	return ret;
}

int
reload_remove(struct vswitch *sw, const char *name, struct config_error *error)
{
	const struct port *port = vswitch_port(sw, name);
	static struct config before;
	struct text_quote quote;
	int ret;

	error->line = 0;
	before = sw->config;
	if (config_port_remove(&sw->config, name) != 0) {
		if (port != NULL && port->spec.kind == PORT_GUEST)
			return text_error(error->text, sizeof(error->text),
					"port '%s' is a guest's: xl network-detach removes it",
					name);
		return text_error(error->text, sizeof(error->text),
				"port %s: there is none; allowed: the name of a [port NAME]",
				text_quote(&quote, name));
	}
	ret = reload_apply(sw);
	port = vswitch_port(sw, name);
	/* A guest's vif may have waited for the name. */
	if (port == NULL || port->spec.kind == PORT_GUEST)
		return 0;
	sw->config = before;
	tell_failure(sw, name, -ret, error);
	return ret;
}
