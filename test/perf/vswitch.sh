#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# dpdk-xenvswitch beside testpmd's io mode and Open vSwitch, all with net_xenvif on the stand-in
# hypervisor: one core, and guests on another one that send as fast as they can.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../smoke/lib.sh"
. "$SMOKE/vswitch-lib.sh"
. "$SMOKE/ovs-lib.sh"

ROUNDS=5
SECONDS_EACH=2
ONLY=
JSON=
HUGEPAGES=512
NR_HUGEPAGES=/proc/sys/vm/nr_hugepages
# Of what is measured, and of the guests' process.
CPU=
LOAD_CPU=
# A process under valgrind has no huge pages.
MEMORY=--in-memory

usage()
{
	cat <<EOT
Usage: scripts/bench vswitch [OPTION]...

dpdk-xenvswitch beside testpmd that forwards without looking (io), and beside Open
vSwitch with one bridge and the action NORMAL: two guests send frames of 64 bytes to
each other, as fast as they can, on one core; what is between them has another core.
Rates are by the time that this core was had. Needs root and two processors, and
reserves $HUGEPAGES huge pages of 2 MiB meanwhile.

  --rounds N   (default: $ROUNDS); each begins with another of them
  --seconds S  length of one measurement (default: $SECONDS_EACH)
  --only KIND  rate: millions of packets a second; rtt: microseconds of a frame's round
               trip; ir: instructions a packet, without the driver's (callgrind);
               idle: percent of a core without packets
  --json FILE  write the results as JSON, too
  --build DIR  build folder (default: build/ in the tree)

Rows: copy0: hypercalls cost nothing; haswell: 500 ns a hypercall, 400 ns a copy
operation. macs10000: addresses behind one of the vifs, at random, all of them learned;
macs2: each has its own, learned too. vifs30: 15 pairs of guests. flood: copies of one
guest's broadcasts for 15 others. rtt: a frame every millisecond between two guests,
alone, and beside two that send as fast as they can; median and 99th percentile. full:
how often the guests found a ring full, of their looks at one; where it is near 0, the
guests were what was measured.
EOT
}

# As the other benchmarks end for a wrong option.
refuse()
{
	info "error: $*"
	exit 2
}

parse_options()
{
	while [ $# -gt 0 ]; do
		case $1 in
		--rounds) ROUNDS=$(option_value --rounds "${2:-}"); shift ;;
		--seconds) SECONDS_EACH=$(option_value --seconds "${2:-}"); shift ;;
		--only) ONLY=$(option_value --only "${2:-}"); shift ;;
		--json) JSON=$(realpath -m "$(option_value --json "${2:-}")"); shift ;;
		--build) BUILD=$(option_folder --build "${2:-}"); shift ;;
		-h | --help) usage; exit 0 ;;
		*) refuse "unknown argument '$1'; see --help" ;;
		esac
		shift
	done
	[[ $ROUNDS =~ ^[1-9][0-9]*$ ]] ||
		refuse "--rounds must be a number from 1 up, not '$ROUNDS'"
	[[ $SECONDS_EACH =~ ^[0-9]*\.?[0-9]+$ ]] ||
		refuse "--seconds must be a number, not '$SECONDS_EACH'"
	[[ $ONLY =~ ^(|rate|rtt|ir|idle)$ ]] ||
		refuse "--only must be rate, rtt, ir or idle, not '$ONLY'"
	[ -z "$JSON" ] || { [ ! -d "$JSON" ] && [ -w "$(dirname "$JSON")" ]; } ||
		refuse "--json: '$JSON' cannot be written"
}

choose_cpus()
{
	IFS=, read -r LOAD_CPU CPU <<<"$(two_cpus)"
	[ -n "$CPU" ] || die "two processors are needed: one is the guests'"
}

hugepages_reserve()
{
	local before
	before=$(<$NR_HUGEPAGES)
	[ "$before" -lt "$HUGEPAGES" ] || return 0
	on_exit hugepages_return "$before"
	wait_for 10 hugepages_there || die "cannot reserve $HUGEPAGES huge pages of 2 MiB"
}

# Each time the kernel is asked it makes room for some more of them.
hugepages_there()
{
	echo "$HUGEPAGES" >$NR_HUGEPAGES
	[ "$(<$NR_HUGEPAGES)" -ge "$HUGEPAGES" ]
}

hugepages_return()
{
	echo "$1" >$NR_HUGEPAGES
}

# --- what is measured. Of each: NAME_start VIFS [WRAPPER...], NAME_begin when there are packets,
# NAME_end, and NAME_pid. ---

io_start()
{
	local i vdevs=()
	for ((i = 0; i < $1; i++)); do
		vdevs+=(--vdev "net_xenvif$i,domid=1,devid=$i")
	done
	rm -f "$RUN/io.in" "$RUN/io.log"
	mkfifo -m 600 "$RUN/io.in"
	exec 8<>"$RUN/io.in"
	# shellcheck disable=SC2086 # several options
	in_background io "$BUILD/test/xensim/xensim" exec 0 -- \
		env "LD_LIBRARY_PATH=$DRIVERS:$BUILD/test/xensim" "${@:2}" dpdk-testpmd $MEMORY \
		--no-pci --file-prefix io --lcores "0@$LOAD_CPU,1@$CPU" -d librte_net_xenvif.so \
		"${vdevs[@]}" -- -i --forward-mode=io --total-num-mbufs=16384 --no-mlockall \
		<"$RUN/io.in"
	wait_for "$LIMIT" io_ready || die "testpmd does not start"
}

io_ready()
{
	process_ended "${PIDS[io]}" && die "testpmd has ended"
	telemetry io ask /ethdev/list >/dev/null 2>&1
}

# The rounds before do not count.
io_begin()
{
	echo start >&8
}

io_end()
{
	printf 'stop\nquit\n' >&8
	wait_for "$LIMIT" process_ended "${PIDS[io]}" || die "testpmd does not end"
	exec 8>&-
}

io_pid()
{
	echo "${PIDS[io]}"
}

switch_start()
{
	# shellcheck disable=SC2034 # for vswitch-lib.sh
	VSWITCH_MEMORY=$MEMORY
	# shellcheck disable=SC2034
	VSWITCH_LCORES=$CPU
	# shellcheck disable=SC2034
	VSWITCH_WRAPPER=("${@:2}")
	vswitch_config "[bridge xenbr0]" "${SWITCH_BRIDGE[@]}"
	sed -i "s/^mbufs = .*/&\nmacs = 16384/" "$VSWITCH_CONF"
	vswitch_start
}

switch_begin()
{
	:
}

switch_end()
{
	vswitch_stop || die "the switch does not end"
}

switch_pid()
{
	echo "${PIDS[vswitch]}"
}

ovs_dut_start()
{
	local i
	# shellcheck disable=SC2034 # for ovs_start
	OVS_EAL=$MEMORY
	ovs_start xenbr0 "pmd-cpu-mask=$(printf '%x' $((1 << CPU)))" \
		"dpdk-lcore-mask=$(printf '%x' $((1 << LOAD_CPU)))"
	for ((i = 0; i < $1; i++)); do
		vsctl add-port xenbr0 "vif1.$i" -- set Interface "vif1.$i" type=dpdk \
			options:dpdk-devargs="net_xenvif$i,domid=1,devid=$i"
	done
}

ovs_dut_begin()
{
	:
}

ovs_dut_end()
{
	stop_process "${PIDS[vswitchd]}"
	stop_process "${PIDS[ovsdb]}"
	rm -rf "$RUN/ovs"
}

ovs_dut_pid()
{
	echo "${PIDS[vswitchd]}"
}

# --- the guests ---

LOAD_ANSWER='^([0-9]+ ){4}[0-9]+$'

# load_start VIFS MACS [ping]: that many vifs of domain 1 send; returns when all links are up.
load_start()
{
	local i
	for ((i = 0; i < $1; i++)); do
		vif_add 1 "$i" bridge=xenbr0
	done
	rm -f "$RUN/load.in"
	: >"$RUN/load.log"
	mkfifo -m 600 "$RUN/load.in"
	exec 7<>"$RUN/load.in"
	in_background load taskset -c "$LOAD_CPU" "$BUILD/test/xensim/xensim" exec 1 -- \
		"$BUILD/test/perf/xenload" "$@" <"$RUN/load.in"
	load_ask >"$RUN/load.first"
	[ "$2" -le 1 ] || wait_for "$LIMIT" learned "$2" || die "not all addresses are learned"
}

# learned MACS: the switch has as many.
learned()
{
	[ "$(ctl --json show bridges | python3 -c \
		'import json, sys; print(json.load(sys.stdin)["bridges"][0]["macs"])')" -ge "$1" ]
}

# load_ask: what xenload answers: its usage.
load_ask()
{
	local before
	before=$(load_lines)
	echo >&7
	wait_for "$LIMIT" load_said "$before" || die "the guests do not answer: see load.log"
	grep -E "$LOAD_ANSWER" "$RUN/load.log" | tail -n 1
}

load_lines()
{
	grep -cE "$LOAD_ANSWER" "$RUN/load.log" 2>/dev/null || :
}

load_said()
{
	process_ended "${PIDS[load]}" && die "the guests' process has ended: see load.log"
	[ "$(load_lines)" -gt "$1" ]
}

load_end()
{
	stop_process "${PIDS[load]}"
	exec 7>&-
	xensim domain-destroy 1 >>"$RUN/xensim.log" 2>&1
}

# --- measurements ---

# polled PID: nanoseconds that threads of the process that poll have had a processor.
polled()
{
	local task name ns sum=0
	for task in "/proc/$1"/task/*; do
		read -r name <"$task/comm"
		[[ $name =~ (^pmd-|worker-?[0-9]+$) ]] || continue
		read -r ns _ <"$task/schedstat"
		sum=$((sum + ns))
	done
	echo "$sum"
}

# sample NAME VALUE: keep one.
sample()
{
	printf '%s %s\n' "$1" "$2" >>"$RUN/samples"
	info "$(printf '%-28s %9s' "$1" "$2")"
}

# with DUT VIFS MACS COMMAND ARG...: while these guests send.
with()
{
	local dut=$1
	domain_add 1
	"${dut}_start" "$2"
	load_start "$2" "$3" "${LOAD_OPTIONS[@]}"
	"${dut}_begin"
	sleep 1
	"${@:4}" "$("${dut}_pid")"
	load_end
	"${dut}_end"
}

# take_rate NAME PID: millions of packets in a second of the polling threads.
take_rate()
{
	local before after ns
	before=$(load_ask)
	ns=$(polled "$2")
	sleep "$SECONDS_EACH"
	after=$(load_ask)
	ns=$(($(polled "$2") - ns))
	sample "rate.$1" "$(awk -v ns="$ns" '{ printf "%.4f", ($6 - $1) / ns * 1000 }' \
		<<<"$before $after")"
	sample "full.$1" "$(awk '{ printf "%.3f", ($7 - $2) / ($8 - $3) }' <<<"$before $after")"
}

# take_rtt NAME: a frame's round trip.
take_rtt()
{
	local p50 p99
	load_ask >"$RUN/load.first"
	sleep "$SECONDS_EACH"
	read -r _ _ _ p50 p99 < <(load_ask)
	sample "rtt.$1.p50" "$(awk -v ns="$p50" 'BEGIN { printf "%.2f", ns / 1000 }')"
	sample "rtt.$1.p99" "$(awk -v ns="$p99" 'BEGIN { printf "%.2f", ns / 1000 }')"
}

# One frame at a time between two guests.
rtts()
{
	LOAD_OPTIONS=(ping)
	with switch 2 1 take_rtt alone
	with switch 4 1 take_rtt flooded
	LOAD_OPTIONS=()
}

# rates ROUND: all of them.
rates()
{
	local duts=(io switch ovs_dut) dut profile hc_ns op_ns i
	for profile in "copy0 0 0" "haswell 500 400"; do
		read -r profile hc_ns op_ns <<<"$profile"
		xensim charge "hc_ns=$hc_ns" "op_ns=$op_ns" hc_batch=16 >>"$RUN/xensim.log"
		for i in 0 1 2; do
			dut=${duts[($1 + i) % 3]}
			with "$dut" 2 1 take_rate "$profile.${dut%_dut}"
		done
	done
	xensim charge hc_ns=0 op_ns=0 hc_batch=16 >>"$RUN/xensim.log"
	SWITCH_BRIDGE=("lock = off")
	with switch 2 1 take_rate macs2.switch
	with switch 2 10000 take_rate macs10000.switch
	SWITCH_BRIDGE=()
	with switch 30 1 take_rate vifs30.switch
	with io 30 1 take_rate vifs30.io
	with switch 16 0 take_rate flood.switch
}

# Percent of a core while nothing comes.
idle()
{
	local ticks pid
	domain_add 1
	switch_start 2
	load_start 2 1
	kill -STOP "${PIDS[load]}"
	sleep 2
	pid=$(switch_pid)
	ticks=$(process_ticks "$pid")
	sleep 5
	ticks=$(($(process_ticks "$pid") - ticks))
	sample idle.switch "$(awk -v t="$ticks" 'BEGIN { printf "%.2f", t / 5 }')"
	kill -CONT "${PIDS[load]}"
	load_end
	switch_end
}

# instructions DUT
instructions()
{
	local out=$RUN/callgrind.$1 packets
	MEMORY="--no-huge -m 256"
	domain_add 1
	LIMIT=300 "$1_start" 2 valgrind --tool=callgrind "--callgrind-out-file=$out" \
		--compress-strings=no --compress-pos=no --fair-sched=yes
	load_start 2 1
	"$1_begin"
	sleep "$(awk -v s="$SECONDS_EACH" 'BEGIN { print 5 + s }')"
	packets=$(load_ask)
	load_end
	LIMIT=300 "$1_end"
	MEMORY=--in-memory
	sample "ir.$1" "$(python3 -B "$TREE/test/perf/vswitch.py" own "$out" "${packets%% *}")"
}

main()
{
	local round
	parse_options "$@"
	choose_cpus
	[ "$ONLY" = ir ] || hugepages_reserve
	machine_start
	SWITCH_BRIDGE=()
	LOAD_OPTIONS=()
	: >"$RUN/samples"
	for ((round = 0; round < ROUNDS; round++)); do
		[[ ! $ONLY =~ ^(|rate)$ ]] || rates "$round"
		[[ ! $ONLY =~ ^(|rtt)$ ]] || rtts
		[[ ! $ONLY =~ ^(|idle)$ ]] || idle
	done
	if [[ $ONLY =~ ^(|ir)$ ]]; then
		instructions io
		instructions switch
	fi
	python3 -B "$TREE/test/perf/vswitch.py" table "$RUN/samples" ${JSON:+"$JSON"}
}

if [ "${XENVIF_PRIVATE:-}" != "$$" ]; then
	parse_options "$@"
	need_root "it makes huge pages and the stand-in hypervisor"
	"$TREE/scripts/setup" --build "$BUILD" --with smoke </dev/null >&2
fi
PRIVATE_OPTIONS=(--net)
private_main main "$@"
