# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
# shellcheck shell=bash
#
# dpdk-xenvswitch on the stand-in hypervisor, for the tests that source lib.sh.

VSWITCH_CONF=$RUN/vswitch.conf
VSWITCH_MEMORY="--no-huge -m 256"
# What it runs under.
VSWITCH_WRAPPER=()
# Empty: the last one that this process may use.
VSWITCH_LCORES=

# vswitch_config LINE...: the configuration, after its [switch].
vswitch_config()
{
	cat >"$VSWITCH_CONF.new" <<-EOT
		[switch]
		lcores = ${VSWITCH_LCORES:-$(last_cpu)}
		eal = $VSWITCH_MEMORY --no-pci --file-prefix vswitch -d librte_net_xenvif.so
		mbufs = 16384
		control = $RUN/vswitch.sock
	EOT
	printf '%s\n' "$@" >>"$VSWITCH_CONF.new"
	mv "$VSWITCH_CONF.new" "$VSWITCH_CONF"
}

# One that this process may use: the last one.
last_cpu()
{
	local list
	list=$(cpus)
	[[ $list =~ ([0-9]+)$ ]] && echo "${BASH_REMATCH[1]}"
}

# The last two processors that this process may use.
two_cpus()
{
	python3 -c 'import os
print(*sorted(os.sched_getaffinity(0))[-2:], sep=",")'
}

# vswitch_start [DOMID]: the switch in this domain, or in domain 0.
vswitch_start()
{
	: >"$RUN/vswitch.log"
	in_background vswitch "${POLLER[@]}" "$BUILD/test/xensim/xensim" exec "${1:-0}" -- \
		env "LD_LIBRARY_PATH=$DRIVERS:$BUILD/test/xensim" "${VSWITCH_WRAPPER[@]}" \
		"$BUILD/app/vswitch/dpdk-xenvswitch" --config "$VSWITCH_CONF"
	wait_for "$LIMIT" vswitch_says "ready:" || die "the switch does not start"
}

# vswitch_says TEXT: it has logged that.
vswitch_says()
{
	process_ended "${PIDS[vswitch]}" && die "the switch has ended"
	grep -qF -- "$1" "$RUN/vswitch.log"
}

vswitch_stop()
{
	kill -TERM "${PIDS[vswitch]}"
	wait_for "$LIMIT" process_ended "${PIDS[vswitch]}" || return 1
	wait "${PIDS[vswitch]}"
}

# ctl ARG...: xenvswitchctl.
ctl()
{
	timeout "$LIMIT" "$BUILD/app/vswitchctl/xenvswitchctl" --socket "$RUN/vswitch.sock" "$@"
}

# drops PORT REASON: packets of the port that were lost for that.
drops()
{
	ctl --json show drops --port "$1" --all | python3 -c '
import json, sys
for drop in json.load(sys.stdin)["drops"]:
    if drop["reason"] == sys.argv[1]:
        print(drop["packets"])' "$2"
}

# vswitch_has PORT
vswitch_has()
{
	ctl show ports 2>/dev/null | grep -q "^$1 "
}

vswitch_has_not()
{
	! vswitch_has "$1"
}

# has_link NAME: this domain has that interface.
has_link()
{
	ip link show "$1" >/dev/null 2>&1
}

# guest_make DOMID [KEY=VALUE...]: a guest with a vif as vif_add has it, up.
guest_make()
{
	domain_add "$1"
	vif_add "$1" 0 "${@:2}"
	guest_start "$1"
	guest_up "$1"
}
