/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <string.h>

#include "xenfront_mcast.h"
#include "xenfront_rxtx.h"

/* Slots of a change: a request of no packet, and its extra info. */
#define CHANGE_SLOTS 2u

/* Put a change; the ring has room for it. */
static void
put_change(struct xen_netif_ring *ring, uint8_t type, uint64_t word)
{
	struct xenfront_tx_pages *tx = ring->priv;
	struct rte_ether_addr addr = xen_mcast_addr(word);
	struct netif_extra_info extra = { .type = type };
	struct netif_tx_sring *sring = ring->sring.tx;

	sring->ring[ring->prod++ & XEN_NETIF_RING_MASK].req = (struct netif_tx_request){
		.flags = NETTXF_extra_info,
		.id = xenfront_tx_ids_take(&tx->ids, XENFRONT_TX_MCAST),
	};
	memcpy(extra.u.mcast.addr, addr.addr_bytes, sizeof(extra.u.mcast.addr));
	memcpy(&sring->ring[ring->prod++ & XEN_NETIF_RING_MASK], &extra, sizeof(extra));
	tx->ids.nb_extras++;
	tx->ids.nb_mcast++;
}

static bool
has_room(const struct xen_netif_ring *ring)
{
	return XEN_NETIF_RING_SIZE - (ring->prod - ring->cons) >= CHANGE_SLOTS;
}

/* Put what one list has and the other one lacks; false: not all of it had room. */
static bool
put_changes(struct xen_netif_ring *ring, uint8_t type, struct xen_mcast *asked,
		const struct xen_mcast *wanted)
{
	bool adds = type == XEN_NETIF_EXTRA_TYPE_MCAST_ADD;
	uint64_t word;
	uint32_t i;

	for (i = 0; (word = adds ? xen_mcast_next_beyond(wanted, asked, &i) :
				   xen_mcast_next_beyond(asked, wanted, &i)) != 0;) {
		if (!has_room(ring))
			return false;
		/* The application may be changing what is wanted. */
		if (adds && !xen_mcast_add(asked, word))
			return false;
		if (!adds)
			xen_mcast_del(asked, word);
		put_change(ring, type, word);
	}
	return true;
}

/* With the ring's lock held. */
static enum xenfront_mcast_result
sync_locked(struct xen_netif_rings *rings, struct xen_netif_ring *ring,
		struct xenfront_mcast *mcast, const struct xen_mcast *wanted)
{
	struct xenfront_tx_pages *tx = ring->priv;
	uint16_t nb_free = tx->ids.nb_free;
	uint32_t old = ring->prod;
	const char *broken;
	bool all;

	/* Packets that are found to be refused are the next burst's to count. */
	broken = xenfront_response_reclaim(ring->sring.tx, ring->prod, &ring->cons, &tx->ids);
	if (tx->nb_held != 0)
		xenfront_tx_let_go(tx, nb_free);
	if (broken != NULL) {
		xen_netif_ring_broken(rings, ring, broken);
		return XENFRONT_MCAST_BROKEN;
	}
	all = put_changes(ring, XEN_NETIF_EXTRA_TYPE_MCAST_DEL, &mcast->asked, wanted) &&
			put_changes(ring, XEN_NETIF_EXTRA_TYPE_MCAST_ADD, &mcast->asked, wanted);
	if (ring->prod != old) {
		xen_ring_store(&ring->sring.tx->req_prod, ring->prod);
		xen_netif_notify(ring, &ring->sring.tx->req_event, ring->prod, old);
		xen_netif_notify_flush(ring);
		xen_count_add(&ring->count.slots, ring->prod - old);
	}
	mcast->refused |= tx->ids.nb_mcast_refused != 0;
	tx->ids.nb_mcast_refused = 0;
	return all && tx->ids.nb_mcast == 0 ? XENFRONT_MCAST_DONE : XENFRONT_MCAST_WAITS;
}

enum xenfront_mcast_result
xenfront_mcast_sync(struct xen_netif_rings *rings, struct xen_netif_ring *ring,
		struct xenfront_mcast *mcast, const struct xen_mcast *wanted)
{
	enum xenfront_mcast_result result = XENFRONT_MCAST_BROKEN;

	rte_spinlock_lock(&ring->lock);
	if (ring->broken == NULL)
		result = sync_locked(rings, ring, mcast, wanted);
	rte_spinlock_unlock(&ring->lock);
	return result;
}
