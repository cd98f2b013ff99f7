/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * What a toolstack says of a vif, for the switch.
 *
 * Input: lines, the values of script, bridge, vlan, mac, ip, mtu and vifname. One that begins with
 * '!' is missing, as are those behind the last line.
 */

#include <errno.h>
#include <stdlib.h>

#include "fuzz.h"
#include "vif_keys.h"

#define UNTOUCHED 0xA5

/* Some are. */
static bool
is_bridge(const char *name, const void *arg)
{
	fuzz_check(name_valid(name) && arg == NULL);
	return name[0] == 'b';
}

/* Take a line, as text of its own. */
static char *
take_value(struct fuzz_input *in)
{
	const uint8_t *end = in->left > 0 ? memchr(in->data, '\n', in->left) : NULL;
	size_t len = end != NULL ? (size_t)(end - in->data) : in->left;
	char *value = NULL;

	if (in->left == 0)
		return NULL;
	if (in->data[0] != '!') {
		value = strndup((const char *)in->data, len);
		fuzz_check(value != NULL);
	}
	in->data += end != NULL ? len + 1 : len;
	in->left -= end != NULL ? len + 1 : len;
	return value;
}

static void
check_ip(const struct vif_ip *ip)
{
	unsigned int i, ones = 0;

	fuzz_check(ip->version == 4 || ip->version == 6);
	for (i = 0; i < sizeof(ip->bytes); i++)
		ones |= ip->bytes[i];
	fuzz_check(ones != 0);
	for (i = 4; i < sizeof(ip->bytes) && ip->version == 4; i++)
		fuzz_check(ip->bytes[i] == 0);
}

static void
check_keys(const struct vif_keys *keys, const struct vif_texts *texts)
{
	const struct vlan_set *set = &keys->vlan;
	unsigned int i, members = 0;

	fuzz_check(name_valid(keys->name) && name_valid(keys->bridge));
	fuzz_check(strncmp(texts->bridge, keys->bridge, strlen(keys->bridge)) == 0);
	fuzz_check(rte_is_valid_assigned_ether_addr(&keys->mac));
	fuzz_check(keys->mtu >= 68 && keys->mtu <= 65517);
	fuzz_check(set->native <= VLAN_MAX || set->native == VLAN_NONE);
	fuzz_check(!vlan_is_tagged(set, 0) && !vlan_is_tagged(set, VLAN_ID_MASK));
	fuzz_check(set->native == VLAN_NONE || !vlan_is_tagged(set, set->native));
	for (i = 0; i <= VLAN_MAX; i++)
		members += vlan_has(set, i);
	fuzz_check(members > 0);
	fuzz_check(keys->nb_ips <= VIF_IPS_MAX);
	for (i = 0; i < keys->nb_ips; i++)
		check_ip(&keys->ips[i]);
}

static void
check_error(const struct vif_keys *keys, const char *error)
{
	const uint8_t *byte = (const uint8_t *)keys;
	size_t i;

	for (i = 0; i < sizeof(*keys); i++)
		fuzz_check(byte[i] == UNTOUCHED);
	fuzz_check(error[0] != '\0');
	/* Nothing is so long that it would be cut. */
	fuzz_check(strnlen(error, VIF_ERROR_SIZE) < VIF_ERROR_SIZE - 1);
	for (; *error != '\0'; error++)
		fuzz_check(*error >= ' ' && *error <= '~');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { .data = data, .left = size };
	char error[VIF_ERROR_SIZE] = "", *values[7];
	struct vif_texts texts = { 0 };
	struct vif_keys keys;
	unsigned int i;
	int ret;

	for (i = 0; i < RTE_DIM(values); i++)
		values[i] = take_value(&in);
	texts.script = values[0];
	texts.bridge = values[1];
	texts.vlan = values[2];
	texts.mac = values[3];
	texts.ip = values[4];
	texts.mtu = values[5];
	texts.vifname = values[6];
	if (vif_keys_ours(&texts))
		fuzz_check(strstr(texts.script, "vif-xenvif") != NULL);
	memset(&keys, UNTOUCHED, sizeof(keys));
	ret = vif_keys_parse(&texts, 32751, 65535, is_bridge, NULL, &keys, error);
	fuzz_check(ret == 0 || ret == -EINVAL);
	if (ret == 0)
		check_keys(&keys, &texts);
	else
		check_error(&keys, error);
	for (i = 0; i < RTE_DIM(values); i++)
		free(values[i]);
	return 0;
}
