# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors

"""What burst functions cost, with both ends of all links in one process: xenlinks."""

import os
import re
import statistics
import subprocess
import sys

from results import figure, ratio, rotate, row
from rig import CHARGES, DESCRIPTORS, EAL, PEERS, VIFS
from testpmd import TestpmdError

SIZES = (64, 1518)
BATCHES = (1, 32)
# Busy vifs. DPDK has 32 ports, so that peers, whose frontends are ports too, have 16 links at most;
# a memif client without copies closes a file of EAL's, which the next one in the process would need.
SCALE = (1, 4, 16, VIFS)
PEER_LINKS = {"vhost": 16, "memif-copy": 16, "memif-zc": 1}
# What a link is compared with.
BEST = "memif-zc"
LIMIT = 300
# Had at once: where memory is added, virtio_user tells vhost, which waits for itself in one process.
MEMORY = ["--in-memory", "--single-file-segments", "-m", "256"]


class Links:
    """Runs of xenlinks."""

    def __init__(self, rig):
        self.rig = rig
        self.tool = os.path.join(rig.args.build, "test/perf/xenlinks")

    def run(self, peer, measure, descriptors=min(DESCRIPTORS), links=1, guests=False, options=()):
        """One run: numbers by name, length and batch."""
        backends, frontends = self.rig.ports("copy0" if guests else peer, descriptors, links)
        ends = [f"--front={f}" for f in frontends]
        if guests:
            ends = ["--guests", *(["--register"] if peer == "static" else [])]
        ms = max(1, round(self.rig.args.seconds * 1000))
        argv = [self.tool, *EAL, *MEMORY, *backends, "--", *ends,
                f"--descriptors={descriptors}", f"--ms={ms}", *options, measure]
        env = self.rig.environment() if peer in CHARGES else dict(os.environ)
        self.rig.charge(peer)
        with open(self.rig.log, "ab") as log:
            try:
                done = subprocess.run(argv, env=env, stdout=subprocess.PIPE, stderr=log, text=True,
                                      stdin=subprocess.DEVNULL, check=False,
                                      timeout=LIMIT + 10 * self.rig.args.seconds)
            except subprocess.TimeoutExpired as err:
                raise TestpmdError(f"xenlinks does not end: {peer}, {measure}; see "
                                   f"{self.rig.log}") from err
        found = {}
        for line in done.stdout.splitlines():
            words = line.split()
            if len(words) == 4 and words[1].isdigit() and words[2].isdigit():
                found[words[0], int(words[1]), int(words[2])] = float(words[3])
        if done.returncode != 0 or not found:
            raise TestpmdError(f"xenlinks fails: {peer}, {measure}; see {self.rig.log}")
        return found


def say(rnd, rounds, name, value, unit):
    """A line of progress."""
    print(f"  round {rnd + 1}/{rounds}  {name:46} {figure(value)} {unit}", file=sys.stderr,
          flush=True)


def collect(peers, rounds, unit, take):
    """Samples by name of what take() gives for each peer, round by round, the order rotated."""
    samples = {}
    for rnd in range(rounds):
        for peer in rotate(peers, rnd):
            for name, value in take(peer).items():
                samples.setdefault(name, []).append(value)
                say(rnd, rounds, name, value, unit)
    return samples


def by_number(name):
    """A key to sort names by, the numbers in them as numbers."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def rows_of(samples, unit, peers, descriptors):
    """Rows by name, those of a kind beside each other, and the ratios to the best peer."""
    order = {peer: i for i, peer in enumerate(PEERS)}
    kinds = {name.rpartition(".")[0] for name in samples}
    rows = []
    for kind in sorted(kinds, key=by_number):
        of_kind = sorted((p for p in peers if f"{kind}.{p}" in samples), key=order.get)
        rows += [row(f"{kind}.{p}", unit, samples[f"{kind}.{p}"], descriptors(f"{kind}.{p}"))
                 for p in of_kind]
        if BEST in of_kind:
            rows += [ratio(f"{kind}.{p}/{BEST}", samples[f"{kind}.{p}"], samples[f"{kind}.{BEST}"])
                     for p in of_kind if p != BEST]
    return rows


def measure_idle(rig, peers, rounds):
    """Cycles of a poll of a vif without packets, and of a burst that has none to send."""
    links = Links(rig)

    def take(peer):
        found = {f"{name}.{peer}": value
                 for (name, _, _), value in links.run(peer, "idle").items()}
        if peer in CHARGES:
            many = links.run(peer, "idle", links=VIFS, guests=True)
            found.update({f"{name}.vifs.{VIFS}.{peer}": value
                          for (name, _, _), value in many.items()})
        return found

    rig.have_vifs(VIFS)
    samples = collect(peers, rounds, "cycles", take)
    return rows_of(samples, "cycles/poll", peers, lambda _: str(min(DESCRIPTORS)))


def measure_scale(rig, peers, rounds):
    """Cycles of the backend for a packet of 64 bytes in and out, by how many vifs are busy."""
    links = Links(rig)

    def take(peer):
        found = {}
        for number in SCALE:
            if peer in CHARGES or number <= PEER_LINKS[peer]:
                run = links.run(peer, "bursts", links=number, guests=peer in CHARGES)
                found[f"scale.vifs.{number}.{peer}"] = \
                    run["backend.rx", 64, 32] + run["backend.tx", 64, 32]
        return found

    rig.have_vifs(VIFS)
    samples = collect(peers, rounds, "cycles", take)
    rows = rows_of(samples, "cycles/packet", peers, lambda _: str(min(DESCRIPTORS)))
    for peer in peers:
        rows += [ratio(f"scale.vifs.{n}/1.{peer}", samples[f"scale.vifs.{n}.{peer}"],
                       samples[f"scale.vifs.1.{peer}"])
                 for n in SCALE[1:] if f"scale.vifs.{n}.{peer}" in samples]
    return rows


def measure_rtt(rig, peers, rounds):
    """Nanoseconds of the way there and back of one packet of 64 bytes."""
    links = Links(rig)

    def take(peer):
        found = {}
        for measure in ("rtt", "rtt-cores"):
            for (name, _, _), value in links.run(peer, measure).items():
                found[f"{name}.{peer}"] = value
        return found

    samples = collect(peers, rounds, "ns", take)
    return rows_of(samples, "ns", peers, lambda _: str(min(DESCRIPTORS)))


def measure_ends(rig, peers, rounds, ends):
    """Cycles a packet of each burst function, of the backend or of the frontend or of both."""
    links = Links(rig)
    options = ["--lengths=" + ",".join(map(str, SIZES)), "--batches=" + ",".join(map(str, BATCHES))]

    def take(peer):
        found = {}
        for descriptors in DESCRIPTORS:
            run = links.run(peer, "bursts", descriptors, options=options)
            for (name, length, batch), value in run.items():
                if name.partition(".")[0] in ends:
                    found[f"{name}.{length}.{batch}.{peer}", descriptors] = value
        return {f"{name}@{descriptors}": value for (name, descriptors), value in found.items()}

    best, chosen = {}, {}
    for name, values in collect(peers, rounds, "cycles", take).items():
        what, _, descriptors = name.partition("@")
        if what not in best or statistics.median(values) < statistics.median(best[what]):
            best[what], chosen[what] = values, descriptors
    return rows_of(best, "cycles/packet", peers, chosen.get)
