#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# life.sh OLD NEW: the packages of two folders in a fresh Debian: installed, with guests on the
# stand-in hypervisor that talk by way of the packaged switch, upgraded and downgraded under TCP,
# removed and purged.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../smoke/lib.sh"
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/root.sh"
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/checks.sh"

# packages_of FOLDER: has ./*.deb of the folder be what is in /packages of the root.
packages_of()
{
	rm -f "$ROOT"/packages/*
	cp "$1"/*.deb "$ROOT/packages/"
	rm -f "$ROOT"/packages/*-dbgsym_*
}

switch_pid()
{
	cat "$RUN/unit.pid" 2>/dev/null
}

# hotplug DOMID: what xl does when the backend has answered.
hotplug()
{
	local dir=/local/domain/0/backend/vif/$1/0
	in_root bash -c '. /run/xenvif/domain0.env; XENBUS_PATH=$1 exec \
		/etc/xen/scripts/vif-xenvif online type_if=vif' bash "backend/vif/$1/0" || return 1
	[ "$(store_read "$dir/hotplug-status")" = connected ]
}

guests_come()
{
	local d
	for d in 1 2; do
		domain_add "$d"
		vif_add "$d" 0 bridge=xenbr0 hotplug=wait
		check "hotplug-$d" "the script does not say that the vif is connected" hotplug "$d"
		guest_start "$d"
		guest_up "$d"
	done
}

# The longest time without an answer to 200 pings a second, in ms.
longest_pause()
{
	sed -n 's/^\[\([0-9.]*\)\].* bytes from .*/\1/p' "$RUN/gap.log" | python3 -c '
import sys
times = [float(line) for line in sys.stdin]
print(round(1000 * max(b - a for a, b in zip(times, times[1:]))))'
}

# change NAME FOLDER [OPTION...]: other versions of the packages, under TCP.
change()
{
	local name=$1 folder=$2
	packages_of "$folder"
	in_background gap ip netns exec guest1 ping -D -n -i 0.005 -W 10 10.99.0.2
	wait_for "$LIMIT" grep -q "bytes from" "$RUN/gap.log" || die "no ping passes"
	check_change "$name" /packages "${@:3}"
	check "$name-traffic" "the connection was lost, or a frontend connected anew" goes_on
	stop_process "${PIDS[gap]}"
	info "$name: the guests got no packets for $(longest_pause) ms"
	rm "$RUN/gap.log"
}

# What other packages bring, and their scripts make, when those ask for it that are tested here.
dependencies()
{
	local deb field list=
	for deb in "$ROOT"/packages/*.deb; do
		for field in Depends Recommends; do
			list+=,$(dpkg-deb -f "$deb" "$field")
		done
	done
	tr , '\n' <<<"$list" | grep -vE '^ *(librte-net-xenvif.*|dpdk-xenvswitch.*|) *$' |
		paste -sd,
}

files_without_us()
{
	packages_of "$1"
	apt_do satisfy "$(dependencies)" || die "apt does not install the dependencies"
	files_before
	rm -f "$ROOT"/packages/*
	root_end
}

stage()
{
	info "$1: $((SECONDS - stage_start)) s"
	stage_start=$SECONDS
}

# wrong FOLDER: an upgrade where the configuration has been made wrong since the switch started.
wrong()
{
	local before
	before=$(switch_pid)
	echo 'colour = blue' >>"$ROOT/etc/dpdk-xenvswitch.conf"
	packages_of "$1"
	check wrong "apt has failed" apt_install /packages
	check wrong-said "not why it is not restarted" \
		grep -q "not restarted, as the configuration is wrong" "$RUN/apt.log"
	check wrong-goes-on "the switch is another process" [ "$(switch_pid)" = "$before" ]
	sed -i '$d' "$ROOT/etc/dpdk-xenvswitch.conf"
	check wrong-mended "it does not start" in_root systemctl restart dpdk-xenvswitch.service
	check wrong-traffic "the connection was lost, or a frontend connected anew" goes_on
}

main()
{
	local old=$1 new=$2 stage_start=0
	root_start
	stage "fresh Debian"
	files_without_us "$old"
	stage "dependencies"
	root_start
	machine_start
	xensim env 0 >"$RUN/domain0.env"

	packages_of "$old"
	check_install /packages
	stage "install"
	check_reload '[bridge other]'
	guests_come
	check ping "guest 1 does not reach guest 2" ping_guest 1 2 20
	in_background server ip netns exec guest2 iperf3 -s
	wait_for "$LIMIT" guest_listens 2 5201 || die "iperf3 does not listen"
	in_background client ip netns exec guest1 iperf3 -c 10.99.0.2 -t 3600
	check traffic "no TCP" goes_on
	stage "guests"

	echo '# mine' >>"$ROOT/etc/dpdk-xenvswitch.conf"
	change upgrade "$new"
	change rollback "$old" --allow-downgrades
	wrong "$new"
	check_conffile
	stage "upgrade and rollback"

	check_remove
	check_purge
	stage "removal"
	verdict
}

private_main main "$@"
