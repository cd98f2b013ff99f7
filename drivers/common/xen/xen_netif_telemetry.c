/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * What telemetry tells of the ports of both drivers: /xenvif/list, /xenvif/info and /xenvif/queues.
 * Its thread asks while ports come and go: it finds them in a list of its own, whose lock keeps
 * them until it has its answer.
 */

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_telemetry.h>

#include "xen_compat.h"
#include "xen_netif_look.h"
#include "xen_netif_ops.h"

static pthread_mutex_t ports_lock = PTHREAD_MUTEX_INITIALIZER;
static struct port {
	struct xen_netif *nif;
	/* When somebody asked for the last time, TSC, and what had been counted then. */
	uint64_t asked;
	struct rte_eth_stats stats;
} ports[RTE_MAX_ETHPORTS];

void
xen_netif_telemetry_add(struct xen_netif *nif)
{
	struct port *port = &ports[nif->port_id];

	pthread_mutex_lock(&ports_lock);
	port->nif = nif;
	port->asked = rte_get_tsc_cycles();
	memset(&port->stats, 0, sizeof(port->stats));
	pthread_mutex_unlock(&ports_lock);
}

void
xen_netif_telemetry_del(struct xen_netif *nif)
{
	pthread_mutex_lock(&ports_lock);
	ports[nif->port_id].nif = NULL;
	pthread_mutex_unlock(&ports_lock);
}

static int
list(const char *cmd __rte_unused, const char *params __rte_unused, struct rte_tel_data *d)
{
	unsigned int i;

	rte_tel_data_start_array(d, RTE_TEL_INT_VAL);
	pthread_mutex_lock(&ports_lock);
	for (i = 0; i < RTE_DIM(ports); i++) {
		if (ports[i].nif != NULL)
			rte_tel_data_add_array_int(d, i);
	}
	pthread_mutex_unlock(&ports_lock);
	return 0;
}

/* The port that the parameter names; NULL: there is none of these drivers. With the lock held. */
static struct port *
find(const char *params)
{
	unsigned long port;
	char *end;

	if (params == NULL || !isdigit((unsigned char)params[0]))
		return NULL;
	port = strtoul(params, &end, 10);
	return *end == '\0' && port < RTE_DIM(ports) && ports[port].nif != NULL ? &ports[port] :
										  NULL;
}

/* How many a second there were since then. Statistics that were reset tell of a part of them. */
static void
add_rate(struct rte_tel_data *d, const char *name, uint64_t now, uint64_t then, double seconds)
{
	uint64_t n = now >= then ? now - then : now;

	xen_tel_dict_u64(d, name, seconds > 0 ? (uint64_t)(n / seconds) : 0);
}

static void
add_rates(struct rte_tel_data *d, struct port *port)
{
	struct rte_eth_dev *dev = &rte_eth_devices[port->nif->port_id];
	struct rte_eth_stats now = { 0 }, *then = &port->stats;
	uint64_t tsc = rte_get_tsc_cycles();
	double seconds = (double)(tsc - port->asked) / rte_get_tsc_hz();

	/* Its queues may be released meanwhile. */
	pthread_mutex_lock(&port->nif->lock);
	xen_netif_stats_get(dev, &now XEN_QSTATS_NONE);
	pthread_mutex_unlock(&port->nif->lock);
	add_rate(d, "rx_packets_per_second", now.ipackets, then->ipackets, seconds);
	add_rate(d, "rx_bytes_per_second", now.ibytes, then->ibytes, seconds);
	add_rate(d, "tx_packets_per_second", now.opackets, then->opackets, seconds);
	add_rate(d, "tx_bytes_per_second", now.obytes, then->obytes, seconds);
	xen_tel_dict_u64(d, "measured_milliseconds", (uint64_t)(seconds * 1000));
	port->asked = tsc;
	*then = now;
}

static void
add_peer(struct rte_tel_data *d, const struct xen_netif_features *peer)
{
	rte_tel_data_add_dict_int(d, "peer_sg", peer->sg);
	rte_tel_data_add_dict_int(d, "peer_csum_ipv4", peer->csum_ipv4);
	rte_tel_data_add_dict_int(d, "peer_csum_ipv6", peer->csum_ipv6);
	rte_tel_data_add_dict_int(d, "peer_gso_tcpv4", peer->gso_tcpv4);
	rte_tel_data_add_dict_int(d, "peer_gso_tcpv6", peer->gso_tcpv6);
	rte_tel_data_add_dict_int(d, "peer_split_event_channels", peer->split_evtchn);
	rte_tel_data_add_dict_int(d, "peer_multicast_control", peer->mcast);
	rte_tel_data_add_dict_int(d, "peer_ctrl_ring", peer->ctrl_ring);
	rte_tel_data_add_dict_int(d, "peer_rx_notify", peer->rx_notify);
	rte_tel_data_add_dict_int(d, "peer_headroom", peer->headroom);
}

static int
add_vif(struct rte_tel_data *d, struct port *port)
{
	struct xen_netif *nif = port->nif;
	const struct rte_eth_dev *dev = &rte_eth_devices[nif->port_id];
	struct xen_netif_vif_look v;

	xen_netif_look_at_vif(nif, &v);
	rte_tel_data_add_dict_string(d, "name", dev->data->name);
	rte_tel_data_add_dict_string(d, "path", nif->xbdev.path);
	if (netif_driver(dev)->by_domid)
		rte_tel_data_add_dict_int(d, "domid", nif->args.domid);
	rte_tel_data_add_dict_int(d, "devid", nif->args.devid);
	rte_tel_data_add_dict_string(d, "state", xen_netif_state_name(&nif->own_state));
	rte_tel_data_add_dict_string(d, "peer_state", xen_netif_state_name(&nif->peer_state));
	rte_tel_data_add_dict_string(d, "peer_domain", v.domain);
	rte_tel_data_add_dict_int(d, "peer_node", v.node);
	rte_tel_data_add_dict_int(d, "started", v.started);
	rte_tel_data_add_dict_int(d, "set_down", v.admin_down);
	rte_tel_data_add_dict_int(d, "no_carrier", v.no_carrier);
	rte_tel_data_add_dict_int(d, "queue_pairs", v.active);
	rte_tel_data_add_dict_int(d, "queue_pairs_max", nif->args.queues);
	rte_tel_data_add_dict_int(d, "rx_interrupts", v.interrupts);
	if (netif_driver(dev)->by_domid)
		rte_tel_data_add_dict_int(d, "static_pages", v.static_pages);
	rte_tel_data_add_dict_string(d, "disconnected_because", v.reason[XEN_NETIF_DISCONNECTED]);
	rte_tel_data_add_dict_string(d, "failed_because", v.reason[XEN_NETIF_FAILED]);
	add_rates(d, port);
	if (v.active != 0)
		add_peer(d, &v.peer);
	return 0;
}

/* What is told of a ring, a list with an entry for each of a direction. */
static const struct {
	const char *name;
	size_t offset;
} columns[] = {
#define COLUMN(field) \
	{ \
#field, offsetof(struct xen_netif_ring_look, field) \
	}
	COLUMN(port),
	COLUMN(req_prod),
	COLUMN(rsp_prod),
	COLUMN(req_event),
	COLUMN(rsp_event),
	COLUMN(cons),
	COLUMN(prod),
	COLUMN(waiting),
#undef COLUMN
};

static int
add_rings(struct rte_tel_data *d, const struct xen_netif *nif, const char *dir,
		struct xen_netif_ring *rings)
{
	const struct rte_eth_dev *dev = &rte_eth_devices[nif->port_id];
	struct xen_netif_ring_look looks[XEN_NETIF_QUEUES_MAX];
	bool tx = rings == nif->rings.tx;
	unsigned int i, j, nb;
	struct rte_tel_data *values;
	char name[32];

	nb = __atomic_load_n(&nif->rings.active_queues, __ATOMIC_ACQUIRE);
	for (i = 0; i < nb; i++)
		xen_netif_look_at_ring(&rings[i], tx ? netif_driver(dev)->waiting : NULL,
				&looks[i]);
	for (j = 0; j < RTE_DIM(columns); j++) {
		values = rte_tel_data_alloc();
		if (values == NULL)
			return -ENOMEM;
		rte_tel_data_start_array(values, XEN_TEL_U64_VAL);
		for (i = 0; i < nb; i++)
			xen_tel_array_u64(values,
					*(const uint32_t *)RTE_PTR_ADD(&looks[i],
							columns[j].offset));
		snprintf(name, sizeof(name), "%s_%s", dir, columns[j].name);
		rte_tel_data_add_dict_container(d, name, values, 0);
	}
	return 0;
}

static int
add_queues(struct rte_tel_data *d, struct port *port)
{
	struct xen_netif *nif = port->nif;
	int ret = add_rings(d, nif, "rx", nif->rings.rx);

	return ret < 0 ? ret : add_rings(d, nif, "tx", nif->rings.tx);
}

/* The answer of one port. */
static int
tell(const char *params, struct rte_tel_data *d,
		int (*add)(struct rte_tel_data *d, struct port *port))
{
	struct port *port;
	int ret = -EINVAL;

	pthread_mutex_lock(&ports_lock);
	port = find(params);
	if (port != NULL) {
		rte_tel_data_start_dict(d);
		ret = add(d, port);
	}
	pthread_mutex_unlock(&ports_lock);
	return ret;
}

static int
info(const char *cmd __rte_unused, const char *params, struct rte_tel_data *d)
{
	return tell(params, d, add_vif);
}

static int
queues(const char *cmd __rte_unused, const char *params, struct rte_tel_data *d)
{
	return tell(params, d, add_queues);
}

RTE_INIT(xen_netif_telemetry_init)
{
	rte_telemetry_register_cmd("/xenvif/list", list,
			"Ports of net_xenvif and net_xenfront. Takes no parameters");
	rte_telemetry_register_cmd("/xenvif/info", info,
			"What is known of a vif and its other end. Parameters: int port_id");
	rte_telemetry_register_cmd("/xenvif/queues", queues,
			"Indices of a vif's rings. Parameters: int port_id");
}
