#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
"""Ask a DPDK process by its telemetry socket."""

import argparse
import json
import os
import re
import socket
import sys


def runtime_dir():
    """The folder below which DPDK processes have their sockets."""
    if "RUNTIME_DIRECTORY" in os.environ:
        return os.environ["RUNTIME_DIRECTORY"]
    if os.getuid() == 0:
        return "/var/run"
    return os.environ.get("XDG_RUNTIME_DIR", "/tmp")


class Telemetry:
    """A connection with one process."""

    def __init__(self, prefix):
        path = os.path.join(runtime_dir(), "dpdk", prefix, "dpdk_telemetry.v2")
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(60)
        self.sock.connect(path)
        self.limit = json.loads(self.sock.recv(1024))["max_output_len"]

    def ask(self, command, *params):
        """The answer to a command, without its name."""
        request = ",".join([command] + [str(p) for p in params])
        self.sock.send(request.encode())
        answer = json.loads(self.sock.recv(self.limit))
        return answer[command]

    def xstats(self, port):
        """All extended statistics of a port: name -> value."""
        names = self.ask("/ethdev/xstats", port)
        if names is None:
            raise LookupError("no port %d" % port)
        return names


def of_rings(xstats, direction, name):
    """A counter of the vif's rings, summed up over the queues."""
    pattern = re.compile(r"%s_q\d+_%s$" % (direction, name))
    return sum(v for k, v in xstats.items() if pattern.match(k))


def row(port, title, direction, xstats):
    """A line of the table: one direction of a port."""
    packets = xstats["%s_good_packets" % direction]
    copies = of_rings(xstats, direction, "copy_ops")
    return [
        str(port), title, "%d" % packets, "%d" % xstats["%s_good_bytes" % direction],
        "%d" % of_rings(xstats, direction, "slots"),
        "%.2f" % (copies / packets) if packets else "-",
        "%d" % of_rings(xstats, direction, "notify_sent"),
        "%d" % of_rings(xstats, direction, "notify_suppressed"),
    ]


def print_table(telemetry, ports):
    """What every port did, both ways."""
    rows = [["port", "direction", "packets", "bytes", "slots", "copies/packet",
             "notifications sent", "suppressed"]]
    for port in ports:
        xstats = telemetry.xstats(port)
        rows.append(row(port, "from the guest", "rx", xstats))
        rows.append(row(port, "to the guest", "tx", xstats))
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    for line in rows:
        cells = [c.ljust(w) if i == 1 else c.rjust(w)
                 for i, (c, w) in enumerate(zip(line, widths))]
        print("  " + "  ".join(cells))


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("prefix", help="the process's --file-prefix")
    parser.add_argument("what", choices=["ask", "link", "table", "xstat", "rings", "stat"],
                        help="ask COMMAND [PARAM...]: the answer as JSON; link PORT...: succeed "
                        "when all are up; table PORT...; xstat PORT NAME: its value; rings PORT "
                        "rx|tx NAME: a counter summed up over the queues; stat PORT NAME")
    parser.add_argument("args", nargs="+")
    opts = parser.parse_args()
    try:
        telemetry = Telemetry(opts.prefix)
        if opts.what == "ask":
            print(json.dumps(telemetry.ask(*opts.args), indent=2))
        elif opts.what == "link":
            for port in opts.args:
                if telemetry.ask("/ethdev/link_status", port)["status"] != "UP":
                    return 1
        elif opts.what == "table":
            print_table(telemetry, [int(p) for p in opts.args])
        elif opts.what == "xstat":
            print(telemetry.xstats(int(opts.args[0]))[opts.args[1]])
        elif opts.what == "rings":
            print(of_rings(telemetry.xstats(int(opts.args[0])), opts.args[1], opts.args[2]))
        else:
            print(telemetry.ask("/ethdev/stats", opts.args[0])[opts.args[1]])
    except (OSError, LookupError, TypeError, ValueError) as err:
        print("%s: %s" % (os.path.basename(sys.argv[0]), err), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
