#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# Open vSwitch with DPDK and userspace-tso-enable: how many bytes an instruction of the driver moves
# from one guest to another, with packets that pass whole and without. Callgrind counts.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"
. "$SMOKE/ovs-lib.sh"

# How many times the bytes it has to be, at least.
TIMES=2.5
# Everything is slow under callgrind.
LIMIT=600

# bulk FROM TO: TCP one way, with packets as on a machine that is fast: the kernel sizes them by the
# pace that it measures.
bulk()
{
	guest "$1" sysctl -qw net.ipv4.tcp_min_tso_segs=64
	in_background iperf ip netns exec "guest$2" iperf3 -s
	wait_for "$LIMIT" guest_listens "$2" 5201 || return 1
	interruptible ip netns exec "guest$1" timeout "$((4 * LIMIT))" \
		iperf3 -c "10.99.0.$2" -n 8M >"$RUN/client.log" || return 1
	stop_process "${PIDS[iperf]}"
}

# profile zero|dump: have callgrind do it; its dumps are $RUN/profile.1 and so on.
profile()
{
	callgrind_control --vgdb-prefix="$RUN/vgdb" "--$1" "${PIDS[vswitchd]}" \
		>>"$RUN/control.log" 2>&1
}

# under_way FROM TO: bytes that guest FROM has sent and guest TO has not received.
under_way()
{
	echo "$(($(telemetry xenvif stat "$(($1 - 1))" ibytes) -
		$(telemetry xenvif stat "$(($2 - 1))" obytes)))"
}

# arrived FROM TO BYTES: no more than that are under way.
arrived()
{
	[ "$(under_way "$1" "$2")" -le "$3" ]
}

# instructions PROFILE: of the driver's burst functions, without and with the hypervisor's part.
# What polls cost that find nothing does not count: they are as in the first profile, of a ping.
instructions()
{
	python3 -B - "$TREE/test/perf" "$RUN/profile.1" "$1" <<-'EOT'
		import sys
		sys.path.insert(0, sys.argv[1])
		from callgrind import read_calls
		HYPERVISOR = "xengnttab_grant_copy", "xenevtchn_notify"
		def total(calls, what, **names):
		    return sum(getattr(c, what) for c in calls
		               if all(getattr(c, key).startswith(n) for key, n in names.items()))
		rx, tx = "xenvif_rx_burst", "xenvif_tx_burst"
		calls = read_calls(sys.argv[2])
		poll = ((total(calls, "cost", callee_fn=rx) - total(calls, "cost", fn=rx)) /
		        total(calls, "count", callee_fn=rx))
		calls = read_calls(sys.argv[3])
		polls = (total(calls, "count", callee_fn=rx) -
		         total(calls, "count", fn=rx, callee_fn=HYPERVISOR[0]))
		whole = total(calls, "cost", callee_fn=(rx, tx)) - polls * poll
		print(whole - total(calls, "cost", fn=(rx, tx), callee_fn=HYPERVISOR), whole)
	EOT
}

# per_instruction FROM TO: have bytes moved from guest to guest; in the array moved is then how many
# an instruction moves, without and with the hypervisor's part.
per_instruction()
{
	local before flight bytes
	before=$(telemetry xenvif stat "$(($1 - 1))" ibytes)
	flight=$(under_way "$1" "$2")
	profile zero || return 1
	bulk "$1" "$2" && wait_for "$LIMIT" arrived "$1" "$2" "$flight" || return 1
	profile dump || return 1
	dumps=$((dumps + 1))
	bytes=$(($(telemetry xenvif stat "$(($1 - 1))" ibytes) - before))
	read -ra moved < <(instructions "$RUN/profile.$dumps" |
		awk -v n="$bytes" '{ printf "%.3f %.3f\n", n / $1, n / $2 }')
}

# at_least WHOLE CUT
at_least()
{
	awk -v whole="$1" -v cut="$2" -v times="$TIMES" 'BEGIN { exit whole < times * cut }'
}

main()
{
	local dumps=1 moved=() whole=() cut=()
	if ovs_missing ovs-tso-count; then
		return
	fi
	need_commands valgrind callgrind_control
	VSWITCHD_WRAPPER=(valgrind --tool=callgrind "--callgrind-out-file=$RUN/profile"
		--compress-strings=no --compress-pos=no --fair-sched=yes
		"--vgdb-prefix=$RUN/vgdb")
	tso_switch_start on on off off
	profile zero
	check ping "pings were lost" ping_guest 1 2 20
	profile dump
	check whole "see above" per_instruction 1 2
	whole=("${moved[@]}")
	check cut "see above" per_instruction 3 4
	cut=("${moved[@]}")
	info "bytes an instruction: ${whole[0]} whole, ${cut[0]} cut; with the hypervisor's part" \
		"${whole[1]} and ${cut[1]}"
	check own "less than $TIMES times" at_least "${whole[0]}" "${cut[0]}"
	check all "less than $TIMES times" at_least "${whole[1]}" "${cut[1]}"
	verdict
}

private_main main "$@"
