#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# xenstored restarted under traffic: nothing is lost, and vifs come and go afterwards as before.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"

ping_passes()
{
	guest 1 ping -n -c 1 -W 5 10.99.0.2 >>"$RUN/after.log" 2>&1
}

main()
{
	local d
	machine_start
	testpmd_start net_xenvif0,domid=1,devid=0 net_xenvif1,domid=2,devid=0 --
	for d in 1 2; do
		domain_add "$d"
		vif_add "$d" 0
		guest_start "$d"
	done
	guest_up 1
	guest_up 2
	pings_start 1 2
	check restart "xenstored does not come back" xensim restart-xenstored "$XENSIM_DIR"
	check no-loss "pings were lost" pings_end
	check still-connected "a frontend was reconnected" connected_once
	check detach "not answered with state 6" xensim vif-detach 2 0 --timeout 10
	check attach "the backend does not answer" vif_add 2 0
	check traffic-again "no ping passes" wait_for "$LIMIT" ping_passes
	verdict
}

connected_once()
{
	[ "$(telemetry guest1 xstat 0 connects)" = 1 ] &&
		[ "$(telemetry guest2 xstat 0 connects)" = 1 ]
}

private_main main "$@"
