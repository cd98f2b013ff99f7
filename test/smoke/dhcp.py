#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
"""Ask by DHCP, and print the address and the MTU that the first answer has."""

import argparse
import os
import socket
import struct
import sys
import time

REQUEST, REPLY, ETHERNET = 1, 2, 1
COOKIE = b"\x63\x82\x53\x63"
# Options, and DHCPDISCOVER and DHCPOFFER of the one that says what a message is.
PAD, MTU, TYPE, WANTED, END = 0, 26, 53, 55, 255
DISCOVER, OFFER = 1, 2


def options(data):
    """The options after the cookie: their values by number."""
    found = {}
    i = 0
    while i + 1 < len(data) and data[i] != END:
        if data[i] == PAD:
            i += 1
            continue
        found[data[i]] = data[i + 2:i + 2 + data[i + 1]]
        i += 2 + data[i + 1]
    return found


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("device")
    parser.add_argument("--limit", type=float, default=60, help="seconds until it gives up")
    args = parser.parse_args()
    with open(f"/sys/class/net/{args.device}/address", encoding="ascii") as f:
        mac = bytes.fromhex(f.read().strip().replace(":", ""))
    xid = os.urandom(4)
    ask = struct.pack("!BBBB4s20x16s192x4s", REQUEST, ETHERNET, len(mac), 0, xid, mac, COOKIE)
    ask += bytes([TYPE, 1, DISCOVER, WANTED, 1, MTU, END])
    end = time.monotonic() + args.limit
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, args.device.encode())
        s.bind(("", 68))
        s.settimeout(2)
        while time.monotonic() < end:
            s.sendto(ask, ("255.255.255.255", 67))
            try:
                answer = s.recv(2048)
            except TimeoutError:
                continue
            if answer[0:1] != bytes([REPLY]) or answer[4:8] != xid or answer[236:240] != COOKIE:
                continue
            told = options(answer[240:])
            if told.get(TYPE) == bytes([OFFER]) and len(told.get(MTU, b"")) == 2:
                print(socket.inet_ntoa(answer[16:20]), int.from_bytes(told[MTU], "big"))
                return
    sys.exit("no answer with an MTU")


if __name__ == "__main__":
    main()
