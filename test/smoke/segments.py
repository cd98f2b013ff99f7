#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
"""
Send TCP packets to be segmented out of a network interface, each with the headers that somebody has
thought of, and print what has to arrive, a line a frame: port, sequence number, bytes, flags and,
for IPv4, id. All those of a version of IP are one flow, without a gap.
"""

import argparse
import random
import socket
import struct

SOL_PACKET = 263
PACKET_VNET_HDR = 15
NEEDS_CSUM = 1
GSO_TYPES = {4: 1, 6: 4}
FIN, PSH, ACK, CWR = 0x01, 0x08, 0x10, 0x80
ID = 0xFFF0
SEQ = 0xFFFF0000
PORTS = {4: 4444, 6: 6666}

# Bytes of payload, of a segment and of TCP's options; flags. With IPv6 some segments are as long as
# the usual MTU lets them be.
PACKETS = (
    (65101, 1428, 12, ACK | PSH),
    (1429, 1428, 12, ACK | PSH | CWR),
    (30001, 1440, 0, ACK | CWR),
    (1428, 1428, 12, ACK),
    (1, 1428, 12, ACK | PSH),
    (2801, 1400, 40, ACK | PSH | CWR),
    (4095, 1001, 20, ACK),
    (9999, 537, 0, ACK | PSH),
    (65100, 1404, 36, ACK | PSH | CWR),
    (3333, 1111, 12, ACK | PSH | FIN | CWR),
)


def checksum(data):
    """RFC 1071."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def ip_header(version, number, tcp_len):
    """A header of IP, to an address that is nobody's; IPv4's has an option. Its pseudo-header."""
    if version == 4:
        addresses = socket.inet_aton("10.99.0.90") + socket.inet_aton("10.99.0.91")
        begin = struct.pack("!BBHHHBB", 0x46, 0, 24 + tcp_len, number, 0x4000, 64, 6)
        option = bytes((1, 1, 1, 0))
        own = 0xFFFF - checksum(begin + b"\0\0" + addresses + option)
        return (begin + struct.pack("!H", own) + addresses + option,
                addresses + struct.pack("!HH", 6, tcp_len))
    addresses = (socket.inet_pton(socket.AF_INET6, "fd99::90") +
                 socket.inet_pton(socket.AF_INET6, "fd99::91"))
    return (struct.pack("!IHBB", 0x60000000, tcp_len, 6, 64) + addresses,
            addresses + struct.pack("!II", tcp_len, 6))


def frame(version, macs, number, seq, packet):
    """A frame with its virtio_net_hdr, as the kernel takes it from a packet socket."""
    size, mss, options, flags = packet
    tcp_len = 20 + options + size
    ip, pseudo = ip_header(version, number, tcp_len)
    tcp = struct.pack("!HHIIBBHHH", PORTS[version], 5555, seq, 1, (20 + options) // 4 << 4, flags,
                      65535, checksum(pseudo), 0)
    if options:
        # An experimental one.
        tcp += bytes((254, options)) + random.randbytes(options - 2)
    ether = macs + struct.pack("!H", 0x0800 if version == 4 else 0x86DD)
    start = len(ether) + len(ip)
    big = size > mss
    hdr = struct.pack("=BBHHHH", NEEDS_CSUM, GSO_TYPES[version] if big else 0,
                      start + len(tcp) if big else 0, mss if big else 0, start, 16)
    return hdr + ether + ip + tcp + random.randbytes(size)


def expected(version, number, seq, packet, whole):
    """The lines of the frames of a packet."""
    size, mss, _, flags = packet
    step = size if whole else mss
    for i, done in enumerate(range(0, size, step)):
        these = flags
        if done != 0:
            these &= ~CWR
        if done + step < size:
            these &= ~(PSH | FIN)
        ident = "0x%04x" % ((number + i) & 0xFFFF) if version == 4 else ""
        yield "%d\t%d\t%d\t0x%04x\t%s" % (PORTS[version], (seq + done) & 0xFFFFFFFF,
                                          min(step, size - done), these, ident)


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("interface")
    parser.add_argument("mac", help="the receiver's")
    parser.add_argument("--whole", action="store_true", help="they have to arrive as they are")
    parser.add_argument("--long", action="store_true", help="none that make only one segment")
    opts = parser.parse_args()
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        sock.bind((opts.interface, 0))
        macs = bytes.fromhex(opts.mac.replace(":", "")) + sock.getsockname()[4]
        for version in (4, 6):
            seq, number = SEQ, ID
            for packet in PACKETS:
                if opts.long and packet[0] <= packet[1]:
                    continue
                sock.send(frame(version, macs, number, seq, packet))
                print(*expected(version, number, seq, packet, opts.whole), sep="\n")
                seq = (seq + packet[0]) & 0xFFFFFFFF
                number = (number + 64) & 0xFFFF


if __name__ == "__main__":
    main()
