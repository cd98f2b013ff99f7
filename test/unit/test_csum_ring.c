/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* Blank checksums through the rings of both drivers, and packets that several hold. */

#include <sys/mman.h>

#include <rte_errno.h>

#include "frame.h"
#include "rawback.h"
#include "vif.h"
#include "xen_csum.h"

#define BURST 200

/* Put a frame into the guest's TX ring and take it from the port; NULL when it was dropped. */
static struct rte_mbuf *
through_rx(struct vif *v, const struct frame *f, uint16_t flags)
{
	struct rte_mbuf *m = NULL;
	uint16_t n;

	/* The last page: nobody else's. */
	memcpy(rawfront_page(&v->f, RAWFRONT_PAGES - 1), f->data, f->len);
	vif_put(v, RAWFRONT_PAGES - 1, 0, f->len, flags, 1);
	n = vif_burst(v, &m, 1);
	vif_expect_rsp(v, 1, n == 1 ? NETIF_RSP_OKAY : NETIF_RSP_ERROR);
	return n == 1 ? m : NULL;
}

static void
expect_untouched(struct vif *v, const struct frame *f, uint16_t flags, uint64_t ol_flags)
{
	struct rte_mbuf *m = through_rx(v, f, flags);

	assert_non_null(m);
	assert_memory_equal(rte_pktmbuf_mtod(m, void *), f->data, f->len);
	assert_int_equal(m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK, ol_flags);
	rte_pktmbuf_free(m);
}

/* NETTXF_csum_blank and NETTXF_data_validated, with the application's offloads off and on. */
static void
test_ring_receive(void **state)
{
	const uint16_t blank = NETTXF_csum_blank | NETTXF_data_validated;
	const struct vif_options offload = {
		.offloads = RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM,
	};
	struct vif *v = *state, finishing;
	struct frame f = { .payload = 100, .ipv6 = true };
	struct rte_mbuf *m;

	frame_make(&f);
	expect_untouched(v, &f, 0, RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN);
	expect_untouched(v, &f, NETTXF_data_validated, RTE_MBUF_F_RX_L4_CKSUM_GOOD);
	m = through_rx(v, &f, blank);
	assert_non_null(m);
	frame_check_finished(&f, m);
	assert_int_equal(m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK, RTE_MBUF_F_RX_L4_CKSUM_GOOD);
	rte_pktmbuf_free(m);
	m = through_rx(v, &f, NETTXF_csum_blank);
	assert_non_null(m);
	frame_check_finished(&f, m);
	rte_pktmbuf_free(m);
	assert_int_equal(unit_xstat(v->port, "rx_q0_csum_completed"), 2);
	/* Nothing to finish: the packet alone is lost. */
	frame_set16(f.data + f.l3 + 4, 0xFFFF);
	assert_null(through_rx(v, &f, blank));
	assert_int_equal(unit_xstat(v->port, "rx_q0_bad_packet_errors"), 1);
	assert_int_equal(unit_xstat(v->port, "rx_q0_csum_unparsed_errors"), 0);
	vif_send_good(v);

	vif_open(&finishing, &offload);
	vif_connect(&finishing);
	expect_untouched(&finishing, &f, blank, RTE_MBUF_F_RX_L4_CKSUM_NONE);
	vif_close(&finishing);
}

/* Every kind of frame, whole on arrival; what cannot be finished is counted apart. */
static void
test_ring_receive_kinds(void **state)
{
	const uint16_t blank = NETTXF_csum_blank | NETTXF_data_validated;
	struct frame fragment = { .ipv6 = true, .ext = "hm", .payload = 100 };
	struct vif *v = *state;
	struct rte_mbuf *m;
	struct frame f;
	unsigned int i;

	for (i = 0; i < frame_nb_good; i++) {
		f = frame_good[i];
		frame_make(&f);
		m = through_rx(v, &f, blank);
		assert_non_null(m);
		frame_check_finished(&f, m);
		rte_pktmbuf_free(m);
	}
	assert_int_equal(unit_xstat(v->port, "rx_q0_csum_completed"), frame_nb_good);
	frame_make(&fragment);
	assert_null(through_rx(v, &fragment, blank));
	assert_int_equal(unit_xstat(v->port, "rx_q0_csum_unparsed_errors"), 1);
	assert_int_equal(unit_xstat(v->port, "rx_q0_bad_packet_errors"), 0);
	vif_send_good(v);
}

/*
 * An application that asks for the offloads of reception alone sends on what it receives as it is:
 * it is not handed a blank checksum.
 */
static void
test_ring_receive_only(void **state)
{
	const struct rte_eth_conf conf = {
		.rxmode.offloads = RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM,
	};
	struct frame f = { .payload = 100 };
	struct vif *v = *state;
	struct rte_mbuf *m;

	assert_int_equal(rte_eth_dev_stop(v->port), 0);
	assert_int_equal(rte_eth_dev_configure(v->port, 1, 1, &conf), 0);
	assert_int_equal(rte_eth_rx_queue_setup(v->port, 0, 256, SOCKET_ID_ANY, NULL, unit_pool),
			0);
	assert_int_equal(rte_eth_tx_queue_setup(v->port, 0, 256, SOCKET_ID_ANY, NULL), 0);
	assert_int_equal(rte_eth_dev_start(v->port), 0);
	unit_wait(unit_link(v->port));
	frame_make(&f);
	m = through_rx(v, &f, NETTXF_csum_blank | NETTXF_data_validated);
	assert_non_null(m);
	frame_check_finished(&f, m);
	rte_pktmbuf_free(m);
}

/* What the guest has received next, in an mbuf; the response's flags. */
static uint16_t
guest_takes(struct vif *v, uint32_t len, struct rte_mbuf **copy)
{
	struct netif_rx_response rsp;

	assert_true(rawfront_rx_rsp(&v->f, 0, &rsp));
	assert_int_equal(rsp.status, len);
	*copy = rte_pktmbuf_alloc(unit_pool);
	assert_non_null(*copy);
	memcpy(rte_pktmbuf_append(*copy, len), rawfront_page(&v->f, rsp.id), len);
	return rsp.flags;
}

/* Send a frame as an application that wants its checksum done; the response's flags. */
static uint16_t
through_tx(struct vif *v, struct frame *f, struct rte_mbuf **copy)
{
	struct rte_mbuf *m = frame_mbuf(f);

	m->ol_flags |= frame_tx_flags(f);
	frame_set16(rte_pktmbuf_mtod_offset(m, uint8_t *, frame_csum(f) - f->data), 0);
	assert_int_equal(rte_eth_tx_prepare(v->port, 0, &m, 1), 1);
	rawfront_rx_post(&v->f, 0, 0, 1);
	assert_int_equal(rte_eth_tx_burst(v->port, 0, &m, 1), 1);
	return guest_takes(v, f->len, copy);
}

static void
check_transmit(struct vif *v, bool takes_blank)
{
	const uint16_t flags = NETRXF_csum_blank | NETRXF_data_validated;
	struct rte_mbuf *m;
	struct frame f;
	unsigned int i;
	bool blank;

	for (i = 0; i < frame_nb_good; i++) {
		f = frame_good[i];
		/* rte_eth_tx_prepare() knows no headers in segments. */
		if (f.split)
			continue;
		frame_make(&f);
		blank = takes_blank && frame_may_be_blank(&f);
		assert_int_equal(through_tx(v, &f, &m), blank ? flags : 0);
		/* The guest finishes a blank one as we finish the guest's. */
		if (blank) {
			assert_memory_equal(rte_pktmbuf_mtod(m, void *), f.data, f.len);
			assert_int_equal(xen_csum_complete_rx(m), 0);
		}
		frame_check_finished(&f, m);
		rte_pktmbuf_free(m);
	}
}

/* Connect a guest that takes blank checksums, or one that takes none. */
static void
connect_with(struct vif *v, bool takes_blank)
{
	rawfront_set(&v->f, "feature-no-csum-offload", "%d", !takes_blank);
	rawfront_publish(&v->f);
	rawfront_set(&v->f, "feature-ipv6-csum-offload", "%d", takes_blank);
	rawfront_state(&v->f, XenbusStateConnected);
	unit_wait(unit_link(v->port));
}

static void
reconnect_with(struct vif *v, bool takes_blank)
{
	rawfront_reset(&v->f);
	rawfront_init_rings(&v->f, 0);
	connect_with(v, takes_blank);
}

/* NETRXF_csum_blank, as far as the guest takes it. */
static void
test_ring_transmit(void **state)
{
	struct vif *v = *state;

	check_transmit(v, true);
	reconnect_with(v, false);
	check_transmit(v, false);
	assert_true(unit_xstat(v->port, "tx_q0_csum_completed") > 0);
}

/* How a packet's data comes to be shared. */
enum sharing {
	SHARED_CLONES,
	SHARED_REFCNT,
	SHARED_READ_ONLY,
	SHARINGS,
};

static void
keep_memory(void *addr, void *opaque)
{
	RTE_SET_USED(addr);
	RTE_SET_USED(opaque);
}

/* A packet in memory that nobody can write: who does dies of it. */
static struct rte_mbuf *
read_only_mbuf(const struct frame *f)
{
	static struct rte_mbuf_ext_shared_info shinfo = { .free_cb = keep_memory };
	struct rte_mbuf *m = rte_pktmbuf_alloc(unit_pool), *like = frame_mbuf(f);
	static uint8_t *page;

	assert_non_null(m);
	if (page == NULL)
		page = mmap(NULL, XEN_PAGE_BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(page, MAP_FAILED);
	assert_int_equal(mprotect(page, XEN_PAGE_BYTES, PROT_READ | PROT_WRITE), 0);
	memcpy(page, f->data, f->len);
	assert_int_equal(mprotect(page, XEN_PAGE_BYTES, PROT_READ), 0);
	rte_mbuf_ext_refcnt_set(&shinfo, 1);
	rte_pktmbuf_attach_extbuf(m, page, RTE_BAD_IOVA, XEN_PAGE_BYTES, &shinfo);
	m->data_len = f->len;
	m->pkt_len = f->len;
	m->tx_offload = like->tx_offload;
	rte_pktmbuf_free(like);
	return m;
}

/* A frame to be sent twice, and held beside; its L4 checksum is blank, its IPv4 header's wrong. */
static struct rte_mbuf *
share(const struct frame *f, enum sharing how, struct rte_mbuf *pkts[2])
{
	struct rte_mbuf *m = how == SHARED_READ_ONLY ? read_only_mbuf(f) : frame_mbuf(f);
	unsigned int i;

	m->ol_flags |= frame_tx_flags(f);
	if (how == SHARED_REFCNT) {
		rte_pktmbuf_refcnt_update(m, 2);
		pkts[0] = pkts[1] = m;
		return m;
	}
	for (i = 0; i < 2; i++) {
		pkts[i] = rte_pktmbuf_clone(m, unit_pool);
		assert_non_null(pkts[i]);
	}
	return m;
}

/* Send one frame to two guests: each has it right, and the one that is held has not changed. */
static void
check_shared(struct vif *guests[2], const bool takes_blank[2], struct frame *f, enum sharing how)
{
	uint8_t before[FRAME_MAX], flat[FRAME_MAX], ip_csum[2];
	struct rte_mbuf *held, *pkts[2], *got;
	uint64_t flags;
	unsigned int i;

	memcpy(before, f->data, f->len);
	memcpy(ip_csum, f->data + f->l3 + 10, 2);
	if (!f->ipv6)
		memset(before + f->l3 + 10, 0, 2);
	memcpy(f->data, before, f->len);
	held = share(f, how, pkts);
	memcpy(f->data + f->l3 + 10, ip_csum, 2);
	flags = held->ol_flags;
	for (i = 0; i < 2; i++) {
		rawfront_rx_post(&guests[i]->f, 0, 0, 1);
		assert_int_equal(rte_eth_tx_burst(guests[i]->port, 0, &pkts[i], 1), 1);
		if (guest_takes(guests[i], f->len, &got) != 0) {
			assert_true(takes_blank[i]);
			assert_int_equal(xen_csum_complete_rx(got), 0);
		}
		frame_check_finished(f, got);
		rte_pktmbuf_free(got);
		assert_int_equal(held->ol_flags, flags);
		assert_memory_equal(rte_pktmbuf_read(held, 0, f->len, flat), before, f->len);
	}
	rte_pktmbuf_free(held);
}

/* A packet that several hold goes out right to each, whoever takes blank checksums. */
static void
test_ring_shared(void **state)
{
	const struct vif_options options = { .domid = 2 };
	struct vif *guests[2] = { *state }, second;
	bool takes_blank[2];
	struct frame f;
	unsigned int i, who, how;

	guests[1] = &second;
	vif_open(&second, &options);
	connect_with(&second, true);
	for (who = 0; who < 4; who++) {
		for (i = 0; i < 2; i++) {
			takes_blank[i] = (who >> i & 1) != 0;
			reconnect_with(guests[i], takes_blank[i]);
		}
		for (i = 0; i < frame_nb_good; i++) {
			f = frame_good[i];
			frame_make(&f);
			for (how = 0; how < SHARINGS; how++)
				check_shared(guests, takes_blank, &f, how);
		}
	}
	vif_close(&second);
}

/*
 * A burst that needs more private copies than there is room for at a time goes out as a whole. A
 * short packet is still one copy operation, a long one of one segment no more than two and one for
 * the page that it may cross.
 */
static void
test_ring_burst(void **state)
{
	struct frame frames[] = { { .payload = 190, .udp = true }, { .payload = 1400 } };
	struct rte_mbuf *pkts[BURST], *got;
	struct vif *v = *state;
	unsigned int i;

	reconnect_with(v, false);
	for (i = 0; i < RTE_DIM(frames); i++)
		frame_make(&frames[i]);
	for (i = 0; i < BURST; i++) {
		pkts[i] = frame_mbuf(&frames[i % 8 == 0]);
		pkts[i]->ol_flags |= frame_tx_flags(&frames[i % 8 == 0]);
	}
	rawfront_rx_post(&v->f, 0, 0, BURST);
	assert_int_equal(rte_eth_tx_burst(v->port, 0, pkts, BURST), BURST);
	for (i = 0; i < BURST; i++) {
		guest_takes(v, frames[i % 8 == 0].len, &got);
		frame_check_finished(&frames[i % 8 == 0], got);
		rte_pktmbuf_free(got);
	}
	assert_int_equal(unit_xstat(v->port, "tx_q0_csum_completed"), BURST);
	assert_int_equal(unit_xstat(v->port, "tx_q0_ring_full"), 0);
	assert_in_range(unit_xstat(v->port, "tx_q0_copy_ops"), BURST + BURST / 8,
			BURST + 2 * BURST / 8);
}

/* What had to wait for buffers is sent by a receive burst, as it would have been at once. */
static void
test_ring_waiting(void **state)
{
	struct rte_mbuf *held[SHARINGS], *pkts[2 * SHARINGS], *got;
	struct frame f = { .payload = 100, .ipv6 = true };
	struct vif *v = *state;
	uint8_t flat[FRAME_MAX];
	unsigned int i;

	reconnect_with(v, false);
	frame_make(&f);
	for (i = 0; i < SHARINGS; i++)
		held[i] = share(&f, i, &pkts[2 * i]);
	assert_int_equal(rte_eth_tx_burst(v->port, 0, pkts, 2 * SHARINGS), 2 * SHARINGS);
	assert_int_equal(unit_xstat(v->port, "tx_q0_csum_completed"), 0);
	rawfront_rx_post(&v->f, 0, 0, 2 * SHARINGS);
	assert_int_equal(rte_eth_rx_burst(v->port, 0, &got, 1), 0);
	assert_int_equal(unit_xstat(v->port, "tx_q0_csum_completed"), 2 * SHARINGS);
	for (i = 0; i < 2 * SHARINGS; i++) {
		assert_int_equal(guest_takes(v, f.len, &got), 0);
		frame_check_finished(&f, got);
		rte_pktmbuf_free(got);
	}
	for (i = 0; i < SHARINGS; i++) {
		assert_int_equal(held[i]->ol_flags & FRAME_TX_FLAGS, frame_tx_flags(&f));
		assert_memory_equal(rte_pktmbuf_read(held[i], 0, f.len, flat), f.data, f.len);
		rte_pktmbuf_free(held[i]);
	}
}

/* Take the packet that the frontend has sent next out of its page; the request's flags. */
static uint16_t
backend_takes(uint32_t len, struct rte_mbuf **copy)
{
	uint32_t slot = rawback.tx_cons++ & XEN_NETIF_RING_MASK;
	const struct netif_tx_request req = rawback.tx->ring[slot].req;
	const struct netif_tx_response rsp = { .id = req.id, .status = NETIF_RSP_OKAY };
	xengnttab_grant_copy_segment_t seg = {
		.source.foreign = { .ref = req.gref, .offset = req.offset, .domid = 0 },
		.len = len,
		.flags = GNTCOPY_source_gref,
	};

	assert_int_equal(rawback.tx->req_prod, rawback.tx_cons);
	assert_int_equal(req.size, len);
	*copy = rte_pktmbuf_alloc(unit_pool);
	assert_non_null(*copy);
	seg.dest.virt = rte_pktmbuf_append(*copy, len);
	assert_int_equal(xengnttab_grant_copy(rawback.gnttab, 1, &seg), 0);
	assert_int_equal(seg.status, GNTST_okay);
	rawback.tx->ring[slot].rsp = rsp;
	__atomic_store_n(&rawback.tx->rsp_prod, rawback.tx_cons, __ATOMIC_RELEASE);
	return req.flags;
}

/* A frontend's packets are shared too. Its backend takes blank checksums of IPv4 alone. */
static void
test_front_shared(void **state __rte_unused)
{
	uint8_t before[FRAME_MAX], flat[FRAME_MAX];
	struct rte_mbuf *held, *pkts[2], *got;
	unsigned int i, j, how;
	struct frame f;

	for (i = 0; i < frame_nb_good; i++) {
		f = frame_good[i];
		frame_make(&f);
		memcpy(before, f.data, f.len);
		for (how = 0; how < SHARINGS; how++) {
			held = share(&f, how, pkts);
			for (j = 0; j < 2; j++) {
				assert_int_equal(rte_eth_tx_burst(rawback.port, 0, &pkts[j], 1), 1);
				if (backend_takes(f.len, &got) != 0)
					assert_int_equal(xen_csum_complete_rx(got), 0);
				frame_check_finished(&f, got);
				rte_pktmbuf_free(got);
				assert_int_equal(held->ol_flags & FRAME_TX_FLAGS,
						frame_tx_flags(&f));
				assert_memory_equal(rte_pktmbuf_read(held, 0, f.len, flat), before,
						f.len);
			}
			rte_pktmbuf_free(held);
		}
	}
}

/* What a backend sends, whole on arrival, or counted apart. */
static void
test_front_receive(void **state __rte_unused)
{
	struct frame fragment = { .ipv6 = true, .ext = "hm", .payload = 100 };
	struct rte_mbuf *m;
	struct frame f;
	unsigned int i;

	for (i = 0; i <= frame_nb_good; i++) {
		f = i < frame_nb_good ? frame_good[i] : fragment;
		frame_make(&f);
		rawback_fill_rx(rawback.rx_prod, 0, f.data, f.len);
		rawback_put_rx(-1, 0, NETRXF_csum_blank | NETRXF_data_validated, f.len);
		rawback_push_rx();
		if (i == frame_nb_good) {
			assert_int_equal(rte_eth_rx_burst(rawback.port, 0, &m, 1), 0);
			break;
		}
		assert_int_equal(rte_eth_rx_burst(rawback.port, 0, &m, 1), 1);
		frame_check_finished(&f, m);
		rte_pktmbuf_free(m);
	}
	assert_int_equal(unit_xstat(rawback.port, "rx_q0_csum_completed"), frame_nb_good);
	assert_int_equal(unit_xstat(rawback.port, "rx_q0_csum_unparsed_errors"), 1);
	assert_int_equal(unit_xstat(rawback.port, "rx_q0_bad_packet_errors"), 0);
}

/* What cannot be sent is not prepared. */
static void
test_prepare_refuses(void **state)
{
	struct frame f = { .payload = 100 };
	struct vif *v = *state;
	struct rte_mbuf *pkts[2];

	frame_make(&f);
	pkts[0] = frame_mbuf(&f);
	pkts[1] = frame_mbuf(&f);
	/* Segments of no length. */
	pkts[1]->ol_flags |= RTE_MBUF_F_TX_TCP_SEG | frame_tx_flags(&f);
	assert_int_equal(rte_eth_tx_prepare(v->port, 0, pkts, 2), 1);
	assert_int_equal(rte_errno, EINVAL);
	pkts[1]->ol_flags = RTE_MBUF_F_TX_SCTP_CKSUM | RTE_MBUF_F_TX_IPV4;
	assert_int_equal(rte_eth_tx_prepare(v->port, 0, pkts, 2), 1);
	assert_int_equal(rte_errno, ENOTSUP);
	/* Neither are headers longer than the packet. */
	f.ipv6 = true;
	f.ext = "h";
	frame_make(&f);
	frame_set16(f.data + f.l3 + 4, 7);
	rte_pktmbuf_free(pkts[1]);
	pkts[1] = frame_mbuf(&f);
	pkts[1]->ol_flags = frame_tx_flags(&f);
	assert_int_equal(rte_eth_tx_prepare(v->port, 0, pkts, 2), 1);
	assert_int_equal(rte_errno, EINVAL);
	rte_pktmbuf_free_bulk(pkts, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		vif_test(test_ring_receive),
		vif_test(test_ring_receive_kinds),
		vif_test(test_ring_receive_only),
		vif_test(test_ring_transmit),
		vif_test(test_ring_shared),
		vif_test(test_ring_burst),
		vif_test(test_ring_waiting),
		vif_test(test_prepare_refuses),
		cmocka_unit_test_setup_teardown(test_front_shared, rawback_setup, rawback_teardown),
		cmocka_unit_test_setup_teardown(test_front_receive, rawback_setup,
				rawback_teardown),
	};

	return cmocka_run_group_tests_name("csum_ring", tests, unit_setup, unit_teardown);
}
