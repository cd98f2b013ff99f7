#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# scripts/bench refuses wrong options before it builds, measures, and counts no more instructions
# than a packet may cost; no packet that wakes somebody up is lost; the switch is measured beside
# its peers; pictures are drawn; what a hypervisor charges is found.
# Limit: 2400
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"

# Most instructions of the backend for a packet of 64 bytes, without the hypervisor's part.
MAX_RX=95
MAX_TX=90
# The same of a guest that has registered its pages: the copies are among them.
MAX_STATIC_RX=115
MAX_STATIC_TX=120
# The same of the switch, without its drivers, above those of testpmd's io mode.
MAX_SWITCH=100

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
		refused --only ir,nonsense && refused --only ir --peers memif-zc &&
		refused --only notify --peers vhost &&
		refused --plot "$RUN/bench.log" && refused --plot "$RUN/x" --peers copy0 &&
		refused xen --nonsense && refused xen --instructions=1 &&
		refused xen --json "$RUN/no/such/folder.json" && refused wake --rounds 0 &&
		refused wake --nonsense && refused vswitch --rounds 0 &&
		refused vswitch --seconds 1s && refused vswitch --only nonsense &&
		refused vswitch --json "$RUN/no/such/folder.json" && refused vswitch --nonsense &&
		refused hardware --nonsense && refused hardware --guest 32752 &&
		refused hardware --guest 1 --serve 0 &&
		refused hardware --seconds 0 && refused hardware --json "$RUN/no/such/folder.json"
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

# short_bench FILE ARG...: one short round, with its results in $RUN/FILE; 77: there are no huge
# pages.
short_bench()
{
	bench --rounds 1 --seconds 0.1 --json "$RUN/$1" --build "$BUILD" "${@:2}" && return
	! grep -q 'cannot reserve .* huge pages' "$RUN/bench.log" || return 77
	return 1
}

# above_zero FILE NAME...: the results' medians are.
above_zero()
{
	local file=$1 name number
	shift
	for name in "$@"; do
		number=$(result "$RUN/$file" "$name" median)
		info "$name: $number"
		awk -v n="$number" 'BEGIN { exit !(n > 0) }' || return 1
	done
}

crossings()
{
	short_bench crossing.json --only crossing --peers copy0,vhost || return
	above_zero crossing.json crossing.64.vhost.256 crossing.64.vhost.512 crossing.1518.copy0 \
		crossing.imix.vhost || return
	[[ $(result "$RUN/crossing.json" crossing.64.copy0/vhost descriptors) =~ ^...\/...$ ]]
}

# Each burst function of both ends, by length and batch, of every kind of peer.
ends()
{
	short_bench ends.json --only backend,frontend || return
	above_zero ends.json {backend,frontend}.{rx,tx}.{64,1518}.{1,32}.{copy0,haswell,static} \
		{backend,frontend}.{rx,tx}.{64,1518}.{1,32}.{vhost,memif-zc,memif-copy} \
		backend.rx.64.32.static/memif-zc
}

round_trips()
{
	short_bench round.json --only rtt || return
	above_zero round.json rtt{,.cores}.{p50,p99}.{copy0,haswell,static,vhost,memif-zc} \
		rtt.p50.static/memif-zc
}

# Vifs without packets, and many that have some: guests of ours are there where DPDK has no room.
many_vifs()
{
	short_bench vifs.json --only idle,scale || return
	above_zero vifs.json idle.{rx,tx}.{copy0,haswell,static,vhost,memif-zc} \
		idle.{rx,tx}.vifs.30.{copy0,static} idle.rx.copy0/memif-zc \
		scale.vifs.{1,4,16,30}.{copy0,haswell,static} scale.vifs.1.memif-zc \
		scale.vifs.{1,4,16}.{vhost,memif-copy} scale.vifs.30/1.{copy0,haswell,static}
}

# A line of each kind of port, with two times, hundreds of wake-ups, and no packet lost.
woken()
{
	interruptible "$TREE/scripts/bench" wake --rounds 1 --build "$BUILD" >"$RUN/wake.log" \
		2>>"$RUN/bench.log" || return 1
	[ "$(grep -cE '^ +1 +(xenvif|vhost)( +[0-9.]+){2} +[0-9]{3,} +0$' "$RUN/wake.log")" -eq 2 ]
}

# vswitch_bench FILE ARG...: its results are in $RUN/FILE then; it has another /run of its own. 77:
# there are no huge pages.
vswitch_bench()
{
	local folder status=0
	folder=$(mktemp -d)
	bench vswitch --rounds 1 --seconds 0.1 --json "$folder/$1" --build "$BUILD" "${@:2}" ||
		status=$?
	! cp "$folder/$1" "$RUN/$1" || rm "$folder/$1"
	rmdir "$folder"
	[ "$status" -eq 0 ] || ! grep -q 'cannot reserve .* huge pages' "$RUN/bench.log" ||
		status=77
	return $status
}

# A ratio of each kind.
vswitch_rates()
{
	local name number
	vswitch_bench vswitch.json --only rate || return
	for name in copy0.switch/copy0.io copy0.switch/copy0.ovs haswell.switch/haswell.io \
		macs10000.switch/macs2.switch vifs30.switch/vifs30.io; do
		number=$(result "$RUN/vswitch.json" "$name" median)
		info "$name: $number"
		[[ $number =~ ^[0-9.]+$ ]] || return 1
	done
}

# Round trips, alone and beside a flood.
vswitch_rtts()
{
	local name number
	vswitch_bench rtt.json --only rtt || return
	for name in rtt.alone.p50 rtt.alone.p99 rtt.flooded.p50 rtt.flooded.p99; do
		number=$(result "$RUN/rtt.json" "$name" median)
		info "$name: $number us"
		awk -v n="$number" 'BEGIN { exit !(n > 0) }' || return 1
	done
}

# A guest gets packets at each rate, and never more notifications than packets.
notifications()
{
	local name number
	short_bench notify.json --only notify || return
	above_zero notify.json notify.rate.{1k,10k,100k,full}.{copy0,haswell} \
		notify.sent-per-packet.1k.rx.{copy0,haswell} || return
	for name in notify.{sent,spurious}-per-packet.{1k,10k,100k,full}.{rx,tx}.{copy0,haswell}; do
		number=$(result "$RUN/notify.json" "$name" median)
		[[ $number =~ ^[0-9.e-]+$ ]] || return 1
		# The counters of both sides are not read at one time.
		awk -v n="$number" 'BEGIN { exit !(n <= 1.5) }' || return 1
	done
}

# results PEER...: rows of two of them, as a run leaves them.
results()
{
	python3 - "$@" <<-'END'
	import json, sys
	json.dump([{"name": f"crossing.{size}.{peer}", "unit": "Mpps", "descriptors": "256", "n": 7,
	            "median": 5.5, "min": 5.25, "max": 6} for size in ("64", "imix")
	           for peer in sys.argv[1:]], sys.stdout)
	END
}

# A picture of what an earlier run has measured; none of what is not to be shown by itself.
pictures()
{
	results copy0 haswell vhost >"$RUN/picture.json"
	bench --results "$RUN/picture.json" --plot "$RUN/pictures" || return 1
	[ "$(ls "$RUN/pictures")" = crossing.svg ] || return 1
	python3 - "$RUN/pictures/crossing.svg" <<-'END' || return 1
	import sys, xml.etree.ElementTree as tree
	words = [t.strip() for t in tree.parse(sys.argv[1]).getroot().itertext()]
	sys.exit(not {"copy0", "haswell", "vhost", "64", "imix", "Mpps"} <= set(words))
	END
	results copy0 vhost >"$RUN/alone.json"
	! bench --results "$RUN/alone.json" --plot "$RUN/alone" && [ ! -e "$RUN/alone" ] ||
		return 1
	echo '[{"name": "crossing.64.copy0"}]' >"$RUN/broken.json"
	! bench --results "$RUN/broken.json"
}

# What a hypervisor takes that is charged for: never less than it charges, and a profile that it
# takes. With pages of this domain and, while it serves, with another one's.
hardware()
{
	local profile guest
	machine_start
	domain_add 1
	mkfifo "$RUN/serve.in"
	exec 8<>"$RUN/serve.in"
	in_background serve "$BUILD/test/xensim/xensim" exec 1 -- "$TREE/scripts/bench" hardware \
		--serve 0 --build "$BUILD" <"$RUN/serve.in"
	wait_for "$LIMIT" grep -qx ready "$RUN/serve.log" || return 1
	for guest in "" 1; do
		xensim charge hc_ns=3000 op_ns=700 map_ns=900 unmap_ns=400 evtchn_ns=5000
		profile=$(in_domain 0 "$TREE/scripts/bench" hardware --seconds 0.1 \
			${guest:+--guest "$guest"} --build "$BUILD" --json "$RUN/hardware.json" \
			2>>"$RUN/bench.log") || return 1
		info "$profile"
		charged_for "$RUN/hardware.json" || return 1
		# shellcheck disable=SC2086 # several
		xensim charge $profile && [ "$(xensim charge | sort)" = \
			"$(tr ' ' '\n' <<<"$profile" | sort)" ] || return 1
	done
	! in_domain 0 "$TREE/scripts/bench" hardware --guest 2 --build "$BUILD" \
		>>"$RUN/bench.log" 2>&1
}

# charged_for FILE: no call took less than the charges of hardware() for it.
charged_for()
{
	python3 - "$1" <<-'END'
	import json, sys
	with open(sys.argv[1]) as f:
	    calls = {(c["what"], c["number"]): c["ns"] for c in json.load(f)["calls"]}
	charges = {"copy": lambda n: -(-n // 16) * 3000 + n * 700, "map": lambda n: n * 900,
	           "unmap": lambda n: n * 400, "notify": lambda n: n * 5000}
	# The hypervisor's clock and ours are not the same one.
	short = [c for c in calls if calls[c] < 0.95 * charges[c[0]](c[1])]
	sys.exit(f"{len(calls)} calls, too short: {short}" if short or len(calls) != 10 else 0)
	END
}

# needs_huge_pages NAME COMMAND...: a test that ends with 77 when there are none.
needs_huge_pages()
{
	local status=0
	"${@:2}" || status=$?
	case $status in
	0) ok "$1" ;;
	77) echo "skip $1 - no huge pages to be had" ;;
	*) not_ok "$1" "$(tail -n 1 "$RUN/bench.log")" ;;
	esac
}

# at_most FILE NAME LIMIT
at_most()
{
	local number
	number=$(result "$RUN/$1" "$2" median)
	info "$2: $number instructions a packet"
	awk -v n="$number" -v max="$3" 'BEGIN { exit n == "" || n > max }'
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
	check wrong-options "one was taken, or it was built first" wrong_options
	check worker-names "see above" worker_names
	check pictures "see bench.log" pictures
	check hardware "see bench.log" hardware
	needs_huge_pages crossings crossings
	needs_huge_pages ends ends
	needs_huge_pages round-trips round_trips
	needs_huge_pages many-vifs many_vifs
	needs_huge_pages notifications notifications
	needs_huge_pages vswitch-rates vswitch_rates
	needs_huge_pages vswitch-rtt vswitch_rtts
	check wake "see wake.log and bench.log" woken
	if [ "$(build_option buildtype)" != release ]; then
		echo "skip instructions - not a release build"
	elif bench --rounds 1 --seconds 0.1 --only ir --peers copy0,static --json "$RUN/ir.json" \
			--build "$BUILD" --profile "$RUN/profiles"; then
		check rx-instructions "more than $MAX_RX" at_most ir.json ir.rx.64.copy0 "$MAX_RX"
		check tx-instructions "more than $MAX_TX" at_most ir.json ir.tx.64.copy0 "$MAX_TX"
		check static-rx-instructions "more than $MAX_STATIC_RX" \
			at_most ir.json ir.rx.64.static "$MAX_STATIC_RX"
		check static-tx-instructions "more than $MAX_STATIC_TX" \
			at_most ir.json ir.tx.64.static "$MAX_STATIC_TX"
		check frontend-instructions "no figures" \
			above_zero ir.json ir.frontend.{rx,tx}.{64,1518}.copy0
		check profile "none of xenvif_rx_burst" profiled
		check vswitch-ir "no figures" vswitch_bench vswitch-ir.json --only ir
		check vswitch-instructions "more than $MAX_SWITCH" \
			at_most vswitch-ir.json ir.switch-io "$MAX_SWITCH"
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
