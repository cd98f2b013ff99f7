/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Packets to be segmented: whole where both ends take them so, and cut at either end where not. */

#include <errno.h>
#include <netinet/in.h>

#include <rte_ether.h>
#include <rte_malloc.h>
#include <rte_power_intrinsics.h>
#include <rte_tcp.h>

#include "frame.h"
#include "pair.h"
#include "sleeper.h"
#include "vif.h"
#include "xen_extbuf.h"

#define BURST 64
#define TCP_ACK_ETC (RTE_TCP_CWR_FLAG | RTE_TCP_ACK_FLAG | RTE_TCP_PSH_FLAG | RTE_TCP_FIN_FLAG)
#define FIRST_ID 0xFFFEu
#define FIRST_SEQ 0xFFFFF000u

/* A packet to be segmented: its headers, and how much payload of the pattern follows. */
struct big {
	struct frame headers;
	uint32_t payload;
	uint16_t mss;
	uint16_t seg; /* bytes of each segment of its mbuf */
};

static const struct big bigs[] = {
	{ .payload = 65481, .mss = 1448, .seg = 2048 },
	{ .payload = 65481, .mss = 1460, .seg = 1000 },
	{ .payload = 2000, .mss = 1448, .seg = 2048 },
	{ .payload = 4042, .mss = 536, .seg = 701 },
	{ .payload = 1448, .mss = 1448, .seg = 2048 },
	{ .payload = 1449, .mss = 1448, .seg = 1448 },
	{ .payload = 256 * 100, .mss = 100, .seg = 2048 },
	{ .payload = 255, .mss = 1, .seg = 90 },
	{ .payload = 20000, .mss = 9000, .seg = 1900 },
	{ .headers = { .ipv6 = true }, .payload = 65461, .mss = 1428, .seg = 2048 },
	{ .headers = { .ipv6 = true }, .payload = 3001, .mss = 1000, .seg = 78 },
	{ .headers = { .ipv6 = true, .ext = "hd" }, .payload = 9999, .mss = 1400, .seg = 500 },
	{ .headers = { .options = 10 }, .payload = 30000, .mss = 1408, .seg = 2048 },
	{ .headers = { .vlans = 1 }, .payload = 30000, .mss = 1448, .seg = 2048 },
	{ .headers = { .vlans = 2, .ipv6 = true }, .payload = 5000, .mss = 1400, .seg = 313 },
};

static uint8_t bytes[UINT16_MAX + 1];

static uint32_t
get(const uint8_t *at, unsigned int len)
{
	uint32_t value = 0;

	while (len-- != 0)
		value = value << 8 | *at++;
	return value;
}

static void
set32(uint8_t *at, uint32_t value)
{
	frame_set16(at, value >> 16);
	frame_set16(at + 2, value);
}

/* The sum of TCP and its pseudo-header: 0xFFFF when the checksum is right. */
static uint16_t
tcp_sum(const struct frame *h, uint32_t len)
{
	uint32_t sum = IPPROTO_TCP + len - h->l4;

	sum = h->ipv6 ? frame_sum_bytes(bytes + h->l3 + 8, 32, sum) :
			frame_sum_bytes(bytes + h->l3 + 12, 8, sum);
	return frame_fold(frame_sum_bytes(bytes + h->l4, len - h->l4, sum));
}

static uint32_t
nb_segs(const struct big *b)
{
	return b->payload == 0 ? 1 : (b->payload + b->mss - 1) / b->mss;
}

/* Linux does not find the checksum behind a tag: such a packet does not go whole. */
static bool
goes_whole(const struct big *b)
{
	return b->headers.vlans == 0 && nb_segs(b) > 1;
}

/* The packet in bytes: what stands in its lengths and checksums is anything. */
static uint32_t
make_bytes(struct big *b)
{
	struct frame *h = &b->headers;
	uint32_t i;

	h->payload = 0;
	frame_make(h);
	frame_set16(h->data + h->l3 + 4, FIRST_ID);
	set32(h->data + h->l4 + 4, FIRST_SEQ);
	h->data[h->l4 + 13] = TCP_ACK_ETC;
	if (h->ipv6)
		frame_set16(h->data + h->l3 + 4, h->len - h->l3 - 40 + b->payload);
	else
		frame_set16(h->data + h->l3 + 2, h->len - h->l3 + b->payload);
	frame_set16(h->data + h->l4 + 16, 0xABCD);
	memcpy(bytes, h->data, h->len);
	for (i = 0; i < b->payload; i++)
		bytes[h->len + i] = unit_byte(b->mss, i);
	return h->len + b->payload;
}

/* The packet as an application sends it. */
static struct rte_mbuf *
make_mbuf(struct big *b)
{
	uint32_t len = make_bytes(b), done = 0, n;
	struct rte_mbuf *m = unit_packet(len, b->seg, 0), *seg;

	for (seg = m; seg != NULL; seg = seg->next, done += n) {
		n = rte_pktmbuf_data_len(seg);
		memcpy(rte_pktmbuf_mtod(seg, void *), bytes + done, n);
	}
	m->l2_len = b->headers.l3;
	m->l3_len = b->headers.l4 - b->headers.l3;
	m->l4_len = b->headers.len - b->headers.l4;
	m->tso_segsz = b->mss;
	m->ol_flags = RTE_MBUF_F_TX_TCP_SEG;
	m->ol_flags |= b->headers.ipv6 ? RTE_MBUF_F_TX_IPV6 :
					 RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
	return m;
}

static void
take_bytes(struct rte_mbuf *m, uint32_t len)
{
	const void *from;

	assert_int_equal(rte_pktmbuf_pkt_len(m), len);
	from = rte_pktmbuf_read(m, 0, len, bytes);
	assert_non_null(from);
	if (from != bytes)
		memcpy(bytes, from, len);
}

/* Bytes [from, from + len) of the payload in a packet that has number seg of so many. */
static void
check_bytes(const struct big *b, uint32_t seg, uint32_t segs, uint32_t from, uint32_t len)
{
	const struct frame *h = &b->headers;
	uint8_t flags = TCP_ACK_ETC;
	uint32_t i;

	assert_memory_equal(bytes, h->data, h->l3);
	if (h->ipv6) {
		assert_int_equal(get(bytes + h->l3 + 4, 2), h->len - h->l3 - 40 + len);
	} else {
		assert_int_equal(get(bytes + h->l3 + 2, 2), h->len - h->l3 + len);
		assert_int_equal(get(bytes + h->l3 + 4, 2), (FIRST_ID + seg) & UINT16_MAX);
		assert_int_equal(frame_fold(frame_sum_bytes(bytes + h->l3, h->l4 - h->l3, 0)),
				UINT16_MAX);
	}
	if (seg != 0)
		flags &= ~RTE_TCP_CWR_FLAG;
	if (seg + 1 != segs)
		flags &= ~(RTE_TCP_PSH_FLAG | RTE_TCP_FIN_FLAG);
	assert_int_equal(bytes[h->l4 + 13], flags);
	assert_int_equal(get(bytes + h->l4 + 4, 4), FIRST_SEQ + from);
	for (i = 0; i < len; i++)
		assert_int_equal(bytes[h->len + i], unit_byte(b->mss, from + i));
}

/* One of the frames that a packet was cut into. */
static void
check_segment(const struct big *b, uint32_t seg, struct rte_mbuf *m)
{
	uint32_t from = seg * b->mss, len = RTE_MIN(b->mss, b->payload - from);

	take_bytes(m, b->headers.len + len);
	check_bytes(b, seg, nb_segs(b), from, len);
	assert_int_equal(tcp_sum(&b->headers, b->headers.len + len), UINT16_MAX);
	/* One that came complete has not been looked at. */
	if (goes_whole(b))
		assert_int_equal(m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK,
				RTE_MBUF_F_RX_L4_CKSUM_GOOD);
	assert_int_equal(m->ol_flags & (RTE_MBUF_F_RX_LRO | RTE_MBUF_F_TX_TCP_SEG), 0);
	rte_pktmbuf_free(m);
}

/* The packet as it was sent. */
static void
check_whole(const struct big *b, struct rte_mbuf *m)
{
	const struct frame *h = &b->headers;

	take_bytes(m, h->len + b->payload);
	check_bytes(b, 0, 1, 0, b->payload);
	assert_int_equal(tcp_sum(h, h->len + b->payload), UINT16_MAX);
	assert_int_equal(m->ol_flags & RTE_MBUF_F_RX_LRO, RTE_MBUF_F_RX_LRO);
	assert_int_equal(m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK, RTE_MBUF_F_RX_L4_CKSUM_GOOD);
	assert_int_equal(m->tso_segsz, b->mss);
	assert_int_equal(m->l2_len, h->l3);
	assert_int_equal(m->l3_len, h->l4 - h->l3);
	assert_int_equal(m->l4_len, h->len - h->l4);
	assert_int_equal(m->packet_type & RTE_PTYPE_L4_MASK, RTE_PTYPE_L4_TCP);
	assert_int_equal(!!RTE_ETH_IS_IPV6_HDR(m->packet_type), h->ipv6);
	rte_pktmbuf_free(m);
}

/* Send a packet one way; what comes out at the other end is whole or all of its segments. */
static void
pass(struct big *b, uint16_t from, uint16_t to, bool whole, uint16_t burst)
{
	uint32_t want = whole ? 1 : nb_segs(b), got = 0, nb, i;
	struct rte_mbuf *m = make_mbuf(b), *pkts[BURST];

	while (rte_eth_tx_burst(from, 0, &m, 1) == 0) {
		nb = rte_eth_rx_burst(to, 0, pkts, burst);
		assert_int_equal(nb, 0);
	}
	unit_idle_hook = NULL;
	while (got < want) {
		unit_wait((nb = rte_eth_rx_burst(to, 0, pkts, burst)) != 0);
		for (i = 0; i < nb; i++, got++) {
			if (whole)
				check_whole(b, pkts[i]);
			else
				check_segment(b, got, pkts[i]);
		}
		/* What waits for room in the ring goes with the next burst. */
		rte_eth_tx_burst(from, 0, NULL, 0);
	}
	assert_int_equal(got, want);
	assert_int_equal(rte_eth_rx_burst(to, 0, pkts, BURST), 0);
}

static void
pass_all(bool lro, bool gso, uint16_t burst)
{
	bool whole;
	unsigned int i;
	struct big b;

	for (i = 0; i < RTE_DIM(bigs); i++) {
		b = bigs[i];
		whole = lro && gso && goes_whole(&b);
		pass(&b, pair.front, pair.back, whole, burst);
		pass(&b, pair.back, pair.front, whole, burst);
	}
}

static void
open_pair(const char *args, uint64_t offloads)
{
	pair_probe_args(1, args, args);
	unit_rx_interrupts = true;
	unit_start(pair.back, 1, offloads | RTE_ETH_RX_OFFLOAD_SCATTER, unit_pool);
	unit_start(pair.front, 1, offloads | RTE_ETH_RX_OFFLOAD_SCATTER, unit_pool);
	unit_rx_interrupts = false;
	pair_wait();
}

static unsigned int
nb_bigs(bool (*which)(const struct big *b))
{
	unsigned int i, n = 0;

	for (i = 0; i < RTE_DIM(bigs); i++)
		n += which(&bigs[i]);
	return n;
}

static void
test_gso_whole(void **state __rte_unused)
{
	open_pair("", RTE_ETH_RX_OFFLOAD_TCP_LRO);
	pass_all(true, true, BURST);
	assert_int_equal(unit_xstat(pair.back, "rx_q0_gso_whole"), nb_bigs(goes_whole));
	assert_int_equal(unit_xstat(pair.front, "tx_q0_gso_whole"), nb_bigs(goes_whole));
	assert_int_equal(unit_xstat(pair.front, "rx_q0_gso_whole"), nb_bigs(goes_whole));
	assert_int_equal(unit_xstat(pair.back, "tx_q0_gso_whole"), nb_bigs(goes_whole));
	pair_close();
}

/* The receiving end cuts. */
static void
test_gso_cut_received(void **state __rte_unused)
{
	open_pair("", 0);
	pass_all(false, true, BURST);
	assert_int_equal(unit_xstat(pair.back, "rx_q0_gso_cut"), nb_bigs(goes_whole));
	assert_int_equal(unit_xstat(pair.front, "rx_q0_gso_cut"), nb_bigs(goes_whole));
	/* The same in bursts that hold a few of its frames. */
	pass_all(false, true, 7);
	pass_all(false, true, 1);
	pair_close();
}

/* The sending end cuts: the other takes no packets to be segmented. */
static void
test_gso_cut_sent(void **state __rte_unused)
{
	open_pair(",gso=off", RTE_ETH_RX_OFFLOAD_TCP_LRO);
	pass_all(true, false, BURST);
	assert_int_equal(unit_xstat(pair.back, "tx_q0_gso_cut"), RTE_DIM(bigs));
	assert_int_equal(unit_xstat(pair.front, "tx_q0_gso_cut"), RTE_DIM(bigs));
	pair_close();
}

/* The same for either end of a pair that takes packets whole, and cuts them. */
static void
for_both(void **state)
{
	void (**fn)(uint16_t from, uint16_t to) = *state;

	open_pair("", 0);
	(*fn)(pair.front, pair.back);
	(*fn)(pair.back, pair.front);
	pair_close();
}

#define both_test(fn) \
	{ \
		"test_gso_" #fn, for_both, NULL, NULL, &(void (*)(uint16_t, uint16_t)) \
		{ \
			fn \
		} \
	}

/* All but the first four frames of a packet wait for the next burst. */
static uint32_t
leave_waiting(uint16_t from, uint16_t to)
{
	struct big b = bigs[0];
	struct rte_mbuf *m = make_mbuf(&b), *pkts[4];
	struct rte_power_monitor_cond cond;

	assert_int_equal(rte_eth_tx_burst(from, 0, &m, 1), 1);
	unit_wait(rte_eth_rx_burst(to, 0, pkts, 4) == 4);
	rte_pktmbuf_free_bulk(pkts, 4);
	/* They are a reason not to sleep. */
	assert_int_equal(rte_eth_get_monitor_addr(to, 0, &cond), -EBUSY);
	assert_int_equal(sleeper_watch(to, 0), 0);
	assert_int_equal(rte_eth_dev_rx_intr_enable(to, 0), 0);
	assert_int_equal(sleeper_sleep(0), 0);
	rte_eth_dev_rx_intr_ctl_q(to, 0, RTE_EPOLL_PER_THREAD, RTE_INTR_EVENT_DEL, NULL);
	return nb_segs(&b) - 4;
}

/* Frames that wait for the next burst are dropped with the queue and with the port, and counted. */
static void
stopped(uint16_t from, uint16_t to)
{
	uint32_t dropped = leave_waiting(from, to);
	struct rte_mbuf *m;

	assert_int_equal(rte_eth_dev_rx_queue_stop(to, 0), 0);
	assert_int_equal(unit_xstat(to, "rx_q0_wait_flushed_dropped"), dropped);
	assert_int_equal(rte_eth_dev_rx_queue_start(to, 0), 0);
	assert_int_equal(rte_eth_rx_burst(to, 0, &m, 1), 0);
	dropped += leave_waiting(from, to);
	assert_int_equal(rte_eth_dev_stop(to), 0);
	unit_check_pool();
	assert_int_equal(unit_xstat(to, "rx_q0_wait_flushed_dropped"), dropped);
	assert_int_equal(rte_eth_dev_start(to), 0);
	pair_wait();
}

/* Without mbufs for all of its frames a packet is lost, and nothing else. */
static void
no_mbufs(uint16_t from, uint16_t to)
{
	struct big b = bigs[0];
	struct rte_mbuf *m = make_mbuf(&b), *pkts[4];

	assert_int_equal(rte_eth_tx_burst(from, 0, &m, 1), 1);
	unit_take_mbufs(40);
	unit_wait(rte_eth_rx_burst(to, 0, pkts, 4) != 0 ||
			unit_xstat(to, "rx_q0_nombuf_dropped") == 1);
	unit_give_mbufs_back();
	pass(&b, from, to, false, BURST);
}

/* What cannot be segmented is dropped and counted; the port goes on. */
static void
bad(uint16_t from, uint16_t to)
{
	struct big many = { .payload = 257, .mss = 1, .seg = 2048 }, b = bigs[2];
	struct rte_mbuf *m;
	uint16_t i;

	for (i = 0; i < 5; i++) {
		m = make_mbuf(i == 0 ? &many : &b);
		m->tso_segsz = i == 1 ? 0 : m->tso_segsz;
		m->l4_len = i == 2 ? 24 : m->l4_len;
		m->l3_len = i == 3 ? 16 : m->l3_len;
		m->l2_len = i == 4 ? 10 : m->l2_len;
		assert_int_equal(rte_eth_tx_prepare(from, 0, &m, 1), 0);
		assert_int_equal(rte_errno, EINVAL);
		assert_int_equal(rte_eth_tx_burst(from, 0, &m, 1), 1);
	}
	assert_int_equal(unit_xstat(from, "tx_q0_bad_packet_errors"), 5);
	pass(&b, from, to, false, BURST);
}

/* An application may ask for the flags of packets to be sent. */
static void
test_gso_legacy(void **state __rte_unused)
{
	struct big b = { .payload = 65000, .mss = 1448, .seg = 2048 };
	struct rte_mbuf *m, *pkts[4];

	open_pair(",legacy-ol-flags=1", 0);
	m = make_mbuf(&b);
	assert_int_equal(rte_eth_tx_burst(pair.front, 0, &m, 1), 1);
	unit_wait(rte_eth_rx_burst(pair.back, 0, pkts, 4) == 1);
	assert_int_equal(pkts[0]->ol_flags,
			RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IPV4 |
					RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_EXTERNAL);
	assert_int_equal(pkts[0]->tso_segsz, b.mss);
	assert_int_equal(pkts[0]->l4_len, 20);
	/* As it came it can go. */
	assert_int_equal(rte_eth_tx_burst(pair.back, 0, pkts, 1), 1);
	unit_wait(rte_eth_rx_burst(pair.front, 0, pkts, 4) == 1);
	take_bytes(pkts[0], b.headers.len + b.payload);
	check_bytes(&b, 0, 1, 0, b.payload);
	rte_pktmbuf_free(pkts[0]);
	pair_close();
}

/* With flags of packets to be sent they come in one mbuf, while there are buffers for it. */
static void
one_segment(uint64_t offloads)
{
	struct rte_mbuf *m, *kept[XEN_EXTBUF_COUNT];
	struct big b = { .payload = 65000, .mss = 1448, .seg = 2048 };
	struct rte_malloc_socket_stats before, after;
	uint16_t ports[2], i, j;

	pair_probe_args(1, ",legacy-ol-flags=1", ",legacy-ol-flags=1");
	ports[0] = pair.back;
	ports[1] = pair.front;
	rte_malloc_get_socket_stats(0, &before);
	for (i = 0; i < 2; i++)
		unit_start(ports[i], 1, offloads, unit_pool);
	pair_wait();
	for (i = 0; i < 2; i++) {
		for (j = 0; j < XEN_EXTBUF_COUNT; j++) {
			m = make_mbuf(&b);
			assert_int_equal(rte_eth_tx_burst(ports[!i], 0, &m, 1), 1);
			unit_wait(rte_eth_rx_burst(ports[i], 0, &kept[j], 1) == 1);
			assert_int_equal(kept[j]->nb_segs, 1);
			assert_int_equal(rte_pktmbuf_headroom(kept[j]), RTE_PKTMBUF_HEADROOM);
			assert_true((kept[j]->ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0);
		}
		/* No copy crosses a page. */
		if (i == 0)
			assert_int_equal(unit_xstat(pair.back, "rx_q0_copy_ops"),
					16 * XEN_EXTBUF_COUNT);
		pass(&b, ports[!i], ports[i], false, BURST);
		for (j = 0; j < XEN_EXTBUF_COUNT; j++) {
			take_bytes(kept[j], b.headers.len + b.payload);
			check_bytes(&b, 0, 1, 0, b.payload);
		}
		/* As it came it can go. */
		assert_int_equal(rte_eth_tx_burst(ports[i], 0, kept, 1), 1);
		unit_wait(rte_eth_rx_burst(ports[!i], 0, kept, 1) == 1);
		take_bytes(kept[0], b.headers.len + b.payload);
		check_bytes(&b, 0, 1, 0, b.payload);
		rte_pktmbuf_free_bulk(kept, XEN_EXTBUF_COUNT - 1);
		/* The last one outlives its queue. */
		assert_int_equal(rte_eth_dev_stop(ports[i]), 0);
		unit_start(ports[i], 1, offloads, unit_pool);
		rte_pktmbuf_free(kept[XEN_EXTBUF_COUNT - 1]);
		pair_wait();
	}
	/* What would be longer than a buffer is cut. */
	b = bigs[0];
	for (i = 0; i < 2; i++)
		pass(&b, ports[i], ports[!i], false, BURST);
	pair_close();
	rte_malloc_get_socket_stats(0, &after);
	assert_true(after.heap_allocsz_bytes < before.heap_allocsz_bytes + 64 * 1024);
}

/* An application may take several mbufs for other packets, and look at no second one of these. */
static void
test_gso_one_segment(void **state __rte_unused)
{
	one_segment(0);
	one_segment(RTE_ETH_RX_OFFLOAD_SCATTER);
}

static const struct rawfront_key keys_without_gso[] = {
	{ "request-rx-copy", "1" },
	{ "feature-rx-notify", "1" },
	{ "feature-sg", "1" },
	{ "feature-ipv6-csum-offload", "1" },
	{ NULL, NULL },
};

static const struct rawfront_kind without_gso = {
	.name = "without GSO",
	.keys = keys_without_gso,
};

/* A guest without the feature that posts few buffers gets the segments as it has room for them. */
static void
test_gso_in_parts(void **state)
{
	struct netif_rx_response rsp;
	struct vif *v = *state;
	struct big b = bigs[0];
	struct rte_mbuf *m = make_mbuf(&b);
	uint32_t got = 0;

	rawfront_unpublish(&v->f);
	v->f.kind = &without_gso;
	vif_reconnect(v);
	assert_int_equal(rte_eth_tx_burst(v->port, 0, &m, 1), 1);
	while (got < nb_segs(&b)) {
		rawfront_rx_post(&v->f, 0, 0, got % 5 + 1);
		vif_flush_by_rx(v, 0);
		while (rawfront_rx_rsp(&v->f, 0, &rsp)) {
			assert_int_equal(rsp.flags & ~(NETRXF_csum_blank | NETRXF_data_validated),
					0);
			memcpy(bytes, rawfront_page(&v->f, rsp.id), rsp.status);
			check_bytes(&b, got, nb_segs(&b), got * b.mss, rsp.status - b.headers.len);
			got++;
		}
	}
	vif_expect_sent(v, 1, 0);
}

/* Whole to a guest that takes it so: the first slot, extra info, the rest; the checksum blank. */
static void
test_gso_slots(void **state)
{
	struct netif_rx_response rsp;
	struct netif_extra_info extra;
	struct vif *v = *state;
	struct big b = bigs[9];
	struct rte_mbuf *m;
	unsigned int slot;
	uint16_t flags;
	uint32_t done;

	m = make_mbuf(&b);
	rawfront_rx_post(&v->f, 0, 0, 16);
	assert_int_equal(rte_eth_tx_burst(v->port, 0, &m, 1), 1);
	assert_false(rawfront_rx_rsp(&v->f, 0, &rsp));
	rawfront_rx_post(&v->f, 0, 16, 1);
	vif_flush_by_tx(v, 0);
	for (slot = 0, done = 0; rawfront_rx_rsp(&v->f, 0, &rsp); slot++) {
		if (slot == 1) {
			memcpy(&extra, &rsp, sizeof(extra));
			assert_int_equal(extra.type, XEN_NETIF_EXTRA_TYPE_GSO);
			assert_int_equal(extra.flags, 0);
			assert_int_equal(extra.u.gso.type, XEN_NETIF_GSO_TYPE_TCPV6);
			assert_int_equal(extra.u.gso.size, b.mss);
			assert_int_equal(extra.u.gso.features, 0);
			continue;
		}
		flags = slot == 16 ? 0 : NETRXF_more_data;
		if (slot == 0)
			flags |= NETRXF_extra_info | NETRXF_csum_blank | NETRXF_data_validated;
		assert_int_equal(rsp.flags, flags);
		memcpy(bytes + done, rawfront_page(&v->f, rsp.id), rsp.status);
		done += rsp.status;
	}
	assert_int_equal(slot, 17);
	assert_int_equal(done, b.headers.len + b.payload);
	check_bytes(&b, 0, 1, 0, b.payload);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gso_whole),
		cmocka_unit_test(test_gso_cut_received),
		cmocka_unit_test(test_gso_cut_sent),
		both_test(stopped),
		both_test(no_mbufs),
		both_test(bad),
		cmocka_unit_test(test_gso_legacy),
		cmocka_unit_test(test_gso_one_segment),
		vif_test(test_gso_in_parts),
		vif_test(test_gso_slots),
	};

	return cmocka_run_group_tests_name("gso", tests, unit_setup, unit_teardown);
}
