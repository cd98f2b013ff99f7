/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <rte_ether.h>

#include "flow.h"
#include "unit.h"

/* What the last bytes of a packet say. */
struct mark {
	uint32_t flow;
	uint32_t number;
};

/* What a flow's packets are; they are alike in that, and in nothing else that can differ. */
enum kind {
	TCP4,
	UDP4,
	TCP6,
	UDP6,
	/* The datagrams of two addresses, all in fragments. */
	FRAGMENTS,
	/* Not IP. */
	OTHER,
	/* With a hash of somebody else's. */
	HASHED,
	KINDS,
};

void
flow_init(struct flows *f)
{
	unsigned int i;

	memset(f, 0, sizeof(*f));
	for (i = 0; i < FLOW_MAX; i++)
		f->queue[i] = -1;
}

/* What says which flow it is, of a packet of TCP or UDP. */
static void
set_ends(struct frame *frame, unsigned int flow)
{
	uint8_t *ip = frame->data + frame->l3, *l4 = frame->data + frame->l4;

	switch (flow / KINDS % 3) {
	case 0:
		frame_set16(l4, 40000 + flow);
		break;
	case 1:
		frame_set16(l4 + 2, 40000 + flow);
		break;
	default:
		ip[frame->ipv6 ? 23 : 15] = flow;
		break;
	}
}

/* The flow is two addresses; what stands where ports would be is anything. */
static void
set_fragment(struct frame *frame, unsigned int flow, uint32_t n)
{
	uint8_t *ip = frame->data + frame->l3;

	frame_set16(ip + 6, n % 3 == 0 ? 0x2000 : n % 3 == 1 ? 0x2000 | n : n);
	frame_set16(ip + 4, n / 3);
	ip[15] = flow;
	ip[19] = flow >> 4;
	frame_set16(frame->data + frame->l4, n * 7919);
	frame_set16(frame->data + frame->l4 + 2, n * 104729);
}

/* Two Ethernet addresses and the rest anything, also what would be addresses of IP. */
static void
set_other(struct frame *frame, unsigned int flow, uint32_t n)
{
	uint32_t i;

	frame->data[flow % 2 == 0 ? 5 : 11] = flow;
	frame_set16(frame->data + 12, 0x88B5);
	for (i = 14; i < frame->len; i++)
		frame->data[i] = unit_byte(n, i);
}

void
flow_frame(struct frame *frame, unsigned int flow, uint32_t n)
{
	const struct mark mark = { .flow = flow, .number = n };
	enum kind kind = flow % KINDS;

	memset(frame, 0, sizeof(*frame));
	frame->vlans = flow % 3;
	frame->ipv6 = kind == TCP6 || kind == UDP6;
	frame->udp = kind == UDP4 || kind == UDP6 || kind == FRAGMENTS;
	frame->options = flow / KINDS % 4;
	frame->payload = sizeof(mark) + n * 37 % 1200;
	frame->seg = n % 5 == 4 ? 100 : 0;
	frame_make(frame);
	/* What may differ within a flow: the time to live, the service, a tag's priority. */
	frame->data[frame->l3 + (frame->ipv6 ? 7 : 8)] = 1 + n % 255;
	frame->data[frame->l3 + 1] = frame->ipv6 ? n % 16 : n;
	if (frame->vlans != 0)
		frame->data[14] = n << 5;
	if (kind < FRAGMENTS)
		set_ends(frame, flow);
	else if (kind == FRAGMENTS)
		set_fragment(frame, flow, n);
	else
		set_other(frame, kind == OTHER ? flow : n, n);
	memcpy(frame->data + frame->len - sizeof(mark), &mark, sizeof(mark));
}

struct rte_mbuf *
flow_next(struct flows *f, unsigned int flow)
{
	struct frame frame;
	struct rte_mbuf *m;

	flow_frame(&frame, flow, f->made[flow]++);
	m = frame_mbuf(&frame);
	if (flow % KINDS == HASHED) {
		m->ol_flags |= RTE_MBUF_F_RX_RSS_HASH;
		m->hash.rss = flow;
	}
	return m;
}

void
flow_see(struct flows *f, const void *data, uint32_t len, unsigned int queue)
{
	struct frame frame;
	struct mark mark;

	assert_true(len > sizeof(mark));
	memcpy(&mark, RTE_PTR_ADD(data, len - sizeof(mark)), sizeof(mark));
	assert_in_range(mark.flow, 0, FLOW_MAX - 1);
	if (f->queue[mark.flow] < 0)
		f->queue[mark.flow] = queue;
	if (f->queue[mark.flow] != (int)queue)
		fail_msg("flow %u: through queue %u and then %u", mark.flow, f->queue[mark.flow],
				queue);
	if (mark.number != f->seen[mark.flow])
		fail_msg("flow %u: packet %u where %u has its place", mark.flow, mark.number,
				f->seen[mark.flow]);
	flow_frame(&frame, mark.flow, mark.number);
	assert_int_equal(len, frame.len);
	assert_memory_equal(data, frame.data, len);
	f->seen[mark.flow]++;
	f->through[queue]++;
	f->all++;
}

void
flow_check(const struct flows *f, unsigned int queues)
{
	uint32_t made = 0;
	unsigned int i;

	for (i = 0; i < FLOW_MAX; i++) {
		assert_int_equal(f->seen[i], f->made[i]);
		made += f->made[i];
	}
	assert_int_equal(f->all, made);
	for (i = 0; i < queues; i++)
		assert_true(f->through[i] >= made / queues / 4);
}
