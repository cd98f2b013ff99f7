# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors

"""Draws results, a picture of each kind, by gnuplot."""

import os
import subprocess

from rig import PEERS

# The unit of what is drawn of each kind, and whether its axis is logarithmic.
PICTURES = {
    "crossing": ("Mpps", False),
    "backend": ("cycles/packet", True),
    "frontend": ("cycles/packet", True),
    "rtt": ("ns", True),
    "idle": ("cycles/poll", False),
    "scale": ("cycles/packet", True),
    "notify": ("notifications/packet", False),
    "ir": ("instructions/packet", False),
}
TITLES = {
    "crossing": "Packets a second through a link, both ends on one core",
    "backend": "Cycles a packet of the backend's burst functions, by length and burst",
    "frontend": "Cycles a packet of the frontend's burst functions, by length and burst",
    "rtt": "Nanoseconds of a packet's way there and back, one under way",
    "idle": "Cycles of a poll that finds nothing, and of a burst of no packets",
    "scale": "Cycles of the backend a packet in and out, by busy vifs",
    "notify": "Notifications for a packet, by packets a second and ring",
    "ir": "Instructions a packet of the burst functions",
}
SCRIPT = """\
set terminal svg size 960,420 background rgb 'white' font 'sans,12' name '{kind}' noenhanced
set output {output}
set title {title}
set ylabel '{unit}'
set style data histograms
set style histogram errorbars gap 1.5 lw 1
set style fill solid 0.8 border -1
set key outside right center vertical
set grid ytics
set xtics {xtics}
{scale}
$data << END
{data}
END
plot for [i=0:{last}] $data using 3*i+2:3*i+3:3*i+4:xtic(1) title word('{peers}', i+1)
"""
LINEAR = "set yrange [0:*]"
LOGARITHMIC = "set logscale y"
MANY = 6


def quoted(text):
    """A string of gnuplot's."""
    return "'" + text.replace("'", "''") + "'"


def rows_of(results, kind):
    """Rows of the picture: by what stands below the bars, and by peer."""
    table = {}
    for r in results:
        first, _, rest = r["name"].partition(".")
        what, _, peer = rest.rpartition(".")
        if first == kind and r["unit"] == PICTURES[kind][0] and peer in PEERS:
            table.setdefault(what, {})[peer] = r
    return table


def script(results, kind, path):
    """What gnuplot is to do; None: there are no rows of this kind."""
    table = rows_of(results, kind)
    if not table:
        return None
    peers = [p for p in PEERS if any(p in row for row in table.values())]
    if "copy0" in peers and "haswell" not in peers:
        raise ValueError(f"{kind}: copy0 is not drawn without haswell; measure both")
    unit, logarithmic = PICTURES[kind]
    lines = []
    for what, row in table.items():
        # In data a name with blanks has other quotes than in commands.
        cells = ['"' + what.replace("-per-packet", "").replace(".", " ") + '"']
        for peer in peers:
            r = row.get(peer)
            cells += [str(r[key]) for key in ("median", "min", "max")] if r else ["NaN"] * 3
        lines.append(" ".join(cells))
    rounds = max(r["n"] for row in table.values() for r in row.values())
    return SCRIPT.format(
        kind=kind, output=quoted(path), unit=unit, data="\n".join(lines), last=len(peers) - 1,
        title=quoted(f"{TITLES[kind]} (median, least and most of {rounds})"),
        xtics="rotate by -30" if len(lines) > MANY else "norotate", peers=" ".join(peers),
        scale=LOGARITHMIC if logarithmic else LINEAR)


def draw(results, folder):
    """KIND.svg in the folder for each kind that there are rows of; ValueError when one cannot be."""
    scripts = {kind: script(results, kind, os.path.join(folder, f"{kind}.svg"))
               for kind in PICTURES}
    os.makedirs(folder, exist_ok=True)
    for kind, text in scripts.items():
        if text is None:
            continue
        done = subprocess.run(["gnuplot"], input=text, text=True, capture_output=True, check=False)
        if done.returncode != 0:
            raise ValueError(f"{kind}: gnuplot: {done.stderr.strip().splitlines()[-1:]}")
