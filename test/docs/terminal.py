# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors

"""A shell on a terminal of its own, which is typed to as a person would."""

import os
import pty
import re
import select
import signal
import time


class TerminalError(Exception):
    """What was typed has failed, or has not done what it should within the limit."""


class Terminal:
    """An interactive bash; what a block exports or leaves running is there for the next one."""

    def __init__(self, cwd, env, limit):
        self.limit = limit
        self.busy = False
        self.count = 0
        self.output = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            os.execve("/bin/bash", ["bash", "--noprofile", "--norc", "--noediting", "-i"], env)
        self._type("stty -echo cols 200; PS1= PS2=; set -E; trap 'doc_status=$?' ERR")
        self._back("start")

    def run(self, path, until=None):
        """
        Run the commands of a file; each has to end well. With until, an expression that what they
        print has to match, they stay in the foreground.
        """
        self.free()
        self.count += 1
        self._type(f"doc_status=0; . '{path}'; printf '<<%s %s>>\\n' {self.count} $doc_status")
        done = re.compile(rf"<<{self.count} (\d+)>>")
        match = self._wait(re.compile(f"{done.pattern}|(?:{until})") if until is not None else done)
        if match[1] is None:
            self.busy = True
        elif until is not None:
            raise TerminalError(f"it ended (status {match[1]}) before '{until}' was seen")
        elif match[1] != "0":
            raise TerminalError(f"a command ended with status {match[1]}")

    def free(self):
        """End what is in the foreground: by Ctrl-C, or as testpmd wants it."""
        if self.busy:
            self._type("\x03quit")
            self._back("free")
            self.busy = False
        self.output = ""

    def close(self):
        """Hang up."""
        os.close(self.fd)
        try:
            os.kill(self.pid, signal.SIGHUP)
        except ProcessLookupError:
            pass

    def _back(self, word):
        """Wait until the shell itself is in the foreground."""
        end = time.monotonic() + self.limit
        while True:
            self._type(f"printf '<<%s>>\\n' {word}")
            try:
                self._wait(re.compile(f"<<{word}>>"), min(5, self.limit))
                return
            except TerminalError:
                if time.monotonic() > end:
                    raise

    def _type(self, text, end="\n"):
        data = (text + end).encode()
        while data:
            data = data[os.write(self.fd, data):]

    def _wait(self, pattern, limit=None):
        end = time.monotonic() + (limit or self.limit)
        while True:
            match = pattern.search(self.output)
            if match:
                return match
            ready, _, _ = select.select([self.fd], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise TerminalError(f"'{pattern.pattern}' was not seen within the limit")
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                data = b""
            if not data:
                raise TerminalError("the shell has ended")
            self.output += data.decode(errors="replace").replace("\r", "")
