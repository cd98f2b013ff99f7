#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# dpdk-xenvswitch in a driver domain in which nobody runs hotplug scripts: it says itself that vifs
# are connected, or why not, and removes the directories of those that are detached.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/vswitch-lib.sh"

DOMAIN=5
BACK=/local/domain/$DOMAIN/backend/vif

config()
{
	vswitch_config "[bridge xenbr0]"
	sed -i '/^control/a hotplug = switch' "$VSWITCH_CONF"
}

key_is()
{
	[ "$(store_read "$BACK/$1/0/$2")" = "$3" ]
}

key_has()
{
	store_read "$BACK/$1/0/$2" | grep -qF -- "$3"
}

gone()
{
	! in_domain 0 xenstore-exists "$1"
}

guest_make_there()
{
	guest_make "$1" backend=$DOMAIN hotplug=wait
}

# detached DOMID: as by xl network-detach, which waits for that.
detached()
{
	xensim vif-detach "$1" 0 --timeout "$LIMIT" && gone "$BACK/$1" &&
		wait_for "$LIMIT" vswitch_has_not "vif$1.0"
}

# A guest that has died, and what the toolstack says of its vif then.
destroyed()
{
	guest_end 2
	xensim domain-destroy 2
	in_domain 0 xenstore-write "$BACK/2/0/online" 0 "$BACK/2/0/state" 5
	wait_for "$LIMIT" gone "$BACK/2" && wait_for "$LIMIT" vswitch_has_not vif2.0
}

errors()
{
	domain_add 3
	vif_add 3 0 backend=$DOMAIN hotplug=none bridge=nosuch --no-wait
	check error "hotplug-status does not say so" \
		wait_for "$LIMIT" key_is 3 hotplug-status error
	check error-why "hotplug-error does not say so" wait_for "$LIMIT" key_has 3 \
		hotplug-error "dpdk-xenvswitch: bridge 'nosuch': there is none"
	in_domain 0 xenstore-write "$BACK/3/0/bridge" xenbr0
	check mended "hotplug-status does not say so" \
		wait_for "$LIMIT" key_is 3 hotplug-status connected
	check mended-why "hotplug-error stays" wait_for "$LIMIT" key_is 3 hotplug-error ""
	check mended-detach "its directory stays" detached 3
	vif_add 3 0 backend=$DOMAIN hotplug=none bridge=nosuch --no-wait
	wait_for "$LIMIT" key_is 3 hotplug-status error
	check error-detach "the directory of one without port stays" detached 3
}

# A switch that comes later finds what is detached, and what is not.
restarts()
{
	vswitch_stop || return 1
	in_domain 0 xenstore-write "$BACK/1/0/online" 0 "$BACK/1/0/state" 5
	vswitch_start $DOMAIN
	wait_for "$LIMIT" gone "$BACK/1"
}

# With a script, or "xl devd", nothing of that is done.
script()
{
	sed -i 's/^hotplug = .*/hotplug = script/' "$VSWITCH_CONF"
	kill -HUP "${PIDS[vswitch]}"
	wait_for "$LIMIT" vswitch_says "read again" || return 1
	vif_add 3 0 backend=$DOMAIN hotplug=wait
	key_is 3 hotplug-status "" || return 1
	in_domain 0 xenstore-write "$BACK/3/0/online" 0 "$BACK/3/0/state" 5
	wait_for "$LIMIT" key_is 3 state 6 && ctl show ports >/dev/null &&
		! gone "$BACK/3/0" && key_is 3 hotplug-status ""
}

main()
{
	machine_start
	domain_add $DOMAIN
	config
	vswitch_start $DOMAIN
	guest_make_there 1
	guest_make_there 2
	check connected "hotplug-status does not say so" key_is 1 hotplug-status connected
	check ping "guest 1 does not reach guest 2" ping_guest 1 2 20
	errors
	check destroyed "the directory or the port stays" destroyed
	guest_make_there 4
	check ping-again "guest 1 does not reach guest 4" ping_guest 1 4 20
	check detach "the directory or the port stays" detached 4
	check restart "the directory stays" restarts
	check script "hotplug-status or the directory is not left alone" script
	check end "the switch does not end" vswitch_stop
	verdict
}

PRIVATE_OPTIONS=(--net)
private_main main "$@"
