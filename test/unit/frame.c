/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <netinet/in.h>
#include <stdlib.h>

#include <rte_ether.h>

#include "frame.h"
#include "unit.h"
#include "exact.h"

const struct frame frame_good[] = {
	{ .payload = 0 },
	{ .payload = 1 },
	{ .payload = 1446 },
	{ .payload = 1447 },
	{ .udp = true },
	{ .udp = true, .payload = 1 },
	{ .udp = true, .payload = 999 },
	{ .padding = 6 },
	{ .payload = 1, .padding = 5 },
	{ .udp = true, .padding = 18 },
	{ .options = 1, .payload = 9 },
	{ .options = 10, .payload = 100, .udp = true },
	{ .vlans = 1, .payload = 33 },
	{ .vlans = 2, .payload = 34, .udp = true },
	{ .ipv6 = true },
	{ .ipv6 = true, .payload = 77 },
	{ .ipv6 = true, .udp = true },
	{ .ipv6 = true, .udp = true, .payload = 1201, .padding = 3 },
	{ .ipv6 = true, .options = 1, .payload = 5 },
	{ .ipv6 = true, .options = 3, .udp = true, .payload = 500 },
	{ .ipv6 = true, .vlans = 1, .options = 2, .payload = 8 },
	{ .payload = 200, .seg = 1 },
	{ .payload = 1001, .seg = 7, .udp = true },
	{ .payload = 1400, .seg = 333, .ipv6 = true },
	{ .payload = 50, .padding = 9, .seg = 5 },
	{ .vlans = 1, .tpid = { 0x88A8 }, .payload = 7 },
	{ .vlans = 1, .tpid = { 0x9100 }, .payload = 8 },
	{ .vlans = 1, .tpid = { 0x9200 }, .ipv6 = true },
	{ .vlans = 1, .tpid = { 0x9300 }, .udp = true },
	{ .vlans = 2, .tpid = { 0x8100, 0x8100 }, .payload = 9 },
	{ .vlans = 2, .tpid = { 0x8100, 0x88A8 }, .ipv6 = true, .payload = 10 },
	{ .vlans = 2, .tpid = { 0x9100, 0x8100 }, .udp = true, .padding = 2 },
	{ .vlans = 3, .payload = 11 },
	{ .vlans = 4, .ipv6 = true, .udp = true, .payload = 12 },
	{ .ipv6 = true, .ext = "h" },
	{ .ipv6 = true, .ext = "r", .udp = true, .payload = 3 },
	{ .ipv6 = true, .ext = "f", .payload = 13 },
	{ .ipv6 = true, .ext = "f", .udp = true, .payload = 14, .padding = 7 },
	{ .ipv6 = true, .ext = "a", .payload = 15 },
	{ .ipv6 = true, .ext = "hdrfad", .payload = 16 },
	{ .ipv6 = true, .ext = "hDrDfDaDD", .udp = true, .payload = 1000, .seg = 100 },
	{ .ipv6 = true, .ext = "ddddd", .payload = 17 },
	{ .ipv6 = true, .ext = FRAME_EXT_10, .vlans = 4, .payload = 18 },
	{ .ipv6 = true, .ext = FRAME_EXT_10 FRAME_EXT_10 FRAME_EXT_10, .payload = 19 },
	{ .payload = 30, .seg = 1, .split = true },
	{ .payload = 31, .seg = 3, .split = true, .udp = true, .options = 10, .padding = 1 },
	{ .payload = 32, .seg = 7, .split = true, .vlans = 2 },
	{ .payload = 33, .seg = 16, .split = true, .ipv6 = true, .ext = "hdrfad" },
	{ .payload = 500, .split = true },
	{ .payload = 501, .split = true, .ipv6 = true, .udp = true, .ext = "hf" },
};

const unsigned int frame_nb_good = RTE_DIM(frame_good);

uint32_t
frame_sum_bytes(const uint8_t *data, uint32_t len, uint32_t sum)
{
	uint32_t i;

	for (i = 0; i < len; i++)
		sum += i % 2 == 0 ? data[i] << 8 : data[i];
	return sum;
}

uint16_t
frame_fold(uint32_t sum)
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
		return frame_sum_bytes(f->data + f->l3 + 8, 32, sum);
	return frame_sum_bytes(f->data + f->l3 + 12, 8, sum);
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
	uint16_t tpid;

	for (i = 0; i < 12; i++)
		f->data[i] = 2 * i;
	for (i = 0, f->l3 = 12 + f->l2_extra; i < f->vlans; i++, f->l3 += 4) {
		tpid = i + 1 < f->vlans ? RTE_ETHER_TYPE_QINQ : RTE_ETHER_TYPE_VLAN;
		frame_set16(f->data + f->l3, f->tpid[i] != 0 ? f->tpid[i] : tpid);
		frame_set16(f->data + f->l3 + 2, 100 + i);
	}
	frame_set16(f->data + f->l3, f->ipv6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4);
	f->l3 += 2;
}

static uint8_t
ext_type(char ext)
{
	switch (ext) {
	case 'h':
		return IPPROTO_HOPOPTS;
	case 'r':
		return IPPROTO_ROUTING;
	case 'd':
	case 'D':
		return IPPROTO_DSTOPTS;
	case 'a':
		return IPPROTO_AH;
	case 'e':
		return IPPROTO_ESP;
	default:
		return IPPROTO_FRAGMENT;
	}
}

/* Put the extension header of that letter; where the next one is. */
static uint8_t *
put_ext(uint8_t *at, char ext, uint8_t next)
{
	at[0] = next;
	switch (ext) {
	case 'D':
		at[1] = 2;
		return at + 24;
	case 'a':
		at[1] = 2;
		return at + 16;
	case 'm':
		at[3] = 1;
		break;
	case 'o':
		at[2] = 1;
		break;
	}
	return at + 8;
}

static void
put_ipv6(struct frame *f)
{
	uint8_t l4 = f->udp ? IPPROTO_UDP : IPPROTO_TCP;
	uint8_t *ip = f->data + f->l3, *at = ip + 40;
	char same[FRAME_MAX / 8] = "";
	const char *ext = f->ext;
	unsigned int i;

	if (ext == NULL) {
		memset(same, 'd', f->options);
		ext = same;
	}
	ip[0] = 0x60;
	ip[6] = ext[0] != 0 ? ext_type(ext[0]) : l4;
	ip[7] = 64;
	for (i = 8; i < 40; i++)
		ip[i] = 3 * i;
	for (; ext[0] != 0; ext++)
		at = put_ext(at, ext[0], ext[1] != 0 ? ext_type(ext[1]) : l4);
	f->l4 = at - f->data;
	frame_set16(ip + 4, at - ip - 40 + f->l4_len);
}

static void
put_ipv4(struct frame *f)
{
	uint8_t *ip = f->data + f->l3;
	unsigned int i;

	f->l4 = f->l3 + 20 + 4 * f->options;
	ip[0] = 0x45 + f->options;
	frame_set16(ip + 2, 20 + 4 * f->options + f->l4_len);
	ip[8] = 64;
	ip[9] = f->udp ? IPPROTO_UDP : IPPROTO_TCP;
	for (i = 12; i < 20; i++)
		ip[i] = 5 * i;
	frame_set16(ip + 10, ~frame_fold(frame_sum_bytes(ip, 20 + 4 * f->options, 0)));
}

void
frame_make(struct frame *f)
{
	uint8_t *l4;
	uint32_t i;

	memset(f->data, 0, sizeof(f->data));
	put_l2(f);
	f->l4_len = (f->udp ? 8 : 20) + f->payload;
	if (f->ipv6)
		put_ipv6(f);
	else
		put_ipv4(f);
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
	frame_set16(frame_csum(f), frame_fold(pseudo_sum(f)));
}

struct rte_mbuf *
frame_mbuf(const struct frame *f)
{
	uint32_t done, n, step = f->seg != 0 ? f->seg : FRAME_MAX;
	struct rte_mbuf *head = NULL, *m;

	for (done = 0; done < f->len; done += n) {
		n = head == NULL && !f->split ? RTE_MAX(step, f->l4 + 20) : step;
		n = RTE_MIN(n, f->len - done);
		m = rte_pktmbuf_alloc(unit_pool);
		assert_non_null(m);
		if (f->exact)
			exact_attach(m, f->split + n);
		m->data_off += f->split;
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
	return frame_fold(pseudo_sum(f) + frame_sum_bytes(f->data + f->l4, f->l4_len, 0));
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
		fail_msg("wrong sum: ipv6 %d udp %d options %u ext %s payload %u padding %u",
				f->ipv6, f->udp, f->options, f->ext != NULL ? f->ext : "",
				f->payload, f->padding);
	if (f->udp)
		assert_int_not_equal(field[0] | field[1], 0);
	frame_set16(field, blank);
}

bool
frame_may_be_blank(const struct frame *f)
{
	return f->l3 == RTE_ETHER_HDR_LEN && f->l4 - f->l3 + 20 <= 256;
}

uint64_t
frame_tx_flags(const struct frame *f)
{
	return (f->ipv6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM) |
			(f->udp ? RTE_MBUF_F_TX_UDP_CKSUM : RTE_MBUF_F_TX_TCP_CKSUM);
}
