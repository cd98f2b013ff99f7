/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include "xenvif_recover.h"
#include "xenvif_request.h"

/* As many as gntdev does with one hypercall. */
#define PROBES 16u

/* Has the request's grant reference been replaced by a response to it? */
static bool
is_answered(const struct netif_tx_request *req)
{
	int16_t status = req->gref >> 16;

	return (uint16_t)req->gref == req->id &&
			(status == NETIF_RSP_OKAY || status == NETIF_RSP_ERROR);
}

/* Tell the guest of answers up to an index; how many they are. */
static uint32_t
publish(struct xen_netif_ring *ring, uint32_t *rsp_prod, uint32_t to)
{
	uint32_t n = to - ring->cons;

	if (n == 0)
		return 0;
	ring->cons = to;
	xen_count_add(&ring->count.slots, n);
	xen_ring_store(rsp_prod, to);
	return n;
}

uint32_t
xenvif_recover_rx(struct xen_netif_ring *ring)
{
	struct netif_tx_sring *sring = ring->sring.tx;
	uint32_t prod = xen_ring_load(&sring->req_prod), i;
	bool more = false, extra = false;
	struct netif_extra_info info;
	struct netif_tx_request req;

	/*
	 * What a slot of data has behind its grant reference is as the guest wrote it, and of extra
	 * info so are type and flags.
	 */
	for (i = ring->cons; i - ring->cons < XEN_NETIF_RING_SIZE && i != prod; i++) {
		if (extra) {
			info = xen_ring_extra(&sring->ring[i & XEN_NETIF_RING_MASK]);
			extra = (info.flags & XEN_NETIF_EXTRA_FLAG_MORE) != 0;
			/* It is no packet, whatever its one slot says. */
			if (info.type < XEN_NETIF_EXTRA_TYPE_MAX &&
					(RTE_BIT32(info.type) & XENVIF_EXTRAS_MCAST) != 0)
				more = false;
			xen_ring_tx_respond_null(sring, i);
			continue;
		}
		req = xen_ring_tx_request(sring, i);
		if (!more && !is_answered(&req))
			break;
		xen_ring_tx_respond(sring, i, req.id, NETIF_RSP_ERROR);
		extra = !more && (req.flags & NETTXF_extra_info) != 0;
		more = (req.flags & NETTXF_more_data) != 0;
	}
	return publish(ring, &sring->rsp_prod, i);
}

/*
 * Can what the requests name be copied from? Up to the first that can; all can when nobody says.
 * Console and xenstore have the reserved entries: they are nobody's buffers.
 */
static uint32_t
count_spoilt(const struct xen_netif_ring *ring, const struct netif_rx_request *reqs, uint32_t n,
		xengnttab_handle *gnttab)
{
	xengnttab_grant_copy_segment_t segs[PROBES];
	uint8_t bytes[PROBES];
	uint32_t i;

	for (i = 0; i < n; i++)
		segs[i] = (xengnttab_grant_copy_segment_t){
			.source.foreign = { .ref = reqs[i].gref, .domid = ring->domid },
			.dest.virt = &bytes[i],
			.len = 1,
			.flags = GNTCOPY_source_gref,
		};
	if (xengnttab_grant_copy(gnttab, n, segs) < 0)
		return 0;
	for (i = 0; i < n; i++) {
		if (segs[i].status == GNTST_okay && reqs[i].gref >= GNTTAB_NR_RESERVED_ENTRIES)
			break;
	}
	return i;
}

uint32_t
xenvif_recover_tx(struct xen_netif_ring *ring, xengnttab_handle *gnttab)
{
	struct netif_rx_sring *sring = ring->sring.rx;
	uint32_t left = xen_ring_load(&sring->req_prod) - ring->cons, at = ring->cons, n, i;
	struct netif_rx_request reqs[PROBES];
	struct netif_rx_response rsp = { .status = NETIF_RSP_ERROR };

	for (left = RTE_MIN(left, XEN_NETIF_RING_SIZE); left != 0; left -= n) {
		n = RTE_MIN(left, PROBES);
		for (i = 0; i < n; i++)
			reqs[i] = xen_ring_rx_request(sring, at + i);
		n = count_spoilt(ring, reqs, n, gnttab);
		for (i = 0; i < n; i++) {
			rsp.id = reqs[i].id;
			sring->ring[(at + i) & XEN_NETIF_RING_MASK].rsp = rsp;
		}
		at += n;
		if (n < PROBES)
			break;
	}
	return publish(ring, &sring->rsp_prod, at);
}
