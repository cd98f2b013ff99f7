/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <stdio.h>
#include <string.h>

#include "attack.h"

#define DIGITS 2000

const struct attack *
attack_nth(unsigned int i)
{
	if (i < attack_tx_nb)
		return &attack_tx[i];
	i -= attack_tx_nb;
	if (i < attack_rx_nb)
		return &attack_rx[i];
	i -= attack_rx_nb;
	if (i < attack_ctrl_nb)
		return &attack_ctrl[i];
	i -= attack_ctrl_nb;
	return i < attack_keys_nb ? &attack_keys[i] : NULL;
}

const struct attack *
attack_find(const char *name)
{
	const struct attack *a;
	unsigned int i;

	for (i = 0; (a = attack_nth(i)) != NULL; i++) {
		if (strcmp(a->name, name) == 0)
			break;
	}
	return a;
}

enum attack_outcome
attack_outcome(const struct attack *a, bool scatter)
{
	return a->large && !scatter ? ATTACK_DROPPED : a->outcome;
}

bool
attack_answered_okay(enum attack_outcome outcome)
{
	return outcome == ATTACK_ACCEPTED || outcome == ATTACK_DONE;
}

const char *
attack_outcome_name(enum attack_outcome outcome)
{
	static const char *const names[] = {
		[ATTACK_ACCEPTED] = "accepted",
		[ATTACK_DROPPED] = "dropped",
		[ATTACK_CLOSED] = "closed",
		[ATTACK_DONE] = "done",
		[ATTACK_REFUSED] = "refused",
	};

	return names[outcome];
}

uint32_t
attack_bytes(const struct attack *a)
{
	return a->slots[0].size;
}

/* Every request has a page and an id of its own; ids are larger than the ring, and wrap. */
static void
put_request(struct rawfront *f, const struct attack_slot *slot, unsigned int n)
{
	struct netif_tx_request req = {
		.offset = slot->offset,
		.flags = slot->flags,
		.id = 0xFFFE + n,
		.size = slot->size,
	};

	if (slot->grant == RAWFRONT_GRANT_PAGE)
		req.gref = f->gref[(7 * n + 3) % f->nb_pages];
	else
		req.gref = f->grants[slot->grant];
	rawfront_tx_put(f, 0, &req);
}

static void
put_extra(struct rawfront *f, const struct attack_slot *slot)
{
	struct netif_extra_info extra = {
		.type = slot->type,
		.flags = slot->more ? XEN_NETIF_EXTRA_FLAG_MORE : 0,
	};

	if (slot->type == XEN_NETIF_EXTRA_TYPE_GSO) {
		extra.u.gso.type = slot->gso_type;
		extra.u.gso.size = slot->gso_size;
	}
	if (slot->addr0 != 0)
		extra.u.mcast.addr[0] = slot->addr0;
	rawfront_tx_extra(f, 0, &extra);
}

static unsigned int
play_tx(struct rawfront *f, const struct attack *a)
{
	const struct attack_slot *slot;
	unsigned int n = 0, i;

	f->q[0].tx_prod += a->ahead;
	for (slot = a->slots; slot->kind != ATTACK_SLOT_END; slot++) {
		for (i = 0; i < (slot->times != 0 ? slot->times : 1u); i++, n++) {
			if (slot->kind == ATTACK_SLOT_EXTRA)
				put_extra(f, slot);
			else
				put_request(f, slot, n);
		}
	}
	return n;
}

static unsigned int
play_rx(struct rawfront *f, const struct attack *a)
{
	if (a->ahead != 0) {
		f->q[0].rx_prod += a->ahead;
		return 0;
	}
	rawfront_rx_put(f, 0, f->q[0].rx_prod, f->grants[a->grant]);
	return 1;
}

static unsigned int
play_ctrl(struct rawfront *f, const struct attack *a)
{
	if (a->ahead != 0) {
		f->ctrl_prod += a->ahead;
		return 0;
	}
	rawfront_ctrl_put(f, a->ctrl.type, a->ctrl.refers ? f->grants[a->grant] : a->ctrl.data[0],
			a->ctrl.data[1], a->ctrl.data[2]);
	return 1;
}

/* One event channel in the directory of a queue where the other queues have two. */
static void
unsplit(struct rawfront *f, const char *dir)
{
	char key[64];

	snprintf(key, sizeof(key), "%s/event-channel-tx", dir);
	rawfront_unset(f, key);
	snprintf(key, sizeof(key), "%s/event-channel-rx", dir);
	rawfront_unset(f, key);
	snprintf(key, sizeof(key), "%s/event-channel", dir);
	rawfront_set(f, key, "%d", f->q[f->nb_queues - 1].port_tx);
}

static void
play_keys(struct rawfront *f, const struct attack *a)
{
	bool tx = strcmp(a->key, "tx-ring-ref") == 0, ctrl = strcmp(a->key, "ctrl-ring-ref") == 0;
	char digits[DIGITS];

	switch (a->value) {
	case ATTACK_TEXT:
		rawfront_set_bytes(f, a->key, a->text, a->len);
		break;
	case ATTACK_MISSING:
		rawfront_unset(f, a->key);
		break;
	case ATTACK_DIGITS:
		memset(digits, '1', sizeof(digits));
		rawfront_set_bytes(f, a->key, digits, sizeof(digits));
		break;
	case ATTACK_GREF:
		rawfront_set(f, a->key, "%u", f->grants[a->grant]);
		break;
	case ATTACK_PORT_FOREIGN:
		rawfront_set(f, a->key, "%d", f->port_foreign);
		break;
	case ATTACK_PORT_TWICE:
		rawfront_set(f, a->key, "%d", f->q[0].port_tx);
		break;
	case ATTACK_NOT_SPLIT:
		unsplit(f, a->key);
		break;
	case ATTACK_REQ_PROD:
		if (ctrl)
			f->ctrl_ring->req_prod = a->ahead;
		else
			*(tx ? &f->q[0].tx->req_prod : &f->q[0].rx->req_prod) = a->ahead;
		break;
	case ATTACK_RSP_PROD:
		*(tx ? &f->q[0].tx->rsp_prod : &f->q[0].rx->rsp_prod) = a->ahead;
		break;
	}
}

unsigned int
attack_play(struct rawfront *f, const struct attack *a)
{
	switch (a->target) {
	case ATTACK_TX:
		return play_tx(f, a);
	case ATTACK_RX:
		return play_rx(f, a);
	case ATTACK_CTRL:
		return play_ctrl(f, a);
	default:
		play_keys(f, a);
		return 0;
	}
}
