#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# What Open vSwitch is asked for of its ports: a larger MTU, a mirror of all packets at a third
# guest, twenty times a port that goes and comes.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"
. "$SMOKE/ovs-lib.sh"

# A vif of MTU 9000 has long packets as soon as its port is asked for them.
long_packets()
{
	local d
	for d in 1 2 3; do
		vsctl set Interface "vif$d.0" mtu_request=9000 || return 1
	done
	wait_for "$LIMIT" ping_answered 1 10.99.0.2 20 -M "do" -s 8000
}

mtu_taken()
{
	[ "$(vsctl get Interface vif1.0 mtu)" = 9000 ] &&
		[ "$(vsctl get Interface vif2.0 mtu)" = 9000 ]
}

# A packet of 1,234 bytes and its answer are seen by the third guest.
mirrored()
{
	ping_answered 1 10.99.0.2 10 -s 1234 &&
		[ "$(grep -c 'ICMP echo reply.* length 1242' "$RUN/mirror.log")" -ge 10 ]
}

# Open vSwitch 3.1 may leave the flows that it has as they were before there was a mirror, whatever
# their ports are: they are removed.
mirror()
{
	vsctl -- --id=@out get Port vif3.0 -- --id=@all create Mirror name=all select-all=true \
		output-port=@out -- set Bridge br0 mirrors=@all || return 1
	appctl revalidator/purge || return 1
	in_background mirror ip netns exec guest3 tcpdump -l -n -i eth0 icmp
	wait_for "$LIMIT" mirrored || return 1
	stop_process "${PIDS[mirror]}"
	vsctl clear Bridge br0 mirrors
}

fds()
{
	find "/proc/${PIDS[vswitchd]}/fd" -mindepth 1 | wc -l
}

# The first of them may leave what is made once.
twenty_cycles()
{
	local i before=0
	for i in $(seq 20); do
		vsctl del-port br0 vif2.0 && ovs_port_add br0 2 || return 1
		wait_for "$LIMIT" ping_guest 1 2 5 || return 1
		[ "$i" -ne 2 ] || before=$(fds)
	done
	info "$before file descriptors, then $(fds)"
	[ "$(fds)" -eq "$before" ]
}

main()
{
	local d
	if ovs_missing ovs-ports; then
		return
	fi
	machine_start
	# Three pools of packets of 9,000 bytes.
	OVS_MEMORY=1024
	ovs_start br0 per-port-memory=true
	for d in 1 2 3; do
		domain_add "$d"
		ovs_port_add br0 "$d"
		vif_add "$d" 0 mtu=9000
		guest_start "$d" 9000
	done
	for d in 1 2 3; do
		guest_up "$d"
	done
	check ping "pings were lost" ping_guest 1 2 20
	check mtu "no long packet passes" long_packets
	check mtu-taken "$(vsctl get Interface vif1.0 mtu)" mtu_taken
	check mirror "the third guest does not see them" mirror
	check cycles "no ping passes, or files are left open" twenty_cycles
	check no-errors "see above" ovs_no_errors
	verdict
}

private_main main "$@"
