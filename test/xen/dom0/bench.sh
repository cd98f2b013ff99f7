# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
# shellcheck shell=bash disable=SC2154 # RIG, LOGS, scenario, BENCH_*: lib.sh and the scenario
#
# Counts what traffic costs: hypercalls by Xen's trace buffers, event notifications by the
# interrupts of dom0's kernel and g1's. dom0's vcpus stay on the first two physical CPUs and the
# guests have the third, so that a record's CPU tells whose it is.

RESULTS=$LOGS/$scenario.results
# Entries to the hypervisor by PV domains, calls within multicalls too; exits of a PVH dom0, and
# what handles them: its hypercalls (xen/trace.h).
TRACE_MASK=$((0x00203000 | 0x00083000))
TRACE_PAGES=4096
GUEST_CPU=2

# bench_result NAME VALUE: of the measurement under way.
bench_result()
{
	printf '%s %s %s\n' "$bench_name" "$1" "$2" | tee -a "$RESULTS"
}

# interrupts FILE NAME: how often those whose name matches have come.
interrupts()
{
	awk -v name="$2" '$NF ~ name { for (i = 2; $i ~ /^[0-9]+$/; i++) sum += $i }
		END { print sum + 0 }' "$1"
}

link_packets()
{
	cat "/sys/class/net/$bench_sink/statistics/rx_packets"
}

trace_start()
{
	rm -f "$RIG/trace"
	xentrace -e $TRACE_MASK -S $TRACE_PAGES "$RIG/trace" > "$RIG/xentrace.log" 2>&1 &
	trace_pid=$!
	await 60 "Xen's trace" test -s "$RIG/trace"
}

trace_stop()
{
	kill -INT "$trace_pid"
	wait "$trace_pid" || true
	rigtool trace-count "$RIG/trace" > "$RIG/trace.counts"
	rm -f "$RIG/trace"
	expect "records that Xen's trace lost" "lost 0" "$(grep lost "$RIG/trace.counts")"
}

# Sums over the CPUs of one side.
trace_results()
{
	awk -v guest="cpu$GUEST_CPU" '/^cpu/ { sum[($1 == guest ? "guest" : "dom0") "." $2] += $3 }
		END { for (key in sum) print key, sum[key] }' "$RIG/trace.counts" | sort |
		while read -r key value; do bench_result "$key" "$value"; done
}

# bench NAME GUEST-COMMAND: counts while the guest executes the command. What waits here waits in
# one blocked process: programs that come and go make hypercalls too.
bench()
{
	local before packets done_pid start

	bench_name=$bench_backend.$1
	guest_do g1 "{ rigtool tcp-listen 5010 > /dev/null; cat /proc/interrupts > /tmp/before
		$2
		cat /proc/interrupts > /tmp/after
		rigtool tcp-connect 10.0.0.1 5009 < /dev/null; } > /tmp/bench 2>&1 & echo"
	await 120 "port 5010 of g1" guest_listens g1 5010
	timeout 900 rigtool tcp-listen 5009 &
	done_pid=$!
	trace_start
	cat /proc/interrupts > "$RIG/before"
	packets=$(link_packets)
	start=${EPOCHREALTIME/./}
	touch "$RIG/bench.begun"
	rigtool tcp-connect 10.0.0.2 5010 < /dev/null
	wait $done_pid || fail "$bench_name did not end"
	bench_result usec $((${EPOCHREALTIME/./} - start))
	packets=$(($(link_packets) - packets))
	cat /proc/interrupts > "$RIG/after"
	trace_stop
	bench_result packets $packets
	trace_results
	before=$(interrupts "$RIG/before" "$bench_irq")
	bench_result dom0.events $(($(interrupts "$RIG/after" "$bench_irq") - before))
	guest_do g1 'cat /tmp/before' > "$RIG/before"
	guest_do g1 'cat /tmp/after' > "$RIG/after"
	before=$(interrupts "$RIG/before" '^vif')
	bench_result guest.events $(($(interrupts "$RIG/after" '^vif') - before))
	guest_do g1 'cat /tmp/bench' > "$RIG/bench.out"
}

# bench_pktgen NAME COUNT DELAY: so many packets, with so many nanoseconds from one to the next. A
# frame of pktgen's has no check sequence, which makes 64 bytes of 60.
bench_pktgen()
{
	bench "$1" "echo rem_device_all > /proc/net/pktgen/kpktgend_0
		echo add_device eth0 > /proc/net/pktgen/kpktgend_0
		for line in 'count $2' 'pkt_size 60' 'delay $3' 'dst 10.0.0.1' \
				'dst_mac $PEER_MAC'; do
			echo \"\$line\" > /proc/net/pktgen/eth0
		done
		echo start > /proc/net/pktgen/pgctrl
		cat /proc/net/pktgen/eth0"
	grep -q 'Result: OK' "$RIG/bench.out" || fail "pktgen: $(cat "$RIG/bench.out")"
}

bench_tcp_from_guest()
{
	local pid

	timeout 900 rigtool tcp-listen 5011 > "$RIG/bench.file" &
	pid=$!
	bench tcp-from-guest "head -c ${BENCH_MIB}m /dev/zero | rigtool tcp-connect 10.0.0.1 5011"
	wait $pid || fail "TCP from the guest did not end"
	expect "bytes from the guest" $((BENCH_MIB << 20)) "$(stat -c %s "$RIG/bench.file")"
	rm -f "$RIG/bench.file"
}

bench_tcp_to_guest()
{
	local pid

	timeout 900 rigtool tcp-serve 5012 < <(head -c "${BENCH_MIB}M" /dev/zero) &
	pid=$!
	bench tcp-to-guest "rigtool tcp-connect 10.0.0.1 5012 < /dev/null | wc -c"
	wait $pid || fail "TCP to the guest did not end"
	expect "bytes to the guest" $((BENCH_MIB << 20)) "$(cat "$RIG/bench.out")"
}

# Between g1 and another guest, by a network of their own.
bench_tcp_guests()
{
	guest_do g2 "{ rigtool tcp-listen 5013 | wc -c; } > /tmp/bench 2>&1 & echo"
	await 120 "port 5013 of g2" guest_listens g2 5013
	bench tcp-guests "head -c ${BENCH_MIB}m /dev/zero | rigtool tcp-connect 10.0.1.3 5013"
	expect "bytes to the other guest" $((BENCH_MIB << 20)) "$(guest_do g2 'cat /tmp/bench')"
}

# A thousand pings a second, or as many as there can be, of which the guest receives one packet and
# sends one; and how long half of the answers took, and 99 of 100, in microseconds.
bench_ping()
{
	local pid

	rm -f "$RIG/bench.begun"
	timeout 900 rigtool tcp-serve 5012 < <(
		until [ -e "$RIG/bench.begun" ]; do sleep 0.1; done
		ping -c $BENCH_PINGS -i 0.001 -W 5 10.0.0.2 > "$RIG/bench.ping"
	) &
	pid=$!
	bench ping "rigtool tcp-connect 10.0.0.1 5012 < /dev/null"
	wait $pid || fail "pings to the guest did not end"
	sed -n 's/.* time=\([0-9.]*\) ms/\1/p' "$RIG/bench.ping" | sort -n |
		awk '{ t[NR] = $1 * 1000 }
			END { print "rtt-p50", int(t[int(NR * 0.5) + 1])
				print "rtt-p99", int(t[int(NR * 0.99) + 1]) }' |
		while read -r key value; do bench_result "$key" "$value"; done
}

# bench_all BACKEND SINK IRQ: SINK is dom0's interface where the guest's packets end, IRQ tells the
# names of the backend's interrupts.
bench_all()
{
	bench_backend=$1
	bench_sink=$2
	bench_irq=$3
	bench idle "sleep 10"
	bench_pktgen pktgen $BENCH_PACKETS 0
	bench_pktgen pktgen-10k $((BENCH_PACKETS / 10)) 100000
	bench_pktgen pktgen-1k $((BENCH_PACKETS / 50)) 1000000
	bench_ping
	bench_tcp_from_guest
	bench_tcp_to_guest
	bench_tcp_guests
}
