#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
#
# dpdk-xenvswitch's metrics: promtool finds no fault with them, and they say what xenvswitchctl and
# DPDK's telemetry say.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh"
. "$SMOKE/vswitch-lib.sh"

ADDRESS=127.0.0.1:9475
PORTS=("[bridge xenbr0]" "[port host0]" "kind = tap" "bridge = xenbr0")

# fetch: the metrics into $RUN/metrics.
fetch()
{
	timeout "$LIMIT" python3 - "http://$ADDRESS/metrics" >"$RUN/metrics" <<-'EOT'
		import sys
		import urllib.request
		with urllib.request.urlopen(sys.argv[1]) as answer:
		    sys.stdout.write(answer.read().decode())
	EOT
}

# value NAME [LABEL...]: of the metric that was fetched with these labels, such as port="host0".
value()
{
	python3 - "$RUN/metrics" "$@" <<-'EOT'
		import sys
		with open(sys.argv[1], encoding="utf-8") as f:
		    for line in f:
		        sample, _, number = line.rpartition(" ")
		        name, _, labels = sample.partition("{")
		        labels = labels.rstrip("}").split(",")
		        if name == sys.argv[2] and set(sys.argv[3:]) <= set(labels):
		            print(number.strip())
	EOT
}

host_up()
{
	wait_for "$LIMIT" has_link host0 || die "no tap device host0"
	ip addr replace 10.99.0.100/24 dev host0
	ip link set host0 up
}

no_fault()
{
	fetch && promtool check metrics <"$RUN/metrics" >"$RUN/promtool.log" 2>&1 &&
		[ ! -s "$RUN/promtool.log" ]
}

# What the guide says of them, and its alerts.
documented()
{
	local name guide=$TREE/doc/guides
	for name in $(sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' "$RUN/metrics"); do
		grep -qF "\`\`$name\`\`" "$guide/monitoring.rst" || return 1
	done
	promtool check rules "$guide/alerts.yml" >>"$RUN/promtool.log" 2>&1 &&
		promtool test rules "$TREE/test/docs/alerts.yml" >>"$RUN/promtool.log" 2>&1
}

# All three say the same of all ports: as soon as there is no packet between two questions.
all_same()
{
	fetch
	ctl --json show stats >"$RUN/stats.json"
	telemetry vswitch ask /xenvswitch/ports >"$RUN/telemetry.json"
	python3 - "$RUN" 2>"$RUN/same.log" <<-'EOT'
		import json
		import re
		import sys
		run = sys.argv[1]
		with open(run + "/stats.json", encoding="utf-8") as f:
		    wanted = {p["name"]: p for p in json.load(f)["stats"]}
		with open(run + "/telemetry.json", encoding="utf-8") as f:
		    told = {p["name"]: p for p in json.load(f).values()}
		with open(run + "/metrics", encoding="utf-8") as f:
		    lines = re.findall(r'^xenvswitch_port_(\w+)_total{port="(.*?)",.*} (\d+)$',
		                       f.read(), re.MULTILINE)
		measured = {name: {} for name in wanted}
		for what, name, number in lines:
		    measured[name][what] = measured[name].get(what, 0) + int(number)
		names = ["rx_packets", "rx_bytes", "tx_packets", "tx_bytes", "rx_flooded", "drops"]
		for port, counters in wanted.items():
		    for name in names:
		        assert counters[name] == told[port][name], (port, name)
		        assert counters[name] == measured[port][name], (port, name)
		assert wanted["vif1.0"]["rx_packets"] >= 20 and len(told) == len(wanted) == 2
	EOT
}

one_lcore()
{
	telemetry vswitch ask /xenvswitch/lcores | python3 -c '
import json, sys
lcores = json.load(sys.stdin)
sys.exit(list(lcores) != ["1"] or lcores["1"]["queues"] != 2 or lcores["1"]["rounds"] == 0)' &&
		[ "$(value xenvswitch_lcore_queues 'lcore="1"')" = 2 ]
}

# A port by its name, which DPDK hands on as it is; and none by another.
one_port()
{
	telemetry vswitch ask /xenvswitch/port vif1.0 >"$RUN/port.json" &&
		grep -q '"drop_tx_full": ' "$RUN/port.json" &&
		[ "$(telemetry vswitch ask /xenvswitch/port vif2.0)" = null ]
}

not_reset()
{
	local before
	before=$(value xenvswitch_port_rx_packets_total 'port="vif1.0"')
	ctl reset
	fetch
	[ "$before" -ge 20 ] &&
		[ "$(value xenvswitch_port_rx_packets_total 'port="vif1.0"')" -ge "$before" ]
}

refused_are()
{
	fetch && [ "$(value xenvswitch_vifs_refused)" = "$1" ]
}

refused()
{
	refused_are 0 || return 1
	domain_add 6
	vif_add 6 0 bridge=nosuch --no-wait
	wait_for "$LIMIT" refused_are 1 || return 1
	xensim domain-destroy 6 >>"$RUN/xensim.log" 2>&1
	wait_for "$LIMIT" refused_are 0
}

# The labels of a port are its name, its bridge and its kind.
links()
{
	fetch
	[ "$(value xenvswitch_port_link_up 'port="vif1.0"' 'bridge="xenbr0"' 'kind="guest"')" = 1 ]
}

# A guest that takes the number of another port begins at 0.
another()
{
	guest_end 1
	xensim domain-destroy 1 >>"$RUN/xensim.log" 2>&1
	wait_for "$LIMIT" gone || return 1
	domain_add 2
	vif_add 2 0
	fetch
	[ "$(value xenvswitch_port_rx_packets_total 'port="vif2.0"')" = 0 ]
}

gone()
{
	fetch && [ -z "$(value xenvswitch_port_link_up 'port="vif1.0"')" ]
}

takes_restart()
{
	vswitch_config "metrics = off" "${PORTS[@]}"
	kill -HUP "${PIDS[vswitch]}"
	wait_for "$LIMIT" vswitch_says "[switch] metrics: has changed, which takes a restart" &&
		fetch
}

main()
{
	machine_start
	ip link set lo up
	vswitch_config "metrics = $ADDRESS" "${PORTS[@]}"
	vswitch_start
	host_up
	guest_make 1
	ping_answered 1 10.99.0.100 20 || die "guest 1 does not reach the host"
	check promtool "it finds a fault" no_fault
	check documented "a metric is not, or an alert is wrong" documented
	check same "xenvswitchctl, telemetry and metrics differ" wait_for "$LIMIT" all_same
	check lcores "telemetry or metrics of the lcore are wrong" one_lcore
	check port "telemetry of a port is wrong" one_port
	check link "the guest's link is not up" wait_for "$LIMIT" links
	check reset "a counter has gone back" not_reset
	check refused "the vif is not counted, or for too long" refused
	check another "it has the counters of the port before" another
	check restart "metrics change without a restart" takes_restart
	check end "the switch does not end" vswitch_stop
	verdict
}

if ! command -v promtool >/dev/null; then
	echo "skip vswitch-metrics - promtool is not installed"
	exit 0
fi
PRIVATE_OPTIONS=(--net)
private_main main "$@"
