#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# xen_calls.sh NM LIBRARY...: the functions of Xen's libraries that these call, as C strings.
set -eu
nm=$1
shift
"$nm" -u "$@" |
	sed -nE 's/^ *U ((xen(gnttab|gntshr|evtchn|ctrl)|xs|xc)_[a-z0-9_]+)$/"\1",/p' | sort -u
