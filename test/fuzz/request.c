/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * A guest's TX ring through xenvif_request: any slots, between any indices.
 *
 * Input: where the requests begin (2 bytes), how many there are (2), and the slots (12 each).
 */

#include "fuzz.h"
#include "ring.h"
#include "xenvif_request.h"

static union fuzz_page page;

/* What xenvif_request_take() has made of the slots from s->cons on. */
static void
check_packet(const struct xenvif_slots *s, const struct xenvif_request *r)
{
	const union netif_tx_sring_entry *ring = s->sring->ring;
	const struct netif_tx_request *req;
	uint32_t sum = 0, idx = s->cons;
	unsigned int i;

	fuzz_check(r->nb_slots >= 1 && r->nb_slots <= XENVIF_SLOTS_FATAL);
	fuzz_check(r->nb_extras <= XENVIF_EXTRAS_MAX);
	fuzz_check((uint32_t)r->nb_slots + r->nb_extras <= s->prod - s->cons);
	fuzz_check((r->extras >> XEN_NETIF_EXTRA_TYPE_MAX) == 0 && (r->extras & 1) == 0);
	fuzz_check((r->extras != 0) == (r->nb_extras != 0));
	if ((r->extras & XENVIF_EXTRAS_MCAST) != 0) {
		fuzz_check(r->nb_slots == 1 && r->len == 0 && !r->malformed);
		return;
	}
	for (i = 0; i < r->nb_slots; i++) {
		req = &ring[idx & XEN_NETIF_RING_MASK].req;
		fuzz_check(r->slot[i].gref == req->gref && r->slot[i].id == req->id);
		fuzz_check(r->slot[i].offset == req->offset && r->slot[i].flags == req->flags);
		fuzz_check(((req->flags & NETTXF_more_data) != 0) == (i + 1 < r->nb_slots));
		if (i != 0)
			fuzz_check(r->slot[i].size == req->size);
		if (i != 0 || !r->malformed)
			fuzz_check((uint32_t)r->slot[i].offset + r->slot[i].size <= XEN_PAGE_BYTES);
		sum += r->slot[i].size;
		idx += 1 + (i == 0 ? r->nb_extras : 0);
	}
	if (r->malformed)
		return;
	fuzz_check(r->len == sum && r->len == ring[s->cons & XEN_NETIF_RING_MASK].req.size);
	fuzz_check(r->len >= XENVIF_PKT_MIN && r->nb_slots <= XEN_NETIF_SLOTS_MIN);
}

/* Take the packets, as a burst does, until the ring is empty or broken. */
static void
take_packets(struct xenvif_slots *s)
{
	struct netif_tx_request first;
	struct xenvif_request r;
	const char *broken;

	while (s->cons != s->prod) {
		first = xen_ring_tx_request(s->sring, s->cons);
		fuzz_watch(&page, offsetof(struct netif_tx_sring, ring));
		fuzz_watch_loaded(&s->sring->ring[s->cons & XEN_NETIF_RING_MASK], sizeof(first));
		broken = xenvif_request_take(s, &first, &r);
		fuzz_watch_end();
		if (broken != NULL) {
			fuzz_check(broken[0] != '\0' && !xenvif_request_is_simple(&first));
			return;
		}
		check_packet(s, &r);
		if (xenvif_request_is_simple(&first))
			fuzz_check(r.nb_slots == 1 && r.nb_extras == 0 && !r.malformed);
		s->cons += r.nb_slots + r.nb_extras;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { .data = data, .left = size };
	struct xenvif_slots s = { .sring = &page.tx };
	uint32_t i;

	s.cons = fuzz_index(&in);
	s.prod = s.cons + fuzz_index(&in);
	if (xenvif_slots_overrun(s.prod, s.cons)) {
		fuzz_check(s.prod - s.cons > XEN_NETIF_RING_SIZE);
		return 0;
	}
	for (i = s.cons; i != s.prod; i++)
		fuzz_bytes(&in, &page.tx.ring[i & XEN_NETIF_RING_MASK], sizeof(page.tx.ring[0]));
	fuzz_hide(&page, offsetof(struct netif_tx_sring, ring), sizeof(page.tx.ring[0]), s.cons,
			s.prod);
	take_packets(&s);
	fuzz_show(&page);
	return 0;
}
