#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# ctl.sh XENVSWITCHCTL FAKE-SWITCH COMPLETION: what xenvswitchctl prints of a switch that is none,
# how it ends, and what bash completes.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../../scripts/lib.sh"

ctl=$(realpath "$1")
switch=$(realpath "$2")
completion=$(realpath "$3")

# expect STATUS ARG...: run the program; its output is in $out, both streams of it.
expect()
{
	local wanted=$1 status=0
	shift
	out=$("$ctl" "$@" 2>&1) || status=$?
	[ "$status" -eq "$wanted" ] || die "'$*' ended with $status, not $wanted: $out"
}

# has REGEX: $out has such a line.
has()
{
	grep -qE -e "$1" <<<"$out" || die "no line '$1' in: $out"
}

# lines N
lines()
{
	[ "$(wc -l <<<"$out")" -eq "$1" ] || die "not $1 lines: $out"
}

# Names that the completion offers behind the words.
complete_words()
{
	COMP_WORDS=(xenvswitchctl "$@")
	COMP_CWORD=$#
	_xenvswitchctl
	echo "${COMPREPLY[*]}"
}

# completes WANTED WORD...
completes()
{
	local wanted=$1 got
	shift
	got=$(complete_words "$@")
	[ "$got" = "$wanted" ] || die "completed '$*' to '$got', not '$wanted'"
}

check_tables()
{
	expect 0 show ports
	lines 4
	has '^PORT    NO  KIND    BRIDGE  LINK  VLAN  TRUNKS        LOCK  ISOLATED  MAC '
	has '^vif3\.0   2  guest   lan     up       -  5,10-11,4094  ip    no        00:16:3e:'
	has ' 5  dev_tap0$'
	expect 0 show macs --port tap0
	has '^02:00:00:00:00:02  wan        2  tap0  learned +2$'
	expect 0 show macs --bridge lan --port tap0
	lines 1
	expect 0 show bridges
	has '^lan     mac   no        300      0     2  uplink,vif3\.0$'
	expect 0 show lcores
	has '^    3    1000    10      5000    25  uplink\.1,vif3\.0\.0$'
	expect 0 show stats
	has '^tap0 +0 +0 +0 +0 +0 +9$'
	expect 0 show drops
	lines 4
	has '^vif3\.0  source_ip        7  In: from another IP address than'
	expect 0 show drops --all --port tap0
	lines 19
	expect 0 --version
	has '^xenvswitchctl [0-9.]+$'
	expect 0 version
	has '^dpdk-xenvswitch [0-9.]+, with DPDK '
}

check_changes()
{
	expect 0 show errors
	lines 2
	has "^-         7      1  bridge 'nosuch': there is none\$"
	expect 0 move uplink.1 1
	[ -z "$out" ] || die "move says: $out"
	expect 0 --json move vif3.0.0 3
	[ "$out" = "{}" ] || die "move says: $out"
	expect 1 move vif3.0 3
	has "^xenvswitchctl: move: argument 'port' is '\"vif3\"'; allowed: the name of a port\$"
	expect 1 move vif3.0.1 3
	has "^xenvswitchctl: move: port 'vif3.0' has no queue 1; allowed: 0 to 0\$"
	expect 1 move vif3.0.32 3
	has "^xenvswitchctl: move: argument 'queue' is '32'; allowed: the number of a queue"
	expect 1 move vif3.0.0 2
	has "^xenvswitchctl: move: argument 'lcore' is '2'; allowed: the number of an lcore of"
	expect 0 rebalance --dry-run
	lines 3
	has '^uplink      1     3   1    39$'
	has '^to be moved: the loads of lcores are 90 % apart, and 10 % are expected$'
	expect 0 rebalance
	has '^moved: the loads of lcores are 90 % apart, and 10 % are expected$'
	expect 0 --json rebalance --dry-run
	has '^  "done": false$'
	check_rates
	check_ports
}

check_ports()
{
	expect 0 add port nic1 bridge=lan devargs=net_tap1,iface=up0
	[ -z "$out" ] || die "add port says: $out"
	expect 0 --json add port nic1 "bridge = lan"
	[ "$out" = "{}" ] || die "add port says: $out"
	expect 0 remove port nic1
	[ -z "$out" ] || die "remove port says: $out"
	expect 1 add port nic1 mtu={1..33}
	has "^xenvswitchctl: add port: argument 'keys' is .*; allowed: a list of at most 32 texts"
	expect 2 add port nic1 $'mtu=\xff'
	[[ $out == *"; allowed: printable ASCII" ]] || die "add port says: $out"
}

check_rates()
{
	expect 0 set rate vif3.0 10Mb/s
	[ -z "$out" ] || die "set rate says: $out"
	expect 0 --json set rate vif3.0 10Mb/s@20ms
	has '"rate": "25000,20000"$'
	expect 0 --json set rate vif3.0 off
	has '"rate": null$'
	expect 1 set rate uplink 10Mb/s
	has "^xenvswitchctl: set rate: port 'uplink' is no guest's: it has no rate\$"
	expect 1 set rate nobody 10Mb/s
	has "^xenvswitchctl: set rate: argument 'port' is '\"nobody\"'"
	expect 1 set rate vif3.0 10
	has "^xenvswitchctl: set rate: rate '10'; allowed: off, or RATE or RATE@INTERVAL, with "
}

# What the switch is asked for, with a file that it has no packets for.
check_captures()
{
	local file=$dir/file
	expect 0 show captures
	lines 1
	expect 1 capture "$dir/none/file"
	has "^xenvswitchctl: capture: $dir/none/file: No such file or directory\$"
	expect 1 capture "$file" --port nobody
	has "^xenvswitchctl: capture: argument 'port' is '\"nobody\"'; allowed: the name of a"
	[ ! -e "$file" ] || die "a file is left of a capture that was refused"
	echo kept >"$file"
	expect 1 capture "$file" --direction up
	has "^xenvswitchctl: capture: argument 'direction' is '\"up\"'; allowed: rx, tx or both\$"
	[ "$(cat "$file")" = kept ] || die "a capture that was refused empties the file"
	expect 2 capture - --json
	has "^xenvswitchctl: FILE '-' with --json; allowed: one of them\$"
	! "$ctl" capture - --port nobody >/dev/null 2>&1 || die "captures at nobody"
	"$ctl" capture "$file" --port vif3.0 --direction tx 2>"$dir/capture.log" &
	local pid=$!
	wait_for 10 grep -q '^capturing; end with Ctrl-C$' "$dir/capture.log"
	expect 0 show captures
	has '^vif3\.0  tx             -        -   262144       12     3$'
	kill -TERM "$pid"
	wait "$pid" || die "capture ended with $?: $(cat "$dir/capture.log")"
	grep -qx '12 packets captured, 3 lost' "$dir/capture.log" || die "$(cat "$dir/capture.log")"
}

check_mirrors()
{
	expect 0 mirror vif3.0 --to tap0 --direction rx
	[ -z "$out" ] || die "mirror says: $out"
	expect 0 show mirrors
	has '^PORT    TO    DIRECTION  PACKETS  LOST$'
	has '^vif3\.0  tap0  rx             105     1$'
	expect 0 --json show mirrors
	has '^      "to": "tap0",$'
	expect 0 --json mirror vif3.0 --off
	[ "$out" = "{}" ] || die "mirror says: $out"
	expect 1 mirror vif3.0 --off
	has "^xenvswitchctl: mirror: port 'vif3.0' is not mirrored\$"
	expect 1 mirror vif3.0 --to vif3.0
	has "^xenvswitchctl: mirror: 'to' is 'vif3.0'; allowed: another port than it\$"
}

check_many()
{
	expect 0 show macs
	lines "$((macs + 1))"
	expect 0 --json show macs
	python3 -c 'import json, sys
result = json.load(sys.stdin)
assert list(result) == ["macs"] and len(result["macs"]) == int(sys.argv[1])' "$macs" <<<"$out"
}

check_top()
{
	expect 0 top --count 2 --interval 1
	lines 8
	has '^PORT    RX-PACKETS/S  RX-BYTES/S  TX-PACKETS/S  TX-BYTES/S  DROPS/S$'
	has '^vif3\.0 +[1-9][0-9]+ +0 +0 +0 +0$'
	expect 0 top --count 1 --json
	python3 -c 'import json, sys
assert [row["name"] for row in json.load(sys.stdin)["rates"]] == ["uplink", "vif3.0", "tap0"]' \
		<<<"$out"
}

check_errors()
{
	expect 1 reload
	has "^xenvswitchctl: reload: /etc/x.conf:7: age 'never'; allowed: 10 to 86400\$"
	expect 1 show macs --port nobody
	has "^xenvswitchctl: show macs: argument 'port' is '\"nobody\"'"
	expect 2 version --nothing
	has "^xenvswitchctl: '--nothing': is no option; see --help\$"
	expect 2 version --json=yes
	has "^xenvswitchctl: '--json=yes': takes no value; see --help\$"
	expect 2 version --port
	has "^xenvswitchctl: '--port': a value has to follow; see --help\$"
	expect 2 show macs now
	has "^xenvswitchctl: 'show macs' has 1 word behind it; allowed: none\$"
	expect 2 move tap0.0
	has "^xenvswitchctl: 'move' has 1 word behind it; allowed: PORT.QUEUE LCORE\$"
	expect 2 rebalance now again
	has "^xenvswitchctl: 'rebalance' has 2 words behind it; allowed: none\$"
	for words in "" show "show port" "version now" "show ports --all" "reload --port tap0" \
		"top --interval 0" "top --interval 3601" "top --count x" "top --count" \
		"show ports --nothing" "show drops --bridge lan" move "move tap0.0" "move tap0 1" \
		"move tap0.x 1" "move tap0. 1" "move tap0.0 x" "move tap0.0 1 2" "rebalance now" \
		set "set rate" "set rate tap0" "set rate tap0 1 2" "set mtu tap0 9000" \
		"rebalance --all" "doctor --dry-run" "doctor now" add "add port" "add port nic1" \
		"add nic1 mtu=1" "remove port" "remove port nic1 nic2" capture "capture a b" \
		"capture a --count 0" "capture a --seconds 86401" "capture a --snaplen 13" \
		"capture a --to tap0" mirror "mirror tap0" "mirror tap0 --to" \
		"mirror tap0 --to uplink --off" "mirror tap0 --off --direction rx" \
		"mirror tap0 --count 1" "capture - --json" $'show macs --port \xff' \
		$'show macs --bridge \xff' $'capture a --port \xff' $'remove port \xff' \
		$'mirror \xff --to tap0' $'mirror tap0 --to \xff' $'set rate \xff off' \
		$'move \xff.0 1' $'add port \xff mtu=1'; do
		# shellcheck disable=SC2086 # words
		expect 2 $words
		lines 1
		# shellcheck disable=SC2086 # words
		expect 2 $words --socket "$dir/none"
	done
	expect 0 --help
	has '^Usage: xenvswitchctl '
	expect 3 --socket "$dir/none" version
	has 'No such file or directory; is dpdk-xenvswitch running\?$'
	expect 3 --socket "$completion" version
	expect 3 --socket "$(printf '%0200d' 0)" version
	! "$ctl" show ports >/dev/full 2>/dev/null || die "wrote to /dev/full"
}

check_reset()
{
	expect 0 reset
	[ -z "$out" ] || die "reset says: $out"
	expect 0 show drops
	lines 1
	expect 0 --json reset
	[ "$out" = "{}" ] || die "reset says: $out"
}

check_completion()
{
	# shellcheck disable=SC1090 # an argument
	. "$completion"
	mkdir "$dir/bin"
	ln -s "$ctl" "$dir/bin/xenvswitchctl"
	PATH=$dir/bin:$PATH
	completes "show set" s
	completes "show top add remove move rebalance set capture mirror \
doctor reload reset version" ""
	completes "mirrors" show mi
	completes "--port" capture file --p
	completes "rx tx both" capture file --direction ""
	completes "vif3.0" capture file --port v
	completes "uplink vif3.0 tap0" mirror ""
	completes "--to" mirror tap0 --t
	completes "--off" mirror tap0 --o
	completes "uplink" mirror tap0 --to u
	completes "port" add ""
	completes "port" remove ""
	completes "uplink tap0" remove port ""
	completes "" remove port tap0 ""
	completes "" add port ""
	completes "kind= bridge= devargs= vlan= trunks= isolated= queues= mtu= macs=" \
		add port nic1 ""
	completes "queues=" add port nic1 mtu = 9000 q
	completes "lan wan" add port nic1 bridge =
	completes "wan" add port nic1 bridge = w
	completes "uplink tap" add port nic1 kind =
	completes "yes" add port nic1 isolated = y
	completes "" add port nic1 mtu =
	completes "rate" set ""
	completes "uplink vif3.0 tap0" set rate ""
	completes "off" set rate vif3.0 o
	completes "uplink.0 tap0.0 uplink.1 vif3.0.0" move ""
	completes "1 3" move uplink.0 ""
	completes "--dry-run" rebalance --d
	completes "--config" doctor --c
	completes "macs" show ma
	completes "--socket --json --help --version" --
	completes "--port" show macs --p
	completes "--all" show drops --a
	completes "--interval" top --i
	completes "vif3.0" show macs --port v
	completes "lan wan" show macs --bridge ""
	unset XENVSWITCH_SOCKET
	completes "" show macs --port ""
	completes "tap0" --socket "$dir/sock" show macs --port t
}

dir=$(mktemp -d)
on_exit rm -rf "$dir"
macs=80000
"$switch" "$dir/sock" "$macs" &
on_exit stop_process $!
wait_for 10 test -S "$dir/sock"
export XENVSWITCH_SOCKET=$dir/sock
wait_for 10 "$ctl" version >/dev/null 2>&1
check_tables
check_changes
check_captures
check_mirrors
check_many
check_top
check_errors
check_reset
check_completion
