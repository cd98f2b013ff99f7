/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * A guest's control ring, and packets hashed and steered by what it has set.
 *
 * Input: where the ring's indices begin (2 bytes), queues of the guest (1), and steps: a byte that
 * says which, and what it needs: requests (how many, 1 byte, and 16 bytes each), an index's change
 * (2), the bytes that each granted page begins with (how many, 1 byte, and they), every so manyth
 * copy that fails (1), a frame (its length, 1 byte, and a packet as in chain.h), or every so manyth
 * map call that fails (1).
 */

#include <sys/mman.h>

#include <rte_bitops.h>

#include "chain.h"
#include "fuzz.h"
#include "ring.h"
#include "xenvif_ctrlring.h"
#include "xenvif_grants.h"
#include "xenvif_hash.h"

/* Few, so that they are used up; the guest's number. */
#define STATIC_PAGES 64
#define DOMID 7

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
	uint8_t map_fails;
	uint32_t maps;
	/* Pages that are mapped now. */
	uint32_t mapped;
	bool unmasked;
} test;

/* In the place of libxengnttab and libxenevtchn. */
int
xengnttab_grant_copy(xengnttab_handle *xgt __rte_unused, uint32_t count,
		xengnttab_grant_copy_segment_t *segs)
{
	bool in = segs->flags == GNTCOPY_source_gref;

	fuzz_check(count == 1 && (in || segs->flags == GNTCOPY_dest_gref));
	fuzz_check(segs->len != 0 && segs->len <= XEN_PAGE_BYTES);
	fuzz_check((in ? segs->source : segs->dest).foreign.offset == 0);
	test.copies++;
	if (test.copy_fails != 0 && test.copies % test.copy_fails == 0) {
		segs->status = GNTST_bad_gntref;
		return 0;
	}
	if (in)
		memcpy(segs->dest.virt, test.granted, segs->len);
	else
		memcpy(test.granted, segs->source.virt, segs->len);
	segs->status = GNTST_okay;
	return 0;
}

/* Nobody looks at the pages: addresses are enough, each of them once. */
void *
xengnttab_map_domain_grant_refs(xengnttab_handle *xgt __rte_unused, uint32_t count, uint32_t domid,
		uint32_t *refs, int prot)
{
	uint32_t i;

	fuzz_check(count != 0 && count <= XENVIF_GREF_LIST_MAX && domid == DOMID);
	fuzz_check(prot == PROT_READ || prot == (PROT_READ | PROT_WRITE));
	for (i = 0; i < count; i++)
		fuzz_check(refs[i] < XENVIF_GREFS_MAX);
	test.maps++;
	if (test.map_fails != 0 && test.maps % test.map_fails == 0)
		return NULL;
	test.mapped += count;
	return (void *)(uintptr_t)((uint64_t)test.maps * XENVIF_GREF_LIST_MAX * XEN_PAGE_BYTES);
}

int
xengnttab_unmap(xengnttab_handle *xgt __rte_unused, void *addr, uint32_t count)
{
	fuzz_check(addr != NULL && count <= test.mapped);
	test.mapped -= count;
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

/* The table has each registered reference once, and addresses of pages that are mapped alone. */
static void
check_grants(void)
{
	uint32_t i, ref, nb, mapped = 0, all = 0;
	const struct xenvif_grants *g = test.vif.nif.rings.grants;

	for (i = 0; g != NULL && i < test.vif.nif.nb_queues; i++, g++) {
		fuzz_check(g->nb <= STATIC_PAGES / test.vif.nif.nb_queues);
		fuzz_check(g->nb_maps <= XENVIF_GRANT_MAPS_MAX);
		fuzz_check(test.vif.nif.rings.rx[i].has_grants == (g->nb != 0));
		fuzz_check(test.vif.nif.rings.tx[i].has_grants == (g->nb != 0));
		for (ref = 0, nb = 0; g->pages != NULL && ref < XENVIF_GREFS_MAX; ref++) {
			nb += g->pages[ref] != 0;
			mapped += (g->pages[ref] & XENVIF_GRANT_ADDRESS) != 0;
		}
		fuzz_check(nb == g->nb);
		all += nb;
	}
	fuzz_check(mapped == test.mapped);
	fuzz_check(all == test.vif.nif.rings.static_pages);
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
	check_grants();
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
	uint32_t start = fuzz_index(&in), i;

	memset(&test, 0, sizeof(test));
	memset(&ring, 0, sizeof(ring));
	pthread_mutex_init(&test.vif.nif.lock, NULL);
	test.vif.nif.nb_queues = 1 + fuzz_u8(&in) % XEN_NETIF_QUEUES_MAX;
	test.vif.nif.args.static_pages = STATIC_PAGES;
	for (i = 0; i < test.vif.nif.nb_queues; i++)
		test.vif.nif.rings.rx[i].domid = DOMID;
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
		case 6:
			test.map_fails = fuzz_u8(&in);
			break;
		default:
			break;
		}
	}
	xenvif_grants_clear(&test.vif.nif.rings);
	fuzz_check(test.mapped == 0 && test.vif.nif.rings.static_pages == 0);
	pthread_mutex_destroy(&test.vif.nif.lock);
	return 0;
}
