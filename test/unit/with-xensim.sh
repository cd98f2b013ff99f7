#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors

# Runs a unit test on a machine of its own: the stand-in hypervisor and a real oxenstored, in a
# temporary folder that is gone afterwards, whatever happens.

set -euo pipefail

usage() {
	cat <<EOT
Usage: ${0##*/} XENSIM PROGRAM [ARG...]

Starts a stand-in machine by the tool XENSIM, runs PROGRAM as its domain 0, and removes the
machine. Needs no root. The exit status is PROGRAM's.
EOT
}

if [[ $# -ge 1 && ($1 == --help || $1 == -h) ]]; then
	usage
	exit 0
fi
if [[ $# -lt 2 ]]; then
	usage >&2
	exit 2
fi
xensim=$1
shift

dir=$(mktemp -d "${TMPDIR:-/tmp}/xenunit.XXXXXX")
child=
# shellcheck disable=SC2317 # called by the traps
cleanup() {
	trap - EXIT HUP INT TERM
	if [[ -n $child ]]; then
		kill "$child" 2>/dev/null || true
		wait "$child" 2>/dev/null || true
	fi
	"$xensim" stop "$dir/machine" >/dev/null 2>&1 || true
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' HUP INT TERM

# In a sanitized build the stand-in's libraries are preloaded into an oxenstored that is not.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0"

if ! ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 "$xensim" start "$dir/machine" \
	>"$dir/start.log" 2>&1; then
	cat "$dir/start.log" >&2
	exit 1
fi
XENSIM_TOOL=$xensim RUNTIME_DIRECTORY=$dir "$xensim" --dir "$dir/machine" exec 0 -- "$@" &
child=$!
status=0
wait "$child" || status=$?
child=
exit "$status"
