/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* The domain at the other end of a vif: its name, whether it lives, where its memory is. */

#include <errno.h>
#include <stdio.h>

#include <rte_lcore.h>

#include "xen_compat.h"
#include "xen_ctl.h"
#include "xen_netif_ops.h"

RTE_EXPORT_INTERNAL_SYMBOL(xen_netif_domain_note)
void
xen_netif_domain_note(struct xen_netif *nif, uint32_t domid)
{
	char dir[sizeof("/local/domain/4294967295")], name[XEN_STORE_VALUE_MAX];
	struct xen_quote quote;
	bool named;

	/* Only xenstore knows names; a driver domain may not read them. */
	snprintf(dir, sizeof(dir), "/local/domain/%u", domid);
	named = xen_store_read(dir, "name", name) > 0;
	pthread_mutex_lock(&nif->lock);
	if (named)
		snprintf(nif->domain, sizeof(nif->domain), "domain '%s'", xen_quote(&quote, name));
	else
		snprintf(nif->domain, sizeof(nif->domain), "domain %u", domid);
	pthread_mutex_unlock(&nif->lock);
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_netif_domain_dead)
bool
xen_netif_domain_dead(struct xen_netif *nif, uint32_t domid)
{
	int alive = xen_ctl_domain_alive(domid);

	/* That another process or machine has none of that id says nothing. */
	if (alive != 1)
		return nif->domain_seen && alive == 0;
	if (!nif->domain_seen)
		__atomic_store_n(&nif->node, xen_ctl_domain_node(domid), __ATOMIC_RELAXED);
	nif->domain_seen = true;
	return false;
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_netif_domain_forget)
void
xen_netif_domain_forget(struct xen_netif *nif)
{
	pthread_mutex_lock(&nif->lock);
	nif->domain[0] = '\0';
	pthread_mutex_unlock(&nif->lock);
	nif->domain_seen = false;
	__atomic_store_n(&nif->node, SOCKET_ID_ANY, __ATOMIC_RELAXED);
}

int
xen_netif_domain_socket(const struct xen_netif *nif)
{
	int node = __atomic_load_n(&nif->node, __ATOMIC_RELAXED);
	unsigned int i;

	for (i = 0; i < rte_socket_count() && rte_socket_count() > 1; i++) {
		if (rte_socket_id_by_idx(i) == node)
			return node;
	}
	return SOCKET_ID_ANY;
}
