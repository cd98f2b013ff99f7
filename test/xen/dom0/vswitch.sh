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

	modprobe tun
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
