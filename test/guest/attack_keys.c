/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* The keys of the guest's directory (netif.h, from "feature-rx-notify" to "multi-queue"). */

#include "attack.h"

#define NOT_A_NUMBER "is not a number"
#define TOO_LONG "too long to be a number"

/* Text with whatever bytes, and other values. */
#define KEY(n, k) .name = n, .target = ATTACK_KEYS, .outcome = ATTACK_CLOSED, .key = k
#define BYTES(v) .text = v, .len = sizeof(v) - 1
#define TEXT(n, k, v, w) \
	{ \
		KEY(n, k), BYTES(v), .why = w \
	}
#define VALUE(n, k, v, w) \
	{ \
		KEY(n, k), .value = ATTACK_##v, .why = w \
	}
#define GREF(n, k, g, w) \
	{ \
		KEY(n, k), .value = ATTACK_GREF, .grant = RAWFRONT_GRANT_##g, .why = w \
	}
#define INDEX(n, k, v, a, w) \
	{ \
		KEY(n, k), .value = ATTACK_##v, .ahead = a, .why = w \
	}
/* The reason names the key: not a number, a number out of range, not there. */
#define NUMBER(n, k, v, w) \
	{ \
		KEY(n, k), BYTES(v), .named = true, .why = w \
	}
#define WORD(k) NUMBER(k "-word", k, "abc", NOT_A_NUMBER)
#define MISSING(k) \
	{ \
		KEY(k "-missing", k), .value = ATTACK_MISSING, .named = true, .why = "is missing" \
	}
/* With one event channel a queue, and with four queues. */
#define ONE_PORT(n, v, w) \
	{ \
		KEY(n, "event-channel"), BYTES(v), .single = true, .named = true, .why = w \
	}
#define QUEUES_MISSING(n, k) \
	{ \
		KEY(n, k), .queues = 4, .value = ATTACK_MISSING, .named = true, \
			   .why = "is missing" \
	}
#define QUEUES(n, k, ...) \
	{ \
		KEY(n, k), .queues = 4, __VA_ARGS__ \
	}

const struct attack attack_keys[] = {
	/* All that no number is. What holds for this key holds for each that is a number. */
	NUMBER("number-empty", "tx-ring-ref", "", NOT_A_NUMBER),
	NUMBER("number-word", "tx-ring-ref", "abc", NOT_A_NUMBER),
	NUMBER("number-negative", "tx-ring-ref", "-1", NOT_A_NUMBER),
	NUMBER("number-plus", "tx-ring-ref", "+1", NOT_A_NUMBER),
	NUMBER("number-after-space", "tx-ring-ref", " 1", NOT_A_NUMBER),
	NUMBER("number-before-space", "tx-ring-ref", "1 ", NOT_A_NUMBER),
	NUMBER("number-with-point", "tx-ring-ref", "1.0", NOT_A_NUMBER),
	NUMBER("number-hexadecimal", "tx-ring-ref", "0x10", NOT_A_NUMBER),
	NUMBER("number-of-33-bits", "tx-ring-ref", "4294967296", NOT_A_NUMBER),
	NUMBER("number-of-65-bits", "tx-ring-ref", "18446744073709551617", NOT_A_NUMBER),
	NUMBER("number-of-70-digits", "tx-ring-ref",
			"9999999999999999999999999999999999999999999999999999999999999999999999",
			NOT_A_NUMBER),
	NUMBER("number-with-nul", "tx-ring-ref", "1\0001", TOO_LONG),
	NUMBER("number-newline", "tx-ring-ref", "\n", NOT_A_NUMBER),
	NUMBER("number-format", "tx-ring-ref", "%s%n%x", NOT_A_NUMBER),
	{ KEY("number-of-2000-digits", "tx-ring-ref"), .value = ATTACK_DIGITS, .named = true,
			.why = TOO_LONG },

	/* Every key once. */
	MISSING("tx-ring-ref"),
	MISSING("rx-ring-ref"),
	MISSING("event-channel-rx"),
	/* Of these two both are there, or none. */
	MISSING("ctrl-ring-ref"),
	MISSING("event-channel-ctrl"),
	WORD("rx-ring-ref"),
	WORD("event-channel-tx"),
	WORD("event-channel-rx"),
	WORD("ctrl-ring-ref"),
	WORD("event-channel-ctrl"),
	WORD("request-rx-copy"),
	WORD("multi-queue-num-queues"),
	WORD("feature-sg"),
	WORD("feature-no-csum-offload"),
	WORD("feature-ipv6-csum-offload"),
	WORD("feature-rx-notify"),
	WORD("request-multicast-control"),
	WORD("xdp-headroom"),
	{ KEY("event-channel-missing", "event-channel"), .single = true, .value = ATTACK_MISSING,
			.named = true, .why = "is missing" },
	ONE_PORT("event-channel-word", "abc", NOT_A_NUMBER),
	ONE_PORT("event-channel-0", "0", "='0' is not a number from 1 to"),
	ONE_PORT("event-channel-131072", "131072", "='131072' is not a number from 1 to 131071"),

	/* Values that are numbers, and yet cannot be. */
	VALUE("request-rx-copy-missing", "request-rx-copy", MISSING, "request-rx-copy has to be 1"),
	TEXT("request-rx-copy-0", "request-rx-copy", "0", "request-rx-copy has to be 1"),
	NUMBER("request-rx-copy-2", "request-rx-copy", "2", "='2' is not a number from 0 to 1"),
	NUMBER("feature-sg-2", "feature-sg", "2", "='2' is not a number from 0 to 1"),
	NUMBER("request-multicast-control-2", "request-multicast-control", "2",
			"='2' is not a number from 0 to 1"),
	NUMBER("xdp-headroom-32768", "xdp-headroom", "32768",
			"='32768' is not a number from 0 to 32767"),
	NUMBER("queues-0", "multi-queue-num-queues", "0", "='0' is not a number from 1 to 4"),
	NUMBER("queues-5", "multi-queue-num-queues", "5", "='5' is not a number from 1 to 4"),
	NUMBER("queues-4000000000", "multi-queue-num-queues", "4000000000",
			"is not a number from 1 to 4"),
	NUMBER("event-channel-tx-0", "event-channel-tx", "0", "='0' is not a number from 1 to"),
	TEXT("event-channel-tx-4000", "event-channel-tx", "4000",
			"event channel 4000 cannot be bound"),
	TEXT("event-channel-rx-131071", "event-channel-rx", "131071",
			"event channel 131071 cannot be bound"),

	/* References and event channels that are not for this backend; pages that are no ring. */
	GREF("tx-ring-no-grant", "tx-ring-ref", NONE, "tx-ring-ref 60000 cannot be mapped"),
	GREF("tx-ring-no-grant-far", "tx-ring-ref", NONE_FAR, "cannot be mapped"),
	GREF("tx-ring-no-grant-last", "tx-ring-ref", NONE_LAST,
			"tx-ring-ref 4294967295 cannot be mapped"),
	GREF("rx-ring-no-grant", "rx-ring-ref", NONE, "rx-ring-ref 60000 cannot be mapped"),
	GREF("tx-ring-foreign-grant", "tx-ring-ref", FOREIGN, "cannot be mapped"),
	GREF("rx-ring-read-only-grant", "rx-ring-ref", READ_ONLY, "cannot be mapped"),
	GREF("tx-ring-ended-grant", "tx-ring-ref", ENDED, "cannot be mapped"),
	GREF("tx-ring-data-page", "tx-ring-ref", PAGE, "tx-ring-ref: req_prod"),
	GREF("ctrl-ring-no-grant", "ctrl-ring-ref", NONE, "ctrl-ring-ref 60000 cannot be mapped"),
	GREF("ctrl-ring-foreign-grant", "ctrl-ring-ref", FOREIGN, "cannot be mapped"),
	GREF("ctrl-ring-ended-grant", "ctrl-ring-ref", ENDED, "cannot be mapped"),
	GREF("ctrl-ring-read-only-grant", "ctrl-ring-ref", READ_ONLY, "cannot be mapped"),
	GREF("ctrl-ring-data-page", "ctrl-ring-ref", PAGE, "ctrl-ring-ref: req_prod"),
	NUMBER("event-channel-ctrl-0", "event-channel-ctrl", "0", "='0' is not a number from 1 to"),
	TEXT("event-channel-ctrl-4000", "event-channel-ctrl", "4000",
			"event channel 4000 cannot be bound"),
	VALUE("event-channel-ctrl-foreign", "event-channel-ctrl", PORT_FOREIGN, "cannot be bound"),
	VALUE("event-channel-ctrl-twice", "event-channel-ctrl", PORT_TWICE, "cannot be bound"),
	VALUE("event-channel-tx-foreign", "event-channel-tx", PORT_FOREIGN, "cannot be bound"),
	VALUE("event-channel-rx-twice", "event-channel-rx", PORT_TWICE, "cannot be bound"),

	/* Rings whose indices make no sense when the backend enters them. */
	INDEX("tx-ring-req-prod-257", "tx-ring-ref", REQ_PROD, 257,
			"tx-ring-ref: req_prod 257 is more than 256 ahead of rsp_prod 0"),
	INDEX("ctrl-ring-req-prod-129", "ctrl-ring-ref", REQ_PROD, 129,
			"ctrl-ring-ref: req_prod 129 is more than 128 ahead of rsp_prod 0"),
	INDEX("rx-ring-rsp-prod-1", "rx-ring-ref", RSP_PROD, 1,
			"rx-ring-ref: req_prod 0 is more than 256 ahead of rsp_prod 1"),

	/* Several queues. */
	QUEUES_MISSING("queue-1-tx-ring-ref-missing", "queue-1/tx-ring-ref"),
	QUEUES_MISSING("queue-3-rx-ring-ref-missing", "queue-3/rx-ring-ref"),
	QUEUES_MISSING("queue-0-event-channel-rx-missing", "queue-0/event-channel-rx"),
	QUEUES_MISSING("queue-3-missing", "queue-3"),
	QUEUES("queue-3-not-split", "queue-3", .value = ATTACK_NOT_SPLIT,
			.why = "event channels are split for some queues only"),
	QUEUES("queue-3-event-channel-rx-4001", "queue-3/event-channel-rx", BYTES("4001"),
			.why = "queue 3: event channel 4001 cannot be bound"),
	/* Then the flat keys count, and are not there. */
	QUEUES("queues-missing", "multi-queue-num-queues", .value = ATTACK_MISSING,
			.why = "/tx-ring-ref is missing"),
	QUEUES("queues-1-with-directories", "multi-queue-num-queues", BYTES("1"),
			.why = "/tx-ring-ref is missing"),

	/* A state that is none: no reason is given. */
	TEXT("state-empty", "state", "", ""),
	TEXT("state-9", "state", "9", ""),
	TEXT("state-negative", "state", "-1", ""),
	TEXT("state-word", "state", "connected", ""),
	TEXT("state-44", "state", "44", ""),
	TEXT("state-before-space", "state", "4 ", ""),
};

const unsigned int attack_keys_nb = sizeof(attack_keys) / sizeof(attack_keys[0]);
