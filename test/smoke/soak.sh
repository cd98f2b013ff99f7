#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# A short run of scripts/soak: anything may happen to dpdk-xenvswitch, and nothing is left of it.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"

minutes=0.5
[ -z "${XENVIF_LONG:-}" ] || minutes=60
exec "$TREE/scripts/soak" --build "$BUILD" --minutes "$minutes"
