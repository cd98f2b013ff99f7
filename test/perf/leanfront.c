/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <err.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "leanfront.h"

#define IDLE_US 2000

static struct xs_handle *store;

struct xs_handle *
rawfront_store(void)
{
	return store;
}

void
rawfront_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	verrx(EXIT_FAILURE, fmt, ap);
}

void
rawfront_idle(void)
{
	usleep(IDLE_US);
}

void
leanfront_open(void)
{
	store = xs_open(0);
	if (store == NULL)
		rawfront_fail("no xenstore");
}

void
leanfront_close(void)
{
	if (store != NULL)
		xs_close(store);
}

void
leanfront_boot(struct leanfront *f, unsigned int devid, bool split, unsigned int tx_pages,
		uint16_t frame_bytes)
{
	rawfront_find(&f->raw, devid);
	rawfront_boot(&f->raw, 1, split, tx_pages + XEN_NETIF_RING_SIZE);
	f->nb_frames = tx_pages * LEANFRONT_FRAMES_PAGE;
	f->frame_bytes = frame_bytes;
}

void
leanfront_leave(struct leanfront *f)
{
	rawfront_reset(&f->raw);
	rawfront_unpublish(&f->raw);
}

void
leanfront_register(struct leanfront *f)
{
	struct xen_netif_gref *list;
	uint32_t gref, status;
	unsigned int i;

	list = rawfront_share(&f->raw, f->raw.backend_id, true, &gref);
	for (i = 0; i < f->raw.nb_pages; i++)
		list[i] = (struct xen_netif_gref){ .ref = f->raw.gref[i] };
	status = rawfront_ctrl_call(&f->raw, XEN_NETIF_CTRL_TYPE_ADD_GREF_MAPPING, 0, gref,
			f->raw.nb_pages, NULL);
	if (status != XEN_NETIF_CTRL_STATUS_SUCCESS)
		rawfront_fail("the backend does not register %u pages: status %u", f->raw.nb_pages,
				status);
}

uint32_t
leanfront_room(const struct leanfront *f)
{
	const struct rawfront_queue *q = &f->raw.q[0];

	return XEN_NETIF_RING_SIZE - q->tx_prod +
			__atomic_load_n(&q->tx->rsp_prod, __ATOMIC_ACQUIRE);
}

void
leanfront_transmit(struct leanfront *f, uint32_t n)
{
	struct rawfront_queue *q = &f->raw.q[0];
	uint32_t frame, before = q->tx_prod;

	for (; q->tx_prod != before + n; q->tx_prod++) {
		frame = q->tx_prod % f->nb_frames;
		q->tx->ring[q->tx_prod & XEN_NETIF_RING_MASK].req = (struct netif_tx_request){
			.gref = f->raw.gref[frame / LEANFRONT_FRAMES_PAGE],
			.offset = frame % LEANFRONT_FRAMES_PAGE * LEANFRONT_ROOM,
			.size = f->frame_bytes,
			.id = q->tx_prod & XEN_NETIF_RING_MASK,
		};
	}
	rawfront_tx_push(&f->raw, 0);
	if (q->tx_prod - __atomic_load_n(&q->tx->req_event, __ATOMIC_SEQ_CST) < n)
		rawfront_notify_tx(&f->raw, 0);
}

uint32_t
leanfront_receive(struct leanfront *f)
{
	struct rawfront_queue *q = &f->raw.q[0];
	uint32_t rsp_prod = __atomic_load_n(&q->rx->rsp_prod, __ATOMIC_ACQUIRE);
	uint32_t before = q->rx_prod, slot, came = rsp_prod - q->rx_cons;
	uint32_t tx_pages = f->nb_frames / LEANFRONT_FRAMES_PAGE;

	q->rx_cons = rsp_prod;
	if (q->rx_prod == rsp_prod + XEN_NETIF_RING_SIZE)
		return came;
	for (; q->rx_prod != rsp_prod + XEN_NETIF_RING_SIZE; q->rx_prod++) {
		slot = q->rx_prod & XEN_NETIF_RING_MASK;
		q->rx->ring[slot].req = (struct netif_rx_request){
			.id = slot,
			.gref = f->raw.gref[tx_pages + slot],
		};
	}
	rawfront_rx_push(&f->raw, 0);
	if (q->rx_prod - __atomic_load_n(&q->rx->req_event, __ATOMIC_SEQ_CST) < q->rx_prod - before)
		rawfront_notify_rx(&f->raw, 0);
	return came;
}
