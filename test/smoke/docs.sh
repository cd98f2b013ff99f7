#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# Every block of commands in the documents, run as it is written (test/docs/), in a fresh checkout
# whose path has a space and worse in it. Arguments name the documents to be run, after a build that
# is not looked at.
# Limit: 3600
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"
. "$TREE/scripts/dpdk-source.sh"

# Below a folder that only root may write to, as DPDK wants it for a plugin. (With quotes or '&' in
# it all works as well, but ninja builds again, each time, what includes a header from there.)
# shellcheck disable=SC2016 # as it is
CHECKOUT='/srv/a $HOME (é) checkout/xenvif'
OVS=/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk
# What is built here is not measured: without optimization it takes half the time.
export CFLAGS=-O0
# The commands may bring up interfaces.
PRIVATE_OPTIONS=(--net)

# A machine on which the documents' commands may do what they like.
prepare_host()
{
	ip link set lo up
	mount -t tmpfs -o mode=1777 xenvif /dev/shm
	private_copy /etc /var/lib/dpkg/alternatives "$(dpdk_plugin_folder)" \
		/usr/local/{bin,sbin,lib,share}
	private_logs openvswitch
	# A link to the machine's own database may be in there.
	rm -rf /etc/openvswitch
	mkdir -p /etc/xen/scripts "$RUN/bin"
	install "$SMOKE/../docs/systemctl" "$RUN/bin/systemctl"
}

# The files as git would check them out, and what a first scripts/setup has to fetch.
checkout()
{
	mount -t tmpfs -o mode=755 xenvif /srv
	mkdir -p "$CHECKOUT"
	tar -C "$TREE" -c --exclude='./build*' --exclude=./.git --exclude=./.cache \
		--exclude=__pycache__ . | tar -C "$CHECKOUT" -x
	git -C "$CHECKOUT" init -q
}

# What README.md does before others count on it.
install_quietly()
{
	env -u XENVIF_BUILD "$CHECKOUT/scripts/setup" >&2
	meson install -C "$CHECKOUT/build" >&2
}

# What no linker takes is refused in a line, before anything is made.
separators_refused()
{
	local status=0
	"$TREE/scripts/setup" --build "$RUN/a,b" >"$RUN/refused" 2>&1 || status=$?
	[ "$status" -eq 1 ] && grep -q separators "$RUN/refused" && [ ! -e "$RUN/a,b" ]
}

# document NAME DOMAIN...: run its blocks; DOMAINs are those whose terminals it needs. What is at
# the other end of their vifs is there already.
document()
{
	local name=$1 d services=:
	shift
	if [ $# -gt 0 ]; then
		machine_start
		for d in 1 2; do
			domain_add "$d"
			vif_add "$d" 0 --no-wait bridge=br0 script=/etc/xen/scripts/vif-xenvif
		done
		if [[ " $* " == *' guest1 '* ]]; then
			testpmd_start net_xenvif0,domid=1,devid=0 net_xenvif1,domid=2,devid=0
		else
			guest_start 1
			guest_start 2
			services="$RUN/bin/systemctl restart openvswitch-switch"
		fi
	fi
	# Nothing that its commands have started outlives it.
	interruptible unshare --pid --fork --kill-child --mount --mount-proc -- \
		bash -c "$services && exec \"\$@\"" bash \
		python3 -B "$TREE/test/docs/run.py" --tree "$CHECKOUT" --bin "$RUN/bin" \
		--xensim "$BUILD/test/xensim/xensim" "$name" || failed=1
	[ $# -eq 0 ] || document_end
}

document_end()
{
	local name
	for name in "${!PIDS[@]}"; do
		stop_process "${PIDS[$name]}"
		! [[ $name == guest? ]] || ip netns del "$name"
	done
	PIDS=()
	rm -rf /run/openvswitch /etc/openvswitch/conf.db
	machine_stop
}

main()
{
	local lines line
	if [ ! -x "$OVS" ]; then
		echo "skip docs - openvswitch-switch-dpdk is not installed"
		return
	fi
	check marks "see above" python3 -B "$TREE/test/docs/blocks.py" check
	check separators "not refused, or not in time" separators_refused
	prepare_host
	checkout
	mapfile -t lines < <(python3 -B "$TREE/test/docs/blocks.py" files)
	[ $# -eq 0 ] || install_quietly
	for line in "${lines[@]}"; do
		[[ $# -eq 0 || " $* " == *" ${line%% *} "* ]] || continue
		# shellcheck disable=SC2086 # words
		document $line
	done
	verdict
}

private_main main "$@"
