#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# How long a packet takes to wake up DPDK's l3fwd-power, which sleeps on the interrupts of two
# ports, and to come through it: net_xenvif on the stand-in hypervisor, and net_vhost.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../smoke/lib.sh"
. "$SMOKE/examples-lib.sh"

ROUNDS=5
PACKETS=2000
USEC=1000

usage()
{
	cat <<EOT
Usage: scripts/bench wake [--rounds N] [--build DIR]

Microseconds that a packet takes through DPDK's l3fwd-power, which sleeps until it
comes, by two ports of net_xenvif and by two of net_vhost: a line a round with the
50th and the 99th percentile, how often l3fwd-power was woken up, and how many packets
were lost, of $PACKETS each, one at a time, $USEC us apart. The other side polls. Needs root.

  --rounds N   (default: $ROUNDS)
  --build DIR  build folder (default: build/ in the tree)
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
		--rounds=*) ROUNDS=${1#*=} ;;
		--build) BUILD=$(option_folder --build "${2:-}"); shift ;;
		--build=*) BUILD=$(option_folder --build "${1#*=}") ;;
		-h | --help) usage; exit 0 ;;
		*) refuse "unknown argument '$1'; see --help" ;;
		esac
		shift
	done
	[[ $ROUNDS =~ ^[1-9][0-9]*$ ]] ||
		refuse "--rounds must be a number from 1 up, not '$ROUNDS'"
}

# router_start PREFIX ARG...: an l3fwd-power with the ports that ARGs make.
router_start()
{
	local prefix=$1
	shift
	: >"$RUN/router-$prefix.log"
	in_background "router-$prefix" "$BUILD/test/xensim/xensim" exec 0 -- \
		env "LD_LIBRARY_PATH=$DRIVERS:$BUILD/test/xensim" stdbuf -oL \
		"$RUN/l3fwd-power" --no-huge -m 256 --no-pci --file-prefix "$prefix" \
		--lcores "0@($(cpus))" "$@" -- -p 0x3 -P --config="(0,0,0),(1,0,0)" \
		--parse-ptype --interrupt-only
	wait_for "$LIMIT" grep -q 'entering main interrupt loop' "$RUN/router-$prefix.log" ||
		die "l3fwd-power does not start"
}

# packets PREFIX PORT PORT: both ends' other side.
packets()
{
	in_domain 1 "$BUILD/test/perf/xenwake" --no-huge -m 128 --no-pci --file-prefix "wake-$1" \
		--lcores "0@($(cpus))" --vdev "$2" --vdev "$3" -- "$PACKETS" "$USEC" \
		2>"$RUN/wake-$1.log" | grep -E '^([0-9.]+|lost)$' >"$RUN/$1.usec" ||
		die "no packet comes through"
}

# percentile FILE PERCENT
percentile()
{
	grep -v lost "$1" | sort -n |
		awk -v p="$2" '{ t[NR] = $1 } END { print t[int(NR * p / 100) + 1] }'
}

report()
{
	local round=$1 peer
	for peer in xenvif vhost; do
		printf '%5s  %-7s %8s %8s %8s %6s\n' "$round" "$peer" \
			"$(percentile "$RUN/$peer.usec" 50)" "$(percentile "$RUN/$peer.usec" 99)" \
			"$(grep -c 'is waked up from rx interrupt' "$RUN/router-$peer.log" || :)" \
			"$(grep -c lost "$RUN/$peer.usec" || :)"
	done
}

main()
{
	local round
	parse_options "$@"
	example_build l3fwd-power >"$RUN/build.log" 2>&1 || die "l3fwd-power does not build"
	machine_start
	domain_add 1
	router_start xenvif -d librte_net_xenvif.so --vdev net_xenvif0,domid=1,devid=0 \
		--vdev net_xenvif1,domid=1,devid=1
	vif_add 1 0
	vif_add 1 1
	router_start vhost --vdev "net_vhost0,iface=$RUN/vhost0.sock" \
		--vdev "net_vhost1,iface=$RUN/vhost1.sock"
	printf '%5s  %-7s %8s %8s %8s %6s\n' round port p50 p99 wake-ups lost
	for ((round = 1; round <= ROUNDS; round++)); do
		: >"$RUN/router-xenvif.log"
		: >"$RUN/router-vhost.log"
		packets xenvif net_xenfront0,devid=0 net_xenfront1,devid=1
		packets vhost "net_virtio_user0,path=$RUN/vhost0.sock" \
			"net_virtio_user1,path=$RUN/vhost1.sock"
		report "$round"
	done
}

if [ "${XENVIF_PRIVATE:-}" != "$$" ]; then
	parse_options "$@"
	need_root "it makes network namespaces"
	"$TREE/scripts/setup" --build "$BUILD" --with smoke </dev/null >&2
fi
private_main main "$@"
