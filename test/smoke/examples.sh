#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# DPDK's example programs, from the source of the installed version, between two guests: l3fwd
# routes by packet types, ip_reassembly puts fragments together, and link_status_interrupt is told
# of guests that go and come.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"
. "$SMOKE/examples-lib.sh"

PROGRAMS=(l3fwd ip_reassembly link_status_interrupt)

# guests_start MTU DOMID...
guests_start()
{
	local d
	for d in "${@:2}"; do
		vif_add "$d" 0 "mtu=$1"
		guest_start "$d" "$1"
	done
}

guest_leaves()
{
	guest_end "$1"
	xensim vif-destroy "$1" 0 >>"$RUN/xensim.log" 2>&1
}

example_end()
{
	stop_process "${PIDS[$1]}"
	guest_leaves 1
	guest_leaves 2
}

routes()
{
	# It has the networks 198.18.0.0/24 and 198.18.1.0/24 on its ports 0 and 1.
	example_start l3fwd -p 0x3 -P --config="(0,0,0),(1,0,0)"
	guests_start 1500 1 2
	routed_guest 1 198.18.0
	routed_guest 2 198.18.1
	check l3fwd-starts "it does not start" \
		wait_for "$LIMIT" example_says l3fwd 'entering main loop'
	check l3fwd "pings were lost" ping_answered 1 198.18.1.2 100
	example_end l3fwd
}

# reassembled DOMID: fragments that the guest itself had to put together.
reassembled()
{
	ip netns exec "guest$1" nstat -asz IpReasmReqds |
		awk '$1 == "IpReasmReqds" { n = $2 } END { print n + 0 }'
}

# Pings of three fragments, each way.
reassembles()
{
	ping_answered 1 100.20.0.2 20 -s 4000 &&
		[ "$(reassembled 1)" -eq 0 ] && [ "$(reassembled 2)" -eq 0 ]
}

reassembly()
{
	local TESTPMD_MEMORY=(--no-huge -m 1024)
	# It has the networks 100.10.0.0/16 and 100.20.0.0/16 on its ports 0 and 1.
	example_start ip_reassembly -p 0x3 -q 2 --maxflows=64 --flowttl=10s
	guests_start 9000 1 2
	routed_guest 1 100.10.0
	routed_guest 2 100.20.0
	# They take long packets, and send short ones.
	ip -n guest1 link set eth0 mtu 1500
	ip -n guest2 link set eth0 mtu 1500
	check ip_reassembly-starts "it does not start" \
		wait_for "$LIMIT" example_says ip_reassembly 'entering main loop'
	check ip_reassembly "pings were lost, or came in fragments" reassembles
	example_end ip_reassembly
}

# link_told STATE N: it has been told N times that the second port's link is so.
link_told()
{
	[ "$(grep -A 2 'In registered callback' "$RUN/link_status_interrupt.log" |
		grep -c "Port 1 Link $1")" -ge "$2" ]
}

links()
{
	example_start link_status_interrupt -p 0x3 -q 2 -T 0
	check link_status_interrupt-starts "it does not start" \
		wait_for "$LIMIT" example_says link_status_interrupt 'Checking link status'
	guests_start 1500 1 2
	# What it sends has the address of its port's number.
	routed_guest 1 10.98.0
	routed_guest 2 10.98.1
	check link_status_interrupt-up "no event" wait_for "$LIMIT" link_told up 1
	wait_for "$LIMIT" example_says link_status_interrupt 'entering main loop' || :
	check link_status_interrupt "pings were lost" ping_answered 1 10.99.0.2 100
	guest_leaves 2
	check link_status_interrupt-down "no event" wait_for "$LIMIT" link_told down 1
	guests_start 1500 2
	routed_guest 2 10.98.1
	check link_status_interrupt-up-again "no event" wait_for "$LIMIT" link_told up 2
	check link_status_interrupt-again "pings were lost" ping_answered 1 10.99.0.2 100
	example_end link_status_interrupt
}

main()
{
	local program
	for program in "${PROGRAMS[@]}"; do
		check "$program-build" "it does not build" example_build "$program"
		[ -x "$RUN/$program" ] || verdict
	done
	machine_start
	domain_add 1
	domain_add 2
	routes
	reassembly
	links
	verdict
}

private_main main "$@"
