# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors

"""Results of the benchmarks: rows of a name, a unit, and what a number of samples come to."""

import json
import statistics

DIGITS = 5
KEYS = {"name": str, "unit": str, "descriptors": lambda d: d and str(d), "n": int, "median": float,
        "min": float, "max": float}


def row(name, unit, samples, descriptors=None):
    """One result; descriptors are those it was measured with, as text."""
    return {"name": name, "unit": unit, "descriptors": descriptors, "n": len(samples),
            "median": round(statistics.median(samples), DIGITS),
            "min": round(min(samples), DIGITS), "max": round(max(samples), DIGITS)}


def ratio(name, above, below, descriptors=None):
    """The ratio of two things that were measured round by round."""
    return row(name, "ratio", [a / b for a, b in zip(above, below)], descriptors)


def print_table(results):
    """The results as a table."""
    print(f"{'name':46} {'unit':20} {'descriptors':>11} {'n':>3} {'median':>11} {'min':>11} "
          f"{'max':>11}")
    for r in results:
        figures = " ".join(figure(r[key]) for key in ("median", "min", "max"))
        print(f"{r['name']:46} {r['unit']:20} {r['descriptors'] or '':>11} {r['n']:3} {figures}")


def figure(value):
    """A number for people, in 11 columns; what is small has more digits."""
    return f"{value:11.4f}" if abs(value) < 1 else f"{value:11.2f}"


def write_json(results, path):
    """The results as a file."""
    with open(path, "w", encoding="ascii") as f:
        json.dump(results, f, indent=1)
        f.write("\n")


def read_json(path):
    """What write_json() wrote; ValueError when it is something else."""
    with open(path, encoding="ascii") as f:
        results = json.load(f)
    try:
        return [{key: kind(r[key]) for key, kind in KEYS.items()} for r in results]
    except (TypeError, KeyError) as err:
        raise ValueError(f"{path} has other things than results") from err


def rotate(items, turn):
    """The same items, beginning with another one each turn."""
    turn %= len(items)
    return items[turn:] + items[:turn]
