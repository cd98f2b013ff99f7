#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# The vifs as ports of Open vSwitch with DPDK, as Debian ships it, where it is installed.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"
. "$SMOKE/ovs-lib.sh"

# boots DOMID, dies DOMID: the guest web0, always the same one, as another domain each time.
boots()
{
	domain_add "$1"
	vif_add "$1" 0 mac="$(mac_of 3 0)" vifname=web0 bridge=br0
	guest_start "$1"
	wait_for "$LIMIT" guest_has_eth0 "guest$1" || return 1
	ip -n "guest$1" addr add 10.99.0.3/24 dev eth0
}

dies()
{
	guest_end "$1"
	xensim domain-destroy "$1"
}

# A reboot, as a restore and a migration, is a new domain: its port follows with nobody's help, and
# another guest's ping goes on.
reboots()
{
	local domid
	watch_start
	boots 3 || return 1
	pings_start 1 3
	for domid in 3 4 5; do
		dies "$domid"
		boots "$((domid + 1))" || return 1
		pings_on 100 || return 1
	done
	stop_process "${PIDS[pings]}"
	dies "$((domid + 1))"
	wait_for "$LIMIT" no_port web0 || return 1
	stop_process "${PIDS[watch]}"
}

# dropped PORT: what the switch could not send there, as an administrator sees it.
dropped()
{
	ovs-ofctl dump-ports "unix:$OVS_RUNDIR/br0.mgmt" "$1" |
		sed -n 's/.*tx pkts=.* drop=\([0-9]*\), errs=\([0-9]*\).*/\1/p'
}

# More than a ring takes at a time, and no packet is lost: it waits in the tx descriptors.
load()
{
	tcp_load 1 2 8 || return 1
	info "$(load_result 1); tx_dropped $(dropped vif1.0) and $(dropped vif2.0);" \
		"bursts that found the ring full: $(telemetry xenvif rings 1 tx ring_full)"
	[ "$(dropped vif1.0)" -eq 0 ] && [ "$(dropped vif2.0)" -eq 0 ]
}

# One thread of the switch, with one tx queue, uses all four queues of the guest.
queues_carry()
{
	local q slots
	many_flows 1 2
	for q in 0 1 2 3; do
		slots=$(telemetry xenvif xstat 1 "tx_q${q}_slots") || return 1
		info "queue $q: $slots packets"
		[ "$slots" -ge 20 ] || return 1
	done
}

main()
{
	local d
	if ovs_missing ovs; then
		return
	fi
	machine_start
	ovs_start br0 per-port-memory=true
	for d in 1 2; do
		domain_add "$d"
		ovs_port_add br0 "$d"
		vif_add "$d" 0
		# The second guest has four queues.
		guest_start "$d" 1500 "$((3 * d - 2))"
	done
	guest_up 1
	guest_up 2
	echo_start 2
	check ping "pings were lost" ping_guest 1 2 20
	check tcp "see above" echo_data 1 10.99.0.2
	check load "packets were lost" load
	check queues "a queue of the guest carries nothing" queues_carry
	check reboot "the port does not follow the guest" reboots
	check no-errors "see above" ovs_no_errors
	verdict
}

private_main main "$@"
