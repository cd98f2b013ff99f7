# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
# shellcheck shell=bash disable=SC2154 # RIG, LOGS, scenario, BENCH_*, g1, g2: the scenario
#
# Counts dom0's instructions for guests' traffic on the machine that counts (machine.sh). dom0's
# second vcpu has the backend and nothing else, and what it has run by Xen's accounts are its
# instructions and those of Xen for it. The first has the rest, TCP's other end too. The third has
# the thread of vhost-net, where that carries the backend's packets to dom0's stack.

# shellcheck source=test/xen/dom0/bench.sh
. /rig/dom0/bench.sh
# Which vcpu the machine's processor goes on to, too.
TRACE_MASK=$((TRACE_MASK | 0x00028000))
BACKEND_VCPU=1
VHOST_VCPU=2
SINK_MAC=02:00:00:00:00:aa

# What is bound to it comes afterwards.
backend_vcpu_online()
{
	echo 1 > /sys/devices/system/cpu/cpu$BACKEND_VCPU/online
}

# interrupts_to_backend NAME: those whose name matches.
interrupts_to_backend()
{
	local irq

	awk -v name="$1" '$NF ~ name { sub(/:/, "", $1); print $1 }' /proc/interrupts |
		while read -r irq; do
			echo $((1 << BACKEND_VCPU)) > "/proc/irq/$irq/smp_affinity"
		done
}

# threads_to_backend NAME: those of the kernel's.
threads_to_backend()
{
	local pid

	ps -eo pid,comm | awk -v name="$1" '$2 ~ name { print $1 }' |
		while read -r pid; do taskset -cp $BACKEND_VCPU "$pid"; done
}

vifs_detach()
{
	xl network-detach g2 0
	xl network-detach g1 1
	xl network-detach g1 0
	await 60 "the vifs to be gone" store_gone /local/domain/0/backend/vif
}

# The processor is dom0's until it waits, and a guest's for a small part of the time where it never
# does: what is read from the clock before and after a burst has few instructions of others in it.
# xen-netback is not weighed by the clock, and has smaller bursts when it always goes first.
dom0_first()
{
	xl sched-credit2 -d 0 -w 4096
}

# vhost_port NAME ADDRESS: dom0's interface of that name is one that vhost-net carries, from now on.
vhost_port()
{
	local pid

	echo 1 > /sys/devices/system/cpu/cpu$VHOST_VCPU/online
	$VSWITCH_CTL remove port "$1"
	$VSWITCH_CTL add port "$1" kind=tap vhost=yes bridge=xenbr0
	bridge_up "$1" "$2"
	ip link set "$1" address $PEER_MAC
	# As with a bridge: dom0's stack is where the rest of dom0 is.
	echo 1 > "/sys/class/net/$1/queues/rx-0/rps_cpus"
	for pid in $(vhost_threads); do taskset -cp $VHOST_VCPU "$pid"; done
}

vhost_threads()
{
	ps -eo pid,comm | awk '$2 ~ /^vhost-/ { print $1 }'
}

# What these have run, in nanoseconds.
vhost_ran()
{
	local pid ran sum=0

	for pid in $(vhost_threads); do
		read -r ran _ < "/proc/$pid/schedstat"
		sum=$((sum + ran))
	done
	echo $sum
}

backend_ran()
{
	rigtool vcpu-time 0 |
		awk -v first=$BACKEND_VCPU 'NR > first { sum += $1 } END { print sum }'
}

# What the worker's rounds with packets took, for a switch, and vhost-net for it; a backend of the
# kernel's has no others.
backend_busy()
{
	local busy

	if [ -e "$RIG/vswitch.pid" ]; then
		busy=$($VSWITCH_CTL --json show lcores |
			sed -n 's/.*"busy_us": *\([0-9]*\).*/\1000/p')
		echo $((busy + $(vhost_ran)))
	else
		backend_ran
	fi
}

# instructions NAME COMMAND...: of the backend's vcpu while the command runs.
instructions()
{
	local start ran busy

	bench_name=$bench_backend.$1
	start=${EPOCHREALTIME/./}
	busy=$(backend_busy)
	ran=$(backend_ran)
	"${@:2}"
	bench_result ran $(($(backend_ran) - ran))
	bench_result instructions $(($(backend_busy) - busy))
	bench_result usec $((${EPOCHREALTIME/./} - start))
}

# hypercalls NAME COMMAND...: of the backend's vcpu while the command runs. To record them takes
# instructions, so these are not of the same run.
hypercalls()
{
	bench_name=$bench_backend.$1-traced
	trace_start
	"${@:2}"
	trace_stop
	awk -v first="dom0.vcpu$BACKEND_VCPU" -v second="dom0.vcpu$VHOST_VCPU" '
		$1 == first || $1 == second { sum[$2] += $3 }
		END { for (key in sum) print key, sum[key] }' "$RIG/trace.counts" |
		while read -r key value; do bench_result "$key" "$value"; done
}

# measured NAME COMMAND...: the first time warms up what learns, and tells how far two are from each
# other.
measured()
{
	instructions "$1-first" "${@:2}"
	instructions "$@"
	hypercalls "$@"
}

# A frame of pktgen's has no check sequence, which makes 64 bytes of 60.
pktgen()
{
	guest_do g1 "echo rem_device_all > /proc/net/pktgen/kpktgend_0
		echo add_device eth1 > /proc/net/pktgen/kpktgend_0
		for line in 'count $BENCH_PACKETS' 'pkt_size 60' 'delay 0' 'dst 10.0.1.9' \\
				'dst_mac $SINK_MAC'; do
			echo \"\$line\" > /proc/net/pktgen/eth1
		done
		echo start > /proc/net/pktgen/pgctrl
		grep 'Result: OK' /proc/net/pktgen/eth1" 900
}

tcp_from_guest()
{
	local pid

	timeout 900 rigtool tcp-listen 5011 > "$RIG/bench.file" &
	pid=$!
	guest_do g1 "sleep 0.5
		head -c ${BENCH_MIB}m /dev/zero | rigtool tcp-connect 10.0.0.1 5011" 900
	wait $pid || fail "TCP from the guest did not end"
	expect "bytes from the guest" $((BENCH_MIB << 20)) "$(stat -c %s "$RIG/bench.file")"
	rm -f "$RIG/bench.file"
}

tcp_to_guest()
{
	local pid

	timeout 900 rigtool tcp-serve 5012 < <(head -c "${BENCH_MIB}M" /dev/zero) &
	pid=$!
	expect "bytes to the guest" $((BENCH_MIB << 20)) "$(guest_do g1 "sleep 0.5
		rigtool tcp-connect 10.0.0.1 5012 < /dev/null | wc -c" 900)"
	wait $pid || fail "TCP to the guest did not end"
}

tcp_guests()
{
	guest_do g2 "{ rigtool tcp-listen 5013 | wc -c; } > /tmp/bench 2>&1 & echo"
	guest_do g1 "sleep 0.5
		head -c ${BENCH_MIB}m /dev/zero | rigtool tcp-connect 10.0.0.3 5013" 900
	expect "bytes to the other guest" $((BENCH_MIB << 20)) \
		"$(guest_do g2 'until [ -s /tmp/bench ]; do sleep 0.1; done; cat /tmp/bench')"
}

tcp_dom0()
{
	measured "tcp-from-guest$1" tcp_from_guest
	measured "tcp-to-guest$1" tcp_to_guest
}

tcp_all()
{
	tcp_dom0 "$1"
	measured "tcp-guests$1" tcp_guests
}

# instructions_all BACKEND INTERFACE: INTERFACE is that of dom0's end of TCP.
instructions_all()
{
	bench_backend=$1
	instructions idle sleep 5
	tcp_all ""
	guest_do g1 "rigtool segmentation eth0 off"
	ethtool -K "$2" tso off gso off
	tcp_all -no-gso
	ethtool -K "$2" tso on gso on
	guest_do g1 "rigtool segmentation eth0 on"
}

# One that polls has its vcpu busy all the time: testpmd counts by the TSC, which is the same clock,
# what bursts took that had packets.
busy_cycles()
{
	local log=$LOGS/$scenario-testpmd-$1.log mark

	mark=$(stat -c %s "$log")
	backend_cmd "$1" "show fwd stats all"
	await 120 "the cycles of testpmd" cycles_shown "$log" "$((mark + 1))"
	tail -c "+$((mark + 1))" "$log" | sed -n 's/.*(total cycles=\([0-9]*\) .*/\1/p'
}

cycles_shown()
{
	tail -c "+$2" "$1" | grep 'total cycles=.*Clock' > /dev/null
}

# instructions_polling PROCESS NAME COMMAND...: of testpmd's rounds with the command's packets.
instructions_polling()
{
	local name before

	bench_backend=testpmd
	# It tells nothing while there was no packet.
	bench_name=$bench_backend.$2-warm
	"${@:3}"
	for name in "$2-first" "$2"; do
		bench_name=$bench_backend.$name
		before=$(busy_cycles "$1")
		"${@:3}"
		bench_result instructions $(($(busy_cycles "$1") - before))
	done
}

# static_guest_start: the guest dg has what net_xenfront needs, and the guide's testpmd with it.
static_guest_start()
{
	dpdk_guest_do dg "doc_install; doc_block front-modules; doc_block front-limit"
	static_guest_testpmd
	await 120 "net_xenfront to connect" vif_connected "$dg" 0
}

# It sends frames like pktgen's, all of them in granted pages.
static_guest_testpmd()
{
	dpdk_guest_do dg "POLLING_USUALLY=max doc_testpmd front front-granted
		for cmd in \"set fwd txonly\" \"set txpkts 60\" \"set eth-peer 0 $SINK_MAC\"; do
			backend_cmd front \"\$cmd\"
		done" 1200
}

static_guest_stop()
{
	dpdk_guest_do dg "backend_stop front" 900
}

# It cannot be told how many to send, but that it is enough.
static_packets()
{
	local sent

	sent=$(dpdk_guest_do dg "backend_cmd front \"clear port xstats all\"
		backend_cmd front start
		until [ \$(backend_xstat front 0 tx_good_packets) -ge $BENCH_PACKETS ]; do :; done
		backend_cmd front stop
		backend_xstat front 0 tx_good_packets" 1800)
	bench_result packets "${sent##*$'\n'}"
}
