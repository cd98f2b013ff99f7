#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# Random frames both ways through stock testpmd, identical and in order per queue.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"

exchange()
{
	local queues=$1
	testpmd_start "net_xenvif0,domid=1,devid=0,queues=$queues" \
		"net_xenvif1,domid=1,devid=1,queues=$queues" -- --rxq "$queues" --txq "$queues" \
		--max-pkt-len=9018 --enable-scatter --tx-offloads=0x8000
	vif_add 1 0 mtu=9000
	vif_add 1 1 mtu=9000
	check "queues-$queues" "frames differ, see the log" frames 1 "$queues" --seed "$queues"
	check "queues-$queues-chained" "frames differ, see the log" \
		frames 1 "$queues" --seed "1$queues" --chain
	testpmd_stop || not_ok "queues-$queues-quit" "testpmd ends badly"
	xensim vif-destroy 1 0
	xensim vif-destroy 1 1
}

main()
{
	machine_start
	domain_add 1
	exchange 1
	exchange 4
	verdict
}

private_main main "$@"
