/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * Packets of every kind in one burst of a granted mempool: whatever was handed over, copied, lost
 * or left, each slot has an mbuf and the page of that, and nobody else has it.
 */

#include <stdlib.h>

#include "frame.h"
#include "granted.h"
#include "rawback.h"
#include "unit.h"
#include "xen_netif.h"
#include "xenfront_rxtx.h"

#define PKTS 32
#define ROUNDS 60u
#define BLANK_FLAGS (NETRXF_csum_blank | NETRXF_data_validated)

static struct xen_netif *
netif(void)
{
	return rte_eth_devices[rawback.port].data->dev_private;
}

/* Packets that a burst is to have, in their order. */
static struct {
	unsigned int nb;
	struct {
		uint32_t len;
		uint32_t seed;
		uint16_t nb_segs;
		bool frame;
	} pkts[PKTS];
	/* Slots that they take up, and those of them whose mbufs are handed over. */
	unsigned int slots;
	unsigned int swapped;
	/* Packets that are lost on the way. */
	unsigned int lost;
} due;

static struct frame frame = { .payload = 700 };

static void
put(const uint16_t *lens, const uint16_t *offsets, unsigned int n, bool copied)
{
	static uint32_t seed;
	unsigned int i;

	granted_put(lens, offsets, n, ++seed);
	due.pkts[due.nb].len = 0;
	for (i = 0; i < n; i++)
		due.pkts[due.nb].len += lens[i];
	due.pkts[due.nb].seed = seed;
	due.pkts[due.nb].nb_segs = copied ? 1 : n;
	due.pkts[due.nb++].frame = false;
	due.slots += n;
	due.swapped += copied ? 0 : n;
}

static void
put_simple(unsigned int n)
{
	uint16_t len, offset;

	while (n-- != 0) {
		len = 60 + rand() % 1500;
		offset = rand() % 500 * 2;
		put(&len, &offset, 1, false);
	}
}

static void
put_blank(void)
{
	rawback_fill_rx(rawback.rx_prod, 64, frame.data, frame.len);
	rawback_put_rx(-1, 64, BLANK_FLAGS, frame.len);
	due.pkts[due.nb].nb_segs = 1;
	due.pkts[due.nb++].frame = true;
	due.slots++;
	due.swapped++;
}

/* A blank checksum of what has none. The mbuf that it came in is the next packet's. */
static void
put_lost(void)
{
	static const uint8_t data[100];

	rawback_fill_rx(rawback.rx_prod, 0, data, sizeof(data));
	rawback_put_rx(-1, 0, BLANK_FLAGS, sizeof(data));
	due.slots++;
	due.swapped++;
	due.lost++;
}

static void
put_all(bool with_lost)
{
	static const uint16_t lens[] = { 1000, 4096, 200 }, offsets[] = { 128, 0, 3001 };
	static const uint16_t few[] = { 100, 1000 }, odd = 1, len = 500, nowhere[] = { 0, 0 };

	memset(&due, 0, sizeof(due));
	put_simple(3);
	put_blank();
	put_simple(3);
	put(lens, offsets, 3, false);
	if (with_lost)
		put_lost();
	put_simple(1);
	put(&len, &odd, 1, true);
	if (with_lost) {
		put_lost();
		put_lost();
		put(few, nowhere, 2, true);
		put_lost();
	}
	put_simple(1);
}

static void
check_packets(struct rte_mbuf *const *pkts, unsigned int n)
{
	unsigned int i;

	assert_int_equal(n, due.nb);
	for (i = 0; i < n; i++) {
		if (due.pkts[i].frame)
			frame_check_finished(&frame, pkts[i]);
		else
			unit_check_packet(pkts[i], due.pkts[i].len, due.pkts[i].seed);
		assert_int_equal(pkts[i]->nb_segs, due.pkts[i].nb_segs);
		assert_int_equal(pkts[i]->port, rawback.port);
		assert_int_equal(pkts[i]->vlan_tci, 0);
		assert_int_equal(pkts[i]->tx_offload, 0);
		assert_int_equal(pkts[i]->ol_flags,
				RTE_MBUF_F_EXTERNAL |
						(due.pkts[i].frame ? RTE_MBUF_F_RX_L4_CKSUM_GOOD :
								     0));
	}
}

static int
compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/*
 * What the ring's mbufs are, what is kept of them and what is posted, is the same; and no page of
 * theirs is another's, or that of an mbuf of the application.
 *
 * broken: the slots from first on were taken of a ring that broke then: of these some are posted.
 */
static void
check_slots(struct rte_mbuf *const *pkts, unsigned int n, bool broken, uint32_t first)
{
	const struct xenfront_rx_pages *rx = netif()->rings.rx[0].priv;
	uint32_t grefs[XEN_NETIF_RING_SIZE + 2 * PKTS], nb = 0, s;
	const union netif_rx_sring_entry *entry;
	const struct rte_mbuf *m;
	unsigned int i;

	for (s = 0; s < XEN_NETIF_RING_SIZE; s++) {
		grefs[nb] = xenfront_buf_own(rx->mbufs[s])->gref;
		assert_ptr_equal(xenfront_buf_own(rx->mbufs[s])->mbuf, rx->mbufs[s]);
		assert_int_equal(rx->reqs[s].gref, grefs[nb++]);
		assert_int_equal(rx->reqs[s].id, s);
		entry = &rawback.rx->ring[s];
		if (broken && ((s - first) & XEN_NETIF_RING_MASK) < due.slots + 1)
			continue;
		assert_memory_equal(&entry->req, &rx->reqs[s], sizeof(entry->req));
	}
	for (i = 0; i < n; i++) {
		for (m = pkts[i]; m != NULL; m = m->next) {
			assert_in_range(nb, 0, RTE_DIM(grefs) - 1);
			assert_non_null(xenfront_buf_of(m));
			grefs[nb++] = xenfront_buf_of(m)->gref;
		}
	}
	qsort(grefs, nb, sizeof(grefs[0]), compare);
	for (i = 1; i < nb; i++)
		assert_int_not_equal(grefs[i - 1], grefs[i]);
}

static uint16_t
burst(struct rte_mbuf **pkts)
{
	rawback_push_rx();
	return rte_eth_rx_burst(rawback.port, 0, pkts, PKTS);
}

static void
run_mixed(bool with_lost)
{
	uint64_t swapped = 0, lost = 0;
	struct rte_mbuf *pkts[PKTS];
	unsigned int round, n;

	for (round = 0; round < ROUNDS; round++) {
		put_all(with_lost);
		n = burst(pkts);
		check_packets(pkts, n);
		check_slots(pkts, n, false, 0);
		swapped += due.swapped;
		lost += due.lost;
		assert_int_equal(unit_xstat(rawback.port, "rx_q0_by_reference"), swapped);
		assert_int_equal(unit_xstat(rawback.port, "rx_q0_csum_unparsed_errors"), lost);
		assert_int_equal(rawback.rx->req_prod - rawback.rx_prod, XEN_NETIF_RING_SIZE);
		rte_pktmbuf_free_bulk(pkts, n);
		granted_expect(0);
	}
}

static void
test_mixed(void **state __rte_unused)
{
	run_mixed(false);
}

static void
test_mixed_lost(void **state __rte_unused)
{
	run_mixed(true);
}

/* The same, and behind it what breaks the protocol: what came before is handed over. */
static void
test_breach(void **state __rte_unused)
{
	static const struct {
		int id;
		uint16_t offset;
		uint16_t flags;
		int16_t status;
		const char *why;
	} cases[] = {
		{ 1, 0, 0, 60, "response with the id of another slot" },
		{ -1, 4000, 0, 98, "response past the end of its page" },
		{ -1, 0, NETRXF_more_data, 400, "packet past the end of the responses" },
		{ -1, 0, NETRXF_extra_info, 400, "extra info past the end of the responses" },
	};
	struct rte_mbuf *pkts[PKTS];
	unsigned int i, n;
	uint32_t first;

	for (i = 0; i < 2 * RTE_DIM(cases); i++) {
		const unsigned int c = i / 2;

		first = rawback.rx_prod;
		put_all(i % 2 != 0);
		rawback_put_rx(cases[c].id, cases[c].offset, cases[c].flags, cases[c].status);
		/* The control thread takes nothing of the ring's meanwhile. */
		pthread_mutex_lock(&netif()->lock);
		n = burst(pkts);
		check_packets(pkts, n);
		check_slots(pkts, n, true, first);
		assert_int_equal(rawback.rx->req_prod, first + XEN_NETIF_RING_SIZE);
		assert_int_equal(rte_eth_rx_burst(rawback.port, 0, pkts + n, PKTS - n), 0);
		pthread_mutex_unlock(&netif()->lock);
		rte_pktmbuf_free_bulk(pkts, n);
		granted_expect_broken(cases[c].why);
	}
	put_all(true);
	n = burst(pkts);
	check_packets(pkts, n);
	check_slots(pkts, n, false, 0);
	rte_pktmbuf_free_bulk(pkts, n);
}

static int
start(void **state)
{
	srand(5);
	frame_make(&frame);
	return unit_setup(state);
}

#define fixture(fn) cmocka_unit_test_setup_teardown(fn, granted_setup, rawback_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		fixture(test_mixed),
		fixture(test_mixed_lost),
		fixture(test_breach),
	};

	return cmocka_run_group_tests_name("front_swap", tests, start, unit_teardown);
}
