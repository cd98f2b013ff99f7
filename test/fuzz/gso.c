/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * Any frame, in any segments, that is to be segmented: its segments add up to it, and cut into
 * frames it is these segments with complete checksums.
 *
 * Input: who says so and what the queue is like (1 byte), the mss (2), l2_len (1), l3_len (2) and
 * l4_len (1) of the mbuf, the room of an mbuf (2), how many mbufs there are (2), and the packet:
 * see chain.h.
 */

#include <errno.h>
#include <stdlib.h>

#include "chain.h"
#include "pool.h"
#include "xen_csum.h"
#include "xen_gso.h"

#define BY_GUEST 0x01
#define IPV6 0x02
#define SCATTER 0x04

static int
find(struct xen_gso *g, const struct rte_mbuf *m, uint8_t what, uint16_t mss)
{
	if ((what & BY_GUEST) == 0)
		return xen_gso_wanted(g, m);
	return xen_gso_find(g, m,
			(what & IPV6) != 0 ? XEN_NETIF_GSO_TYPE_TCPV6 : XEN_NETIF_GSO_TYPE_TCPV4,
			mss);
}

/* A segment in one piece, its checksum complete. */
static uint8_t *
segment(const struct xen_gso *g, const struct rte_mbuf *m, uint32_t seg)
{
	uint32_t len = xen_gso_seg_len(g, seg), off = g->payload + seg * g->mss;
	uint8_t *headers = malloc(g->payload), *to = malloc(len);

	fuzz_check(headers != NULL && to != NULL);
	fuzz_check(off + len - g->payload <= g->end);
	xen_gso_headers(g, seg, headers);
	xen_gso_complete(g, m, off, len - g->payload, headers);
	memcpy(to, headers, g->payload);
	fuzz_check(xen_mbuf_read(m, off, to + g->payload, len - g->payload));
	free(headers);
	return to;
}

static void
check_frame(struct rte_mbuf *frame, const uint8_t *wanted, uint32_t len,
		const struct xen_netif_queue *q)
{
	uint8_t *got = malloc(len);

	fuzz_check(got != NULL && frame->pkt_len == len);
	fuzz_chain_read(frame, got);
	fuzz_check(memcmp(got, wanted, len) == 0);
	free(got);
	fuzz_packet_received(frame, q);
}

/* A checksum that is finished by what it says is the one that was complete. */
static void
check_sum(const struct xen_gso *g, const struct rte_mbuf *m, uint32_t seg, const uint8_t *wanted)
{
	uint32_t len = xen_gso_seg_len(g, seg), off = g->payload + seg * g->mss;
	struct rte_mbuf frame = { .nb_segs = 1, .data_len = len, .pkt_len = len };

	frame.buf_addr = malloc(len);
	fuzz_check(frame.buf_addr != NULL);
	xen_gso_headers(g, seg, frame.buf_addr);
	xen_mbuf_read(m, off, (uint8_t *)frame.buf_addr + g->payload, len - g->payload);
	fuzz_check(xen_csum_complete_rx(&frame) == 0);
	fuzz_check(memcmp(frame.buf_addr, wanted, len) == 0);
	free(frame.buf_addr);
}

static void
check_segments(const struct xen_gso *g, const struct rte_mbuf *m, uint8_t what, uint16_t room)
{
	struct xen_netif_queue q = { .pool = fuzz_pool, .room = room, .port_id = FUZZ_PORT };
	struct rte_mbuf *frames[XEN_GSO_SEGS_MAX];
	uint32_t i, payload = 0, len;
	uint8_t *wanted;
	int ret;

	q.scatter = (what & SCATTER) != 0;
	ret = xen_gso_cut(g, &q, m, frames);
	fuzz_check(ret == 0 || ret == -ENOMEM || ret == -EMSGSIZE);
	fuzz_check((ret == -EMSGSIZE) == (!q.scatter && xen_gso_seg_len(g, 0) > room));
	for (i = 0; i < g->nb_segs; i++) {
		len = xen_gso_seg_len(g, i);
		payload += len - g->payload;
		wanted = segment(g, m, i);
		if ((what & BY_GUEST) != 0)
			check_sum(g, m, i, wanted);
		if (ret == 0)
			check_frame(frames[i], wanted, len, &q);
		free(wanted);
	}
	fuzz_check(payload == g->end - g->payload);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { .data = data, .left = size };
	struct rte_mbuf *m, *linear, wishes = { .ol_flags = RTE_MBUF_F_TX_TCP_SEG };
	uint8_t what = fuzz_u8(&in);
	struct xen_gso g, g_linear;
	uint16_t room;
	int ret;

	if ((what & IPV6) != 0)
		wishes.ol_flags |= RTE_MBUF_F_TX_IPV6;
	wishes.tso_segsz = fuzz_u16(&in);
	wishes.l2_len = fuzz_u8(&in);
	wishes.l3_len = fuzz_u16(&in);
	wishes.l4_len = fuzz_u8(&in);
	room = XEN_NETIF_ROOM_MIN + fuzz_u16(&in) % 4096;
	fuzz_pool_reset(room);
	fuzz_pool_left = fuzz_u16(&in);
	m = fuzz_chain(&in);
	m->ol_flags = wishes.ol_flags;
	m->tx_offload = wishes.tx_offload;
	linear = fuzz_chain_linear(m);
	ret = find(&g, m, what, wishes.tso_segsz);
	fuzz_check(ret == find(&g_linear, linear, what, wishes.tso_segsz));
	fuzz_check(ret == 0 || ret == -EINVAL || ret == -ENOTSUP);
	if (ret == 0) {
		fuzz_check(g.nb_segs == g_linear.nb_segs && g.payload == g_linear.payload);
		fuzz_check(memcmp(g.headers, g_linear.headers, g.payload) == 0);
		check_segments(&g, m, what, room);
	}
	fuzz_pool_check();
	fuzz_chain_free(linear);
	fuzz_chain_free(m);
	return 0;
}
