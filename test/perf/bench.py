# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors

"""The benchmark behind scripts/bench: net_xenvif beside its peers, in one run."""

import argparse
import os
import shutil
import signal
import subprocess
import sys

import crossing
import links
import notify
import options
import plot
from results import print_table, read_json, write_json
from rig import HUGEPAGES, PEERS, Rig
from testpmd import TestpmdError

# What is measured, in this order.
KINDS = ("crossing", "backend", "frontend", "rtt", "idle", "scale", "notify", "ir")
# Those that not all peers have.
PEERS_OF = {"ir": crossing.IR_BACKENDS, "notify": notify.PROFILES}


def parse_args():
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description="Measure net_xenvif beside net_vhost and net_memif. "
        f"Needs root, and reserves {HUGEPAGES} huge pages of 2 MiB meanwhile.",
        epilog="copy0: the stand-in hypervisor charges nothing; haswell: 500 ns a hypercall, "
        "400 ns a copy operation, 16 operations a hypercall (emulated); static: the same, and all "
        "mbufs in pages that the frontend has registered. crossing: packets of 64, of 1518 bytes, "
        "and of a mix of 64, 594 and 1518 as 7:4:1, both ends of a link on one core; rates are by "
        "the time that core was had. backend, frontend: cycles of one end's bursts, of 1 and of 32 "
        "packets. rtt: one packet under way, both ends on one core, and (rtt.cores) on two. idle: a "
        "poll of a vif without packets. scale: cycles of the backend a packet in and out, by how "
        "many vifs are busy. notify: notifications a packet that a guest gets that asks for them as "
        "Linux does, and those of them that it finds spurious. ir: instructions a packet, by callgrind. Crossings and bursts are "
        "measured with 256 and with 512 descriptors; the rows without a number are the better of "
        "the two. Compare within a run: the machine's speed is not the same in another. "
        "`scripts/bench xen` compares with xen-netback on a real Xen in an emulated machine, "
        "`scripts/bench wake` how long a packet takes to wake up a program, `scripts/bench vswitch` "
        "the switch with its peers, `scripts/bench hardware` what this machine's Xen takes for an "
        "operation.")
    parser.add_argument("--json", metavar="FILE", type=options.output_file,
                        help="write the results as JSON, too")
    parser.add_argument("--plot", metavar="DIR", type=options.output_folder,
                        help="draw each kind of result, too, as DIR/KIND.svg")
    parser.add_argument("--results", metavar="FILE",
                        help="print, and draw, what an earlier run's --json has; do not measure")
    parser.add_argument("--rounds", type=options.number(int, 1), default=7,
                        help="rounds, each of which begins with another peer (default 7)")
    parser.add_argument("--seconds", type=options.number(float, 0.01), default=1.0,
                        help="length of one measurement (default 1)")
    parser.add_argument("--only", type=options.names(KINDS), default=",".join(KINDS),
                        metavar="KIND[,KIND...]", help="only these kinds of results; all: "
                        "%(default)s")
    parser.add_argument("--peers", type=options.names(PEERS), default=",".join(PEERS),
                        metavar="PEER[,PEER...]",
                        help="which ends to measure (default %(default)s)")
    parser.add_argument("--profile", metavar="DIR", type=options.output_folder,
                        help="keep callgrind's profiles, as DIR/PEER.SIZE")
    options.add_build(parser)
    args = parser.parse_args()
    if args.plot and not args.results and "copy0" in args.peers and "haswell" not in args.peers:
        parser.error("argument --plot: copy0 is not drawn without haswell; measure both")
    for kind, peers in PEERS_OF.items():
        if args.only == [kind] and not set(peers) & set(args.peers):
            parser.error(f"argument --peers: --only {kind} is for {', '.join(peers)}")
    return args


def measure(rig, args):
    """All that is asked for: rows."""
    rows = []
    ends = [kind for kind in ("backend", "frontend") if kind in args.only]
    if args.only != ["ir"]:
        rig.reserve_hugepages()
    if "crossing" in args.only:
        rows += crossing.measure_crossings(rig, args.peers, args.rounds)
    if ends:
        rows += links.measure_ends(rig, args.peers, args.rounds, ends)
    if "rtt" in args.only:
        rows += links.measure_rtt(rig, args.peers, args.rounds)
    if "idle" in args.only:
        rows += links.measure_idle(rig, args.peers, args.rounds)
    if "scale" in args.only:
        rows += links.measure_scale(rig, args.peers, args.rounds)
    if "notify" in args.only:
        rows += notify.measure_notify(rig, args.peers, args.rounds)
    if "ir" in args.only:
        rows += crossing.measure_instructions(rig, args.peers, args.rounds)
    return rows


def results(args):
    """The rows, measured now or read."""
    if args.results:
        return read_json(args.results)
    if args.profile:
        os.makedirs(args.profile, exist_ok=True)
    with Rig(args) as rig:
        return measure(rig, args)


def main():
    """Measure, print, write, draw."""
    args = parse_args()
    groups = ("--with", "plot") if args.plot else ()
    if not args.results:
        options.prepare(args.build, "huge pages and the stand-in hypervisor need it", *groups)
    elif args.plot and shutil.which("gnuplot") is None:
        sys.exit("bench: error: no gnuplot; scripts/setup --with plot installs it")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        rows = results(args)
        print_table(rows)
        if args.json:
            write_json(rows, args.json)
        if args.plot:
            plot.draw(rows, args.plot)
    except (TestpmdError, subprocess.CalledProcessError, OSError, ValueError) as err:
        sys.exit(f"bench: {err}")


if __name__ == "__main__":
    main()
