# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
# shellcheck shell=bash
#
# What the demonstration and the smoke tests share: a simulated Xen machine with guests and a
# backend in Debian's dpdk-testpmd. Source it after `set -euo pipefail`.

. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../../scripts/lib.sh"

SMOKE=$TREE/test/smoke
# Folder of this run: sockets, logs and the machine itself, gone with the run.
RUN=/run/xenvif
# Generous: on a loaded machine everything may take long.
LIMIT=60

# private_main MAIN ARG...: run the function MAIN in process and mount namespaces of its own, and in
# those that PRIVATE_OPTIONS name for unshare, with an empty /run. Whatever ends it, also SIGKILL:
# no process, network namespace, socket or file of the run outlives it. The script comes by here
# twice, first outside, then inside.
PRIVATE_OPTIONS=()

private_main()
{
	local main=$1
	shift
	if [ "${XENVIF_PRIVATE:-}" = "$$" ]; then
		unset XENVIF_PRIVATE
		mount -t tmpfs -o mode=755 xenvif /run
		mkdir -p "$RUN" /run/netns /run/lock
		on_exit explain_failure
		cd /
		"$main" "$@"
		return
	fi
	need_root "it makes network namespaces and tap devices"
	need_commands setpriv unshare pkill ip ping iperf3 python3 dpdk-testpmd
	[ -c /dev/net/tun ] || modprobe tun 2>/dev/null || :
	[ -c /dev/net/tun ] || die "no /dev/net/tun: the kernel has no tap devices for the guests"
	private_start "$@"
}

# The first process of a process namespace has number 1, which tells it that it is inside.
private_start()
{
	local signal_status=0 turns=0 status=0
	trap 'signal_status=130' INT
	trap 'signal_status=143' TERM
	trap 'signal_status=129' HUP
	XENVIF_PRIVATE=1 setpriv --pdeathsig KILL unshare --fork --kill-child --pid --mount \
		--mount-proc "${PRIVATE_OPTIONS[@]}" -- "$(readlink -f "$0")" "$@" &
	private_pid=$!
	while :; do
		if [ "$signal_status" -eq 0 ]; then
			# A signal ends the wait, not what is waited for.
			status=0
			wait "$private_pid" || status=$?
		else
			# Again and again: it may not listen yet.
			[ $((turns % 20)) -ne 0 ] || pkill -TERM -P "$private_pid" || :
			[ "$turns" -lt 600 ] || kill -KILL "$private_pid" || :
			turns=$((turns + 1))
			sleep 0.05
		fi
		! process_ended "$private_pid" || break
	done
	[ "$signal_status" -eq 0 ] || status=$signal_status
	exit "$status"
}

# in_background NAME COMMAND ARG...: start it with its output in $RUN/NAME.log; PIDS[NAME] is its
# number. Ctrl-C on the terminal does not reach it; the end of the script does.
declare -A PIDS=()

in_background()
{
	local name=$1
	shift
	# <&0: else a command in the background has /dev/null there.
	setsid "$@" <&0 >>"$RUN/$name.log" 2>&1 9>&- &
	PIDS[$name]=$!
	on_exit stop_process "$!"
}

# Before the command of a program that polls, in a session of its own: those that have something to
# do come first, in this test and in those beside it.
# shellcheck disable=SC2016 # for another shell
POLLER=(sh -c '{ echo 10 >/proc/self/autogroup; } 2>/dev/null; exec nice "$@"' sh)

# show_logs: the last lines of every log, for whoever looks for the reason of a failure.
logs_shown=false

show_logs()
{
	local log
	logs_shown=true
	for log in "$RUN"/*.log; do
		[ -s "$log" ] || continue
		printf -- '--- %s\n' "$(basename "$log")" >&2
		tail -n 15 "$log" >&2
	done
}

# The last thing that a failed run does; run_cleanups has the status.
explain_failure()
{
	local kept=$BUILD/test-logs/$PROG
	case $status in
	0 | 129 | 130 | 143) return ;;
	esac
	[ "$logs_shown" = true ] || show_logs
	mkdir -p "$kept" && cp "$RUN"/*.log "$kept"
	info "all logs are in $kept"
}

# xensim ARG...: the tool of the stand-in hypervisor.
xensim()
{
	timeout "$((2 * LIMIT))" "$BUILD/test/xensim/xensim" "$@"
}

# in_domain DOMID COMMAND ARG...: run a command as a process of that domain, in the place of this
# shell: for use in the background.
in_domain()
{
	local domid=$1
	shift
	"$BUILD/test/xensim/xensim" exec "$domid" -- "$@"
}

# telemetry PREFIX ARG...: see stats.py --help.
telemetry()
{
	"$SMOKE/stats.py" "$@"
}

# rings PORT rx|tx NAME: a counter of a vif's rings, over all its queues.
rings()
{
	telemetry xenvif rings "$@"
}

# private_copy DIR...: what is written there from now on is gone with this run.
private_copy()
{
	local dir
	for dir; do
		mkdir -p "$RUN/copy$dir"
		cp -a "$dir/." "$RUN/copy$dir"
		mount --bind "$RUN/copy$dir" "$dir"
	done
}

# private_logs NAME...: a /var/log of this run's own, with these folders.
private_logs()
{
	local dir
	for dir; do
		mkdir -p "$RUN/logs/$dir"
	done
	mount --bind "$RUN/logs" /var/log
}

# machine_start [NAME]: a machine with the real oxenstored, and only domain 0 in it.
machine_start()
{
	export XENSIM_DIR=$RUN/${1:-machine}
	on_exit machine_stop "$XENSIM_DIR"
	xensim start "$XENSIM_DIR" >>"$RUN/xensim.log" 2>&1
}

# machine_stop [DIR]: that machine, or the one at hand.
machine_stop()
{
	local dir=${1:-$XENSIM_DIR}
	[ -e "$dir" ] || return 0
	xensim stop "$dir" >>"$RUN/xensim.log" 2>&1
}

mac_of()
{
	printf '00:16:3e:00:%02x:%02x' "$1" "$2"
}

# domain_add DOMID: a domain without devices.
domain_add()
{
	xensim domain-create "$1" "guest$1" >>"$RUN/xensim.log" 2>&1
}

# vif_add DOMID DEVID [KEY=VALUE...]: a vif as the toolstack makes it; returns when the backend has
# answered.
vif_add()
{
	xensim vif-create "$1" "$2" mac="$(mac_of "$1" "$2")" "${@:3}" --timeout "$LIMIT" \
		>>"$RUN/xensim.log" 2>&1
}

# What testpmd has for memory, and where it finds the drivers.
TESTPMD_MEMORY=(--no-huge -m 256)
DRIVERS=$BUILD/drivers

# dpdk_start NAME PROGRAM LCORES VDEV... -- ARG...: a DPDK program in domain 0 that has these ports,
# in the background as NAME.
dpdk_start()
{
	local name=$1 program=$2 lcores=$3 options=()
	shift 3
	while [ "$1" != -- ]; do
		options+=(--vdev "$1")
		shift
	done
	# -d with a bare name: a path would be refused below a folder that everybody may write to.
	in_background "$name" "${POLLER[@]}" "$BUILD/test/xensim/xensim" exec 0 -- \
		env "LD_LIBRARY_PATH=$DRIVERS:$BUILD/test/xensim" \
		stdbuf -oL "$program" "${TESTPMD_MEMORY[@]}" --no-pci --file-prefix xenvif \
		--lcores "$lcores" -d librte_net_xenvif.so "${options[@]}" "$@"
}

# testpmd_start VDEV... -- ARG...: Debian's testpmd as the backend, with a command line that
# `testpmd COMMAND...` writes to.
testpmd_start()
{
	local vdevs=()
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		vdevs+=("$1")
		shift
	done
	[ $# -eq 0 ] || shift
	[ -p "$RUN/testpmd.in" ] || mkfifo "$RUN/testpmd.in"
	exec 9<>"$RUN/testpmd.in"
	dpdk_start testpmd dpdk-testpmd "0@($(cpus)),1@($(cpus))" "${vdevs[@]}" -- \
		-i --auto-start --forward-mode=io --disable-link-check --no-mlockall \
		--total-num-mbufs=8192 "$@" <"$RUN/testpmd.in"
	wait_for "$LIMIT" testpmd_ready || die "testpmd does not start"
}

testpmd_ready()
{
	process_ended "${PIDS[testpmd]}" && die "testpmd has ended"
	telemetry xenvif ask /ethdev/list >/dev/null 2>&1
}

# The processors that this process may use, as DPDK writes such lists.
cpus()
{
	sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status
}

# testpmd COMMAND...: have testpmd do it.
testpmd()
{
	printf '%s\n' "$*" >&9
}

testpmd_stop()
{
	testpmd quit
	wait_for "$LIMIT" process_ended "${PIDS[testpmd]}" || return 1
	wait "${PIDS[testpmd]}"
}

# links_up PORT...: the vifs of these ports of testpmd are connected.
links_up()
{
	telemetry xenvif link "$@" 2>/dev/null
}

# guest_start DOMID [MTU [QUEUES [ARG...]]]: a network namespace guestD with eth0 behind
# net_xenfront in domain D, address 10.99.0.D; see xenguest --help for ARGs.
guest_start()
{
	local domid=$1 mtu=${2:-1500} queues=${3:-1} ns=guest$1
	ip netns add "$ns"
	ip -n "$ns" link set lo up
	ip netns exec "$ns" sysctl -qw net.ipv6.conf.default.disable_ipv6=1
	in_background "$ns" "${POLLER[@]}" "$BUILD/test/xensim/xensim" exec "$domid" -- \
		ip netns exec "$ns" "$BUILD/test/smoke/xenguest" --no-huge -m 64 --no-pci \
		--file-prefix "$ns" --lcores "0@($(cpus))" --vdev "net_xenfront0,devid=0" -- \
		--tap eth0 --mtu "$mtu" --queues "$queues" "${@:4}"
}

# guest_up DOMID: wait until the guest's eth0 is there, and give it its address.
guest_up()
{
	local ns=guest$1
	wait_for "$LIMIT" guest_has_eth0 "$ns" || die "$ns has no eth0"
	ip -n "$ns" addr add "10.99.0.$1/24" dev eth0
}

# guest_end DOMID: its process and its network.
guest_end()
{
	stop_process "${PIDS[guest$1]}"
	ip netns del "guest$1"
}

guest_has_eth0()
{
	process_ended "${PIDS[$1]}" && die "$1 has ended"
	ip -n "$1" link show eth0 up 2>/dev/null | grep -q eth0
}

# guest_up6 DOMID: the same, and give it the address fd99::D too.
guest_up6()
{
	guest_up "$1"
	guest "$1" sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0
	ip -n "guest$1" addr add "fd99::$1/64" dev eth0 nodad
}

# echo_start DOMID: a server there that sends everything back.
echo_start()
{
	rm -f "$RUN/server.log"
	in_background server ip netns exec "guest$1" "$SMOKE/echo.py"
	wait_for "$LIMIT" grep -q ready "$RUN/server.log" || die "the server does not listen"
}

# echo_data FROM ADDRESS [ARG...]: send data there, by TCP both ways at the same time; fails when it
# is not what comes back. See echo.py --help.
echo_data()
{
	interruptible ip netns exec "guest$1" timeout "$((4 * LIMIT))" "$SMOKE/echo.py" "${@:2}"
}

# guest_listens DOMID PORT: somebody waits for a client there; iperf3's port is 5201.
guest_listens()
{
	guest "$1" ss -Hltn "sport = :$2" | grep -q .
}

# guest DOMID COMMAND ARG...: run a command in the guest.
guest()
{
	local ns=guest$1
	shift
	ip netns exec "$ns" "$@"
}

# Bytes that guest 2's TCP has taken in order: its own count, not the device's.
received()
{
	local bytes
	bytes=$(guest 2 ss -Htin 'sport = :5201' |
		sed -n 's/.*bytes_received:\([0-9]*\).*/\1/p' | sort -n | tail -n 1)
	echo "${bytes:-0}"
}

received_more_than()
{
	[ "$(received)" -gt "$1" ]
}

# goes_on: the connection of the process "client" to guest 2 does, it is the first one, and no
# frontend has connected anew.
goes_on()
{
	wait_for "$LIMIT" received_more_than "$(($(received) + 200000))" || return 1
	process_ended "${PIDS[client]}" && return 1
	[ "$(telemetry guest1 xstat 0 connects)" = 1 ] &&
		[ "$(telemetry guest2 xstat 0 connects)" = 1 ]
}

# interruptible COMMAND ARG...: run it so that a signal to the script need not wait for its end.
interruptible()
{
	local pid
	"$@" &
	pid=$!
	on_exit stop_process "$pid"
	wait "$pid"
}

# tcp_load FROM TO STREAMS: TCP at full speed for a while. What is under way is bounded by the
# windows, 128 to 256 KiB a stream, which is 91 to 181 packets: more than a ring takes at a time,
# and a receiver that keeps up with it on average, for it says itself how much it takes.
tcp_load()
{
	in_background iperf ip netns exec "guest$2" iperf3 -s
	wait_for "$LIMIT" guest_listens "$2" 5201 || return 1
	interruptible ip netns exec "guest$1" timeout "$((4 * LIMIT))" \
		iperf3 -c "10.99.0.$2" -t 10 -P "$3" -w 128K -J >"$RUN/load.json" || return 1
	stop_process "${PIDS[iperf]}"
}

# load_result FROM: how fast that was, and how many segments TCP has sent again; those that the
# other end had already are no sign of a loss.
load_result()
{
	local twice
	twice=$(guest "$1" nstat -az TcpExtTCPDSACKRecvSegs | awk '/DSACK/ { print $2 }')
	python3 - "$RUN/load.json" "$twice" <<-'EOT'
		import json
		import sys
		with open(sys.argv[1], encoding="ascii") as f:
		    sent = json.load(f)["end"]["sum_sent"]
		print("%d Mbit/s, %d retransmits, %s of them needlessly"
		      % (sent["bits_per_second"] / 1e6, sent["retransmits"], sys.argv[2]))
	EOT
}

# many_flows FROM TO: a datagram to each of 256 ports.
many_flows()
{
	guest "$1" python3 - "10.99.0.$2" <<-'EOT'
		import socket
		import sys
		with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
		    for port in range(7000, 7256):
		        s.sendto(b"x" * 100, (sys.argv[1], port))
	EOT
}

# Verdicts of a test. A test ends with `verdict`, which fails when one was not ok.
failed=0

ok()
{
	printf 'ok %s\n' "$1"
}

not_ok()
{
	printf 'not ok %s - %s\n' "$1" "$2"
	failed=1
	show_logs
}

# check NAME WHY COMMAND ARG...: ok when the command succeeds.
check()
{
	local name=$1 why=$2
	shift 2
	if "$@"; then
		ok "$name"
	else
		not_ok "$name" "$why"
	fi
}

verdict()
{
	return "$failed"
}

# state_of DOMID DEVID front|back: a vif's state, as one of its ends has it.
state_of()
{
	case $3 in
	front) store_read "/local/domain/$1/device/vif/$2/state" ;;
	back) store_read "/local/domain/0/backend/vif/$1/$2/state" ;;
	esac
}

# store_read PATH: a key as domain 0 sees it; nothing when there is none.
store_read()
{
	in_domain 0 xenstore-read "$1" 2>/dev/null || :
}

# state_is DOMID DEVID front|back STATE
state_is()
{
	[ "$(state_of "$1" "$2" "$3")" = "$4" ]
}

# counter NAME [DOMID]: a counter of the stand-in hypervisor.
counter()
{
	xensim counters --json "${2:-0}" |
		python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"
}

# frames_start DOMID QUEUES ARG...: random frames between the vifs 0 and 1 of a domain, in the
# background; see xenframes --help.
frames_start()
{
	local domid=$1 queues=$2
	shift 2
	in_background frames "$BUILD/test/xensim/xensim" exec "$domid" -- \
		"$BUILD/test/smoke/xenframes" --no-huge -m 128 --no-pci --file-prefix frames \
		--lcores "0@($(cpus))" --vdev "net_xenfront0,devid=0,queues=$queues" \
		--vdev "net_xenfront1,devid=1,queues=$queues" -- --queues "$queues" "$@"
}

# frames DOMID QUEUES ARG...: the same to its end; fails when a frame was not as it had been.
frames()
{
	frames_start "$@"
	wait "${PIDS[frames]}"
}

# error_shared DOMID DEVID: what the backend says of the vif is the guest's to read and to forget.
error_shared()
{
	local dir=/local/domain/0/error/backend/vif/$1/$2
	in_domain 0 xenstore-write "$dir" ""
	in_domain 0 xenstore-chmod "$dir" n0 "b$1"
}

# hostile DOMID DEVID ATTACK...: see xenhostile.
hostile()
{
	in_domain "$1" timeout "$((2 * LIMIT))" "$BUILD/test/guest/xenhostile" "${@:2}"
}

# ping_answered FROM ADDRESS COUNT [PING-ARGUMENT...]: that many pings, with the answers in
# $RUN/ping.log; fails unless each one is answered. By -w ping waits for late answers, too, where -c
# alone counts them as lost, and goes on pinging meanwhile: what counts is that the first COUNT
# answers are those to the first COUNT pings.
ping_answered()
{
	local answered
	interruptible ip netns exec "guest$1" ping -n -c "$3" -i 0.05 -w "$LIMIT" "${@:4}" "$2" \
		>"$RUN/ping.log" || return 1
	# It may have seen more of them than it was to wait for.
	answered=$(sed -n 's/.*icmp_seq=\([0-9]*\) .*/\1/p' "$RUN/ping.log" | sort -nu |
		head -n "$3")
	[ "$answered" = "$(seq "$3")" ]
}

# ping_guest FROM TO COUNT: the same, to another guest of the network that all have.
ping_guest()
{
	ping_answered "$1" "10.99.0.$2" "$3"
}

# pings_start FROM TO: ping without end, 200 a second, in the background.
pings_start()
{
	: >"$RUN/pings.log"
	in_background pings ip netns exec "guest$1" ping -n -i 0.005 -W 10 "10.99.0.$2"
	wait_for "$LIMIT" pings_pass || die "no ping passes"
}

pings_pass()
{
	grep -q "bytes from" "$RUN/pings.log"
}

# pings_reach N: at least N answers are there.
pings_reach()
{
	[ "$(grep -c "bytes from" "$RUN/pings.log")" -ge "$1" ]
}

# pings_on COUNT: so many more are answered.
pings_on()
{
	wait_for "$LIMIT" pings_reach "$(($(grep -c "bytes from" "$RUN/pings.log") + $1))"
}

# pings_end: end them after a while without disturbance; fails when one was lost of all that were
# sent before the last one that was answered.
pings_end()
{
	local answers last
	pings_on 200 || return 1
	stop_process "${PIDS[pings]}"
	answers=$(grep -c "bytes from" "$RUN/pings.log")
	last=$(sed -n 's/.*icmp_seq=\([0-9]*\) .*/\1/p' "$RUN/pings.log" | sort -n | tail -n 1)
	info "pings sent: $last, answered: $answers"
	[ "$answers" -eq "$last" ]
}
