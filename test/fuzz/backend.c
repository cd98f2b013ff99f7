/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * The backend's bursts of both directions, between a guest that writes anything into its rings and
 * an application that sends anything.
 *
 * Input: what both ends are like (see setup()), and steps: a byte that says which, and what it
 * needs.
 */

#include <sys/mman.h>

#include "fuzz.h"
#include "pool.h"
#include "ring.h"
#include "xenvif.h"
#include "xenvif_grants.h"
#include "xenvif_rxtx.h"

#define QUEUES 2
#define BURST_MAX 16
/* Pages that a queue may register, and entries of a list. */
#define STATIC_PAGES 24
#define LIST_MAX 8

/* The pages of a queue, by the guest's names for them, and where the guest is with them. */
struct guest_queue {
	union fuzz_page tx;
	union fuzz_page rx;
};

static struct {
	struct xenvif vif;
	struct xenvif_rxq rxq;
	struct xenvif_txq txq;
	unsigned int queues;
	struct guest_queue q[QUEUES];
	/* As they were before a burst. */
	struct guest_queue old[QUEUES];
	/* Registered pages that are mapped; every so manyth map call fails. */
	uint32_t mapped;
	uint32_t maps;
	uint8_t map_fails;
} test;

/* In the place of libxengnttab: pages that are not to be written to, nor past their end. */
void *
xengnttab_map_domain_grant_refs(xengnttab_handle *xgt __rte_unused, uint32_t count,
		uint32_t domid __rte_unused, uint32_t *refs __rte_unused, int prot)
{
	uint8_t *pages;

	fuzz_check(count != 0 && count <= LIST_MAX);
	if (test.map_fails != 0 && ++test.maps % test.map_fails == 0)
		return NULL;
	pages = mmap(NULL, (count + 1) * XEN_PAGE_BYTES, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	fuzz_check(pages != MAP_FAILED);
	memcpy(pages, fuzz_granted, XEN_PAGE_BYTES);
	fuzz_check(mprotect(pages, count * XEN_PAGE_BYTES, prot) == 0);
	fuzz_check(mprotect(pages + count * XEN_PAGE_BYTES, XEN_PAGE_BYTES, PROT_NONE) == 0);
	test.mapped += count;
	return pages;
}

int
xengnttab_unmap(xengnttab_handle *xgt __rte_unused, void *pages, uint32_t count)
{
	fuzz_check(count <= test.mapped);
	test.mapped -= count;
	return munmap(pages, (count + 1) * XEN_PAGE_BYTES);
}

static void
setup_ring(struct xen_netif_ring *ring, unsigned int id, union fuzz_page *page, uint32_t start)
{
	ring->rings = &test.vif.nif.rings;
	ring->attached = true;
	ring->id = id;
	ring->cons = start;
	ring->sring.page = page;
	/* The indices of both rings stand at the same places. */
	page->tx.req_prod = start;
	page->tx.rsp_prod = start;
}

static void
setup_queue(struct xen_netif_queue *q, uint16_t room, uint8_t what)
{
	q->rings = &test.vif.nif.rings;
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
	struct xen_netif_rings *rings = &test.vif.nif.rings;
	uint8_t what = fuzz_u8(in);
	uint16_t room = XEN_NETIF_ROOM_MIN + fuzz_u16(in) % 16384;
	uint32_t start = fuzz_index(in);
	unsigned int i;

	memset(&test, 0, sizeof(test));
	fuzz_pool_reset(room);
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
	test.vif.mcast.on = (what & 0x48) == 0x40;
	rings->frame_max = rings->peer.sg ? XEN_NETIF_PKT_MAX : XEN_PAGE_BYTES;
	rings->simple_max = XEN_PAGE_BYTES;
	rings->notify = fuzz_notify((what & 0x20) != 0);
	for (i = 0; i < test.queues; i++) {
		setup_ring(&rings->rx[i], i, &test.q[i].tx, start);
		setup_ring(&rings->tx[i], i, &test.q[i].rx, start);
		xen_notify_init(&rings->rx[i].notify, XEN_NOTIFY_DONE);
		xen_notify_init(&rings->tx[i].notify, XEN_NOTIFY_PACKETS);
		STAILQ_INIT(&test.vif.wait[i].list);
		test.vif.wait[i].mcast = &test.vif.mcast;
		rings->tx[i].priv = &test.vif.wait[i];
		rings->rx[i].priv = &test.vif.mcast;
	}
	setup_queue(&test.rxq.q, room, what);
	test.rxq.q.classify = fuzz_u8(in);
	fuzz_check(xenvif_rxq_init(&test.rxq.q) == 0);
	setup_queue(&test.txq.q, room, what);
	test.txq.q.nb_desc = 1 + fuzz_u8(in);
	fuzz_check(xenvif_wait_txq_init(&test.txq.q, 0) == 0);
}

static void
teardown(void)
{
	struct xen_netif_rings *rings = &test.vif.nif.rings;
	unsigned int i;

	for (i = 0; i < test.queues; i++) {
		xenvif_wait_flush(rings, &rings->tx[i]);
		xen_netif_notify_flush(&rings->rx[i]);
		xen_netif_notify_flush(&rings->tx[i]);
	}
	xenvif_grants_clear(rings);
	fuzz_check(test.mapped == 0 && rings->static_pages == 0);
	fuzz_check(rings->held == 0);
	fuzz_check(rings->waiting_rings == 0);
	fuzz_check(xenvif_wait_free(&test.txq) == test.txq.q.nb_desc);
	xenvif_wait_txq_fini(&test.txq.q);
	xenvif_rxq_fini(&test.rxq.q);
	fuzz_pool_check();
}

/* A burst may have written responses, each in the place of a request, and no other byte. */
static void
check_page(const union fuzz_page *old, union fuzz_page *page, size_t slot_size, size_t rsp_size)
{
	uint32_t from = old->tx.rsp_prod, n = page->tx.rsp_prod - from, i;
	union fuzz_page wanted = *old;
	size_t at;

	fuzz_check(n <= XEN_NETIF_RING_SIZE && n <= old->tx.req_prod - from);
	wanted.tx.rsp_prod = page->tx.rsp_prod;
	for (i = 0; i < n; i++) {
		at = offsetof(struct netif_tx_sring, ring) +
				((from + i) & XEN_NETIF_RING_MASK) * slot_size;
		memcpy(wanted.bytes + at, page->bytes + at, rsp_size);
	}
	fuzz_check(memcmp(&wanted, page, sizeof(wanted)) == 0);
}

static void
check_tx_responses(const union fuzz_page *old, const union fuzz_page *page)
{
	const struct netif_tx_response *rsp;
	uint32_t i;

	for (i = old->tx.rsp_prod; i != page->tx.rsp_prod; i++) {
		rsp = &page->tx.ring[i & XEN_NETIF_RING_MASK].rsp;
		if (rsp->status == NETIF_RSP_NULL)
			continue;
		fuzz_check(rsp->status == NETIF_RSP_OKAY || rsp->status == NETIF_RSP_ERROR);
		fuzz_check(rsp->id == old->tx.ring[i & XEN_NETIF_RING_MASK].req.id);
	}
}

static void
check_rx_responses(const union fuzz_page *old, const union fuzz_page *page)
{
	const struct netif_rx_response *rsp;
	struct netif_extra_info extra;
	uint32_t i;

	for (i = old->rx.rsp_prod; i != page->rx.rsp_prod; i++) {
		rsp = &page->rx.ring[i & XEN_NETIF_RING_MASK].rsp;
		fuzz_check(rsp->id == old->rx.ring[i & XEN_NETIF_RING_MASK].req.id);
		fuzz_check(rsp->offset == 0 && rsp->status >= NETIF_RSP_ERROR);
		fuzz_check(rsp->status != 0 && rsp->status <= (int)XEN_PAGE_BYTES);
		if ((rsp->flags & NETRXF_extra_info) == 0)
			continue;
		i++;
		fuzz_check(i != page->rx.rsp_prod);
		memcpy(&extra, &page->rx.ring[i & XEN_NETIF_RING_MASK], sizeof(extra));
		fuzz_check(extra.flags == 0 && xen_extra_gso_known(&extra));
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

static void
after_burst(void)
{
	struct guest_queue *q, *old;
	unsigned int i;

	fuzz_watch_end();
	for (i = 0; i < test.queues; i++) {
		q = &test.q[i];
		old = &test.old[i];
		check_page(&old->tx, &q->tx, sizeof(q->tx.tx.ring[0]),
				sizeof(q->tx.tx.ring[0].rsp));
		check_page(&old->rx, &q->rx, sizeof(q->rx.rx.ring[0]),
				sizeof(q->rx.rx.ring[0].rsp));
		check_tx_responses(&old->tx, &q->tx);
		check_rx_responses(&old->rx, &q->rx);
	}
}

static void
step_receive(struct fuzz_input *in)
{
	struct rte_mbuf *pkts[UINT8_MAX];
	uint16_t n = fuzz_u8(in), got, i;

	before_burst();
	got = xenvif_rx_burst(&test.rxq, pkts, n);
	after_burst();
	fuzz_check(got <= n);
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
	sent = xenvif_tx_burst(&test.txq, pkts, n);
	after_burst();
	fuzz_check(sent <= n);
	for (i = sent; i < n; i++)
		rte_pktmbuf_free(pkts[i]);
}

static void
step_requests(struct guest_queue *q, struct fuzz_input *in)
{
	unsigned int n = fuzz_u8(in), i;

	for (i = 0; i < n; i++)
		fuzz_bytes(in, &q->tx.tx.ring[q->tx.tx.req_prod++ & XEN_NETIF_RING_MASK],
				sizeof(q->tx.tx.ring[0]));
}

static void
step_buffers(struct guest_queue *q, struct fuzz_input *in)
{
	unsigned int n = fuzz_u8(in), i;

	for (i = 0; i < n; i++)
		fuzz_bytes(in, &q->rx.rx.ring[q->rx.rx.req_prod++ & XEN_NETIF_RING_MASK],
				sizeof(q->rx.rx.ring[0]));
}

/* The guest moves an index as it likes. */
static void
step_index(struct guest_queue *q, struct fuzz_input *in)
{
	uint8_t which = fuzz_u8(in);
	union fuzz_page *page = (which & 1) != 0 ? &q->rx : &q->tx;

	if ((which & 2) != 0)
		page->tx.rsp_event = page->tx.rsp_prod + fuzz_index(in);
	else
		page->tx.req_prod += fuzz_index(in);
}

static void
step_machine(struct fuzz_input *in)
{
	fuzz_copy_fails = fuzz_u8(in);
	fuzz_late = (fuzz_u8(in) & 1) != 0;
	fuzz_pool_left = fuzz_u8(in) * 4;
}

/* The guest registers pages, or removes some: references that there is a chance to see again. */
static void
step_grants(unsigned int queue, struct fuzz_input *in)
{
	struct xen_netif_rings *rings = &test.vif.nif.rings;
	struct xen_netif_gref list[LIST_MAX];
	uint8_t what = fuzz_u8(in);
	uint32_t n = what % (LIST_MAX + 1), i;

	for (i = 0; i < n; i++) {
		list[i].ref = fuzz_u8(in);
		list[i].flags = list[i].ref & XEN_NETIF_CTRLF_GREF_readonly;
	}
	test.map_fails = what >> 5;
	if ((what & 0x10) == 0)
		xenvif_grants_add(rings, queue, STATIC_PAGES, list, n);
	else if (xenvif_grants_find(rings, queue, list, n) != 0)
		xenvif_grants_remove(rings, queue, list, n);
	fuzz_check(rings->static_pages <= test.queues * STATIC_PAGES);
	fuzz_check(test.mapped <= rings->static_pages);
}

/* The guest fills its pages. */
static void
step_data(struct fuzz_input *in)
{
	fuzz_bytes(in, fuzz_granted, fuzz_u8(in));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { .data = data, .left = size };
	struct guest_queue *q;
	uint8_t step;

	setup(&in);
	while (in.left != 0) {
		step = fuzz_u8(&in);
		q = &test.q[(step >> 7) % test.queues];
		switch (step & 0x7F) {
		case 0:
			step_receive(&in);
			break;
		case 1:
			step_send(&in);
			break;
		case 2:
			step_requests(q, &in);
			break;
		case 3:
			step_buffers(q, &in);
			break;
		case 4:
			step_index(q, &in);
			break;
		case 5:
			step_machine(&in);
			break;
		case 6:
			step_data(&in);
			break;
		case 7:
			step_grants(q - test.q, &in);
			break;
		default:
			break;
		}
	}
	teardown();
	return 0;
}
