# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors

"""Drives one dpdk-testpmd through its command line."""

import glob
import os
import pty
import re
import select
import shlex
import signal
import subprocess
import time

# The prompt comes letter by letter, and what other threads say may stand between them.
SAID = re.compile(rb"(?:Port \d+: [a-z ]+ event|(?:XEN|VHOST_CONFIG): [^\r\n]*)\r?\n")
PROMPT = re.compile(rb"t\s*e\s*s\s*t\s*p\s*m\s*d\s*>")
# rte-worker-1, from DPDK 23.07 on dpdk-worker1.
WORKER = re.compile(r"-worker-?\d+$", re.MULTILINE)


class TestpmdError(Exception):
    """testpmd ended, or did not do what it was told in time."""


class Testpmd:
    """A testpmd with an interactive prompt; a context manager that ends it."""

    def __init__(self, argv, env, log, limit=120):
        self.limit = limit
        self.log = open(log, "ab")
        self.log.write((shlex.join(argv) + "\n").encode())
        # A terminal, so that what is printed and the prompt come in order.
        self.tty, tty = pty.openpty()
        try:
            self.proc = subprocess.Popen(argv, env=env, stdin=subprocess.PIPE, stdout=tty,
                                         stderr=tty, start_new_session=True)
        finally:
            os.close(tty)
        self.output = b""
        self.doing = "start"

    def __enter__(self):
        try:
            self._wait_prompt()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """End testpmd: politely, then not."""
        if self.proc.poll() is None:
            try:
                self.doing = "quit"
                self.proc.stdin.write(b"quit\n")
                self.proc.stdin.flush()
                self._drain_until_exit(self.limit)
            except (BrokenPipeError, TestpmdError, subprocess.TimeoutExpired):
                pass
        if self.proc.poll() is None:
            os.killpg(self.proc.pid, signal.SIGKILL)
            self.proc.wait()
        os.close(self.tty)
        try:
            self.proc.stdin.close()
        except BrokenPipeError:
            pass
        self.log.close()

    def command(self, text):
        """Run one command and return what it printed."""
        self.output = b""
        self.doing = text
        self.proc.stdin.write(text.encode() + b"\n")
        self.proc.stdin.flush()
        return self._wait_prompt()

    def wait_links(self, ports):
        """Wait until the links of ports 0 .. ports - 1 are up."""
        end = time.monotonic() + self.limit
        while time.monotonic() < end:
            text = self.command("show port summary all")
            if len(re.findall(r"^\d.*\bup\b", text, re.MULTILINE)) >= ports:
                return
            time.sleep(0.1)
        raise TestpmdError("the links did not come up:\n" + text)

    def rate(self, seconds):
        """
        Packets received by all ports per second that the forwarding thread had a core: that of
        the wall clock on a quiet machine, and comparable on one that is not.
        """
        cpu, counts = self._worker_seconds(), self.counts()
        end = time.monotonic() + self.limit
        time.sleep(seconds)
        while self._worker_seconds() - cpu < seconds / 2 and time.monotonic() < end:
            time.sleep(seconds / 2)
        cpu, counts = self._worker_seconds() - cpu, list(zip(counts, self.counts()))
        packets = sum(after[0] - before[0] for before, after in counts)
        if packets == 0:
            raise TestpmdError(f"no packet passes in {cpu:.2f} s of the forwarding thread")
        return packets / cpu

    def _worker_seconds(self):
        """Time that the threads of the lcores have run; the main one waits for commands."""
        times = []
        for task in glob.glob(f"/proc/{self.proc.pid}/task/*"):
            with open(f"{task}/comm", encoding="ascii") as f:
                if not WORKER.search(f.read()):
                    continue
            with open(f"{task}/schedstat", encoding="ascii") as f:
                times.append(int(f.read().split()[0]))
        if not times:
            raise TestpmdError("no thread of testpmd is named as those of DPDK's lcores are")
        return sum(times) / 1e9

    def counts(self):
        """Packets (received, sent), by port."""
        text = self.command("show port stats all")
        rx = [int(n) for n in re.findall(r"RX-packets:\s+(\d+)", text)]
        tx = [int(n) for n in re.findall(r"TX-packets:\s+(\d+)", text)]
        return list(zip(rx, tx))

    def received(self):
        """Packets and bytes that all ports have received."""
        text = self.command("show port stats all")
        return tuple(sum(map(int, re.findall(rf"RX-{what}:\s+(\d+)", text)))
                     for what in ("packets", "bytes"))

    def xstats(self, port):
        """The port's extended statistics."""
        text = self.command(f"show port xstats {port}")
        return {k: int(v) for k, v in re.findall(r"^(\w+): (\d+)", text, re.MULTILINE)}

    def _read(self, limit):
        ready, _, _ = select.select([self.tty], [], [], limit)
        if not ready:
            last = self.output.decode(errors="replace").split("\n")[-1].strip()
            raise TestpmdError(f"no answer to '{self.doing}' within {self.limit} s, but "
                               f"'{last[-80:]}'; see {self.log.name}")
        try:
            data = os.read(self.tty, 65536)
        except OSError:
            # The other side is closed: testpmd has ended.
            return b""
        self.log.write(data)
        self.log.flush()
        self.output += data
        return data

    def _wait_prompt(self):
        end = time.monotonic() + self.limit
        while not PROMPT.search(SAID.sub(b"", self.output)):
            if not self._read(max(0, end - time.monotonic())):
                raise TestpmdError("testpmd ended:\n" + self.output.decode()[-2000:])
        return self.output.decode(errors="replace").replace("\r", "")

    def _drain_until_exit(self, limit):
        end = time.monotonic() + limit
        while self._read(max(0, end - time.monotonic())):
            pass
        self.proc.wait(max(1, end - time.monotonic()))
