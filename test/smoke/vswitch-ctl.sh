#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# What xenvswitchctl changes in a running dpdk-xenvswitch: the rate of a guest, as xl writes it, the
# lcores of queues, and ports of the host; pings lose nothing meanwhile.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/vswitch-lib.sh"

BACK=/local/domain/0/backend/vif

rate_is()
{
	[ "$(store_read "$BACK/1/0/rate")" = "$1" ]
}

# set_rate RATE KEY: it is written so.
set_rate()
{
	ctl set rate vif1.0 "$1" && rate_is "$2"
}

# refused TEXT ARG...: the switch does not do it, and says why.
refused()
{
	local status=0
	ctl "${@:2}" >"$RUN/ctl.log" 2>&1 || status=$?
	[ "$status" = 1 ] && grep -qF -- "$1" "$RUN/ctl.log"
}

rates()
{
	check rate "it is not as xl writes it" set_rate 10Mb/s 62500,50000
	# What the driver says of further ones within a minute it counts.
	check rate-heeded "the driver does not say so" \
		wait_for "$LIMIT" vswitch_says "at most 62500 bytes in 50000 us"
	check rate-interval "it is not as xl writes it" set_rate 1GB/s@20ms 20000000,20000
	check rate-bad "no error" refused "rate 'much'" set rate vif1.0 much
	check rate-host "no error" refused "is no guest's" set rate host0 10Mb/s
	check rate-off "the key is there" set_rate off ""
	check rate-off-again "off without a rate fails" ctl set rate vif1.0 off
}

# lcore_of PORT QUEUE
lcore_of()
{
	ctl --json show ports | python3 -c 'import json, sys
for port in json.load(sys.stdin)["ports"]:
    if port["name"] == sys.argv[1]:
        print(port["lcores"][int(sys.argv[2])])' "$@"
}

# moves TIMES: the queue of guest 1 goes from lcore to lcore; none loses a ping by that.
moves()
{
	local i to
	pings_start 1 2
	for ((i = 0; i < $1; i++)); do
		to=$((3 - $(lcore_of vif1.0 0)))
		ctl move "vif1.0.0" "$to" || return 1
		[ "$(lcore_of vif1.0 0)" = "$to" ] || return 1
		pings_on 20 || return 1
	done
	pings_end
}

plan_only()
{
	local before after
	before=$(ctl --json show ports)
	ctl rebalance --dry-run >"$RUN/rebalance.log" || return 1
	after=$(ctl --json show ports)
	grep -qE '^(nothing to move|to be moved): ' "$RUN/rebalance.log" && [ "$before" = "$after" ]
}

# All that is at work is on one lcore, so that it is spread.
spreads()
{
	ctl move vif1.0.0 1 && ctl move vif2.0.0 1 || return 1
	in_background server ip netns exec guest2 iperf3 -s
	wait_for "$LIMIT" guest_listens 2 5201 || return 1
	in_background client ip netns exec guest1 iperf3 -c 10.99.0.2 -t 600
	wait_for "$LIMIT" spread_now || return 1
	stop_process "${PIDS[client]}"
	stop_process "${PIDS[server]}"
	[ "$(lcore_of vif1.0 0)" != "$(lcore_of vif2.0 0)" ]
}

spread_now()
{
	ctl rebalance >"$RUN/rebalance.log" && grep -q '^moved: ' "$RUN/rebalance.log"
}

# emulated NAME ADDRESS: asks by ARP for it from behind a tap device of that name, as a NIC that
# QEMU emulates does; fails without an answer.
emulated()
{
	timeout "$LIMIT" python3 - "$@" <<-'EOT'
		import fcntl
		import os
		import socket
		import struct
		import subprocess
		import sys
		tap = os.open("/dev/net/tun", os.O_RDWR)
		fcntl.ioctl(tap, 0x400454CA, struct.pack("16sH22x", sys.argv[1].encode(), 0x1002))
		subprocess.check_call(["ip", "link", "set", sys.argv[1], "up"])
		subprocess.check_call(sys.argv[3:])
		mac = bytes.fromhex("020000000009")
		wanted = socket.inet_aton(sys.argv[2])
		arp = bytes.fromhex("0001080006040001") + mac + bytes([10, 98, 0, 9]) + bytes(6)
		os.write(tap, b"\xff" * 6 + mac + b"\x08\x06" + arp + wanted + bytes(18))
		while True:
		    frame = os.read(tap, 2048)
		    if frame[12:14] == b"\x08\x06" and frame[21:22] == b"\x02":
		        break
	EOT
}

# Another bridge has no port at first; what fails leaves nothing, and no guest notices anything.
ports()
{
	local ctl=("$BUILD/app/vswitchctl/xenvswitchctl" --socket "$RUN/vswitch.sock")
	pings_start 1 2
	check add "no port" ctl add port pxe0 kind=tap bridge=install
	ip addr add 10.98.0.1/24 dev pxe0
	ip link set pxe0 up
	check emulated "no answer to a tap device's other end" emulated vif9.0-emu 10.98.0.1 \
		"${ctl[@]}" add port vif9.0-emu bridge=install \
		devargs=net_af_packet0,iface=vif9.0-emu
	check remove "the port stays" ctl remove port vif9.0-emu
	check removed "the port is there" vswitch_has_not vif9.0-emu
	check add-again "the name is taken, or the device" refused \
		"no device 'net_af_packet0,iface=nosuch'" \
		add port vif9.0-emu bridge=install devargs=net_af_packet0,iface=nosuch
	check add-none "something is left of it" vswitch_has_not vif9.0-emu
	check add-none-errors "there are some" test "$(ctl show errors | wc -l)" = 1
	check add-bad "no error" refused "mtu='9': has to be a number" add port nic1 \
		bridge=install mtu=9
	check remove-guest "no error" refused "xl network-detach" remove port vif1.0
	check remove-file "it stays" ctl remove port host0
	check remove-file-gone "it is there" vswitch_has_not host0
	check reload "it fails" ctl reload
	check reload-back "the file's port is missing" vswitch_has host0
	check reload-gone "the added port stays" vswitch_has_not pxe0
	check ports-pings "pings of others were lost" pings_end
}

main()
{
	machine_start
	[ "$(nproc)" -lt 2 ] || VSWITCH_LCORES=$(two_cpus)
	vswitch_config "[bridge xenbr0]" "[port host0]" "kind = tap" "bridge = xenbr0" \
		"[bridge install]"
	vswitch_start
	guest_make 1
	guest_make 2
	check ping "guest 1 does not reach guest 2" ping_guest 1 2 20
	rates
	ports
	check errors "there are some" test "$(ctl show errors | wc -l)" = 1
	check move-lcore "no error" refused "argument 'lcore' is '9'" move vif1.0.0 9
	check rebalance-dry "it does not say what it would do, or does it" plan_only
	if [ "$(nproc)" -lt 2 ]; then
		echo "skip move - one processor"
	else
		check move "pings were lost, or it was not done" moves 10
		check rebalance "two queues under load stay on one lcore" spreads
	fi
	check end "the switch does not end" vswitch_stop
	verdict
}

PRIVATE_OPTIONS=(--net)
private_main main "$@"
