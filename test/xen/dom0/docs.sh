# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
# shellcheck shell=bash disable=SC2154 # RIG: lib.sh
#
# The blocks of commands in the documents that need a real Xen, as they are written (test/docs/).

# doc_block NAME: run one in the tree's folder; each command has to end well.
doc_block()
{
	(cd /rig && bash -ex "docs/$1") || fail "a command of the documents failed, in the block $1"
}

# doc_testpmd PROCESS NAME: start the testpmd of a block.
doc_testpmd()
{
	{ printf 'stdbuf -oL '; cat "/rig/docs/$2"; } > "$RIG/testpmd/$1.cmd"
	backend_again "$1"
}

# doc_install: what `meson install` does with the drivers.
doc_install()
{
	cp -a /rig/build/drivers/librte_*.so* "$(echo /usr/lib/*/dpdk/pmds-*)"
}
