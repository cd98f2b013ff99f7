/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <netinet/in.h>

#include <rte_ether.h>

#include "frame.h"
#include "unit.h"

static uint32_t
sum_bytes(const uint8_t *data, uint32_t len, uint32_t sum)
{
	uint32_t i;

	for (i = 0; i < len; i++)
		sum += i % 2 == 0 ? data[i] << 8 : data[i];
	return sum;
}

static uint16_t
fold(uint32_t sum)
{
	while (sum > 0xFFFF)
		sum = (sum & 0xFFFF) + (sum >> 16);
	return sum;
}

/* The sum of the pseudo-header (RFC 9293, RFC 8200). */
static uint32_t
pseudo_sum(const struct frame *f)
{
	uint32_t sum = (f->udp ? 17 : 6) + f->l4_len;

	if (f->ipv6)
		return sum_bytes(f->data + f->l3 + 8, 32, sum);
	return sum_bytes(f->data + f->l3 + 12, 8, sum);
}

uint8_t *
frame_csum(struct frame *f)
{
	return f->data + f->l4 + (f->udp ? 6 : 16);
}

void
frame_set16(uint8_t *at, uint16_t value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static void
put_l2(struct frame *f)
{
	unsigned int i;

	for (i = 0; i < 12; i++)
		f->data[i] = 2 * i;
	for (i = 0, f->l3 = 12; i < f->vlans; i++, f->l3 += 4) {
		frame_set16(f->data + f->l3,
				i + 1 < f->vlans ? RTE_ETHER_TYPE_QINQ : RTE_ETHER_TYPE_VLAN);
		frame_set16(f->data + f->l3 + 2, 100 + i);
	}
	frame_set16(f->data + f->l3, f->ipv6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4);
	f->l3 += 2;
}

static void
put_l3(struct frame *f)
{
	uint8_t *ip = f->data + f->l3;
	unsigned int i;

	f->l4_len = (f->udp ? 8 : 20) + f->payload;
	if (f->ipv6) {
		f->l4 = f->l3 + 40 + 8 * f->options;
		ip[0] = 0x60;
		frame_set16(ip + 4, 8 * f->options + f->l4_len);
		ip[6] = f->options != 0 ? IPPROTO_DSTOPTS : f->udp ? 17 : 6;
		ip[7] = 64;
		for (i = 8; i < 40; i++)
			ip[i] = 3 * i;
		for (i = 1; i <= f->options; i++)
			ip[32 + 8 * i] = i < f->options ? IPPROTO_DSTOPTS : f->udp ? 17 : 6;
		return;
	}
	f->l4 = f->l3 + 20 + 4 * f->options;
	ip[0] = 0x45 + f->options;
	frame_set16(ip + 2, 20 + 4 * f->options + f->l4_len);
	ip[8] = 64;
	ip[9] = f->udp ? 17 : 6;
	for (i = 12; i < 20; i++)
		ip[i] = 5 * i;
	frame_set16(ip + 10, ~fold(sum_bytes(ip, 20 + 4 * f->options, 0)));
}

void
frame_make(struct frame *f)
{
	uint8_t *l4;
	uint32_t i;

	memset(f->data, 0, sizeof(f->data));
	put_l2(f);
	put_l3(f);
	l4 = f->data + f->l4;
	frame_set16(l4, 1000);
	frame_set16(l4 + 2, 2000);
	if (f->udp)
		frame_set16(l4 + 4, f->l4_len);
	else
		l4[12] = 0x50;
	f->len = f->l4 + f->l4_len;
	for (i = f->len - f->payload; i < f->len; i++)
		f->data[i] = unit_byte(f->payload, i);
	/* Nothing asks padding to be zero. */
	memset(f->data + f->len, 0xC3, f->padding);
	f->len += f->padding;
	frame_set16(frame_csum(f), fold(pseudo_sum(f)));
}

struct rte_mbuf *
frame_mbuf(const struct frame *f)
{
	uint32_t done, n, step = f->seg != 0 ? f->seg : FRAME_MAX;
	struct rte_mbuf *head = NULL, *m;

	for (done = 0; done < f->len; done += n) {
		/* All headers stand in the first segment. */
		n = RTE_MIN(head == NULL ? RTE_MAX(step, f->l4 + 20) : step, f->len - done);
		m = rte_pktmbuf_alloc(unit_pool);
		assert_non_null(m);
		memcpy(rte_pktmbuf_append(m, n), f->data + done, n);
		if (head == NULL)
			head = m;
		else
			assert_int_equal(rte_pktmbuf_chain(head, m), 0);
	}
	head->l2_len = f->l3;
	head->l3_len = f->l4 - f->l3;
	head->l4_len = f->udp ? 8 : 20;
	return head;
}

uint16_t
frame_sum(const struct frame *f)
{
	return fold(pseudo_sum(f) + sum_bytes(f->data + f->l4, f->l4_len, 0));
}

void
frame_check_finished(struct frame *f, struct rte_mbuf *m)
{
	uint8_t flat[FRAME_MAX];
	const uint8_t *data = rte_pktmbuf_read(m, 0, m->pkt_len, flat);
	uint8_t *field = frame_csum(f);
	uint16_t blank = field[0] << 8 | field[1];

	assert_int_equal(m->pkt_len, f->len);
	if (data != flat)
		memcpy(flat, data, f->len);
	memcpy(field, flat + (field - f->data), 2);
	assert_memory_equal(flat, f->data, f->len);
	if (frame_sum(f) != 0xFFFF)
		fail_msg("wrong sum: ipv6 %d udp %d options %u payload %u padding %u", f->ipv6,
				f->udp, f->options, f->payload, f->padding);
	if (f->udp)
		assert_int_not_equal(field[0] | field[1], 0);
	frame_set16(field, blank);
}

uint64_t
frame_tx_flags(const struct frame *f)
{
	return (f->ipv6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM) |
			(f->udp ? RTE_MBUF_F_TX_UDP_CKSUM : RTE_MBUF_F_TX_TCP_CKSUM);
}
