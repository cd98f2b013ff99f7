# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# What the scripts of the Xen rig share on the host's side. To be sourced.

XEN_TEST_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034 # for those who source this
XEN_TREE=$(cd "$XEN_TEST_DIR/../.." && pwd)

rig_info()
{
	printf '%s\n' "$*" >&2
}

rig_die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# Packages that the rig needs on the host, beside those of the build itself.
XEN_HOST_TOOLS="qemu-system-x86_64:qemu-system-x86 debootstrap:debootstrap mke2fs:e2fsprogs
	cpio:cpio chroot:coreutils unshare:util-linux python3:python3"

rig_need_tools()
{
	local pair missing=""

	for pair in $XEN_HOST_TOOLS; do
		PATH=$PATH:/usr/sbin:/sbin command -v "${pair%%:*}" >/dev/null ||
			missing="$missing ${pair##*:}"
	done
	[ -z "$missing" ] || rig_die "missing packages:$missing; scripts/setup --with xen installs them"
}
