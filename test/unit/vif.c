/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <stdio.h>

#include "vif.h"

#define OR(value, otherwise) ((value) != 0 ? (value) : (otherwise))

void
vif_remove_port(struct vif *v)
{
	unit_remove_port(v->name);
	v->has_port = false;
}

void
vif_add_port(struct vif *v, const struct vif_options *options)
{
	const char *more = OR(options->args, "");
	char args[128];

	/* A test that counts events tells of them what it expects. */
	snprintf(args, sizeof(args), "domid=%u,devid=%u,speed=100000%s%s", v->f.domid, v->f.devid,
			strstr(more, "notify=") != NULL ? "" : ",notify=immediate", more);
	assert_int_equal(unit_probe(v->name, args), 0);
	v->has_port = true;
	v->port = unit_port(v->name);
	unit_start(v->port, OR(options->app_queues, 1), options->offloads,
			OR(options->pool, unit_pool));
}

void
vif_open(struct vif *v, const struct vif_options *options)
{
	static unsigned int devid;
	unsigned int domid = OR(options->domid, 1);
	unsigned int i, j;

	memset(v, 0, sizeof(*v));
	rawfront_open(&v->f, domid, devid, OR(options->queues, 1), !options->single_evtchn);
	v->f.ctrl = options->ctrl;
	for (i = 0; i < RAWFRONT_PAGES; i++) {
		for (j = 0; j < XEN_PAGE_BYTES; j++)
			rawfront_page(&v->f, i)[j] = unit_byte(vif_seed(i), j);
	}
	for (j = 0; j < XEN_PAGE_BYTES; j++)
		v->f.read_only[j] = unit_byte(vif_seed(RAWFRONT_PAGES), j);
	snprintf(v->name, sizeof(v->name), "net_xenvif_%u", devid);
	vif_add_port(v, options);
	devid++;
}

void
vif_connect(struct vif *v)
{
	rawfront_connect(&v->f);
	unit_wait(unit_link(v->port));
}

void
vif_set_tx_descs(struct vif *v, uint16_t queue, uint16_t nb_desc)
{
	assert_int_equal(rte_eth_dev_stop(v->port), 0);
	assert_int_equal(rte_eth_tx_queue_setup(v->port, queue, nb_desc, SOCKET_ID_ANY, NULL), 0);
	assert_int_equal(rte_eth_dev_start(v->port), 0);
}

void
vif_close(struct vif *v)
{
	if (v->has_port)
		vif_remove_port(v);
	rawfront_close(&v->f);
}

const char *
vif_error(const struct vif *v)
{
	return unit_read("/local/domain/0/error/backend/vif/%u/%u/error", v->f.domid, v->f.devid);
}

void
vif_expect_failed(struct vif *v, const char *why)
{
	long closing, closed;
	char text[128];

	rawfront_wait(&v->f, XenbusStateClosed);
	unit_wait(!unit_link(v->port));
	if (strstr(vif_error(v), why) == NULL)
		fail_msg("the error is '%s', not '%s'", vif_error(v), why);
	unit_assert_log(why);
	snprintf(text, sizeof(text), "backend/vif/%u/%u: state 5: written", v->f.domid, v->f.devid);
	closing = unit_log_find(text);
	snprintf(text, sizeof(text), "backend/vif/%u/%u: state 6: written", v->f.domid, v->f.devid);
	/* The line follows what it says. */
	unit_wait(unit_log_has(text));
	closed = unit_log_find(text);
	assert_true(closing >= 0 && closing < closed);
}

void
vif_reconnect(struct vif *v)
{
	rawfront_state(&v->f, XenbusStateInitialising);
	rawfront_wait(&v->f, XenbusStateInitWait);
	unit_remove("/local/domain/0/error/backend/vif/%u/%u", v->f.domid, v->f.devid);
	unit_log_clear();
	rawfront_init_rings(&v->f, 0);
	vif_connect(v);
}

static int
setup(void **state, uint64_t offloads)
{
	const struct vif_options options = { .offloads = offloads };
	static struct vif v;

	unit_log_clear();
	vif_open(&v, &options);
	vif_connect(&v);
	*state = &v;
	return 0;
}

int
vif_setup(void **state)
{
	return setup(state, 0);
}

int
vif_setup_scatter(void **state)
{
	return setup(state, RTE_ETH_RX_OFFLOAD_SCATTER);
}

int
vif_teardown(void **state)
{
	xensim_fault_clear();
	vif_close(*state);
	assert_int_equal(unit_maps(), 0);
	assert_int_equal(unit_ports(), 0);
	unit_check_pool();
	return 0;
}

void
vif_put(struct vif *v, unsigned int page, uint16_t offset, uint16_t size, uint16_t flags,
		uint16_t id)
{
	const struct netif_tx_request req = {
		.gref = v->f.gref[page],
		.offset = offset,
		.flags = flags,
		.id = id,
		.size = size,
	};

	rawfront_tx_put(&v->f, 0, &req);
}

void
vif_put_extra(struct vif *v, uint8_t type, bool more)
{
	const struct netif_extra_info extra = {
		.type = type,
		.flags = more ? XEN_NETIF_EXTRA_FLAG_MORE : 0,
	};

	rawfront_tx_extra(&v->f, 0, &extra);
}

void
vif_put_gso(struct vif *v, uint8_t type, uint16_t size)
{
	const struct netif_extra_info extra = {
		.type = XEN_NETIF_EXTRA_TYPE_GSO,
		.u.gso = { .size = size, .type = type },
	};

	rawfront_tx_extra(&v->f, 0, &extra);
}

void
vif_put_mcast(struct vif *v, unsigned int queue, uint8_t type, const struct rte_ether_addr *addr,
		uint16_t id)
{
	const struct netif_tx_request req = { .flags = NETTXF_extra_info, .id = id };
	struct netif_extra_info extra = { .type = type };

	memcpy(extra.u.mcast.addr, addr, RTE_ETHER_ADDR_LEN);
	rawfront_tx_put(&v->f, queue, &req);
	rawfront_tx_extra(&v->f, queue, &extra);
}

uint16_t
vif_burst(struct vif *v, struct rte_mbuf **pkts, uint16_t n)
{
	rawfront_tx_push(&v->f, 0);
	return rte_eth_rx_burst(v->port, 0, pkts, n);
}

void
vif_expect_rsp(struct vif *v, uint16_t id, int16_t status)
{
	struct netif_tx_response rsp;

	if (!rawfront_tx_rsp(&v->f, 0, &rsp))
		fail_msg("no response for id %u", id);
	assert_int_equal(rsp.status, status);
	/* Extra info has no id. */
	if (status != NETIF_RSP_NULL)
		assert_int_equal(rsp.id, id);
}

void
vif_expect_no_rsp(struct vif *v)
{
	struct netif_tx_response rsp;

	if (rawfront_tx_rsp(&v->f, 0, &rsp))
		fail_msg("a response too many: id %u status %d", rsp.id, rsp.status);
}

void
vif_send_good(struct vif *v)
{
	static uint16_t id = 0x8000;
	unsigned int page = id % RAWFRONT_PAGES;
	struct rte_mbuf *m;

	vif_put(v, page, 0, 60, 0, ++id);
	assert_int_equal(vif_burst(v, &m, 1), 1);
	unit_check_packet(m, 60, vif_seed(page));
	rte_pktmbuf_free(m);
	vif_expect_rsp(v, id, NETIF_RSP_OKAY);
	vif_expect_no_rsp(v);
}
