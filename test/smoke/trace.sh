#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# Tracepoints: drivers built with enable_trace_fp, in testpmd with --trace, tell babeltrace of
# connections, of a guest that breaks the protocol, and of each burst.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"

build()
{
	meson setup "$RUN/fp" "$TREE" -Denable_trace_fp=true -Dtests=false >&2 &&
		nice ninja -C "$RUN/fp" >&2
}

# traced EVENT FIELDS: the trace has such an event.
traced()
{
	babeltrace2 "$RUN"/trace/* >"$RUN/events.log" 2>"$RUN/babeltrace.log" || return 1
	grep -qE "pmd\.net\.xen\.$1: .*$2" "$RUN/events.log"
}

main()
{
	local d
	if [ -z "$(command -v babeltrace2)" ]; then
		echo "skip trace - babeltrace2 is not installed"
		return
	fi
	need_commands meson ninja
	check build "the drivers cannot be built" build
	machine_start
	DRIVERS=$RUN/fp/drivers
	TESTPMD_MEMORY+=(--trace='pmd\.net\.xen\..*' --trace-dir="$RUN/trace")
	mkdir "$RUN/trace"
	testpmd_start net_xenvif0,domid=1,devid=0 net_xenvif1,domid=2,devid=0 \
		net_xenvif2,domid=3,devid=0 --
	for d in 1 2 3; do
		domain_add "$d"
		vif_add "$d" 0
	done
	for d in 1 2; do
		guest_start "$d"
		guest_up "$d"
	done
	check ping "pings were lost" ping_guest 1 2 20
	error_shared 3 0
	hostile 3 0 req-prod-ahead-257 >"$RUN/hostile.log" || :
	check stops "testpmd does not end" testpmd_stop
	check connected "no connection in the trace" \
		traced connected 'port_id = 0x1, queues = 0x1 '
	check breach "no breach in the trace" \
		traced breach 'port_id = 0x2, tx = 0x0, ring = 0x0, why = "req_prod more than'
	check disconnected "no disconnection in the trace" \
		traced disconnected 'port_id = 0x2, why = "disconnected'
	check rx-burst "no received packets in the trace" \
		traced rx.burst 'port_id = 0x0, ring = 0x0, packets = 0x[1-9]'
	check tx-burst "no sent packets in the trace" \
		traced tx.burst 'port_id = 0x1, ring = 0x0, packets = 0x[1-9]'
	verdict
}

private_main main "$@"
