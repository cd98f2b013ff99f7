/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * Packets of every kind from and to pages that a guest has registered, that it has not, and both in
 * one packet: what either end sees is the same, and the hypervisor copies what it has to.
 */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "frame.h"
#include "grants.h"

#define QUEUES CTRL_QUEUES
#define BURST 32
#define ROUNDS 40
#define BYTES_MAX (64u << 20)
/* Pages of a queue's buffers: see vif_post(). */
#define QUEUE_PAGES (RAWFRONT_PAGES / QUEUES)

/* All that an end has seen. */
static struct log {
	uint8_t *bytes;
	size_t len;
} seen, expected;

static void
note(const void *data, size_t len)
{
	assert_true(seen.len + len <= BYTES_MAX);
	memcpy(seen.bytes + seen.len, data, len);
	seen.len += len;
}

/* Which pages are registered: of a ring's, every how manyth is and is not. */
static const struct mode {
	const char *name;
	bool (*has)(unsigned int page);
	bool read_only;
} * mode;

static bool
has_all(unsigned int page __rte_unused)
{
	return true;
}

static bool
has_even(unsigned int page)
{
	return page % 2 == 0;
}

static bool
has_some(unsigned int page)
{
	return page * 2654435761u >> 30 != 0;
}

static bool
has_few(unsigned int page)
{
	return page % 37 == 5;
}

/* The first is what the others have to be like. */
static const struct mode modes[] = {
	{ "none", NULL, false },
	{ "all", has_all, false },
	{ "even", has_even, false },
	{ "some", has_some, false },
	{ "few", has_few, false },
	{ "all, for reading", has_all, true },
};

static unsigned int
register_pages(struct vif *v, uint32_t queue)
{
	struct xen_netif_gref *list = grants_page(v);
	unsigned int page, n = 0;

	/* The page with the list is used for nothing else meanwhile. */
	for (page = 0; page < GRANTS_PAGE && mode->has != NULL; page++) {
		if (mode->has(page))
			list[n++] = (struct xen_netif_gref){
				.ref = v->f.gref[page],
				.flags = mode->read_only ? READ_ONLY : 0,
			};
	}
	if (n != 0)
		assert_int_equal(grants_add(v, queue, n), OKAY);
	return n;
}

/* The sum of a statistic over the rings of a direction. */
static uint64_t
sum(const struct vif *v, const char *dir, const char *what)
{
	uint64_t n = 0;
	char name[64];
	unsigned int i;

	for (i = 0; i < QUEUES; i++) {
		snprintf(name, sizeof(name), "%s_q%u_%s", dir, i, what);
		n += unit_xstat(v->port, name);
	}
	return n;
}

static uint64_t
copy_calls(void)
{
	struct xensim_counters c;

	assert_int_equal(xensim_counters_get(0, &c), 0);
	return c.copy_calls;
}

/* A page of a queue; the last one's list is left alone. */
static unsigned int
any_page(void)
{
	return rand() % (QUEUE_PAGES - 1);
}

/* Put a packet of any number of slots, at any offsets; it is no more than the port takes. */
static unsigned int
put_any(struct vif *v, uint16_t id)
{
	unsigned int n = rand() % 3 == 0 ? 1 + rand() % 18 : 1, i, len = 0;
	uint16_t offset[18], size[18];

	for (i = 0; i < n; i++) {
		offset[i] = rand() % (XEN_PAGE_BYTES - 200);
		size[i] = (i == 0 ? 60 : 0) + rand() % (XEN_PAGE_BYTES - offset[i] - 60 + 1);
		size[i] = rand() % 4 == 0 ? size[i] : RTE_MIN(size[i], 60 + rand() % 1500);
		len += size[i];
	}
	for (i = 0; i < n; i++)
		vif_put(v, any_page(), offset[i], i == 0 ? len : size[i],
				i + 1 < n ? NETTXF_more_data : 0, id);
	return n;
}

/* Put a TCP packet of several pages that is to be segmented, its headers in the first. */
static unsigned int
put_gso(struct vif *v, uint16_t id, bool ipv6)
{
	struct frame h = { .ipv6 = ipv6, .payload = 0 };
	unsigned int page = any_page(), n = 2 + rand() % 8, i;
	uint32_t len;

	frame_make(&h);
	len = XEN_PAGE_BYTES - 100 + (n - 1) * XEN_PAGE_BYTES - 33;
	if (ipv6)
		frame_set16(h.data + h.l3 + 4, len - h.l3 - 40);
	else
		frame_set16(h.data + h.l3 + 2, len - h.l3);
	memcpy(rawfront_page(&v->f, page) + 100, h.data, h.len);
	vif_put(v, page, 100, len,
			NETTXF_more_data | NETTXF_extra_info | NETTXF_csum_blank |
					NETTXF_data_validated,
			id);
	vif_put_gso(v, ipv6 ? XEN_NETIF_GSO_TYPE_TCPV6 : XEN_NETIF_GSO_TYPE_TCPV4, 1400);
	for (i = 1; i < n; i++)
		vif_put(v, any_page(), 0, XEN_PAGE_BYTES - (i + 1 == n ? 33 : 0),
				i + 1 < n ? NETTXF_more_data : 0, id);
	return n + 1;
}

static void
note_mbuf(const struct rte_mbuf *m)
{
	const uint64_t flags = m->ol_flags & ~RTE_MBUF_F_EXTERNAL;

	note(&m->pkt_len, sizeof(m->pkt_len));
	note(&flags, sizeof(flags));
	for (; m != NULL; m = m->next)
		note(rte_pktmbuf_mtod(m, void *), m->data_len);
}

static void
take_all(struct vif *v)
{
	struct netif_tx_response rsp;
	struct rte_mbuf *pkts[BURST];
	unsigned int rounds;
	uint16_t i, n;

	/* A burst may have none while packets wait for another. */
	for (rounds = 0; rounds < 64; rounds++) {
		n = vif_burst(v, pkts, BURST);
		for (i = 0; i < n; i++)
			note_mbuf(pkts[i]);
		rte_pktmbuf_free_bulk(pkts, n);
	}
	while (rawfront_tx_rsp(&v->f, 0, &rsp))
		note(&rsp, 4);
	assert_int_equal(v->f.q[0].tx_cons, v->f.q[0].tx_prod);
}

static void
guest_sends(struct vif *v)
{
	unsigned int round, used;

	for (round = 0; round < ROUNDS; round++) {
		for (used = 0; used < XEN_NETIF_RING_SIZE - 20;) {
			if (rand() % 8 == 0)
				used += put_gso(v, used, rand() % 2);
			else
				used += put_any(v, used);
		}
		take_all(v);
	}
}

static struct rte_mbuf *
any_packet(void)
{
	struct frame h = { .payload = 10 };
	struct rte_mbuf *m;

	switch (rand() % 4) {
	case 0:
		return unit_packet(60 + rand() % 20000, 256 + rand() % 1700, rand());
	case 1:
		h.ipv6 = rand() % 2;
		h.payload = rand() % 1400;
		frame_make(&h);
		m = frame_mbuf(&h);
		m->ol_flags |= frame_tx_flags(&h);
		return m;
	case 2:
		h.payload = 1 + rand() % 1800;
		frame_make(&h);
		m = frame_mbuf(&h);
		m->l4_len = h.l4_len;
		m->tso_segsz = 100 + rand() % 1000;
		m->ol_flags = RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
		return m;
	default:
		return unit_packet(60 + rand() % 1500, UNIT_ROOM, rand());
	}
}

static void
note_responses(struct vif *v, unsigned int queue)
{
	struct netif_rx_response rsp;
	bool extra = false, more;
	const uint8_t *page;
	unsigned int at;

	for (;;) {
		at = (queue * QUEUE_PAGES) + v->f.q[queue].rx_cons % QUEUE_PAGES;
		if (!rawfront_rx_rsp(&v->f, queue, &rsp))
			break;
		note(&rsp, sizeof(rsp));
		page = rawfront_page(&v->f, at);
		if (extra) {
			/* Not a response: the flags are in its second byte. */
			extra = (((const uint8_t *)&rsp)[1] & XEN_NETIF_EXTRA_FLAG_MORE) != 0;
			continue;
		}
		more = (rsp.flags & NETRXF_extra_info) != 0;
		extra = more;
		if (rsp.status > 0)
			note(page, XEN_PAGE_BYTES);
	}
}

static void
guest_receives(struct vif *v)
{
	struct rte_mbuf *pkts[BURST];
	unsigned int round, i, n;

	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < QUEUES; i++)
			vif_post(v, i, QUEUE_PAGES - 1 - vif_posted(v, i));
		for (n = 0; n < 8; n++)
			pkts[n] = any_packet();
		assert_int_equal(rte_eth_tx_burst(v->port, 0, pkts, n), n);
		vif_flush_by_tx(v, 0);
		for (i = 0; i < QUEUES; i++)
			note_responses(v, i);
	}
}

struct config {
	const char *args;
	uint64_t offloads;
	bool hash;
	uint16_t headroom;
};

/* One direction, with the pages of the mode; what is seen has to be as with the first one. */
static void
run(const struct config *config, void (*traffic)(struct vif *v), const char *dir)
{
	const struct vif_options options = {
		.queues = QUEUES,
		.app_queues = QUEUES,
		.ctrl = true,
		.offloads = RTE_ETH_RX_OFFLOAD_SCATTER | config->offloads,
		.args = config->args,
	};
	uint64_t calls, copies, ops;
	struct vif v;
	unsigned int i;

	unit_log_clear();
	vif_open(&v, &options);
	if (config->headroom != 0)
		rawfront_set(&v.f, "xdp-headroom", "%u", config->headroom);
	vif_connect(&v);
	if (config->hash)
		ctrl_set_all(&v);
	for (i = 0; i < QUEUES; i++)
		register_pages(&v, i);
	calls = copy_calls();
	seen.len = 0;
	srand(17);
	traffic(&v);
	calls = copy_calls() - calls;
	copies = sum(&v, dir, "static_copies");
	ops = sum(&v, dir, "copy_ops");
	if (mode == modes)
		assert_int_equal(copies, 0);
	else
		assert_true(copies != 0);
	/* There is something of everything. */
	assert_true(sum(&v, dir, "gso_whole") + sum(&v, dir, "gso_cut") +
					sum(&v, dir, "bad_packet_errors") !=
			0);
	/* What all is copied here of takes no call. */
	assert_int_equal(mode->has == has_all, calls == 0);
	assert_int_equal(mode->has == has_all, ops == 0);
	vif_close(&v);
	assert_int_equal(unit_maps(), 0);
	unit_check_pool();
	if (mode == modes) {
		memcpy(expected.bytes, seen.bytes, seen.len);
		expected.len = seen.len;
		return;
	}
	if (seen.len != expected.len || memcmp(seen.bytes, expected.bytes, seen.len) != 0)
		fail_msg("'%s', pages registered: %s: not the same", config->args, mode->name);
}

static const struct config configs[] = {
	{ "", 0, false, 0 },
	{ "", RTE_ETH_RX_OFFLOAD_TCP_LRO, false, 256 },
	{ ",gso=off", 0, true, 0 },
};

static void
test_from_guest(void **state __rte_unused)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(configs); i++) {
		for (mode = modes; mode < modes + RTE_DIM(modes); mode++)
			run(&configs[i], guest_sends, "rx");
	}
}

static void
test_to_guest(void **state __rte_unused)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(configs); i++) {
		for (mode = modes; mode < modes + RTE_DIM(modes); mode++) {
			if (!mode->read_only)
				run(&configs[i], guest_receives, "tx");
		}
	}
}

/* Pages that are for reading: packets that would be put there are lost, and nothing else is. */
static void
test_read_only(void **state __rte_unused)
{
	const struct vif_options options = { .ctrl = true };
	struct xen_netif_gref *list;
	struct netif_rx_response rsp;
	struct rte_mbuf *m;
	uint32_t found;
	struct vif v;
	unsigned int i;

	vif_open(&v, &options);
	vif_connect(&v);
	vif_blank_pages(&v);
	list = grants_page(&v);
	/* One that is granted so, and those that need not be. */
	grants_list(&v, 0, 8, READ_ONLY);
	list[7].ref = v.f.grants[RAWFRONT_GRANT_READ_ONLY];
	assert_int_equal(grants_add(&v, 0, 8), OKAY);
	for (i = 0; i < 10; i++)
		rawfront_rx_post(&v.f, 0, i, 1);
	rawfront_rx_put(&v.f, 0, 10, v.f.grants[RAWFRONT_GRANT_READ_ONLY]);
	rawfront_rx_push(&v.f, 0);
	for (i = 0; i < 6; i++) {
		m = unit_packet(300, UNIT_ROOM, i);
		assert_int_equal(rte_eth_tx_burst(v.port, 0, &m, 1), 1);
		assert_true(rawfront_rx_rsp(&v.f, 0, &rsp));
		assert_int_equal(rsp.status, NETIF_RSP_ERROR);
		assert_int_equal(rawfront_page(&v.f, i)[0], rawfront_page(&v.f, i)[300]);
	}
	/* A packet of three pages, of which the first is: it is lost as one. */
	m = unit_packet(3 * XEN_PAGE_BYTES, UNIT_ROOM, 0);
	assert_int_equal(rte_eth_tx_burst(v.port, 0, &m, 1), 1);
	for (i = 0; i < 3; i++) {
		assert_true(rawfront_rx_rsp(&v.f, 0, &rsp));
		assert_int_equal(rsp.status, NETIF_RSP_ERROR);
		assert_int_equal(rsp.flags, i < 2 ? NETRXF_more_data : 0);
	}
	m = unit_packet(300, UNIT_ROOM, 5);
	assert_int_equal(rte_eth_tx_burst(v.port, 0, &m, 1), 1);
	vif_expect_packet(&v, 0, 9, 300, 5, 0);
	m = unit_packet(300, UNIT_ROOM, 5);
	assert_int_equal(rte_eth_tx_burst(v.port, 0, &m, 1), 1);
	assert_true(rawfront_rx_rsp(&v.f, 0, &rsp));
	assert_int_equal(rsp.status, NETIF_RSP_ERROR);
	assert_int_equal(vif_tx_stat(&v, 0, "copy_errors"), 8);
	vif_expect_sent(&v, 1, 8);
	/* They are again what others are. */
	assert_int_equal(grants_del(&v, 0, 8, &found), OKAY);
	assert_int_equal(found, 8);
	rawfront_rx_post(&v.f, 0, 3, 1);
	m = unit_packet(300, UNIT_ROOM, 5);
	assert_int_equal(rte_eth_tx_burst(v.port, 0, &m, 1), 1);
	assert_true(rawfront_rx_rsp(&v.f, 0, &rsp));
	assert_int_equal(rsp.status, 300);
	vif_close(&v);
}

/* References that are beyond the table or not registered are the hypervisor's, as ever. */
static void
test_other_references(void **state __rte_unused)
{
	const struct vif_options options = { .ctrl = true };
	struct rte_mbuf *pkts[RAWFRONT_GRANTS];
	struct netif_rx_response rsp;
	unsigned int i;
	struct vif v;
	bool good;

	vif_open(&v, &options);
	vif_connect(&v);
	grants_list(&v, 0, 4, 0);
	assert_int_equal(grants_add(&v, 0, 4), OKAY);
	for (i = 0; i < RAWFRONT_GRANTS; i++) {
		const struct netif_tx_request req = { .gref = v.f.grants[i], .size = 60, .id = i };

		rawfront_tx_put(&v.f, 0, &req);
		rawfront_rx_put(&v.f, 0, i, v.f.grants[i]);
	}
	rawfront_rx_push(&v.f, 0);
	/* The first page, and the one for reading. */
	assert_int_equal(vif_burst(&v, pkts, RAWFRONT_GRANTS), 2);
	rte_pktmbuf_free_bulk(pkts, 2);
	for (i = 0; i < RAWFRONT_GRANTS; i++) {
		good = i == RAWFRONT_GRANT_PAGE || i == RAWFRONT_GRANT_READ_ONLY;
		vif_expect_rsp(&v, i, good ? NETIF_RSP_OKAY : NETIF_RSP_ERROR);
	}
	for (i = 0; i < RAWFRONT_GRANTS; i++)
		pkts[i] = unit_packet(60, UNIT_ROOM, i);
	assert_int_equal(rte_eth_tx_burst(v.port, 0, pkts, RAWFRONT_GRANTS), RAWFRONT_GRANTS);
	for (i = 0; i < RAWFRONT_GRANTS; i++) {
		assert_true(rawfront_rx_rsp(&v.f, 0, &rsp));
		assert_int_equal(rsp.status, i == RAWFRONT_GRANT_PAGE ? 60 : NETIF_RSP_ERROR);
	}
	assert_int_equal(unit_xstat(v.port, "rx_q0_static_copies"), 1);
	assert_int_equal(unit_xstat(v.port, "tx_q0_static_copies"), 1);
	assert_int_equal(unit_xstat(v.port, "rx_q0_copy_ops"), RAWFRONT_GRANTS - 1);
	vif_close(&v);
}

/* A guest whose pages change all the time, those with the headers of packets above all. */
static struct {
	struct vif v;
	bool stop;
} changing;

static void *
change(void *arg __rte_unused)
{
	uint32_t x = 1, i;

	while (!__atomic_load_n(&changing.stop, __ATOMIC_ACQUIRE)) {
		for (i = 0; i < 1000; i++) {
			x = x * 1103515245 + 12345;
			rawfront_page(&changing.v.f,
					(x >> 8) % (QUEUE_PAGES - 1))[100 + (x >> 24) % 128] = x >>
					16;
		}
	}
	return NULL;
}

/* What was copied is what is looked at: no packet has another length than its slots say. */
static void
test_changing(void **state __rte_unused)
{
	const struct vif_options options = {
		.queues = QUEUES,
		.app_queues = QUEUES,
		.ctrl = true,
		.offloads = RTE_ETH_RX_OFFLOAD_SCATTER,
	};
	uint64_t bad = 0, end = unit_now_ms() + UNIT_LIMIT_MS;
	unsigned int round, i;
	pthread_t thread;

	memset(&changing, 0, sizeof(changing));
	vif_open(&changing.v, &options);
	vif_connect(&changing.v);
	mode = &modes[1];
	register_pages(&changing.v, 0);
	assert_int_equal(pthread_create(&thread, NULL, change, NULL), 0);
	/* The thread may be kept from running for a while. */
	for (round = 0; round < 300 || (bad == 0 && unit_now_ms() < end); round++) {
		for (i = 0; i < 20; i++)
			put_gso(&changing.v, i, i % 2);
		seen.len = 0;
		take_all(&changing.v);
		bad = sum(&changing.v, "rx", "bad_packet_errors") +
				sum(&changing.v, "rx", "csum_unparsed_errors");
	}
	__atomic_store_n(&changing.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	assert_true(bad > 0);
	assert_true(sum(&changing.v, "rx", "gso_cut") > 0);
	assert_int_equal(unit_xstat(changing.v.port, "protocol_errors"), 0);
	vif_send_good(&changing.v);
	vif_close(&changing.v);
	unit_check_pool();
}

static int
start(void **state)
{
	seen.bytes = malloc(BYTES_MAX);
	expected.bytes = malloc(BYTES_MAX);
	assert_non_null(seen.bytes);
	assert_non_null(expected.bytes);
	return unit_setup(state);
}

static int
end(void **state)
{
	free(seen.bytes);
	free(expected.bytes);
	return unit_teardown(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_guest),
		cmocka_unit_test(test_to_guest),
		cmocka_unit_test(test_read_only),
		cmocka_unit_test(test_other_references),
		cmocka_unit_test(test_changing),
	};

	return cmocka_run_group_tests_name("grants_copy", tests, start, end);
}
