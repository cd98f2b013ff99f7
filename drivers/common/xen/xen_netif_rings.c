/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Rings on their way to the data path and back, and those that it gives up. */

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_pause.h>

#include "xen_compat.h"
#include "xen_netif.h"
#include "xen_trace.h"

/* So many times it is asked for a barrier; by then each lcore has passed one of its own, too. */
#define BARRIER_TRIES 20
#define BARRIER_RETRY_US 1000

/* Have each thread of the process pass a barrier. */
static int
membarrier(int command)
{
	return syscall(__NR_membarrier, command, 0);
}

bool
xen_netif_peeks(void)
{
	return membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0;
}

/* The rings are detached: wait until no lcore looks at one of them. */
static void
peeks_wait(struct xen_netif *nif)
{
	unsigned int i;

	if (!nif->rings.peeks)
		return;
	/* Short of memory it may fail; forbidden since it was registered, it never works again. */
	for (i = 0; membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) < 0; i++) {
		if (i == BARRIER_TRIES) {
			__atomic_store_n(&nif->rings.peeks, false, __ATOMIC_RELAXED);
			break;
		}
		rte_delay_us_sleep(BARRIER_RETRY_US);
	}
	for (i = 0; i < nif->nb_queues; i++) {
		while (__atomic_load_n(&nif->rings.rx[i].peeked, __ATOMIC_ACQUIRE))
			rte_pause();
	}
}

static void
set_attached(struct xen_netif_ring *ring, bool attached)
{
	rte_spinlock_lock(&ring->lock);
	if (ring->broken == NULL)
		xen_netif_notify_flush(ring);
	xen_netif_notify_init(ring);
	__atomic_store_n(&ring->attached, attached && ring->broken == NULL, __ATOMIC_RELEASE);
	ring->starved_since = 0;
	rte_spinlock_unlock(&ring->lock);
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_netif_attach)
void
xen_netif_attach(struct xen_netif *nif)
{
	unsigned int i;

	if (!nif->started || nif->admin_down || nif->no_carrier || nif->rings.active_queues != 0 ||
			nif->nb_queues == 0)
		return;
	for (i = 0; i < nif->nb_queues; i++) {
		set_attached(&nif->rings.rx[i], true);
		set_attached(&nif->rings.tx[i], true);
	}
	if (nif->nb_queues > nif->most_queues)
		__atomic_store_n(&nif->most_queues, nif->nb_queues, __ATOMIC_RELAXED);
	__atomic_store_n(&nif->rings.active_queues, nif->nb_queues, __ATOMIC_SEQ_CST);
	/* They have asked for no event of these rings yet. */
	xen_netif_intr_wake(nif);
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_netif_detach)
void
xen_netif_detach(struct xen_netif *nif)
{
	unsigned int i;

	__atomic_store_n(&nif->rings.active_queues, 0, __ATOMIC_RELEASE);
	for (i = 0; i < nif->nb_queues; i++) {
		set_attached(&nif->rings.rx[i], false);
		set_attached(&nif->rings.tx[i], false);
	}
	peeks_wait(nif);
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_netif_ring_broken)
void
xen_netif_ring_broken(struct xen_netif_rings *rings, struct xen_netif_ring *ring, const char *why)
{
	struct xen_netif *nif = container_of(rings, struct xen_netif, rings);

	__atomic_store_n(&ring->attached, false, __ATOMIC_RELEASE);
	__atomic_store_n(&ring->broken, why, __ATOMIC_RELEASE);
	__atomic_fetch_add(&nif->count.protocol_errors, 1, __ATOMIC_RELAXED);
	rte_xen_trace_breach(nif->port_id,
			ring >= rings->tx && ring < rings->tx + RTE_DIM(rings->tx), ring->id, why);
	xen_bus_kick(&nif->xbdev);
}
