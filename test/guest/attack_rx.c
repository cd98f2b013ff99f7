/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* The ring of the guest's buffers (netif.h, "Guest receive"). */

#include "attack.h"

#define INDEX(n, a) \
	{ \
		.name = n, .target = ATTACK_RX, .outcome = ATTACK_CLOSED, \
		.why = "guest's RX ring: req_prod more than a ring ahead of rsp_prod", \
		.ahead = (a) \
	}
#define BUFFER(n, g, o) \
	{ \
		.name = n, .target = ATTACK_RX, .outcome = ATTACK_##o, .counter = "copy_errors", \
		.grant = RAWFRONT_GRANT_##g \
	}

const struct attack attack_rx[] = {
	BUFFER("rx-good", PAGE, ACCEPTED),
	BUFFER("rx-no-grant", NONE, DROPPED),
	BUFFER("rx-no-grant-far", NONE_FAR, DROPPED),
	BUFFER("rx-no-grant-last", NONE_LAST, DROPPED),
	BUFFER("rx-ended-grant", ENDED, DROPPED),
	BUFFER("rx-foreign-grant", FOREIGN, DROPPED),
	BUFFER("rx-read-only-grant", READ_ONLY, DROPPED),
	INDEX("rx-req-prod-ahead-257", 257),
	INDEX("rx-req-prod-ahead-half", 0x80000000),
	INDEX("rx-req-prod-behind-1", 0xFFFFFFFF),
};

const unsigned int attack_rx_nb = sizeof(attack_rx) / sizeof(attack_rx[0]);
