# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
# shellcheck shell=bash disable=SC2154 # RIG, LOGS, scenario, BACKEND: lib.sh
#
# Debian's dpdk-testpmd in dom0 with net_xenvif ports; or, with the backend netback, a kernel bridge
# for each pair of ports in its place.

PMD=librte_net_xenvif.so
# Every peer has the same, so that an address may move from one to another.
PEER_MAC=02:00:00:00:00:fe

# vif_spec MAC [KEY=VALUE,...]: a line of xl's vif list.
vif_spec()
{
	if [ "$BACKEND" = netback ]; then
		printf 'mac=%s,script=vif-standin%s' "$1" "${2:+,$2}"
	else
		printf 'mac=%s,script=vif-xenvif,bridge=none%s' "$1" "${2:+,$2}"
	fi
}

# vif_port DOMID DEVID [DEVARGS]: the vdev of testpmd that serves this vif. DEVARGS are
# net_xenvif's.
vif_port()
{
	if [ "$BACKEND" = netback ]; then
		printf 'netback,iface=vif%s.%s' "$1" "$2"
	else
		printf 'net_xenvif%s_%s,domid=%s,devid=%s%s' "$1" "$2" "$1" "$2" "${3:+,$3}"
	fi
}

# peer_create NAME [ADDRESS]: a kernel interface in dom0, and the other end of it for testpmd. As
# testpmd hands on frames as they are, the kernel must complete them.
peer_create()
{
	local end

	ip link add "$1" type veth peer name "$1w"
	for end in "$1" "$1w"; do
		ethtool -K "$end" tx off rx off gso off tso off gro off txvlan off rxvlan off \
			> /dev/null 2>&1
		echo 1 > "/proc/sys/net/ipv6/conf/$end/disable_ipv6"
		ip link set "$end" up
	done
	ip link set "$1" address $PEER_MAC
	[ -z "${2:-}" ] || ip addr add "$2" dev "$1"
}

# peer_move FROM TO ADDRESS: the address is the other peer's from now on.
peer_move()
{
	ip addr flush dev "$1"
	ip addr add "$3" dev "$2"
}

# peer_port NAME [QUEUES]: the vdev of testpmd for a peer.
peer_port()
{
	printf 'net_af_packet_%s,iface=%sw,qpairs=%s' "$1" "$1" "${2:-1}"
}

# tap_port NAME: the vdev of testpmd for a kernel's interface that takes and gives packets of TCP
# whole. testpmd creates it; tap_up NAME [IP-ARGUMENT...] is for afterwards.
tap_port()
{
	if [ "$BACKEND" = netback ]; then
		peer_create "$1"
		peer_port "$1"
		return
	fi
	[ -e /dev/vhost-net ] || modprobe vhost_net
	printf 'net_virtio_user_%s,path=/dev/vhost-net,iface=%s,queue_size=1024' "$1" "$1"
}

tap_up()
{
	ip link set "$1" address $PEER_MAC up "${@:2}"
}

# testpmd that takes TCP packets whole (scattered, checksums to be done) and has ports send such.
# shellcheck disable=SC2034 # for scenarios
OFFLOAD_OPTIONS="--mbuf-size=16512 --forward-mode=csum --rx-offloads=0x201c --tx-offloads=0x802c"

# backend_offload NAME PORTS: its first ports send whole what is longer than a segment.
backend_offload()
{
	local port cmd cmds=(stop "port stop all")

	[ "$BACKEND" = xenvif ] || return 0
	for ((port = 0; port < $2; port++)); do
		cmds+=("tso set 1448 $port" "csum mac-swap off $port")
	done
	for cmd in "${cmds[@]}" "port start all" start; do
		backend_cmd "$1" "$cmd"
	done
}

hugepages_up()
{
	[ -e /sys/kernel/mm/hugepages/hugepages-2048kB ] || return 1
	echo 320 > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
	mkdir -p /dev/hugepages
	mountpoint -q /dev/hugepages || mount -t hugetlbfs hugetlbfs /dev/hugepages
}

# What testpmd is run by, if anything; a scenario may set it.
BACKEND_AS=()

# backend_start NAME EAL-ARGUMENT... [-- TESTPMD-ARGUMENT...]: a vdev is given as --vdev=...
# Ports that do not exist yet (a stand-in's interface, or a vif) are no reason to wait here.
backend_start()
{
	local name=$1 eal=() app=()

	shift
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		eal+=("$1")
		shift
	done
	[ $# = 0 ] || shift
	app=("$@")
	if hugepages_up; then
		eal+=(--in-memory)
	else
		eal+=(--no-huge -m 512)
	fi
	[[ " ${eal[*]}" == *' -a '* ]] || eal+=(--no-pci)
	if [ "$BACKEND" = netback ]; then
		bridges_for "$name" "${eal[@]}"
		return
	fi
	eal+=(-d "$PMD")
	printf '%q ' "${BACKEND_AS[@]}" stdbuf -oL \
		dpdk-testpmd -l 0-1 -n 1 --file-prefix="$name" "${eal[@]}" -- \
		-i --auto-start --no-mlockall --total-num-mbufs=8192 "${app[@]}" \
		> "$RIG/testpmd/$name.cmd"
	backend_again "$name"
}

# Bridges the interfaces of ports 0 and 1, 2 and 3, ... as soon as they are there.
bridges_for()
{
	local name=$1 arg i ifaces=()

	shift
	for arg; do
		if [[ $arg =~ iface=([^,]+) ]]; then ifaces+=("${BASH_REMATCH[1]}"); fi
	done
	(
		trap - ERR
		for ((i = 0; i < ${#ifaces[@]}; i++)); do
			ip link add "br$name$((i / 2))" type bridge 2>/dev/null
			ip link set "br$name$((i / 2))" up
			until ip link set "${ifaces[i]}" master "br$name$((i / 2))" 2>/dev/null; do
				sleep 0.2
			done
		done
	) &
	echo $! > "$RIG/testpmd/$name.pid"
}

# polling_share PERCENT|max: how much of a processor's time threads that poll get from now on. What
# they do not need they only keep from guests, and from all that is outside of this machine. A
# scenario may set what they get usually.
POLLING=/sys/fs/cgroup/polling
POLLING_USUALLY=10
# Pauses are exits of a PVH domain, which the emulated processor may not survive (README.md).
! grep -qs PVH /sys/hypervisor/guest_type || POLLING_USUALLY=max
POLLING_SHARE=max
polling_share()
{
	POLLING_SHARE=$1
	# Control groups are systemd's then, and what it starts polls as it likes.
	[ ! -d /run/systemd/system ] || return 0
	if [ ! -d $POLLING ]; then
		mount -t cgroup2 cgroup2 /sys/fs/cgroup
		echo +cpu > /sys/fs/cgroup/cgroup.subtree_control
		mkdir $POLLING
		echo threaded > $POLLING/cgroup.type
	fi
	if [ "$1" = max ]; then
		echo max > $POLLING/cpu.max
	else
		echo "$(($1 * 100)) 10000" > $POLLING/cpu.max
	fi
}

# at_share PERCENT|max COMMAND...: for as long as COMMAND runs.
at_share()
{
	local share=$POLLING_SHARE

	polling_share "$1"
	"${@:2}"
	polling_share "$share"
}

# polling_enter PID: threads of it that poll are DPDK's workers; the others go on as they are.
polling_enter()
{
	local task

	[ ! -d /run/systemd/system ] || return 0
	for task in /proc/"$1"/task/*; do
		[[ $(< "$task/comm") != *worker* ]] || echo "${task##*/}" > $POLLING/cgroup.threads
	done
}

# backend_again NAME: starts the same testpmd once more.
backend_again()
{
	local name=$1 log=$LOGS/$scenario-testpmd-$1.log

	rm -f "$RIG/testpmd/$name.in" "$log"
	mkfifo "$RIG/testpmd/$name.in"
	(
		trap - ERR
		exec 8<> "$RIG/testpmd/$name.in"
		eval "exec $(cat "$RIG/testpmd/$name.cmd")" <&8 >> "$log" 2>&1
	) &
	echo $! > "$RIG/testpmd/$name.pid"
	backend_wait_up "$name"
	polling_share "$POLLING_USUALLY"
	polling_enter "$(backend_pid "$name")"
}

# The prompt's end: testpmd> comes letter by letter, and other threads may speak in between.
PROMPT='d>\|^>'

backend_wait_up()
{
	await 300 "testpmd $1 to be up (log: $scenario-testpmd-$1.log)" backend_up "$1"
}

# Without a program: testpmd is to have the processors.
backend_up()
{
	local IFS=$'\n' said

	mapfile -t said < "$LOGS/$scenario-testpmd-$1.log"
	[[ $'\n'"${said[*]}" == *@('d>'|$'\n>')* ]]
}

# backend_xstats NAME PORT: its extended statistics now, as testpmd prints them.
backend_xstats()
{
	local log=$LOGS/$scenario-testpmd-$1.log mark

	mark=$(stat -c %s "$log")
	backend_cmd "$1" "show port xstats $2"
	await 120 "statistics of port $2" xstats_shown "$log" "$((mark + 1))"
	tail -c "+$((mark + 1))" "$log"
}

# Whole, that is with a prompt behind them.
xstats_shown()
{
	tail -c "+$2" "$1" | sed -n '/NIC extended statistics/,$p' | grep "$PROMPT" > /dev/null
}

# backend_xstat NAME PORT STATISTIC: its value now.
backend_xstat()
{
	backend_xstats "$1" "$2" | xstat "$3"
}

# xstat STATISTIC: its value among those that are read.
xstat()
{
	sed -n "s/^$1: //p"
}

# queues_carried NAME PORT rx|tx QUEUES RINGS: so many queues of the application and rings of the
# guest had packets. All statistics stand in $RIG/xstats afterwards.
queues_carried()
{
	local i count statistics=()

	for ((i = 0; i < $4; i++)); do statistics+=("$3_q${i}_packets"); done
	for ((i = 0; i < $5; i++)); do statistics+=("$3_q${i}_slots"); done
	backend_xstats "$1" "$2" > "$RIG/xstats"
	for i in "${statistics[@]}"; do
		count=$(xstat "$i" < "$RIG/xstats")
		echo "$i: $count"
		[ "${count:-0}" -gt 0 ] || fail "$i is ${count:-unknown}"
	done
}

# backend_cmd NAME COMMAND: what it prints comes into its log.
backend_cmd()
{
	printf '%s\n' "$2" > "$RIG/testpmd/$1.in"
}

backend_pid()
{
	echo "$(< "$RIG/testpmd/$1.pid")"
}

backend_runs()
{
	! process_ended "$(backend_pid "$1")"
}

backend_ended()
{
	! backend_runs "$1"
}

backend_stop()
{
	backend_cmd "$1" "show port stats all"
	backend_cmd "$1" "show port xstats all"
	backend_cmd "$1" stop
	backend_cmd "$1" quit
	await 120 "testpmd $1 to end" backend_ended "$1"
	wait "$(backend_pid "$1")" 2>/dev/null || true
	rm -f "$RIG/testpmd/$1.pid"
}

backend_kill()
{
	local pid

	pid=$(backend_pid "$1")
	kill -KILL "$pid"
	# Until then, threads of it may hold the locks on files that the next one opens.
	await 120 "testpmd $1 to end" backend_ended "$1"
	wait "$pid" 2>/dev/null || true
}

backend_stop_all()
{
	local f name comm

	for f in "$RIG"/testpmd/*.pid; do
		[ -e "$f" ] || continue
		name=${f##*/}
		name=${name%.pid}
		{ comm=$(< "/proc/$(< "$f")/comm"); } 2>/dev/null || comm=
		if backend_runs "$name" && [ "$comm" = dpdk-testpmd ]; then
			backend_stop "$name"
		elif backend_runs "$name"; then
			kill "$(< "$f")"
		fi
		rm -f "$f"
	done
}
