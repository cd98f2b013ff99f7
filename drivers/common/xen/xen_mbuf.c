/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include "xen_compat.h"
#include "xen_mbuf.h"

/*
 * As rte_pktmbuf_prefree_seg() with nothing to do: nobody else has the mbuf, or the buffer that it
 * has for good. Of what an application may do all else is left to that.
 */
static __rte_always_inline bool
is_free(const struct rte_mbuf *m, bool pinned)
{
	const uint64_t flags = m->ol_flags & (RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL);

	if (unlikely(rte_mbuf_refcnt_read(m) != 1))
		return false;
	if (flags == 0)
		return true;
	return pinned && flags == RTE_MBUF_F_EXTERNAL && rte_mbuf_ext_refcnt_read(m->shinfo) == 1;
}

RTE_EXPORT_INTERNAL_SYMBOL(xen_mbufs_free)
void
xen_mbufs_free(struct rte_mbuf *const *pkts, unsigned int nb_pkts, struct rte_mbuf **room)
{
	struct rte_mempool *pool = NULL;
	unsigned int i, n = 0;
	bool pinned = false;
	struct rte_mbuf *m;

	for (i = 0; i < nb_pkts; i++) {
		m = pkts[i];
		/* It may have said what is not so. */
		if (unlikely(m->next != NULL)) {
			rte_pktmbuf_free(m);
			continue;
		}
		if (unlikely(m->pool != pool)) {
			if (n != 0)
				rte_mempool_put_bulk(pool, (void **)room, n);
			pool = m->pool;
			pinned = (rte_pktmbuf_priv_flags(pool) &
						 RTE_PKTMBUF_POOL_F_PINNED_EXT_BUF) != 0;
			n = 0;
		}
		if (unlikely(!is_free(m, pinned))) {
			m = rte_pktmbuf_prefree_seg(m);
			if (m == NULL)
				continue;
		}
		room[n++] = m;
	}
	if (n != 0)
		rte_mempool_put_bulk(pool, (void **)room, n);
}
