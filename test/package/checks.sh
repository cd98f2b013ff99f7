# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
# shellcheck shell=bash disable=SC2154 # ROOT, RUN, LIMIT: who sources it
#
# What holds of the packages wherever they are installed: in life.sh's root file system, and in
# dom0 of the Xen rig. Who sources it has the root at ROOT, a folder for logs at RUN, and functions:
# in_root COMMAND... runs one there, check NAME WHY COMMAND... judges one, switch_pid names the
# switch's process, wait_for and process_ended are those of scripts/lib.sh.

PACKAGES=(dpdk-xenvswitch 'librte-net-xenvif*' xenvif-doc)

# apt_install FOLDER [OPTION...]: what the guide says, in that folder of the root.
apt_install()
{
	# shellcheck disable=SC2016 # the inner shell's
	in_root sh -c 'cd "$0" && apt install -y "$@" ./*.deb' "$@" >>"$RUN/apt.log" 2>&1
}

apt_do()
{
	in_root apt-get -y "$@" >>"$RUN/apt.log" 2>&1
}

installed_version()
{
	# shellcheck disable=SC2016 # dpkg's own variable
	in_root dpkg-query -Wf '${Version}' dpdk-xenvswitch
}

# version_in FOLDER
version_in()
{
	dpkg-deb -f "$(echo "$1"/dpdk-xenvswitch_*.deb)" Version
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

# check_install FOLDER
check_install()
{
	check install "apt has failed" apt_install "$1"
	check enabled "the unit is not enabled" in_root systemctl is-enabled dpdk-xenvswitch.service
	check started "the switch does not run" ctl version
	check configuration "the packaged one is wrong" in_root dpdk-xenvswitch --check
	check blacklist "modprobe would load xen-netback" \
		in_root sh -c 'modprobe --showconfig | grep -q "^blacklist xen_netback"'
	check modules "xen-gntdev is not loaded at boot" \
		in_root grep -qx xen-gntdev /usr/lib/modules-load.d/dpdk-xenvswitch.conf
}

# check_reload LINE...: these come to the configuration, among them [bridge other].
check_reload()
{
	printf '%s\n' "$@" >>"$ROOT/etc/dpdk-xenvswitch.conf"
	check reload "the unit does not" in_root systemctl reload dpdk-xenvswitch.service
	check reloaded "the new bridge is not there" wait_for "$LIMIT" has_bridge other
}

# check_change NAME FOLDER [OPTION...]: the packages in this folder of the root take their place.
check_change()
{
	local name=$1 folder=$2 before
	before=$(switch_pid)
	check "$name" "apt has failed" apt_install "$folder" "${@:3}"
	check "$name-version" "it is another version" \
		[ "$(installed_version)" = "$(version_in "$ROOT$folder")" ]
	check "$name-restarted" "the switch is the old process" [ "$(switch_pid)" != "$before" ]
}

# What an administrator has written stays.
check_conffile()
{
	check conffile "the configuration was replaced" \
		grep -qx '# mine' "$ROOT/etc/dpdk-xenvswitch.conf"
}

check_remove()
{
	local pid
	pid=$(switch_pid)
	check remove "apt has failed" apt_do remove dpdk-xenvswitch
	check stopped "the switch runs yet" wait_for "$LIMIT" process_ended "$pid"
	check runtime-left "its folder in /run is there yet" in_root test ! -e /run/dpdk-xenvswitch
	check netback-may-come "xen-netback is kept away yet" \
		in_root sh -c '! modprobe --showconfig | grep -q "^blacklist xen_netback"'
	check remove-conffile "the configuration is gone" \
		[ -e "$ROOT/etc/dpdk-xenvswitch.conf" ]
}

check_purge()
{
	check purge "apt has failed" apt_do purge "${PACKAGES[@]}"
	check nothing-left "see files.log" files_left
}

# root_files: all that is there, but for what dpkg, apt and the linker keep for themselves; of what
# is in /etc also what it says.
root_files()
{
	(cd "$ROOT" && {
		find . -xdev \( -path ./var/lib/dpkg -o -path ./var/lib/apt -o -path ./var/cache \
			-o -path ./var/log -o -path ./packages -o -path ./run -o -path ./tmp \
			-o -path ./etc/ld.so.cache \) -prune -o -printf '%M %p %l\n'
		find ./etc -xdev -type f ! -path ./etc/ld.so.cache -exec sha256sum {} +
	}) | sort
}

# files_before: to be called without the packages; files_left: the same is there again.
files_before()
{
	root_files >"$RUN/files.before"
}

files_left()
{
	root_files >"$RUN/files.now"
	diff "$RUN/files.before" "$RUN/files.now" >"$RUN/files.log"
}
