/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <rte_trace_point_register.h>

#include "xen_trace.h"

#define POINT(trace) rte_trace_point_t __attribute__((section("__rte_trace_point"))) __##trace
#define REGISTER(trace, name) \
	__rte_trace_point_register(&__##trace, "pmd.net.xen." name, (void (*)(void))trace)

POINT(xen_trace_connected);
POINT(xen_trace_disconnected);
POINT(xen_trace_failed);
POINT(xen_trace_breach);
POINT(xen_trace_rx_burst);
POINT(xen_trace_tx_burst);

/*
 * In place of RTE_TRACE_POINT_REGISTER(): a driver may be loaded twice, from two folders or by a
 * program that has it in itself, and EAL refuses to start when there are two points of a name.
 */
RTE_INIT(xen_trace_points_init)
{
	if (rte_trace_point_lookup("pmd.net.xen.connected") != NULL)
		return;
	REGISTER(xen_trace_connected, "connected");
	REGISTER(xen_trace_disconnected, "disconnected");
	REGISTER(xen_trace_failed, "failed");
	REGISTER(xen_trace_breach, "breach");
	REGISTER(xen_trace_rx_burst, "rx.burst");
	REGISTER(xen_trace_tx_burst, "tx.burst");
}
