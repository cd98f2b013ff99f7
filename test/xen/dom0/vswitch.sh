# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
# shellcheck shell=bash disable=SC2154 # RIG, LOGS, scenario: lib.sh
#
# dpdk-xenvswitch in dom0.

VSWITCH_CONF=/etc/dpdk-xenvswitch.conf
VSWITCH_CTL=/rig/build/app/xenvswitchctl

# vswitch_config LINE...: its configuration, after [switch]. Of NICs it has those of VSWITCH_NIC.
vswitch_config()
{
	local memory="--no-huge --legacy-mem -m 160" nics=--no-pci

	! hugepages_up || memory=--in-memory
	[ -z "${VSWITCH_NIC:-}" ] || nics="-a $VSWITCH_NIC"
	printf '%s\n' "[switch]" "lcores = 1" "mbufs = 16384" \
		"eal = $memory $nics --file-prefix vswitch -d $PMD" "$@" > $VSWITCH_CONF
}

# vswitch_start: with that.
vswitch_start()
{
	local log=$LOGS/$scenario-vswitch.log pid

	modprobe -a tun vhost-net
	echo "--- $SECONDS s" >> "$log"
	/rig/build/app/dpdk-xenvswitch >> "$log" 2>&1 &
	pid=$!
	echo $pid > "$RIG/vswitch.pid"
	await 300 "dpdk-xenvswitch to be ready" vswitch_ready
	polling_share "$POLLING_USUALLY"
	polling_enter $pid
}

vswitch_ready()
{
	$VSWITCH_CTL version
}

vswitch_ended()
{
	process_ended "$(< "$RIG/vswitch.pid")"
}

# vswitch_end SIGNAL: end it by that.
vswitch_end()
{
	local pid

	pid=$(< "$RIG/vswitch.pid")
	kill "-$1" "$pid"
	await 60 "dpdk-xenvswitch to end" vswitch_ended
	wait "$pid" || true
}

# For the end of a scenario.
vswitch_stop()
{
	[ -e "$RIG/vswitch.pid" ] || return 0
	$VSWITCH_CTL show ports || true
	$VSWITCH_CTL show drops || true
	vswitch_ended || vswitch_end TERM
	rm -f "$RIG/vswitch.pid"
}

# vswitch_drops PORT REASON: packets that it has lost for that.
vswitch_drops()
{
	$VSWITCH_CTL show drops --all --port "$1" |
		awk -v reason="$2" '$2 == reason { print $3 }'
}

# vswitch_has PORT
vswitch_has()
{
	$VSWITCH_CTL show ports | awk -v port="$1" '$1 == port { found = 1 } END { exit !found }'
}

vswitch_has_not()
{
	! vswitch_has "$1"
}

# vswitch_sent PORT: packets and bytes that it has been sent.
vswitch_sent()
{
	$VSWITCH_CTL show stats | awk -v port="$1" '$1 == port { print $4, $5 }'
}

# vswitch_vif N BRIDGE [KEY=VALUE,...]: a line of xl's vif list for guest N, no domain's id in it.
vswitch_vif()
{
	printf 'mac=00:16:3e:00:00:0%s,script=vif-xenvif,bridge=%s%s' "$1" "$2" "${3:+,$3}"
}

# vswitch_start_with_nic: the switch with the PCI NIC as uplink, which it drives itself, and an
# interface of dom0 in each of two VLANs.
vswitch_start_with_nic()
{
	modprobe uio_pci_generic
	VSWITCH_NIC=$(lspci -D -d 8086:10d3 | cut -d ' ' -f 1)
	dpdk-devbind.py -b uio_pci_generic "$VSWITCH_NIC"
	vswitch_config "[bridge xenbr0]" "[port up0]" "devargs = $VSWITCH_NIC" "bridge = xenbr0" \
		"[port peer0]" "kind = tap" "bridge = xenbr0" \
		"[port peer20]" "kind = tap" "bridge = xenbr0" "vlan = 20"
	vswitch_start
	vswitch_peers_up
}

# dom0's own interfaces come and go with the switch.
vswitch_peers_up()
{
	bridge_up peer0 10.9.0.100/24
	bridge_up peer20 10.9.20.1/24
}

# vswitch_whole PORT COMMAND...: while COMMAND runs, the port is sent a packet of TCP's that is as
# long as packets get.
vswitch_whole()
{
	local file=$RIG/whole.pcapng pid

	$VSWITCH_CTL capture "$file" --port "$1" --direction tx --snaplen 128 &
	pid=$!
	await 60 "the capture to begin" vswitch_captures "$1"
	"${@:2}"
	kill -INT $pid
	wait $pid || fail "the capture ended with status $?"
	tcpdump -n -q -c 1 -r "$file" "tcp and greater 60000" | grep . ||
		fail "no packet was longer than 60000 bytes"
	rm "$file"
}

vswitch_captures()
{
	$VSWITCH_CTL show captures | grep -q "$1"
}

# vswitch_long_pings GUEST ADDRESS PORT: pings of 9,000 bytes are answered, and go out by that port
# as one packet each.
vswitch_long_pings()
{
	local before after pings

	guest_ping "$1" "$2" 1
	before=$(vswitch_sent "$3")
	pings=$(guest_ping "$1" "$2" 5 -s 8972)
	after=$(vswitch_sent "$3")
	echo "$pings; packets and bytes of $3: $before, $after"
	pings=$(sed -n 's/ packets transmitted.*//p' <<< "$pings")
	awk -v pings="$pings" '{ exit $4 - $2 < 5 * 9014 || $3 - $1 > pings + 10 }' \
		<<< "$before $after" || fail "packets were cut: $before, $after"
}

# vswitch_load_start: with the NIC; g1 sends to dom0 over one TCP connection, g2 to the peer outside
# over another, until vswitch_load_stop; what else goes on is to lose neither.
vswitch_load_start()
{
	vswitch_start_with_nic
	# shellcheck disable=SC2034 # for scenarios
	first=$(next_domid)
	guest_create g1 pv 1 10.9.0.15/24 "$(vswitch_vif 1 xenbr0)"
	guest_create g2 pv 1 10.9.0.16/24 "$(vswitch_vif 2 xenbr0)"
	guest_ping g2 10.9.0.2
	stream_start g1 10.9.0.100
	outside_start g2
}

vswitch_load_stop()
{
	stream_goes_on 120
	stream_stop g1
	outside_stop g2
}
