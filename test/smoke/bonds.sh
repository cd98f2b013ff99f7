#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# Two vifs as the members of a bond, once Open vSwitch's and once DPDK's own: when the one that
# carries the packets is gone the other one does, and the first one again when it is back.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"
. "$SMOKE/ovs-lib.sh"

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
	rm "$RUN/pings.log"
	for d in 1 2 3; do
		guest_end "$d"
		xensim domain-destroy "$d"
	done
	ip netns del bonded
}

# member_up DOMID: returns when its kernel has it, which may be before the bond has.
member_up()
{
	guest_start "$1"
	wait_for "$LIMIT" guest_has_eth0 "guest$1" || return 1
	ip -n "guest$1" link set eth0 netns bonded name "eth$1"
	ip -n bonded link set "eth$1" master br0 up
}

# fails_over KIND: each member is lost once, while it is the one that carries the packets. KIND_bond
# prints the domain of that one, and how many members the bond can use.
fails_over()
{
	local active round
	wait_for "$LIMIT" bond_is "$1" . 2 || return 1
	for round in 1 2; do
		read -r active _ < <("$1_bond")
		guest_end "$active"
		wait_for "$LIMIT" bond_is "$1" "$((5 - active))" 1 && pings_on 100 || return 1
		info "$1, round $round: from domain $active to domain $((5 - active))"
		member_up "$active" && wait_for "$LIMIT" bond_is "$1" . 2 || return 1
		pings_on 100 || return 1
	done
	! grep DUP "$RUN/pings.log" >&2
}

# bond_is KIND ACTIVE MEMBERS
bond_is()
{
	"$1_bond" | grep -qx "$2 $3"
}

ovs_bond()
{
	appctl bond/show bond0 >"$RUN/bond.log"
	printf '%s %s\n' \
		"$(sed -n 's/^active member mac:.*(vif\([0-9]*\)[.]0)$/\1/p' "$RUN/bond.log")" \
		"$(grep -c '^member .*: enabled$' "$RUN/bond.log")"
}

# Ports 1 and 2 are those of domains 2 and 3.
dpdk_bond()
{
	local answers
	answers=$(grep -c 'Primary:' "$RUN/testpmd.log" || :)
	testpmd show bonding config 3
	wait_for "$LIMIT" dpdk_answered "$((answers + 1))" || return 1
	tail -n 20 "$RUN/testpmd.log" | awk '
		match($0, /Active (Slaves|Members) \([0-9]+\)/) {
			members = substr($0, RSTART, RLENGTH - 1)
			sub(/.*\(/, "", members)
		}
		match($0, /Primary: \[[0-9]+\]/) {
			active = substr($0, RSTART + 10, RLENGTH - 11) + 1
		}
		END { print active, members }'
}

dpdk_answered()
{
	[ "$(grep -c 'Primary:' "$RUN/testpmd.log")" -ge "$1" ]
}

of_ovs()
{
	if ovs_missing ovs; then
		return
	fi
	ovs_start br0 per-port-memory=true
	ovs_port_add br0 1
	vsctl add-bond br0 bond0 vif2.0 vif3.0 bond_mode=active-backup -- \
		set Interface vif2.0 type=dpdk options:dpdk-devargs=net_xenvif2,domid=2,devid=0 -- \
		set Interface vif3.0 type=dpdk options:dpdk-devargs=net_xenvif3,domid=3,devid=0
	guests_up
	pings_start 1 9
	check ovs "no ping passes, or one twice" fails_over ovs
	check ovs-no-errors "see above" ovs_no_errors
	guests_down
	stop_process "${PIDS[vswitchd]}"
}

of_dpdk()
{
	local member=member
	! dpkg --compare-versions "$(pkg-config --modversion libdpdk)" lt 23.11 || member=slave
	testpmd_start net_xenvif0,domid=1,devid=0 net_xenvif1,domid=2,devid=0 \
		net_xenvif2,domid=3,devid=0 \
		"net_bonding0,mode=1,$member=net_xenvif1,$member=net_xenvif2" -- --portlist=0,3
	guests_up
	pings_start 1 9
	check dpdk "no ping passes, or one twice" fails_over dpdk
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
