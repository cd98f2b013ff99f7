/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <string.h>

#include <rte_jhash.h>
#include <systemd/sd-id128.h>

#include "host_mac.h"
#include "name.h"

/* Of this program, so that nobody learns the machine's own id from an address. */
#define OUR_ID SD_ID128_MAKE(6d, 1c, 2a, 93, 5e, 0b, 4f, 77, 9a, 41, c8, 30, e2, 6f, 15, b4)

int
host_mac(const char *name, struct rte_ether_addr *mac)
{
	uint32_t low = 0, high = 0;
	/* The hash reads by words, and the last one whole. */
	uint32_t words[4] = { 0 }, text[NAME_SIZE / sizeof(uint32_t)] = { 0 };
	size_t len = strnlen(name, sizeof(text) - 1);
	sd_id128_t id;
	uint64_t hash;
	int ret;

	ret = sd_id128_get_machine_app_specific(OUR_ID, &id);
	if (ret >= 0)
		memcpy(words, &id, sizeof(words));
	rte_jhash_2hashes(words, sizeof(words), &low, &high);
	memcpy(text, name, len);
	rte_jhash_2hashes(text, len, &low, &high);
	hash = (uint64_t)high << 32 | low;
	memcpy(mac, &hash, sizeof(*mac));
	mac->addr_bytes[0] &= ~RTE_ETHER_GROUP_ADDR;
	mac->addr_bytes[0] |= RTE_ETHER_LOCAL_ADMIN_ADDR;
	return RTE_MIN(ret, 0);
}
