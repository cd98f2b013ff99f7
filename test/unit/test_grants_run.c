/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * Bursts whose packets are in registered pages but for one: those ahead of it are a run, the rest
 * are not, and no packet, response or count tells where the run ended.
 */

#include "frame.h"
#include "grants.h"

#define PKTS 32u

/* Pages beside those of the packets: one that is not registered, and one that is for reading. */
#define PAGE_OTHER PKTS
#define PAGE_READ_ONLY (PKTS + 1)
#define PAGE_BLANK (PKTS + 2)

/* What is so of the one packet's reference. */
static const struct kind {
	const char *name;
	/* The page that it stands for; 0: none. */
	unsigned int page;
	enum rawfront_grant grant;
	/* The packet is copied here; by the hypervisor; or neither is tried. */
	bool is_static;
	bool is_copied;
} kinds[] = {
	{ "not registered", PAGE_OTHER, RAWFRONT_GRANT_PAGE, false, true },
	{ "beyond the table", 0, RAWFRONT_GRANT_NONE_FAR, false, true },
	{ "the last there is", 0, RAWFRONT_GRANT_NONE_LAST, false, true },
	{ "ended", 0, RAWFRONT_GRANT_ENDED, false, true },
	{ "another's", 0, RAWFRONT_GRANT_FOREIGN, false, true },
	{ "for reading", PAGE_READ_ONLY, RAWFRONT_GRANT_PAGE, true, false },
};

static const unsigned int places[] = { 0, 1, 15, 31 };

/* A case: the packet at this place has a reference of this kind. */
struct run_case {
	struct vif *v;
	const struct kind *kind;
	unsigned int k;
};

/* What both ends count. */
struct counts {
	uint64_t packets;
	uint64_t bytes;
	uint64_t errors;
	uint64_t slots;
	uint64_t static_copies;
	uint64_t copy_ops;
	uint64_t copy_errors;
	uint64_t unparsed;
	uint64_t copy_calls;
};

static struct counts
count(const struct vif *v, bool rx)
{
	const char *dir = rx ? "rx" : "tx";
	struct rte_eth_stats stats;
	struct xensim_counters c;

	assert_int_equal(rte_eth_stats_get(v->port, &stats), 0);
	assert_int_equal(xensim_counters_get(0, &c), 0);
	return (struct counts){
		.packets = rx ? stats.ipackets : stats.opackets,
		.bytes = rx ? stats.ibytes : stats.obytes,
		.errors = rx ? stats.ierrors : stats.oerrors,
		.slots = unit_queue_xstat(v->port, dir, 0, "slots"),
		.static_copies = unit_queue_xstat(v->port, dir, 0, "static_copies"),
		.copy_ops = unit_queue_xstat(v->port, dir, 0, "copy_ops"),
		.copy_errors = unit_queue_xstat(v->port, dir, 0, "copy_errors"),
		.unparsed = rx ? unit_queue_xstat(v->port, dir, 0, "csum_unparsed_errors") : 0,
		.copy_calls = c.copy_calls,
	};
}

static void
expect_counts(const struct vif *v, bool rx, const struct counts *old, const struct counts *more)
{
	const struct counts now = count(v, rx);

	assert_int_equal(now.packets - old->packets, more->packets);
	assert_int_equal(now.bytes - old->bytes, more->bytes);
	assert_int_equal(now.errors - old->errors, more->errors);
	assert_int_equal(now.slots - old->slots, PKTS);
	assert_int_equal(now.static_copies - old->static_copies, more->static_copies);
	assert_int_equal(now.copy_ops - old->copy_ops, more->copy_ops);
	assert_int_equal(now.copy_errors - old->copy_errors, more->copy_errors);
	assert_int_equal(now.unparsed - old->unparsed, more->unparsed);
	assert_int_equal(now.copy_calls - old->copy_calls, more->copy_calls);
}

/* Lengths all differ; an mbuf has room for each of them on one page or the next. */
static uint16_t
len_of(unsigned int i)
{
	return 60 + 30 * i;
}

static uint32_t
gref_of(const struct run_case *c, unsigned int i)
{
	if (i != c->k)
		return c->v->f.gref[i];
	return c->kind->page != 0 ? c->v->f.gref[c->kind->page] : c->v->f.grants[c->kind->grant];
}

/* Operations of the hypervisor for a local buffer: one more where it crosses a page's end. */
static unsigned int
ops_of(const void *data, uint16_t len)
{
	return 1 +
			((uintptr_t)data / XEN_PAGE_BYTES !=
					((uintptr_t)data + len - 1) / XEN_PAGE_BYTES);
}

/* What the guest asks for with a packet ahead of the one that ends the run. */
enum wish {
	WISH_NONE,
	WISH_VALIDATED,
	WISH_BLANK,
	/* A blank checksum of something that is neither TCP nor UDP: the packet is lost. */
	WISH_BLANK_NONE,
};

static const uint16_t wish_flags[] = {
	[WISH_NONE] = 0,
	[WISH_VALIDATED] = NETTXF_data_validated,
	[WISH_BLANK] = NETTXF_csum_blank | NETTXF_data_validated,
	[WISH_BLANK_NONE] = NETTXF_csum_blank | NETTXF_data_validated,
};

static enum wish
wish_of(const struct run_case *c, unsigned int i)
{
	if (i >= c->k)
		return WISH_NONE;
	return i == c->k / 2 ? WISH_BLANK_NONE : (enum wish)(i % WISH_BLANK_NONE);
}

/* The packet as a TCP frame with a blank checksum. */
static void
make_frame(struct frame *f, unsigned int i)
{
	*f = (struct frame){ .payload = 30 * i };
	frame_make(f);
}

/* Where its data is in its page; even, as the wish is written there in words. */
static uint16_t
offset_of(unsigned int i)
{
	return 4 * i;
}

/* The guest puts a packet of the case into its page and its slot. */
static void
put_request(const struct run_case *c, unsigned int i)
{
	const unsigned int page = i == c->k && c->kind->page != 0 ? c->kind->page : i;
	struct netif_tx_request req = {
		.gref = gref_of(c, i),
		.offset = offset_of(i),
		.flags = wish_flags[wish_of(c, i)],
		.id = 1000 + i,
		.size = len_of(i),
	};
	uint8_t *data = rawfront_page(&c->v->f, page);
	struct frame f;
	unsigned int j;

	for (j = 0; j < XEN_PAGE_BYTES; j++)
		data[j] = unit_byte(vif_seed(page), j);
	if (wish_of(c, i) == WISH_BLANK_NONE)
		frame_set16(data + req.offset + 12, 0x88B5);
	if (wish_of(c, i) == WISH_BLANK) {
		make_frame(&f, i);
		memcpy(data + req.offset, f.data, f.len);
		req.size = f.len;
	}
	rawfront_tx_put(&c->v->f, 0, &req);
}

static void
check_received(const struct run_case *c, unsigned int i, struct rte_mbuf *m)
{
	const unsigned int page = i == c->k && c->kind->page != 0 ? c->kind->page : i;
	struct frame f;

	if (wish_of(c, i) == WISH_BLANK) {
		make_frame(&f, i);
		frame_check_finished(&f, m);
	} else {
		unit_check_packet(m, len_of(i), vif_seed(page) + offset_of(i));
	}
	assert_int_equal(m->ol_flags, wish_of(c, i) == WISH_NONE ? 0 : RTE_MBUF_F_RX_L4_CKSUM_GOOD);
	assert_int_equal(m->vlan_tci, 0);
	assert_int_equal(m->port, c->v->port);
}

static void
run_from_guest(const struct run_case *c)
{
	const bool lost = c->kind->page == 0;
	const struct counts old = count(c->v, true);
	struct rte_mbuf *pkts[PKTS + 1];
	struct counts more = { .packets = 0 };
	unsigned int i, n = 0;
	bool fails;

	for (i = 0; i < PKTS; i++)
		put_request(c, i);
	more.packets = vif_burst(c->v, pkts, PKTS + 1);
	for (i = 0; i < PKTS; i++) {
		fails = (lost && i == c->k) || wish_of(c, i) == WISH_BLANK_NONE;
		vif_expect_rsp(c->v, 1000 + i, fails ? NETIF_RSP_ERROR : NETIF_RSP_OKAY);
		more.errors += fails;
		if (fails)
			continue;
		assert_true(n < more.packets);
		check_received(c, i, pkts[n]);
		more.bytes += pkts[n]->pkt_len;
		if (i == c->k && c->kind->is_copied)
			assert_int_equal(ops_of(rte_pktmbuf_mtod(pkts[n], void *), len_of(i)), 1);
		n++;
	}
	vif_expect_no_rsp(c->v);
	assert_int_equal(n, more.packets);
	assert_int_equal(n, PKTS - lost - (c->k != 0));
	rte_pktmbuf_free_bulk(pkts, n);
	more.unparsed = c->k != 0;
	more.copy_errors = lost;
	more.static_copies = PKTS - !c->kind->is_static;
	more.copy_ops = !c->kind->is_static;
	more.copy_calls = !c->kind->is_static;
	expect_counts(c->v, true, &old, &more);
	unit_check_pool();
}

/* The page of a buffer has the packet and nothing else, or nothing. */
static void
check_buffer(const struct run_case *c, unsigned int page, uint16_t len, unsigned int i)
{
	const uint8_t *data = rawfront_page(&c->v->f, page);
	const uint8_t blank = rawfront_page(&c->v->f, PAGE_BLANK)[0];
	unsigned int j;

	for (j = 0; j < XEN_PAGE_BYTES; j++) {
		if (data[j] != (j < len ? unit_byte(5000 * i, j) : blank))
			fail_msg("page %u: byte %u of %u differs", page, j, len);
	}
}

static void
run_to_guest(const struct run_case *c)
{
	const bool lost = c->kind->page != PAGE_OTHER;
	const struct counts old = count(c->v, false);
	struct rte_mbuf *pkts[PKTS];
	struct counts more = { .packets = PKTS - lost };
	struct netif_rx_response rsp;
	unsigned int i;

	vif_blank_pages(c->v);
	for (i = 0; i < PKTS; i++) {
		rawfront_rx_put(&c->v->f, 0, 2000 + i, gref_of(c, i));
		pkts[i] = unit_packet(len_of(i), UNIT_ROOM, 5000 * i);
		if (i != c->k || !lost)
			more.bytes += len_of(i);
	}
	rawfront_rx_push(&c->v->f, 0);
	if (c->kind->is_copied)
		more.copy_ops = ops_of(rte_pktmbuf_mtod(pkts[c->k], void *), len_of(c->k));
	assert_int_equal(rte_eth_tx_burst(c->v->port, 0, pkts, PKTS), PKTS);
	for (i = 0; i < PKTS; i++) {
		assert_true(rawfront_rx_rsp(&c->v->f, 0, &rsp));
		assert_int_equal(rsp.id, 2000 + i);
		assert_int_equal(rsp.offset, 0);
		assert_int_equal(rsp.flags, 0);
		assert_int_equal(rsp.status, lost && i == c->k ? NETIF_RSP_ERROR : (int)len_of(i));
		check_buffer(c, i, i == c->k ? 0 : len_of(i), i);
	}
	check_buffer(c, PAGE_OTHER, lost ? 0 : len_of(c->k), c->k);
	check_buffer(c, PAGE_READ_ONLY, 0, 0);
	vif_expect_no_packet(c->v, 0);
	more.errors = lost;
	more.copy_errors = lost;
	more.static_copies = PKTS - 1;
	more.copy_calls = c->kind->is_copied;
	expect_counts(c->v, false, &old, &more);
	unit_check_pool();
}

static void
run_cases(void (*run)(const struct run_case *c))
{
	const struct vif_options options = { .ctrl = true };
	struct run_case c;
	struct vif v;
	unsigned int i;

	unit_log_clear();
	vif_open(&v, &options);
	vif_connect(&v);
	grants_list(&v, 0, PKTS, 0);
	assert_int_equal(grants_add(&v, 0, PKTS), OKAY);
	grants_list(&v, PAGE_READ_ONLY, 1, READ_ONLY);
	assert_int_equal(grants_add(&v, 0, 1), OKAY);
	c.v = &v;
	for (c.kind = kinds; c.kind < kinds + RTE_DIM(kinds); c.kind++) {
		for (i = 0; i < RTE_DIM(places); i++) {
			c.k = places[i];
			run(&c);
		}
	}
	vif_close(&v);
	assert_int_equal(unit_maps(), 0);
	unit_check_pool();
}

static void
test_from_guest(void **state __rte_unused)
{
	run_cases(run_from_guest);
}

static void
test_to_guest(void **state __rte_unused)
{
	run_cases(run_to_guest);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_guest),
		cmocka_unit_test(test_to_guest),
	};

	return cmocka_run_group_tests_name("grants_run", tests, unit_setup, unit_teardown);
}
