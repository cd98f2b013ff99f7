/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * What a backend that is killed amid a burst leaves in the rings, and what the next one does about
 * it: the ring is put back to what it was during the burst's copies, or right before its responses
 * were published.
 */

#include "frame.h"
#include "vif.h"

#define PKTS 32u
#define BUFFERS 200u
#define NOTE "a backend was killed amid a burst"

/* When it is killed. */
enum moment {
	IN_COPY,
	BEFORE_PUBLISHED,
};

/* The packets of a burst. */
enum shape {
	SINGLE,
	CHAINS,
	GSO,
};

static const struct dying {
	const char *name;
	enum shape shape;
	enum moment moment;
	/* Slots that hold responses by then: of packets of one slot, or of all. */
	unsigned int spoilt;
} cases[] = {
	{ "single, in the copy", SINGLE, IN_COPY, PKTS },
	{ "single, before they are published", SINGLE, BEFORE_PUBLISHED, PKTS },
	{ "chains, in the copy", CHAINS, IN_COPY, 0 },
	{ "chains, before they are published", CHAINS, BEFORE_PUBLISHED, 3 * PKTS },
	{ "gso, in the copy", GSO, IN_COPY, 0 },
	{ "gso, before they are published", GSO, BEFORE_PUBLISHED, 2 * PKTS },
};

/* A ring that is to be kept as it is when copies are made the next time, and as it was then. */
static const void *watched;
static uint8_t kept[XEN_PAGE_BYTES];

int
__real_xengnttab_grant_copy(xengnttab_handle *xgt, uint32_t count,
		xengnttab_grant_copy_segment_t *segs);
int
__wrap_xengnttab_grant_copy(xengnttab_handle *xgt, uint32_t count,
		xengnttab_grant_copy_segment_t *segs);

int
__wrap_xengnttab_grant_copy(xengnttab_handle *xgt, uint32_t count,
		xengnttab_grant_copy_segment_t *segs)
{
	if (watched != NULL)
		memcpy(kept, watched, sizeof(kept));
	watched = NULL;
	return __real_xengnttab_grant_copy(xgt, count, segs);
}

/* The backend dies, its ring as it was at the moment; the next one takes its place. */
static void
die(struct vif *v, const struct dying *c, void *ring, uint32_t *rsp_prod, uint32_t old)
{
	vif_remove_port(v);
	if (c->moment == IN_COPY)
		memcpy(ring, kept, sizeof(kept));
	else
		*rsp_prod = old;
	unit_log_clear();
	vif_add_port(v, &(struct vif_options){ .offloads = RTE_ETH_RX_OFFLOAD_SCATTER });
	unit_wait(unit_link(v->port));
	assert_int_equal(rawfront_back_state(&v->f), XenbusStateConnected);
}

/* Packets of 1, 3 or 2 slots; those with GSO are none that can be cut, and are answered so. */
static void
put_requests(struct vif *v, enum shape shape)
{
	unsigned int i;

	for (i = 0; i < PKTS; i++) {
		if (shape == SINGLE) {
			vif_put(v, i, 0, 60, 0, i);
		} else if (shape == CHAINS) {
			vif_put(v, i, 0, 6000, NETTXF_more_data, 3 * i);
			vif_put(v, i, 0, 2000, NETTXF_more_data, 3 * i + 1);
			vif_put(v, i, 0, 2000, 0, 3 * i + 2);
		} else {
			vif_put(v, i, 0, 1000, NETTXF_extra_info, i);
			vif_put_gso(v, XEN_NETIF_GSO_TYPE_TCPV4, 500);
		}
	}
	rawfront_tx_push(&v->f, 0);
}

/* Take all that the guest has published. */
static void
take_requests(struct vif *v)
{
	struct rte_mbuf *pkts[PKTS];
	uint16_t n;

	while (v->f.q[0].tx->rsp_prod != v->f.q[0].tx_prod) {
		n = rte_eth_rx_burst(v->port, 0, pkts, PKTS);
		rte_pktmbuf_free_bulk(pkts, n);
	}
}

static void
test_requests(void **state)
{
	struct vif *v = *state;
	const struct dying *c;
	uint32_t old;

	for (c = cases; c < cases + RTE_DIM(cases); c++) {
		print_message("%s\n", c->name);
		old = v->f.q[0].tx->rsp_prod;
		put_requests(v, c->shape);
		watched = v->f.q[0].tx;
		take_requests(v);
		die(v, c, v->f.q[0].tx, &v->f.q[0].tx->rsp_prod, old);
		rawfront_tx_expect(&v->f, 0, c->spoilt, NETIF_RSP_ERROR);
		vif_expect_no_rsp(v);
		assert_int_equal(unit_log_has(NOTE), c->spoilt != 0);
		/* Those that are as the guest wrote them are taken again. */
		take_requests(v);
		v->f.q[0].tx_cons = v->f.q[0].tx_prod;
		vif_send_good(v);
	}
}

/* A packet for the guest, of 1, 3 or 2 slots. */
static struct rte_mbuf *
packet(enum shape shape)
{
	static struct frame tcp = { .payload = 1000 };
	struct rte_mbuf *m;

	if (shape != GSO)
		return unit_packet(shape == SINGLE ? 60 : 9000, UNIT_ROOM, 0);
	frame_make(&tcp);
	m = frame_mbuf(&tcp);
	m->tso_segsz = 500;
	m->ol_flags = RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
	return m;
}

/* The guest gets n buffers back. Where extra info was written, there is no id any more. */
static void
expect_buffers(struct vif *v, unsigned int n, bool ids)
{
	struct netif_rx_response rsp;
	unsigned int i;

	for (i = 0; i < n; i++) {
		assert_true(rawfront_rx_rsp(&v->f, 0, &rsp));
		assert_int_equal(rsp.status, NETIF_RSP_ERROR);
		assert_int_equal(rsp.flags, 0);
		assert_int_equal(rsp.offset, 0);
		if (ids || i % 2 == 0)
			assert_int_equal(rsp.id, i);
	}
	vif_expect_no_packet(v, 0);
}

/* The guest begins with an empty ring. */
static void
begin(struct vif *v)
{
	rawfront_reset(&v->f);
	rawfront_init_rings(&v->f, 0xFFFFFFC0);
	vif_connect(v);
	vif_blank_pages(v);
}

static void
test_buffers(void **state)
{
	struct rte_mbuf *pkts[PKTS], *m;
	struct vif *v = *state;
	const struct dying *c;
	unsigned int i;
	uint32_t old;

	for (c = cases; c < cases + RTE_DIM(cases); c++) {
		print_message("%s\n", c->name);
		begin(v);
		rawfront_rx_post(&v->f, 0, 0, BUFFERS);
		old = v->f.q[0].rx->rsp_prod;
		for (i = 0; i < PKTS; i++)
			pkts[i] = packet(c->shape);
		watched = v->f.q[0].rx;
		assert_int_equal(rte_eth_tx_burst(v->port, 0, pkts, PKTS), PKTS);
		die(v, c, v->f.q[0].rx, &v->f.q[0].rx->rsp_prod, old);
		expect_buffers(v, c->spoilt, c->shape != GSO);
		assert_int_equal(unit_log_has(NOTE), c->spoilt != 0);
		vif_blank_pages(v);
		m = unit_packet(60, UNIT_ROOM, 7);
		assert_int_equal(rte_eth_tx_burst(v->port, 0, &m, 1), 1);
		vif_expect_packet(v, 0, c->spoilt, 60, 7, 0);
		assert_int_equal(vif_tx_stat(v, 0, "copy_errors"), 0);
	}
}

/* However many a guest has posted that are none, each is handed back, and not one more. */
static void
test_no_buffers(void **state)
{
	static const unsigned int counts[] = { 0, 1, 15, 16, 17, 255, 256 };
	struct vif *v = *state;
	unsigned int i, j, n;
	struct rte_mbuf *m;

	for (i = 0; i < RTE_DIM(counts); i++) {
		n = counts[i];
		begin(v);
		for (j = 0; j < XEN_NETIF_RING_SIZE; j++)
			rawfront_rx_put(&v->f, 0, j,
					j < n ? v->f.grants[RAWFRONT_GRANT_NONE + j % 5] :
						v->f.gref[j]);
		rawfront_rx_push(&v->f, 0);
		vif_remove_port(v);
		vif_add_port(v, &(struct vif_options){ .app_queues = 1 });
		unit_wait(unit_link(v->port));
		expect_buffers(v, n, true);
		if (n == XEN_NETIF_RING_SIZE)
			continue;
		m = unit_packet(60, UNIT_ROOM, i);
		assert_int_equal(rte_eth_tx_burst(v->port, 0, &m, 1), 1);
		vif_expect_packet(v, 0, n, 60, i, 0);
	}
}

/* The backend may die before it has said in xenstore that it is connected. */
static void
test_not_said(void **state)
{
	struct vif *v = *state;

	rawfront_reset(&v->f);
	rawfront_init_rings(&v->f, 0);
	rawfront_rx_put(&v->f, 0, 0, v->f.grants[RAWFRONT_GRANT_NONE]);
	rawfront_rx_post(&v->f, 0, 1, 3);
	unit_log_clear();
	vif_connect(v);
	expect_buffers(v, 1, true);
	assert_true(unit_log_has(NOTE));
}

/* Extra info that is followed by another; and a backend that dies while it recovers. */
static void
test_extras(void **state)
{
	struct rte_mbuf *pkts[4];
	struct vif *v = *state;
	uint32_t old = v->f.q[0].tx->rsp_prod, last;
	unsigned int i;

	vif_put(v, 0, 0, 1000, NETTXF_extra_info | NETTXF_more_data, 10);
	vif_put_extra(v, XEN_NETIF_EXTRA_TYPE_HASH, true);
	vif_put_gso(v, XEN_NETIF_GSO_TYPE_TCPV4, 500);
	vif_put(v, 1, 0, 500, 0, 11);
	last = v->f.q[0].tx_prod & XEN_NETIF_RING_MASK;
	vif_put(v, 2, 0, 60, 0, 13);
	rawfront_tx_push(&v->f, 0);
	assert_int_equal(rte_eth_rx_burst(v->port, 0, pkts, 4), 1);
	rte_pktmbuf_free(pkts[0]);
	assert_int_equal(v->f.q[0].tx->rsp_prod, v->f.q[0].tx_prod);
	/* None is published, and the last is not yet answered either. */
	v->f.q[0].tx->ring[last].req = v->f.q[0].sent[last].req;
	for (i = 0; i < 2; i++) {
		v->f.q[0].tx->rsp_prod = old;
		vif_remove_port(v);
		vif_add_port(v, &(struct vif_options){ .app_queues = 1 });
		unit_wait(unit_link(v->port));
		assert_int_equal(v->f.q[0].tx->rsp_prod, old + 4);
	}
	rawfront_tx_expect(&v->f, 0, 4, NETIF_RSP_ERROR);
	vif_expect_no_rsp(v);
	assert_int_equal(rte_eth_rx_burst(v->port, 0, pkts, 4), 1);
	unit_check_packet(pkts[0], 60, vif_seed(2));
	rte_pktmbuf_free(pkts[0]);
	vif_expect_rsp(v, 13, NETIF_RSP_OKAY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		vif_test_scatter(test_requests),
		vif_test_scatter(test_buffers),
		vif_test(test_no_buffers),
		vif_test(test_not_said),
		vif_test(test_extras),
	};

	return cmocka_run_group_tests_name("recover", tests, unit_setup, unit_teardown);
}
