/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include "grants.h"

void
grants_list(const struct vif *v, unsigned int first, unsigned int nb, uint16_t flags)
{
	struct xen_netif_gref *list = grants_page(v);
	unsigned int i;

	for (i = 0; i < nb; i++)
		list[i] = (struct xen_netif_gref){
			.ref = v->f.gref[(first + i) % RAWFRONT_PAGES],
			.flags = flags,
			.status = 0xFFFF,
		};
}

uint32_t
grants_size(struct vif *v, uint32_t queue, uint32_t *pages)
{
	return rawfront_ctrl_call(&v->f, GET_GRANTS, queue, 0, 0, pages);
}

uint32_t
grants_add(struct vif *v, uint32_t queue, uint32_t nb)
{
	uint32_t status, data;

	status = rawfront_ctrl_call(&v->f, ADD_GRANTS, queue, grants_gref(v), nb, &data);
	assert_int_equal(data, 0);
	return status;
}

uint32_t
grants_del(struct vif *v, uint32_t queue, uint32_t nb, uint32_t *found)
{
	return rawfront_ctrl_call(&v->f, DEL_GRANTS, queue, grants_gref(v), nb, found);
}
