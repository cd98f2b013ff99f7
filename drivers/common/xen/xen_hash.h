/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XEN_HASH_H
#define XEN_HASH_H

/**
 * @file
 * How a guest wants the packets that it is sent to be hashed and spread over its queues (netif.h,
 * "Hash types" and "Hash algorithms"). Nothing of rings and of control messages.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_compat.h>
#include <rte_mbuf.h>

#include "xen_if.h"

/** Octets of a key: what the longest hashed data, the addresses and ports of IPv6, takes. */
#define XEN_HASH_KEY_MAX 40u

/** Entries of a mapping: what Windows and xen-netback have. */
#define XEN_HASH_MAPPING_MAX 128u

/** All types of hashes that there are: XEN_NETIF_CTRL_HASH_TYPE_*. */
#define XEN_HASH_TYPES \
	((uint32_t)(XEN_NETIF_CTRL_HASH_TYPE_IPV4 | XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP | \
			XEN_NETIF_CTRL_HASH_TYPE_IPV6 | XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP))

/** How packets are hashed, and where they go. All zero: they are not. */
struct xen_hash_config {
	/** XEN_NETIF_CTRL_HASH_ALGORITHM_*. */
	uint32_t algorithm;
	/** XEN_NETIF_CTRL_HASH_TYPE_*. */
	uint32_t types;
	/** The key's octets, as words of this machine; zero from its end on. */
	uint32_t key[XEN_HASH_KEY_MAX / sizeof(uint32_t)];
	/** Entries of the mapping; 0: a queue is the hash modulo their number. */
	uint32_t mapping_size;
	uint8_t mapping[XEN_HASH_MAPPING_MAX];
};

/**
 * Set the key; any thread.
 *
 * @param len
 *   Octets: XEN_HASH_KEY_MAX at most.
 */
__rte_internal
void
xen_hash_set_key(struct xen_hash_config *cfg, const uint8_t *key, uint32_t len);

/** Get all octets of the key; any thread. */
__rte_internal
void
xen_hash_get_key(const struct xen_hash_config *cfg, uint8_t key[XEN_HASH_KEY_MAX]);

/** Is anything to be hashed? */
static inline bool
xen_hash_on(const struct xen_hash_config *cfg)
{
	return cfg->algorithm != XEN_NETIF_CTRL_HASH_ALGORITHM_NONE && cfg->types != 0;
}

/**
 * Compute the hash of a packet; of several types the one that takes in most. An lcore.
 *
 * @param cfg
 *   How; xen_hash_on() holds.
 * @param m
 *   The packet, with any content; it is read only, and its own hash is not trusted.
 * @param hash
 *   Receives the hash.
 * @return
 *   Its type, _XEN_NETIF_CTRL_HASH_TYPE_*; -1 when none of those that are wanted is this packet's.
 */
__rte_internal
int
xen_hash_packet(const struct xen_hash_config *cfg, const struct rte_mbuf *m, uint32_t *hash);

/** Which of n queues a hash is for. An entry beyond them has become void, and stands for none. */
static inline uint16_t
xen_hash_queue(const struct xen_hash_config *cfg, uint32_t hash, uint16_t n)
{
	if (cfg->mapping_size == 0)
		return hash % n;
	return cfg->mapping[hash % cfg->mapping_size] % n;
}

/** Fill extra info with the hash of a packet (netif.h, XEN_NETIF_EXTRA_TYPE_HASH). */
static inline void
xen_hash_to_extra(struct netif_extra_info *extra, int type, uint32_t hash)
{
	unsigned int i;

	extra->u.hash.type = type;
	extra->u.hash.algorithm = XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ;
	for (i = 0; i < sizeof(extra->u.hash.value); i++)
		extra->u.hash.value[i] = hash >> 8 * i;
}

/** Note the hash that extra info has in its packet, if it is one that is known. */
static inline void
xen_hash_from_extra(const struct netif_extra_info *extra, struct rte_mbuf *m)
{
	const uint8_t *value = extra->u.hash.value;

	if (extra->u.hash.algorithm != XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ ||
			extra->u.hash.type > _XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP)
		return;
	m->hash.rss = (uint32_t)value[3] << 24 | value[2] << 16 | value[1] << 8 | value[0];
	m->ol_flags |= RTE_MBUF_F_RX_RSS_HASH;
}

#endif /* XEN_HASH_H */
