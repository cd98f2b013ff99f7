#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# Guests leave checksums blank: completed by the backend for an application that does not know of
# them, passed on for one that does. The guests' own TCP/IP tells whether they are right.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"

# RX: IPv4, UDP and TCP checksum; TX: the same.
RX_OFFLOADS=0xe
TX_OFFLOADS=0xe

start_guests()
{
	local d
	for d in 1 2; do
		vif_add "$d" 0
		guest_start "$d"
	done
	for d in 1 2; do
		guest_up6 "$d"
	done
	echo_start 2
}

end_guests()
{
	local d
	stop_process "${PIDS[server]}"
	for d in 1 2; do
		guest_end "$d"
		xensim vif-destroy "$d" 0
	done
	testpmd_stop
}

# traffic NAME: TCP and UDP over both versions of IP, both ways.
traffic()
{
	local address
	for address in 10.99.0.2 fd99::2; do
		check "$1-$address" "see above" echo_data 1 "$address"
	done
	check "$1-no-bad-checksum" "a guest has dropped packets for their checksums" no_errors
}

no_errors()
{
	local d
	for d in 1 2; do
		guest "$d" cat /proc/net/snmp /proc/net/snmp6 >"$RUN/snmp$d.log"
		guest "$d" python3 - <<-'EOT' || return 1
			import sys
			bad = 0
			with open("/proc/net/snmp", encoding="ascii") as f:
			    lines = f.read().splitlines()
			for names, values in zip(lines[::2], lines[1::2]):
			    counters = dict(zip(names.split(), values.split()))
			    bad += int(counters.get("InCsumErrors", 0))
			with open("/proc/net/snmp6", encoding="ascii") as f:
			    counters = dict(line.split() for line in f)
			for name, value in counters.items():
			    bad += int(value) if name.endswith("InCsumErrors") else 0
			sys.exit(bad != 0)
		EOT
	done
}

# backend_completed PORT rx|tx: how many checksums the backend has computed from or to that guest.
backend_completed()
{
	telemetry xenvif rings "$1" "$2" csum_completed
}

completes()
{
	[ "$(backend_completed 0 rx)" -gt 1000 ] && [ "$(backend_completed 1 rx)" -gt 1000 ]
}

passes_on()
{
	local port
	for port in 0 1; do
		[ "$(backend_completed "$port" rx)" -eq 0 ] || return 1
		[ "$(backend_completed "$port" tx)" -eq 0 ] || return 1
	done
}

unaware()
{
	testpmd_start net_xenvif0,domid=1,devid=0 net_xenvif1,domid=2,devid=0 --
	start_guests
	traffic unaware
	check unaware-completed "the backend has completed too few" completes
	end_guests || not_ok unaware-end "testpmd ends badly"
}

# testpmd's mode csum computes nothing by itself, but has the port do it.
aware()
{
	testpmd_start net_xenvif0,domid=1,devid=0 net_xenvif1,domid=2,devid=0 -- \
		--forward-mode=csum --enable-rx-cksum --rx-offloads="$RX_OFFLOADS" \
		--tx-offloads="$TX_OFFLOADS" --eth-peer=0,"$(mac_of 1 0)" \
		--eth-peer=1,"$(mac_of 2 0)"
	testpmd stop
	testpmd port stop all
	for port in 0 1; do
		testpmd csum set tcp hw "$port"
		testpmd csum set udp hw "$port"
	done
	testpmd port start all
	testpmd start
	start_guests
	traffic aware
	check aware-passed-on "the backend has completed some" passes_on
	end_guests || not_ok aware-end "testpmd ends badly"
}

main()
{
	machine_start
	domain_add 1
	domain_add 2
	unaware
	aware
	verdict
}

private_main main "$@"
