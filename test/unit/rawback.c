/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "rawback.h"
#include "unit.h"
#include "xen_netif.h"

#define BACKEND 1
#define NAME "net_xenfront_t"

struct rawback rawback;

static unsigned int
read_number(const char *key)
{
	return strtoul(unit_read("%s/%s", rawback.front, key), NULL, 10);
}

void
rawback_state(enum xenbus_state state)
{
	char value[8];

	snprintf(value, sizeof(value), "%d", state);
	unit_write(value, "%s/state", rawback.back);
}

bool
rawback_front_is(enum xenbus_state state)
{
	return read_number("state") == state;
}

void
rawback_wait_closed(void)
{
	unit_wait(rawback_front_is(XenbusStateClosed) || rawback_front_is(XenbusStateInitialising));
}

void
rawback_settle(void)
{
	struct xen_netif *nif = rte_eth_devices[rawback.port].data->dev_private;

	xen_bus_settle(&nif->xbdev);
}

/* The toolstack's keys, and what a backend offers. */
static void
make_dirs(void)
{
	static const char *const offers[] = { "feature-rx-copy", "feature-sg", "online",
		"multi-queue-max-queues", "feature-split-event-channels", "feature-gso-tcpv4" };
	unsigned int i;

	unit_write(rawback.front, "%s/frontend", rawback.back);
	unit_write("0", "%s/frontend-id", rawback.back);
	for (i = 0; i < RTE_DIM(offers); i++)
		unit_write("1", "%s/%s", rawback.back, offers[i]);
	unit_write("1", "%s/state", rawback.back);
	unit_write(rawback.back, "%s/backend", rawback.front);
	unit_write("1", "%s/backend-id", rawback.front);
	unit_write("00:16:3e:01:02:03", "%s/mac", rawback.front);
	unit_write("1500", "%s/mtu", rawback.front);
	unit_write("1", "%s/state", rawback.front);
}

void
rawback_release(void)
{
	if (rawback.tx != NULL)
		xengnttab_unmap(rawback.gnttab, rawback.tx, 1);
	if (rawback.rx != NULL)
		xengnttab_unmap(rawback.gnttab, rawback.rx, 1);
	if (rawback.ctrl != NULL)
		xengnttab_unmap(rawback.gnttab, rawback.ctrl, 1);
	rawback.tx = NULL;
	rawback.rx = NULL;
	rawback.ctrl = NULL;
	if (rawback.evtchn != NULL)
		xenevtchn_close(rawback.evtchn);
	rawback.evtchn = NULL;
}

static void
connect_ctrl(void)
{
	if (unit_read("%s/ctrl-ring-ref", rawback.front)[0] == '\0')
		return;
	rawback.ctrl = xengnttab_map_grant_ref(rawback.gnttab, 0, read_number("ctrl-ring-ref"),
			PROT_READ | PROT_WRITE);
	assert_non_null(rawback.ctrl);
	rawback.ctrl_port = xenevtchn_bind_interdomain(rawback.evtchn, 0,
			read_number("event-channel-ctrl"));
	assert_true(rawback.ctrl_port > 0);
	rawback.ctrl_cons = rawback.ctrl->rsp_prod;
}

void
rawback_connect(void)
{
	rawback_state(XenbusStateInitWait);
	unit_wait(rawback_front_is(XenbusStateConnected));
	xensim_set_domid(BACKEND);
	rawback.evtchn = xenevtchn_open(NULL, 0);
	xensim_set_domid(-1);
	assert_non_null(rawback.evtchn);
	rawback.tx = xengnttab_map_grant_ref(rawback.gnttab, 0, read_number("tx-ring-ref"),
			PROT_READ | PROT_WRITE);
	rawback.rx = xengnttab_map_grant_ref(rawback.gnttab, 0, read_number("rx-ring-ref"),
			PROT_READ | PROT_WRITE);
	assert_non_null(rawback.tx);
	assert_non_null(rawback.rx);
	assert_true(xenevtchn_bind_interdomain(rawback.evtchn, 0, read_number("event-channel-tx")) >
			0);
	assert_true(xenevtchn_bind_interdomain(rawback.evtchn, 0, read_number("event-channel-rx")) >
			0);
	rawback.tx_cons = rawback.tx->rsp_prod;
	rawback.rx_prod = rawback.rx->rsp_prod;
	connect_ctrl();
	rawback_state(XenbusStateConnected);
	unit_wait(unit_link(rawback.port));
}

void
rawback_reconnect(void)
{
	rawback_release();
	rawback_state(XenbusStateClosing);
	rawback_state(XenbusStateClosed);
	rawback_wait_closed();
	assert_int_equal(unit_grants(), rawback.pool_grants);
	unit_write("1", "%s/state", rawback.back);
	rawback_connect();
}

void
rawback_tx_answer(uint16_t id, int16_t status)
{
	struct netif_tx_sring *sring = rawback.tx;

	sring->ring[sring->rsp_prod & XEN_NETIF_RING_MASK].rsp =
			(struct netif_tx_response){ .id = id, .status = status };
	xen_ring_store(&sring->rsp_prod, sring->rsp_prod + 1);
}

static int
setup(bool ctrl, const char *more, struct rte_mempool *(*make_pool)(void))
{
	char args[128];

	memset(&rawback, 0, sizeof(rawback));
	unit_log_clear();
	snprintf(rawback.back, sizeof(rawback.back), "/local/domain/1/backend/vif/0/0");
	snprintf(rawback.front, sizeof(rawback.front), "/local/domain/0/device/vif/0");
	xensim_set_domid(BACKEND);
	rawback.gnttab = xengnttab_open(NULL, 0);
	xensim_set_domid(-1);
	assert_non_null(rawback.gnttab);
	make_dirs();
	if (ctrl)
		unit_write("1", "%s/feature-ctrl-ring", rawback.back);
	snprintf(args, sizeof(args), "devid=0,queues=1%s", more);
	assert_int_equal(unit_probe(NAME, args), 0);
	rawback.port = unit_port(NAME);
	if (make_pool != NULL)
		rawback.pool = make_pool();
	rawback.pool_grants = unit_grants();
	unit_start(rawback.port, 1, RTE_ETH_RX_OFFLOAD_SCATTER,
			rawback.pool != NULL ? rawback.pool : unit_pool);
	rawback_connect();
	return 0;
}

void
rawback_setup_pool(bool ctrl, const char *args, struct rte_mempool *(*make_pool)(void))
{
	setup(ctrl, args, make_pool);
}

int
rawback_setup(void **state __rte_unused)
{
	return setup(false, "", NULL);
}

int
rawback_setup_ctrl(void **state __rte_unused)
{
	return setup(true, "", NULL);
}

int
rawback_teardown(void **state __rte_unused)
{
	rawback_release();
	xengnttab_close(rawback.gnttab);
	rawback_state(XenbusStateClosed);
	unit_remove_port(NAME);
	unit_remove("%s", rawback.back);
	unit_remove("%s", rawback.front);
	if (rawback.pool != NULL)
		assert_int_equal(rte_mempool_avail_count(rawback.pool), rawback.pool->size);
	rte_mempool_free(rawback.pool);
	assert_int_equal(unit_grants(), 0);
	assert_int_equal(unit_ports(), 0);
	unit_check_pool();
	return 0;
}

struct xen_netif_ctrl_request
rawback_ctrl_request(void)
{
	unit_wait(xen_ring_load(&rawback.ctrl->req_prod) != rawback.ctrl_cons);
	return xen_ring_ctrl_request(rawback.ctrl, rawback.ctrl_cons++);
}

void
rawback_ctrl_answer(uint16_t id, uint16_t type, uint32_t status)
{
	rawback_ctrl_answer_data(id, type, status, 0);
}

void
rawback_ctrl_answer_data(uint16_t id, uint16_t type, uint32_t status, uint32_t data)
{
	struct xen_netif_ctrl_sring *sring = rawback.ctrl;

	sring->ring[sring->rsp_prod & XEN_NETIF_CTRL_RING_MASK].rsp =
			(struct xen_netif_ctrl_response){
				.id = id,
				.type = type,
				.status = status,
				.data = data,
			};
	xen_ring_store(&sring->rsp_prod, sring->rsp_prod + 1);
	assert_int_equal(xenevtchn_notify(rawback.evtchn, rawback.ctrl_port), 0);
}

void
rawback_read(uint32_t gref, void *to, uint16_t len)
{
	rawback_read_at(gref, 0, to, len);
}

void
rawback_read_at(uint32_t gref, uint16_t offset, void *to, uint16_t len)
{
	xengnttab_grant_copy_segment_t seg = {
		.source.foreign = { .ref = gref, .offset = offset, .domid = 0 },
		.dest.virt = to,
		.len = len,
		.flags = GNTCOPY_source_gref,
	};

	assert_int_equal(xengnttab_grant_copy(rawback.gnttab, 1, &seg), 0);
	assert_int_equal(seg.status, GNTST_okay);
}

void
rawback_put_rx(int id, uint16_t offset, uint16_t flags, int16_t status)
{
	struct netif_rx_response rsp = {
		.id = id >= 0 ? id : (int)(rawback.rx_prod & XEN_NETIF_RING_MASK),
		.offset = offset,
		.flags = flags,
		.status = status,
	};

	rawback.rx->ring[rawback.rx_prod++ & XEN_NETIF_RING_MASK].rsp = rsp;
}

void
rawback_fill_rx(uint32_t slot, uint16_t offset, const void *data, uint16_t len)
{
	xengnttab_grant_copy_segment_t seg = {
		.dest.foreign = {
			.ref = rawback.rx->ring[slot & XEN_NETIF_RING_MASK].req.gref,
			.offset = offset,
			.domid = 0,
		},
		.len = len,
		.flags = GNTCOPY_dest_gref,
	};

	memcpy(&seg.source.virt, &data, sizeof(data));
	assert_int_equal(xengnttab_grant_copy(rawback.gnttab, 1, &seg), 0);
	assert_int_equal(seg.status, GNTST_okay);
}

void
rawback_push_rx(void)
{
	__atomic_store_n(&rawback.rx->rsp_prod, rawback.rx_prod, __ATOMIC_RELEASE);
}
