#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# Two vifs as the members of a bond, once Open vSwitch's and once DPDK's own: when the one that
# carries the packets is gone the other one does, and the first one again when it is back.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"

# Domain 1 is behind a port of its own; what is behind the bond are domains 2 and 3 with one kernel,
# in a namespace of its own: a bridge, so that a packet of both members would come twice.
guests_up()
{
	local d
	ip netns add bonded
	ip -n bonded link add br0 address "$(mac_of 9 0)" type bridge
	ip -n bonded addr add 10.99.0.9/24 dev br0
	ip -n bonded link set br0 up
	for d in 1 2 3; do
		domain_add "$d"
		vif_add "$d" 0
	done
	guest_start 1
	guest_up 1
	member_up 2
	member_up 3
}

guests_down()
{
	local d
	stop_process "${PIDS[pings]}"
	for d in 1 2 3; do
		guest_down "$d"
		xensim domain-destroy "$d"
	done
	ip netns del bonded
}

guest_down()
{
	stop_process "${PIDS[guest$1]}"
	ip netns del "guest$1"
}

member_up()
{
	guest_start "$1"
	wait_for "$LIMIT" guest_has_eth0 "guest$1" || return 1
	ip -n "guest$1" link set eth0 netns bonded name "eth$1"
	ip -n bonded link set "eth$1" master br0 up
}

# pings_on COUNT: so many more are answered.
pings_on()
{
	local answers
	answers=$(grep -c "bytes from" "$RUN/pings.log")
	wait_for "$LIMIT" pings_reach "$((answers + $1))"
}

# fails_over ACTIVE: ACTIVE prints the domain whose vif carries the packets. Each is lost once.
fails_over()
{
	local active round
	for round in 1 2; do
		active=$("$1")
		guest_down "$active"
		wait_for "$LIMIT" active_is "$1" "$((5 - active))" && pings_on 100 || return 1
		info "$1, round $round: from domain $active to domain $("$1")"
		member_up "$active" && pings_on 100 || return 1
	done
}

active_is()
{
	[ "$("$1")" = "$2" ]
}

ovs_active()
{
	ovs-appctl -t "$(echo "$OVS_RUNDIR"/ovs-vswitchd*.ctl)" bond/show bond0 |
		sed -n 's/^active member mac:.*(vif\([0-9]*\)[.]0)$/\1/p'
}

# testpmd's answer to the last question.
dpdk_active()
{
	testpmd show bonding config 3
	pause 0.2
	echo $(($(sed -n 's/.*Primary: \[\([0-9]\)\].*/\1/p' "$RUN/testpmd.log" | tail -n 1) + 1))
}

of_ovs()
{
	if [ ! -x "$VSWITCHD" ]; then
		echo "skip ovs - openvswitch-switch-dpdk is not installed"
		return
	fi
	ovs_start br0 per-port-memory=true
	ovs_port_add br0 1
	vsctl add-bond br0 bond0 vif2.0 vif3.0 bond_mode=active-backup -- \
		set Interface vif2.0 type=dpdk options:dpdk-devargs=net_xenvif2,domid=2,devid=0 -- \
		set Interface vif3.0 type=dpdk options:dpdk-devargs=net_xenvif3,domid=3,devid=0
	guests_up
	pings_start 1 9
	check ovs "no ping passes" fails_over ovs_active
	check ovs-no-errors "see above" ovs_no_errors
	guests_down
	stop_process "${PIDS[vswitchd]}"
}

of_dpdk()
{
	testpmd_start net_xenvif0,domid=1,devid=0 net_xenvif1,domid=2,devid=0 \
		net_xenvif2,domid=3,devid=0 \
		net_bonding0,mode=1,slave=net_xenvif1,slave=net_xenvif2 -- --portlist=0,3
	guests_up
	pings_start 1 9
	check dpdk "no ping passes" fails_over dpdk_active
	check dpdk-stops "testpmd does not end" testpmd_stop
}

main()
{
	machine_start
	of_ovs
	of_dpdk
	verdict
}

private_main main "$@"
