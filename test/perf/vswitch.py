# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors

"""What scripts/bench vswitch makes of its samples, and of a profile of callgrind's."""

import collections
import json
import statistics
import sys

import callgrind
from bench import print_table

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


def result(name, unit, values):
    """One result, as bench.py has them."""
    return {"name": name, "unit": unit, "descriptors": "256", "n": len(values),
            "median": round(statistics.median(values), 3),
            "min": round(min(values), 3), "max": round(max(values), 3)}


def table(path, json_path=None):
    """Print the results, and write them."""
    samples = collections.defaultdict(list)
    with open(path, encoding="ascii") as f:
        for line in f:
            name, value = line.split()
            samples[name].append(float(value))
    results = [result(name, UNITS[name.split(".")[0]], values)
               for name, values in samples.items()]
    for a, b in RATIOS:
        if a in samples and b in samples:
            values = [x / y for x, y in zip(samples[a], samples[b])]
            results.append(result(a.removeprefix("rate.") + "/" + b.removeprefix("rate."),
                                  "ratio", values))
    if "ir.switch" in samples and "ir.io" in samples:
        values = [x - y for x, y in zip(samples["ir.switch"], samples["ir.io"])]
        results.append(result("ir.switch-io", UNITS["ir"], values))
    print_table(results)
    if json_path is not None:
        with open(json_path, "w", encoding="ascii") as f:
            json.dump(results, f, indent=1)
            f.write("\n")


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
