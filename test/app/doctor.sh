#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# doctor.sh XENVSWITCHCTL FAKE-SWITCH DPDK-XENVSWITCH: what `xenvswitchctl doctor` says of machines
# that are folders: a good one, and each thing that it may lack.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../../scripts/lib.sh"

ctl=$(realpath "$1")
switch=$(realpath "$2")
PATH=$(dirname "$(realpath "$3")"):$PATH
NIC=sys/bus/pci/devices/0000:03:00.0

# file PATH LINE...: of the machine.
file()
{
	mkdir -p "$(dirname "$root/$1")"
	printf '%s\n' "${@:2}" >"$root/$1"
}

# config LINE...: what is in [switch], beside a bridge, an uplink and a tap.
config()
{
	file etc/dpdk-xenvswitch.conf "; text" "[switch]" "$@" "[bridge lan]" "# devargs = 1:1.1" \
		"[port up]" "devargs = 0000:03:00.0,x=1" "bridge=lan" "[bridge wan]" "[port up2]" \
		"bridge = wan" "devargs = net_tap7" "[port tap0]" " kind = tap" "bridge = lan"
}

driver()
{
	mkdir -p "$root/$NIC"
	ln -sfn "../../drivers/$1" "$root/$NIC/driver"
}

# A machine that has everything: a PVH domain with huge pages.
good()
{
	rm -rf "${root:?}"/{sys,dev,etc,proc}
	file sys/hypervisor/type xen
	file sys/hypervisor/guest_type PVH
	file dev/xen/gntdev
	file dev/xen/evtchn
	file dev/xen/xenbus
	file dev/net/tun
	file etc/modprobe.d/xen.conf "#" "blacklist  xen-netback"
	file etc/xen/scripts/vif-xenvif
	chmod 755 "$root/etc/xen/scripts/vif-xenvif"
	file proc/meminfo "MemTotal: 1000 kB" "HugePages_Total: 128" "Hugepagesize: 2048 kB"
	driver vfio-pci
	config
}

# says LINE...: these are all that is bad. Tabs in them are only for this file's columns.
says()
{
	local status=0 bad
	out=$("$ctl" doctor 2>&1) || status=$?
	[ "$status" -eq $(($# > 0)) ] || die "status $status: $out"
	! grep -vE '^(ok  |BAD ) [^ ]' <<<"$out" || die "other lines in: $out"
	bad=$(sed -n 's/^BAD  //p' <<<"$out")
	[ "$bad" = "$(printf '%s\n' "$@" | sed '/^$/d; s/\t//g')" ] ||
		 die "'$bad' is bad, not '$*'"
}

# ok_lines LINE...: all of the last output.
ok_lines()
{
	[ "$out" = "$(printf 'ok   %s\n' "$@")" ] || die "it says: $out"
}

check_good()
{
	says
	ok_lines "domain of Xen" /dev/xen/gntdev /dev/xen/evtchn xenstore "no xen-netback" \
		"blacklist xen-netback" /etc/xen/scripts/vif-xenvif configuration /dev/net/tun \
		"huge pages" memory "device 0000:03:00.0" switch "all ports"
	"$ctl" doctor --json | python3 -c 'import json, sys
checks = json.load(sys.stdin)["checks"]
assert len(checks) == 14
assert all(set(c) == {"ok", "what", "why"} and c["ok"] and c["why"] is None for c in checks)'
}

check_devices()
{
	rm "$root"/dev/xen/* "$root"/dev/net/tun
	says "/dev/xen/gntdev: is missing; modprobe xen-gntdev, and name xen-gntdev in \
			/etc/modules-load.d" \
		"/dev/xen/evtchn: is missing; modprobe xen-evtchn, and name xen-evtchn in \
			/etc/modules-load.d" \
		"xenstore: neither /run/xenstored/socket nor /dev/xen/xenbus can be opened; start \
			xenstored, or mount xenfs in a driver domain" \
		"/dev/net/tun: is missing; modprobe tun, and name tun in /etc/modules-load.d"
	good
	file run/xenstored/socket
	rm "$root/dev/xen/xenbus"
	says
	rm "$root/run/xenstored/socket"
	good
	echo "vhost = yes" >>"$root/etc/dpdk-xenvswitch.conf"
	says "/dev/vhost-net: is missing; modprobe vhost-net, and name vhost-net in \
			/etc/modules-load.d"
	good
	file sys/hypervisor/type kvm
	says "domain of Xen: it is none, or has no /sys/hypervisor; boot it under Xen"
}

check_netback()
{
	good
	mkdir -p "$root/sys/module/xen_netback"
	file etc/modprobe.d/xen.conf "# blacklist xen-netback" "blacklist xen-netfront"
	file etc/modprobe.d/off "blacklist xen-netback"
	says "no xen-netback: it is loaded, and takes vifs; modprobe -r xen-netback" \
		"blacklist xen-netback: it may be loaded; write 'blacklist xen-netback' into a \
			file of /etc/modprobe.d"
	good
	rm "$root/etc/modprobe.d/xen.conf"
	file lib/modprobe.d/x.conf "install xen_netback /bin/false"
	says
	file etc/modprobe.d/x.conf ""
	says "blacklist xen-netback: it may be loaded; write 'blacklist xen-netback' into a \
			file of /etc/modprobe.d"
	rm "$root/etc/modprobe.d/x.conf"
	rm -r "${root:?}/lib"
}

check_script()
{
	good
	chmod 644 "$root/etc/xen/scripts/vif-xenvif"
	says "/etc/xen/scripts/vif-xenvif: is not executable; chmod 755 /etc/xen/scripts/vif-xenvif"
	rm "$root/etc/xen/scripts/vif-xenvif"
	says "/etc/xen/scripts/vif-xenvif: is missing; install scripts/vif-xenvif of xenvif there"
}

check_config()
{
	good
	config "colour = blue"
	out=$("$ctl" doctor) && die "it takes colours"
	grep -qE "^BAD  configuration: $root/etc/dpdk-xenvswitch.conf:3: .*colour" <<<"$out" ||
		die "it says: $out"
	good
	PATH=/usr/bin:/bin says "configuration: no program dpdk-xenvswitch to check it; install it"
	mv "$root/etc/dpdk-xenvswitch.conf" "$root/other.conf"
	"$ctl" doctor --config /other.conf >/dev/null || die "--config is not heeded"
}

check_no_pci()
{
	good
	config "eal = --no-pci"
	says "configuration: $root/etc/dpdk-xenvswitch.conf:7: devargs='0000:03:00.0,x=1': \
			is a PCI device, which --no-pci in eal of [switch] keeps away; remove \
			one of them"
}

check_memory()
{
	good
	file proc/meminfo "HugePages_Total: 0" "Hugepagesize: 2048 kB"
	says "huge pages: there are none; sysctl vm.nr_hugepages=512, or --no-huge --legacy-mem \
			-m MIB in [switch] eal"
	file proc/meminfo "HugePages_Total: 20" "Hugepagesize: 2048 kB"
	says "memory: 40 MiB are too little for mbufs = 32768, which take some 128; sysctl \
			vm.nr_hugepages gives more"
	config "mbufs = 65536" "eal = --no-huge"
	says "memory: 64 MiB are too little for mbufs = 65536, which take some 208; -m MIB in \
			[switch] eal gives more"
	config "mbufs = 65536" "eal = --no-huge	--legacy-mem -m 208"
	says
	file sys/hypervisor/guest_type PV
	says
	config "eal = --no-hugepages -m 900"
	says "huge pages: a PV domain has none; --no-huge --legacy-mem -m MIB in [switch] eal"
}

check_nic()
{
	local name
	good
	driver ixgbe
	says "device 0000:03:00.0: the kernel's driver ixgbe has it; modprobe uio_pci_generic; \
			dpdk-devbind.py --bind=uio_pci_generic 0000:03:00.0"
	for name in uio_pci_generic igb_uio mlx5_core; do
		driver $name
		says
	done
	rm "$root/$NIC/driver"
	mkdir -p "$root/sys/kernel/iommu_groups/0"
	says "device 0000:03:00.0: has no driver; modprobe vfio-pci; dpdk-devbind.py \
			--bind=vfio-pci 0000:03:00.0"
	rm -r "$root/sys/kernel/iommu_groups"
	rm -r "${root:?}/$NIC"
	says "device 0000:03:00.0: there is none on this machine; see lspci -D"
	sed -i 's/0000:03:00.0/03:00.0/' "$root/etc/dpdk-xenvswitch.conf"
	says "device 0000:03:00.0: there is none on this machine; see lspci -D"
}

check_switch()
{
	good
	config "control = /run/other.sock"
	says "switch: systemctl start dpdk-xenvswitch, and see its log ($root/run/other.sock: No \
			such file or directory; is dpdk-xenvswitch running?)"
	XENVSWITCH_SOCKET=$socket says
	start "$root/run/other.sock" 2
	says "vif 7/1: bridge 'nosuch': there is none"
	out=$("$ctl" --json doctor) && die "status 0"
	grep -q "\"why\": \"bridge 'nosuch': there is none\"" <<<"$out" || die "it says: $out"
}

# start SOCKET ERRORS: a switch there.
start()
{
	"$switch" "$1" 3 "$2" &
	on_exit stop_process $!
	wait_for 10 "$ctl" --socket "$1" version >/dev/null 2>&1
}

dir=$(mktemp -d)
on_exit rm -rf "$dir"
root=$dir/root
unset XENVSWITCH_SOCKET
export XENVSWITCH_ROOT=$root
mkdir -p "$root/run/dpdk-xenvswitch"
socket=$root/run/dpdk-xenvswitch/control.sock
start "$socket" 0
good
check_good
check_devices
check_netback
check_script
check_config
check_no_pci
check_memory
check_nic
check_switch
