/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <string.h>

#include "xenvif_hash.h"

/* The control thread is the only writer: it reads without the lock. */
static uint32_t
change(struct xen_netif_hash *hash, const struct xen_hash_config *cfg)
{
	rte_spinlock_lock(&hash->lock);
	hash->cfg = *cfg;
	__atomic_store_n(&hash->generation, hash->generation + 1, __ATOMIC_RELAXED);
	__atomic_store_n(&hash->on, xen_hash_on(cfg), __ATOMIC_RELAXED);
	rte_spinlock_unlock(&hash->lock);
	return XEN_NETIF_CTRL_STATUS_SUCCESS;
}

uint32_t
xenvif_hash_set_algorithm(struct xen_netif_hash *hash, uint32_t algorithm)
{
	struct xen_hash_config cfg = hash->cfg;

	if (algorithm != XEN_NETIF_CTRL_HASH_ALGORITHM_NONE &&
			algorithm != XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ)
		return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
	cfg.algorithm = algorithm;
	return change(hash, &cfg);
}

/* Types belong to an algorithm: without one there are none to be asked for. */
uint32_t
xenvif_hash_get_types(const struct xen_netif_hash *hash, uint32_t *types)
{
	if (hash->cfg.algorithm == XEN_NETIF_CTRL_HASH_ALGORITHM_NONE)
		return XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED;
	*types = XEN_HASH_TYPES;
	return XEN_NETIF_CTRL_STATUS_SUCCESS;
}

uint32_t
xenvif_hash_set_types(struct xen_netif_hash *hash, uint32_t types)
{
	struct xen_hash_config cfg = hash->cfg;

	if ((types & ~XEN_HASH_TYPES) != 0 || cfg.algorithm == XEN_NETIF_CTRL_HASH_ALGORITHM_NONE)
		return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
	cfg.types = types;
	return change(hash, &cfg);
}

uint32_t
xenvif_hash_set_key(struct xen_netif_hash *hash, const uint8_t *key, uint32_t len)
{
	struct xen_hash_config cfg = hash->cfg;

	if (len > XEN_HASH_KEY_MAX)
		return XEN_NETIF_CTRL_STATUS_BUFFER_OVERFLOW;
	xen_hash_set_key(&cfg, key, len);
	return change(hash, &cfg);
}

uint32_t
xenvif_hash_set_mapping_size(struct xen_netif_hash *hash, uint32_t size)
{
	struct xen_hash_config cfg = hash->cfg;

	if (size > XEN_HASH_MAPPING_MAX)
		return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
	cfg.mapping_size = size;
	memset(cfg.mapping, 0, sizeof(cfg.mapping));
	return change(hash, &cfg);
}

uint32_t
xenvif_hash_check_mapping(const struct xen_netif_hash *hash, uint32_t nb, uint32_t offset)
{
	if (nb > XEN_HASH_MAPPING_MAX)
		return XEN_NETIF_CTRL_STATUS_BUFFER_OVERFLOW;
	/* Not their sum, which may wrap. */
	if (offset > hash->cfg.mapping_size || nb > hash->cfg.mapping_size - offset)
		return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
	return XEN_NETIF_CTRL_STATUS_SUCCESS;
}

uint32_t
xenvif_hash_set_mapping(struct xen_netif_hash *hash, const uint32_t *entries, uint32_t nb,
		uint32_t offset, uint16_t queues)
{
	struct xen_hash_config cfg = hash->cfg;
	uint32_t i;

	for (i = 0; i < nb; i++) {
		if (entries[i] >= queues || offset + i >= RTE_DIM(cfg.mapping))
			return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
		cfg.mapping[offset + i] = entries[i];
	}
	return change(hash, &cfg);
}

void
xenvif_hash_reset(struct xen_netif_hash *hash)
{
	const struct xen_hash_config none = { 0 };

	change(hash, &none);
}
