#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# TCP packets to be segmented, and the frames that they are cut into by either driver at either end:
# tshark finds no checksum, length or sequence number that is wrong.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"

# Pairs of guests with a port each: who cuts, the arguments of both ports, and whether the receiving
# guest takes packets whole. From the ports with flags of packets to be sent it has blank checksums
# of all that it does not cut.
PAIRS=(
	"backend-receives ,gso=on --gso"
	"frontend-sends ,gso=off --gso"
	"frontend-receives ,legacy-ol-flags=1"
	"nobody ,legacy-ol-flags=1 --gso"
)
# The data is random: nobody is to look for a protocol in it.
CHECKS=(-o ip.check_checksum:TRUE -d "tcp.port==5555,data" -d "tcp.port==7000,data")
# How severe is what tshark's expert has to say.
ERROR=8388608
WARNING=6291456

# A machine with the ports in one testpmd, and all the guests.
machine_up()
{
	local pair ports=() d=0 to args receiver
	machine_start
	for pair in "${PAIRS[@]}"; do
		read -r _ args _ <<<"$pair"
		for to in 1 2; do
			d=$((d + 1))
			ports+=("net_xenvif$((d - 1)),domid=$d,devid=0$args")
		done
	done
	testpmd_start "${ports[@]}" --
	d=0
	for pair in "${PAIRS[@]}"; do
		read -r _ _ receiver <<<"$pair"
		for to in --gso "$receiver"; do
			d=$((d + 1))
			domain_add "$d"
			vif_add "$d" 0
			# shellcheck disable=SC2086 # none or one
			guest_start "$d" 1500 1 $to
		done
	done
	for ((d = 1; d <= 2 * ${#PAIRS[@]}; d++)); do
		guest_up6 "$d"
	done
}

# capture_start NAME DOMID: keep what the guest receives.
capture_start()
{
	in_background "capture-$1" ip netns exec "guest$2" tcpdump -i eth0 -Q in -U -B 65536 \
		-w "$RUN/$1.pcap" ip or ip6
	wait_for "$LIMIT" grep -q "listening on" "$RUN/capture-$1.log" || die "no capture"
}

# judge NAME TRUE|FALSE FILTER: no frame of a capture is such, nor has it a wrong checksum; FALSE:
# that of TCP may be wrong.
judge()
{
	tshark -r "$RUN/$1.pcap" "${CHECKS[@]}" -o "tcp.check_checksum:$2" \
		-Y "ip.checksum.status == 0 || tcp.checksum.status == 0 || $3" \
		-T fields -e frame.number -e ip.checksum.status \
		-e tcp.checksum.status -e _ws.expert.message -e _ws.col.Info \
		>"$RUN/$1-bad.log" 2>"$RUN/$1-tshark.log" && [ ! -s "$RUN/$1-bad.log" ]
}

# fields NAME FIELD...: of the frames that are made up, with tabs between.
fields()
{
	local pcap=$RUN/$1.pcap
	shift
	tshark -r "$pcap" -Y "tcp.dstport == 5555" -T fields "${@/#/-e}" 2>/dev/null
}

# lengths NAME: each frame is as long as its IP header says.
lengths()
{
	fields "$1" frame.len ip.len ipv6.plen |
		awk -F '\t' '{ ip = $2 != "" ? $2 : $3 + 40 } $1 != ip + 14 { bad = 1 }
			END { exit bad || NR == 0 }'
}

came()
{
	[ "$(fields "$1" frame.number | wc -l)" -ge "$2" ]
}

# as_expected NAME: ports, sequence numbers, bytes, flags and ids.
as_expected()
{
	fields "$1" tcp.srcport tcp.seq_raw tcp.len tcp.flags ip.id |
		diff "$RUN/$1.expected" - >"$RUN/$1-diff.log"
}

# made_up NAME FROM TO TRUE|FALSE [ARG...]: packets with all kinds of headers, see segments.py.
# Nothing at all may be wrong with them, but for TCP's checksums if FALSE.
made_up()
{
	local name=$1 from=$2 to=$3
	capture_start "$name" "$to"
	guest "$from" "$SMOKE/segments.py" eth0 "$(mac_of "$to" 0)" "${@:5}" >"$RUN/$name.expected"
	check "$name-complete" "frames are missing" wait_for "$LIMIT" came "$name" \
		"$(wc -l <"$RUN/$name.expected")"
	stop_process "${PIDS[capture-$name]}"
	check "$name-frames" "see $name-diff.log" as_expected "$name"
	check "$name-lengths" "wrong ones" lengths "$name"
	check "$name-tshark" "see $name-bad.log" judge "$name" "$4" \
		"tcp.analysis.flags || _ws.expert.severity >= $WARNING"
}

# real NAME FROM TO: TCP of the guests' kernels, which may send a segment again.
real()
{
	local name=$1-kernel address
	capture_start "$name" "$3"
	echo_start "$3"
	for address in "10.99.0.$3" "fd99::$3"; do
		check "$name-$address" "see above" echo_data "$2" "$address" --bytes 3000000 \
			--datagrams 1
	done
	stop_process "${PIDS[server]}"
	stop_process "${PIDS[capture-$name]}"
	check "$name-tshark" "see $name-bad.log" judge "$name" TRUE \
		"_ws.expert.severity >= $ERROR"
}

# each_cut: those who were to cut have, and nobody else.
each_cut()
{
	[ "$(rings 0 rx gso_cut)" -gt 100 ] && [ "$(rings 2 rx gso_cut)" -eq 0 ] &&
		[ "$(rings 2 rx slots)" -gt 1000 ] && [ "$(rings 4 rx gso_whole)" -ge 16 ] &&
		[ "$(rings 5 tx gso_whole)" -ge 16 ] && [ "$(rings 7 tx gso_whole)" -ge 16 ]
}

main()
{
	local pair name d=1
	if [ -z "$(command -v tshark)" ]; then
		echo "skip gso - tshark is not installed"
		return
	fi
	machine_up
	for pair in "${PAIRS[@]}"; do
		read -r name _ <<<"$pair"
		case $name in
		nobody) made_up "$name" "$d" "$((d + 1))" FALSE --whole ;;
		frontend-receives) made_up "$name" "$d" "$((d + 1))" TRUE --long ;;
		*)
			made_up "$name" "$d" "$((d + 1))" TRUE
			real "$name" "$d" "$((d + 1))"
			;;
		esac
		d=$((d + 2))
	done
	check each-cut "not those who were to" each_cut
	verdict
}

private_main main "$@"
