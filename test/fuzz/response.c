/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * A frontend's rings as a backend has answered them, through xenfront_response.
 *
 * RX: any slots, between any indices. TX: round by round, requests are written and any slots come
 * back, up to any index.
 *
 * Input: which ring (1 byte), where its responses begin (2), and
 * - RX (0): how many there are (2), and the slots (8 each);
 * - TX (1): for each round how many requests are written (1), of how many slots a packet is (1), by
 *   how much the backend moves rsp_prod on (2), and the responses up to there (4 each).
 */

#include "fuzz.h"
#include "ring.h"
#include "xenfront_response.h"

static union fuzz_page page;

/* What xenfront_response_take() has made of the slots from s->cons on. */
static void
check_packet(const struct xenfront_slots *s, const struct xenfront_response *r)
{
	bool used[XEN_NETIF_RING_SIZE] = { false };
	const struct netif_rx_response *rsp;
	uint32_t sum = 0;
	unsigned int i;
	uint16_t slot;

	fuzz_check(r->nb_slots >= 1 && r->nb_slots <= s->prod - s->cons);
	fuzz_check(r->nb_frags <= RTE_DIM(r->frags) && r->nb_frags <= r->nb_slots);
	fuzz_check((r->extras >> XEN_NETIF_EXTRA_TYPE_MAX) == 0 && (r->extras & 1) == 0);
	for (i = 0; i < r->nb_frags; i++) {
		slot = r->frags[i].slot;
		fuzz_check(((slot - s->cons) & XEN_NETIF_RING_MASK) < r->nb_slots);
		fuzz_check(!used[slot]);
		used[slot] = true;
		rsp = &s->sring->ring[slot].rsp;
		fuzz_check(r->frags[i].offset == rsp->offset && r->frags[i].len == rsp->status);
		fuzz_check(r->frags[i].len != 0);
		fuzz_check((uint32_t)r->frags[i].offset + r->frags[i].len <= XEN_PAGE_BYTES);
		sum += r->frags[i].len;
	}
	fuzz_check(r->len == sum);
	fuzz_check(r->flags == s->sring->ring[s->cons & XEN_NETIF_RING_MASK].rsp.flags);
}

/* Take the packets, as a burst does, until the ring is empty or broken. */
static void
take_packets(struct xenfront_slots *s)
{
	struct netif_rx_response first;
	struct xenfront_response r;
	const char *broken;

	while (s->cons != s->prod) {
		first = xen_ring_rx_response(s->sring, s->cons);
		fuzz_watch(&page, offsetof(struct netif_rx_sring, ring));
		fuzz_watch_loaded(&s->sring->ring[s->cons & XEN_NETIF_RING_MASK], sizeof(first));
		broken = xenfront_response_take(s, &first, &r);
		fuzz_watch_end();
		if (broken != NULL) {
			fuzz_check(broken[0] != '\0');
			return;
		}
		check_packet(s, &r);
		s->cons += r.nb_slots;
	}
}

static void
check_rx(struct fuzz_input *in, uint32_t cons)
{
	struct xenfront_slots s = { .sring = &page.rx, .cons = cons };
	uint32_t i;

	s.prod = cons + fuzz_u16(in) % (XEN_NETIF_RING_SIZE + 1);
	for (i = cons; i != s.prod; i++)
		fuzz_bytes(in, &page.rx.ring[i & XEN_NETIF_RING_MASK], sizeof(page.rx.ring[0]));
	fuzz_hide(&page, offsetof(struct netif_rx_sring, ring), sizeof(page.rx.ring[0]), cons,
			s.prod);
	take_packets(&s);
	fuzz_show(&page);
}

/* Every id is free once, or waits for its response. */
static void
check_ids(const struct xenfront_tx_ids *t)
{
	bool is_free[XEN_NETIF_RING_SIZE] = { false };
	unsigned int i, outstanding = 0;

	fuzz_check(t->nb_free <= XEN_NETIF_RING_SIZE);
	for (i = 0; i < t->nb_free; i++) {
		fuzz_check(t->free_ids[i] < XEN_NETIF_RING_SIZE && !is_free[t->free_ids[i]]);
		is_free[t->free_ids[i]] = true;
	}
	for (i = 0; i < XEN_NETIF_RING_SIZE; i++) {
		fuzz_check(is_free[i] == (t->ids[i] == XENFRONT_TX_FREE));
		outstanding += !is_free[i];
	}
	fuzz_check(t->nb_free + outstanding == XEN_NETIF_RING_SIZE);
}

static unsigned int
count_packets(const struct xenfront_tx_ids *t)
{
	unsigned int i, n = 0;

	for (i = 0; i < XEN_NETIF_RING_SIZE; i++)
		n += t->ids[i] == XENFRONT_TX_FIRST;
	return n;
}

/* Write the requests of a round: the ring's indices are the frontend's own, and right. */
static uint32_t
write_requests(struct xenfront_tx_ids *t, struct fuzz_input *in)
{
	unsigned int n = fuzz_u8(in), slots = fuzz_u8(in), i;

	if (n > t->nb_free)
		n = t->nb_free;
	for (i = 0; i < n; i++)
		xenfront_tx_ids_take(t,
				i % (slots + 1) == 0 ? XENFRONT_TX_FIRST : XENFRONT_TX_MORE);
	return n;
}

static void
write_responses(struct fuzz_input *in)
{
	uint32_t n = fuzz_index(in), i;

	for (i = 0; i < n && i < XEN_NETIF_RING_SIZE; i++)
		fuzz_bytes(in, &page.tx.ring[(page.tx.rsp_prod + i) & XEN_NETIF_RING_MASK].rsp,
				sizeof(struct netif_tx_response));
	page.tx.rsp_prod += n;
}

static void
check_tx(struct fuzz_input *in, uint32_t cons)
{
	unsigned int packets;
	uint32_t prod = cons, before;
	struct xenfront_tx_ids t;
	const char *broken = NULL;

	xenfront_tx_ids_init(&t);
	page.tx.rsp_prod = cons;
	while (in->left != 0 && broken == NULL) {
		prod += write_requests(&t, in);
		write_responses(in);
		check_ids(&t);
		before = cons;
		packets = count_packets(&t);
		t.nb_refused = 0;
		fuzz_watch(&page, offsetof(struct netif_tx_sring, ring));
		broken = xenfront_response_reclaim(&page.tx, prod, &cons, &t);
		fuzz_watch_end();
		check_ids(&t);
		fuzz_check(t.nb_refused <= packets - count_packets(&t));
		if (broken != NULL)
			fuzz_check(cons == before && broken[0] != '\0');
		else
			fuzz_check(cons == page.tx.rsp_prod &&
					t.nb_free == XEN_NETIF_RING_SIZE - (prod - cons));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { .data = data, .left = size };
	bool tx = (fuzz_u8(&in) & 1) != 0;
	uint32_t cons = fuzz_index(&in);

	if (tx)
		check_tx(&in, cons);
	else
		check_rx(&in, cons);
	return 0;
}
