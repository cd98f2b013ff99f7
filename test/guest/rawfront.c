/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "rawfront.h"

void *
rawfront_share(struct rawfront *f, unsigned int domid, bool writable, uint32_t *gref)
{
	void *page = xengntshr_share_pages(f->gntshr, domid, 1, gref, writable);

	if (page == NULL)
		rawfront_fail("cannot grant a page to domain %u: %s", domid, strerror(errno));
	return page;
}

void
rawfront_unshare(struct rawfront *f, void *page)
{
	if (xengntshr_unshare(f->gntshr, page, 1) != 0)
		rawfront_fail("cannot end a grant: %s", strerror(errno));
}

int
rawfront_bind_port(struct rawfront *f, unsigned int domid)
{
	int port = xenevtchn_bind_unbound_port(f->evtchn, domid);

	if (port <= 0)
		rawfront_fail("cannot make an event channel: %s", strerror(errno));
	return port;
}

static uint32_t
index_get(const uint32_t *index)
{
	return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

static void
index_set(uint32_t *index, uint32_t value)
{
	__atomic_store_n(index, value, __ATOMIC_RELEASE);
}

void
rawfront_init_rings(struct rawfront *f, uint32_t start)
{
	struct rawfront_queue *q;
	unsigned int i;

	for (i = 0; i < f->queues_made; i++) {
		q = &f->q[i];
		memset(q->tx, 0, XEN_PAGE_BYTES);
		memset(q->rx, 0, XEN_PAGE_BYTES);
		q->tx_prod = q->tx_cons = q->rx_prod = q->rx_cons = start;
		q->tx->req_prod = q->tx->rsp_prod = start;
		q->rx->req_prod = q->rx->rsp_prod = start;
		q->tx->req_event = q->tx->rsp_event = start + 1;
		q->rx->req_event = q->rx->rsp_event = start + 1;
	}
	memset(f->ctrl_ring, 0, XEN_PAGE_BYTES);
	f->ctrl_prod = f->ctrl_cons = start;
	f->ctrl_ring->req_prod = f->ctrl_ring->rsp_prod = start;
	f->ctrl_ring->req_event = f->ctrl_ring->rsp_event = start + 1;
}

/* The ended one last: its reference is the first that would be given again. */
static void
make_grants(struct rawfront *f)
{
	void *page;

	f->grants[RAWFRONT_GRANT_PAGE] = f->gref[0];
	f->grants[RAWFRONT_GRANT_NONE] = 60000;
	f->grants[RAWFRONT_GRANT_NONE_FAR] = 0x00FFFF00;
	f->grants[RAWFRONT_GRANT_NONE_LAST] = UINT32_MAX;
	rawfront_share(f, RAWFRONT_OTHER_DOMID, true, &f->grants[RAWFRONT_GRANT_FOREIGN]);
	f->read_only = rawfront_share(f, f->backend_id, false,
			&f->grants[RAWFRONT_GRANT_READ_ONLY]);
	page = rawfront_share(f, f->backend_id, true, &f->grants[RAWFRONT_GRANT_ENDED]);
	rawfront_unshare(f, page);
}

void
rawfront_boot(struct rawfront *f, unsigned int queues, bool split, unsigned int pages)
{
	struct rawfront_queue *q;
	unsigned int i;

	f->nb_queues = f->queues_made = queues;
	f->split = split;
	f->nb_pages = pages;
	f->kind = &rawfront_linux;
	f->gntshr = xengntshr_open(NULL, 0);
	f->evtchn = xenevtchn_open(NULL, 0);
	if (f->gntshr == NULL || f->evtchn == NULL)
		rawfront_fail("no grants or event channels: %s", strerror(errno));
	f->pages = xengntshr_share_pages(f->gntshr, f->backend_id, pages, f->gref, 1);
	if (f->pages == NULL)
		rawfront_fail("cannot grant %u pages: %s", pages, strerror(errno));
	/* Bytes that are no packet's and no ring's. */
	for (i = 0; i < pages * XEN_PAGE_BYTES; i++)
		f->pages[i] = 7 * i + 1;
	for (q = f->q; q < &f->q[queues]; q++) {
		q->tx = rawfront_share(f, f->backend_id, true, &q->tx_ref);
		q->rx = rawfront_share(f, f->backend_id, true, &q->rx_ref);
		q->port_tx = rawfront_bind_port(f, f->backend_id);
		q->port_rx = split ? rawfront_bind_port(f, f->backend_id) : q->port_tx;
	}
	f->ctrl_ring = rawfront_share(f, f->backend_id, true, &f->ctrl_ref);
	f->port_ctrl = rawfront_bind_port(f, f->backend_id);
	f->port_foreign = rawfront_bind_port(f, RAWFRONT_OTHER_DOMID);
	make_grants(f);
	rawfront_init_rings(f, 0);
}

void
rawfront_die(struct rawfront *f)
{
	if (f->evtchn != NULL)
		xenevtchn_close(f->evtchn);
	if (f->gntshr != NULL)
		xengntshr_close(f->gntshr);
	f->evtchn = NULL;
	f->gntshr = NULL;
}

void
rawfront_tx_put(struct rawfront *f, unsigned int queue, const struct netif_tx_request *req)
{
	struct rawfront_queue *q = &f->q[queue];
	uint32_t slot = q->tx_prod++ & XEN_NETIF_RING_MASK;

	q->sent[slot] = (struct rawfront_slot){ .req = *req };
	q->tx->ring[slot].req = *req;
}

void
rawfront_tx_extra(struct rawfront *f, unsigned int queue, const struct netif_extra_info *extra)
{
	struct rawfront_queue *q = &f->q[queue];
	uint32_t slot = q->tx_prod++ & XEN_NETIF_RING_MASK;

	q->sent[slot] = (struct rawfront_slot){ .extra = true };
	memcpy(&q->tx->ring[slot], extra, sizeof(*extra));
}

void
rawfront_tx_push(struct rawfront *f, unsigned int queue)
{
	index_set(&f->q[queue].tx->req_prod, f->q[queue].tx_prod);
}

bool
rawfront_tx_rsp(struct rawfront *f, unsigned int queue, struct netif_tx_response *rsp)
{
	struct rawfront_queue *q = &f->q[queue];

	if (q->tx_cons == index_get(&q->tx->rsp_prod))
		return false;
	*rsp = q->tx->ring[q->tx_cons & XEN_NETIF_RING_MASK].rsp;
	if (f->kind->mind_tx != NULL)
		f->kind->mind_tx(f, queue, q->tx_cons, rsp);
	q->tx_cons++;
	return true;
}

void
rawfront_tx_expect(struct rawfront *f, unsigned int queue, unsigned int slots, int16_t status)
{
	const struct rawfront_slot *slot;
	struct netif_tx_response rsp;
	uint32_t cons;
	unsigned int i;

	for (i = 0; i < slots; i++) {
		cons = f->q[queue].tx_cons;
		slot = &f->q[queue].sent[cons & XEN_NETIF_RING_MASK];
		if (!rawfront_tx_rsp(f, queue, &rsp))
			rawfront_fail("slot %u of %u: no response", i, slots);
		if (rsp.status != (slot->extra ? NETIF_RSP_NULL : status))
			rawfront_fail("slot %u of %u: status %d%s, not %d", i, slots, rsp.status,
					slot->extra ? " of extra info" : "",
					slot->extra ? NETIF_RSP_NULL : status);
		/* Extra info has no id. */
		if (!slot->extra && rsp.id != slot->req.id)
			rawfront_fail("slot %u of %u: the response to id %u, not %u", i, slots,
					rsp.id, slot->req.id);
	}
}

void
rawfront_rx_put(struct rawfront *f, unsigned int queue, uint16_t id, uint32_t gref)
{
	struct rawfront_queue *q = &f->q[queue];
	uint32_t slot = q->rx_prod++ & XEN_NETIF_RING_MASK;

	q->posted[slot] = (struct netif_rx_request){ .id = id, .pad = 0xDEAD, .gref = gref };
	q->rx->ring[slot].req = q->posted[slot];
}

void
rawfront_rx_push(struct rawfront *f, unsigned int queue)
{
	index_set(&f->q[queue].rx->req_prod, f->q[queue].rx_prod);
}

void
rawfront_rx_post(struct rawfront *f, unsigned int queue, unsigned int page, unsigned int n)
{
	unsigned int i;

	for (i = page; i < page + n; i++)
		rawfront_rx_put(f, queue, i, f->gref[i]);
	rawfront_rx_push(f, queue);
}

bool
rawfront_rx_rsp(struct rawfront *f, unsigned int queue, struct netif_rx_response *rsp)
{
	struct rawfront_queue *q = &f->q[queue];

	if (q->rx_cons == index_get(&q->rx->rsp_prod))
		return false;
	*rsp = q->rx->ring[q->rx_cons & XEN_NETIF_RING_MASK].rsp;
	if (f->kind->mind_rx != NULL)
		f->kind->mind_rx(f, queue, q->rx_cons, rsp);
	q->rx_cons++;
	return true;
}

static void
notify(struct rawfront *f, int port)
{
	if (xenevtchn_notify(f->evtchn, port) != 0)
		rawfront_fail("cannot notify event channel %d: %s", port, strerror(errno));
}

void
rawfront_ctrl_put(struct rawfront *f, uint16_t type, uint32_t data0, uint32_t data1, uint32_t data2)
{
	const struct xen_netif_ctrl_request req = {
		.id = f->ctrl_prod,
		.type = type,
		.data = { data0, data1, data2 },
	};

	f->ctrl_ring->ring[f->ctrl_prod++ & XEN_NETIF_CTRL_RING_MASK].req = req;
}

void
rawfront_ctrl_push(struct rawfront *f)
{
	index_set(&f->ctrl_ring->req_prod, f->ctrl_prod);
	notify(f, f->port_ctrl);
}

bool
rawfront_ctrl_rsp(struct rawfront *f, struct xen_netif_ctrl_response *rsp)
{
	if (f->ctrl_cons == index_get(&f->ctrl_ring->rsp_prod))
		return false;
	*rsp = f->ctrl_ring->ring[f->ctrl_cons++ & XEN_NETIF_CTRL_RING_MASK].rsp;
	return true;
}

uint32_t
rawfront_ctrl_call(struct rawfront *f, uint16_t type, uint32_t data0, uint32_t data1,
		uint32_t data2, uint32_t *data)
{
	uint64_t end = rawfront_now_ms() + RAWFRONT_LIMIT_MS;
	uint16_t id = f->ctrl_prod;
	struct xen_netif_ctrl_response rsp;

	rawfront_ctrl_put(f, type, data0, data1, data2);
	rawfront_ctrl_push(f);
	while (!rawfront_ctrl_rsp(f, &rsp)) {
		if (rawfront_now_ms() > end)
			rawfront_fail("no response to a control request of type %u", type);
		rawfront_idle();
	}
	if (rsp.id != id || rsp.type != type)
		rawfront_fail("the response to id %u of type %u, not to %u of %u", rsp.id, rsp.type,
				id, type);
	if (data != NULL)
		*data = rsp.data;
	return rsp.status;
}

void
rawfront_notify_tx(struct rawfront *f, unsigned int queue)
{
	notify(f, f->q[queue].port_tx);
}

void
rawfront_notify_rx(struct rawfront *f, unsigned int queue)
{
	notify(f, f->split ? f->q[queue].port_rx : f->q[queue].port_tx);
}

/* Is there anything that an event can have been for? */
static bool
has_response(const struct rawfront *f)
{
	const struct rawfront_queue *q;

	for (q = f->q; q < &f->q[f->nb_queues]; q++) {
		if (q->tx_cons != index_get(&q->tx->rsp_prod) ||
				q->rx_cons != index_get(&q->rx->rsp_prod))
			return true;
	}
	return false;
}

uint16_t
rawfront_next_id(struct rawfront *f, unsigned int queue)
{
	uint16_t last = f->kind->last_id != 0 ? f->kind->last_id : XEN_NETIF_RING_MASK;
	struct rawfront_queue *q = &f->q[queue];

	if (q->next_id < f->kind->first_id || q->next_id > last)
		q->next_id = f->kind->first_id;
	return q->next_id++;
}

void
rawfront_arm(struct rawfront *f, unsigned int queue)
{
	struct rawfront_queue *q = &f->q[queue];
	bool half = f->kind->arm == RAWFRONT_ARM_HALF;

	if (f->kind->arm == RAWFRONT_ARM_FIRST)
		return;
	index_set(&q->tx->rsp_event, q->tx_cons + 1 + (half ? (q->tx_prod - q->tx_cons) / 2 : 0));
	index_set(&q->rx->rsp_event, q->rx_cons + 1);
}

bool
rawfront_event(struct rawfront *f)
{
	struct pollfd pfd = { .fd = xenevtchn_fd(f->evtchn), .events = POLLIN };
	bool seen = false;
	int port;

	while (poll(&pfd, 1, 0) == 1) {
		port = xenevtchn_pending(f->evtchn);
		if (port <= 0 || xenevtchn_unmask(f->evtchn, port) != 0)
			rawfront_fail("cannot take an event: %s", strerror(errno));
		seen = true;
		f->events++;
	}
	if (seen && !has_response(f))
		f->spurious++;
	return seen;
}
