/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <rte_log.h>
#include <rte_malloc.h>
#include <rte_ring.h>
#include <rte_spinlock.h>

#include "xenfront.h"
#include "xenfront_pool.h"

#define POOL_LOG(mp, fmt, ...) \
	rte_log(RTE_LOG_ERR, xenfront_logtype, "XENFRONT: mempool %s: " fmt "\n", (mp)->name, \
			##__VA_ARGS__)

/* What a mempool has beside its own structure. */
struct pool {
	struct rte_ring *ring;
	struct xenfront_region *region;
	/* The mbufs have their pages. */
	bool ready;
	rte_spinlock_t lock;
};

void
xenfront_buf_back(void *addr __rte_unused, void *opaque)
{
	struct rte_mbuf *m = opaque;

	rte_mbuf_ext_refcnt_set(m->shinfo, 1);
	m->ol_flags = RTE_MBUF_F_EXTERNAL;
	m->next = NULL;
	m->nb_segs = 1;
	rte_mbuf_raw_free(m);
}

static size_t
buf_offset(struct rte_mempool *mp)
{
	return sizeof(struct rte_mbuf) + rte_pktmbuf_priv_size(mp);
}

/* Objects are what is left of them without their data. */
static void
shrink_objects(struct rte_mempool *mp)
{
	struct rte_mempool_objsz size;

	rte_mempool_calc_obj_size(buf_offset(mp) + sizeof(struct xenfront_buf), mp->flags, &size);
	mp->header_size = size.header_size;
	mp->elt_size = size.elt_size;
	mp->trailer_size = size.trailer_size;
}

/* Give an mbuf its page. */
static void
pin_page(struct rte_mempool *mp, void *opaque, void *obj, unsigned int i)
{
	struct xenfront_buf *buf = RTE_PTR_ADD(obj, buf_offset(mp));
	const struct pool *p = opaque;
	uint8_t *page = p->region->pages + (size_t)i * XEN_PAGE_BYTES;
	struct rte_mbuf *m = obj;

	buf->shinfo.free_cb = xenfront_buf_back;
	buf->shinfo.fcb_opaque = m;
	rte_mbuf_ext_refcnt_set(&buf->shinfo, 1);
	buf->region = p->region;
	buf->mbuf = m;
	buf->gref = p->region->grefs[i];
	m->buf_addr = page;
	rte_mbuf_iova_set(m, rte_mem_virt2iova(page));
	m->buf_len = XEN_PAGE_BYTES;
	m->shinfo = &buf->shinfo;
	m->ol_flags = RTE_MBUF_F_EXTERNAL;
}

/*
 * Before the first of them is taken, when all are here: DPDK has initialized them as mbufs with
 * their data behind them after they were put into the mempool.
 */
static __rte_noinline void
make_ready(struct rte_mempool *mp, struct pool *p)
{
	rte_spinlock_lock(&p->lock);
	if (!p->ready) {
		rte_mempool_obj_iter(mp, pin_page, p);
		__atomic_store_n(&p->ready, true, __ATOMIC_RELEASE);
	}
	rte_spinlock_unlock(&p->lock);
}

static int
check_pool(struct rte_mempool *mp)
{
	if (mp->private_data_size < sizeof(struct rte_pktmbuf_pool_private) ||
			rte_pktmbuf_data_room_size(mp) == 0) {
		POOL_LOG(mp, "%s is for mbufs with data", XENFRONT_POOL_OPS);
		return -EINVAL;
	}
	if (rte_pktmbuf_data_room_size(mp) > XEN_PAGE_BYTES) {
		POOL_LOG(mp, "a data room of %u bytes is more than a page: at most %u",
				rte_pktmbuf_data_room_size(mp), XEN_PAGE_BYTES);
		return -EINVAL;
	}
	return 0;
}

static struct rte_ring *
make_ring(const struct rte_mempool *mp)
{
	char name[RTE_RING_NAMESIZE];
	int n;

	n = snprintf(name, sizeof(name), RTE_MEMPOOL_MZ_FORMAT, mp->name);
	if (n < 0 || n >= (int)sizeof(name)) {
		rte_errno = ENAMETOOLONG;
		return NULL;
	}
	return rte_ring_create(name, rte_align32pow2(mp->size + 1), mp->socket_id, 0);
}

static int
pool_alloc(struct rte_mempool *mp)
{
	struct rte_pktmbuf_pool_private *priv = rte_mempool_get_priv(mp);
	struct xen_reason why = { .err = ENOMEM };
	struct pool *p;

	if (check_pool(mp) < 0)
		return -EINVAL;
	p = rte_zmalloc_socket("xenfront_pool", sizeof(*p), RTE_CACHE_LINE_SIZE, mp->socket_id);
	if (p == NULL)
		return -ENOMEM;
	rte_spinlock_init(&p->lock);
	p->ring = make_ring(mp);
	if (p->ring == NULL) {
		why.err = rte_errno;
		goto fail;
	}
	p->region = xenfront_region_create(mp, mp->size, &why);
	if (p->region == NULL) {
		POOL_LOG(mp, "%s", why.text);
		goto fail;
	}
	shrink_objects(mp);
	priv->flags |= RTE_PKTMBUF_POOL_F_PINNED_EXT_BUF;
	mp->pool_data = p;
	return 0;

fail:
	rte_ring_free(p->ring);
	rte_free(p);
	return -why.err;
}

static void
pool_free(struct rte_mempool *mp)
{
	struct pool *p = mp->pool_data;

	if (p == NULL)
		return;
	xenfront_region_forget(p->region);
	xenfront_region_put(p->region);
	rte_ring_free(p->ring);
	rte_free(p);
	mp->pool_data = NULL;
}

static int
pool_put(struct rte_mempool *mp, void *const *objs, unsigned int n)
{
	struct pool *p = mp->pool_data;

	return rte_ring_mp_enqueue_bulk(p->ring, objs, n, NULL) == n ? 0 : -ENOBUFS;
}

static int
pool_get(struct rte_mempool *mp, void **objs, unsigned int n)
{
	struct pool *p = mp->pool_data;

	if (unlikely(!__atomic_load_n(&p->ready, __ATOMIC_ACQUIRE)))
		make_ready(mp, p);
	return rte_ring_mc_dequeue_bulk(p->ring, objs, n, NULL) == n ? 0 : -ENOBUFS;
}

static unsigned int
pool_count(const struct rte_mempool *mp)
{
	const struct pool *p = mp->pool_data;

	return rte_ring_count(p->ring);
}

static const struct rte_mempool_ops pool_ops = {
	.name = XENFRONT_POOL_OPS,
	.alloc = pool_alloc,
	.free = pool_free,
	.enqueue = pool_put,
	.dequeue = pool_get,
	.get_count = pool_count,
};

/* When pool_free() is called the mbufs have gone, which rings may hold. */
static void
forget_region(enum rte_mempool_event event, struct rte_mempool *mp, void *opaque __rte_unused)
{
	const struct pool *p = mp->pool_data;

	if (event == RTE_MEMPOOL_EVENT_DESTROY && p != NULL &&
			strcmp(rte_mempool_get_ops(mp->ops_index)->name, XENFRONT_POOL_OPS) == 0)
		xenfront_region_forget(p->region);
}

int
xenfront_pool_register(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static bool registered;
	int ret = 0;

	pthread_mutex_lock(&lock);
	if (!registered)
		ret = rte_mempool_event_callback_register(forget_region, NULL) < 0 ?
				-rte_errno :
				rte_mempool_register_ops(&pool_ops);
	registered = ret >= 0;
	pthread_mutex_unlock(&lock);
	return RTE_MIN(ret, 0);
}
