/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <string.h>

#include <rte_jhash.h>
#include <systemd/sd-id128.h>

#include "host_mac.h"

/* Of this program, so that nobody learns the machine's own id from an address. */
#define OUR_ID SD_ID128_MAKE(6d, 1c, 2a, 93, 5e, 0b, 4f, 77, 9a, 41, c8, 30, e2, 6f, 15, b4)

void
host_mac(const char *name, struct rte_ether_addr *mac)
{
	uint32_t low = 0, high = 0;
	sd_id128_t id = { 0 };
	uint64_t hash;

	sd_id128_get_machine_app_specific(OUR_ID, &id);
	rte_jhash_2hashes(&id, sizeof(id), &low, &high);
	rte_jhash_2hashes(name, strlen(name), &low, &high);
	hash = (uint64_t)high << 32 | low;
	memcpy(mac, &hash, sizeof(*mac));
	mac->addr_bytes[0] &= ~RTE_ETHER_GROUP_ADDR;
	mac->addr_bytes[0] |= RTE_ETHER_LOCAL_ADMIN_ADDR;
}
