/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef TAGGED_H
#define TAGGED_H

/** @file What tests ask of a set of VLANs. */

#include "vlan.h"

/** How many VLANs are tagged. */
static inline unsigned int
count_tagged(const struct vlan_set *set)
{
	unsigned int vlan, count = 0;

	for (vlan = 0; vlan <= VLAN_ID_MASK; vlan++)
		count += vlan_is_tagged(set, vlan);
	return count;
}

#endif /* TAGGED_H */
