/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * What a port knows of itself and of the other end, for people: rte_eth_dev_priv_dump(). What is to
 * be printed is copied first: a lock is not held for as long as a terminal may take.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include <rte_bitops.h>
#include <rte_eal.h>

#include "xen_netif_look.h"
#include "xen_netif_ops.h"

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

static void
dump_ring(FILE *f, const char *dir, unsigned int i, const struct xen_netif_ring_look *r)
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
dump_domain(FILE *f, const struct xen_netif_vif_look *v)
{
	fprintf(f, "  other end: %s", v->domain);
	if (v->node >= 0)
		fprintf(f, ", Xen's NUMA node %d", v->node);
	fprintf(f, "\n");
}

static void
dump_port(FILE *f, const struct rte_eth_dev *dev, const struct xen_netif_vif_look *v)
{
	const struct xen_netif *nif = dev->data->dev_private;
	struct rte_eth_link link;

	rte_eth_linkstatus_get(dev, &link);
	fprintf(f, "vif %s\n", nif->xbdev.path);
	fprintf(f, "  states: %s, other end %s\n", xen_netif_state_name(&nif->own_state),
			xen_netif_state_name(&nif->peer_state));
	if (v->domain[0] != '\0')
		dump_domain(f, v);
	fprintf(f, "  port: %s%s%s, link %s, queue pairs %u of %u\n",
			v->started ? "started" : "stopped", v->admin_down ? ", set down" : "",
			v->no_carrier ? ", no carrier" : "",
			link.link_status == RTE_ETH_LINK_UP ? "up" : "down", v->active,
			nif->args.queues);
	if (v->active != 0)
		dump_features(f, &v->peer);
	if (v->peer.ctrl_ring)
		dump_hash(f, &v->hash);
	if ((v->peer.ctrl_ring && nif->args.static_pages != 0) || v->static_pages != 0)
		fprintf(f, "  static grants: %u of %u pages\n", v->static_pages,
				nif->args.static_pages);
}

int
xen_netif_dump(struct rte_eth_dev *dev, FILE *f)
{
	struct xen_netif *nif = dev->data->dev_private;
	struct xen_netif_ring_look r;
	struct xen_netif_vif_look v;
	unsigned int i;

	/* The primary process may have closed the port. */
	if (nif == NULL)
		return -ENODEV;
	xen_netif_look_at_vif(nif, &v);
	dump_port(f, dev, &v);
	for (i = 0; i < v.mapped; i++) {
		xen_netif_look_at_ring(&nif->rings.rx[i], NULL, &r);
		dump_ring(f, "rx", i, &r);
		xen_netif_look_at_ring(&nif->rings.tx[i], netif_driver(dev)->waiting, &r);
		dump_ring(f, "tx", i, &r);
	}
	return 0;
}
