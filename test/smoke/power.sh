#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# DPDK's l3fwd-power, from the source of the installed version: it sleeps on the rx interrupts of
# two vifs, routes between their guests, and takes hardly any time while there is nothing to do.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"
. "$TREE/scripts/dpdk-source.sh"

IDLE_SECONDS=10

build()
{
	local tarball flags
	tarball=$(dpdk_source) || return 1
	mkdir "$RUN/source"
	tar -xf "$tarball" -C "$RUN/source" --wildcards --strip-components=1 \
		'*/examples/l3fwd-power'
	read -ra flags < <(pkg-config --cflags --libs libdpdk)
	cc -O1 -DALLOW_EXPERIMENTAL_API -o "$RUN/l3fwd-power" \
		"$RUN"/source/examples/l3fwd-power/*.c "${flags[@]}" >&2
}

# It has the networks 1.1.1.0/24 and 2.1.1.0/24 on its ports 0 and 1, and sends to hosts of these
# addresses.
router_start()
{
	in_background router "$BUILD/test/xensim/xensim" exec 0 -- \
		env "LD_LIBRARY_PATH=$BUILD/drivers:$BUILD/test/xensim" \
		stdbuf -oL "$RUN/l3fwd-power" --no-huge -m 256 --no-pci --file-prefix xenvif \
		--lcores "0@($(cpus))" -d librte_net_xenvif.so \
		--vdev net_xenvif0,domid=1,devid=0 --vdev net_xenvif1,domid=2,devid=0 -- \
		-p 0x3 -P --config="(0,0,0),(1,0,0)" --interrupt-only
}

router_up()
{
	process_ended "${PIDS[router]}" && die "l3fwd-power has ended"
	grep -q 'entering main interrupt loop' "$RUN/router.log"
}

host_up()
{
	local d=$1
	guest_up "$d"
	ip -n "guest$d" link set eth0 address "02:00:00:00:00:0$((d - 1))"
	ip -n "guest$d" addr add "$d.1.1.2/24" dev eth0
	ip -n "guest$d" route add default via "$d.1.1.1"
	ip -n "guest$d" neigh replace "$d.1.1.1" lladdr 02:00:00:00:01:00 dev eth0
}

routed()
{
	ping_answered 1 2.1.1.2 200 || return 1
	info "$(tail -n 2 "$RUN/ping.log")"
}

# Ticks of 1/100 s that the router has been running, all its threads.
ticks()
{
	local stat
	read -r stat <"/proc/${PIDS[router]}/stat"
	# shellcheck disable=SC2086 # words
	set -- ${stat##*) }
	echo $((${12} + ${13}))
}

idle()
{
	local before after
	before=$(ticks)
	sleep $IDLE_SECONDS
	after=$(ticks)
	info "l3fwd-power has run for $((after - before)) of $((IDLE_SECONDS * 100)) ticks"
	[ $((after - before)) -lt $IDLE_SECONDS ]
}

main()
{
	local d
	check build "it does not build" build
	[ -x "$RUN/l3fwd-power" ] || verdict
	machine_start
	domain_add 1
	domain_add 2
	router_start
	for d in 1 2; do
		vif_add "$d" 0
		guest_start "$d"
	done
	for d in 1 2; do
		host_up "$d"
	done
	check starts "it does not start" wait_for "$LIMIT" router_up
	check routes "pings were lost" routed
	check idle "it runs though there is nothing to do" idle
	check routes-again "pings were lost" routed
	verdict
}

private_main main "$@"
