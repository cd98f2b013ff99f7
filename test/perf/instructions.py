# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors

"""The table of `scripts/bench xen --instructions`: what dom0 and Xen execute for a packet."""

SCENARIO = "bench-instructions"
# Where the machine's logs are: the kind of boot.
KIND = "icount"
BACKENDS = ("netback", "xenvswitch", "testpmd")
TITLES = ("xen-netback", "xenvswitch", "testpmd")
PACKETS = 10000
MIB = 4
# What an exit to Xen costs beside the instructions, which the emulated processor does not charge, in
# instructions: that of the profile haswell of scripts/bench, at one a nanosecond.
EXIT = 500

# Measurements of the scenario: name, heading, what a row is divided by.
MEASUREMENTS = (
    ("pktgen", "guest's kernel pktgen, 10,000 packets of 64 bytes, per packet", PACKETS),
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
the other vcpu. A bridge hands packets to dom0's stack as they are; the switch writes them to DPDK's net_tap. pktgen's
end in a dummy interface behind the bridge, or in DPDK's net_null. While a program that polls is weighed, dom0 goes
before its guests: xen-netback has greater bursts without, and is weighed so. Where Xen takes the processor away in
a round with packets, the instructions of others pass in it, too: the switch's figures of TCP between guests are
bounds from above, and so are testpmd's, which never waits. Those of TCP with dom0 are mostly of its tap device, a
system call for each frame of the MTU's length.
Instructions are no time: entering Xen costs more than those, and so does a cache that misses. The row with
hypercalls charged adds {exit} for each, an assumption and no measurement; they are of another run of the same."""


def add_rows(counts, backend, name):
    """All figures of one backend and measurement, by row."""
    figures = dict(counts.get((backend, name), {}))
    first = counts.get((backend, name + "-first"), {})
    if "instructions" in first:
        figures["instructions-first"] = first["instructions"]
    if "hypercalls" in figures:
        figures["charged"] = figures["instructions"] + EXIT * figures["hypercalls"]
    return figures


def make_table(counts):
    """Rows: dicts of measurement, name, a figure for each backend, and ratios to the first."""
    table = []
    for name, _, unit in MEASUREMENTS:
        sides = [add_rows(counts, backend, name) for backend in BACKENDS]
        if "instructions" not in sides[0]:
            raise KeyError(f"{BACKENDS[0]}.{name}")
        for key, _ in ROWS:
            values = [None if side.get(key) is None else side[key] / unit for side in sides]
            if values[0] is None:
                continue
            row = {"measurement": name, "name": key}
            for backend, value in zip(BACKENDS, values):
                row[backend] = None if value is None else round(value, 3)
            for backend, value in zip(BACKENDS[1:], values[1:]):
                row[f"{backend}-ratio"] = (round(value / values[0], 3)
                                           if value is not None and values[0] else None)
            table.append(row)
    return table


def cell(value, form, width):
    """A figure for people, in so many columns; "-" where there is none."""
    return f"{'-' if value is None else format(value, form):>{width}}"


def print_table(table):
    """The table, for people."""
    titles = dict(ROWS)
    for name, heading, _ in MEASUREMENTS:
        print(f"\n{heading}")
        print(f"  {'':38} {TITLES[0]:>12}" + "".join(f" {t:>12} {'ratio':>7}" for t in TITLES[1:]))
        for row in table:
            if row["measurement"] == name:
                form = ",.0f" if row[BACKENDS[0]] >= 100 else ".2f"
                print(f"  {titles[row['name']]:38} {cell(row[BACKENDS[0]], form, 12)}" + "".join(
                    f" {cell(row[b], form, 12)} {cell(row[b + '-ratio'], '.3f', 7)}"
                    for b in BACKENDS[1:]))
    print(NOTES.format(exit=EXIT))
