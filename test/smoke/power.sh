#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# DPDK's l3fwd-power, from the source of the installed version: it sleeps on the rx interrupts of
# two vifs, routes between their guests, and takes hardly any time while there is nothing to do.
# Then it polls, with pauses; and sleeps until somebody writes to a ring.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"
. "$SMOKE/examples-lib.sh"

IDLE_SECONDS=10

routed()
{
	ping_answered 1 2.1.1.2 200 || return 1
	info "$(tail -n 2 "$RUN/ping.log")"
}

# From the first ping on that is answered.
routed_from_begin()
{
	wait_for "$LIMIT" guest 1 ping -q -c 1 -W 1 2.1.1.2 >/dev/null && routed
}

idle()
{
	local before after
	before=$(process_ticks "${PIDS[l3fwd-power]}")
	sleep $IDLE_SECONDS
	after=$(process_ticks "${PIDS[l3fwd-power]}")
	info "l3fwd-power has run for $((after - before)) of $((IDLE_SECONDS * 100)) ticks"
	[ $((after - before)) -lt $IDLE_SECONDS ]
}

# router_start ARG...: it has the networks 1.1.1.0/24 and 2.1.1.0/24 on its ports 0 and 1.
router_start()
{
	example_start l3fwd-power -p 0x3 -P --config="(0,0,0),(1,0,0)" "$@"
}

router_again()
{
	stop_process "${PIDS[l3fwd-power]}"
	: >"$RUN/l3fwd-power.log"
	router_start "$@"
}

# On a processor that cannot wait for a write it ends at once.
no_monitor()
{
	router_again --pmd-mgmt=monitor
	wait_for "$LIMIT" process_ended "${PIDS[l3fwd-power]}" || return 1
	grep -q "rte_power_ethdev_pmgmt_queue_enable: err=-95" "$RUN/l3fwd-power.log"
}

# It sleeps where the ports tell it to, by a stand-in for the processor; also while a guest goes and
# comes again.
monitors()
{
	LD_PRELOAD=$BUILD/test/smoke/libumwait.so router_again --pmd-mgmt=monitor
	routed_from_begin || return 1
	wait_for "$LIMIT" grep -q 'umwait: 1000 sleeps' "$RUN/l3fwd-power.log" || return 1
	grep -q 'umwait: 100 wake-ups' "$RUN/l3fwd-power.log" || return 1
	guest_end 2
	guest_start 2
	routed_guest 2 2.1.1
	routed_from_begin
}

main()
{
	local d
	check build "it does not build" example_build l3fwd-power
	[ -x "$RUN/l3fwd-power" ] || verdict
	machine_start
	domain_add 1
	domain_add 2
	router_start --interrupt-only
	for d in 1 2; do
		vif_add "$d" 0
		guest_start "$d"
	done
	routed_guest 1 1.1.1
	routed_guest 2 2.1.1
	check starts "it does not start" \
		wait_for "$LIMIT" example_says l3fwd-power 'entering main interrupt loop'
	check routes "pings were lost" routed
	check idle "it runs though there is nothing to do" idle
	check routes-again "pings were lost" routed
	router_again --pmd-mgmt=pause
	check pause "pings were lost" routed_from_begin
	grep -qw waitpkg /proc/cpuinfo || check no-monitor "see l3fwd-power.log" no_monitor
	check monitor "see l3fwd-power.log" monitors
	verdict
}

private_main main "$@"
