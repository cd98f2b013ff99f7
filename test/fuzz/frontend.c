/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * The frontend's bursts of both directions, between a backend that answers anything in its rings
 * and an application that sends anything.
 *
 * Input: what both ends are like (see setup()), and steps: a byte that says which, and what it
 * needs.
 */

#include "fuzz.h"
#include "pool.h"
#include "ring.h"
#include "xenfront.h"

#define QUEUES 2
#define BURST_MAX 16

/* Set in the byte that says what received packets are looked at for: the mempool is granted. */
#define GRANTED 0x80

/* What no slot of any queue is noted by in its mbuf. */
#define NO_SLOT UINT32_MAX

/* Set in a step's byte: of the second queue. */
#define SECOND_QUEUE 0x80

static struct {
	struct xenfront front;
	struct xenfront_pair pairs[QUEUES];
	struct xenfront_rxq rxq;
	struct xenfront_txq txq;
	unsigned int queues;
	/* Shared with the backend. */
	struct shared_queue {
		union fuzz_page tx;
		union fuzz_page rx;
	} q[QUEUES], old[QUEUES];
} test;

static struct xenfront_region region = { .refs = 1, .pool = NULL };

static uint8_t data_pages[2 * QUEUES][XEN_NETIF_RING_SIZE * XEN_PAGE_BYTES];
/* The first bytes of an RX page are not zero. */
static bool filled[QUEUES][XEN_NETIF_RING_SIZE];

static void
setup_tx(unsigned int i, uint32_t start)
{
	struct xen_netif_ring *ring = &test.front.nif.rings.tx[i];
	struct xenfront_tx_pages *tx = &test.pairs[i].tx;
	unsigned int j;

	ring->rings = &test.front.nif.rings;
	xen_notify_init(&ring->notify, XEN_NOTIFY_REQUESTS);
	ring->sring.page = &test.q[i].tx;
	ring->attached = true;
	ring->id = i;
	ring->priv = tx;
	ring->cons = start;
	ring->prod = start;
	ring->sring.tx->req_prod = start;
	ring->sring.tx->rsp_prod = start;
	xenfront_tx_ids_init(&tx->ids);
	tx->domid = fuzz_region != NULL ? region.domid : DOMID_INVALID;
	tx->pages = data_pages[2 * i];
	for (j = 0; j < XEN_NETIF_RING_SIZE; j++)
		tx->grefs[j] = 1000 + j;
}

static void
setup_rx(unsigned int i, uint32_t start)
{
	struct xen_netif_ring *ring = &test.front.nif.rings.rx[i];
	struct xenfront_rx_pages *rx = &test.pairs[i].rx;
	unsigned int j;

	ring->rings = &test.front.nif.rings;
	xen_notify_init(&ring->notify, XEN_NOTIFY_BUFFERS);
	ring->sring.page = &test.q[i].rx;
	ring->attached = true;
	ring->id = i;
	ring->priv = rx;
	ring->cons = start;
	ring->prod = start + XEN_NETIF_RING_SIZE;
	ring->sring.rx->req_prod = ring->prod;
	ring->sring.rx->rsp_prod = start;
	rx->pages = data_pages[2 * i + 1];
	rx->region = fuzz_region;
	if (fuzz_region != NULL)
		fuzz_check(rte_mempool_get_bulk(fuzz_pool, (void **)rx->mbufs,
					   XEN_NETIF_RING_SIZE) == 0);
	for (j = 0; j < XEN_NETIF_RING_SIZE; j++) {
		rx->reqs[j] = (struct netif_rx_request){ .id = j, .gref = 2000 + j };
		if (fuzz_region != NULL)
			rx->reqs[j].gref = xenfront_buf_of(rx->mbufs[j])->gref;
		ring->sring.rx->ring[j].req = rx->reqs[j];
		if (filled[i][j])
			memset(rx->pages + j * XEN_PAGE_BYTES, 0, UINT8_MAX);
		filled[i][j] = false;
	}
}

static void
setup_queue(struct xen_netif_queue *q, uint16_t room, uint8_t what)
{
	q->rings = &test.front.nif.rings;
	q->pool = fuzz_pool;
	q->port_id = FUZZ_PORT;
	q->nb_queues = 1;
	q->room = room;
	q->scatter = (what & 0x10) != 0;
	q->csum_offload = (what & 0x20) != 0;
	q->whole_max = (what & 0x80) != 0 ? XEN_NETIF_PKT_MAX : 0;
	q->legacy_ol_flags = (what & 0xE0) == 0xE0;
	q->running = true;
}

static void
setup(struct fuzz_input *in)
{
	struct xen_netif_rings *rings = &test.front.nif.rings;
	uint8_t what = fuzz_u8(in), classify;
	uint16_t room = XEN_NETIF_ROOM_MIN + fuzz_u16(in) % 16384;
	uint32_t start = fuzz_index(in);
	unsigned int i;

	memset(&test, 0, sizeof(test));
	classify = fuzz_u8(in);
	if ((classify & GRANTED) != 0)
		room = XEN_NETIF_ROOM_MIN +
				room % (XEN_PAGE_BYTES - RTE_PKTMBUF_HEADROOM - XEN_NETIF_ROOM_MIN);
	fuzz_pool_reset(room);
	if ((classify & GRANTED) != 0) {
		region.pool = fuzz_pool;
		fuzz_region = &region;
	}
	test.queues = 1 + (what & 1);
	rings->active_queues = test.queues;
	rings->ptypes = UINT32_MAX;
	rings->own_mac = FUZZ_OWN_MAC;
	rings->peer.sg = (what & 2) != 0;
	rings->peer.csum_ipv4 = (what & 4) != 0;
	rings->peer.csum_ipv6 = (what & 8) != 0;
	rings->gso = (what & 0x40) != 0;
	rings->peer.gso_tcpv4 = rings->gso;
	rings->peer.gso_tcpv6 = rings->gso;
	rings->notify = fuzz_notify((what & 0x20) != 0);
	for (i = 0; i < test.queues; i++) {
		setup_tx(i, start);
		setup_rx(i, start);
	}
	setup_queue(&test.rxq.q, room, what);
	fuzz_check(xenfront_rxq_init(&test.rxq.q) == 0);
	test.rxq.q.classify = classify & ~GRANTED;
	setup_queue(&test.txq.q, room, what);
}

/* A request is of the page of its id, or of the mbuf that is kept for it. */
static void
check_page(const struct xenfront_tx_pages *tx, const struct netif_tx_request *req, uint32_t size)
{
	const struct rte_mbuf *m;

	fuzz_check(req->id < XEN_NETIF_RING_SIZE && req->offset + size <= XEN_PAGE_BYTES);
	m = tx->held[req->id].m;
	if (m == NULL) {
		fuzz_check(req->gref == tx->grefs[req->id]);
		return;
	}
	fuzz_check(req->gref == xenfront_buf_of(m)->gref && req->offset >= m->data_off);
	fuzz_check(req->offset + size <= (uint32_t)m->data_off + m->data_len);
	fuzz_check(m->nb_segs == 1 && m->refcnt == 1);
}

/* The requests of a packet, from the slot on: they have to add up, and lie within their pages. */
static uint32_t
check_packet(const struct xenfront_tx_pages *tx, const struct netif_tx_sring *sring, uint32_t idx,
		uint32_t end)
{
	const struct netif_tx_request *first = &sring->ring[idx & XEN_NETIF_RING_MASK].req, *req;
	uint32_t rest = first->size, size;
	struct netif_extra_info extra;

	fuzz_check(first->size >= XENFRONT_PKT_MIN);
	if ((first->flags & NETTXF_extra_info) != 0) {
		fuzz_check(++idx != end && tx->ids.nb_extras != 0);
		memcpy(&extra, &sring->ring[idx & XEN_NETIF_RING_MASK], sizeof(extra));
		fuzz_check(extra.flags == 0 && xen_extra_gso_known(&extra));
	}
	for (req = first; (req->flags & NETTXF_more_data) != 0;) {
		fuzz_check(++idx != end);
		req = &sring->ring[idx & XEN_NETIF_RING_MASK].req;
		fuzz_check(req->size <= rest);
		rest -= req->size;
		size = req->size;
		fuzz_check(size != 0);
		check_page(tx, req, size);
		fuzz_check(tx->ids.ids[req->id] == XENFRONT_TX_MORE);
	}
	check_page(tx, first, rest);
	fuzz_check(tx->ids.ids[first->id] == XENFRONT_TX_FIRST);
	return idx + 1;
}

static void
check_tx(unsigned int i)
{
	const struct netif_tx_sring *old = &test.old[i].tx.tx, *sring = &test.q[i].tx.tx;
	const struct xenfront_tx_pages *tx = &test.pairs[i].tx;
	uint32_t idx = old->req_prod;

	fuzz_check(sring->req_prod - old->req_prod <= XEN_NETIF_RING_SIZE);
	fuzz_check(sring->rsp_prod == old->rsp_prod && sring->rsp_event == old->rsp_event);
	while (idx != sring->req_prod)
		idx = check_packet(tx, sring, idx, sring->req_prod);
	for (; idx != old->req_prod + XEN_NETIF_RING_SIZE; idx++)
		fuzz_check(memcmp(&old->ring[idx & XEN_NETIF_RING_MASK],
					   &sring->ring[idx & XEN_NETIF_RING_MASK],
					   sizeof(sring->ring[0])) == 0);
}

static bool
same_slot(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(union netif_rx_sring_entry)) == 0;
}

/*
 * What was taken is posted again, and nothing else is written; but for what was taken of a ring
 * that broke then, which is not posted.
 */
static void
check_rx(unsigned int i)
{
	const struct netif_rx_sring *old = &test.old[i].rx.rx, *sring = &test.q[i].rx.rx;
	uint32_t idx, slot, posted = sring->req_prod - old->req_prod;
	const struct netif_rx_request *reqs = test.pairs[i].rx.reqs;
	bool broken = !test.front.nif.rings.rx[i].attached;

	fuzz_check(posted <= XEN_NETIF_RING_SIZE);
	fuzz_check(sring->rsp_prod == old->rsp_prod && sring->rsp_event == old->rsp_event);
	for (idx = 0; idx < XEN_NETIF_RING_SIZE; idx++) {
		slot = (old->req_prod + idx) & XEN_NETIF_RING_MASK;
		if (idx < posted)
			fuzz_check(same_slot(&sring->ring[slot], &reqs[slot]));
		else
			fuzz_check(same_slot(&sring->ring[slot], &old->ring[slot]) ||
					(broken && same_slot(&sring->ring[slot], &reqs[slot])));
	}
}

/* Note in the mbufs of all slots which they are of, and in those that are not the ring's none. */
static void
note_slots(struct rte_mbuf *const *pkts, unsigned int n)
{
	struct rte_mbuf *m;
	unsigned int i, j;

	for (i = 0; i < test.queues; i++) {
		for (j = 0; j < XEN_NETIF_RING_SIZE; j++)
			test.pairs[i].rx.mbufs[j]->dynfield1[0] = i * XEN_NETIF_RING_SIZE + j;
	}
	for (i = 0; i < test.queues; i++) {
		for (j = 0; j < XEN_NETIF_RING_SIZE; j++) {
			if (test.pairs[i].tx.held[j].m != NULL)
				test.pairs[i].tx.held[j].m->dynfield1[0] = NO_SLOT;
		}
	}
	for (i = 0; i < n; i++) {
		for (m = pkts[i]; m != NULL; m = m->next)
			m->dynfield1[0] = NO_SLOT;
	}
}

/* What is posted is the page of the slot's mbuf, which nobody else has. */
static void
check_mbufs(struct rte_mbuf *const *pkts, unsigned int n)
{
	const struct xenfront_rx_pages *rx;
	unsigned int i, j;

	if (fuzz_region == NULL)
		return;
	note_slots(pkts, n);
	for (i = 0; i < test.queues; i++) {
		rx = &test.pairs[i].rx;
		for (j = 0; j < XEN_NETIF_RING_SIZE; j++) {
			fuzz_check(rx->mbufs[j]->dynfield1[0] == i * XEN_NETIF_RING_SIZE + j);
			fuzz_check(rx->reqs[j].gref == xenfront_buf_own(rx->mbufs[j])->gref);
		}
	}
}

static void
before_burst(void)
{
	unsigned int i;

	memcpy(test.old, test.q, sizeof(test.old));
	for (i = 0; i < test.queues; i++) {
		fuzz_watch(&test.q[i].tx, offsetof(struct netif_tx_sring, ring));
		fuzz_watch(&test.q[i].rx, offsetof(struct netif_rx_sring, ring));
	}
}

/* The application has these packets. */
static void
after_burst(struct rte_mbuf *const *pkts, unsigned int n)
{
	unsigned int i;

	fuzz_watch_end();
	for (i = 0; i < test.queues; i++) {
		check_tx(i);
		check_rx(i);
	}
	check_mbufs(pkts, n);
}

static void
step_receive(struct fuzz_input *in)
{
	struct rte_mbuf *pkts[UINT8_MAX];
	uint16_t n = fuzz_u8(in), got, i;

	before_burst();
	got = xenfront_rx_burst(&test.rxq, pkts, n);
	fuzz_check(got <= n);
	after_burst(pkts, got);
	for (i = 0; i < got; i++)
		fuzz_packet_received(pkts[i], &test.rxq.q);
}

static void
step_send(struct fuzz_input *in)
{
	uint16_t n = 1 + fuzz_u8(in) % BURST_MAX, sent, i;
	struct rte_mbuf *pkts[BURST_MAX];

	for (i = 0; i < n; i++)
		pkts[i] = fuzz_packet(in);
	before_burst();
	sent = xenfront_tx_burst(&test.txq, pkts, n);
	fuzz_check(sent <= n);
	after_burst(pkts + sent, n - sent);
	for (i = sent; i < n; i++)
		rte_pktmbuf_free(pkts[i]);
}

/* The backend answers all requests, as it should. */
static void
step_answer(struct shared_queue *q)
{
	uint32_t i, n = q->tx.tx.req_prod - q->tx.tx.rsp_prod;
	union netif_tx_sring_entry *slot;
	uint16_t id;

	for (i = 0; i < n && n <= XEN_NETIF_RING_SIZE; i++) {
		slot = &q->tx.tx.ring[q->tx.tx.rsp_prod++ & XEN_NETIF_RING_MASK];
		id = slot->req.id;
		slot->rsp = (struct netif_tx_response){ .id = id, .status = NETIF_RSP_OKAY };
	}
}

static void
step_tx_responses(struct shared_queue *q, struct fuzz_input *in)
{
	unsigned int n = fuzz_u8(in), i;

	for (i = 0; i < n; i++)
		fuzz_bytes(in, &q->tx.tx.ring[q->tx.tx.rsp_prod++ & XEN_NETIF_RING_MASK].rsp,
				sizeof(struct netif_tx_response));
}

/* Of any content; or with the right id, without which there are never several. */
static void
step_rx_responses(struct shared_queue *q, struct fuzz_input *in, bool right_id)
{
	unsigned int n = fuzz_u8(in), i, slot;

	for (i = 0; i < n; i++) {
		slot = q->rx.rx.rsp_prod++ & XEN_NETIF_RING_MASK;
		fuzz_bytes(in, &q->rx.rx.ring[slot], sizeof(q->rx.rx.ring[0]));
		if (right_id)
			q->rx.rx.ring[slot].rsp.id = slot;
	}
}

/* The backend fills the page that it answers next. */
static void
step_data(unsigned int queue, struct fuzz_input *in)
{
	uint32_t slot = test.q[queue].rx.rx.rsp_prod & XEN_NETIF_RING_MASK;
	const struct xenfront_rx_pages *rx = &test.pairs[queue].rx;

	if (rx->region != NULL) {
		fuzz_bytes(in, rx->mbufs[slot]->buf_addr, fuzz_u8(in));
		return;
	}
	fuzz_bytes(in, rx->pages + slot * XEN_PAGE_BYTES, fuzz_u8(in));
	filled[queue][slot] = true;
}

/* The backend moves an index as it likes. */
static void
step_index(struct shared_queue *q, struct fuzz_input *in)
{
	uint8_t which = fuzz_u8(in);
	union fuzz_page *page = (which & 1) != 0 ? &q->rx : &q->tx;

	if ((which & 2) != 0)
		page->tx.req_event = page->tx.req_prod + fuzz_index(in);
	else
		page->tx.rsp_prod += fuzz_index(in);
}

static void
step_machine(struct fuzz_input *in)
{
	fuzz_late = (fuzz_u8(in) & 1) != 0;
	fuzz_pool_left = fuzz_u8(in) * 4;
}

static void
take_step(struct fuzz_input *in)
{
	uint8_t step = fuzz_u8(in);
	unsigned int queue = (step & SECOND_QUEUE) != 0 ? test.queues - 1 : 0;
	struct shared_queue *q = &test.q[queue];

	switch (step & ~SECOND_QUEUE) {
	case 0:
		step_receive(in);
		break;
	case 1:
		step_send(in);
		break;
	case 2:
		step_answer(q);
		break;
	case 3:
		step_tx_responses(q, in);
		break;
	case 4:
	case 5:
		step_rx_responses(q, in, (step & 1) != 0);
		break;
	case 6:
		step_index(q, in);
		break;
	case 7:
		step_machine(in);
		break;
	case 8:
		step_data(queue, in);
		break;
	default:
		break;
	}
}

/* The rings go. */
static void
let_go(struct xenfront_pair *pair)
{
	unsigned int i, held = 0;

	for (i = 0; i < XEN_NETIF_RING_SIZE; i++) {
		held += pair->tx.held[i].m != NULL;
		rte_pktmbuf_free(pair->tx.held[i].m);
		rte_pktmbuf_free(pair->rx.mbufs[i]);
	}
	fuzz_check(held == pair->tx.nb_held);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { .data = data, .left = size };
	unsigned int i;

	setup(&in);
	while (in.left != 0)
		take_step(&in);
	xenfront_rxq_stop(&test.rxq.q);
	for (i = 0; i < test.queues; i++)
		let_go(&test.pairs[i]);
	fuzz_pool_check();
	return 0;
}
