/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XEN_MBUF_H
#define XEN_MBUF_H

/**
 * @file
 * Mbufs that are received in bursts, and that a driver is done with. They come from a mempool as
 * they are there, and nothing of them is taken to be set.
 */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <rte_compat.h>
#include <rte_mbuf.h>

/** The word rearm_data of a packet of a port's that is one mbuf, which nobody shares. */
static inline uint64_t
xen_mbuf_rearm(uint16_t port, uint16_t data_off)
{
	const struct rte_mbuf model = {
		.data_off = data_off,
		.refcnt = 1,
		.nb_segs = 1,
		.port = port,
	};
	uint64_t word;

	memcpy(&word, &model.rearm_data, sizeof(word));
	return word;
}

static __rte_always_inline void
xen_mbuf_set_rearm(struct rte_mbuf *m, uint64_t word)
{
	memcpy(&m->rearm_data, &word, sizeof(word));
}

static_assert(offsetof(struct rte_mbuf, data_len) ==
				offsetof(struct rte_mbuf, rx_descriptor_fields1) + 8,
		"the second word of the fields begins with the length");
static_assert(offsetof(struct rte_mbuf, vlan_tci) == offsetof(struct rte_mbuf, data_len) + 2,
		"behind that is the VLAN");

/**
 * Set the length of a packet of one mbuf; its type, hash and offloads are none.
 *
 * @param vlan_tci
 *   Its VLAN, or what the caller keeps in the place of that.
 */
static __rte_always_inline void
xen_mbuf_describe(struct rte_mbuf *m, uint16_t len, uint16_t vlan_tci)
{
	const uint64_t words[2] = { (uint64_t)len << 32, len | (uint32_t)vlan_tci << 16 };

	memcpy(m->rx_descriptor_fields1, words, sizeof(words));
	m->tx_offload = 0;
}

/**
 * Free packets that say of themselves that they are one mbuf, those of a mempool together. An
 * lcore.
 *
 * @param pkts
 *   The packets.
 * @param nb_pkts
 *   How many.
 * @param room
 *   For as many pointers, which are of no use afterwards; may be pkts.
 */
__rte_internal
void
xen_mbufs_free(struct rte_mbuf *const *pkts, unsigned int nb_pkts, struct rte_mbuf **room);

#endif /* XEN_MBUF_H */
