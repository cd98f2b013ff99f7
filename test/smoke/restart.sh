#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# kill -9 of the backend under load, then a new one: the guests' TCP goes on within 2 s of the new
# process being up, and their frontends notice nothing.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"

# What one attempt may take, and how many attempts a loaded machine gets.
WITHIN_MS=2000
ATTEMPTS=3

backend()
{
	testpmd_start net_xenvif0,domid=1,devid=0 net_xenvif1,domid=2,devid=0 --
}

now_ms()
{
	echo $(($(date +%s%N) / 1000000))
}

# restart: kill and start; went_on_ms is how many ms after the start TCP went on.
restart()
{
	local before up
	kill -KILL "${PIDS[testpmd]}"
	wait_for "$LIMIT" process_ended "${PIDS[testpmd]}"
	before=$(received)
	backend
	up=$(now_ms)
	wait_for "$LIMIT" received_more_than "$((before + 200000))" || return 1
	went_on_ms=$(($(now_ms) - up))
}

carries_on()
{
	local i
	for ((i = 1; i <= ATTEMPTS; i++)); do
		restart || { not_ok carries-on "TCP stands still"; return; }
		info "attempt $i: TCP went on $went_on_ms ms after the new backend was up"
		if [ "$went_on_ms" -le "$WITHIN_MS" ]; then
			ok carries-on
			return
		fi
	done
	not_ok carries-on "$went_on_ms ms after the new backend was up, not $WITHIN_MS"
}

# What the dead backend left in the rings is none of the next one's copies.
no_copy_failed()
{
	local p
	for p in 0 1; do
		[ "$(rings "$p" rx copy_errors)" = 0 ] || return 1
		[ "$(rings "$p" tx copy_errors)" = 0 ] || return 1
	done
}

not_reconnected()
{
	local d
	for d in 1 2; do
		[ "$(telemetry "guest$d" xstat 0 connects)" = 1 ] || return 1
		# The watch fires once when it is set.
		[ "$(grep -c . "$RUN/state$d.log")" -eq 1 ] || return 1
	done
}

main()
{
	local d
	machine_start
	domain_add 1
	domain_add 2
	backend
	for d in 1 2; do
		vif_add "$d" 0
		guest_start "$d"
	done
	guest_up 1
	guest_up 2
	for d in 1 2; do
		in_background "state$d" "$BUILD/test/xensim/xensim" exec 0 -- \
			xenstore-watch "/local/domain/$d/device/vif/0/state"
	done
	in_background server ip netns exec guest2 iperf3 -s
	wait_for "$LIMIT" guest_listens 2 5201
	in_background client ip netns exec guest1 iperf3 -c 10.99.0.2 -t 3600
	wait_for "$LIMIT" received_more_than 1000000 || not_ok load "no TCP before the restart"
	carries_on
	check no-copy-failed "the new backend met responses for requests" no_copy_failed
	check frontends-undisturbed "a frontend was reconnected" not_reconnected
	verdict
}

private_main main "$@"
