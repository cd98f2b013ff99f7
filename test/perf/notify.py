# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors

"""Notifications that a backend sends to a guest that asks for them as Linux does: xennotify."""

import os
import select
import subprocess
import time

from links import collect
from results import row
from rig import DRIVERS, EAL, MBUF_SIZE
from testpmd import Testpmd, TestpmdError

PROFILES = ("copy0", "haswell")
# Packets a second that the guest sends, and gets back; full: as many as its ring has room for.
RATES = {"1k": 1000, "10k": 10000, "100k": 100000, "full": 0}
LIMIT = 120
# The guest's ring; of our port and its statistics.
RINGS = {"tx": "rx_q0_notify_sent", "rx": "tx_q0_notify_sent"}
# What a line of xennotify's has.
FIELDS = ("sent", "received", "tx.events", "tx.spurious", "rx.events", "rx.spurious")


class Guest:
    """A xennotify; a context manager that ends it."""

    def __init__(self, rig, rate):
        tool = os.path.join(rig.args.build, "test/perf/xennotify")
        self.log = open(rig.log, "ab")
        self.proc = subprocess.Popen([tool, str(rate)], env=rig.environment(), text=True,
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log,
                                     preexec_fn=lambda: os.sched_setaffinity(0, {0}))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.proc.stdin.close()
            self.proc.wait(LIMIT)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self.proc.kill()
            self.proc.wait()
        self.log.close()

    def ask(self):
        """Its counters."""
        try:
            self.proc.stdin.write("\n")
            self.proc.stdin.flush()
        except BrokenPipeError as err:
            raise TestpmdError(f"xennotify has ended; see {self.log.name}") from err
        ready, _, _ = select.select([self.proc.stdout], [], [], LIMIT)
        words = self.proc.stdout.readline().split() if ready else []
        if len(words) != len(FIELDS):
            raise TestpmdError(f"xennotify does not answer; see {self.log.name}")
        return dict(zip(FIELDS, map(int, words)))


def look(guest, pmd):
    """All the counters of both sides at a time, more or less."""
    counts = guest.ask()
    xstats = pmd.xstats(0)
    for ring, name in RINGS.items():
        counts[f"{ring}.sent"] = xstats[name]
    return counts


def take(rig, profile):
    """The numbers of each rate, with hypercalls charged as the profile says."""
    found = {}
    argv = ["dpdk-testpmd", *EAL, "--in-memory", "--single-file-segments", *DRIVERS,
            "--vdev=net_xenvif0,domid=0,devid=0,queues=1", "--", "-i", "--forward-mode=io",
            f"--mbuf-size={MBUF_SIZE}", "--total-num-mbufs=8192", "--nb-cores=1"]
    rig.charge(profile)
    with Testpmd(argv, rig.environment(), rig.log) as pmd:
        pmd.command("start")
        for label, rate in RATES.items():
            with Guest(rig, rate) as guest:
                before = look(guest, pmd)
                begin = time.monotonic()
                time.sleep(rig.args.seconds)
                counts = {k: v - before[k] for k, v in look(guest, pmd).items()}
                seconds = time.monotonic() - begin
            if counts["received"] == 0 or counts["sent"] == 0:
                raise TestpmdError(f"no packets at a rate of {label}; see {rig.log}")
            found[f"notify.rate.{label}.{profile}"] = counts["received"] / seconds
            for ring, packets in (("tx", counts["sent"]), ("rx", counts["received"])):
                for what in ("sent", "spurious"):
                    found[f"notify.{what}-per-packet.{label}.{ring}.{profile}"] = \
                        counts[f"{ring}.{what}"] / packets
        pmd.command("stop")
    return found


def measure_notify(rig, peers, rounds):
    """Rows of how many are sent, and in vain, for each packet that comes and goes."""
    profiles = [p for p in PROFILES if p in peers]
    if not profiles:
        return []
    samples = collect(profiles, rounds, "", lambda profile: take(rig, profile))
    order = [f"notify.{what}.{label}.{end}{p}" for what, ends in
             (("rate", ("",)), ("sent-per-packet", ("tx.", "rx.")),
              ("spurious-per-packet", ("tx.", "rx.")))
             for end in ends for label in RATES for p in profiles]
    return [row(name, "packets/s" if ".rate." in name else "notifications/packet", samples[name])
            for name in order]
