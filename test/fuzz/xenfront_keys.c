/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

/*
 * All that the frontend reads of xenstore: the toolstack's keys of the vif, the backend's keys; and
 * what it does when writing its own meets with difficulties.
 *
 * Input: how many queues it writes (1 byte: 'a' is one, 'b' two, ...), and lines, see store.h:
 * backend, mac, mtu, online, backend-id; what the backend has written; and an answer to each key
 * that is written or removed.
 */

#include "store.h"
#include "xenfront.h"

static struct xenfront_pair pairs[XEN_NETIF_QUEUES_MAX];

static void
read_toolstack(const struct xenfront *front)
{
	struct xen_reason why = { .err = FUZZ_NO_REASON };
	char path[XEN_STORE_VALUE_MAX];
	struct rte_ether_addr mac;
	uint32_t mtu;
	int ret;

	ret = xenfront_read_backend(front, path, &why);
	if (ret != 0)
		fuzz_store_check(ret, &why);
	else
		fuzz_check(path[0] == '\0' || xen_store_path_good(path));
	if (xenfront_read_mac(front, &mac))
		fuzz_check(rte_is_valid_assigned_ether_addr(&mac));
	if (xenfront_read_mtu(front, &mtu))
		fuzz_check(mtu <= UINT16_MAX);
	xenfront_backend_online(front);
}

static void
read_backend(struct xenfront *front)
{
	struct xen_reason why = { .err = FUZZ_NO_REASON };
	int ret;

	memset(&front->peer, 0, sizeof(front->peer));
	ret = xenfront_read_peer(front, &front->peer, &why);
	if (ret != 0) {
		fuzz_store_check(ret, &why);
		return;
	}
	fuzz_check(front->peer.domid <= XEN_DOMID_MAX);
	fuzz_check(front->peer.features.queues >= 1 && front->peer.features.rx_copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct xenfront front = {
		.nif.args = { .devid = 1 },
		.nif.xbdev.path = "device/vif/1",
		.nif.xbdev.peer = "/local/domain/0/backend/vif/7/1",
	};
	struct fuzz_input in = { .data = data, .left = size };
	unsigned int i;

	front.nif.nb_queues = 1 + (uint8_t)(fuzz_u8(&in) - 'a') % XEN_NETIF_QUEUES_MAX;
	for (i = 0; i < front.nif.nb_queues; i++)
		front.pairs[i] = &pairs[i];
	fuzz_store_set(in.data, in.left);
	read_toolstack(&front);
	read_backend(&front);
	fuzz_check(xenfront_publish(&front) <= 0);
	return 0;
}
