#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# What testpmd is told at its command line while guests are connected: its ports are stopped, reset
# and started, it answers pings itself, sends packets back, and has them segmented and checksummed.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"

# It has reset its ports so often, and forwards again.
was_reset()
{
	[ "$(grep -c '^Resetting ports' "$RUN/testpmd.log")" -ge "$1" ] && ping_guest 1 2 20
}

# It reads one command after the other, and does not say when it has done so.
reset_ports()
{
	testpmd stop
	testpmd port stop all
	testpmd port reset all
	testpmd port start all
	testpmd start
	wait_for "$LIMIT" was_reset "$1"
}

# It answers for any address, each guest on its own port.
echoes()
{
	testpmd stop
	testpmd set fwd icmpecho
	testpmd start
	wait_for "$LIMIT" ping_guest 1 201 20 && ping_guest 2 202 20
}

# It sends each datagram back to where it comes from, with all addresses and ports changed over.
swaps()
{
	testpmd stop
	testpmd set portlist 0
	testpmd set fwd 5tswap
	testpmd start
	ip -n guest1 neigh replace 10.99.0.203 lladdr "$(mac_of 203 0)" dev eth0
	wait_for "$LIMIT" all_come_back 1 && all_come_back 1473
}

# all_come_back N: N datagrams, each longer than the one before.
all_come_back()
{
	guest 1 python3 - "$1" <<-'EOT'
		import socket
		import sys
		with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
		    s.settimeout(10)
		    s.connect(("10.99.0.203", 7777))
		    for size in range(int(sys.argv[1])):
		        data = bytes(n % 251 for n in range(size))
		        s.send(data)
		        assert s.recv(2000) == data
	EOT
}

# It looks into each packet, computes no checksum itself, and has TCP's packets of any length cut
# into segments of 1,400 bytes: by the guest, which takes them whole.
segments()
{
	local port
	testpmd stop
	testpmd port stop all
	for port in 0 1; do
		testpmd csum set ip hw "$port"
		testpmd csum set udp hw "$port"
		testpmd csum set tcp hw "$port"
		testpmd csum mac-swap off "$port"
		testpmd tso set 1400 "$port"
	done
	testpmd port start all
	testpmd set portlist 0,1
	testpmd set fwd csum
	testpmd start
	echo_start 2
	wait_for "$LIMIT" ping_guest 1 2 20 && echo_data 1 10.99.0.2 && echo_data 1 fd99::2 &&
		[ "$(rings 0 rx gso_whole)" -gt 100 ] && [ "$(rings 1 tx gso_whole)" -gt 100 ]
}

main()
{
	local d
	machine_start
	testpmd_start net_xenvif0,domid=1,devid=0 net_xenvif1,domid=2,devid=0 -- \
		--enable-lro --max-lro-pkt-size=65535 --enable-scatter
	for d in 1 2; do
		domain_add "$d"
		vif_add "$d" 0
		guest_start "$d" 1500 1 --gso
		guest_up6 "$d"
	done
	check ping "pings were lost" ping_guest 1 2 20
	check reset "no pings pass" reset_ports 1
	check reset-again "no pings pass" reset_ports 2
	check icmpecho "no answers" echoes
	check 5tswap "not all that was sent has come back" swaps
	check csum "see above" segments
	check no-errors "testpmd has complained" \
		bash -c '! grep -iE "error|fail|cannot|not supported" "$1"' - "$RUN/testpmd.log"
	check stops "testpmd does not end" testpmd_stop
	verdict
}

private_main main "$@"
