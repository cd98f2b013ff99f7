/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "vif_keys.h"

#define MTU_DEFAULT 1500
#define MTU_MIN 68
#define MTU_MAX 65517

#define BRIDGE_RULE \
	"NAME, NAME.VLAN, NAME:TRUNK:TRUNK... or NAME.VLAN:TRUNK:TRUNK..., with a VLAN from 0 to " \
	"4094 and others from 1 to 4094"
#define VLAN_RULE \
	"VLANs from 1 to 4094 with '/' between them, each VLAN, VLANp, FIRST-LAST or " \
	"FIRST+OFFSETxCOUNT"

/* An empty value is none, as for the scripts of xl. */
static bool
given(const char *text)
{
	return text != NULL && text[0] != '\0';
}

static int
fail_key(char *error, const char *key, const char *value, const char *why)
{
	struct text_quote quote;

	if (!given(value))
		return text_error(error, VIF_ERROR_SIZE, "%s: is missing, and has to be %s", key,
				why);
	return text_error(error, VIF_ERROR_SIZE, "%s=%s: has to be %s", key,
			text_quote(&quote, value), why);
}

bool
vif_keys_ours(const struct vif_texts *texts)
{
	const char *name;

	if (texts->script == NULL)
		return false;
	name = strrchr(texts->script, '/');
	return strcmp(name != NULL ? name + 1 : texts->script, "vif-xenvif") == 0;
}

static int
parse_name(const struct vif_texts *texts, unsigned int domid, unsigned int devid,
		struct vif_keys *keys, char *error)
{
	if (!given(texts->vifname)) {
		snprintf(keys->name, sizeof(keys->name), "vif%u.%u", domid, devid);
		return 0;
	}
	if (!name_valid(texts->vifname))
		return fail_key(error, "vifname", texts->vifname, NAME_RULE);
	snprintf(keys->name, sizeof(keys->name), "%s", texts->vifname);
	return 0;
}

/* --- bridge --- */

/* TRUNK:TRUNK...; ranges are no part of what vif scripts take. */
static bool
parse_trunks(const char *text, struct vlan_set *set)
{
	return strchr(text, '-') == NULL && vlan_parse_list(set, text, ':') == 0;
}

/* A number behind the last dot. */
static const char *
find_vlan(const char *name)
{
	const char *dot = strrchr(name, '.');

	if (dot == NULL || dot[1] == '\0' || dot[1 + strspn(dot + 1, "0123456789")] != '\0')
		return NULL;
	return dot + 1;
}

static bool
split_bridge(const char *text, bool (*is_bridge)(const char *name, const void *arg),
		const void *arg, struct vif_keys *keys)
{
	size_t len = strcspn(text, ":");
	const char *number;
	char name[NAME_SIZE + sizeof(".4094")];
	int vlan;

	if (len >= sizeof(name))
		return false;
	memcpy(name, text, len);
	name[len] = '\0';
	keys->vlan.native = text[len] == ':' ? VLAN_NONE : 0;
	number = find_vlan(name);
	if (number != NULL && !(name_valid(name) && is_bridge(name, arg))) {
		vlan = vlan_parse(number, 0);
		if (vlan < 0)
			return false;
		keys->vlan.native = vlan;
		*strrchr(name, '.') = '\0';
	}
	if (!name_valid(name) || (text[len] == ':' && !parse_trunks(text + len + 1, &keys->vlan)))
		return false;
	memcpy(keys->bridge, name, strlen(name) + 1);
	return true;
}

static int
parse_bridge(const struct vif_texts *texts, bool (*is_bridge)(const char *name, const void *arg),
		const void *arg, struct vif_keys *keys, char *error)
{
	const struct vlan_set *set = &keys->vlan;

	if (!given(texts->bridge) || !split_bridge(texts->bridge, is_bridge, arg, keys))
		return fail_key(error, "bridge", texts->bridge, BRIDGE_RULE);
	if (set->native != VLAN_NONE && vlan_is_tagged(set, set->native))
		return fail_key(error, "bridge", texts->bridge,
				"one with each VLAN either untagged or tagged");
	return 0;
}

/* --- vlan --- */

/* FIRST+OFFSETxCOUNT: the first, and so many more. */
static bool
parse_steps(char *term, struct vlan_set *set)
{
	char *plus = strchr(term, '+'), *x = strchr(plus, 'x');
	uint32_t first, offset, count;

	if (x == NULL)
		return false;
	*plus = '\0';
	*x = '\0';
	if (text_number(term, 1, VLAN_MAX, &first) != 0 ||
			text_number(plus + 1, 1, VLAN_MAX, &offset) != 0 ||
			text_number(x + 1, 0, VLAN_MAX, &count) != 0 ||
			first + offset * count > VLAN_MAX)
		return false;
	for (; count > 0; count--, first += offset)
		vlan_tag(set, first);
	vlan_tag(set, first);
	return true;
}

/* What is wrong with one of the terms: what all have to be. */
static const char *
parse_term(char *term, struct vlan_set *set)
{
	size_t len = strlen(term);
	int vlan;

	if (len > 0 && term[len - 1] == 'u')
		return "without 'u': untagged is the VLAN with 'p' alone";
	if (len > 0 && term[len - 1] == 'p') {
		term[len - 1] = '\0';
		vlan = vlan_parse(term, 1);
		if (vlan < 0)
			return VLAN_RULE;
		if (set->native != VLAN_NONE)
			return "with one 'p'";
		set->native = vlan;
		return NULL;
	}
	if (strchr(term, '+') != NULL)
		return parse_steps(term, set) ? NULL : VLAN_RULE;
	return vlan_parse_list(set, term, '/') == 0 ? NULL : VLAN_RULE;
}

/* Without 'p', a VLAN that is the only one is the untagged one. */
static const char *
choose_native(struct vlan_set *set)
{
	unsigned int vlan, only = 0;

	if (set->native != VLAN_NONE)
		return vlan_is_tagged(set, set->native) ?
				"one with each VLAN either untagged or tagged" :
				NULL;
	for (vlan = 1; vlan <= VLAN_MAX; vlan++) {
		if (!vlan_is_tagged(set, vlan))
			continue;
		if (only != 0)
			return "with a 'p' behind one of several VLANs, which is untagged";
		only = vlan;
	}
	memset(set, 0, sizeof(*set));
	set->native = only;
	return NULL;
}

static const char *
parse_terms(const char *text, struct vlan_set *set)
{
	const char *why = NULL;
	char term[32];
	size_t len;

	memset(set, 0, sizeof(*set));
	set->native = VLAN_NONE;
	for (;;) {
		len = strcspn(text, "/");
		if (len >= sizeof(term))
			return VLAN_RULE;
		memcpy(term, text, len);
		term[len] = '\0';
		why = parse_term(term, set);
		if (why != NULL)
			return why;
		if (text[len] == '\0')
			return choose_native(set);
		text += len + 1;
	}
}

static int
parse_vlan(const struct vif_texts *texts, struct vif_keys *keys, char *error)
{
	const char *why;

	if (!given(texts->vlan))
		return 0;
	if (strcmp(texts->bridge, keys->bridge) != 0)
		return fail_key(error, "vlan", texts->vlan, "left out where bridge has VLANs");
	why = parse_terms(texts->vlan, &keys->vlan);
	return why == NULL ? 0 : fail_key(error, "vlan", texts->vlan, why);
}

/* --- Addresses --- */

static int
hex_digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

static int
parse_mac(const struct vif_texts *texts, struct vif_keys *keys, char *error)
{
	const char *text = texts->mac;
	uint8_t *bytes = keys->mac.addr_bytes;
	unsigned int i, length = RTE_ETHER_ADDR_FMT_SIZE - 1;

	if (!given(text) || strlen(text) != length)
		goto wrong;
	for (i = 0; i < length; i++) {
		if (i % 3 == 2 ? text[i] != ':' : !isxdigit((unsigned char)text[i]))
			goto wrong;
	}
	for (i = 0; i < RTE_ETHER_ADDR_LEN; i++)
		bytes[i] = hex_digit(text[i * 3]) << 4 | hex_digit(text[i * 3 + 1]);
	if (rte_is_valid_assigned_ether_addr(&keys->mac))
		return 0;
wrong:
	return fail_key(error, "mac", text,
			"a MAC address such as 00:16:3e:01:02:03, not multicast and not zero");
}

/* Addresses of a single host alone. */
static bool
is_host(const struct vif_ip *ip)
{
	static const uint8_t zero[sizeof(ip->bytes)];

	if (ip->version == 4)
		return ip->bytes[0] != 0 && ip->bytes[0] < 224;
	return ip->bytes[0] != 0xFF && memcmp(ip->bytes, zero, sizeof(zero)) != 0;
}

static bool
parse_ip(const char *text, size_t len, struct vif_ip *ip)
{
	char address[INET6_ADDRSTRLEN];

	if (len >= sizeof(address))
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	memset(ip, 0, sizeof(*ip));
	ip->version = strchr(address, ':') == NULL ? 4 : 6;
	return inet_pton(ip->version == 4 ? AF_INET : AF_INET6, address, ip->bytes) == 1 &&
			is_host(ip);
}

static int
parse_ips(const struct vif_texts *texts, struct vif_keys *keys, char *error)
{
	const char *at = texts->ip != NULL ? texts->ip : "";
	size_t len;

	for (;; at += len) {
		at += strspn(at, TEXT_BLANKS);
		len = strcspn(at, TEXT_BLANKS);
		if (len == 0)
			return 0;
		if (keys->nb_ips == VIF_IPS_MAX)
			return fail_key(error, "ip", texts->ip,
					"at most " RTE_STR(VIF_IPS_MAX) " addresses");
		if (!parse_ip(at, len, &keys->ips[keys->nb_ips]))
			return fail_key(error, "ip", texts->ip,
					"IPv4 and IPv6 addresses of hosts, without /LENGTH, with "
					"blanks between them");
		keys->nb_ips++;
	}
}

static int
parse_mtu(const struct vif_texts *texts, struct vif_keys *keys, char *error)
{
	uint32_t mtu = MTU_DEFAULT;

	if (given(texts->mtu) && text_number(texts->mtu, MTU_MIN, MTU_MAX, &mtu) != 0)
		return fail_key(error, "mtu", texts->mtu,
				"a number from " RTE_STR(MTU_MIN) " to " RTE_STR(MTU_MAX));
	keys->mtu = mtu;
	return 0;
}

int
vif_keys_parse(const struct vif_texts *texts, unsigned int domid, unsigned int devid,
		bool (*is_bridge)(const char *name, const void *arg), const void *arg,
		struct vif_keys *keys, char *error)
{
	struct vif_keys read = { 0 };

	if (parse_name(texts, domid, devid, &read, error) != 0 ||
			parse_bridge(texts, is_bridge, arg, &read, error) != 0 ||
			parse_vlan(texts, &read, error) != 0 ||
			parse_mac(texts, &read, error) != 0 ||
			parse_ips(texts, &read, error) != 0 || parse_mtu(texts, &read, error) != 0)
		return -EINVAL;
	*keys = read;
	return 0;
}
