# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors

"""The measurement behind `scripts/bench hardware`: what this machine's Xen takes for an operation."""

import argparse
import os
import subprocess
import sys

import options
from results import write_json

# Linux' gntdev gives Xen as many copies at a time.
HC_BATCH = 16
NAMES = {"copy": "grant copy of 64 bytes", "map": "page mapped", "unmap": "page unmapped",
         "notify": "notification sent"}


def read_costs(text):
    """Nanoseconds of a call by what it does and how many of them."""
    costs = {}
    for line in text.splitlines():
        what, number, ns = line.split()
        costs[what, int(number)] = float(ns)
    return costs


def fit(copies):
    """
    Nanoseconds of a hypercall and of an operation in it, which explain best, by the squares of the
    relative errors, what calls of so many copies take.
    """
    calls = [-(-n // HC_BATCH) / t for n, t in copies]
    ops = [n / t for n, t in copies]
    aa, ab, bb = (sum(x * y for x, y in zip(u, v)) for u, v in
                  ((calls, calls), (calls, ops), (ops, ops)))
    a, b = sum(calls), sum(ops)
    det = aa * bb - ab * ab
    hc_ns, op_ns = (a * bb - b * ab) / det, (b * aa - a * ab) / det
    # Where one of them is too small to be told from nothing, the other one is all.
    if hc_ns < 0:
        return 0, b / bb
    return (hc_ns, op_ns) if op_ns >= 0 else (a / aa, 0)


def profile_of(costs):
    """What xensim's command charge takes."""
    pages = max(n for what, n in costs if what == "map")
    hc_ns, op_ns = fit([(n, max(ns, 1)) for (what, n), ns in sorted(costs.items())
                        if what == "copy"])
    return {"hc_ns": round(hc_ns), "op_ns": round(op_ns),
            "map_ns": round(costs["map", pages] / pages),
            "unmap_ns": round(costs["unmap", pages] / pages),
            "evtchn_ns": round(costs["notify", 1]), "hc_batch": HC_BATCH}


def print_table(costs, profile):
    """For people, on standard error: standard output has the profile alone."""
    print(f"{'':24} {'in one call':>11} {'ns a call':>10} {'ns each':>10} {'by the profile':>15}",
          file=sys.stderr)
    for (what, number), ns in costs.items():
        by_profile = {"copy": -(-number // HC_BATCH) * profile["hc_ns"] + number * profile["op_ns"],
                      "map": number * profile["map_ns"], "unmap": number * profile["unmap_ns"],
                      "notify": profile["evtchn_ns"]}[what]
        print(f"{NAMES[what]:24} {number:11} {ns:10.0f} {ns / number:10.0f} {by_profile:15.0f}",
              file=sys.stderr)


def parse_args():
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench hardware", description="Measure what the Xen of this machine takes for "
        "a hypercall, for each grant copy in it, for a page mapped and unmapped, and for a "
        "notification, by the libraries and devices that net_xenvif uses. Run it in the domain of "
        "the backend, as root. Prints the profile that makes the stand-in hypervisor as slow: "
        "xensim charge takes it.",
        epilog="Without --guest the domain has granted the pages to itself, which Xen may refuse. "
        "With it run scripts/bench hardware --serve 0 in the guest first (0: the domain of the "
        "backend).")
    ends = parser.add_mutually_exclusive_group()
    ends.add_argument("--guest", metavar="DOMID", type=options.number(int, 0, 32751),
                      help="measure with pages of this domain")
    ends.add_argument("--serve", metavar="DOMID", type=options.number(int, 0, 32751),
                      help="in a guest: have pages for this domain to measure with, until the end of "
                      "standard input")
    parser.add_argument("--seconds", type=options.number(float, 0.01), default=1.0,
                        help="length of each of the 8 measurements (default 1)")
    parser.add_argument("--json", metavar="FILE", type=options.output_file,
                        help="write what was measured, and the profile, as JSON, too")
    options.add_build(parser)
    return parser.parse_args()


def main():
    """Measure, print, write."""
    args = parse_args()
    options.prepare(args.build, "Xen's devices need it")
    tool = os.path.join(args.build, "test/perf/xencosts")
    if args.serve is not None:
        os.execv(tool, [tool, "--serve", str(args.serve)])
    argv = [tool, str(max(1, round(args.seconds * 1000)))]
    if args.guest is not None:
        argv.append(str(args.guest))
    done = subprocess.run(argv, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
                          check=False)
    if done.returncode != 0:
        sys.exit("bench: error: nothing is measured: see above")
    costs = read_costs(done.stdout)
    profile = profile_of(costs)
    print_table(costs, profile)
    print(" ".join(f"{key}={value}" for key, value in profile.items()))
    if args.json:
        write_json({"calls": [{"what": what, "number": number, "ns": ns}
                              for (what, number), ns in costs.items()], "profile": profile},
                   args.json)


if __name__ == "__main__":
    main()
