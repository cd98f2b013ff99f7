/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include "xenfront.h"

/* How often the backend's answers are looked for, and how often when it has not come in time. */
#define ANSWER_LOOK_MS 20
#define ANSWER_LATE_LOOK_MS 1000
#define ANSWER_LIMIT_MS 5000

/* Is there multicast that the application does not want, and can the backend be told which? */
static bool
filter_wanted(const struct xenfront *front)
{
	return !__atomic_load_n(&front->nif.promiscuous, __ATOMIC_RELAXED) &&
			!__atomic_load_n(&front->nif.allmulticast, __ATOMIC_RELAXED) &&
			!front->filter.mcast.refused && !front->filter.late;
}

/* A list that was refused may be in order by now. */
static void
see_lists(struct xenfront_filter *filter)
{
	uint32_t lists = __atomic_load_n(&filter->lists, __ATOMIC_ACQUIRE);

	if (lists == filter->seen_lists)
		return;
	filter->seen_lists = lists;
	filter->mcast.refused = false;
	filter->until_ms = 0;
}

/* A backend that did not take the list, and cannot be told later, would do the same again. */
void
xenfront_filter_prepare(struct xenfront *front)
{
	const struct xen_netif_features *peer = &front->peer.features;
	struct xenfront_filter *filter = &front->filter;

	see_lists(filter);
	xen_mcast_clear(&filter->mcast.asked);
	if (peer->mcast_dynamic) {
		filter->mcast.refused = false;
		filter->late = false;
	}
	filter->until_ms = 0;
	filter->requested = peer->mcast && !peer->mcast_dynamic && filter_wanted(front);
}

bool
xenfront_filter_misfit(const struct xenfront *front)
{
	return front->connected && front->filter.requested && !front->peer.features.mcast_dynamic &&
			!filter_wanted(front);
}

static void
wait_on(struct xenfront *front)
{
	struct xenfront_filter *filter = &front->filter;
	uint64_t now = xen_bus_now_ms();

	if (filter->until_ms == 0)
		filter->until_ms = now + ANSWER_LIMIT_MS;
	if (now >= filter->until_ms && !filter->late) {
		filter->late = true;
		xen_netif_log(&front->nif, XEN_NETIF_NOTED,
				"the backend does not answer for its list of multicast addresses: "
				"all multicast is asked for");
	}
	xen_bus_set_timer(&front->nif.xbdev, filter->late ? ANSWER_LATE_LOOK_MS : ANSWER_LOOK_MS);
}

/* Have the list be what the application wants; true: it is. */
static bool
sync_list(struct xenfront *front)
{
	struct xenfront_filter *filter = &front->filter;
	struct xen_netif_rings *rings = &front->nif.rings;
	bool refused = filter->mcast.refused;
	enum xenfront_mcast_result result;

	result = xenfront_mcast_sync(rings, &rings->tx[0], &filter->mcast, &rings->mcast);
	if (filter->mcast.refused && !refused)
		xen_netif_log(&front->nif, XEN_NETIF_NOTED,
				"the backend refuses a multicast address: all multicast is asked "
				"for");
	if (result == XENFRONT_MCAST_WAITS) {
		wait_on(front);
	} else {
		filter->until_ms = 0;
		filter->late = false;
	}
	return result == XENFRONT_MCAST_DONE;
}

/* The filter is asked for when the list is complete, and for no longer than all of it counts. */
void
xenfront_filter_step(struct xenfront *front)
{
	struct xenfront_filter *filter = &front->filter;
	bool done, on;

	if (!front->peer.features.mcast && !front->peer.features.mcast_dynamic)
		return;
	see_lists(filter);
	done = sync_list(front);
	on = filter_wanted(front) && (done || filter->requested);
	if (on == filter->requested)
		return;
	if (!front->peer.features.mcast_dynamic) {
		/* See xenfront_filter_misfit(). */
		if (filter->requested)
			xen_bus_kick(&front->nif.xbdev);
		return;
	}
	if (xenfront_write_mcast(front, on) == 0)
		filter->requested = on;
}

int
xenfront_filter_mc_list_set(struct rte_eth_dev *dev, struct rte_ether_addr *list, uint32_t nb)
{
	struct xenfront *front = dev->data->dev_private;
	int ret = xen_netif_ops.set_mc_addr_list(dev, list, nb);

	if (ret < 0)
		return ret;
	__atomic_fetch_add(&front->filter.lists, 1, __ATOMIC_RELEASE);
	xen_bus_kick(&front->nif.xbdev);
	return 0;
}
