#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# Two hosts with Open vSwitch with DPDK that OVN makes one, by the commands of the guide, as they
# are written there: each in namespaces of its own, with a machine, a switch, a controller and a
# guest, and one end of a pair of net_memif for a NIC.
# Limit: 1800
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"
. "$SMOKE/ovs-lib.sh"
. "$TREE/scripts/dpdk-source.sh"

OVN=/usr/share/ovn/scripts/ovn-ctl
# The folders of a host that no other one sees: those of Open vSwitch, of OVN and of DPDK.
HOST_DIRS=(/etc/openvswitch /run/openvswitch /run/ovn /run/dpdk /var/lib/ovn /var/log/ovn
	/var/log/openvswitch)
# A packet of 1,442 bytes is one of 1,500 in geneve.
MTU=1442

# software_prepare: what a host has installed, with the tree's drivers and script.
software_prepare()
{
	mkdir -p /run/{openvswitch,ovn,dpdk} "$RUN/bin"
	private_copy /etc /var/lib/dpkg/alternatives "$(dpdk_plugin_folder)"
	private_logs ovn openvswitch
	cp -a "$BUILD"/drivers/librte_*.so* "$(dpdk_plugin_folder)"
	mkdir -p /etc/xen/scripts
	install "$TREE/scripts/vif-xenvif" /etc/xen/scripts
	install "$SMOKE/../docs/systemctl" "$RUN/bin/systemctl"
	python3 -B "$SMOKE/../docs/blocks.py" smoke "$RUN/docs"
}

# host_start N: its namespaces and its machine, and what the packages' installation starts.
host_start()
{
	local n=$1 dir
	for dir in "${HOST_DIRS[@]}"; do
		mkdir -p "$RUN/host$n$dir"
	done
	# shellcheck disable=SC2016 # for another shell
	in_background "host$n" unshare --mount --net --uts -- bash -euc \
		'for dir in "${@:2}"; do mount --bind "$1$dir" "$dir"; done
		hostname "${1##*/}"; ip link set lo up; echo ready; exec sleep infinity' \
		host "$RUN/host$n" "${HOST_DIRS[@]}"
	wait_for "$LIMIT" grep -q ready "$RUN/host$n.log" || die "host $n does not start"
	machine_start "machine$n"
	settings "$n" >"$RUN/settings$n"
	# When the run fails these are kept.
	ln -s "host$n/run/openvswitch/ovs-vswitchd.log" "$RUN/host$n-vswitchd.log"
	ln -s "host$n/var/log/ovn/ovn-controller.log" "$RUN/host$n-controller.log"
	host "$n" systemctl restart openvswitch-switch
	# Debian's ovs-ctl does the first; the second leaves the processors to others.
	host "$n" ovs-vsctl --no-wait set Open_vSwitch . "external_ids:system-id=host$n" \
		other_config:pmd-maxsleep=500
	host "$n" systemctl start ovn-controller
}

# settings N: the guide's, and in what this host differs.
settings()
{
	local role=server
	[ "$1" -eq 1 ] || role=client
	doc_text ovn-settings
	cat <<-EOT
		NODE=192.0.2.$1
		NIC=net_memif0,role=$role,socket-abstract=no,socket=$RUN/cable
		EAL="--no-pci --no-huge --legacy-mem -m 512"
	EOT
}

# host N COMMAND ARG...: run it there, in domain 0.
host()
{
	local n=$1
	shift
	XENSIM_DIR=$RUN/machine$n nsenter --target "${PIDS[host$n]}" --mount --net --uts -- \
		"$BUILD/test/xensim/xensim" exec 0 -- \
		env "LD_LIBRARY_PATH=$BUILD/drivers:$BUILD/test/xensim" \
		"PATH=$RUN/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
		timeout "$((4 * LIMIT))" "$@"
}

# doc_text NAME: the guide's block.
doc_text()
{
	cat "$RUN/docs/$1"
}

# doc_block NAME HOST...: run the guide's block there, as it is written.
doc_block()
{
	local n
	for n in "${@:2}"; do
		# shellcheck disable=SC2016 # for another shell
		host "$n" bash -euc '. "$0"; set -x; . "$1"' "$RUN/settings$n" \
			"$RUN/docs/$1" >>"$RUN/blocks.log" 2>&1 9>&- ||
			die "a command of the guide failed, in the block $1 on host $n"
	done
}

# doc_stays NAME HOST: the same, of a block that stays.
doc_stays()
{
	in_background "$1$2" nsenter --target "${PIDS[host$2]}" --mount --net --uts -- \
		env "XENSIM_DIR=$RUN/machine$2" "$BUILD/test/xensim/xensim" exec 0 -- \
		bash "$RUN/docs/$1"
}

# recipe: all of the guide that comes before the guests.
recipe()
{
	local n
	# The packages' services are there already.
	host 1 "$OVN" start_northd
	doc_block ovn-switch 1 2
	doc_block ovn-underlay 1 2
	# One end of a net_memif sends by as many queues as the other one has to receive.
	for n in 1 2; do
		host "$n" ovs-vsctl set Interface nic0 options:n_rxq=2
	done
	doc_block ovn-central 1
	doc_block ovn-chassis 1 2
	doc_block ovn-network 1
	doc_block ovn-dhcp 1
	for n in 1 2; do
		wait_for "$LIMIT" host "$n" ovs-vsctl br-exists br-int ||
			die "host $n has no br-int"
		doc_stays ovn-watch "$n"
	done
}

# boots DOMID HOST N: the guest webN, as this domain of that host; with packets to be segmented.
boots()
{
	export XENSIM_DIR=$RUN/machine$2
	domain_add "$1"
	vif_add "$1" 0 mac="$(mac_of "$3" 0)" vifname="web$3" bridge=br-int mtu=$MTU \
		script=/etc/xen/scripts/vif-xenvif
	guest_start "$1" "$MTU" 1 --gso
	wait_for "$LIMIT" guest_has_eth0 "guest$1" || die "guest$1 has no eth0"
	ip -n "guest$1" addr add "10.99.0.$3/24" dev eth0
}

# passes FROM ADDRESS [PING-ARGUMENT...]: one ping does.
passes()
{
	guest "$1" ping -n -c 1 -W 2 "${@:3}" "$2" >"$RUN/passes.log" 2>&1
}

# tunnel N rx|tx: packets that host N has had from, or given to, its tunnels.
tunnel()
{
	host "$1" ovs-vsctl --bare --columns=statistics find Interface type=geneve |
		grep -o "$2_packets=[0-9]*" | cut -d = -f 2
}

# Full packets go, and nothing is lost on the way.
ping_across()
{
	ping_guest 1 2 100 && ping_answered 2 10.99.0.1 20 -M "do" -s "$((MTU - 28))"
}

# has_tunneled N BEFORE: host N has had twenty packets more by its tunnel. Open vSwitch writes its
# statistics every few seconds.
has_tunneled()
{
	[ "$(tunnel "$1" rx)" -ge "$(($2 + 20))" ]
}

# What the guests send comes by the tunnels, and on the cable is geneve with OVN's number of the
# network, as a mirror of the underlay shows.
encapsulated()
{
	local n before=()
	for n in 1 2; do
		before[n]=$(tunnel "$n" rx)
	done
	mirror_start || return 1
	wait_for "$LIMIT" on_cable || return 1
	mirror_stop || return 1
	for n in 1 2; do
		wait_for "$LIMIT" has_tunneled "$n" "${before[n]}" || return 1
		info "host $n: $(($(tunnel "$n" rx) - before[n])) packets by its tunnel"
	done
}

# Flows that are there already would not know of the mirror, nor of its end.
mirror_start()
{
	host 1 ovs-vsctl -- add-port br-phy mon -- set Interface mon type=internal \
		-- --id=@out get Port mon -- --id=@nic get Port nic0 \
		-- --id=@m create Mirror name=cable select-src-port=@nic select-dst-port=@nic \
		output-port=@out -- set Bridge br-phy mirrors=@m >/dev/null &&
		host 1 ip link set mon up && host 1 ovs-appctl revalidator/purge || return 1
	in_background cable nsenter --target "${PIDS[host1]}" --net -- tcpdump -l -n -i mon udp
}

mirror_stop()
{
	stop_process "${PIDS[cable]}"
	host 1 ovs-vsctl clear Bridge br-phy mirrors -- del-port br-phy mon &&
		host 1 ovs-appctl revalidator/purge
}

# Port 6081 is geneve's.
on_cable()
{
	ping_answered 1 10.99.0.2 20 -s 777 &&
		grep -A1 'IP 192\.0\.2\.1\.[0-9]* > 192\.0\.2\.2\.6081: Geneve.* vni 0x' \
			"$RUN/cable.log" | grep -q '10\.99\.0\.1 > 10\.99\.0\.2: ICMP.* length 785'
}

# tcp FROM TO: to guest TO and back, at the same time.
tcp()
{
	echo_start "$2"
	echo_data "$1" "10.99.0.$2" --bytes 5000000 || return 1
	stop_process "${PIDS[server]}"
}

# The guest has handed over packets to be segmented, and its port, the second of the switch, has
# cut them.
segments_cut()
{
	local cut
	tcp_load 1 2 2 || return 1
	cut=$(host 1 "$SMOKE/stats.py" rte rings 1 rx gso_cut) || return 1
	info "$(load_result 1); $cut packets cut on host 1"
	[ "$cut" -ge 100 ]
}

# pings_come: guest 2 has seen so many so far, answered or not.
pings_come()
{
	guest 2 nstat -asz IcmpInEchos | awk '/InEchos/ { print $2 }'
}

# What is not from the port's own addresses is dropped; what comes after it passes.
forged_dropped()
{
	local before
	before=$(pings_come)
	ip -n guest1 addr add 10.99.0.77/24 dev eth0
	! passes 1 10.99.0.2 -I 10.99.0.77 || return 1
	ip -n guest1 addr del 10.99.0.77/24 dev eth0
	ip -n guest1 link set eth0 address "$(mac_of 7 7)"
	! passes 1 10.99.0.2 || return 1
	ip -n guest1 link set eth0 address "$(mac_of 1 0)"
	[ "$(pings_come)" -eq "$before" ] && ping_guest 1 2 20 &&
		[ "$(pings_come)" -ge "$((before + 20))" ]
}

is_cut_off()
{
	! passes "$@"
}

# A rule forbids pings, and nothing else. Open vSwitch goes through what it has cached of its flows
# some time after they have changed.
rule_heeded()
{
	local before
	doc_block ovn-acl 1
	wait_for "$LIMIT" is_cut_off 1 10.99.0.2 || return 1
	before=$(pings_come)
	! passes 1 10.99.0.2 && tcp 1 2 && [ "$(pings_come)" -eq "$before" ] || return 1
	doc_block ovn-acl-del 1
	wait_for "$LIMIT" passes 1 10.99.0.2 && ping_guest 1 2 20
}

# DHCP's answer is of the host's controller.
mtu_told()
{
	[ "$(guest 1 "$SMOKE/dhcp.py" eth0)" = "10.99.0.1 $MTU" ]
}

controller_restarts()
{
	local pid
	pid=$(cat "$RUN/host1/run/ovn/ovn-controller.pid")
	pings_start 1 2
	doc_block ovn-restart 1
	# It has written its flows anew, which takes as long as the guide has it wait.
	host 1 ovn-nbctl --timeout="$LIMIT" --wait=hv sync || return 1
	[ "$(cat "$RUN/host1/run/ovn/ovn-controller.pid")" != "$pid" ] || return 1
	pings_end
}

# The guest of host 2 ends there, and starts on host 1.
guest_moves()
{
	export XENSIM_DIR=$RUN/machine2
	guest_end 2
	xensim domain-destroy 2
	boots 4 1 2
	wait_for "$LIMIT" passes 1 10.99.0.2 && ping_guest 1 2 20
}

main()
{
	local n
	if ovs_missing ovn; then
		return
	fi
	if [ ! -x "$OVN" ] || ! command -v ovn-northd >/dev/null ||
		! command -v ovn-controller >/dev/null; then
		echo "skip ovn - ovn-central or ovn-host is not installed"
		return
	fi
	software_prepare
	host_start 1
	host_start 2
	recipe
	boots 1 1 1
	boots 2 2 2
	check reach "no ping passes" wait_for "$((2 * LIMIT))" passes 1 10.99.0.2
	doc_block ovn-show 1
	doc_block ovn-look 1 2
	check ping "pings were lost" ping_across
	check geneve "not in the tunnel" encapsulated
	check tcp "see above" tcp 1 2
	check tcp-back "see above" tcp 2 1
	check segments "not cut, or TCP does not pass" segments_cut
	check dhcp "no answer, or not the right one" mtu_told
	check forged "passed, or nothing passes after it" forged_dropped
	check rule "not heeded, or not as it should be" rule_heeded
	check controller "pings were lost" controller_restarts
	check moves "the guest is not found where it is" guest_moves
	for n in 1 2; do
		check "no-errors-$n" "see above" ovs_no_errors "host$n-vswitchd"
	done
	verdict
}

private_main main "$@"
