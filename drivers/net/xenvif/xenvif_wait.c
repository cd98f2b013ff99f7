/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>

#include <rte_cycles.h>
#include <rte_malloc.h>

#include "xenvif_rxtx.h"

int
xenvif_wait_txq_init(struct xen_netif_queue *q, unsigned int socket)
{
	struct xenvif_txq *txq = container_of(q, struct xenvif_txq, q);
	struct xenvif_txds *d = &txq->descs;
	unsigned int i;

	d->all = rte_zmalloc_socket("xenvif_txds", q->nb_desc * sizeof(*d->all), 0, socket);
	if (d->all == NULL)
		return -ENOMEM;
	rte_spinlock_init(&d->lock);
	STAILQ_INIT(&d->free);
	for (i = 0; i < q->nb_desc; i++) {
		d->all[i].txq = txq;
		STAILQ_INSERT_TAIL(&d->free, &d->all[i], next);
	}
	d->nb_free = q->nb_desc;
	return 0;
}

void
xenvif_wait_txq_fini(struct xen_netif_queue *q)
{
	struct xenvif_txq *txq = container_of(q, struct xenvif_txq, q);

	rte_free(txq->descs.all);
}

uint32_t
xenvif_wait_count(const struct xen_netif_ring *ring)
{
	const struct xenvif_wait *wait = ring->priv;

	return wait->nb;
}

uint16_t
xenvif_wait_free(const struct xenvif_txq *txq)
{
	return __atomic_load_n(&txq->descs.nb_free, __ATOMIC_RELAXED);
}

uint32_t
xenvif_wait_txq_free(struct xen_netif_queue *q)
{
	return xenvif_wait_free(container_of(q, struct xenvif_txq, q));
}

static struct xenvif_txd *
txd_get(struct xenvif_txds *d)
{
	struct xenvif_txd *txd;

	rte_spinlock_lock(&d->lock);
	txd = STAILQ_FIRST(&d->free);
	if (txd != NULL) {
		STAILQ_REMOVE_HEAD(&d->free, next);
		__atomic_store_n(&d->nb_free, d->nb_free - 1, __ATOMIC_RELAXED);
	}
	rte_spinlock_unlock(&d->lock);
	return txd;
}

static void
txd_put(struct xenvif_txd *txd)
{
	struct xenvif_txds *d = &txd->txq->descs;

	txd->mbuf = NULL;
	rte_spinlock_lock(&d->lock);
	/* The one used last is still in the cache. */
	STAILQ_INSERT_HEAD(&d->free, txd, next);
	__atomic_store_n(&d->nb_free, d->nb_free + 1, __ATOMIC_RELAXED);
	rte_spinlock_unlock(&d->lock);
}

static uint64_t
cycles_of(uint64_t ms)
{
	return rte_get_tsc_hz() / MS_PER_S * ms;
}

/* Has it been that long, by a ring's clock? */
static bool
passed(uint64_t since, uint64_t now, uint64_t ms)
{
	return now - since > cycles_of(ms);
}

/* Move the ring's clock on. The TSC of the lcore that looked last may be a little ahead. */
static uint64_t
wait_now(struct xenvif_wait *wait)
{
	uint64_t tsc = rte_get_tsc_cycles();

	if (tsc > wait->looked) {
		wait->clock += RTE_MIN(tsc - wait->looked, cycles_of(XENVIF_WAIT_STEP_MS));
		wait->looked = tsc;
	}
	return wait->clock;
}

/* Note what buffers the guest has, and whether it has posted any since the last look. */
static void
wait_look(struct xenvif_wait *wait, const struct xen_netif_ring *ring, uint32_t req_prod,
		uint64_t now)
{
	if (wait->posted == 0 || wait->req_prod != req_prod) {
		wait->req_prod = req_prod;
		wait->posted = now;
		wait->empty = 0;
		wait->stalled = false;
	}
	/* With buffers left, though too few for a packet, it has nothing more to post. */
	if (req_prod != ring->cons)
		return;
	if (wait->empty == 0)
		wait->empty = now;
	else if (passed(wait->empty, now, XENVIF_STALL_MS))
		wait->stalled = true;
}

/* Bursts of either direction look at the rings' lists only while some are not empty. */
static void
wait_resized(struct xen_netif_rings *rings, struct xenvif_wait *wait, uint32_t nb)
{
	if (wait->nb == 0 && nb != 0)
		__atomic_fetch_add(&rings->waiting_rings, 1, __ATOMIC_RELAXED);
	else if (wait->nb != 0 && nb == 0)
		__atomic_fetch_sub(&rings->waiting_rings, 1, __ATOMIC_RELAXED);
	wait->nb = nb;
}

/*
 * The descriptors are used up. Is that by a ring that the guest neglects, one of several that have
 * them in common?
 */
static bool
holds_up_others(const struct xenvif_txq *txq, const struct xenvif_wait *wait, uint64_t now)
{
	uint16_t active = __atomic_load_n(&txq->q.rings->active_queues, __ATOMIC_RELAXED);

	return txq->q.nb_queues < active && wait->empty != 0 &&
			passed(wait->empty, now, XENVIF_NEGLECTED_MS);
}

/* Have the guest tell when it posts buffers. True when it has done so, or will not tell. */
static bool
ask_for_buffers(const struct xen_netif_rings *rings, const struct xen_netif_ring *ring)
{
	const struct xenvif_wait *wait = ring->priv;

	if (wait->nb == 0)
		return false;
	return !rings->peer.rx_notify ||
			xen_ring_arm(&ring->sring.rx->req_event, &ring->sring.rx->req_prod,
					wait->req_prod);
}

/* Whoever has the ring's packets wait need not be the one that looks at them again. */
static void
wait_left(struct xen_netif_rings *rings, const struct xen_netif_ring *ring)
{
	if (rings->interrupts && ask_for_buffers(rings, ring))
		xen_netif_queue_wake(rings, ring->id);
}

uint16_t
xenvif_wait_put(struct xenvif_txq *txq, struct xen_netif_ring *ring, uint32_t req_prod,
		struct rte_mbuf **pkts, uint16_t nb_pkts)
{
	struct xenvif_wait *wait = ring->priv;
	uint64_t now = wait_now(wait);
	struct xenvif_txd *txd;
	uint16_t n;

	wait_look(wait, ring, req_prod, now);
	for (n = 0; n < nb_pkts && !wait->stalled; n++) {
		txd = txd_get(&txq->descs);
		if (txd == NULL)
			break;
		txd->mbuf = pkts[n];
		txd->since = now;
		STAILQ_INSERT_TAIL(&wait->list, txd, next);
	}
	wait_resized(txq->q.rings, wait, wait->nb + n);
	wait_left(txq->q.rings, ring);
	if (n < nb_pkts && holds_up_others(txq, wait, now))
		wait->stalled = true;
	if (!wait->stalled)
		return n;
	xen_count_add(&ring->count.wait_stalled, nb_pkts - n);
	xen_count_add(&txq->q.errors, nb_pkts - n);
	rte_pktmbuf_free_bulk(pkts + n, nb_pkts - n);
	return nb_pkts;
}

uint16_t
xenvif_wait_peek(const struct xen_netif_ring *ring, struct rte_mbuf **pkts, uint16_t nb_pkts,
		struct xenvif_txq **txq)
{
	const struct xenvif_wait *wait = ring->priv;
	const struct xenvif_txd *txd;
	uint16_t n = 0;

	if (wait->nb == 0)
		return 0;
	*txq = STAILQ_FIRST(&wait->list)->txq;
	STAILQ_FOREACH(txd, &wait->list, next) {
		if (n == nb_pkts || txd->txq != *txq)
			break;
		pkts[n++] = txd->mbuf;
	}
	return n;
}

void
xenvif_wait_pop(struct xen_netif_rings *rings, struct xen_netif_ring *ring, uint16_t n)
{
	struct xenvif_wait *wait = ring->priv;
	struct xenvif_txd *txd;
	uint16_t i;

	for (i = 0; i < n; i++) {
		txd = STAILQ_FIRST(&wait->list);
		STAILQ_REMOVE_HEAD(&wait->list, next);
		txd_put(txd);
	}
	if (n != 0)
		wait->cut = 0;
	wait_resized(rings, wait, wait->nb - n);
}

/* Drop the first packet. */
static void
drop_first(struct xen_netif_rings *rings, struct xen_netif_ring *ring, uint64_t *counter)
{
	const struct xenvif_wait *wait = ring->priv;
	struct xenvif_txd *txd = STAILQ_FIRST(&wait->list);

	__atomic_fetch_add(&txd->txq->q.late.errors, 1, __ATOMIC_RELAXED);
	xen_count_add(counter, 1);
	rte_pktmbuf_free(txd->mbuf);
	xenvif_wait_pop(rings, ring, 1);
}

bool
xenvif_wait_expire(struct xen_netif_rings *rings, struct xen_netif_ring *ring, uint32_t req_prod)
{
	struct xenvif_wait *wait = ring->priv;
	uint64_t now = wait_now(wait), since;
	bool dropped = false;

	wait_look(wait, ring, req_prod, now);
	while (wait->nb != 0) {
		since = STAILQ_FIRST(&wait->list)->since;
		if (wait->stalled)
			drop_first(rings, ring, &ring->count.wait_stalled);
		else if (passed(since, now, XENVIF_WAIT_MS))
			drop_first(rings, ring, &ring->count.wait_expired);
		else if (!dropped && req_prod != ring->cons &&
				passed(RTE_MAX(since, wait->posted), now, XENVIF_BLOCKED_MS))
			drop_first(rings, ring, &ring->count.wait_blocked);
		else
			break;
		dropped = true;
	}
	wait_left(rings, ring);
	return dropped;
}

void
xenvif_wait_flush(struct xen_netif_rings *rings, struct xen_netif_ring *ring)
{
	struct xenvif_wait *wait = ring->priv;

	while (wait->nb != 0)
		drop_first(rings, ring, &ring->count.wait_flushed);
	STAILQ_INIT(&wait->list);
	wait->cut = 0;
	wait->posted = 0;
	wait->empty = 0;
	wait->stalled = false;
}

/* Drop what one tx queue has waiting for the ring; all else keeps its order. */
static void
drop_queue(struct xen_netif_rings *rings, struct xen_netif_ring *ring, const struct xenvif_txq *txq)
{
	struct xenvif_wait *wait = ring->priv;
	uint32_t i, nb = wait->nb;
	struct xenvif_txd *txd = STAILQ_FIRST(&wait->list);
	uint16_t cut = txd != NULL && txd->txq != txq ? wait->cut : 0;

	for (i = 0; i < nb; i++) {
		txd = STAILQ_FIRST(&wait->list);
		if (txd->txq == txq) {
			drop_first(rings, ring, &ring->count.wait_flushed);
			continue;
		}
		STAILQ_REMOVE_HEAD(&wait->list, next);
		STAILQ_INSERT_TAIL(&wait->list, txd, next);
	}
	wait->cut = cut;
}

void
xenvif_wait_txq_stop(struct xen_netif_queue *q)
{
	const struct xenvif_txq *txq = container_of(q, struct xenvif_txq, q);
	struct xen_netif_ring *ring;
	unsigned int i;

	for (i = 0; i < XEN_NETIF_QUEUES_MAX; i++) {
		ring = &q->rings->tx[i];
		rte_spinlock_lock(&ring->lock);
		/* Nothing waits for a ring that is not, or its detach drops it. */
		if (ring->attached)
			drop_queue(q->rings, ring, txq);
		rte_spinlock_unlock(&ring->lock);
	}
}

bool
xenvif_wait_arm(struct xen_netif_rings *rings, struct xen_netif_ring *ring)
{
	bool ready;

	if (__atomic_load_n(&rings->waiting_rings, __ATOMIC_RELAXED) == 0)
		return false;
	rte_spinlock_lock(&ring->lock);
	ready = ring->attached && ask_for_buffers(rings, ring);
	rte_spinlock_unlock(&ring->lock);
	return ready;
}
