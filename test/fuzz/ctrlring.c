/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * A guest's control ring, and packets hashed and steered by what it has set.
 *
 * Input: where the ring's indices begin (2 bytes), queues of the guest (1), and steps: a byte that
 * says which, and what it needs: requests (how many, 1 byte, and 16 bytes each), an index's change
 * (2), the bytes that each granted page begins with (how many, 1 byte, and they), every so manyth
 * copy that fails (1), or a frame (its length, 1 byte, and a packet as in chain.h).
 */

#include <rte_bitops.h>

#include "chain.h"
#include "fuzz.h"
#include "ring.h"
#include "xenvif_ctrlring.h"
#include "xenvif_hash.h"

#define RINGS offsetof(struct xen_netif_ctrl_sring, ring)

static union {
	struct xen_netif_ctrl_sring ctrl;
	union fuzz_page page;
} ring, old;

static struct {
	struct xenvif vif;
	struct xenvif_hash_copy copy;
	uint8_t granted[XEN_PAGE_BYTES];
	uint8_t copy_fails;
	uint32_t copies;
	bool unmasked;
} test;

/* In the place of libxengnttab and libxenevtchn. */
int
xengnttab_grant_copy(xengnttab_handle *xgt __rte_unused, uint32_t count,
		xengnttab_grant_copy_segment_t *segs)
{
	fuzz_check(count == 1 && segs->flags == GNTCOPY_source_gref);
	fuzz_check(segs->len != 0 && segs->len <= XEN_HASH_MAPPING_MAX * sizeof(uint32_t));
	fuzz_check(segs->source.foreign.offset == 0);
	test.copies++;
	if (test.copy_fails != 0 && test.copies % test.copy_fails == 0) {
		segs->status = GNTST_bad_gntref;
		return 0;
	}
	memcpy(segs->dest.virt, test.granted, segs->len);
	segs->status = GNTST_okay;
	return 0;
}

int
xenevtchn_unmask(xenevtchn_handle *xce __rte_unused, evtchn_port_t port __rte_unused)
{
	test.unmasked = true;
	return 0;
}

static void
check_config(const struct xen_hash_config *cfg, uint16_t queues)
{
	uint32_t i;

	fuzz_check(cfg->algorithm <= XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ);
	fuzz_check((cfg->types & ~XEN_HASH_TYPES) == 0);
	fuzz_check(cfg->mapping_size <= XEN_HASH_MAPPING_MAX);
	for (i = 0; i < XEN_HASH_MAPPING_MAX; i++)
		fuzz_check(cfg->mapping[i] < (i < cfg->mapping_size ? queues : 1));
}

/* Responses are in the places of the requests that were taken, and no other byte has changed. */
static void
check_responses(void)
{
	uint32_t from = old.ctrl.rsp_prod, n = ring.ctrl.rsp_prod - from, i;
	const struct xen_netif_ctrl_request *req;
	struct xen_netif_ctrl_response *rsp;

	fuzz_check(n <= XENVIF_CTRL_ROUND);
	for (i = from; i != from + n; i++) {
		req = &old.ctrl.ring[i & XEN_NETIF_CTRL_RING_MASK].req;
		rsp = &ring.ctrl.ring[i & XEN_NETIF_CTRL_RING_MASK].rsp;
		fuzz_check(rsp->id == req->id && rsp->type == req->type);
		fuzz_check(rsp->status <= XEN_NETIF_CTRL_STATUS_BUFFER_OVERFLOW);
		fuzz_check(rsp->data == 0 || rsp->status == XEN_NETIF_CTRL_STATUS_SUCCESS);
		memcpy(&old.ctrl.ring[i & XEN_NETIF_CTRL_RING_MASK].rsp, rsp, sizeof(*rsp));
	}
	old.ctrl.rsp_prod = ring.ctrl.rsp_prod;
	old.ctrl.req_event = ring.ctrl.req_event;
	fuzz_check(memcmp(&old, &ring, sizeof(ring)) == 0);
}

static void
step_serve(void)
{
	struct xen_netif_ring *ctrl = &test.vif.nif.ctrl;
	bool attached = ctrl->attached, kicked;

	old = ring;
	test.vif.nif.xbdev.dirty = test.unmasked = false;
	fuzz_watch(&ring, RINGS);
	xenvif_ctrlring_serve(&test.vif);
	fuzz_watch_end();
	kicked = test.vif.nif.xbdev.dirty;
	check_responses();
	check_config(&test.vif.nif.rings.hash.cfg, test.vif.nif.nb_queues);
	fuzz_check(ctrl->attached == (ctrl->broken == NULL));
	if (!attached)
		fuzz_check(!test.unmasked);
	else if (ctrl->attached)
		/* Either there is more, or the guest's next request is an event. */
		fuzz_check(test.unmasked == (ring.ctrl.rsp_prod == ring.ctrl.req_prod) &&
				kicked != test.unmasked);
	else
		fuzz_check(kicked && !test.unmasked);
}

static void
step_requests(struct fuzz_input *in)
{
	unsigned int n = fuzz_u8(in), i;

	for (i = 0; i < n; i++)
		fuzz_bytes(in, &ring.ctrl.ring[ring.ctrl.req_prod++ & XEN_NETIF_CTRL_RING_MASK],
				sizeof(struct xen_netif_ctrl_request));
}

/* A frame in one segment and in any: whatever it is, its queue is one that there is. */
static void
step_frame(struct fuzz_input *in)
{
	struct xen_netif_hash *hash = &test.vif.nif.rings.hash;
	uint8_t data[UINT8_MAX], len = fuzz_u8(in);
	struct fuzz_input frame = { .data = data, .left = len };
	struct rte_mbuf *one, *some;
	uint32_t value, again;
	uint16_t queues;
	int type;

	fuzz_bytes(in, data, len);
	fuzz_check(hash->on == xen_hash_on(&hash->cfg));
	if (xenvif_hash_wanted(hash, &test.copy) == NULL) {
		fuzz_check(!hash->on);
		return;
	}
	fuzz_check(memcmp(&test.copy.cfg, &hash->cfg, sizeof(hash->cfg)) == 0);
	some = fuzz_chain(&frame);
	one = fuzz_chain_linear(some);
	type = xen_hash_packet(&test.copy.cfg, one, &value);
	fuzz_check(type == xen_hash_packet(&test.copy.cfg, some, &again));
	fuzz_check(type < 0 || ((RTE_BIT32(type) & hash->cfg.types) != 0 && value == again));
	for (queues = 1; queues <= XEN_NETIF_QUEUES_MAX && type >= 0; queues++)
		fuzz_check(xen_hash_queue(&test.copy.cfg, value, queues) < queues);
	fuzz_chain_free(one);
	fuzz_chain_free(some);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { .data = data, .left = size };
	uint32_t start = fuzz_index(&in);

	memset(&test, 0, sizeof(test));
	memset(&ring, 0, sizeof(ring));
	pthread_mutex_init(&test.vif.nif.lock, NULL);
	test.vif.nif.nb_queues = 1 + fuzz_u8(&in) % XEN_NETIF_QUEUES_MAX;
	test.vif.nif.ctrl.sring.ctrl = &ring.ctrl;
	test.vif.nif.ctrl.attached = true;
	test.vif.nif.ctrl.cons = start;
	ring.ctrl.req_prod = ring.ctrl.rsp_prod = start;
	while (in.left != 0) {
		switch (fuzz_u8(&in)) {
		case 0:
			step_serve();
			break;
		case 1:
			step_requests(&in);
			break;
		case 2:
			ring.ctrl.req_prod += fuzz_index(&in);
			break;
		case 3:
			fuzz_bytes(&in, test.granted, fuzz_u8(&in));
			break;
		case 4:
			test.copy_fails = fuzz_u8(&in);
			break;
		case 5:
			step_frame(&in);
			break;
		default:
			break;
		}
	}
	pthread_mutex_destroy(&test.vif.nif.lock);
	return 0;
}
