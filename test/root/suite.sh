# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
# shellcheck shell=bash
#
# What the suites in roots of other releases of Debian share. Source it after scripts/lib.sh and
# set RELEASE.

# in_root COMMAND ARG...: there, with a build folder of its own.
in_root()
{
	"$TREE/scripts/root" --bind "$(dirname "$BUILD")" "$RELEASE" \
		env "XENVIF_BUILD=$BUILD-$RELEASE" "$@"
}

# root_setup OPTION...: have scripts/setup make all ready there, a root included. Where DPDK's
# driver headers are not to be had, for the mirror has no source package, nothing can be built.
root_setup()
{
	local log=$BUILD/test-logs/$RELEASE-setup.log start=$SECONDS
	mkdir -p "${log%/*}"
	if in_root "$TREE/scripts/setup" --build "$BUILD-$RELEASE" "$@" -- --werror \
		&>"$log"; then
		echo "ok $RELEASE build"
		in_root pkg-config --modversion libdpdk >&2
	elif grep -q 'error: no source package dpdk' "$log"; then
		tail -n 1 "$log" >&2
		printf 'skip %s - ' "$RELEASE"
		sed -n 's/.*error: \(no source package [^:]*\).*/\1/p' "$log"
		exit 0
	else
		tail -n 40 "$log" >&2
		echo "not ok $RELEASE build - see $log"
		exit 1
	fi
	info "root and build took $((SECONDS - start)) s"
}

# root_units: the unit tests there.
root_units()
{
	local start=$SECONDS
	# shellcheck disable=SC2016 # the inner shell's
	in_root bash -euc '. "$0/test/unit/suite.sh"; meson_tests "$XENVIF_BUILD" "$1 "' \
		"$TREE" "$RELEASE" || echo "not ok $RELEASE unit tests - ended with status $?"
	info "unit tests took $((SECONDS - start)) s"
}
