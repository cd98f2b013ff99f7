#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# A guest that breaks the protocol is disconnected with a reason, and nobody else notices.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"

main()
{
	local d
	machine_start
	# The third port, without a partner, is forwarded to itself.
	testpmd_start net_xenvif0,domid=1,devid=0 net_xenvif1,domid=2,devid=0 \
		net_xenvif2,domid=3,devid=0 --
	for d in 1 2 3; do
		domain_add "$d"
		vif_add "$d" 0
	done
	guest_start 1
	guest_start 2
	guest_up 1
	guest_up 2
	pings_start 1 2
	error_shared 3 0
	# Its lines are verdicts.
	hostile 3 0 all || failed=1
	check others-undisturbed "pings between other guests were lost" pings_end
	check hostile-comes-back "it is not taken back" hostile 3 0 reset 1
	verdict
}

private_main main "$@"
