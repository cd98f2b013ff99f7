/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <stdio.h>

#include "vif.h"

/* What no page holds that a packet was put into: past its end, a packet is not this. */
#define BLANK 0xA5

void
vif_blank_pages(struct vif *v)
{
	memset(v->f.pages, BLANK, RAWFRONT_PAGES * XEN_PAGE_BYTES);
}

void
vif_post(struct vif *v, unsigned int queue, unsigned int n)
{
	unsigned int pages = RAWFRONT_PAGES / v->f.nb_queues, page;

	while (n-- != 0) {
		page = queue * pages + v->f.q[queue].rx_prod % pages;
		memset(rawfront_page(&v->f, page), BLANK, XEN_PAGE_BYTES);
		rawfront_rx_post(&v->f, queue, page, 1);
	}
}

unsigned int
vif_posted(const struct vif *v, unsigned int queue)
{
	const struct rawfront_queue *q = &v->f.q[queue];

	return q->rx_prod - xen_ring_load(&q->rx->rsp_prod);
}

bool
vif_has_packet(const struct vif *v, unsigned int queue)
{
	const struct rawfront_queue *q = &v->f.q[queue];

	return q->rx_cons != xen_ring_load(&q->rx->rsp_prod);
}

void
vif_expect_packet(struct vif *v, unsigned int queue, int first, uint32_t len, uint32_t seed,
		uint16_t flags)
{
	struct netif_rx_response rsp;
	uint32_t done, n, i;
	const uint8_t *page;

	for (done = 0; done < len; done += n) {
		n = RTE_MIN(len - done, XEN_PAGE_BYTES);
		if (!rawfront_rx_rsp(&v->f, queue, &rsp))
			fail_msg("no response for byte %u of %u", done, len);
		assert_in_range(rsp.id, 0, RAWFRONT_PAGES - 1);
		if (first >= 0)
			assert_int_equal(rsp.id, first + done / XEN_PAGE_BYTES);
		assert_int_equal(rsp.offset, 0);
		assert_int_equal(rsp.status, n);
		assert_int_equal(rsp.flags,
				(done == 0 ? flags : 0) | (done + n < len ? NETRXF_more_data : 0));
		page = rawfront_page(&v->f, rsp.id);
		for (i = 0; i < n; i++) {
			if (page[i] != unit_byte(seed, done + i))
				fail_msg("byte %u of %u differs", done + i, len);
		}
		if (n < XEN_PAGE_BYTES)
			assert_int_equal(page[n], BLANK);
	}
}

void
vif_expect_no_packet(struct vif *v, unsigned int queue)
{
	struct netif_rx_response rsp;

	if (rawfront_rx_rsp(&v->f, queue, &rsp))
		fail_msg("a response too many: id %u status %d", rsp.id, rsp.status);
}

void
vif_flush_by_rx(const struct vif *v, uint16_t queue)
{
	struct rte_mbuf *none;

	assert_int_equal(rte_eth_rx_burst(v->port, queue, &none, 1), 0);
}

void
vif_flush_by_tx(const struct vif *v, uint16_t queue)
{
	struct rte_mbuf *none;

	assert_int_equal(rte_eth_tx_burst(v->port, queue, &none, 0), 0);
}

uint64_t
vif_tx_stat(const struct vif *v, unsigned int queue, const char *what)
{
	char name[64];

	snprintf(name, sizeof(name), "tx_q%u_%s", queue, what);
	return unit_xstat(v->port, name);
}

void
vif_expect_sent(const struct vif *v, uint64_t opackets, uint64_t oerrors)
{
	struct rte_eth_stats stats;

	assert_int_equal(rte_eth_stats_get(v->port, &stats), 0);
	assert_int_equal(stats.opackets, opackets);
	assert_int_equal(stats.oerrors, oerrors);
}
