#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# dpdk-xenvswitch, as fair as it says: guests that flood share it, one of small frames and one of
# large ones too; others' pings pass beside them; one that does not read loses its own packets only.
#
# Each copy that the switch has made costs it milliseconds of its processor: what is measured is its
# turns, whatever else is at work on this machine, and guests that flood always have more.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"
. "$SMOKE/vswitch-lib.sh"

FLOODER=1
OTHER=2
# These ping, and the last one is flooded.
PINGS=3
PINGED=4
FLOODED=5
# Nobody has this address, so that what is for it is dropped when it has come in.
NOBODY=00:16:3e:ff:ff:ff
ROUNDS=5
TURN=32
QUANTUM=65536

guest_with_mtu()
{
	domain_add "$1"
	vif_add "$1" 0 mtu="$2"
	guest_start "$1" "$2"
	guest_up "$1"
}

# flood_start GUEST DESTINATION LENGTH
flood_start()
{
	in_background "flood$1" ip netns exec "guest$1" "$SMOKE/flood.py" eth0 "$(mac_of "$1" 0)" \
		"$2" "$3"
}

flood_stop()
{
	stop_process "${PIDS[flood$1]}"
}

# stat GUEST NAME: a counter of its port.
stat()
{
	ctl --json show stats | python3 -c 'import json, sys
for port in json.load(sys.stdin)["stats"]:
    if port["name"] == sys.argv[1]:
        print(port[sys.argv[2]])' "vif$1.0" "$2"
}

stat_reached()
{
	[ "$(stat "$1" "$2")" -ge "$3" ]
}

# more GUEST PACKETS: wait until the switch has taken so many more of it.
more()
{
	wait_for "$LIMIT" stat_reached "$1" rx_packets "$(($(stat "$1" rx_packets) + $2))" ||
		die "guest $1 does not flood"
}

# shares: what the two that flood have brought in meanwhile, packets and bytes, in one look.
shares()
{
	ctl --json show stats | python3 -c 'import json, sys
ports = {port["name"]: port for port in json.load(sys.stdin)["stats"]}
print(*(ports["vif%s.0" % guest][name] for guest in sys.argv[1:]
        for name in ("rx_packets", "rx_bytes")))' "$FLOODER" "$OTHER"
}

# median: of the numbers on standard input.
median()
{
	sort -n | sed -n "$((ROUNDS / 2 + 1))p"
}

# rounds COMMAND ARG...: with what both have brought in while the flooder had 100 turns: its packets
# and bytes, and the other one's. The median of what the command prints.
rounds()
{
	local i before after
	for ((i = 0; i < ROUNDS; i++)); do
		read -ra before < <(shares)
		more "$FLOODER" $((100 * TURN))
		read -ra after < <(shares)
		"$@" $((after[0] - before[0])) $((after[1] - before[1])) \
			$((after[2] - before[2])) $((after[3] - before[3]))
	done | median
}

# least: the smaller share of packets, percent.
least()
{
	echo $((100 * ($1 < $3 ? $1 : $3) / ($1 + $3)))
}

# quantum: the bytes that the other one has had for a turn of the flooder, percent of what it may.
quantum()
{
	echo $((100 * $4 / ($1 / TURN * QUANTUM)))
}

# flood_both LENGTH COMMAND...: what rounds() prints, with frames of that length of the other guest.
flood_both()
{
	flood_start "$FLOODER" "$NOBODY" 60
	flood_start "$OTHER" "$NOBODY" "$1"
	more "$FLOODER" $((20 * TURN))
	more "$OTHER" $((4 * TURN))
	rounds "${@:2}"
	flood_stop "$FLOODER"
	flood_stop "$OTHER"
}

# share LENGTH: with frames of that length of the other one, both have 45 % of all packets.
share()
{
	local percent
	percent=$(flood_both "$1" least)
	info "frames of 60 bytes beside some of $1: at least $percent % of packets"
	[ "$percent" -ge 45 ]
}

# Frames that are too large for as many: these have their bytes.
share_bytes()
{
	local percent
	percent=$(flood_both 9014 quantum)
	info "frames of 9014 bytes beside some of 60: $percent % of the bytes of a turn"
	[ "$percent" -ge 90 ] && [ "$percent" -le 110 ]
}

# Beside a flood to a guest that reads; how many packets of it go before one is counted by the unit
# test vsw_sharing, for times tell more of the machine.
beside()
{
	flood_start "$FLOODER" "$(mac_of "$FLOODED" 0)" 60
	more "$FLOODER" $((20 * TURN))
	ping_guest "$PINGS" "$PINGED" 50 || return 1
	flood_stop "$FLOODER"
}

# lost: packets that others have lost, and the flooded guest for other reasons than its own.
lost()
{
	ctl --json show drops | python3 -c 'import json, sys
print(sum(drop["packets"] for drop in json.load(sys.stdin)["drops"]
          if (drop["port"], drop["reason"]) != (sys.argv[1], "tx_full")))' "vif$FLOODED.0"
}

full()
{
	[ "$(drops "vif$FLOODED.0" tx_full)" -ge "$1" ]
}

# It stops, and the flood goes on; others have theirs.
stops_reading()
{
	kill -STOP "${PIDS[guest$FLOODED]}"
	ctl reset
	flood_start "$FLOODER" "$(mac_of "$FLOODED" 0)" 60
	check stopped "none of its packets is lost" wait_for "$LIMIT" full 5000
	check stopped-tcp "TCP of others does not pass" tcp_load "$PINGS" "$PINGED" 2
	check stopped-ping "pings of others are lost" ping_guest "$PINGS" "$PINGED" 50
	check stopped-lost "others have lost packets" test "$(lost)" -eq 0
	flood_stop "$FLOODER"
	kill -CONT "${PIDS[guest$FLOODED]}"
	check goes-on "it is not reached any more" \
		wait_for "$LIMIT" ping_guest "$PINGS" "$FLOODED" 5
}

main()
{
	machine_start
	vswitch_config "[bridge xenbr0]"
	vswitch_start
	guest_with_mtu "$FLOODER" 1500
	guest_with_mtu "$OTHER" 9000
	guest_with_mtu "$PINGS" 1500
	guest_with_mtu "$PINGED" 1500
	guest_with_mtu "$FLOODED" 1500
	check ping "guest $PINGS does not reach guest $PINGED" ping_guest "$PINGS" "$PINGED" 5
	stops_reading
	xensim charge hc_ns=2000000 hc_batch=4096
	check share "one has less than 45 %" share 60
	check share-large "one has less than 45 %" share 1514
	check share-bytes "they have more or less bytes than others" share_bytes
	check beside "pings of others are lost" beside
	check end "the switch does not end" vswitch_stop
	verdict
}

PRIVATE_OPTIONS=(--net)
private_main main "$@"
