# shellcheck shell=bash disable=SC2154 # RIG, LOGS, scenario: lib.sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# Guests of a scenario: created by xl, commanded over their consoles.

GUEST_LOGS=/var/log/xen/console
GUEST_READY=400
# What dom0 got (test/xen/machine.sh) is good for guests too.
LINUX_OPTIONS=$(xargs -n 1 < /proc/cmdline |
	grep -E '^(mitigations|norandmaps|net.ifnames|rodata|cryptomgr|nosoftlockup)' | xargs)

# guest_create NAME TYPE VCPUS ADDRESSES VIF...: TYPE is pv or pvh, ADDRESSES is for eth0,eth1...
# (10.0.0.2/24,...), each VIF is a line of xl's vif list. GUEST_OPTIONS is added to
# the kernel's command line, GUEST_EXTRA holds more lines of the configuration.
guest_create()
{
	local name=$1 domid

	domid=$(next_domid)
	guest_config "$@"
	guest_mark "$name"
	domid_used "$domid"
	xl create "$RIG/guests/$name.cfg" || fail "xl create $name"
	guest_took_domid "$name" "$domid"
	guest_wait_ready "$name"
}

guest_config()
{
	local name=$1 type=$2 vcpus=$3 addrs=$4 vif vifs=""

	shift 4
	for vif; do
		vifs="$vifs${vifs:+, }\"$vif\""
	done
	cat > "$RIG/guests/$name.cfg" <<-END
		name = "$name"
		type = "$type"
		vcpus = $vcpus
		memory = ${GUEST_MEMORY:-128}
		kernel = "/rig/guest/vmlinux"
		ramdisk = "/rig/guest/initramfs"
		extra = "console=hvc0 loglevel=1 $LINUX_OPTIONS rig.ip=$addrs ${GUEST_OPTIONS:-}"
		vif = [ $vifs ]
		on_crash = "destroy"
		on_reboot = "destroy"
		${GUEST_EXTRA:-}
	END
}

# The id that Xen gives to the next domain: it counts up. Ports are told of a guest before it
# exists.
next_domid()
{
	local last=0

	[ ! -e "$RIG/domid" ] || last=$(< "$RIG/domid")
	echo $((last + 1))
}

# Counts an id that a domain took.
domid_used()
{
	echo "$1" > "$RIG/domid"
}

guest_took_domid()
{
	local domid

	domid=$(xl domid "$1") || fail "no domain $1"
	domid_used "$domid"
	await 30 "the console of $1" guest_has_tty "$1" "$domid"
	expect "id of the new domain $1" "$2" "$domid"
}

# guest_has_tty NAME DOMID: it does once xenconsoled has written that.
guest_has_tty()
{
	xenstore-read "/local/domain/$2/console/tty" > "$RIG/guests/$1.tty" || return
	[[ $(< "$RIG/guests/$1.tty") == /dev/* ]]
}

# Of each guest: the descriptor that its console's log is read by, where it was last left, the
# beginning of a line that has come in pieces, and whether its agent has said that it is ready.
declare -A GUEST_CONSOLE=() GUEST_PIECE=() GUEST_UP=()

# guest_mark NAME: only what it says from now on counts. Not in a subshell.
guest_mark()
{
	local console line

	if [ -z "${GUEST_CONSOLE[$1]:-}" ]; then
		: >> "$GUEST_LOGS/guest-$1.log"
		exec {console}< "$GUEST_LOGS/guest-$1.log"
		GUEST_CONSOLE[$1]=$console
		GUEST_PIECE[$1]=
	fi
	while guest_line "$1"; do :; done
	GUEST_PIECE[$1]=
	GUEST_UP[$1]=
}

# guest_line NAME: sets line to the next one of its console, if there is one.
guest_line()
{
	IFS= read -r -u "${GUEST_CONSOLE[$1]}" line || { GUEST_PIECE[$1]+=$line; return 1; }
	line=${GUEST_PIECE[$1]}$line
	line=${line%%$'\r'*}
	GUEST_PIECE[$1]=
}

# guest_is_ready NAME: its agent has said so since the mark.
guest_is_ready()
{
	local line

	while [ -z "${GUEST_UP[$1]}" ]; do
		guest_line "$1" || return
		[[ $line != "rig-guest ready"* ]] || GUEST_UP[$1]=1
	done
}

# What waits for the guest keeps the processors from it, too.
guest_wait_ready()
{
	WAIT_PAUSE=0.4 at_share 10 await "$GUEST_READY" "guest $1 to be up" guest_settled "$1"
	guest_is_ready "$1" || fail "guest $1 died"
}

# Xen's log is long: one look in a while is enough.
guest_settled()
{
	guest_is_ready "$1" || { [ $((SECONDS % 10)) = 0 ] && processor_failed; }
}

# guest_run NAME COMMAND [LIMIT]: prints what COMMAND, given to the guest's shell, prints; its exit
# status. One at a time for a guest. Few programs are started for it: in the emulated machine they
# are what takes the time.
guest_run()
{
	local name=$1 id=${EPOCHREALTIME/./} end=$((SECONDS + ${3:-240})) silent=0
	local tty line log="" status="" begun=0

	read -r tty < "$RIG/guests/$name.tty"
	GUEST_PIECE[$name]=
	printf 'run %s %s\n' "$id" "$(base64 -w 0 <<< "$2")" > "$tty"
	while [ "$SECONDS" -lt "$end" ]; do
		guest_line "$name" || {
			# Xen's log is long: one look in ten seconds is enough.
			[ $((++silent % 100)) != 0 ] || ! processor_failed || break
			pause 0.1
			continue
		}
		case $line in
		"<<$id") begun=1 ;;
		">>$id "*) status=${line##* }; break ;;
		*) [ $begun = 0 ] || log+=$line$'\n' ;;
		esac
	done
	if [ -z "$status" ]; then
		echo "guest $name gave no answer (limit: ${3:-240} s) to: $2" >&2
		return 124
	fi
	while [[ $log == *$'\n' ]]; do log=${log%$'\n'}; done
	[ -z "$log" ] || printf '%s\n' "$log"
	printf '[%s] $ %s\n%s\n[%s]\n' "$name" "$2" "$log" "$status" >> "$LOGS/$scenario-guests.log"
	return "$status"
}

# guest_do: as guest_run; a failure fails the step.
guest_do()
{
	guest_run "$@" || fail "guest $1: '$2' ended with status $?"
}

# dpdk_guest_create NAME TYPE CONFIG VIF...: a guest with dom0's root file system, and Debian's DPDK
# in it. CONFIG is one more line of its configuration.
dpdk_guest_create()
{
	local domid options vif vifs=""

	for vif in "${@:4}"; do
		vifs="$vifs${vifs:+, }\"$vif\""
	done

	domid=$(next_domid)
	# For its disks their rings alone stay mapped.
	modprobe xen-blkback feature_persistent=0
	options="rig.root=/dev/xvda rig.disk=/dev/xvdb rig.mode=driver-domain rig.backend=$BACKEND"
	cat > "$RIG/guests/$1.cfg" <<-END
		name = "$1"
		type = "$2"
		$3
		vcpus = 2
		memory = 1024
		kernel = "/rig/guest/vmlinux"
		ramdisk = "/rig/guest/dom0.cpio"
		extra = "console=hvc0 loglevel=1 $LINUX_OPTIONS $options"
		vif = [ $vifs ]
		disk = [ "phy:$(realpath /dev/ns4),xvda,w", "phy:$(realpath /dev/ns2),xvdb,r" ]
		on_crash = "destroy"
		on_reboot = "destroy"
	END
	guest_mark "$1"
	domid_used "$domid"
	xl create "$RIG/guests/$1.cfg" || fail "xl create $1"
	guest_took_domid "$1" "$domid"
	GUEST_READY=600 guest_wait_ready "$1"
	disks_known "$domid"
}

# disks_known DOMID: what others have mapped of it now is for its disks.
disks_known()
{
	grants_mapped | xargs -n 1 | grep "^d$1:" | xargs > "$RIG/grants.new"
	cat "$RIG/grants.disks" >> "$RIG/grants.new"
	xargs < "$RIG/grants.new" > "$RIG/grants.disks"
}

# dpdk_guest_do NAME COMMANDS [LIMIT]: in such a guest, with the functions of scenarios. A failure
# fails the step, and the ends of the logs in there come into the guests'.
dpdk_guest_do()
{
	guest_run "$1" "bash -c '. /rig/dom0/lib.sh; scenario=$scenario; $2'" "${3:-400}" && return
	guest_run "$1" "tail -n 30 $LOGS/*.log" > /dev/null || true
	fail "guest $1: '$2' failed"
}

guest_names()
{
	local f

	for f in "$RIG"/guests/*.cfg; do
		[ ! -e "$f" ] || { f=${f##*/}; echo "${f%.cfg}"; }
	done
}

# guest_save_logs [NAME...]: of all guests where none is named. Of their kernel's log only what may
# matter: a console takes ten seconds for all of it.
guest_save_logs()
{
	local name log names=("$@")

	[ $# -gt 0 ] || mapfile -t names < <(guest_names)
	for name in "${names[@]}"; do
		xl domid "$name" > /dev/null 2>&1 || continue
		log=$LOGS/$scenario-$name-dmesg.log
		guest_run "$name" "dmesg | grep -iE '$OUR_SUBJECT|warn|bug:|oops|trace:' || :" 30 \
			> "$log" || continue
		cat "$log" >> "$RIG/dmesg.guests"
	done
}

guest_destroy()
{
	xl destroy "$1"
	rm -f "$RIG/guests/$1.cfg"
}

guest_destroy_all()
{
	local name

	for name in $(other_domains); do
		xl destroy "$name" 2>/dev/null || true
	done
	rm -f "$RIG"/guests/*.cfg
}
