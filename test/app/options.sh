#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# options.sh DPDK-XENVSWITCH: what the switch says of its command line, and of a configuration that
# it is to check.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../../scripts/lib.sh"

switch=$(realpath "$1")

# expect STATUS LINE ARG...: it ends so, and says that alone.
expect()
{
	local wanted=$1 line=$2 status=0 out
	shift 2
	out=$("$switch" "$@" 2>&1) || status=$?
	[ "$status" -eq "$wanted" ] || die "'$*' ended with $status, not $wanted: $out"
	[ "$out" = "$line" ] || die "'$*' says: $out"
}

# check STATUS LINE TEXT: so does --check of such a file; what follows its name.
check()
{
	printf '%b' "$3" >"$dir/conf"
	expect "$1" "$dir/conf:$2" --check --config "$dir/conf"
}

dir=$(mktemp -d)
on_exit rm -rf "$dir"
expect 2 "dpdk-xenvswitch: '--nothing': is no option; see --help" --nothing
expect 2 "dpdk-xenvswitch: '--nothing=1': is no option; see --help" --check --nothing=1
expect 2 "dpdk-xenvswitch: '--c': is no option; see --help" --c
expect 2 "dpdk-xenvswitch: '-x': is no option; see --help" -x
expect 2 "dpdk-xenvswitch: '-x': is no option; see --help" -xh
expect 2 "dpdk-xenvswitch: '--config': a value has to follow; see --help" --check --config
expect 2 "dpdk-xenvswitch: '--check=1': takes no value; see --help" --check=1
expect 2 "dpdk-xenvswitch: 'now': no argument is expected; see --help" --check now
check 0 " ok" "[bridge b]\n"
check 1 "2: lcores='0-32': has to be a list of at most 32 processors, such as 1,3-4, each from 0 \
to 1023 and there once" "[switch]\nlcores = 0-32\n"
"$switch" --help | grep -q '^Usage: dpdk-xenvswitch ' || die "no help"
"$switch" -h | grep -q '^Usage: dpdk-xenvswitch ' || die "no help"
"$switch" --version | grep -qE '^dpdk-xenvswitch [0-9.]+$' || die "no version"
# What is installed as the configuration.
expect 0 "$TREE/app/vswitch/dpdk-xenvswitch.conf: ok" --check \
	--config "$TREE/app/vswitch/dpdk-xenvswitch.conf"
