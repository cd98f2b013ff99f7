# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
# shellcheck shell=bash
#
# What the scripts of the Xen rig share on the host's side. To be sourced.

XEN_TEST_DIR=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
# shellcheck source=scripts/lib.sh
. "$XEN_TEST_DIR/../../scripts/lib.sh"
export PATH=$PATH:/usr/sbin:/sbin

need_rig_tools()
{
	local tool missing=

	for tool in qemu-system-x86_64 debootstrap mke2fs cpio unshare python3 cc; do
		command -v "$tool" >/dev/null || missing+=" $tool"
	done
	[ -z "$missing" ] || die "not found:$missing; run scripts/setup --with xen"
}
