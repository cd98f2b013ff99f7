# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors

"""The comparison behind `scripts/bench xen`: xen-netback and net_xenvif on a real Xen."""

import argparse
import json
import os
import subprocess
import sys

import instructions
import options
import table

# By the type of dom0: the kind of boot, where the machine's logs are, and the scenario.
SCENARIOS = {"pv": ("pv", "bench-backends"), "pvh": ("pvh", "bench-backends-pvh")}
BACKENDS = {"netback": "xen-netback", "xenvif": "net_xenvif", "xenvif-immediate": "immediate",
            "xenvif-whole": "whole"}
MIB = 16
PINGS = 2000

# Measurements of the scenario: name, heading, what a row is divided by, and its unit.
MEASUREMENTS = (
    ("pktgen", "guest's kernel pktgen, 100,000 packets of 64 bytes, per 1,000 packets delivered",
     lambda counts: counts["packets"] / 1000),
    ("pktgen-10k", "... 10,000 of them, one each 100 us, per packet delivered",
     lambda counts: counts["packets"]),
    ("pktgen-1k", "... 2,000 of them, one each ms, per packet delivered",
     lambda counts: counts["packets"]),
    ("ping", "2,000 pings of the guest, 1,000 a second, per ping", lambda _: PINGS),
    ("tcp-from-guest", f"TCP, guest to dom0, {MIB} MiB, per MiB", lambda _: MIB),
    ("tcp-to-guest", f"TCP, dom0 to guest, {MIB} MiB, per MiB", lambda _: MIB),
    ("tcp-guests", f"TCP, guest to guest, {MIB} MiB, per MiB", lambda _: MIB),
    ("idle", "no traffic, for about 10 s of the emulated machine, per second",
     lambda counts: counts["usec"] / 1e6),
)
ROWS = (
    ("guest.hypercalls", "guest: hypercalls"),
    ("guest.event-channel", "  event channel operations"),
    ("guest.grant-copy", "  grant copies"),
    ("guest.grant-other", "  other grant operations"),
    ("guest.iret", "  iret"),
    ("guest.sched", "  sched (block, yield)"),
    ("guest.events", "guest: notifications of its vifs that came"),
    ("dom0.exits", "dom0: exits to Xen, for whatever reason"),
    ("dom0.hypercalls", "dom0: hypercalls"),
    ("dom0.hypercalls-net", "  less those of as long without traffic"),
    ("dom0.hypercalls-vif", "  of all, grants and event channels"),
    ("dom0.event-channel", "  event channel operations"),
    ("dom0.grant-table", "  grant table operations"),
    ("dom0.grant-copy", "    grant copies"),
    ("dom0.grant-copy-ops", "      operations in them"),
    ("dom0.grant-other", "    others"),
    ("dom0.iret", "  iret"),
    ("dom0.sched", "  sched (block, yield)"),
    ("dom0.mmu-update", "  page tables: mmu_update"),
    ("dom0.update-va-mapping", "    update_va_mapping"),
    ("dom0.mmuext", "    mmuext_op (address spaces, flushes)"),
    ("dom0.multicall", "  multicall"),
    ("dom0.stack-switch", "  changes of task: stack_switch"),
    ("dom0.fpu-taskswitch", "    fpu_taskswitch"),
    ("dom0.update-descriptor", "    update_descriptor"),
    ("dom0.set-segment-base", "    set_segment_base"),
    ("dom0.set-timer", "  timers: set_timer_op"),
    ("dom0.vcpu", "    vcpu_op"),
    ("dom0.xen-version", "  xen_version (a look for events)"),
    ("dom0.events", "dom0: notifications of the vif that came"),
)


def read_results(path):
    """Counts by (backend, measurement)."""
    counts = {}
    with open(path, encoding="ascii") as f:
        for line in f:
            name, key, value = line.split()
            backend, _, measurement = name.partition(".")
            counts.setdefault((backend, measurement), {})[key] = int(value)
    return counts


def add_net(counts):
    """What the traffic took beside what dom0 does anyway, for as long as the emulator needs; and
    what backends ask for themselves."""
    for (backend, name), side in counts.items():
        side["dom0.hypercalls-vif"] = sum(
            side.get(f"dom0.{kind}", 0) for kind in ("grant-table", "event-channel"))
        idle = counts[backend, "idle"]
        if name != "idle":
            side["dom0.hypercalls-net"] = (side["dom0.hypercalls"] -
                                           idle["dom0.hypercalls"] * side["usec"] / idle["usec"])


def make_table(counts):
    """Rows: dicts of measurement, name, a figure for each backend, and ratios to the first."""
    rows = []
    add_net(counts)
    for name, _, unit in MEASUREMENTS:
        sides = [counts[backend, name] for backend in BACKENDS]
        if name != "idle":
            rows.append({"measurement": name, "name": "seconds of the emulated machine",
                         **{b: side["usec"] / 1e6 for b, side in zip(BACKENDS, sides)}})
            rows.append({"measurement": name, "name": "packets that dom0 received",
                         **{b: side["packets"] for b, side in zip(BACKENDS, sides)}})
        for key in ("rtt-p50", "rtt-p99"):
            if key in sides[0]:
                rows.append({"measurement": name, "name": f"{key}, us of the emulated machine",
                             **{b: side[key] for b, side in zip(BACKENDS, sides)}})
        for key, _ in ROWS:
            if not any(key in side for side in sides):
                continue
            values = [side.get(key, 0) / unit(side) for side in sides]
            rows.append({"measurement": name, "name": key,
                         **{b: round(v, 2) for b, v in zip(BACKENDS, values)}})
    for row in rows:
        table.add_ratios(row, list(BACKENDS))
    return rows


def print_table(rows):
    """The table, for people."""
    table.print_table(rows, [m[:2] for m in MEASUREMENTS], dict(ROWS), BACKENDS)
    print("""
The machine is emulated: its time is no speed, and how many packets a burst holds depends on how fast the
emulated processors are beside each other. The counts tell who asks the hypervisor for what, and how often.
The same guests, one boot: first xen-netback with bridges; then net_xenvif with testpmd and a net_af_packet port,
which takes no packet whole that TCP has to segment; then ("immediate") the same with notify=immediate; then
("whole") with testpmd and a virtio_user port on the kernel's vhost-net, where all ports have TCP_LRO and TCP_TSO.
testpmd has no CAP_SYS_RAWIO: with it DPDK's driver for virtio asks for iopl(3), which makes two hypercalls of the
end of each system call. In dom0, hypercalls are those of both of its vcpus, whatever they are for; where it is of type
PVH they are some of its exits to Xen, and the arguments of its grant table operations are not known. The guests' vcpus
have another physical CPU, and its hypercalls are of both guests; notifications are those of the first one.""")


def parse_args():
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench xen",
        description="Compare net_xenvif with the kernel's xen-netback on a real Xen in an emulated "
        "machine: hypercalls and event notifications for the same traffic of the same guest.",
        epilog="It boots the machine of the suite xen (test/xen/README.md), which takes minutes.")
    parser.add_argument("--instructions", action="store_true", help="count the instructions of "
                        "dom0 instead, in a machine whose clock they are")
    parser.add_argument("--dom0", choices=SCENARIOS, default="pv", help="the type of dom0, pv "
                        "unless told otherwise; in one of type pvh a system call is no hypercall")
    parser.add_argument("--json", metavar="FILE", type=options.output_file,
                        help="write the results as JSON, too")
    parser.add_argument("--results", metavar="FILE",
                        help="print the table of an earlier run's results; do not measure")
    options.add_build(parser)
    args = parser.parse_args()
    if args.instructions and args.dom0 not in instructions.SCENARIOS:
        parser.error("--instructions is of a dom0 of type pv alone")
    return args


def main():
    """Measure, print, write."""
    args = parse_args()
    results = args.results
    of = instructions if args.instructions else sys.modules[__name__]
    if results is None:
        options.prepare(args.build, "the emulated machine's images need it", "--with", "xen")
        kind, scenario = of.SCENARIOS[args.dom0]
        results = os.path.join(args.build, "xen/logs", kind, scenario + ".results")
        run = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../xen/run")
        done = subprocess.run([run, "--build", args.build, scenario], stdout=sys.stderr,
                              check=False)
        if done.returncode != 0:
            sys.exit(f"bench: the scenario {scenario} failed")
    try:
        rows = of.make_table(read_results(results))
    except (OSError, ValueError, KeyError) as err:
        sys.exit(f"bench: {results} does not have all the results: {err}")
    of.print_table(rows)
    if args.json:
        with open(args.json, "w", encoding="ascii") as f:
            json.dump(rows, f, indent=1)
            f.write("\n")


if __name__ == "__main__":
    main()
