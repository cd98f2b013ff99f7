/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <rte_ether.h>

#include "xen_csum.h"
#include "xenvif_batch.h"

#define TX_CSUM_FLAGS (RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK)

/* A burst's state while buffers are taken from the ring. */
struct tx_walk {
	struct xenvif_txq *txq;
	struct xen_netif_ring *ring;
	uint32_t cons;
	uint32_t prod;
};

static inline void
stage_piece(struct xenvif_batch *b, struct xen_netif_ring *ring, void *source, grant_ref_t gref,
		uint16_t offset, uint16_t len)
{
	xengnttab_grant_copy_segment_t *seg = &b->segs[b->nb_segs++];

	seg->source.virt = source;
	seg->dest.foreign.ref = gref;
	seg->dest.foreign.offset = offset;
	seg->dest.foreign.domid = ring->domid;
	seg->len = len;
	seg->flags = GNTCOPY_dest_gref;
	xen_count_add(&ring->count.copy_ops, xenvif_copy_ops(source, len));
}

/* Take the next posted buffer; its response will say that len bytes are in it. */
static inline grant_ref_t
take_buffer(struct tx_walk *w, uint16_t flags, uint16_t len)
{
	struct netif_rx_request req = xen_ring_rx_request(w->ring->sring.rx, w->cons++);
	struct netif_rx_response *rsp = &w->txq->batch.rsp.rx[w->txq->batch.nb_slots++];

	rsp->id = req.id;
	rsp->offset = 0;
	rsp->flags = flags;
	rsp->status = len;
	return req.gref;
}

/*
 * Stage a packet's segments densely into as many pages as they need: the slots of a packet are
 * full but for the last (netif.h, "Guest receive").
 */
static void
stage_chain(struct tx_walk *w, struct rte_mbuf *m, uint16_t flags)
{
	uint32_t left = rte_pktmbuf_pkt_len(m), in_page = 0, in_seg = 0, len;
	grant_ref_t gref = 0;

	while (left != 0) {
		if (in_page == 0)
			gref = take_buffer(w,
					flags | (left > XEN_PAGE_BYTES ? NETRXF_more_data : 0),
					RTE_MIN(left, XEN_PAGE_BYTES));
		while (in_seg == rte_pktmbuf_data_len(m)) {
			m = m->next;
			in_seg = 0;
		}
		len = RTE_MIN(rte_pktmbuf_data_len(m) - in_seg, XEN_PAGE_BYTES - in_page);
		stage_piece(&w->txq->batch, w->ring, rte_pktmbuf_mtod_offset(m, void *, in_seg),
				gref, in_page, len);
		in_seg += len;
		left -= len;
		in_page = (in_page + len) % XEN_PAGE_BYTES;
		/* What a blank checksum means stands in the first slot alone. */
		if (in_page == 0)
			flags = 0;
	}
}

/* May the packet be sent at all? Counts it when not. */
static bool
packet_sendable(struct tx_walk *w, const struct rte_mbuf *m)
{
	const struct xenvif *vif = (const struct xenvif *)w->txq->q.nif;
	uint32_t len = rte_pktmbuf_pkt_len(m), sum = 0;
	const struct rte_mbuf *seg;
	unsigned int n = 0;

	if (len > (vif->sg ? XEN_NETIF_PKT_MAX : XEN_PAGE_BYTES)) {
		xen_count_add(&w->ring->count.oversize, 1);
		return false;
	}
	for (seg = m; seg != NULL; seg = seg->next, n++)
		sum += rte_pktmbuf_data_len(seg);
	if (len < RTE_ETHER_HDR_LEN || sum != len ||
			n + len / XEN_PAGE_BYTES + 1 > XENVIF_BATCH_SEGS) {
		xen_count_add(&w->ring->count.bad_packets, 1);
		return false;
	}
	return true;
}

/*
 * Stage a packet that is not simply one segment without wishes, or drop it. False when it does
 * not fit: it stays the caller's, untouched.
 */
static __rte_noinline bool
put_complex(struct tx_walk *w, struct rte_mbuf *m)
{
	struct xenvif_batch *b = &w->txq->batch;
	uint32_t slots = (rte_pktmbuf_pkt_len(m) + XEN_PAGE_BYTES - 1) / XEN_PAGE_BYTES;
	struct xenvif_packet *p = &b->packets[b->nb_packets];
	uint16_t flags = 0;

	p->mbuf = m;
	p->first_seg = b->nb_segs;
	p->first_slot = b->nb_slots;
	if (!packet_sendable(w, m))
		goto drop;
	if (w->prod - w->cons < slots || b->nb_segs + m->nb_segs + slots > XENVIF_BATCH_SEGS)
		return false;
	if ((m->ol_flags & TX_CSUM_FLAGS) != 0 &&
			!xen_csum_send(w->txq->q.nif, w->ring, m, &flags,
					NETRXF_csum_blank | NETRXF_data_validated))
		goto drop;
	stage_chain(w, m, flags);
drop:
	p->nb_segs = b->nb_segs - p->first_seg;
	p->nb_slots = b->nb_slots - p->first_slot;
	b->nb_packets++;
	return true;
}

static inline void
put_simple(struct tx_walk *w, struct rte_mbuf *m)
{
	struct xenvif_batch *b = &w->txq->batch;
	struct xenvif_packet *p = &b->packets[b->nb_packets++];
	uint16_t len = rte_pktmbuf_data_len(m);

	p->mbuf = m;
	p->first_seg = b->nb_segs;
	p->nb_segs = 1;
	p->first_slot = b->nb_slots;
	p->nb_slots = 1;
	stage_piece(b, w->ring, rte_pktmbuf_mtod(m, void *), take_buffer(w, 0, len), 0, len);
}

static inline void
walk_packets(struct tx_walk *w, struct rte_mbuf **pkts, uint16_t nb_pkts)
{
	struct xenvif_batch *b = &w->txq->batch;
	struct rte_mbuf *m;

	while (b->nb_packets < nb_pkts) {
		m = pkts[b->nb_packets];
		if (likely(m->nb_segs == 1 && (m->ol_flags & TX_CSUM_FLAGS) == 0 &&
				    m->data_len >= RTE_ETHER_HDR_LEN &&
				    m->data_len <= XEN_PAGE_BYTES && m->data_len == m->pkt_len &&
				    w->cons != w->prod && b->nb_segs < XENVIF_BATCH_SEGS)) {
			put_simple(w, m);
			continue;
		}
		if (!put_complex(w, m)) {
			xen_count_add(&w->ring->count.ring_full, 1);
			break;
		}
	}
}

/*
 * Count what was delivered. A slot whose copy failed says so in its response, and the guest drops
 * the packet: the chain of slots stays whole.
 */
static inline void
finish_packets(struct tx_walk *w, bool all_copied)
{
	struct xenvif_batch *b = &w->txq->batch;
	struct xen_netif_queue *q = &w->txq->q;
	const struct xenvif_packet *p;
	unsigned int i, j, sent = 0;
	uint64_t bytes = 0;

	for (i = 0; i < b->nb_packets; i++) {
		p = &b->packets[i];
		if (unlikely(p->nb_slots == 0))
			continue;
		if (unlikely(!all_copied && xenvif_packet_failed(b, p, w->ring))) {
			for (j = 0; j < p->nb_slots; j++)
				b->rsp.rx[p->first_slot + j].status = NETIF_RSP_ERROR;
			continue;
		}
		sent++;
		bytes += rte_pktmbuf_pkt_len(p->mbuf);
	}
	xen_count_add(&q->packets, sent);
	xen_count_add(&q->bytes, bytes);
	xen_count_add(&q->errors, b->nb_packets - sent);
}

/* Answer each buffer in its own slot; published at a packet's end, as Linux and Windows need. */
static inline void
publish_responses(struct tx_walk *w)
{
	struct xen_netif_ring *ring = w->ring;
	struct netif_rx_sring *sring = ring->sring.rx;
	const struct xenvif_batch *b = &w->txq->batch;
	uint32_t old = ring->cons;
	unsigned int i;

	for (i = 0; i < b->nb_slots; i++)
		sring->ring[(old + i) & XEN_NETIF_RING_MASK].rsp = b->rsp.rx[i];
	ring->cons = w->cons;
	xen_count_add(&ring->count.slots, b->nb_slots);
	xen_ring_store(&sring->rsp_prod, w->cons);
	xen_netif_notify(ring, &sring->rsp_event, w->cons, old);
}

static uint16_t
tx_ring(struct xenvif_txq *txq, struct xen_netif_ring *ring, struct rte_mbuf **pkts,
		uint16_t nb_pkts)
{
	struct tx_walk w = { .txq = txq, .ring = ring, .cons = ring->cons };
	struct xenvif_batch *b = &txq->batch;
	bool copied;

	w.prod = xen_ring_load(&ring->sring.rx->req_prod);
	if (unlikely(w.prod - w.cons > XEN_NETIF_RING_SIZE)) {
		xen_netif_ring_broken(txq->q.nif, ring,
				"req_prod more than a ring ahead of rsp_prod");
		return 0;
	}
	xenvif_batch_reset(b);
	walk_packets(&w, pkts, RTE_MIN(nb_pkts, (uint16_t)XENVIF_BATCH_PKTS));
	if (b->nb_packets == 0)
		return 0;
	copied = xenvif_batch_copy(b, txq->q.nif->gnttab);
	finish_packets(&w, copied);
	if (b->nb_slots != 0)
		publish_responses(&w);
	rte_pktmbuf_free_bulk(pkts, b->nb_packets);
	return b->nb_packets;
}

uint16_t
xenvif_tx_burst(void *queue, struct rte_mbuf **pkts, uint16_t nb_pkts)
{
	struct xenvif_txq *txq = queue;
	struct xen_netif *nif = txq->q.nif;
	uint16_t active = __atomic_load_n(&nif->active_queues, __ATOMIC_RELAXED);
	struct xen_netif_ring *ring;
	uint16_t n = 0;

	if (active == 0)
		return 0;
	ring = &nif->tx[txq->q.id % active];
	if (unlikely(ring->shared))
		rte_spinlock_lock(&ring->lock);
	else if (!rte_spinlock_trylock(&ring->lock))
		return 0;
	if (likely(ring->attached))
		n = tx_ring(txq, ring, pkts, nb_pkts);
	rte_spinlock_unlock(&ring->lock);
	return n;
}
