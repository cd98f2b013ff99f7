/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef GRANTS_H
#define GRANTS_H

/**
 * @file
 * A guest's messages for static grants, with the list in a page of its own.
 */

#include "ctrl.h"

#define GET_GRANTS XEN_NETIF_CTRL_TYPE_GET_GREF_MAPPING_SIZE
#define ADD_GRANTS XEN_NETIF_CTRL_TYPE_ADD_GREF_MAPPING
#define DEL_GRANTS XEN_NETIF_CTRL_TYPE_DEL_GREF_MAPPING

/** Entries of the list, and flags, by short names. */
#define GRANTS_LIST 512u
#define READ_ONLY XEN_NETIF_CTRLF_GREF_readonly

/** The data page with the list. */
#define GRANTS_PAGE 511

static inline struct xen_netif_gref *
grants_page(const struct vif *v)
{
	return (struct xen_netif_gref *)rawfront_page(&v->f, GRANTS_PAGE);
}

static inline uint32_t
grants_gref(const struct vif *v)
{
	return v->f.gref[GRANTS_PAGE];
}

/** Write a list of data pages from first on. The status of each is one that is none. */
void
grants_list(const struct vif *v, unsigned int first, unsigned int nb, uint16_t flags);

/** Ask how many pages a queue may have, register the first of the list, or remove them. */
uint32_t
grants_size(struct vif *v, uint32_t queue, uint32_t *pages);
uint32_t
grants_add(struct vif *v, uint32_t queue, uint32_t nb);
uint32_t
grants_del(struct vif *v, uint32_t queue, uint32_t nb, uint32_t *found);

#endif /* GRANTS_H */
