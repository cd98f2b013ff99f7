/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef CONFIG_KEYS_H
#define CONFIG_KEYS_H

/**
 * @file
 * The keys of each kind of section, and how their values are read.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"

/** More than any kind of section has keys. */
#define CONFIG_KEYS_MAX 16

/** A key. */
struct config_key {
	const char *name;
	/** What is allowed, to follow "has to be". */
	const char *rule;
	/**
	 * Read the value.
	 *
	 * @param[out] to
	 *   The field, written on success alone.
	 * @return
	 *   0; -EINVAL: it is not what is allowed.
	 */
	int (*parse)(const struct config_key *key, const char *value, void *to);
	/** Where the field is in the section's struct. */
	size_t offset;
	/** Least and greatest number that is allowed, or length of a text. */
	uint32_t min, max;
};

/** All keys of a kind of section. */
struct config_keys {
	const struct config_key *keys;
	unsigned int nb;
};

/** Of `[switch]`; their fields are in struct config. */
extern const struct config_keys config_switch_keys;
/** Of `[bridge NAME]`; struct config_bridge. */
extern const struct config_keys config_bridge_keys;
/** Of `[port NAME]`; struct config_port. */
extern const struct config_keys config_port_keys;

/** Is it the device of a PCI address, as 0000:03:00.0, 03:00.0 or pci:0000:03:00.0? */
bool
config_is_pci(const char *devargs);

/** Has `eal` the word? */
bool
config_eal_has(const char *eal, const char *word);

/** Let the port be a tagged member of all VLANs. */
void
config_trunks_all(struct vlan_set *set);

#endif /* CONFIG_KEYS_H */
