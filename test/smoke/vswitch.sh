#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# dpdk-xenvswitch between guests on two VLANs, a tap device of this domain and one as an uplink: who
# should talk does, and nobody else; forged addresses are dropped and counted; guests come and go,
# and the switch too, and those that stay notice a pause and no more.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/vswitch-lib.sh"

# Guests 1 and 2 have no VLAN, and 3 and 4 are in VLAN 20; the uplink has both, the host's port the
# first one.
BRIDGE=("[bridge xenbr0]" "[bridge other]" "lock = off" "[bridge locked]" "lock = ip"
	"isolated = yes" "[port host1]" "kind = tap" "bridge = locked")
HOST=("[port host0]" "kind = tap" "bridge = xenbr0")
UPLINK=("[port up0]" "devargs = net_tap1,iface=up0" "bridge = xenbr0" "trunks = 20")

# The other ends of the tap devices: this domain's, and a host on the uplink's cable.
ends_up()
{
	wait_for "$LIMIT" has_link host0 || die "no tap device host0"
	ip addr replace 10.99.0.100/24 dev host0
	ip link set host0 up
	outside up0 10.99.0.101/24
	outside host1 10.99.0.102/24
}

# outside NAME ADDRESS: the tap device is a host's of its own, with that address.
outside()
{
	wait_for "$LIMIT" has_link "$1" || die "no tap device $1"
	ip netns add "$1"
	ip link set "$1" netns "$1"
	ip -n "$1" link set "$1" up
	ip -n "$1" addr add "$2" dev "$1"
}

# ask_tagged VLAN ADDRESS [SECONDS]: an ARP request for it on the uplink, tagged; the answer has
# that tag, too.
ask_tagged()
{
	in_background "tagged-$1" ip netns exec up0 tcpdump -i up0 -e -n -U -l vlan "$1" and arp
	wait_for "$LIMIT" grep -q "listening on" "$RUN/tagged-$1.log" || return 1
	ip netns exec up0 python3 - "$@" <<-'EOT'
		import socket
		import sys
		with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
		    s.bind(("up0", 0))
		    source = bytes.fromhex("020000000001")
		    arp = bytes.fromhex("0001080006040001") + source + bytes([10, 99, 0, 102]) \
		        + bytes(6) + socket.inet_aton(sys.argv[2])
		    tag = b"\x81\x00" + int(sys.argv[1]).to_bytes(2, "big")
		    s.send(b"\xff" * 6 + source + tag + b"\x08\x06" + arp + bytes(18))
	EOT
	wait_for "${3:-$LIMIT}" grep -q "Reply $2 is-at" "$RUN/tagged-$1.log"
}

# silence FROM ADDRESS [PING-ARGUMENT...]: none of some pings is answered.
silence()
{
	! guest "$1" ping -n -c 5 -i 0.05 -W 1 "${@:3}" "$2" >"$RUN/silence.log" 2>&1
}

not()
{
	! "$@"
}

who_talks()
{
	check vlan-none "guest 1 does not reach guest 2" ping_guest 1 2 20
	check vlan-20 "guest 3 does not reach guest 4" ping_guest 3 4 20
	check vlan-apart "guest 1 reaches guest 3" silence 1 10.99.0.3
	check host "guest 1 does not reach the host" ping_answered 1 10.99.0.100 20
	check host-apart "guest 3 reaches the host" silence 3 10.99.0.100
	check uplink "guest 1 does not reach the uplink" ping_answered 1 10.99.0.101 20
	check uplink-20 "guest 3 does not answer in VLAN 20" ask_tagged 20 10.99.0.3
	check uplink-30 "somebody answers in VLAN 30" not ask_tagged 30 10.99.0.3 2
}

dropped()
{
	[ "$(drops "$1" "$2")" -eq "$3" ]
}

locks()
{
	guest 1 "$SMOKE/forge.py" eth0 "$(mac_of 2 0)" 10
	check lock-mac "no 10 forged frames are counted" \
		wait_for "$LIMIT" dropped vif1.0 source_mac 10
	guest 1 "$SMOKE/forge.py" eth0 "$(mac_of 1 0)" 10 "$(mac_of 2 0)"
	check lock-arp "no 10 forged ARP packets are counted" \
		wait_for "$LIMIT" dropped vif1.0 source_arp 10
	check lock-others "guest 1 is cut off by that" ping_guest 1 2 10
}

# A bridge with the other lock, whose guests do not reach each other.
lock_ip()
{
	guest_make 7 bridge=locked ip=10.99.0.7
	guest_make 8 bridge=locked "ip=10.99.0.8 10.99.0.88"
	check lock-ip "guest 7 does not reach the tap" ping_answered 7 10.99.0.102 10
	check isolated "guest 7 reaches guest 8" silence 7 10.99.0.8
	ip -n guest7 addr add 10.99.0.77/32 dev eth0
	ip -n guest8 addr add 10.99.0.88/32 dev eth0
	check lock-ip-second "guest 8's second address does not work" \
		ping_answered 8 10.99.0.102 10 -I 10.99.0.88
	check lock-ip-other "guest 7 has an answer at another's address" \
		silence 7 10.99.0.102 -I 10.99.0.77
	check lock-ip-counted "that is not counted" some_dropped vif7.0 source_ip
}

some_dropped()
{
	[ "$(drops "$1" "$2")" -gt 0 ]
}

# Hundredths of a second that the switch has run in four seconds.
ticks()
{
	local before
	before=$(process_ticks "${PIDS[vswitch]}")
	sleep 4
	echo $(($(process_ticks "${PIDS[vswitch]}") - before))
}

# Less than a hundredth of a processor, when nothing comes for a while.
sleeps()
{
	local i ticks
	for i in {1..15}; do
		ticks=$(ticks)
		info "idle: $ticks of 400"
		[ "$ticks" -ge 4 ] || return 0
	done
	return 1
}

# Packets to be segmented go whole to a guest that takes them so, and are cut for a tap device.
whole()
{
	local d
	for d in 9 10; do
		domain_add "$d"
		vif_add "$d" 0
		guest_start "$d" 1500 1 --gso
		guest_up "$d"
	done
	check gso "TCP does not pass" tcp_load 9 10 1
	check gso-whole "none went whole" went_whole vif10.0
	in_background iperf-host iperf3 -s
	wait_for "$LIMIT" host_listens
	check gso-cut "TCP does not pass to the tap" interruptible ip netns exec guest9 \
		iperf3 -c 10.99.0.100 -t 3 -J
	stop_process "${PIDS[iperf-host]}"
	check gso-sums "the host's kernel found wrong checksums" no_wrong_sums
}

host_listens()
{
	ss -Hltn "sport = :5201" | grep -q .
}

no_wrong_sums()
{
	[ "$(nstat -az TcpInCsumErrors | awk '/CsumErrors/ { print $2 }')" -eq 0 ]
}

# went_whole PORT: packets that the guest was given whole.
went_whole()
{
	local number
	number=$(ctl show ports | awk -v name="$1" '$1 == name { print $2 }')
	[ "$(telemetry vswitch rings "$number" tx gso_whole)" -gt 0 ]
}

# What guests 1 and 2 notice of all this: nothing.
comings_and_goings()
{
	pings_start 1 2
	guest_end 4
	xensim domain-destroy 4 >>"$RUN/xensim.log" 2>&1
	check leaves "its port is there" wait_for "$LIMIT" vswitch_has_not vif4.0
	guest_make 5 bridge=xenbr0.20
	check comes "guest 3 does not reach guest 5" ping_guest 3 5 20
	pings_end
}

has_error()
{
	store_read "/local/domain/0/backend/vif/$1/0/hotplug-error" | grep -qF -- "$2"
}

refused()
{
	domain_add 6
	vif_add 6 0 bridge=nosuch --no-wait
	check refused-bridge "hotplug-error does not say so" \
		wait_for "$LIMIT" has_error 6 "bridge 'nosuch': there is none in the configuration"
	in_domain 0 xenstore-write /local/domain/0/backend/vif/6/0/bridge xenbr0.4095
	check refused-vlan "hotplug-error does not say so" wait_for "$LIMIT" has_error 6 4095
	in_domain 0 xenstore-write /local/domain/0/backend/vif/6/0/bridge other
	check accepted "no port" wait_for "$LIMIT" vswitch_says "port vif6.0: guest on bridge other"
	xensim domain-destroy 6 >>"$RUN/xensim.log" 2>&1
	wait_for "$LIMIT" vswitch_has_not vif6.0
}

# What was to be said while xenstored was away is, when that is back.
late()
{
	guest_end 3
	kill -STOP "${PIDS[vswitch]}"
	xensim restart-xenstored
	reload "[bridge other]"
	kill -CONT "${PIDS[vswitch]}"
	wait_for "$LIMIT" vswitch_says "xenstore answers again" || return 1
	wait_for "$LIMIT" has_error 1 "bridge 'xenbr0': there is none in the configuration"
}

signal_xenstored()
{
	kill "-$1" "$(<"$XENSIM_DIR/run/xenstored.pid")"
}

# An xenstored that lives and gives no answer: guests talk on, whoever asks the switch is answered,
# it ends, and it starts.
hangs()
{
	pings_start 1 2
	signal_xenstored STOP
	: >"$RUN/vswitch.log"
	kill -HUP "${PIDS[vswitch]}"
	check hang "it does not notice" wait_for "$LIMIT" vswitch_says "xenstore does not answer"
	check hang-control "its ports are not told" vswitch_has vif1.0
	check hang-rate "xenvswitchctl does not say so" not_connected
	check hang-pings "pings were lost" pings_end
	check hang-end "it does not end" vswitch_stop
	vswitch_start
	signal_xenstored CONT
	check hang-over "it does not notice" \
		wait_for "$LIMIT" vswitch_says "xenstore answers again"
	check hang-ports "a guest is not served again" wait_for "$LIMIT" ping_guest 1 2 5
	check hang-new "a new guest is not served" hang_new
}

not_connected()
{
	! ctl set rate vif1.0 1Mb/s >"$RUN/rate.log" 2>&1 &&
		grep -q "xenstore does not answer" "$RUN/rate.log"
}

hang_new()
{
	guest_make 11 && ping_guest 11 1 5
}

# reload LINE...: with another configuration, by SIGHUP.
reload()
{
	: >"$RUN/vswitch.log"
	vswitch_config "$@"
	kill -HUP "${PIDS[vswitch]}"
}

reloads()
{
	pings_start 1 2
	reload "${BRIDGE[@]}" "${HOST[@]}"
	wait_for "$LIMIT" vswitch_says "read again" || return 1
	vswitch_says "port up0: removed" || return 1
	reload "${BRIDGE[@]}" "${HOST[@]}" "colour = blue"
	wait_for "$LIMIT" vswitch_says "nothing is changed" || return 1
	reload "${BRIDGE[@]}" "${HOST[@]}" "${UPLINK[@]}"
	wait_for "$LIMIT" vswitch_says "read again" || return 1
	vswitch_says "port up0: uplink" || return 1
	pings_end
}

mac_of_link()
{
	wait_for "$LIMIT" has_link "$1" && ip -o link show "$1" | grep -o "ether [0-9a-f:]*"
}

# Under the load of one connection, the switch ends and comes again, either way.
restarts()
{
	local mac
	mac=$(mac_of_link host0)
	in_background server ip netns exec guest2 iperf3 -s
	wait_for "$LIMIT" guest_listens 2 5201 || die "iperf3 does not listen"
	in_background client ip netns exec guest1 iperf3 -c 10.99.0.2 -t 600
	check load "no TCP" goes_on
	vswitch_stop || not_ok stop "the switch does not end"
	vswitch_start
	check restart "the connection was lost" goes_on
	check restart-mac "host0 has another MAC address" [ "$(mac_of_link host0)" = "$mac" ]
	kill -KILL "${PIDS[vswitch]}"
	wait_for "$LIMIT" process_ended "${PIDS[vswitch]}"
	vswitch_start
	check kill "the connection was lost" goes_on
	stop_process "${PIDS[client]}"
	stop_process "${PIDS[server]}"
}

main()
{
	machine_start
	vswitch_config "${BRIDGE[@]}" "${HOST[@]}" "${UPLINK[@]}"
	vswitch_start
	ends_up
	guest_make 1
	guest_make 2
	guest_make 3 bridge=xenbr0.20
	guest_make 4 bridge=xenbr0.20
	who_talks
	locks
	check sleeps "it uses more than a hundredth of a processor" sleeps
	lock_ip
	whole
	check pass-by "pings of others were lost" comings_and_goings
	refused
	check tcp "packets were lost" tcp_load 1 2 4
	check reload "pings of others were lost, or it was not done" reloads
	restarts
	hangs
	check late "hotplug-error does not say so" late
	check end "the switch does not end" vswitch_stop
	verdict
}

PRIVATE_OPTIONS=(--net)
private_main main "$@"
