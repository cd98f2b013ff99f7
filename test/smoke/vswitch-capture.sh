#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# Captures and mirrors of dpdk-xenvswitch: every packet of some pings is in the file, with its port,
# direction and tag, as tshark reads it; neither a reader that stops nor a client that is killed
# disturbs anybody; a mirror's copies are what tcpdump sees at another port.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"
. "$SMOKE/vswitch-lib.sh"

# Guests 1 and 2 have no VLAN, and 3 and 4 are in VLAN 20; the uplink has both, the host's port the
# first one.
BRIDGE=("[bridge xenbr0]")
HOST=("[port host0]" "kind = tap" "bridge = xenbr0")
UPLINK=("[port up0]" "devargs = net_tap1,iface=up0" "bridge = xenbr0" "trunks = 20")

ends_up()
{
	wait_for "$LIMIT" has_link host0 || die "no tap device host0"
	ip link set host0 up
	wait_for "$LIMIT" has_link up0 || die "no tap device up0"
	ip link set up0 up
}

# capture_start NAME FILE ARG...: in the background, its output in $RUN/NAME.log.
capture_start()
{
	rm -f "$RUN/$1.log"
	in_background "$1" "$BUILD/app/vswitchctl/xenvswitchctl" --socket "$RUN/vswitch.sock" \
		capture "${@:2}"
	wait_for "$LIMIT" capture_says "$1" "capturing; "
}

capture_says()
{
	grep -qsF -- "$2" "$RUN/$1.log"
}

# capture_ended NAME: by itself, with success.
capture_ended()
{
	wait_for "$LIMIT" process_ended "${PIDS[$1]}" && wait "${PIDS[$1]}"
}

# capture_end NAME: as Ctrl-C ends it.
capture_end()
{
	kill -INT "${PIDS[$1]}"
	capture_ended "$1"
}

no_captures()
{
	[ "$(ctl show captures | wc -l)" -eq 1 ]
}

# fields FILE FILTER FIELD...: of the packets that match, one a line.
fields()
{
	local options=() field
	for field in "${@:3}"; do
		options+=(-e "$field")
	done
	tshark -n -r "$1" -Y "$2" -T fields "${options[@]}" 2>"$RUN/tshark.log"
}

# whole FILE: tshark finds nothing cut off.
whole()
{
	tshark -n -r "$1" >/dev/null 2>"$RUN/tshark.log" && ! grep -qi "cut short" "$RUN/tshark.log"
}

# sequence FILE FILTER: the ICMP sequence numbers of the packets that match.
sequence()
{
	fields "$1" "$2" icmp.seq | paste -sd ' '
}

# All of the pings are there: each request comes in by guest 1's port, and its answer goes out.
every_packet()
{
	local file=$RUN/every.pcapng wanted
	wanted=$(seq -s ' ' 20)
	capture_start every "$file" --port vif1.0 || return 1
	ping_guest 1 2 20 || return 1
	capture_end every || return 1
	whole "$file" &&
		[ "$(sequence "$file" "icmp.type == 8 && frame.packet_flags_direction == 1" |
			cut -d ' ' -f 1-20)" = "$wanted" ] &&
		[ "$(sequence "$file" "icmp.type == 0 && frame.packet_flags_direction == 2" |
			cut -d ' ' -f 1-20)" = "$wanted" ] &&
		[ "$(fields "$file" frame frame.interface_name | sort -u)" = vif1.0 ] &&
		capture_says every ", 0 lost" && capture_says every \
		"$(fields "$file" frame frame.number | wc -l) packets captured"
}

# Both ports have each packet, in their directions; and of one direction alone that.
all_ports()
{
	local file=$RUN/all.pcapng tx=$RUN/tx.pcapng
	capture_start all "$file" || return 1
	capture_start tx "$tx" --direction tx || return 1
	ping_guest 1 2 5 || return 1
	capture_end all && capture_end tx || return 1
	fields "$file" "icmp.seq == 3" icmp.type frame.interface_name \
		frame.packet_flags_direction | sort >"$RUN/all.txt"
	diff - "$RUN/all.txt" >"$RUN/diff.log" <<-'EOT' || return 1
		0	vif1.0	0x00000002
		0	vif2.0	0x00000001
		8	vif1.0	0x00000001
		8	vif2.0	0x00000002
	EOT
	[ "$(fields "$tx" icmp frame.packet_flags_direction | sort -u)" = 0x00000002 ]
}

# 10 packets of 60 bytes each, and it ends.
count_and_snaplen()
{
	local file=$RUN/count.pcapng
	capture_start count "$file" --port vif1.0 --count 10 --snaplen 60 || return 1
	ping_guest 1 2 20 || return 1
	capture_ended count && whole "$file" || return 1
	capture_says count "10 packets captured, 0 lost" &&
		[ "$(fields "$file" frame frame.number | wc -l)" -eq 10 ] &&
		[ "$(fields "$file" icmp frame.cap_len frame.len | sort -u)" = $'60\t98' ]
}

seconds()
{
	ctl capture "$RUN/seconds.pcapng" --seconds 1 --json >"$RUN/seconds.json" \
		2>"$RUN/seconds.log" && grep -q '"end": "seconds"' "$RUN/seconds.json"
}

# Frames that others on the uplink's cable send, with a tag.
send_tagged()
{
	python3 - "$1" "$2" <<-'EOT'
		import socket
		import sys
		with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
		    s.bind(("up0", 0))
		    tag = b"\x81\x00" + int(sys.argv[1]).to_bytes(2, "big")
		    source = bytes.fromhex("020000000001")
		    frame = b"\xff" * 6 + source + tag + b"\x88\xb5" + bytes(60)
		    for _ in range(int(sys.argv[2])):
		        s.send(frame)
	EOT
}

# The tag of the trunk is there both ways, and at the guest's port it is not.
tags()
{
	local file=$RUN/tags.pcapng
	capture_start tags "$file" || return 1
	send_tagged 20 5
	guest 3 ping -n -c 2 -W 1 10.99.0.99 >"$RUN/silence.log" 2>&1 || :
	capture_end tags || return 1
	fields "$file" "eth.src == 02:00:00:00:00:01" frame.interface_name vlan.id \
		frame.packet_flags_direction | sort | uniq -c | sed 's/^ *//' >"$RUN/tags.txt"
	diff - "$RUN/tags.txt" >"$RUN/diff.log" <<-'EOT' || return 1
		5 up0	20	0x00000001
		5 vif3.0		0x00000002
		5 vif4.0		0x00000002
	EOT
	[ "$(fields "$file" "arp && eth.src == $(mac_of 3 0)" frame.interface_name vlan.id |
		sort -u)" = $'up0\t20\nvif3.0\t\nvif4.0\t' ]
}

# What tshark prints as it comes.
piped()
{
	in_background piped bash -c '"$1" --socket "$2" capture - --port vif1.0 |
		tshark -n -l -i - -c 10 -Y icmp' - "$BUILD/app/vswitchctl/xenvswitchctl" \
		"$RUN/vswitch.sock"
	wait_for "$LIMIT" grep -qF "capturing; " "$RUN/piped.log" || return 1
	ping_guest 1 2 20 || return 1
	wait_for "$LIMIT" process_ended "${PIDS[piped]}" || return 1
	grep -q "Echo (ping) request" "$RUN/piped.log" && wait_for "$LIMIT" no_captures
}

lost_some()
{
	ctl --json show captures | python3 -c 'import json, sys
sys.exit(not any(c["lost"] > 0 for c in json.load(sys.stdin)["captures"]))'
}

# A reader that never reads: packets are lost for the file, and for nobody else.
reader_stops()
{
	mkfifo "$RUN/fifo"
	in_background reader bash -c 'exec 3<"$1"; exec sleep 1000' - "$RUN/fifo"
	pings_start 1 2
	capture_start stops "$RUN/fifo" || return 1
	while ! lost_some; do
		guest 3 ping -n -q -f -c 500 -w "$LIMIT" 10.99.0.4 \
			>>"$RUN/flood.log" 2>&1 || return 1
	done
	pings_end || return 1
	capture_end stops || return 1
	stop_process "${PIDS[reader]}"
	! capture_says stops " 0 lost" && wait_for "$LIMIT" no_captures
}

# A client that is killed leaves a file that is complete, and no capture.
client_killed()
{
	local file=$RUN/killed.pcapng
	capture_start killed "$file" --port vif1.0 || return 1
	ping_guest 1 2 20 || return 1
	kill -KILL "${PIDS[killed]}"
	wait_for "$LIMIT" no_captures || return 1
	whole "$file" && [ "$(fields "$file" "icmp.type == 8" icmp.seq | wc -l)" -ge 20 ]
}

# A file system that is full.
disk_full()
{
	local status=0
	ctl capture /dev/full >"$RUN/full.log" 2>&1 || status=$?
	[ "$status" -eq 1 ] && grep -qxF \
		"xenvswitchctl: capture: /dev/full: No space left on device" "$RUN/full.log"
}

# One more than there may be.
too_many()
{
	local i status=0
	for i in {1..4}; do
		capture_start "many$i" "$RUN/many$i.pcapng" || return 1
	done
	ctl capture "$RUN/many5.pcapng" >"$RUN/many.log" 2>&1 || status=$?
	[ "$status" -eq 1 ] && [ ! -e "$RUN/many5.pcapng" ] &&
		grep -qF "there are too many captures; allowed: 4" "$RUN/many.log" || return 1
	for i in {1..4}; do
		capture_end "many$i" || return 1
	done
	no_captures
}

# mirror_shows TEXT: as a line of what there is.
mirror_shows()
{
	ctl --json show mirrors | tr -d ' \n' | grep -qF -- "$1"
}

no_mirrors()
{
	[ "$(ctl show mirrors | wc -l)" -eq 1 ]
}

# sees NAME COUNT TEXT: tcpdump has that many such lines.
sees()
{
	[ "$(grep -cF -- "$3" "$RUN/$1.log")" -ge "$2" ]
}

tcpdump_start()
{
	in_background "$1" tcpdump -n -e -U -l -i host0 "${@:2}"
	wait_for "$LIMIT" grep -q "listening on" "$RUN/$1.log"
}

# What guest 1 sends and is sent is seen at the host's port.
mirrored()
{
	tcpdump_start icmp icmp || return 1
	ctl mirror vif1.0 --to host0 || return 1
	ping_guest 1 2 20 || return 1
	wait_for "$LIMIT" sees icmp 20 "ICMP echo request" &&
		wait_for "$LIMIT" sees icmp 20 "ICMP echo reply" &&
		mirror_shows '"port":"vif1.0","to":"host0","direction":"both"' &&
		mirror_shows '"lost":0'
}

# It is kept over a reload, and one way of it takes the place of both.
mirror_reload()
{
	local before
	ctl reload && mirror_shows '"port":"vif1.0"' || return 1
	ctl mirror vif1.0 --to host0 --direction tx || return 1
	before=$(grep -c "ICMP echo request" "$RUN/icmp.log")
	ping_guest 1 2 20 || return 1
	wait_for "$LIMIT" sees icmp 40 "ICMP echo reply" &&
		[ "$(grep -c "ICMP echo request" "$RUN/icmp.log")" -eq "$before" ]
}

# With the tag that it has on the trunk, at a port that is no member of that VLAN.
mirror_tags()
{
	tcpdump_start vlan vlan 20 || return 1
	ctl mirror up0 --to host0 --direction rx || return 1
	send_tagged 20 5
	wait_for "$LIMIT" sees vlan 5 "vlan 20"
}

# mirror_ends: by the command, and with either port.
mirror_ends()
{
	ctl mirror vif1.0 --off && ! mirror_shows '"port":"vif1.0"' || return 1
	ctl mirror vif3.0 --to vif1.0 && ctl mirror vif1.0 --to vif3.0 || return 1
	capture_start leaves "$RUN/leaves.pcapng" --port vif3.0 || return 1
	guest_end 3
	xensim domain-destroy 3 >>"$RUN/xensim.log" 2>&1
	capture_ended leaves && capture_says leaves "the port is gone" || return 1
	whole "$RUN/leaves.pcapng" && ! mirror_shows vif3.0 || return 1
	vswitch_config "${BRIDGE[@]}" "${UPLINK[@]}"
	ctl reload && no_mirrors && ping_guest 1 2 20
}

# The switch ends while there is a capture: so does the client.
switch_ends()
{
	local status=0
	capture_start last "$RUN/last.pcapng" || return 1
	ping_guest 1 2 5 || return 1
	vswitch_stop || return 1
	wait_for "$LIMIT" process_ended "${PIDS[last]}" || return 1
	wait "${PIDS[last]}" || status=$?
	[ "$status" -eq 3 ] && whole "$RUN/last.pcapng" &&
		[ "$(fields "$RUN/last.pcapng" "icmp.type == 8" icmp.seq | sort -u | wc -l)" -ge 5 ]
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
	check capture "packets, directions or ports are missing" every_packet
	check ports "not each port has its packets" all_ports
	check count "not 10 packets of 60 bytes" count_and_snaplen
	check seconds "it does not end" seconds
	check tags "tags are missing, or too many" tags
	check pipe "tshark does not see them" piped
	check reader-stops "it holds somebody up" reader_stops
	check killed "something is left, or missing" client_killed
	check disk-full "no such error" disk_full
	check too-many "not refused" too_many
	check mirror "the host's port does not see them" mirrored
	check mirror-reload "it is gone, or both ways" mirror_reload
	check mirror-tags "no tagged packets" mirror_tags
	check mirror-ends "it does not" mirror_ends
	check end "the switch does not end, or the file is cut" switch_ends
	verdict
}

if ! command -v tshark >/dev/null || ! command -v tcpdump >/dev/null; then
	echo "skip vswitch-capture - tshark or tcpdump is not installed"
	exit 0
fi
PRIVATE_OPTIONS=(--net)
private_main main "$@"
