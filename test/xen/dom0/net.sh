# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
# shellcheck shell=bash disable=SC2154 # RIG, LOGS, scenario: lib.sh
#
# Networks of a scenario and the traffic that proves them.

# bridge_create NAME ADDRESS: for the kernel's xen-netback.
bridge_create()
{
	ip link add "$1" type bridge
	bridge_up "$1" "$2"
}

# bridge_up NAME ADDRESS: any bridge's own interface has that address.
bridge_up()
{
	ip addr add "$2" dev "$1"
	ip link set "$1" up
}

net_remove_all()
{
	local link

	traffic_stop_all
	ovs_stop
	vswitch_stop
	for link in /sys/class/net/*/bridge; do
		link=${link%/bridge}
		[ ! -e "$link" ] || ip link del "${link##*/}" 2>/dev/null || true
	done
	for link in $(ip -o link show type veth | awk -F'[:@ ]+' '{ print $2 }'); do
		# The other end of one goes with it.
		[ ! -e "/sys/class/net/$link" ] || ip link del "$link" 2>/dev/null || true
	done
	[ "$BACKEND" = netback ] || [ ! -d /sys/module/xen_netback ] ||
		rmmod xen-netback 2>/dev/null || true
}

# ping_ok ADDRESS [COUNT [PING-ARGUMENT...]]: none may be lost, but those before the first answer
# (ARP, link coming up). When ping has sent all it waits as long as twice the longest answer took,
# which on this machine may be too short: so it goes on meanwhile.
ping_ok()
{
	local count=${2:-20} pid

	await 240 "the first answer of $1" ping -c 1 -W 1 "$1"
	stdbuf -oL ping -i 0.1 "${@:3}" "$1" > "$RIG/ping.ok" &
	pid=$!
	echo $pid > "$RIG/ping.ok.pid"
	WAIT_PAUSE=0.6 await 60 "$count answers of $1 in a row" answered ok "$count"
	rm -f "$RIG/ping.ok.pid"
	kill -INT $pid
	wait $pid || true
	tail -n 2 "$RIG/ping.ok"
}

# answered NAME COUNT: each of the first pings.
answered()
{
	awk -F 'icmp_seq=' -v count="$2" '
		/ bytes from / && $2 + 0 >= 1 && $2 + 0 <= count && !seen[$2 + 0]++ { n++ }
		END { exit n != count }' "$RIG/ping.$1"
}

# answered_beyond NAME NUMBER: so far at least.
answered_beyond()
{
	[ "$(last_answered "$1")" -ge "$2" ]
}

# last_answered NAME: the number of the newest ping with an answer.
last_answered()
{
	awk -F 'icmp_seq=' '
		/ bytes from / && $2 + 0 > last { last = $2 + 0 }
		END { print last + 0 }' "$RIG/ping.$1"
}

# guest_ping GUEST ADDRESS [COUNT [PING-ARGUMENT...]]: the same from within a guest, whose ping is
# busybox's and numbers from 0.
guest_ping()
{
	local out count=${3:-10}

	await 240 "the first answer of $2 to $1" guest_run "$1" "ping -c 1 -W 1 $2"
	out=$(guest_run "$1" "ping -i 0.2 ${*:4} $2 > /tmp/ping 2>&1 &
		for i in \$(seq 60); do
			sleep 1
			awk -F seq= '/ bytes from / && \$2 + 0 < $count && !seen[\$2 + 0]++ { n++ }
				END { exit n != $count }' /tmp/ping && break
		done
		status=\$?
		kill -INT \$!
		wait \$!
		tail -n 2 /tmp/ping
		exit \$status" 90) ||
		fail "the first $count pings of $2 from $1 are not all answered: $out"
	echo "$out"
}

# guest_silent GUEST ADDRESS: it has no answer from there.
guest_silent()
{
	guest_do "$1" "! ping -c 3 -i 0.3 -W 1 $2 > /dev/null && echo silent"
}

# frames_between FROM TO COUNT SEED: random frames, each compared.
frames_between()
{
	guest_do "$2" "rm -f /tmp/frames; rigtool frames-recv eth0 $4 $3 90 > /tmp/frames 2>&1 &
		until grep -q listening /tmp/frames; do sleep 0.1; done"
	guest_do "$1" "rigtool frames-send eth0 $4 $3 1000" 90
	expect "verdict of $2 on the frames of $1" "$3 frames, identical and in order" \
		"$(guest_do "$2" 'until grep frame /tmp/frames; do sleep 0.1; done' 100)"
}

# peer_command REQUEST: the guest's command that asks the peer outside the machine.
peer_command()
{
	local peer

	peer=$(sed -n 's/.*rig.peer=\([^ ]*\).*/\1/p' /proc/cmdline)
	printf '%s | rigtool tcp-connect %s %s' "$1" "${peer%:*}" "${peer#*:}"
}

# tcp_exchange GUEST GUEST-ADDRESS OWN-ADDRESS MIB: a file there and back, the checksums equal on
# both sides.
tcp_exchange()
{
	local guest=$1 there=$2 here=$3 mib=$4 sum back

	head -c "${mib}M" /dev/urandom > "$RIG/tcp.sent"
	sum=$(sha256sum < "$RIG/tcp.sent")
	guest_do "$guest" 'rm -f /tmp/sum; { rigtool tcp-listen 5001 > /tmp/file
		sha256sum < /tmp/file > /tmp/sum; } & echo'
	await 120 "port 5001 of $guest" guest_listens "$guest" 5001
	timeout 150 rigtool tcp-connect "$there" 5001 < "$RIG/tcp.sent" ||
		fail "TCP to $guest did not end"
	expect "checksum of $mib MiB in $guest" "$sum" \
		"$(guest_do "$guest" 'until [ -s /tmp/sum ]; do sleep 0.1; done; cat /tmp/sum' 90)"
	timeout 180 rigtool tcp-listen 5002 > "$RIG/tcp.back" &
	back=$!
	guest_do "$guest" "sleep 0.5; rigtool tcp-connect $here 5002 < /tmp/file
		rm -f /tmp/file /tmp/sum" 150
	wait $back || fail "TCP from $guest did not end"
	expect "checksum of $mib MiB from $guest" "$sum" "$(sha256sum < "$RIG/tcp.back")"
	rm -f "$RIG/tcp.sent" "$RIG/tcp.back"
}

# tcp_between FROM TO TO-ADDRESS MIB: a file from one guest to another, the checksums equal.
tcp_between()
{
	local from=$1 to=$2 there=$3 mib=$4 sum

	sum=$(guest_do "$from" "head -c ${mib}m /dev/urandom > /tmp/file; sha256sum < /tmp/file" 90)
	guest_do "$to" '{ rigtool tcp-listen 5001 | sha256sum > /tmp/sum; } & echo'
	await 120 "port 5001 of $to" guest_listens "$to" 5001
	guest_do "$from" "rigtool tcp-connect $there 5001 < /tmp/file; rm /tmp/file" 150
	expect "checksum of $mib MiB from $from in $to" "$sum" \
		"$(guest_do "$to" 'until [ -s /tmp/sum ]; do sleep 0.1; done
			cat /tmp/sum; rm /tmp/sum' 90)"
}

# flows_each_way GUEST GUEST-ADDRESS OWN-ADDRESS: a dozen of TCP, and datagrams to 200 ports of the
# guest: enough for each queue to have some.
flows_each_way()
{
	local port

	for port in {5011..5022}; do
		timeout 60 rigtool tcp-listen "$port" > "$RIG/flow.$port" &
	done
	guest_do "$1" "sleep 0.5; for p in $(echo {5011..5022}); do
		head -c 20000 /dev/urandom | rigtool tcp-connect $3 \$p & done; wait" 60
	for port in {5011..5022}; do
		expect "bytes of flow $port" 20000 "$(stat -c %s "$RIG/flow.$port")"
	done
	for port in {6001..6200}; do
		echo > "/dev/udp/$2/$port"
	done
}

# For a shell where TCP is to send packets as long as they get: by itself Linux makes them the
# shorter the longer answers take, as on a busy machine.
# shellcheck disable=SC2034 # for scenarios
LONG_PACKETS="echo 44 > /proc/sys/net/ipv4/tcp_min_tso_segs"

# whole_packet WHAT INTERFACE COMMAND...: while COMMAND runs, a packet of TCP's that is as long as
# packets get comes over dom0's interface; WHAT says which in tcpdump's words.
whole_packet()
{
	local pid dump=$RIG/dump-${1// /-}

	rm -f "$dump.log"
	timeout 600 tcpdump -i "$2" -p -q -c 1 "$1 and tcp and greater 60000" \
		> "$dump" 2> "$dump.log" &
	pid=$!
	await 60 "tcpdump to listen" grep -q listening "$dump.log"
	"${@:3}"
	wait $pid || fail "no packet $1 was longer than 60000 bytes"
	cat "$dump"
}

# guest_listens NAME PORT: somebody waits for a client there.
guest_listens()
{
	guest_run "$1" "netstat -ltn | grep -q ':$2 '"
}

# xdp_attach GUEST DEVID: a program that passes all packets on, on ethDEVID, until its rigtool ends.
xdp_attach()
{
	guest_do "$1" "rigtool xdp-attach eth$2 > /tmp/xdp 2>&1 &
		until grep -q . /tmp/xdp; do sleep 0.1; done
		cat /tmp/xdp; grep -q attached /tmp/xdp"
	xdp_attached "$1" "$2"
}

# xdp_attached GUEST DEVID: packets have the headroom that such a program wants.
xdp_attached()
{
	local domid

	domid=$(xl domid "$1")
	expect "headroom that the guest wants" 256 \
		"$(xenstore-read "/local/domain/$domid/device/vif/$2/xdp-headroom")"
	await 60 "the backend to be connected again" vif_connected "$domid" "$2"
}

vif_connected()
{
	[ "$(xenstore-read "/local/domain/0/backend/vif/$1/$2/state")" = 4 ]
}

# --- traffic in the background ---

# ping_start NAME ADDRESS; ping_stop NAME: fails when an answer is missing, but for those to the
# pings under way when it ends: how many these are is a question of how busy the machine is.
ping_start()
{
	await 240 "the first answer of $2" ping -c 1 -W 1 "$2"
	stdbuf -oL ping -i 0.05 "$2" > "$RIG/ping.$1" &
	echo $! > "$RIG/ping.$1.pid"
}

ping_stop()
{
	local last pid

	last=$(last_answered "$1")
	# It still goes on.
	await 60 "pings after the first $last to be answered" answered_beyond "$1" $((last + 20))
	last=$(last_answered "$1")
	await 60 "the answers to pings 1 to $last" answered "$1" "$last"
	pid=$(cat "$RIG/ping.$1.pid")
	rm -f "$RIG/ping.$1.pid"
	kill -INT "$pid"
	wait "$pid" || true
	tail -n 3 "$RIG/ping.$1"
}

# stream_start GUEST OWN-ADDRESS: the guest sends numbered lines over one TCP connection until
# stream_stop, which fails unless every line has come, once and in order.
stream_start()
{
	rigtool tcp-listen 5003 > "$RIG/stream.log" &
	echo $! > "$RIG/stream.pid"
	guest_do "$1" "rm -f /tmp/stop; sleep 0.5
		{ i=0; while [ ! -e /tmp/stop ]; do echo line \$i; i=\$((i + 1)); usleep 10000; done
		echo \$i > /tmp/lines; } | rigtool tcp-connect $2 5003 > /dev/null & echo started"
	await 120 "the first lines of $1" test -s "$RIG/stream.log"
}

stream_lines()
{
	wc -l < "$RIG/stream.log"
}

# stream_grows: COUNT lines more than there were.
stream_reached()
{
	[ "$(stream_lines)" -ge "$1" ]
}

stream_goes_on()
{
	WAIT_PAUSE=0.5 await "${1:-60}" "the TCP stream to go on" \
		stream_reached $(($(stream_lines) + 100))
}

stream_stop()
{
	local lines

	guest_do "$1" "touch /tmp/stop; while [ ! -e /tmp/lines ]; do sleep 0.1; done
		cat /tmp/lines"
	lines=$(guest_do "$1" 'cat /tmp/lines; rm -f /tmp/lines')
	await 240 "the end of the TCP stream" test ! -d "/proc/$(cat "$RIG/stream.pid")"
	rm -f "$RIG/stream.pid"
	expect "lines of the TCP stream" "$lines" "$(stream_lines)"
	awk '$0 != "line " NR - 1 { exit 1 }' "$RIG/stream.log" ||
		fail "the TCP stream is not in order"
}

# outside_start GUEST: it sends numbered lines to the peer outside the machine, over one connection,
# until outside_stop: which fails unless all of them have come back.
outside_start()
{
	guest_do "$1" "rm -f /tmp/out-stop; { echo echo; i=0; while [ ! -e /tmp/out-stop ]; do
		echo line \$i; i=\$((i + 1)); usleep 20000; done; } | tee /tmp/sent |
		{ $(peer_command '' | cut -d '|' -f 2) > /tmp/back; touch /tmp/out-end; } & echo"
}

outside_stop()
{
	guest_do "$1" 'touch /tmp/out-stop; while [ ! -e /tmp/out-end ]; do sleep 0.2; done
		wc -l /tmp/sent /tmp/back; tail -n +2 /tmp/sent | cmp - /tmp/back' 240
}

traffic_stop_all()
{
	local f

	for f in "$RIG"/ping.*.pid "$RIG"/stream.pid; do
		[ ! -e "$f" ] || kill "$(cat "$f")" 2>/dev/null || true
		rm -f "$f"
	done
}
