/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * How a guest with a control ring gets its packets: the queue of each is the guest's choice. What
 * it has chosen lasts as long as the connection. And the hashes of what it sends.
 */

#include <stdlib.h>

#include "ctrl.h"
#include "flow.h"
#include "frame.h"
#include "rawback.h"

static const uint8_t key[XEN_HASH_KEY_MAX] = "forty octets, and none of them repeats.";

/* A configuration with any mapping. */
static struct xen_hash_config
config(uint32_t mapping_size)
{
	struct xen_hash_config cfg = {
		.algorithm = TOEPLITZ,
		.types = XEN_HASH_TYPES,
		.mapping_size = mapping_size,
	};
	uint32_t i;

	xen_hash_set_key(&cfg, key, sizeof(key));
	for (i = 0; i < mapping_size; i++)
		cfg.mapping[i] = rand() % CTRL_QUEUES;
	return cfg;
}

/* Have it set by control messages. Their pages are buffers as well. */
static void
set_config(struct vif *v, const struct xen_hash_config *cfg)
{
	uint32_t i;

	memcpy(rawfront_page(&v->f, CTRL_PAGE_KEY), key, sizeof(key));
	for (i = 0; i < cfg->mapping_size; i++)
		ctrl_entries(v)[i] = cfg->mapping[i];
	assert_int_equal(ctrl_call(v, SET_ALGORITHM, TOEPLITZ, 0, 0), OKAY);
	assert_int_equal(ctrl_call(v, SET_FLAGS, cfg->types, 0, 0), OKAY);
	assert_int_equal(ctrl_call(v, SET_KEY, v->f.gref[CTRL_PAGE_KEY], sizeof(key), 0), OKAY);
	assert_int_equal(ctrl_call(v, SET_SIZE, i, 0, 0), OKAY);
	assert_int_equal(ctrl_call(v, SET_MAPPING, v->f.gref[CTRL_PAGE_MAPPING], i, 0), OKAY);
}

/* The packet that comes next, of one buffer, with a hash of that type (-1: none); its queue. */
static unsigned int
take_packet(struct vif *v, int type, uint32_t hash)
{
	struct netif_rx_response rsp;
	struct netif_extra_info extra, wanted;
	unsigned int i;

	for (i = 0; i < v->f.nb_queues && !rawfront_rx_rsp(&v->f, i, &rsp); i++)
		;
	if (i == v->f.nb_queues)
		fail_msg("no packet in any queue");
	assert_true(rsp.status > 0);
	assert_int_equal(rsp.flags, type >= 0 ? NETRXF_extra_info : 0);
	if (type >= 0) {
		assert_true(rawfront_rx_rsp(&v->f, i, &rsp));
		memcpy(&extra, &rsp, sizeof(extra));
		wanted = (struct netif_extra_info){
			.type = XEN_NETIF_EXTRA_TYPE_HASH,
			.u.hash = { .type = type, .algorithm = TOEPLITZ },
		};
		for (type = 0; type < 4; type++)
			wanted.u.hash.value[type] = hash >> 8 * type;
		assert_memory_equal(&extra, &wanted, sizeof(extra));
	}
	assert_false(vif_has_packet(v, i));
	return i;
}

/* Flows of all kinds, each packet to the queue that its hash says. */
static void
check_steering(struct vif *v, unsigned int app, const struct xen_hash_config *cfg)
{
	unsigned int flow, queue, first[FLOW_MAX], hashed = 0, seen = 0;
	static struct flows f;
	struct rte_mbuf *m;
	uint32_t hash = 0;
	int type;

	flow_init(&f);
	for (flow = 0; flow < 2 * FLOW_MAX; flow++) {
		for (queue = 0; queue < v->f.nb_queues; queue++)
			vif_post(v, queue, 4 - RTE_MIN(vif_posted(v, queue), 4u));
		m = flow_next(&f, flow % FLOW_MAX);
		type = xen_hash_packet(cfg, m, &hash);
		assert_int_equal(rte_eth_tx_burst(v->port, flow % app, &m, 1), 1);
		queue = take_packet(v, type, hash);
		if (type >= 0) {
			assert_int_equal(queue, xen_hash_queue(cfg, hash, v->f.nb_queues));
			hashed++;
		} else if (flow >= FLOW_MAX) {
			/* Then it is the backend's choice, and the flow keeps to it. */
			assert_int_equal(queue, first[flow % FLOW_MAX]);
		}
		first[flow % FLOW_MAX] = queue;
		seen |= RTE_BIT32(queue);
	}
	assert_true(hashed >= FLOW_MAX / 2);
	assert_int_equal(seen, RTE_BIT32(v->f.nb_queues) - 1);
}

/* Whatever number of queues the application has, and each kind of mapping. */
static void
test_steering(void **state __rte_unused)
{
	static const uint32_t sizes[] = { 0, 7, 128 };
	static const unsigned int apps[] = { 1, 4, 5 };
	struct vif_options options = { .queues = CTRL_QUEUES, .ctrl = true };
	struct xen_hash_config cfg;
	unsigned int i, j;
	struct vif v;

	srand(10);
	for (i = 0; i < RTE_DIM(apps); i++) {
		options.app_queues = apps[i];
		vif_open(&v, &options);
		vif_connect(&v);
		for (j = 0; j < RTE_DIM(sizes); j++) {
			cfg = config(sizes[j]);
			set_config(&v, &cfg);
			check_steering(&v, apps[i], &cfg);
		}
		vif_close(&v);
	}
	unit_check_pool();
}

/* The queue of a packet of the first flow, sent by an application's queue; NULL: without a hash. */
static unsigned int
queue_of(struct vif *v, uint16_t txq, const struct xen_hash_config *cfg)
{
	static struct flows f;
	struct rte_mbuf *m;
	uint32_t hash = 0;
	unsigned int i;
	int type = -1;

	flow_init(&f);
	for (i = 0; i < v->f.nb_queues; i++)
		vif_post(v, i, 2 - RTE_MIN(vif_posted(v, i), 2u));
	m = flow_next(&f, 0);
	if (cfg != NULL)
		type = xen_hash_packet(cfg, m, &hash);
	assert_int_equal(rte_eth_tx_burst(v->port, txq, &m, 1), 1);
	return take_packet(v, type, hash);
}

/* A change counts for the next burst, and without hashes it is as ever. */
static void
test_changes(void **state)
{
	struct vif *v = *state;
	struct xen_hash_config cfg;
	unsigned int i;

	for (i = 0; i < CTRL_QUEUES; i++)
		assert_int_equal(queue_of(v, i, NULL), i);
	cfg = config(1);
	for (i = 0; i < 3 * CTRL_QUEUES; i++) {
		cfg.mapping[0] = i * 3 % CTRL_QUEUES;
		set_config(v, &cfg);
		assert_int_equal(queue_of(v, i % CTRL_QUEUES, &cfg), i * 3 % CTRL_QUEUES);
	}
	assert_int_equal(ctrl_call(v, SET_FLAGS, 0, 0, 0), OKAY);
	for (i = 0; i < CTRL_QUEUES; i++)
		assert_int_equal(queue_of(v, i, NULL), i);
	assert_int_equal(ctrl_call(v, SET_FLAGS, XEN_HASH_TYPES, 0, 0), OKAY);
	assert_int_equal(queue_of(v, 2, &cfg), 1);
	assert_int_equal(ctrl_call(v, SET_ALGORITHM, NONE, 0, 0), OKAY);
	for (i = 0; i < CTRL_QUEUES; i++)
		assert_int_equal(queue_of(v, i, NULL), i);
}

/* The application starts a port anew, for a guest that has fewer queues by now. */
static void
test_fewer_queues(void **state)
{
	struct vif *v = *state;
	struct xen_hash_config cfg;
	unsigned int i;

	cfg = config(4);
	for (i = 0; i < 4; i++)
		cfg.mapping[i] = 3;
	set_config(v, &cfg);
	assert_int_equal(queue_of(v, 0, &cfg), 3);
	assert_int_equal(rte_eth_dev_stop(v->port), 0);
	rawfront_set(&v->f, "multi-queue-num-queues", "2");
	v->f.nb_queues = 2;
	assert_int_equal(rte_eth_dev_start(v->port), 0);
	unit_wait(unit_link(v->port));
	assert_int_equal(queue_of(v, 0, &cfg), 1);
}

/* The next connection knows nothing of this one, whichever way it has ended. */
static void
test_reconnect(void **state)
{
	struct vif *v = *state;

	ctrl_set_all(v);
	assert_string_not_equal(ctrl_hash(v), HASH_NONE);
	rawfront_reset(&v->f);
	assert_int_equal(unit_maps(), 0);
	assert_int_equal(unit_ports(), 0);
	rawfront_init_rings(&v->f, 0);
	vif_connect(v);
	assert_string_equal(ctrl_hash(v), HASH_NONE);
	ctrl_set_all(v);
	/* Without a word: a kexec. */
	rawfront_state(&v->f, XenbusStateInitialising);
	rawfront_wait(&v->f, XenbusStateInitWait);
	rawfront_init_rings(&v->f, 0);
	vif_connect(v);
	assert_string_equal(ctrl_hash(v), HASH_NONE);
	assert_int_equal(ctrl_call(v, GET_FLAGS, 0, 0, 0), UNSUPPORTED);
	ctrl_set_all(v);
	/* One without a control ring. */
	rawfront_reset(&v->f);
	rawfront_unpublish(&v->f);
	v->f.ctrl = false;
	rawfront_init_rings(&v->f, 0);
	vif_connect(v);
	assert_string_equal(ctrl_hash(v), "");
	assert_int_equal(unit_maps(), 2 * CTRL_QUEUES);
	vif_send_good(v);
}

/* The application stops and starts the port: for the guest nothing has happened. */
static void
test_stop_start(void **state)
{
	struct xen_netif_ctrl_response rsp;
	struct vif *v = *state;
	char before[1024];
	unsigned int i;

	ctrl_set_all(v);
	snprintf(before, sizeof(before), "%s", ctrl_hash(v));
	for (i = 0; i < 5; i++) {
		assert_int_equal(rte_eth_dev_stop(v->port), 0);
		assert_int_equal(unit_maps(), 0);
		assert_int_equal(unit_ports(), 0);
		/* What was requested meanwhile is answered. */
		rawfront_ctrl_put(&v->f, GET_FLAGS, 0, 0, 0);
		rawfront_ctrl_push(&v->f);
		assert_int_equal(rte_eth_dev_start(v->port), 0);
		unit_wait(unit_link(v->port));
		unit_wait(rawfront_ctrl_rsp(&v->f, &rsp));
		assert_int_equal(rsp.status, OKAY);
		assert_string_equal(ctrl_hash(v), before);
	}
	/* Also while the link is down the ring is served. */
	assert_int_equal(rte_eth_dev_set_link_down(v->port), 0);
	assert_int_equal(ctrl_call(v, GET_FLAGS, 0, 0, 0), OKAY);
	assert_int_equal(rte_eth_dev_set_link_up(v->port), 0);
	unit_wait(unit_link(v->port));
	assert_string_equal(ctrl_hash(v), before);
}

/* Another backend enters the ring where its responses end. */
static void
test_attach(void **state)
{
	const struct vif_options options = { .app_queues = CTRL_QUEUES };
	struct xen_netif_ctrl_response rsp;
	struct vif *v = *state;
	unsigned int i;

	ctrl_set_all(v);
	vif_remove_port(v);
	for (i = 0; i < 100; i++)
		rawfront_ctrl_put(&v->f, SET_SIZE, i, 0, 0);
	rawfront_ctrl_push(&v->f);
	vif_add_port(v, &options);
	for (i = 0; i < 100; i++) {
		unit_wait(rawfront_ctrl_rsp(&v->f, &rsp));
		assert_int_equal(rsp.status, OKAY);
	}
	vif_send_good(v);
}

/*
 * Packets that have to wait for buffers keep their hash. One to be segmented has two extra info; if
 * it is cut, each segment has the hash of the whole.
 */
static void
test_extras(void **state)
{
	const struct xen_hash_config cfg = config(0);
	struct netif_extra_info extra;
	struct netif_rx_response rsp;
	struct frame frame = { .payload = 1900 };
	struct vif *v = *state;
	unsigned int queue, i;
	struct rte_mbuf *m;
	uint32_t hash;

	set_config(v, &cfg);
	frame_make(&frame);
	m = frame_mbuf(&frame);
	assert_int_equal(xen_hash_packet(&cfg, m, &hash), _XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP);
	queue = hash % CTRL_QUEUES;
	/* There is a buffer for the packet, and none for its hash. */
	vif_post(v, queue, 1);
	assert_int_equal(rte_eth_tx_burst(v->port, 0, &m, 1), 1);
	assert_false(vif_has_packet(v, queue));
	vif_post(v, queue, 1);
	vif_flush_by_rx(v, 0);
	assert_int_equal(take_packet(v, _XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP, hash), queue);
	/* For each kind of GSO the guest's kind decides: this one takes it whole. */
	m = frame_mbuf(&frame);
	m->ol_flags = RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
	m->tso_segsz = 500;
	vif_post(v, queue, 3);
	assert_int_equal(rte_eth_tx_burst(v->port, 0, &m, 1), 1);
	assert_true(rawfront_rx_rsp(&v->f, queue, &rsp));
	assert_true((rsp.flags & NETRXF_extra_info) != 0);
	assert_true(rawfront_rx_rsp(&v->f, queue, &rsp));
	memcpy(&extra, &rsp, sizeof(extra));
	assert_int_equal(extra.type, XEN_NETIF_EXTRA_TYPE_GSO);
	assert_int_equal(extra.flags, XEN_NETIF_EXTRA_FLAG_MORE);
	assert_true(rawfront_rx_rsp(&v->f, queue, &rsp));
	memcpy(&extra, &rsp, sizeof(extra));
	assert_int_equal(extra.type, XEN_NETIF_EXTRA_TYPE_HASH);
	assert_int_equal(extra.flags, 0);
	assert_false(vif_has_packet(v, queue));

	assert_int_equal(rte_eth_dev_stop(v->port), 0);
	rawfront_set(&v->f, "feature-gso-tcpv4", "0");
	assert_int_equal(rte_eth_dev_start(v->port), 0);
	unit_wait(unit_link(v->port));
	vif_post(v, queue, 8);
	m = frame_mbuf(&frame);
	m->ol_flags = RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
	m->tso_segsz = 500;
	assert_int_equal(rte_eth_tx_burst(v->port, 0, &m, 1), 1);
	for (i = 0; i < 4; i++) {
		assert_true(rawfront_rx_rsp(&v->f, queue, &rsp));
		assert_int_equal(rsp.status, i < 3 ? 54 + 500 : 54 + 400);
		assert_true((rsp.flags & NETRXF_extra_info) != 0);
		assert_true(rawfront_rx_rsp(&v->f, queue, &rsp));
		memcpy(&extra, &rsp, sizeof(extra));
		assert_int_equal(extra.type, XEN_NETIF_EXTRA_TYPE_HASH);
		assert_int_equal(extra.u.hash.value[0], (uint8_t)hash);
	}
	assert_false(vif_has_packet(v, queue));
}

/* A packet of the guest, with extra info of a hash; the mbuf that it becomes. */
static struct rte_mbuf *
send_hashed(struct vif *v, uint8_t type, uint8_t algorithm)
{
	const struct netif_extra_info extra = {
		.type = XEN_NETIF_EXTRA_TYPE_HASH,
		.u.hash = { .type = type, .algorithm = algorithm, .value = { 4, 3, 2, 0x81 } },
	};
	struct rte_mbuf *m;

	vif_put(v, 7, 0, 60, NETTXF_extra_info, 1);
	rawfront_tx_extra(&v->f, 0, &extra);
	assert_int_equal(vif_burst(v, &m, 1), 1);
	unit_check_packet(m, 60, vif_seed(7));
	rawfront_tx_expect(&v->f, 0, 2, NETIF_RSP_OKAY);
	return m;
}

static void
check_hashed(struct vif *v, uint8_t type, uint8_t algorithm, bool known)
{
	struct rte_mbuf *m = send_hashed(v, type, algorithm);

	assert_int_equal((m->ol_flags & RTE_MBUF_F_RX_RSS_HASH) != 0, known);
	if (known)
		assert_int_equal(m->hash.rss, 0x81020304);
	rte_pktmbuf_free(m);
}

/* The hash of what the guest sends, if it is one that is known and the application wants it. */
static void
test_from_guest(void **state __rte_unused)
{
	struct vif_options options = { .offloads = RTE_ETH_RX_OFFLOAD_RSS_HASH };
	uint8_t type;
	struct vif v;

	vif_open(&v, &options);
	vif_connect(&v);
	for (type = 0; type < 4; type++)
		check_hashed(&v, type, TOEPLITZ, true);
	check_hashed(&v, 4, TOEPLITZ, false);
	check_hashed(&v, 255, TOEPLITZ, false);
	check_hashed(&v, 0, NONE, false);
	check_hashed(&v, 0, 2, false);
	check_hashed(&v, 3, 255, false);
	vif_close(&v);
	options.offloads = 0;
	vif_open(&v, &options);
	vif_connect(&v);
	check_hashed(&v, 1, TOEPLITZ, false);
	vif_close(&v);
	unit_check_pool();
}

/* The same for net_xenfront, by what its backend sends. */
static void
test_from_backend(void **state __rte_unused)
{
	struct netif_extra_info extra = { .type = XEN_NETIF_EXTRA_TYPE_HASH };
	struct rte_mbuf *m;
	unsigned int i;

	assert_int_equal(rte_eth_dev_stop(rawback.port), 0);
	unit_start(rawback.port, 1, RTE_ETH_RX_OFFLOAD_RSS_HASH, unit_pool);
	unit_wait(unit_link(rawback.port));
	for (i = 0; i < 6; i++) {
		xen_hash_to_extra(&extra, i, 0x81020304);
		rawback_put_rx(-1, 0, NETRXF_extra_info, 60);
		memcpy(&rawback.rx->ring[rawback.rx_prod++ & XEN_NETIF_RING_MASK].rsp, &extra,
				sizeof(extra));
		rawback_push_rx();
		assert_int_equal(rte_eth_rx_burst(rawback.port, 0, &m, 1), 1);
		assert_int_equal((m->ol_flags & RTE_MBUF_F_RX_RSS_HASH) != 0, i < 4);
		if (i < 4)
			assert_int_equal(m->hash.rss, 0x81020304);
		rte_pktmbuf_free(m);
	}
}

#define CUT_MSS 500
#define CUT_FRAMES 4

/* A packet to be cut into frames, and its two slots of extra info. */
static void
make_to_cut(struct frame *f, struct netif_extra_info extras[2])
{
	*f = (struct frame){ .payload = CUT_FRAMES * CUT_MSS - 100 };
	frame_make(f);
	extras[0] = (struct netif_extra_info){
		.type = XEN_NETIF_EXTRA_TYPE_GSO,
		.flags = XEN_NETIF_EXTRA_FLAG_MORE,
		.u.gso = { .size = CUT_MSS, .type = XEN_NETIF_GSO_TYPE_TCPV4 },
	};
	extras[1] = (struct netif_extra_info){ .type = XEN_NETIF_EXTRA_TYPE_HASH };
	xen_hash_to_extra(&extras[1], 2, 0x81020304);
}

/* Each frame has the packet's hash, also those that have to wait. */
static void
check_cut(uint16_t port)
{
	struct rte_mbuf *m;
	unsigned int i;

	for (i = 0; i < CUT_FRAMES; i++) {
		unit_wait(rte_eth_rx_burst(port, 0, &m, 1) == 1);
		assert_true((m->ol_flags & RTE_MBUF_F_RX_RSS_HASH) != 0);
		assert_int_equal(m->hash.rss, 0x81020304);
		rte_pktmbuf_free(m);
	}
}

static void
test_cut_from_guest(void **state __rte_unused)
{
	struct vif_options options = { .offloads = RTE_ETH_RX_OFFLOAD_RSS_HASH };
	struct netif_extra_info extras[2];
	struct frame f;
	struct vif v;

	vif_open(&v, &options);
	vif_connect(&v);
	make_to_cut(&f, extras);
	memcpy(rawfront_page(&v.f, 7), f.data, f.len);
	vif_put(&v, 7, 0, f.len, NETTXF_csum_blank | NETTXF_data_validated | NETTXF_extra_info, 1);
	rawfront_tx_extra(&v.f, 0, &extras[0]);
	rawfront_tx_extra(&v.f, 0, &extras[1]);
	rawfront_tx_push(&v.f, 0);
	check_cut(v.port);
	rawfront_tx_expect(&v.f, 0, 3, NETIF_RSP_OKAY);
	vif_close(&v);
	unit_check_pool();
}

static void
test_cut_from_backend(void **state __rte_unused)
{
	struct netif_extra_info extras[2];
	struct frame f;
	unsigned int i;

	assert_int_equal(rte_eth_dev_stop(rawback.port), 0);
	unit_start(rawback.port, 1, RTE_ETH_RX_OFFLOAD_RSS_HASH, unit_pool);
	unit_wait(unit_link(rawback.port));
	make_to_cut(&f, extras);
	rawback_fill_rx(rawback.rx_prod, 0, f.data, f.len);
	rawback_put_rx(-1, 0, NETRXF_csum_blank | NETRXF_data_validated | NETRXF_extra_info, f.len);
	for (i = 0; i < 2; i++)
		memcpy(&rawback.rx->ring[rawback.rx_prod++ & XEN_NETIF_RING_MASK].rsp, &extras[i],
				sizeof(extras[i]));
	rawback_push_rx();
	check_cut(rawback.port);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steering),
		ctrl_test(test_changes),
		ctrl_test(test_fewer_queues),
		ctrl_test(test_extras),
		ctrl_test(test_reconnect),
		ctrl_test(test_stop_start),
		ctrl_test(test_attach),
		cmocka_unit_test(test_from_guest),
		cmocka_unit_test(test_cut_from_guest),
		cmocka_unit_test_setup_teardown(test_from_backend, rawback_setup, rawback_teardown),
		cmocka_unit_test_setup_teardown(test_cut_from_backend, rawback_setup,
				rawback_teardown),
	};

	return cmocka_run_group_tests_name("hash", tests, unit_setup, unit_teardown);
}
