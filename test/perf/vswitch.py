# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors

"""What scripts/bench vswitch makes of its samples, and of a profile of callgrind's."""

import collections
import sys

import callgrind
from results import print_table, ratio, row, write_json

UNITS = {"rate": "Mpps", "full": "part", "rtt": "us", "idle": "percent",
         "ir": "instructions/packet"}
# Pairs of samples of one round.
RATIOS = (
    ("rate.copy0.switch", "rate.copy0.io"),
    ("rate.copy0.switch", "rate.copy0.ovs"),
    ("rate.haswell.switch", "rate.haswell.io"),
    ("rate.haswell.switch", "rate.haswell.ovs"),
    ("rate.macs10000.switch", "rate.macs2.switch"),
    ("rate.vifs30.switch", "rate.vifs30.io"),
    ("rate.vifs30.switch", "rate.copy0.switch"),
    ("rtt.flooded.p50", "rtt.alone.p50"),
    ("rtt.flooded.p99", "rtt.alone.p99"),
)


def table(path, json_path=None):
    """Print the results, and write them."""
    samples = collections.defaultdict(list)
    with open(path, encoding="ascii") as f:
        for line in f:
            name, value = line.split()
            samples[name].append(float(value))
    results = [row(name, UNITS[name.split(".")[0]], values, "256")
               for name, values in samples.items()]
    for a, b in RATIOS:
        if a in samples and b in samples:
            results.append(ratio(a.removeprefix("rate.") + "/" + b.removeprefix("rate."),
                                 samples[a], samples[b], "256"))
    if "ir.switch" in samples and "ir.io" in samples:
        values = [x - y for x, y in zip(samples["ir.switch"], samples["ir.io"])]
        results.append(row("ir.switch-io", UNITS["ir"], values, "256"))
    print_table(results)
    if json_path is not None:
        write_json(results, json_path)


def own(path, packets):
    """Print the instructions a packet of what an lcore runs, without those of the driver."""
    calls = callgrind.read_calls(path)
    program = [c for c in calls if "librte_eal" in c.obj and "/dpdk-" in c.callee_obj]
    whole = max(c.cost for c in program)
    driver = sum(c.cost for c in calls if "librte_net_xenvif" in c.callee_obj and
                 "/dpdk-" in c.obj and c.callee_fn in ("xenvif_rx_burst", "xenvif_tx_burst"))
    print(f"{(whole - driver) / int(packets):.1f}")


if __name__ == "__main__":
    {"table": table, "own": own}[sys.argv[1]](*sys.argv[2:])
