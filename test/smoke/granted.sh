#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# Debian's testpmd in a guest, with a mempool that is granted to the backend: it forwards packets
# between its two vifs in the pages that they came in.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"

# forwarder_start OPTION...: testpmd in domain 1.
forwarder_start()
{
	# It ends when there is nothing more to be read.
	[ -p "$RUN/forwarder.in" ] || mkfifo "$RUN/forwarder.in"
	exec 8<>"$RUN/forwarder.in"
	in_background forwarder "${POLLER[@]}" "$BUILD/test/xensim/xensim" exec 1 -- \
		env "LD_LIBRARY_PATH=$DRIVERS:$BUILD/test/xensim" \
		stdbuf -oL dpdk-testpmd "${TESTPMD_MEMORY[@]}" --no-pci --file-prefix forwarder \
		--lcores "0@($(cpus)),1@($(cpus))" -d librte_net_xenfront.so \
		--vdev net_xenfront0,devid=0,queues=2,granted=24 \
		--vdev net_xenfront1,devid=1,queues=2,granted=24 "$@" -- \
		--forward-mode=io --auto-start --disable-link-check --no-mlockall --rxq 2 --txq 2 \
		--max-pkt-len=9018 --enable-scatter --tx-offloads=0x8000 --total-num-mbufs=12288 \
		<"$RUN/forwarder.in"
	wait_for "$LIMIT" links_up 1 2 || die "the forwarder's vifs do not connect"
}

references()
{
	telemetry forwarder rings "$1" "$2" by_reference
}

slots()
{
	telemetry forwarder rings "$1" "$2" slots
}

# All that went by it went in the pages that it had come in.
nothing_copied()
{
	local port
	for port in 0 1; do
		info "port $port: $(slots $port tx) slots, $(references $port tx) by reference"
		[ "$(slots "$port" tx)" -gt 1000 ] || return 1
		[ "$(references "$port" tx)" -eq "$(slots "$port" tx)" ] || return 1
	done
}

some_copied()
{
	[ "$(references 0 tx)" -eq 0 ] && [ "$(slots 0 tx)" -gt 1000 ]
}

# Pings, and data by TCP and UDP that come back as they went.
talk()
{
	ping_guest 2 3 50 && echo_data 2 10.99.0.3
}

main()
{
	local d
	machine_start
	testpmd_start net_xenvif0,domid=2,devid=0 net_xenvif1,domid=1,devid=0 \
		net_xenvif2,domid=1,devid=1 net_xenvif3,domid=3,devid=0 -- --rxq 2 --txq 2 \
		--max-pkt-len=9018 --enable-scatter --tx-offloads=0x8000
	for d in 1 2 3; do
		domain_add "$d"
		vif_add "$d" 0 --no-wait mtu=9000
	done
	vif_add 1 1 --no-wait mtu=9000
	for d in 2 3; do
		guest_start "$d" 9000 2
		guest_up "$d"
	done
	echo_start 3
	forwarder_start --mbuf-pool-ops-name=xenfront_granted
	check granted "not all that was sent has come back" wait_for "$LIMIT" talk
	check nothing-copied "see the log" nothing_copied
	stop_process "${PIDS[forwarder]}"
	forwarder_start
	check copied "not all that was sent has come back" wait_for "$LIMIT" talk
	check some-copied "frames went by reference" some_copied
	verdict
}

private_main main "$@"
