/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* The control ring (netif.h, "Control ring" and "Control messages"). */

#include "attack.h"

#define CTRL(n, o) .name = n, .target = ATTACK_CTRL, .outcome = ATTACK_##o
#define INDEX(n, a) \
	{ \
		CTRL(n, CLOSED), \
				.why = "guest's control ring: req_prod more than a ring ahead of " \
				       "rsp_prod", \
				.ahead = (a) \
	}
#define REFUSED(n, t, s, ...) \
	{ \
		CTRL(n, DROPPED), \
				.ctrl = { \
					.type = (t), \
					.status = XEN_NETIF_CTRL_STATUS_##s, \
					.data = { __VA_ARGS__ }, \
				}, \
	}
#define ACCEPTED(n, t, ...) \
	{ \
		CTRL(n, ACCEPTED), .ctrl = {.type = (t), .data = { __VA_ARGS__ } } \
	}
#define KEY(n, g, o, s) \
	{ \
		CTRL(n, o), .grant = RAWFRONT_GRANT_##g, \
			    .ctrl = { \
				    .type = XEN_NETIF_CTRL_TYPE_SET_HASH_KEY, \
				    .refers = true, \
				    .data = { 0, 40 }, \
				    .status = XEN_NETIF_CTRL_STATUS_##s, \
			    }, \
	}

const struct attack attack_ctrl[] = {
	ACCEPTED("ctrl-mapping-size", XEN_NETIF_CTRL_TYPE_GET_HASH_MAPPING_SIZE, 0),
	ACCEPTED("ctrl-key-none", XEN_NETIF_CTRL_TYPE_SET_HASH_KEY, UINT32_MAX, 0),
	ACCEPTED("ctrl-mapping-of-nothing", XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING, UINT32_MAX, 0, 0),
	KEY("ctrl-key", PAGE, ACCEPTED, SUCCESS),
	KEY("ctrl-key-read-only-grant", READ_ONLY, ACCEPTED, SUCCESS),
	KEY("ctrl-key-no-grant", NONE, DROPPED, INVALID_PARAMETER),
	KEY("ctrl-key-no-grant-far", NONE_FAR, DROPPED, INVALID_PARAMETER),
	KEY("ctrl-key-no-grant-last", NONE_LAST, DROPPED, INVALID_PARAMETER),
	KEY("ctrl-key-ended-grant", ENDED, DROPPED, INVALID_PARAMETER),
	KEY("ctrl-key-foreign-grant", FOREIGN, DROPPED, INVALID_PARAMETER),
	REFUSED("ctrl-key-41", XEN_NETIF_CTRL_TYPE_SET_HASH_KEY, BUFFER_OVERFLOW, 1, 41),
	REFUSED("ctrl-key-last", XEN_NETIF_CTRL_TYPE_SET_HASH_KEY, BUFFER_OVERFLOW, 1, UINT32_MAX),
	REFUSED("ctrl-size-129", XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE, INVALID_PARAMETER, 129),
	REFUSED("ctrl-size-last", XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE, INVALID_PARAMETER,
			UINT32_MAX),
	REFUSED("ctrl-mapping-past-size", XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING, INVALID_PARAMETER,
			1, 1, 0),
	REFUSED("ctrl-mapping-wraps", XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING, INVALID_PARAMETER, 1, 1,
			UINT32_MAX),
	REFUSED("ctrl-mapping-129", XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING, BUFFER_OVERFLOW, 1, 129,
			0),
	REFUSED("ctrl-mapping-wraps-in-bytes", XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING,
			BUFFER_OVERFLOW, 1, 0x40000001, 0),
	REFUSED("ctrl-algorithm-2", XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM, INVALID_PARAMETER, 2),
	REFUSED("ctrl-flags-without-algorithm", XEN_NETIF_CTRL_TYPE_SET_HASH_FLAGS,
			INVALID_PARAMETER, 1),
	ACCEPTED("ctrl-grants-size", XEN_NETIF_CTRL_TYPE_GET_GREF_MAPPING_SIZE, 0),
	REFUSED("ctrl-grants-size-of-no-queue", XEN_NETIF_CTRL_TYPE_GET_GREF_MAPPING_SIZE,
			INVALID_PARAMETER, 32),
	ACCEPTED("ctrl-grants-add-nothing", XEN_NETIF_CTRL_TYPE_ADD_GREF_MAPPING, 0, UINT32_MAX, 0),
	REFUSED("ctrl-grants-add-no-grant", XEN_NETIF_CTRL_TYPE_ADD_GREF_MAPPING, INVALID_PARAMETER,
			0, UINT32_MAX, 512),
	REFUSED("ctrl-grants-add-513", XEN_NETIF_CTRL_TYPE_ADD_GREF_MAPPING, INVALID_PARAMETER, 0,
			1, 513),
	REFUSED("ctrl-grants-add-wraps-in-bytes", XEN_NETIF_CTRL_TYPE_ADD_GREF_MAPPING,
			INVALID_PARAMETER, 0, 1, 0x20000001),
	REFUSED("ctrl-grants-add-to-no-queue", XEN_NETIF_CTRL_TYPE_ADD_GREF_MAPPING,
			INVALID_PARAMETER, UINT32_MAX, 1, 1),
	ACCEPTED("ctrl-grants-delete-nothing", XEN_NETIF_CTRL_TYPE_DEL_GREF_MAPPING, 0, UINT32_MAX,
			0),
	REFUSED("ctrl-grants-delete-no-grant", XEN_NETIF_CTRL_TYPE_DEL_GREF_MAPPING,
			INVALID_PARAMETER, 0, UINT32_MAX, 512),
	REFUSED("ctrl-grants-delete-513", XEN_NETIF_CTRL_TYPE_DEL_GREF_MAPPING, INVALID_PARAMETER,
			0, 1, 513),
	REFUSED("ctrl-grants-delete-of-no-queue", XEN_NETIF_CTRL_TYPE_DEL_GREF_MAPPING,
			INVALID_PARAMETER, UINT32_MAX, 1, 1),
	REFUSED("ctrl-type-0", XEN_NETIF_CTRL_TYPE_INVALID, NOT_SUPPORTED, 0),
	REFUSED("ctrl-type-11", 11, NOT_SUPPORTED, 1, 2, 3),
	REFUSED("ctrl-type-last", 0xFFFF, NOT_SUPPORTED, 1, 2, 3),
	INDEX("ctrl-req-prod-ahead-129", 129),
	INDEX("ctrl-req-prod-ahead-half", 0x80000000),
	INDEX("ctrl-req-prod-behind-1", 0xFFFFFFFF),
};

const unsigned int attack_ctrl_nb = sizeof(attack_ctrl) / sizeof(attack_ctrl[0]);
