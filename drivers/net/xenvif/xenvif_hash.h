/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XENVIF_HASH_H
#define XENVIF_HASH_H

/**
 * @file
 * What a guest's control messages say about hashing (netif.h, "Control messages"), carried out: the
 * control thread changes the configuration, lcores take copies of it. Each function returns the
 * status of the response, XEN_NETIF_CTRL_STATUS_*; unless that is SUCCESS, nothing has changed.
 * Nothing of rings and grants here.
 */

#include "xen_netif_queue.h"

/** XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM */
uint32_t
xenvif_hash_set_algorithm(struct xen_netif_hash *hash, uint32_t algorithm);

/**
 * XEN_NETIF_CTRL_TYPE_GET_HASH_FLAGS
 *
 * @param types
 *   Receives those that can be computed.
 */
uint32_t
xenvif_hash_get_types(const struct xen_netif_hash *hash, uint32_t *types);

/** XEN_NETIF_CTRL_TYPE_SET_HASH_FLAGS */
uint32_t
xenvif_hash_set_types(struct xen_netif_hash *hash, uint32_t types);

/**
 * XEN_NETIF_CTRL_TYPE_SET_HASH_KEY
 *
 * @param len
 *   Octets of the key: XEN_HASH_KEY_MAX at most.
 */
uint32_t
xenvif_hash_set_key(struct xen_netif_hash *hash, const uint8_t *key, uint32_t len);

/** XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE */
uint32_t
xenvif_hash_set_mapping_size(struct xen_netif_hash *hash, uint32_t size);

/**
 * May so many entries of the mapping be set from an offset on? To be asked before they are fetched
 * (XSA-270).
 */
uint32_t
xenvif_hash_check_mapping(const struct xen_netif_hash *hash, uint32_t nb, uint32_t offset);

/**
 * XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING
 *
 * @param entries
 *   A private copy of them.
 * @param nb
 *   How many: xenvif_hash_check_mapping() allows it. What is beyond the table is refused here, too.
 * @param queues
 *   Queues of the guest: each entry is one of them.
 */
uint32_t
xenvif_hash_set_mapping(struct xen_netif_hash *hash, const uint32_t *entries, uint32_t nb,
		uint32_t offset, uint16_t queues);

/** Forget all of it: the next frontend begins anew. */
void
xenvif_hash_reset(struct xen_netif_hash *hash);

/** A copy for the data path, which is renewed only after a change. */
struct xenvif_hash_copy {
	uint32_t generation;
	struct xen_hash_config cfg;
};

/** How the guest wants its packets hashed, by a renewed copy; NULL: not at all. An lcore. */
static inline const struct xen_hash_config *
xenvif_hash_wanted(struct xen_netif_hash *hash, struct xenvif_hash_copy *copy)
{
	if (likely(!__atomic_load_n(&hash->on, __ATOMIC_RELAXED)))
		return NULL;
	if (unlikely(__atomic_load_n(&hash->generation, __ATOMIC_RELAXED) != copy->generation)) {
		rte_spinlock_lock(&hash->lock);
		copy->generation = hash->generation;
		copy->cfg = hash->cfg;
		rte_spinlock_unlock(&hash->lock);
	}
	return xen_hash_on(&copy->cfg) ? &copy->cfg : NULL;
}

#endif /* XENVIF_HASH_H */
