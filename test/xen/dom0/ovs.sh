# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
# shellcheck shell=bash disable=SC2154 # RIG, LOGS, scenario: lib.sh
#
# OVS-DPDK in dom0.

OVS_PID=/run/openvswitch/vswitchd.pid
OVS_CTL=/run/openvswitch/vswitchd.ctl
OVS_DPDK=/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk

# ovs_start BRIDGE [KEY=VALUE...]: its database and a bridge of DPDK, with these in other_config. A
# port that nothing comes from has it make its packet pool: that may take longer here than libxl
# waits for a port.
ovs_start()
{
	local bridge=$1 extra="--no-pci -d librte_net_xenvif.so --file-prefix=ovs"

	shift
	mkdir -p /run/openvswitch /etc/openvswitch
	rm -f /etc/openvswitch/conf.db
	ovsdb-tool create /etc/openvswitch/conf.db /usr/share/openvswitch/vswitch.ovsschema
	ovsdb-server --remote=punix:/run/openvswitch/db.sock --pidfile --detach \
		--log-file="$LOGS/$scenario-ovsdb.log" /etc/openvswitch/conf.db
	ovs-vsctl --no-wait init
	hugepages_up || extra="--no-huge --legacy-mem -m 96 $extra"
	ovs-vsctl --no-wait set Open_vSwitch . "${@/#/other_config:}" other_config:dpdk-init=true \
		other_config:pmd-cpu-mask=0x2 other_config:dpdk-lcore-mask=0x1 \
		other_config:pmd-maxsleep=500 "other_config:dpdk-extra=$extra"
	timeout --foreground $COMMAND_LIMIT "$OVS_DPDK" --pidfile="$OVS_PID" \
		--unixctl="$OVS_CTL" --detach --log-file="$LOGS/$scenario-vswitchd.log"
	ovs-vsctl --timeout=60 add-br "$bridge" -- set bridge "$bridge" datapath_type=netdev
	ovs-vsctl --timeout=120 add-port "$bridge" pool -- set Interface pool type=dpdk \
		options:dpdk-devargs=net_null_pool,no-rx=1
}

# watch_start [ARG...]: vif-xenvif watch, with these arguments.
watch_start()
{
	/etc/xen/scripts/vif-xenvif watch "$@" > "$LOGS/$scenario-watch.log" 2>&1 &
	echo $! > "$RIG/ovs-watch.pid"
}

watch_ended()
{
	[ ! -e "/proc/$1/cwd" ] && ! pgrep -x xenstore-watch
}

ovs_stop()
{
	local pid

	[ -e /run/openvswitch/ovsdb-server.pid ] || return 0
	if [ -e "$RIG/ovs-watch.pid" ]; then
		pid=$(cat "$RIG/ovs-watch.pid")
		kill "$pid" 2>/dev/null || true
		await 30 "vif-xenvif watch and its child to end" watch_ended "$pid"
		rm -f "$RIG/ovs-watch.pid"
	fi
	pid=$(cat "$OVS_PID" 2>/dev/null || true)
	if [ -n "$pid" ]; then
		ovs-appctl --timeout=30 -t "$OVS_CTL" exit --cleanup || true
		await 60 "ovs-vswitchd to end" test ! -d "/proc/$pid"
	fi
	ovs-appctl --timeout=30 -t ovsdb-server exit || true
	await 30 "ovsdb-server to end" test ! -e /run/openvswitch/ovsdb-server.pid
}
