# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors

"""The benchmark behind scripts/bench: net_xenvif beside its peers, in one run."""

import argparse
import contextlib
import json
import os
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile

import callgrind
import options
from testpmd import Testpmd, TestpmdError

SIZES = (64, 1518)
BURSTS = 4
# Room for twice the longest packet: the drivers can always place a packet within one page.
MBUF_SIZE = 3200
EAL = ["-l", "0,1", "-n", "1", "--no-pci", "--no-telemetry", "--file-prefix=xenvif-bench",
       "--log-level=lib.vhost:error"]
APP = ["-i", f"--mbuf-size={MBUF_SIZE}", "--total-num-mbufs=8192", "--forward-mode=io",
       "--nb-cores=1"]
PEERS = ("copy0", "haswell", "static", "vhost", "memif-zc", "memif-copy")
# Each peer is measured with both, for none is best for all of them, or for all sizes.
DESCRIPTORS = (256, 512)
# Static grants take no hypercall that could be charged for.
CHARGES = {"copy0": (0, 0), "haswell": (500, 400), "static": (500, 400)}
# Each mbuf's page is registered.
STATIC = ["--mbuf-pool-ops-name=xenfront_granted"]
HUGEPAGES = 400
NR_HUGEPAGES = "/proc/sys/vm/nr_hugepages"

# Instructions per packet: the object whose functions testpmd's loop calls, and the function below
# each that tells the direction.
IR_BACKENDS = {
    "copy0": ("librte_net_xenvif", ("xenvif_rx_burst", "xenvif_tx_burst")),
    "static": ("librte_net_xenvif", ("xenvif_rx_burst", "xenvif_tx_burst")),
    "vhost": ("librte_net_vhost", ("rte_vhost_dequeue_burst", "rte_vhost_enqueue_burst")),
}
# They are repeatable: more rounds than these tell nothing.
IR_ROUNDS = 5
# What the simulated hypervisor does, the copies among it.
HYPERVISOR = ("xengnttab_grant_copy", "xenevtchn_notify")


class Bench:
    """What all the measurements share: folders, the machine of the stand-in hypervisor."""

    def __init__(self, args):
        self.args = args
        self.dir = tempfile.mkdtemp(prefix="xenvif-bench-", dir="/dev/shm")
        self.log = os.path.join(args.build, "bench.log")
        self.xensim = os.path.join(args.build, "test/xensim/xensim")
        self.results = []
        self.hugepages = None
        self.runs = 0

    def __enter__(self):
        open(self.log, "wb").close()
        self._xensim("start", self.dir)
        self._xensim("--dir", self.dir, "vif-create", "0", "0", "backend=0", "--no-wait")
        return self

    def __exit__(self, *_):
        subprocess.run([self.xensim, "stop", self.dir], check=False)
        shutil.rmtree(self.dir, ignore_errors=True)
        if self.hugepages is not None:
            with open(NR_HUGEPAGES, "w", encoding="ascii") as f:
                f.write(self.hugepages)

    def reserve_hugepages(self):
        """Have enough of them for a testpmd, until the end."""
        with open(NR_HUGEPAGES, encoding="ascii") as f:
            before = f.read().strip()
        if int(before) >= HUGEPAGES:
            return
        self.hugepages = before
        with open(NR_HUGEPAGES, "w", encoding="ascii") as f:
            f.write(str(HUGEPAGES))
        with open(NR_HUGEPAGES, encoding="ascii") as f:
            if int(f.read()) < HUGEPAGES:
                raise TestpmdError(f"cannot reserve {HUGEPAGES} huge pages of 2 MiB")

    def _xensim(self, *args):
        subprocess.run([self.xensim, *args], check=True, stdout=subprocess.DEVNULL)

    def charge(self, profile):
        """Set what a hypercall and a copy operation cost, in nanoseconds."""
        hc_ns, op_ns = CHARGES[profile]
        self._xensim("--dir", self.dir, "charge", f"hc_ns={hc_ns}", f"op_ns={op_ns}",
                     "hc_batch=16")

    def ports(self, peer, descriptors):
        """
        EAL arguments of the backend, and the device at its other end, attached afterwards; None:
        they are of both ends.
        """
        self.runs += 1
        sock = f"{self.dir}/peer-{self.runs}.sock"
        if peer == "vhost":
            return ([f"--vdev=net_vhost0,iface={sock},queues=1"],
                    f"net_virtio_user0,path={sock},queue_size={descriptors},queues=1")
        if peer.startswith("memif"):
            zero_copy = "yes" if peer == "memif-zc" else "no"
            # One process may not name one socket in both roles: the client spells it otherwise.
            other = sock.replace("/peer", "//peer")
            return ([f"--vdev=net_memif0,role=server,id=0,socket={sock},socket-abstract=no"],
                    f"net_memif1,role=client,id=0,socket={other},socket-abstract=no,"
                    f"zero-copy={zero_copy},rsize={descriptors.bit_length() - 1}")
        drivers = ["-d", "librte_net_xenvif.so", "-d", "librte_net_xenfront.so"]
        if peer == "static":
            # The frontend makes the mempool.
            return ([*drivers, *STATIC, "--vdev=net_xenvif0,domid=0,devid=0,queues=1,static=16384",
                     "--vdev=net_xenfront0,devid=0,queues=1,granted=64"], None)
        return ([*drivers, "--vdev=net_xenvif0,domid=0,devid=0,queues=1"],
                "net_xenfront0,devid=0,queues=1")

    @contextlib.contextmanager
    def testpmd(self, peer, size, descriptors, wrapper=(), limit=300):
        """A testpmd whose two ports, a link's two ends, pass packets of a size around."""
        backend, frontend = self.ports(peer, descriptors)
        # Valgrind has no room for what DPDK reserves beside huge pages.
        memory = ["--no-huge", "--no-shconf", "-m", "256"] if wrapper else \
            ["--in-memory", "--single-file-segments"]
        argv = [*wrapper, "dpdk-testpmd", *EAL, *memory, *backend, "--", *APP,
                f"--txpkts={size}", f"--rxd={descriptors}", f"--txd={descriptors}"]
        env = dict(os.environ)
        if peer in CHARGES:
            env.update(self._sim_env())
        with Testpmd(argv, env, self.log, limit) as pmd:
            if frontend is not None:
                pmd.command(f"port attach {frontend}")
                pmd.command("port start 1")
            pmd.wait_links(2)
            pmd.command("set portlist 0,1")
            pmd.command(f"start tx_first {BURSTS}")
            yield pmd
            pmd.command("stop")

    def _sim_env(self):
        text = subprocess.run([self.xensim, "--dir", self.dir, "env", "0"], check=True,
                              capture_output=True, text=True).stdout
        env = {}
        for line in text.splitlines():
            key, _, value = shlex.split(line)[1].partition("=")
            env[key] = value
        env["LD_LIBRARY_PATH"] += ":" + os.path.join(self.args.build, "drivers")
        return env

    def crossing(self, peer, size, descriptors):
        """Million packets a second through one link, both of its ends on one core."""
        if peer in CHARGES:
            self.charge(peer)
        with self.testpmd(peer, size, descriptors) as pmd:
            return pmd.rate(self.args.seconds) / 1e6

    def instructions(self, peer, size):
        """
        Instructions per packet of the backend's (rx, tx) burst functions: a pair of all of them,
        and of those without the hypervisor's part.
        """
        out = os.path.join(self.args.profile or self.dir, f"{peer}.{size}")
        wrapper = ("valgrind", "--tool=callgrind", "--callgrind-out-file=" + out.replace("%", "%%"),
                   "--compress-strings=no", "--compress-pos=no", "--fair-sched=yes")
        if peer in CHARGES:
            self.charge(peer)
        with self.testpmd(peer, size, max(DESCRIPTORS), wrapper, 900) as pmd:
            pmd.rate(self.args.seconds)
            pmd.command("stop")
            packets = pmd.counts()[0]
        calls = callgrind.read_calls(out)
        return [self._of_direction(peer, calls, marker, count)
                for marker, count in zip(IR_BACKENDS[peer][1], packets)]

    @staticmethod
    def _of_direction(peer, calls, marker, packets):
        obj = IR_BACKENDS[peer][0]
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

    def add(self, name, unit, samples, descriptors=None):
        """Keep one result; descriptors are those it was measured with, as text."""
        self.results.append({
            "name": name, "unit": unit, "descriptors": descriptors, "n": len(samples),
            "median": round(statistics.median(samples), 3),
            "min": round(min(samples), 3), "max": round(max(samples), 3),
        })


def measure_crossings(bench, peers, rounds):
    """All the crossings, round by round, each round beginning with another peer."""
    bench.reserve_hugepages()
    samples = {(size, peer, d): [] for size in SIZES for peer in peers for d in DESCRIPTORS}
    for rnd in range(rounds):
        for size in SIZES:
            order = peers[rnd % len(peers):] + peers[:rnd % len(peers)]
            for peer, descriptors in ((p, d) for p in order for d in DESCRIPTORS):
                rate = bench.crossing(peer, size, descriptors)
                samples[size, peer, descriptors].append(rate)
                print(f"  round {rnd + 1}/{rounds}  {size:5} bytes  {peer:10}  {descriptors} "
                      f"descriptors  {rate:8.2f} Mpps", file=sys.stderr, flush=True)
    for (size, peer, descriptors), values in samples.items():
        bench.add(f"crossing.{size}.{peer}.{descriptors}", "Mpps", values, str(descriptors))
    for size in SIZES:
        add_best(bench, size, peers, samples)


def add_best(bench, size, peers, samples):
    """What each peer does with the number of descriptors that is best for it."""
    best = {peer: max(DESCRIPTORS, key=lambda d, p=peer: statistics.median(samples[size, p, d]))
            for peer in peers}
    for peer in peers:
        bench.add(f"crossing.{size}.{peer}", "Mpps", samples[size, peer, best[peer]],
                  str(best[peer]))
    for peer in peers:
        if peer != "vhost" and "vhost" in peers:
            pairs = zip(samples[size, peer, best[peer]], samples[size, "vhost", best["vhost"]])
            bench.add(f"crossing.{size}.{peer}/vhost", "ratio", [a / b for a, b in pairs],
                      f"{best[peer]}/{best['vhost']}")


def measure_instructions(bench, peers, rounds):
    """Instructions per packet."""
    for size in SIZES:
        for peer in peers:
            samples = [bench.instructions(peer, size) for _ in range(rounds)]
            for i, direction in enumerate(("rx", "tx")):
                name = f"ir.{direction}.{size}.{peer}"
                whole, own = zip(*(s[i] for s in samples))
                add_instructions(bench, name, own)
                if peer in CHARGES:
                    add_instructions(bench, f"{name}+hypervisor", whole)


def add_instructions(bench, name, values):
    """One result of measure_instructions()."""
    bench.add(name, "instructions/packet", values, str(max(DESCRIPTORS)))
    print(f"  {name:30}  {statistics.median(values):8.1f} instructions/packet", file=sys.stderr,
          flush=True)


def print_table(results):
    """The results as a table."""
    print(f"{'name':30} {'unit':20} {'descriptors':>11} {'n':>3} {'median':>9} {'min':>9} "
          f"{'max':>9}")
    for r in results:
        print(f"{r['name']:30} {r['unit']:20} {r['descriptors']:>11} {r['n']:3} "
              f"{r['median']:9.2f} {r['min']:9.2f} {r['max']:9.2f}")


def parse_args():
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description="Measure net_xenvif beside net_vhost and net_memif. "
        f"Needs root, and reserves {HUGEPAGES} huge pages of 2 MiB while packets cross.",
        epilog="copy0: the stand-in hypervisor charges nothing; haswell: 500 ns a hypercall, "
        "400 ns a copy operation, 16 operations a hypercall (emulated); static: the same, and all "
        "mbufs in pages that the frontend has registered. One core carries both ends of a link; "
        "rates are by the time that core was had. Each peer is measured with 256 and with 512 "
        "descriptors; the rows without a number are the better of the two. Compare within a run: "
        "the machine's speed is not the same in another. `scripts/bench xen` compares with "
        "xen-netback on a real Xen in an emulated machine, `scripts/bench wake` how long a packet "
        "takes to wake up a program.")
    parser.add_argument("--json", metavar="FILE", type=options.output_file,
                        help="write the results as JSON, too")
    parser.add_argument("--rounds", type=options.number(int, 1), default=5,
                        help="rounds of crossings (default 5)")
    parser.add_argument("--seconds", type=options.number(float, 0.01), default=1.0,
                        help="length of one measurement (default 1)")
    parser.add_argument("--only", choices=("crossing", "ir"), help="only one kind of result")
    parser.add_argument("--peers", type=options.names(PEERS), default=",".join(PEERS),
                        help="which ends to measure (default %(default)s)")
    parser.add_argument("--profile", metavar="DIR", type=options.output_folder,
                        help="keep callgrind's profiles, as DIR/PEER.SIZE")
    options.add_build(parser)
    args = parser.parse_args()
    args.ir_peers = [p for p in IR_BACKENDS if p in args.peers and args.only != "crossing"]
    if args.only == "ir" and not args.ir_peers:
        parser.error(f"argument --peers: --only ir is for {' and '.join(IR_BACKENDS)}")
    return args


def main():
    """Measure, print, write."""
    args = parse_args()
    options.prepare(args.build, "huge pages and the stand-in hypervisor need it")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        if args.profile:
            os.makedirs(args.profile, exist_ok=True)
        with Bench(args) as bench:
            if args.only != "ir":
                measure_crossings(bench, args.peers, args.rounds)
            measure_instructions(bench, args.ir_peers, min(args.rounds, IR_ROUNDS))
            print_table(bench.results)
            if args.json:
                with open(args.json, "w", encoding="ascii") as f:
                    json.dump(bench.results, f, indent=1)
                    f.write("\n")
    except (TestpmdError, subprocess.CalledProcessError, OSError) as err:
        sys.exit(f"bench: {err}")


if __name__ == "__main__":
    main()
