# shellcheck shell=bash disable=SC2154 # RIG, LOGS, scenario: lib.sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# Networks of a scenario: testpmd with net_xenvif in dom0, or the kernel's xen-netback and a bridge,
# and the traffic that proves them.

# --- the kernel's backend ---

# bridge_create NAME ADDRESS
bridge_create()
{
	ip link add "$1" type bridge
	ip addr add "$2" dev "$1"
	ip link set "$1" up
}

netback_load()
{
	modprobe xen-netback
}

netback_unload()
{
	rmmod xen-netback 2>/dev/null || true
}

net_remove_all()
{
	local link

	for link in $(ip -o link show type bridge | awk -F': ' '{ print $2 }'); do
		ip link del "$link"
	done
	for link in $(ip -o link show type veth | awk -F'[:@ ]+' '{ print $2 }'); do
		ip link del "$link" 2>/dev/null || true
	done
	netback_unload
}

testpmd_stop_all()
{
	:
}

# --- traffic ---

# ping_guest ADDRESS [COUNT]: none may be lost, but those before the first answer (ARP, link coming up).
ping_ok()
{
	local out

	wait_for 60 "the first answer of $1" ping -c 1 -W 1 "$1"
	out=$(ping -c "${2:-20}" -i 0.1 -W 5 "$1" || true)
	printf '%s\n' "$out" | tail -n 2
	[[ $out == *" 0% packet loss"* ]] || fail "ping $1: $(printf '%s' "$out" | grep loss)"
}
