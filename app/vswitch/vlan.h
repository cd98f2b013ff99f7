/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef VLAN_H
#define VLAN_H

/**
 * @file
 * Which VLANs a port is a member of: IEEE 802.1Q.
 *
 * Untagged packets of a port are in its native VLAN. VLAN 0 is a network like any other, that of
 * a bridge on which nobody speaks of VLANs; no tag names it.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_common.h>

/** VLANs are 0 to 4094; 4095 is reserved. */
#define VLAN_MAX 4094
/** A port with this native VLAN takes no untagged packets, and is sent none. */
#define VLAN_NONE UINT16_MAX
/** The VLAN in a tag control information. */
#define VLAN_ID_MASK 0xFFFu
/** Words of 64 bits in a set of VLANs. */
#define VLAN_WORDS 64

/** The VLANs of a port. All zero: VLAN 0 alone, untagged. */
struct vlan_set {
	/** VLAN of untagged packets: 0 to 4094, or VLAN_NONE. */
	uint16_t native;
	/** VLANs 1 to 4094 whose packets are tagged: bit by bit. */
	uint64_t tagged[VLAN_WORDS];
};

/** Are packets of the VLAN (0 to 4095) tagged at that port? Any thread. */
static inline bool
vlan_is_tagged(const struct vlan_set *set, unsigned int vlan)
{
	return (set->tagged[vlan / VLAN_WORDS] >> (vlan % VLAN_WORDS) & 1) != 0;
}

/** Let the port be a tagged member of the VLAN: 1 to 4094. */
static inline void
vlan_tag(struct vlan_set *set, unsigned int vlan)
{
	set->tagged[vlan / VLAN_WORDS] |= UINT64_C(1) << (vlan % VLAN_WORDS);
}

/** Is the port a member of the VLAN, tagged or not? Any thread. */
static inline bool
vlan_has(const struct vlan_set *set, unsigned int vlan)
{
	return set->native == vlan || vlan_is_tagged(set, vlan);
}

/**
 * Read a list of VLANs, such as `10, 20-30`, and make the port a tagged member of each. One
 * may be there twice.
 *
 * @param separator
 *   The character between two: ',' (blanks around it are ignored), ':' or '/'.
 * @return
 *   0; -EINVAL: it is no such list, has a VLAN that is not 1 to 4094, or a range that goes down.
 *   Then the set is as it was.
 */
int
vlan_parse_list(struct vlan_set *set, const char *text, char separator);

/**
 * Read a VLAN: a number from \p min to 4094, in decimal digits alone.
 *
 * @return
 *   The VLAN, or -EINVAL.
 */
int
vlan_parse(const char *text, unsigned int min);

#endif /* VLAN_H */
