/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * A frontend's control ring as a backend answers it, while the application changes what it wants.
 *
 * Input: where the ring's indices begin (2 bytes), queue pairs of the frontend (1), and steps: a
 * byte that says which, and what it needs: what is wanted (types, 1 byte, octets of the key and
 * they, entries of the mapping and they), the status of a right answer (1), a response in the next
 * slot (12), or an index's change (2).
 */

#include "fuzz.h"
#include "ring.h"
#include "xenfront.h"

#define RINGS offsetof(struct xen_netif_ctrl_sring, ring)
#define PAGE_REF 77

static union {
	struct xen_netif_ctrl_sring ctrl;
	union fuzz_page page;
} ring, old;

static struct {
	struct xenfront front;
	uint8_t page[XEN_PAGE_BYTES] __attribute__((aligned(sizeof(uint32_t))));
	uint32_t start;
	/* The last request, and the page as it was then. */
	struct xen_netif_ctrl_request req;
	uint8_t sent[XEN_PAGE_BYTES] __attribute__((aligned(sizeof(uint32_t))));
	/* What the backend has by what it has answered. */
	struct {
		uint8_t key[XEN_HASH_KEY_MAX];
		uint32_t mapping_size;
		uint32_t mapping[XEN_HASH_MAPPING_MAX];
		uint32_t algorithm;
		uint32_t types;
	} backend;
} test;

/* In the place of libxenevtchn. */
int
xenevtchn_unmask(xenevtchn_handle *xce __rte_unused, evtchn_port_t port __rte_unused)
{
	return 0;
}

static void
connect_backend(void)
{
	struct xen_netif_ring *ctrl = &test.front.nif.ctrl;

	memset(&ring, 0, sizeof(ring));
	memset(&test.backend, 0, sizeof(test.backend));
	ring.ctrl.req_prod = ring.ctrl.rsp_prod = test.start;
	ctrl->cons = ctrl->prod = test.start;
	ctrl->attached = true;
	ctrl->broken = NULL;
	xenfront_rss_begin(&test.front);
}

static void
check_request(void)
{
	const uint32_t *data = test.req.data, *entries = (const uint32_t *)test.page;
	uint32_t i;

	fuzz_check(data[2] == 0);
	switch (test.req.type) {
	case XEN_NETIF_CTRL_TYPE_SET_HASH_KEY:
		fuzz_check(data[0] == PAGE_REF && data[1] == XEN_HASH_KEY_MAX);
		return;
	case XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING:
		fuzz_check(data[0] == PAGE_REF);
		fuzz_check(data[1] != 0 && data[1] <= test.backend.mapping_size);
		for (i = 0; i < data[1]; i++)
			fuzz_check(entries[i] < test.front.nif.nb_queues);
		return;
	case XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE:
		fuzz_check(data[0] <= XEN_HASH_MAPPING_MAX);
		break;
	case XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM:
		fuzz_check(data[0] <= XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ);
		break;
	default:
		fuzz_check(test.req.type == XEN_NETIF_CTRL_TYPE_SET_HASH_FLAGS);
		fuzz_check((data[0] & ~XEN_HASH_TYPES) == 0);
	}
	fuzz_check(data[1] == 0);
}

/* The backend says that it has done what it was asked for. */
static void
obey(void)
{
	switch (test.req.type) {
	case XEN_NETIF_CTRL_TYPE_SET_HASH_KEY:
		memcpy(test.backend.key, test.sent, sizeof(test.backend.key));
		break;
	case XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE:
		test.backend.mapping_size = test.req.data[0];
		memset(test.backend.mapping, 0, sizeof(test.backend.mapping));
		break;
	case XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING:
		memcpy(test.backend.mapping, test.sent, test.req.data[1] * sizeof(uint32_t));
		break;
	case XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM:
		test.backend.algorithm = test.req.data[0];
		/* Whatever they were, they were another algorithm's. */
		test.backend.types = UINT32_MAX;
		break;
	default:
		test.backend.types = test.req.data[0];
	}
}

/* What the frontend takes for done is done. */
static void
check_done(void)
{
	const struct xen_hash_config *cfg = &test.front.nif.rings.hash.cfg;
	uint8_t key[XEN_HASH_KEY_MAX];
	uint32_t i;

	if (!xen_hash_on(cfg))
		return;
	xen_hash_get_key(cfg, key);
	fuzz_check(memcmp(key, test.backend.key, sizeof(key)) == 0);
	fuzz_check(cfg->algorithm == test.backend.algorithm && cfg->types == test.backend.types);
	fuzz_check(cfg->mapping_size == test.backend.mapping_size);
	for (i = 0; i < cfg->mapping_size; i++)
		fuzz_check(test.backend.mapping[i] == cfg->mapping[i] % test.front.nif.nb_queues);
}

/* A request at most, and no other byte has changed. */
static void
check_written(uint32_t from)
{
	struct xen_netif_ring *ctrl = &test.front.nif.ctrl;
	union xen_netif_ctrl_sring_entry *slot = &ring.ctrl.ring[from & XEN_NETIF_CTRL_RING_MASK];

	fuzz_check(ctrl->prod - from <= 1);
	if (ctrl->prod != from) {
		test.req = slot->req;
		memcpy(test.sent, test.page, sizeof(test.sent));
		check_request();
		fuzz_check(ring.ctrl.rsp_event == ctrl->cons + 1 && ctrl->prod == ctrl->cons + 1);
		old.ctrl.ring[from & XEN_NETIF_CTRL_RING_MASK].req = slot->req;
		old.ctrl.rsp_event = ring.ctrl.rsp_event;
		old.ctrl.req_prod = ctrl->prod;
	}
	fuzz_check(memcmp(&old, &ring, sizeof(ring)) == 0);
}

static void
step_look(void)
{
	struct xen_netif_ring *ctrl = &test.front.nif.ctrl;
	struct xenfront_rss *rss = &test.front.rss;
	struct xen_netif_ctrl_response rsp;
	bool dead = rss->dead;

	old = ring;
	if (!dead && ctrl->prod != ctrl->cons && ring.ctrl.rsp_prod == ctrl->prod) {
		rsp = ring.ctrl.ring[ctrl->cons & XEN_NETIF_CTRL_RING_MASK].rsp;
		if (rsp.id == test.req.id && rsp.type == test.req.type &&
				rsp.status == XEN_NETIF_CTRL_STATUS_SUCCESS)
			obey();
	}
	test.front.nif.xbdev.timer_ms = 0;
	fuzz_watch(&ring, RINGS);
	xenfront_rss_step(&test.front);
	fuzz_watch_end();
	check_written(old.ctrl.req_prod);
	if (ctrl->broken != NULL) {
		fuzz_check(!ctrl->attached && test.front.nif.xbdev.dirty);
		xenfront_rss_end(&test.front, -EPROTO);
		connect_backend();
		return;
	}
	/* What has no end by an answer has one by the clock. */
	fuzz_check(!rss->running || test.front.nif.xbdev.timer_ms != 0);
	fuzz_check(rss->running || rss->finished == rss->asked || dead);
	if (!rss->running && !dead && rss->result == 0)
		check_done();
}

static void
step_want(struct fuzz_input *in)
{
	struct xen_hash_config *cfg = &test.front.nif.rings.hash.cfg;
	uint8_t key[XEN_HASH_KEY_MAX], len;

	memset(cfg, 0, sizeof(*cfg));
	cfg->types = fuzz_u8(in) & XEN_HASH_TYPES;
	if (cfg->types != 0)
		cfg->algorithm = XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ;
	len = fuzz_u8(in) % (XEN_HASH_KEY_MAX + 1);
	fuzz_bytes(in, key, len);
	xen_hash_set_key(cfg, key, len);
	cfg->mapping_size = fuzz_u8(in) % (XEN_HASH_MAPPING_MAX + 1);
	fuzz_bytes(in, cfg->mapping, cfg->mapping_size);
	test.front.rss.asked++;
}

static void
step_answer(uint8_t status)
{
	struct xen_netif_ctrl_response *rsp;

	if (ring.ctrl.rsp_prod == ring.ctrl.req_prod)
		return;
	rsp = &ring.ctrl.ring[ring.ctrl.rsp_prod++ & XEN_NETIF_CTRL_RING_MASK].rsp;
	*rsp = (struct xen_netif_ctrl_response){
		.id = test.req.id,
		.type = test.req.type,
		.status = status,
	};
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { .data = data, .left = size };

	memset(&test, 0, sizeof(test));
	pthread_mutex_init(&test.front.nif.lock, NULL);
	test.start = fuzz_index(&in);
	test.front.nif.nb_queues = 1 + fuzz_u8(&in) % XEN_NETIF_QUEUES_MAX;
	test.front.nif.ctrl.sring.ctrl = &ring.ctrl;
	test.front.ctrl.page = test.page;
	test.front.ctrl.page_ref = PAGE_REF;
	connect_backend();
	while (in.left != 0) {
		switch (fuzz_u8(&in)) {
		case 0:
			step_look();
			break;
		case 1:
			step_want(&in);
			break;
		case 2:
			step_answer(fuzz_u8(&in));
			break;
		case 3:
			fuzz_bytes(&in,
					&ring.ctrl.ring[ring.ctrl.rsp_prod &
							XEN_NETIF_CTRL_RING_MASK],
					sizeof(struct xen_netif_ctrl_response));
			break;
		case 4:
			ring.ctrl.rsp_prod += fuzz_index(&in);
			break;
		case 5:
			/* The time of the message under way is over. */
			test.front.rss.until_ms = 0;
			break;
		case 6:
			xenfront_rss_end(&test.front, 0);
			connect_backend();
			break;
		default:
			break;
		}
	}
	pthread_mutex_destroy(&test.front.nif.lock);
	return 0;
}
