/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef VIF_KEYS_H
#define VIF_KEYS_H

/**
 * @file
 * What the toolstack says of a vif in its backend directory (xl-network-configuration(5), and
 * docs/misc/xenstore-paths): text in, a struct out. Knows no xenstore.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_ether.h>

#include "guard.h"
#include "name.h"
#include "vlan.h"

#define VIF_IPS_MAX 16
#define VIF_ERROR_SIZE 256

/** An address of the key `ip`. */
struct vif_ip {
	/** 4 or 6. */
	uint8_t version;
	/** In network order; of IPv4 the first four bytes. */
	uint8_t bytes[16];
};

/** The values of a vif's directory as they were read; NULL: there is no such key. */
struct vif_texts {
	const char *script;
	const char *bridge;
	const char *vlan;
	const char *mac;
	const char *ip;
	const char *mtu;
	const char *vifname;
};

/** A vif as its keys describe it. */
struct vif_keys {
	/** `vifname`, or vifDOMID.DEVID. */
	char name[NAME_SIZE];
	/** `bridge`, without its VLANs. */
	char bridge[NAME_SIZE];
	/** From `bridge` or `vlan`. */
	struct vlan_set vlan;
	struct rte_ether_addr mac;
	/** `mtu`, or 1500. */
	uint16_t mtu;
	unsigned int nb_ips;
	struct vif_ip ips[VIF_IPS_MAX];
};

/**
 * Does the vif ask for the switch? Its `script` is vif-xenvif, by whatever path.
 */
bool
vif_keys_ours(const struct vif_texts *texts);

/**
 * Read what a vif's keys say.
 *
 * `bridge` is NAME (untagged packets alone, of VLAN 0), NAME.VLAN (untagged packets alone, of that
 * VLAN), NAME:TRUNK:TRUNK... (tagged packets of these VLANs alone) or NAME.VLAN:TRUNK... (both).
 * A name with a dot and a number at its end that is the name of a bridge as a whole is that:
 * is_bridge() is asked first.
 *
 * `vlan`, as libxl writes it since 4.19: terms separated by '/', each a VLAN, one with the suffix
 * 'p' ("PVID", the untagged one; it may be left out of a VLAN that is the only one), FIRST-LAST, or
 * FIRST+OFFSETxCOUNT for the first one and COUNT more, OFFSET apart. 'u', for further untagged
 * VLANs, is refused. It excludes VLANs in `bridge`.
 *
 * No VLAN is both tagged and untagged. Keys that are empty count as missing. The bridge need not
 * exist.
 *
 * @param domid
 *   The guest's domain: 0 to 32751.
 * @param devid
 *   The vif's number: 0 to 65535.
 * @param is_bridge
 *   Whether there is a bridge of that name.
 * @param[out] keys
 *   Written whole, or not at all.
 * @param[out] error
 *   On failure one line that names the key, the value (printable, not too long) and what is
 *   allowed. VIF_ERROR_SIZE bytes.
 * @return
 *   0 or -EINVAL.
 */
int
vif_keys_parse(const struct vif_texts *texts, unsigned int domid, unsigned int devid,
		bool (*is_bridge)(const char *name, const void *arg), const void *arg,
		struct vif_keys *keys, char *error);

#endif /* VIF_KEYS_H */
