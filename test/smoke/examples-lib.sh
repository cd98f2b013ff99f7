# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
# shellcheck shell=bash
#
# DPDK's example programs between two guests. Source it after lib.sh.

. "$TREE/scripts/dpdk-source.sh"

# example_build NAME: $RUN/NAME becomes one of DPDK's example programs.
example_build()
{
	dpdk_example "$1" "$RUN"
}

# example_start NAME ARG...: it runs in the background, with ports for the first vifs of domains 1
# and 2.
example_start()
{
	dpdk_start "$1" "$RUN/$1" "0@($(cpus))" net_xenvif0,domid=1,devid=0 \
		net_xenvif1,domid=2,devid=0 -- "${@:2}"
}

# example_says NAME TEXT: it runs, and has said so.
example_says()
{
	process_ended "${PIDS[$1]}" && die "$1 has ended"
	grep -q "$2" "$RUN/$1.log"
}

# routed_guest DOMID NETWORK: it is host 2 of a network of 24 bits on port DOMID - 1 of a router
# that has host 1, and has the MAC address that DPDK's examples send to.
routed_guest()
{
	guest_up "$1"
	ip -n "guest$1" link set eth0 address "02:00:00:00:00:0$(($1 - 1))"
	ip -n "guest$1" addr add "$2.2/24" dev eth0
	ip -n "guest$1" route add default via "$2.1"
	ip -n "guest$1" neigh replace "$2.1" lladdr 02:00:00:00:01:00 dev eth0
}
