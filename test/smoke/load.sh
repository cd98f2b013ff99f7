#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# Two guests through testpmd's forward mode io, which sends nothing again: no packet is lost to a
# guest that keeps up on average.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"

# dropped: what testpmd has received and could not send, on all ports.
dropped()
{
	local before
	before=$(shown)
	testpmd show fwd stats all
	wait_for "$LIMIT" shown_more_than "$before" || return 1
	sed -n 's/.*TX-dropped: \([0-9]*\).*/\1/p' "$RUN/testpmd.log" | tail -n 1
}

shown()
{
	grep -c 'Accumulated forward statistics' "$RUN/testpmd.log" || :
}

# The table ends in a line of pluses of its own.
shown_more_than()
{
	[ "$(shown)" -gt "$1" ] &&
		sed '1,/Accumulated forward/d' "$RUN/testpmd.log" | grep -q '+++++'
}

load()
{
	local lost
	tcp_load 1 2 6 || return 1
	lost=$(dropped) || return 1
	info "$(load_result 1); TX-dropped $lost;" \
		"bursts that found the ring full: $(telemetry xenvif rings 1 tx ring_full)"
	[ "$lost" -eq 0 ] && [ "$(telemetry xenvif stat 0 oerrors)" -eq 0 ] &&
		[ "$(telemetry xenvif stat 1 oerrors)" -eq 0 ]
}

main()
{
	local d
	machine_start
	domain_add 1
	domain_add 2
	testpmd_start net_xenvif0,domid=1,devid=0 net_xenvif1,domid=2,devid=0 -- --txd=1024
	for d in 1 2; do
		vif_add "$d" 0
		guest_start "$d"
	done
	guest_up 1
	guest_up 2
	check ping "pings were lost" ping_guest 1 2 20
	check load "packets were lost" load
	check end "testpmd does not end" testpmd_stop
	verdict
}

private_main main "$@"
