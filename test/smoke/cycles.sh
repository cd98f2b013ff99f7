#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# 1,000 times a port attached, started and detached in stock testpmd: nothing is left of it.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"

CYCLES=1000
# Resident memory may move by this much, once the first cycles are over.
SLACK_KB=4096

# cycle_wait: a cycle that waits for the vif to be connected before it goes.
cycle_wait()
{
	testpmd port attach net_xenvif1,domid=2,devid=0
	testpmd port start 1
	testpmd start
	wait_for "$LIMIT" links_up 1 || return 1
	detach_one
}

detach_one()
{
	local before
	before=$(detached)
	testpmd stop
	testpmd port stop 1
	testpmd port detach 1
	wait_for "$LIMIT" detached_at_least "$((before + 1))"
}

detached()
{
	grep -c "Device is detached" "$RUN/testpmd.log" || :
}

detached_at_least()
{
	[ "$(detached)" -ge "$1" ]
}

fds()
{
	find "/proc/${PIDS[testpmd]}/fd" -mindepth 1 | wc -l
}

threads()
{
	find "/proc/${PIDS[testpmd]}/task" -mindepth 1 -maxdepth 1 | wc -l
}

resident_kb()
{
	sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/${PIDS[testpmd]}/status"
}

heap_allocs()
{
	telemetry xenvif ask /eal/heap_info 0 | sed -n 's/.*"Alloc_count": \([0-9]*\).*/\1/p'
}

snapshot()
{
	echo "fds=$(fds) threads=$(threads) maps=$(counter maps_live) ports=$(counter ports_live)" \
		"allocations=$(heap_allocs)"
}

# Many at a time, as fast as testpmd reads its commands.
cycles()
{
	local i done=0 batch=50
	while [ "$done" -lt "$CYCLES" ]; do
		for ((i = 0; i < batch; i++)); do
			testpmd port attach net_xenvif1,domid=2,devid=0
			testpmd port start 1
			testpmd start
			testpmd stop
			testpmd port stop 1
			testpmd port detach 1
		done
		done=$((done + batch))
		wait_for "$((4 * LIMIT))" detached_at_least "$(($1 + done))" || return 1
	done
}

main()
{
	local before after kb i
	machine_start
	testpmd_start net_xenvif0,domid=1,devid=0 net_xenvif1,domid=2,devid=0 --
	for i in 1 2; do
		domain_add "$i"
		vif_add "$i" 0
		guest_start "$i"
	done
	wait_for "$LIMIT" links_up 0 1 || die "the vifs do not connect"
	# What follows is for a frontend that stays connected: each backend finds it so.
	detach_one
	for i in 1 2 3; do
		cycle_wait || die "cycle $i does not end"
	done
	before=$(snapshot)
	kb=$(resident_kb)
	check cycles "they do not end" cycles "$(detached)"
	check connected-cycles "it does not connect any more" cycle_wait
	after=$(snapshot)
	info "before: $before; after: $after; resident: $kb, then $(resident_kb) KiB"
	check nothing-left "before: $before, after: $after" [ "$before" = "$after" ]
	check memory "$kb KiB, after it $(resident_kb)" \
		[ "$(($(resident_kb) - kb))" -lt "$SLACK_KB" ]
	verdict
}

private_main main "$@"
