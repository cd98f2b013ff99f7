# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors

"""What the measurements of scripts/bench share: the stand-in hypervisor, and links' two ends."""

import os
import shlex
import shutil
import subprocess
import tempfile

from testpmd import TestpmdError

# Room for twice the longest packet: the drivers can always place a packet within one page.
MBUF_SIZE = 3200
EAL = ["-l", "0,1", "-n", "1", "--no-pci", "--no-telemetry", "--file-prefix=xenvif-bench",
       "--log-level=lib.vhost:error"]
PEERS = ("copy0", "haswell", "static", "vhost", "memif-zc", "memif-copy")
# Each peer is measured with both, for none is best for all of them, or for all sizes.
DESCRIPTORS = (256, 512)
# Static grants take no hypercall that could be charged for.
CHARGES = {"copy0": (0, 0), "haswell": (500, 400), "static": (500, 400)}
DRIVERS = ["-d", "librte_net_xenvif.so", "-d", "librte_net_xenfront.so"]
# Each mbuf's page is registered.
STATIC = ["--mbuf-pool-ops-name=xenfront_granted"]
VIFS = 30
HUGEPAGES = 400
NR_HUGEPAGES = "/proc/sys/vm/nr_hugepages"


class Rig:
    """Folders, and a machine of the stand-in hypervisor, for as long as it is measured."""

    def __init__(self, args):
        self.args = args
        self.dir = tempfile.mkdtemp(prefix="xenvif-bench-", dir="/dev/shm")
        self.log = os.path.join(args.build, "bench.log")
        self.xensim_tool = os.path.join(args.build, "test/xensim/xensim")
        self.hugepages = None
        self.runs = 0
        self.vifs = 0

    def __enter__(self):
        open(self.log, "wb").close()
        try:
            self.xensim("start", self.dir)
            self.have_vifs(1)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        subprocess.run([self.xensim_tool, "stop", self.dir], check=False,
                       stderr=subprocess.DEVNULL)
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

    def xensim(self, *args):
        """The tool; what it prints."""
        where = () if args[0] == "start" else ("--dir", self.dir)
        with open(self.log, "ab") as log:
            return subprocess.run([self.xensim_tool, *where, *args], check=True,
                                  stdout=subprocess.PIPE, stderr=log, text=True).stdout

    def have_vifs(self, number):
        """Have vifs from 0 on, with both ends in domain 0."""
        for devid in range(self.vifs, number):
            self.xensim("vif-create", "0", str(devid), "backend=0", "--no-wait")
        self.vifs = max(self.vifs, number)

    def charge(self, peer):
        """Set what a hypercall and a copy operation cost; nothing for what makes none."""
        hc_ns, op_ns = CHARGES.get(peer, (0, 0))
        self.xensim("charge", f"hc_ns={hc_ns}", f"op_ns={op_ns}", "hc_batch=16")

    def environment(self, domid=0):
        """That of a program of a domain, with our drivers."""
        env = dict(os.environ)
        for line in self.xensim("env", str(domid)).splitlines():
            key, _, value = shlex.split(line)[1].partition("=")
            env[key] = value
        env["LD_LIBRARY_PATH"] += ":" + os.path.join(self.args.build, "drivers")
        return env

    def ports(self, peer, descriptors, links=1):
        """
        EAL arguments of the backends, and the devices at their other ends, attached afterwards;
        none: the arguments are of both ends.
        """
        self.runs += 1
        if peer == "static":
            # The frontend makes the mempool.
            return ([*DRIVERS, *STATIC, "--vdev=net_xenvif0,domid=0,devid=0,queues=1,static=16384",
                     "--vdev=net_xenfront0,devid=0,queues=1,granted=64"], [])
        backends, frontends = [], []
        for i in range(links):
            sock = f"{self.dir}/peer-{self.runs}-{i}.sock"
            # One process may not name one socket in both roles: the client spells it otherwise.
            other = sock.replace("/peer", "//peer")
            if peer == "vhost":
                backends.append(f"--vdev=net_vhost{i},iface={sock},queues=1")
                frontends.append(f"net_virtio_user{i},path={sock},queue_size={descriptors},"
                                 "queues=1")
            elif peer.startswith("memif"):
                zero_copy = "yes" if peer == "memif-zc" else "no"
                backends.append(f"--vdev=net_memif{i},role=server,id={i},socket={sock},"
                                "socket-abstract=no")
                frontends.append(f"net_memif{links + i},role=client,id={i},socket={other},"
                                 f"socket-abstract=no,zero-copy={zero_copy},"
                                 f"rsize={descriptors.bit_length() - 1}")
            else:
                backends.append(f"--vdev=net_xenvif{i},domid=0,devid={i},queues=1,static=16384")
                frontends.append(f"net_xenfront{i},devid={i},queues=1")
        return ([*(DRIVERS if peer in CHARGES else []), *backends], frontends)
