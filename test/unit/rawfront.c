/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <poll.h>
#include <stdio.h>

#include "rawfront.h"
#include "unit.h"

void *
rawfront_share(struct rawfront *f, unsigned int domid, bool writable, uint32_t *gref)
{
	void *page = xengntshr_share_pages(f->gntshr, domid, 1, gref, writable);

	assert_non_null(page);
	return page;
}

void
rawfront_unshare(struct rawfront *f, void *page)
{
	assert_int_equal(xengntshr_unshare(f->gntshr, page, 1), 0);
}

static int
bind_port(struct rawfront *f)
{
	int port = xenevtchn_bind_unbound_port(f->evtchn, 0);

	assert_true(port > 0);
	return port;
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

	for (i = 0; i < f->nb_queues; i++) {
		q = &f->q[i];
		memset(q->tx, 0, XEN_PAGE_BYTES);
		memset(q->rx, 0, XEN_PAGE_BYTES);
		q->tx_prod = q->tx_cons = q->rx_prod = q->rx_cons = start;
		q->tx->req_prod = q->tx->rsp_prod = start;
		q->rx->req_prod = q->rx->rsp_prod = start;
		q->tx->req_event = q->tx->rsp_event = start + 1;
		q->rx->req_event = q->rx->rsp_event = start + 1;
	}
}

void
rawfront_open(struct rawfront *f, unsigned int domid, unsigned int devid, unsigned int queues,
		bool split)
{
	unsigned int i;

	memset(f, 0, sizeof(*f));
	f->domid = domid;
	f->devid = devid;
	f->nb_queues = queues;
	f->split = split;
	snprintf(f->back, sizeof(f->back), "/local/domain/0/backend/vif/%u/%u", domid, devid);
	snprintf(f->front, sizeof(f->front), "/local/domain/%u/device/vif/%u", domid, devid);
	xensim_set_domid(domid);
	f->gntshr = xengntshr_open(NULL, 0);
	f->evtchn = xenevtchn_open(NULL, 0);
	xensim_set_domid(-1);
	assert_non_null(f->gntshr);
	assert_non_null(f->evtchn);
	f->pages = xengntshr_share_pages(f->gntshr, 0, RAWFRONT_PAGES, f->gref, 1);
	assert_non_null(f->pages);
	for (i = 0; i < queues; i++) {
		f->q[i].tx = rawfront_share(f, 0, true, &f->q[i].tx_ref);
		f->q[i].rx = rawfront_share(f, 0, true, &f->q[i].rx_ref);
		f->q[i].port_tx = bind_port(f);
		f->q[i].port_rx = split ? bind_port(f) : f->q[i].port_tx;
	}
	rawfront_init_rings(f, 0);
	rawfront_toolstack(f);
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
rawfront_close(struct rawfront *f)
{
	if (f->back[0] == '\0')
		return;
	rawfront_toolstack_remove(f);
	rawfront_die(f);
	f->back[0] = '\0';
}

void
rawfront_tx_put(struct rawfront *f, unsigned int queue, const struct netif_tx_request *req)
{
	struct rawfront_queue *q = &f->q[queue];

	q->tx->ring[q->tx_prod++ & XEN_NETIF_RING_MASK].req = *req;
}

void
rawfront_tx_extra(struct rawfront *f, unsigned int queue, const struct netif_extra_info *extra)
{
	struct rawfront_queue *q = &f->q[queue];

	memcpy(&q->tx->ring[q->tx_prod++ & XEN_NETIF_RING_MASK], extra, sizeof(*extra));
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

	if (q->tx_cons == xen_ring_load(&q->tx->rsp_prod))
		return false;
	*rsp = q->tx->ring[q->tx_cons++ & XEN_NETIF_RING_MASK].rsp;
	return true;
}

void
rawfront_rx_put(struct rawfront *f, unsigned int queue, uint16_t id, uint32_t gref)
{
	struct rawfront_queue *q = &f->q[queue];
	struct netif_rx_request *req = &q->rx->ring[q->rx_prod++ & XEN_NETIF_RING_MASK].req;

	req->id = id;
	req->pad = 0xDEAD;
	req->gref = gref;
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

	if (q->rx_cons == xen_ring_load(&q->rx->rsp_prod))
		return false;
	*rsp = q->rx->ring[q->rx_cons++ & XEN_NETIF_RING_MASK].rsp;
	return true;
}

bool
rawfront_event(struct rawfront *f)
{
	struct pollfd pfd = { .fd = xenevtchn_fd(f->evtchn), .events = POLLIN };
	bool seen = false;
	int port;

	while (poll(&pfd, 1, 0) == 1) {
		port = xenevtchn_pending(f->evtchn);
		assert_true(port > 0);
		assert_int_equal(xenevtchn_unmask(f->evtchn, port), 0);
		seen = true;
	}
	return seen;
}
