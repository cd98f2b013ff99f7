#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# What testpmd is told at its command line while guests are connected: its ports are stopped, reset
# and started, and it answers pings itself.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"

# It has reset its ports so often, and forwards again.
was_reset()
{
	[ "$(grep -c '^Resetting ports' "$RUN/testpmd.log")" -ge "$1" ] && ping_guest 1 2 20
}

# It reads one command after the other, and does not say when it has done so.
reset_ports()
{
	testpmd stop
	testpmd port stop all
	testpmd port reset all
	testpmd port start all
	testpmd start
	wait_for "$LIMIT" was_reset "$1"
}

# It answers for any address, each guest on its own port.
echoes()
{
	testpmd stop
	testpmd set fwd icmpecho
	testpmd start
	wait_for "$LIMIT" ping_guest 1 201 20 && ping_guest 2 202 20
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
		guest_up "$d"
	done
	check ping "pings were lost" ping_guest 1 2 20
	check reset "no pings pass" reset_ports 1
	check reset-again "no pings pass" reset_ports 2
	check icmpecho "no answers" echoes
	check no-errors "testpmd has complained" \
		bash -c '! grep -iE "error|fail|cannot|not supported" "$1"' - "$RUN/testpmd.log"
	check stops "testpmd does not end" testpmd_stop
	verdict
}

private_main main "$@"
