# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
# shellcheck shell=bash
#
# What the scripts share. Source it after `set -euo pipefail`:
#	. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"

# The tree's root, the default build folder, and the calling script's name.
TREE=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
# shellcheck disable=SC2034 # for the scripts
BUILD=${XENVIF_BUILD:-$TREE/build}
PROG=$(basename "$0")
# The build by clang: scripts/check wants its warnings, the suite tsan runs it.
# shellcheck disable=SC2034 # for the scripts
TSAN_OPTIONS=(-Ddebug=true -Doptimization=1 -Db_sanitize=thread -Db_lundef=false)

# info MESSAGE...: a line of progress, on standard error.
info()
{
	printf '%s: %s\n' "$PROG" "$*" >&2
}

# die MESSAGE...: say why and end with status 1; the cleanups run.
die()
{
	printf '%s: error: %s\n' "$PROG" "$*" >&2
	exit 1
}

# option_value OPTION VALUE: what is given to an option; end when that is nothing.
option_value()
{
	[ -n "$2" ] || die "$1 needs a value; see --help"
	echo "$2"
}

# option_folder OPTION VALUE: the folder that an option names, as an absolute path.
option_folder()
{
	[ -n "$2" ] || die "$1 needs the name of a folder"
	realpath -m -- "$2"
}

# need_root WHY: end unless run by root.
need_root()
{
	[ "$(id -u)" -eq 0 ] || die "must be run as root: $1"
}

# need_commands COMMAND...: end naming the commands that are missing.
need_commands()
{
	local command missing=
	for command in "$@"; do
		command -v "$command" >/dev/null || missing+=" $command"
	done
	[ -z "$missing" ] || die "not found:$missing; run scripts/setup first"
}

# build_source DIR: the folder that the build folder DIR was configured for; nothing when it
# does not say.
build_source()
{
	python3 -c 'import json, sys
with open(sys.argv[1]) as f:
	print(json.load(f)["directories"]["source"])' \
		"$1/meson-info/meson-info.json" 2>/dev/null || :
}

# os_release KEY: what this system says of itself (os-release(5)); nothing when it does not.
os_release()
{
	# shellcheck disable=SC1091 # the system's
	(. /etc/os-release && echo "${!1:-}") 2>/dev/null || :
}

# system_name: the system and its release, as it calls itself.
system_name()
{
	local name
	name=$(os_release PRETTY_NAME)
	echo "${name:-$(uname -sr)}"
}

# xen_utils: the package with Xen's tools, which has the version of Xen in its name: the installed
# one, else the newest that apt knows; nothing when it knows none.
xen_utils()
{
	local names
	# shellcheck disable=SC2016 # dpkg's own variables
	names=$(dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' 'xen-utils-[0-9]*' 2>/dev/null |
		sed -n 's/^.i //p') || :
	[ -n "$names" ] || names=$(apt-cache pkgnames xen-utils- 2>/dev/null) || :
	grep -xE 'xen-utils-[0-9.]+' <<<"$names" | sort -V | tail -n 1 || :
}

# The cleanup stack. on_exit COMMAND ARG...: run it when the script ends, also by
# Ctrl-C or a signal; the last one given runs first; a failing one stops none. Given in
# a subshell, it belongs to the subshell's end.
CLEANUPS=()
CLEANUPS_PID=

on_exit()
{
	local line
	if [ "$CLEANUPS_PID" != "$BASHPID" ]; then
		CLEANUPS=()
		CLEANUPS_PID=$BASHPID
	fi
	printf -v line '%q ' "$@"
	CLEANUPS+=("$line")
	trap run_cleanups EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
}

run_cleanups()
{
	local status=$? i
	trap '' HUP INT TERM
	trap - EXIT
	set +e
	for ((i = ${#CLEANUPS[@]} - 1; i >= 0; i--)); do
		eval "${CLEANUPS[i]}"
	done
	CLEANUPS=()
	exit "$status"
}

# wait_for LIMIT COMMAND ARG...: run the command until it succeeds, with a pause of
# WAIT_PAUSE seconds in between; fail after LIMIT seconds.
WAIT_PAUSE=0.05

wait_for()
{
	local limit=$1 end
	shift
	end=$((SECONDS + limit))
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		pause "$WAIT_PAUSE"
	done
}

# pause SECONDS: where starting a program is dear, another function may stand for it.
pause()
{
	sleep "$1"
}

# stop_process PID [LIMIT]: end a process of ours by TERM, after LIMIT seconds
# (default 10) by KILL; wait for its end. No error when it is gone already.
stop_process()
{
	local pid=$1 limit=${2:-10}
	kill -TERM "$pid" 2>/dev/null || { wait "$pid" 2>/dev/null || :; return 0; }
	wait_for "$limit" process_ended "$pid" || kill -KILL "$pid" 2>/dev/null || :
	wait "$pid" 2>/dev/null || :
}

# stop_group PID [LIMIT]: the same for the process group that PID leads, such as a
# job started under `set -m`.
stop_group()
{
	local pid=$1 limit=${2:-10}
	kill -TERM -- "-$pid" 2>/dev/null || :
	wait_for "$limit" process_ended "$pid" || :
	kill -KILL -- "-$pid" 2>/dev/null || :
	wait "$pid" 2>/dev/null || :
}

# process_ended PID: true when no such process runs. A zombie has ended, when none of its threads is
# left: those have its files and locks yet.
process_ended()
{
	local stat=""
	{ IFS= read -rd '' stat <"/proc/$1/stat"; } 2>/dev/null || :
	# Behind the program's name, which may hold anything, come state and, as the 18th, threads.
	# shellcheck disable=SC2086 # words
	set -- ${stat##*) }
	[ $# -eq 0 ] || { [ "$1" = Z ] && [ "${18}" -le 1 ]; }
}

# process_ticks PID: for how many ticks of 1/100 s it has run, all its threads.
process_ticks()
{
	local stat
	read -r stat <"/proc/$1/stat"
	# shellcheck disable=SC2086 # words
	set -- ${stat##*) }
	echo $((${12} + ${13}))
}

# run_test NAME COMMAND ARG...: run one test and print its verdict, `ok NAME`,
# `not ok NAME - why` or `skip NAME - why`. The command's own lines of these forms
# are its verdicts (NAME is put before theirs); all else it prints goes to standard
# error. A command without such lines is judged by its status: 0 ok, 77 skip.
run_test()
{
	local name=$1 verdicts status=0
	shift
	{
		verdicts=$("$@" </dev/null | sed -unE \
			-e "/^(ok|not ok|skip) /{s//\1 ${name//\//\\/}: /p;b}" -e 'w /dev/stderr' |
			tee /dev/fd/3; exit "${PIPESTATUS[0]}") || status=$?
	} 3>&1
	case $status in
	0) [ -n "$verdicts" ] || echo "ok $name" ;;
	77) [ -n "$verdicts" ] || echo "skip $name - not possible here" ;;
	124) echo "not ok $name - its time limit passed" ;;
	*) grep -q '^not ok' <<<"$verdicts" || echo "not ok $name - ended with status $status" ;;
	esac
}
