#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
"""Run the blocks of commands of a document as they are written (see blocks.py), in their order.

The stand-in machine that XENSIM_DIR names stands for the host with Xen; its domains 1 and 2 have
the network namespaces guest1 and guest2. Prints a verdict for each block.
"""

import argparse
import contextlib
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time

import blocks
from terminal import Terminal, TerminalError

SHELL_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Session:
    """What the blocks of one document share: terminals by their names."""

    def __init__(self, args, scripts):
        self.args = args
        self.scripts = scripts
        self.terminals = {}
        self.shown = ""

    def close(self):
        """Hang up all terminals."""
        for terminal in self.terminals.values():
            terminal.close()

    def terminal(self, name):
        """A terminal, in a fresh shell when it is new."""
        if name not in self.terminals:
            self.terminals[name] = Terminal(self.args.tree, self._env(name.split()[0]),
                                            self.args.limit)
        return self.terminals[name]

    def _env(self, place):
        """The environment that a person finds there: a plain one, or that of a domain."""
        env = {"HOME": "/root", "PATH": f"{self.args.bin}:{SHELL_PATH}", "TERM": "xterm",
               "LANG": "C.UTF-8", "USER": "root", "SHELL": "/bin/bash",
               "CFLAGS": os.environ.get("CFLAGS", "")}
        domid = {"host": None, "dom0": 0, "guest1": 1, "guest2": 2}[place]
        if domid is not None:
            text = subprocess.run([self.args.xensim, "env", str(domid)], check=True,
                                  capture_output=True, text=True).stdout
            env.update(shlex.split(line)[1].split("=", 1) for line in text.splitlines())
        return env

    def run(self, number, block):
        """Run one block."""
        mark = block.mark
        path = os.path.join(self.scripts, f"{number}.sh")
        with open(path, "w", encoding="utf-8") as f:
            f.write(block.text)
        for name in block.terminals():
            terminal = self.terminal(name)
            terminal.run(path, mark.get("until", "" if "stays" in mark else None))
            self.shown = terminal.output
        if "then" in mark:
            self.afterwards(mark["then"])

    def afterwards(self, what):
        """What has to be so soon after a block."""
        check = {"talk": guests_talk, "connected": self.guest1_connected}[what]
        end = time.monotonic() + self.args.limit
        while not check():
            if time.monotonic() > end:
                raise TerminalError(f"'{what}' does not come true")
            time.sleep(0.2)

    def guest1_connected(self):
        """Both ends of its first vif are connected."""
        done = subprocess.run([self.args.xensim, "exec", "0", "--", "xenstore-read",
                               "/local/domain/1/device/vif/0/state",
                               "/local/domain/0/backend/vif/1/0/state"],
                              capture_output=True, text=True, check=False)
        return done.stdout.split() == ["4", "4"]

    def check_output(self, block):
        """The lines of a block of text have to be in what the block before has printed."""
        shown = {loose(line) for line in self.shown.splitlines()}
        for line in block.text.splitlines():
            if line.strip() != "..." and loose(line) not in shown:
                raise TerminalError(f"it has not printed: {line}")


def loose(line):
    """A line without its numbers and the widths of its gaps."""
    return re.sub(r"\s+", " ", re.sub(r"[0-9][0-9.,]*", "N", line)).strip()


def guests_talk():
    """The guests' interfaces come up with their vifs; then guest1 has to reach guest2."""
    for guest in "1", "2":
        quiet("ip", "-n", f"guest{guest}", "addr", "replace", f"10.99.0.{guest}/24", "dev", "eth0")
    return quiet("ip", "netns", "exec", "guest1", "ping", "-c", "3", "-i", "0.2", "-w", "10",
                 "10.99.0.2")


def quiet(*argv):
    """Does a command succeed?"""
    return subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          check=False).returncode == 0


def verdict(block, call, *args):
    """Print one; was it good?"""
    try:
        call(*args)
    except TerminalError as err:
        print(f"not ok {block.where} - {err}", flush=True)
        return False
    print(f"ok {block.where}", flush=True)
    return True


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tree", required=True, help="where the commands are run")
    parser.add_argument("--xensim", required=True, help="the tool of the stand-in machine")
    parser.add_argument("--bin", default="/nonexistent", help="a folder before those of PATH")
    parser.add_argument("--limit", type=float, default=900, help="of each block, in seconds")
    parser.add_argument("document", help="as blocks.py names it")
    args = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory() as scripts:
        session = Session(args, scripts)
        with contextlib.closing(session):
            for number, block in enumerate(blocks.Document(args.document).blocks):
                if block.here:
                    good = verdict(block, session.run, number, block)
                elif "output" in block.mark:
                    good = verdict(block, session.check_output, block)
                if not good:
                    # What follows counts on it.
                    print(terminals_output(session), file=sys.stderr)
                    break
    sys.exit(not good)


def terminals_output(session):
    """The last of what was printed, for whoever looks for the reason."""
    return "\n".join(f"--- {name}\n{terminal.output[-4000:]}"
                     for name, terminal in session.terminals.items())


if __name__ == "__main__":
    main()
