# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors

"""Packets that cross a link, with testpmd at both of its ends: rates, and instructions."""

import contextlib
import os
import statistics
import sys

import callgrind
from results import ratio, rotate, row
from rig import CHARGES, DESCRIPTORS, EAL, MBUF_SIZE
from testpmd import Testpmd, TestpmdError

SIZES = (64, 1518)
BURST = 32
BURSTS = 4
APP = ["-i", f"--mbuf-size={MBUF_SIZE}", "--total-num-mbufs=8192", "--forward-mode=io",
       "--nb-cores=1"]
# As many of each size are under way as in the simple mix of the internet's: 7, 4, and 1 of 12. They
# go round in this order.
IMIX = ((64, 14), (594, 8), (1518, 2))
IMIX_TURNS = 5

# Instructions per packet: the objects whose functions testpmd's loop calls, and the function below
# each that tells the direction.
IR_BACKENDS = {
    "copy0": ("librte_net_xenvif", ("xenvif_rx_burst", "xenvif_tx_burst")),
    "static": ("librte_net_xenvif", ("xenvif_rx_burst", "xenvif_tx_burst")),
    "vhost": ("librte_net_vhost", ("rte_vhost_dequeue_burst", "rte_vhost_enqueue_burst")),
}
IR_FRONTENDS = {
    "copy0": ("librte_net_xenfront", ("xenfront_rx_burst", "xenfront_tx_burst")),
    "static": ("librte_net_xenfront", ("xenfront_rx_burst", "xenfront_tx_burst")),
}
# They are repeatable: more rounds than these tell nothing.
IR_ROUNDS = 5
# What the simulated hypervisor does, the copies among it.
HYPERVISOR = ("xengnttab_grant_copy", "xenevtchn_notify")


@contextlib.contextmanager
def running(rig, peer, size, descriptors, wrapper=(), limit=300):
    """A testpmd whose two ports, a link's two ends, pass packets of a size around."""
    backend, frontends = rig.ports(peer, descriptors)
    # Valgrind has no room for what DPDK reserves beside huge pages.
    memory = ["--no-huge", "--no-shconf", "-m", "256"] if wrapper else \
        ["--in-memory", "--single-file-segments"]
    argv = [*wrapper, "dpdk-testpmd", *EAL, *memory, *backend, "--", *APP,
            f"--rxd={descriptors}", f"--txd={descriptors}"]
    env = rig.environment() if peer in CHARGES else dict(os.environ)
    with Testpmd(argv, env, rig.log, limit) as pmd:
        for frontend in frontends:
            pmd.command(f"port attach {frontend}")
            pmd.command("port start 1")
        pmd.wait_links(2)
        pmd.command("set portlist 0,1")
        if size == "imix":
            start_imix(pmd)
        else:
            pmd.command(f"set txpkts {size}")
            pmd.command(f"start tx_first {BURSTS}")
        yield pmd
        pmd.command("stop")


def start_imix(pmd):
    """Each start puts packets of one size behind those that are under way."""
    for size, packets in IMIX * IMIX_TURNS:
        pmd.command(f"set txpkts {size}")
        pmd.command(f"set burst {packets}")
        pmd.command("start tx_first 1")
        pmd.command("stop")
        # The first start has polled all ports, before which some of them post no buffers.
        pmd.command("set flush_rx off")
    pmd.command(f"set burst {BURST}")
    pmd.command("start")


def crossing(rig, peer, size, descriptors):
    """Million packets a second through one link, both of its ends on one core."""
    rig.charge(peer)
    with running(rig, peer, size, descriptors) as pmd:
        before = pmd.received()
        rate = pmd.rate(rig.args.seconds) / 1e6
        if size == "imix":
            check_imix(before, pmd.received())
        return rate


def check_imix(before, after):
    """Were there as many of each size as there are to be?"""
    mean = sum(length * n for length, n in IMIX) / sum(n for _, n in IMIX)
    found = (after[1] - before[1]) / (after[0] - before[0])
    if not 0.98 * mean < found < 1.02 * mean:
        raise TestpmdError(f"packets of {found:.0f} bytes on average where the mix has {mean:.0f}")


def measure_crossings(rig, peers, rounds):
    """All the crossings, round by round, each round beginning with another peer."""
    sizes = (*SIZES, "imix")
    samples = {(size, peer, d): [] for size in sizes for peer in peers for d in DESCRIPTORS}
    for rnd in range(rounds):
        for size in sizes:
            for peer, descriptors in ((p, d) for p in rotate(peers, rnd) for d in DESCRIPTORS):
                rate = crossing(rig, peer, size, descriptors)
                samples[size, peer, descriptors].append(rate)
                print(f"  round {rnd + 1}/{rounds}  crossing.{size}.{peer}  {descriptors} "
                      f"descriptors  {rate:.2f} Mpps", file=sys.stderr, flush=True)
    rows = [row(f"crossing.{size}.{peer}.{descriptors}", "Mpps", values, str(descriptors))
            for (size, peer, descriptors), values in samples.items()]
    for size in sizes:
        rows += best_rows(size, peers, samples)
    return rows


def best_rows(size, peers, samples):
    """What each peer does with the number of descriptors that is best for it."""
    best = {peer: max(DESCRIPTORS, key=lambda d, p=peer: statistics.median(samples[size, p, d]))
            for peer in peers}
    of_best = {peer: samples[size, peer, best[peer]] for peer in peers}
    rows = [row(f"crossing.{size}.{peer}", "Mpps", of_best[peer], str(best[peer]))
            for peer in peers]
    for other in ("vhost", "memif-zc"):
        rows += [ratio(f"crossing.{size}.{peer}/{other}", of_best[peer], of_best[other],
                       f"{best[peer]}/{best[other]}")
                 for peer in peers if other in peers and peer != other]
    return rows


def instructions(rig, peer, size):
    """
    Instructions per packet of the burst functions: by end and direction, a pair of all of them, and
    of those without the hypervisor's part.
    """
    out = os.path.join(rig.args.profile or rig.dir, f"{peer}.{size}")
    wrapper = ("valgrind", "--tool=callgrind", "--callgrind-out-file=" + out.replace("%", "%%"),
               "--compress-strings=no", "--compress-pos=no", "--fair-sched=yes")
    rig.charge(peer)
    with running(rig, peer, size, max(DESCRIPTORS), wrapper, 900) as pmd:
        pmd.rate(rig.args.seconds)
        pmd.command("stop")
        packets = pmd.counts()
    calls = callgrind.read_calls(out)
    found = {}
    for end, port, table in (("", 0, IR_BACKENDS), ("frontend.", 1, IR_FRONTENDS)):
        obj, markers = table.get(peer, (None, ()))
        for direction, marker, count in zip(("rx", "tx"), markers, packets[port]):
            found[end + direction] = of_direction(peer, calls, (obj, marker), count)
    return found


def of_direction(peer, calls, what, packets):
    """The same of one burst function."""
    obj, marker = what
    if peer == "vhost":
        # The burst functions have no names in Debian's library: known by what they call.
        fns = {c.fn for c in calls if obj in c.obj and c.callee_fn == marker}
    else:
        fns = {marker}
    cost = sum(c.cost for c in calls if obj in c.callee_obj and "testpmd" in c.obj and
               c.callee_fn in fns)
    if cost == 0 or packets == 0:
        raise TestpmdError(f"no calls of {marker} in the profile of {peer}")
    theirs = sum(c.cost for c in calls if c.fn in fns and c.callee_fn.startswith(HYPERVISOR))
    return cost / packets, (cost - theirs) / packets


def measure_instructions(rig, peers, rounds):
    """Instructions per packet: of the backend, and where it is ours of the frontend."""
    rows = []
    for size in SIZES:
        for peer in (p for p in IR_BACKENDS if p in peers):
            samples = [instructions(rig, peer, size) for _ in range(min(rounds, IR_ROUNDS))]
            for what in samples[0]:
                name = f"ir.{what}.{size}.{peer}"
                whole, own = zip(*(s[what] for s in samples))
                rows.append(instructions_row(name, own))
                if peer in CHARGES:
                    rows.append(instructions_row(f"{name}+hypervisor", whole))
    return rows


def instructions_row(name, values):
    """One result of measure_instructions()."""
    print(f"  {name:38}  {statistics.median(values):8.1f} instructions/packet", file=sys.stderr,
          flush=True)
    return row(name, "instructions/packet", values, str(max(DESCRIPTORS)))
