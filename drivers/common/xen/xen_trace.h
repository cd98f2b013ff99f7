/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 The xenvif contributors
 */

#ifndef XEN_TRACE_H
#define XEN_TRACE_H

/**
 * @file
 * What the drivers tell DPDK's trace library (CTF, as babeltrace reads it): see --trace of any
 * DPDK application. Texts are as long as that library's strings, which is 31 bytes.
 */

#include <rte_trace_point.h>

/* The headers of an installed DPDK without enable_trace_fp do not let others have it. */
#ifdef XEN_TRACE_FP
#define XEN_TRACE_POINT_FP RTE_TRACE_POINT
#else
#define XEN_TRACE_POINT_FP RTE_TRACE_POINT_FP
#endif

/** A vif is connected, with so many queue pairs. */
RTE_TRACE_POINT(rte_xen_trace_connected, RTE_TRACE_POINT_ARGS(uint16_t port_id, uint16_t queues),
		rte_trace_point_emit_u16(port_id);
		rte_trace_point_emit_u16(queues);)

/** It is no longer, or was not to be connected: what the log says of that. */
RTE_TRACE_POINT(rte_xen_trace_disconnected, RTE_TRACE_POINT_ARGS(uint16_t port_id, const char *why),
		rte_trace_point_emit_u16(port_id);
		rte_trace_point_emit_string(why);)
RTE_TRACE_POINT(rte_xen_trace_failed, RTE_TRACE_POINT_ARGS(uint16_t port_id, const char *why),
		rte_trace_point_emit_u16(port_id);
		rte_trace_point_emit_string(why);)

/** The other end has broken the protocol on a ring; tx: of the application's tx queues. */
RTE_TRACE_POINT(rte_xen_trace_breach,
		RTE_TRACE_POINT_ARGS(uint16_t port_id, uint8_t tx, uint16_t ring, const char *why),
		rte_trace_point_emit_u16(port_id);
		rte_trace_point_emit_u8(tx); rte_trace_point_emit_u16(ring);
		rte_trace_point_emit_string(why);)

/**
 * A burst's work on one ring: packets, and the index up to which its slots are dealt with. Only in
 * drivers that are built with enable_trace_fp.
 */
XEN_TRACE_POINT_FP(rte_xen_trace_rx_burst,
		   RTE_TRACE_POINT_ARGS(uint16_t port_id, uint16_t ring, uint16_t packets,
				   uint32_t cons),
		   rte_trace_point_emit_u16(port_id);
		   rte_trace_point_emit_u16(ring); rte_trace_point_emit_u16(packets);
		   rte_trace_point_emit_u32(cons);)
XEN_TRACE_POINT_FP(rte_xen_trace_tx_burst,
		   RTE_TRACE_POINT_ARGS(uint16_t port_id, uint16_t ring, uint16_t packets,
				   uint32_t cons),
		   rte_trace_point_emit_u16(port_id);
		   rte_trace_point_emit_u16(ring); rte_trace_point_emit_u16(packets);
		   rte_trace_point_emit_u32(cons);)

#endif /* XEN_TRACE_H */
