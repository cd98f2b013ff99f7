#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
"""Send frames from an address that need not be the interface's own.

forge.py INTERFACE MAC COUNT: frames of an experimental type, to everybody
forge.py INTERFACE MAC COUNT SENDER: ARP answers, with another address in them
"""

import socket
import sys

BROADCAST = b"\xff" * 6
EXPERIMENTAL = b"\x88\xb5"
ARP = b"\x08\x06"
# Ethernet and IPv4, an answer.
ARP_ANSWER = bytes.fromhex("0001080006040002")
ADDRESS = bytes([10, 99, 0, 9])
SHORTEST = 60


def mac(text):
    """The bytes of a MAC address."""
    return bytes.fromhex(text.replace(":", ""))


def main():
    """Command line."""
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    frame = BROADCAST + mac(sys.argv[2])
    if len(sys.argv) == 5:
        frame += ARP + ARP_ANSWER + mac(sys.argv[4]) + ADDRESS + BROADCAST + ADDRESS
    else:
        frame += EXPERIMENTAL
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind((sys.argv[1], 0))
        for _ in range(int(sys.argv[3])):
            sock.send(frame.ljust(SHORTEST, b"\0"))


if __name__ == "__main__":
    main()
