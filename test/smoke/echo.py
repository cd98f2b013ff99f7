#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
"""Send random data by TCP and UDP and have it sent back: nothing may differ."""

import argparse
import random
import select
import socket
import sys

PORT = 7000
PIECE = 65536
# A datagram that is lost is sent again: UDP may lose, but never change one.
RETRIES = 50
RETRY_S = 1.0
LIMIT_S = 120


def serve():
    """Send everything back, to any number of peers, without end."""
    tcp = socket.create_server(("::", PORT), family=socket.AF_INET6, dualstack_ipv6=True)
    udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    udp.bind(("::", PORT))
    print("ready", flush=True)
    peers = []
    while True:
        for sock in select.select([tcp, udp] + peers, [], [])[0]:
            if sock is tcp:
                peers.append(tcp.accept()[0])
            elif sock is udp:
                data, peer = udp.recvfrom(PIECE)
                udp.sendto(data, peer)
            else:
                data = sock.recv(PIECE)
                if data:
                    sock.sendall(data)
                else:
                    peers.remove(sock)
                    sock.close()


def ask_tcp(address, total):
    """Data both ways at the same time, compared."""
    sock = socket.create_connection((address, PORT), timeout=LIMIT_S)
    sent = random.randbytes(total)
    received = bytearray()
    done = 0
    while len(received) < total:
        # So little on the way that neither end has to wait for the other to read.
        want = [sock] if done < total and done - len(received) < 2 * PIECE else []
        readable, writable, _ = select.select([sock], want, [], LIMIT_S)
        if not readable and not writable:
            raise TimeoutError("TCP stands still after %d bytes" % len(received))
        if writable:
            done += sock.send(sent[done:done + PIECE // 4])
        if readable:
            data = sock.recv(PIECE)
            if not data:
                raise ConnectionError("the peer has closed after %d bytes" % len(received))
            received += data
    sock.close()
    if received != sent:
        raise ValueError("TCP data has changed on its way")


def ask_udp(address, count, largest):
    """One datagram after the other."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.settimeout(RETRY_S)
    sock.connect((address, PORT))
    for number in range(count):
        sent = number.to_bytes(4, "big") + random.randbytes(random.randrange(largest - 3))
        for _ in range(RETRIES):
            sock.send(sent)
            try:
                received = sock.recv(PIECE)
                while received[:4] != sent[:4]:
                    received = sock.recv(PIECE)
                break
            except TimeoutError:
                continue
        else:
            raise TimeoutError("datagram %d is never answered" % number)
        if received != sent:
            raise ValueError("datagram %d has changed on its way" % number)


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address", nargs="?", help="the server's; without it be the server")
    parser.add_argument("--bytes", type=int, default=8000000, help="by TCP (%(default)s)")
    parser.add_argument("--datagrams", type=int, default=600, help="by UDP (%(default)s)")
    parser.add_argument("--largest", type=int, default=1452,
                        help="bytes of the largest of them (%(default)s)")
    opts = parser.parse_args()
    if opts.address is None:
        serve()
    random.seed(1)
    try:
        ask_tcp(opts.address, opts.bytes)
        ask_udp(opts.address, opts.datagrams, opts.largest)
    except (OSError, ValueError) as err:
        print("%s: %s" % (opts.address, err), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
