/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <rte_bitops.h>
#include <rte_ether.h>
#include <rte_memcpy.h>

#include "xen_csum.h"
#include "xen_flow.h"
#include "xenvif_batch.h"

#define TX_CSUM_FLAGS (RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK)

/* Packets that wait and go with one call: more are hardly cheaper. */
#define WAITING_BATCH 32u

/* A burst's state while buffers are taken from the ring. */
struct tx_walk {
	struct xen_netif_rings *rings;
	struct xenvif_batch *b;
	struct xen_netif_ring *ring;
	uint32_t cons;
	uint32_t prod;
	/* Too few buffers are posted for the next packet. */
	bool full;
	/* What has been delivered, and lost. */
	uint32_t packets;
	uint32_t errors;
	uint64_t bytes;
};

/* What of a packet is not taken from its mbuf as it is. */
struct tx_head {
	/* A private copy of its first bytes, where some of them differ; len 0: none. */
	uint8_t *data;
	uint32_t len;
	/* Of its first slot. */
	uint16_t flags;
};

#define TX_HEAD_MAX XEN_CSUM_PATCH_MAX
static_assert(XENVIF_SCRATCH_WHOLE <= TX_HEAD_MAX && 2 * TX_HEAD_MAX <= XENVIF_SCRATCH_BYTES,
		"an empty scratch has to hold any head, a page's end within it or not");

static inline void
stage_piece(struct xenvif_batch *b, const struct xen_netif_ring *ring, void *source,
		grant_ref_t gref, uint16_t offset, uint16_t len)
{
	xengnttab_grant_copy_segment_t *seg = &b->segs[b->nb_segs++];

	seg->source.virt = source;
	seg->dest.foreign.ref = gref;
	seg->dest.foreign.offset = offset;
	seg->dest.foreign.domid = ring->domid;
	seg->len = len;
	seg->flags = GNTCOPY_dest_gref;
	b->nb_ops += xenvif_copy_ops(source, len);
}

/* Take the next posted buffer; its response will say that len bytes are in it. */
static inline grant_ref_t
take_buffer(struct tx_walk *w, uint16_t flags, uint16_t len)
{
	struct netif_rx_request req = xen_ring_rx_request(w->ring->sring.rx, w->cons++);
	struct netif_rx_response *rsp = &w->b->rsp.rx[w->b->nb_slots++];

	rsp->id = req.id;
	rsp->offset = 0;
	rsp->flags = flags;
	rsp->status = len;
	return req.gref;
}

/* A place on one page, as a copy operation is, for the longest head; NULL: none in this batch. */
static uint8_t *
scratch_room(struct xenvif_batch *b)
{
	uint8_t *at = b->scratch + b->scratch_used;
	uint32_t to_page = -(uintptr_t)at & (XEN_PAGE_BYTES - 1);

	if (to_page < TX_HEAD_MAX)
		at += to_page;
	return at + TX_HEAD_MAX <= b->scratch + XENVIF_SCRATCH_BYTES ? at : NULL;
}

/* Copy the first bytes of a packet into room of the scratch, and change them there. */
static void
make_head(struct xenvif_batch *b, struct tx_head *head, const struct rte_mbuf *m,
		const struct xen_csum_patch *patch)
{
	uint32_t len = rte_pktmbuf_pkt_len(m);
	const void *data;

	if (len > XENVIF_SCRATCH_WHOLE)
		len = patch->len;
	data = rte_pktmbuf_read(m, 0, len, head->data);
	if (data != head->data)
		rte_memcpy(head->data, data, len);
	xen_csum_apply(patch, head->data);
	head->len = len;
	b->scratch_used = RTE_ALIGN_CEIL((uint32_t)(head->data + len - b->scratch),
			RTE_CACHE_LINE_SIZE);
}

/*
 * Do the checksum work that a packet asks for. The mbuf may be shared with others: nothing is
 * written to it. False when the packet has to be dropped.
 */
static bool
checksum(struct tx_walk *w, const struct rte_mbuf *m, struct tx_head *head)
{
	struct xen_csum_patch patch;

	if (!xen_csum_send(&w->rings->peer, w->ring, m, &head->flags,
			    NETRXF_csum_blank | NETRXF_data_validated, &patch))
		return false;
	if (patch.nb != 0)
		make_head(w->b, head, m, &patch);
	return true;
}

/*
 * Stage a packet's head and segments densely into as many pages as they need: the slots of a packet
 * are full but for the last (netif.h, "Guest receive").
 */
static void
stage_chain(struct tx_walk *w, const struct rte_mbuf *m, const struct tx_head *head)
{
	uint32_t total = rte_pktmbuf_pkt_len(m), done, in_page, in_seg = head->len, len;
	grant_ref_t gref = 0;
	uint16_t flags;
	uint8_t *from;

	for (done = 0; done < total; done += len) {
		in_page = done % XEN_PAGE_BYTES;
		if (in_page == 0) {
			/* What a blank checksum means stands in the first slot alone. */
			flags = done == 0 ? head->flags : 0;
			flags |= total - done > XEN_PAGE_BYTES ? NETRXF_more_data : 0;
			gref = take_buffer(w, flags, RTE_MIN(total - done, XEN_PAGE_BYTES));
		}
		if (done < head->len) {
			from = head->data;
			len = head->len;
		} else {
			while (in_seg >= rte_pktmbuf_data_len(m)) {
				in_seg -= rte_pktmbuf_data_len(m);
				m = m->next;
			}
			from = rte_pktmbuf_mtod_offset(m, uint8_t *, in_seg);
			len = RTE_MIN(rte_pktmbuf_data_len(m) - in_seg, XEN_PAGE_BYTES - in_page);
			in_seg += len;
		}
		stage_piece(w->b, w->ring, from, gref, in_page, len);
	}
}

/*
 * May the packet be sent at all? Counts it when not.
 *
 * nb_segs receives the segments that there are: what the mbuf says is not believed.
 */
static bool
packet_sendable(struct tx_walk *w, const struct rte_mbuf *m, uint32_t *nb_segs)
{
	uint32_t len = rte_pktmbuf_pkt_len(m), sum = 0, n = 0;
	const struct rte_mbuf *seg;

	if (len > (w->rings->peer.sg ? XEN_NETIF_PKT_MAX : XEN_PAGE_BYTES)) {
		xen_count_add(&w->ring->count.oversize, 1);
		return false;
	}
	for (seg = m; seg != NULL && n <= XENVIF_TX_SEGS_MAX; seg = seg->next, n++)
		sum += rte_pktmbuf_data_len(seg);
	*nb_segs = n;
	if (len < RTE_ETHER_HDR_LEN || sum != len || n != m->nb_segs || n > XENVIF_TX_SEGS_MAX) {
		xen_count_add(&w->ring->count.bad_packets, 1);
		return false;
	}
	return true;
}

/*
 * Stage a packet that is not simply one segment without wishes, or drop it. False when it does
 * not fit into the ring or the batch.
 */
static __rte_noinline bool
put_complex(struct tx_walk *w, struct rte_mbuf *m)
{
	struct xenvif_batch *b = w->b;
	uint32_t slots = (rte_pktmbuf_pkt_len(m) + XEN_PAGE_BYTES - 1) / XEN_PAGE_BYTES, segs;
	struct xenvif_packet *p = &b->packets[b->nb_packets];
	struct tx_head head = { .data = NULL };

	p->first_seg = b->nb_segs;
	p->first_slot = b->nb_slots;
	if (!packet_sendable(w, m, &segs))
		goto drop;
	if (w->prod - w->cons < slots) {
		w->full = true;
		return false;
	}
	/* A piece a segment, and one more for a head and for each end of a page. */
	if (b->nb_segs + segs + slots + 1 > XENVIF_BATCH_SEGS)
		return false;
	if ((m->ol_flags & TX_CSUM_FLAGS) != 0) {
		head.data = scratch_room(b);
		if (head.data == NULL)
			return false;
		if (!checksum(w, m, &head))
			goto drop;
	}
	stage_chain(w, m, &head);
drop:
	p->nb_segs = b->nb_segs - p->first_seg;
	p->nb_slots = b->nb_slots - p->first_slot;
	b->nb_packets++;
	return true;
}

static inline void
put_simple(struct tx_walk *w, struct rte_mbuf *m)
{
	struct xenvif_batch *b = w->b;
	struct xenvif_packet *p = &b->packets[b->nb_packets++];
	uint16_t len = rte_pktmbuf_data_len(m);

	p->first_seg = b->nb_segs;
	p->nb_segs = 1;
	p->first_slot = b->nb_slots;
	p->nb_slots = 1;
	stage_piece(b, w->ring, rte_pktmbuf_mtod(m, void *), take_buffer(w, 0, len), 0, len);
}

static inline void
walk_packets(struct tx_walk *w, struct rte_mbuf **pkts, uint16_t nb_pkts)
{
	struct xenvif_batch *b = w->b;
	struct rte_mbuf *m;

	while (b->nb_packets < nb_pkts) {
		m = pkts[b->nb_packets];
		if (likely(m->nb_segs == 1 && (m->ol_flags & TX_CSUM_FLAGS) == 0 &&
				    m->data_len >= RTE_ETHER_HDR_LEN &&
				    m->data_len <= XEN_PAGE_BYTES && m->data_len == m->pkt_len &&
				    w->cons != w->prod && b->nb_segs < XENVIF_BATCH_SEGS))
			put_simple(w, m);
		else if (!put_complex(w, m))
			break;
	}
}

/*
 * Count what was delivered. A slot whose copy failed says so in its response, and the guest drops
 * the packet: the chain of slots stays whole.
 */
static inline void
finish_packets(struct tx_walk *w, bool all_copied, struct rte_mbuf **pkts)
{
	struct xenvif_batch *b = w->b;
	const struct xenvif_packet *p;
	unsigned int i, j, sent = 0;

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
		w->bytes += rte_pktmbuf_pkt_len(pkts[i]);
	}
	w->packets += sent;
	w->errors += b->nb_packets - sent;
}

/* Answer each buffer in its own slot; published at a packet's end, as Linux and Windows need. */
static inline void
publish_responses(struct tx_walk *w)
{
	struct xen_netif_ring *ring = w->ring;
	struct netif_rx_sring *sring = ring->sring.rx;
	const struct xenvif_batch *b = w->b;
	uint32_t old = ring->cons;
	unsigned int i;

	for (i = 0; i < b->nb_slots; i++)
		sring->ring[(old + i) & XEN_NETIF_RING_MASK].rsp = b->rsp.rx[i];
	ring->cons = w->cons;
	xen_count_add(&ring->count.slots, b->nb_slots);
	xen_ring_store(&sring->rsp_prod, w->cons);
	xen_netif_notify(ring, &sring->rsp_event, w->cons, old);
}

/* Deliver packets while buffers are posted; how many were taken and freed. */
static __rte_always_inline uint16_t
send_packets(struct tx_walk *w, struct rte_mbuf **pkts, uint16_t nb_pkts)
{
	struct xenvif_batch *b = w->b;
	uint16_t n = 0;
	bool copied;

	do {
		w->prod = xen_ring_load(&w->ring->sring.rx->req_prod);
		if (unlikely(w->prod - w->cons > XEN_NETIF_RING_SIZE)) {
			xen_netif_ring_broken(w->rings, w->ring,
					"req_prod more than a ring ahead of rsp_prod");
			break;
		}
		xenvif_batch_reset(b);
		walk_packets(w, pkts + n, RTE_MIN(nb_pkts - n, (int)XENVIF_BATCH_PKTS));
		if (b->nb_packets == 0)
			break;
		copied = xenvif_batch_copy(b, w->ring, w->rings->gnttab);
		finish_packets(w, copied, pkts + n);
		if (b->nb_slots != 0)
			publish_responses(w);
		rte_pktmbuf_free_bulk(pkts + n, b->nb_packets);
		n += b->nb_packets;
	} while (unlikely(n < nb_pkts && !w->full));
	return n;
}

/* Deliver what waits for a ring; false when some has to wait on. */
static __rte_noinline bool
flush_ring(struct xen_netif_rings *rings, struct xen_netif_ring *ring, struct xenvif_batch *b)
{
	struct rte_mbuf *pkts[WAITING_BATCH];
	struct xenvif_txq *txq = NULL;
	uint16_t n, taken;

	while ((n = xenvif_wait_peek(ring, pkts, WAITING_BATCH, &txq)) != 0) {
		struct tx_walk w = { .rings = rings, .b = b, .ring = ring, .cons = ring->cons };

		taken = send_packets(&w, pkts, n);
		xenvif_wait_pop(rings, ring, taken);
		__atomic_fetch_add(&txq->q.late.packets, w.packets, __ATOMIC_RELAXED);
		__atomic_fetch_add(&txq->q.late.bytes, w.bytes, __ATOMIC_RELAXED);
		__atomic_fetch_add(&txq->q.late.errors, w.errors, __ATOMIC_RELAXED);
		if (taken < n && (!ring->attached || !xenvif_wait_expire(rings, ring, w.prod)))
			return false;
	}
	return true;
}

void
xenvif_tx_flush(struct xen_netif_rings *rings, struct xenvif_batch *b)
{
	uint16_t i, active = __atomic_load_n(&rings->active_queues, __ATOMIC_RELAXED);
	struct xen_netif_ring *ring;

	for (i = 0; i < active; i++) {
		ring = &rings->tx[i];
		/* Whoever has it sends what waits. */
		if (!rte_spinlock_trylock(&ring->lock))
			continue;
		if (ring->attached)
			flush_ring(rings, ring, b);
		rte_spinlock_unlock(&ring->lock);
	}
}

/* Deliver packets to a ring, or have them wait for it; fewer when the descriptors are used up. */
static __rte_always_inline uint16_t
tx_ring(struct xenvif_txq *txq, struct xen_netif_ring *ring, struct rte_mbuf **pkts,
		uint16_t nb_pkts)
{
	struct tx_walk w = {
		.rings = txq->q.rings,
		.b = &txq->batch,
		.ring = ring,
	};
	const struct xenvif_wait *wait;
	uint16_t n = 0;

	rte_spinlock_lock(&ring->lock);
	if (unlikely(!ring->attached))
		goto unlock;
	wait = ring->priv;
	if (likely(wait->nb == 0 || flush_ring(w.rings, ring, &txq->batch))) {
		w.cons = ring->cons;
		n = send_packets(&w, pkts, nb_pkts);
	}
	if (unlikely(n < nb_pkts && ring->attached)) {
		xen_count_add(&ring->count.ring_full, 1);
		n += xenvif_wait_put(txq, ring, xen_ring_load(&ring->sring.rx->req_prod), pkts + n,
				nb_pkts - n);
	}
unlock:
	rte_spinlock_unlock(&ring->lock);
	xen_count_add(&txq->q.packets, w.packets);
	xen_count_add(&txq->q.bytes, w.bytes);
	xen_count_add(&txq->q.errors, w.errors);
	return n;
}

/* The same out of line, for bursts that go to several rings. */
static __rte_noinline uint16_t
tx_part(struct xenvif_txq *txq, struct xen_netif_ring *ring, struct rte_mbuf **pkts,
		uint16_t nb_pkts)
{
	return tx_ring(txq, ring, pkts, nb_pkts);
}

/* In order, ring by ring: what follows a packet that is not taken stays with the application. */
static uint16_t
tx_runs(struct xenvif_txq *txq, const uint8_t *rings, struct rte_mbuf **pkts, uint16_t nb_pkts)
{
	uint16_t first, n, taken;

	for (first = 0; first < nb_pkts; first += n) {
		for (n = 1; first + n < nb_pkts && rings[first + n] == rings[first]; n++)
			;
		taken = tx_part(txq, &txq->q.rings->tx[rings[first]], pkts + first, n);
		if (taken < n)
			return first + taken;
	}
	return nb_pkts;
}

/* The vif went away under a burst of which some is sent. */
static void
drop_rest(struct xenvif_txq *txq, struct xen_netif_ring *ring, struct rte_mbuf **pkts, uint16_t n)
{
	rte_spinlock_lock(&ring->lock);
	xen_count_add(&ring->count.wait_flushed, n);
	rte_spinlock_unlock(&ring->lock);
	xen_count_add(&txq->q.errors, n);
	rte_pktmbuf_free_bulk(pkts, n);
}

/* All packets of a ring together. Each is taken: there are descriptors for all of them. */
static void
tx_sorted(struct xenvif_txq *txq, const uint8_t *rings, struct rte_mbuf **pkts, uint16_t nb_pkts)
{
	struct rte_mbuf *of_ring[XENVIF_BATCH_PKTS];
	struct xen_netif_ring *ring;
	uint32_t used = 0;
	uint16_t i, n, taken;

	for (i = 0; i < nb_pkts; i++)
		used |= RTE_BIT32(rings[i]);
	for (; used != 0; used &= used - 1) {
		ring = &txq->q.rings->tx[rte_bsf32(used)];
		for (i = 0, n = 0; i < nb_pkts; i++) {
			if (rings[i] == ring->id)
				of_ring[n++] = pkts[i];
		}
		taken = tx_part(txq, ring, of_ring, n);
		if (unlikely(taken < n))
			drop_rest(txq, ring, of_ring + taken, n - taken);
	}
}

/* The guest has more queues than the application: each flow keeps to one of them. */
static __rte_noinline uint16_t
tx_spread(struct xenvif_txq *txq, uint16_t active, struct rte_mbuf **pkts, uint16_t nb_pkts)
{
	uint8_t rings[XENVIF_BATCH_PKTS];
	uint16_t done = 0, i, n, taken;

	while (done < nb_pkts) {
		n = RTE_MIN(nb_pkts - done, (int)XENVIF_BATCH_PKTS);
		for (i = 0; i < n; i++)
			rings[i] = xen_flow_queue(pkts[done + i], active);
		if (likely(n <= xenvif_wait_free(txq))) {
			tx_sorted(txq, rings, pkts + done, n);
			taken = n;
		} else {
			taken = tx_runs(txq, rings, pkts + done, n);
		}
		done += taken;
		if (taken < n)
			break;
	}
	return done;
}

uint16_t
xenvif_tx_burst(void *queue, struct rte_mbuf **pkts, uint16_t nb_pkts)
{
	struct xenvif_txq *txq = queue;
	struct xen_netif_rings *rings = txq->q.rings;
	uint16_t active = __atomic_load_n(&rings->active_queues, __ATOMIC_RELAXED);

	if (unlikely(active == 0 || !__atomic_load_n(&txq->q.running, __ATOMIC_ACQUIRE)))
		return 0;
	if (unlikely(__atomic_load_n(&rings->waiting_rings, __ATOMIC_RELAXED) != 0))
		xenvif_tx_flush(rings, &txq->batch);
	if (unlikely(txq->q.nb_queues < active))
		return tx_spread(txq, active, pkts, nb_pkts);
	return tx_ring(txq, &rings->tx[txq->q.id % active], pkts, nb_pkts);
}
