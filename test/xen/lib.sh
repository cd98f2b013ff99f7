# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
# shellcheck shell=bash
#
# What the scripts of the Xen rig share on the host's side. To be sourced.

XEN_TEST_DIR=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
# shellcheck source=scripts/lib.sh
. "$XEN_TEST_DIR/../../scripts/lib.sh"
export PATH=$PATH:/usr/sbin:/sbin

# need_rig_tools GROUP COMMAND...: GROUP of scripts/setup has their packages.
need_rig_tools()
{
	local tool missing=

	for tool in "${@:2}"; do
		command -v "$tool" >/dev/null || missing+=" $tool"
	done
	[ -z "$missing" ] || die "not found:$missing; run scripts/setup --with $1"
}

# rig_suite SUITE: the release of Debian that the rig boots; without a name, this system's own.
rig_suite()
{
	local own

	own=$(os_release VERSION_CODENAME)
	[[ ${1:-$own} =~ ^[a-z]+$ ]] || die "--suite '${1:-}': no name of a release of Debian"
	echo "${1:-$own}"
}

# rig_build SUITE: the build folder of the tree for that release.
rig_build()
{
	if [ "$1" = "$(rig_suite "")" ]; then
		echo "$BUILD"
	else
		echo "$BUILD-$1"
	fi
}

# rig_images SUITE BUILD: has all that the machine boots be there: the images are those of the
# release that they are built in, and so is what they are to run. Prints their folder; in the $()
# that takes it, -e does not hold.
rig_images()
{
	local enter=()

	need_rig_tools xen qemu-system-x86_64 mke2fs python3
	if [ "$1" != "$(rig_suite "")" ]; then
		enter=("$TREE/scripts/root" --bind "$(dirname "$2")" "$1")
		"${enter[@]}" "$TREE/scripts/setup" --with images --build "$2" >&2 || return
	elif [ ! -e "$2/drivers/librte_net_xenvif.so" ]; then
		info "no net_xenvif in $2/drivers: run scripts/setup"
	fi
	"${enter[@]}" "$XEN_TEST_DIR/images" --build "$2" >&2 || return
	realpath "$2/xen"
}
