# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
# shellcheck shell=bash
#
# Open vSwitch as the backend of the simulated machine. Source it after lib.sh.

# Open vSwitch with DPDK, as Debian ships it.
VSWITCHD=/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk
# What it runs under.
VSWITCHD_WRAPPER=()

# ovs_missing NAME: it is not installed, and NAME is skipped for that.
ovs_missing()
{
	[ ! -x "$VSWITCHD" ] || return
	echo "skip $1 - openvswitch-switch-dpdk is not installed"
}

# ovs_start BRIDGE [KEY=VALUE...]: its database and a bridge of DPDK, with these in other_config;
# all of it in this run's folder, where ovs-vsctl finds it.
ovs_start()
{
	local bridge=$1 extra="--no-pci -d librte_net_xenvif.so"
	extra+=" ${OVS_EAL:---no-huge --legacy-mem -m ${OVS_MEMORY:-512}}"
	shift
	export OVS_RUNDIR=$RUN/ovs OVS_LOGDIR=$RUN OVS_DBDIR=$RUN/ovs
	mkdir -p "$OVS_RUNDIR"
	ovsdb-tool create "$OVS_DBDIR/conf.db" /usr/share/openvswitch/vswitch.ovsschema
	in_background ovsdb ovsdb-server "$OVS_DBDIR/conf.db" --remote="punix:$OVS_RUNDIR/db.sock"
	wait_for "$LIMIT" [ -S "$OVS_RUNDIR/db.sock" ] || die "ovsdb-server does not start"
	vsctl --no-wait init
	vsctl --no-wait set Open_vSwitch . "${@/#/other_config:}" other_config:dpdk-init=true \
		other_config:pmd-maxsleep=500 other_config:dpdk-extra="$extra --file-prefix xenvif"
	vswitchd_start
	vsctl add-br "$bridge" -- set bridge "$bridge" datapath_type=netdev || die "no bridge"
}

vswitchd_start()
{
	# Its tap devices have the same names in every switch on this machine.
	in_background vswitchd unshare --net "$BUILD/test/xensim/xensim" exec 0 -- \
		env "LD_LIBRARY_PATH=$BUILD/drivers:$BUILD/test/xensim" \
		"${VSWITCHD_WRAPPER[@]}" "$VSWITCHD" "unix:$OVS_RUNDIR/db.sock"
}

# ovs_port_add BRIDGE DOMID [,ARG...]: the vif as a port; DPDK's arguments are all that Open vSwitch
# has to know.
ovs_port_add()
{
	vsctl add-port "$1" "vif$2.0" -- set Interface "vif$2.0" type=dpdk \
		options:dpdk-devargs="net_xenvif$2,domid=$2,devid=0${3:-}"
}

# ovs_no_errors [NAME]: there are none of those that the database does not tell, in that log.
ovs_no_errors()
{
	[ -r "$RUN/${1:-vswitchd}.log" ] &&
		! grep -E "start error|configure error|setup error|Failed to set interface" \
			"$RUN/${1:-vswitchd}.log" >&2
}

# watch_start [ARG...]: vif-xenvif watch, with these arguments. Programs in $RUN/bin stand in for
# others.
watch_start()
{
	in_background watch "$BUILD/test/xensim/xensim" exec 0 -- \
		env "PATH=$RUN/bin:$PATH" "$TREE/scripts/vif-xenvif" watch "$@"
}

vsctl()
{
	ovs-vsctl --timeout="$LIMIT" "$@"
}

appctl()
{
	ovs-appctl -t "$(echo "$OVS_RUNDIR"/ovs-vswitchd*.ctl)" "$@"
}

# ovs_column PORT COLUMN[:KEY]: what Open vSwitch has there; nothing when there is no such port.
ovs_column()
{
	vsctl --if-exists get Interface "$1" "$2" 2>/dev/null | tr -d '"'
}

no_port()
{
	[ -z "$(ovs_column "$1" name)" ]
}

# tso_switch_start GSO...: a machine with Open vSwitch that takes packets to be segmented; from 1 on
# a guest that does so, too, for each GSO: what its port has for gso.
tso_switch_start()
{
	local d=0 gso
	machine_start
	ovs_start br0 per-port-memory=true userspace-tso-enable=true
	for gso; do
		d=$((d + 1))
		domain_add "$d"
		ovs_port_add br0 "$d" ",legacy-ol-flags=1,gso=$gso"
		vif_add "$d" 0
		guest_start "$d" 1500 1 --gso
	done
	for ((d = 1; d <= $#; d++)); do
		guest_up6 "$d"
	done
}
