/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/* What guests that flood, that send large packets or that do not read leave to the others. */

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "bed.h"
#include "packet.h"

#define PORTS RTE_MAX_ETHPORTS
/* The default number of mbufs. */
#define MANY_MBUFS 32768u
#define DESCRIPTORS 1024

/* A guest: what it sends, and what becomes of what it is sent. */
static struct guest {
	/* Bytes of its packets, of which it always has more; 0: it sends none. */
	uint32_t length;
	uint16_t to;
	uint64_t packets;
	uint64_t bytes;
	/* It does not read: this waits, as long as it has descriptors. */
	bool idle;
	struct rte_mbuf *waiting[DESCRIPTORS];
	unsigned int nb_waiting;
	uint64_t read;
} guests[PORTS];

/* One packet of a guest that sends now and then, and how many of others went before it. */
static struct {
	uint16_t from;
	/* It has come, and the lcore has it. */
	bool there;
	bool taken;
	/* Packets of all flooders when it came, and at most from then on until it was sent. */
	uint64_t before;
	uint64_t most;
	unsigned int count;
} quiet;

static uint64_t flooded;
static uint64_t polls_left;

static struct rte_mbuf *
make(uint16_t from, uint32_t length)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(bed_worker.pool);
	struct packet p;

	if (m == NULL)
		return NULL;
	put_any(&p, MAC(guests[from].to), MAC(from), 60);
	memcpy(rte_pktmbuf_append(m, p.len), p.data, p.len);
	/* Nobody looks at the rest of it. */
	m->pkt_len = length;
	return m;
}

/* The quiet guest's next packet comes at any moment. */
static void
quiet_comes(void)
{
	if (quiet.from == PORTS || quiet.there || bed_random() % 16 != 0)
		return;
	quiet.there = true;
	quiet.before = flooded;
}

static uint16_t
guest_rx(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	uintptr_t port = (uintptr_t)queue;
	struct guest *g = &guests[port];
	uint16_t i;

	if (--polls_left == 0)
		__atomic_store_n(&bed_worker.stop, true, __ATOMIC_RELAXED);
	if (port == quiet.from && quiet.there && !quiet.taken && n > 0) {
		pkts[0] = make(port, 98);
		assert_non_null(pkts[0]);
		g->bytes += 98;
		quiet.taken = true;
		return 1;
	}
	if (g->length == 0)
		return 0;
	for (i = 0; i < n; i++) {
		quiet_comes();
		pkts[i] = make(port, g->length);
		if (pkts[i] == NULL)
			break;
		g->bytes += g->length;
		flooded++;
	}
	g->packets += i;
	return i;
}

static uint16_t
guest_tx(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	uintptr_t port = (uintptr_t)queue;
	struct guest *g = &guests[port];
	uint16_t i;

	if (!g->idle) {
		g->read += n;
		if (quiet.from != PORTS && port == guests[quiet.from].to) {
			quiet.most = RTE_MAX(quiet.most, flooded - quiet.before);
			quiet.count += n;
			quiet.there = quiet.taken = false;
		}
		rte_pktmbuf_free_bulk(pkts, n);
		return n;
	}
	for (i = 0; i < n && g->nb_waiting < DESCRIPTORS; i++)
		g->waiting[g->nb_waiting++] = pkts[i];
	return i;
}

static int
guest_tx_status(void *queue, uint16_t offset)
{
	return offset < DESCRIPTORS - guests[(uintptr_t)queue].nb_waiting ? RTE_ETH_TX_DESC_DONE :
									    RTE_ETH_TX_DESC_FULL;
}

static struct rte_mempool *many;

static int
setup(void **state)
{
	static void *queues[PORTS], *callbacks[PORTS];
	struct rte_eth_fp_ops *ops;
	struct dp_port *p;
	uintptr_t i;

	if (bed_begin(state) != 0)
		return -1;
	many = rte_pktmbuf_pool_create("many", MANY_MBUFS, 0, 0, RTE_PKTMBUF_HEADROOM + 64,
			SOCKET_ID_ANY);
	assert_non_null(many);
	bed_worker.pool = many;
	memset(guests, 0, sizeof(guests));
	memset(&quiet, 0, sizeof(quiet));
	quiet.from = PORTS;
	flooded = 0;
	for (i = 0; i < PORTS; i++) {
		queues[i] = (void *)i;
		p = bed_guest(i, 0, MAC(i), GUARD_MAC, 0);
		p->plain = true;
		p->nb_txd = DESCRIPTORS;
		bed_dp.rxqs[i] = (struct dp_rxq){ .port = i, .sharing = 1 };
		ops = &rte_eth_fp_ops[i];
		ops->rx_pkt_burst = guest_rx;
		ops->tx_pkt_burst = guest_tx;
		ops->tx_descriptor_status = guest_tx_status;
		ops->rxq.data = ops->txq.data = &queues[i];
		ops->rxq.clbk = ops->txq.clbk = &callbacks[i];
	}
	bed_dp.first_rxq[1] = PORTS;
	return 0;
}

static int
teardown(void **state)
{
	bool lost;
	unsigned int i;

	for (i = 0; i < PORTS; i++)
		rte_pktmbuf_free_bulk(guests[i].waiting, guests[i].nb_waiting);
	lost = !rte_mempool_full(many);
	rte_mempool_free(many);
	return bed_end(state) == 0 && !lost ? 0 : -1;
}

/*
 * Have the lcore poll all ports so often; it ends in the midst of a round or after. It counts the
 * bytes that were sent.
 */
static void
run(unsigned int rounds)
{
	static struct dataplane *current = &bed_dp;
	uint64_t before[PORTS];
	unsigned int i;

	for (i = 0; i < PORTS; i++)
		before[i] = bed_worker.stats[i].rx_bytes - guests[i].bytes;
	bed_worker.dataplane = &current;
	bed_worker.stop = false;
	polls_left = (uint64_t)rounds * PORTS;
	assert_int_equal(worker_run(&bed_worker), 0);
	for (i = 0; i < PORTS; i++)
		assert_int_equal(bed_worker.stats[i].rx_bytes - guests[i].bytes, before[i]);
}

/* Equal frames: equal shares, but for what is left of the last round. */
static void
test_equal(void **state __rte_unused)
{
	unsigned int flooders, i;

	for (flooders = 2; flooders < PORTS; flooders += 7) {
		for (i = 0; i < flooders; i++)
			guests[i] = (struct guest){ .length = 64, .to = PORTS - 1 };
		run(500);
		for (i = 0; i < flooders; i++)
			assert_int_equal(guests[i].packets, 500 * FAIR_PACKETS);
	}
}

/* Small frames beside large ones: each has a burst of packets, or its bytes. */
static void
test_bytes(void **state __rte_unused)
{
	static const uint32_t lengths[] = { 1514, 9014, 65549 };
	unsigned int i;

	for (i = 0; i < RTE_DIM(lengths); i++) {
		guests[0] = (struct guest){ .length = 64, .to = PORTS - 1 };
		guests[1] = (struct guest){ .length = lengths[i], .to = PORTS - 1 };
		memset(bed_worker.fair, 0, sizeof(bed_worker.fair));
		run(2000);
		assert_int_equal(guests[0].packets, 2000 * FAIR_PACKETS);
		if (lengths[i] * FAIR_PACKETS <= FAIR_QUANTUM)
			assert_int_equal(guests[1].packets, 2000 * FAIR_PACKETS);
		else
			assert_true(guests[1].bytes >= UINT64_C(2000) * FAIR_QUANTUM / 20 * 19);
	}
}

/*
 * A packet waits for the rest of a round, and for its own: in each of these a flooder has a burst.
 * From then on until it is sent no more packets than that go before it.
 */
static void
test_before(void **state __rte_unused)
{
	static const uint32_t lengths[] = { 64, 1514, 65549 };
	unsigned int flooders, i, n;

	for (n = 0; n < RTE_DIM(lengths); n++) {
		for (flooders = 1; flooders < PORTS - 2; flooders += 9) {
			memset(guests, 0, sizeof(guests));
			for (i = 0; i < flooders; i++)
				guests[i] = (struct guest){ .length = lengths[n], .to = PORTS - 1 };
			guests[flooders] = (struct guest){ .to = PORTS - 2 };
			memset(&quiet, 0, sizeof(quiet));
			quiet.from = flooders;
			run(4000);
			assert_true(quiet.count > 100);
			if (quiet.most > 2 * FAIR_PACKETS * flooders)
				fail_msg("%u flooders: %u packets before one", flooders,
						(unsigned int)quiet.most);
		}
	}
}

/*
 * However many guests do not read, and whatever they are sent, they leave mbufs to the others: the
 * last quarter, but for what a part of a burst holds of each.
 */
static void
test_scarce(void **state __rte_unused)
{
	static const struct {
		unsigned int packets;
		unsigned int mbufs;
	} bursts[] = { { WORKER_BURST, 1 }, { WORKER_OUT, 1 }, { 7, 5 }, { 4, 32 },
		{ WORKER_BURST, 17 } };
	unsigned int left = MANY_MBUFS / 4 - PORTS * 32, round, i, n, port, seg;
	const unsigned int reader = PORTS - 1;
	struct rte_mbuf *segs[32];

	for (i = 0; i < RTE_DIM(bursts); i++) {
		memset(bed_worker.stats, 0, sizeof(bed_worker.stats));
		for (port = 0; port < PORTS; port++)
			guests[port] = (struct guest){ .idle = port != reader };
		for (round = 0; round < 200; round++) {
			for (n = 0; n < bursts[i].packets * PORTS; n++) {
				port = n % PORTS;
				assert_int_equal(rte_pktmbuf_alloc_bulk(many, segs,
								 bursts[i].mbufs),
						0);
				for (seg = 1; seg < bursts[i].mbufs; seg++)
					rte_pktmbuf_chain(segs[0], segs[seg]);
				worker_out(&bed_worker, &bed_dp, port, segs[0]);
				worker_send(&bed_worker, &bed_dp, port);
			}
			assert_true(rte_mempool_avail_count(many) >= left);
		}
		/* They have the rest, and who reads has lost nothing. */
		assert_true(rte_mempool_avail_count(many) <=
				MANY_MBUFS / 4 + bursts[i].packets * bursts[i].mbufs);
		assert_int_equal(guests[reader].read, 200 * bursts[i].packets);
		for (port = 0; port < reader; port++) {
			assert_int_equal(guests[port].nb_waiting +
							bed_worker.stats[port].drops[DROP_TX_FULL],
					200 * bursts[i].packets);
			rte_pktmbuf_free_bulk(guests[port].waiting, guests[port].nb_waiting);
			guests[port].nb_waiting = 0;
		}
		assert_true(rte_mempool_full(many));
	}
}

/* All send, and all but two of them to those that do not read: there are always mbufs for these. */
static void
test_all_idle(void **state __rte_unused)
{
	const unsigned int reader = PORTS - 1, sender = PORTS - 2;
	unsigned int port;
	uint64_t before;

	for (port = 0; port < sender; port++)
		guests[port] = (struct guest){
			.length = 64, .to = (port + 1) % sender, .idle = true
		};
	guests[sender] = (struct guest){ .length = 64, .to = reader };
	run(200);
	assert_true(rte_mempool_avail_count(many) >= MANY_MBUFS / 4 - PORTS * 32);
	before = guests[reader].read;
	run(1000);
	assert_int_equal(guests[reader].read - before, 1000 * FAIR_PACKETS);
	assert_int_equal(bed_worker.stats[reader].drops[DROP_TX_FULL], 0);
}

#define case_of(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		case_of(test_equal),
		case_of(test_bytes),
		case_of(test_before),
		case_of(test_scarce),
		case_of(test_all_idle),
	};

	return cmocka_run_group_tests_name("vsw_sharing", tests, bed_setup, bed_teardown);
}
