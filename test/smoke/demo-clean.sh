#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# scripts/demo runs through, and leaves nothing behind, also when it is ended at any moment.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"

need_root "scripts/demo makes network namespaces and tap devices"
# What the demonstration's processes, and only they, have in their environment.
mark=XENVIF_RUN_MARK=$$-$RANDOM-$RANDOM
out=$(mktemp)
on_exit rm -f "$out"

# Processes of the demonstration that still run.
processes()
{
	local dir
	for dir in /proc/[0-9]*; do
		grep -qzx "$mark" "$dir/environ" 2>/dev/null || continue
		! process_ended "${dir#/proc/}" || continue
		printf '%s ' "${dir#/proc/}"
		tr '\0' ' ' <"$dir/cmdline" 2>/dev/null || :
	done
}

# Files and mounts that it could have left; its names are not used by others.
files()
{
	ls -d /run/xenvif /run/netns/{guest[12],outside} /run/dpdk/vswitch /run/dpdk/guest[12] \
		/dev/hugepages/vswitch* /dev/hugepages/guest[12]* 2>/dev/null || :
	grep -E '[/ ](xenvif|vswitch|guest[12])[/ ]' /proc/self/mounts || :
}

nothing_runs()
{
	[ -z "$(processes)" ]
}

# start_demo: in a process group of its own, as a terminal starts it.
start_demo()
{
	: >"$out"
	set -m
	env "$mark" "$TREE/scripts/demo" --build "$BUILD" --seconds "$1" >"$out" 2>&1 </dev/null &
	demo=$!
	set +m
	on_exit end_demo "$demo"
}

end_demo()
{
	process_ended "$1" || stop_group "$1"
}

shows()
{
	grep -q -- "$1" "$out" || process_ended "$demo"
}

# judge NAME STATUS WANTED
judge()
{
	if ! wait_for "$LIMIT" nothing_runs; then
		not_ok "$1" "left running: $(processes)"
	elif [ -n "$(files)" ]; then
		not_ok "$1" "left behind: $(files | xargs)"
	elif [ "$2" -ne "$3" ]; then
		not_ok "$1" \
			"its status was $2, not $3; it ended with: $(tail -n 3 "$out" | xargs -0)"
	else
		ok "$1"
	fi
}

# interrupt NAME SIGNAL STATUS WHEN: end it when its output shows WHEN.
interrupt()
{
	local status=0
	start_demo 60
	wait_for "$((3 * LIMIT))" shows "$4" || :
	if [ "$2" = INT ]; then
		# Ctrl-C reaches all of the terminal's foreground processes.
		kill -INT -- "-$demo" || :
	else
		kill "-$2" "$demo" || :
	fi
	wait "$demo" || status=$?
	judge "$1" "$status" "$3"
}

runs_through()
{
	local status=0
	start_demo 1
	wait "$demo" || status=$?
	judge runs-through "$status" 0
	check shows-table "no table at its end" grep -q 'copies/packet' "$out"
}

runs_through
interrupt ctrl-c-at-start INT 130 '^== A machine'
interrupt term-at-switch TERM 143 '^== The switch'
interrupt ctrl-c-at-vifs INT 130 '^== A vif'
interrupt term-at-ping TERM 143 '^== .* pings'
interrupt ctrl-c-in-tcp INT 130 'second 1 of'
interrupt kill-in-tcp KILL 137 'second 1 of'
verdict
