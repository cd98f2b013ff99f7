/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * Addresses for lcores that sleep until somebody writes there (UMWAIT): where the other end counts
 * what it publishes. The page may go when its vif does. So the queue is marked with it until its
 * lcore is back, which who unmaps it waits for; not for ever, but then something else is put there.
 */

#include <errno.h>
#include <sys/mman.h>

#include <rte_power_intrinsics.h>

#include "xen_compat.h"
#include "xen_netif_ops.h"

/* For how long an lcore may keep a page that has to go. Linux lets it sleep for some tens of us. */
#define MONITOR_LIMIT_MS 100
#define MONITOR_LOOK_US 50

static int
has_changed(const uint64_t value, const uint64_t opaque[RTE_POWER_MONITOR_OPAQUE_SZ])
{
	return value != opaque[0] ? -1 : 0;
}

static void
monitor(struct rte_power_monitor_cond *cond, const volatile void *addr, uint8_t size,
		uint64_t value)
{
	*cond = (struct rte_power_monitor_cond){
		/* It is only read, but for a write of what is there that wakes the lcore up. */
		.addr = (volatile void *)(uintptr_t)addr,
		.size = size,
		.fn = has_changed,
		.opaque = { value },
	};
}

/* The ring of a queue that has but one, if it is attached. */
static bool
monitor_ring(struct xen_netif_queue *q, const struct xen_netif_driver *drv,
		struct rte_power_monitor_cond *cond)
{
	struct xen_netif_ring *ring = &q->rings->rx[q->id];
	bool attached;

	rte_spinlock_lock(&ring->lock);
	attached = ring->attached;
	if (attached) {
		__atomic_store_n(&q->rings->monitored[q->id], ring->sring.page, __ATOMIC_RELAXED);
		monitor(cond, drv->rx_prod(ring), sizeof(uint32_t), ring->cons);
	}
	rte_spinlock_unlock(&ring->lock);
	return attached;
}

int
xen_netif_monitor_addr(void *queue, struct rte_power_monitor_cond *cond)
{
	struct xen_netif_queue *q = queue;
	const struct xen_netif_driver *drv;
	uint16_t active;

	/* Not set up: ethdev does not look. */
	if (q == NULL)
		return -EINVAL;
	drv = netif_driver(&rte_eth_devices[q->port_id]);
	active = __atomic_load_n(&q->rings->active_queues, __ATOMIC_ACQUIRE);
	/* There is one address for a queue. */
	if (active > q->id + q->nb_queues)
		return -ENOTSUP;
	/*
	 * Whoever is asleep does not look at what waits. Notifications that are held back have the
	 * time: Linux has each sleep end sooner.
	 */
	if (__atomic_load_n(&q->rings->waiting_rings, __ATOMIC_RELAXED) != 0 || drv->rxq_holds(q))
		return -EBUSY;
	if (q->id >= active || !__atomic_load_n(&q->running, __ATOMIC_ACQUIRE) ||
			!monitor_ring(q, drv, cond))
		monitor(cond, &q->rings->active_queues, sizeof(q->rings->active_queues), active);
	return 0;
}

static bool
is_monitored(const struct xen_netif_rings *rings, const struct xen_netif_ring *ring)
{
	return ring->sring.page != NULL &&
			__atomic_load_n(&rings->monitored[ring->id], __ATOMIC_ACQUIRE) ==
			ring->sring.page;
}

/* A write of what is there wakes up whoever sleeps. */
static void
wake(const uint32_t *addr)
{
	uint32_t value = __atomic_load_n(addr, __ATOMIC_RELAXED);

	__atomic_compare_exchange_n((uint32_t *)(uintptr_t)addr, &value, value, false,
			__ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_netif_monitors_wait)
void
xen_netif_monitors_wait(struct xen_netif *nif)
{
	const struct xen_netif_driver *drv = netif_driver(&rte_eth_devices[nif->port_id]);
	uint64_t end = xen_bus_now_ms() + MONITOR_LIMIT_MS;
	struct xen_netif_ring *ring;
	unsigned int i;

	for (i = 0; i < XEN_NETIF_QUEUES_MAX; i++) {
		ring = &nif->rings.rx[i];
		while (is_monitored(&nif->rings, ring) && xen_bus_now_ms() < end) {
			wake(drv->rx_prod(ring));
			rte_delay_us_sleep(MONITOR_LOOK_US);
		}
	}
}

static void
forget(struct xen_netif_rings *rings, unsigned int queue)
{
	if (rings->filled[queue] != NULL)
		munmap(rings->filled[queue], XEN_PAGE_BYTES);
	rings->filled[queue] = NULL;
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_netif_monitor_unmapped)
void
xen_netif_monitor_unmapped(struct xen_netif_rings *rings, const struct xen_netif_ring *ring)
{
	void *page;

	if (ring != &rings->rx[ring->id] || !is_monitored(rings, ring))
		return;
	/* What stands in for another page nobody looks at any more. */
	forget(rings, ring->id);
	page = mmap(ring->sring.page, XEN_PAGE_BYTES, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	rings->filled[ring->id] = page != MAP_FAILED ? page : NULL;
	/* A kernel before 4.17 takes the address for a wish. */
	if (page != ring->sring.page)
		forget(rings, ring->id);
}

void
xen_netif_monitors_end(struct xen_netif_rings *rings)
{
	unsigned int i;

	for (i = 0; i < XEN_NETIF_QUEUES_MAX; i++)
		__atomic_store_n(&rings->monitored[i], NULL, __ATOMIC_RELEASE);
}

void
xen_netif_monitors_release(struct xen_netif_rings *rings)
{
	unsigned int i;

	for (i = 0; i < XEN_NETIF_QUEUES_MAX; i++)
		forget(rings, i);
}
