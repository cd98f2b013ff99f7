/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Slots of the ring of what the guest transmits (netif.h, "Guest transmit"). */

#include "attack.h"

#define MORE NETTXF_more_data
#define EXTRA NETTXF_extra_info

#define HASH XEN_NETIF_EXTRA_TYPE_HASH
#define ADD XEN_NETIF_EXTRA_TYPE_MCAST_ADD
#define DEL XEN_NETIF_EXTRA_TYPE_MCAST_DEL

/* A request, one with a reference of another kind, a number of equal ones; extra info. */
#define REQ(o, s, f) \
	{ \
		.kind = ATTACK_SLOT_REQUEST, .offset = (o), .size = (s), .flags = (f) \
	}
#define REQ_OF(g, s, f) \
	{ \
		.kind = ATTACK_SLOT_REQUEST, .grant = RAWFRONT_GRANT_##g, .size = (s), \
		.flags = (f) \
	}
#define REQS(n, s, f) \
	{ \
		.kind = ATTACK_SLOT_REQUEST, .times = (n), .size = (s), .flags = (f) \
	}
#define INFO(t, m) \
	{ \
		.kind = ATTACK_SLOT_EXTRA, .type = (t), .more = (m) \
	}
#define INFOS(n, t) \
	{ \
		.kind = ATTACK_SLOT_EXTRA, .times = (n), .type = (t), .more = true \
	}
#define GSO(t, s) \
	{ \
		.kind = ATTACK_SLOT_EXTRA, .type = XEN_NETIF_EXTRA_TYPE_GSO, .gso_type = (t), \
		.gso_size = (s) \
	}

#define MCAST(t, a, m) \
	{ \
		.kind = ATTACK_SLOT_EXTRA, .type = (t), .addr0 = (a), .more = (m) \
	}

#define DONE(n, ...) \
	{ \
		.name = n, .outcome = ATTACK_DONE, .slots = { __VA_ARGS__ } \
	}
#define REFUSED(n, ...) \
	{ \
		.name = n, .outcome = ATTACK_REFUSED, .slots = { __VA_ARGS__ } \
	}
#define CLOSED(n, w, ...) \
	{ \
		.name = n, .outcome = ATTACK_CLOSED, .why = w, .slots = { __VA_ARGS__ } \
	}
#define INDEX(n, a) \
	{ \
		.name = n, .outcome = ATTACK_CLOSED, \
		.why = "guest's TX ring: req_prod more than a ring ahead of rsp_prod", \
		.ahead = (a) \
	}
#define DROPPED(n, c, ...) \
	{ \
		.name = n, .outcome = ATTACK_DROPPED, .counter = c, .slots = { __VA_ARGS__ } \
	}
#define ACCEPTED(n, ...) \
	{ \
		.name = n, .slots = { __VA_ARGS__ } \
	}
#define LARGE(n, ...) \
	{ \
		.name = n, .large = true, .counter = "oversize_errors", .slots = { __VA_ARGS__ } \
	}

#define PAST_PAGE "offset + size past the end of the page"
#define PAST_PROD "fragments past req_prod"
#define PAST_PROD_INFO "extra info past req_prod"
#define SLOTS "more than 20 slots"
#define UNKNOWN "extra info of unknown type"
#define GSO_BAD "GSO of size 0 or of unknown type"

const struct attack attack_tx[] = {
	ACCEPTED("good", REQ(0, 60, 0)),

	/* A page ends where it ends. */
	CLOSED("past-page", PAST_PAGE, REQ(4000, 97, 0)),
	CLOSED("past-page-offset", PAST_PAGE, REQ(65535, 60, 0)),
	CLOSED("past-page-size", PAST_PAGE, REQ(0, 4097, 0)),
	CLOSED("past-page-largest", PAST_PAGE, REQ(65535, 65535, 0)),
	CLOSED("past-page-first-of-two", PAST_PAGE, REQ(0, 5000, MORE), REQ(0, 60, 0)),
	CLOSED("past-page-later", PAST_PAGE, REQ(0, 200, MORE), REQ(4000, 97, 0)),

	/* Packets are published whole. */
	CLOSED("chain-of-one-past-req-prod", PAST_PROD, REQ(0, 200, MORE)),
	CLOSED("chain-past-req-prod", PAST_PROD, REQ(0, 200, MORE), REQ(0, 100, MORE)),
	CLOSED("extra-past-req-prod", PAST_PROD_INFO, REQ(0, 60, EXTRA)),
	CLOSED("extra-chain-past-req-prod", PAST_PROD_INFO, REQ(0, 60, EXTRA), INFO(HASH, true)),
	CLOSED("extra-then-chain-past-req-prod", PAST_PROD, REQ(0, 200, EXTRA | MORE),
			INFO(HASH, false)),

	/* The number of slots: 18 is what everybody takes, 20 what old Linux guests sent. */
	ACCEPTED("slots-18", REQ(0, 18, MORE), REQS(16, 1, MORE), REQ(0, 1, 0)),
	DROPPED("slots-19", "bad_packet_errors", REQ(0, 1900, MORE), REQS(17, 100, MORE),
			REQ(0, 100, 0)),
	DROPPED("slots-20", "bad_packet_errors", REQ(0, 2000, MORE), REQS(18, 100, MORE),
			REQ(0, 100, 0)),
	CLOSED("slots-21", SLOTS, REQ(0, 2100, MORE), REQS(19, 100, MORE), REQ(0, 100, 0)),
	CLOSED("slots-100", SLOTS, REQ(0, 1000, MORE), REQS(98, 10, MORE), REQ(0, 10, 0)),

	/* Extra info. */
	ACCEPTED("extra-hash", REQ(0, 60, EXTRA), INFO(HASH, false)),
	ACCEPTED("extra-hash-4", REQ(0, 60, EXTRA), INFOS(3, HASH), INFO(HASH, false)),
	CLOSED("extra-type-0", UNKNOWN, REQ(0, 60, EXTRA), INFO(0, false)),
	CLOSED("extra-type-5", UNKNOWN, REQ(0, 60, EXTRA), INFO(5, false)),
	CLOSED("extra-type-99", UNKNOWN, REQ(0, 60, EXTRA), INFO(99, false)),
	CLOSED("extra-type-99-after-hash", UNKNOWN, REQ(0, 60, EXTRA), INFO(HASH, true),
			INFO(99, false)),
	CLOSED("extra-endless", "more extra info than there are types", REQ(0, 60, EXTRA),
			INFOS(100, HASH)),
	CLOSED("gso-size-0", GSO_BAD, REQ(0, 200, EXTRA), GSO(XEN_NETIF_GSO_TYPE_TCPV4, 0)),
	CLOSED("gso-type-0", GSO_BAD, REQ(0, 200, EXTRA), GSO(XEN_NETIF_GSO_TYPE_NONE, 1448)),
	CLOSED("gso-type-9", GSO_BAD, REQ(0, 200, EXTRA), GSO(9, 1448)),
	DROPPED("gso-garbage", "bad_packet_errors", REQ(0, 200, EXTRA | MORE),
			GSO(XEN_NETIF_GSO_TYPE_TCPV6, 1440), REQ(0, 100, 0)),

	/* Requests about the multicast list: the rest of the request means nothing. */
	DONE("mcast-add", REQ(0, 0, EXTRA), MCAST(ADD, 1, false)),
	DONE("mcast-add-broadcast", REQ(0, 0, EXTRA), MCAST(ADD, 0xFF, false)),
	REFUSED("mcast-add-unicast", REQ(0, 0, EXTRA), MCAST(ADD, 2, false)),
	REFUSED("mcast-add-zero", REQ(0, 0, EXTRA), MCAST(ADD, 0, false)),
	DONE("mcast-del-unknown", REQ(0, 0, EXTRA), MCAST(DEL, 3, false)),
	DONE("mcast-del-unicast", REQ(0, 0, EXTRA), MCAST(DEL, 2, false)),
	DONE("mcast-add-past-page", REQ(65535, 65535, EXTRA), MCAST(ADD, 1, false)),
	DONE("mcast-add-no-grant", REQ_OF(NONE_LAST, 60, EXTRA), MCAST(ADD, 1, false)),
	DONE("mcast-add-more-data", REQ(0, 100, EXTRA | MORE), MCAST(ADD, 1, false)),
	DONE("mcast-add-and-del", REQ(0, 0, EXTRA), MCAST(DEL, 1, true), MCAST(ADD, 1, false)),
	DONE("mcast-del-with-gso", REQ(0, 0, EXTRA), MCAST(DEL, 1, true),
			GSO(XEN_NETIF_GSO_TYPE_TCPV4, 1448)),
	CLOSED("mcast-add-past-req-prod", PAST_PROD_INFO, REQ(0, 0, EXTRA), MCAST(ADD, 1, true)),
	CLOSED("mcast-add-endless", "more extra info than there are types", REQ(0, 0, EXTRA),
			INFOS(100, ADD)),

	/* Sizes: the packet's in its first slot, and those of the others. */
	DROPPED("bytes-0", "bad_packet_errors", REQ(0, 0, 0)),
	DROPPED("bytes-13", "bad_packet_errors", REQ(0, 13, 0)),
	ACCEPTED("bytes-14", REQ(0, 14, 0)),
	ACCEPTED("bytes-14-at-page-end", REQ(4082, 14, 0)),
	LARGE("bytes-2049", REQ(0, 2049, 0)),
	LARGE("bytes-4096", REQ(0, 4096, 0)),
	LARGE("bytes-4000-of-two", REQ(0, 4000, MORE), REQ(0, 2000, 0)),
	DROPPED("fragments-larger-than-packet", "bad_packet_errors", REQ(0, 100, MORE),
			REQ(0, 60, MORE), REQ(0, 60, 0)),
	DROPPED("fragment-larger-than-packet", "bad_packet_errors", REQ(0, 100, MORE),
			REQ(0, 200, 0)),
	ACCEPTED("first-of-13-bytes", REQ(100, 14, MORE), REQ(4095, 1, 0)),
	ACCEPTED("empty-fragment", REQ(0, 160, MORE), REQ(0, 0, MORE), REQ(0, 100, 0)),
	ACCEPTED("empty-first", REQ(0, 60, MORE), REQ(0, 60, 0)),
	ACCEPTED("empty-last-at-page-end", REQ(0, 60, MORE), REQ(4096, 0, 0)),
	ACCEPTED("empty-first-at-page-end", REQ(4096, 14, MORE), REQ(0, 0, MORE), REQ(0, 14, 0)),
	LARGE("empty-between-large", REQ(0, 4001, EXTRA | MORE), INFO(HASH, true),
			INFO(HASH, false), REQ(1, 0, MORE), REQ(2, 0, MORE), REQ(3, 4000, 0)),
	LARGE("bytes-57259-of-18", REQ(0, 57259, EXTRA | MORE), INFO(HASH, false), REQ(0, 9, MORE),
			REQ(0, 4000, MORE), REQ(0, 4096, MORE), REQ(0, 0, MORE), REQ(0, 4096, MORE),
			REQ(0, 1, MORE), REQS(10, 4096, MORE), REQ(0, 1, 0)),
	LARGE("bytes-65535", REQ(0, 65535, MORE), REQS(14, 4096, MORE), REQ(0, 4095, MORE),
			REQ(0, 0, 0)),

	/* References. */
	ACCEPTED("read-only-grant", REQ_OF(READ_ONLY, 1000, 0)),
	DROPPED("no-grant", "copy_errors", REQ_OF(NONE, 64, 0)),
	DROPPED("no-grant-far", "copy_errors", REQ_OF(NONE_FAR, 64, 0)),
	DROPPED("no-grant-last", "copy_errors", REQ_OF(NONE_LAST, 64, 0)),
	DROPPED("ended-grant", "copy_errors", REQ_OF(ENDED, 64, 0)),
	DROPPED("foreign-grant", "copy_errors", REQ_OF(FOREIGN, 64, 0)),
	DROPPED("no-grant-fragment", "copy_errors", REQ(0, 134, MORE), REQ_OF(NONE, 64, 0)),
	DROPPED("no-grant-far-fragment", "copy_errors", REQ(0, 134, MORE), REQ_OF(NONE_FAR, 64, 0)),
	DROPPED("no-grant-last-fragment", "copy_errors", REQ(0, 134, MORE),
			REQ_OF(NONE_LAST, 64, 0)),
	DROPPED("ended-grant-fragment", "copy_errors", REQ(0, 134, MORE), REQ_OF(ENDED, 64, 0)),
	DROPPED("foreign-grant-fragment", "copy_errors", REQ(0, 134, MORE), REQ_OF(FOREIGN, 64, 0)),

	/* The ring's index. */
	INDEX("req-prod-ahead-257", 257),
	INDEX("req-prod-ahead-1000", 1000),
	INDEX("req-prod-ahead-half", 0x80000000),
	INDEX("req-prod-behind-1", 0xFFFFFFFF),
	INDEX("req-prod-behind-256", 0xFFFFFF00),
};

const unsigned int attack_tx_nb = sizeof(attack_tx) / sizeof(attack_tx[0]);
