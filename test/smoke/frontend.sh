#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# A frontend that is killed, resets itself and is detached, while the other vifs of the same
# process carry traffic without loss.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"

killed()
{
	frames_start 3 2 --frames 1000000000 --seed 1
	wait_for "$LIMIT" frames_flow || { not_ok killed "no frames flow"; return; }
	kill -KILL "${PIDS[frames]}"
	wait_for "$LIMIT" process_ended "${PIDS[frames]}"
	check killed "its successor's frames differ, see the log" frames 3 2 --frames 500 --seed 2
}

frames_flow()
{
	[ "$(telemetry xenvif stat 2 opackets 2>/dev/null)" -gt 1000 ]
}

reset()
{
	check reset-100-times "it does not come back" hostile 3 0 reset 100
	check reset-then-frames "frames differ, see the log" frames 3 2 --frames 500 --seed 3
}

detach()
{
	frames_start 3 2 --frames 1000000000 --seed 4
	wait_for "$LIMIT" links_up 2 3 || { not_ok detach "the vif does not connect"; return; }
	# libxl waits 10 s for the answer.
	check detach "not answered with state 6" xensim vif-detach 3 0 --timeout 10
	stop_process "${PIDS[frames]}"
	check attach-again "the backend does not answer" vif_add 3 0 mtu=9000
	check attach-then-frames "frames differ, see the log" frames 3 2 --frames 500 --seed 5
}

main()
{
	local d
	machine_start
	testpmd_start net_xenvif0,domid=1,devid=0 net_xenvif1,domid=2,devid=0 \
		net_xenvif2,domid=3,devid=0 net_xenvif3,domid=3,devid=1 -- --rxq 2 --txq 2 \
		--max-pkt-len=9018 --enable-scatter --tx-offloads=0x8000
	for d in 1 2 3; do
		domain_add "$d"
		vif_add "$d" 0 mtu=9000
	done
	vif_add 3 1 mtu=9000
	guest_start 1
	guest_start 2
	guest_up 1
	guest_up 2
	pings_start 1 2
	killed
	reset
	detach
	check others-undisturbed "pings between other guests were lost" pings_end
	verdict
}

private_main main "$@"
