/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <assert.h>

#include <rte_malloc.h>
#include <rte_spinlock.h>

#include "xen_compat.h"
#include "xen_extbuf.h"

/*
 * A buffer of this alignment lies within a huge page, so that a NIC can send from it. It ends with
 * its shared info.
 */
#define EXTBUF_ALIGN (32 * XEN_PAGE_BYTES)
#define EXTBUF_BYTES (18 * XEN_PAGE_BYTES)
#define EXTBUF_SHINFO (EXTBUF_BYTES - sizeof(struct rte_mbuf_ext_shared_info))
static_assert(RTE_PKTMBUF_HEADROOM <= XEN_PAGE_BYTES, "the headroom is in the first page");
static_assert(2 * XEN_PAGE_BYTES - 1 + XEN_EXTBUF_ROOM <= EXTBUF_SHINFO,
		"the data begins in the second page");

struct xen_extbufs {
	rte_spinlock_t lock;
	/* The queue has gone. */
	bool released;
	uint16_t nb_bufs;
	uint16_t nb_free;
	/* The one that came back last is the next to be used. */
	uint8_t *free[XEN_EXTBUF_COUNT];
};

static void
destroy(struct xen_extbufs *e)
{
	while (e->nb_free != 0)
		rte_free(e->free[--e->nb_free]);
	rte_free(e);
}

static void
buf_back(void *addr, void *opaque)
{
	struct xen_extbufs *e = opaque;
	bool last;

	rte_spinlock_lock(&e->lock);
	e->free[e->nb_free++] = RTE_PTR_ALIGN_FLOOR(addr, EXTBUF_ALIGN);
	last = e->released && e->nb_free == e->nb_bufs;
	rte_spinlock_unlock(&e->lock);
	if (last)
		destroy(e);
}

struct xen_extbufs *
xen_extbufs_create(unsigned int socket)
{
	struct rte_mbuf_ext_shared_info *shinfo;
	struct xen_extbufs *e;
	uint8_t *buf;

	e = rte_zmalloc_socket("xen_extbufs", sizeof(*e), RTE_CACHE_LINE_SIZE, socket);
	if (e == NULL)
		return NULL;
	rte_spinlock_init(&e->lock);
	for (; e->nb_bufs < XEN_EXTBUF_COUNT; e->nb_bufs++) {
		buf = rte_malloc_socket("xen_extbuf", EXTBUF_BYTES, EXTBUF_ALIGN, socket);
		if (buf == NULL) {
			destroy(e);
			return NULL;
		}
		shinfo = RTE_PTR_ADD(buf, EXTBUF_SHINFO);
		shinfo->free_cb = buf_back;
		shinfo->fcb_opaque = e;
		e->free[e->nb_free++] = buf;
	}
	return e;
}

void
xen_extbufs_release(struct xen_extbufs *e)
{
	bool last;

	if (e == NULL)
		return;
	rte_spinlock_lock(&e->lock);
	e->released = true;
	last = e->nb_free == e->nb_bufs;
	rte_spinlock_unlock(&e->lock);
	if (last)
		destroy(e);
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_extbufs_attach)
bool
xen_extbufs_attach(struct xen_extbufs *e, struct rte_mbuf *m, uint16_t first)
{
	struct rte_mbuf_ext_shared_info *shinfo;
	uint8_t *buf = NULL, *data;

	if (e == NULL)
		return false;
	rte_spinlock_lock(&e->lock);
	if (e->nb_free != 0)
		buf = e->free[--e->nb_free];
	rte_spinlock_unlock(&e->lock);
	if (buf == NULL)
		return false;
	shinfo = RTE_PTR_ADD(buf, EXTBUF_SHINFO);
	rte_mbuf_ext_refcnt_set(shinfo, 1);
	data = buf + XEN_PAGE_BYTES + (-first & (XEN_PAGE_BYTES - 1)) - RTE_PKTMBUF_HEADROOM;
	rte_pktmbuf_attach_extbuf(m, data, rte_malloc_virt2iova(buf) + (data - buf), UINT16_MAX,
			shinfo);
	m->data_off = RTE_PKTMBUF_HEADROOM;
	return true;
}
