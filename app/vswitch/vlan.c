/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>

#include "text.h"
#include "vlan.h"

int
vlan_parse_list(struct vlan_set *set, const char *text, char separator)
{
	uint64_t tagged[VLAN_WORDS] = { 0 };
	unsigned int i;

	RTE_BUILD_BUG_ON(VLAN_WORDS != TEXT_LIST_WORDS);
	if (text_list(text, separator, 1, VLAN_MAX, tagged) < 0)
		return -EINVAL;
	for (i = 0; i < VLAN_WORDS; i++)
		set->tagged[i] |= tagged[i];
	return 0;
}

int
vlan_parse(const char *text, unsigned int min)
{
	uint32_t vlan;

	return text_number(text, min, VLAN_MAX, &vlan) == 0 ? (int)vlan : -EINVAL;
}
