#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# vif-xenvif: ports of Open vSwitch follow the vifs in xenstore, whatever guests, administrators,
# Open vSwitch and xenstored do meanwhile.
# Limit: 1200
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"
. "$SMOKE/ovs-lib.sh"

SCRIPT=$TREE/scripts/vif-xenvif
BACKENDS=/local/domain/0/backend/vif

# An ovs-vsctl before the real one: it notes each call with the time, and hangs when its arguments
# match what is in $RUN/hang.
vsctl_stand_in()
{
	mkdir -p "$RUN/bin"
	cat >"$RUN/bin/ovs-vsctl" <<-END
		#!/bin/bash
		read -r now _ </proc/uptime
		printf '%s %s\n' "\$now" "\$*" >>$RUN/calls.log
		! grep -qsf $RUN/hang <<<"\$*" || sleep 1000
		exec $(command -v ovs-vsctl) "\$@"
	END
	chmod +x "$RUN/bin/ovs-vsctl"
	: >"$RUN/calls.log"
}

# script COMMAND DOMID/DEVID: as xl calls it.
script()
{
	in_domain 0 env "PATH=$RUN/bin:$PATH" "XENBUS_PATH=backend/vif/$2" XENBUS_TYPE=vif \
		"$SCRIPT" "$1" type_if=vif 2>>"$RUN/script.log"
}

# vif DOMID DEVID [KEY=VALUE...]: its keys, and no more.
vif()
{
	vif_add "$1" "$2" hotplug=none bridge=br0 "${@:3}"
}

# key DOMID/DEVID KEY [VALUE]: reads a key of a backend as it is, or writes it.
key()
{
	if [ $# -gt 2 ]; then
		in_domain 0 xenstore-write -R -- "$BACKENDS/$1/$2" "$3"
	else
		in_domain 0 xenstore-read -R "$BACKENDS/$1/$2" 2>/dev/null
	fi
}

key_is()
{
	[ "$(key "$1" "$2")" = "$3" ]
}

# key_becomes DOMID/DEVID KEY VALUE
key_becomes()
{
	wait_for "$LIMIT" key_is "$@"
}

# gone DOMID/DEVID: the backend's directory does not exist.
gone()
{
	! in_domain 0 xenstore-exists "$BACKENDS/$1"
}

has_port()
{
	! no_port "$1"
}

# watchers_are N: so many processes watch xenstore.
watchers_are()
{
	[ "$(pgrep -c -x xenstore-watch)" = "$1" ]
}

# port_serves PORT DOMID DEVID [,ARG...]: it is there, and Open vSwitch has opened it.
port_serves()
{
	[ "$(ovs_column "$1" options:dpdk-devargs)" = "net_xenvif$2_$3,domid=$2,devid=$3${4:-}" ] &&
		[[ $(ovs_column "$1" ofport) =~ ^[0-9]+$ ]]
}

# gets_port PORT DOMID DEVID [,ARG...]
gets_port()
{
	wait_for "$LIMIT" port_serves "$@"
}

loses_port()
{
	wait_for "$LIMIT" no_port "$1"
}

# adds PORT: the times of the calls that were to add it.
adds()
{
	grep -F -- "-- add-port br0 $1 " "$RUN/calls.log" | cut -d ' ' -f 1
}

added_times()
{
	[ "$(adds "$1" | wc -l)" -ge "$2" ]
}

says()
{
	grep -qF -- "$1" "$RUN/watch.log"
}

will_say()
{
	wait_for "$LIMIT" says "$1"
}

# flood DOMID/DEVID KEY VALUE...: writes the key over and over, thousands of times a second.
flood()
{
	local pairs=() i

	for i in {1..100}; do
		pairs+=("$BACKENDS/$1/$2" "${@:3 + i % ($# - 2):1}")
	done
	for i in 1 2; do
		in_background "flood$i" "$BUILD/test/xensim/xensim" exec 0 -- bash -c \
			'while xenstore-write "$@"; do :; done' flood "${pairs[@]}"
	done
}

flood_end()
{
	local i

	for i in 1 2; do
		! process_ended "${PIDS[flood$i]}" || return 1
		stop_process "${PIDS[flood$i]}"
	done
}

# One guest that toggles its state for ever, and another that comes meanwhile.
test_flood()
{
	vif 1 0
	gets_port vif1.0 1 0 || return 1
	flood 1/0 state 4 5
	vif 2 0
	gets_port vif2.0 2 0 && [ -z "$(ovs_column vif2.0 external_ids:iface-id)" ] && flood_end
}

# The pauses between the tries for a port, given as the times of these, never get shorter; and are
# 1 s, 2 s, 4 s at least. The second one alone may follow at once: the vif's directory has come into
# being, event by event, and what is told of the directory itself has it tried anew.
pauses_grow()
{
	awk -v least=0.9 'NR > 1 && !(NR == 2 && $1 - last < least) {
			if ($1 - last < least) exit 1; least *= 2 }
		{ last = $1 }'
}

# Somebody else has a port of that name: it cannot be added, and is not ours to change.
test_failing()
{
	local strange="x]\$(touch $RUN/was-here)"

	vsctl --no-wait add-port br0 vif1.1 -- set Interface vif1.1 type=internal
	vsctl --no-wait add-port br0 taken -- set Interface taken type=internal
	vsctl --no-wait add-port br0 "$strange" -- set Interface "$strange" type=internal \
		external_ids:xenbus-path=backend/vif/9/9
	began=$SECONDS
	vif 2 9 vifname=taken
	vif 1 1
	wait_for "$LIMIT" added_times vif1.1 2 || return 1
	flood 1/1 online 1
	wait_for "$LIMIT" added_times vif1.1 4 || return 1
	flood_end || return 1
	adds vif1.1 | pauses_grow && [ ! -e "$RUN/was-here" ] || return 1
	[ "$(ovs_column vif1.1 type)" = internal ]
}

test_says_once()
{
	[ "$(grep 'vif 1/1: ' "$RUN/watch.log" | grep -vc 'lines more since')" = 1 ] &&
		says "vif1.1 already exists" && key_is 1/1 hotplug-status error &&
		[[ $(key 1/1 hotplug-error) == *vif1.1* ]]
}

# As long as it fails, one line a minute says so, and how often it was.
test_counts()
{
	wait_for "$((2 * LIMIT))" grep -q 'vif 2/9: .*(and [0-9]* lines more' "$RUN/watch.log" &&
		[ "$(grep -c 'vif 2/9: ' "$RUN/watch.log")" -le $((1 + (SECONDS - began) / 60)) ]
}

# What matters has changed: it is tried at once, and what was wrong is taken back.
test_mended()
{
	key 1/1 vifname mended
	gets_port mended 1 1 && key_becomes 1/1 hotplug-error "" &&
		key_becomes 1/1 hotplug-status ""
}

# The vif goes, the port of somebody else stays.
test_foreign_port()
{
	key 1/1 vifname vif1.1
	loses_port mended
	xensim vif-destroy 1 1
	script offline 1/1
	vif 1 2
	gets_port vif1.2 1 2
	[ "$(ovs_column vif1.1 type)" = internal ]
}

HOSTILE=(
	vifname=-evil vifname=--db=tcp:10.0.0.1 'vifname=a b' vifname=a=b "vifname=a'b"
	'vifname=a"b' vifname=. 'vifname=a\x0ab' vifname=a/b vifname=a234567890123456
	'vifname=$(reboot)' 'vifname=*' 'vifname=[x]' 'vifname=a,b' $'vifname=caf\xc3\xa9'
	$'vifname=\e[2J\nvif-xenvif: all is well\n' bridge=-evil 'bridge=br0 -- del-br br0'
	bridge=br0:1=2 bridge=br0:4096 bridge=br0: bridge=br0:1:x bridge=br0.4096 bridge=br0.1:a
	'bridge=br0 ' "bridge=br'0" $'bridge=br0\nbr0' bridge=br0:99999999999999999999
)

# refused DOMID/DEVID KEY: the vif has a clear reason, in which nothing is as somebody wrote it.
refused()
{
	local error

	key_becomes "$1" hotplug-status error || return 1
	error=$(key "$1" hotplug-error)
	[[ $error == "vif-xenvif: $2='"*"': has to be "* && $error != *[![:print:]]* ]] || return 1
	! script online "$1" || return 1
	script offline "$1"
}

# A port that an administrator made for the vif is as good, whatever its name.
test_by_hand()
{
	vsctl --no-wait add-port br0 hand -- set Interface hand type=dpdk \
		options:dpdk-devargs=net_xenvif_hand,devid=7,domid=2
	vif 2 7
	vif 2 8
	gets_port vif2.8 2 8 || return 1
	script online 2/7 && key_is 2/7 hotplug-status connected || return 1
	script offline 2/7 && xensim vif-destroy 2 7 || return 1
	xensim vif-destroy 2 8
	loses_port vif2.8 && no_port vif2.7 && has_port hand
}

# Its bridge is not one of Open vSwitch: no port, no error; and one as soon as it is.
test_no_bridge()
{
	vif 2 12 bridge=br7
	vif 2 13
	gets_port vif2.13 2 13 && no_port vif2.12 && key_is 2/12 hotplug-status "" || return 1
	vsctl add-br br7 -- set bridge br7 datapath_type=netdev
	gets_port vif2.12 2 12 || return 1
	key 2/12 bridge none
	loses_port vif2.12 && vsctl del-br br7 && xensim vif-destroy 2 12
}

# What is no name of an interface or a bridge does not become an argument of ovs-vsctl.
test_hostile_values()
{
	local mark i harmless

	# One that only looks for what may be a bridge, or is about another vif.
	harmless=' (--columns=[a-z_,]* list Interface'
	harmless+=' -- --if-exists get Open_vSwitch \. other_config:userspace-tso-enable'
	harmless+='|br-exists br0|br-exists br0\.4096)$'
	harmless+='| add-port br0 taken '
	mark=$(wc -l <"$RUN/calls.log")
	for i in "${!HOSTILE[@]}"; do
		vif 4 "$i" "${HOSTILE[i]}"
	done
	for i in "${!HOSTILE[@]}"; do
		refused "4/$i" "${HOSTILE[i]%%=*}" || { info "${HOSTILE[i]@Q}"; return 1; }
	done
	! tail -n "+$((mark + 1))" "$RUN/calls.log" | grep -vE "$harmless" >&2 || return 1
	for i in "${!HOSTILE[@]}"; do
		xensim vif-destroy 4 "$i"
	done
}

# The guest is a new domain, and has a name for its vif.
test_new_domid()
{
	vif 1 4 vifname=web0
	gets_port web0 1 4 || return 1
	xensim vif-destroy 1 4
	vif 3 0 vifname=web0
	gets_port web0 3 0 && [ "$(ovs_column web0 external_ids:iface-id)" = web0 ]
}

# While there are two vifs of one name, the first one has the port.
test_same_name()
{
	vif 2 1 vifname=web0
	will_say "vif 2/1: vifname='web0': has to be unique" || return 1
	port_serves web0 3 0 || return 1
	xensim vif-destroy 3 0
	gets_port web0 2 1
}

test_bridges()
{
	vif 2 2 bridge=br0.7:8:9
	gets_port vif2.2 2 2 || return 1
	[ "$(vsctl get Port vif2.2 tag trunks vlan_mode | xargs)" = "7 [8, 9] native-untagged" ] ||
		return 1
	key 2/2 bridge br0
	wait_for "$LIMIT" has_no_tag vif2.2 && gets_port vif2.2 2 2
}

# Open vSwitch takes packets to be segmented, after its next start.
test_tso()
{
	vsctl --no-wait set Open_vSwitch . other_config:userspace-tso-enable=true
	vif 2 14
	gets_port vif2.14 2 14 ,legacy-ol-flags=1 || return 1
	vsctl --no-wait remove Open_vSwitch . other_config userspace-tso-enable
	vif 2 15
	gets_port vif2.15 2 15 && port_serves vif2.14 2 14 ,legacy-ol-flags=1 &&
		xensim vif-destroy 2 14 && xensim vif-destroy 2 15
}

has_no_tag()
{
	[ "$(vsctl get Port "$1" tag)" = "[]" ]
}

# Twelve at once, and one of them alone hangs.
test_many()
{
	local i

	echo "add-port br0 vif3.7 " >"$RUN/hang"
	for i in {1..12}; do
		vif 3 "$i"
	done
	for i in {1..12}; do
		[ "$i" = 7 ] || gets_port "vif3.$i" 3 "$i" || return 1
	done
	will_say "vif 3/7: port vif3.7: ovs-vsctl gave no answer" || return 1
	rm "$RUN/hang"
	gets_port vif3.7 3 7 || return 1
	for i in {1..12}; do
		xensim vif-destroy 3 "$i"
	done
	for i in {1..12}; do
		loses_port "vif3.$i" || return 1
	done
}

# Its port is in the database when ovs-vswitchd comes, whenever that is.
test_vswitchd_restart()
{
	stop_process "${PIDS[vswitchd]}"
	vif 2 3
	wait_for "$LIMIT" has_port vif2.3 || return 1
	vswitchd_start
	gets_port vif2.3 2 3 && gets_port vif1.0 1 0
}

# The database does not answer, and has lost everything when it does.
test_ovsdb_restart()
{
	echo "list Interface" >"$RUN/hang"
	vif 2 4
	will_say "Open vSwitch is away: ovs-vsctl gave no answer" || return 1
	vsctl --no-wait del-port vif2.3
	rm "$RUN/hang"
	will_say "Open vSwitch is back" || return 1
	gets_port vif2.4 2 4 && gets_port vif2.3 2 3
}

test_xenstored_restart()
{
	xensim restart-xenstored
	vif 2 5
	gets_port vif2.5 2 5 || return 1
	watchers_are 1 && has_port vif1.0
}

# Nobody is gone because xenstored is.
test_xenstored_away()
{
	mv /run/xenstored "$RUN/xenstored"
	kill "$(pgrep -x xenstore-watch)"
	will_say "xenstore is away: xenstore-ls: xs_open: "
	mv "$RUN/xenstored" /run/xenstored
	vif 2 6
	gets_port vif2.6 2 6 && has_port vif1.0
}

# What anybody wrote is not printed as it is.
test_log_is_clean()
{
	! LC_ALL=C grep -vE '^vif-xenvif: [[:print:]]*$' "$RUN/watch.log" "$RUN/script.log"
}

test_signals()
{
	local signal

	for signal in TERM HUP; do
		wait_for "$LIMIT" watchers_are 1 || return 1
		kill -s "$signal" "${PIDS[watch]}"
		wait_for "$LIMIT" process_ended "${PIDS[watch]}" || return 1
		! wait "${PIDS[watch]}" || return 1
		wait_for "$LIMIT" watchers_are 0 || return 1
		watch_start
	done
}

test_xl()
{
	! script online 2/10 && gone 2/10 || return 1
	script online 1/0 && key_is 1/0 hotplug-status connected || return 1
	script offline 1/0 && no_port vif1.0
}

# tap COMMAND DOMID/DEVID: as xl calls it for the tap device of an HVM guest's emulated NIC.
tap()
{
	in_domain 0 env "PATH=$RUN/bin:$PATH" "XENBUS_PATH=backend/vif/$2" XENBUS_TYPE=vif \
		"INTERFACE=vif${2/\//.}-emu" vif="vif${2/\//.}" \
		"$SCRIPT" "$1" type_if=tap 2>"$RUN/tap.log"
}

# It is left alone, with a line that says so, and the vif comes up as ever.
test_tap()
{
	local calls
	vif 2 16
	gets_port vif2.16 2 16 || return 1
	calls=$(wc -l <"$RUN/calls.log")
	tap add 2/16 && [ "$(wc -l <"$RUN/tap.log")" = 1 ] || return 1
	grep -q "^vif-xenvif: tap device 'vif2.16-emu' is left alone: EMULATED NICS in " \
		"$RUN/tap.log" || return 1
	[ "$(tail -n "+$((calls + 1))" "$RUN/calls.log" | grep -c -- -emu)" = 0 ] || return 1
	script online 2/16 && key_is 2/16 hotplug-status connected || return 1
	tap remove 2/16 && [ ! -s "$RUN/tap.log" ] && has_port vif2.16 || return 1
	script offline 2/16 && no_port vif2.16 && xensim vif-destroy 2 16
}

# In a driver domain nobody else writes hotplug-status and removes what is detached.
test_hotplug()
{
	stop_process "${PIDS[watch]}"
	watch_start --hotplug
	vif 4 0 bridge=none
	key 4/0 state 2
	key_becomes 4/0 hotplug-status connected || return 1
	flood 4/0 state 4 5
	vif 4 1 bridge=none
	key 4/1 state 2
	key_becomes 4/1 hotplug-status connected && flood_end || return 1
	key 4/1 online 0
	key 4/1 state 6
	wait_for "$LIMIT" gone 4/1
}

main()
{
	local d

	if ovs_missing watch; then
		return
	fi
	machine_start
	ovs_start br0
	vsctl_stand_in
	for d in 1 2 3 4; do
		domain_add "$d"
	done
	watch_start
	check flood "no port while another guest changes its state" test_flood
	check failing "see watch.log and calls.log" test_failing
	check says-once "not one line and the keys" test_says_once
	check mended "no port, or the error stays" test_mended
	check foreign-port "somebody else's port was changed" test_foreign_port
	check by-hand "the vif has another port, or none" test_by_hand
	check no-bridge "a port too many, or none" test_no_bridge
	check hostile-values "see above" test_hostile_values
	check new-domid "the port does not follow" test_new_domid
	check same-name "the second one takes the port, or does not get it" test_same_name
	check bridges "tag or trunks are wrong" test_bridges
	check tso "the option is missing, or there without need" test_tso
	check many "a port is missing, or stays" test_many
	check vswitchd-restart "no port" test_vswitchd_restart
	check ovsdb-restart "no port" test_ovsdb_restart
	check xenstored-restart "no port, or a process too many" test_xenstored_restart
	check xenstored-away "a port is missing" test_xenstored_away
	check counts "not a line a minute" test_counts
	check log-is-clean "see above" test_log_is_clean
	check xl "see script.log" test_xl
	check tap "see tap.log" test_tap
	check signals "a process is left" test_signals
	check hotplug "hotplug-status or the directory is wrong" test_hotplug
	verdict
}

private_main main "$@"
