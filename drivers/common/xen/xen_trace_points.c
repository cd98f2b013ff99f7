/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#include <rte_trace_point_register.h>

#include "xen_trace.h"

RTE_TRACE_POINT_REGISTER(xen_trace_connected, pmd.net.xen.connected)
RTE_TRACE_POINT_REGISTER(xen_trace_disconnected, pmd.net.xen.disconnected)
RTE_TRACE_POINT_REGISTER(xen_trace_failed, pmd.net.xen.failed)
RTE_TRACE_POINT_REGISTER(xen_trace_breach, pmd.net.xen.breach)
RTE_TRACE_POINT_REGISTER(xen_trace_rx_burst, pmd.net.xen.rx.burst)
RTE_TRACE_POINT_REGISTER(xen_trace_tx_burst, pmd.net.xen.tx.burst)
