/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef ATTACK_H
#define ATTACK_H

/**
 * @file
 * The table of what a hostile guest does to its rings and to its keys in xenstore, and of what the
 * backend has to do about it. Also of what looks odd and is allowed.
 */

#include "rawfront.h"

#define ATTACK_SLOTS_MAX 22

/** What an attack is aimed at. */
enum attack_target {
	/** The ring of what the guest transmits: one packet, or the ring's index. */
	ATTACK_TX,
	/** The ring of the guest's buffers: it shows when there is a packet for the guest. */
	ATTACK_RX,
	/** The control ring: one request, or the ring's index. */
	ATTACK_CTRL,
	/** What the guest publishes in xenstore: it is told to the backend with state 4. */
	ATTACK_KEYS,
};

/** What the backend has to do. */
enum attack_outcome {
	/** Nothing is lost: the packet is delivered and answered. */
	ATTACK_ACCEPTED,
	/**
	 * The packet is lost, each of its requests answered with an error; or the control request
	 * is refused. The vif lives.
	 */
	ATTACK_DROPPED,
	/** The vif is closed, with a reason in xenstore. */
	ATTACK_CLOSED,
	/** It is no packet. It is done; or answered with an error, and nothing is lost. */
	ATTACK_DONE,
	ATTACK_REFUSED,
};

enum attack_slot_kind {
	ATTACK_SLOT_END,
	ATTACK_SLOT_REQUEST,
	ATTACK_SLOT_EXTRA,
};

/** Slots of the TX ring. */
struct attack_slot {
	enum attack_slot_kind kind;
	/* Of a request; the first one's size is the packet's. */
	uint16_t offset;
	uint16_t size;
	uint16_t flags;
	enum rawfront_grant grant;
	/* Of extra info: its type, whether more follows, and what GSO info says; of an address the
	 * first byte. */
	uint8_t type;
	bool more;
	uint8_t gso_type;
	uint16_t gso_size;
	uint8_t addr0;
	/* How many of them; 0 is 1. */
	uint8_t times;
};

/** What is written as the value of a key. */
enum attack_value {
	/** Text of the table. */
	ATTACK_TEXT,
	/** The key is removed. */
	ATTACK_MISSING,
	/** 2,000 digits: xenstored itself takes no more than a page. */
	ATTACK_DIGITS,
	/** The reference of some grant. */
	ATTACK_GREF,
	/** An event channel that waits for another domain. */
	ATTACK_PORT_FOREIGN,
	/** The event channel that the TX ring has already. */
	ATTACK_PORT_TWICE,
	/** The directory of a queue gets one event channel where others have two. */
	ATTACK_NOT_SPLIT,
	/** No key: the index of the ring that the key names, as it stands at connecting. */
	ATTACK_REQ_PROD,
	ATTACK_RSP_PROD,
};

struct attack {
	const char *name;
	enum attack_target target;
	enum attack_outcome outcome;
	/* Of CLOSED: what the reason says. */
	const char *why;
	/* Of DROPPED: the statistic of a net_xenvif queue that counts the packet. */
	const char *counter;
	/* TX, ACCEPTED: larger than 2,048 bytes, which a port that does not scatter drops. */
	bool large;
	/* Added to the ring's req_prod, and nothing put; ATTACK_REQ_PROD, _RSP_PROD: the value. */
	uint32_t ahead;
	/* TX: the slots of the packet. */
	struct attack_slot slots[ATTACK_SLOTS_MAX];
	/* RX: what is posted; CTRL: what data[0] refers to; ATTACK_GREF: which reference. */
	enum rawfront_grant grant;
	/* CTRL: the request, and its status. There is no mapping yet, and no algorithm. */
	struct {
		uint16_t type;
		bool refers;
		uint32_t data[3];
		uint32_t status;
	} ctrl;
	/* KEYS. */
	const char *key;
	enum attack_value value;
	const char *text;
	size_t len;
	/* KEYS: the reason names the key, with its directory. */
	bool named;
	/* KEYS: a guest of so many queues (0 is 1), and with one event channel a queue. */
	unsigned int queues;
	bool single;
};

/** The attacks in their order; NULL after the last. */
const struct attack *
attack_nth(unsigned int i);

/** The attack of a name, or NULL. */
const struct attack *
attack_find(const char *name);

/** What the backend has to do to a port that scatters packets over mbufs of 2,048, or does not. */
enum attack_outcome
attack_outcome(const struct attack *a, bool scatter);

/** Has a packet or request to be answered with NETIF_RSP_OKAY? */
bool
attack_answered_okay(enum attack_outcome outcome);

/** "accepted", "dropped", "closed", "done" or "refused". */
const char *
attack_outcome_name(enum attack_outcome outcome);

/** Bytes of the packet of an attack on the TX ring, as its first slot has them. */
uint32_t
attack_bytes(const struct attack *a);

/**
 * Do it, without publishing it: put slots into the TX ring of queue 0, a buffer into its RX ring, a
 * request into the control ring, or write the key.
 *
 * @return
 *   Slots put.
 */
unsigned int
attack_play(struct rawfront *f, const struct attack *a);

/* The parts of the table: one for each target. */
extern const struct attack attack_tx[];
extern const unsigned int attack_tx_nb;
extern const struct attack attack_rx[];
extern const unsigned int attack_rx_nb;
extern const struct attack attack_ctrl[];
extern const unsigned int attack_ctrl_nb;
extern const struct attack attack_keys[];
extern const unsigned int attack_keys_nb;

#endif /* ATTACK_H */
