#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
"""Send frames without end, faster than anybody serves them, and sleep in between.

flood.py INTERFACE SOURCE DESTINATION LENGTH: frames of an experimental type, of so many bytes
"""

import socket
import sys
import time

EXPERIMENTAL = b"\x88\xb5"
# 32,000 a second at most: what the interface's queue does not take is lost there.
BURST = 64
PAUSE = 0.002


def mac(text):
    """The bytes of a MAC address."""
    return bytes.fromhex(text.replace(":", ""))


def main():
    """Command line."""
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    frame = mac(sys.argv[3]) + mac(sys.argv[2]) + EXPERIMENTAL
    frame = frame.ljust(int(sys.argv[4]), b"\0")
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind((sys.argv[1], 0))
        while True:
            for _ in range(BURST):
                try:
                    sock.send(frame)
                except OSError:
                    # The queue is full.
                    break
            time.sleep(PAUSE)


if __name__ == "__main__":
    main()
