# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# What scenarios are made of: verdicts, waits, and the checks before and after. Runs in dom0.

RIG=/run/rig
LOGS=$RIG/logs
VERDICTS=/dev/ttyS1
# In a driver domain the same functions serve, but nobody reads verdicts.
! grep -q rig.mode=driver-domain /proc/cmdline || VERDICTS=/dev/null
scenario=${scenario:-none}
step_name=
export LD_LIBRARY_PATH=/rig/build/drivers PATH=$PATH:/rig/guest
mkdir -p "$RIG/guests" "$RIG/testpmd" "$LOGS"

BACKEND=$(sed -n 's/.*rig\.backend=\([a-z]*\).*/\1/p' /proc/cmdline)

# What scripts share on every machine.
# shellcheck source=scripts/lib.sh
. /rig/scripts/lib.sh
# shellcheck source=test/xen/dom0/guest.sh
. /rig/dom0/guest.sh
# shellcheck source=test/xen/dom0/backend.sh
. /rig/dom0/backend.sh
# shellcheck source=test/xen/dom0/ovs.sh
. /rig/dom0/ovs.sh
# shellcheck source=test/xen/dom0/vswitch.sh
. /rig/dom0/vswitch.sh
# shellcheck source=test/xen/dom0/net.sh
. /rig/dom0/net.sh
# shellcheck source=test/xen/dom0/docs.sh
. /rig/dom0/docs.sh

report()
{
	printf '%s\n' "$*"
	printf '%s\n' "$*" > "$VERDICTS"
}

# Ends the step before as passed and begins the next.
step()
{
	step_done
	step_name=$1
	printf '\n== %s [%s s]\n' "$step_name" "$SECONDS"
	printf '%s\n' "$step_name" > "$RIG/step"
	printf 'step %s %s\n' "$SECONDS" "$step_name" > "$VERDICTS"
}

step_done()
{
	[ -z "$step_name" ] || report "ok $scenario: $step_name"
	step_name=
}

# Has the emulated processor killed a PVH guest (README.md)? The scenario says nothing then about
# what it tests.
processor_failed()
{
	# Read to the end: with pipefail, an xl that cannot write all of it would be a no.
	xl dmesg | grep 'Triple fault' > /dev/null
}

# Ends the scenario: the step under way failed. In a subshell the reason waits for the shell above
# to fail too. The status tells run-scenarios that there is a verdict: bash's own, of a script that
# it cannot read or that has ended by itself, are 1 and 2.
fail()
{
	trap - ERR
	if [ "$BASH_SUBSHELL" -gt 0 ]; then
		printf '%s\n' "$1" > "$RIG/why"
		exit 1
	fi
	[ ! -s "$RIG/why" ] || set -- "$(cat "$RIG/why")"
	if processor_failed; then
		report "again $scenario: ${step_name:-start} - ${1//$'\n'/ }"
		exit 4
	fi
	report "not ok $scenario: ${step_name:-start} - ${1//$'\n'/ }"
	step_name=
	show_state
	exit 3
}

# failed_command LINE FILE: what the ERR trap calls; only the outermost shell speaks.
failed_command()
{
	local text

	[ "$BASH_SUBSHELL" = 0 ] || return 0
	read -r text < <(sed -n "$1p" "$2") || true
	fail "line $1 of ${2##*/}: $text"
}

# Ends a scenario that has not begun yet, without a verdict.
skip()
{
	step_name=
	report "skip $scenario: $1 - $2"
	exit 0
}

show_state()
{
	{
		xl list
		xenstore-ls -f /local/domain/0/backend
		ip addr
		dmesg | tail -n 30
	} 2>&1 | sed 's/^/    /' || true
}

# As that of scripts/lib.sh, without a program. Nothing ever comes through the pipe.
exec {PAUSE_PIPE}<> <(:)
pause()
{
	read -rt "$1" -u "$PAUSE_PIPE" || true
}

# shellcheck disable=SC2034 # for wait_for
WAIT_PAUSE=0.2

# await LIMIT WHAT COMMAND...: wait until COMMAND succeeds; else the step fails and names WHAT.
await()
{
	wait_for "$1" quietly "${@:3}" || fail "waited $1 s for $2"
}

quietly()
{
	"$@" > /dev/null 2>&1
}

# Commands that wait for somebody else, some of them without a limit of their own: the step that
# they hang in fails.
COMMAND_LIMIT=300
xl()
{
	case $1 in
	list|dmesg|domid|info|debug-keys) command xl "$@" || return ;;
	*)
		timeout --foreground -k 10 $COMMAND_LIMIT xl "$@" && return
		[ $? != 124 ] || echo "xl $1: no end within $COMMAND_LIMIT s"
		return 1
		;;
	esac
}

# A shorter limit among the arguments stands.
ovs-vsctl()
{
	command ovs-vsctl --timeout=$COMMAND_LIMIT "$@" || return
}

# expect WHAT WANTED GOT
expect()
{
	[ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"
}

# --- what a scenario must leave as it was ---

# Ports of dom0 that lead to another domain or wait for one.
foreign_ports()
{
	lsevtchn 0 | grep -iE 'interdomain|unbound' | sort || true
}

other_domains()
{
	xl list 2>/dev/null | awk 'NR > 1 && $1 != "Domain-0" { print $1 }'
}

# store_gone PATH: there is nothing in xenstore.
store_gone()
{
	! xenstore-exists "$1"
}

no_other_domains()
{
	[ -z "$(other_domains)" ]
}

ports_as_before()
{
	foreign_ports > "$RIG/ports.now"
	diff "$RIG/ports.before" "$RIG/ports.now"
}

# Grants that somebody has mapped, as dDOMID:GREF, by Xen's own dump of all grant tables. References
# 0 and 1 are the console's and xenstore's pages, which the toolstack maps as long as the domain
# lives; those of disks' rings are known.
grants_mapped()
{
	local mark

	mark=$(xl dmesg | wc -l)
	xl debug-keys g
	await 30 "Xen's dump of the grant tables" dump_ended "$mark"
	xl dmesg | tail -n "+$((mark + 1))" | awk -v disks=" $(cat "$RIG/grants.disks") " '
		/grant-table for remote d/ { sub(/.*remote /, ""); domain = $1 }
		match($0, /\[0x[0-9a-f]+\]/) {
			ref = substr($0, RSTART + 1, RLENGTH - 2)
			if (ref != "0x000" && ref != "0x001" &&
					!index(disks, " " domain ":" ref " "))
				print domain ":" ref
		}' | xargs | cut -c -200
}

# The dump ends with a line that says so.
dump_ended()
{
	xl dmesg | tail -n "+$(($1 + 1))" | grep -q 'gnttab_usage_print_all .*done'
}

remember_state()
{
	foreign_ports > "$RIG/ports.before"
	dmesg --clear
	xl dmesg -c > "$LOGS/xen-before-$scenario.log"
	rm -rf "$RIG"/guests/* "$RIG/dmesg.guests" "$RIG/why"
	: > "$RIG/grants.disks"
}

# What Linux and Xen say of our subject when all is well, each a whole message's end. (The invalid
# queue is xen-netback's complaint about a frame that meets a vif on its way out.)
ANNOUNCEMENTS='[Cc]ommand line: .*
Grant table initialized
Grant tables using version [12] layout
Event-channel device installed
Initialising Xen virtual ethernet driver
Device with no driver: device/vif/[0-9]+
backend supports XDP headroom
vif[0-9]+\.[0-9]+: Guest Rx ready
vif[0-9]+\.[0-9]+: link becomes ready
port [0-9]+\(vif[0-9]+\.[0-9]+\) entered (disabled|blocking|forwarding) state
vif[0-9]+\.[0-9]+( \(unregistering\))?:? (entered|left) (allmulticast|promiscuous) mode
xen_netback:xenvif_start_xmit: Invalid queue [0-9]+ for packet on interface vif[0-9]+\.[0-9]+
blkfront: .* persistent grants: disabled; .*
gnttab_usage_print_all \[ key .g. pressed
gnttab_usage_print_all \] done
grant-table for remote d[0-9]+ \(v[12]\)
no active grant table entries'

OUR_SUBJECT='vif|grant|gnttab|gntdev|netfront|netback|evtchn|gref'

# Lines that speak of our subject and are no such announcement.
suspicious()
{
	grep -iE "$OUR_SUBJECT" "$1" |
		grep -vE "(${ANNOUNCEMENTS//$'\n'/|})\$" || true
}

kernel_logs_clean()
{
	local lines

	dmesg > "$LOGS/$scenario-dom0-dmesg.log"
	xl dmesg > "$LOGS/$scenario-xen.log"
	lines=$(suspicious "$LOGS/$scenario-dom0-dmesg.log"; suspicious "$LOGS/$scenario-xen.log")
	[ ! -f "$RIG/dmesg.guests" ] || lines="$lines$(suspicious "$RIG/dmesg.guests")"
	lines=$(printf '%s' "$lines" | sed '/^$/d')
	[ -z "$lines" ] || fail "kernel logs: $(printf '%s' "$lines" | head -n 5)"
}

# xl destroy waits ten seconds for a backend to close its vif: for one that is gone, nobody would.
vifs_close()
{
	local root=/local/domain/0/backend/vif domid devid

	for domid in $(xenstore-list $root 2>/dev/null); do
		for devid in $(xenstore-list $root/$domid 2>/dev/null); do
			xenstore-write $root/$domid/$devid/state 6
		done
	done
}

clean_up()
{
	backend_stop_all
	[ -d /sys/module/xen_netback ] || vifs_close
	guest_destroy_all
	net_remove_all
	[ ! -d /sys/module/xen_blkback ] || rmmod xen-blkback 2>/dev/null || true
}

leftovers_step()
{
	step "no domain, grant, event channel or error left behind"
	guest_save_logs
	# While the guests still live: what is mapped then was left mapped. xen-netback keeps its
	# rings until they go.
	if [ ! -d /sys/module/xen_netback ]; then
		backend_stop_all
		net_remove_all
		expect "grants still mapped" "" "$(grants_mapped)"
	fi
	clean_up
	# A domain whose page somebody still maps stays as a zombie until the last unmap.
	await 60 "all other domains to be gone" no_other_domains
	await 30 "dom0's event channels to be as before" ports_as_before
	kernel_logs_clean
}
