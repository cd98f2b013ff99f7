# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors

"""The benchmark behind scripts/bench: net_xenvif beside its peers, in one run."""

import argparse
import contextlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile

import callgrind
from testpmd import Testpmd, TestpmdError

SIZES = (64, 1518)
BURSTS = 4
# Room for twice the longest packet: the drivers can always place a packet within one page.
MBUF_SIZE = 3200
EAL = ["-l", "0,1", "-n", "1", "--no-pci", "--no-telemetry", "--file-prefix=xenvif-bench",
       "--log-level=lib.vhost:error"]
APP = ["-i", f"--mbuf-size={MBUF_SIZE}", "--total-num-mbufs=8192", "--rxd=512", "--txd=512",
       "--forward-mode=io", "--nb-cores=1"]
CHARGES = {"copy0": (0, 0), "haswell": (500, 400)}
HUGEPAGES = 400
NR_HUGEPAGES = "/proc/sys/vm/nr_hugepages"

# Instructions per packet: the object whose functions testpmd's loop calls, the function below
# each that tells the direction, and what is left out of it, the simulated hypervisor's work.
IR_BACKENDS = {
    "copy0": ("librte_net_xenvif", ("xenvif_rx_burst", "xenvif_tx_burst")),
    "vhost": ("librte_net_vhost", ("rte_vhost_dequeue_burst", "rte_vhost_enqueue_burst")),
}


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
        self._reserve_hugepages()
        self._xensim("start", self.dir)
        self._xensim("--dir", self.dir, "vif-create", "0", "0", "backend=0", "--no-wait")
        return self

    def __exit__(self, *_):
        subprocess.run([self.xensim, "stop", self.dir], check=False)
        shutil.rmtree(self.dir, ignore_errors=True)
        if self.hugepages is not None:
            with open(NR_HUGEPAGES, "w", encoding="ascii") as f:
                f.write(self.hugepages)

    def _reserve_hugepages(self):
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

    def ports(self, peer):
        """EAL arguments of the backend, and the device at its other end, attached afterwards."""
        self.runs += 1
        sock = f"{self.dir}/peer-{self.runs}.sock"
        if peer == "vhost":
            return ([f"--vdev=net_vhost0,iface={sock},queues=1"],
                    f"net_virtio_user0,path={sock},queue_size=512,queues=1")
        if peer.startswith("memif"):
            zero_copy = "yes" if peer == "memif-zc" else "no"
            # One process may not name one socket in both roles: the client spells it otherwise.
            other = sock.replace("/peer", "//peer")
            return ([f"--vdev=net_memif0,role=server,id=0,socket={sock},socket-abstract=no"],
                    f"net_memif1,role=client,id=0,socket={other},socket-abstract=no,"
                    f"zero-copy={zero_copy}")
        return (["-d", "librte_net_xenvif.so", "-d", "librte_net_xenfront.so",
                 "--vdev=net_xenvif0,domid=0,devid=0,queues=1"],
                "net_xenfront0,devid=0,queues=1")

    @contextlib.contextmanager
    def testpmd(self, peer, size, wrapper=(), limit=60):
        """A testpmd whose two ports, a link's two ends, pass packets of a size around."""
        backend, frontend = self.ports(peer)
        # Valgrind has no room for what DPDK reserves beside huge pages.
        memory = ["--no-huge", "-m", "256"] if wrapper else \
            ["--in-memory", "--single-file-segments"]
        argv = [*wrapper, "dpdk-testpmd", *EAL, *memory, *backend, "--", *APP,
                f"--txpkts={size}"]
        env = dict(os.environ)
        if peer in CHARGES:
            env.update(self._sim_env())
        with Testpmd(argv, env, self.log, limit) as pmd:
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
            key, _, value = line.removeprefix("export ").partition("=")
            env[key] = value.strip("'\"")
        env["LD_LIBRARY_PATH"] += ":" + os.path.join(self.args.build, "drivers")
        return env

    def crossing(self, peer, size):
        """Million packets a second through one link, both of its ends on one core."""
        if peer in CHARGES:
            self.charge(peer)
        with self.testpmd(peer, size) as pmd:
            return pmd.rate(self.args.seconds) / 1e6

    def instructions(self, peer, size):
        """Instructions per packet of the backend's (rx, tx) burst functions."""
        out = os.path.join(self.dir, "callgrind.out")
        wrapper = ("valgrind", "--tool=callgrind", f"--callgrind-out-file={out}",
                   "--compress-strings=no", "--compress-pos=no", "--fair-sched=yes")
        if peer in CHARGES:
            self.charge(peer)
        with self.testpmd(peer, size, wrapper, 300) as pmd:
            pmd.rate(self.args.seconds)
            pmd.command("stop")
            rx, tx = pmd.counts()[0]
        calls = callgrind.read_calls(out)
        return self._per_direction(peer, calls, rx, tx)

    @staticmethod
    def _per_direction(peer, calls, rx, tx):
        obj, below = IR_BACKENDS[peer]
        burst = [c for c in calls if obj in c.callee_obj and "testpmd" in c.obj]
        result = []
        for marker, packets in zip(below, (rx, tx)):
            if peer == "vhost":
                # The burst functions have no names in Debian's library: known by what they call.
                fns = {c.fn for c in calls if obj in c.obj and c.callee_fn == marker}
            else:
                fns = {marker}
            cost = sum(c.cost for c in burst if c.callee_fn in fns)
            if cost == 0 or packets == 0:
                raise TestpmdError(f"no calls of {marker} in the profile of {peer}")
            for fn in ("xengnttab_grant_copy", "xenevtchn_notify"):
                cost -= sum(c.cost for c in calls if c.callee_fn.startswith(fn) and
                            c.fn in fns)
            result.append(cost / packets)
        return result

    def add(self, name, unit, samples):
        """Keep and print one result."""
        self.results.append({
            "name": name, "unit": unit, "n": len(samples),
            "median": round(statistics.median(samples), 3),
            "min": round(min(samples), 3), "max": round(max(samples), 3),
        })


def measure_crossings(bench, peers, rounds):
    """All the crossings, round by round, each round beginning with another peer."""
    samples = {(size, peer): [] for size in SIZES for peer in peers}
    for rnd in range(rounds):
        for size in SIZES:
            order = peers[rnd % len(peers):] + peers[:rnd % len(peers)]
            for peer in order:
                rate = bench.crossing(peer, size)
                samples[size, peer].append(rate)
                print(f"  round {rnd + 1}/{rounds}  {size:5} bytes  {peer:10}  {rate:8.2f} Mpps",
                      file=sys.stderr, flush=True)
    for (size, peer), values in samples.items():
        bench.add(f"crossing.{size}.{peer}", "Mpps", values)
    for size in SIZES:
        for peer in peers:
            if peer != "vhost" and "vhost" in peers:
                ratios = [a / b for a, b in zip(samples[size, peer], samples[size, "vhost"])]
                bench.add(f"crossing.{size}.{peer}/vhost", "ratio", ratios)


def measure_instructions(bench, peers, rounds):
    """Instructions per packet; repeatable, so that few rounds do."""
    for size in SIZES:
        for peer in peers:
            samples = [bench.instructions(peer, size) for _ in range(rounds)]
            for i, direction in enumerate(("rx", "tx")):
                values = [s[i] for s in samples]
                bench.add(f"ir.{direction}.{size}.{peer}", "instructions/packet", values)
                print(f"  {direction} {size:5} bytes  {peer:10}  {statistics.median(values):8.1f} "
                      "instructions/packet", file=sys.stderr, flush=True)


def print_table(results):
    """The results as a table."""
    print(f"{'name':32} {'unit':20} {'n':>3} {'median':>10} {'min':>10} {'max':>10}")
    for r in results:
        print(f"{r['name']:32} {r['unit']:20} {r['n']:3} {r['median']:10.2f} {r['min']:10.2f} "
              f"{r['max']:10.2f}")


def parse_args():
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description="Measure net_xenvif beside net_vhost and net_memif.",
        epilog="copy0: the stand-in hypervisor charges nothing; haswell: 500 ns a hypercall, "
        "400 ns a copy operation, 16 operations a hypercall (emulated). One core carries both "
        "ends of a link; rates are by the time that core was had. Compare within a run: the "
        "machine's speed is not the same in another. `scripts/bench xen` compares with xen-netback "
        "on a real Xen in an emulated machine.")
    parser.add_argument("--json", metavar="FILE", help="write the results as JSON, too")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of crossings (default 5)")
    parser.add_argument("--seconds", type=float, default=1.0,
                        help="length of one measurement (default 1)")
    parser.add_argument("--only", choices=("crossing", "ir"), help="only one kind of result")
    parser.add_argument("--peers", default="copy0,haswell,vhost,memif-zc,memif-copy",
                        help="which ends to measure (default %(default)s)")
    parser.add_argument("--build", required=True, help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    """Measure, print, write."""
    args = parse_args()
    peers = args.peers.split(",")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with Bench(args) as bench:
            if args.only != "ir":
                measure_crossings(bench, peers, args.rounds)
            if args.only != "crossing":
                measure_instructions(bench, [p for p in IR_BACKENDS if p in peers], 5)
            print_table(bench.results)
            if args.json:
                with open(args.json, "w", encoding="ascii") as f:
                    json.dump(bench.results, f, indent=1)
                    f.write("\n")
    except (TestpmdError, subprocess.CalledProcessError, OSError) as err:
        sys.exit(f"bench: {err}")


if __name__ == "__main__":
    main()
