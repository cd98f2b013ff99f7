/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef EXACT_H
#define EXACT_H

/**
 * @file
 * Mbufs whose memory ends where their data does: what is read behind it ASan finds. For tests that
 * have included cmocka.h.
 */

#include <stdlib.h>

#include <rte_mbuf.h>

static inline void
exact_free(void *data, void *shinfo)
{
	free(data);
	free(shinfo);
}

/** Give an mbuf memory of so many bytes. */
static inline void
exact_attach(struct rte_mbuf *m, uint16_t len)
{
	struct rte_mbuf_ext_shared_info *shinfo = malloc(sizeof(*shinfo));
	void *data = malloc(len);

	assert_non_null(shinfo);
	assert_non_null(data);
	shinfo->free_cb = exact_free;
	shinfo->fcb_opaque = shinfo;
	rte_mbuf_ext_refcnt_set(shinfo, 1);
	rte_pktmbuf_attach_extbuf(m, data, RTE_BAD_IOVA, len, shinfo);
}

#endif /* EXACT_H */
