/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * All that the backend reads of xenstore: the toolstack's keys of the vif, the guest's keys.
 *
 * Input: how many queues the port offers (1 byte: 'a' is one, 'b' two, ...), and lines, see
 * store.h: frontend, frontend-id, hotplug-status, online, state; what the guest has written; rate.
 */

#include "store.h"
#include "xenvif.h"

static void
read_toolstack(const struct xenvif *vif)
{
	struct xen_reason why = { .err = FUZZ_NO_REASON };
	char path[XEN_STORE_VALUE_MAX];
	int ret;

	ret = xenvif_read_frontend(vif, path, &why);
	if (ret != 0)
		fuzz_store_check(ret, &why);
	else
		fuzz_check(strncmp(path, "/local/domain/7/", 16) == 0);
	xenvif_hotplug_done(vif);
	xenvif_online(vif);
	ret = xen_store_read_state(vif->nif.xbdev.path);
	fuzz_check(ret == -ENOTCONN || (ret >= 0 && ret <= XenbusStateReconfigured));
}

static void
check_evtchn(evtchn_port_t port)
{
	fuzz_check(port >= 1 && port <= XEN_EVTCHN_PORT_MAX);
}

static void
read_guest(const struct xenvif *vif)
{
	struct xen_reason why = { .err = FUZZ_NO_REASON };
	struct xenvif_peer_config cfg = { 0 };
	unsigned int i;
	int ret;

	ret = xenvif_read_peer(vif, &cfg, &why);
	if (ret != 0) {
		fuzz_store_check(ret, &why);
		return;
	}
	fuzz_check(cfg.features.rx_copy);
	fuzz_check(cfg.features.queues >= 1 && cfg.features.queues <= vif->nif.args.queues);
	for (i = 0; i < cfg.features.queues; i++) {
		check_evtchn(cfg.queue[i].evtchn_tx);
		check_evtchn(cfg.queue[i].evtchn_rx);
		if (!cfg.features.split_evtchn)
			fuzz_check(cfg.queue[i].evtchn_tx == cfg.queue[i].evtchn_rx);
	}
}

static void
read_rate(const struct xenvif *vif)
{
	struct xen_reason why = { .err = FUZZ_NO_REASON };
	struct xenvif_rate_limit limit;
	int ret;

	ret = xenvif_read_rate(vif, &limit, &why);
	if (ret != 0)
		fuzz_store_check(ret, &why);
	else
		fuzz_check((limit.bytes == 0) == (limit.usec == 0));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct xenvif vif = {
		.nif.args = { .domid = 7, .devid = 1 },
		.nif.xbdev.path = "backend/vif/7/1",
		.nif.xbdev.peer = "/local/domain/7/device/vif/1",
	};
	struct fuzz_input in = { .data = data, .left = size };

	vif.nif.args.queues = 1 + (uint8_t)(fuzz_u8(&in) - 'a') % XEN_NETIF_QUEUES_MAX;
	fuzz_store_set(in.data, in.left);
	read_toolstack(&vif);
	read_guest(&vif);
	read_rate(&vif);
	return 0;
}
