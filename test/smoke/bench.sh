#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# scripts/bench refuses wrong options before it builds, measures, and counts no more instructions
# than a packet may cost; no packet that wakes somebody up is lost.
# Limit: 2400
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"

# Most instructions of the backend for a packet of 64 bytes, without the hypervisor's part.
MAX_RX=185
MAX_TX=150

bench()
{
	interruptible "$TREE/scripts/bench" "$@" >>"$RUN/bench.log" 2>&1
}

# refused OPTION...: with status 2, and no build folder comes to be.
refused()
{
	local status=0
	XENVIF_BUILD=$RUN/unbuilt bench "$@" || status=$?
	[ "$status" -eq 2 ] && [ ! -e "$RUN/unbuilt" ]
}

wrong_options()
{
	refused --nonsense && refused --peers copy0,nonsense && refused --peers copy0,copy0 &&
		refused --rounds 0 && refused --rounds 1.5 && refused --seconds nan &&
		refused --json "$RUN/no/such/folder.json" && refused --only nonsense &&
		refused --only ir --peers memif-zc && refused xen --nonsense &&
		refused xen --json "$RUN/no/such/folder.json" && refused wake --rounds 0 &&
		refused wake --nonsense
}

# result FILE NAME KEY
result()
{
	python3 - "$@" <<-'END'
	import json, sys
	with open(sys.argv[1]) as f:
	    print(*(r[sys.argv[3]] for r in json.load(f) if r["name"] == sys.argv[2]))
	END
}

crossings()
{
	local name number
	if ! bench --rounds 1 --seconds 0.1 --only crossing --peers copy0,vhost \
			--json "$RUN/crossing.json"; then
		! grep -q 'cannot reserve .* huge pages' "$RUN/bench.log" || return 77
		return 1
	fi
	for name in crossing.64.vhost.256 crossing.64.vhost.512 crossing.1518.copy0; do
		number=$(result "$RUN/crossing.json" "$name" median)
		[[ $number =~ ^[0-9.]+$ ]] || return 1
	done
	[[ $(result "$RUN/crossing.json" crossing.64.copy0/vhost descriptors) =~ ^...\/...$ ]]
}

# A line of each kind of port, with two times, hundreds of wake-ups, and no packet lost.
woken()
{
	interruptible "$TREE/scripts/bench" wake --rounds 1 --build "$BUILD" >"$RUN/wake.log" \
		2>>"$RUN/bench.log" || return 1
	[ "$(grep -cE '^ +1 +(xenvif|vhost)( +[0-9.]+){2} +[0-9]{3,} +0$' "$RUN/wake.log")" -eq 2 ]
}

# at_most NAME LIMIT
at_most()
{
	local number
	number=$(result "$RUN/ir.json" "$1" median)
	info "$1: $number instructions a packet"
	awk -v n="$number" -v max="$2" 'BEGIN { exit n == "" || n > max }'
}

profiled()
{
	callgrind_annotate --auto=yes "$RUN/profiles/copy0.64" |
		grep xenvif_rx_burst >/dev/null
}

# The kernel's names of an lcore's thread in DPDK 22.11, 23.11 and of threads that are none.
worker_names()
{
	python3 -B - "$TREE/test/perf" <<-'END'
	import sys
	sys.path.insert(0, sys.argv[1])
	from testpmd import WORKER
	yes = "rte-worker-1\n", "rte-worker-12\n", "dpdk-worker1\n", "dpdk-worker12\n"
	no = "dpdk-testpmd\n", "eal-intr-thread\n", "dpdk-intr\n", "telemetry-v2\n"
	sys.exit(not all(map(WORKER.search, yes)) or any(map(WORKER.search, no)))
	END
}

main()
{
	local status=0
	check wrong-options "one was taken, or it was built first" wrong_options
	check worker-names "see above" worker_names
	crossings || status=$?
	case $status in
	0) ok crossings ;;
	77) echo "skip crossings - no huge pages to be had" ;;
	*) not_ok crossings "$(tail -n 1 "$RUN/bench.log")" ;;
	esac
	check wake "see wake.log and bench.log" woken
	if [ "$(build_option buildtype)" != release ]; then
		echo "skip instructions - not a release build"
	elif bench --rounds 1 --seconds 0.1 --only ir --peers copy0 --json "$RUN/ir.json" \
			--build "$BUILD" --profile "$RUN/profiles"; then
		check rx-instructions "more than $MAX_RX" at_most ir.rx.64.copy0 "$MAX_RX"
		check tx-instructions "more than $MAX_TX" at_most ir.tx.64.copy0 "$MAX_TX"
		check profile "none of xenvif_rx_burst" profiled
	else
		not_ok instructions "$(tail -n 1 "$RUN/bench.log")"
	fi
	verdict
}

# build_option NAME: its value in the build folder.
build_option()
{
	result "$BUILD/meson-info/intro-buildoptions.json" "$1" value
}

private_main main "$@"
