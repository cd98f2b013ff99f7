/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <stdlib.h>

#include "chain.h"

#define SEGS_MAX 8u

static struct rte_mbuf *
segment(const void *data, uint16_t len, unsigned int align)
{
	struct rte_mbuf *m = aligned_alloc(RTE_CACHE_LINE_SIZE, sizeof(*m));

	fuzz_check(m != NULL);
	memset(m, 0, sizeof(*m));
	m->buf_len = align + len;
	m->buf_addr = malloc(m->buf_len);
	fuzz_check(m->buf_addr != NULL || m->buf_len == 0);
	m->data_off = align;
	m->data_len = len;
	m->pkt_len = len;
	m->nb_segs = 1;
	m->refcnt = 1;
	if (len != 0)
		memcpy(rte_pktmbuf_mtod(m, void *), data, len);
	return m;
}

struct rte_mbuf *
fuzz_chain(struct fuzz_input *in)
{
	unsigned int segs = fuzz_u8(in) % SEGS_MAX, i;
	uint16_t align = fuzz_u8(in) * 0x101, len;
	uint8_t lens[SEGS_MAX];
	struct rte_mbuf *head = NULL, **next = &head;

	fuzz_bytes(in, lens, segs);
	for (i = 0; i <= segs; i++) {
		len = i < segs ? RTE_MIN(lens[i], in->left) : RTE_MIN(in->left, 4096u);
		*next = segment(in->data, len, (align >> (2 * i)) & 3);
		in->data += len;
		in->left -= len;
		if (i != 0) {
			head->nb_segs++;
			head->pkt_len += len;
		}
		next = &(*next)->next;
	}
	return head;
}

struct rte_mbuf *
fuzz_chain_linear(const struct rte_mbuf *m)
{
	struct rte_mbuf *linear = segment(NULL, 0, 0);

	free(linear->buf_addr);
	linear->buf_len = m->pkt_len;
	linear->buf_addr = malloc(m->pkt_len);
	fuzz_check(linear->buf_addr != NULL || m->pkt_len == 0);
	linear->data_len = m->pkt_len;
	linear->pkt_len = m->pkt_len;
	linear->ol_flags = m->ol_flags;
	linear->tx_offload = m->tx_offload;
	linear->hash = m->hash;
	fuzz_chain_read(m, linear->buf_addr);
	return linear;
}

void
fuzz_chain_read(const struct rte_mbuf *m, uint8_t *to)
{
	uint32_t left = m->pkt_len;

	for (; m != NULL; m = m->next) {
		fuzz_check(m->data_len <= left);
		if (m->data_len != 0)
			memcpy(to, rte_pktmbuf_mtod(m, const void *), m->data_len);
		to += m->data_len;
		left -= m->data_len;
	}
	fuzz_check(left == 0);
}

void
fuzz_chain_compare(const struct rte_mbuf *a, const struct rte_mbuf *b)
{
	static uint8_t bytes[2][UINT16_MAX];

	fuzz_check(a->pkt_len == b->pkt_len && a->pkt_len <= sizeof(bytes[0]));
	fuzz_chain_read(a, bytes[0]);
	fuzz_chain_read(b, bytes[1]);
	fuzz_check(memcmp(bytes[0], bytes[1], a->pkt_len) == 0);
}

void
fuzz_chain_free(struct rte_mbuf *m)
{
	struct rte_mbuf *next;

	for (; m != NULL; m = next) {
		next = m->next;
		free(m->buf_addr);
		free(m);
	}
}
