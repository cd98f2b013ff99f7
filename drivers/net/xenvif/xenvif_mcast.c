/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <string.h>

#include <rte_ether.h>

#include "xenvif_mcast.h"

/* An address as a word; that of a multicast address is never 0. */
static uint64_t
word_of(const uint8_t *addr)
{
	uint64_t word = 0;

	memcpy(&word, addr, RTE_ETHER_ADDR_LEN);
	return word;
}

/* The place of an address, or of 0: a free one; XENVIF_MCAST_MAX: there is none. */
static uint32_t
find(const struct xenvif_mcast *mcast, uint64_t word)
{
	uint32_t i, used = __atomic_load_n(&mcast->used, __ATOMIC_ACQUIRE);

	for (i = 0; i < used; i++) {
		if (__atomic_load_n(&mcast->addr[i], __ATOMIC_RELAXED) == word)
			return i;
	}
	return XENVIF_MCAST_MAX;
}

static bool
add(struct xenvif_mcast *mcast, uint64_t word)
{
	uint32_t i;

	if (find(mcast, word) != XENVIF_MCAST_MAX)
		return true;
	i = find(mcast, 0);
	if (i == XENVIF_MCAST_MAX && mcast->used < XENVIF_MCAST_MAX)
		i = mcast->used;
	if (i == XENVIF_MCAST_MAX)
		return false;
	__atomic_store_n(&mcast->addr[i], word, __ATOMIC_RELAXED);
	if (i == mcast->used)
		__atomic_store_n(&mcast->used, i + 1, __ATOMIC_RELEASE);
	return true;
}

/* What is not there need not be removed: xen-netback says so too. */
static void
del(struct xenvif_mcast *mcast, uint64_t word)
{
	uint32_t i = find(mcast, word);

	if (i != XENVIF_MCAST_MAX)
		__atomic_store_n(&mcast->addr[i], 0, __ATOMIC_RELAXED);
}

bool
xenvif_mcast_change(struct xenvif_mcast *mcast, const struct xenvif_request *r)
{
	bool adds = (r->extras & RTE_BIT32(XEN_NETIF_EXTRA_TYPE_MCAST_ADD)) != 0, ok = true;
	const uint8_t *addr;

	addr = r->extra[adds ? XEN_NETIF_EXTRA_TYPE_MCAST_ADD : XEN_NETIF_EXTRA_TYPE_MCAST_DEL]
			       .u.mcast.addr;
	if (!rte_is_multicast_ether_addr((const struct rte_ether_addr *)addr))
		return !adds;
	rte_spinlock_lock(&mcast->lock);
	if (adds)
		ok = add(mcast, word_of(addr));
	else
		del(mcast, word_of(addr));
	rte_spinlock_unlock(&mcast->lock);
	return ok;
}

/* The destination, wherever segments end: what a packet says of itself may be wrong. */
static bool
read_destination(const struct rte_mbuf *m, struct rte_ether_addr *dst)
{
	uint32_t done = 0, n;

	for (; m != NULL && done < RTE_ETHER_ADDR_LEN; m = m->next, done += n) {
		n = RTE_MIN(rte_pktmbuf_data_len(m), RTE_ETHER_ADDR_LEN - done);
		memcpy(&dst->addr_bytes[done], rte_pktmbuf_mtod(m, const void *), n);
	}
	return done == RTE_ETHER_ADDR_LEN;
}

bool
xenvif_mcast_passes(const struct xenvif_mcast *mcast, const struct rte_mbuf *m)
{
	struct rte_ether_addr dst;

	if (!read_destination(m, &dst) || !rte_is_multicast_ether_addr(&dst) ||
			rte_is_broadcast_ether_addr(&dst))
		return true;
	return find(mcast, word_of(dst.addr_bytes)) != XENVIF_MCAST_MAX;
}

void
xenvif_mcast_clear(struct xenvif_mcast *mcast)
{
	xenvif_mcast_set(mcast, false);
	rte_spinlock_lock(&mcast->lock);
	memset(mcast->addr, 0, sizeof(mcast->addr));
	__atomic_store_n(&mcast->used, 0, __ATOMIC_RELEASE);
	rte_spinlock_unlock(&mcast->lock);
}
