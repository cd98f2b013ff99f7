/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <string.h>

#include "xen_compat.h"
#include "xen_mcast.h"

RTE_EXPORT_INTERNAL_SYMBOL(xen_mcast_word)
uint64_t
xen_mcast_word(const struct rte_ether_addr *addr)
{
	uint64_t word = 0;

	memcpy(&word, addr->addr_bytes, RTE_ETHER_ADDR_LEN);
	return word;
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_mcast_addr)
struct rte_ether_addr
xen_mcast_addr(uint64_t word)
{
	struct rte_ether_addr addr;

	memcpy(addr.addr_bytes, &word, RTE_ETHER_ADDR_LEN);
	return addr;
}

/* The place of an address, or of 0: a free one; XEN_MCAST_MAX: there is none. */
static uint32_t
find(const struct xen_mcast *mcast, uint64_t word)
{
	uint32_t i, used = __atomic_load_n(&mcast->used, __ATOMIC_ACQUIRE);

	for (i = 0; i < used; i++) {
		if (__atomic_load_n(&mcast->addr[i], __ATOMIC_RELAXED) == word)
			return i;
	}
	return XEN_MCAST_MAX;
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_mcast_has)
bool
xen_mcast_has(const struct xen_mcast *mcast, uint64_t word)
{
	return find(mcast, word) != XEN_MCAST_MAX;
}

static bool
add(struct xen_mcast *mcast, uint64_t word)
{
	uint32_t i;

	if (find(mcast, word) != XEN_MCAST_MAX)
		return true;
	i = find(mcast, 0);
	if (i == XEN_MCAST_MAX && mcast->used < XEN_MCAST_MAX)
		i = mcast->used;
	if (i == XEN_MCAST_MAX)
		return false;
	__atomic_store_n(&mcast->addr[i], word, __ATOMIC_RELAXED);
	if (i == mcast->used)
		__atomic_store_n(&mcast->used, i + 1, __ATOMIC_RELEASE);
	return true;
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_mcast_add)
bool
xen_mcast_add(struct xen_mcast *mcast, uint64_t word)
{
	bool added;

	rte_spinlock_lock(&mcast->lock);
	added = add(mcast, word);
	rte_spinlock_unlock(&mcast->lock);
	return added;
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_mcast_del)
void
xen_mcast_del(struct xen_mcast *mcast, uint64_t word)
{
	uint32_t i;

	rte_spinlock_lock(&mcast->lock);
	i = find(mcast, word);
	if (i != XEN_MCAST_MAX)
		__atomic_store_n(&mcast->addr[i], 0, __ATOMIC_RELAXED);
	rte_spinlock_unlock(&mcast->lock);
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_mcast_clear)
void
xen_mcast_clear(struct xen_mcast *mcast)
{
	uint32_t i;

	rte_spinlock_lock(&mcast->lock);
	for (i = 0; i < XEN_MCAST_MAX; i++)
		__atomic_store_n(&mcast->addr[i], 0, __ATOMIC_RELAXED);
	__atomic_store_n(&mcast->used, 0, __ATOMIC_RELEASE);
	rte_spinlock_unlock(&mcast->lock);
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_mcast_next_beyond)
uint64_t
xen_mcast_next_beyond(const struct xen_mcast *mcast, const struct xen_mcast *other, uint32_t *i)
{
	uint64_t word;

	while (*i < __atomic_load_n(&mcast->used, __ATOMIC_ACQUIRE)) {
		word = __atomic_load_n(&mcast->addr[(*i)++], __ATOMIC_RELAXED);
		if (word != 0 && !xen_mcast_has(other, word))
			return word;
	}
	return 0;
}
