/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * Static grants (netif.h, XEN_NETIF_CTRL_TYPE_*_GREF_MAPPING): what a guest may register and what
 * not, and packets from and to pages that it has.
 */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "bystander.h"
#include "grants.h"
#include "xenvif_grants.h"

#define QUEUES 2
#define PKTS 256

static void
open_vif(struct vif *v, const char *args)
{
	const struct vif_options options = {
		.queues = QUEUES,
		.app_queues = QUEUES,
		.ctrl = true,
		.offloads = RTE_ETH_RX_OFFLOAD_SCATTER,
		.args = args,
	};

	unit_log_clear();
	vif_open(v, &options);
	vif_connect(v);
}

static int
setup(void **state)
{
	static struct vif v;

	open_vif(&v, "");
	*state = &v;
	return 0;
}

#define grants_test(fn) cmocka_unit_test_setup_teardown(fn, setup, vif_teardown)

/* Pages are registered, and the rings beside them are all that is mapped. */
static void
expect_pages(const struct vif *v, uint64_t pages)
{
	char line[64];
	char *text = NULL;
	size_t size = 0;
	FILE *f;

	assert_int_equal(unit_xstat(v->port, "static_pages"), pages);
	assert_int_equal(unit_maps(), 2 * QUEUES + 1 + pages);
	f = open_memstream(&text, &size);
	assert_non_null(f);
	assert_int_equal(rte_eth_dev_priv_dump(v->port, f), 0);
	fclose(f);
	snprintf(line, sizeof(line), "  static grants: %u of ", (unsigned int)pages);
	assert_non_null(strstr(text, line));
	free(text);
}

static void
test_size(void **state)
{
	static const struct {
		const char *args;
		uint32_t pages;
	} sizes[] = { { ",static=1", 0 }, { ",static=7", 3 }, { ",static=65536", 32768 } };
	struct vif *v = *state, other;
	uint32_t i, queue, pages;

	for (queue = 0; queue < QUEUES; queue++) {
		assert_int_equal(grants_size(v, queue, &pages), OKAY);
		assert_int_equal(pages, 4096 / QUEUES);
	}
	assert_int_equal(grants_size(v, QUEUES, &pages), INVALID);
	assert_int_equal(pages, 0);
	assert_int_equal(grants_size(v, UINT32_MAX, &pages), INVALID);
	vif_close(v);
	for (i = 0; i < RTE_DIM(sizes); i++) {
		open_vif(&other, sizes[i].args);
		assert_int_equal(grants_size(&other, 1, &pages), OKAY);
		assert_int_equal(pages, sizes[i].pages);
		grants_list(&other, 0, 8, 0);
		assert_int_equal(grants_add(&other, 1, sizes[i].pages + 1), INVALID);
		assert_int_equal(grants_add(&other, 1, RTE_MIN(sizes[i].pages, 8u)), OKAY);
		expect_pages(&other, RTE_MIN(sizes[i].pages, 8u));
		vif_close(&other);
		assert_int_equal(unit_maps(), 0);
	}
	open_vif(v, ",static=0");
	grants_list(v, 0, 1, 0);
	assert_int_equal(grants_size(v, 0, &pages), UNSUPPORTED);
	assert_int_equal(grants_add(v, 0, 1), UNSUPPORTED);
	assert_int_equal(grants_del(v, 0, 1, &pages), UNSUPPORTED);
	assert_int_equal(pages, 0);
	assert_int_equal(unit_maps(), 2 * QUEUES + 1);
	vif_send_good(v);
}

/* One entry of many makes all of them be refused, wherever it stands. */
static void
test_all_or_nothing(void **state)
{
	struct vif *v = *state;
	uint32_t wrong[] = {
		v->f.grants[RAWFRONT_GRANT_NONE],
		v->f.grants[RAWFRONT_GRANT_NONE_FAR],
		v->f.grants[RAWFRONT_GRANT_NONE_LAST],
		v->f.grants[RAWFRONT_GRANT_ENDED],
		v->f.grants[RAWFRONT_GRANT_FOREIGN],
		v->f.grants[RAWFRONT_GRANT_READ_ONLY],
		/* Twice in the list; registered already; just beyond the table. */
		v->f.gref[11],
		v->f.gref[1],
		65536,
	};
	struct xen_netif_gref *list = grants_page(v);
	unsigned int i, at;

	grants_list(v, 0, 4, 0);
	assert_int_equal(grants_add(v, 0, 4), OKAY);
	expect_pages(v, 4);
	for (i = 0; i < RTE_DIM(wrong); i++) {
		for (at = 0; at < 10; at += 3) {
			grants_list(v, 10, 10, 0);
			if (wrong[i] == v->f.gref[11] && at == 0)
				at = 3;
			list[at].ref = wrong[i];
			assert_int_equal(grants_add(v, 0, 10), INVALID);
			expect_pages(v, 4);
		}
	}
	for (i = 1; i < 16; i++) {
		grants_list(v, 10, 10, READ_ONLY);
		list[9].flags = 1 << i;
		assert_int_equal(grants_add(v, 0, 10), INVALID);
		expect_pages(v, 4);
	}
	/* Of the two calls that a list of both rights takes, either fails. */
	for (i = 1; i <= 2; i++) {
		grants_list(v, 10, 10, 0);
		list[4].flags = READ_ONLY;
		assert_int_equal(xensim_fault_set(XENSIM_FAULT_MAP, 0, i, 0, GNTST_general_error),
				0);
		assert_int_equal(grants_add(v, 0, 10), INVALID);
		xensim_fault_clear();
		expect_pages(v, 4);
	}
	/* Said by the library as often as the guest likes: not on standard error. */
	unit_assert_log("libxengnttab: mmap failed");
	assert_int_equal(grants_add(v, 0, 10), OKAY);
	expect_pages(v, 14);
	/* The queues have pages of their own. */
	grants_list(v, 0, 4, 0);
	assert_int_equal(grants_add(v, 1, 4), OKAY);
	expect_pages(v, 18);
	vif_send_good(v);
}

/* Queues, lists and numbers that there are not. */
static void
test_wrong_requests(void **state)
{
	static const uint32_t many[] = { 513, 0x20000000, 0x20000001, UINT32_MAX };
	uint32_t gref = grants_gref(*state), found, i;
	struct vif *v = *state;

	grants_list(v, 0, 8, 0);
	assert_int_equal(grants_add(v, 0, 4), OKAY);
	for (i = 0; i < RTE_DIM(many); i++) {
		assert_int_equal(grants_add(v, 1, many[i]), INVALID);
		assert_int_equal(grants_del(v, 0, many[i], &found), INVALID);
		assert_int_equal(found, 0);
		assert_int_equal(grants_add(v, i == 0 ? QUEUES : many[i], 4), INVALID);
		assert_int_equal(grants_del(v, i == 0 ? QUEUES : many[i], 4, &found), INVALID);
	}
	for (i = RAWFRONT_GRANT_NONE; i < RAWFRONT_GRANT_READ_ONLY; i++) {
		assert_int_equal(ctrl_call(v, ADD_GRANTS, 1, v->f.grants[i], 4), INVALID);
		assert_int_equal(ctrl_call(v, DEL_GRANTS, 0, v->f.grants[i], 4), INVALID);
	}
	/* What is not to be read or written need not be there. */
	assert_int_equal(ctrl_call(v, ADD_GRANTS, 1, UINT32_MAX, 0), OKAY);
	assert_int_equal(ctrl_call(v, DEL_GRANTS, 1, UINT32_MAX, 0), OKAY);
	/* Nothing is removed where the guest cannot be told. */
	memcpy(v->f.read_only, grants_page(v), 4 * sizeof(struct xen_netif_gref));
	assert_int_equal(ctrl_call(v, DEL_GRANTS, 0, v->f.grants[RAWFRONT_GRANT_READ_ONLY], 4),
			INVALID);
	expect_pages(v, 4);
	assert_int_equal(ctrl_call(v, ADD_GRANTS, 1, v->f.grants[RAWFRONT_GRANT_READ_ONLY], 4),
			OKAY);
	expect_pages(v, 8);
	/* Of the two copies of a list to remove, either fails. */
	for (i = 1; i <= 2; i++) {
		assert_int_equal(xensim_fault_set(XENSIM_FAULT_COPY, 0, i, 0, GNTST_general_error),
				0);
		assert_int_equal(ctrl_call(v, DEL_GRANTS, 0, gref, 4), INVALID);
		xensim_fault_clear();
		expect_pages(v, 8);
	}
	vif_send_good(v);
}

/* As many as there may be: not one more, and again when some are gone. */
static void
test_limit(void **state)
{
	struct vif *v = *state, small;
	struct xen_netif_gref *list;
	uint32_t i, found;

	open_vif(&small, ",static=200");
	list = grants_page(&small);
	grants_list(&small, 0, 101, 0);
	assert_int_equal(grants_add(&small, 0, 101), INVALID);
	assert_int_equal(grants_add(&small, 0, 99), OKAY);
	grants_list(&small, 99, 2, 0);
	assert_int_equal(grants_add(&small, 0, 2), INVALID);
	assert_int_equal(grants_add(&small, 0, 1), OKAY);
	assert_int_equal(unit_xstat(small.port, "static_pages"), 100);
	assert_int_equal(grants_add(&small, 0, 0), OKAY);
	list[0].ref = small.f.gref[100];
	assert_int_equal(grants_add(&small, 0, 1), INVALID);
	grants_list(&small, 5, 1, 0);
	assert_int_equal(grants_del(&small, 0, 1, &found), OKAY);
	assert_int_equal(found, 1);
	list[0].ref = small.f.gref[100];
	assert_int_equal(grants_add(&small, 0, 1), OKAY);
	assert_int_equal(unit_xstat(small.port, "static_pages"), 100);
	vif_close(&small);
	expect_pages(v, 0);

	/* A page at a time, whose mappings are too many at last. */
	for (i = 0; i < RAWFRONT_PAGES; i++) {
		grants_list(v, i, 1, 0);
		if (grants_add(v, 0, 1) != OKAY)
			break;
	}
	assert_int_equal(i, XENVIF_GRANT_MAPS_MAX - 1);
	expect_pages(v, i);
	grants_list(v, 0, 2, 0);
	assert_int_equal(grants_del(v, 0, 2, &found), OKAY);
	assert_int_equal(found, 2);
	grants_list(v, 100, 300, 0);
	assert_int_equal(grants_add(v, 0, 300), OKAY);
	expect_pages(v, i - 2 + 300);
	vif_send_good(v);
}

/* Entries that are removed, and what is not registered, or twice in the list. */
static void
test_remove(void **state)
{
	struct xen_netif_gref *list = grants_page(*state);
	uint32_t i, found, left = 32;
	struct vif *v = *state;

	grants_list(v, 0, 32, 0);
	for (i = 0; i < 32; i += 2)
		list[i].flags = READ_ONLY;
	assert_int_equal(grants_add(v, 0, 32), OKAY);
	expect_pages(v, 32);
	grants_list(v, 0, 8, 0xFFFF);
	list[1].ref = v->f.gref[40];
	list[2].ref = UINT32_MAX;
	list[3].ref = v->f.gref[0];
	list[4].ref = 65535;
	list[5].ref = 65536;
	assert_int_equal(grants_del(v, 0, 8, &found), OKAY);
	assert_int_equal(found, 3);
	for (i = 0; i < 8; i++)
		assert_int_equal(list[i].status, i == 0 || i > 5 ? OKAY : INVALID);
	expect_pages(v, left -= 3);
	/* Of another queue none is registered. */
	grants_list(v, 8, 4, 0);
	assert_int_equal(grants_del(v, 1, 4, &found), OKAY);
	assert_int_equal(found, 0);
	for (i = 0; i < 4; i++)
		assert_int_equal(list[i].status, INVALID);
	expect_pages(v, left);
	/* Again, one by one. */
	for (i = 0; i < 32; i++) {
		grants_list(v, i, 1, 0);
		assert_int_equal(grants_del(v, 0, 1, &found), OKAY);
		assert_int_equal(found, i != 0 && i != 6 && i != 7);
		expect_pages(v, left -= found);
	}
	grants_list(v, 0, GRANTS_LIST, 0);
	assert_int_equal(grants_del(v, 0, GRANTS_LIST, &found), OKAY);
	assert_int_equal(found, 0);
	vif_send_good(v);
}

/* A packet of a page through the rx ring, and whether it took the hypervisor. */
static void
send_from(struct vif *v, unsigned int page, uint64_t copies)
{
	uint64_t before = unit_xstat(v->port, "rx_q0_static_copies");
	uint64_t ops = unit_xstat(v->port, "rx_q0_copy_ops");
	struct rte_mbuf *m;

	vif_put(v, page, 100, 1000, 0, page);
	assert_int_equal(vif_burst(v, &m, 1), 1);
	unit_check_packet(m, 1000, vif_seed(page) + 100);
	rte_pktmbuf_free(m);
	vif_expect_rsp(v, page, NETIF_RSP_OKAY);
	assert_int_equal(unit_xstat(v->port, "rx_q0_static_copies") - before, copies);
	assert_int_equal(unit_xstat(v->port, "rx_q0_copy_ops") - ops, 1 - copies);
}

/*
 * A guest ends grants that stay mapped. They are its pages still; but when others of the same call
 * are removed they cannot be mapped anew, and the hypervisor copies.
 */
static void
test_ended(void **state)
{
	struct xen_netif_gref *list = grants_page(*state);
	struct vif *v = *state;
	uint32_t i, found, gref;
	uint8_t *page;

	page = rawfront_share(&v->f, v->f.backend_id, true, &gref);
	grants_list(v, 0, 8, 0);
	list[3].ref = gref;
	assert_int_equal(grants_add(v, 0, 8), OKAY);
	for (i = 0; i < 8; i++) {
		if (i != 3)
			send_from(v, i, 1);
	}
	grants_list(v, 7, 1, 0);
	assert_int_equal(xensim_fault_set(XENSIM_FAULT_MAP, 0, 1, 0, GNTST_general_error), 0);
	assert_int_equal(grants_del(v, 0, 1, &found), OKAY);
	xensim_fault_clear();
	assert_int_equal(found, 1);
	assert_int_equal(unit_maps(), 2 * QUEUES + 1);
	assert_int_equal(unit_xstat(v->port, "static_pages"), 7);
	for (i = 0; i < 8; i++) {
		if (i != 3)
			send_from(v, i, 0);
	}
	/* They are registered: not to be added again, and removed like others. */
	grants_list(v, 6, 1, 0);
	assert_int_equal(grants_add(v, 0, 1), INVALID);
	assert_int_equal(grants_del(v, 0, 1, &found), OKAY);
	assert_int_equal(found, 1);
	/* This time what is left could be mapped. */
	expect_pages(v, 6);
	send_from(v, 0, 1);
	list[0].ref = gref;
	assert_int_equal(grants_del(v, 0, 1, &found), OKAY);
	assert_int_equal(found, 1);
	rawfront_unshare(&v->f, page);
	expect_pages(v, 5);
	assert_int_equal(grants_add(v, 0, 1), INVALID);
}

/* Whatever ends the connection: nothing stays mapped, and the next one begins with none. */
static void
test_ends(void **state)
{
	struct vif *v = *state;
	unsigned int round;
	uint32_t found;

	for (round = 0; round < 5; round++) {
		grants_list(v, 0, 100, 0);
		assert_int_equal(grants_add(v, 0, 100), OKAY);
		assert_int_equal(grants_add(v, 1, 100), OKAY);
		expect_pages(v, 200);
		send_from(v, 5, 1);
		switch (round) {
		case 0:
			rawfront_reset(&v->f);
			break;
		case 1:
			assert_int_equal(rte_eth_dev_stop(v->port), 0);
			assert_int_equal(unit_maps(), 0);
			assert_int_equal(rte_eth_dev_start(v->port), 0);
			rawfront_reset(&v->f);
			break;
		case 2:
			/* A breach of the protocol. */
			v->f.q[0].tx_prod += 1000;
			rawfront_tx_push(&v->f, 0);
			vif_flush_by_rx(v, 0);
			vif_expect_failed(v, "req_prod");
			rawfront_state(&v->f, XenbusStateInitialising);
			rawfront_wait(&v->f, XenbusStateInitWait);
			break;
		case 3:
			/* A link that is set down changes nothing. */
			assert_int_equal(rte_eth_dev_set_link_down(v->port), 0);
			unit_wait(!unit_link(v->port));
			expect_pages(v, 200);
			grants_list(v, 0, 50, 0);
			assert_int_equal(grants_del(v, 1, 50, &found), OKAY);
			assert_int_equal(found, 50);
			assert_int_equal(rte_eth_dev_set_link_up(v->port), 0);
			unit_wait(unit_link(v->port));
			expect_pages(v, 150);
			send_from(v, 5, 1);
			rawfront_reset(&v->f);
			break;
		default:
			rawfront_state(&v->f, XenbusStateClosed);
			rawfront_wait(&v->f, XenbusStateClosed);
			rawfront_reset(&v->f);
			break;
		}
		unit_wait(unit_maps() == 0);
		assert_int_equal(unit_xstat(v->port, "static_pages"), 0);
		rawfront_init_rings(&v->f, 0);
		vif_connect(v);
		expect_pages(v, 0);
		send_from(v, 5, 0);
	}
	/* The port goes with pages registered: see vif_teardown(). */
	grants_list(v, 0, 100, 0);
	assert_int_equal(grants_add(v, 0, 100), OKAY);
}

/* A guest that registers and removes without end, while its packets are on their way. */
struct churn {
	struct vif *v;
	/* Packets that are not the page's bytes. */
	unsigned int wrong;
	bool stop;
};

static void *
receive(void *arg)
{
	struct churn *c = arg;
	struct rte_mbuf *pkts[32];
	uint16_t i, n;

	while (!__atomic_load_n(&c->stop, __ATOMIC_ACQUIRE)) {
		n = rte_eth_rx_burst(c->v->port, 0, pkts, RTE_DIM(pkts));
		for (i = 0; i < n; i++)
			c->wrong += pkts[i]->pkt_len != 1000 ||
					memcmp(rte_pktmbuf_mtod(pkts[i], void *), c->v->f.pages,
							1000) != 0;
		rte_pktmbuf_free_bulk(pkts, n);
	}
	return NULL;
}

static void
test_in_flight(void **state)
{
	struct churn c = { .v = *state };
	struct netif_tx_response rsp;
	struct vif *v = *state;
	unsigned int round, answered = 0, i, sent = 0;
	uint32_t found;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, receive, &c), 0);
	for (round = 0; round < 100; round++) {
		grants_list(v, 0, 64, 0);
		assert_int_equal(grants_add(v, 0, 64), OKAY);
		for (i = 0; i < 2; i++) {
			for (; sent - answered < XEN_NETIF_RING_SIZE; sent++)
				vif_put(v, 0, 0, 1000, 0, sent);
			rawfront_tx_push(&v->f, 0);
			/* All of a call's pages, or a part that has others mapped anew. */
			grants_list(v, i == 0 ? 10 : 0, i == 0 ? 10 : 64, 0);
			assert_int_equal(grants_del(v, 0, i == 0 ? 10 : 64, &found), OKAY);
			assert_int_equal(found, i == 0 ? 10 : 54);
			while (rawfront_tx_rsp(&v->f, 0, &rsp)) {
				assert_int_equal(rsp.status, NETIF_RSP_OKAY);
				answered++;
			}
		}
	}
	while (answered < sent) {
		if (!rawfront_tx_rsp(&v->f, 0, &rsp)) {
			unit_idle();
			continue;
		}
		assert_int_equal(rsp.status, NETIF_RSP_OKAY);
		answered++;
	}
	__atomic_store_n(&c.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	assert_int_equal(c.wrong, 0);
	expect_pages(v, 0);
	assert_true(unit_xstat(v->port, "rx_q0_static_copies") > 0);
}

/* A guest that never stops registering: others have their turn. */
static void
test_flood(void **state)
{
	struct xen_netif_ctrl_response rsp;
	struct vif *v = *state;
	unsigned int answered = 0;

	bystander_start();
	grants_list(v, 0, GRANTS_LIST, 0);
	while (answered < 500) {
		while (v->f.ctrl_prod - v->f.ctrl_cons < XEN_NETIF_CTRL_RING_SIZE)
			rawfront_ctrl_put(&v->f, v->f.ctrl_prod % 2 == 0 ? ADD_GRANTS : DEL_GRANTS,
					0, grants_gref(v), GRANTS_LIST);
		rawfront_ctrl_push(&v->f);
		while (rawfront_ctrl_rsp(&v->f, &rsp)) {
			assert_int_equal(rsp.status, OKAY);
			answered++;
		}
		unit_idle();
	}
	bystander_stop();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		grants_test(test_size),
		grants_test(test_all_or_nothing),
		grants_test(test_wrong_requests),
		grants_test(test_limit),
		grants_test(test_remove),
		grants_test(test_ended),
		grants_test(test_ends),
		grants_test(test_in_flight),
		grants_test(test_flood),
	};

	return cmocka_run_group_tests_name("grants", tests, unit_setup, unit_teardown);
}
