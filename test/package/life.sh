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

PACKAGES=(dpdk-xenvswitch 'librte-net-xenvif*' xenvif-doc)

# packages_of FOLDER: has ./*.deb of the folder be what is in /packages of the root.
packages_of()
{
	rm -f "$ROOT"/packages/*
	cp "$1"/*.deb "$ROOT/packages/"
	rm -f "$ROOT"/packages/*-dbgsym_*
}

# apt_install [OPTION...]: what the guide says, in that folder.
apt_install()
{
	in_root sh -c 'cd /packages && apt install -y "$@" ./*.deb' sh "$@" >>"$RUN/apt.log" 2>&1
}

apt_do()
{
	in_root apt-get -y "$@" >>"$RUN/apt.log" 2>&1
}

installed_version()
{
	in_root dpkg-query -Wf '${Version}' dpdk-xenvswitch
}

version_in()
{
	dpkg-deb -f "$(echo "$1"/dpdk-xenvswitch_*.deb)" Version
}

switch_pid()
{
	cat "$RUN/unit.pid" 2>/dev/null
}

# ctl ARG...: the packaged xenvswitchctl, with its own defaults.
ctl()
{
	in_root timeout "$LIMIT" xenvswitchctl "$@"
}

has_bridge()
{
	ctl show bridges 2>/dev/null | grep -q "^$1 "
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
	local name=$1 folder=$2 before
	before=$(switch_pid)
	packages_of "$folder"
	in_background gap ip netns exec guest1 ping -D -n -i 0.005 -W 10 10.99.0.2
	wait_for "$LIMIT" grep -q "bytes from" "$RUN/gap.log" || die "no ping passes"
	check "$name" "apt has failed" apt_install "${@:3}"
	check "$name-version" "it is another version" \
		[ "$(installed_version)" = "$(version_in "$folder")" ]
	check "$name-restarted" "the switch is the old process" [ "$(switch_pid)" != "$before" ]
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
	root_files >"$RUN/files.before"
	rm -f "$ROOT"/packages/*
	root_end
}

files_left()
{
	root_files >"$RUN/files.now"
	diff "$RUN/files.before" "$RUN/files.now" >"$RUN/files.log"
}

stage()
{
	info "$1: $((SECONDS - stage_start)) s"
	stage_start=$SECONDS
}

main()
{
	local old=$1 new=$2 pid stage_start=0
	root_start
	stage "fresh Debian"
	files_without_us "$old"
	stage "dependencies"
	root_start
	machine_start
	xensim env 0 >"$RUN/domain0.env"

	packages_of "$old"
	check install "apt has failed" apt_install
	stage "install"
	check enabled "the unit is not enabled" in_root systemctl is-enabled dpdk-xenvswitch.service
	check started "the switch does not run" ctl version
	check configuration "the packaged one is wrong" in_root dpdk-xenvswitch --check
	check blacklist "modprobe would load xen-netback" \
		in_root sh -c 'modprobe --showconfig | grep -q "^blacklist xen_netback"'
	check modules "xen-gntdev is not loaded at boot" \
		in_root grep -qx xen-gntdev /usr/lib/modules-load.d/dpdk-xenvswitch.conf
	echo '[bridge other]' >>"$ROOT/etc/dpdk-xenvswitch.conf"
	check reload "the unit does not" in_root systemctl reload dpdk-xenvswitch.service
	check reloaded "the new bridge is not there" wait_for "$LIMIT" has_bridge other
	guests_come
	check ping "guest 1 does not reach guest 2" ping_guest 1 2 20
	in_background server ip netns exec guest2 iperf3 -s
	wait_for "$LIMIT" guest_listens 2 5201 || die "iperf3 does not listen"
	in_background client ip netns exec guest1 iperf3 -c 10.99.0.2 -t 3600
	check traffic "no TCP" goes_on
	stage "guests"

	# What an administrator has written stays.
	echo '# mine' >>"$ROOT/etc/dpdk-xenvswitch.conf"
	change upgrade "$new"
	change rollback "$old" --allow-downgrades
	check conffile "the configuration was replaced" \
		grep -qx '# mine' "$ROOT/etc/dpdk-xenvswitch.conf"
	stage "upgrade and rollback"

	pid=$(switch_pid)
	check remove "apt has failed" apt_do remove dpdk-xenvswitch
	check stopped "the switch runs yet" wait_for "$LIMIT" process_ended "$pid"
	check netback-may-come "xen-netback is kept away yet" \
		in_root sh -c '! modprobe --showconfig | grep -q "^blacklist xen_netback"'
	check remove-conffile "the configuration is gone" \
		[ -e "$ROOT/etc/dpdk-xenvswitch.conf" ]
	check purge "apt has failed" apt_do purge "${PACKAGES[@]}"
	check nothing-left "see files.log" files_left
	stage "removal"
	verdict
}

private_main main "$@"
