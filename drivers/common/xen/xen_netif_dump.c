/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * What a port knows of itself and of the other end, for people: rte_eth_dev_priv_dump(). Another
 * process than the one that runs the port takes no lock, and sees no shared page. What is to be
 * printed is copied first: a lock is not held for as long as a terminal may take.
 */

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <rte_bitops.h>
#include <rte_eal.h>
#include <rte_string_fns.h>

#include "xen_netif_ops.h"

static_assert(offsetof(struct netif_tx_sring, req_prod) ==
						offsetof(struct netif_rx_sring, req_prod) &&
				offsetof(struct netif_tx_sring, rsp_event) ==
						offsetof(struct netif_rx_sring, rsp_event),
		"both rings begin with the same indices");

static const char *const states[] = {
	[XenbusStateUnknown] = "none",
	[XenbusStateInitialising] = "Initialising",
	[XenbusStateInitWait] = "InitWait",
	[XenbusStateInitialised] = "Initialised",
	[XenbusStateConnected] = "Connected",
	[XenbusStateClosing] = "Closing",
	[XenbusStateClosed] = "Closed",
	[XenbusStateReconfiguring] = "Reconfiguring",
	[XenbusStateReconfigured] = "Reconfigured",
};

static const char *
state_name(const uint8_t *state)
{
	uint8_t s = __atomic_load_n(state, __ATOMIC_RELAXED);

	return s < RTE_DIM(states) ? states[s] : "?";
}

/* A vif, at one moment. */
struct vif_look {
	bool started;
	bool admin_down;
	bool no_carrier;
	uint16_t mapped;
	uint16_t active;
	struct xen_netif_features peer;
	int node;
	char domain[RTE_SIZEOF_FIELD(struct xen_netif, domain)];
	struct xen_hash_config hash;
};

static struct vif_look
look_at_vif(struct xen_netif *nif, bool primary)
{
	struct vif_look v;

	if (primary)
		pthread_mutex_lock(&nif->lock);
	v.started = nif->started;
	v.admin_down = nif->admin_down;
	v.no_carrier = nif->no_carrier;
	v.mapped = RTE_MIN(nif->nb_queues, XEN_NETIF_QUEUES_MAX);
	v.active = __atomic_load_n(&nif->rings.active_queues, __ATOMIC_ACQUIRE);
	v.node = __atomic_load_n(&nif->node, __ATOMIC_RELAXED);
	rte_strscpy(v.domain, nif->domain, sizeof(v.domain));
	memset(&v.peer, 0, sizeof(v.peer));
	if (v.active != 0)
		v.peer = nif->rings.peer;
	/* Its writer has this lock too. */
	v.hash = nif->rings.hash.cfg;
	if (primary)
		pthread_mutex_unlock(&nif->lock);
	return v;
}

static void
dump_features(FILE *f, const struct xen_netif_features *peer)
{
	fprintf(f, "  features of the other end: queues %u%s%s%s%s%s%s\n", peer->queues,
			peer->rx_copy ? ", rx-copy" : "", peer->sg ? ", sg" : "",
			peer->csum_ipv4 ? ", csum-ipv4" : "", peer->csum_ipv6 ? ", csum-ipv6" : "",
			peer->split_evtchn ? ", split-event-channels" : "",
			peer->ctrl_ring ? ", ctrl-ring" : "");
}

/* What the guest has asked for by its control ring. */
static void
dump_hash(FILE *f, const struct xen_hash_config *hash)
{
	static const char *const types[] = { "ipv4", "ipv4-tcp", "ipv6", "ipv6-tcp" };
	uint8_t key[XEN_HASH_KEY_MAX];
	unsigned int i;

	fprintf(f, "  hash: %s, types",
			hash->algorithm == XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ ? "toeplitz" :
										    "none");
	for (i = 0; i < RTE_DIM(types); i++) {
		if ((hash->types & RTE_BIT32(i)) != 0)
			fprintf(f, " %s", types[i]);
	}
	fprintf(f, ", key ");
	xen_hash_get_key(hash, key);
	for (i = 0; i < sizeof(key); i++)
		fprintf(f, "%02x", key[i]);
	fprintf(f, ", mapping of %u:", hash->mapping_size);
	for (i = 0; i < RTE_MIN(hash->mapping_size, XEN_HASH_MAPPING_MAX); i++)
		fprintf(f, " %u", hash->mapping[i]);
	fprintf(f, "\n");
}

/* A ring, at one moment. */
struct ring_look {
	bool attached;
	evtchn_port_t port;
	uint32_t cons;
	uint32_t prod;
	uint32_t waiting;
	/* The shared page's, while attached. */
	uint32_t req_prod;
	uint32_t rsp_prod;
	uint32_t req_event;
	uint32_t rsp_event;
	/* A constant text, of the process that runs the port. */
	const char *broken;
};

/* The page is mapped for the primary process, and as long as the ring is attached. */
static void
look_at_page(const struct netif_tx_sring *sring, struct ring_look *r)
{
	r->req_prod = xen_ring_load(&sring->req_prod);
	r->rsp_prod = xen_ring_load(&sring->rsp_prod);
	r->req_event = xen_ring_load(&sring->req_event);
	r->rsp_event = xen_ring_load(&sring->rsp_event);
}

static void
look_at_ring(struct xen_netif_ring *ring, uint32_t (*waiting)(const struct xen_netif_ring *),
		bool primary, struct ring_look *r)
{
	memset(r, 0, sizeof(*r));
	if (primary)
		rte_spinlock_lock(&ring->lock);
	r->attached = ring->attached;
	r->port = ring->port;
	r->cons = ring->cons;
	r->prod = ring->prod;
	if (primary && r->attached) {
		look_at_page(ring->sring.tx, r);
		if (waiting != NULL)
			r->waiting = waiting(ring);
	}
	if (primary) {
		r->broken = xen_netif_ring_broken_why(ring);
		rte_spinlock_unlock(&ring->lock);
	}
}

static void
dump_ring(FILE *f, const char *dir, unsigned int i, const struct ring_look *r)
{
	fprintf(f, "  %s ring %u: %s, port %u, cons %" PRIu32 ", prod %" PRIu32, dir, i,
			r->attached ? "attached" : "detached", r->port, r->cons, r->prod);
	if (r->attached && rte_eal_process_type() == RTE_PROC_PRIMARY)
		fprintf(f,
				", req_prod %" PRIu32 ", rsp_prod %" PRIu32 ", req_event %" PRIu32
				", rsp_event %" PRIu32 ", waiting %" PRIu32,
				r->req_prod, r->rsp_prod, r->req_event, r->rsp_event, r->waiting);
	fprintf(f, "%s%s\n", r->broken != NULL ? ", broken: " : "",
			r->broken != NULL ? r->broken : "");
}

static void
dump_domain(FILE *f, const struct vif_look *v)
{
	fprintf(f, "  other end: %s", v->domain);
	if (v->node >= 0)
		fprintf(f, ", Xen's NUMA node %d", v->node);
	fprintf(f, "\n");
}

static void
dump_port(FILE *f, const struct rte_eth_dev *dev, const struct vif_look *v)
{
	const struct xen_netif *nif = dev->data->dev_private;

	fprintf(f, "vif %s\n", nif->xbdev.path);
	fprintf(f, "  states: %s, other end %s\n", state_name(&nif->own_state),
			state_name(&nif->peer_state));
	if (v->domain[0] != '\0')
		dump_domain(f, v);
	fprintf(f, "  port: %s%s%s, link %s, queue pairs %u of %u\n",
			v->started ? "started" : "stopped", v->admin_down ? ", set down" : "",
			v->no_carrier ? ", no carrier" : "",
			dev->data->dev_link.link_status == RTE_ETH_LINK_UP ? "up" : "down",
			v->active, nif->args.queues);
	if (v->active != 0)
		dump_features(f, &v->peer);
	if (v->peer.ctrl_ring)
		dump_hash(f, &v->hash);
}

int
xen_netif_dump(struct rte_eth_dev *dev, FILE *f)
{
	bool primary = rte_eal_process_type() == RTE_PROC_PRIMARY;
	struct xen_netif *nif = dev->data->dev_private;
	struct ring_look r;
	struct vif_look v;
	unsigned int i;

	/* The primary process may have closed the port. */
	if (nif == NULL)
		return -ENODEV;
	v = look_at_vif(nif, primary);
	dump_port(f, dev, &v);
	for (i = 0; i < v.mapped; i++) {
		look_at_ring(&nif->rings.rx[i], NULL, primary, &r);
		dump_ring(f, "rx", i, &r);
		look_at_ring(&nif->rings.tx[i], netif_driver(dev)->waiting, primary, &r);
		dump_ring(f, "tx", i, &r);
	}
	return 0;
}
