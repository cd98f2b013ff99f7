# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors

"""The table of `scripts/bench xen --instructions`: what dom0 and Xen execute for a packet."""

import table

# By the type of dom0: the kind of boot, where the machine's logs are, and the scenario.
SCENARIOS = {"pv": ("icount", "bench-instructions")}
BACKENDS = {"netback": "xen-netback", "xenvswitch": "xenvswitch", "vhost": "by vhost-net",
            "testpmd": "testpmd"}
PACKETS = 10000
MIB = 4
# What an exit to Xen costs beside the instructions, which the emulated processor does not charge, in
# instructions: that of the profile haswell of scripts/bench, at one a nanosecond.
EXIT = 500

# The ratio that a guest's small packets are not to exceed where it has static grants.
STATIC_BOUND = 0.7
# What another measurement of xen-netback is set beside.
STAND_INS = {("netback", "static"): "pktgen"}

# Measurements of the scenario: name, heading, what a row is divided by where the number of packets
# is not told.
MEASUREMENTS = (
    ("pktgen", "guest's kernel pktgen, 10,000 packets of 64 bytes, per packet", PACKETS),
    ("static", f"a DPDK guest with static grants, {PACKETS:,} of its packets or more, beside that "
     f"pktgen on xen-netback, per packet; ratio of instructions: at most {STATIC_BOUND}", PACKETS),
    ("tcp-from-guest", f"TCP with GSO, guest to dom0, {MIB} MiB, per MiB", MIB),
    ("tcp-to-guest", f"TCP with GSO, dom0 to guest, {MIB} MiB, per MiB", MIB),
    ("tcp-guests", f"TCP with GSO, guest to guest, {MIB} MiB, per MiB", MIB),
    ("tcp-from-guest-no-gso", f"TCP without GSO, guest to dom0, {MIB} MiB, per MiB", MIB),
    ("tcp-to-guest-no-gso", f"TCP without GSO, dom0 to guest, {MIB} MiB, per MiB", MIB),
    ("tcp-guests-no-gso", f"TCP without GSO, guest to guest, {MIB} MiB, per MiB", MIB),
)
ROWS = (
    ("instructions", "instructions"),
    ("instructions-first", "  of the same once before"),
    ("charged", f"instructions, and {EXIT} a hypercall"),
    ("ran", "all that the vcpu ran"),
    ("hypercalls", "hypercalls"),
    ("grant-copy", "  grant copies"),
    ("grant-copy-ops", "    operations in them"),
    ("event-channel", "  event channel operations"),
)
NOTES = """
The machine is emulated, and its clock counts instructions: one is a nanosecond, so that figures repeat on any host.
A second vcpu of dom0 has the backend and nothing else: xen-netback's interrupts and threads, or the worker of
dpdk-xenvswitch or of testpmd. Instructions are, of xen-netback, all that this vcpu ran by Xen's accounts, with Xen's
own for it; of those that poll, what the TSC says of the rounds that had packets, so without the looks at empty rings
and without the way into sleep and out of it, which "all that the vcpu ran" has. The other end of TCP in dom0 is on
the other vcpu. A bridge hands packets to dom0's stack as they are; the switch writes them to DPDK's net_tap or, "by vhost-net", has
that carry them (vhost = yes), whose thread is counted as well, and so is what passes in a round when it takes the
processor away. pktgen's end in a dummy interface behind the bridge, or in DPDK's net_null. While a program that polls is weighed, dom0 goes
before its guests: xen-netback has greater bursts without, and is weighed so. Where Xen takes the processor away in
a round with packets, the instructions of others pass in it, too: the switch's figures of TCP between guests are
bounds from above, and so are testpmd's, which never waits. Those of TCP with dom0 by net_tap are mostly of
that, a system call for each frame of the MTU's length.
The DPDK guest is dpdk-testpmd on net_xenfront with granted memory, which sends without end the same frames as pktgen, and
is told to stop when there were enough; xen-netback's figures beside it are those of pktgen.
Instructions are no time: entering Xen costs more than those, and so does a cache that misses. The row with
hypercalls charged adds {exit} for each, an assumption and no measurement; they are of another run of the same."""


def per_unit(counts, backend, name, unit):
    """The figures of a measurement for each packet or MiB."""
    figures = counts.get((backend, name), {})
    return {key: value / figures.get("packets", unit) for key, value in figures.items()}


def add_rows(counts, backend, name, unit):
    """All figures of one backend and measurement, by row."""
    figures = per_unit(counts, backend, name, unit)
    figures.update(per_unit(counts, backend, name + "-traced", unit))
    first = per_unit(counts, backend, name + "-first", unit)
    if "instructions" in first:
        figures["instructions-first"] = first["instructions"]
    if "hypercalls" in figures:
        figures["charged"] = figures["instructions"] + EXIT * figures["hypercalls"]
    return figures


def make_table(counts):
    """Rows: dicts of measurement, name, a figure for each backend, and ratios to the first."""
    rows = []
    for name, _, unit in MEASUREMENTS:
        sides = [add_rows(counts, backend, STAND_INS.get((backend, name), name), unit)
                 for backend in BACKENDS]
        if "instructions" not in sides[0]:
            raise KeyError(f"netback.{name}")
        for key, _ in ROWS:
            if key not in sides[0]:
                continue
            row = {"measurement": name, "name": key}
            for backend, side in zip(BACKENDS, sides):
                row[backend] = round(side[key], 3) if key in side else None
            table.add_ratios(row, list(BACKENDS))
            rows.append(row)
    return rows


def print_table(rows):
    """The table, for people."""
    table.print_table(rows, [m[:2] for m in MEASUREMENTS], dict(ROWS), BACKENDS)
    print(NOTES.format(exit=EXIT))
