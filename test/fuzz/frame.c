/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * Any frame, in any segments, has to be taken for what the same frame in one segment is: when an
 * application asks for its checksums, when the number of its flow is wanted, and when it was
 * received with a blank checksum.
 *
 * Input: the mbuf's flags (1 byte), l2_len (1), l3_len (2), whether the other end finishes blank
 * checksums (1), the hash of a NIC (4), and the packet, see chain.h.
 */

#include <errno.h>
#include <stdlib.h>

#include "chain.h"
#include "xen_csum.h"
#include "xen_flow.h"

/* So much of a packet in several segments counts for its flow. */
#define HEADERS_MAX 256u

static void
set_wishes(struct rte_mbuf *m, struct fuzz_input *in)
{
	static const uint64_t flags[] = {
		RTE_MBUF_F_TX_IP_CKSUM,
		RTE_MBUF_F_TX_TCP_CKSUM,
		RTE_MBUF_F_TX_UDP_CKSUM,
		RTE_MBUF_F_TX_IPV4,
		RTE_MBUF_F_TX_IPV6,
		RTE_MBUF_F_RX_RSS_HASH,
	};
	uint8_t what = fuzz_u8(in);
	unsigned int i;

	for (i = 0; i < RTE_DIM(flags); i++) {
		if ((what & (1 << i)) != 0)
			m->ol_flags |= flags[i];
	}
	m->l2_len = fuzz_u8(in);
	m->l3_len = fuzz_u16(in);
}

/* The changes lie within what the patch says, and that within the packet. */
static void
check_patch(const struct xen_csum_patch *patch, const struct rte_mbuf *linear)
{
	uint8_t *head = malloc(patch->len);

	fuzz_check(patch->nb <= RTE_DIM(patch->at));
	fuzz_check((patch->nb == 0) == (patch->len == 0));
	fuzz_check(patch->len <= XEN_CSUM_PATCH_MAX && patch->len <= linear->pkt_len);
	if (patch->len != 0)
		memcpy(head, rte_pktmbuf_mtod(linear, void *), patch->len);
	xen_csum_apply(patch, head);
	free(head);
}

static void
compare_patches(const struct xen_csum_patch *a, const struct xen_csum_patch *b)
{
	unsigned int i;

	fuzz_check(a->len == b->len && a->nb == b->nb);
	for (i = 0; i < a->nb; i++)
		fuzz_check(a->at[i].off == b->at[i].off && a->at[i].value == b->at[i].value);
}

/* Checksums that are asked for; the packet is not written. */
static void
check_tx(struct rte_mbuf *m, struct rte_mbuf *linear, bool peer)
{
	uint64_t ol_flags = m->ol_flags, tx_offload = m->tx_offload;
	struct xen_csum_patch patch, patch_linear;
	bool blank, blank_linear;
	int ret;

	ret = xen_csum_prepare_tx(m, peer, &blank, &patch);
	fuzz_check(ret == 0 || ret == -EINVAL);
	fuzz_check(ret == xen_csum_prepare_tx(linear, peer, &blank_linear, &patch_linear));
	if (ret == 0) {
		fuzz_check(blank == blank_linear && (peer || !blank));
		compare_patches(&patch, &patch_linear);
		check_patch(&patch, linear);
	}
	fuzz_check(m->ol_flags == ol_flags && m->tx_offload == tx_offload);
	fuzz_chain_compare(m, linear);
}

/* The flow; a NIC's hash goes before what the headers say. */
static void
check_flow(struct rte_mbuf *m)
{
	struct rte_mbuf *head = fuzz_chain_linear(m);
	uint16_t n;

	for (n = 1; n <= 32; n++)
		fuzz_check(xen_flow_queue(m, n) < n);
	head->data_len = RTE_MIN(m->pkt_len, RTE_MAX(m->data_len, HEADERS_MAX));
	head->pkt_len = head->data_len;
	fuzz_check(xen_flow_hash(head) == xen_flow_hash(m));
	if ((m->ol_flags & RTE_MBUF_F_RX_RSS_HASH) == 0) {
		m->hash.rss = ~m->hash.rss;
		fuzz_check(xen_flow_hash(head) == xen_flow_hash(m));
	}
	fuzz_chain_free(head);
}

/* Two bytes have changed at most, and they are a word's. */
static void
check_changes(const uint8_t *before, const struct rte_mbuf *linear)
{
	const uint8_t *after = rte_pktmbuf_mtod(linear, const uint8_t *);
	uint32_t i, first = UINT32_MAX;

	for (i = 0; i < linear->pkt_len; i++) {
		if (before[i] == after[i])
			continue;
		first = RTE_MIN(first, i);
		fuzz_check(i <= first + 1);
	}
}

/* A blank checksum is finished in the packet, or refused and nothing is written. */
static void
check_rx(struct rte_mbuf *m, struct rte_mbuf *linear)
{
	uint8_t *before = malloc(m->pkt_len);
	int ret;

	fuzz_check(before != NULL || m->pkt_len == 0);
	fuzz_chain_read(m, before);
	m->ol_flags = 0;
	linear->ol_flags = 0;
	ret = xen_csum_complete_rx(m);
	fuzz_check(ret == xen_csum_complete_rx(linear));
	fuzz_check(ret == 0 || ret == -EINVAL || ret == -ENOTSUP);
	fuzz_check(m->ol_flags == (ret == 0 ? RTE_MBUF_F_RX_L4_CKSUM_GOOD : 0));
	fuzz_chain_compare(m, linear);
	if (ret == 0)
		check_changes(before, linear);
	else
		fuzz_check(memcmp(before, rte_pktmbuf_mtod(linear, void *), m->pkt_len) == 0);
	free(before);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { .data = data, .left = size };
	struct rte_mbuf wishes = { .ol_flags = 0 }, *m, *linear;
	bool peer;

	set_wishes(&wishes, &in);
	peer = (fuzz_u8(&in) & 1) != 0;
	fuzz_bytes(&in, &wishes.hash.rss, sizeof(wishes.hash.rss));
	m = fuzz_chain(&in);
	m->ol_flags = wishes.ol_flags;
	m->tx_offload = wishes.tx_offload;
	m->hash = wishes.hash;
	linear = fuzz_chain_linear(m);
	check_tx(m, linear, peer);
	check_flow(m);
	check_rx(m, linear);
	fuzz_chain_free(linear);
	fuzz_chain_free(m);
	return 0;
}
