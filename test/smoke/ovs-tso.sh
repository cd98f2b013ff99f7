#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# Open vSwitch with DPDK and userspace-tso-enable: TCP packets of up to 64 KiB pass whole from one
# guest to another, and are cut for a guest that takes no such packets.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"
. "$SMOKE/ovs-lib.sh"

# tcp TO: to guest TO and back, by both versions of IP.
tcp()
{
	local address
	echo_start "$1"
	for address in "10.99.0.$1" "fd99::$1"; do
		check "tcp-$address" "see above" echo_data 1 "$address" --bytes 20000000
	done
	stop_process "${PIDS[server]}"
}

# Packets are cut only while a queue has no buffer for them.
passed_whole()
{
	local port dir whole cut
	for port in 0 1; do
		for dir in rx tx; do
			whole=$(rings "$port" "$dir" gso_whole) || return 1
			cut=$(rings "$port" "$dir" gso_cut) || return 1
			info "port $port $dir: $whole packets whole, $cut cut"
			[ "$whole" -ge 300 ] && [ "$cut" -le "$((whole / 20))" ] || return 1
		done
	done
}

cut_for_others()
{
	[ "$(rings 2 tx gso_cut)" -ge 300 ] && [ "$(rings 2 tx gso_whole)" -eq 0 ] &&
		[ "$(rings 2 rx gso_whole)" -eq 0 ]
}

# few_again: of a hundred segments TCP has sent no more than one again, in each of the guests.
few_again()
{
	local d sent again
	for d in 1 2 3; do
		sent=$(guest "$d" nstat -asz TcpOutSegs | awk '/OutSegs/ { print $2 }')
		again=$(guest "$d" nstat -asz TcpRetransSegs | awk '/Retrans/ { print $2 }')
		info "guest $d: $sent segments, $again of them sent again"
		[ "$again" -le "$((sent / 100))" ] || return 1
	done
}

main()
{
	if ovs_missing ovs-tso; then
		return
	fi
	tso_switch_start on on off
	check ping "pings were lost" ping_guest 1 2 20
	tcp 2
	check whole "packets were cut" passed_whole
	tcp 3
	check cut "not as they should be" cut_for_others
	check few-again "TCP has to send too much again" few_again
	check no-errors "see above" ovs_no_errors
	verdict
}

private_main main "$@"
