#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# Secondary processes: dpdk-proc-info, dpdk-dumpcap and dpdk-pdump do their work, one that tries
# every operation is refused, one that is killed leaves no trace; the primary's traffic goes on.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"

# Processes share huge pages alone. The primary has all of them from its start: to grow the heap all
# processes have to agree within five seconds, a host may well stand still for longer, and a
# process that ends in the midst of it leaves the heap locked for all.
HUGE_MB=256
MEMORY_MB=192
overcommit=/proc/sys/vm/nr_overcommit_hugepages

hugepages_up()
{
	local before
	before=$(cat "$overcommit") || return 1
	on_exit hugepages_restore "$before"
	echo $((before + HUGE_MB / 2)) >"$overcommit" || return 1
	[ "$(cat "$overcommit")" -gt "$before" ] || return 1
	# In this mount namespace alone.
	umount -a -t hugetlbfs || :
	mkdir -p "$RUN/huge"
	mount -t hugetlbfs -o pagesize=2M xenvif "$RUN/huge"
}

hugepages_restore()
{
	echo "$1" >"$overcommit"
}

# secondary COMMAND ARG...: a program of the primary's DPDK processes, which needs nothing of Xen.
# The index of a mempool's operations depends on the libraries that a program has: testpmd has one
# more than the tools.
SECONDARY=(env "LD_LIBRARY_PATH=$BUILD/drivers"
	"LD_PRELOAD=librte_mempool_dpaa.so.23 librte_net_xenvif.so")

secondary()
{
	timeout "$LIMIT" "${SECONDARY[@]}" "$@"
}

proc_info()
{
	secondary dpdk-proc-info --file-prefix xenvif --no-pci -- "$@" >"$RUN/proc-info.log" 2>&1
}

stats_shown()
{
	proc_info --stats && grep -Eq 'RX-packets: +[1-9]' "$RUN/proc-info.log"
}

xstats_shown()
{
	proc_info --xstats && grep -Eq 'rx_q0_slots: [1-9]' "$RUN/proc-info.log" &&
		grep -q 'tx_q0_wait_expired_dropped: 0' "$RUN/proc-info.log"
}

port_shown()
{
	proc_info --show-port &&
		grep -q 'driver net_xenvif device net_xenvif1' "$RUN/proc-info.log" &&
		grep -q 'Link up' "$RUN/proc-info.log"
}

# A hundred frames of the pings, as Wireshark reads them.
captured()
{
	secondary dpdk-dumpcap --file-prefix xenvif -i net_xenvif0 -c 100 \
		-w "$RUN/capture.pcapng" >"$RUN/dumpcap.log" 2>&1 || return 1
	[ "$(tcpdump -r "$RUN/capture.pcapng" -n icmp 2>/dev/null | grep -c ICMP)" -ge 90 ]
}

# The older tool for it: it makes ports in the primary, one for each direction, and goes on until it
# is told to end.
dumped()
{
	in_background pdump "${SECONDARY[@]}" dpdk-pdump --file-prefix xenvif --no-pci -- --pdump \
		"port=0,queue=*,rx-dev=$RUN/rx.pcap,tx-dev=$RUN/tx.pcap,total-num-mbufs=8192"
	if ! wait_for "$LIMIT" both_dumped; then
		stop_process "${PIDS[pdump]}"
		return 1
	fi
	kill -INT "${PIDS[pdump]}"
	wait_for "$LIMIT" process_ended "${PIDS[pdump]}" && wait "${PIDS[pdump]}" &&
		[ "$(telemetry xenvif ask /ethdev/list | tr -d ' \n')" = '[0,1]' ]
}

both_dumped()
{
	[ "$(pings_in rx.pcap request)" -ge 100 ] && [ "$(pings_in tx.pcap reply)" -ge 100 ]
}

# pings_in FILE request|reply
pings_in()
{
	tcpdump -r "$RUN/$1" -n icmp 2>/dev/null | grep -c "echo $2"
}

# The telemetry client that DPDK comes with.
client_told()
{
	printf '%s\n' /xenvif/list /xenvif/info,0 |
		timeout "$LIMIT" dpdk-telemetry.py -f xenvif >"$RUN/client.log" 2>&1
	grep -q '"domid": 1' "$RUN/client.log"
}

# What telemetry tells of the second vif, and of what is no vif.
told()
{
	local port
	telemetry xenvif ask /xenvif/list >"$RUN/list.log" &&
		telemetry xenvif ask /xenvif/info 1 >"$RUN/info.log" &&
		telemetry xenvif ask /xenvif/queues 1 >"$RUN/queues.log" || return 1
	[ "$(tr -d ' \n' <"$RUN/list.log")" = '[0,1]' ] &&
		grep -qx ' *"path": "backend/vif/2/0",' "$RUN/info.log" &&
		grep -qx ' *"domid": 2,' "$RUN/info.log" &&
		grep -qx ' *"peer_state": "Connected",' "$RUN/info.log" &&
		grep -qx ' *"queue_pairs": 1,' "$RUN/info.log" &&
		grep -qx ' *"static_pages": 0,' "$RUN/info.log" &&
		grep -qx ' *"peer_sg": 1,' "$RUN/info.log" &&
		grep -qxE ' *"rx_packets_per_second": [1-9][0-9]*,' "$RUN/info.log" &&
		tr -d ' \n' <"$RUN/queues.log" |
			grep -qE '"rx_req_prod":\[[1-9][0-9]*\]' || return 1
	for port in 2 '' -1 1x 99999999999999999999; do
		[ "$(telemetry xenvif ask /xenvif/info "$port")" = null ] || return 1
	done
}

all_tried()
{
	secondary "$BUILD/test/smoke/xensecondary" --proc-type=secondary --file-prefix xenvif \
		--no-pci -- net_xenvif0 >"$RUN/secondary.log" 2>&1
}

# One that reads all it can, and dies meanwhile, wherever that is.
killed()
{
	local i
	for i in 1 2 3 4 5; do
		in_background "reader$i" env "LD_LIBRARY_PATH=$BUILD/drivers" \
			"$BUILD/test/smoke/xensecondary" --proc-type=secondary \
			--file-prefix xenvif \
			--no-pci -- net_xenvif0 forever
		wait_for "$LIMIT" grep -q attached "$RUN/reader$i.log" || return 1
		kill -KILL "${PIDS[reader$i]}"
		wait_for "$LIMIT" process_ended "${PIDS[reader$i]}" || return 1
	done
}

main()
{
	local d
	need_commands dpdk-proc-info dpdk-dumpcap dpdk-pdump dpdk-telemetry.py tcpdump
	hugepages_up || { echo "skip secondary - no huge pages are to be had"; return; }
	machine_start
	TESTPMD_MEMORY=(-m "$MEMORY_MB")
	testpmd_start net_xenvif0,domid=1,devid=0 net_xenvif1,domid=2,devid=0 --
	for d in 1 2; do
		domain_add "$d"
		vif_add "$d" 0
		guest_start "$d"
	done
	guest_up 1
	guest_up 2
	pings_start 1 2
	check stats "see proc-info.log" stats_shown
	check xstats "see proc-info.log" xstats_shown
	check show-port "see proc-info.log" port_shown
	check telemetry "see list.log, info.log and queues.log" told
	check dumpcap "see dumpcap.log" captured
	check telemetry-client "see client.log" client_told
	check pdump "see pdump.log" dumped
	check every-operation "see secondary.log" all_tried
	check killed "see reader*.log" killed
	check primary-undisturbed "pings were lost" pings_end
	check primary-stops "it does not" testpmd_stop
	verdict
}

private_main main "$@"
