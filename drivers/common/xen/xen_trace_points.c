/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <rte_trace_point_register.h>

#include "xen_compat.h"
#include "xen_trace.h"

#define POINT(trace) rte_trace_point_t XEN_SECTION("__rte_trace_point") __##trace
#define REGISTER(trace, name) \
	__rte_trace_point_register(&__##trace, "pmd.net.xen." name, XEN_TRACE_REGISTER(trace))

POINT(rte_xen_trace_connected);
POINT(rte_xen_trace_disconnected);
POINT(rte_xen_trace_failed);
POINT(rte_xen_trace_breach);
RTE_EXPORT_INTERNAL_SYMBOL(__rte_xen_trace_rx_burst)
POINT(rte_xen_trace_rx_burst);
RTE_EXPORT_INTERNAL_SYMBOL(__rte_xen_trace_tx_burst)
POINT(rte_xen_trace_tx_burst);

/*
 * In place of RTE_TRACE_POINT_REGISTER(): a driver may be loaded twice, from two folders or by a
 * program that has it in itself, and EAL refuses to start when there are two points of a name.
 */
RTE_INIT(xen_trace_points_init)
{
	if (rte_trace_point_lookup("pmd.net.xen.connected") != NULL)
		return;
	REGISTER(rte_xen_trace_connected, "connected");
	REGISTER(rte_xen_trace_disconnected, "disconnected");
	REGISTER(rte_xen_trace_failed, "failed");
	REGISTER(rte_xen_trace_breach, "breach");
	REGISTER(rte_xen_trace_rx_burst, "rx.burst");
	REGISTER(rte_xen_trace_tx_burst, "tx.burst");
}
